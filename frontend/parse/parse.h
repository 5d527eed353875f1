// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Text -> syntax tree.
#pragma once

#include "frontend/ast/ast.h"
#include "frontend/diagnostics/diagnostics.h"
#include "frontend/source/interner.h"
#include "frontend/source/source.h"

#include <string_view>

namespace rad {

/// Parses a whole text. Syntax errors are reported, one message for each mistake; the tree then holds what could be
/// read, with Error expressions where something is missing. Expressions and blocks nest at most `maxNesting` (lex.h)
/// levels, so passes over the tree may recurse.
Ast parse(FileId file, const SourceManager& sources, Interner& names, Diagnostics& diagnostics);

/// Whether more lines could complete this entry: it ends inside a bracket, a comment, documentation, or before
/// something that has to follow. False for a complete entry, an empty one, and one with a mistake that no further line
/// repairs.
bool isIncomplete(std::string_view text);

}  // namespace rad

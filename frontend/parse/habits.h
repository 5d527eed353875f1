// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the files about syntax errors share. Internal to parse/.
#pragma once

#include "frontend/lex/lex.h"

#include <string_view>

namespace rad {

/// Whether a token of this kind ends an operand: what follows it is an operator, or an error.
bool endsOperand(TokenKind kind);

/// The type that a word of another language means, `i32` for `int`; a type's own name for itself, and nothing for
/// others.
std::string_view typeMeant(std::string_view word);

}  // namespace rad

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One text, parsed, with everything a test looks at.
#pragma once

#include "frontend/ast/ast.h"
#include "frontend/diagnostics/diagnostics.h"
#include "frontend/lex/lex.h"
#include "frontend/parse/parse.h"

#include <string>
#include <vector>

namespace rad::test {

struct Parsed {
  explicit Parsed(std::string text)
      : file(sources.add("t.rad", std::move(text))), ast(parse(file, sources, names, diagnostics)) {}
  std::string tree() const { return dump(ast, sources, names); }
  /// "line:column code" of each message.
  std::vector<std::string> messages() const {
    std::vector<std::string> out;
    for (const Diagnostic& d : diagnostics.all()) {
      Position place = sources.position(d.range.begin);
      out.push_back(std::to_string(place.line) + ":" + std::to_string(place.column) + " " +
                    std::string(codeOf(d.kind)));
    }
    return out;
  }
  SourceManager sources;
  Interner names;
  Diagnostics diagnostics;
  FileId file;
  Ast ast;
};

using Messages = std::vector<std::string>;

}  // namespace rad::test

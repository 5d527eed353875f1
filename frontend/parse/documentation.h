// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a file declares, as text for people: `raddle doc`.
#pragma once

#include "frontend/ast/ast.h"
#include "frontend/source/interner.h"
#include "frontend/source/source.h"

#include <string>
#include <vector>

namespace rad {

/// A declaration without its body.
struct Documented {
  std::string name;
  std::string signature;  // as it was written, up to the body
  std::string doc;        // its `///` lines, without the slashes
  bool isPrivate = false;
  Range range;
  struct Member {
    std::string signature, doc;
  };
  std::vector<Member> members;  // parameters that have documentation, fields and methods
};

/// The named declarations of a text, in order; imports, tests and statements are none.
std::vector<Documented> documentation(const Ast& ast, const SourceManager& sources, const Interner& names);

}  // namespace rad

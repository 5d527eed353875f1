// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Text to typed program, for the targets behind the parser.
#pragma once

#include "frontend/parse/parse.h"
#include "frontend/sema/sema.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

namespace rad::fuzz {

/// Says why the input is a finding, and ends the process so that libFuzzer keeps it.
[[noreturn]] void fail(const char* target, const std::string& what);

/// One text and what the front end made of it. The library is there; files to import are not.
struct Program {
  SourceManager sources;
  Interner names;
  Diagnostics diagnostics;
  std::optional<Session> session;
  FileId file;
  std::optional<TypedProgram> typed;  // none if there are errors

  /// `allKernels`: also those that the text does not launch, as `raddle build` does.
  Program(const uint8_t* data, size_t size, bool allKernels);
};

}  // namespace rad::fuzz

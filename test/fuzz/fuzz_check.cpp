// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Text to typed program: a program that keeps the promises of typed_program.h, or messages, each with a place and
// words.
#include "test/fuzz/program.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rad::fuzz::Program program(data, size, size % 2 == 0);
  for (const rad::Diagnostic& diagnostic : program.diagnostics.all()) {
    if (!diagnostic.range.valid()) rad::fuzz::fail("fuzz_check", "a message without a place: " + diagnostic.text);
    if (diagnostic.text.empty()) rad::fuzz::fail("fuzz_check", "a message without words");
    rad::render(diagnostic, program.sources);
  }
  if (program.typed.has_value() == program.diagnostics.hasErrors())
    rad::fuzz::fail("fuzz_check", program.typed ? "a program in spite of errors" : "neither a program nor an error");
  if (!program.typed) return 0;
  if (std::string wrong = rad::verify(*program.typed); !wrong.empty()) rad::fuzz::fail("fuzz_check", wrong);
  rad::dump(*program.typed, program.sources);
  return 0;
}

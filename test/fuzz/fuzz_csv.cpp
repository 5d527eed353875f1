// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reader of text files of numbers on any bytes. The first byte chooses type and rank.
#include "runtime/files/csv_file.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  auto type = static_cast<rad::cg::ElementType>(data[0] % 16);
  bool isMatrix = data[0] / 16 % 2;
  auto array = rad::rt::parseCsv({reinterpret_cast<const char*>(data + 1), size - 1}, "fuzz.csv", type, isMatrix);
  int64_t count = 1;
  if (array)
    for (int64_t extent : array->extents) count *= extent;
  bool isRight = array ? array->extents.size() == (isMatrix ? 2u : 1u) &&
                             array->elements.size() == static_cast<size_t>(count) * rad::cg::sizeOf(type)
                       : array.error().message.find("`fuzz.csv`, line ") == 0;
  if (!isRight) {
    std::fprintf(stderr, "fuzz_csv: %s\n",
                 array ? "elements that do not fill the shape" : "a message without the place");
    std::abort();
  }
  return 0;
}

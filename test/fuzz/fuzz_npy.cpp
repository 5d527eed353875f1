// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reader of NPY files on any bytes: an array whose elements are as many as its shape says, or an error that names
// the file. The first byte chooses the type that is wanted.
#include "runtime/files/npy_file.h"

#include <cstdlib>

namespace {
void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz_npy: %s\n", what);
  std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  using rad::cg::ElementType;
  // The last kind: a struct with a vector and a gap behind it.
  static const std::vector<rad::cg::CompoundManifest> compounds = {
      {},
      {.kind = rad::cg::CompoundManifest::Kind::Struct,
       .name = "P",
       .names = {"a", "b"},
       .types = {ElementType::F32, rad::cg::vectorOf(ElementType::I16, 3)},
       .offsets = {0, 4}}};
  const auto type = data[0] % 17 == 16 ? rad::cg::compoundType(1, 12) : static_cast<ElementType>(data[0] % 17);
  rad::rt::File file(fmemopen(const_cast<uint8_t*>(data + 1), size - 1, "rb"));
  auto array = rad::rt::readNpy(file.get(), "fuzz.npy", type, compounds);
  if (!array) {
    require(array.error().message.find("`fuzz.npy`") != std::string::npos, "a message without the file");
    return 0;
  }
  int64_t count = 1;
  for (int64_t extent : array->extents)
    if (extent == 0) count = 0;
  for (int64_t extent : array->extents)
    if (count != 0) count *= extent;
  require(array->elements.size() == static_cast<size_t>(count) * rad::cg::sizeOf(type),
          "elements that do not fill the shape");
  require(array->elements.size() <= 2 * size, "more elements than the file holds");
  return 0;
}

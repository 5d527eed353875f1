// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reader of PNG files on any bytes: a picture with all its samples, or an error that names the file.
#include "runtime/files/png_file.h"

#include <cstdlib>

namespace {
void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz_png: %s\n", what);
  std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  rad::rt::File file(fmemopen(const_cast<uint8_t*>(data), size, "rb"));
  auto picture = rad::rt::readPng(file.get(), "fuzz.png");
  if (!picture) {
    require(picture.error().message.find("`fuzz.png`") != std::string::npos, "a message without the file");
    return 0;
  }
  require(picture->width > 0 && picture->height > 0 && picture->channels >= 1 && picture->channels <= 4,
          "a picture without pixels");
  require(picture->samples.size() == static_cast<size_t>(picture->width * picture->height * picture->channels),
          "samples that do not fill the picture");
  for (int channels : {1, 3, 4})
    require(rad::rt::withChannels(*picture, channels).channels == channels, "other channels than asked for");
  return 0;
}

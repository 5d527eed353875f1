// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// PNG files, through libpng.
#pragma once

#include "runtime/files/file.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rad::rt {

/// Sides and bytes that a picture may have: a small file may claim a huge one.
inline constexpr int64_t maxPictureSide = 1 << 15;
inline constexpr int64_t maxPictureBytes = int64_t{1} << 30;

/// Rows from the top, pixels from the left, channels side by side: gray; gray, alpha; red, green, blue; or these and
/// alpha.
struct Picture {
  int64_t width = 0, height = 0;
  int channels = 0;
  std::vector<uint8_t> samples;
};

/// Reads a picture of any kind: palettes become colours, 16-bit samples become 8-bit ones; sample values are taken as
/// they are, without regard to gamma. Errors (System) name the file.
Result<Picture> readPng(std::FILE* file, const std::string& path);
Result<Picture> readPng(const std::string& path);
/// The same picture with 1, 3 or 4 channels: gray by the weights of ITU-R BT.601; alpha is dropped, or 255 where there
/// was none.
Picture withChannels(Picture picture, int channels);
/// Writes a picture of 1, 3 or 4 channels.
Result<void> writePng(const std::string& path, int64_t width, int64_t height, int channels,
                      std::span<const uint8_t> samples);

}  // namespace rad::rt

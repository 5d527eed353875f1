// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Images that kernels read through the texture units: interpolated, and clamped
/// or repeated outside.

#include "runtime/driver/copy.h"

namespace rad::cuda {

void releaseArray(const Context& context, CUarray array) noexcept;
void releaseTexture(const Context& context, CUtexObject texture) noexcept;

/// An image in the layout of the device: filled by copy2D() with
/// Place::inArray(raw()).
class ImageArray : public Handle<CUarray, releaseArray> {
 public:
  /// `channels`: 1, 2 or 4 of `format` (CU_AD_FORMAT_...).
  static Result<ImageArray> create(const Context& context, std::size_t width, std::size_t height, CUarray_format format,
                                   unsigned channels);
  std::size_t width() const { return width_; }
  std::size_t height() const { return height_; }
  /// Bytes of a row of the image.
  std::size_t rowBytes() const { return rowBytes_; }

 private:
  using Handle::Handle;
  std::size_t width_ = 0, height_ = 0, rowBytes_ = 0;
};

struct TextureOptions {
  CUaddress_mode outside = CU_TR_ADDRESS_MODE_CLAMP;
  bool linear = false;  ///< interpolate between the nearest four
  /// Coordinates from 0 to 1 instead of pixels; needed to repeat or mirror.
  bool normalized = false;
  /// Integers of 8 and 16 bits are read as 0 to 1 (or -1 to 1).
  bool asFloat = false;
};

/// A view of an image; raw() is what kernels get, as 8 bytes.
class Texture : public Handle<CUtexObject, releaseTexture> {
 public:
  static Result<Texture> create(const ImageArray& image, TextureOptions options = {});

 private:
  using Handle::Handle;
};

}  // namespace rad::cuda

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/texture.h"

namespace rad::cuda {

void releaseArray(const Context& context, CUarray array) noexcept {
  context.release<DriverFn::ArrayDestroy>("an image", array);
}

void releaseTexture(const Context& context, CUtexObject texture) noexcept {
  context.release<DriverFn::TexObjectDestroy>("a texture", texture);
}

namespace {

/// Bytes of one channel; 0 for formats that are not numbers.
std::size_t channelBytes(CUarray_format format) {
  switch (int(format)) {
    case CU_AD_FORMAT_UNSIGNED_INT8:
    case CU_AD_FORMAT_SIGNED_INT8: return 1;
    case CU_AD_FORMAT_UNSIGNED_INT16:
    case CU_AD_FORMAT_SIGNED_INT16:
    case CU_AD_FORMAT_HALF: return 2;
    case CU_AD_FORMAT_UNSIGNED_INT32:
    case CU_AD_FORMAT_SIGNED_INT32:
    case CU_AD_FORMAT_FLOAT: return 4;
    default: return 0;
  }
}

}  // namespace

Result<ImageArray> ImageArray::create(const Context& context, std::size_t width, std::size_t height,
                                      CUarray_format format, unsigned channels) {
  const std::size_t bytes = channelBytes(format);
  if (!bytes || (channels != 1 && channels != 2 && channels != 4))
    return fail(ErrorCategory::Misuse, "an image has 1, 2 or 4 channels of 8, 16 or 32 bits; " +
                                           std::to_string(channels) + " of format " + std::to_string(int(format)) +
                                           " were asked for");
  if (width == 0 || height == 0) return fail(ErrorCategory::Misuse, "an image of no pixels was asked for");
  CUDA_ARRAY_DESCRIPTOR description{};
  description.Width = width;
  description.Height = height;
  description.Format = format;
  description.NumChannels = channels;
  CUarray raw = nullptr;
  Status made = context.call<DriverFn::ArrayCreate>(&raw, static_cast<const CUDA_ARRAY_DESCRIPTOR*>(&description));
  if (!made) return fail(explainAllocation(context, std::move(made).error(), width * height * channels * bytes));
  if (!raw) return noHandle("image");
  ImageArray image(context, raw, true);
  image.width_ = width;
  image.height_ = height;
  image.rowBytes_ = width * channels * bytes;
  return image;
}

Result<Texture> Texture::create(const ImageArray& image, TextureOptions options) {
  if (!options.normalized &&
      (options.outside == CU_TR_ADDRESS_MODE_WRAP || options.outside == CU_TR_ADDRESS_MODE_MIRROR))
    return fail(ErrorCategory::Misuse,
                "an image is repeated or mirrored only with coordinates from 0 "
                "to 1",
                "Set TextureOptions::normalized.");
  CUDA_RESOURCE_DESC resource{};
  resource.resType = CU_RESOURCE_TYPE_ARRAY;
  resource.res.array.hArray = image.raw();
  CUDA_TEXTURE_DESC view{};
  for (CUaddress_mode& mode : view.addressMode) mode = options.outside;
  view.filterMode = options.linear ? CU_TR_FILTER_MODE_LINEAR : CU_TR_FILTER_MODE_POINT;
  if (options.normalized) view.flags |= CU_TRSF_NORMALIZED_COORDINATES;
  if (!options.asFloat) view.flags |= CU_TRSF_READ_AS_INTEGER;
  CUtexObject raw = 0;
  RAD_TRY(image.context().call<DriverFn::TexObjectCreate>(&raw, static_cast<const CUDA_RESOURCE_DESC*>(&resource),
                                                          static_cast<const CUDA_TEXTURE_DESC*>(&view),
                                                          static_cast<const CUDA_RESOURCE_VIEW_DESC*>(nullptr)));
  if (!raw) return noHandle("texture");
  return Texture(image.context(), raw, true, image.keepAlive());
}

}  // namespace rad::cuda

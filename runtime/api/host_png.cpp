// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pictures of the host interface.
#include "runtime/api/host_support.h"
#include "runtime/api/png_file.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <vector>

using namespace rad::rt;
namespace cg = rad::cg;

namespace rad::rt {
namespace {

/// The path, unless it holds a NUL, which would cut it short.
Result<std::string> pathOf(const RadString& string) {
  std::string path(textOf(string));
  if (path.empty()) return fail(ErrorCategory::UserProgram, "the path of the picture is empty");
  if (path.find('\0') != std::string::npos) return fail(ErrorCategory::UserProgram, "the path of the picture has a NUL character in it");
  return path;
}

/// 0 to 1 as 0 to 255, to the nearest; NaN is black.
uint8_t toByte(float value) {
  if (!(value > 0)) return 0;
  return value >= 1 ? 255 : static_cast<uint8_t>(std::lrintf(value * 255.0f));
}

}  // namespace
}  // namespace rad::rt

int32_t rad_png_write(RadContext* context, const RadString* pathText, const RadView* view, uint32_t site) {
  return guarded(context, site, [&]() -> int32_t {
    auto path = pathOf(*pathText);
    if (!path) return context->setError(std::move(path).error(), site);
    auto count = checkView(*view);
    if (!count) return context->setError(std::move(count).error(), site);
    auto type = elementType(view->elementType);
    int64_t channels = view->rank == 3 ? view->extents[2] : 1;
    bool rightShape = (view->rank == 2 || view->rank == 3) && (channels == 1 || channels == 3 || channels == 4);
    if (!rightShape || (type != cg::ElementType::U8 && type != cg::ElementType::F32))
      return context->setError(ErrorCategory::UserProgram, context->site(site),
                               {fmt::format("a {} is not a picture", typeText(*view)), {},
                                "a picture is [u8; h, w] or [f32; h, w] (gray), or the same with a last size of 1, 3 or 4 channels"});
    if (*count == 0)
      return context->setError(ErrorCategory::UserProgram, context->site(site), {fmt::format("a picture without pixels ({}) cannot be written", typeText(*view)), {}, {}});
    if (view->extents[0] > maxPictureSide || view->extents[1] > maxPictureSide || *count > maxPictureBytes)
      return context->setError(ErrorCategory::UserProgram, context->site(site),
                               {fmt::format("the picture is too large: {}", typeText(*view)), {},
                                fmt::format("a picture has at most {} pixels on a side and {} MiB of samples", maxPictureSide, maxPictureBytes >> 20)});
    uint64_t size = cg::sizeOf(type);
    std::vector<std::byte> bytes(static_cast<size_t>(*count) * size);
    RAD_API_TRY(context, site, context->device().copyOut(bytes, view->array->buffer(), static_cast<uint64_t>(view->offset) * size));
    if (int32_t status = context->checkFailure()) return status;
    if (type == cg::ElementType::F32) {
      for (size_t i = 0; i < static_cast<size_t>(*count); ++i) {  // in place: a byte never passes the float that it comes from
        float value;
        std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
        bytes[i] = std::byte{toByte(value)};
      }
      bytes.resize(static_cast<size_t>(*count));
    }
    RAD_API_TRY(context, site,
                writePng(*path, view->extents[1], view->extents[0], static_cast<int>(channels), {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}));
    return 0;
  });
}

int32_t rad_png_read(RadContext* context, const RadString* pathText, int32_t type, int32_t rank, const int64_t* extents, uint32_t site, RadView* view) {
  return guarded(context, site, [&]() -> int32_t {
    *view = {};
    auto path = pathOf(*pathText);
    if (!path) return context->setError(std::move(path).error(), site);
    int64_t wanted = rank == 2 ? 1 : rank == 3 ? extents[2] : 0;
    bool rightShape = wanted == -1 || wanted == 1 || wanted == 3 || wanted == 4;
    auto element = elementType(type);
    if (!rightShape || (element != cg::ElementType::U8 && element != cg::ElementType::F32))
      return context->setError(ErrorCategory::UserProgram, context->site(site),
                               {rank == 3 ? fmt::format("a picture cannot have {} channels", wanted) : "a picture cannot have this type", {},
                                "a picture is [u8; h, w] or [f32; h, w] (gray), or the same with a last size of 1, 3 or 4 channels"});
    auto picture = readPng(*path);
    if (!picture) return context->setError(std::move(picture).error(), site);
    int channels = wanted > 0 ? static_cast<int>(wanted) : picture->channels == 2 ? 4 : picture->channels;
    *picture = withChannels(std::move(*picture), channels);
    int64_t found[3] = {picture->height, picture->width, channels};
    for (int32_t axis = 0; axis < 2; ++axis)
      if (extents[axis] >= 0 && extents[axis] != found[axis])
        return context->setError(ErrorCategory::UserProgram, context->site(site),
                                 {fmt::format("`{}` is {} pixels {}, but the type says {}", *path, found[axis], axis == 0 ? "high" : "wide", extents[axis]), {},
                                  "a new name in place of the size takes whatever size there is"});
    auto count = static_cast<int64_t>(picture->samples.size());
    auto array = context->makeArray(element, count);
    if (!array) return context->setError(std::move(array).error(), site);
    std::span<const std::byte> bytes = std::as_bytes(std::span(picture->samples));
    std::vector<float> floats;
    if (element == cg::ElementType::F32) {
      floats.reserve(picture->samples.size());
      for (uint8_t sample : picture->samples) floats.push_back(static_cast<float>(sample) / 255.0f);
      bytes = std::as_bytes(std::span(floats));
    }
    if (auto copied = context->device().copyIn((*array)->buffer(), 0, bytes); !copied) {
      (*array)->release();
      return context->setError(std::move(copied).error(), site);
    }
    *view = {*array, 0, {found[0], found[1], rank == 3 ? found[2] : 1, 1}, rank, type};
    return 0;
  });
}

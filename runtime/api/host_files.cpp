// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arrays from files and to files, for host code.
#include "runtime/api/host_support.h"
#include "runtime/files/csv_file.h"
#include "runtime/files/npy_element.h"
#include "runtime/files/npy_file.h"
#include "runtime/files/png_file.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <vector>

using namespace rad::rt;
namespace cg = rad::cg;

namespace rad::rt {

Result<std::string> pathOf(const RadString& string) {
  std::string path(textOf(string));
  if (path.empty()) return fail(ErrorCategory::UserProgram, "the path of the file is empty");
  if (path.find('\0') != std::string::npos)
    return fail(ErrorCategory::UserProgram, "the path of the file has a NUL character in it");
  return path;
}

namespace {

constexpr const char* pictureTypes =
    "a picture is [u8; h, w] or [f32; h, w] (gray), or the same with a last size of 1, 3 or 4 channels";

bool isPictureType(cg::ElementType type) { return type == cg::ElementType::U8 || type == cg::ElementType::F32; }

/// 0 to 1 as 0 to 255, to the nearest; NaN is black.
uint8_t toByte(float value) {
  if (!(value > 0)) return 0;
  return value >= 1 ? 255 : static_cast<uint8_t>(std::lrintf(value * 255.0f));
}

/// The picture as an array of the type that is wanted, with the channels that it says (RadAnySize: those of the file).
Result<FileArray> readPicture(const std::string& path, cg::ElementType type, std::span<const int64_t> wanted) {
  int64_t channels = wanted.size() == 2 ? 1 : wanted.size() == 3 ? wanted[2] : 0;
  bool rightShape = channels == RadAnySize || channels == 1 || channels == 3 || channels == 4;
  if (!rightShape || !isPictureType(type)) {
    auto error = fail(ErrorCategory::UserProgram,
                      wanted.size() == 3 ? fmt::format("a picture cannot have {} channels", channels)
                                         : "a picture cannot have this type",
                      pictureTypes);
    error.error().page = fileFormCode;
    return error;
  }
  RAD_ASSIGN(Picture picture, readPng(path));
  if (channels == RadAnySize) channels = picture.channels == 2 ? 4 : picture.channels;
  picture = withChannels(std::move(picture), static_cast<int>(channels));
  FileArray array{type, {picture.height, picture.width}, {}};
  if (wanted.size() == 3) array.extents.push_back(channels);
  array.elements.resize(picture.samples.size() * cg::sizeOf(type));
  if (type == cg::ElementType::U8) {
    std::memcpy(array.elements.data(), picture.samples.data(), picture.samples.size());
  } else {
    for (size_t i = 0; i < picture.samples.size(); ++i) {
      float value = static_cast<float>(picture.samples[i]) / 255.0f;
      std::memcpy(array.elements.data() + i * sizeof value, &value, sizeof value);
    }
  }
  return array;
}

Result<void> writePicture(const std::string& path, FileArray array) {
  int64_t channels = array.extents.size() == 3 ? array.extents[2] : 1;
  size_t count = array.elements.size() / cg::sizeOf(array.type);
  if (array.type == cg::ElementType::F32)
    for (size_t i = 0; i < count; ++i) {  // in place: a byte never passes the float that it comes from
      float value;
      std::memcpy(&value, array.elements.data() + i * sizeof value, sizeof value);
      array.elements[i] = std::byte{toByte(value)};
    }
  return writePng(path, array.extents[1], array.extents[0], static_cast<int>(channels),
                  {reinterpret_cast<const uint8_t*>(array.elements.data()), count});
}

/// Why the array, written by `view`, cannot be written as a picture; an empty headline if it can.
MessageParts pictureTrouble(const RadView& view, const FileArray& array) {
  const std::vector<int64_t>& sizes = array.extents;
  int64_t channels = sizes.size() == 3 ? sizes[2] : 1;
  bool rightShape = (sizes.size() == 2 || sizes.size() == 3) && (channels == 1 || channels == 3 || channels == 4);
  if (!rightShape || !isPictureType(array.type))
    return {fmt::format("a {} is not a picture", typeText(view)), {}, pictureTypes, fileFormCode};
  if (sizes[0] == 0 || sizes[1] == 0)
    return {fmt::format("a picture without pixels ({}) cannot be written", typeText(view)), {}, {}, fileFormCode};
  if (sizes[0] > maxPictureSide || sizes[1] > maxPictureSide || sizes[0] * sizes[1] * channels > maxPictureBytes)
    return {fmt::format("the picture is too large: {}", typeText(view)),
            {},
            fmt::format("a picture has at most {} pixels on a side and {} MiB of samples", maxPictureSide,
                        maxPictureBytes >> 20),
            fileFormCode};
  return {};
}

Result<FileArray> readAs(RadFileFormat format, const std::string& path, cg::ElementType type,
                         std::span<const int64_t> wanted, std::span<const cg::CompoundManifest> compounds) {
  switch (format) {
    case RadPng: return readPicture(path, type, wanted);
    case RadNpy: return readNpy(path, type, compounds);
    case RadCsv: return readCsv(path, type, wanted.size() == 2);
    case RadLinePlot:
    case RadHistogram:
    case RadHeatMap: break;
  }
  return fail(ErrorCategory::Misuse, "a kind of file that the runtime does not know");
}

Result<void> writeAs(RadFileFormat format, const std::string& path, FileArray array,
                     std::span<const cg::CompoundManifest> compounds) {
  switch (format) {
    case RadPng: return writePicture(path, std::move(array));
    case RadNpy: return writeNpy(path, array, compounds);
    case RadCsv: return writeCsv(path, array);
    case RadLinePlot:
    case RadHistogram:
    case RadHeatMap: break;
  }
  return fail(ErrorCategory::Misuse, "a kind of file that the runtime does not know");
}

/// What stands against the sizes of a file; an empty headline if nothing does.
MessageParts sizeTrouble(const std::string& path, std::span<const int64_t> found, std::span<const int64_t> wanted) {
  if (found.size() != wanted.size())
    return {fmt::format("`{}` holds {}, but the type says {}", path,
                        found.empty() ? "a single number"
                                      : fmt::format("an array of {} dimension{}, {}", found.size(),
                                                    found.size() == 1 ? "" : "s", shapeText(found)),
                        wanted.empty() ? "a single number"
                                       : fmt::format("{} dimension{}", wanted.size(), wanted.size() == 1 ? "" : "s")),
            {},
            "write one size for each dimension of the file; a new name takes whatever size there is",
            fileContentCode};
  for (size_t axis = 0; axis < wanted.size(); ++axis)
    if (wanted[axis] != RadAnySize && wanted[axis] != found[axis])
      return {fmt::format("dimension {} of `{}` has the size {}, but the type says {}", axis, path, found[axis],
                          wanted[axis]),
              {fmt::format("the file holds {}", shapeText(found))},
              "a new name in place of the size takes whatever size there is",
              fileContentCode};
  return {};
}

}  // namespace
}  // namespace rad::rt

int32_t rad_file_write(RadContext* context, int32_t format, const RadString* pathText, const RadView* view,
                       uint32_t site) {
  return guarded(context, site, [&]() -> int32_t {
    if (format >= RadLinePlot) return writePlot(context, static_cast<RadFileFormat>(format), *pathText, *view, site);
    auto path = pathOf(*pathText);
    if (!path) return context->setError(std::move(path).error(), site);
    auto count = checkView(*view);
    if (!count) return context->setError(std::move(count).error(), site);
    auto type = elementType(view->elementType);
    uint64_t size = cg::sizeOf(type);
    // The elements of vectors and array values are further dimensions.
    const auto [element, inner] = innermost(type, compoundsOf(context));
    FileArray array{element, {view->extents, view->extents + view->rank}, {}};
    array.extents.insert(array.extents.end(), inner.begin(), inner.end());
    if (format == RadPng)
      if (MessageParts trouble = pictureTrouble(*view, array); !trouble.headline.empty())
        return context->setError(ErrorCategory::UserProgram, context->site(site), std::move(trouble));
    array.elements.resize(static_cast<size_t>(*count) * size);
    RAD_API_TRY(
        context, site,
        context->device().copyOut(array.elements, view->array->buffer(), static_cast<uint64_t>(view->offset) * size));
    if (int32_t status = context->checkFailure()) return status;
    RAD_API_TRY(context, site,
                writeAs(static_cast<RadFileFormat>(format), *path, std::move(array), compoundsOf(context)));
    return 0;
  });
}

int32_t rad_file_read(RadContext* context, int32_t format, const RadString* pathText, int32_t type, int32_t rank,
                      const int64_t* extents, uint32_t site, RadView* view) {
  return guarded(context, site, [&]() -> int32_t {
    *view = {};
    auto path = pathOf(*pathText);
    if (!path) return context->setError(std::move(path).error(), site);
    std::vector<int64_t> wanted(extents, extents + rank);
    for (int64_t extent : wanted)
      if (extent < 0 && extent != RadAnySize)
        return context->setError(ErrorCategory::UserProgram, context->site(site),
                                 {fmt::format("a size cannot be negative: {}", extent), {}, {}});
    const auto [element, inner] = innermost(elementType(type), compoundsOf(context));
    wanted.insert(wanted.end(), inner.begin(), inner.end());
    auto read = readAs(static_cast<RadFileFormat>(format), *path, element, wanted, compoundsOf(context));
    if (!read) return context->setError(std::move(read).error(), site);
    if (MessageParts trouble = sizeTrouble(*path, read->extents, wanted); !trouble.headline.empty())
      return context->setError(ErrorCategory::UserProgram, context->site(site), std::move(trouble));
    read->extents.resize(read->extents.size() - inner.size());
    auto count = checkExtents(read->extents, fmt::format("the array in `{}`", *path));
    if (!count) return context->setError(std::move(count).error(), site);
    auto array = context->makeArray(elementType(type), *count);
    if (!array) return context->setError(std::move(array).error(), site);
    if (auto copied = context->device().copyIn((*array)->buffer(), 0, read->elements); !copied) {
      (*array)->release();
      return context->setError(std::move(copied).error(), site);
    }
    *view = {*array, 0, {1, 1, 1, 1}, rank, type};
    std::copy(read->extents.begin(), read->extents.end(), view->extents);
    return 0;
  });
}

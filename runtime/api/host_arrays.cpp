// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arrays and views of the host interface.
#include "runtime/api/host_support.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

using namespace rad::rt;
using rad::cg::sizeOf;

namespace rad::rt {

ViewArgument viewArgument(const RadView& view) {
  ViewArgument out;
  out.type = elementType(view.elementType);
  out.rank = view.rank;
  out.offset = view.offset;
  std::copy_n(view.extents, out.extents.size(), out.extents.begin());
  std::copy_n(view.strides, out.strides.size(), out.strides.begin());
  if (view.array) {
    out.block = &view.array->buffer();
    out.address = view.array->address() + static_cast<uint64_t>(view.offset) * sizeOf(out.type);
  }
  return out;
}

Result<int64_t> checkAnyView(const RadView& view) {
  if (!view.array)
    return fail(ErrorCategory::UserProgram,
                "this array was never made: the statement that should have made it did not finish",
                "run that statement again first");
  RAD_ASSIGN(int64_t count, checkExtents(shapeOf(view), "the view"));
  const int64_t span = viewArgument(view).span();
  if (view.offset < 0 || view.array->type() != elementType(view.elementType) ||
      (count > 0 && view.offset > view.array->count() - span))
    return fail(ErrorCategory::Misuse,
                fmt::format("a view of {} {} elements at {} does not lie in its array of {} {}", count,
                            cg::nameOf(elementType(view.elementType)), view.offset, view.array->count(),
                            cg::nameOf(view.array->type())),
                "this is a bug in Raddle: please report it");
  return count;
}

Result<int64_t> checkView(const RadView& view) {
  RAD_ASSIGN(int64_t count, checkAnyView(view));
  if (viewArgument(view).isStrided())
    return fail(ErrorCategory::UserProgram,
                "the elements of this view do not lie next to each other, as they have to here",
                "pass a copy of it: copy(...)");
  return count;
}

std::string typeText(const RadView& view) {
  return fmt::format("[{}; {}]", cg::nameOf(elementType(view.elementType)), fmt::join(shapeOf(view), ", "));
}

namespace {

/// Sets `element` to the position of an element in its array, or reports the index that is out of range.
int32_t locate(RadContext* context, const RadView& view, const int64_t* indices, uint32_t site, int64_t& element) {
  const ViewArgument whole = viewArgument(view);
  element = 0;
  for (int32_t axis = 0; axis < view.rank; ++axis) {
    int64_t index = indices[axis], extent = view.extents[axis];
    if (index < 0 || index >= extent)
      return context->setError(ErrorCategory::UserProgram, context->site(site),
                               describeIndex(context->site(site), index, extent, static_cast<unsigned>(axis),
                                             static_cast<unsigned>(view.rank)));
    element += index * whole.stride(static_cast<size_t>(axis));
  }
  element += view.offset;
  return 0;
}

}  // namespace
}  // namespace rad::rt

int32_t rad_array_new(RadContext* context, int32_t type, int32_t rank, const int64_t* extents, uint32_t site,
                      RadArray** result) {
  return guarded(context, site, [&]() -> int32_t {
    *result = nullptr;
    auto count = checkExtents({extents, static_cast<size_t>(rank)}, "the array");
    if (!count) {
      count.error().category = ErrorCategory::UserProgram;
      return context->setError(std::move(count).error(), site);
    }
    auto array = context->makeArray(elementType(type), *count);
    if (!array) return context->setError(std::move(array).error(), site);
    constexpr std::array<std::byte, 1> zero = {};
    uint64_t bytes = static_cast<uint64_t>(*count) * sizeOf(elementType(type));
    if (bytes > 0) {
      if (auto filled = context->device().fill((*array)->buffer(), 0, bytes, zero); !filled) {
        (*array)->release();
        return context->setError(std::move(filled).error(), site);
      }
    }
    *result = *array;
    return 0;
  });
}

void rad_retain(RadArray* array) {
  if (array) array->retain();
}

void rad_release(RadArray* array) {
  if (array) array->release();
}

int32_t rad_element_read(RadContext* context, const RadView* view, const int64_t* indices, uint32_t site, void* value) {
  return guarded(context, site, [&]() -> int32_t {
    RAD_API_TRY(context, site, checkAnyView(*view));
    int64_t element = 0;
    if (int32_t status = locate(context, *view, indices, site, element)) return status;
    unsigned size = sizeOf(elementType(view->elementType));
    RAD_API_TRY(context, site,
                context->device().copyOut({static_cast<std::byte*>(value), size}, view->array->buffer(),
                                          static_cast<uint64_t>(element) * size));
    return context->checkFailure();
  });
}

int32_t rad_element_write(RadContext* context, const RadView* view, const int64_t* indices, uint32_t site,
                          const void* value) {
  return guarded(context, site, [&]() -> int32_t {
    RAD_API_TRY(context, site, checkAnyView(*view));
    int64_t element = 0;
    if (int32_t status = locate(context, *view, indices, site, element)) return status;
    unsigned size = sizeOf(elementType(view->elementType));
    RAD_API_TRY(context, site,
                context->device().copyIn(view->array->buffer(), static_cast<uint64_t>(element) * size,
                                         {static_cast<const std::byte*>(value), size}));
    return 0;
  });
}

int32_t rad_view_copy(RadContext* context, const RadView* view, uint32_t site, RadArray** result) {
  return guarded(context, site, [&]() -> int32_t {
    *result = nullptr;
    auto count = checkView(*view);
    if (!count) return context->setError(std::move(count).error(), site);
    auto array = context->makeArray(elementType(view->elementType), *count);
    if (!array) return context->setError(std::move(array).error(), site);
    uint64_t size = sizeOf(elementType(view->elementType)), bytes = static_cast<uint64_t>(*count) * size;
    if (bytes > 0) {
      auto copied = context->device().copyWithin((*array)->buffer(), 0, view->array->buffer(),
                                                 static_cast<uint64_t>(view->offset) * size, bytes);
      if (!copied) {
        (*array)->release();
        return context->setError(std::move(copied).error(), site);
      }
    }
    *result = *array;
    return 0;
  });
}

int32_t rad_view_assign(RadContext* context, const RadView* to, const RadView* from, uint32_t site) {
  return guarded(context, site, [&]() -> int32_t {
    RAD_API_TRY(context, site, checkView(*to));
    auto count = checkView(*from);
    if (!count) return context->setError(std::move(count).error(), site);
    if (to->rank != from->rank || to->elementType != from->elementType ||
        !std::ranges::equal(shapeOf(*to), shapeOf(*from))) {
      MessageParts parts;
      parts.code = codeOf(rad::cg::SiteManifest::Kind::ShapeBind);
      parts.headline = fmt::format("both sides must have the same size: the left one is {}, the right one {}",
                                   shapeText(shapeOf(*to)), shapeText(shapeOf(*from)));
      parts.help = "an assignment to a slice copies into the elements that are there";
      if (to->elementType != from->elementType)
        parts.headline = fmt::format("both sides must have the same type: {} = {}", typeText(*to), typeText(*from));
      return context->setError(ErrorCategory::UserProgram, context->site(site), std::move(parts));
    }
    uint64_t size = sizeOf(elementType(to->elementType)), bytes = static_cast<uint64_t>(*count) * size;
    auto toOffset = static_cast<uint64_t>(to->offset) * size, fromOffset = static_cast<uint64_t>(from->offset) * size;
    if (bytes == 0 || (to->array == from->array && toOffset == fromOffset)) return 0;
    Device& device = context->device();
    bool overlap = to->array == from->array && toOffset < fromOffset + bytes && fromOffset < toOffset + bytes;
    if (!overlap) {
      RAD_API_TRY(context, site,
                  device.copyWithin(to->array->buffer(), toOffset, from->array->buffer(), fromOffset, bytes));
      return 0;
    }
    // A device may copy in any order: the old values go aside first.
    auto aside = device.allocate(bytes);
    if (!aside) return context->setError(std::move(aside).error(), site);
    RAD_API_TRY(context, site, device.copyWithin(**aside, 0, from->array->buffer(), fromOffset, bytes));
    RAD_API_TRY(context, site, device.copyWithin(to->array->buffer(), toOffset, **aside, 0, bytes));
    return 0;
  });
}

int32_t rad_view_fill(RadContext* context, const RadView* to, const void* value, uint32_t site) {
  return guarded(context, site, [&]() -> int32_t {
    auto count = checkView(*to);
    if (!count) return context->setError(std::move(count).error(), site);
    uint64_t size = sizeOf(elementType(to->elementType)), bytes = static_cast<uint64_t>(*count) * size;
    if (bytes == 0) return 0;
    RAD_API_TRY(context, site,
                context->device().fill(to->array->buffer(), static_cast<uint64_t>(to->offset) * size, bytes,
                                       {static_cast<const std::byte*>(value), size}));
    return 0;
  });
}

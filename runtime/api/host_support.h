// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the files of the host interface share. Not for other rooms.
#pragma once

#include "runtime/api/host_abi.h"
#include "runtime/launch/binding.h"
#include "runtime/launch/context.h"

#include <cstdint>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <string_view>

namespace rad::rt {

inline constexpr uint32_t noSite = UINT32_MAX;

/// Runs the body of an interface function. No exception may pass through compiled code, which has no tables to unwind
/// it.
template <class Body>
int32_t guarded(RadContext* context, uint32_t site, Body body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    Error error;
    error.category = ErrorCategory::Resources;
    error.message = "no memory on the host";
    error.advice = "use smaller arrays, or let go of some before making new ones";
    return context->setError(std::move(error), site);
  } catch (const std::exception& caught) {
    Error error;
    error.message = std::string("unexpected failure of the runtime: ") + caught.what();
    error.advice = "this is a bug in Raddle: please report it";
    return context->setError(std::move(error), site);
  }
}

/// Returns 1 from a guarded body after storing the failure of `expr` (a Result or Status).
#define RAD_API_TRY(context, site, expr)                                  \
  do {                                                                    \
    if (auto radApiResult_ = (expr); !radApiResult_)                      \
      return (context)->setError(std::move(radApiResult_).error(), site); \
  } while (false)

inline cg::ElementType elementType(int32_t type) { return static_cast<cg::ElementType>(type); }
/// The types with parts of the unit that runs.
inline std::span<const cg::CompoundManifest> compoundsOf(RadContext* context) {
  const Unit* unit = context->unit();
  if (!unit) return {};
  return unit->manifest.compounds;
}
inline std::string_view textOf(const RadString& string) { return {string.data, static_cast<size_t>(string.size)}; }
inline std::span<const int64_t> shapeOf(const RadView& view) { return {view.extents, static_cast<size_t>(view.rank)}; }

/// The path, unless it is empty or holds a NUL, which would cut it short.
Result<std::string> pathOf(const RadString& string);
/// "x = {}" with the arguments in it, as print prints it.
Result<std::string> filled(RadContext* context, std::string_view format, int32_t count,
                           const RadPrintArgument* arguments);
/// Draws a plot: rad_file_write of such a format.
int32_t writePlot(RadContext* context, RadFileFormat format, const RadString& path, const RadView& view, uint32_t site);
/// The view as a launch sees it. A null array stays null.
ViewArgument viewArgument(const RadView& view);
/// Checks that the view has an array and lies within it; gives its number of elements. Strided ones are fine.
Result<int64_t> checkAnyView(const RadView& view);
/// The same for what reads or writes the elements as one block: they must lie next to each other.
Result<int64_t> checkView(const RadView& view);
/// "[f32; 2, 3]".
std::string typeText(const RadView& view);

}  // namespace rad::rt

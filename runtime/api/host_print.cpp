// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Printing, and the failures that host code reports of itself.
#include "runtime/api/host_support.h"
#include "runtime/base/interrupt.h"
#include "runtime/launch/print_format.h"

#include <fmt/format.h>

using namespace rad::rt;
namespace cg = rad::cg;

namespace rad::rt {
namespace {

Result<std::string> viewText(RadContext* context, const RadView& view, size_t indent, const FormatSpec& spec) {
  RAD_TRY(checkView(view));
  auto type = elementType(view.elementType);
  uint64_t size = cg::sizeOf(type);
  return formatArray(
      type, shapeOf(view), indent,
      [&](int64_t first, int64_t, std::span<std::byte> out) {
        return context->device().copyOut(out, view.array->buffer(),
                                         (static_cast<uint64_t>(view.offset) + static_cast<uint64_t>(first)) * size);
      },
      spec, compoundsOf(context));
}

}  // namespace

Result<std::string> filled(RadContext* context, std::string_view format, int32_t count,
                           const RadPrintArgument* arguments) {
  return fillFormat(
      format, static_cast<size_t>(count), [&](size_t i, const FormatSpec& spec, std::string& text) -> Result<void> {
        const RadPrintArgument& argument = arguments[i];
        if (argument.kind == 1) {
          RAD_ASSIGN(std::string array,
                     viewText(context, *static_cast<const RadView*>(argument.data), columnOf(text), spec));
          text += array;
        } else if (argument.kind == 2) {
          text += padded(std::string(textOf(*static_cast<const RadString*>(argument.data))), spec, false);
        } else {
          text += formatScalar(elementType(argument.elementType), argument.data, spec, compoundsOf(context));
        }
        return {};
      });
}

}  // namespace rad::rt

int32_t rad_print(RadContext* context, const char* format, int64_t formatSize, int32_t count,
                  const RadPrintArgument* arguments) {
  return guarded(context, noSite, [&]() -> int32_t {
    // What is printed after a launch must not look as if the launch had worked.
    if (context->hasLaunches())
      if (int32_t status = context->synchronize(noSite)) return status;
    auto text = filled(context, {format, static_cast<size_t>(formatSize)}, count, arguments);
    if (!text) return context->setError(std::move(text).error(), noSite);
    context->write(*text + "\n");
    return 0;
  });
}

int32_t rad_assert_failed(RadContext* context, uint32_t site, int32_t count, const RadPrintArgument* arguments) {
  return guarded(context, site, [&]() -> int32_t {
    const cg::SiteManifest* place = context->site(site);
    MessageParts parts;
    parts.code = codeOf(cg::SiteManifest::Kind::Assert);
    parts.headline =
        place && !place->text.empty() ? fmt::format("assertion failed: `{}`", place->text) : "assertion failed";
    if (place && !place->message.empty()) {
      auto text = filled(context, place->message, count, arguments);
      parts.notes.push_back(text ? *text : place->message);
    }
    return context->setError(ErrorCategory::UserProgram, place, std::move(parts));
  });
}

int32_t rad_enter(RadContext* context) {
  char here;
  if (reinterpret_cast<uintptr_t>(&here) >= context->stackLimit()) [[likely]]
    return Interrupt::isRequested() ? rad_interrupted(context) : 0;  // what recurs may have no loop
  return context->setError(ErrorCategory::UserProgram, nullptr,
                           {"functions call each other too deeply: the stack is full",
                            {},
                            "end the recursion earlier, or write it as a loop",
                            "R0620"});
}

void rad_called_from(RadContext* context, const char* place, int64_t size) {
  guarded(context, noSite, [&] {
    context->noteCall({place, static_cast<size_t>(size)});
    return 0;
  });
}

int32_t rad_check_failed(RadContext* context, uint32_t site, int64_t value, int64_t extent) {
  return guarded(context, site, [&]() -> int32_t {
    const cg::SiteManifest* place = context->site(site);
    if (!place)
      return context->setError(ErrorCategory::UserProgram, nullptr,
                               {fmt::format("a check failed (value {}, extent {})", value, extent), {}, {}});
    return context->setError(ErrorCategory::UserProgram, place, describeHostCheck(*place, value, extent));
  });
}

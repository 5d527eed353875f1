// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Texts of host code: arguments, files, formats, numbers in them.
#include "runtime/api/host_support.h"
#include "runtime/files/file.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

using namespace rad::rt;

namespace rad::rt {
namespace {

/// Text from outside, fit for a message.
std::string quoted(std::string_view text) {
  std::string out = "`";
  for (char c : text.substr(0, 60)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  return out + (text.size() > 60 ? "...`" : "`");
}

template <class T>
int32_t parse(RadContext* context, const RadString* string, uint32_t site, const char* wanted, const char* type,
              T* result) {
  return guarded(context, site, [&]() -> int32_t {
    std::string_view text = textOf(*string), digits = text;
    if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') digits.remove_prefix(1);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), *result);
    bool all = end == digits.data() + digits.size();
    if (error == std::errc() && all) return 0;
    MessageParts parts;
    parts.code = "R0704";
    if (error == std::errc::result_out_of_range && all)
      parts.headline = fmt::format("{} does not fit into {}", quoted(text), type);
    else if (text.empty()) parts.headline = fmt::format("an empty text is not {}", wanted);
    else parts.headline = fmt::format("{} is not {}", quoted(text), wanted);
    if (error == std::errc() && !all)
      parts.help = fmt::format("the whole text must be the number; it goes on with {}",
                               quoted(text.substr(static_cast<size_t>(end - text.data()))));
    return context->setError(ErrorCategory::UserProgram, context->site(site), std::move(parts));
  });
}

constexpr std::string_view textKind = "the text";

int32_t keep(RadContext* context, std::string text, uint32_t site, RadString* result) {
  auto kept = context->keepText(std::move(text));
  if (!kept) return context->setError(std::move(kept).error(), site);
  *result = {kept->data(), static_cast<int64_t>(kept->size())};
  return 0;
}

Result<std::string> readWhole(const std::string& path) {
  RAD_ASSIGN(File file, openToRead(path, textKind));
  return readText(file.get(), textKind, path);
}

Result<void> writeWhole(const std::string& path, std::string_view text) {
  RAD_ASSIGN(NewFile file, NewFile::create(path, textKind));
  RAD_TRY(file.write(text));
  return file.commit();
}

Result<void> append(const std::string& path, std::string_view text) {
  RAD_ASSIGN(File file, openToAppend(path, textKind));
  bool isWritten = std::fwrite(text.data(), 1, text.size(), file.get()) == text.size();
  if (std::fclose(file.release()) != 0 || !isWritten) return fileError("write", textKind, path, std::strerror(errno));
  return {};
}

}  // namespace
}  // namespace rad::rt

int32_t rad_text_read(RadContext* context, const RadString* pathText, uint32_t site, RadString* result) {
  return guarded(context, site, [&]() -> int32_t {
    *result = {};
    auto path = pathOf(*pathText);
    if (!path) return context->setError(std::move(path).error(), site);
    auto text = readWhole(*path);
    if (!text) return context->setError(std::move(text).error(), site);
    return keep(context, std::move(*text), site, result);
  });
}

int32_t rad_text_write(RadContext* context, const RadString* pathText, const RadString* text, int32_t atEnd,
                       uint32_t site) {
  return guarded(context, site, [&]() -> int32_t {
    auto path = pathOf(*pathText);
    if (!path) return context->setError(std::move(path).error(), site);
    // As for print: a text about a launch must not look as if the launch had worked.
    if (context->hasLaunches())
      if (int32_t status = context->synchronize(site)) return status;
    RAD_API_TRY(context, site, atEnd ? append(*path, textOf(*text)) : writeWhole(*path, textOf(*text)));
    return 0;
  });
}

int32_t rad_format(RadContext* context, const char* format, int64_t formatSize, int32_t count,
                   const RadPrintArgument* arguments, uint32_t site, RadString* result) {
  return guarded(context, site, [&]() -> int32_t {
    *result = {};
    auto text = filled(context, {format, static_cast<size_t>(formatSize)}, count, arguments);
    if (!text) return context->setError(std::move(text).error(), site);
    return keep(context, std::move(*text), site, result);
  });
}

int32_t rad_text_equal(const RadString* left, const RadString* right) { return textOf(*left) == textOf(*right); }

int64_t rad_device_size(RadContext* context, int32_t property) {
  return deviceSize(static_cast<cg::DeviceProperty>(property), context->device().info());
}

int32_t rad_device_text(RadContext* context, int32_t property, RadString* result) {
  return guarded(context, noSite, [&]() -> int32_t {
    const DeviceInfo& info = context->device().info();
    return keep(context, property == static_cast<int32_t>(cg::DeviceProperty::Id) ? info.id : info.name, noSite,
                result);
  });
}

int64_t rad_argument_count(RadContext* context) { return static_cast<int64_t>(context->arguments().size()); }

int32_t rad_argument(RadContext* context, int64_t index, uint32_t site, RadString* result) {
  return guarded(context, site, [&]() -> int32_t {
    const auto& arguments = context->arguments();
    if (index >= 0 && static_cast<size_t>(index) < arguments.size()) {
      const std::string& text = arguments[static_cast<size_t>(index)];
      *result = {text.data(), static_cast<int64_t>(text.size())};
      return 0;
    }
    MessageParts parts;
    parts.code = "R0705";
    parts.headline = fmt::format("there is no argument {}: the program got {}", index,
                                 arguments.empty() ? "none" : std::to_string(arguments.size()));
    parts.help = "arguments stand behind `--`: raddle run FILE -- ARGUMENTS; `args.len` tells how many there are";
    return context->setError(ErrorCategory::UserProgram, context->site(site), std::move(parts));
  });
}

int32_t rad_parse_i64(RadContext* context, const RadString* text, uint32_t site, int64_t* result) {
  return parse(context, text, site, "a whole number", "i64", result);
}

int32_t rad_parse_f64(RadContext* context, const RadString* text, uint32_t site, double* result) {
  return parse(context, text, site, "a number", "f64", result);
}

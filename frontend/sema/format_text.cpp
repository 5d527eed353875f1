// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/sema/format_text.h"

#include <fmt/format.h>

namespace rad::sema {
namespace {

std::optional<unsigned> takeNumber(std::string_view& text) {
  unsigned value = 0;
  size_t length = 0;
  for (; length < text.size() && text[length] >= '0' && text[length] <= '9'; ++length)
    value = value > largestWidth ? value : value * 10 + static_cast<unsigned>(text[length] - '0');
  text.remove_prefix(length);
  return length ? std::optional(value) : std::nullopt;
}

std::optional<FormatSpec> readSpec(std::string_view text) {
  FormatSpec spec;
  if (text.starts_with('<') || text.starts_with('>')) {
    spec.align = text.front();
    text.remove_prefix(1);
  }
  if (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') {
    spec.zeros = true;
    text.remove_prefix(1);
  }
  spec.width = takeNumber(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    spec.digits = takeNumber(text);
    if (!spec.digits) return std::nullopt;
    if (text == "f") text.remove_prefix(1);  // as C and Python write it
  }
  if (text == "x" || text == "b" || text == "e") {
    spec.kind = text.front();
    text.remove_prefix(1);
  }
  const bool fits = spec.width.value_or(0) <= largestWidth && spec.digits.value_or(0) <= largestWidth;
  if (!text.empty() || !fits || (spec.align && !spec.width) || (spec.align && spec.zeros)) return std::nullopt;
  return spec;
}

}  // namespace

std::string FormatSpec::text() const {
  std::string parts;
  if (align) parts += align;
  if (zeros) parts += '0';
  if (width) parts += std::to_string(*width);
  if (digits) parts += "." + std::to_string(*digits);
  if (kind) parts += kind;
  return parts.empty() ? "{}" : "{:" + parts + "}";
}

Format readFormat(std::string_view format) {
  Format result;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '{' && format[i] != '}') continue;
    if (format.substr(i, 2) == "{{" || format.substr(i, 2) == "}}") {
      ++i;
      continue;
    }
    const size_t end = format[i] == '{' ? format.find_first_of("{}", i + 1) : std::string_view::npos;
    if (end == std::string_view::npos || format[end] == '{' || (end != i + 1 && format[i + 1] != ':')) {
      result.mistake = Format::Mistake::Brace;
      return result;
    }
    FormatHole hole{i, end + 1 - i, {}};
    if (end != i + 1) {
      const auto spec = readSpec(format.substr(i + 2, end - i - 2));
      if (!spec) {
        result.mistake = Format::Mistake::Spec;
        result.wrong = format.substr(hole.at, hole.size);
        return result;
      }
      hole.spec = *spec;
    }
    result.holes.push_back(std::move(hole));
    i = end;
  }
  return result;
}

}  // namespace rad::sema

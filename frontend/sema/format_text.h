// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The formats of print, assert, format and write_text: text with holes, `{}` or `{:8.3}`.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rad::sema {

/// What stands behind the `:` of a hole, each part only where it is wanted: `<` or `>`, `0`, a width, `.` and digits,
/// `x`, `b` or `e`.
struct FormatSpec {
  char align = 0;  // `<`, `>`, or 0: numbers to the right, others to the left
  bool zeros = false;
  std::optional<unsigned> width, digits;  // at most largestWidth
  char kind = 0;                          // `x`, `b`, `e`, or 0
  /// "{}", or "{:<8.3e}" with the parts in this order: what print's runtime reads.
  std::string text() const;
};
inline constexpr unsigned largestWidth = 200;

struct FormatHole {
  size_t at = 0, size = 0;  // in the format, with its braces
  FormatSpec spec;
};
struct Format {
  std::vector<FormatHole> holes;
  enum class Mistake : unsigned char { None, Brace, Spec } mistake = Mistake::None;
  std::string_view wrong;  // Spec: the hole that cannot be read
};
Format readFormat(std::string_view format);

}  // namespace rad::sema

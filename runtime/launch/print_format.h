// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values as print shows them.
#pragma once

#include "codegen/artifact/artifact.h"
#include "runtime/base/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace rad::rt {

/// How a value is to be shown: what stands in the `{:...}` of a format, checked by the frontend
/// (frontend/sema/format_text.h).
struct FormatSpec {
  char align = 0;  // `<`, `>`, or 0: numbers to the right, others to the left
  bool zeros = false;
  size_t width = 0;
  int digits = -1;  // behind the point
  char kind =
      0;  // `x` or `b`: the bits of an integer; `e`; `s`: an array with its extremes where not all of it is shown
};

/// Fills up a text to the width; `isNumber` says where it stands, and whether zeros may be put in front.
std::string padded(std::string text, const FormatSpec& spec, bool isNumber);

/// A value of one element: integers in decimal, true or false, floats by the fewest digits that read back as the same
/// value and always with a point, an exponent, inf or nan: "1.0", "0.1", "1e20"; structs as "Particle(mass: 1.0)".
/// `value` need not be aligned. `spec` is applied to each element of a vector, and to each part of a struct.
/// `compounds`: those of the unit.
std::string formatScalar(cg::ElementType type, const void* value, const FormatSpec& spec = {},
                         std::span<const cg::CompoundManifest> compounds = {});

/// A number, or a bool as 0 or 1, as f64; integers beyond 2^53 are rounded.
double numberOf(cg::ElementType type, const void* value);

/// Reads `count` elements from element `first` of the shown view (row-major) into `out`.
using ReadElements = std::function<Result<void>(int64_t first, int64_t count, std::span<std::byte> out)>;

/// An array: "[0.1, 0.2]", one row a line for matrices, `indent` spaces before each line but the first. Of more than 32
/// elements it shows the first and the last four of each dimension that has more than eight, then the type and sizes;
/// only those are read.
Result<std::string> formatArray(cg::ElementType type, std::span<const int64_t> extents, size_t indent,
                                const ReadElements& read, const FormatSpec& spec = {},
                                std::span<const cg::CompoundManifest> compounds = {});

/// Fills the `{}` and `{:...}` of a format one after the other; `{{` and `}}` stand for braces. `append` adds the next
/// argument's text to what is there so far; a `{}` without an argument stays.
using AppendArgument = std::function<Result<void>(size_t argument, const FormatSpec& spec, std::string& text)>;
Result<std::string> fillFormat(std::string_view format, size_t arguments, const AppendArgument& append);

/// Columns since the last newline, as a terminal shows UTF-8 (a code point each).
size_t columnOf(std::string_view text);

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The floating-point formats: rounding to them, and their bits.
#pragma once

#include "frontend/types/types.h"

#include <cstdint>
#include <string_view>

namespace rad {

/// f16 and bf16: each operation is computed in f32 and rounded to the type.
inline bool isHalf(Scalar s) { return s == Scalar::F16 || s == Scalar::BF16; }
/// The 8-bit floats: they store numbers, and convert; arithmetic is for the wider types.
inline bool isFloat8(Scalar s) { return s == Scalar::F8E4M3 || s == Scalar::F8E5M2; }
/// Types that + - * / and the math functions take.
inline bool isNumber(Scalar s) { return s != Scalar::Bool && !isFloat8(s); }

/// A number as it is in a format.
struct Rounded {
  double value = 0;
  bool overflows = false;  // beyond the format's range (or infinite, where the format has no infinity)
};
/// `value` rounded once to the float type `to`: to nearest, ties to even. What overflows becomes infinity, or, for
/// f8e4m3, which has none, its largest number (448).
Rounded roundTo(Scalar to, double value);

/// The significant digits of a float type, in bits: 24 for f32.
unsigned significantBits(Scalar scalar);

/// The bits of `value`, which is a number of the float type `scalar`.
uint64_t bitsOfFloat(Scalar scalar, double value);

/// -1, 0, 1 as the number that a decimal literal writes (digits, `_`, an exponent, a suffix) is below, at, above
/// `value`.
int compareLiteral(std::string_view text, double value);

/// A number rounded to odd: the double next to it towards zero, with the last bit set if anything was lost. Any
/// narrower type rounds from this as from the number itself, which the nearest double does not allow. The number is
/// given by the double nearest to it and on which side of that it lies (compareLiteral), or is whole.
double roundedToOdd(double nearest, int side);
double roundedToOdd(__int128 value);

}  // namespace rad

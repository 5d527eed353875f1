// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is known of integers while code is made.
#pragma once

#include "frontend/ast/ast.h"

#include <cstdint>
#include <limits>

namespace rad::cg {

/// What is known of an integer: it lies in [low, high]. Unsigned 64-bit values above the signed range are not
/// described.
struct Interval {
  int64_t low = std::numeric_limits<int64_t>::min();
  int64_t high = std::numeric_limits<int64_t>::max();
  static Interval exactly(int64_t value) { return {value, value}; }
  bool isFull() const {
    return low == std::numeric_limits<int64_t>::min() && high == std::numeric_limits<int64_t>::max();
  }
  bool within(int64_t from, int64_t to) const { return low >= from && high <= to; }
  bool fitsI32() const { return within(INT32_MIN, INT32_MAX); }
  bool contains(int64_t value) const { return low <= value && value <= high; }
};

/// What `left op right` can be without regard to overflow. `exact` is false, and nothing is known, if it may leave 64
/// bits.
Interval intervalOf(BinaryOp op, const Interval& left, const Interval& right, bool& exact);

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/lower/interval.h"

#include <gtest/gtest.h>

#include <vector>

namespace rad::cg {
namespace {

/// What the operation gives in 64 bits; false where it has no result.
bool apply(BinaryOp op, int64_t a, int64_t b, int64_t& result) {
  switch (op) {
    case BinaryOp::Add: return !__builtin_add_overflow(a, b, &result);
    case BinaryOp::Sub: return !__builtin_sub_overflow(a, b, &result);
    case BinaryOp::Mul: return !__builtin_mul_overflow(a, b, &result);
    case BinaryOp::Div:
      if (b == 0) return false;
      result = a / b;
      return true;
    case BinaryOp::Rem:
      if (b == 0) return false;
      result = a % b;
      return true;
    case BinaryOp::BitAnd: result = a & b; return true;
    case BinaryOp::Shr:
      if (b < 0 || b > 63) return false;
      result = a >> b;
      return true;
    default: return false;
  }
}

TEST(Interval, HoldsEveryResultOfItsOperands) {
  const std::vector<Interval> intervals = {{0, 0}, {0, 3}, {-3, 3}, {-5, -1}, {2, 4}, {-1, 0}, {1, 6}, {-6, 5}, {5, 5}};
  for (BinaryOp op :
       {BinaryOp::Add, BinaryOp::Sub, BinaryOp::Mul, BinaryOp::Div, BinaryOp::Rem, BinaryOp::BitAnd, BinaryOp::Shr}) {
    for (const Interval& a : intervals) {
      for (const Interval& b : intervals) {
        bool exact = false;
        Interval known = intervalOf(op, a, b, exact);
        for (int64_t x = a.low; x <= a.high; ++x) {
          for (int64_t y = b.low; y <= b.high; ++y) {
            int64_t result = 0;
            if (apply(op, x, y, result)) {
              EXPECT_TRUE(known.contains(result)) << x << " op " << int(op) << " " << y << " = " << result << " not in "
                                                  << known.low << ".." << known.high;
            }
          }
        }
      }
    }
  }
}

TEST(Interval, SaysNothingWhereSixtyFourBitsMayOverflow) {
  constexpr int64_t most = std::numeric_limits<int64_t>::max(), least = std::numeric_limits<int64_t>::min();
  bool exact = true;
  EXPECT_TRUE(intervalOf(BinaryOp::Add, {most, most}, {0, 1}, exact).isFull());
  EXPECT_FALSE(exact);
  EXPECT_TRUE(intervalOf(BinaryOp::Sub, {least, 0}, {1, 1}, exact).isFull());
  EXPECT_FALSE(exact);
  EXPECT_TRUE(intervalOf(BinaryOp::Mul, {0, int64_t(1) << 40}, {0, int64_t(1) << 30}, exact).isFull());
  EXPECT_FALSE(exact);
  // MIN / -1 wraps, so nothing may be concluded.
  EXPECT_TRUE(intervalOf(BinaryOp::Div, {least, 0}, {-1, -1}, exact).contains(least));
}

TEST(Interval, KeepsIndexArithmeticOfSmallLaunchesInThirtyTwoBits) {
  const Interval size = {0, (int64_t(1) << 30) - 1};
  bool exact = false;
  EXPECT_TRUE(intervalOf(BinaryOp::Add, size, {-1000, 1000}, exact).fitsI32());
  EXPECT_TRUE(intervalOf(BinaryOp::Sub, size, size, exact).fitsI32());
  EXPECT_FALSE(intervalOf(BinaryOp::Mul, size, {0, 4}, exact).fitsI32());
  EXPECT_TRUE(exact);
}

}  // namespace
}  // namespace rad::cg

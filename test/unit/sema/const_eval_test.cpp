// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/sema/const_value.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace rad::sema {
namespace {

ConstValue number(Wide value) { return ConstValue::ofInt(value); }
Wide folded(BinaryOp op, Wide a, Wide b, std::optional<Scalar> scalar) {
  const Folded result = fold(op, number(a), number(b), scalar);
  return result.value ? result.value->integer : Wide{-999};
}

TEST(ConstEval, UntypedIntegersAreExact) {
  EXPECT_EQ(folded(BinaryOp::Shl, 1, 40, std::nullopt), Wide{1} << 40);
  EXPECT_EQ(folded(BinaryOp::Mul, Wide{1} << 40, Wide{1} << 40, std::nullopt), Wide{1} << 80);
  EXPECT_EQ(fold(BinaryOp::Mul, number(Wide{1} << 60), number(Wide{1} << 60), std::nullopt).failure,
            FoldFailure::Overflow);
  EXPECT_EQ(fold(BinaryOp::Shl, number(1), number(64), std::nullopt).failure, FoldFailure::Overflow);
}

TEST(ConstEval, UnsignedWrapsSignedTellsOverflow) {
  EXPECT_EQ(folded(BinaryOp::Add, 250, 10, Scalar::U8), 4);
  EXPECT_EQ(folded(BinaryOp::Sub, 0, 1, Scalar::U64), largestOf(Scalar::U64));
  EXPECT_EQ(fold(BinaryOp::Add, number(127), number(1), Scalar::I8).failure, FoldFailure::Overflow);
  EXPECT_EQ(fold(BinaryOp::Div, number(smallestOf(Scalar::I32)), number(-1), Scalar::I32).failure,
            FoldFailure::Overflow);
  EXPECT_EQ(fold(UnaryOp::Neg, number(smallestOf(Scalar::I64)), Scalar::I64).failure, FoldFailure::Overflow);
}

TEST(ConstEval, DivisionTruncatesAndZeroFails) {
  EXPECT_EQ(folded(BinaryOp::Div, -7, 2, Scalar::I32), -3);
  EXPECT_EQ(folded(BinaryOp::Rem, -7, 2, Scalar::I32), -1);
  EXPECT_EQ(fold(BinaryOp::Rem, number(1), number(0), Scalar::I32).failure, FoldFailure::DivideByZero);
  EXPECT_EQ(fold(BinaryOp::Div, number(1), number(0), std::nullopt).failure, FoldFailure::DivideByZero);
}

TEST(ConstEval, ShiftCountsAreModuloTheWidth) {
  EXPECT_EQ(folded(BinaryOp::Shl, 1, 33, Scalar::I32), 2);
  EXPECT_EQ(folded(BinaryOp::Shl, 1, 31, Scalar::I32), smallestOf(Scalar::I32));
  EXPECT_EQ(folded(BinaryOp::Shr, -8, 1, Scalar::I32), -4);
}

TEST(ConstEval, FloatsOfF32AreRoundedAtEachStep) {
  const ConstValue third = convertConst(ConstValue::ofFloat(1.0 / 3), Scalar::F32);
  EXPECT_EQ(third.real, static_cast<double>(1.0f / 3));
  const Folded sum = fold(BinaryOp::Add, third, third, Scalar::F32);
  EXPECT_EQ(sum.value->real, static_cast<double>(1.0f / 3 + 1.0f / 3));
}

TEST(ConstEval, ConversionsFollowTheLanguage) {
  EXPECT_EQ(convertConst(number(300), Scalar::U8).integer, 44);
  EXPECT_EQ(convertConst(number(-1), Scalar::U32).integer, largestOf(Scalar::U32));
  EXPECT_EQ(convertConst(ConstValue::ofFloat(2.9), Scalar::I32).integer, 2);
  EXPECT_EQ(convertConst(ConstValue::ofFloat(-2.9), Scalar::I32).integer, -2);
  EXPECT_EQ(convertConst(ConstValue::ofFloat(1e30), Scalar::I32).integer, largestOf(Scalar::I32));
  EXPECT_EQ(convertConst(ConstValue::ofFloat(-1), Scalar::U8).integer, 0);
  EXPECT_EQ(convertConst(ConstValue::ofFloat(std::nan("")), Scalar::I64).integer, 0);
  EXPECT_EQ(convertConst(ConstValue::ofFloat(1e30), Scalar::U64).integer, largestOf(Scalar::U64));
}

TEST(ConstEval, OnlyWhatFitsConvertsByItself) {
  EXPECT_TRUE(fits(number(255), Scalar::U8));
  EXPECT_FALSE(fits(number(256), Scalar::U8));
  EXPECT_FALSE(fits(number(-1), Scalar::U32));
  EXPECT_TRUE(fits(number(1 << 24), Scalar::F32));
  EXPECT_FALSE(fits(number((1 << 24) + 1), Scalar::F32));
  EXPECT_TRUE(fits(number((1 << 24) + 1), Scalar::F64));
  EXPECT_FALSE(fits(ConstValue::ofFloat(1e300), Scalar::F32));
  EXPECT_TRUE(fits(ConstValue::ofFloat(std::numeric_limits<double>::infinity()), Scalar::F32));
  EXPECT_FALSE(fits(ConstValue::ofFloat(1), Scalar::I32));
  EXPECT_FALSE(fits(ConstValue::ofBool(true), Scalar::I32));
}

TEST(ConstEval, SmallFloatsAreRoundedOnceAndKeepToTheirRange) {
  const double middle = 1 + 0x1p-11;  // between 1 and its successor in f16
  EXPECT_EQ(convertConst(ConstValue::ofFloat(middle), Scalar::F16).real, 1);
  EXPECT_EQ(convertConst(ConstValue{ConstValue::Kind::Float, 1, middle, {}}, Scalar::F16).real, 1 + 0x1p-10);
  EXPECT_TRUE(fits(ConstValue::ofFloat(65519), Scalar::F16));
  EXPECT_FALSE(fits(ConstValue::ofFloat(65520), Scalar::F16));
  EXPECT_FALSE(fits(ConstValue::ofFloat(std::numeric_limits<double>::infinity()), Scalar::F8E4M3));
  EXPECT_EQ(convertConst(ConstValue::ofFloat(-1e9), Scalar::F8E4M3).real, -448);
  EXPECT_TRUE(fits(number(256), Scalar::BF16));
  EXPECT_FALSE(fits(number(257), Scalar::BF16));
  EXPECT_EQ(convertConst(number((Wide{1} << 62) + (Wide{1} << 54) + 1), Scalar::BF16).real, 0x1p62 + 0x1p55);
}

}  // namespace
}  // namespace rad::sema

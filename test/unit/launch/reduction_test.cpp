// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Partial results to one value.
#include "runtime/api/reduction.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace rad::rt {
namespace {

template <class T>
T reduce(cg::ReduceOp op, cg::ElementType type, const std::vector<T>& partials) {
  T out{};
  auto status = combinePartials(op, type, std::as_bytes(std::span(partials)), reinterpret_cast<std::byte*>(&out));
  EXPECT_TRUE(status) << status.error().message;
  return out;
}

TEST(Reduction, NothingGivesTheIdentity) {
  using enum cg::ReduceOp;
  EXPECT_EQ(reduce<float>(Sum, cg::ElementType::F32, {}), 0.0f);
  EXPECT_EQ(reduce<float>(Min, cg::ElementType::F32, {}), INFINITY);
  EXPECT_EQ(reduce<double>(Max, cg::ElementType::F64, {}), -INFINITY);
  EXPECT_EQ(reduce<int32_t>(Min, cg::ElementType::I32, {}), INT32_MAX);
  EXPECT_EQ(reduce<int64_t>(Max, cg::ElementType::I64, {}), INT64_MIN);
  EXPECT_EQ(reduce<uint32_t>(Max, cg::ElementType::U32, {}), 0u);
  EXPECT_EQ(reduce<uint8_t>(All, cg::ElementType::Bool, {}), 1);
  EXPECT_EQ(reduce<uint8_t>(Any, cg::ElementType::Bool, {}), 0);
}

TEST(Reduction, CombinesInOrderInItsOwnType) {
  using enum cg::ReduceOp;
  // In f32 and from the first: 1e8 + 1 is 1e8 again, each time.
  EXPECT_EQ(reduce<float>(Sum, cg::ElementType::F32, {1e8f, 1.0f, 1.0f, -1e8f, 1.0f}), 1.0f);
  EXPECT_EQ(reduce<int32_t>(Sum, cg::ElementType::I32, {INT32_MAX, 1}), INT32_MIN);
  EXPECT_EQ(reduce<int64_t>(Sum, cg::ElementType::Index, {1, 2, 3}), 6);
  EXPECT_EQ(reduce<float>(Max, cg::ElementType::F32, {1.0f, NAN, 3.0f}), 3.0f);
  EXPECT_EQ(reduce<double>(Min, cg::ElementType::F64, {NAN, -2.0}), -2.0);
  EXPECT_EQ(reduce<uint32_t>(Min, cg::ElementType::U32, {7, 4000000000u}), 7u);
  EXPECT_EQ(reduce<uint8_t>(All, cg::ElementType::Bool, {1, 0, 1}), 0);
  EXPECT_EQ(reduce<uint8_t>(Any, cg::ElementType::Bool, {0, 0, 1}), 1);
}

TEST(Reduction, TypesWithoutArithmeticAreRefused) {
  std::byte out[2];
  auto status = combinePartials(cg::ReduceOp::Sum, cg::ElementType::F16, {}, out);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "reductions of type f16 are not supported");
}

}  // namespace
}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arguments against a signature: sizes, sharing, domain, facts, the argument block.
#include "test/unit/launch/memory_device.h"

#include "runtime/launch/binding.h"

#include <gtest/gtest.h>

namespace rad::rt::test {
namespace {

int blockA, blockB, blockC;  // only their addresses count

ViewArgument array(const void* block, std::vector<int64_t> extents, int64_t offset = 0,
                   cg::ElementType type = cg::ElementType::F32) {
  ViewArgument out;
  out.block = block;
  out.offset = offset;
  out.address = (block == &blockB   ? 0x100000u
                 : block == &blockC ? 0x200000u
                                    : 0x1000u) +
                static_cast<uint64_t>(offset) * cg::sizeOf(type);
  out.rank = static_cast<int32_t>(extents.size());
  std::copy(extents.begin(), extents.end(), out.extents.begin());
  out.type = type;
  return out;
}

template <class T>
ScalarArgument value(T v) {
  ScalarArgument out;
  std::memcpy(out.bytes.data(), &v, sizeof v);
  return out;
}

std::vector<Argument> saxpyArguments(ViewArgument x, ViewArgument y) { return {value(2.0f), x, y}; }

std::string message(const Result<Binding>& result) { return result ? "bound" : result.error().message; }
std::string advice(const Result<Binding>& result) { return result ? "" : result.error().advice; }

/// kernel k(s..., x: shape) forall i in low..high
cg::KernelManifest oneView(std::vector<cg::SizeExpr> shape, std::vector<std::string> dims) {
  cg::KernelManifest kernel;
  kernel.name = "k";
  kernel.dims = std::move(dims);
  kernel.params = {view("x", std::move(shape))};
  kernel.axes = {{"i", constant(0), constant(1)}};
  return kernel;
}

TEST(LaunchBinding, BindsDimensionsAndDomain) {
  auto result = bindArguments(saxpy(), saxpyArguments(array(&blockA, {1000}), array(&blockB, {1000})));
  ASSERT_TRUE(result) << message(result);
  EXPECT_EQ(result->dims, std::vector<int64_t>{1000});
  EXPECT_EQ(result->axes, (std::vector<Binding::Axis>{{0, 1000}}));
  EXPECT_EQ(result->points, 1000);
  EXPECT_EQ(result->rows, 1);
  EXPECT_EQ(result->lastExtent, 1000);
}

TEST(LaunchBinding, NamesBothArgumentsOfAMismatch) {
  auto result = bindArguments(saxpy(), saxpyArguments(array(&blockA, {1000}), array(&blockB, {999})));
  EXPECT_EQ(message(result), "saxpy: `x` and `y` must have the same size `n`: x is [1000], y is [999]");
  EXPECT_EQ(advice(result), "if the rest of `x` is not meant to take part, pass `x[0..999]`");
  EXPECT_EQ(result.error().category, ErrorCategory::Launch);
}

TEST(LaunchBinding, NamesTheDimensionWhereThereAreSeveral) {
  cg::KernelManifest matmul;
  matmul.name = "matmul";
  matmul.dims = {"m", "k", "n"};
  matmul.params = {view("a", {dim(0), dim(1)}), view("b", {dim(1), dim(2)}), view("c", {dim(0), dim(2)}, true)};
  matmul.axes = {{"i", constant(0), dim(0)}, {"j", constant(0), dim(2)}};
  auto wrong = bindArguments(
      matmul, std::vector<Argument>{array(&blockA, {2, 3}), array(&blockB, {4, 5}), array(&blockC, {2, 5})});
  EXPECT_EQ(message(wrong),
            "matmul: `a` and `b` must have the same size `k`: a is [2, 3] (dimension 1), b is [4, 5] (dimension 0)");
  auto right = bindArguments(
      matmul, std::vector<Argument>{array(&blockA, {2, 3}), array(&blockB, {3, 5}), array(&blockC, {2, 5})});
  ASSERT_TRUE(right) << message(right);
  EXPECT_EQ(right->dims, (std::vector<int64_t>{2, 3, 5}));
  EXPECT_EQ(right->points, 10);
  EXPECT_EQ(right->rows, 2);
  EXPECT_EQ(right->lastExtent, 5);
}

TEST(LaunchBinding, OneArgumentMayDisagreeWithItself) {
  auto result = bindArguments(oneView({dim(0), dim(0)}, {"n"}), std::vector<Argument>{array(&blockA, {3, 4})});
  EXPECT_EQ(message(result), "k: dimensions 0 and 1 of `x` must have the same size `n`: x is [3, 4]");
}

TEST(LaunchBinding, ChecksExpressionsAfterPlainNamesInAnyOrder) {
  cg::KernelManifest kernel = saxpy();
  kernel.params[1].shape = {apply(cg::SizeOp::Add, dim(0), constant(1))};  // x: [f32; n + 1] stands before y: [f32; n]
  EXPECT_TRUE(bindArguments(kernel, saxpyArguments(array(&blockA, {11}), array(&blockB, {10}))));
  auto result = bindArguments(kernel, saxpyArguments(array(&blockA, {10}), array(&blockB, {10})));
  EXPECT_EQ(message(result), "saxpy: `x` must have the size `n + 1` = 11: x is [10]");
}

TEST(LaunchBinding, ChecksConstantsAndParameters) {
  auto constantSize =
      bindArguments(oneView({dim(0), constant(4)}, {"n"}), std::vector<Argument>{array(&blockA, {10, 3})});
  EXPECT_EQ(message(constantSize), "k: dimension 1 of `x` must have the size 4: x is [10, 3]");
  cg::KernelManifest kernel = saxpy();
  kernel.params[0] = scalar("count", cg::ElementType::I32);
  kernel.params[1].shape = {parameter(0)};
  auto result =
      bindArguments(kernel, std::vector<Argument>{value(int32_t{-7}), array(&blockA, {10}), array(&blockB, {10})});
  EXPECT_EQ(message(result), "saxpy: `x` must have the size `count` = -7: x is [10]");
}

TEST(LaunchBinding, TheDeviceTellsSizes) {
  DeviceInfo device;
  device.multiprocessors = 132;
  device.memoryBytes = uint64_t{80} << 30;
  cg::KernelManifest kernel = oneView({apply(cg::SizeOp::Mul, dim(0), constant(2))}, {"device.multiprocessors"});
  kernel.deviceSizes = {{0, cg::DeviceProperty::Multiprocessors}};
  kernel.axes = {{"i", constant(0), dim(0)}};
  auto right = bindArguments(kernel, std::vector<Argument>{array(&blockA, {264})}, device);
  ASSERT_TRUE(right) << message(right);
  EXPECT_EQ(right->dims, std::vector<int64_t>{132});
  EXPECT_EQ(right->points, 132);
  EXPECT_TRUE(right->spec.small);
  EXPECT_EQ(message(bindArguments(kernel, std::vector<Argument>{array(&blockA, {265})}, device)),
            "k: `x` must have the size `device.multiprocessors * 2` = 264: x is [265]");
  // Alone it is the size that the array has to have, rather than one that the array tells.
  kernel.params[0].shape = {dim(0)};
  EXPECT_EQ(message(bindArguments(kernel, std::vector<Argument>{array(&blockA, {131})}, device)),
            "k: `x` must have the size `device.multiprocessors` = 132: x is [131]");
  kernel.deviceSizes[0].property = cg::DeviceProperty::MemoryBytes;
  kernel.params.clear();
  kernel.axes = {{"i", constant(0), constant(4)}};
  auto large = bindArguments(kernel, {}, device);
  ASSERT_TRUE(large) << message(large);
  EXPECT_FALSE(large->spec.small);
}

TEST(LaunchBinding, ADimensionThatNothingDeterminesIsRefused) {
  auto result = bindArguments(oneView({apply(cg::SizeOp::Mul, dim(0), constant(2))}, {"n"}),
                              std::vector<Argument>{array(&blockA, {10})});
  EXPECT_EQ(message(result), "k: nothing determines the size `n`");
}

TEST(LaunchBinding, RefusesOtherTypesRanksAndMissingArrays) {
  auto type = bindArguments(saxpy(), saxpyArguments(array(&blockA, {4}, 0, cg::ElementType::F64), array(&blockB, {4})));
  EXPECT_EQ(message(type), "saxpy: `x` is declared as [f32; n], but the argument is [f64; 4]");
  auto rank = bindArguments(saxpy(), saxpyArguments(array(&blockA, {2, 2}), array(&blockB, {4})));
  EXPECT_EQ(message(rank), "saxpy: `x` is declared as [f32; n], but the argument is [f32; 2, 2]");
  auto missing = bindArguments(saxpy(), saxpyArguments(array(nullptr, {4}), array(&blockB, {4})));
  EXPECT_EQ(message(missing), "saxpy: `x` has no array: the statement that should have made it did not finish");
  auto kind = bindArguments(saxpy(), std::vector<Argument>{value(1.0f), value(1.0f), array(&blockB, {4})});
  EXPECT_EQ(message(kind), "saxpy: `x` is declared as [f32; n], but the argument is a single value");
  auto count = bindArguments(saxpy(), std::vector<Argument>{value(1.0f)});
  EXPECT_EQ(message(count), "saxpy: takes 3 arguments, but got 1");
}

TEST(LaunchBinding, RefusesSizesOverTheLimits) {
  auto negative = bindArguments(saxpy(), saxpyArguments(array(&blockA, {-1}), array(&blockB, {-1})));
  EXPECT_EQ(message(negative), "saxpy: `x` has a negative size: [-1]");
  int64_t big = int64_t{1} << 31;
  auto elements =
      bindArguments(oneView({dim(0), dim(1)}, {"n", "m"}), std::vector<Argument>{array(&blockA, {big, big})});
  EXPECT_EQ(message(elements), "k: `x` has too many elements: [2147483648, 2147483648]");
  // Nothing of one size is nothing, but proofs about indices rely on the product of the others.
  auto threeSizes = [](int64_t n, int64_t m) {
    return bindArguments(oneView({dim(0), dim(1), dim(2)}, {"n", "m", "k"}),
                         std::vector<Argument>{array(&blockA, {n, m, 0})});
  };
  EXPECT_TRUE(threeSizes(maxCount, 1));
  EXPECT_FALSE(threeSizes(maxCount, maxCount));
}

TEST(LaunchBinding, ReportsOverflowAndDivisionByZeroInSizes) {
  cg::KernelManifest kernel = saxpy();
  kernel.params[0] = scalar("k", cg::ElementType::I64);
  auto with = [&](cg::SizeOp op, int64_t k, cg::SizeExpr other) {
    kernel.axes[0].high = apply(op, parameter(0), std::move(other));
    return message(bindArguments(kernel, std::vector<Argument>{value(k), array(&blockA, {10}), array(&blockB, {10})}));
  };
  EXPECT_EQ(with(cg::SizeOp::Add, INT64_MAX, constant(1)),
            "saxpy: the range of `i` does not fit into 64 bits: `k + 1` with 9223372036854775807 and 1");
  EXPECT_EQ(with(cg::SizeOp::Sub, INT64_MIN, constant(1)),
            "saxpy: the range of `i` does not fit into 64 bits: `k - 1` with -9223372036854775808 and 1");
  EXPECT_EQ(with(cg::SizeOp::Mul, INT64_MAX, dim(0)),
            "saxpy: the range of `i` does not fit into 64 bits: `k * n` with 9223372036854775807 and 10");
  EXPECT_EQ(with(cg::SizeOp::Div, INT64_MIN, constant(-1)),
            "saxpy: the range of `i` does not fit into 64 bits: `k / -1` with -9223372036854775808 and -1");
  EXPECT_EQ(with(cg::SizeOp::CeilDiv, 1, constant(0)), "saxpy: the range of `i` divides by zero: `ceil_div(k, 0)`");
  EXPECT_EQ(with(cg::SizeOp::Rem, INT64_MIN, constant(-1)), "bound");
  EXPECT_EQ(with(cg::SizeOp::Max, maxCount, constant(int64_t{1} << 61)),
            "saxpy: the range of `i` is 0..2305843009213693952");
}

TEST(LaunchBinding, RefusesScalarsThatAreNoSizes) {
  cg::KernelManifest kernel = saxpy();
  kernel.params[0] = scalar("k", cg::ElementType::U64);
  kernel.axes[0].high = parameter(0);
  auto result =
      bindArguments(kernel, std::vector<Argument>{value(UINT64_MAX), array(&blockA, {10}), array(&blockB, {10})});
  EXPECT_EQ(message(result), "saxpy: the range of `i` depends on `k`, whose value is not a whole number below 2^63");
}

TEST(LaunchBinding, EvaluatesAllOperators) {
  cg::KernelManifest kernel;
  kernel.dims = {"n"};
  std::vector<int64_t> dims = {7};
  auto eval = [&](cg::SizeOp op, int64_t right) {
    return evaluate(apply(op, dim(0), constant(right)), kernel, dims, {}, {"it"}).value();
  };
  EXPECT_EQ(eval(cg::SizeOp::Add, 3), 10);
  EXPECT_EQ(eval(cg::SizeOp::Sub, 9), -2);
  EXPECT_EQ(eval(cg::SizeOp::Mul, -2), -14);
  EXPECT_EQ(eval(cg::SizeOp::Div, 2), 3);
  EXPECT_EQ(eval(cg::SizeOp::Div, -2), -3);
  EXPECT_EQ(eval(cg::SizeOp::Rem, 4), 3);
  EXPECT_EQ(eval(cg::SizeOp::Min, 4), 4);
  EXPECT_EQ(eval(cg::SizeOp::Max, 4), 7);
  EXPECT_EQ(eval(cg::SizeOp::CeilDiv, 4), 2);
  EXPECT_EQ(eval(cg::SizeOp::CeilDiv, 7), 1);
  EXPECT_EQ(eval(cg::SizeOp::CeilDiv, -2), -3);
}

TEST(LaunchBinding, WritesSizesAsAProgramWould) {
  cg::KernelManifest kernel;
  kernel.dims = {"n", "m"};
  using cg::SizeOp;
  EXPECT_EQ(text(apply(SizeOp::CeilDiv, apply(SizeOp::Add, dim(0), constant(1)), constant(256)), kernel),
            "ceil_div(n + 1, 256)");
  EXPECT_EQ(text(apply(SizeOp::Mul, apply(SizeOp::Add, dim(0), dim(1)), constant(2)), kernel), "(n + m) * 2");
  EXPECT_EQ(text(apply(SizeOp::Sub, dim(0), apply(SizeOp::Sub, dim(1), constant(1))), kernel), "n - (m - 1)");
  EXPECT_EQ(text(apply(SizeOp::Sub, apply(SizeOp::Sub, dim(0), dim(1)), constant(1)), kernel), "n - m - 1");
  EXPECT_EQ(signatureText(saxpy()), "saxpy(a: f32, x: [f32; n], mut y: [f32; n])");
}

TEST(LaunchBinding, EmptyDomainsHaveNoPoints) {
  EXPECT_EQ(bindArguments(saxpy(), saxpyArguments(array(&blockA, {0}), array(&blockB, {0})))->points, 0);
  cg::KernelManifest kernel = saxpy();
  kernel.axes = {{"i", constant(5), constant(3)},
                 {"j", constant(-maxCount), constant(maxCount)},
                 {"k", constant(-maxCount), constant(maxCount)}};
  auto result = bindArguments(kernel, saxpyArguments(array(&blockA, {4}), array(&blockB, {4})));
  ASSERT_TRUE(result) << message(result);  // empty, whatever the other axes are
  EXPECT_EQ(result->points, 0);
  std::swap(kernel.axes[0], kernel.axes[2]);
  EXPECT_EQ(bindArguments(kernel, saxpyArguments(array(&blockA, {4}), array(&blockB, {4})))->points, 0);
}

TEST(LaunchBinding, RefusesDomainsWithTooManyPoints) {
  cg::KernelManifest kernel = saxpy();
  kernel.axes = {{"i", constant(0), constant(int64_t{1} << 40)}, {"j", constant(0), constant(int64_t{1} << 40)}};
  EXPECT_EQ(message(bindArguments(kernel, saxpyArguments(array(&blockA, {4}), array(&blockB, {4})))),
            "saxpy: the domain has too many points: i in 0..1099511627776, j in 0..1099511627776");
}

// ---- sharing ----

TEST(LaunchAlias, RefusesOverlapWithAWritableArray) {
  auto result = bindArguments(saxpy(), saxpyArguments(array(&blockA, {100}, 0), array(&blockA, {100}, 50)));
  EXPECT_EQ(message(result),
            "saxpy: `x` and `y` share elements (x has elements 0..100 of the array, y has elements 50..150), and the "
            "kernel writes to `y`");
  EXPECT_EQ(advice(result), "pass `copy(x)` as `x`, so that the kernel reads the old values");
}

TEST(LaunchAlias, NeighboursAndOtherArraysAreFine) {
  EXPECT_TRUE(bindArguments(saxpy(), saxpyArguments(array(&blockA, {100}, 0), array(&blockA, {100}, 100))));
  EXPECT_TRUE(bindArguments(saxpy(), saxpyArguments(array(&blockA, {100}, 100), array(&blockA, {100}, 0))));
  EXPECT_TRUE(bindArguments(saxpy(), saxpyArguments(array(&blockA, {100}), array(&blockB, {100}))));
  EXPECT_TRUE(bindArguments(saxpy(), saxpyArguments(array(&blockA, {0}, 50), array(&blockA, {0}, 50))));
}

TEST(LaunchAlias, TheSameViewIsFineWhereEachPointTouchesItsOwnElement) {
  cg::KernelManifest kernel = saxpy();
  EXPECT_TRUE(bindArguments(kernel, saxpyArguments(array(&blockA, {100}), array(&blockA, {100}))));
  kernel.params[1].elementwise = false;
  auto result = bindArguments(kernel, saxpyArguments(array(&blockA, {100}), array(&blockA, {100})));
  EXPECT_EQ(message(result), "saxpy: `x` and `y` are the same elements, and the kernel writes to `y`");
}

TEST(LaunchAlias, TwoReadersMayShare) {
  cg::KernelManifest kernel = saxpy();
  kernel.params[2].isMut = false;
  kernel.params[1].elementwise = false;
  EXPECT_TRUE(bindArguments(kernel, saxpyArguments(array(&blockA, {100}, 0), array(&blockA, {100}, 50))));
}

TEST(LaunchAlias, TwoWritersMayNot) {
  cg::KernelManifest kernel = saxpy();
  kernel.params[1].isMut = true;
  auto result = bindArguments(kernel, saxpyArguments(array(&blockA, {100}, 0), array(&blockA, {100}, 99)));
  EXPECT_EQ(message(result),
            "saxpy: `x` and `y` share elements (x has elements 0..100 of the array, y has elements 99..199), and the "
            "kernel writes to both");
  EXPECT_EQ(advice(result), "give each its own array, for example `copy(y)`");
}

TEST(LaunchAlias, ColumnsAreComparedElementByElement) {
  cg::KernelManifest kernel = saxpy();
  kernel.params[1].isStrided = kernel.params[2].isStrided = true;
  auto column = [](int64_t j, int64_t rows = 10) {  // of [10, 4]
    ViewArgument out = array(&blockA, {rows}, j);
    out.strides = {4, 0, 0, 0};
    return out;
  };
  EXPECT_TRUE(bindArguments(kernel, saxpyArguments(column(0), column(1))));
  EXPECT_TRUE(bindArguments(kernel, saxpyArguments(column(2), column(2))));
  auto result = bindArguments(kernel, saxpyArguments(column(1, 9), column(5, 9)));
  EXPECT_EQ(message(result),
            "saxpy: `x` and `y` share elements (x has elements 1..34 in steps of 4 of the array, y has elements 5..38 "
            "in steps of 4: both have "
            "element 5), and the kernel writes to `y`");
  kernel.params[1].isStrided = false;
  result = bindArguments(kernel, saxpyArguments(column(0), column(1)));
  EXPECT_EQ(message(result),
            "saxpy: `x` takes elements that lie next to each other, but the argument has gaps between them");
}

// ---- facts ----

TEST(LaunchSpec, KnowsAlignmentDivisibilityAndSize) {
  auto key = [](ViewArgument x, ViewArgument y) { return bindArguments(saxpy(), saxpyArguments(x, y))->spec; };
  EXPECT_EQ(key(array(&blockA, {8}), array(&blockB, {8})), (cg::SpecKey{true, true, true, false}));
  EXPECT_TRUE(key(array(&blockA, {8}), array(&blockA, {8})).aliased);
  EXPECT_FALSE(key(array(&blockA, {0}), array(&blockA, {0})).aliased);
  EXPECT_FALSE(key(array(&blockA, {8}, 1), array(&blockB, {8})).aligned16);
  EXPECT_TRUE(key(array(&blockA, {8}, 4), array(&blockB, {8})).aligned16);
  cg::KernelManifest readers = saxpy();
  readers.params[2].isMut = false;
  EXPECT_FALSE(bindArguments(readers, saxpyArguments(array(&blockA, {8}), array(&blockA, {8})))->spec.aliased);
  int64_t limit = int64_t{1} << 30;
  EXPECT_TRUE(key(array(&blockA, {limit - 1}), array(&blockB, {limit - 1})).small);
  EXPECT_FALSE(key(array(&blockA, {limit}), array(&blockB, {limit})).small);

  cg::KernelManifest matrix = oneView({dim(0), dim(1)}, {"m", "n"});
  auto matrixKey = [&](std::vector<int64_t> extents) {
    return bindArguments(matrix, std::vector<Argument>{array(&blockA, std::move(extents))})->spec;
  };
  EXPECT_TRUE(matrixKey({3, 8}).innerDivisible4);
  EXPECT_FALSE(matrixKey({8, 3}).innerDivisible4);
  EXPECT_FALSE(matrixKey({1 << 15, 1 << 15}).small);  // each extent is small, their product is not
  matrix.axes[0].low = constant(limit);
  matrix.axes[0].high = constant(limit + 1);
  EXPECT_FALSE(matrixKey({4, 4}).small);  // one point, far out
}

// ---- the argument block ----

TEST(LaunchArguments, FollowTheManifestsOrder) {
  cg::KernelManifest kernel = saxpy();
  std::vector<Argument> arguments = saxpyArguments(array(&blockA, {10}), array(&blockB, {10}, 2));
  auto binding = bindArguments(kernel, arguments);
  ASSERT_TRUE(binding);
  auto check = [&](const ArgumentBlock& block, bool hasPartials) {
    auto slot = [&](size_t i) { return *static_cast<const uint64_t*>(block.pointers()[i]); };
    EXPECT_EQ(*static_cast<const float*>(block.pointers()[0]), 2.0f);
    EXPECT_EQ(slot(1), 0x1000u);
    EXPECT_EQ(slot(2), 0x100008u);
    EXPECT_EQ(slot(3), 10u);  // n
    EXPECT_EQ(slot(4), 0u);   // low
    EXPECT_EQ(slot(5), 10u);  // high
    size_t next = 6;
    if (hasPartials) {
      EXPECT_EQ(slot(next++), 0x7000u);
    }
    EXPECT_EQ(slot(next++), 0x9000u);
    EXPECT_EQ(*static_cast<const uint32_t*>(block.pointers()[next++]), 77u);
    EXPECT_EQ(block.pointers().size(), next);
  };
  ArgumentBlock first;
  auto fill = [&] {
    first.assign(kernel, arguments, *binding);
    first.finish(kernel, 0x7000, 0x9000, 77);
  };
  fill();
  check(first, false);
  kernel.reduce = cg::ReduceOp::Max;
  fill();
  ArgumentBlock moved = std::move(first);
  check(moved, true);
}

}  // namespace
}  // namespace rad::rt::test

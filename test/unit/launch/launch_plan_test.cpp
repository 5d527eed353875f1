// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The quick way to bind a launch against the rule: whatever LaunchPlan binds, bindArguments() binds the same; what that
// refuses, the plan leaves to it; and ordinary launches are bound by the plan.
#include "test/unit/launch/memory_device.h"

#include "runtime/api/host_support.h"
#include "runtime/launch/launch_plan.h"

#include <gtest/gtest.h>

#include <random>

namespace rad::rt::test {
namespace {

class LaunchPlans : public ::testing::Test {
 protected:
  void TearDown() override {
    for (RadArray* array : arrays_) array->release();
  }
  RadArray* array(cg::ElementType type, int64_t count) {
    auto buffer = device_->allocate(static_cast<uint64_t>(count) * cg::sizeOf(type));
    return arrays_.emplace_back(new RadArray(device_, *buffer, type, count, nullptr));
  }
  static RadView view(RadArray* array, std::vector<int64_t> extents, int64_t offset = 0,
                      cg::ElementType type = cg::ElementType::F32) {
    RadView out{};
    out.array = array;
    out.offset = offset;
    for (int64_t& extent : out.extents) extent = 1;
    std::copy(extents.begin(), extents.end(), out.extents);
    out.rank = static_cast<int32_t>(extents.size());
    out.elementType = static_cast<int32_t>(type);
    return out;
  }
  /// Binds both ways. True if the plan did.
  bool compare(const cg::KernelManifest& kernel, const std::vector<const void*>& arguments) {
    std::vector<Argument> values;
    for (size_t i = 0; i < kernel.params.size(); ++i) {
      if (kernel.params[i].isView) {
        values.emplace_back(viewArgument(*static_cast<const RadView*>(arguments[i])));
        continue;
      }
      ScalarArgument scalar;
      std::memcpy(scalar.bytes.data(), arguments[i], cg::sizeOf(kernel.params[i].type));
      values.emplace_back(scalar);
    }
    auto wanted = bindArguments(kernel, values, info_);
    const bool isBound = LaunchPlan(kernel, info_).bind(arguments.data(), binding_, block_);
    if (!isBound) return false;
    EXPECT_TRUE(wanted) << wanted.error().message;
    if (!wanted) return true;
    EXPECT_EQ(binding_.dims, wanted->dims);
    EXPECT_EQ(binding_.axes, wanted->axes);
    EXPECT_EQ(binding_.points, wanted->points);
    EXPECT_EQ(binding_.rows, wanted->rows);
    EXPECT_EQ(binding_.lastExtent, wanted->lastExtent);
    EXPECT_EQ(binding_.spec, wanted->spec);
    ArgumentBlock block;
    block.assign(kernel, values, *wanted);
    EXPECT_EQ(block_.pointers().size(), block.pointers().size());
    for (size_t i = 0; i < std::min(block.pointers().size(), block_.pointers().size()); ++i)
      EXPECT_EQ(*static_cast<const uint64_t*>(block_.pointers()[i]), *static_cast<const uint64_t*>(block.pointers()[i]))
          << i;
    return true;
  }

  std::shared_ptr<MemoryDevice> device_ = std::make_shared<MemoryDevice>(DeviceKind::Cuda);
  DeviceInfo info_;
  std::vector<RadArray*> arrays_;
  Binding binding_;
  ArgumentBlock block_;
};

TEST_F(LaunchPlans, OrdinaryLaunchesAreBoundAtOnce) {
  const cg::KernelManifest kernel = saxpy();
  const float a = 2;
  const RadView x = view(array(cg::ElementType::F32, 1000), {1000}),
                y = view(array(cg::ElementType::F32, 1000), {1000});
  EXPECT_TRUE(compare(kernel, {&a, &x, &y}));
  EXPECT_EQ(binding_.points, 1000);
}

TEST_F(LaunchPlans, WhatTakesMoreThanALookIsLeftToTheRule) {
  const cg::KernelManifest kernel = saxpy();
  const float a = 2;
  RadArray* one = array(cg::ElementType::F32, 1000);
  RadArray* two = array(cg::ElementType::F32, 1000);
  const RadView x = view(one, {1000}), y = view(two, {1000});
  auto with = [&](RadView other) { return compare(kernel, {&a, &other, &y}); };
  EXPECT_FALSE(with(view(nullptr, {1000})));
  EXPECT_FALSE(with(view(one, {999})));
  EXPECT_FALSE(with(view(one, {-1})));
  EXPECT_FALSE(with(view(one, {10, 100})));
  EXPECT_FALSE(with(view(one, {1000}, 0, cg::ElementType::F64)));
  EXPECT_FALSE(with(view(two, {1000})));  // y is written
  RadView gaps = x;
  gaps.strides[0] = 2;
  EXPECT_FALSE(with(gaps));
  EXPECT_TRUE(with(x));
}

TEST_F(LaunchPlans, AgreeWithTheRuleOnRandomKernels) {
  std::mt19937 random(7);
  auto pick = [&](int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(random); };
  const cg::ElementType types[] = {cg::ElementType::F32, cg::ElementType::F64, cg::ElementType::U8,
                                   cg::ElementType::I16};
  std::vector<RadArray*> pool;
  for (int i = 0; i < 6; ++i) pool.push_back(array(types[i % 4], 4096));
  int bound = 0, refused = 0;
  info_.multiprocessors = 5;
  info_.memoryBytes = uint64_t{1} << 33;
  for (int round = 0; round < 4000; ++round) {
    cg::KernelManifest kernel;
    kernel.name = "k";
    kernel.dims.resize(static_cast<size_t>(pick(0, 3)), "n");
    const auto dims = static_cast<int64_t>(kernel.dims.size());
    std::vector<int64_t> sizes(kernel.dims.size());
    for (int64_t& size : sizes) size = pick(0, 9) == 0 ? 0 : pick(1, 8);
    std::vector<bool> isOfDevice(sizes.size());
    for (size_t d = 0; d < sizes.size(); ++d) {
      if (pick(0, 7) != 0) continue;
      isOfDevice[d] = true;
      const bool isLarge = pick(0, 3) == 0;
      kernel.deviceSizes.push_back(
          {static_cast<uint32_t>(d), isLarge ? cg::DeviceProperty::MemoryBytes : cg::DeviceProperty::Multiprocessors});
      sizes[d] = deviceSize(kernel.deviceSizes.back().property, info_);
    }
    std::vector<size_t> scalars;
    std::function<cg::SizeExpr(int)> expression = [&](int depth) -> cg::SizeExpr {
      const int64_t kind = pick(0, depth > 0 ? 5 : 2);
      if (kind == 0 || (kind == 1 && dims == 0) || (kind == 2 && scalars.empty())) return constant(pick(-2, 6));
      if (kind == 1) return dim(pick(0, dims - 1));
      if (kind == 2)
        return parameter(
            static_cast<int64_t>(scalars[static_cast<size_t>(pick(0, static_cast<int64_t>(scalars.size()) - 1))]));
      const cg::SizeOp ops[] = {cg::SizeOp::Add, cg::SizeOp::Sub, cg::SizeOp::Mul, cg::SizeOp::Div,
                                cg::SizeOp::Rem, cg::SizeOp::Min, cg::SizeOp::Max, cg::SizeOp::CeilDiv};
      return apply(ops[pick(0, 7)], expression(depth - 1), expression(depth - 1));
    };
    std::deque<RadView> views;
    std::deque<int64_t> numbers;
    std::vector<const void*> arguments;
    auto addView = [&](std::vector<cg::SizeExpr> shape) {
      std::vector<int64_t> extents;
      for (const auto& size : shape)
        extents.push_back(size.op == cg::SizeOp::Dimension  ? sizes[static_cast<size_t>(size.value)]
                          : size.op == cg::SizeOp::Constant ? size.value
                                                            : pick(0, 8));
      if (!extents.empty() && pick(0, 30) == 0) extents[0] += 1;
      RadArray* of = pool[static_cast<size_t>(pick(0, 5))];
      const size_t param = kernel.params.size();
      kernel.params.push_back(test::view("v" + std::to_string(param), std::move(shape), pick(0, 3) == 0));
      kernel.params.back().type = of->type();
      kernel.params.back().elementwise = pick(0, 1) == 0;
      views.push_back(view(pick(0, 60) == 0 ? nullptr : of, extents, pick(0, 1) * pick(0, 64),
                           pick(0, 60) == 0 ? cg::ElementType::I8 : of->type()));
      if (pick(0, 40) == 0) views.back().strides[0] = 2;
      arguments.push_back(&views.back());
    };
    for (int64_t i = pick(0, 3); i > 0; --i) {
      const cg::ElementType whole[] = {cg::ElementType::I32, cg::ElementType::U64, cg::ElementType::F32,
                                       cg::ElementType::I8};
      scalars.push_back(kernel.params.size());
      kernel.params.push_back(scalar("s", whole[pick(0, 3)]));
      arguments.push_back(&numbers.emplace_back(pick(0, 20) == 0 ? -1 : pick(0, 8)));
    }
    for (int64_t d = 0; d < dims; ++d)
      if (!isOfDevice[static_cast<size_t>(d)] && pick(0, 40) != 0) addView({dim(d)});
    for (int64_t i = pick(0, 4); i > 0; --i) {
      std::vector<cg::SizeExpr> shape;
      for (int64_t rank = pick(1, 4); rank > 0; --rank)
        shape.push_back(pick(0, 3) == 0 || dims == 0 ? expression(1) : dim(pick(0, dims - 1)));
      addView(std::move(shape));
    }
    for (int64_t i = pick(0, 3); i > 0; --i) {
      cg::AxisManifest axis{"i", expression(2), expression(2)};
      if (pick(0, 3) == 0) axis.step = expression(1);
      kernel.axes.push_back(std::move(axis));
    }
    for (int64_t i = pick(0, 2); i > 0; --i) kernel.inRange.emplace_back(expression(2), expression(2));
    (compare(kernel, arguments) ? bound : refused) += 1;
    if (HasFailure()) FAIL() << "round " << round;
  }
  EXPECT_GT(bound, 600);
  EXPECT_GT(refused, 800);
}

}  // namespace
}  // namespace rad::rt::test

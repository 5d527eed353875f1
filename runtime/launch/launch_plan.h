// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The arguments of ordinary launches bound in one pass, without a copy of them. bindArguments() is the rule: it decides
// about all other launches, and says what is wrong.
#pragma once

#include "runtime/api/host_abi.h"
#include "runtime/launch/binding.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace rad::rt {

/// A kernel's signature as launches need it. Immutable; refers to the manifest.
class LaunchPlan {
 public:
  /// `device`: what the launches run on. The kernel outlives the plan.
  explicit LaunchPlan(const cg::KernelManifest& kernel, const DeviceInfo& device = {});

  /// Binds arguments as rad_launch gets them, and puts them into `block` (ArgumentBlock::finish is to follow). False,
  /// with both unspecified, where that takes more than a look: a wrong size or type, gaps between elements, a written
  /// array given twice.
  bool bind(const void* const* arguments, Binding& binding, ArgumentBlock& block) const;

 private:
  static constexpr size_t maxSizes = 64, maxWritten = 16, maxDepth = 16;

  /// One operation of a size, in the order in which they are done.
  struct Step {
    cg::SizeOp op = cg::SizeOp::Constant;
    cg::ElementType type = cg::ElementType::I64;  // Parameter
    int64_t value = 0;                            // Constant, index
  };
  /// Steps [begin, end) of steps_, which leave one value.
  struct Size {
    uint32_t begin = 0, end = 0;
  };
  struct Param {
    uint8_t bytes = 0;  // of a scalar: 1, 2, 4, 8; 0: a view
    uint8_t rank = 0;
    int32_t type = 0;  // of a view's elements
    uint32_t elementBytes = 0;
    uint64_t limit = 0;               // no extent may be larger
    std::array<uint16_t, 4> sizes{};  // of each axis, in sizes_
  };
  struct Check {
    uint16_t size = 0;  // has to be
    Size wanted;
  };

  bool compile(const cg::SizeExpr& expr, Size& out);
  bool compileSteps(const cg::SizeExpr& expr, size_t depth);
  bool compileAll(const DeviceInfo& device);
  bool evaluate(Size size, const int64_t* sizes, const void* const* arguments, int64_t& out) const {
    const Step& first = steps_[size.begin];
    if (size.end - size.begin > 1 || first.op == cg::SizeOp::Parameter)
      return evaluateSteps(size, sizes, arguments, out);
    out = first.op == cg::SizeOp::Constant ? first.value : sizes[first.value];
    return true;
  }
  bool evaluateSteps(Size size, const int64_t* sizes, const void* const* arguments, int64_t& out) const;
  bool bindDomain(const int64_t* sizes, const void* const* arguments, Binding& binding, bool& small) const;

  const cg::KernelManifest& kernel_;
  bool isUsable_ = false;
  bool isSmall_ = true;  // the sizes that the device tells are
  std::vector<Param> params_;
  std::vector<uint16_t> written_;  // the parameters that are
  std::vector<int64_t> sizes_;  // the dimensions, not known yet (-1); constants; sizes that are checked, not known yet
  std::vector<Step> steps_;
  std::vector<Check> checks_;
  struct Axis {
    Size low, high, step;
  };
  std::vector<Axis> axes_;
  std::vector<std::pair<Size, Size>> inRange_;
};

}  // namespace rad::rt

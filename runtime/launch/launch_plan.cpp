// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/launch/launch_plan.h"

#include "runtime/launch/array.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace rad::rt {
namespace {

using cg::SizeOp;

constexpr int64_t unknown = -1;  // sizes of arrays are not negative
constexpr int64_t smallLimit = int64_t{1} << 30;
bool isSmall(int64_t value) { return value > -smallLimit && value < smallLimit; }

/// The first array tells a size, the others have to agree.
bool bindSize(int64_t& size, int64_t extent) {
  if (size == unknown) size = extent;
  return size == extent;
}

}  // namespace

LaunchPlan::LaunchPlan(const cg::KernelManifest& kernel, const DeviceInfo& device) : kernel_(kernel) {
  isUsable_ = compileAll(device);
}

bool LaunchPlan::compileSteps(const cg::SizeExpr& expr, size_t depth) {
  if (depth >= maxDepth) return false;
  Step step{expr.op, cg::ElementType::I64, expr.value};
  const auto index = static_cast<size_t>(expr.value);
  switch (expr.op) {
    case SizeOp::Constant: break;
    case SizeOp::Dimension:
      if (index >= kernel_.dims.size()) return false;
      break;
    case SizeOp::Parameter:
      if (index >= kernel_.params.size() || kernel_.params[index].isView) return false;
      step.type = kernel_.params[index].type;
      break;
    case SizeOp::Add:
    case SizeOp::Sub:
    case SizeOp::Mul:
    case SizeOp::Div:
    case SizeOp::Rem:
    case SizeOp::Min:
    case SizeOp::Max:
    case SizeOp::CeilDiv:
      if (expr.operands.size() != 2 || !compileSteps(expr.operands[0], depth) ||
          !compileSteps(expr.operands[1], depth + 1))
        return false;
      break;
  }
  steps_.push_back(step);
  return true;
}

bool LaunchPlan::compile(const cg::SizeExpr& expr, Size& out) {
  out.begin = static_cast<uint32_t>(steps_.size());
  if (!compileSteps(expr, 0)) return false;
  out.end = static_cast<uint32_t>(steps_.size());
  return true;
}

bool LaunchPlan::compileAll(const DeviceInfo& device) {
  sizes_.assign(kernel_.dims.size(), unknown);
  for (const cg::DeviceSize& size : kernel_.deviceSizes) {
    sizes_.at(size.dimension) = deviceSize(size.property, device);
    isSmall_ &= isSmall(sizes_[size.dimension]);
  }
  for (const cg::ParamManifest& param : kernel_.params) {
    Param out;
    if (!param.isView) {
      const unsigned bytes = cg::sizeOf(param.type);
      if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) return false;
      out.bytes = static_cast<uint8_t>(bytes);
      params_.push_back(out);
      continue;
    }
    const size_t rank = param.shape.size();
    if (param.isStrided || rank < 1 || rank > out.sizes.size()) return false;
    if (param.isMut) written_.push_back(static_cast<uint16_t>(params_.size()));
    out.rank = static_cast<uint8_t>(rank);
    out.type = static_cast<int32_t>(param.type);
    out.elementBytes = cg::sizeOf(param.type);
    out.limit = uint64_t{1} << (48 / rank);
    static_assert(maxCount == int64_t{1} << 48);
    for (size_t axis = 0; axis < rank; ++axis) {
      const cg::SizeExpr& shape = param.shape[axis];
      auto place = static_cast<size_t>(shape.value);
      if (shape.op == SizeOp::Dimension && place >= kernel_.dims.size()) return false;
      if (shape.op != SizeOp::Dimension) {
        place = sizes_.size();
        sizes_.push_back(shape.op == SizeOp::Constant && shape.value >= 0 ? shape.value : unknown);
        if (sizes_.back() == unknown &&
            !compile(shape, checks_.emplace_back(Check{static_cast<uint16_t>(place), {}}).wanted))
          return false;
      }
      out.sizes[axis] = static_cast<uint16_t>(place);
    }
    params_.push_back(out);
  }
  if (sizes_.size() > maxSizes || written_.size() > maxWritten) return false;
  for (const cg::AxisManifest& axis : kernel_.axes) {
    Axis& out = axes_.emplace_back();
    if (!compile(axis.low, out.low) || !compile(axis.high, out.high) || !compile(axis.step, out.step)) return false;
  }
  for (const auto& [left, right] : kernel_.inRange) {
    auto& out = inRange_.emplace_back();
    if (!compile(left, out.first) || !compile(right, out.second)) return false;
  }
  return true;
}

bool LaunchPlan::evaluateSteps(Size size, const int64_t* sizes, const void* const* arguments, int64_t& out) const {
  std::array<int64_t, maxDepth + 1> values;
  size_t count = 0;
  for (uint32_t at = size.begin; at < size.end; ++at) {
    const Step& step = steps_[at];
    if (step.op == SizeOp::Constant) {
      values[count++] = step.value;
    } else if (step.op == SizeOp::Dimension) {
      values[count++] = sizes[step.value];
    } else if (step.op == SizeOp::Parameter) {
      if (!wholeNumber(arguments[step.value], step.type, values[count++])) return false;
    } else {
      const int64_t right = values[--count];
      if (!apply(step.op, values[count - 1], right, values[count - 1])) return false;
    }
  }
  out = values[0];
  return true;
}

bool LaunchPlan::bindDomain(const int64_t* sizes, const void* const* arguments, Binding& binding, bool& small) const {
  binding.axes.clear();
  binding.points = axes_.empty() ? 0 : 1;
  binding.rows = binding.lastExtent = 0;
  for (const Axis& axis : axes_) {
    int64_t low = 0, high = 0, step = 0;
    if (!evaluate(axis.low, sizes, arguments, low) || !evaluate(axis.high, sizes, arguments, high) ||
        !evaluate(axis.step, sizes, arguments, step))
      return false;
    if (low < -maxCount || low > maxCount || high < -maxCount || high > maxCount || step < 1) return false;
    binding.axes.push_back({low, high, step});
    small &= isSmall(low) && isSmall(high) && isSmall(step);
    int64_t extent = high > low ? high - low : 0;
    if (step != 1 && extent > 0) extent = (extent - 1) / step + 1;
    binding.lastExtent = extent;
    binding.rows = binding.points;
    if (__builtin_mul_overflow(binding.points, extent, &binding.points) || binding.points > maxCount) return false;
  }
  if (binding.points == 0) binding.rows = binding.lastExtent = 0;
  small &= isSmall(binding.points);
  return true;
}

bool LaunchPlan::bind(const void* const* arguments, Binding& binding, ArgumentBlock& block) const {
  if (!isUsable_) return false;
  std::array<int64_t, maxSizes> sizes;
  std::copy(sizes_.begin(), sizes_.end(), sizes.begin());
  // A written array that is given only once shares nothing with another argument.
  std::array<const RadArray*, maxWritten> written;
  for (size_t i = 0; i < written_.size(); ++i) written[i] = static_cast<const RadView*>(arguments[written_[i]])->array;
  size_t places = 0;  // of written arrays
  uint64_t addresses = 0, inner = 0;
  bool small = isSmall_;
  uint64_t* slot = block.begin(params_.size() + kernel_.dims.size() + 2 * axes_.size());
  for (size_t p = 0; p < params_.size(); ++p) {
    const Param& param = params_[p];
    const void* argument = arguments[p];
    if (param.bytes != 0) {
      uint64_t value = 0;
      switch (param.bytes) {
        case 1: value = *static_cast<const uint8_t*>(argument); break;
        case 2: std::memcpy(&value, argument, 2); break;
        case 4: std::memcpy(&value, argument, 4); break;
        default: std::memcpy(&value, argument, 8); break;
      }
      *slot++ = value;
      continue;
    }
    const auto& view = *static_cast<const RadView*>(argument);
    if (!view.array || view.rank != param.rank || view.elementType != param.type) return false;
    if ((view.strides[0] | view.strides[1] | view.strides[2] | view.strides[3]) != 0) return false;
    int64_t count = view.extents[0];
    if (!bindSize(sizes[param.sizes[0]], count) || static_cast<uint64_t>(count) > param.limit) return false;
    if (param.rank > 1) {
      int64_t last = count;
      small &= last < smallLimit;
      for (size_t axis = 1; axis < param.rank; ++axis) {
        last = view.extents[axis];
        if (!bindSize(sizes[param.sizes[axis]], last) || static_cast<uint64_t>(last) > param.limit) return false;
        small &= last < smallLimit;
        count *= last;
      }
      inner |= static_cast<uint64_t>(last);
    }
    small &= count < smallLimit;
    const uint64_t address = view.array->address() + static_cast<uint64_t>(view.offset) * param.elementBytes;
    addresses |= address;
    *slot++ = address;
    for (size_t i = 0; i < written_.size(); ++i) places += written[i] == view.array;
  }
  if (places != written_.size()) return false;
  const size_t dims = kernel_.dims.size();
  binding.dims.resize(dims);
  for (size_t i = 0; i < dims; ++i) {
    if (sizes[i] == unknown) return false;
    binding.dims[i] = sizes[i];
    *slot++ = static_cast<uint64_t>(sizes[i]);
  }
  for (const Check& check : checks_) {
    int64_t wanted = 0;
    if (!evaluate(check.wanted, sizes.data(), arguments, wanted) || wanted != sizes[check.size]) return false;
  }
  if (!bindDomain(sizes.data(), arguments, binding, small)) return false;
  for (const Binding::Axis& axis : binding.axes) {
    *slot++ = static_cast<uint64_t>(axis.low);
    *slot++ = static_cast<uint64_t>(axis.high);
  }
  binding.spec = {};
  binding.spec.aligned16 = addresses % 16 == 0;
  binding.spec.innerDivisible4 = inner % 4 == 0;
  binding.spec.small = small;
  binding.spec.inRange =
      binding.points > 0 && !inRange_.empty() && std::ranges::all_of(inRange_, [&](const auto& condition) {
        int64_t left = 0, right = 0;
        return evaluate(condition.first, sizes.data(), arguments, left) &&
               evaluate(condition.second, sizes.data(), arguments, right) && left <= right;
      });
  return true;
}

}  // namespace rad::rt

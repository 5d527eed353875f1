// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/launch/binding.h"

#include "runtime/launch/overlap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace rad::rt {
namespace {

using cg::KernelManifest;
using cg::ParamManifest;
using cg::SizeOp;

std::string typeText(const ParamManifest& param, const KernelManifest& kernel) {
  const std::string element = param.elementName.empty() ? cg::nameOf(param.type) : param.elementName;
  if (!param.isView) return element;
  std::string out = fmt::format("{}[{};", param.isStrided ? "strided " : "", element);
  for (size_t i = 0; i < param.shape.size(); ++i) out += (i > 0 ? ", " : " ") + text(param.shape[i], kernel);
  return out + "]";
}

/// "x is [1000]", "b is [4, 5] (dimension 0)".
std::string shapeOf(const ParamManifest& param, const ViewArgument& view, size_t dimension) {
  std::string out = fmt::format("{} is {}", param.name, shapeText(view.shape()));
  if (view.rank > 1) out += fmt::format(" (dimension {})", dimension);
  return out;
}

/// True for nearly all shapes: no check that takes longer could refuse them.
bool areOrdinary(std::span<const int64_t> shape) {
  const int64_t limit = int64_t{1} << (48 / std::max<size_t>(shape.size(), 1));
  return std::ranges::all_of(shape, [&](int64_t extent) { return extent >= 0 && extent <= limit; });
}

Result<void> checkKind(const KernelManifest& kernel, const ParamManifest& param, const Argument& argument) {
  const auto* view = std::get_if<ViewArgument>(&argument);
  if (param.isView != (view != nullptr))
    return refuse(kernel, fmt::format("`{}` is declared as {}, but the argument is {}", param.name,
                                      typeText(param, kernel), view ? "an array" : "a single value"));
  if (!view) return {};
  if (!view->block)
    return refuse(kernel,
                  fmt::format("`{}` has no array: the statement that should have made it did not finish", param.name),
                  "run that statement again before the launch");
  if (view->type != param.type || view->rank != static_cast<int32_t>(param.shape.size())) {
    std::string given = fmt::format(
        "[{}; {}]", view->type == param.type && !param.elementName.empty() ? param.elementName : cg::nameOf(view->type),
        fmt::join(view->shape(), ", "));
    return refuse(kernel, fmt::format("`{}` is declared as {}, but the argument is {}", param.name,
                                      typeText(param, kernel), given));
  }
  if (!areOrdinary(view->shape()))
    RAD_TRY(checkExtents(view->shape(), fmt::format("{}: `{}`", kernel.name, param.name)));
  if (view->isStrided() && !param.isStrided)
    return refuse(kernel,
                  fmt::format("`{}` takes elements that lie next to each other, but the argument has gaps between them",
                              param.name),
                  param.isMut
                      ? fmt::format("declare `{}` with `strided`; what is written to a copy is lost", param.name)
                      : fmt::format("pass a copy, or declare `{}` with `strided`", param.name));
  return {};
}

/// Where a dimension got its value.
struct Binder {
  size_t param = 0, axis = 0;
};

std::unexpected<Error> mismatch(const KernelManifest& kernel, std::span<const Argument> arguments,
                                const std::string& dim, Binder first, Binder second) {
  const ParamManifest &a = kernel.params[first.param], &b = kernel.params[second.param];
  const auto &x = std::get<ViewArgument>(arguments[first.param]), &y = std::get<ViewArgument>(arguments[second.param]);
  if (first.param == second.param)
    return refuse(kernel,
                  fmt::format("dimensions {} and {} of `{}` must have the same size `{}`: {} is {}", first.axis,
                              second.axis, a.name, dim, a.name, shapeText(x.shape())),
                  fmt::format("`{}` is declared as {}", a.name, typeText(a, kernel)));
  std::string advice;
  int64_t left = x.extents[first.axis], right = y.extents[second.axis];
  if (first.axis == 0 && second.axis == 0) {
    const ParamManifest& longer = left > right ? a : b;
    advice = fmt::format("if the rest of `{}` is not meant to take part, pass `{}[0..{}]`", longer.name, longer.name,
                         std::min(left, right));
  }
  return refuse(kernel,
                fmt::format("`{}` and `{}` must have the same size `{}`: {}, {}", a.name, b.name, dim,
                            shapeOf(a, x, first.axis), shapeOf(b, y, second.axis)),
                advice);
}

/// Plain dimensions bind; all else is checked against what they bound.
Result<void> bindDims(const KernelManifest& kernel, std::span<const Argument> arguments, const DeviceInfo& device,
                      std::vector<int64_t>& dims) {
  constexpr int64_t unbound = -1;  // extents are not negative
  dims.assign(kernel.dims.size(), unbound);
  for (const cg::DeviceSize& size : kernel.deviceSizes) dims.at(size.dimension) = deviceSize(size.property, device);
  // A plain dimension, which the arrays tell.
  auto isBinding = [&](const cg::SizeExpr& shape) {
    return shape.op == SizeOp::Dimension && std::ranges::none_of(kernel.deviceSizes, [&](const cg::DeviceSize& size) {
             return size.dimension == static_cast<size_t>(shape.value);
           });
  };
  // Where a dimension got its value, for the message.
  auto binderOf = [&](size_t dim) {
    for (size_t p = 0; p < kernel.params.size(); ++p)
      for (size_t axis = 0; kernel.params[p].isView && axis < kernel.params[p].shape.size(); ++axis) {
        const cg::SizeExpr& shape = kernel.params[p].shape[axis];
        if (shape.op == SizeOp::Dimension && static_cast<size_t>(shape.value) == dim) return Binder{p, axis};
      }
    return Binder{};
  };
  for (size_t p = 0; p < kernel.params.size(); ++p) {
    const ParamManifest& param = kernel.params[p];
    if (!param.isView) continue;
    const auto& view = *std::get_if<ViewArgument>(&arguments[p]);
    for (size_t axis = 0; axis < param.shape.size(); ++axis) {
      if (!isBinding(param.shape[axis])) continue;
      auto dim = static_cast<size_t>(param.shape[axis].value);
      if (dim >= dims.size())
        return fail(ErrorCategory::Misuse,
                    kernel.name + ": the compiled kernel names a dimension that it does not have",
                    "this is a bug in Raddle: please report it");
      if (dims[dim] == unbound) dims[dim] = view.extents[axis];
      else if (dims[dim] != view.extents[axis])
        return mismatch(kernel, arguments, kernel.dims[dim], binderOf(dim), {p, axis});
    }
  }
  for (size_t dim = 0; dim < dims.size(); ++dim)
    if (dims[dim] == unbound)
      return refuse(kernel, fmt::format("nothing determines the size `{}`", kernel.dims[dim]),
                    fmt::format("some array parameter must have `{}` alone as one of its sizes", kernel.dims[dim]));
  for (size_t p = 0; p < kernel.params.size(); ++p) {
    const ParamManifest& param = kernel.params[p];
    if (!param.isView) continue;
    const auto& view = *std::get_if<ViewArgument>(&arguments[p]);
    for (size_t axis = 0; axis < param.shape.size(); ++axis) {
      const cg::SizeExpr& shape = param.shape[axis];
      if (isBinding(shape)) continue;
      RAD_ASSIGN(int64_t wanted, evaluate(shape, kernel, dims, arguments, {"the size of", param.name}));
      if (wanted == view.extents[axis]) continue;
      std::string size =
          shape.op == SizeOp::Constant ? std::to_string(wanted) : fmt::format("`{}` = {}", text(shape, kernel), wanted);
      std::string where = param.shape.size() > 1 ? fmt::format("dimension {} of `{}`", axis, param.name)
                                                 : fmt::format("`{}`", param.name);
      return refuse(
          kernel, fmt::format("{} must have the size {}: {} is {}", where, size, param.name, shapeText(view.shape())));
    }
  }
  return {};
}

Result<void> evaluateDomain(const KernelManifest& kernel, std::span<const Argument> arguments, Binding& binding) {
  binding.points = kernel.axes.empty() ? 0 : 1;
  binding.rows = binding.lastExtent = 0;
  binding.axes.clear();
  bool tooMany = false;
  for (const cg::AxisManifest& axis : kernel.axes) {
    const SizeUse what{"the range of", axis.name};
    RAD_ASSIGN(int64_t low, evaluate(axis.low, kernel, binding.dims, arguments, what));
    RAD_ASSIGN(int64_t high, evaluate(axis.high, kernel, binding.dims, arguments, what));
    if (low < -maxCount || low > maxCount || high < -maxCount || high > maxCount)
      return refuse(kernel, fmt::format("{} is {}..{}", what.text(), low, high),
                    "bounds of a domain lie between -2^48 and 2^48");
    RAD_ASSIGN(int64_t step, evaluate(axis.step, kernel, binding.dims, arguments, {"the step of", axis.name}));
    if (step < 1)
      return refuse(kernel, fmt::format("the step of `{}` is {}", axis.name, step),
                    "the step of a domain has to be positive");
    binding.axes.push_back({low, high, step});
    int64_t extent = high > low ? (high - low - 1) / step + 1 : 0;
    binding.lastExtent = extent;
    binding.rows = binding.points;
    if (extent == 0 || binding.points == 0) binding.points = 0;
    else if (__builtin_mul_overflow(binding.points, extent, &binding.points) || binding.points > maxCount)
      binding.points = maxCount, tooMany = true;  // an empty axis may still follow
  }
  if (binding.points == 0) {
    binding.rows = binding.lastExtent = 0;
  } else if (tooMany) {
    std::string ranges;
    for (size_t i = 0; i < kernel.axes.size(); ++i)
      ranges += fmt::format("{}{} in {}..{}", i > 0 ? ", " : "", kernel.axes[i].name, binding.axes[i].low,
                            binding.axes[i].high);
    return refuse(kernel, fmt::format("the domain has too many points: {}", ranges),
                  "a launch has at most 2^48 points");
  }
  return {};
}

cg::SpecKey specialise(const KernelManifest& kernel, std::span<const Argument> arguments, const Binding& binding) {
  constexpr int64_t smallLimit = int64_t{1} << 30;
  auto isSmall = [](int64_t value) { return value > -smallLimit && value < smallLimit; };
  cg::SpecKey key;
  key.aligned16 = key.innerDivisible4 = true;
  key.small = isSmall(binding.points);
  key.small &= std::ranges::all_of(binding.dims, isSmall);
  for (auto [low, high, step] : binding.axes) key.small &= isSmall(low) && isSmall(high) && isSmall(step);
  for (size_t p = 0; p < kernel.params.size(); ++p) {
    const auto* view = std::get_if<ViewArgument>(&arguments[p]);
    if (!view) continue;
    key.aligned16 &= view->address % 16 == 0;
    key.innerDivisible4 &= view->rank < 2 || view->extents[static_cast<size_t>(view->rank) - 1] % 4 == 0;
    key.small &= isSmall(view->span()) && std::ranges::all_of(view->shape(), isSmall);
    // Those that checkAliases let pass: the same view for two elementwise parameters, one of them written.
    if (!kernel.params[p].isMut) continue;
    for (size_t q = 0; q < kernel.params.size(); ++q) {
      const auto* other = std::get_if<ViewArgument>(&arguments[q]);
      key.aliased |= other && q != p && other->address == view->address && view->count() > 0 && other->count() > 0;
    }
  }
  if (binding.points > 0 && !kernel.inRange.empty())
    key.inRange = std::ranges::all_of(kernel.inRange, [&](const auto& condition) {
      // What cannot be evaluated leaves the checks in the kernel.
      auto left = evaluate(condition.first, kernel, binding.dims, arguments, {"an index"});
      auto right = evaluate(condition.second, kernel, binding.dims, arguments, {"a size"});
      return left && right && *left <= *right;
    });
  return key;
}

}  // namespace

Result<void> checkAliases(const KernelManifest& kernel, std::span<const Argument> arguments) {
  for (size_t i = 0; i < kernel.params.size(); ++i) {
    const auto* x = std::get_if<ViewArgument>(&arguments[i]);
    if (!x || x->count() == 0) continue;
    for (size_t j = i + 1; j < kernel.params.size(); ++j) {
      const auto* y = std::get_if<ViewArgument>(&arguments[j]);
      const ParamManifest &a = kernel.params[i], &b = kernel.params[j];
      if (!y || (!a.isMut && !b.isMut) || x->block != y->block || x->type != y->type) continue;
      const Overlap overlap = compareElements(*x, *y);
      std::string how;
      switch (overlap.kind) {
        case Overlap::Kind::None: continue;
        case Overlap::Kind::Same:
          if (a.elementwise && b.elementwise) continue;
          how = "are the same elements";
          break;
        case Overlap::Kind::Shared:
          how = fmt::format("share elements ({} has {} of the array, {} has {}", a.name, elementsText(*x), b.name,
                            elementsText(*y));
          if (x->span() != x->count() || y->span() != y->count())
            how += fmt::format(": both have element {}", overlap.element);
          how += ")";
          break;
        case Overlap::Kind::Unknown:
          how = fmt::format(
              "may share elements ({} has {} of the array, {} has {}; whether they meet takes too long to find out)",
              a.name, elementsText(*x), b.name, elementsText(*y));
          break;
      }
      if (a.isMut && b.isMut)
        return refuse(kernel, fmt::format("`{}` and `{}` {}, and the kernel writes to both", a.name, b.name, how),
                      fmt::format("give each its own array, for example `copy({})`", b.name));
      const ParamManifest &written = a.isMut ? a : b, &read = a.isMut ? b : a;
      return refuse(
          kernel, fmt::format("`{}` and `{}` {}, and the kernel writes to `{}`", a.name, b.name, how, written.name),
          fmt::format("pass `copy({})` as `{}`, so that the kernel reads the old values", read.name, read.name));
    }
  }
  return {};
}

Result<void> bindArguments(const KernelManifest& kernel, std::span<const Argument> arguments, const DeviceInfo& device,
                           Binding& binding) {
  if (arguments.size() != kernel.params.size())
    return refuse(kernel, fmt::format("takes {} arguments, but got {}", kernel.params.size(), arguments.size()));
  for (size_t p = 0; p < arguments.size(); ++p) RAD_TRY(checkKind(kernel, kernel.params[p], arguments[p]));
  RAD_TRY(bindDims(kernel, arguments, device, binding.dims));
  RAD_TRY(checkAliases(kernel, arguments));
  RAD_TRY(evaluateDomain(kernel, arguments, binding));
  binding.spec = specialise(kernel, arguments, binding);
  return {};
}

Result<Binding> bindArguments(const KernelManifest& kernel, std::span<const Argument> arguments,
                              const DeviceInfo& device) {
  Binding binding;
  RAD_TRY(bindArguments(kernel, arguments, device, binding));
  return binding;
}

std::string signatureText(const KernelManifest& kernel) {
  std::string out = kernel.name + "(", last;
  for (const ParamManifest& param : kernel.params) {
    // A vector, array or tuple comes in parts ("c.x", "w[0]"): it is named once.
    std::string name = param.name.substr(0, param.name.find_first_of(".["));
    const bool isPart = name.size() != param.name.size();
    if (isPart && name == last) continue;
    if (out.back() != '(') out += ", ";
    out += fmt::format("{}{}{}", param.isMut ? "mut " : "", name, isPart ? "" : ": " + typeText(param, kernel));
    last = isPart ? name : "";
  }
  return out + ")";
}

uint64_t* ArgumentBlock::begin(size_t count) {
  constexpr size_t others = 3;  // what finish() adds at most
  count_ = count;
  if (slots_.size() < count + others) {
    slots_.resize(count + others);
    pointers_.clear();
    for (const uint64_t& slot : slots_) pointers_.push_back(&slot);
  }
  return slots_.data();
}

void ArgumentBlock::assign(const KernelManifest& kernel, std::span<const Argument> arguments, const Binding& binding) {
  size_t strides = 0;
  for (const ParamManifest& param : kernel.params) strides += param.isStrided ? param.shape.size() : 0;
  uint64_t* slot = begin(arguments.size() + binding.dims.size() + strides + 2 * binding.axes.size());
  for (const Argument& argument : arguments) {
    *slot = 0;
    if (const auto* view = std::get_if<ViewArgument>(&argument)) *slot = view->address;
    else std::memcpy(slot, std::get<ScalarArgument>(argument).bytes.data(), sizeof *slot);
    ++slot;
  }
  for (int64_t dim : binding.dims) *slot++ = static_cast<uint64_t>(dim);
  for (size_t p = 0; p < kernel.params.size(); ++p)
    if (kernel.params[p].isStrided) {
      const auto& view = std::get<ViewArgument>(arguments[p]);
      for (size_t axis = 0; axis < kernel.params[p].shape.size(); ++axis)
        *slot++ = static_cast<uint64_t>(view.stride(axis));
    }
  for (const Binding::Axis& axis : binding.axes) {
    *slot++ = static_cast<uint64_t>(axis.low);
    *slot++ = static_cast<uint64_t>(axis.high);
  }
}

void ArgumentBlock::finish(const KernelManifest& kernel, uint64_t partials, uint64_t failureState, uint32_t serial) {
  if (kernel.reduce != cg::ReduceOp::None) slots_[count_++] = partials;
  slots_[count_++] = failureState;
  // Little-endian machines only: the low bytes of a slot are the parameter's.
  slots_[count_++] = serial;
}

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sizes: shapes as text, limits, arithmetic over dimensions.
#include "runtime/launch/binding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace rad::rt {
namespace {

using cg::SizeExpr;
using cg::SizeOp;

/// The name of the parameter or dimension that an expression refers to.
std::string nameAt(const std::vector<std::string>& names, int64_t index) {
  return index >= 0 && static_cast<size_t>(index) < names.size() ? names[static_cast<size_t>(index)] : "?";
}

int precedence(SizeOp op) {
  switch (op) {
    case SizeOp::Add:
    case SizeOp::Sub: return 1;
    case SizeOp::Mul:
    case SizeOp::Div:
    case SizeOp::Rem: return 2;
    case SizeOp::Constant:
    case SizeOp::Dimension:
    case SizeOp::Parameter:
    case SizeOp::Min:
    case SizeOp::Max:
    case SizeOp::CeilDiv: return 3;
  }
  return 3;
}

std::string_view symbolOf(SizeOp op) {
  switch (op) {
    case SizeOp::Add: return " + ";
    case SizeOp::Sub: return " - ";
    case SizeOp::Mul: return " * ";
    case SizeOp::Div: return " / ";
    case SizeOp::Rem: return " % ";
    case SizeOp::Min: return "min";
    case SizeOp::Max: return "max";
    case SizeOp::CeilDiv: return "ceil_div";
    case SizeOp::Constant:
    case SizeOp::Dimension:
    case SizeOp::Parameter: return "";
  }
  return "";
}

std::string textWithin(const SizeExpr& expr, const cg::KernelManifest& kernel, int outer) {
  if (expr.op == SizeOp::Constant) return std::to_string(expr.value);
  if (expr.op == SizeOp::Dimension) return nameAt(kernel.dims, expr.value);
  if (expr.op == SizeOp::Parameter)
    return expr.value >= 0 && static_cast<size_t>(expr.value) < kernel.params.size()
               ? kernel.params[static_cast<size_t>(expr.value)].name
               : "?";
  int own = precedence(expr.op);
  std::string out;
  for (size_t i = 0; i < expr.operands.size(); ++i) {
    if (i > 0) out += own == 3 ? ", " : symbolOf(expr.op);
    // The right operand of an operator needs brackets at equal precedence: a - (b - c).
    out += textWithin(expr.operands[i], kernel, own == 3 ? 0 : own + (i > 0 ? 1 : 0));
  }
  if (own == 3) return fmt::format("{}({})", symbolOf(expr.op), out);
  return own < outer ? "(" + out + ")" : out;
}

std::unexpected<Error> brokenManifest(const cg::KernelManifest& kernel, const std::string& what) {
  return fail(ErrorCategory::Misuse, fmt::format("{}: the compiled kernel describes {} wrongly", kernel.name, what),
              "this is a bug in Raddle: please report it");
}

}  // namespace

bool wholeNumber(const void* scalar, cg::ElementType type, int64_t& out) {
  auto read = [&]<class T>(T value) {
    std::memcpy(&value, scalar, sizeof value);
    if constexpr (sizeof(T) == 8 && std::is_unsigned_v<T>)
      if (value > static_cast<uint64_t>(INT64_MAX)) return false;
    out = static_cast<int64_t>(value);
    return true;
  };
  switch (type) {
    case cg::ElementType::Bool:
    case cg::ElementType::U8: return read(uint8_t{});
    case cg::ElementType::I8: return read(int8_t{});
    case cg::ElementType::I16: return read(int16_t{});
    case cg::ElementType::I32: return read(int32_t{});
    case cg::ElementType::I64:
    case cg::ElementType::Index: return read(int64_t{});
    case cg::ElementType::U16: return read(uint16_t{});
    case cg::ElementType::U32: return read(uint32_t{});
    case cg::ElementType::U64: return read(uint64_t{});
    case cg::ElementType::F16:
    case cg::ElementType::BF16:
    case cg::ElementType::F32:
    case cg::ElementType::F64:
    case cg::ElementType::F8E4M3:
    case cg::ElementType::F8E5M2: return false;
  }
  return false;
}

bool apply(SizeOp op, int64_t left, int64_t right, int64_t& out) {
  switch (op) {
    case SizeOp::Add: return !__builtin_add_overflow(left, right, &out);
    case SizeOp::Sub: return !__builtin_sub_overflow(left, right, &out);
    case SizeOp::Mul: return !__builtin_mul_overflow(left, right, &out);
    case SizeOp::Min: out = std::min(left, right); return true;
    case SizeOp::Max: out = std::max(left, right); return true;
    case SizeOp::Div:
    case SizeOp::Rem:
    case SizeOp::CeilDiv:
      if (right == 0) return false;
      if (right == -1) {  // also the one quotient that does not fit
        out = 0;
        return op == SizeOp::Rem || !__builtin_sub_overflow(int64_t{0}, left, &out);
      }
      out = op == SizeOp::Rem ? left % right : left / right;
      if (op == SizeOp::CeilDiv && left % right != 0 && (left < 0) == (right < 0)) ++out;
      return true;
    case SizeOp::Constant:
    case SizeOp::Dimension:
    case SizeOp::Parameter: break;
  }
  return false;
}

int64_t ViewArgument::count() const {
  // An empty view may have other sizes whose product does not fit.
  if (std::ranges::count(shape(), 0) > 0) return 0;
  int64_t out = 1;
  for (int64_t extent : shape()) out *= extent;
  return out;
}

std::string shapeText(std::span<const int64_t> extents) { return fmt::format("[{}]", fmt::join(extents, ", ")); }

Result<int64_t> checkExtents(std::span<const int64_t> extents, const std::string& what) {
  int64_t count = 1;
  bool empty = false;
  auto impossible = [&](const char* how, const char* advice) {
    auto error = fail(ErrorCategory::Launch, fmt::format("{} has {}: {}", what, how, shapeText(extents)), advice);
    error.error().page = "R0706";
    return error;
  };
  for (int64_t extent : extents) {
    if (extent < 0) return impossible("a negative size", "sizes are 0 or more");
    empty |= extent == 0;
  }
  // No part of the sizes may be larger either, even where another size is 0: proofs about indices rely on it.
  for (int64_t extent : extents)
    if (extent > maxCount || __builtin_mul_overflow(count, std::max<int64_t>(extent, 1), &count) || count > maxCount)
      return impossible("too many elements", "an array has at most 2^48 elements");
  return empty ? int64_t{0} : count;
}

std::string text(const SizeExpr& expr, const cg::KernelManifest& kernel) { return textWithin(expr, kernel, 0); }

int64_t deviceSize(cg::DeviceProperty property, const DeviceInfo& device) {
  auto number = [&]() -> int64_t {
    switch (property) {
      case cg::DeviceProperty::Multiprocessors: return device.multiprocessors;
      case cg::DeviceProperty::MaxThreadsPerBlock: return device.maxThreadsPerBlock;
      case cg::DeviceProperty::MaxSharedBytesPerBlock:
        return std::max(device.maxSharedBytesPerBlock, device.maxSharedBytesPerBlockOptIn);
      case cg::DeviceProperty::MemoryBytes:
        return static_cast<int64_t>(std::min<uint64_t>(device.memoryBytes, static_cast<uint64_t>(maxCount)));
      case cg::DeviceProperty::Id:
      case cg::DeviceProperty::Name: break;
    }
    return 0;
  };
  return std::max<int64_t>(number(), 1);
}

std::string SizeUse::text() const { return name.empty() ? std::string(role) : fmt::format("{} `{}`", role, name); }

Result<int64_t> evaluate(const SizeExpr& expr, const cg::KernelManifest& kernel, std::span<const int64_t> dims,
                         std::span<const Argument> arguments, const SizeUse& use) {
  auto index = static_cast<size_t>(expr.value);
  if (expr.op == SizeOp::Constant) return expr.value;
  if (expr.op == SizeOp::Dimension) {
    if (index >= dims.size()) return brokenManifest(kernel, use.text());
    return dims[index];
  }
  if (expr.op == SizeOp::Parameter) {
    if (index >= arguments.size() || index >= kernel.params.size()) return brokenManifest(kernel, use.text());
    const auto* scalar = std::get_if<ScalarArgument>(&arguments[index]);
    int64_t value = 0;
    if (!scalar) return brokenManifest(kernel, use.text());
    if (wholeNumber(scalar->bytes.data(), kernel.params[index].type, value)) return value;
    return fail(ErrorCategory::Launch,
                fmt::format("{}: {} depends on `{}`, whose value is not a whole number below 2^63", kernel.name,
                            use.text(), kernel.params[index].name));
  }
  if (expr.operands.size() != 2) return brokenManifest(kernel, use.text());
  RAD_ASSIGN(int64_t left, evaluate(expr.operands[0], kernel, dims, arguments, use));
  RAD_ASSIGN(int64_t right, evaluate(expr.operands[1], kernel, dims, arguments, use));
  int64_t out = 0;
  if (apply(expr.op, left, right, out)) return out;
  const bool divides = expr.op == SizeOp::Div || expr.op == SizeOp::Rem || expr.op == SizeOp::CeilDiv;
  if (divides && right == 0)
    return fail(ErrorCategory::Launch,
                fmt::format("{}: {} divides by zero: `{}`", kernel.name, use.text(), text(expr, kernel)));
  return fail(ErrorCategory::Launch, fmt::format("{}: {} does not fit into 64 bits: `{}` with {} and {}", kernel.name,
                                                 use.text(), text(expr, kernel), left, right));
}

}  // namespace rad::rt

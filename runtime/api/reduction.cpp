// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/api/reduction.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>

namespace rad::rt {
namespace {

template <class T>
T identity(cg::ReduceOp op) {
  using Limits = std::numeric_limits<T>;
  switch (op) {
    case cg::ReduceOp::None:
    case cg::ReduceOp::Sum:
    case cg::ReduceOp::Any: return T(0);
    case cg::ReduceOp::All: return T(1);
    case cg::ReduceOp::Min: return Limits::has_infinity ? Limits::infinity() : Limits::max();
    case cg::ReduceOp::Max: return Limits::has_infinity ? T(-Limits::infinity()) : Limits::lowest();
  }
  return T(0);
}

template <class T>
T combine(cg::ReduceOp op, T a, T b) {
  switch (op) {
    case cg::ReduceOp::None: return b;
    case cg::ReduceOp::Sum:
      if constexpr (std::is_floating_point_v<T>) return a + b;
      else return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));  // wraps
    case cg::ReduceOp::All: return T(a != T(0) && b != T(0));
    case cg::ReduceOp::Any: return T(a != T(0) || b != T(0));
    case cg::ReduceOp::Min:
      if constexpr (std::is_floating_point_v<T>) return std::fmin(a, b);
      else return std::min(a, b);
    case cg::ReduceOp::Max:
      if constexpr (std::is_floating_point_v<T>) return std::fmax(a, b);
      else return std::max(a, b);
  }
  return b;
}

template <class T>
void combineAs(cg::ReduceOp op, std::span<const std::byte> partials, std::byte* result) {
  T out = identity<T>(op);
  for (size_t at = 0; at + sizeof(T) <= partials.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, partials.data() + at, sizeof value);
    out = combine(op, out, value);
  }
  std::memcpy(result, &out, sizeof out);
}

}  // namespace

Result<void> combinePartials(cg::ReduceOp op, cg::ElementType type, std::span<const std::byte> partials,
                             std::byte* result) {
  switch (type) {
    case cg::ElementType::Bool:
    case cg::ElementType::U8: combineAs<uint8_t>(op, partials, result); return {};
    case cg::ElementType::I8: combineAs<int8_t>(op, partials, result); return {};
    case cg::ElementType::I16: combineAs<int16_t>(op, partials, result); return {};
    case cg::ElementType::I32: combineAs<int32_t>(op, partials, result); return {};
    case cg::ElementType::I64:
    case cg::ElementType::Index: combineAs<int64_t>(op, partials, result); return {};
    case cg::ElementType::U16: combineAs<uint16_t>(op, partials, result); return {};
    case cg::ElementType::U32: combineAs<uint32_t>(op, partials, result); return {};
    case cg::ElementType::U64: combineAs<uint64_t>(op, partials, result); return {};
    case cg::ElementType::F32: combineAs<float>(op, partials, result); return {};
    case cg::ElementType::F64: combineAs<double>(op, partials, result); return {};
    case cg::ElementType::F16:
    case cg::ElementType::BF16:
    case cg::ElementType::F8E4M3:
    case cg::ElementType::F8E5M2: break;
  }
  return fail(ErrorCategory::Misuse, std::string("reductions of type ") + cg::nameOf(type) + " are not supported");
}

}  // namespace rad::rt

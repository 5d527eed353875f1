// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values known while compiling, and arithmetic on them.
#pragma once

#include "frontend/ast/ast.h"
#include "frontend/types/types.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rad::sema {

using Wide = __int128;

/// A compile-time value; what type it has stands beside it. Integers are exact: a typed one lies in its type's range.
struct ConstValue {
  enum class Kind : uint8_t { Bool, Int, Float, String, Items };
  Kind kind = Kind::Int;
  Wide integer = 0;  // Bool: 0 or 1. Float: -1, 0, 1 as the number that was written is below, at, above `real`
  double real = 0;
  std::string text;
  std::vector<ConstValue> items{};  // Items: the elements of a vector or array value, the parts of a tuple

  static ConstValue ofBool(bool value) { return {Kind::Bool, value ? 1 : 0, 0, {}}; }
  static ConstValue ofInt(Wide value) { return {Kind::Int, value, 0, {}}; }
  static ConstValue ofFloat(double value) { return {Kind::Float, 0, value, {}}; }
  static ConstValue ofString(std::string text) { return {Kind::String, 0, 0, std::move(text)}; }
  static ConstValue ofItems(std::vector<ConstValue> items) { return {Kind::Items, 0, 0, {}, std::move(items)}; }
};

/// The value as a message shows it: 3, 1.5, true, "text", [1, 2].
std::string spell(const ConstValue& value);

/// The smallest and largest value of an integer type.
Wide smallestOf(Scalar scalar);
Wide largestOf(Scalar scalar);
/// The low bits of `value`, read as `scalar`.
Wide wrapTo(Scalar scalar, Wide value);

/// Why folding gave no value.
enum class FoldFailure : uint8_t { None, DivideByZero, Overflow, NotFoldable };
struct Folded {
  std::optional<ConstValue> value;
  FoldFailure failure = FoldFailure::None;
};

/// `left op right`. `scalar` is the type of both, none for untyped constants (exact: 128 bits wide, then Overflow).
/// Typed integers give Overflow where the exact result leaves the type; the caller decides whether that wraps.
Folded fold(BinaryOp op, const ConstValue& left, const ConstValue& right, std::optional<Scalar> scalar);
Folded fold(UnaryOp op, const ConstValue& operand, std::optional<Scalar> scalar);

/// `value` converted as `T(value)` converts: integers keep the low bits, float to integer saturates, NaN gives 0.
ConstValue convertConst(const ConstValue& value, Scalar to);
/// Whether an untyped or typed constant is a value of `to`, so that it converts without being asked to.
bool fits(const ConstValue& value, Scalar to);

}  // namespace rad::sema

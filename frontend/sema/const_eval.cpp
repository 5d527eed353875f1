// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/sema/const_value.h"

#include "frontend/types/float_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace rad::sema {
namespace {

constexpr Wide wideLimit = Wide{1} << 100;  // exact arithmetic stays inside, so that no step overflows

std::string spellWide(Wide value) {
  if (value < 0) return "-" + spellWide(-value);
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value);
  return digits;
}

Folded ofBool(bool value) { return {ConstValue::ofBool(value)}; }

template <class T>
Folded compare(BinaryOp op, T a, T b) {
  switch (op) {
    case BinaryOp::Eq: return ofBool(a == b);
    case BinaryOp::Ne: return ofBool(a != b);
    case BinaryOp::Lt: return ofBool(a < b);
    case BinaryOp::Le: return ofBool(a <= b);
    case BinaryOp::Gt: return ofBool(a > b);
    case BinaryOp::Ge: return ofBool(a >= b);
    case BinaryOp::Add:
    case BinaryOp::Sub:
    case BinaryOp::Mul:
    case BinaryOp::Div:
    case BinaryOp::Rem:
    case BinaryOp::BitAnd:
    case BinaryOp::BitOr:
    case BinaryOp::BitXor:
    case BinaryOp::Shl:
    case BinaryOp::Shr:
    case BinaryOp::And:
    case BinaryOp::Or: break;
  }
  return {std::nullopt, FoldFailure::NotFoldable};
}

Folded foldInt(BinaryOp op, Wide a, Wide b, std::optional<Scalar> scalar) {
  const bool isSigned = !scalar || isSignedInteger(*scalar);
  Wide result = 0;
  switch (op) {
    case BinaryOp::Add: result = a + b; break;
    case BinaryOp::Sub: result = a - b; break;
    case BinaryOp::Mul:
      if (a != 0 && (b > wideLimit / (a < 0 ? -a : a) || b < -(wideLimit / (a < 0 ? -a : a))))
        return {std::nullopt, FoldFailure::Overflow};
      result = a * b;
      break;
    case BinaryOp::Div:
    case BinaryOp::Rem:
      if (b == 0) return {std::nullopt, FoldFailure::DivideByZero};
      result = op == BinaryOp::Div ? a / b : a % b;
      break;
    case BinaryOp::BitAnd: result = a & b; break;
    case BinaryOp::BitOr: result = a | b; break;
    case BinaryOp::BitXor: result = a ^ b; break;
    case BinaryOp::Shl:
    case BinaryOp::Shr: {
      Wide count = b;
      if (scalar) count = b & (bitsOf(*scalar) - 1);
      else if (b < 0 || b > 63) return {std::nullopt, FoldFailure::Overflow};
      if (op == BinaryOp::Shr) result = a >> static_cast<int>(count);
      else if (scalar) return {ConstValue::ofInt(wrapTo(*scalar, a << static_cast<int>(count)))};
      else if (a > (wideLimit >> 64) || a < -(wideLimit >> 64)) return {std::nullopt, FoldFailure::Overflow};
      else result = a << static_cast<int>(count);
      break;
    }
    case BinaryOp::Eq:
    case BinaryOp::Ne:
    case BinaryOp::Lt:
    case BinaryOp::Le:
    case BinaryOp::Gt:
    case BinaryOp::Ge: return compare(op, a, b);
    case BinaryOp::And:
    case BinaryOp::Or: return {std::nullopt, FoldFailure::NotFoldable};
  }
  if (scalar) {
    if (result >= smallestOf(*scalar) && result <= largestOf(*scalar)) return {ConstValue::ofInt(result)};
    return {isSigned ? std::nullopt : std::optional(ConstValue::ofInt(wrapTo(*scalar, result))),
            isSigned ? FoldFailure::Overflow : FoldFailure::None};
  }
  if (result > wideLimit || result < -wideLimit) return {std::nullopt, FoldFailure::Overflow};
  return {ConstValue::ofInt(result)};
}

Folded foldFloat(BinaryOp op, double a, double b, std::optional<Scalar> scalar) {
  double result = 0;
  switch (op) {
    case BinaryOp::Add: result = a + b; break;
    case BinaryOp::Sub: result = a - b; break;
    case BinaryOp::Mul: result = a * b; break;
    case BinaryOp::Div: result = a / b; break;
    case BinaryOp::Rem: result = std::fmod(a, b); break;
    case BinaryOp::BitAnd:
    case BinaryOp::BitOr:
    case BinaryOp::BitXor:
    case BinaryOp::Shl:
    case BinaryOp::Shr:
    case BinaryOp::And:
    case BinaryOp::Or: return {std::nullopt, FoldFailure::NotFoldable};
    case BinaryOp::Eq:
    case BinaryOp::Ne:
    case BinaryOp::Lt:
    case BinaryOp::Le:
    case BinaryOp::Gt:
    case BinaryOp::Ge: return compare(op, a, b);
  }
  if (scalar) result = roundTo(*scalar, result).value;  // of at most half the digits: rounding twice is rounding once
  return {ConstValue::ofFloat(result)};
}

double realOf(const ConstValue& value) {
  return value.kind == ConstValue::Kind::Float ? value.real : static_cast<double>(value.integer);
}

/// The exact value rounded to odd: what narrower types round from.
double oddOf(const ConstValue& value) {
  return value.kind == ConstValue::Kind::Float ? roundedToOdd(value.real, static_cast<int>(value.integer))
                                               : roundedToOdd(value.integer);
}

}  // namespace

std::string spell(const ConstValue& value) {
  switch (value.kind) {
    case ConstValue::Kind::Bool: return value.integer ? "true" : "false";
    case ConstValue::Kind::Int: return spellWide(value.integer);
    case ConstValue::Kind::Float: {
      std::string text = fmt::format("{}", value.real);
      return text;
    }
    case ConstValue::Kind::String: return "\"" + value.text + "\"";
    case ConstValue::Kind::Items: {
      std::string text = "[";
      for (const ConstValue& item : value.items) text += (text.size() > 1 ? ", " : "") + spell(item);
      return text + "]";
    }
  }
  return {};
}

Wide smallestOf(Scalar scalar) {
  if (!isSignedInteger(scalar)) return 0;
  return -(Wide{1} << (bitsOf(scalar) - 1));
}
Wide largestOf(Scalar scalar) {
  if (scalar == Scalar::Bool) return 1;
  return (Wide{1} << (bitsOf(scalar) - (isSignedInteger(scalar) ? 1 : 0))) - 1;
}
Wide wrapTo(Scalar scalar, Wide value) {
  const unsigned bits = bitsOf(scalar);
  const Wide modulus = Wide{1} << bits;
  Wide low = value & (modulus - 1);
  if (isSignedInteger(scalar) && low >= (modulus >> 1)) low -= modulus;
  return low;
}

Folded fold(BinaryOp op, const ConstValue& left, const ConstValue& right, std::optional<Scalar> scalar) {
  using Kind = ConstValue::Kind;
  auto isOne = [](const ConstValue& value) { return value.kind != Kind::String && value.kind != Kind::Items; };
  if (!isOne(left) || !isOne(right)) return {std::nullopt, FoldFailure::NotFoldable};
  if (left.kind == Kind::Bool || right.kind == Kind::Bool) {
    if (left.kind != right.kind) return {std::nullopt, FoldFailure::NotFoldable};
    if (op == BinaryOp::And) return ofBool(left.integer && right.integer);
    if (op == BinaryOp::Or) return ofBool(left.integer || right.integer);
    if (op == BinaryOp::Eq || op == BinaryOp::Ne) return compare(op, left.integer, right.integer);
    return {std::nullopt, FoldFailure::NotFoldable};
  }
  if (left.kind == Kind::Int && right.kind == Kind::Int && !(scalar && isFloat(*scalar)))
    return foldInt(op, left.integer, right.integer, scalar);
  return foldFloat(op, realOf(left), realOf(right), scalar);
}

Folded fold(UnaryOp op, const ConstValue& operand, std::optional<Scalar> scalar) {
  using Kind = ConstValue::Kind;
  switch (op) {
    case UnaryOp::Neg:
      if (operand.kind == Kind::Float) return {ConstValue{Kind::Float, -operand.integer, -operand.real, {}}};
      if (operand.kind == Kind::Int) {
        Wide result = -operand.integer;
        if (scalar && (result < smallestOf(*scalar) || result > largestOf(*scalar))) {
          if (isUnsignedInteger(*scalar)) return {ConstValue::ofInt(wrapTo(*scalar, result))};
          return {std::nullopt, FoldFailure::Overflow};
        }
        return {ConstValue::ofInt(result)};
      }
      break;
    case UnaryOp::Not:
      if (operand.kind == Kind::Bool) return ofBool(!operand.integer);
      break;
    case UnaryOp::BitNot:
      if (operand.kind == Kind::Int)
        return {ConstValue::ofInt(scalar ? wrapTo(*scalar, ~operand.integer) : ~operand.integer)};
      break;
    case UnaryOp::AddressOf: break;
  }
  return {std::nullopt, FoldFailure::NotFoldable};
}

ConstValue convertConst(const ConstValue& value, Scalar to) {
  using Kind = ConstValue::Kind;
  if (to == Scalar::Bool) return ConstValue::ofBool(value.kind == Kind::Float ? value.real != 0 : value.integer != 0);
  if (isFloat(to)) {
    if (to == Scalar::F64) return ConstValue::ofFloat(realOf(value));
    return ConstValue::ofFloat(roundTo(to, oddOf(value)).value);
  }
  if (value.kind != Kind::Float) return ConstValue::ofInt(wrapTo(to, value.integer));
  if (std::isnan(value.real)) return ConstValue::ofInt(0);
  const Wide low = smallestOf(to), high = largestOf(to);
  if (value.real <= static_cast<double>(low)) return ConstValue::ofInt(low);
  if (value.real >= static_cast<double>(high)) return ConstValue::ofInt(high);
  return ConstValue::ofInt(static_cast<Wide>(value.real));
}

bool fits(const ConstValue& value, Scalar to) {
  using Kind = ConstValue::Kind;
  switch (value.kind) {
    case Kind::Bool: return to == Scalar::Bool;
    case Kind::String:
    case Kind::Items: return false;
    case Kind::Int:
      if (to == Scalar::Bool) return false;
      if (isInteger(to)) return value.integer >= smallestOf(to) && value.integer <= largestOf(to);
      {
        // An integer becomes a float where the float has exactly its value.
        const Wide magnitude = value.integer < 0 ? -value.integer : value.integer;
        if (magnitude > (Wide{1} << 64)) return false;
        const Rounded rounded = roundTo(to, static_cast<double>(value.integer));
        return !rounded.overflows && static_cast<Wide>(rounded.value) == value.integer;
      }
    case Kind::Float:
      if (!isFloat(to)) return false;
      return !roundTo(to, oddOf(value)).overflows;
  }
  return false;
}

}  // namespace rad::sema

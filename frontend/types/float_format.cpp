// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/types/float_format.h"

#include <llvm/ADT/APFloat.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace rad {
namespace {

const llvm::fltSemantics& semanticsOf(Scalar scalar) {
  switch (scalar) {
    case Scalar::F16: return llvm::APFloat::IEEEhalf();
    case Scalar::BF16: return llvm::APFloat::BFloat();
    case Scalar::F32: return llvm::APFloat::IEEEsingle();
    case Scalar::F8E4M3: return llvm::APFloat::Float8E4M3FN();
    case Scalar::F8E5M2: return llvm::APFloat::Float8E5M2();
    case Scalar::F64:
    case Scalar::Bool:
    case Scalar::I8:
    case Scalar::I16:
    case Scalar::I32:
    case Scalar::I64:
    case Scalar::U8:
    case Scalar::U16:
    case Scalar::U32:
    case Scalar::U64:
    case Scalar::Index: break;
  }
  return llvm::APFloat::IEEEdouble();
}

struct Decimal {  // 0.DIGITS times 10 to the power EXPONENT, without zeros at either end
  std::string digits;
  long exponent = 0;
};

Decimal readDecimal(std::string_view text) {
  Decimal result;
  size_t at = 0;
  bool behindPoint = false;
  for (; at < text.size() && (std::isdigit(static_cast<unsigned char>(text[at])) || text[at] == '_' || text[at] == '.');
       ++at) {
    behindPoint |= text[at] == '.';
    if (text[at] == '_' || text[at] == '.') continue;
    result.digits += text[at];
    if (!behindPoint) ++result.exponent;
  }
  if (at < text.size() && (text[at] | 0x20) == 'e') {
    std::string power;
    for (char c : text.substr(at + 1))
      if (c != '_') power += c;
    result.exponent += std::clamp(std::strtol(power.c_str(), nullptr, 10), -1000000L, 1000000L);
  }
  size_t zeros = std::min(result.digits.find_first_not_of('0'), result.digits.size());
  result.digits.erase(0, zeros);
  result.digits.erase(result.digits.find_last_not_of('0') + 1);
  result.exponent = result.digits.empty() ? 0 : result.exponent - static_cast<long>(zeros);
  return result;
}

}  // namespace

int compareLiteral(std::string_view text, double value) {
  char exact[800];  // no double has more digits
  std::snprintf(exact, sizeof exact, "%.770e", value);
  const Decimal written = readDecimal(text), found = readDecimal(exact);
  if (written.digits.empty() || found.digits.empty()) return !written.digits.empty() - !found.digits.empty();
  if (written.exponent != found.exponent) return written.exponent > found.exponent ? 1 : -1;
  const int order = written.digits.compare(found.digits);
  return (order > 0) - (order < 0);
}

double roundedToOdd(double nearest, int side) {
  // The nearest double itself where it is exact or its last bit is set, else its neighbour on the other side of the
  // number.
  const uint64_t bits = std::bit_cast<uint64_t>(nearest);
  if ((bits & 1) != 0 || side == 0) return nearest;
  return std::bit_cast<double>((side > 0) == !std::signbit(nearest) ? bits + 1 : bits - 1);
}

Rounded roundTo(Scalar to, double value) {
  if (to == Scalar::F64 || std::isnan(value)) return {value};
  const bool hasInfinity = to != Scalar::F8E4M3;
  if (std::isinf(value)) return hasInfinity ? Rounded{value} : Rounded{std::copysign(448.0, value), true};
  llvm::APFloat number(value);
  bool exact = false;
  const auto status = number.convert(semanticsOf(to), llvm::APFloat::rmNearestTiesToEven, &exact);
  const bool overflows = (status & llvm::APFloat::opOverflow) != 0 || !number.isFinite();
  if (overflows && !hasInfinity) return {std::copysign(448.0, value), true};
  return {number.convertToDouble(), overflows};
}

unsigned significantBits(Scalar scalar) { return llvm::APFloat::semanticsPrecision(semanticsOf(scalar)); }

uint64_t bitsOfFloat(Scalar scalar, double value) {
  llvm::APFloat number(value);
  bool exact = false;
  number.convert(semanticsOf(scalar), llvm::APFloat::rmNearestTiesToEven, &exact);
  return number.bitcastToAPInt().getZExtValue();
}

double roundedToOdd(__int128 value) {
  const bool negative = value < 0;
  auto rest = static_cast<unsigned __int128>(negative ? -value : value);
  int exponent = 0;
  bool lost = false;
  for (; rest >> 53; ++exponent) {
    lost |= (rest & 1) != 0;
    rest >>= 1;
  }
  const double size = std::ldexp(static_cast<double>(static_cast<uint64_t>(rest) | (lost ? 1 : 0)), exponent);
  return negative ? -size : size;
}

}  // namespace rad

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/lower/interval.h"

#include <algorithm>
#include <initializer_list>

namespace rad::cg {
namespace {

using Wide = __int128;
constexpr Wide minI64 = std::numeric_limits<int64_t>::min();
constexpr Wide maxI64 = std::numeric_limits<int64_t>::max();

}  // namespace

Interval intervalOf(BinaryOp op, const Interval& a, const Interval& b, bool& exact) {
  auto hull = [&](std::initializer_list<Wide> values) -> Interval {
    Wide low = *std::min_element(values.begin(), values.end()), high = *std::max_element(values.begin(), values.end());
    exact = low >= minI64 && high <= maxI64;
    return exact ? Interval{static_cast<int64_t>(low), static_cast<int64_t>(high)} : Interval{};
  };
  Wide al = a.low, ah = a.high, bl = b.low, bh = b.high;
  exact = false;
  switch (op) {
    case BinaryOp::Add: return hull({al + bl, ah + bh});
    case BinaryOp::Sub: return hull({al - bh, ah - bl});
    case BinaryOp::Mul:
      if (a.isFull() || b.isFull()) return {};
      return hull({al * bl, al * bh, ah * bl, ah * bh});
    case BinaryOp::Div:
      if (bl > 0) return hull({al / bl, al / bh, ah / bl, ah / bh});
      if (a.low > minI64) {
        Wide most = std::max(al < 0 ? -al : al, ah < 0 ? -ah : ah);
        return hull({-most, most});
      }
      return {};
    case BinaryOp::Rem: {
      if (b.low == minI64) return {};
      Wide most = std::max(bl < 0 ? -bl : bl, bh < 0 ? -bh : bh);
      most = most > 0 ? most - 1 : 0;
      return hull({al < 0 ? std::max(-most, al) : Wide(0), ah > 0 ? std::min(most, ah) : Wide(0)});
    }
    case BinaryOp::BitAnd:
      if (al >= 0 && bl >= 0) return hull({0, std::min(ah, bh)});
      if (bl >= 0) return hull({0, bh});
      if (al >= 0) return hull({0, ah});
      return {};
    case BinaryOp::Shr:
      if (al >= 0) return hull({0, ah});
      return hull({al, ah > 0 ? ah : Wide(0)});
    case BinaryOp::BitOr:
    case BinaryOp::BitXor:
    case BinaryOp::Shl:
    case BinaryOp::Eq:
    case BinaryOp::Ne:
    case BinaryOp::Lt:
    case BinaryOp::Le:
    case BinaryOp::Gt:
    case BinaryOp::Ge:
    case BinaryOp::And:
    case BinaryOp::Or: break;
  }
  return {};
}

}  // namespace rad::cg

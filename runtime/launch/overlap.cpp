// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A view names the elements offset + i0*s0 + i1*s1 + ..., 0 <= ik < nk. Two views share one exactly if
//
//     i0*s0 + i1*s1 + ... - j0*t0 - j1*t1 - ... = offset of b - offset of a
//
// has a solution within the bounds: a linear equation in at most eight bounded whole numbers. Putting n-1-j in place of
// each j makes all coefficients positive. The search fixes the unknown of the largest coefficient first; the values it
// can take are few, because the rest must be able to make up for them: for strides that come from a row-major array,
// about two. What the rest can make is bounded by its sum, and a multiple of the greatest common divisor of its
// coefficients; two unknowns are solved directly.
#include "runtime/launch/overlap.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

namespace rad::rt {
namespace {

using Wide = __int128;

/// One unknown: 0 <= value <= most, counted with its positive coefficient.
struct Unknown {
  Wide coefficient = 0, most = 0;
  bool isOfA = false;
};

Wide floorDiv(Wide a, Wide b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }
Wide ceilDiv(Wide a, Wide b) { return -floorDiv(-a, b); }

/// g = gcd(a, b) = a*x + b*y, for positive a and b (Euclid's algorithm, extended).
Wide extendedGcd(Wide a, Wide b, Wide& x, Wide& y) {
  Wide x0 = 1, x1 = 0, y0 = 0, y1 = 1;
  while (b != 0) {
    Wide q = a / b;
    std::tie(a, b) = std::pair{b, a - q * b};
    std::tie(x0, x1) = std::pair{x1, x0 - q * x1};
    std::tie(y0, y1) = std::pair{y1, y0 - q * y1};
  }
  x = x0, y = y0;
  return a;
}

class Search {
 public:
  explicit Search(std::vector<Unknown> unknowns) : unknowns_(std::move(unknowns)), values_(unknowns_.size()) {
    std::ranges::sort(unknowns_, [](const Unknown& a, const Unknown& b) { return a.coefficient > b.coefficient; });
    sums_.assign(unknowns_.size() + 1, 0);
    divisors_.assign(unknowns_.size() + 1, 0);
    for (size_t i = unknowns_.size(); i-- > 0;) {
      sums_[i] = sums_[i + 1] + unknowns_[i].coefficient * unknowns_[i].most;
      divisors_[i] = std::gcd(static_cast<int64_t>(unknowns_[i].coefficient), static_cast<int64_t>(divisors_[i + 1]));
    }
  }

  /// Values that make `target`, or nothing. `gaveUp` is set where the budget ended first.
  bool solve(Wide target, bool& gaveUp) {
    bool found = solve(0, target);
    gaveUp = !found && budget_ < 0;
    return found;
  }
  /// The distance of the element that was found from the first one of `a`.
  Wide distance() const {
    Wide sum = 0;
    for (size_t i = 0; i < unknowns_.size(); ++i)
      if (unknowns_[i].isOfA) sum += values_[i] * unknowns_[i].coefficient;
    return sum;
  }

 private:
  bool solve(size_t at, Wide target) {
    if (--budget_ < 0) return false;
    if (target < 0 || target > sums_[at]) return false;
    if (at == unknowns_.size()) return target == 0;
    if (target % divisors_[at] != 0) return false;
    const Unknown& u = unknowns_[at];
    if (at + 1 == unknowns_.size()) {
      values_[at] = target / u.coefficient;
      return values_[at] <= u.most;
    }
    if (at + 2 == unknowns_.size()) return solveTwo(at, target);
    Wide low = std::max<Wide>(0, ceilDiv(target - sums_[at + 1], u.coefficient));
    Wide high = std::min(u.most, floorDiv(target, u.coefficient));
    for (Wide value = high; value >= low; --value) {
      values_[at] = value;
      if (solve(at + 1, target - value * u.coefficient)) return true;
      if (budget_ < 0) return false;
    }
    return false;
  }

  bool solveTwo(size_t at, Wide target) {
    const Unknown &u = unknowns_[at], &v = unknowns_[at + 1];
    Wide x = 0, y = 0;
    Wide g = extendedGcd(u.coefficient, v.coefficient, x, y);
    if (target % g != 0) return false;
    // All solutions: (first + k * periodU, second - k * periodV). The coefficients and the target are below 2^62, so
    // that the products of the first one stay below 2^124.
    Wide periodU = v.coefficient / g, periodV = u.coefficient / g;
    Wide first = (x % periodU) * ((target / g) % periodU) % periodU;
    if (first < 0) first += periodU;
    Wide second = (target - first * u.coefficient) / v.coefficient;
    Wide low = 0, high = floorDiv(u.most - first, periodU);  // 0 <= first + k*periodU <= most
    low = std::max(low, ceilDiv(second - v.most, periodV));  // second - k*periodV <= most
    high = std::min(high, floorDiv(second, periodV));        // second - k*periodV >= 0
    if (low > high) return false;
    values_[at] = first + low * periodU;
    values_[at + 1] = second - low * periodV;
    return true;
  }

  std::vector<Unknown> unknowns_;
  std::vector<Wide> values_, sums_, divisors_;
  int budget_ = 20000;  // well below a millisecond
};

}  // namespace

int64_t ViewArgument::stride(size_t axis) const {
  if (extents[axis] <= 1) return 0;
  if (isStrided()) return strides[axis];
  int64_t distance = 1;
  for (size_t later = axis + 1; later < static_cast<size_t>(rank); ++later) distance *= extents[later];
  return distance;
}

int64_t ViewArgument::span() const {
  int64_t last = 0;
  for (size_t axis = 0; axis < static_cast<size_t>(rank); ++axis) {
    if (extents[axis] == 0) return 0;
    last += (extents[axis] - 1) * stride(axis);
  }
  return last + 1;
}

Overlap compareElements(const ViewArgument& a, const ViewArgument& b) {
  if (a.count() == 0 || b.count() == 0) return {};
  if (a.offset + a.span() <= b.offset || b.offset + b.span() <= a.offset) return {};
  auto sameAlong = [&](size_t axis) { return a.extents[axis] == b.extents[axis] && a.stride(axis) == b.stride(axis); };
  bool same = a.offset == b.offset && a.rank == b.rank;
  for (size_t axis = 0; same && axis < static_cast<size_t>(a.rank); ++axis) same = sameAlong(axis);
  if (same) return {Overlap::Kind::Same, a.offset};

  std::vector<Unknown> unknowns;
  // sum i*s - sum j*t = b.offset - a.offset; with j = most - j' this is sum i*s + sum j'*t = b.offset - a.offset + sum
  // most*t.
  Wide target = static_cast<Wide>(b.offset) - a.offset;
  auto add = [&](const ViewArgument& view, bool isOfA) {
    for (size_t axis = 0; axis < static_cast<size_t>(view.rank); ++axis) {
      Wide most = view.extents[axis] - 1, stride = view.stride(axis);
      if (most == 0) continue;
      if (!isOfA) target += most * stride;
      unknowns.push_back({stride, most, isOfA});
    }
  };
  add(a, true);
  add(b, false);
  Search search(std::move(unknowns));
  bool gaveUp = false;
  if (search.solve(target, gaveUp)) return {Overlap::Kind::Shared, static_cast<int64_t>(a.offset + search.distance())};
  if (gaveUp) return {Overlap::Kind::Unknown, 0};
  return {};
}

std::string elementsText(const ViewArgument& view) {
  int64_t first = view.offset, last = first + view.span();
  if (view.span() == view.count()) return fmt::format("elements {}..{}", first, last);
  int64_t step = 0, axes = 0;
  for (size_t axis = 0; axis < static_cast<size_t>(view.rank); ++axis)
    if (view.extents[axis] > 1) step = view.stride(axis), ++axes;
  if (axes == 1) return fmt::format("elements {}..{} in steps of {}", first, last, step);
  return fmt::format("some of the elements {}..{}", first, last);
}

}  // namespace rad::rt

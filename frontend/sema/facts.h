// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is known about whole numbers: linear inequalities over values that do not change, and a small prover.
#pragma once

#include "frontend/sema/const_value.h"

#include <cstddef>
#include <utility>
#include <vector>

namespace rad::sema {

/// A value that is fixed within the scope of the facts about it.
using Atom = uint32_t;

/// Inclusive bounds. Wide enough that adding and scaling what a program can hold stays exact.
struct Interval {
  Wide low = -unbounded, high = unbounded;
  static constexpr Wide unbounded = Wide{1} << 100;
  bool within(Wide a, Wide b) const { return low >= a && high <= b; }
};

/// constant + sum of coefficient * atom; terms are sorted by atom, no coefficient is 0.
struct Linear {
  Wide constant = 0;
  std::vector<std::pair<Atom, Wide>> terms;
  bool operator==(const Linear&) const = default;

  static Linear of(Wide value) { return {value, {}}; }
  static Linear of(Atom atom) { return {0, {{atom, 1}}}; }
  bool isConstant() const { return terms.empty(); }
  Wide coefficient(Atom atom) const;
  Linear scaled(Wide factor) const;
  friend Linear operator+(const Linear& a, const Linear& b);
  friend Linear operator-(const Linear& a, const Linear& b) { return a + b.scaled(-1); }
  friend Linear operator+(const Linear& a, Wide b) {
    Linear sum = a;
    sum.constant += b;
    return sum;
  }
  friend Linear operator-(const Linear& a, Wide b) { return a + (-b); }
};

/// Atoms with their ranges, and inequalities `form >= 0` in a stack of scopes.
class FactBase {
 public:
  Atom fresh(Interval range) {
    ranges_.push_back(range);
    factsOf_.emplace_back();
    return static_cast<Atom>(ranges_.size() - 1);
  }
  /// A value that equals one of the two: `a` only where all of `whenA` (>= 0) hold, `b` only where all of `whenB` do.
  Atom oneOf(const Linear& a, const Linear& b, std::vector<Linear> whenA = {}, std::vector<Linear> whenB = {});
  Interval range(Atom atom) const { return ranges_[atom]; }
  /// Bounds of a form from the ranges of its atoms alone.
  Interval range(const Linear& form) const;
  /// From now on, until the scope is left, form >= 0.
  void assume(const Linear& form);
  /// True if form >= 0 follows. May be false although it does; never true although it does not.
  bool prove(const Linear& form);

  /// Up to `most` facts that the atom stands in: the oldest, which come from signatures, and the newest.
  std::vector<Linear> about(Atom atom, size_t most) const;
  /// True if exactly this has been assumed, or needs no assuming.
  bool knows(const Linear& form) const;

  size_t mark() const { return facts_.size(); }
  void leave(size_t mark);
  /// What was assumed since the mark.
  std::vector<Linear> since(size_t mark) const {
    return {facts_.begin() + static_cast<std::ptrdiff_t>(mark), facts_.end()};
  }

 private:
  struct Choice {
    Atom atom;
    Linear a, b;
    std::vector<Linear> whenA, whenB;
  };
  bool search(const Linear& form, unsigned depth, unsigned& budget) const;
  bool proveCases(const Linear& form, unsigned depth, unsigned& budget);
  std::vector<Interval> ranges_;
  std::vector<Linear> facts_;
  std::vector<std::vector<uint32_t>> factsOf_;  // by atom: the facts that it stands in, ascending
  std::vector<Choice> choices_;                 // by atom, ascending
};

}  // namespace rad::sema

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/sema/facts.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace rad::sema {
namespace {

constexpr Wide coefficientLimit = Wide{1} << 58;
constexpr Wide constantLimit = Wide{1} << 66;
constexpr size_t oldestFacts = 24, newestFacts = 48;

Wide magnitude(Wide value) { return value < 0 ? -value : value; }

Wide gcd(Wide a, Wide b) {
  while (b) a = std::exchange(b, a % b);
  return a;
}

Wide clampWide(Wide value) { return std::clamp(value, -Interval::unbounded, Interval::unbounded); }

/// coefficient * bound, where bounds are at most 2^100 and coefficients below 2^62: kept inside of the limits.
Wide scaleBound(Wide coefficient, Wide bound) {
  if (magnitude(bound) >= Interval::unbounded)
    return (coefficient < 0) == (bound < 0) ? Interval::unbounded : -Interval::unbounded;
  if (bound != 0 && magnitude(coefficient) > Interval::unbounded / magnitude(bound))
    return (coefficient < 0) == (bound < 0) ? Interval::unbounded : -Interval::unbounded;
  return clampWide(coefficient * bound);
}

/// Divides an inequality by what its coefficients share; the constant rounds down, which is exact for whole numbers.
/// False if the numbers grow too large to go on.
bool reduce(Linear& form) {
  Wide shared = 0;
  for (const auto& [atom, coefficient] : form.terms) {
    if (magnitude(coefficient) > coefficientLimit) return false;
    shared = gcd(shared, magnitude(coefficient));
  }
  if (magnitude(form.constant) > constantLimit) return false;
  if (shared > 1) {
    for (auto& [atom, coefficient] : form.terms) coefficient /= shared;
    Wide quotient = form.constant / shared;
    if (form.constant % shared < 0) --quotient;
    form.constant = quotient;
  }
  return true;
}

}  // namespace

Wide Linear::coefficient(Atom atom) const {
  auto it = std::lower_bound(terms.begin(), terms.end(), atom, [](const auto& term, Atom a) { return term.first < a; });
  return it != terms.end() && it->first == atom ? it->second : 0;
}

Linear Linear::scaled(Wide factor) const {
  if (factor == 0) return {};
  Linear result = *this;
  result.constant *= factor;
  for (auto& [atom, coefficient] : result.terms) coefficient *= factor;
  return result;
}

Linear operator+(const Linear& a, const Linear& b) {
  Linear sum{a.constant + b.constant, {}};
  sum.terms.reserve(a.terms.size() + b.terms.size());
  auto x = a.terms.begin();
  auto y = b.terms.begin();
  while (x != a.terms.end() || y != b.terms.end()) {
    if (y == b.terms.end() || (x != a.terms.end() && x->first < y->first)) {
      sum.terms.push_back(*x++);
    } else if (x == a.terms.end() || y->first < x->first) {
      sum.terms.push_back(*y++);
    } else {
      if (x->second + y->second != 0) sum.terms.emplace_back(x->first, x->second + y->second);
      ++x;
      ++y;
    }
  }
  return sum;
}

Interval FactBase::range(const Linear& form) const {
  Interval result{form.constant, form.constant};
  for (const auto& [atom, coefficient] : form.terms) {
    const Interval& atomRange = ranges_[atom];
    const Wide a = scaleBound(coefficient, atomRange.low), b = scaleBound(coefficient, atomRange.high);
    // Once unbounded, a side stays so.
    auto add = [](Wide sum, Wide term) {
      return magnitude(sum) >= Interval::unbounded    ? sum
             : magnitude(term) >= Interval::unbounded ? term
                                                      : clampWide(sum + term);
    };
    result.low = add(result.low, std::min(a, b));
    result.high = add(result.high, std::max(a, b));
  }
  return result;
}

void FactBase::assume(const Linear& form) {
  if (form.isConstant()) return;
  Linear fact = form;
  if (!reduce(fact)) return;
  if (range(fact).low >= 0) return;  // says nothing new
  for (const auto& [atom, coefficient] : fact.terms) factsOf_[atom].push_back(static_cast<uint32_t>(facts_.size()));
  facts_.push_back(std::move(fact));
}

std::vector<Linear> FactBase::about(Atom atom, size_t most) const {
  const std::vector<uint32_t>& all = factsOf_[atom];
  std::vector<Linear> some;
  for (size_t i = 0; i < all.size(); ++i)
    if (i < most / 2 || all.size() - i <= most - most / 2) some.push_back(facts_[all[i]]);
  return some;
}

bool FactBase::knows(const Linear& form) const {
  Linear fact = form;
  if (form.isConstant() || !reduce(fact)) return true;  // assume() drops these
  for (uint32_t about : factsOf_[fact.terms.front().first])
    if (facts_[about] == fact) return true;
  return false;
}

void FactBase::leave(size_t mark) {
  while (facts_.size() > mark) {
    for (const auto& [atom, coefficient] : facts_.back().terms) factsOf_[atom].pop_back();
    facts_.pop_back();
  }
}

Atom FactBase::oneOf(const Linear& a, const Linear& b, std::vector<Linear> whenA, std::vector<Linear> whenB) {
  const Interval x = range(a), y = range(b);
  const Atom atom = fresh({std::min(x.low, y.low), std::max(x.high, y.high)});
  choices_.push_back({atom, a, b, std::move(whenA), std::move(whenB)});
  return atom;
}

bool FactBase::prove(const Linear& form) {
  unsigned budget = 1500;
  return proveCases(form, 3, budget);
}

bool FactBase::proveCases(const Linear& form, unsigned depth, unsigned& budget) {
  Linear goal = form;
  if (!reduce(goal)) return false;
  // Short proofs first: most need one or two facts, however many there are.
  for (unsigned steps : {1u, 2u, 5u}) {
    unsigned some = std::min(budget, 500u);
    const unsigned given = some;
    if (search(goal, steps, some)) return true;
    budget -= given - some;
  }
  if (!depth) return false;
  // A value that is one of two: both cases have to hold. The youngest first, its cases may hold older ones.
  for (auto term = goal.terms.rbegin(); term != goal.terms.rend(); ++term) {
    auto found = std::lower_bound(choices_.begin(), choices_.end(), term->first,
                                  [](const Choice& c, Atom atom) { return c.atom < atom; });
    if (found == choices_.end() || found->atom != term->first) continue;
    const Choice choice = *found;
    const Wide coefficient = term->second;
    const Linear rest = goal - Linear::of(term->first).scaled(coefficient);
    auto holds = [&](const Linear& value, const std::vector<Linear>& when) {
      const size_t start = mark();
      for (const Linear& fact : when) assume(fact);
      const bool proven = proveCases(rest + value.scaled(coefficient), depth - 1, budget);
      leave(start);
      return proven;
    };
    return holds(choice.a, choice.whenA) && holds(choice.b, choice.whenB);
  }
  return false;
}

bool FactBase::search(const Linear& goal, unsigned depth, unsigned& budget) const {
  if (range(goal).low >= 0) return true;
  if (!depth) return false;
  // An atom that can make the goal as negative as it likes has to go, whatever else is done: look no further than at
  // the worst of these.
  std::optional<Atom> must;
  Wide worst = -(Wide{1} << 50);
  for (const auto& [atom, coefficient] : goal.terms) {
    const Interval& atomRange = ranges_[atom];
    const Wide contribution = scaleBound(coefficient, coefficient > 0 ? atomRange.low : atomRange.high);
    if (contribution >= worst) continue;
    worst = contribution;
    must = atom;
  }
  for (const auto& [atom, coefficient] : goal.terms) {
    if (must && atom != *must) continue;
    const std::vector<uint32_t>& about = factsOf_[atom];
    for (size_t i = about.size(); i-- > 0;) {
      // Long code makes many facts about few values: the first come from the signature, the last from close by.
      if (i >= oldestFacts && about.size() - i > newestFacts) i = oldestFacts - 1;
      const Linear& fact = facts_[about[i]];
      const Wide other = fact.coefficient(atom);
      if ((other < 0) != (coefficient < 0)) continue;
      // With fact >= 0, goal >= 0 follows from k * goal - m * fact + (k - 1) >= 0, where the atom is gone: a whole
      // number that is at least -(k - 1) / k is at least 0.
      if (!budget) return false;
      --budget;
      const Wide shared = gcd(magnitude(other), magnitude(coefficient));
      const Wide k = magnitude(other) / shared, m = magnitude(coefficient) / shared;
      Linear rest = goal.scaled(k) - fact.scaled(m) + (k - 1);
      if (!reduce(rest)) continue;
      if (rest.terms.size() > goal.terms.size() + 2) continue;
      if (search(rest, depth - 1, budget)) return true;
    }
  }
  return false;
}

}  // namespace rad::sema

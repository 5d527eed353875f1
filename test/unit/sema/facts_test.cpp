// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/sema/facts.h"

#include <gtest/gtest.h>

#include <random>

namespace rad::sema {
namespace {

constexpr Wide big = Wide{1} << 60;

TEST(Facts, RangesAloneProve) {
  FactBase facts;
  const Linear t = Linear::of(facts.fresh({0, 255}));
  EXPECT_TRUE(facts.prove(t));
  EXPECT_TRUE(facts.prove(Linear::of(Wide{255}) - t));
  EXPECT_FALSE(facts.prove(Linear::of(Wide{254}) - t));
}

TEST(Facts, ChainsOfInequalities) {
  FactBase facts;
  const Linear n = Linear::of(facts.fresh({0, big}));
  const Linear t = Linear::of(facts.fresh({0, 255}));
  const Linear j = Linear::of(facts.fresh({-big, big}));
  facts.assume(j - t);      // j >= t
  facts.assume(n - 1 - j);  // j < n
  EXPECT_TRUE(facts.prove(j));
  EXPECT_TRUE(facts.prove(n - 1 - j));
  EXPECT_TRUE(facts.prove(n - 1 - t));
  EXPECT_FALSE(facts.prove(n - 2 - j));
}

TEST(Facts, WholeNumbersRoundDown) {
  FactBase facts;
  const Linear n = Linear::of(facts.fresh({0, big}));
  const Linear h = Linear::of(facts.fresh({0, big}));
  const Linear i = Linear::of(facts.fresh({0, big}));
  facts.assume(n - h.scaled(2));  // h = n / 2
  facts.assume(h.scaled(2) + 1 - n);
  facts.assume(h - 1 - i);  // i < h
  EXPECT_TRUE(facts.prove(n - 1 - i.scaled(2)));
  EXPECT_TRUE(facts.prove(n - 1 - i - h));
  EXPECT_FALSE(facts.prove(n - 1 - i.scaled(3)));
}

TEST(Facts, WholeNumbersRoundUp) {
  FactBase facts;
  const Linear n = Linear::of(facts.fresh({0, big}));
  const Linear c = Linear::of(facts.fresh({0, big}));
  const Linear i = Linear::of(facts.fresh({0, big}));
  const Linear q = Linear::of(facts.fresh({0, big}));
  facts.assume(c.scaled(4) - n);  // c = ceil_div(n, 4)
  facts.assume(n + 3 - c.scaled(4));
  facts.assume(n - 1 - i);        // i < n
  facts.assume(i - q.scaled(4));  // q = i / 4
  facts.assume(q.scaled(4) + 3 - i);
  EXPECT_TRUE(facts.prove(c - 1 - q));
  EXPECT_FALSE(facts.prove(c - 2 - q));
}

TEST(Facts, ACaseMayUseItsCondition) {
  FactBase facts;
  const Linear i = Linear::of(facts.fresh({0, big}));
  const Linear clipped = Linear::of(facts.oneOf(i - 5, Linear::of(Wide{0}), {i - 6}, {Linear::of(Wide{5}) - i}));
  EXPECT_TRUE(facts.prove(clipped));  // if i > 5 { i - 5 } else { 0 }
  EXPECT_TRUE(facts.prove(i - clipped));
  EXPECT_FALSE(facts.prove(i - 6));  // the condition itself does not stay
}

TEST(Facts, ScopesAreLeft) {
  FactBase facts;
  const Linear n = Linear::of(facts.fresh({0, big}));
  const Linear i = Linear::of(facts.fresh({0, big}));
  const size_t mark = facts.mark();
  facts.assume(n - 1 - i);
  EXPECT_TRUE(facts.prove(n - 1 - i));
  facts.leave(mark);
  EXPECT_FALSE(facts.prove(n - 1 - i));
}

TEST(Facts, OneOfTwoNeedsBothCases) {
  FactBase facts;
  const Linear n = Linear::of(facts.fresh({1, big}));
  const Linear i = Linear::of(facts.fresh({0, big}));
  facts.assume(n - 1 - i);
  const Linear low = Linear::of(facts.oneOf(i - 5, Linear::of(Wide{0})));  // max(i - 5, 0)
  facts.assume(low - (i - 5));
  facts.assume(low);
  EXPECT_TRUE(facts.prove(low));
  EXPECT_TRUE(facts.prove(n - 1 - low));
  const Linear either = Linear::of(facts.oneOf(i, n));
  EXPECT_TRUE(facts.prove(either));
  EXPECT_FALSE(facts.prove(n - 1 - either));
}

TEST(Facts, HugeCoefficientsGiveUpInsteadOfWrapping) {
  FactBase facts;
  const Linear a = Linear::of(facts.fresh({0, big}));
  const Linear b = Linear::of(facts.fresh({0, big}));
  facts.assume(a.scaled(Wide{1} << 57) - b.scaled(Wide{1} << 56) - 1);
  facts.assume(a.scaled((Wide{1} << 57) - 1) - b.scaled((Wide{1} << 55) + 3));
  EXPECT_FALSE(facts.prove(b.scaled((Wide{1} << 57) + 5) - a.scaled((Wide{1} << 56) + 7)));
}

/// What is proven holds for every choice of values that satisfies the facts.
TEST(Facts, NeverProvesWhatIsFalse) {
  std::mt19937 random(7);
  auto pick = [&](int low, int high) {
    return static_cast<Wide>(std::uniform_int_distribution<int>(low, high)(random));
  };
  unsigned proven = 0;
  for (int round = 0; round < 6000; ++round) {
    FactBase facts;
    std::vector<Interval> ranges;
    for (int a = 0; a < 3; ++a) {
      const Wide low = pick(-4, 4);
      ranges.push_back({low, low + pick(0, 5)});
      facts.fresh(ranges.back());
    }
    auto form = [&] {
      Linear f = Linear::of(pick(-6, 6));
      for (Atom a = 0; a < 3; ++a) f = f + Linear::of(a).scaled(pick(-4, 4));
      return f;
    };
    auto at = [](const Linear& f, const Wide* values) {
      Wide sum = f.constant;
      for (const auto& [atom, coefficient] : f.terms) sum += coefficient * values[atom];
      return sum;
    };
    std::vector<Linear> assumed;
    for (int k = 0; k < 3; ++k) {
      assumed.push_back(form());
      facts.assume(assumed.back());
    }
    const Linear goal = form();
    if (!facts.prove(goal)) continue;
    ++proven;
    Wide v[3];
    for (v[0] = ranges[0].low; v[0] <= ranges[0].high; ++v[0])
      for (v[1] = ranges[1].low; v[1] <= ranges[1].high; ++v[1])
        for (v[2] = ranges[2].low; v[2] <= ranges[2].high; ++v[2]) {
          bool holds = true;
          for (const Linear& fact : assumed) holds = holds && at(fact, v) >= 0;
          if (holds) {
            ASSERT_GE(at(goal, v), 0) << "round " << round;
          }
        }
  }
  EXPECT_GT(proven, 100u);
}

}  // namespace
}  // namespace rad::sema

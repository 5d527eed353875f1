// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The checker keeps two accesses of a kind; what it finds with these is compared with a look at all pairs.
#include "runtime/host/access_checker.h"

#include <gtest/gtest.h>

#include <random>

namespace rad::rt {
namespace {

using cg::AccessWhat;

struct Made {
  uint64_t from, to;
  uint32_t block, epoch, thread;  // thread ~0: the block as a whole
  AccessWhat what;
};

bool isRace(const Made& a, const Made& b) {
  if (a.to <= b.from || b.to <= a.from) return false;
  if (!has(a.what, AccessWhat::Writes) && !has(b.what, AccessWhat::Writes)) return false;
  const bool isOneBlock = a.block == b.block;
  if (isOneBlock && (a.epoch != b.epoch || a.thread == b.thread || a.thread == ~0u || b.thread == ~0u)) return false;
  const bool areAtomic = has(a.what, AccessWhat::Atomic) && has(b.what, AccessWhat::Atomic);
  return !areAtomic || (!isOneBlock && (has(a.what, AccessWhat::BlockScope) || has(b.what, AccessWhat::BlockScope)));
}

/// Some accesses of few threads to few bytes, so that about half of the trials have a race.
void compare(unsigned seed, bool isForall, unsigned most) {
  std::mt19937 random(seed);
  auto below = [&](uint32_t end) { return static_cast<uint32_t>(random() % end); };
  constexpr uint64_t base = 0x10000;
  CheckedAccesses accesses;
  accesses.places.resize(1);
  static AccessChecker::Memory memory;  // nothing of one launch is known in the next
  AccessChecker checker(accesses, {{base, 64}}, uint64_t{1} << 30, memory);
  const uint32_t blocks = 1 + below(3), epochs = isForall ? 1 : 1 + below(3), threads = isForall ? 1 : 1 + below(4);
  checker.axis(0, 0, blocks, 1);
  if (!isForall) checker.threads(0, 0, threads);
  std::vector<Made> all;
  unsigned rest = below(most);
  auto make = [&](uint32_t block, uint32_t epoch, uint32_t thread) {
    for (; rest > 0 && below(2); --rest) {
      // Every second trial: one element, which is seldom written.
      const uint64_t bytes = seed % 2 ? 8 : uint64_t{1} << below(5),
                     from = seed % 2 ? 0 : below(static_cast<uint32_t>(48 / bytes)) * bytes;
      AccessWhat what = AccessWhat::Reads;
      if (thread != ~0u) {
        const uint32_t kind = seed % 2 && below(8) ? 0 : below(4);
        if (kind > 0) what = kind == 1 ? AccessWhat::Writes : AccessWhat::Reads | AccessWhat::Writes;
        if (kind == 3) what = what | AccessWhat::Atomic | (below(2) ? AccessWhat::BlockScope : AccessWhat::Atomic);
        if (kind == 0 && !below(8)) what = what | AccessWhat::Atomic;
      }
      checker.access(base + from, bytes, 0, what);
      all.push_back({from, from + bytes, block, epoch, thread, what});
    }
  };
  for (uint32_t block = 0; block < blocks; ++block) {
    if (!isForall) checker.block(block);
    for (uint32_t epoch = 0; epoch < epochs; ++epoch) {
      if (!isForall) make(block, epoch, ~0u);
      // Regions of the kernel that no barrier separates: all threads come again.
      for (uint32_t region = isForall ? 1 : 1 + below(3); region > 0; --region) {
        for (uint32_t thread = 0; thread < threads; ++thread) {
          checker.item(isForall ? block : thread);
          make(block, epoch, thread);
        }
        checker.item(UINT64_MAX);
      }
      if (!isForall) checker.barrier();
    }
  }
  bool expected = false;
  for (size_t i = 0; i < all.size(); ++i)
    for (size_t j = 0; j < i; ++j) expected = expected || isRace(all[i], all[j]);
  EXPECT_EQ(!checker.takeFindings().empty(), expected) << "seed " << seed << ", " << all.size() << " accesses";
}

TEST(AccessChecker, FindsWhatAllPairsShow) {
  for (unsigned seed = 0; seed < 60000; ++seed) compare(seed, seed % 3 == 0, seed % 4 < 2 ? 8 : 24);
}

TEST(AccessChecker, TellsWho) {
  CheckedAccesses accesses;
  accesses.places.resize(2);
  accesses.places[1].line = 7;
  AccessChecker::Memory memory;
  AccessChecker checker(accesses, {{0x10000, 64}}, uint64_t{1} << 30, memory);
  checker.axis(0, 5, 3, 2);
  checker.axis(1, -1, 4, 1);
  checker.item(2);
  checker.access(0x10008, 4, 0, AccessWhat::Writes);
  checker.item(9);
  checker.access(0x10008, 8, 1, AccessWhat::Reads);
  const auto findings = checker.takeFindings();
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].before.where.point[0], 5);
  EXPECT_EQ(findings[0].before.where.point[1], 1);
  EXPECT_TRUE(findings[0].before.writes);
  EXPECT_EQ(findings[0].now.where.point[0], 9);
  EXPECT_EQ(findings[0].now.where.point[1], 0);
  EXPECT_FALSE(findings[0].now.writes);
  EXPECT_EQ(findings[0].now.place.line, 7u);
}

TEST(AccessChecker, LimitsItsMemory) {
  CheckedAccesses accesses;
  accesses.places.resize(1);
  AccessChecker::Memory memory;
  AccessChecker checker(accesses, {{0, uint64_t{1} << 40}}, uint64_t{8} << 20, memory);
  checker.item(0);
  for (uint64_t at = 0; at < uint64_t{1} << 32 && !checker.isOverflown(); at += 4096)
    checker.access(at, 4, 0, AccessWhat::Writes);
  EXPECT_TRUE(checker.isOverflown());
}

}  // namespace
}  // namespace rad::rt

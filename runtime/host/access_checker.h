// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --check=race,uninit: what kernels on CPU threads do to memory, one launch at a time. A launch that is checked runs on
// one thread, point after point or block after block, so that a word needs to remember little to find every pair of
// accesses that no order keeps apart.
#pragma once

#include "runtime/host/host_device.h"

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

namespace rad::rt {

/// Addresses that a check is about: [address, address + bytes).
struct MemoryRange {
  uint64_t address = 0, bytes = 0;
};

/// Looks at the accesses of one launch. One thread.
///
/// Two accesses race if they touch a byte of an array or of shared memory, one writes, no barrier stands between them,
/// they are of two points, or threads, and not both are atomic among those. Blocks and points have no order at all;
/// threads of a block have that of barriers.
class AccessChecker {
  static constexpr uint32_t nobody = UINT32_MAX;  // no point, or the whole block
  static constexpr size_t mostFindings = 8, pageWords = 512;
  static constexpr unsigned kinds = 6;
  /// An access of some bytes of a word.
  struct Entry {
    uint64_t block;  // or point
    uint32_t thread, epoch, place;
    uint8_t kind;   // what it does: writes + 2 * (0: plain, 1: atomic, 2: atomic within the block)
    uint8_t bytes;  // one bit each
  };
  /// What is known of 8 bytes of memory.
  struct Word {
    Entry* entries = nullptr;
    uint16_t count = 0, capacity = 0;
    uint8_t stored = 0;  // shared memory: the bytes that have a value
  };
  /// Memory that is given up as a whole.
  class Arena {
   public:
    Entry* take(size_t count);
    void clear();
    uint64_t bytes() const { return chunks_.size() * chunkEntries * sizeof(Entry); }

   private:
    static constexpr size_t chunkEntries = 1 << 16;
    std::vector<std::unique_ptr<Entry[]>> chunks_;
    size_t chunk_ = 0, used_ = chunkEntries;
  };
  struct Page {
    std::array<Word, pageWords> words = {};
    bool isUsed = false;  // by this launch
  };

 public:
  /// Where checkers keep what they know, one launch after the other: memory that the system gives anew costs as much
  /// as all that is done with it.
  class Memory {
   private:
    friend class AccessChecker;
    Page& page(uint64_t number);
    uint64_t bytes() const { return ofArrays.bytes() + ofShared.bytes() + pages.size() * sizeof(Page); }
    /// Nothing is known any more. What is more than `mostBytes` is given back.
    void clear(uint64_t mostBytes);
    Arena ofArrays, ofShared;
    std::unordered_map<uint64_t, std::unique_ptr<Page>> pages;
    std::vector<Page*> used;
  };

  /// `arrays`: what lives on the device, sorted. `mostBytes`: what the checker may take.
  AccessChecker(const CheckedAccesses& accesses, std::vector<MemoryRange> arrays, uint64_t mostBytes, Memory& memory);
  ~AccessChecker();
  AccessChecker(const AccessChecker&) = delete;
  AccessChecker& operator=(const AccessChecker&) = delete;

  // What the kernel tells (rad_access_*).
  void axis(uint32_t number, int64_t low, int64_t count, int64_t step);
  void threads(uint32_t axis, int64_t low, int64_t count);
  void block(uint64_t number);
  void shared(uint64_t address, uint64_t bytes, uint32_t declaration);
  void item(uint64_t number);
  void barrier() { ++epoch_; }
  void access(uint64_t address, uint64_t bytes, uint32_t place, cg::AccessWhat what);

  /// The findings, each pair of places once. That memory which others write was read too early is told as the race that
  /// it is.
  std::vector<AccessFinding> takeFindings();
  /// Memory ran out: what came then was not looked at.
  bool isOverflown() const { return overflown_; }

 private:
  struct SharedVariable {
    MemoryRange range;
    uint32_t declaration = 0;
    std::vector<Word> words;
  };
  struct Axis {
    int64_t low = 0, count = 1, step = 1;
  };

  Word* wordOf(uint64_t address);
  bool isArray(uint64_t address);
  void look(Word& word, uint8_t bytes, uint32_t place, cg::AccessWhat what, Arena& arena);
  void add(AccessFinding::Kind kind, const Entry& before, const Entry& now);
  AccessFinding::Access describe(const Entry& entry) const;

  const CheckedAccesses& accesses_;
  const std::vector<MemoryRange> arrays_;
  const uint64_t mostBytes_;
  MemoryRange lastArray_;
  std::vector<SharedVariable> shared_;
  std::array<Axis, 4> axes_;
  std::array<Axis, 3> threads_;
  uint32_t axisCount_ = 0, threadAxes_ = 0;
  uint64_t block_ = 0;
  uint32_t thread_ = nobody, epoch_ = 0;
  bool isNobody_ = true;  // between points
  Memory& memory_;
  struct KnownPage {
    uint64_t number = UINT64_MAX;
    Page* page = nullptr;
  };
  std::array<KnownPage, 64> knownPages_;  // those looked up last
  struct Finding {
    AccessFinding::Kind kind;
    Entry before, now;  // Uninitialised: before.place is the declaration
  };
  std::vector<Finding> findings_;
  std::set<std::array<uint32_t, 3>> seen_;
  bool overflown_ = false;
};

/// The checker of the launch that runs on this thread; null: none.
extern thread_local AccessChecker* currentAccessChecker;

}  // namespace rad::rt

// What instrumented kernels call (codegen/host/access_checks.h).
extern "C" {
void rad_access_axis(int32_t axis, int64_t low, int64_t count, int64_t step);
void rad_access_threads(int32_t axis, int64_t low, int64_t count);
void rad_access_block(int64_t block);
void rad_access_shared(void* address, int64_t bytes, int32_t declaration);
void rad_access_item(int64_t item);
void rad_access_barrier(void);
void rad_access(void* address, int64_t bytes, int32_t place, int32_t what);
}

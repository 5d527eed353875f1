// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/host/access_checker.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace rad::rt {

using cg::AccessWhat;

thread_local AccessChecker* currentAccessChecker = nullptr;

AccessChecker::AccessChecker(const CheckedAccesses& accesses, std::vector<MemoryRange> arrays, uint64_t mostBytes,
                             Memory& memory)
    : accesses_(accesses), arrays_(std::move(arrays)), mostBytes_(mostBytes), memory_(memory) {}

AccessChecker::~AccessChecker() { memory_.clear(mostBytes_ / 4); }

AccessChecker::Page& AccessChecker::Memory::page(uint64_t number) {
  auto& page = pages[number];
  if (!page) page = std::make_unique<Page>();
  if (!std::exchange(page->isUsed, true)) used.push_back(page.get());
  return *page;
}

void AccessChecker::Memory::clear(uint64_t mostBytes) {
  if (bytes() > mostBytes) {
    *this = {};
    return;
  }
  ofArrays.clear();
  ofShared.clear();
  for (Page* page : used) *page = {};
  used.clear();
}

AccessChecker::Entry* AccessChecker::Arena::take(size_t count) {
  if (used_ + count > chunkEntries) {
    if (!chunks_.empty() && chunk_ + 1 < chunks_.size()) {
      ++chunk_;
    } else {
      chunks_.emplace_back(new Entry[chunkEntries]);
      chunk_ = chunks_.size() - 1;
    }
    used_ = 0;
  }
  Entry* taken = chunks_[chunk_].get() + used_;
  used_ += count;
  return taken;
}

void AccessChecker::Arena::clear() {
  chunk_ = 0;
  used_ = chunks_.empty() ? chunkEntries : 0;
}

// ---- who ----

void AccessChecker::axis(uint32_t number, int64_t low, int64_t count, int64_t step) {
  if (number >= axes_.size()) return;
  axes_[number] = {low, std::max<int64_t>(count, 1), step};
  axisCount_ = std::max(axisCount_, number + 1);
}

void AccessChecker::threads(uint32_t axis, int64_t low, int64_t count) {
  if (axis >= threads_.size()) return;
  threads_[axis] = {low, std::max<int64_t>(count, 1), 1};
  threadAxes_ = std::max(threadAxes_, axis + 1);
}

void AccessChecker::block(uint64_t number) {
  block_ = number;
  thread_ = nobody;
  epoch_ = 0;
  shared_.clear();
  memory_.ofShared.clear();
}

void AccessChecker::shared(uint64_t address, uint64_t bytes, uint32_t declaration) {
  shared_.push_back({{address, bytes}, declaration, std::vector<Word>((bytes + 7) / 8)});  // at a multiple of 64
}

void AccessChecker::item(uint64_t number) {
  isNobody_ = number == UINT64_MAX;
  if (threadAxes_ > 0) thread_ = isNobody_ ? nobody : static_cast<uint32_t>(number);
  else if (!isNobody_) block_ = number;
}

// ---- where ----

bool AccessChecker::isArray(uint64_t address) {
  if (address - lastArray_.address < lastArray_.bytes) return true;
  auto behind = std::ranges::upper_bound(arrays_, address, {}, &MemoryRange::address);
  if (behind == arrays_.begin()) return false;
  const MemoryRange& array = *--behind;
  if (address - array.address >= array.bytes) return false;
  lastArray_ = array;
  return true;
}

AccessChecker::Word* AccessChecker::wordOf(uint64_t address) {
  const uint64_t page = address / 8 / pageWords;
  KnownPage& known = knownPages_[(page ^ page >> 6 ^ page >> 12) % knownPages_.size()];
  if (known.number != page) known = {page, &memory_.page(page)};
  return &known.page->words[address / 8 % pageWords];
}

void AccessChecker::access(uint64_t address, uint64_t bytes, uint32_t place, AccessWhat what) {
  if (bytes == 0 || overflown_) return;
  SharedVariable* variable = nullptr;
  for (SharedVariable& some : shared_)
    if (address - some.range.address < some.range.bytes) variable = &some;
  // What else lies in memory is the thread's own: its stack, and what it keeps from one barrier to the next.
  if (!variable && (!accesses_.races || (isNobody_ && threadAxes_ == 0) || !isArray(address))) return;
  Arena& arena = variable ? memory_.ofShared : memory_.ofArrays;
  for (uint64_t at = address; at < address + bytes;) {
    const uint64_t next = std::min(at / 8 * 8 + 8, address + bytes);
    const uint8_t mask = static_cast<uint8_t>(((1u << (next - at)) - 1) << (at % 8));
    if (variable) {
      Word& word = variable->words[(at - variable->range.address) / 8];
      if (accesses_.uninitialised && has(what, AccessWhat::Reads) && (word.stored & mask) != mask)
        add(AccessFinding::Kind::Uninitialised, {block_, thread_, epoch_, variable->declaration, 0, mask},
            {block_, thread_, epoch_, place, 0, mask});
      word.stored |= mask;  // said once
      look(word, mask, place, what, arena);
    } else {
      look(*wordOf(at), mask, place, what, arena);
    }
    at = next;
  }
  if (memory_.bytes() > mostBytes_) overflown_ = true;
}

// ---- which accesses are kept ----

/// Of each kind of access to the same bytes of a word at most two are kept, and they find whatever all would. Points
/// and blocks come one after the other, so an access of an earlier one is at odds with all that follow: it alone is
/// enough. Of the block that runs now, two threads since the last barrier are enough: whoever comes is another one than
/// one of them.
void AccessChecker::look(Word& word, uint8_t bytes, uint32_t place, AccessWhat what, Arena& arena) {
  if (!accesses_.races) return;
  const bool writes = has(what, AccessWhat::Writes);
  const unsigned sort = !has(what, AccessWhat::Atomic) ? 0 : has(what, AccessWhat::BlockScope) ? 2 : 1;
  const Entry now{block_, thread_, epoch_, place, static_cast<uint8_t>((writes ? 1u : 0u) + 2 * sort), bytes};
  Entry *first = nullptr, *second = nullptr;
  for (uint16_t i = 0; i < word.count; ++i) {
    Entry& before = word.entries[i];
    if (before.kind == now.kind && before.bytes == now.bytes) (first ? second : first) = &before;
    if (!(before.bytes & bytes) || !(writes || (before.kind & 1))) continue;
    if (before.block == block_ &&
        (before.epoch != epoch_ || before.thread == thread_ || before.thread == nobody || thread_ == nobody))
      continue;
    const unsigned other = before.kind / 2;
    const bool areAtomic = sort != 0 && other != 0 && (before.block == block_ || (sort == 1 && other == 1));
    if (!areAtomic) add(AccessFinding::Kind::Race, before, now);
  }
  if (first && (first->block != block_ || (first->epoch == epoch_ && first->thread == thread_) ||
                (first->epoch == epoch_ && thread_ == nobody)))
    return;
  if (first && (first->epoch != epoch_ || first->thread == nobody)) {
    *first = now;
    return;
  }
  if (second && second->block == block_ && second->epoch == epoch_) return;  // two of them already
  if (second) {
    *second = now;
    return;
  }
  if (word.count == word.capacity) {
    const uint16_t capacity = static_cast<uint16_t>(std::max(2, word.capacity * 2));
    Entry* more = arena.take(capacity);
    std::copy_n(word.entries, word.count, more);
    word.entries = more;
    word.capacity = capacity;
  }
  word.entries[word.count++] = now;
}

// ---- what is told ----

void AccessChecker::add(AccessFinding::Kind kind, const Entry& before, const Entry& now) {
  if (findings_.size() < mostFindings &&
      seen_.insert({static_cast<uint32_t>(kind), std::min(before.place, now.place), std::max(before.place, now.place)})
          .second)
    findings_.push_back({kind, before, now});
}

std::vector<AccessFinding> AccessChecker::takeFindings() {
  auto isRace = [](const Finding& finding) { return finding.kind == AccessFinding::Kind::Race; };
  std::vector<AccessFinding> told;
  for (const Finding& finding : findings_) {
    auto isOfRace = [&](const Finding& race) {
      return isRace(race) && (race.now.place == finding.now.place || race.before.place == finding.now.place);
    };
    if (!isRace(finding) && std::ranges::any_of(findings_, isOfRace)) continue;
    told.push_back(
        {finding.kind, describe(finding.now), describe(finding.before), finding.before.block == finding.now.block});
  }
  return told;
}

AccessFinding::Access AccessChecker::describe(const Entry& entry) const {
  AccessFinding::Access access;
  access.place = accesses_.places[entry.place];
  access.writes = entry.kind & 1;
  access.isAtomic = entry.kind >= 2;
  access.isOfBlock = entry.kind >= 4;
  uint64_t rest = entry.block;
  for (uint32_t axis = axisCount_; axis-- > 0;) {
    const Axis& of = axes_[axis];
    const uint64_t count = static_cast<uint64_t>(of.count);
    const int64_t value = of.low + of.step * static_cast<int64_t>(axis == 0 ? rest : rest % count);
    rest /= count;
    access.where.point[axis] = value;
    if (axisCount_ - 1 - axis < 3) access.where.block[axisCount_ - 1 - axis] = static_cast<uint32_t>(value);
  }
  if (threadAxes_ == 0 || entry.thread == nobody) return access;
  rest = entry.thread;
  for (uint32_t axis = threadAxes_; axis-- > 0;) {
    const uint64_t count = static_cast<uint64_t>(threads_[axis].count);
    access.where.thread[threadAxes_ - 1 - axis] =
        static_cast<uint32_t>(threads_[axis].low + static_cast<int64_t>(rest % count));
    rest /= count;
  }
  return access;
}

}  // namespace rad::rt

using rad::rt::currentAccessChecker;

void rad_access_axis(int32_t axis, int64_t low, int64_t count, int64_t step) {
  currentAccessChecker->axis(static_cast<uint32_t>(axis), low, count, step);
}
void rad_access_threads(int32_t axis, int64_t low, int64_t count) {
  currentAccessChecker->threads(static_cast<uint32_t>(axis), low, count);
}
void rad_access_block(int64_t block) { currentAccessChecker->block(static_cast<uint64_t>(block)); }
void rad_access_shared(void* address, int64_t bytes, int32_t declaration) {
  currentAccessChecker->shared(reinterpret_cast<uint64_t>(address), static_cast<uint64_t>(bytes),
                               static_cast<uint32_t>(declaration));
}
void rad_access_item(int64_t item) { currentAccessChecker->item(static_cast<uint64_t>(item)); }
void rad_access_barrier(void) { currentAccessChecker->barrier(); }
void rad_access(void* address, int64_t bytes, int32_t place, int32_t what) {
  currentAccessChecker->access(reinterpret_cast<uint64_t>(address), static_cast<uint64_t>(bytes),
                               static_cast<uint32_t>(place), static_cast<rad::cg::AccessWhat>(what));
}

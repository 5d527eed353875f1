// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/host/thread_pool.h"

#include <algorithm>
#include <chrono>

namespace rad::rt {

namespace {
using Clock = std::chrono::steady_clock;
/// Waking sleeping threads and waiting for the last of them costs about this much, ...
constexpr std::chrono::nanoseconds kWakeCost = std::chrono::microseconds(20);
/// ... and this much where they are looking out for work.
constexpr std::chrono::nanoseconds kCallCost = std::chrono::microseconds(2);
/// How long a thread looks out before it sleeps: programs launch one kernel after another.
constexpr std::chrono::nanoseconds kLookOut = std::chrono::microseconds(50);
/// Enough pieces of a share that uneven ones balance, few enough that taking them costs nothing.
constexpr int64_t kPiecesOfShare = 16;
/// The part of a piece that the caller does before it calls the others: it must not keep them waiting.
constexpr int64_t kFirstPart = 8;

void pauseBriefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Waits until `isDone`, for kLookOut at most.
template <class IsDone>
void lookOut(IsDone&& isDone) {
  const auto end = Clock::now() + kLookOut;
  do {
    for (int i = 0; i < 16; ++i) {
      if (isDone()) return;
      pauseBriefly();
    }
    std::this_thread::yield();  // others may have work for this core
  } while (Clock::now() < end);
}
}  // namespace

unsigned hardwareThreads() { return std::max(1u, std::thread::hardware_concurrency()); }

ThreadPool::ThreadPool(unsigned threads) : size_(std::max(1u, threads)), shares_(size_) {}

ThreadPool::~ThreadPool() {
  for (auto& thread : threads_) thread.request_stop();
  wake_.notify_all();
}

void ThreadPool::startThreads() {
  threads_.reserve(size_ - 1);
  while (threads_.size() + 1 < size_) {
    auto worker = static_cast<unsigned>(threads_.size() + 1);
    try {
      threads_.emplace_back([this, worker](std::stop_token stop) { serve(std::move(stop), worker); });
    } catch (const std::system_error&) {
      size_ = worker;  // the system gives no more: go on with those that started
    }
  }
}

void ThreadPool::serve(std::stop_token stop, unsigned worker) {
  uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    lock.unlock();
    ++lookingOut_;
    lookOut([&] { return generation_.load(std::memory_order_relaxed) != seen || stop.stop_requested(); });
    --lookingOut_;
    lock.lock();
    if (!wake_.wait(lock, stop, [&] { return generation_ != seen; })) return;
    seen = generation_;
    if (!work_) continue;  // the loop ended before this thread woke
    const auto* work = work_;
    ++busy_;
    lock.unlock();
    take(*work, worker);
    lock.lock();
    if (--busy_ == 0) finished_.notify_one();
  }
}

void ThreadPool::take(const Work& work, unsigned worker) {
  for (unsigned i = 0; i < size_; ++i) {
    Share& share = shares_[(worker + i) % size_];
    while (share.next.load(std::memory_order_relaxed) < share.end) {
      const int64_t begin = share.next.fetch_add(piece_, std::memory_order_relaxed);
      if (begin >= share.end) break;
      work(begin, std::min(begin + piece_, share.end), worker);
    }
  }
}

void ThreadPool::run(int64_t items, const Work& work) {
  if (items <= 0) return;
  if (items == 1 || size_ == 1) return work(0, items, 0);
  const int64_t pieces = size_ * kPiecesOfShare;
  const int64_t piece = items / pieces + (items % pieces != 0);
  const int64_t first = std::max<int64_t>(piece / kFirstPart, 1);
  const auto start = Clock::now();
  work(0, first, 0);
  const auto took = Clock::now() - start;
  const auto cost = lookingOut_.load(std::memory_order_relaxed) != 0 ? kCallCost : kWakeCost;
  if (took < cost && took * ((items - first) / first) < cost) return work(first, items, 0);
  if (threads_.empty()) startThreads();
  {
    std::lock_guard lock(mutex_);
    piece_ = piece;
    for (unsigned worker = 0; worker < size_; ++worker) {
      // items * worker / size_ without overflow
      auto bound = [&](unsigned at) { return items / size_ * at + items % size_ * at / size_; };
      shares_[worker].next.store(std::max(bound(worker), first), std::memory_order_relaxed);
      shares_[worker].end = bound(worker + 1);
    }
    work_ = &work;
    ++generation_;
  }
  wake_.notify_all();
  take(work, 0);
  std::unique_lock lock(mutex_);
  work_ = nullptr;
  lock.unlock();
  lookOut([&] { return busy_.load(std::memory_order_relaxed) == 0; });
  lock.lock();
  finished_.wait(lock, [&] { return busy_ == 0; });
}

}  // namespace rad::rt

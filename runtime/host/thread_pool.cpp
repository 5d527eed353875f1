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

ThreadPool::ThreadPool(unsigned threads) : size_(std::max(1u, threads)) {}

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

void ThreadPool::take(const std::function<void(int64_t, unsigned)>& work, unsigned worker) {
  for (int64_t chunk; (chunk = next_.fetch_add(1, std::memory_order_relaxed)) < chunks_;) work(chunk, worker);
}

void ThreadPool::run(int64_t chunks, const std::function<void(int64_t, unsigned)>& work) {
  if (chunks <= 0) return;
  if (chunks == 1 || size_ == 1) {
    for (int64_t chunk = 0; chunk < chunks; ++chunk) work(chunk, 0);
    return;
  }
  auto start = Clock::now();
  work(0, 0);
  auto first = Clock::now() - start;
  auto cost = lookingOut_.load(std::memory_order_relaxed) != 0 ? kCallCost : kWakeCost;
  if (first < cost && first * (chunks - 1) < cost) {
    for (int64_t chunk = 1; chunk < chunks; ++chunk) work(chunk, 0);
    return;
  }
  if (threads_.empty()) startThreads();
  {
    std::lock_guard lock(mutex_);
    chunks_ = chunks;
    next_.store(1, std::memory_order_relaxed);
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

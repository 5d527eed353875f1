// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Threads that share the items of one loop at a time. The caller of run() works too, so a pool of one has no thread at
// all.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace rad::rt {

/// A fixed set of threads that run the items of one loop after another. Each thread has its own share of neighbouring
/// items, the same one in each loop of that length, so that what it touched is near it the next time. It takes its
/// share in pieces, and when that is done pieces of the others' shares, so uneven items balance. run() may be called
/// from one thread at a time; `work` must not call run().
class ThreadPool {
 public:
  /// `threads` counts the caller of run(): at least 1. Threads start with the first loop that is worth waking them for.
  explicit ThreadPool(unsigned threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// How many threads can work at once, the caller of run() included.
  unsigned size() const { return size_; }

  /// work(begin, end, worker) for items [begin, end).
  using Work = std::function<void(int64_t begin, int64_t end, unsigned worker)>;

  /// Calls `work` with ranges that make up [0, items), in no order, and returns when all are done. `worker` is below
  /// size() and no two calls run at once with the same one. The caller does the first few items alone: where they were
  /// so short that all of them cost less than calling the others, the caller does the rest too. `work` must not throw.
  void run(int64_t items, const Work& work);

 private:
  void serve(std::stop_token stop, unsigned worker);
  void take(const Work& work, unsigned worker);
  void startThreads();

  unsigned size_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::condition_variable finished_;
  const Work* work_ = nullptr;  // of the loop that runs now; guarded by mutex_
  // These change with mutex_ held; threads that look out for a change for a while read them without.
  std::atomic<uint64_t> generation_ = 0;
  std::atomic<unsigned> busy_ = 0;        // threads inside take()
  std::atomic<unsigned> lookingOut_ = 0;  // threads that a new generation_ reaches without waking
  /// The items of a worker that nobody has taken yet. On a cache line of its own: mostly one thread writes to it.
  struct alignas(64) Share {
    std::atomic<int64_t> next = 0;
    int64_t end = 0;
  };
  std::vector<Share> shares_;          // one a worker, of the loop that runs now
  int64_t piece_ = 1;                  // items that are taken at once
  std::vector<std::jthread> threads_;  // last: stopped before the rest goes
};

/// The number of threads that the host device uses: what the process may run on.
unsigned hardwareThreads();

}  // namespace rad::rt

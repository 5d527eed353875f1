// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Threads that share the chunks of one loop at a time. The caller of run() works too, so a pool of one has no thread at all.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace rad::rt {

/// A fixed set of threads that run the chunks of one loop after another. Chunks are handed out by an atomic counter, so uneven
/// ones balance. run() may be called from one thread at a time; chunks must not call run().
class ThreadPool {
 public:
  /// `threads` counts the caller of run(): at least 1. Threads start with the first loop that is worth waking them for.
  explicit ThreadPool(unsigned threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// How many threads can work at once, the caller of run() included.
  unsigned size() const { return size_; }

  /// Calls work(chunk, worker) once for every chunk in [0, chunks), in no order, and returns when all are done. `worker` is below
  /// size() and no two calls run at once with the same one. The caller does the first chunk alone: where it was so short that
  /// all of them cost less than calling the others, the caller does the rest too. `work` must not throw.
  void run(int64_t chunks, const std::function<void(int64_t chunk, unsigned worker)>& work);

 private:
  void serve(std::stop_token stop, unsigned worker);
  void take(const std::function<void(int64_t, unsigned)>& work, unsigned worker);
  void startThreads();

  unsigned size_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::condition_variable finished_;
  const std::function<void(int64_t, unsigned)>* work_ = nullptr;  // of the loop that runs now; guarded by mutex_
  // These change with mutex_ held; threads that look out for a change for a while read them without.
  std::atomic<uint64_t> generation_ = 0;
  std::atomic<unsigned> busy_ = 0;                                // threads inside take()
  std::atomic<unsigned> lookingOut_ = 0;                          // threads that a new generation_ reaches without waking
  alignas(64) std::atomic<int64_t> next_ = 0;                     // on a cache line of its own: all threads write to it
  alignas(64) int64_t chunks_ = 0;
  std::vector<std::jthread> threads_;                             // last: stopped before the rest goes
};

/// The number of threads that the host device uses: what the process may run on.
unsigned hardwareThreads();

}  // namespace rad::rt

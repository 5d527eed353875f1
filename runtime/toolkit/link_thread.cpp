// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/toolkit/link_thread.h"

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

namespace rad::rt {
namespace {

struct Job {
  const std::function<void()>* work;
  bool done = false;
};

/// Never destroyed: the thread outlives every static object.
struct LinkThread {
  std::mutex mutex;
  std::condition_variable wake, finished;
  std::deque<Job*> queue;
  bool started = false;

  void loop() {
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [this] { return !queue.empty(); });
      Job* job = queue.front();
      queue.pop_front();
      lock.unlock();
      (*job->work)();
      lock.lock();
      job->done = true;
      finished.notify_all();
    }
  }
};

std::atomic<long> owner{0};

}  // namespace

Status runOnLinkThread(const std::function<void()>& job) {
  long expected = 0;
  const long self = getpid();
  if (!owner.compare_exchange_strong(expected, self) && expected != self)
    return fail(ErrorCategory::Misuse,
                "device code cannot be linked in this process: it was forked "
                "from process " +
                    std::to_string(expected) + ", which owns the linking thread",
                "Start workers before the first link, or with exec.");
  static LinkThread* const thread = new LinkThread;
  std::unique_lock lock(thread->mutex);
  if (!thread->started) {
    try {
      std::thread([] { thread->loop(); }).detach();
    } catch (const std::system_error&) {
      return fail(ErrorCategory::Resources, "the thread for linking device code cannot be started");
    }
    thread->started = true;
  }
  Job own{&job};
  thread->queue.push_back(&own);
  thread->wake.notify_one();
  thread->finished.wait(lock, [&] { return own.done; });
  return {};
}

}  // namespace rad::rt

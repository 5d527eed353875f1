// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/retire.h"

#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace rad::cuda {
namespace {

struct Retired {
  std::mutex mutex;
  std::condition_variable more, none;
  std::deque<std::shared_ptr<const void>> objects;
  bool busy = false;
  std::thread::id thread;
  pid_t process = 0; // of the thread; another one after a fork

  void loop() {
    std::unique_lock lock(mutex);
    thread = std::this_thread::get_id();
    for (;;) {
      more.wait(lock, [&] { return !objects.empty(); });
      auto object = std::move(objects.front());
      objects.pop_front();
      busy = true;
      lock.unlock();
      object.reset();
      lock.lock();
      busy = false;
      if (objects.empty())
        none.notify_all();
    }
  }
};

/// Never destroyed: its thread waits until the process ends.
Retired &retired() {
  static Retired *const instance = new Retired;
  return *instance;
}

} // namespace

void retire(std::shared_ptr<const void> object) noexcept {
  Retired &all = retired();
  try {
    std::lock_guard lock(all.mutex);
    // Moved, so that ours is not the last reference when this returns.
    all.objects.push_back(std::move(object));
    if (all.process != getpid()) {
      std::thread([&all] { all.loop(); }).detach();
      all.process = getpid();
    }
    all.more.notify_one();
  } catch (...) {
    // No memory, or no thread: leak it rather than release it here.
    (void)new (std::nothrow) std::shared_ptr<const void>(std::move(object));
  }
}

void drainRetired() noexcept {
  Retired &all = retired();
  std::unique_lock lock(all.mutex);
  if (all.process != getpid() || all.thread == std::this_thread::get_id())
    return;
  all.none.wait(lock, [&] { return all.objects.empty() && !all.busy; });
}

} // namespace rad::cuda

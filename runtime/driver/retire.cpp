// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/retire.h"

#include "runtime/dynlib/driver_api.h"

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <thread>

namespace rad::cuda {
namespace {

struct Retired {
  const pid_t process = getpid();
  std::mutex mutex;
  std::condition_variable more, none;
  std::deque<std::shared_ptr<const void>> objects;
  bool started = false, busy = false;
  std::thread::id thread;

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
      if (objects.empty()) none.notify_all();
    }
  }
};

/// The one of this process; never destroyed, its thread waits until the process
/// ends. The child of a fork gets another: locks and waiting threads of its
/// parent's are of no use there.
Retired& retired() {
  static std::atomic<Retired*> instance{nullptr};
  Retired* now = instance.load(std::memory_order_acquire);
  while (!now || now->process != getpid()) {
    auto* fresh = new Retired;
    if (instance.compare_exchange_strong(now, fresh, std::memory_order_acq_rel)) return *fresh;
    delete fresh;
  }
  return *now;
}

}  // namespace

void retire(std::shared_ptr<const void> object) noexcept {
  try {
    Retired& all = retired();
    std::lock_guard lock(all.mutex);
    // Moved, so that ours is not the last reference when this returns.
    all.objects.push_back(std::move(object));
    if (!all.started) {
      std::thread([&all] { all.loop(); }).detach();
      DriverApi::setBeforeEnding(&drainRetired);
      all.started = true;
    }
    all.more.notify_one();
  } catch (...) {
    // No memory, or no thread: leak it rather than release it here.
    (void)new (std::nothrow) std::shared_ptr<const void>(std::move(object));
  }
}

void drainRetired() noexcept {
  Retired& all = retired();
  std::unique_lock lock(all.mutex);
  if (!all.started || all.thread == std::this_thread::get_id()) return;
  all.none.wait(lock, [&] { return all.objects.empty() && !all.busy; });
}

}  // namespace rad::cuda

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Devices and contexts: where every other object of the driver lives.

#include "runtime/base/result.h"
#include "runtime/base/warning_sink.h"
#include "runtime/dynlib/driver_api.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

namespace rad::cuda {

/// "1.5 GiB", "300 bytes".
std::string formatBytes(std::uint64_t bytes);

using rt::DriverApi;
using rt::DriverFn;
using rt::Error;
using rt::ErrorCategory;
using rt::fail;
using rt::Result;
using rt::Status;

/// Makes a context current for a scope, and restores what was there before,
/// also after a fault. Does nothing when the push failed.
class ContextGuard {
 public:
  ContextGuard(const DriverApi& driver, CUcontext context);
  ~ContextGuard();
  ContextGuard(const ContextGuard&) = delete;
  ContextGuard& operator=(const ContextGuard&) = delete;

  /// Whether the context is current, or why not.
  const Status& status() const { return status_; }

  /// For destructors: whether the context is current. If not, reports that
  /// `what` is leaked, except where the device or the process is ending anyway.
  bool mayRelease(std::string_view what) const noexcept;

 private:
  const DriverApi& driver_;
  CUcontext context_;
  Status status_;
};

/// The names of the last launches since the device was last known to be well.
/// Thread-safe.
class LaunchHistory {
 public:
  /// `serial` 0: one more than that of the launch before. `stream` tells
  /// launches apart for clear(stream).
  void add(std::string_view name, std::uint32_t serial, const void* stream = nullptr);
  void clear();
  /// Forgets the launches of one stream: it was waited for.
  void clear(const void* stream);
  /// "saxpy (launch 3), softmax (launch 4)", oldest first; "" when empty.
  std::string describe() const;
  /// How many launches there were since the last clear.
  std::size_t count() const;

 private:
  /// Held for a few nanoseconds; launches are many.
  class Lock {
   public:
    explicit Lock(std::atomic_flag& flag) : flag_(flag) {
      while (flag_.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
    }
    ~Lock() { flag_.clear(std::memory_order_release); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    std::atomic_flag& flag_;
  };
  struct Entry {
    std::array<char, 40> name{};
    std::uint32_t serial = 0;
    const void* stream = nullptr;
  };
  static constexpr std::size_t capacity = 16;
  mutable std::atomic_flag flag_;
  std::array<Entry, capacity> entries_{};
  std::size_t count_ = 0;  // since the last clear
  std::uint32_t lastSerial_ = 0;
};

/// The memory of a context that the program holds, for the message that there is
/// no more. Thread-safe.
class HeldMemory {
 public:
  void add(std::uint64_t address, std::uint64_t bytes);
  void remove(std::uint64_t address);
  /// "this program holds 3.0 GiB in 5 allocations: 1.0 GiB, 1.0 GiB, ..."; ""
  /// when it holds nothing.
  std::string describe() const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::uint64_t> allocations_;
};

/// A GPU that the driver shows. A number with questions: copy it freely.
class Device {
 public:
  /// How many devices there are. Fails (System) where CUDA cannot be used.
  static Result<int> count(const DriverApi* driver = nullptr);

  /// Device `ordinal`, from 0. The driver is the process's, or another one,
  /// which must outlive everything made with it. Fails (System) when there is no
  /// such device; the message says which there are.
  static Result<Device> get(int ordinal, const DriverApi* driver = nullptr);

  CUdevice raw() const { return device_; }
  const DriverApi& driver() const { return *driver_; }
  int ordinal() const { return ordinal_; }
  /// "cuda:0".
  std::string id() const { return "cuda:" + std::to_string(ordinal_); }

  /// Any number that the driver knows of the device.
  Result<int> attribute(CUdevice_attribute which) const;
  /// The same, or `otherwise` when the driver does not tell.
  int attributeOr(CUdevice_attribute which, int otherwise) const;
  /// 90 for compute capability 9.0; 0 when the driver does not tell.
  int computeCapability() const;

  Result<std::string> name() const;
  /// Bytes of memory on the device.
  Result<std::size_t> totalMemory() const;
  Result<CUuuid> uuid() const;
  /// "0000:1b:00.0".
  Result<std::string> pciBusId() const;

  /// Whether kernels of this device can reach the memory of `other`.
  Result<bool> canAccess(const Device& other) const;
  /// What the link to `other` can do: CU_DEVICE_P2P_ATTRIBUTE_...
  Result<int> linkAttribute(CUdevice_P2PAttribute which, const Device& other) const;

  /// The state of the primary context, which other libraries share.
  struct PrimaryState {
    unsigned flags = 0;  ///< CU_CTX_...
    bool active = false;
  };
  Result<PrimaryState> primaryState() const;
  /// Sets the flags of the primary context (CU_CTX_SCHED_...). Refused (Misuse)
  /// while it is active with other flags: it is shared.
  Status setPrimaryFlags(unsigned flags) const;

 private:
  Device(const DriverApi* driver, CUdevice device, int ordinal) : driver_(driver), device_(device), ordinal_(ordinal) {}
  friend class Context;
  const DriverApi* driver_;
  CUdevice device_;
  int ordinal_;
};

/// Numerically lower is more urgent.
struct PriorityRange {
  int least = 0;
  int greatest = 0;
};

/// A reference to a context; copies refer to the same one. It is closed when the
/// last copy and everything that was made in it is gone. Never current on a
/// thread beyond the call that needs it: what the caller had made current stays
/// so. Thread-safe.
///
/// After a fault on the device every call returns the first cause again (Dead)
/// and nothing is freed; only a new process can use the device again. In a
/// process forked after CUDA had started, every call fails and destructors do
/// nothing.
class Context {
 public:
  /// Empty: every use is an error (Misuse).
  Context() = default;

  /// The device's primary context, which libraries on the CUDA Runtime API
  /// share. The first one in a process takes about 0.1 s.
  static Result<Context> primary(int ordinal, const DriverApi* driver = nullptr);
  static Result<Context> primary(const Device& device);

  /// A context of its own: its memory and faults of the API are apart from
  /// others. Several contexts on a device cost time at every switch; use
  /// primary() unless isolation is the point. `flags`: CU_CTX_...
  static Result<Context> create(const Device& device, unsigned flags = 0);

  /// A context of other code. Never released here; `keepAlive` is held as long
  /// as it is used.
  static Context borrow(const Device& device, CUcontext context, std::shared_ptr<const void> keepAlive = {});

  /// What is current on this thread, borrowed. Fails (Misuse) if nothing is.
  static Result<Context> current(const DriverApi* driver = nullptr);

  explicit operator bool() const { return state_ != nullptr; }
  bool operator==(const Context& other) const { return raw() == other.raw(); }

  CUcontext raw() const { return state_ ? state_->context : nullptr; }
  const Device& device() const { return state_->device; }
  const DriverApi& driver() const { return state_->device.driver(); }
  /// What the driver counts contexts by; unique in the process.
  Result<std::uint64_t> id() const;

  /// Waits for all work in the context, of all streams.
  Status synchronize() const;

  /// The priorities that streams can have.
  Result<PriorityRange> priorities() const;

  /// A limit (CU_LIMIT_STACK_SIZE in bytes, ...).
  Result<std::size_t> limit(CUlimit which) const;
  /// Sets a limit; the driver may round. Gives what it is now. The room for
  /// printf must be set before the first launch of a kernel that prints.
  Result<std::size_t> setLimit(CUlimit which, std::size_t value) const;

  /// Gives up the part of the L2 cache that access policies have reserved.
  Status resetPersistingCache() const;

  /// Lets kernels of this context reach memory of `peer`'s. No error when they
  /// can already. Fails (System) when the devices are not connected. Memory of
  /// pools is apart: Pool::setAccess().
  Status enablePeerAccess(const Context& peer) const;
  Status disablePeerAccess(const Context& peer) const;

  /// The launches since the last wait, for errors that surface late.
  LaunchHistory& history() const { return state_->history; }

  /// What the program holds of the device's memory through it.
  const HeldMemory& held() const { return state_->held; }
  void noteAllocation(std::uint64_t address, std::uint64_t bytes) const { state_->held.add(address, bytes); }
  /// For destructors: nothing is locked in the child of a fork.
  void noteRelease(std::uint64_t address) const noexcept {
    if (!driver().forked()) state_->held.remove(address);
  }

  /// For finding out which launch a fault comes from: each launch is waited for,
  /// so that the failure names it and no other.
  void setWaitAfterLaunch(bool wait) const { state_->waitAfterLaunch.store(wait, std::memory_order_relaxed); }
  bool waitsAfterLaunch() const { return state_->waitAfterLaunch.load(std::memory_order_relaxed); }

  /// A failure as the user should see it: after a fault on the device, the first
  /// one, with the launches that may be guilty.
  Error explain(Error error) const;

  /// Calls a driver function with the context current, and explains what fails.
  /// For functions that have no wrapper; see DriverApi::call.
  template <DriverFn fn, class... Args>
  Status call(Args... args) const {
    if (!state_) [[unlikely]]
      return empty();
    ContextGuard guard(driver(), raw());
    if (!guard.status()) [[unlikely]]
      return fail(explain(guard.status().error()));
    Status status = driver().template call<fn>(args...);
    if (!status) [[unlikely]]
      return fail(explain(std::move(status).error()));
    return status;
  }

  /// The same for destructors: never fails, tells the warning sink.
  template <DriverFn fn, class... Args>
  void release(std::string_view what, Args... args) const noexcept {
    if (!state_ || driver().forked()) return;
    ContextGuard guard(driver(), raw());
    if (guard.mayRelease(what)) driver().template release<fn>(what, args...);
  }

 private:
  enum class Kind : std::uint8_t { Primary, Own, Borrowed };
  struct State {
    State(Device d, Kind k, std::shared_ptr<const void> keep) : keepAlive(std::move(keep)), device(d), kind(k) {}
    ~State();
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    std::shared_ptr<const void> keepAlive;
    Device device;
    Kind kind;
    CUcontext context = nullptr;
    LaunchHistory history;
    HeldMemory held;
    std::atomic<bool> waitAfterLaunch{false};
  };
  static std::unexpected<Error> empty();

  std::shared_ptr<State> state_;
};

}  // namespace rad::cuda

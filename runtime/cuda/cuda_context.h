// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// What all objects of one open GPU share, and hold alive: context, stream,
/// memory pool, the page that failing kernels write to, and what is known when
/// the device dies.

#include "runtime/base/result.h"
#include "runtime/device/device.h"
#include "runtime/dynlib/driver_api.h"

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace rad::rt {

/// Makes a context current for a scope, and restores what was there before,
/// also after a fault. Does nothing when the push failed.
class ContextGuard {
public:
  ContextGuard(const DriverApi &driver, CUcontext context);
  ~ContextGuard();
  ContextGuard(const ContextGuard &) = delete;
  ContextGuard &operator=(const ContextGuard &) = delete;

  /// Whether the context is current, or why not.
  const Status &status() const { return status_; }

  /// For destructors: whether the context is current. If not, reports that
  /// `what` is leaked, except where the device or the process is ending anyway.
  bool mayRelease(std::string_view what) const noexcept;

private:
  const DriverApi &driver_;
  CUcontext context_;
  Status status_;
};

/// The names of the last launches since the device was last known to be well.
class LaunchHistory {
public:
  void add(std::string_view name, std::uint32_t serial);
  void clear();
  /// "saxpy (launch 3), softmax (launch 4)", oldest first; "" when empty.
  std::string describe() const;

private:
  struct Entry {
    std::array<char, 40> name{};
    std::uint32_t serial = 0;
  };
  static constexpr std::size_t capacity = 16;
  mutable std::mutex mutex_;
  std::array<Entry, capacity> entries_{};
  std::size_t count_ = 0; // since the last clear
};

/// The shared part of one open GPU. Everything that was made is undone by the
/// destructor, in reverse order; half-made ones too.
class CudaState {
public:
  /// Opens the device. `info` is what is known of it.
  static Result<std::shared_ptr<CudaState>> open(const DriverApi &driver,
                                                 CUdevice device,
                                                 DeviceInfo info);
  ~CudaState();
  CudaState(const CudaState &) = delete;
  CudaState &operator=(const CudaState &) = delete;

  const DriverApi &driver() const { return driver_; }
  CUdevice device() const { return device_; }
  CUcontext context() const { return context_; }
  CUstream stream() const { return stream_; }
  const DeviceInfo &info() const { return info_; }
  LaunchHistory &history() { return history_; }

  /// Null where the device has no pools: memory then comes from cuMemAlloc.
  CUmemoryPool pool() const { return pool_; }

  /// Whether copies may read host memory after the call that asked for them,
  /// even when it is not pinned.
  bool readsPageableMemory() const { return readsPageable_; }

  /// The address of the FailureState in device memory.
  std::uint64_t failureState() const { return failureState_; }

  /// What a kernel recorded since the last call; clears it.
  std::optional<cg::FailureRecord> takeRecord();

  /// Makes the room that kernels print into, once. The context need not be
  /// current.
  Status preparePrinting();

  /// What kernels printed since the last call, after a wait.
  PrintedLines takePrinted();

  /// A failure as the caller should see it: after a fault on the device, the
  /// first one, with the launches that may be guilty.
  Error explain(Error error);

  /// Hands a status on, explained.
  Status finish(Status status) {
    if (!status) [[unlikely]]
      return fail(explain(std::move(status).error()));
    return status;
  }

  /// Waits for the stream. The context must be current.
  Status wait();

  /// Waits until a copy no longer uses the caller's memory. A wait that failed
  /// is tried once more: returning while the copy runs would be worse than any
  /// error.
  Status waitForCopy();

private:
  CudaState(const DriverApi &driver, CUdevice device, DeviceInfo info)
      : driver_(driver), device_(device), info_(std::move(info)) {}
  Status make();
  Status makePool();
  Status makeFailureState();

  const DriverApi &driver_;
  CUdevice device_;
  DeviceInfo info_;
  CUcontext context_ = nullptr;
  CUstream stream_ = nullptr;
  CUmemoryPool pool_ = nullptr;
  bool readsPageable_ = false;
  cg::FailureRecord *record_ = nullptr; ///< pinned and mapped
  CUdeviceptr recordOnDevice_ = 0;
  CUdeviceptr failureState_ = 0;
  std::uint64_t *printed_ = nullptr; ///< pinned and mapped: PrintState::lines
  CUdeviceptr printState_ = 0;
  bool mayPrint_ = false;
  std::mutex printMutex_;
  LaunchHistory history_;
  std::mutex fatalMutex_;
  std::optional<Error> fatal_;
};

/// A device attribute, or `otherwise` when the driver does not tell.
int deviceAttribute(const DriverApi &driver, CUdevice device,
                    CUdevice_attribute attribute, int otherwise);

/// Device `ordinal` as the driver describes it.
Result<std::pair<CUdevice, DeviceInfo>> describeDevice(const DriverApi &driver,
                                                       int ordinal);

} // namespace rad::rt

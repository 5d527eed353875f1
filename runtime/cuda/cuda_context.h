// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// What all objects of one open GPU share, and hold alive: context, stream,
/// memory pool, the page that failing kernels write to, and what is known when
/// the device dies.

#include "runtime/base/result.h"
#include "runtime/device/device.h"
#include "runtime/driver/stream.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace rad::rt {

using cuda::ContextGuard;
using cuda::LaunchHistory;

/// The shared part of one open GPU. Everything that was made is undone by the
/// destructor, in reverse order; half-made ones too.
class CudaState {
public:
  /// Opens the device. `info` is what is known of it.
  static Result<std::shared_ptr<CudaState>> open(const cuda::Device &device,
                                                 DeviceInfo info);
  ~CudaState();
  CudaState(const CudaState &) = delete;
  CudaState &operator=(const CudaState &) = delete;

  const DriverApi &driver() const { return driver_; }
  CUdevice device() const { return device_.raw(); }
  CUcontext context() const { return context_.raw(); }
  CUstream stream() const { return stream_.raw(); }
  const DeviceInfo &info() const { return info_; }
  LaunchHistory &history() { return context_.history(); }

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
  Error explain(Error error) { return context_.explain(std::move(error)); }

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
  CudaState(const cuda::Device &device, DeviceInfo info)
      : driver_(device.driver()), device_(device), info_(std::move(info)) {}
  Status make();
  Status makePool();
  Status makeFailureState();

  const DriverApi &driver_;
  cuda::Device device_;
  DeviceInfo info_;
  cuda::Context context_;
  cuda::Stream stream_;
  CUmemoryPool pool_ = nullptr;
  bool readsPageable_ = false;
  cg::FailureRecord *record_ = nullptr; ///< pinned and mapped
  CUdeviceptr recordOnDevice_ = 0;
  CUdeviceptr failureState_ = 0;
  std::uint64_t *printed_ = nullptr; ///< pinned and mapped: PrintState::lines
  CUdeviceptr printState_ = 0;
  bool mayPrint_ = false;
  std::mutex printMutex_;
};

/// Device `ordinal` as the driver describes it.
Result<std::pair<cuda::Device, DeviceInfo>>
describeDevice(const DriverApi &driver, int ordinal);

} // namespace rad::rt

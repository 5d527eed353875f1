// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// What all objects of one open GPU share, and hold alive: context, stream,
/// memory pool, the page that failing kernels write to. The driver is reached
/// through the owners of runtime/driver alone.

#include "runtime/base/result.h"
#include "runtime/device/device.h"
#include "runtime/driver/memory.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace rad::rt {

/// The shared part of one open GPU. Everything that was made is undone by the
/// destructor, in reverse order; half-made ones too.
class CudaState {
 public:
  /// Opens the device. `info` is what is known of it.
  static Result<std::shared_ptr<CudaState>> open(const cuda::Device& device, DeviceInfo info);
  ~CudaState();
  CudaState(const CudaState&) = delete;
  CudaState& operator=(const CudaState&) = delete;

  const cuda::Context& context() const { return context_; }
  const cuda::Stream& stream() const { return stream_; }
  const DeviceInfo& info() const { return info_; }

  /// Memory in the order of the stream, from the device's pool; from the device
  /// itself where it has no pools. Empty for no bytes.
  Result<cuda::Memory> allocate(std::uint64_t bytes) const;

  /// Whether copies may read host memory after the call that asked for them,
  /// even when it is not pinned.
  bool readsPageableMemory() const { return readsPageable_; }

  /// The address of the FailureState in device memory.
  std::uint64_t failureState() const { return failureState_.address(); }

  /// What a kernel recorded since the last call; clears it.
  std::optional<cg::FailureRecord> takeRecord();

  /// Makes the room that kernels print into, once.
  Status preparePrinting();

  /// What kernels printed since the last call, after a wait.
  PrintedLines takePrinted();

  /// Waits for the stream.
  Status wait() const { return stream_.synchronize(); }
  /// Waits for the stream unless Interrupt ends that; at once where nobody
  /// interrupts. Something that uses memory of the caller needs wait() as well.
  Status waitOrInterrupt() const;

  /// Waits until a copy no longer uses the caller's memory. A wait that failed
  /// is tried once more: returning while the copy runs would be worse than any
  /// error.
  Status waitForCopy() const;

 private:
  CudaState(const cuda::Device& device, DeviceInfo info) : device_(device), info_(std::move(info)) {}
  Status make();
  Status makeFailureState();
  bool dead() const { return device_.driver().dead(); }
  bool forked() const { return device_.driver().forked(); }

  cuda::Device device_;
  DeviceInfo info_;
  // Released from the last to the first.
  cuda::Context context_;
  cuda::Stream stream_;
  cuda::Pool pool_;  ///< empty where the device has none
  bool readsPageable_ = false;
  cuda::PinnedMemory recordMemory_;
  cg::FailureRecord* record_ = nullptr;  ///< in recordMemory_
  cuda::Memory failureState_;
  cuda::PinnedMemory printedMemory_;
  std::uint64_t* printed_ = nullptr;  ///< in printedMemory_: PrintState::lines
  cuda::Memory printState_;
  bool mayPrint_ = false;
  std::mutex printMutex_;
};

/// Device `ordinal` as the driver describes it.
Result<std::pair<cuda::Device, DeviceInfo>> describeDevice(const DriverApi& driver, int ordinal);

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The host device: CPU threads that run registered native kernels (codegen/artifact/artifact.h: NativeKernel). No LLVM
// here: who makes the functions (runtime/host_jit, an ahead-of-time object) hands over their addresses.
//
// One queue, and it is the caller's thread: every call returns when its work is done, so calls happen in their order
// and synchronize() has nothing to wait for. The threads share the outer domain of a launch (rows or blocks) as
// ThreadPool says. A reduction cuts it into chunks, which do not depend on the threads: chunk c of n covers [outer * c
// / n, outer * (c + 1) / n). A kernel that fails a check writes the failure record, which stays until takeFailure();
// later launches still run.
#pragma once

#include "runtime/device/device.h"
#include "runtime/host/thread_pool.h"

#include <atomic>
#include <functional>
#include <map>
#include <mutex>

namespace rad::rt {

/// A kernel's accesses by number, and what to look for among them.
struct CheckedAccesses {
  std::vector<cg::SiteManifest> places;
  bool races = true, uninitialised = true;
};

/// The memory of arrays.
struct LiveBuffers {
  std::atomic<uint64_t> bytes = 0;
  std::mutex mutex;
  std::map<uint64_t, uint64_t> sizes;  // by address; guarded by mutex
};

/// CPU threads as a device. Thread-safe: launches of several threads run one after another.
class HostDevice final : public Device {
 public:
  /// `threads` 0: as RADDLE_THREADS says, else as many as the hardware runs at once. Fails (System) if RADDLE_THREADS
  /// is not a number from 1 to 1024.
  static Result<std::shared_ptr<HostDevice>> create(unsigned threads = 0);

  /// A kernel of a native function. `scratchBytes` is what each thread that runs it needs (NativeKernel's scratch);
  /// `owner` is kept as long as the kernel: whatever holds the function's code. `accesses`: the kernel tells of its
  /// accesses (CodegenOptions::checkAccesses()). Its launches are checked, on one thread, and what is found is a
  /// failure of the launch.
  static std::shared_ptr<Kernel> wrap(cg::NativeKernel function, cg::GeometryManifest geometry, uint64_t scratchBytes,
                                      std::shared_ptr<const void> owner = {},
                                      std::optional<CheckedAccesses> accesses = {});

  ~HostDevice() override;
  const DeviceInfo& info() const override { return info_; }
  Result<std::shared_ptr<Buffer>> allocate(uint64_t bytes) override;
  Result<void> copyIn(Buffer& to, uint64_t offset, std::span<const std::byte> from) override;
  Result<void> copyOut(std::span<std::byte> to, const Buffer& from, uint64_t offset) override;
  Result<void> copyWithin(Buffer& to, uint64_t toOffset, const Buffer& from, uint64_t fromOffset,
                          uint64_t bytes) override;
  Result<void> fill(Buffer& to, uint64_t offset, uint64_t bytes, std::span<const std::byte> pattern) override;
  /// Refused: PTX and cubins are for CUDA devices. Native kernels come through wrap().
  Result<std::shared_ptr<Kernel>> load(const cg::DeviceCode& code, std::string_view symbol) override;
  /// Runs the kernel over request.outerCount rows or blocks; a reduction in request.chunkCount chunks.
  Result<void> launch(Kernel& kernel, const LaunchRequest& request) override;
  uint64_t failureState() const override;
  Result<void> synchronize() override;
  std::optional<KernelFailure> takeFailure() override;
  PrintedLines takePrinted() override;

  /// How many threads run kernels.
  unsigned threads() const { return pool_.size(); }

 private:
  explicit HostDevice(unsigned threads);
  Result<void> prepareScratch(uint64_t bytes, std::string_view kernel);
  Result<void> checkLaunch(const CheckedAccesses& accesses, const LaunchRequest& request,
                           const std::function<void()>& work);

  struct FreeAligned {
    void operator()(std::byte* memory) const;
  };
  DeviceInfo info_;
  ThreadPool pool_;
  std::mutex queue_;                                              // one launch at a time
  std::vector<std::unique_ptr<std::byte, FreeAligned>> scratch_;  // one a thread; guarded by queue_
  uint64_t scratchBytes_ = 0;
  std::shared_ptr<LiveBuffers> live_;  // they may outlive the device
  alignas(64) cg::FailureRecord record_ = {};
  cg::FailureState failure_ = {};
  std::vector<AccessFinding> findings_;  // of the launch with this number; guarded by queue_
  uint32_t foundIn_ = 0;
  cg::PrintState print_ = {};
  std::vector<uint64_t> printed_;  // print_.lines; empty until a kernel prints
  struct CheckMemory;
  std::unique_ptr<CheckMemory> checkMemory_;  // of AccessChecker; guarded by queue_
};

}  // namespace rad::rt

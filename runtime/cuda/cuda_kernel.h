// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/cuda/cuda_context.h"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

namespace rad::rt {

/// A loaded cubin. Unloaded with its last kernel.
class CudaLibrary {
public:
  CudaLibrary(std::shared_ptr<CudaState> state, CUlibrary library)
      : state_(std::move(state)), library_(library) {}
  ~CudaLibrary();
  CudaLibrary(const CudaLibrary &) = delete;
  CudaLibrary &operator=(const CudaLibrary &) = delete;

  CudaState &state() const { return *state_; }
  CUlibrary raw() const { return library_; }

  /// The names of its kernels, for messages; empty when the driver cannot list.
  std::string kernelNames() const;

private:
  std::shared_ptr<CudaState> state_;
  CUlibrary library_;
};

/// A kernel that is loaded on its device.
class CudaKernel final : public Kernel {
public:
  /// Loads the cubin in `code` and takes `symbol` from it. A cubin that cannot
  /// be used is noticed here, not at the first launch.
  static Result<std::shared_ptr<Kernel>> load(std::shared_ptr<CudaState> state,
                                              const cg::DeviceCode &code,
                                              std::string_view symbol);

  /// Checks a launch against this kernel and the device, and enqueues it.
  Status launch(const LaunchRequest &request);

  const CudaState &state() const { return library_->state(); }

private:
  CudaKernel() = default;
  Status inspect();
  Status check(const LaunchRequest &request) const;
  Status allowShared(std::uint32_t bytes);
  Error explainLaunch(Error error, const LaunchRequest &request) const;

  std::shared_ptr<CudaLibrary> library_;
  CUkernel kernel_ = nullptr;
  std::string symbol_;
  int parameters_ = -1; ///< -1: unknown
  int registers_ = 0;
  int maxThreads_ = 0;  ///< 0: unknown
  int staticShared_ = 0;
  std::atomic<std::uint32_t> allowedShared_{0}; ///< dynamic, opted in
};

} // namespace rad::rt

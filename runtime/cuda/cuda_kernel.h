// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/cuda/cuda_context.h"
#include "runtime/driver/library.h"

#include <memory>
#include <string_view>

namespace rad::rt {

/// A kernel that is loaded on its device. Its code is unloaded with it.
class CudaKernel final : public Kernel {
 public:
  /// Loads the cubin in `code`, or its PTX where there is no cubin, and takes
  /// `symbol` from it. Code that cannot be used is noticed here, not at the first
  /// launch.
  static Result<std::shared_ptr<Kernel>> load(std::shared_ptr<CudaState> state, const cg::DeviceCode& code,
                                              std::string_view symbol);

  /// Checks a launch against this kernel and the device, and enqueues it.
  Status launch(const LaunchRequest& request) const;

  const CudaState& state() const { return *state_; }

 private:
  CudaKernel() = default;
  std::shared_ptr<CudaState> state_;
  cuda::Kernel kernel_;
};

}  // namespace rad::rt

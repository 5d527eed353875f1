// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cuda/cuda_kernel.h"

#include "runtime/driver/launch.h"

namespace rad::rt {
namespace {

/// "sm_90" of a device.
std::string architectureOf(const DeviceInfo& info) {
  return "sm_" + std::to_string(info.major) + std::to_string(info.minor);
}

/// What a failure to load means, in terms of what was loaded.
Error explainLoad(Error error, const CudaState& state, const cg::DeviceCode& code, std::string_view symbol) {
  const DeviceInfo& info = state.info();
  switch (error.code) {
    case CUDA_ERROR_NO_BINARY_FOR_GPU:
      error.message = "the kernel '" + std::string(symbol) + "' was compiled for " + code.target + ", and " + info.id +
                      " (" + info.name + ") is " + architectureOf(info);
      error.advice = "Compile it with --arch " + architectureOf(info) + ".";
      break;
    case CUDA_ERROR_INVALID_IMAGE:
      error.message = "the code of the kernel '" + std::string(symbol) + "' is damaged: it is not a cubin";
      error.advice =
          "If it came from the cache, delete that; otherwise please "
          "report this.";
      break;
    case CUDA_ERROR_NOT_FOUND: break;
    default:
      if (error.category == ErrorCategory::Image)
        error.message =
            "the kernel '" + std::string(symbol) + "' cannot be loaded on " + info.id + ": " + error.message;
      break;
  }
  return error;
}

}  // namespace

Result<std::shared_ptr<Kernel>> CudaKernel::load(std::shared_ptr<CudaState> state, const cg::DeviceCode& code,
                                                 std::string_view symbol) {
  if (code.cubin.empty() && code.ptx.empty())
    return fail(ErrorCategory::Misuse, "the kernel '" + std::string(symbol) + "' has neither machine code nor PTX");
  std::shared_ptr<CudaKernel> kernel(new CudaKernel);
  kernel->geometry_ = code.geometry;
  auto found = [&]() -> Result<cuda::Kernel> {
    RAD_ASSIGN(const cuda::Library library,
               cuda::Library::load(state->context(),
                                   code.cubin.empty() ? cuda::Image::ptx(code.ptx) : cuda::Image::binary(code.cubin)));
    return library.kernel(symbol);
  }();
  if (!found) return fail(explainLoad(std::move(found).error(), *state, code, symbol));
  kernel->kernel_ = *std::move(found);
  kernel->state_ = std::move(state);
  return kernel;
}

Status CudaKernel::launch(const LaunchRequest& request) const {
  const cuda::LaunchConfig config{.grid = {request.grid[0], request.grid[1], request.grid[2]},
                                  .block = {request.threads},
                                  .sharedBytes = request.dynamicSharedBytes};
  return cuda::launchWith(state_->stream(), kernel_, config, request.arguments, {request.name, request.serial});
}

}  // namespace rad::rt

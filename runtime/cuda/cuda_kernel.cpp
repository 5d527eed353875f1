// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cuda/cuda_kernel.h"

#include <vector>

namespace rad::rt {
namespace {

/// "sm_90" of a device.
std::string architectureOf(const DeviceInfo &info) {
  return "sm_" + std::to_string(info.major) + std::to_string(info.minor);
}

/// What a failure to load means, in terms of what was loaded.
Error explainLoad(Error error, const CudaState &state,
                  const cg::DeviceCode &code, std::string_view symbol) {
  const DeviceInfo &info = state.info();
  switch (error.code) {
  case CUDA_ERROR_NO_BINARY_FOR_GPU:
    error.message = "the kernel '" + std::string(symbol) + "' was compiled for " +
                    code.target + ", and " + info.id + " (" + info.name +
                    ") is " + architectureOf(info);
    error.advice = "Compile it with --arch " + architectureOf(info) + ".";
    break;
  case CUDA_ERROR_INVALID_IMAGE:
    error.message = "the code of the kernel '" + std::string(symbol) +
                    "' is damaged: it is not a cubin";
    error.advice = "If it came from the cache, delete that; otherwise please "
                   "report this.";
    break;
  default:
    if (error.category == ErrorCategory::Image)
      error.message = "the kernel '" + std::string(symbol) +
                      "' cannot be loaded on " + info.id + ": " + error.message;
    break;
  }
  return error;
}

std::unexpected<Error> refuse(const LaunchRequest &request, std::string why,
                              std::string advice) {
  Error error;
  error.category = ErrorCategory::Launch;
  error.message =
      "'" + std::string(request.name) + "' cannot be launched: " + std::move(why);
  error.advice = std::move(advice);
  return fail(std::move(error));
}

} // namespace

// ---- CudaLibrary ----

CudaLibrary::~CudaLibrary() {
  // Unloading waits for running kernels by itself.
  state_->driver().release<DriverFn::LibraryUnload>("a kernel library",
                                                    library_);
}

std::string CudaLibrary::kernelNames() const {
  const DriverApi &driver = state_->driver();
  unsigned count = 0;
  if (!driver.has(DriverFn::LibraryEnumerateKernels) ||
      !driver.has(DriverFn::KernelGetName) ||
      !driver.call<DriverFn::LibraryGetKernelCount>(&count, library_) ||
      count == 0)
    return {};
  constexpr unsigned most = 8;
  std::vector<CUkernel> kernels(count);
  if (!driver.call<DriverFn::LibraryEnumerateKernels>(kernels.data(), count,
                                                      library_))
    return {};
  std::string out;
  for (unsigned i = 0; i < count && i < most; ++i) {
    const char *name = nullptr;
    if (!driver.call<DriverFn::KernelGetName>(&name, kernels[i]) || !name)
      continue;
    out += (out.empty() ? "'" : ", '") + std::string(name) + "'";
  }
  if (count > most)
    out += " and " + std::to_string(count - most) + " more";
  return out;
}

// ---- CudaKernel ----

Result<std::shared_ptr<Kernel>>
CudaKernel::load(std::shared_ptr<CudaState> state, const cg::DeviceCode &code,
                 std::string_view symbol) {
  if (code.cubin.empty())
    return fail(ErrorCategory::Misuse,
                "the kernel '" + std::string(symbol) +
                    "' has no machine code: its PTX was not assembled");
  const DriverApi &driver = state->driver();
  ContextGuard guard(driver, state->context());
  RAD_TRY(state->finish(guard.status()));
  CUlibrary library = nullptr;
  if (Status loaded = driver.call<DriverFn::LibraryLoadData>(
          &library, static_cast<const void *>(code.cubin.data()), nullptr,
          nullptr, 0u, nullptr, nullptr, 0u);
      !loaded)
    return fail(explainLoad(state->explain(std::move(loaded).error()), *state,
                            code, symbol));
  if (!library)
    return fail(ErrorCategory::Misuse,
                "the driver loaded '" + std::string(symbol) +
                    "' and gave no handle");

  std::shared_ptr<CudaKernel> kernel(new CudaKernel);
  kernel->library_ = std::make_shared<CudaLibrary>(state, library);
  kernel->symbol_ = std::string(symbol);
  kernel->geometry_ = code.geometry;
  // A library that holds nothing for this GPU loads all the same; only asking
  // for a kernel tells.
  if (Status found = driver.call<DriverFn::LibraryGetKernel>(
          &kernel->kernel_, library, kernel->symbol_.c_str());
      !found) {
    Error error = state->explain(std::move(found).error());
    if (error.code == CUDA_ERROR_NOT_FOUND) {
      const std::string names = kernel->library_->kernelNames();
      error.message = "there is no kernel '" + kernel->symbol_ +
                      "' in the loaded code" +
                      (names.empty() ? "" : "; it has " + names);
      return fail(std::move(error));
    }
    return fail(explainLoad(std::move(error), *state, code, symbol));
  }
  if (!kernel->kernel_)
    return fail(ErrorCategory::Misuse,
                "the driver found '" + kernel->symbol_ + "' and gave no handle");
  // Bring the code onto the device now: the first launch of a kernel that is
  // not there waits for everything that runs.
  CUfunction function = nullptr;
  if (Status ready = driver.call<DriverFn::KernelGetFunction>(&function,
                                                              kernel->kernel_);
      !ready)
    return fail(explainLoad(state->explain(std::move(ready).error()), *state,
                            code, symbol));
  RAD_TRY(state->finish(kernel->inspect()));
  return kernel;
}

Status CudaKernel::inspect() {
  const CudaState &state = library_->state();
  const DriverApi &driver = state.driver();
  auto get = [&](CUfunction_attribute attribute, int &value) {
    return driver.call<DriverFn::KernelGetAttribute>(&value, attribute, kernel_,
                                                     state.device());
  };
  RAD_TRY(get(CU_FUNC_ATTRIBUTE_NUM_REGS, registers_));
  RAD_TRY(get(CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, maxThreads_));
  RAD_TRY(get(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, staticShared_));
  if (auto info = driver.raw<DriverFn::KernelGetParamInfo>()) {
    RAD_TRY(driver.usable());
    // Past the last parameter the driver says "invalid value".
    int count = 0;
    std::size_t offset = 0, size = 0;
    CUresult status = CUDA_SUCCESS;
    constexpr int most = 4096; // parameters are limited to 32764 bytes
    while (count < most && (status = info(kernel_, std::size_t(count), &offset,
                                          &size)) == CUDA_SUCCESS)
      ++count;
    if (status == CUDA_ERROR_INVALID_VALUE) {
      parameters_ = count;
      (void)driver.takeLog(); // it logs this answer as a failure
    } else if (status != CUDA_SUCCESS)
      return fail(driver.failure(DriverFn::KernelGetParamInfo, status));
  }
  return {};
}

Status CudaKernel::check(const LaunchRequest &request) const {
  const DeviceInfo &info = library_->state().info();
  if (parameters_ >= 0 && request.arguments.size() != std::size_t(parameters_))
    return fail(ErrorCategory::Misuse,
                "'" + std::string(request.name) + "' was given " +
                    std::to_string(request.arguments.size()) +
                    " kernel parameters, and its code takes " +
                    std::to_string(parameters_),
                "This is a bug in Raddle: please report it.");
  for (const void *argument : request.arguments)
    if (!argument)
      return fail(ErrorCategory::Misuse,
                  "'" + std::string(request.name) +
                      "' was given a kernel parameter without an address",
                  "This is a bug in Raddle: please report it.");
  if (request.threads == 0)
    return refuse(request, "its blocks have no threads", "");
  const int most = maxThreads_ > 0 ? maxThreads_ : info.maxThreadsPerBlock;
  if (request.threads > unsigned(most))
    return refuse(request,
                  "blocks of " + std::to_string(request.threads) +
                      " threads were asked for, and it can run with at most " +
                      std::to_string(most) +
                      (most < info.maxThreadsPerBlock && registers_ > 0
                           ? " (it uses " + std::to_string(registers_) +
                                 " registers a thread)"
                           : ""),
                  "Use fewer threads in a block.");
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (request.grid[axis] == 0)
      return refuse(request, "its grid is empty", "");
    if (std::int64_t(request.grid[axis]) > info.maxGrid[axis])
      return refuse(request,
                    "its grid has " + std::to_string(request.grid[axis]) +
                        " blocks on axis " + std::to_string(axis) +
                        ", and the device takes at most " +
                        std::to_string(info.maxGrid[axis]),
                    "Use more threads in a block, or fewer blocks.");
  }
  const std::int64_t shared =
      std::int64_t(request.dynamicSharedBytes) + staticShared_;
  if (shared > info.maxSharedBytesPerBlockOptIn)
    return refuse(request,
                  "it needs " + std::to_string(shared) +
                      " bytes of shared memory in a block, and " + info.id +
                      " has " +
                      std::to_string(info.maxSharedBytesPerBlockOptIn),
                  "Use smaller shared arrays.");
  return {};
}

Status CudaKernel::allowShared(std::uint32_t bytes) {
  const CudaState &state = library_->state();
  if (std::int64_t(bytes) + staticShared_ <= state.info().maxSharedBytesPerBlock ||
      bytes <= allowedShared_.load(std::memory_order_acquire))
    return {};
  // Ask for all there is, once: larger requests by other threads then fit too.
  const int most = state.info().maxSharedBytesPerBlockOptIn - staticShared_;
  RAD_TRY(state.driver().call<DriverFn::KernelSetAttribute>(
      CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, most, kernel_,
      state.device()));
  allowedShared_.store(std::uint32_t(most), std::memory_order_release);
  return {};
}

Error CudaKernel::explainLaunch(Error error,
                                const LaunchRequest &request) const {
  if (error.category == ErrorCategory::Launch ||
      error.code == CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES)
    error.message = "'" + std::string(request.name) +
                    "' cannot be launched: " + error.message + "; grid " +
                    std::to_string(request.grid[0]) + " x " +
                    std::to_string(request.grid[1]) + " x " +
                    std::to_string(request.grid[2]) + ", " +
                    std::to_string(request.threads) + " threads a block, " +
                    std::to_string(registers_) + " registers a thread, " +
                    std::to_string(staticShared_) + " + " +
                    std::to_string(request.dynamicSharedBytes) +
                    " bytes of shared memory";
  return error;
}

Status CudaKernel::launch(const LaunchRequest &request) {
  CudaState &state = library_->state();
  RAD_TRY(check(request));
  ContextGuard guard(state.driver(), state.context());
  RAD_TRY(state.finish(guard.status()));
  RAD_TRY(state.finish(allowShared(request.dynamicSharedBytes)));
  CUlaunchConfig config{};
  config.gridDimX = request.grid[0];
  config.gridDimY = request.grid[1];
  config.gridDimZ = request.grid[2];
  config.blockDimX = request.threads;
  config.blockDimY = config.blockDimZ = 1;
  config.sharedMemBytes = request.dynamicSharedBytes;
  config.hStream = state.stream();
  // The driver reads through the pointers during the call and keeps nothing.
  void **arguments = const_cast<void **>(request.arguments.data());
  static void *none = nullptr; // a kernel without parameters wants no null here
  Status launched = state.driver().call<DriverFn::LaunchKernelEx>(
      static_cast<const CUlaunchConfig *>(&config),
      reinterpret_cast<CUfunction>(kernel_),
      request.arguments.empty() ? &none : arguments, nullptr);
  if (!launched)
    return fail(explainLaunch(state.explain(std::move(launched).error()),
                              request));
  state.history().add(request.name, request.serial);
  return {};
}

} // namespace rad::rt

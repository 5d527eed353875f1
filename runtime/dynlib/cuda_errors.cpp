// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/dynlib/cuda_errors.h"

#include <algorithm>
#include <array>

namespace rad::rt {
namespace {

constexpr auto table = std::to_array<CudaErrorInfo>({
#define RAD_CUDA_ERROR(name, code, category, what, advice) \
  {code, "CUDA_ERROR_" #name, ErrorCategory::category, what, advice},
#include "runtime/dynlib/cuda_errors.def"
});

static_assert(std::is_sorted(table.begin(), table.end(),
                             [](const CudaErrorInfo& a, const CudaErrorInfo& b) { return a.code < b.code; }),
              "cuda_errors.def is sorted by code");

bool isLaunch(std::string_view call) { return call.starts_with("cuLaunch"); }

/// Calls made while the driver starts: what fails there makes CUDA unusable.
bool isStart(std::string_view call) {
  return call == "cuInit" || call == "cuDriverGetVersion" || call == "cuDeviceGetCount" || call == "cuGetProcAddress" ||
         call == "cuDevicePrimaryCtxRetain";
}

/// What to do about a failure whose code has no advice of its own.
std::string_view adviceFor(ErrorCategory category) {
  switch (category) {
    case ErrorCategory::Misuse:
      return "An argument is wrong, or something was used in a state that does "
             "not allow it; the driver's log, if there is one, says more.";
    case ErrorCategory::Capture: return "Make this call before the capture, or behind its end.";
    case ErrorCategory::Launch:
      return "The device cannot run it with these numbers; the driver's log, if "
             "there is one, says which.";
    case ErrorCategory::Image: return "Build the code again for this device and this driver.";
    case ErrorCategory::Resources: return "Use fewer, or free some that are no longer needed.";
    case ErrorCategory::System: return "Check that nvidia-smi works on this machine.";
    case ErrorCategory::Dead:
    case ErrorCategory::UserProgram: return "";
  }
  return "";
}

}  // namespace

const CudaErrorInfo* findCudaError(int code) {
  auto it = std::lower_bound(table.begin(), table.end(), code,
                             [](const CudaErrorInfo& row, int wanted) { return row.code < wanted; });
  return it != table.end() && it->code == code ? &*it : nullptr;
}

std::string cudaErrorName(int code) {
  if (code == 0) return "CUDA_SUCCESS";
  if (const CudaErrorInfo* info = findCudaError(code)) return std::string(info->name);
  return "CUDA_ERROR_" + std::to_string(code);
}

bool isFatalCudaError(int code) {
  const CudaErrorInfo* info = findCudaError(code);
  return info && info->category == ErrorCategory::Dead;
}

ErrorCategory classifyCudaError(std::string_view call, int code) {
  const CudaErrorInfo* info = findCudaError(code);
  if (info && info->category == ErrorCategory::Dead) return ErrorCategory::Dead;
  if (isStart(call) && (code == 999 || code == 1 || code == 801 || !info)) return ErrorCategory::System;
  if (isLaunch(call) && (code == 1 || code == 801)) return ErrorCategory::Launch;
  if (call == "cuKernelSetAttribute" && (code == 1 || code == 801)) return ErrorCategory::Launch;
  if (!isLaunch(call) && code == 701) return ErrorCategory::Resources;
  return info ? info->category : ErrorCategory::Misuse;
}

Error makeCudaError(std::string_view call, int code, std::string args) {
  Error error;
  error.category = classifyCudaError(call, code);
  error.code = code;
  error.codeName = cudaErrorName(code);
  error.call = std::string(call);
  error.args = std::move(args);
  const CudaErrorInfo* info = findCudaError(code);
  error.message = info ? std::string(info->what)
                       : "the driver returned a status that this version of Raddle does "
                         "not know";
  error.advice = info ? std::string(info->advice) : std::string();
  if (code == 1 && isLaunch(call)) error.message = "the driver refused the launch";
  if (code == 999 && isStart(call)) {
    error.message = "CUDA could not be started";
    error.advice = call == "cuDevicePrimaryCtxRetain" ? "The device may be in a compute mode that forbids "
                                                        "use: see nvidia-smi -q -d COMPUTE."
                                                      : "Check that nvidia-smi works, and that the nvidia and "
                                                        "nvidia_uvm kernel modules are loaded.";
  }
  if (error.advice.empty()) error.advice = adviceFor(error.category);
  if (error.category == ErrorCategory::Dead)
    error.advice = std::string(restartAdvice) + (error.advice.empty() ? "" : ' ' + error.advice);
  return error;
}

}  // namespace rad::rt

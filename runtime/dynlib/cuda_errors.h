// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Driver status codes as text and category. Needs no CUDA header and no driver:
/// the names are compiled in.

#include "runtime/base/result.h"

#include <string>
#include <string_view>

namespace rad::rt {

/// What the table knows about one status code.
struct CudaErrorInfo {
  int code;
  std::string_view name;  ///< "CUDA_ERROR_OUT_OF_MEMORY"
  ErrorCategory category;
  std::string_view what;
  std::string_view advice;
};

/// The row for `code`, or null for success and for codes newer than the table.
const CudaErrorInfo* findCudaError(int code);

/// "CUDA_ERROR_OUT_OF_MEMORY", "CUDA_SUCCESS", or "CUDA_ERROR_12345" for a code
/// that the table does not have.
std::string cudaErrorName(int code);

/// The category of `code` when `call` ("cuMemAlloc") returned it. The same code
/// means different things at different calls: 1 from a launch is a refused
/// launch, 999 from cuInit says that CUDA cannot be used here.
ErrorCategory classifyCudaError(std::string_view call, int code);

/// True for the codes after which only a new process can use the device.
bool isFatalCudaError(int code);

/// The complete failure for `code` returned by `call` with `args`.
Error makeCudaError(std::string_view call, int code, std::string args = {});

}  // namespace rad::rt

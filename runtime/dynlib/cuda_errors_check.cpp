// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compares cuda_errors.def with cuda.h while it compiles; holds no code that runs.

#include <cuda.h>

namespace {

#define RAD_CUDA_ERROR(name, code, category, what, advice) \
  static_assert(CUDA_ERROR_##name == (code), "cuda_errors.def and cuda.h number CUDA_ERROR_" #name " differently");
#include "runtime/dynlib/cuda_errors.def"

/// A code that the table lacks is a missing case here, and stops the build.
[[maybe_unused]] constexpr bool inTable(CUresult status) {
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wswitch"
  switch (status) {
    case CUDA_SUCCESS: return true;
#define RAD_CUDA_ERROR(name, code, category, what, advice) \
  case CUDA_ERROR_##name: return true;
#include "runtime/dynlib/cuda_errors.def"
  }
#pragma GCC diagnostic pop
  return false;
}
static_assert(inTable(CUDA_ERROR_UNKNOWN));

}  // namespace

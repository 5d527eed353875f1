// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// The toolkit's component libraries as tables of functions: nvJitLink, NVRTC
/// and nvFatbin are opened when first needed, nvPTXCompiler is linked in. Tests
/// fill tables of their own.

#include "runtime/base/result.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace rad::rt {

/// nvJitLink: links cubins.
struct NvJitLinkApi {
#define RAD_NVJITLINK_FN(name, result, arguments) result(*name) arguments = nullptr;
#include "runtime/dynlib/nvjitlink.def"
  unsigned major = 0, minor = 0;
  std::string path;

  /// The library, opened by the first call that finds it; refused when it is
  /// older than 12.3 (the first that exports these names). A failure is not
  /// remembered: the next call looks again. Thread-safe.
  static Result<const NvJitLinkApi*> get();
};

/// NVRTC: compiles CUDA C++.
struct NvrtcApi {
#define RAD_NVRTC_FN(name, result, arguments) result(*name) arguments = nullptr;
#include "runtime/dynlib/nvrtc.def"
  unsigned major = 0, minor = 0;
  std::string path;

  /// As NvJitLinkApi::get().
  static Result<const NvrtcApi*> get();
};

/// nvFatbin: packs cubins and PTX.
struct NvFatbinApi {
#define RAD_NVFATBIN_FN(name, result, arguments) result(*name) arguments = nullptr;
#include "runtime/dynlib/nvfatbin.def"
  unsigned major = 0, minor = 0;
  std::string path;

  /// As NvJitLinkApi::get().
  static Result<const NvFatbinApi*> get();
};

/// nvPTXCompiler: assembles PTX. The room that links it fills the table.
struct NvPtxCompilerApi {
#define RAD_NVPTXCOMPILER_FN(name, result, arguments) result(*name) arguments = nullptr;
#include "runtime/dynlib/nvptxcompiler.def"
};

}  // namespace rad::rt

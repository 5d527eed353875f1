// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one place that names nvPTXCompiler's symbols.

#include "runtime/toolkit/ptx_compiler_api.h"

#if RADDLE_HAVE_NVPTXCOMPILER
#include <nvPTXCompiler.h>
#endif

namespace rad::rt {

const NvPtxCompilerApi* linkedPtxCompiler() {
#if RADDLE_HAVE_NVPTXCOMPILER
  static constexpr auto fill = [] {
    NvPtxCompilerApi api;
    // The library's enumeration and handle are an int and a pointer.
#define RAD_NVPTXCOMPILER_FN(name, result, arguments) \
  api.name = reinterpret_cast<decltype(api.name)>(&nvPTXCompiler##name);
#include "runtime/dynlib/nvptxcompiler.def"
    return api;
  };
  static const NvPtxCompilerApi api = fill();
  return &api;
#else
  return nullptr;
#endif
}

}  // namespace rad::rt

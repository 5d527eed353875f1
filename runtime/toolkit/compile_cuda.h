// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// CUDA C++ text -> PTX, cubin or LTO-IR, in process, by NVRTC. Needs neither a
/// GPU nor a driver.

#include "runtime/base/result.h"
#include "runtime/dynlib/component_api.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rad::rt {

/// What is made of the text.
enum class CudaOutput : std::uint8_t { Ptx, Cubin, LtoIr };

/// How much the compiler may leave out to be done sooner.
enum class FastCompile : std::uint8_t { Off, Min, Mid, Max };

/// A header that #include finds by `name`, before folders are looked into.
struct CudaHeader {
  std::string name, text;
};

/// How to compile.
struct CudaCompileOptions {
  /// "sm_90a", "compute_90"; required. For PTX and LTO-IR the two mean the same;
  /// a cubin needs "sm_".
  std::string target;
  CudaOutput output = CudaOutput::Ptx;
  std::string name = "kernel.cu";  ///< where the text comes from, for messages
  bool relocatable = false;        ///< leave extern functions open; LTO-IR always is
  bool debug = false;
  bool lineInfo = false;
  FastCompile fast = FastCompile::Off;
  unsigned maxRegisters = 0;         ///< a thread, 1 to 255; 0: no limit
  unsigned splitCompile = 1;         ///< threads for many functions; 0: all processors
  unsigned standard = 17;            ///< C++ 3, 11, 14, 17 or 20
  std::vector<std::string> defines;  ///< "NAME" or "NAME=VALUE"
  std::vector<std::string> includeFolders;
  std::vector<CudaHeader> headers;
  bool flushDenormals = false;
  bool preciseDivision = true;
  bool preciseRoot = true;
  bool contract = true;   ///< a*b+c as one operation
  bool fastMath = false;  ///< all four, and approximate functions
  bool int128 = false;
  bool float128 = false;    ///< sm_100 and newer
  bool minimal = false;     ///< without most built-in declarations
  bool syntaxOnly = false;  ///< check the text; no image is made
  bool warnings = true;
  std::vector<unsigned> suppressed;  ///< numbers of diagnostics
  std::vector<unsigned> asErrors;
  std::vector<std::string> ptxas;  ///< for the assembler within, unchecked
  /// Headers at the begin of the text are kept compiled in this folder, and
  /// taken from there when nothing changed; "": not.
  std::string precompiledHeaders;
  std::string randomSeed;  ///< "": the compiler's own choice
  bool cache = true;       ///< the library's own cache
  std::string timeTrace;   ///< a file that gets times as JSON; "": none
  /// C++ expressions that name kernels and variables ("axpy<float>",
  /// "&ns::table"): their names in the image are given back.
  std::vector<std::string> names;
  std::vector<std::string> extra;  ///< further options, unchecked
  /// Once true, the compile ends; must stay alive and true until it does.
  const std::atomic<bool>* cancel = nullptr;
  const NvrtcApi* api = nullptr;  ///< replaces the library in tests
};

/// What became of precompiled headers.
enum class HeaderCache : std::uint8_t {
  NotUsed,
  NotMade,  ///< there was nothing to precompile, or they were taken as they are
  Made,
  Failed,  ///< the log says why; the compile itself went on without
};

/// An image and what belongs to it.
struct CudaCompileOutput {
  std::vector<std::byte> image;                ///< PTX: text without a NUL at its end
  std::map<std::string, std::string> lowered;  ///< of each of `names`
  HeaderCache headerCache = HeaderCache::NotUsed;
  std::string log;  ///< warnings; "" when there are none

  std::string_view ptx() const { return {reinterpret_cast<const char*>(image.data()), image.size()}; }
};

/// Compiles. Fails (Image) on text that is wrong, with the compiler's messages
/// in `log`; (Misuse) on options that are wrong or refused; (System) without
/// NVRTC or its builtins. Thread-safe.
Result<CudaCompileOutput> compileCuda(std::string_view source, const CudaCompileOptions& options);

}  // namespace rad::rt

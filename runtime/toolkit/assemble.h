// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// PTX text -> cubin, in process, by nvPTXCompiler. Needs neither a GPU nor a
/// driver.

#include "runtime/base/result.h"
#include "runtime/dynlib/component_api.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rad::rt {

/// How much the assembler may leave out to be done sooner.
enum class FastAssembly : std::uint8_t { Off, Min, Mid, Max };

/// How to assemble.
struct AssembleOptions {
  std::string target;        ///< the real GPU: "sm_80", "sm_90a"; required
  int optLevel = 3;          ///< 0 to 3; debug code is always level 0
  bool relocatable = false;  ///< leave extern functions open, for link()
  bool debug = false;        ///< full debug information
  bool lineInfo = false;     ///< line tables only
  bool fma = true;           ///< may contract a*b+c
  bool warningsAreErrors = false;
  bool warnOnSpills = false;
  bool warnOnLocalMemory = false;
  bool warnOnDoubles = false;
  bool warnings = true;              ///< false: none at all
  bool errorsVisibleAtExit = false;  ///< stores of a kernel that ends are seen by errors
  FastAssembly fast = FastAssembly::Off;
  unsigned maxRegisters = 0;        ///< a thread, 1 to 255; 0: no limit
  unsigned maxThreads = 0;          ///< a block, 1 to 1024; 0: as the kernel says
  unsigned minBlocks = 0;           ///< a multiprocessor, 1 to 32; 0: as the kernel says
  bool overrideDirectives = false;  ///< the three above win over the kernel's own
  unsigned splitCompile = 1;        ///< threads for many functions; 0: all processors
  std::string entry;                ///< only this kernel (its PTX name); "": all
  std::vector<std::string> extra;   ///< further ptxas options, unchecked
  std::string name = "ptx";         ///< where the text comes from, for messages
  /// Once true, assembling ends; must stay alive and true until it does.
  const std::atomic<bool>* cancel = nullptr;
};

/// What one kernel takes from the machine.
struct AssembledEntry {
  std::string name;
  unsigned registers = 0;        ///< a thread
  unsigned stackBytes = 0;       ///< a thread
  unsigned spillStoreBytes = 0;  ///< a thread
  unsigned spillLoadBytes = 0;   ///< a thread
  unsigned sharedBytes = 0;      ///< a block, static
  unsigned constantBytes = 0;    ///< with parameters
  unsigned barriers = 0;         ///< a block
};

/// A cubin and what the assembler said about it.
struct AssembleOutput {
  std::vector<std::byte> cubin;
  std::vector<AssembledEntry> info;
  std::string log;  ///< warnings and notes; "" when there are none
};

/// Assembles PTX. Fails (Image) on PTX that is wrong, or newer than the
/// assembler, with the assembler's text in `log`; (Misuse) on wrong options;
/// (System) in a build without the assembler. Thread-safe; each call has its own
/// compiler. `api` replaces the linked-in library in tests.
Result<AssembleOutput> assemble(std::string_view ptx, const AssembleOptions& options,
                                const NvPtxCompilerApi* api = nullptr);

/// Checks PTX for the target without making code.
Status checkPtx(std::string_view ptx, const AssembleOptions& options, const NvPtxCompilerApi* api = nullptr);

/// What this build's assembler is.
struct AssemblerInfo {
  unsigned major = 0, minor = 0;        ///< its own version, 13.0
  unsigned ptxMajor = 0, ptxMinor = 0;  ///< the newest PTX it reads, 9.0
};

/// The assembler of this build, or why there is none.
Result<AssemblerInfo> assemblerInfo(const NvPtxCompilerApi* api = nullptr);

}  // namespace rad::rt

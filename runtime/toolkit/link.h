// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Device code -> one cubin (or PTX), by nvJitLink. Needs neither a GPU nor a
/// driver.
///
/// nvJitLink has traps, so every input is read here first: it links duplicate
/// definitions without a word, and a cubin for another GPU leaves a lock behind
/// that stops every later link made by another thread. Therefore inputs for
/// another GPU and duplicate symbols are refused before the library sees them,
/// and all links of the process run on one thread of their own.

#include "runtime/base/result.h"
#include "runtime/dynlib/component_api.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rad::rt {

/// One file to link: a relocatable cubin, PTX text, LTO-IR, a fatbin or a host
/// object (the image that fits the target best is taken from each), or an
/// archive (of its members, those that define what the others need).
struct LinkInput {
  std::string name;  ///< for messages and the linker's log
  std::span<const std::byte> bytes;
  /// The full name of the GPU it was made for ("sm_90a"), where known: a cubin
  /// itself does not record the "a". Empty: as the file says.
  std::string target;
};

/// What a link makes.
enum class LinkEmit : std::uint8_t {
  Cubin,
  Ptx,  ///< of LTO-IR alone
};

/// How to link. Options of LTO-IR are refused when no input is LTO-IR: the
/// arithmetic of other inputs is settled already.
struct LinkOptions {
  std::string target;  ///< the real GPU: "sm_90a"; required
  LinkEmit emit = LinkEmit::Cubin;
  bool debug = false;
  bool lineInfo = false;
  int optLevel = 3;           ///< 0 or 3
  unsigned maxRegisters = 0;  ///< a thread, for PTX and LTO-IR; 0: no limit, or 1 to 255
  /// Of fatbins and objects that hold both, take LTO-IR and not machine code.
  bool preferLto = false;
  std::optional<bool> flushDenormals;   ///< LTO-IR: -ftz
  std::optional<bool> preciseDivision;  ///< LTO-IR: -prec-div
  std::optional<bool> preciseRoot;      ///< LTO-IR: -prec-sqrt
  std::optional<bool> contract;         ///< LTO-IR: -fma
  /// Only these kernels are kept, by their full names; empty: all. The linker
  /// also keeps kernels whose names contain one of these.
  std::vector<std::string> keepKernels;
  std::vector<std::string> keepVariables;  ///< LTO-IR: drop unreferenced others
  bool dropUnusedVariables = false;        ///< LTO-IR; not together with keepVariables
  unsigned splitCompile = 1;               ///< threads for many functions; 0: all processors
  unsigned splitOptimize = 1;              ///< LTO-IR: the same, also for optimising
  bool cache = true;                       ///< the library's own cache
  bool timing = false;                     ///< times into the log
  bool verbose = false;                    ///< what functions use into the log
  std::vector<std::string> ptxas;          ///< for the assembler within, unchecked
  std::vector<std::string> extra;          ///< further options, unchecked
  /// Replaces the libraries in tests.
  const NvJitLinkApi* linker = nullptr;
  const NvPtxCompilerApi* assembler = nullptr;
};

/// A linked image.
struct LinkOutput {
  std::vector<std::byte> cubin;  ///< LinkEmit::Cubin
  std::string ptx;               ///< LinkEmit::Ptx
  std::string target;            ///< as asked: keep it beside the cubin
  std::string log;               ///< notes; "" when there are none
};

/// Links. Fails (Image) on inputs that do not fit each other or the target, on
/// symbols defined twice (names both inputs) and on symbols defined nowhere
/// (names the inputs that want them); (Misuse) on options out of range;
/// (System) without nvJitLink. Blocks until done; thread-safe.
Result<LinkOutput> link(std::span<const LinkInput> inputs, const LinkOptions& options);

}  // namespace rad::rt

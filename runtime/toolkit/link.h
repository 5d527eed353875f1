// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Cubins and PTX -> one cubin, by nvJitLink. Needs neither a GPU nor a driver.
///
/// nvJitLink has traps, so every input is read here first: it links duplicate
/// definitions without a word, and a cubin for another GPU leaves a lock behind
/// that stops every later link made by another thread. Therefore inputs for
/// another GPU and duplicate symbols are refused before the library sees them,
/// and all links of the process run on one thread of their own.

#include "runtime/base/result.h"
#include "runtime/dynlib/component_api.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace rad::rt {

/// One object to link.
struct LinkInput {
  std::string name;               ///< for messages and the linker's log
  std::span<const std::byte> bytes; ///< a relocatable cubin, or PTX text
  /// The full name of the GPU it was made for ("sm_90a"), where known: a cubin
  /// itself does not record the "a". Empty: as the cubin says.
  std::string target;
};

/// How to link.
struct LinkOptions {
  std::string target;       ///< the real GPU: "sm_90a"; required
  bool debug = false;
  bool lineInfo = false;
  int optLevel = 3;         ///< 0 or 3
  unsigned maxRegisters = 0; ///< a thread, for PTX inputs; 0: no limit
  /// Replaces the libraries in tests.
  const NvJitLinkApi *linker = nullptr;
  const NvPtxCompilerApi *assembler = nullptr;
};

/// A linked cubin.
struct LinkOutput {
  std::vector<std::byte> cubin;
  std::string target; ///< as asked: keep it beside the cubin
  std::string log;    ///< the linker's notes; "" when there are none
};

/// Links. Fails (Image) on inputs that do not fit each other or the target, on
/// symbols defined twice (names both inputs) and on symbols defined nowhere
/// (names the inputs that want them); (System) without nvJitLink. Blocks until
/// done; thread-safe.
Result<LinkOutput> link(std::span<const LinkInput> inputs,
                        const LinkOptions &options);

} // namespace rad::rt

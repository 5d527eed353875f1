// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Cubins, PTX and LTO-IR for several GPUs -> one fatbin, by nvFatbin. Needs
/// neither a GPU nor a driver.
///
/// nvFatbin packs and does not verify: PTX that does not compile, a cut cubin or
/// the same image twice all succeed there. So everything is checked here first.

#include "runtime/base/result.h"
#include "runtime/dynlib/component_api.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rad::rt {

/// One image to pack; what it is, its bytes say.
struct FatbinInput {
  std::string name;                  ///< for messages
  std::string target;                ///< "sm_90a"; PTX: as its .target says
  std::span<const std::byte> bytes;  ///< a cubin, PTX text or LTO-IR
  std::string identifier;            ///< which unit it is of; "": the only one
};

/// What is compressed, and how.
enum class FatbinCompression : std::uint8_t { Default, Size, Speed, Balance, None };

struct FatbinOptions {
  FatbinCompression compression = FatbinCompression::Default;
  bool compressAll = false;  ///< cubins too; by default only what is not loaded directly
  bool debug = false;
  /// Replaces the libraries in tests.
  const NvFatbinApi* packer = nullptr;
  const NvPtxCompilerApi* assembler = nullptr;
};

/// Packs. Fails (Image) on images that are damaged, are not what they are
/// labelled, or are there twice, and on PTX that does not compile for its own
/// GPU; (System) without nvFatbin. Thread-safe.
Result<std::vector<std::byte>> packFatbin(std::span<const FatbinInput> inputs, const FatbinOptions& options);

}  // namespace rad::rt

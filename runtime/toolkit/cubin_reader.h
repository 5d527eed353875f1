// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Reads what the runtime has to know from a cubin: which GPU it is for, its
/// kernels and their parameters, its symbols. A cubin is a 64-bit ELF file with
/// machine number 190; the layout of its notes was learned from files that
/// ptxas 13.0 writes. Every offset is checked: hostile bytes give a failure.

#include "runtime/base/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rad::rt {

/// A parameter of a kernel, as it lies in the parameter block.
struct CubinParam {
  std::uint32_t index = 0;
  std::uint32_t offset = 0;  ///< bytes
  std::uint32_t size = 0;    ///< bytes
};

/// A kernel (an entry function) that a cubin defines.
struct CubinKernel {
  std::string name;
  std::vector<CubinParam> params;       ///< by index
  std::uint32_t paramBytes = 0;         ///< size of the parameter block
  std::uint32_t registers = 0;          ///< a thread; 0 where not recorded
  std::uint32_t staticSharedBytes = 0;  ///< a block
  std::uint32_t maxThreads = 0;         ///< launch bound; 0: none
  std::uint32_t codeBytes = 0;
};

/// A global or weak symbol.
struct CubinSymbol {
  enum class Kind : std::uint8_t { Function, Kernel, Variable, Other };
  std::string name;
  Kind kind = Kind::Other;
  bool defined = false;
  bool weak = false;
  std::uint64_t size = 0;
};

/// What a cubin says about itself.
struct CubinInfo {
  unsigned sm = 0;  ///< 80 for sm_80. The file does not record an "a" or "f".
  bool relocatable = false;
  std::vector<CubinKernel> kernels;
  std::vector<CubinSymbol> symbols;
};

/// True when the bytes begin as an ELF file for NVIDIA GPUs does.
bool looksLikeCubin(std::span<const std::byte> bytes);

/// True when the bytes begin as a fatbin does.
bool looksLikeFatbin(std::span<const std::byte> bytes);

/// Reads a cubin; `name` is for messages. Fails (Image) on anything that is not
/// a complete cubin.
Result<CubinInfo> readCubin(std::span<const std::byte> bytes, std::string_view name = "cubin");

}  // namespace rad::rt

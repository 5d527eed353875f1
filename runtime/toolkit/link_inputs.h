// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// The inputs of a link, read and checked before nvJitLink sees them.

#include "runtime/toolkit/cubin_reader.h"
#include "runtime/toolkit/link.h"

namespace rad::rt {

/// A kind of input, as nvJitLink numbers them.
enum class LinkKind : int { Cubin = 1, LtoIr = 3, Fatbin = 4 };

/// An input as the linker gets it: a relocatable cubin, LTO-IR, or a fatbin with
/// one piece of LTO-IR that only NVIDIA's libraries can unpack.
struct LinkObject {
  std::string name;
  LinkKind kind = LinkKind::Cubin;
  std::span<const std::byte> bytes;
  std::vector<std::byte> made;  ///< holds the bytes of what was made here
  CubinInfo info;               ///< of a cubin

  bool isLto() const { return kind != LinkKind::Cubin; }
};

/// Takes the inputs apart, assembles PTX, and refuses what does not fit. A
/// version of the linker of 0 is not checked against the inputs.
Result<std::vector<LinkObject>> prepareInputs(std::span<const LinkInput> inputs, const LinkOptions& options,
                                              unsigned linkerMajor, unsigned linkerMinor);

/// Refuses symbols that two cubins define.
Status refuseDuplicates(std::span<const LinkObject> objects);

}  // namespace rad::rt

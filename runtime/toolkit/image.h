// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Files with device code: telling their kinds apart, and taking out of fatbins,
/// host objects and archives what is in them. The layout of a fatbin was learned
/// from files that nvFatbin and nvcc 13.0 write. Every offset is checked:
/// hostile bytes give a failure.

#include "runtime/base/result.h"
#include "runtime/toolkit/compat.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rad::rt {

enum class ImageKind : std::uint8_t {
  Unknown,
  Cubin,       ///< machine code for one GPU
  Ptx,         ///< text
  LtoIr,       ///< what NVRTC and nvcc keep for optimisation at link time
  Fatbin,      ///< several of the above
  HostObject,  ///< an object of a host compiler, maybe with fatbins in it
  Archive,     ///< several host objects ("libx.a")
};

/// What the bytes are, by how they begin.
ImageKind recognise(std::span<const std::byte> bytes);

/// "a cubin", "PTX text", ...
std::string_view describe(ImageKind kind);

/// The GPU that LTO-IR was made for; nothing when it does not say so as known
/// versions do. It does not record an "a" or "f".
std::optional<GpuTarget> targetOfLtoIr(std::span<const std::byte> bytes);

/// The release of the tools that made a cubin; nothing when it does not say.
std::optional<Release> toolsOfCubin(std::span<const std::byte> bytes);

/// One image in a fatbin.
struct FatbinEntry {
  ImageKind kind = ImageKind::Unknown;  ///< Cubin, Ptx or LtoIr
  GpuTarget target;
  Release version;  ///< PTX: its .version
  std::string identifier;
  unsigned fatbin = 0;  ///< which of the fatbins that follow each other
  bool compressed = false;
  /// LTO-IR that was compressed can be read by NVIDIA's libraries only.
  bool sealed = false;
  std::vector<std::byte> bytes;       ///< unpacked; empty when sealed
  std::span<const std::byte> packed;  ///< head and content, as in the file
};

/// The entries of a fatbin (of all fatbins that follow each other), in order.
Result<std::vector<FatbinEntry>> readFatbin(std::span<const std::byte> bytes, const std::string& name);

/// A fatbin that holds this one entry.
std::vector<std::byte> fatbinOf(const FatbinEntry& entry);

/// The fatbins that a host object carries for linking (nvcc -rdc=true) or as
/// finished programs; none for an object without device code.
struct ObjectFatbin {
  std::span<const std::byte> bytes;
  bool relocatable = false;
};
Result<std::vector<ObjectFatbin>> fatbinsOfObject(std::span<const std::byte> bytes, const std::string& name);

/// A member of an archive.
struct ArchiveMember {
  std::string name;
  std::span<const std::byte> bytes;
};

/// The members of an archive in order, without its own tables.
Result<std::vector<ArchiveMember>> readArchive(std::span<const std::byte> bytes, const std::string& name);

}  // namespace rad::rt

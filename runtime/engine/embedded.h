// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The files that travel inside the binary. The definitions are generated: tools/cmake/raddle_embed.cmake.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace rad {

/// One embedded text. Both views point into read-only data that lives as long as the process;
/// the byte after `text` is zero.
struct EmbeddedFile {
  std::string_view name;  ///< path relative to stdlib/, e.g. "reduce.rad"
  std::string_view text;  ///< the file's bytes, unchanged
};

/// The files of stdlib/, sorted by name. Thread-safe.
std::span<const EmbeddedFile> embeddedStdlib();

/// libdevice.10.bc (LLVM bitcode), or an empty span when it was absent at build time. Thread-safe.
std::span<const std::byte> embeddedLibdevice();

}  // namespace rad

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/base/result.h"

#include <cstddef>
#include <span>
#include <vector>

namespace rad::rt {

/// A block in the LZ4 block format (lz4_Block_format.md of the LZ4 project) that
/// unpacks to exactly `size` bytes. Fails (Image) on any other bytes.
Result<std::vector<std::byte>> unpackLz4(std::span<const std::byte> packed, std::size_t size);

/// A Zstandard frame that unpacks to exactly `size` bytes, by libzstd.so.1 of
/// the system. Fails (System) where there is none, (Image) on damaged data.
Result<std::vector<std::byte>> unpackZstd(std::span<const std::byte> packed, std::size_t size);

}  // namespace rad::rt

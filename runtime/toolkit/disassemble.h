// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/base/result.h"

#include <cstddef>
#include <span>
#include <string>

namespace rad::rt {

/// The machine code (SASS) of a cubin as text, by the toolkit's nvdisasm, which
/// runs as a process. Fails (System) when there is no nvdisasm, (Image) when it
/// refuses the cubin. Thread-safe.
Result<std::string> disassemble(std::span<const std::byte> cubin);

}  // namespace rad::rt

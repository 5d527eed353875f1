// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a block kernel's shared variables lie.
#pragma once

#include "frontend/sema/typed_program.h"

#include <cstdint>
#include <vector>

namespace rad::cg {

/// Shared memory of a block, for CUDA.
struct SharedLayout {
  std::vector<uint64_t> offsets;  // of each entry of Kernel::shared, from the start of the arrays, multiples of 16
  std::vector<uint64_t> sizes;    // in bytes
  uint64_t bytes = 0;             // of all of them
  uint64_t scratchBytes = 0;      // for collectives, always static
  bool isDynamic = false;         // more than the 48 KiB that a kernel may declare: one dynamic block
};

SharedLayout layoutShared(const TypedProgram& program, const Kernel& kernel);

}  // namespace rad::cg

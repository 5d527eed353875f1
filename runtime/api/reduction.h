// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The last step of a reduction, on the host.
#pragma once

#include "codegen/artifact/artifact.h"
#include "runtime/base/result.h"

#include <cstddef>
#include <span>

namespace rad::rt {

/// Combines partial results first to last, in their own type (integers wrap, NaN is ignored by min and max), and writes
/// one value to `result`. Over none: sum 0, all true, any false, min the largest value (inf), max the smallest (-inf).
Result<void> combinePartials(cg::ReduceOp op, cg::ElementType type, std::span<const std::byte> partials,
                             std::byte* result);

}  // namespace rad::rt

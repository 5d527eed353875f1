// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How large kernels become.
#pragma once

#include "frontend/diagnostics/diagnostics.h"
#include "frontend/sema/typed_program.h"

namespace rad::sema {

/// Refuses kernels that become too large when the functions they call are lowered into them.
void checkExpansion(const TypedProgram& program, Diagnostics& diagnostics);

}  // namespace rad::sema

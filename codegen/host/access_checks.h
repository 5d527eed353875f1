// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// For --check=race,uninit: kernels that tell the runtime of each access to arrays and shared memory, and of who makes
// it (runtime/host/access_checker.h has the other side).
#pragma once

#include "codegen/lower/access_places.h"
#include "codegen/lower/function_lowering.h"

#include <llvm/ADT/ArrayRef.h>

namespace rad::cg {

/// Calls `void name(...)` of the runtime.
void emitAccessCall(FunctionLowering& f, const char* name, llvm::ArrayRef<llvm::Value*> arguments);

/// Puts a call of rad_access in front of each instruction of the kernel's body that may read or write memory which
/// others see.
void instrumentAccesses(llvm::Function& body, const AccessPlaces& places);

}  // namespace rad::cg

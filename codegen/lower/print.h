// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lines that kernels print: the same code on every device.
#pragma once

#include "codegen/lower/function_lowering.h"

namespace rad::cg {

/// Appends a line to the PrintState of `failureState`, or counts it as lost. `serial` is i32; `position` and `values`
/// are i64.
void emitPrintedLine(FunctionLowering& f, llvm::Value* failureState, llvm::Value* serial, SiteId site,
                     llvm::Value* position, llvm::ArrayRef<llvm::Value*> values);

}  // namespace rad::cg

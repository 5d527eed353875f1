// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What native kernels and host statements share.
#pragma once

#include "codegen/codegen.h"
#include "codegen/lower/function_lowering.h"

#include <llvm/IR/Module.h>

namespace rad::cg {

/// An empty module for this machine.
CodegenResult<IrModule> makeHostModule(const std::string& name, const CodegenOptions& options);

/// The choices of the shared lowering that `options` ask for.
LowerOptions hostLowerOptions(const CodegenOptions& options);

/// A call of the C library's function for `op` (builtins.def), or what stands for it.
llvm::Value* emitLibraryMath(FunctionLowering& f, Math op, llvm::ArrayRef<llvm::Value*> operands);

/// Whether the session was interrupted: reads rad_interrupt_word.
llvm::Value* isInterrupted(llvm::IRBuilderBase& builder);

/// How a counted loop goes on; see beginLoop.
struct CountedLoop {
  llvm::PHINode* counter = nullptr;
  llvm::BasicBlock* next = nullptr;  // jump here from the body to go on with the next round
  llvm::BasicBlock* done = nullptr;
  llvm::Value* end = nullptr;
};

/// Opens `for (counter = begin; counter < end; ++counter)` in i64; the builder stands in the body.
CountedLoop beginLoop(FunctionLowering& f, llvm::Value* begin, llvm::Value* end, const char* name);
/// Closes the loop; the builder stands behind it. `parallelGroup`: accesses of this group do not depend on each other
/// between rounds.
void endLoop(FunctionLowering& f, const CountedLoop& loop, llvm::MDNode* parallelGroup = nullptr);

}  // namespace rad::cg

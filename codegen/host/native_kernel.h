// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Native kernels (cg::NativeKernel): what forall kernels and block kernels have in common.
#pragma once

#include "codegen/host/host_module.h"
#include "codegen/lower/kernel_arguments.h"

#include <array>

namespace rad::cg {

/// Lowers one kernel into `module` as two functions: `<symbol>.body`, which gets every parameter as an argument of its own, so that
/// arrays can be `noalias`; and `<symbol>`, the NativeKernel, which unpacks the addresses it is given and calls it.
class NativeKernelLowering : public TargetLowering {
 public:
  NativeKernelLowering(const TypedProgram& program, const Kernel& kernel, llvm::Module& module, const LowerOptions& options,
                       const SpecKey& spec);

  /// Makes the functions and the constant `<symbol>.scratch_bytes`.
  void emit();

  void emitFailure(FunctionLowering& f, SiteId site, llvm::Value* value, llvm::Value* extent) override;
  llvm::Value* emitMath(FunctionLowering& f, Math op, llvm::ArrayRef<llvm::Value*> operands) override { return emitLibraryMath(f, op, operands); }
  void annotateAccess(FunctionLowering& f, llvm::Instruction* access) override;

 protected:
  /// Fills the body: the builder stands in the entry block, nothing is bound; must end all blocks. False: it found out too late what it
  /// should have done; the body is thrown away and filled once more.
  virtual bool emitBody(FunctionLowering& f) = 0;
  /// After a failure was recorded: leave the point or thread.
  virtual void leaveFailed(FunctionLowering& f) = 0;

  /// Binds parameters and dimensions; enterBody must have been called.
  KernelArguments bindArguments(FunctionLowering& f);
  llvm::Value* begin() const { return begin_; }
  llvm::Value* end() const { return end_; }
  llvm::Value* chunk() const { return chunk_; }
  llvm::Value* scratch() const { return scratch_; }
  /// Splits a flat number into a coordinate an axis, from 0; the last axis varies fastest. The first axis gets what is left.
  static llvm::SmallVector<llvm::Value*, 4> unflatten(FunctionLowering& f, llvm::Value* flat, llvm::ArrayRef<llvm::Value*> extents);
  /// The extent of an axis, at least 0.
  static llvm::Value* extentOf(FunctionLowering& f, const Value& low, const Value& high);
  /// The variable of an axis: low + coordinate, which is below high.
  static Value axisValue(FunctionLowering& f, const Value& low, const Value& high, llvm::Value* coordinate);

  const TypedProgram& program_;
  const Kernel& kernel_;
  llvm::Module& module_;
  const LowerOptions& options_;
  SpecKey spec_;
  uint64_t scratchBytes_ = 0;
  llvm::MDNode* accessGroup_ = nullptr;             // of view accesses made now
  std::array<llvm::Value*, 3> failedBlock_ = {};    // i64, x first, as FailureRecord wants them; null: 0
  std::array<llvm::Value*, 3> failedThread_ = {};
  std::array<llvm::Value*, 4> failedPoint_ = {};

 private:
  llvm::Function* recordFunction();
  llvm::SmallVector<llvm::Value*, 16> arguments_;
  KernelArguments bound_;
  llvm::Value* begin_ = nullptr;
  llvm::Value* end_ = nullptr;
  llvm::Value* chunk_ = nullptr;
  llvm::Value* scratch_ = nullptr;
};

/// Lowers a forall kernel or a reduction.
void lowerNativeForall(const TypedProgram& program, const Kernel& kernel, llvm::Module& module, const LowerOptions& options, const SpecKey& spec);
/// Lowers a block kernel.
CodegenResult<void> lowerNativeBlocks(const TypedProgram& program, const Kernel& kernel, llvm::Module& module, const LowerOptions& options,
                                      const SpecKey& spec);

}  // namespace rad::cg

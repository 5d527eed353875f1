// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Native kernels (cg::NativeKernel): what forall kernels and block kernels have in common.
#pragma once

#include "codegen/host/host_module.h"
#include "codegen/lower/kernel_arguments.h"

#include <array>

namespace rad::cg {

/// Lowers one kernel into `module` as two functions: `<symbol>.body`, which gets every parameter as an argument of its
/// own, so that arrays can be `noalias`; and `<symbol>`, the NativeKernel, which unpacks the addresses it is given and
/// calls it.
class NativeKernelLowering : public TargetLowering {
 public:
  NativeKernelLowering(const TypedProgram& program, const Kernel& kernel, llvm::Module& module,
                       const LowerOptions& options, const SpecKey& spec);

  /// Makes the functions and the constant `<symbol>.scratch_bytes`.
  void emit();

  void emitFailure(FunctionLowering& f, SiteId site, llvm::Value* value, llvm::Value* extent) final;
  void emitAssertFailure(FunctionLowering& f, SiteId site, llvm::ArrayRef<llvm::Value*> values) final;
  void emitPrint(FunctionLowering& f, SiteId site, llvm::ArrayRef<llvm::Value*> values) final;
  llvm::Value* emitMath(FunctionLowering& f, Math op, llvm::ArrayRef<llvm::Value*> operands) override {
    return emitLibraryMath(f, op, operands);
  }
  llvm::Value* emitAtomic(FunctionLowering& f, const AtomicCall& node, const Place& place,
                          llvm::ArrayRef<llvm::Value*> operands, bool isUsed) override;
  void annotateAccess(FunctionLowering& f, llvm::Instruction* access) override;

 protected:
  /// Fills the body: the builder stands in the entry block, nothing is bound; and stands at the end afterwards.
  virtual void emitBody(FunctionLowering& f) = 0;

  // An item is a point of a forall kernel or a thread between two barriers. A failed check ends the launch: what other
  // items do then does not matter, so that the loop over items is simply left. The failures of one loop share a block
  // behind it.
  /// Around the statements of one; the failed... values tell where it is. The builder stays where it is.
  void beginItem(FunctionLowering& f);
  void endItem(FunctionLowering& f);

  /// Binds parameters and dimensions; enterBody must have been called.
  KernelArguments bindArguments(FunctionLowering& f);
  llvm::Value* begin() const { return begin_; }
  llvm::Value* end() const { return end_; }
  llvm::Value* chunk() const { return chunk_; }
  llvm::Value* scratch() const { return scratch_; }
  /// Under --check: tells the runtime of the domain's axes; who makes the accesses that follow (a point, or a thread of
  /// its block; null: nobody).
  void describeDomain(FunctionLowering& f, const KernelArguments& arguments, llvm::ArrayRef<llvm::Value*> extents);
  void tellItem(FunctionLowering& f, llvm::Value* item);
  /// Splits a flat number into a coordinate an axis, from 0; the last axis varies fastest. The first axis gets what is
  /// left.
  static llvm::SmallVector<llvm::Value*, 4> unflatten(FunctionLowering& f, llvm::Value* flat,
                                                      llvm::ArrayRef<llvm::Value*> extents);
  /// The number of values that an axis takes, 0 if it is empty.
  static llvm::Value* extentOf(FunctionLowering& f, const KernelArguments& arguments, size_t axis);
  /// The variable of an axis at the point with number `coordinate`.
  static Value axisValue(FunctionLowering& f, const KernelArguments& arguments, size_t axis, llvm::Value* coordinate);

  const TypedProgram& program_;
  const Kernel& kernel_;
  llvm::Module& module_;
  const LowerOptions& options_;
  SpecKey spec_;
  uint64_t scratchBytes_ = 0;
  llvm::MDNode* accessGroup_ = nullptr;           // of view accesses made now
  std::array<llvm::Value*, 3> failedBlock_ = {};  // i64, x first, as FailureRecord wants them; null: 0
  std::array<llvm::Value*, 3> failedThread_ = {};
  std::array<llvm::Value*, 4> failedPoint_ = {};
  llvm::Value* position_ = nullptr;  // i64: of the item in the flattened domain or grid

  /// Bytes of scratch, aligned to 64; the address is made in the entry block.
  llvm::Value* takeScratch(FunctionLowering& f, uint64_t bytes, const llvm::Twine& name);

 private:
  llvm::Function* recordFunction(unsigned values);
  void record(FunctionLowering& f, llvm::Value* site, llvm::Value* value, llvm::Value* extent,
              llvm::ArrayRef<llvm::Value*> values = {});
  llvm::SmallVector<llvm::Value*, 16> arguments_;
  KernelArguments bound_;
  llvm::Value* begin_ = nullptr;
  llvm::Value* end_ = nullptr;
  llvm::Value* chunk_ = nullptr;
  llvm::Value* scratch_ = nullptr;

  llvm::BasicBlock* leave_ = nullptr;    // the end of the function
  llvm::BasicBlock* failing_ = nullptr;  // of the current item; null outside of items
  llvm::PHINode* failedSite_ = nullptr;
  llvm::PHINode* failedValue_ = nullptr;
  llvm::PHINode* failedExtent_ = nullptr;
  llvm::SmallVector<llvm::PHINode*, 4> failedValues_;  // of asserts that show values
};

/// Lowers a forall kernel or a reduction.
void lowerNativeForall(const TypedProgram& program, const Kernel& kernel, llvm::Module& module,
                       const LowerOptions& options, const SpecKey& spec);
/// Lowers a block kernel.
CodegenResult<void> lowerNativeBlocks(const TypedProgram& program, const Kernel& kernel, llvm::Module& module,
                                      const LowerOptions& options, const SpecKey& spec);

}  // namespace rad::cg

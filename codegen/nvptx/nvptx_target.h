// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is special about NVIDIA GPUs in the shared lowering.
#pragma once

#include "codegen/lower/function_lowering.h"
#include "codegen/lower/kernel_arguments.h"

#include <array>

namespace rad::cg {

/// Memory spaces of NVPTX.
enum AddressSpace : unsigned { Generic = 0, Global = 1, Shared = 3 };

/// The target of one kernel.
class NvptxTarget final : public TargetLowering {
 public:
  NvptxTarget(const TypedProgram& program, const Kernel& kernel, unsigned threads)
      : program_(program), kernel_(kernel), threads_(threads) {}

  /// Once the parameters are bound.
  void setArguments(const KernelArguments& arguments) { arguments_ = &arguments; }
  /// forall: the number of the point that is being lowered, in the flattened domain (i32 or i64), for failure records.
  void setPoint(llvm::Value* linear) { point_ = linear; }

  void emitFailure(FunctionLowering& f, SiteId site, llvm::Value* value, llvm::Value* extent) override;
  void emitAssertFailure(FunctionLowering& f, SiteId site, llvm::ArrayRef<llvm::Value*> values) override;
  void emitPrint(FunctionLowering& f, SiteId site, llvm::ArrayRef<llvm::Value*> values) override;
  llvm::Value* emitMath(FunctionLowering& f, Math op, llvm::ArrayRef<llvm::Value*> operands) override;
  llvm::Value* emitFloatToInteger(FunctionLowering& f, llvm::Value* value, Scalar to) override;
  void emitBarrier(FunctionLowering& f) override;
  llvm::Value* emitCollective(FunctionLowering& f, const Collective& node, llvm::Value* value, TypeId type) override;

  llvm::Value* emitAtomic(FunctionLowering& f, const AtomicCall& node, const Place& place,
                          llvm::ArrayRef<llvm::Value*> operands, bool isUsed) override;

  /// The reduction of one value a thread over the block, to every thread: in each warp by butterflies (lanes that are
  /// 16, 8, 4, 2, 1 apart), then over the warps' results, padded with the identity to 32, in the same way.
  llvm::Value* reduceBlock(FunctionLowering& f, BinaryOp op, Math minMax, bool isMinMax, TypeId type,
                           llvm::Value* value);

  /// tid.x and ctaid.x with their ranges known.
  llvm::Value* threadIndex(FunctionLowering& f);
  llvm::Value* blockIndex(FunctionLowering& f);

 private:
  llvm::Function* failureFunction(FunctionLowering& f, unsigned values);
  void endFailed(FunctionLowering& f, SiteId site, llvm::Value* value, llvm::Value* extent,
                 llvm::ArrayRef<llvm::Value*> values);
  /// uniform(): every thread compares its value with that of the first.
  llvm::Value* keepPromise(FunctionLowering& f, const Collective& node, llvm::Value* value, TypeId type);
  /// The shared memory of operations of the block: 32 words of 64 bits.
  llvm::GlobalVariable* scratch(FunctionLowering& f);
  llvm::Value* shuffle(FunctionLowering& f, llvm::Value* value, unsigned distance, uint32_t mask);
  llvm::Value* butterfly(FunctionLowering& f, BinaryOp op, Math minMax, bool isMinMax, TypeId type, llvm::Value* value);

  const TypedProgram& program_;
  const Kernel& kernel_;
  unsigned threads_;
  const KernelArguments* arguments_ = nullptr;
  llvm::Value* point_ = nullptr;
  std::array<llvm::Function*, maxMessageValues + 1> failures_ = {};  // by the number of values that they take
  llvm::GlobalVariable* scratch_ = nullptr;
};

/// Fills the body of a forall kernel (reductions included) or a block kernel, after its parameters have been bound; the
/// builder stands in the entry block. Leaves every block terminated.
void lowerForall(FunctionLowering& f, NvptxTarget& target, const Kernel& kernel, const KernelArguments& arguments,
                 const GeometryManifest& geometry, const SpecKey& spec);
void lowerReduction(FunctionLowering& f, NvptxTarget& target, const Kernel& kernel, const KernelArguments& arguments,
                    const GeometryManifest& geometry, const SpecKey& spec);
void lowerBlocks(FunctionLowering& f, NvptxTarget& target, const Kernel& kernel, const KernelArguments& arguments,
                 const SpecKey& spec);

}  // namespace rad::cg

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

  void emitFailure(FunctionLowering& f, SiteId site, llvm::Value* value, llvm::Value* extent) final;
  llvm::Value* emitMath(FunctionLowering& f, Math op, llvm::ArrayRef<llvm::Value*> operands) override { return emitLibraryMath(f, op, operands); }
  llvm::Value* emitAtomic(FunctionLowering& f, const AtomicCall& node, const Place& place, llvm::ArrayRef<llvm::Value*> operands,
                          bool isUsed) override;
  void annotateAccess(FunctionLowering& f, llvm::Instruction* access) override;

 protected:
  /// Fills the body: the builder stands in the entry block, nothing is bound; must end all blocks. Called a second time, for a new body, if
  /// it met items that end early (itemsEndEarly_) and did not know it before.
  virtual void emitBody(FunctionLowering& f) = 0;
  /// After a failure outside of items was recorded: leave the block.
  virtual void leaveFailed(FunctionLowering& f) = 0;

  // An item is a point of a forall kernel or a thread between two barriers. A failed check in it is only noted in arrays, by a store that
  // vector code can mask, and told when the loop over the items is through: a call would keep the loop scalar.
  enum : uint32_t { kRunning = 0, kReturned = UINT32_MAX };  // else site + 1
  /// Makes room for the notes of `count` items, all kRunning. Without it items cannot fail.
  void takeNotes(FunctionLowering& f, uint64_t count);
  bool hasNotes() const { return codes_ != nullptr; }
  /// Before the loop over items.
  void beginItems(FunctionLowering& f);
  /// At the start and end of one; `number` is its place in the notes. `itemEnd` is where all its ways come together; the builder is there
  /// afterwards.
  void beginItem(FunctionLowering& f);
  void endItem(FunctionLowering& f, llvm::Value* number, llvm::BasicBlock* itemEnd);
  /// The item ends here, with a code.
  void leaveItem(FunctionLowering& f, uint32_t code, llvm::Value* value, llvm::Value* extent);
  /// Behind the loop: goes to the returned block if any item ended early; the builder is where none did, to be branched to at the end.
  llvm::BasicBlock* branchIfNoted(FunctionLowering& f);
  llvm::Value* noteAddress(FunctionLowering& f, llvm::Value* number) const;
  /// In the cold part: tells what item `number` noted.
  void tellNote(FunctionLowering& f, llvm::Value* number, llvm::Value* code);

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
  bool itemsEndEarly_ = false;                      // one that can was met

  /// Bytes of scratch, aligned to 64; the address is made in the entry block.
  llvm::Value* takeScratch(FunctionLowering& f, uint64_t bytes, const llvm::Twine& name);

 private:
  llvm::Function* recordFunction();
  void record(FunctionLowering& f, llvm::Value* site, llvm::Value* value, llvm::Value* extent);
  llvm::SmallVector<llvm::Value*, 16> arguments_;
  KernelArguments bound_;
  llvm::Value* begin_ = nullptr;
  llvm::Value* end_ = nullptr;
  llvm::Value* chunk_ = nullptr;
  llvm::Value* scratch_ = nullptr;

  llvm::Value* codes_ = nullptr;    // i32 an item
  llvm::Value* values_ = nullptr;   // i64 an item: the index of a failed check
  llvm::Value* extents_ = nullptr;
  llvm::AllocaInst* anyNoted_ = nullptr;
  llvm::AllocaInst* noted_ = nullptr;           // by the current item
  llvm::BasicBlock* noting_ = nullptr;          // of the current item; null outside of items
  llvm::PHINode* notedCode_ = nullptr;
  llvm::PHINode* notedValue_ = nullptr;
  llvm::PHINode* notedExtent_ = nullptr;
};

/// Lowers a forall kernel or a reduction.
void lowerNativeForall(const TypedProgram& program, const Kernel& kernel, llvm::Module& module, const LowerOptions& options, const SpecKey& spec);
/// Lowers a block kernel.
CodegenResult<void> lowerNativeBlocks(const TypedProgram& program, const Kernel& kernel, llvm::Module& module, const LowerOptions& options,
                                      const SpecKey& spec);

}  // namespace rad::cg

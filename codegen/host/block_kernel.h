// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Block kernels on CPU threads: one block after the other, each as loops over its threads between barriers (fission.h).
#pragma once

#include "codegen/host/fission.h"
#include "codegen/host/native_kernel.h"

namespace rad::cg {

class BlockLowering final : public NativeKernelLowering {
 public:
  BlockLowering(const TypedProgram& program, const Kernel& kernel, llvm::Module& module, const LowerOptions& options,
                const SpecKey& spec, FissionPlan plan);

  bool lowerStmt(FunctionLowering& f, TStmtId stmt) override;
  llvm::Value* emitAtomic(FunctionLowering& f, const AtomicCall& node, const Place& place,
                          llvm::ArrayRef<llvm::Value*> operands, bool isUsed) override;

 protected:
  void emitBody(FunctionLowering& f) override;

 private:
  /// Memory for one value of a type: a scalar, or the parts of a view or tuple, each as scratch arrays or as stack
  /// cells.
  struct Cells {
    llvm::SmallVector<llvm::Value*, 4> addresses;  // stack cells, or the first elements of scratch arrays
    llvm::SmallVector<llvm::Type*, 4> types;
  };
  void emitBlock(FunctionLowering& f);
  void emitRegion(FunctionLowering& f, const Region& region);
  void enterItem(FunctionLowering& f, const Region& region);
  /// The threads [from, to) of each axis, counted from 0, that take part in a narrow region.
  using ThreadRange = std::pair<llvm::Value*, llvm::Value*>;
  llvm::SmallVector<ThreadRange, 3> threadRanges(FunctionLowering& f, const NarrowRegion& narrow);
  void keepLocals(FunctionLowering& f, const Region& region);
  void bindForBlock(FunctionLowering& f, LocalId local);
  /// What a region counts in has copies, so that threads side by side need not wait for one another: they begin at 0
  /// before it, and are added up behind it.
  struct Counters {
    llvm::Value* address = nullptr;
    llvm::Type* type = nullptr;
    uint64_t count = 0;     // elements
    uint64_t distance = 0;  // bytes from one copy to the next
  };
  std::vector<LocalId> countersOf(const Region& region) const;
  llvm::Value* placeShared(FunctionLowering& f, LocalId local, llvm::Type* memory, uint64_t count);
  void clearCopies(FunctionLowering& f, const Counters& counters);
  void addCopies(FunctionLowering& f, const Counters& counters);
  /// Behind a region: leaves the block if no thread is left.
  void leaveIfAllEnded(FunctionLowering& f);

  bool isPlain(TypeId type) const;
  bool isMemory(LocalId local) const;
  llvm::AllocaInst* itemMemory(FunctionLowering& f, LocalId local);
  /// The local's cells outside of regions: scratch arrays (Spilled) or stack cells (Uniform). Made on first use.
  Cells& cellsOf(FunctionLowering& f, LocalId local);
  void storeCells(FunctionLowering& f, LocalId local, const Value& value);
  Value loadCells(FunctionLowering& f, LocalId local);
  llvm::Value* cellAddress(FunctionLowering& f, LocalId local, const Cells& cells, size_t part);
  void partsOf(FunctionLowering& f, const Value& value, llvm::SmallVectorImpl<llvm::Value*>& parts) const;
  Value rebuild(FunctionLowering& f, const Value& like, llvm::ArrayRef<llvm::Value*>& parts) const;

  llvm::Type* typeOfOperand(FunctionLowering& f, const Collective& node);
  void fillOperands(FunctionLowering& f, const Collective& node);
  void lowerCollective(FunctionLowering& f, const Collective& node);
  llvm::Value* keptPromise(FunctionLowering& f, const Collective& node);
  llvm::Value* reduceLanes(FunctionLowering& f, const Collective& node, llvm::Value* lanes);

  const FissionPlan plan_;
  int64_t threadCount_ = 1;
  bool inRegion_ = false;

  // Of the body that is being filled.
  llvm::BasicBlock* blockEnd_ = nullptr;
  llvm::Value* ended_ = nullptr;           // scratch, i32 a thread: whether it has ended; null: none does early
  llvm::Value* block_ = nullptr;           // flat number of the current block
  llvm::Value* thread_ = nullptr;          // flat number of the current thread
  llvm::BasicBlock* threadEnd_ = nullptr;  // in a region: the end of the current thread
  llvm::Value* operands_ = nullptr;        // scratch: operands of a collective, padded to whole groups of 32
  llvm::Value* groupResults_ = nullptr;    // scratch: 32 results of groups
  std::unordered_map<uint32_t, llvm::AllocaInst*> itemMemory_;
  std::unordered_map<uint32_t, Cells> cells_;
  std::unordered_map<uint32_t, llvm::AllocaInst*> nextValue_;  // uniform variables: what a region leaves
  std::unordered_map<uint32_t, Counters> counters_;            // shared locals with copies
  std::vector<LocalId> counting_;                              // those that the current region counts in
  std::unordered_map<uint32_t, Value> shapes_;                 // of immutable locals: what was stored
};

}  // namespace rad::cg

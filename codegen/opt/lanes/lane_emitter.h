// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes the loop that runs several items as one, before the loop that runs one at a time, which is left the rest.
#pragma once

#include "codegen/opt/lanes/lane_shapes.h"

#include <llvm/ADT/MapVector.h>
#include <llvm/IR/IRBuilder.h>

namespace rad::cg {

class LaneEmitter {
 public:
  LaneEmitter(llvm::Loop& loop, llvm::LoopInfo& loops, llvm::DominatorTree& dominators, const LaneShapes& shapes,
              unsigned lanes);

  /// `rounds`: how often the loop runs, i64, computed at the end of its preheader. Analyses of the function are not
  /// kept up to date.
  void run(llvm::Value* rounds);

 private:
  using Values = llvm::SmallVector<llvm::Value*, 4>;
  /// Lanes that come to a block by one way, and what its phis hold then: in their shape's form. A mask that is null:
  /// all lanes.
  struct Arrival {
    llvm::Value* mask = nullptr;
    Values values;
  };
  using Arrivals = llvm::SmallVector<Arrival, 2>;
  /// The blocks of one loop without those of inner loops, of which only the headers stand for them.
  struct Level {
    llvm::Loop* loop = nullptr;
    llvm::SmallVector<llvm::BasicBlock*, 16> nodes;  // in order
    llvm::DenseMap<const llvm::BasicBlock*, unsigned> position;
    llvm::SmallVector<unsigned, 16> join;  // by position: where all ways meet again; nodes.size(): nowhere
    llvm::SmallVector<llvm::SmallVector<llvm::BasicBlock*, 2>, 16> next;  // by position: within the level, forwards
    llvm::SmallVector<bool, 16> done;
  };
  /// What the loop of a level leaves behind.
  struct LoopState {
    llvm::Loop* loop = nullptr;
    Arrivals back;
    llvm::MapVector<llvm::BasicBlock*, Arrivals> exits;
    // Loops that all lanes leave together: the block with the way out, the condition for taking it if that block is the
    // last of the round, and else the new block that it leads to.
    llvm::BasicBlock* exiting = nullptr;
    llvm::Value* exitCondition = nullptr;
    llvm::BasicBlock* left = nullptr;
  };

  // lane_control.cpp
  Level levelOf(llvm::Loop* loop) const;
  void emitLevel(Level& level, llvm::Value* mask);
  void emitNodes(Level& level, llvm::ArrayRef<unsigned> nodes);
  void emitBlock(Level& level, unsigned node, llvm::Value* mask);
  void emitInnerLoop(llvm::BasicBlock* header);
  using Ways = llvm::SmallVector<std::pair<llvm::BasicBlock*, Arrival>, 2>;
  Ways emitUniformLoop(llvm::Loop* inner, llvm::Value* mask, llvm::ArrayRef<llvm::Value*> start);
  Ways emitDivergentLoop(llvm::Loop* inner, llvm::Value* mask, llvm::ArrayRef<llvm::Value*> start);
  void emitBranch(Level& level, unsigned node, llvm::BranchInst& branch, llvm::Value* mask);
  bool emitSides(Level& level, unsigned node, llvm::BranchInst& branch, llvm::Value* mask);
  void emitCheck(llvm::BranchInst& branch, llvm::BasicBlock* failure, llvm::Value* mask);
  llvm::Value* holdsInAllLanes(const llvm::Value* condition, bool wanted);
  Arrival emitSide(Level& level, llvm::BasicBlock* from, llvm::BasicBlock* to, llvm::ArrayRef<unsigned> nodes,
                   unsigned join, llvm::Value* mask);
  std::optional<llvm::Value*> knownMask(const Level& level, unsigned node) const;
  void arrive(llvm::BasicBlock* from, llvm::BasicBlock* to, llvm::Value* mask);
  /// The arrivals at a block as one; `known`: the mask, if it is known (else it is the union).
  Arrival fold(llvm::BasicBlock* block, llvm::ArrayRef<Arrival> arrivals,
               std::optional<llvm::Value*> known = std::nullopt);
  llvm::PHINode* newPhi(const llvm::PHINode& like, const llvm::Twine& name);
  bool isScalarForm(const llvm::Value* value) const { return shapes_.of(value).kind == Shape::Kind::Strided; }

  // lane_values.cpp
  void emitInstruction(llvm::Instruction& instruction, llvm::Value* mask);
  llvm::Value* emitLoad(llvm::LoadInst& load, llvm::Value* mask);
  void fetchAhead(llvm::Value* base, int64_t bytes, int64_t step);
  llvm::Value* emitAtomic(llvm::AtomicRMWInst& atomic, llvm::Value* mask);
  llvm::Value* emitAtomicLoop(llvm::AtomicRMWInst& atomic, llvm::Value* mask);
  void emitCounts(llvm::AtomicRMWInst& atomic, llvm::MDNode& copies, llvm::Value* mask);
  void emitStore(llvm::StoreInst& store, llvm::Value* mask);
  llvm::Value* emitVector(llvm::Instruction& instruction, llvm::Value* mask);
  llvm::Value* emitFarFromLimit(llvm::CmpInst& compare, llvm::Value* isFar, bool outcome);
  llvm::Value* emitCall(llvm::CallInst& call);
  llvm::Value* emitScalar(llvm::Instruction& instruction, llvm::Value* mask);
  /// The value of lane 0 of a uniform or strided value.
  llvm::Value* scalar(llvm::Value* value) const;
  /// All lanes.
  llvm::Value* vector(llvm::Value* value);
  /// The form that the value's shape has.
  llvm::Value* form(llvm::Value* value) { return isScalarForm(value) ? scalar(value) : vector(value); }
  /// The value in one lane, whose number is i64.
  llvm::Value* inLane(llvm::Value* value, llvm::Value* lane);
  llvm::Value* spread(llvm::Value* base, int64_t stride);
  llvm::Value* bitsOf(llvm::Value* mask);
  llvm::Value* any(llvm::Value* mask);
  llvm::Value* both(llvm::Value* mask, llvm::Value* condition);
  llvm::Value* fullMask();
  llvm::Value* maskOrFull(llvm::Value* mask) { return mask ? mask : fullMask(); }
  llvm::Type* vectorType(llvm::Type* element) const { return llvm::FixedVectorType::get(element, lanes_); }
  llvm::Value* safeAddress(llvm::Value* address, llvm::Value* mask);
  llvm::Value* identityOf(const LaneReduction& reduction, llvm::Value* start);
  llvm::Value* reduce(const LaneReduction& reduction, llvm::Value* lanes);
  llvm::BasicBlock* newBlock(const char* name);

  llvm::Loop& loop_;
  llvm::LoopInfo& loops_;
  llvm::DominatorTree& dominators_;
  const LaneShapes& shapes_;
  const unsigned lanes_;
  llvm::Function& function_;
  llvm::IRBuilder<> b_;
  llvm::DenseMap<const llvm::Value*, llvm::Value*> made_;  // by value of the loop: in its shape's form
  llvm::DenseMap<const llvm::BasicBlock*, Arrivals> arrivals_;
  llvm::DenseMap<const llvm::BasicBlock*, llvm::Value*> masks_;
  LoopState* state_ = nullptr;
  llvm::AllocaInst* safe_ = nullptr;
};

}  // namespace rad::cg

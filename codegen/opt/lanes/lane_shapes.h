// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is known of each value of a loop over items when several items run as one, and whether the loop can be taken at
// all.
#pragma once

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/DenseSet.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/Instructions.h>

#include <optional>

namespace llvm {
class DominatorTree;
class Loop;
class LoopInfo;
class ScalarEvolution;
}  // namespace llvm

namespace rad::cg {

/// Of a value across lanes. Strided: lane k holds the value of lane 0 plus k * stride (integers; addresses, in bytes);
/// 0: uniform.
struct Shape {
  enum class Kind : uint8_t { Unknown, Strided, Varying } kind = Kind::Unknown;
  int64_t stride = 0;
  static Shape uniform() { return {Kind::Strided, 0}; }
  static Shape strided(int64_t by) { return {Kind::Strided, by}; }
  static Shape varying() { return {Kind::Varying, 0}; }
  bool isUniform() const { return kind == Kind::Strided && stride == 0; }
  bool isVarying() const { return kind == Kind::Varying; }
  friend bool operator==(Shape, Shape) = default;
};

/// A phi of the item loop that adds up, or joins otherwise, over items.
struct LaneReduction {
  llvm::PHINode* phi = nullptr;
  llvm::Instruction* step = nullptr;  // a binary operator, or minnum/maxnum/smin/... of the phi
};

class LaneShapes {
 public:
  LaneShapes(llvm::Loop& loop, llvm::LoopInfo& loops, llvm::DominatorTree& dominators, llvm::ScalarEvolution& evolution)
      : loop_(loop), loops_(loops), dominators_(dominators), evolution_(evolution) {}

  /// False if the loop cannot be run in lanes: something in it has no vector form here.
  bool analyse();

  /// Of a value as seen inside of the loop.
  Shape of(const llvm::Value* value) const;
  /// True if lanes of one round leave `inner` in different rounds of it, or in different ways.
  bool isDivergent(const llvm::Loop* inner) const;
  /// Of a load in an inner loop whose lanes read neighbouring elements: by how many bytes it moves on in each round of
  /// that loop, if that is known and more than a few lines of the cache; else 0.
  int64_t farStepOf(const llvm::LoadInst* load) const { return farSteps_.lookup(load); }
  /// The successor of `block` that only items with a failed check take; null if there is none.
  llvm::BasicBlock* failureOf(const llvm::BasicBlock* block) const;
  /// Of a phi of the item loop's header that is an induction: its constant step, in bytes for addresses.
  const llvm::DenseMap<llvm::PHINode*, int64_t>& inductions() const { return inductions_; }
  const llvm::SmallVector<LaneReduction, 2>& reductions() const { return reductions_; }
  /// The blocks of the item loop, each behind all that lead to it but by the way back of a loop.
  const llvm::SmallVector<llvm::BasicBlock*, 32>& order() const { return order_; }
  /// True if there is reason not to leave the loop to LLVM's vectoriser.
  bool isWorthIt() const;

 private:
  bool findHeaderPhis();
  void findFarSteps();
  bool isSupported(llvm::Instruction& instruction) const;
  Shape transfer(llvm::Instruction& instruction) const;
  Shape shapeOfPhi(llvm::PHINode& phi) const;
  Shape shapeOfAddress(llvm::GetElementPtrInst& address) const;
  bool joinsDivergentWays(const llvm::BasicBlock* block) const;
  bool hasVaryingBranch(const llvm::BasicBlock* block) const;

  llvm::Loop& loop_;
  llvm::LoopInfo& loops_;
  llvm::DominatorTree& dominators_;
  llvm::ScalarEvolution& evolution_;
  llvm::SmallVector<llvm::BasicBlock*, 32> order_;
  llvm::DenseMap<const llvm::Value*, Shape> shapes_;
  llvm::DenseMap<llvm::PHINode*, int64_t> inductions_;
  llvm::DenseMap<const llvm::LoadInst*, int64_t> farSteps_;
  llvm::SmallVector<LaneReduction, 2> reductions_;
};

/// The function of the C library that a call stands for ("sinf"), if the vector library has it and the call may use it;
/// else "".
llvm::StringRef vectorMathOf(const llvm::CallInst& call);

}  // namespace rad::cg

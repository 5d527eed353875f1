// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/opt/lanes/lanes.h"

#include "codegen/opt/lanes/lane_emitter.h"
#include "codegen/opt/lanes/vector_math.h"

#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/ScalarEvolution.h>
#include <llvm/Analysis/ScalarEvolutionExpressions.h>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/LowerAtomic.h>
#include <llvm/Transforms/Utils/ScalarEvolutionExpander.h>

#include <algorithm>
#include <bit>

namespace rad::cg {

using namespace llvm;

namespace {

bool isMarked(const Loop& loop) {
  const MDNode* id = loop.getLoopID();
  if (!id) return false;
  return any_of(drop_begin(id->operands()), [](const MDOperand& part) {
    const auto* node = dyn_cast<MDNode>(part);
    const auto* name = node && node->getNumOperands() > 0 ? dyn_cast<MDString>(node->getOperand(0)) : nullptr;
    return name && name->getString() == itemLoopMark;
  });
}

/// As many lanes as fill two registers with what the loop computes, one where the body is large; no more than there are
/// rounds.
unsigned lanesFor(const Loop& loop, const LaneShapes& shapes, const TargetTransformInfo& target, uint64_t knownRounds) {
  unsigned bits = 0, size = 0;
  for (const BasicBlock* block : loop.blocks())
    for (const Instruction& instruction : *block) {
      ++size;
      if (instruction.getType()->isFloatingPointTy() && shapes.of(&instruction).isVarying())
        bits = std::max(bits, instruction.getType()->getScalarSizeInBits());
    }
  if (bits < 32) bits = 32;
  auto width =
      static_cast<unsigned>(target.getRegisterBitWidth(TargetTransformInfo::RGK_FixedWidthVector).getFixedValue());
  unsigned lanes = width / bits;
  constexpr unsigned kSmall = 100;
  if (size <= kSmall) lanes *= 2;
  lanes = std::min(lanes, 32u);
  if (knownRounds != 0) lanes = static_cast<unsigned>(std::min<uint64_t>(lanes, std::bit_floor(knownRounds)));
  return lanes;
}

bool runOnce(Function& function, FunctionAnalysisManager& analyses, SmallPtrSetImpl<const MDNode*>& seen) {
  auto& loops = analyses.getResult<LoopAnalysis>(function);
  for (Loop* loop : loops.getLoopsInPreorder()) {
    if (!isMarked(*loop) || !seen.insert(loop->getLoopID()).second) continue;
    // The innermost of the loops over items.
    if (any_of(loop->getSubLoops(), [](const Loop* inner) { return isMarked(*inner); })) continue;
    auto& dominators = analyses.getResult<DominatorTreeAnalysis>(function);
    auto& evolution = analyses.getResult<ScalarEvolutionAnalysis>(function);
    LaneShapes shapes(*loop, loops, dominators, evolution);
    if (!shapes.analyse() || !shapes.isWorthIt()) continue;
    const SCEV* count = evolution.getTripCountFromExitCount(evolution.getExitCount(loop, loop->getLoopLatch()),
                                                            Type::getInt64Ty(function.getContext()), loop);
    const auto* known = dyn_cast<SCEVConstant>(count);
    unsigned lanes = lanesFor(*loop, shapes, analyses.getResult<TargetIRAnalysis>(function),
                              known ? known->getAPInt().getLimitedValue() : 0);
    if (lanes < 4) continue;
    SCEVExpander expander(evolution, "rounds");
    Instruction* at = loop->getLoopPreheader()->getTerminator();
    if (!expander.isSafeToExpandAt(count, at)) continue;
    Value* rounds = expander.expandCodeFor(count, Type::getInt64Ty(function.getContext()), at);
    LaneEmitter(*loop, loops, dominators, shapes, lanes).run(rounds);
    return true;
  }
  return false;
}

/// A loop that stays is LLVM's vectoriser's. A small one is to work on two vectors at once: as fast as on more, and
/// less code to make.
void askForTwoVectors(Loop& loop) {
  constexpr size_t kSmall = 50;
  size_t size = 0;
  for (const BasicBlock* block : loop.blocks()) size += block->size();
  if (size > kSmall) return;
  LLVMContext& context = loop.getHeader()->getContext();
  auto* two = MDNode::get(context, {MDString::get(context, "llvm.loop.interleave.count"),
                                    ConstantAsMetadata::get(ConstantInt::get(Type::getInt32Ty(context), 2))});
  loop.setLoopID(makePostTransformationMetadata(context, loop.getLoopID(), {}, {two}));
}

/// LLVM 22's vectoriser leaves the last rounds out of a loop that takes the least or greatest of floats where the
/// number of rounds is a constant: what it puts behind the vectors looks only for NaN.
bool isMisvectorised(Loop& loop, ScalarEvolution& evolution) {
  if (!loop.isInnermost() || evolution.getSmallConstantTripCount(&loop) == 0) return false;
  auto isExtreme = [](const Instruction& instruction) {
    const auto* call = dyn_cast<IntrinsicInst>(&instruction);
    return call && (call->getIntrinsicID() == Intrinsic::maxnum || call->getIntrinsicID() == Intrinsic::minnum);
  };
  return any_of(loop.blocks(), [&](const BasicBlock* block) { return any_of(*block, isExtreme); });
}

void keepScalar(Loop& loop) {
  LLVMContext& context = loop.getHeader()->getContext();
  auto* never = MDNode::get(context, {MDString::get(context, "llvm.loop.vectorize.enable"),
                                      ConstantAsMetadata::get(ConstantInt::getFalse(context))});
  loop.setLoopID(makePostTransformationMetadata(context, loop.getLoopID(),
                                                {"llvm.loop.vectorize.", "llvm.loop.interleave."}, {never}));
}

}  // namespace

PreservedAnalyses LanesPass::run(Function& function, FunctionAnalysisManager& analyses) {
  SmallPtrSet<const MDNode*, 16> seen;
  bool changed = false;
  while (runOnce(function, analyses, seen)) {
    changed = true;
    analyses.invalidate(function, PreservedAnalyses::none());
  }
  for (Loop* loop : analyses.getResult<LoopAnalysis>(function).getLoopsInPreorder())
    if (isMisvectorised(*loop, analyses.getResult<ScalarEvolutionAnalysis>(function))) keepScalar(*loop);
    else if (isMarked(*loop) && loop->isInnermost()) askForTwoVectors(*loop);
  return changed ? PreservedAnalyses::none() : PreservedAnalyses::all();
}

PreservedAnalyses LowerAlonePass::run(Function& function, FunctionAnalysisManager&) {
  SmallVector<AtomicRMWInst*, 8> alone;
  for (BasicBlock& block : function)
    for (Instruction& instruction : block)
      if (auto* atomic = dyn_cast<AtomicRMWInst>(&instruction);
          atomic && atomic->getSyncScopeID() == SyncScope::SingleThread)
        alone.push_back(atomic);
  for (AtomicRMWInst* atomic : alone) lowerAtomicRMWInst(atomic);
  return alone.empty() ? PreservedAnalyses::all() : PreservedAnalyses::none();
}

PreservedAnalyses VectorMathPass::run(Function& function, FunctionAnalysisManager&) {
  SmallVector<CallInst*, 8> calls;
  for (BasicBlock& block : function)
    for (Instruction& instruction : block)
      if (auto* call = dyn_cast<CallInst>(&instruction); call && !vectorMathOf(*call).empty()) calls.push_back(call);
  for (CallInst* call : calls) {
    IRBuilder<> b(call);
    SmallVector<Value*, 2> operands;
    unsigned lanes = vectorMathLanes(vectorMathOf(*call));
    for (Value* operand : call->args()) operands.push_back(b.CreateVectorSplat(lanes, operand));
    call->replaceAllUsesWith(b.CreateExtractElement(callVectorMath(b, vectorMathOf(*call), operands), uint64_t{0}));
    call->eraseFromParent();
  }
  return calls.empty() ? PreservedAnalyses::all() : PreservedAnalyses::none();
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/opt/lanes/lane_shapes.h"

#include "codegen/opt/lanes/lanes.h"
#include "codegen/opt/lanes/vector_math.h"

#include <llvm/Analysis/CFG.h>
#include <llvm/Analysis/IVDescriptors.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/LoopIterator.h>
#include <llvm/Analysis/ScalarEvolution.h>
#include <llvm/Analysis/ScalarEvolutionExpressions.h>
#include <llvm/Analysis/VectorUtils.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <cstdlib>

namespace rad::cg {

using namespace llvm;

StringRef vectorMathOf(const CallInst& call) {
  const Function* callee = call.getCalledFunction();
  if (!callee || callee->isIntrinsic() || call.hasFnAttr(exactMathMark)) return "";
  return vectorMathLanes(callee->getName()) == 0 ? StringRef() : callee->getName();
}

namespace {

bool isPlainType(const Type* type) {
  return type->isIntegerTy() || type->isFloatTy() || type->isDoubleTy() || type->isHalfTy() || type->isPointerTy();
}

/// A function of the C library without memory, to be called lane by lane where it has no vector form.
bool isPureCall(const CallInst& call) {
  const Function* callee = call.getCalledFunction();
  return callee && !callee->isIntrinsic() && callee->doesNotAccessMemory() && callee->doesNotThrow() &&
         callee->willReturn() && callee->isDeclaration();
}

bool isIgnored(const Instruction& instruction) {
  const auto* intrinsic = dyn_cast<IntrinsicInst>(&instruction);
  return intrinsic && (intrinsic->isAssumeLikeIntrinsic() ||
                       intrinsic->getIntrinsicID() == Intrinsic::experimental_noalias_scope_decl);
}

}  // namespace

BasicBlock* LaneShapes::failureOf(const BasicBlock* block) const {
  if (block == loop_.getLoopLatch()) return nullptr;
  for (const BasicBlock* next : successors(block))
    if (!loop_.contains(next)) return const_cast<BasicBlock*>(next);
  return nullptr;
}

Shape LaneShapes::of(const Value* value) const {
  const auto* instruction = dyn_cast<Instruction>(value);
  if (!instruction || !loop_.contains(instruction)) return Shape::uniform();
  auto found = shapes_.find(value);
  return found == shapes_.end() ? Shape{} : found->second;
}

bool LaneShapes::analyse() {
  BasicBlock* latch = loop_.getLoopLatch();
  if (!latch || !loop_.isLoopSimplifyForm() || !loop_.isRecursivelyLCSSAForm(dominators_, loops_)) return false;
  const auto* end = dyn_cast<BranchInst>(latch->getTerminator());
  if (!end || !end->isConditional() || !loop_.isLoopExiting(latch)) return false;
  const BasicBlock* exit = end->getSuccessor(loop_.contains(end->getSuccessor(0)) ? 1 : 0);
  const SCEV* rounds = evolution_.getExitCount(&loop_, latch);
  if (isa<SCEVCouldNotCompute>(rounds) || !evolution_.isLoopInvariant(rounds, &loop_)) return false;

  LoopBlocksRPO blocks(&loop_);
  blocks.perform(&loops_);
  order_.assign(blocks.begin(), blocks.end());
  if (containsIrreducibleCFG<const BasicBlock*>(blocks, loops_)) return false;

  for (BasicBlock* block : order_) {
    const auto* branch = dyn_cast<BranchInst>(block->getTerminator());
    if (!branch) return false;
    unsigned outside = 0;
    for (const BasicBlock* next : branch->successors()) {
      if (!loop_.contains(next)) {
        ++outside;
        if (next == exit && block != latch) return false;
      } else if (const Loop* inner = loops_.getLoopFor(block); inner != &loop_ && !inner->contains(next)) {
        // Out of one loop at a time.
        if (!inner->getParentLoop()->contains(next)) return false;
      }
    }
    if (outside > 1 || (outside == 1 && !branch->isConditional())) return false;
    if (branch->isConditional() && branch->getSuccessor(0) == branch->getSuccessor(1)) return false;
    for (Instruction& instruction : *block)
      if (!isSupported(instruction)) return false;
  }
  for (const Loop* inner : loop_.getLoopsInPreorder())
    if (!inner->isLoopSimplifyForm()) return false;
  if (!findHeaderPhis()) return false;

  // From the best that could hold to what does.
  for (bool changed = true; changed;) {
    changed = false;
    for (BasicBlock* block : order_)
      for (Instruction& instruction : *block) {
        if (instruction.getType()->isVoidTy()) continue;
        Shape now = transfer(instruction);
        Shape& known = shapes_[&instruction];
        if (known == now || known.isVarying()) continue;
        // Downwards only, so that it ends.
        known = known.kind == Shape::Kind::Unknown ? now : Shape::varying();
        changed = true;
      }
  }
  findFarSteps();
  return true;
}

void LaneShapes::findFarSteps() {
  constexpr int64_t kLeast = 256, kMost = 1 << 20;  // bytes
  for (BasicBlock* block : order_)
    for (Instruction& instruction : *block) {
      auto* load = dyn_cast<LoadInst>(&instruction);
      const Loop* inner = loops_.getLoopFor(block);
      if (!load || inner == &loop_ || !evolution_.isSCEVable(load->getPointerOperandType())) continue;
      const auto* address = dyn_cast<SCEVAddRecExpr>(evolution_.getSCEV(load->getPointerOperand()));
      if (!address || address->getLoop() != inner || !address->isAffine()) continue;
      const auto* step = dyn_cast<SCEVConstant>(address->getStepRecurrence(evolution_));
      if (!step || step->getAPInt().getSignificantBits() > 32) continue;
      const int64_t bytes = step->getAPInt().getSExtValue();
      if (std::abs(bytes) >= kLeast && std::abs(bytes) <= kMost) farSteps_[load] = bytes;
    }
}

bool LaneShapes::findHeaderPhis() {
  for (PHINode& phi : loop_.getHeader()->phis()) {
    InductionDescriptor induction;
    if (InductionDescriptor::isInductionPHI(&phi, &loop_, &evolution_, induction) &&
        (induction.getKind() == InductionDescriptor::IK_IntInduction ||
         induction.getKind() == InductionDescriptor::IK_PtrInduction)) {
      const auto* step = dyn_cast<SCEVConstant>(induction.getStep());
      if (!step || step->getAPInt().getSignificantBits() > 32) return false;
      inductions_[&phi] = step->getAPInt().getSExtValue();
      continue;
    }
    // x joined with something, always, and used for nothing else.
    auto* step = dyn_cast<Instruction>(phi.getIncomingValueForBlock(loop_.getLoopLatch()));
    if (!step || !phi.hasOneUse() || *phi.user_begin() != step || loops_.getLoopFor(step->getParent()) != &loop_ ||
        !dominators_.dominates(step->getParent(), loop_.getLoopLatch()))
      return false;
    for (const User* user : step->users())
      if (const auto* at = cast<Instruction>(user); at != &phi && loop_.contains(at)) return false;
    bool fits = false;
    switch (step->getOpcode()) {
      case Instruction::Add:
      case Instruction::And:
      case Instruction::Or:
      case Instruction::Xor: fits = true; break;
      case Instruction::FAdd: fits = step->hasAllowReassoc(); break;
      case Instruction::Call:
        if (const auto* call = dyn_cast<IntrinsicInst>(step)) {
          switch (call->getIntrinsicID()) {
            case Intrinsic::minnum:
            case Intrinsic::maxnum:
            case Intrinsic::smin:
            case Intrinsic::smax:
            case Intrinsic::umin:
            case Intrinsic::umax: fits = true; break;
            default: break;
          }
        }
        break;
      default: break;
    }
    if (!fits) return false;
    reductions_.push_back({&phi, step});
  }
  return true;
}

bool LaneShapes::isSupported(Instruction& instruction) const {
  if (isIgnored(instruction)) return true;
  if (!instruction.getType()->isVoidTy() && !isPlainType(instruction.getType())) return false;
  if (auto* call = dyn_cast<CallInst>(&instruction)) {
    if (const auto* intrinsic = dyn_cast<IntrinsicInst>(call))
      return isTriviallyVectorizable(intrinsic->getIntrinsicID());
    return isPureCall(*call);
  }
  if (const auto* atomic = dyn_cast<AtomicRMWInst>(&instruction)) return !atomic->isVolatile();
  if (isa<LoadInst>(instruction) || isa<StoreInst>(instruction)) {
    // Only what is said to be independent between items.
    bool simple =
        isa<LoadInst>(instruction) ? cast<LoadInst>(instruction).isSimple() : cast<StoreInst>(instruction).isSimple();
    if (const auto* store = dyn_cast<StoreInst>(&instruction);
        store && !isPlainType(store->getValueOperand()->getType()))
      return false;
    if (!simple) return false;
    if (isa<LoadInst>(instruction) && instruction.hasMetadata(LLVMContext::MD_invariant_load)) return true;
    const MDNode* group = instruction.getMetadata(LLVMContext::MD_access_group);
    const MDNode* id = loop_.getLoopID();
    if (!group || !id) return false;
    for (const MDOperand& part : drop_begin(id->operands())) {
      const auto* node = dyn_cast<MDNode>(part);
      const auto* name = node && node->getNumOperands() > 0 ? dyn_cast<MDString>(node->getOperand(0)) : nullptr;
      if (!name || name->getString() != "llvm.loop.parallel_accesses") continue;
      auto isListed = [&](const MDNode* wanted) {
        return any_of(drop_begin(node->operands()), [&](const MDOperand& known) { return known.get() == wanted; });
      };
      if (group->getNumOperands() == 0) return isListed(group);
      return any_of(group->operands(), [&](const MDOperand& one) { return isListed(cast<MDNode>(one)); });
    }
    return false;
  }
  switch (instruction.getOpcode()) {
    case Instruction::Br:
    case Instruction::PHI:
    case Instruction::GetElementPtr:
    case Instruction::ICmp:
    case Instruction::FCmp:
    case Instruction::Select:
    case Instruction::Freeze:
    case Instruction::FNeg: return true;
    default:
      return instruction.isBinaryOp() ||
             (instruction.isCast() && instruction.getOpcode() != Instruction::AddrSpaceCast);
  }
}

Shape LaneShapes::transfer(Instruction& instruction) const {
  if (auto* phi = dyn_cast<PHINode>(&instruction)) return shapeOfPhi(*phi);
  bool allUniform = true;
  for (const Value* operand : instruction.operands()) {
    if (isa<BasicBlock>(operand)) continue;
    Shape shape = of(operand);
    if (shape.kind == Shape::Kind::Unknown) return {};
    allUniform = allUniform && shape.isUniform();
  }
  if (isa<AtomicRMWInst>(instruction)) return Shape::varying();
  if (allUniform) return Shape::uniform();
  auto operand = [&](unsigned i) { return of(instruction.getOperand(i)); };
  auto constant = [&](unsigned i) -> std::optional<int64_t> {
    const auto* value = dyn_cast<ConstantInt>(instruction.getOperand(i));
    if (!value || value->getValue().getSignificantBits() > 32) return std::nullopt;
    return value->getSExtValue();
  };
  auto strided = [](int64_t by) {  // kept small, so that nothing here overflows
    return by > -(int64_t{1} << 40) && by < (int64_t{1} << 40) ? Shape::strided(by) : Shape::varying();
  };
  switch (instruction.getOpcode()) {
    case Instruction::Or:
      if (!cast<PossiblyDisjointInst>(instruction).isDisjoint()) break;
      [[fallthrough]];
    case Instruction::Add:
      if (!operand(0).isVarying() && !operand(1).isVarying()) return strided(operand(0).stride + operand(1).stride);
      break;
    case Instruction::Sub:
      if (!operand(0).isVarying() && !operand(1).isVarying()) return strided(operand(0).stride - operand(1).stride);
      break;
    case Instruction::Mul:
      for (unsigned i : {0u, 1u})
        if (auto factor = constant(1 - i); factor && !operand(i).isVarying() && std::abs(operand(i).stride) < (1 << 30))
          return std::abs(*factor) < (int64_t{1} << 30) ? strided(operand(i).stride * *factor) : Shape::varying();
      break;
    case Instruction::Shl:
      if (auto by = constant(1);
          by && *by >= 0 && *by < 20 && !operand(0).isVarying() && std::abs(operand(0).stride) < (1 << 19))
        return strided(operand(0).stride * (int64_t{1} << *by));
      break;
    case Instruction::Trunc:
      if (!operand(0).isVarying() && !instruction.getType()->isIntegerTy(1)) return operand(0);
      break;
    case Instruction::Freeze: return operand(0);
    case Instruction::GetElementPtr: return shapeOfAddress(cast<GetElementPtrInst>(instruction));
    case Instruction::Select:
      if (operand(0).isUniform() && operand(1) == operand(2)) return operand(1);
      break;
    default: break;
  }
  return Shape::varying();
}

Shape LaneShapes::shapeOfAddress(GetElementPtrInst& address) const {
  const DataLayout& layout = address.getModule()->getDataLayout();
  unsigned bits = layout.getIndexTypeSizeInBits(address.getType());
  SmallMapVector<Value*, APInt, 4> variable;
  APInt fixed(bits, 0);
  if (!address.collectOffset(layout, bits, variable, fixed)) return Shape::varying();
  Shape base = of(address.getPointerOperand());
  if (base.isVarying()) return base;
  int64_t stride = base.stride;
  for (const auto& [index, scale] : variable) {
    Shape shape = of(index);
    if (shape.isUniform()) continue;
    if (shape.isVarying() || index->getType()->getIntegerBitWidth() != bits || scale.getSignificantBits() > 20 ||
        std::abs(shape.stride) > (1 << 20))
      return Shape::varying();
    stride += shape.stride * scale.getSExtValue();
  }
  return std::abs(stride) < (int64_t{1} << 40) ? Shape::strided(stride) : Shape::varying();
}

Shape LaneShapes::shapeOfPhi(PHINode& phi) const {
  const BasicBlock* block = phi.getParent();
  if (block == loop_.getHeader()) {
    auto found = inductions_.find(&phi);
    return found == inductions_.end() ? Shape::varying() : Shape::strided(found->second);
  }
  const Loop* inner = loops_.getLoopFor(block);
  bool isHeader = inner->getHeader() == block;
  Shape joined;
  bool sameValue = true;
  for (unsigned i = 0; i < phi.getNumIncomingValues(); ++i) {
    const BasicBlock* from = phi.getIncomingBlock(i);
    // What leaves a loop that lanes leave one after the other is another round's value in each.
    if (const Loop* source = loops_.getLoopFor(from); !source->contains(block) && isDivergent(source))
      return Shape::varying();
    Shape shape = of(phi.getIncomingValue(i));
    sameValue = sameValue && phi.getIncomingValue(i) == phi.getIncomingValue(0);
    if (shape.kind == Shape::Kind::Unknown) continue;
    if (joined.kind == Shape::Kind::Unknown) joined = shape;
    else if (!(joined == shape)) return Shape::varying();
  }
  if (!isHeader && !sameValue && phi.getNumIncomingValues() > 1 && joinsDivergentWays(block)) return Shape::varying();
  return joined;
}

bool LaneShapes::hasVaryingBranch(const BasicBlock* block) const {
  const auto* branch = cast<BranchInst>(block->getTerminator());
  if (!branch->isConditional() || failureOf(block)) return false;
  return of(branch->getCondition()).isVarying();
}

/// True if lanes may come to the block by different ways from the block that all of them came through.
bool LaneShapes::joinsDivergentWays(const BasicBlock* block) const {
  const BasicBlock* top = dominators_.getNode(const_cast<BasicBlock*>(block))->getIDom()->getBlock();
  SmallVector<const BasicBlock*, 16> pending(predecessors(block));
  DenseSet<const BasicBlock*> seen;
  while (!pending.empty()) {
    const BasicBlock* at = pending.pop_back_val();
    if (!seen.insert(at).second) continue;
    if (hasVaryingBranch(at)) return true;
    if (at == top) continue;
    for (const BasicBlock* before : predecessors(at)) pending.push_back(before);
  }
  return false;
}

bool LaneShapes::isDivergent(const Loop* inner) const {
  unsigned ways = 0;
  for (const BasicBlock* block : inner->blocks()) {
    for (const BasicBlock* next : successors(block)) {
      if (inner->contains(next) || next == failureOf(block)) continue;
      ++ways;
      if (hasVaryingBranch(block) || loops_.getLoopFor(block) != inner ||
          !dominators_.dominates(block, inner->getLoopLatch()))
        return true;
    }
  }
  return ways != 1;
}

bool LaneShapes::isWorthIt() const {
  if (!loop_.isInnermost()) return true;
  for (BasicBlock* block : order_) {
    if (failureOf(block)) return true;
    for (Instruction& instruction : *block)
      if (const auto* call = dyn_cast<CallInst>(&instruction); call && !vectorMathOf(*call).empty()) return true;
  }
  return false;
}

}  // namespace rad::cg

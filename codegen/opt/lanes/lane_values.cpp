// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values and memory in lanes.
#include "codegen/opt/lanes/lane_emitter.h"
#include "codegen/opt/lanes/lanes.h"
#include "codegen/opt/lanes/vector_math.h"

#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/VectorUtils.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/Module.h>

#include <cstdlib>

namespace rad::cg {

using namespace llvm;

Value* LaneEmitter::scalar(Value* value) const {
  auto found = made_.find(value);
  return found == made_.end() ? value : found->second;
}

Value* LaneEmitter::spread(Value* base, int64_t stride) {
  Value* all = b_.CreateVectorSplat(lanes_, base);
  if (stride == 0) return all;
  bool isAddress = base->getType()->isPointerTy();
  Type* type = isAddress ? b_.getInt64Ty() : base->getType();
  SmallVector<Constant*, 32> steps;
  for (unsigned lane = 0; lane < lanes_; ++lane)
    steps.push_back(ConstantInt::get(type, static_cast<uint64_t>(stride * static_cast<int64_t>(lane)),
                                     /*IsSigned=*/true, /*ImplicitTrunc=*/true));
  Constant* offsets = ConstantVector::get(steps);
  return isAddress ? b_.CreateGEP(b_.getInt8Ty(), base, offsets) : b_.CreateAdd(all, offsets);
}

Value* LaneEmitter::vector(Value* value) {
  auto found = made_.find(value);
  if (found == made_.end()) return b_.CreateVectorSplat(lanes_, value);
  Shape shape = shapes_.of(value);
  return shape.kind == Shape::Kind::Strided ? spread(found->second, shape.stride) : found->second;
}

Value* LaneEmitter::inLane(Value* value, Value* lane) {
  auto found = made_.find(value);
  if (found == made_.end()) return value;
  Shape shape = shapes_.of(value);
  if (shape.kind != Shape::Kind::Strided) return b_.CreateExtractElement(found->second, lane);
  if (shape.stride == 0) return found->second;
  Value* by = b_.CreateMul(lane, b_.getInt64(static_cast<uint64_t>(shape.stride)));
  if (found->second->getType()->isPointerTy()) return b_.CreatePtrAdd(found->second, by);
  return b_.CreateAdd(found->second, b_.CreateZExtOrTrunc(by, found->second->getType()));
}

Value* LaneEmitter::bitsOf(Value* mask) { return b_.CreateBitCast(mask, b_.getIntNTy(lanes_)); }
Value* LaneEmitter::any(Value* mask) { return b_.CreateICmpNE(bitsOf(mask), b_.getIntN(lanes_, 0)); }
Value* LaneEmitter::fullMask() { return Constant::getAllOnesValue(vectorType(b_.getInt1Ty())); }

/// A condition may be poison in lanes that the mask excludes. Where it was decided for all lanes at once on one of two
/// ways (emitFarFromLimit), the mask stays as it is on that way: the next round does not wait for what this one
/// computes.
Value* LaneEmitter::both(Value* mask, Value* condition) {
  if (!mask) return condition;
  auto* decided = dyn_cast<PHINode>(condition);
  auto* own = dyn_cast<Instruction>(mask);
  if (!decided || decided->getParent() != b_.GetInsertBlock() || (own && own->getParent() == decided->getParent()) ||
      none_of(decided->incoming_values(), [](const Use& value) { return isa<Constant>(value); }))
    return b_.CreateLogicalAnd(mask, condition);
  PHINode* made = IRBuilder<>(decided).CreatePHI(mask->getType(), decided->getNumIncomingValues());
  for (auto [value, from] : zip_equal(decided->incoming_values(), decided->blocks()))
    made->addIncoming(IRBuilder<>(from->getTerminator()).CreateLogicalAnd(mask, value), from);
  return made;
}

/// The address if any lane is there, else one of 8 bytes that can be read.
Value* LaneEmitter::safeAddress(Value* address, Value* mask) {
  if (!mask) return address;
  if (!safe_) {
    IRBuilder<> entry(&function_.getEntryBlock(), function_.getEntryBlock().getFirstInsertionPt());
    safe_ = entry.CreateAlloca(entry.getInt64Ty(), nullptr, "safe");
    entry.CreateStore(entry.getInt64(0), safe_);
  }
  return b_.CreateSelect(any(mask), address, safe_);
}

void LaneEmitter::emitInstruction(Instruction& instruction, Value* mask) {
  if (isa<PHINode>(instruction) || instruction.isTerminator()) return;
  if (const auto* intrinsic = dyn_cast<IntrinsicInst>(&instruction);
      intrinsic && (intrinsic->isAssumeLikeIntrinsic() || intrinsic->getType()->isVoidTy()))
    return;
  if (auto* store = dyn_cast<StoreInst>(&instruction)) return emitStore(*store, mask);
  Value* made = nullptr;
  if (auto* load = dyn_cast<LoadInst>(&instruction)) made = emitLoad(*load, mask);
  else if (auto* atomic = dyn_cast<AtomicRMWInst>(&instruction)) made = emitAtomic(*atomic, mask);
  else if (isScalarForm(&instruction)) made = emitScalar(instruction, mask);
  else made = emitVector(instruction, mask);
  if (made) made_[&instruction] = made;
}

/// The instruction for lane 0, which stands for all. Lane 0 may not be there: nothing may follow from what would hold
/// if it was.
Value* LaneEmitter::emitScalar(Instruction& instruction, Value* mask) {
  Instruction* copy = instruction.clone();
  for (Use& use : copy->operands())
    if (!isa<BasicBlock>(use) && !isa<Function>(use)) use.set(scalar(use));
  copy->dropPoisonGeneratingFlags();
  copy->dropUBImplyingAttrsAndMetadata();
  if (mask && instruction.isIntDivRem())
    copy->setOperand(1, b_.CreateSelect(any(mask), copy->getOperand(1), ConstantInt::get(instruction.getType(), 1)));
  return b_.Insert(copy, instruction.getName());
}

/// Asks for what a load of `bytes` reads some rounds of the inner loop later, `step` bytes a round (0: nothing to ask
/// for). Processors guess where a loop reads next only within 4096 bytes and mostly for neighbouring lines.
void LaneEmitter::fetchAhead(Value* base, int64_t bytes, int64_t step) {
  constexpr int64_t kRounds = 8, kCacheLine = 64;
  if (step == 0 || std::abs(step) < 2 * bytes) return;
  for (int64_t at = 0; at < bytes; at += kCacheLine)
    b_.CreateIntrinsic(Intrinsic::prefetch, {b_.getPtrTy()},
                       {b_.CreatePtrAdd(base, b_.getInt64(static_cast<uint64_t>(kRounds * step + at))), b_.getInt32(0),
                        b_.getInt32(3), b_.getInt32(1)});
}

Value* LaneEmitter::emitLoad(LoadInst& load, Value* mask) {
  Type* type = load.getType();
  Shape address = shapes_.of(load.getPointerOperand());
  Align align = load.getAlign();
  if (address.isUniform())
    return b_.CreateAlignedLoad(type, safeAddress(scalar(load.getPointerOperand()), mask), std::min(align, Align(8)));
  auto size = static_cast<int64_t>(load.getDataLayout().getTypeStoreSize(type).getFixedValue());
  if (!address.isVarying() && address.stride == size) {
    Value* base = scalar(load.getPointerOperand());
    fetchAhead(base, size * lanes_, shapes_.farStepOf(&load));
    if (!mask) return b_.CreateAlignedLoad(vectorType(type), base, align);
    return b_.CreateMaskedLoad(vectorType(type), base, align, mask, PoisonValue::get(vectorType(type)));
  }
  return b_.CreateMaskedGather(vectorType(type), vector(load.getPointerOperand()), align, maskOrFull(mask),
                               PoisonValue::get(vectorType(type)));
}

void LaneEmitter::emitStore(StoreInst& store, Value* mask) {
  Type* type = store.getValueOperand()->getType();
  Shape address = shapes_.of(store.getPointerOperand());
  Align align = store.getAlign();
  auto size = static_cast<int64_t>(store.getDataLayout().getTypeStoreSize(type).getFixedValue());
  if (address.isUniform() && !mask) {  // one after the other: the last lane's value stays
    b_.CreateAlignedStore(inLane(store.getValueOperand(), b_.getInt64(lanes_ - 1)), scalar(store.getPointerOperand()),
                          align);
    return;
  }
  if (address.isVarying() || address.stride != size) {
    b_.CreateMaskedScatter(vector(store.getValueOperand()), vector(store.getPointerOperand()), align, maskOrFull(mask));
    return;
  }
  Value* base = scalar(store.getPointerOperand());
  Value* value = vector(store.getValueOperand());
  if (!mask) {
    b_.CreateAlignedStore(value, base, align);
    return;
  }
  // Masked stores are slow on some processors, and mostly all lanes are there.
  BasicBlock* whole = newBlock("store.all");
  BasicBlock* some = newBlock("store.some");
  BasicBlock* done = newBlock("stored");
  b_.CreateCondBr(b_.CreateICmpEQ(bitsOf(mask), Constant::getAllOnesValue(b_.getIntNTy(lanes_))), whole, some);
  b_.SetInsertPoint(whole);
  b_.CreateAlignedStore(value, base, align);
  b_.CreateBr(done);
  b_.SetInsertPoint(some);
  b_.CreateMaskedStore(value, base, align, mask);
  b_.CreateBr(done);
  b_.SetInsertPoint(done);
}

/// Additions that may go to copies: where no lane is missing, each lane has a copy of its own, so that none waits for
/// another.
void LaneEmitter::emitCounts(AtomicRMWInst& atomic, MDNode& copies, Value* mask) {
  auto number = [&](unsigned i) { return mdconst::extract<ConstantInt>(copies.getOperand(i))->getZExtValue(); };
  BasicBlock* done = nullptr;
  if (mask) {
    BasicBlock* whole = newBlock("count.all");
    BasicBlock* some = newBlock("count.some");
    done = newBlock("counted");
    b_.CreateCondBr(b_.CreateICmpEQ(bitsOf(mask), Constant::getAllOnesValue(b_.getIntNTy(lanes_))), whole, some);
    b_.SetInsertPoint(some);
    emitAtomicLoop(atomic, mask);
    b_.CreateBr(done);
    b_.SetInsertPoint(whole);
  }
  // In a thread's own scratch memory every index fits into 32 bits. They come out of a vector register in pairs.
  auto* place = dyn_cast<GetElementPtrInst>(atomic.getPointerOperand());
  const DataLayout& layout = atomic.getDataLayout();
  const bool isScratch = place && place->getNumIndices() == 1 && shapes_.of(place->getPointerOperand()).isUniform() &&
                         place->getOperand(1)->getType()->isIntegerTy(64) &&
                         isa<Argument>(place->getPointerOperand()->stripInBoundsConstantOffsets()) &&
                         layout.isLittleEndian();
  Value* pairs = nullptr;
  if (isScratch)
    pairs = b_.CreateBitCast(b_.CreateTrunc(vector(place->getOperand(1)), vectorType(b_.getInt32Ty()), "",
                                            /*IsNUW=*/true, /*IsNSW=*/true),
                             FixedVectorType::get(b_.getInt64Ty(), lanes_ / 2));
  Value* addresses = isScratch ? nullptr : vector(atomic.getPointerOperand());
  Value* pair = nullptr;
  auto addressOf = [&](unsigned lane) -> Value* {
    if (!isScratch) return b_.CreateExtractElement(addresses, lane);
    if (lane % 2 == 0) pair = b_.CreateExtractElement(pairs, lane / 2);
    Value* index = lane % 2 == 0 ? b_.CreateAnd(pair, b_.getInt64(UINT32_MAX)) : b_.CreateLShr(pair, 32);
    return b_.CreateGEP(place->getSourceElementType(), scalar(place->getPointerOperand()), index);
  };
  for (unsigned lane = 0; lane < lanes_; ++lane) {
    Value* address = b_.CreatePtrAdd(addressOf(lane), b_.getInt64(lane % number(0) * number(1)));
    b_.CreateAtomicRMW(atomic.getOperation(), address, inLane(atomic.getValOperand(), b_.getInt64(lane)),
                       atomic.getAlign(), atomic.getOrdering(), atomic.getSyncScopeID());
  }
  if (!mask) return;
  b_.CreateBr(done);
  b_.SetInsertPoint(done);
}

Value* LaneEmitter::emitAtomic(AtomicRMWInst& atomic, Value* mask) {
  MDNode* copies = atomic.getMetadata(counterCopiesMark);
  if (!copies || !atomic.use_empty()) return emitAtomicLoop(atomic, mask);
  emitCounts(atomic, *copies, mask);
  return nullptr;
}

/// One lane after the other, in a loop: processors learn then that a lane may wait for the one before it.
Value* LaneEmitter::emitAtomicLoop(AtomicRMWInst& atomic, Value* mask) {
  IRBuilder<> entry(&function_.getEntryBlock(), function_.getEntryBlock().getFirstInsertionPt());
  auto keep = [&](Value* lanes) {
    Value* memory = entry.CreateAlloca(lanes->getType());
    b_.CreateStore(lanes, memory);
    return memory;
  };
  Value* addresses = keep(vector(atomic.getPointerOperand()));
  bool isUniform = shapes_.of(atomic.getValOperand()).isUniform();
  Value* operands = isUniform ? scalar(atomic.getValOperand()) : keep(vector(atomic.getValOperand()));
  Value* results = atomic.use_empty() ? nullptr : entry.CreateAlloca(vectorType(atomic.getType()));
  Value* start = bitsOf(maskOrFull(mask));
  BasicBlock* before = b_.GetInsertBlock();
  BasicBlock* body = newBlock("lane");
  BasicBlock* done = newBlock("all.lanes");
  b_.CreateCondBr(b_.CreateICmpNE(start, b_.getIntN(lanes_, 0)), body, done);
  b_.SetInsertPoint(body);
  PHINode* left = b_.CreatePHI(start->getType(), 2, "left");
  left->addIncoming(start, before);
  Value* lane =
      b_.CreateZExt(b_.CreateIntrinsic(Intrinsic::cttz, {start->getType()}, {left, b_.getTrue()}), b_.getInt64Ty());
  Value* address = b_.CreateLoad(b_.getPtrTy(), b_.CreateInBoundsGEP(b_.getPtrTy(), addresses, lane));
  Value* operand =
      isUniform ? operands : b_.CreateLoad(atomic.getType(), b_.CreateInBoundsGEP(atomic.getType(), operands, lane));
  Value* one = b_.CreateAtomicRMW(atomic.getOperation(), address, operand, atomic.getAlign(), atomic.getOrdering(),
                                  atomic.getSyncScopeID());
  if (results) b_.CreateStore(one, b_.CreateInBoundsGEP(atomic.getType(), results, lane));
  Value* rest = b_.CreateAnd(left, b_.CreateSub(left, b_.getIntN(lanes_, 1)));
  left->addIncoming(rest, body);
  b_.CreateCondBr(b_.CreateICmpNE(rest, b_.getIntN(lanes_, 0)), body, done);
  b_.SetInsertPoint(done);
  return results ? b_.CreateLoad(vectorType(atomic.getType()), results) : nullptr;
}

Value* LaneEmitter::emitVector(Instruction& instruction, Value* mask) {
  auto operand = [&](unsigned i) { return vector(instruction.getOperand(i)); };
  Value* made = nullptr;
  if (auto* compare = dyn_cast<CmpInst>(&instruction)) {
    if (loops_.getLoopFor(compare->getParent()) != &loop_)
      for (bool outcome : {true, false})
        if (Value* allHold = holdsInAllLanes(compare, outcome)) return emitFarFromLimit(*compare, allHold, outcome);
    made = b_.CreateCmp(compare->getPredicate(), operand(0), operand(1));
  } else if (auto* select = dyn_cast<SelectInst>(&instruction)) {
    Value* condition = shapes_.of(select->getCondition()).isUniform() ? scalar(select->getCondition())
                                                                      : vector(select->getCondition());
    made = b_.CreateSelect(condition, operand(1), operand(2));
  } else if (auto* cast = dyn_cast<CastInst>(&instruction)) {
    made = b_.CreateCast(cast->getOpcode(), operand(0), vectorType(cast->getType()));
  } else if (instruction.isIntDivRem()) {
    Value* divisor = operand(1);
    if (mask) divisor = b_.CreateSelect(mask, divisor, ConstantInt::get(divisor->getType(), 1));
    made = b_.CreateBinOp(static_cast<Instruction::BinaryOps>(instruction.getOpcode()), operand(0), divisor);
  } else if (instruction.isBinaryOp()) {
    made = b_.CreateBinOp(static_cast<Instruction::BinaryOps>(instruction.getOpcode()), operand(0), operand(1));
  } else if (auto* address = dyn_cast<GetElementPtrInst>(&instruction)) {
    SmallVector<Value*, 4> indices;
    for (Value* index : address->indices()) indices.push_back(isa<Constant>(index) ? index : vector(index));
    made = b_.CreateGEP(address->getSourceElementType(), vector(address->getPointerOperand()), indices);
  } else if (auto* call = dyn_cast<CallInst>(&instruction)) {
    return emitCall(*call);
  } else if (instruction.getOpcode() == Instruction::FNeg) {
    made = b_.CreateFNeg(operand(0));
  } else {
    made = b_.CreateFreeze(operand(0));
  }
  if (auto* written = dyn_cast<Instruction>(made)) written->copyIRFlags(&instruction, /*IncludeWrapFlags=*/true);
  return made;
}

/// A comparison that comes out the same in all lanes but near a limit, as loops have them: the lanes are asked only
/// there.
Value* LaneEmitter::emitFarFromLimit(CmpInst& compare, Value* isFar, bool outcome) {
  BasicBlock* before = b_.GetInsertBlock();
  BasicBlock* near = newBlock("near");
  BasicBlock* done = newBlock("compared");
  b_.CreateCondBr(isFar, done, near);
  b_.SetInsertPoint(near);
  Value* asked = b_.CreateCmp(compare.getPredicate(), vector(compare.getOperand(0)), vector(compare.getOperand(1)));
  b_.CreateBr(done);
  b_.SetInsertPoint(done);
  PHINode* made = b_.CreatePHI(asked->getType(), 2);
  made->addIncoming(ConstantInt::getBool(asked->getType(), outcome), before);
  made->addIncoming(asked, near);
  return made;
}

Value* LaneEmitter::emitCall(CallInst& call) {
  StringRef library = vectorMathOf(call);
  SmallVector<Value*, 3> operands;
  if (!library.empty()) {
    for (Value* operand : call.args()) operands.push_back(vector(operand));
    return callVectorMath(b_, library, operands);
  }
  if (const auto* intrinsic = dyn_cast<IntrinsicInst>(&call)) {
    Intrinsic::ID id = intrinsic->getIntrinsicID();
    SmallVector<Type*, 2> types;
    if (isVectorIntrinsicWithOverloadTypeAtArg(id, -1, nullptr)) types.push_back(vectorType(call.getType()));
    for (unsigned i = 0; i < call.arg_size(); ++i) {
      bool isScalar = isVectorIntrinsicWithScalarOpAtArg(id, i, nullptr);
      operands.push_back(isScalar ? scalar(call.getArgOperand(i)) : vector(call.getArgOperand(i)));
      if (isVectorIntrinsicWithOverloadTypeAtArg(id, static_cast<int>(i), nullptr))
        types.push_back(operands.back()->getType());
    }
    auto* made = b_.CreateCall(Intrinsic::getOrInsertDeclaration(function_.getParent(), id, types), operands);
    if (isa<FPMathOperator>(made)) made->copyFastMathFlags(&call);
    return made;
  }
  // A function that knows one lane only.
  Value* result = PoisonValue::get(vectorType(call.getType()));
  for (Value* operand : call.args()) operands.push_back(vector(operand));
  for (unsigned lane = 0; lane < lanes_; ++lane) {
    SmallVector<Value*, 3> parts;
    for (Value* operand : operands) parts.push_back(b_.CreateExtractElement(operand, lane));
    auto* one = b_.CreateCall(call.getFunctionType(), call.getCalledOperand(), parts);
    one->setAttributes(call.getAttributes());
    result = b_.CreateInsertElement(result, one, lane);
  }
  return result;
}

// ---- reductions ----

/// What the lanes of a reduction start with: together no more than `start`.
Value* LaneEmitter::identityOf(const LaneReduction& reduction, Value* start) {
  Type* type = start->getType();
  Constant* identity = nullptr;
  switch (reduction.step->getOpcode()) {
    case Instruction::Add:
    case Instruction::Or:
    case Instruction::Xor: identity = Constant::getNullValue(type); break;
    case Instruction::And: identity = Constant::getAllOnesValue(type); break;
    case Instruction::FAdd: identity = ConstantFP::getNegativeZero(type); break;
    default: return b_.CreateVectorSplat(lanes_, start);  // min, max: as often as one likes
  }
  return b_.CreateInsertElement(ConstantVector::getSplat(ElementCount::getFixed(lanes_), identity), start, uint64_t{0});
}

Value* LaneEmitter::reduce(const LaneReduction& reduction, Value* lanes) {
  for (unsigned width = lanes_ / 2; width >= 1; width /= 2) {
    SmallVector<int, 16> low, high;
    for (unsigned i = 0; i < width; ++i)
      low.push_back(static_cast<int>(i)), high.push_back(static_cast<int>(i + width));
    Value* left = b_.CreateShuffleVector(lanes, low);
    Value* right = b_.CreateShuffleVector(lanes, high);
    if (const auto* intrinsic = dyn_cast<IntrinsicInst>(reduction.step)) {
      lanes = b_.CreateBinaryIntrinsic(intrinsic->getIntrinsicID(), left, right);
    } else {
      lanes = b_.CreateBinOp(static_cast<Instruction::BinaryOps>(reduction.step->getOpcode()), left, right);
      if (auto* made = dyn_cast<Instruction>(lanes); made && isa<FPMathOperator>(made))
        made->copyFastMathFlags(reduction.step);
    }
  }
  return b_.CreateExtractElement(lanes, uint64_t{0});
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/opt/lanes/lanes.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/PatternMatch.h>

#include <optional>

namespace rad::cg {

using namespace llvm;

namespace {

/// 2^bits in a floating-point type; infinity where it is too large, which is as good: no finite value reaches it.
Constant* powerOfTwo(Type* type, unsigned bits, bool isNegative) {
  APFloat value(type->getScalarType()->getFltSemantics());
  value.convertFromAPInt(APInt::getOneBitSet(bits + 1, bits), /*IsSigned=*/false, APFloat::rmNearestTiesToEven);
  if (isNegative) value.changeSign();
  return ConstantFP::get(type, value);
}

Value* convert(IRBuilder<>& b, IntrinsicInst& call) {
  const bool isSigned = call.getIntrinsicID() == Intrinsic::fptosi_sat;
  Value* from = call.getArgOperand(0);
  Type* type = call.getType();
  const unsigned bits = type->getScalarSizeInBits();
  const APInt least = isSigned ? APInt::getSignedMinValue(bits) : APInt(bits, 0);
  const APInt most = isSigned ? APInt::getSignedMaxValue(bits) : APInt::getMaxValue(bits);
  // A conversion of what lies outside of the range is poison, which a selection of another value does not take on.
  Value* made = isSigned ? b.CreateFPToSI(from, type) : b.CreateFPToUI(from, type);
  Value* tooLarge = b.CreateFCmpOGE(from, powerOfTwo(from->getType(), isSigned ? bits - 1 : bits, false));
  made = b.CreateSelect(tooLarge, ConstantInt::get(type, most), made);
  if (!isSigned)
    return b.CreateSelect(b.CreateFCmpOGT(from, Constant::getNullValue(from->getType())), made,
                          Constant::getNullValue(type));
  made = b.CreateSelect(b.CreateFCmpOLE(from, powerOfTwo(from->getType(), bits - 1, true)),
                        ConstantInt::get(type, least), made);
  return b.CreateSelect(b.CreateFCmpUNO(from, from), Constant::getNullValue(type), made);
}

/// What is done with min(convert(x), most), where `most` and what it is compared with are below 2^31: all of it can be
/// done with 32 bits and values from -2^31 on, but for what stands in other blocks (a failed check that shows the
/// value).
struct NarrowUses {
  SmallVector<ICmpInst*, 2> comparisons;
  SmallVector<TruncInst*, 2> truncations;
  SmallVector<Instruction*, 4> elsewhere;
};
std::optional<NarrowUses> narrowUsesOf(IntrinsicInst& least) {
  NarrowUses uses;
  for (User* user : least.users()) {
    auto* instruction = cast<Instruction>(user);
    auto* comparison = dyn_cast<ICmpInst>(instruction);
    const APInt* with = nullptr;
    if (comparison && comparison->isUnsigned() && match(comparison->getOperand(1), PatternMatch::m_APInt(with)) &&
        with->isSignedIntN(32) && !with->isNegative())
      uses.comparisons.push_back(comparison);
    else if (auto* narrowed = dyn_cast<TruncInst>(instruction);
             narrowed && narrowed->hasNoSignedWrap() && narrowed->getType()->getScalarSizeInBits() == 32)
      uses.truncations.push_back(narrowed);
    else if (!isa<PHINode>(instruction) && instruction->getParent() != least.getParent())
      uses.elsewhere.push_back(instruction);
    else return std::nullopt;
  }
  return uses;
}

/// min(convert(x), most), where `most` is a number of x's type: the limits are put on x, which is narrower mostly.
/// False if it is another case. Conversions to 32 bits take a quarter of the time of those to 64.
bool convertUpTo(IRBuilder<>& b, IntrinsicInst& call, IntrinsicInst& minimum) {
  const Value* limit = minimum.getArgOperand(minimum.getArgOperand(0) == &call ? 1 : 0);
  const auto* limits = dyn_cast<Constant>(limit);
  const auto* most =
      limits ? dyn_cast_if_present<ConstantInt>(limits->getSplatValue()) : nullptr;  // the lanes' limits can differ
  if (!most || most->isNegative() || call.getIntrinsicID() != Intrinsic::fptosi_sat) return false;
  Value* from = call.getArgOperand(0);
  APFloat bound(from->getType()->getScalarType()->getFltSemantics());
  if (bound.convertFromAPInt(most->getValue(), /*IsSigned=*/true, APFloat::rmTowardZero) != APFloat::opOK) return false;
  Constant* least = powerOfTwo(from->getType(), most->getBitWidth() - 1, true);
  if (least->getSplatValue() == nullptr || cast<ConstantFP>(least->getSplatValue())->isInfinity()) return false;
  Constant* top = ConstantFP::get(from->getType(), bound);
  Value* below = b.CreateSelect(b.CreateFCmpOLT(from, top), from, top);
  auto made = [&](IRBuilder<>& at, Constant* lowest, Type* type) {
    Value* kept = at.CreateSelect(at.CreateFCmpOGT(below, lowest), below, lowest);
    return at.CreateFPToSI(at.CreateSelect(at.CreateFCmpORD(from, from), kept, Constant::getNullValue(from->getType())),
                           type);
  };
  auto uses = most->getBitWidth() == 64 && most->getValue().isSignedIntN(32) ? narrowUsesOf(minimum) : std::nullopt;
  if (!uses) {
    minimum.replaceAllUsesWith(made(b, least, call.getType()));
    return true;
  }
  Type* narrow = call.getType()->getWithNewBitWidth(32);
  Value* value = made(b, powerOfTwo(from->getType(), 31, true), narrow);
  for (ICmpInst* comparison : uses->comparisons) {
    IRBuilder<> at(comparison);
    comparison->replaceAllUsesWith(at.CreateICmp(
        comparison->getPredicate(), value, ConstantExpr::getTrunc(cast<Constant>(comparison->getOperand(1)), narrow)));
  }
  for (TruncInst* narrowed : uses->truncations) narrowed->replaceAllUsesWith(value);
  for (Instruction* user : uses->elsewhere) {
    IRBuilder<> at(user);
    user->replaceUsesOfWith(&minimum, made(at, least, call.getType()));
  }
  for (ICmpInst* comparison : uses->comparisons) comparison->eraseFromParent();
  for (TruncInst* narrowed : uses->truncations) narrowed->eraseFromParent();
  return true;
}

}  // namespace

PreservedAnalyses VectorConversionPass::run(Function& function, FunctionAnalysisManager&) {
  SmallVector<IntrinsicInst*, 8> calls;
  for (BasicBlock& block : function)
    for (Instruction& instruction : block)
      if (auto* call = dyn_cast<IntrinsicInst>(&instruction);
          call && call->getType()->isVectorTy() &&
          (call->getIntrinsicID() == Intrinsic::fptosi_sat || call->getIntrinsicID() == Intrinsic::fptoui_sat))
        calls.push_back(call);
  for (IntrinsicInst* call : calls) {
    IRBuilder<> b(call);
    auto* least = call->hasOneUse() ? dyn_cast<IntrinsicInst>(*call->user_begin()) : nullptr;
    if (least && least->getIntrinsicID() == Intrinsic::smin && convertUpTo(b, *call, *least)) {
      least->eraseFromParent();
      call->eraseFromParent();
      continue;
    }
    call->replaceAllUsesWith(convert(b, *call));
    call->eraseFromParent();
  }
  return calls.empty() ? PreservedAnalyses::all() : PreservedAnalyses::none();
}

}  // namespace rad::cg

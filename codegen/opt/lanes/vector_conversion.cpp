// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/opt/lanes/lanes.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicInst.h>

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

/// min(convert(x), most), where `most` is a number of x's type: the limits are put on x, which is narrower mostly. Null
/// if it is another case.
Value* convertUpTo(IRBuilder<>& b, IntrinsicInst& call, const Value* limit) {
  const auto* limits = dyn_cast<Constant>(limit);
  const auto* most =
      limits ? dyn_cast_if_present<ConstantInt>(limits->getSplatValue()) : nullptr;  // the lanes' limits can differ
  if (!most || most->isNegative() || call.getIntrinsicID() != Intrinsic::fptosi_sat) return nullptr;
  Value* from = call.getArgOperand(0);
  APFloat bound(from->getType()->getScalarType()->getFltSemantics());
  if (bound.convertFromAPInt(most->getValue(), /*IsSigned=*/true, APFloat::rmTowardZero) != APFloat::opOK)
    return nullptr;
  Constant* least = powerOfTwo(from->getType(), most->getBitWidth() - 1, true);
  if (least->getSplatValue() == nullptr || cast<ConstantFP>(least->getSplatValue())->isInfinity()) return nullptr;
  Constant* top = ConstantFP::get(from->getType(), bound);
  Value* kept = b.CreateSelect(b.CreateFCmpOLT(from, top), from, top);
  kept = b.CreateSelect(b.CreateFCmpOGT(kept, least), kept, least);
  return b.CreateFPToSI(b.CreateSelect(b.CreateFCmpORD(from, from), kept, Constant::getNullValue(from->getType())),
                        call.getType());
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
    if (least && least->getIntrinsicID() == Intrinsic::smin)
      if (Value* made = convertUpTo(b, *call, least->getArgOperand(least->getArgOperand(0) == call ? 1 : 0))) {
        least->replaceAllUsesWith(made);
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

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
  if (!isSigned) return b.CreateSelect(b.CreateFCmpOGT(from, Constant::getNullValue(from->getType())), made, Constant::getNullValue(type));
  made = b.CreateSelect(b.CreateFCmpOLE(from, powerOfTwo(from->getType(), bits - 1, true)), ConstantInt::get(type, least), made);
  return b.CreateSelect(b.CreateFCmpUNO(from, from), Constant::getNullValue(type), made);
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
    call->replaceAllUsesWith(convert(b, *call));
    call->eraseFromParent();
  }
  return calls.empty() ? PreservedAnalyses::all() : PreservedAnalyses::none();
}

}  // namespace rad::cg

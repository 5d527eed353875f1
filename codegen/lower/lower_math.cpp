// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pure functions of builtins.def: LLVM's intrinsic where the table names one, else the target's library.
#include "codegen/lower/kernel_arguments.h"
#include "codegen/lower/small_floats.h"
#include "frontend/builtins/builtins.h"

#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <cassert>

namespace rad::cg {

Value FunctionLowering::lower(const TExpr& expr, const MathCall& node) {
  llvm::SmallVector<Value, 3> operands;
  for (TExprId operand : node.operands) operands.push_back(eval(operand));
  setPlace(expr.range);
  return mathCall(node.op, operands);
}

Value FunctionLowering::mathCall(Math op, std::span<const Value> operands) {
  TypeId type = operands[0].type;
  if (!operands[0].items.empty()) return elementwise(type, operands, [&](auto lane) { return mathCall(op, lane); });
  llvm::SmallVector<llvm::Value*, 3> values;
  if (isHalf(scalarOf(type))) {  // as f32, rounded
    for (const Value& operand : operands) values.push_back(operand.scalar);
    if (op == Math::Fma) return scalar(type, fusedSmall(*this, scalarOf(type), values));
    // The sign is a bit, of NaN too, which a conversion may lose.
    if (op == Math::Abs || op == Math::CopySign) {
      llvm::Value* size = builder_.CreateAnd(values[0], 0x7fff);
      if (op == Math::CopySign) size = builder_.CreateOr(size, builder_.CreateAnd(values[1], 0x8000));
      return scalar(type, size);
    }
    TypeId f32 = program_.types->scalar(Scalar::F32);
    llvm::SmallVector<Value, 3> wide;
    for (const Value& operand : operands) wide.push_back(convert(operand, f32));
    return convert(mathCall(op, wide), type);
  }
  if (isFloat(scalarOf(type))) {
    for (const Value& operand : operands) values.push_back(operand.scalar);
    std::string_view name = infoOf(op).llvm;
    if (name.empty()) return scalar(type, target_.emitMath(*this, op, values));
    llvm::Intrinsic::ID id = llvm::Intrinsic::lookupIntrinsicID(llvm::StringRef(name.data(), name.size()));
    assert(id != llvm::Intrinsic::not_intrinsic && "builtins.def names an intrinsic that LLVM does not have");
    return scalar(type, builder_.CreateIntrinsic(id, {values[0]->getType()}, values));
  }

  // Integers: the rows whose operands are N or I.
  bool isSigned = isSignedInteger(scalarOf(type));
  if (op == Math::Abs) {
    const Value& a = operands[0];
    if (!isSigned || a.range.low >= 0) return a;
    llvm::Value* made = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::abs, a.scalar, builder_.getFalse());
    // The smallest value of a narrow index has no positive counterpart in 32 bits.
    if (isIndex(type) && a.scalar->getType()->isIntegerTy(32) && a.range.contains(INT32_MIN)) {
      made = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::abs, wide(a), builder_.getFalse());
    }
    Interval range;
    if (a.range.low > std::numeric_limits<int64_t>::min()) range = {0, std::max(-a.range.low, a.range.high)};
    return scalar(type, made, range);
  }
  assert((op == Math::Min || op == Math::Max) && "a math function without an integer form");
  Value a = operands[0], b = operands[1];
  if (a.scalar->getType() != b.scalar->getType()) {
    a.scalar = wide(a);
    b.scalar = wide(b);
  }
  bool isMin = op == Math::Min;
  auto id = isSigned ? (isMin ? llvm::Intrinsic::smin : llvm::Intrinsic::smax)
                     : (isMin ? llvm::Intrinsic::umin : llvm::Intrinsic::umax);
  Interval range;
  if (isSigned || (a.range.low >= 0 && b.range.low >= 0)) {
    range = isMin ? Interval{std::min(a.range.low, b.range.low), std::min(a.range.high, b.range.high)}
                  : Interval{std::max(a.range.low, b.range.low), std::max(a.range.high, b.range.high)};
  }
  return scalar(type, builder_.CreateBinaryIntrinsic(id, a.scalar, b.scalar), range);
}

llvm::Value* reduceIdentity(FunctionLowering& f, BinaryOp op, Math minMax, bool isMinMax, TypeId type) {
  Scalar kind = f.scalarOf(type);
  llvm::Type* llvmType = f.registerType(type);
  if (isMinMax) {
    bool isMin = minMax == Math::Min;
    if (isFloat(kind)) return llvm::ConstantFP::getInfinity(llvmType, /*Negative=*/!isMin);
    unsigned bits = llvmType->getIntegerBitWidth();
    if (isSignedInteger(kind))
      return llvm::ConstantInt::get(
          llvmType, isMin ? llvm::APInt::getSignedMaxValue(bits) : llvm::APInt::getSignedMinValue(bits));
    return llvm::ConstantInt::get(llvmType, isMin ? llvm::APInt::getMaxValue(bits) : llvm::APInt::getMinValue(bits));
  }
  if (op == BinaryOp::And) return f.builder().getTrue();
  if (op == BinaryOp::Or) return f.builder().getFalse();
  assert(op == BinaryOp::Add && "a reduction without an identity");
  // -0.0 + x is x for every x, but the sum of nothing is 0.
  return llvm::Constant::getNullValue(llvmType);
}

llvm::Value* reduceStep(FunctionLowering& f, BinaryOp op, Math minMax, bool isMinMax, TypeId type, llvm::Value* left,
                        llvm::Value* right) {
  Value operands[2] = {f.scalar(type, left), f.scalar(type, right)};
  if (isMinMax) return f.mathCall(minMax, operands).scalar;
  if (op == BinaryOp::And) return f.builder().CreateAnd(left, right);
  if (op == BinaryOp::Or) return f.builder().CreateOr(left, right);
  return f.arithmetic(BinaryOp::Add, operands[0], operands[1], {}).scalar;
}

}  // namespace rad::cg

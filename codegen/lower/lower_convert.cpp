// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Conversions between scalars. Integers keep the low bits; float to integer saturates and NaN gives 0.
#include "codegen/lower/small_floats.h"

#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/Module.h>

#include <algorithm>

namespace rad::cg {
namespace {

/// All values of an integer type of up to 63 bits; full for 64.
Interval rangeOf(Scalar scalar) {
  unsigned bits = bitsOf(scalar);
  if (scalar == Scalar::Bool) return {0, 1};
  if (bits >= 64) return isUnsignedInteger(scalar) ? Interval{} : Interval{};
  if (isUnsignedInteger(scalar)) return {0, (int64_t(1) << bits) - 1};
  return {-(int64_t(1) << (bits - 1)), (int64_t(1) << (bits - 1)) - 1};
}

Interval intersect(Interval a, Interval b) { return {std::max(a.low, b.low), std::min(a.high, b.high)}; }

}  // namespace

Value FunctionLowering::lower(const TExpr& expr, const Convert& node) {
  Value value = eval(node.operand);
  setPlace(expr.range);
  return convert(value, expr.type);
}

Value FunctionLowering::convert(const Value& value, TypeId to) {
  if (value.type == to) return value;
  if (!value.items.empty()) {
    const TypeId element = program_.types->get(to).element;
    return elementwise(to, {&value, 1}, [&](auto lane) { return convert(lane[0], element); });
  }
  Scalar from = scalarOf(value.type), target = scalarOf(to);
  llvm::Type* type = registerType(to);
  llvm::Value* v = value.scalar;

  if (isFloat(from)) {
    if (isInteger(target)) return floatToInteger(value, to);
    v = widenFloat(*this, value);
    if (isFloat(target)) return narrowFloat(*this, v, to);
    return scalar(to, builder_.CreateFCmpUNE(v, llvm::ConstantFP::getZero(v->getType())));
  }
  // from: bool or an integer, perhaps a narrow index
  bool isSigned = isSignedInteger(from);
  if (target == Scalar::Bool) return scalar(to, builder_.CreateICmpNE(v, llvm::ConstantInt::get(v->getType(), 0)));
  if (isSmallFloat(target)) return scalar(to, smallFromInteger(*this, v, isSigned, target));
  if (isFloat(target)) return scalar(to, isSigned ? builder_.CreateSIToFP(v, type) : builder_.CreateUIToFP(v, type));

  Interval known = intersect(rangeOf(from), value.range);
  if (target == Scalar::Index && options_.narrowIndices && known.fitsI32()) {
    llvm::Type* i32 = builder_.getInt32Ty();
    llvm::Value* narrow = isSigned ? builder_.CreateSExtOrTrunc(v, i32) : builder_.CreateZExtOrTrunc(v, i32);
    return scalar(to, narrow, known);
  }
  llvm::Value* converted = isSigned ? builder_.CreateSExtOrTrunc(v, type) : builder_.CreateZExtOrTrunc(v, type);
  // Where the value fits, what was known of it stays true.
  Interval limits = rangeOf(target);
  bool unsigned64 = target == Scalar::U64;
  bool fits = known.within(limits.low, limits.high) && !(unsigned64 && known.low < 0) &&
              !(from == Scalar::U64 && value.range.isFull());
  return scalar(to, converted, fits ? known : Interval{});
}

Value FunctionLowering::floatToInteger(const Value& value, TypeId to) {
  Scalar target = scalarOf(to);
  llvm::Value* number = widenFloat(*this, value);
  if (llvm::Value* made = target_.emitFloatToInteger(*this, number, target)) return scalar(to, made);
  auto intrinsic = isSignedInteger(target) ? llvm::Intrinsic::fptosi_sat : llvm::Intrinsic::fptoui_sat;
  return scalar(to, builder_.CreateIntrinsic(intrinsic, {registerType(to), number->getType()}, {number}));
}

Value FunctionLowering::lower(const TExpr& expr, const Bitcast& node) { return bitcast(eval(node.operand), expr.type); }

Value FunctionLowering::bitcast(const Value& value, TypeId to) {
  const Type& type = program_.types->get(to);
  if (type.kind == TypeKind::Vector && value.items.size() == type.count)
    return elementwise(to, {&value, 1}, [&](auto lane) { return bitcast(lane[0], type.element); });
  return fromMemory(to, builder_.CreateBitCast(toMemory(value), memoryType(to)));
}

}  // namespace rad::cg

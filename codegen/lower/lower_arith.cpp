// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arithmetic and comparisons. Integers wrap in device code; in host code a site of kind Overflow asks for a check.
#include "codegen/lower/function_lowering.h"
#include "codegen/lower/interval.h"
#include "codegen/lower/small_floats.h"

#include <llvm/IR/Intrinsics.h>

#include <algorithm>
#include <cassert>

namespace rad::cg {
Value FunctionLowering::lower(const TExpr&, const Negate& node) { return negate(eval(node.operand), node.overflow); }

Value FunctionLowering::negate(const Value& operand, SiteId overflow) {
  if (!operand.items.empty())
    return elementwise(operand.type, {&operand, 1}, [&](auto lane) { return negate(lane[0], overflow); });
  Scalar kind = scalarOf(operand.type);
  if (isSmallFloat(kind)) {
    auto* type = llvm::cast<llvm::IntegerType>(operand.scalar->getType());
    return scalar(operand.type, builder_.CreateXor(operand.scalar, llvm::ConstantInt::get(type, type->getSignBit())));
  }
  if (isFloat(kind)) return scalar(operand.type, builder_.CreateFNeg(operand.scalar));
  Value zero = isIndex(operand.type) ? constantIndex(0)
                                     : scalar(operand.type, llvm::ConstantInt::get(operand.scalar->getType(), 0));
  return arithmetic(BinaryOp::Sub, zero, operand, overflow);
}

Value FunctionLowering::lower(const TExpr& expr, const BitNot& node) {
  Value operand = eval(node.operand);
  auto flip = [&](const Value& value) { return scalar(value.type, builder_.CreateNot(value.scalar)); };
  if (operand.items.empty()) return flip(operand);
  return elementwise(expr.type, {&operand, 1}, [&](auto lane) { return flip(lane[0]); });
}

Value FunctionLowering::lower(const TExpr& expr, const Arithmetic& node) {
  Value left = eval(node.left);
  Value right = eval(node.right);
  setPlace(expr.range);
  return arithmetic(node.op, left, right, node.site);
}

Value FunctionLowering::lower(const TExpr&, const Compare& node) {
  Value left = eval(node.left);
  Value right = eval(node.right);
  return compare(node.op, left, right);
}

Value FunctionLowering::arithmetic(BinaryOp op, const Value& left, const Value& right, SiteId site) {
  if (!left.items.empty()) {
    const Value both[2] = {left, right};
    return elementwise(left.type, both, [&](auto lane) { return arithmetic(op, lane[0], lane[1], site); });
  }
  if (isFloat(scalarOf(left.type))) return floatArithmetic(op, left, right);
  if (isIndex(left.type)) return indexArithmetic(op, left, right, site);
  return integerArithmetic(op, left, right, site);
}

Value FunctionLowering::floatArithmetic(BinaryOp op, const Value& left, const Value& right) {
  llvm::Value* result = nullptr;
  llvm::Value* l = widenFloat(*this, left);
  llvm::Value* r = widenFloat(*this, right);
  switch (op) {
    case BinaryOp::Add: result = builder_.CreateFAdd(l, r); break;
    case BinaryOp::Sub: result = builder_.CreateFSub(l, r); break;
    case BinaryOp::Mul: result = builder_.CreateFMul(l, r); break;
    case BinaryOp::Div: result = builder_.CreateFDiv(l, r); break;
    case BinaryOp::Rem: result = floatRemainder(*this, l, r); break;
    case BinaryOp::BitAnd:
    case BinaryOp::BitOr:
    case BinaryOp::BitXor:
    case BinaryOp::Shl:
    case BinaryOp::Shr:
    case BinaryOp::Eq:
    case BinaryOp::Ne:
    case BinaryOp::Lt:
    case BinaryOp::Le:
    case BinaryOp::Gt:
    case BinaryOp::Ge:
    case BinaryOp::And:
    case BinaryOp::Or: assert(false && "not an operation of floats"); break;
  }
  return narrowFloat(*this, result, left.type);
}

llvm::Value* FunctionLowering::divide(BinaryOp op, llvm::Value* left, llvm::Value* right, bool isSigned,
                                      const Interval& leftRange, const Interval& rightRange) {
  bool isDiv = op == BinaryOp::Div;
  bool natural = leftRange.low >= 0 && rightRange.low >= 0;
  if (!isSigned || natural) return isDiv ? builder_.CreateUDiv(left, right) : builder_.CreateURem(left, right);
  unsigned bits = left->getType()->getIntegerBitWidth();
  int64_t least = bits >= 64 ? std::numeric_limits<int64_t>::min() : -(int64_t(1) << (bits - 1));
  if (!rightRange.contains(-1) || leftRange.low > least)
    return isDiv ? builder_.CreateSDiv(left, right) : builder_.CreateSRem(left, right);
  // MIN / -1 wraps to MIN, and its remainder is 0; the machine's division must not see it.
  llvm::Value* isMinusOne = builder_.CreateICmpEQ(right, llvm::ConstantInt::getSigned(right->getType(), -1));
  llvm::Value* divisor = builder_.CreateSelect(isMinusOne, llvm::ConstantInt::get(right->getType(), 1), right);
  if (!isDiv) return builder_.CreateSRem(left, divisor);
  return builder_.CreateSelect(isMinusOne, builder_.CreateNeg(left), builder_.CreateSDiv(left, divisor));
}

/// Integers that are kept in their own width.
Value FunctionLowering::integerArithmetic(BinaryOp op, const Value& left, const Value& right, SiteId site) {
  Scalar kind = scalarOf(left.type);
  bool isSigned = isSignedInteger(kind);
  llvm::Value* l = left.scalar;
  llvm::Value* r = right.scalar;
  auto* type = llvm::cast<llvm::IntegerType>(l->getType());
  unsigned bits = type->getBitWidth();
  bool exact = false;
  Interval range = intervalOf(op, left.range, right.range, exact);
  Interval typeRange;
  if (bits < 64)
    typeRange = isSigned ? Interval{-(int64_t(1) << (bits - 1)), (int64_t(1) << (bits - 1)) - 1}
                         : Interval{0, (int64_t(1) << bits) - 1};
  else if (!isSigned) typeRange.low = 0;
  // Without overflow in the operands' own type: the interval is the result's.
  bool fits = exact && range.within(typeRange.low, typeRange.high);
  Interval known = fits ? range : (bits < 64 ? typeRange : Interval{});
  bool nuw = fits && range.low >= 0 && left.range.low >= 0 && right.range.low >= 0, nsw = fits && isSigned;

  if (traps(site) && isSigned && !fits && (op == BinaryOp::Add || op == BinaryOp::Sub || op == BinaryOp::Mul)) {
    auto intrinsic = op == BinaryOp::Add   ? llvm::Intrinsic::sadd_with_overflow
                     : op == BinaryOp::Sub ? llvm::Intrinsic::ssub_with_overflow
                                           : llvm::Intrinsic::smul_with_overflow;
    llvm::Value* both = builder_.CreateBinaryIntrinsic(intrinsic, l, r);
    check(builder_.CreateNot(builder_.CreateExtractValue(both, 1)), site, &left, &right);
    return scalar(left.type, builder_.CreateExtractValue(both, 0), known);
  }
  llvm::Value* result = nullptr;
  switch (op) {
    case BinaryOp::Add: result = builder_.CreateAdd(l, r, "", nuw, nsw); break;
    case BinaryOp::Sub: result = builder_.CreateSub(l, r, "", nuw, nsw); break;
    case BinaryOp::Mul: result = builder_.CreateMul(l, r, "", nuw, nsw); break;
    case BinaryOp::Div:
    case BinaryOp::Rem:
      if (right.range.contains(0) && site) {
        check(builder_.CreateICmpNE(r, llvm::ConstantInt::get(type, 0)), site);
      }
      result = divide(op, l, r, isSigned, left.range, right.range);
      break;
    case BinaryOp::BitAnd: result = builder_.CreateAnd(l, r); break;
    case BinaryOp::BitOr: result = builder_.CreateOr(l, r); break;
    case BinaryOp::BitXor: result = builder_.CreateXor(l, r); break;
    case BinaryOp::Shl:
    case BinaryOp::Shr: {
      // Counts are modulo the width.
      llvm::Value* count =
          right.range.within(0, bits - 1) ? r : builder_.CreateAnd(r, llvm::ConstantInt::get(type, bits - 1));
      if (op == BinaryOp::Shl) result = builder_.CreateShl(l, count);
      else result = isSigned ? builder_.CreateAShr(l, count) : builder_.CreateLShr(l, count);
      break;
    }
    case BinaryOp::Eq:
    case BinaryOp::Ne:
    case BinaryOp::Lt:
    case BinaryOp::Le:
    case BinaryOp::Gt:
    case BinaryOp::Ge:
    case BinaryOp::And:
    case BinaryOp::Or: assert(false && "not arithmetic"); break;
  }
  return scalar(left.type, result, known);
}

/// `index`: 64 bits in meaning; in 32 where intervals show that operands and result fit.
Value FunctionLowering::indexArithmetic(BinaryOp op, const Value& left, const Value& right, SiteId site) {
  bool exact = false;
  Interval range = intervalOf(op, left.range, right.range, exact);
  bool narrow = options_.narrowIndices && exact && range.fitsI32() && left.range.fitsI32() && right.range.fitsI32();
  Value a = left, b = right;
  auto form = [&](Value& value) {
    if (narrow) {
      if (!value.scalar->getType()->isIntegerTy(32))
        value.scalar = builder_.CreateTrunc(value.scalar, builder_.getInt32Ty());
    } else {
      value.scalar = wide(value);
    }
  };
  form(a);
  form(b);
  if (narrow && (op == BinaryOp::Shl || op == BinaryOp::Shr) && !b.range.within(0, 31)) {
    narrow = false;  // counts are modulo 64
    a.scalar = wide(a);
    b.scalar = wide(b);
  }
  Value result = integerArithmetic(op, a, b, site);
  result.range = exact ? range : Interval{};
  return result;
}

Value FunctionLowering::compare(BinaryOp op, const Value& left, const Value& right) {
  TypeId boolean = program_.types->boolean();
  if (!left.items.empty()) {
    const Value both[2] = {left, right};
    return elementwise(program_.types->vector(boolean, left.items.size()), both,
                       [&](auto lane) { return compare(op, lane[0], lane[1]); });
  }
  using P = llvm::CmpInst::Predicate;
  if (isFloat(scalarOf(left.type))) {
    P predicate = P::FCMP_OEQ;
    switch (op) {
      case BinaryOp::Eq: predicate = P::FCMP_OEQ; break;
      case BinaryOp::Ne: predicate = P::FCMP_UNE; break;
      case BinaryOp::Lt: predicate = P::FCMP_OLT; break;
      case BinaryOp::Le: predicate = P::FCMP_OLE; break;
      case BinaryOp::Gt: predicate = P::FCMP_OGT; break;
      case BinaryOp::Ge: predicate = P::FCMP_OGE; break;
      case BinaryOp::Add:
      case BinaryOp::Sub:
      case BinaryOp::Mul:
      case BinaryOp::Div:
      case BinaryOp::Rem:
      case BinaryOp::BitAnd:
      case BinaryOp::BitOr:
      case BinaryOp::BitXor:
      case BinaryOp::Shl:
      case BinaryOp::Shr:
      case BinaryOp::And:
      case BinaryOp::Or: assert(false && "not a comparison"); break;
    }
    return scalar(boolean, builder_.CreateFCmp(predicate, widenFloat(*this, left), widenFloat(*this, right)));
  }
  // Constants have an exact range: decided comparisons disappear here, and the blocks behind them in the optimiser.
  llvm::Value* l = left.scalar;
  llvm::Value* r = right.scalar;
  if (l->getType() != r->getType()) {
    l = wide(left);
    r = wide(right);
  }
  bool isSigned = isSignedInteger(scalarOf(left.type));
  P predicate = P::ICMP_EQ;
  switch (op) {
    case BinaryOp::Eq: predicate = P::ICMP_EQ; break;
    case BinaryOp::Ne: predicate = P::ICMP_NE; break;
    case BinaryOp::Lt: predicate = isSigned ? P::ICMP_SLT : P::ICMP_ULT; break;
    case BinaryOp::Le: predicate = isSigned ? P::ICMP_SLE : P::ICMP_ULE; break;
    case BinaryOp::Gt: predicate = isSigned ? P::ICMP_SGT : P::ICMP_UGT; break;
    case BinaryOp::Ge: predicate = isSigned ? P::ICMP_SGE : P::ICMP_UGE; break;
    case BinaryOp::Add:
    case BinaryOp::Sub:
    case BinaryOp::Mul:
    case BinaryOp::Div:
    case BinaryOp::Rem:
    case BinaryOp::BitAnd:
    case BinaryOp::BitOr:
    case BinaryOp::BitXor:
    case BinaryOp::Shl:
    case BinaryOp::Shr:
    case BinaryOp::And:
    case BinaryOp::Or: assert(false && "not a comparison"); break;
  }
  return scalar(boolean, builder_.CreateICmp(predicate, l, r));
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/lower/small_floats.h"

#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/Module.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/Triple.h>

namespace rad::cg {
namespace {

using llvm::Intrinsic::ID;

bool isGpu(FunctionLowering& f) { return f.module().getTargetTriple().isNVPTX(); }

/// Whether the back end itself converts between float and `half` (F16) or `bfloat` (BF16), rounding once. On x86 there
/// is an instruction for `half` in all processors since 2012; LLVM would call the compiler's library for the rest.
bool convertsNatively(FunctionLowering& f, Scalar half) {
  static const bool hasF16c = llvm::sys::getHostCPUFeatures().lookup("f16c");
  return isGpu(f) || (half == Scalar::F16 && hasF16c);
}

/// Whether the back end has llvm.fma of `half` or `bfloat`, rounding once.
bool fusesNatively(FunctionLowering& f, Scalar half) {
  if (!isGpu(f) || half == Scalar::F16) return isGpu(f);
  unsigned architecture = 0;  // sm_80, sm_90a
  f.function().getFnAttribute("target-cpu").getValueAsString().drop_front(3).consumeInteger(10, architecture);
  return architecture >= 80;
}

/// How a format with the sign on top is laid out. A bias of 2^(exponent - 1) - 1, as in IEEE.
struct Layout {
  unsigned exponent, fraction;  // bits
  uint32_t largest;             // what values beyond the range become: infinity, or the largest number
  uint32_t nan;
  unsigned bits() const { return 1 + exponent + fraction; }
  unsigned bias() const { return (1u << (exponent - 1)) - 1; }
};

Layout layoutOf(Scalar scalar) {
  if (scalar == Scalar::F8E4M3) return {4, 3, 0x7e, 0x7f};
  if (scalar == Scalar::F8E5M2) return {5, 2, 0x7c, 0x7e};
  return {5, 10, 0x7c00, 0x7e00};  // f16
}

/// The code here means exactly what it says: no contraction, no approximation.
struct Exactly {
  explicit Exactly(llvm::IRBuilder<>& b) : guard(b) { b.clearFastMathFlags(); }
  llvm::IRBuilder<>::FastMathFlagGuard guard;
};

llvm::Value* asInt(llvm::IRBuilder<>& b, llvm::Value* value) {
  return b.CreateBitCast(value, b.getIntNTy(value->getType()->getPrimitiveSizeInBits()));
}
llvm::Value* asFloat(llvm::IRBuilder<>& b, llvm::Value* bits) { return b.CreateBitCast(bits, b.getFloatTy()); }
llvm::Value* power2(llvm::IRBuilder<>& b, int exponent) {
  return llvm::ConstantFP::get(b.getFloatTy(),
                               exponent < 0 ? 1.0 / double(uint64_t(1) << -exponent) : double(uint64_t(1) << exponent));
}

llvm::Value* floatFromF16(FunctionLowering& f, llvm::Value* bits) {
  auto& b = f.builder();
  if (convertsNatively(f, Scalar::F16)) return b.CreateFPExt(b.CreateBitCast(bits, b.getHalfTy()), b.getFloatTy());
  // The fraction and exponent in a float's place; its bias is 112 more. The multiplication makes subnormals normal.
  llvm::Value* wide = b.CreateZExt(bits, b.getInt32Ty());
  llvm::Value* size = b.CreateShl(b.CreateAnd(wide, 0x7fff), 13);
  llvm::Value* scaled = asInt(b, b.CreateFMul(b.CreateFMul(asFloat(b, size), power2(b, 56)), power2(b, 56)));
  llvm::Value* special = b.CreateICmpUGE(size, b.getInt32(0x7c00u << 13));
  scaled = b.CreateSelect(special, b.CreateOr(size, 0x7f800000), scaled);
  return asFloat(b, b.CreateOr(scaled, b.CreateShl(b.CreateAnd(wide, 0x8000), 16)));
}

/// Any of the layouts from a float, by integer arithmetic.
llvm::Value* encode(llvm::IRBuilder<>& b, llvm::Value* value, const Layout& to) {
  llvm::Value* bits = asInt(b, value);
  llvm::Value* size = b.CreateAnd(bits, 0x7fffffff);
  unsigned dropped = 23 - to.fraction;
  // Normal numbers: the bias changed, and half of the last place added (a little less where the last place is even).
  uint32_t change = (to.bias() - 127u) << 23;
  llvm::Value* last = b.CreateAnd(b.CreateLShr(size, dropped), 1);
  llvm::Value* half = b.CreateAdd(b.getInt32(change + (1u << (dropped - 1)) - 1), last);
  llvm::Value* normal = b.CreateLShr(b.CreateAdd(size, half), dropped);
  // Subnormal ones: the addition of a power of two whose last place is theirs rounds them.
  uint32_t magic = (127u - to.bias() + 1 + 23 - to.fraction) << 23;
  llvm::Value* sum = asInt(b, b.CreateFAdd(asFloat(b, size), asFloat(b, b.getInt32(magic))));
  llvm::Value* subnormal = b.CreateSub(sum, b.getInt32(magic));
  llvm::Value* isSubnormal = b.CreateICmpULT(size, b.getInt32((128u - to.bias()) << 23));
  llvm::Value* result = b.CreateSelect(isSubnormal, subnormal, normal);
  result = b.CreateBinaryIntrinsic(llvm::Intrinsic::umin, result, b.getInt32(to.largest));
  result = b.CreateSelect(b.CreateICmpUGT(size, b.getInt32(0x7f800000)), b.getInt32(to.nan), result);
  llvm::Value* sign = b.CreateAnd(b.CreateLShr(bits, 32 - to.bits()), 1u << (to.bits() - 1));
  return b.CreateTrunc(b.CreateOr(result, sign), b.getIntNTy(to.bits()));
}

llvm::Value* bf16FromFloat(FunctionLowering& f, llvm::Value* value) {
  auto& b = f.builder();
  if (convertsNatively(f, Scalar::BF16)) return asInt(b, b.CreateFPTrunc(value, b.getBFloatTy()));
  llvm::Value* bits = asInt(b, value);
  llvm::Value* last = b.CreateAnd(b.CreateLShr(bits, 16), 1);
  llvm::Value* rounded = b.CreateLShr(b.CreateAdd(bits, b.CreateAdd(last, b.getInt32(0x7fff))), 16);
  llvm::Value* quiet = b.CreateOr(b.CreateLShr(bits, 16), 0x40);
  llvm::Value* isNan = b.CreateICmpUGT(b.CreateAnd(bits, 0x7fffffff), b.getInt32(0x7f800000));
  return b.CreateTrunc(b.CreateSelect(isNan, quiet, rounded), b.getInt16Ty());
}

/// A double rounded to odd: towards zero, and then the last bit is set if anything was lost. Rounding the result to a
/// type with at least two digits fewer is rounding the double itself.
llvm::Value* oddFloat(llvm::IRBuilder<>& b, llvm::Value* value) {
  llvm::Value* nearest = b.CreateFPTrunc(value, b.getFloatTy());
  llvm::Value* back = b.CreateFPExt(nearest, b.getDoubleTy());
  llvm::Value* isLarger = b.CreateFCmpOGT(b.CreateUnaryIntrinsic(ID(llvm::Intrinsic::fabs), back),
                                          b.CreateUnaryIntrinsic(ID(llvm::Intrinsic::fabs), value));
  llvm::Value* bits = b.CreateSub(asInt(b, nearest), b.CreateZExt(isLarger, b.getInt32Ty()));
  return asFloat(b, b.CreateOr(bits, b.CreateZExt(b.CreateFCmpONE(back, value), b.getInt32Ty())));
}

}  // namespace

llvm::Value* widenFloat(FunctionLowering& f, const Value& value) {
  Scalar kind = f.scalarOf(value.type);
  return isSmallFloat(kind) ? floatFromSmall(f, value.scalar, kind) : value.scalar;
}

Value narrowFloat(FunctionLowering& f, llvm::Value* value, TypeId to) {
  Scalar kind = f.scalarOf(to);
  if (isSmallFloat(kind)) return f.scalar(to, smallFromFloat(f, value, kind));
  return f.scalar(to, f.builder().CreateFPCast(value, f.registerType(to)));
}

llvm::Value* floatRemainder(FunctionLowering& f, llvm::Value* left, llvm::Value* right) {
  if (!isGpu(f)) return f.builder().CreateFRem(left, right);
  // The back end's `frem` is x - trunc(x / y) * y: wrong where the quotient has more digits than the type. libdevice's
  // is exact.
  llvm::Type* type = left->getType();
  llvm::FunctionCallee callee = f.module().getOrInsertFunction(type->isFloatTy() ? "__nv_fmodf" : "__nv_fmod",
                                                               llvm::FunctionType::get(type, {type, type}, false));
  auto* function = llvm::cast<llvm::Function>(callee.getCallee());
  function->setDoesNotAccessMemory();
  function->setDoesNotThrow();
  return f.builder().CreateCall(callee, {left, right});
}

llvm::Value* floatFromSmall(FunctionLowering& f, llvm::Value* bits, Scalar from) {
  auto& b = f.builder();
  Exactly exactly(b);
  if (from == Scalar::F16) return floatFromF16(f, bits);
  if (from == Scalar::BF16) {
    if (convertsNatively(f, from)) return b.CreateFPExt(b.CreateBitCast(bits, b.getBFloatTy()), b.getFloatTy());
    return asFloat(b, b.CreateShl(b.CreateZExt(bits, b.getInt32Ty()), 16));
  }
  llvm::Value* wide = b.CreateZExt(bits, b.getInt16Ty());
  if (from == Scalar::F8E5M2) return floatFromF16(f, b.CreateShl(wide, 8));  // an f16 without its last 8 bits
  // f8e4m3: an f16 whose bias is 8 more, but for the one NaN.
  llvm::Value* half = b.CreateOr(b.CreateShl(b.CreateAnd(wide, 0x7f), 7), b.CreateShl(b.CreateAnd(wide, 0x80), 8));
  llvm::Value* value = b.CreateFMul(floatFromF16(f, half), power2(b, 8));
  llvm::Value* isNan = b.CreateICmpEQ(b.CreateAnd(wide, 0x7f), b.getInt16(0x7f));
  return b.CreateSelect(isNan, llvm::ConstantFP::getNaN(b.getFloatTy()), value);
}

llvm::Value* smallFromFloat(FunctionLowering& f, llvm::Value* value, Scalar to) {
  auto& b = f.builder();
  Exactly exactly(b);
  if (value->getType()->isDoubleTy()) value = oddFloat(b, value);
  if (to == Scalar::BF16) return bf16FromFloat(f, value);
  if (to == Scalar::F16 && convertsNatively(f, to)) return asInt(b, b.CreateFPTrunc(value, b.getHalfTy()));
  return encode(b, value, layoutOf(to));
}

llvm::Value* smallFromInteger(FunctionLowering& f, llvm::Value* integer, bool isSigned, Scalar to) {
  auto& b = f.builder();
  Exactly exactly(b);
  auto convert = [&](llvm::Value* exact) {
    return isSigned ? b.CreateSIToFP(exact, b.getFloatTy()) : b.CreateUIToFP(exact, b.getFloatTy());
  };
  unsigned bits = integer->getType()->getIntegerBitWidth();
  if (bits <= 16) return smallFromFloat(f, convert(integer), to);  // exact as float
  auto* type = llvm::cast<llvm::IntegerType>(integer->getType());
  if (to != Scalar::BF16) {
    // From 65520 on all become the same, and what is left is exact as float.
    llvm::Value* limit = llvm::ConstantInt::get(type, 1 << 17);
    integer = b.CreateBinaryIntrinsic(isSigned ? llvm::Intrinsic::smin : llvm::Intrinsic::umin, integer, limit);
    if (isSigned) integer = b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, integer, b.CreateNeg(limit));
    return smallFromFloat(f, convert(b.CreateTrunc(integer, b.getInt32Ty())), to);
  }
  // Rounded to odd with 24 digits, which a float holds.
  llvm::Value* zero = llvm::ConstantInt::get(type, 0);
  llvm::Value* isNegative = isSigned ? b.CreateICmpSLT(integer, zero) : b.getFalse();
  llvm::Value* size = b.CreateSelect(isNegative, b.CreateNeg(integer), integer);
  llvm::Value* leading = b.CreateBinaryIntrinsic(llvm::Intrinsic::ctlz, size, b.getFalse());
  llvm::Value* room = llvm::ConstantInt::get(type, bits - 24);
  llvm::Value* dropped = b.CreateSub(room, b.CreateBinaryIntrinsic(llvm::Intrinsic::umin, leading, room));
  llvm::Value* kept = b.CreateLShr(size, dropped);
  llvm::Value* lost = b.CreateICmpNE(b.CreateShl(kept, dropped), size);
  kept = b.CreateOr(kept, b.CreateZExt(lost, type));
  llvm::Value* value = b.CreateUIToFP(b.CreateShl(kept, dropped), b.getFloatTy());
  return smallFromFloat(f, b.CreateSelect(isNegative, b.CreateFNeg(value), value), to);
}

llvm::Value* fusedSmall(FunctionLowering& f, Scalar scalar, llvm::ArrayRef<llvm::Value*> operands) {
  auto& b = f.builder();
  Exactly exactly(b);
  if (fusesNatively(f, scalar)) {
    llvm::Type* type = scalar == Scalar::F16 ? b.getHalfTy() : b.getBFloatTy();
    llvm::SmallVector<llvm::Value*, 3> typed;
    for (llvm::Value* operand : operands) typed.push_back(b.CreateBitCast(operand, type));
    return asInt(b, b.CreateIntrinsic(llvm::Intrinsic::fma, {type}, typed));
  }
  llvm::SmallVector<llvm::Value*, 3> wide;
  for (llvm::Value* operand : operands)
    wide.push_back(b.CreateFPExt(floatFromSmall(f, operand, scalar), b.getDoubleTy()));
  // The product is exact as double. What the sum loses is exact too (Knuth's two-sum), and makes it a sum rounded to
  // odd.
  llvm::Value* product = b.CreateFMul(wide[0], wide[1]);
  llvm::Value* sum = b.CreateFAdd(product, wide[2]);
  llvm::Value* part = b.CreateFSub(sum, product);
  llvm::Value* lost = b.CreateFAdd(b.CreateFSub(product, b.CreateFSub(sum, part)), b.CreateFSub(wide[2], part));
  llvm::Value* zero = llvm::ConstantFP::get(b.getDoubleTy(), 0.0);
  llvm::Value* bits = asInt(b, sum);
  llvm::Value* isEven = b.CreateICmpEQ(b.CreateAnd(bits, 1), b.getInt64(0));
  llvm::Value* move = b.CreateAnd(b.CreateFCmpONE(lost, zero), isEven);
  llvm::Value* isOutward = b.CreateICmpSGE(b.CreateXor(bits, asInt(b, lost)), b.getInt64(0));  // the same sign
  llvm::Value* step = b.CreateSelect(isOutward, b.getInt64(1), b.getInt64(static_cast<uint64_t>(-1)));
  bits = b.CreateAdd(bits, b.CreateSelect(move, step, b.getInt64(0)));
  return smallFromFloat(f, b.CreateBitCast(bits, b.getDoubleTy()), scalar);
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/nvptx/nvptx_target.h"

#include "frontend/builtins/builtins.h"

#include <llvm/IR/IntrinsicsNVPTX.h>
#include <llvm/IR/Module.h>

#include <cassert>

namespace rad::cg {
namespace {

llvm::Value* specialRegister(FunctionLowering& f, llvm::Intrinsic::ID id, uint32_t limit) {
  llvm::CallInst* call = f.builder().CreateIntrinsic(id, llvm::ArrayRef<llvm::Value*>());
  call->addRangeRetAttr(llvm::ConstantRange(llvm::APInt(32, 0), llvm::APInt(32, limit)));
  return call;
}

/// Functions of which libdevice has a form made of one or two hardware instructions, for f32.
bool hasFastForm(Math op) {
  return op == Math::Exp || op == Math::Log || op == Math::Log2 || op == Math::Log10 || op == Math::Sin ||
         op == Math::Cos || op == Math::Tan || op == Math::Pow;
}

}  // namespace

llvm::Value* NvptxTarget::threadIndex(FunctionLowering& f) {
  return specialRegister(f, llvm::Intrinsic::nvvm_read_ptx_sreg_tid_x, threads_);
}

llvm::Value* NvptxTarget::blockIndex(FunctionLowering& f) {
  return specialRegister(f, llvm::Intrinsic::nvvm_read_ptx_sreg_ctaid_x, 0x7fffffff);
}

void NvptxTarget::emitBarrier(FunctionLowering& f) {
  f.builder().CreateIntrinsic(llvm::Intrinsic::nvvm_barrier_cta_sync_aligned_all, {}, {f.builder().getInt32(0)});
}

llvm::Value* NvptxTarget::emitMath(FunctionLowering& f, Math op, llvm::ArrayRef<llvm::Value*> operands) {
  bool isF32 = operands[0]->getType()->isFloatTy();
  if (isF32 && f.fastMathFlags().approxFunc() && op == Math::Exp2)
    return f.builder().CreateUnaryIntrinsic(llvm::Intrinsic::exp2, operands[0]);
  const MathInfo& info = infoOf(op);
  assert(!info.libdevice.empty() && "builtins.def names no function for this target");
  std::string name = "__nv_";
  if (isF32 && f.fastMathFlags().approxFunc() && hasFastForm(op)) name += "fast_";
  name += info.libdevice;
  if (isF32) name += 'f';
  llvm::SmallVector<llvm::Type*, 3> types;
  for (llvm::Value* operand : operands) types.push_back(operand->getType());
  llvm::FunctionCallee callee =
      f.module().getOrInsertFunction(name, llvm::FunctionType::get(operands[0]->getType(), types, false));
  auto* function = llvm::cast<llvm::Function>(callee.getCallee());
  function->setDoesNotAccessMemory();
  function->setDoesNotThrow();
  return f.builder().CreateCall(callee, operands);
}

llvm::Value* NvptxTarget::emitFloatToInteger(FunctionLowering& f, llvm::Value* value, Scalar to) {
  // cvt.rzi saturates by itself; NaN gives 0 from f32 to 32 bits, else the smallest value.
  llvm::IRBuilder<>& b = f.builder();
  bool isF32 = value->getType()->isFloatTy();
  if (!isF32 && !value->getType()->isDoubleTy()) return nullptr;
  unsigned bits = bitsOf(to);
  bool isSigned = isSignedInteger(to);
  llvm::Intrinsic::ID id;
  if (bits <= 32) {
    // Smaller types saturate at their own ends.
    bool viaSigned = isSigned || bits < 32;
    id = isF32 ? (viaSigned ? llvm::Intrinsic::nvvm_f2i_rz : llvm::Intrinsic::nvvm_f2ui_rz)
               : (viaSigned ? llvm::Intrinsic::nvvm_d2i_rz : llvm::Intrinsic::nvvm_d2ui_rz);
  } else {
    id = isF32 ? (isSigned ? llvm::Intrinsic::nvvm_f2ll_rz : llvm::Intrinsic::nvvm_f2ull_rz)
               : (isSigned ? llvm::Intrinsic::nvvm_d2ll_rz : llvm::Intrinsic::nvvm_d2ull_rz);
  }
  llvm::Value* result = b.CreateIntrinsic(id, {}, {value});
  if (!isF32 || bits > 32) {
    llvm::Value* isNan = b.CreateFCmpUNO(value, value);
    result = b.CreateSelect(isNan, llvm::ConstantInt::get(result->getType(), 0), result);
  }
  if (bits < 32) {
    int32_t low = isSigned ? -(1 << (bits - 1)) : 0, high = isSigned ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
    result = b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, result, b.getInt32(static_cast<uint32_t>(low)));
    result = b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, result, b.getInt32(static_cast<uint32_t>(high)));
    result = b.CreateTrunc(result, b.getIntNTy(bits));
  }
  return result;
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// block.sum, block.min, block.max: butterflies of shuffles within warps, then over the warps' results in shared memory.
#include "codegen/nvptx/nvptx_target.h"

#include <llvm/IR/IntrinsicsNVPTX.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/Module.h>

#include <cassert>

namespace rad::cg {

/// The value of the lane that is `distance` away (by xor).
llvm::Value* NvptxTarget::shuffle(FunctionLowering& f, llvm::Value* value, unsigned distance, uint32_t mask) {
  llvm::IRBuilder<>& b = f.builder();
  llvm::Type* type = value->getType();
  auto exchange = [&](llvm::Value* word) -> llvm::Value* {
    return b.CreateIntrinsic(llvm::Intrinsic::nvvm_shfl_sync_bfly_i32, {},
                             {b.getInt32(mask), word, b.getInt32(distance), b.getInt32(31)});
  };
  if (type->isFloatTy()) return b.CreateBitCast(exchange(b.CreateBitCast(value, b.getInt32Ty())), type);
  unsigned bits = type->getPrimitiveSizeInBits();
  if (bits <= 32) {
    llvm::Value* word =
        b.CreateZExt(type->isIntegerTy() ? value : b.CreateBitCast(value, b.getIntNTy(bits)), b.getInt32Ty());
    return b.CreateBitCast(b.CreateTrunc(exchange(word), b.getIntNTy(bits)), type);
  }
  assert(bits == 64);
  llvm::Value* whole = b.CreateBitCast(value, b.getInt64Ty());
  llvm::Value* low = exchange(b.CreateTrunc(whole, b.getInt32Ty()));
  llvm::Value* high = exchange(b.CreateTrunc(b.CreateLShr(whole, 32), b.getInt32Ty()));
  whole = b.CreateOr(b.CreateZExt(low, b.getInt64Ty()), b.CreateShl(b.CreateZExt(high, b.getInt64Ty()), 32));
  return b.CreateBitCast(whole, type);
}

llvm::Value* NvptxTarget::butterfly(FunctionLowering& f, BinaryOp op, Math minMax, bool isMinMax, TypeId type,
                                    llvm::Value* value) {
  for (unsigned distance = 16; distance > 0; distance /= 2)
    value = reduceStep(f, op, minMax, isMinMax, type, value, shuffle(f, value, distance, 0xffffffffu));
  return value;
}

llvm::Value* NvptxTarget::reduceBlock(FunctionLowering& f, BinaryOp op, Math minMax, bool isMinMax, TypeId type,
                                      llvm::Value* value) {
  llvm::IRBuilder<>& b = f.builder();
  unsigned warps = (threads_ + 31) / 32, rest = threads_ % 32;
  llvm::Value* identity = reduceIdentity(f, op, minMax, isMinMax, type);

  if (rest == 0) {
    value = butterfly(f, op, minMax, isMinMax, type, value);
  } else {
    // The last warp has `rest` lanes: the others do not exist and count as the identity. Only lanes that are there may
    // take part. What the first lane gets is exact: where a partner of its tree is missing, so are that one's own
    // partners.
    llvm::Value* lane = b.CreateAnd(threadIndex(f), 31);
    llvm::Value* inLast = b.CreateICmpUGE(threadIndex(f), b.getInt32((warps - 1) * 32));
    llvm::BasicBlock* partial = f.newBlock("warp.partial");
    llvm::BasicBlock* full = f.newBlock("warp.full");
    llvm::BasicBlock* done = f.newBlock("warp.done");
    b.CreateCondBr(inLast, partial, full);
    f.placeAt(partial);
    llvm::Value* inPartial = value;
    uint32_t mask = (1u << rest) - 1;
    for (unsigned distance = 16; distance > 0; distance /= 2) {
      llvm::Value* other = shuffle(f, inPartial, distance, mask);
      llvm::Value* exists = b.CreateICmpULT(b.CreateXor(lane, distance), b.getInt32(rest));
      inPartial = reduceStep(f, op, minMax, isMinMax, type, inPartial, b.CreateSelect(exists, other, identity));
    }
    llvm::BasicBlock* partialEnd = b.GetInsertBlock();
    b.CreateBr(done);
    f.placeAt(full);
    llvm::Value* inFull = butterfly(f, op, minMax, isMinMax, type, value);
    llvm::BasicBlock* fullEnd = b.GetInsertBlock();
    b.CreateBr(done);
    f.placeAt(done);
    llvm::PHINode* phi = b.CreatePHI(value->getType(), 2);
    phi->addIncoming(inPartial, partialEnd);
    phi->addIncoming(inFull, fullEnd);
    value = phi;
  }
  // One whole warp: what follows would only combine with identities.
  if (warps == 1 && rest == 0) return reduceStep(f, op, minMax, isMinMax, type, value, identity);

  llvm::GlobalVariable* scratch = this->scratch(f);
  llvm::Type* memory = f.memoryType(type);
  llvm::Align align = f.module().getDataLayout().getABITypeAlign(memory);
  llvm::Value* thread = threadIndex(f);
  llvm::Value* lane = b.CreateAnd(thread, 31);
  llvm::Value* warp = b.CreateLShr(thread, 5);
  auto entry = [&](llvm::Value* which) {
    return b.CreateGEP(b.getInt64Ty(), scratch, which, "", llvm::GEPNoWrapFlags::inBounds());
  };

  llvm::BasicBlock* leader = f.newBlock("warp.leader");
  llvm::BasicBlock* all = f.newBlock("warp.all");
  b.CreateCondBr(b.CreateICmpEQ(lane, b.getInt32(0)), leader, all);
  f.placeAt(leader);
  b.CreateAlignedStore(f.toMemory(f.scalar(type, value)), entry(warp), align);
  b.CreateBr(all);
  f.placeAt(all);
  emitBarrier(f);
  llvm::Value* result;
  if (warps == 1 || rest != 0) {
    // Every thread combines the warps' results itself, by the butterfly's tree: its warp may not be whole.
    llvm::SmallVector<llvm::Value*, 32> values;
    for (unsigned i = 0; i < 32; ++i)
      values.push_back(i < warps ? f.fromMemory(type, b.CreateAlignedLoad(memory, entry(b.getInt32(i)), align)).scalar
                                 : identity);
    for (unsigned distance = 16; distance > 0; distance /= 2)
      for (unsigned i = 0; i < distance; ++i)
        values[i] = reduceStep(f, op, minMax, isMinMax, type, values[i], values[i + distance]);
    result = values[0];
  } else {
    llvm::Value* inside = b.CreateICmpULT(lane, b.getInt32(warps));
    llvm::Value* mine =
        f.fromMemory(type, b.CreateAlignedLoad(
                               memory, entry(warps == 32 ? lane : b.CreateSelect(inside, lane, b.getInt32(0))), align))
            .scalar;
    if (warps < 32) mine = b.CreateSelect(inside, mine, identity);
    result = butterfly(f, op, minMax, isMinMax, type, mine);
  }
  emitBarrier(f);  // the next collective may overwrite the scratch
  return result;
}

llvm::GlobalVariable* NvptxTarget::scratch(FunctionLowering& f) {
  if (!scratch_) {
    auto* array = llvm::ArrayType::get(llvm::Type::getInt64Ty(f.context()), 32);
    scratch_ = new llvm::GlobalVariable(f.module(), array, false, llvm::GlobalValue::InternalLinkage,
                                        llvm::PoisonValue::get(array), kernel_.symbol + ".scratch", nullptr,
                                        llvm::GlobalValue::NotThreadLocal, Shared);
    scratch_->setAlignment(llvm::Align(16));
  }
  return scratch_;
}

llvm::Value* NvptxTarget::keepPromise(FunctionLowering& f, const Collective& node, llvm::Value* value, TypeId type) {
  llvm::IRBuilder<>& b = f.builder();
  llvm::GlobalVariable* scratch = this->scratch(f);
  llvm::Value* bits = f.toMemory(f.scalar(type, value));
  if (!bits->getType()->isIntegerTy())
    bits = b.CreateBitCast(bits, b.getIntNTy(bits->getType()->getPrimitiveSizeInBits()));
  bits = b.CreateZExt(bits, b.getInt64Ty());
  llvm::BasicBlock* leader = f.newBlock("promise.first");
  llvm::BasicBlock* all = f.newBlock("promise.all");
  b.CreateCondBr(b.CreateICmpEQ(threadIndex(f), b.getInt32(0)), leader, all);
  f.placeAt(leader);
  b.CreateAlignedStore(bits, scratch, llvm::Align(8));
  b.CreateBr(all);
  f.placeAt(all);
  emitBarrier(f);
  llvm::Value* first = b.CreateAlignedLoad(b.getInt64Ty(), scratch, llvm::Align(8));
  emitBarrier(f);  // the next operation may overwrite the scratch
  llvm::BasicBlock* broken = f.newBlock("promise.broken");
  llvm::BasicBlock* kept = f.newBlock("promise.kept");
  b.CreateCondBr(b.CreateICmpEQ(bits, first), kept, broken, llvm::MDBuilder(f.context()).createLikelyBranchWeights());
  f.placeAt(broken);
  endFailed(f, node.site, nullptr, nullptr, promiseValues(f, kernel_, first, bits));
  kept->moveAfter(&f.function().back());
  f.placeAt(kept);
  return value;
}

llvm::Value* NvptxTarget::emitCollective(FunctionLowering& f, const Collective& node, llvm::Value* value, TypeId type) {
  if (node.isPromise) return f.options().checkUniform ? keepPromise(f, node, value, type) : value;
  return reduceBlock(f, node.op, node.minMax, node.isMinMax, type, value);
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// block.sum, block.min, block.max: the tree that every device uses, so that floating-point results agree bit for bit.
// Groups of 32 threads join by a butterfly (distances 16, 8, 4, 2, 1), then the results of the groups do, padded with
// the identity to 32.
#include "codegen/host/block_kernel.h"

#include <llvm/IR/Intrinsics.h>

#include <algorithm>

namespace rad::cg {

namespace {

constexpr uint64_t kGroup = 32;

llvm::Value* join(llvm::IRBuilder<>& b, const Collective& node, Scalar kind, llvm::Value* left, llvm::Value* right) {
  using llvm::Intrinsic::ID;
  if (!node.isMinMax) return isFloat(kind) ? b.CreateFAdd(left, right) : b.CreateAdd(left, right);
  bool isMin = node.minMax == Math::Min;
  ID id = isFloat(kind)           ? (isMin ? llvm::Intrinsic::minnum : llvm::Intrinsic::maxnum)
          : isSignedInteger(kind) ? (isMin ? llvm::Intrinsic::smin : llvm::Intrinsic::smax)
                                  : (isMin ? llvm::Intrinsic::umin : llvm::Intrinsic::umax);
  return b.CreateBinaryIntrinsic(id, left, right);
}

}  // namespace

llvm::Type* BlockLowering::typeOfOperand(FunctionLowering& f, const Collective& node) {
  return f.registerType(program_.expr(node.value).type);
}

/// Before the region: every operand is the identity, so that threads that ended and places beyond the block's size do
/// not count.
void BlockLowering::fillOperands(FunctionLowering& f, const Collective& node) {
  auto& b = f.builder();
  uint64_t groups = (threadCount_ + kGroup - 1) / kGroup;
  // One buffer for all collectives of the kernel: each is done with it before the next begins. 8 bytes fit any scalar.
  if (!operands_) operands_ = takeScratch(f, groups * kGroup * 8, "operands");
  if (!groupResults_) groupResults_ = takeScratch(f, kGroup * 8, "groups");
  llvm::Type* type = typeOfOperand(f, node);
  llvm::Value* identity = reduceIdentity(f, node.op, node.minMax, node.isMinMax, program_.expr(node.value).type);
  llvm::Value* lanes = b.CreateVectorSplat(kGroup, identity);
  // Where every thread will store its own there is nothing to fill.
  bool allStore = !ended_ && static_cast<uint64_t>(threadCount_) % kGroup == 0;
  CountedLoop loop = beginLoop(f, b.getInt64(0), b.getInt64(allStore ? 0 : groups), "group");
  b.CreateAlignedStore(lanes, b.CreateInBoundsGEP(type, operands_, b.CreateMul(loop.counter, b.getInt64(kGroup))),
                       llvm::Align(32));
  endLoop(f, loop);
  b.CreateAlignedStore(lanes, groupResults_, llvm::Align(32));
}

llvm::Value* BlockLowering::reduceLanes(FunctionLowering& f, const Collective& node, llvm::Value* lanes) {
  auto& b = f.builder();
  Scalar kind = f.scalarOf(program_.expr(node.value).type);
  for (int width = kGroup / 2; width >= 1; width /= 2) {
    llvm::SmallVector<int, 16> low, high;
    for (int i = 0; i < width; ++i) low.push_back(i), high.push_back(i + width);
    lanes = join(b, node, kind, b.CreateShuffleVector(lanes, low), b.CreateShuffleVector(lanes, high));
  }
  return b.CreateExtractElement(lanes, b.getInt64(0));
}

/// The first thread's value, if all threads have the same.
llvm::Value* BlockLowering::keptPromise(FunctionLowering& f, const Collective& node) {
  auto& b = f.builder();
  llvm::Type* type = typeOfOperand(f, node);
  auto word = [&](llvm::Value* value) {
    llvm::Value* bits = f.toMemory(f.scalar(program_.expr(node.value).type, value));
    if (!bits->getType()->isIntegerTy())
      bits = b.CreateBitCast(bits, b.getIntNTy(bits->getType()->getPrimitiveSizeInBits()));
    return b.CreateZExt(bits, b.getInt64Ty());
  };
  auto valueOf = [&](llvm::Value* thread) { return b.CreateLoad(type, b.CreateInBoundsGEP(type, operands_, thread)); };
  llvm::Value* first = valueOf(b.getInt64(0));
  llvm::Value* firstWord = word(first);
  llvm::AllocaInst* other = f.newAlloca(b.getInt64Ty(), "other");  // the last thread that has another value; 0: none
  b.CreateStore(b.getInt64(0), other);
  CountedLoop loop = beginLoop(f, b.getInt64(1), b.getInt64(threadCount_), "promise");
  llvm::Value* differs = b.CreateICmpNE(word(valueOf(loop.counter)), firstWord);
  b.CreateStore(b.CreateSelect(differs, loop.counter, b.CreateLoad(b.getInt64Ty(), other)), other);
  endLoop(f, loop);
  llvm::Value* culprit = b.CreateLoad(b.getInt64Ty(), other);
  llvm::BasicBlock* broken = f.newBlock("promise.broken");
  llvm::BasicBlock* kept = f.newBlock("promise.kept");
  b.CreateCondBr(b.CreateICmpEQ(culprit, b.getInt64(0)), kept, broken);
  f.placeAt(broken);
  llvm::SmallVector<llvm::Value*, 4> extents;
  for (int64_t count : kernel_.threadCount) extents.push_back(b.getInt64(static_cast<uint64_t>(count)));
  const auto coordinates = unflatten(f, culprit, extents);
  for (size_t axis = 0; axis < coordinates.size(); ++axis)
    failedThread_[coordinates.size() - 1 - axis] =
        b.CreateAdd(coordinates[axis], b.getInt64(static_cast<uint64_t>(kernel_.threadLow[axis])));
  emitAssertFailure(f, node.site, promiseValues(f, kernel_, firstWord, word(valueOf(culprit))));
  failedThread_ = {};
  kept->moveAfter(&f.function().back());
  f.placeAt(kept);
  return first;
}

void BlockLowering::lowerCollective(FunctionLowering& f, const Collective& node) {
  auto& b = f.builder();
  auto set = [&](llvm::Value* result) {
    Value value = f.scalar(program_.expr(node.value).type, result);
    if (plan_.homes[node.result.value] == LocalHome::Uniform) {
      storeCells(f, node.result, value);
      bindForBlock(f, node.result);
    } else {
      f.bind(node.result, value);
    }
  };
  if (node.isPromise) return set(keptPromise(f, node));
  llvm::Type* type = typeOfOperand(f, node);
  auto* vector = llvm::FixedVectorType::get(type, kGroup);
  int64_t groups = (threadCount_ + int64_t{kGroup} - 1) / int64_t{kGroup};
  CountedLoop loop = beginLoop(f, b.getInt64(0), b.getInt64(groups), "group");
  llvm::Value* address = b.CreateInBoundsGEP(type, operands_, b.CreateMul(loop.counter, b.getInt64(kGroup)));
  llvm::Value* sum = reduceLanes(f, node, b.CreateAlignedLoad(vector, address, llvm::Align(32)));
  b.CreateStore(sum, b.CreateInBoundsGEP(type, groupResults_, loop.counter));
  endLoop(f, loop);
  llvm::Value* result = reduceLanes(f, node, b.CreateAlignedLoad(vector, groupResults_, llvm::Align(32)));
  set(result);
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A failed check on the GPU: one cold function claims the failure state by atomic exchange and fills the record; then
// the thread exits. The context stays usable, the launch ends normally, and the host finds the record when it next
// waits.
#include "codegen/lower/print.h"
#include "codegen/nvptx/nvptx_target.h"

#include <llvm/IR/IntrinsicsNVPTX.h>
#include <llvm/IR/Module.h>

#include <fmt/format.h>

#include <cstddef>

namespace rad::cg {

/// void <kernel>.failed(state, serial, site, value, extent, point, low0, high0, step0, low1, ..., values of an assert):
/// `point` is the flattened number of a forall's point; block kernels find their place from the special registers.
llvm::Function* NvptxTarget::failureFunction(FunctionLowering& f, unsigned values) {
  if (failures_[values]) return failures_[values];
  llvm::LLVMContext& context = f.context();
  llvm::Type* i32 = llvm::Type::getInt32Ty(context);
  llvm::Type* i64 = llvm::Type::getInt64Ty(context);
  llvm::Type* pointer = llvm::PointerType::get(context, Global);
  llvm::SmallVector<llvm::Type*, 16> types = {pointer, i32, i32, i64, i64, i64};
  types.append(3 * kernel_.axes.size(), i64);
  const unsigned firstValue = types.size();
  types.append(values, i64);
  auto* function = llvm::Function::Create(
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), types, false), llvm::GlobalValue::InternalLinkage,
      kernel_.symbol + ".failed" + (values ? fmt::format("{}", values) : std::string()), f.module());
  function->addFnAttr(llvm::Attribute::Cold);
  function->addFnAttr(llvm::Attribute::NoInline);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  function->addFnAttr("target-cpu", f.function().getFnAttribute("target-cpu").getValueAsString());
  failures_[values] = function;

  auto* entry = llvm::BasicBlock::Create(context, "", function);
  auto* first = llvm::BasicBlock::Create(context, "first", function);
  auto* done = llvm::BasicBlock::Create(context, "done", function);
  llvm::IRBuilder<> b(entry);
  llvm::Argument* state = function->getArg(0);
  llvm::AtomicRMWInst* claimed =
      b.CreateAtomicRMW(llvm::AtomicRMWInst::Xchg, state, b.getInt32(1), llvm::Align(4),
                        llvm::AtomicOrdering::Monotonic, context.getOrInsertSyncScopeID("device"));
  b.CreateCondBr(b.CreateICmpEQ(claimed, b.getInt32(0)), first, done);
  b.SetInsertPoint(first);
  llvm::Value* record =
      b.CreateLoad(pointer, b.CreateConstInBoundsGEP1_32(b.getInt8Ty(), state, offsetof(FailureState, record)));
  auto put = [&](size_t offset, llvm::Value* value) {
    b.CreateStore(value, b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), record, offset));
  };
  put(offsetof(FailureRecord, launch), function->getArg(1));
  put(offsetof(FailureRecord, site), function->getArg(2));
  put(offsetof(FailureRecord, value), function->getArg(3));
  put(offsetof(FailureRecord, extent), function->getArg(4));
  for (unsigned i = 0; i < values; ++i) put(offsetof(FailureRecord, values) + 8 * i, function->getArg(firstValue + i));

  llvm::Value* thread = b.CreateIntrinsic(llvm::Intrinsic::nvvm_read_ptx_sreg_tid_x, llvm::ArrayRef<llvm::Value*>());
  llvm::Value* block = b.CreateIntrinsic(llvm::Intrinsic::nvvm_read_ptx_sreg_ctaid_x, llvm::ArrayRef<llvm::Value*>());
  unsigned rank = kernel_.axes.size();
  auto low = [&](unsigned axis) { return function->getArg(6 + 3 * axis); };
  auto high = [&](unsigned axis) { return function->getArg(7 + 3 * axis); };
  auto step = [&](unsigned axis) { return function->getArg(8 + 3 * axis); };
  // The coordinates of number `linear` in the domain, last axis fastest.
  llvm::SmallVector<llvm::Value*, 4> point(rank);
  llvm::Value* linear = kernel_.isForall ? static_cast<llvm::Value*>(function->getArg(5)) : b.CreateZExt(block, i64);
  for (unsigned axis = rank; axis-- > 0;) {
    llvm::Value* extent = b.CreateSub(high(axis), low(axis));
    const bool hasStep = kernel_.axes[axis].hasStep();
    if (hasStep) extent = b.CreateAdd(b.CreateUDiv(b.CreateSub(extent, b.getInt64(1)), step(axis)), b.getInt64(1));
    llvm::Value* coordinate = axis == 0 ? linear : b.CreateURem(linear, extent);
    point[axis] = b.CreateAdd(low(axis), hasStep ? b.CreateMul(coordinate, step(axis)) : coordinate);
    if (axis > 0) linear = b.CreateUDiv(linear, extent);
  }
  llvm::Value* blocks[3] = {block, b.getInt32(0), b.getInt32(0)};
  llvm::Value* threads[3] = {thread, b.getInt32(0), b.getInt32(0)};
  if (kernel_.isForall) {
    for (unsigned axis = 0; axis < 4; ++axis)
      put(offsetof(FailureRecord, point) + 8 * axis, axis < rank ? point[axis] : b.getInt64(0));
  } else {
    // As the program counts them: the values of the block and thread variables; x is the last axis.
    for (unsigned i = 0; i < 3 && i < rank; ++i) blocks[i] = b.CreateTrunc(point[rank - 1 - i], i32);
    llvm::Value* rest = thread;
    size_t threadRank = kernel_.threadCount.size();
    for (size_t i = 0; i < 3 && i < threadRank; ++i) {
      size_t axis = threadRank - 1 - i;
      auto count = static_cast<uint32_t>(kernel_.threadCount[axis]);
      llvm::Value* coordinate = axis == 0 ? rest : b.CreateURem(rest, b.getInt32(count));
      threads[i] = b.CreateAdd(coordinate, b.getInt32(static_cast<uint32_t>(kernel_.threadLow[axis])));
      rest = b.CreateUDiv(rest, b.getInt32(count));
    }
    for (unsigned axis = 0; axis < 4; ++axis) put(offsetof(FailureRecord, point) + 8 * axis, b.getInt64(0));
  }
  for (unsigned i = 0; i < 3; ++i) {
    put(offsetof(FailureRecord, block) + 4 * i, blocks[i]);
    put(offsetof(FailureRecord, thread) + 4 * i, threads[i]);
  }
  // The flag last, behind a fence: whoever sees it sees the rest.
  b.CreateFence(llvm::AtomicOrdering::Release);
  llvm::StoreInst* flag = b.CreateAlignedStore(
      b.getInt32(1), b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), record, offsetof(FailureRecord, flag)),
      llvm::Align(4));
  flag->setAtomic(llvm::AtomicOrdering::Monotonic);
  b.CreateBr(done);
  b.SetInsertPoint(done);
  b.CreateRetVoid();
  return function;
}

void NvptxTarget::emitFailure(FunctionLowering& f, SiteId site, llvm::Value* value, llvm::Value* extent) {
  endFailed(f, site, value, extent, {});
}

void NvptxTarget::emitAssertFailure(FunctionLowering& f, SiteId site, llvm::ArrayRef<llvm::Value*> values) {
  endFailed(f, site, nullptr, nullptr, values);
}

void NvptxTarget::emitPrint(FunctionLowering& f, SiteId site, llvm::ArrayRef<llvm::Value*> values) {
  llvm::IRBuilder<>& b = f.builder();
  llvm::Value* position = point_;
  if (!kernel_.isForall) {
    llvm::Value* block = b.CreateZExt(blockIndex(f), b.getInt64Ty());
    position = b.CreateAdd(b.CreateMul(block, b.getInt64(threads_)), b.CreateZExt(threadIndex(f), b.getInt64Ty()));
  }
  emitPrintedLine(f, arguments_->failureState, arguments_->serial, site,
                  position ? b.CreateZExt(position, b.getInt64Ty()) : b.getInt64(0), values);
}

void NvptxTarget::endFailed(FunctionLowering& f, SiteId site, llvm::Value* value, llvm::Value* extent,
                            llvm::ArrayRef<llvm::Value*> values) {
  llvm::IRBuilder<>& b = f.builder();
  if (!arguments_) {  // called by other programs: there is no launch that could tell of it
    b.CreateIntrinsic(llvm::Intrinsic::trap, llvm::ArrayRef<llvm::Value*>());
    b.CreateUnreachable();
    return;
  }
  llvm::Function* function = failureFunction(f, values.size());
  llvm::SmallVector<llvm::Value*, 16> arguments = {arguments_->failureState, arguments_->serial, b.getInt32(site.value),
                                                   value ? value : b.getInt64(0), extent ? extent : b.getInt64(0)};
  llvm::Value* point = point_ ? point_ : b.getInt64(0);
  arguments.push_back(point->getType()->isIntegerTy(32) ? b.CreateZExt(point, b.getInt64Ty()) : point);
  for (unsigned axis = 0; axis < kernel_.axes.size(); ++axis) {
    arguments.push_back(f.wide(arguments_->low[axis]));
    arguments.push_back(f.wide(arguments_->high[axis]));
    arguments.push_back(f.wide(arguments_->step[axis]));
  }
  arguments.append(values.begin(), values.end());
  b.CreateCall(function, arguments)->setDebugLoc(b.getCurrentDebugLocation());
  b.CreateIntrinsic(llvm::Intrinsic::nvvm_exit, llvm::ArrayRef<llvm::Value*>());
  b.CreateUnreachable();
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/host/native_kernel.h"

#include "codegen/host/access_checks.h"
#include "codegen/lower/print.h"

#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/MDBuilder.h>

#include <cstddef>
#include <utility>

namespace rad::cg {

NativeKernelLowering::NativeKernelLowering(const TypedProgram& program, const Kernel& kernel, llvm::Module& module,
                                           const LowerOptions& options, const SpecKey& spec)
    : program_(program), kernel_(kernel), module_(module), options_(options), spec_(spec) {
  // One native form serves launches whose elementwise arguments are the same view, too.
  for (const KernelParam& param : kernel.params) spec_.aliased |= param.elementwise;
}

void NativeKernelLowering::emit() {
  llvm::LLVMContext& context = module_.getContext();
  auto* pointer = llvm::PointerType::get(context, 0);
  auto* i64 = llvm::Type::getInt64Ty(context);
  auto* none = llvm::Type::getVoidTy(context);

  auto types = kernelParameterTypes(program_, kernel_, context);
  size_t parameterCount = types.size();
  llvm::SmallVector<llvm::Type*, 20> bodyTypes(types.begin(), types.end());
  bodyTypes.append({i64, i64, i64, pointer});
  auto* body = llvm::Function::Create(llvm::FunctionType::get(none, bodyTypes, false),
                                      llvm::GlobalValue::InternalLinkage, kernel_.symbol + ".body", module_);
  body->setDoesNotThrow();
  // Inlined at the end: until then noalias says what it is to say. A debugger stops in the body, which is then a
  // function of its own.
  if (!options_.lines) body->addFnAttr(llvm::Attribute::AlwaysInline);
  for (size_t i = 0; i < parameterCount; ++i) {
    auto* argument = body->getArg(i);
    if (i < kernel_.params.size()) argument->setName(kernel_.params[i].name);
    if (!types[i]->isPointerTy()) continue;
    bool isView = i < kernel_.params.size();
    // Elementwise arguments may be the same view; all others share no element with a writable one.
    if (!isView || !kernel_.params[i].elementwise) argument->addAttr(llvm::Attribute::NoAlias);
    if (isView && !kernel_.params[i].isMut) argument->addAttr(llvm::Attribute::ReadOnly);
  }
  begin_ = body->getArg(parameterCount);
  end_ = body->getArg(parameterCount + 1);
  chunk_ = body->getArg(parameterCount + 2);
  scratch_ = body->getArg(parameterCount + 3);
  begin_->setName("begin");
  end_->setName("end");
  chunk_->setName("chunk");
  scratch_->setName("scratch");
  body->getArg(parameterCount + 3)->addAttr(llvm::Attribute::NoAlias);
  body->getArg(parameterCount + 3)->addAttr(llvm::Attribute::getWithAlignment(context, llvm::Align(64)));
  for (size_t i = 0; i < parameterCount; ++i) arguments_.push_back(body->getArg(i));

  if (options_.lines) options_.lines->addFunction(*body, kernel_.name, kernel_.range);
  FunctionLowering f(program_, options_, *this, *body, options_.lines);
  if (kernel_.strict) f.setFpMode(FpMode::Strict);
  else if (kernel_.fastMath) f.setFpMode(FpMode::Fast);
  f.placeAt(f.newBlock("entry"));
  f.setPlace(kernel_.range);
  leave_ = f.newBlock("leave");
  emitBody(f);
  f.branchTo(leave_);
  leave_->moveAfter(&body->back());
  llvm::ReturnInst::Create(context, leave_);
  if (options_.places) instrumentAccesses(*body, *options_.places);

  // The native kernel itself.
  auto* shell = llvm::Function::Create(llvm::FunctionType::get(none, {pointer, i64, i64, i64, pointer}, false),
                                       llvm::GlobalValue::ExternalLinkage, kernel_.symbol, module_);
  shell->setDoesNotThrow();
  // Registers of 64 bytes are put aside on the stack; across two cache lines that takes twice as long.
  shell->addFnAttr(llvm::Attribute::getWithStackAlignment(context, llvm::Align(64)));
  llvm::IRBuilder<> b(llvm::BasicBlock::Create(context, "entry", shell));
  llvm::SmallVector<llvm::Value*, 20> unpacked;
  for (size_t i = 0; i < parameterCount; ++i) {
    llvm::Value* address = b.CreateLoad(pointer, b.CreateConstInBoundsGEP1_64(pointer, shell->getArg(0), i));
    unpacked.push_back(b.CreateLoad(types[i], address));
  }
  for (unsigned i = 1; i < 5; ++i) unpacked.push_back(shell->getArg(i));
  b.CreateCall(body, unpacked);
  b.CreateRetVoid();

  new llvm::GlobalVariable(module_, i64, /*isConstant=*/true, llvm::GlobalValue::ExternalLinkage,
                           llvm::ConstantInt::get(i64, scratchBytes_), kernel_.symbol + ".scratch_bytes");
}

KernelArguments NativeKernelLowering::bindArguments(FunctionLowering& f) {
  bound_ = bindKernelArguments(f, kernel_, arguments_, spec_);
  return bound_;
}

llvm::Value* NativeKernelLowering::extentOf(FunctionLowering& f, const KernelArguments& arguments, size_t axis) {
  auto& b = f.builder();
  llvm::Value* count = f.wide(axisCount(f, arguments, axis));
  // An empty axis has any count; a loop over it must not run.
  llvm::Value* isEmpty = b.CreateICmpSGE(f.wide(arguments.low[axis]), f.wide(arguments.high[axis]));
  return b.CreateSelect(isEmpty, b.getInt64(0), count);
}

Value NativeKernelLowering::axisValue(FunctionLowering& f, const KernelArguments& arguments, size_t axis,
                                      llvm::Value* coordinate) {
  auto& b = f.builder();
  const Value &low = arguments.low[axis], &high = arguments.high[axis];
  coordinate = axisOffset(f, arguments, axis, coordinate);
  Interval range{low.range.low, high.range.high == INT64_MIN ? INT64_MIN : high.range.high - 1};
  if (auto* constant = llvm::dyn_cast<llvm::ConstantInt>(low.scalar); constant && constant->isZero())
    return f.indexFrom(coordinate, range);
  return f.indexFrom(b.CreateNSWAdd(f.wide(low), coordinate), range);
}

void NativeKernelLowering::describeDomain(FunctionLowering& f, const KernelArguments& arguments,
                                          llvm::ArrayRef<llvm::Value*> extents) {
  if (!options_.places) return;
  for (size_t axis = 0; axis < extents.size(); ++axis)
    emitAccessCall(f, "rad_access_axis",
                   {f.builder().getInt32(static_cast<uint32_t>(axis)), f.wide(arguments.low[axis]), extents[axis],
                    f.wide(arguments.step[axis])});
}

void NativeKernelLowering::tellItem(FunctionLowering& f, llvm::Value* item) {
  if (options_.places) emitAccessCall(f, "rad_access_item", {item ? item : f.builder().getInt64(UINT64_MAX)});
}

llvm::SmallVector<llvm::Value*, 4> NativeKernelLowering::unflatten(FunctionLowering& f, llvm::Value* flat,
                                                                   llvm::ArrayRef<llvm::Value*> extents) {
  auto& b = f.builder();
  llvm::SmallVector<llvm::Value*, 4> coordinates(extents.size());
  for (size_t axis = extents.size(); axis-- > 0;) {
    if (axis == 0) {
      coordinates[0] = flat;
      break;
    }
    // Not zero: there is no point to run where an extent is.
    coordinates[axis] = b.CreateURem(flat, extents[axis]);
    flat = b.CreateUDiv(flat, extents[axis]);
  }
  return coordinates;
}

void NativeKernelLowering::annotateAccess(FunctionLowering&, llvm::Instruction* access) {
  if (accessGroup_) access->setMetadata(llvm::LLVMContext::MD_access_group, accessGroup_);
}

// ---- failures ----

llvm::Function* NativeKernelLowering::recordFunction(unsigned values) {
  const std::string name = values ? "raddle.record_failure" + std::to_string(values) : "raddle.record_failure";
  if (auto* made = module_.getFunction(name)) return made;
  llvm::LLVMContext& context = module_.getContext();
  auto* pointer = llvm::PointerType::get(context, 0);
  auto* i32 = llvm::Type::getInt32Ty(context);
  auto* i64 = llvm::Type::getInt64Ty(context);
  // state, launch, site, value, extent, block x y z, thread x y z, point 0 to 3, values of an assert
  llvm::SmallVector<llvm::Type*, 16> types = {pointer, i32, i32, i64, i64};
  types.append(10 + values, i64);
  auto* function = llvm::Function::Create(llvm::FunctionType::get(llvm::Type::getVoidTy(context), types, false),
                                          llvm::GlobalValue::InternalLinkage, name, module_);
  function->setDoesNotThrow();
  function->addFnAttr(llvm::Attribute::Cold);
  function->addFnAttr(llvm::Attribute::NoInline);
  auto* entry = llvm::BasicBlock::Create(context, "entry", function);
  auto* first = llvm::BasicBlock::Create(context, "first", function);
  auto* done = llvm::BasicBlock::Create(context, "done", function);
  llvm::IRBuilder<> b(entry);
  auto at = [&](llvm::Value* base, size_t offset) { return b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), base, offset); };
  llvm::Value* state = function->getArg(0);
  // The first failure is the one that is told.
  llvm::Value* claimed = b.CreateAtomicRMW(llvm::AtomicRMWInst::Xchg, at(state, offsetof(FailureState, claimed)),
                                           b.getInt32(1), llvm::Align(4), llvm::AtomicOrdering::AcquireRelease);
  b.CreateCondBr(b.CreateICmpEQ(claimed, b.getInt32(0)), first, done);
  b.SetInsertPoint(first);
  llvm::Value* record = b.CreateLoad(pointer, at(state, offsetof(FailureState, record)));
  b.CreateStore(function->getArg(2), at(record, offsetof(FailureRecord, site)));
  b.CreateStore(function->getArg(1), at(record, offsetof(FailureRecord, launch)));
  b.CreateStore(function->getArg(3), at(record, offsetof(FailureRecord, value)));
  b.CreateStore(function->getArg(4), at(record, offsetof(FailureRecord, extent)));
  for (unsigned i = 0; i < 3; ++i) {
    b.CreateStore(b.CreateTrunc(function->getArg(5 + i), i32), at(record, offsetof(FailureRecord, block) + 4 * i));
    b.CreateStore(b.CreateTrunc(function->getArg(8 + i), i32), at(record, offsetof(FailureRecord, thread) + 4 * i));
  }
  for (unsigned i = 0; i < 4; ++i)
    b.CreateStore(function->getArg(11 + i), at(record, offsetof(FailureRecord, point) + 8 * i));
  for (unsigned i = 0; i < values; ++i)
    b.CreateStore(function->getArg(15 + i), at(record, offsetof(FailureRecord, values) + 8 * i));
  auto* flag = b.CreateStore(b.getInt32(1), at(record, offsetof(FailureRecord, flag)));
  flag->setAtomic(llvm::AtomicOrdering::Release);
  flag->setAlignment(llvm::Align(4));
  b.CreateBr(done);
  b.SetInsertPoint(done);
  b.CreateRetVoid();
  return function;
}

void NativeKernelLowering::record(FunctionLowering& f, llvm::Value* site, llvm::Value* value, llvm::Value* extent,
                                  llvm::ArrayRef<llvm::Value*> values) {
  auto& b = f.builder();
  auto orZero = [&](llvm::Value* v) -> llvm::Value* { return v ? v : b.getInt64(0); };
  llvm::SmallVector<llvm::Value*, 16> arguments = {bound_.failureState, bound_.serial, site, orZero(value),
                                                   orZero(extent)};
  for (llvm::Value* v : failedBlock_) arguments.push_back(orZero(v));
  for (llvm::Value* v : failedThread_) arguments.push_back(orZero(v));
  for (llvm::Value* v : failedPoint_) arguments.push_back(orZero(v));
  arguments.append(values.begin(), values.end());
  b.CreateCall(recordFunction(values.size()), arguments);
}

void NativeKernelLowering::emitFailure(FunctionLowering& f, SiteId site, llvm::Value* value, llvm::Value* extent) {
  auto& b = f.builder();
  if (!failing_) {
    record(f, b.getInt32(site.value), value, extent);
    b.CreateBr(leave_);
    return;
  }
  auto orZero = [&](llvm::Value* v) -> llvm::Value* { return v ? v : b.getInt64(0); };
  failedSite_->addIncoming(b.getInt32(site.value), b.GetInsertBlock());
  failedValue_->addIncoming(orZero(value), b.GetInsertBlock());
  failedExtent_->addIncoming(orZero(extent), b.GetInsertBlock());
  b.CreateBr(failing_);
}

void NativeKernelLowering::emitAssertFailure(FunctionLowering& f, SiteId site, llvm::ArrayRef<llvm::Value*> values) {
  auto& b = f.builder();
  if (!failing_) {
    record(f, b.getInt32(site.value), nullptr, nullptr, values);
    b.CreateBr(leave_);
    return;
  }
  while (failedValues_.size() < values.size())
    failedValues_.push_back(llvm::PHINode::Create(b.getInt64Ty(), 2, "shown", failedExtent_->getIterator()));
  for (size_t i = 0; i < values.size(); ++i) failedValues_[i]->addIncoming(values[i], b.GetInsertBlock());
  emitFailure(f, site, nullptr, nullptr);
}

void NativeKernelLowering::emitPrint(FunctionLowering& f, SiteId site, llvm::ArrayRef<llvm::Value*> values) {
  emitPrintedLine(f, bound_.failureState, bound_.serial, site, position_ ? position_ : f.builder().getInt64(0), values);
}

void NativeKernelLowering::beginItem(FunctionLowering& f) {
  failing_ = f.newBlock("item.failed");
  llvm::IRBuilder<> at(failing_);
  failedSite_ = at.CreatePHI(at.getInt32Ty(), 2, "site");
  failedValue_ = at.CreatePHI(at.getInt64Ty(), 2, "value");
  failedExtent_ = at.CreatePHI(at.getInt64Ty(), 2, "extent");
}

void NativeKernelLowering::endItem(FunctionLowering& f) {
  llvm::BasicBlock* failing = std::exchange(failing_, nullptr);
  if (failedSite_->getNumIncomingValues() == 0) {
    failing->eraseFromParent();
    return;
  }
  llvm::IRBuilder<>::InsertPointGuard here(f.builder());
  f.placeAt(failing);
  llvm::SmallVector<llvm::Value*, 8> values;
  for (llvm::PHINode* shown : std::exchange(failedValues_, {})) {
    // Failures that show fewer.
    for (llvm::BasicBlock* from : failedSite_->blocks())
      if (shown->getBasicBlockIndex(from) < 0) shown->addIncoming(f.builder().getInt64(0), from);
    values.push_back(shown);
  }
  record(f, failedSite_, failedValue_, failedExtent_, values);
  f.builder().CreateBr(leave_);
}

llvm::Value* NativeKernelLowering::takeScratch(FunctionLowering& f, uint64_t bytes, const llvm::Twine& name) {
  constexpr uint64_t kAlignment = 64;
  uint64_t offset = (scratchBytes_ + kAlignment - 1) / kAlignment * kAlignment;
  scratchBytes_ = offset + bytes;
  llvm::BasicBlock& entry = f.function().getEntryBlock();
  llvm::IRBuilder<> atEntry(&entry, entry.getFirstInsertionPt());
  return atEntry.CreateConstInBoundsGEP1_64(atEntry.getInt8Ty(), scratch(), offset, name);
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/lower/function_lowering.h"

#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/Module.h>

#include <cassert>

namespace rad::cg {

FunctionLowering::FunctionLowering(const TypedProgram& program, const LowerOptions& options, TargetLowering& target,
                                   llvm::Function& function, DebugLines* lines)
    : program_(program),
      options_(options),
      target_(target),
      function_(function),
      lines_(lines),
      builder_(function.getContext()),
      fp_(options.fp) {
  setFpMode(options.fp);
}

llvm::BasicBlock* FunctionLowering::newBlock(const char* name) {
  return llvm::BasicBlock::Create(context(), name, &function_);
}

void FunctionLowering::branchTo(llvm::BasicBlock* block) {
  if (!terminated()) builder_.CreateBr(block);
}

bool FunctionLowering::terminated() const { return builder_.GetInsertBlock()->getTerminator() != nullptr; }

llvm::AllocaInst* FunctionLowering::newAlloca(llvm::Type* type, const llvm::Twine& name) {
  llvm::BasicBlock& entry = function_.getEntryBlock();
  llvm::IRBuilder<> atEntry(&entry, entry.getFirstInsertionPt());
  return atEntry.CreateAlloca(type, nullptr, name);
}

void FunctionLowering::setPlace(Range range) {
  if (options_.places) options_.places->enter(builder_, range);
  if (!lines_) return;
  if (llvm::DebugLoc place = lines_->locate(function_, range)) builder_.SetCurrentDebugLocation(place);
}

void FunctionLowering::showLocal(LocalId id) {
  const Local& shown = local(id);
  if (shown.name.empty() || terminated()) return;
  const LocalSlot& at = slot(id);
  const TypeKind kind = program_.types->get(shown.type).kind;
  if (kind == TypeKind::Unit || kind == TypeKind::String || kind == TypeKind::Error) return;
  auto declare = [&](llvm::Value* address, llvm::Type* memory) {
    if (!declared_.insert(address).second) return;
    unsigned parameter = 0;
    if (!inInlinedCall() && (shown.kind == LocalKind::Param || shown.kind == LocalKind::MutParam) && id.value < 1000)
      parameter = id.value + 1;
    lines_->declare(function_, address, memory, *program_.types, shown.type, shown.name, shown.range, parameter);
  };
  llvm::Type* memory = memoryType(shown.type);
  if (at.form == LocalSlot::Form::Address) {
    if (llvm::isa<llvm::AllocaInst>(at.address)) declare(at.address, memory);
    return;
  }
  llvm::AllocaInst*& copy = shown_[{frames_.back().number, id.value}];
  if (!copy) copy = newAlloca(memory, shown.name + ".shown");
  builder_.CreateStore(toMemory(at.value), copy);
  declare(copy, memory);
}

void FunctionLowering::setFpMode(FpMode mode) {
  fp_ = mode;
  builder_.setFastMathFlags(fastMathFlags());
}

llvm::FastMathFlags FunctionLowering::fastMathFlags() const {
  llvm::FastMathFlags flags;
  switch (fp_) {
    case FpMode::Default: flags.setAllowContract(true); break;
    case FpMode::Strict: break;
    case FpMode::Fast:
      // Infinities and NaN stay meaningful: programs compare with them.
      flags.setAllowContract(true);
      flags.setAllowReassoc(true);
      flags.setAllowReciprocal(true);
      flags.setApproxFunc(true);
      flags.setNoSignedZeros(true);
      break;
  }
  return flags;
}

// ---- bodies and locals ----

void FunctionLowering::enterBody(const Body& body, llvm::BasicBlock* returnBlock, llvm::Value* resultAddress) {
  if (lines_ && lines_->hasVariables() && !frames_.empty())
    lines_->enterScope(function_, body.statements.empty() ? Range{} : program_.stmt(body.statements[0]).range);
  frames_.push_back(
      {&body, std::vector<LocalSlot>(body.locals.size()), returnBlock, resultAddress, {}, {}, frameCount_++});
}

void FunctionLowering::leaveBody() {
  frames_.pop_back();
  if (lines_ && lines_->hasVariables() && !frames_.empty()) lines_->leaveScope();
}

void FunctionLowering::runBlock(std::span<const TStmtId> statements) {
  const bool isScope = lines_ && lines_->hasVariables() && !statements.empty();
  if (isScope) lines_->enterScope(function_, program_.stmt(statements[0]).range);
  run(statements);
  if (isScope) lines_->leaveScope();
}

void FunctionLowering::bind(LocalId local, Value value) {
  LocalSlot& to = slot(local);
  to.form = LocalSlot::Form::Value;
  to.value = std::move(value);
  if (lines_ && lines_->hasVariables()) showLocal(local);
}

void FunctionLowering::bindAddress(LocalId local, llvm::Value* address, llvm::Align align) {
  LocalSlot& to = slot(local);
  to.form = LocalSlot::Form::Address;
  to.address = address;
  to.align = align;
  if (lines_ && lines_->hasVariables()) showLocal(local);
}

Value FunctionLowering::readLocal(LocalId id) {
  TypeId type = local(id).type;
  if (!inInlinedCall()) {
    if (llvm::Value* address = target_.storageOf(*this, id)) {
      return load({address, type, alignOf(type)});
    }
  }
  LocalSlot& from = slot(id);
  switch (from.form) {
    case LocalSlot::Form::Value: return from.value;
    case LocalSlot::Form::Address: return load({from.address, type, from.align, from.isElement});
    case LocalSlot::Form::Empty: break;
  }
  // Only on paths that never run: sema proves assignment before use.
  const TypeKind kind = program_.types->get(type).kind;
  if (kind == TypeKind::Scalar) return scalar(type, llvm::PoisonValue::get(registerType(type)));
  if (kind == TypeKind::Vector || kind == TypeKind::Array || kind == TypeKind::Tuple)
    return fromMemory(type, llvm::PoisonValue::get(memoryType(type)));
  assert(false && "a local without a value");
  return {type};
}

void FunctionLowering::writeLocal(LocalId id, const Value& value) {
  const Local& to = local(id);
  if (!inInlinedCall()) {
    if (llvm::Value* address = target_.storageOf(*this, id)) {
      store({address, to.type, alignOf(to.type)}, value);
      return;
    }
  }
  LocalSlot& at = slot(id);
  if (at.form == LocalSlot::Form::Address) {
    store({at.address, to.type, at.align, at.isElement}, value);
    return;
  }
  TypeKind kind = program_.types->get(to.type).kind;
  if (to.kind == LocalKind::Var && (kind == TypeKind::Scalar || kind == TypeKind::Vector || kind == TypeKind::Array ||
                                    kind == TypeKind::Tuple || kind == TypeKind::View)) {
    llvm::Type* memory = memoryType(to.type);
    llvm::AllocaInst* address = newAlloca(memory, to.name);
    bindAddress(id, address, address->getAlign());
    store({address, to.type, address->getAlign()}, value);
    return;
  }
  bind(id, value);
  if (value.scalar && !value.scalar->hasName() && !llvm::isa<llvm::Constant>(value.scalar))
    value.scalar->setName(to.name);
}

// ---- failures ----

void FunctionLowering::check(llvm::Value* ok, SiteId site, const Value* value, const Value* extent) {
  if (auto* constant = llvm::dyn_cast<llvm::ConstantInt>(ok)) {
    if (constant->isOne()) return;
  }
  llvm::BasicBlock* failed = newBlock("failed");
  llvm::BasicBlock* good = newBlock("ok");
  builder_.CreateCondBr(ok, good, failed, llvm::MDBuilder(context()).createLikelyBranchWeights());
  placeAt(failed);
  fail(site, value, extent);
  good->moveAfter(failed->getPrevNode());
  placeAt(good);
}

void FunctionLowering::fail(SiteId site, const Value* value, const Value* extent) {
  target_.emitFailure(*this, site, value ? wide(*value) : nullptr, extent ? wide(*extent) : nullptr);
  assert(terminated() && "emitFailure must end the block");
}

// ---- values ----

Value FunctionLowering::scalar(TypeId type, llvm::Value* value, Interval range) {
  Value made;
  made.type = type;
  made.scalar = value;
  made.range = range;
  if (auto* constant = llvm::dyn_cast_or_null<llvm::ConstantInt>(value);
      constant && constant->getBitWidth() <= 64 && range.isFull()) {
    Scalar kind = scalarOf(type);
    if (isSignedInteger(kind)) made.range = Interval::exactly(constant->getSExtValue());
    else if (constant->getValue().getActiveBits() < 64)
      made.range = Interval::exactly(static_cast<int64_t>(constant->getZExtValue()));
  }
  return made;
}

Value FunctionLowering::constantIndex(int64_t value) {
  return indexFrom(builder_.getInt64(value), Interval::exactly(value));
}

Value FunctionLowering::constantBool(bool value) { return scalar(program_.types->boolean(), builder_.getInt1(value)); }

Value FunctionLowering::indexFrom(llvm::Value* i64, Interval range) {
  if (options_.narrowIndices && range.fitsI32())
    i64 = builder_.CreateTrunc(i64, builder_.getInt32Ty(), "", /*IsNUW=*/range.low >= 0, /*IsNSW=*/true);
  return scalar(program_.types->index(), i64, range);
}

llvm::Value* FunctionLowering::wide(const Value& value) {
  llvm::Type* type = value.scalar->getType();
  if (type->isIntegerTy(64)) return value.scalar;
  assert(type->isIntegerTy() && "wide() of something that is no integer");
  if (isSignedInteger(scalarOf(value.type))) {
    if (value.range.low >= 0) return builder_.CreateZExt(value.scalar, builder_.getInt64Ty(), "", /*IsNonNeg=*/true);
    return builder_.CreateSExt(value.scalar, builder_.getInt64Ty());
  }
  return builder_.CreateZExt(value.scalar, builder_.getInt64Ty());
}

llvm::Type* FunctionLowering::registerType(TypeId id) {
  const Type& type = program_.types->get(id);
  switch (type.kind) {
    case TypeKind::Scalar: break;
    case TypeKind::Unit: return builder_.getVoidTy();
    case TypeKind::Tuple: {
      std::vector<llvm::Type*> items;
      for (TypeId item : type.items) items.push_back(registerType(item));
      return llvm::StructType::get(context(), items);
    }
    case TypeKind::Error:
    case TypeKind::UntypedInt:
    case TypeKind::UntypedFloat:
    case TypeKind::View:
    case TypeKind::Vector:
    case TypeKind::Array: return memoryType(id);
    case TypeKind::String:
      assert(false && "a type without a register form in the shared lowering");
      return builder_.getVoidTy();
  }
  switch (type.scalar) {
    case Scalar::Bool: return builder_.getInt1Ty();
    case Scalar::I8:
    case Scalar::U8: return builder_.getInt8Ty();
    case Scalar::I16:
    case Scalar::U16: return builder_.getInt16Ty();
    case Scalar::I32:
    case Scalar::U32: return builder_.getInt32Ty();
    case Scalar::I64:
    case Scalar::U64:
    case Scalar::Index: return builder_.getInt64Ty();
    case Scalar::F16:
    case Scalar::BF16: return builder_.getInt16Ty();
    case Scalar::F32: return builder_.getFloatTy();
    case Scalar::F64: return builder_.getDoubleTy();
    case Scalar::F8E4M3:
    case Scalar::F8E5M2: return builder_.getInt8Ty();
  }
  return nullptr;
}

llvm::Type* FunctionLowering::memoryType(TypeId id) {
  const Type& type = program_.types->get(id);
  if (type.kind == TypeKind::Scalar && type.scalar == Scalar::Bool) return builder_.getInt8Ty();
  if (type.kind == TypeKind::Tuple) {
    std::vector<llvm::Type*> items;
    for (TypeId item : type.items) items.push_back(memoryType(item));
    return llvm::StructType::get(context(), items);
  }
  if (type.kind == TypeKind::Vector) return vectorMemory(memoryType(type.element), type.count);
  if (type.kind == TypeKind::Array) return llvm::ArrayType::get(memoryType(type.element), type.count);
  if (type.kind == TypeKind::View) {  // address, extents, strides of a strided one
    std::vector<llvm::Type*> parts(type.rank * (type.strided ? 2u : 1u) + 1u, builder_.getInt64Ty());
    parts[0] = builder_.getPtrTy();
    return llvm::StructType::get(context(), parts);
  }
  return registerType(id);
}

llvm::Value* FunctionLowering::toMemory(const Value& value) {
  if (!value.items.empty()) {
    llvm::Value* whole = llvm::PoisonValue::get(memoryType(value.type));
    for (unsigned i = 0; i < value.items.size(); ++i) {
      llvm::Value* item = toMemory(value.items[i]);
      whole = whole->getType()->isVectorTy() ? builder_.CreateInsertElement(whole, item, i)
                                             : builder_.CreateInsertValue(whole, item, i);
    }
    return whole;
  }
  if (value.memory) return builder_.CreateAlignedLoad(memoryType(value.type), value.memory, alignOf(value.type));
  if (value.view) {
    llvm::Value* whole = llvm::PoisonValue::get(memoryType(value.type));
    llvm::Value* base = value.view->base;
    if (base->getType()->getPointerAddressSpace() != 0) base = builder_.CreateAddrSpaceCast(base, builder_.getPtrTy());
    whole = builder_.CreateInsertValue(whole, base, 0);
    for (unsigned axis = 0; axis < value.view->rank(); ++axis)
      whole = builder_.CreateInsertValue(whole, wide(value.view->extents[axis]), axis + 1);
    for (unsigned axis = 0; axis < value.view->strides.size(); ++axis)
      whole = builder_.CreateInsertValue(whole, wide(value.view->strides[axis]), value.view->rank() + axis + 1);
    return whole;
  }
  if (isIndex(value.type)) return wide(value);
  if (value.scalar->getType()->isIntegerTy(1)) return builder_.CreateZExt(value.scalar, builder_.getInt8Ty());
  return value.scalar;
}

Value FunctionLowering::fromMemory(TypeId id, llvm::Value* value) {
  const Type& type = program_.types->get(id);
  if (type.kind == TypeKind::Tuple) {
    Value whole{id};
    for (unsigned i = 0; i < type.items.size(); ++i)
      whole.items.push_back(fromMemory(type.items[i], builder_.CreateExtractValue(value, i)));
    return whole;
  }
  if (type.kind == TypeKind::Vector) {
    Value whole{id};
    for (unsigned i = 0; i < type.count; ++i)
      whole.items.push_back(fromMemory(type.element, value->getType()->isVectorTy()
                                                         ? builder_.CreateExtractElement(value, i)
                                                         : builder_.CreateExtractValue(value, i)));
    return whole;
  }
  if (type.kind == TypeKind::Array) {
    Value whole{id};
    llvm::AllocaInst* memory = newMemory(id, "array");
    builder_.CreateAlignedStore(value, memory, alignOf(id));
    whole.memory = memory;
    return whole;
  }
  if (type.kind == TypeKind::View) {
    auto view = std::make_shared<ViewValue>();
    view->base = builder_.CreateExtractValue(value, 0);
    view->element = type.element;
    view->align = alignOf(type.element);
    for (unsigned axis = 0; axis < type.rank; ++axis)
      view->extents.push_back(scalar(program_.types->index(), builder_.CreateExtractValue(value, axis + 1),
                                     {0, std::numeric_limits<int64_t>::max()}));
    for (unsigned axis = 0; axis < type.rank && type.strided; ++axis)
      view->strides.push_back(scalar(program_.types->index(), builder_.CreateExtractValue(value, type.rank + axis + 1u),
                                     {0, std::numeric_limits<int64_t>::max()}));
    Value whole{id};
    whole.view = std::move(view);
    return whole;
  }
  if (type.scalar == Scalar::Bool) return scalar(id, builder_.CreateICmpNE(value, builder_.getInt8(0)));
  return scalar(id, value);
}

}  // namespace rad::cg

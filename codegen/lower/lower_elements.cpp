// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Vectors and arrays. A vector is its scalars (Value::items): arithmetic is that of scalars, element by element, and
// only loads and stores take it as a whole. An array is memory of its own (Value::memory) that nothing changes while
// the value is in use; the optimiser turns it into registers where all indices are constants.
#include "codegen/lower/function_lowering.h"

#include <llvm/IR/Module.h>

#include <algorithm>
#include <bit>
#include <cassert>

namespace rad::cg {
namespace {

constexpr uint64_t storedOneByOne = 64;  // elements; more are stored by a loop
constexpr size_t fewConstants =
    16;  // elements of a literal that the optimiser takes apart; more constants are data of the program

}  // namespace

llvm::Type* vectorMemory(llvm::Type* element, uint64_t count) {
  if (std::has_single_bit(count)) return llvm::FixedVectorType::get(element, static_cast<unsigned>(count));
  return llvm::ArrayType::get(element, count);
}

llvm::Align FunctionLowering::alignOf(TypeId id) {
  const Type& type = program_.types->get(id);
  switch (type.kind) {
    case TypeKind::Array: return alignOf(type.element);
    case TypeKind::Tuple: {
      llvm::Align align{1};
      for (TypeId item : type.items) align = std::max(align, alignOf(item));
      return align;
    }
    case TypeKind::Vector:
    case TypeKind::Scalar:
    case TypeKind::View:
    case TypeKind::Error:
    case TypeKind::Unit:
    case TypeKind::UntypedInt:
    case TypeKind::UntypedFloat:
    case TypeKind::String: break;
  }
  return std::min(module().getDataLayout().getABITypeAlign(memoryType(id)), llvm::Align(16));
}

// ---- memory ----

/// Whether values of a type may have bytes between their parts: a copy of the whole would read them.
bool FunctionLowering::hasGaps(TypeId id) const {
  const Type& type = program_.types->get(id);
  return type.kind == TypeKind::Tuple || (type.kind == TypeKind::Array && hasGaps(type.element));
}

/// A vector or array from memory.
Value FunctionLowering::loadElements(const Place& place) {
  const Type& type = program_.types->get(place.type);
  Value result;
  result.type = place.type;
  if (type.kind == TypeKind::Array) {
    llvm::AllocaInst* copy = newMemory(place.type, "array");
    result.memory = copy;
    if (place.stride != 1 || (options_.places && hasGaps(type.element))) {
      copyElements({copy, place.type, copy->getAlign()}, place);
      return result;
    }
    uint64_t bytes = module().getDataLayout().getTypeAllocSize(copy->getAllocatedType());
    builder_.CreateMemCpy(copy, copy->getAlign(), place.address, place.align, bytes);
    return result;
  }
  auto note = [&](llvm::LoadInst* loaded) {
    if (place.readOnly) loaded->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(context(), {}));
    if (place.isElement) target_.annotateAccess(*this, loaded);
    return loaded;
  };
  llvm::Type* memory = memoryType(place.type);
  if (memory->isVectorTy() && place.lanes.empty())
    return fromMemory(place.type, note(builder_.CreateAlignedLoad(memory, place.address, place.align)));
  for (uint64_t i = 0; i < type.count; ++i) {
    Place one = elementOf(place, constantIndex(static_cast<int64_t>(i)));
    result.items.push_back(
        fromMemory(type.element, note(builder_.CreateAlignedLoad(memoryType(type.element), one.address, one.align))));
  }
  return result;
}

void FunctionLowering::storeElements(const Place& place, const Value& value) {
  const Type& type = program_.types->get(place.type);
  if (type.kind == TypeKind::Array) {
    if (place.stride != 1 || (options_.places && hasGaps(type.element)))
      return copyElements(place, {value.memory, place.type, alignOf(place.type)});
    uint64_t bytes = module().getDataLayout().getTypeAllocSize(memoryType(place.type));
    builder_.CreateMemCpy(place.address, place.align, value.memory, alignOf(place.type), bytes);
    return;
  }
  auto note = [&](llvm::StoreInst* stored) {
    if (place.isElement) target_.annotateAccess(*this, stored);
  };
  if (memoryType(place.type)->isVectorTy() && place.lanes.empty())
    return note(builder_.CreateAlignedStore(toMemory(value), place.address, place.align));
  for (uint64_t i = 0; i < type.count; ++i) {
    Place one = elementOf(place, constantIndex(static_cast<int64_t>(i)));
    note(builder_.CreateAlignedStore(toMemory(value.items[i]), one.address, one.align));
  }
}

/// Copies arrays element by element; they do not overlap.
void FunctionLowering::copyElements(const Place& to, const Place& from) {
  forEachElement(program_.types->get(to.type).count,
                 [&](const Value& at) { store(elementOf(to, at), load(elementOf(from, at))); });
}

/// Runs `body` with each index below `count`: in a loop if they are many.
void FunctionLowering::forEachElement(uint64_t count, llvm::function_ref<void(const Value&)> body) {
  if (count <= storedOneByOne) {
    for (uint64_t i = 0; i < count; ++i) body(constantIndex(static_cast<int64_t>(i)));
    return;
  }
  llvm::BasicBlock* before = builder_.GetInsertBlock();
  llvm::BasicBlock* round = newBlock("fill");
  llvm::BasicBlock* done = newBlock("filled");
  builder_.CreateBr(round);
  placeAt(round);
  llvm::PHINode* at = builder_.CreatePHI(builder_.getInt64Ty(), 2);
  at->addIncoming(builder_.getInt64(0), before);
  body(scalar(program_.types->index(), at, {0, static_cast<int64_t>(count) - 1}));
  llvm::Value* next = builder_.CreateAdd(at, builder_.getInt64(1), "", true, true);
  at->addIncoming(next, builder_.GetInsertBlock());
  builder_.CreateCondBr(builder_.CreateICmpULT(next, builder_.getInt64(count)), round, done);
  placeAt(done);
}

/// The place of one element of a vector or array in memory; the index is known to be in range, and constant where the
/// place has lanes.
Place FunctionLowering::elementOf(const Place& whole, const Value& index) {
  const Type& type = program_.types->get(whole.type);
  llvm::Type* element = memoryType(type.element);
  llvm::Value* at = wide(index);
  if (!whole.lanes.empty()) at = builder_.getInt64(whole.lanes[llvm::cast<llvm::ConstantInt>(at)->getZExtValue()]);
  if (whole.stride != 1) at = builder_.CreateMul(at, builder_.getInt64(whole.stride), "", true, true);
  Place place = whole;
  place.type = type.element;
  place.lanes.clear();
  place.stride = 1;
  place.address = builder_.CreateGEP(element, whole.address, at, "",
                                     llvm::GEPNoWrapFlags::inBounds() | llvm::GEPNoWrapFlags::noUnsignedWrap());
  place.align = std::min(whole.align, alignOf(type.element));
  if (auto* constant = llvm::dyn_cast<llvm::ConstantInt>(at))
    place.align =
        std::max(place.align,
                 std::min(alignOf(type.element),
                          llvm::commonAlignment(whole.align, constant->getZExtValue() *
                                                                 module().getDataLayout().getTypeAllocSize(element))));
  return place;
}

Value FunctionLowering::loadMembers(const Place& place) {
  Value whole;
  whole.type = place.type;
  for (unsigned i = 0; i < program_.types->get(place.type).items.size(); ++i)
    whole.items.push_back(load(memberOf(place, i)));
  return whole;
}

void FunctionLowering::storeMembers(const Place& place, const Value& value) {
  for (unsigned i = 0; i < value.items.size(); ++i) store(memberOf(place, i), value.items[i]);
}

Place FunctionLowering::memberOf(const Place& whole, unsigned position) {
  llvm::StructType* memory = llvm::cast<llvm::StructType>(memoryType(whole.type));
  Place place = whole;
  place.type = program_.types->get(whole.type).items[position];
  place.address = builder_.CreateStructGEP(memory, whole.address, position);
  place.align = std::min(
      llvm::commonAlignment(
          whole.align, module().getDataLayout().getStructLayout(memory)->getElementOffset(position).getFixedValue()),
      llvm::Align(16));
  return place;
}

std::optional<Place> FunctionLowering::placeInMemory(TExprId id) {
  const TExpr& expr = program_.expr(id);
  if (const auto* element = std::get_if<ElementOf>(&expr.node);
      element && program_.types->get(program_.expr(element->value).type).kind == TypeKind::Array) {
    Place whole = arrayPlace(element->value);
    Value index = checkedElement(program_.expr(element->value).type, *element);
    setPlace(expr.range);
    return elementOf(whole, index);
  }
  if (const auto* slice = std::get_if<ElementSlice>(&expr.node))
    return sliceOf(arrayPlace(slice->value), *slice, expr.type);
  if (const auto* item = std::get_if<TupleItem>(&expr.node)) {
    const std::optional<Place> whole = placeInMemory(item->tuple);
    if (!whole) return std::nullopt;
    return memberOf(*whole, item->position);
  }
  if (const auto* ref = std::get_if<LocalRef>(&expr.node)) {
    const bool isOwn = !inInlinedCall() && target_.storageOf(*this, ref->local);
    if (isOwn || slot(ref->local).form == LocalSlot::Form::Address) return evalPlace(id);
  }
  Place place;
  if (target_.placeOf(*this, id, place)) return place;
  // Of script views the target reads elements as values.
  if (std::holds_alternative<ViewElement>(expr.node) && target_.hasElementPlaces()) return evalPlace(id);
  return std::nullopt;
}

Place FunctionLowering::arrayPlace(TExprId id) {
  if (const std::optional<Place> known = placeInMemory(id)) return *known;
  const TExpr& expr = program_.expr(id);
  Place place;
  place.address = eval(id).memory;
  place.type = expr.type;
  place.align = alignOf(expr.type);
  return place;
}

// ---- expressions ----

Value FunctionLowering::lower(const TExpr& expr, const MakeElements& node) {
  const Type& type = program_.types->get(expr.type);
  Value result;
  result.type = expr.type;
  if (type.kind == TypeKind::Vector) {
    for (TExprId item : node.items) result.items.push_back(eval(item));
    while (result.items.size() < type.count) result.items.push_back(result.items[0]);
    return result;
  }
  std::vector<Value> items;
  for (TExprId item : node.items) items.push_back(eval(item));
  if (items.size() == type.count && type.count > fewConstants)
    if (llvm::Constant* data = constantArray(expr.type, items)) {
      result.memory = data;
      return result;
    }
  llvm::AllocaInst* memory = newMemory(expr.type, "array");
  Place whole;
  whole.address = memory;
  whole.type = expr.type;
  whole.align = alignOf(expr.type);
  result.memory = memory;
  if (items.size() == type.count)
    for (uint64_t i = 0; i < type.count; ++i) store(elementOf(whole, constantIndex(static_cast<int64_t>(i))), items[i]);
  else forEachElement(type.count, [&](const Value& at) { store(elementOf(whole, at), items[0]); });
  return result;
}

/// Memory of the program that holds an array of constants; null if some item is none.
llvm::Constant* FunctionLowering::constantArray(TypeId id, std::span<const Value> items) {
  llvm::SmallVector<llvm::Constant*> data;
  for (const Value& item : items) {
    llvm::Constant* constant = nullptr;
    if (item.memory) {  // an array of its own: its data
      auto* global = llvm::dyn_cast<llvm::GlobalVariable>(item.memory->stripPointerCasts());
      constant = global && global->isConstant() ? global->getInitializer() : nullptr;
    } else if (item.scalar) {
      constant = llvm::dyn_cast<llvm::Constant>(toMemory(item));
    }
    if (!constant) return nullptr;
    data.push_back(constant);
  }
  auto* initial = llvm::ConstantArray::get(llvm::cast<llvm::ArrayType>(memoryType(id)), data);
  auto* global = new llvm::GlobalVariable(module(), initial->getType(), true, llvm::GlobalValue::PrivateLinkage,
                                          initial, "constants");
  global->setAlignment(alignOf(id));
  global->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
  return global;
}
/// The index of an element, with its check made.
Value FunctionLowering::checkedElement(TypeId whole, const ElementOf& node) {
  ViewValue bounds;
  bounds.extents.push_back(constantIndex(static_cast<int64_t>(program_.types->get(whole).count)));
  return checkedIndex(bounds, 0, eval(node.index), node.check, node.site);
}

Value FunctionLowering::lower(const TExpr& expr, const ElementOf& node) {
  const TypeId wholeType = program_.expr(node.value).type;
  const Type& type = program_.types->get(wholeType);
  if (type.kind == TypeKind::Array) {
    Place whole = arrayPlace(node.value);
    Value index = checkedElement(wholeType, node);
    setPlace(expr.range);
    return load(elementOf(whole, index));
  }
  Value whole = eval(node.value);
  Value index = checkedElement(wholeType, node);
  if (auto* constant = llvm::dyn_cast<llvm::ConstantInt>(index.scalar)) {
    const uint64_t lane = constant->getZExtValue();
    return whole.items[lane < whole.items.size() ? lane : 0];  // behind a failed check
  }
  Value result = whole.items[0];
  for (size_t lane = 1; lane < whole.items.size(); ++lane) {
    llvm::Value* isLane = builder_.CreateICmpEQ(index.scalar, llvm::ConstantInt::get(index.scalar->getType(), lane));
    Value other = whole.items[lane];
    if (isIndex(expr.type)) {  // one may be narrow
      other.scalar = wide(other);
      result.scalar = wide(result);
    }
    result = scalar(expr.type, builder_.CreateSelect(isLane, other.scalar, result.scalar),
                    {std::min(result.range.low, other.range.low), std::max(result.range.high, other.range.high)});
  }
  return result;
}

Value FunctionLowering::lower(const TExpr& expr, const ElementSlice& node) {
  return loadElements(sliceOf(arrayPlace(node.value), node, expr.type));
}

Place FunctionLowering::sliceOf(const Place& whole, const ElementSlice& slice, TypeId part) {
  Place place = elementOf(whole, constantIndex(static_cast<int64_t>(slice.first)));
  place.type = part;
  place.stride = whole.stride * slice.step;
  return place;
}

Value FunctionLowering::lower(const TExpr& expr, const Swizzle& node) {
  Value from = eval(node.vector);
  Value result;
  result.type = expr.type;
  for (uint8_t lane : node.lanes) result.items.push_back(from.items[lane]);
  return result;
}

// ---- values from several blocks ----

void FunctionLowering::shareMemory(llvm::SmallVectorImpl<std::pair<Value, llvm::BasicBlock*>>& incoming) {
  if (incoming.size() < 2) return;
  // The arrays of all values, in the same order in each.
  auto collect = [](auto&& self, Value& value, llvm::SmallVectorImpl<Value*>& arrays) -> void {
    if (value.memory) arrays.push_back(&value);
    for (Value& item : value.items) self(self, item, arrays);
  };
  llvm::SmallVector<llvm::AllocaInst*, 2> shared;
  for (auto& [value, from] : incoming) {
    llvm::SmallVector<Value*, 2> arrays;
    collect(collect, value, arrays);
    placeAt(from);
    for (size_t i = 0; i < arrays.size(); ++i) {
      if (i == shared.size()) shared.push_back(newMemory(arrays[i]->type, "joined"));
      Place place;
      place.address = shared[i];
      place.type = arrays[i]->type;
      place.align = alignOf(place.type);
      storeElements(place, *arrays[i]);
      arrays[i]->memory = shared[i];
    }
  }
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Memory forms of host values, and who owns the arrays in them.
#include "codegen/host/script.h"

#include "runtime/api/host_abi.h"

#include <cstddef>

namespace rad::cg {

static_assert(offsetof(RadView, extents) == 16 && offsetof(RadView, rank) == 48 && offsetof(RadView, strides) == 56 &&
              sizeof(RadView) == 88);
static_assert(offsetof(RadPrintArgument, data) == 8 && sizeof(RadPrintArgument) == 16 && sizeof(RadString) == 16);

llvm::Value* ScriptLowering::elementTypeOf(TypeId element) {
  return b().getInt32(static_cast<uint32_t>(cg::elementTypeOf(*program_.types, element)));
}

static_assert(RadPng == static_cast<int>(FileFormat::Png) && RadNpy == static_cast<int>(FileFormat::Npy) &&
              RadCsv == static_cast<int>(FileFormat::Csv) && RadLinePlot == static_cast<int>(FileFormat::LinePlot) &&
              RadHistogram == static_cast<int>(FileFormat::Histogram) &&
              RadHeatMap == static_cast<int>(FileFormat::HeatMap));
llvm::Value* ScriptLowering::formatOf(FileFormat format) { return b().getInt32(static_cast<uint32_t>(format)); }

llvm::Value* ScriptLowering::siteOf(SiteId site) { return b().getInt32(site.value); }

Value ScriptLowering::viewOf(TypeId type, llvm::Value* array, llvm::Value* offset, llvm::ArrayRef<Value> extents) {
  auto view = std::make_shared<ViewValue>();
  view->base = array;
  view->offset = offset;
  view->extents.append(extents.begin(), extents.end());
  view->element = program_.types->get(type).element;
  Value value;
  value.type = type;
  value.view = std::move(view);
  return value;
}

Value ScriptLowering::readStorage(llvm::Value* address, TypeId id) {
  const Type& type = program_.types->get(id);
  llvm::Type* form = unit_.storageType(id);
  switch (type.kind) {
    case TypeKind::View: {
      llvm::Value* array = b().CreateLoad(b().getPtrTy(), b().CreateStructGEP(form, address, 0));
      llvm::Value* offset = b().CreateLoad(b().getInt64Ty(), b().CreateStructGEP(form, address, 1));
      llvm::SmallVector<Value, 4> extents;
      for (unsigned axis = 0; axis < type.rank; ++axis) {
        llvm::Value* at = b().CreateInBoundsGEP(form, address, {b().getInt64(0), b().getInt32(2), b().getInt64(axis)});
        extents.push_back(f_.indexFrom(b().CreateLoad(b().getInt64Ty(), at), {0, INT64_MAX}));
      }
      Value value = viewOf(id, array, offset, extents);
      if (type.strided) {
        auto strided = std::make_shared<ViewValue>(*value.view);
        for (unsigned axis = 0; axis < type.rank; ++axis) {
          llvm::Value* at =
              b().CreateInBoundsGEP(form, address, {b().getInt64(0), b().getInt32(3), b().getInt64(axis)});
          strided->strides.push_back(f_.indexFrom(b().CreateLoad(b().getInt64Ty(), at), {0, INT64_MAX}));
        }
        value.view = std::move(strided);
      }
      return value;
    }
    case TypeKind::Tuple: {
      if (unit_.isPlain(id)) return f_.load({address, id, f_.alignOf(id)});
      Value value;
      value.type = id;
      for (unsigned i = 0; i < type.items.size(); ++i)
        value.items.push_back(readStorage(b().CreateStructGEP(form, address, i), type.items[i]));
      return value;
    }
    case TypeKind::String: {
      Value value;
      value.type = id;
      value.scalar = b().CreateLoad(form, address);
      return value;
    }
    case TypeKind::Vector:
    case TypeKind::Array: {
      Place place;
      place.address = address;
      place.type = id;
      place.align = f_.alignOf(id);
      return f_.load(place);
    }
    case TypeKind::Scalar: return f_.fromMemory(id, b().CreateLoad(form, address));
    case TypeKind::Unit:
    case TypeKind::Error:
    case TypeKind::UntypedInt:
    case TypeKind::UntypedFloat: break;
  }
  Value nothing;
  nothing.type = id;
  return nothing;
}

void ScriptLowering::writeStorage(llvm::Value* address, const Value& value) {
  llvm::Type* form = unit_.storageType(value.type);
  if (value.view) {
    b().CreateStore(value.view->base, b().CreateStructGEP(form, address, 0));
    b().CreateStore(value.view->offset, b().CreateStructGEP(form, address, 1));
    for (unsigned axis = 0; axis < value.view->rank(); ++axis)
      b().CreateStore(f_.wide(value.view->extents[axis]),
                      b().CreateInBoundsGEP(form, address, {b().getInt64(0), b().getInt32(2), b().getInt64(axis)}));
    for (unsigned axis = 0; axis < value.view->strides.size(); ++axis)
      b().CreateStore(f_.wide(value.view->strides[axis]),
                      b().CreateInBoundsGEP(form, address, {b().getInt64(0), b().getInt32(3), b().getInt64(axis)}));
    return;
  }
  if (const TypeKind kind = program_.types->get(value.type).kind;
      kind == TypeKind::Vector || kind == TypeKind::Array || (kind == TypeKind::Tuple && unit_.isPlain(value.type)))
    return f_.store({address, value.type, f_.alignOf(value.type)}, value);
  if (!value.items.empty()) {
    for (unsigned i = 0; i < value.items.size(); ++i)
      writeStorage(b().CreateStructGEP(form, address, i), value.items[i]);
    return;
  }
  if (!value.scalar) return;
  b().CreateStore(unit_.isScalar(value.type) ? f_.toMemory(value) : value.scalar, address);
}

void ScriptLowering::retain(const Value& value) {
  for (const Value& item : value.items) retain(item);
  if (value.view) call("rad_retain", {value.view->base});
}

void ScriptLowering::releaseStorage(llvm::Value* address, TypeId id) {
  if (!unit_.holdsArrays(id)) return;
  const Type& type = program_.types->get(id);
  llvm::Type* form = unit_.storageType(id);
  if (type.kind == TypeKind::View) {
    llvm::Value* cell = b().CreateStructGEP(form, address, 0);
    llvm::Value* array = b().CreateLoad(b().getPtrTy(), cell);
    b().CreateStore(llvm::ConstantPointerNull::get(b().getPtrTy()), cell);
    call("rad_release", {array});
    return;
  }
  for (unsigned i = 0; i < type.items.size(); ++i) releaseStorage(b().CreateStructGEP(form, address, i), type.items[i]);
}

void ScriptLowering::assignStorage(llvm::Value* address, const Value& value) {
  if (!unit_.holdsArrays(value.type)) return writeStorage(address, value);
  retain(value);
  Value old = readStorage(address, value.type);
  writeStorage(address, value);
  auto release = [&](auto&& self, const Value& of) -> void {
    for (const Value& item : of.items) self(self, item);
    if (of.view) call("rad_release", {of.view->base});
  };
  release(release, old);
}

llvm::AllocaInst* ScriptLowering::newCleared(llvm::Type* type, const llvm::Twine& name) {
  llvm::AllocaInst* cell = f_.newAlloca(type, name);
  llvm::IRBuilder<> atEntryEnd(f_.function().getEntryBlock().getTerminator());
  // A store of a whole array becomes one of each element, and takes LLVM quadratic time.
  if (type->isAggregateType())
    atEntryEnd.CreateMemSet(cell, atEntryEnd.getInt8(0), unit_.module().getDataLayout().getTypeAllocSize(type),
                            cell->getAlign());
  else atEntryEnd.CreateStore(llvm::Constant::getNullValue(type), cell);
  return cell;
}

llvm::Value* ScriptLowering::newTemporary(const char* name) {
  llvm::AllocaInst* cell = newCleared(b().getPtrTy(), name);
  temporaries_.push_back({cell, program_.types->unit()});
  releaseCell(temporaries_.back());
  return cell;
}

void ScriptLowering::releaseCell(const Cell& cell) {
  if (cell.type != program_.types->unit()) return releaseStorage(cell.address, cell.type);
  llvm::Value* array = b().CreateLoad(b().getPtrTy(), cell.address);
  b().CreateStore(llvm::ConstantPointerNull::get(b().getPtrTy()), cell.address);
  call("rad_release", {array});
}

void ScriptLowering::releaseTemporaries(size_t from) {
  for (size_t i = from; i < temporaries_.size(); ++i) releaseCell(temporaries_[i]);
}

void ScriptLowering::pin(const Value& value) {
  for (const Value& item : value.items) pin(item);
  if (!value.view) return;
  llvm::Value* cell = newTemporary("pinned");
  call("rad_retain", {value.view->base});
  b().CreateStore(value.view->base, cell);
}

llvm::Value* ScriptLowering::localStorage(LocalId local) {
  auto& address = locals_[local.value];
  if (address) return address;
  const Local& known = f_.local(local);
  address = newCleared(unit_.storageType(known.type), known.name);
  if (unit_.holdsArrays(known.type)) variables_.push_back({address, known.type});
  return address;
}

// ---- what the runtime gets ----

llvm::Value* ScriptLowering::passScalar(const Value& value) {
  llvm::AllocaInst* memory = f_.newAlloca(f_.memoryType(value.type), "scalar");
  f_.store({memory, value.type, memory->getAlign()}, value);
  return memory;
}

llvm::Value* ScriptLowering::passView(const Value& value) {
  llvm::AllocaInst* memory = f_.newAlloca(unit_.radView, "view");
  auto at = [&](unsigned field) { return b().CreateStructGEP(unit_.radView, memory, field); };
  b().CreateStore(value.view->base, at(0));
  b().CreateStore(value.view->offset, at(1));
  for (unsigned axis = 0; axis < 4; ++axis) {
    llvm::Value* extent = axis < value.view->rank() ? f_.wide(value.view->extents[axis]) : b().getInt64(1);
    b().CreateStore(
        extent, b().CreateInBoundsGEP(unit_.radView, memory, {b().getInt64(0), b().getInt32(2), b().getInt64(axis)}));
  }
  b().CreateStore(b().getInt32(value.view->rank()), at(3));
  b().CreateStore(elementTypeOf(value.view->element), at(4));
  for (unsigned axis = 0; axis < 4; ++axis) {
    llvm::Value* stride = axis < value.view->strides.size() ? f_.wide(value.view->strides[axis]) : b().getInt64(0);
    b().CreateStore(
        stride, b().CreateInBoundsGEP(unit_.radView, memory, {b().getInt64(0), b().getInt32(5), b().getInt64(axis)}));
  }
  return memory;
}

llvm::Value* ScriptLowering::passString(const Value& value) {
  llvm::AllocaInst* memory = f_.newAlloca(unit_.radString, "text");
  b().CreateStore(value.scalar, memory);
  return memory;
}

llvm::Value* ScriptLowering::passArray(llvm::ArrayRef<llvm::Value*> items, llvm::Type* type, const char* name) {
  auto* array = llvm::ArrayType::get(type, std::max<size_t>(items.size(), 1));
  llvm::AllocaInst* memory = f_.newAlloca(array, name);
  for (size_t i = 0; i < items.size(); ++i)
    b().CreateStore(items[i], b().CreateConstInBoundsGEP2_64(array, memory, 0, i));
  return memory;
}

}  // namespace rad::cg

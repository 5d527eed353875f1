// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Views: elements, slices, extents. Every index is checked unless sema proved it or the program said `unchecked`.
#include "codegen/lower/function_lowering.h"

#include <llvm/IR/Module.h>

#include <algorithm>
#include <cassert>

namespace rad::cg {

Value FunctionLowering::lower(const TExpr& expr, const ViewElement& node) {
  (void)expr;
  Value view = eval(node.view);
  llvm::SmallVector<Value, 4> indices;
  for (TExprId index : node.indices) indices.push_back(eval(index));
  setPlace(expr.range);
  return load(elementPlace(*view.view, indices, node.checks, node.sites));
}

Value FunctionLowering::lower(const TExpr&, const ViewExtent& node) { return eval(node.view).view->extents[node.dim]; }

Value FunctionLowering::lower(const TExpr& expr, const ViewFlat& node) {
  Value whole = eval(node.view);
  auto view = std::make_shared<ViewValue>(*whole.view);
  view->extents = {elementCount(*whole.view)};
  Value result;
  result.type = expr.type;
  result.view = std::move(view);
  return result;
}

Value FunctionLowering::elementCount(const ViewValue& view) {
  Value count = view.extents[0];
  for (unsigned axis = 1; axis < view.rank(); ++axis) {
    Value next = view.extents[axis];
    if (view.small && options_.narrowIndices) {  // the product is known to fit, whatever the intervals say
      llvm::Value* a = builder_.CreateTrunc(wide(count), builder_.getInt32Ty());
      llvm::Value* b = builder_.CreateTrunc(wide(next), builder_.getInt32Ty());
      count = scalar(program_.types->index(), builder_.CreateMul(a, b, "", true, true), {0, (int64_t(1) << 30) - 1});
    } else {
      count = scalar(program_.types->index(), builder_.CreateMul(wide(count), wide(next), "", true, true),
                     {0, std::numeric_limits<int64_t>::max()});
    }
  }
  return count;
}

/// The index with its check made: what is known of it afterwards is that it lies below the extent.
Value FunctionLowering::checkedIndex(const ViewValue& view, unsigned axis, const Value& index, Check check,
                                     SiteId site) {
  const Value& extent = view.extents[axis];
  const bool isChecked = check == Check::Checked || (check == Check::AtLaunch && !options_.inRange);
  if (isChecked && !options_.unchecked) {
    bool inside =
        index.range.low >= 0 && index.range.high < extent.range.low;  // constant extents: a tile in shared memory
    if (!inside) {
      llvm::Value* i = index.scalar;
      llvm::Value* n = extent.scalar;
      if (i->getType() != n->getType()) {
        i = wide(index);
        n = wide(extent);
      }
      // One unsigned comparison: a negative index is a large number.
      this->check(builder_.CreateICmpULT(i, n), site, &index, &extent);
    }
  }
  Value safe = index;
  safe.range.low = std::max<int64_t>(index.range.low, 0);
  safe.range.high = std::min(index.range.high, extent.range.high > 0 ? extent.range.high - 1 : 0);
  if (safe.range.high < safe.range.low) safe.range.high = safe.range.low;  // never reached
  return safe;
}

llvm::Value* FunctionLowering::linearOffset(const ViewValue& view, llvm::ArrayRef<Value> indices) {
  // Indices and extents are known to be in range here, and the number of elements fits: no step can overflow.
  bool narrow = options_.narrowIndices && view.small;
  llvm::Type* type = narrow ? builder_.getInt32Ty() : builder_.getInt64Ty();
  auto form = [&](const Value& value) -> llvm::Value* {
    if (!narrow) return wide(value);
    if (value.scalar->getType() == type) return value.scalar;
    return builder_.CreateTrunc(value.scalar, type, "", /*IsNUW=*/true, /*IsNSW=*/true);
  };
  llvm::Value* offset = nullptr;
  for (unsigned axis = 0; axis < view.rank(); ++axis) {
    if (offset && view.strides.empty()) offset = builder_.CreateMul(offset, form(view.extents[axis]), "", true, true);
    if (axis >= indices.size()) {
      if (!offset) return llvm::ConstantInt::get(type, 0);
      continue;
    }
    llvm::Value* index = form(indices[axis]);
    if (!view.strides.empty()) index = builder_.CreateMul(index, form(view.strides[axis]), "", true, true);
    offset = offset ? builder_.CreateAdd(offset, index, "", true, true) : index;
  }
  return offset;
}

/// The distance of neighbours along each axis, in elements, of a row-major view too.
llvm::SmallVector<Value, 4> FunctionLowering::stridesOf(const ViewValue& view) {
  if (!view.strides.empty()) return view.strides;
  llvm::SmallVector<Value, 4> strides(view.rank(), constantIndex(1));
  for (unsigned axis = view.rank() - 1; axis-- > 0;) {
    ViewValue inner;
    inner.extents.assign(view.extents.begin() + axis + 1, view.extents.end());
    inner.small = view.small;
    strides[axis] = elementCount(inner);
  }
  return strides;
}

Place FunctionLowering::elementPlace(const ViewValue& view, std::span<const Value> indices,
                                     std::span<const Check> checks, std::span<const SiteId> sites) {
  assert(indices.size() == view.rank() && "one index a dimension");
  llvm::SmallVector<Value, 4> safe;
  for (unsigned axis = 0; axis < indices.size(); ++axis)
    safe.push_back(checkedIndex(view, axis, indices[axis], axis < checks.size() ? checks[axis] : Check::Proven,
                                axis < sites.size() ? sites[axis] : SiteId{}));
  llvm::Value* offset = linearOffset(view, safe);
  assert(!view.offset && "elements of script views are read by the target");
  if (offset->getType()->isIntegerTy(32))
    offset = builder_.CreateZExt(offset, builder_.getInt64Ty(), "", /*IsNonNeg=*/true);
  llvm::Type* element = memoryType(view.element);
  Place place;
  place.address = builder_.CreateGEP(element, view.base, offset, "",
                                     llvm::GEPNoWrapFlags::inBounds() | llvm::GEPNoWrapFlags::noUnsignedWrap());
  place.type = view.element;
  place.align = alignOf(view.element);
  place.isElement = true;
  place.readOnly = view.readOnly;
  return place;
}

void FunctionLowering::advance(ViewValue& view, llvm::Value* offset) {
  if (auto* constant = llvm::dyn_cast<llvm::ConstantInt>(offset); constant && constant->isZero()) return;
  if (offset->getType()->isIntegerTy(32))
    offset = builder_.CreateZExt(offset, builder_.getInt64Ty(), "", /*IsNonNeg=*/true);
  if (view.offset) {
    view.offset = builder_.CreateAdd(view.offset, offset, "", true, true);
    return;
  }
  llvm::Type* element = memoryType(view.element);
  view.base = builder_.CreateGEP(element, view.base, offset, "",
                                 llvm::GEPNoWrapFlags::inBounds() | llvm::GEPNoWrapFlags::noUnsignedWrap());
  view.align = std::min(view.align, alignOf(view.element));
}

Value FunctionLowering::lower(const TExpr& expr, const ViewSlice& node) {
  Value whole = eval(node.view);
  const ViewValue& from = *whole.view;
  auto view = std::make_shared<ViewValue>(from);
  view->extents.clear();
  view->strides.clear();
  llvm::SmallVector<Value, 4> strides;
  const bool strided = program_.types->get(expr.type).strided;
  if (strided) strides = stridesOf(from);
  llvm::SmallVector<Value, 4> starts;  // of all axes up to the last one that does not begin at 0
  auto startAt = [&](unsigned axis, const Value& index) {
    while (starts.size() < axis) starts.push_back(constantIndex(0));
    starts.push_back(index);
  };
  auto keep = [&](unsigned axis, const Value& extent) {
    view->extents.push_back(extent);
    if (strided) view->strides.push_back(strides[axis]);
  };
  for (unsigned axis = 0; axis < from.rank(); ++axis) {
    const Value& extent = from.extents[axis];
    if (axis >= node.dims.size()) {
      keep(axis, extent);
      continue;
    }
    const SliceDim& dim = node.dims[axis];
    if (dim.isIndex) {
      startAt(axis, checkedIndex(from, axis, eval(dim.low), dim.check, dim.site));
      continue;
    }
    if (!dim.low && !dim.high && !dim.step) {
      keep(axis, extent);
      continue;
    }
    // 0 <= low <= high <= extent, as unsigned comparisons.
    Value low = dim.low ? eval(dim.low) : constantIndex(0);
    Value high = dim.high ? eval(dim.high) : extent;
    Value step = dim.step ? eval(dim.step) : constantIndex(1);
    if (dim.check == Check::Checked && !options_.unchecked) {
      if (dim.high) check(builder_.CreateICmpULE(wide(high), wide(extent)), dim.site, &high, &extent);
      if (dim.low)
        check(builder_.CreateICmpULE(wide(low), wide(high)), dim.orderSite ? dim.orderSite : dim.site, &low, &high);
    }
    if (dim.stepSite) {
      check(builder_.CreateICmpSGT(wide(step), builder_.getInt64(0)), dim.stepSite, &step);
      step.range.low = std::max<int64_t>(step.range.low, 1);
    }
    auto inside = [&](Value& bound) {
      bound.range = {std::max<int64_t>(bound.range.low, 0),
                     std::max<int64_t>(std::min(bound.range.high, extent.range.high), 0)};
    };
    inside(low);
    inside(high);
    Value length = arithmetic(BinaryOp::Sub, high, low, {});
    length.range.low = std::max<int64_t>(length.range.low, 0);
    if (dim.step) {
      // Rounded up; no sum that could overflow: (length - 1) / step + 1, and nothing of nothing.
      llvm::Value* count = wide(length);
      llvm::Value* one = builder_.getInt64(1);
      llvm::Value* rounded = builder_.CreateAdd(builder_.CreateUDiv(builder_.CreateSub(count, one), wide(step)), one);
      llvm::Value* empty = builder_.CreateICmpEQ(count, builder_.getInt64(0));
      length = indexFrom(builder_.CreateSelect(empty, builder_.getInt64(0), rounded), {0, length.range.high});
      // With one element at most any distance will do: a step beyond the end could overflow.
      llvm::Value* distance = builder_.CreateMul(wide(strides[axis]), wide(step));
      llvm::Value* alone = builder_.CreateICmpULE(wide(length), one);
      strides[axis] = scalar(program_.types->index(), builder_.CreateSelect(alone, builder_.getInt64(0), distance),
                             {0, view->small ? (int64_t(1) << 30) - 1 : std::numeric_limits<int64_t>::max()});
    }
    if (options_.narrowIndices && view->small && !length.scalar->getType()->isIntegerTy(32))
      length = indexFrom(length.scalar, {0, (int64_t(1) << 30) - 1});
    keep(axis, length);
    startAt(axis, low);
  }
  if (!starts.empty()) advance(*view, linearOffset(from, starts));
  Value result;
  result.type = expr.type;
  result.view = std::move(view);
  return result;
}

// ---- places ----

Place FunctionLowering::evalPlace(TExprId id) {
  const TExpr& expr = program_.expr(id);
  if (const auto* element = std::get_if<ViewElement>(&expr.node)) {
    Value view = eval(element->view);
    llvm::SmallVector<Value, 4> indices;
    for (TExprId index : element->indices) indices.push_back(eval(index));
    setPlace(expr.range);
    return elementPlace(*view.view, indices, element->checks, element->sites);
  }
  if (const auto* element = std::get_if<ElementOf>(&expr.node)) {
    Place whole = evalPlace(element->value);
    Value index = checkedElement(program_.expr(element->value).type, *element);
    setPlace(expr.range);
    return elementOf(whole, index);
  }
  if (const auto* slice = std::get_if<ElementSlice>(&expr.node))
    return sliceOf(evalPlace(slice->value), *slice, expr.type);
  if (const auto* swizzle = std::get_if<Swizzle>(&expr.node)) {
    Place some = evalPlace(swizzle->vector);
    some.type = expr.type;
    some.lanes.assign(swizzle->lanes.begin(), swizzle->lanes.end());
    return some;
  }
  if (const auto* item = std::get_if<TupleItem>(&expr.node)) return memberOf(evalPlace(item->tuple), item->position);
  Place place;
  if (target_.placeOf(*this, id, place)) return place;
  const auto& ref = std::get<LocalRef>(expr.node);
  place.type = expr.type;
  if (!inInlinedCall()) {
    if (llvm::Value* address = target_.storageOf(*this, ref.local)) {
      place.address = address;
      place.align = alignOf(expr.type);
      return place;
    }
  }
  LocalSlot& at = slot(ref.local);
  if (at.form != LocalSlot::Form::Address) {
    // A variable that was declared without a value.
    llvm::AllocaInst* memory = newAlloca(memoryType(expr.type), local(ref.local).name);
    if (at.form == LocalSlot::Form::Value) store({memory, expr.type, memory->getAlign()}, at.value);
    bindAddress(ref.local, memory, memory->getAlign());
  }
  place.address = at.address;
  place.align = at.align;
  place.isElement = at.isElement;
  return place;
}

Value FunctionLowering::load(const Place& place) {
  const TypeKind kind = program_.types->get(place.type).kind;
  if (kind == TypeKind::Vector || kind == TypeKind::Array) return loadElements(place);
  if (kind == TypeKind::Tuple) return loadMembers(place);
  llvm::LoadInst* loaded = builder_.CreateAlignedLoad(memoryType(place.type), place.address, place.align);
  if (place.readOnly) loaded->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(context(), {}));
  if (place.isElement) target_.annotateAccess(*this, loaded);
  return fromMemory(place.type, loaded);
}

void FunctionLowering::store(const Place& place, const Value& value) {
  const TypeKind kind = program_.types->get(place.type).kind;
  if (kind == TypeKind::Vector || kind == TypeKind::Array) return storeElements(place, value);
  if (kind == TypeKind::Tuple) return storeMembers(place, value);
  llvm::StoreInst* stored = builder_.CreateAlignedStore(toMemory(value), place.address, place.align);
  if (place.isElement) target_.annotateAccess(*this, stored);
}

}  // namespace rad::cg

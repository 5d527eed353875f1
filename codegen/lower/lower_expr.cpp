// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Expressions that are neither arithmetic, conversions, views nor calls.
#include "codegen/lower/small_floats.h"
#include "frontend/types/float_format.h"

#include <llvm/IR/Module.h>
#include <llvm/Support/ErrorHandling.h>

#include <algorithm>
#include <cassert>

namespace rad::cg {

template <class Node>
Value FunctionLowering::lower(const TExpr&, const Node&) {
  llvm::report_fatal_error("Raddle internal error: host-only expression in device code; please report this program");
}

Value FunctionLowering::eval(TExprId id) {
  assert(id && "an expression is missing");
  Value result;
  if (target_.lowerExpr(*this, id, result)) return result;
  const TExpr& expr = program_.expr(id);
  return std::visit([&](const auto& node) { return lower(expr, node); }, expr.node);
}

llvm::Value* FunctionLowering::evalScalar(TExprId id) {
  Value value = eval(id);
  return isIndex(value.type) ? wide(value) : value.scalar;
}

Value FunctionLowering::lower(const TExpr& expr, const TargetFact& node) {
  const unsigned sm = options_.capability;
  if (node.property == TargetProperty::Sm) return scalar(expr.type, builder_.getInt32(sm), Interval::exactly(sm));
  return constantBool((node.property == TargetProperty::Cuda) == (sm != 0));
}

Value FunctionLowering::lower(const TExpr& expr, const ConstInt& node) {
  if (isIndex(expr.type)) return constantIndex(static_cast<int64_t>(node.bits));
  auto* type = llvm::cast<llvm::IntegerType>(registerType(expr.type));
  return scalar(expr.type, llvm::ConstantInt::get(type, node.bits & type->getBitMask()));
}

Value FunctionLowering::lower(const TExpr& expr, const ConstFloat& node) {
  llvm::Type* type = registerType(expr.type);
  Scalar kind = scalarOf(expr.type);
  if (isSmallFloat(kind)) return scalar(expr.type, llvm::ConstantInt::get(type, bitsOfFloat(kind, node.value)));
  return scalar(expr.type, llvm::ConstantFP::get(type, node.value));
}

Value FunctionLowering::lower(const TExpr& expr, const LocalRef& node) {
  if (options_.places) setPlace(expr.range);  // it may be shared memory, or a `mut` parameter that is an element
  return readLocal(node.local);
}

Value FunctionLowering::lower(const TExpr& expr, const LogicNot& node) {
  Value operand = eval(node.operand);
  auto flip = [&](const Value& value) { return scalar(value.type, builder_.CreateNot(value.scalar)); };
  if (operand.items.empty()) return flip(operand);
  return elementwise(expr.type, {&operand, 1}, [&](auto lane) { return flip(lane[0]); });
}

Value FunctionLowering::lower(const TExpr& expr, const Logic& node) {
  llvm::Value* left = evalCondition(node.left);
  if (const auto* known = llvm::dyn_cast<llvm::ConstantInt>(left))
    return known->isOne() == node.isAnd ? eval(node.right) : constantBool(!node.isAnd);
  llvm::BasicBlock* from = builder_.GetInsertBlock();
  llvm::BasicBlock* more = newBlock(node.isAnd ? "and" : "or");
  llvm::BasicBlock* done = newBlock("logic");
  builder_.CreateCondBr(left, node.isAnd ? more : done, node.isAnd ? done : more);
  placeAt(more);
  llvm::Value* right = evalCondition(node.right);
  llvm::BasicBlock* last = builder_.GetInsertBlock();
  branchTo(done);
  done->moveAfter(last);
  placeAt(done);
  llvm::PHINode* result = builder_.CreatePHI(builder_.getInt1Ty(), 2);
  result->addIncoming(builder_.getInt1(!node.isAnd), from);
  result->addIncoming(right, last);
  return scalar(expr.type, result);
}

Value FunctionLowering::merge(TypeId type, llvm::ArrayRef<std::pair<Value, llvm::BasicBlock*>> incoming) {
  // The builder stands in the block that all come to, before any instruction but phis.
  auto phi = [&](auto&& part) {
    llvm::PHINode* made = nullptr;
    for (const auto& [value, block] : incoming) {
      llvm::Value* one = part(value);
      if (!made) made = builder_.CreatePHI(one->getType(), incoming.size());
      made->addIncoming(one, block);
    }
    return made;
  };
  Value result;
  result.type = type;
  switch (program_.types->get(type).kind) {
    case TypeKind::Unit: return result;
    case TypeKind::Array:  // in the same memory, see shareMemory
      result.memory = incoming.front().first.memory;
      return result;
    case TypeKind::Vector:
    case TypeKind::Tuple: {
      size_t count = incoming.front().first.items.size();
      for (size_t i = 0; i < count; ++i) {
        llvm::SmallVector<std::pair<Value, llvm::BasicBlock*>, 2> items;
        for (const auto& [value, block] : incoming) items.push_back({value.items[i], block});
        result.items.push_back(merge(items.front().first.type, items));
      }
      return result;
    }
    case TypeKind::View: {
      auto view = std::make_shared<ViewValue>(*incoming.front().first.view);
      view->base = phi([](const Value& v) { return v.view->base; });
      if (view->offset) view->offset = phi([](const Value& v) { return v.view->offset; });
      for (const auto& [value, block] : incoming) {
        view->align = std::min(view->align, value.view->align);
        view->readOnly &= value.view->readOnly;
        view->small &= value.view->small;
      }
      for (unsigned axis = 0; axis < view->rank(); ++axis) {
        llvm::SmallVector<std::pair<Value, llvm::BasicBlock*>, 2> extents;
        for (const auto& [value, block] : incoming) extents.push_back({value.view->extents[axis], block});
        view->extents[axis] = merge(program_.types->index(), extents);
      }
      for (unsigned axis = 0; axis < view->strides.size(); ++axis) {
        llvm::SmallVector<std::pair<Value, llvm::BasicBlock*>, 2> strides;
        for (const auto& [value, block] : incoming) strides.push_back({value.view->strides[axis], block});
        view->strides[axis] = merge(program_.types->index(), strides);
      }
      result.view = std::move(view);
      return result;
    }
    case TypeKind::Scalar:
    case TypeKind::String:
      result.scalar = phi([](const Value& v) { return v.scalar; });
      result.range = incoming.front().first.range;
      for (const auto& [value, block] : incoming) {
        result.range.low = std::min(result.range.low, value.range.low);
        result.range.high = std::max(result.range.high, value.range.high);
      }
      return result;
    case TypeKind::Error:
    case TypeKind::UntypedInt:
    case TypeKind::UntypedFloat: break;
  }
  llvm_unreachable("a type that has no values here");
}

namespace {
/// Brings a value to the form that all values of its type have: index as i64, views by generic address.
void normalise(FunctionLowering& f, Value& value) {
  for (Value& item : value.items) normalise(f, item);
  if (value.scalar && f.isIndex(value.type)) value.scalar = f.wide(value);
  if (value.view) {
    auto view = std::make_shared<ViewValue>(*value.view);
    if (!view->offset && view->base->getType()->getPointerAddressSpace() != 0)
      view->base = f.builder().CreateAddrSpaceCast(view->base, f.builder().getPtrTy());
    for (Value& extent : view->extents) normalise(f, extent);
    for (Value& stride : view->strides) normalise(f, stride);
    value.view = std::move(view);
  }
}
bool sameForm(const Value& a, const Value& b) {
  if ((a.scalar != nullptr) != (b.scalar != nullptr) || a.items.size() != b.items.size()) return false;
  if (a.scalar && a.scalar->getType() != b.scalar->getType()) return false;
  for (size_t i = 0; i < a.items.size(); ++i)
    if (!sameForm(a.items[i], b.items[i])) return false;
  if (a.view) {
    if (a.view->base->getType() != b.view->base->getType()) return false;
    for (unsigned i = 0; i < a.view->rank(); ++i)
      if (!sameForm(a.view->extents[i], b.view->extents[i])) return false;
    for (unsigned i = 0; i < a.view->strides.size(); ++i)
      if (!sameForm(a.view->strides[i], b.view->strides[i])) return false;
  }
  return true;
}
/// A stand-in for a value that is never computed.
Value absent(FunctionLowering& f, TypeId type) {
  const Type& kind = f.program().types->get(type);
  Value value;
  value.type = type;
  if (kind.kind == TypeKind::Scalar) value.scalar = llvm::PoisonValue::get(f.registerType(type));
  if (kind.kind == TypeKind::Tuple)
    for (TypeId item : kind.items) value.items.push_back(absent(f, item));
  if (kind.kind == TypeKind::View || kind.kind == TypeKind::Vector || kind.kind == TypeKind::Array)
    return f.fromMemory(type, llvm::PoisonValue::get(f.memoryType(type)));
  return value;
}
}  // namespace

Value FunctionLowering::join(TypeId type, llvm::SmallVectorImpl<std::pair<Value, llvm::BasicBlock*>>& incoming,
                             llvm::BasicBlock* block) {
  shareMemory(incoming);
  bool same = true;
  for (const auto& [value, from] : incoming) same &= sameForm(incoming.front().first, value);
  for (auto& [value, from] : incoming) {
    placeAt(from);
    if (!same) normalise(*this, value);
    builder_.CreateBr(block);
  }
  placeAt(block);
  if (incoming.empty()) {  // nothing arrives here; what follows is dropped by the optimiser
    Value value = absent(*this, type);
    builder_.CreateUnreachable();
    placeAt(newBlock("unreached"));
    return value;
  }
  if (incoming.size() == 1) return incoming.front().first;
  return merge(type, incoming);
}

Value FunctionLowering::lower(const TExpr& expr, const Select& node) {
  Value condition = eval(node.condition);
  Value yes = eval(node.whenTrue);
  Value no = eval(node.whenFalse);
  if (program_.types->get(expr.type).kind == TypeKind::Vector) {
    Value result;
    result.type = expr.type;
    for (size_t i = 0; i < yes.items.size(); ++i)
      result.items.push_back(
          choose(condition.items.empty() ? condition : condition.items[i], yes.items[i], no.items[i]));
    return result;
  }
  if (yes.scalar) return choose(condition, yes, no);
  // Tuples, arrays and views: through control flow.
  llvm::SmallVector<std::pair<Value, llvm::BasicBlock*>, 2> incoming;
  llvm::BasicBlock* then = newBlock("select.then");
  llvm::BasicBlock* otherwise = newBlock("select.else");
  builder_.CreateCondBr(condition.scalar, then, otherwise);
  incoming.push_back({yes, then});
  incoming.push_back({no, otherwise});
  return join(expr.type, incoming, newBlock("selected"));
}

/// One of two scalars of a type.
Value FunctionLowering::choose(const Value& condition, Value yes, Value no) {
  if (isIndex(yes.type) && yes.scalar->getType() != no.scalar->getType()) {  // one may be narrow
    yes.scalar = wide(yes);
    no.scalar = wide(no);
  }
  return scalar(yes.type, builder_.CreateSelect(condition.scalar, yes.scalar, no.scalar),
                {std::min(yes.range.low, no.range.low), std::max(yes.range.high, no.range.high)});
}

Value FunctionLowering::lower(const TExpr& expr, const BlockValue& node) {
  run(node.statements);
  if (!node.value) return Value{expr.type};
  if (terminated()) placeAt(newBlock("unreached"));  // the value is never asked for
  return eval(node.value);
}

Value FunctionLowering::lower(const TExpr& expr, const IfValue& node) {
  llvm::Value* condition = evalCondition(node.condition);
  if (auto* known = llvm::dyn_cast<llvm::ConstantInt>(condition)) {
    if (known->isOne()) return eval(node.whenTrue);
    return node.whenFalse ? eval(node.whenFalse) : Value{expr.type};
  }
  llvm::BasicBlock* then = newBlock("then");
  llvm::BasicBlock* otherwise = newBlock("else");
  llvm::BasicBlock* done = newBlock("endif");
  builder_.CreateCondBr(condition, then, otherwise);

  placeAt(then);
  Value yes = eval(node.whenTrue);
  llvm::BasicBlock* thenEnd = builder_.GetInsertBlock();
  bool thenLeaves = terminated();
  otherwise->moveAfter(thenEnd);
  placeAt(otherwise);
  Value no = node.whenFalse ? eval(node.whenFalse) : Value{expr.type};
  llvm::BasicBlock* elseEnd = builder_.GetInsertBlock();
  bool elseLeaves = terminated();
  done->moveAfter(elseEnd);

  llvm::SmallVector<std::pair<Value, llvm::BasicBlock*>, 2> incoming;
  if (!thenLeaves) incoming.push_back({yes, thenEnd});
  if (!elseLeaves) incoming.push_back({no, elseEnd});
  return join(expr.type, incoming, done);
}

Value FunctionLowering::lower(const TExpr& expr, const MakeTuple& node) {
  Value result;
  result.type = expr.type;
  for (TExprId item : node.items) result.items.push_back(eval(item));
  return result;
}

Value FunctionLowering::lower(const TExpr&, const TupleItem& node) {
  // Of what lies in memory only the member is read.
  if (const std::optional<Place> whole = placeInMemory(node.tuple)) return load(memberOf(*whole, node.position));
  return eval(node.tuple).items[node.position];
}

}  // namespace rad::cg

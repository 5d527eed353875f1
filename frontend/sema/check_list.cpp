// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lists of values, [a, b] and [a; n]: which type their items have.
#include "frontend/ast/children.h"
#include "frontend/sema/checker.h"

#include <algorithm>

namespace rad::sema {
namespace {

bool hasOnlyNumbers(const Ast& ast, ExprId id) {
  const auto& node = ast.expr(id).node;
  if (const auto* integer = std::get_if<IntExpr>(&node)) return integer->suffix.empty();
  if (const auto* real = std::get_if<FloatExpr>(&node)) return real->suffix.empty();
  if (const auto* repeat = std::get_if<RepeatExpr>(&node)) return hasOnlyNumbers(ast, repeat->value);
  bool all = std::holds_alternative<ParenExpr>(node) || std::holds_alternative<UnaryExpr>(node) ||
             std::holds_alternative<BinaryExpr>(node) || std::holds_alternative<TupleExpr>(node) ||
             std::holds_alternative<ArrayLitExpr>(node);
  if (all)
    std::visit(
        [&](const auto& parts) {
          forEachChild(parts, [&](auto child) {
            if constexpr (std::is_same_v<decltype(child), ExprId>) all = all && hasOnlyNumbers(ast, child);
          });
        },
        node);
  return all;
}

}  // namespace

/// Whether an expression is made of numbers without a suffix alone: it takes any type that its context needs, and may
/// be looked at again. So it is with the name of a constant that is a list of such.
bool Checker::isOfNumbers(ExprId id) {
  const auto* name = std::get_if<NameExpr>(&expr(id).node);
  if (!name) return hasOnlyNumbers(*ast_, id);
  if (findBinding(name->name)) return false;
  const Entity* const entity = findEntity(name->name, ctx_->home);
  return entity && isListOfNumbers(*entity);
}

/// How many dimensions an array has, or an array value as one: rows are two.
unsigned Checker::rankOf(TypeId array) const {
  const Type& type = typeOf(array);
  if (type.kind == TypeKind::View) return type.rank;
  return type.kind == TypeKind::Array && typeOf(type.element).kind == TypeKind::Array ? 2 : 1;
}

/// Whether a list, or the name of a constant one, has lists as its items.
bool Checker::hasRows(ExprId written) {
  const auto& node = expr(written).node;
  if (const auto* paren = std::get_if<ParenExpr>(&node)) return hasRows(paren->inner);
  if (const auto* name = std::get_if<NameExpr>(&node)) {
    const Entity* const entity = findEntity(name->name, ctx_->home);
    return entity && rankOf(entity->type) == 2;
  }
  auto isList = [&](ExprId item) {
    return std::holds_alternative<ArrayLitExpr>(expr(item).node) || std::holds_alternative<RepeatExpr>(expr(item).node);
  };
  if (const auto* repeat = std::get_if<RepeatExpr>(&node)) return repeat->dims.size() > 1 || isList(repeat->value);
  const auto* list = std::get_if<ArrayLitExpr>(&node);
  return list && !list->items.empty() && isList(list->items[0]);
}

bool Checker::isListOfNumbers(const Entity& entity) const {
  if (entity.kind != Entity::Kind::Const || entity.state != Entity::State::Done ||
      typeOf(entity.type).kind != TypeKind::Array)
    return false;
  const auto& decl = std::get<ConstDecl>(entity.ast->decl(entity.decl).node);
  return !decl.type && hasOnlyNumbers(*entity.ast, decl.init);
}

/// The type that holds two values of numbers without a suffix: floats where one of them has floats.
TypeId Checker::typeOfBoth(TypeId a, TypeId b) {
  const Type left = typeOf(a), right = typeOf(b);
  if (left.kind == TypeKind::Array && right.kind == TypeKind::Array && left.count == right.count)
    return types().array(typeOfBoth(left.element, right.element), left.count);
  if (left.kind == TypeKind::Tuple && right.kind == TypeKind::Tuple && left.items.size() == right.items.size()) {
    std::vector<TypeId> items;
    for (size_t i = 0; i < left.items.size(); ++i) items.push_back(typeOfBoth(left.items[i], right.items[i]));
    return types().tuple(items);
  }
  return b == types().scalar(Scalar::F32) && a == types().scalar(Scalar::I32) ? b : a;
}

/// The type of array values and tuples that stand beside each other in a list: that of the first one whose parts have
/// types of their own, else what holds the numbers of all.
TypeId Checker::typeOfItems(List<ExprId> items, std::vector<std::optional<Value>>& checked) {
  auto isCompound = [&](TypeId type) {
    return typeOf(type).kind == TypeKind::Array || (typeOf(type).kind == TypeKind::Tuple && !typeOf(type).record);
  };
  TypeId common;
  for (uint32_t i = 0; i < items.size(); ++i) {
    if (isOfNumbers(items[i])) continue;  // is looked at when the type is known
    checked[i] = checkExpr(items[i], common);
    const TypeId type = checked[i]->type;
    if (!isError(type) && !isCompound(type)) return {};
    if (isError(common)) common = type;
  }
  if (!isError(common)) return common;
  for (uint32_t i = 0; i < items.size(); ++i) {
    if (checked[i]) continue;
    const Value value = checkExpr(items[i]);
    if (isError(value.type)) checked[i] = value;
    else if (!isCompound(value.type)) return {};
    else common = isError(common) ? value.type : typeOfBoth(common, value.type);
  }
  return common;
}

Value Checker::checkArrayLit(const ArrayLitExpr& node, Range range, TypeId expected) {
  if (node.items.empty()) {
    report(Diag::ElementCount, range, {"an array value of nothing"})
        .help("zeros[f32](0) makes an array without elements in the device's memory");
    return errorValue(range);
  }
  TypeId hint = typeOf(expected).kind == TypeKind::Array ? typeOf(expected).element : TypeId{}, inner = hint;
  if (isView(expected)) {  // its items are to become elements of the device
    const Type view = typeOf(expected);
    if (view.rank == 1) inner = hint = view.element;
    else inner = types().view(view.element, view.rank - 1, false);
  }
  std::vector<std::optional<Value>> checked(node.items.size());
  const bool hasCompounds = std::any_of(node.items.begin(), node.items.end(), [&](ExprId item) {
    const auto& one = expr(item).node;
    return std::holds_alternative<ArrayLitExpr>(one) || std::holds_alternative<RepeatExpr>(one) ||
           std::holds_alternative<TupleExpr>(one);
  });
  if (isError(inner) && hasCompounds) inner = typeOfItems(node.items, checked);
  std::vector<Value> values;
  TypeId element = hint;
  bool ok = true, real = false;
  for (uint32_t i = 0; i < node.items.size(); ++i) {
    Value value = checked[i] ? std::move(*checked[i]) : checkExpr(node.items[i], inner);
    if (isError(value.type)) {
      ok = false;
    } else if (typeOf(value.type).kind == TypeKind::Unit) {
      report(Diag::NoValue, value.range, {});
      ok = false;
    } else if (isUntyped(value.type)) {
      real = real || typeOf(value.type).kind == TypeKind::UntypedFloat;
    } else if (isError(hint)) {
      const auto a = scalarOf(element), b = scalarOf(value.type);
      if (isError(element)) element = value.type;
      else if (a && b && commonScalar(*a, *b)) element = types().scalar(*commonScalar(*a, *b));
    }
    values.push_back(std::move(value));
  }
  if (!ok) return errorValue(range);
  if (isError(element)) element = types().scalar(real ? Scalar::F32 : Scalar::I32);
  const TypeId type = arrayType(element, node.items.size(), range);
  if (isError(type)) return errorValue(range);
  return makeElements(type, std::move(values), range);
}

Value Checker::checkRepeat(const RepeatExpr& node, Range range, TypeId expected) {
  // [v; 2, 3] is [[v; 3]; 2].
  TypeId hint = expected;
  if (isView(expected)) hint = typeOf(expected).rank == node.dims.size() ? typeOf(expected).element : TypeId{};
  else
    for (size_t d = 0; d < node.dims.size(); ++d)
      hint = typeOf(hint).kind == TypeKind::Array ? typeOf(hint).element : TypeId{};
  Value value = checkExpr(node.value, hint);
  if (isError(value.type)) return errorValue(range);
  if (typeOf(value.type).kind == TypeKind::Unit) {
    report(Diag::NoValue, value.range, {});
    return errorValue(range);
  }
  if (!isError(hint) && fitsType(value, hint)) value = convertValue(value, hint);
  materialize(value);
  for (size_t d = node.dims.size(); d-- > 0;) {
    auto count =
        checkConstant(node.dims[static_cast<uint32_t>(d)], types().index(), "the number of elements of an array value");
    if (!count) return errorValue(range);
    const TypeId type = arrayType(value.type, count->integer, range);
    if (isError(type)) return errorValue(range);
    value = code(type, range, MakeElements{{value.expr}});
  }
  return value;
}

}  // namespace rad::sema

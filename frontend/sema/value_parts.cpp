// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values and their scalars: kernels get vectors, arrays and tuples in parts, and print shows them part by part.
#include "frontend/sema/checker.h"

#include <fmt/format.h>

#include <utility>

namespace rad::sema {

TExprId Checker::keep(TExprId value) {
  const TExpr e = program_.expr(value);
  if (std::holds_alternative<LocalRef>(e.node) || std::holds_alternative<GlobalRef>(e.node)) return value;
  const LocalId local = addLocal("", e.type, LocalKind::Let, e.range);
  emit(e.range, Declare{local, value});
  return localRef(local, e.range);
}

void Checker::partsOf(TypeId id, const std::string& name, std::vector<Part>& parts) const {
  const Type& type = typeOf(id);
  if (type.kind == TypeKind::Tuple) {
    for (size_t i = 0; i < type.items.size(); ++i)
      partsOf(type.items[i],
              type.record ? fmt::format("{}.{}", name, session_.types.record(id).members[i])
                          : fmt::format("{}.{}", name, i),
              parts);
  } else if (type.kind == TypeKind::Vector || type.kind == TypeKind::Array) {
    for (uint64_t i = 0; i < type.count; ++i)
      partsOf(type.element,
              type.kind == TypeKind::Vector && type.count <= 4 ? fmt::format("{}.{}", name, "xyzw"[i])
                                                               : fmt::format("{}[{}]", name, i),
              parts);
  } else {
    parts.push_back({name, id});
  }
}

void Checker::readParts(TExprId whole, Range range, std::vector<TExprId>& parts) {
  const Type type = typeOf(program_.expr(whole).type);
  if (type.kind == TypeKind::Tuple) {
    for (unsigned i = 0; i < type.items.size(); ++i)
      readParts(program_.addExpr(type.items[i], range, TupleItem{whole, i}), range, parts);
  } else if (type.kind == TypeKind::Vector || type.kind == TypeKind::Array) {
    for (uint64_t i = 0; i < type.count; ++i)
      readParts(
          program_.addExpr(type.element, range,
                           ElementOf{whole, constInt(types().index(), static_cast<Wide>(i), range), {}, Check::Proven}),
          range, parts);
  } else {
    parts.push_back(whole);
  }
}

TExprId Checker::ofParts(TypeId id, std::span<const TExprId>& parts, Range range) {
  const Type type = typeOf(id);
  std::vector<TExprId> items;
  if (type.kind == TypeKind::Tuple) {
    for (TypeId item : type.items) items.push_back(ofParts(item, parts, range));
    return program_.addExpr(id, range, MakeTuple{std::move(items)});
  }
  if (type.kind == TypeKind::Vector || type.kind == TypeKind::Array) {
    for (uint64_t i = 0; i < type.count; ++i) items.push_back(ofParts(type.element, parts, range));
    return program_.addExpr(id, range, MakeElements{std::move(items)});
  }
  const TExprId part = parts.front();
  parts = parts.subspan(1);
  return part;
}

/// Why a value of a type cannot be shown as `spec` says; empty if it can. Of several parts, one that can is enough.
std::string_view Checker::unfit(const FormatSpec& spec, TypeId id) const {
  const Type& type = typeOf(id);
  if (type.kind == TypeKind::View || type.kind == TypeKind::Array) return unfit(spec, type.element);
  if (type.kind == TypeKind::Tuple && !type.items.empty()) {
    std::string_view why;
    for (TypeId item : type.items) {
      const std::string_view ofItem = unfit(spec, item);
      if (ofItem.empty()) return {};
      if (why.empty()) why = ofItem;
    }
    return why;
  }
  const auto number = session_.types.isEnum(id) ? std::nullopt : numberOf(id);
  const bool isNumber = number && *number != Scalar::Bool, isReal = isNumber && isFloat(*number);
  if (spec.digits && !isReal) return "digits behind a point are for floating-point numbers";
  if (spec.kind == 'e' && !isReal) return "`e` is for floating-point numbers";
  if ((spec.kind == 'x' || spec.kind == 'b') && (!isNumber || isReal)) return "`x` and `b` are for integers";
  if (spec.zeros && !isNumber) return "leading zeros are for numbers";
  return {};
}

std::optional<std::string> Checker::printed(Value value, std::vector<TExprId>& values, const FormatSpec& spec) {
  materialize(value);
  if (const std::string_view why = unfit(spec, value.type); !why.empty()) {
    report(Diag::FormatType, value.range, {spec.text(), spellType(value.type), std::string(why)});
    return std::nullopt;
  }
  return shownAs(value, values, spec);
}

/// What stands in a format for a value, some part of which is shown as `spec` says; its scalars are added to `values`.
std::string Checker::shownAs(Value value, std::vector<TExprId>& values, const FormatSpec& spec) {
  const Type type = typeOf(value.type);
  if (type.kind != TypeKind::Tuple && type.kind != TypeKind::Vector && type.kind != TypeKind::Array) {
    if (isView(value.type)) value = withoutGaps(value);
    values.push_back(materialize(value));
    if (isView(value.type)) return spec.text();
    // What does not concern this part is left out, as the runtime does for elements of arrays.
    FormatSpec own = spec;
    const auto number = types().isEnum(value.type) ? std::nullopt : scalarOf(value.type);
    const bool isNumber = number && *number != Scalar::Bool, isReal = isNumber && isFloat(*number);
    if (!isReal) own.digits.reset();
    if (!isNumber) own.zeros = false;
    if (isReal != (own.kind == 'e')) own.kind = 0;
    return own.text();
  }
  constexpr uint64_t most = 32, edge = 4;  // as arrays of the device are shown
  const TExprId whole = keep(value.expr);
  std::string text = type.kind == TypeKind::Array ? "[" : "(";
  bool isFirst = true;
  auto item = [&](TypeId itemType, TExprId part, std::string_view name = {}) {
    if (!std::exchange(isFirst, false)) text += ", ";
    if (!name.empty()) text += fmt::format("{}: ", name);
    text += shownAs({itemType, part, {}, value.range}, values, spec);
  };
  if (type.kind == TypeKind::Tuple) {
    if (type.record) text = spellType(value.type) + "(";
    const std::vector<std::string> names = types().record(value.type).members;
    for (unsigned i = 0; i < type.items.size(); ++i)
      item(type.items[i], program_.addExpr(type.items[i], value.range, TupleItem{whole, i}),
           type.record ? names[i] : std::string());
    if (type.items.size() == 1 && !type.record) text += ",";
    return text + ")";
  }
  for (uint64_t i = 0; i < type.count; ++i) {
    if (type.count > most && i == edge) {
      text += ", ...";
      i = type.count - edge;
    }
    const TExprId index = constInt(types().index(), static_cast<Wide>(i), value.range);
    item(type.element, program_.addExpr(type.element, value.range, ElementOf{whole, index, {}, Check::Proven}));
  }
  return text + (type.kind == TypeKind::Array ? "]" : ")");
}

}  // namespace rad::sema

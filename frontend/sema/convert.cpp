// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Implicit and explicit conversions. Nothing that could lose a value happens without being asked for.
#include "frontend/sema/checker.h"
#include "frontend/types/float_format.h"

#include <fmt/format.h>

namespace rad::sema {

bool Checker::convertsLosslessly(Scalar from, Scalar to) const {
  if (from == to) return true;
  if (from == Scalar::Bool || to == Scalar::Bool) return false;
  if (isFloat(from)) {
    if (!isFloat(to)) return false;
    return bitsOf(to) > bitsOf(from);
  }
  if (isFloat(to)) {
    return bitsOf(from) - (isSignedInteger(from) ? 1 : 0) <= significantBits(to);
  }
  return smallestOf(from) >= smallestOf(to) && largestOf(from) <= largestOf(to);
}

bool Checker::isSignMix(Scalar a, Scalar b) const {
  return isInteger(a) && isInteger(b) && isSignedInteger(a) != isSignedInteger(b);
}

std::optional<Scalar> Checker::commonScalar(Scalar a, Scalar b) const {
  if (a == b) return a;
  if (isSignMix(a, b)) return std::nullopt;
  if ((a == Scalar::Index && b == Scalar::I64) || (a == Scalar::I64 && b == Scalar::Index)) return Scalar::Index;
  if (convertsLosslessly(a, b)) return b;
  if (convertsLosslessly(b, a)) return a;
  return std::nullopt;
}

TypeId Checker::defaultType(const Value& value, TypeId expected) {
  if (auto scalar = scalarOf(expected); scalar && value.constant && fits(*value.constant, *scalar)) return expected;
  if (typeOf(value.type).kind == TypeKind::UntypedFloat) return types().scalar(Scalar::F32);
  return types().scalar(Scalar::I32);
}

TExprId Checker::materialize(Value& value, TypeId expected) {
  if (value.expr) return value.expr;
  if (isUntyped(value.type)) value = convertValue(value, defaultType(value, expected));
  if (value.expr) return value.expr;
  if (!value.constant) {  // after an error, or a value of no type
    value.expr = program_.addExpr(value.type, value.range, ConstInt{});
    return value.expr;
  }
  switch (value.constant->kind) {
    case ConstValue::Kind::Bool:
    case ConstValue::Kind::Int: value.expr = constInt(value.type, value.constant->integer, value.range); break;
    case ConstValue::Kind::Float:
      value.expr = program_.addExpr(value.type, value.range, ConstFloat{value.constant->real});
      break;
    case ConstValue::Kind::String:
      value.expr = program_.addExpr(value.type, value.range, ConstString{value.constant->text});
      break;
    case ConstValue::Kind::Items: value.expr = constantCode(value.type, *value.constant, value.range).expr; break;
  }
  return value.expr;
}

TExprId Checker::convert(Value value, TypeId target, std::string_view what) {
  Value converted = convertValue(std::move(value), target, what);
  return materialize(converted, target);
}

bool Checker::fitsType(const Value& value, TypeId target) {
  if (isError(value.type) || isError(target) || value.type == target) return true;
  const Type& to = typeOf(target);
  const Type& from = typeOf(value.type);
  if (to.kind == TypeKind::View && from.kind == TypeKind::View)
    return to.element == from.element && to.rank == from.rank && (!to.writable || from.writable) &&
           (to.strided || !from.strided);
  if (to.kind != TypeKind::Scalar || to.record || from.record) return false;
  if (isUntyped(value.type)) return value.constant && fits(*value.constant, to.scalar);
  if (from.kind != TypeKind::Scalar) return false;
  return convertsLosslessly(from.scalar, to.scalar) ||
         (value.constant && isInteger(from.scalar) && isInteger(to.scalar) && fits(*value.constant, to.scalar));
}

bool Checker::noteNamesakes(Diagnostics::Builder& builder, TypeId wanted, TypeId found, const std::string& what) {
  for (TypeId* type : {&wanted, &found})
    while (isView(*type) || typeOf(*type).kind == TypeKind::Array) *type = typeOf(*type).element;
  if (wanted == found || spellType(wanted) != spellType(found) || !isDeclared(wanted) || !isDeclared(found))
    return false;
  const std::string name = spellType(wanted);
  builder.note(session_.structs.at(wanted.value).entity->range, fmt::format("the {} that is needed", name))
      .note(session_.structs.at(found.value).entity->range, "another one of that name");
  if (interactive_)
    builder.help(fmt::format("{} was declared again, and `{}` was made before: make it anew", name, what));
  return true;
}

void Checker::describeMismatch(Diagnostics::Builder& builder, const Value& value, TypeId target) {
  if (noteNamesakes(builder, target, value.type, shorten(value.range))) return;
  if (types().isEnum(value.type) && scalarOf(target) && isInteger(*scalarOf(target))) {
    builder.help(fmt::format("write {}({}) for its number", spellType(target), shorten(value.range)));
  } else if (types().isEnum(target)) {
    builder.help(fmt::format("its values are {0}.{1} and so on", spellType(target), types().record(target).members[0]));
  } else if (types().isStruct(target) && typeOf(value.type).kind == TypeKind::Tuple && !types().isStruct(value.type)) {
    builder.help(fmt::format("a struct is made by its name: {}(...)", spellType(target)));
  }
}

std::optional<Value> Checker::deviceArray(const Value& items, TypeId target) {
  const Type to = typeOf(target), from = typeOf(items.type);
  if (to.kind != TypeKind::View || to.writable || from.kind != TypeKind::Array || !items.expr || !isHostCode() ||
      ctx_->kind == Context::Kind::Reduction || plainSize(items.type).value_or(SIZE_MAX) > largestInParts)
    return std::nullopt;
  std::vector<StaticValue> counts;
  TypeId element = items.type;
  for (unsigned d = 0; d < to.rank; ++d) {
    if (typeOf(element).kind != TypeKind::Array) return std::nullopt;
    counts.push_back({false, types().index(), ConstValue::ofInt(static_cast<Wide>(typeOf(element).count))});
    element = typeOf(element).element;
  }
  ModuleScope* const prelude = findModule("prelude");
  if (element != to.element || to.rank > 2 || !prelude) return std::nullopt;
  const auto found = prelude->names.find(session_.names.intern(to.rank == 1 ? "array_of" : "array_of_rows"));
  if (found == prelude->names.end()) return std::nullopt;
  Entity& entity = *found->second;
  PreparedCall call;
  call.values = {{items}};
  call.written.resize(1);
  call.statics = {{true, element, {}}};
  call.statics.insert(call.statics.end(), counts.begin(), counts.end());
  call.functions.resize(1);
  call.captured.resize(1);
  return finishCall(entity, std::get<FnDecl>(entity.ast->decl(entity.decl).node), call, false, items.range);
}

Value Checker::asArray(Value value) {
  if (typeOf(value.type).kind != TypeKind::Array) return value;
  TypeId item = typeOf(value.type).element;
  const bool hasRows = typeOf(item).kind == TypeKind::Array;
  if (hasRows) item = typeOf(item).element;
  return deviceArray(value, types().view(item, hasRows ? 2 : 1, false)).value_or(value);
}

/// What to write where an array value was given for a view.
void Checker::describeItems(Diagnostics::Builder& builder, const Value& items, const Type& view) {
  const auto* made = items.expr ? std::get_if<MakeElements>(&program_.expr(items.expr).node) : nullptr;
  const uint64_t bytes = plainSize(items.type).value_or(SIZE_MAX);
  if (view.writable)
    builder.help("what is written needs a name: `let y: [T; n] = ...` makes an array of the device of the items");
  else if (made && made->items.size() == 1 && typeOf(items.type).count > 1 && view.rank == 1)
    builder.help(fmt::format("write full[{}]({}, value: {})", spellType(view.element), typeOf(items.type).count,
                             shorten(program_.expr(made->items[0]).range)));
  else if (bytes > largestInParts)
    builder.help(
        fmt::format("an array value of up to {} bytes becomes an array of the device; this one has {}: make it by "
                    "zeros[{}](n) and assign to its elements, or read it from a file",
                    largestInParts, bytes, spellType(view.element)));
  else if (view.rank == 1 && typeOf(items.type).element != view.element && scalarOf(view.element))
    builder.help(fmt::format("convert the items: [{0}({1}[i]) for i in 0..{1}.len]", spellType(view.element),
                             shorten(items.range)));
}

Value Checker::convertValue(Value value, TypeId target, std::string_view what) {
  if (isError(value.type) || isError(target)) return {target, {}, {}, value.range};
  if (value.type == target) return value;
  const std::string place = what.empty() ? std::string() : fmt::format(" for {}", what);
  const Type& to = typeOf(target);
  const Type& from = typeOf(value.type);
  if (to.kind == TypeKind::View && from.kind == TypeKind::View) {
    if (fitsType(value, target))  // write access may be dropped
      return to.strided && !from.strided ? asStrided(value) : value;
    if (to.element == from.element && to.rank == from.rank && from.strided && !to.strided) {
      auto builder = report(Diag::StridedView, value.range, {shorten(value.range), place});
      if (to.writable) builder.help("declare the parameter with `strided`; what is written to a copy is lost");
      else if (isHostCode())
        builder.help(fmt::format("pass copy({}), or declare the parameter with `strided`", shorten(value.range)));
      else builder.help("declare the parameter with `strided`, which takes any view");
    } else if (to.element == from.element && to.rank == from.rank && value.expr && noteWrite(value.expr))
      return {types().error(), {}, {}, value.range};
    else if (to.element == from.element && to.rank == from.rank)
      report(Diag::ReadOnlyView, value.range, {shorten(value.range)})
          .help("parameters without `mut` are read-only; declare it `mut`, or pass copy(...)");
    else {
      auto builder = report(Diag::TypeMismatch, value.range, {spellType(target), place, spellType(value.type)});
      const std::string source = shorten(value.range);
      const bool isNamesake = noteNamesakes(builder, target, value.type, source);
      if (!isNamesake && to.element == from.element && to.rank == 1)
        builder.help(fmt::format("{}.flat is all of it as one dimension, and an index leaves a row", source));
      else if (!isNamesake && to.rank == from.rank && to.rank == 1 && typeOf(to.element).kind == TypeKind::Scalar &&
               isHostCode())
        builder.help(
            fmt::format("convert the elements: [{0}({1}[i]) for i in 0..{1}.len]", spellType(to.element), source));
    }
    return {types().error(), {}, {}, value.range};
  }
  if (to.kind == TypeKind::Tuple && from.kind == TypeKind::Tuple && !to.record && !from.record &&
      to.items.size() == from.items.size() && value.expr) {
    if (const auto* made = std::get_if<MakeTuple>(&program_.expr(value.expr).node)) {
      std::vector<TExprId> items = made->items;
      for (size_t i = 0; i < items.size(); ++i) {
        Value item{program_.expr(items[i]).type, items[i], {}, program_.expr(items[i]).range};
        if (const auto* number = std::get_if<ConstInt>(&program_.expr(items[i]).node);
            number && scalarOf(item.type) && isInteger(*scalarOf(item.type)))
          item.constant = ConstValue::ofInt(wrapTo(*scalarOf(item.type), static_cast<Wide>(number->bits)));
        items[i] = convert(item, to.items[i], what);
      }
      return code(target, value.range, MakeTuple{std::move(items)});
    }
  }
  if (to.record || from.record || to.kind != TypeKind::Scalar ||
      (from.kind != TypeKind::Scalar && !isUntyped(value.type))) {
    if (from.kind == TypeKind::Unit) report(Diag::NoValue, value.range, {});
    else if (auto made = deviceArray(value, target)) return to.strided ? asStrided(*made) : *made;
    else {
      auto builder = report(Diag::TypeMismatch, value.range, {spellType(target), place, spellType(value.type)});
      describeMismatch(builder, value, target);
      if (to.kind == TypeKind::View && from.kind == TypeKind::Array) {
        if (isHostCode() && ctx_->kind != Context::Kind::Reduction) describeItems(builder, value, to);
        else
          builder.help(
              fmt::format("the device's code makes no array of it: give the array a name in host code, or declare the "
                          "parameter as a "
                          "value: `x: array[{}, {}]`",
                          spellType(to.element), from.count));
      }
      if (to.kind == TypeKind::Vector && (from.kind == TypeKind::Scalar || isUntyped(value.type)))
        builder.help(fmt::format("write {}({})", spellType(target), shorten(value.range)));
    }
    return {types().error(), {}, {}, value.range};
  }
  if (isUntyped(value.type)) {
    if (!value.constant) return {types().error(), {}, {}, value.range};
    if (!fits(*value.constant, to.scalar)) {
      if (isInteger(to.scalar) && value.constant->kind == ConstValue::Kind::Float)
        report(Diag::TypeMismatch, value.range,
               {spellType(target), place, "the float constant " + spell(*value.constant)})
            .help(fmt::format("write {}({}) to drop the fraction", spellType(target), shorten(value.range)));
      else if (to.scalar == Scalar::Bool)
        report(Diag::TypeMismatch, value.range, {"bool", place, "the number " + spell(*value.constant)});
      else if (isFloat(to.scalar))
        report(Diag::ConstantDoesNotFit, value.range,
               {spell(*value.constant), spellType(target), "it is rounded or out of range there"})
            .help(fmt::format("write {}({}) to round it", spellType(target), shorten(value.range)));
      else
        report(Diag::ConstantDoesNotFit, value.range,
               {spell(*value.constant), spellType(target),
                fmt::format("it holds {} to {}", spell(ConstValue::ofInt(smallestOf(to.scalar))),
                            spell(ConstValue::ofInt(largestOf(to.scalar))))});
      return {types().error(), {}, {}, value.range};
    }
    if (value.cut.valid() && isFloat(to.scalar)) {
      const std::string written = shorten(value.cut);
      std::string fraction = written;
      if (const size_t sign = written.find('/'); sign != std::string::npos)
        fraction.insert(written.find_last_not_of(" )", sign - 1) + 1, ".0");
      report(Diag::CutQuotient, value.cut, {written}).help(fmt::format("write {}", fraction));
      return {types().error(), {}, {}, value.range};
    }
    return constantValue(target, convertConst(*value.constant, to.scalar), value.range);
  }
  if (value.constant && isInteger(from.scalar) && isInteger(to.scalar) && fits(*value.constant, to.scalar))
    return constantValue(target, *value.constant, value.range);
  if (convertsLosslessly(from.scalar, to.scalar)) {
    if (value.constant) return constantValue(target, convertConst(*value.constant, to.scalar), value.range);
    return code(target, value.range, Convert{value.expr});
  }
  const std::string source = shorten(value.range);
  if (from.scalar == Scalar::Bool || to.scalar == Scalar::Bool) {
    auto builder = report(Diag::TypeMismatch, value.range, {spellType(target), place, spellType(value.type)});
    if (from.scalar == Scalar::Bool) builder.help(fmt::format("write `if {} {{ 1 }} else {{ 0 }}`", source));
    else builder.help(fmt::format("write `{} != 0`", source));
  } else {
    auto builder = report(Diag::LossyConversion, value.range, {spellType(value.type), spellType(target), place});
    if (assigned_)
      builder.help(
          fmt::format("`{0}` is {1} since its first value has no type: declare `var {0}: {2} = ...`, or write "
                      "{1}({3}) if that is meant",
                      *assigned_, spellType(target), spellType(value.type), source));
    else builder.help(fmt::format("write {}({}) if that is meant", spellType(target), source));
  }
  return {types().error(), {}, {}, value.range};
}

Value Checker::conversionCall(Scalar to, Value operand, Range range) {
  const TypeId target = types().scalar(to);
  if (isError(operand.type)) return {target, {}, {}, range};
  if (typeOf(operand.type).kind == TypeKind::String) {
    if (!hostOnly(fmt::format("{} of a text", spelling(to)), range)) return errorValue(range);
    if (to == Scalar::Bool) {
      report(Diag::TypeMismatch, operand.range, {"a number", " for bool(...)", "text"});
      return errorValue(range);
    }
    const TypeId parsed = types().scalar(isFloat(to) ? Scalar::F64 : Scalar::I64);
    TExprId text = materialize(operand);
    Value value = code(parsed, range, ParseNumber{text, addSite(SiteKind::HostCall, range)});
    if (parsed == target) return value;
    return code(target, range, Convert{value.expr});
  }
  if (types().isEnum(operand.type) && isInteger(to)) {
    if (operand.constant) return constantValue(target, convertConst(*operand.constant, to), range);
    return code(target, range, Convert{operand.expr});
  }
  auto from = scalarOf(operand.type);
  if (!from && !isUntyped(operand.type)) {
    report(Diag::TypeMismatch, operand.range,
           {"a number", fmt::format(" for {}(...)", spelling(to)), spellType(operand.type)});
    return errorValue(range);
  }
  if (operand.constant && (operand.constant->kind != ConstValue::Kind::Bool || to == Scalar::Bool || from)) {
    if (isUntyped(operand.type) && operand.constant->kind == ConstValue::Kind::Int && isInteger(to) &&
        !fits(*operand.constant, to) &&
        (operand.constant->integer > (Wide{1} << 64) || operand.constant->integer < -(Wide{1} << 63))) {
      report(Diag::ConstantDoesNotFit, operand.range,
             {spell(*operand.constant), std::string(spelling(to)), "it is beyond 64 bits"});
      return errorValue(range);
    }
    return constantValue(target, convertConst(*operand.constant, to), range);
  }
  TExprId value = materialize(operand);
  if (from == to) return {target, value, operand.constant, range};
  return code(target, range, Convert{value});
}

}  // namespace rad::sema

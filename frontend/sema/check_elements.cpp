// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Vectors and arrays, which are values: types, literals, constructors, elements, arithmetic of vectors.
#include "frontend/sema/checker.h"
#include "frontend/sema/children.h"
#include "frontend/types/float_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>

namespace rad::sema {
namespace {

constexpr uint64_t largestVector = 64;        // bytes
constexpr uint64_t largestArray = 64 * 1024;  // bytes: arrays live in registers, or on a thread's stack
constexpr std::string_view lanes = "xyzw";

}  // namespace

// ---- types ----

std::optional<Scalar> Checker::numberOf(TypeId id) const {
  const Type& type = typeOf(id);
  return scalarOf(type.kind == TypeKind::Vector ? type.element : id);
}

std::optional<uint64_t> Checker::plainSize(TypeId id) const {
  const auto layout = session_.types.layout(id);
  if (!layout) return std::nullopt;
  return layout->size;
}

TypeId Checker::vectorType(TypeId element, Wide count, Range range) {
  if (isError(element)) return element;
  const auto scalar = scalarOf(element);
  if (!scalar) {
    report(Diag::ElementType, range, {"a vector", spellType(element)})
        .help(fmt::format("the elements of a vector are numbers or bools; array[{}, {}] holds others",
                          spellType(element), spell(ConstValue::ofInt(count))));
    return types().error();
  }
  const bool isCount = count == 2 || count == 3 || count == 4 || count == 8 || count == 16;
  if (!isCount || static_cast<uint64_t>(count) * bitsOf(*scalar) / 8 > largestVector) {
    report(Diag::ElementCount, range,
           {fmt::format("a vector of {} {}", spell(ConstValue::ofInt(count)), spellType(element))})
        .help("vectors have 2, 3, 4, 8 or 16 elements, of 64 bytes together at most");
    return types().error();
  }
  return types().vector(element, static_cast<uint64_t>(count));
}

TypeId Checker::tupleType(const std::vector<TypeId>& items, Range range) {
  constexpr size_t mostParts = 1024;
  std::function<size_t(TypeId)> partsIn = [&](TypeId id) -> size_t {
    const Type type = typeOf(id);
    if (type.kind != TypeKind::Tuple || type.record) return 1;
    size_t parts = 0;
    for (TypeId item : type.items) parts += partsIn(item);
    return parts;
  };
  size_t parts = 0;
  uint64_t bytes = 0;
  for (TypeId item : items) {
    parts += partsIn(item);
    bytes += plainSize(item).value_or(0);
  }
  if (parts <= mostParts && bytes <= largestArray) return types().tuple(items);
  report(Diag::ElementCount, range,
         {parts > mostParts ? fmt::format("a tuple of {} parts", parts) : fmt::format("a tuple of {} bytes", bytes)})
      .help("a tuple has 1024 parts and 64 KiB at most; zeros[T](n) makes an array of any size");
  return types().error();
}

TypeId Checker::arrayType(TypeId element, Wide count, Range range) {
  if (isError(element)) return element;
  const auto size = plainSize(element);
  if (!size) {
    report(Diag::ElementType, range, {"an array value", spellType(element)});
    return types().error();
  }
  if (count < 1 || count > static_cast<Wide>(largestArray) || static_cast<uint64_t>(count) * *size > largestArray) {
    auto builder =
        report(Diag::ElementCount, range,
               {fmt::format("an array value of {} {}", spell(ConstValue::ofInt(count)), spellType(element))});
    if (count >= 1)
      builder.help("an array value has 64 KiB at most; zeros[T](n) makes an array of any size in the device's memory");
    return types().error();
  }
  return types().array(element, static_cast<uint64_t>(count));
}

std::optional<TypeId> Checker::namedVector(std::string_view name, Range range) {
  const size_t at = name.rfind('x');
  if (at == std::string_view::npos || at + 1 == name.size()) return std::nullopt;
  const auto scalar = findScalar(name.substr(0, at));
  if (!scalar) return std::nullopt;
  int count = 0;
  const auto [end, error] = std::from_chars(name.data() + at + 1, name.data() + name.size(), count);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return vectorType(types().scalar(*scalar), count, range);
}

TypeId Checker::typeWithCount(std::string_view name, List<Argument> arguments, Range range) {
  if (arguments.size() != 2 || !noNames(arguments, name)) {
    if (arguments.size() != 2)
      report(Diag::StaticCount, range, {std::string(name), "2", std::to_string(arguments.size())})
          .help(fmt::format("write {}[f32, 4]", name));
    return types().error();
  }
  const TypeId element = resolveType(arguments[0].value);
  auto count = checkConstant(arguments[1].value, types().index(), fmt::format("the number of elements of {}", name));
  if (!count || isError(element)) return types().error();
  return name == "vec" ? vectorType(element, count->integer, range) : arrayType(element, count->integer, range);
}

// ---- literals and constructors ----

Value Checker::makeElements(TypeId type, std::vector<Value> values, Range range) {
  MakeElements made;
  for (Value& value : values) {
    const Value converted = convertValue(value, typeOf(type).element);
    if (isError(converted.type)) return errorValue(range);
    Value copy = converted;
    made.items.push_back(materialize(copy));
  }
  return code(type, range, std::move(made));
}

Value Checker::makeVector(TypeId type, List<Argument> arguments, Range range) {
  const Type vector = typeOf(type);
  const std::string name = spellType(type);
  if (!noNames(arguments, name)) return errorValue(range);
  std::vector<Value> given;
  for (const Argument& argument : arguments) {
    given.push_back(checkExpr(argument.value, vector.element));
    const Value& value = given.back();
    if (isError(value.type)) return errorValue(range);
    if (!numberOf(value.type) && !isUntyped(value.type)) {
      report(Diag::MathOperand, value.range, {name, "numbers and vectors", spellType(value.type)});
      return errorValue(range);
    }
  }
  if (given.size() == 1) {
    Value& only = given[0];
    if (!isVector(only.type)) {  // a conversion that is written out, as of a scalar
      Value one = conversionCall(*scalarOf(vector.element), only, only.range);
      if (isError(one.type)) return errorValue(range);
      return code(type, range, MakeElements{{materialize(one)}});
    }
    if (typeOf(only.type).count == vector.count) {
      if (only.type == type) return only;
      return code(type, range, Convert{only.expr});
    }
  }
  // Vectors among the arguments give their elements.
  std::vector<TStmtId> statements;
  std::vector<TStmtId>* const saved = std::exchange(ctx_->out, &statements);
  std::vector<Value> values;
  for (Value& value : given) {
    if (!isVector(value.type)) {
      values.push_back(std::move(value));
      continue;
    }
    const TExprId kept = keep(value.expr);
    for (uint64_t i = 0; i < typeOf(value.type).count; ++i)
      values.push_back(
          code(typeOf(value.type).element, value.range,
               ElementOf{kept, constInt(types().index(), static_cast<Wide>(i), value.range), {}, Check::Proven}));
  }
  ctx_->out = saved;
  if (values.size() != vector.count) {
    report(Diag::ArgumentCount, range,
           {name, fmt::format("{} numbers, or one for all", vector.count), std::to_string(values.size())});
    return errorValue(range);
  }
  Value made = makeElements(type, std::move(values), range);
  if (isError(made.type) || statements.empty()) return made;
  return code(type, range, BlockValue{std::move(statements), made.expr});
}

// ---- arithmetic ----

Value Checker::toVector(Value value, TypeId type) {
  if (value.type == type || isError(value.type)) return value;
  if (isVector(value.type)) return code(type, value.range, Convert{value.expr});
  const Value one = convertValue(value, typeOf(type).element);
  if (isError(one.type)) return errorValue(value.range);
  Value copy = one;
  return code(type, value.range, MakeElements{{materialize(copy)}});
}

TypeId Checker::commonVector(std::string_view what, const std::vector<Value>& values, Range range,
                             VectorOperands allowed) {
  uint64_t count = 0;
  std::optional<Scalar> scalar;
  const Value* first = nullptr;
  for (const Value& value : values) {
    auto wrong = [&](Diag kind) {
      auto builder = report(kind, range,
                            {std::string(what), spellType(first ? first->type : values[0].type),
                             spellType(first ? value.type : values.back().type)});
      if (kind == Diag::OperandTypes && numberOf(value.type) && numberOf(value.type) != Scalar::Bool && scalar &&
          *scalar != Scalar::Bool && (!isVector(value.type) || typeOf(value.type).count == count))
        builder.help(fmt::format("convert one side: {}({})", spellType(first->type), shorten(value.range)));
      return types().error();
    };
    if (isUntyped(value.type)) continue;
    const auto number = numberOf(value.type);
    if (!number || (*number == Scalar::Bool && allowed == VectorOperands::Numbers)) return wrong(Diag::OperandTypes);
    if (isVector(value.type) && count && typeOf(value.type).count != count) return wrong(Diag::OperandTypes);
    if (scalar && isSignMix(*scalar, *number)) return wrong(Diag::SignMix);
    const auto common = scalar ? commonScalar(*scalar, *number) : number;
    if (!common) return wrong(Diag::OperandTypes);
    scalar = common;
    if (isVector(value.type)) count = typeOf(value.type).count;
    if (!first) first = &value;
  }
  if (isFloat8(*scalar) && allowed == VectorOperands::Numbers) {
    report(Diag::OperandTypes, range, {std::string(what), spellType(values[0].type), spellType(values.back().type)})
        .help(fmt::format("8-bit floats only store numbers: write f32x{}({})", count, shorten(first->range)));
    return types().error();
  }
  return types().vector(types().scalar(*scalar), count);
}

Value Checker::vectorBinary(BinaryOp op, Value left, Value right, Range range) {
  const std::string name(spelling(op));
  const bool compares = isComparison(op);
  if (numberOf(left.type) == Scalar::Bool && numberOf(right.type) == Scalar::Bool &&
      (op == BinaryOp::BitAnd || op == BinaryOp::BitOr)) {
    report(Diag::OperandTypes, range, {name, spellType(left.type), spellType(right.type)})
        .help(op == BinaryOp::BitAnd ? "write `and`" : "write `or`");
    return errorValue(range);
  }
  const TypeId type =
      commonVector(name, {left, right}, range, compares ? VectorOperands::Any : VectorOperands::Numbers);
  if (isError(type)) return errorValue(range);
  const Scalar scalar = *numberOf(type);
  if (compares) {
    if (scalar == Scalar::Bool && op != BinaryOp::Eq && op != BinaryOp::Ne) {
      report(Diag::OperandTypes, range, {name, spellType(left.type), spellType(right.type)});
      return errorValue(range);
    }
    left = toVector(left, type);
    right = toVector(right, type);
    if (isError(left.type) || isError(right.type)) return errorValue(range);
    return code(types().vector(types().boolean(), typeOf(type).count), range, Compare{op, left.expr, right.expr});
  }
  if (isBitOperation(op) && isFloat(scalar)) {
    report(Diag::OperandTypes, range, {name, spellType(left.type), spellType(right.type)});
    return errorValue(range);
  }
  const bool divides = isInteger(scalar) && (op == BinaryOp::Div || op == BinaryOp::Rem);
  const bool isConstant = right.constant && right.constant->kind == ConstValue::Kind::Int;
  if (divides && isConstant && right.constant->integer == 0) {
    report(Diag::DivisionByZero, range, {});
    return errorValue(range);
  }
  left = toVector(left, type);
  right = toVector(right, type);
  if (isError(left.type) || isError(right.type)) return errorValue(range);
  SiteId site;
  if (divides) {
    if (!isConstant) site = addSite(SiteKind::DivideByZero, range);
  } else if (isHostCode() && isSignedInteger(scalar) &&
             (op == BinaryOp::Add || op == BinaryOp::Sub || op == BinaryOp::Mul)) {
    site = addSite(SiteKind::Overflow, range);
  }
  return code(type, range, Arithmetic{op, left.expr, right.expr, site});
}

Value Checker::vectorLogic(bool isAnd, Value left, Value right, Range range) {
  const TypeId vector = isVector(left.type) ? left.type : right.type;
  for (Value* side : {&left, &right}) {
    const bool fits = side->type == vector || scalarOf(side->type) == Scalar::Bool;
    if (numberOf(vector) != Scalar::Bool || !fits) {
      auto builder =
          report(Diag::OperandTypes, range, {isAnd ? "and" : "or", spellType(left.type), spellType(right.type)});
      const Value& number = numberOf(left.type) == Scalar::Bool ? right : left;
      if (isVector(number.type) && numberOf(number.type) != Scalar::Bool)
        builder.help(fmt::format("compare it: `{} != 0`", shorten(number.range)));
      return errorValue(range);
    }
    *side = toVector(*side, vector);
  }
  return code(vector, range, Arithmetic{isAnd ? BinaryOp::BitAnd : BinaryOp::BitOr, left.expr, right.expr, {}});
}

Value Checker::callSelect(const CallExpr& node, Range range, TypeId expected) {
  if (!noNames(node.arguments, "select") || !countIs("select", node.arguments, 3, range)) return errorValue(range);
  const TypeId hint = isVector(expected) ? typeOf(expected).element : expected;
  Value condition = checkExpr(node.arguments[0].value, types().boolean());
  Value yes = checkExpr(node.arguments[1].value, hint);
  Value no = checkExpr(node.arguments[2].value, hint);
  if (isError(condition.type) || isError(yes.type) || isError(no.type)) return errorValue(range);
  if (numberOf(condition.type) != Scalar::Bool) {
    auto builder =
        report(Diag::ConditionType, condition.range, {"the first argument of `select`", spellType(condition.type)});
    if (numberOf(condition.type) || isUntyped(condition.type))
      builder.help(fmt::format("write `{} != 0`", shorten(condition.range)));
    return errorValue(range);
  }
  const bool lanewise = isVector(condition.type);
  TypeId type = isVector(yes.type) || isVector(no.type) ? commonVector("select", {yes, no}, range, VectorOperands::Any)
                                                        : branchType(yes, no, range, hint);
  if (isError(type)) return errorValue(range);
  if (lanewise && !isVector(type)) type = vectorType(type, typeOf(condition.type).count, range);
  if (isError(type)) return errorValue(range);
  if (lanewise && typeOf(type).count != typeOf(condition.type).count) {
    report(Diag::OperandTypes, range, {"select", spellType(condition.type), spellType(type)})
        .help("the condition has as many elements as the values");
    return errorValue(range);
  }
  for (Value* value : {&yes, &no}) {
    *value = isVector(type) ? toVector(*value, type) : convertValue(*value, type);
    if (isError(value->type)) return errorValue(range);
  }
  const TExprId c = materialize(condition), y = materialize(yes), n = materialize(no);
  return code(type, range, Select{c, y, n});
}

Value Checker::vectorMath(Math op, std::vector<Value> values, Range range) {
  const MathInfo& info = infoOf(op);
  const TypeId type = commonVector(info.name, values, range);
  if (isError(type)) return errorValue(range);
  const Scalar scalar = *numberOf(type);
  if ((info.operands == MathOperands::F && !isFloat(scalar)) ||
      (info.operands == MathOperands::I && !isInteger(scalar))) {
    report(Diag::MathOperand, range,
           {std::string(info.name), info.operands == MathOperands::F ? "floats" : "integers", spellType(type)});
    return errorValue(range);
  }
  MathCall call{op, {}};
  for (Value& value : values) {
    const Value vector = toVector(value, type);
    if (isError(vector.type)) return errorValue(range);
    call.operands.push_back(vector.expr);
  }
  return code(type, range, std::move(call));
}

Value Checker::reduceElements(Reducer reducer, Value whole, std::string_view name, Range range) {
  const Type type = typeOf(whole.type);
  const auto scalar = scalarOf(type.element);
  const bool isLogic = reducer == Reducer::All || reducer == Reducer::Any;
  if (!scalar || (isLogic ? *scalar != Scalar::Bool : !isNumber(*scalar))) {
    report(Diag::MathOperand, whole.range, {std::string(name), isLogic ? "bool" : "numbers", spellType(whole.type)});
    return errorValue(range);
  }
  if (type.count > 64) {
    report(Diag::ReducerArguments, range, {std::string(name)})
        .help(fmt::format("write {}({}[i] for i in 0..{})", name, shorten(whole.range), type.count));
    return errorValue(range);
  }
  std::vector<TStmtId> statements;
  std::vector<TStmtId>* const saved = std::exchange(ctx_->out, &statements);
  const TExprId kept = keep(whole.expr);
  TExprId total;
  for (uint64_t i = 0; i < type.count; ++i) {
    const TExprId index = constInt(types().index(), static_cast<Wide>(i), range);
    const TExprId element = program_.addExpr(type.element, range, ElementOf{kept, index, {}, Check::Proven});
    if (i == 0) {
      total = element;
      continue;
    }
    switch (reducer) {
      case Reducer::Sum: {
        SiteId site;
        if (isHostCode() && isSignedInteger(*scalar)) site = addSite(SiteKind::Overflow, range);
        total = program_.addExpr(type.element, range, Arithmetic{BinaryOp::Add, total, element, site});
        break;
      }
      case Reducer::Min:
      case Reducer::Max:
        total = program_.addExpr(type.element, range,
                                 MathCall{reducer == Reducer::Min ? Math::Min : Math::Max, {total, element}});
        break;
      case Reducer::All:
      case Reducer::Any:
        total = program_.addExpr(
            type.element, range,
            Arithmetic{reducer == Reducer::All ? BinaryOp::BitAnd : BinaryOp::BitOr, total, element, {}});
        break;
    }
  }
  ctx_->out = saved;
  if (statements.empty()) return {type.element, total, {}, range};
  return code(type.element, range, BlockValue{std::move(statements), total});
}

// ---- elements ----

Value Checker::vectorMember(Value vector, Ident member, Range range) {
  const Type type = typeOf(vector.type);
  const std::string_view name = text(member.name);
  if (name == "len") return constantValue(types().index(), ConstValue::ofInt(static_cast<Wide>(type.count)), range);
  std::vector<uint8_t> named;
  for (char c : name) {
    const size_t lane = lanes.find(c);
    if (lane == std::string_view::npos || lane >= type.count || name.size() > 4) {
      const std::string_view elements = type.count == 2   ? "x and y"
                                        : type.count == 3 ? "x, y and z"
                                        : type.count == 4 ? "x, y, z and w"
                                                          : "v[0], v[1] and so on; x, y, z and w name the first four";
      report(Diag::UnknownMember, member.range, {spellType(vector.type), std::string(name)})
          .help(fmt::format("its elements are {}", elements));
      return errorValue(range);
    }
    named.push_back(static_cast<uint8_t>(lane));
  }
  return elementsOf(vector, std::move(named), range);
}

/// Elements of a vector: one, or a vector of several. Those of a swizzle are taken from its vector.
Value Checker::elementsOf(const Value& vector, std::vector<uint8_t> lanes, Range range) {
  const TypeId element = typeOf(vector.type).element;
  TExprId from = vector.expr;
  if (const auto* inner = std::get_if<Swizzle>(&program_.expr(from).node)) {
    for (uint8_t& lane : lanes) lane = inner->lanes[lane];
    from = inner->vector;
  }
  if (lanes.size() == 1)
    return code(element, range, ElementOf{from, constInt(types().index(), lanes[0], range), {}, Check::Proven});
  const TypeId several = types().vector(element, lanes.size());
  return code(several, range, Swizzle{from, std::move(lanes)});
}

Value Checker::indexElements(Value whole, List<Argument> arguments, Range range) {
  for (const Argument& argument : arguments) {
    const Type type = typeOf(whole.type);
    if (type.kind != TypeKind::Vector && type.kind != TypeKind::Array) {
      report(Diag::NotIndexable, range, {spellType(whole.type)});
      return errorValue(range);
    }
    if (!argument.name.name.empty()) {
      report(Diag::UnknownArgument, argument.name.range, {"a subscript", std::string(text(argument.name.name))});
      return errorValue(range);
    }
    if (const auto* slice = std::get_if<SliceExpr>(&expr(argument.value).node)) {
      if (&argument != &arguments[arguments.size() - 1]) {
        return indexEach(sliceElements(whole, *slice, expr(argument.value).range, range), arguments,
                         &argument - &arguments[0], range);
      }
      return sliceElements(whole, *slice, expr(argument.value).range, range);
    }
    const TExprId index = checkSubscript(argument.value, "an index");
    if (!index) return errorValue(range);
    ElementOf element{whole.expr, index, {}, ctx_->uncheckedDepth ? Check::Unchecked : Check::Checked};
    if (const auto* constant = std::get_if<ConstInt>(&program_.expr(index).node)) {
      const auto at = static_cast<int64_t>(constant->bits);
      if (at < 0 || at >= static_cast<int64_t>(type.count)) {
        report(Diag::ElementIndex, expr(argument.value).range,
               {std::to_string(at), spellType(whole.type), std::to_string(type.count)});
        return errorValue(range);
      }
      if (type.kind == TypeKind::Vector) {
        whole = elementsOf(whole, {static_cast<uint8_t>(at)}, range);
        continue;
      }
      // An element of a constant is one.
      if (const auto* made = std::get_if<MakeElements>(&program_.expr(whole.expr).node);
          made && isConstantData(whole.expr)) {
        whole = constantPart(made->items[made->items.size() == 1 ? 0 : static_cast<size_t>(at)], range);
        continue;
      }
      element.check = Check::Proven;
    } else {
      element.site = addSite(SiteKind::Index, range, {}, 0, 1);
    }
    whole = code(type.element, range, std::move(element));
  }
  return whole;
}

/// a[0..2, 1]: of each element of a slice the one that the indices behind it name.
Value Checker::indexEach(Value part, List<Argument> arguments, ptrdiff_t slice, Range range) {
  if (isError(part.type)) return part;
  const Type type = typeOf(part.type);
  const size_t first = static_cast<size_t>(slice) + 1;
  const List<Argument> rest(&arguments[static_cast<uint32_t>(first)], arguments.size() - first);
  std::vector<TStmtId> statements;
  std::vector<TStmtId>* const saved = std::exchange(ctx_->out, &statements);
  const TExprId kept = isConstantData(part.expr) ? part.expr : keep(part.expr);
  std::vector<Value> items;
  for (uint64_t i = 0; i < type.count && (items.empty() || !isError(items.back().type)); ++i) {
    const auto* made = std::get_if<MakeElements>(&program_.expr(kept).node);
    const Value each =
        made ? constantPart(made->items[made->items.size() == 1 ? 0 : i], range)
             : code(type.element, range,
                    ElementOf{kept, constInt(types().index(), static_cast<Wide>(i), range), {}, Check::Proven});
    items.push_back(indexElements(each, rest, range));
  }
  ctx_->out = saved;
  if (items.empty() || isError(items.back().type)) return errorValue(range);
  const TypeId whole = arrayType(items[0].type, static_cast<Wide>(type.count), range);
  if (isError(whole)) return errorValue(range);
  Value result = makeElements(whole, std::move(items), range);
  if (isError(result.type) || statements.empty()) return result;
  return code(whole, range, BlockValue{std::move(statements), materialize(result)});
}

Value Checker::sliceElements(Value whole, const SliceExpr& slice, Range sliceRange, Range range) {
  const Type type = typeOf(whole.type);
  Wide step = 1;
  if (slice.step) {
    auto constant = checkConstant(slice.step, types().index(), "the step of a slice of a vector or array value");
    if (!constant) return errorValue(range);
    step = constant->integer;
    if (step < 1) {
      report(Diag::SliceStep, expr(slice.step).range, {spell(*constant)});
      return errorValue(range);
    }
  }
  // Its size is part of its type.
  Wide bounds[2] = {0, static_cast<Wide>(type.count)};
  const ExprId written[2] = {slice.low, slice.high};
  for (int i = 0; i < 2; ++i) {
    if (!written[i]) continue;
    auto bound = checkConstant(written[i], types().index(), "the bound of a slice of a vector or array value");
    if (!bound) return errorValue(range);
    bounds[i] = bound->integer;
  }
  const auto [low, high] = bounds;
  if (low < 0 || high > static_cast<Wide>(type.count) || low > high) {
    report(Diag::ElementSlice, sliceRange,
           {spell(ConstValue::ofInt(low)), spell(ConstValue::ofInt(high)), spellType(whole.type),
            std::to_string(type.count)});
    return errorValue(range);
  }
  const Wide count = low == high ? 0 : (high - low - 1) / step + 1;
  if (type.kind == TypeKind::Vector) {
    if (isError(vectorType(type.element, count, sliceRange))) return errorValue(range);
    std::vector<uint8_t> taken;
    for (Wide lane = low; lane < high; lane += step) taken.push_back(static_cast<uint8_t>(lane));
    return elementsOf(whole, std::move(taken), range);
  }
  const TypeId part = arrayType(type.element, count, sliceRange);
  if (isError(part)) return errorValue(range);
  return code(part, range,
              ElementSlice{whole.expr, static_cast<uint64_t>(low), count == 1 ? 1 : static_cast<uint64_t>(step)});
}

TExprId Checker::checkElementPlace(ExprId id, Value value, TypeId& type, bool readsToo) {
  TExprId root = value.expr;
  ExprId written = id;
  if (const auto* swizzle = std::get_if<Swizzle>(&program_.expr(root).node))
    for (size_t i = 1; i < swizzle->lanes.size(); ++i)
      if (std::find(swizzle->lanes.begin(), swizzle->lanes.begin() + static_cast<ptrdiff_t>(i), swizzle->lanes[i]) !=
          swizzle->lanes.begin() + static_cast<ptrdiff_t>(i)) {
        report(Diag::RepeatedElement, value.range, {shorten(value.range), std::string(1, lanes[swizzle->lanes[i]])})
            .help("name each element once");
        return {};
      }
  // The same steps inwards in the program and in its text.
  for (;;) {
    const auto& node = expr(written).node;
    const TExprId outer = wholeOfPart(program_, root);
    if (outer && std::holds_alternative<Swizzle>(program_.expr(outer).node)) break;  // v.xy[i], which one is not known
    if (const auto* paren = std::get_if<ParenExpr>(&node)) written = paren->inner;
    else if (const auto* member = std::get_if<MemberExpr>(&node); member && outer) {
      written = member->base;
      root = outer;
    } else if (const auto* item = std::get_if<TupleItemExpr>(&node); item && outer) {
      written = item->base;
      root = outer;
    } else if (const auto* index = std::get_if<IndexExpr>(&node); index && outer) {
      written = index->base;
      for (size_t i = 0; i < index->arguments.size(); ++i)
        if (const TExprId next = wholeOfPart(program_, root)) root = next;
    } else {
      break;
    }
  }
  type = value.type;
  const TExpr& base = program_.expr(root);
  if (!plainSize(base.type) && root != value.expr && !std::holds_alternative<ViewElement>(base.node)) {
    report(Diag::ItemBesideArray, expr(id).range, {shorten(expr(id).range), spellType(base.type)})
        .help("assign a whole new value, with this part in it");
    return {};
  }
  if (std::holds_alternative<LocalRef>(base.node) || std::holds_alternative<GlobalRef>(base.node)) {
    TypeId ignored;
    for (;;)  // v.zyx.xy is one step
      if (const auto* member = std::get_if<MemberExpr>(&expr(written).node)) written = member->base;
      else if (const auto* index = std::get_if<IndexExpr>(&expr(written).node)) written = index->base;
      else if (const auto* paren = std::get_if<ParenExpr>(&expr(written).node)) written = paren->inner;
      else break;
    if (!std::holds_alternative<NameExpr>(expr(written).node)) {
      report(Diag::NotAPlace, expr(id).range, {});
      return {};
    }
    return checkPlaceName(written, ignored, false, readsToo) ? value.expr : TExprId{};
  }
  if (const auto* element = std::get_if<ViewElement>(&base.node)) {
    if (!typeOf(program_.expr(element->view).type).writable) {
      if (noteWrite(element->view)) return {};
      report(Diag::ReadOnlyView, program_.expr(element->view).range, {shorten(program_.expr(element->view).range)});
      return {};
    }
    if (ctx_->kind != Context::Kind::Script) ctx_->hasEffects = true;
    return value.expr;
  }
  report(Diag::NotAPlace, expr(id).range, {});
  return {};
}

}  // namespace rad::sema

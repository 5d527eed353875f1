// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Literals, operators, members, tuples.
#include "frontend/sema/checker.h"
#include "frontend/types/float_format.h"

#include <fmt/format.h>

#include <algorithm>

namespace rad::sema {

Value Checker::checkExpr(ExprId id, TypeId expected) {
  if (!id) return errorValue({});
  if (depth_ > 400) {
    report(Diag::TooDeep, expr(id).range, {"400"});
    return errorValue(expr(id).range);
  }
  ++depth_;
  Value value = checkExprKind(id, expected);
  --depth_;
  return value;
}

Value Checker::checkExprKind(ExprId id, TypeId expected) {
  const Expr& node = expr(id);
  const Range range = node.range;
  switch (node.kind()) {
    case ExprKind::Error: return errorValue(range);
    case ExprKind::Int: {
      const auto& literal = std::get<IntExpr>(node.node);
      if (literal.tooBig) {
        report(Diag::ConstantDoesNotFit, range, {shorten(range), "u64", "the widest integer type"});
        return errorValue(range);
      }
      if (literal.suffix.empty()) return constantValue(types().untypedInt(), ConstValue::ofInt(literal.value), range);
      auto scalar = findScalar(text(literal.suffix));
      if (!scalar) return errorValue(range);
      const ConstValue value = ConstValue::ofInt(literal.value);
      if (!fits(value, *scalar)) {
        report(Diag::ConstantDoesNotFit, range,
               {spell(value), std::string(spelling(*scalar)),
                isFloat(*scalar) ? std::string("it is rounded there")
                                 : fmt::format("it holds {} to {}", spell(ConstValue::ofInt(smallestOf(*scalar))),
                                               spell(ConstValue::ofInt(largestOf(*scalar))))});
        return errorValue(range);
      }
      return constantValue(types().scalar(*scalar), convertConst(value, *scalar), range);
    }
    case ExprKind::Float: {
      const auto& literal = std::get<FloatExpr>(node.node);
      const ConstValue value{
          ConstValue::Kind::Float, compareLiteral(session_.sources.text(range), literal.value), literal.value, {}};
      if (literal.suffix.empty()) return constantValue(types().untypedFloat(), value, range);
      auto scalar = findScalar(text(literal.suffix));
      if (!scalar || !isFloat(*scalar)) return errorValue(range);
      if (!fits(value, *scalar)) {
        report(Diag::ConstantDoesNotFit, range,
               {shorten(range), std::string(spelling(*scalar)), "it is out of range there"});
        return errorValue(range);
      }
      return constantValue(types().scalar(*scalar), convertConst(value, *scalar), range);
    }
    case ExprKind::Bool:
      return constantValue(types().boolean(), ConstValue::ofBool(std::get<BoolExpr>(node.node).value), range);
    case ExprKind::String:
      if (!hostOnly("a text value", range)) return errorValue(range);
      return constantValue(types().string(), ConstValue::ofString(std::string(std::get<StringExpr>(node.node).value)),
                           range);
    case ExprKind::Name: return checkName(std::get<NameExpr>(node.node), range, expected);
    case ExprKind::Member: return checkMember(std::get<MemberExpr>(node.node), range);
    case ExprKind::TupleItem: return checkTupleItem(std::get<TupleItemExpr>(node.node), range);
    case ExprKind::DotName: return checkDotName(std::get<DotNameExpr>(node.node).name, range, expected);
    case ExprKind::Index: return checkIndex(std::get<IndexExpr>(node.node), range);
    case ExprKind::Slice: report(Diag::SlicePlace, range, {}); return errorValue(range);
    case ExprKind::Call: return checkCall(std::get<CallExpr>(node.node), range, expected);
    case ExprKind::Unary: return checkUnary(std::get<UnaryExpr>(node.node), range, expected);
    case ExprKind::Binary: return checkBinary(std::get<BinaryExpr>(node.node), range, expected);
    case ExprKind::Paren: return checkExpr(std::get<ParenExpr>(node.node).inner, expected);
    case ExprKind::Tuple: return checkTuple(std::get<TupleExpr>(node.node), range, expected);
    case ExprKind::ArrayLit: return checkArrayLit(std::get<ArrayLitExpr>(node.node), range, expected);
    case ExprKind::Repeat: {
      const auto& repeat = std::get<RepeatExpr>(node.node);
      const auto* name = std::get_if<NameExpr>(&expr(repeat.value).node);
      if (name && !findBinding(name->name) && tryType(repeat.value)) {
        report(Diag::TypeAsValue, range, {shorten(range)}).help("zeros[T](n) makes an array");
        return errorValue(range);
      }
      return checkRepeat(repeat, range, expected);
    }
    case ExprKind::Generator: report(Diag::GeneratorPlace, range, {}); return errorValue(range);
    case ExprKind::ArrayGen: return checkArrayGen(std::get<ArrayGenExpr>(node.node), range);
    case ExprKind::If: return checkIf(id, std::get<IfExpr>(node.node), range, expected);
    case ExprKind::Block: return checkBlockValue(id, expected);
    case ExprKind::Unchecked: {
      ++ctx_->uncheckedDepth;
      Value value = checkBlockValue(std::get<UncheckedExpr>(node.node).block, expected);
      --ctx_->uncheckedDepth;
      return value;
    }
    case ExprKind::Lambda:
      report(Diag::LambdaPlace, range, {})
          .help(
              "hand it over where it is needed: map(|v| 2.0 * v, x); or name it: `let f = |v| 2.0 * v`, or declare a "
              "`fn`");
      return errorValue(range);
    case ExprKind::FnType:
    case ExprKind::Strided: report(Diag::TypeAsValue, range, {shorten(range)}); return errorValue(range);
    case ExprKind::Spread: report(Diag::SpreadNeedsPack, range, {}); return errorValue(range);
    case ExprKind::On: notYet(range, "`on` a stream"); return errorValue(range);
    case ExprKind::Graph: notYet(range, "`graph`"); return errorValue(range);
  }
  return errorValue(range);
}

Value Checker::checkUnary(const UnaryExpr& node, Range range, TypeId expected) {
  if (node.op == UnaryOp::AddressOf) {
    report(Diag::AddressPlace, range, {});
    return errorValue(range);
  }
  // `-128i8` is one number: 128 alone does not fit.
  if (const auto* literal = std::get_if<IntExpr>(&expr(node.operand).node);
      literal && node.op == UnaryOp::Neg && !literal->suffix.empty() && !literal->tooBig) {
    const auto scalar = findScalar(text(literal->suffix));
    const ConstValue negative = ConstValue::ofInt(-static_cast<Wide>(literal->value));
    if (scalar && isSignedInteger(*scalar) && fits(negative, *scalar))
      return constantValue(types().scalar(*scalar), convertConst(negative, *scalar), range);
  }
  Value operand = checkExpr(node.operand, node.op == UnaryOp::Not ? types().boolean() : expected);
  if (isError(operand.type)) return errorValue(range);
  if (isDeclared(operand.type)) {
    if (auto found = declaredOperator(spelling(node.op), {operand}, range)) return *found;
    if (node.op != UnaryOp::Not) return operatorMissing(spelling(node.op), {operand}, range);
  }
  const auto scalar = numberOf(operand.type);
  bool ok = false;
  switch (node.op) {
    case UnaryOp::Neg: ok = isUntyped(operand.type) || (scalar && *scalar != Scalar::Bool); break;
    case UnaryOp::BitNot:
      ok = typeOf(operand.type).kind == TypeKind::UntypedInt || (scalar && isInteger(*scalar));
      break;
    case UnaryOp::Not: ok = scalar == Scalar::Bool; break;
    case UnaryOp::AddressOf: break;
  }
  if (!ok) {
    report(Diag::UnaryOperand, range, {std::string(spelling(node.op)), spellType(operand.type)});
    return errorValue(range);
  }
  if (operand.constant) {
    Folded folded = fold(node.op, *operand.constant, scalar);
    if (folded.value) return constantValue(operand.type, *folded.value, range);
  }
  TExprId value = materialize(operand);
  switch (node.op) {
    case UnaryOp::Neg: {
      SiteId site;
      if (isHostCode() && scalar && isSignedInteger(*scalar)) site = addSite(SiteKind::Overflow, range);
      return code(operand.type, range, Negate{value, site});
    }
    case UnaryOp::BitNot: return code(operand.type, range, BitNot{value});
    case UnaryOp::Not: return code(operand.type, range, LogicNot{value});
    case UnaryOp::AddressOf: break;
  }
  return errorValue(range);
}

Value Checker::checkLogic(const BinaryExpr& node, Range range) {
  const bool isAnd = node.op == BinaryOp::And;
  Value left = checkExpr(node.left, types().boolean());
  const bool hoist = std::exchange(ctx_->canHoist, false);
  Value right = checkExpr(node.right, types().boolean());
  ctx_->canHoist = hoist;
  if (isVector(left.type) || isVector(right.type)) {
    if (isError(left.type) || isError(right.type)) return errorValue(range);
    return vectorLogic(isAnd, std::move(left), std::move(right), range);
  }
  bool ok = true;
  for (Value* side : {&left, &right}) {
    if (isError(side->type)) ok = false;
    else if (scalarOf(side->type) != Scalar::Bool) {
      report(Diag::ConditionType, side->range,
             {fmt::format("an operand of `{}`", spelling(node.op)), spellType(side->type)});
      ok = false;
    }
  }
  if (!ok) return errorValue(range);
  if (left.constant && right.constant)
    return constantValue(types().boolean(),
                         ConstValue::ofBool(isAnd ? left.constant->integer && right.constant->integer
                                                  : left.constant->integer || right.constant->integer),
                         range);
  TExprId l = materialize(left), r = materialize(right);
  return code(types().boolean(), range, Logic{isAnd, l, r});
}

Value Checker::checkBinary(const BinaryExpr& node, Range range, TypeId expected) {
  if (node.op == BinaryOp::And || node.op == BinaryOp::Or) return checkLogic(node, range);
  const bool compares = node.op >= BinaryOp::Eq && node.op <= BinaryOp::Ge;
  const TypeId hint = compares ? TypeId{} : expected;
  // `.relaxed` takes the type of the other side.
  Value left, right;
  if (isShortName(node.left) && !isShortName(node.right)) {
    right = checkExpr(node.right);
    left = isError(right.type) ? errorValue(expr(node.left).range) : checkExpr(node.left, right.type);
  } else {
    left = checkExpr(node.left, hint);
    const bool isShort = isShortName(node.right) && (isError(left.type) || types().isEnum(left.type));
    right = isShort && isError(left.type) ? errorValue(expr(node.right).range)
                                          : checkExpr(node.right, isShort ? left.type : hint);
  }
  const bool isCut = node.op == BinaryOp::Div && isLiteral(node.left) && isLiteral(node.right) &&
                     isUntyped(left.type) && isUntyped(right.type) && left.constant->kind == ConstValue::Kind::Int &&
                     right.constant->kind == ConstValue::Kind::Int && right.constant->integer != 0 &&
                     left.constant->integer % right.constant->integer != 0;
  Value result = binary(node.op, std::move(left), std::move(right), range, node.opRange, expected);
  if (isCut) result.cut = range;
  return result;
}

/// Whether an expression is a number as it is written, perhaps with a sign or in parentheses.
bool Checker::isLiteral(ExprId id) const {
  const auto& node = expr(id).node;
  if (const auto* paren = std::get_if<ParenExpr>(&node)) return isLiteral(paren->inner);
  if (const auto* unary = std::get_if<UnaryExpr>(&node)) return unary->op == UnaryOp::Neg && isLiteral(unary->operand);
  return std::holds_alternative<IntExpr>(node);
}

Value Checker::binary(BinaryOp op, Value left, Value right, Range range, Range opRange, TypeId expected) {
  (void)opRange;
  if (isError(left.type) || isError(right.type)) return errorValue(range);
  const bool compares = op >= BinaryOp::Eq && op <= BinaryOp::Ge;
  const bool isShift = op == BinaryOp::Shl || op == BinaryOp::Shr;
  const bool isBits = isShift || op == BinaryOp::BitAnd || op == BinaryOp::BitOr || op == BinaryOp::BitXor;
  const std::string opText(spelling(op));
  auto wrong = [&]() -> Value {
    if (typeOf(left.type).kind == TypeKind::Unit) report(Diag::NoValue, left.range, {});
    else if (typeOf(right.type).kind == TypeKind::Unit) report(Diag::NoValue, right.range, {});
    else {
      auto builder = report(Diag::OperandTypes, range, {opText, spellType(left.type), spellType(right.type)});
      auto isFloatingPoint = [&](const Value& value) {
        return isUntyped(value.type) ? value.type == types().untypedFloat()
                                     : scalarOf(value.type) && isFloat(*scalarOf(value.type));
      };
      auto isText = [&](const Value& value) { return typeOf(value.type).kind == TypeKind::String; };
      auto isNamedList = [&](const Value& value) {
        return value.expr && typeOf(value.type).kind == TypeKind::Array && scalarOf(typeOf(value.type).element) &&
               !std::holds_alternative<MakeElements>(program_.expr(value.expr).node);
      };
      if ((isText(left) || isText(right)) && op == BinaryOp::Add) builder.help(joinedTextHelp(left, right));
      else if (isView(left.type) || isView(right.type) || (compares && isNamedList(left) && left.type == right.type))
        builder.help(arrayOperatorHelp(op, left, right));
      else if (op == BinaryOp::BitXor && (isFloatingPoint(left) || isFloatingPoint(right)))
        builder.help(fmt::format("a power is written `{}`; `^` is the exclusive or of integers",
                                 powerText(shorten(left.range), shorten(right.range))));
      if (const auto* list = left.expr && typeOf(left.type).kind == TypeKind::Array && opText == "*"
                                 ? std::get_if<MakeElements>(&program_.expr(left.expr).node)
                                 : nullptr;
          list && list->items.size() == 1)
        builder.help(
            fmt::format("an array value of equal items is [{0}; 8]; an array of the device full[{1}](n, value: {0})",
                        shorten(program_.expr(list->items[0]).range), spellType(typeOf(left.type).element)));
    }
    return errorValue(range);
  };
  if (isDeclared(left.type) || isDeclared(right.type)) {
    if (typeOf(left.type).kind == TypeKind::Unit || typeOf(right.type).kind == TypeKind::Unit || isView(left.type) ||
        isView(right.type))
      return wrong();
    return declaredBinary(op, std::move(left), std::move(right), range);
  }
  if (typeOf(left.type).kind == TypeKind::Tuple && left.type == right.type && plainSize(left.type) &&
      (op == BinaryOp::Eq || op == BinaryOp::Ne))
    return equality(op == BinaryOp::Ne, std::move(left), std::move(right), range);
  const bool leftUntyped = isUntyped(left.type), rightUntyped = isUntyped(right.type);
  if (typeOf(left.type).kind == TypeKind::String && typeOf(right.type).kind == TypeKind::String) {
    if (op != BinaryOp::Eq && op != BinaryOp::Ne) {
      auto builder = report(Diag::OperandTypes, range, {opText, "text", "text"});
      if (op == BinaryOp::Add) builder.help(joinedTextHelp(left, right));
      return errorValue(range);
    }
    const TExprId l = materialize(left), r = materialize(right);
    Value equal = code(types().boolean(), range, TextEqual{l, r});
    return op == BinaryOp::Eq ? equal : code(types().boolean(), range, LogicNot{equal.expr});
  }
  if (isVector(left.type) || isVector(right.type)) {
    if ((!leftUntyped && !numberOf(left.type)) || (!rightUntyped && !numberOf(right.type))) return wrong();
    return vectorBinary(op, std::move(left), std::move(right), range);
  }
  auto ls = scalarOf(left.type), rs = scalarOf(right.type);
  if ((!ls && !leftUntyped) || (!rs && !rightUntyped)) return wrong();

  if (leftUntyped && rightUntyped) {
    if (isBits &&
        (typeOf(left.type).kind == TypeKind::UntypedFloat || typeOf(right.type).kind == TypeKind::UntypedFloat))
      return wrong();
    Folded folded = fold(op, *left.constant, *right.constant, std::nullopt);
    if (folded.failure == FoldFailure::DivideByZero) {
      report(Diag::DivisionByZero, range, {});
      return errorValue(range);
    }
    if (folded.failure == FoldFailure::Overflow) {
      report(Diag::ConstantDoesNotFit, range, {shorten(range), "a constant", "it is too large"});
      return errorValue(range);
    }
    if (!folded.value) return wrong();
    if (compares) return constantValue(types().boolean(), *folded.value, range);
    Value result =
        constantValue(folded.value->kind == ConstValue::Kind::Float ? types().untypedFloat() : types().untypedInt(),
                      *folded.value, range);
    result.cut = left.cut.valid() ? left.cut : right.cut;
    return result;
  }

  // Find the type that both sides take.
  TypeId common;
  if (isShift) {
    if (leftUntyped) {
      if (typeOf(left.type).kind == TypeKind::UntypedFloat) return wrong();
      const auto hint = scalarOf(expected);
      left = convertValue(left, defaultType(left, hint && isInteger(*hint) ? expected : TypeId{}));
      ls = scalarOf(left.type);
    }
    if (!ls || !isInteger(*ls) || (rs && !isInteger(*rs)) ||
        (rightUntyped && typeOf(right.type).kind == TypeKind::UntypedFloat))
      return wrong();
    common = left.type;
    if (rightUntyped) {
      const Wide count = right.constant->integer;
      if (count < 0 || count >= static_cast<Wide>(bitsOf(*ls))) {
        report(Diag::ShiftCount, right.range, {spell(*right.constant), spellType(common), std::to_string(bitsOf(*ls))});
        return errorValue(range);
      }
      right = constantValue(common, *right.constant, right.range);
    } else if (right.type != common) {
      right = conversionCall(*ls, right, right.range);
    }
  } else if (leftUntyped || rightUntyped) {
    Value& untyped = leftUntyped ? left : right;
    common = leftUntyped ? right.type : left.type;
    const Scalar scalar = *scalarOf(common);
    if (scalar == Scalar::Bool || (isBits && isFloat(scalar))) return wrong();
    if (isInteger(scalar) && untyped.constant->kind == ConstValue::Kind::Float) {
      report(Diag::OperandTypes, range, {opText, spellType(left.type), spellType(right.type)})
          .help(fmt::format("convert the integer: {}({})",
                            scalarOf(expected) && isFloat(*scalarOf(expected)) ? spellType(expected) : "f32",
                            shorten((leftUntyped ? right : left).range)));
      return errorValue(range);
    }
    untyped = convertValue(untyped, common);
    if (isError(untyped.type)) return errorValue(range);
  } else if (ls == Scalar::Bool || rs == Scalar::Bool) {
    const bool allowed = ls == rs && (op == BinaryOp::Eq || op == BinaryOp::Ne);
    if (!allowed) {
      if (ls == rs && (op == BinaryOp::BitAnd || op == BinaryOp::BitOr || op == BinaryOp::BitXor)) {
        report(Diag::OperandTypes, range, {opText, "bool", "bool"})
            .help(op == BinaryOp::BitAnd  ? "write `and`"
                  : op == BinaryOp::BitOr ? "write `or`"
                                          : "write `!=`");
        return errorValue(range);
      }
      return wrong();
    }
    common = left.type;
  } else {
    if (isBits && (isFloat(*ls) || isFloat(*rs))) return wrong();
    auto scalar = commonScalar(*ls, *rs);
    if (!scalar) {
      if (isSignMix(*ls, *rs)) {
        report(Diag::SignMix, range, {opText, spellType(left.type), spellType(right.type)})
            .help(fmt::format("write {}({}) or {}({})", spellType(right.type), shorten(left.range),
                              spellType(left.type), shorten(right.range)));
      } else {
        const bool leftIsFloat = isFloat(*ls);
        const Value& other = leftIsFloat ? right : left;
        report(Diag::OperandTypes, range, {opText, spellType(left.type), spellType(right.type)})
            .help(fmt::format("convert one side: {}({})", spellType(leftIsFloat ? left.type : right.type),
                              shorten(other.range)));
      }
      return errorValue(range);
    }
    common = types().scalar(*scalar);
    left = convertValue(left, common);
    right = convertValue(right, common);
    if (isError(left.type) || isError(right.type)) return errorValue(range);
  }
  const Scalar scalar = *scalarOf(common);
  if (isFloat8(scalar) && !compares) {
    report(Diag::OperandTypes, range, {opText, spellType(left.type), spellType(right.type)})
        .help(fmt::format("8-bit floats only store numbers: write f32({})",
                          shorten((left.constant ? right : left).range)));
    return errorValue(range);
  }
  const TypeId result = compares ? types().boolean() : common;
  if (left.constant && right.constant) {
    Folded folded = fold(op, *left.constant, *right.constant, scalar);
    if (folded.value) return constantValue(result, *folded.value, range);
    if (folded.failure == FoldFailure::DivideByZero) {
      report(Diag::DivisionByZero, range, {});
      return errorValue(range);
    }
  }
  if ((op == BinaryOp::Div || op == BinaryOp::Rem) && isInteger(scalar) && right.constant &&
      right.constant->integer == 0) {
    report(Diag::DivisionByZero, range, {});
    return errorValue(range);
  }
  const bool rightIsNonZero = right.constant && right.constant->integer != 0;
  TExprId l = materialize(left), r = materialize(right);
  if (compares) return code(result, range, Compare{op, l, r});
  SiteId site;
  if (isInteger(scalar)) {
    if (op == BinaryOp::Div || op == BinaryOp::Rem) {
      if (!rightIsNonZero) site = addSite(SiteKind::DivideByZero, range);
    } else if (isHostCode() && isSignedInteger(scalar) &&
               (op == BinaryOp::Add || op == BinaryOp::Sub || op == BinaryOp::Mul)) {
      site = addSite(SiteKind::Overflow, range);
    }
  }
  return code(common, range, Arithmetic{op, l, r, site});
}

Value Checker::checkTuple(const TupleExpr& node, Range range, TypeId expected) {
  std::vector<TypeId> itemTypes;
  std::vector<TExprId> items;
  const Type hint = typeOf(expected);
  bool ok = true;
  for (size_t i = 0; i < node.items.size(); ++i) {
    const TypeId itemHint = hint.kind == TypeKind::Tuple && !hint.record && hint.items.size() == node.items.size()
                                ? hint.items[i]
                                : TypeId{};
    Value value = checkExpr(node.items[i], itemHint);
    if (!isError(value.type) && typeOf(value.type).kind == TypeKind::Unit) {
      report(Diag::NoValue, value.range, {});
      value = errorValue(value.range);
    }
    if (isError(value.type)) {
      ok = false;
      continue;
    }
    if (!isError(itemHint) && fitsType(value, itemHint)) value = convertValue(value, itemHint);
    items.push_back(materialize(value));
    itemTypes.push_back(value.type);
  }
  if (!ok) return errorValue(range);
  const TypeId type = tupleType(itemTypes, range);
  if (isError(type)) return errorValue(range);
  return code(type, range, MakeTuple{std::move(items)});
}

Value Checker::checkTupleItem(const TupleItemExpr& node, Range range) {
  Value base = checkExpr(node.base);
  if (isError(base.type)) return errorValue(range);
  const Type& type = typeOf(base.type);
  if (type.kind != TypeKind::Tuple || type.record) {
    auto builder = report(Diag::UnknownMember, range, {spellType(base.type), std::to_string(node.position)});
    if (type.record && node.position < types().record(base.type).members.size())
      builder.help(
          fmt::format("a member of a struct has a name: write .{}", types().record(base.type).members[node.position]));
    return errorValue(range);
  }
  if (node.position >= type.items.size()) {
    report(Diag::UnknownMember, range, {spellType(base.type), std::to_string(node.position)});
    return errorValue(range);
  }
  if (const auto* made = std::get_if<MakeTuple>(&program_.expr(base.expr).node); made && isConstantData(base.expr))
    return constantPart(made->items[node.position], range);
  return code(type.items[node.position], range, TupleItem{base.expr, node.position});
}

Value Checker::checkMember(const MemberExpr& node, Range range) {
  const std::string_view member = text(node.member.name);
  List<Argument> statics;
  if (Entity* entity = typeEntity(node.base, statics)) {
    if (entity->kind == Entity::Kind::Enum) {
      const TypeId type = *namedType(*entity, statics, expr(node.base).range);
      return isError(type) ? errorValue(range) : enumValue(type, node.member, range);
    }
    const std::string owner(text(entity->name));
    if (entity->methods.contains(node.member.name))
      report(Diag::FunctionAsValue, range, {std::string(member), "function"})
          .help(fmt::format("call it: {}.{}(...)", owner, member));
    else
      report(Diag::UnknownMember, node.member.range, {fmt::format("the struct {}", owner), std::string(member)})
          .help(fmt::format("members belong to values of it: `let value = {}(...)`, then value.{}", owner, member));
    return errorValue(range);
  }
  if (const auto* name = std::get_if<NameExpr>(&expr(node.base).node); name && !findBinding(name->name)) {
    const std::string_view base = text(name->name);
    Entity* entity = findEntity(name->name, ctx_->home);
    ModuleScope* module = visibleModule(name->name);
    if (!entity && !module) {
      if (base == "block") return blockMember(node.member, range);
      if (base == "thread") return threadMember(node.member, range);
      if (base == "args") {
        if (!hostOnly("args", range)) return errorValue(range);
        if (member == "len") return code(types().index(), range, ArgumentCount{});
        report(Diag::UnknownMember, node.member.range, {"args", std::string(member)})
            .help("args.len is the number of arguments, args[0] the first");
        return errorValue(range);
      }
      if (base == "target") return targetMember(node.member, range);
      if (base == "device") return deviceMember(node.member, range);
      if (base == "warp" || base == "cluster" || base == "atomic") {
        notYet(range, fmt::format("{}.{}", base, member));
        return errorValue(range);
      }
    }
    if (module) {
      if (module->name == "math" && !module->isFile && findMath(member)) {
        report(Diag::FunctionAsValue, range, {std::string(member), "function"})
            .help(fmt::format("call it: {}(...)", member));
        return errorValue(range);
      }
      Entity* found = moduleMember(*module, node.member);
      return found ? valueOf(*found, range) : errorValue(range);
    }
    if (!entity && !findScalar(base)) {
      reportUnknownName(base, expr(node.base).range);
      return errorValue(range);
    }
  }
  if (const auto type = typeBefore(node.base)) return typeMember(*type, node.member, range);
  if (const auto* pack = std::get_if<NameExpr>(&expr(node.base).node); pack && member == "len")
    if (const auto binding = findBinding(pack->name); binding && binding->kind == Binding::Kind::Pack)
      return constantValue(types().index(), ConstValue::ofInt(static_cast<Wide>(binding->pack.size())), range);
  Value base = checkExpr(node.base);
  if (isError(base.type)) return errorValue(range);
  if (isView(base.type)) {
    if (member == "len") {
      if (typeOf(base.type).rank == 1) return viewExtent(base.expr, 0, range);
      if (typeOf(base.type).strided) {
        Value count = viewExtent(base.expr, 0, range);
        for (unsigned d = 1; d < typeOf(base.type).rank; ++d)
          count = code(types().index(), range,
                       Arithmetic{BinaryOp::Mul, count.expr, viewExtent(base.expr, d, range).expr, {}});
        return count;
      }
      return viewExtent(program_.addExpr(types().view(typeOf(base.type).element, 1, typeOf(base.type).writable),
                                         base.range, ViewFlat{base.expr}),
                        0, range);
    }
    if (member == "flat" && typeOf(base.type).strided) {
      auto builder = report(Diag::StridedView, base.range, {shorten(base.range), " for `flat`"});
      if (isHostCode()) builder.help(fmt::format("write copy({}).flat", shorten(base.range)));
      return errorValue(range);
    }
    if (member == "flat")
      return code(types().view(typeOf(base.type).element, 1, typeOf(base.type).writable), range, ViewFlat{base.expr});
    if (member == "shape") {
      std::string sizes;
      for (unsigned d = 0; d < typeOf(base.type).rank; ++d)
        sizes += fmt::format("{}{}.shape[{}]", d ? ", " : "", shorten(base.range), d);
      report(Diag::ShapeNeedsIndex, range, {})
          .help(typeOf(base.type).rank > 1 ? fmt::format("write ({})", sizes) : fmt::format("write {}", sizes));
      return errorValue(range);
    }
    static constexpr std::string_view members[] = {"len", "flat", "shape"};
    auto builder = report(Diag::UnknownMember, node.member.range, {spellType(base.type), std::string(member)});
    if (member == "size" || member == "length") builder.help("did you mean `len`?");
    else if (member == "ndim" || member == "rank" || member == "dim")
      builder.help(fmt::format("the number of dimensions is part of the type: {}", typeOf(base.type).rank));
    else if (member == "dtype")
      builder.help(
          fmt::format("the type of the elements is part of the type: {}", spellType(typeOf(base.type).element)));
    else if (member == "T") builder.help("nothing is transposed by itself; swap the indices where the array is read");
    else if (std::string near = nearestName(member, {std::begin(members), std::end(members)}); !near.empty())
      builder.help(fmt::format("did you mean `{}`?", near));
    return errorValue(range);
  }
  if (typeOf(base.type).kind == TypeKind::String && member == "len")
    return code(types().index(), range, TextLength{materialize(base)});
  if (isVector(base.type)) return vectorMember(base, node.member, range);
  if (types().isStruct(base.type)) return structMember(base, node.member, range);
  if (typeOf(base.type).kind == TypeKind::Array && member == "len")
    return constantValue(types().index(), ConstValue::ofInt(static_cast<Wide>(typeOf(base.type).count)), range);
  const std::string_view baseText = session_.sources.text(base.range);
  auto builder = report(Diag::UnknownMember, node.member.range, {spellType(base.type), std::string(member)});
  if (member == "x" || member == "y" || member == "z") {
    if (baseText.starts_with("threadIdx") || baseText.starts_with("blockIdx"))
      builder.help("threads and blocks have the names that the kernel's domain gives them");
  }
  return errorValue(range);
}

}  // namespace rad::sema

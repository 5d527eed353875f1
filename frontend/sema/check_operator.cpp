// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that programs declare for their own types, and what `==` means without one.
#include "frontend/sema/checker.h"
#include "frontend/sema/in_callee.h"

#include <fmt/format.h>

#include <algorithm>

namespace rad::sema {
namespace {

constexpr size_t largestCompared = 64;  // scalars of a value that `==` looks at one by one

}  // namespace

void Checker::declareOperator(Entity& entity, const FnDecl& decl, ModuleScope& scope) {
  const std::string_view name = text(entity.name);
  if (decl.hasSelf) {
    report(Diag::OperatorForm, entity.range, {std::string(name), "`self`"})
        .help(fmt::format("an operator names its operands: operator {}(a: T, b: T) -> T {{ ... }}", name));
    return;
  }
  const size_t count = decl.params.size();
  const bool canBeUnary = name == "-" || name == "~";
  if (count != 2 && !(canBeUnary && count == 1)) {
    report(Diag::OperatorForm, entity.range,
           {std::string(name), count == 1 ? "1 operand" : fmt::format("{} operands", count)})
        .help(canBeUnary ? fmt::format("`{}` has one operand, or two", name)
                         : fmt::format("`{}` has two operands", name));
    return;
  }
  for (const Param& param : decl.params)
    if (param.isMut || param.defaultValue || functionType(param.type, *entity.ast) ||
        (param.type && std::holds_alternative<SpreadExpr>(expr(*entity.ast, param.type).node))) {
      report(Diag::OperatorForm, param.name.range, {std::string(name), "this operand"})
          .help("an operand has a name and a type: no `mut`, no default, no `...`");
      return;
    }
  scope.operators.push_back(&entity);
}

void Checker::checkOperator(Entity& entity, const FnDecl& decl, ModuleScope& scope) {
  // Without compile-time parameters its operands are known: one of them is of a type that a program declares.
  if (!staticParamsOf(entity, decl).empty()) return;
  const auto operands = operandTypes(entity, decl, {});
  if (!operands) return;
  if (std::none_of(operands->begin(), operands->end(), [&](TypeId type) { return isDeclared(type); })) {
    report(Diag::OperatorForm, entity.range, {std::string(text(entity.name)), "operands of these types"})
        .help("an operator is declared for structs and enums; what it means for numbers, vectors and arrays is fixed");
    return;
  }
  for (Entity* other : scope.operators) {
    if (other == &entity) return;
    const auto& otherDecl = std::get<FnDecl>(other->ast->decl(other->decl).node);
    if (other->name != entity.name || !staticParamsOf(*other, otherDecl).empty()) continue;
    if (operandTypes(*other, otherDecl, {}) == operands) {
      report(Diag::Redefined, entity.range, {fmt::format("operator {}", text(entity.name))})
          .note(other->range, "first defined here, for the same operands");
      return;
    }
  }
}

/// A type that a program declares.
bool Checker::isDeclared(TypeId type) const { return session_.types.isStruct(type) || session_.types.isEnum(type); }

std::optional<std::vector<TypeId>> Checker::operandTypes(Entity& entity, const FnDecl& decl,
                                                         const std::vector<StaticValue>& statics) {
  std::vector<TypeId> result;
  for (const Param& param : decl.params) {
    const TypeId type = inCallee(entity, functionScope(entity, decl, statics), [&] { return resolveType(param.type); });
    if (isError(type)) return std::nullopt;
    result.push_back(type);
  }
  return result;
}

std::vector<Entity*> Checker::operatorsFor(std::string_view name, const std::vector<Value>& operands) {
  std::vector<Entity*> found;
  auto look = [&](ModuleScope* scope, bool privateToo) {
    for (auto it = scope->operators.rbegin(); it != scope->operators.rend(); ++it) {
      const auto& decl = std::get<FnDecl>((*it)->ast->decl((*it)->decl).node);
      const bool isSeen = privateToo || !(*it)->isPrivate;
      if (text((*it)->name) == name && decl.params.size() == operands.size() && isSeen &&
          std::find(found.begin(), found.end(), *it) == found.end())
        found.push_back(*it);
    }
  };
  for (ModuleScope* scope = ctx_->home; scope; scope = scope->outer) look(scope, true);
  // Those that stand where the types of the operands do need no import.
  for (const Value& operand : operands)
    if (auto it = session_.structs.find(operand.type.value); it != session_.structs.end())
      look(it->second.entity->home, false);
  return found;
}

std::optional<Value> Checker::declaredOperator(std::string_view name, const std::vector<Value>& operands, Range range) {
  if (std::none_of(operands.begin(), operands.end(), [&](const Value& operand) { return isDeclared(operand.type); }))
    return std::nullopt;
  struct Candidate {
    Entity* entity;
    std::vector<StaticValue> statics;
    unsigned exact;
  };
  std::optional<Candidate> best;
  bool isAmbiguous = false;
  Entity* other = nullptr;
  for (Entity* entity : operatorsFor(name, operands)) {
    const auto& decl = std::get<FnDecl>(entity->ast->decl(entity->decl).node);
    const List<StaticParam> params = staticParamsOf(*entity, decl);
    PreparedCall call;
    for (const Value& operand : operands) call.values.push_back({operand});
    call.functions.resize(operands.size());
    call.captured.resize(operands.size());
    std::vector<std::optional<StaticValue>> found(params.size());
    // A candidate that does not fit is none: nothing is said about it.
    Diagnostics quiet;
    std::swap(diags_, quiet);
    bool fits = inferStatics(*entity, params, decl.params, range, call, found);
    Candidate candidate{entity, {}, 0};
    if (fits) {
      for (const auto& value : found) candidate.statics.push_back(*value);
      const auto wanted = operandTypes(*entity, decl, candidate.statics);
      fits = wanted.has_value();
      for (size_t i = 0; fits && i < operands.size(); ++i) {
        fits = fitsType(operands[i], (*wanted)[i]);
        candidate.exact += operands[i].type == (*wanted)[i];
      }
    }
    std::swap(diags_, quiet);
    if (!fits) continue;
    // What is nearer hides what means the same: the last entry of a session, then imports.
    if (best &&
        (candidate.exact < best->exact || (candidate.exact == best->exact && entity->home != best->entity->home)))
      continue;
    isAmbiguous = best && candidate.exact == best->exact;
    if (isAmbiguous) other = entity;
    if (!isAmbiguous) best = std::move(candidate);
  }
  if (!best) return std::nullopt;
  if (isAmbiguous) {
    report(Diag::OperatorAmbiguous, range,
           {std::string(name), spellType(operands[0].type),
            operands.size() > 1 ? " and " + spellType(operands[1].type) : std::string()})
        .note(best->entity->range, "this one fits")
        .note(other->range, "and so does this one")
        .help("convert the operands to the types of one of them");
    return errorValue(range);
  }
  const auto& decl = std::get<FnDecl>(best->entity->ast->decl(best->entity->decl).node);
  PreparedCall call;
  for (const Value& operand : operands) {
    call.values.push_back({operand});
    call.written.emplace_back();
  }
  call.statics = std::move(best->statics);
  call.functions.resize(operands.size());
  call.captured.resize(operands.size());
  return finishCall(*best->entity, decl, call, ctx_->canHoist, range);
}

Value Checker::operatorMissing(std::string_view name, const std::vector<Value>& operands, Range range) {
  if (operands.size() == 1) {
    report(Diag::UnaryOperand, range, {std::string(name), spellType(operands[0].type)})
        .help(fmt::format("declare it: operator {}(a: {}) -> {} {{ ... }}", name, spellType(operands[0].type),
                          spellType(operands[0].type)));
    return errorValue(range);
  }
  auto spelled = [&](const Value& value) {
    return isUntyped(value.type) ? spellType(defaultType(value)) : spellType(value.type);
  };
  const std::string left = spelled(operands[0]), right = spelled(operands[1]);
  auto builder =
      report(Diag::OperandTypes, range, {std::string(name), spellType(operands[0].type), spellType(operands[1].type)});
  if (isDeclared(operands[0].type) && isDeclared(operands[1].type)) {
    auto declared = [&](const Value& value) {
      return session_.structs.at(value.type.value).entity->range.begin.offset;
    };
    const bool isLeftOlder = declared(operands[0]) < declared(operands[1]);
    const Value &older = operands[isLeftOlder ? 0 : 1], &newer = operands[isLeftOlder ? 1 : 0];
    if (noteNamesakes(builder, newer.type, older.type, shorten(older.range))) return errorValue(range);
  }
  const bool isEnum = types().isEnum(operands[0].type) || types().isEnum(operands[1].type);
  const bool compares = name == "<" || name == "<=" || name == ">" || name == ">=";
  if (isEnum && compares && operands[0].type == operands[1].type) {
    builder.help(fmt::format("compare their numbers: i32({}) {} i32({})", shorten(operands[0].range), name,
                             shorten(operands[1].range)));
    return errorValue(range);
  }
  if (isEnum && isDeclared(operands[0].type) != isDeclared(operands[1].type)) {
    const Value& value = isDeclared(operands[0].type) ? operands[0] : operands[1];
    builder.help(fmt::format("`i32({})` is its number; its values are {}.{} and so on", shorten(value.range),
                             spellType(value.type), types().record(value.type).members[0]));
    return errorValue(range);
  }
  const bool isOther = left != right && isDeclared(operands[0].type) && isDeclared(operands[1].type);
  if (!isOther || name != "==")
    builder.help(fmt::format("declare it: operator {}(a: {}, b: {}) -> {} {{ ... }}", name, left, right,
                             compares || name == "==" || name == "!=" ? "bool"
                             : isDeclared(operands[0].type)           ? left
                                                                      : right));
  return errorValue(range);
}

Value Checker::declaredBinary(BinaryOp op, Value left, Value right, Range range) {
  const std::string_view name = spelling(op);
  const std::vector<Value> operands{left, right};
  if (auto found = declaredOperator(name, operands, range)) return *found;
  const bool isEqual = op == BinaryOp::Eq, isUnequal = op == BinaryOp::Ne;
  if (isUnequal)
    if (auto equal = declaredOperator("==", operands, range)) {
      if (isError(equal->type)) return *equal;
      if (scalarOf(equal->type) == Scalar::Bool) return code(equal->type, range, LogicNot{materialize(*equal)});
    }
  if ((isEqual || isUnequal) && left.type == right.type)
    return equality(isUnequal, std::move(left), std::move(right), range);
  return operatorMissing(name, operands, range);
}

Value Checker::equality(bool negated, Value left, Value right, Range range) {
  if (left.constant && right.constant)  // of an enum
    return constantValue(types().boolean(),
                         ConstValue::ofBool((left.constant->integer == right.constant->integer) != negated), range);
  const TypeId boolean = types().boolean();
  if (types().isEnum(left.type))
    return code(boolean, range, Compare{negated ? BinaryOp::Ne : BinaryOp::Eq, materialize(left), materialize(right)});
  std::vector<Part> parts;
  partsOf(left.type, "", parts);
  if (parts.size() > largestCompared) {
    report(Diag::LargeComparison, range,
           {std::to_string(largestCompared), spellType(left.type), std::to_string(parts.size())})
        .help("compare the members that matter");
    return errorValue(range);
  }
  std::vector<TStmtId> statements;
  std::vector<TStmtId>* const saved = std::exchange(ctx_->out, &statements);
  const TExprId l = keep(materialize(left)), r = keep(materialize(right));
  std::vector<TExprId> lefts, rights;
  readParts(l, range, lefts);
  readParts(r, range, rights);
  TExprId all;
  for (size_t i = 0; i < lefts.size(); ++i) {
    const TExprId one = program_.addExpr(boolean, range, Compare{BinaryOp::Eq, lefts[i], rights[i]});
    all = all ? program_.addExpr(boolean, range, Arithmetic{BinaryOp::BitAnd, all, one, {}}) : one;
  }
  if (negated) all = program_.addExpr(boolean, range, LogicNot{all});
  ctx_->out = saved;
  if (statements.empty()) return {boolean, all, {}, range};
  return code(boolean, range, BlockValue{std::move(statements), all});
}

}  // namespace rad::sema

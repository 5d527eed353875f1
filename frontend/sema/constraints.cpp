// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What types a compile-time parameter may be: the constraints that every program knows, and sets of types (`type Real =
// f32 | f64`).
#include "frontend/sema/checker.h"
#include "frontend/sema/in_callee.h"
#include "frontend/types/float_format.h"

#include <fmt/format.h>

namespace rad::sema {
namespace {

/// Whether a type, of which the scalar or the elements are given, meets a constraint that every program knows; none: it
/// is none.
std::optional<bool> meetsKnown(std::string_view name, std::optional<Scalar> scalar, std::optional<Scalar> number) {
  if (name == "Numbers") return number && isNumber(*number);
  if (name == "Floats") return number && isNumber(*number) && isFloat(*number);
  if (name == "Number") return scalar && isNumber(*scalar);
  if (name == "Integer") return scalar && isInteger(*scalar);
  if (name == "Float") return scalar && isFloat(*scalar) && isNumber(*scalar);
  if (name == "Signed") return scalar && isNumber(*scalar) && !isUnsignedInteger(*scalar);
  if (name == "Unsigned") return scalar && isUnsignedInteger(*scalar);
  if (name == "Any" || name == "Scalar") return scalar.has_value();
  return std::nullopt;
}

}  // namespace

std::optional<bool> Checker::meets(ExprId constraint, TypeId type) {
  const Expr& node = expr(constraint);
  if (const auto* paren = std::get_if<ParenExpr>(&node.node)) return meets(paren->inner, type);
  if (const auto* both = std::get_if<BinaryExpr>(&node.node); both && both->op == BinaryOp::BitOr) {
    const auto left = meets(both->left, type), right = meets(both->right, type);
    return left && right ? std::optional(*left || *right) : std::nullopt;
  }
  if (const auto* name = std::get_if<NameExpr>(&node.node); name && !findBinding(name->name)) {
    Entity* const entity = findEntity(name->name, ctx_->home);
    if (!entity)
      if (const auto known = meetsKnown(text(name->name), scalarOf(type), numberOf(type))) return known;
    if (entity && entity->kind == Entity::Kind::TypeAlias) {
      const auto& decl = std::get<TypeAliasDecl>(entity->ast->decl(entity->decl).node);
      if (entity->state == Entity::State::Busy) {
        report(Diag::ConstantCycle, node.range, {std::string(text(entity->name))});
        return std::nullopt;
      }
      if (decl.staticParams.empty()) {
        entity->state = Entity::State::Busy;
        const auto met = inCallee(*entity, {}, [&] { return meets(decl.type, type); });
        entity->state = Entity::State::New;
        return met;
      }
    }
  }
  const size_t errors = diags_.errorCount();
  if (const auto exact = tryType(constraint)) return isError(*exact) ? std::nullopt : std::optional(*exact == type);
  if (diags_.errorCount() == errors)
    report(Diag::UnknownConstraint, node.range, {shorten(node.range)})
        .help(
            "the constraints are Number, Integer, Float, Signed, Unsigned and Scalar; Numbers and Floats take vectors, "
            "too; `type Real = f32 | f64` declares one");
  return std::nullopt;
}

void Checker::reportConstraint(ExprId constraint, TypeId type, Ident param, std::string_view callee, Range range,
                               const Ast& calleeAst) {
  const Expr& node = expr(calleeAst, constraint);
  const std::string spelled = shorten(node.range);
  auto builder = report(Diag::ConstraintNotMet, range,
                        {spellType(type), spelled, std::string(text(param.name)), std::string(callee)});
  builder.note(param.range, "declared here");
  std::vector<std::string> fitting;
  bool known = false;
  for (unsigned i = 0; i <= static_cast<unsigned>(Scalar::F8E5M2); ++i) {
    const Scalar scalar = static_cast<Scalar>(i);
    const auto met = meetsKnown(spelled, scalar, scalar);
    known = known || met;
    if (met.value_or(false)) fitting.emplace_back(spelling(scalar));
  }
  if (!known) {
    const auto* name = std::get_if<NameExpr>(&node.node);
    Entity* const entity = name ? findEntity(name->name, unit_) : nullptr;
    if (entity && entity->kind == Entity::Kind::TypeAlias)
      builder.help(fmt::format(
          "{} is {}", spelled,
          shorten(expr(*entity->ast, std::get<TypeAliasDecl>(entity->ast->decl(entity->decl).node).type).range)));
    return;
  }
  std::string list;
  for (size_t i = 0; i < fitting.size(); ++i)
    list += (i == 0 ? "" : i + 1 == fitting.size() ? " and " : ", ") + fitting[i];
  if (spelled == "Numbers" || spelled == "Floats") list += ", and vectors of them";
  builder.help(fmt::format("{} is {}", spelled, list));
}

TypeId Checker::staticType(Entity& entity, const StaticParam& param, const LocalScope& scope) {
  if (!param.constraintOrType) return types().index();
  const TypeId type = inCallee(entity, scope, [&] { return resolveType(param.constraintOrType); });
  if (isError(type) || plainSize(type)) return type;
  report(Diag::ConstantParameter, param.name.range, {std::string(text(param.name.name)), spellType(type)})
      .help("numbers, enums, vectors, tuples, structs and array values can be known at compile time");
  return types().error();
}

TypeId Checker::aliasInstance(Entity& entity, List<Argument> given, Range range) {
  const auto& decl = std::get<TypeAliasDecl>(entity.ast->decl(entity.decl).node);
  if (entity.state == Entity::State::Busy) {
    report(Diag::ConstantCycle, range, {std::string(text(entity.name))});
    return types().error();
  }
  std::vector<std::optional<StaticValue>> found(decl.staticParams.size());
  PreparedCall none;
  if (!givenStatics(entity, decl.staticParams, given, range, found) ||
      !inferStatics(entity, decl.staticParams, {}, range, none, found))
    return types().error();
  std::vector<StaticValue> values;
  for (const auto& value : found) values.push_back(*value);
  entity.state = Entity::State::Busy;
  const TypeId type = inCallee(entity, staticScope(decl.staticParams, values), [&] { return resolveType(decl.type); });
  entity.state = Entity::State::New;
  return type;
}

}  // namespace rad::sema

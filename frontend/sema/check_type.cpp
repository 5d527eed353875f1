// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Expressions that name types.
#include "frontend/sema/checker.h"
#include "frontend/sema/in_callee.h"

#include <fmt/format.h>

namespace rad::sema {

bool Checker::canBeElement(TypeId type, Range range) {
  if (isError(type)) return false;
  const auto size = plainSize(type);
  if (!size) {
    report(Diag::ElementType, range, {"an array", spellType(type)});
    return false;
  }
  constexpr uint64_t largest = 32767;  // bytes: the runtime's name of an element's type has room for no more
  if (!numberOf(type) && (*size > largest || types().compounds().size() > 65535)) {
    report(Diag::ElementSize, range, {spellType(type), std::to_string(*size), std::to_string(largest)})
        .help("an array of more dimensions takes what a large element holds");
    return false;
  }
  return true;
}

TypeId Checker::aliasedType(Entity& entity, Range range) {
  const auto& decl = std::get<TypeAliasDecl>(entity.ast->decl(entity.decl).node);
  if (entity.state == Entity::State::Busy) {
    report(Diag::ConstantCycle, range, {std::string(text(entity.name))});
    return types().error();
  }
  if (!decl.staticParams.empty()) return aliasInstance(entity, {}, range);
  if (const Expr& written = expr(*entity.ast, decl.type); std::holds_alternative<BinaryExpr>(written.node)) {
    report(Diag::TypeSetAsType, range, {std::string(text(entity.name))})
        .note(entity.range, "declared here")
        .help(fmt::format("let a type parameter be one of it: `[T: {}]`", text(entity.name)));
    return types().error();
  }
  if (expr(*entity.ast, decl.type).kind() == ExprKind::FnType) {
    report(Diag::FunctionTypePlace, range, {})
        .note(entity.range, "declared here")
        .help("parameters of functions and kernels of the same file can have it");
    return types().error();
  }
  entity.state = Entity::State::Busy;
  const TypeId type = inCallee(entity, {}, [&] { return resolveType(decl.type); });
  entity.state = Entity::State::New;
  return type;
}

Entity* Checker::aliasInModule(const MemberExpr& node) {
  const auto* base = std::get_if<NameExpr>(&expr(node.base).node);
  ModuleScope* module = base && !findBinding(base->name) ? visibleModule(base->name) : nullptr;
  if (!module) return nullptr;
  auto found = module->names.find(node.member.name);
  if (found == module->names.end()) return nullptr;
  const Entity::Kind kind = found->second->kind;
  if (kind != Entity::Kind::TypeAlias && kind != Entity::Kind::Struct && kind != Entity::Kind::Enum) return nullptr;
  return moduleMember(*module, node.member);
}

std::optional<TypeId> Checker::tryType(ExprId id) {
  const Expr& node = expr(id);
  if (const auto* name = std::get_if<NameExpr>(&node.node)) {
    if (auto binding = findBinding(name->name)) {
      if (binding->kind == Binding::Kind::Type) return binding->type;
      return std::nullopt;
    }
    if (auto scalar = findScalar(text(name->name))) {
      return types().scalar(*scalar);
    }
    Entity* const entity = findEntity(name->name, ctx_->home);
    if (!entity)
      if (auto vector = namedVector(text(name->name), node.range)) return vector;
    if (entity && entity->kind == Entity::Kind::TypeAlias) return aliasedType(*entity, node.range);
    if (entity)
      if (auto type = namedType(*entity, {}, node.range)) return type;
    if (text(name->name) == "text") {
      // A function may take one; device code that calls it is told so where the text stands.
      if (ctx_->kind == Context::Kind::Kernel && !hostOnly("a text", node.range)) return types().error();
      return types().string();
    }
    return std::nullopt;
  }
  if (const auto* member = std::get_if<MemberExpr>(&node.node)) {
    const size_t errors = diags_.errorCount();
    if (Entity* entity = aliasInModule(*member)) {
      if (auto type = namedType(*entity, {}, node.range)) return type;
      return aliasedType(*entity, node.range);
    }
    return diags_.errorCount() == errors ? std::nullopt : std::optional(types().error());
  }
  if (const auto* view = std::get_if<RepeatExpr>(&node.node)) {
    auto element = tryType(view->value);
    if (!element) return std::nullopt;
    if (isError(*element)) return element;
    if (!canBeElement(*element, node.range)) return types().error();
    size_t rank = 0;
    for (ExprId dim : view->dims) {
      if (const auto* spread = std::get_if<SpreadExpr>(&expr(dim).node)) {
        if (const auto* name = std::get_if<NameExpr>(&expr(spread->inner).node))
          if (auto binding = findBinding(name->name); binding && binding->kind == Binding::Kind::Pack) {
            rank += binding->pack.size();
            continue;
          }
        report(Diag::SpreadNeedsPack, expr(dim).range, {})
            .help("an array of any number of dimensions is a parameter of a function: `fn f(x: [f32; shape...])`");
        return types().error();
      }
      ++rank;
    }
    if (rank > 4) {
      report(Diag::TooManyAxes, node.range, {"a view", "4 dimensions"});
      return types().error();
    }
    if (rank == 0) {
      report(Diag::EmptyShape, node.range, {});
      return types().error();
    }
    return types().view(*element, static_cast<unsigned>(rank), false);
  }
  if (const auto* tuple = std::get_if<TupleExpr>(&node.node)) {
    std::vector<TypeId> items;
    for (ExprId item : tuple->items) {
      auto type = tryType(item);
      if (!type) return std::nullopt;
      if (isError(*type)) return type;
      items.push_back(*type);
    }
    return tupleType(items, node.range);
  }
  if (const auto* paren = std::get_if<ParenExpr>(&node.node)) return tryType(paren->inner);
  if (const auto* strided = std::get_if<StridedExpr>(&node.node)) {
    auto type = tryType(strided->type);
    if (!type || isError(*type)) return type;
    const Type view = typeOf(*type);
    if (view.kind != TypeKind::View) {
      report(Diag::NotAType, node.range, {shorten(node.range)})
          .help(fmt::format("`strided` stands before the type of an array: strided [{}; n]", spellType(*type)));
      return types().error();
    }
    return types().view(view.element, view.rank, view.writable, true);
  }
  if (const auto* set = std::get_if<BinaryExpr>(&node.node); set && set->op == BinaryOp::BitOr && tryType(set->left)) {
    report(Diag::TypeSetAsType, node.range, {shorten(node.range)})
        .help("name it, and let a type parameter be one of it: `type Real = f32 | f64`, `fn f[T: Real](x: T)`");
    return types().error();
  }
  if (std::holds_alternative<FnTypeExpr>(node.node)) {
    report(Diag::FunctionTypePlace, node.range, {})
        .help("declare a function with such a parameter: fn apply(f: fn(f32) -> f32, x: f32) -> f32 = f(x)");
    return types().error();
  }
  if (std::holds_alternative<IndexExpr>(node.node)) {
    List<Argument> statics;
    if (Entity* entity = typeEntity(id, statics)) return namedType(*entity, statics, node.range);
  }
  if (const auto* index = std::get_if<IndexExpr>(&node.node))
    if (const auto* name = std::get_if<NameExpr>(&expr(index->base).node)) {
      std::string_view base = text(name->name);
      Entity* const entity = findEntity(name->name, ctx_->home);
      if (!entity && (base == "array" || base == "vec")) return typeWithCount(base, index->arguments, node.range);
      if (!entity && base == "ptr") {
        notYet(node.range, fmt::format("the type {}[...]", base));
        return types().error();
      }
      if (entity && entity->kind == Entity::Kind::TypeAlias)
        return aliasInstance(*entity, index->arguments, node.range);
    }
  return std::nullopt;
}

Checker::WrittenView Checker::writtenView(ExprId id) {
  if (!id) return {};
  const Expr& node = expr(id);
  if (const auto* view = std::get_if<RepeatExpr>(&node.node)) return {view, ast_, ctx_->home};
  if (const auto* strided = std::get_if<StridedExpr>(&node.node)) return writtenView(strided->type);
  if (const auto* paren = std::get_if<ParenExpr>(&node.node)) return writtenView(paren->inner);
  Entity* entity = nullptr;
  if (const auto* name = std::get_if<NameExpr>(&node.node); name && !findBinding(name->name))
    entity = findEntity(name->name, ctx_->home);
  else if (const auto* member = std::get_if<MemberExpr>(&node.node)) entity = aliasInModule(*member);
  if (!entity || entity->kind != Entity::Kind::TypeAlias || entity->state == Entity::State::Busy) return {};
  entity->state = Entity::State::Busy;
  const WrittenView found = inText({nullptr, entity->ast, entity->home}, [&] {
    return writtenView(std::get<TypeAliasDecl>(entity->ast->decl(entity->decl).node).type);
  });
  entity->state = Entity::State::New;
  return found;
}

void Checker::reportNotType(ExprId id) {
  const Expr& node = expr(id);
  const auto* name = std::get_if<NameExpr>(&node.node);
  if (std::holds_alternative<ErrorExpr>(node.node)) return;
  if (!name) {
    auto builder = report(Diag::NotAType, node.range, {shorten(node.range)});
    const auto* list = std::get_if<ArrayLitExpr>(&node.node);
    if (list && list->items.size() == 1)
      builder.help(fmt::format("write [{}; n]; `n` is a name for the size", shorten(expr(list->items[0]).range)));
    // f32[n, m], [f32, n]
    const auto* index = std::get_if<IndexExpr>(&node.node);
    if (index && !index->arguments.empty() && tryType(index->base))
      builder.help(fmt::format(
          "the type of an array is written [{}; {}]", shorten(expr(index->base).range),
          shorten(cover(expr(index->arguments[0].value).range, expr(index->arguments.back().value).range))));
    if (list && list->items.size() > 1 && tryType(list->items[0]))
      builder.help(fmt::format("the sizes stand behind a `;`: [{}; {}]", shorten(expr(list->items[0]).range),
                               shorten(cover(expr(list->items[1]).range, expr(list->items.back()).range))));
    return;
  }
  const std::string_view spelled = text(name->name);
  if (spelled == "void" || spelled == "None") {
    report(Diag::NotAType, node.range, {std::string(spelled)})
        .help("what gives no value has no result: leave `-> ...` out");
    return;
  }
  if (spelled == "list" || spelled == "List" || spelled == "ndarray" || spelled == "tensor" || spelled == "Tensor") {
    report(Diag::NotAType, node.range, {std::string(spelled)}).help("the type of an array is written [f32; n]");
    return;
  }
  if (std::string ours(meantScalar(spelled)); !ours.empty() || !(ours = vectorMeant(spelled)).empty()) {
    report(Diag::NotAType, node.range, {std::string(spelled)}).help(fmt::format("write {}", ours));
    return;
  }
  if (Entity* entity = findEntity(name->name, ctx_->home)) {
    if (entity->kind == Entity::Kind::Unsupported) return;  // said at its declaration
    report(Diag::NotAType, node.range, {std::string(spelled)});
    return;
  }
  std::vector<std::string_view> known;
  for (unsigned i = 0; i <= static_cast<unsigned>(Scalar::F8E5M2); ++i)
    known.push_back(spelling(static_cast<Scalar>(i)));
  for (ModuleScope* scope = ctx_->home; scope; scope = scope->outer)
    for (const auto& [symbol, declared] : scope->names)
      if (declared->kind == Entity::Kind::Struct || declared->kind == Entity::Kind::Enum ||
          declared->kind == Entity::Kind::TypeAlias)
        known.push_back(text(symbol));
  std::string near = nearestName(spelled, known);
  auto builder = report(Diag::NotAType, node.range, {std::string(spelled)});
  if (!near.empty()) builder.help(fmt::format("did you mean {}?", near));
}

TypeId Checker::resolveType(ExprId id) {
  const size_t before = diags_.errorCount();
  if (auto type = tryType(id)) return *type;
  if (diags_.errorCount() != before) return types().error();
  if (const auto* view = std::get_if<RepeatExpr>(&expr(id).node)) {
    reportNotType(view->value);
    return types().error();
  }
  reportNotType(id);
  return types().error();
}

}  // namespace rad::sema

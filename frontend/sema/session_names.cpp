// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What an interactive session asks: which names there are, what an expression is.
#include "frontend/parse/documentation.h"
#include "frontend/sema/session_impl.h"

#include <algorithm>

namespace rad {

using sema::Entity;
using sema::ModuleScope;

void Session::seeNewOnes(const ModuleScope& unit) {
  auto isCallable = [](const Entity& entity) {
    return entity.kind == Entity::Kind::Fn || entity.kind == Entity::Kind::Kernel;
  };
  for (const auto& [name, entity] : unit.names) {
    if (!isCallable(*entity)) continue;
    for (ModuleScope& earlier : impl_->units) {
      if (&earlier == &unit) continue;
      auto old = earlier.names.find(name);
      if (old != earlier.names.end() && isCallable(*old->second)) old->second = entity;
    }
  }
}

std::optional<TypedProgram> Session::checkApart(Ast ast, Diagnostics& diagnostics) {
  sema::SessionState& state = impl_->state;
  state.asts.push_back(std::make_unique<Ast>(std::move(ast)));
  impl_->units.push_back({.name = "", .outer = &state.session});
  const std::vector<Entity*> unassigned = state.unassigned;
  state.shownType.reset();
  const size_t first = diagnostics.all().size();
  auto program = sema::Checker(state, diagnostics, /*interactive=*/true).run(*state.asts.back(), impl_->units.back());
  diagnostics.sortByPlace(first);
  state.unassigned = unassigned;
  return program;
}

std::optional<Inspected> Session::inspect(Ast ast, Diagnostics& diagnostics) {
  if (!checkApart(std::move(ast), diagnostics) || !impl_->state.shownType) return std::nullopt;
  const TypeId id = *impl_->state.shownType;
  const TypeTable& types = impl_->state.types;
  const Type& type = types.get(id);
  Inspected found;
  found.isValue = type.kind != TypeKind::Unit;
  found.type = found.isValue ? types.spell(id) : "nothing";
  switch (type.kind) {
    case TypeKind::View: found.members = {"flat", "len", "shape"}; break;
    case TypeKind::Vector:
      found.members = {"w", "x", "y", "z"};
      if (type.count < 4) found.members.erase(found.members.begin());
      if (type.count < 3) found.members.pop_back();
      break;
    case TypeKind::Array:
    case TypeKind::String: found.members = {"len"}; break;
    case TypeKind::Tuple:
      if (!types.isStruct(id)) {
        for (size_t i = 0; i < type.items.size(); ++i) found.members.push_back(std::to_string(i));
        break;
      }
      found.members = types.record(id).members;
      if (auto made = impl_->state.structs.find(id.value); made != impl_->state.structs.end())
        for (const auto& [name, method] : made->second.entity->methods)
          if (std::get<FnDecl>(method->ast->decl(method->decl).node).hasSelf)
            found.members.emplace_back(impl_->state.names.text(name));
      std::sort(found.members.begin(), found.members.end());
      break;
    case TypeKind::Error:
    case TypeKind::Unit:
    case TypeKind::Scalar:
    case TypeKind::UntypedInt:
    case TypeKind::UntypedFloat: break;
  }
  return found;
}

std::vector<SessionName> Session::visibleNames() const {
  const sema::SessionState& state = impl_->state;
  std::map<std::string, SessionName> found;
  std::map<const Ast*, std::vector<Documented>> pages;
  auto add = [&](std::string_view name, const Entity& entity, bool isDeclared) {
    if (entity.isPrivate && !isDeclared) return;
    SessionName one;
    one.name = name;
    one.isDeclared = isDeclared;
    switch (entity.kind) {
      case Entity::Kind::Fn:
      case Entity::Kind::Lambda: one.kind = SessionName::Kind::Function; break;
      case Entity::Kind::Kernel: one.kind = SessionName::Kind::Kernel; break;
      case Entity::Kind::Const: one.kind = SessionName::Kind::Constant; break;
      case Entity::Kind::TypeAlias:
      case Entity::Kind::Struct:
      case Entity::Kind::Enum: one.kind = SessionName::Kind::Type; break;
      case Entity::Kind::Global:
        one.kind = SessionName::Kind::Variable;
        one.type = state.types.spell(entity.type);
        break;
      case Entity::Kind::Module: one.kind = SessionName::Kind::Module; break;
      case Entity::Kind::Unsupported: return;
    }
    if (one.kind != SessionName::Kind::Variable && one.kind != SessionName::Kind::Module && entity.ast) {
      auto [page, isNew] = pages.try_emplace(entity.ast);
      if (isNew) page->second = documentation(*entity.ast, state.sources, state.names);
      for (const Documented& documented : page->second)
        if (documented.name == name) one.signature = documented.signature, one.doc = documented.doc;
    }
    found.emplace(one.name, std::move(one));
  };
  for (const auto& [name, entity] : state.session.names) add(state.names.text(name), *entity, true);
  if (auto prelude = state.modules.find("prelude"); prelude != state.modules.end())
    for (const auto& [name, entity] : prelude->second.names) add(state.names.text(name), *entity, false);
  std::vector<SessionName> names;
  for (auto& [name, one] : found) names.push_back(std::move(one));
  return names;
}

std::vector<std::string> Session::moduleNames(std::string_view module) const {
  const sema::SessionState& state = impl_->state;
  const ModuleScope* scope = nullptr;
  for (const auto& [name, entity] : state.session.names)
    if (entity->kind == Entity::Kind::Module && state.names.text(name) == module) scope = entity->module;
  if (!scope)
    if (auto library = state.modules.find(module); library != state.modules.end()) scope = &library->second;
  std::vector<std::string> names;
  if (scope)
    for (const auto& [name, entity] : scope->names)
      if (!entity->isPrivate) names.emplace_back(state.names.text(name));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace rad

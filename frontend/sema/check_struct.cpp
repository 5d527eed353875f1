// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Structs: their types, making values of them, members, methods.
#include "frontend/sema/checker.h"
#include "frontend/sema/in_callee.h"

#include <fmt/format.h>

#include <algorithm>

namespace rad::sema {
namespace {

constexpr uint64_t largestStruct = 64 * 1024;  // bytes, as array values

}  // namespace

const StructDecl& Checker::structOf(const Entity& entity) {
  return std::get<StructDecl>(entity.ast->decl(entity.decl).node);
}

void Checker::declareMembers(const Ast& ast, Entity& entity, ModuleScope& scope) {
  const StructDecl& node = structOf(entity);
  std::unordered_map<Symbol, Range> taken;
  auto isNew = [&](Ident name) {
    auto [it, added] = taken.emplace(name.name, name.range);
    if (!added)
      report(Diag::Redefined, name.range, {std::string(text(name.name))}).note(it->second, "first defined here");
    return added;
  };
  if (node.fields.empty() && !lacksMembers(entity) && !mayBeLost(text(entity.name)) && !scope.isBroken)
    report(Diag::EmptyType, entity.range, {"the struct", std::string(text(entity.name))})
        .help("a value of it would have no bytes; give it a member: `name: f32`");
  for (const Param& field : node.fields) isNew(field.name);
  for (DeclId id : node.methods) {
    const Decl& decl = ast.decl(id);
    const auto* fn = std::get_if<FnDecl>(&decl.node);
    if (!fn) continue;
    if (!fn->isOperator && !isNew(fn->name)) continue;
    session_.entities.push_back({.kind = Entity::Kind::Fn,
                                 .name = fn->name.name,
                                 .range = fn->name.range,
                                 .ast = &ast,
                                 .decl = id,
                                 .home = &scope,
                                 .isPrivate = decl.isPrivate,
                                 .owner = &entity});
    Entity& made = session_.entities.back();
    made.ownStatics.insert(made.ownStatics.end(), node.staticParams.begin(), node.staticParams.end());
    made.ownStatics.insert(made.ownStatics.end(), fn->staticParams.begin(), fn->staticParams.end());
    if (fn->isOperator) declareOperator(made, *fn, scope);
    else entity.methods.emplace(fn->name.name, &made);
  }
}

List<StaticParam> Checker::staticParamsOf(const Entity& entity, const FnDecl& decl) const {
  return entity.owner ? List<StaticParam>(entity.ownStatics) : decl.staticParams;
}

TypeId Checker::ownerType(const Entity& entity, const std::vector<StaticValue>& statics, Range use) {
  const size_t count = structOf(*entity.owner).staticParams.size();
  return structType(*entity.owner,
                    {statics.begin(), statics.begin() + static_cast<ptrdiff_t>(std::min(count, statics.size()))}, use);
}

LocalScope Checker::functionScope(Entity& entity, const FnDecl& decl, const std::vector<StaticValue>& statics) {
  LocalScope scope = staticScope(staticParamsOf(entity, decl), statics);
  if (entity.owner)
    scope.try_emplace(session_.names.intern("Self"), Binding{.kind = Binding::Kind::Type,
                                                             .type = ownerType(entity, statics, entity.range),
                                                             .range = entity.owner->range});
  return scope;
}

TypeId Checker::structType(Entity& entity, const std::vector<StaticValue>& statics, Range use) {
  std::string key = fmt::format("{}", static_cast<const void*>(&entity));
  for (const StaticValue& value : statics)
    key += fmt::format(":{}={}", value.type.value, value.isType ? "" : spell(value.constant));
  const StructDecl& node = structOf(entity);
  const std::string name = instanceName(text(entity.name), statics);
  if (auto known = session_.structTypes.find(key); known != session_.structTypes.end()) {
    if (known->second) return *known->second;
    // Still being made: it is a part of itself.
    report(Diag::RecursiveStruct, use, {name})
        .note(entity.range, "declared here")
        .help("keep the values in an array, and the position of the other one as a number: `next: i32`");
    return types().error();
  }
  if (session_.structTypes.size() > 20'000) {
    report(Diag::InstanceCount, use, {"20000"});
    return types().error();
  }
  session_.structTypes.emplace(key, std::nullopt);
  Record record{.name = name, .members = {}};
  std::vector<TypeId> items;
  bool ok = !node.fields.empty();
  for (const Param& field : node.fields) {
    TypeId type = inCallee(entity, staticScope(node.staticParams, statics), [&] {
      if (++depth_ > 300) {
        report(Diag::TooDeep, field.name.range, {"300"});
        return types().error();
      }
      const TypeId found = resolveType(field.type);
      --depth_;
      return found;
    });
    if (!isError(type) && !plainSize(type)) {
      auto builder = report(Diag::MemberType, field.name.range, {spellType(type)});
      if (isView(type))
        builder.help(
            "an array of the device stands beside the struct, as an argument of its own; `array[f32, 16]` is a value "
            "and can be a member");
      type = types().error();
    }
    ok = ok && !isError(type);
    record.members.emplace_back(text(field.name.name));
    items.push_back(type);
  }
  TypeId made = types().error();
  if (ok) {
    made = types().structure(std::move(record), items);
    if (*plainSize(made) > largestStruct) {
      report(Diag::ElementCount, entity.range, {fmt::format("a struct of {} bytes", *plainSize(made))})
          .help("a struct has 64 KiB at most");
      made = types().error();
    } else {
      session_.structs.emplace(made.value, StructInstance{&entity, statics});
    }
  }
  session_.structTypes[key] = made;
  return made;
}

std::optional<TypeId> Checker::namedType(Entity& entity, List<Argument> statics, Range range) {
  if (entity.kind == Entity::Kind::Enum) {
    if (statics.empty()) return enumType(entity);
    report(Diag::NoStatics, range, {std::string(text(entity.name))});
    return types().error();
  }
  if (entity.kind != Entity::Kind::Struct) return std::nullopt;
  const List<StaticParam> params = structOf(entity).staticParams;
  std::vector<std::optional<StaticValue>> found(params.size());
  if (!givenStatics(entity, params, statics, range, found)) return types().error();
  PreparedCall none;
  if (!inferStatics(entity, params, {}, range, none, found)) return types().error();
  std::vector<StaticValue> values;
  for (const auto& value : found) values.push_back(*value);
  return structType(entity, values, range);
}

Entity* Checker::typeEntity(ExprId id, List<Argument>& statics) {
  const Expr* node = &expr(id);
  if (const auto* index = std::get_if<IndexExpr>(&node->node)) {
    statics = index->arguments;
    node = &expr(index->base);
  }
  Entity* entity = nullptr;
  if (const auto* name = std::get_if<NameExpr>(&node->node)) {
    if (!findBinding(name->name)) entity = findEntity(name->name, ctx_->home);
  } else if (const auto* member = std::get_if<MemberExpr>(&node->node)) {
    entity = aliasInModule(*member);
  }
  return entity && (entity->kind == Entity::Kind::Struct || entity->kind == Entity::Kind::Enum) ? entity : nullptr;
}

const Checker::StructInstance* Checker::structInstance(TypeId type) const {
  if (!session_.types.isStruct(type)) return nullptr;
  auto it = session_.structs.find(type.value);
  return it == session_.structs.end() ? nullptr : &it->second;
}

void Checker::checkDefaults(Entity& entity) {
  for (const Param& field : structOf(entity).fields)
    if (field.defaultValue) defaultArgument(entity, field, {});
}

// ---- values ----

Value Checker::construct(Entity& entity, List<Argument> statics, const CallExpr& node, Range range, TypeId expected) {
  const StructDecl& decl = structOf(entity);
  std::vector<std::optional<StaticValue>> known(decl.staticParams.size());
  const StructInstance* const wanted = structInstance(expected);
  if (wanted && wanted->entity == &entity && statics.empty())
    std::copy(wanted->statics.begin(), wanted->statics.end(), known.begin());
  if (diags_.hasErrors() && lacksMembers(entity)) {
    for (const Argument& argument : node.arguments) checkExpr(argument.value);
    return errorValue(range);
  }
  auto call = prepareCall(entity, decl.staticParams, decl.fields, statics, node.arguments, range, std::move(known));
  if (!call) return errorValue(range);
  const TypeId type = structType(entity, call->statics, range);
  if (isError(type)) return errorValue(range);
  const std::vector<TypeId> items = typeOf(type).items;
  MakeTuple made;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i >= call->values.size() || call->values[i].empty()) return errorValue(range);
    const Value value = convertValue(call->values[i][0], items[i],
                                     fmt::format("`{}` of `{}`", text(decl.fields[i].name.name), text(entity.name)));
    if (isError(value.type)) return errorValue(range);
    Value copy = value;
    made.items.push_back(materialize(copy));
  }
  return code(type, range, std::move(made));
}

void Checker::reportUnknownMember(TypeId type, Ident member) {
  const std::string_view name = text(member.name);
  std::vector<std::string_view> known;
  const Record& record = types().record(type);
  if (const StructInstance* instance = structInstance(type);
      instance && diags_.hasErrors() && lacksMembers(*instance->entity))
    return;  // a syntax error in it had its message
  for (const std::string& one : record.members) known.push_back(one);
  if (const StructInstance* instance = structInstance(type))
    for (const auto& [symbol, method] : instance->entity->methods) known.push_back(text(symbol));
  std::sort(known.begin(), known.end());
  auto builder = report(Diag::UnknownMember, member.range, {spellType(type), std::string(name)});
  if (std::string near = nearestName(name, known); !near.empty()) {
    builder.help(fmt::format("did you mean `{}`?", near));
    return;
  }
  std::string all;
  for (size_t i = 0; i < record.members.size() && i < 12; ++i) all += (i ? ", " : "") + record.members[i];
  builder.help(fmt::format("its {} are {}{}", types().isEnum(type) ? "values" : "members", all,
                           record.members.size() > 12 ? ", ..." : ""));
}

Value Checker::structMember(Value base, Ident member, Range range) {
  const std::string_view name = text(member.name);
  const Record& record = types().record(base.type);
  for (unsigned i = 0; i < record.members.size(); ++i)
    if (record.members[i] == name) return code(typeOf(base.type).items[i], range, TupleItem{materialize(base), i});
  const StructInstance* instance = structInstance(base.type);
  if (instance && instance->entity->methods.contains(member.name)) {
    report(Diag::FunctionAsValue, range, {std::string(name), "method"})
        .help(fmt::format("call it: {}.{}(...)", shorten(base.range), name));
    return errorValue(range);
  }
  reportUnknownMember(base.type, member);
  return errorValue(range);
}

// ---- methods ----

/// What `name` means among the functions of a struct; none after a message.
Entity* Checker::methodOf(TypeId type, Ident member) {
  const StructInstance* instance = structInstance(type);
  auto it = instance->entity->methods.find(member.name);
  if (it == instance->entity->methods.end()) {
    const std::vector<std::string>& members = types().record(type).members;
    const std::string name(text(member.name));
    if (std::find(members.begin(), members.end(), name) != members.end())
      report(Diag::NotCallable, member.range, {name})
          .note(instance->entity->range, fmt::format("a member of `{}`", text(instance->entity->name)));
    else reportUnknownMember(type, member);
    return nullptr;
  }
  if (it->second->isPrivate && it->second->home != ctx_->home && it->second->ast != ast_) {
    report(Diag::PrivateName, member.range,
           {std::string(text(member.name)), fmt::format("`{}`", text(instance->entity->name))})
        .note(it->second->range, "declared `private` here");
    return nullptr;
  }
  return it->second;
}

Value Checker::callMethod(Value base, ExprId written, Ident member, List<Argument> statics, const CallExpr& node,
                          Range range, TypeId expected) {
  Entity* const method = methodOf(base.type, member);
  if (!method) {
    for (const Argument& argument : node.arguments)
      if (!std::holds_alternative<GeneratorExpr>(expr(argument.value).node)) checkExpr(argument.value);
    return errorValue(range);
  }
  const auto& decl = std::get<FnDecl>(method->ast->decl(method->decl).node);
  if (!decl.hasSelf) {
    const std::string owner(text(method->owner->name));
    report(Diag::MethodForm, member.range,
           {std::string(text(member.name)), fmt::format("{}.{}(...)", owner, text(member.name))})
        .note(method->range, "declared here without `self`")
        .help(fmt::format("to work on a value it needs `self` as its first parameter: fn {}(self, ...)",
                          text(member.name)));
    return errorValue(range);
  }
  const Receiver receiver{base, written};
  return callFunction(*method, decl, statics, node, range, expected, &receiver);
}

Value Checker::callOfType(Entity& entity, List<Argument> typeStatics, Ident member, List<Argument> statics,
                          const CallExpr& node, Range range, TypeId expected) {
  auto giveUp = [&] {
    for (const Argument& argument : node.arguments)
      if (!std::holds_alternative<GeneratorExpr>(expr(argument.value).node)) checkExpr(argument.value);
    return errorValue(range);
  };
  const std::string name(text(member.name));
  if (entity.kind == Entity::Kind::Enum) {
    const TypeId type = enumType(entity);
    if (isError(type)) return giveUp();
    const std::vector<std::string>& members = types().record(type).members;
    if (std::find(members.begin(), members.end(), name) != members.end())
      report(Diag::NotCallable, member.range, {name})
          .help(fmt::format("it is a value: {}.{}", text(entity.name), name));
    else reportUnknownMember(type, member);
    return giveUp();
  }
  auto it = entity.methods.find(member.name);
  if (it == entity.methods.end()) {
    std::vector<std::string_view> known;
    for (const auto& [symbol, method] : entity.methods) known.push_back(text(symbol));
    std::sort(known.begin(), known.end());
    auto builder = report(Diag::UnknownMember, member.range, {fmt::format("the struct {}", text(entity.name)), name});
    if (std::string near = nearestName(name, known); !near.empty())
      builder.help(fmt::format("did you mean `{}`?", near));
    else if (name == "new" || name == "__init__" || name == "create" || name == "init")
      builder.help(fmt::format("a value is made by the name of the struct: {}(...)", text(entity.name)));
    return giveUp();
  }
  Entity& function = *it->second;
  if (function.isPrivate && function.home != ctx_->home && function.ast != ast_) {
    report(Diag::PrivateName, member.range, {name, fmt::format("`{}`", text(entity.name))})
        .note(function.range, "declared `private` here");
    return giveUp();
  }
  const auto& decl = std::get<FnDecl>(function.ast->decl(function.decl).node);
  if (decl.hasSelf) {
    report(Diag::MethodForm, member.range, {name, fmt::format("value.{}(...)", name)})
        .note(function.range, "declared here with `self`")
        .help("call it on a value of the struct");
    return giveUp();
  }
  Receiver receiver{};
  if (!typeStatics.empty()) {
    const auto type = namedType(entity, typeStatics, range);
    if (!type || isError(*type)) return giveUp();
    receiver.self.type = *type;
  } else if (const StructInstance* wanted = structInstance(expected);
             wanted && wanted->entity == &entity && decl.params.empty()) {
    receiver.self.type = expected;
  }
  return callFunction(function, decl, statics, node, range, expected, &receiver);
}

}  // namespace rad::sema

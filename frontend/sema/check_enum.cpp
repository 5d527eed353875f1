// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Enums: their types and values.
#include "frontend/sema/checker.h"

#include <fmt/format.h>

namespace rad::sema {

TypeId Checker::enumType(Entity& entity) {
  if (entity.state != Entity::State::New) return entity.type;
  entity.state = Entity::State::Done;
  const auto& node = std::get<EnumDecl>(entity.ast->decl(entity.decl).node);
  Record record{.name = std::string(text(entity.name)), .members = {}};
  bool ok = true;
  for (uint32_t i = 0; i < node.members.size(); ++i) {
    for (uint32_t k = 0; k < i; ++k)
      if (node.members[k].name == node.members[i].name) {
        report(Diag::Redefined, node.members[i].range, {std::string(text(node.members[i].name))})
            .note(node.members[k].range, "first defined here");
        ok = false;
        break;
      }
    record.members.emplace_back(text(node.members[i].name));
  }
  if (record.members.empty()) {
    if (!mayBeLost(text(entity.name)))
      report(Diag::EmptyType, entity.range, {"the enum", record.name})
          .help("name its values: `enum Order { relaxed, acquire }`");
    ok = false;
  }
  entity.type = ok ? types().enumeration(std::move(record)) : types().error();
  if (ok) session_.structs.emplace(entity.type.value, StructInstance{&entity, {}});
  return entity.type;
}

Value Checker::enumValue(TypeId type, Ident member, Range range) {
  const std::vector<std::string>& members = types().record(type).members;
  for (size_t i = 0; i < members.size(); ++i)
    if (members[i] == text(member.name)) return constantValue(type, ConstValue::ofInt(static_cast<Wide>(i)), range);
  if (text(member.name) == "len" || text(member.name) == "count")
    report(Diag::UnknownMember, member.range, {spellType(type), std::string(text(member.name))})
        .help(fmt::format("it has {} values", members.size()));
  else reportUnknownMember(type, member);
  return errorValue(range);
}

Value Checker::checkDotName(Ident name, Range range, TypeId expected) {
  if (!isError(expected) && types().isEnum(expected)) return enumValue(expected, name, range);
  std::string found;
  for (ModuleScope* scope = ctx_->home; scope; scope = scope->outer)
    for (const auto& [symbol, entity] : scope->names) {
      if (entity->kind != Entity::Kind::Enum) continue;
      for (const Ident& member : std::get<EnumDecl>(entity->ast->decl(entity->decl).node).members)
        if (member.name == name.name && (found.empty() || text(symbol) < found)) found = text(symbol);
    }
  auto builder = report(Diag::EnumContext, range, {std::string(text(name.name))});
  if (!found.empty()) builder.help(fmt::format("write {}.{}", found, text(name.name)));
  else builder.help("write the name of the enum before the dot");
  return errorValue(range);
}

}  // namespace rad::sema

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Helpers that all check_*.cpp files use.
#include "frontend/sema/checker.h"

#include <algorithm>

namespace rad::sema {

Checker::Checker(SessionState& session, Diagnostics& diagnostics, bool interactive)
    : session_(session), diags_(diagnostics), interactive_(interactive), program_(session.types) {}

std::optional<Scalar> Checker::scalarOf(TypeId id) const {
  const Type& type = typeOf(id);
  if (type.kind != TypeKind::Scalar || type.record) return std::nullopt;
  return type.scalar;
}

void Checker::notYet(Range range, std::string what, std::string help) {
  auto builder = report(Diag::NotYet, range, {std::move(what)});
  if (!help.empty()) builder.help(std::move(help));
}

std::string Checker::shorten(Range range) {
  std::string out;
  bool space = false;
  for (char c : session_.sources.text(range)) {
    if (c == '\n' || c == '\r' || c == '\t' || c == ' ') {
      space = !out.empty();
      continue;
    }
    if (space) out += ' ';
    space = false;
    out += c;
  }
  if (out.size() <= 80) return out;
  size_t end = 77;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;  // not inside a UTF-8 character
  return out.substr(0, end) + "...";
}

SiteId Checker::addSite(SiteKind kind, Range range, std::string message, unsigned dimension, unsigned rank) {
  program_.sites.push_back({kind, range, shorten(range), std::move(message), dimension, rank});
  return {static_cast<uint32_t>(program_.sites.size() - 1)};
}

LocalId Checker::addLocal(std::string name, TypeId type, LocalKind kind, Range range) {
  ctx_->body.locals.push_back({std::move(name), type, kind, range, false, {}});
  return {static_cast<uint32_t>(ctx_->body.locals.size() - 1)};
}

void Checker::bind(Ident name, Binding binding) {
  if (text(name.name) == "_") return;
  if (!binding.range.valid()) binding.range = name.range;
  LocalScope& scope = ctx_->scopes.back();
  auto [it, isNew] = scope.emplace(name.name, binding);
  if (isNew) return;
  report(Diag::Redefined, name.range, {std::string(text(name.name))}).note(it->second.range, "first defined here");
  it->second = std::move(binding);
}

TExprId Checker::localRef(LocalId local, Range range) {
  return program_.addExpr(ctx_->body.locals[local.value].type, range, LocalRef{local});
}

TExprId Checker::constInt(TypeId type, Wide value, Range range) {
  uint64_t bits = static_cast<uint64_t>(value);
  if (auto scalar = scalarOf(type); scalar && bitsOf(*scalar) < 64) bits &= (uint64_t{1} << bitsOf(*scalar)) - 1;
  return program_.addExpr(type, range, ConstInt{bits});
}

bool Checker::hostOnly(std::string_view what, Range range) {
  if (isHostCode() && ctx_->kind != Context::Kind::Reduction) return true;
  report(Diag::HostOnly, range, {std::string(what)});
  return false;
}

std::optional<Binding> Checker::findBinding(Symbol name, Context** owner) {
  size_t depth = SIZE_MAX;
  for (Context* context = ctx_; context;) {
    for (size_t i = std::min(depth, context->scopes.size()); i-- > 0;)
      if (auto it = context->scopes[i].find(name); it != context->scopes[i].end()) {
        if (owner) *owner = context;
        return it->second;
      }
    depth = context->namesFrom ? context->namesDepth : SIZE_MAX;
    context = context->namesFrom ? context->namesFrom : context->parent;
  }
  return std::nullopt;
}

std::vector<std::string_view> Checker::visibleNames() {
  std::vector<std::string_view> names;
  if (diags_.errorCount() > 100) return names;  // nobody will read it
  for (Context* context = ctx_; context; context = context->parent)
    for (const LocalScope& scope : context->scopes)
      for (const auto& [name, binding] : scope) names.push_back(text(name));
  for (ModuleScope* scope = ctx_ ? ctx_->home : unit_; scope; scope = scope->outer)
    for (const auto& [name, entity] : scope->names) names.push_back(text(name));
  if (ModuleScope* prelude = findModule("prelude"))
    for (const auto& [name, entity] : prelude->names)
      if (!entity->isPrivate) names.push_back(text(name));
  for (const MathInfo& info : mathTable()) names.push_back(info.name);
  for (std::string_view name : hostBuiltinNames()) names.push_back(name);
  for (std::string_view name : {"print", "assert", "barrier", "sum", "min", "max", "all", "any", "block", "args", "inf",
                                "nan", "sizeof", "target", "device"})
    names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace rad::sema

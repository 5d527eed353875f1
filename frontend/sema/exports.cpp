// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Symbols by which other programs find kernels in PTX and cubins: @export("symbol"), and `instantiate k[N: 8] as "symbol"`.
#include "frontend/sema/checker.h"

#include <fmt/format.h>

#include <algorithm>

namespace rad::sema {
namespace {

bool isSymbol(std::string_view text) {
  auto isLetter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && text.size() <= 200 && isLetter(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return isLetter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

std::string Checker::exportedSymbol(const Ast& ast, const Decl& decl) {
  for (const Attribute& attribute : decl.attributes) {
    if (text(attribute.name.name) != "export" || attribute.arguments.size() != 1) continue;
    const auto* name = std::get_if<StringExpr>(&expr(ast, attribute.arguments[0].value).node);
    const std::string symbol(name ? name->value : std::string_view());
    // Refused ones were reported when symbols were reserved.
    const auto found = exported_.find(symbol);
    if (found != exported_.end() && found->second.begin.offset == attribute.range.begin.offset) return symbol;
  }
  return {};
}

void Checker::reserveSymbols(const Ast& ast) {
  auto take = [&](std::string_view symbol, Range range) {
    if (!isSymbol(symbol)) {
      report(Diag::SymbolRefused, range, {std::string(symbol), "it is not made of letters, digits and `_`, beginning with a letter or `_`"});
      return;
    }
    const auto [first, isNew] = exported_.try_emplace(std::string(symbol), range);
    if (!isNew)
      report(Diag::SymbolRefused, range, {std::string(symbol), "another kernel has it"}).note(first->second, "given here first");
    else
      symbols_["k " + std::string(symbol)] = 1;  // no kernel gets it by its own name
  };
  for (StmtId item : ast.items()) {
    const auto* node = std::get_if<DeclStmt>(&ast.stmt(item).node);
    if (!node) continue;
    const Decl& decl = ast.decl(node->decl);
    if (const auto* listed = std::get_if<InstantiateDecl>(&decl.node)) take(listed->symbol, decl.range);
    const auto* kernel = std::get_if<KernelDecl>(&decl.node);
    for (const Attribute& attribute : decl.attributes) {
      if (text(attribute.name.name) != "export" || !kernel) continue;
      const auto* name = attribute.arguments.size() == 1 ? std::get_if<StringExpr>(&expr(ast, attribute.arguments[0].value).node) : nullptr;
      if (!name)
        report(Diag::ArgumentCount, attribute.range, {"@export", "a symbol, as in @export(\"scale\")", std::to_string(attribute.arguments.size())});
      else if (!kernel->staticParams.empty())
        report(Diag::SymbolRefused, attribute.range, {std::string(name->value), "the kernel has compile-time parameters, and so many instances"})
            .help(fmt::format("list the instance that is meant: `instantiate {}[{}: ...] as \"{}\"`", text(kernel->name.name),
                              text(kernel->staticParams[0].name.name), name->value));
      else
        take(name->value, attribute.range);
    }
  }
}

void Checker::makeListed(const Ast& ast, ModuleScope& unit) {
  for (StmtId item : ast.items()) {
    const auto* node = std::get_if<DeclStmt>(&ast.stmt(item).node);
    if (!node) continue;
    const Decl& decl = ast.decl(node->decl);
    if (const auto* listed = std::get_if<InstantiateDecl>(&decl.node)) makeListed(*listed, unit, decl.range);
  }
}

void Checker::makeListed(const InstantiateDecl& node, ModuleScope& unit, Range range) {
  Context context{.kind = Context::Kind::Function, .side = Side::Host, .home = &unit};
  std::vector<TStmtId> ignored;
  context.out = &ignored;
  context.scopes.emplace_back();
  Context* const saved = std::exchange(ctx_, &context);
  struct Restore {
    Checker& checker;
    Context* context;
    ~Restore() { checker.ctx_ = context; }
  } restore{*this, saved};
  ExprId base = node.target;
  List<Argument> given;
  if (const auto* index = std::get_if<IndexExpr>(&expr(base).node)) {
    given = index->arguments;
    base = index->base;
  }
  const auto* name = std::get_if<NameExpr>(&expr(base).node);
  Entity* const entity = name ? findEntity(name->name, &unit) : nullptr;
  if (name && !entity) return reportUnknownName(text(name->name), expr(base).range);
  if (!entity || entity->kind != Entity::Kind::Kernel) {
    auto builder = report(Diag::InstantiateTarget, expr(node.target).range, {});
    if (entity && entity->kind == Entity::Kind::Fn)
      builder.help("functions become part of the kernels that call them; write a kernel that calls this one");
    return;
  }
  const auto& decl = std::get<KernelDecl>(entity->ast->decl(entity->decl).node);
  if (takesFunctions(decl.params, *entity->ast)) {
    report(Diag::InstantiateTarget, expr(node.target).range, {})
        .help("this one takes a function: write a kernel that does with its elements what the function does");
    return;
  }
  std::vector<std::optional<StaticValue>> found(decl.staticParams.size());
  PreparedCall none;
  if (!givenStatics(*entity, decl.staticParams, given, range, found) ||
      !inferStatics(*entity, decl.staticParams, {}, range, none, found))
    return;
  std::vector<StaticValue> values;
  for (const auto& value : found) values.push_back(*value);
  KernelInstance* const instance = instantiateKernel(*entity, decl, values, {}, range);
  if (instance->failed || !exported_.contains(std::string(node.symbol))) return;
  Kernel& kernel = program_.kernels[instance->id.value];
  if (std::exchange(instance->isListed, true)) {
    report(Diag::SymbolRefused, range, {std::string(node.symbol), fmt::format("{} is instantiated as `{}`", kernel.name, kernel.symbol)})
        .note(exported_[kernel.symbol], "here");
    return;
  }
  kernel.symbol = std::string(node.symbol);
}

}  // namespace rad::sema

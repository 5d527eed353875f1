// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Symbols by which other programs find kernels and functions in PTX and cubins: @export("symbol"), and `instantiate
// k[N: 8] as "symbol"`.
#include "frontend/sema/checker.h"
#include "frontend/sema/children.h"

#include <fmt/format.h>

#include <algorithm>

namespace rad::sema {
namespace {

bool isSymbol(std::string_view text) {
  auto isLetter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && text.size() <= 200 && isLetter(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return isLetter(c) || (c >= '0' && c <= '9'); });
}

/// Whether C++ has the type under a name of its own.
bool isInC(Scalar scalar) { return !isFloat(scalar) || bitsOf(scalar) >= 32; }

/// The first print that a function and those that it calls come to.
class PrintFinder {
 public:
  explicit PrintFinder(const TypedProgram& program) : program_(program) {}
  std::optional<Range> in(FunctionId id) {
    if (!seen_.insert(id.value).second) return std::nullopt;
    for (TStmtId statement : program_.functions[id.value].body.statements) visit(statement);
    return found_;
  }

 private:
  void visit(TExprId id) {
    if (const auto* call = std::get_if<CallFunction>(&program_.expr(id).node)) in(call->function);
    forEachChild(program_.expr(id), [&](TExprId child) { visit(child); }, [&](TStmtId child) { visit(child); });
  }
  void visit(TStmtId id) {
    const TStmt& s = program_.stmt(id);
    if (std::holds_alternative<Print>(s.node) && !found_) found_ = s.range;
    forEachChild(s, [&](TExprId child) { visit(child); }, [&](TStmtId child) { visit(child); });
  }
  const TypedProgram& program_;
  std::set<uint32_t> seen_;
  std::optional<Range> found_;
};

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
      report(Diag::SymbolRefused, range,
             {std::string(symbol), "it is not made of letters, digits and `_`, beginning with a letter or `_`"});
      return;
    }
    const auto [first, isNew] = exported_.try_emplace(std::string(symbol), range);
    if (!isNew)
      report(Diag::SymbolRefused, range, {std::string(symbol), "something else has it"})
          .note(first->second, "given here first");
    else symbols_["k " + std::string(symbol)] = 1;  // no kernel gets it by its own name
  };
  for (StmtId item : ast.items()) {
    const auto* node = std::get_if<DeclStmt>(&ast.stmt(item).node);
    if (!node) continue;
    const Decl& decl = ast.decl(node->decl);
    if (const auto* listed = std::get_if<InstantiateDecl>(&decl.node)) take(listed->symbol, decl.range);
    const auto* kernel = std::get_if<KernelDecl>(&decl.node);
    const auto* function = std::get_if<FnDecl>(&decl.node);
    for (const Attribute& attribute : decl.attributes) {
      if (text(attribute.name.name) != "export" || (!kernel && !function)) continue;
      const auto* name = attribute.arguments.size() == 1
                             ? std::get_if<StringExpr>(&expr(ast, attribute.arguments[0].value).node)
                             : nullptr;
      if (!name)
        report(Diag::ArgumentCount, attribute.range,
               {"@export", "a symbol, as in @export(\"scale\")", std::to_string(attribute.arguments.size())});
      else if (function && !function->staticParams.empty())
        report(Diag::SymbolRefused, attribute.range,
               {std::string(name->value), "the function has compile-time parameters, and so many instances"})
            .help("export a function of the types that are meant, which calls this one");
      else if (kernel && !kernel->staticParams.empty())
        report(Diag::SymbolRefused, attribute.range,
               {std::string(name->value), "the kernel has compile-time parameters, and so many instances"})
            .help(fmt::format("list the instance that is meant: `instantiate {}[{}: ...] as \"{}\"`",
                              text(kernel->name.name), text(kernel->staticParams[0].name.name), name->value));
      else take(name->value, attribute.range);
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
  if (!instance || instance->failed || !exported_.contains(std::string(node.symbol))) return;
  Kernel& kernel = program_.kernels[instance->id.value];
  if (std::exchange(instance->isListed, true)) {
    report(Diag::SymbolRefused, range,
           {std::string(node.symbol), fmt::format("{} is instantiated as `{}`", kernel.name, kernel.symbol)})
        .note(exported_[kernel.symbol], "here");
    return;
  }
  kernel.symbol = std::string(node.symbol);
}

void Checker::makeExported(const Ast& ast, ModuleScope& unit) {
  for (StmtId item : ast.items()) {
    const auto* node = std::get_if<DeclStmt>(&ast.stmt(item).node);
    const auto* decl = node ? std::get_if<FnDecl>(&ast.decl(node->decl).node) : nullptr;
    const std::string symbol = decl ? exportedSymbol(ast, ast.decl(node->decl)) : std::string();
    const auto entity = decl ? unit.names.find(decl->name.name) : unit.names.end();
    if (symbol.empty() || entity == unit.names.end() || entity->second->decl != node->decl) continue;
    auto refuse = [&](Range range, std::string why, std::string help = {}) {
      auto builder = report(Diag::NotExported, range, {std::string(text(decl->name.name)), std::move(why)});
      if (!help.empty()) builder.help(std::move(help));
    };
    Context context{.kind = Context::Kind::Function, .side = Side::Device, .home = &unit};
    std::vector<TStmtId> ignored;
    context.out = &ignored;
    context.scopes.emplace_back();
    Context* const saved = std::exchange(ctx_, &context);
    const bool isPlain =
        !takesFunctions(decl->params, ast) && !isVariadic(decl->params, ast) && !takesAnyShape(decl->params, ast);
    FunctionInstance* const instance =
        isPlain ? instantiate(*entity->second, *decl, {}, {}, {}, decl->name.range) : nullptr;
    ctx_ = saved;
    if (!isPlain) refuse(decl->name.range, "C++ has no parameters like these", "export a function that calls it");
    if (!instance || instance->state == FunctionInstance::State::Failed) continue;
    if (instance->blockUse) {
      report(Diag::BlockCall, decl->name.range, {std::string(text(decl->name.name)), instance->blockUse->what})
          .note(instance->blockUse->range, fmt::format("{} stands here", instance->blockUse->what));
      continue;
    }
    Function& made = program_.functions[instance->id.value];
    bool ok = true;
    for (size_t i = 0; i < made.params.size() && ok; ++i) {
      const Local& param = made.body.locals[made.params[i].value];
      const auto scalar = scalarOf(param.type);
      ok = isView(param.type) ? !typeOf(param.type).strided
                              : scalar && isInC(*scalar) && param.kind != LocalKind::MutParam;
      if (ok) continue;
      if (isView(param.type))
        refuse(param.range, fmt::format("`{}` is strided, and C++ gets an address and sizes", param.name),
               "leave out `strided`");
      else if (scalar && isInC(*scalar))
        refuse(param.range, fmt::format("`{}` is `mut`", param.name),
               fmt::format("give the new value as the result, or take an array: `mut {}: [{}; 1]`", param.name,
                           spellType(param.type)));
      else
        refuse(param.range, fmt::format("`{}` is of type {}", param.name, spellType(param.type)),
               "C++ can hand over numbers, bools and arrays");
    }
    const auto result = scalarOf(made.result);
    if (ok && typeOf(made.result).kind != TypeKind::Unit && !(result && isInC(*result))) {
      refuse(decl->name.range, fmt::format("it gives {}", spellType(made.result)),
             "C++ can be given a number or a bool; more goes into a `mut` array");
      ok = false;
    }
    if (ok)
      if (const auto print = PrintFinder(program_).in(instance->id)) {
        refuse(*print, "it prints, and C++ has no launch of Raddle that could show the line");
        ok = false;
      }
    if (ok) made.symbol = symbol;
  }
}

}  // namespace rad::sema

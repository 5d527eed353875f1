// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sessions: units, and what they declare.
#include "frontend/parse/parse.h"
#include "frontend/sema/checker.h"
#include "frontend/sema/expansion.h"
#include "frontend/sema/session_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cstdio>
#include <cstdlib>

namespace rad {

Session::Session(SourceManager& sources, Interner& names, std::span<const LibraryText> library, FileLoader loader)
    : impl_(new Impl{.state = {.sources = sources, .names = names, .library = library, .loader = std::move(loader)}}) {}
Session::~Session() = default;

std::optional<TypedProgram> Session::check(Ast ast, Diagnostics& diagnostics, bool interactive) {
  sema::SessionState& state = impl_->state;
  const size_t first = diagnostics.all().size();
  state.asts.push_back(std::make_unique<Ast>(std::move(ast)));
  impl_->units.push_back({.name = "", .outer = &state.session});
  sema::ModuleScope& unit = impl_->units.back();
  sema::Checker checker(state, diagnostics, interactive);
  const Ast& own = *state.asts.back();  // further ones are of the modules that it uses
  std::optional<TypedProgram> program = checker.run(own, unit);
  diagnostics.sortByPlace(first);  // declarations are checked before statements
  if (!program) return std::nullopt;
  impl_->checked = &own;
  impl_->checkedUnit = &unit;
  impl_->hidden.clear();
  for (const auto& [name, entity] : unit.names) {
    sema::Entity*& slot = state.session.names[name];
    impl_->hidden.emplace_back(name, slot);
    slot = entity;
  }
  seeNewOnes(unit);
  state.session.operators.insert(state.session.operators.end(), unit.operators.begin(), unit.operators.end());
  return program;
}

std::vector<TestBlock> Session::blocks() const {
  std::vector<TestBlock> blocks;
  if (!impl_->checked) return blocks;
  const Ast& ast = *impl_->checked;
  for (StmtId item : ast.items())
    if (const auto* node = std::get_if<DeclStmt>(&ast.stmt(item).node))
      if (const auto* block = std::get_if<TestDecl>(&ast.decl(node->decl).node))
        blocks.push_back({std::string(block->name), block->isBench, ast.decl(node->decl).range, node->decl});
  return blocks;
}

std::optional<TypedProgram> Session::check(const TestBlock& block, Diagnostics& diagnostics) {
  sema::Checker checker(impl_->state, diagnostics, false);
  const Ast& ast = *impl_->checked;
  return checker.runBlock(ast, *impl_->checkedUnit, std::get<TestDecl>(ast.decl(block.decl).node));
}

std::optional<TypedProgram> Session::specialise(uint32_t openKernel, std::span<const int64_t> statics,
                                                Diagnostics& diagnostics) {
  const sema::OpenLaunch launch = impl_->state.openLaunches[openKernel];
  return sema::Checker(impl_->state, diagnostics, false).runSpecialised(launch, statics);
}

void Session::setBuildAllKernels(bool all) { impl_->state.buildAllKernels = all; }
void Session::setBlocksSeeScript(bool see) { impl_->state.blocksSeeScript = see; }
void Session::setVerifyProofs(bool verify) { impl_->state.verifyProofs = verify; }

void Session::forgetGlobals(std::span<const std::string> symbols) {
  auto isMeant = [&](const sema::Entity& entity) {
    return entity.kind == sema::Entity::Kind::Global && !entity.symbol.empty() &&
           std::find(symbols.begin(), symbols.end(), entity.symbol) != symbols.end();
  };
  for (sema::ModuleScope& unit : impl_->units)
    std::erase_if(unit.names, [&](const auto& entry) { return isMeant(*entry.second); });
  // What the names stood for before comes back.
  auto& names = impl_->state.session.names;
  for (auto it = names.begin(); it != names.end();) {
    if (!isMeant(*it->second)) {
      ++it;
      continue;
    }
    sema::Entity* before = nullptr;
    for (const auto& [name, entity] : impl_->hidden)
      if (name == it->first) before = entity;
    if (before) (it++)->second = before;
    else it = names.erase(it);
  }
}

std::vector<std::string> Session::loseArrays() {
  sema::SessionState& state = impl_->state;
  std::vector<std::string> lost;
  for (const auto& [name, entity] : state.session.names) {
    if (entity->kind != sema::Entity::Kind::Global || state.types.get(entity->type).kind != TypeKind::View) continue;
    if (std::ranges::find(state.unassigned, entity) != state.unassigned.end()) continue;
    state.unassigned.push_back(entity);
    entity->isLost = true;
    lost.emplace_back(state.names.text(name));
  }
  std::sort(lost.begin(), lost.end());
  return lost;
}

TypeTable& Session::types() { return impl_->state.types; }
const Interner& Session::names() const { return impl_->state.names; }

namespace sema {
namespace {

Ident nameOf(const Decl& decl) {
  return std::visit(
      [](const auto& node) -> Ident {
        if constexpr (requires { node.name.range; }) return node.name;
        else return {};
      },
      decl.node);
}

/// The test suites ask for it: a wrong program made here must not become wrong code later.
void verifyInTests(const TypedProgram& program) {
  static const bool isAsked = std::getenv("RADDLE_VERIFY_TYPED") != nullptr;
  if (!isAsked) return;
  if (const std::string wrong = verify(program); !wrong.empty()) {
    std::fprintf(stderr, "raddle: the typed program is wrong: %s\n", wrong.c_str());
    std::abort();
  }
}

}  // namespace

std::optional<TypedProgram> Checker::run(const Ast& ast, ModuleScope& unit) {
  const bool isBroken = diags_.hasErrors();  // syntax errors: what is there is checked
  const size_t errors = diags_.errorCount();
  unit_ = &unit;
  ast_ = &ast;
  if (session_.loader.identity) {
    const std::string name(session_.sources.name(ast.file()));
    loading_.push_back({session_.loader.identity(name), name, {}, nullptr});
  }
  declare(ast, unit);
  for (StmtId item : ast.items())
    if (const auto* let = std::get_if<LetStmt>(&ast.stmt(item).node))
      for (const Ident& name : let->names) scriptNames_.try_emplace(name.name, name.range);
  checkTestNames(ast);
  reserveSymbols(ast);
  makeListed(ast, unit);
  makeExported(ast, unit);
  if (session_.buildAllKernels) buildKernels(ast, unit);
  const std::set<uint32_t> unassigned = checkScript(ast);
  checkUnused(ast, unit);
  for (FileModule* module : newModules_) checkUnused(*module->ast, module->scope);
  if (diags_.errorCount() == errors && !isBroken) checkExpansion(program_, diags_);
  if (diags_.errorCount() == errors && !isBroken) {
    proveChecks(program_, session_.verifyProofs);
    verifyInTests(program_);
    session_.unassigned.clear();
    for (const auto& [entity, global] : globals_)
      if (unassigned.contains(unassignedKey(*entity))) session_.unassigned.push_back(entity);
    return std::move(program_);
  }
  // The files that this unit has read are read again by the next import of them.
  std::erase_if(session_.files, [&](const auto& entry) {
    return std::find(newModules_.begin(), newModules_.end(), entry.second) != newModules_.end();
  });
  return std::nullopt;
}

std::optional<TypedProgram> Checker::runSpecialised(const OpenLaunch& launch, std::span<const int64_t> values) {
  Entity& entity = *launch.entity;
  const auto& decl = std::get<KernelDecl>(entity.ast->decl(entity.decl).node);
  unit_ = entity.home;
  ast_ = entity.ast;
  Context context{.kind = Context::Kind::Function, .side = Side::Host, .home = entity.home};
  std::vector<TStmtId> ignored;
  context.out = &ignored;
  context.scopes.emplace_back();
  ctx_ = &context;
  const size_t errors = diags_.errorCount();
  std::vector<std::optional<StaticValue>> found;
  size_t next = 0;
  for (const StaticValue& value : launch.statics) {
    if (!value.waits) {
      found.emplace_back(value);
      continue;
    }
    found.emplace_back();
    if (!value.atRun) continue;
    const int64_t bits = values[next++];
    const Scalar scalar = *scalarOf(value.type);
    found.back() = StaticValue{.type = value.type};
    found.back()->constant = scalar == Scalar::Bool ? ConstValue::ofBool(bits != 0)
                             : isFloat(scalar)      ? ConstValue::ofFloat(std::bit_cast<double>(bits))
                                                    : ConstValue::ofInt(wrapTo(scalar, bits));
  }
  PreparedCall none;
  std::optional<TypedProgram> made;
  if (inferStatics(entity, decl.staticParams, {}, launch.range, none, found)) {
    std::vector<StaticValue> statics;
    for (const auto& value : found) statics.push_back(*value);
    const KernelInstance* instance = instantiateKernel(entity, decl, statics, {}, launch.range);
    if (instance && !instance->failed && diags_.errorCount() == errors) checkExpansion(program_, diags_);
    if (instance && !instance->failed && diags_.errorCount() == errors) {
      proveChecks(program_, session_.verifyProofs);
      verifyInTests(program_);
      made = std::move(program_);
    }
  }
  ctx_ = nullptr;
  return made;
}

void Checker::declare(const Ast& ast, ModuleScope& scope) {
  for (StmtId item : ast.items())
    if (const auto* node = std::get_if<DeclStmt>(&ast.stmt(item).node)) declareOne(ast, node->decl, scope, true);
}

void Checker::declareOne(const Ast& ast, DeclId id, ModuleScope& scope, bool atTop) {
  const Decl& decl = ast.decl(id);
  Entity entity{.name = {}, .ast = &ast, .decl = id, .home = &scope, .isPrivate = decl.isPrivate};
  switch (decl.kind()) {
    case DeclKind::Fn:
      entity.kind = Entity::Kind::Fn;
      if (const auto& fn = std::get<FnDecl>(decl.node); fn.isOperator) {
        entity.name = fn.name.name;
        entity.range = fn.name.range;
        session_.entities.push_back(std::move(entity));
        return declareOperator(session_.entities.back(), fn, scope);
      }
      break;
    case DeclKind::Kernel: entity.kind = Entity::Kind::Kernel; break;
    case DeclKind::Const: entity.kind = Entity::Kind::Const; break;
    case DeclKind::TypeAlias: entity.kind = Entity::Kind::TypeAlias; break;
    case DeclKind::Struct: entity.kind = Entity::Kind::Struct; break;
    case DeclKind::Enum: entity.kind = Entity::Kind::Enum; break;
    case DeclKind::Import: return declareImport(ast, decl, std::get<ImportDecl>(decl.node), scope);
    case DeclKind::Extern: {
      const auto& node = std::get<ExternDecl>(decl.node);
      if (!node.from.empty())
        return notYet(decl.range, fmt::format("extern \"{}\" from a file", node.language),
                      "leave out `from` and give the object with --link");
      std::string language(node.language);
      for (char& c : language) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      if (language != "ptx" && language != "cubin" && language != "c++" && language != "fatbin" &&
          language != "lto-ir") {
        report(Diag::UnknownLanguage, decl.range, {std::string(node.language)});
        return;
      }
      for (DeclId function : node.functions) {
        const auto& fn = std::get<FnDecl>(ast.decl(function).node);
        if (fn.body) {
          notYet(ast.decl(function).range, "a host form of an extern function");
          continue;
        }
        if (!fn.staticParams.empty()) {
          notYet(ast.decl(function).range, "an extern function with compile-time parameters");
          continue;
        }
        declareOne(ast, function, scope, atTop);
        if (Entity* made = scope.names.contains(fn.name.name) ? scope.names[fn.name.name] : nullptr) {
          made->isExtern = true;
          made->isPrivate = decl.isPrivate;
        }
      }
      return;
    }
    case DeclKind::Test:         // `raddle test` and `raddle bench` run these; a program does not
    case DeclKind::Instantiate:  // makeListed
      return;
  }
  for (const Attribute& attribute : entity.kind == Entity::Kind::Unsupported ? List<Attribute>() : decl.attributes) {
    static constexpr std::string_view known[] = {"inline",      "noinline",   "fast",          "strict",  "unchecked",
                                                 "max_threads", "min_blocks", "max_registers", "cluster", "export"};
    const std::string_view name = text(attribute.name.name);
    if (std::find(std::begin(known), std::end(known), name) == std::end(known)) {
      auto builder = report(Diag::UnknownAttribute, attribute.range, {std::string(name)});
      if (std::string near = nearestName(name, {std::begin(known), std::end(known)}); !near.empty())
        builder.help(fmt::format("did you mean @{}?", near));
    } else if (name == "cluster") {
      notYet(attribute.range, fmt::format("@{}", name));
    } else if (entity.kind == Entity::Kind::Fn
                   ? name == "max_threads" || name == "min_blocks" || name == "max_registers"
                   : entity.kind != Entity::Kind::Kernel) {
      report(Diag::AttributePlace, attribute.range, {std::string(name), "kernels"});
    }
  }
  const Ident name = nameOf(decl);
  entity.name = name.name;
  entity.range = name.range;
  if (scope.names.contains(name.name)) {
    report(Diag::Redefined, name.range, {std::string(text(name.name))})
        .note(placeOf(scope, name.name), scope.imported.contains(name.name) ? "imported here" : "first defined here");
    return;
  }
  session_.entities.push_back(std::move(entity));
  Entity& made = session_.entities.back();
  scope.names.emplace(name.name, &made);
  if (made.kind == Entity::Kind::Struct) declareMembers(ast, made, scope);
}

Entity* Checker::findEntity(Symbol name, ModuleScope* from) {
  for (ModuleScope* scope = from; scope; scope = scope->outer)
    if (auto it = scope->names.find(name); it != scope->names.end()) return it->second;
  if (!libraryDeclares("prelude", text(name))) return nullptr;
  if (ModuleScope* prelude = findModule("prelude"))
    if (auto it = prelude->names.find(name); it != prelude->names.end() && !it->second->isPrivate) return it->second;
  return nullptr;
}

/// A file that leaves all to a `main` runs nothing.
void Checker::warnOfMain(const Ast& ast) {
  const FnDecl* main = nullptr;
  for (StmtId item : ast.items()) {
    const auto* declared = std::get_if<DeclStmt>(&ast.stmt(item).node);
    if (!declared) return;
    const auto& decl = ast.decl(declared->decl).node;
    if (std::holds_alternative<TestDecl>(decl)) return;
    if (const auto* fn = std::get_if<FnDecl>(&decl); fn && text(fn->name.name) == "main" && fn->params.empty())
      main = fn;
  }
  if (main)
    report(Diag::NothingRuns, main->name.range, {})
        .help(
            "a program's statements stand at the top of its file: leave `fn main() { }` around them out, or call "
            "`main()`");
}

namespace {
/// What the last expressions of an entry's branches give, as far as the text says.
enum class BlockEnd : uint8_t { Nothing, Call, Value };  // Call: a value or nothing

BlockEnd endOf(const Ast& ast, ExprId id) {
  const auto& node = ast.expr(id).node;
  if (const auto* choice = std::get_if<IfExpr>(&node)) {
    const BlockEnd first = endOf(ast, choice->thenBlock);
    const BlockEnd second = choice->elseBranch ? endOf(ast, choice->elseBranch) : BlockEnd::Nothing;
    const bool isOpen = first == BlockEnd::Nothing || second == BlockEnd::Nothing;
    return isOpen ? BlockEnd::Nothing : std::max(first, second);
  }
  if (const auto* unchecked = std::get_if<UncheckedExpr>(&node)) return endOf(ast, unchecked->block);
  if (const auto* block = std::get_if<BlockExpr>(&node)) {
    if (block->statements.empty()) return BlockEnd::Nothing;
    const auto* last = std::get_if<ExprStmt>(&ast.stmt(block->statements[block->statements.size() - 1]).node);
    return last ? endOf(ast, last->expr) : BlockEnd::Nothing;
  }
  if (std::holds_alternative<ErrorExpr>(node)) return BlockEnd::Nothing;
  return std::holds_alternative<CallExpr>(node) ? BlockEnd::Call : BlockEnd::Value;
}
}  // namespace

std::set<uint32_t> Checker::checkScript(const Ast& ast) {
  Context script{.kind = Context::Kind::Script, .side = Side::Host, .home = unit_, .result = types().unit()};
  ctx_ = &script;
  ast_ = &ast;
  std::vector<TStmtId> statements;
  script.out = &statements;
  pushScope();
  for (Entity* entity : session_.unassigned) script.unassigned.insert(unassignedKey(*entity));
  const List<StmtId> items = ast.items();
  for (size_t i = 0; i < items.size(); ++i) {
    const Stmt& stmt = ast.stmt(items[i]);
    if (std::holds_alternative<DeclStmt>(stmt.node)) continue;
    const auto* last = std::get_if<ExprStmt>(&stmt.node);
    if (interactive_ && last && i + 1 == items.size()) {
      // An entry that is an expression shows its value.
      const ExprKind kind = expr(last->expr).kind();
      const bool hasBranches = kind == ExprKind::If || kind == ExprKind::Block || kind == ExprKind::Unchecked;
      if (!hasBranches || endOf(ast, last->expr) == BlockEnd::Value) {
        script.canHoist = true;
        Value value = checkExpr(last->expr);
        session_.shownType = value.type;
        if (!isError(value.type) && typeOf(value.type).kind != TypeKind::Unit) {
          std::vector<TExprId> values;
          std::string format = printed(value, values, {}).value_or("");
          if (isView(value.type)) format = "{:s}";  // a summary of what is too long
          emit(stmt.range, Print{std::move(format), std::move(values), {}});
        } else if (value.expr && !isError(value.type)) emit(stmt.range, Evaluate{value.expr});
        continue;
      }
    }
    checkStmt(items[i]);
  }
  popScope();
  if (!interactive_) warnOfMain(ast);
  script.body.statements = std::move(statements);
  program_.script = std::move(script.body);
  ctx_ = nullptr;
  return std::move(script.unassigned);
}

void Checker::buildKernels(const Ast& ast, ModuleScope& unit) {
  for (StmtId item : ast.items()) {
    const auto* node = std::get_if<DeclStmt>(&ast.stmt(item).node);
    if (!node) continue;
    const auto* kernel = std::get_if<KernelDecl>(&ast.decl(node->decl).node);
    if (!kernel || !kernel->staticParams.empty() || takesFunctions(kernel->params, ast)) continue;
    auto it = unit.names.find(kernel->name.name);
    if (it != unit.names.end() && it->second->kind == Entity::Kind::Kernel && it->second->decl == node->decl)
      instantiateKernel(*it->second, *kernel, {}, {}, {});
  }
}

void Checker::checkUnused(const Ast& ast, ModuleScope& scope) {
  // What the script did not use is checked too, into a program that is thrown away.
  TypedProgram kept = std::move(program_);
  auto keptGlobals = std::move(globals_);
  auto keptFunctions = functions_;
  auto keptKernels = kernels_;
  auto keptNamed = std::exchange(namedFunctions_, {});
  program_ = TypedProgram(session_.types);
  globals_.clear();
  // Instances that are done need no second look: only those of this file that are missing are made. What was made here
  // is kept as long as all of it is right; what stands in `functions_` and `kernels_` at first is of the program that
  // was put aside.
  bool functionsStale = true, kernelsStale = true;
  // A fn may be for the host or for kernels: it is right if it is right on one side.
  auto checkFunction = [&](Entity* entity, const FnDecl& fn) {
    if (!entity || !staticParamsOf(*entity, fn).empty() || takesFunctions(fn.params, ast) ||
        takesAnyShape(fn.params, ast))
      return;
    const std::string key = fmt::format("{}", static_cast<const void*>(entity));
    const auto first = keptFunctions.lower_bound(key + ":");
    if (first != keptFunctions.end() && first->first.starts_with(key + ":")) return;
    Diagnostics host, device;
    auto attempt = [&](Side side, Diagnostics& found, bool quiet = true) {
      if (functionsStale) functions_.clear(), namedFunctions_.clear();
      if (kernelsStale) kernels_.clear();
      const size_t before = diags_.errorCount();
      Context context{.kind = Context::Kind::Function, .side = side, .home = &scope};
      std::vector<TStmtId> statements;
      context.out = &statements;
      ctx_ = &context;
      if (quiet) std::swap(diags_, found);
      const std::vector<size_t> packs(isVariadic(fn.params, ast) ? 1 : 0, 1);
      instantiate(*entity, fn, {}, {}, packs, {});
      if (quiet) std::swap(diags_, found);
      functionsStale = kernelsStale = found.hasErrors() || diags_.errorCount() != before;
      ctx_ = nullptr;
    };
    attempt(Side::Host, host);
    if (!host.hasErrors()) return;
    attempt(Side::Device, device);
    if (!device.hasErrors()) return;
    Diagnostics none;
    attempt(Side::Host, none, false);
  };
  auto inFile = [&](auto action) {
    Context context{.kind = Context::Kind::Function, .side = Side::Host, .home = &scope};
    std::vector<TStmtId> statements;
    context.out = &statements;
    context.scopes.emplace_back();
    ctx_ = &context;
    const Ast* const savedAst = std::exchange(ast_, &ast);
    action();
    ast_ = savedAst;
    ctx_ = nullptr;
  };
  // Constants first: functions are tried on both sides, and what is wrong with a constant that they use is told once.
  for (StmtId item : ast.items()) {
    const auto* node = std::get_if<DeclStmt>(&ast.stmt(item).node);
    const auto* constant = node ? std::get_if<ConstDecl>(&ast.decl(node->decl).node) : nullptr;
    if (!constant) continue;
    auto it = scope.names.find(constant->name.name);
    if (it == scope.names.end() || it->second->decl != node->decl || it->second->ast != &ast ||
        it->second->kind != Entity::Kind::Const)
      continue;
    functions_.clear();
    Context context{.kind = Context::Kind::Script, .side = Side::Host, .home = &scope};
    std::vector<TStmtId> statements;
    context.out = &statements;
    ctx_ = &context;
    valueOf(*it->second, it->second->range);
    ctx_ = nullptr;
  }
  for (Entity* entity : scope.operators) {
    if (entity->ast != &ast) continue;
    const auto& fn = std::get<FnDecl>(ast.decl(entity->decl).node);
    const size_t before = diags_.errorCount();
    inFile([&] { checkOperator(*entity, fn, scope); });
    if (diags_.errorCount() == before) checkFunction(entity, fn);
  }
  for (StmtId item : ast.items()) {
    const auto* node = std::get_if<DeclStmt>(&ast.stmt(item).node);
    if (!node) continue;
    const Decl& decl = ast.decl(node->decl);
    auto find = [&](Ident name) -> Entity* {
      auto it = scope.names.find(name.name);
      return it != scope.names.end() && it->second->decl == node->decl && it->second->ast == &ast ? it->second
                                                                                                  : nullptr;
    };
    if (const auto* kernel = std::get_if<KernelDecl>(&decl.node)) {
      if (Entity* entity = find(kernel->name);
          entity && kernel->staticParams.empty() && !takesFunctions(kernel->params, ast) &&
          !keptKernels.contains(fmt::format("{}:", static_cast<const void*>(entity))) &&
          !kernels_.contains(fmt::format("{}:", static_cast<const void*>(entity)))) {
        if (functionsStale) functions_.clear(), namedFunctions_.clear();
        const size_t before = diags_.errorCount();
        instantiateKernel(*entity, *kernel, {}, {}, {});
        functionsStale = diags_.errorCount() != before;
      }
    } else if (const auto* fn = std::get_if<FnDecl>(&decl.node)) {
      if (!fn->isOperator) checkFunction(find(fn->name), *fn);
    } else if (const auto* structure = std::get_if<StructDecl>(&decl.node)) {
      Entity* entity = find(structure->name);
      if (!entity || !structure->staticParams.empty()) continue;
      const size_t before = diags_.errorCount();
      inFile([&] {
        if (!isError(structType(*entity, {}, entity->range))) checkDefaults(*entity);
      });
      if (diags_.errorCount() != before) continue;
      std::vector<Entity*> methods;
      for (const auto& [name, method] : entity->methods) methods.push_back(method);
      std::sort(methods.begin(), methods.end(),
                [](const Entity* a, const Entity* b) { return a->decl.value < b->decl.value; });
      for (Entity* method : methods) checkFunction(method, std::get<FnDecl>(ast.decl(method->decl).node));
    } else if (const auto* enumeration = std::get_if<EnumDecl>(&decl.node)) {
      if (Entity* entity = find(enumeration->name)) inFile([&] { enumType(*entity); });
    } else if (const auto* block = std::get_if<TestDecl>(&decl.node)) {
      if (functionsStale) functions_.clear(), namedFunctions_.clear();
      if (kernelsStale) kernels_.clear();
      const size_t before = diags_.errorCount();
      checkTestBlock(ast, scope, *block);
      functionsStale = kernelsStale = diags_.errorCount() != before;
    }
  }
  program_ = std::move(kept);
  globals_ = std::move(keptGlobals);
  functions_ = std::move(keptFunctions);
  kernels_ = std::move(keptKernels);
  namedFunctions_ = std::move(keptNamed);
}

}  // namespace sema
}  // namespace rad

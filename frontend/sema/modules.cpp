// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Modules: the library's and imported files; what an import brings, and what a module shows of itself.
#include "frontend/parse/parse.h"
#include "frontend/sema/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace rad::sema {
namespace {

/// Library modules that every program sees without an import, beside the names of the prelude.
constexpr std::string_view alwaysVisible[] = {"random"};

/// What the compiler knows under a module's name; an import of it changes nothing.
constexpr std::string_view builtIn[] = {"block", "thread", "atomic", "warp", "cluster", "target"};

template <size_t N>
bool isOneOf(std::string_view name, const std::string_view (&list)[N]) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

bool isNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
}

/// Whether a text can be a name of a program.
bool isName(std::string_view text) {
  static constexpr std::string_view reserved[] = {
#define KEYWORD(Kind, Spelling, Ends, Begins) Spelling,
#include "frontend/lex/keywords.def"
  };
  return !text.empty() && !(text[0] >= '0' && text[0] <= '9') && !isOneOf(text, reserved) &&
         std::all_of(text.begin(), text.end(), isNameCharacter);
}

/// The name that `import "filters/blur.rad"` makes: blur.
std::string_view stemOf(std::string_view path) {
  if (size_t slash = path.rfind('/'); slash != std::string_view::npos) path.remove_prefix(slash + 1);
  if (path.ends_with(".rad")) path.remove_suffix(4);
  return path;
}

}  // namespace

// ---- the library ----

ModuleScope* Checker::findModule(std::string_view name) {
  if (auto it = session_.modules.find(name); it != session_.modules.end()) return &it->second;
  if (session_.failedModules.contains(name)) return nullptr;
  for (const LibraryText& library : session_.library) {
    if (library.name != name) continue;
    const FileId file = session_.sources.add(fmt::format("<library>/{}.rad", name), std::string(library.text));
    const size_t errors = diags_.errorCount();
    Ast ast = parse(file, session_.sources, session_.names, diags_);
    if (diags_.errorCount() != errors) {
      session_.failedModules.insert(std::string(name));
      return nullptr;
    }
    session_.asts.push_back(std::make_unique<Ast>(std::move(ast)));
    ModuleScope& scope =
        session_.modules.emplace(std::string(name), ModuleScope{.name = std::string(name), .outer = nullptr})
            .first->second;
    declareIn(*session_.asts.back(), scope);
    for ([[maybe_unused]] const auto& [declared, entity] : scope.names) assert(libraryDeclares(name, text(declared)));
    return &scope;
  }
  return nullptr;
}

bool Checker::libraryDeclares(std::string_view module, std::string_view name) {
  auto it = session_.libraryWords.find(module);
  if (it == session_.libraryWords.end()) {
    it = session_.libraryWords.emplace(std::string(module), std::unordered_set<std::string_view>()).first;
    for (const LibraryText& library : session_.library) {
      if (library.name != module) continue;
      std::string_view rest = library.text;
      while (!rest.empty()) {
        std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        // A declaration's words up to the first bracket or sign; its name is one of them.
        while (!line.empty() && isNameCharacter(line.front())) {
          const size_t end = std::find_if_not(line.begin(), line.end(), isNameCharacter) - line.begin();
          it->second.insert(line.substr(0, end));
          line.remove_prefix(end);
          line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        }
      }
    }
  }
  return it->second.contains(name);
}

std::vector<std::string_view> Checker::libraryModules() const {
  std::vector<std::string_view> names;
  for (const LibraryText& library : session_.library)
    if (library.name != "prelude") names.push_back(library.name);
  return names;
}

ModuleScope* Checker::visibleModule(Symbol name) {
  if (Entity* entity = findEntity(name, ctx_->home))
    return entity->kind == Entity::Kind::Module ? entity->module : nullptr;
  return isOneOf(text(name), alwaysVisible) ? findModule(text(name)) : nullptr;
}

// ---- imports ----

void Checker::declareIn(const Ast& ast, ModuleScope& scope) {
  const Ast* const saved = std::exchange(ast_, &ast);
  declare(ast, scope);
  ast_ = saved;
}

void Checker::bringIn(ModuleScope& scope, Ident name, Entity& entity) {
  auto [it, isNew] = scope.names.emplace(name.name, &entity);
  if (isNew) {
    scope.imported.emplace(name.name, name.range);
    return;
  }
  const Entity& other = *it->second;
  const bool isSame = &other == &entity || (other.kind == Entity::Kind::Module && entity.kind == Entity::Kind::Module &&
                                            other.module == entity.module);
  if (isSame || other.kind == Entity::Kind::Unsupported || entity.kind == Entity::Kind::Unsupported) return;
  const bool wasImported = scope.imported.contains(name.name);
  report(Diag::Redefined, name.range, {std::string(text(name.name))})
      .note(placeOf(scope, name.name), wasImported ? "first imported here" : "first defined here")
      .help(entity.kind == Entity::Kind::Module ? "give it another name: import ... as other_name"
                                                : "import the whole module, and write module.name");
}

Range Checker::placeOf(const ModuleScope& scope, Symbol name) const {
  if (auto it = scope.imported.find(name); it != scope.imported.end()) return it->second;
  auto it = scope.names.find(name);
  return it == scope.names.end() ? Range{} : it->second->range;
}

Entity& Checker::newEntity(Entity::Kind kind, Ident name, ModuleScope& home, ModuleScope* module) {
  session_.entities.push_back(
      {.kind = kind, .name = name.name, .range = name.range, .ast = nullptr, .home = &home, .module = module});
  return session_.entities.back();
}

Range Checker::pathRange(const Decl& decl, const ImportDecl& node) const {
  const std::string_view text = session_.sources.text(decl.range);
  const size_t word = text.find("import");
  size_t begin = word == std::string_view::npos ? word : text.find_first_not_of(" \t", word + 6);
  size_t end = begin;
  if (begin != std::string_view::npos && node.isFile) end = text.find('"', begin + 1);
  else if (begin != std::string_view::npos) end = begin + node.path.size() - 1;
  if (end == std::string_view::npos || end >= text.size()) return decl.range;
  return {{decl.range.begin.offset + static_cast<uint32_t>(begin)},
          {decl.range.begin.offset + static_cast<uint32_t>(end) + 1}};
}

/// Whether `import math.pi` names a member of a library module; reports it, and lets the names be known.
bool Checker::importsMember(const ImportDecl& node, const std::string& path, Range place, ModuleScope& scope) {
  const size_t dot = path.rfind('.');
  ModuleScope* const module = dot == std::string::npos ? nullptr : findModule(path.substr(0, dot));
  if (!module) return false;
  const std::string name = path.substr(dot + 1);
  const Ident member{session_.names.intern(name), place};
  const bool isMath = module->name == "math" && findMath(name);
  Entity* const found = isMath ? nullptr : moduleMember(*module, member);
  if (isMath || found)
    report(Diag::UnknownModule, place, {path})
        .help(fmt::format("`import {0}.{{{1}}}` brings {1}; after `import {0}` it is {0}.{1}", module->name, name));
  const Ident whole{session_.names.intern(module->name), place};
  bringIn(scope, whole, newEntity(Entity::Kind::Module, whole, scope, module));
  const Ident known = node.alias.name.empty() ? member : node.alias;
  if (!isMath) bringIn(scope, known, found ? *found : newEntity(Entity::Kind::Unsupported, known, scope));
  return true;
}

void Checker::declareImport(const Ast& ast, const Decl& decl, const ImportDecl& node, ModuleScope& scope) {
  const Range place = pathRange(decl, node);
  const std::string path(node.path);
  if (!node.isFile && isOneOf(path, builtIn)) {
    if (node.selective || !node.alias.name.empty())
      report(Diag::LanguageModule, place, {path})
          .help(fmt::format("leave out the import: {0}.name is known everywhere", path));
    return;
  }
  ModuleScope* module = node.isFile ? importFile(ast, node, place) : findModule(path);
  if (!module && !node.isFile && importsMember(node, path, place, scope)) return;
  if (!module && !node.isFile && !session_.failedModules.contains(path)) {
    auto builder = report(Diag::UnknownModule, place, {path});
    if (std::string near = nearestName(path, libraryModules()); !near.empty())
      builder.help(fmt::format("did you mean `import {}`?", near));
    else if (path == "numpy" || path == "torch" || path == "cupy" || path == "jax")
      builder.help("arrays need no import: zeros[f32](n), x[i], sum(x), [f32(i) for i in 0..n]");
    else if (path == "numba" || path == "triton" || path == "cuda")
      builder.help("kernels need no import: kernel name(mut x: [f32; n]) forall i in 0..n { ... }");
    else {
      std::string file = path;
      std::replace(file.begin(), file.end(), '.', '/');
      builder.help(fmt::format("a file is imported by its path: import \"{}.rad\" as {}", file, stemOf(file)));
    }
  }
  // Without a module its names stand for errors that were reported.
  if (node.selective) {
    for (const Ident& name : node.names) {
      if (module && module->name == "math" && !module->isFile && findMath(text(name.name))) continue;  // known anyway
      Entity* entity = module ? moduleMember(*module, name) : nullptr;
      bringIn(scope, name, entity ? *entity : newEntity(Entity::Kind::Unsupported, name, scope));
    }
    return;
  }
  Ident name = node.alias;
  if (name.name.empty()) {
    std::string_view stem = stemOf(path);
    if (!node.isFile) stem = stem.substr(stem.rfind('.') + 1);  // of a.b, which is no module
    if (!isName(stem)) {
      report(Diag::ImportName, place, {std::string(stem)}).help(fmt::format("name it: import \"{}\" as ...", path));
      return;
    }
    name = {session_.names.intern(stem), place};
  }
  bringIn(scope, name, newEntity(module ? Entity::Kind::Module : Entity::Kind::Unsupported, name, scope, module));
}

ModuleScope* Checker::importFile(const Ast& ast, const ImportDecl& node, Range place) {
  const std::string_view from = session_.sources.name(ast.file());
  const std::string path(node.path);
  if (!session_.loader.load) {
    report(Diag::ImportUnreadable, place, {path, "files cannot be read here"});
    return nullptr;
  }
  auto loaded = session_.loader.load(path, from);
  if (!loaded) {
    auto builder = report(Diag::ImportUnreadable, place, {path, loaded.error().reason});
    // The same file name in another folder, else a name that is written nearly so.
    std::string_view same;
    std::vector<std::string_view> nearby(loaded.error().nearby.begin(), loaded.error().nearby.end());
    for (std::string_view candidate : nearby)
      if (same.empty() && stemOf(candidate) == stemOf(path)) same = candidate;
    std::string near = same.empty() ? nearestName(path, nearby) : std::string(same);
    if (near.empty())
      for (std::string_view candidate : nearby)
        if (near.empty() && stemOf(path).size() > 1 && !nearestName(stemOf(path), {stemOf(candidate)}).empty())
          near = candidate;
    if (!near.empty()) builder.help(fmt::format("did you mean \"{}\"?", near));
    else builder.help("the path is relative to the file that has the import");
    return nullptr;
  }
  // A file that is being read already leads back to itself.
  for (size_t i = 0; i < loading_.size(); ++i) {
    if (loading_[i].identity != loaded->identity) continue;
    std::string chain;
    for (size_t k = i; k < loading_.size(); ++k) chain += fmt::format("{} imports ", loading_[k].name);
    auto builder = report(Diag::ImportCycle, place, {chain + loaded->name});
    for (size_t k = i + 1; k < loading_.size(); ++k)
      builder.note(loading_[k].importedAt, fmt::format("{} is imported here", loading_[k].name));
    builder.help("move what both need into a file of its own");
    return nullptr;
  }
  auto [known, isNew] = session_.files.try_emplace(loaded->identity, nullptr);
  if (known->second && isCurrent(*known->second, loaded->text)) {
    noteImport(path, from, *known->second);
    return &known->second->scope;
  }
  const FileId file = session_.sources.add(loaded->name, std::move(loaded->text));
  if (!file.valid()) {
    report(Diag::ImportUnreadable, place, {path, "the texts of this session exceed 2 GiB"});
    return nullptr;
  }
  const size_t errors = diags_.errorCount();
  session_.asts.push_back(std::make_unique<Ast>(parse(file, session_.sources, session_.names, diags_)));
  const Ast& tree = *session_.asts.back();
  session_.fileModules.push_back({.scope = {.name = loaded->name, .outer = nullptr, .isFile = true}, .ast = &tree});
  FileModule& module = session_.fileModules.back();
  module.scope.isBroken = diags_.errorCount() != errors;
  noteImport(path, from, module);
  loading_.push_back({loaded->identity, loaded->name, place, &module});
  for (StmtId item : tree.items()) {
    const Stmt& stmt = tree.stmt(item);
    if (std::holds_alternative<DeclStmt>(stmt.node)) continue;
    const auto* lost = std::get_if<ExprStmt>(&stmt.node);
    if (lost && expr(tree, lost->expr).kind() == ExprKind::Error) continue;
    report(Diag::ImportedStatement, stmt.range, {})
        .note(place, "imported here")
        .help(std::holds_alternative<LetStmt>(stmt.node) ? "a constant is declared with `const`"
                                                         : "put it into a function that the program calls");
    break;
  }
  declareIn(tree, module.scope);
  loading_.pop_back();
  current_.insert(&module);
  newModules_.push_back(&module);
  session_.files[loaded->identity] = &module;
  return &module.scope;
}

void Checker::noteImport(std::string_view path, std::string_view from, FileModule& module) {
  if (!loading_.empty() && loading_.back().module)
    loading_.back().module->imports.push_back({std::string(path), std::string(from), &module});
}

bool Checker::isCurrent(FileModule& module, std::string_view text) {
  if (current_.contains(&module)) return true;
  if (session_.sources.text(module.ast->file()) != text) return false;
  for (const FileModule::Import& import : module.imports) {
    auto loaded = session_.loader.load(import.path, import.from);
    if (!loaded || !isCurrent(*import.module, loaded->text)) return false;
  }
  current_.insert(&module);
  return true;
}

bool Checker::mayBeLost(std::string_view name) {
  auto [lost, isNew] = lost_.try_emplace(ast_);
  if (isNew)
    for (uint32_t i = 0; i < ast_->exprCount(); ++i) {
      const Expr& node = ast_->expr(ExprId{i});
      if (node.kind() != ExprKind::Error) continue;
      const std::string_view text = session_.sources.text(node.range);
      for (size_t at = 0; at < text.size();) {
        size_t end = at;
        while (end < text.size() && isNameCharacter(text[end])) ++end;
        if (end > at) lost->second.insert(text.substr(at, end - at));
        at = end + 1;
      }
    }
  return lost->second.contains(name);
}

bool Checker::lacksMembers(const Entity& entity) const {
  for (uint32_t i = 0; i < entity.ast->exprCount(); ++i)
    if (const Expr& node = entity.ast->expr(ExprId{i});
        node.kind() == ExprKind::Error && node.range.begin == entity.range.begin)
      return true;
  return false;
}

// ---- members ----

Entity* Checker::moduleMember(ModuleScope& module, Ident member) {
  const std::string name(text(member.name));
  const std::string what = module.isFile ? module.name : fmt::format("module {}", module.name);
  if (auto it = module.names.find(member.name); it != module.names.end()) {
    Entity& entity = *it->second;
    if (auto imported = module.imported.find(member.name); imported != module.imported.end()) {
      report(Diag::UnknownMember, member.range, {what, name})
          .note(imported->second, "it imports this name, and does not hand it on")
          .help("import it from where it is declared");
      return nullptr;
    }
    if (!entity.isPrivate) return &entity;
    report(Diag::PrivateName, member.range, {name, what}).note(entity.range, "declared `private` here");
    return nullptr;
  }
  if (module.isBroken) return nullptr;  // it may be among what could not be read
  std::vector<std::string_view> known;
  for (const auto& [symbol, entity] : module.names)
    if (!entity->isPrivate && !module.imported.contains(symbol)) known.push_back(text(symbol));
  if (module.name == "math" && !module.isFile)
    for (const MathInfo& info : mathTable()) known.push_back(info.name);
  std::sort(known.begin(), known.end());
  auto builder = report(Diag::UnknownMember, member.range, {what, name});
  if (std::string near = nearestName(name, known); !near.empty()) builder.help(fmt::format("did you mean `{}`?", near));
  else if (module.name == "random" && !module.isFile)
    builder.help("numbers from 0 to 1 are random.uniform[f32](n, seed: 7); another distribution is computed of them");
  return nullptr;
}

}  // namespace rad::sema

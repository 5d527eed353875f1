// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `raddle doc`: what the library, the compiler's own operations, and files of the user declare.
#include "frontend/builtins/builtins.h"
#include "frontend/diagnostics/diagnostics.h"
#include "frontend/parse/documentation.h"
#include "frontend/parse/parse.h"
#include "tools/raddle/commands.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <optional>

namespace rad::tool {
namespace {

/// One thing that can be looked up: "clamp", "math.hypot", "block.sum".
struct Page {
  std::string signature, doc;
  std::vector<Documented::Member> members;
  std::optional<Position> place = {};  // in a file of the user
};

using Json = nlohmann::ordered_json;

Json jsonOf(std::string_view name, const Page& page) {
  Json object{{"name", name}, {"signature", page.signature}, {"doc", page.doc}};
  if (page.place)
    object.update({{"file", page.place->file}, {"line", page.place->line}, {"column", page.place->column}});
  for (const auto& member : page.members)
    object["members"].push_back({{"signature", member.signature}, {"doc", member.doc}});
  return object;
}

/// All that was found, as one object.
void printJson(Json declarations) {
  const Json all{{"declarations", std::move(declarations)}};
  fmt::print("{}\n", all.dump(2, ' ', false, Json::error_handler_t::replace));
}

void printIndented(std::string_view text, std::string_view margin) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    fmt::print("{}{}\n", margin, text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
}

void print(const Page& page) {
  fmt::print("{}\n", page.signature);
  printIndented(page.doc, "    ");
  for (const auto& member : page.members) {
    fmt::print("    {}\n", member.signature);
    printIndented(member.doc, "        ");
  }
}

/// A list of names in lines of readable width.
void printNames(const std::vector<std::string>& names) {
  std::string line = "   ";
  for (const std::string& name : names) {
    if (line.size() + 1 + name.size() > 100) {
      fmt::print("{}\n", line);
      line = "   ";
    }
    line += " " + name;
  }
  fmt::print("{}\n", line);
}

/// All pages by name; a name with a module before it is "module.name".
using Pages = std::map<std::string, Page>;

std::optional<Ast> read(std::string name, std::string text, SourceManager& sources, Interner& names) {
  Diagnostics diagnostics;
  const FileId file = sources.add(std::move(name), std::move(text));
  if (!file.valid()) return std::nullopt;
  Ast ast = parse(file, sources, names, diagnostics);
  if (diagnostics.hasErrors()) printDiagnostics(diagnostics, sources);
  return ast;
}

/// The pages of a text, in its order; what is private is left out.
std::vector<std::pair<std::string, Page>> pagesOf(const Ast& ast, const SourceManager& sources, const Interner& names) {
  std::vector<std::pair<std::string, Page>> pages;
  for (Documented& entry : documentation(ast, sources, names))
    if (!entry.isPrivate)
      pages.push_back({std::move(entry.name),
                       {std::move(entry.signature), std::move(entry.doc), std::move(entry.members),
                        sources.position(entry.range.begin)}});
  return pages;
}

Pages builtinPages() {
  Pages pages;
  for (const MathInfo& info : mathTable()) {
    const char* constraint = info.operands == MathOperands::F   ? "Float"
                             : info.operands == MathOperands::I ? "Integer"
                                                                : "Number";
    std::string signature = fmt::format("fn {}[T: {}](", info.name, constraint);
    for (unsigned i = 0; i < info.arity; ++i) {
      std::string_view name = info.arity == 1   ? "x"
                              : info.arity == 2 ? (i ? "y" : "x")
                              : i == 0          ? "a"
                              : i == 1          ? "b"
                                                : "c";
      if (info.name == std::string_view("atan2")) name = i ? "x" : "y";
      signature += fmt::format("{}{}: T", i ? ", " : "", name);
    }
    pages[std::string(info.name)] = {signature + ") -> T", std::string(info.doc), {}};
  }
  // The text of these rows begins with their form.
  auto addForm = [&](std::string name, std::string_view doc) {
    const size_t colon = doc.find("): ");
    if (colon == std::string_view::npos) pages[name] = {name + "()", std::string(doc), {}};
    else pages[name] = {std::string(doc.substr(0, colon + 1)), std::string(doc.substr(colon + 3)), {}};
  };
#define HOST(Name, text, doc) addForm(#text, doc);
#define BLOCK(Name, text, doc) addForm("block." #text, doc);
#include "frontend/builtins/builtins.def"
  return pages;
}

int unknown(std::string_view name, const std::vector<std::string>& known) {
  std::vector<std::string_view> candidates(known.begin(), known.end());
  const std::string near = nearestName(name, candidates);
  return refuse(exitUsage, fmt::format("nothing is called {}{}", name,
                                       near.empty() ? "; `raddle doc` lists what there is"
                                                    : fmt::format("; did you mean {}?", near)));
}

/// Prints the page `name` of a text, or all of its pages.
int showFile(const std::string& path, const std::string& name, bool json) {
  auto text = rt::readFile(path);
  if (!text) return report(text.error());
  SourceManager sources;
  Interner names;
  auto ast = read(path, std::move(*text), sources, names);
  if (!ast) return exitEnvironment;
  std::vector<std::string> known;
  bool found = false;
  Json declarations = Json::array();
  for (const auto& [pageName, page] : pagesOf(*ast, sources, names)) {
    known.push_back(pageName);
    if (!name.empty() && pageName != name) continue;
    if (json) {
      declarations.push_back(jsonOf(pageName, page));
    } else {
      if (found) fmt::print("\n");
      print(page);
    }
    found = true;
  }
  if (json && (found || name.empty())) printJson(std::move(declarations));
  return found || name.empty() ? exitOk : unknown(name, known);
}

}  // namespace

int doc(const std::string& name, const std::string& member, bool json) {
  if (name.ends_with(".rad") || name.find('/') != std::string::npos) return showFile(name, member, json);

  SourceManager sources;
  Interner names;
  Pages pages = builtinPages();
  std::vector<std::string> operations, prelude;
  for (const auto& [pageName, page] : pages) operations.push_back(pageName);
  std::map<std::string, std::vector<std::pair<std::string, Page>>> modules;
  for (const LibraryText& library : rt::builtinLibrary()) {
    auto ast = read(fmt::format("<library>/{}.rad", library.name), std::string(library.text), sources, names);
    if (!ast) return exitEnvironment;
    const std::string module(library.name);
    for (auto& [pageName, page] : pagesOf(*ast, sources, names)) {
      page.place.reset();  // the library's text is part of the tool
      const bool inPrelude = module == "prelude";
      if (inPrelude) prelude.push_back(pageName);
      pages[inPrelude ? pageName : module + "." + pageName] = page;
      modules[module].push_back({pageName, std::move(page)});
    }
  }

  if (name.empty() && json) {
    Json declarations = Json::array();
    for (const auto& [pageName, page] : pages) declarations.push_back(jsonOf(pageName, page));
    printJson(std::move(declarations));
    return exitOk;
  }
  if (name.empty()) {
    fmt::print(
        "raddle doc NAME explains one of these; raddle doc FILE.rad shows what a file declares.\n\nKnown "
        "everywhere:\n");
    printNames(prelude);
    fmt::print("\nOperations of the compiler, known everywhere:\n");
    printNames(operations);
    for (const auto& [module, entries] : modules) {
      if (module == "prelude") continue;
      std::vector<std::string> list;
      for (const auto& entry : entries) list.push_back(module + "." + entry.first);
      fmt::print("\nModule {}:\n", module);
      printNames(list);
    }
    return exitOk;
  }
  const std::string full = member.empty() ? name : name + "." + member;
  std::vector<std::pair<std::string, const Page*>> found;
  if (auto it = pages.find(full); it != pages.end()) found.push_back({full, &it->second});
  if (auto it = modules.find(full); it != modules.end())
    for (const auto& [entryName, page] : it->second)
      found.push_back({full == "prelude" ? entryName : full + "." + entryName, &page});
  if (json && !found.empty()) {
    Json declarations = Json::array();
    for (const auto& [pageName, page] : found) declarations.push_back(jsonOf(pageName, *page));
    printJson(std::move(declarations));
    return exitOk;
  }
  for (const auto& entry : found) {
    if (entry.second != found[0].second) fmt::print("\n");
    print(*entry.second);
  }
  if (!found.empty()) return exitOk;
  std::vector<std::string> known;
  for (const auto& [pageName, page] : pages) known.push_back(pageName);
  for (const auto& [module, entries] : modules) known.push_back(module);
  return unknown(full, known);
}

}  // namespace rad::tool

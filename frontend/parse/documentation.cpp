// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/parse/documentation.h"

#include "frontend/lex/lex.h"

#include <algorithm>
#include <map>

namespace rad {
namespace {

class Collector {
 public:
  Collector(const Ast& ast, const SourceManager& sources, const Interner& names)
      : ast_(ast), sources_(sources), names_(names) {
    // Declarations keep their documentation in the tree; that of parameters and fields is read from the text.
    Diagnostics ignored;
    const uint32_t base = sources.location(ast.file(), 0).offset;
    TokenStream stream = lex(ast.file(), sources, ignored);
    for (DocComment& doc : stream.docs) docs_.emplace(base + doc.target, std::move(doc.text));
  }

  void add(const Decl& decl, bool isPrivate = false) {
    Documented entry;
    entry.doc = decl.doc;
    entry.isPrivate = decl.isPrivate || isPrivate;
    entry.range = decl.range;
    if (const auto* fn = std::get_if<FnDecl>(&decl.node)) {
      entry.name = names_.text(fn->name.name);
      entry.signature = before(decl.range, fn->body);
      addParams(entry, fn->params, false);
    } else if (const auto* kernel = std::get_if<KernelDecl>(&decl.node)) {
      entry.name = names_.text(kernel->name.name);
      entry.signature = before(decl.range, kernel->body);
      addParams(entry, kernel->params, false);
    } else if (const auto* structure = std::get_if<StructDecl>(&decl.node)) {
      entry.name = names_.text(structure->name.name);
      entry.signature = shorten(sources_.text(Range{decl.range.begin, structure->name.range.end}));
      addParams(entry, structure->fields, true);
      for (DeclId method : structure->methods) {
        const Decl& inner = ast_.decl(method);
        if (!inner.isPrivate)
          entry.members.push_back({before(inner.range, std::get<FnDecl>(inner.node).body), std::string(inner.doc)});
      }
    } else if (const auto* enumeration = std::get_if<EnumDecl>(&decl.node)) {
      entry.name = names_.text(enumeration->name.name);
      entry.signature = shorten(sources_.text(decl.range));
    } else if (const auto* constant = std::get_if<ConstDecl>(&decl.node)) {
      entry.name = names_.text(constant->name.name);
      entry.signature = shorten(sources_.text(decl.range));
    } else if (const auto* alias = std::get_if<TypeAliasDecl>(&decl.node)) {
      entry.name = names_.text(alias->name.name);
      entry.signature = shorten(sources_.text(decl.range));
    } else if (const auto* foreign = std::get_if<ExternDecl>(&decl.node)) {
      for (DeclId function : foreign->functions) add(ast_.decl(function), decl.isPrivate);
      return;
    } else {
      return;
    }
    found.push_back(std::move(entry));
  }

  std::vector<Documented> found;

 private:
  /// The text of a declaration up to its body.
  std::string before(Range range, ExprId body) const {
    if (body) range.end = ast_.expr(body).range.begin;
    std::string text(sources_.text(range));
    while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\r' || text.back() == '\t'))
      text.pop_back();
    if (text.ends_with('=')) text.pop_back();
    return shorten(text);
  }

  /// One line, single spaces, no comments.
  static std::string shorten(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text.substr(i, 2) == "//") i = std::min(text.find('\n', i), text.size() - 1);
      const char c = text[i];
      const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
      if (!space) out += c;
      else if (!out.empty() && out.back() != ' ') out += ' ';
    }
    if (out.ends_with(' ')) out.pop_back();
    return out;
  }

  void addParams(Documented& entry, List<Param> params, bool all) const {
    for (const Param& param : params) {
      // It stands before the first word of the parameter, which may be `mut`.
      auto doc = docs_.find(param.name.range.begin.offset);
      if (doc == docs_.end() && param.isMut)
        if (auto before = docs_.lower_bound(param.name.range.begin.offset); before != docs_.begin())
          if (--before; sources_.text(Range{{before->first}, param.name.range.begin}).find_first_not_of("mut \t\r\n") ==
                        std::string_view::npos)
            doc = before;
      if (!all && doc == docs_.end()) continue;
      const Range range =
          param.type ? Range{param.name.range.begin, ast_.expr(param.type).range.end} : param.name.range;
      entry.members.push_back({shorten(sources_.text(range)), doc == docs_.end() ? std::string() : doc->second});
    }
  }

  const Ast& ast_;
  const SourceManager& sources_;
  const Interner& names_;
  std::map<uint32_t, std::string> docs_;  // by the place of what they document
};

}  // namespace

std::vector<Documented> documentation(const Ast& ast, const SourceManager& sources, const Interner& names) {
  Collector collector(ast, sources, names);
  for (StmtId item : ast.items())
    if (const auto* decl = std::get_if<DeclStmt>(&ast.stmt(item).node)) collector.add(ast.decl(decl->decl));
  return std::move(collector.found);
}

}  // namespace rad

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Scanner, grammar, tree dump, messages and the question whether an entry is complete, on any bytes: nothing may crash,
// hang or leave a broken tree.
#include "frontend/ast/children.h"
#include "frontend/lex/lex.h"
#include "frontend/parse/parse.h"

#include <cstdio>
#include <cstdlib>

namespace {

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "fuzz_parse: %s\n", what);
  std::abort();
}

struct TreeCheck {
  const rad::Ast& ast;
  const rad::SourceManager& sources;
  rad::FileId file;
  unsigned depth = 0;

  void place(rad::Range range) {
    if (!range.valid() || range.end.offset < range.begin.offset) fail("a node without a place");
    if (sources.fileOf(range.begin) != file || sources.fileOf(range.end) != file) fail("a node outside of its file");
  }
  template <class Node>
  void node(const Node& n) {
    place(n.range);
    if (++depth > 2 * rad::maxNesting) fail("a tree that is too deep");
    std::visit([&](const auto& parts) { rad::forEachChild(parts, *this); }, n.node);
    --depth;
  }
  void operator()(rad::ExprId id) { node(ast.expr(id)); }
  void operator()(rad::StmtId id) { node(ast.stmt(id)); }
  void operator()(rad::DeclId id) { node(ast.decl(id)); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  rad::SourceManager sources;
  rad::Interner names;
  rad::Diagnostics diagnostics;
  rad::FileId file = sources.add("fuzz.rad", text);
  rad::Ast ast = rad::parse(file, sources, names, diagnostics);
  TreeCheck check{ast, sources, file};
  for (rad::StmtId id : ast.items()) check(id);
  rad::dump(ast, sources, names);
  rad::dumpTokens(file, sources);
  for (const rad::Diagnostic& diagnostic : diagnostics.all()) {
    if (sources.fileOf(diagnostic.range.begin) != file) fail("a message without a place");
    if (diagnostic.kind == rad::Diag::ParseAborted) fail("parsing gave up");
    rad::render(diagnostic, sources);
  }
  rad::isIncomplete(text);
  return 0;
}

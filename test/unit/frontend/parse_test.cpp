// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/unit/frontend/frontend_fixture.h"

#include <gtest/gtest.h>

namespace rad::test {
namespace {

/// An expression with all its brackets written: "(a + (b * c))".
std::string bracketed(const Parsed& p, ExprId id) {
  const Expr& e = p.ast.expr(id);
  if (auto* n = std::get_if<BinaryExpr>(&e.node))
    return "(" + bracketed(p, n->left) + " " + std::string(spelling(n->op)) + " " + bracketed(p, n->right) + ")";
  if (auto* n = std::get_if<UnaryExpr>(&e.node))
    return "(" + std::string(spelling(n->op)) + " " + bracketed(p, n->operand) + ")";
  if (auto* n = std::get_if<LambdaExpr>(&e.node)) return "(lambda " + bracketed(p, n->body) + ")";
  if (auto* n = std::get_if<OnExpr>(&e.node))
    return "(" + bracketed(p, n->launch) + " on " + bracketed(p, n->stream) + ")";
  return std::string(p.sources.text(e.range));
}
std::string shape(std::string text) {
  Parsed p(std::move(text));
  if (p.diagnostics.hasErrors() || p.ast.items().size() != 1) return "not one expression";
  auto* statement = std::get_if<ExprStmt>(&p.ast.stmt(p.ast.items()[0]).node);
  return statement ? bracketed(p, statement->expr) : "not an expression";
}

TEST(Precedence, IsTheOneOfTheLanguage) {
  EXPECT_EQ(shape("a + b * c - d"), "((a + (b * c)) - d)");
  EXPECT_EQ(shape("a << 1 + b"), "(a << (1 + b))");
  EXPECT_EQ(shape("a & b << c"), "(a & (b << c))");
  EXPECT_EQ(shape("a | b ^ c & d"), "(a | (b ^ (c & d)))");
  EXPECT_EQ(shape("a & b == c | d"), "((a & b) == (c | d))");
  EXPECT_EQ(shape("a == b and c < d or e"), "(((a == b) and (c < d)) or e)");
  EXPECT_EQ(shape("a or b and c"), "(a or (b and c))");
  EXPECT_EQ(shape("not a == b and c"), "((not (a == b)) and c)");
  EXPECT_EQ(shape("-a * ~b"), "((- a) * (~ b))");
  EXPECT_EQ(shape("-a.b[0](c)"), "(- a.b[0](c))");
  EXPECT_EQ(shape("a - b - c"), "((a - b) - c)");
  EXPECT_EQ(shape("a / b % c"), "((a / b) % c)");
  EXPECT_EQ(shape("|x| x + 1 or y"), "(lambda ((x + 1) or y))");
  EXPECT_EQ(shape("f(x) on a + b"), "(f(x) on (a + b))");
  EXPECT_EQ(shape("f(&x[i])"), "f(&x[i])");
}

TEST(Locations, CoverWhatWasWritten) {
  Parsed p("let a = 1\nkernel k(mut x: [f32; n])\n  forall i in 0..n {\n  x[i] = f(x[i], 2) + 1\n}\n");
  ASSERT_EQ(p.ast.items().size(), 2u);
  auto text = [&](Range range) { return std::string(p.sources.text(range)); };
  EXPECT_EQ(text(p.ast.stmt(p.ast.items()[0]).range), "let a = 1");
  DeclId id = std::get<DeclStmt>(p.ast.stmt(p.ast.items()[1]).node).decl;
  auto& kernel = std::get<KernelDecl>(p.ast.decl(id).node);
  EXPECT_EQ(text(p.ast.decl(id).range).substr(0, 8), "kernel k");
  EXPECT_EQ(text(p.ast.decl(id).range).back(), '}');
  EXPECT_EQ(text(kernel.name.range), "k");
  EXPECT_EQ(text(kernel.params[0].name.range), "x");
  EXPECT_EQ(text(p.ast.expr(kernel.params[0].type).range), "[f32; n]");
  auto& body = std::get<BlockExpr>(p.ast.expr(kernel.body).node);
  auto& assign = std::get<AssignStmt>(p.ast.stmt(body.statements[0]).node);
  EXPECT_EQ(text(assign.opRange), "=");
  auto& sum = std::get<BinaryExpr>(p.ast.expr(assign.value).node);
  EXPECT_EQ(text(p.ast.expr(assign.value).range), "f(x[i], 2) + 1");
  EXPECT_EQ(text(sum.opRange), "+");
  EXPECT_EQ(text(p.ast.expr(sum.left).range), "f(x[i], 2)");
}

TEST(Locations, OfASecondFileAreItsOwn) {
  SourceManager sources;
  Interner names;
  Diagnostics diagnostics;
  FileId first = sources.add("first.rad", "let x = 1\n"), second = sources.add("second.rad", "let y = \"a\" + z\n");
  Ast a = parse(first, sources, names, diagnostics), b = parse(second, sources, names, diagnostics);
  EXPECT_EQ(sources.text(b.stmt(b.items()[0]).range), "let y = \"a\" + z");
  EXPECT_EQ(sources.text(a.stmt(a.items()[0]).range), "let x = 1");
}

TEST(Docs, StandAtTheDeclaration) {
  Parsed p("/// One.\n/// Two.\n@inline\nprivate fn f() { }\nstruct S {\n  /// Inside.\n  fn g(self) = 1\n}");
  EXPECT_FALSE(p.diagnostics.hasErrors());
  const Decl& f = p.ast.decl(std::get<DeclStmt>(p.ast.stmt(p.ast.items()[0]).node).decl);
  EXPECT_EQ(f.doc, "One.\nTwo.");
  EXPECT_TRUE(f.isPrivate);
  EXPECT_EQ(f.attributes.size(), 1u);
  auto& s = std::get<StructDecl>(p.ast.decl(std::get<DeclStmt>(p.ast.stmt(p.ast.items()[1]).node).decl).node);
  EXPECT_EQ(p.ast.decl(s.methods[0]).doc, "Inside.");
}

TEST(Literals, HaveTheirValues) {
  Parsed p("f(1_000, 0xffu8, 0b101, 18446744073709551615, 18446744073709551616, 1.25e2, 2f64, \"a\\u{3c0}\\n{}\")");
  EXPECT_FALSE(p.diagnostics.hasErrors());
  auto& call = std::get<CallExpr>(p.ast.expr(std::get<ExprStmt>(p.ast.stmt(p.ast.items()[0]).node).expr).node);
  auto integer = [&](size_t i) { return std::get<IntExpr>(p.ast.expr(call.arguments[i].value).node); };
  auto real = [&](size_t i) { return std::get<FloatExpr>(p.ast.expr(call.arguments[i].value).node); };
  EXPECT_EQ(integer(0).value, 1000u);
  EXPECT_EQ(integer(1).value, 255u);
  EXPECT_EQ(p.names.text(integer(1).suffix), "u8");
  EXPECT_TRUE(integer(1).isHexOrBinary);
  EXPECT_EQ(integer(2).value, 5u);
  EXPECT_EQ(integer(3).value, UINT64_MAX);
  EXPECT_FALSE(integer(3).tooBig);
  EXPECT_TRUE(integer(4).tooBig);
  EXPECT_EQ(real(5).value, 125.0);
  EXPECT_EQ(real(6).value, 2.0);
  EXPECT_EQ(p.names.text(real(6).suffix), "f64");
  EXPECT_EQ(std::get<StringExpr>(p.ast.expr(call.arguments[7].value).node).value, "a\u03c0\n{}");
}

TEST(Recovery, EachMistakeHasOneMessage) {
  Parsed p(
      "let = 1\n"
      "fn f() {\n"
      "  x = = 2\n"
      "  y = 3\n"
      "  if a ? { nested( }\n"
      "}\n"
      "struct S {\n"
      "  a f32\n"
      "  b: i32\n"
      "}\n"
      "enum E { a b, c }\n"
      "let ok = 3\n"
      "f(1 2)\n");
  EXPECT_EQ(p.messages(),
            (Messages{"1:5 R0101", "3:7 R0101", "5:8 R0107", "5:18 R0008", "8:5 R0101", "11:12 R0101", "13:5 R0101"}));
  std::string tree = p.tree();
  EXPECT_NE(tree.find("field: b"), std::string::npos);
  EXPECT_NE(tree.find("member: c"), std::string::npos);
  EXPECT_NE(tree.find("Let ok"), std::string::npos);
  EXPECT_NE(tree.find("Name y"), std::string::npos);
}
TEST(Recovery, AnUnclosedBracketDoesNotHideWhatFollows) {
  Parsed p("let x = f(a, g(b)\nlet y = = 3\nlet z = 4");
  EXPECT_EQ(p.messages(), (Messages{"1:10 R0008", "2:9 R0101"}));
  EXPECT_NE(p.tree().find("Let z"), std::string::npos);
}
TEST(Recovery, TheEndOfTheTextIsReportedOnce) {
  for (const char* text : {"let", "fn f(", "fn", "if a", "kernel k()", "x +", "struct S", "{ {", "@", "@inline", "a.",
                           "for i in 0..", "f(x for i in"})
    EXPECT_EQ(Parsed(text).diagnostics.errorCount(), 1u) << text;
}

TEST(Depth, IsLimitedInEveryDirection) {
  auto repeat = [](std::string part, size_t count) {
    std::string out;
    for (size_t i = 0; i < count; ++i) out += part;
    return out;
  };
  size_t many = 50000;
  for (std::string text : {
           std::string(many, '(') + "x" + std::string(many, ')'),
           std::string(many, '-').replace(0, many, repeat("- ", many)) + "x",
           repeat("not ", many) + "x",
           "x" + repeat(" + x", many),
           "x" + repeat(".a", many),
           "x" + repeat("[0]", many),
           repeat("if a { } else ", many) + "{ }",
           repeat("if a { ", many),
           repeat("|x| ", many) + "x",
           "let f: " + repeat("fn() -> ", many) + "i32 = x",
           "let f: " + repeat("strided ", many) + "x = y",
           repeat("fn f() {", many),
           repeat("& ", many) + "x",
       }) {
    Parsed p(text);
    EXPECT_EQ(p.diagnostics.errorCount(), 1u)
        << text.substr(0, 20) << " " << (p.diagnostics.all().empty() ? "" : p.messages()[0]);
    ASSERT_TRUE(p.diagnostics.hasErrors());
    EXPECT_EQ(p.diagnostics.all()[0].kind, Diag::TooDeep) << text.substr(0, 20);
    p.tree();
  }
  EXPECT_FALSE(Parsed("x" + repeat(" + x", maxNesting - 3)).diagnostics.hasErrors());
}

TEST(Incomplete, WhenMoreLinesCouldCompleteTheEntry) {
  for (const char* text : {"fn f(",
                           "fn f(x: f32) -> f32",
                           "fn f(x: f32) -> f32\n",
                           "fn f() {",
                           "kernel k(x: f32)",
                           "kernel k(x: f32)\n forall i in 0..n",
                           "x +",
                           "let x =",
                           "f(a,",
                           "[1,\n2",
                           "/* open",
                           "if a",
                           "if a {\n b\n",
                           "@inline",
                           "@max_threads(3)\n",
                           "/// documentation",
                           "let",
                           "struct S",
                           "x.",
                           "for i in 0..",
                           "{ /* open",
                           "test \"a\"",
                           "import"})
    EXPECT_TRUE(isIncomplete(text)) << text;
}
TEST(Incomplete, NotWhenTheEntryIsCompleteOrWrong) {
  for (const char* text : {"",
                           "\n",
                           "// comment",
                           "x",
                           "let x = 3",
                           "fn f() { }",
                           "f(a)",
                           "if a { }",
                           "let let = 3",
                           "let = 3 {",
                           "x )",
                           "f(a]",
                           "\"open",
                           "let x",
                           "fn f(x) {",
                           "x = = 3\n(",
                           "kernel k() { }",
                           "a < b < c",
                           "/// doc\nfn f() { }",
                           "/* closed */",
                           "fn f() x"})
    EXPECT_FALSE(isIncomplete(text)) << text;
}

TEST(Parser, TwoAtOnceShareNothing) {
  // Reentrant scanner and parser: an Ast is built while another exists, and each is whole.
  Parsed a("let x = 1"), b("let y = (");
  Parsed c("let z = 2");
  EXPECT_NE(a.tree().find("Let x"), std::string::npos);
  EXPECT_NE(c.tree().find("Let z"), std::string::npos);
  EXPECT_TRUE(b.diagnostics.hasErrors());
}

}  // namespace
}  // namespace rad::test

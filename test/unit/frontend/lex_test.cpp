// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/unit/frontend/frontend_fixture.h"

#include <gtest/gtest.h>

namespace rad::test {
namespace {

/// The tokens joined by blanks, each End as `<>`.
std::string tokens(std::string text) {
  SourceManager sources;
  Diagnostics diagnostics;
  FileId file = sources.add("t.rad", std::move(text));
  std::string out;
  for (const Token& token : lex(file, sources, diagnostics).tokens) {
    if (token.kind == TokenKind::EndOfText) break;
    if (!out.empty()) out += ' ';
    out += token.kind == TokenKind::End ? "<>"
           : token.isVirtual            ? "+" + std::string(spelling(token.kind))
                                        : std::string(sources.text(file).substr(token.begin, token.end - token.begin));
  }
  return out;
}
Messages lexMessages(std::string text) {
  SourceManager sources;
  Diagnostics diagnostics;
  FileId file = sources.add("t.rad", std::move(text));
  lex(file, sources, diagnostics);
  Messages out;
  for (const Diagnostic& d : diagnostics.all()) {
    Position place = sources.position(d.range.begin);
    out.push_back(std::to_string(place.line) + ":" + std::to_string(place.column) + " " + std::string(codeOf(d.kind)));
  }
  return out;
}

TEST(Newlines, EndAStatement) {
  EXPECT_EQ(tokens("a\nb\n\n\nc"), "a <> b <> c");
  EXPECT_EQ(tokens("\n\na\n"), "a");
  EXPECT_EQ(tokens("a\r\nb"), "a <> b");
  EXPECT_EQ(tokens("a // c\nb"), "a <> b");
  EXPECT_EQ(tokens("a /* \n */ b"), "a <> b");
}
TEST(Newlines, NotWhenTheLastTokenCannotEndAStatement) {
  for (std::string last : {"+",  "-", "*",   "=",  "+=",  ",",   "(",  "[",  "{",    ".", "..",
                           "->", ":", "and", "or", "not", "let", "in", "if", "else", "<", "@"})
    EXPECT_EQ(tokens("a " + last + "\nb").find("<>"), std::string::npos) << last;
  for (std::string last : {"x", "1", "1.5", "\"s\"", "true", "break", "continue", "return", ")", "]", "}"})
    EXPECT_NE(tokens("{ ( [ " +
                     std::string(last == ")"   ? "] "
                                 : last == "}" ? "] ) "
                                 : last == "]" ? ""
                                               : "] ) ") +
                     last + "\n" +
                     (last == ")" || last == "}" ? "b"
                      : last == "]"              ? ")\nb"
                                                 : "b"))
                  .find("<>"),
              std::string::npos)
        << last;
}
TEST(Newlines, NotWhenTheNextTokenCannotBeginAStatement) {
  for (std::string next : {"{", "else", "threads", "blocks", "and", "or", ".x", ",",  "=", "->", "+=", "-=", "<<=", "+",
                           "*", "/",    "%",       "^",      "<<",  ">>", "==", "!=", "<", "<=", ">",  ">=", ".."})
    EXPECT_EQ(tokens("a\n" + next).find("<>"), std::string::npos) << next;
  for (std::string next : {"-", "&", "|", "(", "[", "not", "b", "1", "if", "@"})
    EXPECT_EQ(tokens("a\n" + next).find("a <>"), 0u) << next;
}
TEST(Newlines, OnlyTheInnermostBracketCounts) {
  EXPECT_EQ(tokens("f(a\nb)\nc"), "f ( a b ) <> c");
  EXPECT_EQ(tokens("f({ a\nb })"), "f ( { a <> b } )");
  EXPECT_EQ(tokens("{ x[a\nb] }"), "{ x [ a b ] }");
}
TEST(Newlines, NotBeforeADomainOrBehindAnAttribute) {
  EXPECT_EQ(tokens("kernel k()\nforall i in 0..1\n{ }"), "kernel k ( ) forall i in 0 .. 1 { }");
  EXPECT_EQ(tokens("kernel k() forall i in 0..1 {\nforall\n}\nforall"),
            "kernel k ( ) forall i in 0 .. 1 { forall } <> forall");
  EXPECT_EQ(tokens("x\nforall i in 0..1 { }"), "x <> forall i in 0 .. 1 { }");
  EXPECT_EQ(tokens("@inline\nfn f() { }"), "@ inline fn f ( ) { }");
  EXPECT_EQ(tokens("@max_threads(\n256\n)\nfn f() { }"), "@ max_threads ( 256 ) fn f ( ) { }");
  EXPECT_EQ(tokens("f(1)\ng"), "f ( 1 ) <> g");
}
TEST(Newlines, SemicolonsSeparateAndMerge) {
  EXPECT_EQ(tokens("a; b"), "a <> b");
  EXPECT_EQ(tokens("a;\n;\nb;"), "a <> b <>");
  EXPECT_EQ(tokens("[v; 8]"), "[ v ; 8 ]");
  EXPECT_EQ(tokens("f(a; b)"), "f ( a ; b )");
}

TEST(Numbers, RangesAndPositionsAreNotFloats) {
  EXPECT_EQ(tokens("1..n"), "1 .. n");
  EXPECT_EQ(tokens("1.5..2"), "1.5 .. 2");
  EXPECT_EQ(tokens("t.0.1"), "t . 0 . 1");
  EXPECT_EQ(tokens("t.0..1.5"), "t . 0 .. 1.5");
  EXPECT_EQ(tokens("1.x"), "1 . x");
  EXPECT_EQ(tokens("f(shape...)"), "f ( shape ... )");
}

TEST(Brackets, MissingOnesAreInsertedWithOneMessage) {
  EXPECT_EQ(tokens("f(a\nlet x = 3"), "f ( a +) <> let x = 3");
  EXPECT_EQ(lexMessages("f(a, g(b\nlet x = 3"), Messages{"1:2 R0008"});
  EXPECT_EQ(lexMessages("{ f(a }\nb"), Messages{"1:4 R0008"});
  EXPECT_EQ(lexMessages("fn f() {\n if a {\n"), Messages{"1:8 R0008"});
  EXPECT_EQ(tokens("{ ( ["), "{ ( [ +] +) +}");
}
TEST(Brackets, TooManyAreLeftOut) {
  EXPECT_EQ(lexMessages("a)\nb"), Messages{"1:2 R0009"});
  EXPECT_EQ(tokens("a)\nb"), "a <> b");
  EXPECT_EQ(lexMessages("}\n}"), (Messages{"1:1 R0009", "2:1 R0009"}));
  EXPECT_EQ(lexMessages("f(a]"), Messages{"1:4 R0009"});
}
TEST(Brackets, NestOnlySoDeep) {
  EXPECT_TRUE(lexMessages(std::string(maxNesting, '(') + "x" + std::string(maxNesting, ')')).empty());
  EXPECT_EQ(lexMessages(std::string(100000, '(')), Messages{"1:257 R0010"});
}

TEST(Text, WrongCharactersAreNamedOnce) {
  EXPECT_EQ(lexMessages("a \xff b"), Messages{"1:3 R0001"});
  EXPECT_EQ(lexMessages("// \xc0\xaf"), Messages{"1:4 R0001"});
  EXPECT_EQ(lexMessages("\"\xed\xa0\x80\""), Messages{"1:2 R0001"});
  EXPECT_EQ(lexMessages("größe"), Messages{"1:3 R0002"});
  EXPECT_EQ(lexMessages("a # b"), Messages{"1:3 R0002"});
  EXPECT_EQ(lexMessages(std::string("a \0 b", 5)), Messages{"1:3 R0002"});
  EXPECT_TRUE(lexMessages("\xef\xbb\xbf// with a mark\n\"größe π 漢字 🧵\"").empty());
}
TEST(Text, UnterminatedThingsAreNamed) {
  EXPECT_EQ(lexMessages("\"abc\nd"), Messages{"1:1 R0003"});
  EXPECT_EQ(lexMessages("\"abc\\"), Messages{"1:1 R0003"});
  EXPECT_EQ(lexMessages("/* a /* b */ c"), Messages{"1:1 R0004"});
  EXPECT_TRUE(lexMessages("/* a /* b */ c */").empty());
}

TEST(Docs, BelongToTheTokenBelow) {
  SourceManager sources;
  Diagnostics diagnostics;
  FileId file = sources.add("t.rad", "/// One.\n///  Two.\n\n// between\nfn f() { }\n//// none\nfn g() { }");
  TokenStream stream = lex(file, sources, diagnostics);
  ASSERT_EQ(stream.docs.size(), 1u);
  EXPECT_EQ(stream.docs[0].text, "One.\n Two.");
  EXPECT_EQ(sources.text(file).substr(stream.docs[0].target, 4), "fn f");
}

}  // namespace
}  // namespace rad::test

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/diagnostics/diagnostics.h"

#include <gtest/gtest.h>

#include <set>

namespace rad {
namespace {

struct Renderer : testing::Test {
  FileId add(std::string text) { return file = sources.add("t.rad", std::move(text)); }
  Range range(size_t begin, size_t end) { return {sources.location(file, begin), sources.location(file, end)}; }
  std::string shown() { return render(diagnostics.all().back(), sources); }
  SourceManager sources;
  Diagnostics diagnostics;
  FileId file;
};

TEST_F(Renderer, ShowsPlaceCodeLineCaretsNotesAndHelp) {
  add("let a = 1\nlet b = a << 2\n");
  diagnostics.report(Diag::UnexpectedToken, range(18, 24), {"a name", "`a`"})
      .note(range(4, 5), "made here")
      .help("write `c`");
  EXPECT_EQ(shown(),
            "t.rad:2:9: error[R0101]: expected a name, found `a`\n"
            "   2 | let b = a << 2\n"
            "     |         ^~~~~~\n"
            "t.rad:1:5: note: made here\n"
            "   1 | let a = 1\n"
            "     |     ^\n"
            "help: write `c`\n");
}

TEST_F(Renderer, ExpandsTabsBeforeAndInsideOfTheRange) {
  add("\tx\t= 3");
  diagnostics.report(Diag::UnexpectedHere, range(1, 4), {"`x`"});
  EXPECT_EQ(shown(),
            "t.rad:1:2: error[R0102]: `x` cannot stand here\n"
            "   1 |     x   = 3\n"
            "     |     ^~~~~\n");
}

TEST_F(Renderer, CountsCharactersNotBytes) {
  add("f(\"πππ\", q)");
  diagnostics.report(Diag::UnexpectedHere, range(12, 13), {"`q`"});
  EXPECT_EQ(shown(),
            "t.rad:1:13: error[R0102]: `q` cannot stand here\n"
            "   1 | f(\"πππ\", q)\n"
            "     |          ^\n");
}

TEST_F(Renderer, ClipsARangeOfSeveralLinesToItsFirst) {
  add("f(a,\n  b)\n");
  diagnostics.report(Diag::UnexpectedHere, range(0, 9), {"this"});
  EXPECT_EQ(shown(),
            "t.rad:1:1: error[R0102]: this cannot stand here\n"
            "   1 | f(a,\n"
            "     | ^~~~...\n");
}

TEST_F(Renderer, PointsBehindTheLastCharacter) {
  add("let x =");
  diagnostics.report(Diag::UnexpectedHere, range(7, 7), {"the end of the text"});
  EXPECT_EQ(shown(),
            "t.rad:1:8: error[R0102]: the end of the text cannot stand here\n"
            "   1 | let x =\n"
            "     |        ^\n");
}

TEST_F(Renderer, ShowsAWindowOfAVeryLongLine) {
  add(std::string(1000, 'a') + "?" + std::string(1000, 'b'));
  diagnostics.report(Diag::ConditionalOperator, range(1000, 1001));
  std::string text = shown();
  size_t line = text.find(" | ") + 3, carets = text.rfind(" | ") + 3;
  EXPECT_EQ(text.substr(line, 3), "...");
  EXPECT_LT(text.size(), 500u);
  EXPECT_EQ(text[line + (text.find('^') - carets)], '?');
}

TEST_F(Renderer, MakesControlCharactersAndBrokenBytesVisible) {
  add("a\x1b[31m\xff b");
  diagnostics.report(Diag::UnexpectedHere, range(8, 9), {"`b`"});
  EXPECT_EQ(shown().find('\x1b'), std::string::npos);
  EXPECT_EQ(shown().find('\xff'), std::string::npos);
  EXPECT_NE(shown().find("a?[31m? b"), std::string::npos);
}

TEST_F(Renderer, MessagesWithoutAPlaceHaveNoSnippet) {
  diagnostics.report(Diag::NotYet, {}, {"`extern`"});
  EXPECT_EQ(shown(), "error[R0900]: `extern` is not in this version of Raddle yet\n");
}

TEST_F(Renderer, ColorsOnlyWhenAsked) {
  add("x");
  diagnostics.report(Diag::UnexpectedHere, range(0, 1), {"`x`"});
  EXPECT_EQ(shown().find('\x1b'), std::string::npos);
  EXPECT_NE(render(diagnostics.all().back(), sources, {.color = true}).find("\x1b[1;31m"), std::string::npos);
}

TEST_F(Renderer, OneMistakeOnceAndAtMostAHundred) {
  add(std::string(300, 'x'));
  diagnostics.report(Diag::UnexpectedHere, range(0, 1), {"a"});
  diagnostics.report(Diag::UnexpectedHere, range(0, 1), {"b"}).help("lost with its message");
  EXPECT_EQ(diagnostics.all().size(), 1u);
  EXPECT_EQ(diagnostics.all()[0].help, "");
  for (size_t i = 0; i < 300; ++i) diagnostics.report(Diag::UnexpectedHere, range(i, i + 1), {"c"});
  EXPECT_EQ(diagnostics.all().size(), 100u);
  EXPECT_EQ(diagnostics.errorCount(), 300u);
}

TEST(DiagnosticTable, CodesAreUniqueAndExplained) {
  std::set<std::string_view> codes;
#define DIAG(Name, Code, Level, Text)                                         \
  EXPECT_TRUE(codes.insert(Code).second) << Code;                             \
  EXPECT_EQ(std::string_view(Code).size(), 5u) << Code;                       \
  EXPECT_EQ(explain(Code).find(std::string(Code) + ": " #Name "\n\n"), 0u);   \
  EXPECT_GT(explain(Code).size(), sizeof(Code) + sizeof(#Name) + 30) << Code; \
  EXPECT_FALSE(std::string_view(Text).ends_with('.')) << Code;
#include "frontend/diagnostics/diagnostics.def"
  EXPECT_EQ(explain("R9999"), "");
  EXPECT_EQ(explain(""), "");
}

TEST(NearestName, FindsSlipsAndNothingElse) {
  std::vector<std::string_view> names{"saxpy", "random", "zeros", "x", "max"};
  EXPECT_EQ(nearestName("saxyp", names), "saxpy");
  EXPECT_EQ(nearestName("zero", names), "zeros");
  EXPECT_EQ(nearestName("randmo", names), "random");
  EXPECT_EQ(nearestName("min", names), "");
  EXPECT_EQ(nearestName("y", names), "x");
  EXPECT_EQ(nearestName("completely", names), "");
  EXPECT_EQ(nearestName("saxpy", {}), "");
}

struct Verify : testing::Test {
  std::vector<std::string> differences(std::string text, std::vector<std::pair<size_t, std::string>> reported) {
    FileId file = sources.add("t.rad", std::move(text));
    for (auto& [offset, found] : reported)
      diagnostics.report(Diag::UnexpectedHere, {sources.location(file, offset), sources.location(file, offset + 1)},
                         {found});
    return verifyExpectations(diagnostics, sources, file);
  }
  SourceManager sources;
  Diagnostics diagnostics;
};

TEST_F(Verify, MatchesTextOrCodeOnTheLine) {
  EXPECT_TRUE(differences("a // expect-error: `a` cannot\n"
                          "// expect-error@+1: R0102\nb\n"
                          "c\n// expect-error@-1: `c`\n",
                          {{0, "`a`"}, {57, "`b`"}, {59, "`c`"}})
                  .empty());
}
TEST_F(Verify, TwoOnOneLine) {
  EXPECT_TRUE(differences("a b // expect-error: `a` // expect-error: `b`\n", {{0, "`a`"}, {2, "`b`"}}).empty());
}
TEST_F(Verify, NamesWhatIsMissingAndWhatIsTooMuch) {
  auto found = differences("a // expect-error: something else\n", {{0, "`a`"}});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0], "t.rad:1:1: unexpected error[R0102]: `a` cannot stand here");
  EXPECT_EQ(found[1], "t.rad:1: no such error: something else");
}
TEST_F(Verify, OneExpectationMeetsOneMessage) {
  EXPECT_EQ(differences("a b // expect-error: stand\n", {{0, "`a`"}, {2, "`b`"}}).size(), 1u);
}
TEST_F(Verify, AWarningIsNoError) { EXPECT_EQ(differences("a // expect-warning: stand\n", {{0, "`a`"}}).size(), 2u); }
TEST_F(Verify, AWrongExpectationIsNamed) {
  EXPECT_EQ(differences("a // expect-error stand\n", {}).size(), 1u);
  EXPECT_EQ(differences("a // expect-error@x: stand\n", {}).size(), 1u);
}

}  // namespace
}  // namespace rad

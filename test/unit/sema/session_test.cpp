// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sessions: several units, instances of generic functions, targets.
#include "frontend/parse/parse.h"
#include "frontend/sema/sema.h"
#include "frontend/target/target.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rad {
namespace {

constexpr LibraryText library[] = {
    {"prelude", "fn ceil_div[T: Integer](a: T, b: T) -> T { let q = a / b\n if a % b > 0 { q + 1 } else { q } }"},
    {"math", "const pi = 3.14159265358979"},
};

struct SessionTest : testing::Test {
  std::optional<TypedProgram> check(std::string text, bool interactive = true) {
    diagnostics.clear();
    FileId file = sources.add("<entry>", std::move(text));
    Ast ast = parse(file, sources, names, diagnostics);
    if (diagnostics.hasErrors()) return std::nullopt;
    auto program = session.check(std::move(ast), diagnostics, interactive);
    if (program) {
      EXPECT_EQ(verify(*program), "");
    }
    return program;
  }
  std::string firstError() { return diagnostics.all().empty() ? "" : std::string(codeOf(diagnostics.all()[0].kind)); }
  std::vector<std::string> functionNames(const TypedProgram& program) {
    std::vector<std::string> result;
    for (const Function& function : program.functions) result.push_back(function.name);
    std::sort(result.begin(), result.end());
    return result;
  }

  SourceManager sources;
  Interner names;
  Diagnostics diagnostics;
  Session session{sources, names, library, {}};
};

TEST_F(SessionTest, VariablesLastOverUnits) {
  ASSERT_TRUE(check("var c = 1\nlet n = 8"));
  auto next = check("c += n");
  ASSERT_TRUE(next);
  ASSERT_EQ(next->globals.size(), 1u);  // n is a constant
  EXPECT_FALSE(next->globals[0].isDefinedHere);
  EXPECT_EQ(next->globals[0].symbol, "g.c.0");
}

TEST_F(SessionTest, ALaterUnitMayDefineAgainButNotOneScope) {
  ASSERT_TRUE(check("var a = 1"));
  auto again = check("var a = 2.0");
  ASSERT_TRUE(again);
  EXPECT_NE(again->globals[0].symbol, "g.a.0");
  EXPECT_FALSE(check("var b = 1\nvar b = 2"));
  EXPECT_EQ(firstError(), "R0202");
  EXPECT_FALSE(check("print(b)"));
  EXPECT_EQ(firstError(), "R0200");
}

TEST_F(SessionTest, NothingOfAFailedUnitStays) {
  EXPECT_FALSE(check("fn f(x: f32) = x\nlet bad = missing"));
  EXPECT_FALSE(check("print(f(1.0))"));
  EXPECT_EQ(firstError(), "R0200");
}

TEST_F(SessionTest, ForgottenVariablesGiveTheNameBack) {
  ASSERT_TRUE(check("var a = 1"));
  auto second = check("var a = 2.5\nvar fresh = 3");
  ASSERT_TRUE(second);
  std::vector<std::string> symbols;
  for (const Global& global : second->globals) symbols.push_back(global.symbol);
  session.forgetGlobals(symbols);
  auto use = check("a += 1");
  ASSERT_TRUE(use);
  EXPECT_EQ(use->globals[0].symbol, "g.a.0");
  EXPECT_FALSE(check("fresh += 1"));
}

TEST_F(SessionTest, TheLastExpressionOfAnEntryIsShown) {
  auto program = check("1 + 2");
  ASSERT_TRUE(program);
  ASSERT_EQ(program->script.statements.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<Print>(program->stmt(program->script.statements[0]).node));
  EXPECT_FALSE(check("1 + 2", false));
  EXPECT_EQ(firstError(), "R0224");
}

TEST_F(SessionTest, OneInstanceForEachSetOfArguments) {
  auto program = check("fn twice[T: Number](x: T) = x + x\nprint(twice(1), twice(2), twice(1.5), twice(2u8))");
  ASSERT_TRUE(program);
  EXPECT_EQ(functionNames(*program), (std::vector<std::string>{"twice[f32]", "twice[i32]", "twice[u8]"}));
}

TEST_F(SessionTest, HostAndDeviceAreTwoInstances) {
  auto program = check(
      "fn sq(x: f32) = x * x\nkernel k(mut y: [f32; n]) forall i in 0..n { y[i] = sq(y[i]) }\nlet y = "
      "zeros[f32](4)\nk(y)\nprint(sq(2.0))");
  ASSERT_TRUE(program);
  ASSERT_EQ(program->functions.size(), 2u);
  EXPECT_NE(program->functions[0].side, program->functions[1].side);
  EXPECT_NE(program->functions[0].name, program->functions[1].name);
}

TEST_F(SessionTest, AnErrorInsideAnInstanceIsReportedOnceAndNamesTheCall) {
  EXPECT_FALSE(check("fn bad[T: Number](x: T) -> T { x & x }\nprint(bad(1.5), bad(2.5))"));
  ASSERT_EQ(diagnostics.all().size(), 1u);
  ASSERT_EQ(diagnostics.all()[0].notes.size(), 1u);
  EXPECT_NE(diagnostics.all()[0].notes[0].text.find("bad[f32]"), std::string::npos);
}

TEST_F(SessionTest, KernelsAreMadeOnlyWhereUsedUnlessAllAreWanted) {
  const std::string text = "kernel k(mut y: [f32; n]) forall i in 0..n { y[i] = 0.0 }";
  EXPECT_TRUE(check(text)->kernels.empty());
  session.setBuildAllKernels(true);
  EXPECT_EQ(check(text)->kernels.size(), 1u);
}

TEST_F(SessionTest, UnusedDeclarationsAreCheckedToo) {
  EXPECT_FALSE(check("kernel k(mut y: [f32; n]) forall i in 0..n { y[i] = missing }"));
  EXPECT_EQ(firstError(), "R0200");
  EXPECT_FALSE(check("fn f(x: f32) -> i32 { x }"));
  EXPECT_EQ(firstError(), "R0204");
}

TEST_F(SessionTest, ConstantsTakeTheTypeOfTheirPlace) {
  auto program = check("let n = 1 << 4\nlet x = zeros[f32](n)\nx[n - 1] = n\nlet w: f64 = n * 2");
  ASSERT_TRUE(program);
  EXPECT_NE(dump(*program, sources).find("g.x.0[15index] = 16f32"), std::string::npos);
}

TEST(Target, NamesAndWhatRunsWhere) {
  EXPECT_FALSE(findTarget("sm_70"));
  EXPECT_FALSE(findTarget("90"));
  EXPECT_TRUE(findTarget("host")->isHost);
  EXPECT_EQ(findTarget("sm_90a")->ptxFeature(), "ptx80");
  EXPECT_TRUE(runsOn(*findTarget("sm_80"), *findTarget("sm_90")));
  EXPECT_FALSE(runsOn(*findTarget("sm_90"), *findTarget("sm_80")));
  EXPECT_FALSE(runsOn(*findTarget("sm_90a"), *findTarget("sm_100")));
  EXPECT_TRUE(runsOn(*findTarget("sm_100f"), *findTarget("sm_103")));
  EXPECT_FALSE(runsOn(*findTarget("sm_100f"), *findTarget("sm_120")));
  EXPECT_TRUE(findTarget("sm_120")->atLeast(90));
}

}  // namespace
}  // namespace rad

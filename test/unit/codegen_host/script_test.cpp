// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Host statements own what they make: nothing leaks and nothing is used after its end, whichever call fails.
#include "test/unit/codegen_host/fake_runtime.h"

#include <algorithm>

using namespace rad;
using namespace rad::test;

namespace {

const char* kPrelude =
    "kernel touch(mut x: [i32; n]) forall i in 0..n { x[i] = 1 }\n"
    "kernel touch2(mut x: [i32; n], y: [i32; m]) forall i in 0..n { x[i] = 1 }\n";

/// Runs the program once for every call that can fail, and once without a failure; afterwards no array may live.
void everyFailure(const std::string& text, size_t mostArrays) {
  int calls = 0;
  for (int failAt = -1; failAt < calls; ++failAt) {
    ScriptSession session;
    session.compile(kPrelude + text);
    if (testing::Test::HasFatalFailure()) return;
    FakeRuntime runtime;
    runtime.failAt = failAt;
    int32_t status = session.run(runtime);
    EXPECT_EQ(status, failAt < 0 ? 0 : 1) << text << " failing at " << failAt;
    if (failAt < 0) {
      calls = runtime.calls;
      EXPECT_LE(runtime.most, mostArrays) << text;
    }
    session.release(runtime);
    EXPECT_EQ(runtime.arrays.size(), 0u) << text << " failing at " << failAt;
    EXPECT_EQ(runtime.errors, 0) << text << " failing at " << failAt;
  }
  EXPECT_GT(calls, 0);
}

TEST(HostScript, ownsVariablesAndTemporaries) {
  everyFailure("let x = zeros[i32](4)\ntouch(x)\ntouch(copy(x))\nprint(\"{}\", copy(x))\ntouch(x[1..3])\n", 2);
  everyFailure("var x = zeros[i32](4)\nx = copy(x)\nx = x\nx = copy(copy(x))\ntouch(x)\n", 3);
  everyFailure("let x = zeros[i32](4)\nx[..] = copy(x)\nx[..] = 5\nx[0] = x[1] + 2\nx[2] += 1\n", 2);
}

TEST(HostScript, loopsDoNotPileUpArrays) {
  ScriptSession session;
  session.compile(std::string(kPrelude) + R"(
    var kept = zeros[i32](4)
    for i in 0..10000 {
        let a = zeros[i32](4)
        touch(copy(a))
        if i % 3 == 0 { continue }
        let b = copy(a)
        touch2(b, copy(a))
        kept = b
        while true { let c = copy(kept)
            touch(c)
            break }
        if i == 9998 { break }
    })");
  FakeRuntime runtime;
  ASSERT_EQ(session.run(runtime), 0);
  EXPECT_GT(runtime.made, 30000u);
  EXPECT_LE(runtime.most, 8u);
  EXPECT_EQ(runtime.arrays.size(), 1u);  // kept
  session.release(runtime);
  EXPECT_EQ(runtime.arrays.size(), 0u);
  EXPECT_EQ(runtime.errors, 0);
}

TEST(HostScript, exchangeKeepsBoth) {
  everyFailure(
      "var a = zeros[i32](4)\nvar b = zeros[i32](4)\nfor k in 0..3 { touch2(a, b)\n(a, b) = (b, a) }\ntouch(a)\n", 2);
  ScriptSession session;
  session.compile(std::string(kPrelude) +
                  "var a = zeros[i32](4)\nvar b = zeros[i32](4)\nfor k in 0..3 { touch(a)\n(a, b) = (b, a) }\n");
  FakeRuntime runtime;
  ASSERT_EQ(session.run(runtime), 0);
  EXPECT_EQ(runtime.log, (std::vector<std::string>{"launch on array 1", "launch on array 2", "launch on array 1"}));
}

TEST(HostScript, functionsGiveTheirArraysAway) {
  everyFailure(R"(
    fn fresh(n: index) = {
        let t = zeros[i32](n)
        touch(t)
        copy(t)
    }
    let x = fresh(3)
    touch(fresh(4))
    for i in 0..3 { touch(fresh(2)) }
  )",
               5);
}

TEST(HostScript, branchesAsValues) {
  everyFailure(R"(
    let n = 3
    for i in 0..3 {
        let x = if i == 1 { zeros[i32](2) } else { zeros[i32](4) }
        touch(x)
    }
  )",
               4);
}

TEST(HostScript, aVariableThatChangesWhileItIsUsed) {
  everyFailure(R"(
    var x = zeros[i32](4)
    fn other(y: [i32; n]) -> i32 { return y[0] }
    touch2(x, copy(x))
    print("{}", other(x))
  )",
               3);
}

TEST(HostScript, laterUnitsSeeNewValues) {
  ScriptSession session;
  FakeRuntime runtime;
  session.compile(std::string(kPrelude) + "var x = zeros[i32](4)\nvar n = 41\n");
  ASSERT_EQ(session.run(runtime), 0);
  session.compile("touch(x)\nn += 1\nx = copy(x)\n");
  ASSERT_EQ(session.run(runtime), 0);
  session.compile("print(\"n {}\", n)\ntouch(x)\n");
  ASSERT_EQ(session.run(runtime), 0);
  EXPECT_EQ(runtime.log, (std::vector<std::string>{"launch on array 1", "print n {} 42", "launch on array 2"}));
  session.release(runtime);
  EXPECT_EQ(runtime.arrays.size(), 0u);
  EXPECT_EQ(runtime.errors, 0);
}

// ---- checks ----

int32_t statusOf(const std::string& text, FakeRuntime& runtime) {
  ScriptSession session;
  session.compile(kPrelude + text);
  if (testing::Test::HasFatalFailure()) return -1;
  int32_t status = session.run(runtime);
  session.release(runtime);
  EXPECT_EQ(runtime.arrays.size(), 0u);
  return status;
}

TEST(HostScript, checksUnwind) {
  FakeRuntime overflow;
  EXPECT_EQ(statusOf("let x = zeros[i32](4)\nvar n = 2147483647\nn += 1\ntouch(x)", overflow), 9);
  EXPECT_EQ(overflow.checksFailed, 1);
  EXPECT_EQ(std::count(overflow.log.begin(), overflow.log.end(), "launch on array 1"), 0);

  FakeRuntime division;
  EXPECT_EQ(statusOf("let x = zeros[i32](4)\nvar n = 0\nprint(\"{}\", 5 / n)", division), 9);
  EXPECT_TRUE(division.log.empty());

  FakeRuntime assertion;
  EXPECT_EQ(statusOf("let x = zeros[i32](4)\nvar n = 0\nassert(n == 1, \"n is {} with {}\", n, copy(x))", assertion),
            7);
  EXPECT_EQ(assertion.assertsFailed, 1);
  EXPECT_EQ(assertion.most, 2u);

  FakeRuntime slice;
  EXPECT_EQ(statusOf("let x = zeros[i32](4)\nvar n = 5\ntouch(x[1..n])", slice), 9);
  EXPECT_EQ(slice.checkValue, 5);
  EXPECT_EQ(slice.checkExtent, 4);

  FakeRuntime shape;
  EXPECT_EQ(statusOf("let x = zeros[i32](4)\nlet y: [i32; 3] = x", shape), 9);
  EXPECT_EQ(shape.checkValue, 4);
  EXPECT_EQ(shape.checkExtent, 3);
}

}  // namespace

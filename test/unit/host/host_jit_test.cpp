// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/host_jit/host_jit.h"

#include "frontend/builtins/builtins.h"

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

using namespace rad;
using namespace rad::rt;

namespace {

int twice(int x) { return 2 * x; }

std::shared_ptr<HostJit> makeJit() {
  JitSymbol symbols[] = {{"twice", reinterpret_cast<const void*>(&twice)}};
  auto jit = HostJit::create(symbols);
  EXPECT_TRUE(jit.has_value());
  return *jit;
}

cg::IrModule parse(std::string_view text, std::string_view name = "test") {
  auto module = cg::parseIr(text, name);
  EXPECT_TRUE(module.has_value()) << (module ? "" : module.error());
  return std::move(*module);
}

TEST(HostJit, callsTheProcessAndTheLibrary) {
  auto jit = makeJit();
  ASSERT_TRUE(jit->add(parse(R"(
    declare i32 @twice(i32)
    declare float @expf(float)
    define i32 @four(i32 %x) { %a = call i32 @twice(i32 %x)
      %b = call i32 @twice(i32 %a)
      ret i32 %b }
    define float @e(float %x) { %a = call float @expf(float %x)
      ret float %a }
  )")));
  EXPECT_EQ((*jit->lookupAs<int (*)(int)>("four"))(5), 20);
  EXPECT_FLOAT_EQ((*jit->lookupAs<float (*)(float)>("e"))(1.0f), 2.7182818f);
}

TEST(HostJit, laterModulesUseGlobalsOfEarlierOnes) {
  auto jit = makeJit();
  ASSERT_TRUE(jit->add(parse("@g.x.1 = global i64 40\n@unit.constant = constant i64 7")));
  ASSERT_TRUE(jit->add(parse(R"(@g.x.1 = external global i64
    define i64 @bump() { %a = load i64, ptr @g.x.1
      %b = add i64 %a, 2
      store i64 %b, ptr @g.x.1
      ret i64 %b })")));
  EXPECT_EQ((*jit->lookupAs<int64_t (*)()>("bump"))(), 42);
  EXPECT_EQ(**jit->lookupAs<int64_t*>("g.x.1"), 42);
  EXPECT_EQ(**jit->lookupAs<const int64_t*>("unit.constant"), 7);
}

TEST(HostJit, anUnresolvedSymbolNamesItselfAndLeavesTheSessionUsable) {
  auto jit = makeJit();
  testing::internal::CaptureStderr();
  auto added = jit->add(parse(R"(declare i32 @nowhere(i32)
    define i32 @bad(i32 %x) { %a = call i32 @nowhere(i32 %x)
      ret i32 %a })",
                              "kernel_k"));
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error().category, ErrorCategory::Image);
  EXPECT_NE(added.error().message.find("nowhere"), std::string::npos) << added.error().message;
  EXPECT_NE(added.error().message.find("kernel_k"), std::string::npos) << added.error().message;
  EXPECT_FALSE(jit->lookup("bad").has_value());
  ASSERT_TRUE(jit->add(parse("define i32 @bad() { ret i32 1 }")));
  EXPECT_EQ((*jit->lookupAs<int (*)()>("bad"))(), 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(HostJit, refusesASecondDefinition) {
  auto jit = makeJit();
  ASSERT_TRUE(jit->add(parse("define i32 @f() { ret i32 1 }")));
  auto again = jit->add(parse("define i32 @f() { ret i32 2 }"));
  ASSERT_FALSE(again.has_value());
  EXPECT_NE(again.error().message.find("`f`"), std::string::npos);
  EXPECT_EQ((*jit->lookupAs<int (*)()>("f"))(), 1);
}

TEST(HostJit, unknownSymbolsAreErrors) {
  auto jit = makeJit();
  auto found = jit->lookup("no.such.thing");
  ASSERT_FALSE(found.has_value());
  EXPECT_NE(found.error().message.find("no.such.thing"), std::string::npos);
}

TEST(HostJit, emptyModulesAreFine) {
  auto jit = makeJit();
  EXPECT_TRUE(jit->add(parse("")));
}

TEST(HostJit, manyThreadsAtOnce) {
  auto jit = makeJit();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        std::string name = "f" + std::to_string(t) + "_" + std::to_string(i);
        EXPECT_TRUE(jit->add(parse("define i32 @" + name + "() { ret i32 " + std::to_string(t * 10 + i) + " }")));
        auto f = jit->lookupAs<int (*)()>(name);
        ASSERT_TRUE(f.has_value());
        EXPECT_EQ((*f)(), t * 10 + i);
      }
    });
}

TEST(HostJit, everyLibraryFunctionOfTheTableIsThere) {
  auto known = libraryJitSymbols();
  auto has = [&](const std::string& name) {
    return std::any_of(known.begin(), known.end(), [&](const JitSymbol& s) { return s.name == name && s.address; });
  };
#define MATH(Name, text, arity, operands, llvm, libdevice, libm, doc) \
  if (std::string name = libm; !name.empty()) {                       \
    EXPECT_TRUE(has(name) && has(name + "f")) << name;                \
  }
#include "frontend/builtins/builtins.def"
}

}  // namespace

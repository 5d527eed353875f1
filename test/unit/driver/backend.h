// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// What the tests of runtime/driver run on: the fake driver, and a GPU where
/// there is one. A test named OnEach runs on both, so that what it says of the
/// fake is checked against a real driver.

#include "runtime/base/warning_sink.h"
#include "runtime/driver/graph.h"
#include "runtime/driver/retire.h"
#include "test/unit/runtime/fake_driver.h"

#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

namespace rad::cuda {

namespace test = rt::test;

/// The error of a result as text; "" for success.
template <class R>
std::string errorOf(const R& result) {
  return result ? std::string() : result.error().render();
}

#define EXPECT_OK(expression)               \
  do {                                      \
    const auto& radOk_ = (expression);      \
    EXPECT_TRUE(radOk_) << errorOf(radOk_); \
  } while (false)
#define ASSERT_OK(expression)               \
  do {                                      \
    const auto& radOk_ = (expression);      \
    ASSERT_TRUE(radOk_) << errorOf(radOk_); \
  } while (false)
/// `ASSERT_MADE(auto x, f());` x is the value of f(), which must not fail.
#define ASSERT_MADE(declaration, expression)                                                    \
  auto RAD_RT_CONCAT(radMade_, __LINE__) = (expression);                                        \
  ASSERT_TRUE(RAD_RT_CONCAT(radMade_, __LINE__)) << errorOf(RAD_RT_CONCAT(radMade_, __LINE__)); \
  declaration = *std::move(RAD_RT_CONCAT(radMade_, __LINE__))
#define EXPECT_FAILS(expression, part)                                                   \
  do {                                                                                   \
    const auto& radFails_ = (expression);                                                \
    EXPECT_FALSE(radFails_) << "it succeeded";                                           \
    if (!radFails_) {                                                                    \
      EXPECT_NE(errorOf(radFails_).find(part), std::string::npos) << errorOf(radFails_); \
    }                                                                                    \
  } while (false)

/// Tests on the fake driver. At the end nothing may be left, and no rule broken.
class OnFake : public ::testing::Test {
 protected:
  void SetUp() override { start(""); }
  void start(const std::string& specification) {
    context_ = Context();
    driver_.reset();
    ASSERT_EQ(fake().configure(specification.c_str()), nullptr);
    auto driver = DriverApi::load(test::FakeDriver::path());
    ASSERT_TRUE(driver) << driver.error().render();
    driver_ = std::move(*driver);
    auto context = Context::primary(0, driver_.get());
    ASSERT_TRUE(context) << context.error().render();
    context_ = *context;
    warnings_.clear();
    rt::setWarningSink([this](std::string_view text) { warnings_.emplace_back(text); });
  }
  void TearDown() override {
    context_ = Context();
    drainRetired();
    if (checked_) {
      EXPECT_EQ(fake().live(nullptr), 0) << fake().journal();
      EXPECT_STREQ(fake().violations(), "");
      EXPECT_EQ(fake().depth(), 0);
      EXPECT_TRUE(warnings_.empty()) << warnings_.front();
    }
    driver_.reset();
    rt::setWarningSink({});
  }
  static const test::FakeDriver& fake() { return test::FakeDriver::get(); }

  std::unique_ptr<const DriverApi> driver_;
  Context context_;
  std::vector<std::string> warnings_;
  bool checked_ = true;  ///< whether nothing may be left
};

/// The process's GPU and its context, opened once; empty without one.
inline const Context& gpuContext(std::string& why) {
  static std::string reason;
  static const Context context = [] {
    auto opened = Context::primary(0);
    if (!opened) {
      reason = opened.error().render();
      return Context();
    }
    if (opened->device().name().value_or("").find("FAKE") != std::string::npos) {
      reason = "the driver is the fake one";
      return Context();
    }
    return *opened;
  }();
  why = reason;
  return context;
}

/// Tests that need a GPU.
class OnGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    context_ = gpuContext(why);
    if (!context_) GTEST_SKIP() << why;
  }
  Context context_;
};

/// Tests that run on the fake and on a GPU.
class OnEach : public OnFake, public ::testing::WithParamInterface<bool> {
 protected:
  bool onGpu() const { return GetParam(); }
  void SetUp() override {
    if (!onGpu()) {
      OnFake::SetUp();
      return;
    }
    std::string why;
    context_ = gpuContext(why);
    if (!context_) GTEST_SKIP() << why;
    checked_ = false;
  }
};

#define RAD_ON_EACH(Suite)                                          \
  INSTANTIATE_TEST_SUITE_P(, Suite, ::testing::Values(false, true), \
                           [](const auto& info) { return info.param ? "Gpu" : "Fake"; })

}  // namespace rad::cuda

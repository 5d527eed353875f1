// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/base/dynamic_library.h"
#include "runtime/base/result.h"
#include "runtime/base/warning_sink.h"

#include <gtest/gtest.h>

#include <vector>

namespace rad::rt {
namespace {

TEST(RuntimeError, RendersMessageAdviceAndOrigin) {
  Error error;
  error.category = ErrorCategory::Dead;
  error.code = 700;
  error.codeName = "CUDA_ERROR_ILLEGAL_ADDRESS";
  error.call = "cuStreamSynchronize";
  error.message = "a kernel touched memory that it does not own";
  error.advice = "Restart the program.";
  EXPECT_EQ(error.render(),
            "a kernel touched memory that it does not own. Restart the "
            "program. [CUDA_ERROR_ILLEGAL_ADDRESS 700, cuStreamSynchronize]");
  error.log = "line one\nline two\n\n";
  EXPECT_TRUE(
      error.render().ends_with("cuStreamSynchronize]\nline one\nline "
                               "two"));
}

TEST(RuntimeError, RendersWithoutALibraryBehindIt) {
  auto failed = fail(ErrorCategory::Misuse, "no such thing", "Try another.");
  EXPECT_EQ(failed.error().render(), "no such thing. Try another.");
  EXPECT_EQ(Error{}.render(), "unspecified failure");
}

TEST(RuntimeError, ExitStatusSeparatesTheProgramFromTheEnvironment) {
  EXPECT_EQ(exitStatusOf(ErrorCategory::Launch), 1);
  EXPECT_EQ(exitStatusOf(ErrorCategory::UserProgram), 1);
  EXPECT_EQ(exitStatusOf(ErrorCategory::System), 3);
  EXPECT_EQ(exitStatusOf(ErrorCategory::Resources), 3);
}

Result<int> half(int value) {
  if (value % 2) return fail(ErrorCategory::Misuse, "odd");
  return value / 2;
}
Result<int> quarter(int value) {
  RAD_ASSIGN(const int first, half(value));
  RAD_ASSIGN(const int second, half(first));
  return second;
}

TEST(RuntimeError, AssignHandsFailuresOn) {
  EXPECT_EQ(quarter(12).value(), 3);
  ASSERT_FALSE(quarter(6));
  EXPECT_EQ(quarter(6).error().message, "odd");
}

TEST(WarningSink, ReceivesReleasesThatFailed) {
  std::vector<std::string> seen;
  WarningSink old = setWarningSink([&](std::string_view text) { seen.emplace_back(text); });
  Error error;
  error.message = "busy";
  warnReleaseFailed("a stream", error);
  setWarningSink(std::move(old));
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0], "could not release a stream: busy");
}

TEST(DynamicLibrary, SaysWhatTheLoaderSays) {
  auto missing = DynamicLibrary::open("libraddle-no-such-library.so.7");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().category, ErrorCategory::System);
  EXPECT_NE(missing.error().log.find("raddle-no-such-library"), std::string::npos);
  auto libc = DynamicLibrary::open("libc.so.6");
  ASSERT_TRUE(libc);
  EXPECT_NE(libc->symbol("malloc"), nullptr);
  EXPECT_EQ(libc->symbol("raddle_no_such_symbol"), nullptr);
  EXPECT_TRUE(libc->path().starts_with("/"));
}

}  // namespace
}  // namespace rad::rt

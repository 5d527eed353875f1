// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Failure records and host checks as text.
#include "test/unit/launch/memory_device.h"

#include "frontend/diagnostics/diagnostics.h"
#include "runtime/launch/messages.h"

#include <gtest/gtest.h>

#include <set>

namespace rad::rt::test {
namespace {

using Kind = cg::SiteManifest::Kind;

cg::SiteManifest site(Kind kind, std::string text, std::string line, uint32_t column, uint32_t endColumn) {
  cg::SiteManifest out;
  out.kind = kind;
  out.file = "saxpy.rad";
  out.line = 3;
  out.column = column;
  out.endColumn = endColumn;
  out.text = std::move(text);
  out.sourceLine = std::move(line);
  out.rank = 1;
  return out;
}

cg::SiteManifest indexSite() { return site(Kind::Index, "x[i + 1]", "    y[i] += a * x[i + 1]", 17, 25); }

cg::SiteManifest launchSite() {
  cg::SiteManifest out = site(Kind::Launch, "saxpy(2.0, x, y)", "saxpy(2.0, x, y)", 1, 17);
  out.line = 9;
  return out;
}

TEST(RunMessages, AnIndexOutOfRangeInAForall) {
  cg::KernelManifest kernel = saxpy();
  cg::SiteManifest place = indexSite(), launch = launchSite();
  cg::FailureRecord record = {1, 0, 5, 0, 1000, 1000, {3, 0, 0}, {231, 0, 0}, {999, 0, 0, 0}};
  EXPECT_EQ(
      renderMessage(&place, describeFailure(record, place, &kernel, &launch, DeviceKind::Cuda)),
      "saxpy.rad:3:17: error[R0601]: index 1000 is out of range for `x[i + 1]`: the size is 1000\n"
      "   3 |     y[i] += a * x[i + 1]\n"
      "     |                 ^~~~~~~~\n"
      "note: in kernel `saxpy` at i = 999 (block 3, thread 231)\n"
      "note: launched at saxpy.rad:9:1\n"
      "help: valid indices are 0 to 999; start the domain later, end it earlier, or guard the access with `if`\n");
  // The host has no blocks for a forall.
  EXPECT_EQ(describeFailure(record, place, &kernel, &launch, DeviceKind::Host).notes[0],
            "in kernel `saxpy` at i = 999");
}

TEST(RunMessages, AnIndexOfAMatrixInABlockKernel) {
  cg::KernelManifest kernel = saxpy();
  kernel.name = "tiled";
  kernel.geometry.isForall = false;
  kernel.geometry.threadCount = {16, 16};
  kernel.threads = {{"ty"}, {"tx", 100, 10}};
  kernel.axes = {{"by", constant(0), constant(4)}, {"bx", constant(0), constant(4)}};
  cg::SiteManifest place = site(Kind::Index, "m[y, x]", "\tlet v = m[y, x]", 10, 17);
  place.rank = 2;
  place.dimension = 1;
  cg::FailureRecord record = {1, 0, 5, 0, -1, 64, {2, 3, 0}, {7, 1, 0}, {}};
  EXPECT_EQ(renderMessage(&place, describeFailure(record, place, &kernel, nullptr, DeviceKind::Host)),
            "saxpy.rad:3:10: error[R0601]: index -1 is out of range in dimension 1 of `m[y, x]`: the size is 64\n"
            "   3 |     let v = m[y, x]\n"
            "     |             ^~~~~~~\n"
            "note: in kernel `tiled` at by = 3, bx = 2, ty = 1, tx = 170\n"
            "help: valid indices are 0 to 63; start the domain later, end it earlier, or guard the access with `if`\n");
}

TEST(RunMessages, SmallSizesHaveTheirOwnHelp) {
  EXPECT_EQ(describeIndex(nullptr, 0, 0, 0, 1).help, "no index is valid: there are no elements");
  EXPECT_EQ(describeIndex(nullptr, 1, 1, 0, 1).help, "the only valid index is 0");
}

TEST(RunMessages, AFailedAssertSaysWhatItAsserts) {
  cg::KernelManifest kernel = saxpy();
  cg::SiteManifest place = site(Kind::Assert, "x[i] >= 0.0", "    assert(x[i] >= 0.0, \"negative\")", 12, 23);
  place.message = "negative";
  cg::FailureRecord record = {};
  record.point[0] = 4;
  EXPECT_EQ(renderMessage(&place, describeFailure(record, place, &kernel, nullptr, DeviceKind::Host)),
            "saxpy.rad:3:12: error[R0603]: assertion failed: `x[i] >= 0.0`\n"
            "   3 |     assert(x[i] >= 0.0, \"negative\")\n"
            "     |            ^~~~~~~~~~~\n"
            "note: negative\n"
            "note: in kernel `saxpy` at i = 4\n");
}

TEST(RunMessages, EveryHostCheckHasItsWords) {
  auto headline = [](Kind kind, int64_t value, int64_t extent, const char* text = "a / b", unsigned rank = 1) {
    cg::SiteManifest place = site(kind, text, text, 1, 2);
    place.rank = rank;
    place.dimension = rank - 1;
    return describeHostCheck(place, value, extent).headline;
  };
  EXPECT_EQ(headline(Kind::Index, 9, 3, "x[9]"), "index 9 is out of range for `x[9]`: the size is 3");
  EXPECT_EQ(headline(Kind::Slice, 9, 3, "x[0..9]"), "slice bound 9 is out of range for `x[0..9]`: the size is 3");
  EXPECT_EQ(headline(Kind::Slice, 9, 3, "m[0, 0..9]", 2),
            "slice bound 9 is out of range in dimension 1 of `m[0, 0..9]`: the size is 3");
  EXPECT_EQ(headline(Kind::SliceOrder, 3, 2, "x[a..b]"), "the slice `x[a..b]` begins at 3 and ends at 2");
  EXPECT_EQ(headline(Kind::SliceOrder, 3, 2, "m[0, a..b]", 2),
            "the slice in dimension 1 of `m[0, a..b]` begins at 3 and ends at 2");
  EXPECT_EQ(headline(Kind::SliceOrder, -1, 2, "x[a..b]"), "slice bound -1 is out of range for `x[a..b]`");
  EXPECT_EQ(headline(Kind::ShapeBind, 480, 512, "p", 2), "dimension 1 has the size 480, but its type says 512");
  EXPECT_EQ(headline(Kind::ShapeBind, 480, 512, "p", 1), "the size is 480, but the type says 512");
  EXPECT_EQ(headline(Kind::DivideByZero, 0, 0), "division by zero in `a / b`");
  EXPECT_EQ(headline(Kind::NegativeStep, -2, 0, "s", 0), "the step of a loop must be positive, but it is -2");
  EXPECT_EQ(headline(Kind::NegativeStep, -2, 0, "s", 1), "the step of a slice must be positive, but it is -2");
  EXPECT_EQ(headline(Kind::Overflow, 0, 0, "a * b"), "the result of `a * b` does not fit its type");
  EXPECT_EQ(headline(Kind::Assert, 0, 0, "a == b"), "assertion failed: `a == b`");
  EXPECT_EQ(headline(Kind::Other, 0, 0, "f(x)"), "a check failed in `f(x)`");
}

TEST(RunMessages, ShowsOddLinesSafely) {
  auto show = [](std::string line, uint32_t column, uint32_t endColumn) {
    cg::SiteManifest place = site(Kind::Other, "", std::move(line), column, endColumn);
    std::string text = renderMessage(&place, {"x", {}, ""});
    return text.substr(text.find('\n') + 1);
  };
  // A caret counts code points, not bytes; tabs end at multiples of four.
  EXPECT_EQ(show("\"é\" + x[9]", 8, 12), "   3 | \"é\" + x[9]\n     |       ^~~~\n");
  EXPECT_EQ(show("a\tb", 3, 4), "   3 | a   b\n     |     ^\n");
  EXPECT_EQ(show("a\x01\xff", 1, 2), "   3 | a??\n     | ^\n");
  EXPECT_EQ(show("", 1, 1), "   3 | \n     | ^\n");
  EXPECT_EQ(show("abc", 100, 200), "   3 | abc\n     |    ^\n");
  EXPECT_EQ(show("abc", 2, 1), "   3 | abc\n     |  ^\n");
  EXPECT_EQ(show("abc", 0, 0), "   3 | abc\n     | ^\n");
  std::string longLine = show(std::string(1000, 'a') + "HERE" + std::string(1000, 'b'), 1001, 1005);
  EXPECT_NE(longLine.find("HERE"), std::string::npos);
  EXPECT_LT(longLine.size(), 400u);
  size_t lineStart = longLine.find("| ") + 2, caretLine = longLine.find('\n') + 1;
  EXPECT_EQ(longLine.find("HERE") - lineStart, longLine.find('^') - (longLine.find("| ", caretLine) + 2));
}

TEST(RunMessages, EveryCodeHasAPage) {
  std::set<std::string_view> codes = {refusedLaunchCode, unmadeKernelCode};
  for (int kind = 0; kind <= static_cast<int>(Kind::Uniform); ++kind)
    if (std::string_view code = codeOf(static_cast<Kind>(kind)); !code.empty()) {
      const bool isOther = static_cast<Kind>(kind) != Kind::SliceOrder;  // as Slice
      EXPECT_EQ(codes.insert(code).second, isOther) << code;
    }
  EXPECT_EQ(codes.size(), 10u);
  for (std::string_view code : codes) EXPECT_NE(explain(code), "") << code;
}

TEST(RunMessages, WithoutAPlaceThereIsNoSnippet) {
  EXPECT_EQ(renderMessage(nullptr, {"it broke", {"so"}, "do that"}), "error: it broke\nnote: so\nhelp: do that\n");
}

}  // namespace
}  // namespace rad::rt::test

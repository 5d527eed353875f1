// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values as print shows them.
#include "runtime/launch/print_format.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

namespace rad::rt {
namespace {

std::string f32(float v) { return formatScalar(cg::ElementType::F32, &v); }
std::string f64(double v) { return formatScalar(cg::ElementType::F64, &v); }

TEST(PrintScalar, FloatsReadBackAndLookLikeFloats) {
  EXPECT_EQ(f32(0.1f), "0.1");
  EXPECT_EQ(f32(1.0f), "1.0");
  EXPECT_EQ(f32(-0.0f), "-0.0");
  EXPECT_EQ(f32(1.0f / 3.0f), "0.33333334");
  EXPECT_EQ(f32(100000.0f), "100000.0");
  EXPECT_EQ(f32(16777216.0f), "16777216.0");
  EXPECT_EQ(f32(1e20f), "1e20");
  EXPECT_EQ(f32(1.5e-7f), "1.5e-7");
  EXPECT_EQ(f32(0.001f), "0.001");
  EXPECT_EQ(f32(std::numeric_limits<float>::max()), "3.4028235e38");
  EXPECT_EQ(f32(std::numeric_limits<float>::denorm_min()), "1e-45");
  EXPECT_EQ(f32(INFINITY), "inf");
  EXPECT_EQ(f32(-INFINITY), "-inf");
  EXPECT_EQ(f32(NAN), "nan");
  EXPECT_EQ(f32(-NAN), "nan");
  EXPECT_EQ(f64(0.1), "0.1");
  EXPECT_EQ(f64(1.0 / 3.0), "0.3333333333333333");
  EXPECT_EQ(f64(123456789.0), "123456789.0");
  EXPECT_EQ(f64(1e16), "1e16");
  EXPECT_EQ(f64(-1e300), "-1e300");
  EXPECT_EQ(f64(5e-324), "5e-324");
}

template <class T>
std::string show(cg::ElementType type, T v) {
  return formatScalar(type, &v);
}

TEST(PrintScalar, IntegersAndBooleans) {
  using enum cg::ElementType;
  EXPECT_EQ(show(Bool, uint8_t{1}), "true");
  EXPECT_EQ(show(Bool, uint8_t{0}), "false");
  EXPECT_EQ(show(I8, int8_t{-128}), "-128");
  EXPECT_EQ(show(U8, uint8_t{200}), "200");
  EXPECT_EQ(show(I16, int16_t{-300}), "-300");
  EXPECT_EQ(show(U16, uint16_t{65535}), "65535");
  EXPECT_EQ(show(I32, std::numeric_limits<int32_t>::min()), "-2147483648");
  EXPECT_EQ(show(U32, std::numeric_limits<uint32_t>::max()), "4294967295");
  EXPECT_EQ(show(I64, std::numeric_limits<int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(show(U64, std::numeric_limits<uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(show(Index, int64_t{42}), "42");
}

/// Shows 0, 1, 2, ... in a shape; `readBytes` gets how many bytes were read.
std::string numbers(std::vector<int64_t> extents, size_t indent = 0, int64_t* readBytes = nullptr) {
  auto result = formatArray(cg::ElementType::I32, extents, indent,
                            [&](int64_t first, int64_t count, std::span<std::byte> out) -> Result<void> {
                              EXPECT_EQ(out.size(), static_cast<size_t>(count) * 4);
                              if (readBytes) *readBytes += static_cast<int64_t>(out.size());
                              for (int64_t i = 0; i < count; ++i) {
                                auto v = static_cast<int32_t>(first + i);
                                std::memcpy(out.data() + i * 4, &v, 4);
                              }
                              return {};
                            });
  return result ? *result : result.error().message;
}

TEST(PrintArray, ShortOnesAreShownWhole) {
  EXPECT_EQ(numbers({}), "[]");
  EXPECT_EQ(numbers({0}), "[]");
  EXPECT_EQ(numbers({3}), "[0, 1, 2]");
  std::string all = numbers({32});
  EXPECT_EQ(all.find("..."), std::string::npos);
  EXPECT_TRUE(all.ends_with("30, 31]"));
}

TEST(PrintArray, LongOnesShowTheirEnds) {
  EXPECT_EQ(numbers({33}), "[0, 1, 2, 3, ..., 29, 30, 31, 32] ([i32; 33])");
  int64_t bytes = 0;
  EXPECT_EQ(numbers({1 << 20}, 0, &bytes), "[0, 1, 2, 3, ..., 1048572, 1048573, 1048574, 1048575] ([i32; 1048576])");
  EXPECT_EQ(bytes, 32);  // not a million numbers over the bus
}

TEST(PrintArray, MatricesHaveARowALine) {
  EXPECT_EQ(numbers({2, 3}), "[[0, 1, 2],\n [3, 4, 5]]");
  EXPECT_EQ(numbers({4, 3}, 4), "[[ 0,  1,  2],\n     [ 3,  4,  5],\n     [ 6,  7,  8],\n     [ 9, 10, 11]]");
  EXPECT_EQ(numbers({2, 2, 2}), "[[[0, 1],\n  [2, 3]],\n [[4, 5],\n  [6, 7]]]");
  EXPECT_EQ(numbers({0, 3}), "[] ([i32; 0, 3])");
}

TEST(PrintArray, LargeMatricesShowTheirCorners) {
  EXPECT_EQ(numbers({3, 100}),
            "[[  0,   1,   2,   3, ...,  96,  97,  98,  99],\n"
            " [100, 101, 102, 103, ..., 196, 197, 198, 199],\n"
            " [200, 201, 202, 203, ..., 296, 297, 298, 299]] ([i32; 3, 100])");
  EXPECT_EQ(numbers({20, 2}),
            "[[ 0,  1],\n [ 2,  3],\n [ 4,  5],\n [ 6,  7],\n ...,\n [32, 33],\n [34, 35],\n [36, 37],\n [38, 39]] "
            "([i32; 20, 2])");
  int64_t bytes = 0;
  std::string big = numbers({1000, 1000}, 0, &bytes);
  EXPECT_TRUE(big.starts_with("[[     0,      1,      2,      3, ...,    996,"));
  EXPECT_TRUE(big.ends_with("999998, 999999]] ([i32; 1000, 1000])"));
  EXPECT_EQ(bytes, 8 * 8 * 4);
}

TEST(PrintArray, AFailedReadIsHandedOn) {
  std::vector<int64_t> extents = {4};
  auto result = formatArray(
      cg::ElementType::I32, extents, 0,
      [](int64_t, int64_t, std::span<std::byte>) -> Result<void> { return fail(ErrorCategory::Dead, "gone"); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "gone");
}

std::string fill(std::string_view format, std::vector<std::string> values) {
  return fillFormat(format, values.size(),
                    [&](size_t i, const FormatSpec&, std::string& text) -> Result<void> {
                      text += values[i];
                      return {};
                    })
      .value();
}

TEST(PrintFormat, PlacesAndBraces) {
  EXPECT_EQ(fill("a = {}, b = {}", {"1", "2"}), "a = 1, b = 2");
  EXPECT_EQ(fill("{{}} {} {{{}}}", {"1", "2"}), "{} 1 {2}");
  EXPECT_EQ(fill("{}{}", {"1"}), "1{}");
  EXPECT_EQ(fill("no place", {"1"}), "no place");
  EXPECT_EQ(fill("} {", {}), "} {");
  EXPECT_EQ(fill("", {}), "");
  EXPECT_EQ(fill("{}", {"{}"}), "{}");  // an argument's braces are text
}

TEST(PrintFormat, Specifications) {
  auto spec = [](std::string_view format) {
    FormatSpec read;
    auto done = fillFormat(format, 1, [&](size_t, const FormatSpec& given, std::string&) -> Result<void> {
      read = given;
      return {};
    });
    EXPECT_EQ(done.value(), "[]");
    return read;
  };
  const FormatSpec all = spec("[{:<12.3e}]");
  EXPECT_EQ(all.align, '<');
  EXPECT_EQ(all.width, 12u);
  EXPECT_EQ(all.digits, 3);
  EXPECT_EQ(all.kind, 'e');
  EXPECT_FALSE(all.zeros);
  EXPECT_TRUE(spec("[{:08}]").zeros);
  EXPECT_EQ(spec("[{:08}]").width, 8u);
  EXPECT_EQ(spec("[{:.0}]").digits, 0);
  EXPECT_EQ(spec("[{}]").digits, -1);
}

TEST(PrintFormat, ScalarsAsTheSpecificationSays) {
  auto show = [](auto type, auto value, const FormatSpec& spec) { return formatScalar(type, &value, spec); };
  using enum cg::ElementType;
  EXPECT_EQ(show(I8, int8_t{-128}, {.kind = 'x'}), "80");
  EXPECT_EQ(show(I64, int64_t{-1}, {.kind = 'x'}), "ffffffffffffffff");
  EXPECT_EQ(show(U16, uint16_t{5}, {.zeros = true, .width = 6, .kind = 'b'}), "000101");
  EXPECT_EQ(show(I32, -7, {.zeros = true, .width = 5}), "-0007");
  EXPECT_EQ(show(I32, -7, {.align = '<', .width = 5}), "-7   ");
  EXPECT_EQ(show(F32, 2.5f, {.digits = 0}), "2");  // ties to even, of the exact value
  EXPECT_EQ(show(F32, 0.1f, {.digits = 10}), "0.1000000015");
  EXPECT_EQ(show(F64, 1e300, {.digits = 2, .kind = 'e'}), "1.00e300");
  EXPECT_EQ(show(F64, -0.0, {.digits = 1}), "-0.0");
  EXPECT_EQ(show(F64, -0.0, {.kind = 'e'}), "-0e0");
  EXPECT_EQ(show(F16, uint16_t{0x3555}, {.digits = 4}), "0.3333");
  EXPECT_EQ(show(F16, uint16_t{0x3555}, {.kind = 'e'}), "3.333e-1");
  EXPECT_EQ(show(F8E4M3, uint8_t{0x7f}, {.zeros = true, .width = 5, .digits = 2}), "  nan");
  EXPECT_EQ(show(Bool, uint8_t{1}, {.width = 6}), "true  ");
  EXPECT_EQ(show(cg::vectorOf(F32, 2), std::array{1.0f, 2.25f}, {.digits = 1}), "(1.0, 2.2)");
  EXPECT_EQ(padded("h\u00e9", {.width = 4}, false), "h\u00e9  ");
}

TEST(PrintFormat, ColumnsCountCodePointsOfTheLastLine) {
  EXPECT_EQ(columnOf(""), 0u);
  EXPECT_EQ(columnOf("y = "), 4u);
  EXPECT_EQ(columnOf("lots\nof é "), 5u);
}

}  // namespace
}  // namespace rad::rt

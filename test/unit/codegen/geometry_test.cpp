// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/unit/codegen/kernel_unit.h"

namespace rad::test {
namespace {

constexpr cg::SpecKey allFacts = {.aligned16 = true, .innerDivisible4 = true, .small = true};

TEST(Geometry, StraightKernelsTakeSixteenBytesAThread) {
  KernelUnit unit(R"(
kernel floats(x: [f32; n], mut y: [f32; n]) forall i in 0..n { y[i] = x[i] + 1.0 }
kernel doubles(x: [f64; n], mut y: [f64; n]) forall i in 0..n { y[i] = x[i] + 1.0 }
kernel bytes(x: [u8; n], mut y: [u8; n]) forall i in 0..n { y[i] = x[i] }
kernel rows(x: [f32; m, n], mut y: [f32; m, n]) forall i in 0..m, j in 0..n { y[i, j] = x[i, j] }
)");
  EXPECT_EQ(unit.geometry("floats", allFacts).pointsPerThread, 4u);
  EXPECT_EQ(unit.geometry("doubles", allFacts).pointsPerThread, 2u);
  EXPECT_EQ(unit.geometry("bytes", allFacts).pointsPerThread, 8u);
  EXPECT_EQ(unit.geometry("rows", allFacts).pointsPerThread, 4u);
  EXPECT_EQ(unit.geometry("floats", allFacts).threadsPerBlock, 256u);
}

TEST(Geometry, WithoutTheFactsAThreadTakesOnePoint) {
  KernelUnit unit(R"(
kernel floats(x: [f32; n], mut y: [f32; n]) forall i in 0..n { y[i] = x[i] + 1.0 }
kernel rows(x: [f32; m, n], mut y: [f32; m, n]) forall i in 0..m, j in 0..n { y[i, j] = x[i, j] }
)");
  EXPECT_EQ(unit.geometry("floats", {.aligned16 = false, .innerDivisible4 = true, .small = true}).pointsPerThread, 1u);
  EXPECT_EQ(unit.geometry("floats", {.aligned16 = true, .small = true, .aliased = true}).pointsPerThread, 1u);
  EXPECT_EQ(unit.geometry("rows", {.aligned16 = true, .small = true}).pointsPerThread, 1u);
}

TEST(Geometry, BodiesThatCannotBecomeWideAccessesTakeOnePoint) {
  KernelUnit unit(R"(
kernel gather(x: [f32; n], k: [i32; n], mut y: [f32; n]) forall i in 0..n { y[i] = x[k[i]] }
kernel transpose(x: [f32; m, n], mut y: [f32; n, m]) forall i in 0..m, j in 0..n { y[j, i] = x[i, j] }
kernel shifted(x: [f32; n], mut y: [f32; n]) forall i in 1..n { y[i] = x[i - 1] }
kernel branch(x: [f32; n], mut y: [f32; n]) forall i in 0..n { if x[i] > 0.0 { y[i] = x[i] } }
kernel divides(x: [i32; n], mut y: [i32; n]) forall i in 0..n { y[i] = y[i] / x[i] }
kernel repeats(x: [f32; n], mut y: [f32; n]) forall i in 0..n { var s = 0.0
  for k in 0..8 { s += x[i] }
  y[i] = s }
)");
  for (const char* name : {"gather", "transpose", "shifted", "branch", "divides", "repeats"})
    EXPECT_EQ(unit.geometry(name, allFacts).pointsPerThread, 1u) << name;
}

TEST(Geometry, BlockKernelsLaunchTheirThreads) {
  KernelUnit unit(
      "kernel k(mut y: [f32; n]) blocks b in 0..n threads u in 0..6, t in 0..32 { if t == 0 and u == 0 { y[b] = 1.0 } "
      "}\n");
  cg::GeometryManifest geometry = unit.geometry("k", allFacts);
  EXPECT_FALSE(geometry.isForall);
  EXPECT_EQ(geometry.threadsPerBlock, 192u);
  EXPECT_EQ(geometry.threadCount, (std::vector<int64_t>{6, 32}));
}

TEST(Geometry, ReductionsHaveABoundedGrid) {
  KernelUnit unit("let x = zeros[f32](100)\nlet s = sum(x[i] for i in 0..x.len)\nprint(s)\n");
  ASSERT_EQ(unit.program->kernels.size(), 1u);
  cg::GeometryManifest geometry = cg::chooseGeometry(*unit.program, KernelId{0}, "sm_90", allFacts);
  EXPECT_GT(geometry.maxBlocks, 0u);
  EXPECT_EQ(geometry.pointsPerThread, 4u);
}

}  // namespace
}  // namespace rad::test

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/unit/codegen/kernel_unit.h"

namespace rad::test {
namespace {

TEST(Manifest, TellsParametersShapesAndDomain) {
  KernelUnit unit(R"(kernel k(a: f32, x: [f32; m, n], mut y: [i32; m]) forall i in 1..m, j in 0..n - 2 {
    y[i] = i32(a * x[i, j])
}
)");
  cg::UnitManifest manifest = cg::makeManifest(*unit.program, unit.sources);
  ASSERT_EQ(manifest.kernels.size(), 1u);
  const cg::KernelManifest& kernel = manifest.kernels[0];
  EXPECT_EQ(kernel.name, "k");
  EXPECT_EQ(kernel.definedAt, "test.rad:1");
  EXPECT_EQ(kernel.dims, (std::vector<std::string>{"m", "n"}));
  ASSERT_EQ(kernel.params.size(), 3u);
  EXPECT_FALSE(kernel.params[0].isView);
  EXPECT_EQ(kernel.params[0].type, cg::ElementType::F32);
  EXPECT_TRUE(kernel.params[1].isView);
  EXPECT_FALSE(kernel.params[1].isMut);
  EXPECT_EQ(kernel.params[1].shape.size(), 2u);
  EXPECT_TRUE(kernel.params[2].isMut);
  EXPECT_EQ(kernel.params[2].type, cg::ElementType::I32);
  ASSERT_EQ(kernel.axes.size(), 2u);
  EXPECT_EQ(kernel.axes[0].name, "i");
  EXPECT_EQ(kernel.axes[0].low.value, 1);
  EXPECT_EQ(kernel.axes[1].high.op, cg::SizeOp::Sub);
}

TEST(Manifest, SharedMemoryIsDynamicAboveTheStaticLimit) {
  KernelUnit unit(R"(
kernel small(mut y: [f32; n]) blocks b in 0..n threads t in 0..32 {
    shared tile: [f32; 100]
    tile[t] = 1.0
    barrier()
    if t == 0 { y[b] = tile[31] }
}
kernel large(mut y: [f64; n]) blocks b in 0..n threads t in 0..32 {
    shared tile: [f64; 8000]
    tile[t] = 1.0
    let s = block.sum(tile[t])
    if t == 0 { y[b] = s }
}
)");
  cg::UnitManifest manifest = cg::makeManifest(*unit.program, unit.sources);
  const cg::KernelManifest& small = manifest.kernels[unit.kernel("small").value];
  EXPECT_EQ(small.staticSharedBytes, 400u);
  EXPECT_EQ(small.dynamicSharedBytes, 0u);
  const cg::KernelManifest& large = manifest.kernels[unit.kernel("large").value];
  EXPECT_EQ(large.dynamicSharedBytes, 64000u);
  EXPECT_EQ(large.staticSharedBytes, 256u) << "the collective's scratch";
}

TEST(Manifest, PlacesCarryTheLineForMessages) {
  KernelUnit unit("kernel k(x: [i32; n], mut y: [f32; n]) forall i in 0..n {\n    y[x[i]] = 1.0\n}\n");
  cg::UnitManifest manifest = cg::makeManifest(*unit.program, unit.sources);
  bool found = false;
  for (const cg::SiteManifest& site : manifest.sites) {
    if (site.kind != cg::SiteManifest::Kind::Index) continue;
    found = true;
    EXPECT_EQ(site.file, "test.rad");
    EXPECT_EQ(site.line, 2u);
    EXPECT_EQ(site.sourceLine, "    y[x[i]] = 1.0");
    EXPECT_LT(site.column, site.endColumn);
  }
  EXPECT_TRUE(found);
}

TEST(Ptx, IsTheSameWhateverElseIsCompiled) {
  // Two sessions, interleaved: nothing of one shows in the other.
  const char* text = "kernel k(x: [f32; n], mut y: [f32; n]) forall i in 0..n { y[i] = 2.0 * x[i] }\n";
  KernelUnit one(text), two(text);
  std::string first = one.ptx("k", {.small = true});
  EXPECT_EQ(two.ptx("k", {.small = true}), first);
  EXPECT_EQ(one.ptx("k", {.small = true}), first);
  EXPECT_NE(first.find(".visible .entry k("), std::string::npos);
}

TEST(Ptx, MissingLibdeviceIsAnErrorWithAdvice) {
  KernelUnit unit("kernel k(x: [f32; n], mut y: [f32; n]) forall i in 0..n { y[i] = sin(x[i]) }\n");
  KernelId id = unit.kernel("k");
  auto module = cg::lowerCudaKernels(*unit.program, {&id, 1}, "sm_90", {}, {}, unit.sources);
  ASSERT_FALSE(module.has_value());
  EXPECT_NE(module.error().find("__nv_sinf"), std::string::npos) << module.error();
  EXPECT_NE(module.error().find("CUDA toolkit"), std::string::npos) << module.error();
}

TEST(Ptx, UnknownArchitecturesAreNamed) {
  KernelUnit unit("kernel k(mut y: [f32; n]) forall i in 0..n { y[i] = 1.0 }\n");
  KernelId id = unit.kernel("k");
  auto module = cg::lowerCudaKernels(*unit.program, {&id, 1}, "sm_9000", {}, {}, unit.sources);
  ASSERT_FALSE(module.has_value());
  EXPECT_NE(module.error().find("sm_9000"), std::string::npos) << module.error();
}

}  // namespace
}  // namespace rad::test

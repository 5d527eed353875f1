// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Kernels for the tests of runtime/driver: PTX for a GPU, and functions of the
/// host that do the same on the fake driver.

#include "runtime/driver/copy.h"
#include "runtime/driver/launch.h"
#include "test/unit/driver/backend.h"
#include "test/unit/runtime/ptx_samples.h"

#include <cstring>

namespace rad::cuda::test_kernels {

/// Adds `by` to out[0] as often as there are blocks; a variable counts them too.
inline std::string countPtx() {
  return R"(.version 8.0
.target sm_80
.address_size 64
.visible .global .align 4 .u32 total;
.visible .entry count(.param .u64 out, .param .u32 by)
{
  .reg .b32 %r<4>; .reg .b64 %d<3>;
  ld.param.u64 %d1, [out];
  ld.param.u32 %r1, [by];
  atom.global.add.u32 %r2, [%d1], %r1;
  mov.u64 %d2, total;
  atom.global.add.u32 %r3, [%d2], 1;
  ret;
}
.visible .entry nothing()
{
  ret;
}
)";
}

/// All blocks meet, then each writes 1 to its place: only with all of them
/// running at once.
inline std::string meetPtx() {
  return R"(.version 8.0
.target sm_80
.address_size 64
.visible .entry meet(.param .u64 counter, .param .u64 out)
{
  .reg .pred %p<2>; .reg .b32 %r<6>; .reg .b64 %d<5>;
  ld.param.u64 %d1, [counter];
  ld.param.u64 %d2, [out];
  mov.u32 %r1, %nctaid.x; mov.u32 %r2, %ctaid.x;
  atom.global.add.u32 %r3, [%d1], 1;
AGAIN:
  ld.volatile.global.u32 %r4, [%d1];
  setp.lt.u32 %p1, %r4, %r1;
  @%p1 bra AGAIN;
  mul.wide.u32 %d3, %r2, 4;
  add.s64 %d4, %d2, %d3;
  mov.u32 %r5, 1;
  st.global.u32 [%d4], %r5;
  ret;
}
)";
}

/// out[block] = rank in the cluster + 16 * size of the cluster. For 9.0 on.
inline std::string clusterPtx() {
  return R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry ranks(.param .u64 out)
{
  .reg .b32 %r<6>; .reg .b64 %d<4>;
  ld.param.u64 %d1, [out];
  mov.u32 %r1, %cluster_ctarank; mov.u32 %r2, %cluster_nctarank;
  mad.lo.u32 %r3, %r2, 16, %r1;
  mov.u32 %r4, %ctaid.x;
  mul.wide.u32 %d2, %r4, 4;
  add.s64 %d3, %d1, %d2;
  st.global.u32 [%d3], %r3;
  ret;
}
)";
}

/// out[0] = 2 * out[0] + 1, behind the kernel ahead. For 9.0 on.
inline std::string behindPtx() {
  return R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry behind(.param .u64 out)
{
  .reg .b32 %r<3>; .reg .b64 %d<2>;
  ld.param.u64 %d1, [out];
  griddepcontrol.launch_dependents;
  griddepcontrol.wait;
  ld.global.u32 %r1, [%d1];
  mad.lo.u32 %r2, %r1, 2, 1;
  st.global.u32 [%d1], %r2;
  ret;
}
)";
}

/// The argument of a launch on the fake.
template <class T>
T argument(const CudaFakeLaunch* launch, std::size_t index) {
  T value{};
  std::memcpy(&value, launch->arguments + launch->offsets[index], sizeof value);
  return value;
}

template <class T>
T* place(std::uint64_t address, std::size_t count = 1) {
  return static_cast<T*>(test::FakeDriver::get().resolve(address, count * sizeof(T)));
}

inline std::uint64_t blocksOf(const CudaFakeLaunch* launch) {
  return std::uint64_t(launch->grid[0]) * launch->grid[1] * launch->grid[2];
}

/// Teaches the fake what the kernels above do.
inline void teachFake() {
  const auto& fake = test::FakeDriver::get();
  fake.onLaunch(
      "saxpy",
      [](const CudaFakeLaunch* launch, void*) {
        const auto n = argument<std::uint32_t>(launch, 3);
        const float a = argument<float>(launch, 0);
        const float* x = place<float>(argument<std::uint64_t>(launch, 1), n);
        float* y = place<float>(argument<std::uint64_t>(launch, 2), n);
        for (std::uint32_t i = 0; x && y && i < n; ++i) y[i] = a * x[i] + y[i];
      },
      nullptr);
  fake.onLaunch(
      "count",
      [](const CudaFakeLaunch* launch, void*) {
        *place<std::uint32_t>(argument<std::uint64_t>(launch, 0)) +=
            argument<std::uint32_t>(launch, 1) * std::uint32_t(blocksOf(launch));
      },
      nullptr);
  fake.onLaunch(
      "meet",
      [](const CudaFakeLaunch* launch, void*) {
        const std::uint64_t blocks = blocksOf(launch);
        auto* out = place<std::uint32_t>(argument<std::uint64_t>(launch, 1), blocks);
        for (std::uint64_t i = 0; i < blocks; ++i) out[i] = 1;
      },
      nullptr);
  fake.onLaunch(
      "behind",
      [](const CudaFakeLaunch* launch, void*) {
        auto* out = place<std::uint32_t>(argument<std::uint64_t>(launch, 0));
        *out = 2 * *out + 1;
      },
      nullptr);
}

/// A test with a stream, and kernels that work on both.
class WithKernels : public OnEach {
 protected:
  void SetUp() override {
    OnEach::SetUp();
    if (IsSkipped()) return;
    if (!onGpu()) teachFake();
    ASSERT_MADE(stream_, Stream::create(context_));
  }
  void TearDown() override {
    stream_ = Stream();
    OnEach::TearDown();
  }
  Result<Kernel> kernel(const std::string& ptx, std::string_view name) {
    RAD_ASSIGN(const Library library, Library::load(context_, Image::ptx(ptx)));
    return library.kernel(name);
  }
  template <class T>
  Result<Memory> filled(std::size_t count, T value) {
    RAD_ASSIGN(Memory memory, Memory::allocate(context_, count * sizeof(T)));
    RAD_TRY(fill(stream_, memory.address(), value, count));
    RAD_TRY(stream_.synchronize());
    return memory;
  }
  template <class T>
  std::vector<T> contentOf(const Memory& memory) {
    std::vector<T> out(memory.bytes() / sizeof(T));
    EXPECT_OK(copy(stream_, std::span(out), memory));
    EXPECT_OK(stream_.synchronize());
    return out;
  }
  bool hasClusters() const { return context_.device().computeCapability() >= 90; }
  Stream stream_;
};

}  // namespace rad::cuda::test_kernels

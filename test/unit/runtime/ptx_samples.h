// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Small PTX texts for the tests of the runtime.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rad::rt::test {

/// y[i] = a * x[i] + y[i] for i < n; 128 bytes of shared memory and a barrier.
inline std::string saxpyPtx(std::string_view target = "sm_80", std::string_view version = "8.0") {
  return ".version " + std::string(version) + "\n.target " + std::string(target) + R"(
.address_size 64
.shared .align 4 .b8 tile[128];
.visible .entry saxpy(.param .f32 a, .param .u64 x, .param .u64 y, .param .u32 n)
{
  .reg .pred %p<2>; .reg .b32 %r<6>; .reg .f32 %f<5>; .reg .b64 %d<8>;
  ld.param.f32 %f1, [a];
  ld.param.u64 %d1, [x];
  ld.param.u64 %d2, [y];
  ld.param.u32 %r1, [n];
  mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mov.u32 %r4, %tid.x;
  mad.lo.s32 %r5, %r2, %r3, %r4;
  bar.sync 0;
  setp.ge.u32 %p1, %r5, %r1;
  @%p1 bra DONE;
  mul.wide.u32 %d3, %r5, 4;
  add.s64 %d4, %d1, %d3; add.s64 %d5, %d2, %d3;
  ld.global.f32 %f2, [%d4]; ld.global.f32 %f3, [%d5];
  fma.rn.f32 %f4, %f1, %f2, %f3;
  mov.u64 %d6, tile; cvta.shared.u64 %d7, %d6;
  st.f32 [%d7], %f4;
  st.global.f32 [%d5], %f4;
DONE:
  ret;
}
)";
}

/// A kernel "caller" that needs the function `helper`.
inline std::string callerPtx(std::string_view helper = "helper") {
  const std::string h(helper);
  return R"(.version 8.0
.target sm_80
.address_size 64
.extern .func (.param .b32 r) )" +
         h + R"((.param .b32 a);
.visible .entry caller(.param .u64 out, .param .u32 v)
{
  .reg .b32 %r<3>; .reg .b64 %d<2>;
  ld.param.u64 %d1, [out];
  ld.param.u32 %r1, [v];
  {
    .param .b32 p; .param .b32 q;
    st.param.b32 [p], %r1;
    call (q), )" +
         h + R"(, (p);
    ld.param.b32 %r2, [q];
  }
  st.global.u32 [%d1], %r2;
  ret;
}
)";
}

/// A device function that adds `plus`.
inline std::string helperPtx(std::string_view name = "helper", int plus = 41) {
  return R"(.version 8.0
.target sm_80
.address_size 64
.visible .func (.param .b32 r) )" +
         std::string(name) + R"((.param .b32 a)
{
  .reg .b32 %r<3>;
  ld.param.b32 %r1, [a];
  add.s32 %r2, %r1, )" +
         std::to_string(plus) + R"(;
  st.param.b32 [r], %r2;
  ret;
}
)";
}

inline std::span<const std::byte> bytesOf(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace rad::rt::test

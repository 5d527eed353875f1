// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The program of docs/runtime.md: y = a * x + y on a GPU, as a graph that is launched three times.
#include "runtime/driver/copy.h"
#include "runtime/driver/graph.h"

#include <cstdio>
#include <vector>

using namespace rad::cuda;

// What a compiler made: PTX here, a cubin or a fatbin in a product.
constexpr const char* saxpyPtx = R"(.version 8.0
.target sm_80
.address_size 64
.visible .entry saxpy(.param .f32 a, .param .u64 x, .param .u64 y, .param .u32 n)
{
  .reg .pred %p<2>; .reg .b32 %r<6>; .reg .f32 %f<5>; .reg .b64 %d<6>;
  ld.param.f32 %f1, [a];
  ld.param.u64 %d1, [x];
  ld.param.u64 %d2, [y];
  ld.param.u32 %r1, [n];
  mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mov.u32 %r4, %tid.x;
  mad.lo.s32 %r5, %r2, %r3, %r4;
  setp.ge.u32 %p1, %r5, %r1;
  @%p1 ret;
  mul.wide.u32 %d3, %r5, 4;
  add.s64 %d4, %d1, %d3; add.s64 %d5, %d2, %d3;
  ld.global.f32 %f2, [%d4]; ld.global.f32 %f3, [%d5];
  fma.rn.f32 %f4, %f1, %f2, %f3;
  st.global.f32 [%d5], %f4;
  ret;
}
)";

Status run() {
  constexpr std::uint32_t n = 1000;
  RAD_ASSIGN(const Context gpu, Context::primary(0));
  RAD_ASSIGN(const Stream stream, Stream::create(gpu));
  RAD_ASSIGN(const Library library, Library::load(gpu, Image::ptx(saxpyPtx)));
  RAD_ASSIGN(const Kernel saxpy, library.kernel("saxpy"));

  std::vector<float> x(n, 1.f), y(n, 1.f);
  RAD_ASSIGN(const Memory dx, Memory::allocate(stream, n * sizeof(float)));
  RAD_ASSIGN(const Memory dy, Memory::allocate(stream, n * sizeof(float)));
  RAD_TRY(copy(stream, dx, std::span<const float>(x)));
  RAD_TRY(copy(stream, dy, std::span<const float>(y)));

  RAD_ASSIGN(const SuggestedBlock best, suggestBlock(saxpy));
  const auto threads = unsigned(best.threads);
  const LaunchConfig config{.grid = {(n + threads - 1) / threads}, .block = {threads}};
  RAD_ASSIGN(const Graph graph,
             capture(stream, [&] { return launch(stream, saxpy, config, 2.f, dx.address(), dy.address(), n); }));
  RAD_ASSIGN(const GraphExec exec, graph.instantiate());
  for (int i = 0; i < 3; ++i) RAD_TRY(exec.launch(stream));

  RAD_TRY(copy(stream, std::span(y), dy));
  RAD_TRY(stream.synchronize());
  std::printf("y[0] = %g, y[999] = %g\n", double(y[0]), double(y[999]));
  return {};
}

int main() {
  const Status done = run();
  if (!done) std::fprintf(stderr, "%s\n", done.error().render().c_str());
  return done ? 0 : 3;
}

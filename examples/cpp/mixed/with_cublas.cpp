// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Raddle's runtime and cuBLAS in one stream and in one graph, on the same memory. How to build it: ./build.
#include "examples/cpp/mixed/saxpy_ptx.h"
#include "runtime/driver/copy.h"
#include "runtime/driver/graph.h"

#include <cublas_v2.h>

#include <cstdio>
#include <vector>

using namespace rad::cuda;

namespace {

constexpr unsigned side = 64, n = side * side;

Status theirs(cublasStatus_t status) {
  if (status == CUBLAS_STATUS_SUCCESS) return {};
  return fail(ErrorCategory::Misuse, std::string("cuBLAS: ") + cublasGetStatusString(status));
}

/// The library's handle. It uses the context that is current where it is made.
struct Blas {
  cublasHandle_t handle = nullptr;
  ~Blas() {
    if (handle) cublasDestroy(handle);
  }
};

Status expect(const char* what, std::span<const float> values, float wanted) {
  for (const float value : values)
    if (value != wanted)
      return fail(ErrorCategory::Misuse,
                  std::string(what) + ": " + std::to_string(value) + " instead of " + std::to_string(wanted));
  std::printf("%s: %g\n", what, double(wanted));
  return {};
}

Status run() {
  RAD_ASSIGN(const Context gpu, Context::primary(0));
  RAD_ASSIGN(const Stream stream, Stream::create(gpu));
  // A library keeps to what is current: ours is, as long as this is there.
  const ContextGuard current(gpu.driver(), gpu.raw());
  RAD_TRY(current.status());
  Blas blas;
  RAD_TRY(theirs(cublasCreate(&blas.handle)));
  RAD_TRY(theirs(cublasSetStream(blas.handle, stream.raw())));
  // A workspace of ours, so that it allocates nothing while a graph is captured.
  constexpr std::size_t workspaceBytes = std::size_t(32) << 20;
  RAD_ASSIGN(const Memory workspace, Memory::allocate(gpu, workspaceBytes));
  RAD_TRY(theirs(cublasSetWorkspace(blas.handle, reinterpret_cast<void*>(workspace.address()), workspaceBytes)));

  RAD_ASSIGN(const Library library, Library::load(gpu, Image::ptx(saxpyPtx)));
  RAD_ASSIGN(const Kernel saxpy, library.kernel("saxpy"));
  const LaunchConfig config{.grid = {(n + 255) / 256}, .block = {256}};
  RAD_ASSIGN(const Memory a, Memory::allocate(stream, n * sizeof(float)));
  RAD_ASSIGN(const Memory b, Memory::allocate(stream, n * sizeof(float)));
  RAD_ASSIGN(const Memory c, Memory::allocate(stream, n * sizeof(float)));
  RAD_TRY(fill(stream, a.address(), 1.f, n));
  RAD_TRY(fill(stream, b.address(), 2.f, n));
  RAD_TRY(fill(stream, c.address(), 0.f, n));
  const auto floats = [](const Memory& memory) { return reinterpret_cast<float*>(memory.address()); };

  // b = 2 + 3 * 1 by our kernel, c = a * b by cuBLAS: 64 * 5, then c += 1 * a by our kernel.
  const auto work = [&]() -> Status {
    RAD_TRY(launch(stream, saxpy, config, 3.f, a.address(), b.address(), n));
    const float one = 1, zero = 0;
    RAD_TRY(theirs(cublasSgemm(blas.handle, CUBLAS_OP_N, CUBLAS_OP_N, side, side, side, &one, floats(a), side,
                               floats(b), side, &zero, floats(c), side)));
    return launch(stream, saxpy, config, 1.f, a.address(), c.address(), n);
  };
  std::vector<float> host(n);
  RAD_TRY(work());
  RAD_TRY(copy(stream, std::span(host), c));
  RAD_TRY(stream.synchronize());
  RAD_TRY(expect("one stream", host, 321));

  // The same twice as a graph: b is 8, then 11.
  RAD_ASSIGN(const Graph graph, capture(stream, work));
  RAD_ASSIGN(const GraphExec exec, graph.instantiate());
  RAD_TRY(exec.launch(stream));
  RAD_TRY(exec.launch(stream));
  RAD_TRY(copy(stream, std::span(host), c));
  RAD_TRY(stream.synchronize());
  return expect("one graph, launched twice", host, 64 * 11 + 1);
}

}  // namespace

int main() {
  const Status done = run();
  if (!done) std::fprintf(stderr, "with_cublas: %s\n", done.error().render().c_str());
  return done ? 0 : 3;
}

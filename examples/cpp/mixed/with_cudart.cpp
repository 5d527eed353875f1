// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Raddle's runtime and the CUDA Runtime API in one program: one primary context, and streams, events, memory and
// kernels of each side used by the other. How to build it: ./build.
#include "examples/cpp/mixed/with_cudart.h"

#include "examples/cpp/mixed/saxpy_ptx.h"
#include "runtime/driver/copy.h"
#include "runtime/driver/graph.h"

#include <cstdio>
#include <thread>
#include <vector>

using namespace rad::cuda;

namespace {

constexpr unsigned n = 1000;

/// A failure of the other half, which has told it.
Status theirs(bool well) {
  if (well) return {};
  return fail(ErrorCategory::Misuse, "the Runtime API refused a call");
}

/// All elements have to be `wanted`.
Status expect(const char* what, std::span<const float> values, float wanted) {
  for (const float value : values)
    if (value != wanted)
      return fail(ErrorCategory::Misuse,
                  std::string(what) + ": " + std::to_string(value) + " instead of " + std::to_string(wanted));
  std::printf("%s: %g\n", what, double(wanted));
  return {};
}

Status run(const Theirs& other) {
  RAD_ASSIGN(const Context gpu, Context::primary(0));
  const Stream theirStream = Stream::borrow(gpu, other.stream);
  RAD_ASSIGN(const CUcontext of, theirStream.contextHandle());
  if (of != gpu.raw()) return fail(ErrorCategory::Misuse, "the two sides have different contexts");
  std::puts("one context");

  RAD_ASSIGN(const Library library, Library::load(gpu, Image::ptx(saxpyPtx)));
  RAD_ASSIGN(const Kernel saxpy, library.kernel("saxpy"));
  RAD_ASSIGN(const Stream stream, Stream::create(gpu));
  RAD_ASSIGN(Memory ours, Memory::allocate(stream, n * sizeof(float)));
  RAD_TRY(fill(stream, ours.address(), 1.f, n));
  const Memory memory = Memory::borrow(gpu, CUdeviceptr(other.memory), n * sizeof(float));
  RAD_TRY(checkKernelPointer(gpu, memory.address(), memory.bytes()));
  const LaunchConfig config{.grid = {(n + 255) / 256}, .block = {256}};

  // Our kernel in their stream on their memory, behind our fill: 0 + 2 * 1.
  RAD_ASSIGN(const Event filled, Event::create(gpu));
  RAD_TRY(stream.record(filled));
  RAD_TRY(theirs(waitThere(other.stream, filled.raw())));
  RAD_TRY(ours.useOn(theirStream));
  RAD_TRY(launch(theirStream, saxpy, config, 2.f, ours.address(), memory.address(), n));
  std::vector<float> host(n);
  RAD_TRY(theirs(readBack(other, host.data(), n)));
  RAD_TRY(expect("our kernel, their stream and memory", host, 2));

  // Their kernel in our stream on our memory, launched by them and by us: 1 * 3 * 3.
  RAD_TRY(theirs(tripleOn(stream.raw(), reinterpret_cast<float*>(ours.address()), n)));
  RAD_ASSIGN(const Kernel triple, Kernel::borrow(gpu, reinterpret_cast<CUkernel>(other.triple)));
  RAD_TRY(launch(stream, triple, config, ours.address(), n));
  RAD_TRY(copy(stream, std::span(host), ours));
  RAD_TRY(stream.synchronize());
  RAD_TRY(expect("their kernel, our stream and memory", host, 9));

  // Our kernel through cudaLaunchKernel: 9 + 2 * 2. Their event orders our stream behind theirs.
  RAD_TRY(theirs(launchTheirWay(reinterpret_cast<cudaKernel_t>(saxpy.libraryKernel()), other.stream, 2.f, other.memory,
                                reinterpret_cast<float*>(ours.address()), n)));
  RAD_TRY(theirs(recordThere(other)));
  RAD_TRY(stream.wait(Event::borrow(gpu, other.done)));
  RAD_TRY(copy(stream, std::span(host), ours));
  RAD_TRY(stream.synchronize());
  RAD_TRY(expect("our kernel by cudaLaunchKernel, their event", host, 13));

  // Both in one graph of ours, launched from a thread that has never used CUDA: three times (13 * 3 + 2 * 2).
  RAD_ASSIGN(const Graph graph, capture(stream, [&]() -> Status {
               RAD_TRY(theirs(tripleOn(stream.raw(), reinterpret_cast<float*>(ours.address()), n)));
               return launch(stream, saxpy, config, 2.f, memory.address(), ours.address(), n);
             }));
  RAD_ASSIGN(const GraphExec exec, graph.instantiate());
  Status launched;
  std::thread([&] {
    for (int i = 0; i < 3 && launched; ++i) launched = exec.launch(stream);
  }).join();
  RAD_TRY(std::move(launched));
  RAD_TRY(copy(stream, std::span(host), ours));
  RAD_TRY(stream.synchronize());
  return expect("both in one graph", host, 403);
}

}  // namespace

int main() {
  // Whoever comes first: both mean the primary context. What is borrowed is given back last: memory that was used on
  // their stream waits for it.
  Theirs other;
  Status done = theirs(openTheirs(other, n));
  if (done) done = run(other);
  if (Status closed = theirs(closeTheirs(other)); done) done = std::move(closed);
  if (!done) std::fprintf(stderr, "with_cudart: %s\n", done.error().render().c_str());
  return done ? 0 : 3;
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/launch/geometry.h"

#include <fmt/format.h>

#include <algorithm>

namespace rad::rt {
namespace {

constexpr int64_t maxChunks = 256;  // enough for the largest machines, few enough to combine at once
/// About the cost of handing out a piece of work. A multiple of what vector loops do at once: which points are left
/// over for one by one does not depend on the threads, nor does what relaxed arithmetic makes of them.
constexpr int64_t pointsPerChunk = 256;

int64_t ceilDiv(int64_t a, int64_t b) { return a / b + (a % b != 0); }

Result<LaunchShape> shapeCuda(const cg::KernelManifest& kernel, const cg::GeometryManifest& geometry,
                              const Binding& binding, const DeviceInfo& device) {
  LaunchShape out;
  int64_t allowedThreads = device.maxThreadsPerBlock > 0 ? device.maxThreadsPerBlock : 1024;
  if (geometry.threadsPerBlock == 0 || geometry.pointsPerThread == 0)
    return fail(ErrorCategory::Misuse, kernel.name + ": the compiled kernel has no threads",
                "this is a bug in Raddle: please report it");
  if (geometry.threadsPerBlock > allowedThreads)
    return refuse(
        kernel,
        fmt::format("a block has {} threads; {} takes at most {}", geometry.threadsPerBlock, device.id, allowedThreads),
        "give its `threads` axes smaller ranges");
  out.threads = geometry.threadsPerBlock;

  uint64_t shared = uint64_t{kernel.staticSharedBytes} + kernel.dynamicSharedBytes;
  auto allowedShared =
      static_cast<uint64_t>(std::max(device.maxSharedBytesPerBlock, device.maxSharedBytesPerBlockOptIn));
  if (shared > allowedShared)
    return refuse(
        kernel,
        fmt::format("a block needs {} bytes of shared memory; {} has at most {}", shared, device.id, allowedShared),
        "make its `shared` arrays smaller");
  out.dynamicSharedBytes = kernel.dynamicSharedBytes;

  if (geometry.isForall) {
    // A thread takes neighbouring points of one row; what remains of a row takes a thread a point
    // (codegen/nvptx/forall.cpp).
    int64_t inRow = binding.lastExtent / geometry.pointsPerThread + binding.lastExtent % geometry.pointsPerThread;
    int64_t threads = 0;
    if (__builtin_mul_overflow(binding.rows, inRow, &threads)) threads = binding.points;
    out.blocks = ceilDiv(threads, geometry.threadsPerBlock);
  } else {
    out.blocks = binding.points;
  }
  if (geometry.maxBlocks > 0) out.blocks = std::min<int64_t>(out.blocks, geometry.maxBlocks);
  if (out.blocks > device.maxGrid[0]) {
    std::string why = geometry.isForall ? fmt::format("{} points are {} blocks of {} threads", binding.points,
                                                      out.blocks, out.threads)
                                        : fmt::format("the domain has {} blocks", out.blocks);
    return refuse(kernel, fmt::format("{}; {} takes at most {} in a launch", why, device.id, device.maxGrid[0]),
                  "split the domain: launch over one part of the range after the other");
  }
  if (kernel.reduce != cg::ReduceOp::None) out.partialCount = out.blocks;
  return out;
}

LaunchShape shapeHost(const cg::KernelManifest& kernel, const cg::GeometryManifest& geometry, const Binding& binding) {
  LaunchShape out;
  out.outerCount = geometry.isForall && binding.axes.size() > 1 ? binding.rows : binding.points;
  if (geometry.isForall)
    out.grain =
        binding.axes.size() > 1 ? ceilDiv(pointsPerChunk, std::max<int64_t>(binding.lastExtent, 1)) : pointsPerChunk;
  if (kernel.reduce != cg::ReduceOp::None)
    out.partialCount =
        std::min(std::clamp<int64_t>(ceilDiv(binding.points, pointsPerChunk), 1, maxChunks), out.outerCount);
  return out;
}

}  // namespace

Result<LaunchShape> shapeLaunch(const cg::KernelManifest& kernel, const cg::GeometryManifest& geometry,
                                const Binding& binding, const DeviceInfo& device) {
  switch (device.kind) {
    case DeviceKind::Cuda: return shapeCuda(kernel, geometry, binding, device);
    case DeviceKind::Host: return shapeHost(kernel, geometry, binding);
  }
  return fail(ErrorCategory::Misuse, kernel.name + ": unknown kind of device");
}

}  // namespace rad::rt

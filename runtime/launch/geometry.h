// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the numbers of a launch to the grid of a device. Pure functions.
#pragma once

#include "codegen/artifact/artifact.h"
#include "runtime/base/result.h"
#include "runtime/device/device.h"
#include "runtime/launch/binding.h"

#include <cstdint>

namespace rad::rt {

/// How a launch runs on a device.
struct LaunchShape {
  int64_t blocks = 0;    // CUDA: size of the one-dimensional grid
  uint32_t threads = 1;  // CUDA: threads of a block
  uint32_t dynamicSharedBytes = 0;
  int64_t outerCount = 0;    // host: rows, points (one axis) or blocks; see cg::NativeKernel
  int64_t grain = 1;         // host: threads take that many of them at once, or a multiple
  int64_t partialCount = 0;  // reductions: number of partial results; else 0
};

/// Fits a launch to a device, or says which number is too large for it and what is allowed. `geometry` is that of the
/// compiled variant. On the host the partial results depend on the domain alone, so that a sum has the same rounding on
/// every machine. The binding's domain must not be empty.
Result<LaunchShape> shapeLaunch(const cg::KernelManifest& kernel, const cg::GeometryManifest& geometry,
                                const Binding& binding, const DeviceInfo& device);

}  // namespace rad::rt

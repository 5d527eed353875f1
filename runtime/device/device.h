// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The interface that every device implements: CUDA GPUs (runtime/cuda), CPU threads (runtime/host).
#pragma once

#include "codegen/artifact/artifact.h"
#include "runtime/base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rad::rt {

enum class DeviceKind : uint8_t { Host, Cuda };

/// What is known of a device. Unknown numbers are 0.
struct DeviceInfo {
  DeviceKind kind = DeviceKind::Host;
  std::string id;            // "host", "cuda:0"
  std::string name;          // "NVIDIA H100 80GB HBM3", "16 threads of ..."
  int major = 0, minor = 0;  // CUDA compute capability
  int multiprocessors = 0;   // host: threads
  uint64_t memoryBytes = 0;
  int maxThreadsPerBlock = 1024;
  int maxSharedBytesPerBlock = 48 * 1024;  // without asking
  int maxSharedBytesPerBlockOptIn = 48 * 1024;
  std::array<int64_t, 3> maxGrid = {0x7fffffff, 65535, 65535};
  int driverVersion = 0;            // 13000
  double memoryBytesPerSecond = 0;  // what its memory gives at most, by its clock and width
};

/// A block of device memory. Freed when the last reference goes (ordered behind its last use). `address` is what
/// kernels get; host code must not dereference it unless the device is the host.
class Buffer {
 public:
  virtual ~Buffer() = default;
  virtual uint64_t address() const = 0;
  virtual uint64_t size() const = 0;
};

/// A compiled kernel, loaded and ready to launch. Holds its module alive.
class Kernel {
 public:
  virtual ~Kernel() = default;
  const cg::GeometryManifest& geometry() const { return geometry_; }

 protected:
  cg::GeometryManifest geometry_;
};

/// What --check found in a launch.
struct AccessFinding {
  struct Access {
    cg::SiteManifest place = {};
    bool writes = false, isAtomic = false;
    bool isOfBlock = false;        // atomic among the threads of one block only
    cg::FailureRecord where = {};  // its block, thread and point
  };
  enum class Kind : uint8_t { Race, Uninitialised } kind = Kind::Race;
  Access now, before;      // Uninitialised: `before` is where the memory is declared
  bool isOneBlock = true;  // both accesses are of one block
};

/// What a kernel failed with, as its record says.
struct KernelFailure {
  cg::FailureRecord record;                  // flag 0: nothing but the findings
  std::vector<AccessFinding> findings = {};  // of --check
};

/// What kernels printed: lines as cg::PrintedLine, one behind the other, and how many found no room.
struct PrintedLines {
  std::vector<uint64_t> words;
  uint64_t lost = 0;
};

/// One launch, already checked: every number fits the device.
struct LaunchRequest {
  std::array<uint32_t, 3> grid = {1, 1, 1};  // CUDA
  uint32_t threads = 1;                      // CUDA, one-dimensional
  uint32_t dynamicSharedBytes = 0;
  int64_t outerCount = 0;  // host: number of rows or blocks (see cg::NativeKernel)
  int64_t grain = 1;       // host: threads take that many of them at once, or a multiple
  int64_t chunkCount = 0;  // host: number of partial results of a reduction; else 0
  // Addresses of the kernel parameters, in manifest order; IsolatedDevice reads 8 bytes of each.
  std::span<const void* const> arguments;
  std::string_view name;  // for messages
  uint32_t serial = 0;
  bool prints = false;  // the kernel may print
};

/// A device with one queue of work: copies and launches happen in the order of the calls; allocation and launch return
/// at once. Thread-safe. Every call makes the device's context current for its duration only.
class Device {
 public:
  virtual ~Device() = default;
  virtual const DeviceInfo& info() const = 0;

  /// Memory of `bytes` (0 is allowed), contents undefined.
  virtual Result<std::shared_ptr<Buffer>> allocate(uint64_t bytes) = 0;
  /// Asynchronous where the device can; `from` may be reused when the call returns.
  virtual Result<void> copyIn(Buffer& to, uint64_t offset, std::span<const std::byte> from) = 0;
  /// Waits for earlier work, then copies.
  virtual Result<void> copyOut(std::span<std::byte> to, const Buffer& from, uint64_t offset) = 0;
  virtual Result<void> copyWithin(Buffer& to, uint64_t toOffset, const Buffer& from, uint64_t fromOffset,
                                  uint64_t bytes) = 0;
  /// Fills with a repeated pattern of 1, 2, 4 or 8 bytes.
  virtual Result<void> fill(Buffer& to, uint64_t offset, uint64_t bytes, std::span<const std::byte> pattern) = 0;

  /// Loads an image for this device: CUDA: the cubin in `code`, or its PTX, which the driver compiles, where there is
  /// no cubin; the named kernel must be in it.
  virtual Result<std::shared_ptr<Kernel>> load(const cg::DeviceCode& code, std::string_view symbol) = 0;

  virtual Result<void> launch(Kernel& kernel, const LaunchRequest& request) = 0;
  /// The address of the failure state that kernels of this device get as a parameter.
  virtual uint64_t failureState() const = 0;
  /// Waits until all work is done. Reports faults of the device itself.
  virtual Result<void> synchronize() = 0;
  /// After a synchronize: the failure that a kernel recorded since the last call, if any; clears it. Cheap when there
  /// is none.
  virtual std::optional<KernelFailure> takeFailure() = 0;
  /// After a synchronize: what kernels printed since the last call. Cheap when there is nothing.
  virtual PrintedLines takePrinted() { return {}; }
};

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// The control surface of the fake CUDA driver (libcudafake.so). Found by dlsym;
/// plain C, so that tests need not link the library. See README.md for the rules
/// of the fake and for the language of specifications.

#include <cstddef>
#include <cstdint>

extern "C" {

/// A launch, as the fake recorded it. Valid until the next reset.
struct CudaFakeLaunch {
  const char* kernel;
  std::uint32_t grid[3];
  std::uint32_t block[3];
  std::uint32_t dynamicShared;
  /// The argument block, copied with the sizes that the image records.
  const unsigned char* arguments;
  std::size_t argumentBytes;
  const std::uint32_t* offsets;  ///< of each argument in the block
  std::size_t argumentCount;
};

/// Runs in place of a kernel, when its stream is synchronised.
typedef void (*CudaFakeKernel)(const CudaFakeLaunch* launch, void* user);

/// Forgets everything and applies a specification ("" for the defaults).
/// Returns null, or what is wrong with it.
typedef const char* (*CudaFakeConfigureFn)(const char* specification);
const char* cudaFakeConfigure(const char* specification);

/// How often a function was called; null: all functions together.
typedef long (*CudaFakeCountFn)(const char* function);
long cudaFakeCount(const char* function);

/// How many handles of a kind are alive: "retain", "stream", "event", "memory",
/// "pinned", "pool", "library", "module", "link", "array", "context", "graph",
/// "exec", "object" (what graphs keep alive), "green", "texture", "range",
/// "physical", "external"; null: all together.
typedef long (*CudaFakeLiveFn)(const char* kind);
long cudaFakeLive(const char* kind);

/// One line a call: number, thread, function, arguments, result.
typedef const char* (*CudaFakeTextFn)(void);
const char* cudaFakeJournal(void);

/// One line for each rule that the program broke; "" when there is none.
const char* cudaFakeViolations(void);

/// Runs `function` for every launch of `kernel` from now on.
typedef void (*CudaFakeOnLaunchFn)(const char* kernel, CudaFakeKernel function, void* user);
void cudaFakeOnLaunch(const char* kernel, CudaFakeKernel function, void* user);

/// Where the bytes of device memory [address, address + bytes) really are; null
/// when that is not inside one allocation. Mapped pinned memory is at its own
/// address.
typedef void* (*CudaFakeResolveFn)(std::uint64_t address, std::size_t bytes);
void* cudaFakeResolve(std::uint64_t address, std::size_t bytes);

/// The launches since the last reset.
typedef long (*CudaFakeLaunchesFn)(void);
long cudaFakeLaunches(void);
typedef const CudaFakeLaunch* (*CudaFakeLaunchFn)(long index);
const CudaFakeLaunch* cudaFakeLaunch(long index);

/// Sets the value of a condition of a graph, as kernels do.
typedef void (*CudaFakeSetConditionFn)(std::uint64_t condition, unsigned value);
void cudaFakeSetCondition(std::uint64_t condition, unsigned value);

/// How deep the calling thread's stack of contexts is.
typedef long (*CudaFakeDepthFn)(void);
long cudaFakeContextDepth(void);
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Memory and semaphores of another interface (Vulkan) by file descriptor. A
/// descriptor passes to the driver when it is imported, and only then: it is
/// still the caller's after a failure.

#include "runtime/base/unique_fd.h"
#include "runtime/driver/memory.h"

namespace rad::cuda {

void releaseExternalMemory(const Context& context, CUexternalMemory memory) noexcept;
void releaseExternalSemaphore(const Context& context, CUexternalSemaphore semaphore) noexcept;

/// Memory that another interface made.
class ExternalMemory : public Handle<CUexternalMemory, releaseExternalMemory> {
 public:
  /// `bytes`: of the whole allocation. `dedicated`: it was made for one resource.
  static Result<ExternalMemory> open(const Context& context, rt::UniqueFd& fd, std::size_t bytes,
                                     bool dedicated = false);
  /// A part of it as memory for kernels; keeps this alive.
  Result<Memory> map(std::size_t offset, std::size_t bytes) const;

 private:
  using Handle::Handle;
  std::size_t bytes_ = 0;
};

/// A semaphore that another interface made.
class ExternalSemaphore : public Handle<CUexternalSemaphore, releaseExternalSemaphore> {
 public:
  /// `timeline`: it counts; otherwise it is there or not.
  static Result<ExternalSemaphore> open(const Context& context, rt::UniqueFd& fd, bool timeline);
  /// Signals it behind the work in the stream; `value` for a timeline.
  Status signal(const Stream& stream, std::uint64_t value = 0) const;
  /// What follows in the stream waits for it.
  Status wait(const Stream& stream, std::uint64_t value = 0) const;

 private:
  using Handle::Handle;
};

}  // namespace rad::cuda

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Parts of a GPU: a green context owns some of its multiprocessors, and what
/// runs in its streams runs there.

#include "runtime/driver/stream.h"

namespace rad::cuda {

void releaseGreen(const Context& context, CUgreenCtx green) noexcept;

/// A part of a device. Its streams keep it alive. One thread at a time may have
/// it current; calls that go through a Stream of it take care of that.
class GreenContext : public Handle<CUgreenCtx, releaseGreen> {
 public:
  /// A part with at least `multiprocessors`; the device hands them out in groups
  /// (of 8 on compute capability 9.0). `context`: the primary one of the device.
  static Result<GreenContext> create(const Context& context, unsigned multiprocessors);
  /// How many there really are.
  unsigned multiprocessors() const { return multiprocessors_; }
  /// A stream whose work stays in the part.
  Result<Stream> stream(int priority = 0) const;

 private:
  using Handle::Handle;
  unsigned multiprocessors_ = 0;
};

}  // namespace rad::cuda

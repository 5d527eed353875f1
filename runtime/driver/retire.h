// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// The driver tells on threads of its own that a graph or a function is done
/// with an object, and allows no CUDA call there. What is released then may own
/// memory or code, so it is released on a thread of ours.

#include <memory>

namespace rad::cuda {

/// Releases the object on another thread, soon. Never throws. Thread-safe.
void retire(std::shared_ptr<const void> object) noexcept;

/// Waits until everything that was retired so far is released. For programs that
/// end in order, and for tests.
void drainRetired() noexcept;

}  // namespace rad::cuda

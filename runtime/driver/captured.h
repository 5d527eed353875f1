// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// What graphs keep alive, those too that a capture is filling.

#include "runtime/driver/context.h"

#include <atomic>
#include <memory>

namespace rad::cuda {

/// Lets the graph, its copies and what is instantiated of them keep the object;
/// it is released on another thread (retire.h) when the last of them goes.
Status keepWithGraph(const Context& context, CUgraph graph, std::shared_ptr<const void> object);

/// The graph that the stream is captured into; null when it runs its work.
Result<CUgraph> graphOfCapture(const Context& context, CUstream stream);

/// How many captures go on that were begun here. While there are none, no stream
/// that was made here is asked whether it is captured.
inline std::atomic<int> capturesNow{0};

}  // namespace rad::cuda

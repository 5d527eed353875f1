// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Graphs: work that is described once, by hand or by capturing a stream, and
/// launched as a whole many times.

#include "runtime/driver/stream.h"

#include <span>
#include <utility>
#include <vector>

namespace rad::cuda {

class Graph;
void releaseGraph(const Context &context, CUgraph graph) noexcept;
void releaseGraphExec(const Context &context, CUgraphExec exec) noexcept;

/// A graph that can be launched. Not thread-safe: one thread at a time.
class GraphExec : public Handle<CUgraphExec, releaseGraphExec> {
public:
  /// Does the work of the graph in the order of the stream. A launch of the same
  /// GraphExec waits for the one before it.
  Status launch(const Stream &stream) const;
  /// Brings what a launch needs onto the device ahead of it.
  Status upload(const Stream &stream) const;

private:
  friend class Graph;
  using Handle::Handle;
};

/// A description of work: nodes and what each waits for. What the nodes use
/// (memory, kernels, events) must live as long as the graph and what was made
/// of it; keep() does that. Not thread-safe: one thread at a time.
class Graph : public Handle<CUgraph, releaseGraph> {
public:
  static Result<Graph> create(const Context &context);
  static Graph borrow(const Context &context, CUgraph graph,
                      std::shared_ptr<const void> keepAlive = {});

  /// The nodes, in the order in which they were added.
  Result<std::vector<CUgraphNode>> nodes() const;

  /// Makes it ready to be launched.
  Result<GraphExec> instantiate() const;

private:
  friend class Capture;
  using Handle::Handle;
};

/// Which calls of other threads and streams are refused while a capture goes on.
enum class CaptureMode : std::uint8_t {
  ThreadLocal, ///< what may wait is refused on this thread
  Relaxed,     ///< nothing is refused; end() may come from any thread
  Global,      ///< what may wait is refused on all threads
};

/// Captures the work of a stream from its making to end(). Ends the capture and
/// drops what was captured when it goes before.
class Capture {
public:
  static Result<Capture> begin(const Stream &stream,
                               CaptureMode mode = CaptureMode::ThreadLocal);
  Capture(Capture &&other) noexcept
      : context_(std::move(other.context_)), keep_(std::move(other.keep_)),
        stream_(std::exchange(other.stream_, nullptr)) {}
  Capture &operator=(Capture &&) = delete;
  ~Capture();

  /// Ends the capture. Fails (Capture) when a call was made that is not allowed
  /// while work is captured, or when work in other streams was not joined.
  Result<Graph> end();

private:
  Capture(Context context, std::shared_ptr<const void> keep, CUstream stream)
      : context_(std::move(context)), keep_(std::move(keep)), stream_(stream) {}
  Context context_;
  std::shared_ptr<const void> keep_;
  CUstream stream_;
};

/// Captures what `body` (a function that returns Status) asks of the stream. The
/// capture ends in every case, also when `body` throws.
template <class Body>
Result<Graph> capture(const Stream &stream, Body &&body,
                      CaptureMode mode = CaptureMode::ThreadLocal) {
  RAD_ASSIGN(Capture scope, Capture::begin(stream, mode));
  if (Status done = std::forward<Body>(body)(); !done)
    return fail(std::move(done).error());
  return scope.end();
}

} // namespace rad::cuda

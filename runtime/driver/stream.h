// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Streams (queues of work on a device), events (points in them), and functions
/// of the host that run in their order.

#include "runtime/driver/handle.h"

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>

namespace rad::cuda {

void releaseStream(const Context& context, CUstream stream) noexcept;
void releaseEvent(const Context& context, CUevent event) noexcept;

struct IpcEvent;

struct EventOptions {
  /// Whether the time is taken; without, recording and waiting are cheaper.
  bool timing = false;
  /// Event::synchronize() sleeps instead of polling.
  bool blockingWait = false;
  /// May be opened by other processes (ipc.h); excludes `timing`.
  bool interprocess = false;
};

/// A point in a stream.
class Event : public Handle<CUevent, releaseEvent> {
 public:
  static Result<Event> create(const Context& context, EventOptions options = {});
  static Event borrow(const Context& context, CUevent event, std::shared_ptr<const void> keepAlive = {});

  /// Whether everything before the point is done. An event that was never
  /// recorded is done.
  Result<bool> done() const;
  /// Waits until it is.
  Status synchronize() const;
  /// Milliseconds from `first` to `second`, with a resolution of about half a
  /// microsecond. Both must have been made with `timing`, recorded, and be done:
  /// the message says which of these is not so (Misuse).
  static Result<float> elapsed(const Event& first, const Event& second);

 private:
  friend Result<Event> openEvent(const Context& context, const IpcEvent& shared);
  using Handle::Handle;
};

/// What became of a function given to Stream::then().
class HostTask {
 public:
  /// Whether it has run.
  bool ran() const;
  /// What it threw, or null. An exception that nobody asks for is told to the
  /// warning sink when the last copy of this goes.
  std::exception_ptr exception() const;

  struct State;

 private:
  friend class Stream;
  explicit HostTask(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

/// When Stream::waitValue() goes on: the value in memory is at least (cyclic),
/// equal, shares a bit with, or its NOR with it is not zero.
enum class Compare : std::uint8_t { AtLeast, Equal, AnyBit, NorNotZero };

/// One step of Stream::batch().
class ValueStep {
 public:
  static ValueStep write(CUdeviceptr address, std::uint32_t value);
  static ValueStep write64(CUdeviceptr address, std::uint64_t value);
  static ValueStep wait(CUdeviceptr address, std::uint32_t value, Compare compare = Compare::AtLeast);
  static ValueStep wait64(CUdeviceptr address, std::uint64_t value, Compare compare = Compare::AtLeast);

 private:
  friend class Stream;
  CUstreamBatchMemOpParams raw_{};
};

struct StreamOptions {
  /// Lower is more urgent; clamped to Context::priorities().
  int priority = 0;
  /// Whether work waits for the legacy default stream, and that for it.
  bool blocking = false;
};

/// Part of memory whose lines shall stay in the L2 cache.
struct AccessPolicy {
  CUdeviceptr address = 0;
  std::size_t bytes = 0;
  float hitRatio = 1;  ///< the share of accesses that are `hit`
  CUaccessProperty hit = CU_ACCESS_PROPERTY_PERSISTING;
  CUaccessProperty miss = CU_ACCESS_PROPERTY_STREAMING;
};

/// A queue of work. What is asked of it happens in that order, after the call
/// has returned. Any thread may use it. Destroying one with work pending does not
/// wait: the work goes on.
class Stream : public Handle<CUstream, releaseStream> {
 public:
  static Result<Stream> create(const Context& context, StreamOptions options = {});
  /// A stream of other code (a cudaStream_t is one): never destroyed here. It
  /// has to live until the memory that was used on it (Memory::useOn) is given
  /// back, which waits for it.
  static Stream borrow(const Context& context, CUstream stream, std::shared_ptr<const void> keepAlive = {});
  /// The legacy default stream, which every blocking stream waits for. It cannot
  /// be captured.
  static Stream legacy(const Context& context);
  /// The default stream of the calling thread.
  static Stream perThread(const Context& context);

  /// Whether all work is done.
  Result<bool> done() const;
  /// Waits for all work.
  Status synchronize() const;

  /// Marks the point behind the work so far. With `external`, while capturing,
  /// the event is recorded by each launch of the graph.
  Status record(const Event& event, bool external = false) const;
  /// What follows waits for the event, without the host.
  Status wait(const Event& event, bool external = false) const;
  /// What follows here waits for what is in `other` now.
  Status waitFor(const Stream& other) const;

  /// Runs a function on a thread of the driver behind the work so far; what
  /// follows waits for it. It must not call CUDA (the driver answers 800). It is
  /// kept as long as it may run, in a captured graph too; what it holds is
  /// released on another thread (retire.h). Not run once a kernel
  /// has faulted: never wait for something that only it does.
  Result<HostTask> then(std::function<void()> function) const;

  /// Writes a value to device or pinned memory behind the work so far.
  Status writeValue(CUdeviceptr address, std::uint32_t value) const;
  Status writeValue64(CUdeviceptr address, std::uint64_t value) const;
  /// What follows waits until the value in memory compares so with `value`.
  Status waitValue(CUdeviceptr address, std::uint32_t value, Compare compare = Compare::AtLeast) const;
  Status waitValue64(CUdeviceptr address, std::uint64_t value, Compare compare = Compare::AtLeast) const;

  /// Several writes and waits as one piece of work, in their order: cheaper than
  /// one by one. At most 256.
  Status batch(std::span<const ValueStep> steps) const;

  Result<int> priority() const;
  /// Unique in the process.
  Result<std::uint64_t> id() const;
  /// The context it lives in, as the driver knows it: to check borrowed ones.
  Result<CUcontext> contextHandle() const;
  /// Whether it waits for the legacy default stream.
  Result<bool> blocking() const;
  Status setAccessPolicy(const AccessPolicy& policy) const;

  /// Whether work is captured into a graph instead of run (see graph.h).
  Result<CUstreamCaptureStatus> captureStatus() const;

 private:
  friend class GreenContext;
  using Handle::Handle;
};

/// The time between two points of a stream.
class Timer {
 public:
  static Result<Timer> create(const Context& context);
  Status start(const Stream& stream) const { return stream.record(begin_); }
  Status stop(const Stream& stream) const { return stream.record(end_); }
  /// Waits for the end, then gives the milliseconds between the two.
  Result<float> milliseconds() const;

 private:
  Timer(Event begin, Event end) : begin_(std::move(begin)), end_(std::move(end)) {}
  Event begin_, end_;
};

}  // namespace rad::cuda

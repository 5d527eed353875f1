// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/stream.h"

#include "runtime/driver/captured.h"
#include "runtime/driver/retire.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

namespace rad::cuda {

void releaseStream(const Context& context, CUstream stream) noexcept {
  context.release<DriverFn::StreamDestroy>("a stream", stream);
}

void releaseEvent(const Context& context, CUevent event) noexcept {
  context.release<DriverFn::EventDestroy>("an event", event);
}

// ---- Event ----

Result<Event> Event::create(const Context& context, EventOptions options) {
  if (options.interprocess && options.timing)
    return fail(ErrorCategory::Misuse, "an event for other processes cannot take the time",
                "Leave out `timing`, and use another event for it.");
  unsigned flags = options.timing ? CU_EVENT_DEFAULT : CU_EVENT_DISABLE_TIMING;
  if (options.blockingWait) flags |= CU_EVENT_BLOCKING_SYNC;
  if (options.interprocess) flags |= CU_EVENT_INTERPROCESS;
  CUevent raw = nullptr;
  RAD_TRY(context.call<DriverFn::EventCreate>(&raw, flags));
  if (!raw) return noHandle("event");
  return Event(context, raw, true);
}

Event Event::borrow(const Context& context, CUevent event, std::shared_ptr<const void> keepAlive) {
  return Event(context, event, false, std::move(keepAlive));
}

namespace {

/// A question whose answer is yes, no (600), or a failure.
template <DriverFn fn, class Raw>
Result<bool> ask(const Context& context, Raw raw) {
  Status status = context.call<fn>(raw);
  if (status) return true;
  if (status.error().code == CUDA_ERROR_NOT_READY) return false;
  return fail(std::move(status).error());
}

}  // namespace

Result<bool> Event::done() const { return ask<DriverFn::EventQuery>(context(), raw()); }

Status Event::synchronize() const { return context().call<DriverFn::EventSynchronize>(raw()); }

Result<float> Event::elapsed(const Event& first, const Event& second) {
  float milliseconds = 0;
  Status status = first.context().call<DriverFn::EventElapsedTime>(&milliseconds, first.raw(), second.raw());
  if (status) return milliseconds;
  Error error = std::move(status).error();
  if (error.code == CUDA_ERROR_NOT_READY) {
    error.category = ErrorCategory::Misuse;
    error.message =
        "the time between two events was asked for before both "
        "were done";
    error.advice = "Wait for the second one first: event.synchronize().";
  } else if (error.code == CUDA_ERROR_INVALID_HANDLE) {
    error.message =
        "the time between two events is not known: one of them was "
        "made without timing, or never recorded";
    error.advice =
        "Make both with EventOptions{.timing = true}, and record "
        "both.";
  }
  return fail(std::move(error));
}

// ---- Stream ----

Result<Stream> Stream::create(const Context& context, StreamOptions options) {
  int priority = options.priority;
  if (priority != 0) {  // 0 is always there
    RAD_ASSIGN(const PriorityRange range, context.priorities());
    priority = std::clamp(priority, range.greatest, range.least);
  }
  const unsigned flags = options.blocking ? CU_STREAM_DEFAULT : CU_STREAM_NON_BLOCKING;
  CUstream raw = nullptr;
  RAD_TRY(context.call<DriverFn::StreamCreateWithPriority>(&raw, flags, priority));
  if (!raw)  // null would mean the stream that everybody shares
    return noHandle("stream");
  return Stream(context, raw, true);
}

Stream Stream::borrow(const Context& context, CUstream stream, std::shared_ptr<const void> keepAlive) {
  return Stream(context, stream, false, std::move(keepAlive));
}

Stream Stream::legacy(const Context& context) { return Stream(context, CU_STREAM_LEGACY, false); }

Stream Stream::perThread(const Context& context) { return Stream(context, CU_STREAM_PER_THREAD, false); }

Result<bool> Stream::done() const { return ask<DriverFn::StreamQuery>(context(), raw()); }

Status Stream::synchronize() const {
  RAD_TRY(context().call<DriverFn::StreamSynchronize>(raw()));
  context().history().clear(raw());
  return {};
}

namespace {

/// An event that a graph records or waits for at each launch is kept by it.
Status keepExternal(const Stream& stream, const Event& event) {
  RAD_ASSIGN(const CUgraph graph, graphOfCapture(stream.context(), stream.raw()));
  return graph ? keepWithGraph(stream.context(), graph, event.keepAlive()) : Status();
}

}  // namespace

Status Stream::record(const Event& event, bool external) const {
  if (!external) return context().call<DriverFn::EventRecord>(event.raw(), raw());
  RAD_TRY(keepExternal(*this, event));
  return context().call<DriverFn::EventRecordWithFlags>(event.raw(), raw(), unsigned(CU_EVENT_RECORD_EXTERNAL));
}

Status Stream::wait(const Event& event, bool external) const {
  if (external) RAD_TRY(keepExternal(*this, event));
  return context().call<DriverFn::StreamWaitEvent>(raw(), event.raw(),
                                                   unsigned(external ? CU_EVENT_WAIT_EXTERNAL : CU_EVENT_WAIT_DEFAULT));
}

Status Stream::waitFor(const Stream& other) const {
  // The event may go at once: the driver keeps what it needs.
  RAD_ASSIGN(const Event event, Event::create(other.context()));
  RAD_TRY(other.record(event));
  return wait(event);
}

// ---- host functions ----

struct HostTask::State {
  std::function<void()> function;
  mutable std::mutex mutex;
  std::exception_ptr exception;  ///< guarded by mutex, like the next
  mutable bool seen = true;
  std::atomic<bool> ran{false};

  void run() noexcept {
    std::exception_ptr thrown;
    try {
      function();
    } catch (...) {
      thrown = std::current_exception();
    }
    if (thrown) {
      std::lock_guard lock(mutex);
      exception = thrown;
      seen = false;
    }
    ran.store(true, std::memory_order_release);
  }

  ~State() {
    if (seen) return;
    try {
      std::rethrow_exception(exception);
    } catch (const std::exception& e) {
      rt::warn(std::string("a host function in a stream failed: ") + e.what());
    } catch (...) {
      rt::warn("a host function in a stream failed");
    }
  }
};

bool HostTask::ran() const { return state_->ran.load(std::memory_order_acquire); }

std::exception_ptr HostTask::exception() const {
  std::lock_guard lock(state_->mutex);
  state_->seen = true;
  return state_->exception;
}

namespace {

using TaskPointer = std::shared_ptr<HostTask::State>;

/// Runs once, in a stream: the driver's reference goes with it.
void runOnce(void* data) noexcept {
  std::unique_ptr<TaskPointer> task(static_cast<TaskPointer*>(data));
  (*task)->run();
  retire(std::move(*task));
}

/// Runs at each launch of a graph, which keeps the task.
void runAgain(void* data) noexcept { static_cast<HostTask::State*>(data)->run(); }

}  // namespace

Result<HostTask> Stream::then(std::function<void()> function) const {
  if (!function) return fail(ErrorCategory::Misuse, "a stream was given an empty function to run");
  auto state = std::make_shared<HostTask::State>();
  state->function = std::move(function);
  RAD_ASSIGN(const CUgraph graph, graphOfCapture(context(), raw()));
  if (graph) {
    RAD_TRY(keepWithGraph(context(), graph, state));
    RAD_TRY(context().call<DriverFn::LaunchHostFunc>(raw(), static_cast<CUhostFn>(&runAgain),
                                                     static_cast<void*>(state.get())));
  } else {
    auto reference = std::make_unique<TaskPointer>(state);
    RAD_TRY(context().call<DriverFn::LaunchHostFunc>(raw(), static_cast<CUhostFn>(&runOnce),
                                                     static_cast<void*>(reference.get())));
    (void)reference.release();
  }
  return HostTask(std::move(state));
}

// ---- values in memory ----

Status Stream::writeValue(CUdeviceptr address, std::uint32_t value) const {
  return context().call<DriverFn::StreamWriteValue32>(raw(), address, value, unsigned(CU_STREAM_WRITE_VALUE_DEFAULT));
}

Status Stream::writeValue64(CUdeviceptr address, std::uint64_t value) const {
  return context().call<DriverFn::StreamWriteValue64>(raw(), address, cuuint64_t(value),
                                                      unsigned(CU_STREAM_WRITE_VALUE_DEFAULT));
}

namespace {

unsigned flagsOf(Compare compare) {
  switch (compare) {
    case Compare::AtLeast: return CU_STREAM_WAIT_VALUE_GEQ;
    case Compare::Equal: return CU_STREAM_WAIT_VALUE_EQ;
    case Compare::AnyBit: return CU_STREAM_WAIT_VALUE_AND;
    case Compare::NorNotZero: return CU_STREAM_WAIT_VALUE_NOR;
  }
  return CU_STREAM_WAIT_VALUE_GEQ;
}

}  // namespace

Status Stream::waitValue(CUdeviceptr address, std::uint32_t value, Compare compare) const {
  return context().call<DriverFn::StreamWaitValue32>(raw(), address, value, flagsOf(compare));
}

Status Stream::waitValue64(CUdeviceptr address, std::uint64_t value, Compare compare) const {
  return context().call<DriverFn::StreamWaitValue64>(raw(), address, cuuint64_t(value), flagsOf(compare));
}

ValueStep ValueStep::write(CUdeviceptr address, std::uint32_t value) {
  ValueStep step;
  step.raw_.operation = CU_STREAM_MEM_OP_WRITE_VALUE_32;
  step.raw_.writeValue.address = address;
  step.raw_.writeValue.flags = CU_STREAM_WRITE_VALUE_DEFAULT;
  step.raw_.writeValue.alias = 0;
  step.raw_.writeValue.value = value;
  return step;
}

ValueStep ValueStep::write64(CUdeviceptr address, std::uint64_t value) {
  ValueStep step;
  step.raw_.operation = CU_STREAM_MEM_OP_WRITE_VALUE_64;
  step.raw_.writeValue.address = address;
  step.raw_.writeValue.flags = CU_STREAM_WRITE_VALUE_DEFAULT;
  step.raw_.writeValue.alias = 0;
  step.raw_.writeValue.value64 = value;
  return step;
}

ValueStep ValueStep::wait(CUdeviceptr address, std::uint32_t value, Compare compare) {
  ValueStep step;
  step.raw_.operation = CU_STREAM_MEM_OP_WAIT_VALUE_32;
  step.raw_.waitValue.address = address;
  step.raw_.waitValue.alias = 0;
  step.raw_.waitValue.value = value;
  step.raw_.waitValue.flags = flagsOf(compare);
  return step;
}

ValueStep ValueStep::wait64(CUdeviceptr address, std::uint64_t value, Compare compare) {
  ValueStep step;
  step.raw_.operation = CU_STREAM_MEM_OP_WAIT_VALUE_64;
  step.raw_.waitValue.address = address;
  step.raw_.waitValue.alias = 0;
  step.raw_.waitValue.value64 = value;
  step.raw_.waitValue.flags = flagsOf(compare);
  return step;
}

Status Stream::batch(std::span<const ValueStep> steps) const {
  constexpr std::size_t most = 256;
  if (steps.size() > most)
    return fail(ErrorCategory::Misuse, "a batch has at most " + std::to_string(most) + " writes and waits, and " +
                                           std::to_string(steps.size()) + " were given");
  if (steps.empty()) return {};
  std::vector<CUstreamBatchMemOpParams> raw;
  for (const ValueStep& step : steps) raw.push_back(step.raw_);
  return context().call<DriverFn::StreamBatchMemOp>(this->raw(), unsigned(raw.size()), raw.data(), 0u);
}

// ---- questions ----

Result<int> Stream::priority() const {
  int value = 0;
  RAD_TRY(context().call<DriverFn::StreamGetPriority>(raw(), &value));
  return value;
}

Result<std::uint64_t> Stream::id() const {
  unsigned long long value = 0;
  RAD_TRY(context().call<DriverFn::StreamGetId>(raw(), &value));
  return value;
}

Result<CUcontext> Stream::contextHandle() const {
  CUcontext value = nullptr;
  RAD_TRY(context().call<DriverFn::StreamGetCtx>(raw(), &value));
  return value;
}

Result<bool> Stream::blocking() const {
  unsigned flags = 0;
  RAD_TRY(context().call<DriverFn::StreamGetFlags>(raw(), &flags));
  return !(flags & CU_STREAM_NON_BLOCKING);
}

Status Stream::setAccessPolicy(const AccessPolicy& policy) const {
  CUstreamAttrValue value{};
  value.accessPolicyWindow.base_ptr = reinterpret_cast<void*>(policy.address);
  value.accessPolicyWindow.num_bytes = policy.bytes;
  value.accessPolicyWindow.hitRatio = policy.hitRatio;
  value.accessPolicyWindow.hitProp = policy.hit;
  value.accessPolicyWindow.missProp = policy.miss;
  return context().call<DriverFn::StreamSetAttribute>(raw(), CU_STREAM_ATTRIBUTE_ACCESS_POLICY_WINDOW,
                                                      static_cast<const CUstreamAttrValue*>(&value));
}

Result<CUstreamCaptureStatus> Stream::captureStatus() const {
  CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
  RAD_TRY(context().call<DriverFn::StreamIsCapturing>(raw(), &status));
  return status;
}

// ---- Timer ----

Result<Timer> Timer::create(const Context& context) {
  RAD_ASSIGN(Event begin, Event::create(context, {.timing = true}));
  RAD_ASSIGN(Event end, Event::create(context, {.timing = true}));
  return Timer(std::move(begin), std::move(end));
}

Result<float> Timer::milliseconds() const {
  RAD_TRY(end_.synchronize());
  return Event::elapsed(begin_, end_);
}

}  // namespace rad::cuda

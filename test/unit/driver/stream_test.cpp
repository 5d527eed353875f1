// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contexts, streams, events, functions of the host, capture.

#include "test/unit/driver/backend.h"

#include <atomic>
#include <stdexcept>
#include <thread>

namespace rad::cuda {
namespace {

class Streams : public OnEach {};
RAD_ON_EACH(Streams);

TEST_P(Streams, NothingIsLeftCurrentOnTheThread) {
  ASSERT_MADE(Stream stream, Stream::create(context_));
  CUcontext current = nullptr;
  ASSERT_OK(context_.driver().call<DriverFn::CtxGetCurrent>(&current));
  EXPECT_EQ(current, nullptr);
  EXPECT_FAILS(Context::current(&context_.driver()), "no context is current");
  {
    ContextGuard guard(context_.driver(), context_.raw());
    ASSERT_MADE(Context borrowed, Context::current(&context_.driver()));
    EXPECT_EQ(borrowed, context_);
    EXPECT_EQ(borrowed.device().ordinal(), 0);
  }
  // A thread that never heard of CUDA.
  std::thread([&] { EXPECT_OK(stream.synchronize()); }).join();
}

TEST_P(Streams, PrioritiesAreClampedAndTold) {
  ASSERT_MADE(const PriorityRange range, context_.priorities());
  EXPECT_LE(range.greatest, range.least);
  ASSERT_MADE(Stream urgent, Stream::create(context_, {.priority = -1000}));
  ASSERT_MADE(Stream calm, Stream::create(context_, {.priority = 1000}));
  EXPECT_EQ(urgent.priority().value_or(99), range.greatest);
  EXPECT_EQ(calm.priority().value_or(99), range.least);
  EXPECT_NE(urgent.id().value_or(0), calm.id().value_or(0));
  EXPECT_EQ(urgent.contextHandle().value_or(nullptr), context_.raw());
  EXPECT_EQ(urgent.blocking().value_or(true), false);
  ASSERT_MADE(Stream blocking, Stream::create(context_, {.blocking = true}));
  EXPECT_EQ(blocking.blocking().value_or(false), true);
}

TEST_P(Streams, EventsTellWhenWorkIsDone) {
  ASSERT_MADE(Stream first, Stream::create(context_));
  ASSERT_MADE(Stream second, Stream::create(context_));
  ASSERT_MADE(Event event, Event::create(context_));
  EXPECT_EQ(event.done().value_or(false), true) << "never recorded";
  ASSERT_OK(first.record(event));
  ASSERT_OK(second.wait(event));
  ASSERT_OK(second.waitFor(first));
  ASSERT_OK(second.synchronize());
  EXPECT_EQ(event.done().value_or(false), true);
  EXPECT_OK(event.synchronize());
  for (int i = 0; i < 1000 && !first.done().value_or(true); ++i) std::this_thread::yield();
  EXPECT_EQ(first.done().value_or(false), true);
}

TEST_P(Streams, TimesAreTaken) {
  ASSERT_MADE(Stream stream, Stream::create(context_));
  ASSERT_MADE(Timer timer, Timer::create(context_));
  ASSERT_OK(timer.start(stream));
  ASSERT_MADE(HostTask task, stream.then([] { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }));
  ASSERT_OK(timer.stop(stream));
  ASSERT_MADE(const float milliseconds, timer.milliseconds());
  EXPECT_GT(milliseconds, onGpu() ? 1.5f : 0.f);  // the fake's clock is its own
  EXPECT_TRUE(task.ran());

  ASSERT_MADE(Event without, Event::create(context_));
  ASSERT_OK(stream.record(without));
  ASSERT_OK(stream.synchronize());
  EXPECT_FAILS(Event::elapsed(without, without), "made without timing");
  ASSERT_MADE(Event fresh, Event::create(context_, {.timing = true}));
  EXPECT_FAILS(Event::elapsed(fresh, fresh), "never recorded");
  EXPECT_FAILS(Event::create(context_, {.timing = true, .interprocess = true}), "cannot take the time");
}

TEST_P(Streams, FunctionsOfTheHostRunInOrder) {
  ASSERT_MADE(Stream stream, Stream::create(context_));
  std::vector<int> order;
  CUresult inside = CUDA_SUCCESS;
  const auto count = context_.driver().raw<DriverFn::DeviceGetCount>();
  ASSERT_OK(stream.then([&] { order.push_back(1); }));
  ASSERT_OK(stream.then([&] {
    int devices = 0;
    inside = count(&devices);
    order.push_back(2);
  }));
  ASSERT_MADE(HostTask thrower, stream.then([&] {
    order.push_back(3);
    throw std::runtime_error("thrown in a stream");
  }));
  ASSERT_OK(stream.then([&] { order.push_back(4); }));
  ASSERT_OK(stream.synchronize());
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(inside, CUDA_ERROR_NOT_PERMITTED) << "CUDA inside is refused";
  ASSERT_TRUE(thrower.exception());
  EXPECT_THROW(std::rethrow_exception(thrower.exception()), std::runtime_error);
  EXPECT_FAILS(stream.then({}), "empty function");
}

TEST_P(Streams, AnExceptionThatNobodyLooksAtIsTold) {
  std::mutex mutex;
  std::string told;
  rt::setWarningSink([&](std::string_view text) {
    std::lock_guard lock(mutex);
    told = text;
  });
  {
    ASSERT_MADE(Stream stream, Stream::create(context_));
    ASSERT_OK(stream.then([] { throw std::runtime_error("lost?"); }));
    ASSERT_OK(stream.synchronize());
    ASSERT_OK(stream.then([] {}));  // behind it, the first one is retired
    ASSERT_OK(stream.synchronize());
    drainRetired();
  }
  std::lock_guard lock(mutex);
  EXPECT_EQ(told, "a host function in a stream failed: lost?");
  rt::setWarningSink({});
}

TEST_P(Streams, UsingAnObjectThatWasMovedFromIsAnError) {
  ASSERT_MADE(Stream stream, Stream::create(context_));
  Stream other = std::move(stream);
  EXPECT_FALSE(stream);
  EXPECT_EQ(stream.raw(), nullptr);
  EXPECT_FAILS(stream.synchronize(), "moved from");
  EXPECT_FAILS(Stream::create(Context()), "is empty");
  EXPECT_OK(other.synchronize());
}

TEST_P(Streams, TheContextLivesAsLongAsWhatIsInIt) {
  ASSERT_MADE(Stream stream, Stream::create(context_));
  if (!onGpu()) context_ = Context();
  EXPECT_OK(stream.synchronize());
  Stream borrowed = Stream::borrow(stream.context(), stream.raw(), stream.keepAlive());
  EXPECT_FALSE(borrowed.owned());
  stream = Stream();
  EXPECT_OK(borrowed.synchronize());
}

TEST_P(Streams, DefaultStreamsCanBeUsedByName) {
  Stream legacy = Stream::legacy(context_);
  EXPECT_OK(legacy.synchronize());
  EXPECT_OK(Stream::perThread(context_).synchronize());
  EXPECT_FAILS(Capture::begin(legacy), "900");
}

TEST_P(Streams, LimitsReadBack) {
  ASSERT_MADE(const std::size_t before, context_.limit(CU_LIMIT_STACK_SIZE));
  ASSERT_MADE(const std::size_t now, context_.setLimit(CU_LIMIT_STACK_SIZE, before + 5));
  EXPECT_GE(now, before + 5);
  EXPECT_LE(now, before + 64) << "rounded";
  EXPECT_OK(context_.setLimit(CU_LIMIT_STACK_SIZE, before));
  EXPECT_OK(context_.resetPersistingCache());
  EXPECT_OK(context_.id());
}

TEST_P(Streams, AContextOfItsOwnIsNotLeftCurrent) {
  ASSERT_MADE(Context own, Context::create(context_.device()));
  EXPECT_NE(own, context_);
  EXPECT_FAILS(Context::current(&context_.driver()), "no context is current");
  ASSERT_MADE(Stream stream, Stream::create(own));
  EXPECT_EQ(stream.contextHandle().value_or(nullptr), own.raw());
  EXPECT_OK(own.synchronize());
}

// ---- capture ----

class Captures : public OnEach {};
RAD_ON_EACH(Captures);

TEST_P(Captures, WhatIsCapturedRunsWithEachLaunch) {
  ASSERT_MADE(Stream stream, Stream::create(context_));
  ASSERT_MADE(Stream side, Stream::create(context_));
  std::atomic<int> calls{0};
  {
    auto alive = std::make_shared<int>(7);
    std::weak_ptr<int> watch = alive;
    ASSERT_MADE(Graph graph, capture(stream, [&]() -> Status {
                  EXPECT_EQ(stream.captureStatus().value_or(CU_STREAM_CAPTURE_STATUS_NONE),
                            CU_STREAM_CAPTURE_STATUS_ACTIVE);
                  RAD_TRY(stream.then([&calls, alive] { calls += *alive; }));
                  RAD_TRY(side.waitFor(stream));
                  RAD_TRY(side.then([&calls] { calls += 1; }));
                  return stream.waitFor(side);
                }));
    alive.reset();
    EXPECT_EQ(calls, 0) << "captured, not run";
    ASSERT_MADE(auto nodes, graph.nodes());
    EXPECT_EQ(nodes.size(), 2u);
    ASSERT_MADE(GraphExec exec, graph.instantiate());
    graph = Graph();  // the instantiated one needs it no more
    ASSERT_OK(exec.upload(stream));
    for (int i = 0; i < 10; ++i) ASSERT_OK(exec.launch(stream));
    ASSERT_OK(stream.synchronize());
    EXPECT_EQ(calls, 80);
    EXPECT_FALSE(watch.expired()) << "kept as long as it may run";
    exec = GraphExec();
    for (int i = 0; i < 1000 && !watch.expired(); ++i)  // on another thread
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_TRUE(watch.expired());
  }
}

TEST_P(Captures, AWaitInsideEndsTheCapture) {
  ASSERT_MADE(Stream stream, Stream::create(context_));
  auto captured = capture(stream, [&] { return stream.synchronize(); });
  ASSERT_FALSE(captured);
  EXPECT_EQ(captured.error().code, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(captured.error().category, ErrorCategory::Capture);
  // The stream is as before.
  EXPECT_OK(stream.then([] {}));
  EXPECT_OK(stream.synchronize());
}

TEST_P(Captures, EndsWhenTheBodyThrows) {
  ASSERT_MADE(Stream stream, Stream::create(context_));
  EXPECT_THROW((void)capture(stream, [&]() -> Status { throw std::runtime_error("x"); }), std::runtime_error);
  EXPECT_EQ(stream.captureStatus().value_or(CU_STREAM_CAPTURE_STATUS_ACTIVE), CU_STREAM_CAPTURE_STATUS_NONE);
  EXPECT_OK(stream.synchronize());
}

TEST_P(Captures, UnjoinedWorkIsRefused) {
  ASSERT_MADE(Stream stream, Stream::create(context_));
  ASSERT_MADE(Stream side, Stream::create(context_));
  auto captured = capture(stream, [&]() -> Status {
    RAD_TRY(side.waitFor(stream));
    RAD_TRY(side.then([] {}));
    return {};
  });
  ASSERT_FALSE(captured);
  EXPECT_EQ(captured.error().code, CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
  EXPECT_OK(side.synchronize());
}

TEST_P(Captures, AnEventInsideCannotBeAskedFor) {
  ASSERT_MADE(Stream stream, Stream::create(context_));
  ASSERT_MADE(Event event, Event::create(context_));
  auto captured = capture(stream, [&]() -> Status {
    RAD_TRY(stream.record(event));
    EXPECT_FAILS(event.done(), "907");
    return {};
  });
  // The question spoils the capture or not: both are fine, neither crashes.
  EXPECT_OK(stream.synchronize());
}

TEST_P(Captures, AllocatingEndsACaptureOfThisThreadButNotARelaxedOne) {
  ASSERT_MADE(Stream stream, Stream::create(context_));
  for (const CaptureMode mode : {CaptureMode::ThreadLocal, CaptureMode::Relaxed}) {
    CUdeviceptr address = 0;
    auto captured = capture(stream, [&] { return context_.call<DriverFn::MemAlloc>(&address, std::size_t(64)); }, mode);
    if (mode == CaptureMode::Relaxed) {
      EXPECT_OK(captured);
      ASSERT_OK(context_.call<DriverFn::MemFree>(address));
    } else {
      EXPECT_FAILS(captured, "900");
    }
  }
}

TEST_P(Captures, OnlyTheThreadThatBeganMayEndUnlessRelaxed) {
  ASSERT_MADE(Stream stream, Stream::create(context_));
  for (const CaptureMode mode : {CaptureMode::ThreadLocal, CaptureMode::Relaxed}) {
    ASSERT_MADE(Capture scope, Capture::begin(stream, mode));
    Result<Graph> graph = fail(ErrorCategory::Misuse, "not run");
    std::thread([&] { graph = scope.end(); }).join();
    if (mode == CaptureMode::Relaxed) EXPECT_OK(graph);
    else EXPECT_FAILS(graph, "908");
    EXPECT_FAILS(scope.end(), "ended twice");
  }
}

// ---- rules that only the fake can show ----

using StreamRules = OnFake;

TEST_F(StreamRules, AFailedReleaseIsTold) {
  start("fail=cuStreamDestroy:1");
  checked_ = false;
  {
    ASSERT_MADE(Stream stream, Stream::create(context_));
  }
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_NE(warnings_[0].find("could not release a stream"), std::string::npos) << warnings_[0];
}

TEST_F(StreamRules, SuccessWithoutAHandleIsAnError) {
  start("null_output=cuStreamCreateWithPriority@1;null_output=cuEventCreate@1");
  checked_ = false;
  EXPECT_FAILS(Stream::create(context_), "gave no stream");
  EXPECT_FAILS(Event::create(context_), "gave no event");
}

TEST_F(StreamRules, AfterAFaultTheFirstCauseComesBackWithTheSuspects) {
  start("fail=cuStreamSynchronize@1:700!sticky");
  checked_ = false;
  ASSERT_MADE(Stream stream, Stream::create(context_));
  context_.history().add("saxpy", 3, stream.raw());
  Status first = stream.synchronize();
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().category, ErrorCategory::Dead);
  EXPECT_NE(errorOf(first).find("kernels since the last wait: saxpy (launch 3)"), std::string::npos) << errorOf(first);
  auto later = Event::create(context_);
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().message, first.error().message);
}

TEST_F(StreamRules, AFunctionThatIsMissingIsNamed) {
  start("missing=cuStreamWriteValue32");
  ASSERT_MADE(Stream stream, Stream::create(context_));
  EXPECT_FAILS(stream.writeValue(64, 1), "has no cuStreamWriteValue32");
}

TEST_F(StreamRules, PeerAccessDependsOnTheDirectionAndMayBeAskedForTwice) {
  start("preset=sm_90x4");
  ASSERT_MADE(Context last, Context::primary(3, driver_.get()));
  EXPECT_OK(context_.enablePeerAccess(last));
  EXPECT_OK(context_.enablePeerAccess(last));
  EXPECT_OK(context_.disablePeerAccess(last));
  EXPECT_OK(context_.disablePeerAccess(last));
  EXPECT_FAILS(last.enablePeerAccess(context_), "kernels on cuda:3 cannot reach the memory of cuda:0");
  ASSERT_MADE(const int access,
              context_.device().linkAttribute(CU_DEVICE_P2P_ATTRIBUTE_ACCESS_SUPPORTED, last.device()));
  EXPECT_EQ(access, 1);
}

TEST_F(StreamRules, FlagsOfAnActiveContextAreNotChanged) {
  ASSERT_MADE(const auto state, context_.device().primaryState());
  EXPECT_TRUE(state.active);
  EXPECT_OK(context_.device().setPrimaryFlags(state.flags));
  EXPECT_FAILS(context_.device().setPrimaryFlags(CU_CTX_SCHED_BLOCKING_SYNC), "is in use with flags");
}

}  // namespace
}  // namespace rad::cuda

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The core of the tests of runtime/driver: a program that uses nearly every
// function runs once for each of its calls, and that call fails. Nothing may
// crash, hang or be left behind without a word, and the message names the call
// and says what to do.

#include "runtime/driver/external.h"
#include "runtime/driver/green.h"
#include "runtime/driver/ipc.h"
#include "runtime/driver/profiler.h"
#include "runtime/driver/tensor_map.h"
#include "runtime/driver/texture.h"
#include "runtime/driver/virtual_memory.h"
#include "test/unit/driver/kernels.h"
#include "test/unit/runtime/driver_sweep.h"

#include <fcntl.h>

#include <set>

namespace rad::cuda {
namespace {

using namespace test_kernels;

Status contexts(const DriverApi& driver, const Context& context) {
  RAD_TRY(context.device().primaryState());
  RAD_TRY(context.device().uuid());
  RAD_TRY(context.device().name());
  RAD_TRY(context.device().totalMemory());
  RAD_TRY(context.device().pciBusId());
  RAD_TRY(context.id());
  RAD_TRY(context.setLimit(CU_LIMIT_STACK_SIZE, 2048));
  RAD_TRY(context.resetPersistingCache());
  RAD_ASSIGN(const Device second, Device::get(1, &driver));
  RAD_TRY(second.setPrimaryFlags(CU_CTX_SCHED_BLOCKING_SYNC));
  RAD_ASSIGN(const Context peer, Context::primary(second));
  RAD_TRY(context.device().linkAttribute(CU_DEVICE_P2P_ATTRIBUTE_ACCESS_SUPPORTED, second));
  RAD_TRY(context.enablePeerAccess(peer));
  RAD_TRY(context.disablePeerAccess(peer));
  RAD_ASSIGN(const Context own, Context::create(context.device()));
  ContextGuard guard(driver, own.raw());
  RAD_TRY(guard.status());
  RAD_TRY(Context::current(&driver));
  return {};
}

Status streams(const Context& context) {
  RAD_ASSIGN(Stream stream, Stream::create(context, {.priority = -1}));
  RAD_ASSIGN(Stream other, Stream::create(context));
  RAD_TRY(stream.priority());
  RAD_TRY(stream.id());
  RAD_TRY(stream.contextHandle());
  RAD_TRY(stream.blocking());
  RAD_TRY(stream.setAccessPolicy({}));
  RAD_ASSIGN(Timer timer, Timer::create(context));
  RAD_TRY(timer.start(stream));
  RAD_TRY(stream.then([] {}));
  RAD_ASSIGN(Memory flags, Memory::allocate(context, 64));
  RAD_TRY(stream.writeValue(flags.address(), 1));
  RAD_TRY(stream.writeValue64(flags.address() + 8, 1));
  RAD_TRY(other.waitValue(flags.address(), 1));
  RAD_TRY(other.waitValue64(flags.address() + 8, 1));
  const ValueStep steps[] = {ValueStep::write(flags.address() + 16, 1), ValueStep::wait(flags.address() + 16, 1)};
  RAD_TRY(other.batch(steps));
  RAD_TRY(other.waitFor(stream));
  RAD_TRY(timer.stop(stream));
  RAD_TRY(timer.milliseconds());
  RAD_ASSIGN(Event event, Event::create(context));
  RAD_TRY(stream.record(event));
  RAD_TRY(other.synchronize());
  RAD_TRY(event.done());
  RAD_TRY(stream.done());
  RAD_ASSIGN(Graph graph, capture(stream, [&]() -> Status {
               RAD_TRY(stream.captureStatus());
               RAD_TRY(stream.then([] {}));
               return stream.record(event, true);
             }));
  RAD_ASSIGN(GraphExec exec, graph.instantiate());
  RAD_TRY(exec.upload(stream));
  RAD_TRY(exec.launch(stream));
  RAD_TRY(stream.synchronize());
  return context.synchronize();
}

Status memory(const Context& context) {
  RAD_ASSIGN(Stream stream, Stream::create(context));
  RAD_ASSIGN(Stream other, Stream::create(context));
  RAD_ASSIGN(Pool pool, Pool::create(context));
  RAD_ASSIGN(Memory pooled, Memory::allocate(pool, stream, 4096));
  RAD_ASSIGN(Memory common, Memory::allocate(stream, 4096));
  RAD_TRY(common.useOn(other));
  RAD_TRY(pool.statistics());
  RAD_TRY(pool.resetHighMarks());
  RAD_TRY(pool.trim());
  RAD_TRY(pool.setAccess(context.device(), true));
  RAD_TRY(Pool::defaultOf(context));
  RAD_TRY(memoryInfo(context));
  RAD_ASSIGN(PitchedMemory rows, PitchedMemory::allocate(context, 100, 4));
  RAD_ASSIGN(PinnedMemory pinned, PinnedMemory::allocate(context, 4096));
  RAD_ASSIGN(const CUdeviceptr mapped, pinned.deviceAddress());
  std::vector<std::byte> host(4096);
  RAD_ASSIGN(RegisteredMemory registered, RegisteredMemory::add(context, host));
  RAD_ASSIGN(ManagedMemory managed, ManagedMemory::allocate(context, 4096, {.allow = true}));
  RAD_TRY(managed.advise(CU_MEM_ADVISE_SET_PREFERRED_LOCATION));
  RAD_TRY(managed.prefetchToDevice(stream));
  RAD_TRY(managed.prefetchToHost(stream));
  RAD_TRY(inspect(context, pooled.address()));
  const CUdeviceptr at = pooled.address();
  RAD_TRY(fill(stream, at, std::uint8_t(1), 10));
  RAD_TRY(fill(stream, at, std::uint16_t(0x0102), 10));
  RAD_TRY(fill(stream, at, std::uint32_t(0x01020304), 10));
  RAD_TRY(fill(stream, at, 0.1, 10));
  const std::byte pattern[4] = {};
  for (std::size_t width : {1, 2, 4})
    RAD_TRY(fill2D(stream, rows.memory.address(), rows.pitch, std::span(pattern).first(width), 5, 4));
  RAD_TRY(copyToDevice(stream, at, pinned.data()));
  RAD_TRY(copyToHost(stream, pinned.data(), at));
  RAD_TRY(copyOnDevice(stream, at + 2048, at, 1024));
  RAD_TRY(copyBetween(stream, context, at + 2048, context, at, 1024));
  RAD_TRY(copy2D(stream, Place::onDevice(rows.memory.address(), rows.pitch), Place::onHost(host.data()), 100, 4));
  RAD_TRY(copy3D(stream, Place::onDevice(at), Place::onHost(host.data()), 10, 2, 2));
  const BatchCopy batch[] = {{at, mapped, 64}};
  RAD_TRY(copyBatch(stream, batch));
  const BatchCopy3D planes[] = {{Place::onDevice(at), Place::onHost(pinned.data().data()), 16, 2, 2}};
  RAD_TRY(copyBatch3D(stream, planes));
  RAD_TRY(stream.synchronize());
  pooled.freeOn(other);
  return other.synchronize();
}

Status code(const Context& context) {
  RAD_ASSIGN(Stream stream, Stream::create(context));
  const Image image = Image::ptx(countPtx());
  RAD_ASSIGN(Library library, Library::load(context, image));
  RAD_TRY(library.kernelNames());
  RAD_ASSIGN(Kernel count, library.kernel("count"));
  RAD_TRY(library.variable("total"));
  RAD_ASSIGN(Module module, Module::load(context, image));
  RAD_TRY(module.kernelNames());
  RAD_ASSIGN(Kernel same, module.kernel("count"));
  RAD_TRY(module.variable("total"));
  RAD_TRY(same.setSharedCarveout(50));
  RAD_TRY(count.allowLargeClusters());
  const std::string ptx = test::helperPtx();
  const LinkUnit units[] = {{CU_JIT_INPUT_PTX, "helper.ptx", std::as_bytes(std::span(ptx.c_str(), ptx.size() + 1))}};
  RAD_TRY(linkWithDriver(context, units));
  RAD_ASSIGN(Memory out, Memory::allocate(context, 64));
  RAD_TRY(launch(stream, count, {.sharedBytes = 100u << 10}, out.address(), 1u));
  RAD_TRY(launch(stream, same, {.cooperative = true}, out.address(), 1u));
  RAD_TRY(suggestBlock(count));
  RAD_TRY(availableDynamicShared(count, 1, 32));
  RAD_TRY(activeClusters(count, {.grid = {4}, .cluster = {{2}}}));
  RAD_TRY(largestCluster(count, {.grid = {4}}));
  RAD_TRY(stream.synchronize());

  RAD_ASSIGN(Graph graph, Graph::create(context));
  RAD_ASSIGN(const Node fill, graph.addFill({}, out.address(), std::as_bytes(std::span("abcd", 4)), 4));
  RAD_ASSIGN(const Node kernel, graph.addKernel({&fill, 1}, count, {.priority = 0}, out.address(), 1u));
  RAD_ASSIGN(const Node function, graph.addFunction({&kernel, 1}, [] {}));
  RAD_ASSIGN(const Node last, graph.addEmpty({}));
  RAD_TRY(graph.addDependency(function, last));
  RAD_TRY(graph.nodes());
  RAD_TRY(graph.edges());
  RAD_TRY(graph.typeOf(last));
  RAD_TRY(graph.dot());
  RAD_ASSIGN(Graph copied, graph.clone());
  RAD_ASSIGN(GraphExec exec, graph.instantiate());
  RAD_ASSIGN(const GraphUpdate update, exec.update(copied));
  if (!update.done) return fail(ErrorCategory::Misuse, "a copy is of another shape");
  RAD_TRY(exec.setKernel(kernel, count, {}, out.address(), 2u));
  RAD_TRY(exec.setEnabled(kernel, false));
  RAD_TRY(exec.launch(stream));
  RAD_TRY(stream.synchronize());
  RAD_ASSIGN(Graph nested, Graph::create(context));
  RAD_TRY(nested.addGraph({}, graph));
  RAD_ASSIGN(const AllocationNode allocation, nested.addAllocation({}, 64));
  RAD_TRY(nested.addFree({&allocation.node, 1}, allocation.address));
  RAD_ASSIGN(const auto condition, nested.makeCondition(1));
  RAD_TRY(nested.addConditional({}, Condition::If, condition));
  return trimGraphMemory(context);
}

Status sharing(const Context& context) {
  RAD_ASSIGN(GrowableMemory growing, GrowableMemory::create(context, 1 << 22));
  RAD_TRY(growing.grow(100));
  RAD_ASSIGN(PhysicalMemory physical, PhysicalMemory::create(context, 100, true));
  RAD_ASSIGN(const rt::UniqueFd fd, physical.share());
  RAD_TRY(PhysicalMemory::open(context, fd, physical.bytes()));
  RAD_ASSIGN(AddressRange range, AddressRange::reserve(context, physical.bytes()));
  RAD_TRY(range.map(0, physical));
  RAD_TRY(range.unmap(0));

  {
    RAD_ASSIGN(Stream stream, Stream::create(context));
    RAD_ASSIGN(Pool pool, Pool::create(context, {.shareable = true}));
    RAD_ASSIGN(Memory pooled, Memory::allocate(pool, stream, 100));
    RAD_ASSIGN(const rt::UniqueFd descriptor, sharePool(pool));
    RAD_ASSIGN(Pool there, openPool(context, descriptor));
    RAD_ASSIGN(const IpcPoolMemory part, exportPoolMemory(pooled));
    RAD_TRY(openMemory(there, stream, part));
    RAD_TRY(stream.synchronize());
  }
  RAD_ASSIGN(Memory plain, Memory::allocate(context, 100));
  RAD_ASSIGN(const IpcMemory memory, exportMemory(plain));
  RAD_TRY(openMemory(context, memory));
  RAD_ASSIGN(Event event, Event::create(context, {.interprocess = true}));
  RAD_ASSIGN(const IpcEvent shared, exportEvent(event));
  RAD_TRY(openEvent(context, shared));

  RAD_ASSIGN(Stream stream, Stream::create(context));
  rt::UniqueFd first(open("/dev/null", O_RDONLY));
  rt::UniqueFd second(open("/dev/null", O_RDONLY));
  RAD_ASSIGN(ExternalMemory external, ExternalMemory::open(context, first, 4096));
  RAD_TRY(external.map(0, 100));
  RAD_ASSIGN(ExternalSemaphore semaphore, ExternalSemaphore::open(context, second, true));
  RAD_TRY(semaphore.signal(stream, 1));
  RAD_TRY(semaphore.wait(stream, 1));

  RAD_ASSIGN(ImageArray image, ImageArray::create(context, 4, 4, CU_AD_FORMAT_FLOAT, 1));
  RAD_TRY(Texture::create(image));
  TensorMapSpec spec;
  spec.address = 1024;
  spec.sizes = {16};
  spec.box = {16};
  RAD_ASSIGN(const TensorMap map, encodeTensorMap(context, spec));
  RAD_TRY(withAddress(context, map, 2048));
  RAD_ASSIGN(GreenContext green, GreenContext::create(context, 8));
  RAD_ASSIGN(Stream part, green.stream());
  RAD_TRY(part.synchronize());
  const ProfilerRange profiled(context);
  return stream.synchronize();
}

Status scenario(const DriverApi& driver) {
  RAD_ASSIGN(const Context context, Context::primary(0, &driver));
  RAD_TRY(contexts(driver, context));
  RAD_TRY(streams(context));
  RAD_TRY(memory(context));
  RAD_TRY(code(context));
  return sharing(context);
}

using Outcome = test::SweepOutcome;

Outcome runWith(const std::string& specification) {
  return test::runSweep("preset=sm_90x2;" + specification, {.run = [](const DriverApi& driver) {
                          Status status = scenario(driver);
                          drainRetired();
                          return status;
                        }});
}

/// Calls whose failure costs nothing but knowledge.
bool mayBeIgnored(const std::string& function) {
  static const std::set<std::string> names = {"cuLogsCurrent", "cuLogsDumpToMemory", "cuDeviceGetAttribute"};
  return names.count(function) != 0;
}

/// Functions that this scenario has no use for: raddle_unit_cuda_sweep has, nobody
/// calls them (the texts are compiled in), or they undo what another call began
/// (GraphRules.AnObjectThatTheGraphDidNotTakeIsReleased).
bool elsewhere(const std::string& function) {
  static const std::set<std::string> names = {"cuGetErrorName", "cuGetErrorString", "cuUserObjectRelease"};
  return names.count(function) != 0;
}

TEST(DriverSweep, TheScenarioItselfIsCleanAndUsesEveryFunction) {
  const Outcome outcome = runWith("");
  ASSERT_TRUE(outcome.finished) << outcome.signal;
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.live, 0) << outcome.left;
  EXPECT_EQ(outcome.depth, 0);
  EXPECT_EQ(outcome.warnings, "");
  EXPECT_EQ(outcome.violations, "");
  for (const auto& [function, count] : outcome.counts) {
    if (!elsewhere(function)) {
      EXPECT_GT(count, 0) << function << " is in the table, and no test fails it";
    }
  }
}

TEST(DriverSweep, EveryCallMayFailWithEveryCode) {
  const Outcome baseline = runWith("");
  ASSERT_TRUE(baseline.finished);
  long runs = 0, functions = 0;
  for (const auto& [function, count] : baseline.counts) {
    functions += count > 0;
    for (long nth = 1; nth <= count; ++nth) {
      // The first ones and the last ones; between them, some.
      if (nth > 4 && nth < count - 2 && nth % 7) continue;
      // Each call by two codes, each function by all of them.
      static constexpr const char* codes[] = {"2", "999", "1", "201", "700!sticky"};
      for (int way = 0; way < (nth == 1 ? 5 : 2); ++way) {
        const char* code = codes[nth == 1 ? way : (nth * 2 + way) % 5];
        const std::string specification = "fail=" + function + "@" + std::to_string(nth) + ":" + code;
        const Outcome outcome = runWith(specification);
        SCOPED_TRACE(specification + "\n  error: " + outcome.error + "\n  warnings: " + outcome.warnings +
                     "\n  left: " + outcome.left);
        ++runs;
        ASSERT_EQ(outcome.signal, 0);
        ASSERT_TRUE(outcome.finished);
        const bool told = !outcome.warnings.empty() || outcome.dead;
        if (function != "cuCtxPopCurrent") {
          EXPECT_EQ(outcome.depth, 0);
        }
        if (!told) {
          EXPECT_EQ(outcome.live, 0) << "something is left, and nobody said";
          EXPECT_EQ(outcome.violations, "");
        }
        const bool named = outcome.call == function || outcome.warnings.find(function + "]") != std::string::npos;
        // A pool that is full gives back and is asked again; past the last
        // parameter, 1 is the answer.
        const bool answer =
            (function.starts_with("cuMemAlloc") && function.ends_with("Async") && std::string_view(code) == "2") ||
            (function.ends_with("GetParamInfo") && std::string_view(code) == "1");
        // A pop that reports a fault has popped all the same; nobody is waiting.
        const bool popped = function == "cuCtxPopCurrent" && std::string_view(code).ends_with("sticky");
        if (!mayBeIgnored(function) && !answer && !popped && !outcome.dead) {
          EXPECT_TRUE(named) << "the failure was lost";
        }
        if (!outcome.error.empty() && outcome.call == function) {
          EXPECT_NE(outcome.error.find(function + "]"), std::string::npos);
          EXPECT_FALSE(outcome.advice.empty()) << "no advice";
        }
      }
    }
  }
  std::printf("%ld runs over %ld functions\n", runs, functions);
}

TEST(DriverSweep, AFunctionThatIsMissingIsNamedWithItsFeature) {
  for (std::size_t i = 0; i < rt::driverFnCount; ++i) {
    const rt::DriverFnInfo& info = rt::driverFnInfo(DriverFn(i));
    const Outcome outcome = runWith(std::string("missing=") + info.name);
    SCOPED_TRACE(std::string(info.name) + "\n  error: " + outcome.error);
    ASSERT_EQ(outcome.signal, 0);
    ASSERT_TRUE(outcome.finished);
    if (outcome.error.empty() && outcome.warnings.empty()) {
      EXPECT_EQ(outcome.live, 0) << outcome.left;
    }
    if (!outcome.error.empty()) {
      EXPECT_NE(outcome.error.find(info.name), std::string::npos);
      EXPECT_NE(outcome.error.find(info.feature), std::string::npos);
      EXPECT_FALSE(outcome.advice.empty());
    }
  }
}

}  // namespace
}  // namespace rad::cuda

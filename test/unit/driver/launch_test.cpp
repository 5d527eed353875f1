// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Images, libraries and modules, launches with every attribute, occupancy.

#include "test/unit/driver/kernels.h"

namespace rad::cuda {
namespace {

using namespace test_kernels;

class Launches : public WithKernels {};
RAD_ON_EACH(Launches);

TEST_P(Launches, ALibraryAndAModuleGiveTheSame) {
  constexpr std::uint32_t n = 1000;
  for (bool module : {false, true}) {
    Kernel saxpy;
    {
      const Image image = Image::ptx(test::saxpyPtx());
      if (module) {
        ASSERT_MADE(Module code, Module::load(context_, image));
        EXPECT_EQ(code.kernelNames().value_or(std::vector<std::string>()), std::vector<std::string>{"saxpy"});
        ASSERT_MADE(saxpy, code.kernel("saxpy"));
        EXPECT_FAILS(code.kernel("saxpi"), "it has 'saxpy'");
        EXPECT_FAILS(code.variable("nix"), "there is no variable 'nix'");
      } else {
        ASSERT_MADE(Library code, Library::load(context_, image));
        EXPECT_EQ(code.kernelNames().value_or(std::vector<std::string>()), std::vector<std::string>{"saxpy"});
        ASSERT_MADE(saxpy, code.kernel("saxpy"));
        EXPECT_FAILS(code.kernel("saxpi"), "it has 'saxpy'");
        EXPECT_FAILS(code.variable("nix"), "there is no variable 'nix'");
      }
    }  // the kernel keeps its code
    ASSERT_TRUE(saxpy.parameters());
    ASSERT_EQ(saxpy.parameters()->size(), 4u);
    EXPECT_EQ((*saxpy.parameters())[1].bytes, 8u);
    EXPECT_EQ((*saxpy.parameters())[3].bytes, 4u);
    EXPECT_GT(saxpy.attributes().maxThreads, 0);
    ASSERT_MADE(Memory x, filled(n, 3.f));
    ASSERT_MADE(Memory y, filled(n, 1.f));
    const LaunchConfig config{.grid = {4}, .block = {256}};
    ASSERT_OK(launch(stream_, saxpy, config, 2.f, x.address(), y.address(), n));
    ASSERT_OK(launch(stream_, saxpy, config, 2.f, x.address(), y.address(), n));
    for (float value : contentOf<float>(y)) ASSERT_EQ(value, 13.f);
  }
}

TEST_P(Launches, ArgumentsAreCheckedInNumberAndSize) {
  ASSERT_MADE(Kernel saxpy, kernel(test::saxpyPtx(), "saxpy"));
  const CUdeviceptr p = 0;
  EXPECT_FAILS(launch(stream_, saxpy, {}, 2.f, p, p), "'saxpy' takes 4 arguments, and was given 3");
  EXPECT_FAILS(launch(stream_, saxpy, {}, 2., p, p, 0u), "argument 1 of 'saxpy' takes 4 bytes, and was given 8");
  EXPECT_OK(launch(stream_, saxpy, {}, 2.f, p, p, 0u));
  EXPECT_OK(stream_.synchronize());
}

TEST_P(Launches, WhatTheDeviceCannotLaunchIsRefusedWithTheNumbers) {
  ASSERT_MADE(Kernel saxpy, kernel(test::saxpyPtx(), "saxpy"));
  const CUdeviceptr p = 0;
  const auto with = [&](const LaunchConfig& config) { return launch(stream_, saxpy, config, 2.f, p, p, 0u); };
  EXPECT_FAILS(with({.grid = {0}}), "its grid of 0 x 1 x 1 is empty");
  EXPECT_FAILS(with({.block = {1, 0}}), "have no threads");
  EXPECT_FAILS(with({.grid = {1, 70000}}), "70000 blocks on axis 1");
  EXPECT_FAILS(with({.block = {1, 1, 65}}), "65 threads on axis 2");
  EXPECT_FAILS(with({.block = {32, 64}}), "blocks of 2048 threads");
  const auto most = unsigned(saxpy.limits().sharedBytesOptIn - saxpy.attributes().staticSharedBytes);
  EXPECT_OK(with({.sharedBytes = most}));
  EXPECT_FAILS(with({.sharedBytes = most + 1}), "bytes of dynamic shared memory: cuda:0 has");
  EXPECT_OK(stream_.synchronize());
}

TEST_P(Launches, VariablesOfTheDeviceCanBeRead) {
  ASSERT_MADE(Library library, Library::load(context_, Image::ptx(countPtx())));
  ASSERT_MADE(Kernel count, library.kernel("count"));
  ASSERT_MADE(Kernel nothing, library.kernel("nothing"));
  ASSERT_MADE(Variable total, library.variable("total"));
  EXPECT_GE(total.bytes, 4u);
  ASSERT_MADE(Memory out, filled(1, std::uint32_t(0)));
  ASSERT_OK(launch(stream_, count, {.grid = {10}}, out.address(), 3u));
  ASSERT_OK(launch(stream_, nothing, {}));
  EXPECT_EQ(contentOf<std::uint32_t>(out)[0], 30u);
  if (onGpu()) {
    std::uint32_t value = 0;
    ASSERT_OK(copyToHost(stream_, std::as_writable_bytes(std::span(&value, 1)), total.address));
    ASSERT_OK(stream_.synchronize());
    EXPECT_EQ(value, 10u);
  }
}

TEST_P(Launches, BadCodeFailsAtLoadWithTheCompilersWords) {
  std::string bad = test::saxpyPtx();
  bad.insert(bad.find("bar.sync"), onGpu() ? "nonsense.op %r1;\n" : "// FAKE_BAD_PTX\n");
  for (bool module : {false, true}) {
    Status failed;
    if (module) {
      if (auto code = Module::load(context_, Image::ptx(bad)); !code) failed = fail(code.error());
    } else if (auto code = Library::load(context_, Image::ptx(bad)); !code) {
      failed = fail(code.error());
    }
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, CUDA_ERROR_INVALID_PTX);
    EXPECT_EQ(failed.error().category, ErrorCategory::Image);
    EXPECT_NE(failed.error().log.find("line"), std::string::npos) << failed.error().log;
  }
  EXPECT_FAILS(Library::load(context_, Image::binary(std::vector<std::byte>(100, std::byte('x')))), "200");
  EXPECT_FAILS(Library::load(context_, Image::ptx(test::saxpyPtx("sm_80", "9.9"))), "222");
}

TEST_P(Launches, OptionsOfTheDriversCompiler) {
  JitOptions options;
  options.verbose = true;
  options.lineInfo = true;
  options.optimizationLevel = 3;
  options.maxRegisters = 32;
  options.cacheMode = CU_JIT_CACHE_OPTION_CA;
  JitReport report;
  ASSERT_MADE(Library library, Library::load(context_, Image::ptx(countPtx()), options, &report));
  EXPECT_NE(report.info.find("ptxas info"), std::string::npos) << report.info;
  EXPECT_EQ(report.errors, "");
  EXPECT_GE(report.milliseconds, 0.f);
  options.optimizationLevel = 5;
  EXPECT_FAILS(Library::load(context_, Image::ptx(countPtx()), options), "optimization levels 0 to 4");
  options.optimizationLevel = 4;
  options.target = CU_TARGET_COMPUTE_90;
  options.threadsPerBlock = 32;
  EXPECT_FAILS(Module::load(context_, Image::ptx(countPtx()), options), "exclude each other");
}

TEST_P(Launches, TheDriversLinkerJoinsUnits) {
  const std::string caller = test::callerPtx(), helper = test::helperPtx();
  const LinkUnit units[] = {
      {CU_JIT_INPUT_PTX, "caller.ptx", std::as_bytes(std::span(caller.c_str(), caller.size() + 1))},
      {CU_JIT_INPUT_PTX, "helper.ptx", std::as_bytes(std::span(helper.c_str(), helper.size() + 1))}};
  ASSERT_MADE(const auto cubin, linkWithDriver(context_, units));
  ASSERT_MADE(Library library, Library::load(context_, Image::binary(cubin)));
  ASSERT_MADE(Kernel linked, library.kernel("caller"));
  ASSERT_MADE(Memory out, filled(1, std::uint32_t(0)));
  ASSERT_OK(launch(stream_, linked, {}, out.address(), 1u));
  const auto value = contentOf<std::uint32_t>(out)[0];
  if (onGpu()) {
    EXPECT_EQ(value, 42u);
  }
  EXPECT_FAILS(linkWithDriver(context_, {}), "nothing to link");
  const LinkUnit lto[] = {{CU_JIT_INPUT_NVVM, "x.ltoir", units[0].bytes}};
  EXPECT_FAILS(linkWithDriver(context_, lto), "does not read today's LTO-IR");
}

TEST_P(Launches, OccupancyIsAnswered) {
  ASSERT_MADE(Kernel saxpy, kernel(test::saxpyPtx(), "saxpy"));
  ASSERT_MADE(const int resident, residentBlocks(saxpy, 256));
  EXPECT_GT(resident, 0);
  ASSERT_MADE(const SuggestedBlock best, suggestBlock(saxpy));
  EXPECT_GT(best.threads, 0);
  EXPECT_LE(best.threads, 1024);
  EXPECT_GE(best.blocks, saxpy.limits().multiprocessors);
  int asked = 0;
  ASSERT_MADE(const SuggestedBlock small, suggestBlock(
                                              saxpy,
                                              [&](int threads) {
                                                ++asked;
                                                return std::size_t(threads) * 16;
                                              },
                                              128));
  EXPECT_LE(small.threads, 128);
  EXPECT_GT(asked, 0);
  ASSERT_MADE(const std::size_t left, availableDynamicShared(saxpy, 2, 256));
  EXPECT_GT(left, 1024u);
  if (hasClusters()) {
    const LaunchConfig config{.grid = {64}, .block = {128}, .cluster = {{4}}};
    EXPECT_GT(activeClusters(saxpy, config).value_or(0), 0);
    EXPECT_GE(largestCluster(saxpy, config).value_or(0), 8);
  }
}

TEST_P(Launches, CooperativeGridsRunAtOnceOrAreRefusedWithTheNumbers) {
  ASSERT_MADE(Kernel meet, kernel(meetPtx(), "meet"));
  ASSERT_MADE(const std::uint64_t limit, cooperativeLimit(meet, 64));
  ASSERT_MADE(Memory counter, filled(1, std::uint32_t(0)));
  ASSERT_MADE(Memory out, filled(std::size_t(limit), std::uint32_t(0)));
  LaunchConfig config{.grid = {unsigned(limit)}, .block = {64}, .cooperative = true};
  ASSERT_OK(launch(stream_, meet, config, counter.address(), out.address()));
  for (std::uint32_t value : contentOf<std::uint32_t>(out)) ASSERT_EQ(value, 1u);
  ++config.grid.x;
  EXPECT_FAILS(launch(stream_, meet, config, counter.address(), out.address()),
               std::to_string(limit) + " fit on cuda:0");
}

TEST_P(Launches, ClustersRunTogether) {
  if (!hasClusters()) GTEST_SKIP() << "no clusters";
  ASSERT_MADE(Kernel ranks, kernel(clusterPtx(), "ranks"));
  ASSERT_MADE(Memory out, filled(32, std::uint32_t(0)));
  LaunchConfig config{.grid = {32}, .block = {32}, .cluster = {{4}}};
  ASSERT_OK(launch(stream_, ranks, config, out.address()));
  const auto values = contentOf<std::uint32_t>(out);
  for (std::uint32_t i = 0; onGpu() && i < 32; ++i) ASSERT_EQ(values[i], 4 * 16 + i % 4);
  config.cluster = Dim3{3};
  EXPECT_FAILS(launch(stream_, ranks, config, out.address()),
               "a grid of 32 x 1 x 1 blocks is not a whole number of clusters");
  config.cluster = Dim3{16};
  EXPECT_FAILS(launch(stream_, ranks, config, out.address()), "at most 8 are possible");
  ASSERT_OK(ranks.allowLargeClusters());
  // Sixteen may still be more than the device can place.
  if (largestCluster(ranks, config).value_or(0) >= 16) {
    EXPECT_OK(launch(stream_, ranks, config, out.address()));
  }
  EXPECT_OK(stream_.synchronize());
}

TEST_P(Launches, KernelsMayBeginEarlyAndHavePriorities) {
  if (!hasClusters()) GTEST_SKIP() << "needs 9.0";
  ASSERT_MADE(Kernel behind, kernel(behindPtx(), "behind"));
  ASSERT_MADE(Memory out, filled(1, std::uint32_t(0)));
  ASSERT_MADE(Event begun, Event::create(context_));
  ASSERT_MADE(const PriorityRange range, context_.priorities());
  LaunchConfig config;
  config.priority = range.greatest;
  config.sharedCarveout = 50;
  config.whenBegun = begun.raw();
  ASSERT_OK(launch(stream_, behind, config, out.address()));
  const LaunchConfig overlapping{.overlapPrevious = true};
  for (int i = 0; i < 5; ++i) ASSERT_OK(launch(stream_, behind, overlapping, out.address()));
  EXPECT_EQ(contentOf<std::uint32_t>(out)[0], 63u);
  EXPECT_OK(begun.synchronize());
  ASSERT_OK(behind.setSharedCarveout(25));
  EXPECT_FAILS(behind.setSharedCarveout(101), "0 to 100 percent");
}

TEST_P(Launches, ALaunchThatFailsLateNamesTheKernelsOfTheStream) {
  ASSERT_MADE(Kernel count, kernel(countPtx(), "count"));
  ASSERT_MADE(Memory out, filled(1, std::uint32_t(0)));
  ASSERT_OK(launch(stream_, count, {}, out.address(), 1u));
  EXPECT_NE(context_.history().describe().find("count (launch "), std::string::npos);
  ASSERT_OK(stream_.synchronize());
  EXPECT_EQ(context_.history().describe().find("count"), std::string::npos);
  // What is captured is not under way.
  ASSERT_MADE(const Graph graph, capture(stream_, [&] { return launch(stream_, count, {}, out.address(), 1u); }));
  EXPECT_EQ(context_.history().describe().find("count"), std::string::npos);
}

TEST_P(Launches, APreparedLaunchKeepsItsArgumentsAndItsObjects) {
  ASSERT_MADE(Memory out, filled(1, std::uint32_t(0)));
  PreparedLaunch prepared;
  {
    ASSERT_MADE(Kernel count, kernel(countPtx(), "count"));
    std::uint32_t by = 3;
    ASSERT_MADE(prepared, PreparedLaunch::make(stream_, count, {.grid = {10}}, out.address(), by));
    by = 1000;  // the launch has its own
    EXPECT_FAILS(PreparedLaunch::make(stream_, count, {}, out.address()), "'count' takes 2 arguments, and was given 1");
    EXPECT_FAILS(PreparedLaunch::make(stream_, count, {.grid = {0}}, out.address(), by),
                 "its grid of 0 x 1 x 1 is empty");
    EXPECT_FAILS(PreparedLaunch::make(Stream(), count, {}, out.address(), by), "empty stream");
  }
  ASSERT_OK(prepared.launch());
  ASSERT_OK(prepared.launch());
  ASSERT_OK(prepared.set(1, std::uint32_t(5)));
  ASSERT_OK(prepared.launch());
  EXPECT_FAILS(prepared.set(1, std::uint64_t(5)), "argument 2 of 'count' takes 4 bytes, and was given 8");
  EXPECT_FAILS(prepared.set(2, 5), "'count' has 2 arguments");
  EXPECT_EQ(contentOf<std::uint32_t>(out)[0], 110u);
  const PreparedLaunch moved = std::move(prepared);
  EXPECT_FAILS(prepared.launch(), "an empty launch was made");
  EXPECT_OK(moved.launch());
  EXPECT_EQ(contentOf<std::uint32_t>(out)[0], 160u);
}

TEST_P(Launches, APreparedLaunchCanBeCaptured) {
  ASSERT_MADE(Kernel count, kernel(countPtx(), "count"));
  ASSERT_MADE(Memory out, filled(1, std::uint32_t(0)));
  ASSERT_MADE(PreparedLaunch prepared, PreparedLaunch::make(stream_, count, {}, out.address(), 1u));
  count = Kernel();
  ASSERT_MADE(const Graph graph, capture(stream_, [&]() -> Status {
                for (int i = 0; i < 10; ++i) RAD_TRY(prepared.launch());
                return {};
              }));
  prepared = PreparedLaunch();  // the graph keeps the kernel
  ASSERT_MADE(const GraphExec exec, graph.instantiate());
  ASSERT_OK(exec.launch(stream_));
  ASSERT_OK(exec.launch(stream_));
  EXPECT_EQ(contentOf<std::uint32_t>(out)[0], 20u);
}

TEST_P(Launches, AKernelOfOtherCodeIsBorrowed) {
  ASSERT_MADE(Memory out, filled(1, std::uint32_t(0)));
  Kernel borrowed;
  {
    ASSERT_MADE(Kernel count, kernel(countPtx(), "count"));
    ASSERT_MADE(borrowed, Kernel::borrow(context_, count.libraryKernel(), count.keepAlive()));
  }
  EXPECT_EQ(borrowed.name(), "count");
  ASSERT_TRUE(borrowed.parameters());
  EXPECT_EQ(borrowed.parameters()->size(), 2u);
  ASSERT_OK(launch(stream_, borrowed, {}, out.address(), 4u));
  EXPECT_EQ(contentOf<std::uint32_t>(out)[0], 4u);
  EXPECT_FAILS(Kernel::borrow(context_, nullptr), "that is null");
}

/// A handle that could be used after its release would crash in the driver: each
/// has one owner, what is made from it keeps it, and nothing gives it away.
template <class Owner>
constexpr bool isOneOwner() {
  return !std::is_copy_constructible_v<Owner> && !std::is_copy_assignable_v<Owner> &&
         std::is_nothrow_move_constructible_v<Owner> && std::is_nothrow_destructible_v<Owner>;
}
static_assert(isOneOwner<Stream>() && isOneOwner<Event>() && isOneOwner<Library>() && isOneOwner<Module>() &&
              isOneOwner<Graph>() && isOneOwner<GraphExec>() && isOneOwner<Pool>() && isOneOwner<Memory>() &&
              isOneOwner<PinnedMemory>() && isOneOwner<PreparedLaunch>());

TEST_P(Launches, WhatWasMovedFromIsRefusedAndNeverReachesTheDriver) {
  ASSERT_MADE(Event event, Event::create(context_));
  ASSERT_MADE(Memory memory, filled(1, 0u));
  Stream to = std::move(stream_);
  Event other = std::move(event);
  const Memory moved = std::move(memory);
  EXPECT_FAILS(stream_.synchronize(), "an object was used that is empty");
  EXPECT_FAILS(stream_.record(other), "empty");
  EXPECT_FAILS(event.synchronize(), "empty");
  EXPECT_EQ(memory.address(), 0u);
  EXPECT_FAILS(Memory::allocate(stream_, 4), "empty");
  EXPECT_FAILS(fill(stream_, moved.address(), 1u, 1), "empty");
  EXPECT_OK(to.record(other));
  EXPECT_OK(to.synchronize());
  stream_ = std::move(to);
}

TEST_P(Launches, AKernelRunsInItsStreamWhateverIsCurrent) {
  ASSERT_MADE(Kernel count, kernel(countPtx(), "count"));
  ASSERT_MADE(Memory out, filled(1, std::uint32_t(0)));
  ASSERT_MADE(const Context other, Context::create(context_.device()));
  {
    const ContextGuard guard(other.driver(), other.raw());
    ASSERT_OK(guard.status());
    ASSERT_OK(launch(stream_, count, {}, out.address(), 1u));
    CUcontext now = nullptr;
    ASSERT_OK(other.driver().call<DriverFn::CtxGetCurrent>(&now));
    EXPECT_EQ(now, other.raw());
  }
  ASSERT_OK(launch(stream_, count, {}, out.address(), 2u));  // nothing is
  EXPECT_EQ(contentOf<std::uint32_t>(out)[0], 3u);
}

// ---- rules that only the fake can show ----

using LaunchRules = OnFake;

TEST_F(LaunchRules, OlderDevicesRefuseWhatTheyDoNotHaveBeforeTheDriverIsAsked) {
  start("preset=sm_80");
  teachFake();
  ASSERT_MADE(Stream stream, Stream::create(context_));
  ASSERT_MADE(Library library, Library::load(context_, Image::ptx(countPtx())));
  ASSERT_MADE(Kernel count, library.kernel("count"));
  ASSERT_MADE(Memory out, Memory::allocate(context_, 4));
  const LaunchConfig cluster{.grid = {4}, .cluster = {{2}}};
  EXPECT_FAILS(launch(stream, count, cluster, out.address(), 1u),
               "clusters need compute capability 9.0, and cuda:0 has 8.0");
  const LaunchConfig early{.overlapPrevious = true};
  EXPECT_FAILS(launch(stream, count, early, out.address(), 1u), "needs compute capability 9.0");
  EXPECT_EQ(fake().count("cuLaunchKernelEx"), 0);
}

TEST_F(LaunchRules, WithWaitsAFaultNamesItsLaunchAndNoOther) {
  for (bool waits : {false, true}) {
    start("fault=nothing:700");
    teachFake();
    ASSERT_MADE(Stream stream, Stream::create(context_));
    ASSERT_MADE(Library library, Library::load(context_, Image::ptx(countPtx())));
    ASSERT_MADE(Kernel count, library.kernel("count"));
    ASSERT_MADE(Kernel nothing, library.kernel("nothing"));
    ASSERT_MADE(Memory out, Memory::allocate(context_, 4));
    context_.setWaitAfterLaunch(waits);
    ASSERT_OK(launch(stream, count, {}, out.address(), 1u));
    Status launched = launch(stream, nothing, {});
    if (waits) {
      ASSERT_FALSE(launched);
      EXPECT_FAILS(launched, "; the kernel was nothing (launch 2)");
    } else {
      ASSERT_OK(launched);
      ASSERT_OK(launch(stream, count, {}, out.address(), 1u));
      EXPECT_FAILS(stream.synchronize(),
                   "; kernels since the last wait: count (launch 1), nothing "
                   "(launch 2), count (launch 3)");
    }
    checked_ = false;  // nothing is freed after a fault
  }
}

TEST_F(LaunchRules, WhatIsPreparedLoadsAndSetsNothingInACapture) {
  teachFake();
  ASSERT_MADE(Stream stream, Stream::create(context_));
  ASSERT_MADE(Library library, Library::load(context_, Image::ptx(countPtx())));
  ASSERT_MADE(Kernel count, library.kernel("count"));
  ASSERT_MADE(Memory out, Memory::allocate(context_, 4));
  // More shared memory than kernels may have unasked, too.
  ASSERT_MADE(PreparedLaunch prepared,
              PreparedLaunch::make(stream, count, {.sharedBytes = 100u << 10}, out.address(), 1u));
  const long settings = fake().count("cuKernelSetAttribute");
  EXPECT_EQ(settings, 1);
  const auto made = [&] {  // calls that load code, allocate or ask about the kernel
    long calls = 0;
    for (const char* name : {"cuLibraryLoadData", "cuLibraryGetKernel", "cuKernelGetFunction", "cuKernelGetParamInfo",
                             "cuFuncGetAttribute", "cuKernelGetAttribute", "cuMemAlloc", "cuMemAllocAsync"})
      calls += fake().count(name);
    return calls;
  };
  const long before = made();
  ASSERT_MADE(const Graph graph, capture(stream, [&]() -> Status {
                for (int i = 0; i < 10; ++i) RAD_TRY(prepared.launch());
                return {};
              }));
  EXPECT_EQ(made(), before);
  EXPECT_EQ(fake().count("cuLaunchKernelEx"), 10);
  EXPECT_EQ(fake().count("cuKernelSetAttribute"), settings);
  EXPECT_EQ(graph.nodes().value_or(std::vector<Node>()).size(), 10u);
}

TEST_F(LaunchRules, TheArraysOfTheCompilerHoldNumbersAndAddresses) {
  JitOptions options;
  options.maxRegisters = 40;
  options.splitCompile = 0;
  options.overrideDirectives = true;
  int host = 0;
  options.symbols = {{"open", &host}};
  JitArguments jit(options);
  std::map<CUjit_option, void*> seen;
  for (unsigned i = 0; i < jit.count(); ++i) seen[jit.options()[i]] = jit.values()[i];
  const auto number = [](std::uintptr_t n) { return reinterpret_cast<void*>(n); };
  EXPECT_EQ(seen.at(CU_JIT_MAX_REGISTERS), number(40));
  EXPECT_EQ(seen.at(CU_JIT_SPLIT_COMPILE), number(0));
  EXPECT_EQ(seen.at(CU_JIT_OVERRIDE_DIRECTIVE_VALUES), number(1));
  EXPECT_EQ(seen.at(CU_JIT_GLOBAL_SYMBOL_COUNT), number(1));
  EXPECT_STREQ(static_cast<const char**>(seen.at(CU_JIT_GLOBAL_SYMBOL_NAMES))[0], "open");
  EXPECT_EQ(static_cast<void**>(seen.at(CU_JIT_GLOBAL_SYMBOL_ADDRESSES))[0], &host);
  EXPECT_EQ(seen.at(CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES), number(16 << 10));
  EXPECT_FALSE(seen.count(CU_JIT_TARGET));
}

TEST_F(LaunchRules, ALinkerThatFailsIsDestroyedOnce) {
  for (const char* where : {"cuLinkCreate", "cuLinkAddData", "cuLinkComplete"}) {
    start(std::string("fail=") + where + "@1:218");
    const std::string ptx = test::helperPtx();
    const LinkUnit units[] = {{CU_JIT_INPUT_PTX, "helper.ptx", std::as_bytes(std::span(ptx.c_str(), ptx.size() + 1))}};
    EXPECT_FAILS(linkWithDriver(context_, units), where);
    EXPECT_EQ(fake().live("link"), 0);
  }
}

}  // namespace
}  // namespace rad::cuda

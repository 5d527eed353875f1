// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/host/host_device.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <set>
#include <thread>

using namespace rad;
using namespace rad::rt;

namespace {

std::shared_ptr<HostDevice> device(unsigned threads = 3) {
  auto made = HostDevice::create(threads);
  EXPECT_TRUE(made.has_value());
  return *made;
}

std::span<const std::byte> bytes(const void* data, size_t size) { return {static_cast<const std::byte*>(data), size}; }

// ---- the pool ----

TEST(ThreadPool, everyItemOnceAndNoWorkerTwiceAtOnce) {
  ThreadPool pool(4);
  for (int round = 0; round < 200; ++round) {
    int items = round % 37 * (round % 3 == 0 ? 11 : 1);
    std::vector<std::atomic<int>> seen(items + 1);
    std::array<std::atomic<int>, 4> inside = {};
    pool.run(items, [&](int64_t begin, int64_t end, unsigned worker) {
      EXPECT_EQ(inside[worker].fetch_add(1), 0);
      EXPECT_LT(begin, end);
      if (round % 5 == 0) std::this_thread::sleep_for(std::chrono::microseconds(30));  // long enough to wake the others
      for (int64_t item = begin; item < end; ++item) ++seen[item];
      --inside[worker];
    });
    for (int i = 0; i < items; ++i) EXPECT_EQ(seen[i], 1) << items;
    EXPECT_EQ(seen[items], 0);
  }
}

TEST(ThreadPool, aWorkerKeepsItsShareAndHelpsWithOthers) {
  ThreadPool pool(2);
  std::array<int, 100> worker = {};
  auto work = [&](std::chrono::microseconds second) {
    pool.run(100, [&, second](int64_t begin, int64_t end, unsigned who) {
      for (int64_t item = begin; item < end; ++item) {
        worker[item] = static_cast<int>(who);
        std::this_thread::sleep_for(item < 50 ? std::chrono::microseconds(200) : second);
      }
    });
  };
  work(std::chrono::microseconds(200));
  EXPECT_EQ(worker[1], 0);
  EXPECT_EQ(worker[51], 1);
  // The second half takes no time: whoever does it helps with the first.
  work(std::chrono::microseconds(0));
  EXPECT_EQ(worker[1], 0);
  EXPECT_GT(std::count(worker.begin(), worker.begin() + 50, 1), 5);
}

TEST(ThreadPool, shortLoopsStayOnTheCaller) {
  ThreadPool pool(4);
  std::set<std::thread::id> threads;
  pool.run(3, [&](int64_t, int64_t, unsigned) { threads.insert(std::this_thread::get_id()); });
  EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
}

TEST(ThreadPool, longLoopsUseSeveralThreads) {
  ThreadPool pool(2);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  pool.run(16, [&](int64_t, int64_t, unsigned) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(threads.size(), 2u);
}

// ---- buffers ----

TEST(HostDevice, buffersAreAlignedAndCountTheirBytes) {
  auto host = device();
  for (uint64_t size : {uint64_t{0}, uint64_t{1}, uint64_t{63}, uint64_t{64}, uint64_t{1000}, uint64_t{9} << 20}) {
    auto buffer = host->allocate(size);
    ASSERT_TRUE(buffer.has_value());
    EXPECT_EQ((*buffer)->size(), size);
    EXPECT_NE((*buffer)->address(), 0u);
    EXPECT_EQ((*buffer)->address() % 64, 0u);
  }
}

TEST(HostDevice, refusesWhatNoMachineHas) {
  auto host = device();
  for (uint64_t size : {uint64_t{1} << 50, UINT64_MAX}) {
    auto buffer = host->allocate(size);
    ASSERT_FALSE(buffer.has_value());
    EXPECT_EQ(buffer.error().category, ErrorCategory::Resources);
    EXPECT_NE(buffer.error().message.find(std::to_string(size)), std::string::npos) << buffer.error().message;
    EXPECT_NE(buffer.error().message.find("GiB"), std::string::npos) << buffer.error().message;
    EXPECT_FALSE(buffer.error().advice.empty());
  }
  EXPECT_TRUE(host->allocate(100).has_value());
}

TEST(HostDevice, buffersOutliveTheDevice) {
  auto host = device();
  auto buffer = *host->allocate(100);
  host.reset();
  std::memset(reinterpret_cast<void*>(buffer->address()), 1, 100);
}

TEST(HostDevice, copies) {
  auto host = device();
  auto a = *host->allocate(16), b = *host->allocate(16);
  int32_t in[4] = {1, 2, 3, 4}, out[4] = {};
  ASSERT_TRUE(host->copyIn(*a, 0, bytes(in, 16)));
  ASSERT_TRUE(host->copyWithin(*b, 4, *a, 0, 12));
  ASSERT_TRUE(host->copyWithin(*b, 0, *a, 12, 4));
  ASSERT_TRUE(host->copyOut(std::as_writable_bytes(std::span(out)), *b, 0));
  EXPECT_EQ(std::vector(out, out + 4), (std::vector{4, 1, 2, 3}));
  // Overlapping parts of one buffer.
  ASSERT_TRUE(host->copyWithin(*a, 4, *a, 0, 12));
  ASSERT_TRUE(host->copyOut(std::as_writable_bytes(std::span(out)), *a, 0));
  EXPECT_EQ(std::vector(out, out + 4), (std::vector{1, 1, 2, 3}));
  // Outside.
  EXPECT_FALSE(host->copyIn(*a, 4, bytes(in, 16)));
  EXPECT_FALSE(host->copyOut(std::as_writable_bytes(std::span(out)), *a, UINT64_MAX));
  EXPECT_FALSE(host->copyWithin(*a, 0, *b, 17, 0));
  EXPECT_TRUE(host->copyWithin(*a, 16, *b, 16, 0));
}

TEST(HostDevice, fillsWithEveryWidth) {
  auto host = device();
  for (size_t width : {1, 2, 4, 8}) {
    auto buffer = *host->allocate(88);
    std::array<std::byte, 8> pattern;
    for (size_t i = 0; i < 8; ++i) pattern[i] = std::byte(i + 1);
    ASSERT_TRUE(host->fill(*buffer, 0, 88, bytes("\0", 1)));
    ASSERT_TRUE(host->fill(*buffer, 8, 72, std::span(pattern).first(width)));
    auto* data = reinterpret_cast<const unsigned char*>(buffer->address());
    for (size_t i = 0; i < 88; ++i) EXPECT_EQ(data[i], i < 8 || i >= 80 ? 0 : i % width + 1) << i;
  }
  auto buffer = *host->allocate(8);
  EXPECT_FALSE(host->fill(*buffer, 0, 8, bytes("abc", 3)));
  EXPECT_FALSE(host->fill(*buffer, 0, 7, bytes("abcd", 4)));
  EXPECT_FALSE(host->fill(*buffer, 4, 8, bytes("a", 1)));
}

// ---- launches ----

void addOne(const void* const* arguments, int64_t begin, int64_t end, int64_t, void*) {
  auto* data = *static_cast<int32_t* const*>(arguments[0]);
  for (int64_t i = begin; i < end; ++i) ++data[i];
}

void sumChunk(const void* const* arguments, int64_t begin, int64_t end, int64_t chunk, void*) {
  auto* partials = *static_cast<int64_t* const*>(arguments[0]);
  partials[chunk] = 0;
  for (int64_t i = begin; i < end; ++i) partials[chunk] += i;
}

void useScratch(const void* const* arguments, int64_t begin, int64_t end, int64_t, void* scratch) {
  auto* bad = *static_cast<std::atomic<int>* const*>(arguments[0]);
  if (reinterpret_cast<uintptr_t>(scratch) % 64 != 0) ++*bad;
  for (int64_t i = begin; i < end; ++i) {
    std::memset(scratch, static_cast<int>(i), 5000);
    std::this_thread::yield();
    for (int k = 0; k < 5000; ++k) *bad += static_cast<unsigned char*>(scratch)[k] != static_cast<unsigned char>(i);
  }
}

void failAt(const void* const* arguments, int64_t begin, int64_t end, int64_t, void*) {
  auto* state = *static_cast<cg::FailureState* const*>(arguments[0]);
  auto bad = *static_cast<const int64_t*>(arguments[1]);
  if (bad < begin || bad >= end) return;
  if (__atomic_exchange_n(&state->claimed, 1u, __ATOMIC_ACQ_REL) != 0) return;
  state->record->site = 7;
  state->record->value = bad;
  __atomic_store_n(&state->record->flag, 1u, __ATOMIC_RELEASE);
}

Result<void> launch(HostDevice& host, cg::NativeKernel function, int64_t outer, int64_t chunks,
                    std::initializer_list<const void*> arguments, uint64_t scratch = 0, int64_t grain = 1) {
  auto kernel = HostDevice::wrap(function, {}, scratch);
  LaunchRequest request;
  request.outerCount = outer;
  request.chunkCount = chunks;
  request.grain = grain;
  request.arguments = {arguments.begin(), arguments.size()};
  request.name = "test";
  return host.launch(*kernel, request);
}

TEST(HostDevice, runsEveryRowOnce) {
  auto host = device(4);
  for (int64_t outer : {0, 1, 2, 7, 1000, 100000}) {
    for (int64_t chunks : {0, 1, 3, 64}) {
      std::vector<int32_t> data(outer + 1);
      auto* address = data.data();
      ASSERT_TRUE(launch(*host, addOne, outer, chunks, {&address}));
      EXPECT_EQ(std::count(data.begin(), data.end(), 1), outer);
      EXPECT_EQ(data.back(), 0);
    }
    for (int64_t grain : {1, 3, 256}) {
      std::vector<int32_t> data(outer + 1);
      auto* address = data.data();
      ASSERT_TRUE(launch(*host, addOne, outer, 0, {&address}, 0, grain));
      EXPECT_EQ(std::count(data.begin(), data.end(), 1), outer);
      EXPECT_EQ(data.back(), 0);
    }
  }
}

TEST(HostDevice, fillsLargeArraysWhole) {
  auto host = device(3);
  for (uint64_t size : {uint64_t{1}, uint64_t{65536}, (uint64_t{5} << 20) + 7}) {
    auto buffer = host->allocate(size + 1);
    ASSERT_TRUE(buffer.has_value());
    std::byte mark{9}, value{3};
    ASSERT_TRUE(host->fill(**buffer, size, 1, {&mark, 1}));
    ASSERT_TRUE(host->fill(**buffer, 0, size, {&value, 1}));
    std::vector<std::byte> read(size + 1);
    ASSERT_TRUE(host->copyOut(read, **buffer, 0));
    EXPECT_EQ(std::count(read.begin(), read.end() - 1, value), static_cast<int64_t>(size));
    EXPECT_EQ(read.back(), mark);
  }
}

TEST(HostDevice, givesEachChunkItsNumberAlsoWhenEmpty) {
  auto host = device(3);
  for (int64_t outer : {0, 5, 1001}) {
    std::vector<int64_t> partials(8, -1);
    auto* address = partials.data();
    ASSERT_TRUE(launch(*host, sumChunk, outer, 8, {&address}));
    int64_t sum = 0;
    for (int64_t partial : partials) sum += partial;
    EXPECT_EQ(sum, outer * (outer - 1) / 2);
  }
}

TEST(HostDevice, scratchIsPrivateToAThread) {
  auto host = device(4);
  std::atomic<int> bad = 0;
  auto* address = &bad;
  ASSERT_TRUE(launch(*host, useScratch, 300, 100, {&address}, 5000));
  EXPECT_EQ(bad, 0);
}

TEST(HostDevice, firstFailureStaysUntilTaken) {
  auto host = device(2);
  uint64_t state = host->failureState();
  EXPECT_FALSE(host->takeFailure().has_value());
  for (int64_t bad : {5, 6}) ASSERT_TRUE(launch(*host, failAt, 10, 2, {&state, &bad}));
  ASSERT_TRUE(host->synchronize());
  auto failure = host->takeFailure();
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->record.site, 7u);
  EXPECT_EQ(failure->record.value, 5);
  EXPECT_FALSE(host->takeFailure().has_value());
  int64_t again = 3;
  ASSERT_TRUE(launch(*host, failAt, 10, 2, {&state, &again}));
  EXPECT_EQ(host->takeFailure()->record.value, 3);
}

TEST(HostDevice, launchesOfSeveralThreadsTakeTurns) {
  auto host = device(3);
  std::vector<int32_t> data(50000);
  auto* address = data.data();
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 4; ++i)
      callers.emplace_back([&] {
        for (int k = 0; k < 10; ++k) EXPECT_TRUE(launch(*host, addOne, std::ssize(data), 16, {&address}));
      });
  }
  EXPECT_EQ(std::count(data.begin(), data.end(), 40), std::ssize(data));
}

TEST(HostDevice, refusesDeviceCode) {
  auto host = device();
  cg::DeviceCode code;
  code.target = "sm_90";
  auto kernel = host->load(code, "saxpy");
  ASSERT_FALSE(kernel.has_value());
  EXPECT_EQ(kernel.error().category, ErrorCategory::Image);
  EXPECT_NE(kernel.error().message.find("saxpy"), std::string::npos);
  EXPECT_NE(kernel.error().message.find("sm_90"), std::string::npos);
}

TEST(HostDevice, threadsComeFromTheEnvironment) {
  setenv("RADDLE_THREADS", "3", 1);
  EXPECT_EQ((*HostDevice::create())->threads(), 3u);
  for (const char* bad : {"0", "-1", "many", "3x", "100000"}) {
    setenv("RADDLE_THREADS", bad, 1);
    auto host = HostDevice::create();
    ASSERT_FALSE(host.has_value()) << bad;
    EXPECT_EQ(host.error().category, ErrorCategory::System);
    EXPECT_NE(host.error().message.find(bad), std::string::npos);
  }
  unsetenv("RADDLE_THREADS");
  EXPECT_EQ((*HostDevice::create())->threads(), hardwareThreads());
}

TEST(HostDevice, describesItself) {
  auto host = device(5);
  EXPECT_EQ(host->info().id, "host");
  EXPECT_EQ(host->info().kind, DeviceKind::Host);
  EXPECT_EQ(host->info().multiprocessors, 5);
  EXPECT_TRUE(host->info().name.starts_with("5 threads of ")) << host->info().name;
  EXPECT_GT(host->info().memoryBytes, 0u);
}

}  // namespace

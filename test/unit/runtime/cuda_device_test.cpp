// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CUDA device on the fake driver: what it asks of the driver, and what it
// does when that fails. Nothing here says that a kernel computes right values.
#if RADDLE_HAVE_CUDA

#include "runtime/cuda/cuda_device.h"
#include "runtime/base/warning_sink.h"
#include "runtime/toolkit/assemble.h"
#include "test/unit/runtime/fake_driver.h"
#include "test/unit/runtime/ptx_samples.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <thread>

namespace rad::rt {
namespace {

using test::FakeDriver;

class CudaDeviceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    old_ = setWarningSink([this](std::string_view text) { warnings_.emplace_back(text); });
  }
  void TearDown() override {
    device_.reset();
    driver_.reset();
    setWarningSink(std::move(old_));
    EXPECT_EQ(fake_.depth(), 0);
  }
  /// Starts the fake and opens device 0; checks nothing.
  Status open(const char* specification, int ordinal = 0) {
    const char* wrong = fake_.configure(specification);
    EXPECT_EQ(wrong, nullptr) << wrong;
    auto driver = DriverApi::load(FakeDriver::path());
    if (!driver) return fail(std::move(driver).error());
    driver_ = std::move(*driver);
    auto device = CudaDevice::create(ordinal, driver_.get());
    if (!device) return fail(std::move(device).error());
    device_ = std::move(*device);
    return {};
  }
  /// After everything is closed: nothing is left, no rule was broken.
  void expectClean() {
    device_.reset();
    EXPECT_EQ(fake_.live(nullptr), 0) << fake_.journal();
    EXPECT_STREQ(fake_.violations(), "");
    EXPECT_TRUE(warnings_.empty()) << warnings_.front();
  }
  static cg::DeviceCode saxpyText(const char* target = "sm_80") {
    cg::DeviceCode code;
    code.target = target;
    const std::string ptx = test::saxpyPtx(target);
    auto bytes = test::bytesOf(ptx);
    code.cubin.assign(bytes.begin(), bytes.end());
    code.cubin.push_back(std::byte(0));
    return code;
  }
  std::shared_ptr<Buffer> filled(const std::vector<float>& values) {
    auto buffer = device_->allocate(values.size() * 4);
    EXPECT_TRUE(buffer) << buffer.error().render();
    EXPECT_TRUE(device_->copyIn(**buffer, 0, std::as_bytes(std::span(values))));
    return *buffer;
  }

  const FakeDriver& fake_ = FakeDriver::get();
  std::unique_ptr<const DriverApi> driver_;
  std::shared_ptr<Device> device_;
  std::vector<std::string> warnings_;
  WarningSink old_;
};

/// The arguments of one saxpy launch.
struct SaxpyArguments {
  float a = 2;
  std::uint64_t x = 0, y = 0;
  std::uint32_t n = 0;
  const void* pointers[4] = {&a, &x, &y, &n};
};

LaunchRequest requestFor(const SaxpyArguments& arguments) {
  LaunchRequest request;
  request.grid = {4, 1, 1};
  request.threads = 256;
  request.arguments = arguments.pointers;
  request.name = "saxpy";
  request.serial = 7;
  return request;
}

TEST_F(CudaDeviceTest, DescribesItself) {
  ASSERT_TRUE(open("preset=sm_80x2", 1));
  const DeviceInfo& info = device_->info();
  EXPECT_EQ(info.kind, DeviceKind::Cuda);
  EXPECT_EQ(info.id, "cuda:1");
  EXPECT_EQ(info.name, "FAKE CUDA device (test double)");
  EXPECT_EQ(info.major, 8);
  EXPECT_EQ(info.minor, 0);
  EXPECT_EQ(info.multiprocessors, 108);
  EXPECT_EQ(info.maxSharedBytesPerBlockOptIn, 163 << 10);
  EXPECT_EQ(info.driverVersion, 13000);
  expectClean();
}

TEST_F(CudaDeviceTest, AnUnknownAttributeIsNotAFailure) {
  ASSERT_TRUE(open("fail=cuDeviceGetAttribute@*:1"));
  EXPECT_EQ(device_->info().maxThreadsPerBlock, 1024);
  expectClean();
}

TEST_F(CudaDeviceTest, RefusesADeviceThatIsNotThere) {
  Status opened = open("preset=sm_90x2", 5);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().category, ErrorCategory::System);
  EXPECT_EQ(opened.error().message, "device cuda:5 does not exist; they are cuda:0 to cuda:1");
}

TEST_F(CudaDeviceTest, CopiesFillsAndFrees) {
  for (const char* specification : {"", "missing=cuMemAllocFromPoolAsync"}) {
    ASSERT_TRUE(open(specification));
    std::vector<float> values(1000);
    std::iota(values.begin(), values.end(), 0.f);
    auto one = filled(values);
    auto two = *device_->allocate(4000);
    ASSERT_TRUE(device_->copyWithin(*two, 0, *one, 0, 4000));
    const std::uint32_t word = 0x3f800000;
    ASSERT_TRUE(device_->fill(*two, 400, 400, std::as_bytes(std::span(&word, 1))));
    const double eight = 0.1;
    ASSERT_TRUE(device_->fill(*two, 800, 80, std::as_bytes(std::span(&eight, 1))));
    const std::uint8_t byte = 0;
    ASSERT_TRUE(device_->fill(*two, 880, 3, std::as_bytes(std::span(&byte, 1))));
    std::vector<float> back(1000, -1.f);
    ASSERT_TRUE(device_->copyOut(std::as_writable_bytes(std::span(back)), *two, 0));
    EXPECT_EQ(back[99], 99.f);
    EXPECT_EQ(back[100], 1.f);
    EXPECT_EQ(back[199], 1.f);
    double second = 0;
    std::memcpy(&second, &back[218], 8);
    EXPECT_EQ(second, 0.1);
    EXPECT_EQ(back[999], 999.f);
    one.reset();
    two.reset();
    expectClean();
  }
}

TEST_F(CudaDeviceTest, EmptyBuffersCostNothing) {
  ASSERT_TRUE(open(""));
  const long calls = fake_.count("cuMemAllocFromPoolAsync");
  auto buffer = device_->allocate(0);
  ASSERT_TRUE(buffer);
  EXPECT_EQ((*buffer)->size(), 0u);
  EXPECT_TRUE(device_->copyIn(**buffer, 0, {}));
  EXPECT_TRUE(device_->copyOut({}, **buffer, 0));
  EXPECT_EQ(fake_.count("cuMemAllocFromPoolAsync"), calls);
  buffer->reset();
  expectClean();
}

TEST_F(CudaDeviceTest, ChecksRangesItself) {
  ASSERT_TRUE(open(""));
  auto buffer = *device_->allocate(16);
  std::vector<std::byte> host(17);
  EXPECT_FALSE(device_->copyIn(*buffer, 0, host));
  EXPECT_FALSE(device_->copyIn(*buffer, 17, {}));
  EXPECT_FALSE(device_->copyOut(host, *buffer, 0));
  EXPECT_FALSE(device_->copyWithin(*buffer, 4, *buffer, 0, 8));
  EXPECT_FALSE(device_->fill(*buffer, 2, 4, std::span(host).first(4)));
  EXPECT_FALSE(device_->fill(*buffer, 0, 6, std::span(host).first(4)));
  EXPECT_FALSE(device_->fill(*buffer, 0, 6, std::span(host).first(3)));
  auto other = CudaDevice::create(0, driver_.get());
  ASSERT_TRUE(other);
  EXPECT_FALSE((*other)->copyIn(*buffer, 0, std::span(host).first(1)));
  other->reset();
  buffer.reset();
  expectClean();
}

TEST_F(CudaDeviceTest, SaysHowMuchMemoryThereIs) {
  ASSERT_TRUE(open("memory=1048576"));
  auto buffer = device_->allocate(4 << 20);
  ASSERT_FALSE(buffer);
  EXPECT_EQ(buffer.error().category, ErrorCategory::Resources);
  EXPECT_TRUE(buffer.error().message.starts_with("could not allocate 4.0 MiB on cuda:0 (")) << buffer.error().message;
  EXPECT_EQ(fake_.count("cuMemPoolTrimTo"), 1) << "tried again after trimming";
  EXPECT_TRUE(device_->allocate(1000)) << "the device still works";
  expectClean();
}

TEST_F(CudaDeviceTest, LaunchesWithTheArgumentsOfTheImage) {
  ASSERT_TRUE(open(""));
  auto code = saxpyText();
  if (assemblerInfo()) {
    AssembleOptions options;
    options.target = "sm_90";
    auto output = assemble(test::saxpyPtx(), options);
    ASSERT_TRUE(output) << output.error().render();
    code.cubin = output->cubin;
    code.target = "sm_90";
  }
  auto kernel = device_->load(code, "saxpy");
  ASSERT_TRUE(kernel) << kernel.error().render();
  auto x = filled(std::vector<float>(1000, 1.f));
  auto y = filled(std::vector<float>(1000, 2.f));
  SaxpyArguments arguments;
  arguments.x = x->address();
  arguments.y = y->address();
  arguments.n = 1000;
  fake_.onLaunch(
      "saxpy",
      [](const CudaFakeLaunch* launch, void*) {
        std::uint64_t y = 0;
        std::memcpy(&y, launch->arguments + launch->offsets[2], 8);
        const float value = 42;
        std::memcpy(FakeDriver::get().resolve(y, 4), &value, 4);
      },
      nullptr);
  ASSERT_TRUE(device_->launch(**kernel, requestFor(arguments)));
  arguments.n = 0;  // the launch has its own copy
  ASSERT_EQ(fake_.launches(), 1);
  const CudaFakeLaunch* launch = fake_.launch(0);
  EXPECT_STREQ(launch->kernel, "saxpy");
  EXPECT_EQ(launch->grid[0], 4u);
  EXPECT_EQ(launch->block[0], 256u);
  ASSERT_EQ(launch->argumentCount, 4u);
  std::uint32_t n = 0;
  std::memcpy(&n, launch->arguments + launch->offsets[3], 4);
  EXPECT_EQ(n, 1000u);
  float first = 0;
  ASSERT_TRUE(device_->copyOut(std::as_writable_bytes(std::span(&first, 1)), *y, 0));
  EXPECT_EQ(first, 42.f);
  kernel->reset();
  x.reset();
  y.reset();
  expectClean();
}

TEST_F(CudaDeviceTest, ExplainsCodeThatDoesNotLoad) {
  ASSERT_TRUE(open(""));
  auto code = saxpyText();
  auto missing = device_->load(code, "saxpi");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "there is no kernel 'saxpi' in the loaded code; it has 'saxpy'");
  EXPECT_EQ(missing.error().category, ErrorCategory::Image);

  cg::DeviceCode empty;
  EXPECT_FALSE(device_->load(empty, "saxpy"));

  cg::DeviceCode garbage;
  garbage.cubin.assign(64, std::byte('x'));
  garbage.cubin.push_back(std::byte(0));
  EXPECT_EQ(device_->load(garbage, "saxpy").error().code, 200);

  if (assemblerInfo()) {
    AssembleOptions options;
    options.target = "sm_80";
    code.target = "sm_80";
    code.cubin = assemble(test::saxpyPtx(), options)->cubin;
    auto wrong = device_->load(code, "saxpy");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, 209);
    EXPECT_EQ(wrong.error().message,
              "the kernel 'saxpy' was compiled for sm_80, and cuda:0 (FAKE "
              "CUDA device (test double)) is sm_90");
    options.target = "sm_90";
    options.relocatable = true;
    code.cubin = assemble(test::callerPtx(), options)->cubin;
    auto open = device_->load(code, "caller");
    ASSERT_FALSE(open);
    EXPECT_EQ(open.error().code, 500);
  }
  EXPECT_EQ(fake_.live("library"), 0);
  expectClean();
}

TEST_F(CudaDeviceTest, RefusesLaunchesThatCannotBe) {
  ASSERT_TRUE(open("preset=sm_80"));
  auto kernel = device_->load(saxpyText(), "saxpy");
  ASSERT_TRUE(kernel) << kernel.error().render();
  SaxpyArguments arguments;
  const LaunchRequest good = requestFor(arguments);
  auto refused = [&](auto change, const char* why, ErrorCategory category = ErrorCategory::Launch) {
    LaunchRequest request = good;
    change(request);
    Status status = device_->launch(**kernel, request);
    ASSERT_FALSE(status) << why;
    EXPECT_EQ(status.error().category, category) << why;
    EXPECT_NE(status.error().message.find(why), std::string::npos) << status.error().message;
  };
  refused([](LaunchRequest& r) { r.threads = 1025; },
          "blocks of 1025 threads were asked for, and it can run with at most "
          "1024");
  refused([](LaunchRequest& r) { r.threads = 0; }, "no threads");
  refused([](LaunchRequest& r) { r.grid[0] = 0; }, "grid of 0 x 1 x 1 is empty");
  refused([](LaunchRequest& r) { r.grid[1] = 65536; }, "at most 65535");
  refused([](LaunchRequest& r) { r.dynamicSharedBytes = 200 << 10; }, "204800 bytes of dynamic shared memory");
  refused([](LaunchRequest& r) { r.arguments = r.arguments.first(3); },
          "given 3 kernel parameters, and its code takes 4", ErrorCategory::Misuse);
  EXPECT_EQ(fake_.launches(), 0);
  EXPECT_TRUE(device_->launch(**kernel, good));
  LaunchRequest large = good;
  large.dynamicSharedBytes = 100 << 10;
  Status launched = device_->launch(**kernel, large);
  EXPECT_TRUE(launched) << launched.error().render();
  EXPECT_EQ(fake_.count("cuKernelSetAttribute"), 1);
  EXPECT_TRUE(device_->launch(**kernel, large));
  EXPECT_EQ(fake_.count("cuKernelSetAttribute"), 1) << "asked for once";
  kernel->reset();
  expectClean();
}

TEST_F(CudaDeviceTest, ALaunchThatTheDriverRefusesHarmsNothing) {
  ASSERT_TRUE(open("fail=cuLaunchKernelEx@1:701"));
  auto kernel = device_->load(saxpyText(), "saxpy");
  SaxpyArguments arguments;
  Status status = device_->launch(**kernel, requestFor(arguments));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().category, ErrorCategory::Launch);
  EXPECT_NE(status.error().message.find("block 256 x 1 x 1"), std::string::npos);
  EXPECT_TRUE(device_->launch(**kernel, requestFor(arguments)));
  EXPECT_TRUE(device_->synchronize());
  kernel->reset();
  expectClean();
}

/// Writes a record as a failing thread does.
void failCheck(const CudaFakeLaunch*, void* user) {
  const FakeDriver& fake = FakeDriver::get();
  const auto address = *static_cast<std::uint64_t*>(user);
  auto* state = static_cast<cg::FailureState*>(fake.resolve(address, sizeof(cg::FailureState)));
  if (state->claimed) return;
  state->claimed = 1;
  auto* record = static_cast<cg::FailureRecord*>(
      fake.resolve(reinterpret_cast<std::uint64_t>(state->record), sizeof(cg::FailureRecord)));
  record->site = 3;
  record->launch = 7;
  record->value = 1000;
  record->extent = 999;
  record->flag = 1;
}

TEST_F(CudaDeviceTest, AFailedCheckIsTakenOnceAndTheDeviceGoesOn) {
  ASSERT_TRUE(open(""));
  auto kernel = device_->load(saxpyText(), "saxpy");
  SaxpyArguments arguments;
  std::uint64_t state = device_->failureState();
  ASSERT_NE(fake_.resolve(state, sizeof(cg::FailureState)), nullptr);
  fake_.onLaunch("saxpy", failCheck, &state);
  for (int round = 0; round < 2; ++round) {
    EXPECT_FALSE(device_->takeFailure());
    ASSERT_TRUE(device_->launch(**kernel, requestFor(arguments)));
    EXPECT_FALSE(device_->takeFailure()) << "nothing has run yet";
    ASSERT_TRUE(device_->synchronize());
    auto failure = device_->takeFailure();
    ASSERT_TRUE(failure) << round;
    EXPECT_EQ(failure->record.site, 3u);
    EXPECT_EQ(failure->record.launch, 7u);
    EXPECT_EQ(failure->record.value, 1000);
    EXPECT_FALSE(device_->takeFailure()) << "it is taken once";
    ASSERT_TRUE(device_->synchronize());  // the claim is free again after this
  }
  kernel->reset();
  expectClean();
}

/// Prints a line of one value, as compiled code does.
void printLine(const CudaFakeLaunch*, void* user) {
  const FakeDriver& fake = FakeDriver::get();
  auto at = [&](const void* address, std::size_t bytes) {
    return fake.resolve(reinterpret_cast<std::uint64_t>(address), bytes);
  };
  auto* state =
      static_cast<cg::FailureState*>(fake.resolve(*static_cast<std::uint64_t*>(user), sizeof(cg::FailureState)));
  auto* print = static_cast<cg::PrintState*>(at(state->print, sizeof(cg::PrintState)));
  ASSERT_NE(print, nullptr);
  const cg::PrintedLine head{4, 5, 7, 0, 11};
  const std::uint64_t start = print->used;
  print->used += head.words;
  if (start + head.words > print->capacity) {
    ++print->lost;
    return;
  }
  auto* line = static_cast<unsigned char*>(at(print->lines + start, sizeof head + 8));
  ASSERT_NE(line, nullptr);
  std::memcpy(line, &head, sizeof head);
  std::memcpy(line + sizeof head, &start, 8);
}

TEST_F(CudaDeviceTest, WhatKernelsPrintIsTakenOnceAndThenThereIsRoomAgain) {
  ASSERT_TRUE(open(""));
  auto kernel = device_->load(saxpyText(), "saxpy");
  SaxpyArguments arguments;
  std::uint64_t state = device_->failureState();
  LaunchRequest request = requestFor(arguments);
  ASSERT_TRUE(device_->launch(**kernel, request));
  ASSERT_TRUE(device_->synchronize());
  const long before = fake_.count(nullptr);
  EXPECT_TRUE(device_->takePrinted().words.empty());
  EXPECT_EQ(fake_.count(nullptr), before) << "nothing is asked of the driver";
  fake_.onLaunch("saxpy", printLine, &state);
  request.prints = true;
  const std::uint64_t room = cg::printCapacity / 4;
  for (std::uint64_t launches : {std::uint64_t(2), room + 3, std::uint64_t(1)}) {
    for (std::uint64_t i = 0; i < launches; ++i) ASSERT_TRUE(device_->launch(**kernel, request));
    ASSERT_TRUE(device_->synchronize());
    const PrintedLines printed = device_->takePrinted();
    EXPECT_EQ(printed.words.size(), std::min(launches, room) * 4);
    EXPECT_EQ(printed.lost, launches - std::min(launches, room));
    EXPECT_EQ(printed.words[2], 11u) << "the position";
    EXPECT_EQ(printed.words.back(), printed.words.size() - 4) << "the value";
    EXPECT_TRUE(device_->takePrinted().words.empty()) << "it is taken once";
  }
  kernel->reset();
  expectClean();
}

TEST_F(CudaDeviceTest, WhatKernelsPrintedBeforeAFaultIsThere) {
  ASSERT_TRUE(open("fail=cuStreamSynchronize@8:700!sticky"));
  auto kernel = device_->load(saxpyText(), "saxpy");
  SaxpyArguments arguments;
  std::uint64_t state = device_->failureState();
  fake_.onLaunch("saxpy", printLine, &state);
  LaunchRequest request = requestFor(arguments);
  request.prints = true;
  ASSERT_TRUE(device_->launch(**kernel, request));
  while (device_->synchronize()) {  // until the device is lost
  }
  EXPECT_EQ(device_->takePrinted().words.size(), 4u);
  EXPECT_TRUE(device_->takePrinted().words.empty());
}

TEST_F(CudaDeviceTest, AfterAFaultEverythingReturnsTheFirstCause) {
  ASSERT_TRUE(open("fault=saxpy:700"));
  auto kernel = device_->load(saxpyText(), "saxpy");
  auto buffer = *device_->allocate(64);
  SaxpyArguments arguments;
  ASSERT_TRUE(device_->launch(**kernel, requestFor(arguments)));
  Status status = device_->synchronize();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().category, ErrorCategory::Dead);
  EXPECT_EQ(status.error().code, 700);
  EXPECT_NE(status.error().message.find("kernels since the last wait: saxpy (launch 7)"), std::string::npos)
      << status.error().message;
  EXPECT_TRUE(status.error().render().find("[CUDA_ERROR_ILLEGAL_ADDRESS 700, cuStreamSynchronize]") !=
              std::string::npos);
  auto again = device_->allocate(4);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message, status.error().message);
  EXPECT_EQ(device_->launch(**kernel, requestFor(arguments)).error().message, status.error().message);
  EXPECT_FALSE(device_->takeFailure());
  EXPECT_EQ(fake_.depth(), 0);
  // Nothing is released, and nobody is told about that.
  const long calls = fake_.count(nullptr);
  buffer.reset();
  kernel->reset();
  device_.reset();
  EXPECT_EQ(fake_.count(nullptr), calls);
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(CudaDeviceTest, ARecordIsReadableAfterAFault) {
  ASSERT_TRUE(open(""));
  auto kernel = device_->load(saxpyText(), "saxpy");
  SaxpyArguments arguments;
  std::uint64_t state = device_->failureState();
  fake_.onLaunch("saxpy", failCheck, &state);
  ASSERT_TRUE(device_->launch(**kernel, requestFor(arguments)));
  ASSERT_TRUE(device_->synchronize());
  // Whatever the driver says from now on, the record is host memory.
  CUresult fatal = CUDA_ERROR_LAUNCH_FAILED;
  (void)driver_->failure(DriverFn::StreamSynchronize, fatal);
  ASSERT_TRUE(driver_->dead());
  auto failure = device_->takeFailure();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->record.site, 3u);
}

TEST_F(CudaDeviceTest, ReleasesThatFailAreReported) {
  ASSERT_TRUE(open("fail=cuMemFreeAsync@1:1"));
  auto buffer = *device_->allocate(64);
  buffer.reset();
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_TRUE(warnings_[0].starts_with("could not release device memory: ")) << warnings_[0];
}

TEST_F(CudaDeviceTest, LeavesTheCallersContextAlone) {
  ASSERT_TRUE(open("preset=sm_90x2"));
  CUcontext other = nullptr;
  ASSERT_TRUE(driver_->call<DriverFn::DevicePrimaryCtxRetain>(&other, 1));
  ASSERT_TRUE(driver_->call<DriverFn::CtxPushCurrent>(other));
  auto buffer = *device_->allocate(64);
  ASSERT_TRUE(device_->synchronize());
  EXPECT_FALSE(device_->load({}, "x"));
  buffer.reset();
  device_.reset();
  CUcontext now = nullptr;
  ASSERT_TRUE(driver_->call<DriverFn::CtxGetCurrent>(&now));
  EXPECT_EQ(now, other);
  ASSERT_TRUE(driver_->call<DriverFn::CtxPopCurrent>(&now));
  EXPECT_EQ(fake_.depth(), 0);
}

TEST_F(CudaDeviceTest, ObjectsKeepTheDeviceOpen) {
  ASSERT_TRUE(open(""));
  auto kernel = device_->load(saxpyText(), "saxpy");
  auto buffer = *device_->allocate(64);
  device_.reset();
  EXPECT_EQ(fake_.live("retain"), 1);
  kernel->reset();
  EXPECT_EQ(fake_.live("retain"), 1);
  buffer.reset();
  EXPECT_EQ(fake_.live("retain"), 0);
  expectClean();
}

TEST_F(CudaDeviceTest, IsUsedFromManyThreads) {
  ASSERT_TRUE(open(""));
  auto kernel = *device_->load(saxpyText(), "saxpy");
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        std::vector<std::uint32_t> values(64, std::uint32_t(t * 100 + i));
        auto buffer = device_->allocate(256);
        if (!buffer || !device_->copyIn(**buffer, 0, std::as_bytes(std::span(values)))) return;
        SaxpyArguments arguments;
        if (!device_->launch(*kernel, requestFor(arguments))) return;
        std::vector<std::uint32_t> back(64);
        if (!device_->copyOut(std::as_writable_bytes(std::span(back)), **buffer, 0)) return;
        good += back == values;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 200);
  kernel.reset();
  expectClean();
}

TEST_F(CudaDeviceTest, AHandleThatIsNotThereIsRefused) {
  for (const char* function : {"cuDevicePrimaryCtxRetain", "cuStreamCreateWithPriority", "cuMemHostAlloc",
                               "cuMemHostGetDevicePointer", "cuMemAlloc"}) {
    Status status = open((std::string("null_output=") + function).c_str());
    EXPECT_FALSE(status) << function;
    device_.reset();
    driver_.reset();
  }
  for (const char* function : {"cuLibraryLoadData", "cuLibraryGetKernel@2"}) {
    ASSERT_TRUE(open((std::string("null_output=") + function).c_str()));
    EXPECT_FALSE(device_->load(saxpyText(), "saxpy")) << function;
    device_.reset();
    driver_.reset();
  }
  ASSERT_TRUE(open("null_output=cuMemAllocFromPoolAsync"));
  EXPECT_FALSE(device_->allocate(4));
}

}  // namespace
}  // namespace rad::rt

#endif

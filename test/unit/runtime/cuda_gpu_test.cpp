// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CUDA device on a real GPU; skipped without one. The tests named Rule check
// what the fake driver claims about real ones (test/fakes/README.md).
#if RADDLE_HAVE_CUDA

#include "runtime/cuda/cuda_device.h"
#include "runtime/dynlib/driver_api.h"
#include "runtime/toolkit/assemble.h"
#include "runtime/toolkit/link.h"
#include "test/unit/runtime/ptx_samples.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

namespace rad::rt {
namespace {

class Gpu : public ::testing::Test {
 protected:
  void SetUp() override {
    auto driver = DriverApi::get();
    if (!driver) GTEST_SKIP() << driver.error().render();
    driver_ = *driver;
    auto device = CudaDevice::create(0);
    if (!device) GTEST_SKIP() << device.error().render();
    device_ = *device;
    if (device_->info().name.find("FAKE") != std::string::npos) GTEST_SKIP() << "the driver is the fake one";
    if (!assemblerInfo()) GTEST_SKIP() << assemblerInfo().error().render();
    target_ = "sm_" + std::to_string(device_->info().major) + std::to_string(device_->info().minor);
  }
  cg::DeviceCode codeFor(const std::string& ptx, bool relocatable = false, std::string target = "") {
    AssembleOptions options;
    options.target = target.empty() ? target_ : target;
    options.relocatable = relocatable;
    auto output = assemble(ptx, options);
    EXPECT_TRUE(output) << output.error().render();
    cg::DeviceCode code;
    code.target = options.target;
    if (output) code.cubin = std::move(output->cubin);
    return code;
  }
  template <class T>
  std::shared_ptr<Buffer> filled(const std::vector<T>& values) {
    auto buffer = device_->allocate(values.size() * sizeof(T));
    EXPECT_TRUE(buffer) << buffer.error().render();
    EXPECT_TRUE(device_->copyIn(**buffer, 0, std::as_bytes(std::span(values))));
    return *buffer;
  }
  template <class T>
  std::vector<T> contentOf(const Buffer& buffer) {
    std::vector<T> values(buffer.size() / sizeof(T));
    Status status = device_->copyOut(std::as_writable_bytes(std::span(values)), buffer, 0);
    EXPECT_TRUE(status) << status.error().render();
    return values;
  }

  const DriverApi* driver_ = nullptr;
  std::shared_ptr<Device> device_;
  std::string target_;
};

TEST_F(Gpu, ComputesSaxpy) {
  constexpr std::uint32_t n = 1000;
  std::vector<float> x(n), y(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    x[i] = float(i);
    y[i] = 1;
  }
  auto bx = filled(x), by = filled(y);
  auto kernel = device_->load(codeFor(test::saxpyPtx()), "saxpy");
  ASSERT_TRUE(kernel) << kernel.error().render();
  float a = 2;
  std::uint64_t px = bx->address(), py = by->address();
  const void* arguments[] = {&a, &px, &py, &n};
  LaunchRequest request;
  request.grid = {4, 1, 1};
  request.threads = 256;
  request.arguments = arguments;
  request.name = "saxpy";
  Status launched = device_->launch(**kernel, request);
  ASSERT_TRUE(launched) << launched.error().render();
  const auto result = contentOf<float>(*by);
  for (std::uint32_t i = 0; i < n; ++i) ASSERT_EQ(result[i], 2 * float(i) + 1) << i;
  // Opted-in shared memory, and one byte more than there is.
  request.dynamicSharedBytes = std::uint32_t(device_->info().maxSharedBytesPerBlockOptIn) - 128;
  launched = device_->launch(**kernel, request);
  EXPECT_TRUE(launched) << launched.error().render();
  ++request.dynamicSharedBytes;
  launched = device_->launch(**kernel, request);
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().category, ErrorCategory::Launch);
  EXPECT_EQ(launched.error().code, 0) << "refused before the driver saw it";
  EXPECT_TRUE(device_->synchronize());
}

TEST_F(Gpu, FillsEveryWidth) {
  auto buffer = *device_->allocate(4096);
  const std::uint8_t byte = 7;
  const std::uint16_t half = 0x0102;
  const std::uint32_t word = 0xdeadbeef;
  const std::uint64_t twice = 0x0123456789abcdef;
  ASSERT_TRUE(device_->fill(*buffer, 0, 1024, std::as_bytes(std::span(&byte, 1))));
  ASSERT_TRUE(device_->fill(*buffer, 1024, 1024, std::as_bytes(std::span(&half, 1))));
  ASSERT_TRUE(device_->fill(*buffer, 2048, 1024, std::as_bytes(std::span(&word, 1))));
  Status status = device_->fill(*buffer, 3072, 1024, std::as_bytes(std::span(&twice, 1)));
  ASSERT_TRUE(status) << status.error().render();
  const auto words = contentOf<std::uint64_t>(*buffer);
  for (std::size_t i = 0; i < 128; ++i) {
    ASSERT_EQ(words[i], 0x0707070707070707u);
    ASSERT_EQ(words[128 + i], 0x0102010201020102u);
    ASSERT_EQ(words[256 + i], 0xdeadbeefdeadbeefu);
    ASSERT_EQ(words[384 + i], twice);
  }
}

TEST_F(Gpu, FillsALargeBufferWithEightBytes) {
  // As columns of words: the height of the fill is large.
  constexpr std::uint64_t count = std::uint64_t(1) << 24;
  auto buffer = *device_->allocate(count * 8);
  const double value = 0.1;
  Status status = device_->fill(*buffer, 0, count * 8, std::as_bytes(std::span(&value, 1)));
  ASSERT_TRUE(status) << status.error().render();
  const auto values = contentOf<double>(*buffer);
  EXPECT_EQ(values.front(), 0.1);
  EXPECT_EQ(values[count / 3], 0.1);
  EXPECT_EQ(values.back(), 0.1);
}

TEST_F(Gpu, RunsWhatTheLinkerMade) {
  if (auto linker = NvJitLinkApi::get(); !linker) GTEST_SKIP() << linker.error().render();
  const std::string caller = test::callerPtx(), helper = test::helperPtx();
  LinkInput inputs[] = {{"caller.ptx", test::bytesOf(caller), ""}, {"helper.ptx", test::bytesOf(helper), ""}};
  LinkOptions options;
  options.target = target_;
  auto linked = link(inputs, options);
  ASSERT_TRUE(linked) << linked.error().render();
  cg::DeviceCode code;
  code.target = linked->target;
  code.cubin = linked->cubin;
  auto kernel = device_->load(code, "caller");
  ASSERT_TRUE(kernel) << kernel.error().render();
  auto out = filled(std::vector<std::uint32_t>{0});
  std::uint64_t address = out->address();
  std::uint32_t value = 1;
  const void* arguments[] = {&address, &value};
  LaunchRequest request;
  request.arguments = arguments;
  request.name = "caller";
  ASSERT_TRUE(device_->launch(**kernel, request));
  EXPECT_EQ(contentOf<std::uint32_t>(*out)[0], 42u);
}

/// A kernel that fails its check in every thread: one of them claims the record,
/// writes it, and all leave.
std::string failingPtx() {
  return R"(.version 8.0
.target sm_80
.address_size 64
.visible .entry failing(.param .u64 state, .param .u32 serial)
{
  .reg .pred %p<2>; .reg .b32 %r<8>; .reg .b64 %d<4>;
  ld.param.u64 %d1, [state];
  ld.param.u32 %r1, [serial];
  atom.global.exch.b32 %r2, [%d1], 1;
  setp.ne.u32 %p1, %r2, 0;
  @%p1 bra OUT;
  ld.global.u64 %d2, [%d1+8];
  mov.u32 %r3, %tid.x;
  st.global.u32 [%d2+4], 5;
  st.global.u32 [%d2+8], %r1;
  st.global.u64 [%d2+16], -1;
  st.global.u64 [%d2+24], 10;
  st.global.u32 [%d2+44], %r3;
  fence.sc.sys;
  st.volatile.global.u32 [%d2], 1;
OUT:
  exit;
}
)";
}

TEST_F(Gpu, AFailedCheckLeavesTheDeviceUsable) {
  auto kernel = device_->load(codeFor(failingPtx()), "failing");
  ASSERT_TRUE(kernel) << kernel.error().render();
  auto buffer = filled(std::vector<float>(100, 3.f));
  std::uint64_t state = device_->failureState();
  for (std::uint32_t serial = 1; serial <= 3; ++serial) {
    const void* arguments[] = {&state, &serial};
    LaunchRequest request;
    request.grid = {64, 1, 1};
    request.threads = 128;
    request.arguments = arguments;
    request.name = "failing";
    ASSERT_TRUE(device_->launch(**kernel, request));
    Status status = device_->synchronize();
    ASSERT_TRUE(status) << status.error().render();
    auto failure = device_->takeFailure();
    ASSERT_TRUE(failure) << serial;
    EXPECT_EQ(failure->record.site, 5u);
    EXPECT_EQ(failure->record.launch, serial);
    EXPECT_EQ(failure->record.value, -1);
    EXPECT_EQ(failure->record.extent, 10);
    EXPECT_LT(failure->record.thread[0], 128u);
    EXPECT_FALSE(device_->takeFailure());
  }
  EXPECT_EQ(contentOf<float>(*buffer)[99], 3.f);
}

TEST_F(Gpu, TooMuchMemoryIsRefusedAndHarmsNothing) {
  auto huge = device_->allocate(device_->info().memoryBytes * 2);
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().code, 2);
  EXPECT_NE(huge.error().message.find(" free of "), std::string::npos);
  auto buffer = filled(std::vector<int>(1 << 20, 4));
  EXPECT_EQ(contentOf<int>(*buffer)[12345], 4);
}

TEST_F(Gpu, RuleImagesAreJudgedWhenAKernelIsAskedFor) {
  const std::string other = device_->info().major == 8 ? "sm_90" : "sm_80";
  auto wrong = device_->load(codeFor(test::saxpyPtx(), false, other), "saxpy");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, 209);
  EXPECT_EQ(wrong.error().call, "cuLibraryGetKernel");
  cg::DeviceCode garbage;
  garbage.cubin.assign(64, std::byte('x'));
  garbage.cubin.push_back(std::byte(0));
  auto bad = device_->load(garbage, "x");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, 200);
  auto open = device_->load(codeFor(test::callerPtx(), true), "caller");
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, 500);
  EXPECT_EQ(open.error().call, "cuKernelGetFunction");
  auto missing = device_->load(codeFor(test::saxpyPtx()), "saxpi");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "there is no kernel 'saxpi' in the loaded code; it has 'saxpy'");
}

TEST_F(Gpu, RuleParametersEndWithInvalidValue) {
  CUlibrary library = nullptr;
  auto code = codeFor(test::saxpyPtx());
  ASSERT_TRUE(driver_->call<DriverFn::LibraryLoadData>(&library, static_cast<const void*>(code.cubin.data()), nullptr,
                                                       nullptr, 0u, nullptr, nullptr, 0u));
  CUkernel kernel = nullptr;
  ASSERT_TRUE(driver_->call<DriverFn::LibraryGetKernel>(&kernel, library, static_cast<const char*>("saxpy")));
  auto info = driver_->raw<DriverFn::KernelGetParamInfo>();
  std::size_t offset = 0, size = 0;
  // Unlike the other questions about a kernel, this one needs a context.
  EXPECT_EQ(info(kernel, 0, &offset, &size), CUDA_ERROR_INVALID_CONTEXT);
  CUcontext context = nullptr;
  ASSERT_TRUE(driver_->call<DriverFn::DevicePrimaryCtxRetain>(&context, 0));
  ASSERT_TRUE(driver_->call<DriverFn::CtxPushCurrent>(context));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(info(kernel, i, &offset, &size), CUDA_SUCCESS);
  EXPECT_EQ(offset, 24u);
  EXPECT_EQ(size, 4u);
  EXPECT_EQ(info(kernel, 4, &offset, &size), CUDA_ERROR_INVALID_VALUE);
  int shared = 0;
  EXPECT_TRUE(driver_->call<DriverFn::KernelGetAttribute>(&shared, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, kernel, 0));
  EXPECT_EQ(shared, 128);
  ASSERT_TRUE(driver_->call<DriverFn::CtxPopCurrent>(&context));
  ASSERT_TRUE(driver_->call<DriverFn::DevicePrimaryCtxRelease>(0));
  driver_->release<DriverFn::LibraryUnload>("a library", library);
}

TEST_F(Gpu, RuleUnknownNamesAreSuccessWithoutAFunction) {
  // The fake and the driver agree on what cuGetProcAddress gives.
  EXPECT_TRUE(driver_->has(DriverFn::MemAlloc));
  for (std::size_t i = 0; i < driverFnCount; ++i)
    EXPECT_TRUE(driver_->has(DriverFn(i))) << driverFnInfo(DriverFn(i)).name;
}

TEST_F(Gpu, RulePopFromAnEmptyStackIs201) {
  std::thread([&] {
    CUcontext context = nullptr;
    EXPECT_EQ(driver_->raw<DriverFn::CtxPopCurrent>()(&context), CUDA_ERROR_INVALID_CONTEXT);
    CUdeviceptr address = 0;
    EXPECT_EQ(driver_->raw<DriverFn::MemAlloc>()(&address, 64), CUDA_ERROR_INVALID_CONTEXT);
  }).join();
}

TEST_F(Gpu, RuleLaunchesAreRefusedWithOne) {
  auto kernel = device_->load(codeFor(test::saxpyPtx()), "saxpy");
  ASSERT_TRUE(kernel);
  float a = 2;
  std::uint64_t p = 0;
  std::uint32_t n = 0;
  const void* arguments[] = {&a, &p, &p, &n};
  LaunchRequest request;
  request.arguments = arguments;
  request.name = "saxpy";
  // Empty work: nothing is touched. What the driver itself would refuse never
  // reaches it; that the right launch goes through is the point here.
  EXPECT_TRUE(device_->launch(**kernel, request));
  EXPECT_TRUE(device_->synchronize());
}

/// In a process of its own: the fault ends every use of the GPU there.
void faultAndDie() {
  auto device = CudaDevice::create(0);
  if (!device) _exit(2);
  const std::string ptx = R"(.version 8.0
.target sm_80
.address_size 64
.visible .entry bad(.param .u64 p)
{ .reg .b64 %d<2>; ld.param.u64 %d1, [p]; st.global.u32 [%d1], 1; ret; }
)";
  AssembleOptions options;
  options.target = "sm_" + std::to_string((*device)->info().major) + std::to_string((*device)->info().minor);
  auto output = assemble(ptx, options);
  if (!output) _exit(3);
  cg::DeviceCode code;
  code.target = options.target;
  code.cubin = output->cubin;
  auto kernel = (*device)->load(code, "bad");
  if (!kernel) _exit(4);
  auto buffer = (*device)->allocate(64);
  std::uint64_t address = 16;
  const void* arguments[] = {&address};
  LaunchRequest request;
  request.arguments = arguments;
  request.name = "bad";
  request.serial = 9;
  if (!(*device)->launch(**kernel, request)) _exit(5);
  Status status = (*device)->synchronize();
  if (status) _exit(6);
  std::fprintf(stderr, "%s\n", status.error().render().c_str());
  Status again = (*device)->synchronize();
  if (again || again.error().message != status.error().message) _exit(7);
  if ((*device)->allocate(64)) _exit(8);
  // Everything is dropped in the ordinary order, without a crash or a hang.
  buffer->reset();
  kernel->reset();
  device->reset();
  std::exit(0);
}

TEST_F(Gpu, AFaultIsExplainedAndEndsNothingElse) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(faultAndDie(), ::testing::ExitedWithCode(0), "kernels since the last wait: bad \\(launch 9\\)");
}

}  // namespace
}  // namespace rad::rt

#endif

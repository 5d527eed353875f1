// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#if RADDLE_HAVE_CUDA

#include "runtime/dynlib/driver_api.h"
#include "test/unit/runtime/fake_driver.h"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

namespace rad::rt {
namespace {

using test::FakeDriver;

// ---- codes ----

TEST(CudaErrors, NameEveryCodeOfTheHeader) {
  // That none is missing is checked when cuda_errors_check.cpp compiles.
  EXPECT_EQ(cudaErrorName(0), "CUDA_SUCCESS");
  EXPECT_EQ(cudaErrorName(1), "CUDA_ERROR_INVALID_VALUE");
  EXPECT_EQ(cudaErrorName(719), "CUDA_ERROR_LAUNCH_FAILED");
  EXPECT_EQ(cudaErrorName(999), "CUDA_ERROR_UNKNOWN");
  EXPECT_EQ(cudaErrorName(12345), "CUDA_ERROR_12345");
  EXPECT_EQ(findCudaError(12345), nullptr);
}

TEST(CudaErrors, AreClassifiedByCallAndCode) {
  using C = ErrorCategory;
  EXPECT_EQ(classifyCudaError("cuLaunchKernelEx", 1), C::Launch);
  EXPECT_EQ(classifyCudaError("cuMemAlloc", 1), C::Misuse);
  EXPECT_EQ(classifyCudaError("cuInit", 999), C::System);
  EXPECT_EQ(classifyCudaError("cuStreamSynchronize", 999), C::Misuse);
  EXPECT_EQ(classifyCudaError("cuLaunchKernelEx", 801), C::Launch);
  EXPECT_EQ(classifyCudaError("cuMemAlloc", 801), C::Misuse);
  EXPECT_EQ(classifyCudaError("cuLaunchKernelEx", 701), C::Launch);
  EXPECT_EQ(classifyCudaError("cuStreamCreate", 701), C::Resources);
  EXPECT_EQ(classifyCudaError("cuMemAlloc", 2), C::Resources);
  EXPECT_EQ(classifyCudaError("cuLibraryGetKernel", 209), C::Image);
  EXPECT_EQ(classifyCudaError("cuStreamBeginCapture", 906), C::Capture);
  for (int code : {226, 700, 702, 710, 714, 715, 716, 717, 718, 719, 721, 810, 911, 214, 220, 916}) {
    EXPECT_EQ(classifyCudaError("cuMemAlloc", code), C::Dead) << code;
    EXPECT_TRUE(isFatalCudaError(code));
  }
  EXPECT_FALSE(isFatalCudaError(2));
}

TEST(CudaErrors, HaveTextAndNeverStutter) {
  for (int code = 0; code < 1000; ++code) {
    const CudaErrorInfo* info = findCudaError(code);
    if (!info) continue;
    EXPECT_FALSE(info->what.empty()) << code;
    EXPECT_NE(info->what.back(), '.') << code;
    EXPECT_TRUE(info->advice.empty() || info->advice.back() == '.') << code;
    if (info->category == ErrorCategory::Dead || info->category == ErrorCategory::System) {
      if (code != 808 && code != 809) {
        EXPECT_FALSE(makeCudaError("cuX", code).advice.empty()) << code;
      }
    }
  }
}

// ---- loading ----

class Loading : public ::testing::Test {
 protected:
  Result<std::unique_ptr<const DriverApi>> load(const char* specification) {
    const char* wrong = fake_.configure(specification);
    EXPECT_EQ(wrong, nullptr) << wrong;
    return DriverApi::load(FakeDriver::path());
  }
  const FakeDriver& fake_ = FakeDriver::get();
};

TEST_F(Loading, FindsEveryFunctionInTheFake) {
  auto driver = load("");
  ASSERT_TRUE(driver) << driver.error().render();
  EXPECT_EQ((*driver)->version(), 13000);
  EXPECT_EQ((*driver)->libraryPath(), FakeDriver::path());
  for (std::size_t i = 0; i < driverFnCount; ++i)
    EXPECT_TRUE((*driver)->has(DriverFn(i))) << driverFnInfo(DriverFn(i)).name;
}

TEST_F(Loading, SaysThatTheLibraryIsMissing) {
  auto driver = DriverApi::load("libcuda-no-such.so.1");
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.error().category, ErrorCategory::System);
  EXPECT_NE(driver.error().message.find("libcuda-no-such.so.1"), std::string::npos);
}

TEST_F(Loading, SaysThatALibraryIsNoDriver) {
  auto driver = DriverApi::load("libc.so.6");
  ASSERT_FALSE(driver);
  EXPECT_NE(driver.error().message.find("not a CUDA driver"), std::string::npos);
}

TEST_F(Loading, RecognisesTheToolkitsStub) {
  const char* stub = "/usr/local/cuda/lib64/stubs/libcuda.so";
  if (access(stub, R_OK) != 0) GTEST_SKIP() << "no toolkit here";
  auto driver = DriverApi::load(stub);
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.error().code, 34);
  EXPECT_NE(driver.error().message.find("stub"), std::string::npos);
  EXPECT_TRUE(driver.error().render().ends_with("[CUDA_ERROR_STUB_LIBRARY 34, cuDriverGetVersion]"));
}

TEST_F(Loading, RefusesAnOldDriver) {
  auto driver = load("version=12080");
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.error().message, "the NVIDIA driver provides CUDA 12.8, and Raddle needs 13.0");
}

TEST_F(Loading, NamesARequiredFunctionThatIsMissing) {
  auto driver = load("missing=cuLibraryLoadData");
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.error().category, ErrorCategory::System);
  EXPECT_NE(driver.error().message.find("cuLibraryLoadData of CUDA 12.0"), std::string::npos);
}

TEST_F(Loading, GoesOnWithoutAnOptionalFunction) {
  auto driver = load("missing=cuKernelGetName");
  ASSERT_TRUE(driver) << driver.error().render();
  EXPECT_FALSE((*driver)->has(DriverFn::KernelGetName));
  const char* name = nullptr;
  Status status = (*driver)->call<DriverFn::KernelGetName>(&name, CUkernel(nullptr));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message,
            "listing kernels is not available: this driver (CUDA 13.0) has no "
            "cuKernelGetName");
}

TEST_F(Loading, HasOneMessageForEachWayThatStartingFails) {
  for (int code : {3, 34, 46, 100, 802, 803, 804, 999}) {
    auto driver = load(("fail=cuInit@1:" + std::to_string(code)).c_str());
    ASSERT_FALSE(driver) << code;
    EXPECT_EQ(driver.error().category, ErrorCategory::System) << code;
    EXPECT_EQ(driver.error().code, code);
    EXPECT_FALSE(driver.error().advice.empty()) << code;
  }
  auto empty = load("preset=sm_90x0");
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, 100);
}

TEST_F(Loading, MentionsHiddenDevices) {
  setenv("CUDA_VISIBLE_DEVICES", "7", 1);
  auto driver = load("fail=cuInit@1:100");
  unsetenv("CUDA_VISIBLE_DEVICES");
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.error().message,
            "no CUDA device is visible; "
            "CUDA_VISIBLE_DEVICES is set to \"7\"");
}

// ---- calls ----

TEST_F(Loading, AFailureNamesCallArgumentsAndTheDriversLog) {
  auto driver = load("");
  ASSERT_TRUE(driver);
  CUdeviceptr address = 0;
  Status status = (*driver)->call<DriverFn::MemAlloc>(&address, std::size_t(64));
  ASSERT_FALSE(status);  // no context is current
  EXPECT_EQ(status.error().code, 201);
  EXPECT_EQ(status.error().call, "cuMemAlloc");
  EXPECT_TRUE(status.error().args.ends_with(", 64")) << status.error().args;
  EXPECT_NE(status.error().log.find("Returning 201 from cuMemAlloc"), std::string::npos);
}

TEST_F(Loading, AFatalErrorIsReturnedByEveryLaterCall) {
  auto driver = load("fail=cuDeviceGetCount@2:700!sticky");
  ASSERT_TRUE(driver);
  int count = 0;
  EXPECT_TRUE((*driver)->call<DriverFn::DeviceGetCount>(&count));
  EXPECT_FALSE((*driver)->dead());
  EXPECT_FALSE((*driver)->call<DriverFn::DeviceGetCount>(&count));
  EXPECT_TRUE((*driver)->dead());
  const long calls = fake_.count(nullptr);
  CUdevice device = 0;
  Status later = (*driver)->call<DriverFn::DeviceGet>(&device, 0);
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, 700);
  EXPECT_EQ(later.error().call, "cuDeviceGetCount") << "the first cause";
  EXPECT_EQ(fake_.count(nullptr), calls) << "the driver is left alone";
}

TEST_F(Loading, AForkedProcessIsToldSo) {
  auto driver = load("");
  ASSERT_TRUE(driver);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    int count = 0;
    Status status = (*driver)->call<DriverFn::DeviceGetCount>(&count);
    std::string text = status ? "no error" : status.error().message;
    ssize_t written = write(ends[1], text.data(), text.size());
    _exit(written == ssize_t(text.size()) ? 0 : 1);
  }
  close(ends[1]);
  char text[512] = {};
  EXPECT_GT(read(ends[0], text, sizeof text - 1), 0);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(std::string(text), "CUDA cannot be used in this process: it was forked from process " +
                                   std::to_string(parent) + " after CUDA had started there");
  int count = 0;
  EXPECT_TRUE((*driver)->call<DriverFn::DeviceGetCount>(&count));
}

TEST_F(Loading, AnEndingProcessReleasesNothing) {
  auto driver = load("");
  ASSERT_TRUE(driver);
  (*driver)->beginShutdown();
  const long calls = fake_.count(nullptr);
  (*driver)->release<DriverFn::MemFree>("memory", CUdeviceptr(1));
  int count = 0;
  Status status = (*driver)->call<DriverFn::DeviceGetCount>(&count);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, 4);
  EXPECT_EQ(fake_.count(nullptr), calls);
}

}  // namespace
}  // namespace rad::rt

#endif

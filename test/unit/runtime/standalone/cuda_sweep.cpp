// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The sweep: one scenario (open, load, copy, launch, wait, close) is run once to
// count its driver calls, and then again for every call of every function and
// several codes, each time in a process of its own where that one call fails.
// Whatever fails: no crash, no hang, nothing left open without a word about it,
// the caller's context as it was, and an error that names the call.

#include <gtest/gtest.h>

#if RADDLE_HAVE_CUDA

#include "runtime/cuda/cuda_device.h"
#include "test/unit/runtime/driver_sweep.h"
#include "test/unit/runtime/ptx_samples.h"

#include <cstring>
#include <set>
#include <sstream>
#include <vector>

namespace rad::rt {
namespace {

using test::FakeDriver;

/// Prints a line without values, as compiled code does.
void printLine(const CudaFakeLaunch*, void* user) {
  const FakeDriver& fake = FakeDriver::get();
  auto at = [&](const void* address, std::size_t bytes) {
    return fake.resolve(reinterpret_cast<std::uint64_t>(address), bytes);
  };
  auto* state =
      static_cast<cg::FailureState*>(fake.resolve(*static_cast<std::uint64_t*>(user), sizeof(cg::FailureState)));
  auto* print = static_cast<cg::PrintState*>(at(state->print, sizeof(cg::PrintState)));
  const cg::PrintedLine head{3, 0, 1, 0, 0};
  std::memcpy(at(print->lines + print->used, sizeof head), &head, sizeof head);
  print->used += head.words;
}

Status scenario(const DriverApi& driver, bool& wrongResult) {
  RAD_ASSIGN(std::shared_ptr<Device> device, CudaDevice::create(0, &driver));
  const std::string ptx = test::saxpyPtx();
  cg::DeviceCode code;
  code.target = "sm_80";
  auto text = test::bytesOf(ptx);
  code.cubin.assign(text.begin(), text.end());
  code.cubin.push_back(std::byte(0));

  RAD_ASSIGN(auto kernel, device->load(code, "saxpy"));
  if (auto missing = device->load(code, "other")) wrongResult = true;
  else if (missing.error().code != CUDA_ERROR_NOT_FOUND) return fail(std::move(missing).error());

  std::vector<std::uint32_t> values(1000, 17), back(1000);
  RAD_ASSIGN(auto x, device->allocate(4000));
  RAD_ASSIGN(auto y, device->allocate(4000));
  RAD_TRY(device->copyIn(*x, 0, std::as_bytes(std::span(values))));
  const std::uint8_t byte = 1;
  const std::uint16_t half = 0x0201;
  const std::uint32_t word = 0x04030201;
  const std::uint64_t twice = 0x0807060504030201;
  RAD_TRY(device->fill(*y, 0, 1000, std::as_bytes(std::span(&byte, 1))));
  RAD_TRY(device->fill(*y, 1000, 1000, std::as_bytes(std::span(&half, 1))));
  RAD_TRY(device->fill(*y, 2000, 1000, std::as_bytes(std::span(&word, 1))));
  RAD_TRY(device->fill(*y, 3000, 1000, std::as_bytes(std::span(&twice, 1))));
  float a = 2;
  std::uint64_t px = x->address(), py = y->address();
  std::uint32_t n = 1000;
  const void* arguments[] = {&a, &px, &py, &n};
  LaunchRequest request;
  request.threads = 256;
  request.arguments = arguments;
  request.name = "saxpy";
  request.prints = true;
  std::uint64_t state = device->failureState();
  FakeDriver::get().onLaunch("saxpy", printLine, &state);
  for (unsigned shared : {0u, 100u << 10}) {
    request.dynamicSharedBytes = shared;
    RAD_TRY(device->launch(*kernel, request));
  }
  RAD_TRY(device->synchronize());
  (void)device->takeFailure();
  if (device->takePrinted().words.size() != 6) wrongResult = true;
  RAD_TRY(device->copyWithin(*y, 0, *x, 0, 4000));
  RAD_TRY(device->copyOut(std::as_writable_bytes(std::span(back)), *y, 0));
  if (back != values) wrongResult = true;
  // More than there is: a refusal that costs nothing.
  if (auto huge = device->allocate(std::uint64_t(1) << 40)) wrongResult = true;
  else if (huge.error().code != CUDA_ERROR_OUT_OF_MEMORY || !huge.error().call.starts_with("cuMemAlloc"))
    return fail(std::move(huge).error());
  return {};
}

std::vector<std::string> functionsBehindPush() {
  std::vector<std::string> functions;
  std::istringstream calls(FakeDriver::get().journal());
  bool isBehindPush = false;
  for (std::string line; std::getline(calls, line);) {
    std::istringstream words(line);
    std::string word;
    while (words >> word && !word.starts_with("cu")) {
    }
    word = word.substr(0, word.find('('));
    if (isBehindPush) functions.push_back(word);
    isBehindPush = word == "cuCtxPushCurrent";
  }
  return functions;
}

using Outcome = test::SweepOutcome;
constexpr const char* wrong = "wrong result";

/// The notes of a run: what each cuCtxPushCurrent is for, or that a result was wrong though nothing failed.
Outcome runWith(const std::string& specification) {
  bool wrongResult = false;  // each process has its own
  test::SweepScenario one;
  one.run = [&](const DriverApi& driver) { return scenario(driver, wrongResult); };
  one.notes = [&](const Outcome& outcome) {
    std::vector<std::string> notes = functionsBehindPush();
    if (wrongResult && outcome.error.empty()) notes.push_back(wrong);
    return notes;
  };
  return test::runSweep(specification, one);
}

bool isWrong(const Outcome& outcome) { return !outcome.notes.empty() && outcome.notes.back() == wrong; }

/// Functions whose failure costs nothing but knowledge: the scenario may succeed
/// in spite of it.
bool mayBeIgnored(const std::string& function) {
  static const std::set<std::string> names = {"cuLogsCurrent",
                                              "cuLogsDumpToMemory",
                                              "cuDeviceGetAttribute",
                                              "cuDeviceGetName",
                                              "cuDeviceTotalMem",
                                              "cuPointerGetAttributes",
                                              "cuLibraryUnload",
                                              "cuCtxPopCurrent",
                                              "cuMemFree",
                                              "cuMemFreeAsync",
                                              "cuMemFreeHost",
                                              "cuMemPoolDestroy",
                                              "cuStreamDestroy",
                                              "cuMemGetInfo",
                                              "cuMemPoolTrimTo",
                                              "cuKernelGetName",
                                              "cuLibraryGetKernelCount",
                                              "cuLibraryEnumerateKernels",
                                              "cuDevicePrimaryCtxRelease"};
  return names.count(function) != 0;
}

TEST(CudaSweep, TheScenarioItselfIsClean) {
  Outcome outcome = runWith("");
  ASSERT_TRUE(outcome.finished) << outcome.signal;
  EXPECT_EQ(outcome.error, "");
  EXPECT_FALSE(isWrong(outcome));
  EXPECT_EQ(outcome.live, 0);
  EXPECT_EQ(outcome.depth, 0);
  EXPECT_EQ(outcome.warnings, "");
  EXPECT_EQ(outcome.violations, "");
}

TEST(CudaSweep, EveryCallMayFailWithEveryCode) {
  for (const char* base : {"", "missing=cuMemPoolCreate;"}) {
    const Outcome baseline = runWith(base);
    ASSERT_TRUE(baseline.finished);
    long runs = 0, functions = 0;
    for (const auto& [function, count] : baseline.counts) {
      functions += count > 0;
      for (long nth = 1; nth <= count; ++nth)
        for (const char* code : {"2", "1", "201", "700!sticky", "999"}) {
          const std::string specification = base + ("fail=" + function) + "@" + std::to_string(nth) + ":" + code;
          const Outcome outcome = runWith(specification);
          SCOPED_TRACE(specification + "\n  error: " + outcome.error);
          ++runs;
          // A context that cannot be made current is a failure of the call that
          // it is made current for.
          const bool isPush = function == "cuCtxPushCurrent" && std::size_t(nth) <= baseline.notes.size();
          const std::string& meant = isPush ? baseline.notes[std::size_t(nth) - 1] : function;
          ASSERT_EQ(outcome.signal, 0);
          ASSERT_TRUE(outcome.finished);
          const bool sticky = std::string_view(code).ends_with("sticky");
          const bool told = !outcome.warnings.empty() || outcome.dead;
          if (function != "cuCtxPopCurrent") {
            EXPECT_EQ(outcome.depth, 0);
          }
          if (!told) {
            EXPECT_EQ(outcome.live, 0) << "something is left, and nobody said";
            EXPECT_EQ(outcome.violations, "");
          }
          EXPECT_FALSE(isWrong(outcome));
          if (outcome.error.empty()) {
            // An allocation that finds no memory is tried again, and the last
            // one of the scenario fails that way by itself.
            const bool expected = meant.starts_with("cuMemAlloc") && std::string_view(code) == "2";
            // Past the last parameter, 1 is the answer.
            const bool answer = function == "cuKernelGetParamInfo" && std::string_view(code) == "1";
            // A device that dies while it is closed has nobody to tell.
            EXPECT_TRUE(mayBeIgnored(meant) || expected || answer || told) << "the failure was lost";
          } else {
            EXPECT_GE(outcome.category, 0);
            const bool fewer = function == "cuKernelGetParamInfo" && std::string_view(code) == "1";
            if (!mayBeIgnored(function) && !fewer) {
              EXPECT_EQ(outcome.call, function);
              EXPECT_NE(outcome.error.find(function + "]"), std::string::npos) << "the error names its call";
            }
            if (sticky) {
              EXPECT_EQ(outcome.category,
                        int(function == "cuInit" || function == "cuDriverGetVersion" ? outcome.category
                                                                                     : int(ErrorCategory::Dead)));
            }
          }
        }
    }
    std::printf("%ld runs over %ld functions (%s)\n", runs, functions, *base ? base : "all functions there");
    EXPECT_GT(functions, 30);
  }
}

TEST(CudaSweep, EveryOptionalFunctionMayBeMissing) {
  for (std::size_t i = 0; i < driverFnCount; ++i) {
    const DriverFnInfo& info = driverFnInfo(DriverFn(i));
    const Outcome outcome = runWith(std::string("missing=") + info.name);
    SCOPED_TRACE(info.name);
    ASSERT_TRUE(outcome.finished);
    EXPECT_EQ(outcome.live, 0);
    if (info.need == DriverNeed::Optional) {
      EXPECT_EQ(outcome.error, "");
    } else {
      EXPECT_NE(outcome.error.find(info.name), std::string::npos) << outcome.error;
    }
  }
}

TEST(CudaSweep, FailuresThatArriveLateAreReported) {
  const Outcome baseline = runWith("");
  for (const auto& [function, count] : baseline.counts)
    for (long nth = 1; nth <= count; ++nth) {
      const std::string specification = "fail_async=" + function + "@" + std::to_string(nth) + ":2";
      const Outcome outcome = runWith(specification);
      SCOPED_TRACE(specification + "\n  error: " + outcome.error);
      ASSERT_EQ(outcome.signal, 0);
      ASSERT_TRUE(outcome.finished);
      if (outcome.warnings.empty()) {
        EXPECT_EQ(outcome.live, 0);
      }
    }
}

}  // namespace
}  // namespace rad::rt

#endif

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

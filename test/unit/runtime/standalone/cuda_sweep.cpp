// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The sweep: one scenario (open, load, copy, launch, wait, close) is run once to
// count its driver calls, and then again for every call of every function and
// several codes, each time in a process of its own where that one call fails.
// Whatever fails: no crash, no hang, nothing left open without a word about it,
// the caller's context as it was, and an error that names the call.

#include <gtest/gtest.h>

#if RADDLE_HAVE_CUDA

#include "runtime/base/warning_sink.h"
#include "runtime/cuda/cuda_device.h"
#include "test/unit/runtime/fake_driver.h"
#include "test/unit/runtime/ptx_samples.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <map>
#include <set>
#include <sstream>
#include <vector>

namespace rad::rt {
namespace {

using test::FakeDriver;

/// What one run of the scenario saw; travels through a pipe as text.
struct Outcome {
  bool finished = false;  // the child came to its end
  int signal = 0;
  std::string error;  // "" or the first failure, rendered
  std::string call;   // of that failure
  int category = -1;
  long live = 0, depth = 0, warnings = 0;
  bool dead = false;
  bool wrongResult = false;
  std::string violations, journal;
  std::map<std::string, long> counts;
  std::vector<std::string> behindPush;  // what each cuCtxPushCurrent is for
};

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

/// The child: runs the scenario and writes what it saw.
[[noreturn]] void child(const std::string& specification, int out) {
  alarm(20);  // a hang ends in SIGALRM
  const FakeDriver& fake = FakeDriver::get();
  fake.configure(specification.c_str());
  static long warnings = 0;
  setWarningSink([](std::string_view) { ++warnings; });
  Error error;
  bool failed = false, dead = false, wrongResult = false;
  {
    auto driver = DriverApi::load(FakeDriver::path());
    if (!driver) {
      failed = true;
      error = driver.error();
    } else {
      if (Status status = scenario(**driver, wrongResult); !status) {
        failed = true;
        error = status.error();
      }
      dead = (*driver)->dead();
    }
  }
  std::ostringstream text;
  text << "live " << fake.live(nullptr) << "\ndepth " << fake.depth() << "\nwarnings " << warnings << "\ndead " << dead
       << "\nwrong " << (wrongResult && !failed) << '\n';
  if (failed) {
    std::string line = error.render();
    line = line.substr(0, line.find('\n'));
    text << "category " << int(error.category) << "\ncall " << error.call << "\nerror " << line << '\n';
  }
  for (std::size_t i = 0; i < driverFnCount; ++i)
    text << "count " << driverFnInfo(DriverFn(i)).name << ' ' << fake.count(driverFnInfo(DriverFn(i)).name) << '\n';
  std::istringstream calls(fake.journal());
  bool isBehindPush = false;
  for (std::string line; std::getline(calls, line);) {
    std::istringstream words(line);
    std::string word;
    while (words >> word && !word.starts_with("cu")) {
    }
    word = word.substr(0, word.find('('));
    if (isBehindPush) text << "behind " << word << '\n';
    isBehindPush = word == "cuCtxPushCurrent";
  }
  std::istringstream lines(fake.violations());
  for (std::string line; std::getline(lines, line);) text << "violation " << line << '\n';
  text << "end\n";
  const std::string all = text.str();
  for (std::size_t done = 0; done < all.size();) {
    ssize_t n = write(out, all.data() + done, all.size() - done);
    if (n <= 0) break;
    done += std::size_t(n);
  }
  _exit(0);
}

Outcome runWith(const std::string& specification) {
  int ends[2];
  Outcome outcome;
  if (pipe(ends) != 0) return outcome;
  const pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    child(specification, ends[1]);
  }
  close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, std::size_t(n));
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string key, name;
    words >> key;
    if (key == "live") words >> outcome.live;
    else if (key == "depth") words >> outcome.depth;
    else if (key == "warnings") words >> outcome.warnings;
    else if (key == "dead") words >> outcome.dead;
    else if (key == "wrong") words >> outcome.wrongResult;
    else if (key == "category") words >> outcome.category;
    else if (key == "call") words >> outcome.call;
    else if (key == "error") outcome.error = line.substr(6);
    else if (key == "violation") outcome.violations += line.substr(10) + '\n';
    else if (key == "behind") words >> outcome.behindPush.emplace_back();
    else if (key == "count") {
      words >> name;
      words >> outcome.counts[name];
    } else if (key == "end") outcome.finished = true;
  }
  return outcome;
}

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
  EXPECT_FALSE(outcome.wrongResult);
  EXPECT_EQ(outcome.live, 0);
  EXPECT_EQ(outcome.depth, 0);
  EXPECT_EQ(outcome.warnings, 0);
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
          const bool isPush = function == "cuCtxPushCurrent" && std::size_t(nth) <= baseline.behindPush.size();
          const std::string& meant = isPush ? baseline.behindPush[std::size_t(nth) - 1] : function;
          ASSERT_EQ(outcome.signal, 0);
          ASSERT_TRUE(outcome.finished);
          const bool sticky = std::string_view(code).ends_with("sticky");
          const bool told = outcome.warnings > 0 || outcome.dead;
          if (function != "cuCtxPopCurrent") {
            EXPECT_EQ(outcome.depth, 0);
          }
          if (!told) {
            EXPECT_EQ(outcome.live, 0) << "something is left, and nobody said";
            EXPECT_EQ(outcome.violations, "");
          }
          EXPECT_FALSE(outcome.wrongResult);
          if (outcome.error.empty()) {
            // An allocation that finds no memory is tried again, and the last
            // one of the scenario fails that way by itself.
            const bool expected = meant.starts_with("cuMemAlloc") && std::string_view(code) == "2";
            // Past the last parameter, 1 is the answer.
            const bool answer = function == "cuKernelGetParamInfo" && std::string_view(code) == "1";
            // A device that dies while it is closed has nobody to tell.
            EXPECT_TRUE(mayBeIgnored(meant) || expected || answer || outcome.warnings > 0 || outcome.dead)
                << "the failure was lost";
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
      if (outcome.warnings == 0) {
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

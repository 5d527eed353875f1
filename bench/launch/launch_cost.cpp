// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a launch costs: as compiled host code makes it (`checked`: arguments read, shapes and overlap checked, the variant looked up),
// with everything prepared (`prepared`: the device's launch alone), and by cuLaunchKernelEx (`raw`).
//
//   raddle_launch_cost noop LIBCUDANOOP     our share: the driver's launch does nothing
//   raddle_launch_cost gpu                  on the first GPU, the three in turns
//
// A line of JSON for each number of arguments. Half of the arguments are arrays of one size, the other half numbers.
#include "runtime/api/host_abi.h"
#include "runtime/cuda/cuda_device.h"
#include "runtime/dynlib/driver_api.h"
#include "runtime/launch/context.h"
#include "runtime/launch/binding.h"

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace {

using namespace rad::rt;
namespace cg = rad::cg;
using Clock = std::chrono::steady_clock;

constexpr int rounds = 30, launches = 10000;
constexpr int64_t elements = 4;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "raddle_launch_cost: %s\n", what.c_str());
  std::exit(1);
}
template <class T>
T must(Result<T> result) {
  if (!result) die(result.error().render());
  return *std::move(result);
}
void must(Result<void> result) {
  if (!result) die(result.error().render());
}
void mustRaw(CUresult status, const char* call) {
  if (status != CUDA_SUCCESS) die(std::string(call) + " gave " + std::to_string(status));
}

/// `forall i in 0..n` with so many parameters, or over one point without any.
cg::KernelManifest manifestOf(int arguments) {
  cg::KernelManifest kernel;
  kernel.name = kernel.symbol = "k" + std::to_string(arguments);
  for (int i = 0; i < arguments; ++i) {
    cg::ParamManifest param;
    param.name = "p" + std::to_string(i);
    param.isView = i % 2 == 0;
    param.isMut = i == 0;
    if (param.isView) param.shape.push_back({cg::SizeOp::Dimension, 0, {}});
    kernel.params.push_back(std::move(param));
  }
  cg::AxisManifest axis;
  axis.name = "i";
  axis.high.value = 1;
  if (arguments > 0) {
    kernel.dims = {"n"};
    axis.high = {cg::SizeOp::Dimension, 0, {}};
  }
  kernel.axes.push_back(std::move(axis));
  return kernel;
}

int parametersOf(const cg::KernelManifest& kernel) { return static_cast<int>(kernel.params.size() + kernel.dims.size()) + 2 + 1 + 1; }

std::string ptxOf(const cg::KernelManifest& kernel) {
  std::string out = ".version 8.0\n.target sm_75\n.address_size 64\n.visible .entry " + kernel.symbol + "(";
  const int count = parametersOf(kernel);
  for (int i = 0; i < count; ++i) out += std::string(i ? ", " : "") + (i + 1 < count ? ".param .u64 a" : ".param .u32 a") + std::to_string(i);
  return out + ") { ret; }\n";
}

struct Provider : KernelProvider {
  std::shared_ptr<Kernel> kernel;
  Result<std::shared_ptr<Kernel>> get(const Unit&, uint32_t, const cg::SpecKey&) override { return kernel; }
};

/// What the timed script launches.
struct Job {
  std::vector<RadView> views;
  std::vector<float> numbers;
  std::vector<const void*> arguments;
  int count = 0;
  std::vector<double>* each = nullptr;  // gets the nanoseconds of each launch
} job;

/// Calls `launch` so often, timed alone where that is asked for.
template <class Launch>
int32_t repeat(int count, std::vector<double>* each, Launch launch) {
  for (int i = 0; i < count; ++i) {
    if (!each) {
      if (int32_t status = launch()) return status;
      continue;
    }
    const auto start = Clock::now();
    if (int32_t status = launch()) return status;
    each->push_back(std::chrono::duration<double, std::nano>(Clock::now() - start).count());
  }
  return 0;
}

int32_t make(RadContext* context) {
  for (RadView& view : job.views) {
    view = {};
    view.rank = 1;
    view.elementType = static_cast<int32_t>(cg::ElementType::F32);
    for (int64_t& extent : view.extents) extent = 1;
    view.extents[0] = elements;
    if (int32_t status = rad_array_new(context, view.elementType, 1, view.extents, 0, &view.array)) return status;
  }
  return 0;
}
int32_t releaseAll(RadContext*) {
  for (RadView& view : job.views) rad_release(view.array);
  return 0;
}
int32_t launchAll(RadContext* context) {
  return repeat(job.count, job.each, [&] { return rad_launch(context, 0, job.arguments.data(), 0); });
}

struct Series {
  std::vector<double> perRound;  // nanoseconds a launch
  std::vector<double> single;    // of each launch timed alone
};

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<size_t>(q * static_cast<double>(values.size())))];
}

void print(const char* name, const Series& series) {
  std::printf(", \"%s\": {\"median\": %.1f, \"p50\": %.1f, \"p99\": %.1f}", name, quantile(series.perRound, 0.5), quantile(series.single, 0.5),
              quantile(series.single, 0.99));
}

template <class Many, class Wait>
void timed(Series& series, Many many, Wait wait) {
  wait();
  auto start = Clock::now();
  many(launches, nullptr);
  series.perRound.push_back(std::chrono::duration<double, std::nano>(Clock::now() - start).count() / launches);
  wait();
  many(launches / rounds, &series.single);
}

void measure(const DriverApi& driver, const std::shared_ptr<Device>& device, int arguments, bool isGpu, void (*noop)(int)) {
  auto unit = std::make_shared<Unit>();
  unit->manifest.kernels.push_back(manifestOf(arguments));
  const cg::KernelManifest& manifest = unit->manifest.kernels[0];
  const std::string ptx = ptxOf(manifest);
  cg::DeviceCode code;
  code.target = "sm_75";
  const auto* text = reinterpret_cast<const std::byte*>(ptx.c_str());
  code.cubin.assign(text, text + ptx.size() + 1);  // the driver compiles it
  Provider provider;
  provider.kernel = must(device->load(code, manifest.symbol));
  ContextOptions options;
  options.device = device;
  options.kernels = &provider;
  RadContext context(std::move(options));
  auto run = [&](Script script) {
    if (auto error = context.run(unit, script)) die(error->text);
  };
  job.views.assign(static_cast<size_t>(arguments + 1) / 2, RadView{});
  job.numbers.assign(static_cast<size_t>(arguments), 1.0f);
  job.arguments.clear();
  for (int i = 0; i < arguments; ++i)
    job.arguments.push_back(i % 2 == 0 ? static_cast<const void*>(&job.views[static_cast<size_t>(i / 2)]) : &job.numbers[static_cast<size_t>(i)]);
  run(make);

  // The prepared launch: what the checks gave, kept.
  std::vector<Argument> values;
  for (int i = 0; i < arguments; ++i) {
    if (i % 2) {
      values.emplace_back(ScalarArgument{});
      continue;
    }
    const RadView& view = job.views[static_cast<size_t>(i / 2)];
    ViewArgument argument;
    argument.block = &view.array->buffer();
    argument.address = view.array->buffer().address();
    argument.extents[0] = elements;
    values.emplace_back(argument);
  }
  const Binding binding = must(bindArguments(manifest, values));
  const ArgumentBlock block(manifest, values, binding, 0, device->failureState(), 1);
  LaunchRequest request;
  request.threads = 256;
  request.arguments = block.pointers();
  request.name = manifest.name;

  // The driver alone: its own library and stream in the same context.
  CUcontext primary = nullptr;
  CUlibrary library = nullptr;
  CUkernel kernel = nullptr;
  CUstream stream = nullptr;
  CUdevice ordinal = 0;
  CUlaunchConfig config{};
  const auto rawLaunch = driver.raw<DriverFn::LaunchKernelEx>();
  if (isGpu) {
    must(driver.call<DriverFn::DeviceGet>(&ordinal, 0));
    must(driver.call<DriverFn::DevicePrimaryCtxRetain>(&primary, ordinal));
    must(driver.call<DriverFn::CtxPushCurrent>(primary));
    must(driver.call<DriverFn::StreamCreateWithPriority>(&stream, static_cast<unsigned>(CU_STREAM_NON_BLOCKING), 0));
    must(driver.call<DriverFn::LibraryLoadData>(&library, static_cast<const void*>(ptx.c_str()), nullptr, nullptr, 0u, nullptr, nullptr, 0u));
    must(driver.call<DriverFn::LibraryGetKernel>(&kernel, library, manifest.symbol.c_str()));
    config.gridDimX = config.gridDimY = config.gridDimZ = config.blockDimY = config.blockDimZ = 1;
    config.blockDimX = 256;
    config.hStream = stream;
  }
  auto wait = [&] {
    if (noop) noop(0);
    must(device->synchronize());
    if (stream) must(driver.call<DriverFn::StreamSynchronize>(stream));
    if (auto error = context.finish()) die(error->text);
    if (noop) noop(1);
  };
  auto checked = [&](int count, std::vector<double>* each) {
    job.count = count;
    job.each = each;
    run(launchAll);
  };
  auto prepared = [&](int count, std::vector<double>* each) {
    repeat(count, each, [&] {
      must(device->launch(*provider.kernel, request));
      return 0;
    });
  };
  auto raw = [&](int count, std::vector<double>* each) {
    repeat(count, each, [&] {
      mustRaw(rawLaunch(&config, reinterpret_cast<CUfunction>(kernel), const_cast<void**>(block.pointers().data()), nullptr), "cuLaunchKernelEx");
      return 0;
    });
  };
  checked(1000, nullptr), prepared(1000, nullptr);
  if (isGpu) raw(1000, nullptr);
  Series checkedSeries, preparedSeries, rawSeries;
  for (int round = 0; round < rounds; ++round)
    for (int turn = 0; turn < 3; ++turn) {
      const int which = (turn + round) % 3;
      if (which == 0) timed(checkedSeries, checked, wait);
      if (which == 1) timed(preparedSeries, prepared, wait);
      if (which == 2 && isGpu) timed(rawSeries, raw, wait);
    }
  if (noop) noop(0);
  std::printf("{\"arguments\": %d, \"parameters\": %d", arguments, parametersOf(manifest));
  print("checked", checkedSeries);
  print("prepared", preparedSeries);
  if (isGpu) {
    print("raw", rawSeries);
    for (const auto& [name, series] : {std::pair("checked", &checkedSeries), std::pair("prepared", &preparedSeries)}) {
      std::vector<double> differences;
      for (int i = 0; i < rounds; ++i) differences.push_back(series->perRound[static_cast<size_t>(i)] - rawSeries.perRound[static_cast<size_t>(i)]);
      // Of 30 values the 10th and the 21st enclose the median with 95.7 % (binomial).
      std::sort(differences.begin(), differences.end());
      std::printf(", \"%s_minus_raw\": {\"median\": %.1f, \"low\": %.1f, \"high\": %.1f}", name, (differences[14] + differences[15]) / 2, differences[9],
                  differences[20]);
    }
  }
  std::printf("}\n");
  std::fflush(stdout);
  run(releaseAll);
  if (isGpu) {
    must(driver.call<DriverFn::LibraryUnload>(library));
    must(driver.call<DriverFn::StreamDestroy>(stream));
    CUcontext popped = nullptr;
    must(driver.call<DriverFn::CtxPopCurrent>(&popped));
    must(driver.call<DriverFn::DevicePrimaryCtxRelease>(ordinal));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode != "gpu" && !(mode == "noop" && argc == 3)) die("usage: raddle_launch_cost gpu | noop LIBCUDANOOP");
  void (*noop)(int) = nullptr;
  if (mode == "noop") {
    void* library = dlopen(argv[2], RTLD_NOW | RTLD_GLOBAL);
    if (library) noop = reinterpret_cast<void (*)(int)>(dlsym(library, "cudaNoop"));
    if (!noop) die(std::string(argv[2]) + " is not the library of no-ops");
    DriverApi::setLibraryPath(argv[2]);
  }
  const DriverApi* driver = must(DriverApi::get());
  std::shared_ptr<Device> device = must(CudaDevice::create(0));
  if (mode == "gpu" && device->info().name.find("FAKE") != std::string::npos) die("a look-alike is no GPU: nothing to measure");
  for (int arguments : {0, 8, 19, 58}) measure(*driver, device, arguments, mode == "gpu", noop);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a launch costs: as compiled host code makes it (`checked`: arguments read, shapes and overlap checked, the
// variant looked up), with everything prepared (`prepared`: cuda::PreparedLaunch), and by cuLaunchKernelEx (`raw`).
//
//   raddle_launch_cost noop LIBCUDANOOP     our share: the driver's launch does nothing
//   raddle_launch_cost gpu                  on the first GPU, the three in turns; then a graph of 1,000 launches beside
//   the driver's
//
// A line of JSON for each number of arguments. Half of the arguments are arrays of one size, the other half numbers.
#include "runtime/api/host_abi.h"
#include "runtime/cuda/cuda_device.h"
#include "runtime/driver/graph.h"
#include "runtime/dynlib/driver_api.h"
#include "runtime/launch/context.h"

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace rad::rt;
namespace cg = rad::cg;
namespace cuda = rad::cuda;
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

int parametersOf(const cg::KernelManifest& kernel) {
  return static_cast<int>(kernel.params.size() + kernel.dims.size()) + 2 + 1 + 1;
}

std::string ptxOf(const cg::KernelManifest& kernel) {
  std::string out = ".version 8.0\n.target sm_75\n.address_size 64\n.visible .entry " + kernel.symbol + "(";
  const int count = parametersOf(kernel);
  for (int i = 0; i < count; ++i)
    out += std::string(i ? ", " : "") + (i + 1 < count ? ".param .u64 a" : ".param .u32 a") + std::to_string(i);
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
  int count = 0, part = 0;
  std::vector<double>* times = nullptr;
} job;

/// Calls `launch` `count` times; `times` gets the nanoseconds of each `part` of them, for one launch.
template <class Launch>
int32_t repeat(int count, int part, std::vector<double>& times, Launch launch) {
  for (int done = 0; done < count; done += part) {
    const auto start = Clock::now();
    for (int i = 0; i < part; ++i)
      if (int32_t status = launch()) return status;
    times.push_back(std::chrono::duration<double, std::nano>(Clock::now() - start).count() / part);
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
  return repeat(job.count, job.part, *job.times, [&] { return rad_launch(context, 0, job.arguments.data(), 0); });
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
  std::printf(", \"%s\": {\"median\": %.1f, \"p50\": %.1f, \"p99\": %.1f}", name, quantile(series.perRound, 0.5),
              quantile(series.single, 0.5), quantile(series.single, 0.99));
}

/// A round: on a GPU the time of all launches, so that a queue that is full counts. Without one the median over parts
/// of it: the processor may be taken away meanwhile.
template <class Many, class Wait>
void timed(Series& series, bool isGpu, Many many, Wait wait) {
  std::vector<double> parts;
  wait();
  many(launches, isGpu ? launches : 100, parts);
  series.perRound.push_back(quantile(parts, 0.5));
  wait();
  many(launches / rounds, 1, series.single);
}

/// The median of differences between two series, with its interval: of 30 values the 10th and the 21st enclose it
/// with 95.7 % (binomial).
struct Difference {
  double median = 0, low = 0, high = 0;
};
Difference differenceOf(const std::vector<double>& ours, const std::vector<double>& raw, bool asRatio) {
  std::vector<double> out;
  for (size_t i = 0; i < ours.size(); ++i) out.push_back(asRatio ? ours[i] / raw[i] : ours[i] - raw[i]);
  std::sort(out.begin(), out.end());
  return {(out[14] + out[15]) / 2, out[9], out[20]};
}

/// The launches of the driver interface: ours are prepared, the driver's get the same values.
struct Direct {
  cuda::Context context;
  cuda::Stream stream;
  cuda::Kernel kernel;
  cuda::PreparedLaunch prepared;
  std::vector<uint64_t> values;
  std::vector<void*> addresses;

  Direct(const DriverApi& driver, const cg::KernelManifest& manifest, const std::string& ptx) {
    context = must(cuda::Context::primary(0, &driver));
    stream = must(cuda::Stream::create(context));
    kernel = must(must(cuda::Library::load(context, cuda::Image::ptx(ptx))).kernel(manifest.symbol));
    values.resize(static_cast<size_t>(parametersOf(manifest)), 1);
    std::vector<std::span<const std::byte>> bytes;
    for (size_t i = 0; i < values.size(); ++i) {
      addresses.push_back(&values[i]);
      bytes.push_back(std::as_bytes(std::span(&values[i], 1)).first(i + 1 < values.size() ? 8 : 4));
    }
    prepared = must(cuda::PreparedLaunch::makeWith(stream, kernel, {.block = {256}}, bytes));
  }
  CUlaunchConfig config() const {
    CUlaunchConfig out{};
    out.gridDimX = out.gridDimY = out.gridDimZ = out.blockDimY = out.blockDimZ = 1;
    out.blockDimX = 256;
    out.hStream = stream.raw();
    return out;
  }
};

void measure(const DriverApi& driver, const std::shared_ptr<Device>& device, int arguments, void (*noop)(int)) {
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
    job.arguments.push_back(i % 2 == 0 ? static_cast<const void*>(&job.views[static_cast<size_t>(i / 2)])
                                       : &job.numbers[static_cast<size_t>(i)]);
  run(make);

  const Direct direct(driver, manifest, ptx);
  const CUlaunchConfig config = direct.config();
  const auto rawLaunch = driver.raw<DriverFn::LaunchKernelEx>();
  auto wait = [&] {
    if (noop) noop(0);
    must(device->synchronize());
    must(direct.stream.synchronize());
    if (auto error = context.finish()) die(error->text);
    if (noop) noop(1);
  };
  auto checked = [&](int count, int part, std::vector<double>& times) {
    job.count = count;
    job.part = part;
    job.times = &times;
    run(launchAll);
  };
  auto prepared = [&](int count, int part, std::vector<double>& times) {
    repeat(count, part, times, [&] {
      must(direct.prepared.launch());
      return 0;
    });
  };
  auto raw = [&](int count, int part, std::vector<double>& times) {
    repeat(count, part, times, [&] {
      mustRaw(rawLaunch(&config, direct.kernel.raw(), const_cast<void**>(direct.addresses.data()), nullptr),
              "cuLaunchKernelEx");
      return 0;
    });
  };
  std::vector<double> unused;
  checked(1000, 1000, unused), prepared(1000, 1000, unused), raw(1000, 1000, unused);
  Series checkedSeries, preparedSeries, rawSeries;
  for (int round = 0; round < rounds; ++round)
    for (int turn = 0; turn < 3; ++turn) {
      const int which = (turn + round) % 3;
      if (which == 0) timed(checkedSeries, !noop, checked, wait);
      if (which == 1) timed(preparedSeries, !noop, prepared, wait);
      if (which == 2) timed(rawSeries, !noop, raw, wait);
    }
  if (noop) noop(0);
  std::printf("{\"arguments\": %d, \"parameters\": %d", arguments, parametersOf(manifest));
  print("raw", rawSeries);
  print("checked", checkedSeries);
  print("prepared", preparedSeries);
  for (const auto& [name, series] : {std::pair("checked", &checkedSeries), std::pair("prepared", &preparedSeries)}) {
    const Difference difference = differenceOf(series->perRound, rawSeries.perRound, false);
    std::printf(", \"%s_minus_raw\": {\"median\": %.1f, \"low\": %.1f, \"high\": %.1f}", name, difference.median,
                difference.low, difference.high);
  }
  std::printf("}\n");
  std::fflush(stdout);
  run(releaseAll);
}

/// The same 1,000 launches captured by us and by the driver alone; each replayed with its wait, in turns.
void measureGraph(const DriverApi& driver) {
  constexpr int nodes = 1000, replays = 20;
  const cg::KernelManifest manifest = manifestOf(8);
  const Direct direct(driver, manifest, ptxOf(manifest));
  const cuda::Graph graph = must(cuda::capture(direct.stream, [&]() -> Status {
    for (int i = 0; i < nodes; ++i) RAD_TRY(direct.prepared.launch());
    return {};
  }));
  const cuda::GraphExec exec = must(graph.instantiate());

  const CUlaunchConfig config = direct.config();
  CUgraph rawGraph = nullptr;
  CUgraphExec rawExec = nullptr;
  must(driver.call<DriverFn::CtxPushCurrent>(direct.context.raw()));
  mustRaw(driver.raw<DriverFn::StreamBeginCapture>()(direct.stream.raw(), CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
          "cuStreamBeginCapture");
  for (int i = 0; i < nodes; ++i)
    mustRaw(driver.raw<DriverFn::LaunchKernelEx>()(&config, direct.kernel.raw(),
                                                   const_cast<void**>(direct.addresses.data()), nullptr),
            "cuLaunchKernelEx");
  mustRaw(driver.raw<DriverFn::StreamEndCapture>()(direct.stream.raw(), &rawGraph), "cuStreamEndCapture");
  CUDA_GRAPH_INSTANTIATE_PARAMS how{};
  mustRaw(driver.raw<DriverFn::GraphInstantiateWithParams>()(&rawExec, rawGraph, &how), "cuGraphInstantiateWithParams");

  std::vector<double> ours, raw;
  auto timeOf = [&](auto launch, std::vector<double>& out) {
    const auto start = Clock::now();
    for (int i = 0; i < replays; ++i) launch();
    out.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count() / replays);
  };
  auto replayOurs = [&] {
    must(exec.launch(direct.stream));
    must(direct.stream.synchronize());
  };
  auto replayRaw = [&] {
    mustRaw(driver.raw<DriverFn::GraphLaunch>()(rawExec, direct.stream.raw()), "cuGraphLaunch");
    mustRaw(driver.raw<DriverFn::StreamSynchronize>()(direct.stream.raw()), "cuStreamSynchronize");
  };
  for (int i = 0; i < 3; ++i) replayOurs(), replayRaw();
  for (int round = 0; round < rounds; ++round) {
    if (round % 2) timeOf(replayOurs, ours);
    timeOf(replayRaw, raw);
    if (round % 2 == 0) timeOf(replayOurs, ours);
  }
  const Difference ratio = differenceOf(ours, raw, true);
  std::printf(
      "{\"graph_nodes\": %d, \"ours\": %.1f, \"raw\": %.1f, \"ratio\": {\"median\": %.4f, \"low\": %.4f, \"high\": "
      "%.4f}}\n",
      nodes, quantile(ours, 0.5), quantile(raw, 0.5), ratio.median, ratio.low, ratio.high);
  must(driver.call<DriverFn::GraphExecDestroy>(rawExec));
  must(driver.call<DriverFn::GraphDestroy>(rawGraph));
  CUcontext popped = nullptr;
  must(driver.call<DriverFn::CtxPopCurrent>(&popped));
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
  if (mode == "gpu" && device->info().name.find("FAKE") != std::string::npos)
    die("a look-alike is no GPU: nothing to measure");
  for (int arguments : {0, 8, 19, 58}) measure(*driver, device, arguments, noop);
  if (mode == "gpu") measureGraph(*driver);
  return 0;
}

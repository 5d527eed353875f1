// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/launch.h"

#include "runtime/driver/captured.h"

#include <algorithm>
#include <cstring>

namespace rad::cuda {

LaunchAttributes::LaunchAttributes(const LaunchConfig& config) {
  const auto add = [&](CUlaunchAttributeID id) -> CUlaunchAttributeValue& {
    attributes_[count_] = {};
    attributes_[count_].id = id;
    return attributes_[count_++].value;
  };
  if (config.cluster) {
    auto& value = add(CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION).clusterDim;
    value.x = config.cluster->x;
    value.y = config.cluster->y;
    value.z = config.cluster->z;
  }
  if (config.cooperative) add(CU_LAUNCH_ATTRIBUTE_COOPERATIVE).cooperative = 1;
  if (config.overlapPrevious)
    add(CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION).programmaticStreamSerializationAllowed = 1;
  if (config.priority) add(CU_LAUNCH_ATTRIBUTE_PRIORITY).priority = *config.priority;
  if (config.sharedCarveout)
    add(CU_LAUNCH_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT).sharedMemCarveout = *config.sharedCarveout;
  if (config.whenBegun) add(CU_LAUNCH_ATTRIBUTE_LAUNCH_COMPLETION_EVENT).launchCompletionEvent.event = config.whenBegun;
}

namespace {

std::string text(const Dim3& size) {
  return std::to_string(size.x) + " x " + std::to_string(size.y) + " x " + std::to_string(size.z);
}

CUlaunchConfig configOf(const LaunchConfig& config, const LaunchAttributes& attributes, CUstream stream) {
  CUlaunchConfig out{};
  out.gridDimX = config.grid.x;
  out.gridDimY = config.grid.y;
  out.gridDimZ = config.grid.z;
  out.blockDimX = config.block.x;
  out.blockDimY = config.block.y;
  out.blockDimZ = config.block.z;
  out.sharedMemBytes = config.sharedBytes;
  out.hStream = stream;
  out.attrs = const_cast<CUlaunchAttribute*>(attributes.data());
  out.numAttrs = attributes.count();
  return out;
}

/// Makes the failures of a launch.
struct Refusal {
  std::string_view name;
  std::unexpected<Error> operator()(std::string why, std::string advice = {}) const {
    return fail(ErrorCategory::Launch, "'" + std::string(name) + "' cannot be launched: " + std::move(why),
                std::move(advice));
  }
};

Status checkCluster(const Kernel& kernel, const LaunchConfig& config, Refusal refuse) {
  const Dim3& cluster = *config.cluster;
  const LaunchLimits& limits = kernel.limits();
  if (limits.computeCapability < 90)
    return refuse("clusters need compute capability 9.0, and " + kernel.context().device().id() + " has " +
                      std::to_string(limits.computeCapability / 10) + '.' +
                      std::to_string(limits.computeCapability % 10),
                  "Launch it without clusters there.");
  if (cluster.count() == 0) return refuse("its clusters are empty");
  const unsigned grid[] = {config.grid.x, config.grid.y, config.grid.z};
  const unsigned size[] = {cluster.x, cluster.y, cluster.z};
  for (int axis = 0; axis < 3; ++axis)
    if (grid[axis] % size[axis])
      return refuse("a grid of " + text(config.grid) + " blocks is not a whole number of clusters of " + text(cluster));
  const std::uint64_t most = kernel.largeClustersAllowed() ? 16 : 8;
  if (cluster.count() > most)
    return refuse("clusters of " + std::to_string(cluster.count()) + " blocks were asked for, and at most " +
                      std::to_string(most) + " are possible",
                  most == 8 ? "Kernel::allowLargeClusters() allows 16 where "
                              "the device has them."
                            : "");
  return {};
}

}  // namespace

Status checkLaunch(const Kernel& kernel, const LaunchConfig& config, std::string_view name) {
  if (!kernel) return fail(ErrorCategory::Misuse, "an empty kernel was launched");
  const Refusal refuse{name.empty() ? kernel.name() : name};
  const LaunchLimits& limits = kernel.limits();
  const KernelAttributes& attributes = kernel.attributes();
  if (config.grid.count() == 0) return refuse("its grid of " + text(config.grid) + " is empty");
  if (config.block.count() == 0) return refuse("its blocks of " + text(config.block) + " have no threads");
  const int most = attributes.maxThreads > 0 ? attributes.maxThreads : limits.maxThreads;
  if (config.block.count() > std::uint64_t(most))
    return refuse("blocks of " + std::to_string(config.block.count()) +
                      " threads were asked for, and it can run with at most " + std::to_string(most) +
                      (most < limits.maxThreads && attributes.registers > 0
                           ? " (it uses " + std::to_string(attributes.registers) + " registers a thread)"
                           : ""),
                  "Use fewer threads in a block.");
  const unsigned grid[] = {config.grid.x, config.grid.y, config.grid.z};
  const unsigned block[] = {config.block.x, config.block.y, config.block.z};
  for (int axis = 0; axis < 3; ++axis) {
    if (grid[axis] > unsigned(limits.maxGrid[axis]))
      return refuse("its grid has " + std::to_string(grid[axis]) + " blocks on axis " + std::to_string(axis) +
                        ", and the device takes at most " + std::to_string(limits.maxGrid[axis]),
                    "Use more threads in a block, or fewer blocks.");
    if (block[axis] > unsigned(limits.maxBlock[axis]))
      return refuse("its blocks have " + std::to_string(block[axis]) + " threads on axis " + std::to_string(axis) +
                    ", and the device takes at most " + std::to_string(limits.maxBlock[axis]));
  }
  if (config.sharedBytes > 0 &&
      std::int64_t(config.sharedBytes) + std::max(attributes.staticSharedBytes, 0) > limits.sharedBytes)
    RAD_TRY(kernel.allowDynamicShared(config.sharedBytes));
  if (config.cluster) RAD_TRY(checkCluster(kernel, config, refuse));
  if (config.overlapPrevious && limits.computeCapability < 90)
    return refuse(
        "beginning before the kernel ahead has ended needs "
        "compute capability 9.0");
  if (config.sharedCarveout && *config.sharedCarveout > 100)
    return refuse("a share of shared memory of " + std::to_string(*config.sharedCarveout) + " percent was asked for");
  if (config.cooperative) {
    if (!limits.cooperative) return refuse(kernel.context().device().id() + " has no cooperative launches");
    RAD_ASSIGN(const std::uint64_t fit, cooperativeLimit(kernel, int(config.block.count()), config.sharedBytes));
    if (config.grid.count() > fit)
      return refuse("all " + std::to_string(config.grid.count()) +
                        " blocks of a cooperative grid must run at once, and " + std::to_string(fit) + " fit on " +
                        kernel.context().device().id() + " (" + std::to_string(limits.multiprocessors) +
                        " multiprocessors)",
                    "Use fewer blocks, and a loop in each.");
  }
  return {};
}

Status checkArguments(const Kernel& kernel, std::span<const std::size_t> sizes) {
  if (!kernel) return fail(ErrorCategory::Misuse, "an empty kernel was launched");
  const auto& parameters = kernel.parameters();
  if (!parameters) return {};
  if (sizes.size() != parameters->size())
    return fail(ErrorCategory::Misuse, "'" + kernel.name() + "' takes " + std::to_string(parameters->size()) +
                                           " arguments, and was given " + std::to_string(sizes.size()));
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (sizes[i] != (*parameters)[i].bytes)
      return fail(ErrorCategory::Misuse,
                  "argument " + std::to_string(i + 1) + " of '" + kernel.name() + "' takes " +
                      std::to_string((*parameters)[i].bytes) + " bytes, and was given " + std::to_string(sizes[i]),
                  "Pass a value of exactly the parameter's type.");
  return {};
}

namespace {

/// The failure of a launch that the driver refused, with the numbers.
Error explainLaunch(Error error, const Kernel& kernel, const CUlaunchConfig& raw, std::string_view name) {
  if (error.category == ErrorCategory::Launch || error.code == CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES)
    error.message = "'" + std::string(name) + "' cannot be launched: " + error.message + "; grid " +
                    text({raw.gridDimX, raw.gridDimY, raw.gridDimZ}) + ", block " +
                    text({raw.blockDimX, raw.blockDimY, raw.blockDimZ}) + ", " +
                    std::to_string(kernel.attributes().registers) + " registers a thread, " +
                    std::to_string(kernel.attributes().staticSharedBytes) + " + " + std::to_string(raw.sharedMemBytes) +
                    " bytes of shared memory";
  return error;
}

/// The driver's call, and the launch's place in the history. `isOurs`: the stream was made here. A kernel that is
/// captured is kept by the graph; streams of other code are always asked, ours while there is a capture of ours.
Status enqueue(const Context& context, const Kernel& kernel, const CUlaunchConfig& raw, bool isOurs, void** arguments,
               LaunchLabel label) {
  bool isCaptured = false;
  if ((!isOurs && raw.hStream != CU_STREAM_LEGACY) || capturesNow.load(std::memory_order_relaxed) > 0) [[unlikely]] {
    RAD_ASSIGN(const CUgraph graph, graphOfCapture(context, raw.hStream));
    if (graph) RAD_TRY(keepWithGraph(context, graph, kernel.keepAlive()));
    isCaptured = graph != nullptr;
  }
  const std::string_view name = label.name.empty() ? std::string_view(kernel.name()) : label.name;
  const auto call = [&] {
    static void* none = nullptr;  // without parameters it wants no null here
    return context.driver().call<DriverFn::LaunchKernelEx>(&raw, kernel.raw(), arguments ? arguments : &none,
                                                           static_cast<void**>(nullptr));
  };
  // A kernel of a library runs in the context of its stream, whatever is
  // current, unless it is one of the streams that every context has.
  const bool ownStream =
      raw.hStream != nullptr && raw.hStream != CU_STREAM_LEGACY && raw.hStream != CU_STREAM_PER_THREAD;
  Status launched;
  if (ownStream && kernel.libraryKernel()) {
    launched = call();
  } else {
    ContextGuard guard(context.driver(), context.raw());
    launched = guard.status() ? call() : guard.status();
  }
  if (!launched) [[unlikely]]
    return fail(explainLaunch(context.explain(std::move(launched).error()), kernel, raw, name));
  if (isCaptured) [[unlikely]]
    return {};  // it is not under way
  context.history().add(name, label.serial, raw.hStream);
  if (context.waitsAfterLaunch()) [[unlikely]] {
    const Stream stream = Stream::borrow(context, raw.hStream);
    RAD_ASSIGN(const CUstreamCaptureStatus capturing, stream.captureStatus());
    if (capturing == CU_STREAM_CAPTURE_STATUS_NONE) return stream.synchronize();
  }
  return {};
}

}  // namespace

Status launchWith(const Stream& stream, const Kernel& kernel, const LaunchConfig& config,
                  std::span<const void* const> arguments, LaunchLabel label) {
  RAD_TRY(checkLaunch(kernel, config, label.name));
  if (kernel.parameters() && kernel.parameters()->size() != arguments.size()) [[unlikely]]
    return fail(ErrorCategory::Misuse, "'" + std::string(label.name.empty() ? kernel.name() : label.name) +
                                           "' was given " + std::to_string(arguments.size()) +
                                           " kernel parameters, and its code takes " +
                                           std::to_string(kernel.parameters()->size()));
  if (!stream) [[unlikely]]
    return fail(ErrorCategory::Misuse,
                "a kernel was launched in an empty "
                "stream");
  const LaunchAttributes attributes(config);
  return enqueue(stream.context(), kernel, configOf(config, attributes, stream.raw()), stream.owned(),
                 arguments.empty() ? nullptr : const_cast<void**>(arguments.data()), label);
}

// ---- prepared launches ----

struct PreparedLaunch::State {
  State(const Stream& stream, Kernel k, const LaunchConfig& config)
      : context(stream.context()),
        keepStream(stream.keepAlive()),
        kernel(std::move(k)),
        attributes(config),
        raw(configOf(config, attributes, stream.raw())),
        isOurs(stream.owned()) {}
  Context context;
  std::shared_ptr<const void> keepStream;
  Kernel kernel;
  LaunchAttributes attributes;  ///< raw points into it
  CUlaunchConfig raw;
  bool isOurs;                   ///< the stream was made here
  std::vector<std::byte> bytes;  ///< of the arguments, at addresses
  std::vector<void*> addresses;
  std::vector<std::size_t> sizes;
};

void PreparedLaunch::Delete::operator()(State* state) const { delete state; }

Result<PreparedLaunch> PreparedLaunch::makeWith(const Stream& stream, const Kernel& kernel, const LaunchConfig& config,
                                                std::span<const std::span<const std::byte>> arguments) {
  std::vector<std::size_t> sizes;
  for (const auto& argument : arguments) sizes.push_back(argument.size());
  RAD_TRY(checkArguments(kernel, sizes));
  RAD_TRY(checkLaunch(kernel, config));
  if (!stream)
    return fail(ErrorCategory::Misuse,
                "a launch was prepared for an empty "
                "stream");
  std::unique_ptr<State, Delete> state(new State(stream, kernel, config));
  state->sizes = std::move(sizes);
  // Each where its alignment allows any type.
  constexpr std::size_t alignment = 16;
  const auto place = [&](std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; };
  std::size_t total = alignment;
  for (const auto& argument : arguments) total += place(argument.size());
  state->bytes.resize(total);
  auto at = reinterpret_cast<std::uintptr_t>(state->bytes.data());
  at = place(at);
  for (const auto& argument : arguments) {
    void* const to = reinterpret_cast<void*>(at);
    if (!argument.empty()) std::memcpy(to, argument.data(), argument.size());
    state->addresses.push_back(to);
    at += place(argument.size());
  }
  return PreparedLaunch(std::move(state));
}

Status PreparedLaunch::setBytes(std::size_t index, std::span<const std::byte> value) {
  if (!state_ || index >= state_->sizes.size() || value.size() != state_->sizes[index])
    return fail(ErrorCategory::Misuse, !state_ ? std::string("an empty launch was given an argument")
                                       : index >= state_->sizes.size()
                                           ? "'" + state_->kernel.name() + "' has " +
                                                 std::to_string(state_->sizes.size()) + " arguments, and argument " +
                                                 std::to_string(index + 1) + " was set"
                                           : "argument " + std::to_string(index + 1) + " of '" + state_->kernel.name() +
                                                 "' takes " + std::to_string(state_->sizes[index]) +
                                                 " bytes, and was given " + std::to_string(value.size()));
  if (!value.empty()) std::memcpy(state_->addresses[index], value.data(), value.size());
  return {};
}

Status PreparedLaunch::launch() const {
  if (!state_) [[unlikely]]
    return fail(ErrorCategory::Misuse, "an empty launch was made", "Make it with PreparedLaunch::make().");
  return enqueue(state_->context, state_->kernel, state_->raw, state_->isOurs,
                 state_->addresses.empty() ? nullptr : state_->addresses.data(), {});
}

// ---- occupancy ----

namespace {

std::unexpected<Error> emptyKernel() { return fail(ErrorCategory::Misuse, "an empty kernel was asked about"); }

/// The function of the suggestBlock() that runs on this thread: the driver's
/// callback gets no pointer of ours.
thread_local const std::function<std::size_t(int)>* sharedOfBlock = nullptr;

std::size_t CUDA_CB sharedForThreads(int threads) {
  return sharedOfBlock && *sharedOfBlock ? (*sharedOfBlock)(threads) : 0;
}

}  // namespace

Result<int> residentBlocks(const Kernel& kernel, int threads, std::size_t sharedBytes) {
  if (!kernel) return emptyKernel();
  int blocks = 0;
  RAD_TRY(kernel.context().call<DriverFn::OccupancyMaxActiveBlocksPerMultiprocessor>(&blocks, kernel.raw(), threads,
                                                                                     sharedBytes));
  return blocks;
}

Result<std::uint64_t> cooperativeLimit(const Kernel& kernel, int threads, std::size_t sharedBytes) {
  RAD_ASSIGN(const int blocks, residentBlocks(kernel, threads, sharedBytes));
  return std::uint64_t(blocks) * std::uint64_t(kernel.limits().multiprocessors);
}

Result<SuggestedBlock> suggestBlock(const Kernel& kernel, const std::function<std::size_t(int)>& sharedBytes,
                                    int mostThreads) {
  if (!kernel) return emptyKernel();
  SuggestedBlock suggested;
  sharedOfBlock = &sharedBytes;
  Status asked = kernel.context().call<DriverFn::OccupancyMaxPotentialBlockSize>(
      &suggested.blocks, &suggested.threads, kernel.raw(), static_cast<CUoccupancyB2DSize>(&sharedForThreads),
      std::size_t(0), mostThreads);
  sharedOfBlock = nullptr;
  RAD_TRY(std::move(asked));
  return suggested;
}

Result<std::size_t> availableDynamicShared(const Kernel& kernel, int blocks, int threads) {
  if (!kernel) return emptyKernel();
  std::size_t bytes = 0;
  RAD_TRY(
      kernel.context().call<DriverFn::OccupancyAvailableDynamicSMemPerBlock>(&bytes, kernel.raw(), blocks, threads));
  return bytes;
}

Result<int> activeClusters(const Kernel& kernel, const LaunchConfig& config) {
  RAD_TRY(checkLaunch(kernel, config));
  const LaunchAttributes attributes(config);
  const CUlaunchConfig raw = configOf(config, attributes, nullptr);
  int clusters = 0;
  RAD_TRY(kernel.context().call<DriverFn::OccupancyMaxActiveClusters>(&clusters, kernel.raw(), &raw));
  return clusters;
}

Result<int> largestCluster(const Kernel& kernel, const LaunchConfig& config) {
  LaunchConfig without = config;
  without.cluster.reset();
  RAD_TRY(checkLaunch(kernel, without));
  const LaunchAttributes attributes(without);
  const CUlaunchConfig raw = configOf(without, attributes, nullptr);
  int blocks = 0;
  RAD_TRY(kernel.context().call<DriverFn::OccupancyMaxPotentialClusterSize>(&blocks, kernel.raw(), &raw));
  return blocks;
}

}  // namespace rad::cuda

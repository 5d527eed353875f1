// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/launch.h"

#include <algorithm>
#include <atomic>

namespace rad::cuda {

LaunchAttributes::LaunchAttributes(const LaunchConfig &config) {
  const auto add = [&](CUlaunchAttributeID id) -> CUlaunchAttributeValue & {
    attributes_[count_].id = id;
    return attributes_[count_++].value;
  };
  if (config.cluster) {
    auto &value = add(CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION).clusterDim;
    value.x = config.cluster->x;
    value.y = config.cluster->y;
    value.z = config.cluster->z;
  }
  if (config.cooperative)
    add(CU_LAUNCH_ATTRIBUTE_COOPERATIVE).cooperative = 1;
  if (config.overlapPrevious)
    add(CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION)
        .programmaticStreamSerializationAllowed = 1;
  if (config.priority)
    add(CU_LAUNCH_ATTRIBUTE_PRIORITY).priority = *config.priority;
  if (config.sharedCarveout)
    add(CU_LAUNCH_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT)
        .sharedMemCarveout = *config.sharedCarveout;
  if (config.whenBegun)
    add(CU_LAUNCH_ATTRIBUTE_LAUNCH_COMPLETION_EVENT)
        .launchCompletionEvent.event = config.whenBegun;
}

namespace {

std::string text(const Dim3 &size) {
  return std::to_string(size.x) + " x " + std::to_string(size.y) + " x " +
         std::to_string(size.z);
}

CUlaunchConfig configOf(const LaunchConfig &config,
                        const LaunchAttributes &attributes, CUstream stream) {
  CUlaunchConfig out{};
  out.gridDimX = config.grid.x;
  out.gridDimY = config.grid.y;
  out.gridDimZ = config.grid.z;
  out.blockDimX = config.block.x;
  out.blockDimY = config.block.y;
  out.blockDimZ = config.block.z;
  out.sharedMemBytes = config.sharedBytes;
  out.hStream = stream;
  out.attrs = const_cast<CUlaunchAttribute *>(attributes.data());
  out.numAttrs = attributes.count();
  return out;
}

std::unexpected<Error> refuse(const Kernel &kernel, std::string why,
                              std::string advice = {}) {
  return fail(ErrorCategory::Launch,
              "'" + kernel.name() + "' cannot be launched: " + std::move(why),
              std::move(advice));
}

Status checkCluster(const Kernel &kernel, const LaunchConfig &config) {
  const Dim3 &cluster = *config.cluster;
  const LaunchLimits &limits = kernel.limits();
  if (limits.computeCapability < 90)
    return refuse(kernel,
                  "clusters need compute capability 9.0, and " +
                      kernel.context().device().id() + " has " +
                      std::to_string(limits.computeCapability / 10) + '.' +
                      std::to_string(limits.computeCapability % 10),
                  "Launch it without clusters there.");
  if (cluster.count() == 0)
    return refuse(kernel, "its clusters are empty");
  const unsigned grid[] = {config.grid.x, config.grid.y, config.grid.z};
  const unsigned size[] = {cluster.x, cluster.y, cluster.z};
  for (int axis = 0; axis < 3; ++axis)
    if (grid[axis] % size[axis])
      return refuse(kernel, "a grid of " + text(config.grid) +
                                " blocks is not a whole number of clusters of " +
                                text(cluster));
  const std::uint64_t most = kernel.largeClustersAllowed() ? 16 : 8;
  if (cluster.count() > most)
    return refuse(kernel,
                  "clusters of " + std::to_string(cluster.count()) +
                      " blocks were asked for, and at most " +
                      std::to_string(most) + " are possible",
                  most == 8 ? "Kernel::allowLargeClusters() allows 16 where "
                              "the device has them."
                            : "");
  return {};
}

} // namespace

Status checkLaunch(const Kernel &kernel, const LaunchConfig &config) {
  if (!kernel)
    return fail(ErrorCategory::Misuse, "an empty kernel was launched");
  const LaunchLimits &limits = kernel.limits();
  const KernelAttributes &attributes = kernel.attributes();
  if (config.grid.count() == 0)
    return refuse(kernel, "its grid of " + text(config.grid) + " is empty");
  if (config.block.count() == 0)
    return refuse(kernel,
                  "its blocks of " + text(config.block) + " have no threads");
  const unsigned grid[] = {config.grid.x, config.grid.y, config.grid.z};
  const unsigned block[] = {config.block.x, config.block.y, config.block.z};
  for (int axis = 0; axis < 3; ++axis) {
    if (grid[axis] > unsigned(limits.maxGrid[axis]))
      return refuse(kernel,
                    "its grid has " + std::to_string(grid[axis]) +
                        " blocks on axis " + std::to_string(axis) +
                        ", and the device takes at most " +
                        std::to_string(limits.maxGrid[axis]),
                    "Use more threads in a block, or fewer blocks.");
    if (block[axis] > unsigned(limits.maxBlock[axis]))
      return refuse(kernel,
                    "its blocks have " + std::to_string(block[axis]) +
                        " threads on axis " + std::to_string(axis) +
                        ", and the device takes at most " +
                        std::to_string(limits.maxBlock[axis]));
  }
  const int most =
      attributes.maxThreads > 0 ? attributes.maxThreads : limits.maxThreads;
  if (config.block.count() > std::uint64_t(most))
    return refuse(kernel,
                  "blocks of " + std::to_string(config.block.count()) +
                      " threads were asked for, and it can run with at most " +
                      std::to_string(most) +
                      (most < limits.maxThreads && attributes.registers > 0
                           ? " (it uses " +
                                 std::to_string(attributes.registers) +
                                 " registers a thread)"
                           : ""),
                  "Use fewer threads in a block.");
  if (config.sharedBytes > 0 &&
      std::int64_t(config.sharedBytes) +
              std::max(attributes.staticSharedBytes, 0) >
          limits.sharedBytes)
    RAD_TRY(kernel.allowDynamicShared(config.sharedBytes));
  if (config.cluster)
    RAD_TRY(checkCluster(kernel, config));
  if (config.overlapPrevious && limits.computeCapability < 90)
    return refuse(kernel, "beginning before the kernel ahead has ended needs "
                          "compute capability 9.0");
  if (config.sharedCarveout && *config.sharedCarveout > 100)
    return refuse(kernel, "a share of shared memory of " +
                              std::to_string(*config.sharedCarveout) +
                              " percent was asked for");
  if (config.cooperative) {
    if (!limits.cooperative)
      return refuse(kernel, kernel.context().device().id() +
                                " has no cooperative launches");
    RAD_ASSIGN(const std::uint64_t fit,
               cooperativeLimit(kernel, int(config.block.count()),
                                config.sharedBytes));
    if (config.grid.count() > fit)
      return refuse(kernel,
                    "all " + std::to_string(config.grid.count()) +
                        " blocks of a cooperative grid must run at once, and " +
                        std::to_string(fit) + " fit on " +
                        kernel.context().device().id() + " (" +
                        std::to_string(limits.multiprocessors) +
                        " multiprocessors)",
                    "Use fewer blocks, and a loop in each.");
  }
  return {};
}

Status checkArguments(const Kernel &kernel, std::span<const std::size_t> sizes) {
  if (!kernel)
    return fail(ErrorCategory::Misuse, "an empty kernel was launched");
  const auto &parameters = kernel.parameters();
  if (!parameters)
    return {};
  if (sizes.size() != parameters->size())
    return fail(ErrorCategory::Misuse,
                "'" + kernel.name() + "' takes " +
                    std::to_string(parameters->size()) +
                    " arguments, and was given " + std::to_string(sizes.size()));
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (sizes[i] != (*parameters)[i].bytes)
      return fail(ErrorCategory::Misuse,
                  "argument " + std::to_string(i + 1) + " of '" +
                      kernel.name() + "' takes " +
                      std::to_string((*parameters)[i].bytes) +
                      " bytes, and was given " + std::to_string(sizes[i]),
                  "Pass a value of exactly the parameter's type.");
  return {};
}

Status launchWith(const Stream &stream, const Kernel &kernel,
                  const LaunchConfig &config,
                  std::span<const void *const> arguments) {
  RAD_TRY(checkLaunch(kernel, config));
  const Context &context = stream.context();
  const LaunchAttributes attributes(config);
  const CUlaunchConfig raw = configOf(config, attributes, stream.raw());
  static void *none = nullptr; // a kernel without parameters wants no null here
  Status launched = context.call<DriverFn::LaunchKernelEx>(
      &raw, kernel.raw(),
      arguments.empty() ? &none : const_cast<void **>(arguments.data()),
      static_cast<void **>(nullptr));
  if (!launched) {
    Error error = std::move(launched).error();
    if (error.category == ErrorCategory::Launch ||
        error.code == CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES)
      error.message = "'" + kernel.name() + "' cannot be launched: " +
                      error.message + "; grid " + text(config.grid) +
                      ", block " + text(config.block) + ", " +
                      std::to_string(kernel.attributes().registers) +
                      " registers a thread, " +
                      std::to_string(kernel.attributes().staticSharedBytes) +
                      " + " + std::to_string(config.sharedBytes) +
                      " bytes of shared memory";
    return fail(std::move(error));
  }
  static std::atomic<std::uint32_t> serial{0};
  context.history().add(kernel.name(),
                        serial.fetch_add(1, std::memory_order_relaxed) + 1,
                        stream.raw());
  return {};
}

// ---- occupancy ----

namespace {

std::unexpected<Error> emptyKernel() {
  return fail(ErrorCategory::Misuse, "an empty kernel was asked about");
}

/// The function of the suggestBlock() that runs on this thread: the driver's
/// callback gets no pointer of ours.
thread_local const std::function<std::size_t(int)> *sharedOfBlock = nullptr;

std::size_t CUDA_CB sharedForThreads(int threads) {
  return sharedOfBlock && *sharedOfBlock ? (*sharedOfBlock)(threads) : 0;
}

} // namespace

Result<int> residentBlocks(const Kernel &kernel, int threads,
                           std::size_t sharedBytes) {
  if (!kernel)
    return emptyKernel();
  int blocks = 0;
  RAD_TRY(kernel.context()
              .call<DriverFn::OccupancyMaxActiveBlocksPerMultiprocessor>(
                  &blocks, kernel.raw(), threads, sharedBytes));
  return blocks;
}

Result<std::uint64_t> cooperativeLimit(const Kernel &kernel, int threads,
                                       std::size_t sharedBytes) {
  RAD_ASSIGN(const int blocks, residentBlocks(kernel, threads, sharedBytes));
  return std::uint64_t(blocks) * std::uint64_t(kernel.limits().multiprocessors);
}

Result<SuggestedBlock>
suggestBlock(const Kernel &kernel,
             const std::function<std::size_t(int)> &sharedBytes,
             int mostThreads) {
  if (!kernel)
    return emptyKernel();
  SuggestedBlock suggested;
  sharedOfBlock = &sharedBytes;
  Status asked = kernel.context().call<DriverFn::OccupancyMaxPotentialBlockSize>(
      &suggested.blocks, &suggested.threads, kernel.raw(),
      static_cast<CUoccupancyB2DSize>(&sharedForThreads), std::size_t(0),
      mostThreads);
  sharedOfBlock = nullptr;
  RAD_TRY(std::move(asked));
  return suggested;
}

Result<std::size_t> availableDynamicShared(const Kernel &kernel, int blocks,
                                           int threads) {
  if (!kernel)
    return emptyKernel();
  std::size_t bytes = 0;
  RAD_TRY(kernel.context()
              .call<DriverFn::OccupancyAvailableDynamicSMemPerBlock>(
                  &bytes, kernel.raw(), blocks, threads));
  return bytes;
}

Result<int> activeClusters(const Kernel &kernel, const LaunchConfig &config) {
  RAD_TRY(checkLaunch(kernel, config));
  const LaunchAttributes attributes(config);
  const CUlaunchConfig raw = configOf(config, attributes, nullptr);
  int clusters = 0;
  RAD_TRY(kernel.context().call<DriverFn::OccupancyMaxActiveClusters>(
      &clusters, kernel.raw(), &raw));
  return clusters;
}

Result<int> largestCluster(const Kernel &kernel, const LaunchConfig &config) {
  LaunchConfig without = config;
  without.cluster.reset();
  RAD_TRY(checkLaunch(kernel, without));
  const LaunchAttributes attributes(without);
  const CUlaunchConfig raw = configOf(without, attributes, nullptr);
  int blocks = 0;
  RAD_TRY(kernel.context().call<DriverFn::OccupancyMaxPotentialClusterSize>(
      &blocks, kernel.raw(), &raw));
  return blocks;
}

} // namespace rad::cuda

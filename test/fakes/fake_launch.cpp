// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tier 5: launches are checked against the device and the image, recorded, and
// run only where a test has registered a host function.

#include "codegen/artifact/artifact.h"
#include "test/fakes/fake_state.h"

#include <algorithm>
#include <cstring>

namespace fake {
Kernel* kernelOf(const void* handle);
int maxThreadsOf(const Kernel& kernel);
}  // namespace fake

using namespace fake;

namespace {

/// The checks of one attribute; unknown ones are refused.
CUresult checkAttribute(const CUlaunchConfig& config, const CUlaunchAttribute& attribute, int resident,
                        bool largeClusters) {
  switch (int(attribute.id)) {
    case CU_LAUNCH_ATTRIBUTE_COOPERATIVE: {
      const std::uint64_t blocks = std::uint64_t(config.gridDimX) * config.gridDimY * config.gridDimZ;
      if (attribute.value.cooperative && blocks > std::uint64_t(resident))
        return CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE;
      return CUDA_SUCCESS;
    }
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION: {
      const auto& cluster = attribute.value.clusterDim;
      if (world().config.preset->major < 9 || !cluster.x || !cluster.y || !cluster.z || config.gridDimX % cluster.x ||
          config.gridDimY % cluster.y || config.gridDimZ % cluster.z ||
          std::uint64_t(cluster.x) * cluster.y * cluster.z > (largeClusters ? 16 : 8)) {
        logReason(
            "Cluster dimensions do not evenly divide Grid dimensions, or "
            "are too large");
        return CUDA_ERROR_INVALID_CLUSTER_SIZE;
      }
      return CUDA_SUCCESS;
    }
    case CU_LAUNCH_ATTRIBUTE_IGNORE:
    case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION:
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
    case CU_LAUNCH_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
    case CU_LAUNCH_ATTRIBUTE_LAUNCH_COMPLETION_EVENT: return CUDA_SUCCESS;
    default: return CUDA_ERROR_INVALID_VALUE;
  }
}

int residentBlocks(const Kernel& kernel, int threads, std::size_t shared) {
  const Preset& p = *world().config.preset;
  if (threads <= 0 || threads > 1024) return 0;
  const int warps = (threads + 31) / 32;
  int blocks = std::min(p.blocksPerMultiprocessor, p.threadsPerMultiprocessor / (warps * 32));
  const std::size_t bytes = shared + kernel.info.staticSharedBytes + 1024;
  blocks = std::min(blocks, int(std::size_t(p.sharedPerMultiprocessor) / bytes));
  if (kernel.info.registers)
    blocks = std::min(blocks, int(65536 / ((kernel.info.registers + 7) / 8 * 8 * 32 * unsigned(warps))));
  return std::max(blocks, 0);
}

CUresult checkLaunch(const CUlaunchConfig& config, const Kernel& kernel, void** parameters, void** extra) {
  const std::uint64_t threads = std::uint64_t(config.blockDimX) * config.blockDimY * config.blockDimZ;
  auto refused = [](const char* why) {
    logReason(why);
    return CUDA_ERROR_INVALID_VALUE;
  };
  if (!config.gridDimX || !config.gridDimY || !config.gridDimZ || config.gridDimX > 0x7fffffff ||
      config.gridDimY > 65535 || config.gridDimZ > 65535)
    return refused("Requested grid size is not possible");
  if (threads == 0 || threads > 1024 || config.blockDimZ > 64) return refused("Requested block size is not possible");
  if (kernel.info.maxThreads && threads > kernel.info.maxThreads)
    return refused("Requested block size exceeds maximum set at compilation");
  if (threads > std::uint64_t(maxThreadsOf(kernel))) return CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES;
  if (config.sharedMemBytes > 48u << 10 && config.sharedMemBytes > unsigned(kernel.maxDynamicShared))
    return refused("Dynamic shared memory above what the kernel allows");
  if (int(config.sharedMemBytes + kernel.info.staticSharedBytes) > world().config.preset->sharedOptIn)
    return refused("Shared memory above what the device has");
  if (parameters && extra) return refused("kernelParams and extra were both given");
  if (!kernel.info.params.empty()) {
    if (!parameters) return refused("kernelParams is null");
    for (std::size_t i = 0; i < kernel.info.params.size(); ++i)
      if (!parameters[i]) return refused("an entry of kernelParams is null");
  }
  const int resident =
      residentBlocks(kernel, int(threads), config.sharedMemBytes) * world().config.preset->multiprocessors;
  for (unsigned i = 0; i < config.numAttrs; ++i)
    if (CUresult status = checkAttribute(config, config.attrs[i], resident, kernel.largeClusters)) return status;
  return CUDA_SUCCESS;
}

/// Writes the record of a failed check, as compiled kernels do: their last two
/// parameters are the address of the failure state and the launch's number.
void writeRecord(const Launch& launch, const FailedCheck& check) {
  const std::size_t count = launch.offsets.size();
  if (count < 2 || launch.offsets[count - 2] + 8 > launch.arguments.size() ||
      launch.offsets[count - 1] + 4 > launch.arguments.size())
    return;
  std::uint64_t address = 0;
  std::memcpy(&address, launch.arguments.data() + launch.offsets[count - 2], 8);
  auto* state = reinterpret_cast<rad::cg::FailureState*>(resolve(address, sizeof(rad::cg::FailureState)));
  if (!state) {
    violation("the second parameter from the end is not the failure state");
    return;
  }
  if (state->claimed) return;
  auto* record = reinterpret_cast<rad::cg::FailureRecord*>(
      resolve(reinterpret_cast<std::uint64_t>(state->record), sizeof(rad::cg::FailureRecord)));
  if (!record) {
    violation("the failure state has no record");
    return;
  }
  state->claimed = 1;
  record->site = check.site;
  std::memcpy(&record->launch, launch.arguments.data() + launch.offsets[count - 1], 4);
  record->value = check.value;
  record->extent = check.extent;
  record->flag = 1;
}

}  // namespace

namespace {

/// What happens when a recorded launch runs.
void perform(Launch& item) {
  World& now = world();
  if (auto it = now.config.kernelFaults.find(item.kernel); it != now.config.kernelFaults.end()) {
    now.sticky = it->second;
    return;
  }
  if (auto it = now.config.failedChecks.find(item.kernel); it != now.config.failedChecks.end())
    writeRecord(item, it->second);
  if (auto it = now.hostFunctions.find(item.kernel); it != now.hostFunctions.end())
    it->second.function(&item.view, it->second.user);
}

/// A launch with its arguments; not yet among the recorded ones.
CUresult makeLaunch(const CUlaunchConfig& config, const void* function, void** parameters, void** extra,
                    Launch& launch) {
  Kernel* kernel = kernelOf(function);
  if (!kernel) return CUDA_ERROR_INVALID_HANDLE;
  if (kernel->openExtern) return CUDA_ERROR_NOT_FOUND;
  if (CUresult status = checkLaunch(config, *kernel, parameters, extra)) return status;
  launch.kernel = kernel->info.name;
  launch.arguments.resize(kernel->info.paramBytes);
  for (std::size_t i = 0; parameters && i < kernel->info.params.size(); ++i) {
    const rad::rt::CubinParam& param = kernel->info.params[i];
    std::memcpy(launch.arguments.data() + param.offset, parameters[i], param.size);
    launch.offsets.push_back(param.offset);
  }
  launch.view.grid[0] = config.gridDimX;
  launch.view.grid[1] = config.gridDimY;
  launch.view.grid[2] = config.gridDimZ;
  launch.view.block[0] = config.blockDimX;
  launch.view.block[1] = config.blockDimY;
  launch.view.block[2] = config.blockDimZ;
  launch.view.dynamicShared = config.sharedMemBytes;
  return CUDA_SUCCESS;
}

/// Puts a launch among the recorded ones.
std::size_t recordLaunch(const Launch& launch) {
  World& w = world();
  Launch& item = w.launches.emplace_back(launch);
  item.view.kernel = item.kernel.c_str();
  item.view.arguments = item.arguments.data();
  item.view.argumentBytes = item.arguments.size();
  item.view.offsets = item.offsets.data();
  item.view.argumentCount = item.offsets.size();
  return w.launches.size() - 1;
}

}  // namespace

namespace fake {

CUresult prepareLaunch(const CUlaunchConfig& config, const void* function, void** parameters, void** extra,
                       std::function<void()>& run) {
  Launch launch;
  if (CUresult status = makeLaunch(config, function, parameters, extra, launch)) return status;
  run = [launch = std::move(launch), function] {
    kernelOf(function);  // it must still be there when the graph runs
    perform(world().launches[recordLaunch(launch)]);
  };
  return CUDA_SUCCESS;
}

}  // namespace fake

FAKE_CUDA(LaunchKernelEx, const CUlaunchConfig* config, CUfunction function, void** parameters, void** extra) {
  if (!config) return CUDA_ERROR_INVALID_VALUE;
  CUresult status;
  Stream* stream = streamOf(config->hStream, status);
  if (!stream) return status;
  if (stream->status == CU_STREAM_CAPTURE_STATUS_ACTIVE) {
    std::function<void()> run;
    if ((status = prepareLaunch(*config, function, parameters, extra, run))) return status;
    enqueue(*stream, std::move(run), CU_GRAPH_NODE_TYPE_KERNEL);
    return CUDA_SUCCESS;
  }
  Launch launch;
  if ((status = makeLaunch(*config, function, parameters, extra, launch))) return status;
  const std::size_t index = recordLaunch(launch);
  enqueue(*stream, [index] { perform(world().launches[index]); });
  return CUDA_SUCCESS;
}

FAKE_CUDA(OccupancyMaxActiveBlocksPerMultiprocessor, int* blocks, CUfunction function, int threads,
          std::size_t shared) {
  Kernel* kernel = kernelOf(function);
  if (!kernel || !blocks) return CUDA_ERROR_INVALID_VALUE;
  *blocks = residentBlocks(*kernel, threads, shared);
  return CUDA_SUCCESS;
}

FAKE_CUDA(OccupancyMaxPotentialBlockSize, int* blocks, int* threads, CUfunction function, CUoccupancyB2DSize sharedOf,
          std::size_t shared, int limit) {
  Kernel* kernel = kernelOf(function);
  if (!kernel || !blocks || !threads || limit < 0) return CUDA_ERROR_INVALID_VALUE;
  int best = 0;
  for (int size = 32; size <= (limit ? std::min(limit, 1024) : 1024); size += 32) {
    if (size > maxThreadsOf(*kernel)) break;
    const int resident = residentBlocks(*kernel, size, sharedOf ? sharedOf(size) : shared);
    if (resident * size >= best && resident > 0) {
      best = resident * size;
      *threads = size;
      *blocks = resident * world().config.preset->multiprocessors;
    }
  }
  return best ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

FAKE_CUDA(OccupancyAvailableDynamicSMemPerBlock, std::size_t* bytes, CUfunction function, int blocks, int threads) {
  Kernel* kernel = kernelOf(function);
  if (!kernel || !bytes || blocks <= 0 || threads <= 0) return CUDA_ERROR_INVALID_VALUE;
  const Preset& p = *world().config.preset;
  const int each = p.sharedPerMultiprocessor / blocks - 1024 - int(kernel->info.staticSharedBytes);
  *bytes = std::size_t(std::clamp(each, 0, p.sharedOptIn));
  return CUDA_SUCCESS;
}

FAKE_CUDA(OccupancyMaxActiveClusters, int* clusters, CUfunction function, const CUlaunchConfig* config) {
  Kernel* kernel = kernelOf(function);
  if (!kernel || !clusters || !config) return CUDA_ERROR_INVALID_VALUE;
  unsigned size = 1;
  for (unsigned i = 0; i < config->numAttrs; ++i)
    if (config->attrs[i].id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION) {
      const auto& cluster = config->attrs[i].value.clusterDim;
      size = cluster.x * cluster.y * cluster.z;
    }
  if (!size) return CUDA_ERROR_INVALID_CLUSTER_SIZE;
  *clusters =
      residentBlocks(*kernel, int(config->blockDimX * config->blockDimY * config->blockDimZ), config->sharedMemBytes) *
      world().config.preset->multiprocessors / int(size);
  return CUDA_SUCCESS;
}

FAKE_CUDA(OccupancyMaxPotentialClusterSize, int* blocks, CUfunction function, const CUlaunchConfig* config) {
  Kernel* kernel = kernelOf(function);
  if (!kernel || !blocks || !config) return CUDA_ERROR_INVALID_VALUE;
  if (world().config.preset->major < 9) return CUDA_ERROR_NOT_SUPPORTED;
  *blocks = kernel->largeClusters ? 16 : 8;
  return CUDA_SUCCESS;
}

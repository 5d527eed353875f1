// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiers 0 and 1: start, devices, contexts.

#include "test/fakes/fake_state.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

using namespace fake;

namespace fake {

int attributeOf(const Device&, CUdevice_attribute attribute) {
  const Preset& p = *world().config.preset;
  switch (int(attribute)) {
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X:
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y: return 1024;
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z: return 64;
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X: return 0x7fffffff;
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y:
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z: return 65535;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK: return 48 << 10;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: return p.sharedOptIn;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR: return p.sharedPerMultiprocessor;
    case CU_DEVICE_ATTRIBUTE_WARP_SIZE: return 32;
    case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK:
    case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR: return 65536;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: return p.multiprocessors;
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR: return p.threadsPerMultiprocessor;
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR: return p.blocksPerMultiprocessor;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: return p.major;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: return p.minor;
    case CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED: return p.pools;
    case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING:
    case CU_DEVICE_ATTRIBUTE_STREAM_PRIORITIES_SUPPORTED:
    case CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH:
    case CU_DEVICE_ATTRIBUTE_MANAGED_MEMORY:
    case CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED: return 1;
    case CU_DEVICE_ATTRIBUTE_CONCURRENT_MANAGED_ACCESS:
      return p.major >= 8;  // the oldest one stands for those that cannot
    case CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH: return p.major >= 9;
    default: return 0;
  }
}

}  // namespace fake

// ---- start ----

FAKE_CUDA(GetErrorName, CUresult error, const char** text) {
  *text = nullptr;
  switch (int(error)) {
    case 0: *text = "CUDA_SUCCESS"; break;
#define RAD_CUDA_ERROR(name, code, category, what, advice) \
  case code: *text = "CUDA_ERROR_" #name; break;
#include "runtime/dynlib/cuda_errors.def"
    default: return CUDA_ERROR_INVALID_VALUE;
  }
  return CUDA_SUCCESS;
}

FAKE_CUDA(GetErrorString, CUresult error, const char** text) {
  *text = "text of the fake driver";
  const char* name = nullptr;
  return fakeGetErrorName(error, &name);
}

FAKE_CUDA(Init, unsigned flags) {
  if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
  World& w = world();
  if (w.devices.empty()) return CUDA_ERROR_NO_DEVICE;
  w.initialised = true;
  w.initPid = getpid();
  return CUDA_SUCCESS;
}

FAKE_CUDA(DriverGetVersion, int* version) {
  if (!version) return CUDA_ERROR_INVALID_VALUE;
  *version = world().config.version;
  return CUDA_SUCCESS;
}

FAKE_CUDA(LogsCurrent, CUlogIterator* position, unsigned flags) {
  if (!position || flags != 0) return CUDA_ERROR_INVALID_VALUE;
  *position = CUlogIterator(world().log.size());
  return CUDA_SUCCESS;
}

FAKE_CUDA(LogsDumpToMemory, CUlogIterator* position, char* buffer, std::size_t* size, unsigned flags) {
  if (!buffer || !size || flags != 0) return CUDA_ERROR_INVALID_VALUE;
  World& w = world();
  std::string text;
  for (std::size_t i = position ? *position : 0; i < w.log.size(); ++i) text += w.log[i] + '\n';
  if (position) *position = CUlogIterator(w.log.size());
  const std::size_t count = std::min(text.size(), *size ? *size - 1 : 0);
  std::memcpy(buffer, text.data(), count);
  buffer[count] = '\0';
  *size = count;
  return CUDA_SUCCESS;
}

// ---- devices ----

FAKE_CUDA(DeviceGetCount, int* count) {
  *count = int(world().devices.size());
  return CUDA_SUCCESS;
}

FAKE_CUDA(DeviceGet, CUdevice* device, int ordinal) {
  if (!deviceOf(ordinal)) return CUDA_ERROR_INVALID_DEVICE;
  *device = ordinal;
  return CUDA_SUCCESS;
}

FAKE_CUDA(DeviceGetName, char* name, int size, CUdevice device) {
  if (!deviceOf(device)) return CUDA_ERROR_INVALID_DEVICE;
  if (!name || size <= 0) return CUDA_ERROR_INVALID_VALUE;
  std::snprintf(name, std::size_t(size), "FAKE CUDA device (test double)");
  return CUDA_SUCCESS;
}

FAKE_CUDA(DeviceGetUuid, CUuuid* uuid, CUdevice device) {
  if (!deviceOf(device)) return CUDA_ERROR_INVALID_DEVICE;
  std::memset(uuid->bytes, 0, sizeof uuid->bytes);
  std::memcpy(uuid->bytes, "fake", 4);
  uuid->bytes[15] = char(device);
  return CUDA_SUCCESS;
}

FAKE_CUDA(DeviceTotalMem, std::size_t* bytes, CUdevice device) {
  if (!deviceOf(device)) return CUDA_ERROR_INVALID_DEVICE;
  *bytes = world().config.memory;
  return CUDA_SUCCESS;
}

FAKE_CUDA(DeviceGetAttribute, int* value, CUdevice_attribute attribute, CUdevice device) {
  Device* d = deviceOf(device);
  if (!d) return CUDA_ERROR_INVALID_DEVICE;
  if (int(attribute) <= 0 || attribute >= CU_DEVICE_ATTRIBUTE_MAX) return CUDA_ERROR_INVALID_VALUE;
  *value = attributeOf(*d, attribute);
  return CUDA_SUCCESS;
}

FAKE_CUDA(DeviceGetPCIBusId, char* text, int size, CUdevice device) {
  if (!deviceOf(device)) return CUDA_ERROR_INVALID_DEVICE;
  std::snprintf(text, std::size_t(size), "0000:%02x:00.0", 0xf0 + device);
  return CUDA_SUCCESS;
}

// ---- contexts ----

FAKE_CUDA(DevicePrimaryCtxRetain, CUcontext* context, CUdevice device) {
  Device* d = deviceOf(device);
  if (!d) return CUDA_ERROR_INVALID_DEVICE;
  ++d->primary.retains;
  d->primary.alive = true;
  *context = handleOf(&d->primary);
  return CUDA_SUCCESS;
}

FAKE_CUDA(DevicePrimaryCtxRelease, CUdevice device) {
  Device* d = deviceOf(device);
  if (!d) return CUDA_ERROR_INVALID_DEVICE;
  if (d->primary.retains == 0) {
    violation("the primary context was released more often than retained");
    return CUDA_ERROR_INVALID_CONTEXT;
  }
  if (--d->primary.retains == 0) destroyContext(d->primary);
  return CUDA_SUCCESS;
}

FAKE_CUDA(DevicePrimaryCtxGetState, CUdevice device, unsigned* flags, int* active) {
  Device* d = deviceOf(device);
  if (!d) return CUDA_ERROR_INVALID_DEVICE;
  *flags = 0;
  *active = d->primary.alive;
  return CUDA_SUCCESS;
}

FAKE_CUDA(CtxPushCurrent, CUcontext context) {
  if (!contextOf(context)) return CUDA_ERROR_INVALID_CONTEXT;
  contextStack().push_back(context);
  return CUDA_SUCCESS;
}

FAKE_CUDA(CtxPopCurrent, CUcontext* context) {
  auto& stack = contextStack();
  if (stack.empty()) {
    violation("a context was popped from an empty stack");
    return CUDA_ERROR_INVALID_CONTEXT;
  }
  if (context) *context = stack.back();
  stack.pop_back();
  return CUDA_SUCCESS;
}

FAKE_CUDA(CtxGetCurrent, CUcontext* context) {
  auto& stack = contextStack();
  *context = stack.empty() ? nullptr : stack.back();
  return CUDA_SUCCESS;
}

FAKE_CUDA(CtxSynchronize, void) {
  Context* context = currentContext();
  if (!context) return CUDA_ERROR_INVALID_CONTEXT;
  if (!context->alive) return CUDA_ERROR_CONTEXT_IS_DESTROYED;
  for (auto& [handle, stream] : world().streams)
    if (stream->context == context) drain(*stream);
  return CUresult(world().sticky);
}

FAKE_CUDA(CtxGetDevice, CUdevice* device) {
  Context* context = currentContext();
  if (!context) return CUDA_ERROR_INVALID_CONTEXT;
  *device = context->device->ordinal;
  return CUDA_SUCCESS;
}

FAKE_CUDA(CtxCreate, CUcontext* out, CUctxCreateParams*, unsigned flags, CUdevice device) {
  Device* d = deviceOf(device);
  if (!d) return CUDA_ERROR_INVALID_DEVICE;
  if (!out || flags > 0xff) return CUDA_ERROR_INVALID_VALUE;
  auto context = std::make_unique<Context>();
  context->device = d;
  context->own = context->alive = true;
  *out = context->handle = makeHandle<CUcontext>();
  world().contexts.emplace(*out, std::move(context));
  contextStack().push_back(*out);
  return CUDA_SUCCESS;
}

FAKE_CUDA(CtxDestroy, CUcontext handle) {
  Context* context = contextOf(handle);
  if (!context || !context->own) return CUDA_ERROR_INVALID_CONTEXT;
  destroyContext(*context);
  world().contexts.erase(handle);
  world().deadHandles.insert(handle);
  return CUDA_SUCCESS;
}

FAKE_CUDA(CtxGetId, CUcontext handle, unsigned long long* id) {
  if (!contextOf(handle)) return CUDA_ERROR_INVALID_CONTEXT;
  *id = reinterpret_cast<std::uint64_t>(handle) % 0xffffff + 1;
  return CUDA_SUCCESS;
}

FAKE_CUDA(DevicePrimaryCtxSetFlags, CUdevice device, unsigned flags) {
  if (!deviceOf(device)) return CUDA_ERROR_INVALID_DEVICE;
  return flags > 0xff ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

namespace {

/// What a new context starts with; 0: no such limit here.
std::size_t firstLimit(CUlimit limit) {
  switch (int(limit)) {
    case CU_LIMIT_STACK_SIZE: return 1024;
    case CU_LIMIT_PRINTF_FIFO_SIZE: return 1 << 20;
    case CU_LIMIT_MALLOC_HEAP_SIZE: return 8 << 20;
    default: return 0;
  }
}

}  // namespace

FAKE_CUDA(CtxGetLimit, std::size_t* value, CUlimit limit) {
  Context* context = currentContext();
  if (!context) return CUDA_ERROR_INVALID_CONTEXT;
  if (!firstLimit(limit)) return CUDA_ERROR_UNSUPPORTED_LIMIT;
  auto it = context->limits.find(limit);
  *value = it == context->limits.end() ? firstLimit(limit) : it->second;
  return CUDA_SUCCESS;
}

FAKE_CUDA(CtxSetLimit, CUlimit limit, std::size_t value) {
  Context* context = currentContext();
  if (!context) return CUDA_ERROR_INVALID_CONTEXT;
  if (!firstLimit(limit)) return CUDA_ERROR_UNSUPPORTED_LIMIT;
  if (limit == CU_LIMIT_PRINTF_FIFO_SIZE && context->printed) return CUDA_ERROR_INVALID_VALUE;
  context->limits[limit] = (value + 15) / 16 * 16;
  return CUDA_SUCCESS;
}

FAKE_CUDA(CtxGetStreamPriorityRange, int* least, int* greatest) {
  if (!currentContext()) return CUDA_ERROR_INVALID_CONTEXT;
  *least = 0;
  *greatest = -5;
  return CUDA_SUCCESS;
}

FAKE_CUDA(CtxResetPersistingL2Cache, void) { return currentContext() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT; }

// ---- peers: each device reaches the next ones, none reaches back to device 0
// from device 3 (so that the answer depends on the direction) ----

FAKE_CUDA(DeviceCanAccessPeer, int* can, CUdevice device, CUdevice peer) {
  if (!deviceOf(device) || !deviceOf(peer)) return CUDA_ERROR_INVALID_DEVICE;
  *can = device != peer && !(device == 3 && peer == 0);
  return CUDA_SUCCESS;
}

FAKE_CUDA(DeviceGetP2PAttribute, int* value, CUdevice_P2PAttribute attribute, CUdevice device, CUdevice peer) {
  if (!deviceOf(device) || !deviceOf(peer) || device == peer) return CUDA_ERROR_INVALID_DEVICE;
  *value = attribute == CU_DEVICE_P2P_ATTRIBUTE_ACCESS_SUPPORTED && !(device == 3 && peer == 0);
  return CUDA_SUCCESS;
}

FAKE_CUDA(CtxEnablePeerAccess, CUcontext handle, unsigned flags) {
  Context *context = currentContext(), *peer = contextOf(handle);
  if (!context || !peer) return CUDA_ERROR_INVALID_CONTEXT;
  if (flags != 0 || context == peer) return CUDA_ERROR_INVALID_VALUE;
  if (context->device->ordinal == 3 && peer->device->ordinal == 0) return CUDA_ERROR_PEER_ACCESS_UNSUPPORTED;
  return context->peers.insert(peer).second ? CUDA_SUCCESS : CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED;
}

FAKE_CUDA(CtxDisablePeerAccess, CUcontext handle) {
  Context *context = currentContext(), *peer = contextOf(handle);
  if (!context || !peer) return CUDA_ERROR_INVALID_CONTEXT;
  return context->peers.erase(peer) ? CUDA_SUCCESS : CUDA_ERROR_PEER_ACCESS_NOT_ENABLED;
}

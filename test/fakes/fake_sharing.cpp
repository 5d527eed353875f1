// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tier 7: memory that is shared or mapped: other processes, ranges of addresses,
// other interfaces.

#include "test/fakes/fake_state.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

using namespace fake;

namespace {

constexpr std::size_t unit = std::size_t(2) << 20;

bool isOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

}  // namespace

// ---- other processes. A real driver refuses to open what the same process
// shared; the fake opens it as memory of its own, so that both sides can be
// tested in one process. ----

FAKE_CUDA(IpcGetMemHandle, CUipcMemHandle* handle, CUdeviceptr address) {
  Memory* memory = findMemory(address, 1);
  if (!handle || !memory || memory->pool || memory->physical) return CUDA_ERROR_INVALID_VALUE;
  std::memset(handle->reserved, 0, sizeof handle->reserved);
  std::memcpy(handle->reserved, "fake", 4);
  std::memcpy(handle->reserved + 8, &memory->size, 8);
  return CUDA_SUCCESS;
}

FAKE_CUDA(IpcOpenMemHandle, CUdeviceptr* address, CUipcMemHandle handle, unsigned flags) {
  Context* context = currentContext();
  if (!context) return CUDA_ERROR_INVALID_CONTEXT;
  std::uint64_t size = 0;
  std::memcpy(&size, handle.reserved + 8, 8);
  if (!address || flags != CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS || std::memcmp(handle.reserved, "fake", 4) != 0)
    return CUDA_ERROR_INVALID_VALUE;
  Memory* memory = makeMemory(*context->device, context, size);
  if (!memory) return CUDA_ERROR_OUT_OF_MEMORY;
  memory->shared = true;
  *address = memory->address;
  return CUDA_SUCCESS;
}

FAKE_CUDA(IpcCloseMemHandle, CUdeviceptr address) {
  auto it = world().memory.find(address);
  if (it == world().memory.end() || !it->second->shared) return CUDA_ERROR_INVALID_VALUE;
  for (auto& [handle, stream] : world().streams) drain(*stream);
  dropMemory(address);
  return CUDA_SUCCESS;
}

FAKE_CUDA(IpcGetEventHandle, CUipcEventHandle* handle, CUevent event) {
  auto it = world().events.find(event);
  if (!handle || it == world().events.end() || !it->second->interprocess) return CUDA_ERROR_INVALID_VALUE;
  std::memset(handle->reserved, 0, sizeof handle->reserved);
  std::memcpy(handle->reserved, "fake", 4);
  return CUDA_SUCCESS;
}

FAKE_CUDA(IpcOpenEventHandle, CUevent* event, CUipcEventHandle handle) {
  Context* context = currentContext();
  if (!context) return CUDA_ERROR_INVALID_CONTEXT;
  if (!event || std::memcmp(handle.reserved, "fake", 4) != 0) return CUDA_ERROR_INVALID_VALUE;
  *event = makeHandle<CUevent>();
  auto made = std::make_unique<Event>();
  made->context = context;
  made->timing = false;
  world().events.emplace(*event, std::move(made));
  return CUDA_SUCCESS;
}

// ---- ranges of addresses ----

FAKE_CUDA(MemGetAllocationGranularity, std::size_t* bytes, const CUmemAllocationProp* properties,
          CUmemAllocationGranularity_flags) {
  if (!bytes || !properties || !deviceOf(properties->location.id)) return CUDA_ERROR_INVALID_VALUE;
  *bytes = unit;
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemAddressReserve, CUdeviceptr* address, std::size_t bytes, std::size_t alignment, CUdeviceptr,
          unsigned long long flags) {
  if (!address || !bytes || bytes % unit || alignment % unit || flags) return CUDA_ERROR_INVALID_VALUE;
  *address = takeAddresses(bytes, unit);
  world().ranges[*address] = bytes;
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemAddressFree, CUdeviceptr address, std::size_t bytes) {
  auto it = world().ranges.find(address);
  if (it == world().ranges.end() || it->second != bytes) return CUDA_ERROR_INVALID_VALUE;
  for (auto& [at, memory] : world().memory)
    if (at >= address && at < address + bytes) {
      violation("a range of addresses was freed with memory mapped into it");
      return CUDA_ERROR_INVALID_VALUE;
    }
  world().ranges.erase(it);
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemCreate, CUmemGenericAllocationHandle* out, std::size_t bytes, const CUmemAllocationProp* properties,
          unsigned long long flags) {
  if (!out || !bytes || bytes % unit || !properties || flags) return CUDA_ERROR_INVALID_VALUE;
  Device* device = deviceOf(properties->location.id);
  if (!device) return CUDA_ERROR_INVALID_DEVICE;
  if (bytes > world().config.memory || device->used > world().config.memory - bytes) return CUDA_ERROR_OUT_OF_MEMORY;
  auto physical = std::make_shared<Physical>();
  physical->device = device;
  physical->bytes.resize(bytes, 0xcd);
  physical->shareable = properties->requestedHandleTypes != CU_MEM_HANDLE_TYPE_NONE;
  *out = ++world().nextHandle;
  world().physical.emplace(*out, std::move(physical));
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemRelease, CUmemGenericAllocationHandle handle) {
  // What is mapped keeps the memory itself.
  return world().physical.erase(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

FAKE_CUDA(MemMap, CUdeviceptr address, std::size_t bytes, std::size_t offset, CUmemGenericAllocationHandle handle,
          unsigned long long flags) {
  World& w = world();
  auto it = w.physical.find(handle);
  auto range = w.ranges.upper_bound(address);
  if (it == w.physical.end() || offset || flags || bytes % unit || bytes > it->second->bytes.size() ||
      range == w.ranges.begin())
    return CUDA_ERROR_INVALID_VALUE;
  --range;
  if (address + bytes > range->first + range->second || findMemory(address, 1) || address % unit)
    return CUDA_ERROR_INVALID_VALUE;
  auto memory = std::make_unique<Memory>();
  memory->address = address;
  memory->size = bytes;
  memory->bytes = it->second->bytes.data();
  memory->device = it->second->device;
  memory->physical = it->second;
  memory->accessible = false;
  w.memory.emplace(address, std::move(memory));
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemUnmap, CUdeviceptr address, std::size_t bytes) {
  auto it = world().memory.find(address);
  if (it == world().memory.end() || !it->second->physical || it->second->size != bytes) return CUDA_ERROR_INVALID_VALUE;
  for (auto& [handle, stream] : world().streams) drain(*stream);
  dropMemory(address);
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemSetAccess, CUdeviceptr address, std::size_t bytes, const CUmemAccessDesc* access, std::size_t count) {
  auto it = world().memory.find(address);
  if (it == world().memory.end() || !it->second->physical || it->second->size != bytes || !access || count != 1)
    return CUDA_ERROR_INVALID_VALUE;
  it->second->accessible = access->flags != CU_MEM_ACCESS_FLAGS_PROT_NONE;
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemExportToShareableHandle, void* out, CUmemGenericAllocationHandle handle, CUmemAllocationHandleType type,
          unsigned long long flags) {
  auto it = world().physical.find(handle);
  if (it == world().physical.end() || !it->second->shareable || !out || flags ||
      type != CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR)
    return CUDA_ERROR_INVALID_VALUE;
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  world().exported[fd] = it->second;
  std::memcpy(out, &fd, sizeof fd);
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemImportFromShareableHandle, CUmemGenericAllocationHandle* out, void* handle,
          CUmemAllocationHandleType type) {
  const int fd = int(reinterpret_cast<std::intptr_t>(handle));
  auto it = world().exported.find(fd);
  if (!out || type != CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR || !isOpen(fd) || it == world().exported.end())
    return CUDA_ERROR_INVALID_VALUE;
  *out = ++world().nextHandle;
  world().physical.emplace(*out, it->second);
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemPoolExportToShareableHandle, void* out, CUmemoryPool pool, CUmemAllocationHandleType type,
          unsigned long long flags) {
  auto it = world().pools.find(pool);
  if (!out || it == world().pools.end() || !it->second->shareable || flags ||
      type != CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR)
    return CUDA_ERROR_INVALID_VALUE;
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  world().exportedPools[fd] = it->second->device;
  std::memcpy(out, &fd, sizeof fd);
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemPoolImportFromShareableHandle, CUmemoryPool* out, void* handle, CUmemAllocationHandleType type,
          unsigned long long flags) {
  const int fd = int(reinterpret_cast<std::intptr_t>(handle));
  auto it = world().exportedPools.find(fd);
  if (!out || flags || type != CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR || !isOpen(fd) ||
      it == world().exportedPools.end())
    return CUDA_ERROR_INVALID_VALUE;
  *out = makeHandle<CUmemoryPool>();
  auto made = std::make_unique<Pool>();
  made->device = it->second;
  made->imported = true;
  world().pools.emplace(*out, std::move(made));
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemPoolExportPointer, CUmemPoolPtrExportData* out, CUdeviceptr address) {
  Memory* memory = findMemory(address, 1);
  if (!out || !memory || !memory->pool || !memory->pool->shareable) return CUDA_ERROR_INVALID_VALUE;
  std::memset(out, 0, sizeof *out);
  std::memcpy(out->reserved, "fake", 4);
  std::memcpy(out->reserved + 8, &memory->size, 8);
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemPoolImportPointer, CUdeviceptr* address, CUmemoryPool pool, CUmemPoolPtrExportData* data) {
  auto it = world().pools.find(pool);
  if (!address || !data || it == world().pools.end() || !it->second->imported ||
      std::memcmp(data->reserved, "fake", 4) != 0)
    return CUDA_ERROR_INVALID_VALUE;
  std::uint64_t size = 0;
  std::memcpy(&size, data->reserved + 8, 8);
  Memory* memory = makeMemory(*it->second->device, nullptr, size);
  if (!memory) return CUDA_ERROR_OUT_OF_MEMORY;
  memory->pool = it->second.get();
  it->second->used += size;
  *address = memory->address;
  return CUDA_SUCCESS;
}

// ---- other interfaces: a descriptor is the driver's once it is imported ----

FAKE_CUDA(ImportExternalMemory, CUexternalMemory* out, const CUDA_EXTERNAL_MEMORY_HANDLE_DESC* description) {
  if (!currentContext()) return CUDA_ERROR_INVALID_CONTEXT;
  if (!out || !description || !description->size || description->type != CU_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD ||
      !isOpen(description->handle.fd))
    return CUDA_ERROR_INVALID_VALUE;
  close(description->handle.fd);
  *out = makeHandle<CUexternalMemory>();
  world().externals[*out] = description->size;
  return CUDA_SUCCESS;
}

FAKE_CUDA(ExternalMemoryGetMappedBuffer, CUdeviceptr* address, CUexternalMemory handle,
          const CUDA_EXTERNAL_MEMORY_BUFFER_DESC* description) {
  auto it = world().externals.find(handle);
  Context* context = currentContext();
  if (it == world().externals.end() || !address || !description || !context ||
      description->offset + description->size > it->second)
    return CUDA_ERROR_INVALID_VALUE;
  Memory* memory = makeMemory(*context->device, context, description->size);
  if (!memory) return CUDA_ERROR_OUT_OF_MEMORY;
  memory->external = handle;
  *address = memory->address;
  return CUDA_SUCCESS;
}

FAKE_CUDA(DestroyExternalMemory, CUexternalMemory handle) {
  for (auto& [address, memory] : world().memory)
    if (memory->external == handle) violation("external memory was destroyed before what was mapped of it");
  return world().externals.erase(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

FAKE_CUDA(ImportExternalSemaphore, CUexternalSemaphore* out, const CUDA_EXTERNAL_SEMAPHORE_HANDLE_DESC* description) {
  if (!currentContext()) return CUDA_ERROR_INVALID_CONTEXT;
  if (!out || !description || !isOpen(description->handle.fd)) return CUDA_ERROR_INVALID_VALUE;
  close(description->handle.fd);
  *out = makeHandle<CUexternalSemaphore>();
  world().semaphores[*out] = 0;
  return CUDA_SUCCESS;
}

FAKE_CUDA(SignalExternalSemaphoresAsync, const CUexternalSemaphore* semaphores,
          const CUDA_EXTERNAL_SEMAPHORE_SIGNAL_PARAMS* params, unsigned count, CUstream handle) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  for (unsigned i = 0; i < count; ++i) {
    if (!world().semaphores.count(semaphores[i])) return CUDA_ERROR_INVALID_HANDLE;
    enqueue(
        *stream,
        [one = semaphores[i], value = params[i].params.fence.value] {
          if (auto it = world().semaphores.find(one); it != world().semaphores.end()) it->second = value;
        },
        CU_GRAPH_NODE_TYPE_EXT_SEMAS_SIGNAL);
  }
  return CUDA_SUCCESS;
}

FAKE_CUDA(WaitExternalSemaphoresAsync, const CUexternalSemaphore* semaphores,
          const CUDA_EXTERNAL_SEMAPHORE_WAIT_PARAMS* params, unsigned count, CUstream handle) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  for (unsigned i = 0; i < count; ++i) {
    if (!world().semaphores.count(semaphores[i])) return CUDA_ERROR_INVALID_HANDLE;
    enqueue(
        *stream, [] {}, CU_GRAPH_NODE_TYPE_EXT_SEMAS_WAIT,
        [one = semaphores[i], value = params[i].params.fence.value] {
          auto it = world().semaphores.find(one);
          return it == world().semaphores.end() || it->second >= value;
        });
  }
  return CUDA_SUCCESS;
}

FAKE_CUDA(DestroyExternalSemaphore, CUexternalSemaphore handle) {
  return world().semaphores.erase(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

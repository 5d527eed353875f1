// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tier 2: memory and copies.

#include "test/fakes/fake_state.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace fake;

namespace {

/// A call that needs a context, and did not get one.
bool lacksContext(CUresult& status) {
  Context* context = currentContext();
  if (!context) status = CUDA_ERROR_INVALID_CONTEXT;
  else if (!context->alive) status = CUDA_ERROR_CONTEXT_IS_DESTROYED;
  else return false;
  return true;
}

CUresult badRange(const char* what, std::uint64_t address, std::size_t bytes) {
  violation(std::string(what) + " of " + std::to_string(bytes) + " bytes that are not all inside one allocation");
  logReason("Invalid range for " + std::to_string(address));
  return CUDA_ERROR_INVALID_VALUE;
}

template <class T>
CUresult fill(std::uint64_t address, T value, std::size_t count, CUstream handle) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  if (address % sizeof(T)) return CUDA_ERROR_INVALID_VALUE;
  if (!resolve(address, count * sizeof(T))) return badRange("a fill", address, count * sizeof(T));
  enqueue(
      *stream,
      [=] {
        if (unsigned char* bytes = resolve(address, count * sizeof(T)))
          for (std::size_t i = 0; i < count; ++i) std::memcpy(bytes + i * sizeof(T), &value, sizeof(T));
      },
      CU_GRAPH_NODE_TYPE_MEMSET);
  return CUDA_SUCCESS;
}

CUresult freeAddress(std::uint64_t address, Memory*& out) {
  World& w = world();
  auto it = w.memory.find(address);
  if (it == w.memory.end() || it->second->freed || it->second->shared || it->second->physical) {
    violation(findMemory(address, 1) ? "memory was freed by an address inside it"
                                     : "memory was freed twice, or never was");
    return CUDA_ERROR_INVALID_VALUE;
  }
  out = it->second.get();
  return CUDA_SUCCESS;
}

}  // namespace

FAKE_CUDA(MemGetInfo, std::size_t* free, std::size_t* total) {
  CUresult status;
  if (lacksContext(status)) return status;
  *total = world().config.memory;
  *free = world().config.memory - currentContext()->device->used;
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemAlloc, CUdeviceptr* address, std::size_t bytes) {
  CUresult status;
  if (lacksContext(status)) return status;
  if (!address || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  Context* context = currentContext();
  Memory* memory = makeMemory(*context->device, context, bytes);
  if (!memory) return CUDA_ERROR_OUT_OF_MEMORY;
  *address = memory->address;
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemFree, CUdeviceptr address) {
  if (address == 0) return CUDA_SUCCESS;
  if (auto it = world().pinned.find(reinterpret_cast<void*>(address));
      it != world().pinned.end() && it->second.managed) {
    for (auto& [handle, stream] : world().streams) drain(*stream);
    std::free(it->first);
    world().pinned.erase(it);
    return CUresult(world().sticky);
  }
  Memory* memory = nullptr;
  if (CUresult status = freeAddress(address, memory)) return status;
  // Waits for everything that runs.
  for (auto& [handle, stream] : world().streams) drain(*stream);
  dropMemory(address);
  return CUresult(world().sticky);
}

// ---- pools ----

FAKE_CUDA(MemPoolCreate, CUmemoryPool* pool, const CUmemPoolProps* properties) {
  if (!pool || !properties || properties->allocType != CU_MEM_ALLOCATION_TYPE_PINNED ||
      properties->location.type != CU_MEM_LOCATION_TYPE_DEVICE)
    return CUDA_ERROR_INVALID_VALUE;
  Device* device = deviceOf(properties->location.id);
  if (!device) return CUDA_ERROR_INVALID_DEVICE;
  *pool = makeHandle<CUmemoryPool>();
  auto made = std::make_unique<Pool>();
  made->device = device;
  made->shareable = properties->handleTypes != CU_MEM_HANDLE_TYPE_NONE;
  world().pools.emplace(*pool, std::move(made));
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemPoolDestroy, CUmemoryPool pool) {
  World& w = world();
  if (w.deadHandles.count(pool)) crash("a memory pool was destroyed twice");
  auto it = w.pools.find(pool);
  if (it == w.pools.end() || it->second->common) return CUDA_ERROR_INVALID_VALUE;
  for (auto& [address, memory] : w.memory)
    if (memory->pool == it->second.get()) memory->pool = nullptr;  // freed later all the same
  w.pools.erase(it);
  w.deadHandles.insert(pool);
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemPoolSetAttribute, CUmemoryPool pool, CUmemPool_attribute attribute, void* value) {
  auto it = world().pools.find(pool);
  if (it == world().pools.end() || !value) return CUDA_ERROR_INVALID_VALUE;
  if (attribute == CU_MEMPOOL_ATTR_RELEASE_THRESHOLD) std::memcpy(&it->second->releaseThreshold, value, 8);
  else if (attribute == CU_MEMPOOL_ATTR_USED_MEM_HIGH) it->second->usedHigh = it->second->used;
  else if (attribute == CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH) it->second->reservedHigh = it->second->reserved;
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemPoolTrimTo, CUmemoryPool handle, std::size_t keep) {
  auto it = world().pools.find(handle);
  if (it == world().pools.end()) return CUDA_ERROR_INVALID_VALUE;
  Pool& pool = *it->second;
  pool.reserved = std::min(pool.reserved, std::max(pool.used, std::uint64_t(keep)));
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemPoolGetAttribute, CUmemoryPool handle, CUmemPool_attribute attribute, void* value) {
  auto it = world().pools.find(handle);
  if (it == world().pools.end() || !value) return CUDA_ERROR_INVALID_VALUE;
  const Pool& pool = *it->second;
  std::uint64_t out = 0;
  switch (int(attribute)) {
    case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD: out = pool.releaseThreshold; break;
    case CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT: out = pool.reserved; break;
    case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH: out = pool.reservedHigh; break;
    case CU_MEMPOOL_ATTR_USED_MEM_CURRENT: out = pool.used; break;
    case CU_MEMPOOL_ATTR_USED_MEM_HIGH: out = pool.usedHigh; break;
    default: return CUDA_ERROR_INVALID_VALUE;
  }
  std::memcpy(value, &out, sizeof out);
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemPoolSetAccess, CUmemoryPool pool, const CUmemAccessDesc* access, std::size_t count) {
  if (!world().pools.count(pool) || !access || !count) return CUDA_ERROR_INVALID_VALUE;
  for (std::size_t i = 0; i < count; ++i)
    if (!deviceOf(access[i].location.id)) return CUDA_ERROR_INVALID_DEVICE;
  return CUDA_SUCCESS;
}

FAKE_CUDA(DeviceGetDefaultMemPool, CUmemoryPool* out, CUdevice ordinal) {
  Device* device = deviceOf(ordinal);
  if (!device) return CUDA_ERROR_INVALID_DEVICE;
  for (auto& [handle, pool] : world().pools)
    if (pool->common && pool->device == device) {
      *out = handle;
      return CUDA_SUCCESS;
    }
  *out = makeHandle<CUmemoryPool>();
  auto pool = std::make_unique<Pool>();
  pool->device = device;
  pool->common = true;
  world().pools.emplace(*out, std::move(pool));
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemAllocFromPoolAsync, CUdeviceptr* address, std::size_t bytes, CUmemoryPool handle, CUstream streamHandle) {
  CUresult status;
  if (!streamOf(streamHandle, status)) return status;
  auto it = world().pools.find(handle);
  if (it == world().pools.end() || !address) return CUDA_ERROR_INVALID_VALUE;
  *address = 0;
  if (bytes == 0) return CUDA_SUCCESS;
  Pool& pool = *it->second;
  if (pool.imported) return CUDA_ERROR_INVALID_VALUE;
  Memory* memory = makeMemory(*pool.device, nullptr, bytes);
  if (!memory) return CUDA_ERROR_OUT_OF_MEMORY;
  memory->pool = &pool;
  pool.used += bytes;
  pool.usedHigh = std::max(pool.usedHigh, pool.used);
  pool.reserved = std::max(pool.reserved, pool.used);
  pool.reservedHigh = std::max(pool.reservedHigh, pool.reserved);
  *address = memory->address;
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemAllocAsync, CUdeviceptr* address, std::size_t bytes, CUstream handle) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  CUmemoryPool pool = nullptr;
  fakeDeviceGetDefaultMemPool(&pool, stream->context->device->ordinal);
  return fakeMemAllocFromPoolAsync(address, bytes, pool, handle);
}

FAKE_CUDA(MemFreeAsync, CUdeviceptr address, CUstream handle) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  if (address == 0) return CUDA_SUCCESS;
  Memory* memory = nullptr;
  if ((status = freeAddress(address, memory))) return status;
  memory->freed = true;
  enqueue(*stream, [address] { dropMemory(address); });
  return CUDA_SUCCESS;
}

// ---- pinned memory ----

FAKE_CUDA(MemHostAlloc, void** pointer, std::size_t bytes, unsigned flags) {
  CUresult status;
  if (lacksContext(status)) return status;
  if (!pointer || bytes == 0 || flags > 7) return CUDA_ERROR_INVALID_VALUE;
  void* memory = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (!memory) return CUDA_ERROR_OUT_OF_MEMORY;
  std::memset(memory, 0xcd, bytes);
  *pointer = memory;
  world().pinned[memory] = {memory, bytes, currentContext(), false, false};
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemAllocManaged, CUdeviceptr* address, std::size_t bytes, unsigned flags) {
  void* memory = nullptr;
  if (!address || (flags != CU_MEM_ATTACH_GLOBAL && flags != CU_MEM_ATTACH_HOST)) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult status = fakeMemHostAlloc(&memory, bytes, 0)) return status;
  world().pinned[memory].managed = true;
  *address = reinterpret_cast<CUdeviceptr>(memory);
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemHostRegister, void* pointer, std::size_t bytes, unsigned flags) {
  CUresult status;
  if (lacksContext(status)) return status;
  if (!pointer || !bytes || flags > 15) return CUDA_ERROR_INVALID_VALUE;
  auto first = static_cast<char*>(pointer);
  for (auto& [begin, item] : world().pinned)
    if (first < static_cast<char*>(begin) + item.size && static_cast<char*>(begin) < first + bytes)
      return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
  world().pinned[pointer] = {pointer, bytes, currentContext(), true, false};
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemHostUnregister, void* pointer) {
  World& w = world();
  auto it = w.pinned.find(pointer);
  if (it == w.pinned.end() || !it->second.registered) {
    violation("memory was unregistered that is not registered");
    return CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
  }
  for (auto& [handle, stream] : w.streams) drain(*stream);
  w.pinned.erase(it);
  return CUresult(w.sticky);
}

namespace {

/// Managed memory that holds the range.
bool isManaged(CUdeviceptr address, std::size_t bytes) {
  const Pinned* item = pinnedAt(reinterpret_cast<void*>(address), bytes);
  return item && item->managed;
}

}  // namespace

FAKE_CUDA(MemPrefetchAsync, CUdeviceptr address, std::size_t bytes, CUmemLocation, unsigned flags, CUstream handle) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  if (flags != 0 || !isManaged(address, bytes)) return CUDA_ERROR_INVALID_VALUE;
  enqueue(*stream, [] {});
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemAdvise, CUdeviceptr address, std::size_t bytes, CUmem_advise, CUmemLocation) {
  return isManaged(address, bytes) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

FAKE_CUDA(MemAllocPitch, CUdeviceptr* address, std::size_t* pitch, std::size_t width, std::size_t height,
          unsigned element) {
  if (!pitch || !height || (element != 4 && element != 8 && element != 16)) return CUDA_ERROR_INVALID_VALUE;
  *pitch = (width + 511) / 512 * 512;
  return fakeMemAlloc(address, *pitch * height);
}

FAKE_CUDA(MemFreeHost, void* pointer) {
  World& w = world();
  if (!w.pinned.count(pointer) || w.pinned[pointer].registered) {
    violation("host memory was freed that is not pinned");
    return CUDA_ERROR_INVALID_VALUE;
  }
  for (auto& [handle, stream] : w.streams) drain(*stream);
  std::free(pointer);
  w.pinned.erase(pointer);
  return CUresult(w.sticky);
}

FAKE_CUDA(MemHostGetDevicePointer, CUdeviceptr* address, void* pointer, unsigned flags) {
  if (flags != 0 || !pinnedAt(pointer, 1)) return CUDA_ERROR_INVALID_VALUE;
  *address = reinterpret_cast<CUdeviceptr>(pointer);
  return CUDA_SUCCESS;
}

FAKE_CUDA(PointerGetAttributes, unsigned count, CUpointer_attribute* which, void** values, CUdeviceptr address) {
  const Memory* memory = findMemory(address, 1);
  const Pinned* pinned = pinnedAt(reinterpret_cast<void*>(address), 1);
  for (unsigned i = 0; i < count; ++i) {
    auto give = [&](auto value) { std::memcpy(values[i], &value, sizeof value); };
    switch (int(which[i])) {
      case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
        give(memory   ? CU_MEMORYTYPE_DEVICE
             : pinned ? pinned->managed ? CU_MEMORYTYPE_UNIFIED : CU_MEMORYTYPE_HOST
                      : CUmemorytype(0));
        break;
      case CU_POINTER_ATTRIBUTE_IS_MANAGED: give(unsigned(pinned && pinned->managed)); break;
      case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
        give(memory ? memory->device->ordinal : pinned ? pinned->context->device->ordinal : -2);
        break;
      case CU_POINTER_ATTRIBUTE_CONTEXT:
        give(memory && memory->context ? handleOf(memory->context) : pinned ? handleOf(pinned->context) : nullptr);
        break;
      case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
        give(memory ? CUdeviceptr(memory->address) : pinned ? reinterpret_cast<CUdeviceptr>(pinned->memory) : 0);
        break;
      case CU_POINTER_ATTRIBUTE_RANGE_SIZE: give(memory ? std::size_t(memory->size) : pinned ? pinned->size : 0); break;
      case CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE: {
        CUmemoryPool found = nullptr;
        for (auto& [handle, pool] : world().pools)
          if (memory && memory->pool == pool.get()) found = handle;
        give(found);
        break;
      }
      case CU_POINTER_ATTRIBUTE_BUFFER_ID: give(memory ? static_cast<unsigned long long>(memory->id) : 0ull); break;
      default: return CUDA_ERROR_NOT_SUPPORTED;
    }
  }
  return CUDA_SUCCESS;
}

// ---- copies ----

FAKE_CUDA(MemcpyHtoDAsync, CUdeviceptr to, const void* from, std::size_t bytes, CUstream handle) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  if (!resolve(to, bytes)) return badRange("a copy to the device", to, bytes);
  if (pinnedAt(from, bytes)) {
    // Read when the copy happens, not when it was asked for.
    enqueue(
        *stream,
        [=] {
          if (unsigned char* target = resolve(to, bytes)) std::memcpy(target, from, bytes);
        },
        CU_GRAPH_NODE_TYPE_MEMCPY);
    return CUDA_SUCCESS;
  }
  auto begin = static_cast<const unsigned char*>(from);
  std::vector<unsigned char> staged(begin, begin + bytes);
  enqueue(
      *stream,
      [to, staged = std::move(staged)] {
        if (unsigned char* target = resolve(to, staged.size())) std::memcpy(target, staged.data(), staged.size());
      },
      CU_GRAPH_NODE_TYPE_MEMCPY);
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemcpyDtoHAsync, void* to, CUdeviceptr from, std::size_t bytes, CUstream handle) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  if (!resolve(from, bytes)) return badRange("a copy from the device", from, bytes);
  enqueue(
      *stream,
      [=] {
        if (unsigned char* source = resolve(from, bytes)) std::memcpy(to, source, bytes);
      },
      CU_GRAPH_NODE_TYPE_MEMCPY);
  // A real driver is done with ordinary host memory when it returns. The fake
  // leaves that to the wait, so that a missing one shows.
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemcpyDtoDAsync, CUdeviceptr to, CUdeviceptr from, std::size_t bytes, CUstream handle) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  if (!resolve(to, bytes) || !resolve(from, bytes)) return badRange("a copy on the device", to, bytes);
  enqueue(
      *stream,
      [=] {
        unsigned char *target = resolve(to, bytes), *source = resolve(from, bytes);
        if (target && source) std::memmove(target, source, bytes);
      },
      CU_GRAPH_NODE_TYPE_MEMCPY);
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemsetD8Async, CUdeviceptr to, unsigned char value, std::size_t count, CUstream stream) {
  return fill(to, value, count, stream);
}
FAKE_CUDA(MemsetD16Async, CUdeviceptr to, unsigned short value, std::size_t count, CUstream stream) {
  return fill(to, value, count, stream);
}
FAKE_CUDA(MemsetD32Async, CUdeviceptr to, unsigned value, std::size_t count, CUstream stream) {
  return fill(to, value, count, stream);
}

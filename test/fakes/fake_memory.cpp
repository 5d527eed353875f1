// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tier 2: memory and copies.

#include "test/fakes/fake_state.h"

#include <cstdlib>
#include <cstring>

using namespace fake;

namespace {

/// A call that needs a context, and did not get one.
bool lacksContext(CUresult &status) {
  Context *context = currentContext();
  if (!context)
    status = CUDA_ERROR_INVALID_CONTEXT;
  else if (!context->alive)
    status = CUDA_ERROR_CONTEXT_IS_DESTROYED;
  else
    return false;
  return true;
}

CUresult badRange(const char *what, std::uint64_t address, std::size_t bytes) {
  violation(std::string(what) + " of " + std::to_string(bytes) +
            " bytes that are not all inside one allocation");
  logReason("Invalid range for " + std::to_string(address));
  return CUDA_ERROR_INVALID_VALUE;
}

/// The pinned allocation that holds the memory, or null.
const Pinned *pinnedAt(const void *memory, std::size_t bytes) {
  for (auto &[begin, item] : world().pinned) {
    auto first = static_cast<const char *>(begin);
    auto wanted = static_cast<const char *>(memory);
    if (wanted >= first && std::size_t(wanted - first) <= item.size &&
        bytes <= item.size - std::size_t(wanted - first))
      return &item;
  }
  return nullptr;
}

template <class T>
CUresult fill(std::uint64_t address, T value, std::size_t count,
              CUstream handle) {
  CUresult status;
  Stream *stream = streamOf(handle, status);
  if (!stream)
    return status;
  if (address % sizeof(T))
    return CUDA_ERROR_INVALID_VALUE;
  if (!resolve(address, count * sizeof(T)))
    return badRange("a fill", address, count * sizeof(T));
  enqueue(*stream, [=] {
    if (unsigned char *bytes = resolve(address, count * sizeof(T)))
      for (std::size_t i = 0; i < count; ++i)
        std::memcpy(bytes + i * sizeof(T), &value, sizeof(T));
  });
  return CUDA_SUCCESS;
}

CUresult freeAddress(std::uint64_t address, Memory *&out) {
  World &w = world();
  auto it = w.memory.find(address);
  if (it == w.memory.end() || it->second->freed) {
    violation(findMemory(address, 1) ? "memory was freed by an address inside it"
                                     : "memory was freed twice, or never was");
    return CUDA_ERROR_INVALID_VALUE;
  }
  out = it->second.get();
  return CUDA_SUCCESS;
}

} // namespace

FAKE_CUDA(MemGetInfo, std::size_t *free, std::size_t *total) {
  CUresult status;
  if (lacksContext(status))
    return status;
  *total = world().config.memory;
  *free = world().config.memory - currentContext()->device->used;
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemAlloc, CUdeviceptr *address, std::size_t bytes) {
  CUresult status;
  if (lacksContext(status))
    return status;
  if (!address || bytes == 0)
    return CUDA_ERROR_INVALID_VALUE;
  Context *context = currentContext();
  Memory *memory = makeMemory(*context->device, context, bytes);
  if (!memory)
    return CUDA_ERROR_OUT_OF_MEMORY;
  *address = memory->address;
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemFree, CUdeviceptr address) {
  if (address == 0)
    return CUDA_SUCCESS;
  Memory *memory = nullptr;
  if (CUresult status = freeAddress(address, memory))
    return status;
  // Waits for everything that runs.
  for (auto &[handle, stream] : world().streams)
    drain(*stream);
  dropMemory(address);
  return CUresult(world().sticky);
}

// ---- pools ----

FAKE_CUDA(MemPoolCreate, CUmemoryPool *pool, const CUmemPoolProps *properties) {
  if (!pool || !properties ||
      properties->allocType != CU_MEM_ALLOCATION_TYPE_PINNED ||
      properties->location.type != CU_MEM_LOCATION_TYPE_DEVICE)
    return CUDA_ERROR_INVALID_VALUE;
  Device *device = deviceOf(properties->location.id);
  if (!device)
    return CUDA_ERROR_INVALID_DEVICE;
  *pool = makeHandle<CUmemoryPool>();
  auto made = std::make_unique<Pool>();
  made->device = device;
  world().pools.emplace(*pool, std::move(made));
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemPoolDestroy, CUmemoryPool pool) {
  World &w = world();
  if (w.deadHandles.count(pool))
    crash("a memory pool was destroyed twice");
  if (w.pools.erase(pool) == 0)
    return CUDA_ERROR_INVALID_VALUE;
  w.deadHandles.insert(pool);
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemPoolSetAttribute, CUmemoryPool pool, CUmemPool_attribute attribute,
          void *value) {
  auto it = world().pools.find(pool);
  if (it == world().pools.end() || !value)
    return CUDA_ERROR_INVALID_VALUE;
  if (attribute == CU_MEMPOOL_ATTR_RELEASE_THRESHOLD)
    std::memcpy(&it->second->releaseThreshold, value, 8);
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemPoolTrimTo, CUmemoryPool pool, std::size_t) {
  return world().pools.count(pool) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

FAKE_CUDA(MemAllocFromPoolAsync, CUdeviceptr *address, std::size_t bytes,
          CUmemoryPool pool, CUstream handle) {
  CUresult status;
  if (!streamOf(handle, status))
    return status;
  auto it = world().pools.find(pool);
  if (it == world().pools.end() || !address)
    return CUDA_ERROR_INVALID_VALUE;
  *address = 0;
  if (bytes == 0)
    return CUDA_SUCCESS;
  Memory *memory = makeMemory(*it->second->device, nullptr, bytes);
  if (!memory)
    return CUDA_ERROR_OUT_OF_MEMORY;
  *address = memory->address;
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemFreeAsync, CUdeviceptr address, CUstream handle) {
  CUresult status;
  Stream *stream = streamOf(handle, status);
  if (!stream)
    return status;
  if (address == 0)
    return CUDA_SUCCESS;
  Memory *memory = nullptr;
  if ((status = freeAddress(address, memory)))
    return status;
  memory->freed = true;
  enqueue(*stream, [address] { dropMemory(address); });
  return CUDA_SUCCESS;
}

// ---- pinned memory ----

FAKE_CUDA(MemHostAlloc, void **pointer, std::size_t bytes, unsigned flags) {
  CUresult status;
  if (lacksContext(status))
    return status;
  if (!pointer || bytes == 0 || flags > 7)
    return CUDA_ERROR_INVALID_VALUE;
  void *memory = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (!memory)
    return CUDA_ERROR_OUT_OF_MEMORY;
  std::memset(memory, 0xcd, bytes);
  *pointer = memory;
  world().pinned[memory] = {memory, bytes, currentContext()};
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemFreeHost, void *pointer) {
  World &w = world();
  if (!w.pinned.count(pointer)) {
    violation("host memory was freed that is not pinned");
    return CUDA_ERROR_INVALID_VALUE;
  }
  for (auto &[handle, stream] : w.streams)
    drain(*stream);
  std::free(pointer);
  w.pinned.erase(pointer);
  return CUresult(w.sticky);
}

FAKE_CUDA(MemHostGetDevicePointer, CUdeviceptr *address, void *pointer,
          unsigned flags) {
  if (flags != 0 || !pinnedAt(pointer, 1))
    return CUDA_ERROR_INVALID_VALUE;
  *address = reinterpret_cast<CUdeviceptr>(pointer);
  return CUDA_SUCCESS;
}

FAKE_CUDA(PointerGetAttribute, void *data, CUpointer_attribute attribute,
          CUdeviceptr address) {
  if (attribute != CU_POINTER_ATTRIBUTE_MEMORY_TYPE)
    return CUDA_ERROR_NOT_SUPPORTED;
  CUmemorytype type;
  if (findMemory(address, 1))
    type = CU_MEMORYTYPE_DEVICE;
  else if (pinnedAt(reinterpret_cast<void *>(address), 1))
    type = CU_MEMORYTYPE_HOST;
  else
    return CUDA_ERROR_INVALID_VALUE;
  std::memcpy(data, &type, sizeof type);
  return CUDA_SUCCESS;
}

// ---- copies ----

FAKE_CUDA(MemcpyHtoDAsync, CUdeviceptr to, const void *from, std::size_t bytes,
          CUstream handle) {
  CUresult status;
  Stream *stream = streamOf(handle, status);
  if (!stream)
    return status;
  if (!resolve(to, bytes))
    return badRange("a copy to the device", to, bytes);
  if (pinnedAt(from, bytes)) {
    // Read when the copy happens, not when it was asked for.
    enqueue(*stream, [=] {
      if (unsigned char *target = resolve(to, bytes))
        std::memcpy(target, from, bytes);
    });
    return CUDA_SUCCESS;
  }
  auto begin = static_cast<const unsigned char *>(from);
  std::vector<unsigned char> staged(begin, begin + bytes);
  enqueue(*stream, [to, staged = std::move(staged)] {
    if (unsigned char *target = resolve(to, staged.size()))
      std::memcpy(target, staged.data(), staged.size());
  });
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemcpyDtoHAsync, void *to, CUdeviceptr from, std::size_t bytes,
          CUstream handle) {
  CUresult status;
  Stream *stream = streamOf(handle, status);
  if (!stream)
    return status;
  if (!resolve(from, bytes))
    return badRange("a copy from the device", from, bytes);
  enqueue(*stream, [=] {
    if (unsigned char *source = resolve(from, bytes))
      std::memcpy(to, source, bytes);
  });
  // A real driver is done with ordinary host memory when it returns. The fake
  // leaves that to the wait, so that a missing one shows.
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemcpyDtoDAsync, CUdeviceptr to, CUdeviceptr from, std::size_t bytes,
          CUstream handle) {
  CUresult status;
  Stream *stream = streamOf(handle, status);
  if (!stream)
    return status;
  if (!resolve(to, bytes) || !resolve(from, bytes))
    return badRange("a copy on the device", to, bytes);
  enqueue(*stream, [=] {
    unsigned char *target = resolve(to, bytes), *source = resolve(from, bytes);
    if (target && source)
      std::memmove(target, source, bytes);
  });
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemsetD8Async, CUdeviceptr to, unsigned char value, std::size_t count,
          CUstream stream) {
  return fill(to, value, count, stream);
}
FAKE_CUDA(MemsetD16Async, CUdeviceptr to, unsigned short value,
          std::size_t count, CUstream stream) {
  return fill(to, value, count, stream);
}
FAKE_CUDA(MemsetD32Async, CUdeviceptr to, unsigned value, std::size_t count,
          CUstream stream) {
  return fill(to, value, count, stream);
}

FAKE_CUDA(MemsetD2D32Async, CUdeviceptr to, std::size_t pitch, unsigned value,
          std::size_t width, std::size_t height, CUstream handle) {
  CUresult status;
  Stream *stream = streamOf(handle, status);
  if (!stream)
    return status;
  if (to % 4 || pitch % 4 || (height > 1 && pitch < width * 4))
    return CUDA_ERROR_INVALID_VALUE;
  if (width == 0 || height == 0)
    return CUDA_SUCCESS;
  const std::size_t bytes = pitch * (height - 1) + width * 4;
  if (!resolve(to, bytes))
    return badRange("a fill", to, bytes);
  enqueue(*stream, [=] {
    unsigned char *target = resolve(to, bytes);
    for (std::size_t y = 0; target && y < height; ++y)
      for (std::size_t x = 0; x < width; ++x)
        std::memcpy(target + y * pitch + x * 4, &value, 4);
  });
  return CUDA_SUCCESS;
}

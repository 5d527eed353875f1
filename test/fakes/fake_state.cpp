// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/fakes/fake_state.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace fake {
namespace {

constexpr Preset presets[] = {
    {"sm_70", 7, 0, 80, 96 << 10, 96 << 10, 2048, 32, 1},  // too old
    {"sm_75", 7, 5, 40, 64 << 10, 64 << 10, 1024, 16, 1},      {"sm_80", 8, 0, 108, 163 << 10, 164 << 10, 2048, 32, 1},
    {"sm_86", 8, 6, 84, 99 << 10, 100 << 10, 1536, 16, 1},     {"sm_90", 9, 0, 132, 227 << 10, 228 << 10, 2048, 32, 1},
    {"sm_100", 10, 0, 148, 227 << 10, 228 << 10, 2048, 32, 1}, {"sm_120", 12, 0, 170, 99 << 10, 100 << 10, 1536, 24, 1},
    {"sm_123", 12, 3, 170, 99 << 10, 100 << 10, 1536, 24, 1},  // unknown,
    {"sm_130", 13, 0, 170, 99 << 10, 100 << 10, 1536, 24, 1},  // and its family
};

constexpr std::uint64_t spanBytes = std::uint64_t(1) << 38;  // of addresses
constexpr std::uint64_t alignment = 512;

/// A range of addresses that nobody can read or write: a host that follows a
/// device address crashes, as it should.
std::uint64_t deviceSpan() {
  static const std::uint64_t base = [] {
    void* p = mmap(nullptr, spanBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? std::uint64_t(0x500000000000) : reinterpret_cast<std::uint64_t>(p);
  }();
  return base;
}

std::array<void*, rad::rt::driverFnCount>& table() {
  static std::array<void*, rad::rt::driverFnCount> functions{};
  return functions;
}

std::unique_ptr<World>& worldPointer() {
  // Never destroyed: calls may come while the process ends.
  static auto* const pointer = new std::unique_ptr<World>;
  return *pointer;
}

}  // namespace

const Preset* findPreset(std::string_view name) {
  for (const Preset& preset : presets)
    if (name == preset.name) return &preset;
  return nullptr;
}

void* implementation(std::size_t row) { return table()[row]; }
void setImplementation(std::size_t row, void* function) { table()[row] = function; }

std::recursive_mutex& worldMutex() {
  static auto* const mutex = new std::recursive_mutex;
  return *mutex;
}

World& world() {
  std::unique_ptr<World>& pointer = worldPointer();
  if (!pointer) {
    pointer = std::make_unique<World>();
    const char* text = std::getenv("CUDA_FAKE");
    std::string wrong = parseSpecification(text ? text : "", pointer->config);
    if (!wrong.empty()) {
      std::fprintf(stderr, "fake CUDA driver: CUDA_FAKE: %s\n", wrong.c_str());
      std::abort();
    }
    for (int i = 0; i < pointer->config.devices; ++i) {
      auto device = std::make_unique<Device>();
      device->ordinal = i;
      device->primary.device = device.get();
      pointer->devices.push_back(std::move(device));
    }
  }
  return *pointer;
}

World::~World() {
  for (auto& [address, item] : memory)
    if (!item->physical) std::free(item->bytes);
  for (unsigned char* bytes : retired) std::free(bytes);
  for (auto& [pointer, item] : pinned)
    if (!item.registered) std::free(pointer);
}

ContextStack& contextStack() {
  thread_local ContextStack stack;
  return stack;
}

CUcontext handleOf(Context* context) {
  if (context->own) return context->handle;
  // Numbers that look like handles and cannot be dereferenced.
  return reinterpret_cast<CUcontext>(std::uint64_t(0x7fb000000000) + std::uint64_t(context->device->ordinal) * 4096);
}

Context* contextOf(CUcontext handle) {
  for (auto& device : world().devices)
    if (handleOf(&device->primary) == handle) return &device->primary;
  if (world().deadHandles.count(handle)) crash("use of a destroyed context");
  auto it = world().contexts.find(handle);
  return it == world().contexts.end() ? nullptr : it->second.get();
}

Context* currentContext() {
  auto& stack = contextStack();
  if (stack.empty() || !stack.back()) return nullptr;
  return contextOf(stack.back());
}

void violation(const std::string& text) { world().violations += text + '\n'; }

void logReason(const std::string& text) {
  World& w = world();
  char head[64];
  std::snprintf(head, sizeof head, "[%06ld][fake][CUDA][E] ", w.calls);
  w.log.push_back(head + text);
}

void crash(const std::string& text) {
  std::fprintf(stderr, "fake CUDA driver: a real driver crashes here: %s\n%s", text.c_str(), world().journal.c_str());
  std::abort();
}

Device* deviceOf(CUdevice device) {
  World& w = world();
  if (device < 0 || std::size_t(device) >= w.devices.size()) return nullptr;
  return w.devices[std::size_t(device)].get();
}

Memory* findMemory(std::uint64_t address, std::size_t bytes) {
  World& w = world();
  auto it = w.memory.upper_bound(address);
  if (it == w.memory.begin()) return nullptr;
  Memory& memory = *std::prev(it)->second;
  const std::uint64_t offset = address - memory.address;
  if (offset > memory.size || bytes > memory.size - offset) return nullptr;
  return &memory;
}

const Pinned* pinnedAt(const void* memory, std::size_t bytes) {
  for (auto& [begin, item] : world().pinned) {
    auto first = static_cast<const char*>(begin);
    auto wanted = static_cast<const char*>(memory);
    if (wanted >= first && std::size_t(wanted - first) <= item.size && bytes <= item.size - std::size_t(wanted - first))
      return &item;
  }
  return nullptr;
}

unsigned char* rowOfArray(CUarray handle, std::size_t x, std::size_t y, std::size_t z, std::size_t bytes) {
  World& w = world();
  if (w.deadHandles.count(handle)) crash("use of a destroyed array");
  auto it = w.arrays.find(handle);
  if (it == w.arrays.end()) return nullptr;
  Array& array = *it->second;
  if (x + bytes > array.rowBytes || y >= array.height || z >= array.depth) return nullptr;
  return array.bytes.data() + (z * array.height + y) * array.rowBytes + x;
}

unsigned char* resolve(std::uint64_t address, std::size_t bytes) {
  if (Memory* memory = findMemory(address, bytes); memory && memory->accessible)
    return memory->bytes + (address - memory->address);
  if (pinnedAt(reinterpret_cast<const void*>(address), bytes)) return reinterpret_cast<unsigned char*>(address);
  return nullptr;
}

std::uint64_t takeAddresses(std::uint64_t bytes, std::uint64_t aligned) {
  World& w = world();
  std::uint64_t at = deviceSpan() + w.nextAddress;
  at = (at + aligned - 1) / aligned * aligned + aligned;
  w.nextAddress = at + bytes - deviceSpan();
  return at;
}

Memory* makeMemory(Device& device, Context* context, std::uint64_t size) {
  World& w = world();
  if (size > w.config.memory || device.used > w.config.memory - size) return nullptr;
  const std::uint64_t padded = (size + alignment - 1) / alignment * alignment;
  if (w.nextAddress + padded + alignment > spanBytes) w.nextAddress = 0;
  auto memory = std::make_unique<Memory>();
  memory->address = deviceSpan() + alignment + w.nextAddress;
  if (findMemory(memory->address, 1)) return nullptr;  // came around: the span is far larger than any test needs
  w.nextAddress += padded + alignment;
  memory->size = size;
  memory->bytes = static_cast<unsigned char*>(std::malloc(size));
  if (!memory->bytes) return nullptr;
  // Not zeros: a program that reads what it never wrote should notice.
  constexpr std::uint64_t most = 1 << 20;
  std::memset(memory->bytes, 0xcd, std::size_t(size < most ? size : most));
  memory->device = &device;
  memory->context = context;
  memory->id = ++w.nextHandle;
  device.used += size;
  Memory* out = memory.get();
  w.memory.emplace(out->address, std::move(memory));
  return out;
}

void dropMemory(std::uint64_t address) {
  World& w = world();
  auto it = w.memory.find(address);
  if (it == w.memory.end()) return;
  if (it->second->physical) {
    w.memory.erase(it);
    return;
  }
  it->second->device->used -= it->second->size;
  if (Pool* pool = it->second->pool) pool->used -= it->second->size;
  std::free(it->second->bytes);
  w.memory.erase(it);
}

void enqueue(Stream& stream, std::function<void()> run, CUgraphNodeType type, std::function<bool()> ready) {
  if (stream.status == CU_STREAM_CAPTURE_STATUS_ACTIVE) {
    stream.last = {addNode(stream.capture, type, stream.last, std::move(run))};
    return;
  }
  stream.queue.push_back({std::move(run), std::move(ready)});
}

void drain(Stream& stream, std::size_t items) {
  static int depth = 0;
  while (!stream.queue.empty() && items-- > 0) {
    if (stream.queue.front().ready && !stream.queue.front().ready()) {
      // Another stream may be the one that it waits for.
      if (depth++ < 8)
        for (auto& [handle, other] : world().streams)
          if (other.get() != &stream) drain(*other);
      --depth;
      if (!stream.queue.front().ready()) return;
    }
    Work work = std::move(stream.queue.front());
    stream.queue.pop_front();
    world().clock += 0.01;
    // After a fault, nothing that was queued behind it happens.
    if (world().sticky == 0) work.run();
  }
}

Stream* streamOf(CUstream handle, CUresult& status, bool forWork) {
  World& w = world();
  if (w.deadHandles.count(handle)) crash("use of a destroyed stream");
  status = CUDA_SUCCESS;
  auto it = w.streams.find(handle);
  if (it != w.streams.end()) {
    if (forWork && it->second->status == CU_STREAM_CAPTURE_STATUS_INVALIDATED) {
      status = CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
      return nullptr;
    }
    return it->second.get();
  }
  if (handle == CU_STREAM_LEGACY || handle == CU_STREAM_PER_THREAD) {
    Context* context = currentContext();
    if (!context) {
      status = CUDA_ERROR_INVALID_CONTEXT;
      return nullptr;
    }
    if (!context->defaultStream) {
      context->defaultStream = std::make_unique<Stream>();
      context->defaultStream->context = context;
    }
    return context->defaultStream.get();
  }
  if (handle) crash("use of a stream that never was");
  violation("the NULL stream was used");
  status = CUDA_ERROR_INVALID_VALUE;
  return nullptr;
}

void destroyContext(Context& context) {
  World& w = world();
  for (auto it = w.streams.begin(); it != w.streams.end();) {
    if (it->second->context == &context) {
      drain(*it->second);
      violation("a stream was still there when its context was released");
      it = w.streams.erase(it);
    } else {
      ++it;
    }
  }
  for (auto it = w.events.begin(); it != w.events.end();)
    it = it->second->context == &context ? w.events.erase(it) : std::next(it);
  std::vector<std::uint64_t> gone;
  for (auto& [address, memory] : w.memory)
    if (memory->context == &context) gone.push_back(address);
  for (std::uint64_t address : gone) {
    violation("device memory was still there when its context was released");
    dropMemory(address);
  }
  for (auto it = w.pinned.begin(); it != w.pinned.end();) {
    if (it->second.context == &context) {
      violation("pinned memory was still there when its context was released");
      if (!it->second.registered) std::free(it->first);
      it = w.pinned.erase(it);
    } else {
      ++it;
    }
  }
  context.defaultStream.reset();
  context.alive = false;
}

namespace {
bool worldEnds = false;
}

GraphMemory::~GraphMemory() {
  if (!worldEnds) dropMemory(address);
}

/// For cudaFakeConfigure: the next use makes a new world.
void resetWorld() {
  worldEnds = true;
  worldPointer().reset();
  worldEnds = false;
  contextStack().clear();
}

}  // namespace fake

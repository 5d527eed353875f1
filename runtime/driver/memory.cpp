// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/memory.h"

namespace rad::cuda {

Error explainAllocation(const Context& context, Error error, std::uint64_t bytes) {
  if (error.code != CUDA_ERROR_OUT_OF_MEMORY) return error;
  error.message = "could not allocate " + formatBytes(bytes) + " on " + context.device().id();
  if (auto info = memoryInfo(context))
    error.message += " (" + formatBytes(info->free) + " free of " + formatBytes(info->total) + ')';
  if (std::string held = context.held().describe(); !held.empty()) error.message += "; " + held;
  return error;
}

Result<MemoryInfo> memoryInfo(const Context& context) {
  MemoryInfo info;
  RAD_TRY(context.call<DriverFn::MemGetInfo>(&info.free, &info.total));
  return info;
}

// ---- Memory ----

const Context& Memory::context() const {
  static const Context none;
  return state_ ? state_->context : none;
}

Memory::State::~State() {
  if (!address || kind == Kind::Borrowed) return;
  context.noteRelease(address);
  if (kind == Kind::Plain) {
    context.release<DriverFn::MemFree>("device memory", address);
    return;
  }
  // Behind the other users: an event in each of them.
  for (const User& user : users) {
    Status ordered = [&]() -> Status {
      RAD_ASSIGN(const Event event, Event::create(context));
      RAD_TRY(context.call<DriverFn::EventRecord>(event.raw(), user.stream));
      return context.call<DriverFn::StreamWaitEvent>(home.stream, event.raw(), 0u);
    }();
    // Unordered, it would be given to others while it is in use: leak it.
    if (!ordered) {
      if (ordered.error().category != ErrorCategory::Dead) rt::warnReleaseFailed("device memory", ordered.error());
      return;
    }
  }
  context.release<DriverFn::MemFreeAsync>("device memory", address, home.stream);
}

Result<Memory> Memory::allocate(const Context& context, std::size_t bytes) {
  Memory memory;
  memory.state_ = std::make_shared<State>();
  memory.state_->context = context;
  if (bytes == 0) return memory;
  CUdeviceptr address = 0;
  if (Status got = context.call<DriverFn::MemAlloc>(&address, bytes); !got)
    return fail(explainAllocation(context, std::move(got).error(), bytes));
  if (!address) return noHandle("device memory");
  context.noteAllocation(address, bytes);
  memory.state_->address = address;
  memory.state_->bytes = bytes;
  return memory;
}

Result<Memory> Memory::allocate(const Stream& stream, std::size_t bytes) { return ordered(stream, bytes, nullptr); }

Result<Memory> Memory::allocate(const Pool& pool, const Stream& stream, std::size_t bytes) {
  return ordered(stream, bytes, &pool);
}

Result<Memory> Memory::ordered(const Stream& stream, std::size_t bytes, const Pool* pool) {
  const Context& context = stream.context();
  Memory memory;
  memory.state_ = std::make_shared<State>();
  State& state = *memory.state_;
  state.context = context;
  if (bytes == 0) return memory;
  state.kind = Kind::Ordered;
  state.home = {stream.raw(), stream.keepAlive()};
  if (pool) state.dependsOn = pool->keepAlive();
  const auto get = [&](CUdeviceptr& address) {
    return pool ? context.call<DriverFn::MemAllocFromPoolAsync>(&address, bytes, pool->raw(), stream.raw())
                : context.call<DriverFn::MemAllocAsync>(&address, bytes, stream.raw());
  };
  CUdeviceptr address = 0;
  Status got = get(address);
  if (!got && got.error().code == CUDA_ERROR_OUT_OF_MEMORY) {
    // What the pool holds may lie in pieces that are too small: give it back,
    // and try once more.
    RAD_TRY(stream.synchronize());
    Status trimmed;
    if (pool) {
      trimmed = pool->trim();
    } else if (auto common = Pool::defaultOf(context)) {
      trimmed = common->trim();
    }
    if (trimmed) got = get(address);
    else if (trimmed.error().category == ErrorCategory::Dead) got = std::move(trimmed);
  }
  if (!got) return fail(explainAllocation(context, std::move(got).error(), bytes));
  if (!address) return noHandle("device memory");
  context.noteAllocation(address, bytes);
  state.address = address;
  state.bytes = bytes;
  return memory;
}

Memory Memory::borrow(const Context& context, CUdeviceptr address, std::size_t bytes,
                      std::shared_ptr<const void> keepAlive) {
  Memory memory;
  memory.state_ = std::make_shared<State>();
  memory.state_->context = context;
  memory.state_->address = address;
  memory.state_->bytes = bytes;
  memory.state_->kind = Kind::Borrowed;
  memory.state_->dependsOn = std::move(keepAlive);
  return memory;
}

Status Memory::useOn(const Stream& stream) {
  if (!state_ || state_->kind != Kind::Ordered || state_->home.stream == stream.raw()) return {};
  RAD_ASSIGN(const Event event, Event::create(state_->context));
  RAD_TRY(state_->context.call<DriverFn::EventRecord>(event.raw(), state_->home.stream));
  RAD_TRY(stream.wait(event));
  for (const User& user : state_->users)
    if (user.stream == stream.raw()) return {};
  state_->users.push_back({stream.raw(), stream.keepAlive()});
  return {};
}

void Memory::freeOn(const Stream& stream) {
  if (state_ && state_->kind == Kind::Ordered) {
    // The home so far is one user more.
    if (state_->home.stream != stream.raw())
      state_->users.push_back(std::exchange(state_->home, {stream.raw(), stream.keepAlive()}));
    std::erase_if(state_->users, [&](const User& user) { return user.stream == stream.raw(); });
  }
  state_.reset();
}

namespace {

void releaseRows(const Context& context, CUdeviceptr rows) noexcept {
  context.noteRelease(rows);
  context.release<DriverFn::MemFree>("device memory", rows);
}

struct Rows : Handle<CUdeviceptr, releaseRows> {
  Rows(const Context& context, CUdeviceptr rows) : Handle(context, rows, true) {}
};

}  // namespace

Result<PitchedMemory> PitchedMemory::allocate(const Context& context, std::size_t width, std::size_t height,
                                              unsigned elementBytes) {
  if (elementBytes != 4 && elementBytes != 8 && elementBytes != 16)
    return fail(ErrorCategory::Misuse, "rows of elements of " + std::to_string(elementBytes) +
                                           " bytes cannot be aligned: 4, 8 and 16 are possible");
  PitchedMemory pitched;
  if (width == 0 || height == 0) {
    RAD_ASSIGN(pitched.memory, Memory::allocate(context, 0));
    return pitched;
  }
  CUdeviceptr address = 0;
  if (Status got = context.call<DriverFn::MemAllocPitch>(&address, &pitched.pitch, width, height, elementBytes); !got)
    return fail(explainAllocation(context, std::move(got).error(), std::uint64_t(width) * height));
  if (!address) return noHandle("device memory");
  context.noteAllocation(address, std::uint64_t(pitched.pitch) * height);
  pitched.memory = Memory::borrow(context, address, pitched.pitch * height, Rows(context, address).keepAlive());
  return pitched;
}

// ---- Pool ----

void releasePool(const Context& context, CUmemoryPool pool) noexcept {
  context.release<DriverFn::MemPoolDestroy>("a memory pool", pool);
}

Result<Pool> Pool::create(const Context& context, PoolOptions options) {
  if (!context) return fail(ErrorCategory::Misuse, "a pool was made in an empty context");
  RAD_ASSIGN(const int supported, context.device().attribute(CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED));
  if (!supported)
    return fail(ErrorCategory::System, context.device().id() + " has no memory pools",
                "Allocate with Memory::allocate(context, bytes).");
  CUmemPoolProps properties{};
  properties.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.handleTypes = options.shareable ? CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR : CU_MEM_HANDLE_TYPE_NONE;
  properties.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
  properties.location.id = context.device().raw();
  properties.maxSize = options.maxBytes;
  CUmemoryPool raw = nullptr;
  RAD_TRY(context.call<DriverFn::MemPoolCreate>(&raw, static_cast<const CUmemPoolProps*>(&properties)));
  if (!raw) return noHandle("memory pool");
  Pool pool(context, raw, true);
  RAD_TRY(pool.setKeep(options.keep));
  return pool;
}

Result<Pool> Pool::defaultOf(const Context& context) {
  if (!context) return fail(ErrorCategory::Misuse, "a pool was asked of an empty context");
  CUmemoryPool raw = nullptr;
  RAD_TRY(context.call<DriverFn::DeviceGetDefaultMemPool>(&raw, context.device().raw()));
  if (!raw) return noHandle("memory pool");
  return Pool(context, raw, false);
}

Status Pool::setKeep(std::uint64_t bytes) const {
  cuuint64_t value = bytes;
  return context().call<DriverFn::MemPoolSetAttribute>(raw(), CU_MEMPOOL_ATTR_RELEASE_THRESHOLD,
                                                       static_cast<void*>(&value));
}

Result<PoolStatistics> Pool::statistics() const {
  PoolStatistics statistics;
  const auto get = [&](CUmemPool_attribute which, std::uint64_t& out) -> Status {
    cuuint64_t value = 0;
    RAD_TRY(context().call<DriverFn::MemPoolGetAttribute>(raw(), which, static_cast<void*>(&value)));
    out = value;
    return {};
  };
  RAD_TRY(get(CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT, statistics.reserved));
  RAD_TRY(get(CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH, statistics.reservedHigh));
  RAD_TRY(get(CU_MEMPOOL_ATTR_USED_MEM_CURRENT, statistics.used));
  RAD_TRY(get(CU_MEMPOOL_ATTR_USED_MEM_HIGH, statistics.usedHigh));
  return statistics;
}

Status Pool::resetHighMarks() const {
  for (const CUmemPool_attribute which : {CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH, CU_MEMPOOL_ATTR_USED_MEM_HIGH}) {
    cuuint64_t zero = 0;
    RAD_TRY(context().call<DriverFn::MemPoolSetAttribute>(raw(), which, static_cast<void*>(&zero)));
  }
  return {};
}

Status Pool::trim(std::size_t keep) const { return context().call<DriverFn::MemPoolTrimTo>(raw(), keep); }

Status Pool::setAccess(const Device& device, bool allowed) const {
  CUmemAccessDesc access{};
  access.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
  access.location.id = device.raw();
  access.flags = allowed ? CU_MEM_ACCESS_FLAGS_PROT_READWRITE : CU_MEM_ACCESS_FLAGS_PROT_NONE;
  return context().call<DriverFn::MemPoolSetAccess>(raw(), static_cast<const CUmemAccessDesc*>(&access),
                                                    std::size_t(1));
}

// ---- memory of the host ----

namespace {

Result<CUdeviceptr> deviceAddressOf(const Context& context, void* memory) {
  CUdeviceptr address = 0;
  RAD_TRY(context.call<DriverFn::MemHostGetDevicePointer>(&address, memory, 0u));
  if (!address) return noHandle("address for mapped memory");
  return address;
}

}  // namespace

void PinnedMemory::release(const Context& context, void* memory) noexcept {
  context.release<DriverFn::MemFreeHost>("pinned memory", memory);
}

Result<PinnedMemory> PinnedMemory::allocate(const Context& context, std::size_t bytes, PinnedOptions options) {
  PinnedMemory pinned;
  if (bytes == 0) return pinned;
  unsigned flags = 0;
  if (options.portable) flags |= CU_MEMHOSTALLOC_PORTABLE;
  if (options.mapped) flags |= CU_MEMHOSTALLOC_DEVICEMAP;
  if (options.writeCombined) flags |= CU_MEMHOSTALLOC_WRITECOMBINED;
  void* memory = nullptr;
  RAD_TRY(context.call<DriverFn::MemHostAlloc>(&memory, bytes, flags));
  if (!memory) return noHandle("pinned memory");
  pinned.handle_ = Owner(context, memory);
  pinned.bytes_ = bytes;
  return pinned;
}

std::span<std::byte> PinnedMemory::data() const {
  return {static_cast<std::byte*>(handle_.raw()), handle_ ? bytes_ : 0};
}

Result<CUdeviceptr> PinnedMemory::deviceAddress() const { return deviceAddressOf(handle_.context(), handle_.raw()); }

void RegisteredMemory::release(const Context& context, void* memory) noexcept {
  context.release<DriverFn::MemHostUnregister>("registered memory", memory);
}

Result<RegisteredMemory> RegisteredMemory::add(const Context& context, std::span<std::byte> memory, bool readOnly) {
  RegisteredMemory registered;
  if (memory.empty()) return registered;
  unsigned flags = CU_MEMHOSTREGISTER_PORTABLE | CU_MEMHOSTREGISTER_DEVICEMAP;
  if (readOnly) flags |= CU_MEMHOSTREGISTER_READ_ONLY;
  Status added = context.call<DriverFn::MemHostRegister>(static_cast<void*>(memory.data()), memory.size(), flags);
  if (!added) {
    Error error = std::move(added).error();
    if (error.code == CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED)
      error.advice =
          "Some of it is pinned already: use that owner, or take a "
          "range that shares no page with it.";
    return fail(std::move(error));
  }
  registered.handle_ = Owner(context, memory.data());
  registered.bytes_ = memory.size();
  return registered;
}

std::span<std::byte> RegisteredMemory::data() const {
  return {static_cast<std::byte*>(handle_.raw()), handle_ ? bytes_ : 0};
}

Result<CUdeviceptr> RegisteredMemory::deviceAddress() const {
  return deviceAddressOf(handle_.context(), handle_.raw());
}

// ---- managed memory ----

void ManagedMemory::release(const Context& context, CUdeviceptr memory) noexcept {
  context.noteRelease(memory);
  context.release<DriverFn::MemFree>("managed memory", memory);
}

Result<ManagedMemory> ManagedMemory::allocate(const Context& context, std::size_t bytes, ManagedOptions options) {
  if (!options.allow)
    return fail(ErrorCategory::Misuse,
                "managed memory is refused unless it is asked for: it moves "
                "when it is touched, and too much of it stalls the whole GPU",
                "Use Memory and PinnedMemory, or pass {.allow = true}.");
  if (!context) return fail(ErrorCategory::Misuse, "managed memory was made in an empty context");
  const Device& device = context.device();
  if (device.attributeOr(CU_DEVICE_ATTRIBUTE_MANAGED_MEMORY, 0) == 0)
    return fail(ErrorCategory::System, device.id() + " has no managed memory", "Use Memory and PinnedMemory.");
  ManagedMemory managed;
  if (bytes == 0) return managed;
  CUdeviceptr address = 0;
  if (Status got = context.call<DriverFn::MemAllocManaged>(&address, bytes, unsigned(CU_MEM_ATTACH_GLOBAL)); !got)
    return fail(explainAllocation(context, std::move(got).error(), bytes));
  if (!address) return noHandle("managed memory");
  context.noteAllocation(address, bytes);
  managed.handle_ = Owner(context, address);
  managed.bytes_ = bytes;
  return managed;
}

Result<std::span<std::byte>> ManagedMemory::hostView(const Stream& stream) const {
  if (!handle_) return std::span<std::byte>();
  if (handle_.context().device().attributeOr(CU_DEVICE_ATTRIBUTE_CONCURRENT_MANAGED_ACCESS, 0) == 0) {
    RAD_ASSIGN(const bool idle, stream.done());
    if (!idle)
      return fail(ErrorCategory::Misuse,
                  "managed memory cannot be used by the host while " + handle_.context().device().id() + " works",
                  "Wait for the stream first.");
  }
  return std::span<std::byte>(reinterpret_cast<std::byte*>(address()), bytes_);
}

namespace {

CUmemLocation placeOf(const Device& device) {
  CUmemLocation place{};
  place.type = CU_MEM_LOCATION_TYPE_DEVICE;
  place.id = device.raw();
  return place;
}

}  // namespace

Status ManagedMemory::prefetchToDevice(const Stream& stream) const {
  if (!handle_) return {};
  return stream.context().call<DriverFn::MemPrefetchAsync>(address(), bytes_, placeOf(stream.context().device()), 0u,
                                                           stream.raw());
}

Status ManagedMemory::prefetchToHost(const Stream& stream) const {
  if (!handle_) return {};
  CUmemLocation host{};
  host.type = CU_MEM_LOCATION_TYPE_HOST;
  return stream.context().call<DriverFn::MemPrefetchAsync>(address(), bytes_, host, 0u, stream.raw());
}

Status ManagedMemory::advise(CUmem_advise advice) const {
  if (!handle_) return {};
  return handle_.context().call<DriverFn::MemAdvise>(address(), bytes_, advice, placeOf(handle_.context().device()));
}

// ---- what a pointer is ----

Result<PointerInfo> inspect(const Context& context, CUdeviceptr pointer) {
  CUmemorytype type{};
  unsigned managed = 0;
  int ordinal = -1;
  std::size_t bytes = 0;
  CUdeviceptr base = 0;
  unsigned long long id = 0;
  PointerInfo info;
  CUpointer_attribute which[] = {CU_POINTER_ATTRIBUTE_MEMORY_TYPE,      CU_POINTER_ATTRIBUTE_IS_MANAGED,
                                 CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL,   CU_POINTER_ATTRIBUTE_CONTEXT,
                                 CU_POINTER_ATTRIBUTE_RANGE_START_ADDR, CU_POINTER_ATTRIBUTE_RANGE_SIZE,
                                 CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE,   CU_POINTER_ATTRIBUTE_BUFFER_ID};
  void* values[] = {&type, &managed, &ordinal, &info.context, &base, &bytes, &info.pool, &id};
  static_assert(std::size(which) == std::size(values));
  RAD_TRY(context.call<DriverFn::PointerGetAttributes>(
      unsigned(std::size(which)), static_cast<CUpointer_attribute*>(which), static_cast<void**>(values), pointer));
  // Memory that the driver does not know has no type.
  if (type != CU_MEMORYTYPE_HOST && type != CU_MEMORYTYPE_DEVICE && type != CU_MEMORYTYPE_UNIFIED) return PointerInfo{};
  info.kind = managed                      ? PointerInfo::Kind::Managed
              : type == CU_MEMORYTYPE_HOST ? PointerInfo::Kind::Pinned
                                           : PointerInfo::Kind::Device;
  info.device = ordinal;
  info.base = base;
  info.bytes = bytes;
  info.id = id;
  return info;
}

Result<PointerInfo> inspect(const Context& context, const void* pointer) {
  return inspect(context, reinterpret_cast<CUdeviceptr>(pointer));
}

Status checkKernelPointer(const Context& context, CUdeviceptr pointer, std::size_t bytes) {
  if (bytes == 0) return {};
  if (pointer == 0) return fail(ErrorCategory::Misuse, "a kernel was given a null pointer for " + formatBytes(bytes));
  RAD_ASSIGN(const PointerInfo info, inspect(context, pointer));
  if (info.kind == PointerInfo::Kind::Ordinary) {
    if (context.device().attributeOr(CU_DEVICE_ATTRIBUTE_PAGEABLE_MEMORY_ACCESS, 0) != 0) return {};
    return fail(ErrorCategory::Misuse,
                "a pointer of the host was given where a kernel needs one of "
                "the device",
                "Copy the data to the device, or use PinnedMemory and its "
                "deviceAddress().");
  }
  const std::size_t offset = std::size_t(pointer - info.base);
  if (info.base && (offset > info.bytes || bytes > info.bytes - offset))
    return fail(ErrorCategory::Misuse, "a kernel was given " + formatBytes(bytes) + " at byte " +
                                           std::to_string(offset) + " of an allocation of " + formatBytes(info.bytes));
  return {};
}

}  // namespace rad::cuda

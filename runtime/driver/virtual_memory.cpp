// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/virtual_memory.h"

namespace rad::cuda {

void releasePhysical(const Context& context, CUmemGenericAllocationHandle memory) noexcept {
  context.release<DriverFn::MemRelease>("physical memory", memory);
}

namespace {

CUmemAllocationProp propertiesOf(const Context& context, bool shareable) {
  CUmemAllocationProp properties{};
  properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.requestedHandleTypes = shareable ? CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR : CU_MEM_HANDLE_TYPE_NONE;
  properties.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
  properties.location.id = context.device().raw();
  return properties;
}

std::size_t roundUp(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

Result<std::size_t> mappingGranularity(const Context& context) {
  if (!context)
    return fail(ErrorCategory::Misuse,
                "an empty context was asked for the size "
                "of mappings");
  if (context.device().attributeOr(CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED, 0) == 0)
    return fail(ErrorCategory::System, context.device().id() + " cannot map memory by itself", "Use Memory.");
  const CUmemAllocationProp properties = propertiesOf(context, false);
  std::size_t bytes = 0;
  RAD_TRY(
      context.call<DriverFn::MemGetAllocationGranularity>(&bytes, &properties, CU_MEM_ALLOC_GRANULARITY_RECOMMENDED));
  if (!bytes) return noHandle("size for mappings");
  return bytes;
}

Result<PhysicalMemory> PhysicalMemory::create(const Context& context, std::size_t bytes, bool shareable) {
  if (bytes == 0)
    return fail(ErrorCategory::Misuse,
                "physical memory of no bytes was asked "
                "for");
  RAD_ASSIGN(const std::size_t unit, mappingGranularity(context));
  const CUmemAllocationProp properties = propertiesOf(context, shareable);
  const std::size_t rounded = roundUp(bytes, unit);
  CUmemGenericAllocationHandle raw = 0;
  Status made = context.call<DriverFn::MemCreate>(&raw, rounded, &properties, 0ull);
  if (!made) return fail(explainAllocation(context, std::move(made).error(), rounded));
  if (!raw) return noHandle("physical memory");
  PhysicalMemory memory(context, raw, true);
  memory.bytes_ = rounded;
  return memory;
}

Result<PhysicalMemory> PhysicalMemory::open(const Context& context, const rt::UniqueFd& fd, std::size_t bytes) {
  CUmemGenericAllocationHandle raw = 0;
  RAD_TRY(context.call<DriverFn::MemImportFromShareableHandle>(&raw, reinterpret_cast<void*>(std::intptr_t(fd.get())),
                                                               CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR));
  if (!raw) return noHandle("physical memory");
  PhysicalMemory memory(context, raw, true);
  memory.bytes_ = bytes;
  return memory;
}

Result<rt::UniqueFd> PhysicalMemory::share() const {
  int fd = -1;
  RAD_TRY(context().call<DriverFn::MemExportToShareableHandle>(static_cast<void*>(&fd), raw(),
                                                               CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0ull));
  if (fd < 0) return noHandle("file descriptor");
  return rt::UniqueFd(fd);
}

// ---- AddressRange ----

Result<AddressRange> AddressRange::reserve(const Context& context, std::size_t bytes) {
  RAD_ASSIGN(const std::size_t unit, mappingGranularity(context));
  AddressRange range;
  const std::size_t rounded = roundUp(bytes ? bytes : 1, unit);
  CUdeviceptr address = 0;
  RAD_TRY(context.call<DriverFn::MemAddressReserve>(&address, rounded, std::size_t(0), CUdeviceptr(0), 0ull));
  if (!address) return noHandle("range of addresses");
  range.context_ = context;
  range.address_ = address;
  range.bytes_ = rounded;
  return range;
}

AddressRange::~AddressRange() {
  if (!address_) return;
  for (auto it = mappings_.rbegin(); it != mappings_.rend(); ++it)
    context_.release<DriverFn::MemUnmap>("a mapping", address_ + it->offset, it->bytes);
  context_.release<DriverFn::MemAddressFree>("a range of addresses", address_, bytes_);
}

Status AddressRange::map(std::size_t offset, const PhysicalMemory& memory) {
  if (offset > bytes_ || memory.bytes() > bytes_ - offset)
    return fail(ErrorCategory::Misuse, formatBytes(memory.bytes()) + " at byte " + std::to_string(offset) +
                                           " do not fit into a range of " + formatBytes(bytes_));
  for (const Mapping& other : mappings_)
    if (offset < other.offset + other.bytes && other.offset < offset + memory.bytes())
      return fail(ErrorCategory::Misuse,
                  "something is mapped at byte " + std::to_string(offset) + " of the range already");
  const CUdeviceptr at = address_ + offset;
  RAD_TRY(context_.call<DriverFn::MemMap>(at, memory.bytes(), std::size_t(0), memory.raw(), 0ull));
  CUmemAccessDesc access{};
  access.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
  access.location.id = context_.device().raw();
  access.flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
  Status allowed = context_.call<DriverFn::MemSetAccess>(at, memory.bytes(),
                                                         static_cast<const CUmemAccessDesc*>(&access), std::size_t(1));
  if (!allowed) {
    context_.release<DriverFn::MemUnmap>("a mapping", at, memory.bytes());
    return allowed;
  }
  mappings_.push_back({offset, memory.bytes(), memory.keepAlive()});
  return {};
}

Status AddressRange::unmap(std::size_t offset) {
  for (auto it = mappings_.begin(); it != mappings_.end(); ++it) {
    if (it->offset != offset) continue;
    RAD_TRY(context_.call<DriverFn::MemUnmap>(address_ + offset, it->bytes));
    mappings_.erase(it);
    return {};
  }
  return fail(ErrorCategory::Misuse, "nothing is mapped at byte " + std::to_string(offset) + " of the range");
}

// ---- GrowableMemory ----

Result<GrowableMemory> GrowableMemory::create(const Context& context, std::size_t capacity) {
  GrowableMemory memory;
  memory.context_ = context;
  RAD_ASSIGN(memory.range_, AddressRange::reserve(context, capacity));
  return memory;
}

Status GrowableMemory::grow(std::size_t bytes) {
  if (bytes <= bytes_) return {};
  if (bytes > range_.bytes())
    return fail(ErrorCategory::Resources,
                "memory that can grow to " + formatBytes(range_.bytes()) + " was asked for " + formatBytes(bytes),
                "Create it with more room: addresses cost nothing.");
  RAD_ASSIGN(const PhysicalMemory more, PhysicalMemory::create(context_, bytes - bytes_));
  RAD_TRY(range_.map(bytes_, more));
  bytes_ += more.bytes();
  return {};
}

}  // namespace rad::cuda

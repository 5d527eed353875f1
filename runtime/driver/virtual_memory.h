// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Addresses apart from the memory behind them: reserve a range, map memory into
/// it, grow without a copy, share memory as a file descriptor.

#include "runtime/base/unique_fd.h"
#include "runtime/driver/memory.h"

namespace rad::cuda {

void releasePhysical(const Context& context, CUmemGenericAllocationHandle memory) noexcept;

/// Memory without an address.
class PhysicalMemory : public Handle<CUmemGenericAllocationHandle, releasePhysical> {
 public:
  /// At least `bytes`, rounded up to what the device hands out. `shareable`: may
  /// be exported.
  static Result<PhysicalMemory> create(const Context& context, std::size_t bytes, bool shareable = false);
  /// Memory of another process, by the descriptor that it sent.
  static Result<PhysicalMemory> open(const Context& context, const rt::UniqueFd& fd, std::size_t bytes);
  /// A descriptor for another process (over a local socket).
  Result<rt::UniqueFd> share() const;
  std::size_t bytes() const { return bytes_; }

 private:
  using Handle::Handle;
  std::size_t bytes_ = 0;
};

/// The unit of PhysicalMemory and of mappings, in bytes.
Result<std::size_t> mappingGranularity(const Context& context);

/// A range of addresses. Everything that was mapped into it is unmapped at its
/// end, in reverse, before the range goes. Not thread-safe: one thread at a time.
class AddressRange {
 public:
  AddressRange() = default;
  AddressRange(AddressRange&& other) noexcept { *this = std::move(other); }
  AddressRange& operator=(AddressRange&& other) noexcept {
    std::swap(context_, other.context_);
    std::swap(address_, other.address_);
    std::swap(bytes_, other.bytes_);
    std::swap(mappings_, other.mappings_);
    return *this;
  }
  ~AddressRange();

  /// At least `bytes`, rounded up.
  static Result<AddressRange> reserve(const Context& context, std::size_t bytes);
  CUdeviceptr address() const { return address_; }
  std::size_t bytes() const { return bytes_; }

  /// Puts memory at an offset, readable and writable by the device of the
  /// context. When a step fails, the ones before it are undone.
  Status map(std::size_t offset, const PhysicalMemory& memory);
  /// Takes what was mapped there away again.
  Status unmap(std::size_t offset);

 private:
  struct Mapping {
    std::size_t offset = 0, bytes = 0;
    std::shared_ptr<const void> memory;
  };
  Context context_;
  CUdeviceptr address_ = 0;
  std::size_t bytes_ = 0;
  std::vector<Mapping> mappings_;
};

/// Memory that grows where it is: its address stays, and so does what is in it.
class GrowableMemory {
 public:
  /// Room for `capacity` bytes of addresses; nothing is allocated yet.
  static Result<GrowableMemory> create(const Context& context, std::size_t capacity);
  CUdeviceptr address() const { return range_.address(); }
  std::size_t bytes() const { return bytes_; }
  std::size_t capacity() const { return range_.bytes(); }
  /// Makes it at least `bytes` large. Refused (Resources) beyond the capacity.
  Status grow(std::size_t bytes);

 private:
  Context context_;
  AddressRange range_;
  std::size_t bytes_ = 0;
};

}  // namespace rad::cuda

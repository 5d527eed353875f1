// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Memory of every kind: on the device, from pools, pinned on the host, managed;
/// and what a pointer is. Sizes are in bytes everywhere.

#include "runtime/base/unique_fd.h"
#include "runtime/driver/stream.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace rad::cuda {

/// A failure to allocate, with what was asked for, what there is, and what the
/// program holds of it.
Error explainAllocation(const Context& context, Error error, std::uint64_t bytes);

class Pool;
struct IpcPoolMemory;

/// Memory on a device. Freed at the end: at once (cuMemFree waits for the whole
/// device) when it was allocated so, in the order of a stream when it came from
/// a pool. Zero bytes are allowed and cost no call. Contents are undefined.
///
/// Move-only; views of it live as long as keepAlive() is held. Thread-safe to
/// read.
class Memory {
 public:
  Memory() = default;
  Memory(Memory&&) noexcept = default;
  Memory& operator=(Memory&&) noexcept = default;

  /// From the device directly.
  static Result<Memory> allocate(const Context& context, std::size_t bytes);
  /// From the device's default pool, in the order of the stream: usable there at
  /// once, elsewhere behind it. Freed in the order of the same stream.
  static Result<Memory> allocate(const Stream& stream, std::size_t bytes);
  /// The same from a pool of the program's.
  static Result<Memory> allocate(const Pool& pool, const Stream& stream, std::size_t bytes);
  /// Memory of other code: never freed here.
  static Memory borrow(const Context& context, CUdeviceptr address, std::size_t bytes,
                       std::shared_ptr<const void> keepAlive = {});

  /// What kernels get; the host must not follow it. 0 when there are no bytes.
  CUdeviceptr address() const { return state_ ? state_->address : 0; }
  std::size_t bytes() const { return state_ ? state_->bytes : 0; }
  explicit operator bool() const { return state_ != nullptr; }
  const Context& context() const;
  std::shared_ptr<const void> keepAlive() const { return state_; }

  /// Says that another stream uses it: `stream` waits for the allocation, and
  /// the memory is freed behind the work that is in `stream` then. Without, a
  /// pool may hand it out again while that work still runs.
  Status useOn(const Stream& stream);

  /// Frees it behind the work that is in `stream` now, instead of at the end.
  void freeOn(const Stream& stream);

 private:
  friend Result<Memory> openMemory(const Pool& pool, const Stream& stream, const IpcPoolMemory& shared);
  enum class Kind : std::uint8_t { Plain, Ordered, Borrowed };
  struct User {
    CUstream stream;
    std::shared_ptr<const void> keepAlive;
  };
  struct State {
    ~State();
    std::shared_ptr<const void> dependsOn;
    Context context;
    CUdeviceptr address = 0;
    std::size_t bytes = 0;
    Kind kind = Kind::Plain;
    User home{};              ///< Ordered: where it is freed
    std::vector<User> users;  ///< Ordered: who else uses it
  };
  static Result<Memory> ordered(const Stream& stream, std::size_t bytes, const Pool* pool);
  std::shared_ptr<State> state_;
};

/// Rows of memory whose starts are aligned for the device.
struct PitchedMemory {
  Memory memory;
  std::size_t pitch = 0;  ///< bytes from one row to the next
  /// `width` bytes in each of `height` rows; elements of 4, 8 or 16 bytes.
  static Result<PitchedMemory> allocate(const Context& context, std::size_t width, std::size_t height,
                                        unsigned elementBytes = 16);
};

/// The free and the whole memory of the context's device.
struct MemoryInfo {
  std::size_t free = 0;
  std::size_t total = 0;
};
Result<MemoryInfo> memoryInfo(const Context& context);

void releasePool(const Context& context, CUmemoryPool pool) noexcept;

struct PoolOptions {
  /// Freed memory up to this is kept at waits instead of given back.
  std::uint64_t keep = ~std::uint64_t(0);
  /// The most it may hold; 0: no limit of its own.
  std::size_t maxBytes = 0;
  /// May be exported to other processes as a file descriptor (ipc.h).
  bool shareable = false;
};

/// What a pool holds. High marks are since its making or resetHighMarks().
struct PoolStatistics {
  std::uint64_t reserved = 0, reservedHigh = 0;  ///< taken from the device
  std::uint64_t used = 0, usedHigh = 0;          ///< given to the program
};

/// A pool of device memory for allocation in the order of streams.
class Pool : public Handle<CUmemoryPool, releasePool> {
 public:
  /// Fails (System) where the device has no pools.
  static Result<Pool> create(const Context& context, PoolOptions options = {});
  /// The device's default pool, which other libraries share.
  static Result<Pool> defaultOf(const Context& context);

  Status setKeep(std::uint64_t bytes) const;
  Result<PoolStatistics> statistics() const;
  Status resetHighMarks() const;
  /// Gives memory back to the device that is neither used nor among the first
  /// `keep` bytes.
  Status trim(std::size_t keep = 0) const;
  /// Whether kernels of `device` may reach memory of the pool.
  Status setAccess(const Device& device, bool allowed) const;

 private:
  friend class Memory;
  friend Result<Pool> openPool(const Context& context, const rt::UniqueFd& fd);
  using Handle::Handle;
};

struct PinnedOptions {
  bool portable = true;        ///< pinned for every context of the process
  bool mapped = true;          ///< kernels can reach it
  bool writeCombined = false;  ///< fast to write and to copy, slow to read
};

/// Memory of the host that does not move: copies are asynchronous, and kernels
/// can reach it. Freeing waits for the whole device.
class PinnedMemory {
 public:
  PinnedMemory() = default;
  static Result<PinnedMemory> allocate(const Context& context, std::size_t bytes, PinnedOptions options = {});
  std::span<std::byte> data() const;
  /// As a number of T; bytes that are left over are not in it.
  template <class T>
  std::span<T> as() const {
    return {reinterpret_cast<T*>(data().data()), data().size() / sizeof(T)};
  }
  /// Where kernels find it.
  Result<CUdeviceptr> deviceAddress() const;
  explicit operator bool() const { return bool(handle_); }
  std::shared_ptr<const void> keepAlive() const { return handle_.keepAlive(); }

 private:
  static void release(const Context& context, void* memory) noexcept;
  struct Owner : Handle<void*, release> {
    using Handle::Handle;
    Owner() = default;
    Owner(const Context& context, void* memory) : Handle(context, memory, true) {}
  };
  Owner handle_;
  std::size_t bytes_ = 0;
};

/// Ordinary memory of the program, pinned for a while. It must not be freed
/// before this goes; the end waits for nothing, so wait for copies first.
class RegisteredMemory {
 public:
  RegisteredMemory() = default;
  /// `readOnly`: kernels only read it (needed for memory that cannot be
  /// written).
  static Result<RegisteredMemory> add(const Context& context, std::span<std::byte> memory, bool readOnly = false);
  std::span<std::byte> data() const;
  Result<CUdeviceptr> deviceAddress() const;

 private:
  static void release(const Context& context, void* memory) noexcept;
  struct Owner : Handle<void*, release> {
    Owner() = default;
    Owner(const Context& context, void* memory) : Handle(context, memory, true) {}
  };
  Owner handle_;
  std::size_t bytes_ = 0;
};

struct ManagedOptions {
  /// Managed memory moves by itself when host or device touch it, which can
  /// stall both, and more of it than fits can stall the whole GPU. So it is
  /// refused unless the program says that it wants it.
  bool allow = false;
};

/// Memory that host and device reach at the same address.
class ManagedMemory {
 public:
  static Result<ManagedMemory> allocate(const Context& context, std::size_t bytes, ManagedOptions options = {});
  CUdeviceptr address() const { return handle_.raw(); }
  std::size_t bytes() const { return bytes_; }
  /// The bytes for the host. On devices where host and GPU may not use it at the
  /// same time, refused (Misuse) while `stream` has work.
  Result<std::span<std::byte>> hostView(const Stream& stream) const;
  /// Moves it to the device of the stream, or to the host, ahead of use.
  Status prefetchToDevice(const Stream& stream) const;
  Status prefetchToHost(const Stream& stream) const;
  /// CU_MEM_ADVISE_..., for the device of the context.
  Status advise(CUmem_advise advice) const;

 private:
  static void release(const Context& context, CUdeviceptr memory) noexcept;
  struct Owner : Handle<CUdeviceptr, release> {
    Owner() = default;
    Owner(const Context& context, CUdeviceptr memory) : Handle(context, memory, true) {}
  };
  Owner handle_;
  std::size_t bytes_ = 0;
};

/// What a pointer points to.
struct PointerInfo {
  enum class Kind : std::uint8_t {
    Ordinary,  ///< memory of the host that the driver does not know
    Pinned,    ///< memory of the host that it does
    Device,
    Managed,
  };
  Kind kind = Kind::Ordinary;
  int device = -1;              ///< ordinal; -1: none
  CUcontext context = nullptr;  ///< null for memory of pools
  CUdeviceptr base = 0;         ///< of the allocation
  std::size_t bytes = 0;        ///< of the allocation
  CUmemoryPool pool = nullptr;
  std::uint64_t id = 0;  ///< of the allocation, never used again
};

/// Asks the driver about a pointer. Not for memory of a pool that was freed: the
/// answer is undefined then.
Result<PointerInfo> inspect(const Context& context, CUdeviceptr pointer);
Result<PointerInfo> inspect(const Context& context, const void* pointer);

/// Success when kernels of the context can be given the pointer with `bytes`
/// behind it; otherwise (Misuse) what is wrong with it.
Status checkKernelPointer(const Context& context, CUdeviceptr pointer, std::size_t bytes);

}  // namespace rad::cuda

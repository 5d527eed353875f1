// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Memory and events that two processes share. The handles are plain bytes: send
/// them through a pipe or a socket. The other process must open them with a
/// device of the same number in the same machine, and close them before the
/// first one frees.

#include "runtime/driver/memory.h"

namespace rad::cuda {

/// Memory of another process. Trivially copyable.
struct IpcMemory {
  CUipcMemHandle handle{};
  std::uint64_t bytes = 0;
  CUuuid device{};  ///< where it is
};

/// An event of another process. Trivially copyable.
struct IpcEvent {
  CUipcEventHandle handle{};
  CUuuid device{};
};

/// Shares memory that came from Memory::allocate(context, bytes). All of the
/// block that the driver took it from becomes visible: share memory in multiples
/// of 2 MiB.
Result<IpcMemory> exportMemory(const Memory& memory);
/// Opens shared memory. Refused (Misuse) when it lies on another device. The
/// process that exported it cannot open it.
Result<Memory> openMemory(const Context& context, const IpcMemory& shared);

/// A pool that was made with PoolOptions::shareable, as a descriptor for another
/// process (over a local socket), and there as a pool: it gives access to what
/// the first process shares of it, and cannot be allocated from.
Result<rt::UniqueFd> sharePool(const Pool& pool);
Result<Pool> openPool(const Context& context, const rt::UniqueFd& fd);

/// Memory of a shared pool. Trivially copyable.
struct IpcPoolMemory {
  CUmemPoolPtrExportData data{};
  std::uint64_t bytes = 0;
};
/// Shares memory of a shared pool: the allocation must be done, so wait for its
/// stream before the other process uses it.
Result<IpcPoolMemory> exportPoolMemory(const Memory& memory);
/// Opens it, through openPool()'s pool. It is let go of in the order of the
/// stream; the process that shared it frees it after that.
Result<Memory> openMemory(const Pool& pool, const Stream& stream, const IpcPoolMemory& shared);

/// Shares an event that was made with EventOptions::interprocess.
Result<IpcEvent> exportEvent(const Event& event);
Result<Event> openEvent(const Context& context, const IpcEvent& shared);

}  // namespace rad::cuda

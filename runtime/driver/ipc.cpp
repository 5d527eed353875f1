// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/ipc.h"

#include <cstring>

namespace rad::cuda {
namespace {

void closeShared(const Context& context, CUdeviceptr address) noexcept {
  context.release<DriverFn::IpcCloseMemHandle>("shared memory", address);
}

struct Shared : Handle<CUdeviceptr, closeShared> {
  Shared(const Context& context, CUdeviceptr address) : Handle(context, address, true) {}
};

/// Fails when the device of the context is not the one that is meant.
Status checkDevice(const Context& context, const CUuuid& wanted) {
  if (!context) return fail(ErrorCategory::Misuse, "a shared object was opened in an empty context");
  RAD_ASSIGN(const CUuuid own, context.device().uuid());
  if (std::memcmp(own.bytes, wanted.bytes, sizeof own.bytes) == 0) return {};
  return fail(ErrorCategory::Misuse, "a shared object of another device was opened on " + context.device().id(),
              "Open it on the device with the same UUID; CUDA_VISIBLE_DEVICES "
              "may give it another number in this process.");
}

}  // namespace

Result<IpcMemory> exportMemory(const Memory& memory) {
  if (!memory.address()) return fail(ErrorCategory::Misuse, "memory of no bytes was shared");
  IpcMemory shared;
  shared.bytes = memory.bytes();
  RAD_ASSIGN(shared.device, memory.context().device().uuid());
  Status made = memory.context().call<DriverFn::IpcGetMemHandle>(&shared.handle, memory.address());
  if (!made) {
    Error error = std::move(made).error();
    if (error.code == CUDA_ERROR_INVALID_VALUE)
      error.advice =
          "Only memory of Memory::allocate(context, bytes) can be "
          "shared in this way, not that of pools.";
    return fail(std::move(error));
  }
  return shared;
}

Result<Memory> openMemory(const Context& context, const IpcMemory& shared) {
  RAD_TRY(checkDevice(context, shared.device));
  CUdeviceptr address = 0;
  RAD_TRY(
      context.call<DriverFn::IpcOpenMemHandle>(&address, shared.handle, unsigned(CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS)));
  if (!address) return noHandle("shared memory");
  return Memory::borrow(context, address, std::size_t(shared.bytes), Shared(context, address).keepAlive());
}

Result<rt::UniqueFd> sharePool(const Pool& pool) {
  int fd = -1;
  Status made = pool.context().call<DriverFn::MemPoolExportToShareableHandle>(
      static_cast<void*>(&fd), pool.raw(), CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0ull);
  if (!made) {
    Error error = std::move(made).error();
    if (error.code == CUDA_ERROR_INVALID_VALUE) error.advice = "Make the pool with PoolOptions{.shareable = true}.";
    return fail(std::move(error));
  }
  if (fd < 0) return noHandle("descriptor");
  return rt::UniqueFd(fd);
}

Result<Pool> openPool(const Context& context, const rt::UniqueFd& fd) {
  CUmemoryPool raw = nullptr;
  RAD_TRY(context.call<DriverFn::MemPoolImportFromShareableHandle>(
      &raw, reinterpret_cast<void*>(std::intptr_t(fd.get())), CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0ull));
  if (!raw) return noHandle("shared pool");
  return Pool(context, raw, true);
}

Result<IpcPoolMemory> exportPoolMemory(const Memory& memory) {
  if (!memory.address()) return fail(ErrorCategory::Misuse, "memory of no bytes was shared");
  IpcPoolMemory shared;
  shared.bytes = memory.bytes();
  RAD_TRY(memory.context().call<DriverFn::MemPoolExportPointer>(&shared.data, memory.address()));
  return shared;
}

Result<Memory> openMemory(const Pool& pool, const Stream& stream, const IpcPoolMemory& shared) {
  if (!pool || !stream) return fail(ErrorCategory::Misuse, "memory of a pool was opened with an empty pool or stream");
  CUmemPoolPtrExportData data = shared.data;
  CUdeviceptr address = 0;
  RAD_TRY(pool.context().call<DriverFn::MemPoolImportPointer>(&address, pool.raw(), &data));
  if (!address) return noHandle("shared memory");
  Memory memory;
  memory.state_ = std::make_shared<Memory::State>();
  memory.state_->context = pool.context();
  memory.state_->dependsOn = pool.keepAlive();
  memory.state_->kind = Memory::Kind::Ordered;
  memory.state_->home = {stream.raw(), stream.keepAlive()};
  memory.state_->address = address;
  memory.state_->bytes = std::size_t(shared.bytes);
  return memory;
}

Result<IpcEvent> exportEvent(const Event& event) {
  IpcEvent shared;
  RAD_TRY(event.context().call<DriverFn::IpcGetEventHandle>(&shared.handle, event.raw()));
  RAD_ASSIGN(shared.device, event.context().device().uuid());
  return shared;
}

Result<Event> openEvent(const Context& context, const IpcEvent& shared) {
  RAD_TRY(checkDevice(context, shared.device));
  CUevent event = nullptr;
  RAD_TRY(context.call<DriverFn::IpcOpenEventHandle>(&event, shared.handle));
  if (!event) return noHandle("shared event");
  return Event(context, event, true);
}

}  // namespace rad::cuda

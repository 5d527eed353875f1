// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/ipc.h"

#include <cstring>

namespace rad::cuda {
namespace {

void closeShared(const Context &context, CUdeviceptr address) noexcept {
  context.release<DriverFn::IpcCloseMemHandle>("shared memory", address);
}

struct Shared : Handle<CUdeviceptr, closeShared> {
  Shared(const Context &context, CUdeviceptr address)
      : Handle(context, address, true) {}
};

/// Fails when the device of the context is not the one that is meant.
Status checkDevice(const Context &context, const CUuuid &wanted) {
  if (!context)
    return fail(ErrorCategory::Misuse,
                "a shared object was opened in an empty context");
  RAD_ASSIGN(const CUuuid own, context.device().uuid());
  if (std::memcmp(own.bytes, wanted.bytes, sizeof own.bytes) == 0)
    return {};
  return fail(ErrorCategory::Misuse,
              "a shared object of another device was opened on " +
                  context.device().id(),
              "Open it on the device with the same UUID; CUDA_VISIBLE_DEVICES "
              "may give it another number in this process.");
}

} // namespace

Result<IpcMemory> exportMemory(const Memory &memory) {
  if (!memory.address())
    return fail(ErrorCategory::Misuse, "memory of no bytes was shared");
  IpcMemory shared;
  shared.bytes = memory.bytes();
  RAD_ASSIGN(shared.device, memory.context().device().uuid());
  Status made = memory.context().call<DriverFn::IpcGetMemHandle>(
      &shared.handle, memory.address());
  if (!made) {
    Error error = std::move(made).error();
    if (error.code == CUDA_ERROR_INVALID_VALUE)
      error.advice = "Only memory of Memory::allocate(context, bytes) can be "
                     "shared in this way, not that of pools.";
    return fail(std::move(error));
  }
  return shared;
}

Result<Memory> openMemory(const Context &context, const IpcMemory &shared) {
  RAD_TRY(checkDevice(context, shared.device));
  CUdeviceptr address = 0;
  RAD_TRY(context.call<DriverFn::IpcOpenMemHandle>(
      &address, shared.handle, unsigned(CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS)));
  if (!address)
    return noHandle("shared memory");
  return Memory::borrow(context, address, std::size_t(shared.bytes),
                        Shared(context, address).keepAlive());
}

Result<IpcEvent> exportEvent(const Event &event) {
  IpcEvent shared;
  RAD_TRY(event.context().call<DriverFn::IpcGetEventHandle>(&shared.handle,
                                                            event.raw()));
  RAD_ASSIGN(shared.device, event.context().device().uuid());
  return shared;
}

Result<Event> openEvent(const Context &context, const IpcEvent &shared) {
  RAD_TRY(checkDevice(context, shared.device));
  CUevent event = nullptr;
  RAD_TRY(context.call<DriverFn::IpcOpenEventHandle>(&event, shared.handle));
  if (!event)
    return noHandle("shared event");
  return Event(context, event, true);
}

} // namespace rad::cuda

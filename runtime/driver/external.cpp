// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/external.h"

namespace rad::cuda {

void releaseExternalMemory(const Context& context, CUexternalMemory memory) noexcept {
  context.release<DriverFn::DestroyExternalMemory>("external memory", memory);
}

void releaseExternalSemaphore(const Context& context, CUexternalSemaphore semaphore) noexcept {
  context.release<DriverFn::DestroyExternalSemaphore>("an external semaphore", semaphore);
}

namespace {

void freeMapped(const Context& context, CUdeviceptr address) noexcept {
  context.release<DriverFn::MemFree>("mapped external memory", address);
}

struct Mapped : Handle<CUdeviceptr, freeMapped> {
  Mapped(const Context& context, CUdeviceptr address, std::shared_ptr<const void> memory)
      : Handle(context, address, true, std::move(memory)) {}
};

}  // namespace

Result<ExternalMemory> ExternalMemory::open(const Context& context, rt::UniqueFd& fd, std::size_t bytes,
                                            bool dedicated) {
  CUDA_EXTERNAL_MEMORY_HANDLE_DESC description{};
  description.type = CU_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD;
  description.handle.fd = fd.get();
  description.size = bytes;
  description.flags = dedicated ? CUDA_EXTERNAL_MEMORY_DEDICATED : 0;
  CUexternalMemory raw = nullptr;
  RAD_TRY(context.call<DriverFn::ImportExternalMemory>(
      &raw, static_cast<const CUDA_EXTERNAL_MEMORY_HANDLE_DESC*>(&description)));
  (void)fd.release();  // the driver's now
  if (!raw) return noHandle("external memory");
  ExternalMemory memory(context, raw, true);
  memory.bytes_ = bytes;
  return memory;
}

Result<Memory> ExternalMemory::map(std::size_t offset, std::size_t bytes) const {
  if (offset > bytes_ || bytes > bytes_ - offset)
    return fail(ErrorCategory::Misuse, "bytes " + std::to_string(offset) + " to " + std::to_string(offset + bytes) +
                                           " do not lie in external memory of " + std::to_string(bytes_));
  CUDA_EXTERNAL_MEMORY_BUFFER_DESC description{};
  description.offset = offset;
  description.size = bytes;
  CUdeviceptr address = 0;
  RAD_TRY(context().call<DriverFn::ExternalMemoryGetMappedBuffer>(
      &address, raw(), static_cast<const CUDA_EXTERNAL_MEMORY_BUFFER_DESC*>(&description)));
  if (!address) return noHandle("address for external memory");
  return Memory::borrow(context(), address, bytes, Mapped(context(), address, keepAlive()).keepAlive());
}

Result<ExternalSemaphore> ExternalSemaphore::open(const Context& context, rt::UniqueFd& fd, bool timeline) {
  CUDA_EXTERNAL_SEMAPHORE_HANDLE_DESC description{};
  description.type =
      timeline ? CU_EXTERNAL_SEMAPHORE_HANDLE_TYPE_TIMELINE_SEMAPHORE_FD : CU_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD;
  description.handle.fd = fd.get();
  CUexternalSemaphore raw = nullptr;
  RAD_TRY(context.call<DriverFn::ImportExternalSemaphore>(
      &raw, static_cast<const CUDA_EXTERNAL_SEMAPHORE_HANDLE_DESC*>(&description)));
  (void)fd.release();
  if (!raw) return noHandle("external semaphore");
  return ExternalSemaphore(context, raw, true);
}

Status ExternalSemaphore::signal(const Stream& stream, std::uint64_t value) const {
  CUDA_EXTERNAL_SEMAPHORE_SIGNAL_PARAMS params{};
  params.params.fence.value = value;
  const CUexternalSemaphore one = raw();
  return stream.context().call<DriverFn::SignalExternalSemaphoresAsync>(
      &one, static_cast<const CUDA_EXTERNAL_SEMAPHORE_SIGNAL_PARAMS*>(&params), 1u, stream.raw());
}

Status ExternalSemaphore::wait(const Stream& stream, std::uint64_t value) const {
  CUDA_EXTERNAL_SEMAPHORE_WAIT_PARAMS params{};
  params.params.fence.value = value;
  const CUexternalSemaphore one = raw();
  return stream.context().call<DriverFn::WaitExternalSemaphoresAsync>(
      &one, static_cast<const CUDA_EXTERNAL_SEMAPHORE_WAIT_PARAMS*>(&params), 1u, stream.raw());
}

}  // namespace rad::cuda

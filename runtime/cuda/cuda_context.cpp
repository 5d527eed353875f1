// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cuda/cuda_context.h"

#include "runtime/base/interrupt.h"
#include "runtime/base/warning_sink.h"
#include "runtime/driver/copy.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <thread>

namespace rad::rt {

Result<std::shared_ptr<CudaState>> CudaState::open(const cuda::Device& device, DeviceInfo info) {
  std::shared_ptr<CudaState> state(new CudaState(device, std::move(info)));
  RAD_TRY(state->make());
  return state;
}

Status CudaState::make() {
  RAD_ASSIGN(context_, cuda::Context::primary(device_));
  RAD_ASSIGN(stream_, cuda::Stream::create(context_));
  // A pool of our own: settings of the default one belong to other libraries.
  // What is freed in it is kept for the next allocation.
  const DriverApi& driver = device_.driver();
  if (device_.attributeOr(CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED, 0) != 0 && driver.has(DriverFn::MemPoolCreate) &&
      driver.has(DriverFn::MemPoolDestroy) && driver.has(DriverFn::MemAllocFromPoolAsync) &&
      driver.has(DriverFn::MemFreeAsync) && driver.has(DriverFn::MemPoolSetAttribute) &&
      driver.has(DriverFn::MemPoolTrimTo)) {
    RAD_ASSIGN(pool_, cuda::Pool::create(context_));
  }
  RAD_TRY(makeFailureState());
  readsPageable_ = device_.attributeOr(CU_DEVICE_ATTRIBUTE_PAGEABLE_MEMORY_ACCESS, 0) != 0;
  return wait();
}

Status CudaState::makeFailureState() {
  constexpr std::size_t pageBytes = 4096;
  static_assert(sizeof(cg::FailureRecord) <= pageBytes);
  RAD_ASSIGN(recordMemory_, cuda::PinnedMemory::allocate(context_, pageBytes));
  std::memset(recordMemory_.data().data(), 0, pageBytes);
  record_ = recordMemory_.as<cg::FailureRecord>().data();
  RAD_ASSIGN(const CUdeviceptr recordOnDevice, recordMemory_.deviceAddress());
  RAD_ASSIGN(failureState_, cuda::Memory::allocate(context_, sizeof(cg::FailureState)));
  cg::FailureState initial{};
  // The kernel's view of the record; the field is only as wide as a pointer.
  static_assert(sizeof initial.record == sizeof recordOnDevice);
  std::memcpy(&initial.record, &recordOnDevice, sizeof initial.record);
  RAD_TRY(cuda::copyToDevice(stream_, failureState_.address(), std::as_bytes(std::span(&initial, 1))));
  return waitForCopy();
}

CudaState::~CudaState() {
  // Buffers were freed in stream order: let that happen before the pool and the
  // stream go.
  if (stream_) context_.release<DriverFn::StreamSynchronize>("pending work", stream_.raw());
}

Result<cuda::Memory> CudaState::allocate(std::uint64_t bytes) const {
  if (pool_) return cuda::Memory::allocate(pool_, stream_, std::size_t(bytes));
  return cuda::Memory::allocate(context_, std::size_t(bytes));
}

std::optional<cg::FailureRecord> CudaState::takeRecord() {
  if (!record_ || forked()) return std::nullopt;
  // The kernel writes the flag last, after a fence for the whole system.
  std::atomic_ref<std::uint32_t> flag(record_->flag);
  if (flag.load(std::memory_order_acquire) == 0) return std::nullopt;
  cg::FailureRecord record;
  std::memcpy(&record, record_, sizeof record);
  std::memset(record_, 0, sizeof *record_);
  if (!dead()) {
    // Let the next failing thread claim the record again.
    const Status cleared =
        cuda::fill(stream_, failureState_.address() + offsetof(cg::FailureState, claimed), std::uint32_t(0), 1);
    if (!cleared && !dead()) warnReleaseFailed("the failure record", cleared.error());
  }
  return record;
}

/// A wait that Ctrl-C ends. The driver has no way to stop a kernel.
Status CudaState::waitOrInterrupt() const {
  for (unsigned round = 0; Interrupt::isEnabled(); ++round) {
    RAD_ASSIGN(const bool done, stream_.done());
    if (done) break;
    if (Interrupt::isRequested())
      return fail(ErrorCategory::UserProgram, "interrupted: no longer waiting for " + info_.id,
                  "a kernel on a GPU cannot be stopped: what was launched goes "
                  "on there, and the next statement that reads an array waits "
                  "for it again; :quit ends both");
    if (round > 4000) std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return {};
}

Status CudaState::waitForCopy() const {
  Status waited = wait();
  if (!waited && !dead()) (void)wait();
  return waited;
}

}  // namespace rad::rt

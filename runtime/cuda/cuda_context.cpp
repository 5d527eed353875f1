// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cuda/cuda_context.h"

#include "runtime/base/warning_sink.h"

#include <atomic>
#include <cstring>

namespace rad::rt {

Result<std::shared_ptr<CudaState>> CudaState::open(const cuda::Device &device,
                                                   DeviceInfo info) {
  std::shared_ptr<CudaState> state(new CudaState(device, std::move(info)));
  RAD_TRY(state->make());
  return state;
}

Status CudaState::make() {
  RAD_ASSIGN(context_, cuda::Context::primary(device_));
  ContextGuard guard(driver_, context_.raw());
  RAD_TRY(guard.status());
  RAD_ASSIGN(stream_, cuda::Stream::create(context_));
  RAD_TRY(makePool());
  RAD_TRY(makeFailureState());
  readsPageable_ =
      device_.attributeOr(CU_DEVICE_ATTRIBUTE_PAGEABLE_MEMORY_ACCESS, 0) != 0;
  return wait();
}

Status CudaState::makePool() {
  const bool supported =
      device_.attributeOr(CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED, 0) != 0;
  if (!supported || !driver_.has(DriverFn::MemPoolCreate) ||
      !driver_.has(DriverFn::MemPoolDestroy) ||
      !driver_.has(DriverFn::MemAllocFromPoolAsync) ||
      !driver_.has(DriverFn::MemFreeAsync) ||
      !driver_.has(DriverFn::MemPoolSetAttribute) ||
      !driver_.has(DriverFn::MemPoolTrimTo))
    return {};
  // A pool of our own: settings of the default one belong to other libraries.
  CUmemPoolProps properties{};
  properties.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.handleTypes = CU_MEM_HANDLE_TYPE_NONE;
  properties.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
  properties.location.id = device_.raw();
  RAD_TRY(driver_.call<DriverFn::MemPoolCreate>(&pool_, &properties));
  // Keep freed memory for the next allocation instead of giving it back at
  // every wait.
  cuuint64_t keep = ~cuuint64_t(0);
  return driver_.call<DriverFn::MemPoolSetAttribute>(
      pool_, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, static_cast<void *>(&keep));
}

Status CudaState::makeFailureState() {
  constexpr std::size_t pageBytes = 4096;
  static_assert(sizeof(cg::FailureRecord) <= pageBytes);
  void *page = nullptr;
  RAD_TRY(driver_.call<DriverFn::MemHostAlloc>(
      &page, pageBytes,
      static_cast<unsigned>(CU_MEMHOSTALLOC_PORTABLE |
                            CU_MEMHOSTALLOC_DEVICEMAP)));
  if (!page)
    return fail(ErrorCategory::Misuse, "the driver gave no pinned memory");
  std::memset(page, 0, pageBytes);
  record_ = static_cast<cg::FailureRecord *>(page);
  RAD_TRY(driver_.call<DriverFn::MemHostGetDevicePointer>(&recordOnDevice_,
                                                          page, 0u));
  if (!recordOnDevice_)
    return fail(ErrorCategory::Misuse,
                "the driver gave no address for mapped memory");
  RAD_TRY(driver_.call<DriverFn::MemAlloc>(&failureState_,
                                           sizeof(cg::FailureState)));
  if (!failureState_)
    return fail(ErrorCategory::Misuse, "the driver gave no device memory");
  cg::FailureState initial{};
  // The kernel's view of the record; the field is only as wide as a pointer.
  static_assert(sizeof initial.record == sizeof recordOnDevice_);
  std::memcpy(&initial.record, &recordOnDevice_, sizeof initial.record);
  RAD_TRY(driver_.call<DriverFn::MemcpyHtoDAsync>(
      failureState_, static_cast<const void *>(&initial), sizeof initial,
      stream_.raw()));
  return waitForCopy();
}

CudaState::~CudaState() {
  if (!context_)
    return;
  ContextGuard guard(driver_, context_.raw());
  if (!guard.mayRelease(info_.id))
    return;
  // Buffers were freed in stream order: let that happen before the pool and the
  // stream go.
  if (stream_)
    driver_.release<DriverFn::StreamSynchronize>("pending work", stream_.raw());
  if (printState_)
    driver_.release<DriverFn::MemFree>("the state of print", printState_);
  if (printed_)
    driver_.release<DriverFn::MemFreeHost>("printed lines",
                                           static_cast<void *>(printed_));
  if (failureState_)
    driver_.release<DriverFn::MemFree>("the failure state", failureState_);
  if (record_)
    driver_.release<DriverFn::MemFreeHost>("the failure record",
                                           static_cast<void *>(record_));
  if (pool_)
    driver_.release<DriverFn::MemPoolDestroy>("a memory pool", pool_);
}

std::optional<cg::FailureRecord> CudaState::takeRecord() {
  if (!record_ || driver_.forked())
    return std::nullopt;
  // The kernel writes the flag last, after a fence for the whole system.
  std::atomic_ref<std::uint32_t> flag(record_->flag);
  if (flag.load(std::memory_order_acquire) == 0)
    return std::nullopt;
  cg::FailureRecord record;
  std::memcpy(&record, record_, sizeof record);
  std::memset(record_, 0, sizeof *record_);
  if (!driver_.dead()) {
    // Let the next failing thread claim the record again.
    ContextGuard guard(driver_, context_.raw());
    Status cleared = guard.status();
    if (cleared)
      cleared = driver_.call<DriverFn::MemsetD32Async>(
          failureState_ + offsetof(cg::FailureState, claimed), 0u,
          std::size_t(1), stream_.raw());
    if (!cleared && !driver_.dead())
      warnReleaseFailed("the failure record", cleared.error());
  }
  return record;
}

Status CudaState::wait() {
  RAD_TRY(driver_.call<DriverFn::StreamSynchronize>(stream_.raw()));
  history().clear();
  return {};
}

Status CudaState::waitForCopy() {
  Status waited = wait();
  if (!waited && !driver_.dead())
    (void)wait();
  return waited;
}

} // namespace rad::rt

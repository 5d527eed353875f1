// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cuda/cuda_context.h"

#include "runtime/base/warning_sink.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace rad::rt {

// ---- ContextGuard ----

ContextGuard::ContextGuard(const DriverApi &driver, CUcontext context)
    : driver_(driver), context_(context),
      status_(driver.call<DriverFn::CtxPushCurrent>(context)) {}

ContextGuard::~ContextGuard() {
  if (!status_ || driver_.forked())
    return;
  // Not through call(): it must happen after a fault as well, and works then.
  CUcontext popped = nullptr;
  CUresult status = driver_.raw<DriverFn::CtxPopCurrent>()(&popped);
  if (status != CUDA_SUCCESS && status != CUDA_ERROR_DEINITIALIZED &&
      !isFatalCudaError(status))
    warnReleaseFailed("the current context",
                      driver_.failure(DriverFn::CtxPopCurrent, status));
  else if (status == CUDA_SUCCESS && popped != context_)
    warn("another context was current than the one that was pushed: code that "
         "shares the device left its own behind");
}

bool ContextGuard::mayRelease(std::string_view what) const noexcept {
  if (status_)
    return true;
  if (!driver_.dead() && !driver_.forked() &&
      status_.error().code != CUDA_ERROR_DEINITIALIZED)
    warnReleaseFailed(what, status_.error());
  return false;
}

// ---- LaunchHistory ----

void LaunchHistory::add(std::string_view name, std::uint32_t serial) {
  std::lock_guard lock(mutex_);
  Entry &entry = entries_[count_++ % capacity];
  const std::size_t length = std::min(name.size(), entry.name.size() - 1);
  std::memcpy(entry.name.data(), name.data(), length);
  entry.name[length] = '\0';
  entry.serial = serial;
}

void LaunchHistory::clear() {
  std::lock_guard lock(mutex_);
  count_ = 0;
}

std::string LaunchHistory::describe() const {
  std::lock_guard lock(mutex_);
  std::string out;
  if (count_ > capacity)
    out = std::to_string(count_ - capacity) + " earlier ones";
  for (std::size_t i = count_ - std::min(count_, capacity); i < count_; ++i) {
    const Entry &entry = entries_[i % capacity];
    if (!out.empty())
      out += ", ";
    out += std::string(entry.name.data()) + " (launch " +
           std::to_string(entry.serial) + ')';
  }
  return out;
}

// ---- CudaState ----

Result<std::shared_ptr<CudaState>>
CudaState::open(const DriverApi &driver, CUdevice device, DeviceInfo info) {
  std::shared_ptr<CudaState> state(
      new CudaState(driver, device, std::move(info)));
  RAD_TRY(state->make());
  return state;
}

Status CudaState::make() {
  CUcontext context = nullptr;
  RAD_TRY(driver_.call<DriverFn::DevicePrimaryCtxRetain>(&context, device_));
  context_ = context;
  if (!context_)
    return fail(ErrorCategory::System,
                "the driver gave no context for " + info_.id);
  ContextGuard guard(driver_, context_);
  RAD_TRY(guard.status());
  RAD_TRY(driver_.call<DriverFn::StreamCreateWithPriority>(
      &stream_, static_cast<unsigned>(CU_STREAM_NON_BLOCKING), 0));
  if (!stream_) // null would mean the stream that everybody shares
    return fail(ErrorCategory::Misuse, "the driver gave no stream");
  RAD_TRY(makePool());
  RAD_TRY(makeFailureState());
  readsPageable_ =
      deviceAttribute(driver_, device_,
                      CU_DEVICE_ATTRIBUTE_PAGEABLE_MEMORY_ACCESS, 0) != 0;
  return wait();
}

Status CudaState::makePool() {
  const bool supported =
      deviceAttribute(driver_, device_, CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED,
                      0) != 0;
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
  properties.location.id = device_;
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
      stream_));
  return waitForCopy();
}

CudaState::~CudaState() {
  if (!context_)
    return;
  {
    ContextGuard guard(driver_, context_);
    if (guard.mayRelease(info_.id)) {
      // Buffers were freed in stream order: let that happen before the pool
      // and the stream go.
      if (stream_)
        driver_.release<DriverFn::StreamSynchronize>("pending work", stream_);
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
      if (stream_)
        driver_.release<DriverFn::StreamDestroy>("a stream", stream_);
    }
  }
  driver_.release<DriverFn::DevicePrimaryCtxRelease>("the context of " +
                                                         info_.id,
                                                     device_);
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
    ContextGuard guard(driver_, context_);
    Status cleared = guard.status();
    if (cleared)
      cleared = driver_.call<DriverFn::MemsetD32Async>(
          failureState_ + offsetof(cg::FailureState, claimed), 0u,
          std::size_t(1), stream_);
    if (!cleared && !driver_.dead())
      warnReleaseFailed("the failure record", cleared.error());
  }
  return record;
}

Error CudaState::explain(Error error) {
  if (error.category != ErrorCategory::Dead)
    return error;
  std::lock_guard lock(fatalMutex_);
  if (fatal_)
    return *fatal_;
  if (error.call.starts_with("cu"))
    error.message += " (noticed at " + error.call + ')';
  if (std::string suspects = history_.describe(); !suspects.empty())
    error.message += "; kernels since the last wait: " + suspects;
  fatal_ = error;
  return error;
}

Status CudaState::wait() {
  RAD_TRY(driver_.call<DriverFn::StreamSynchronize>(stream_));
  history_.clear();
  return {};
}

Status CudaState::waitForCopy() {
  Status waited = wait();
  if (!waited && !driver_.dead())
    (void)wait();
  return waited;
}

} // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cuda/cuda_device.h"

#include "runtime/cuda/cuda_context.h"
#include "runtime/cuda/cuda_kernel.h"

#include <cstdio>
#include <cstring>
#include <typeinfo>

namespace rad::rt {
namespace {

/// "1.5 GiB", "300 bytes".
std::string formatBytes(std::uint64_t bytes) {
  static constexpr const char *units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = double(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  char text[48];
  std::snprintf(text, sizeof text, unit ? "%.1f %s" : "%.0f %s", value,
                units[unit]);
  return text;
}

class CudaBuffer final : public Buffer {
public:
  CudaBuffer(std::shared_ptr<CudaState> state, CUdeviceptr address,
             std::uint64_t size)
      : state_(std::move(state)), address_(address), size_(size) {}
  ~CudaBuffer() override {
    if (!address_)
      return;
    const DriverApi &driver = state_->driver();
    ContextGuard guard(driver, state_->context());
    if (!guard.mayRelease("device memory"))
      return;
    // From the pool: behind everything that was asked of the device so far.
    if (state_->pool())
      driver.release<DriverFn::MemFreeAsync>("device memory", address_,
                                             state_->stream());
    else
      driver.release<DriverFn::MemFree>("device memory", address_);
  }
  std::uint64_t address() const override { return address_; }
  std::uint64_t size() const override { return size_; }
  bool isOf(const CudaState &state) const { return state_.get() == &state; }

private:
  std::shared_ptr<CudaState> state_;
  CUdeviceptr address_;
  std::uint64_t size_;
};

class CudaDeviceImpl final : public Device {
public:
  explicit CudaDeviceImpl(std::shared_ptr<CudaState> state)
      : state_(std::move(state)) {}

  const DeviceInfo &info() const override { return state_->info(); }
  std::uint64_t failureState() const override { return state_->failureState(); }

  Result<std::shared_ptr<Buffer>> allocate(std::uint64_t bytes) override;
  Status copyIn(Buffer &to, std::uint64_t offset,
                std::span<const std::byte> from) override;
  Status copyOut(std::span<std::byte> to, const Buffer &from,
                 std::uint64_t offset) override;
  Status copyWithin(Buffer &to, std::uint64_t toOffset, const Buffer &from,
                    std::uint64_t fromOffset, std::uint64_t bytes) override;
  Status fill(Buffer &to, std::uint64_t offset, std::uint64_t bytes,
              std::span<const std::byte> pattern) override;
  Result<std::shared_ptr<Kernel>> load(const cg::DeviceCode &code,
                                       std::string_view symbol) override {
    return CudaKernel::load(state_, code, symbol);
  }
  Status launch(Kernel &kernel, const LaunchRequest &request) override;
  Status synchronize() override;
  std::optional<KernelFailure> takeFailure() override;
  PrintedLines takePrinted() override { return state_->takePrinted(); }

private:
  const DriverApi &driver() const { return state_->driver(); }
  Status get(CUdeviceptr &address, std::uint64_t bytes);
  Result<CUdeviceptr> place(const Buffer &buffer, std::uint64_t offset,
                            std::uint64_t bytes) const;
  bool mayReadLater(const void *memory) const;
  Status fillWords(CUdeviceptr at, std::uint64_t bytes,
                   std::span<const std::byte> pattern);

  std::shared_ptr<CudaState> state_;
};

Status CudaDeviceImpl::get(CUdeviceptr &address, std::uint64_t bytes) {
  if (state_->pool())
    return driver().call<DriverFn::MemAllocFromPoolAsync>(
        &address, std::size_t(bytes), state_->pool(), state_->stream());
  return driver().call<DriverFn::MemAlloc>(&address, std::size_t(bytes));
}

Result<std::shared_ptr<Buffer>> CudaDeviceImpl::allocate(std::uint64_t bytes) {
  if (bytes == 0)
    return std::make_shared<CudaBuffer>(state_, 0, 0);
  ContextGuard guard(driver(), state_->context());
  RAD_TRY(state_->finish(guard.status()));
  CUdeviceptr address = 0;
  Status got = get(address, bytes);
  if (!got && got.error().code == CUDA_ERROR_OUT_OF_MEMORY && state_->pool()) {
    // What the pool holds may lie in pieces that are too small: give it back,
    // and try once more.
    RAD_TRY(state_->finish(state_->wait()));
    Status trimmed = driver().call<DriverFn::MemPoolTrimTo>(state_->pool(),
                                                            std::size_t(0));
    if (trimmed)
      got = get(address, bytes);
    else if (trimmed.error().category == ErrorCategory::Dead)
      got = std::move(trimmed);
  }
  if (!got) {
    Error error = state_->explain(std::move(got).error());
    if (error.code == CUDA_ERROR_OUT_OF_MEMORY) {
      std::size_t free = 0, total = 0;
      error.message =
          "could not allocate " + formatBytes(bytes) + " on " + info().id;
      if (driver().call<DriverFn::MemGetInfo>(&free, &total))
        error.message +=
            " (" + formatBytes(free) + " free of " + formatBytes(total) + ')';
    }
    return fail(std::move(error));
  }
  if (!address)
    return fail(ErrorCategory::Misuse, "the driver gave no device memory");
  return std::make_shared<CudaBuffer>(state_, address, bytes);
}

Result<CUdeviceptr> CudaDeviceImpl::place(const Buffer &buffer,
                                          std::uint64_t offset,
                                          std::uint64_t bytes) const {
  auto *own = dynamic_cast<const CudaBuffer *>(&buffer);
  if (!own || !own->isOf(*state_))
    return fail(ErrorCategory::Misuse,
                "a buffer of another device was used on " + info().id);
  if (offset > buffer.size() || bytes > buffer.size() - offset)
    return fail(ErrorCategory::Misuse,
                "bytes " + std::to_string(offset) + " to " +
                    std::to_string(offset + bytes) +
                    " lie outside a buffer of " + std::to_string(buffer.size()));
  return CUdeviceptr(buffer.address() + offset);
}

/// Ordinary host memory is read during the call that asks for the copy. Pinned
/// memory, and any memory on machines where the GPU reads pages of the host, may
/// be read later.
bool CudaDeviceImpl::mayReadLater(const void *memory) const {
  if (state_->readsPageableMemory())
    return true;
  CUmemorytype type{};
  // "Invalid value" says that the driver does not know this memory.
  return driver().raw<DriverFn::PointerGetAttribute>()(
             &type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
             reinterpret_cast<CUdeviceptr>(memory)) != CUDA_ERROR_INVALID_VALUE;
}

Status CudaDeviceImpl::copyIn(Buffer &to, std::uint64_t offset,
                              std::span<const std::byte> from) {
  RAD_ASSIGN(const CUdeviceptr target, place(to, offset, from.size()));
  if (from.empty())
    return {};
  ContextGuard guard(driver(), state_->context());
  RAD_TRY(state_->finish(guard.status()));
  RAD_TRY(state_->finish(driver().call<DriverFn::MemcpyHtoDAsync>(
      target, static_cast<const void *>(from.data()), from.size(),
      state_->stream())));
  if (mayReadLater(from.data()))
    return state_->finish(state_->waitForCopy());
  return {};
}

Status CudaDeviceImpl::copyOut(std::span<std::byte> to, const Buffer &from,
                               std::uint64_t offset) {
  RAD_ASSIGN(const CUdeviceptr source, place(from, offset, to.size()));
  ContextGuard guard(driver(), state_->context());
  RAD_TRY(state_->finish(guard.status()));
  if (!to.empty())
    RAD_TRY(state_->finish(driver().call<DriverFn::MemcpyDtoHAsync>(
        static_cast<void *>(to.data()), source, to.size(), state_->stream())));
  return state_->finish(state_->waitForCopy());
}

Status CudaDeviceImpl::copyWithin(Buffer &to, std::uint64_t toOffset,
                                  const Buffer &from, std::uint64_t fromOffset,
                                  std::uint64_t bytes) {
  RAD_ASSIGN(const CUdeviceptr target, place(to, toOffset, bytes));
  RAD_ASSIGN(const CUdeviceptr source, place(from, fromOffset, bytes));
  if (bytes == 0 || target == source)
    return {};
  if (target < source + bytes && source < target + bytes)
    return fail(ErrorCategory::Misuse,
                "a copy on the device overlaps its own source");
  ContextGuard guard(driver(), state_->context());
  RAD_TRY(state_->finish(guard.status()));
  return state_->finish(driver().call<DriverFn::MemcpyDtoDAsync>(
      target, source, std::size_t(bytes), state_->stream()));
}

Status CudaDeviceImpl::fill(Buffer &to, std::uint64_t offset,
                            std::uint64_t bytes,
                            std::span<const std::byte> pattern) {
  RAD_ASSIGN(const CUdeviceptr target, place(to, offset, bytes));
  const std::size_t width = pattern.size();
  if (width != 1 && width != 2 && width != 4 && width != 8)
    return fail(ErrorCategory::Misuse,
                "memory cannot be filled with a pattern of " +
                    std::to_string(width) + " bytes");
  if (bytes % width || target % width)
    return fail(ErrorCategory::Misuse,
                std::to_string(bytes) + " bytes at offset " +
                    std::to_string(offset) +
                    " are not a whole number of patterns of " +
                    std::to_string(width) + " bytes");
  if (bytes == 0)
    return {};
  ContextGuard guard(driver(), state_->context());
  RAD_TRY(state_->finish(guard.status()));
  return state_->finish(fillWords(target, bytes, pattern));
}

Status CudaDeviceImpl::fillWords(CUdeviceptr at, std::uint64_t bytes,
                                 std::span<const std::byte> pattern) {
  // The narrowest pattern that says the same.
  while (pattern.size() > 1 &&
         std::memcmp(pattern.data(), pattern.data() + pattern.size() / 2,
                     pattern.size() / 2) == 0)
    pattern = pattern.first(pattern.size() / 2);
  const CUstream stream = state_->stream();
  const std::size_t count = std::size_t(bytes / pattern.size());
  switch (pattern.size()) {
  case 1: {
    unsigned char value;
    std::memcpy(&value, pattern.data(), sizeof value);
    return driver().call<DriverFn::MemsetD8Async>(at, value, count, stream);
  }
  case 2: {
    unsigned short value;
    std::memcpy(&value, pattern.data(), sizeof value);
    return driver().call<DriverFn::MemsetD16Async>(at, value, count, stream);
  }
  case 4: {
    unsigned value;
    std::memcpy(&value, pattern.data(), sizeof value);
    return driver().call<DriverFn::MemsetD32Async>(at, value, count, stream);
  }
  default: {
    // Eight bytes: each half as a column of words, eight bytes apart.
    unsigned halves[2];
    std::memcpy(halves, pattern.data(), sizeof halves);
    for (std::size_t half = 0; half < 2; ++half)
      RAD_TRY(driver().call<DriverFn::MemsetD2D32Async>(
          at + half * 4, std::size_t(8), halves[half], std::size_t(1), count,
          stream));
    return {};
  }
  }
}

Status CudaDeviceImpl::launch(Kernel &kernel, const LaunchRequest &request) {
  // The class is final, so this says the same as a dynamic_cast, in less time.
  auto *own = typeid(kernel) == typeid(CudaKernel)
                  ? static_cast<CudaKernel *>(&kernel)
                  : nullptr;
  if (!own || &own->state() != state_.get())
    return fail(ErrorCategory::Misuse,
                "the kernel '" + std::string(request.name) +
                    "' was loaded on another device than " + info().id);
  if (request.prints)
    RAD_TRY(state_->finish(state_->preparePrinting()));
  return own->launch(request);
}

Status CudaDeviceImpl::synchronize() {
  ContextGuard guard(driver(), state_->context());
  RAD_TRY(state_->finish(guard.status()));
  return state_->finish(state_->wait());
}

std::optional<KernelFailure> CudaDeviceImpl::takeFailure() {
  auto record = state_->takeRecord();
  if (!record)
    return std::nullopt;
  return KernelFailure{*record};
}

Result<const DriverApi *> driverOr(const DriverApi *driver) {
  if (driver)
    return driver;
  return DriverApi::get();
}

} // namespace

Result<std::shared_ptr<Device>> CudaDevice::create(
    int ordinal, const DriverApi *driver,
    const std::function<void(const DeviceInfo &)> &described) {
  RAD_ASSIGN(const DriverApi *api, driverOr(driver));
  RAD_ASSIGN(auto found, describeDevice(*api, ordinal));
  if (described)
    described(found.second);
  RAD_ASSIGN(std::shared_ptr<CudaState> state,
             CudaState::open(found.first, found.second));
  return std::make_shared<CudaDeviceImpl>(std::move(state));
}

Result<int> CudaDevice::count(const DriverApi *driver) {
  RAD_ASSIGN(const DriverApi *api, driverOr(driver));
  return cuda::Device::count(api);
}

} // namespace rad::rt

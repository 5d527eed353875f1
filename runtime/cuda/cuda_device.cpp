// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cuda/cuda_device.h"

#include "runtime/cuda/cuda_context.h"
#include "runtime/cuda/cuda_kernel.h"
#include "runtime/driver/copy.h"

#include <typeinfo>

namespace rad::rt {
namespace {

class CudaBuffer final : public Buffer {
 public:
  CudaBuffer(std::shared_ptr<CudaState> state, cuda::Memory memory)
      : state_(std::move(state)), memory_(std::move(memory)) {}
  std::uint64_t address() const override { return memory_.address(); }
  std::uint64_t size() const override { return memory_.bytes(); }
  bool isOf(const CudaState& state) const { return state_.get() == &state; }

 private:
  std::shared_ptr<CudaState> state_;
  cuda::Memory memory_;  ///< freed behind everything that was asked so far
};

class CudaDeviceImpl final : public Device {
 public:
  explicit CudaDeviceImpl(std::shared_ptr<CudaState> state) : state_(std::move(state)) {}

  const DeviceInfo& info() const override { return state_->info(); }
  std::uint64_t failureState() const override { return state_->failureState(); }

  Result<std::shared_ptr<Buffer>> allocate(std::uint64_t bytes) override;
  Status copyIn(Buffer& to, std::uint64_t offset, std::span<const std::byte> from) override;
  Status copyOut(std::span<std::byte> to, const Buffer& from, std::uint64_t offset) override;
  Status copyWithin(Buffer& to, std::uint64_t toOffset, const Buffer& from, std::uint64_t fromOffset,
                    std::uint64_t bytes) override;
  Status fill(Buffer& to, std::uint64_t offset, std::uint64_t bytes, std::span<const std::byte> pattern) override;
  Result<std::shared_ptr<Kernel>> load(const cg::DeviceCode& code, std::string_view symbol) override {
    return CudaKernel::load(state_, code, symbol);
  }
  Status launch(Kernel& kernel, const LaunchRequest& request) override;
  Status synchronize() override;
  std::optional<KernelFailure> takeFailure() override;
  PrintedLines takePrinted() override { return state_->takePrinted(); }

 private:
  Result<CUdeviceptr> place(const Buffer& buffer, std::uint64_t offset, std::uint64_t bytes) const;
  Result<bool> mayReadLater(const void* memory) const;

  std::shared_ptr<CudaState> state_;
};

Result<std::shared_ptr<Buffer>> CudaDeviceImpl::allocate(std::uint64_t bytes) {
  RAD_ASSIGN(cuda::Memory memory, state_->allocate(bytes));
  return std::make_shared<CudaBuffer>(state_, std::move(memory));
}

Result<CUdeviceptr> CudaDeviceImpl::place(const Buffer& buffer, std::uint64_t offset, std::uint64_t bytes) const {
  auto* own = dynamic_cast<const CudaBuffer*>(&buffer);
  if (!own || !own->isOf(*state_))
    return fail(ErrorCategory::Misuse, "a buffer of another device was used on " + info().id);
  if (offset > buffer.size() || bytes > buffer.size() - offset)
    return fail(ErrorCategory::Misuse, "bytes " + std::to_string(offset) + " to " + std::to_string(offset + bytes) +
                                           " lie outside a buffer of " + std::to_string(buffer.size()));
  return CUdeviceptr(buffer.address() + offset);
}

/// Ordinary host memory is read during the call that asks for the copy. Pinned
/// memory, and any memory on machines where the GPU reads pages of the host, may
/// be read later.
Result<bool> CudaDeviceImpl::mayReadLater(const void* memory) const {
  if (state_->readsPageableMemory()) return true;
  if (!state_->context().driver().has(DriverFn::PointerGetAttributes)) return true;
  RAD_ASSIGN(const cuda::PointerInfo info, cuda::inspect(state_->context(), memory));
  return info.kind != cuda::PointerInfo::Kind::Ordinary;
}

Status CudaDeviceImpl::copyIn(Buffer& to, std::uint64_t offset, std::span<const std::byte> from) {
  RAD_ASSIGN(const CUdeviceptr target, place(to, offset, from.size()));
  if (from.empty()) return {};
  RAD_TRY(cuda::copyToDevice(state_->stream(), target, from));
  const Result<bool> later = mayReadLater(from.data());
  // Where it is not known the copy is waited for too.
  if (!later || *later) RAD_TRY(state_->waitForCopy());
  return later ? Status() : fail(later.error());
}

Status CudaDeviceImpl::copyOut(std::span<std::byte> to, const Buffer& from, std::uint64_t offset) {
  RAD_ASSIGN(const CUdeviceptr source, place(from, offset, to.size()));
  RAD_TRY(state_->waitOrInterrupt());
  RAD_TRY(cuda::copyToHost(state_->stream(), to, source));
  return state_->waitForCopy();
}

Status CudaDeviceImpl::copyWithin(Buffer& to, std::uint64_t toOffset, const Buffer& from, std::uint64_t fromOffset,
                                  std::uint64_t bytes) {
  RAD_ASSIGN(const CUdeviceptr target, place(to, toOffset, bytes));
  RAD_ASSIGN(const CUdeviceptr source, place(from, fromOffset, bytes));
  return cuda::copyOnDevice(state_->stream(), target, source, std::size_t(bytes));
}

Status CudaDeviceImpl::fill(Buffer& to, std::uint64_t offset, std::uint64_t bytes, std::span<const std::byte> pattern) {
  RAD_ASSIGN(const CUdeviceptr target, place(to, offset, bytes));
  const std::size_t width = pattern.size();
  if (width == 0 || bytes % width)
    return fail(ErrorCategory::Misuse, std::to_string(bytes) + " bytes are not a whole number of patterns of " +
                                           std::to_string(width) + " bytes");
  return cuda::fillBytes(state_->stream(), target, pattern, std::size_t(bytes / width));
}

Status CudaDeviceImpl::launch(Kernel& kernel, const LaunchRequest& request) {
  // The class is final, so this says the same as a dynamic_cast, in less time.
  auto* own = typeid(kernel) == typeid(CudaKernel) ? static_cast<CudaKernel*>(&kernel) : nullptr;
  if (!own || &own->state() != state_.get())
    return fail(ErrorCategory::Misuse,
                "the kernel '" + std::string(request.name) + "' was loaded on another device than " + info().id);
  if (request.prints) RAD_TRY(state_->preparePrinting());
  return own->launch(request);
}

Status CudaDeviceImpl::synchronize() {
  RAD_TRY(state_->waitOrInterrupt());
  return state_->wait();
}

std::optional<KernelFailure> CudaDeviceImpl::takeFailure() {
  auto record = state_->takeRecord();
  if (!record) return std::nullopt;
  return KernelFailure{*record};
}

Result<const DriverApi*> driverOr(const DriverApi* driver) {
  if (driver) return driver;
  return DriverApi::get();
}

}  // namespace

Result<std::shared_ptr<Device>> CudaDevice::create(int ordinal, const DriverApi* driver,
                                                   const std::function<void(const DeviceInfo&)>& described) {
  RAD_ASSIGN(const DriverApi* api, driverOr(driver));
  RAD_ASSIGN(auto found, describeDevice(*api, ordinal));
  if (described) described(found.second);
  RAD_ASSIGN(std::shared_ptr<CudaState> state, CudaState::open(found.first, found.second));
  return std::make_shared<CudaDeviceImpl>(std::move(state));
}

Result<int> CudaDevice::count(const DriverApi* driver) {
  RAD_ASSIGN(const DriverApi* api, driverOr(driver));
  return cuda::Device::count(api);
}

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/context.h"

#include "runtime/driver/handle.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

namespace rad::cuda {
namespace {

Result<const DriverApi*> driverOr(const DriverApi* driver) {
  if (driver) return driver;
  return DriverApi::get();
}

}  // namespace

std::unexpected<Error> noHandle(const char* what) {
  return fail(ErrorCategory::Misuse, std::string("the driver reported success and gave no ") + what,
              "This is a defect of the driver: please report it with its "
              "version.");
}

// ---- ContextGuard ----

ContextGuard::ContextGuard(const DriverApi& driver, CUcontext context)
    : driver_(driver), context_(context), status_(driver.call<DriverFn::CtxPushCurrent>(context)) {}

ContextGuard::~ContextGuard() {
  if (!status_ || driver_.forked()) return;
  // Not through call(): it must happen after a fault as well, and works then.
  CUcontext popped = nullptr;
  CUresult status = driver_.raw<DriverFn::CtxPopCurrent>()(&popped);
  if (status != CUDA_SUCCESS && status != CUDA_ERROR_DEINITIALIZED && !rt::isFatalCudaError(status))
    rt::warnReleaseFailed("the current context", driver_.failure(DriverFn::CtxPopCurrent, status));
  else if (status == CUDA_SUCCESS && popped != context_)
    rt::warn(
        "another context was current than the one that was pushed: code "
        "that shares the device left its own behind");
}

bool ContextGuard::mayRelease(std::string_view what) const noexcept {
  if (status_) return true;
  if (!driver_.dead() && !driver_.forked() && status_.error().code != CUDA_ERROR_DEINITIALIZED)
    rt::warnReleaseFailed(what, status_.error());
  return false;
}

// ---- LaunchHistory ----

void LaunchHistory::add(std::string_view name, std::uint32_t serial, const void* stream) {
  const Lock lock(flag_);
  Entry& entry = entries_[count_++ % capacity];
  const std::size_t length = std::min(name.size(), entry.name.size() - 1);
  std::memcpy(entry.name.data(), name.data(), length);
  entry.name[length] = '\0';
  entry.serial = lastSerial_ = serial ? serial : lastSerial_ + 1;
  entry.stream = stream;
}

void LaunchHistory::clear() {
  const Lock lock(flag_);
  count_ = 0;
}

void LaunchHistory::clear(const void* stream) {
  const Lock lock(flag_);
  std::array<Entry, capacity> kept;
  std::size_t count = 0;
  for (std::size_t i = count_ - std::min(count_, capacity); i < count_; ++i)
    if (const Entry& entry = entries_[i % capacity]; entry.stream != stream) kept[count++] = entry;
  entries_ = kept;
  count_ = count;
}

std::size_t LaunchHistory::count() const {
  const Lock lock(flag_);
  return count_;
}

std::string LaunchHistory::describe() const {
  const Lock lock(flag_);
  std::string out;
  if (count_ > capacity) out = std::to_string(count_ - capacity) + " earlier ones";
  for (std::size_t i = count_ - std::min(count_, capacity); i < count_; ++i) {
    const Entry& entry = entries_[i % capacity];
    if (!out.empty()) out += ", ";
    out += std::string(entry.name.data()) + " (launch " + std::to_string(entry.serial) + ')';
  }
  return out;
}

// ---- HeldMemory ----

std::string formatBytes(std::uint64_t bytes) {
  static constexpr const char* units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = double(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  char text[48];
  std::snprintf(text, sizeof text, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
  return text;
}

void HeldMemory::add(std::uint64_t address, std::uint64_t bytes) {
  std::lock_guard lock(mutex_);
  allocations_[address] = bytes;
}

void HeldMemory::remove(std::uint64_t address) {
  std::lock_guard lock(mutex_);
  allocations_.erase(address);
}

std::string HeldMemory::describe() const {
  std::lock_guard lock(mutex_);
  if (allocations_.empty()) return {};
  std::vector<std::uint64_t> sizes;
  std::uint64_t total = 0;
  for (const auto& [address, bytes] : allocations_) {
    sizes.push_back(bytes);
    total += bytes;
  }
  std::sort(sizes.begin(), sizes.end(), std::greater<>());
  constexpr std::size_t most = 4;
  std::string out = "this program holds " + formatBytes(total) + " in " + std::to_string(sizes.size()) +
                    (sizes.size() == 1 ? " allocation" : " allocations");
  if (sizes.size() > 1)
    for (std::size_t i = 0; i < sizes.size() && i < most; ++i)
      out += (i ? ", " : ", the largest of ") + formatBytes(sizes[i]);
  return out;
}

// ---- Device ----

Result<int> Device::count(const DriverApi* driver) {
  RAD_ASSIGN(const DriverApi* api, driverOr(driver));
  int count = 0;
  RAD_TRY(api->call<DriverFn::DeviceGetCount>(&count));
  return count;
}

Result<Device> Device::get(int ordinal, const DriverApi* driver) {
  RAD_ASSIGN(const DriverApi* api, driverOr(driver));
  RAD_ASSIGN(const int count, Device::count(api));
  if (ordinal < 0 || ordinal >= count) {
    Error error = rt::makeCudaError("cuDeviceGet", count == 0 ? CUDA_ERROR_NO_DEVICE : CUDA_ERROR_INVALID_DEVICE);
    error.category = ErrorCategory::System;
    if (count > 0)
      error.message = "device cuda:" + std::to_string(ordinal) + " does not exist; " +
                      (count == 1 ? "the only one is cuda:0" : "they are cuda:0 to cuda:" + std::to_string(count - 1));
    if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES"))
      error.message += std::string("; CUDA_VISIBLE_DEVICES is set to \"") + visible + '"';
    return fail(std::move(error));
  }
  CUdevice device = 0;
  RAD_TRY(api->call<DriverFn::DeviceGet>(&device, ordinal));
  return Device(api, device, ordinal);
}

Result<int> Device::attribute(CUdevice_attribute which) const {
  int value = 0;
  RAD_TRY(driver().call<DriverFn::DeviceGetAttribute>(&value, which, device_));
  return value;
}

int Device::attributeOr(CUdevice_attribute which, int otherwise) const { return attribute(which).value_or(otherwise); }

int Device::computeCapability() const {
  return attributeOr(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 0) * 10 +
         attributeOr(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 0);
}

Result<std::string> Device::name() const {
  char text[256] = {};
  RAD_TRY(driver().call<DriverFn::DeviceGetName>(static_cast<char*>(text), int(sizeof text) - 1, device_));
  return std::string(text);
}

Result<std::size_t> Device::totalMemory() const {
  std::size_t bytes = 0;
  RAD_TRY(driver().call<DriverFn::DeviceTotalMem>(&bytes, device_));
  return bytes;
}

Result<CUuuid> Device::uuid() const {
  CUuuid uuid{};
  RAD_TRY(driver().call<DriverFn::DeviceGetUuid>(&uuid, device_));
  return uuid;
}

Result<std::string> Device::pciBusId() const {
  char text[64] = {};
  RAD_TRY(driver().call<DriverFn::DeviceGetPCIBusId>(static_cast<char*>(text), int(sizeof text) - 1, device_));
  return std::string(text);
}

Result<bool> Device::canAccess(const Device& other) const {
  int can = 0;
  RAD_TRY(driver().call<DriverFn::DeviceCanAccessPeer>(&can, device_, other.device_));
  return can != 0;
}

Result<int> Device::linkAttribute(CUdevice_P2PAttribute which, const Device& other) const {
  int value = 0;
  RAD_TRY(driver().call<DriverFn::DeviceGetP2PAttribute>(&value, which, device_, other.device_));
  return value;
}

Result<Device::PrimaryState> Device::primaryState() const {
  PrimaryState state;
  int active = 0;
  RAD_TRY(driver().call<DriverFn::DevicePrimaryCtxGetState>(device_, &state.flags, &active));
  state.active = active != 0;
  return state;
}

Status Device::setPrimaryFlags(unsigned flags) const {
  RAD_ASSIGN(const PrimaryState state, primaryState());
  if (state.active) {
    if (state.flags == flags) return {};
    return fail(ErrorCategory::Misuse,
                "the primary context of " + id() + " is in use with flags " + std::to_string(state.flags) +
                    ", and other code shares it",
                "Set flags before the context is first opened in the process.");
  }
  return driver().call<DriverFn::DevicePrimaryCtxSetFlags>(device_, flags);
}

// ---- Context ----

std::unexpected<Error> Context::empty() {
  return fail(ErrorCategory::Misuse,
              "an object was used that is empty: it was moved from, or never "
              "made",
              "Use the object that it was moved to.");
}

Context::State::~State() {
  if (!context) return;
  switch (kind) {
    case Kind::Primary:
      device.driver().release<DriverFn::DevicePrimaryCtxRelease>("the context of " + device.id(), device.raw());
      break;
    case Kind::Own: device.driver().release<DriverFn::CtxDestroy>("a context of " + device.id(), context); break;
    case Kind::Borrowed: break;
  }
}

Result<Context> Context::primary(int ordinal, const DriverApi* driver) {
  RAD_ASSIGN(const Device device, Device::get(ordinal, driver));
  return primary(device);
}

Result<Context> Context::primary(const Device& device) {
  Context context;
  context.state_ = std::make_shared<State>(device, Kind::Primary, nullptr);
  CUcontext raw = nullptr;
  RAD_TRY(device.driver().call<DriverFn::DevicePrimaryCtxRetain>(&raw, device.raw()));
  context.state_->context = raw;
  if (!raw) return fail(ErrorCategory::System, "the driver gave no context for " + device.id());
  return context;
}

Result<Context> Context::create(const Device& device, unsigned flags) {
  Context context;
  context.state_ = std::make_shared<State>(device, Kind::Own, nullptr);
  CUcontext raw = nullptr;
  CUctxCreateParams* const none = nullptr;
  RAD_TRY(device.driver().call<DriverFn::CtxCreate>(&raw, none, flags, device.raw()));
  if (!raw) return noHandle("context");
  context.state_->context = raw;
  // Making one also makes it current, which is not what the caller asked for.
  CUcontext popped = nullptr;
  RAD_TRY(device.driver().call<DriverFn::CtxPopCurrent>(&popped));
  return context;
}

Context Context::borrow(const Device& device, CUcontext raw, std::shared_ptr<const void> keepAlive) {
  Context context;
  context.state_ = std::make_shared<State>(device, Kind::Borrowed, std::move(keepAlive));
  context.state_->context = raw;
  return context;
}

Result<Context> Context::current(const DriverApi* driver) {
  RAD_ASSIGN(const DriverApi* api, driverOr(driver));
  CUcontext raw = nullptr;
  RAD_TRY(api->call<DriverFn::CtxGetCurrent>(&raw));
  if (!raw)
    return fail(ErrorCategory::Misuse, "no context is current on this thread", "Open one with Context::primary(0).");
  CUdevice device = 0;
  RAD_TRY(api->call<DriverFn::CtxGetDevice>(&device));
  return borrow(Device(api, device, device), raw);
}

Result<std::uint64_t> Context::id() const {
  if (!state_) return empty();
  unsigned long long id = 0;
  RAD_TRY(call<DriverFn::CtxGetId>(raw(), &id));
  return id;
}

Status Context::synchronize() const {
  RAD_TRY(call<DriverFn::CtxSynchronize>());
  state_->history.clear();
  return {};
}

Result<PriorityRange> Context::priorities() const {
  PriorityRange range;
  RAD_TRY(call<DriverFn::CtxGetStreamPriorityRange>(&range.least, &range.greatest));
  return range;
}

Result<std::size_t> Context::limit(CUlimit which) const {
  std::size_t value = 0;
  RAD_TRY(call<DriverFn::CtxGetLimit>(&value, which));
  return value;
}

Result<std::size_t> Context::setLimit(CUlimit which, std::size_t value) const {
  if (Status set = call<DriverFn::CtxSetLimit>(which, value); !set) {
    Error error = std::move(set).error();
    if (error.code == CUDA_ERROR_INVALID_VALUE && which == CU_LIMIT_PRINTF_FIFO_SIZE) {
      error.message =
          "the room for printf cannot be changed any more: a kernel "
          "that prints has run";
      error.advice = "Set it before the first launch.";
    }
    return fail(std::move(error));
  }
  return limit(which);
}

Status Context::resetPersistingCache() const { return call<DriverFn::CtxResetPersistingL2Cache>(); }

Status Context::enablePeerAccess(const Context& peer) const {
  if (!state_ || !peer.state_) return empty();
  if (device().raw() == peer.device().raw()) return {};
  RAD_ASSIGN(const bool can, device().canAccess(peer.device()));
  if (!can)
    return fail(ErrorCategory::System,
                "kernels on " + device().id() + " cannot reach the memory of " + peer.device().id() +
                    ": the devices are not connected for it",
                "Copy between them instead: copies work without.");
  Status enabled = call<DriverFn::CtxEnablePeerAccess>(peer.raw(), 0u);
  if (!enabled && enabled.error().code == CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED) return {};
  return enabled;
}

Status Context::disablePeerAccess(const Context& peer) const {
  if (!state_ || !peer.state_) return empty();
  Status disabled = call<DriverFn::CtxDisablePeerAccess>(peer.raw());
  if (!disabled && disabled.error().code == CUDA_ERROR_PEER_ACCESS_NOT_ENABLED) return {};
  return disabled;
}

Error Context::explain(Error error) const {
  if (error.category != ErrorCategory::Dead || !state_) return error;
  std::string note;
  if (error.call.starts_with("cu")) note = " (noticed at " + error.call + ')';
  if (std::string suspects = state_->history.describe(); !suspects.empty())
    note += (waitsAfterLaunch() ? "; the kernel was " : "; kernels since the last wait: ") + suspects;
  return driver().explainFatal(std::move(error), note);
}

}  // namespace rad::cuda

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/engine/devices.h"

#include "runtime/host/host_device.h"
#include "runtime/isolated/isolated_device.h"
#if RADDLE_HAVE_CUDA
#include "runtime/cuda/cuda_device.h"
#endif

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

namespace rad::rt {
namespace {

using Described = std::function<void(const DeviceInfo&)>;

Result<std::shared_ptr<Device>> openHost() {
  RAD_ASSIGN(std::shared_ptr<Device> device, HostDevice::create());
  return device;
}

#if RADDLE_HAVE_CUDA
Result<std::shared_ptr<Device>> openCuda(int ordinal, bool isIsolated, const Described& described) {
  RAD_ASSIGN(std::shared_ptr<Device> device, isIsolated
                                                 ? IsolatedDevice::start(fmt::format("cuda:{}", ordinal), described)
                                                 : CudaDevice::create(ordinal, nullptr, described));
  RAD_TRY(targetOf(device->info()));
  return device;
}
#else
Result<std::shared_ptr<Device>> openCuda(int, bool, const Described&) {
  return fail(ErrorCategory::System, "this build of raddle has no CUDA device",
              "It was built without the CUDA headers; rebuild with them, or use --device host.");
}
#endif

}  // namespace

Result<std::shared_ptr<Device>> openDevice(const DeviceChoice& choice, std::string* note, const Described& described) {
  const std::string_view id = choice.id;
  if (id.empty()) {
#if RADDLE_HAVE_CUDA
    auto device = openCuda(0, choice.isIsolated, described);
    if (device) return device;
    // No driver and no GPU are the ordinary reasons to run on the host; anything else is worth a word.
    const auto& error = device.error();
    bool noLibrary = error.code == 0 && !std::getenv("RADDLE_CUDA_DRIVER");  // one that was named should be there
    bool ordinary = noLibrary || error.code == 100;                          // CUDA_ERROR_NO_DEVICE
    if (note && !ordinary) *note = error.render();
#else
    (void)note, (void)described;
#endif
    return openHost();
  }
  if (id == "host") return openHost();
  if (id.starts_with("cuda:")) {
    auto digits = id.substr(5);
    int ordinal = -1;
    auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), ordinal);
    if (status == std::errc() && end == digits.data() + digits.size() && ordinal >= 0)
      return openCuda(ordinal, choice.isIsolated, described);
  }
  return fail(ErrorCategory::System, fmt::format("there is no device `{}`", id),
              "Devices are host, cuda:0, cuda:1, ...; `raddle doctor` lists those of this machine.");
}

Result<ChosenTarget> targetOf(const DeviceInfo& info) {
  if (info.kind == DeviceKind::Host) return ChosenTarget{.target = "host", .note = {}};
  return chooseTarget(static_cast<unsigned>(info.major), static_cast<unsigned>(info.minor));
}

}  // namespace rad::rt

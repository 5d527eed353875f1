// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The process that holds a device for another one.
#pragma once

#include "runtime/base/result.h"
#include "runtime/device/device.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace rad::rt {

/// What this process was started for by IsolatedDevice, if it was: to be asked first thing in main().
struct DeviceServerTask {
  int socket = -1;
  std::string device;          // "cuda:0"
  bool interruptible = false;  // waits end when SIGINT comes
};
/// True if it was; then serveDevice() is all it has to do.
bool readDeviceServerTask(DeviceServerTask& task);

/// Opens the device, and does with it what the other process asks for, until that is gone; the process ends there.
/// `open`: as openDevice of runtime/engine.
using DeviceOpener = std::function<Result<std::shared_ptr<Device>>(
    std::string_view id, const std::function<void(const DeviceInfo&)>& described)>;
[[noreturn]] void serveDevice(const DeviceServerTask& task, const DeviceOpener& open);

}  // namespace rad::rt

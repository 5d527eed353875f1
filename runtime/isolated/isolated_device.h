// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A device in a process of its own: a fault on a GPU ends the use of all GPUs for its process, and here that is not the
// session.
#pragma once

#include "runtime/base/result.h"
#include "runtime/device/device.h"

#include <functional>
#include <memory>
#include <string_view>

namespace rad::rt {

class IsolatedDevice {
 public:
  /// Starts this program again, to open the device and to serve it: main() has to call readDeviceServerTask() first
  /// thing. `described`: as openDevice of runtime/engine. Parameters of launches lie in 8 readable bytes each. After a
  /// fault, or when that process was ended, each call gives the first cause (Dead); a new device can be started then.
  static Result<std::shared_ptr<Device>> start(std::string_view id,
                                               const std::function<void(const DeviceInfo&)>& described = {});
};

}  // namespace rad::rt

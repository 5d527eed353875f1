// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// The device interface over the CUDA Driver API. Needs no CUDA header to use.

#include "runtime/base/result.h"
#include "runtime/device/device.h"

#include <functional>
#include <memory>
#include <vector>

namespace rad::rt {

class DriverApi;

/// A CUDA GPU: its primary context (shared with other libraries in the process),
/// one non-blocking stream, and memory from a pool of its own.
///
/// After a fault on the device every call returns the first error again, and
/// nothing is freed; takeFailure() still works. In a process forked after CUDA
/// had started, every call fails and destructors do nothing.
class CudaDevice {
 public:
  /// Opens device `ordinal`. The driver is the process's, or another one in
  /// tests, which must outlive the device. The context that is current on the
  /// calling thread stays so. `described` is called with what is known of the
  /// device before its context is made, which takes most of the time.
  static Result<std::shared_ptr<Device>> create(int ordinal, const DriverApi* driver = nullptr,
                                                const std::function<void(const DeviceInfo&)>& described = {});

  /// How many devices the driver shows. Fails where CUDA cannot be used.
  static Result<int> count(const DriverApi* driver = nullptr);
};

}  // namespace rad::rt

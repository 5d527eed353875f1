// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A device that is being opened while the program is compiled: the driver takes its time to make a context.
#pragma once

#include "runtime/engine/devices.h"

#include <future>
#include <memory>
#include <string>
#include <thread>

namespace rad::rt {

/// Opens a device, a GPU on a thread of its own. Used by one thread.
class DeviceOpening {
 public:
  /// As openDevice.
  explicit DeviceOpening(DeviceChoice choice);
  /// Waits; a device that nobody took is closed.
  ~DeviceOpening();
  DeviceOpening(const DeviceOpening&) = delete;
  DeviceOpening& operator=(const DeviceOpening&) = delete;

  /// What kernels will be compiled for. Waits until the driver has described the device, not for its context. Empty
  /// where it cannot be opened.
  std::string target();
  bool isDone() const;

  struct Opened {
    std::shared_ptr<Device> device;
    std::string note;         // as openDevice gives it
    double milliseconds = 0;  // that it took
  };
  /// Waits. To be called once.
  Result<Opened> take();

 private:
  void open();
  DeviceChoice choice_;
  std::promise<std::string> described_;
  std::promise<Result<Opened>> opened_;
  std::shared_future<std::string> target_;
  std::future<Result<Opened>> result_;
  std::thread thread_;
};

}  // namespace rad::rt

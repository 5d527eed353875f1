// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The devices of this process by name.
#pragma once

#include "runtime/base/result.h"
#include "runtime/device/device.h"
#include "runtime/toolkit/compat.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace rad::rt {

/// What device, and where.
struct DeviceChoice {
  std::string id;           // "host", "cuda:N", or empty
  bool isIsolated = false;  // a GPU is held by a process of its own (runtime/isolated)
};

/// Opens a device: "host", "cuda:N", or empty for cuda:0 where a GPU can be used and the host otherwise. An unknown
/// name is a System error that lists the forms. `note` gets why a GPU driver that is there was passed over (empty
/// choice only). `described` is called with what is known of a GPU before its context is made, which takes most of the
/// time.
Result<std::shared_ptr<Device>> openDevice(const DeviceChoice& choice, std::string* note = nullptr,
                                           const std::function<void(const DeviceInfo&)>& described = {});

/// What kernels for a device are compiled for: "host", "sm_90". For a GPU that this version does not know: what runs on
/// it, and a note to show. Fails (System) for GPUs that are too old.
Result<ChosenTarget> targetOf(const DeviceInfo& info);

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace rad::rt {

/// CUDA C++ text -> PTX for a virtual architecture ("compute_80", or "sm_80",
/// which means the same here), by NVRTC. A yardstick for our own compiler. Fails
/// (Image) with NVRTC's text in `log`, (System) without NVRTC. Thread-safe.
Result<std::string> compileCuda(std::string_view source, std::string_view arch,
                                std::string_view name = "kernel.cu",
                                const std::vector<std::string> &extra = {});

} // namespace rad::rt

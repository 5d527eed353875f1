// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The rows of targets.def.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rad {

/// A GPU that kernels can be compiled for.
struct Target {
  std::string_view name;  // "sm_90a"
  int major = 0, minor = 0;
  char suffix = 0;        // 0, 'a' or 'f'
  int ptx = 0;            // oldest PTX ISA that knows it: 80 for 8.0
};

std::optional<Target> findTarget(std::string_view name);
/// "sm_75, sm_80, ...": for messages.
std::string targetList();

}  // namespace rad

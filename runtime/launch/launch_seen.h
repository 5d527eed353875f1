// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <string>

namespace rad::rt {

/// A launch that is over, for whoever wants to know where the time goes.
struct LaunchSeen {
  std::string kernel;
  double seconds = 0;  // until it was over
  int64_t points = 0;  // of its domain: points, or blocks
  uint64_t bytes =
      0;  // of the arrays that it reads, and of those that it writes; one that it reads and writes counts twice
};

}  // namespace rad::rt

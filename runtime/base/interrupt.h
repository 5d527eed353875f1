// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// The wish that what runs comes to an end: Ctrl-C in an interactive session.
/// Code that was compiled for this (CodegenOptions::interruptible) looks at it
/// at the back edges of its loops, and waits for devices look at it while they
/// wait.

#include <cstdint>

namespace rad::rt {

class Interrupt {
 public:
  /// May be called from a signal handler.
  static void request();
  static void clear();
  static bool isRequested();
  /// What compiled code reads: not 0 once requested.
  static const std::uint32_t* word();
  /// Whether waits may end early: an interactive session on a terminal.
  static void enable();
  static bool isEnabled();
};

}  // namespace rad::rt

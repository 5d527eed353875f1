// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/base/result.h"

#include <functional>

namespace rad::rt {

/// Runs `job` on the process's one linking thread and waits for it. The thread
/// is started by the first job and lives until the process ends. Fails (Misuse)
/// in a process forked from the one that started it.
Status runOnLinkThread(const std::function<void()>& job);

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Marks for profilers. All of it costs nearly nothing, and does nothing, when no
/// profiler is there.

#include "runtime/driver/context.h"

namespace rad::cuda {

/// Profilers that were told to wait for it record from here to the end of the
/// scope.
class ProfilerRange {
 public:
  explicit ProfilerRange(const Context& context);
  ~ProfilerRange();
  ProfilerRange(const ProfilerRange&) = delete;
  ProfilerRange& operator=(const ProfilerRange&) = delete;

 private:
  Context context_;
};

/// A name for what the thread does in the scope, on the time line of a profiler
/// (NVTX).
class NamedRange {
 public:
  explicit NamedRange(const char* name);
  ~NamedRange();
  NamedRange(const NamedRange&) = delete;
  NamedRange& operator=(const NamedRange&) = delete;
};

}  // namespace rad::cuda

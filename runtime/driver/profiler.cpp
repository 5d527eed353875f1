// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/profiler.h"

// Header-only, and not in every installation of the toolkit.
#if __has_include(<nvtx3/nvToolsExt.h>)
#include <nvtx3/nvToolsExt.h>
#define RAD_HAVE_NVTX 1
#else
#define RAD_HAVE_NVTX 0
#endif

namespace rad::cuda {

ProfilerRange::ProfilerRange(const Context& context) : context_(context) {
  if (!context_ || !context_.driver().has(DriverFn::ProfilerStart)) return;
  Status started = context_.call<DriverFn::ProfilerStart>();
  if (!started && started.error().category != ErrorCategory::Dead)
    rt::warnReleaseFailed("the start of a profiler's range", started.error());
}

ProfilerRange::~ProfilerRange() {
  if (context_ && context_.driver().has(DriverFn::ProfilerStop))
    context_.release<DriverFn::ProfilerStop>("a profiler's range");
}

NamedRange::NamedRange(const char* name) {
#if RAD_HAVE_NVTX
  nvtxRangePushA(name);
#else
  (void)name;
#endif
}

NamedRange::~NamedRange() {
#if RAD_HAVE_NVTX
  nvtxRangePop();
#endif
}

}  // namespace rad::cuda

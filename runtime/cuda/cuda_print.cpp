// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What kernels print: lines in mapped memory that the host reads without a copy,
// also after a fault; their counters in device memory, where claiming is cheap.
#include "runtime/cuda/cuda_context.h"

#include "runtime/base/warning_sink.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace rad::rt {

Status CudaState::preparePrinting() {
  std::lock_guard lock(printMutex_);
  if (mayPrint_)
    return {};
  ContextGuard guard(driver_, context_.raw());
  RAD_TRY(guard.status());
  constexpr std::size_t bytes = cg::printCapacity * sizeof(std::uint64_t);
  if (!printed_) {
    void *memory = nullptr;
    RAD_TRY(driver_.call<DriverFn::MemHostAlloc>(
        &memory, bytes,
        static_cast<unsigned>(CU_MEMHOSTALLOC_PORTABLE |
                              CU_MEMHOSTALLOC_DEVICEMAP)));
    if (!memory)
      return fail(ErrorCategory::Misuse, "the driver gave no pinned memory");
    std::memset(memory, 0, bytes);
    printed_ = static_cast<std::uint64_t *>(memory);
  }
  CUdeviceptr lines = 0;
  RAD_TRY(driver_.call<DriverFn::MemHostGetDevicePointer>(
      &lines, static_cast<void *>(printed_), 0u));
  if (!printState_)
    RAD_TRY(driver_.call<DriverFn::MemAlloc>(&printState_,
                                             sizeof(cg::PrintState)));
  if (!lines || !printState_)
    return fail(ErrorCategory::Misuse, "the driver gave no device memory");
  cg::PrintState initial{0, 0, cg::printCapacity, nullptr};
  static_assert(sizeof initial.lines == sizeof lines);
  std::memcpy(&initial.lines, &lines, sizeof lines);
  RAD_TRY(driver_.call<DriverFn::MemcpyHtoDAsync>(
      printState_, static_cast<const void *>(&initial), sizeof initial,
      stream_.raw()));
  RAD_TRY(driver_.call<DriverFn::MemcpyHtoDAsync>(
      failureState_ + offsetof(cg::FailureState, print),
      static_cast<const void *>(&printState_), sizeof printState_, stream_.raw()));
  RAD_TRY(waitForCopy());
  mayPrint_ = true;
  return {};
}

PrintedLines CudaState::takePrinted() {
  std::lock_guard lock(printMutex_);
  PrintedLines taken;
  // The first line starts at the first word, and none starts with a zero.
  if (!mayPrint_ || driver_.forked() || printed_[0] == 0)
    return taken;
  std::size_t end = 0;
  while (end < cg::printCapacity) {
    const auto words = static_cast<std::uint32_t>(printed_[end]);
    if (words == 0 || words > cg::printCapacity - end)
      break;
    end += words;
  }
  taken.words.assign(printed_, printed_ + end);
  std::fill(printed_, printed_ + end, 0);
  if (driver_.dead())
    return taken;
  ContextGuard guard(driver_, context_.raw());
  cg::PrintState state{};
  Status done = guard.status();
  if (done)
    done = driver_.call<DriverFn::MemcpyDtoHAsync>(
        static_cast<void *>(&state), printState_, sizeof state, stream_.raw());
  if (done)
    done = waitForCopy();
  static_assert(offsetof(cg::PrintState, used) == 0 &&
                offsetof(cg::PrintState, lost) == 8);
  if (done)
    done = driver_.call<DriverFn::MemsetD32Async>(printState_, 0u,
                                                  std::size_t(4), stream_.raw());
  taken.lost = state.lost;
  if (!done && !driver_.dead())
    warnReleaseFailed("what kernels printed", done.error());
  return taken;
}

} // namespace rad::rt

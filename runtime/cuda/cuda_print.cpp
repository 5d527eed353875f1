// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What kernels print: lines in mapped memory that the host reads without a copy,
// also after a fault; their counters in device memory, where claiming is cheap.
#include "runtime/cuda/cuda_context.h"

#include "runtime/base/warning_sink.h"
#include "runtime/driver/copy.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace rad::rt {

Status CudaState::preparePrinting() {
  std::lock_guard lock(printMutex_);
  if (mayPrint_) return {};
  constexpr std::size_t bytes = cg::printCapacity * sizeof(std::uint64_t);
  if (!printed_) {
    RAD_ASSIGN(printedMemory_, cuda::PinnedMemory::allocate(context_, bytes));
    std::memset(printedMemory_.data().data(), 0, bytes);
    printed_ = printedMemory_.as<std::uint64_t>().data();
  }
  RAD_ASSIGN(const CUdeviceptr lines, printedMemory_.deviceAddress());
  if (!printState_) {
    RAD_ASSIGN(printState_, cuda::Memory::allocate(context_, sizeof(cg::PrintState)));
  }
  cg::PrintState initial{0, 0, cg::printCapacity, nullptr};
  static_assert(sizeof initial.lines == sizeof lines);
  std::memcpy(&initial.lines, &lines, sizeof lines);
  RAD_TRY(cuda::copyToDevice(stream_, printState_.address(), std::as_bytes(std::span(&initial, 1))));
  const CUdeviceptr state = printState_.address();
  RAD_TRY(cuda::copyToDevice(stream_, failureState_.address() + offsetof(cg::FailureState, print),
                             std::as_bytes(std::span(&state, 1))));
  RAD_TRY(waitForCopy());
  mayPrint_ = true;
  return {};
}

PrintedLines CudaState::takePrinted() {
  std::lock_guard lock(printMutex_);
  PrintedLines taken;
  // The first line starts at the first word, and none starts with a zero.
  if (!mayPrint_ || forked() || printed_[0] == 0) return taken;
  std::size_t end = 0;
  while (end < cg::printCapacity) {
    const auto words = static_cast<std::uint32_t>(printed_[end]);
    if (words == 0 || words > cg::printCapacity - end) break;
    end += words;
  }
  taken.words.assign(printed_, printed_ + end);
  std::fill(printed_, printed_ + end, 0);
  if (dead()) return taken;
  cg::PrintState state{};
  Status done = cuda::copyToHost(stream_, std::as_writable_bytes(std::span(&state, 1)), printState_.address());
  if (done) done = waitForCopy();
  static_assert(offsetof(cg::PrintState, used) == 0 && offsetof(cg::PrintState, lost) == 8);
  if (done) done = cuda::fill(stream_, printState_.address(), std::uint32_t(0), 4);
  taken.lost = state.lost;
  if (!done && !dead()) warnReleaseFailed("what kernels printed", done.error());
  return taken;
}

}  // namespace rad::rt

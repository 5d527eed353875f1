// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/engine/stage_times.h"

#include <fmt/format.h>

namespace rad::rt {
namespace {
const auto processStart = std::chrono::steady_clock::now();  // when constants are initialised: as good as it
}  // namespace

std::string_view nameOf(Stage stage) {
  switch (stage) {
    case Stage::Parse: return "parse";
    case Stage::Check: return "check";
    case Stage::Lower: return "lower";
    case Stage::Optimize: return "optimize";
    case Stage::EmitPtx: return "emit-ptx";
    case Stage::Assemble: return "assemble";
    case Stage::Link: return "link";
    case Stage::Load: return "load";
    case Stage::HostJit: return "host-jit";
    case Stage::Run: return "run";
  }
  return "";
}

void StageTimes::add(Stage stage, double milliseconds) {
  milliseconds_[static_cast<size_t>(stage)] += milliseconds;
  ++counts_[static_cast<size_t>(stage)];
}

double StageTimes::total() const {
  double sum = 0;
  for (double value : milliseconds_) sum += value;
  return sum;
}

void StageTimes::clear() { *this = {}; }

void StageTimes::setFirstResult(std::chrono::steady_clock::time_point when) {
  firstResult_ = std::chrono::duration<double, std::milli>(when - processStart).count();
}

std::string StageTimes::text() const {
  std::string result;
  for (size_t i = 0; i < stageCount; ++i)
    if (counts_[i])
      result += fmt::format("{:<10} {:9.3f} ms  {}x\n", nameOf(static_cast<Stage>(i)), milliseconds_[i], counts_[i]);
  result += fmt::format("{:<10} {:9.3f} ms\n", "total", total());
  if (lateVariants_ > 0)
    result += fmt::format("{:<10} {:9} variant{} of kernels compiled by launches, beside those that --prepare made\n",
                          "late", lateVariants_, lateVariants_ == 1 ? "" : "s");
  if (device_ > 0)
    result += fmt::format("{:<10} {:9.3f} ms  opened beside the stages; {:.3f} ms of it waited for\n", "device",
                          device_, waited_);
  if (firstResult_) result += fmt::format("{:<10} {:9.3f} ms  from the start of the process", "result", *firstResult_);
  if (firstResult_ && device_ > 0)
    result += fmt::format("; {:.3f} ms more than the device took", *firstResult_ - device_);
  if (firstResult_) result += '\n';
  return result;
}

std::string StageTimes::json() const {
  std::string result = "{";
  for (size_t i = 0; i < stageCount; ++i)
    if (counts_[i]) result += fmt::format("\"{}\": {:.4f}, ", nameOf(static_cast<Stage>(i)), milliseconds_[i]);
  if (device_ > 0) result += fmt::format("\"device\": {:.4f}, \"device-wait\": {:.4f}, ", device_, waited_);
  if (lateVariants_ > 0) result += fmt::format("\"late-variants\": {}, ", lateVariants_);
  if (firstResult_) result += fmt::format("\"first-result\": {:.4f}, ", *firstResult_);
  return result + fmt::format("\"total\": {:.4f}}}", total());
}

}  // namespace rad::rt

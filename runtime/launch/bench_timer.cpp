// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/launch/bench_timer.h"

#include <algorithm>

namespace rad::rt {

bool BenchTimer::start(uint64_t batch, Clock::time_point now) {
  batch_ = left_ = batch;
  ++runs_;
  batchBegin_ = now;
  return true;
}

bool BenchTimer::again(Clock::time_point now) {
  if (left_ > 1) {
    --left_;
    ++runs_;
    return true;
  }
  const double perRun = Seconds(now - batchBegin_).count() / static_cast<double>(batch_);
  switch (phase_) {
    case Phase::Before: phase_ = Phase::First; return start(1, now);
    case Phase::First:
      phase_ = Phase::WarmUp;
      phaseBegin_ = now;
      return start(1, now);
    case Phase::WarmUp: {
      if (now - phaseBegin_ < plan_.warmUp) return start(std::min<uint64_t>(batch_ * 2, 1 << 20), now);
      phase_ = Phase::Measure;
      phaseBegin_ = now;
      const double runs = plan_.sample.count() / std::max(perRun, 1e-9);
      return start(static_cast<uint64_t>(std::clamp(runs, 1.0, 1048576.0)), now);
    }
    case Phase::Measure:
      samples_.push_back(perRun);
      if (samples_.size() >= plan_.most) return false;
      if (now - phaseBegin_ >= plan_.budget && samples_.size() >= plan_.fewest) return false;
      return start(batch_, now);
  }
  return false;
}

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How often a bench runs what it measures, and what that took.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace rad::rt {

/// Decides before each run whether there is one more. The first run compiles and is not counted; then it warms up,
/// finds how many runs make a sample that is long beside a clock and a wait, and takes samples until the time is spent.
class BenchTimer {
 public:
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;
  struct Plan {
    Seconds warmUp{0.1}, budget{1.0}, sample{0.002};
    size_t fewest = 5, most = 1000;  // samples
  };
  explicit BenchTimer(Plan plan) : plan_(plan) {}

  /// True if the next question needs all launches to be over: the caller then waits before it asks.
  bool needsWait() const { return left_ <= 1; }
  /// Whether to run once more. `now` is the time, after waiting if needsWait().
  bool again(Clock::time_point now);
  /// Seconds of one run, a sample each.
  const std::vector<double>& samples() const { return samples_; }
  /// Runs so far, with those that were not measured.
  uint64_t runs() const { return runs_; }
  /// What one run reads and writes, as the program says; 0: it does not say.
  void setBytes(int64_t bytes) { bytes_ = bytes; }
  int64_t bytes() const { return bytes_; }
  /// Runs in a sample.
  uint64_t runsPerSample() const { return batch_; }

 private:
  enum class Phase : uint8_t { Before, First, WarmUp, Measure };
  bool start(uint64_t batch, Clock::time_point now);

  Plan plan_;
  Phase phase_ = Phase::Before;
  Clock::time_point phaseBegin_, batchBegin_;
  uint64_t batch_ = 1, left_ = 0, runs_ = 0;
  int64_t bytes_ = 0;
  std::vector<double> samples_;
};

}  // namespace rad::rt

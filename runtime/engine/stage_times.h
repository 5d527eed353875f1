// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How long each stage took: what `--time` prints.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rad::rt {

enum class Stage : uint8_t { Parse, Check, Lower, Optimize, EmitPtx, Assemble, Link, Load, HostJit, Run };
inline constexpr size_t stageCount = 10;

/// The stage's name in reports: "parse", "emit-ptx".
std::string_view nameOf(Stage stage);

/// Milliseconds spent in each stage, and how often it ran. One thread at a time.
class StageTimes {
 public:
  void add(Stage stage, double milliseconds);
  double of(Stage stage) const { return milliseconds_[static_cast<size_t>(stage)]; }
  unsigned countOf(Stage stage) const { return counts_[static_cast<size_t>(stage)]; }
  double total() const;
  void clear();
  /// A GPU took so many milliseconds to open, beside the stages, and this thread waited so long for it.
  void setDevice(double milliseconds, double waited) { device_ = milliseconds, waited_ = waited; }
  /// A launch compiled a variant of a kernel that was not among those made ahead (--prepare).
  void addLateVariant() { ++lateVariants_; }
  /// When the first wait for launches was over.
  void setFirstResult(std::chrono::steady_clock::time_point when);
  /// A table for people, a line a stage that ran.
  std::string text() const;
  /// One JSON object: {"parse": 0.12, ..., "total": 8.1} in milliseconds; "device" and "device-wait", "first-result"
  /// since the start of the process; "late-variants" counts.
  std::string json() const;

 private:
  std::array<double, stageCount> milliseconds_{};
  std::array<unsigned, stageCount> counts_{};
  unsigned lateVariants_ = 0;
  double device_ = 0, waited_ = 0;     // not part of the total: other stages run meanwhile
  std::optional<double> firstResult_;  // since the start of the process
};

/// Adds the time between its construction and its end to a stage. A nested timer's time counts for both.
class StageTimer {
 public:
  StageTimer(StageTimes* times, Stage stage) : times_(times), stage_(stage), start_(std::chrono::steady_clock::now()) {}
  ~StageTimer() {
    if (times_)
      times_->add(stage_, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count());
  }
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

 private:
  StageTimes* times_;
  Stage stage_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace rad::rt

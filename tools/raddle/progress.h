// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A line on the terminal that says what takes so long.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace rad::tool {

/// Shows what goes on once it takes longer than half a second, with the time, on standard error if that is a terminal;
/// nothing anywhere else. The line goes before anything else is printed: say so by done().
class Progress {
 public:
  /// `enabled`: false where the user asked for quiet.
  explicit Progress(bool enabled);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Something began: "compiling kernel `gemm`".
  void begin(std::string what);
  void done();

 private:
  void serve(std::stop_token stop);
  bool enabled_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string what_;
  std::chrono::steady_clock::time_point start_;
  bool isShown_ = false;
  std::jthread thread_;  // starts with the first begin()
};

/// What an engine tells of its work.
inline auto progressOf(Progress& progress) {
  return [&progress](std::string_view what) { what.empty() ? progress.done() : progress.begin(std::string(what)); };
}

}  // namespace rad::tool

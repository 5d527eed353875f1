// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/raddle/progress.h"

#include "tools/raddle/line_editor.h"

#include <fmt/format.h>

#include <unistd.h>
#include <cstdio>

namespace rad::tool {

namespace {
constexpr auto patience = std::chrono::milliseconds(500), refresh = std::chrono::milliseconds(200);
}

Progress::Progress(bool enabled) : enabled_(enabled && ::isatty(STDERR_FILENO)) {}

Progress::~Progress() { done(); }

void Progress::begin(std::string what) {
  if (!enabled_) return;
  std::lock_guard lock(mutex_);
  what_ = std::move(what);
  start_ = std::chrono::steady_clock::now();
  if (!thread_.joinable()) thread_ = std::jthread([this](std::stop_token stop) { serve(std::move(stop)); });
  changed_.notify_all();
}

void Progress::done() {
  if (!enabled_) return;
  std::lock_guard lock(mutex_);
  what_.clear();
  if (isShown_) fmt::print(stderr, "\r\033[K");
  isShown_ = false;
}

void Progress::serve(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (what_.empty()) {
      changed_.wait(lock, stop, [&] { return !what_.empty(); });
      continue;
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - start_ >= patience) {
      std::string line = fmt::format("{} ({:.0f} s)", what_, std::chrono::duration<double>(now - start_).count());
      line = line.substr(0, terminalColumns() - 1);
      fmt::print(stderr, "\r\033[K{}", line);
      isShown_ = true;
    }
    changed_.wait_for(lock, stop, isShown_ ? refresh : patience, [&] { return stop.stop_requested(); });
  }
}

}  // namespace rad::tool

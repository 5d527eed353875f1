// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/base/warning_sink.h"

#include <cstdio>
#include <mutex>
#include <utility>

namespace rad::rt {
namespace {

struct SinkState {
  std::mutex mutex;
  WarningSink sink;
};

/// Made on first use and never destroyed: destructors that run late may warn.
SinkState& state() {
  static SinkState* const instance = new SinkState;
  return *instance;
}

}  // namespace

WarningSink setWarningSink(WarningSink sink) {
  SinkState& s = state();
  std::lock_guard lock(s.mutex);
  return std::exchange(s.sink, std::move(sink));
}

void warn(std::string_view text) noexcept {
  try {
    SinkState& s = state();
    std::lock_guard lock(s.mutex);
    if (s.sink) s.sink(text);
    else std::fprintf(stderr, "raddle: warning: %.*s\n", static_cast<int>(text.size()), text.data());
  } catch (...) {
    // Out of memory or a broken sink: a warning is not worth more than this.
  }
}

void warnReleaseFailed(std::string_view what, const Error& error) noexcept {
  try {
    warn("could not release " + std::string(what) + ": " + error.render());
  } catch (...) {
  }
}

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// What all owners of driver handles have in common.

#include "runtime/driver/context.h"

#include <memory>
#include <utility>

namespace rad::cuda {

/// The base of every owner: move-only, one for each handle. The handle is
/// released when the owner is gone and nothing that was made from it is left: a
/// buffer keeps its pool, a kernel its library, everything its context. A
/// release never throws; what goes wrong there is told to the warning sink.
///
/// A borrowed handle is never released. An owner that was moved from is empty:
/// raw() is null, and using it is an error (Misuse), never a crash.
///
/// Thread-safe to read; moving and destroying an object is for one thread, as
/// with any C++ object.
template <class Raw, void (*release)(const Context&, Raw) noexcept>
class Handle {
 public:
  Handle() = default;
  Handle(Handle&&) noexcept = default;
  Handle& operator=(Handle&&) noexcept = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  /// The driver's handle, for calls that are not wrapped. Stays owned.
  Raw raw() const { return state_ ? state_->raw : Raw{}; }

  /// False after a move.
  explicit operator bool() const { return state_ != nullptr; }

  /// Whether the handle is released at the end, rather than borrowed.
  bool owned() const { return state_ && state_->owned; }

  /// The context that the handle lives in; empty after a move.
  const Context& context() const {
    static const Context none;
    return state_ ? state_->context : none;
  }

  /// Keeps the handle alive as long as the result is there.
  std::shared_ptr<const void> keepAlive() const { return state_; }

 protected:
  struct State {
    State(Context c, Raw r, bool o, std::shared_ptr<const void> d)
        : dependsOn(std::move(d)), context(std::move(c)), raw(r), owned(o) {}
    ~State() {
      if (owned) release(context, raw);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    std::shared_ptr<const void> dependsOn;  ///< released after the handle
    Context context;
    Raw raw;
    bool owned;
  };

  Handle(Context context, Raw raw, bool owned, std::shared_ptr<const void> dependsOn = {})
      : state_(std::make_shared<State>(std::move(context), raw, owned, std::move(dependsOn))) {}

 private:
  std::shared_ptr<State> state_;
};

/// The failure of a driver that reports success and gives no handle.
std::unexpected<Error> noHandle(const char* what);

}  // namespace rad::cuda

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Where failures go that nobody can return: a destructor whose release failed,
/// a fallback that was taken. The sink prints to standard error by default;
/// embedders and tests install their own.

#include "runtime/base/result.h"

#include <functional>
#include <string>
#include <string_view>

namespace rad::rt {

/// Receives one warning, without a newline at its end. May be called from any
/// thread, one call at a time; must not throw and must not call warn().
using WarningSink = std::function<void(std::string_view text)>;

/// Installs `sink` and returns the one it replaces; an empty function restores
/// printing to standard error ("raddle: warning: TEXT"). Thread-safe.
WarningSink setWarningSink(WarningSink sink);

/// Sends one warning to the sink. Never throws. Thread-safe.
void warn(std::string_view text) noexcept;

/// Reports a release that failed: "could not release WHAT: ERROR". For
/// destructors. Never throws. Thread-safe.
void warnReleaseFailed(std::string_view what, const Error& error) noexcept;

}  // namespace rad::rt

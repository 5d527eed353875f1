// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Failures of a running program as text: the same form as the compiler's diagnostics.
#pragma once

#include "codegen/artifact/artifact.h"
#include "runtime/base/result.h"
#include "runtime/device/device.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rad::rt {

/// A failure of a running program, ready to print.
struct RunError {
  ErrorCategory category = ErrorCategory::UserProgram;
  std::string
      text;  // some lines, with a newline at the end; begins with "file:line:col: error: " where a place is known
  int exitStatus() const { return exitStatusOf(category); }
};

/// The parts of a message.
struct MessageParts {
  std::string headline;
  std::vector<std::string> notes;
  std::string help;                                                   // empty: none
  std::string_view code = {};                                         // that `raddle explain` knows; empty: none
  std::vector<std::pair<cg::SiteManifest, std::string>> places = {};  // further places, each with what it is
};
/// The code of a failure of this kind: each has a row in the table of messages. Empty: it has no page.
std::string_view codeOf(cg::SiteManifest::Kind kind);
/// The codes of what --check finds.
inline constexpr std::string_view dataRaceCode = "R0840", uninitialisedReadCode = "R0841";
/// The code of launches that are refused for what their arguments are.
inline constexpr std::string_view refusedLaunchCode = "R0608";
/// The code of kernels that cannot be made when they are launched.
inline constexpr std::string_view unmadeKernelCode = "R0610";
/// "file:line:col: error[R0601]: headline", the source line with a caret range, notes, help. Without a site (null):
/// "error: headline".
std::string renderMessage(const cg::SiteManifest* site, const MessageParts& parts);

/// What a failure record says. `kernel` and `launchSite` may be null where they are unknown; `compounds`: those of the
/// unit.
MessageParts describeFailure(const cg::FailureRecord& record, const cg::SiteManifest& site,
                             const cg::KernelManifest* kernel, const cg::SiteManifest* launchSite, DeviceKind device,
                             std::span<const cg::CompoundManifest> compounds = {});
/// What --check found. `kernel` and `launchSite` may be null.
MessageParts describeFinding(const AccessFinding& finding, const cg::KernelManifest* kernel,
                             const cg::SiteManifest* launchSite);
/// What a failed check of host code says (rad_check_failed).
MessageParts describeHostCheck(const cg::SiteManifest& site, int64_t value, int64_t extent);
/// An index of host code out of its dimension.
MessageParts describeIndex(const cg::SiteManifest* site, int64_t value, int64_t extent, unsigned dimension,
                           unsigned rank);

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// What runs where, and what reads what: the rules of GPUs, PTX versions,
/// drivers and tools, asked before a library or the driver is called. Pure
/// functions. The families are those that CUDA 13.0 documents; none is guessed.

#include "runtime/base/result.h"

#include <compare>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rad::rt {

/// The name of a GPU that code is made for: "sm_90", "sm_90a", "sm_100f".
struct GpuTarget {
  unsigned sm = 0;  ///< 90: compute capability 9.0
  char suffix = 0;  ///< 0: also for later ones; 'f': its family; 'a': it alone

  std::string name() const;
  /// 9 for sm_90, 12 for sm_121.
  unsigned major() const { return sm / 10; }
  friend bool operator==(const GpuTarget&, const GpuTarget&) = default;
};

/// A release: of PTX (9.0), of a tool or driver (13.0).
struct Release {
  unsigned major = 0, minor = 0;
  std::string text() const;
  friend auto operator<=>(const Release&, const Release&) = default;
};

/// Reads "sm_90a". Fails (Misuse) on other texts, and on what CUDA 13 dropped.
Result<GpuTarget> readTarget(std::string_view text);

/// Whether a cubin for `code` runs on a GPU of compute capability `sm`.
bool cubinRunsOn(GpuTarget code, unsigned sm);

/// Whether PTX with this .target can become code for `target`.
bool ptxBecomes(GpuTarget ptx, GpuTarget target);

/// Whether nvJitLink takes a cubin for `code` into a link for `target`. Only
/// what was seen to work with its 13.0.
bool cubinLinksInto(GpuTarget code, GpuTarget target);

/// The .version of PTX text; nothing when it has none.
std::optional<Release> versionOfPtx(std::string_view ptx);

/// The .target of PTX text; nothing when it has none that is known.
std::optional<GpuTarget> targetOfPtx(std::string_view ptx);

/// The newest PTX that the compiler in a driver reads, by the driver's CUDA
/// version (13000); nothing for drivers newer than the table.
std::optional<Release> ptxOfDriver(int driverVersion);

/// What is going to run the code.
struct Runner {
  std::string device;     ///< "cuda:0", for messages
  unsigned sm = 0;        ///< its compute capability, 90
  int driverVersion = 0;  ///< 13000
};

/// Checks that a cubin for `code` runs there; the failure (Image) names both
/// GPUs and what to do. `name` is for messages.
Status checkCubinRuns(const std::string& name, GpuTarget code, const Runner& runner);

/// Checks that the driver can compile this PTX and run it there: its version
/// against the driver, its target against the GPU. Minor-version compatibility
/// does not cover this: PTX of a newer toolkit needs a newer driver, its cubins
/// do not.
Status checkPtxRuns(const std::string& name, std::string_view ptx, const Runner& runner);

/// What to compile for a GPU.
struct ChosenTarget {
  std::string target;  ///< "sm_90"
  /// The GPU is of a later generation than this version knows: no cubin of ours
  /// runs there, but the driver compiles PTX for it.
  bool throughDriver = false;
  std::string note;  ///< what to tell the user; "" for a GPU that is known
};

/// The target for a GPU. One that is not known gets the nearest that runs on
/// it: an earlier member of its generation, else PTX of the newest known.
/// Fails (System) for GPUs that CUDA 13 dropped.
Result<ChosenTarget> chooseTarget(unsigned major, unsigned minor);

/// An option of a library that callers may not pass, and why.
struct RefusedOption {
  std::string_view name;  ///< without dashes
  std::string_view why;
};

/// Refuses (Misuse) options of that list among `extra`, whatever their dashes
/// and values. `library` is for the message.
Status refuseOptions(std::span<const std::string> extra, std::span<const RefusedOption> refused,
                     std::string_view library);

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a program can be compiled for. The only place that compares versions of GPUs and of PTX.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rad {

/// Plain: code for it runs on it and on everything later. Family: on later members of the same family. Exact: on it
/// alone.
enum class TargetKind : uint8_t { Plain, Family, Exact };

/// A row of targets.def, or the host.
struct Target {
  std::string_view name;  // "sm_90a", "host"
  bool isHost = false;
  unsigned major = 0, minor = 0;  // compute capability
  TargetKind kind = TargetKind::Plain;
  unsigned ptxMajor = 0, ptxMinor = 0;  // the oldest PTX ISA that has it

  /// 90 for sm_90 and sm_90a.
  unsigned capability() const { return major * 10 + minor; }
  /// At least this compute capability: what `target.sm >= 90` asks.
  bool atLeast(unsigned capability) const { return !isHost && this->capability() >= capability; }
  /// As LLVM's PTX feature: "ptx80".
  std::string ptxFeature() const;
};

/// The target that `--arch` calls `name`: a row of the table or "host"; nothing for other names.
std::optional<Target> findTarget(std::string_view name);
/// All GPU targets, oldest first.
std::span<const Target> gpuTargets();
/// The names of the GPU targets, for messages: "sm_75, sm_80, ...".
std::string targetList();
/// Whether code compiled for `code` runs on a GPU with the compute capability of `device`.
bool runsOn(const Target& code, const Target& device);

}  // namespace rad

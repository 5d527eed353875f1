// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/target/target.h"

namespace rad {
namespace {

constexpr Target targets[] = {
#define TARGET(name, major, minor, kind, ptxMajor, ptxMinor) \
  {name, false, major, minor, TargetKind::kind, ptxMajor, ptxMinor},
#include "frontend/target/targets.def"
};
constexpr Target host{"host", true, 0, 0, TargetKind::Plain, 0, 0};

}  // namespace

std::string Target::ptxFeature() const { return "ptx" + std::to_string(ptxMajor * 10 + ptxMinor); }

std::optional<Target> findTarget(std::string_view name) {
  if (name == host.name) return host;
  for (const Target& target : targets)
    if (target.name == name) return target;
  return std::nullopt;
}

std::span<const Target> gpuTargets() { return targets; }

std::string targetList() {
  std::string names;
  for (const Target& target : targets) names += (names.empty() ? "" : ", ") + std::string(target.name);
  return names;
}

bool runsOn(const Target& code, const Target& device) {
  if (code.isHost || device.isHost) return code.isHost == device.isHost;
  switch (code.kind) {
    case TargetKind::Plain: return device.capability() >= code.capability();
    case TargetKind::Family: return device.major == code.major && device.minor >= code.minor;
    case TargetKind::Exact: return device.capability() == code.capability();
  }
  return false;
}

}  // namespace rad

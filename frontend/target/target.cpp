// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/target/target.h"

namespace rad {
namespace {

constexpr Target targets[] = {
#define TARGET(name, major, minor, suffix, ptx) {name, major, minor, suffix, ptx},
#include "frontend/target/targets.def"
};

}  // namespace

std::optional<Target> findTarget(std::string_view name) {
  for (const auto& target : targets)
    if (target.name == name) return target;
  return std::nullopt;
}

std::string targetList() {
  std::string list;
  for (const auto& target : targets) {
    if (!list.empty()) list += ", ";
    list += target.name;
  }
  return list;
}

}  // namespace rad

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/builtins/builtins.h"

#include <iterator>

namespace rad {
namespace {

using enum MathOperands;
constexpr MathInfo mathRows[] = {
#define MATH(Name, text, arity, operands, llvm, libdevice, libm, doc) \
  {#text, arity, operands, llvm, libdevice, libm, doc},
#include "frontend/builtins/builtins.def"
};
constexpr AtomicInfo atomicRows[] = {
#define ATOMIC(Name, text, operands, floats, doc) {#text, operands, floats != 0, doc},
#include "frontend/builtins/builtins.def"
};
constexpr std::string_view hostNames[] = {
#define HOST(Name, text, doc) #text,
#include "frontend/builtins/builtins.def"
};
constexpr std::string_view blockNames[] = {
#define BLOCK(Name, text, doc) #text,
#include "frontend/builtins/builtins.def"
};

constexpr DevicePropertyInfo deviceRows[] = {
#define DEVICE(Name, text, isText, doc) {#text, isText != 0, doc},
#include "frontend/builtins/builtins.def"
};
constexpr std::string_view deviceNames[] = {
#define DEVICE(Name, text, isText, doc) #text,
#include "frontend/builtins/builtins.def"
};

template <class Enum>
std::optional<Enum> find(std::span<const std::string_view> names, std::string_view name) {
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<Enum>(i);
  return std::nullopt;
}

}  // namespace

const MathInfo& infoOf(Math op) { return mathRows[static_cast<size_t>(op)]; }

std::optional<Math> findMath(std::string_view name) {
  for (size_t i = 0; i < std::size(mathRows); ++i)
    if (mathRows[i].name == name) return static_cast<Math>(i);
  return std::nullopt;
}

std::span<const MathInfo> mathTable() { return mathRows; }
const AtomicInfo& infoOf(Atomic op) { return atomicRows[static_cast<size_t>(op)]; }
std::span<const AtomicInfo> atomicTable() { return atomicRows; }
std::optional<Atomic> findAtomic(std::string_view name) {
  for (size_t i = 0; i < std::size(atomicRows); ++i)
    if (atomicRows[i].name == name) return static_cast<Atomic>(i);
  return std::nullopt;
}
const DevicePropertyInfo& infoOf(DeviceProperty property) { return deviceRows[static_cast<size_t>(property)]; }
std::optional<DeviceProperty> findDeviceProperty(std::string_view name) {
  return find<DeviceProperty>(deviceNames, name);
}
std::span<const std::string_view> devicePropertyNames() { return deviceNames; }
std::optional<HostBuiltin> findHostBuiltin(std::string_view name) { return find<HostBuiltin>(hostNames, name); }
std::optional<BlockBuiltin> findBlockBuiltin(std::string_view name) { return find<BlockBuiltin>(blockNames, name); }
std::string_view spelling(HostBuiltin builtin) { return hostNames[static_cast<size_t>(builtin)]; }
std::string_view spelling(BlockBuiltin builtin) { return blockNames[static_cast<size_t>(builtin)]; }
std::span<const std::string_view> hostBuiltinNames() { return hostNames; }
std::span<const std::string_view> blockBuiltinNames() { return blockNames; }

}  // namespace rad

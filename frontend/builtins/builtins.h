// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The enumerations and rows of builtins.def.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace rad {

enum class Math : uint8_t {
#define MATH(Name, text, arity, operands, llvm, libdevice, libm, doc) Name,
#include "frontend/builtins/builtins.def"
};
enum class HostBuiltin : uint8_t {
#define HOST(Name, text, doc) Name,
#include "frontend/builtins/builtins.def"
};
enum class BlockBuiltin : uint8_t {
#define BLOCK(Name, text, doc) Name,
#include "frontend/builtins/builtins.def"
};

enum class Atomic : uint8_t {
#define ATOMIC(Name, text, operands, floats, doc) Name,
#include "frontend/builtins/builtins.def"
};
enum class DeviceProperty : uint8_t {
#define DEVICE(Name, text, isText, doc) Name,
#include "frontend/builtins/builtins.def"
};

enum class MathOperands : uint8_t { F, I, N };

/// One MATH row.
struct MathInfo {
  std::string_view name;
  unsigned arity;
  MathOperands operands;
  std::string_view llvm, libdevice, libm, doc;
};
const MathInfo& infoOf(Math op);
/// All rows, in the order of Math.
std::span<const MathInfo> mathTable();
std::optional<Math> findMath(std::string_view name);
/// One ATOMIC row.
struct AtomicInfo {
  std::string_view name;
  unsigned operands;
  bool onFloats;
  std::string_view doc;
};
const AtomicInfo& infoOf(Atomic op);
/// All rows, in the order of Atomic.
std::span<const AtomicInfo> atomicTable();
std::optional<Atomic> findAtomic(std::string_view name);
/// One DEVICE row.
struct DevicePropertyInfo {
  std::string_view name;
  bool isText;
  std::string_view doc;
};
const DevicePropertyInfo& infoOf(DeviceProperty property);
std::optional<DeviceProperty> findDeviceProperty(std::string_view name);
/// All names, in the order of DeviceProperty.
std::span<const std::string_view> devicePropertyNames();
std::optional<HostBuiltin> findHostBuiltin(std::string_view name);
std::optional<BlockBuiltin> findBlockBuiltin(std::string_view name);
std::string_view spelling(HostBuiltin builtin);
std::string_view spelling(BlockBuiltin builtin);
/// All names, in the order of the enumerations.
std::span<const std::string_view> hostBuiltinNames();
std::span<const std::string_view> blockBuiltinNames();

}  // namespace rad

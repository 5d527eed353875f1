// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the arguments of a launch to its numbers: dimensions, domain, facts. Pure functions of the manifest and the
// arguments.
#pragma once

#include "codegen/artifact/artifact.h"
#include "runtime/base/result.h"
#include "runtime/device/device.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rad::rt {

/// No extent, element count, dimension or number of points may exceed this.
inline constexpr int64_t maxCount = int64_t{1} << 48;

/// The error of a launch that cannot be: "KERNEL: WHAT".
inline std::unexpected<Error> refuse(const cg::KernelManifest& kernel, const std::string& what,
                                     std::string advice = {}) {
  return fail(ErrorCategory::Launch, kernel.name + ": " + what, std::move(advice));
}

/// A view as a launch sees it: elements of a block of memory from `offset` on. Unused extents are 1.
struct ViewArgument {
  const void* block = nullptr;  // which block of memory; null: no array was made yet
  uint64_t address = 0;         // of the view's first element, on the device
  int64_t offset = 0;           // in elements, from the block's begin
  std::array<int64_t, 4> extents = {1, 1, 1, 1};
  int32_t rank = 1;
  cg::ElementType type = cg::ElementType::F32;
  /// Distance of neighbours along each axis, in elements; all 0: row-major, without gaps.
  std::array<int64_t, 4> strides = {0, 0, 0, 0};

  bool isStrided() const { return strides != std::array<int64_t, 4>{}; }
  /// The distance of neighbours along an axis, of row-major views too; 0 along an axis of one element.
  int64_t stride(size_t axis) const;
  /// From the view's first element to the one furthest behind it, plus 1; 0 without elements.
  int64_t span() const;

  /// Number of elements; the extents must have been checked (checkExtents).
  int64_t count() const;
  std::span<const int64_t> shape() const { return {extents.data(), static_cast<size_t>(rank)}; }
};
/// A scalar's bytes, in the low end.
struct ScalarArgument {
  std::array<std::byte, 8> bytes = {};
};
using Argument = std::variant<ScalarArgument, ViewArgument>;

/// "[2, 3]".
std::string shapeText(std::span<const int64_t> extents);
/// Number of elements of a shape, or an error naming `what` where an extent is negative or the product exceeds
/// maxCount.
Result<int64_t> checkExtents(std::span<const int64_t> extents, const std::string& what);

/// The numbers of one launch.
struct Binding {
  std::vector<int64_t> dims;  // as KernelManifest::dims
  struct Axis {
    int64_t low = 0, high = 0, step = 1;
    friend bool operator==(const Axis&, const Axis&) = default;
  };
  std::vector<Axis> axes;  // as KernelManifest::axes
  int64_t points = 0;      // of the domain: points of a forall, blocks of a block kernel; 0: nothing to do
  int64_t rows = 0;        // product of all axes but the last (1 for one axis); 0 if points is 0
  int64_t lastExtent = 0;  // points / rows; 0 if points is 0
  cg::SpecKey spec;
};

/// Checks the arguments against the signature (types, ranks, sizes, overlap) and evaluates the domain. Refusals are of
/// category Launch; they name the kernel, the arguments, the dimensions and the values.
Result<Binding> bindArguments(const cg::KernelManifest& kernel, std::span<const Argument> arguments,
                              const DeviceInfo& device = {});
/// The same into a binding that is there, whose memory is used again. After a failure its contents are unspecified.
Result<void> bindArguments(const cg::KernelManifest& kernel, std::span<const Argument> arguments,
                           const DeviceInfo& device, Binding& binding);

/// Refuses a writable argument that shares elements with another one (part of bindArguments).
Result<void> checkAliases(const cg::KernelManifest& kernel, std::span<const Argument> arguments);

/// A property that is a number, at least 1.
int64_t deviceSize(cg::DeviceProperty property, const DeviceInfo& device);

/// What a size is for: "the range of `i`". A text only where a message needs it: launches are many.
struct SizeUse {
  std::string_view role, name = {};
  std::string text() const;
};
/// Evaluates a size. `use` stands in the message when it overflows, divides by zero or takes no whole number.
Result<int64_t> evaluate(const cg::SizeExpr& expr, const cg::KernelManifest& kernel, std::span<const int64_t> dims,
                         std::span<const Argument> arguments, const SizeUse& use);
/// One operation of a size on two values; false where it divides by zero or does not fit into 64 bits.
bool apply(cg::SizeOp op, int64_t left, int64_t right, int64_t& out);
/// A scalar in memory as a whole number; false if it is none or does not fit.
bool wholeNumber(const void* scalar, cg::ElementType type, int64_t& out);
/// The expression as it would stand in a program: "ceil_div(n, 256)".
std::string text(const cg::SizeExpr& expr, const cg::KernelManifest& kernel);

/// "saxpy(a: f32, x: [f32; n], mut y: [f32; n])".
std::string signatureText(const cg::KernelManifest& kernel);

/// The parameters of a compiled kernel, in the order that cg::KernelManifest fixes: 8 bytes for each, and their
/// addresses. Movable; the addresses stay valid until the next begin(). Memory is used again.
class ArgumentBlock {
 public:
  ArgumentBlock() = default;
  ArgumentBlock(const ArgumentBlock&) = delete;
  ArgumentBlock(ArgumentBlock&&) = default;
  ArgumentBlock& operator=(ArgumentBlock&&) = default;

  /// Room for `count` parameters, which the caller writes.
  uint64_t* begin(size_t count);
  /// The parameters that come from the arguments and the domain.
  void assign(const cg::KernelManifest& kernel, std::span<const Argument> arguments, const Binding& binding);
  /// Adds the others. `partials` is the address of the partial results of a reduction (ignored for other kernels).
  void finish(const cg::KernelManifest& kernel, uint64_t partials, uint64_t failureState, uint32_t serial);
  std::span<const void* const> pointers() const { return {pointers_.data(), count_}; }

 private:
  size_t count_ = 0;
  std::vector<uint64_t> slots_;
  std::vector<const void*> pointers_;
};

}  // namespace rad::rt

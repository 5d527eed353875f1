// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A device for tests of the launch layer: memory of this process, kernels that are lambdas, faults on demand.
#pragma once

#include "runtime/api/host_abi.h"
#include "runtime/launch/context.h"

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rad::rt::test {

class MemoryBuffer final : public Buffer {
 public:
  explicit MemoryBuffer(uint64_t size) : bytes(size + 16) {}
  uint64_t address() const override { return (reinterpret_cast<uint64_t>(bytes.data()) + 15) & ~uint64_t{15}; }
  uint64_t size() const override { return bytes.size() - 16; }
  std::vector<std::byte> bytes;
};

/// What a kernel of this device does.
using Body = std::function<void(const LaunchRequest&, cg::FailureState&)>;

class BodyKernel final : public Kernel {
 public:
  BodyKernel(cg::GeometryManifest geometry, Body body) : body(std::move(body)) { geometry_ = std::move(geometry); }
  Body body;
};

/// Work happens in the call, like on the host; failures show after a wait.
class MemoryDevice final : public Device {
 public:
  explicit MemoryDevice(DeviceKind kind) {
    info_.kind = kind;
    info_.id = kind == DeviceKind::Host ? "host" : "cuda:0";
    state_.record = &record_;
  }
  const DeviceInfo& info() const override { return info_; }
  Result<std::shared_ptr<Buffer>> allocate(uint64_t bytes) override {
    if (bytes > memoryLimit)
      return fail(ErrorCategory::Resources, "no memory for an array of " + std::to_string(bytes) + " bytes",
                  "Use smaller arrays.");
    return std::make_shared<MemoryBuffer>(bytes);
  }
  Result<void> copyIn(Buffer& to, uint64_t offset, std::span<const std::byte> from) override {
    if (!within(to, offset, from.size())) return outside();
    if (!from.empty()) std::memcpy(at(to, offset), from.data(), from.size());
    return {};
  }
  Result<void> copyOut(std::span<std::byte> to, const Buffer& from, uint64_t offset) override {
    ++copiesOut;
    bytesOut += to.size();
    if (fault) return *fault;
    if (!within(from, offset, to.size())) return outside();
    if (!to.empty()) std::memcpy(to.data(), at(from, offset), to.size());
    return {};
  }
  Result<void> copyWithin(Buffer& to, uint64_t toOffset, const Buffer& from, uint64_t fromOffset,
                          uint64_t bytes) override {
    if (!within(to, toOffset, bytes) || !within(from, fromOffset, bytes)) return outside();
    // Forward, byte by byte: overlapping ranges come out wrong, as they may on a GPU.
    for (uint64_t i = 0; i < bytes; ++i) at(to, toOffset)[i] = at(from, fromOffset)[i];
    return {};
  }
  Result<void> fill(Buffer& to, uint64_t offset, uint64_t bytes, std::span<const std::byte> pattern) override {
    if (!within(to, offset, bytes) || bytes % pattern.size() != 0) return outside();
    for (uint64_t i = 0; i < bytes; ++i) at(to, offset)[i] = pattern[i % pattern.size()];
    return {};
  }
  Result<std::shared_ptr<Kernel>> load(const cg::DeviceCode&, std::string_view) override {
    return fail(ErrorCategory::Image, "nothing to load");
  }
  Result<void> launch(Kernel& kernel, const LaunchRequest& request) override {
    requests.push_back(request);
    static_cast<BodyKernel&>(kernel).body(request, state_);
    return {};
  }
  uint64_t failureState() const override { return reinterpret_cast<uint64_t>(&state_); }
  Result<void> synchronize() override {
    ++waits;
    if (fault) return *fault;
    return {};
  }
  std::optional<KernelFailure> takeFailure() override {
    if (record_.flag == 0) return std::nullopt;
    state_.claimed = 0;
    return KernelFailure{std::exchange(record_, {})};
  }

  uint64_t memoryLimit = uint64_t{1} << 30;
  std::optional<std::unexpected<Error>> fault;
  std::vector<LaunchRequest> requests;
  int waits = 0, copiesOut = 0;
  uint64_t bytesOut = 0;

 private:
  static std::byte* at(const Buffer& buffer, uint64_t offset) {
    return reinterpret_cast<std::byte*>(buffer.address()) + offset;
  }
  static bool within(const Buffer& buffer, uint64_t offset, uint64_t bytes) {
    return offset <= buffer.size() && bytes <= buffer.size() - offset;
  }
  static std::unexpected<Error> outside() { return fail(ErrorCategory::Misuse, "outside of the buffer"); }
  DeviceInfo info_;
  cg::FailureRecord record_ = {};
  cg::FailureState state_ = {};
};

/// Fails a check as compiled code does: the first one wins.
inline void failCheck(cg::FailureState& state, cg::FailureRecord record) {
  if (std::exchange(state.claimed, 1u) != 0) return;
  *state.record = record;
  state.record->flag = 1;
}

class BodyProvider final : public KernelProvider {
 public:
  Result<std::shared_ptr<Kernel>> get(const Unit&, uint32_t kernel, const cg::SpecKey& key) override {
    keys.push_back(key);
    return kernels.at(kernel);
  }
  std::map<uint32_t, std::shared_ptr<Kernel>> kernels;
  std::vector<cg::SpecKey> keys;
};

// ---- manifests by hand ----
inline cg::SizeExpr dim(int64_t i) { return {cg::SizeOp::Dimension, i, {}}; }
inline cg::SizeExpr parameter(int64_t i) { return {cg::SizeOp::Parameter, i, {}}; }
inline cg::SizeExpr constant(int64_t v) { return {cg::SizeOp::Constant, v, {}}; }
inline cg::SizeExpr apply(cg::SizeOp op, cg::SizeExpr a, cg::SizeExpr b) {
  return {op, 0, {std::move(a), std::move(b)}};
}
inline cg::ParamManifest scalar(std::string name, cg::ElementType type = cg::ElementType::F32) {
  return {.name = std::move(name), .type = type, .shape = {}};
}
inline cg::ParamManifest view(std::string name, std::vector<cg::SizeExpr> shape, bool isMut = false,
                              bool elementwise = false, cg::ElementType type = cg::ElementType::F32) {
  return {.name = std::move(name),
          .type = type,
          .isView = true,
          .isMut = isMut,
          .elementwise = elementwise,
          .shape = std::move(shape)};
}
/// kernel saxpy(a: f32, x: [f32; n], mut y: [f32; n]) forall i in 0..n
inline cg::KernelManifest saxpy() {
  cg::KernelManifest kernel;
  kernel.name = kernel.symbol = "saxpy";
  kernel.dims = {"n"};
  kernel.params = {scalar("a"), view("x", {dim(0)}, false, true), view("y", {dim(0)}, true, true)};
  kernel.axes = {{"i", constant(0), dim(0)}};
  kernel.definedAt = "saxpy.rad:2";
  return kernel;
}

}  // namespace rad::rt::test

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Launches of the host interface.
#include "runtime/api/host_support.h"
#include "runtime/api/reduction.h"
#include "runtime/launch/geometry.h"

#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <vector>

using namespace rad::rt;
namespace cg = rad::cg;

namespace rad::rt {
namespace {

/// The arguments of a launch, as the manifest says what they are.
void readArguments(const cg::KernelManifest& kernel, const void* const* arguments, std::vector<Argument>& out) {
  out.clear();
  out.reserve(kernel.params.size());
  for (size_t i = 0; i < kernel.params.size(); ++i) {
    if (kernel.params[i].isView) {
      out.emplace_back(viewArgument(*static_cast<const RadView*>(arguments[i])));
    } else {
      ScalarArgument scalar;
      std::memcpy(scalar.bytes.data(), arguments[i], cg::sizeOf(kernel.params[i].type));
      out.emplace_back(scalar);
    }
  }
}

/// A refused launch: the message says how the kernel is declared.
int32_t refuse(RadContext* context, const cg::KernelManifest& kernel, Error error, uint32_t site) {
  if (error.category != ErrorCategory::Launch) return context->setError(std::move(error), site);
  MessageParts parts{std::move(error.message), {}, std::move(error.advice), refusedLaunchCode};
  // A comprehension stands where it is launched; a kernel has a declaration.
  if (kernel.reduce == cg::ReduceOp::None && !kernel.definedAt.empty())
    parts.notes.push_back(fmt::format("declared at {} as {}", kernel.definedAt, signatureText(kernel)));
  return context->setError(ErrorCategory::Launch, context->site(site), std::move(parts));
}

/// Launches a kernel over a domain that is not empty. `partials`: null, or gets the partial results' memory and number.
struct Partials {
  std::shared_ptr<Buffer> memory;
  int64_t count = 0;
};
int32_t launchBound(RadContext* context, uint32_t index, const cg::KernelManifest& kernel, std::span<const Argument> arguments, const Binding& binding,
                    uint32_t site, Partials* partials) {
  Device& device = context->device();
  auto compiled = context->kernels().get(*context->unit(), index, binding.spec);
  if (!compiled) return context->setError(std::move(compiled).error(), site);
  auto shape = shapeLaunch(kernel, (*compiled)->geometry(), binding, device.info());
  if (!shape) return refuse(context, kernel, std::move(shape).error(), site);

  uint64_t partialsAddress = 0;
  if (partials) {
    auto memory = device.allocate(static_cast<uint64_t>(shape->partialCount) * cg::sizeOf(kernel.reductionType));
    if (!memory) return context->setError(std::move(memory).error(), site);
    partials->memory = *std::move(memory);
    partials->count = shape->partialCount;
    partialsAddress = partials->memory->address();
  }
  LaunchRequest request;
  if (int32_t status = context->beginLaunch(index, site, request.serial)) return status;
  ArgumentBlock& block = context->scratch().block;
  block.assign(kernel, arguments, binding, partialsAddress, device.failureState(), request.serial);
  request.grid = {static_cast<uint32_t>(shape->blocks), 1, 1};
  request.threads = shape->threads;
  request.dynamicSharedBytes = shape->dynamicSharedBytes;
  request.outerCount = shape->outerCount;
  request.grain = shape->grain;
  request.chunkCount = shape->partialCount;
  request.arguments = block.pointers();
  request.name = kernel.name;
  request.prints = kernel.prints;
  RAD_API_TRY(context, site, device.launch(**compiled, request));
  return 0;
}

const cg::KernelManifest* kernelOf(RadContext* context, uint32_t index) {
  const Unit* unit = context->unit();
  return unit && index < unit->manifest.kernels.size() ? &unit->manifest.kernels[index] : nullptr;
}

int32_t unknownKernel(RadContext* context, uint32_t index, uint32_t site) {
  return context->setError(ErrorCategory::Misuse, context->site(site),
                           {fmt::format("the compiled program launches kernel {}, which its unit does not have", index), {},
                            "this is a bug in Raddle: please report it"});
}

}  // namespace
}  // namespace rad::rt

int32_t rad_launch(RadContext* context, uint32_t index, const void* const* arguments, uint32_t site) {
  return guarded(context, site, [&]() -> int32_t {
    const cg::KernelManifest* kernel = kernelOf(context, index);
    if (!kernel) return unknownKernel(context, index, site);
    std::vector<Argument>& values = context->scratch().arguments;
    Binding& binding = context->scratch().binding;
    readArguments(*kernel, arguments, values);
    auto launch = [&]() -> int32_t {
      if (auto bound = bindArguments(*kernel, values, binding); !bound) return refuse(context, *kernel, std::move(bound).error(), site);
      if (binding.points == 0) return 0;
      return launchBound(context, index, *kernel, values, binding, site, nullptr);
    };
    if (!kernel->isAssignment || checkAliases(*kernel, values)) return launch();
    // Some elements are both read and written: all are copied aside first.
    const Argument to = values[1];
    ViewArgument aside = std::get<ViewArgument>(values[0]);
    auto memory = context->device().allocate(static_cast<uint64_t>(aside.count()) * cg::sizeOf(aside.type));
    if (!memory) return context->setError(std::move(memory).error(), site);
    aside.block = memory->get();
    aside.address = (*memory)->address();
    aside.offset = 0;
    aside.strides = {};
    values[1] = aside;
    if (int32_t status = launch()) return status;
    values = {aside, to};
    return launch();
  });
}

int32_t rad_reduce(RadContext* context, uint32_t index, const void* const* arguments, uint32_t site, void* result) {
  return guarded(context, site, [&]() -> int32_t {
    const cg::KernelManifest* kernel = kernelOf(context, index);
    if (!kernel || kernel->reduce == cg::ReduceOp::None) return unknownKernel(context, index, site);
    std::vector<Argument>& values = context->scratch().arguments;
    Binding& binding = context->scratch().binding;
    readArguments(*kernel, arguments, values);
    if (auto bound = bindArguments(*kernel, values, binding); !bound) return refuse(context, *kernel, std::move(bound).error(), site);
    Partials partials;
    if (binding.points > 0)
      if (int32_t status = launchBound(context, index, *kernel, values, binding, site, &partials)) return status;
    std::vector<std::byte> bytes(static_cast<size_t>(partials.count) * cg::sizeOf(kernel->reductionType));
    if (partials.memory) {
      RAD_API_TRY(context, site, context->device().copyOut(bytes, *partials.memory, 0));
      if (int32_t status = context->checkFailure()) return status;
    } else if (int32_t status = context->synchronize(site)) {
      return status;  // over nothing: still a place that waits
    }
    RAD_API_TRY(context, site, combinePartials(kernel->reduce, kernel->reductionType, bytes, static_cast<std::byte*>(result)));
    return 0;
  });
}

int32_t rad_sync(RadContext* context, uint32_t site) {
  return guarded(context, site, [&] { return context->synchronize(site); });
}

int32_t rad_bench_again(RadContext* context, int32_t* again) {
  return guarded(context, noSite, [&]() -> int32_t {
    auto* const bench = context->bench();
    *again = 0;
    if (!bench) return 0;
    if (bench->needsWait())
      if (int32_t status = context->synchronize(noSite)) return status;
    *again = bench->again(std::chrono::steady_clock::now()) ? 1 : 0;
    return 0;
  });
}

int32_t rad_clock(RadContext* context, double* seconds) {
  return guarded(context, noSite, [&]() -> int32_t {
    if (int32_t status = context->synchronize(noSite)) return status;
    *seconds = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    return 0;
  });
}

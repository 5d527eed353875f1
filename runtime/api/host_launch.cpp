// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Launches of the host interface.
#include "runtime/api/host_support.h"
#include "runtime/api/reduction.h"
#include "runtime/base/interrupt.h"

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

/// Bytes of the arrays that a kernel reads and of those that it writes: an array counts twice if it does both.
uint64_t bytesOf(const cg::KernelManifest& kernel, const void* const* arguments) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < kernel.params.size(); ++i)
    if (kernel.params[i].isView)
      bytes += static_cast<uint64_t>(viewArgument(*static_cast<const RadView*>(arguments[i])).count()) *
               cg::sizeOf(kernel.params[i].type) * (kernel.params[i].isRead + kernel.params[i].isWritten);
  return bytes;
}

/// Binds arguments that the plan left alone: into the context's scratch.
Result<void> bindAny(RadContext* context, const cg::KernelManifest& kernel, std::span<const Argument> arguments) {
  LaunchScratch& scratch = context->scratch();
  RAD_TRY(bindArguments(kernel, arguments, context->device().info(), scratch.binding));
  scratch.block.assign(kernel, arguments, scratch.binding);
  return {};
}

/// Launches a kernel whose arguments are bound, over a domain that is not empty. `partials`: null, or gets the partial
/// results' memory and number.
struct Partials {
  std::shared_ptr<Buffer> memory;
  int64_t count = 0;
};
/// `given`: the arguments as the script has them.
int32_t launchBound(RadContext* context, uint32_t index, const cg::KernelManifest& kernel, const void* const* given,
                    uint32_t site, Partials* partials) {
  Device& device = context->device();
  if (auto ready = context->prepare(index, context->scratch().binding); !ready)
    return refuse(context, kernel, std::move(ready).error(), site);
  const KernelUse& use = context->use(index);
  const LaunchShape& shape = use.shape;

  uint64_t partialsAddress = 0;
  if (partials) {
    auto memory = device.allocate(static_cast<uint64_t>(shape.partialCount) * cg::sizeOf(kernel.reductionType));
    if (!memory) return context->setError(std::move(memory).error(), site);
    partials->memory = *std::move(memory);
    partials->count = shape.partialCount;
    partialsAddress = partials->memory->address();
  }
  LaunchRequest request;
  if (int32_t status = context->beginLaunch(index, site, request.serial)) return status;
  ArgumentBlock& block = context->scratch().block;
  block.finish(kernel, partialsAddress, device.failureState(), request.serial);
  request.grid = {static_cast<uint32_t>(shape.blocks), 1, 1};
  request.threads = shape.threads;
  request.dynamicSharedBytes = shape.dynamicSharedBytes;
  request.outerCount = shape.outerCount;
  request.grain = shape.grain;
  request.chunkCount = shape.partialCount;
  request.arguments = block.pointers();
  request.name = kernel.name;
  request.prints = kernel.prints;
  const auto begin =
      context->launchWatch() ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point();
  RAD_API_TRY(context, site, device.launch(*use.kernel, request));
  if (!context->launchWatch()) return context->waitsAfterLaunch() ? context->synchronize(site) : 0;
  if (int32_t status = context->synchronize(site)) return status;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  context->launchWatch()({kernel.name, seconds, context->scratch().binding.points, bytesOf(kernel, given)});
  return 0;
}

const cg::KernelManifest* kernelOf(RadContext* context, uint32_t index) {
  const Unit* unit = context->unit();
  return unit && index < unit->manifest.kernels.size() ? &unit->manifest.kernels[index] : nullptr;
}

int32_t unknownKernel(RadContext* context, uint32_t index, uint32_t site) {
  return context->setError(ErrorCategory::Misuse, context->site(site),
                           {fmt::format("the compiled program launches kernel {}, which its unit does not have", index),
                            {},
                            "this is a bug in Raddle: please report it"});
}

}  // namespace
}  // namespace rad::rt

int32_t rad_launch(RadContext* context, uint32_t index, const void* const* arguments, uint32_t site) {
  return guarded(context, site, [&]() -> int32_t {
    const cg::KernelManifest* kernel = kernelOf(context, index);
    if (!kernel) return unknownKernel(context, index, site);
    LaunchScratch& scratch = context->scratch();
    auto launchIfAny = [&] {
      return scratch.binding.points == 0 ? 0 : launchBound(context, index, *kernel, arguments, site, nullptr);
    };
    if (context->use(index).plan.bind(arguments, scratch.binding, scratch.block)) return launchIfAny();
    std::vector<Argument>& values = scratch.arguments;
    readArguments(*kernel, arguments, values);
    auto launch = [&]() -> int32_t {
      if (auto bound = bindAny(context, *kernel, values); !bound)
        return refuse(context, *kernel, std::move(bound).error(), site);
      return launchIfAny();
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

int32_t rad_launch_open(RadContext* context, uint32_t kernel, int32_t count, const int64_t* statics,
                        const void* const* arguments, uint32_t site) {
  return guarded(context, site, [&]() -> int32_t {
    auto made = context->specialise(kernel, {statics, static_cast<size_t>(count)}, site);
    if (!made) {
      Error& error = made.error();
      if (error.log.empty()) return context->setError(std::move(error), site);
      while (error.log.ends_with('\n')) error.log.pop_back();
      MessageParts parts{std::move(error.message), {"what is wrong with it:\n" + error.log}, {}, unmadeKernelCode};
      return context->setError(error.category, context->site(site), std::move(parts));
    }
    return context->within(made->unit, [&] { return rad_launch(context, made->kernel, arguments, made->site); });
  });
}

int32_t rad_reduce(RadContext* context, uint32_t index, const void* const* arguments, uint32_t site, void* result) {
  return guarded(context, site, [&]() -> int32_t {
    const cg::KernelManifest* kernel = kernelOf(context, index);
    if (!kernel || kernel->reduce == cg::ReduceOp::None) return unknownKernel(context, index, site);
    LaunchScratch& scratch = context->scratch();
    if (!context->use(index).plan.bind(arguments, scratch.binding, scratch.block)) {
      readArguments(*kernel, arguments, scratch.arguments);
      if (auto bound = bindAny(context, *kernel, scratch.arguments); !bound)
        return refuse(context, *kernel, std::move(bound).error(), site);
    }
    Partials partials;
    if (scratch.binding.points > 0)
      if (int32_t status = launchBound(context, index, *kernel, arguments, site, &partials)) return status;
    std::vector<std::byte> bytes(static_cast<size_t>(partials.count) * cg::sizeOf(kernel->reductionType));
    if (partials.memory) {
      RAD_API_TRY(context, site, context->device().copyOut(bytes, *partials.memory, 0));
      if (int32_t status = context->checkFailure()) return status;
    } else if (int32_t status = context->synchronize(site)) {
      return status;  // over nothing: still a place that waits
    }
    RAD_API_TRY(context, site,
                combinePartials(kernel->reduce, kernel->reductionType, bytes, static_cast<std::byte*>(result)));
    return 0;
  });
}

int32_t rad_sync(RadContext* context, uint32_t site) {
  return guarded(context, site, [&] { return context->synchronize(site); });
}

int32_t rad_interrupted(RadContext* context) {
  return guarded(context, noSite,
                 [&] { return context->setError(ErrorCategory::UserProgram, nullptr, {"interrupted", {}, {}}); });
}

int32_t rad_bench_again(RadContext* context, int64_t bytes, int32_t* again) {
  return guarded(context, noSite, [&]() -> int32_t {
    auto* const bench = context->bench();
    *again = 0;
    if (!bench) return 0;
    bench->setBytes(bytes);
    if (Interrupt::isRequested())  // what is measured may not look for it
      return context->setError(ErrorCategory::UserProgram, nullptr, {"interrupted", {}, {}});
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

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/green.h"

namespace rad::cuda {

void releaseGreen(const Context& context, CUgreenCtx green) noexcept {
  context.release<DriverFn::GreenCtxDestroy>("a green context", green);
}

Result<GreenContext> GreenContext::create(const Context& context, unsigned multiprocessors) {
  if (!context) return fail(ErrorCategory::Misuse, "a part of an empty context was asked for");
  const Device& device = context.device();
  CUdevResource all{};
  RAD_TRY(context.call<DriverFn::DeviceGetDevResource>(device.raw(), &all, CU_DEV_RESOURCE_TYPE_SM));
  if (multiprocessors == 0 || multiprocessors > all.sm.smCount)
    return fail(ErrorCategory::Misuse, device.id() + " has " + std::to_string(all.sm.smCount) +
                                           " multiprocessors, and a part with " + std::to_string(multiprocessors) +
                                           " was asked for");
  CUdevResource part{}, rest{};
  unsigned groups = 1;
  RAD_TRY(context.call<DriverFn::DevSmResourceSplitByCount>(&part, &groups, static_cast<const CUdevResource*>(&all),
                                                            &rest, 0u, multiprocessors));
  if (groups == 0)
    return fail(ErrorCategory::Resources,
                device.id() + " cannot give away " + std::to_string(multiprocessors) + " multiprocessors");
  CUdevResourceDesc description{};
  RAD_TRY(context.call<DriverFn::DevResourceGenerateDesc>(&description, &part, 1u));
  CUgreenCtx raw = nullptr;
  RAD_TRY(
      context.call<DriverFn::GreenCtxCreate>(&raw, description, device.raw(), unsigned(CU_GREEN_CTX_DEFAULT_STREAM)));
  if (!raw) return noHandle("green context");
  GreenContext green(context, raw, true);
  green.multiprocessors_ = part.sm.smCount;
  return green;
}

Result<Stream> GreenContext::stream(int priority) const {
  CUcontext own = nullptr;
  RAD_TRY(context().call<DriverFn::CtxFromGreenCtx>(&own, raw()));
  if (!own) return noHandle("context");
  CUstream made = nullptr;
  RAD_TRY(context().call<DriverFn::GreenCtxStreamCreate>(&made, raw(), unsigned(CU_STREAM_NON_BLOCKING), priority));
  if (!made) return noHandle("stream");
  return Stream(Context::borrow(context().device(), own, keepAlive()), made, true);
}

}  // namespace rad::cuda

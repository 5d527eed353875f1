// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/captured.h"

#include "runtime/driver/handle.h"
#include "runtime/driver/retire.h"

namespace rad::cuda {
namespace {

using Kept = std::shared_ptr<const void>;

void dropKept(void* data) noexcept {
  std::unique_ptr<Kept> kept(static_cast<Kept*>(data));
  retire(std::move(*kept));
}

}  // namespace

Status keepWithGraph(const Context& context, CUgraph graph, std::shared_ptr<const void> object) {
  if (!object) return {};
  auto reference = std::make_unique<Kept>(std::move(object));
  CUuserObject raw = nullptr;
  RAD_TRY(context.call<DriverFn::UserObjectCreate>(&raw, static_cast<void*>(reference.get()),
                                                   static_cast<CUhostFn>(&dropKept), 1u,
                                                   unsigned(CU_USER_OBJECT_NO_DESTRUCTOR_SYNC)));
  if (!raw) return noHandle("object to keep");
  (void)reference.release();
  Status kept = context.call<DriverFn::GraphRetainUserObject>(graph, raw, 1u, unsigned(CU_GRAPH_USER_OBJECT_MOVE));
  if (!kept) context.release<DriverFn::UserObjectRelease>("what a graph keeps", raw, 1u);
  return kept;
}

Result<CUgraph> graphOfCapture(const Context& context, CUstream stream) {
  CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
  CUgraph graph = nullptr;
  RAD_TRY(context.call<DriverFn::StreamGetCaptureInfo>(
      stream, &status, static_cast<cuuint64_t*>(nullptr), &graph, static_cast<const CUgraphNode**>(nullptr),
      static_cast<const CUgraphEdgeData**>(nullptr), static_cast<std::size_t*>(nullptr)));
  return status == CU_STREAM_CAPTURE_STATUS_ACTIVE ? graph : nullptr;
}

}  // namespace rad::cuda

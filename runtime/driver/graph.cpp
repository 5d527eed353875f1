// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/graph.h"

namespace rad::cuda {

void releaseGraph(const Context &context, CUgraph graph) noexcept {
  context.release<DriverFn::GraphDestroy>("a graph", graph);
}

void releaseGraphExec(const Context &context, CUgraphExec exec) noexcept {
  context.release<DriverFn::GraphExecDestroy>("an instantiated graph", exec);
}

// ---- GraphExec ----

Status GraphExec::launch(const Stream &stream) const {
  return context().call<DriverFn::GraphLaunch>(raw(), stream.raw());
}

Status GraphExec::upload(const Stream &stream) const {
  return context().call<DriverFn::GraphUpload>(raw(), stream.raw());
}

// ---- Graph ----

Result<Graph> Graph::create(const Context &context) {
  CUgraph raw = nullptr;
  RAD_TRY(context.call<DriverFn::GraphCreate>(&raw, 0u));
  if (!raw)
    return noHandle("graph");
  return Graph(context, raw, true);
}

Graph Graph::borrow(const Context &context, CUgraph graph,
                    std::shared_ptr<const void> keepAlive) {
  return Graph(context, graph, false, std::move(keepAlive));
}

Result<std::vector<CUgraphNode>> Graph::nodes() const {
  std::size_t count = 0;
  RAD_TRY(context().call<DriverFn::GraphGetNodes>(
      raw(), static_cast<CUgraphNode *>(nullptr), &count));
  std::vector<CUgraphNode> nodes(count);
  if (count)
    RAD_TRY(
        context().call<DriverFn::GraphGetNodes>(raw(), nodes.data(), &count));
  nodes.resize(count);
  return nodes;
}

Result<GraphExec> Graph::instantiate() const {
  CUDA_GRAPH_INSTANTIATE_PARAMS params{};
  CUgraphExec exec = nullptr;
  RAD_TRY(context().call<DriverFn::GraphInstantiateWithParams>(&exec, raw(),
                                                               &params));
  if (!exec)
    return noHandle("instantiated graph");
  return GraphExec(context(), exec, true, keepAlive());
}

// ---- Capture ----

namespace {

CUstreamCaptureMode modeOf(CaptureMode mode) {
  switch (mode) {
  case CaptureMode::ThreadLocal:
    return CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
  case CaptureMode::Relaxed:
    return CU_STREAM_CAPTURE_MODE_RELAXED;
  case CaptureMode::Global:
    return CU_STREAM_CAPTURE_MODE_GLOBAL;
  }
  return CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
}

} // namespace

Result<Capture> Capture::begin(const Stream &stream, CaptureMode mode) {
  RAD_TRY(stream.context().call<DriverFn::StreamBeginCapture>(stream.raw(),
                                                              modeOf(mode)));
  return Capture(stream.context(), stream.keepAlive(), stream.raw());
}

Result<Graph> Capture::end() {
  if (!stream_)
    return fail(ErrorCategory::Misuse, "a capture was ended twice");
  CUgraph graph = nullptr;
  Status ended = context_.call<DriverFn::StreamEndCapture>(
      std::exchange(stream_, nullptr), &graph);
  if (!ended) {
    Error error = std::move(ended).error();
    if (error.code == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED)
      error.message = "nothing was captured: a call that is not allowed while "
                      "work is captured had failed before";
    return fail(std::move(error));
  }
  if (!graph)
    return noHandle("graph");
  return Graph(context_, graph, true);
}

Capture::~Capture() {
  if (!stream_)
    return;
  // A capture that failed inside ends with "invalidated": that is the answer.
  CUgraph graph = nullptr;
  Status ended = context_.call<DriverFn::StreamEndCapture>(stream_, &graph);
  if (graph)
    context_.release<DriverFn::GraphDestroy>("a graph", graph);
  if (!ended && ended.error().category != ErrorCategory::Capture &&
      ended.error().category != ErrorCategory::Dead)
    rt::warnReleaseFailed("a capture", ended.error());
}

} // namespace rad::cuda

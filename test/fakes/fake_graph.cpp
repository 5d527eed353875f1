// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tier 6: capture and graphs. A graph is a list of nodes with what each waits
// for; a launch runs them in an order that respects it.

#include "test/fakes/fake_state.h"

#include <algorithm>

using namespace fake;

namespace {

thread_local bool insideFunction = false;

Graph *graphOf(CUgraph handle) {
  World &w = world();
  if (w.deadHandles.count(handle))
    crash("use of a destroyed graph");
  auto it = w.graphs.find(handle);
  return it == w.graphs.end() ? nullptr : it->second.get();
}

GraphExec *execOf(CUgraphExec handle) {
  World &w = world();
  if (w.deadHandles.count(handle))
    crash("use of a destroyed instantiated graph");
  auto it = w.execs.find(handle);
  return it == w.execs.end() ? nullptr : it->second.get();
}

GraphNode &nodeOf(CUgraphNode handle) { return *world().nodes.at(handle); }

/// The nodes in an order in which they can run; fewer than there are when they
/// wait for each other in a circle.
std::vector<CUgraphNode> sorted(const Graph &graph) {
  std::vector<CUgraphNode> out;
  std::set<CUgraphNode> done;
  for (bool more = true; more;) {
    more = false;
    for (CUgraphNode node : graph.order) {
      if (done.count(node))
        continue;
      const auto &waits = nodeOf(node).waitsFor;
      if (std::all_of(waits.begin(), waits.end(),
                      [&](CUgraphNode one) { return done.count(one) != 0; })) {
        out.push_back(node);
        done.insert(node);
        more = true;
      }
    }
  }
  return out;
}

} // namespace

namespace fake {

bool insideHostFunction() { return insideFunction; }

void runHostFunction(CUhostFn function, void *data) {
  insideFunction = true;
  function(data);
  insideFunction = false;
}

bool unsafeWhileCapturing() {
  bool any = false;
  for (auto &[handle, stream] : world().streams) {
    if (stream->status != CU_STREAM_CAPTURE_STATUS_ACTIVE || !stream->origin)
      continue;
    if (stream->mode == CU_STREAM_CAPTURE_MODE_GLOBAL ||
        (stream->mode == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL &&
         stream->thread == std::this_thread::get_id())) {
      stream->status = CU_STREAM_CAPTURE_STATUS_INVALIDATED;
      any = true;
    }
  }
  return any;
}

CUgraphNode addNode(CUgraph graph, CUgraphNodeType type,
                    std::vector<CUgraphNode> waitsFor,
                    std::function<void()> run) {
  World &w = world();
  auto node = std::make_unique<GraphNode>();
  node->graph = graph;
  node->type = type;
  node->waitsFor = std::move(waitsFor);
  node->run = std::move(run);
  auto handle = makeHandle<CUgraphNode>();
  w.nodes.emplace(handle, std::move(node));
  w.graphs.at(graph)->order.push_back(handle);
  return handle;
}

void releaseObjects(std::map<CUuserObject, unsigned> &kept) {
  World &w = world();
  for (auto &[handle, count] : kept) {
    UserObject &object = *w.userObjects.at(handle);
    object.references -= count;
    if (object.references > 0)
      continue;
    runHostFunction(object.destroy, object.pointer);
    w.userObjects.erase(handle);
    w.deadHandles.insert(handle);
  }
  kept.clear();
}

void destroyGraph(CUgraph handle) {
  World &w = world();
  Graph &graph = *w.graphs.at(handle);
  for (CUgraphNode node : graph.order) {
    for (CUgraph child : nodeOf(node).children)
      destroyGraph(child);
    w.nodes.erase(node);
    w.deadHandles.insert(node);
  }
  releaseObjects(graph.kept);
  w.graphs.erase(handle);
  w.deadHandles.insert(handle);
}

} // namespace fake

// ---- capture ----

FAKE_CUDA(StreamBeginCapture, CUstream handle, CUstreamCaptureMode mode) {
  if (handle == CU_STREAM_LEGACY)
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  CUresult status;
  Stream *stream = streamOf(handle, status, false);
  if (!stream)
    return status;
  if (stream->status != CU_STREAM_CAPTURE_STATUS_NONE)
    return CUDA_ERROR_ILLEGAL_STATE;
  auto graph = makeHandle<CUgraph>();
  auto made = std::make_unique<Graph>();
  made->child = true; // the stream's, until the capture ends
  world().graphs.emplace(graph, std::move(made));
  stream->status = CU_STREAM_CAPTURE_STATUS_ACTIVE;
  stream->mode = mode;
  stream->capture = graph;
  stream->origin = true;
  stream->thread = std::this_thread::get_id();
  stream->last.clear();
  return CUDA_SUCCESS;
}

FAKE_CUDA(StreamEndCapture, CUstream handle, CUgraph *out) {
  CUresult status;
  Stream *stream = streamOf(handle, status, false);
  if (!stream)
    return status;
  if (!out)
    return CUDA_ERROR_INVALID_VALUE;
  *out = nullptr;
  if (stream->status == CU_STREAM_CAPTURE_STATUS_NONE)
    return CUDA_ERROR_ILLEGAL_STATE;
  if (!stream->origin)
    return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
  World &w = world();
  const CUgraph graph = stream->capture;
  if (stream->status == CU_STREAM_CAPTURE_STATUS_INVALIDATED)
    status = CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  else if (stream->mode != CU_STREAM_CAPTURE_MODE_RELAXED &&
           stream->thread != std::this_thread::get_id())
    status = CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
  // Everything that was captured leads to the end of the origin.
  std::set<CUgraphNode> joined;
  std::vector<CUgraphNode> open = stream->last;
  while (!open.empty()) {
    const CUgraphNode node = open.back();
    open.pop_back();
    if (joined.insert(node).second)
      for (CUgraphNode before : nodeOf(node).waitsFor)
        open.push_back(before);
  }
  for (auto &[other, item] : w.streams) {
    if (item->capture != graph)
      continue;
    if (item.get() != stream && status == CUDA_SUCCESS)
      for (CUgraphNode node : item->last)
        if (!joined.count(node))
          status = CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
    item->status = CU_STREAM_CAPTURE_STATUS_NONE;
    item->capture = nullptr;
    item->last.clear();
  }
  for (auto &[event, item] : w.events)
    if (item->capture == graph)
      item->capture = nullptr;
  if (status != CUDA_SUCCESS) {
    destroyGraph(graph);
    return status;
  }
  w.graphs.at(graph)->child = false;
  *out = graph;
  return CUDA_SUCCESS;
}

FAKE_CUDA(StreamIsCapturing, CUstream handle, CUstreamCaptureStatus *out) {
  CUresult status;
  Stream *stream = streamOf(handle, status, false);
  if (stream)
    *out = stream->status;
  return status;
}

FAKE_CUDA(StreamGetCaptureInfo, CUstream handle, CUstreamCaptureStatus *out,
          cuuint64_t *id, CUgraph *graph, const CUgraphNode **nodes,
          const CUgraphEdgeData **, std::size_t *count) {
  CUresult status;
  Stream *stream = streamOf(handle, status, false);
  if (!stream)
    return status;
  *out = stream->status;
  if (stream->status != CU_STREAM_CAPTURE_STATUS_ACTIVE)
    return CUDA_SUCCESS;
  if (id)
    *id = reinterpret_cast<std::uint64_t>(stream->capture) & 0xffffff;
  if (graph)
    *graph = stream->capture;
  if (nodes)
    *nodes = stream->last.data();
  if (count)
    *count = stream->last.size();
  return CUDA_SUCCESS;
}

// ---- graphs ----

FAKE_CUDA(GraphCreate, CUgraph *out, unsigned flags) {
  if (!out || flags)
    return CUDA_ERROR_INVALID_VALUE;
  *out = makeHandle<CUgraph>();
  world().graphs.emplace(*out, std::make_unique<Graph>());
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphDestroy, CUgraph handle) {
  Graph *graph = graphOf(handle);
  if (!graph || graph->child)
    return CUDA_ERROR_INVALID_VALUE;
  destroyGraph(handle);
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphGetNodes, CUgraph handle, CUgraphNode *out, std::size_t *count) {
  Graph *graph = graphOf(handle);
  if (!graph || !count)
    return CUDA_ERROR_INVALID_VALUE;
  if (out)
    for (std::size_t i = 0; i < *count; ++i)
      out[i] = i < graph->order.size() ? graph->order[i] : nullptr;
  if (!out || *count > graph->order.size())
    *count = graph->order.size();
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphInstantiateWithParams, CUgraphExec *out, CUgraph handle,
          CUDA_GRAPH_INSTANTIATE_PARAMS *params) {
  Graph *graph = graphOf(handle);
  if (!graph || !out || !params)
    return CUDA_ERROR_INVALID_VALUE;
  params->result_out = CUDA_GRAPH_INSTANTIATE_SUCCESS;
  params->hErrNode_out = nullptr;
  const std::vector<CUgraphNode> order = sorted(*graph);
  if (order.size() != graph->order.size()) {
    params->result_out = CUDA_GRAPH_INSTANTIATE_INVALID_STRUCTURE;
    for (CUgraphNode node : graph->order)
      if (std::find(order.begin(), order.end(), node) == order.end())
        params->hErrNode_out = node;
    return CUDA_ERROR_INVALID_VALUE;
  }
  auto exec = std::make_unique<GraphExec>();
  exec->program = std::make_shared<Program>();
  for (CUgraphNode node : order)
    exec->program->steps.push_back(
        {node, nodeOf(node).type, nodeOf(node).waitsFor, nodeOf(node).run});
  exec->kept = graph->kept;
  for (auto &[object, count] : exec->kept)
    world().userObjects.at(object)->references += count;
  *out = makeHandle<CUgraphExec>();
  world().execs.emplace(*out, std::move(exec));
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphExecDestroy, CUgraphExec handle) {
  GraphExec *exec = execOf(handle);
  if (!exec)
    return CUDA_ERROR_INVALID_VALUE;
  // What waits in streams still runs; what it keeps must be there then.
  for (auto &[stream, item] : world().streams)
    if (item->status == CU_STREAM_CAPTURE_STATUS_NONE)
      drain(*item);
  releaseObjects(exec->kept);
  world().execs.erase(handle);
  world().deadHandles.insert(handle);
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphLaunch, CUgraphExec handle, CUstream streamHandle) {
  CUresult status;
  Stream *stream = streamOf(streamHandle, status);
  if (!stream)
    return status;
  GraphExec *exec = execOf(handle);
  if (!exec)
    return CUDA_ERROR_INVALID_VALUE;
  // As it is now: an update changes later launches only.
  enqueue(*stream, [program = *exec->program] {
    for (const Program::Step &step : program.steps)
      if (step.enabled && world().sticky == 0)
        step.run();
  }, CU_GRAPH_NODE_TYPE_GRAPH);
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphUpload, CUgraphExec handle, CUstream stream) {
  CUresult status;
  if (!streamOf(stream, status))
    return status;
  return execOf(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

// ---- what graphs keep alive ----

FAKE_CUDA(UserObjectCreate, CUuserObject *out, void *pointer, CUhostFn destroy,
          unsigned references, unsigned flags) {
  if (!out || !destroy || !references ||
      flags != CU_USER_OBJECT_NO_DESTRUCTOR_SYNC)
    return CUDA_ERROR_INVALID_VALUE;
  auto object = std::make_unique<UserObject>();
  object->pointer = pointer;
  object->destroy = destroy;
  object->references = references;
  *out = makeHandle<CUuserObject>();
  world().userObjects.emplace(*out, std::move(object));
  return CUDA_SUCCESS;
}

FAKE_CUDA(UserObjectRelease, CUuserObject handle, unsigned count) {
  auto it = world().userObjects.find(handle);
  if (it == world().userObjects.end() || it->second->references < count)
    return CUDA_ERROR_INVALID_VALUE;
  std::map<CUuserObject, unsigned> one{{handle, count}};
  releaseObjects(one);
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphRetainUserObject, CUgraph handle, CUuserObject object,
          unsigned count, unsigned flags) {
  Graph *graph = graphOf(handle);
  auto it = world().userObjects.find(object);
  if (!graph || it == world().userObjects.end() || !count)
    return CUDA_ERROR_INVALID_VALUE;
  if (!(flags & CU_GRAPH_USER_OBJECT_MOVE))
    it->second->references += count;
  graph->kept[object] += count;
  return CUDA_SUCCESS;
}

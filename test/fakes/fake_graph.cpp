// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tier 6: capture and graphs. A graph is a list of nodes with what each waits
// for; a launch runs them in an order that respects it.

#include "test/fakes/fake_state.h"

#include <algorithm>
#include <cstdio>

using namespace fake;

namespace {

thread_local bool insideFunction = false;

Graph* graphOf(CUgraph handle) {
  World& w = world();
  if (w.deadHandles.count(handle)) crash("use of a destroyed graph");
  auto it = w.graphs.find(handle);
  return it == w.graphs.end() ? nullptr : it->second.get();
}

GraphExec* execOf(CUgraphExec handle) {
  World& w = world();
  if (w.deadHandles.count(handle)) crash("use of a destroyed instantiated graph");
  auto it = w.execs.find(handle);
  return it == w.execs.end() ? nullptr : it->second.get();
}

GraphNode& nodeOf(CUgraphNode handle) { return *world().nodes.at(handle); }

/// The nodes in an order in which they can run; fewer than there are when they
/// wait for each other in a circle.
std::vector<CUgraphNode> sorted(const Graph& graph) {
  std::vector<CUgraphNode> out;
  std::set<CUgraphNode> done;
  for (bool more = true; more;) {
    more = false;
    for (CUgraphNode node : graph.order) {
      if (done.count(node)) continue;
      const auto& waits = nodeOf(node).waitsFor;
      if (std::all_of(waits.begin(), waits.end(), [&](CUgraphNode one) { return done.count(one) != 0; })) {
        out.push_back(node);
        done.insert(node);
        more = true;
      }
    }
  }
  return out;
}

}  // namespace

namespace fake {

bool insideHostFunction() { return insideFunction; }

void runHostFunction(CUhostFn function, void* data) {
  insideFunction = true;
  function(data);
  insideFunction = false;
}

bool unsafeWhileCapturing() {
  bool any = false;
  for (auto& [handle, stream] : world().streams) {
    if (stream->status != CU_STREAM_CAPTURE_STATUS_ACTIVE || !stream->origin) continue;
    if (stream->mode == CU_STREAM_CAPTURE_MODE_GLOBAL ||
        (stream->mode == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL && stream->thread == std::this_thread::get_id())) {
      stream->status = CU_STREAM_CAPTURE_STATUS_INVALIDATED;
      any = true;
    }
  }
  return any;
}

CUgraphNode addNode(CUgraph graph, CUgraphNodeType type, std::vector<CUgraphNode> waitsFor, std::function<void()> run) {
  World& w = world();
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

void releaseObjects(std::map<CUuserObject, unsigned>& kept) {
  World& w = world();
  for (auto& [handle, count] : kept) {
    UserObject& object = *w.userObjects.at(handle);
    object.references -= count;
    if (object.references > 0) continue;
    runHostFunction(object.destroy, object.pointer);
    w.userObjects.erase(handle);
    w.deadHandles.insert(handle);
  }
  kept.clear();
}

void destroyGraph(CUgraph handle) {
  World& w = world();
  Graph& graph = *w.graphs.at(handle);
  for (CUgraphNode node : graph.order) {
    for (CUgraph child : nodeOf(node).children) destroyGraph(child);
    w.nodes.erase(node);
    w.deadHandles.insert(node);
  }
  releaseObjects(graph.kept);
  w.graphs.erase(handle);
  w.deadHandles.insert(handle);
}

}  // namespace fake

// ---- capture ----

FAKE_CUDA(StreamBeginCapture, CUstream handle, CUstreamCaptureMode mode) {
  if (handle == CU_STREAM_LEGACY) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  CUresult status;
  Stream* stream = streamOf(handle, status, false);
  if (!stream) return status;
  if (stream->status != CU_STREAM_CAPTURE_STATUS_NONE) return CUDA_ERROR_ILLEGAL_STATE;
  auto graph = makeHandle<CUgraph>();
  auto made = std::make_unique<Graph>();
  made->child = true;  // the stream's, until the capture ends
  world().graphs.emplace(graph, std::move(made));
  stream->status = CU_STREAM_CAPTURE_STATUS_ACTIVE;
  stream->mode = mode;
  stream->capture = graph;
  stream->origin = true;
  stream->thread = std::this_thread::get_id();
  stream->last.clear();
  return CUDA_SUCCESS;
}

FAKE_CUDA(StreamEndCapture, CUstream handle, CUgraph* out) {
  CUresult status;
  Stream* stream = streamOf(handle, status, false);
  if (!stream) return status;
  if (!out) return CUDA_ERROR_INVALID_VALUE;
  *out = nullptr;
  if (stream->status == CU_STREAM_CAPTURE_STATUS_NONE) return CUDA_ERROR_ILLEGAL_STATE;
  if (!stream->origin) return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
  World& w = world();
  const CUgraph graph = stream->capture;
  if (stream->status == CU_STREAM_CAPTURE_STATUS_INVALIDATED) status = CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  else if (stream->mode != CU_STREAM_CAPTURE_MODE_RELAXED && stream->thread != std::this_thread::get_id())
    status = CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
  // Everything that was captured leads to the end of the origin.
  std::set<CUgraphNode> joined;
  std::vector<CUgraphNode> open = stream->last;
  while (!open.empty()) {
    const CUgraphNode node = open.back();
    open.pop_back();
    if (joined.insert(node).second)
      for (CUgraphNode before : nodeOf(node).waitsFor) open.push_back(before);
  }
  for (auto& [other, item] : w.streams) {
    if (item->capture != graph) continue;
    if (item.get() != stream && status == CUDA_SUCCESS)
      for (CUgraphNode node : item->last)
        if (!joined.count(node)) status = CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
    item->status = CU_STREAM_CAPTURE_STATUS_NONE;
    item->capture = nullptr;
    item->last.clear();
  }
  for (auto& [event, item] : w.events)
    if (item->capture == graph) item->capture = nullptr;
  if (status != CUDA_SUCCESS) {
    destroyGraph(graph);
    return status;
  }
  w.graphs.at(graph)->child = false;
  *out = graph;
  return CUDA_SUCCESS;
}

FAKE_CUDA(StreamIsCapturing, CUstream handle, CUstreamCaptureStatus* out) {
  CUresult status;
  Stream* stream = streamOf(handle, status, false);
  if (stream) *out = stream->status;
  return status;
}

FAKE_CUDA(StreamGetCaptureInfo, CUstream handle, CUstreamCaptureStatus* out, cuuint64_t* id, CUgraph* graph,
          const CUgraphNode** nodes, const CUgraphEdgeData**, std::size_t* count) {
  CUresult status;
  Stream* stream = streamOf(handle, status, false);
  if (!stream) return status;
  *out = stream->status;
  if (stream->status != CU_STREAM_CAPTURE_STATUS_ACTIVE) return CUDA_SUCCESS;
  if (id) *id = reinterpret_cast<std::uint64_t>(stream->capture) & 0xffffff;
  if (graph) *graph = stream->capture;
  if (nodes) *nodes = stream->last.data();
  if (count) *count = stream->last.size();
  return CUDA_SUCCESS;
}

// ---- graphs ----

FAKE_CUDA(GraphCreate, CUgraph* out, unsigned flags) {
  if (!out || flags) return CUDA_ERROR_INVALID_VALUE;
  *out = makeHandle<CUgraph>();
  world().graphs.emplace(*out, std::make_unique<Graph>());
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphDestroy, CUgraph handle) {
  Graph* graph = graphOf(handle);
  if (!graph || graph->child) return CUDA_ERROR_INVALID_VALUE;
  destroyGraph(handle);
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphGetNodes, CUgraph handle, CUgraphNode* out, std::size_t* count) {
  Graph* graph = graphOf(handle);
  if (!graph || !count) return CUDA_ERROR_INVALID_VALUE;
  if (out)
    for (std::size_t i = 0; i < *count; ++i) out[i] = i < graph->order.size() ? graph->order[i] : nullptr;
  if (!out || *count > graph->order.size()) *count = graph->order.size();
  return CUDA_SUCCESS;
}

namespace {

/// What a graph does, with the graphs inside; null when nodes wait for each other
/// in a circle, then `wrong` is one of them.
std::shared_ptr<Program> compile(const Graph& graph, CUgraphNode& wrong) {
  const std::vector<CUgraphNode> order = sorted(graph);
  if (order.size() != graph.order.size()) {
    for (CUgraphNode node : graph.order)
      if (std::find(order.begin(), order.end(), node) == order.end()) wrong = node;
    return nullptr;
  }
  auto program = std::make_shared<Program>();
  for (CUgraphNode handle : order) {
    const GraphNode& node = nodeOf(handle);
    Program::Step step{handle, node.type, node.waitsFor, node.run, node.memory};
    if (!node.children.empty()) {
      std::vector<std::shared_ptr<Program>> inside;
      for (CUgraph child : node.children) {
        inside.push_back(compile(*world().graphs.at(child), wrong));
        if (!inside.back()) return nullptr;
      }
      const auto once = [](const Program& one) {
        for (const Program::Step& each : one.steps)
          if (each.enabled && world().sticky == 0) each.run();
      };
      step.run = [inside, once, type = node.type, condition = node.condition, kind = node.conditionType] {
        if (type == CU_GRAPH_NODE_TYPE_GRAPH) {
          once(*inside[0]);
          return;
        }
        const auto value = [&] { return world().conditions[condition]; };
        switch (kind) {
          case CU_GRAPH_COND_TYPE_IF:
            if (value()) once(*inside[0]);
            else if (inside.size() > 1) once(*inside[1]);
            break;
          case CU_GRAPH_COND_TYPE_WHILE:
            for (int turns = 0; value(); ++turns) {
              if (turns > 100000) crash("a conditional node runs for ever");
              once(*inside[0]);
            }
            break;
          case CU_GRAPH_COND_TYPE_SWITCH:
            if (value() < inside.size()) once(*inside[value()]);
            break;
        }
      };
    }
    program->steps.push_back(std::move(step));
  }
  return program;
}

}  // namespace

namespace {

/// What is instantiated of a graph keeps what the graph and those inside its nodes keep. Bodies of conditional nodes
/// are left out: what they keep is documented nowhere, so nobody may count on it.
void addKept(const Graph& graph, std::map<CUuserObject, unsigned>& kept) {
  for (auto& [object, count] : graph.kept) {
    kept[object] += count;
    world().userObjects.at(object)->references += count;
  }
  for (CUgraphNode node : graph.order)
    if (nodeOf(node).type == CU_GRAPH_NODE_TYPE_GRAPH)
      for (CUgraph child : nodeOf(node).children) addKept(*world().graphs.at(child), kept);
}

}  // namespace

FAKE_CUDA(GraphInstantiateWithParams, CUgraphExec* out, CUgraph handle, CUDA_GRAPH_INSTANTIATE_PARAMS* params) {
  Graph* graph = graphOf(handle);
  if (!graph || !out || !params) return CUDA_ERROR_INVALID_VALUE;
  params->result_out = CUDA_GRAPH_INSTANTIATE_SUCCESS;
  params->hErrNode_out = nullptr;
  auto exec = std::make_unique<GraphExec>();
  exec->program = compile(*graph, params->hErrNode_out);
  if (!exec->program) {
    params->result_out = CUDA_GRAPH_INSTANTIATE_INVALID_STRUCTURE;
    return CUDA_ERROR_INVALID_VALUE;
  }
  addKept(*graph, exec->kept);
  exec->defaults = graph->defaults;
  *out = makeHandle<CUgraphExec>();
  world().execs.emplace(*out, std::move(exec));
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphExecDestroy, CUgraphExec handle) {
  GraphExec* exec = execOf(handle);
  if (!exec) return CUDA_ERROR_INVALID_VALUE;
  // What waits in streams still runs; what it keeps must be there then.
  for (auto& [stream, item] : world().streams)
    if (item->status == CU_STREAM_CAPTURE_STATUS_NONE) drain(*item);
  releaseObjects(exec->kept);
  world().execs.erase(handle);
  world().deadHandles.insert(handle);
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphLaunch, CUgraphExec handle, CUstream streamHandle) {
  CUresult status;
  Stream* stream = streamOf(streamHandle, status);
  if (!stream) return status;
  GraphExec* exec = execOf(handle);
  if (!exec) return CUDA_ERROR_INVALID_VALUE;
  // As it is now: an update changes later launches only.
  enqueue(
      *stream,
      [program = *exec->program, defaults = exec->defaults] {
        for (auto& [condition, value] : defaults) world().conditions[condition] = value;
        for (const Program::Step& step : program.steps)
          if (step.enabled && world().sticky == 0) step.run();
      },
      CU_GRAPH_NODE_TYPE_GRAPH);
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphUpload, CUgraphExec handle, CUstream stream) {
  CUresult status;
  if (!streamOf(stream, status)) return status;
  return execOf(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

// ---- what graphs keep alive ----

FAKE_CUDA(UserObjectCreate, CUuserObject* out, void* pointer, CUhostFn destroy, unsigned references, unsigned flags) {
  if (!out || !destroy || !references || flags != CU_USER_OBJECT_NO_DESTRUCTOR_SYNC) return CUDA_ERROR_INVALID_VALUE;
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
  if (it == world().userObjects.end() || it->second->references < count) return CUDA_ERROR_INVALID_VALUE;
  std::map<CUuserObject, unsigned> one{{handle, count}};
  releaseObjects(one);
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphRetainUserObject, CUgraph handle, CUuserObject object, unsigned count, unsigned flags) {
  Graph* graph = graphOf(handle);
  auto it = world().userObjects.find(object);
  if (!graph || it == world().userObjects.end() || !count) return CUDA_ERROR_INVALID_VALUE;
  if (!(flags & CU_GRAPH_USER_OBJECT_MOVE)) it->second->references += count;
  graph->kept[object] += count;
  return CUDA_SUCCESS;
}

// ---- building ----

namespace {

/// What a node does, from its description.
CUresult prepareNode(CUgraphNodeParams& params, std::function<void()>& run) {
  run = [] {};
  switch (params.type) {
    case CU_GRAPH_NODE_TYPE_KERNEL: {
      const CUDA_KERNEL_NODE_PARAMS_v3& kernel = params.kernel;
      CUlaunchConfig config{};
      config.gridDimX = kernel.gridDimX;
      config.gridDimY = kernel.gridDimY;
      config.gridDimZ = kernel.gridDimZ;
      config.blockDimX = kernel.blockDimX;
      config.blockDimY = kernel.blockDimY;
      config.blockDimZ = kernel.blockDimZ;
      config.sharedMemBytes = kernel.sharedMemBytes;
      return prepareLaunch(config, kernel.func ? static_cast<const void*>(kernel.func) : kernel.kern,
                           kernel.kernelParams, kernel.extra, run);
    }
    case CU_GRAPH_NODE_TYPE_MEMCPY: return prepareCopy(params.memcpy.copyParams, run);
    case CU_GRAPH_NODE_TYPE_MEMSET:
      return prepareFill(params.memset.dst, params.memset.pitch, params.memset.value, params.memset.elementSize,
                         params.memset.width, params.memset.height, run);
    case CU_GRAPH_NODE_TYPE_HOST:
      if (!params.host.fn) return CUDA_ERROR_INVALID_VALUE;
      run = [fn = params.host.fn, data = params.host.userData] { runHostFunction(fn, data); };
      return CUDA_SUCCESS;
    case CU_GRAPH_NODE_TYPE_EVENT_RECORD:
      run = [handle = params.eventRecord.event] {
        auto it = world().events.find(handle);
        if (it == world().events.end()) return;
        it->second->recorded = it->second->complete = true;
        it->second->time = world().clock += 0.01;
      };
      return CUDA_SUCCESS;
    case CU_GRAPH_NODE_TYPE_EMPTY:
    case CU_GRAPH_NODE_TYPE_WAIT_EVENT:
    case CU_GRAPH_NODE_TYPE_GRAPH:
    case CU_GRAPH_NODE_TYPE_MEM_ALLOC:
    case CU_GRAPH_NODE_TYPE_MEM_FREE:
    case CU_GRAPH_NODE_TYPE_CONDITIONAL: return CUDA_SUCCESS;
    default: return CUDA_ERROR_NOT_SUPPORTED;
  }
}

CUgraph newGraph(bool child) {
  const auto handle = makeHandle<CUgraph>();
  auto graph = std::make_unique<Graph>();
  graph->child = child;
  world().graphs.emplace(handle, std::move(graph));
  return handle;
}

/// A copy of a graph and of those inside; null when it cannot be copied.
CUgraph copyOf(CUgraph from, bool child) {
  World& w = world();
  const CUgraph to = newGraph(child);
  std::map<CUgraphNode, CUgraphNode> twin;
  bool possible = true;
  for (CUgraphNode handle : w.graphs.at(from)->order) {
    const GraphNode& old = nodeOf(handle);
    possible &= !old.memory && old.type != CU_GRAPH_NODE_TYPE_MEM_FREE && old.type != CU_GRAPH_NODE_TYPE_CONDITIONAL;
    twin[handle] = addNode(to, old.type, {}, old.run);
  }
  for (auto& [old, fresh] : twin) {
    for (CUgraphNode before : nodeOf(old).waitsFor) nodeOf(fresh).waitsFor.push_back(twin.at(before));
    nodeOf(fresh).function = nodeOf(old).function;
    for (CUgraph inside : nodeOf(old).children)
      if (CUgraph copied = copyOf(inside, true)) nodeOf(fresh).children.push_back(copied);
      else possible = false;
  }
  Graph& copy = *w.graphs.at(to);
  copy.kept = w.graphs.at(from)->kept;
  for (auto& [object, count] : copy.kept) w.userObjects.at(object)->references += count;
  if (possible) return to;
  destroyGraph(to);
  return nullptr;
}

bool belongs(CUgraph graph, const CUgraphNode* nodes, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    auto it = world().nodes.find(nodes[i]);
    if (it == world().nodes.end() || it->second->graph != graph) return false;
  }
  return true;
}

}  // namespace

FAKE_CUDA(GraphAddNode, CUgraphNode* out, CUgraph handle, const CUgraphNode* before, const CUgraphEdgeData*,
          std::size_t count, CUgraphNodeParams* params) {
  if (!graphOf(handle) || !out || !params || (count && !before) || !belongs(handle, before, count))
    return CUDA_ERROR_INVALID_VALUE;
  World& w = world();
  std::function<void()> run;
  if (CUresult status = prepareNode(*params, run)) return status;
  std::shared_ptr<GraphMemory> memory;
  std::vector<CUgraph> children;
  if (params->type == CU_GRAPH_NODE_TYPE_MEM_ALLOC) {
    Device* device = deviceOf(params->alloc.poolProps.location.id);
    if (!device || !params->alloc.bytesize) return CUDA_ERROR_INVALID_VALUE;
    Memory* made = makeMemory(*device, nullptr, params->alloc.bytesize);
    if (!made) return CUDA_ERROR_OUT_OF_MEMORY;
    memory = std::make_shared<GraphMemory>();
    memory->address = params->alloc.dptr = made->address;
  } else if (params->type == CU_GRAPH_NODE_TYPE_MEM_FREE) {
    bool known = false;
    for (CUgraphNode node : graphOf(handle)->order)
      known |= nodeOf(node).memory && nodeOf(node).memory->address == params->free.dptr;
    if (!known) return CUDA_ERROR_INVALID_VALUE;
  } else if (params->type == CU_GRAPH_NODE_TYPE_GRAPH) {
    if (!graphOf(params->graph.graph) || params->graph.graph == handle) return CUDA_ERROR_INVALID_VALUE;
    const CUgraph copied = copyOf(params->graph.graph, true);
    if (!copied) return CUDA_ERROR_NOT_SUPPORTED;
    children = {copied};
  } else if (params->type == CU_GRAPH_NODE_TYPE_CONDITIONAL) {
    if (!w.conditions.count(params->conditional.handle) || !params->conditional.size) return CUDA_ERROR_INVALID_VALUE;
    for (unsigned i = 0; i < params->conditional.size; ++i) children.push_back(newGraph(true));
  }
  *out = addNode(handle, params->type, {before, before + count}, std::move(run));
  GraphNode& node = nodeOf(*out);
  node.memory = std::move(memory);
  node.children = std::move(children);
  if (params->type == CU_GRAPH_NODE_TYPE_KERNEL)
    node.function = params->kernel.func ? static_cast<const void*>(params->kernel.func) : params->kernel.kern;
  if (params->type == CU_GRAPH_NODE_TYPE_CONDITIONAL) {
    node.condition = params->conditional.handle;
    node.conditionType = params->conditional.type;
    params->conditional.phGraph_out = node.children.data();
  }
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphKernelNodeSetAttribute, CUgraphNode node, CUkernelNodeAttrID id, const CUkernelNodeAttrValue* value) {
  auto it = world().nodes.find(node);
  if (it == world().nodes.end() || !value || it->second->type != CU_GRAPH_NODE_TYPE_KERNEL || id > 16)
    return CUDA_ERROR_INVALID_VALUE;
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphAddDependencies, CUgraph graph, const CUgraphNode* from, const CUgraphNode* to, const CUgraphEdgeData*,
          std::size_t count) {
  if (!graphOf(graph) || !belongs(graph, from, count) || !belongs(graph, to, count)) return CUDA_ERROR_INVALID_VALUE;
  for (std::size_t i = 0; i < count; ++i) nodeOf(to[i]).waitsFor.push_back(from[i]);
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphConditionalHandleCreate, CUgraphConditionalHandle* out, CUgraph handle, CUcontext context,
          unsigned value, unsigned flags) {
  Graph* graph = graphOf(handle);
  if (!graph || !out || !contextOf(context) || flags > CU_GRAPH_COND_ASSIGN_DEFAULT) return CUDA_ERROR_INVALID_VALUE;
  *out = CUgraphConditionalHandle(++world().nextHandle);
  world().conditions[*out] = 0;
  if (flags) graph->defaults[*out] = value;
  return CUDA_SUCCESS;
}

// ---- questions ----

FAKE_CUDA(GraphGetEdges, CUgraph handle, CUgraphNode* from, CUgraphNode* to, CUgraphEdgeData*, std::size_t* count) {
  Graph* graph = graphOf(handle);
  if (!graph || !count) return CUDA_ERROR_INVALID_VALUE;
  std::size_t found = 0;
  for (CUgraphNode node : graph->order)
    for (CUgraphNode before : nodeOf(node).waitsFor) {
      if (from && found < *count) {
        from[found] = before;
        to[found] = node;
      }
      ++found;
    }
  *count = from ? std::min(*count, found) : found;
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphNodeGetType, CUgraphNode node, CUgraphNodeType* type) {
  auto it = world().nodes.find(node);
  if (it == world().nodes.end() || !type) return CUDA_ERROR_INVALID_VALUE;
  *type = it->second->type;
  return CUDA_SUCCESS;
}

FAKE_CUDA(GraphClone, CUgraph* out, CUgraph handle) {
  if (!graphOf(handle) || !out) return CUDA_ERROR_INVALID_VALUE;
  *out = copyOf(handle, false);
  return *out ? CUDA_SUCCESS : CUDA_ERROR_NOT_SUPPORTED;
}

FAKE_CUDA(GraphDebugDotPrint, CUgraph handle, const char* path, unsigned) {
  Graph* graph = graphOf(handle);
  FILE* file = graph && path ? std::fopen(path, "w") : nullptr;
  if (!file) return CUDA_ERROR_INVALID_VALUE;
  std::fputs("digraph dot {\n", file);
  for (CUgraphNode node : graph->order) {
    std::fprintf(file, "  n%p [label=\"%d\"];\n", static_cast<void*>(node), int(nodeOf(node).type));
    for (CUgraphNode before : nodeOf(node).waitsFor)
      std::fprintf(file, "  n%p -> n%p;\n", static_cast<void*>(before), static_cast<void*>(node));
  }
  std::fputs("}\n", file);
  std::fclose(file);
  return CUDA_SUCCESS;
}

// ---- changing what is instantiated ----

FAKE_CUDA(GraphExecUpdate, CUgraphExec handle, CUgraph graphHandle, CUgraphExecUpdateResultInfo* info) {
  GraphExec* exec = execOf(handle);
  Graph* graph = graphOf(graphHandle);
  if (!exec || !graph || !info) return CUDA_ERROR_INVALID_VALUE;
  *info = {};
  CUgraphNode wrong = nullptr;
  auto program = compile(*graph, wrong);
  auto refuse = [&](CUgraphExecUpdateResult why, CUgraphNode node) {
    info->result = why;
    info->errorNode = node;
    return CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE;
  };
  if (!program || program->steps.size() != exec->program->steps.size())
    return refuse(CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED, nullptr);
  for (std::size_t i = 0; i < program->steps.size(); ++i) {
    Program::Step &now = program->steps[i], &old = exec->program->steps[i];
    if (now.type != old.type) return refuse(CU_GRAPH_EXEC_UPDATE_ERROR_NODE_TYPE_CHANGED, now.node);
    if (now.waitsFor.size() != old.waitsFor.size())
      return refuse(CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED, now.node);
    if (now.memory) return refuse(CU_GRAPH_EXEC_UPDATE_ERROR_NOT_SUPPORTED, now.node);
  }
  for (std::size_t i = 0; i < program->steps.size(); ++i) exec->program->steps[i].run = program->steps[i].run;
  std::map<CUuserObject, unsigned> kept;
  addKept(*graph, kept);
  // What waits in streams may still use what it kept so far.
  for (auto& [stream, item] : world().streams)
    if (item->status == CU_STREAM_CAPTURE_STATUS_NONE) drain(*item);
  releaseObjects(exec->kept);
  exec->kept = std::move(kept);
  return CUDA_SUCCESS;
}

namespace {

Program::Step* stepOf(GraphExec* exec, CUgraphNode node) {
  if (exec)
    for (Program::Step& step : exec->program->steps)
      if (step.node == node) return &step;
  return nullptr;
}

}  // namespace

FAKE_CUDA(GraphExecNodeSetParams, CUgraphExec handle, CUgraphNode node, CUgraphNodeParams* params) {
  Program::Step* step = stepOf(execOf(handle), node);
  if (!step || !params || params->type != step->type) return CUDA_ERROR_INVALID_VALUE;
  return prepareNode(*params, step->run);
}

FAKE_CUDA(GraphNodeSetEnabled, CUgraphExec handle, CUgraphNode node, unsigned enabled) {
  Program::Step* step = stepOf(execOf(handle), node);
  if (!step || (step->type != CU_GRAPH_NODE_TYPE_KERNEL && step->type != CU_GRAPH_NODE_TYPE_MEMCPY &&
                step->type != CU_GRAPH_NODE_TYPE_MEMSET))
    return CUDA_ERROR_INVALID_VALUE;
  step->enabled = enabled != 0;
  return CUDA_SUCCESS;
}

FAKE_CUDA(DeviceGraphMemTrim, CUdevice device) { return deviceOf(device) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE; }

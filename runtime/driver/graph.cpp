// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/graph.h"

#include "runtime/driver/captured.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace rad::cuda {

void releaseGraph(const Context& context, CUgraph graph) noexcept {
  context.release<DriverFn::GraphDestroy>("a graph", graph);
}

void releaseGraphExec(const Context& context, CUgraphExec exec) noexcept {
  context.release<DriverFn::GraphExecDestroy>("an instantiated graph", exec);
}

// ---- GraphExec ----

Status GraphExec::launch(const Stream& stream) const {
  return context().call<DriverFn::GraphLaunch>(raw(), stream.raw());
}

Status GraphExec::upload(const Stream& stream) const {
  return context().call<DriverFn::GraphUpload>(raw(), stream.raw());
}

// ---- Graph ----

Result<Graph> Graph::create(const Context& context) {
  CUgraph raw = nullptr;
  RAD_TRY(context.call<DriverFn::GraphCreate>(&raw, 0u));
  if (!raw) return noHandle("graph");
  return Graph(context, raw, true);
}

Graph Graph::borrow(const Context& context, CUgraph graph, std::shared_ptr<const void> keepAlive) {
  return Graph(context, graph, false, std::move(keepAlive));
}

namespace {

/// The driver's form of a launch; the arguments are read during the call.
CUgraphNodeParams kernelParams(const Kernel& kernel, const LaunchConfig& config,
                               std::span<const void* const> arguments) {
  static void* none = nullptr;
  CUgraphNodeParams params{};
  params.type = CU_GRAPH_NODE_TYPE_KERNEL;
  CUDA_KERNEL_NODE_PARAMS_v3& out = params.kernel;
  out.kern = kernel.libraryKernel();
  out.func = out.kern ? nullptr : kernel.raw();
  out.gridDimX = config.grid.x;
  out.gridDimY = config.grid.y;
  out.gridDimZ = config.grid.z;
  out.blockDimX = config.block.x;
  out.blockDimY = config.block.y;
  out.blockDimZ = config.block.z;
  out.sharedMemBytes = config.sharedBytes;
  out.kernelParams = arguments.empty() ? &none : const_cast<void**>(arguments.data());
  out.ctx = kernel.context().raw();
  return params;
}

std::string_view inWords(CUgraphExecUpdateResult result) {
  switch (result) {
    case CU_GRAPH_EXEC_UPDATE_SUCCESS: return "";
    case CU_GRAPH_EXEC_UPDATE_ERROR: return "the driver gives no reason";
    case CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED: return "the graphs have other nodes, or other dependencies";
    case CU_GRAPH_EXEC_UPDATE_ERROR_NODE_TYPE_CHANGED: return "a node is of another type";
    case CU_GRAPH_EXEC_UPDATE_ERROR_FUNCTION_CHANGED:
    case CU_GRAPH_EXEC_UPDATE_ERROR_UNSUPPORTED_FUNCTION_CHANGE:
      return "a node launches a kernel that cannot replace the one before";
    case CU_GRAPH_EXEC_UPDATE_ERROR_PARAMETERS_CHANGED: return "parameters of a node cannot change in this way";
    case CU_GRAPH_EXEC_UPDATE_ERROR_NOT_SUPPORTED: return "a node cannot be changed";
    case CU_GRAPH_EXEC_UPDATE_ERROR_ATTRIBUTES_CHANGED: return "attributes of a node cannot change in this way";
  }
  return "for a reason that this version does not know";
}

std::string_view inWords(CUgraphInstantiateResult result) {
  switch (result) {
    case CUDA_GRAPH_INSTANTIATE_SUCCESS:
    case CUDA_GRAPH_INSTANTIATE_ERROR: return "";
    case CUDA_GRAPH_INSTANTIATE_INVALID_STRUCTURE:
      return "nodes wait for each other in a circle, or a node may not be there";
    case CUDA_GRAPH_INSTANTIATE_NODE_OPERATION_NOT_SUPPORTED: return "a node cannot be launched from the device";
    case CUDA_GRAPH_INSTANTIATE_MULTIPLE_CTXS_NOT_SUPPORTED: return "its nodes belong to several contexts";
    case CUDA_GRAPH_INSTANTIATE_CONDITIONAL_HANDLE_UNUSED:
      return "a condition was made and no conditional node uses it";
  }
  return "";
}

}  // namespace

Result<Node> Graph::add(Nodes after, CUgraphNodeParams& params) {
  Node node = nullptr;
  RAD_TRY(context().call<DriverFn::GraphAddNode>(&node, raw(), after.empty() ? nullptr : after.data(),
                                                 static_cast<const CUgraphEdgeData*>(nullptr), after.size(), &params));
  if (!node) return noHandle("node");
  return node;
}

Result<Node> Graph::addKernelWith(Nodes after, const Kernel& kernel, const LaunchConfig& config,
                                  std::span<const void* const> arguments) {
  RAD_TRY(checkLaunch(kernel, config));
  RAD_TRY(keep(kernel.keepAlive()));
  CUgraphNodeParams params = kernelParams(kernel, config, arguments);
  RAD_ASSIGN(const Node node, add(after, params));
  const LaunchAttributes attributes(config);
  for (unsigned i = 0; i < attributes.count(); ++i)
    RAD_TRY(context().call<DriverFn::GraphKernelNodeSetAttribute>(node, attributes.data()[i].id,
                                                                  &attributes.data()[i].value));
  names_[node] = kernel.name();
  return node;
}

Result<Node> Graph::addCopy(Nodes after, const Place& to, const Place& from, std::size_t width, std::size_t height,
                            std::size_t depth) {
  CUgraphNodeParams params{};
  params.type = CU_GRAPH_NODE_TYPE_MEMCPY;
  params.memcpy.copyCtx = context().raw();
  RAD_ASSIGN(params.memcpy.copyParams, describeCopy(to, from, width, height, depth));
  return add(after, params);
}

Result<Node> Graph::addFill(Nodes after, CUdeviceptr to, std::span<const std::byte> pattern, std::size_t count) {
  if (pattern.size() != 1 && pattern.size() != 2 && pattern.size() != 4)
    return fail(ErrorCategory::Misuse,
                "a node cannot fill memory with a pattern of " + std::to_string(pattern.size()) + " bytes");
  CUgraphNodeParams params{};
  params.type = CU_GRAPH_NODE_TYPE_MEMSET;
  params.memset.dst = to;
  params.memset.elementSize = unsigned(pattern.size());
  params.memset.width = count;
  params.memset.height = 1;
  params.memset.ctx = context().raw();
  std::memcpy(&params.memset.value, pattern.data(), pattern.size());
  return add(after, params);
}

Result<Node> Graph::addFunction(Nodes after, std::function<void()> function) {
  if (!function) return fail(ErrorCategory::Misuse, "a graph was given an empty function to run");
  auto kept = std::make_shared<const std::function<void()>>(std::move(function));
  RAD_TRY(keep(kept));
  CUgraphNodeParams params{};
  params.type = CU_GRAPH_NODE_TYPE_HOST;
  params.host.fn = [](void* data) {
    try {
      (*static_cast<const std::function<void()>*>(data))();
    } catch (const std::exception& e) {
      rt::warn(std::string("a host function in a graph failed: ") + e.what());
    } catch (...) {
      rt::warn("a host function in a graph failed");
    }
  };
  params.host.userData = const_cast<std::function<void()>*>(kept.get());
  return add(after, params);
}

Result<Node> Graph::addEmpty(Nodes after) {
  CUgraphNodeParams params{};
  params.type = CU_GRAPH_NODE_TYPE_EMPTY;
  return add(after, params);
}

Result<Node> Graph::addRecord(Nodes after, const Event& event) {
  RAD_TRY(keep(event.keepAlive()));
  CUgraphNodeParams params{};
  params.type = CU_GRAPH_NODE_TYPE_EVENT_RECORD;
  params.eventRecord.event = event.raw();
  return add(after, params);
}

Result<Node> Graph::addWait(Nodes after, const Event& event) {
  RAD_TRY(keep(event.keepAlive()));
  CUgraphNodeParams params{};
  params.type = CU_GRAPH_NODE_TYPE_WAIT_EVENT;
  params.eventWait.event = event.raw();
  return add(after, params);
}

Result<Node> Graph::addGraph(Nodes after, const Graph& graph) {
  CUgraphNodeParams params{};
  params.type = CU_GRAPH_NODE_TYPE_GRAPH;
  params.graph.graph = graph.raw();
  params.graph.ownership = CU_GRAPH_CHILD_GRAPH_OWNERSHIP_CLONE;
  return add(after, params);  // and keeps what the other graph keeps
}

Result<AllocationNode> Graph::addAllocation(Nodes after, std::size_t bytes) {
  CUgraphNodeParams params{};
  params.type = CU_GRAPH_NODE_TYPE_MEM_ALLOC;
  params.alloc.poolProps.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  params.alloc.poolProps.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
  params.alloc.poolProps.location.id = context() ? context().device().raw() : 0;
  params.alloc.bytesize = bytes;
  AllocationNode out;
  if (auto node = add(after, params); node) out.node = *node;
  else return fail(explainAllocation(context(), std::move(node).error(), bytes));
  out.address = params.alloc.dptr;
  if (!out.address) return noHandle("device memory");
  return out;
}

Result<Node> Graph::addFree(Nodes after, CUdeviceptr address) {
  CUgraphNodeParams params{};
  params.type = CU_GRAPH_NODE_TYPE_MEM_FREE;
  params.free.dptr = address;
  return add(after, params);
}

Result<CUgraphConditionalHandle> Graph::makeCondition(std::optional<unsigned> initial) {
  CUgraphConditionalHandle handle{};
  RAD_TRY(context().call<DriverFn::GraphConditionalHandleCreate>(
      &handle, raw(), context().raw(), initial.value_or(0), initial ? unsigned(CU_GRAPH_COND_ASSIGN_DEFAULT) : 0u));
  return handle;
}

Result<ConditionalNode> Graph::addConditional(Nodes after, Condition kind, CUgraphConditionalHandle condition,
                                              unsigned bodies) {
  const unsigned most = kind == Condition::While ? 1 : kind == Condition::If ? 2 : 1u << 16;
  if (bodies == 0 || bodies > most)
    return fail(ErrorCategory::Misuse, "a conditional node was given " + std::to_string(bodies) +
                                           " bodies, and its kind has 1 to " + std::to_string(most));
  CUgraphNodeParams params{};
  params.type = CU_GRAPH_NODE_TYPE_CONDITIONAL;
  params.conditional.handle = condition;
  params.conditional.type = kind == Condition::If      ? CU_GRAPH_COND_TYPE_IF
                            : kind == Condition::While ? CU_GRAPH_COND_TYPE_WHILE
                                                       : CU_GRAPH_COND_TYPE_SWITCH;
  params.conditional.size = bodies;
  params.conditional.ctx = context().raw();
  ConditionalNode out;
  RAD_ASSIGN(out.node, add(after, params));
  for (unsigned i = 0; i < bodies; ++i) {
    out.bodies.push_back(borrow(context(), params.conditional.phGraph_out[i], keepAlive()));
    out.bodies.back().keeper_ = keeper_ ? keeper_ : raw();
  }
  return out;
}

Status Graph::addDependency(Node before, Node after) {
  return context().call<DriverFn::GraphAddDependencies>(raw(), static_cast<const CUgraphNode*>(&before),
                                                        static_cast<const CUgraphNode*>(&after),
                                                        static_cast<const CUgraphEdgeData*>(nullptr), std::size_t(1));
}

void Graph::name(Node node, std::string text) { names_[node] = std::move(text); }

Status Graph::keep(std::shared_ptr<const void> object) {
  return keepWithGraph(context(), keeper_ ? keeper_ : raw(), std::move(object));
}

Result<std::vector<Node>> Graph::nodes() const {
  std::size_t count = 0;
  RAD_TRY(context().call<DriverFn::GraphGetNodes>(raw(), static_cast<CUgraphNode*>(nullptr), &count));
  std::vector<Node> nodes(count);
  if (count) RAD_TRY(context().call<DriverFn::GraphGetNodes>(raw(), nodes.data(), &count));
  nodes.resize(count);
  return nodes;
}

Result<std::vector<std::pair<Node, Node>>> Graph::edges() const {
  std::size_t count = 0;
  CUgraphNode* const nobody = nullptr;
  CUgraphEdgeData* const plain = nullptr;
  RAD_TRY(context().call<DriverFn::GraphGetEdges>(raw(), nobody, nobody, plain, &count));
  std::vector<Node> from(count), to(count);
  std::vector<CUgraphEdgeData> data(count);
  if (count) RAD_TRY(context().call<DriverFn::GraphGetEdges>(raw(), from.data(), to.data(), data.data(), &count));
  std::vector<std::pair<Node, Node>> edges;
  for (std::size_t i = 0; i < count; ++i) edges.emplace_back(from[i], to[i]);
  return edges;
}

Result<CUgraphNodeType> Graph::typeOf(Node node) const {
  CUgraphNodeType type{};
  RAD_TRY(context().call<DriverFn::GraphNodeGetType>(node, &type));
  return type;
}

Result<Graph> Graph::clone() const {
  CUgraph copy = nullptr;
  RAD_TRY(context().call<DriverFn::GraphClone>(&copy, raw()));
  if (!copy) return noHandle("graph");
  return Graph(context(), copy, true);
}

Result<std::string> Graph::dot(unsigned flags) const {
  const char* folder = std::getenv("TMPDIR");
  std::string path = std::string(folder ? folder : "/tmp") + "/graph-XXXXXX";
  const int file = mkstemp(path.data());
  if (file < 0)
    return fail(ErrorCategory::System, "a temporary file cannot be made as '" + path + "'",
                "Set TMPDIR to a folder that can be written.");
  close(file);
  Status printed = context().call<DriverFn::GraphDebugDotPrint>(raw(), static_cast<const char*>(path.c_str()), flags);
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  std::remove(path.c_str());
  RAD_TRY(std::move(printed));
  return text.str();
}

std::string Graph::describe(Node node) const {
  if (auto it = names_.find(node); it != names_.end()) return "node '" + it->second + '\'';
  if (auto all = nodes())
    for (std::size_t i = 0; i < all->size(); ++i)
      if ((*all)[i] == node) return "node " + std::to_string(i);
  return "a node";
}

Result<GraphExec> Graph::instantiate(GraphOptions options) const {
  CUDA_GRAPH_INSTANTIATE_PARAMS params{};
  if (options.freeOnLaunch) params.flags |= CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH;
  if (options.nodePriorities) params.flags |= CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY;
  CUgraphExec exec = nullptr;
  Status made = context().call<DriverFn::GraphInstantiateWithParams>(&exec, raw(), &params);
  if (!made) {
    Error error = std::move(made).error();
    if (const auto why = inWords(params.result_out); !why.empty())
      error.message = "a graph cannot be instantiated: " + std::string(why);
    if (params.hErrNode_out) error.message += " (" + describe(params.hErrNode_out) + ')';
    return fail(std::move(error));
  }
  if (!exec) return noHandle("instantiated graph");
  return GraphExec(context(), exec, true);
}

// ---- changing what is instantiated ----

Result<GraphUpdate> GraphExec::update(const Graph& graph) {
  GraphUpdate update;
  CUgraphExecUpdateResultInfo info{};
  Status done = context().call<DriverFn::GraphExecUpdate>(raw(), graph.raw(), &info);
  if (done) {
    update.done = true;
    keep_.clear();  // the new graph's kernels are in all nodes
    return update;
  }
  if (done.error().code != CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE) return fail(std::move(done).error());
  update.result = info.result;
  update.node = info.errorNode;
  update.why = inWords(info.result);
  return update;
}

Result<GraphUpdate> GraphExec::updateOrRebuild(const Graph& graph) {
  RAD_ASSIGN(GraphUpdate done, update(graph));
  if (!done.done) {
    RAD_ASSIGN(*this, graph.instantiate());
  }
  return done;
}

Status GraphExec::setKernelWith(Node node, const Kernel& kernel, const LaunchConfig& config,
                                std::span<const void* const> arguments) {
  RAD_TRY(checkLaunch(kernel, config));
  CUgraphNodeParams params = kernelParams(kernel, config, arguments);
  RAD_TRY(context().call<DriverFn::GraphExecNodeSetParams>(raw(), node, &params));
  keep_[node] = kernel.keepAlive();
  return {};
}

Status GraphExec::setEnabled(Node node, bool enabled) {
  return context().call<DriverFn::GraphNodeSetEnabled>(raw(), node, unsigned(enabled));
}

Status trimGraphMemory(const Context& context) {
  if (!context) return fail(ErrorCategory::Misuse, "memory of an empty context was trimmed");
  return context.call<DriverFn::DeviceGraphMemTrim>(context.device().raw());
}

// ---- Capture ----

namespace {

CUstreamCaptureMode modeOf(CaptureMode mode) {
  switch (mode) {
    case CaptureMode::ThreadLocal: return CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
    case CaptureMode::Relaxed: return CU_STREAM_CAPTURE_MODE_RELAXED;
    case CaptureMode::Global: return CU_STREAM_CAPTURE_MODE_GLOBAL;
  }
  return CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
}

}  // namespace

Result<Capture> Capture::begin(const Stream& stream, CaptureMode mode) {
  RAD_TRY(stream.context().call<DriverFn::StreamBeginCapture>(stream.raw(), modeOf(mode)));
  ++capturesNow;
  return Capture(stream.context(), stream.keepAlive(), stream.raw());
}

Result<Graph> Capture::end() {
  if (!stream_) return fail(ErrorCategory::Misuse, "a capture was ended twice");
  --capturesNow;
  CUgraph graph = nullptr;
  Status ended = context_.call<DriverFn::StreamEndCapture>(std::exchange(stream_, nullptr), &graph);
  if (!ended) {
    Error error = std::move(ended).error();
    if (error.code == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED)
      error.message =
          "nothing was captured: a call that is not allowed while "
          "work is captured had failed before";
    return fail(std::move(error));
  }
  if (!graph) return noHandle("graph");
  return Graph(context_, graph, true);
}

Capture::~Capture() {
  if (!stream_) return;
  --capturesNow;
  // A capture that failed inside ends with "invalidated": that is the answer.
  CUgraph graph = nullptr;
  Status ended = context_.call<DriverFn::StreamEndCapture>(stream_, &graph);
  if (graph) context_.release<DriverFn::GraphDestroy>("a graph", graph);
  if (!ended && ended.error().category != ErrorCategory::Capture && ended.error().category != ErrorCategory::Dead)
    rt::warnReleaseFailed("a capture", ended.error());
}

}  // namespace rad::cuda

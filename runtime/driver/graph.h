// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Graphs: work that is described once, by hand or by capturing a stream, and
/// launched as a whole many times.

#include "runtime/driver/copy.h"
#include "runtime/driver/launch.h"

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rad::cuda {

class Graph;
void releaseGraph(const Context& context, CUgraph graph) noexcept;
void releaseGraphExec(const Context& context, CUgraphExec exec) noexcept;

/// A node of a graph; belongs to it, and is valid as long as it.
using Node = CUgraphNode;
/// The nodes that a new one waits for.
using Nodes = std::span<const Node>;

/// What became of GraphExec::update().
struct GraphUpdate {
  bool done = false;  ///< later launches do the new work
  CUgraphExecUpdateResult result = CU_GRAPH_EXEC_UPDATE_SUCCESS;
  Node node = nullptr;  ///< of the new graph: the one that cannot be taken
  std::string why;      ///< in words; empty when it is done
};

/// A graph that can be launched. Not thread-safe: one thread at a time.
class GraphExec : public Handle<CUgraphExec, releaseGraphExec> {
 public:
  /// Does the work of the graph in the order of the stream. A launch of the same
  /// GraphExec waits for the one before it.
  Status launch(const Stream& stream) const;
  /// Brings what a launch needs onto the device ahead of it.
  Status upload(const Stream& stream) const;

  /// Takes over what another graph of the same shape says: other arguments, sizes
  /// and addresses. Launches that wait already do the old work. A graph of
  /// another shape is an answer, not a failure.
  Result<GraphUpdate> update(const Graph& graph);
  /// The same; where it cannot be, instantiates the graph afresh. Tells which.
  Result<GraphUpdate> updateOrRebuild(const Graph& graph);

  /// Other arguments for one kernel node of the graph it was made of.
  template <class... Args>
    requires(std::is_trivially_copyable_v<Args> && ...)
  Status setKernel(Node node, const Kernel& kernel, const LaunchConfig& config, const Args&... args) {
    const std::array<std::size_t, sizeof...(Args)> sizes{sizeof(Args)...};
    RAD_TRY(checkArguments(kernel, sizes));
    const std::array<const void*, sizeof...(Args)> addresses{&args...};
    return setKernelWith(node, kernel, config, addresses);
  }
  Status setKernelWith(Node node, const Kernel& kernel, const LaunchConfig& config,
                       std::span<const void* const> arguments);
  /// Leaves a node (kernel, copy, fill) out of later launches, or puts it back.
  Status setEnabled(Node node, bool enabled);

 private:
  friend class Graph;
  using Handle::Handle;
  std::map<Node, std::shared_ptr<const void>> keep_;  ///< of setKernel()
};

struct GraphOptions {
  /// Memory that nodes allocate and nobody frees is freed by the next launch.
  bool freeOnLaunch = false;
  /// Nodes have the priorities they were made with, not the stream's.
  bool nodePriorities = false;
};

/// Which body of a conditional node runs.
enum class Condition : std::uint8_t {
  If,      ///< body 0 when the value is not 0, else body 1 if there is one
  While,   ///< body 0 as long as the value is not 0
  Switch,  ///< the body with the number of the value; none beyond the last
};

struct AllocationNode {
  Node node = nullptr;
  CUdeviceptr address = 0;
};

struct ConditionalNode;

/// A description of work: nodes and what each waits for. Kernels, functions and
/// events that are added or captured are kept alive by the graph, its copies and
/// what is instantiated of them. Memory, which nodes name by its address, and
/// LaunchConfig::whenBegun are not: keep() does that.
/// Not thread-safe: one thread at a time.
class Graph : public Handle<CUgraph, releaseGraph> {
 public:
  static Result<Graph> create(const Context& context);
  static Graph borrow(const Context& context, CUgraph graph, std::shared_ptr<const void> keepAlive = {});

  /// A launch of a kernel. The arguments are copied now.
  template <class... Args>
    requires(std::is_trivially_copyable_v<Args> && ...)
  Result<Node> addKernel(Nodes after, const Kernel& kernel, const LaunchConfig& config, const Args&... args) {
    const std::array<std::size_t, sizeof...(Args)> sizes{sizeof(Args)...};
    RAD_TRY(checkArguments(kernel, sizes));
    const std::array<const void*, sizeof...(Args)> addresses{&args...};
    return addKernelWith(after, kernel, config, addresses);
  }
  Result<Node> addKernelWith(Nodes after, const Kernel& kernel, const LaunchConfig& config,
                             std::span<const void* const> arguments);
  /// A copy, as copy3D() does it.
  Result<Node> addCopy(Nodes after, const Place& to, const Place& from, std::size_t width, std::size_t height = 1,
                       std::size_t depth = 1);
  /// A fill with a pattern of 1, 2 or 4 bytes.
  Result<Node> addFill(Nodes after, CUdeviceptr to, std::span<const std::byte> pattern, std::size_t count);
  /// A function of the host; the rules of Stream::then() hold.
  Result<Node> addFunction(Nodes after, std::function<void()> function);
  /// Nothing: a point to wait for.
  Result<Node> addEmpty(Nodes after);
  Result<Node> addRecord(Nodes after, const Event& event);
  Result<Node> addWait(Nodes after, const Event& event);
  /// All of another graph as it is now.
  Result<Node> addGraph(Nodes after, const Graph& graph);
  /// Memory that is there from this node to addFree(), or until the graph is
  /// launched again with GraphOptions::freeOnLaunch. Such a graph can be
  /// instantiated once at a time, and not be copied.
  Result<AllocationNode> addAllocation(Nodes after, std::size_t bytes);
  Result<Node> addFree(Nodes after, CUdeviceptr address);
  /// A value that kernels set (cudaGraphSetConditional). With `initial`, each
  /// launch starts with it.
  Result<CUgraphConditionalHandle> makeCondition(std::optional<unsigned> initial = {});
  /// Bodies that run as the condition says; they are filled through the graphs
  /// in the result.
  Result<ConditionalNode> addConditional(Nodes after, Condition kind, CUgraphConditionalHandle condition,
                                         unsigned bodies = 1);

  Status addDependency(Node before, Node after);
  /// Names a node for messages.
  void name(Node node, std::string text);
  /// Keeps an object alive as long as the graph and what is made of it.
  Status keep(std::shared_ptr<const void> object);

  /// The nodes, in the order in which they were added.
  Result<std::vector<Node>> nodes() const;
  /// Who waits for whom: (before, after).
  Result<std::vector<std::pair<Node, Node>>> edges() const;
  Result<CUgraphNodeType> typeOf(Node node) const;
  Result<Graph> clone() const;
  /// The graph in the language of Graphviz; `flags`: CU_GRAPH_DEBUG_DOT_FLAGS_...
  Result<std::string> dot(unsigned flags = 0) const;

  /// Makes it ready to be launched. A failure names the node.
  Result<GraphExec> instantiate(GraphOptions options = {}) const;

 private:
  friend class Capture;
  using Handle::Handle;
  Result<Node> add(Nodes after, CUgraphNodeParams& params);
  std::string describe(Node node) const;
  std::map<Node, std::string> names_;
  /// Of a body: the graph around all bodies, which keeps for them, since what is
  /// instantiated of it keeps the same.
  CUgraph keeper_ = nullptr;
};

struct ConditionalNode {
  Node node = nullptr;
  std::vector<Graph> bodies;  ///< borrowed: they are the node's
};

/// Gives memory that graphs have used, and do not now, back to the device.
Status trimGraphMemory(const Context& context);

/// Which calls of other threads and streams are refused while a capture goes on.
enum class CaptureMode : std::uint8_t {
  ThreadLocal,  ///< what may wait is refused on this thread
  Relaxed,      ///< nothing is refused; end() may come from any thread
  Global,       ///< what may wait is refused on all threads
};

/// Captures the work of a stream from its making to end(). Ends the capture and
/// drops what was captured when it goes before.
class Capture {
 public:
  static Result<Capture> begin(const Stream& stream, CaptureMode mode = CaptureMode::ThreadLocal);
  Capture(Capture&& other) noexcept
      : context_(std::move(other.context_)),
        keep_(std::move(other.keep_)),
        stream_(std::exchange(other.stream_, nullptr)) {}
  Capture& operator=(Capture&&) = delete;
  ~Capture();

  /// Ends the capture. Fails (Capture) when a call was made that is not allowed
  /// while work is captured, or when work in other streams was not joined.
  Result<Graph> end();

 private:
  Capture(Context context, std::shared_ptr<const void> keep, CUstream stream)
      : context_(std::move(context)), keep_(std::move(keep)), stream_(stream) {}
  Context context_;
  std::shared_ptr<const void> keep_;
  CUstream stream_;
};

/// Captures what `body` (a function that returns Status) asks of the stream. The
/// capture ends in every case, also when `body` throws.
template <class Body>
Result<Graph> capture(const Stream& stream, Body&& body, CaptureMode mode = CaptureMode::ThreadLocal) {
  RAD_ASSIGN(Capture scope, Capture::begin(stream, mode));
  if (Status done = std::forward<Body>(body)(); !done) return fail(std::move(done).error());
  return scope.end();
}

}  // namespace rad::cuda

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Graphs: built by hand, instantiated, updated, nested, with memory and
// conditions, printed.

#include "test/unit/driver/kernels.h"

#include <atomic>

namespace rad::cuda {
namespace {

using namespace test_kernels;

class Graphs : public WithKernels {
 protected:
  template <class T>
  static std::span<const std::byte> bytes(const T& value) {
    return std::as_bytes(std::span(&value, 1));
  }
};
RAD_ON_EACH(Graphs);

TEST_P(Graphs, WhatIsBuiltGivesWhatTheStreamGives) {
  constexpr std::uint32_t n = 256;
  ASSERT_MADE(Memory x, filled(n, 0.f));
  ASSERT_MADE(Memory y, filled(n, 0.f));
  ASSERT_MADE(Event event, Event::create(context_));
  std::vector<float> back(n);
  std::atomic<int> calls{0};
  ASSERT_MADE(Graph graph, Graph::create(context_));
  {
    ASSERT_MADE(Kernel saxpy, kernel(test::saxpyPtx(), "saxpy"));
    ASSERT_MADE(const Node two, graph.addFill({}, x.address(), bytes(2.f), n));
    ASSERT_MADE(const Node one, graph.addFill({}, y.address(), bytes(1.f), n));
    const Node both[] = {two, one};
    ASSERT_MADE(const Node meet, graph.addEmpty(both));
    ASSERT_MADE(const Node compute,
                graph.addKernel({&meet, 1}, saxpy, {.block = {256}}, 3.f, x.address(), y.address(), n));
    ASSERT_MADE(const Node mark, graph.addRecord({&compute, 1}, event));
    ASSERT_MADE(const Node read,
                graph.addCopy({&mark, 1}, Place::onHost(back.data()), Place::onDevice(y.address()), n * 4));
    ASSERT_OK(graph.addFunction({&read, 1}, [&] { ++calls; }));
    EXPECT_EQ(graph.typeOf(compute).value_or(CU_GRAPH_NODE_TYPE_EMPTY), CU_GRAPH_NODE_TYPE_KERNEL);
  }  // the graph keeps the kernel
  EXPECT_EQ(graph.nodes().value_or(std::vector<Node>()).size(), 7u);
  EXPECT_EQ(graph.edges().value_or(std::vector<std::pair<Node, Node>>()).size(), 6u);
  ASSERT_MADE(const std::string dot, graph.dot());
  EXPECT_NE(dot.find("digraph"), std::string::npos);
  EXPECT_NE(dot.find("->"), std::string::npos);
  ASSERT_MADE(Graph copy, graph.clone());
  ASSERT_MADE(GraphExec exec, copy.instantiate());
  copy = Graph();
  graph = Graph();
  for (int round = 1; round <= 3; ++round) {
    std::ranges::fill(back, 0.f);
    ASSERT_OK(exec.launch(stream_));
    ASSERT_OK(stream_.synchronize());
    for (float value : back) ASSERT_EQ(value, 7.f);
    EXPECT_EQ(calls, round);
  }
  EXPECT_OK(event.synchronize());
}

TEST_P(Graphs, ArgumentsChangeInPlace) {
  ASSERT_MADE(Kernel count, kernel(countPtx(), "count"));
  ASSERT_MADE(Memory first, filled(1, std::uint32_t(0)));
  ASSERT_MADE(Memory second, filled(1, std::uint32_t(0)));
  const auto build = [&](const Memory& to, unsigned by) -> Result<Graph> {
    RAD_ASSIGN(Graph graph, Graph::create(context_));
    RAD_TRY(graph.addKernel({}, count, {.grid = {2}}, to.address(), by));
    return graph;
  };
  ASSERT_MADE(Graph graph, build(first, 1));
  ASSERT_MADE(GraphExec exec, graph.instantiate());
  ASSERT_OK(exec.launch(stream_));
  ASSERT_MADE(Graph other, build(second, 10));
  ASSERT_MADE(GraphUpdate update, exec.update(other));
  EXPECT_TRUE(update.done) << update.why;
  ASSERT_OK(exec.launch(stream_));
  EXPECT_EQ(contentOf<std::uint32_t>(first)[0], 2u);
  EXPECT_EQ(contentOf<std::uint32_t>(second)[0], 20u);

  ASSERT_MADE(const auto nodes, graph.nodes());
  ASSERT_OK(exec.setKernel(nodes[0], count, {.grid = {1}}, first.address(), 100u));
  ASSERT_OK(exec.launch(stream_));
  EXPECT_EQ(contentOf<std::uint32_t>(first)[0], 102u);
  EXPECT_FAILS(exec.setKernel(nodes[0], count, {}, first.address()), "takes 2 arguments");
  ASSERT_OK(exec.setEnabled(nodes[0], false));
  ASSERT_OK(exec.launch(stream_));
  EXPECT_EQ(contentOf<std::uint32_t>(first)[0], 102u);
  ASSERT_OK(exec.setEnabled(nodes[0], true));
  ASSERT_OK(exec.launch(stream_));
  EXPECT_EQ(contentOf<std::uint32_t>(first)[0], 202u);
}

TEST_P(Graphs, AnotherShapeIsAnAnswerAndIsBuiltAfresh) {
  ASSERT_MADE(Memory memory, filled(4, std::uint32_t(0)));
  ASSERT_MADE(Graph graph, Graph::create(context_));
  ASSERT_OK(graph.addFill({}, memory.address(), bytes(1u), 1));
  ASSERT_MADE(GraphExec exec, graph.instantiate());
  ASSERT_MADE(Graph larger, Graph::create(context_));
  ASSERT_OK(larger.addFill({}, memory.address(), bytes(5u), 2));
  ASSERT_OK(larger.addFill({}, memory.address() + 8, bytes(6u), 2));
  ASSERT_MADE(GraphUpdate update, exec.update(larger));
  EXPECT_FALSE(update.done);
  EXPECT_EQ(update.result, CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED);
  EXPECT_EQ(update.why, "the graphs have other nodes, or other dependencies");
  ASSERT_OK(exec.launch(stream_));  // as it was
  EXPECT_EQ(contentOf<std::uint32_t>(memory)[3], 0u);
  ASSERT_MADE(update, exec.updateOrRebuild(larger));
  EXPECT_FALSE(update.done);
  ASSERT_OK(exec.launch(stream_));
  EXPECT_EQ(contentOf<std::uint32_t>(memory), (std::vector<std::uint32_t>{5, 5, 6, 6}));
}

TEST_P(Graphs, ACircleIsRefusedAndTheNodeNamed) {
  ASSERT_MADE(Graph graph, Graph::create(context_));
  ASSERT_MADE(const Node a, graph.addEmpty({}));
  ASSERT_MADE(const Node b, graph.addEmpty({&a, 1}));
  graph.name(a, "first");
  graph.name(b, "second");
  // The driver may notice the circle here or when the graph is instantiated.
  if (graph.addDependency(b, a)) {
    auto exec = graph.instantiate();
    ASSERT_FALSE(exec);
    EXPECT_NE(errorOf(exec).find("cannot be instantiated"), std::string::npos) << errorOf(exec);
  }
}

TEST_P(Graphs, OneGraphCanBeInAnother) {
  ASSERT_MADE(Memory memory, filled(2, std::uint32_t(0)));
  ASSERT_MADE(Graph outer, Graph::create(context_));
  std::weak_ptr<int> watch;
  {
    ASSERT_MADE(Kernel count, kernel(countPtx(), "count"));
    ASSERT_MADE(Graph inner, Graph::create(context_));
    ASSERT_OK(inner.addKernel({}, count, {}, memory.address(), 5u));
    auto kept = std::make_shared<int>(1);
    watch = kept;
    ASSERT_OK(inner.keep(kept));
    ASSERT_MADE(const Node first, outer.addGraph({}, inner));
    ASSERT_OK(outer.addGraph({&first, 1}, inner));
  }
  {
    ASSERT_MADE(GraphExec exec, outer.instantiate());
    ASSERT_OK(exec.launch(stream_));
    ASSERT_OK(exec.launch(stream_));
    EXPECT_EQ(contentOf<std::uint32_t>(memory)[0], 20u);
    EXPECT_FALSE(watch.expired());
  }
  outer = Graph();
  for (int i = 0; i < 1000 && !watch.expired(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(watch.expired());
}

TEST_P(Graphs, NodesAllocateAndFree) {
  ASSERT_MADE(Kernel count, kernel(countPtx(), "count"));
  ASSERT_MADE(Memory result, filled(1, std::uint32_t(0)));
  {
    ASSERT_MADE(Graph graph, Graph::create(context_));
    ASSERT_MADE(const AllocationNode made, graph.addAllocation({}, 4096));
    ASSERT_MADE(const Node zero, graph.addFill({&made.node, 1}, made.address, bytes(7u), 1024));
    ASSERT_MADE(const Node add, graph.addKernel({&zero, 1}, count, {.grid = {3}}, made.address, 2u));
    ASSERT_MADE(const Node read,
                graph.addCopy({&add, 1}, Place::onDevice(result.address()), Place::onDevice(made.address), 4));
    ASSERT_OK(graph.addFree({&read, 1}, made.address));
    EXPECT_FALSE(graph.clone()) << "memory of nodes cannot be copied";
    ASSERT_MADE(GraphExec exec, graph.instantiate());
    for (int i = 0; i < 3; ++i) ASSERT_OK(exec.launch(stream_));
    EXPECT_EQ(contentOf<std::uint32_t>(result)[0], 13u);
  }
  EXPECT_OK(trimGraphMemory(context_));
}

TEST_P(Graphs, ConditionsChooseWhatRuns) {
  ASSERT_MADE(Kernel count, kernel(countPtx(), "count"));
  ASSERT_MADE(Memory memory, filled(4, std::uint32_t(0)));
  ASSERT_MADE(Graph graph, Graph::create(context_));
  const auto slot = [&](unsigned i) { return memory.address() + i * 4; };
  ASSERT_MADE(const auto yes, graph.makeCondition(1));
  ASSERT_MADE(const auto no, graph.makeCondition(0));
  ASSERT_MADE(const auto second, graph.makeCondition(1));
  ASSERT_MADE(ConditionalNode runs, graph.addConditional({}, Condition::If, yes));
  ASSERT_OK(runs.bodies[0].addKernel({}, count, {}, slot(0), 1u));
  ASSERT_MADE(ConditionalNode rests, graph.addConditional({}, Condition::If, no));
  ASSERT_OK(rests.bodies[0].addKernel({}, count, {}, slot(1), 1u));
  ASSERT_MADE(ConditionalNode chosen, graph.addConditional({}, Condition::Switch, second, 2));
  ASSERT_OK(chosen.bodies[0].addKernel({}, count, {}, slot(2), 1u));
  ASSERT_OK(chosen.bodies[1].addKernel({}, count, {}, slot(3), 1u));
  ASSERT_MADE(GraphExec exec, graph.instantiate());
  ASSERT_OK(exec.launch(stream_));
  ASSERT_OK(exec.launch(stream_));
  EXPECT_EQ(contentOf<std::uint32_t>(memory), (std::vector<std::uint32_t>{2, 0, 0, 2}));
  EXPECT_FAILS(graph.addConditional({}, Condition::While, yes, 2), "its kind has 1 to 1");
}

// What a graph launches stays loaded as long as the graph, or what is instantiated of it. The fake ends the process
// where a graph launches a kernel whose library is gone.

TEST_P(Graphs, ACaptureKeepsTheKernelsItLaunches) {
  ASSERT_MADE(Memory memory, filled(1, std::uint32_t(0)));
  ASSERT_MADE(Stream side, Stream::create(context_));
  GraphExec exec;
  {
    Graph graph;
    {
      ASSERT_MADE(Library library, Library::load(context_, Image::ptx(countPtx())));
      ASSERT_MADE(Module module, Module::load(context_, Image::ptx(countPtx())));
      ASSERT_MADE(Kernel ofLibrary, library.kernel("count"));
      ASSERT_MADE(Kernel ofModule, module.kernel("count"));
      ASSERT_MADE(Kernel aside, kernel(countPtx(), "count"));
      ASSERT_MADE(graph, capture(stream_, [&]() -> Status {
                    RAD_TRY(launch(stream_, ofLibrary, {}, memory.address(), 1u));
                    RAD_TRY(side.waitFor(stream_));  // a stream that the capture reaches
                    RAD_TRY(launch(side, aside, {}, memory.address(), 10u));
                    RAD_TRY(stream_.waitFor(side));
                    return launch(stream_, ofModule, {}, memory.address(), 100u);
                  }));
    }
    if (!onGpu()) {
      EXPECT_EQ(fake().live("library") + fake().live("module"), 3);
    }
    ASSERT_MADE(exec, graph.instantiate());
  }
  for (int i = 0; i < 3; ++i) ASSERT_OK(exec.launch(stream_));
  EXPECT_EQ(contentOf<std::uint32_t>(memory)[0], 333u);
  exec = GraphExec();
  if (onGpu()) return;
  drainRetired();
  EXPECT_EQ(fake().live("library") + fake().live("module"), 0);
}

TEST_P(Graphs, ACaptureThatOtherCodeBeganKeepsTheKernelsToo) {
  ASSERT_MADE(Memory memory, filled(1, std::uint32_t(0)));
  const Stream borrowed = Stream::borrow(context_, stream_.raw());
  CUgraph raw = nullptr;
  {
    ASSERT_MADE(Kernel count, kernel(countPtx(), "count"));
    ASSERT_MADE(PreparedLaunch prepared, PreparedLaunch::make(borrowed, count, {}, memory.address(), 10u));
    ASSERT_OK(context_.call<DriverFn::StreamBeginCapture>(stream_.raw(), CU_STREAM_CAPTURE_MODE_RELAXED));
    EXPECT_OK(launch(borrowed, count, {}, memory.address(), 1u));
    EXPECT_OK(prepared.launch());
    ASSERT_OK(context_.call<DriverFn::StreamEndCapture>(stream_.raw(), &raw));
  }
  const Graph graph = Graph::borrow(context_, raw);
  {
    ASSERT_MADE(GraphExec exec, graph.instantiate());
    ASSERT_OK(exec.launch(stream_));
    EXPECT_EQ(contentOf<std::uint32_t>(memory)[0], 11u);
  }
  EXPECT_OK(context_.call<DriverFn::GraphDestroy>(raw));
}

TEST_P(Graphs, BodiesAndChildrenKeepTheKernelsTheyLaunch) {
  ASSERT_MADE(Memory memory, filled(2, std::uint32_t(0)));
  GraphExec exec;
  {
    ASSERT_MADE(Graph graph, Graph::create(context_));
    ASSERT_MADE(const auto yes, graph.makeCondition(1));
    ASSERT_MADE(ConditionalNode branch, graph.addConditional({}, Condition::If, yes));
    {
      ASSERT_MADE(Kernel count, kernel(countPtx(), "count"));
      ASSERT_OK(branch.bodies[0].addKernel({}, count, {}, memory.address(), 1u));
    }
    {
      ASSERT_MADE(Kernel count, kernel(countPtx(), "count"));
      ASSERT_MADE(Graph inner, capture(stream_, [&] { return launch(stream_, count, {}, memory.address() + 4, 2u); }));
      ASSERT_OK(graph.addGraph({&branch.node, 1}, inner));
    }
    ASSERT_MADE(exec, graph.instantiate());
  }
  ASSERT_OK(exec.launch(stream_));
  ASSERT_OK(exec.launch(stream_));
  EXPECT_EQ(contentOf<std::uint32_t>(memory), (std::vector<std::uint32_t>{2, 4}));
}

TEST_P(Graphs, WhatReplacesAKernelIsKept) {
  ASSERT_MADE(Memory memory, filled(1, std::uint32_t(0)));
  ASSERT_MADE(Graph graph, Graph::create(context_));
  {
    ASSERT_MADE(Kernel count, kernel(countPtx(), "count"));
    ASSERT_OK(graph.addKernel({}, count, {}, memory.address(), 1u));
  }
  ASSERT_MADE(const auto nodes, graph.nodes());
  ASSERT_MADE(GraphExec exec, graph.instantiate());
  for (int i = 0; i < 3; ++i) {  // each in the place of the one before
    ASSERT_MADE(Kernel count, kernel(countPtx(), "count"));
    ASSERT_OK(exec.setKernel(nodes[0], count, {}, memory.address(), 10u));
  }
  if (!onGpu()) {
    EXPECT_EQ(fake().live("library"), 2) << "the graph's, and the last one";
  }
  ASSERT_OK(exec.launch(stream_));
  {
    ASSERT_MADE(Graph other, Graph::create(context_));
    ASSERT_MADE(Kernel count, kernel(countPtx(), "count"));
    ASSERT_OK(other.addKernel({}, count, {}, memory.address(), 100u));
    ASSERT_MADE(const GraphUpdate update, exec.update(other));
    EXPECT_TRUE(update.done) << update.why;
  }
  graph = Graph();
  ASSERT_OK(exec.launch(stream_));
  EXPECT_EQ(contentOf<std::uint32_t>(memory)[0], 110u);
  drainRetired();
  if (!onGpu()) {
    EXPECT_EQ(fake().live("library"), 1) << "what is launched now";
  }
}

TEST_P(Graphs, EventsOfNodesAreKept) {
  Graph graph;
  {
    ASSERT_MADE(Event recorded, Event::create(context_));
    ASSERT_MADE(Event awaited, Event::create(context_));
    ASSERT_OK(awaited.synchronize());
    ASSERT_MADE(graph, Graph::create(context_));
    ASSERT_MADE(const Node first, graph.addWait({}, awaited));
    ASSERT_OK(graph.addRecord({&first, 1}, recorded));
  }
  ASSERT_MADE(Graph captured, capture(stream_, [&]() -> Status {
                RAD_ASSIGN(const Event event, Event::create(context_));
                return stream_.record(event, true);
              }));
  if (!onGpu()) {
    EXPECT_EQ(fake().live("event"), 3);
  }
  for (const Graph* each : {&graph, &captured}) {
    ASSERT_MADE(GraphExec exec, each->instantiate());
    ASSERT_OK(exec.launch(stream_));
    EXPECT_OK(stream_.synchronize());
  }
  graph = Graph();
  captured = Graph();
  drainRetired();
  if (!onGpu()) {
    EXPECT_EQ(fake().live("event"), 0);
  }
}

// ---- what only a GPU can do ----

using GraphsOfGpu = OnGpu;

/// Adds 1 to what it counts, and ends the loop around it with the last of `turns`. (The driver has this function.)
constexpr const char* countDownPtx = R"(.version 8.3
.target sm_80
.address_size 64
.extern .func cudaGraphSetConditional(.param .b64 condition, .param .b32 value);
.visible .entry count_down(.param .u64 condition, .param .u64 turns, .param .u64 counted)
{
  .reg .pred %p<2>; .reg .b32 %r<5>; .reg .b64 %d<4>;
  ld.param.u64 %d1, [condition];
  ld.param.u64 %d2, [turns];
  ld.param.u64 %d3, [counted];
  ld.global.u32 %r1, [%d3];
  add.u32 %r2, %r1, 1;
  st.global.u32 [%d3], %r2;
  ld.global.u32 %r3, [%d2];
  sub.u32 %r4, %r3, 1;
  st.global.u32 [%d2], %r4;
  setp.ne.u32 %p1, %r4, 0;
  @%p1 bra DONE;
  {
    .param .b64 a; st.param.b64 [a], %d1;
    .param .b32 b; st.param.b32 [b], 0;
    call.uni cudaGraphSetConditional, (a, b);
  }
DONE:
  ret;
}
)";

TEST_F(GraphsOfGpu, AKernelEndsTheLoopThatItIsIn) {
  ASSERT_MADE(const Stream stream, Stream::create(context_));
  ASSERT_MADE(const Memory memory, Memory::allocate(context_, 8));
  ASSERT_MADE(const Library library, Library::load(context_, Image::ptx(countDownPtx)));
  ASSERT_MADE(const Kernel countDown, library.kernel("count_down"));
  ASSERT_MADE(Graph graph, Graph::create(context_));
  ASSERT_MADE(const auto condition, graph.makeCondition(1));
  const std::uint32_t turns = 7;
  ASSERT_MADE(const Node start, graph.addFill({}, memory.address(), std::as_bytes(std::span(&turns, 1)), 1));
  ASSERT_MADE(ConditionalNode loop, graph.addConditional({&start, 1}, Condition::While, condition));
  ASSERT_OK(loop.bodies[0].addKernel({}, countDown, {}, condition, memory.address(), memory.address() + 4));
  ASSERT_MADE(const GraphExec exec, graph.instantiate());
  ASSERT_OK(fill(stream, memory.address() + 4, std::uint32_t(0), 1));
  for (int i = 0; i < 3; ++i) ASSERT_OK(exec.launch(stream));
  std::uint32_t counted[2] = {9, 9};
  ASSERT_OK(copy(stream, std::span<std::uint32_t>(counted), memory));
  ASSERT_OK(stream.synchronize());
  EXPECT_EQ(counted[0], 0u);
  EXPECT_EQ(counted[1], 3 * turns);
}

// ---- rules that only the fake can show ----

using GraphRules = OnFake;

TEST_F(GraphRules, AWhileEndsWhenAKernelSaysSo) {
  teachFake();
  ASSERT_MADE(Stream stream, Stream::create(context_));
  ASSERT_MADE(Library library, Library::load(context_, Image::ptx(countPtx())));
  ASSERT_MADE(Kernel nothing, library.kernel("nothing"));
  ASSERT_MADE(Graph graph, Graph::create(context_));
  ASSERT_MADE(auto condition, graph.makeCondition(1));
  ASSERT_MADE(ConditionalNode loop, graph.addConditional({}, Condition::While, condition));
  ASSERT_OK(loop.bodies[0].addKernel({}, nothing, {}));
  struct State {
    int turns = 0;
    std::uint64_t condition;
  } state{0, condition};
  fake().onLaunch(
      "nothing",
      [](const CudaFakeLaunch*, void* user) {
        auto* s = static_cast<State*>(user);
        if (++s->turns % 5 == 0) test::FakeDriver::get().setCondition(s->condition, 0);
      },
      &state);
  ASSERT_MADE(GraphExec exec, graph.instantiate());
  ASSERT_OK(exec.launch(stream));
  ASSERT_OK(exec.launch(stream));
  ASSERT_OK(stream.synchronize());
  EXPECT_EQ(state.turns, 10);
}

TEST_F(GraphRules, TheNameOfTheNodeIsInTheMessage) {
  ASSERT_MADE(Graph graph, Graph::create(context_));
  ASSERT_MADE(const Node a, graph.addEmpty({}));
  ASSERT_MADE(const Node b, graph.addEmpty({&a, 1}));
  graph.name(b, "second");
  ASSERT_OK(graph.addDependency(b, a));
  EXPECT_FAILS(graph.instantiate(),
               "nodes wait for each other in a circle, or a node may not be "
               "there (node 'second')");
}

TEST_F(GraphRules, AnObjectThatTheGraphDidNotTakeIsReleased) {
  start("fail=cuGraphRetainUserObject@1:2");
  ASSERT_MADE(Graph graph, Graph::create(context_));
  auto object = std::make_shared<int>(1);
  std::weak_ptr<int> watch = object;
  EXPECT_FAILS(graph.keep(std::move(object)), "cuGraphRetainUserObject");
  drainRetired();
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace rad::cuda

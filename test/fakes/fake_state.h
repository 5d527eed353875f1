// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// The world behind the fake driver. One lock guards all of it: calls are
/// serialised, which a real driver nearly does.

#include "runtime/dynlib/driver_api.h"
#include "runtime/toolkit/cubin_reader.h"
#include "test/fakes/fake_cuda.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fake {

/// The contexts that are current on a thread, one over the other. Nothing to
/// destroy: objects of static storage are released behind those of threads.
class ContextStack {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  CUcontext& back() { return contexts_[size_ - 1]; }
  void push_back(CUcontext context) { contexts_[size_ < most ? size_++ : most - 1] = context; }
  void pop_back() { --size_; }
  void clear() { size_ = 0; }

 private:
  static constexpr std::size_t most = 256;
  CUcontext contexts_[most] = {};
  std::size_t size_ = 0;
};

using rad::rt::DriverFn;

/// Numbers of one kind of GPU.
struct Preset {
  const char* name;
  int major, minor;
  int multiprocessors;
  int sharedOptIn;  // bytes a block
  int sharedPerMultiprocessor;
  int threadsPerMultiprocessor;
  int blocksPerMultiprocessor;
  int pools;  // attribute 115
};
const Preset* findPreset(std::string_view name);

/// One injected failure.
struct Fault {
  std::string function;  // "cuMemAlloc"
  long nth = 1;          // 1 is the first call; 0: every call
  int code = 1;
  bool sticky = false;
  bool async = false;       // appears at the next call of any kind
  bool nullOutput = false;  // success, but the handle stays zero
};

/// A check that "fails" in a kernel: what its record says.
struct FailedCheck {
  std::uint32_t site = 0;
  std::int64_t value = 0, extent = 0;
};

/// What a specification sets.
struct Config {
  int version = 13000;
  const Preset* preset = nullptr;
  int devices = 1;
  std::uint64_t memory = std::uint64_t(1) << 30;
  std::vector<Fault> faults;
  std::set<std::string> missing;
  std::map<std::string, long> latencyMs;
  std::map<std::string, int> kernelFaults;          // kernel -> sticky code
  std::map<std::string, FailedCheck> failedChecks;  // kernel -> record
  std::string journalFile;
  bool shutdown = false;
};

/// Parses a specification; the text says what is wrong, or is empty.
std::string parseSpecification(std::string_view text, Config& config);

struct Device;
struct Stream;

struct Context {
  Device* device = nullptr;
  long retains = 0;
  bool alive = false;
  bool own = false;  // made by cuCtxCreate
  bool green = false;
  CUcontext handle = nullptr;
  std::map<CUlimit, std::size_t> limits;
  bool printed = false;  // the room for printf is fixed from then on
  std::set<const Context*> peers;
  std::unique_ptr<Stream> defaultStream;  // legacy and per thread
};

struct Device {
  int ordinal = 0;
  Context primary;
  std::uint64_t used = 0;
};

/// Work that a stream has not done yet. With `ready`, the stream stands still
/// until that is so.
struct Work {
  std::function<void()> run;
  std::function<bool()> ready;
};

struct Event {
  Context* context = nullptr;
  bool timing = true;
  bool interprocess = false;
  bool recorded = false;
  bool complete = true;
  Stream* stream = nullptr;  // where it was recorded last
  double time = 0;           // milliseconds of the synthetic clock
  std::uint64_t generation = 0;
  CUgraph capture = nullptr;  // it is a point in a graph, not in time
  std::vector<CUgraphNode> captured;
};

struct Stream {
  Context* context = nullptr;
  std::deque<Work> queue;
  int priority = 0;
  unsigned flags = 0;
  // While work is captured:
  CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
  CUgraph capture = nullptr;
  bool origin = false;  // where the capture began; others joined by events
  bool intoGraph = false;
  std::thread::id thread;
  std::vector<CUgraphNode> last;  // what the next node waits for
};

struct UserObject {
  void* pointer = nullptr;
  CUhostFn destroy = nullptr;
  unsigned references = 0;
};

/// Memory of a graph: there until nothing that was made of it is left.
struct GraphMemory {
  std::uint64_t address = 0;
  ~GraphMemory();
};

struct GraphNode {
  CUgraph graph = nullptr;
  CUgraphNodeType type = CU_GRAPH_NODE_TYPE_EMPTY;
  std::vector<CUgraphNode> waitsFor;
  std::function<void()> run;
  std::vector<CUgraph> children;  // of child graphs and conditionals
  CUgraphConditionalHandle condition = 0;
  CUgraphConditionalNodeType conditionType = CU_GRAPH_COND_TYPE_IF;
  std::shared_ptr<GraphMemory> memory;
  const void* function = nullptr;  // of kernels
};

struct Graph {
  std::vector<CUgraphNode> order;
  std::map<CUuserObject, unsigned> kept;
  bool child = false;                                     // belongs to a node
  std::map<CUgraphConditionalHandle, unsigned> defaults;  // of each launch
};

/// What an instantiated graph does; launches that wait share it.
struct Program {
  struct Step {
    CUgraphNode node;
    CUgraphNodeType type;
    std::vector<CUgraphNode> waitsFor;
    std::function<void()> run;
    std::shared_ptr<GraphMemory> memory;
    bool enabled = true;
  };
  std::vector<Step> steps;
};

struct GraphExec {
  std::shared_ptr<Program> program;
  std::map<CUuserObject, unsigned> kept;
  std::map<CUgraphConditionalHandle, unsigned> defaults;
};

struct Pool {
  Device* device = nullptr;
  bool common = false;  // the device's default one
  bool shareable = false;
  bool imported = false;  // of another process: gives no memory of its own
  std::uint64_t releaseThreshold = 0;
  std::uint64_t used = 0, usedHigh = 0, reserved = 0, reservedHigh = 0;
};

/// Memory without an address.
struct Physical {
  Device* device = nullptr;
  std::vector<unsigned char> bytes;
  bool shareable = false;
};

/// Device memory: an address nobody can read, and the bytes elsewhere.
struct Memory {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  unsigned char* bytes = nullptr;
  Device* device = nullptr;
  Context* context = nullptr;  // null: pool memory, which outlives contexts
  bool freed = false;          // asked for, and waiting in a stream
  Pool* pool = nullptr;
  std::uint64_t id = 0;
  std::shared_ptr<Physical> physical;  // mapped: `bytes` are its
  bool accessible = true;
  bool shared = false;  // opened: another process's
  CUexternalMemory external = nullptr;
};

struct Pinned {
  void* memory = nullptr;
  std::size_t size = 0;
  Context* context = nullptr;
  bool registered = false;  // the program's own memory
  bool managed = false;
};

/// An array for textures: rows one behind the other.
struct Array {
  std::size_t rowBytes = 0, height = 1, depth = 1;
  std::vector<unsigned char> bytes;
};

struct Library;

struct Kernel {
  Library* library = nullptr;
  rad::rt::CubinKernel info;
  bool openExtern = false;
  int maxDynamicShared = 48 * 1024;
  bool largeClusters = false;
  bool loaded = false;
};

struct Library {
  bool module = false;  // in one context; judged when it is loaded
  std::vector<std::unique_ptr<Kernel>> kernels;
  CUresult verdict = CUDA_SUCCESS;  // what asking for a kernel returns
  std::string log;
  std::map<std::string, Memory*> globals;
};

/// A recorded launch; `view` points into the other members.
struct Launch {
  std::string kernel;
  std::vector<unsigned char> arguments;
  std::vector<std::uint32_t> offsets;
  CudaFakeLaunch view{};
};

struct HostFunction {
  CudaFakeKernel function = nullptr;
  void* user = nullptr;
};

/// Everything. Replaced as a whole by a reset.
struct World {
  Config config;
  bool initialised = false;
  long initPid = 0;
  std::vector<std::unique_ptr<Device>> devices;
  std::map<CUstream, std::unique_ptr<Stream>> streams;
  std::map<CUevent, std::unique_ptr<Event>> events;
  std::map<CUmemoryPool, std::unique_ptr<Pool>> pools;
  std::map<CUcontext, std::unique_ptr<Context>> contexts;  // not primary ones
  std::map<CUgraph, std::unique_ptr<Graph>> graphs;
  std::map<CUgraphNode, std::unique_ptr<GraphNode>> nodes;
  std::map<CUgraphExec, std::unique_ptr<GraphExec>> execs;
  std::map<CUuserObject, std::unique_ptr<UserObject>> userObjects;
  std::map<CUgraphConditionalHandle, unsigned> conditions;
  std::map<CUlibrary, std::unique_ptr<Library>> libraries;
  std::map<CUmodule, std::unique_ptr<Library>> modules;
  std::map<CUlinkState, std::vector<std::string>> links;
  std::deque<std::string> linked;  // what the linker gave out
  std::map<CUkernel, Kernel*> kernels;
  std::map<std::uint64_t, std::unique_ptr<Memory>> memory;  // by address
  std::map<void*, Pinned> pinned;
  std::map<CUarray, std::unique_ptr<Array>> arrays;
  std::map<CUtexObject, CUarray> textures;
  std::map<std::uint64_t, std::uint64_t> ranges;  // address -> bytes
  std::map<CUmemGenericAllocationHandle, std::shared_ptr<Physical>> physical;
  std::map<int, std::shared_ptr<Physical>> exported;  // by descriptor
  std::map<int, Device*> exportedPools;               // by descriptor
  std::map<CUexternalMemory, std::uint64_t> externals;
  std::map<CUexternalSemaphore, std::uint64_t> semaphores;
  std::map<CUgreenCtx, CUcontext> greens;
  std::set<const void*> deadHandles;  // using one crashes a real driver
  std::deque<Launch> launches;
  std::map<std::string, HostFunction> hostFunctions;
  std::map<std::string, long> counts;
  std::string journal;
  std::string violations;
  std::vector<std::string> log;
  std::uint64_t logTaken = 0;
  long calls = 0;
  int sticky = 0;   // every call but a few returns it
  int pending = 0;  // the next call returns it
  double clock = 0;
  std::uint64_t nextAddress = 0;
  std::uint64_t nextHandle = 0;
  std::vector<unsigned char*> retired;  // bytes of freed memory, kept till reset
  ~World();
};

/// The one world, and the lock for it.
World& world();
std::recursive_mutex& worldMutex();

/// A handle value that was never used before and that nobody can dereference.
template <class Handle>
Handle makeHandle() {
  World& w = world();
  w.nextHandle += 64;
  return reinterpret_cast<Handle>(std::uint64_t(0x7fa000000000) + w.nextHandle);
}

/// The context that is current on this thread, or null.
Context* currentContext();
ContextStack& contextStack();
/// The context behind a handle; null for values that were never given out.
Context* contextOf(CUcontext handle);
CUcontext handleOf(Context* context);

/// Notes a broken rule.
void violation(const std::string& text);
/// Adds a reason to the driver's log.
void logReason(const std::string& text);
/// Ends the process as the real driver does for destroyed handles.
[[noreturn]] void crash(const std::string& text);

/// The stream behind a handle. For work, a capture that has failed is an error.
Stream* streamOf(CUstream handle, CUresult& status, bool forWork = true);
/// Does all work of a stream, or up to (and with) a given number of items.
void drain(Stream& stream, std::size_t items = ~std::size_t(0));
/// Queues work, or makes it a node of the graph that the stream captures.
void enqueue(Stream& stream, std::function<void()> run, CUgraphNodeType type = CU_GRAPH_NODE_TYPE_KERNEL,
             std::function<bool()> ready = {});
/// A new node of a graph.
CUgraphNode addNode(CUgraph graph, CUgraphNodeType type, std::vector<CUgraphNode> waitsFor, std::function<void()> run);
void releaseObjects(std::map<CUuserObject, unsigned>& kept);
/// Ends a graph and everything that belongs to it.
void destroyGraph(CUgraph graph);
/// Checks a launch and copies its arguments; `run` does what it does.
CUresult prepareLaunch(const CUlaunchConfig& config, const void* function, void** parameters, void** extra,
                       std::function<void()>& run);
/// A copy of rows or a fill of them, checked, as work.
CUresult prepareCopy(const CUDA_MEMCPY3D& copy, std::function<void()>& run);
CUresult prepareFill(CUdeviceptr to, std::size_t pitch, unsigned value, unsigned elementBytes, std::size_t width,
                     std::size_t height, std::function<void()>& run);
/// Runs a host function; CUDA refuses every call from inside.
void runHostFunction(CUhostFn function, void* data);
bool insideHostFunction();
/// A call that waits, or may: captures that forbid it fail. True if one did.
bool unsafeWhileCapturing();

/// The allocation that holds [address, address + bytes), or null.
Memory* findMemory(std::uint64_t address, std::size_t bytes);
/// The bytes of device or pinned memory, or null.
unsigned char* resolve(std::uint64_t address, std::size_t bytes);
/// Addresses that nothing else has.
std::uint64_t takeAddresses(std::uint64_t bytes, std::uint64_t aligned);
Memory* makeMemory(Device& device, Context* context, std::uint64_t size);
void dropMemory(std::uint64_t address);
/// The pinned allocation that holds the memory, or null.
const Pinned* pinnedAt(const void* memory, std::size_t bytes);
/// A row of an array, or null.
unsigned char* rowOfArray(CUarray array, std::size_t x, std::size_t y, std::size_t z, std::size_t bytes);
/// Everything that dies with a context.
void destroyContext(Context& context);
Device* deviceOf(CUdevice device);
int attributeOf(const Device& device, CUdevice_attribute attribute);

// ---- the table of implementations ----

void* implementation(std::size_t row);
void setImplementation(std::size_t row, void* function);

template <DriverFn fn>
struct Registrar {
  explicit Registrar(rad::rt::DriverFnPointer<fn> function) {
    setImplementation(static_cast<std::size_t>(fn), reinterpret_cast<void*>(function));
  }
};

}  // namespace fake

/// Defines the fake's form of a driver function; its signature is checked
/// against the row of cuda_driver.def.
#define FAKE_CUDA(name, ...)                                                             \
  static CUresult fake##name(__VA_ARGS__);                                               \
  static const ::fake::Registrar<::rad::rt::DriverFn::name> register##name(&fake##name); \
  static CUresult fake##name(__VA_ARGS__)

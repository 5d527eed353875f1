// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The language of specifications, and the functions that tests call.

#include "test/fakes/fake_state.h"

#include <charconv>
#include <cstdlib>

namespace fake {

void resetWorld();

namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

bool number(std::string_view text, long& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

/// "cuMemAlloc@3:2!sticky", with parts left out from the right.
std::string parseFault(std::string_view text, Fault& fault, bool wantsCode) {
  if (std::size_t at = text.find("!sticky"); at != std::string_view::npos) {
    fault.sticky = true;
    text = text.substr(0, at);
  }
  if (std::size_t at = text.rfind(':'); at != std::string_view::npos) {
    long code = 0;
    if (!number(text.substr(at + 1), code) || code < 0) return "a code is not a number: '" + std::string(text) + "'";
    fault.code = int(code);
    text = text.substr(0, at);
  } else if (wantsCode) {
    return "no code after ':' in '" + std::string(text) + "'";
  }
  if (std::size_t at = text.find('@'); at != std::string_view::npos) {
    std::string_view nth = text.substr(at + 1);
    if (nth == "*") fault.nth = 0;
    else if (!number(nth, fault.nth) || fault.nth < 1)
      return "calls count from 1, or * for every one: '" + std::string(text) + "'";
    text = text.substr(0, at);
  }
  fault.function = std::string(text);
  bool known = false;
  for (std::size_t i = 0; i < rad::rt::driverFnCount; ++i) {
    static constexpr const char* names[] = {
#define RAD_CUDA_FN(name, version, need, feature) "cu" #name,
#include "runtime/dynlib/cuda_driver.def"
    };
    known |= fault.function == names[i];
  }
  if (!known) return "no driver function '" + fault.function + "' is used by the runtime";
  return {};
}

std::string parseClause(std::string_view key, std::string_view value, Config& config) {
  long n = 0;
  if (key == "fail" || key == "fail_async" || key == "null_output") {
    Fault fault;
    fault.async = key == "fail_async";
    fault.nullOutput = key == "null_output";
    std::string wrong = parseFault(value, fault, key != "null_output");
    if (wrong.empty()) config.faults.push_back(std::move(fault));
    return wrong;
  }
  if (key == "sticky") {
    if (config.faults.empty()) return "'sticky' follows a 'fail'";
    config.faults.back().sticky = true;
    return {};
  }
  if (key == "missing") {
    config.missing.insert(std::string(value));
    return {};
  }
  if (key == "version") {
    if (!number(value, n)) return "the version is a number such as 13000";
    config.version = int(n);
    return {};
  }
  if (key == "preset") {
    std::string_view name = value;
    n = 1;
    if (std::size_t at = value.find('x'); at != std::string_view::npos) {
      name = value.substr(0, at);
      if (!number(value.substr(at + 1), n) || n < 0 || n > 4) return "there can be 0 to 4 devices";
    }
    config.preset = findPreset(name);
    config.devices = int(n);
    return config.preset ? std::string()
                         : "no preset '" + std::string(name) +
                               "'; there are sm_70, sm_75, sm_80, sm_86, "
                               "sm_90, sm_100, sm_120, sm_123, sm_130";
  }
  if (key == "memory") {
    if (!number(value, n) || n < 0) return "the memory is a number of bytes";
    config.memory = std::uint64_t(n);
    return {};
  }
  if (key == "latency") {
    std::size_t at = value.find(':');
    std::string_view time = at == std::string_view::npos ? "" : value.substr(at + 1);
    if (!time.ends_with("ms") || !number(time.substr(0, time.size() - 2), n))
      return "a latency is written cuFunction:50ms";
    config.latencyMs[std::string(value.substr(0, at))] = n;
    return {};
  }
  if (key == "fault") {
    std::size_t at = value.find(':');
    if (at == std::string_view::npos || !number(value.substr(at + 1), n))
      return "a kernel's fault is written kernel:700";
    config.kernelFaults[std::string(value.substr(0, at))] = int(n);
    return {};
  }
  if (key == "check") {
    FailedCheck check;
    long numbers[3] = {};
    std::string_view rest = value;
    const std::string_view kernel = rest.substr(0, rest.find(':'));
    rest.remove_prefix(kernel.size());
    for (long& one : numbers) {
      if (rest.empty()) break;
      rest.remove_prefix(1);
      const std::string_view word = rest.substr(0, rest.find(':'));
      if (!number(word, one)) return "a failed check is written kernel:site:value:extent";
      rest.remove_prefix(word.size());
    }
    check.site = std::uint32_t(numbers[0]);
    check.value = numbers[1];
    check.extent = numbers[2];
    config.failedChecks[std::string(kernel)] = check;
    return {};
  }
  if (key == "journal") {
    config.journalFile = std::string(value);
    return {};
  }
  if (key == "shutdown") {
    config.shutdown = true;
    return {};
  }
  return "unknown word '" + std::string(key) + "'";
}

}  // namespace

std::string parseSpecification(std::string_view text, Config& config) {
  config.preset = findPreset("sm_90");
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(';', begin), text.size());
    std::string_view clause = trim(text.substr(begin, end - begin));
    begin = end + 1;
    if (clause.empty()) continue;
    const std::size_t equals = clause.find('=');
    std::string_view key = trim(clause.substr(0, equals));
    std::string_view value = equals == std::string_view::npos ? std::string_view() : trim(clause.substr(equals + 1));
    if (std::string wrong = parseClause(key, value, config); !wrong.empty()) return wrong;
  }
  return {};
}

}  // namespace fake

using namespace fake;

#define FAKE_EXPORT extern "C" __attribute__((visibility("default")))

FAKE_EXPORT const char* cudaFakeConfigure(const char* specification) {
  std::lock_guard lock(worldMutex());
  static std::string wrong;
  Config config;
  wrong = parseSpecification(specification ? specification : "", config);
  if (!wrong.empty()) return wrong.c_str();
  setenv("CUDA_FAKE", specification ? specification : "", 1);
  resetWorld();
  world();
  return nullptr;
}

FAKE_EXPORT long cudaFakeCount(const char* function) {
  std::lock_guard lock(worldMutex());
  World& w = world();
  if (!function) return w.calls;
  auto it = w.counts.find(function);
  return it == w.counts.end() ? 0 : it->second;
}

FAKE_EXPORT long cudaFakeLive(const char* kind) {
  std::lock_guard lock(worldMutex());
  World& w = world();
  const std::string_view wanted = kind ? kind : "";
  auto count = [&](std::string_view name, std::size_t n) { return wanted.empty() || wanted == name ? long(n) : 0L; };
  std::size_t retains = 0, memory = 0;
  for (auto& device : w.devices) retains += std::size_t(device->primary.retains);
  for (auto& [address, item] : w.memory) memory += !item->freed && !item->physical;
  std::size_t ownGraphs = 0;  // the others belong to nodes
  for (auto& [handle, graph] : w.graphs) ownGraphs += !graph->child;
  std::size_t ownPools = 0;  // the default ones are the driver's
  for (auto& [handle, pool] : w.pools) ownPools += !pool->common;
  return count("retain", retains) + count("stream", w.streams.size()) + count("event", w.events.size()) +
         count("memory", memory) + count("pinned", w.pinned.size()) + count("pool", ownPools) +
         count("library", w.libraries.size()) + count("module", w.modules.size()) + count("link", w.links.size()) +
         count("array", w.arrays.size()) + count("context", w.contexts.size() - w.greens.size()) +
         count("green", w.greens.size()) + count("texture", w.textures.size()) + count("range", w.ranges.size()) +
         count("physical", w.physical.size()) + count("external", w.externals.size() + w.semaphores.size()) +
         count("graph", ownGraphs) + count("exec", w.execs.size()) + count("object", w.userObjects.size());
}

FAKE_EXPORT const char* cudaFakeJournal(void) {
  std::lock_guard lock(worldMutex());
  return world().journal.c_str();
}

FAKE_EXPORT const char* cudaFakeViolations(void) {
  std::lock_guard lock(worldMutex());
  return world().violations.c_str();
}

FAKE_EXPORT void cudaFakeOnLaunch(const char* kernel, CudaFakeKernel function, void* user) {
  std::lock_guard lock(worldMutex());
  world().hostFunctions[kernel] = {function, user};
}

FAKE_EXPORT void* cudaFakeResolve(std::uint64_t address, std::size_t bytes) {
  std::lock_guard lock(worldMutex());
  return resolve(address, bytes);
}

FAKE_EXPORT long cudaFakeLaunches(void) {
  std::lock_guard lock(worldMutex());
  return long(world().launches.size());
}

FAKE_EXPORT const CudaFakeLaunch* cudaFakeLaunch(long index) {
  std::lock_guard lock(worldMutex());
  World& w = world();
  if (index < 0 || std::size_t(index) >= w.launches.size()) return nullptr;
  return &w.launches[std::size_t(index)].view;
}

FAKE_EXPORT void cudaFakeSetCondition(std::uint64_t condition, unsigned value) {
  std::lock_guard lock(worldMutex());
  world().conditions[condition] = value;
}

FAKE_EXPORT long cudaFakeContextDepth(void) { return long(contextStack().size()); }

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a program finds by dlsym, and the wrapper around every function: journal,
// injected failures, fork and shutdown rules.

#include "test/fakes/fake_state.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

namespace fake {
namespace {

/// Calls that still work after a fault on the device.
bool worksAfterFault(std::string_view name) {
  static constexpr std::string_view names[] = {"cuInit",
                                               "cuDriverGetVersion",
                                               "cuGetErrorName",
                                               "cuGetErrorString",
                                               "cuLogsCurrent",
                                               "cuLogsDumpToMemory",
                                               "cuDeviceGetCount",
                                               "cuDeviceGet",
                                               "cuDeviceGetName",
                                               "cuDeviceGetUuid",
                                               "cuDeviceTotalMem",
                                               "cuDeviceGetAttribute",
                                               "cuDeviceGetPCIBusId",
                                               "cuCtxPushCurrent",
                                               "cuCtxPopCurrent",
                                               "cuCtxGetCurrent",
                                               "cuPointerGetAttributes",
                                               "cuLibraryLoadData",
                                               "cuLibraryGetKernel",
                                               "cuLibraryUnload",
                                               "cuDevicePrimaryCtxRelease",
                                               "cuDevicePrimaryCtxGetState",
                                               "cuCtxGetDevice",
                                               "cuCtxDestroy",
                                               "cuDeviceCanAccessPeer",
                                               "cuDeviceGetP2PAttribute",
                                               "cuGraphDestroy",
                                               "cuGraphExecDestroy"};
  for (std::string_view known : names)
    if (known == name) return true;
  return false;
}

/// Calls that a capture of this thread, or a global one, does not allow.
bool mayWait(std::string_view name) {
  static constexpr std::string_view names[] = {
      "cuMemAlloc",      "cuMemAllocPitch",    "cuMemAllocManaged",   "cuMemFree",        "cuMemHostAlloc",
      "cuMemFreeHost",   "cuMemHostRegister",  "cuMemHostUnregister", "cuCtxSynchronize", "cuLibraryLoadData",
      "cuLibraryUnload", "cuModuleLoadDataEx", "cuModuleUnload"};
  for (std::string_view known : names)
    if (known == name) return true;
  return false;
}

/// Calls that need no cuInit.
bool worksBeforeInit(std::string_view name) {
  return name == "cuInit" || name == "cuDriverGetVersion" || name.starts_with("cuGetError") ||
         name.starts_with("cuLogs");
}

void render(std::string& out, const char* value) {
  out += value ? '"' + std::string(value) + '"' : std::string("null");
}
template <class T>
void render(std::string& out, T value) {
  if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
    out += std::to_string(static_cast<long long>(value));
  } else if constexpr (std::is_pointer_v<T> && !std::is_function_v<std::remove_pointer_t<T>>) {
    char text[24];
    std::snprintf(text, sizeof text, "%p", static_cast<const void*>(value));
    out += text;
  } else {
    out += "...";
  }
}

/// Zeroes the first output of a call that was told to give none.
template <class T>
void zeroFirst(T first, auto...) {
  if constexpr (std::is_pointer_v<T> && !std::is_const_v<std::remove_pointer_t<T>> &&
                !std::is_void_v<std::remove_pointer_t<T>> && !std::is_function_v<std::remove_pointer_t<T>>) {
    if constexpr (std::is_pointer_v<std::remove_pointer_t<T>> || std::is_integral_v<std::remove_pointer_t<T>>) {
      if (first) *first = {};
    }
  }
}
inline void zeroFirst() {}

struct Decision {
  bool call = true;
  CUresult status = CUDA_SUCCESS;
  bool nullOutput = false;
  int pendingAfter = 0;
};

/// Whether a call happens, before it happens.
Decision decide(const char* name) {
  World& w = world();
  Decision decision;
  const long nth = ++w.counts[name];
  ++w.calls;
  auto stop = [&](CUresult status) {
    decision.call = false;
    decision.status = status;
    return decision;
  };
  if (w.config.shutdown && std::strncmp(name, "cuGetError", 10) != 0) return stop(CUDA_ERROR_DEINITIALIZED);
  if (insideHostFunction()) return stop(CUDA_ERROR_NOT_PERMITTED);
  const bool early = worksBeforeInit(name);
  if (w.initialised && w.initPid != getpid() && (!early || !std::strcmp(name, "cuInit")))
    return stop(CUDA_ERROR_NOT_INITIALIZED);
  if (!w.initialised && !early) return stop(CUDA_ERROR_NOT_INITIALIZED);
  if (w.sticky && !worksAfterFault(name)) return stop(CUresult(w.sticky));
  if (w.pending && !early) {
    const int code = w.pending;
    w.pending = 0;
    return stop(CUresult(code));
  }
  if (mayWait(name) && unsafeWhileCapturing()) return stop(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  for (const Fault& fault : w.config.faults) {
    if (fault.function != name || (fault.nth != 0 && fault.nth != nth)) continue;
    if (fault.async) {
      decision.pendingAfter = fault.code;
    } else if (fault.nullOutput) {
      decision.nullOutput = true;
    } else {
      if (fault.sticky) w.sticky = fault.code;
      return stop(CUresult(fault.code));
    }
  }
  return decision;
}

void record(const char* name, const std::string& arguments, CUresult status) {
  World& w = world();
  char head[64];
  std::snprintf(head, sizeof head, "%ld [%zx] ", w.calls,
                std::hash<std::thread::id>()(std::this_thread::get_id()) & 0xffff);
  std::string line = head + std::string(name) + '(' + arguments + ") = " + std::to_string(int(status)) + '\n';
  w.journal += line;
  if (!w.config.journalFile.empty())
    if (FILE* file = std::fopen(w.config.journalFile.c_str(), "a")) {
      std::fputs(line.c_str(), file);
      std::fclose(file);
    }
  const bool ordinary = status == CUDA_SUCCESS || status == CUDA_ERROR_NOT_READY;
  if (!ordinary && std::strncmp(name, "cuLogs", 6) != 0)
    logReason("Returning " + std::to_string(int(status)) + " from " + name);
}

/// What a program gets for a row: the bookkeeping, then the implementation.
template <DriverFn fn, class Pointer>
struct Wrapper;
template <DriverFn fn, class... Args>
struct Wrapper<fn, CUresult (*)(Args...)> {
  static const char* name;
  static CUresult call(Args... args) {
    std::lock_guard lock(worldMutex());
    World& w = world();
    if (auto it = w.config.latencyMs.find(name); it != w.config.latencyMs.end())
      std::this_thread::sleep_for(std::chrono::milliseconds(it->second));
    Decision decision = decide(name);
    CUresult status = decision.status;
    if (decision.call && decision.nullOutput) {
      zeroFirst(args...);
    } else if (decision.call) {
      auto function = reinterpret_cast<CUresult (*)(Args...)>(implementation(static_cast<std::size_t>(fn)));
      status = function(args...);
      if (status == CUDA_SUCCESS && decision.pendingAfter) w.pending = decision.pendingAfter;
    }
    std::string arguments;
    ((arguments += arguments.empty() ? "" : ", ", render(arguments, args)), ...);
    record(name, arguments, status);
    return status;
  }
};

struct Row {
  const char* name;
  int version;
  void* function;
};

const Row* rows() {
  static const Row table[] = {
#define RAD_CUDA_FN(name, version, need, feature) \
  {"cu" #name, version,                           \
   reinterpret_cast<void*>(&Wrapper<DriverFn::name, rad::rt::DriverFnPointer<DriverFn::name>>::call)},
#include "runtime/dynlib/cuda_driver.def"
  };
  return table;
}

#define RAD_CUDA_FN(fnName, version, need, feature) \
  template <>                                       \
  const char* Wrapper<DriverFn::fnName, rad::rt::DriverFnPointer<DriverFn::fnName>>::name = "cu" #fnName;
#include "runtime/dynlib/cuda_driver.def"

CUresult find(const char* symbol, void** pfn, int version, CUdriverProcAddressQueryResult* found) {
  World& w = world();
  if (!symbol || !pfn) return CUDA_ERROR_INVALID_VALUE;
  if (version > w.config.version) return CUDA_ERROR_INVALID_VALUE;  // and the outputs stay as they were
  *pfn = nullptr;
  auto answer = [&](CUdriverProcAddressQueryResult result) {
    if (found) *found = result;
    return CUDA_SUCCESS;
  };
  for (std::size_t i = 0; i < rad::rt::driverFnCount; ++i) {
    const Row& row = rows()[i];
    if (std::strcmp(row.name, symbol) != 0) continue;
    if (!implementation(i) || w.config.missing.count(symbol)) return answer(CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);
    if (version < row.version || w.config.version < row.version)
      return answer(CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT);
    *pfn = row.function;
    return answer(CU_GET_PROC_ADDRESS_SUCCESS);
  }
  return answer(CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);
}

}  // namespace
}  // namespace fake

using namespace fake;

#define FAKE_EXPORT extern "C" __attribute__((visibility("default")))

// cuda.h renames some of these, so they are declared under their own names.
#undef cuGetProcAddress

FAKE_EXPORT CUresult cuGetProcAddress_v2(const char* symbol, void** pfn, int version, cuuint64_t,
                                         CUdriverProcAddressQueryResult* found) {
  std::lock_guard lock(worldMutex());
  return find(symbol, pfn, version, found);
}

FAKE_EXPORT CUresult cuGetProcAddress(const char* symbol, void** pfn, int version, cuuint64_t) {
  std::lock_guard lock(worldMutex());
  return find(symbol, pfn, version, nullptr);
}

FAKE_EXPORT CUresult cuInit(unsigned flags) {
  return Wrapper<DriverFn::Init, rad::rt::DriverFnPointer<DriverFn::Init>>::call(flags);
}

FAKE_EXPORT CUresult cuDriverGetVersion(int* version) {
  return Wrapper<DriverFn::DriverGetVersion, rad::rt::DriverFnPointer<DriverFn::DriverGetVersion>>::call(version);
}

FAKE_EXPORT CUresult cuGetErrorName(CUresult error, const char** text) {
  return Wrapper<DriverFn::GetErrorName, rad::rt::DriverFnPointer<DriverFn::GetErrorName>>::call(error, text);
}

FAKE_EXPORT CUresult cuGetErrorString(CUresult error, const char** text) {
  return Wrapper<DriverFn::GetErrorString, rad::rt::DriverFnPointer<DriverFn::GetErrorString>>::call(error, text);
}

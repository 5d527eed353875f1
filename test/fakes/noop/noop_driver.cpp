// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The look-alike of the driver, with a launch that does nothing at all: what is
// then measured of a launch is our own share. Everything else is
// libcudafake.so's, which lies beside this library.
#include <cuda.h>

#include <dlfcn.h>

#include <atomic>
#include <string>
#include <string_view>

namespace {

void* beside() {
  static void* const library = [] {
    Dl_info info{};
    dladdr(reinterpret_cast<void*>(&beside), &info);
    std::string path = info.dli_fname ? info.dli_fname : "";
    path = path.substr(0, path.rfind('/') + 1) + "libcudafake.so";
    return dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  }();
  return library;
}

template <class Function>
Function theirs(const char* name) {
  void* library = beside();
  return library ? reinterpret_cast<Function>(dlsym(library, name)) : nullptr;
}

/// While set, contexts and launches are no-ops.
std::atomic<bool> idle = false;
decltype(&cuCtxPushCurrent) realPush = nullptr;
decltype(&cuCtxPopCurrent) realPop = nullptr;
decltype(&cuLaunchKernelEx) realLaunch = nullptr;
thread_local CUcontext current = nullptr;

CUresult CUDAAPI push(CUcontext context) {
  if (!idle.load(std::memory_order_relaxed)) return realPush(context);
  current = context;
  return CUDA_SUCCESS;
}
CUresult CUDAAPI pop(CUcontext* context) {
  if (!idle.load(std::memory_order_relaxed)) return realPop(context);
  *context = current;
  return CUDA_SUCCESS;
}
CUresult CUDAAPI launch(const CUlaunchConfig* config, CUfunction function, void** arguments, void** extra) {
  if (!idle.load(std::memory_order_relaxed)) return realLaunch(config, function, arguments, extra);
  return CUDA_SUCCESS;
}

/// Remembers the look-alike's function, and puts ours in its place.
template <class Function>
void replace(void** out, Function& real, Function ours) {
  real = reinterpret_cast<Function>(*out);
  *out = reinterpret_cast<void*>(ours);
}

}  // namespace

/// Switches the no-ops on and off; a device is opened with them off.
extern "C" __attribute__((visibility("default"))) void cudaNoop(int on) { idle = on != 0; }

extern "C" __attribute__((visibility("default"))) CUresult CUDAAPI cuGetProcAddress_v2(
    const char* name, void** out, int version, cuuint64_t flags, CUdriverProcAddressQueryResult* found) {
  auto real = theirs<decltype(&cuGetProcAddress_v2)>("cuGetProcAddress_v2");
  if (!real) return CUDA_ERROR_NOT_INITIALIZED;
  const CUresult status = real(name, out, version, flags, found);
  if (status != CUDA_SUCCESS || !*out) return status;
  const std::string_view wanted = name;
  if (wanted == "cuCtxPushCurrent") replace(out, realPush, &push);
  else if (wanted == "cuCtxPopCurrent") replace(out, realPop, &pop);
  else if (wanted == "cuLaunchKernelEx") replace(out, realLaunch, &launch);
  return status;
}

extern "C" __attribute__((visibility("default"))) CUresult CUDAAPI cuDriverGetVersion(int* version) {
  auto real = theirs<decltype(&cuDriverGetVersion)>("cuDriverGetVersion");
  return real ? real(version) : CUDA_ERROR_NOT_INITIALIZED;
}

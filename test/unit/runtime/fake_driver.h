// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Loads the fake driver for a test and gives its control functions.

#include "runtime/dynlib/driver_api.h"
#include "test/fakes/fake_cuda.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace rad::rt::test {

/// The control surface of the fake, loaded once in a process.
class FakeDriver {
 public:
  /// Where it was built, or where an archive of the tests says that it is.
  static std::string path() {
    const char* folder = std::getenv("RADDLE_FAKE_CUDA_DIR");
    return std::string(folder ? folder : RADDLE_FAKE_CUDA_DIR) + "/libcudafake.so";
  }
  static const FakeDriver& get() {
    static const FakeDriver driver;
    return driver;
  }

  CudaFakeConfigureFn configure;
  CudaFakeCountFn count;
  CudaFakeLiveFn live;
  CudaFakeTextFn journal, violations;
  CudaFakeOnLaunchFn onLaunch;
  CudaFakeResolveFn resolve;
  CudaFakeLaunchesFn launches;
  CudaFakeLaunchFn launch;
  CudaFakeDepthFn depth;
  CudaFakeSetConditionFn setCondition;

 private:
  FakeDriver() {
    void* library = dlopen(path().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      std::fprintf(stderr, "%s\n", dlerror());
      std::abort();
    }
    find(library, "cudaFakeConfigure", configure);
    find(library, "cudaFakeCount", count);
    find(library, "cudaFakeLive", live);
    find(library, "cudaFakeJournal", journal);
    find(library, "cudaFakeViolations", violations);
    find(library, "cudaFakeOnLaunch", onLaunch);
    find(library, "cudaFakeResolve", resolve);
    find(library, "cudaFakeLaunches", launches);
    find(library, "cudaFakeLaunch", launch);
    find(library, "cudaFakeContextDepth", depth);
    find(library, "cudaFakeSetCondition", setCondition);
  }
  template <class F>
  static void find(void* library, const char* name, F& out) {
    out = reinterpret_cast<F>(dlsym(library, name));
    if (!out) std::abort();
  }
};

}  // namespace rad::rt::test

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/dynlib/driver_api.h"

#include "runtime/base/dynamic_library.h"
#include "runtime/base/warning_sink.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <vector>

namespace rad::rt {

// Each row's type is the one that cuda.h declares for the name, so that a pinned
// version cannot mean another signature than the code was written for.
#define RAD_CUDA_CHECK_2(full, name, version)                               \
  static_assert(std::is_same_v<decltype(&full), PFN_cu##name##_v##version>, \
                "cuda_driver.def pins a version of cu" #name " that has other arguments than cuda.h declares");
#define RAD_CUDA_CHECK(full, name, version) RAD_CUDA_CHECK_2(full, name, version)
#define RAD_CUDA_FN(name, version, need, feature) RAD_CUDA_CHECK(cu##name, name, version)
#include "runtime/dynlib/cuda_driver.def"
#undef RAD_CUDA_CHECK
#undef RAD_CUDA_CHECK_2

namespace {

constexpr DriverFnInfo rows[] = {
#define RAD_CUDA_FN(name, version, need, feature) {"cu" #name, version, DriverNeed::need, feature},
#include "runtime/dynlib/cuda_driver.def"
};
static_assert(std::size(rows) == driverFnCount);

constexpr const char* defaultLibrary = "libcuda.so.1";
constexpr const char* pathVariable = "RADDLE_CUDA_DRIVER";

/// The drivers of this process, for fork and exit handlers. Never destroyed.
struct Registry {
  std::mutex mutex;
  std::vector<const DriverApi*> drivers;
  std::atomic<void (*)() noexcept> beforeEnding{nullptr};
};
Registry& registry() {
  static Registry* const instance = new Registry;
  return *instance;
}

/// What get() remembers. Never destroyed.
struct Process {
  std::mutex mutex;
  std::string path;
  std::optional<Result<const DriverApi*>> result;
};
Process& process() {
  static Process* const instance = new Process;
  return *instance;
}

Error systemError(std::string message, std::string advice) {
  Error error;
  error.category = ErrorCategory::System;
  error.message = std::move(message);
  error.advice = std::move(advice);
  return error;
}

/// Asks either form of cuGetProcAddress for a function.
class Resolver {
 public:
  explicit Resolver(const DynamicLibrary& library)
      : new_(reinterpret_cast<PFN_cuGetProcAddress_v12000>(library.symbol("cuGetProcAddress_v2"))),
        old_(reinterpret_cast<PFN_cuGetProcAddress_v11030>(library.symbol("cuGetProcAddress"))) {}

  bool valid() const { return new_ || old_; }

  /// The function, or null: success alone does not mean that there is one.
  void* find(const char* name, int version, CUresult& status) const {
    void* function = nullptr;
    CUdriverProcAddressQueryResult found = CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
    constexpr cuuint64_t flags = CU_GET_PROC_ADDRESS_LEGACY_STREAM;
    if (new_) {
      status = new_(name, &function, version, flags, &found);
      if (found != CU_GET_PROC_ADDRESS_SUCCESS) function = nullptr;
    } else {
      status = old_(name, &function, version, flags);
    }
    return status == CUDA_SUCCESS ? function : nullptr;
  }

 private:
  PFN_cuGetProcAddress_v12000 new_;
  PFN_cuGetProcAddress_v11030 old_;
};

Error libraryMissing(const std::string& path, const Error& cause) {
  Error error = systemError("", "");
  if (path == defaultLibrary) {
    error.message =
        "no NVIDIA driver was found on this machine (libcuda.so.1 "
        "is missing)";
    error.advice = "Kernels can still be compiled, and run with --device host.";
  } else {
    error.message = "the CUDA driver library '" + path + "' cannot be loaded";
    error.advice = std::string("It was named by ") + pathVariable +
                   " or by the program: correct the path, or leave it out to "
                   "use the system's driver.";
  }
  error.log = cause.log;
  return error;
}

Error stubLoaded(const std::string& path) {
  Error error = makeCudaError("cuDriverGetVersion", CUDA_ERROR_STUB_LIBRARY);
  error.message = "'" + path +
                  "' is the toolkit's stub for linking, not a "
                  "driver";
  return error;
}

}  // namespace

const DriverFnInfo& driverFnInfo(DriverFn fn) { return rows[static_cast<std::size_t>(fn)]; }

std::string formatCudaVersion(int version) {
  return std::to_string(version / 1000) + '.' + std::to_string(version % 1000 / 10);
}

Result<std::unique_ptr<const DriverApi>> DriverApi::load(const std::string& path) {
  auto library = DynamicLibrary::open(path);
  if (!library) return fail(libraryMissing(path, library.error()));

  auto getVersion =
      reinterpret_cast<DriverFnPointer<DriverFn::DriverGetVersion>>(library->symbol("cuDriverGetVersion"));
  Resolver resolver(*library);
  if (!getVersion || !resolver.valid())
    return fail(systemError("'" + library->path() +
                                "' is not a CUDA driver that Raddle can use: "
                                "it has no " +
                                (getVersion ? "cuGetProcAddress" : "cuDriverGetVersion"),
                            "Raddle needs the NVIDIA driver 580 or newer."));

  int version = 0;
  if (CUresult status = getVersion(&version); status != CUDA_SUCCESS) {
    if (status == CUDA_ERROR_STUB_LIBRARY) return fail(stubLoaded(library->path()));
    return fail(makeCudaError("cuDriverGetVersion", status));
  }
  if (version < minimumDriverVersion) {
    Error error = systemError("the NVIDIA driver provides CUDA " + formatCudaVersion(version) + ", and Raddle needs " +
                                  formatCudaVersion(minimumDriverVersion),
                              "Update the driver to 580 or newer. Kernels can still be compiled, and "
                              "run with --device host.");
    error.call = "cuDriverGetVersion";
    error.code = CUDA_ERROR_CALL_REQUIRES_NEWER_DRIVER;
    error.codeName = cudaErrorName(error.code);
    return fail(std::move(error));
  }

  std::unique_ptr<DriverApi> api(new DriverApi);
  api->version_ = version;
  api->path_ = library->path();
  api->pid_ = getpid();
  for (std::size_t i = 0; i < driverFnCount; ++i) {
    const DriverFnInfo& row = rows[i];
    CUresult status = CUDA_SUCCESS;
    api->table_[i] = resolver.find(row.name, row.version, status);
    if (api->table_[i] || row.need == DriverNeed::Optional) continue;
    if (status == CUDA_ERROR_STUB_LIBRARY) return fail(stubLoaded(library->path()));
    Error error = systemError(std::string(row.feature) + " needs the driver function " + row.name + " of CUDA " +
                                  formatCudaVersion(row.version) + ", which this driver (CUDA " +
                                  formatCudaVersion(version) + ") does not have",
                              "Update or reinstall the NVIDIA driver.");
    error.call = "cuGetProcAddress";
    error.args = '"' + std::string(row.name) + "\", " + std::to_string(row.version);
    error.code = status;
    if (status != CUDA_SUCCESS) error.codeName = cudaErrorName(status);
    return fail(std::move(error));
  }

  if (auto current = api->raw<DriverFn::LogsCurrent>())
    if (current(&api->logPosition_, 0) != CUDA_SUCCESS) api->logPosition_ = 0;

  if (CUresult status = api->raw<DriverFn::Init>()(0); status != CUDA_SUCCESS) {
    Error error = makeCudaError("cuInit", status, "0");
    error.category = ErrorCategory::System;
    error.log = api->takeLog();
    if (status == CUDA_ERROR_STUB_LIBRARY) return fail(stubLoaded(library->path()));
    if (status == CUDA_ERROR_NO_DEVICE)
      if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES"))
        error.message += std::string("; CUDA_VISIBLE_DEVICES is set to \"") + visible + '"';
    return fail(std::move(error));
  }
  api->registerForProcessEvents();
  return std::unique_ptr<const DriverApi>(std::move(api));
}

DriverApi::~DriverApi() {
  Registry& all = registry();
  std::lock_guard lock(all.mutex);
  std::erase(all.drivers, this);
}

bool DriverApi::setLibraryPath(std::string path) {
  Process& p = process();
  std::lock_guard lock(p.mutex);
  if (p.result) return false;
  p.path = std::move(path);
  return true;
}

Result<const DriverApi*> DriverApi::get() {
  Process& p = process();
  std::lock_guard lock(p.mutex);
  if (!p.result) {
    std::string path = p.path;
    if (path.empty())
      if (const char* variable = std::getenv(pathVariable)) path = variable;
    if (path.empty()) path = defaultLibrary;
    auto loaded = load(path);
    if (loaded) p.result.emplace(loaded->release());
    else p.result.emplace(fail(std::move(loaded).error()));
  }
  return *p.result;
}

void DriverApi::registerForProcessEvents() {
  static std::once_flag once;
  std::call_once(once, [] {
    pthread_atfork(nullptr, nullptr, &DriverApi::markForked);
    // Registered after cuInit, so it runs before the driver's own handler.
    std::atexit(&DriverApi::markEnding);
  });
  Registry& all = registry();
  std::lock_guard lock(all.mutex);
  all.drivers.push_back(this);
}

void DriverApi::markForked() {
  // In the child of a fork, one thread exists; the lock may be held by one that
  // does not, so it is not taken.
  for (const DriverApi* driver : registry().drivers) driver->state_.store(Forked, std::memory_order_release);
}

void DriverApi::setBeforeEnding(void (*finish)() noexcept) noexcept {
  registry().beforeEnding.store(finish, std::memory_order_release);
}

void DriverApi::markEnding() {
  Registry& all = registry();
  if (const auto finish = all.beforeEnding.load(std::memory_order_acquire)) finish();
  std::lock_guard lock(all.mutex);
  for (const DriverApi* driver : all.drivers) driver->beginShutdown();
}

void DriverApi::beginShutdown() const noexcept {
  int expected = Usable;
  state_.compare_exchange_strong(expected, Ending, std::memory_order_acq_rel);
}

Error DriverApi::unusableError() const {
  switch (static_cast<State>(state_.load(std::memory_order_acquire))) {
    case Usable: break;
    case Dead: {
      std::lock_guard lock(mutex_);
      return firstFatal_;
    }
    case Forked: {
      Error error = makeCudaError("", CUDA_ERROR_NOT_INITIALIZED);
      error.category = ErrorCategory::System;
      error.message =
          "CUDA cannot be used in this process: it was forked from "
          "process " +
          std::to_string(pid_) + " after CUDA had started there";
      error.advice =
          "Start workers before the first use of a device, or with "
          "exec.";
      return error;
    }
    case Ending: {
      Error error = makeCudaError("", CUDA_ERROR_DEINITIALIZED);
      error.message = "CUDA cannot be used any more: the process is ending";
      return error;
    }
  }
  return {};
}

Status DriverApi::usable() const {
  if (state_.load(std::memory_order_acquire) == Usable) return {};
  return fail(unusableError());
}

std::unexpected<Error> DriverApi::unusable(DriverFn fn) const {
  if (state_.load(std::memory_order_acquire) != Usable) {
    Error error = unusableError();
    if (error.call.empty()) error.call = driverFnInfo(fn).name;
    return fail(std::move(error));
  }
  const DriverFnInfo& row = driverFnInfo(fn);
  Error error = systemError(std::string(row.feature) + " is not available: this driver (CUDA " +
                                formatCudaVersion(version_) + ") has no " + row.name,
                            "It came with CUDA " + formatCudaVersion(row.version) + ": update the NVIDIA driver.");
  error.call = row.name;
  return fail(std::move(error));
}

Error DriverApi::failure(DriverFn fn, CUresult status, std::string args) const {
  Error error = makeCudaError(driverFnInfo(fn).name, status, std::move(args));
  error.log = takeLog();
  if (error.category == ErrorCategory::Dead) {
    std::lock_guard lock(mutex_);
    int expected = Usable;
    if (state_.compare_exchange_strong(expected, Dead, std::memory_order_acq_rel)) firstFatal_ = error;
  }
  return error;
}

Error DriverApi::explainFatal(Error error, const std::string& note) const {
  std::lock_guard lock(mutex_);
  if (isFatalExplained_) return firstFatal_;
  error.message += note;
  firstFatal_ = error;
  isFatalExplained_ = true;
  return error;
}

void DriverApi::releaseFailed(DriverFn fn, CUresult status, std::string_view what) const noexcept {
  if (status == CUDA_ERROR_DEINITIALIZED) return;
  try {
    Error error = failure(fn, status);
    if (error.category == ErrorCategory::Dead) return;  // reported by the call that needs the device
    warnReleaseFailed(what, error);
  } catch (...) {
  }
}

void DriverApi::appendPointer(std::string& text, const void* value) {
  char buffer[24];
  std::snprintf(buffer, sizeof buffer, "%p", value);
  text += value ? buffer : "null";
}

std::string DriverApi::takeLog() const {
  auto dump = raw<DriverFn::LogsDumpToMemory>();
  if (!dump) return {};
  std::lock_guard lock(mutex_);
  std::string text(25600, '\0');  // the most a driver keeps
  std::size_t size = text.size();
  if (dump(&logPosition_, text.data(), &size, 0) != CUDA_SUCCESS) return {};
  text.resize(std::min(size, text.size()));
  while (!text.empty() && (text.back() == '\0' || text.back() == '\n')) text.pop_back();
  return text;
}

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// The CUDA Driver API as a table of functions, found when first needed.
///
/// libcuda is never linked. It is opened at run time, each function is asked of
/// cuGetProcAddress with the version its row in cuda_driver.def names, and every
/// call goes through call<>(), which adds to a failure the call's name and
/// arguments, a category, advice, and the driver's own log.

#include "runtime/base/result.h"
#include "runtime/dynlib/cuda_errors.h"

#include <cuda.h>
#include <cudaTypedefs.h>

#include <array>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>

// Of cudaProfilerTypedefs.h, which not every installation has.
typedef CUresult(CUDAAPI* PFN_cuProfilerStart_v4000)(void);
typedef CUresult(CUDAAPI* PFN_cuProfilerStop_v4000)(void);
extern "C" CUresult CUDAAPI cuProfilerStart(void);
extern "C" CUresult CUDAAPI cuProfilerStop(void);

namespace rad::rt {

/// The oldest driver that is accepted, as cuDriverGetVersion counts (13.0).
inline constexpr int minimumDriverVersion = 13000;

/// The driver functions, in the order of cuda_driver.def.
enum class DriverFn : std::uint16_t {
#define RAD_CUDA_FN(name, version, need, feature) name,
#include "runtime/dynlib/cuda_driver.def"
};

/// How many rows cuda_driver.def has.
inline constexpr std::size_t driverFnCount = 0
#define RAD_CUDA_FN(name, version, need, feature) +1
#include "runtime/dynlib/cuda_driver.def"
    ;

/// Whether a driver without the function is refused.
enum class DriverNeed : std::uint8_t { Required, Optional };

/// One row of cuda_driver.def.
struct DriverFnInfo {
  const char* name;  ///< base name with its prefix: "cuMemAlloc"
  int version;       ///< 1000 * major + 10 * minor
  DriverNeed need;
  const char* feature;
};

/// The row of a function.
const DriverFnInfo& driverFnInfo(DriverFn fn);

/// The type of a driver function.
template <DriverFn>
struct DriverFnType;
#define RAD_CUDA_FN(name, version, need, feature) \
  template <>                                     \
  struct DriverFnType<DriverFn::name> {           \
    using Pointer = PFN_cu##name##_v##version;    \
  };
#include "runtime/dynlib/cuda_driver.def"

/// The pointer type of a driver function.
template <DriverFn fn>
using DriverFnPointer = typename DriverFnType<fn>::Pointer;

/// "13.0" for 13000.
std::string formatCudaVersion(int version);

/// One loaded driver. Immutable but for the record of a fatal error; share it
/// freely between threads. Nothing is unloaded at its end.
class DriverApi {
 public:
  /// The process's driver: loaded and started by the first call, the same object
  /// (or the same failure) afterwards. The library is, in this order: the path
  /// of setLibraryPath(), the environment variable RADDLE_CUDA_DRIVER, and
  /// libcuda.so.1 where the loader finds it.
  static Result<const DriverApi*> get();

  /// Chooses the library for get(); to be called before it. An empty path
  /// restores the default. False when get() has loaded one already.
  static bool setLibraryPath(std::string path);

  /// Opens and starts the driver at `path` (a file, or a name for the loader).
  /// The caller owns it; several may exist in one process.
  static Result<std::unique_ptr<const DriverApi>> load(const std::string& path);

  /// What is called when the process ends in order, while the driver can still be
  /// called: to finish what another thread is to release. One at most.
  static void setBeforeEnding(void (*finish)() noexcept) noexcept;

  ~DriverApi();
  DriverApi(const DriverApi&) = delete;
  DriverApi& operator=(const DriverApi&) = delete;

  /// The version the driver reports, 1000 * major + 10 * minor.
  int version() const { return version_; }

  /// The file that was loaded.
  const std::string& libraryPath() const { return path_; }

  /// Whether the driver has an optional function.
  bool has(DriverFn fn) const { return table_[static_cast<std::size_t>(fn)] != nullptr; }

  /// The function itself; null when an optional one is absent. For the few calls
  /// whose status is an answer (queries); they must come after usable().
  template <DriverFn fn>
  DriverFnPointer<fn> raw() const {
    return reinterpret_cast<DriverFnPointer<fn>>(table_[static_cast<std::size_t>(fn)]);
  }

  /// Calls a driver function. Refuses without calling when the function is
  /// absent, when the process was forked from the one that loaded the driver, or
  /// when an earlier error was fatal (that error is returned again).
  template <DriverFn fn, class... Args>
  Status call(Args... args) const {
    DriverFnPointer<fn> function = raw<fn>();
    if (state_.load(std::memory_order_acquire) != Usable || !function) [[unlikely]]
      return unusable(fn);
    CUresult status = function(args...);
    if (status == CUDA_SUCCESS) [[likely]]
      return {};
    std::string text;
    ((appendSeparator(text), appendArgument(text, args)), ...);
    return std::unexpected<Error>(failure(fn, status, std::move(text)));
  }

  /// Calls a driver function that releases something, from a destructor: never
  /// fails, reports what went wrong to the warning sink as "WHAT", and does
  /// nothing once the driver is dead, forked away or ending.
  template <DriverFn fn, class... Args>
  void release(std::string_view what, Args... args) const noexcept {
    DriverFnPointer<fn> function = raw<fn>();
    if (state_.load(std::memory_order_acquire) != Usable) return;
    CUresult status = function ? function(args...) : CUDA_ERROR_CALL_REQUIRES_NEWER_DRIVER;
    if (status != CUDA_SUCCESS) releaseFailed(fn, status, what);
  }

  /// Success, or the reason why no call can be made any more.
  Status usable() const;

  /// The complete failure for a status that raw() returned; remembers it when
  /// it is fatal.
  Error failure(DriverFn fn, CUresult status, std::string args = {}) const;

  /// A fatal error with `note` behind its message, the first time; later calls,
  /// also those of other contexts, get that one again.
  Error explainFatal(Error error, const std::string& note) const;

  /// True after a fatal error: nothing on the device can be reached or freed.
  bool dead() const { return state_.load(std::memory_order_acquire) == Dead; }

  /// True in a process forked from the one that loaded the driver: memory that
  /// the driver mapped may not be touched there either.
  bool forked() const { return state_.load(std::memory_order_acquire) == Forked; }

  /// From here on owners leak what they hold: called when the process ends.
  void beginShutdown() const noexcept;

  /// The lines the driver has logged since the last call; "" without a log.
  std::string takeLog() const;

 private:
  enum State : int { Usable, Dead, Forked, Ending };

  DriverApi() = default;

  Error unusableError() const;
  std::unexpected<Error> unusable(DriverFn fn) const;
  void releaseFailed(DriverFn fn, CUresult status, std::string_view what) const noexcept;
  void registerForProcessEvents();
  static void markForked();
  static void markEnding();

  static void appendSeparator(std::string& text) {
    if (!text.empty()) text += ", ";
  }
  static void appendArgument(std::string& text, std::integral auto value) { text += std::to_string(value); }
  static void appendArgument(std::string& text, const char* value) {
    text += value ? '"' + std::string(value) + '"' : std::string("null");
  }
  static void appendPointer(std::string& text, const void* value);
  static void appendArgument(std::string& text, std::nullptr_t) { text += "null"; }
  template <class T>
  static void appendArgument(std::string& text, T value) {
    if constexpr (std::is_enum_v<T>) text += std::to_string(static_cast<long long>(value));
    else if constexpr (std::is_convertible_v<T, const void*>) appendPointer(text, value);
    else text += "...";
  }

  std::array<void*, driverFnCount> table_{};
  int version_ = 0;
  long pid_ = 0;
  std::string path_;
  mutable std::atomic<int> state_{Usable};
  mutable std::mutex mutex_;  ///< guards what is below
  mutable Error firstFatal_;
  mutable bool isFatalExplained_ = false;
  mutable CUlogIterator logPosition_ = 0;
};

}  // namespace rad::rt

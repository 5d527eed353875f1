// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Launches: how large, with which attributes, with which arguments; and how much
/// of a kernel fits on a device.

#include "runtime/driver/library.h"

#include <array>
#include <functional>
#include <type_traits>

namespace rad::cuda {

/// A number of blocks, or of threads in a block.
struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
  std::uint64_t count() const { return std::uint64_t(x) * y * z; }
};

/// How a kernel is launched. What is not set is not asked of the driver.
struct LaunchConfig {
  Dim3 grid;   ///< blocks
  Dim3 block;  ///< threads in each
  /// Dynamic shared memory in bytes; what is above 48 KiB is opted in.
  unsigned sharedBytes = 0;
  /// Blocks that run together and reach each other's shared memory (9.0 on).
  std::optional<Dim3> cluster;
  /// All blocks run at once, so that they may wait for each other.
  bool cooperative = false;
  /// The kernel may begin before the one ahead of it in the stream has ended; it
  /// waits itself (griddepcontrol.wait). 9.0 on.
  bool overlapPrevious = false;
  /// Lower is more urgent, as with streams.
  std::optional<int> priority;
  /// Preferred share of shared memory beside the L1 cache, in percent.
  std::optional<unsigned> sharedCarveout;
  /// Recorded when all blocks have begun (made without timing). 9.0 on.
  CUevent whenBegun = nullptr;
};

/// The attributes of a configuration in the driver's form.
class LaunchAttributes {
 public:
  explicit LaunchAttributes(const LaunchConfig& config);
  const CUlaunchAttribute* data() const { return attributes_.data(); }
  unsigned count() const { return count_; }

 private:
  std::array<CUlaunchAttribute, 6> attributes_;  // the first count_ are set
  unsigned count_ = 0;
};

/// What messages call a launch.
struct LaunchLabel {
  std::string_view name = {};  ///< empty: the kernel's own
  std::uint32_t serial = 0;    ///< 0: the context counts
};

/// Fails (Launch) with the numbers when the device cannot launch the kernel so;
/// asks the driver only for cooperative launches. Opts in to shared memory.
Status checkLaunch(const Kernel& kernel, const LaunchConfig& config, std::string_view name = {});

/// Fails (Misuse) when the arguments are not the kernel's parameters in number
/// and size, where the driver knows these.
Status checkArguments(const Kernel& kernel, std::span<const std::size_t> sizes);

/// Enqueues a launch whose arguments are behind the addresses; they are copied
/// before the call returns. Checks the configuration and the number of the
/// arguments, not their sizes.
Status launchWith(const Stream& stream, const Kernel& kernel, const LaunchConfig& config,
                  std::span<const void* const> arguments, LaunchLabel label = {});

/// Enqueues a launch. The arguments are the kernel's parameters: values of
/// exactly their types (a CUdeviceptr for a pointer), checked in number and size.
template <class... Args>
  requires(std::is_trivially_copyable_v<Args> && ...)
Status launch(const Stream& stream, const Kernel& kernel, const LaunchConfig& config, const Args&... args) {
  const std::array<std::size_t, sizeof...(Args)> sizes{sizeof(Args)...};
  RAD_TRY(checkArguments(kernel, sizes));
  const std::array<const void*, sizeof...(Args)> addresses{&args...};
  return launchWith(stream, kernel, config, addresses);
}

/// A launch that was checked once and is made again and again: it keeps the
/// kernel, its stream and its arguments in the driver's form, and costs little
/// more than the driver's own call. One thread at a time.
class PreparedLaunch {
 public:
  PreparedLaunch() = default;
  /// As launch(), without launching.
  template <class... Args>
    requires(std::is_trivially_copyable_v<Args> && ...)
  static Result<PreparedLaunch> make(const Stream& stream, const Kernel& kernel, const LaunchConfig& config,
                                     const Args&... args) {
    const std::array<std::span<const std::byte>, sizeof...(Args)> bytes{std::as_bytes(std::span(&args, 1))...};
    return makeWith(stream, kernel, config, bytes);
  }
  /// With arguments as bytes.
  static Result<PreparedLaunch> makeWith(const Stream& stream, const Kernel& kernel, const LaunchConfig& config,
                                         std::span<const std::span<const std::byte>> arguments);

  explicit operator bool() const { return state_ != nullptr; }

  /// Another value for argument `index` in the launches to come. Refused
  /// (Misuse) when there is no such argument, or it has another size.
  template <class T>
    requires(std::is_trivially_copyable_v<T>)
  Status set(std::size_t index, const T& value) {
    return setBytes(index, std::as_bytes(std::span(&value, 1)));
  }
  Status setBytes(std::size_t index, std::span<const std::byte> value);

  /// Enqueues it.
  Status launch() const;

 private:
  struct State;
  struct Delete {
    void operator()(State* state) const;
  };
  explicit PreparedLaunch(std::unique_ptr<State, Delete> state) : state_(std::move(state)) {}
  std::unique_ptr<State, Delete> state_;
};

// ---- occupancy ----

/// How many blocks of `threads` fit on a multiprocessor at once.
Result<int> residentBlocks(const Kernel& kernel, int threads, std::size_t sharedBytes = 0);

/// The most blocks of a cooperative launch.
Result<std::uint64_t> cooperativeLimit(const Kernel& kernel, int threads, std::size_t sharedBytes = 0);

/// The size of blocks that keeps the device busiest, and how many of them do.
struct SuggestedBlock {
  int threads = 0;
  int blocks = 0;
};
/// `sharedBytes` gives the dynamic shared memory of a block of so many threads;
/// empty: none. `mostThreads` 0: what the kernel allows.
Result<SuggestedBlock> suggestBlock(const Kernel& kernel,
                                    const std::function<std::size_t(int threads)>& sharedBytes = {},
                                    int mostThreads = 0);

/// The dynamic shared memory that is left when `blocks` run on a multiprocessor.
Result<std::size_t> availableDynamicShared(const Kernel& kernel, int blocks, int threads);

/// How many clusters of the configuration run at once.
Result<int> activeClusters(const Kernel& kernel, const LaunchConfig& config);

/// The largest cluster, in blocks, that the configuration can have.
Result<int> largestCluster(const Kernel& kernel, const LaunchConfig& config);

}  // namespace rad::cuda

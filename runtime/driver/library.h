// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Code: images (PTX, cubin, fatbin) become libraries or modules, and these give
/// kernels and variables.

#include "runtime/driver/stream.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rad::cuda {

/// An image as the driver takes it: a pointer without a size, so text must end
/// with a zero. A copy of the bytes, which lives as long as this.
class Image {
 public:
  /// PTX text: compiled by the driver when it is loaded.
  static Image ptx(std::string_view text);
  /// A cubin, or a fatbin (several GPUs and PTX in one).
  static Image binary(std::span<const std::byte> bytes);
  const void* data() const { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }

 private:
  std::vector<std::byte> bytes_;
};

/// How the driver compiles PTX. What is not set is left to the driver.
struct JitOptions {
  std::optional<unsigned> maxRegisters;       ///< a thread
  std::optional<unsigned> threadsPerBlock;    ///< compile for at least so many
  std::optional<unsigned> optimizationLevel;  ///< 0 to 4
  std::optional<CUjit_target> target;         ///< not with threadsPerBlock
  std::optional<CUjit_fallback> fallback;     ///< no binary that fits
  std::optional<CUjit_cacheMode> cacheMode;   ///< -dlcm
  std::optional<unsigned> minBlocks;          ///< on a multiprocessor
  std::optional<unsigned> maxThreadsPerBlock;
  std::optional<unsigned> splitCompile;  ///< threads; 0: all
  bool overrideDirectives = false;       ///< these win over the PTX's own
  bool debugInfo = false;                ///< -g
  bool lineInfo = false;                 ///< -lineinfo
  bool verbose = false;                  ///< registers and spills in the log
  bool positionIndependent = false;
  /// Addresses of the host for symbols that the PTX leaves open.
  std::vector<std::pair<std::string, void*>> symbols;
  /// Room for each of the two logs; what is longer is cut off.
  unsigned logBytes = 16 << 10;
};

/// What the driver's compiler had to say.
struct JitReport {
  std::string info;
  std::string errors;
  float milliseconds = 0;
};

/// Options and logs in the form of the driver's arrays: the values are numbers
/// and addresses in the same slots. Not movable: they point into it.
class JitArguments {
 public:
  /// Fails (Misuse) on options that exclude each other.
  static Status check(const JitOptions& options);
  explicit JitArguments(const JitOptions& options);
  JitArguments(const JitArguments&) = delete;
  JitArguments& operator=(const JitArguments&) = delete;
  CUjit_option* options() { return names_.data(); }
  void** values() { return values_.data(); }
  unsigned count() const { return unsigned(names_.size()); }
  /// After the call: the logs, as long as the driver says that they are.
  JitReport report() const;

 private:
  void add(CUjit_option name, std::uintptr_t value);
  std::vector<CUjit_option> names_;
  std::vector<void*> values_;
  std::vector<const char*> symbolNames_;
  std::vector<void*> symbolAddresses_;
  std::string info_, errors_;
};

/// What a kernel uses and may use. Bytes; -1 where the driver does not tell.
struct KernelAttributes {
  int registers = -1;   ///< a thread
  int localBytes = -1;  ///< a thread
  int staticSharedBytes = -1;
  int constantBytes = -1;
  int maxThreads = -1;  ///< a block
  int maxDynamicSharedBytes = -1;
  int ptxVersion = -1;  ///< 90 for 9.0
  int binaryVersion = -1;
  bool needsCluster = false;  ///< must be launched with its compiled cluster size
};

/// A parameter of a kernel in its block of parameters.
struct ParameterInfo {
  std::size_t offset = 0;
  std::size_t bytes = 0;
};

/// What checks of launches need of the device.
struct LaunchLimits {
  int computeCapability = 0;
  int multiprocessors = 0;
  int maxThreads = 1024;
  int maxBlock[3] = {1024, 1024, 64};
  int maxGrid[3] = {0x7fffffff, 65535, 65535};
  int sharedBytes = 48 << 10;
  int sharedBytesOptIn = 48 << 10;
  bool cooperative = false;
};

/// A kernel of a library or module, which it keeps alive. Copy it freely: copies
/// are the same kernel. Thread-safe.
class Kernel {
 public:
  Kernel() = default;
  /// A kernel of other code (a cudaKernel_t is one), whose code stays loaded as
  /// long as `keepAlive` is held.
  static Result<Kernel> borrow(const Context& context, CUkernel kernel, std::shared_ptr<const void> keepAlive = {});
  explicit operator bool() const { return state_ != nullptr; }
  const std::string& name() const { return state_->name; }
  const Context& context() const;
  /// The handle for launches, graphs and occupancy.
  CUfunction raw() const { return state_ ? state_->launched : nullptr; }
  /// The same as a kernel of a library; null for one of a module.
  CUkernel libraryKernel() const { return state_ ? state_->kernel : nullptr; }
  const KernelAttributes& attributes() const { return state_->attributes; }
  const LaunchLimits& limits() const { return state_->limits; }
  /// Its parameters; empty optional where the driver cannot tell.
  const std::optional<std::vector<ParameterInfo>>& parameters() const { return state_->parameters; }

  /// Allows `bytes` of dynamic shared memory. launch() does it by itself.
  Status allowDynamicShared(unsigned bytes) const;
  /// Allows clusters of more than 8 blocks, where the device has them.
  Status allowLargeClusters() const;
  /// The preferred share of shared memory beside the L1 cache, in percent.
  Status setSharedCarveout(int percent) const;
  bool largeClustersAllowed() const { return state_->largeClusters; }

  std::shared_ptr<const void> keepAlive() const { return state_; }

 private:
  friend class Library;
  friend class Module;
  struct State {
    std::shared_ptr<const void> code;
    Context context;
    std::string name;
    CUkernel kernel = nullptr;      ///< of a library
    CUfunction launched = nullptr;  ///< of a module, or the kernel cast
    KernelAttributes attributes;
    LaunchLimits limits;
    std::optional<std::vector<ParameterInfo>> parameters;
    std::mutex mutex;  ///< for setting attributes
    std::atomic<unsigned> dynamicShared{0};
    bool largeClusters = false;
  };
  static Result<Kernel> make(std::shared_ptr<State> state);
  Status set(CUfunction_attribute which, int value) const;
  std::shared_ptr<State> state_;
};

/// A variable of a library or module in device memory.
struct Variable {
  CUdeviceptr address = 0;
  std::size_t bytes = 0;
  std::shared_ptr<const void> keepAlive;  ///< of the code
};

void releaseLibrary(const Context& context, CUlibrary library) noexcept;
void releaseModule(const Context& context, CUmodule module) noexcept;

/// Code that is loaded into every context where it is used. The way to load.
class Library : public Handle<CUlibrary, releaseLibrary> {
 public:
  /// Loads an image and makes sure that it can be used: the driver by itself
  /// accepts everything and fails at the first kernel. Fails (Image) with the
  /// compiler's log; `report` gets that of a success.
  static Result<Library> load(const Context& context, const Image& image, const JitOptions& options = {},
                              JitReport* report = nullptr);

  /// A kernel, loaded onto the device: its first launch does not wait for other
  /// work. Fails (Image) when there is none of the name; the message has those
  /// that there are.
  Result<Kernel> kernel(std::string_view name) const;
  Result<Variable> variable(std::string_view name) const;
  /// The names of its kernels.
  Result<std::vector<std::string>> kernelNames() const;

 private:
  using Handle::Handle;
};

/// Code in one context. For tools and for code that wants modules; Library does
/// the same and more.
class Module : public Handle<CUmodule, releaseModule> {
 public:
  static Result<Module> load(const Context& context, const Image& image, const JitOptions& options = {},
                             JitReport* report = nullptr);
  Result<Kernel> kernel(std::string_view name) const;
  Result<Variable> variable(std::string_view name) const;
  Result<std::vector<std::string>> kernelNames() const;

 private:
  using Handle::Handle;
};

/// One input of linkWithDriver().
struct LinkUnit {
  CUjitInputType type = CU_JIT_INPUT_PTX;
  std::string name;  ///< for messages
  std::span<const std::byte> bytes;
};

/// Links with the driver's own linker: for machines without nvJitLink. Gives a
/// cubin. LTO-IR is refused (Misuse): the driver's linker does not read today's.
Result<std::vector<std::byte>> linkWithDriver(const Context& context, std::span<const LinkUnit> units,
                                              const JitOptions& options = {}, JitReport* report = nullptr);

}  // namespace rad::cuda

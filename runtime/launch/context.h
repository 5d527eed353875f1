// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One run of host code: what the RadContext of the host interface is. The engine makes one for a program or a session,
// runs scripts in it and takes the errors out of it.
#pragma once

#include "codegen/artifact/artifact.h"
#include "runtime/base/result.h"
#include "runtime/device/device.h"
#include "runtime/launch/array.h"
#include "runtime/launch/bench_timer.h"
#include "runtime/launch/geometry.h"
#include "runtime/launch/launch_plan.h"
#include "runtime/launch/launch_seen.h"
#include "runtime/launch/messages.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct RadContext;

namespace rad::rt {

/// A compiled unit (a file, or a REPL entry) as its running scripts need it. Kept alive by the context while a launch
/// of it may still fail.
struct Unit {
  uint32_t id = 0;  // the engine's own number for it
  cg::UnitManifest manifest;
};

/// A kernel that was made for compile-time arguments of a launch.
struct Specialised {
  std::shared_ptr<const Unit> unit;
  uint32_t kernel = 0;
  uint32_t site = 0;  // of the launch, among the unit's own
};

/// Gives compiled kernels: the engine compiles them on first use; an ahead-of-time program looks them up.
class KernelProvider {
 public:
  virtual ~KernelProvider() = default;
  /// The variant of a kernel for what `key` says of the arguments. A more general variant may be returned. Called often
  /// with the same arguments: must be quick then.
  virtual Result<std::shared_ptr<Kernel>> get(const Unit& unit, uint32_t kernel, const cg::SpecKey& key) = 0;
  /// An open kernel of the unit for compile-time arguments, as rad_launch_open gets them. Called at each such launch.
  virtual Result<Specialised> specialise(const Unit&, uint32_t /*openKernel*/, std::span<const int64_t> /*statics*/,
                                         uint32_t /*site*/) {
    return fail(ErrorCategory::Misuse, "kernels cannot be made here while the program runs");
  }
};

/// Is told of a launch before it is made: its kernel, what the variant relies on, and how it is divided.
using LaunchTold = void(const Unit&, uint32_t kernel, const cg::SpecKey&, const Binding&, const LaunchShape&);

struct ContextOptions {
  std::shared_ptr<Device> device;                // never null
  KernelProvider* kernels = nullptr;             // outlives the context
  std::function<void(std::string_view)> output;  // gets what print prints, whole lines; none: standard output
  bool outputIsTerminal = false;                 // `output` shows what it gets on a terminal
  std::vector<std::string> arguments;            // args
  bool waitAfterLaunch = false;                  // each launch is waited for: a fault is told where it was made
  std::function<LaunchTold> launching = {};      // gets each launch before it is made; none: nobody asks
};

/// The memory of the launch that is being made, used again by the next one.
struct LaunchScratch {
  std::vector<Argument> arguments;  // where the plan did not do
  Binding binding;
  ArgumentBlock block;
};

/// What a context keeps of a kernel that it launched.
struct KernelUse {
  KernelUse(const cg::KernelManifest& kernel, const DeviceInfo& device) : plan(kernel, device) {}
  LaunchPlan plan;
  cg::SpecKey key;                 // of the last launch,
  std::shared_ptr<Kernel> kernel;  // its variant,
  int64_t points = 0, rows = 0;    // its domain,
  LaunchShape shape;               // and how that ran
};

/// The signature of compiled host statements (RadScript of runtime/api/host_abi.h).
using Script = int32_t (*)(RadContext*);

}  // namespace rad::rt

/// Used by one thread at a time. After any error it stays usable: arrays, units and the device are as before, but the
/// writable arrays of a launch that failed are unspecified.
struct RadContext {
 public:
  explicit RadContext(rad::rt::ContextOptions options);
  ~RadContext();
  RadContext(const RadContext&) = delete;
  RadContext& operator=(const RadContext&) = delete;

  // ---- for the engine ----

  /// Runs host statements of `unit` and gives the error that ended them, if any. Launches may be under way when it
  /// returns: finish() waits for them.
  std::optional<rad::rt::RunError> run(std::shared_ptr<const rad::rt::Unit> unit, rad::rt::Script script);
  /// Waits for all work; reports a failure of a kernel that nothing reported yet. Call it at the end of a program or
  /// REPL entry, also after run() gave an error: a launch before that may have failed too.
  std::optional<rad::rt::RunError> finish();
  /// Arrays alive that were made through this context, for leak tests.
  int64_t liveArrays() const { return liveArrays_->count(); }
  /// Puts every array on another device, on which the next scripts run. On failure all is as it was.
  rad::rt::Result<void> moveTo(std::shared_ptr<rad::rt::Device> device);
  /// Goes on with another device after the one before was lost, and all arrays with it.
  void startAfresh(std::shared_ptr<rad::rt::Device> device);
  /// Called after each launch, which is then waited for; none: launches are under way beside the script.
  void setLaunchWatch(std::function<void(const rad::rt::LaunchSeen&)> watch) { watch_ = std::move(watch); }
  void setLaunching(std::function<rad::rt::LaunchTold> launching) { launching_ = std::move(launching); }
  const std::function<void(const rad::rt::LaunchSeen&)>& launchWatch() const { return watch_; }
  rad::rt::Device& device() const { return *device_; }
  const std::shared_ptr<rad::rt::Device>& deviceOwner() const { return device_; }
  /// What rad_bench_again asks during the next scripts; none: a bench ends at once. Outlives them.
  void setBench(rad::rt::BenchTimer* timer) { bench_ = timer; }
  rad::rt::BenchTimer* bench() const { return bench_; }
  /// For the next scripts; texts handed out before stay valid.
  void setArguments(std::vector<std::string> arguments);

  // ---- for the host interface (runtime/api) ----

  /// Stores an error at a place of the current unit, if none is pending. Always gives 1, the status that scripts
  /// return.
  int32_t setError(rad::rt::Error error, uint32_t site);
  int32_t setError(rad::rt::ErrorCategory category, const rad::cg::SiteManifest* site, rad::rt::MessageParts parts);
  bool hasError() const { return error_.has_value(); }
  /// Host functions must not be entered with the stack below this address: what is left is for the runtime and the
  /// compiler.
  uintptr_t stackLimit() const { return stackLimit_; }
  /// Adds to the pending error that the host function which met it was called at `place`.
  void noteCall(std::string_view place);
  std::optional<rad::rt::RunError> takeError();

  /// A site of the current unit; null if there is none of that number.
  const rad::cg::SiteManifest* site(uint32_t id) const;
  const rad::rt::Unit* unit() const { return unit_.get(); }
  /// What is kept of a kernel of the current unit.
  rad::rt::KernelUse& use(uint32_t kernel);
  /// Its variant for arguments that are bound, compiled where there is none yet, and how it runs on the device.
  rad::rt::Result<void> prepare(uint32_t kernel, const rad::rt::Binding& binding);
  /// KernelProvider::specialise for the current unit.
  rad::rt::Result<rad::rt::Specialised> specialise(uint32_t openKernel, std::span<const int64_t> statics,
                                                   uint32_t site);
  /// Does something while another unit is the current one; gives what that gives.
  template <class Action>
  int32_t within(std::shared_ptr<const rad::rt::Unit> unit, Action action) {
    auto& own = usesOf_[unit.get()];
    std::swap(unit_, unit);
    std::swap(uses_, own);
    const int32_t status = action();
    std::swap(uses_, own);
    std::swap(unit_, unit);
    return status;
  }
  void write(std::string_view text) const;
  /// Whether what is written is seen on a terminal.
  bool outputIsTerminal() const;
  const std::vector<std::string>& arguments() const { return *arguments_; }

  /// When the first wait for launches was over, if one was.
  std::optional<std::chrono::steady_clock::time_point> firstResult() const { return firstResult_; }
  /// Launches do not nest in a context: each may use this.
  rad::rt::LaunchScratch& scratch() { return scratch_; }
  bool waitsAfterLaunch() const { return waitAfterLaunch_; }
  /// True if there were launches since the last wait.
  bool hasLaunches() const { return !underWay_.empty(); }
  /// Waits for all launches. 0, or 1 with the error stored: of the device, or of the launch that failed.
  int32_t synchronize(uint32_t site);
  /// To be called after anything that waited for the device: reports a failure that a kernel recorded. As synchronize.
  int32_t checkFailure();
  /// Numbers a launch and remembers it until the next wait, so that a failure can name it. Waits first if very many
  /// launches are under way: then as synchronize.
  int32_t beginLaunch(uint32_t kernel, uint32_t site, uint32_t& serial);
  /// Keeps a text that host code made; it stays valid as long as the context. An error once all of them take more than
  /// 1 GiB.
  rad::rt::Result<std::string_view> keepText(std::string text);
  /// A new array with undefined contents; one reference.
  rad::rt::Result<RadArray*> makeArray(rad::cg::ElementType type, int64_t count);

 private:
  /// Writes what kernels printed, after anything that waited.
  void writePrinted();
  struct LaunchNote {
    const rad::rt::Unit* unit = nullptr;  // alive in unitsUnderWay_
    uint32_t serial = 0, kernel = 0, site = 0;
  };
  /// What --check found becomes the error, or is told behind it.
  void tellFindings(const rad::rt::KernelFailure& failure, const LaunchNote* launch);
  std::shared_ptr<rad::rt::Device> device_;
  rad::rt::KernelProvider* kernels_ = nullptr;
  bool waitAfterLaunch_ = false;
  std::function<void(std::string_view)> output_;
  std::function<rad::rt::LaunchTold> launching_;
  bool outputIsTerminal_ = false;
  std::shared_ptr<const std::vector<std::string>> arguments_;
  rad::rt::BenchTimer* bench_ = nullptr;
  std::vector<std::shared_ptr<const std::vector<std::string>>> oldArguments_;
  std::deque<std::string> texts_;
  size_t textBytes_ = 0;
  std::shared_ptr<rad::rt::LiveArrays> liveArrays_;
  std::function<void(const rad::rt::LaunchSeen&)> watch_;
  std::shared_ptr<const rad::rt::Unit> unit_;
  std::vector<std::unique_ptr<rad::rt::KernelUse>> uses_;  // as unit_'s kernels; null: not launched yet
  std::map<const rad::rt::Unit*, std::vector<std::unique_ptr<rad::rt::KernelUse>>> usesOf_;  // of those of open kernels
  struct PendingError {
    rad::rt::ErrorCategory category;
    std::optional<rad::cg::SiteManifest> site;
    rad::rt::MessageParts parts;
    size_t calls = 0;
    bool isOfKernel = false;  // its cause is a launch, not the call during which it surfaced
    std::string more = {};    // further messages
  };
  std::optional<PendingError> error_;
  std::vector<LaunchNote> underWay_;  // launches since the last wait, oldest first
  std::vector<std::shared_ptr<const rad::rt::Unit>> unitsUnderWay_;
  rad::rt::LaunchScratch scratch_;
  uint32_t nextSerial_ = 1;
  std::optional<std::chrono::steady_clock::time_point> firstResult_;
  uintptr_t stackLimit_ = 0;  // of the thread that runs the current script
};

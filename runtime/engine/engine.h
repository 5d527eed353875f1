// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The one place that sees every stage: text in, launches out. The command line, the REPL and embedders go through it.
#pragma once

#include "codegen/codegen.h"
#include "frontend/diagnostics/diagnostics.h"
#include "frontend/sema/sema.h"
#include "runtime/base/result.h"
#include "runtime/device/device.h"
#include "runtime/engine/pipeline.h"
#include "runtime/engine/stage_times.h"
#include "runtime/launch/bench_timer.h"
#include "runtime/launch/launch_seen.h"
#include "runtime/launch/messages.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rad::rt {

struct EngineOptions {
  /// "host", "cuda:0", or empty: cuda:0 if a driver and a GPU are there, else host.
  std::string device;
  /// A GPU is held by a process of its own (runtime/isolated): startAfresh() can be called when it is lost.
  bool isolateDevice = false;
  PipelineOptions pipeline;
  /// What `args` holds.
  std::vector<std::string> arguments;
  /// Gets, for each variant of a kernel when it is launched for the first time, what was made of it (explain_launch.h);
  /// and in the end how many launches there were.
  std::function<void(std::string_view)> explain;
  /// Remarks about what makes kernels slow on GPUs, among the diagnostics.
  bool remarks = false;
  /// Where print goes; standard output if empty.
  std::function<void(std::string_view)> output;
  /// For finding out which launch a fault of the device comes from: each is waited for, and told there.
  bool waitAfterLaunch = false;
  /// Kernels are compiled and loaded before the statements of their unit run, for the arguments that are most likely.
  bool prepare = false;
  /// Told what begins that may take long ("compiling kernel `gemm`"), and by an empty text that it is over; before
  /// anything is printed.
  std::function<void(std::string_view)> progress;
  bool outputIsTerminal = false;  // `output` shows it on one
};

/// How a run ended.
enum class RunOutcome : uint8_t {
  Done,
  Rejected,  // the text is wrong: see diagnostics()
  Failed,    // it ran and stopped: see RunResult::error
};
/// What a compiled kernel is shown as.
enum class KernelForm : uint8_t { Llvm, Ptx, Sass, Assembly };

struct RunResult {
  RunOutcome outcome = RunOutcome::Done;
  std::optional<RunError> error;
};

/// A session on one device: units are compiled and run one after the other; definitions and variables of earlier units
/// stay visible. A failed unit leaves everything else as it was. One thread at a time; several engines may live in
/// several threads.
class Engine {
 public:
  /// The device is opened by openDevice(), or by the first run() beside compiling; that it cannot be opened is an error
  /// of that.
  static Result<std::unique_ptr<Engine>> create(EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Compiles and runs one text. `name` stands in messages. `interactive`: the value of a last expression is printed.
  RunResult run(std::string name, std::string text, bool interactive = false);

  /// Reads a file for its test and bench blocks: it is checked as run() does, and its script does not run.
  RunResult open(std::string name, std::string text);
  /// The blocks of the file that was opened, in its order.
  std::vector<TestBlock> blocks() const;
  /// Runs one of them: as an entry of a session, so that one which fails leaves the others as they were. `bench`
  /// decides how often a bench runs what it measures.
  RunResult run(const TestBlock& block, BenchTimer* bench = nullptr);

  // For interactive sessions. What is asked leaves the session as it was; messages about it are diagnostics(), as those
  // of run().

  /// What an expression is, without running it.
  RunResult inspect(std::string name, std::string text, Inspected& found);
  /// A kernel of the session in one of its forms. `kernel`: its name, with compile-time arguments where it has
  /// parameters: `gemm[TILE: 64]`. `target`: "sm_90", "host"; empty: that of the device, or sm_90 for PTX and SASS
  /// where that is no GPU.
  RunResult showKernel(const std::string& kernel, KernelForm form, std::string target, std::string& shown);
  /// Goes on on another device; all variables go along. On failure nothing has changed.
  Result<void> moveTo(const std::string& device);
  /// Opens the device anew, after an error that says it is lost (Dead). The arrays that lay there are lost: their
  /// variables have no value, and are named.
  Result<std::vector<std::string>> startAfresh();
  std::vector<SessionName> names() const;
  std::vector<std::string> moduleNames(std::string_view module) const;
  /// Runs `code`, whose last statement `bench` measures, as an entry of the session. Without `interruptible` it is
  /// compiled without looking for Ctrl-C, which then waits for the end of a run of the statement.
  RunResult bench(std::string name, const std::string& code, BenchTimer& timer, bool interruptible = true);
  /// Remarks about a kernel (named as for showKernel()) among the diagnostics(): what makes it slow on the device if
  /// that is a GPU, else on sm_90.
  RunResult remark(const std::string& kernel);
  /// Changes EngineOptions::explain and remarks from now on.
  void setExplain(std::function<void(std::string_view)> explain);
  void setRemarks(bool remarks);
  /// Tells of each launch from now on (RadContext::setLaunchWatch).
  void setLaunchWatch(std::function<void(const LaunchSeen&)> watch);
  /// What is known of the device; it is opened.
  Result<DeviceInfo> deviceInfo();

  /// The messages of the last run() or open().
  const Diagnostics& diagnostics() const;
  const SourceManager& sources() const;
  /// Where the last text that was run lies.
  FileId lastFile() const;
  StageTimes& times();
  /// Opens the device now, unless it is open.
  Result<void> openDevice();
  bool isDeviceOpen() const;
  /// "cuda:0 (NVIDIA H100 80GB HBM3, sm_90)", once it is open.
  std::string deviceDescription() const;

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rad::rt

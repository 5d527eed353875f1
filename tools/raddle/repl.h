// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The session that `raddle` is without a command: entries from a terminal or from standard input.
#pragma once

#include "runtime/engine/engine.h"
#include "tools/raddle/commands.h"
#include "tools/raddle/line_editor.h"
#include "tools/raddle/progress.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rad::tool {

class Repl;

/// A line that begins with a colon. The rows are in repl_commands.cpp.
struct ReplCommand {
  std::string_view name;      // "ptx"
  std::string_view argument;  // as the help shows it: "KERNEL [TARGET]"
  std::string_view doc;
  enum class Takes : uint8_t { Nothing, Word, Code, File } takes;  // Code may go on over several lines
  void (Repl::*run)(std::string_view argument);
};
std::span<const ReplCommand> replCommands();
/// Splits ":name argument"; the name without its colon.
std::pair<std::string_view, std::string_view> splitCommand(std::string_view entry);

class Repl {
 public:
  explicit Repl(const CommonOptions& options);
  int run();

  // The commands, each with what stands behind its name.
  void help(std::string_view argument);
  void device(std::string_view argument);
  void showLlvm(std::string_view argument) { showKernel(argument, rt::KernelForm::Llvm); }
  void showPtx(std::string_view argument) { showKernel(argument, rt::KernelForm::Ptx); }
  void showSass(std::string_view argument) { showKernel(argument, rt::KernelForm::Sass); }
  void showAssembly(std::string_view argument) { showKernel(argument, rt::KernelForm::Assembly); }
  void type(std::string_view argument);
  void time(std::string_view argument);
  void bench(std::string_view argument);
  void profile(std::string_view argument);
  void remarks(std::string_view argument);
  void explainLaunch(std::string_view argument);
  void vars(std::string_view argument);
  void doc(std::string_view argument);
  void save(std::string_view argument);
  void load(std::string_view argument);
  void reset(std::string_view argument);
  void quit(std::string_view argument);

 private:
  int open();
  int readTerminal();
  int readInput();
  /// Whether no further line belongs to the entry.
  static bool isComplete(std::string_view entry);
  void handle(const std::string& entry);
  void command(std::string_view entry);
  /// Compiles and runs an entry, and shows what is to be said about it. True if it was done.
  bool runEntry(const std::string& entry);
  bool show(const rt::RunResult& result);
  /// The device is lost: the session goes on with a fresh one where it is isolated, and ends otherwise.
  void afterLoss();
  void showKernel(std::string_view argument, rt::KernelForm form);
  /// Whether the text names a kernel, with compile-time arguments or without; says so where it does not.
  bool isKernel(std::string_view text);
  /// Says that a command cannot be done as it stands.
  void refuse(const std::string& message);
  Completion complete(std::string_view text, size_t cursor);
  std::string dim(std::string_view text) const {
    return isColored_ ? "\033[2m" + std::string(text) + "\033[0m" : std::string(text);
  }
  std::string bold(std::string_view text) const {
    return isColored_ ? "\033[1m" + std::string(text) + "\033[0m" : std::string(text);
  }

  CommonOptions options_;
  rt::EngineOptions engineOptions_;
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<rt::Engine> engine_;
  std::vector<std::string> accepted_;  // entries that ran to their end, for :save
  std::string* captured_ = nullptr;    // what is printed goes here instead of standard output
  bool isMuted_ = false;               // what is printed goes nowhere
  double copyRate_ = 0;                // bytes a second that copying reaches on the host; 0: not measured yet
  unsigned number_ = 0;
  int status_ = exitOk;
  bool isTerminal_ = false, isColored_ = false, isOver_ = false;
};

}  // namespace rad::tool

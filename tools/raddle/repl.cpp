// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/raddle/repl.h"

#include "frontend/parse/parse.h"
#include "runtime/base/interrupt.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <unistd.h>
#include <chrono>
#include <cstdlib>
#include <iostream>

namespace rad::tool {

namespace {
bool isBlank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }
}  // namespace

std::pair<std::string_view, std::string_view> splitCommand(std::string_view entry) {
  const size_t begin = entry.find(':') + 1;
  const size_t end = std::min(entry.find_first_of(" \t\r\n", begin), entry.size());
  std::string_view argument = entry.substr(end);
  const size_t first = argument.find_first_not_of(" \t\r\n");
  argument = first == std::string_view::npos ? std::string_view() : argument.substr(first);
  while (!argument.empty() && isBlank(argument.substr(argument.size() - 1))) argument.remove_suffix(1);
  return {entry.substr(begin, end - begin), argument};
}

Repl::Repl(const CommonOptions& options)
    : options_(options),
      isTerminal_(::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO)),
      isColored_(isTerminal_ && !std::getenv("NO_COLOR")) {}

int Repl::open() {
  auto engine = rt::Engine::create(engineOptions_);
  if (!engine) return report(engine.error());
  engine_ = std::move(*engine);
  if (auto there = engine_->openDevice(); !there) return report(there.error());
  return exitOk;
}

int Repl::run() {
  auto pipeline = pipelineOptions(options_);
  if (!pipeline) return report(pipeline.error());
  engineOptions_.device = options_.device;
  engineOptions_.isolateDevice = options_.isolate;
  engineOptions_.waitAfterLaunch = options_.syncLaunches;
  engineOptions_.pipeline = std::move(*pipeline);
  engineOptions_.pipeline.codegen.interruptible = isTerminal_;
  engineOptions_.outputIsTerminal = isTerminal_;
  engineOptions_.remarks = options_.remarks;
  if (options_.explainLaunch) engineOptions_.explain = printExplanation;
  progress_ = std::make_unique<Progress>(!options_.quiet);
  engineOptions_.progress = progressOf(*progress_);
  engineOptions_.output = [this](std::string_view text) {
    if (isMuted_) return;
    if (captured_) *captured_ += text;
    else std::fwrite(text.data(), 1, text.size(), stdout);
  };
  if (isTerminal_) rt::Interrupt::enable();  // before the device is opened: a process that holds it is told
  if (int status = open(); status != exitOk) return status;
  const int status = isTerminal_ ? readTerminal() : readInput();
  // A kernel that was left running on a GPU would keep this process: the system ends both.
  if (isTerminal_) {
    std::fflush(stdout);
    if (engine_) static_cast<void>(engine_.release());
  }
  return status;
}

bool Repl::isComplete(std::string_view entry) {
  const size_t first = entry.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || entry[first] != ':') return !isIncomplete(entry);
  const auto [name, argument] = splitCommand(entry);
  for (const ReplCommand& command : replCommands())
    if (command.name == name && command.takes == ReplCommand::Takes::Code)
      return argument.empty() || argument == "on" || !isIncomplete(argument);
  return true;
}

int Repl::readTerminal() {
  LineEditor editor({.isComplete = isComplete,
                     .complete = [this](std::string_view text, size_t cursor) { return complete(text, cursor); }},
                    LineEditor::defaultHistoryFile());
  if (!options_.quiet)
    fmt::print("raddle {} on {}\n{}\n", RADDLE_VERSION, engine_->deviceDescription(),
               dim(":help lists commands; :quit or Ctrl-D ends"));
  std::fflush(stdout);
  const std::string prompt = isColored_ ? "\1\033[1;36m\1> \1\033[0m\1" : "> ";
  bool wasInterrupted = false;
  while (!isOver_) {
    std::string entry;
    switch (editor.read(prompt, entry)) {
      case LineEditor::End::Entry:
        wasInterrupted = false;
        handle(entry + "\n");
        break;
      case LineEditor::End::Interrupted:
        if (std::exchange(wasInterrupted, true)) fmt::print("{}\n", dim(":quit or Ctrl-D ends"));
        break;
      case LineEditor::End::Closed:
        fmt::print("\n");
        isOver_ = true;
        break;
    }
    std::fflush(stdout);
  }
  return status_ == exitEnvironment ? exitEnvironment : exitOk;  // a mistake in an entry is no failure of the session
}

int Repl::readInput() {
  std::string entry, line;
  while (!isOver_ && std::getline(std::cin, line)) {
    entry += line;
    entry += '\n';
    if (isBlank(entry)) entry.clear();
    else if (isComplete(entry)) {
      handle(std::exchange(entry, {}));
      std::fflush(stdout);  // whoever writes the entries may wait for what they give
    }
  }
  if (!entry.empty() && !isOver_) handle(entry);
  return status_;
}

void Repl::handle(const std::string& entry) {
  const size_t first = entry.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return;
  if (entry[first] == ':') return command(entry);
  if (runEntry(entry)) accepted_.push_back(entry);
}

bool Repl::runEntry(const std::string& entry) {
  const auto start = std::chrono::steady_clock::now();
  auto result = engine_->run(fmt::format("<entry {}>", ++number_), entry, true);
  const bool done = show(result);
  if (options_.time == "text") fmt::print(stderr, "{}", engine_->times().text());
  if (options_.time == "json") fmt::print(stderr, "{}\n", engine_->times().json());
  engine_->times().clear();
  if (const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      isTerminal_ && !options_.quiet && seconds > 1)
    fmt::print("{}\n", dim(fmt::format("({:.1f} s)", seconds)));
  return done;
}

bool Repl::show(const rt::RunResult& result) {
  std::fflush(stdout);
  printDiagnostics(engine_->diagnostics(), engine_->sources());
  if (result.outcome == rt::RunOutcome::Rejected) status_ = std::max(status_, exitProgram);
  if (result.outcome == rt::RunOutcome::Failed) {
    status_ = std::max(status_, report(*result.error));
    if (result.error->category == rt::ErrorCategory::Dead) afterLoss();
  }
  return result.outcome == rt::RunOutcome::Done;
}

void Repl::afterLoss() {
  // What lies behind a lost context can't work: more entries would only repeat the first cause.
  if (!options_.isolate) {
    isOver_ = true;
    return;
  }
  const auto lost = engine_->startAfresh();
  if (!lost) {
    status_ = std::max(status_, report(lost.error()));
    isOver_ = true;
    return;
  }
  fmt::print(stderr, "raddle: {} was started afresh; {}\n", engine_->deviceDescription(),
             lost->empty() ? "no array was lost"
                           : fmt::format("the arrays that lay there are lost: {}", fmt::join(*lost, ", ")));
}

void Repl::refuse(const std::string& message) {
  tool::refuse(exitUsage, message);
  status_ = std::max(status_, exitProgram);
}

int repl(const CommonOptions& options) { return Repl(options).run(); }

}  // namespace rad::tool

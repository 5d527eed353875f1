// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/engine/devices.h"
#include "runtime/engine/engine.h"
#include "tools/raddle/commands.h"
#include "tools/raddle/progress.h"

#include <fmt/format.h>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace rad::tool {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool isLeakChecked = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool isLeakChecked = true;
#else
constexpr bool isLeakChecked = false;
#endif
#else
constexpr bool isLeakChecked = false;
#endif

/// The process is about to end: the system takes back what the run holds as a whole, which takes less time than piece
/// by piece, above all for the context of a GPU.
void leaveToSystem(std::unique_ptr<rt::Engine> engine) {
  if (isLeakChecked || !engine->isDeviceOpen()) return;
  std::fflush(stdout);  // what was printed does not wait for the end either
  static_cast<void>(engine.release());
}

int show(const RunCommand& command, rt::Engine& engine, const rt::RunResult& result) {
  auto printTimes = [&] {
    if (command.common.time == "text") fmt::print(stderr, "{}", engine.times().text());
    if (command.common.time == "json") fmt::print(stderr, "{}\n", engine.times().json());
  };
  if (command.verify) {
    auto differences = verifyExpectations(engine.diagnostics(), engine.sources(), engine.lastFile());
    printDifferences(differences);
    printTimes();
    if (result.outcome == rt::RunOutcome::Failed) return report(*result.error);
    return differences.empty() ? exitOk : exitProgram;
  }
  printDiagnostics(engine.diagnostics(), engine.sources());
  printTimes();
  switch (result.outcome) {
    case rt::RunOutcome::Done: return exitOk;
    case rt::RunOutcome::Rejected: return exitProgram;
    case rt::RunOutcome::Failed: return report(*result.error);
  }
  return exitOk;
}

int runProgram(const RunCommand& command, const std::string& file, const std::vector<std::string>& arguments) {
  auto pipeline = pipelineOptions(command.common);
  if (!pipeline) return report(pipeline.error());
  auto text = rt::readFile(file);
  if (!text) return report(text.error());

  rt::EngineOptions options;
  options.device = command.common.device;
  options.pipeline = std::move(*pipeline);
  options.arguments = arguments;
  Progress progress(!command.common.quiet);
  options.progress = progressOf(progress);
  options.remarks = command.common.remarks;
  if (command.common.explainLaunch) options.explain = printExplanation;
  options.waitAfterLaunch = command.common.syncLaunches;
  options.prepare = command.prepare;
  auto engine = rt::Engine::create(std::move(options));
  if (!engine) return report(engine.error());

  auto result = (*engine)->run(file == "-" ? "<stdin>" : file, std::move(*text));
  const int status = show(command, **engine, result);
  if (!command.batch || command.common.isolate) leaveToSystem(*std::move(engine));
  return status;
}

/// Says to a process that was started by --isolate what it is for: the number of the program in the list, from 1 on.
constexpr const char* isolatedVariable = "RADDLE_ISOLATED";

struct BatchEntry {
  std::string file;
  std::vector<std::string> arguments;
};
std::vector<BatchEntry> readBatch(const std::string& list) {
  std::vector<BatchEntry> entries;
  std::istringstream lines(list);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    BatchEntry entry;
    if (!(words >> entry.file)) continue;
    for (std::string word; words >> word;) entry.arguments.push_back(std::move(word));
    entries.push_back(std::move(entry));
  }
  return entries;
}

/// The same command again, in a process that starts afresh; its exit status.
int runAgain(const RunCommand& command, const std::string& file, size_t number) {
  std::vector<char*> arguments;
  for (const auto& text : command.command) arguments.push_back(const_cast<char*>(text.c_str()));
  arguments.push_back(nullptr);
  ::setenv(isolatedVariable, std::to_string(number).c_str(), 1);
  std::fflush(nullptr);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments.data(), environ);
  ::unsetenv(isolatedVariable);
  auto stopped = [&](const std::string& how) {
    return refuse(exitEnvironment, fmt::format("the process that ran {} {}", file, how));
  };
  if (failed != 0) return stopped(fmt::format("could not be started: {}", std::strerror(failed)));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return stopped(fmt::format("was lost: {}", std::strerror(errno)));
  if (WIFSIGNALED(status))
    return stopped(fmt::format("was ended by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status))));
  return WEXITSTATUS(status);
}

/// Runs each program of the list in this process, so that a tool which watches the process (compute-sanitizer) starts
/// only once.
int runBatch(const RunCommand& command) {
  auto list = rt::readFile(command.file);
  if (!list) return report(list.error());
  const std::vector<BatchEntry> entries = readBatch(*list);
  // The device stays open between the programs: to open a GPU takes longer than most of them.
  std::shared_ptr<rt::Device> device;
  if (!command.common.isolate) {
    auto opened = rt::openDevice({command.common.device});
    if (!opened) return report(opened.error());
    device = *std::move(opened);
  }
  int worst = exitOk, count = 0, failed = 0;
  for (const auto& [file, arguments] : entries) {
    const int status = command.common.isolate ? runAgain(command, file, static_cast<size_t>(count) + 1)
                                              : runProgram(command, file, arguments);
    std::fflush(stdout);
    fmt::print(stderr, "== {}: status {}\n", file, status);
    ++count;
    failed += status != exitOk;
    worst = std::max(worst, status);
  }
  fmt::print(stderr, "{} programs, {} of them with another status than 0\n", count, failed);
  return worst;
}

}  // namespace

int run(const RunCommand& command) {
  if (const char* number = std::getenv(isolatedVariable); command.common.isolate && number) {
    const size_t wanted = std::strtoul(number, nullptr, 10);
    ::unsetenv(isolatedVariable);
    if (!command.batch) return runProgram(command, command.file, command.arguments);
    auto list = rt::readFile(command.file);
    if (!list) return report(list.error());
    const std::vector<BatchEntry> entries = readBatch(*list);
    if (wanted < 1 || wanted > entries.size())
      return refuse(exitEnvironment, fmt::format("{} has changed while its programs ran", command.file));
    return runProgram(command, entries[wanted - 1].file, entries[wanted - 1].arguments);
  }
  if (command.common.isolate && !command.batch) return runAgain(command, command.file, 1);
  return command.batch ? runBatch(command) : runProgram(command, command.file, command.arguments);
}

}  // namespace rad::tool

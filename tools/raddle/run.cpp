// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/engine/devices.h"
#include "runtime/engine/engine.h"
#include "tools/raddle/commands.h"

#include <fmt/format.h>

#include <cstdio>
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

/// The process is about to end: the system takes back what the run holds as a whole, which takes less time than piece by piece, above all
/// for the context of a GPU.
void leaveToSystem(std::unique_ptr<rt::Engine> engine) {
  if (isLeakChecked || !engine->isDeviceOpen()) return;
  std::fflush(stdout);  // what was printed does not wait for the end either
  static_cast<void>(engine.release());
}

int show(const RunCommand& command, rt::Engine& engine, const rt::RunResult& result) {
  if (command.verify) {
    auto differences = verifyExpectations(engine.diagnostics(), engine.sources(), engine.lastFile());
    for (const auto& line : differences) fmt::print(stderr, "{}\n", line);
    if (result.outcome == rt::RunOutcome::Failed) return report(*result.error);
    return differences.empty() ? exitOk : exitProgram;
  }
  printDiagnostics(engine.diagnostics(), engine.sources());
  if (command.common.time == "text") fmt::print(stderr, "{}", engine.times().text());
  if (command.common.time == "json") fmt::print(stderr, "{}\n", engine.times().json());
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
  options.remarks = command.common.remarks;
  if (command.common.explainLaunch)
    options.explain = [](std::string_view text) {
      std::fflush(stdout);
      fmt::print(stderr, "{}", text);
    };
  auto engine = rt::Engine::create(std::move(options));
  if (!engine) return report(engine.error());

  auto result = (*engine)->run(file == "-" ? "<stdin>" : file, std::move(*text));
  const int status = show(command, **engine, result);
  if (!command.batch) leaveToSystem(*std::move(engine));
  return status;
}

/// Runs each program of the list in this process, so that a tool which watches the process (compute-sanitizer) starts only once.
int runBatch(const RunCommand& command) {
  auto list = rt::readFile(command.file);
  if (!list) return report(list.error());
  // The device stays open between the programs: to open a GPU takes longer than most of them.
  auto device = rt::openDevice(command.common.device);
  if (!device) return report(device.error());
  std::istringstream lines(*list);
  int worst = exitOk, count = 0, failed = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string file;
    std::vector<std::string> arguments;
    if (!(words >> file)) continue;
    for (std::string word; words >> word;) arguments.push_back(std::move(word));
    int status = runProgram(command, file, arguments);
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
  return command.batch ? runBatch(command) : runProgram(command, command.file, command.arguments);
}

}  // namespace rad::tool

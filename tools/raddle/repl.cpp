// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/parse/parse.h"
#include "runtime/engine/engine.h"
#include "tools/raddle/commands.h"

#include <fmt/format.h>

#include <iostream>
#include <unistd.h>

namespace rad::tool {

int repl(const CommonOptions& common) {
  auto pipeline = pipelineOptions(common);
  if (!pipeline) return report(pipeline.error());
  rt::EngineOptions options;
  options.device = common.device;
  options.pipeline = std::move(*pipeline);
  auto engine = rt::Engine::create(std::move(options));
  if (!engine) return report(engine.error());
  if (auto open = (*engine)->openDevice(); !open) return report(open.error());

  const bool terminal = ::isatty(STDIN_FILENO);
  if (terminal) fmt::print("raddle {} on {}; end with Ctrl-D\n", RADDLE_VERSION, (*engine)->deviceDescription());
  int status = exitOk;
  unsigned number = 0;
  std::string entry, line;
  auto prompt = [&] {
    if (!terminal) return;
    fmt::print("{}", entry.empty() ? "> " : ". ");
    std::fflush(stdout);
  };
  auto runEntry = [&] {
    auto result = (*engine)->run(fmt::format("<entry {}>", ++number), entry, true);
    entry.clear();
    std::fflush(stdout);
    printDiagnostics((*engine)->diagnostics(), (*engine)->sources());
    if (common.time == "text") fmt::print(stderr, "{}", (*engine)->times().text());
    if (common.time == "json") fmt::print(stderr, "{}\n", (*engine)->times().json());
    (*engine)->times().clear();
    if (result.outcome == rt::RunOutcome::Rejected) status = std::max(status, exitProgram);
    if (result.outcome == rt::RunOutcome::Failed) status = std::max(status, report(*result.error));
    // What lies behind a lost context can't work: more entries would only repeat the first cause.
    return !(result.error && result.error->category == rt::ErrorCategory::Dead);
  };
  prompt();
  while (std::getline(std::cin, line)) {
    entry += line;
    entry += '\n';
    if (entry.find_first_not_of(" \t\r\n") == std::string::npos) entry.clear();
    else if (!isIncomplete(entry) && !runEntry()) return status;
    prompt();
  }
  if (!entry.empty()) runEntry();
  if (terminal) fmt::print("\n");
  return status;
}

}  // namespace rad::tool

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/engine/engine.h"
#include "tools/raddle/commands.h"

#include <fmt/format.h>

namespace rad::tool {

int run(const RunCommand& command) {
  auto pipeline = pipelineOptions(command.common);
  if (!pipeline) return report(pipeline.error());
  auto text = rt::readFile(command.file);
  if (!text) return report(text.error());

  rt::EngineOptions options;
  options.device = command.common.device;
  options.pipeline = std::move(*pipeline);
  options.arguments = command.arguments;
  auto engine = rt::Engine::create(std::move(options));
  if (!engine) return report(engine.error());

  std::string name = command.file == "-" ? "<stdin>" : command.file;
  auto result = (*engine)->run(std::move(name), std::move(*text));

  if (command.verify) {
    auto differences = verifyExpectations((*engine)->diagnostics(), (*engine)->sources(), (*engine)->lastFile());
    for (const auto& line : differences) fmt::print(stderr, "{}\n", line);
    if (result.outcome == rt::RunOutcome::Failed) return report(*result.error);
    return differences.empty() ? exitOk : exitProgram;
  }
  printDiagnostics((*engine)->diagnostics(), (*engine)->sources());
  if (command.common.time == "text") fmt::print(stderr, "{}", (*engine)->times().text());
  if (command.common.time == "json") fmt::print(stderr, "{}\n", (*engine)->times().json());
  switch (result.outcome) {
    case rt::RunOutcome::Done: return exitOk;
    case rt::RunOutcome::Rejected: return exitProgram;
    case rt::RunOutcome::Failed: return report(*result.error);
  }
  return exitOk;
}

}  // namespace rad::tool

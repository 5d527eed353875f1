// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// raddle test and raddle bench: the blocks of files, one by one.
#include "runtime/engine/devices.h"
#include "runtime/engine/engine.h"
#include "tools/raddle/commands.h"
#include "tools/raddle/progress.h"

#include <fmt/format.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/ADT/StringRef.h>
#include <llvm/Support/Regex.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace rad::tool {
namespace {

using Json = nlohmann::ordered_json;

/// How one block ended on one device.
struct Outcome {
  std::string file, name, device;
  uint32_t line = 0;
  bool passed = false;
  double seconds = 0;           // test: all of it
  std::string message, output;  // why it failed; what it printed
  std::vector<double> samples;  // bench: seconds of one run, sorted
  uint64_t runs = 1;            // bench: in a sample
  int64_t bytes = 0;            // bench: what one run moves; 0: not known
  double part(double at) const {
    return samples[static_cast<size_t>(at * static_cast<double>(samples.size() - 1) + 0.5)];
  }
  double median() const { return part(0.5); }
};

std::string spellTime(double seconds) {
  if (seconds < 1e-6) return fmt::format("{:.1f} ns", seconds * 1e9);
  if (seconds < 1e-3) return fmt::format("{:.2f} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.3f} ms", seconds * 1e3);
  return fmt::format("{:.3f} s", seconds);
}

std::string indented(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    result += fmt::format("    {}\n", text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

/// The devices that `--device` names.
rt::Result<std::vector<std::string>> devicesOf(const std::string& wanted) {
  if (wanted != "all") return std::vector{wanted};
  std::vector<std::string> devices = {"host"};
  for (unsigned i = 0; i < 64; ++i) {
    const std::string id = fmt::format("cuda:{}", i);
    if (!rt::openDevice({id})) break;
    devices.push_back(id);
  }
  return devices;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '&') result += "&amp;";
    else if (c == '<') result += "&lt;";
    else if (c == '>') result += "&gt;";
    else if (c == '"') result += "&quot;";
    else if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t')
      result += ' ';  // XML has no such characters
    else result += c;
  }
  return result;
}

std::string junit(const std::vector<Outcome>& outcomes) {
  size_t failures = 0;
  double seconds = 0;
  for (const Outcome& one : outcomes) failures += !one.passed, seconds += one.seconds;
  std::string text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"raddle\" tests=\"{}\" "
      "failures=\"{}\" time=\"{:.3f}\">\n",
      outcomes.size(), failures, seconds);
  for (const Outcome& one : outcomes) {
    text += fmt::format("<testcase classname=\"{}.{}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.3f}\">",
                        escaped(one.file), escaped(one.device), escaped(one.name), escaped(one.file), one.line,
                        one.seconds);
    if (!one.passed)
      text +=
          fmt::format("<failure message=\"{}\">{}</failure>",
                      escaped(std::string_view(one.message).substr(0, one.message.find('\n'))), escaped(one.message));
    if (!one.output.empty()) text += fmt::format("<system-out>{}</system-out>", escaped(one.output));
    text += "</testcase>\n";
  }
  return text + "</testsuite>\n</testsuites>\n";
}

Json json(const Outcome& one, bool isBench) {
  Json object{{"file", one.file}, {"line", one.line}, {"name", one.name}, {"device", one.device}};
  object["status"] = one.passed ? "passed" : "failed";
  if (isBench && one.bytes > 0 && !one.samples.empty())
    object.update({{"bytes", one.bytes}, {"bytes_per_second", static_cast<double>(one.bytes) / one.median()}});
  if (isBench && !one.samples.empty())
    object.update({{"median", one.median()},
                   {"low", one.part(0.1)},
                   {"high", one.part(0.9)},
                   {"samples", one.samples.size()},
                   {"runs_per_sample", one.runs}});
  if (!isBench) object["seconds"] = one.seconds;
  if (!one.message.empty()) object["message"] = one.message;
  if (!one.output.empty()) object["output"] = one.output;
  return object;
}

int writeResult(const std::string& path, const std::string& text) {
  if (path == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return exitOk;
  }
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return exitOk;
  return refuse(exitEnvironment, fmt::format("cannot write {}: {}", path, std::strerror(errno)));
}

class Runner {
 public:
  explicit Runner(const TestCommand& command)
      : command_(command),
        progress_(!command.common.quiet),
        shown_(command.json == "-" || command.junit == "-" ? stderr : stdout) {}
  int run();

 private:
  int runFile(const std::string& file, const std::string& device, const rt::PipelineOptions& pipeline);
  Outcome runBlock(rt::Engine& engine, const TestBlock& block, std::string file, std::string& output);
  void show(const Outcome& outcome);
  int compare();

  const TestCommand& command_;
  Progress progress_;
  std::FILE* shown_;
  std::vector<Outcome> outcomes_;
  size_t blocks_ = 0;  // before the filter
  bool rejected_ = false;
};

Outcome Runner::runBlock(rt::Engine& engine, const TestBlock& block, std::string file, std::string& output) {
  Outcome outcome;
  outcome.file = std::move(file);
  outcome.name = block.name;
  outcome.line = engine.sources().position(block.range.begin).line;
  output.clear();
  rt::BenchTimer::Plan plan;
  plan.budget = rt::BenchTimer::Seconds(command_.seconds);
  plan.warmUp = rt::BenchTimer::Seconds(std::min(0.1, command_.seconds / 4));
  rt::BenchTimer timer(plan);
  const auto start = std::chrono::steady_clock::now();
  auto result = engine.run(block, command_.isBench ? &timer : nullptr);
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  outcome.device = engine.deviceDescription();
  outcome.device = outcome.device.substr(0, outcome.device.find(' '));
  outcome.passed = result.outcome == rt::RunOutcome::Done;
  if (result.outcome == rt::RunOutcome::Failed) outcome.message = result.error->text;
  if (result.outcome == rt::RunOutcome::Rejected)
    for (const auto& diagnostic : engine.diagnostics().all())
      outcome.message += render(diagnostic, engine.sources(), {});
  outcome.output = output;
  outcome.samples = timer.samples();
  outcome.runs = timer.runsPerSample();
  outcome.bytes = timer.bytes();
  std::sort(outcome.samples.begin(), outcome.samples.end());
  return outcome;
}

void Runner::show(const Outcome& one) {
  const std::string place = fmt::format("{} ({})", one.name, one.device);
  if (!one.passed) {
    fmt::print(shown_, "FAILED {}, {}:{}\n{}", place, one.file, one.line, indented(one.message));
    if (!one.output.empty()) fmt::print(shown_, "    it printed:\n{}", indented(one.output));
  } else if (command_.isBench) {
    fmt::print(shown_, "{:<44} {:>12}   {} to {}{}\n", place, spellTime(one.median()), spellTime(one.part(0.1)),
               spellTime(one.part(0.9)),
               one.bytes > 0 ? fmt::format("   {:.3g} GB/s", static_cast<double>(one.bytes) / one.median() / 1e9)
                             : std::string());
  } else if (!command_.common.quiet) {
    fmt::print(shown_, "passed {} in {}\n", place, spellTime(one.seconds));
  }
  std::fflush(shown_);
}

int Runner::runFile(const std::string& file, const std::string& device, const rt::PipelineOptions& pipeline) {
  auto text = rt::readFile(file);
  if (!text) return report(text.error());
  std::string output;
  rt::EngineOptions options;
  options.device = device;
  options.pipeline = pipeline;
  options.waitAfterLaunch = command_.common.syncLaunches;
  options.output = [&](std::string_view printed) { output += printed; };
  auto engine = rt::Engine::create(std::move(options));
  if (!engine) return report(engine.error());
  const std::string shownName = file == "-" ? "<stdin>" : file;
  auto opened = (*engine)->open(shownName, std::move(*text));
  printDiagnostics((*engine)->diagnostics(), (*engine)->sources());
  if (opened.outcome == rt::RunOutcome::Failed) return report(*opened.error);
  if (opened.outcome == rt::RunOutcome::Rejected) {
    rejected_ = true;
    return exitOk;
  }
  llvm::Regex filter(command_.filter);
  for (const TestBlock& block : (*engine)->blocks()) {
    if (block.isBench != command_.isBench) continue;
    ++blocks_;
    if (!command_.filter.empty() && !filter.match(block.name)) continue;
    // A device that is not there is no failure of a test.
    if (auto there = (*engine)->openDevice(); !there) return report(there.error());
    progress_.begin(fmt::format("{} {}: {}", command_.isBench ? "bench" : "test", outcomes_.size() + 1, block.name));
    outcomes_.push_back(runBlock(**engine, block, shownName, output));
    progress_.done();
    show(outcomes_.back());
  }
  if (command_.common.time == "text") fmt::print(stderr, "{}\n{}", shownName, (*engine)->times().text());
  if (command_.common.time == "json") fmt::print(stderr, "{}\n", (*engine)->times().json());
  return exitOk;
}

int Runner::compare() {
  auto text = rt::readFile(command_.compare);
  if (!text) return report(text.error());
  const Json saved = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!saved.is_object() || !saved.contains("benches") || !saved["benches"].is_array()) {
    return refuse(exitUsage, fmt::format("{} is no result of `raddle bench --json FILE`", command_.compare));
  }
  int status = exitOk;
  for (const Outcome& one : outcomes_) {
    if (!one.passed) continue;
    const Json* before = nullptr;
    for (const Json& candidate : saved["benches"])
      if (candidate.is_object() && candidate.value("name", "") == one.name &&
          candidate.value("device", "") == one.device && candidate.value("file", "") == one.file &&
          candidate.contains("median") && candidate["median"].is_number())
        before = &candidate;
    if (!before) {
      fmt::print(shown_, "{} ({}): not in {}\n", one.name, one.device, command_.compare);
      continue;
    }
    const double ratio = one.median() / (*before)["median"].get<double>();
    const bool isSlower = !(ratio <= command_.threshold);
    fmt::print(shown_, "{} ({}): {:.3f} times what it was{}\n", one.name, one.device, ratio,
               isSlower ? fmt::format(", more than {}", command_.threshold) : std::string());
    if (isSlower) status = exitProgram;
  }
  return status;
}

int Runner::run() {
  auto pipeline = pipelineOptions(command_.common);
  if (!pipeline) return report(pipeline.error());
  std::string problem;
  if (!command_.filter.empty() && !llvm::Regex(command_.filter).isValid(problem)) {
    return refuse(exitUsage, fmt::format("--filter {}: {}", command_.filter, problem));
  }
  auto devices = devicesOf(command_.common.device);
  if (!devices) return report(devices.error());
  for (const std::string& device : *devices)
    for (const std::string& file : command_.files)
      if (int status = runFile(file, device, *pipeline); status != exitOk) return status;
  const std::string_view kind = command_.isBench ? "bench" : "test";
  if (outcomes_.empty()) {
    if (rejected_) return exitProgram;
    return refuse(exitProgram,
                  fmt::format("no {}: {}", kind,
                              blocks_ ? fmt::format("none of the {} has a name that --filter matches", blocks_)
                                      : fmt::format("a {0} stands in a file as `{0} \"name\" {{ ... }}`", kind)));
  }
  size_t failed = 0;
  for (const Outcome& one : outcomes_) failed += !one.passed;
  int status = failed || rejected_ ? exitProgram : exitOk;
  if (!command_.isBench || failed) fmt::print(shown_, "{} passed, {} failed\n", outcomes_.size() - failed, failed);
  if (!command_.compare.empty())
    if (int compared = compare(); compared != exitOk) status = compared;
  if (!command_.junit.empty())
    if (int written = writeResult(command_.junit, junit(outcomes_)); written != exitOk) return written;
  if (!command_.json.empty()) {
    Json all;
    Json list = Json::array();
    for (const Outcome& one : outcomes_) list.push_back(json(one, command_.isBench));
    all[command_.isBench ? "benches" : "tests"] = std::move(list);
    if (int written = writeResult(command_.json, all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
        written != exitOk)
      return written;
  }
  return status;
}

}  // namespace

int test(const TestCommand& command) { return Runner(command).run(); }

}  // namespace rad::tool

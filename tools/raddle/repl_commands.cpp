// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The commands of the session: lines that begin with a colon.
#include "tools/raddle/repl.h"

#include "runtime/base/interrupt.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <map>

namespace rad::tool {
namespace {

using Takes = ReplCommand::Takes;
constexpr ReplCommand commandTable[] = {
    {"help", "[COMMAND]", "this list, or what a command does", Takes::Word, &Repl::help},
    {"device", "[DEVICE]", "shows the device, or goes on on another one: host, cuda:0; variables go along", Takes::Word,
     &Repl::device},
    {"vars", "", "the variables, with their types and sizes", Takes::Nothing, &Repl::vars},
    {"type", "EXPRESSION", "the type of an expression, which does not run", Takes::Code, &Repl::type},
    {"doc", "[NAME]", "what a name of the session or the library means", Takes::Word, &Repl::doc},
    {"time", "CODE", "runs it, and shows how long compiling and running took", Takes::Code, &Repl::time},
    {"bench", "CODE", "runs it again and again: median, spread, bytes a second", Takes::Code, &Repl::bench},
    {"profile", "CODE", "runs it, waiting for each launch: what each kernel took", Takes::Code, &Repl::profile},
    {"explain-launch", "CODE", "runs it, and tells what each launch is; on, off: for all entries", Takes::Code,
     &Repl::explainLaunch},
    {"remarks", "KERNEL", "what makes a kernel slow on a GPU; on, off: for all entries", Takes::Word, &Repl::remarks},
    {"llvm", "KERNEL [TARGET]", "the optimised LLVM module of a kernel, for the device or a target", Takes::Word,
     &Repl::showLlvm},
    {"ptx", "KERNEL [TARGET]", "the PTX of a kernel, for the device or a target such as sm_90", Takes::Word,
     &Repl::showPtx},
    {"sass", "KERNEL [TARGET]", "the machine code of a kernel on a GPU (needs nvdisasm)", Takes::Word, &Repl::showSass},
    {"asm", "KERNEL", "the machine code of a kernel on this processor", Takes::Word, &Repl::showAssembly},
    {"save", "FILE", "writes the entries that worked to a file", Takes::File, &Repl::save},
    {"load", "FILE", "runs a program, or the entries that :save wrote", Takes::File, &Repl::load},
    {"reset", "", "forgets all that was entered", Takes::Nothing, &Repl::reset},
    {"quit", "", "ends the session", Takes::Nothing, &Repl::quit},
};

/// The first line of what :save writes.
constexpr std::string_view sessionMark = "// A session of raddle: `:load` runs its entries one by one.";

std::string spellSeconds(double seconds) {
  if (seconds < 1e-6) return fmt::format("{:.1f} ns", seconds * 1e9);
  if (seconds < 1e-3) return fmt::format("{:.2f} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.3f} ms", seconds * 1e3);
  return fmt::format("{:.3f} s", seconds);
}

std::string spellRate(double bytesPerSecond) {
  if (bytesPerSecond < 1e8) return fmt::format("{:.1f} MB/s", bytesPerSecond * 1e-6);
  return fmt::format("{:.1f} GB/s", bytesPerSecond * 1e-9);
}

/// What copying between arrays far larger than the caches gives, for a device that does not say.
double measuredCopyRate() {
  // In an engine of its own: nothing of this belongs to the session.
  constexpr double seconds = 0.1;
  rt::BenchTimer timer({.warmUp = rt::BenchTimer::Seconds(seconds / 4), .budget = rt::BenchTimer::Seconds(seconds)});
  rt::EngineOptions options;
  options.device = "host";
  auto own = rt::Engine::create(std::move(options));
  constexpr uint64_t elements = uint64_t{1} << 24;
  const std::string text = fmt::format(
      "kernel copy_all(x: [f32; n], mut y: [f32; n]) forall i in 0..n {{ y[i] = x[i] }}\n"
      "bench \"copy\" {{ let x = zeros[f32]({0}); let y = zeros[f32]({0}); copy_all(x, y) }}\n",
      elements);
  if (!own || (*own)->open("<copy>", text).outcome != rt::RunOutcome::Done) return 0;
  const auto blocks = (*own)->blocks();
  if (blocks.empty() || (*own)->run(blocks[0], &timer).outcome != rt::RunOutcome::Done || timer.samples().empty())
    return 0;
  return 2.0 * sizeof(float) * static_cast<double>(elements) /
         *std::min_element(timer.samples().begin(), timer.samples().end());
}

}  // namespace

std::span<const ReplCommand> replCommands() { return commandTable; }

void Repl::command(std::string_view entry) {
  const auto [name, argument] = splitCommand(entry);
  const ReplCommand* found = nullptr;
  std::vector<std::string_view> names, beginning;
  for (const ReplCommand& one : commandTable) {
    names.push_back(one.name);
    if (one.name == name) found = &one;
    if (!name.empty() && one.name.starts_with(name)) beginning.push_back(one.name);
  }
  if (!found && beginning.size() == 1)
    for (const ReplCommand& one : commandTable)
      if (one.name == beginning[0]) found = &one;
  if (!found) {
    std::string near = nearestName(name, names);
    if (beginning.size() > 1) near = std::string(beginning[0]) + " or :" + std::string(beginning[1]);
    return refuse(fmt::format("there is no command `:{}`; {}", name,
                              near.empty() ? ":help lists them" : "did you mean :" + near + "?"));
  }
  const bool isOptional = found->argument.empty() || found->argument[0] == '[';
  if (argument.empty() && !isOptional) return refuse(fmt::format("it is :{} {}", found->name, found->argument));
  if (found->takes == Takes::Nothing && !argument.empty())
    return refuse(fmt::format(":{} takes nothing behind it", found->name));
  (this->*found->run)(argument);
}

void Repl::help(std::string_view argument) {
  if (argument.starts_with(':')) argument.remove_prefix(1);
  bool any = false;
  for (const ReplCommand& one : commandTable) {
    if (!argument.empty() && one.name != argument) continue;
    const std::string form = fmt::format(":{} {}", one.name, one.argument);
    fmt::print("  {}{}\n", bold(fmt::format("{:<22}", form)), one.doc);
    any = true;
  }
  if (!any) return refuse(fmt::format("there is no command `:{}`; :help lists them", argument));
  if (!argument.empty()) return;
  fmt::print("Whatever else is entered is Raddle; the value of a last expression is shown.\n");
  if (isTerminal_)
    fmt::print(
        "Tab completes, the arrows go through lines and history, Ctrl-R searches it, Ctrl-C stops what runs, "
        "Alt-Return begins a line.\n");
}

void Repl::quit(std::string_view) { isOver_ = true; }

void Repl::reset(std::string_view) {
  auto info = engine_->deviceInfo();
  if (info) engineOptions_.device = info->id;
  engineOptions_.remarks = options_.remarks;
  engineOptions_.explain = options_.explainLaunch ? printExplanation : std::function<void(std::string_view)>();
  engine_.reset();
  accepted_.clear();
  number_ = 0;
  if (int status = open(); status != exitOk) {
    status_ = status;
    isOver_ = true;
  }
}

void Repl::device(std::string_view argument) {
  if ((options_.checks("race") || options_.checks("uninit")) && !argument.empty() && argument != "host")
    return refuse(
        fmt::format("--check=race and uninit look at kernels on CPU threads: this session stays on the host; "
                    "start one without --check to use {}",
                    argument));
  if (!argument.empty())
    if (auto moved = engine_->moveTo(std::string(argument)); !moved) {
      std::fflush(stdout);
      status_ = std::max(status_, report(moved.error()));
      return;
    }
  fmt::print("{}\n", engine_->deviceDescription());
}

bool Repl::isKernel(std::string_view text) {
  const std::string_view name = text.substr(0, text.find('['));
  const auto names = engine_->names();
  std::vector<std::string_view> kernels;
  for (const SessionName& one : names)
    if (one.kind == SessionName::Kind::Kernel) kernels.push_back(one.name);
  if (std::ranges::find(kernels, name) != kernels.end()) return true;
  const std::string near = nearestName(name, kernels);
  refuse(fmt::format("there is no kernel `{}`{}", text, near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  return false;
}

void Repl::showKernel(std::string_view argument, rt::KernelForm form) {
  // The target is the last word, unless it is all there is, or part of compile-time arguments.
  std::string kernel(argument), target;
  if (const size_t blank = kernel.find_last_of(" \t");
      blank != std::string::npos && kernel.find(']', blank) == std::string::npos) {
    target = kernel.substr(blank + 1);
    kernel.erase(kernel.find_last_not_of(" \t", blank) + 1);
  }
  if (!isKernel(kernel)) return;
  std::string shown;
  auto result = engine_->showKernel(kernel, form, target, shown);
  if (show(result)) fmt::print("{}{}", shown, shown.ends_with('\n') ? "" : "\n");
}

void Repl::type(std::string_view argument) {
  Inspected found;
  if (show(engine_->inspect("<type>", std::string(argument), found))) fmt::print("{}\n", found.type);
}

void Repl::vars(std::string_view) {
  std::vector<SessionName> variables;
  for (SessionName& one : engine_->names())
    if (one.kind == SessionName::Kind::Variable) variables.push_back(std::move(one));
  if (variables.empty()) return fmt::print("no variables yet\n");
  size_t width = 0;
  for (const SessionName& one : variables) width = std::max(width, one.name.size());
  // The values are asked for in the language itself; all at once unless one of them has none yet.
  auto question = [](const SessionName& one) {
    const std::string_view type = one.type.starts_with("mut ") ? std::string_view(one.type).substr(4) : one.type;
    const size_t rank = static_cast<size_t>(std::count(type.begin(), type.end(), '_'));
    const bool isView = (type.starts_with('[') || type.starts_with("strided [")) && rank > 0;
    if (!isView) return fmt::format("print(\"{{}}\", {})\n", one.name);
    std::string holes, sizes;
    for (size_t i = 0; i < rank; ++i) {
      holes += i ? ", {}" : "{}";
      sizes += fmt::format(", {}.shape[{}]", one.name, i);
    }
    return fmt::format("print(\"{}; {}]\"{})\n", type.substr(0, type.find(';')), holes, sizes);
  };
  auto ask = [&](const std::string& text, std::string& answer) {
    captured_ = &answer;
    const auto result = engine_->run("<vars>", text, true);
    captured_ = nullptr;
    return result.outcome == rt::RunOutcome::Done;
  };
  auto print = [&](const SessionName& one, std::string_view value) {
    const size_t end = std::min(value.find('\n'), value.size());
    std::string line(value.substr(0, std::min<size_t>(end, 100)));
    if (line.size() < value.size() && value.substr(line.size()) != "\n") line += " ...";
    const bool isView = line.starts_with('[') && one.type.find('_') != std::string::npos;
    // A constant without a suffix has no type of its own yet.
    const bool isUntyped = one.type.starts_with("a ") || one.type.starts_with("an ");
    fmt::print("{}  {}\n", bold(fmt::format("{:<{}}", one.name, width)),
               isView      ? line
               : isUntyped ? fmt::format("{} ({})", line, one.type)
                           : fmt::format("{} = {}", one.type, line));
  };
  std::vector<std::string> answers(variables.size());
  for (size_t i = 0; i < variables.size(); ++i) {
    const bool known = ask(question(variables[i]), answers[i]);
    if (known) print(variables[i], answers[i]);
    else
      fmt::print("{}  {}\n", bold(fmt::format("{:<{}}", variables[i].name, width)),
                 variables[i].type + dim(" (no value yet)"));
  }
}

void Repl::doc(std::string_view argument) {
  std::fflush(stdout);
  const auto names = engine_->names();
  if (argument.empty()) {
    std::string own;
    for (const SessionName& one : names)
      if (one.isDeclared) own += " " + one.name;
    if (!own.empty()) fmt::print("This session:\n   {}\n\n", own);
  }
  for (const SessionName& one : names) {
    if (one.name != argument || !one.isDeclared) continue;
    if (one.kind == SessionName::Kind::Variable) return fmt::print("{}: {}\n", one.name, one.type);
    if (one.signature.empty()) break;
    fmt::print("{}\n", bold(one.signature));
    for (size_t at = 0; at < one.doc.size();) {
      const size_t end = std::min(one.doc.find('\n', at), one.doc.size());
      fmt::print("    {}\n", one.doc.substr(at, end - at));
      at = end + 1;
    }
    return;
  }
  if (const int status = tool::doc(std::string(argument), {}); status != exitOk)
    status_ = std::max(status_, exitProgram);
}

void Repl::time(std::string_view argument) {
  engine_->times().clear();
  const auto start = std::chrono::steady_clock::now();
  const auto result = engine_->run(fmt::format("<entry {}>", ++number_), std::string(argument) + "\n", true);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const std::string stages = engine_->times().text();
  engine_->times().clear();
  if (!show(result)) return;
  accepted_.push_back(std::string(argument) + "\n");
  fmt::print("{}{:<10} {:9.3f} ms\n", stages, "wall", seconds * 1e3);
}

void Repl::bench(std::string_view argument) {
  Inspected what;
  if (!show(engine_->inspect("<bench>", std::string(argument), what))) return;
  // The last statement is measured; one that is a value has to go somewhere.
  const bool isOne = argument.find_first_of(";\n") == std::string_view::npos;
  const std::string code = (what.isValue && isOne ? "let the_value = " : "") + std::string(argument);
  // What it moves is counted apart, since to watch launches is to wait for each; and first, since what came to its end
  // can be measured without looking for Ctrl-C.
  uint64_t bytes = 0, launches = 0;
  rt::BenchTimer once({.warmUp = {}, .budget = {}, .sample = {}, .fewest = 1, .most = 1});
  engine_->setLaunchWatch([&](const rt::LaunchSeen& launch) {
    if (once.runs() > 0) bytes += launch.bytes, ++launches;  // else what stands before the last statement
  });
  isMuted_ = true;  // what is measured prints nothing: it runs a thousand times
  const auto watched = engine_->bench("<bench>", code, once);
  engine_->setLaunchWatch({});
  isMuted_ = false;
  if (!show(watched)) return;
  rt::BenchTimer timer({.warmUp = rt::BenchTimer::Seconds(0.05), .budget = rt::BenchTimer::Seconds(0.5)});
  isMuted_ = true;
  const auto measured = engine_->bench("<bench>", code, timer, /*interruptible=*/false);
  isMuted_ = false;
  if (!show(measured) || timer.samples().empty()) return;
  bytes /= std::max<uint64_t>(once.runs(), 1), launches /= std::max<uint64_t>(once.runs(), 1);
  auto samples = timer.samples();
  std::sort(samples.begin(), samples.end());
  auto part = [&](double at) {
    return samples[static_cast<size_t>(at * static_cast<double>(samples.size() - 1) + 0.5)];
  };
  const double median = part(0.5);
  fmt::print("{}   {} to {} (a tenth is faster, a tenth slower; {} samples of {})\n", bold(spellSeconds(median)),
             spellSeconds(part(0.1)), spellSeconds(part(0.9)), samples.size(),
             timer.runsPerSample() == 1 ? "1 run" : fmt::format("{} runs", timer.runsPerSample()));
  if (bytes == 0) return;
  const double rate = static_cast<double>(bytes) / median;
  auto info = engine_->deviceInfo();
  double most = info ? info->memoryBytesPerSecond : 0;
  std::string_view whose = "its memory's bandwidth";
  if (info && info->kind == rt::DeviceKind::Host) {
    if (copyRate_ == 0) copyRate_ = measuredCopyRate();
    most = copyRate_;
    whose = "what copying large arrays reaches here";
  }
  fmt::print("{} ({} bytes of arrays read and written by {})", spellRate(rate), bytes,
             launches == 1 ? "1 launch" : fmt::format("{} launches", launches));
  if (most > 0) fmt::print(": {:.0f}% of {}, {}", 100 * rate / most, whose, spellRate(most));
  fmt::print("\n");
}

void Repl::profile(std::string_view argument) {
  struct Row {
    uint64_t launches = 0, bytes = 0;
    double seconds = 0, longest = 0;
  };
  std::map<std::string, Row> rows;
  engine_->setLaunchWatch([&](const rt::LaunchSeen& launch) {
    Row& row = rows[launch.kernel];
    ++row.launches;
    row.bytes += launch.bytes;
    row.seconds += launch.seconds;
    row.longest = std::max(row.longest, launch.seconds);
  });
  engine_->times().clear();
  const auto start = std::chrono::steady_clock::now();
  const auto result = engine_->run(fmt::format("<entry {}>", ++number_), std::string(argument) + "\n", true);
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  engine_->setLaunchWatch({});
  const rt::StageTimes times = engine_->times();
  engine_->times().clear();
  if (!show(result)) return;
  accepted_.push_back(std::string(argument) + "\n");
  std::vector<std::pair<std::string, Row>> sorted(rows.begin(), rows.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  double all = 0, compiling = times.total() - times.of(rt::Stage::Run);
  // Kernels are compiled while the entry runs: that part of it is no running.
  for (const auto& [name, row] : sorted) all += row.seconds;
  if (rows.empty())
    return fmt::print("no launches, compiling {}, all {}\n", spellSeconds(compiling * 1e-3), spellSeconds(wall));
  fmt::print("{}\n", bold(fmt::format("{:<32} {:>9} {:>12} {:>7} {:>12} {:>12} {:>12}", "kernel", "launches", "time",
                                      "share", "mean", "longest", "rate")));
  for (const auto& [name, row] : sorted)
    fmt::print("{:<32} {:>9} {:>12} {:>6.1f}% {:>12} {:>12} {:>12}\n",
               name.size() > 32 ? name.substr(0, 29) + "..." : name, row.launches, spellSeconds(row.seconds),
               all > 0 ? 100 * row.seconds / all : 0, spellSeconds(row.seconds / static_cast<double>(row.launches)),
               spellSeconds(row.longest),
               row.seconds > 0 ? spellRate(static_cast<double>(row.bytes) / row.seconds) : "");
  fmt::print("kernels {}, compiling {}, all {}\n", spellSeconds(all), spellSeconds(compiling * 1e-3),
             spellSeconds(wall));
}

void Repl::remarks(std::string_view argument) {
  if (argument == "on" || argument == "off") {
    options_.remarks = argument == "on";
    engine_->setRemarks(options_.remarks);
    return;
  }
  if (isKernel(argument) && show(engine_->remark(std::string(argument))) && engine_->diagnostics().all().empty())
    fmt::print("nothing to remark\n");
}

void Repl::explainLaunch(std::string_view argument) {
  if (argument == "on" || argument == "off") {
    options_.explainLaunch = argument == "on";
    engine_->setExplain(options_.explainLaunch ? printExplanation : std::function<void(std::string_view)>());
    return;
  }
  engine_->setExplain(printExplanation);
  const std::string entry = std::string(argument) + "\n";
  if (runEntry(entry)) accepted_.push_back(entry);
  if (!options_.explainLaunch) engine_->setExplain({});
}

void Repl::save(std::string_view argument) {
  const std::string path(argument);
  std::ofstream file(path, std::ios::binary);
  file << sessionMark << "\n";
  for (const std::string& entry : accepted_) file << "\n" << entry;
  file.close();
  if (!file) {
    std::fflush(stdout);
    fmt::print(stderr, "raddle: error[R0701]: cannot write {}: {}\n", path, std::strerror(errno));
    status_ = std::max(status_, exitEnvironment);
    return;
  }
  fmt::print("{} in {}\n", accepted_.size() == 1 ? "1 entry" : fmt::format("{} entries", accepted_.size()), path);
}

void Repl::load(std::string_view argument) {
  const std::string path(argument);
  auto text = rt::readFile(path);
  if (!text) {
    std::fflush(stdout);
    status_ = std::max(status_, report(text.error()));
    return;
  }
  if (!text->starts_with(sessionMark)) {
    if (show(engine_->run(path, *text))) accepted_.push_back(text->ends_with('\n') ? *text : *text + "\n");
    return;
  }
  std::string entry;
  for (size_t at = sessionMark.size(); at < text->size() && !isOver_;) {
    const size_t end = std::min(text->find('\n', at), text->size() - 1) + 1;
    entry += text->substr(at, end - at);
    at = end;
    if (at < text->size() && !isComplete(entry)) continue;
    if (entry.find_first_not_of(" \t\r\n") == std::string::npos) {
      entry.clear();
      continue;
    }
    if (!runEntry(entry)) return refuse(fmt::format("the entries of {} behind this one were not run", path));
    accepted_.push_back(std::exchange(entry, {}));
  }
}

}  // namespace rad::tool

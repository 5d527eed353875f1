// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/raddle/option_rules.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>

namespace rad::tool {
namespace {

bool isGiven(const CLI::App& app, const std::string& option) {
  const CLI::Option* found = app.get_option_no_throw(option);
  return found && found->count() > 0;
}

/// The first of the options that was given; empty: none.
std::string firstGiven(const CLI::App& app, std::initializer_list<const char*> options) {
  for (const char* option : options)
    if (isGiven(app, option)) return option;
  return {};
}

}  // namespace

std::string wrongTogether(const CLI::App& app, const CommonOptions& options) {
  if (options.unchecked && options.verifyProofs)
    return "--unchecked drops the index checks that --verify-proofs keeps: leave one of them out";
  if (options.debug && isGiven(app, "-O") && options.optLevel > 0)
    return fmt::format("-g makes code that is not optimised: leave -O {} out", options.optLevel);
  if (options.messages == "json" && options.time == "text")
    return "--messages=json makes standard error one object a line: write --time=json";
  if (!options.link.empty() && options.device == "host")
    return "--link takes code for GPUs: it cannot be used with --device host";
  if ((options.checks("race") || options.checks("uninit")) && options.device != "host" && !options.device.empty())
    return "--check=race and uninit look at kernels on CPU threads: leave --device out, or use --device host";
  return {};
}

std::string wrongTogether(const CLI::App& app, const RunCommand& command) {
  if (std::string wrong = wrongTogether(app, command.common); !wrong.empty()) return wrong;
  if (command.batch && !command.arguments.empty())
    return "with --batch the arguments of each program stand behind it in the list, not behind --";
  if (command.batch && command.common.messages == "json")
    return "--batch says how each program ended in a line of text: --messages=json cannot be used with it";
  if (command.batch && command.common.isolate && command.file == "-")
    return "--batch --isolate reads the list once for each program: it must be a file, not standard input";
  return {};
}

std::string wrongTogether(const CLI::App& app, const TestCommand& command) {
  if (std::string wrong = wrongTogether(app, command.common); !wrong.empty()) return wrong;
  if (!command.json.empty() && command.json == command.junit)
    return fmt::format("--json and --junit would both write {}",
                       command.json == "-" ? "standard output" : command.json);
  if (command.isBench && isGiven(app, "--threshold") && command.compare.empty())
    return "--threshold is for comparing: it needs --compare FILE";
  return {};
}

std::string wrongTogether(const CLI::App& app, const BuildCommand& command) {
  if (std::string wrong = wrongTogether(app, command.common); !wrong.empty()) return wrong;
  const bool isHost = command.arch == "host";
  const bool isParsedOnly = command.emit == "tokens" || command.emit == "ast";
  const bool isFrontend = isParsedOnly || command.emit == "typed" || command.verify;
  const std::string stage = command.verify ? "--verify" : "--emit=" + command.emit;

  if (!command.from.empty()) {
    for (const char* option :
         {"--verify", "--verify-proofs", "--unchecked", "--check", "--spec", "--remarks", "--explain-launch"})
      if (isGiven(app, option)) return fmt::format("{} is about programs: it has no meaning with --from", option);
    if (command.from == "ptx" && isGiven(app, "--fp"))
      return "--fp was decided when the PTX was made: it has no meaning with --from=ptx";
  }
  if (isFrontend)
    if (const auto option = firstGiven(app, {"--spec", "--fp", "-O", "-g", "--unchecked", "--check", "--link", "--arch",
                                             "--beside", "--explain-launch"});
        !option.empty())
      return fmt::format("{} is about code that is generated: {} ends before", option, stage);
  if (command.verify && isGiven(app, "-o")) return "--verify compares messages and writes nothing: leave -o out";
  if (isParsedOnly && command.common.remarks)
    return fmt::format("--remarks needs the checked program: {} ends before", stage);
  if (isParsedOnly && command.common.verifyProofs)
    return fmt::format("--verify-proofs needs the checked program: {} ends before", stage);
  if (isHost && isGiven(app, "--spec") && command.spec != "inrange" && command.spec != "none")
    return "--spec on the host: its code relies on nothing but inrange";
  const bool isLinked = command.emit == "cubin" || command.emit == "fatbin" || command.emit == "sass";
  if (!command.common.link.empty() && !isLinked)
    return fmt::format("--link joins machine code of GPUs: {} ends before", stage);
  if (isGiven(app, "--beside")) {
    if (command.common.time != "json") return "--beside is for its time: it needs --time=json";
    if (isHost) return "--beside assembles PTX: it needs a GPU target";
  }
  return {};
}

std::string wrongInFront(const CLI::App& app, const CLI::App& command) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0) continue;
    const std::string name =
        option->get_lnames().empty() ? "-" + option->get_snames()[0] : "--" + option->get_lnames()[0];
    return fmt::format(
        "{} stands in front of `{}`, where options of a session stand: write it behind, raddle {} {} ...", name,
        command.get_name(), command.get_name(), name);
  }
  return {};
}

std::string whyNotParsed(const CLI::App& app, std::string_view parserSays) {
  const auto parsed = app.get_subcommands();
  const CLI::App* command = parsed.empty() ? nullptr : parsed[0];
  const std::string name = command ? "raddle " + command->get_name() : "raddle";
  const std::vector<std::string> extra = app.remaining(true);
  if (extra.empty()) return fmt::format("{}; {} --help lists the options", parserSays, name);
  const std::string& word = extra[0];
  if (word.size() > 1 && word[0] == '-') {
    std::vector<std::string> names;
    for (const CLI::Option* option : (command ? *command : app).get_options())
      for (const std::string& one : option->get_lnames()) names.push_back("--" + one);
    const std::string near = nearestName(word.substr(0, word.find('=')), {names.begin(), names.end()});
    return fmt::format("{} has no option {}; {}", name, word,
                       near.empty() ? name + " --help lists them" : "did you mean " + near + "?");
  }
  if (command) {
    const bool isProgram = command->get_name() == "run";
    return fmt::format("{} takes nothing more, and `{}` was given; {}", name, word,
                       isProgram ? "arguments of the program stand behind --" : name + " --help shows what it takes");
  }
  std::error_code ignored;
  if (word.ends_with(".rad") || std::filesystem::is_regular_file(word, ignored))
    return fmt::format("there is no command `{}`; to run a program: raddle run {}", word, word);
  std::vector<std::string> names;
  for (const CLI::App* one : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(one->get_name());
  const std::string near = nearestName(word, {names.begin(), names.end()});
  return fmt::format("there is no command `{}`; {}", word,
                     near.empty() ? "raddle --help lists them" : "did you mean " + near + "?");
}

}  // namespace rad::tool

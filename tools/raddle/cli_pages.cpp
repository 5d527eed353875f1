// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/raddle/cli_pages.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <string_view>
#include <vector>

namespace rad::tool {
namespace {

/// A row of the table of options.
struct OptionRow {
  std::vector<std::string> names;    // "--device", "-O"
  std::string argument;              // "DEVICE"; empty: it takes none
  std::vector<std::string> choices;  // what the argument can be; empty: anything
  std::string doc;
  bool isPositional = false, isFile = false, mayLackArgument = false;
  bool isMany = false;  // a positional that takes all that is left
  bool isList = false;  // several choices, with commas between them
  bool isCode = false;  // of a message
};

struct CommandRow {
  std::string name, doc;  // the name is empty for `raddle` itself
  std::vector<OptionRow> options;
  /// What stands behind the options; none: nothing does.
  const OptionRow* positional() const {
    const auto found = std::ranges::find_if(options, &OptionRow::isPositional);
    return found == options.end() ? nullptr : &*found;
  }
};

/// Prints the codes of all messages.
constexpr std::string_view listOfCodes = "raddle explain | cut -d\" \" -f1";

OptionRow rowOf(const CLI::Option& option) {
  OptionRow row;
  for (const std::string& name : option.get_snames()) row.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) row.names.push_back("--" + name);
  row.doc = option.get_description();
  row.isPositional = row.names.empty();
  row.isMany = row.isPositional && option.get_items_expected_max() > 1;
  row.mayLackArgument = option.get_expected_min() == 0;
  if (option.get_items_expected_max() > 0) {
    // "MODE:{default,strict,fast}": the name of the argument, and what checks it.
    const std::string type = option.get_type_name();
    row.argument = type.substr(0, type.find(':'));
    if (row.argument.empty()) row.argument = "VALUE";
    const size_t begin = type.find(":{"), end = type.find('}');
    if (begin != std::string::npos && end != std::string::npos)
      for (size_t at = begin + 2; at < end;) {
        const size_t next = std::min(type.find(',', at), end);
        row.choices.push_back(type.substr(at, next - at));
        at = next + 1;
      }
  }
  if (row.isPositional) row.argument = option.get_name(true);
  if (!row.isPositional && std::find(row.names.begin(), row.names.end(), "--device") != row.names.end())
    row.choices = {"host", "cuda:0"};
  if (std::find(row.names.begin(), row.names.end(), "-O") != row.names.end()) row.choices = {"0", "1", "2"};
  row.isList = option.get_delimiter() == ',' && !row.choices.empty();
  row.isCode = row.isPositional && row.argument == "code";
  row.isFile = row.argument == "FILE" || row.argument == "DIR" || row.argument == "OUT" || row.argument == "PTX" ||
               (row.isPositional && (row.argument.starts_with("file") || row.argument == "name"));
  return row;
}

std::vector<CommandRow> rowsOf(const CLI::App& app) {
  std::vector<CommandRow> rows;
  auto add = [&](const CLI::App& command, std::string name) {
    CommandRow row{std::move(name), command.get_description(), {}};
    for (const CLI::Option* option : command.get_options()) row.options.push_back(rowOf(*option));
    rows.push_back(std::move(row));
  };
  add(app, "");
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    add(*command, command->get_name());
  return rows;
}

std::vector<std::string> namesOf(const CommandRow& command) {
  std::vector<std::string> names;
  for (const OptionRow& option : command.options) names.insert(names.end(), option.names.begin(), option.names.end());
  return names;
}

/// What compgen offers for an argument; empty: nothing.
std::string bashWords(const OptionRow& option) {
  if (option.isCode) return fmt::format("-W \"$({})\"", listOfCodes);
  if (!option.choices.empty()) return fmt::format("-W '{}'", fmt::join(option.choices, " "));
  return option.isFile ? "-f" : "";
}

std::string bash(const std::vector<CommandRow>& rows) {
  std::vector<std::string> commands;
  for (const CommandRow& row : rows)
    if (!row.name.empty()) commands.push_back(row.name);
  std::string out = fmt::format(R"(# Completion of raddle for bash, made by `raddle completions bash`.
_raddle() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} command= word options= begun=
  # bash takes `=` and `:` for words of their own.
  [[ $current == = ]] && current=
  [[ $previous == = ]] && previous=${{COMP_WORDS[COMP_CWORD-2]}}
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    [[ $word == -- ]] && {{ COMPREPLY=($(compgen -f -- "$current")); return; }}
    case $word in {}) command=$word; break ;; esac
  done
  COMPREPLY=()
  [[ $current == *,* ]] && begun=${{current%,*}},
  case $command,$previous in
)",
                                fmt::join(commands, "|"));
  for (const CommandRow& row : rows)
    for (const OptionRow& option : row.options) {
      if (option.isPositional || option.argument.empty()) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : option.names) patterns.push_back(fmt::format("{},{}", row.name, name));
      if (option.isList) {  // behind the last comma
        out += fmt::format("    {}) COMPREPLY=($(compgen -P \"$begun\" -W '{}' -- \"${{current##*,}}\")); return ;;\n",
                           fmt::join(patterns, "|"), fmt::join(option.choices, " "));
        continue;
      }
      const std::string words = bashWords(option);
      // An argument that may be left out does not stand in the way of what follows.
      out +=
          fmt::format("    {}) {}{} ;;\n", fmt::join(patterns, "|"),
                      words.empty() ? ":" : fmt::format("COMPREPLY=($(compgen {} -- \"$current\"))", words),
                      option.mayLackArgument ? "; [[ ${#COMPREPLY[@]} -gt 0 && -n $current ]] && return" : "; return");
    }
  out += "  esac\n  case $command in\n";
  for (const CommandRow& row : rows)
    out += fmt::format("    '{}') options='{}' ;;\n", row.name, fmt::join(namesOf(row), " "));
  out += fmt::format(R"(  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  else
    case $command in
      '') COMPREPLY=($(compgen -W '{}' -- "$current")) ;;
)",
                     fmt::join(commands, " "));
  for (const CommandRow& row : rows)
    if (const OptionRow* positional = row.positional(); positional && !bashWords(*positional).empty())
      out += fmt::format("      {}) COMPREPLY=($(compgen {} -- \"$current\")) ;;\n", row.name, bashWords(*positional));
  return out + R"(    esac
  fi
}
complete -o filenames -F _raddle raddle
)";
}

/// A text inside of single quotes of a shell, without the characters that have a meaning in zsh's specifications.
std::string quoted(std::string_view text, bool isZsh) {
  std::string out;
  for (char c : text) {
    if (c == '\'') out += isZsh ? "'\\''" : "\\'";
    else if (isZsh && (c == '[' || c == ']' || c == ':')) out += std::string("\\") + c;
    else if (!isZsh && c == '\\') out += "\\\\";
    else out += c;
  }
  return out;
}

std::string zsh(const std::vector<CommandRow>& rows) {
  std::string out = "#compdef raddle\n# Completion of raddle for zsh, made by `raddle completions zsh`.\n";
  auto specification = [](const OptionRow& option) {
    const std::string choices = quoted(fmt::format("{}", fmt::join(option.choices, " ")), true);
    const std::string values = option.isCode             ? fmt::format("($({}))", listOfCodes)
                               : option.isList           ? "_sequence compadd - " + choices
                               : !option.choices.empty() ? fmt::format("({})", choices)
                               : option.isFile           ? "_files"
                                                         : " ";
    if (option.isPositional)  // the first that is free: in their order
      return fmt::format("    '{}:{}:{}'", option.isMany ? "*" : ":", quoted(option.argument, true), values);
    std::string text;
    for (const std::string& name : option.names) {
      if (!text.empty()) text += " \\\n";
      text += fmt::format("    '*{}{}[{}]", name,
                          option.argument.empty()  ? ""
                          : name.starts_with("--") ? "="
                                                   : "+",
                          quoted(option.doc, true));
      if (!option.argument.empty())
        text += fmt::format("{}{}:{}", option.mayLackArgument ? "::" : ":", quoted(option.argument, true), values);
      text += "'";
    }
    return text;
  };
  for (const CommandRow& row : rows) {
    out += fmt::format("_raddle_{}() {{\n  _arguments -s \\\n", row.name.empty() ? "options" : row.name);
    std::vector<std::string> lines;
    for (const OptionRow& option : row.options) lines.push_back(specification(option));
    if (row.name.empty()) lines.push_back("    '1:command:_raddle_commands' \\\n    '*::argument:_raddle_rest'");
    out += fmt::format("{}\n}}\n", fmt::join(lines, " \\\n"));
  }
  out += "_raddle_commands() {\n  local -a commands=(\n";
  for (const CommandRow& row : rows)
    if (!row.name.empty()) out += fmt::format("    '{}:{}'\n", row.name, quoted(row.doc, true));
  out += "  )\n  _describe command commands\n}\n_raddle_rest() {\n  case $words[1] in\n";
  for (const CommandRow& row : rows)
    if (!row.name.empty()) out += fmt::format("    {0}) _raddle_{0} ;;\n", row.name);
  return out + "  esac\n}\n_raddle_options \"$@\"\n";
}

std::string fish(const std::vector<CommandRow>& rows) {
  std::vector<std::string> commands;
  for (const CommandRow& row : rows)
    if (!row.name.empty()) commands.push_back(row.name);
  const std::string all = fmt::format("{}", fmt::join(commands, " "));
  std::string out = "# Completion of raddle for fish, made by `raddle completions fish`.\n";
  for (const CommandRow& row : rows) {
    if (!row.name.empty())
      out += fmt::format("complete -c raddle -f -n 'not __fish_seen_subcommand_from {}' -a {} -d '{}'\n", all, row.name,
                         quoted(row.doc, false));
    const std::string when = row.name.empty() ? fmt::format("not __fish_seen_subcommand_from {}", all)
                                              : "__fish_seen_subcommand_from " + row.name;
    if (const OptionRow* positional = row.positional(); !row.name.empty())
      out +=
          fmt::format("complete -c raddle -n '{}'{}\n", when,
                      !positional                   ? " -f"
                      : positional->isFile          ? " -F"
                      : positional->isCode          ? fmt::format(" -f -a '({})'", listOfCodes)
                      : positional->choices.empty() ? " -f"
                                                    : fmt::format(" -f -a '{}'", fmt::join(positional->choices, " ")));
    for (const OptionRow& option : row.options) {
      if (option.isPositional) continue;
      out += fmt::format("complete -c raddle -n '{}'", when);
      for (const std::string& name : option.names)
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!option.argument.empty() && !option.mayLackArgument) out += " -r";
      if (option.isList) out += fmt::format(" -f -a '(__fish_append , {})'", fmt::join(option.choices, " "));
      else if (!option.choices.empty()) out += fmt::format(" -f -a '{}'", fmt::join(option.choices, " "));
      else if (!option.argument.empty()) out += option.isFile ? " -F" : " -f";
      out += fmt::format(" -d '{}'\n", quoted(option.doc, false));
    }
  }
  return out;
}

/// Text for troff: hyphens stay hyphens, and no line is a request.
std::string roff(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\\') out += "\\e";
    else if (c == '-') out += "\\-";
    else out += c;
  }
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

}  // namespace

std::string shellCompletions(const CLI::App& app, std::string_view shell) {
  const auto rows = rowsOf(app);
  return shell == "bash" ? bash(rows) : shell == "zsh" ? zsh(rows) : fish(rows);
}

std::string manualPage(const CLI::App& app) {
  std::string out =
      ".TH RADDLE 1 \"\" \"raddle " RADDLE_VERSION
      "\" \"Raddle\"\n.SH NAME\nraddle \\- compiles and runs kernels on GPUs and CPU threads\n.SH SYNOPSIS\n";
  const auto rows = rowsOf(app);
  for (const CommandRow& row : rows) {
    out += row.name.empty() ? ".B raddle\n" : fmt::format(".br\n.B raddle {}\n", row.name);
    if (!row.options.empty()) out += "[options]\n";
    for (const OptionRow& option : row.options)
      if (option.isPositional) out += fmt::format("[\\fI{}\\fR]\n", roff(option.argument));
  }
  out +=
      ".SH DESCRIPTION\nRaddle is a language for programs that run on GPUs, and its compiler and runtime. Without a "
      "command,\n.B raddle\nreads entries from a "
      "terminal or standard input, and runs each at once; `:help` lists the commands of this session.\nWhat stands "
      "behind `\\-\\-` is for the program.\n";
  for (const CommandRow& row : rows) {
    out += row.name.empty() ? ".SH OPTIONS WITHOUT A COMMAND\n"
                            : fmt::format("{}.SS raddle {}\n{}.\n", &row == &rows[1] ? ".SH COMMANDS\n" : "",
                                          roff(row.name), roff(row.doc));
    for (const OptionRow& option : row.options) {
      std::vector<std::string> names;
      for (const std::string& name : option.names) names.push_back(fmt::format("\\fB{}\\fR", roff(name)));
      if (option.isPositional) names.push_back(fmt::format("\\fI{}\\fR", roff(option.argument)));
      out += fmt::format(
          ".TP\n{}{}\n{}\n", fmt::join(names, ", "),
          option.isPositional || option.argument.empty() ? "" : fmt::format(" \\fI{}\\fR", roff(option.argument)),
          roff(option.doc));
      if (!option.choices.empty() && !option.isPositional)
        out += fmt::format("(\\fI{}\\fR)\n", roff(fmt::format("{}", fmt::join(option.choices, ", "))));
    }
  }
  struct Entry {
    const char *name, *doc;
  };
  out += ".SH ENVIRONMENT\n";
  for (const auto& [name, doc] :
       {Entry{"RADDLE_THREADS", "how many CPU threads kernels use (default: all)"},
        Entry{"RADDLE_CACHE_DIR",
              "where assembled kernels are kept (default: $XDG_CACHE_HOME/raddle, else ~/.cache/raddle)"},
        Entry{"RADDLE_HISTORY",
              "the file of the session's history (default: $XDG_STATE_HOME/raddle/history, else "
              "~/.local/state/raddle/history); empty: none"},
        Entry{"RADDLE_TOOLKIT", "the CUDA Toolkit whose libraries are used"}, Entry{"NO_COLOR", "if set, no colours"}})
    out += fmt::format(".TP\n.B {}\n{}\n", name, roff(doc));
  out += ".SH EXIT STATUS\n";
  for (const auto& [name, doc] :
       {Entry{"0", "all went well"}, Entry{"1", "a wrong program, a failed check, a refused launch"},
        Entry{"2", "wrong use of the command"}, Entry{"3", "the environment: a file, the driver, memory"}})
    out += fmt::format(".TP\n.B {}\n{}\n", name, roff(doc));
  return out;
}

}  // namespace rad::tool

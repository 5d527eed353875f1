// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the session can put at the cursor: commands, names, members.
#include "tools/raddle/repl.h"

#include "frontend/builtins/builtins.h"
#include "frontend/types/types.h"

#include <algorithm>
#include <filesystem>
#include <set>

namespace rad::tool {
namespace {

bool isNameCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// Where the operand that ends at `end` begins: `a.b`, `f(x)[3]`.
size_t operandBegin(std::string_view text, size_t end) {
  size_t at = end;
  int depth = 0;
  while (at > 0) {
    const char c = text[at - 1];
    if (c == ')' || c == ']') ++depth;
    else if (c == '(' || c == '[') {
      if (depth-- == 0) break;
    } else if (depth == 0 && !isNameCharacter(c) && c != '.') break;
    else if (c == '\n') break;
    --at;
  }
  return at;
}

const std::set<std::string>& wordsOfTheLanguage() {
  static const std::set<std::string> words = [] {
    std::set<std::string> all = {"print", "assert", "args",   "sum",     "count", "true", "false",
                                 "inf",   "nan",    "select", "bitcast", "text",  "any",  "all"};
#define KEYWORD(Kind, Spelling, Ends, Begins) all.insert(Spelling);
#include "frontend/lex/keywords.def"
    for (const MathInfo& info : mathTable()) all.emplace(info.name);
#define HOST(Name, text, doc) all.insert(#text);
#include "frontend/builtins/builtins.def"
#define SCALAR(Name, text, kind, bits) all.insert(#text);
#include "frontend/types/scalars.def"
    return all;
  }();
  return words;
}

}  // namespace

Completion Repl::complete(std::string_view text, size_t cursor) {
  Completion found;
  std::set<std::string> names;
  size_t begin = cursor;
  while (begin > 0 && isNameCharacter(text[begin - 1])) --begin;
  found.begin = begin;
  const size_t first = text.find_first_not_of(" \t\n");
  const bool isCommand = first != std::string_view::npos && text[first] == ':';
  const ReplCommand* command = nullptr;
  if (isCommand) {
    const size_t nameEnd = std::min(text.find_first_of(" \t\n", first), text.size());
    if (cursor <= nameEnd) {
      if (cursor > first) found.begin = begin = first + 1;  // `-` is part of a command's name
      for (const ReplCommand& one : replCommands()) names.emplace(one.name);
    } else {
      for (const ReplCommand& one : replCommands())
        if (one.name == text.substr(first + 1, nameEnd - first - 1)) command = &one;
      if (!command || command->takes == ReplCommand::Takes::Nothing) return found;
    }
  }
  if (command && command->takes == ReplCommand::Takes::File) {
    begin = cursor;
    while (begin > 0 && text[begin - 1] != ' ') --begin;
    found.begin = begin;
    const std::filesystem::path path(text.substr(begin, cursor - begin));
    const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    std::error_code problem;
    for (std::filesystem::directory_iterator it(folder, problem), end; !problem && it != end; it.increment(problem)) {
      const std::string name = (path.has_parent_path() ? it->path() : it->path().filename()).string();
      if (name.starts_with(path.string())) found.names.push_back(it->is_directory(problem) ? name + "/" : name);
    }
    std::sort(found.names.begin(), found.names.end());
    return found;
  }
  if (!isCommand || command) {
    if (begin > 0 && text[begin - 1] == '.' && !(begin > 1 && text[begin - 2] == '.')) {
      const size_t operand = operandBegin(text, begin - 1);
      const std::string_view base = text.substr(operand, begin - 1 - operand);
      for (std::string& name : engine_->moduleNames(base)) names.insert(std::move(name));
      if (base == "random" || base == "math")
        for (const LibraryText& library : rt::builtinLibrary())
          if (library.name == base && names.empty()) {
            Inspected ignored;  // reading it makes its names known
            static_cast<void>(engine_->inspect("<completion>", "import " + std::string(base), ignored));
            for (std::string& name : engine_->moduleNames(base)) names.insert(std::move(name));
          }
      Inspected inspected;
      if (names.empty() && !base.empty() &&
          engine_->inspect("<completion>", std::string(base), inspected).outcome == rt::RunOutcome::Done)
        names.insert(inspected.members.begin(), inspected.members.end());
    } else if (begin < cursor || command) {
      const bool isOfKernel = command && command->argument.starts_with("KERNEL");
      if (command && (command->run == &Repl::remarks || command->run == &Repl::explainLaunch)) names = {"on", "off"};
      if (command && command->run == &Repl::device) {
        names = {"host", "cuda"};
      } else if (isOfKernel) {
        for (const SessionName& one : engine_->names())
          if (one.kind == SessionName::Kind::Kernel && one.isDeclared) names.insert(one.name);
      } else {
        names.insert(wordsOfTheLanguage().begin(), wordsOfTheLanguage().end());
        for (const SessionName& one : engine_->names()) names.insert(one.name);
        for (const LibraryText& library : rt::builtinLibrary())
          if (library.name != "prelude") names.emplace(library.name);
      }
    }
  }
  const std::string_view typed = text.substr(begin, cursor - begin);
  for (const std::string& name : names)
    if (name.starts_with(typed)) found.names.push_back(name);
  if (isCommand && !command && found.names.size() == 1)
    for (const ReplCommand& one : replCommands())
      if (one.name == found.names[0] && !one.argument.empty()) found.names[0] += ' ';  // something follows
  return found;
}

}  // namespace rad::tool

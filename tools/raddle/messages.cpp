// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the process says on standard error: for people, or as an object a line for programs (docs/for-programs.md).
#include "runtime/base/warning_sink.h"
#include "tools/raddle/commands.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unistd.h>
#include <cstdlib>

namespace rad::tool {
namespace {

using Json = nlohmann::ordered_json;

bool isJson = false, isQuiet = false;

void printObject(const Json& object) {
  std::fflush(stdout);
  fmt::print(stderr, "{}\n", object.dump(-1, ' ', false, Json::error_handler_t::replace));
}

/// An object a line for each message.
void printJson(const Diagnostic& one, const SourceManager& sources) {
  auto place = [&](Json& object, Range range) {
    if (!range.valid()) return;
    const Position begin = sources.position(range.begin), end = sources.position(range.end);
    object["file"] = begin.file;
    object["line"] = begin.line;
    object["column"] = begin.column;
    object["endLine"] = end.line;
    object["endColumn"] = end.column;
  };
  Json object{{"code", codeOf(one.kind)}, {"level", wordOf(severityOf(one.kind))}, {"message", one.text}};
  place(object, one.range);
  for (const auto& note : one.notes) {
    Json entry{{"message", note.text}};
    place(entry, note.range);
    object["notes"].push_back(std::move(entry));
  }
  if (!one.help.empty()) object["help"] = one.help;
  printObject(object);
}

}  // namespace

void setMessages(bool json, bool quiet) {
  isJson = json;
  isQuiet = quiet;
  if (quiet) rt::setWarningSink([](std::string_view) {});
  else if (json)
    rt::setWarningSink(
        [](std::string_view text) { printObject({{"code", ""}, {"level", "warning"}, {"message", text}}); });
}

void printDiagnostics(const Diagnostics& diagnostics, const SourceManager& sources) {
  RenderOptions options;
  options.color = ::isatty(STDERR_FILENO) && !std::getenv("NO_COLOR");
  for (const auto& one : diagnostics.all()) {
    if (isQuiet && severityOf(one.kind) == Severity::Warning) continue;
    if (isJson) printJson(one, sources);
    else fmt::print(stderr, "{}", render(one, sources, options));
  }
  if (!isJson && diagnostics.errorCount() > 1) fmt::print(stderr, "{} errors\n", diagnostics.errorCount());
}

void printDifferences(const std::vector<std::string>& differences) {
  for (const std::string& line : differences)
    if (isJson) printObject({{"code", ""}, {"level", "error"}, {"message", line}});
    else fmt::print(stderr, "{}\n", line);
}

void printExplanation(std::string_view text) {
  std::fflush(stdout);
  if (isJson) printObject({{"code", ""}, {"level", "launch"}, {"message", text}});
  else fmt::print(stderr, "{}", text);
}

int refuse(int status, std::string_view message) {
  std::fflush(stdout);
  if (isJson) printObject({{"code", ""}, {"level", "error"}, {"message", message}});
  else fmt::print(stderr, "raddle: {}{}\n", status == exitUsage ? "" : "error: ", message);
  return status;
}

int report(const rt::Error& error) {
  const std::string_view page = error.pageCode();
  if (isJson) printObject({{"code", page}, {"level", "error"}, {"message", error.render()}});
  else fmt::print(stderr, "raddle: error{}: {}\n", page.empty() ? "" : fmt::format("[{}]", page), error.render());
  return rt::exitStatusOf(error.category);
}

int report(const rt::RunError& error) {
  if (isJson) {
    // "a.rad:3:1: error[R0601]: what": the place and the code stand in its first line.
    const std::string first = error.text.substr(0, error.text.find('\n'));
    Json object{{"code", ""}, {"level", "error"}};
    const size_t at = first.find("error"), bracket = first.find("]: ", at);
    const bool hasCode = at != std::string::npos && first.compare(at + 5, 1, "[") == 0 && bracket != std::string::npos;
    if (hasCode) object["code"] = first.substr(at + 6, bracket - at - 6);
    if (const size_t colon = first.find(": ", at == std::string::npos ? 0 : at); colon != std::string::npos)
      object["message"] = first.substr(colon + 2);
    std::string place = at == std::string::npos ? "" : first.substr(0, at);
    if (place.ends_with(": ") && !place.starts_with("raddle")) object["place"] = place.substr(0, place.size() - 2);
    object["text"] = error.text;
    printObject(object);
    return error.exitStatus();
  }
  fmt::print(stderr, "{}", error.text);
  return error.exitStatus();
}

}  // namespace rad::tool

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `--verify`: the messages of a file beside the `expect-error` comments in it.
#include "frontend/diagnostics/diagnostics.h"

#include <charconv>
#include <utility>

namespace rad {
namespace {

struct Expectation {
  Severity severity;
  uint32_t line;       // the line of the message
  uint32_t writtenAt;  // the line of the comment
  std::string text;
  bool met = false;
};

constexpr std::pair<std::string_view, Severity> words[] = {
    {"expect-error", Severity::Error}, {"expect-warning", Severity::Warning}, {"expect-remark", Severity::Remark}};

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

/// Reads one `expect-...[@+N]: text` at the start of `comment`; returns whether it is one. A wrong one goes to
/// `problems`.
void readExpectation(std::string_view comment, uint32_t line, std::vector<Expectation>& found,
                     std::vector<std::string>& problems) {
  for (auto [word, severity] : words) {
    if (!comment.starts_with(word)) continue;
    std::string_view rest = comment.substr(word.size());
    int64_t shift = 0;
    if (rest.starts_with('@')) {
      rest.remove_prefix(1);
      bool minus = rest.starts_with('-');
      if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
      auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), shift);
      if (error != std::errc()) {
        problems.push_back("line " + std::to_string(line) + ": after `@` stands a line shift such as `+1`");
        return;
      }
      rest.remove_prefix(static_cast<size_t>(end - rest.data()));
      if (minus) shift = -shift;
    }
    if (!rest.starts_with(':')) {
      problems.push_back("line " + std::to_string(line) + ": an expectation is written `" + std::string(word) +
                         ": part of the message`");
      return;
    }
    found.push_back({severity, static_cast<uint32_t>(line + shift), line, std::string(trim(rest.substr(1)))});
    return;
  }
}

std::string_view expectationWord(Severity severity) { return words[static_cast<size_t>(severity)].first.substr(7); }

}  // namespace

std::vector<std::string> verifyExpectations(const Diagnostics& diagnostics, const SourceManager& sources, FileId file) {
  std::vector<std::string> differences;
  std::vector<Expectation> expected;
  std::string_view text = sources.text(file);
  uint32_t number = 0;
  for (size_t at = 0; at <= text.size();) {
    ++number;
    size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    // Several expectations may follow each other on a line: `// expect-error: a // expect-error: b`.
    std::vector<std::string_view> comments;
    for (size_t from = line.find("// "); from != std::string_view::npos;) {
      size_t next = line.find("// expect-", from + 3);
      comments.push_back(trim(line.substr(from + 3, next == std::string_view::npos ? next : next - from - 3)));
      from = next;
    }
    for (std::string_view comment : comments) {
      // The first comment may stand behind other words: look at what starts with the marker only.
      if (size_t marker = comment.find("expect-"); marker == 0) readExpectation(comment, number, expected, differences);
    }
    at = end + 1;
  }
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    Position place = sources.position(diagnostic.range.begin);
    bool here = sources.fileOf(diagnostic.range.begin) == file;
    bool met = false;
    for (Expectation& e : expected) {
      if (e.met || !here || e.severity != severityOf(diagnostic.kind) || e.line != place.line) continue;
      if (diagnostic.text.find(e.text) == std::string::npos && codeOf(diagnostic.kind) != e.text) continue;
      met = e.met = true;
      break;
    }
    if (!met)
      differences.push_back((place.line ? std::string(place.file) + ":" + std::to_string(place.line) + ":" +
                                              std::to_string(place.column) + ": "
                                        : std::string()) +
                            "unexpected " + std::string(expectationWord(severityOf(diagnostic.kind))) + "[" +
                            std::string(codeOf(diagnostic.kind)) + "]: " + diagnostic.text);
  }
  for (const Expectation& e : expected)
    if (!e.met)
      differences.push_back(std::string(sources.name(file)) + ":" + std::to_string(e.writtenAt) + ": no such " +
                            std::string(expectationWord(e.severity)) +
                            (e.line != e.writtenAt ? " on line " + std::to_string(e.line) : std::string()) + ": " +
                            e.text);
  return differences;
}

}  // namespace rad

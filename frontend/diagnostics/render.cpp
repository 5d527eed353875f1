// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A message as text with the source line and a caret range under it.
#include "frontend/diagnostics/diagnostics.h"

#include <llvm/Support/Unicode.h>

#include <algorithm>

namespace rad {
namespace {

constexpr size_t tabWidth = 4;
constexpr size_t maxColumns = 160;  // a longer source line is shown as a window around the caret

/// One source line prepared for a terminal: tabs expanded, control and broken bytes replaced, with the display column
/// of each byte (one more entry than bytes). A wide character takes two cells, the second one empty; a combining one
/// joins the cell before it.
struct DisplayLine {
  std::vector<std::string> cells;
  std::vector<size_t> columnOfByte;
};

size_t sequenceLength(std::string_view text, size_t at) {
  auto lead = static_cast<unsigned char>(text[at]);
  size_t length = lead < 0x80                   ? 1
                  : lead >= 0xC2 && lead < 0xE0 ? 2
                  : lead >= 0xE0 && lead < 0xF0 ? 3
                  : lead >= 0xF0 && lead < 0xF5 ? 4
                                                : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return 0;
  return length;
}

DisplayLine prepare(std::string_view line) {
  DisplayLine out;
  for (size_t at = 0; at < line.size();) {
    size_t length = std::max<size_t>(sequenceLength(line, at), 1);
    for (size_t i = 0; i < length; ++i) out.columnOfByte.push_back(out.cells.size());
    auto byte = static_cast<unsigned char>(line[at]);
    if (byte == '\t') {
      do out.cells.emplace_back(" ");
      while (out.cells.size() % tabWidth != 0);
    } else if (byte < 0x20 || byte == 0x7F || sequenceLength(line, at) == 0) {
      out.cells.emplace_back("?");
    } else {
      const int width =
          byte < 0x80 ? 1 : llvm::sys::unicode::columnWidthUTF8(llvm::StringRef(line.data() + at, length));
      if (width == 0 && !out.cells.empty()) {
        out.cells.back() += line.substr(at, length);
        for (size_t i = 0; i < length; ++i) out.columnOfByte[out.columnOfByte.size() - 1 - i] = out.cells.size() - 1;
      } else {
        out.cells.emplace_back(line.substr(at, length));
        if (width == 2) out.cells.emplace_back();
      }
    }
    at += length;
  }
  out.columnOfByte.push_back(out.cells.size());
  return out;
}

struct Painter {
  bool color;
  std::string paint(std::string_view text, const char* code) const {
    if (!color) return std::string(text);
    return std::string("\x1b[") + code + "m" + std::string(text) + "\x1b[0m";
  }
};

const char* colorOf(Severity severity) {
  switch (severity) {
    case Severity::Error: return "1;31";
    case Severity::Warning: return "1;35";
    case Severity::Remark: return "1;36";
  }
  return "0";
}

void appendSnippet(std::string& out, Range range, const SourceManager& sources, const char* caretColor,
                   Painter painter) {
  Position at = sources.position(range.begin);
  if (at.line == 0) return;
  FileId file = sources.fileOf(range.begin);
  std::string_view line = sources.line(file, at.line);
  size_t firstByte = std::min<size_t>(at.column - 1, line.size());
  // Of a huge line only the neighbourhood is looked at; it starts and ends between characters.
  size_t cut = firstByte > 8 * maxColumns ? firstByte - 8 * maxColumns : 0;
  while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xC0) == 0x80) --cut;
  bool isCut = cut > 0;
  line.remove_prefix(cut);
  firstByte -= cut;
  bool cutBehind = line.size() > firstByte + 16 * maxColumns;
  std::string_view whole = line;
  if (cutBehind) line = line.substr(0, firstByte + 16 * maxColumns);
  DisplayLine shown = prepare(line);
  // A range over several lines is shown up to the end of its first.
  size_t length = range.end.offset > range.begin.offset ? range.end.offset - range.begin.offset : 0;
  size_t lastByte = std::min(firstByte + length, line.size());
  size_t first = shown.columnOfByte[firstByte], last = std::max(shown.columnOfByte[lastByte], first + 1);
  bool continues = firstByte + length > whole.size() + 1;

  size_t from = 0, to = shown.cells.size();
  if (to > maxColumns) {
    size_t middle = std::min((first + last) / 2, first + maxColumns / 2 - 8);
    from = middle > maxColumns / 2 ? middle - maxColumns / 2 : 0;
    to = std::min(from + maxColumns, shown.cells.size());
    from = to > maxColumns ? std::min(from, to - maxColumns) : 0;
  }
  std::string text;
  bool dots = from > 0 || isCut;
  if (dots) text += "...";
  for (size_t i = from; i < to; ++i) text += shown.cells[i];
  if (to < shown.cells.size() || cutBehind) text += "...";

  std::string number = std::to_string(at.line);
  std::string margin(std::max<size_t>(number.size(), 4), ' ');
  out += std::string(margin.size() - number.size(), ' ') + painter.paint(number + " | ", "34") + text + "\n";
  std::string carets(first - from + (dots ? 3 : 0), ' ');
  std::string mark = "^" + std::string(std::max(std::min(last, to + 1), first + 1) - first - 1, '~');
  if (continues) mark += "...";
  out += margin + painter.paint(" | ", "34") + carets + painter.paint(mark, caretColor) + "\n";
}

std::string placeText(Range range, const SourceManager& sources) {
  Position at = sources.position(range.begin);
  if (at.line == 0) return "";
  return std::string(at.file) + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": ";
}

}  // namespace

std::string_view wordOf(Severity severity) {
  switch (severity) {
    case Severity::Error: return "error";
    case Severity::Warning: return "warning";
    case Severity::Remark: return "remark";
  }
  return "";
}

std::string render(const Diagnostic& diagnostic, const SourceManager& sources, const RenderOptions& options) {
  Painter painter{options.color};
  Severity severity = severityOf(diagnostic.kind);
  std::string head = std::string(wordOf(severity)) + "[" + std::string(codeOf(diagnostic.kind)) + "]";
  std::string out = painter.paint(placeText(diagnostic.range, sources), "1") + painter.paint(head, colorOf(severity)) +
                    ": " + painter.paint(diagnostic.text, "1") + "\n";
  appendSnippet(out, diagnostic.range, sources, colorOf(severity), painter);
  for (const Note& note : diagnostic.notes) {
    out += painter.paint(placeText(note.range, sources), "1") + painter.paint("note", "1;36") + ": " + note.text + "\n";
    appendSnippet(out, note.range, sources, "1;36", painter);
  }
  if (!diagnostic.help.empty()) out += painter.paint("help", "1;32") + ": " + diagnostic.help + "\n";
  return out;
}

}  // namespace rad

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Messages about the user's program. Every message is a row of diagnostics.def.
#pragma once

#include "frontend/source/source.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rad {

enum class Severity : uint8_t { Error, Warning, Remark };

/// The kinds of messages: Diag::UnknownName is the row (UnknownName, ...) of diagnostics.def.
enum class Diag : uint16_t {
#define DIAG(Name, Code, Level, Text) Name,
#include "frontend/diagnostics/diagnostics.def"
};

/// "R0102".
std::string_view codeOf(Diag diag);
/// "UnexpectedHere".
std::string_view nameOf(Diag diag);
/// The kind with this code, if there is one.
std::optional<Diag> diagOf(std::string_view code);
Severity severityOf(Diag diag);
/// "error", "warning" or "remark".
std::string_view wordOf(Severity severity);

/// A second place that a message points to, with its own words.
struct Note {
  Range range;
  std::string text;
};

/// One message: filled-in text, its place, further places, and the fix if one is known.
struct Diagnostic {
  Diag kind;
  Range range;
  std::string text;
  std::vector<Note> notes;
  std::string help;
};

/// Collects the messages of one compilation. Not thread-safe: one compilation, one thread.
class Diagnostics {
 public:
  /// Handle for adding notes and a help line to the message just reported.
  class Builder {
   public:
    Builder(Diagnostics& owner, size_t index) : owner_(owner), index_(index) {}
    Builder& note(Range range, std::string text) {
      if (index_ != npos) owner_.all_[index_].notes.push_back({range, std::move(text)});
      return *this;
    }
    Builder& help(std::string text) {
      if (index_ != npos) owner_.all_[index_].help = std::move(text);
      return *this;
    }
    static constexpr size_t npos = SIZE_MAX;

   private:
    Diagnostics& owner_;
    size_t index_;
  };

  /// Reports a message; `arguments` fill the `{}` of its row in order. A message of the same kind at the same place is
  /// reported once. Past 100 errors further ones are counted only.
  Builder report(Diag kind, Range range, std::vector<std::string> arguments = {});

  const std::vector<Diagnostic>& all() const { return all_; }
  size_t errorCount() const { return errors_; }
  bool hasErrors() const { return errors_ != 0; }
  void clear() {
    all_.clear();
    errors_ = 0;
  }
  /// Takes a message back that another one explains better.
  void retract(Diag kind, Range range);
  /// Puts the messages from index `first` on into the order of their places; those at one place stay as they are.
  void sortByPlace(size_t first);

 private:
  std::vector<Diagnostic> all_;
  size_t errors_ = 0;
};

/// How messages are printed.
struct RenderOptions {
  bool color = false;
};
/// A message as text: `saxpy.rad:3:5: error[R0102]: ...`, the source line with the caret range, notes, `help:`; ends in
/// a newline.
std::string render(const Diagnostic& diagnostic, const SourceManager& sources, const RenderOptions& options = {});

/// The page of `raddle explain CODE`: empty for an unknown code.
std::string explain(std::string_view code);
/// All codes with the names of their kinds, in the order of the codes.
std::vector<std::pair<std::string_view, std::string_view>> allCodes();

/// `--verify`: compares messages with the `// expect-error: text` (also expect-warning, expect-remark) comments of a
/// file: each expectation names a part of a message's text (or its code) reported on that line (`@+1`/`@-1` after
/// expect-error shift the line). Returns the list of differences, empty if all match.
std::vector<std::string> verifyExpectations(const Diagnostics& diagnostics, const SourceManager& sources, FileId file);

/// The nearest of `candidates` to `name` by edit distance, or empty if none is near: for did-you-mean.
std::string nearestName(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace rad

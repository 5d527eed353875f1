// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Entries from a terminal: editing over several lines, history, completion (libedit). One of it in a process.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rad::tool {

/// What can stand at the cursor: each of `names` in place of the text from `begin` to the cursor.
struct Completion {
  size_t begin = 0;
  std::vector<std::string> names;  // sorted
};

class LineEditor {
 public:
  struct Hooks {
    std::function<bool(std::string_view text)>
        isComplete;  // whether Return ends this entry; else it goes on in the next line
    std::function<Completion(std::string_view text, size_t cursor)> complete;
  };
  /// Reads from the terminal that standard input and output are. `historyFile`: empty for none.
  LineEditor(Hooks hooks, std::string historyFile);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  enum class End { Entry, Interrupted, Closed };
  /// Reads one entry, without a newline at its end; it becomes part of the history. Interrupted: Ctrl-C; what was typed
  /// is gone from the line and kept in the history. `prompt` may hold colours.
  End read(const std::string& prompt, std::string& entry);

  /// $RADDLE_HISTORY, else $XDG_STATE_HOME/raddle/history, else ~/.local/state/raddle/history; empty: none.
  static std::string defaultHistoryFile();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Columns of the terminal that standard output is; 80 where that is not known.
unsigned terminalColumns();

}  // namespace rad::tool

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Owned program text and places in it.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace rad {

/// A place in some source text: an offset into the concatenation of all texts that one SourceManager owns.
/// 0 means "no place".
struct Location {
  uint32_t offset = 0;
  bool valid() const { return offset != 0; }
  friend bool operator==(Location, Location) = default;
};

/// A half-open range of source text, [begin, end), within one file.
struct Range {
  Location begin;
  Location end;
  bool valid() const { return begin.valid(); }
  friend bool operator==(Range, Range) = default;
};

/// From the first to the last of two ranges of the same file; an invalid one is ignored.
inline Range cover(Range a, Range b) {
  if (!a.valid()) return b;
  if (!b.valid()) return a;
  return {a.begin.offset < b.begin.offset ? a.begin : b.begin, a.end.offset > b.end.offset ? a.end : b.end};
}

struct FileId {
  uint32_t value = UINT32_MAX;
  bool valid() const { return value != UINT32_MAX; }
  friend bool operator==(FileId, FileId) = default;
};

/// Line and column (both from 1, the column counted in bytes) with the file's display name.
struct Position {
  std::string_view file;
  uint32_t line = 0;
  uint32_t column = 0;
};

/// Owns every text that is compiled in one session: files, REPL entries, the library. Texts are never removed or
/// changed, so string views into them stay valid as long as the manager lives. Not thread-safe.
class SourceManager {
 public:
  /// Adds a text under a display name ("saxpy.rad", "<entry 3>"). Total size of all texts is limited to 2 GiB; beyond
  /// that the returned id is invalid.
  FileId add(std::string name, std::string text);

  std::string_view text(FileId file) const;
  std::string_view name(FileId file) const;
  /// The place of the byte `offset` of `file`; `offset` may equal the text's size.
  Location location(FileId file, size_t offset) const;
  /// The file that a place lies in; an invalid id for no place.
  FileId fileOf(Location location) const;
  Position position(Location location) const;
  /// The text of a line (from 1), without its line end.
  std::string_view line(FileId file, uint32_t line) const;
  /// The text of a range.
  std::string_view text(Range range) const;

 private:
  struct File {
    std::string name;
    std::string text;
    uint32_t base = 0;                    // offset of the text's first byte
    mutable std::vector<uint32_t> lines;  // start of each line, filled on first use
  };
  const std::vector<uint32_t>& linesOf(const File& file) const;
  std::deque<File> files_;
  uint32_t next_ = 1;
};

}  // namespace rad

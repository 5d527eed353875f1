// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Opening, replacing and reading files, with messages that name the file and what to do.
#pragma once

#include "codegen/artifact/artifact.h"
#include "runtime/base/result.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rad::rt {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

/// The elements of an array as a file holds it, row-major. Without extents: one element.
struct FileArray {
  cg::ElementType type = cg::ElementType::U8;
  std::vector<int64_t> extents;
  std::vector<std::byte> elements;
};

/// "cannot VERB WHAT `path`: why". `what` says what the file should hold: "the picture".
/// The codes of errors of files: it cannot be read or written; it holds something else; it cannot hold that.
inline constexpr std::string_view fileAccessCode = "R0701", fileContentCode = "R0702", fileFormCode = "R0703";
std::unexpected<Error> fileError(std::string_view verb, std::string_view what, const std::string& path,
                                 std::string_view why, std::string advice = {});

/// "interrupted: `path` was not read" (or "written"), which whoever reads or writes for long looks for.
std::unexpected<Error> fileInterrupted(std::string_view participle, const std::string& path);

/// Opens a file to be read; a folder, a missing file or one without permission is an error (System).
Result<File> openToRead(const std::string& path, std::string_view what);
/// Opens a file to be written at its end; makes it if there is none.
Result<File> openToAppend(const std::string& path, std::string_view what);
/// The bytes from the current position to the end; -1 for a pipe or device, where they are not known.
int64_t bytesLeft(std::FILE* file);
/// Reads `count` bytes. Where the file says that it is shorter, no memory is taken for them: an error, as when it ends
/// too early.
Result<std::vector<std::byte>> readBytes(std::FILE* file, uint64_t count, std::string_view what,
                                         const std::string& path);

/// Text files may have this many bytes, so that an endless one (/dev/zero) does not take all memory.
inline constexpr int64_t maxTextBytes = int64_t{1} << 30;
/// The whole rest of the file. Errors (System) name the file.
Result<std::string> readText(std::FILE* file, std::string_view what, const std::string& path);

/// A file that takes the place of `path` only when it is complete: nobody sees half of it, and a failure leaves the old
/// one. Through links to the real file, whose permissions stay; devices and pipes are written to as they are.
class NewFile {
 public:
  static Result<NewFile> create(const std::string& path, std::string_view what);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  /// Removes what was written unless commit() succeeded.
  ~NewFile();
  std::FILE* stream() const { return file_.get(); }
  Result<void> write(std::span<const std::byte> bytes);
  Result<void> write(std::string_view text) { return write(std::as_bytes(std::span(text))); }
  Result<void> commit();

 private:
  NewFile() = default;
  std::unexpected<Error> error(int code) const;
  File file_;
  std::string path_, what_, target_, temporary_;
  unsigned mode_ = 0;  // of the file that is replaced; 0: there is none
};

}  // namespace rad::rt

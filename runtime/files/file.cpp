// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/files/file.h"

#include "runtime/base/interrupt.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rad::rt {
namespace {

constexpr const char* relativePaths = "paths are relative to the folder in which the program was started";

std::string adviceToRead(int code) {
  switch (code) {
    case ENOENT:
    case ENOTDIR: return relativePaths;
    case EACCES: return "you may not read it: `ls -l` shows who may";
    case EISDIR: return "name a file in that folder";
    default: return "";
  }
}

std::string adviceToWrite(int code) {
  switch (code) {
    case ENOENT:
    case ENOTDIR: return fmt::format("the folder must exist; {}", relativePaths);
    case EACCES:
    case EROFS: return "you may not write there: choose another folder";
    case EISDIR: return "name a file in that folder";
    case ENOSPC: return "make room on that disk, or choose another one";
    default: return "";
  }
}

}  // namespace

std::unexpected<Error> fileError(std::string_view verb, std::string_view what, const std::string& path,
                                 std::string_view why, std::string advice) {
  auto error =
      fail(ErrorCategory::System, fmt::format("cannot {} {} `{}`: {}", verb, what, path, why), std::move(advice));
  error.error().page = fileAccessCode;
  return error;
}

std::unexpected<Error> fileInterrupted(std::string_view participle, const std::string& path) {
  return fail(ErrorCategory::UserProgram, fmt::format("interrupted: `{}` was not {}", path, participle));
}

Result<File> openToRead(const std::string& path, std::string_view what) {
  auto error = [&](int code) { return fileError("read", what, path, std::strerror(code), adviceToRead(code)); };
  File file(std::fopen(path.c_str(), "rbe"));
  if (!file) return error(errno);
  struct stat status = {};
  if (fstat(fileno(file.get()), &status) == 0 && S_ISDIR(status.st_mode)) return error(EISDIR);
  return file;
}

Result<File> openToAppend(const std::string& path, std::string_view what) {
  File file(std::fopen(path.c_str(), "abe"));
  if (!file) return fileError("write", what, path, std::strerror(errno), adviceToWrite(errno));
  return file;
}

int64_t bytesLeft(std::FILE* file) {
  off_t here = ftello(file);
  if (here < 0 || fseeko(file, 0, SEEK_END) != 0) return -1;
  off_t end = ftello(file);
  if (fseeko(file, here, SEEK_SET) != 0 || end < here) return -1;
  // A device such as /dev/zero can be asked, but says nothing.
  struct stat status = {};
  if (int descriptor = fileno(file); descriptor >= 0 && fstat(descriptor, &status) == 0 && !S_ISREG(status.st_mode))
    return -1;
  return end - here;
}

Result<std::vector<std::byte>> readBytes(std::FILE* file, uint64_t count, std::string_view what,
                                         const std::string& path) {
  constexpr uint64_t piece = uint64_t{16} << 20;
  int64_t left = bytesLeft(file);
  auto tooShort = [&](uint64_t found) {
    return fileError("read", what, path,
                     fmt::format("the file ends too early: {} bytes of elements should follow its header, there are {}",
                                 count, found),
                     "it was cut off: write it or copy it once more");
  };
  if (left >= 0 && static_cast<uint64_t>(left) < count) return tooShort(static_cast<uint64_t>(left));
  std::vector<std::byte> bytes;
  if (left >= 0) bytes.reserve(count);
  while (bytes.size() < count) {
    if (Interrupt::isRequested()) return fileInterrupted("read", path);
    size_t before = bytes.size(), step = static_cast<size_t>(std::min(piece, count - before));
    bytes.resize(before + step);
    if (size_t got = std::fread(bytes.data() + before, 1, step, file); got != step) {
      if (std::ferror(file)) return fileError("read", what, path, std::strerror(errno));
      return tooShort(before + got);
    }
  }
  return bytes;
}

Result<std::string> readText(std::FILE* file, std::string_view what, const std::string& path) {
  constexpr size_t piece = size_t{1} << 16;
  std::string text;
  auto tooLong = [&] {
    return fileError("read", what, path, fmt::format("it is longer than {} MiB", maxTextBytes >> 20),
                     "split it, or save its numbers with numpy.save and use read_npy");
  };
  int64_t left = bytesLeft(file);
  if (left > maxTextBytes) return tooLong();
  if (left > 0) text.reserve(static_cast<size_t>(left));
  for (;;) {
    if (Interrupt::isRequested()) return fileInterrupted("read", path);
    size_t before = text.size();
    text.resize(before + piece);
    size_t got = std::fread(text.data() + before, 1, piece, file);
    text.resize(before + got);
    if (static_cast<int64_t>(text.size()) > maxTextBytes) return tooLong();
    if (got < piece) break;
  }
  if (std::ferror(file)) return fileError("read", what, path, std::strerror(errno));
  return text;
}

// ---- NewFile ----

NewFile::NewFile(NewFile&& other) noexcept
    : file_(std::move(other.file_)),
      path_(std::move(other.path_)),
      what_(std::move(other.what_)),
      target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, {})),
      mode_(other.mode_) {}

NewFile::~NewFile() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

std::unexpected<Error> NewFile::error(int code) const {
  return fileError("write", what_, path_, std::strerror(code), adviceToWrite(code));
}

Result<NewFile> NewFile::create(const std::string& path, std::string_view what) {
  NewFile out;
  out.path_ = out.target_ = path;
  out.what_ = what;
  if (char* real = realpath(path.c_str(), nullptr)) {
    out.target_ = real;
    std::free(real);
  }
  struct stat status = {};
  bool exists = stat(out.target_.c_str(), &status) == 0, direct = exists && !S_ISREG(status.st_mode);
  static std::atomic<unsigned> counter{0};
  std::string name = direct ? out.target_ : fmt::format("{}.{}-{}.tmp", out.target_, getpid(), counter.fetch_add(1));
  int descriptor = open(name.c_str(), O_WRONLY | O_CLOEXEC | (direct ? 0 : O_CREAT | O_EXCL), 0666);
  if (descriptor < 0) return out.error(errno);
  if (!direct) out.temporary_ = name;
  if (exists && !direct) out.mode_ = status.st_mode & 07777;
  out.file_.reset(fdopen(descriptor, "wb"));
  if (!out.file_) {
    int code = errno;
    close(descriptor);
    return out.error(code);
  }
  return out;
}

Result<void> NewFile::write(std::span<const std::byte> bytes) {
  constexpr size_t piece = size_t{16} << 20;
  while (!bytes.empty()) {
    if (Interrupt::isRequested()) return fileInterrupted("written", path_);
    const auto part = bytes.first(std::min(piece, bytes.size()));
    if (std::fwrite(part.data(), 1, part.size(), file_.get()) != part.size()) return error(errno);
    bytes = bytes.subspan(part.size());
  }
  return {};
}

Result<void> NewFile::commit() {
  if (std::fclose(file_.release()) != 0) return error(errno);
  if (temporary_.empty()) return {};
  if (mode_ != 0 && chmod(temporary_.c_str(), mode_) != 0) return error(errno);
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) return error(errno);
  temporary_.clear();
  return {};
}

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/toolkit/disassemble.h"

#include "runtime/dynlib/toolkit_discovery.h"
#include "runtime/toolkit/cubin_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <vector>

extern char** environ;

namespace rad::rt {
namespace {

/// Closes a file descriptor with its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  void reset(int fd = -1) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

/// A file in the temporary folder, removed with its scope.
class TemporaryFile {
 public:
  TemporaryFile() {
    const char* folder = std::getenv("TMPDIR");
    path_ = std::string(folder && *folder ? folder : "/tmp") + "/raddle-XXXXXX";
    fd_.reset(mkostemp(path_.data(), O_CLOEXEC));
  }
  ~TemporaryFile() {
    if (fd_.get() >= 0) unlink(path_.c_str());
  }
  bool write(std::span<const std::byte> bytes) {
    std::size_t done = 0;
    while (fd_.get() >= 0 && done < bytes.size()) {
      ssize_t n = ::write(fd_.get(), bytes.data() + done, bytes.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      done += std::size_t(n);
    }
    return fd_.get() >= 0;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  Descriptor fd_;
};

std::unexpected<Error> systemFailure(const std::string& what, int number) {
  return fail(ErrorCategory::System, what + ": " + std::strerror(number));
}

struct Finished {
  int status = 0;
  std::string out, err;
};

/// Runs a program with arguments and collects what it writes.
Result<Finished> runProgram(const std::string& path, std::initializer_list<const char*> given) {
  Descriptor ends[2][2];  // [stdout, stderr][read, write]
  for (auto& pair : ends) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) return systemFailure("cannot make a pipe", errno);
    pair[0].reset(fds[0]);
    pair[1].reset(fds[1]);
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[0][1].get(), 1);
  posix_spawn_file_actions_adddup2(&actions, ends[1][1].get(), 2);
  std::vector<char*> arguments = {const_cast<char*>(path.c_str())};
  for (const char* one : given) arguments.push_back(const_cast<char*>(one));
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int spawned = posix_spawn(&pid, path.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (spawned != 0) return systemFailure("cannot run '" + path + "'", spawned);
  Finished result;
  std::string* texts[2] = {&result.out, &result.err};
  pollfd polls[2];
  int open = 2;
  for (int i = 0; i < 2; ++i) {
    ends[i][1].reset();
    polls[i] = {ends[i][0].get(), POLLIN, 0};
  }
  while (open > 0) {
    if (poll(polls, 2, -1) < 0) {
      if (errno == EINTR) continue;
      break;
    }
    for (int i = 0; i < 2; ++i) {
      if (polls[i].fd < 0 || !polls[i].revents) continue;
      char buffer[65536];
      ssize_t n = read(polls[i].fd, buffer, sizeof buffer);
      if (n > 0) {
        texts[i]->append(buffer, std::size_t(n));
      } else if (n == 0 || errno != EINTR) {
        polls[i].fd = -1;
        --open;
      }
    }
  }
  while (waitpid(pid, &result.status, 0) < 0)
    if (errno != EINTR) return systemFailure("cannot wait for '" + path + "'", errno);
  return result;
}

}  // namespace

Result<std::string> disassemble(std::span<const std::byte> cubin) {
  if (!looksLikeCubin(cubin)) return fail(ErrorCategory::Image, "only a cubin can be disassembled");
  auto program = findToolkitProgram("nvdisasm");
  if (!program)
    return fail(ErrorCategory::System, "showing machine code needs nvdisasm, which was not found",
                "Install it with 'pip install nvidia-cuda-nvdisasm' or a CUDA "
                "13 toolkit, or name its folder with --toolkit DIR.");
  TemporaryFile file;
  if (!file.write(cubin)) return systemFailure("cannot write the temporary file '" + file.path() + "'", errno);
  RAD_ASSIGN(Finished finished, runProgram(program->path, {"--print-code", file.path().c_str()}));
  if (finished.status != 0) {
    Error error;
    error.category = ErrorCategory::Image;
    error.message = "'" + program->path + "' could not read the cubin";
    error.log = finished.err.empty() ? finished.out : finished.err;
    return fail(std::move(error));
  }
  return std::move(finished.out);
}

}  // namespace rad::rt

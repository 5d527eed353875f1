// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/isolated/isolated_device.h"

#include "runtime/base/interrupt.h"
#include "runtime/base/warning_sink.h"
#include "runtime/isolated/channel.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

namespace rad::rt {
namespace {

/// The process at the other end. Thread-safe.
class DeviceProcess {
 public:
  DeviceProcess(std::string id, UniqueFd socket, pid_t pid)
      : id_(std::move(id)), channel_(std::move(socket)), pid_(pid) {}
  DeviceProcess(const DeviceProcess&) = delete;
  DeviceProcess& operator=(const DeviceProcess&) = delete;
  ~DeviceProcess();

  const std::string& id() const { return id_; }
  /// What it sends unasked while the device is being opened.
  Result<MessageReader> next();
  /// Asks and waits; `body` goes with the question, `into` takes what comes with the answer.
  Result<MessageReader> ask(const MessageWriter& question, std::span<const std::byte> body = {},
                            std::span<std::byte> into = {});
  /// Tells something that has no answer.
  void tell(const MessageWriter& message);

 private:
  Result<MessageReader> receive(std::span<std::byte> into);
  std::unexpected<Error> gone();
  /// Waits until the process has ended, at most so long; its status.
  std::optional<int> awaitEnd(std::chrono::milliseconds atMost);

  std::string id_;
  std::mutex mutex_;
  Channel channel_;
  pid_t pid_ = 0;  // 0 once it was waited for
  std::optional<Error> lost_;
};

DeviceProcess::~DeviceProcess() {
  ::shutdown(channel_.descriptor(), SHUT_RDWR);
  if (awaitEnd(std::chrono::seconds(5))) return;
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
}

std::optional<int> DeviceProcess::awaitEnd(std::chrono::milliseconds atMost) {
  const auto end = std::chrono::steady_clock::now() + atMost;
  while (pid_ > 0) {
    int status = 0;
    const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
    if (ended == pid_) {
      pid_ = 0;
      return status;
    }
    if (ended < 0 && errno != EINTR) pid_ = 0;  // somebody else waited for it
    else if (std::chrono::steady_clock::now() > end) break;
    else std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return std::nullopt;
}

std::unexpected<Error> DeviceProcess::gone() {
  std::string how = "is gone";
  if (const auto status = awaitEnd(std::chrono::seconds(1))) {
    if (WIFSIGNALED(*status))
      how = "was ended by signal " + std::to_string(WTERMSIG(*status)) + " (" + ::strsignal(WTERMSIG(*status)) + ")";
    else how = "ended with status " + std::to_string(WEXITSTATUS(*status));
  }
  Error error;
  error.category = ErrorCategory::Dead;
  error.message = "the process that holds " + id_ + " " + how;
  error.advice = "What lay on the device is lost.";
  lost_ = error;
  return fail(std::move(error));
}

Result<MessageReader> DeviceProcess::receive(std::span<std::byte> into) {
  std::function<void()> waiting;
  if (Interrupt::isEnabled())
    waiting = [this, isTold = false]() mutable {
      if (Interrupt::isRequested() && !std::exchange(isTold, true)) ::kill(pid_, SIGINT);
    };
  MessageReader answer;
  uint64_t bodyBytes = 0;
  if (!channel_.receive(answer, bodyBytes, waiting)) return gone();
  const bool isDone = answer.get<bool>();
  if (isDone && bodyBytes != into.size()) return gone();
  if (isDone && !channel_.receiveBody(into)) return gone();
  if (isDone) return answer;
  Error error = answer.getError();
  if (error.category == ErrorCategory::Dead) {
    // It was that process which cannot go on; this one can.
    if (error.advice.starts_with(restartAdvice))
      error.advice.erase(0, std::min(error.advice.size(), restartAdvice.size() + 1));
    lost_ = error;
  }
  return fail(std::move(error));
}

Result<MessageReader> DeviceProcess::next() {
  std::lock_guard lock(mutex_);
  return receive({});
}

Result<MessageReader> DeviceProcess::ask(const MessageWriter& question, std::span<const std::byte> body,
                                         std::span<std::byte> into) {
  std::lock_guard lock(mutex_);
  if (lost_) return fail(*lost_);
  if (!channel_.send(question, body)) return gone();
  return receive(into);
}

void DeviceProcess::tell(const MessageWriter& message) {
  std::lock_guard lock(mutex_);
  if (!lost_ && !channel_.send(message)) static_cast<void>(gone());
}

class RemoteBuffer final : public Buffer {
 public:
  RemoteBuffer(std::shared_ptr<DeviceProcess> process, uint64_t id, uint64_t address, uint64_t size)
      : process_(std::move(process)), id_(id), address_(address), size_(size) {}
  ~RemoteBuffer() override { process_->tell(MessageWriter().put(DeviceRequest::Free).put(id_)); }
  uint64_t address() const override { return address_; }
  uint64_t size() const override { return size_; }
  const DeviceProcess* process() const { return process_.get(); }
  uint64_t id() const { return id_; }

 private:
  std::shared_ptr<DeviceProcess> process_;
  uint64_t id_, address_, size_;
};

class RemoteKernel final : public Kernel {
 public:
  RemoteKernel(std::shared_ptr<DeviceProcess> process, uint64_t id, const cg::GeometryManifest& geometry)
      : process_(std::move(process)), id_(id) {
    geometry_ = geometry;
  }
  ~RemoteKernel() override { process_->tell(MessageWriter().put(DeviceRequest::Unload).put(id_)); }
  const DeviceProcess* process() const { return process_.get(); }
  uint64_t id() const { return id_; }

 private:
  std::shared_ptr<DeviceProcess> process_;
  uint64_t id_;
};

class RemoteDevice final : public Device {
 public:
  RemoteDevice(std::shared_ptr<DeviceProcess> process, DeviceInfo info, uint64_t failureState)
      : process_(std::move(process)), info_(std::move(info)), failureState_(failureState) {}

  const DeviceInfo& info() const override { return info_; }
  uint64_t failureState() const override { return failureState_; }

  Result<std::shared_ptr<Buffer>> allocate(uint64_t bytes) override {
    RAD_ASSIGN(auto made, process_->ask(MessageWriter().put(DeviceRequest::Allocate).put(bytes)));
    const auto id = made.get<uint64_t>();
    const auto address = made.get<uint64_t>();
    return std::make_shared<RemoteBuffer>(process_, id, address, made.get<uint64_t>());
  }

  Result<void> copyIn(Buffer& to, uint64_t offset, std::span<const std::byte> from) override {
    RAD_ASSIGN(const uint64_t id, place(to, offset, from.size()));
    for (size_t at = 0; at < from.size(); at += atOnce) {
      const auto part = from.subspan(at, std::min(atOnce, from.size() - at));
      RAD_TRY(process_->ask(MessageWriter().put(DeviceRequest::CopyIn).put(id).put(offset + at), part));
    }
    return {};
  }

  Result<void> copyOut(std::span<std::byte> to, const Buffer& from, uint64_t offset) override {
    RAD_ASSIGN(const uint64_t id, place(from, offset, to.size()));
    size_t at = 0;
    do {  // also of nothing: it waits for earlier work
      const auto part = to.subspan(at, std::min(atOnce, to.size() - at));
      const auto question =
          MessageWriter().put(DeviceRequest::CopyOut).put(id).put(offset + at).put(uint64_t{part.size()});
      RAD_TRY(process_->ask(question, {}, part));
      at += part.size();
    } while (at < to.size());
    return {};
  }

  Result<void> copyWithin(Buffer& to, uint64_t toOffset, const Buffer& from, uint64_t fromOffset,
                          uint64_t bytes) override {
    RAD_ASSIGN(const uint64_t target, place(to, toOffset, bytes));
    RAD_ASSIGN(const uint64_t source, place(from, fromOffset, bytes));
    return done(process_->ask(MessageWriter()
                                  .put(DeviceRequest::CopyWithin)
                                  .put(target)
                                  .put(toOffset)
                                  .put(source)
                                  .put(fromOffset)
                                  .put(bytes)));
  }

  Result<void> fill(Buffer& to, uint64_t offset, uint64_t bytes, std::span<const std::byte> pattern) override {
    RAD_ASSIGN(const uint64_t id, place(to, offset, bytes));
    return done(
        process_->ask(MessageWriter().put(DeviceRequest::Fill).put(id).put(offset).put(bytes).putBytes(pattern)));
  }

  Result<std::shared_ptr<Kernel>> load(const cg::DeviceCode& code, std::string_view symbol) override {
    RAD_ASSIGN(auto loaded, process_->ask(MessageWriter().put(DeviceRequest::Load).putCode(code).putText(symbol)));
    return std::make_shared<RemoteKernel>(process_, loaded.get<uint64_t>(), code.geometry);
  }

  Result<void> launch(Kernel& kernel, const LaunchRequest& request) override {
    const auto* own = dynamic_cast<const RemoteKernel*>(&kernel);
    if (!own || own->process() != process_.get())
      return fail(ErrorCategory::Misuse,
                  "the kernel '" + std::string(request.name) + "' was loaded on another device than " + info_.id);
    std::vector<uint64_t> slots(request.arguments.size());
    for (size_t i = 0; i < slots.size(); ++i) std::memcpy(&slots[i], request.arguments[i], sizeof slots[i]);
    MessageWriter question;
    question.put(DeviceRequest::Launch).put(own->id()).put(request.grid).put(request.threads);
    question.put(request.dynamicSharedBytes).put(request.serial).put(request.prints).putText(request.name);
    return done(process_->ask(question.putBytes(std::as_bytes(std::span(slots)))));
  }

  Result<void> synchronize() override { return done(process_->ask(MessageWriter().put(DeviceRequest::Synchronize))); }

  std::optional<KernelFailure> takeFailure() override {
    auto answer = process_->ask(MessageWriter().put(DeviceRequest::TakeFailure));
    if (!answer || !answer->get<bool>()) return std::nullopt;  // a device that was lost is told by the next call
    return KernelFailure{answer->get<cg::FailureRecord>()};
  }

  PrintedLines takePrinted() override {
    PrintedLines printed;
    auto answer = process_->ask(MessageWriter().put(DeviceRequest::TakePrinted));
    if (!answer) return printed;
    printed.lost = answer->get<uint64_t>();
    const auto bytes = answer->getBytes();
    printed.words.resize(bytes.size() / sizeof(uint64_t));
    if (!printed.words.empty())
      std::memcpy(printed.words.data(), bytes.data(), printed.words.size() * sizeof(uint64_t));
    return printed;
  }

 private:
  static constexpr size_t atOnce = size_t{16} << 20;

  static Result<void> done(Result<MessageReader> answer) {
    if (!answer) return fail(std::move(answer).error());
    return {};
  }

  Result<uint64_t> place(const Buffer& buffer, uint64_t offset, uint64_t bytes) const {
    const auto* own = dynamic_cast<const RemoteBuffer*>(&buffer);
    if (!own || own->process() != process_.get())
      return fail(ErrorCategory::Misuse, "a buffer of another device was used on " + info_.id);
    if (offset > buffer.size() || bytes > buffer.size() - offset)
      return fail(ErrorCategory::Misuse, "bytes " + std::to_string(offset) + " to " + std::to_string(offset + bytes) +
                                             " lie outside a buffer of " + std::to_string(buffer.size()));
    return own->id();
  }

  std::shared_ptr<DeviceProcess> process_;
  DeviceInfo info_;
  uint64_t failureState_ = 0;
};

std::unexpected<Error> notStarted(std::string_view id, int code) {
  return fail(ErrorCategory::System,
              "the process that is to hold " + std::string(id) + " cannot be started: " + std::strerror(code));
}

/// Starts this program again with one end of a pair of sockets.
Result<std::shared_ptr<DeviceProcess>> startProcess(std::string_view id) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return notStarted(id, errno);
  UniqueFd own(ends[0]), other(ends[1]);
  constexpr int childSocket = 3;
  std::string task = "RADDLE_SERVE_DEVICE=" + std::to_string(childSocket) + " " + std::string(id) + " " +
                     (Interrupt::isEnabled() ? "1" : "0");
  std::vector<char*> environment;
  for (char** one = environ; *one; ++one) environment.push_back(*one);
  environment.push_back(task.data());
  environment.push_back(nullptr);
  std::string name = "raddle-device";
  std::array<char*, 2> arguments = {name.data(), nullptr};

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&files, other.get(), childSocket);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  // Ctrl-C on the terminal is for the session, which hands it on; serveDevice() takes it once it can.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGINT);
  ::posix_spawnattr_setsigmask(&attributes, &blocked);
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, "/proc/self/exe", &files, &attributes, arguments.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) return notStarted(id, failed);
  return std::make_shared<DeviceProcess>(std::string(id), std::move(own), pid);
}

}  // namespace

Result<std::shared_ptr<Device>> IsolatedDevice::start(std::string_view id,
                                                      const std::function<void(const DeviceInfo&)>& described) {
  RAD_ASSIGN(auto process, startProcess(id));
  RAD_ASSIGN(MessageReader first, process->next());
  if (described) described(first.getInfo());
  RAD_ASSIGN(MessageReader opened, process->next());
  DeviceInfo info = opened.getInfo();
  const auto failureState = opened.get<uint64_t>();
  return std::make_shared<RemoteDevice>(std::move(process), std::move(info), failureState);
}

}  // namespace rad::rt

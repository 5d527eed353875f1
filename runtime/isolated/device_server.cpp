// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/isolated/device_server.h"

#include "runtime/base/interrupt.h"
#include "runtime/isolated/channel.h"

#include <poll.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include <map>
#include <new>
#include <sstream>
#include <thread>
#include <vector>

namespace rad::rt {
namespace {

constexpr const char* taskVariable = "RADDLE_SERVE_DEVICE";  // as isolated_device.cpp sets it

class DeviceServer {
 public:
  DeviceServer(Channel& channel, std::shared_ptr<Device> device) : channel_(channel), device_(std::move(device)) {}

  /// Answers the next request. False: the other side is gone.
  bool answerNext() {
    MessageReader request;
    uint64_t bodyBytes = 0;
    if (!channel_.receive(request, bodyBytes)) return false;
    std::vector<std::byte> body(bodyBytes);
    if (!channel_.receiveBody(body)) return false;
    Interrupt::clear();  // one that came too late for the request before
    const auto what = request.get<DeviceRequest>();
    MessageWriter answer;
    answer.put(true);
    copied_.clear();
    Status done = carryOut(what, request, body, answer);
    if (what == DeviceRequest::Free || what == DeviceRequest::Unload) return true;
    if (done && !request.isWhole()) done = fail(ErrorCategory::Misuse, "a request to the device's process was cut off");
    if (done) return channel_.send(answer, copied_);
    return channel_.send(MessageWriter().put(false).putError(done.error()));
  }

 private:
  Result<Buffer*> buffer(uint64_t id) {
    auto found = buffers_.find(id);
    if (found == buffers_.end()) return fail(ErrorCategory::Misuse, "a buffer of another device was used");
    return found->second.get();
  }

  Status carryOut(DeviceRequest what, MessageReader& request, std::span<const std::byte> body, MessageWriter& answer) {
    switch (what) {
      case DeviceRequest::Allocate: {
        RAD_ASSIGN(auto made, device_->allocate(request.get<uint64_t>()));
        answer.put(++lastId_).put(made->address()).put(made->size());
        buffers_.emplace(lastId_, std::move(made));
        return {};
      }
      case DeviceRequest::Free: buffers_.erase(request.get<uint64_t>()); return {};
      case DeviceRequest::CopyIn: {
        RAD_ASSIGN(auto to, buffer(request.get<uint64_t>()));
        return device_->copyIn(*to, request.get<uint64_t>(), body);
      }
      case DeviceRequest::CopyOut: {
        RAD_ASSIGN(auto from, buffer(request.get<uint64_t>()));
        const auto offset = request.get<uint64_t>();
        copied_.resize(request.get<uint64_t>());
        return device_->copyOut(copied_, *from, offset);
      }
      case DeviceRequest::CopyWithin: {
        RAD_ASSIGN(auto to, buffer(request.get<uint64_t>()));
        const auto toOffset = request.get<uint64_t>();
        RAD_ASSIGN(auto from, buffer(request.get<uint64_t>()));
        const auto fromOffset = request.get<uint64_t>();
        return device_->copyWithin(*to, toOffset, *from, fromOffset, request.get<uint64_t>());
      }
      case DeviceRequest::Fill: {
        RAD_ASSIGN(auto to, buffer(request.get<uint64_t>()));
        const auto offset = request.get<uint64_t>();
        const auto bytes = request.get<uint64_t>();
        return device_->fill(*to, offset, bytes, request.getBytes());
      }
      case DeviceRequest::Load: {
        const cg::DeviceCode code = request.getCode();
        RAD_ASSIGN(auto loaded, device_->load(code, request.getText()));
        answer.put(++lastId_);
        kernels_.emplace(lastId_, std::move(loaded));
        return {};
      }
      case DeviceRequest::Unload: kernels_.erase(request.get<uint64_t>()); return {};
      case DeviceRequest::Launch: return launch(request);
      case DeviceRequest::Synchronize: return device_->synchronize();
      case DeviceRequest::TakeFailure: {
        const auto failure = device_->takeFailure();
        answer.put(failure.has_value());
        if (failure) answer.put(failure->record);
        return {};
      }
      case DeviceRequest::TakePrinted: {
        const PrintedLines printed = device_->takePrinted();
        answer.put(printed.lost).putBytes(std::as_bytes(std::span(printed.words)));
        return {};
      }
    }
    return fail(ErrorCategory::Misuse, "a request that the device's process does not know");
  }

  Status launch(MessageReader& request) {
    auto found = kernels_.find(request.get<uint64_t>());
    if (found == kernels_.end()) return fail(ErrorCategory::Misuse, "a kernel of another device was launched");
    LaunchRequest launch;
    launch.grid = request.get<decltype(launch.grid)>();
    launch.threads = request.get<uint32_t>();
    launch.dynamicSharedBytes = request.get<uint32_t>();
    launch.serial = request.get<uint32_t>();
    launch.prints = request.get<bool>();
    const std::string name = request.getText();
    launch.name = name;
    const auto bytes = request.getBytes();
    std::vector<uint64_t> slots(bytes.size() / sizeof(uint64_t));
    if (!slots.empty()) std::memcpy(slots.data(), bytes.data(), slots.size() * sizeof(uint64_t));
    std::vector<const void*> arguments;
    for (const uint64_t& slot : slots) arguments.push_back(&slot);
    launch.arguments = arguments;
    return device_->launch(*found->second, launch);
  }

  Channel& channel_;
  std::shared_ptr<Device> device_;
  std::map<uint64_t, std::shared_ptr<Buffer>> buffers_;
  std::map<uint64_t, std::shared_ptr<Kernel>> kernels_;
  uint64_t lastId_ = 0;
  std::vector<std::byte> copied_;
};

void requestInterrupt(int) { Interrupt::request(); }

}  // namespace

bool readDeviceServerTask(DeviceServerTask& task) {
  const char* text = std::getenv(taskVariable);
  if (!text) return false;
  std::istringstream words(text);
  words >> task.socket >> task.device >> task.interruptible;
  const bool isOne = !words.fail();
  ::unsetenv(taskVariable);
  return isOne;
}

void serveDevice(const DeviceServerTask& task, const DeviceOpener& open) {
  if (task.interruptible) {
    Interrupt::enable();
    struct sigaction action{};
    action.sa_handler = requestInterrupt;
    ::sigaction(SIGINT, &action, nullptr);
    sigset_t blocked;  // as IsolatedDevice started this process
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    ::pthread_sigmask(SIG_UNBLOCK, &blocked, nullptr);
  }
  Channel channel{UniqueFd(task.socket)};
  // Whatever this process waits for (a kernel without an end), it ends with the one that started it.
  std::thread([socket = task.socket] {
    pollfd peer{socket, POLLRDHUP, 0};
    while (::poll(&peer, 1, -1) < 0) continue;
    ::_exit(0);
  }).detach();
  auto device =
      open(task.device, [&](const DeviceInfo& info) { channel.send(MessageWriter().put(true).putInfo(info)); });
  if (!device) {
    channel.send(MessageWriter().put(false).putError(device.error()));
    ::_exit(0);
  }
  channel.send(MessageWriter().put(true).putInfo((*device)->info()).put((*device)->failureState()));
  DeviceServer server(channel, *std::move(device));
  try {
    while (server.answerNext()) continue;
  } catch (const std::bad_alloc&) {
    // The other side is told by the end of this process.
  }
  ::_exit(0);
}

}  // namespace rad::rt

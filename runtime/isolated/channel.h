// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a session and the process that holds its device say to each other: messages over a pair of sockets. Both sides
// are the same program, so values go as they lie in memory.
#pragma once

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/device/device.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace rad::rt {

/// What the session asks for. Each is answered, but for Free and Unload.
enum class DeviceRequest : uint32_t {
  Allocate,
  Free,
  CopyIn,
  CopyOut,
  CopyWithin,
  Fill,
  Load,
  Unload,
  Launch,
  Synchronize,
  TakeFailure,
  TakePrinted,
};

/// A message that is being written.
class MessageWriter {
 public:
  template <class T>
    requires std::is_trivially_copyable_v<T>
  MessageWriter& put(const T& value) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), bytes, bytes + sizeof value);
    return *this;
  }
  MessageWriter& putBytes(std::span<const std::byte> bytes);
  MessageWriter& putText(std::string_view text) { return putBytes(std::as_bytes(std::span(text))); }
  MessageWriter& putError(const Error& error);
  MessageWriter& putInfo(const DeviceInfo& info);
  MessageWriter& putCode(const cg::DeviceCode& code);
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

/// A message that came. What is read behind its end is zero or empty, and isWhole() false.
class MessageReader {
 public:
  MessageReader() = default;
  explicit MessageReader(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}
  template <class T>
    requires std::is_trivially_copyable_v<T>
  T get() {
    T value{};
    if (const auto bytes = take(sizeof value); !bytes.empty()) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  /// Valid as long as the reader.
  std::span<const std::byte> getBytes() { return take(get<uint64_t>()); }
  std::string getText();
  Error getError();
  DeviceInfo getInfo();
  cg::DeviceCode getCode();
  bool isWhole() const { return isWhole_; }

 private:
  std::span<const std::byte> take(uint64_t size);
  std::vector<std::byte> bytes_;
  size_t at_ = 0;
  bool isWhole_ = true;
};

/// One end of a pair of sockets. Used by one thread at a time. A message has a head, and may have a body: bytes that
/// are not copied on their way from the caller's memory or to it.
class Channel {
 public:
  explicit Channel(UniqueFd socket) : socket_(std::move(socket)) {}
  int descriptor() const { return socket_.get(); }
  /// False: the other side is gone.
  bool send(const MessageWriter& head, std::span<const std::byte> body = {});
  /// Waits for a message, and calls `waiting` several times a second meanwhile. `bodyBytes`: what receiveBody() has to
  /// take next. False: the other side is gone.
  bool receive(MessageReader& head, uint64_t& bodyBytes, const std::function<void()>& waiting = {});
  bool receiveBody(std::span<std::byte> body);

 private:
  bool read(std::span<std::byte> bytes);
  UniqueFd socket_;
};

}  // namespace rad::rt

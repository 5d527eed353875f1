// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/isolated/channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <array>
#include <cerrno>
#include <mutex>
#include <set>

namespace rad::rt {
namespace {

/// Errors name their page by text that never goes.
std::string_view lastingText(std::string text) {
  static std::mutex mutex;
  static auto* texts = new std::set<std::string, std::less<>>;
  std::lock_guard lock(mutex);
  return *texts->insert(std::move(text)).first;
}

}  // namespace

MessageWriter& MessageWriter::putBytes(std::span<const std::byte> bytes) {
  put(uint64_t{bytes.size()});
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

MessageWriter& MessageWriter::putError(const Error& error) {
  put(error.category).put(error.code);
  for (const std::string& text : {error.codeName, error.call, error.args, error.message, error.advice, error.log})
    putText(text);
  return putText(error.page);
}

Error MessageReader::getError() {
  Error error;
  error.category = get<ErrorCategory>();
  error.code = get<int>();
  for (std::string* text : {&error.codeName, &error.call, &error.args, &error.message, &error.advice, &error.log})
    *text = getText();
  error.page = lastingText(getText());
  return error;
}

MessageWriter& MessageWriter::putInfo(const DeviceInfo& info) {
  put(info.kind).putText(info.id).putText(info.name).put(info.major).put(info.minor).put(info.multiprocessors);
  put(info.memoryBytes).put(info.maxThreadsPerBlock).put(info.maxSharedBytesPerBlock);
  return put(info.maxSharedBytesPerBlockOptIn).put(info.maxGrid).put(info.driverVersion).put(info.memoryBytesPerSecond);
}

DeviceInfo MessageReader::getInfo() {
  DeviceInfo info;
  info.kind = get<DeviceKind>();
  info.id = getText();
  info.name = getText();
  info.major = get<int>();
  info.minor = get<int>();
  info.multiprocessors = get<int>();
  info.memoryBytes = get<uint64_t>();
  info.maxThreadsPerBlock = get<int>();
  info.maxSharedBytesPerBlock = get<int>();
  info.maxSharedBytesPerBlockOptIn = get<int>();
  info.maxGrid = get<decltype(info.maxGrid)>();
  info.driverVersion = get<int>();
  info.memoryBytesPerSecond = get<double>();
  return info;
}

MessageWriter& MessageWriter::putCode(const cg::DeviceCode& code) {
  putText(code.target).putText(code.ptx).putBytes(code.cubin);
  const cg::GeometryManifest& geometry = code.geometry;
  put(geometry.isForall).putBytes(std::as_bytes(std::span(geometry.threadCount)));
  put(geometry.threadsPerBlock).put(geometry.pointsPerThread).put(geometry.maxBlocks);
  return put(code.staticSharedBytes).put(code.dynamicSharedBytes);
}

cg::DeviceCode MessageReader::getCode() {
  cg::DeviceCode code;
  code.target = getText();
  code.ptx = getText();
  const auto cubin = getBytes();
  code.cubin.assign(cubin.begin(), cubin.end());
  cg::GeometryManifest& geometry = code.geometry;
  geometry.isForall = get<bool>();
  const auto counts = getBytes();
  geometry.threadCount.resize(counts.size() / sizeof(int64_t));
  if (!geometry.threadCount.empty())
    std::memcpy(geometry.threadCount.data(), counts.data(), geometry.threadCount.size() * sizeof(int64_t));
  geometry.threadsPerBlock = get<uint32_t>();
  geometry.pointsPerThread = get<uint32_t>();
  geometry.maxBlocks = get<uint32_t>();
  code.staticSharedBytes = get<uint32_t>();
  code.dynamicSharedBytes = get<uint32_t>();
  return code;
}

std::string MessageReader::getText() {
  const auto bytes = getBytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> MessageReader::take(uint64_t size) {
  if (size > bytes_.size() - at_) {
    isWhole_ = false;
    at_ = bytes_.size();
    return {};
  }
  const auto taken = std::span(bytes_).subspan(at_, size);
  at_ += size;
  return taken;
}

bool Channel::send(const MessageWriter& head, std::span<const std::byte> body) {
  const std::array<uint64_t, 2> sizes = {head.bytes().size(), body.size()};
  std::array<std::span<const std::byte>, 3> parts = {std::as_bytes(std::span(sizes)), head.bytes(), body};
  for (size_t first = 0; first < parts.size();) {
    std::array<iovec, 3> vectors;
    size_t count = 0;
    for (size_t i = first; i < parts.size(); ++i)
      vectors[count++] = {const_cast<std::byte*>(parts[i].data()), parts[i].size()};
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    auto left = static_cast<size_t>(sent);
    while (first < parts.size() && left >= parts[first].size()) left -= parts[first++].size();
    if (first < parts.size()) parts[first] = parts[first].subspan(left);
  }
  return true;
}

bool Channel::receive(MessageReader& head, uint64_t& bodyBytes, const std::function<void()>& waiting) {
  constexpr int milliseconds = 50;
  for (pollfd wanted{socket_.get(), POLLIN, 0}; waiting;) {
    const int ready = ::poll(&wanted, 1, milliseconds);
    if (ready > 0 || (ready < 0 && errno != EINTR)) break;
    waiting();
  }
  std::array<uint64_t, 2> sizes{};
  if (!read(std::as_writable_bytes(std::span(sizes)))) return false;
  std::vector<std::byte> bytes(sizes[0]);
  if (!read(bytes)) return false;
  head = MessageReader(std::move(bytes));
  bodyBytes = sizes[1];
  return true;
}

bool Channel::receiveBody(std::span<std::byte> body) { return read(body); }

bool Channel::read(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(got));
  }
  return true;
}

}  // namespace rad::rt

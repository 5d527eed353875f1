// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/engine/device_opening.h"

#include <chrono>
#include <system_error>
#include <utility>

namespace rad::rt {

DeviceOpening::DeviceOpening(DeviceChoice choice)
    : choice_(std::move(choice)), target_(described_.get_future().share()), result_(opened_.get_future()) {
  if (choice_.id == "host") {
    open();
    return;
  }
  try {
    thread_ = std::thread([this] { open(); });
  } catch (const std::system_error&) {
    open();  // no more threads: then here
  }
}

DeviceOpening::~DeviceOpening() {
  if (thread_.joinable()) thread_.join();
}

void DeviceOpening::open() {
  const auto start = std::chrono::steady_clock::now();
  Opened opened;
  bool isDescribed = false;
  auto describe = [&](const DeviceInfo* info) {
    if (std::exchange(isDescribed, true)) return;
    auto target = info ? targetOf(*info) : ChosenTarget{};
    described_.set_value(target ? target->target : "");
  };
  auto device = openDevice(choice_, &opened.note, [&](const DeviceInfo& info) { describe(&info); });
  describe(device ? &(*device)->info() : nullptr);
  if (!device) {
    opened_.set_value(std::unexpected(std::move(device).error()));
    return;
  }
  opened.device = *std::move(device);
  opened.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  opened_.set_value(std::move(opened));
}

std::string DeviceOpening::target() { return target_.get(); }

bool DeviceOpening::isDone() const { return result_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }

Result<DeviceOpening::Opened> DeviceOpening::take() { return result_.get(); }

}  // namespace rad::rt

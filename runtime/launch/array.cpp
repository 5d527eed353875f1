// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/launch/array.h"

#include <utility>

RadArray::RadArray(std::shared_ptr<rad::rt::Device> device, std::shared_ptr<rad::rt::Buffer> buffer,
                   rad::cg::ElementType type, int64_t count, std::shared_ptr<rad::rt::LiveArrays> live)
    : device_(std::move(device)),
      buffer_(std::move(buffer)),
      live_(std::move(live)),
      type_(type),
      count_(count),
      address_(buffer_->address()) {
  if (live_) live_->add(this);
}

RadArray::~RadArray() {
  // The buffer goes before the device that it may be part of.
  buffer_.reset();
  if (live_) live_->remove(this);
}

void RadArray::moveTo(std::shared_ptr<rad::rt::Device> device, std::shared_ptr<rad::rt::Buffer> buffer) {
  buffer_ = std::move(buffer);  // the old one goes before its device
  device_ = std::move(device);
  address_ = buffer_->address();
}

void RadArray::lose() {
  if (live_) live_->remove(this);
  live_.reset();
}

void RadArray::release() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

namespace rad::rt {

void LiveArrays::add(RadArray* array) {
  std::lock_guard lock(mutex_);
  arrays_.insert(array);
}
void LiveArrays::remove(RadArray* array) {
  std::lock_guard lock(mutex_);
  arrays_.erase(array);
}
int64_t LiveArrays::count() const {
  std::lock_guard lock(mutex_);
  return static_cast<int64_t>(arrays_.size());
}
std::vector<RadArray*> LiveArrays::all() const {
  std::lock_guard lock(mutex_);
  return {arrays_.begin(), arrays_.end()};
}

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/launch/array.h"

#include <utility>

RadArray::RadArray(std::shared_ptr<rad::rt::Device> device, std::shared_ptr<rad::rt::Buffer> buffer, rad::cg::ElementType type, int64_t count,
                   std::shared_ptr<std::atomic<int64_t>> liveCount)
    : device_(std::move(device)), buffer_(std::move(buffer)), liveCount_(std::move(liveCount)), type_(type), count_(count), address_(buffer_->address()) {
  if (liveCount_) liveCount_->fetch_add(1, std::memory_order_relaxed);
}

RadArray::~RadArray() {
  // The buffer goes before the device that it may be part of.
  buffer_.reset();
  if (liveCount_) liveCount_->fetch_sub(1, std::memory_order_relaxed);
}

void RadArray::release() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

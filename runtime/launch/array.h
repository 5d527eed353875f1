// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a RadArray of the host interface is.
#pragma once

#include "codegen/artifact/artifact.h"
#include "runtime/device/device.h"

#include <atomic>
#include <cstdint>
#include <memory>

/// A reference-counted block of elements on a device; RadView names parts of it. Made with one reference. The count is atomic;
/// the elements are ordered by the device's queue. May outlive the context that made it.
struct RadArray {
  /// `liveCount` (may be null) is raised by one for the life of the array.
  RadArray(std::shared_ptr<rad::rt::Device> device, std::shared_ptr<rad::rt::Buffer> buffer, rad::cg::ElementType type, int64_t count,
           std::shared_ptr<std::atomic<int64_t>> liveCount);
  RadArray(const RadArray&) = delete;
  RadArray& operator=(const RadArray&) = delete;

  void retain() { references_.fetch_add(1, std::memory_order_relaxed); }
  /// Deletes the array with its last reference.
  void release();

  const std::shared_ptr<rad::rt::Device>& device() const { return device_; }
  rad::rt::Buffer& buffer() const { return *buffer_; }
  /// Of the first element, on the device.
  uint64_t address() const { return address_; }
  rad::cg::ElementType type() const { return type_; }
  /// Number of elements.
  int64_t count() const { return count_; }

 private:
  ~RadArray();
  std::shared_ptr<rad::rt::Device> device_;
  std::shared_ptr<rad::rt::Buffer> buffer_;
  std::shared_ptr<std::atomic<int64_t>> liveCount_;
  std::atomic<int64_t> references_{1};
  rad::cg::ElementType type_;
  int64_t count_ = 0;
  uint64_t address_ = 0;
};

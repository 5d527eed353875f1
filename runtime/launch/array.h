// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a RadArray of the host interface is.
#pragma once

#include "codegen/artifact/artifact.h"
#include "runtime/device/device.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

struct RadArray;

namespace rad::rt {
/// The arrays that a context made and that are alive. Thread-safe.
class LiveArrays {
 public:
  void add(RadArray* array);
  void remove(RadArray* array);
  int64_t count() const;
  /// Not while other threads make or release some.
  std::vector<RadArray*> all() const;

 private:
  mutable std::mutex mutex_;
  std::unordered_set<RadArray*> arrays_;
};
}  // namespace rad::rt

/// A reference-counted block of elements on a device; RadView names parts of it. Made with one reference. The count is
/// atomic; the elements are ordered by the device's queue. May outlive the context that made it.
struct RadArray {
  /// `live` (may be null) knows the array for its life.
  RadArray(std::shared_ptr<rad::rt::Device> device, std::shared_ptr<rad::rt::Buffer> buffer, rad::cg::ElementType type,
           int64_t count, std::shared_ptr<rad::rt::LiveArrays> live);
  RadArray(const RadArray&) = delete;
  RadArray& operator=(const RadArray&) = delete;

  void retain() { references_.fetch_add(1, std::memory_order_relaxed); }
  /// The elements lie in `buffer` of `device` from now on. Nothing may use them meanwhile.
  void moveTo(std::shared_ptr<rad::rt::Device> device, std::shared_ptr<rad::rt::Buffer> buffer);
  /// Its elements are gone with their device: nobody asks for it any more.
  void lose();
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
  std::shared_ptr<rad::rt::LiveArrays> live_;
  std::atomic<int64_t> references_{1};
  rad::cg::ElementType type_;
  int64_t count_ = 0;
  uint64_t address_ = 0;
};

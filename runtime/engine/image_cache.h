// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Assembled kernels kept between processes, keyed by content.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rad::rt {

/// A folder of cubins. An entry's name is a 128-bit hash of everything that decides its bytes (PTX, full target name,
/// assembler options and version, linked files), never a time stamp. An entry is written to a temporary name and
/// renamed, so that processes that share the folder never see half of one; its own checksum is verified on reading, and
/// a damaged entry counts as absent. Failure to read or write is never an error: the cache only saves time.
/// Thread-safe.
class ImageCache {
 public:
  /// $RADDLE_CACHE_DIR, else $XDG_CACHE_HOME/raddle, else ~/.cache/raddle; empty when there is none of them.
  static std::string defaultFolder();
  /// An empty folder switches the cache off.
  explicit ImageCache(std::string folder) : folder_(std::move(folder)) {}

  /// The key of a sequence of parts; where one part ends is part of the key.
  static std::string key(std::span<const std::string_view> parts);

  std::optional<std::vector<std::byte>> find(const std::string& key) const;
  void store(const std::string& key, std::span<const std::byte> image) const;

 private:
  std::string folder_;
};

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/engine/image_cache.h"

#include <fmt/format.h>
#include <llvm/ADT/StringRef.h>
#include <llvm/Support/xxhash.h>

#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace rad::rt {
namespace {

constexpr char magic[8] = {'R', 'A', 'D', 'C', 'U', 'B', '0', '1'};

llvm::XXH128_hash_t hashOf(std::span<const std::byte> bytes) {
  return llvm::xxh3_128bits(llvm::ArrayRef(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
}

}  // namespace

std::string ImageCache::defaultFolder() {
  auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value ? value : "");
  };
  if (auto own = variable("RADDLE_CACHE_DIR"); !own.empty()) return own;
  if (auto xdg = variable("XDG_CACHE_HOME"); !xdg.empty()) return xdg + "/raddle";
  if (auto home = variable("HOME"); !home.empty()) return home + "/.cache/raddle";
  return {};
}

std::string ImageCache::key(std::span<const std::string_view> parts) {
  std::string all;
  for (auto part : parts) {
    all += fmt::format("{}:", part.size());
    all += part;
  }
  auto hash = hashOf(std::as_bytes(std::span(all)));
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::optional<std::vector<std::byte>> ImageCache::find(const std::string& key) const {
  if (folder_.empty()) return std::nullopt;
  std::ifstream file(folder_ + "/" + key + ".cubin", std::ios::binary);
  char head[8];
  llvm::XXH128_hash_t expected;
  if (!file.read(head, sizeof head) || std::memcmp(head, magic, sizeof head) != 0) return std::nullopt;
  if (!file.read(reinterpret_cast<char*>(&expected), sizeof expected)) return std::nullopt;
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  auto bytes = std::as_bytes(std::span(text));
  if (!(hashOf(bytes) == expected)) return std::nullopt;
  return std::vector<std::byte>(bytes.begin(), bytes.end());
}

void ImageCache::store(const std::string& key, std::span<const std::byte> image) const {
  if (folder_.empty()) return;
  std::error_code ignored;
  std::filesystem::create_directories(folder_, ignored);
  std::string temporary = fmt::format("{}/.{}.{}.{}", folder_, key, ::getpid(), static_cast<const void*>(image.data()));
  {
    std::ofstream file(temporary, std::ios::binary);
    auto hash = hashOf(image);
    file.write(magic, sizeof magic);
    file.write(reinterpret_cast<const char*>(&hash), sizeof hash);
    file.write(reinterpret_cast<const char*>(image.data()), static_cast<std::streamsize>(image.size()));
    file.close();
    if (!file) {
      std::remove(temporary.c_str());
      return;
    }
  }
  if (std::rename(temporary.c_str(), (folder_ + "/" + key + ".cubin").c_str()) != 0) std::remove(temporary.c_str());
}

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/toolkit/decompress.h"

#include "runtime/base/dynamic_library.h"

#include <algorithm>
#include <optional>

namespace rad::rt {
namespace {

std::unexpected<Error> damagedBlock() { return fail(ErrorCategory::Image, "its compressed data is damaged"); }

/// libzstd, opened once.
struct Zstd {
  std::size_t (*decompress)(void*, std::size_t, const void*, std::size_t) = nullptr;
  unsigned (*isError)(std::size_t) = nullptr;
};

Result<Zstd> openZstd() {
  RAD_ASSIGN(DynamicLibrary library, DynamicLibrary::open("libzstd.so.1"));
  Zstd out;
  out.decompress = reinterpret_cast<decltype(out.decompress)>(library.symbol("ZSTD_decompress"));
  out.isError = reinterpret_cast<decltype(out.isError)>(library.symbol("ZSTD_isError"));
  if (!out.decompress || !out.isError)
    return fail(ErrorCategory::System, "'" + library.path() + "' is not the Zstandard library");
  return out;
}

}  // namespace

Result<std::vector<std::byte>> unpackLz4(std::span<const std::byte> packed, std::size_t size) {
  // The smallest sequence unpacks to less than 255 times its bytes.
  if (size / 255 > packed.size()) return damagedBlock();
  std::vector<std::byte> out;
  out.reserve(size);
  std::size_t at = 0;
  auto length = [&](std::size_t base) -> std::optional<std::size_t> {
    if (base != 15) return base;
    for (;;) {
      if (at >= packed.size()) return std::nullopt;
      const auto more = std::to_integer<std::size_t>(packed[at++]);
      base += more;
      if (more != 255) return base;
    }
  };
  while (at < packed.size()) {
    const auto token = std::to_integer<unsigned>(packed[at++]);
    const auto literals = length(token >> 4);
    if (!literals || *literals > packed.size() - at || *literals > size - out.size()) return damagedBlock();
    out.insert(out.end(), packed.begin() + std::ptrdiff_t(at), packed.begin() + std::ptrdiff_t(at + *literals));
    at += *literals;
    if (at == packed.size()) break;  // the last sequence has literals only
    if (packed.size() - at < 2) return damagedBlock();
    const std::size_t distance = std::to_integer<std::size_t>(packed[at]) | std::to_integer<std::size_t>(packed[at + 1])
                                                                                << 8;
    at += 2;
    auto match = length(token & 15);
    if (!match || distance == 0 || distance > out.size()) return damagedBlock();
    *match += 4;
    if (*match > size - out.size()) return damagedBlock();
    for (std::size_t i = 0; i < *match; ++i)  // they may overlap
      out.push_back(out[out.size() - distance]);
  }
  if (out.size() != size) return damagedBlock();
  return out;
}

Result<std::vector<std::byte>> unpackZstd(std::span<const std::byte> packed, std::size_t size) {
  static const Result<Zstd> zstd = openZstd();
  if (!zstd)
    return fail(ErrorCategory::System, "it is compressed, and libzstd.so.1 cannot be used here",
                "Install libzstd1, or make the file with "
                "-compress-mode=none.");
  // A frame says its own size; a wrong one is found by decompressing.
  if (size > (std::size_t(1) << 32) || (packed.size() < size / 100000 && size > (std::size_t(1) << 24)))
    return damagedBlock();
  std::vector<std::byte> out(size);
  const std::size_t got = zstd->decompress(out.data(), out.size(), packed.data(), packed.size());
  if (zstd->isError(got) || got != size) return damagedBlock();
  return out;
}

}  // namespace rad::rt

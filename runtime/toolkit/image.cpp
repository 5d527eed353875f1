// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/toolkit/image.h"

#include "runtime/toolkit/cubin_reader.h"
#include "runtime/toolkit/decompress.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace rad::rt {
namespace {

constexpr std::uint32_t fatbinMagic = 0xba55ed50, ltoMagic = 0x7f4e43ed;
constexpr std::size_t fatbinHead = 16, entryHead = 64;
constexpr std::uint16_t entryPtx = 1, entryCubin = 2, entryLtoIr = 8;
constexpr std::uint64_t packedLz4 = 0x2000, packedZstd = 0x8000, isSealed = 0x10000, forOneGpu = 0x100000,
                        forFamily = 0x200000;
constexpr std::string_view archiveMagic = "!<arch>\n";
constexpr std::size_t memberHead = 60;

std::string_view textOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class T>
std::optional<T> numberAt(std::span<const std::byte> bytes, std::uint64_t at) {
  if (at > bytes.size() || sizeof(T) > bytes.size() - at) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::unexpected<Error> unusable(const std::string& name, std::string_view kind, std::string_view why) {
  return fail(ErrorCategory::Image, "'" + name + "' is not a usable " + std::string(kind) + ": " + std::string(why));
}

/// What one entry's head says, and its bytes unpacked. `entry.packed` is set.
Status readEntry(FatbinEntry& entry, std::uint32_t headBytes, const std::string& name) {
  const std::span<const std::byte> all = entry.packed;
  auto get = [&]<class T>(T, std::size_t at) { return *numberAt<T>(all, at); };
  switch (get(std::uint16_t(), 0)) {
    case entryPtx: entry.kind = ImageKind::Ptx; break;
    case entryCubin: entry.kind = ImageKind::Cubin; break;
    case entryLtoIr: entry.kind = ImageKind::LtoIr; break;
    default: return {};  // not device code: left Unknown
  }
  const std::uint32_t packedBytes = get(std::uint32_t(), 16);
  entry.version = {get(std::uint16_t(), 26), get(std::uint16_t(), 24)};
  entry.target.sm = get(std::uint32_t(), 28);
  const std::uint32_t nameAt = get(std::uint32_t(), 32), nameBytes = get(std::uint32_t(), 36);
  const std::uint64_t flags = get(std::uint64_t(), 40), rawBytes = get(std::uint64_t(), 56);
  if (nameBytes) {
    if (nameAt > headBytes || nameBytes > headBytes - nameAt)
      return unusable(name, "fatbin", "a name lies outside its entry");
    entry.identifier = textOf(all.subspan(nameAt, nameBytes));
  }
  if (flags & forOneGpu) entry.target.suffix = 'a';
  else if (flags & forFamily) entry.target.suffix = 'f';
  std::span<const std::byte> content = all.subspan(headBytes);
  entry.compressed = flags & (packedLz4 | packedZstd);
  entry.sealed = flags & isSealed;
  if (entry.sealed) return {};
  if (!entry.compressed) {
    entry.bytes.assign(content.begin(), content.end());
  } else {
    if (packedBytes > content.size()) return unusable(name, "fatbin", "compressed data lies outside its entry");
    content = content.first(packedBytes);
    auto unpacked = flags & packedZstd ? unpackZstd(content, rawBytes) : unpackLz4(content, rawBytes);
    if (!unpacked) {
      Error error = std::move(unpacked).error();
      error.message = "'" + name + "' cannot be read: " + error.message;
      return fail(std::move(error));
    }
    entry.bytes = *std::move(unpacked);
  }
  if (entry.kind == ImageKind::Ptx)  // padded with NULs
    while (!entry.bytes.empty() && entry.bytes.back() == std::byte(0)) entry.bytes.pop_back();
  return {};
}

}  // namespace

ImageKind recognise(std::span<const std::byte> bytes) {
  if (looksLikeCubin(bytes)) return ImageKind::Cubin;
  if (looksLikeFatbin(bytes)) return ImageKind::Fatbin;
  if (numberAt<std::uint32_t>(bytes, 0) == ltoMagic) return ImageKind::LtoIr;
  const std::string_view text = textOf(bytes);
  if (text.starts_with(archiveMagic)) return ImageKind::Archive;
  if (text.starts_with("\x7f"
                       "ELF"))
    return ImageKind::HostObject;
  if (versionOfPtx(text) && text.find(".target") != std::string_view::npos) return ImageKind::Ptx;
  return ImageKind::Unknown;
}

std::string_view describe(ImageKind kind) {
  switch (kind) {
    case ImageKind::Unknown: return "a file of another kind";
    case ImageKind::Cubin: return "a cubin";
    case ImageKind::Ptx: return "PTX text";
    case ImageKind::LtoIr: return "LTO-IR";
    case ImageKind::Fatbin: return "a fatbin";
    case ImageKind::HostObject: return "a host object";
    case ImageKind::Archive: return "an archive";
  }
  return "";
}

std::optional<GpuTarget> targetOfLtoIr(std::span<const std::byte> bytes) {
  // Ten times the compute capability: 900 for sm_90.
  const auto value = numberAt<std::uint16_t>(bytes, 26);
  if (!value || *value % 10 != 0 || *value < 300 || *value > 2000) return std::nullopt;
  return GpuTarget{*value / 10u, 0};
}

std::optional<Release> toolsOfCubin(std::span<const std::byte> bytes) {
  constexpr std::string_view mark = "Cuda compilation tools, release ";
  const std::string_view text = textOf(bytes);
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const char *begin = text.data() + at + mark.size(), *end = text.data() + text.size();
  Release out;
  auto first = std::from_chars(begin, end, out.major);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.' ||
      std::from_chars(first.ptr + 1, end, out.minor).ec != std::errc())
    return std::nullopt;
  return out;
}

Result<std::vector<FatbinEntry>> readFatbin(std::span<const std::byte> bytes, const std::string& name) {
  std::vector<FatbinEntry> out;
  std::size_t at = 0;
  unsigned fatbins = 0;
  do {
    const auto rest = bytes.subspan(at);
    if (numberAt<std::uint32_t>(rest, 0) != fatbinMagic) break;  // padding behind the last
    const auto head = numberAt<std::uint16_t>(rest, 6);
    const auto size = numberAt<std::uint64_t>(rest, 8);
    if (!head || !size || *head < fatbinHead || *head > rest.size() || *size > rest.size() - *head)
      return unusable(name, "fatbin", "it is cut off");
    auto body = rest.subspan(*head, std::size_t(*size));
    at += *head + std::size_t(*size);
    while (!body.empty()) {
      const auto headBytes = numberAt<std::uint32_t>(body, 4);
      const auto bodyBytes = numberAt<std::uint64_t>(body, 8);
      if (!headBytes || !bodyBytes || *headBytes < entryHead || *headBytes > body.size() ||
          *bodyBytes > body.size() - *headBytes)
        return unusable(name, "fatbin", "an entry lies outside the file");
      FatbinEntry entry;
      entry.fatbin = fatbins;
      entry.packed = body.first(*headBytes + std::size_t(*bodyBytes));
      RAD_TRY(readEntry(entry, *headBytes, name));
      body = body.subspan(entry.packed.size());
      if (entry.kind != ImageKind::Unknown) out.push_back(std::move(entry));
    }
    ++fatbins;
    while (at < bytes.size() && at % 8) ++at;
  } while (at < bytes.size());
  if (at == 0) return unusable(name, "fatbin", "it does not begin as one");
  return out;
}

std::vector<std::byte> fatbinOf(const FatbinEntry& entry) {
  std::vector<std::byte> out(fatbinHead);
  const std::uint16_t version = 1, head = fatbinHead;
  const std::uint64_t size = entry.packed.size();
  std::memcpy(out.data(), &fatbinMagic, 4);
  std::memcpy(out.data() + 4, &version, 2);
  std::memcpy(out.data() + 6, &head, 2);
  std::memcpy(out.data() + 8, &size, 8);
  out.insert(out.end(), entry.packed.begin(), entry.packed.end());
  return out;
}

Result<std::vector<ObjectFatbin>> fatbinsOfObject(std::span<const std::byte> bytes, const std::string& name) {
  auto bad = [&](std::string_view why) { return unusable(name, "object", why); };
  // ELF, 64 bits, little-endian: the layout of <elf.h>.
  if (bytes.size() < 64 || bytes[4] != std::byte(2) || bytes[5] != std::byte(1))
    return bad("it is not a 64-bit little-endian ELF file");
  const auto table = *numberAt<std::uint64_t>(bytes, 40);
  const auto count = *numberAt<std::uint16_t>(bytes, 60), names = *numberAt<std::uint16_t>(bytes, 62),
             rowBytes = *numberAt<std::uint16_t>(bytes, 58);
  struct Section {
    std::uint32_t name = 0, type = 0;
    std::uint64_t at = 0, size = 0;
  };
  std::vector<Section> sections;
  if (count && rowBytes != 64) return bad("its section table is damaged");
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t row = table + i * 64;
    if (table > bytes.size() || row > bytes.size() || bytes.size() - row < 64)
      return bad("its section table lies outside the file");
    Section section{*numberAt<std::uint32_t>(bytes, row), *numberAt<std::uint32_t>(bytes, row + 4),
                    *numberAt<std::uint64_t>(bytes, row + 24), *numberAt<std::uint64_t>(bytes, row + 32)};
    const bool inFile = section.type != 0 && section.type != 8;
    if (inFile && (section.at > bytes.size() || section.size > bytes.size() - section.at))
      return bad("a section lies outside the file");
    if (!inFile) section.size = 0;
    sections.push_back(section);
  }
  std::vector<ObjectFatbin> out;
  if (names >= sections.size()) return out;  // no names, so none that we look for
  const std::string_view text = textOf(bytes.subspan(sections[names].at, std::size_t(sections[names].size)));
  for (const Section& section : sections) {
    if (section.name >= text.size() || section.size == 0) continue;
    std::string_view own = text.substr(section.name);
    own = own.substr(0, own.find('\0'));
    if (own != "__nv_relfatbin" && own != ".nv_fatbin") continue;
    out.push_back({bytes.subspan(section.at, std::size_t(section.size)), own == "__nv_relfatbin"});
  }
  return out;
}

Result<std::vector<ArchiveMember>> readArchive(std::span<const std::byte> bytes, const std::string& name) {
  // The layout of <ar.h>, with long names in the member "//".
  const std::string_view all = textOf(bytes);
  if (!all.starts_with(archiveMagic)) return unusable(name, "archive", "it does not begin as one");
  std::vector<ArchiveMember> out;
  std::string_view longNames;
  std::size_t at = archiveMagic.size();
  while (at < all.size()) {
    if (all.size() - at < memberHead || all.substr(at + 58, 2) != "`\n")
      return unusable(name, "archive", "a member's head is damaged");
    const std::string_view head = all.substr(at, memberHead);
    std::uint64_t size = 0;
    if (std::from_chars(head.data() + 48, head.data() + 58, size).ec != std::errc())
      return unusable(name, "archive", "a member has no size");
    at += memberHead;
    if (size > all.size() - at) return unusable(name, "archive", "a member is cut off");
    std::string_view own = head.substr(0, 16);
    own = own.substr(0, own.find_last_not_of(' ') + 1);
    const auto content = bytes.subspan(at, std::size_t(size));
    at += std::size_t(size) + size % 2;
    if (own == "//") {
      longNames = textOf(content);
      continue;
    }
    if (own == "/" || own == "/SYM64/") continue;
    std::string full(own.substr(0, own.find('/')));
    if (own.size() > 1 && own[0] == '/') {
      std::size_t offset = 0;
      std::from_chars(own.data() + 1, own.data() + own.size(), offset);
      if (offset < longNames.size()) {
        full = longNames.substr(offset);
        full = full.substr(0, full.find('/'));
      }
    }
    out.push_back({std::move(full), content});
  }
  return out;
}

}  // namespace rad::rt

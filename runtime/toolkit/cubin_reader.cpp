// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/toolkit/cubin_reader.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

namespace rad::rt {
namespace {

constexpr std::uint16_t machineCuda = 190;
constexpr std::size_t headerBytes = 64, sectionBytes = 64, symbolBytes = 24;
constexpr std::uint32_t sectionSymbols = 2, sectionNoBits = 8;
constexpr std::uint32_t sectionLocalInfo = 0x70000000;  // .nv.info*
constexpr std::uint64_t reservedSharedBytes = 1024;
constexpr std::uint8_t symbolEntry = 0x10;  // in st_other

/// Reads little-endian numbers at checked offsets.
class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::size_t size() const { return bytes_.size(); }

  bool holds(std::uint64_t offset, std::uint64_t count) const {
    return offset <= bytes_.size() && count <= bytes_.size() - offset;
  }
  template <class T>
  std::optional<T> get(std::uint64_t offset) const {
    if (!holds(offset, sizeof(T))) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }
  /// The part [offset, offset + count), or nothing when it is not inside.
  std::optional<Bytes> part(std::uint64_t offset, std::uint64_t count) const {
    if (!holds(offset, count)) return std::nullopt;
    return Bytes(bytes_.subspan(offset, count));
  }
  /// The NUL-terminated text at `offset`.
  std::optional<std::string> text(std::uint64_t offset) const {
    if (offset >= bytes_.size()) return std::nullopt;
    const char* begin = reinterpret_cast<const char*>(bytes_.data()) + offset;
    const void* end = std::memchr(begin, 0, bytes_.size() - offset);
    if (!end) return std::nullopt;
    return std::string(begin, static_cast<const char*>(end));
  }

 private:
  std::span<const std::byte> bytes_;
};

struct Section {
  std::string name;
  std::uint32_t type = 0;
  std::uint64_t size = 0;
  std::uint32_t link = 0, info = 0;
  std::uint64_t entryBytes = 0;
  Bytes content{{}};
};

struct Symbol {
  std::string name;
  std::uint8_t info = 0, other = 0;
  std::uint16_t section = 0;
  std::uint64_t size = 0;
};

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, std::string_view name) : file_(bytes), name_(name) {}

  Result<CubinInfo> read() {
    RAD_TRY(readHeader());
    RAD_TRY(readSections());
    RAD_TRY(readSymbols());
    RAD_TRY(readInfo());
    return std::move(result_);
  }

 private:
  std::unexpected<Error> bad(const char* what) const {
    return fail(ErrorCategory::Image, "'" + std::string(name_) + "' is not a usable cubin: " + what);
  }

  Status readHeader() {
    if (file_.size() < headerBytes) return bad("it ends inside the file header");
    if (*file_.get<std::uint32_t>(0) != 0x464c457f) return bad("it does not begin as an ELF file");
    if (*file_.get<std::uint8_t>(4) != 2 || *file_.get<std::uint8_t>(5) != 1)
      return bad("it is not a 64-bit little-endian ELF file");
    if (*file_.get<std::uint16_t>(18) != machineCuda) return bad("it is an ELF file for another kind of machine");
    const std::uint8_t abi = *file_.get<std::uint8_t>(8);
    const std::uint32_t flags = *file_.get<std::uint32_t>(48);
    result_.sm = abi >= 8 ? (flags >> 8) & 0xff : flags & 0xff;
    if (result_.sm < 20) return bad("it does not say which GPU it is for");
    result_.relocatable = *file_.get<std::uint16_t>(16) == 1;
    return {};
  }

  Status readSections() {
    const std::uint64_t table = *file_.get<std::uint64_t>(40);
    const std::uint16_t entry = *file_.get<std::uint16_t>(58);
    const std::uint16_t count = *file_.get<std::uint16_t>(60);
    const std::uint16_t names = *file_.get<std::uint16_t>(62);
    if (count == 0 || entry != sectionBytes) return bad("it has no section table");
    auto rows = file_.part(table, std::uint64_t(count) * entry);
    if (!rows) return bad("its section table lies outside the file");
    std::vector<std::uint32_t> nameOffsets;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t at = i * entry;
      Section section;
      nameOffsets.push_back(*rows->get<std::uint32_t>(at));
      section.type = *rows->get<std::uint32_t>(at + 4);
      const std::uint64_t offset = *rows->get<std::uint64_t>(at + 24);
      section.size = *rows->get<std::uint64_t>(at + 32);
      section.link = *rows->get<std::uint32_t>(at + 40);
      section.info = *rows->get<std::uint32_t>(at + 44);
      section.entryBytes = *rows->get<std::uint64_t>(at + 56);
      // Sections may have no bytes in the file: NOBITS, and several kinds of
      // NVIDIA's own (memory that starts as zero), whose content is not read.
      const bool inFile = section.type != 0 && section.type != sectionNoBits && section.type <= sectionLocalInfo;
      if (inFile) {
        auto content = file_.part(offset, section.size);
        if (!content) return bad("a section lies outside the file");
        section.content = *content;
      }
      sections_.push_back(std::move(section));
    }
    if (names >= sections_.size()) return bad("its section names are missing");
    for (std::size_t i = 0; i < sections_.size(); ++i) {
      auto text = sections_[names].content.text(nameOffsets[i]);
      if (!text) return bad("a section's name lies outside its table");
      sections_[i].name = std::move(*text);
    }
    return {};
  }

  Status readSymbols() {
    for (const Section& section : sections_) {
      if (section.type != sectionSymbols) continue;
      if (section.entryBytes != symbolBytes || section.link >= sections_.size() || section.size % symbolBytes)
        return bad("its symbol table is damaged");
      const Bytes& names = sections_[section.link].content;
      for (std::uint64_t at = 0; at < section.size; at += symbolBytes) {
        Symbol symbol;
        auto text = names.text(*section.content.get<std::uint32_t>(at));
        if (!text) return bad("a symbol's name lies outside its table");
        symbol.name = std::move(*text);
        symbol.info = *section.content.get<std::uint8_t>(at + 4);
        symbol.other = *section.content.get<std::uint8_t>(at + 5);
        symbol.section = *section.content.get<std::uint16_t>(at + 6);
        symbol.size = *section.content.get<std::uint64_t>(at + 16);
        symbols_.push_back(std::move(symbol));
      }
    }
    for (const Symbol& symbol : symbols_) {
      const unsigned binding = symbol.info >> 4, type = symbol.info & 15;
      if ((binding != 1 && binding != 2) || symbol.name.empty()) continue;
      CubinSymbol out;
      out.name = symbol.name;
      out.weak = binding == 2;
      out.defined = symbol.section != 0;
      out.size = symbol.size;
      if (type == 2) out.kind = symbol.other & symbolEntry ? CubinSymbol::Kind::Kernel : CubinSymbol::Kind::Function;
      else if (type == 1 || type == 13) out.kind = CubinSymbol::Kind::Variable;
      if (out.kind == CubinSymbol::Kind::Kernel && out.defined) {
        CubinKernel kernel;
        kernel.name = symbol.name;
        kernel.codeBytes = static_cast<std::uint32_t>(symbol.size);
        result_.kernels.push_back(std::move(kernel));
      }
      result_.symbols.push_back(std::move(out));
    }
    return {};
  }

  CubinKernel* find(std::string_view name) {
    for (CubinKernel& kernel : result_.kernels)
      if (kernel.name == name) return &kernel;
    return nullptr;
  }

  Status readInfo() {
    constexpr std::string_view infoPrefix = ".nv.info.";
    constexpr std::string_view sharedPrefix = ".nv.shared.";
    // In finished files from sm_90 on, a kernel's shared section begins with the
    // part that the system reserves, which does not count as the kernel's.
    std::uint64_t reserved = 0;
    for (const Section& section : sections_)
      if (!result_.relocatable && section.name == ".nv.shared.reserved.0") reserved = reservedSharedBytes;
    for (const Section& section : sections_) {
      std::string_view name = section.name;
      if (name.starts_with(sharedPrefix)) {
        if (CubinKernel* kernel = find(name.substr(sharedPrefix.size())))
          kernel->staticSharedBytes = static_cast<std::uint32_t>(section.size - std::min(section.size, reserved));
      } else if (section.type == sectionLocalInfo && name == ".nv.info") {
        RAD_TRY(readAttributes(section.content, nullptr));
      } else if (section.type == sectionLocalInfo && name.starts_with(infoPrefix)) {
        if (CubinKernel* kernel = find(name.substr(infoPrefix.size())))
          RAD_TRY(readAttributes(section.content, kernel));
      }
    }
    for (CubinKernel& kernel : result_.kernels) {
      std::sort(kernel.params.begin(), kernel.params.end(),
                [](const CubinParam& a, const CubinParam& b) { return a.index < b.index; });
      for (const CubinParam& param : kernel.params)
        kernel.paramBytes = std::max(kernel.paramBytes, param.offset + param.size);
    }
    return {};
  }

  /// One list of attributes: of a kernel, or (null) of the whole file.
  Status readAttributes(const Bytes& list, CubinKernel* kernel) {
    std::uint64_t at = 0;
    while (at + 4 <= list.size()) {
      const std::uint8_t format = *list.get<std::uint8_t>(at);
      const std::uint8_t id = *list.get<std::uint8_t>(at + 1);
      const std::uint16_t word = *list.get<std::uint16_t>(at + 2);
      at += 4;
      if (format < 1 || format > 4) return bad("a kernel's attributes are damaged");
      if (format != 4) continue;  // the value, if any, is `word`
      auto value = list.part(at, word);
      if (!value) return bad("a kernel's attributes are cut off");
      at += word;
      readAttribute(id, *value, kernel);
    }
    return {};
  }

  void readAttribute(std::uint8_t id, const Bytes& value, CubinKernel* kernel) {
    constexpr std::uint8_t maxThreads = 0x05, requiredThreads = 0x10, parameter = 0x17, registers = 0x2f;
    if (kernel && id == parameter && value.size() >= 12) {
      CubinParam param;
      param.index = *value.get<std::uint16_t>(4);
      param.offset = *value.get<std::uint16_t>(6);
      param.size = *value.get<std::uint32_t>(8) >> 18;
      kernel->params.push_back(param);
    } else if (kernel && (id == maxThreads || id == requiredThreads) && value.size() >= 12) {
      const std::uint64_t all =
          std::uint64_t(*value.get<std::uint32_t>(0)) * *value.get<std::uint32_t>(4) * *value.get<std::uint32_t>(8);
      kernel->maxThreads = static_cast<std::uint32_t>(std::min<std::uint64_t>(all, 0xffffffff));
    } else if (!kernel && id == registers && value.size() >= 8) {
      const std::uint32_t index = *value.get<std::uint32_t>(0);
      if (index < symbols_.size())
        if (CubinKernel* owner = find(symbols_[index].name)) owner->registers = *value.get<std::uint32_t>(4);
    }
  }

  Bytes file_;
  std::string_view name_;
  CubinInfo result_;
  std::vector<Section> sections_;
  std::vector<Symbol> symbols_;
};

}  // namespace

bool looksLikeCubin(std::span<const std::byte> bytes) {
  Bytes file(bytes);
  return file.get<std::uint32_t>(0) == 0x464c457f && file.get<std::uint16_t>(18) == machineCuda;
}

bool looksLikeFatbin(std::span<const std::byte> bytes) { return Bytes(bytes).get<std::uint32_t>(0) == 0xba55ed50; }

Result<CubinInfo> readCubin(std::span<const std::byte> bytes, std::string_view name) {
  return Reader(bytes, name).read();
}

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#include "runtime/files/npy_file.h"

#include "runtime/files/npy_element.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

static_assert(std::endian::native == std::endian::little, "elements are read and written as they lie in memory");

namespace rad::rt {
namespace {

using cg::ElementType;

constexpr std::string_view npyKind = "the array in";
constexpr std::string_view magic = "\x93NUMPY";
constexpr uint32_t maxHeaderBytes = 1 << 16;
constexpr size_t maxRank = 32;
constexpr int64_t maxElements = int64_t{1} << 60;
constexpr const char* npyAgain = "it is damaged: save it once more with numpy.save";

/// What a header says.
struct Header {
  NpyDescr descr;
  bool isFortran = false;
  std::vector<int64_t> shape;
};

/// The dictionary of a header: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, keys in any order.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  /// Nothing where the text is no such dictionary; `why()` then says more.
  std::optional<Header> parse() {
    Header header;
    bool hasDescr = false, hasOrder = false, hasShape = false;
    if (!take('{')) return bad("it does not begin with `{`");
    while (!take('}')) {
      auto key = string();
      if (!key || !take(':')) return bad("a key and `:` are missing");
      if (*key == "descr" && !hasDescr) {
        if (!descr(header.descr, 0)) return std::nullopt;
        hasDescr = true;
      } else if (*key == "fortran_order" && !hasOrder) {
        if (word("True")) header.isFortran = true;
        else if (!word("False")) return bad("`fortran_order` is neither True nor False");
        hasOrder = true;
      } else if (*key == "shape" && !hasShape) {
        if (!shape(header.shape, "its shape")) return std::nullopt;
        hasShape = true;
      } else {
        return bad("it has a key that does not belong there");
      }
      if (!take(',')) {
        if (!take('}')) return bad("`,` or `}` is missing");
        break;
      }
    }
    skipBlanks();
    if (at_ != text_.size()) return bad("something follows its `}`");
    if (!hasDescr || !hasOrder || !hasShape) return bad("`descr`, `fortran_order` or `shape` is missing");
    return header;
  }
  const std::string& why() const { return why_; }
  const std::string& advice() const { return advice_; }

 private:
  std::nullopt_t bad(std::string why, std::string advice = npyAgain) {
    why_ = std::move(why);
    advice_ = std::move(advice);
    return std::nullopt;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skipBlanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  bool take(char c) {
    skipBlanks();
    if (peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view wanted) {
    skipBlanks();
    if (!text_.substr(at_).starts_with(wanted)) return false;
    at_ += wanted.size();
    return true;
  }
  std::optional<std::string> string() {
    skipBlanks();
    char quote = peek();
    if (quote != '\'' && quote != '"') return std::nullopt;
    size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos || end - at_ > 256) return std::nullopt;
    std::string out(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return out;
  }
  bool shape(std::vector<int64_t>& extents, std::string_view what) {
    if (!take('(')) return bad(fmt::format("{} is not a tuple", what)), false;
    while (!take(')')) {
      skipBlanks();
      int64_t extent = 0;
      auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), extent);
      if (error == std::errc::result_out_of_range || (error == std::errc() && extent > maxElements))
        return bad(fmt::format("a size in {} is beyond 2^60", what)), false;
      if (error != std::errc() || extent < 0)
        return bad(fmt::format("a size in {} is not a whole number of 0 or more", what)), false;
      at_ = static_cast<size_t>(end - text_.data());
      if (peek() == 'L') ++at_;  // written by Python 2
      extents.push_back(extent);
      if (extents.size() > maxRank) return bad(fmt::format("it has more than {} dimensions", maxRank)), false;
      if (!take(',')) {
        if (take(')')) return true;
        return bad(fmt::format("{} has no end", what)), false;
      }
    }
    return true;
  }
  /// '<f4', or [('a', '<f4'), ('b', '<i4', (3,)), ('c', [...])].
  bool descr(NpyDescr& into, unsigned depth) {
    skipBlanks();
    const size_t start = at_;
    if (take('[')) {
      if (depth > 32) return bad("its fields nest too deeply"), false;
      while (!take(']')) {
        NpyDescr::Field field;
        if (!take('(')) return bad("a field of `descr` is not a tuple"), false;
        auto name = string();
        if (!name || !take(',')) return bad("a field of `descr` has no name that is a text"), false;
        field.name = *name;
        if (!descr(field.type, depth + 1)) return false;
        if (take(',')) {
          skipBlanks();
          if (peek() == '(' && !shape(field.dims, "the shape of a field")) return false;
          take(',');
        }
        if (!take(')')) return bad("a field of `descr` has no end"), false;
        for (int64_t dim : field.dims)
          if (dim > static_cast<int64_t>(cg::largestElement)) return bad("a field of `descr` is too large"), false;
        into.fields.push_back(std::move(field));
        if (!take(',')) {
          if (!take(']')) return bad("`descr` has no end"), false;
          break;
        }
      }
      if (into.fields.empty()) return bad("`descr` has no fields"), false;
    } else {
      auto value = string();
      if (!value) return bad("`descr` is not a text"), false;
      into.code = *value;
    }
    into.text = text_.substr(start, at_ - start);
    return true;
  }
  std::string_view text_;
  size_t at_ = 0;
  std::string why_, advice_;
};

/// Printable, so that it can stand in a message.
std::string shown(std::string_view text) {
  std::string out;
  for (char c : text) out += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F ? '?' : c;
  return out;
}

/// Raddle's name of a type of NumPy; empty if there is none.
std::string nameOfCode(std::string_view code) {
  for (ElementType type :
       {ElementType::Bool, ElementType::I8, ElementType::I16, ElementType::I32, ElementType::I64, ElementType::U8,
        ElementType::U16, ElementType::U32, ElementType::U64, ElementType::F16, ElementType::F32, ElementType::F64})
    if (npyCode(type) == code) return cg::nameOf(type);
  return "";
}

/// What stands against an element of the file; `type` is what the program calls the one that is wanted.
Result<void> checkFields(const NpyDescr& found, const NpyElement& inFile, const NpyElement& inMemory,
                         const std::string& type, const std::string& wanted, const std::string& path) {
  if (!inFile.runs.empty() && haveSameFields(inFile, inMemory)) return {};
  const bool isNumber = inMemory.runs.size() == 1 && inMemory.runs[0].name.empty();
  Error error;
  error.category = ErrorCategory::UserProgram;
  error.page = fileContentCode;
  error.message =
      fmt::format("`{}` holds elements of NumPy's type {}, but the type says {}", path, shown(found.text), type);
  if (!isNumber) error.message += ", which is " + wanted;
  error.advice =
      isNumber ? "declare a struct with these members, or save each field as an array of its own"
               : "members have the names of the fields, in their order, and the same types; where they lie may differ";
  return fail(std::move(error));
}

/// Whether the elements that `descr` names are of type `wanted`.
Result<void> checkType(const std::string& descr, ElementType wanted, const std::string& path) {
  const bool hasOrder = !descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos;
  std::string_view code = std::string_view(descr).substr(hasOrder ? 1 : 0);
  std::string_view wantedCode = npyCode(wanted);
  if (code == wantedCode) return {};
  const std::string name = nameOfCode(code);
  std::string holds = !name.empty()           ? fmt::format("{} (NumPy's {})", name, shown(descr))
                      : code.starts_with('O') ? "Python objects"
                      : code.starts_with('c') ? fmt::format("complex numbers ({})", shown(descr))
                      : code.starts_with('U') || code.starts_with('S')
                          ? "texts"
                          : fmt::format("elements of NumPy's type {}", shown(descr));
  Error error;
  error.category = ErrorCategory::UserProgram;
  error.page = fileContentCode;
  error.message = fmt::format("`{}` holds {}, but the type says {}", path, holds, cg::nameOf(wanted));
  bool isNumpyType = wantedCode[0] != 'V';
  if (!name.empty()) error.advice = fmt::format("write {} in the type", name);
  if (isNumpyType)
    error.advice +=
        fmt::format("{}save it with numpy.save(path, a.astype(\"{}\"))", name.empty() ? "" : ", or ", wantedCode);
  return fail(std::move(error));
}

/// Turns column-major elements into row-major ones.
std::vector<std::byte> rowMajor(const std::vector<std::byte>& from, std::span<const int64_t> shape, unsigned size) {
  std::vector<std::byte> to(from.size());
  // The distance, in the file, between neighbours in each dimension.
  std::vector<size_t> strides(shape.size()), point(shape.size());
  size_t stride = size;
  for (size_t d = 0; d < shape.size(); ++d) {
    strides[d] = stride;
    stride *= static_cast<size_t>(shape[d]);
  }
  size_t at = 0;
  for (size_t out = 0; out < to.size(); out += size) {
    std::memcpy(to.data() + out, from.data() + at, size);
    for (size_t d = shape.size(); d-- > 0;) {
      at += strides[d];
      if (++point[d] < static_cast<size_t>(shape[d])) break;
      at -= strides[d] * point[d];
      point[d] = 0;
    }
  }
  return to;
}

/// Each scalar from where it lies in the file to where it lies in memory; none where one is no value of its enum.
std::optional<std::vector<std::byte>> arranged(const std::vector<std::byte>& from, const NpyElement& inFile,
                                               const NpyElement& inMemory, size_t count) {
  std::vector<std::byte> to(count * inMemory.size);
  for (size_t i = 0; i < count; ++i)
    for (size_t r = 0; r < inMemory.runs.size(); ++r) {
      const NpyRun& source = inFile.runs[r];
      const NpyRun& run = inMemory.runs[r];
      const std::byte* in = from.data() + i * inFile.size + source.offset;
      std::byte* out = to.data() + i * inMemory.size + run.offset;
      std::memcpy(out, in, run.count * run.size);
      for (uint64_t k = 0; k < run.count; ++k, out += run.size) {
        if (source.isBig) std::reverse(out, out + run.size);
        if (run.isBool) *out = std::byte{*out != std::byte{0}};
        if (run.values == 0) continue;
        int32_t value = 0;
        std::memcpy(&value, out, sizeof value);
        if (value < 0 || value >= run.values) return std::nullopt;
      }
    }
  return to;
}

}  // namespace

Result<FileArray> readNpy(const std::string& path, ElementType wanted,
                          std::span<const cg::CompoundManifest> compounds) {
  RAD_ASSIGN(File file, openToRead(path, npyKind));
  return readNpy(file.get(), path, wanted, compounds);
}

Result<FileArray> readNpy(std::FILE* file, const std::string& path, ElementType wanted,
                          std::span<const cg::CompoundManifest> compounds) {
  auto error = [&](std::string_view why, std::string advice = npyAgain) {
    return fileError("read", npyKind, path, why, std::move(advice));
  };
  unsigned char start[8] = {};
  size_t got = std::fread(start, 1, sizeof start, file);
  if (got < sizeof start || std::memcmp(start, magic.data(), magic.size()) != 0)
    return error(got == 0 ? "the file is empty" : "it is not an NPY file",
                 "save it with numpy.save; of an NPZ archive, save each array by itself");
  if (start[6] < 1 || start[6] > 3)
    return error(fmt::format("it has version {}.{} of the format; 1.0, 2.0 and 3.0 are known", start[6], start[7]));
  unsigned char length[4] = {};
  size_t lengthBytes = start[6] == 1 ? 2 : 4;
  if (std::fread(length, 1, lengthBytes, file) != lengthBytes) return error("the file ends in its header");
  uint32_t size = length[0] | uint32_t{length[1]} << 8 | uint32_t{length[2]} << 16 | uint32_t{length[3]} << 24;
  if (size > maxHeaderBytes) return error(fmt::format("its header claims {} bytes", size));
  std::string text(size, '\0');
  if (std::fread(text.data(), 1, size, file) != size) return error("the file ends in its header");
  HeaderParser parser(text);
  auto header = parser.parse();
  if (!header) return error("its header is not understood: " + parser.why(), parser.advice());
  const NpyElement inMemory = elementInMemory(wanted, compounds);
  NpyElement inFile = inMemory;
  if (cg::isCompound(wanted) || !header->descr.fields.empty()) {
    inFile = elementInFile(header->descr);
    const std::string name = cg::isCompound(wanted) ? compounds[cg::compoundOf(wanted)].name : cg::nameOf(wanted);
    RAD_TRY(checkFields(header->descr, inFile, inMemory, name, npyDescr(wanted, compounds), path));
  } else {
    RAD_TRY(checkType(header->descr.code, wanted, path));
    inFile.runs[0].isBig = header->descr.code.starts_with('>') && inFile.size > 1;
  }

  const uint64_t elementBytes = std::max(inFile.size, inMemory.size);
  bool isEmpty = std::ranges::count(header->shape, 0) > 0;
  int64_t count = isEmpty ? 0 : 1;
  for (int64_t extent : header->shape)
    if (!isEmpty &&
        (__builtin_mul_overflow(count, extent, &count) || count > maxElements / static_cast<int64_t>(elementBytes)))
      return error(fmt::format("its shape ({}) has more than 2^60 bytes", fmt::join(header->shape, ", ")));
  FileArray array{wanted, std::move(header->shape), {}};
  RAD_ASSIGN(array.elements, readBytes(file, static_cast<uint64_t>(count) * inFile.size, npyKind, path));
  if (header->isFortran && array.extents.size() > 1)
    array.elements = rowMajor(array.elements, array.extents, static_cast<unsigned>(inFile.size));
  const bool isAsInMemory = inFile.runs.size() == 1 && inFile.size == inMemory.size && !inFile.runs[0].isBig &&
                            !inMemory.runs[0].isBool && inMemory.runs[0].values == 0;
  if (!isAsInMemory) {
    auto elements = arranged(array.elements, inFile, inMemory, static_cast<size_t>(count));
    if (!elements)
      return error("a number in it is no value of its enum", "an enum is saved as the position of its name, from 0 on");
    array.elements = std::move(*elements);
  }
  return array;
}

Result<void> writeNpy(const std::string& path, const FileArray& array,
                      std::span<const cg::CompoundManifest> compounds) {
  std::string shape;
  for (int64_t extent : array.extents) shape += fmt::format("{}{}", shape.empty() ? "" : " ", extent) + ",";
  if (array.extents.size() > 1) shape.pop_back();
  std::string text =
      fmt::format("{{'descr': {}, 'fortran_order': False, 'shape': ({}), }}", npyDescr(array.type, compounds), shape);
  if (text.size() > 65000)
    return fileError("write", npyKind, path, "its elements have too many members for the header of such a file");
  size_t head = magic.size() + 4;
  text.append(63 - (head + text.size()) % 64, ' ');  // elements begin at a multiple of 64
  text += '\n';
  RAD_ASSIGN(NewFile file, NewFile::create(path, npyKind));
  std::string start(magic);
  start += {1, 0, static_cast<char>(text.size() & 255), static_cast<char>(text.size() >> 8)};
  RAD_TRY(file.write(start + text));
  RAD_TRY(file.write(array.elements));
  return file.commit();
}

}  // namespace rad::rt

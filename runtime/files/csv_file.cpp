// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/files/csv_file.h"

#include "runtime/base/interrupt.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <type_traits>

namespace rad::rt {
namespace {

constexpr std::string_view csvKind = "the numbers in";

/// Text from outside, fit for a message.
std::string quoted(std::string_view text) {
  std::string out = "`";
  for (char c : text.substr(0, 40)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  return out + (text.size() > 40 ? "...`" : "`");
}

enum class Parsed { Good, NotANumber, OutOfRange };

template <class T>
Parsed parseNumber(std::string_view text, T& value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return Parsed::NotANumber;
  if (error == std::errc()) return Parsed::Good;
  if constexpr (std::is_floating_point_v<T>) {
    // Too small for the type is 0 or nearly so; only too large is out of range.
    double wide = std::strtod(std::string(text).c_str(), nullptr);
    value = static_cast<T>(wide);
    if (std::isfinite(value)) return Parsed::Good;
  }
  return Parsed::OutOfRange;
}

template <class T>
Parsed parseInto(std::string_view text, std::vector<std::byte>& elements) {
  T value{};
  Parsed parsed = parseNumber(text, value);
  if (parsed != Parsed::Good) return parsed;
  auto* bytes = reinterpret_cast<const std::byte*>(&value);
  elements.insert(elements.end(), bytes, bytes + sizeof value);
  return parsed;
}

/// Calls `use` with a value of the C++ type that stands for `type`; false for types that text files do not hold.
template <class Use>
bool withType(cg::ElementType type, Use use) {
  switch (type) {
    case cg::ElementType::I8: return use(int8_t{}), true;
    case cg::ElementType::I16: return use(int16_t{}), true;
    case cg::ElementType::I32: return use(int32_t{}), true;
    case cg::ElementType::I64:
    case cg::ElementType::Index: return use(int64_t{}), true;
    case cg::ElementType::U8: return use(uint8_t{}), true;
    case cg::ElementType::U16: return use(uint16_t{}), true;
    case cg::ElementType::U32: return use(uint32_t{}), true;
    case cg::ElementType::U64: return use(uint64_t{}), true;
    case cg::ElementType::F32: return use(float{}), true;
    case cg::ElementType::F64: return use(double{}), true;
    case cg::ElementType::Bool:
    case cg::ElementType::F16:
    case cg::ElementType::BF16:
    case cg::ElementType::F8E4M3:
    case cg::ElementType::F8E5M2: return false;
  }
  return false;
}

bool isBlank(char c) { return c == ' ' || c == '\r' || c == '\v' || c == '\f'; }
bool isSeparator(char c) { return c == ',' || c == ';' || c == '\t'; }

/// The fields of a line; an empty one where a separator has no number before or behind it.
std::vector<std::string_view> fieldsOf(std::string_view line) {
  std::vector<std::string_view> fields;
  size_t at = 0;
  auto skipBlanks = [&] {
    while (at < line.size() && isBlank(line[at])) ++at;
  };
  bool needsMore = false;  // behind a separator
  for (skipBlanks(); at < line.size() || needsMore; skipBlanks()) {
    size_t begin = at;
    while (at < line.size() && !isBlank(line[at]) && !isSeparator(line[at])) ++at;
    fields.push_back(line.substr(begin, at - begin));
    skipBlanks();
    needsMore = at < line.size() && isSeparator(line[at]);
    if (needsMore) ++at;
  }
  return fields;
}

bool isHeading(const std::vector<std::string_view>& fields) {
  for (std::string_view field : fields) {
    double ignored;
    if (parseNumber(field, ignored) != Parsed::NotANumber) return false;
  }
  return true;
}

}  // namespace

Result<FileArray> parseCsv(std::string_view text, const std::string& path, cg::ElementType type, bool isMatrix) {
  FileArray array{type, {}, {}};
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  int64_t number = 0, rows = 0, columns = 0, firstRow = 0;
  auto error = [&](std::string why, std::string advice) {
    auto wrong =
        fail(ErrorCategory::UserProgram, fmt::format("`{}`, line {}: {}", path, number, why), std::move(advice));
    wrong.error().page = fileContentCode;
    return wrong;
  };
  bool isFirst = true;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (++number % 4096 == 0 && Interrupt::isRequested()) return fileInterrupted("read", path);
    std::vector<std::string_view> fields = fieldsOf(line);
    if (fields.empty() || fields[0].starts_with('#')) continue;
    if (std::exchange(isFirst, false) && isHeading(fields)) continue;
    for (size_t i = 0; i < fields.size(); ++i) {
      std::string_view field = fields[i];
      if (field.empty())
        return error(fmt::format("number {} is missing", i + 1),
                     "between two separators, and behind the last one, stands a number");
      Parsed parsed = Parsed::NotANumber;
      bool isKnown = withType(type, [&](auto value) { parsed = parseInto<decltype(value)>(field, array.elements); });
      if (!isKnown)
        return error(fmt::format("a text file does not hold {}", cg::nameOf(type)), "read f32, and convert it");
      if (parsed == Parsed::OutOfRange)
        return error(fmt::format("{} does not fit into {}", quoted(field), cg::nameOf(type)), "choose a wider type");
      double real;
      if (parsed == Parsed::Good) continue;
      if (parseNumber(field, real) != Parsed::NotANumber)
        return error(
            fmt::format(
                "{} is not {}", quoted(field),
                field.starts_with('-') && field.find('.') == std::string_view::npos ? "0 or more" : "a whole number"),
            fmt::format("the type says {}; choose one that holds it, such as f64", cg::nameOf(type)));
      return error(fmt::format("{} is not a number", quoted(field)),
                   "only the first line may be a heading; a line of remarks begins with `#`");
    }
    auto count = static_cast<int64_t>(fields.size());
    if (isMatrix && rows > 0 && count != columns)
      return error(fmt::format("{} number{}, but line {} has {}", count, count == 1 ? "" : "s", firstRow, columns),
                   "all rows of a matrix have one length; `[T; n]` takes all numbers in order");
    if (rows++ == 0) {
      columns = count;
      firstRow = number;
    }
  }
  if (isMatrix) array.extents = {rows, columns};
  else array.extents = {static_cast<int64_t>(array.elements.size() / cg::sizeOf(type))};
  return array;
}

Result<FileArray> readCsv(const std::string& path, cg::ElementType type, bool isMatrix) {
  RAD_ASSIGN(File file, openToRead(path, csvKind));
  RAD_ASSIGN(std::string text, readText(file.get(), csvKind, path));
  return parseCsv(text, path, type, isMatrix);
}

Result<void> writeCsv(const std::string& path, const FileArray& array) {
  RAD_ASSIGN(NewFile file, NewFile::create(path, csvKind));
  int64_t columns = array.extents.size() > 1 ? array.extents[1] : 1, column = 0;
  Result<void> written;
  bool isKnown = withType(array.type, [&](auto value) {
    fmt::memory_buffer line;
    for (size_t at = 0; at + sizeof value <= array.elements.size() && written; at += sizeof value) {
      std::memcpy(&value, array.elements.data() + at, sizeof value);
      if constexpr (sizeof value == 1) fmt::format_to(std::back_inserter(line), "{}", static_cast<int>(value));
      else fmt::format_to(std::back_inserter(line), "{}", value);
      line.push_back(++column == columns ? '\n' : ',');
      if (column == columns) column = 0;
      if (line.size() < size_t{1} << 16 && at + 2 * sizeof value <= array.elements.size()) continue;
      written = file.write(std::string_view(line.data(), line.size()));
      line.clear();
    }
  });
  if (!isKnown)
    return fail(ErrorCategory::UserProgram, fmt::format("a text file does not hold {}", cg::nameOf(array.type)),
                "convert it to f32 first");
  RAD_TRY(std::move(written));
  return file.commit();
}

}  // namespace rad::rt

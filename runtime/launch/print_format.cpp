// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/launch/print_format.h"

#include <fmt/format.h>
#include <limits>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <type_traits>
#include <vector>

namespace rad::rt {
namespace {

constexpr int64_t maxShown = 32;           // elements that are shown without leaving any out
constexpr int64_t edge = 4;                // of a long dimension, at each end
constexpr int64_t readAtOnce = 64 * 1024;  // bytes: up to here one read is cheaper than one for each row

template <class T>
T load(const void* value) {
  T out;
  std::memcpy(&out, value, sizeof out);
  return out;
}

/// 1e+20 -> 1e20, 1e-07 -> 1e-7: as literals of the language are written.
std::string shortExponent(const std::string& number) {
  const size_t at = number.find('e') + 1, digits = number.find_first_not_of("+-0", at);
  return number.substr(0, at) + (number[at] == '-' ? "-" : "") +
         (digits == std::string::npos ? "0" : number.substr(digits));
}

template <class T>
std::string formatFloat(T value, char kind = 0) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  // Beyond these, the digits before the point would be more than the type holds, or zeros after it would hide the
  // value.
  constexpr T large = sizeof(T) == 4 ? T(1e8) : T(1e16), small = T(1e-5);
  T size = std::fabs(value);
  char buffer[64];
  bool fixed = kind != 'e' && (size == 0 || (size >= small && size < large));
  auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value,
                                    fixed ? std::chars_format::fixed : std::chars_format::scientific);
  std::string out(buffer, end);
  if (fixed) return out.find('.') == std::string::npos ? out + ".0" : out;
  return shortExponent(out);
}

/// A floating-point format narrower than float, with the sign on top.
struct SmallFormat {
  int fraction = 0;  // bits
  int bias = 0;
  bool hasInfinity = true;  // else the highest exponent is one of numbers, and only all ones is NaN
  /// The number whose bits without the sign are `size`; beyond the largest, what would follow it.
  double number(int size) const {
    int exponent = size >> fraction, rest = size & ((1 << fraction) - 1);
    return exponent == 0 ? std::ldexp(rest, 1 - bias - fraction)
                         : std::ldexp(rest + (1 << fraction), exponent - bias - fraction);
  }
};

/// The value of the bits.
double numberOfSmall(const SmallFormat& format, int bits, int signBit) {
  const int size = bits & (signBit - 1), last = signBit - 1, infinity = last - ((1 << format.fraction) - 1);
  if (format.hasInfinity ? size > infinity : size == last) return std::numeric_limits<double>::quiet_NaN();
  const double value =
      format.hasInfinity && size == infinity ? std::numeric_limits<double>::infinity() : format.number(size);
  return bits & signBit ? -value : value;
}

std::string formatSmall(const SmallFormat& format, int bits, int signBit, char kind) {
  int size = bits & (signBit - 1);
  std::string sign = bits & signBit ? "-" : "";
  int last = signBit - 1, infinity = last - ((1 << format.fraction) - 1);
  if (format.hasInfinity ? size > infinity : size == last) return "nan";
  if (format.hasInfinity && size == infinity) return sign + "inf";
  if (size == 0) return sign + formatFloat(0.0f, kind);
  double value = format.number(size);
  if (format.fraction < 4) return sign + formatFloat(static_cast<float>(value), kind);
  // The fewest digits that are read back as this number: nearer to it than to its neighbours.
  double low = (format.number(size - 1) + value) / 2, high = (value + format.number(size + 1)) / 2;
  for (int digits = 1;; ++digits) {
    double shown = std::stod(fmt::format("{:.{}e}", value, digits - 1));
    if ((shown > low && shown < high) || digits == 9) return sign + formatFloat(static_cast<float>(shown), kind);
  }
}

/// What is shown of one dimension: all of it, or both ends.
struct Shown {
  int64_t extent = 0;
  bool all = true;
  int64_t count() const { return all ? extent : 2 * edge; }
  int64_t at(int64_t i) const { return all || i < edge ? i : extent - 2 * edge + i; }
};

/// Reads the shown elements, in the order in which they are shown.
Result<std::vector<std::string>> readShown(cg::ElementType type, std::span<const Shown> dims, int64_t total,
                                           const ReadElements& read, const FormatSpec& spec,
                                           std::span<const cg::CompoundManifest> compounds) {
  int64_t size = cg::sizeOf(type);
  bool whole = total * size <= readAtOnce;
  std::vector<std::byte> bytes(static_cast<size_t>(size * (whole ? total : std::min(dims.back().extent, 2 * edge))));
  if (whole) RAD_TRY(read(0, total, bytes));
  std::vector<std::string> out;
  std::vector<int64_t> index(dims.size(), 0);  // of the row, in shown elements; the last stays 0
  const Shown& last = dims.back();
  for (;;) {
    int64_t row = 0;
    for (size_t d = 0; d + 1 < dims.size(); ++d) row = row * dims[d].extent + dims[d].at(index[d]);
    int64_t first = row * last.extent;
    if (!whole) {
      std::span<std::byte> room(bytes);
      auto half = static_cast<size_t>(edge * size);
      if (last.all) {
        RAD_TRY(read(first, last.extent, room.first(static_cast<size_t>(last.extent * size))));
      } else {
        RAD_TRY(read(first, edge, room.first(half)));
        RAD_TRY(read(first + last.extent - edge, edge, room.subspan(half, half)));
      }
    }
    for (int64_t i = 0; i < last.count(); ++i) {
      int64_t element = whole ? first + last.at(i) : i;
      out.push_back(formatScalar(type, bytes.data() + element * size, spec, compounds));
    }
    size_t d = dims.size() - 1;
    while (d > 0 && ++index[d - 1] == dims[d - 1].count()) index[--d] = 0;
    if (d == 0) return out;
  }
}

void appendNested(std::string& out, std::span<const Shown> dims, std::span<const std::string> items, size_t& next,
                  size_t width, size_t indent) {
  out += '[';
  const Shown& dim = dims.front();
  for (int64_t i = 0; i < dim.count(); ++i) {
    bool gap = !dim.all && i == edge;
    if (dims.size() == 1) {
      if (i > 0) out += ", ";
      if (gap) out += "..., ";
      out += std::string(width > items[next].size() ? width - items[next].size() : 0, ' ') + items[next];
      ++next;
      continue;
    }
    std::string line = "\n" + std::string(indent + 1, ' ');
    if (i > 0) out += "," + line;
    if (gap) out += "..." + ("," + line);
    appendNested(out, dims.subspan(1), items, next, width, indent + 1);
  }
  out += ']';
}

/// "Particle(pos: (1.0, 2.0), mass: 1.0)", "(1, 2.0)", "[1, 2]", "relaxed".
std::string formatCompound(const cg::CompoundManifest& compound, const std::byte* value, const FormatSpec& spec,
                           std::span<const cg::CompoundManifest> compounds) {
  using Kind = cg::CompoundManifest::Kind;
  if (compound.kind == Kind::Enum) {
    const auto number = load<int32_t>(value);
    if (number >= 0 && static_cast<size_t>(number) < compound.names.size())
      return padded(compound.names[static_cast<size_t>(number)], spec, false);
    return fmt::format("{}({})", compound.name, number);
  }
  if (compound.kind == Kind::Array) {
    std::string out = "[";
    const uint64_t size = cg::sizeOf(compound.types[0]);
    for (uint64_t i = 0; i < compound.count; ++i) {
      if (i > 0) out += ", ";
      if (compound.count > static_cast<uint64_t>(maxShown) && i == static_cast<uint64_t>(edge)) {
        out += "..., ";
        i = compound.count - static_cast<uint64_t>(edge);
      }
      out += formatScalar(compound.types[0], value + i * size, spec, compounds);
    }
    return out + "]";
  }
  const bool isStruct = compound.kind == Kind::Struct;
  std::string out = isStruct ? compound.name + "(" : "(";
  for (size_t i = 0; i < compound.types.size(); ++i) {
    if (i > 0) out += ", ";
    if (isStruct) out += compound.names[i] + ": ";
    out += formatScalar(compound.types[i], value + compound.offsets[i], spec, compounds);
  }
  if (!isStruct && compound.types.size() == 1) out += ",";
  return out + ")";
}

/// ", 0.0 to 9.5"; ", 0.0 to 9.5, 3 nan". Empty for what has no order, and where reading all of it would take long.
Result<std::string> extremesText(cg::ElementType type, int64_t total, const ReadElements& read) {
  constexpr int64_t mostBytes = int64_t{64} << 20, atOnceBytes = 1 << 20;
  const int64_t size = cg::sizeOf(type);
  if (cg::isCompound(type) || cg::lanesOf(type) > 1 || type == cg::ElementType::Bool || total > mostBytes / size)
    return std::string();
  std::vector<std::byte> bytes;
  std::string least, most;
  int64_t nans = 0;
  auto scan = [&]<class T, class Number>(T, Number number) -> Result<void> {
    std::optional<T> low, high;
    for (int64_t at = 0; at < total;) {
      const int64_t count = std::min(total - at, atOnceBytes / size);
      bytes.resize(static_cast<size_t>(count * size));
      RAD_TRY(read(at, count, bytes));
      for (int64_t i = 0; i < count; ++i) {
        const T value = load<T>(bytes.data() + i * size);
        if (std::isnan(static_cast<double>(number(value)))) {
          ++nans;
          continue;
        }
        if (!low || number(value) < number(*low)) low = value;
        if (!high || number(value) > number(*high)) high = value;
      }
      at += count;
    }
    if (low) least = formatScalar(type, &*low), most = formatScalar(type, &*high);
    return {};
  };
  auto plain = [](auto value) { return value; };
  auto small = [](SmallFormat format, int signBit) {
    return [=](auto bits) { return numberOfSmall(format, bits, signBit); };
  };
  auto scanAll = [&]() -> Result<void> {
    switch (type) {
      case cg::ElementType::Bool: return {};
      case cg::ElementType::I8: return scan(int8_t{}, plain);
      case cg::ElementType::I16: return scan(int16_t{}, plain);
      case cg::ElementType::I32: return scan(int32_t{}, plain);
      case cg::ElementType::I64:
      case cg::ElementType::Index: return scan(int64_t{}, plain);
      case cg::ElementType::U8: return scan(uint8_t{}, plain);
      case cg::ElementType::U16: return scan(uint16_t{}, plain);
      case cg::ElementType::U32: return scan(uint32_t{}, plain);
      case cg::ElementType::U64: return scan(uint64_t{}, plain);
      case cg::ElementType::F32: return scan(float{}, plain);
      case cg::ElementType::F64: return scan(double{}, plain);
      case cg::ElementType::F16: return scan(uint16_t{}, small({10, 15, true}, 0x8000));
      case cg::ElementType::BF16: return scan(uint16_t{}, small({7, 127, true}, 0x8000));
      case cg::ElementType::F8E4M3: return scan(uint8_t{}, small({3, 7, false}, 0x80));
      case cg::ElementType::F8E5M2: return scan(uint8_t{}, small({2, 15, true}, 0x80));
    }
    return {};
  };
  RAD_TRY(scanAll());
  std::string out = least.empty() ? "" : fmt::format(", {} to {}", least, most);
  if (nans > 0) out += fmt::format(", {} nan", nans);
  return out;
}

}  // namespace

std::string padded(std::string text, const FormatSpec& spec, bool isNumber) {
  const size_t places = columnOf(text);
  if (places >= spec.width) return text;
  const size_t missing = spec.width - places;
  const bool isFinite = text.find_first_of("ni") == std::string::npos;  // nan, inf
  if (spec.zeros && isNumber && isFinite) return text.insert(text.starts_with('-') ? 1 : 0, missing, '0');
  const bool toTheLeft = spec.align ? spec.align == '<' : !isNumber;
  return toTheLeft ? text + std::string(missing, ' ') : std::string(missing, ' ') + text;
}

std::string formatScalar(cg::ElementType type, const void* value, const FormatSpec& spec,
                         std::span<const cg::CompoundManifest> compounds) {
  if (cg::isCompound(type)) {
    const unsigned number = cg::compoundOf(type);
    return number < compounds.size()
               ? formatCompound(compounds[number], static_cast<const std::byte*>(value), spec, compounds)
               : "?";
  }
  if (cg::lanesOf(type) > 1) {
    const cg::ElementType one = cg::scalarOf(type);
    std::string out = "(";
    for (unsigned lane = 0; lane < cg::lanesOf(type); ++lane)
      out += (lane > 0 ? ", " : "") +
             formatScalar(one, static_cast<const std::byte*>(value) + lane * cg::sizeOf(one), spec);
    return out + ")";
  }
  auto integer = [&]<class T>(T number) {
    const auto bits = static_cast<std::make_unsigned_t<T>>(number);
    return padded(spec.kind == 'x'   ? fmt::format("{:x}", bits)
                  : spec.kind == 'b' ? fmt::format("{:b}", bits)
                                     : std::to_string(number),
                  spec, true);
  };
  // With a number of digits the exact value is rounded to them; without, the fewest digits are shown.
  auto real = [&](double number, std::string fewest) {
    if (spec.digits < 0 || !std::isfinite(number)) return padded(std::move(fewest), spec, true);
    return padded(spec.kind == 'e' ? shortExponent(fmt::format("{:.{}e}", number, spec.digits))
                                   : fmt::format("{:.{}f}", number, spec.digits),
                  spec, true);
  };
  auto small = [&](const SmallFormat& format, int bits, int signBit) {
    return real(numberOfSmall(format, bits, signBit), formatSmall(format, bits, signBit, spec.kind));
  };
  switch (type) {
    case cg::ElementType::Bool: return padded(load<uint8_t>(value) ? "true" : "false", spec, false);
    case cg::ElementType::I8: return integer(load<int8_t>(value));
    case cg::ElementType::I16: return integer(load<int16_t>(value));
    case cg::ElementType::I32: return integer(load<int32_t>(value));
    case cg::ElementType::I64:
    case cg::ElementType::Index: return integer(load<int64_t>(value));
    case cg::ElementType::U8: return integer(load<uint8_t>(value));
    case cg::ElementType::U16: return integer(load<uint16_t>(value));
    case cg::ElementType::U32: return integer(load<uint32_t>(value));
    case cg::ElementType::U64: return integer(load<uint64_t>(value));
    case cg::ElementType::F32: return real(load<float>(value), formatFloat(load<float>(value), spec.kind));
    case cg::ElementType::F64: return real(load<double>(value), formatFloat(load<double>(value), spec.kind));
    case cg::ElementType::F16: return small({10, 15, true}, load<uint16_t>(value), 0x8000);
    case cg::ElementType::BF16: return small({7, 127, true}, load<uint16_t>(value), 0x8000);
    case cg::ElementType::F8E4M3: return small({3, 7, false}, load<uint8_t>(value), 0x80);
    case cg::ElementType::F8E5M2: return small({2, 15, true}, load<uint8_t>(value), 0x80);
  }
  return "?";
}

double numberOf(cg::ElementType type, const void* value) {
  switch (type) {
    case cg::ElementType::Bool: return load<uint8_t>(value) ? 1 : 0;
    case cg::ElementType::I8: return load<int8_t>(value);
    case cg::ElementType::I16: return load<int16_t>(value);
    case cg::ElementType::I32: return load<int32_t>(value);
    case cg::ElementType::I64:
    case cg::ElementType::Index: return static_cast<double>(load<int64_t>(value));
    case cg::ElementType::U8: return load<uint8_t>(value);
    case cg::ElementType::U16: return load<uint16_t>(value);
    case cg::ElementType::U32: return load<uint32_t>(value);
    case cg::ElementType::U64: return static_cast<double>(load<uint64_t>(value));
    case cg::ElementType::F32: return load<float>(value);
    case cg::ElementType::F64: return load<double>(value);
    case cg::ElementType::F16: return numberOfSmall({10, 15, true}, load<uint16_t>(value), 0x8000);
    case cg::ElementType::BF16: return numberOfSmall({7, 127, true}, load<uint16_t>(value), 0x8000);
    case cg::ElementType::F8E4M3: return numberOfSmall({3, 7, false}, load<uint8_t>(value), 0x80);
    case cg::ElementType::F8E5M2: return numberOfSmall({2, 15, true}, load<uint8_t>(value), 0x80);
  }
  return 0;
}

Result<std::string> formatArray(cg::ElementType type, std::span<const int64_t> extents, size_t indent,
                                const ReadElements& read, const FormatSpec& spec,
                                std::span<const cg::CompoundManifest> compounds) {
  int64_t total = 1;
  for (int64_t extent : extents) total *= extent;
  auto typeText = [&] {
    const bool isKnown = cg::isCompound(type) && cg::compoundOf(type) < compounds.size();
    return fmt::format(" ([{}; {}])", isKnown ? compounds[cg::compoundOf(type)].name : cg::nameOf(type),
                       fmt::join(extents, ", "));
  };
  if (total == 0 || extents.empty()) return extents.size() > 1 ? "[]" + typeText() : std::string("[]");
  std::vector<Shown> dims;
  bool complete = true;
  for (int64_t extent : extents) {
    bool all = total <= maxShown || extent <= 2 * edge;
    dims.push_back({extent, all});
    complete &= all;
  }
  RAD_ASSIGN(std::vector<std::string> items, readShown(type, dims, total, read, spec, compounds));
  size_t width = 0;  // columns line up where there are several rows
  if (dims.size() > 1)
    for (const std::string& item : items) width = std::max(width, item.size());
  std::string out;
  size_t next = 0;
  appendNested(out, dims, items, next, width, indent);
  if (!complete) out += typeText();
  if (complete || spec.kind != 's') return out;
  RAD_ASSIGN(std::string range, extremesText(type, total, read));
  return out + range;
}

namespace {

/// What stands behind the `:` of a hole.
FormatSpec readSpec(std::string_view text) {
  FormatSpec spec;
  auto take = [&](std::string_view any) {
    const bool found = !text.empty() && any.find(text.front()) != std::string_view::npos;
    const char c = found ? text.front() : '\0';
    if (found) text.remove_prefix(1);
    return c;
  };
  auto number = [&] {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    return error == std::errc() ? value : 0;
  };
  spec.align = take("<>");
  spec.zeros = take("0") != '\0';
  spec.width = static_cast<size_t>(number());
  if (take(".")) spec.digits = number();
  spec.kind = take("xbes");
  return spec;
}

}  // namespace

Result<std::string> fillFormat(std::string_view format, size_t arguments, const AppendArgument& append) {
  std::string out;
  size_t next = 0;
  for (size_t at = 0; at < format.size(); ++at) {
    char c = format[at], following = at + 1 < format.size() ? format[at + 1] : '\0';
    if (c == '{' && (following == '}' || following == ':') && next < arguments) {
      const size_t end = std::min(format.find('}', at), format.size());
      RAD_TRY(append(next++, following == '}' ? FormatSpec{} : readSpec(format.substr(at + 2, end - at - 2)), out));
      at = end;
    } else {
      out += c;
      if ((c == '{' || c == '}') && following == c) ++at;
    }
  }
  return out;
}

size_t columnOf(std::string_view text) {
  size_t line = text.rfind('\n');
  std::string_view last = line == std::string_view::npos ? text : text.substr(line + 1);
  return static_cast<size_t>(
      std::ranges::count_if(last, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Numbers and strings: from their text to their value.
#include "frontend/parse/builder.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

namespace rad {
namespace {

constexpr std::string_view integerSuffixes[] = {"i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "index"};
constexpr std::string_view floatSuffixes[] = {"f16", "bf16", "f32", "f64", "f8e4m3", "f8e5m2"};

bool isIn(std::string_view text, auto& list) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

bool isDigit(char c, int base) {
  if (base == 16) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  return c >= '0' && c < '0' + base;
}

void appendUtf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

}  // namespace

ExprId Builder::number(Range range) {
  std::string_view text = textOf(range);
  int base = 10;
  size_t at = 0;
  if (text.size() > 1 && text[0] == '0') {
    char mark = text[1] | 0x20;
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 10;
    at = base == 10 ? 0 : 2;
    if (mark == 'o') {
      report(Diag::BadNumber, range, {std::string(text), "octal numbers cannot be written"})
          .help("write it in hexadecimal, `0x...`");
      return error(range);
    }
  }
  std::string digits;
  bool isFloat = false;
  auto takeDigits = [&] {
    for (; at < text.size() && (isDigit(text[at], base) || text[at] == '_'); ++at)
      if (text[at] != '_') digits += text[at];
  };
  takeDigits();
  if (base == 10) {
    if (at + 1 < text.size() && text[at] == '.') {
      isFloat = true;
      digits += text[at++];
      takeDigits();
    }
    size_t mark = at;
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
      size_t first = at + 1 < text.size() && (text[at + 1] == '+' || text[at + 1] == '-') ? at + 2 : at + 1;
      if (first < text.size() && isDigit(text[first], 10)) {
        isFloat = true;
        digits += 'e';
        if (text[mark + 1] == '-') digits += '-';
        at = first;
        takeDigits();
      }
    }
  }
  std::string_view suffix = text.substr(at);
  Range suffixRange{{range.begin.offset + static_cast<uint32_t>(at)}, range.end};
  if (digits.empty()) {
    report(Diag::BadNumber, range,
           {std::string(text), std::string("behind `") + std::string(text.substr(0, 2)) + "` stand digits"});
    return error(range);
  }
  if (base != 10 && !suffix.empty() && suffix[0] != 'i' && suffix[0] != 'u') {
    report(Diag::BadNumber, suffixRange,
           {std::string(text),
            std::string("`") + suffix[0] + "` is not a " + (base == 16 ? "hexadecimal" : "binary") + " digit"});
    return error(range);
  }
  if (suffix == "e" || suffix == "E") {
    report(Diag::BadNumber, range, {std::string(text), "the exponent has no digits"});
    return error(range);
  }
  bool integerSuffix = isIn(suffix, integerSuffixes), floatSuffix = base == 10 && isIn(suffix, floatSuffixes);
  if (!suffix.empty() && !floatSuffix && (!integerSuffix || isFloat)) {
    auto message = report(Diag::BadSuffix, suffixRange, {std::string(suffix)});
    std::vector<std::string_view> candidates;
    if (!isFloat) candidates.assign(std::begin(integerSuffixes), std::end(integerSuffixes));
    if (base == 10) candidates.insert(candidates.end(), std::begin(floatSuffixes), std::end(floatSuffixes));
    std::string near = nearestName(suffix, candidates);
    if (suffix == "f" || suffix == "F") near = "f32";
    if (suffix == "u" || suffix == "U") near = "u32";
    if (suffix == "l" || suffix == "L" || suffix == "ll" || suffix == "LL") near = isFloat ? "f64" : "i64";
    if (integerSuffix)
      message.help("convert it, `" + std::string(suffix) + "(" + std::string(text.substr(0, at)) +
                   ")`, or leave out the fraction");
    else if (!near.empty()) message.help("write `" + std::string(text.substr(0, at)) + near + "`");
    suffix = {};
    floatSuffix = false;
  }
  Symbol type = suffix.empty() ? Symbol{} : names_.intern(suffix);
  if (isFloat || floatSuffix) {
    double value = 0;
    auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failure == std::errc::result_out_of_range) {
      // Too small a number is zero; too big a one is an error.
      size_t exponent = digits.find('e');
      if (exponent != std::string::npos && digits[exponent + 1] == '-') value = 0;
      else if (digits.starts_with("0.")) value = 0;
      else {
        report(Diag::BadNumber, range, {std::string(text), "no floating-point type reaches that far"})
            .help("infinity is written `inf`");
        return error(range);
      }
    }
    return expr(range, FloatExpr{value, type});
  }
  IntExpr result;
  result.suffix = type;
  result.isHexOrBinary = base != 10;
  auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), result.value, base);
  result.tooBig = failure == std::errc::result_out_of_range;
  if (result.tooBig) result.value = UINT64_MAX;
  return expr(range, result);
}

uint32_t Builder::tuplePosition(Range range) {
  uint32_t value = 0;
  std::string_view text = textOf(range);
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || value > 0xFFFF) {
    report(Diag::BadNumber, range, {std::string(text), "no tuple is that long"});
    return 0;
  }
  return value;
}

std::string_view Builder::stringText(Range range) {
  std::string_view text = textOf(range);
  std::string value;
  auto bad = [&](size_t from, size_t to) {
    Range place{{range.begin.offset + static_cast<uint32_t>(from)}, {range.begin.offset + static_cast<uint32_t>(to)}};
    return report(Diag::BadEscape, place, {std::string(text.substr(from, to - from))});
  };
  for (size_t at = 1; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] != '\\') {
      value += text[at];
      continue;
    }
    size_t start = at++;
    if (at == text.size()) break;  // an unterminated string was reported
    switch (text[at]) {
      case 'n': value += '\n'; break;
      case 't': value += '\t'; break;
      case 'r': value += '\r'; break;
      case '0': value += '\0'; break;
      case '\\': value += '\\'; break;
      case '"': value += '"'; break;
      case 'u': {
        uint32_t code = 0;
        size_t close = at + 1 < text.size() && text[at + 1] == '{' ? text.find('}', at) : std::string_view::npos;
        if (close == std::string_view::npos) {
          bad(start, at + 1).help("a character's number is written `\\u{3c0}`");
          break;
        }
        auto [end, failure] = std::from_chars(text.data() + at + 2, text.data() + close, code, 16);
        if (failure != std::errc() || end != text.data() + close || code > 0x10FFFF ||
            (code >= 0xD800 && code < 0xE000))
          bad(start, close + 1).help("in the braces stands the hexadecimal number of a Unicode character");
        else appendUtf8(value, code);
        at = close;
        break;
      }
      default: {
        size_t end = at + 1;
        while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
        bad(start, end).help("a backslash itself is written `\\\\`");
        at = end - 1;
      }
    }
  }
  return ast_.text(value);
}

}  // namespace rad

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table's columns as functions, and the list of what was reported.
#include "frontend/diagnostics/diagnostics.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace rad {
namespace {

struct Row {
  std::string_view name, code;
  Severity severity;
  std::string_view text;
};

using enum Severity;
constexpr Row rows[] = {
#define DIAG(Name, Code, Level, Text) {#Name, Code, Level, Text},
#include "frontend/diagnostics/diagnostics.def"
};

constexpr bool codesAreUnique() {
  bool taken[10000] = {};
  for (const Row& row : rows) {
    size_t number = 0;  // of "R0123"
    for (char digit : row.code.substr(1)) number = 10 * number + static_cast<size_t>(digit - '0');
    if (taken[number]) return false;
    taken[number] = true;
  }
  return true;
}
static_assert(codesAreUnique(), "two rows of diagnostics.def have one code: take the next that is free");

const Row& rowOf(Diag diag) { return rows[static_cast<size_t>(diag)]; }

/// Fills the `{}` of a row's text in order; `{{` and `}}` are braces.
std::string fill(std::string_view text, const std::vector<std::string>& arguments) {
  std::string out;
  size_t next = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "{}") {
      if (next < arguments.size()) out += arguments[next++];
      ++i;
    } else if (text.substr(i, 2) == "{{" || text.substr(i, 2) == "}}") {
      out += text[i++];
    } else {
      out += text[i];
    }
  }
  return out;
}

constexpr size_t maxErrors = 100;

}  // namespace

std::string_view codeOf(Diag diag) { return rowOf(diag).code; }
std::string_view nameOf(Diag diag) { return rowOf(diag).name; }
std::optional<Diag> diagOf(std::string_view code) {
  for (size_t i = 0; i < std::size(rows); ++i)
    if (rows[i].code == code) return static_cast<Diag>(i);
  return std::nullopt;
}
Severity severityOf(Diag diag) { return rowOf(diag).severity; }

Diagnostics::Builder Diagnostics::report(Diag kind, Range range, std::vector<std::string> arguments) {
  // The same message at the same place is one mistake; only the recent past can hold it in practice, but the list is
  // short.
  for (const Diagnostic& d : all_)
    if (d.kind == kind && d.range == range && range.valid()) return {*this, Builder::npos};
  if (severityOf(kind) == Severity::Error && ++errors_ > maxErrors) return {*this, Builder::npos};
  all_.push_back({kind, range, fill(rowOf(kind).text, arguments), {}, {}});
  return {*this, all_.size() - 1};
}

void Diagnostics::retract(Diag kind, Range range) {
  auto it =
      std::find_if(all_.begin(), all_.end(), [&](const Diagnostic& d) { return d.kind == kind && d.range == range; });
  if (it == all_.end()) return;
  if (severityOf(kind) == Severity::Error) --errors_;
  all_.erase(it);
}

void Diagnostics::sortByPlace(size_t first) {
  if (first < all_.size())
    std::stable_sort(
        all_.begin() + static_cast<std::ptrdiff_t>(first), all_.end(),
        [](const Diagnostic& a, const Diagnostic& b) { return a.range.begin.offset < b.range.begin.offset; });
}

std::vector<std::pair<std::string_view, std::string_view>> allCodes() {
  std::vector<std::pair<std::string_view, std::string_view>> codes;
  for (const Row& row : rows) codes.push_back({row.code, row.name});
  std::sort(codes.begin(), codes.end());
  return codes;
}

std::string nearestName(std::string_view name, const std::vector<std::string_view>& candidates) {
  // Edit distance with adjacent swaps counted as one (Damerau's restricted form). A name is near when at most a third
  // of its letters differ.
  size_t limit = std::max<size_t>(1, name.size() / 3), best = limit + 1;
  std::string_view nearest;
  for (std::string_view candidate : candidates) {
    size_t difference =
        candidate.size() > name.size() ? candidate.size() - name.size() : name.size() - candidate.size();
    if (difference >= best || candidate == name) continue;
    std::vector<size_t> before(candidate.size() + 1), last(candidate.size() + 1), now(candidate.size() + 1);
    std::iota(last.begin(), last.end(), size_t{0});
    for (size_t i = 1; i <= name.size(); ++i) {
      now[0] = i;
      for (size_t j = 1; j <= candidate.size(); ++j) {
        now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (name[i - 1] != candidate[j - 1])});
        if (i > 1 && j > 1 && name[i - 1] == candidate[j - 2] && name[i - 2] == candidate[j - 1])
          now[j] = std::min(now[j], before[j - 2] + 1);
      }
      std::swap(before, last);
      std::swap(last, now);
    }
    size_t distance = last[candidate.size()];
    // A single letter that differs says nothing about a name of one letter.
    if (distance < best && distance < std::max<size_t>(name.size(), 2)) {
      best = distance;
      nearest = candidate;
    }
  }
  return std::string(nearest);
}

}  // namespace rad

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/launch/printed.h"

#include "runtime/launch/print_format.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace rad::rt {

std::string filledMessage(const cg::SiteManifest& site, std::span<const uint64_t> values,
                          std::span<const cg::CompoundManifest> compounds) {
  const size_t count = std::min(site.arguments.size(), values.size());
  auto text = fillFormat(site.message, count, [&](size_t i, const FormatSpec& spec, std::string& out) -> Result<void> {
    out += formatScalar(site.arguments[i], &values[i], spec, compounds);
    return {};
  });
  return text ? *std::move(text) : site.message;
}

std::vector<PrintedLineView> sortedLines(std::span<const uint64_t> words, uint32_t firstLaunch) {
  constexpr size_t headWords = sizeof(cg::PrintedLine) / sizeof(uint64_t);
  std::vector<PrintedLineView> lines;
  while (words.size() >= headWords) {
    cg::PrintedLine head;
    std::memcpy(&head, words.data(), sizeof head);
    if (head.words < headWords || head.words > words.size()) break;
    lines.push_back({head, words.subspan(headWords, head.words - headWords)});
    words = words.subspan(head.words);
  }
  // Serial numbers start again after 2^32 launches.
  std::ranges::stable_sort(lines, {}, [&](const PrintedLineView& line) {
    return std::pair(line.head.launch - firstLaunch, line.head.position);
  });
  return lines;
}

}  // namespace rad::rt

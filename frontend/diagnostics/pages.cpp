// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pages of `raddle explain`, apart from the table of messages: only this file is compiled again when a page
// changes.
#include "frontend/diagnostics/diagnostics.h"

#include <array>

namespace rad {
namespace {

struct Page {
  Diag diag;
  std::string_view text;
};
constexpr Page pages[] = {
#define PAGE(Name, Text) {Diag::Name, Text},
#include "frontend/diagnostics/pages.def"
};
constexpr size_t kinds = 0
#define DIAG(Name, Code, Level, Text) +1
#include "frontend/diagnostics/diagnostics.def"
    ;

/// The page of each kind, in the order of the kinds; empty where there is none.
constexpr std::array<std::string_view, kinds> sortedPages() {
  std::array<std::string_view, kinds> sorted;
  for (const Page& page : pages) sorted[static_cast<size_t>(page.diag)] = page.text;
  return sorted;
}
constexpr std::array<std::string_view, kinds> pageOf = sortedPages();

constexpr bool allHavePages() {
  for (std::string_view page : pageOf)
    if (page.empty()) return false;
  return true;
}
static_assert(std::size(pages) == kinds && allHavePages(), "each row of diagnostics.def needs one page in pages.def");

}  // namespace

std::string explain(std::string_view code) {
  std::optional<Diag> diag = diagOf(code);
  if (!diag) return {};
  std::string_view page = pageOf[static_cast<size_t>(*diag)];
  while (page.starts_with('\n')) page.remove_prefix(1);
  while (page.ends_with('\n') || page.ends_with(' ')) page.remove_suffix(1);
  return std::string(code) + ": " + std::string(nameOf(*diag)) + "\n\n" + std::string(page) + "\n";
}

}  // namespace rad

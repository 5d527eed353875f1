// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/raddle/commands.h"

#include <fmt/format.h>

namespace rad::tool {

int explainCode(const std::string& code) {
  if (code.empty()) {
    for (const auto& [each, name] : allCodes()) fmt::print("{} {}\n", each, name);
    return exitOk;
  }
  auto page = explain(code);
  if (page.empty()) {
    fmt::print(stderr, "raddle: there is no message {}; codes look like R0123 and stand in brackets behind `error`\n",
               code);
    return exitUsage;
  }
  fmt::print("{}{}", page, page.ends_with('\n') ? "" : "\n");
  return exitOk;
}

}  // namespace rad::tool

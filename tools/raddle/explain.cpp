// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/raddle/commands.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace rad::tool {

int explainCode(const std::string& code, bool json) {
  using Json = nlohmann::ordered_json;
  auto print = [](const Json& all) { fmt::print("{}\n", all.dump(2, ' ', false, Json::error_handler_t::replace)); };
  const auto codes = allCodes();
  if (code.empty()) {
    Json list = Json::array();
    for (const auto& [each, name] : codes)
      if (json) list.push_back({{"code", each}, {"name", name}});
      else fmt::print("{} {}\n", each, name);
    if (json) print({{"codes", list}});
    return exitOk;
  }
  auto page = explain(code);
  if (page.empty())
    return refuse(exitUsage, fmt::format("there is no message {}; codes look like R0123 and stand in brackets behind "
                                         "`error`",
                                         code));
  if (json) {
    Json object{{"code", code}};
    for (const auto& [each, name] : codes)
      if (each == code) object["name"] = name;
    object["page"] = page;
    print(object);
    return exitOk;
  }
  fmt::print("{}{}", page, page.ends_with('\n') ? "" : "\n");
  return exitOk;
}

}  // namespace rad::tool

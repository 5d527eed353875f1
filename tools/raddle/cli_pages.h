// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is made from the table of options (main.cpp) beside the parser: completions for shells, the manual page.
#pragma once

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace rad::tool {

/// A script that makes a shell complete the command: "bash", "zsh" or "fish".
std::string shellCompletions(const CLI::App& app, std::string_view shell);
/// The manual page raddle(1), for man.
std::string manualPage(const CLI::App& app);

}  // namespace rad::tool

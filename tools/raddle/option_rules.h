// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every option does what it says or is refused: none is left out of account without a word.
#pragma once

#include "tools/raddle/commands.h"

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace rad::tool {

/// What is wrong with the options that were given to a command, as they stand together; empty: nothing. `app` is the
/// command, after it was parsed.
std::string wrongTogether(const CLI::App& app, const CommonOptions& options);
std::string wrongTogether(const CLI::App& app, const RunCommand& command);
std::string wrongTogether(const CLI::App& app, const TestCommand& command);
std::string wrongTogether(const CLI::App& app, const BuildCommand& command);
/// Options in front of the command: they belong to a session.
std::string wrongInFront(const CLI::App& app, const CLI::App& command);
/// Why the command line could not be parsed.
std::string whyNotParsed(const CLI::App& app, std::string_view parserSays);

}  // namespace rad::tool

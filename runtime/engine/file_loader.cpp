// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files for imports.
#include "runtime/engine/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace rad::rt {
namespace {

namespace fs = std::filesystem;

/// The programs in and below the folder of the importing file, as an import there would write them.
std::vector<std::string> programsNear(const fs::path& folder) {
  constexpr int maxDepth = 2;
  constexpr size_t maxEntries = 2000;
  std::vector<std::string> found;
  std::error_code error;
  fs::recursive_directory_iterator it(folder.empty() ? fs::path(".") : folder,
                                      fs::directory_options::skip_permission_denied, error);
  for (size_t entries = 0; !error && it != fs::recursive_directory_iterator() && entries < maxEntries;
       it.increment(error), ++entries) {
    if (it.depth() >= maxDepth || it->path().filename().string().starts_with('.')) it.disable_recursion_pending();
    std::error_code ignored;
    if (it->path().extension() == ".rad" && it->is_regular_file(ignored))
      found.push_back(it->path().lexically_relative(folder.empty() ? fs::path(".") : folder).generic_string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::expected<ImportedFile, ImportFailure> load(std::string_view path, std::string_view fromFile) {
  // Texts that are no files ("<stdin>", "<entry 3>") stand in the current folder.
  const fs::path folder = fs::path(fromFile).parent_path();
  const fs::path full = (folder / path).lexically_normal();
  std::error_code error;
  const auto status = fs::status(full, error);
  auto refuse = [&](std::string reason) {
    return std::unexpected(ImportFailure{std::move(reason), programsNear(folder)});
  };
  if (path.empty()) return refuse("the path is empty");
  if (status.type() == fs::file_type::not_found) return refuse(fmt::format("there is no file {}", full.string()));
  if (status.type() == fs::file_type::directory) return refuse(fmt::format("{} is a folder", full.string()));
  if (status.type() != fs::file_type::regular)
    return refuse(error ? fmt::format("{}: {}", full.string(), error.message())
                        : fmt::format("{} is not a regular file", full.string()));
  auto text = readFile(full.string());
  if (!text) return refuse(text.error().message);
  return ImportedFile{full.string(), fs::weakly_canonical(full, error).string(), std::move(*text)};
}

}  // namespace

FileLoader fileLoader() {
  auto identity = [](std::string_view file) {
    std::error_code error;
    return fs::weakly_canonical(fs::absolute(fs::path(file), error), error).string();
  };
  return {load, identity};
}

}  // namespace rad::rt

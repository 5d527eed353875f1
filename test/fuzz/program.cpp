// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/fuzz/program.h"

#include "runtime/engine/embedded.h"

#include <string_view>
#include <vector>

namespace rad::fuzz {
namespace {

std::span<const LibraryText> library() {
  static const std::vector<LibraryText> modules = [] {
    std::vector<LibraryText> result;
    for (const EmbeddedFile& file : embeddedStdlib()) {
      std::string_view name = file.name;
      if (name.ends_with(".rad")) name.remove_suffix(4);
      result.push_back({name, file.text});
    }
    return result;
  }();
  return modules;
}

FileLoader noFiles() {
  return {[](std::string_view, std::string_view) -> std::expected<ImportedFile, ImportFailure> {
            return std::unexpected(ImportFailure{"there are no files here", {}});
          },
          [](std::string_view file) { return std::string(file); }};
}

}  // namespace

void fail(const char* target, const std::string& what) {
  std::fprintf(stderr, "%s: %s\n", target, what.c_str());
  std::abort();
}

Program::Program(const uint8_t* data, size_t size, bool allKernels) {
  file = sources.add("fuzz.rad", std::string(reinterpret_cast<const char*>(data), size));
  session.emplace(sources, names, library(), noFiles());
  session->setBuildAllKernels(allKernels);
  Ast ast = parse(file, sources, names, diagnostics);
  typed = session->check(std::move(ast), diagnostics);
}

}  // namespace rad::fuzz

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/dynlib/toolkit_discovery.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <mutex>

namespace rad::rt {
namespace {

namespace fs = std::filesystem;

struct Choice {
  std::mutex mutex;
  std::string directory;
};
Choice& choice() {
  static Choice* const instance = new Choice;
  return *instance;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// Collects folders that exist, each once.
class Places {
 public:
  void add(const fs::path& directory, std::string_view origin) {
    std::error_code ignored;
    if (directory.empty() || !fs::is_directory(directory, ignored)) return;
    fs::path real = fs::canonical(directory, ignored);
    const std::string key = real.empty() ? directory.string() : real.string();
    if (std::find(seen_.begin(), seen_.end(), key) != seen_.end()) return;
    seen_.push_back(key);
    found_.push_back({directory.string(), std::string(origin)});
  }
  std::vector<ToolkitPlace> take() { return std::move(found_); }

 private:
  std::vector<std::string> seen_;
  std::vector<ToolkitPlace> found_;
};

enum class Kind { Libraries, Programs };

/// The folders of one toolkit, or of one site-packages folder.
void addRoot(Places& places, const fs::path& root, std::string_view origin, Kind kind) {
  if (root.empty()) return;
  if (kind == Kind::Libraries) {
    places.add(root / "lib64", origin);
    places.add(root / "lib", origin);
    places.add(root / "nvidia/cu13/lib", origin);
    places.add(root / "cu13/lib", origin);
  } else {
    places.add(root / "bin", origin);
    places.add(root / "nvidia/cu13/bin", origin);
    places.add(root / "cu13/bin", origin);
    places.add(root / "../bin", origin);  // root is a lib folder
  }
}

/// PREFIX/lib/python3*/site-packages (and dist-packages), newest Python first.
void addPrefix(std::vector<fs::path>& out, const fs::path& prefix) {
  std::vector<fs::path> found;
  for (const char* lib : {"lib", "lib64"}) {
    std::error_code error;
    for (fs::directory_iterator it(prefix / lib, error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (!name.starts_with("python3")) continue;
      found.push_back(it->path() / "site-packages");
      found.push_back(it->path() / "dist-packages");
    }
  }
  std::sort(found.rbegin(), found.rend());
  out.insert(out.end(), found.begin(), found.end());
}

std::vector<std::string> splitPath(const std::string& list) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  while (begin <= list.size()) {
    std::size_t end = std::min(list.find(':', begin), list.size());
    if (end > begin) out.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

/// Every folder below `parent`, as prefixes of Python installations.
void addChildren(std::vector<fs::path>& out, const fs::path& parent) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(parent, error), end; !error && it != end; it.increment(error))
    found.push_back(it->path());
  std::sort(found.rbegin(), found.rend());
  for (const fs::path& path : found) addPrefix(out, path);
}

/// The site-packages folders of the Python environments in sight, the ones the
/// user most likely means first. Nothing is run.
std::vector<fs::path> sitePackages() {
  std::vector<fs::path> out;
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"})
    if (std::string prefix = variable(name); !prefix.empty()) addPrefix(out, prefix);
  for (const std::string& entry : splitPath(variable("PYTHONPATH"))) out.push_back(entry);
  for (const std::string& entry : splitPath(variable("PATH"))) {
    std::error_code error;
    const fs::path python = fs::path(entry) / "python3";
    if (!fs::exists(python, error)) continue;
    addPrefix(out, fs::path(entry).parent_path());
    const fs::path real = fs::canonical(python, error);
    if (!error) addPrefix(out, real.parent_path().parent_path());
  }
  const std::string home = variable("HOME");
  std::string pyenv = variable("PYENV_ROOT");
  if (pyenv.empty() && !home.empty()) pyenv = home + "/.pyenv";
  if (!pyenv.empty()) addChildren(out, pyenv + "/versions");
  if (!home.empty()) addPrefix(out, home + "/.local");
  addPrefix(out, "/usr/local");
  out.push_back("/usr/lib/python3/dist-packages");
  addPrefix(out, "/opt");
  addChildren(out, "/opt");
  return out;
}

/// The wheels that a build of Raddle installed beside itself: deps/cuda in a
/// folder above the running program.
void addBuildTree(Places& places, Kind kind) {
  std::error_code error;
  fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (int level = 0; level < 4 && !error && !folder.empty(); ++level) {
    addRoot(places, folder / "deps/cuda", "Raddle's build folder", kind);
    if (folder == folder.root_path()) break;
    folder = folder.parent_path();
  }
}

std::vector<ToolkitPlace> search(Kind kind) {
  Places places;
  std::string chosen;
  {
    Choice& c = choice();
    std::lock_guard lock(c.mutex);
    chosen = c.directory;
  }
  std::string_view origin = "--toolkit";
  if (chosen.empty()) {
    chosen = variable("RADDLE_TOOLKIT");
    origin = "RADDLE_TOOLKIT";
  }
  if (!chosen.empty()) {
    addRoot(places, chosen, origin, kind);
    places.add(chosen, origin);
    if (kind == Kind::Libraries) return places.take();
  }
  addRoot(places, variable("CUDA_HOME"), "CUDA_HOME", kind);
  addRoot(places, variable("CUDA_PATH"), "CUDA_PATH", kind);
  addRoot(places, "/usr/local/cuda", "/usr/local/cuda", kind);
  addBuildTree(places, kind);
  for (const fs::path& site : sitePackages()) {
    const fs::path wheels = site / "nvidia/cu13";
    places.add(wheels / (kind == Kind::Libraries ? "lib" : "bin"), "Python wheels");
  }
  if (kind == Kind::Programs)
    for (const std::string& entry : splitPath(variable("PATH"))) places.add(entry, "PATH");
  return places.take();
}

}  // namespace

void setToolkitDirectory(std::string directory) {
  Choice& c = choice();
  std::lock_guard lock(c.mutex);
  c.directory = std::move(directory);
}

std::vector<ToolkitPlace> toolkitLibraryPlaces() { return search(Kind::Libraries); }

std::vector<ToolkitPlace> toolkitProgramPlaces() { return search(Kind::Programs); }

std::optional<ToolkitFile> findToolkitLibrary(std::string_view fileName) {
  for (const ToolkitPlace& place : toolkitLibraryPlaces()) {
    const fs::path path = fs::path(place.directory) / fileName;
    std::error_code error;
    if (fs::is_regular_file(path, error)) return ToolkitFile{path.string(), place.origin};
  }
  return std::nullopt;
}

std::optional<ToolkitFile> findToolkitProgram(std::string_view name) {
  for (const ToolkitPlace& place : toolkitProgramPlaces()) {
    const fs::path path = fs::path(place.directory) / name;
    std::error_code error;
    if (fs::is_regular_file(path, error) && access(path.c_str(), X_OK) == 0)
      return ToolkitFile{path.string(), place.origin};
  }
  return std::nullopt;
}

Result<DynamicLibrary> openToolkitLibrary(std::string_view fileName, std::string_view component,
                                          std::string_view purpose, std::string_view wheel) {
  Error error;
  error.category = ErrorCategory::System;
  if (auto found = findToolkitLibrary(fileName)) {
    auto library = DynamicLibrary::open(found->path);
    if (library) return library;
    error.message = std::string(purpose) + " needs " + std::string(component) + ", and '" + found->path +
                    "' (found by " + found->origin + ") cannot be loaded";
    error.advice =
        "Repair that installation, or name another one with "
        "--toolkit DIR.";
    error.log = library.error().log;
    return fail(std::move(error));
  }
  const std::vector<ToolkitPlace> places = toolkitLibraryPlaces();
  const bool chosen =
      (!places.empty() && (places.front().origin == "--toolkit" || places.front().origin == "RADDLE_TOOLKIT")) ||
      !variable("RADDLE_TOOLKIT").empty();
  if (!chosen)
    if (auto library = DynamicLibrary::open(std::string(fileName))) return library;
  error.message = std::string(purpose) + " needs " + std::string(component) + " (" + std::string(fileName) +
                  "), which was not found";
  error.advice = "Install it with 'pip install " + std::string(wheel) +
                 "' or a CUDA 13 toolkit, or name its folder with --toolkit "
                 "DIR.";
  for (const ToolkitPlace& place : places) error.log += (error.log.empty() ? "looked in: " : ", ") + place.directory;
  return fail(std::move(error));
}

}  // namespace rad::rt

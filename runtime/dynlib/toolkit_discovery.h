// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Finds the parts of a CUDA Toolkit that Raddle uses and does not carry: shared
/// libraries (nvJitLink, NVRTC, nvFatbin) and programs (nvdisasm).

#include "runtime/base/dynamic_library.h"
#include "runtime/base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rad::rt {

/// A folder to look in, and why.
struct ToolkitPlace {
  std::string directory;
  std::string origin;  ///< "--toolkit", "CUDA_HOME", "Python wheels", ...
};

/// A file that was found.
struct ToolkitFile {
  std::string path;
  std::string origin;
};

/// The folder named by --toolkit: a toolkit, its lib folder, or a Python
/// environment's site-packages. Libraries are then looked for there only. Empty
/// restores the default search. Thread-safe.
void setToolkitDirectory(std::string directory);

/// The folders with libraries, in order: --toolkit, or else RADDLE_TOOLKIT (each
/// of the two alone when given); CUDA_HOME, CUDA_PATH, /usr/local/cuda, Python
/// wheels (nvidia/cu13/lib) of the environments in sight. Only folders that
/// exist. Reads the file system; runs nothing.
std::vector<ToolkitPlace> toolkitLibraryPlaces();

/// The folders with programs: the same toolkits' bin folders, then PATH.
std::vector<ToolkitPlace> toolkitProgramPlaces();

/// The library of this file name ("libnvJitLink.so.13") in one of the places.
std::optional<ToolkitFile> findToolkitLibrary(std::string_view fileName);

/// The program of this name ("nvdisasm") in one of the places.
std::optional<ToolkitFile> findToolkitProgram(std::string_view name);

/// Opens the library: from the places, or else where the loader finds it. The
/// failure says what `component` ("nvJitLink") is for, where it was looked for,
/// and how to get it (`wheel` is its PyPI package).
Result<DynamicLibrary> openToolkitLibrary(std::string_view fileName, std::string_view component,
                                          std::string_view purpose, std::string_view wheel);

}  // namespace rad::rt

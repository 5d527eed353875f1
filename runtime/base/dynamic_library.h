// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Shared libraries opened while the program runs.

#include "runtime/base/result.h"

#include <string>

namespace rad::rt {

/// A shared library that stays loaded until the process ends. It is a handle to
/// copy freely: nothing is ever unloaded, because the libraries we open keep
/// thread pools and exit handlers of their own. Thread-safe.
class DynamicLibrary {
 public:
  /// Opens `name`: a path, or a bare file name for the loader's own search.
  /// The failure (System) carries the loader's text in `log`.
  static Result<DynamicLibrary> open(const std::string& name);

  /// The address of an exported symbol, or null when there is none.
  void* symbol(const char* name) const;

  /// The file that was loaded, as the loader knows it.
  const std::string& path() const { return path_; }

 private:
  DynamicLibrary(void* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  void* handle_ = nullptr;
  std::string path_;
};

}  // namespace rad::rt

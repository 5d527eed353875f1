// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/base/dynamic_library.h"

#include <dlfcn.h>
#include <link.h>

namespace rad::rt {

Result<DynamicLibrary> DynamicLibrary::open(const std::string& name) {
  if (name.empty()) return fail(ErrorCategory::System, "the name of a shared library is empty");
  void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char* text = dlerror();
    Error error;
    error.category = ErrorCategory::System;
    error.message = "cannot load the shared library '" + name + "'";
    error.log = text ? text : "";
    return fail(std::move(error));
  }
  std::string path = name;
  link_map* map = nullptr;
  if (dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map && map->l_name && *map->l_name) path = map->l_name;
  return DynamicLibrary(handle, std::move(path));
}

void* DynamicLibrary::symbol(const char* name) const { return dlsym(handle_, name); }

}  // namespace rad::rt

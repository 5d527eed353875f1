// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/dynlib/component_api.h"

#include "runtime/dynlib/toolkit_discovery.h"

#include <mutex>

namespace rad::rt {
namespace {

struct Component {
  const char* file;
  const char* name;
  const char* purpose;
  const char* wheel;
};

std::unexpected<Error> unfit(const Component& component, const std::string& path, const std::string& what) {
  return fail(
      ErrorCategory::System, "the " + std::string(component.name) + " library '" + path + "' cannot be used: " + what,
      "Install CUDA 13 or 'pip install " + std::string(component.wheel) + "', or name its folder with --toolkit DIR.");
}

/// Looks up one symbol; false when it is missing.
template <class Function>
bool bind(const DynamicLibrary& library, const char* name, Function*& out) {
  out = reinterpret_cast<Function*>(library.symbol(name));
  return out != nullptr;
}

/// Opens a component once; failures are tried again.
template <class Api, class Fill>
Result<const Api*> once(const Component& component, Fill fill) {
  static std::mutex* const mutex = new std::mutex;
  static const Api* loaded = nullptr;
  std::lock_guard lock(*mutex);
  if (loaded) return loaded;
  auto library = openToolkitLibrary(component.file, component.name, component.purpose, component.wheel);
  if (!library) return fail(std::move(library).error());
  Api* api = new Api;
  api->path = library->path();
  if (const char* missing = fill(*library, *api)) {
    auto failure = unfit(component, library->path(), "it has no function " + std::string(missing));
    delete api;
    return failure;
  }
  loaded = api;
  return loaded;
}

}  // namespace

Result<const NvJitLinkApi*> NvJitLinkApi::get() {
  static constexpr Component component = {"libnvJitLink.so.13", "nvJitLink", "linking device code", "nvidia-nvjitlink"};
  auto api = once<NvJitLinkApi>(component, [](const DynamicLibrary& library, NvJitLinkApi& api) -> const char* {
#define RAD_NVJITLINK_FN(name, result, arguments) \
  if (!bind(library, "nvJitLink" #name, api.name)) return "nvJitLink" #name;
#include "runtime/dynlib/nvjitlink.def"
    api.Version(&api.major, &api.minor);
    return nullptr;
  });
  if (api && ((*api)->major < 12 || ((*api)->major == 12 && (*api)->minor < 3)))
    return unfit(component, (*api)->path, "it is older than 12.3");
  return api;
}

Result<const NvrtcApi*> NvrtcApi::get() {
  static constexpr Component component = {"libnvrtc.so.13", "NVRTC", "compiling CUDA C++", "nvidia-cuda-nvrtc"};
  return once<NvrtcApi>(component, [](const DynamicLibrary& library, NvrtcApi& api) -> const char* {
#define RAD_NVRTC_FN(name, result, arguments) \
  if (!bind(library, "nvrtc" #name, api.name)) return "nvrtc" #name;
#include "runtime/dynlib/nvrtc.def"
    int major = 0, minor = 0;
    api.Version(&major, &minor);
    api.major = static_cast<unsigned>(major);
    api.minor = static_cast<unsigned>(minor);
    return nullptr;
  });
}

Result<const NvFatbinApi*> NvFatbinApi::get() {
  static constexpr Component component = {"libnvfatbin.so.13", "nvFatbin", "packing device code", "nvidia-nvfatbin"};
  return once<NvFatbinApi>(component, [](const DynamicLibrary& library, NvFatbinApi& api) -> const char* {
#define RAD_NVFATBIN_FN(name, result, arguments) \
  if (!bind(library, "nvFatbin" #name, api.name)) return "nvFatbin" #name;
#include "runtime/dynlib/nvfatbin.def"
    api.Version(&api.major, &api.minor);
    return nullptr;
  });
}

}  // namespace rad::rt

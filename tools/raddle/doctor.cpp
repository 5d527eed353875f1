// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/dynlib/toolkit_discovery.h"
#include "runtime/engine/devices.h"
#include "runtime/engine/embedded.h"
#include "runtime/toolkit/assemble.h"
#include "tools/raddle/commands.h"
#if RADDLE_HAVE_CUDA
#include "runtime/dynlib/driver_api.h"
#endif

#include <fmt/format.h>
#include <llvm/ADT/StringRef.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/TargetParser/Host.h>
#include <nlohmann/json.hpp>

#include <cstdlib>

namespace rad::tool {
namespace {

using Json = nlohmann::ordered_json;

Json deviceEntry(const rt::DeviceInfo& info) {
  Json entry;
  entry["id"] = info.id;
  entry["name"] = info.name;
  if (info.kind == rt::DeviceKind::Cuda) {
    auto target = rt::targetOf(info);
    entry["target"] = target ? target->target : target.error().message;
    entry["multiprocessors"] = info.multiprocessors;
    entry["memoryBytes"] = info.memoryBytes;
    entry["driver"] = fmt::format("{}.{}", info.driverVersion / 1000, info.driverVersion % 1000 / 10);
  } else {
    entry["threads"] = info.multiprocessors;
  }
  return entry;
}

Json library(std::string_view fileName) {
  Json entry;
  auto found = rt::findToolkitLibrary(fileName);
  entry["found"] = found.has_value();
  if (found) {
    entry["path"] = found->path;
    entry["from"] = found->origin;
  }
  return entry;
}

Json collect() {
  Json all;
  all["raddle"] = RADDLE_VERSION;
  all["llvm"] = LLVM_VERSION_STRING;
  if (auto assembler = rt::assemblerInfo()) {
    all["ptxAssembler"] = {{"found", true},
                           {"version", fmt::format("{}.{}", assembler->major, assembler->minor)},
                           {"newestPtx", fmt::format("{}.{}", assembler->ptxMajor, assembler->ptxMinor)}};
  } else {
    all["ptxAssembler"] = {{"found", false}, {"reason", assembler.error().message}};
  }
  all["libdevice"] = !embeddedLibdevice().empty();
  all["nvJitLink"] = library("libnvJitLink.so.13");
  all["nvrtc"] = library("libnvrtc.so.13");
  auto disassembler = rt::findToolkitProgram("nvdisasm");
  all["nvdisasm"] = disassembler ? Json{{"found", true}, {"path", disassembler->path}} : Json{{"found", false}};
  all["cacheFolder"] = rt::ImageCache::defaultFolder();
  all["hostCpu"] = llvm::sys::getHostCPUName().str();

  Json devices = Json::array();
  if (auto host = rt::openDevice({"host"})) devices.push_back(deviceEntry((*host)->info()));
  Json cuda;
  cuda["usable"] = false;
  for (int i = 0;; ++i) {
    auto device = rt::openDevice({fmt::format("cuda:{}", i)});
    if (!device) {
      if (i == 0) cuda["reason"] = device.error().render();
      break;
    }
    cuda["usable"] = true;
    devices.push_back(deviceEntry((*device)->info()));
  }
  all["cuda"] = cuda;
  all["devices"] = devices;

  Json variables = Json::object();
  for (const char* name : {"RADDLE_CUDA_DRIVER", "RADDLE_TOOLKIT", "RADDLE_THREADS", "RADDLE_CACHE_DIR", "CUDA_HOME",
                           "CUDA_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_LAUNCH_BLOCKING", "CUDA_MODULE_LOADING",
                           "CUDA_FORCE_PTX_JIT", "CUDA_DISABLE_PTX_JIT", "CUDA_FORCE_JIT", "CUDA_DISABLE_JIT",
                           "CUDA_CACHE_DISABLE", "CUDA_CACHE_PATH", "CUDA_LOG_FILE"})
    if (const char* value = std::getenv(name)) variables[name] = value;
  all["environment"] = variables;
  return all;
}

std::string where(const Json& entry, std::string_view otherwise) {
  if (!entry["found"].get<bool>()) return std::string(otherwise);
  return fmt::format("{} ({})", entry["path"].get<std::string>(), entry.value("from", std::string("PATH")));
}

}  // namespace

int doctor(bool json) {
  auto all = collect();
  if (json) {
    fmt::print("{}\n", all.dump(2));
    return exitOk;
  }
  auto line = [](std::string_view name, std::string_view value) { fmt::print("{:<14} {}\n", name, value); };
  line("raddle", all["raddle"].get<std::string>());
  line("LLVM", all["llvm"].get<std::string>());
  const auto& assembler = all["ptxAssembler"];
  line("PTX assembler", assembler["found"].get<bool>()
                            ? fmt::format("nvPTXCompiler {}, PTX up to {}", assembler["version"].get<std::string>(),
                                          assembler["newestPtx"].get<std::string>())
                            : fmt::format("none: {}", assembler["reason"].get<std::string>()));
  line("libdevice", all["libdevice"].get<bool>() ? "built in" : "none: sin, exp and their kin do not compile for GPUs");
  line("nvJitLink", where(all["nvJitLink"],
                          "not found: --link does not work; install a CUDA 13 Toolkit or the wheel nvidia-nvjitlink, "
                          "or pass --toolkit DIR"));
  line("NVRTC", where(all["nvrtc"], "not found: nothing needs it to run"));
  line("nvdisasm", where(all["nvdisasm"], "not found: --emit=sass does not work"));
  line("cache", all["cacheFolder"].get<std::string>().empty() ? "none: neither XDG_CACHE_HOME nor HOME is set"
                                                              : all["cacheFolder"].get<std::string>());
  line("host CPU", all["hostCpu"].get<std::string>());
  for (const auto& device : all["devices"]) {
    std::string text = device["name"].get<std::string>();
    if (device.contains("target"))
      text += fmt::format(", {}, {} multiprocessors, {:.1f} GiB, driver CUDA {}", device["target"].get<std::string>(),
                          device["multiprocessors"].get<int>(), device["memoryBytes"].get<double>() / (1 << 30),
                          device["driver"].get<std::string>());
    line(device["id"].get<std::string>(), text);
  }
  if (!all["cuda"]["usable"].get<bool>())
    line("cuda", fmt::format("not usable: {}", all["cuda"].value("reason", std::string("no device"))));
  for (const auto& [name, value] : all["environment"].items()) line(name, value.get<std::string>());
  return exitOk;
}

}  // namespace rad::tool

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tier 3: images, libraries, kernels. Nothing is compiled or run: a cubin is
// read for its kernels, PTX text is looked through.

#include "test/fakes/fake_state.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>

using namespace fake;

namespace {

/// How far a cubin's section table and everything before it reach. The driver
/// gets an image without a size.
std::size_t sizeOfElf(const unsigned char* image) {
  std::uint64_t sections = 0, programs = 0;
  std::uint16_t sectionBytes = 0, sectionCount = 0, programBytes = 0, programCount = 0;
  std::memcpy(&programs, image + 32, 8);
  std::memcpy(&sections, image + 40, 8);
  std::memcpy(&programBytes, image + 54, 2);
  std::memcpy(&programCount, image + 56, 2);
  std::memcpy(&sectionBytes, image + 58, 2);
  std::memcpy(&sectionCount, image + 60, 2);
  constexpr std::uint64_t most = std::uint64_t(1) << 30;
  const std::uint64_t end = std::max(sections + std::uint64_t(sectionBytes) * sectionCount,
                                     programs + std::uint64_t(programBytes) * programCount);
  return end < most ? std::size_t(end) : 0;
}

/// Whether a plain cubin for `sm` runs on the device.
bool runsOn(unsigned sm, const Preset& preset) { return int(sm / 10) == preset.major && int(sm % 10) <= preset.minor; }

void loadCubin(Library& library, const unsigned char* image) {
  const std::size_t size = sizeOfElf(image);
  auto info = rad::rt::readCubin({reinterpret_cast<const std::byte*>(image), size}, "image");
  if (!info) {
    library.verdict = CUDA_ERROR_INVALID_IMAGE;
    library.log = info.error().message;
    return;
  }
  if (!runsOn(info->sm, *world().config.preset)) {
    library.verdict = CUDA_ERROR_NO_BINARY_FOR_GPU;
    library.log = "no binary for this device: the image is for sm_" + std::to_string(info->sm);
    return;
  }
  bool open = false;
  for (const rad::rt::CubinSymbol& symbol : info->symbols) {
    static constexpr std::string_view provided[] = {"vprintf", "malloc", "free", "__assertfail"};
    if (symbol.defined || symbol.weak || symbol.kind != rad::rt::CubinSymbol::Kind::Function) continue;
    open |= std::find(std::begin(provided), std::end(provided), symbol.name) == std::end(provided);
  }
  for (const rad::rt::CubinKernel& found : info->kernels) {
    auto kernel = std::make_unique<Kernel>();
    kernel->library = &library;
    kernel->info = found;
    kernel->openExtern = open;
    library.kernels.push_back(std::move(kernel));
  }
  for (const rad::rt::CubinSymbol& symbol : info->symbols)
    if (symbol.defined && symbol.kind == rad::rt::CubinSymbol::Kind::Variable)
      library.globals.emplace(symbol.name, nullptr);
}

/// The word after a directive of PTX, or nothing.
std::string_view wordAfter(std::string_view text, std::string_view directive, std::size_t from = 0) {
  std::size_t at = text.find(directive, from);
  if (at == std::string_view::npos) return {};
  at = text.find_first_not_of(" \t", at + directive.size());
  if (at == std::string_view::npos) return {};
  return text.substr(at, text.find_first_of(" \t\r\n,(", at) - at);
}

/// The newest PTX that a driver of a version reads: 9.0 for 13.0, 8.8 for 12.9.
int newestPtx(int version) {
  const int major = version / 1000, minor = version % 1000 / 10;
  if (major >= 13) return 90 + minor;
  static constexpr int twelve[] = {80, 81, 82, 83, 84, 85, 85, 86, 87, 88};
  return major == 12 ? twelve[std::min(minor, 9)] : 78;
}

std::uint32_t sizeOfParam(std::string_view declaration) {
  std::uint32_t bytes = 4;
  for (std::string_view type : {"64", "32", "16", "8"})
    for (char kind : {'u', 's', 'b', 'f'})
      if (declaration.find('.' + std::string(1, kind) + std::string(type)) != std::string_view::npos) {
        unsigned bits = 0;
        std::from_chars(type.data(), type.data() + type.size(), bits);
        bytes = bits / 8;
        if (std::size_t open = declaration.find('['); open != std::string_view::npos) {
          std::uint32_t count = 0;
          std::from_chars(declaration.data() + open + 1, declaration.data() + declaration.size(), count);
          bytes *= count;
        }
        return bytes;
      }
  return bytes;
}

void loadPtx(Library& library, std::string_view text) {
  const std::string_view version = wordAfter(text, ".version");
  int major = 0, minor = 0;
  if (std::size_t dot = version.find('.'); dot != std::string_view::npos) {
    std::from_chars(version.data(), version.data() + dot, major);
    std::from_chars(version.data() + dot + 1, version.data() + version.size(), minor);
  }
  if (major == 0) {
    library.verdict = CUDA_ERROR_INVALID_IMAGE;
    return;
  }
  const int newest = newestPtx(world().config.version);
  if (major * 10 + minor > newest) {
    library.verdict = CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
    library.log = "Unsupported .version " + std::string(version);
    return;
  }
  std::string_view target = wordAfter(text, ".target");
  int sm = 0;
  if (target.starts_with("sm_")) std::from_chars(target.data() + 3, target.data() + target.size(), sm);
  const Preset& preset = *world().config.preset;
  if (text.find("FAKE_BAD_PTX") != std::string_view::npos || sm == 0 || sm > preset.major * 10 + preset.minor) {
    library.verdict = CUDA_ERROR_INVALID_PTX;
    library.log =
        "ptxas application ptx input, line 7; error   : prepared by "
        "the fake driver";
    return;
  }
  constexpr std::string_view global = ".visible .global";
  for (std::size_t at = text.find(global); at != std::string_view::npos; at = text.find(global, at + 1)) {
    std::string_view line = text.substr(at, text.find(';', at) - at);
    line = line.substr(0, line.find_first_of("[="));
    while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
    library.globals.emplace(line.substr(line.rfind(' ') + 1), nullptr);
  }
  constexpr std::string_view entry = ".entry";
  for (std::size_t at = text.find(entry); at != std::string_view::npos; at = text.find(entry, at + 1)) {
    auto kernel = std::make_unique<Kernel>();
    kernel->library = &library;
    kernel->info.name = std::string(wordAfter(text, entry, at));
    const std::size_t open = text.find('(', at), brace = text.find('{', at);
    if (open != std::string_view::npos && open < brace) {
      std::string_view list = text.substr(open + 1, text.find(')', open) - open - 1);
      std::uint32_t offset = 0, index = 0;
      while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        std::string_view one = list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
        if (one.find(".param") == std::string_view::npos) continue;
        const std::uint32_t bytes = sizeOfParam(one);
        const std::uint32_t align = std::min<std::uint32_t>(bytes, 8);
        offset = (offset + align - 1) / align * align;
        kernel->info.params.push_back({index++, offset, bytes});
        offset += bytes;
      }
      kernel->info.paramBytes = offset;
    }
    library.kernels.push_back(std::move(kernel));
  }
}

/// Fills in what the caller's JIT options ask to be told.
void writeBack(const Library& library, CUjit_option* options, void** values, unsigned count) {
  char *errors = nullptr, *info = nullptr;
  bool verbose = false;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == CU_JIT_ERROR_LOG_BUFFER) errors = static_cast<char*>(values[i]);
    if (options[i] == CU_JIT_INFO_LOG_BUFFER) info = static_cast<char*>(values[i]);
    verbose |= options[i] == CU_JIT_LOG_VERBOSE && values[i];
  }
  const std::string said = verbose ? "ptxas info    : prepared by the fake driver" : "";
  for (unsigned i = 0; i < count; ++i) {
    const bool bad = options[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES;
    char* buffer = bad ? errors : info;
    if ((bad || options[i] == CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES) && buffer) {
      const std::string& text = bad ? library.log : said;
      const std::size_t room = std::size_t(reinterpret_cast<std::uintptr_t>(values[i]) & 0xffffffff);
      const std::size_t used = room ? std::min(text.size(), room - 1) : 0;
      std::memcpy(buffer, text.data(), used);
      if (room) buffer[used] = '\0';
      values[i] = reinterpret_cast<void*>(used);
    } else if (options[i] == CU_JIT_WALL_TIME) {
      const float time = 1.5f;
      std::memcpy(&values[i], &time, sizeof time);
    }
  }
}

Library* libraryOf(CUlibrary handle) {
  World& w = world();
  if (w.deadHandles.count(handle)) crash("use of an unloaded library");
  auto it = w.libraries.find(handle);
  if (it == w.libraries.end()) crash("use of a library that never was");
  return it->second.get();
}

}  // namespace

namespace fake {

/// The kernel behind a handle of either kind; null for a null handle.
Kernel* kernelOf(const void* handle) {
  World& w = world();
  if (!handle) return nullptr;
  if (w.deadHandles.count(handle)) crash("use of a kernel whose library was unloaded");
  auto it = w.kernels.find(static_cast<CUkernel>(const_cast<void*>(handle)));
  if (it == w.kernels.end()) crash("use of a kernel that never was");
  return it->second;
}

}  // namespace fake

namespace {

/// Reads an image of any kind; the verdict is in the result.
std::unique_ptr<Library> readImage(const void* code, CUjit_option* options, void** values, unsigned count) {
  auto library = std::make_unique<Library>();
  auto bytes = static_cast<const unsigned char*>(code);
  std::uint32_t magic = 0;
  // An image has no size. Text may be short: look at one byte after the other.
  for (unsigned i = 0; i < 4 && (i == 0 || bytes[i - 1]); ++i) magic |= std::uint32_t(bytes[i]) << (8 * i);
  if (magic == 0x464c457f && bytes[18] == 190) {
    loadCubin(*library, bytes);
  } else if (magic == 0xba55ed50) {
    library->verdict = CUDA_ERROR_NO_BINARY_FOR_GPU;
    library->log = "the fake driver does not look into fatbins";
  } else if (magic && std::strstr(reinterpret_cast<const char*>(bytes), ".version")) {
    loadPtx(*library, reinterpret_cast<const char*>(bytes));
  } else {
    library->verdict = CUDA_ERROR_INVALID_IMAGE;
  }
  writeBack(*library, options, values, count);
  if (!library->log.empty()) logReason(library->log);
  return library;
}

}  // namespace

FAKE_CUDA(LibraryLoadData, CUlibrary* out, const void* code, CUjit_option* options, void** values, unsigned count,
          CUlibraryOption*, void**, unsigned) {
  if (!out || !code) return CUDA_ERROR_INVALID_VALUE;
  auto library = readImage(code, options, values, count);
  // The verdict waits until somebody asks for a kernel.
  *out = makeHandle<CUlibrary>();
  world().libraries.emplace(*out, std::move(library));
  return CUDA_SUCCESS;
}

namespace {

/// Ends what a library or a module holds; waits for everything that runs.
void closeLibrary(Library& library) {
  World& w = world();
  for (auto& [stream, item] : w.streams) drain(*item);
  for (auto& [name, memory] : library.globals)
    if (memory) dropMemory(memory->address);
  for (auto it = w.kernels.begin(); it != w.kernels.end();) {
    if (it->second->library == &library) {
      w.deadHandles.insert(it->first);
      it = w.kernels.erase(it);
    } else {
      ++it;
    }
  }
}

/// A kernel of a library or a module by its name; null when there is none.
CUkernel findKernel(Library& library, std::string_view name) {
  for (auto& kernel : library.kernels) {
    if (kernel->info.name != name) continue;
    for (auto& [known, item] : world().kernels)
      if (item == kernel.get()) return known;
    const auto handle = makeHandle<CUkernel>();
    world().kernels.emplace(handle, kernel.get());
    return handle;
  }
  logReason("no kernel named " + std::string(name));
  return nullptr;
}

}  // namespace

FAKE_CUDA(LibraryUnload, CUlibrary handle) {
  closeLibrary(*libraryOf(handle));
  world().libraries.erase(handle);
  world().deadHandles.insert(handle);
  return CUDA_SUCCESS;
}

FAKE_CUDA(LibraryGetKernel, CUkernel* out, CUlibrary handle, const char* name) {
  Library* library = libraryOf(handle);
  if (!out || !name) return CUDA_ERROR_INVALID_VALUE;
  if (library->verdict != CUDA_SUCCESS) return library->verdict;
  *out = findKernel(*library, name);
  return *out ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

namespace {

CUresult findGlobal(Library& library, CUdeviceptr* address, std::size_t* bytes, const char* name) {
  Context* context = currentContext();
  if (!context) return CUDA_ERROR_INVALID_CONTEXT;
  if (!name) return CUDA_ERROR_INVALID_VALUE;
  auto it = library.globals.find(name);
  if (it == library.globals.end()) return CUDA_ERROR_NOT_FOUND;
  constexpr std::size_t size = 256;
  if (!it->second) it->second = makeMemory(*context->device, nullptr, size);
  if (!it->second) return CUDA_ERROR_OUT_OF_MEMORY;
  if (address) *address = it->second->address;
  if (bytes) *bytes = size;
  return CUDA_SUCCESS;
}

}  // namespace

FAKE_CUDA(LibraryGetGlobal, CUdeviceptr* address, std::size_t* bytes, CUlibrary handle, const char* name) {
  return findGlobal(*libraryOf(handle), address, bytes, name);
}

FAKE_CUDA(LibraryGetKernelCount, unsigned* count, CUlibrary handle) {
  *count = unsigned(libraryOf(handle)->kernels.size());
  return CUDA_SUCCESS;
}

FAKE_CUDA(LibraryEnumerateKernels, CUkernel* kernels, unsigned count, CUlibrary handle) {
  Library* library = libraryOf(handle);
  for (unsigned i = 0; i < count && i < library->kernels.size(); ++i)
    if (CUresult status = fakeLibraryGetKernel(&kernels[i], handle, library->kernels[i]->info.name.c_str()))
      return status;
  return CUDA_SUCCESS;
}

FAKE_CUDA(KernelGetFunction, CUfunction* function, CUkernel handle) {
  if (!currentContext()) return CUDA_ERROR_INVALID_CONTEXT;
  Kernel* kernel = kernelOf(handle);
  if (!kernel || !function) return CUDA_ERROR_INVALID_HANDLE;
  if (kernel->openExtern) return CUDA_ERROR_NOT_FOUND;
  kernel->loaded = true;
  *function = reinterpret_cast<CUfunction>(handle);
  return CUDA_SUCCESS;
}

FAKE_CUDA(KernelGetName, const char** name, CUkernel handle) {
  Kernel* kernel = kernelOf(handle);
  if (!kernel || !name) return CUDA_ERROR_INVALID_HANDLE;
  *name = kernel->info.name.c_str();
  return CUDA_SUCCESS;
}

namespace fake {

/// What a kernel can run with: its launch bound, or what its registers allow.
int maxThreadsOf(const Kernel& kernel) {
  int most = kernel.info.maxThreads ? int(kernel.info.maxThreads) : 1024;
  if (kernel.info.registers) most = std::min(most, 65536 / int((kernel.info.registers + 7) / 8 * 8) / 32 * 32);
  return std::min(most, 1024);
}

}  // namespace fake

FAKE_CUDA(KernelGetAttribute, int* value, CUfunction_attribute attribute, CUkernel handle, CUdevice device) {
  Kernel* kernel = kernelOf(handle);
  if (!deviceOf(device)) return CUDA_ERROR_INVALID_DEVICE;
  if (!kernel || !value) return CUDA_ERROR_INVALID_VALUE;
  switch (attribute) {
    case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK: *value = maxThreadsOf(*kernel); return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES: *value = int(kernel->info.staticSharedBytes); return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_NUM_REGS: *value = int(kernel->info.registers); return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: *value = kernel->maxDynamicShared; return CUDA_SUCCESS;
    default: *value = 0; return CUDA_SUCCESS;
  }
}

FAKE_CUDA(KernelSetAttribute, CUfunction_attribute attribute, int value, CUkernel handle, CUdevice device) {
  Kernel* kernel = kernelOf(handle);
  Device* d = deviceOf(device);
  if (!d) return CUDA_ERROR_INVALID_DEVICE;
  if (!kernel || value < 0) return CUDA_ERROR_INVALID_VALUE;
  if (attribute == CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED) kernel->largeClusters = value != 0;
  if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) return CUDA_SUCCESS;
  if (value + int(kernel->info.staticSharedBytes) >
      attributeOf(*d, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN))
    return CUDA_ERROR_INVALID_VALUE;
  kernel->maxDynamicShared = value;
  return CUDA_SUCCESS;
}

FAKE_CUDA(KernelGetParamInfo, CUkernel handle, std::size_t index, std::size_t* offset, std::size_t* size) {
  if (!currentContext()) return CUDA_ERROR_INVALID_CONTEXT;
  Kernel* kernel = kernelOf(handle);
  if (!kernel || !offset || index >= kernel->info.params.size()) return CUDA_ERROR_INVALID_VALUE;
  *offset = kernel->info.params[index].offset;
  if (size) *size = kernel->info.params[index].size;
  return CUDA_SUCCESS;
}

// ---- modules: a library in one context, judged when it is loaded ----

namespace {

Library* moduleOf(CUmodule handle) {
  World& w = world();
  if (w.deadHandles.count(handle)) crash("use of an unloaded module");
  auto it = w.modules.find(handle);
  if (it == w.modules.end()) crash("use of a module that never was");
  return it->second.get();
}

/// The device of the current context, for questions about functions.
CUdevice currentDevice() {
  Context* context = currentContext();
  return context ? context->device->ordinal : -1;
}

}  // namespace

FAKE_CUDA(ModuleLoadDataEx, CUmodule* out, const void* code, unsigned count, CUjit_option* options, void** values) {
  if (!currentContext()) return CUDA_ERROR_INVALID_CONTEXT;
  if (!out || !code) return CUDA_ERROR_INVALID_VALUE;
  auto module = readImage(code, options, values, count);
  if (module->verdict != CUDA_SUCCESS) return module->verdict;
  module->module = true;
  *out = makeHandle<CUmodule>();
  world().modules.emplace(*out, std::move(module));
  return CUDA_SUCCESS;
}

FAKE_CUDA(ModuleUnload, CUmodule handle) {
  closeLibrary(*moduleOf(handle));
  world().modules.erase(handle);
  world().deadHandles.insert(handle);
  return CUDA_SUCCESS;
}

FAKE_CUDA(ModuleGetFunction, CUfunction* out, CUmodule handle, const char* name) {
  Library* module = moduleOf(handle);
  if (!out || !name) return CUDA_ERROR_INVALID_VALUE;
  *out = reinterpret_cast<CUfunction>(findKernel(*module, name));
  return *out ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

FAKE_CUDA(ModuleGetGlobal, CUdeviceptr* address, std::size_t* bytes, CUmodule handle, const char* name) {
  return findGlobal(*moduleOf(handle), address, bytes, name);
}

FAKE_CUDA(ModuleGetFunctionCount, unsigned* count, CUmodule handle) {
  *count = unsigned(moduleOf(handle)->kernels.size());
  return CUDA_SUCCESS;
}

FAKE_CUDA(ModuleEnumerateFunctions, CUfunction* functions, unsigned count, CUmodule handle) {
  Library* module = moduleOf(handle);
  for (unsigned i = 0; i < count && i < module->kernels.size(); ++i)
    functions[i] = reinterpret_cast<CUfunction>(findKernel(*module, module->kernels[i]->info.name));
  return CUDA_SUCCESS;
}

FAKE_CUDA(FuncLoad, CUfunction function) {
  Kernel* kernel = kernelOf(function);
  if (!kernel) return CUDA_ERROR_INVALID_HANDLE;
  kernel->loaded = true;
  return CUDA_SUCCESS;
}

FAKE_CUDA(FuncGetName, const char** name, CUfunction function) {
  return fakeKernelGetName(name, reinterpret_cast<CUkernel>(function));
}

FAKE_CUDA(FuncGetAttribute, int* value, CUfunction_attribute attribute, CUfunction function) {
  return fakeKernelGetAttribute(value, attribute, reinterpret_cast<CUkernel>(function), currentDevice());
}

FAKE_CUDA(FuncSetAttribute, CUfunction function, CUfunction_attribute attribute, int value) {
  return fakeKernelSetAttribute(attribute, value, reinterpret_cast<CUkernel>(function), currentDevice());
}

FAKE_CUDA(FuncGetParamInfo, CUfunction function, std::size_t index, std::size_t* offset, std::size_t* size) {
  return fakeKernelGetParamInfo(reinterpret_cast<CUkernel>(function), index, offset, size);
}

// ---- the linker: puts PTX texts one behind the other ----

FAKE_CUDA(LinkCreate, unsigned count, CUjit_option* options, void** values, CUlinkState* out) {
  if (!currentContext()) return CUDA_ERROR_INVALID_CONTEXT;
  if (!out) return CUDA_ERROR_INVALID_VALUE;
  Library nothing;
  writeBack(nothing, options, values, count);
  *out = makeHandle<CUlinkState>();
  world().links.emplace(*out, std::vector<std::string>());
  return CUDA_SUCCESS;
}

FAKE_CUDA(LinkAddData, CUlinkState handle, CUjitInputType type, void* data, std::size_t size, const char*, unsigned,
          CUjit_option*, void**) {
  auto it = world().links.find(handle);
  if (it == world().links.end() || !data || !size || type >= CU_JIT_NUM_INPUT_TYPES) return CUDA_ERROR_INVALID_VALUE;
  std::string text(static_cast<const char*>(data), size);
  if (text.find("FAKE_BAD_PTX") != std::string::npos) return CUDA_ERROR_INVALID_PTX;
  it->second.push_back(std::move(text));
  return CUDA_SUCCESS;
}

FAKE_CUDA(LinkComplete, CUlinkState handle, void** cubin, std::size_t* size) {
  auto it = world().links.find(handle);
  if (it == world().links.end() || it->second.empty() || !cubin || !size) return CUDA_ERROR_INVALID_VALUE;
  std::string all;
  for (const std::string& text : it->second) all += text.c_str();  // without a zero in the middle
  world().linked.push_back(all + '\0');
  *cubin = world().linked.back().data();
  *size = world().linked.back().size();
  return CUDA_SUCCESS;
}

FAKE_CUDA(LinkDestroy, CUlinkState handle) {
  if (!world().links.erase(handle)) {
    violation("a linker was destroyed twice, or never was");
    return CUDA_ERROR_INVALID_HANDLE;
  }
  return CUDA_SUCCESS;
}

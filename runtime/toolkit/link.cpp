// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/toolkit/link.h"

#include "runtime/toolkit/compat.h"
#include "runtime/toolkit/compile_cuda.h"
#include "runtime/toolkit/link_inputs.h"
#include "runtime/toolkit/link_thread.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <string_view>

namespace rad::rt {
namespace {

constexpr int inputCubin = 1;  // NVJITLINK_INPUT_CUBIN

constexpr std::array<const char*, 19> linkStatusNames = {"NVJITLINK_SUCCESS",
                                                         "NVJITLINK_ERROR_UNRECOGNIZED_OPTION",
                                                         "NVJITLINK_ERROR_MISSING_ARCH",
                                                         "NVJITLINK_ERROR_INVALID_INPUT",
                                                         "NVJITLINK_ERROR_PTX_COMPILE",
                                                         "NVJITLINK_ERROR_NVVM_COMPILE",
                                                         "NVJITLINK_ERROR_INTERNAL",
                                                         "NVJITLINK_ERROR_THREADPOOL",
                                                         "NVJITLINK_ERROR_UNRECOGNIZED_INPUT",
                                                         "NVJITLINK_ERROR_FINALIZE",
                                                         "NVJITLINK_ERROR_NULL_INPUT",
                                                         "NVJITLINK_ERROR_INCOMPATIBLE_OPTIONS",
                                                         "NVJITLINK_ERROR_INCORRECT_INPUT_TYPE",
                                                         "NVJITLINK_ERROR_ARCH_MISMATCH",
                                                         "NVJITLINK_ERROR_OUTDATED_LIBRARY",
                                                         "NVJITLINK_ERROR_MISSING_FATBIN",
                                                         "NVJITLINK_ERROR_UNRECOGNIZED_ARCH",
                                                         "NVJITLINK_ERROR_UNSUPPORTED_ARCH",
                                                         "NVJITLINK_ERROR_LTO_NOT_ENABLED"};

/// Which statuses blame our use of the library and not the code.
ErrorCategory categoryOf(int status) {
  switch (status) {
    case 1:
    case 2:
    case 10:
    case 11: return ErrorCategory::Misuse;
    case 7: return ErrorCategory::Resources;
    default: return ErrorCategory::Image;
  }
}

Error linkError(const char* call, int status, std::string message, std::string log) {
  Error error;
  error.category = categoryOf(status);
  error.call = call;
  error.code = status;
  error.codeName = status >= 0 && std::size_t(status) < linkStatusNames.size()
                       ? linkStatusNames[std::size_t(status)]
                       : "NVJITLINK_ERROR_" + std::to_string(status);
  error.message = std::move(message);
  error.log = std::move(log);
  return error;
}

/// The symbols that the linker's log calls undefined, with who wants them.
std::string explainUnresolved(std::span<const LinkObject* const> objects, std::string_view log) {
  std::map<std::string, std::vector<std::string>> wanted;
  for (const LinkObject* object : objects)
    for (const CubinSymbol& symbol : object->info.symbols) {
      if (symbol.defined || symbol.weak) continue;
      std::size_t at = log.find(symbol.name);
      for (; at != std::string_view::npos; at = log.find(symbol.name, at + 1)) {
        auto isWord = [&](std::size_t i) {
          return i < log.size() && (std::isalnum(static_cast<unsigned char>(log[i])) || log[i] == '_' || log[i] == '$');
        };
        if (!(at > 0 && isWord(at - 1)) && !isWord(at + symbol.name.size())) {
          wanted[symbol.name].push_back(object->name);
          break;
        }
      }
    }
  std::string out;
  for (const auto& [name, users] : wanted) {
    out += out.empty() ? "" : "; ";
    out += "'" + name + "' is used in ";
    for (std::size_t i = 0; i < users.size(); ++i) out += (i ? ", '" : "'") + users[i] + "'";
    out += " and defined nowhere";
  }
  // LTO-IR: which of them wants it is not said.
  constexpr std::string_view open = "Unresolved extern function '";
  if (std::size_t at = log.find(open); out.empty() && at != log.npos) {
    std::string_view name = log.substr(at + open.size());
    out = "'" + std::string(name.substr(0, name.find('\''))) + "' is defined nowhere";
  }
  return out;
}

/// The symbol that the compiler of LTO-IR found defined twice, and where it met
/// it the second time; empty when the log is about something else.
std::pair<std::string, std::string> duplicateIn(std::string_view log) {
  constexpr std::string_view mark = ": link error: error: Linking globals named '";
  const std::size_t at = log.find(mark);
  if (at == std::string_view::npos) return {};
  std::string_view where = log.substr(0, at), name = log.substr(at + mark.size());
  where.remove_prefix(where.rfind('\n') + 1);
  return {std::string(name.substr(0, name.find('\''))), std::string(where)};
}

constexpr std::array<RefusedOption, 15> refusedOptions = {{
    {"arch", "the field `target` says it"},
    {"lto", "it follows from the inputs"},
    {"ptx", "the field `emit` says it"},
    {"kernels-used", "the field `keepKernels` says it"},
    {"variables-used",
     "the field `keepVariables` says it; without LTO-IR it "
     "removes every kernel"},
    {"optimize-unused-variables", "the field `dropUnusedVariables` says it"},
    {"maxrregcount", "the field `maxRegisters` says it"},
    {"O0", "the field `optLevel` says it"},
    {"O3", "the field `optLevel` says it"},
    {"device-stack-protector", "nvJitLink 13.0 documents it and does not take it"},
    {"Ofc", "nvJitLink does not document it"},
    {"r", "nvJitLink does not document it"},
    {"relocatable-link", "nvJitLink does not document it"},
    {"Xnvvm", "nvJitLink does not document it"},
    {"split-compile-extended", "the field `splitOptimize` says it"},
}};

Status checkOptions(const LinkOptions& options) {
  auto bad = [](std::string what) { return fail(ErrorCategory::Misuse, std::move(what)); };
  if (options.optLevel != 0 && options.optLevel != 3)
    return bad("the linker's optimisation level is " + std::to_string(options.optLevel) + "; it must be 0 or 3");
  if (options.maxRegisters > 255)
    return bad("the linker's register limit is " + std::to_string(options.maxRegisters) +
               "; it must be 1 to 255, or 0 for none");
  if (options.dropUnusedVariables && !options.keepVariables.empty())
    return bad(
        "keepVariables and dropUnusedVariables exclude each other: the "
        "linker ignores the second");
  for (const auto* names : {&options.keepKernels, &options.keepVariables})
    for (const std::string& name : *names)
      if (name.empty() || name.find(',') != name.npos)
        return bad("'" + name + "' does not name a kernel or variable to keep");
  return refuseOptions(options.extra, refusedOptions, "nvJitLink");
}

/// Options that only LTO-IR heeds, given without any.
Status checkLtoOptions(const LinkOptions& options, const std::vector<LinkObject>& objects) {
  const LinkObject* other = nullptr;
  bool any = false;
  for (const LinkObject& object : objects) {
    any |= object.isLto();
    if (!object.isLto() && !other) other = &object;
  }
  if (options.emit == LinkEmit::Ptx && other)
    return fail(ErrorCategory::Misuse, "PTX can be made of LTO-IR only, and '" + other->name + "' is machine code",
                "Compile it to LTO-IR (nvcc -dlto -rdc=true), or ask for a "
                "cubin.");
  if (any) return {};
  const char* name = nullptr;
  if (options.flushDenormals) name = "flushDenormals";
  else if (options.preciseDivision) name = "preciseDivision";
  else if (options.preciseRoot) name = "preciseRoot";
  else if (options.contract) name = "contract";
  else if (!options.keepVariables.empty()) name = "keepVariables";
  else if (options.dropUnusedVariables) name = "dropUnusedVariables";
  else if (options.splitOptimize != 1) name = "splitOptimize";
  if (!name) return {};
  return fail(ErrorCategory::Misuse,
              std::string("the option ") + name + " is for LTO-IR, and none of the inputs is LTO-IR",
              "Set it where those files are compiled.");
}

/// Kernels to keep that no cubin has; with LTO-IR among the inputs nobody knows.
Status checkKeptKernels(const LinkOptions& options, const std::vector<LinkObject>& objects) {
  if (std::ranges::any_of(objects, &LinkObject::isLto)) return {};
  for (const std::string& name : options.keepKernels) {
    std::string names;
    bool found = false;
    for (const LinkObject& object : objects)
      for (const CubinKernel& kernel : object.info.kernels) {
        found |= kernel.name == name;
        names += (names.empty() ? "'" : ", '") + kernel.name + "'";
      }
    if (!found)
      return fail(ErrorCategory::Misuse,
                  "there is no kernel '" + name + "' to keep" + (names.empty() ? "" : "; there are " + names));
  }
  return {};
}

std::vector<std::string> optionsText(const LinkOptions& options, bool lto) {
  std::vector<std::string> out = {"-arch=" + options.target, options.optLevel == 0 ? "-O0" : "-O3"};
  auto add = [&](bool wanted, std::string text) {
    if (wanted) out.push_back(std::move(text));
  };
  auto addSwitch = [&](const std::optional<bool>& value, const char* name) {
    if (value) out.push_back(std::string(name) + (*value ? "=1" : "=0"));
  };
  add(lto, "-lto");
  add(options.emit == LinkEmit::Ptx, "-ptx");
  add(options.debug, "-g");
  add(options.lineInfo && !options.debug, "-lineinfo");
  add(options.maxRegisters != 0, "-maxrregcount=" + std::to_string(options.maxRegisters));
  addSwitch(options.flushDenormals, "-ftz");
  addSwitch(options.preciseDivision, "-prec-div");
  addSwitch(options.preciseRoot, "-prec-sqrt");
  addSwitch(options.contract, "-fma");
  for (const std::string& name : options.keepKernels) out.push_back("-kernels-used=" + name);
  for (const std::string& name : options.keepVariables) out.push_back("-variables-used=" + name);
  add(options.dropUnusedVariables, "-optimize-unused-variables");
  add(options.splitCompile != 1, "-split-compile=" + std::to_string(options.splitCompile));
  add(options.splitOptimize != 1, "-split-compile-extended=" + std::to_string(options.splitOptimize));
  add(!options.cache, "-no-cache");
  add(options.timing, "-time");
  add(options.verbose, "-verbose");
  for (const std::string& option : options.ptxas) out.push_back("-Xptxas=" + option);
  out.insert(out.end(), options.extra.begin(), options.extra.end());
  return out;
}

/// One link, destroyed with its scope. Only on the linking thread.
class Linker {
 public:
  explicit Linker(const NvJitLinkApi& api) : api_(api) {}
  ~Linker() {
    if (handle_) api_.Destroy(&handle_);
  }
  Linker(const Linker&) = delete;
  Linker& operator=(const Linker&) = delete;

  Result<LinkOutput> link(std::span<const LinkObject* const> objects, const LinkOptions& options) {
    const bool lto = std::ranges::any_of(objects, &LinkObject::isLto);
    const std::vector<std::string> texts = optionsText(options, lto);
    std::vector<const char*> pointers;
    for (const std::string& text : texts) pointers.push_back(text.c_str());
    // After a failed create the handle is set all the same, for its log.
    if (int status = api_.Create(&handle_, std::uint32_t(pointers.size()), pointers.data()))
      return failed("nvJitLinkCreate", status, "the linker does not take its options for " + options.target);
    for (const LinkObject* object : objects)
      if (int status = api_.AddData(handle_, int(object->kind), object->bytes.data(), object->bytes.size(),
                                    object->name.c_str()))
        return failed("nvJitLinkAddData", status, "the linker does not take '" + object->name + "'");
    if (int status = api_.Complete(handle_)) return notLinked(status, objects);
    LinkOutput output;
    output.target = options.target;
    const bool isPtx = options.emit == LinkEmit::Ptx;
    auto sizeOf = isPtx ? api_.GetLinkedPtxSize : api_.GetLinkedCubinSize;
    std::size_t size = 0;
    int status = sizeOf(handle_, &size);
    if (status == 0 && size != 0 && isPtx) {
      output.ptx.resize(size);
      status = api_.GetLinkedPtx(handle_, output.ptx.data());
      output.ptx.resize(std::min(output.ptx.find('\0'), size));
    } else if (status == 0 && size != 0) {
      output.cubin.resize(size);
      status = api_.GetLinkedCubin(handle_, output.cubin.data());
    }
    if (status != 0 || size == 0)
      return failed(isPtx ? "nvJitLinkGetLinkedPtx" : "nvJitLinkGetLinkedCubin", status, "the linker made no code");
    output.log = text(api_.GetInfoLogSize, api_.GetInfoLog);
    return output;
  }

 private:
  std::string errorLog() const { return text(api_.GetErrorLogSize, api_.GetErrorLog); }
  std::string text(int (*sizeOf)(void*, std::size_t*), int (*read)(void*, char*)) const {
    std::size_t size = 0;
    if (!handle_ || sizeOf(handle_, &size) != 0 || size == 0) return {};
    std::string out(size + 1, '\0');
    if (read(handle_, out.data()) != 0) return {};
    out.resize(out.find('\0'));
    while (!out.empty() && std::isspace(static_cast<unsigned char>(out.back()))) out.pop_back();
    return out;
  }
  std::unexpected<Error> failed(const char* call, int status, std::string message) const {
    std::string log = errorLog();
    if (!log.empty()) message += ": " + log.substr(0, log.find('\n'));
    return fail(linkError(call, status, std::move(message), std::move(log)));
  }

  std::unexpected<Error> notLinked(int status, std::span<const LinkObject* const> objects) const {
    const std::string log = errorLog();
    std::string why, advice;
    if (auto [name, where] = duplicateIn(log); !name.empty()) {
      why = "'" + name + "' is defined twice, the second time in '" + where + "'";
      advice = "Rename one of them, or link only one of the two files.";
    } else if (why = explainUnresolved(objects, log); !why.empty()) {
      advice = "Give the object that defines it with --link.";
    } else {
      why = log.substr(0, log.find('\n'));
      if (why.empty()) why = "the linker does not say why";
    }
    Error error = linkError("nvJitLinkComplete", status, "device code cannot be linked: " + why, log);
    error.advice = std::move(advice);
    return fail(std::move(error));
  }

  const NvJitLinkApi& api_;
  void* handle_ = nullptr;
};

/// One link on the linking thread.
Result<LinkOutput> run(const NvJitLinkApi& api, std::span<const LinkObject* const> objects,
                       const LinkOptions& options) {
  Result<LinkOutput> result = LinkOutput{};
  RAD_TRY(runOnLinkThread([&] { result = Linker(api).link(objects, options); }));
  return result;
}

/// True for names that C++ can define.
bool isIdentifier(std::string_view name) {
  return !name.empty() && !std::isdigit(static_cast<unsigned char>(name[0])) &&
         std::ranges::all_of(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; });
}

/// A function that both LTO-IR and a cubin define is linked without a word, and
/// what LTO-IR defines cannot be read. So the LTO-IR is linked once with a unit
/// that defines all that the cubins define: that link says which name is there
/// twice. Gives a note when it could not be looked for.
Result<std::string> refuseLtoDuplicates(const NvJitLinkApi& api, const std::vector<LinkObject>& objects,
                                        const LinkOptions& options) {
  std::map<std::string, const LinkObject*> defined;
  std::vector<const LinkObject*> parts;
  for (const LinkObject& object : objects) {
    if (object.isLto()) parts.push_back(&object);
    for (const CubinSymbol& symbol : object.info.symbols)
      if (symbol.defined && !symbol.weak && isIdentifier(symbol.name) && symbol.kind != CubinSymbol::Kind::Other)
        defined.emplace(symbol.name, &object);
  }
  if (parts.empty() || defined.empty()) return std::string();
  std::string source = "extern \"C\" {\n";
  for (const auto& [name, object] : defined) source += "__device__ int " + name + ";\n";
  source += "}\n";
  CudaCompileOptions stub;
  stub.target = "compute_75";
  stub.output = CudaOutput::LtoIr;
  stub.name = "definitions of the cubins";
  auto compiled = compileCuda(source, stub);
  if (!compiled) return "definitions that LTO-IR and cubins share were not looked for: " + compiled.error().message;
  LinkObject probe;
  probe.name = "probe";
  probe.kind = LinkKind::LtoIr;
  probe.bytes = compiled->image;
  parts.push_back(&probe);
  LinkOptions trial;
  trial.target = options.target;
  trial.emit = LinkEmit::Ptx;
  auto tried = run(api, parts, trial);
  if (tried) return std::string();
  const auto [name, where] = duplicateIn(tried.error().log);
  const auto found = defined.find(name);
  if (where != probe.name || found == defined.end()) return std::string();  // something else: the link itself says it
  std::string others;
  for (const LinkObject* part : parts)
    if (part != &probe) others += (others.empty() ? "'" : ", '") + part->name + "'";
  return fail(ErrorCategory::Image,
              "'" + name + "' is defined in '" + found->second->name + "' and again in the LTO-IR of " + others,
              "Rename one of them, or link only one of the two files.");
}

}  // namespace

Result<LinkOutput> link(std::span<const LinkInput> inputs, const LinkOptions& options) {
  RAD_TRY(readTarget(options.target));
  RAD_TRY(checkOptions(options));
  if (inputs.empty()) return fail(ErrorCategory::Misuse, "there is nothing to link");
  // What is wrong with the inputs is said even where there is no linker.
  auto linker = options.linker ? Result<const NvJitLinkApi*>(options.linker) : NvJitLinkApi::get();
  RAD_ASSIGN(std::vector<LinkObject> objects,
             prepareInputs(inputs, options, linker ? (*linker)->major : 0, linker ? (*linker)->minor : 0));
  RAD_TRY(checkLtoOptions(options, objects));
  RAD_TRY(checkKeptKernels(options, objects));
  RAD_TRY(refuseDuplicates(objects));
  if (!linker) return fail(std::move(linker).error());
  const NvJitLinkApi& api = **linker;
  RAD_ASSIGN(std::string note, refuseLtoDuplicates(api, objects, options));
  std::vector<const LinkObject*> parts;
  for (const LinkObject& object : objects) parts.push_back(&object);
  RAD_ASSIGN(LinkOutput output, run(api, parts, options));
  if (options.emit == LinkEmit::Cubin && !looksLikeCubin(output.cubin))
    return fail(ErrorCategory::Image, "the linker's output is not a cubin");
  if (!note.empty()) output.log += (output.log.empty() ? "" : "\n") + note;
  return output;
}

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/toolkit/assemble.h"

#include "runtime/toolkit/compat.h"
#include "runtime/toolkit/ptx_compiler_api.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

namespace rad::rt {
namespace {

constexpr std::array<const char*, 10> statusNames = {"NVPTXCOMPILE_SUCCESS",
                                                     "NVPTXCOMPILE_ERROR_INVALID_COMPILER_HANDLE",
                                                     "NVPTXCOMPILE_ERROR_INVALID_INPUT",
                                                     "NVPTXCOMPILE_ERROR_COMPILATION_FAILURE",
                                                     "NVPTXCOMPILE_ERROR_INTERNAL",
                                                     "NVPTXCOMPILE_ERROR_OUT_OF_MEMORY",
                                                     "NVPTXCOMPILE_ERROR_COMPILER_INVOCATION_INCOMPLETE",
                                                     "NVPTXCOMPILE_ERROR_UNSUPPORTED_PTX_VERSION",
                                                     "NVPTXCOMPILE_ERROR_UNSUPPORTED_DEVSIDE_SYNC",
                                                     "NVPTXCOMPILE_ERROR_CANCELLED"};

Error statusError(ErrorCategory category, const char* call, int status, std::string message, std::string advice,
                  std::string log) {
  Error error;
  error.category = category;
  error.call = call;
  error.code = status;
  error.codeName = status >= 0 && std::size_t(status) < statusNames.size()
                       ? statusNames[std::size_t(status)]
                       : "NVPTXCOMPILE_ERROR_" + std::to_string(status);
  error.message = std::move(message);
  error.advice = std::move(advice);
  error.log = std::move(log);
  return error;
}

/// One compiler, destroyed with its scope.
class Compiler {
 public:
  explicit Compiler(const NvPtxCompilerApi& api) : api_(api) {}
  ~Compiler() {
    if (handle_) api_.Destroy(&handle_);
  }
  Compiler(const Compiler&) = delete;
  Compiler& operator=(const Compiler&) = delete;

  void** out() { return &handle_; }
  void* get() const { return handle_; }

  std::string errorLog() const { return text(api_.GetErrorLogSize, api_.GetErrorLog); }
  std::string infoLog() const { return text(api_.GetInfoLogSize, api_.GetInfoLog); }

 private:
  std::string text(int (*sizeOf)(void*, std::size_t*), int (*read)(void*, char*)) const {
    std::size_t size = 0;
    if (!handle_ || sizeOf(handle_, &size) != 0 || size == 0) return {};
    // One byte to spare: whether the size counts the NUL is not promised.
    std::string out(size + 1, '\0');
    if (read(handle_, out.data()) != 0) return {};
    out.resize(out.find('\0'));
    while (!out.empty() && std::isspace(static_cast<unsigned char>(out.back()))) out.pop_back();
    return out;
  }

  const NvPtxCompilerApi& api_;
  void* handle_ = nullptr;
};

std::unexpected<Error> noAssembler() {
  return fail(ErrorCategory::System, "this build of Raddle has no PTX assembler",
              "Rebuild it with the nvidia-nvptxcompiler package installed "
              "('./dev build' does that), or use --emit=ptx.");
}

/// True when the assembler's text is about an option and not about the PTX.
bool isAboutOptions(std::string_view log) {
  for (std::string_view hint :
       {"Unknown option", "is not defined for option", "Invalid value", "requires an argument", "argument expected"})
    if (log.find(hint) != std::string_view::npos) return true;
  return false;
}

/// The first line of the log that says what is wrong.
std::string firstError(std::string_view log) {
  std::size_t begin = 0;
  while (begin < log.size()) {
    std::size_t end = std::min(log.find('\n', begin), log.size());
    std::string_view line = log.substr(begin, end - begin);
    constexpr std::string_view source = "ptxas application ptx input, ";
    if (line.starts_with(source)) line.remove_prefix(source.size());
    for (std::string_view marker : {"error   : ", "fatal   : ", "error : "})
      if (std::size_t at = line.find(marker); at != std::string_view::npos) {
        std::string place(line.substr(0, at));
        while (!place.empty() && (place.back() == ' ' || place.back() == ';')) place.pop_back();
        std::string what(line.substr(at + marker.size()));
        if (place.starts_with("line ")) return place + ": " + what;
        return what;
      }
    begin = end + 1;
  }
  return {};
}

unsigned numberBefore(std::string_view text, std::string_view label) {
  std::size_t at = text.find(label);
  if (at == std::string_view::npos || at == 0) return 0;
  std::size_t begin = at;
  while (begin > 0 && std::isdigit(static_cast<unsigned char>(text[begin - 1]))) --begin;
  unsigned value = 0;
  std::from_chars(text.data() + begin, text.data() + at, value);
  return value;
}

/// Takes the resource lines of --verbose out of the info log; what remains is
/// for people.
std::vector<AssembledEntry> takeResources(std::string& log) {
  std::vector<AssembledEntry> entries;
  std::string rest;
  AssembledEntry* current = nullptr;
  AssembledEntry ignored;  // resources of device functions
  std::size_t begin = 0;
  while (begin < log.size()) {
    std::size_t end = std::min(log.find('\n', begin), log.size());
    std::string_view line = std::string_view(log).substr(begin, end - begin);
    begin = end + 1;
    constexpr std::string_view compiling = "Compiling entry function '";
    if (std::size_t at = line.find(compiling); at != std::string_view::npos) {
      std::string_view name = line.substr(at + compiling.size());
      entries.emplace_back();
      entries.back().name = std::string(name.substr(0, name.find('\'')));
      current = &entries.back();
      continue;
    }
    if (std::size_t at = line.find("Function properties for "); at != std::string_view::npos) {
      std::string_view name = line.substr(at + 24);
      current = &ignored;
      for (AssembledEntry& entry : entries)
        if (entry.name == name) current = &entry;
      continue;
    }
    if (current && line.find("bytes stack frame") != std::string_view::npos) {
      current->stackBytes = numberBefore(line, " bytes stack frame");
      current->spillStoreBytes = numberBefore(line, " bytes spill stores");
      current->spillLoadBytes = numberBefore(line, " bytes spill loads");
      continue;
    }
    if (line.find("Used ") != std::string_view::npos && line.find(" registers") != std::string_view::npos) {
      AssembledEntry& entry = entries.empty() ? ignored : entries.back();
      entry.registers = numberBefore(line, " registers");
      entry.barriers = numberBefore(line, " barriers");
      entry.sharedBytes = numberBefore(line, " bytes smem");
      entry.constantBytes = numberBefore(line, " bytes cmem[0]");
      current = nullptr;
      continue;
    }
    if (line.find("bytes gmem") != std::string_view::npos || line.find("Compile time = ") != std::string_view::npos ||
        line.empty())
      continue;
    rest += line;
    rest += '\n';
  }
  while (!rest.empty() && rest.back() == '\n') rest.pop_back();
  log = std::move(rest);
  return entries;
}

constexpr std::array<RefusedOption, 9> refusedOptions = {{
    {"extensible-whole-program", "it does nothing for code that is linked"},
    {"ewp", "it does nothing for code that is linked"},
    {"compile-as-tools-patch", "it takes no kernels"},
    {"gpu-name", "the field `target` says it"},
    {"arch", "the field `target` says it"},
    {"opt-level", "the field `optLevel` says it"},
    {"compile-only", "the field `relocatable` says it"},
    {"c", "the field `relocatable` says it"},
    {"maxrregcount", "the field `maxRegisters` says it"},
}};

int stopAssembling(void* payload, void*) { return static_cast<const std::atomic<bool>*>(payload)->load() ? 1 : 0; }

Result<std::vector<std::string>> makeOptions(const AssembleOptions& options, bool syntaxOnly) {
  RAD_TRY(readTarget(options.target));
  if (options.optLevel < 0 || options.optLevel > 3)
    return fail(ErrorCategory::Misuse,
                "the assembler's optimisation level is " + std::to_string(options.optLevel) + "; it must be 0 to 3");
  if (options.maxRegisters > 255 || options.maxThreads > 1024 || options.minBlocks > 32)
    return fail(ErrorCategory::Misuse, "the assembler's limits are " + std::to_string(options.maxRegisters) +
                                           " registers, " + std::to_string(options.maxThreads) + " threads and " +
                                           std::to_string(options.minBlocks) + " blocks; they go to 255, 1024 and 32");
  if (options.relocatable && !options.entry.empty())
    return fail(ErrorCategory::Misuse, "one kernel cannot be picked out of code that is to be linked");
  RAD_TRY(refuseOptions(options.extra, refusedOptions, "the assembler"));
  std::vector<std::string> out;
  std::string target = options.target;
  if (syntaxOnly) target.replace(0, 2, "compute");
  out.push_back("--gpu-name=" + target);
  const int level = options.debug ? 0 : options.optLevel;
  if (options.fast == FastAssembly::Off) out.push_back("--opt-level=" + std::to_string(level));
  else if (level != 3)
    return fail(ErrorCategory::Misuse,
                "fast assembling sets the optimisation level itself: leave it "
                "at 3, without debug information");
  out.push_back("--verbose");
  if (options.relocatable) out.push_back("--compile-only");
  if (options.debug) out.push_back("--device-debug");
  if (options.lineInfo && !options.debug) out.push_back("--generate-line-info");
  if (!options.fma) out.push_back("--fmad=false");
  if (options.warningsAreErrors) out.push_back("--warning-as-error");
  if (options.warnOnSpills) out.push_back("--warn-on-spills");
  if (options.maxRegisters) out.push_back("--maxrregcount=" + std::to_string(options.maxRegisters));
  if (options.warnOnLocalMemory) out.push_back("--warn-on-local-memory-usage");
  if (options.warnOnDoubles) out.push_back("--warn-on-double-precision-use");
  if (!options.warnings) out.push_back("--disable-warnings");
  if (options.errorsVisibleAtExit) out.push_back("--make-errors-visible-at-exit");
  constexpr std::array<const char*, 4> speeds = {"0", "min", "mid", "max"};
  if (options.fast != FastAssembly::Off)
    out.push_back(std::string("--Ofast-compile=") + speeds[std::size_t(options.fast)]);
  if (options.maxThreads) out.push_back("--maxntid=" + std::to_string(options.maxThreads));
  if (options.minBlocks) out.push_back("--minnctapersm=" + std::to_string(options.minBlocks));
  if (options.overrideDirectives) out.push_back("--override-directive-values");
  if (options.splitCompile != 1) out.push_back("--split-compile=" + std::to_string(options.splitCompile));
  if (!options.entry.empty()) out.push_back("--entry=" + options.entry);
  out.insert(out.end(), options.extra.begin(), options.extra.end());
  return out;
}

Status checkVersion(std::string_view ptx, const AssembleOptions& options, const NvPtxCompilerApi& api) {
  // What is missing or garbled is left to the assembler, which says where.
  const auto own = targetOfPtx(ptx);
  RAD_ASSIGN(const GpuTarget target, readTarget(options.target));
  if (own && !ptxBecomes(*own, target))
    return fail(ErrorCategory::Image,
                "'" + options.name + "' is PTX for " + own->name() + ", which cannot become code for " + target.name(),
                own->suffix == 'a'   ? "With an 'a', PTX is for that one GPU: assemble it for " + own->name() + "."
                : own->suffix == 'f' ? std::string("With an 'f', PTX is for that family of GPUs "
                                                   "only.")
                                     : "PTX becomes code for its GPU and later ones: assemble it "
                                       "for " +
                                           own->name() + " or newer.");
  const auto version = versionOfPtx(ptx);
  if (!version) return {};
  auto info = assemblerInfo(&api);
  if (!info) return fail(std::move(info).error());
  const Release limit{info->ptxMajor, info->ptxMinor};
  if (limit >= *version) return {};
  return fail(statusError(ErrorCategory::Image, "nvPTXCompilerCompile", 7,
                          "'" + options.name + "' is PTX " + version->text() +
                              ", and the assembler in this build reads up to " + limit.text(),
                          "Lower the .version directive if the code allows it, or build Raddle "
                          "with a newer nvidia-nvptxcompiler.",
                          ""));
}

/// Runs the compiler. The status is 0, or has been turned into the failure.
Status run(Compiler& compiler, std::string_view ptx, const AssembleOptions& options, const NvPtxCompilerApi& api,
           bool syntaxOnly) {
  RAD_ASSIGN(std::vector<std::string> texts, makeOptions(options, syntaxOnly));
  if (ptx.empty()) return fail(ErrorCategory::Image, "'" + options.name + "' holds no PTX");
  RAD_TRY(checkVersion(ptx, options, api));
  if (int status = api.Create(compiler.out(), ptx.size(), ptx.data()))
    return fail(statusError(
        status == 5 ? ErrorCategory::Resources : ErrorCategory::Image, "nvPTXCompilerCreate", status,
        status == 5 ? "there is not enough memory to assemble" : "the assembler does not take '" + options.name + "'",
        "", ""));
  if (options.cancel)
    api.SetFlowCallback(compiler.get(), stopAssembling, const_cast<void*>(static_cast<const void*>(options.cancel)));
  std::vector<const char*> pointers;
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  const int status = api.Compile(compiler.get(), static_cast<int>(pointers.size()), pointers.data());
  if (status == 0) return {};
  std::string log = compiler.errorLog();
  if (syntaxOnly && status == 3 && log.empty()) return {};  // the assembler's way of saying that the syntax is right
  const char* call = "nvPTXCompilerCompile";
  if (status == 5)
    return fail(statusError(ErrorCategory::Resources, call, status, "there is not enough memory to assemble", "", log));
  if (status == 9)
    return fail(
        statusError(ErrorCategory::Image, call, status, "assembling '" + options.name + "' was cancelled", "", log));
  if (isAboutOptions(log)) {
    std::string first = firstError(log);
    return fail(statusError(ErrorCategory::Misuse, call, status,
                            "the assembler does not take its options: " + (first.empty() ? "see below" : first),
                            "Is '" + options.target +
                                "' a GPU that this assembler knows? It knows "
                                "sm_75 and newer.",
                            log));
  }
  std::string first = firstError(log);
  return fail(statusError(
      ErrorCategory::Image, call, status,
      "'" + options.name + "' cannot be assembled for " + options.target + (first.empty() ? "" : ": " + first), "",
      log));
}

}  // namespace

Result<AssemblerInfo> assemblerInfo(const NvPtxCompilerApi* api) {
  if (!api) api = linkedPtxCompiler();
  if (!api) return noAssembler();
  AssemblerInfo info;
  api->GetVersion(&info.major, &info.minor);
  int count = 0;
  if (api->GetNumSupportedVersions(&count) == 0 && count > 0) {
    std::vector<int> versions(std::size_t(count) * 2);
    if (api->GetSupportedVersions(reinterpret_cast<int (*)[2]>(versions.data())) == 0)
      for (int i = 0; i < count; ++i) {
        auto pair = std::pair{unsigned(versions[std::size_t(i) * 2]), unsigned(versions[std::size_t(i) * 2 + 1])};
        if (pair > std::pair{info.ptxMajor, info.ptxMinor}) {
          info.ptxMajor = pair.first;
          info.ptxMinor = pair.second;
        }
      }
  }
  return info;
}

Result<AssembleOutput> assemble(std::string_view ptx, const AssembleOptions& options, const NvPtxCompilerApi* api) {
  if (!api) api = linkedPtxCompiler();
  if (!api) return noAssembler();
  Compiler compiler(*api);
  RAD_TRY(run(compiler, ptx, options, *api, false));
  AssembleOutput output;
  std::size_t size = 0;
  int status = api->GetCompiledProgramSize(compiler.get(), &size);
  if (status == 0 && size != 0) {
    output.cubin.resize(size);
    status = api->GetCompiledProgram(compiler.get(), output.cubin.data());
  }
  if (status != 0 || size == 0)
    return fail(statusError(ErrorCategory::Image, "nvPTXCompilerGetCompiledProgram", status,
                            "the assembler made no code for '" + options.name + "'", "", compiler.errorLog()));
  output.log = compiler.infoLog();
  output.info = takeResources(output.log);
  return output;
}

Status checkPtx(std::string_view ptx, const AssembleOptions& options, const NvPtxCompilerApi* api) {
  if (!api) api = linkedPtxCompiler();
  if (!api) return noAssembler();
  Compiler compiler(*api);
  return run(compiler, ptx, options, *api, true);
}

}  // namespace rad::rt

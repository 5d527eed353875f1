// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/toolkit/compile_cuda.h"

#include "runtime/toolkit/compat.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

namespace rad::rt {
namespace {

constexpr int statusMemory = 1, statusOption = 5, statusBuiltins = 7, statusName = 10, statusTimeFile = 12,
              statusNoHeaders = 13, statusHeap = 14, statusCancelled = 16, statusTraceFile = 17;

constexpr std::array<const char*, 18> nvrtcStatusNames = {"NVRTC_SUCCESS",
                                                          "NVRTC_ERROR_OUT_OF_MEMORY",
                                                          "NVRTC_ERROR_PROGRAM_CREATION_FAILURE",
                                                          "NVRTC_ERROR_INVALID_INPUT",
                                                          "NVRTC_ERROR_INVALID_PROGRAM",
                                                          "NVRTC_ERROR_INVALID_OPTION",
                                                          "NVRTC_ERROR_COMPILATION",
                                                          "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE",
                                                          "NVRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION",
                                                          "NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION",
                                                          "NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID",
                                                          "NVRTC_ERROR_INTERNAL_ERROR",
                                                          "NVRTC_ERROR_TIME_FILE_WRITE_FAILED",
                                                          "NVRTC_ERROR_NO_PCH_CREATE_ATTEMPTED",
                                                          "NVRTC_ERROR_PCH_CREATE_HEAP_EXHAUSTED",
                                                          "NVRTC_ERROR_PCH_CREATE",
                                                          "NVRTC_ERROR_CANCELLED",
                                                          "NVRTC_ERROR_TIME_TRACE_FILE_WRITE_FAILED"};

constexpr std::array<RefusedOption, 11> refusedCudaOptions = {{
    {"modify-stack-limit", "it changes the stack limit of the whole process"},
    {"optix-ir", "Raddle cannot load what it makes"},
    {"arch", "the field `target` says it"},
    {"gpu-architecture", "the field `target` says it"},
    {"dlto", "the field `output` says it"},
    {"dlink-time-opt", "the field `output` says it"},
    {"fdevice-time-trace",
     "the field `timeTrace` says it; a path that cannot "
     "be written would end the process"},
    {"pch", "the field `precompiledHeaders` says it"},
    {"create-pch", "the field `precompiledHeaders` says it"},
    {"use-pch", "the field `precompiledHeaders` says it"},
    {"ewp", "whole programs with open functions are not loaded by Raddle"},
}};

class CudaProgram {
 public:
  explicit CudaProgram(const NvrtcApi& api) : api_(api) {}
  ~CudaProgram() {
    if (handle_) api_.DestroyProgram(&handle_);
  }
  CudaProgram(const CudaProgram&) = delete;
  CudaProgram& operator=(const CudaProgram&) = delete;
  void** out() { return &handle_; }
  void* get() const { return handle_; }
  std::string log() const {
    const auto bytes = read(api_.GetProgramLogSize, api_.GetProgramLog);
    std::string out(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    out.resize(std::min(out.find('\0'), out.size()));
    while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
    return out;
  }
  std::vector<std::byte> read(int (*sizeOf)(void*, std::size_t*), int (*get)(void*, char*)) const {
    std::size_t size = 0;  // stays as it is when nothing was compiled
    if (!handle_ || sizeOf(handle_, &size) != 0 || size == 0) return {};
    std::vector<std::byte> out(size);
    if (get(handle_, reinterpret_cast<char*>(out.data())) != 0) return {};
    return out;
  }

 private:
  const NvrtcApi& api_;
  void* handle_ = nullptr;
};

Error nvrtcError(const char* call, int status, std::string message, std::string log, std::string advice = {}) {
  Error error;
  switch (status) {
    case statusMemory: error.category = ErrorCategory::Resources; break;
    case statusOption: error.category = ErrorCategory::Misuse; break;
    case statusBuiltins:
    case statusTimeFile:
    case statusTraceFile: error.category = ErrorCategory::System; break;
    default: error.category = ErrorCategory::Image;
  }
  error.call = call;
  error.code = status;
  error.codeName = status >= 0 && std::size_t(status) < nvrtcStatusNames.size()
                       ? nvrtcStatusNames[std::size_t(status)]
                       : "NVRTC_ERROR_" + std::to_string(status);
  error.message = std::move(message);
  error.log = std::move(log);
  error.advice = std::move(advice);
  return error;
}

std::unexpected<Error> wrongOption(std::string message, std::string advice = {}) {
  return fail(ErrorCategory::Misuse, std::move(message), std::move(advice));
}

/// The target as NVRTC wants it: a cubin is for a real GPU, all else for a
/// virtual one.
Result<std::string> targetText(const CudaCompileOptions& options) {
  std::string real = options.target;
  if (real.starts_with("compute_")) real.replace(0, 7, "sm");
  RAD_ASSIGN(const GpuTarget target, readTarget(real));
  if (options.output == CudaOutput::Cubin && real != options.target)
    return wrongOption("'" + options.target +
                           "' is no GPU that machine code "
                           "can be made for",
                       "Write " + real + ", or ask for PTX.");
  if (options.float128 && target.sm < 100)
    return wrongOption("float128 needs sm_100 or newer, and the target is " + options.target);
  if (options.output != CudaOutput::Cubin) real.replace(0, 2, "compute");
  return real;
}

Result<std::vector<std::string>> cudaOptions(const CudaCompileOptions& options) {
  RAD_ASSIGN(std::string target, targetText(options));
  RAD_TRY(refuseOptions(options.extra, refusedCudaOptions, "NVRTC"));
  if (options.maxRegisters > 255)
    return wrongOption("the register limit is " + std::to_string(options.maxRegisters) +
                       "; it must be 1 to 255, or 0 for none");
  constexpr std::array<unsigned, 5> standards = {3, 11, 14, 17, 20};
  if (std::ranges::find(standards, options.standard) == standards.end())
    return wrongOption("NVRTC does not compile C++" + std::to_string(options.standard),
                       "It knows C++03, 11, 14, 17 and 20.");
  // By default NVRTC raises the stack limit of the whole process meanwhile.
  std::vector<std::string> out = {"-arch=" + std::move(target), "-modify-stack-limit=false"};
  auto add = [&](bool wanted, std::string text) {
    if (wanted) out.push_back(std::move(text));
  };
  const bool lto = options.output == CudaOutput::LtoIr;
  add(lto, "-dlto");
  add(options.relocatable || lto, "-rdc=true");
  add(options.debug, "-G");
  add(options.lineInfo && !options.debug, "-lineinfo");
  constexpr std::array<const char*, 4> speeds = {"0", "min", "mid", "max"};
  add(options.fast != FastCompile::Off, std::string("-Ofc=") + speeds[std::size_t(options.fast)]);
  add(options.maxRegisters != 0, "-maxrregcount=" + std::to_string(options.maxRegisters));
  add(options.splitCompile != 1, "-split-compile=" + std::to_string(options.splitCompile));
  out.push_back(options.standard == 3 ? "-std=c++03" : "-std=c++" + std::to_string(options.standard));
  for (const std::string& define : options.defines) out.push_back("-D" + define);
  for (const std::string& folder : options.includeFolders) out.push_back("-I" + folder);
  add(options.fastMath, "-use_fast_math");
  add(options.flushDenormals, "-ftz=true");
  add(!options.preciseDivision, "-prec-div=false");
  add(!options.preciseRoot, "-prec-sqrt=false");
  add(!options.contract, "-fmad=false");
  add(options.int128, "-device-int128");
  add(options.float128, "-device-float128");
  add(options.minimal, "-minimal");
  add(options.syntaxOnly, "-fdevice-syntax-only");
  add(!options.warnings, "-w");
  for (unsigned number : options.suppressed) out.push_back("-diag-suppress=" + std::to_string(number));
  for (unsigned number : options.asErrors) out.push_back("-diag-error=" + std::to_string(number));
  for (const std::string& option : options.ptxas) out.push_back("-Xptxas=" + option);
  if (!options.precompiledHeaders.empty()) {
    out.push_back("-pch");
    out.push_back("-pch-dir=" + options.precompiledHeaders);
  }
  add(!options.randomSeed.empty(), "-frandom-seed=" + options.randomSeed);
  add(!options.cache, "-no-cache");
  add(!options.timeTrace.empty(), "-fdevice-time-trace=" + options.timeTrace);
  out.insert(out.end(), options.extra.begin(), options.extra.end());
  return out;
}

/// NVRTC ends the process when it cannot write the file.
Status checkTraceFile(const std::string& path) {
  if (path.empty()) return {};
  const std::string file = path.ends_with(".json") ? path : path + ".json";
  std::FILE* opened = path == "-" ? nullptr : std::fopen(file.c_str(), "ab");
  if (!opened)
    return fail(ErrorCategory::System, "the times of the compiler cannot be written to '" + file + "'",
                "Name a file in a folder that exists.");
  std::fclose(opened);
  return {};
}

HeaderCache headerCacheOf(const NvrtcApi& api, void* program, std::string& log) {
  const int status = api.GetPCHCreateStatus(program);
  if (status == 0) return HeaderCache::Made;
  if (status == statusNoHeaders) return HeaderCache::NotMade;
  if (status == statusHeap) {
    // The heap is the whole process's; the next compile has enough.
    std::size_t needed = 0;
    if (api.GetPCHHeapSizeRequired(program, &needed) == 0 && needed != 0) api.SetPCHHeapSize(needed + needed / 4);
    log += (log.empty() ? "" : "\n") + std::string(
                                           "the headers were too large to keep: the next compile "
                                           "has room for them");
  }
  return HeaderCache::Failed;
}

Error explainFailure(int status, const CudaCompileOptions& options, const NvrtcApi& api, std::string log) {
  const char* call = "nvrtcCompileProgram";
  const std::string about = "'" + options.name + "' does not compile for " + options.target;
  switch (status) {
    case statusCancelled: return nvrtcError(call, status, "compiling '" + options.name + "' was cancelled", log);
    case statusOption:
      return nvrtcError(call, status, "NVRTC does not take its options: " + log.substr(0, log.find('\n')), log);
    case statusBuiltins: {
      const std::string release = Release{api.major, api.minor}.text();
      return nvrtcError(call, status, "NVRTC cannot use its builtins library", log,
                        "libnvrtc-builtins.so." + release + " has to lie beside '" + api.path + "': install NVRTC " +
                            release + " as a whole.");
    }
    default: return nvrtcError(call, status, about, log);
  }
}

int stopWhenSet(void* payload, void*) { return static_cast<const std::atomic<bool>*>(payload)->load() ? 1 : 0; }

}  // namespace

Result<CudaCompileOutput> compileCuda(std::string_view source, const CudaCompileOptions& options) {
  RAD_ASSIGN(const std::vector<std::string> texts, cudaOptions(options));
  const NvrtcApi* api = options.api;
  if (!api) {
    RAD_ASSIGN(api, NvrtcApi::get());
  }
  if (source.find('\0') != std::string_view::npos)
    return fail(ErrorCategory::Image, "'" + options.name + "' is no text");
  RAD_TRY(checkTraceFile(options.timeTrace));
  const std::string text(source);
  std::vector<const char*> headers, headerNames, pointers;
  for (const CudaHeader& header : options.headers) {
    headers.push_back(header.text.c_str());
    headerNames.push_back(header.name.c_str());
  }
  CudaProgram program(*api);
  if (int status = api->CreateProgram(program.out(), text.c_str(), options.name.c_str(),
                                      static_cast<int>(headers.size()), headers.data(), headerNames.data()))
    return fail(nvrtcError("nvrtcCreateProgram", status, "NVRTC does not take '" + options.name + "'", ""));
  for (const std::string& name : options.names)
    if (int status = api->AddNameExpression(program.get(), name.c_str()))
      return fail(nvrtcError("nvrtcAddNameExpression", status, "NVRTC does not take the name '" + name + "'", ""));
  if (options.cancel)
    api->SetFlowCallback(program.get(), stopWhenSet, const_cast<void*>(static_cast<const void*>(options.cancel)));
  for (const std::string& option : texts) pointers.push_back(option.c_str());
  if (int status = api->CompileProgram(program.get(), static_cast<int>(pointers.size()), pointers.data()))
    return fail(explainFailure(status, options, *api, program.log()));

  CudaCompileOutput output;
  output.log = program.log();
  if (!options.precompiledHeaders.empty()) output.headerCache = headerCacheOf(*api, program.get(), output.log);
  if (options.syntaxOnly) return output;
  switch (options.output) {
    case CudaOutput::Ptx:
      output.image = program.read(api->GetPTXSize, api->GetPTX);
      while (!output.image.empty() && output.image.back() == std::byte(0)) output.image.pop_back();
      break;
    case CudaOutput::Cubin: output.image = program.read(api->GetCUBINSize, api->GetCUBIN); break;
    case CudaOutput::LtoIr: output.image = program.read(api->GetLTOIRSize, api->GetLTOIR); break;
  }
  if (output.image.empty())
    return fail(nvrtcError("nvrtcCompileProgram", 0, "NVRTC made no code for '" + options.name + "'", output.log));
  for (const std::string& name : options.names) {
    const char* lowered = nullptr;
    const int status = api->GetLoweredName(program.get(), name.c_str(), &lowered);
    if (status != 0 || !lowered)
      return fail(nvrtcError("nvrtcGetLoweredName", status ? status : statusName,
                             "'" + options.name + "' has no '" + name + "'", output.log));
    output.lowered.emplace(name, lowered);
  }
  return output;
}

}  // namespace rad::rt

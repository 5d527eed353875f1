// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/engine/pipeline.h"

#include "runtime/base/warning_sink.h"
#include "runtime/dynlib/toolkit_discovery.h"
#include "runtime/engine/embedded.h"
#include "runtime/files/file.h"
#include "runtime/toolkit/assemble.h"
#include "runtime/toolkit/compat.h"
#include "runtime/toolkit/compile_cuda.h"
#include "runtime/toolkit/fatbin.h"
#include "runtime/toolkit/link.h"

#include <fmt/format.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <deque>
#include <filesystem>

namespace rad::rt {
namespace {

/// A failure of LLVM on a module of ours: the environment (no libdevice) or our own bug.
template <class T>
std::unexpected<Error> codegenFailure(const cg::CodegenResult<T>& result) {
  return fail(ErrorCategory::Image, result.error());
}

std::string_view asText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool isCudaText(const LinkFile& file) { return file.path.ends_with(".cu"); }

/// CUDA C++ as an object to link: its headers are looked for beside it and in the toolkits in sight.
Result<std::vector<std::byte>> compileLinkFile(const LinkFile& file, std::string_view target, bool lineInfo) {
  CudaCompileOptions options;
  options.target = target;
  options.output = CudaOutput::Cubin;
  options.relocatable = true;
  options.lineInfo = lineInfo;
  options.name = file.path;
  auto folder = std::filesystem::path(file.path).parent_path();
  options.includeFolders.push_back(folder.empty() ? "." : folder.string());
  for (const auto& place : toolkitLibraryPlaces()) {
    std::error_code ignored;
    auto include = std::filesystem::path(place.directory) / "../include";
    if (std::filesystem::exists(include / "cuda_fp16.h", ignored)) {
      options.includeFolders.push_back(include.string());
      if (std::filesystem::exists(include / "cccl", ignored))
        options.includeFolders.push_back((include / "cccl").string());
      break;
    }
  }
  auto compiled = compileCuda(asText(file.bytes), options);
  if (!compiled) return std::unexpected(std::move(compiled).error());
  if (!compiled->log.empty()) warn(compiled->log);
  return std::move(compiled->image);
}

}  // namespace

std::span<const LibraryText> builtinLibrary() {
  static const std::vector<LibraryText> modules = [] {
    std::vector<LibraryText> result;
    for (const auto& file : embeddedStdlib()) {
      auto name = file.name;
      if (name.ends_with(".rad")) name.remove_suffix(4);
      result.push_back({name, file.text});
    }
    return result;
  }();
  return modules;
}

Result<std::string> readFile(const std::string& path) {
  const bool standardInput = path == "-";
  std::FILE* file = standardInput ? stdin : std::fopen(path.c_str(), "rb");
  auto cannot = [&] {
    auto error = fail(ErrorCategory::System, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
    error.error().page = fileAccessCode;
    return error;
  };
  if (!file) return cannot();
  std::string text;
  char block[65536];
  while (size_t count = std::fread(block, 1, sizeof block, file)) text.append(block, count);
  const bool failed = std::ferror(file) != 0;
  auto error = cannot();
  if (!standardInput) std::fclose(file);
  if (failed) return error;
  return text;
}

Result<LinkFile> readLinkFile(const std::string& path) {
  RAD_ASSIGN(auto text, readFile(path));
  auto bytes = std::as_bytes(std::span(text));
  return LinkFile{path, {bytes.begin(), bytes.end()}};
}

Result<std::string> makePtx(const TypedProgram& program, std::span<const KernelId> kernels, std::string_view target,
                            const cg::SpecKey& spec, const PipelineOptions& options, const SourceManager& sources,
                            StageTimes* times) {
  auto codegen = options.codegen;
  if (codegen.libdevice.empty()) codegen.libdevice = embeddedLibdevice();
  auto module = [&] {
    StageTimer timer(times, Stage::Lower);
    return cg::lowerCudaKernels(program, kernels, target, spec, codegen, sources);
  }();
  if (!module) return codegenFailure(module);
  auto optimized = [&] {
    StageTimer timer(times, Stage::Optimize);
    return cg::optimize(*module->module, codegen);
  }();
  if (!optimized) return codegenFailure(optimized);
  StageTimer timer(times, Stage::EmitPtx);
  auto ptx = cg::emitPtx(*module->module, codegen);
  if (!ptx) return codegenFailure(ptx);
  return std::move(*ptx);
}

Result<std::vector<std::byte>> makeCubin(const std::string& ptx, std::string_view target,
                                         const PipelineOptions& options, StageTimes* times,
                                         std::vector<AssembledEntry>* resources) {
  AssembleOptions assembleOptions;
  assembleOptions.target = target;
  assembleOptions.optLevel = options.codegen.optLevel == 0 ? 0 : 3;
  assembleOptions.relocatable = options.relocatable || !options.linkFiles.empty();
  assembleOptions.debug = options.codegen.debug;
  assembleOptions.lineInfo = options.codegen.lineInfo && !options.codegen.debug;

  ImageCache cache(options.cacheFolder);
  std::string key;
  if (!options.cacheFolder.empty()) {
    RAD_ASSIGN(auto assembler, assemblerInfo());
    std::string version = fmt::format("image 1 nvptxcompiler {}.{}", assembler.major, assembler.minor);
    std::string switches = fmt::format("O{} c{} l{} g{}", assembleOptions.optLevel, assembleOptions.relocatable,
                                       assembleOptions.lineInfo, assembleOptions.debug);
    std::vector<std::string_view> parts = {version, target, switches, ptx};
    for (const auto& file : options.linkFiles) parts.push_back(asText(file.bytes));
    // What CUDA C++ includes is not part of the key.
    if (std::ranges::none_of(options.linkFiles, isCudaText)) key = ImageCache::key(parts);
    if (!key.empty() && !resources)
      if (auto image = cache.find(key)) return std::move(*image);
  }

  auto assembled = [&] {
    StageTimer timer(times, Stage::Assemble);
    return assemble(ptx, assembleOptions);
  }();
  if (!assembled) return std::unexpected(assembled.error());
  if (resources) *resources = assembled->info;
  std::vector<std::byte> image = std::move(assembled->cubin);
  if (!options.linkFiles.empty()) {
    StageTimer timer(times, Stage::Link);
    std::vector<LinkInput> inputs;
    inputs.push_back({.name = "the program", .bytes = image, .target = std::string(target)});
    std::deque<std::vector<std::byte>> compiled;
    for (const auto& file : options.linkFiles) {
      std::span<const std::byte> bytes = file.bytes;
      if (isCudaText(file)) {
        RAD_ASSIGN(auto object, compileLinkFile(file, target, options.codegen.lineInfo));
        bytes = compiled.emplace_back(std::move(object));
      }
      inputs.push_back({.name = file.path, .bytes = bytes, .target = {}});
    }
    LinkOptions linkOptions;
    linkOptions.target = target;
    RAD_ASSIGN(auto linked, link(inputs, linkOptions));
    image = std::move(linked.cubin);
  }
  if (!key.empty()) cache.store(key, image);
  return image;
}

Result<std::vector<std::byte>> makeFatbin(std::span<const std::string> targets,
                                          const std::function<Result<std::string>(const std::string&)>& ptx,
                                          const PipelineOptions& options, StageTimes* times) {
  std::deque<std::vector<std::byte>> cubins;
  std::vector<FatbinInput> inputs;
  std::string text;
  for (const auto& target : targets) {
    RAD_ASSIGN(text, ptx(target));
    RAD_ASSIGN(auto cubin, makeCubin(text, target, options, times));
    inputs.push_back(
        {.name = "the program", .target = target, .bytes = cubins.emplace_back(std::move(cubin)), .identifier = {}});
  }
  // Linked code has no PTX of its own.
  RAD_ASSIGN(auto last, readTarget(targets.back()));
  if (options.linkFiles.empty() && !last.suffix)
    inputs.push_back(
        {.name = "the program", .target = targets.back(), .bytes = std::as_bytes(std::span(text)), .identifier = {}});
  return packFatbin(inputs, {});
}

Result<cg::IrModule> makeScriptModule(const TypedProgram& program, std::string_view symbol,
                                      const PipelineOptions& options, const SourceManager& sources, StageTimes* times) {
  auto module = [&] {
    StageTimer timer(times, Stage::Lower);
    return cg::lowerScript(program, symbol, options.codegen, sources);
  }();
  if (!module) return codegenFailure(module);
  StageTimer timer(times, Stage::Optimize);
  if (auto done = cg::optimize(*module->module, options.codegen); !done) return codegenFailure(done);
  return std::move(*module);
}

Result<cg::IrModule> makeHostKernelModule(const TypedProgram& program, std::span<const KernelId> kernels,
                                          const cg::SpecKey& spec, const PipelineOptions& options,
                                          const SourceManager& sources, StageTimes* times) {
  auto module = [&] {
    StageTimer timer(times, Stage::Lower);
    return cg::lowerHostKernels(program, kernels, spec, options.codegen, sources);
  }();
  if (!module) return codegenFailure(module);
  StageTimer timer(times, Stage::Optimize);
  if (auto done = cg::optimize(*module->module, options.codegen); !done) return codegenFailure(done);
  if (options.codegen.interruptible) cg::makeInterruptible(*module->module);
  return std::move(*module);
}

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/lex/lex.h"
#include "frontend/parse/parse.h"
#include "frontend/target/target.h"
#include "runtime/engine/embedded.h"
#include "runtime/engine/explain_launch.h"
#include "runtime/toolkit/assemble.h"
#include "runtime/toolkit/disassemble.h"
#include "tools/raddle/commands.h"

#include <fmt/format.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/MemoryBuffer.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace rad::tool {
namespace {

/// The result of a build: text, or bytes that are no text.
struct Output {
  std::string text;
  bool isBinary = false;
};
using BuildResult = rt::Result<Output>;

/// How one build ended that is not an error of the environment.
struct Outcome {
  bool rejected = false;
  Output output;
};

std::unexpected<rt::Error> misuse(std::string message, std::string advice = {}) {
  // UserProgram: what was asked for cannot be, as a wrong program cannot.
  return rt::fail(rt::ErrorCategory::UserProgram, std::move(message), std::move(advice));
}

std::optional<cg::SpecKey> parseSpec(std::string_view text) {
  cg::SpecKey spec;
  if (text == "none") return spec;
  while (!text.empty()) {
    auto comma = text.find(',');
    auto word = text.substr(0, comma);
    if (word == "aligned16") spec.aligned16 = true;
    else if (word == "inner4") spec.innerDivisible4 = true;
    else if (word == "small") spec.small = true;
    else if (word == "inrange") spec.inRange = true;
    else if (word == "aliased") spec.aliased = true;
    else return std::nullopt;
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return spec;
}

/// The targets of --arch: several for a fatbin.
std::vector<std::string> targetsOf(const BuildCommand& command) {
  std::vector<std::string> out;
  std::string_view rest = command.arch;
  while (command.emit == "fatbin") {
    const auto comma = rest.find(',');
    if (comma == std::string_view::npos) break;
    out.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(comma + 1);
  }
  out.emplace_back(rest);
  return out;
}

Output binary(const std::vector<std::byte>& bytes) {
  return {std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), true};
}

BuildResult fromPtx(const std::string& ptx, const BuildCommand& command, const rt::PipelineOptions& options,
                    rt::StageTimes& times) {
  if (command.emit == "ptx") return Output{ptx, false};
  auto cubin = rt::makeCubin(ptx, command.arch, options, &times);
  if (!cubin) return std::unexpected(cubin.error());
  if (command.emit == "cubin") return binary(*cubin);
  auto sass = rt::disassemble(*cubin);
  if (!sass) return std::unexpected(sass.error());
  return Output{std::move(*sass), false};
}

template <class T>
std::unexpected<rt::Error> internal(const cg::CodegenResult<T>& result) {
  return rt::fail(rt::ErrorCategory::Image, result.error());
}

BuildResult fromModule(cg::IrModule module, const BuildCommand& command, const rt::PipelineOptions& options,
                       rt::StageTimes& times) {
  if (auto done = cg::optimize(*module.module, options.codegen); !done) return internal(done);
  if (command.emit == "llvm-opt") return Output{cg::printIr(*module.module), false};
  if (command.arch == "host") {
    if (command.emit == "obj") {
      auto object = cg::emitObject(*module.module, options.codegen);
      if (!object) return internal(object);
      return Output{(*object)->getBuffer().str(), true};
    }
    auto text = cg::emitAssembly(*module.module, options.codegen);
    if (!text) return internal(text);
    return Output{std::move(*text), false};
  }
  auto ptx = cg::emitPtx(*module.module, options.codegen);
  if (!ptx) return internal(ptx);
  return fromPtx(*ptx, command, options, times);
}

/// Host: the script first, then the kernels, as two modules.
BuildResult buildHost(const TypedProgram& program, std::span<const KernelId> kernels, const cg::SpecKey& spec,
                      const BuildCommand& command, const rt::PipelineOptions& options, const SourceManager& sources,
                      rt::StageTimes& times) {
  std::string text;
  auto add = [&](cg::CodegenResult<cg::IrModule> module) -> rt::Result<void> {
    if (!module) return internal(module);
    if (command.emit == "llvm") {
      text += cg::printIr(*module->module);
      return {};
    }
    auto result = fromModule(std::move(*module), command, options, times);
    if (!result) return std::unexpected(result.error());
    text += result->text;
    return {};
  };
  if (command.emit == "obj") {
    if (kernels.empty()) return misuse(fmt::format("{}: no kernel to make an object of", command.file));
    auto module = cg::lowerHostKernels(program, kernels, spec, options.codegen, sources);
    if (!module) return internal(module);
    return fromModule(std::move(*module), command, options, times);
  }
  if (auto done = add(cg::lowerScript(program, "raddle.script", options.codegen, sources)); !done)
    return std::unexpected(done.error());
  if (!kernels.empty())
    if (auto done = add(cg::lowerHostKernels(program, kernels, spec, options.codegen, sources)); !done)
      return std::unexpected(done.error());
  return Output{std::move(text), false};
}

/// What the compiler makes of each kernel, and what it takes where the assembler can say so.
rt::Result<void> explainKernels(const TypedProgram& program, std::span<const KernelId> kernels, const cg::SpecKey& spec,
                                const BuildCommand& command, const rt::PipelineOptions& options,
                                const SourceManager& sources, Diagnostics& diagnostics, rt::StageTimes& times) {
  std::vector<rt::AssembledEntry> resources;
  if (command.arch != "host" && !kernels.empty()) {
    auto ptx = rt::makePtx(program, kernels, command.arch, spec, options, sources, &times);
    if (!ptx) return std::unexpected(ptx.error());
    if (auto cubin = rt::makeCubin(*ptx, command.arch, options, &times, &resources); !cubin)
      return std::unexpected(cubin.error());
  }
  const cg::UnitManifest manifest = cg::makeManifest(program, sources);
  for (KernelId id : kernels) {
    const auto entry = std::ranges::find(resources, program.kernels[id.value].symbol, &rt::AssembledEntry::name);
    const rt::AssembledEntry* takes = entry == resources.end() ? nullptr : &*entry;
    if (command.common.remarks && takes) rt::remarkSpills(program, id, *takes, diagnostics);
    if (command.common.explainLaunch)
      printExplanation(rt::explainLaunch(program, id, manifest.kernels[id.value], command.arch, spec, takes,
                                         {1, static_cast<unsigned>(kernels.size())}));
  }
  return {};
}

rt::Result<Outcome> buildProgram(const std::string& text, const BuildCommand& command,
                                 const rt::PipelineOptions& options, const cg::SpecKey& spec, rt::StageTimes& times) {
  SourceManager sources;
  Interner names;
  Diagnostics diagnostics;
  FileId file = sources.add(command.file == "-" ? "<stdin>" : command.file, text);
  if (!file.valid()) return misuse("the program is too large: texts of one session may have 2 GiB together");

  // A build with errors says so once; with --verify the messages are what is built.
  auto finish = [&](Output output) -> rt::Result<Outcome> {
    if (command.verify) {
      auto differences = verifyExpectations(diagnostics, sources, file);
      printDifferences(differences);
      return Outcome{!differences.empty(), {}};
    }
    printDiagnostics(diagnostics, sources);
    return Outcome{diagnostics.hasErrors(), std::move(output)};
  };

  if (command.emit == "tokens") return finish({dumpTokens(file, sources), false});
  auto ast = [&] {
    rt::StageTimer timer(&times, rt::Stage::Parse);
    return parse(file, sources, names, diagnostics);
  }();
  if (command.emit == "ast") return finish({dump(ast, sources, names), false});

  Session session(sources, names, rt::builtinLibrary(), rt::fileLoader());
  session.setBuildAllKernels(true);
  session.setVerifyProofs(command.common.verifyProofs);
  auto program = [&] {
    rt::StageTimer timer(&times, rt::Stage::Check);
    return session.check(std::move(ast), diagnostics);
  }();
  if (!program) return finish({});
  if (command.common.remarks)
    for (uint32_t i = 0; i < program->kernels.size(); ++i) {
      findRemarks(*program, {i}, sources, diagnostics);
      cg::remarkAccesses(*program, {i}, sources, diagnostics);
    }
  if (command.emit == "typed") return finish({dump(*program, sources), false});
  if (command.verify) return finish({});

  std::vector<KernelId> kernels;
  for (uint32_t i = 0; i < program->kernels.size(); ++i) kernels.push_back({i});
  if (command.common.explainLaunch || command.common.remarks)
    if (auto done = explainKernels(*program, kernels, spec, command, options, sources, diagnostics, times); !done)
      return std::unexpected(done.error());
  if (command.arch == "host") {
    auto output = buildHost(*program, kernels, spec, command, options, sources, times);
    if (!output) return std::unexpected(output.error());
    return finish(std::move(*output));
  }
  const bool hasExports = std::ranges::any_of(program->functions, &Function::isExported);
  if (kernels.empty() && !hasExports)
    return misuse(fmt::format("{}: no kernel to build for {}", command.file, command.arch),
                  "Declare a kernel, give a function an @export, or build the host statements with --arch host.");
  rt::PipelineOptions withExports = options;
  withExports.codegen.exports = hasExports;
  withExports.relocatable = hasExports;
  if (command.emit == "llvm" || command.emit == "llvm-opt") {
    auto codegen = withExports.codegen;
    if (codegen.libdevice.empty()) codegen.libdevice = embeddedLibdevice();
    auto module = cg::lowerCudaKernels(*program, kernels, command.arch, spec, codegen, sources);
    if (!module) return internal(module);
    if (command.emit == "llvm") return finish({cg::printIr(*module->module), false});
    auto output = fromModule(std::move(*module), command, options, times);
    if (!output) return std::unexpected(output.error());
    return finish(std::move(*output));
  }
  auto makePtx = [&](const std::string& target) {
    return rt::makePtx(*program, kernels, target, spec, withExports, sources, &times);
  };
  if (command.emit == "fatbin") {
    auto fatbin = rt::makeFatbin(targetsOf(command), makePtx, withExports, &times);
    if (!fatbin) return std::unexpected(fatbin.error());
    return finish(binary(*fatbin));
  }
  auto ptx = makePtx(command.arch);
  if (!ptx) return std::unexpected(ptx.error());
  auto output = fromPtx(*ptx, command, withExports, times);
  if (!output) return std::unexpected(output.error());
  return finish(std::move(*output));
}

BuildResult buildFrom(const std::string& text, const BuildCommand& command, const rt::PipelineOptions& options,
                      rt::StageTimes& times) {
  if (command.emit == "tokens" || command.emit == "ast" || command.emit == "typed" ||
      (command.from == "ptx" && command.emit.starts_with("llvm")))
    return misuse(fmt::format("--emit={} lies before --from={}", command.emit, command.from));
  if (command.emit == "fatbin") return misuse("--emit=fatbin compiles for several targets: it starts from a program");
  if (command.from == "ptx") return fromPtx(text, command, options, times);
  auto module = cg::parseIr(text, command.file);
  if (!module) return rt::fail(rt::ErrorCategory::UserProgram, module.error());
  if (command.emit == "llvm") return Output{cg::printIr(*module->module), false};
  return fromModule(std::move(*module), command, options, times);
}

int write(const Output& output, const BuildCommand& command) {
  std::string path = command.output;
  if (path.empty() && output.isBinary) {
    if (command.file == "-")
      return refuse(exitUsage, fmt::format("{} is no text: name a file with -o",
                                           command.emit == "obj" ? "an object" : "a " + command.emit));
    path = std::filesystem::path(command.file).stem().string() + (command.emit == "obj" ? ".o" : "." + command.emit);
  }
  if (path.empty() || path == "-") {
    std::fwrite(output.text.data(), 1, output.text.size(), stdout);
    return std::fflush(stdout) == 0 ? exitOk : exitEnvironment;
  }
  std::ofstream file(path, std::ios::binary);
  file.write(output.text.data(), static_cast<std::streamsize>(output.text.size()));
  file.close();
  if (!file) return refuse(exitEnvironment, fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  return exitOk;
}

}  // namespace

int build(const BuildCommand& command) {
  auto spec = parseSpec(command.spec);
  if (!spec)
    return refuse(exitUsage, fmt::format("--spec {}: the facts are aligned16, inner4, small, inrange and aliased, "
                                         "comma-separated, or none",
                                         command.spec));
  if (command.arch != "host") {
    for (const auto& name : targetsOf(command))
      if (auto target = findTarget(name); !target || target->isHost)
        return refuse(exitUsage, fmt::format("--arch {}: unknown target; known are host, {}", name, targetList()));
    if (command.emit == "asm" || command.emit == "obj")
      return refuse(exitUsage, fmt::format("--emit={} is for --arch host; a GPU's machine code is --emit={}",
                                           command.emit, command.emit == "asm" ? "sass" : "cubin"));
  } else if (command.emit == "ptx" || command.emit == "cubin" || command.emit == "fatbin" || command.emit == "sass") {
    return refuse(
        exitUsage,
        fmt::format("--emit={} needs a GPU target: --arch sm_90; the host's machine code is --emit=asm", command.emit));
  }
  auto options = pipelineOptions(command.common);
  if (!options) return report(options.error());
  auto text = rt::readFile(command.file);
  if (!text) return report(text.error());

  std::string besidePtx;
  if (!command.beside.empty()) {
    auto ptx = rt::readFile(command.beside);
    if (!ptx) return report(ptx.error());
    besidePtx = std::move(*ptx);
  }
  using Clock = std::chrono::steady_clock;
  auto since = [](Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  };

  Outcome last;
  for (unsigned i = 0; i < command.repeat; ++i) {
    rt::StageTimes times;
    auto start = Clock::now();
    if (!command.from.empty()) {
      auto output = buildFrom(*text, command, *options, times);
      if (!output) return report(output.error());
      last.output = std::move(*output);
    } else {
      auto outcome = buildProgram(*text, command, *options, *spec, times);
      if (!outcome) return report(outcome.error());
      last = std::move(*outcome);
    }
    double wall = since(start);
    double beside = 0;
    if (!besidePtx.empty()) {
      start = Clock::now();
      rt::AssembleOptions alone;
      alone.target = command.arch;
      if (auto done = rt::assemble(besidePtx, alone); !done) return report(done.error());
      beside = since(start);
    }
    if (command.common.time == "text") fmt::print(stderr, "{}{:<10} {:9.3f} ms\n", times.text(), "wall", wall);
    if (command.common.time == "json") {
      auto json = times.json();
      json.pop_back();
      if (!besidePtx.empty()) json += fmt::format(", \"beside\": {:.4f}", beside);
      fmt::print(stderr, "{}, \"wall\": {:.4f}}}\n", json, wall);
    }
    if (last.rejected) return exitProgram;
  }
  if (command.verify) return exitOk;
  return write(last.output, command);
}

}  // namespace rad::tool

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The compile stages in their order, with their times, as the engine and `raddle build` run them.
#pragma once

#include "codegen/codegen.h"
#include "frontend/sema/sema.h"
#include "runtime/base/result.h"
#include "runtime/engine/image_cache.h"
#include "runtime/engine/stage_times.h"
#include "runtime/toolkit/assemble.h"

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rad::rt {

/// A file to link with (`--link`): PTX text, a cubin, LTO-IR, a fatbin, a host object or an archive of nvcc, or CUDA
/// C++ (".cu"), which NVRTC compiles for the target.
struct LinkFile {
  std::string path;
  std::vector<std::byte> bytes;
};

struct PipelineOptions {
  cg::CodegenOptions codegen;
  std::vector<LinkFile> linkFiles;
  bool relocatable = false;   // cubins stay open for other linkers: functions with an @export are in them
  bool verifyProofs = false;  // keep index checks that were proven superfluous: one that fails shows a wrong proof
  /// The folder of the image cache; empty: none.
  std::string cacheFolder;
};

/// The library that is built into the binary, one module a file.
std::span<const LibraryText> builtinLibrary();
/// Reads files for imports, relative to the importing file.
FileLoader fileLoader();

/// Reads a file; the error names it and the system's reason.
Result<std::string> readFile(const std::string& path);
Result<LinkFile> readLinkFile(const std::string& path);

/// Typed kernels to PTX for a target such as "sm_90a".
Result<std::string> makePtx(const TypedProgram& program, std::span<const KernelId> kernels, std::string_view target,
                            const cg::SpecKey& spec, const PipelineOptions& options, const SourceManager& sources,
                            StageTimes* times);

/// The program for several GPUs: `ptx` gives its text for a target. A cubin for each target, and the PTX of the last,
/// for later GPUs, unless it is for one GPU or family alone.
Result<std::vector<std::byte>> makeFatbin(std::span<const std::string> targets,
                                          const std::function<Result<std::string>(const std::string&)>& ptx,
                                          const PipelineOptions& options, StageTimes* times);

/// PTX to a cubin that can be loaded: assembled, and linked when there are objects to link with. From the cache if it
/// is there, unless `resources` wants to know what each kernel takes.
Result<std::vector<std::byte>> makeCubin(const std::string& ptx, std::string_view target,
                                         const PipelineOptions& options, StageTimes* times,
                                         std::vector<AssembledEntry>* resources = nullptr);

/// The optimised module of the unit's host statements, its entry named `symbol`.
Result<cg::IrModule> makeScriptModule(const TypedProgram& program, std::string_view symbol,
                                      const PipelineOptions& options, const SourceManager& sources, StageTimes* times);
/// The optimised module of native kernels.
Result<cg::IrModule> makeHostKernelModule(const TypedProgram& program, std::span<const KernelId> kernels,
                                          const cg::SpecKey& spec, const PipelineOptions& options,
                                          const SourceManager& sources, StageTimes* times);

}  // namespace rad::rt

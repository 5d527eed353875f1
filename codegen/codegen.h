// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Code generation as the engine and the command line see it: typed program -> LLVM module -> PTX or host code.
#pragma once

#include "codegen/artifact/artifact.h"
#include "frontend/sema/typed_program.h"

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rad {
class Diagnostics;
}
namespace llvm {
class LLVMContext;
class MemoryBuffer;
class Module;
class TargetMachine;
}  // namespace llvm

namespace rad::cg {

/// An LLVM module with the context that owns its types. The context outlives the module.
struct IrModule {
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module;
  std::vector<SiteManifest>
      accesses;  // CodegenOptions::checkAccesses(): the places that kernels tell the runtime of, by number
  IrModule();
  IrModule(IrModule&&) noexcept;
  IrModule& operator=(IrModule&&) noexcept;
  ~IrModule();
};

enum class FpMode : uint8_t { Default, Strict, Fast };

struct CodegenOptions {
  unsigned optLevel = 2;   // 0: no optimisation beyond what correctness needs, 2: full
  bool unchecked = false;  // drop every index check (--unchecked): for measuring what they cost
  FpMode fp = FpMode::Default;
  bool lineInfo = true;       // .loc lines in PTX
  bool debug = false;         // -g: variables and types for debuggers, and no optimisation that would hide them
  bool exports = false;       // functions that have an @export as well (CUDA): for `raddle build`
  bool checkUniform = false;  // --check=barrier: uniform() is verified on CUDA too (the host always does)
  bool checkRaces = false;    // --check=race, uninit: kernels for CPU threads tell the runtime of each access
  bool checkUninitialised = false;
  bool checkAccesses() const { return checkRaces || checkUninitialised; }
  bool interruptible = false;  // code for the host looks at rad_interrupt_word in its loops (an interactive session)
  std::span<const std::byte> libdevice;  // bitcode of libdevice; empty: accurate math is unavailable on CUDA
};

/// What went wrong that is not the user's program: a broken libdevice, a target LLVM does not have.
using CodegenError = std::string;
template <class T>
using CodegenResult = std::expected<T, CodegenError>;

/// What the runtime calls the type of an array's element, or of a scalar or vector.
ElementType elementTypeOf(const TypeTable& types, TypeId id);
/// The launch interface of every kernel of a unit, and its places. `sources` gives names and lines.
UnitManifest makeManifest(const TypedProgram& program, const SourceManager& sources);

/// How the geometry of a kernel is chosen for a target ("sm_90", "host") and what the variant may rely on.
GeometryManifest chooseGeometry(const TypedProgram& program, KernelId kernel, std::string_view target,
                                const SpecKey& spec);

/// A remark where a forall kernel does not access memory 16 bytes at a time, and why.
void remarkAccesses(const TypedProgram& program, KernelId kernel, const SourceManager& sources,
                    Diagnostics& diagnostics);
/// A place in the program as the runtime's messages name it: `kind` is Other, `text` what stands there.
SiteManifest placeManifest(Range range, const SourceManager& sources);

/// Kernels for an NVPTX target ("sm_80", "sm_90a"), before optimisation. Extern functions stay declarations.
CodegenResult<IrModule> lowerCudaKernels(const TypedProgram& program, std::span<const KernelId> kernels,
                                         std::string_view target, const SpecKey& spec, const CodegenOptions& options,
                                         const SourceManager& sources);
/// Kernels as native functions (cg::NativeKernel) for this machine's CPU, before optimisation.
CodegenResult<IrModule> lowerHostKernels(const TypedProgram& program, std::span<const KernelId> kernels,
                                         const SpecKey& spec, const CodegenOptions& options,
                                         const SourceManager& sources);
/// The unit's host statements as `int32_t <symbol>(RadContext*)` (runtime/api/host_abi.h), its host functions and its
/// globals.
CodegenResult<IrModule> lowerScript(const TypedProgram& program, std::string_view symbol, const CodegenOptions& options,
                                    const SourceManager& sources);
/// Bytes of scratch that the native form of a kernel needs (cg::NativeKernel), known after lowerHostKernels: read from
/// the module's global constant `<symbol>.scratch_bytes` (i64).

/// Runs the pass pipeline for the module's own target in place.
CodegenResult<void> optimize(llvm::Module& module, const CodegenOptions& options);
/// Makes the kernels of an optimised host module return once rad_interrupt_word is not 0: loops that may take long look
/// at it in each round. What a kernel that was stopped has written is unspecified.
void makeInterruptible(llvm::Module& module);
/// PTX text of an optimised NVPTX module.
CodegenResult<std::string> emitPtx(llvm::Module& module, const CodegenOptions& options);
/// Assembly text of an optimised host module.
CodegenResult<std::string> emitAssembly(llvm::Module& module, const CodegenOptions& options);
/// An ELF object of an optimised host module.
CodegenResult<std::unique_ptr<llvm::MemoryBuffer>> emitObject(llvm::Module& module, const CodegenOptions& options);
/// Parses textual LLVM IR (`--from=llvm`).
CodegenResult<IrModule> parseIr(std::string_view text, std::string_view name);
std::string printIr(const llvm::Module& module);

/// This machine's CPU and features, as optimize() and the JIT must use: a target machine for host code.
/// It belongs to the calling thread, until that ends.
CodegenResult<llvm::TargetMachine*> hostTargetMachine(const CodegenOptions& options);

}  // namespace rad::cg

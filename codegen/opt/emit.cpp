// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From optimised modules to text or bytes: PTX, assembly or an object for this machine.
#include "codegen/opt/targets.h"

#include <llvm/ADT/DenseSet.h>
#include <llvm/ADT/STLExtras.h>
#include <llvm/ADT/SmallString.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/Pass.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

namespace rad::cg {
namespace {

/// What LLVM's back end adds and kernels do not need. A name that LLVM changes only costs its time again.
enum class LeftOut { Nothing, Host, Ptx };

/// Loop strength reduction takes half the time of the back end. The addresses in our loops are a base and the counter
/// already: x86 adds them in the access itself.
constexpr llvm::StringRef leftOutOnHost[] = {"Loop Strength Reduction", "Canonicalize Freeze Instructions in Loops"};

/// ptxas schedules, moves and combines instructions itself; it finds the same expressions and folds what is left. So
/// what counts is the shape of loops and of addresses. What remains out is what left the machine code of our kernels as
/// it is, or a little shorter: measured over all of examples, conformance tests and benches. Loop strength reduction
/// and block placement have to stay: by them ptxas knows how often loops run. The last lines are for code that kernels
/// do not hold: collected garbage, protected stacks, calls of a C library.
constexpr llvm::StringRef leftOutForPtx[] = {
    "Straight line strength reduction",
    "Nary reassociation",
    "Early CSE",
    "GPU Load and Store Vectorizer",
    "Machine Instruction Scheduler",
    "Early Tail Duplication",
    "Optimize machine instruction PHIs",
    "Remove dead machine instructions",
    "Early Machine Loop Invariant Code Motion",
    "Local Stack Slot Allocation",
    "Stack Slot Coloring",
    "Constant Hoisting",
    "Type-Based Alias Analysis",
    "Scoped NoAlias Alias Analysis",
    "Merge contiguous icmps into a memcmp",
    "Expand memcmp() to load/stores",
    "Replace intrinsics with calls to vector library",
    "Partially inline calls to library functions",
    "ObjC ARC contraction",
    "Prepare callbr",
    "Lower Garbage Collection Instructions",
    "Shadow Stack GC Lowering",
    "Analyze Machine Code For Garbage Collection",
    "Safe Stack instrumentation pass",
    "Insert stack protectors",
    "Fixup Statepoint Caller Saved",
    "Insert fentry calls",
    "Insert XRay ops",
    "Instrument function entry/exit with calls to e.g. mcount() (post inlining)",
    "Live DEBUG_VALUE analysis",
    "Remove Redundant DEBUG_VALUE analysis",
    "Machine Sanitizer Binary Metadata",
    "Stack Frame Layout Analysis"};

/// The passes that LLVM's back end asks for, without those that cost kernels more than they give.
class BackEndPasses final : public llvm::legacy::PassManagerBase {
 public:
  explicit BackEndPasses(LeftOut leftOut) : leftOut_(leftOut) {}
  void add(llvm::Pass* pass) override {
    if (isLeftOut(pass->getPassName())) delete pass;
    else passes_.add(pass);
  }
  void run(llvm::Module& module) { passes_.run(module); }

 private:
  bool isLeftOut(llvm::StringRef name) const {
    switch (leftOut_) {
      case LeftOut::Nothing: return false;
      case LeftOut::Host: return llvm::is_contained(leftOutOnHost, name);
      case LeftOut::Ptx: {
        static const llvm::DenseSet<llvm::StringRef> names(std::begin(leftOutForPtx), std::end(leftOutForPtx));
        return names.contains(name);
      }
    }
    return false;
  }
  const LeftOut leftOut_;
  llvm::legacy::PassManager passes_;
};

LeftOut leftOutFor(const llvm::Module& module, const CodegenOptions& options) {
  if (!module.getTargetTriple().isNVPTX()) return LeftOut::Host;
  return options.optLevel == 0 || options.debug ? LeftOut::Nothing : LeftOut::Ptx;
}

CodegenResult<llvm::SmallString<0>> emit(llvm::Module& module, const CodegenOptions& options,
                                         llvm::CodeGenFileType type) {
  auto machine = targetMachineOf(module, options);
  if (!machine) return std::unexpected(machine.error());
  if (module.getDataLayout().isDefault() || module.getDataLayoutStr().empty())
    module.setDataLayout((*machine)->createDataLayout());
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream out(text);
  BackEndPasses passes(leftOutFor(module, options));
  if ((*machine)->addPassesToEmitFile(passes, out, nullptr, type, /*DisableVerify=*/true))
    return std::unexpected("LLVM cannot make code for this target");
  passes.run(module);
  return text;
}

CodegenResult<std::string> emitText(llvm::Module& module, const CodegenOptions& options) {
  auto text = emit(module, options, llvm::CodeGenFileType::AssemblyFile);
  if (!text) return std::unexpected(std::move(text).error());
  return std::string(text->data(), text->size());
}

}  // namespace

CodegenResult<std::string> emitPtx(llvm::Module& module, const CodegenOptions& options) {
  if (!module.getTargetTriple().isNVPTX())
    return std::unexpected("PTX is made from modules for NVPTX; this one is for " + module.getTargetTriple().str());
  return emitText(module, options);
}

CodegenResult<std::string> emitAssembly(llvm::Module& module, const CodegenOptions& options) {
  return emitText(module, options);
}

CodegenResult<std::unique_ptr<llvm::MemoryBuffer>> emitObject(llvm::Module& module, const CodegenOptions& options) {
  auto bytes = emit(module, options, llvm::CodeGenFileType::ObjectFile);
  if (!bytes) return std::unexpected(std::move(bytes).error());
  return std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(*bytes), module.getModuleIdentifier(),
                                                         /*RequiresNullTerminator=*/false);
}

}  // namespace rad::cg

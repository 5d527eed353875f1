// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From optimised modules to text or bytes: PTX, assembly or an object for this machine.
#include "codegen/opt/targets.h"

#include <llvm/ADT/SmallString.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/Pass.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

namespace rad::cg {
namespace {

/// The passes that LLVM's back end asks for, without those that cost kernels for CPU threads more than they give.
class BackEndPasses final : public llvm::legacy::PassManagerBase {
 public:
  explicit BackEndPasses(bool isHost) : isHost_(isHost) {}
  void add(llvm::Pass* pass) override {
    if (isHost_ && isLeftOut(pass->getPassName())) delete pass;
    else passes_.add(pass);
  }
  void run(llvm::Module& module) { passes_.run(module); }

 private:
  /// Loop strength reduction takes half the time of the back end. The addresses in our loops are a base and the counter already: x86 adds
  /// them in the access itself.
  static bool isLeftOut(llvm::StringRef name) {
    return name == "Loop Strength Reduction" || name == "Canonicalize Freeze Instructions in Loops";
  }
  const bool isHost_;
  llvm::legacy::PassManager passes_;
};

CodegenResult<llvm::SmallString<0>> emit(llvm::Module& module, const CodegenOptions& options, llvm::CodeGenFileType type) {
  auto machine = targetMachineOf(module, options);
  if (!machine) return std::unexpected(machine.error());
  if (module.getDataLayout().isDefault() || module.getDataLayoutStr().empty())
    module.setDataLayout((*machine)->createDataLayout());
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream out(text);
  BackEndPasses passes(!module.getTargetTriple().isNVPTX());
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
  return std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(*bytes), module.getModuleIdentifier(), /*RequiresNullTerminator=*/false);
}

}  // namespace rad::cg

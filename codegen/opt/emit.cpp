// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From optimised modules to text: PTX, or assembly for this machine.
#include "codegen/opt/targets.h"

#include <llvm/ADT/SmallString.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

namespace rad::cg {
namespace {

CodegenResult<std::string> emitText(llvm::Module& module, const CodegenOptions& options) {
  auto machine = targetMachineOf(module, options);
  if (!machine) return std::unexpected(machine.error());
  if (module.getDataLayout().isDefault() || module.getDataLayoutStr().empty())
    module.setDataLayout((*machine)->createDataLayout());
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream out(text);
  llvm::legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, out, nullptr, llvm::CodeGenFileType::AssemblyFile,
                                      /*DisableVerify=*/true))
    return std::unexpected("LLVM cannot print assembly for this target");
  passes.run(module);
  return std::string(text.data(), text.size());
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

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/opt/libdevice.h"

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Module.h>
#include <llvm/Linker/Linker.h>
#include <llvm/Support/Error.h>
#include <llvm/Support/MemoryBuffer.h>

#include <fmt/format.h>

namespace rad::cg {

CodegenResult<void> linkLibdevice(llvm::Module& module, std::span<const std::byte> libdevice) {
  std::vector<std::string> wanted;
  for (const llvm::Function& function : module)
    if (function.isDeclaration() && function.getName().starts_with("__nv_")) wanted.push_back(function.getName().str());
  if (wanted.empty()) return {};
  if (libdevice.empty())
    return std::unexpected(
        fmt::format("`{}` of libdevice is needed, but this build of raddle carries no libdevice: rebuild with a CUDA "
                    "toolkit (or the nvidia-nvvm package)",
                    wanted.front()));

  llvm::MemoryBufferRef buffer(llvm::StringRef(reinterpret_cast<const char*>(libdevice.data()), libdevice.size()),
                               "libdevice");
  llvm::Expected<std::unique_ptr<llvm::Module>> library =
      llvm::getLazyBitcodeModule(buffer, module.getContext(), /*ShouldLazyLoadMetadata=*/true);
  if (!library) return std::unexpected("libdevice is not readable: " + llvm::toString(library.takeError()));
  (*library)->setTargetTriple(module.getTargetTriple());
  (*library)->setDataLayout(module.getDataLayout());
  if (llvm::NamedMDNode* flags = (*library)->getModuleFlagsMetadata()) flags->eraseFromParent();
  if (llvm::NamedMDNode* ident = (*library)->getNamedMetadata("llvm.ident")) ident->eraseFromParent();
  std::vector<std::string> before;
  if (llvm::Linker::linkModules(module, std::move(*library), llvm::Linker::LinkOnlyNeeded))
    return std::unexpected("linking libdevice failed");

  llvm::StringRef cpu;
  for (const llvm::Function& function : module)
    if (llvm::Attribute attribute = function.getFnAttribute("target-cpu");
        attribute.isValid() && !function.getName().starts_with("__nv_"))
      cpu = attribute.getValueAsString();
  for (llvm::Function& function : module) {
    if (function.isDeclaration() || !function.getName().starts_with("__nv_")) continue;
    function.setLinkage(llvm::GlobalValue::InternalLinkage);
    function.removeFnAttr(llvm::Attribute::OptimizeNone);
    function.removeFnAttr(llvm::Attribute::NoInline);
    function.addFnAttr(llvm::Attribute::AlwaysInline);
    function.addFnAttr("target-cpu", cpu);
  }
  for (llvm::GlobalVariable& global : module.globals())
    if (global.hasInitializer() && global.getName().starts_with("__cudart"))
      global.setLinkage(llvm::GlobalValue::InternalLinkage);
  for (const std::string& name : wanted) {
    llvm::Function* function = module.getFunction(name);
    if (function && function->isDeclaration())
      return std::unexpected(fmt::format("libdevice has no function `{}`", name));
  }

  // __nvvm_reflect("__CUDA_FTZ") chooses between flushing denormals and keeping them: we keep them. Other questions:
  // no.
  if (llvm::Function* reflect = module.getFunction("__nvvm_reflect")) {
    for (llvm::User* user : llvm::make_early_inc_range(reflect->users())) {
      auto* call = llvm::cast<llvm::CallInst>(user);
      call->replaceAllUsesWith(llvm::ConstantInt::get(call->getType(), 0));
      call->eraseFromParent();
    }
    reflect->eraseFromParent();
  }
  return {};
}

}  // namespace rad::cg

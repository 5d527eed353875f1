// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/opt/libdevice.h"

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Module.h>
#include <llvm/Linker/Linker.h>
#include <llvm/Support/Error.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>

#include <fmt/format.h>

#include <map>
#include <mutex>

namespace rad::cg {
namespace {

/// One function of libdevice and what it calls, as a module of its own.
CodegenResult<std::string> extract(std::span<const std::byte> libdevice, const std::string& name) {
  llvm::LLVMContext context;
  llvm::MemoryBufferRef buffer(llvm::StringRef(reinterpret_cast<const char*>(libdevice.data()), libdevice.size()),
                               "libdevice");
  llvm::Expected<std::unique_ptr<llvm::Module>> library =
      llvm::getLazyBitcodeModule(buffer, context, /*ShouldLazyLoadMetadata=*/true);
  if (!library) return std::unexpected("libdevice is not readable: " + llvm::toString(library.takeError()));
  llvm::Function* function = (*library)->getFunction(name);
  if (!function) return std::unexpected(fmt::format("libdevice has no function `{}`", name));
  if (llvm::NamedMDNode* flags = (*library)->getModuleFlagsMetadata()) flags->eraseFromParent();
  if (llvm::NamedMDNode* ident = (*library)->getNamedMetadata("llvm.ident")) ident->eraseFromParent();
  llvm::Module part(name, context);
  part.setTargetTriple((*library)->getTargetTriple());
  part.setDataLayout((*library)->getDataLayout());
  llvm::Function::Create(function->getFunctionType(), llvm::GlobalValue::ExternalLinkage, name, part);
  if (llvm::Linker::linkModules(part, std::move(*library), llvm::Linker::LinkOnlyNeeded))
    return std::unexpected(fmt::format("taking `{}` out of libdevice failed", name));
  // Tables and helpers that several functions share have to meet again by name.
  for (llvm::GlobalObject& object : part.global_objects())
    if (object.hasInternalLinkage()) object.setLinkage(llvm::GlobalValue::LinkOnceODRLinkage);
  std::string bitcode;
  llvm::raw_string_ostream out(bitcode);
  llvm::WriteBitcodeToFile(part, out);
  return bitcode;
}

/// The same, remembered: reading the tables of the whole library takes a millisecond, one function none.
CodegenResult<const std::string*> functionBitcode(std::span<const std::byte> libdevice, const std::string& name) {
  using Key = std::pair<const std::byte*, std::string>;
  static std::mutex& mutex = *new std::mutex;  // both live to the end: other threads may still compile
  static std::map<Key, std::string>& known = *new std::map<Key, std::string>;
  std::lock_guard lock(mutex);
  auto [entry, isNew] = known.try_emplace({libdevice.data(), name});
  if (isNew) {
    auto bitcode = extract(libdevice, name);
    if (!bitcode) {
      known.erase(entry);
      return std::unexpected(bitcode.error());
    }
    entry->second = std::move(*bitcode);
  }
  return &entry->second;
}

}  // namespace

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

  for (const std::string& name : wanted) {
    auto bitcode = functionBitcode(libdevice, name);
    if (!bitcode) return std::unexpected(bitcode.error());
    auto part = llvm::parseBitcodeFile(llvm::MemoryBufferRef(**bitcode, name), module.getContext());
    if (!part) return std::unexpected("libdevice is not readable: " + llvm::toString(part.takeError()));
    (*part)->setTargetTriple(module.getTargetTriple());
    (*part)->setDataLayout(module.getDataLayout());
    if (llvm::Linker::linkModules(module, std::move(*part), llvm::Linker::LinkOnlyNeeded))
      return std::unexpected("linking libdevice failed");
  }

  llvm::StringRef cpu;
  for (const llvm::Function& function : module)
    if (llvm::Attribute attribute = function.getFnAttribute("target-cpu");
        attribute.isValid() && !function.getName().starts_with("__nv_"))
      cpu = attribute.getValueAsString();
  for (llvm::Function& function : module) {
    if (function.isDeclaration()) continue;
    bool isHelper = function.hasLinkOnceLinkage();
    if (!isHelper && !function.getName().starts_with("__nv_")) continue;
    function.setLinkage(llvm::GlobalValue::InternalLinkage);
    function.addFnAttr("target-cpu", cpu);
    if (isHelper) continue;
    function.removeFnAttr(llvm::Attribute::OptimizeNone);
    function.removeFnAttr(llvm::Attribute::NoInline);
    function.addFnAttr(llvm::Attribute::AlwaysInline);
  }
  for (llvm::GlobalVariable& global : module.globals())
    if (global.hasLinkOnceLinkage()) global.setLinkage(llvm::GlobalValue::InternalLinkage);
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

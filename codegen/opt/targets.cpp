// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/opt/targets.h"

#include <llvm/ADT/StringMap.h>
#include <llvm/ADT/StringSet.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/SubtargetFeature.h>
#include <llvm/TargetParser/Triple.h>

#include <fmt/format.h>

#include <mutex>

namespace rad::cg {
namespace {

llvm::CodeGenOptLevel levelOf(const CodegenOptions& options) {
  return options.optLevel == 0 ? llvm::CodeGenOptLevel::None : llvm::CodeGenOptLevel::Default;
}

const llvm::Target* lookUp(const llvm::Triple& triple, std::string& error) {
  initializeTargets();
  return llvm::TargetRegistry::lookupTarget(triple, error);
}

llvm::TargetOptions targetOptions() {
  llvm::TargetOptions result;
  // Contraction is decided per instruction by the lowering, so that @strict kernels stay exact.
  result.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return result;
}

/// The calling thread's machine for a target. Making one takes a good part of a small kernel's compile, and a compile
/// asks several times: to lay out data, to optimise, to emit. One must not serve two threads at once, so each thread
/// keeps its own.
std::unique_ptr<llvm::TargetMachine>& kept(std::string_view target, const CodegenOptions& options) {
  thread_local llvm::StringMap<std::unique_ptr<llvm::TargetMachine>> machines;
  return machines[fmt::format("{} {} {}", target, static_cast<int>(levelOf(options)), options.debug)];
}

}  // namespace

void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
  });
}

CodegenResult<llvm::TargetMachine*> cudaTargetMachine(std::string_view target, const CodegenOptions& options) {
  std::unique_ptr<llvm::TargetMachine>& machine = kept(target, options);
  if (machine) return machine.get();
  llvm::Triple triple(cudaTriple);
  std::string error;
  const llvm::Target* found = lookUp(triple, error);
  if (!found) return std::unexpected(fmt::format("this build's LLVM cannot make PTX: {}", error));
  std::string cpu(target);
  // Asked first: a target machine for an unknown one complains on standard error and goes on.
  std::unique_ptr<llvm::MCSubtargetInfo> known(found->createMCSubtargetInfo(triple, "", ""));
  if (!known || !known->isCPUStringValid(cpu))
    return std::unexpected(fmt::format("LLVM {} does not know the GPU architecture `{}`", LLVM_VERSION_STRING, target));
  // Debug sections in PTX need ISA 7.5, more than older architectures ask for.
  const std::string number = cpu.substr(3, cpu.find_first_not_of("0123456789", 3) - 3);
  const bool isOld = cpu.starts_with("sm_") && number.size() == 2 && number < "89";
  machine.reset(found->createTargetMachine(triple, cpu, options.debug && isOld ? "+ptx75" : "", targetOptions(),
                                           std::nullopt, std::nullopt, levelOf(options)));
  if (!machine) return std::unexpected(fmt::format("LLVM refused to make a target machine for {}", target));
  return machine.get();
}

CodegenResult<llvm::TargetMachine*> hostTargetMachine(const CodegenOptions& options) {
  std::unique_ptr<llvm::TargetMachine>& machine = kept("host", options);
  if (machine) return machine.get();
  llvm::Triple triple(llvm::sys::getProcessTriple());
  std::string error;
  const llvm::Target* found = lookUp(triple, error);
  if (!found) return std::unexpected(fmt::format("this build's LLVM cannot make code for {}: {}", triple.str(), error));
  // Asking the processor is slow, and so is reading the answer, many times a module: only what the processor's name
  // does not imply.
  static const auto [cpu, features] = [&] {
    std::string name = llvm::sys::getHostCPUName().str();
    std::unique_ptr<llvm::MCSubtargetInfo> plain(found->createMCSubtargetInfo(triple, name, ""));
    llvm::StringSet<> implied;
    if (plain)
      for (const auto& feature : plain->getEnabledProcessorFeatures()) implied.insert(feature.Key);
    llvm::SubtargetFeatures different;
    for (const auto& feature : llvm::sys::getHostCPUFeatures())
      if (implied.contains(feature.first()) != feature.second) different.AddFeature(feature.first(), feature.second);
    return std::pair(name, different.getString());
  }();
  machine.reset(found->createTargetMachine(triple, cpu, features, targetOptions(), llvm::Reloc::PIC_,
                                           llvm::CodeModel::Small, levelOf(options), /*JIT=*/true));
  if (!machine) return std::unexpected(fmt::format("LLVM refused to make a target machine for {}", triple.str()));
  return machine.get();
}

CodegenResult<llvm::TargetMachine*> targetMachineOf(const llvm::Module& module, const CodegenOptions& options) {
  if (!module.getTargetTriple().isNVPTX()) return hostTargetMachine(options);
  for (const llvm::Function& function : module) {
    if (llvm::Attribute cpu = function.getFnAttribute("target-cpu"); cpu.isValid())
      return cudaTargetMachine(cpu.getValueAsString().str(), options);
  }
  return std::unexpected(
      "the module is for NVPTX but no function says for which architecture: give one the attribute "
      "\"target-cpu\"=\"sm_80\"");
}

}  // namespace rad::cg

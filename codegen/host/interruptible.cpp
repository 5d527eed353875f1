// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels that an interactive session can stop.
#include "codegen/host/host_module.h"

#include <llvm/Analysis/AssumptionCache.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/ScalarEvolution.h>
#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/MDBuilder.h>

namespace rad::cg {

llvm::Value* isInterrupted(llvm::IRBuilderBase& builder) {
  llvm::Module& module = *builder.GetInsertBlock()->getModule();
  llvm::Type* type = builder.getInt32Ty();
  auto* load = builder.CreateAlignedLoad(type, module.getOrInsertGlobal("rad_interrupt_word", type), llvm::Align(4));
  load->setAtomic(llvm::AtomicOrdering::Monotonic);
  return builder.CreateICmpNE(load, builder.getInt32(0));
}

void makeInterruptible(llvm::Module& module) {
  constexpr unsigned fewRounds = 4096;  // over before anybody notices, unless the loop holds another one
  for (llvm::Function& function : module) {
    // What kernels call gives values on which they rely: it runs to its end.
    if (function.isDeclaration() || function.hasLocalLinkage() || !function.getReturnType()->isVoidTy()) continue;
    llvm::SmallVector<llvm::BasicBlock*, 8> headers;
    {
      llvm::DominatorTree dominators(function);
      llvm::LoopInfo loops(dominators);
      llvm::TargetLibraryInfoImpl libraryImpl(module.getTargetTriple());
      llvm::TargetLibraryInfo library(libraryImpl);
      llvm::AssumptionCache assumptions(function);
      llvm::ScalarEvolution evolution(function, library, assumptions, dominators, loops);
      for (llvm::Loop* loop : loops.getLoopsInPreorder()) {
        const unsigned rounds = evolution.getSmallConstantMaxTripCount(loop);
        if (rounds == 0 || rounds > fewRounds) headers.push_back(loop->getHeader());
      }
    }
    if (headers.empty()) continue;
    llvm::LLVMContext& context = module.getContext();
    auto* stopped = llvm::BasicBlock::Create(context, "interrupted", &function);
    llvm::ReturnInst::Create(context, stopped);
    for (llvm::BasicBlock* header : headers) {
      llvm::BasicBlock* rest = header->splitBasicBlock(header->getFirstNonPHIIt(), "round");
      header->getTerminator()->eraseFromParent();
      llvm::IRBuilder<> builder(header);
      builder.CreateCondBr(isInterrupted(builder), stopped, rest,
                           llvm::MDBuilder(context).createUnlikelyBranchWeights());
    }
  }
}

}  // namespace rad::cg

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

namespace {

/// Which loops have to look. A loop that is over within so many instructions, with the loops in it, does not: that is a
/// millisecond, or some tens of them where many are calls of mathematical functions.
constexpr uint64_t mostInstructions = uint64_t{1} << 20;

class LoopsThatLook {
 public:
  LoopsThatLook(const llvm::LoopInfo& loops, llvm::ScalarEvolution& evolution) : loops_(loops), evolution_(evolution) {
    for (llvm::Loop* loop : loops) visit(*loop);
  }
  llvm::SmallVector<llvm::BasicBlock*, 8> headers;

 private:
  /// The most instructions from the loop's beginning to its end or to where one of its loops looks.
  uint64_t visit(llvm::Loop& loop) {
    uint64_t round = 0;
    for (llvm::Loop* inner : loop) round += visit(*inner);
    for (const llvm::BasicBlock* block : loop.blocks())
      if (loops_.getLoopFor(block) == &loop) round += block->size();
    const uint64_t rounds = evolution_.getSmallConstantMaxTripCount(&loop);
    if (rounds != 0 && rounds * round <= mostInstructions) return rounds * round;
    headers.push_back(loop.getHeader());
    return round;
  }
  const llvm::LoopInfo& loops_;
  llvm::ScalarEvolution& evolution_;
};

}  // namespace

void makeInterruptible(llvm::Module& module) {
  for (llvm::Function& function : module) {
    // What kernels call gives values on which they rely: it runs to its end. (Functions of programs are part of the
    // kernel.)
    if (function.isDeclaration() || function.hasLocalLinkage() || !function.getReturnType()->isVoidTy()) continue;
    llvm::SmallVector<llvm::BasicBlock*, 8> headers;
    {
      llvm::DominatorTree dominators(function);
      llvm::LoopInfo loops(dominators);
      llvm::TargetLibraryInfoImpl libraryImpl(module.getTargetTriple());
      llvm::TargetLibraryInfo library(libraryImpl);
      llvm::AssumptionCache assumptions(function);
      llvm::ScalarEvolution evolution(function, library, assumptions, dominators, loops);
      headers = LoopsThatLook(loops, evolution).headers;
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

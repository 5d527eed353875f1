// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/host/host_module.h"

#include "codegen/opt/lanes/lanes.h"
#include "frontend/builtins/builtins.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/Target/TargetMachine.h>

namespace rad::cg {

CodegenResult<IrModule> makeHostModule(const std::string& name, const CodegenOptions& options) {
  auto machine = hostTargetMachine(options);
  if (!machine) return std::unexpected(machine.error());
  IrModule made;
  if (!made.context) made.context = std::make_unique<llvm::LLVMContext>();
  made.module = std::make_unique<llvm::Module>(name, *made.context);
  made.module->setTargetTriple((*machine)->getTargetTriple());
  made.module->setDataLayout((*machine)->createDataLayout());
  made.module->setPICLevel(llvm::PICLevel::BigPIC);
  return made;
}

LowerOptions hostLowerOptions(const CodegenOptions& options) {
  LowerOptions made;
  made.fp = options.fp;
  made.unchecked = options.unchecked;
  made.interruptible = options.interruptible;
  made.narrowIndices = false;
  return made;
}

llvm::Value* emitLibraryMath(FunctionLowering& f, Math op, llvm::ArrayRef<llvm::Value*> operands) {
  auto& b = f.builder();
  llvm::Type* type = operands.front()->getType();
  if (op == Math::Rsqrt) {
    llvm::Value* root = b.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, operands.front());
    return b.CreateFDiv(llvm::ConstantFP::get(type, 1.0), root);
  }
  std::string name(infoOf(op).libm);
  if (type->isFloatTy()) name += 'f';
  llvm::SmallVector<llvm::Type*, 3> types(operands.size(), type);
  auto callee = f.module().getOrInsertFunction(name, llvm::FunctionType::get(type, types, false));
  auto* function = llvm::cast<llvm::Function>(callee.getCallee());
  function->setDoesNotAccessMemory();  // errno is nobody's concern here
  function->setDoesNotThrow();
  function->setWillReturn();
  llvm::CallInst* call = b.CreateCall(callee, operands);
  if (!f.fastMathFlags().allowContract()) call->addFnAttr(llvm::Attribute::get(f.context(), exactMathMark));  // strict
  return call;
}

CountedLoop beginLoop(FunctionLowering& f, llvm::Value* begin, llvm::Value* end, const char* name) {
  auto& b = f.builder();
  CountedLoop loop;
  loop.end = end;
  llvm::BasicBlock* before = b.GetInsertBlock();
  llvm::BasicBlock* body = f.newBlock(name);
  loop.next = f.newBlock("next");
  loop.done = f.newBlock("done");
  b.CreateCondBr(b.CreateICmpSLT(begin, end), body, loop.done);
  f.placeAt(body);
  loop.counter = b.CreatePHI(b.getInt64Ty(), 2, name);
  loop.counter->addIncoming(begin, before);
  return loop;
}

void endLoop(FunctionLowering& f, const CountedLoop& loop, llvm::MDNode* parallelGroup) {
  auto& b = f.builder();
  llvm::LLVMContext& context = f.context();
  f.branchTo(loop.next);
  loop.next->moveAfter(b.GetInsertBlock());
  loop.done->moveAfter(loop.next);
  f.placeAt(loop.next);
  llvm::Value* following = b.CreateAdd(loop.counter, b.getInt64(1), "", /*HasNUW=*/true, /*HasNSW=*/true);
  loop.counter->addIncoming(following, loop.next);
  llvm::Instruction* branch =
      b.CreateCondBr(b.CreateICmpSLT(following, loop.end), loop.counter->getParent(), loop.done);
  if (parallelGroup) {
    llvm::Metadata* accesses[] = {llvm::MDString::get(context, "llvm.loop.parallel_accesses"), parallelGroup};
    auto flag = [&](const char* name) { return llvm::MDNode::get(context, llvm::MDString::get(context, name)); };
    llvm::Metadata* parts[] = {nullptr, llvm::MDNode::get(context, accesses), flag(itemLoopMark),
                               flag("llvm.loop.unroll.disable")};
    llvm::MDNode* node = llvm::MDNode::getDistinct(context, parts);
    node->replaceOperandWith(0, node);
    branch->setMetadata(llvm::LLVMContext::MD_loop, node);
  }
  f.placeAt(loop.done);
}

}  // namespace rad::cg

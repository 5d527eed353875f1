// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/host/access_checks.h"

#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Module.h>

namespace rad::cg {

namespace {

llvm::FunctionCallee accessFunction(llvm::Module& module, const char* name, llvm::ArrayRef<llvm::Value*> arguments) {
  llvm::SmallVector<llvm::Type*, 4> types;
  for (llvm::Value* argument : arguments) types.push_back(argument->getType());
  llvm::FunctionCallee callee = module.getOrInsertFunction(
      name, llvm::FunctionType::get(llvm::Type::getVoidTy(module.getContext()), types, false));
  auto* function = llvm::cast<llvm::Function>(callee.getCallee());
  function->setDoesNotThrow();
  function->setOnlyAccessesInaccessibleMemory();
  function->setWillReturn();
  return callee;
}

/// Memory of the thread alone, or that nothing writes: a parameter that is not `mut` shares no element with one that
/// is, unless every point keeps to its own.
bool isSafe(const llvm::Value* address) {
  const llvm::Value* object = llvm::getUnderlyingObject(address, /*MaxLookup=*/0);
  if (const auto* argument = llvm::dyn_cast<llvm::Argument>(object)) return argument->onlyReadsMemory();
  return llvm::isa<llvm::AllocaInst>(object) || llvm::isa<llvm::GlobalVariable>(object);
}

}  // namespace

void emitAccessCall(FunctionLowering& f, const char* name, llvm::ArrayRef<llvm::Value*> arguments) {
  f.builder().CreateCall(accessFunction(f.module(), name, arguments), arguments);
}

void instrumentAccesses(llvm::Function& body, const AccessPlaces& places) {
  llvm::Module& module = *body.getParent();
  const llvm::DataLayout& layout = module.getDataLayout();
  llvm::SmallVector<llvm::Instruction*, 64> instructions;
  for (llvm::Instruction& instruction : llvm::instructions(body)) instructions.push_back(&instruction);
  for (llvm::Instruction* instruction : instructions) {
    const auto place = places.of(*instruction);
    if (!place) continue;
    llvm::IRBuilder<> b(instruction);
    auto tell = [&](llvm::Value* address, llvm::Value* bytes, AccessWhat what) {
      if (isSafe(address)) return;
      llvm::Value* arguments[] = {address, bytes, b.getInt32(*place), b.getInt32(static_cast<uint32_t>(what))};
      b.CreateCall(accessFunction(module, "rad_access", arguments), arguments);
    };
    auto bytesOf = [&](llvm::Type* type) { return b.getInt64(layout.getTypeStoreSize(type).getFixedValue()); };
    auto scoped = [](AccessWhat what, llvm::SyncScope::ID scope) {
      return scope == llvm::SyncScope::SingleThread ? what | AccessWhat::BlockScope : what;
    };
    if (auto* load = llvm::dyn_cast<llvm::LoadInst>(instruction)) {
      const AccessWhat what =
          load->isAtomic() ? scoped(AccessWhat::Reads | AccessWhat::Atomic, load->getSyncScopeID()) : AccessWhat::Reads;
      tell(load->getPointerOperand(), bytesOf(load->getType()), what);
    } else if (auto* store = llvm::dyn_cast<llvm::StoreInst>(instruction)) {
      const AccessWhat what = store->isAtomic()
                                  ? scoped(AccessWhat::Writes | AccessWhat::Atomic, store->getSyncScopeID())
                                  : AccessWhat::Writes;
      tell(store->getPointerOperand(), bytesOf(store->getValueOperand()->getType()), what);
    } else if (auto* update = llvm::dyn_cast<llvm::AtomicRMWInst>(instruction)) {
      const bool isExchange = update->getOperation() == llvm::AtomicRMWInst::Xchg;
      const AccessWhat what =
          (isExchange && update->use_empty() ? AccessWhat::Writes : AccessWhat::Reads | AccessWhat::Writes) |
          AccessWhat::Atomic;
      tell(update->getPointerOperand(), bytesOf(update->getType()), scoped(what, update->getSyncScopeID()));
    } else if (auto* exchange = llvm::dyn_cast<llvm::AtomicCmpXchgInst>(instruction)) {
      tell(exchange->getPointerOperand(), bytesOf(exchange->getNewValOperand()->getType()),
           scoped(AccessWhat::Reads | AccessWhat::Writes | AccessWhat::Atomic, exchange->getSyncScopeID()));
    } else if (auto* fill = llvm::dyn_cast<llvm::MemSetInst>(instruction)) {
      tell(fill->getDest(), fill->getLength(), AccessWhat::Writes);
    } else if (auto* copy = llvm::dyn_cast<llvm::MemTransferInst>(instruction)) {
      tell(copy->getSource(), copy->getLength(), AccessWhat::Reads);
      tell(copy->getDest(), copy->getLength(), AccessWhat::Writes);
    }
  }
}

}  // namespace rad::cg

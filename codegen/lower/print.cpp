// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A line is claimed by one atomic addition and then written at leisure: nobody reads before the launch is over.
#include "codegen/lower/print.h"

#include "codegen/artifact/artifact.h"

#include <llvm/IR/Module.h>

#include <fmt/format.h>

#include <cstddef>

namespace rad::cg {
namespace {

/// void raddle.print<N>(state, site, serial, position, value 0, ...): one for each number of values in a module.
llvm::Function* printFunction(FunctionLowering& f, llvm::Type* pointer, unsigned values) {
  const std::string name = fmt::format("raddle.print{}", values);
  if (llvm::Function* made = f.module().getFunction(name)) return made;
  llvm::LLVMContext& context = f.context();
  llvm::Type* i32 = llvm::Type::getInt32Ty(context);
  llvm::Type* i64 = llvm::Type::getInt64Ty(context);
  llvm::SmallVector<llvm::Type*, 16> types = {pointer, i32, i32, i64};
  types.append(values, i64);
  auto* function = llvm::Function::Create(llvm::FunctionType::get(llvm::Type::getVoidTy(context), types, false),
                                          llvm::GlobalValue::InternalLinkage, name, f.module());
  function->addFnAttr(llvm::Attribute::Cold);
  function->addFnAttr(llvm::Attribute::NoInline);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  if (llvm::Attribute cpu = f.function().getFnAttribute("target-cpu"); cpu.isValid()) function->addFnAttr(cpu);

  auto* entry = llvm::BasicBlock::Create(context, "", function);
  auto* fits = llvm::BasicBlock::Create(context, "fits", function);
  auto* lost = llvm::BasicBlock::Create(context, "lost", function);
  auto* done = llvm::BasicBlock::Create(context, "done", function);
  llvm::IRBuilder<> b(entry);
  auto at = [&](llvm::Value* base, size_t offset) { return b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), base, offset); };
  auto add = [&](llvm::Value* place, uint64_t value) {
    return b.CreateAtomicRMW(llvm::AtomicRMWInst::Add, place, b.getInt64(value), llvm::Align(8),
                             llvm::AtomicOrdering::Monotonic);
  };
  const uint64_t words = sizeof(PrintedLine) / 8 + values;
  llvm::Value* state = b.CreateLoad(pointer, at(function->getArg(0), offsetof(FailureState, print)));
  llvm::Value* start = add(at(state, offsetof(PrintState, used)), words);
  llvm::Value* capacity = b.CreateLoad(i64, at(state, offsetof(PrintState, capacity)));
  b.CreateCondBr(b.CreateICmpULE(b.CreateAdd(start, b.getInt64(words)), capacity), fits, lost);
  b.SetInsertPoint(fits);
  llvm::Value* lines = b.CreateLoad(pointer, at(state, offsetof(PrintState, lines)));
  llvm::Value* line = b.CreateInBoundsGEP(i64, lines, start);
  b.CreateStore(b.getInt32(static_cast<uint32_t>(words)), at(line, offsetof(PrintedLine, words)));
  b.CreateStore(function->getArg(1), at(line, offsetof(PrintedLine, site)));
  b.CreateStore(function->getArg(2), at(line, offsetof(PrintedLine, launch)));
  b.CreateStore(function->getArg(3), at(line, offsetof(PrintedLine, position)));
  for (unsigned i = 0; i < values; ++i) b.CreateStore(function->getArg(4 + i), at(line, sizeof(PrintedLine) + 8 * i));
  b.CreateBr(done);
  b.SetInsertPoint(lost);
  add(at(state, offsetof(PrintState, lost)), 1);
  b.CreateBr(done);
  b.SetInsertPoint(done);
  b.CreateRetVoid();
  return function;
}

}  // namespace

void emitPrintedLine(FunctionLowering& f, llvm::Value* failureState, llvm::Value* serial, SiteId site,
                     llvm::Value* position, llvm::ArrayRef<llvm::Value*> values) {
  llvm::IRBuilder<>& b = f.builder();
  llvm::SmallVector<llvm::Value*, 16> arguments = {failureState, b.getInt32(site.value), serial, position};
  arguments.append(values.begin(), values.end());
  b.CreateCall(printFunction(f, failureState->getType(), values.size()), arguments);
}

}  // namespace rad::cg

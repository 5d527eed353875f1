// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Statements other than loops.
#include "codegen/lower/function_lowering.h"

#include <llvm/IR/MDBuilder.h>

#include <llvm/IR/Module.h>
#include <llvm/Support/ErrorHandling.h>

#include <cassert>

namespace rad::cg {

template <class Node>
void FunctionLowering::lower(const TStmt&, const Node&) {
  llvm::report_fatal_error("Raddle internal error: host-only statement in device code; please report this program");
}

void FunctionLowering::run(std::span<const TStmtId> statements) {
  for (TStmtId statement : statements) {
    if (terminated()) return;  // behind return, break, continue
    run(statement);
  }
}

void FunctionLowering::run(TStmtId id) {
  const TStmt& stmt = program_.stmt(id);
  setPlace(stmt.range);
  if (target_.lowerStmt(*this, id)) return;
  std::visit([&](const auto& node) { lower(stmt, node); }, stmt.node);
}

void FunctionLowering::lower(const TStmt&, const Declare& node) {
  if (node.init) {
    Value value = eval(node.init);
    // A loop runs a declaration again: the memory of the last round is taken, but a value that was bound is not written
    // over.
    writeLocal(node.local, value);
    return;
  }
  LocalSlot& at = slot(node.local);
  if (at.form != LocalSlot::Form::Empty) return;
  if (!inInlinedCall() && target_.storageOf(*this, node.local)) return;
  // Assigned later, perhaps in several branches: needs memory whatever its kind.
  const Local& to = local(node.local);
  llvm::AllocaInst* memory = newAlloca(memoryType(to.type), to.name);
  bindAddress(node.local, memory, memory->getAlign());
}

void FunctionLowering::lower(const TStmt& stmt, const Assign& node) {
  if (const auto* ref = std::get_if<LocalRef>(&program_.expr(node.place).node)) {
    Value value = eval(node.value);
    if (node.op) {
      setPlace(stmt.range);
      value = arithmetic(*node.op, readLocal(ref->local), value, node.site);
    }
    setPlace(stmt.range);
    writeLocal(ref->local, value);
    return;
  }
  Value value = eval(node.value);
  Place place = evalPlace(node.place);
  if (node.op) {
    setPlace(stmt.range);
    value = arithmetic(*node.op, load(place), value, node.site);
  }
  store(place, value);
}

void FunctionLowering::lower(const TStmt&, const Evaluate& node) {
  const TExpr& expr = program_.expr(node.expr);
  if (const auto* call = std::get_if<AtomicCall>(&expr.node)) atomic(expr, *call, /*isUsed=*/false);
  else eval(node.expr);
}

void FunctionLowering::lower(const TStmt&, const If& node) {
  llvm::Value* condition = evalCondition(node.condition);
  if (auto* known = llvm::dyn_cast<llvm::ConstantInt>(condition)) {
    run(known->isOne() ? node.thenBody : node.elseBody);
    return;
  }
  llvm::BasicBlock* then = newBlock("then");
  llvm::BasicBlock* otherwise = node.elseBody.empty() ? nullptr : newBlock("else");
  llvm::BasicBlock* done = newBlock("endif");
  builder_.CreateCondBr(condition, then, otherwise ? otherwise : done);
  placeAt(then);
  runBlock(node.thenBody);
  branchTo(done);
  if (otherwise) {
    otherwise->moveAfter(&function_.back());
    placeAt(otherwise);
    runBlock(node.elseBody);
    branchTo(done);
  }
  done->moveAfter(&function_.back());
  placeAt(done);
  if (done->hasNPredecessors(0)) builder_.CreateUnreachable();
}

void FunctionLowering::lower(const TStmt&, const Break&) { branchTo(frames_.back().loops.back().onBreak); }

void FunctionLowering::lower(const TStmt&, const Continue&) { branchTo(frames_.back().loops.back().onContinue); }

void FunctionLowering::lower(const TStmt&, const Return& node) {
  Value value{program_.types->unit()};
  if (node.value) value = eval(node.value);
  if (terminated()) return;
  Frame& frame = frames_.back();
  if (frame.resultAddress) {
    if (node.value) store({frame.resultAddress, value.type, alignOf(value.type)}, value);
    builder_.CreateBr(frame.returnBlock);
    return;
  }
  if (!inInlinedCall()) {
    builder_.CreateBr(frame.returnBlock);
    return;
  }
  // The call joins what its returns bring: the jump is made there.
  llvm::BasicBlock* here = builder_.GetInsertBlock();
  frame.returns.push_back({value, here});
  placeAt(newBlock("unreached"));
  builder_.CreateUnreachable();
}

void FunctionLowering::lower(const TStmt&, const Scope& node) { runBlock(node.body); }

void FunctionLowering::lower(const TStmt&, const Barrier&) { target_.emitBarrier(*this); }

void FunctionLowering::lower(const TStmt& stmt, const Collective& node) {
  Value value = eval(node.value);
  setPlace(stmt.range);
  llvm::Value* operand = isIndex(value.type) ? wide(value) : value.scalar;
  writeLocal(node.result, scalar(value.type, target_.emitCollective(*this, node, operand, value.type)));
}

/// Sizes that a function's signature repeats: equal, or the launch fails.
void FunctionLowering::lower(const TStmt& stmt, const BindView& node) {
  Value view = eval(node.view);
  for (size_t d = 0; d < node.expected.size(); ++d) {
    const Value& extent = view.view->extents[d];
    if (node.extents[d]) writeLocal(node.extents[d], extent);
    if (!node.expected[d]) continue;
    Value expected = eval(node.expected[d]);
    setPlace(stmt.range);
    check(builder_.CreateICmpEQ(wide(extent), wide(expected)), node.sites[d], &extent, &expected);
  }
}

/// Values as words of 64 bits that hold them in their low bytes, for the host to make text of.
llvm::SmallVector<llvm::Value*, 8> FunctionLowering::words(std::span<const TExprId> values) {
  llvm::SmallVector<llvm::Value*, 8> result;
  for (TExprId id : values) {
    llvm::Value* bits = toMemory(eval(id));
    if (bits->getType()->isFloatingPointTy())
      bits = builder_.CreateBitCast(bits, builder_.getIntNTy(bits->getType()->getPrimitiveSizeInBits()));
    result.push_back(builder_.CreateZExt(bits, builder_.getInt64Ty()));
  }
  return result;
}

void FunctionLowering::lower(const TStmt& stmt, const Assert& node) {
  llvm::Value* condition = evalCondition(node.condition);
  setPlace(stmt.range);
  if (node.arguments.empty()) {
    check(condition, node.site);
    return;
  }
  llvm::BasicBlock* failed = newBlock("failed");
  llvm::BasicBlock* good = newBlock("ok");
  builder_.CreateCondBr(condition, good, failed, llvm::MDBuilder(context()).createLikelyBranchWeights());
  placeAt(failed);
  llvm::SmallVector<llvm::Value*, 8> values = words(node.arguments);
  setPlace(stmt.range);
  if (!terminated()) target_.emitAssertFailure(*this, node.site, values);
  good->moveAfter(&function_.back());
  placeAt(good);
}

void FunctionLowering::lower(const TStmt& stmt, const Print& node) {
  llvm::SmallVector<llvm::Value*, 8> values = words(node.arguments);
  setPlace(stmt.range);
  target_.emitPrint(*this, node.site, values);
}

}  // namespace rad::cg

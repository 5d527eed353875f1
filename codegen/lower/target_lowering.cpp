// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/lower/target_lowering.h"

#include <llvm/Support/ErrorHandling.h>

namespace rad::cg {

TargetLowering::~TargetLowering() = default;

llvm::Value* TargetLowering::emitFloatToInteger(FunctionLowering&, llvm::Value*, Scalar) { return nullptr; }

void TargetLowering::emitAssertFailure(FunctionLowering&, SiteId, llvm::ArrayRef<llvm::Value*>) {
  llvm_unreachable("an assert of device code where this target has none");
}

void TargetLowering::emitPrint(FunctionLowering&, SiteId, llvm::ArrayRef<llvm::Value*>) {
  llvm_unreachable("a print of device code where this target has none");
}

void TargetLowering::emitBarrier(FunctionLowering&) { llvm_unreachable("a barrier where this target has none"); }

llvm::Value* TargetLowering::emitAtomic(FunctionLowering&, const AtomicCall&, const Place&,
                                        llvm::ArrayRef<llvm::Value*>, bool) {
  llvm_unreachable("an atomic operation where this target has none");
}

llvm::Value* TargetLowering::emitCollective(FunctionLowering&, const Collective&, llvm::Value*, TypeId) {
  llvm_unreachable("a collective where this target has none");
}

llvm::Value* TargetLowering::storageOf(FunctionLowering&, LocalId) { return nullptr; }

bool TargetLowering::placeOf(FunctionLowering&, TExprId, Place&) { return false; }

bool TargetLowering::lowerExpr(FunctionLowering&, TExprId, Value&) { return false; }

bool TargetLowering::lowerStmt(FunctionLowering&, TStmtId) { return false; }

void TargetLowering::beginRound(FunctionLowering&) {}

void TargetLowering::annotateAccess(FunctionLowering&, llvm::Instruction*) {}

}  // namespace rad::cg

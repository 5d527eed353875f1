// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Atomic operations: the place with its checks, then the operands; the operation itself is the target's.
#include "codegen/lower/function_lowering.h"

namespace rad::cg {

Value FunctionLowering::lower(const TExpr& expr, const AtomicCall& node) { return atomic(expr, node, /*isUsed=*/true); }

Value FunctionLowering::atomic(const TExpr& expr, const AtomicCall& node, bool isUsed) {
  Place place = evalPlace(node.place);
  llvm::SmallVector<llvm::Value*, 2> operands;
  for (TExprId operand : node.operands) operands.push_back(evalScalar(operand));
  setPlace(expr.range);
  llvm::Value* before = target_.emitAtomic(*this, node, place, operands, isUsed);
  if (!before || node.op == Atomic::Store) return Value{expr.type};
  return scalar(expr.type, before);
}

}  // namespace rad::cg

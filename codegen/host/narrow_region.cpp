// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Regions that only some threads of a block take part in: `if t < w { part[t] += part[t + w] }`.
#include "codegen/host/fission.h"
#include "codegen/host/walk.h"

#include <algorithm>

namespace rad::cg {

namespace {

/// The same for all threads, from what is at hand between regions; no memory, nothing that fails.
bool isBlockValue(const TypedProgram& program, const Kernel& kernel, const FissionPlan& plan, TExprId id) {
  const TExpr& expr = program.expr(id);
  bool fine = std::visit(detail::Overloaded{
                             [](const ConstInt&) { return true; },
                             [&](const LocalRef& ref) {
                               switch (kernel.body.locals[ref.local.value].kind) {
                                 case LocalKind::Param:
                                 case LocalKind::MutParam:
                                 case LocalKind::Dimension:
                                 case LocalKind::DomainVar: return true;
                                 case LocalKind::ThreadVar:
                                 case LocalKind::Shared: return false;
                                 case LocalKind::Let:
                                 case LocalKind::Var:
                                   return plan.homes[ref.local.value] == LocalHome::Block ||
                                          plan.homes[ref.local.value] == LocalHome::Uniform;
                               }
                               return false;
                             },
                             [](const Arithmetic& node) {
                               return node.op == BinaryOp::Add || node.op == BinaryOp::Sub || node.op == BinaryOp::Mul;
                             },
                             [](const Convert&) { return true; },
                             [](const auto&) { return false; },
                         },
                         expr.node);
  if (fine)
    forEachChild(
        expr, [&](TExprId child) { fine = fine && isBlockValue(program, kernel, plan, child); }, [](TStmtId) {});
  return fine;
}

void conjuncts(const TypedProgram& program, TExprId id, std::vector<TExprId>& into) {
  if (const auto* logic = std::get_if<Logic>(&program.expr(id).node); logic && logic->isAnd) {
    conjuncts(program, logic->left, into);
    conjuncts(program, logic->right, into);
  } else {
    into.push_back(id);
  }
}

}  // namespace

NarrowRegion narrowRegion(const TypedProgram& program, const Kernel& kernel, const FissionPlan& plan,
                          const Region& region) {
  if (region.statements.size() != 1 || region.collective) return {};
  NarrowRegion result;
  result.branch = std::get_if<If>(&program.stmt(region.statements[0]).node);
  if (!result.branch || !result.branch->elseBody.empty()) return {};
  conjuncts(program, result.branch->condition, result.conditions);
  auto threadAxis = [&](TExprId id) -> std::optional<unsigned> {
    const auto* ref = std::get_if<LocalRef>(&program.expr(id).node);
    auto found = ref ? std::find(kernel.threads.begin(), kernel.threads.end(), ref->local) : kernel.threads.end();
    if (found == kernel.threads.end()) return std::nullopt;
    return static_cast<unsigned>(found - kernel.threads.begin());
  };
  auto turned = [](BinaryOp op) {
    return op == BinaryOp::Lt   ? BinaryOp::Gt
           : op == BinaryOp::Le ? BinaryOp::Ge
           : op == BinaryOp::Gt ? BinaryOp::Lt
           : op == BinaryOp::Ge ? BinaryOp::Le
                                : op;
  };
  // From the front: a condition behind another one, which may fail, is not asked before it.
  auto next = result.conditions.begin();
  for (; next != result.conditions.end(); ++next) {
    const auto* compare = std::get_if<Compare>(&program.expr(*next).node);
    if (!compare || compare->op == BinaryOp::Ne) break;
    if (auto axis = threadAxis(compare->left); axis && isBlockValue(program, kernel, plan, compare->right))
      result.bounds.push_back({*axis, compare->op, compare->right});
    else if (axis = threadAxis(compare->right); axis && isBlockValue(program, kernel, plan, compare->left))
      result.bounds.push_back({*axis, turned(compare->op), compare->left});
    else break;
  }
  result.conditions.erase(result.conditions.begin(), next);
  return result.bounds.empty() ? NarrowRegion{} : result;
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Shared memory that a region does nothing with but count in it: a histogram.
#include "codegen/host/fission.h"
#include "codegen/host/walk.h"

namespace rad::cg {

namespace {

/// The local whose element or value the place is, without a view in between; none otherwise.
const LocalRef* counterOf(const TypedProgram& program, TExprId place) {
  const TExpr& expr = program.expr(place);
  const auto* element = std::get_if<ViewElement>(&expr.node);
  return std::get_if<LocalRef>(element ? &program.expr(element->view).node : &expr.node);
}

class CounterSearch {
 public:
  CounterSearch(const TypedProgram& program, const Kernel& kernel)
      : program_(program), kernel_(kernel), counted_(kernel.body.locals.size()), excluded_(kernel.body.locals.size()) {}

  void visit(TStmtId id, bool inLoop) {
    const TStmt& stmt = program_.stmt(id);
    if (const auto* evaluate = std::get_if<Evaluate>(&stmt.node))
      if (const auto* call = std::get_if<AtomicCall>(&program_.expr(evaluate->expr).node); call && isCount(*call)) {
        if (inLoop) counted_[counterOf(program_, call->place)->local.value] = true;
        if (const auto* element = std::get_if<ViewElement>(&program_.expr(call->place).node))
          for (TExprId index : element->indices) visit(index, inLoop);
        for (TExprId operand : call->operands) visit(operand, inLoop);
        return;
      }
    inLoop = inLoop || std::holds_alternative<For>(stmt.node) || std::holds_alternative<While>(stmt.node);
    forEachChild(stmt, [&](TExprId child) { visit(child, inLoop); }, [&](TStmtId child) { visit(child, inLoop); });
  }

  void visit(TExprId id, bool inLoop) {
    const TExpr& expr = program_.expr(id);
    if (const auto* ref = std::get_if<LocalRef>(&expr.node)) excluded_[ref->local.value] = true;
    forEachChild(expr, [&](TExprId child) { visit(child, inLoop); }, [&](TStmtId child) { visit(child, inLoop); });
  }

  std::vector<LocalId> found() const {
    std::vector<LocalId> result;
    for (LocalId local : kernel_.shared)
      if (counted_[local.value] && !excluded_[local.value]) result.push_back(local);
    return result;
  }

 private:
  /// Sums of integers come out the same in whatever order and from however many parts.
  bool isCount(const AtomicCall& call) const {
    if (call.op != Atomic::Add && call.op != Atomic::Sub) return false;
    const LocalRef* counter = counterOf(program_, call.place);
    if (!counter || kernel_.body.locals[counter->local.value].kind != LocalKind::Shared) return false;
    return !isFloat(program_.types->get(program_.expr(call.place).type).scalar);
  }

  const TypedProgram& program_;
  const Kernel& kernel_;
  std::vector<bool> counted_, excluded_;
};

}  // namespace

std::vector<LocalId> sharedCounters(const TypedProgram& program, const Kernel& kernel, const Region& region) {
  CounterSearch search(program, kernel);
  for (TStmtId id : region.statements) search.visit(id, false);
  if (region.collective) search.visit(region.collective, false);
  return search.found();
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Points of a forall that all change one element: what each of them adds may be lost.
#include "frontend/sema/checker.h"

#include <algorithm>
#include <set>

namespace rad::sema {
namespace {

/// Looks at the statements that every point runs: those under no condition, and behind no `return`.
class MeetingFinder {
 public:
  MeetingFinder(const TypedProgram& program, const Kernel& kernel, Diagnostics& diagnostics,
                const std::function<std::string(Range)>& textOf)
      : program_(program), kernel_(kernel), diagnostics_(diagnostics), textOf_(textOf) {}

  void run() {
    // One point meets nobody.
    auto isOne = [](const DomainAxis& axis) {
      return axis.low.op == ShapeOp::Constant && axis.high.op == ShapeOp::Constant &&
             axis.high.value - axis.low.value <= 1;
    };
    if (std::ranges::all_of(kernel_.axes, isOne)) return;
    statements(kernel_.body.statements);
  }

 private:
  /// False behind what may end the point or the loop.
  bool statements(const std::vector<TStmtId>& list) {
    return std::ranges::all_of(list, [&](TStmtId id) { return statement(id); });
  }
  bool statement(TStmtId id) {
    const TStmt& s = program_.stmt(id);
    if (const auto* assign = std::get_if<Assign>(&s.node)) {
      if (assign->op && isFixedElement(assign->place)) {
        const std::string place = textOf_(program_.expr(assign->place).range);
        diagnostics_.report(Diag::PointsMeet, s.range, {place})
            .help("write `atomic.add(&" + place + ", ...)`, or compute it in host code: `sum(x[i] for i in 0..n)`");
      }
      return true;
    }
    if (const auto* loop = std::get_if<For>(&s.node)) {
      if (isFixed(loop->low) && isFixed(loop->high) && (!loop->step || isFixed(loop->step)))
        counters_.insert(loop->variable.value);  // all points go through the same elements
      return statements(loop->body);
    }
    return std::holds_alternative<Declare>(s.node);
  }
  bool isFixedElement(TExprId id) const {
    const auto* element = std::get_if<ViewElement>(&program_.expr(id).node);
    const auto* view = element ? std::get_if<LocalRef>(&program_.expr(element->view).node) : nullptr;
    return view && kernel_.body.locals[view->local.value].kind == LocalKind::MutParam &&
           std::ranges::all_of(element->indices, [&](TExprId index) { return isFixed(index); });
  }
  bool isFixed(TExprId id) const {
    const TExpr& e = program_.expr(id);
    if (std::holds_alternative<ConstInt>(e.node)) return true;
    if (const auto* converted = std::get_if<Convert>(&e.node)) return isFixed(converted->operand);
    if (const auto* ref = std::get_if<LocalRef>(&e.node)) {
      const LocalKind kind = kernel_.body.locals[ref->local.value].kind;
      return kind == LocalKind::Param || kind == LocalKind::Dimension || counters_.contains(ref->local.value);
    }
    const auto* arithmetic = std::get_if<Arithmetic>(&e.node);
    return arithmetic && isFixed(arithmetic->left) && isFixed(arithmetic->right);
  }

  const TypedProgram& program_;
  const Kernel& kernel_;
  Diagnostics& diagnostics_;
  const std::function<std::string(Range)>& textOf_;
  std::set<uint32_t> counters_;  // of loops whose bounds are the same for all points
};

}  // namespace

void findMeetings(const TypedProgram& program, const Kernel& kernel, Diagnostics& diagnostics,
                  const std::function<std::string(Range)>& textOf) {
  MeetingFinder(program, kernel, diagnostics, textOf).run();
}

}  // namespace rad::sema

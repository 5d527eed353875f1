// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which arrays a forall kernel touches only at the point's own place: such arguments may be the same array.
#include "frontend/sema/checker.h"
#include "frontend/sema/children.h"

namespace rad::sema {
namespace {

/// Finds out how the parameters of a forall kernel are used.
class ElementwiseFinder {
 public:
  ElementwiseFinder(const TypedProgram& program, Kernel& kernel) : program_(program), kernel_(kernel) {}

  void run() {
    for (const KernelParam& param : kernel_.params)
      state_[param.local.value] = program_.types->get(param.type).kind == TypeKind::View;
    for (TStmtId id : kernel_.body.statements) statement(id);
    if (kernel_.reduction) {
      if (kernel_.reduction->condition) expr(kernel_.reduction->condition);
      expr(kernel_.reduction->value);
    }
    for (KernelParam& param : kernel_.params) param.elementwise = state_[param.local.value];
  }

 private:
  bool isPoint(TExprId id, size_t axis) const {
    const auto* ref = std::get_if<LocalRef>(&program_.expr(id).node);
    return ref && axis < kernel_.axes.size() && ref->local == kernel_.axes[axis].variable;
  }
  void expr(TExprId id) {
    const TExpr& e = program_.expr(id);
    if (const auto* element = std::get_if<ViewElement>(&e.node))
      if (const auto* ref = std::get_if<LocalRef>(&program_.expr(element->view).node);
          ref && state_.contains(ref->local.value)) {
        bool own = element->indices.size() == kernel_.axes.size();
        for (size_t d = 0; own && d < element->indices.size(); ++d) own = isPoint(element->indices[d], d);
        if (!own) state_[ref->local.value] = false;
        for (TExprId index : element->indices) expr(index);
        return;
      }
    if (const auto* size = std::get_if<ViewExtent>(&e.node);
        size && std::holds_alternative<LocalRef>(program_.expr(size->view).node))
      return;
    if (const auto* ref = std::get_if<LocalRef>(&e.node))
      if (auto it = state_.find(ref->local.value); it != state_.end()) it->second = false;  // used as a whole
    forEachChild(e, [&](TExprId child) { expr(child); }, [&](TStmtId child) { statement(child); });
  }
  void statement(TStmtId id) {
    forEachChild(program_.stmt(id), [&](TExprId child) { expr(child); }, [&](TStmtId child) { statement(child); });
  }

  const TypedProgram& program_;
  Kernel& kernel_;
  std::map<uint32_t, bool> state_;
};

}  // namespace

void findElementwise(const TypedProgram& program, Kernel& kernel) { ElementwiseFinder(program, kernel).run(); }

}  // namespace rad::sema

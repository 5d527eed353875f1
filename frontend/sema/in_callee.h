// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Looking at a callee's declaration from a call: names and text are the callee's there, nothing is emitted.
#pragma once

#include "frontend/sema/checker.h"

#include <utility>

namespace rad::sema {

template <class Action>
auto Checker::inCallee(Entity& entity, LocalScope scope, Action action) {
  Context context{.kind = Context::Kind::Function, .side = ctx_->side, .home = entity.home};
  std::vector<TStmtId> ignored;
  context.out = &ignored;
  context.scopes.push_back(std::move(scope));
  Context* const savedContext = std::exchange(ctx_, &context);
  const Ast* const savedAst = std::exchange(ast_, entity.ast);
  auto result = action();
  ctx_ = savedContext;
  ast_ = savedAst;
  return result;
}

}  // namespace rad::sema

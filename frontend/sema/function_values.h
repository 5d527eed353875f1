// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parameters that functions are handed over to.
#pragma once

#include "frontend/sema/checker.h"

namespace rad::sema {

/// Looks in a written type for a compile-time parameter that has no value yet.
struct OpenParam {
  const Ast& ast;
  List<StaticParam> params;
  const std::vector<std::optional<StaticValue>>& found;
  const StaticParam* in(ExprId type) const;
};

template <class AddLocal>
void Checker::bindFunction(const Param& param, FunctionValue& function, AddLocal addLocal) {
  Binding binding{.kind = Binding::Kind::Function, .range = param.name.range, .function = &function};
  for (const Captured& each : function.captured) binding.pack.push_back(addLocal(each.name, each.type));
  bind(param.name, std::move(binding));
}

}  // namespace rad::sema

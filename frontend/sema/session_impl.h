// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a session holds: shared by session*.cpp.
#pragma once

#include "frontend/sema/checker.h"

#include <deque>
#include <utility>
#include <vector>

namespace rad {

struct Session::Impl {
  sema::SessionState state;
  std::deque<sema::ModuleScope> units;
  std::vector<std::pair<Symbol, sema::Entity*>>
      hidden;                    // what the last unit's names stood for before it (null: nothing)
  const Ast* checked = nullptr;  // the last unit that check() accepted
  sema::ModuleScope* checkedUnit = nullptr;
};

}  // namespace rad

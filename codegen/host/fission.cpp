// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/host/fission.h"

#include "codegen/host/walk.h"
#include "frontend/sema/children.h"

#include <fmt/format.h>

#include <functional>

namespace rad::cg {

namespace {

class Planner {
 public:
  Planner(const TypedProgram& program, const Kernel& kernel) : program_(program), kernel_(kernel) {}
  CodegenResult<FissionPlan> plan();

 private:
  bool hasBarrier(TStmtId id) const;
  bool hasBarrier(TExprId id) const;
  bool leavesLoop(TStmtId id) const;
  bool isSplit(TStmtId id, bool inSplitLoop) const { return hasBarrier(id) || (inSplitLoop && leavesLoop(id)); }
  void sequence(const std::vector<TStmtId>& statements, bool inSplitLoop);
  void flush(std::vector<TStmtId>& run, TStmtId collective, bool inSplitLoop);
  void split(TStmtId id, bool inSplitLoop);
  void describe(Region& region);
  bool setsUniform(TStmtId id) const;
  bool isUniform(TExprId id) const;
  void once(TStmtId id);
  void blockReads(TExprId id);
  void note(LocalId local, int user);
  void chooseHomes();
  bool isRecomputable(TExprId id) const;
  void refuse(std::string what) {
    if (error_.empty()) error_ = std::move(what);
  }

  const TypedProgram& program_;
  const Kernel& kernel_;
  FissionPlan plan_;
  std::vector<int> users_;  // by local: kNobody, a region, or kMany
  std::vector<unsigned> declarations_;
  std::vector<bool> blockValue_;  // by local: variables of split loops, results of collectives
  std::string error_;
  static constexpr int kNobody = -2, kBlock = -1, kMany = -3;
};

template <class OnStmt>
void visitStmts(const TypedProgram& program, TStmtId id, OnStmt onStmt) {
  Walker walker(program, [](TExprId, const TExpr&) {}, onStmt);
  walker.visit(id);
}

bool isBarrier(const TStmt& stmt) {
  return std::holds_alternative<Barrier>(stmt.node) || std::holds_alternative<Collective>(stmt.node);
}

bool Planner::hasBarrier(TStmtId id) const {
  bool found = false;
  visitStmts(program_, id, [&](TStmtId, const TStmt& stmt) { found |= isBarrier(stmt); });
  return found;
}

bool Planner::hasBarrier(TExprId id) const {
  if (!id) return false;
  bool found = false;
  Walker walker(program_, [](TExprId, const TExpr&) {}, [&](TStmtId, const TStmt& stmt) { found |= isBarrier(stmt); });
  walker.visit(id);
  return found;
}

/// True if a break or continue inside belongs to a loop outside.
bool Planner::leavesLoop(TStmtId id) const {
  const TStmt& stmt = program_.stmt(id);
  if (std::holds_alternative<Break>(stmt.node) || std::holds_alternative<Continue>(stmt.node)) return true;
  if (std::holds_alternative<While>(stmt.node) || std::holds_alternative<For>(stmt.node)) return false;
  bool leaves = false;
  forEachChild(stmt, [](TExprId) {}, [&](TStmtId child) { leaves |= leavesLoop(child); });
  return leaves;
}

void Planner::note(LocalId local, int user) {
  int& known = users_[local.value];
  if (known == kNobody) known = user;
  else if (known != user) known = kMany;
}

/// True if the statement does nothing but set a uniform scalar to what all threads compute alike.
bool Planner::setsUniform(TStmtId id) const {
  auto isUniformScalar = [&](LocalId local) {
    const Local& known = kernel_.body.locals[local.value];
    return known.uniform && known.kind != LocalKind::Shared && program_.types->get(known.type).kind == TypeKind::Scalar;
  };
  const TStmt& stmt = program_.stmt(id);
  if (const auto* declare = std::get_if<Declare>(&stmt.node))
    return declare->init && isUniformScalar(declare->local) && isUniform(declare->init);
  if (const auto* assign = std::get_if<Assign>(&stmt.node)) {
    const auto* ref = std::get_if<LocalRef>(&program_.expr(assign->place).node);
    return ref && isUniformScalar(ref->local) && isUniform(assign->value);
  }
  return false;
}

/// Computed from uniform values alone, without memory.
bool Planner::isUniform(TExprId id) const {
  const TExpr& expr = program_.expr(id);
  bool fine = std::visit(detail::Overloaded{
                             [&](const LocalRef& ref) {
                               const Local& local = kernel_.body.locals[ref.local.value];
                               switch (local.kind) {
                                 case LocalKind::Param:
                                 case LocalKind::MutParam:
                                 case LocalKind::Dimension:
                                 case LocalKind::DomainVar: return true;
                                 case LocalKind::ThreadVar:
                                 case LocalKind::Shared: return false;
                                 case LocalKind::Let:
                                 case LocalKind::Var: return local.uniform;
                               }
                               return false;
                             },
                             [](const ViewElement&) { return false; },
                             [](const ViewSlice&) { return false; },
                             [](const AtomicCall&) { return false; },
                             [](const CallFunction&) { return false; },
                             [](const BlockValue&) { return false; },
                             [](const auto&) { return true; },
                         },
                         expr.node);
  if (!fine) return false;
  forEachChild(expr, [&](TExprId child) { fine = fine && isUniform(child); }, [&](TStmtId) { fine = false; });
  return fine;
}

void Planner::once(TStmtId id) {
  plan_.steps[id.value] = {FissionStep::Kind::Uniform, 0};
  const TStmt& stmt = program_.stmt(id);
  if (const auto* declare = std::get_if<Declare>(&stmt.node)) {
    note(declare->local, kBlock);
    plan_.initializers[declare->local.value] = declare->init;
    ++declarations_[declare->local.value];
    blockValue_[declare->local.value] = true;
    blockReads(declare->init);
  } else if (const auto* assign = std::get_if<Assign>(&stmt.node)) {
    blockReads(assign->place);
    blockReads(assign->value);
  }
}

void Planner::flush(std::vector<TStmtId>& run, TStmtId collective, bool inSplitLoop) {
  // What only sets uniform locals at either end needs no loop over threads.
  size_t first = 0, last = run.size();
  while (first < last && setsUniform(run[first])) once(run[first++]);
  std::vector<TStmtId> behind;
  while (!collective && last > first && setsUniform(run[last - 1])) behind.push_back(run[--last]);
  for (TStmtId id : behind) once(id);
  run = std::vector<TStmtId>(run.begin() + static_cast<ptrdiff_t>(first), run.begin() + static_cast<ptrdiff_t>(last));
  if (run.empty() && !collective) return;
  auto number = static_cast<unsigned>(plan_.regions.size());
  Region region;
  region.statements = std::move(run);
  run.clear();
  region.collective = collective;
  region.inLoop = inSplitLoop;
  for (size_t i = 0; i < region.statements.size(); ++i)
    plan_.steps[region.statements[i].value] = {i == 0 ? FissionStep::Kind::RegionHead : FissionStep::Kind::RegionMember,
                                               number};
  if (collective) plan_.steps[collective.value] = {FissionStep::Kind::Collective, number};
  plan_.regions.push_back(std::move(region));
  describe(plan_.regions.back());
}

void Planner::sequence(const std::vector<TStmtId>& statements, bool inSplitLoop) {
  std::vector<TStmtId> run;
  for (TStmtId id : statements) {
    if (!isSplit(id, inSplitLoop)) {
      run.push_back(id);
      continue;
    }
    if (const auto* collective = std::get_if<Collective>(&program_.stmt(id).node)) {
      if (hasBarrier(collective->value)) refuse("an operand of block.sum, min or max contains another one");
      blockValue_[collective->result.value] = true;
      flush(run, id, inSplitLoop);
      continue;
    }
    flush(run, {}, inSplitLoop);
    split(id, inSplitLoop);
  }
  flush(run, {}, inSplitLoop);
}

void Planner::split(TStmtId id, bool inSplitLoop) {
  auto control = [&] { plan_.steps[id.value] = {FissionStep::Kind::Control, 0}; };
  auto inExpression = [&] { refuse("a barrier or block.* stands inside of an expression"); };
  std::visit(detail::Overloaded{
                 [&](const Barrier&) { plan_.steps[id.value] = {FissionStep::Kind::Nothing, 0}; },
                 [&](const Break&) { control(); },
                 [&](const Continue&) { control(); },
                 [&](const If& node) {
                   control();
                   if (hasBarrier(node.condition)) inExpression();
                   blockReads(node.condition);
                   sequence(node.thenBody, inSplitLoop);
                   sequence(node.elseBody, inSplitLoop);
                 },
                 [&](const While& node) {
                   control();
                   if (hasBarrier(node.condition)) inExpression();
                   blockReads(node.condition);
                   sequence(node.body, true);
                 },
                 [&](const For& node) {
                   control();
                   for (TExprId bound : {node.low, node.high, node.step}) {
                     if (hasBarrier(bound)) inExpression();
                     if (bound) blockReads(bound);
                   }
                   blockValue_[node.variable.value] = true;
                   sequence(node.body, true);
                 },
                 [&](const Scope& node) {
                   control();
                   sequence(node.body, inSplitLoop);
                 },
                 [&](const auto&) { inExpression(); },
             },
             program_.stmt(id).node);
}

void Planner::blockReads(TExprId id) {
  Walker walker(
      program_,
      [&](TExprId, const TExpr& expr) {
        if (const auto* ref = std::get_if<LocalRef>(&expr.node)) note(ref->local, kBlock);
      },
      [&](TStmtId, const TStmt& stmt) {
        if (const auto* declare = std::get_if<Declare>(&stmt.node)) note(declare->local, kBlock);
      });
  walker.visit(id);
}

void Planner::describe(Region& region) {
  auto number = static_cast<int>(plan_.regions.size() - 1);
  size_t count = kernel_.body.locals.size();
  region.declared.resize(count);
  region.written.resize(count);
  std::vector<bool> seen(count);
  auto use = [&](LocalId local) {
    note(local, number);
    if (seen[local.value]) return;
    seen[local.value] = true;
    region.used.push_back(local);
  };
  auto write = [&](LocalId local) {
    use(local);
    region.written[local.value] = true;
  };
  Walker walker(
      program_,
      [&](TExprId, const TExpr& expr) {
        if (const auto* ref = std::get_if<LocalRef>(&expr.node)) use(ref->local);
        if (const auto* call = std::get_if<CallFunction>(&expr.node)) {
          const Function& callee = program_.functions[call->function.value];
          for (size_t i = 0; i < call->arguments.size(); ++i) {
            if (callee.body.locals[callee.params[i].value].kind != LocalKind::MutParam) continue;
            if (const LocalId root = sema::placeRoot(program_, call->arguments[i])) write(root);
          }
        }
      },
      [&](TStmtId, const TStmt& stmt) {
        if (const auto* declare = std::get_if<Declare>(&stmt.node)) {
          write(declare->local);
          region.declared[declare->local.value] = true;
          plan_.initializers[declare->local.value] = declare->init;
          ++declarations_[declare->local.value];
        } else if (const auto* assign = std::get_if<Assign>(&stmt.node)) {
          if (const LocalId root = sema::placeRoot(program_, assign->place)) write(root);
        } else if (const auto* loop = std::get_if<For>(&stmt.node)) {
          write(loop->variable);
          region.declared[loop->variable.value] = true;
        } else if (std::holds_alternative<Return>(stmt.node)) {
          region.returns = true;
        }
      });
  for (TStmtId id : region.statements) walker.visit(id);
  if (region.collective) walker.visit(std::get<Collective>(program_.stmt(region.collective).node).value);
}

/// Cheap, without effect, and the same whenever it is computed again: no reads of memory, nothing that can fail.
bool Planner::isRecomputable(TExprId id) const {
  bool good = true;
  unsigned size = 0;
  std::function<void(TExprId)> visit = [&](TExprId at) {
    const TExpr& expr = program_.expr(at);
    ++size;
    bool fine =
        std::visit(detail::Overloaded{
                       [](const ConstInt&) { return true; },
                       [](const ConstFloat&) { return true; },
                       [&](const LocalRef& ref) {
                         const Local& local = kernel_.body.locals[ref.local.value];
                         switch (local.kind) {
                           case LocalKind::Param:
                           case LocalKind::MutParam:
                           case LocalKind::Dimension:
                           case LocalKind::DomainVar:
                           case LocalKind::ThreadVar: return true;
                           case LocalKind::Shared: return program_.types->get(local.type).kind == TypeKind::View;
                           case LocalKind::Let:
                             if (plan_.homes[ref.local.value] == LocalHome::Recompute) return true;
                             return plan_.homes[ref.local.value] == LocalHome::Block && local.kind == LocalKind::Let;
                           case LocalKind::Var: return false;
                         }
                         return false;
                       },
                       [](const ViewExtent&) { return true; },
                       [](const ViewFlat&) { return true; },
                       [&](const ViewSlice& node) {
                         for (const SliceDim& dim : node.dims)
                           if ((dim.check == Check::Checked && (dim.low || dim.high)) || dim.stepSite) return false;
                         return true;
                       },
                       [](const MakeElements&) { return true; },
                       [](const ElementOf& node) { return node.check != Check::Checked; },
                       [](const Swizzle&) { return true; },
                       [](const Negate&) { return true; },
                       [](const LogicNot&) { return true; },
                       [](const BitNot&) { return true; },
                       [](const Arithmetic& node) { return node.op != BinaryOp::Div && node.op != BinaryOp::Rem; },
                       [](const Compare&) { return true; },
                       [](const Convert&) { return true; },
                       [](const Bitcast&) { return true; },
                       [](const Select&) { return true; },
                       [](const auto&) { return false; },
                   },
                   expr.node);
    good = good && fine && size < 16;
    if (good) forEachChild(expr, visit, [](TStmtId) {});
  };
  visit(id);
  return good;
}

void Planner::chooseHomes() {
  // In the order of declaration, so that what an initializer names has its home already.
  for (size_t i = 0; i < plan_.homes.size(); ++i) {
    const Local& local = kernel_.body.locals[i];
    switch (local.kind) {
      case LocalKind::Param:
      case LocalKind::MutParam:
      case LocalKind::Dimension:
      case LocalKind::DomainVar:
      case LocalKind::ThreadVar:
      case LocalKind::Shared: plan_.homes[i] = LocalHome::Block; continue;
      case LocalKind::Let:
      case LocalKind::Var: break;
    }
    if (blockValue_[i] && local.kind == LocalKind::Let) plan_.homes[i] = LocalHome::Block;
    else if (users_[i] >= 0 && !blockValue_[i]) plan_.homes[i] = LocalHome::Region;
    else if (local.kind == LocalKind::Let && plan_.initializers[i] && declarations_[i] == 1 &&
             isRecomputable(plan_.initializers[i]))
      plan_.homes[i] = LocalHome::Recompute;
    else plan_.homes[i] = local.uniform || blockValue_[i] ? LocalHome::Uniform : LocalHome::Spilled;
  }
}

CodegenResult<FissionPlan> Planner::plan() {
  size_t count = kernel_.body.locals.size();
  users_.assign(count, kNobody);
  declarations_.assign(count, 0);
  blockValue_.assign(count, false);
  plan_.homes.assign(count, LocalHome::Region);
  plan_.initializers.assign(count, {});
  sequence(kernel_.body.statements, false);
  if (!error_.empty())
    return std::unexpected(fmt::format(
        "kernel `{}`: {}: the host device cannot do that yet; give it a statement of its own", kernel_.name, error_));
  chooseHomes();
  for (const Region& region : plan_.regions)
    plan_.endsEarly |= region.returns && (&region != &plan_.regions.back() || region.inLoop || region.collective);
  return std::move(plan_);
}

}  // namespace

CodegenResult<FissionPlan> planFission(const TypedProgram& program, const Kernel& kernel) {
  return Planner(program, kernel).plan();
}

}  // namespace rad::cg

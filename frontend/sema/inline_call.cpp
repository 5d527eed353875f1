// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions that need the threads of a block (barrier(), block.*, uniform(), thread.index) become part of the kernel
// that calls them while it is checked: so the host device can split kernels at barriers, and what varies among the
// threads is known across calls.
//
// A copy of the function's statements stands before the statement that calls it. Its `return`s become assignments: what
// stands behind one that is taken is put under conditions, and loops around it are left.
#include "frontend/sema/checker.h"
#include "frontend/sema/children.h"

#include <fmt/format.h>

#include <type_traits>

namespace rad::sema {
namespace {

class BodyCopy {
 public:
  BodyCopy(TypedProgram& program, const Function& from, Body& to, Range call)
      : program_(program),
        from_(from),
        to_(to),
        call_(call),
        locals_(from.body.locals.size()),
        places_(from.body.locals.size()) {}

  /// What a local of the function is in the caller: a local, or (for `mut` parameters) a place.
  void isLocal(LocalId of, LocalId local) { locals_[of.value] = local; }
  void isPlace(LocalId of, TExprId place) { places_[of.value] = place; }

  LocalId newLocal(std::string name, TypeId type, LocalKind kind, Range range) {
    to_.locals.push_back({std::move(name), type, kind, range});
    return {static_cast<uint32_t>(to_.locals.size() - 1)};
  }

  /// Appends the statements to `out`, and gives the value; none of a function without a result.
  TExprId run(std::vector<TStmtId>& out) {
    const bool hasResult = program_.types->get(from_.result).kind != TypeKind::Unit;
    const std::vector<TStmtId>& body = from_.body.statements;
    if (isPlain(body)) {
      for (size_t i = 0; i + 1 < body.size(); ++i) out.push_back(copy(body[i]));
      if (body.empty()) return {};
      const TStmt last = program_.stmt(body.back());
      const auto* result = std::get_if<Return>(&last.node);
      if (!result) {
        out.push_back(copy(body.back()));
        return {};
      }
      if (!result->value) return {};
      const LocalId value = newLocal("", from_.result, LocalKind::Let, last.range);
      const TExprId init = copy(result->value);
      out.push_back(program_.addStmt(last.range, Declare{value, init}));
      return ref(value, call_);
    }
    if (hasResult) {
      result_ = newLocal("", from_.result, LocalKind::Var, call_);
      out.push_back(program_.addStmt(call_, Declare{result_, {}}));
    }
    if (needsFlag(body)) {
      returned_ = newLocal("", program_.types->scalar(Scalar::Bool), LocalKind::Var, call_);
      out.push_back(program_.addStmt(call_, Declare{returned_, truth(false)}));
    }
    list(body, out);
    return hasResult ? ref(result_, call_) : TExprId{};
  }

  TExprId copy(TExprId id) {
    if (!id) return id;
    TExpr expr = program_.expr(id);
    if (auto* local = std::get_if<LocalRef>(&expr.node)) {
      if (const TExprId place = places_[local->local.value]) return copyOfPlace(place);
      return ref(of(local->local), expr.range);
    }
    // The ids that it names are those of this copy.
    forEachChild(
        expr, [&](const TExprId& child) { const_cast<TExprId&>(child) = copy(child); },
        [&](const TStmtId& child) { const_cast<TStmtId&>(child) = copy(child); });
    return std::visit([&](auto& node) { return program_.addExpr(expr.type, expr.range, std::move(node)); }, expr.node);
  }

  /// The place behind a `mut` parameter: its indices are in locals of the caller, so that it can be named again and
  /// again.
  TExprId copyOfPlace(TExprId id) {
    TExpr expr = program_.expr(id);
    forEachChild(
        expr, [&](const TExprId& child) { const_cast<TExprId&>(child) = copyOfPlace(child); }, [](const TStmtId&) {});
    return std::visit([&](auto& node) { return program_.addExpr(expr.type, expr.range, std::move(node)); }, expr.node);
  }

  /// Whether a `return` stands in it.
  bool mayReturn(TStmtId id) const {
    const TStmt& stmt = program_.stmt(id);
    if (std::holds_alternative<Return>(stmt.node)) return true;
    bool found = false;
    forEachChild(stmt, [](TExprId) {}, [&](TStmtId child) { found = found || mayReturn(child); });
    return found;
  }

  /// A `return` inside of a value (`let x = if c { return 0 } else { 1 }`), which the copy cannot have.
  std::optional<Range> returnInValue() const {
    std::optional<Range> found;
    for (TStmtId id : from_.body.statements) returnInValue(id, false, found);
    return found;
  }

 private:
  void returnInValue(TStmtId id, bool inValue, std::optional<Range>& found) const {
    const TStmt& stmt = program_.stmt(id);
    if (inValue && !found && std::holds_alternative<Return>(stmt.node)) found = stmt.range;
    forEachChild(
        stmt, [&](TExprId child) { returnInValue(child, found); },
        [&](TStmtId child) { returnInValue(child, inValue, found); });
  }
  void returnInValue(TExprId id, std::optional<Range>& found) const {
    forEachChild(
        program_.expr(id), [&](TExprId child) { returnInValue(child, found); },
        [&](TStmtId child) { returnInValue(child, true, found); });
  }

  LocalId of(LocalId local) {
    LocalId& known = locals_[local.value];
    if (!known) {
      const Local copied = from_.body.locals[local.value];
      known = newLocal(copied.name, copied.type, copied.kind == LocalKind::Var ? LocalKind::Var : LocalKind::Let,
                       copied.range);
    }
    return known;
  }
  TExprId ref(LocalId local, Range range) {
    return program_.addExpr(to_.locals[local.value].type, range, LocalRef{local});
  }
  TExprId truth(bool value) { return program_.addExpr(program_.types->scalar(Scalar::Bool), call_, ConstInt{value}); }

  /// No `return`, or one at the end.
  bool isPlain(const std::vector<TStmtId>& body) const {
    for (size_t i = 0; i < body.size(); ++i)
      if (mayReturn(body[i]) && (i + 1 < body.size() || !std::holds_alternative<Return>(program_.stmt(body[i]).node)))
        return false;
    return true;
  }
  bool alwaysReturns(const std::vector<TStmtId>& body) const {
    for (TStmtId id : body) {
      const TStmt& stmt = program_.stmt(id);
      if (std::holds_alternative<Return>(stmt.node)) return true;
      if (const auto* branch = std::get_if<If>(&stmt.node);
          branch && alwaysReturns(branch->thenBody) && alwaysReturns(branch->elseBody))
        return true;
      if (const auto* scope = std::get_if<Scope>(&stmt.node); scope && alwaysReturns(scope->body)) return true;
    }
    return false;
  }
  /// Whether conditions alone do not keep from what stands behind a `return`.
  bool needsFlag(const std::vector<TStmtId>& body) const {
    for (size_t i = 0; i < body.size(); ++i) {
      if (!mayReturn(body[i])) continue;
      const TStmt& stmt = program_.stmt(body[i]);
      if (std::holds_alternative<Return>(stmt.node)) return false;
      const auto* branch = std::get_if<If>(&stmt.node);
      if (!branch) return true;
      const std::vector<TStmtId> rest(body.begin() + static_cast<ptrdiff_t>(i) + 1, body.end());
      const bool thenEnds = alwaysReturns(branch->thenBody), elseEnds = alwaysReturns(branch->elseBody);
      if (!thenEnds && !elseEnds && !rest.empty()) return true;
      return needsFlag(thenEnds ? branch->thenBody : joined(branch->thenBody, rest)) ||
             needsFlag(thenEnds ? joined(branch->elseBody, rest) : branch->elseBody);
    }
    return false;
  }
  static std::vector<TStmtId> joined(std::vector<TStmtId> first, const std::vector<TStmtId>& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
  }

  void list(const std::vector<TStmtId>& body, std::vector<TStmtId>& out) {
    for (size_t i = 0; i < body.size(); ++i) {
      if (!mayReturn(body[i])) {
        out.push_back(copy(body[i]));
        continue;
      }
      const TStmt stmt = program_.stmt(body[i]);
      std::vector<TStmtId> rest(body.begin() + static_cast<ptrdiff_t>(i) + 1, body.end());
      if (const auto* node = std::get_if<Return>(&stmt.node)) {
        if (node->value) {
          const TExprId value = copy(node->value);
          out.push_back(program_.addStmt(stmt.range, Assign{ref(result_, stmt.range), std::nullopt, value, {}}));
        }
        if (returned_)
          out.push_back(
              program_.addStmt(stmt.range, Assign{ref(returned_, stmt.range), std::nullopt, truth(true), {}}));
        if (loops_ > 0) out.push_back(program_.addStmt(stmt.range, Break{}));
        return;
      }
      if (const auto* node = std::get_if<If>(&stmt.node)) {
        If branch{copy(node->condition), {}, {}};
        const bool thenEnds = loops_ == 0 && alwaysReturns(node->thenBody),
                   elseEnds = loops_ == 0 && alwaysReturns(node->elseBody);
        list(elseEnds && !thenEnds ? joined(node->thenBody, rest) : node->thenBody, branch.thenBody);
        list(thenEnds ? joined(node->elseBody, rest) : node->elseBody, branch.elseBody);
        out.push_back(program_.addStmt(stmt.range, std::move(branch)));
        if (thenEnds || elseEnds) return;
      } else if (const auto* scope = std::get_if<Scope>(&stmt.node)) {
        Scope inner;
        list(scope->body, inner.body);
        out.push_back(program_.addStmt(stmt.range, std::move(inner)));
      } else if (const auto* loop = std::get_if<While>(&stmt.node)) {
        While inner{copy(loop->condition), {}};
        ++loops_;
        list(loop->body, inner.body);
        --loops_;
        out.push_back(program_.addStmt(stmt.range, std::move(inner)));
      } else if (const auto* counted = std::get_if<For>(&stmt.node)) {
        For inner = *counted;
        inner.low = copy(counted->low), inner.high = copy(counted->high), inner.step = copy(counted->step);
        inner.variable = of(counted->variable);
        inner.body.clear();
        ++loops_;
        list(counted->body, inner.body);
        --loops_;
        out.push_back(program_.addStmt(stmt.range, std::move(inner)));
      }
      if (rest.empty() && loops_ == 0) return;
      const bool leavesByBreak = std::holds_alternative<If>(stmt.node) || std::holds_alternative<Scope>(stmt.node);
      if (loops_ > 0) {
        if (!leavesByBreak)
          out.push_back(program_.addStmt(stmt.range,
                                         If{ref(returned_, stmt.range), {program_.addStmt(stmt.range, Break{})}, {}}));
        continue;
      }
      const TExprId runs =
          program_.addExpr(program_.types->scalar(Scalar::Bool), stmt.range, LogicNot{ref(returned_, stmt.range)});
      If behind{runs, {}, {}};
      list(rest, behind.thenBody);
      out.push_back(program_.addStmt(stmt.range, std::move(behind)));
      return;
    }
  }

  TStmtId copy(TStmtId id) {
    TStmt stmt = program_.stmt(id);
    forEachChild(
        stmt, [&](const TExprId& child) { const_cast<TExprId&>(child) = copy(child); },
        [&](const TStmtId& child) { const_cast<TStmtId&>(child) = copy(child); });
    return std::visit(
        [&](auto& node) {
          using Node = std::decay_t<decltype(node)>;
          if constexpr (std::is_same_v<Node, Declare>) node.local = of(node.local);
          if constexpr (std::is_same_v<Node, For>) node.variable = of(node.variable);
          if constexpr (std::is_same_v<Node, Collective>) node.result = of(node.result);
          if constexpr (std::is_same_v<Node, Collective> || std::is_same_v<Node, Barrier>) node.calls.push_back(call_);
          if constexpr (std::is_same_v<Node, BindView>)
            for (LocalId& extent : node.extents)
              if (extent) extent = of(extent);
          return program_.addStmt(stmt.range, std::move(node));
        },
        stmt.node);
  }

  TypedProgram& program_;
  const Function& from_;
  Body& to_;
  const Range call_;
  std::vector<LocalId> locals_;
  std::vector<TExprId> places_;
  LocalId result_, returned_;
  unsigned loops_ = 0;
};

/// Nothing changes it while the function runs.
bool isFixed(const Local& local, bool isView) {
  switch (local.kind) {
    case LocalKind::Let:
    case LocalKind::Param:
    case LocalKind::Dimension:
    case LocalKind::DomainVar:
    case LocalKind::ThreadVar: return true;
    case LocalKind::MutParam:
    case LocalKind::Shared: return isView;
    case LocalKind::Var: return false;
  }
  return false;
}

}  // namespace

Value Checker::inlineCall(const FunctionInstance& instance, const std::vector<TExprId>& arguments, bool mayHoist,
                          Range range) {
  const BlockUse& use = *instance.blockUse;
  const std::string& name = instance.name;
  if (ctx_->kind == Context::Kind::Function) {
    if (!ctx_->blockUse) {
      ctx_->blockUse = use;
      ctx_->blockUse->via.push_back({name, range});
    }
  } else if (ctx_->kind != Context::Kind::Kernel || !ctx_->isBlocks) {
    auto builder = report(Diag::BlockCall, range, {name, use.what});
    for (size_t i = use.via.size(); i-- > 0;)
      builder.note(use.via[i].second, fmt::format("it calls `{}` here", use.via[i].first));
    builder.note(use.range, fmt::format("{} stands here", use.what))
        .help(ctx_->kind == Context::Kind::Kernel || ctx_->kind == Context::Kind::Reduction
                  ? "the points of `forall` are independent; call it from a kernel with `blocks ... threads ...`"
                  : "call it from a kernel with `blocks ... threads ...`");
    return errorValue(range);
  }
  const Function& from = instance.inlined;
  // What it changes must not be read before by the statement that calls it.
  bool changes = false;
  for (LocalId param : from.params) changes = changes || from.body.locals[param.value].kind == LocalKind::MutParam;
  if (!mayHoist || ctx_->valueBlocks || (changes && ctx_->statementValue != range)) {
    report(Diag::CollectivePlace, range, {fmt::format("`{}`, which uses {},", name, use.what)})
        .note(use.range, fmt::format("{} stands here", use.what))
        .help(typeOf(from.result).kind == TypeKind::Unit
                  ? "give it a statement of its own"
                  : fmt::format("give it a statement of its own: `let value = {}`", shorten(range)));
    return errorValue(range);
  }
  BodyCopy copy(program_, from, ctx_->body, range);
  if (const auto place = copy.returnInValue()) {
    report(Diag::LeavesValue, *place, {"`return`"})
        .note(use.range, fmt::format("the function uses {} here, so all of it becomes part of its callers", use.what))
        .help("give the `if` a statement of its own before");
    return errorValue(range);
  }
  if (isView(from.result) && from.body.statements.size() > 1)
    for (size_t i = 0; i + 1 < from.body.statements.size(); ++i)
      if (copy.mayReturn(from.body.statements[i])) {
        report(Diag::ArrayReturns, range, {name, use.what})
            .note(use.range, fmt::format("{} stands here", use.what))
            .help("return it at the end of the function only");
        return errorValue(range);
      }
  auto kept = [&](std::string local, TExprId value) {
    const TExpr& init = program_.expr(value);
    const LocalId made = copy.newLocal(std::move(local), init.type, LocalKind::Let, init.range);
    emit(init.range, Declare{made, value});
    return made;
  };
  // A place with its indices evaluated once.
  auto settled = [&](auto& self, TExprId id) -> TExprId {
    TExpr place = program_.expr(id);
    if (auto* element = std::get_if<ViewElement>(&place.node)) {
      if (!std::holds_alternative<LocalRef>(program_.expr(element->view).node))
        element->view = localRef(kept("", element->view), place.range);
      for (TExprId& index : element->indices) index = localRef(kept("", index), place.range);
      return program_.addExpr(place.type, place.range, *element);
    }
    if (auto* element = std::get_if<ElementOf>(&place.node)) {
      element->value = self(self, element->value);
      element->index = localRef(kept("", element->index), place.range);
      return program_.addExpr(place.type, place.range, *element);
    }
    if (auto* slice = std::get_if<ElementSlice>(&place.node)) {
      slice->value = self(self, slice->value);
      return program_.addExpr(place.type, place.range, *slice);
    }
    if (auto* swizzle = std::get_if<Swizzle>(&place.node)) {
      swizzle->vector = self(self, swizzle->vector);
      return program_.addExpr(place.type, place.range, *swizzle);
    }
    if (auto* item = std::get_if<TupleItem>(&place.node)) {
      item->tuple = self(self, item->tuple);
      return program_.addExpr(place.type, place.range, *item);
    }
    return id;
  };
  for (size_t i = 0; i < from.params.size(); ++i) {
    const LocalId param = from.params[i];
    const Local declared = from.body.locals[param.value];
    const auto* given = std::get_if<LocalRef>(&program_.expr(arguments[i]).node);
    if (declared.kind == LocalKind::MutParam && !isView(declared.type))
      copy.isPlace(param, settled(settled, arguments[i]));
    else if (given && isFixed(ctx_->body.locals[given->local.value], isView(declared.type)))
      copy.isLocal(param, given->local);
    else copy.isLocal(param, kept(declared.name, arguments[i]));
  }
  for (const auto& [what, local] : instance.blockNames) {
    Value value = blockName(what, range);
    copy.isLocal(local, kept(what, materialize(value)));
  }
  std::vector<TStmtId> statements;
  const TExprId result = copy.run(statements);
  ctx_->out->insert(ctx_->out->end(), statements.begin(), statements.end());
  ctx_->hasEffects = true;
  return result ? Value{from.result, result, {}, range} : unitValue(range);
}

}  // namespace rad::sema

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which values are the same for all threads of a block, and whether all of them reach each barrier. A local varies if
// something that varies is assigned to it, or if it is assigned where only some threads pass. That is found by going
// over the body until nothing changes; then each barrier and collective is looked at.
#include "frontend/sema/checker.h"
#include "frontend/sema/children.h"

#include <fmt/format.h>

#include <utility>

namespace rad::sema {
namespace {

/// Why something varies: the words for it, and where it comes from.
struct Cause {
  std::string what;    // as the message names it
  std::string origin;  // what differs in the first place, declared or read at `where`
  Range where;
  Range left{};  // some threads leave here
};

class Uniformity {
 public:
  Uniformity(TypedProgram& program, Kernel& kernel, Diagnostics& diagnostics)
      : program_(program), kernel_(kernel), diagnostics_(diagnostics) {}

  void run() {
    for (LocalId thread : kernel_.threads)
      vary(thread, {quoted(thread), quoted(thread), kernel_.body.locals[thread.value].range});
    do {
      changed_ = false;
      pass();
    } while (changed_);
    isReporting_ = true;
    pass();
    for (size_t i = 0; i < kernel_.body.locals.size(); ++i)
      kernel_.body.locals[i].uniform = !varying_.contains(static_cast<uint32_t>(i));
  }

 private:
  void pass() {
    control_.reset();
    returned_.reset();
    loop_ = nullptr;
    block(kernel_.body.statements);
  }

  void vary(LocalId id, const Cause& cause) {
    if (varying_.emplace(id.value, cause).second) changed_ = true;
  }

  /// What makes the value vary among the threads, if anything does.
  std::optional<Cause> cause(TExprId id) {
    if (!id) return std::nullopt;
    const TExpr& e = program_.expr(id);
    if (const auto* ref = std::get_if<LocalRef>(&e.node)) {
      const Local& local = kernel_.body.locals[ref->local.value];
      if (local.kind == LocalKind::Shared && !isView(local.type))
        return Cause{quoted(ref->local), quoted(ref->local), local.range};
      if (auto it = varying_.find(ref->local.value); it != varying_.end())
        return local.name.empty() ? it->second : Cause{quoted(ref->local), it->second.origin, it->second.where};
      return std::nullopt;
    }
    if (std::holds_alternative<ViewElement>(e.node))
      return Cause{"an element of memory", "an element of memory", e.range};
    if (std::holds_alternative<AtomicCall>(e.node))
      return Cause{"the result of an atomic operation", "the result of an atomic operation", e.range};
    std::optional<Cause> found;
    if (const auto* call = std::get_if<CallFunction>(&e.node)) {
      // Code of another object may look at anything, and a function that is given an array may read it.
      const Function& callee = program_.functions[call->function.value];
      bool mayVary = callee.isExtern;
      for (TExprId argument : call->arguments) mayVary = mayVary || isView(program_.expr(argument).type);
      if (mayVary) return Cause{"what a function reads", "what a function reads", e.range};
    }
    if (std::holds_alternative<BlockValue>(e.node)) {
      // Its statements were looked at on the way here; its value decides.
      return cause(std::get<BlockValue>(e.node).value);
    }
    forEachChild(
        e,
        [&](TExprId child) {
          if (!found) found = cause(child);
        },
        [](TStmtId) {});
    return found;
  }
  std::string quoted(LocalId id) const { return fmt::format("`{}`", kernel_.body.locals[id.value].name); }
  bool isView(TypeId id) const { return program_.types->get(id).kind == TypeKind::View; }

  /// Visits the statements inside of expressions.
  void inner(TExprId id) {
    if (!id) return;
    const TExpr& e = program_.expr(id);
    if (const auto* node = std::get_if<IfValue>(&e.node)) {
      inner(node->condition);
      under(cause(node->condition), [&] {
        inner(node->whenTrue);
        inner(node->whenFalse);
      });
      return;
    }
    if (const auto* node = std::get_if<Logic>(&e.node)) {
      inner(node->left);
      under(cause(node->left), [&] { inner(node->right); });
      return;
    }
    if (const auto* node = std::get_if<CallFunction>(&e.node)) {
      // A `mut` argument takes whatever the function makes of its arguments.
      const Function& callee = program_.functions[node->function.value];
      std::optional<Cause> all = control();
      for (TExprId argument : node->arguments)
        if (!all) all = cause(argument);
      for (size_t i = 0; i < node->arguments.size() && i < callee.params.size(); ++i)
        if (i < callee.body.locals.size() && callee.body.locals[callee.params[i].value].kind == LocalKind::MutParam &&
            all)
          assign(node->arguments[i], *all);
    }
    forEachChild(e, [&](TExprId child) { inner(child); }, [&](TStmtId child) { statement(child); });
  }

  void assign(TExprId place, const Cause& cause) {
    if (const LocalId root = placeRoot(program_, place); root && !isView(kernel_.body.locals[root.value].type))
      vary(root, cause);
  }

  /// What keeps some threads away from here, if anything does.
  std::optional<Cause> control() const {
    if (control_) return control_;
    if (returned_) return returned_;
    if (loop_ && loop_->left) return loop_->left;
    return std::nullopt;
  }

  /// The cause with the place at which threads leave.
  static Cause leaving(Cause cause, Range range) {
    if (!cause.left.valid()) cause.left = range;
    return cause;
  }

  template <class Action>
  void under(const std::optional<Cause>& condition, Action action) {
    const std::optional<Cause> saved = control_;
    if (!control_ && condition) control_ = condition;
    action();
    control_ = saved;
  }

  void meet(std::string_view what, Range range) {
    if (!isReporting_) return;
    const auto away = control();
    if (!away) return;
    auto message = diagnostics_.report(Diag::NotUniform, range, {std::string(what), away->what})
                       .note(away->where, fmt::format("{} may differ from thread to thread", away->origin));
    if (away->left.valid())
      message.note(away->left, "some threads leave here")
          .help("let all threads go on, and guard only what those must not do: `if i < n { x[i] } else { 0.0 }`");
    else
      message.help("move it out of the condition, so that all threads of the block reach it");
  }

  void block(const std::vector<TStmtId>& ids) {
    for (TStmtId id : ids) statement(id);
  }

  struct Loop {
    std::optional<Cause> left;  // some threads may have left, or skipped the rest
  };

  template <class Action>
  void loop(TStmtId id, const std::optional<Cause>& trips, Action body) {
    // What leaves the loop at its end keeps threads from its beginning in the next round: passes remember it.
    Loop inner{std::nullopt};
    if (auto it = lefts_.find(id.value); it != lefts_.end()) inner.left = it->second;
    Loop* const outer = std::exchange(loop_, &inner);
    under(trips, body);
    loop_ = outer;
    if (!inner.left) inner.left = returned_;
    if (inner.left && lefts_.emplace(id.value, *inner.left).second) changed_ = true;
  }

  void statement(TStmtId id) {
    const TStmt& s = program_.stmt(id);
    if (const auto* node = std::get_if<Declare>(&s.node)) {
      if (!node->init) return;
      inner(node->init);
      std::optional<Cause> why = cause(node->init);
      if (!why && kernel_.body.locals[node->local.value].kind == LocalKind::Var) why = control();
      if (why) vary(node->local, *why);
      return;
    }
    if (const auto* node = std::get_if<Assign>(&s.node)) {
      inner(node->value);
      inner(node->place);
      std::optional<Cause> why = cause(node->value);
      if (!why && wholeOfPart(program_, node->place)) why = cause(node->place);
      if (!why) why = control();
      if (why) assign(node->place, *why);
      return;
    }
    if (const auto* node = std::get_if<If>(&s.node)) {
      inner(node->condition);
      under(cause(node->condition), [&] {
        block(node->thenBody);
        block(node->elseBody);
      });
      return;
    }
    if (const auto* node = std::get_if<While>(&s.node)) {
      loop(id, cause(node->condition), [&] {
        inner(node->condition);
        block(node->body);
      });
      return;
    }
    if (const auto* node = std::get_if<For>(&s.node)) {
      inner(node->low);
      inner(node->high);
      inner(node->step);
      std::optional<Cause> trips = cause(node->low);
      if (!trips) trips = cause(node->high);
      if (!trips) trips = cause(node->step);
      if (trips) vary(node->variable, *trips);
      loop(id, trips, [&] { block(node->body); });
      return;
    }
    if (std::holds_alternative<Break>(s.node) || std::holds_alternative<Continue>(s.node)) {
      if (auto why = control(); why && loop_ && !loop_->left) loop_->left = leaving(*why, s.range);
      return;
    }
    if (std::holds_alternative<Return>(s.node)) {
      if (auto why = control(); why && !returned_) returned_ = leaving(*why, s.range);
      return;
    }
    if (std::holds_alternative<Barrier>(s.node)) return meet("this barrier", s.range);
    if (const auto* node = std::get_if<Collective>(&s.node)) {
      inner(node->value);
      return meet(node->isMinMax ? node->minMax == Math::Max ? "block.max" : "block.min" : "block.sum", s.range);
    }
    forEachChild(s, [&](TExprId child) { inner(child); }, [&](TStmtId child) { statement(child); });
  }

  TypedProgram& program_;
  Kernel& kernel_;
  Diagnostics& diagnostics_;
  std::map<uint32_t, Cause> varying_;
  std::map<uint32_t, Cause> lefts_;  // by loop
  std::optional<Cause> control_, returned_;
  Loop* loop_ = nullptr;
  bool changed_ = false, isReporting_ = false;
};

}  // namespace

void checkUniformity(TypedProgram& program, Kernel& kernel, Diagnostics& diagnostics) {
  Uniformity(program, kernel, diagnostics).run();
}

}  // namespace rad::sema

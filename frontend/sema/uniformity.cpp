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

/// A place and what it has to do with the value that varies.
struct Step {
  Range where;
  std::string text;
};

/// Why something varies: the words for it, and the way from it to where threads begin to differ.
struct Cause {
  std::string what;         // as the message names it
  std::vector<Step> steps;  // the last is what differs in the first place
  Range left{};             // some threads leave here
  bool isRounds = false;    // the number of rounds of a loop
  bool isMemory = false;    // what differs was read: the author may know that it does not
};

class Uniformity {
 public:
  Uniformity(TypedProgram& program, Kernel& kernel, Diagnostics& diagnostics,
             const std::function<std::string(Range)>& textOf)
      : program_(program),
        kernel_(kernel),
        diagnostics_(diagnostics),
        textOf_(textOf),
        steady_(steadyReads(program, kernel)) {}

  void run() {
    for (LocalId thread : kernel_.threads) vary(thread, {quoted(thread), {differs(thread)}});
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
  Step differs(LocalId id) const {
    return {kernel_.body.locals[id.value].range, fmt::format("{} may differ from thread to thread", quoted(id))};
  }

  /// What makes the value vary among the threads, if anything does.
  std::optional<Cause> cause(TExprId id) {
    if (!id) return std::nullopt;
    const TExpr& e = program_.expr(id);
    if (const auto* ref = std::get_if<LocalRef>(&e.node)) {
      const Local& local = kernel_.body.locals[ref->local.value];
      if (local.kind == LocalKind::Shared && !isView(local.type))
        return steady_.contains(id.value)
                   ? std::nullopt
                   : std::optional(read(e, "no barrier() lies between this read and a store to it"));
      if (auto it = varying_.find(ref->local.value); it != varying_.end()) return it->second;
      return std::nullopt;
    }
    std::optional<Cause> found;
    if (const auto* element = std::get_if<ViewElement>(&e.node)) {
      forEachChild(
          e,
          [&](TExprId child) {
            if (!found) found = cause(child);
          },
          [](TStmtId) {});
      if (found) return reached(*found, e, "is read at a place that depends on");
      const LocalId root = memoryRoot(program_, element->view, views_);
      if (root && isReadOnly(root)) return std::nullopt;
      if (root && kernel_.body.locals[root.value].kind == LocalKind::Shared)
        return steady_.contains(id.value)
                   ? std::nullopt
                   : std::optional(read(e, "no barrier() lies between this read and a store to it"));
      return read(e, "other threads may store to it");
    }
    if (std::holds_alternative<AtomicCall>(e.node)) {
      Cause atomic{"the result of an atomic operation", {{e.range, "each thread gets what it found there"}}};
      atomic.isMemory = true;
      return atomic;
    }
    if (const auto* call = std::get_if<CallFunction>(&e.node)) {
      // Code of another object may look at anything, and a function that is given an array may read it.
      const Function& callee = program_.functions[call->function.value];
      bool mayVary = callee.isExtern;
      for (TExprId argument : call->arguments)
        if (isView(program_.expr(argument).type)) {
          const LocalId root = memoryRoot(program_, argument, views_);
          mayVary = mayVary || !root || !isReadOnly(root);
        }
      if (mayVary) {
        Cause reads{fmt::format("what `{}` gives", callee.name),
                    {{e.range, "it may read what differs from thread to thread"}}};
        reads.isMemory = true;
        return reads;
      }
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
  /// Nothing stores to it while the kernel runs.
  bool isReadOnly(LocalId root) const {
    const LocalKind kind = kernel_.body.locals[root.value].kind;
    return kind == LocalKind::Param;
  }
  Cause read(const TExpr& e, std::string_view why) const {
    Cause result{fmt::format("`{}`", textOf_(e.range)),
                 {{e.range, fmt::format("`{}` may differ from thread to thread: {}", textOf_(e.range), why)}}};
    result.isMemory = true;
    return result;
  }
  /// `e` varies because of `from`.
  Cause reached(Cause from, const TExpr& e, std::string_view how) const {
    const std::string text = fmt::format("`{}`", textOf_(e.range));
    step(from, {e.range, fmt::format("{} {} {}", text, how, from.what)});
    from.what = text;
    return from;
  }
  /// Puts a step in front; of long ways the last steps before the origin are left out.
  static void step(Cause& cause, Step first) {
    constexpr size_t most = 6;
    cause.steps.insert(cause.steps.begin(), std::move(first));
    if (cause.steps.size() > most) cause.steps.erase(cause.steps.end() - 2);
  }
  /// What makes a local vary to which something is given at `where`.
  Cause given(LocalId id, Cause from, Range where, bool byControl) const {
    const Local& local = kernel_.body.locals[id.value];
    from.left = {};
    from.isRounds = false;
    if (local.name.empty()) return from;
    step(from, {where, byControl ? fmt::format("{} is set here by some threads only", quoted(id))
                                 : fmt::format("{} is set from {}", quoted(id), from.what)});
    from.what = quoted(id);
    return from;
  }
  std::string quoted(LocalId id) const { return fmt::format("`{}`", kernel_.body.locals[id.value].name); }
  bool isView(TypeId id) const { return program_.types->get(id).kind == TypeKind::View; }

  /// Visits the statements inside of expressions.
  void inner(TExprId id) {
    if (!id) return;
    const TExpr& e = program_.expr(id);
    if (const auto* node = std::get_if<IfValue>(&e.node)) {
      inner(node->condition);
      under(conditionOf(node->condition), [&] {
        inner(node->whenTrue);
        inner(node->whenFalse);
      });
      return;
    }
    if (const auto* node = std::get_if<Logic>(&e.node)) {
      inner(node->left);
      under(conditionOf(node->left), [&] { inner(node->right); });
      return;
    }
    if (const auto* node = std::get_if<CallFunction>(&e.node)) {
      // A `mut` argument takes whatever the function makes of its arguments.
      const Function& callee = program_.functions[node->function.value];
      std::optional<Cause> all = control();
      const bool byControl = all.has_value();
      for (TExprId argument : node->arguments)
        if (!all) all = cause(argument);
      for (size_t i = 0; i < node->arguments.size() && i < callee.params.size(); ++i)
        if (i < callee.body.locals.size() && callee.body.locals[callee.params[i].value].kind == LocalKind::MutParam &&
            all)
          assign(node->arguments[i], *all, e.range, byControl);
    }
    forEachChild(e, [&](TExprId child) { inner(child); }, [&](TStmtId child) { statement(child); });
  }

  void assign(TExprId place, const Cause& cause, Range where, bool byControl) {
    if (const LocalId root = placeRoot(program_, place); root && !isView(kernel_.body.locals[root.value].type) &&
                                                         kernel_.body.locals[root.value].kind != LocalKind::Shared)
      vary(root, given(root, cause, where, byControl));
  }

  /// The cause of a condition that varies.
  std::optional<Cause> conditionOf(TExprId condition) {
    auto found = cause(condition);
    if (found) step(*found, {program_.expr(condition).range, fmt::format("this condition depends on {}", found->what)});
    return found;
  }
  std::optional<Cause> roundsOf(TExprId bound) {
    auto found = cause(bound);
    if (!found) return found;
    step(*found,
         {program_.expr(bound).range, fmt::format("the number of rounds of this loop depends on {}", found->what)});
    found->isRounds = true;
    return found;
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

  void meet(std::string_view what, Range range, const std::vector<Range>& calls) {
    if (!isReporting_) return;
    const auto away = control();
    if (!away) return;
    auto message = diagnostics_.report(Diag::NotUniform, range, {std::string(what), away->what});
    for (Range call : calls) message.note(call, "it comes here from this call");
    if (away->left.valid()) message.note(away->left, "some threads leave here");
    for (const Step& step : away->steps) message.note(step.where, step.text);
    std::string help = "move it out of the condition, so that all threads of the block reach it";
    if (away->left.valid())
      help = "let all threads go on, and guard only what those must not do: `if i < n { x[i] } else { 0.0 }`";
    else if (away->isRounds)
      help = "let all threads make the same number of rounds, and put what only some of them do under an `if`";
    if (away->isMemory) {
      std::string_view value = away->what;
      if (value.starts_with('`') && value.ends_with('`')) value = value.substr(1, value.size() - 2);
      else value = "...";
      help += fmt::format("; if all threads of a block have the same value here, say so: `uniform({})`", value);
    }
    message.help(help);
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
      const Local& local = kernel_.body.locals[node->local.value];
      if (isView(local.type))
        views_[node->local.value] = local.kind == LocalKind::Let ? memoryRoot(program_, node->init, views_) : LocalId{};
      std::optional<Cause> why = cause(node->init);
      const bool byControl = !why;
      if (!why && local.kind == LocalKind::Var) why = control();
      if (why) vary(node->local, given(node->local, *why, s.range, byControl));
      return;
    }
    if (const auto* node = std::get_if<Assign>(&s.node)) {
      inner(node->value);
      inner(node->place);
      std::optional<Cause> why = cause(node->value);
      if (!why && wholeOfPart(program_, node->place)) why = cause(node->place);
      const bool byControl = !why;
      if (!why) why = control();
      if (why) assign(node->place, *why, s.range, byControl);
      return;
    }
    if (const auto* node = std::get_if<If>(&s.node)) {
      inner(node->condition);
      under(conditionOf(node->condition), [&] {
        block(node->thenBody);
        block(node->elseBody);
      });
      return;
    }
    if (const auto* node = std::get_if<While>(&s.node)) {
      loop(id, roundsOf(node->condition), [&] {
        inner(node->condition);
        block(node->body);
      });
      return;
    }
    if (const auto* node = std::get_if<For>(&s.node)) {
      inner(node->low);
      inner(node->high);
      inner(node->step);
      std::optional<Cause> trips = roundsOf(node->low);
      if (!trips) trips = roundsOf(node->high);
      if (!trips) trips = roundsOf(node->step);
      if (trips) vary(node->variable, given(node->variable, *trips, s.range, false));
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
    if (const auto* node = std::get_if<Barrier>(&s.node)) return meet("this barrier", s.range, node->calls);
    if (const auto* node = std::get_if<Collective>(&s.node)) {
      inner(node->value);
      return meet(node->isPromise  ? "uniform()"
                  : node->isMinMax ? node->minMax == Math::Max ? "block.max" : "block.min"
                                   : "block.sum",
                  s.range, node->calls);
    }
    forEachChild(s, [&](TExprId child) { inner(child); }, [&](TStmtId child) { statement(child); });
  }

  TypedProgram& program_;
  Kernel& kernel_;
  Diagnostics& diagnostics_;
  const std::function<std::string(Range)>& textOf_;
  const std::set<uint32_t> steady_;
  std::map<uint32_t, LocalId> views_;  // by local: what the elements of a view are of
  std::map<uint32_t, Cause> varying_;
  std::map<uint32_t, Cause> lefts_;  // by loop
  std::optional<Cause> control_, returned_;
  Loop* loop_ = nullptr;
  bool changed_ = false, isReporting_ = false;
};

}  // namespace

void checkUniformity(TypedProgram& program, Kernel& kernel, Diagnostics& diagnostics,
                     const std::function<std::string(Range)>& textOf) {
  Uniformity(program, kernel, diagnostics, textOf).run();
}

}  // namespace rad::sema

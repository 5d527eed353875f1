// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which reads of shared memory give all threads the same. Between two barriers lies a phase; a read is steady if
// nothing in its phase stores to the variable: then all threads see what was there at the barrier. Phases that ways of
// the program join are one.
#include "frontend/sema/checker.h"
#include "frontend/sema/children.h"

#include <numeric>

namespace rad::sema {

LocalId memoryRoot(const TypedProgram& program, TExprId view, const std::map<uint32_t, LocalId>& views) {
  while (true) {
    const auto& node = program.expr(view).node;
    if (const auto* slice = std::get_if<ViewSlice>(&node)) {
      view = slice->view;
    } else if (const auto* flat = std::get_if<ViewFlat>(&node)) {
      view = flat->view;
    } else if (const auto* ref = std::get_if<LocalRef>(&node)) {
      const auto known = views.find(ref->local.value);
      return known == views.end() ? ref->local : known->second;
    } else {
      return {};
    }
  }
}

namespace {

class Phases {
 public:
  Phases(const TypedProgram& program, const Kernel& kernel) : program_(program), kernel_(kernel) {}

  std::set<uint32_t> run() {
    bool hasShared = false;
    for (const Local& local : kernel_.body.locals) hasShared = hasShared || local.kind == LocalKind::Shared;
    if (!hasShared) return {};
    now_ = fresh();
    block(kernel_.body.statements);
    std::set<std::pair<size_t, uint32_t>> written;
    std::set<size_t> anyWritten;
    for (const Access& write : writes_)
      if (write.root) written.insert({find(write.phase), write.root.value});
      else anyWritten.insert(find(write.phase));
    std::set<uint32_t> steady;
    for (const auto& [read, at] : reads_)
      if (const size_t phase = find(at.phase); !written.contains({phase, at.root.value}) && !anyWritten.contains(phase))
        steady.insert(read);
    return steady;
  }

 private:
  struct Access {
    size_t phase;
    LocalId root;
  };
  size_t fresh() {
    parents_.push_back(parents_.size());
    return parents_.size() - 1;
  }
  size_t find(size_t phase) {
    while (parents_[phase] != phase) phase = parents_[phase] = parents_[parents_[phase]];
    return phase;
  }
  void join(size_t a, size_t b) { parents_[find(a)] = find(b); }

  bool isView(TypeId type) const { return program_.types->get(type).kind == TypeKind::View; }
  bool isShared(LocalId local) const { return kernel_.body.locals[local.value].kind == LocalKind::Shared; }
  /// Something is stored to memory; `root` none: to any.
  void write(LocalId root) {
    if (!root || isShared(root)) writes_.push_back({now_, root});
  }
  void writePlace(TExprId place) {
    const TExprId whole = outermostPlace(program_, place);
    const auto& node = program_.expr(whole).node;
    if (const auto* element = std::get_if<ViewElement>(&node)) write(memoryRoot(program_, element->view, views_));
    else if (const auto* ref = std::get_if<LocalRef>(&node); ref && isShared(ref->local)) write(ref->local);
  }

  void expression(TExprId id) {
    const TExpr& e = program_.expr(id);
    if (const auto* element = std::get_if<ViewElement>(&e.node)) {
      if (const LocalId root = memoryRoot(program_, element->view, views_); root && isShared(root))
        reads_[id.value] = {now_, root};
    } else if (const auto* ref = std::get_if<LocalRef>(&e.node)) {
      if (isShared(ref->local) && !isView(e.type)) reads_[id.value] = {now_, ref->local};
    } else if (const auto* atomic = std::get_if<AtomicCall>(&e.node)) {
      writePlace(atomic->place);
    } else if (const auto* call = std::get_if<CallFunction>(&e.node)) {
      const Function& callee = program_.functions[call->function.value];
      for (size_t i = 0; i < call->arguments.size(); ++i) {
        const TExpr& argument = program_.expr(call->arguments[i]);
        if (isView(argument.type)) {
          if (program_.types->get(argument.type).writable || callee.isExtern)
            write(memoryRoot(program_, call->arguments[i], views_));
        } else if (callee.isExtern || callee.body.locals[callee.params[i].value].kind == LocalKind::MutParam) {
          writePlace(call->arguments[i]);
        }
      }
    }
    forEachChild(e, [&](TExprId child) { expression(child); }, [&](TStmtId child) { statement(child); });
  }

  void block(const std::vector<TStmtId>& ids) {
    for (TStmtId id : ids) statement(id);
  }

  void loop(bool endsAtHead, const std::vector<TStmtId>& body) {
    const size_t head = now_, exit = fresh();
    if (endsAtHead) join(exit, head);
    loops_.push_back({head, exit});
    block(body);
    join(now_, head);
    loops_.pop_back();
    now_ = exit;
  }

  void statement(TStmtId id) {
    const TStmt& s = program_.stmt(id);
    if (std::holds_alternative<Barrier>(s.node)) {
      now_ = fresh();
      return;
    }
    if (const auto* node = std::get_if<If>(&s.node)) {
      expression(node->condition);
      const size_t before = now_;
      block(node->thenBody);
      const size_t afterThen = std::exchange(now_, before);
      block(node->elseBody);
      join(afterThen, now_);
      return;
    }
    if (const auto* node = std::get_if<While>(&s.node)) {
      // The condition is looked at when the body has been through, too.
      expression(node->condition);
      const auto* constant = std::get_if<ConstInt>(&program_.expr(node->condition).node);
      return loop(!constant || !constant->bits, node->body);
    }
    if (const auto* node = std::get_if<For>(&s.node)) {
      for (TExprId bound : {node->low, node->high, node->step})
        if (bound) expression(bound);
      return loop(true, node->body);
    }
    if (std::holds_alternative<Break>(s.node) && !loops_.empty()) return join(now_, loops_.back().exit);
    if (std::holds_alternative<Continue>(s.node) && !loops_.empty()) return join(now_, loops_.back().head);
    if (const auto* node = std::get_if<Declare>(&s.node);
        node && node->init && isView(program_.expr(node->init).type)) {
      // A view that is given once: its elements are those of what it was made of.
      const LocalId root = memoryRoot(program_, node->init, views_);
      views_[node->local.value] = kernel_.body.locals[node->local.value].kind == LocalKind::Let ? root : LocalId{};
    }
    forEachChild(s, [&](TExprId child) { expression(child); }, [&](TStmtId child) { statement(child); });
    if (const auto* node = std::get_if<Assign>(&s.node)) writePlace(node->place);
  }

  struct Loop {
    size_t head, exit;
  };
  const TypedProgram& program_;
  const Kernel& kernel_;
  std::vector<size_t> parents_;
  std::vector<Loop> loops_;
  std::map<uint32_t, LocalId> views_;
  std::map<uint32_t, Access> reads_;  // by expression
  std::vector<Access> writes_;
  size_t now_ = 0;
};

}  // namespace

std::set<uint32_t> steadyReads(const TypedProgram& program, const Kernel& kernel) {
  return Phases(program, kernel).run();
}

}  // namespace rad::sema

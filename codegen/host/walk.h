// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The direct children of typed expressions and statements, for analyses that look at everything.
#pragma once

#include "frontend/sema/typed_program.h"

#include <span>
#include <variant>

namespace rad::cg {

namespace detail {
template <class... Parts>
struct Overloaded : Parts... {
  using Parts::operator()...;
};
template <class... Parts>
Overloaded(Parts...) -> Overloaded<Parts...>;
}  // namespace detail

/// Calls onExpr for each direct child expression and onStmt for each direct child statement, in the order of
/// evaluation. A new kind of node does not compile until it is listed.
template <class OnExpr, class OnStmt>
void forEachChild(const TExpr& expr, OnExpr&& onExpr, OnStmt&& onStmt) {
  auto one = [&](TExprId id) {
    if (id) onExpr(id);
  };
  auto all = [&](const std::vector<TExprId>& ids) {
    for (TExprId id : ids) one(id);
  };
  std::visit(detail::Overloaded{
                 [](const ConstInt&) {},
                 [](const ConstFloat&) {},
                 [](const ConstString&) {},
                 [](const LocalRef&) {},
                 [](const GlobalRef&) {},
                 [](const ArgumentCount&) {},
                 [](const Clock&) {},
                 [](const TargetFact&) {},
                 [](const DeviceFact&) {},
                 [&](const BenchAgain& n) { one(n.bytes); },
                 [&](const ViewElement& n) {
                   one(n.view);
                   all(n.indices);
                 },
                 [&](const ViewSlice& n) {
                   one(n.view);
                   for (const SliceDim& dim : n.dims) one(dim.low), one(dim.high), one(dim.step);
                 },
                 [&](const ViewExtent& n) { one(n.view); },
                 [&](const ViewFlat& n) { one(n.view); },
                 [&](const MakeElements& n) { all(n.items); },
                 [&](const ElementOf& n) {
                   one(n.value);
                   one(n.index);
                 },
                 [&](const ElementSlice& n) { one(n.value); },
                 [&](const Swizzle& n) { one(n.vector); },
                 [&](const Negate& n) { one(n.operand); },
                 [&](const LogicNot& n) { one(n.operand); },
                 [&](const BitNot& n) { one(n.operand); },
                 [&](const Arithmetic& n) {
                   one(n.left);
                   one(n.right);
                 },
                 [&](const Compare& n) {
                   one(n.left);
                   one(n.right);
                 },
                 [&](const Logic& n) {
                   one(n.left);
                   one(n.right);
                 },
                 [&](const Convert& n) { one(n.operand); },
                 [&](const Bitcast& n) { one(n.operand); },
                 [&](const Select& n) {
                   one(n.condition);
                   one(n.whenTrue);
                   one(n.whenFalse);
                 },
                 [&](const MathCall& n) { all(n.operands); },
                 [&](const AtomicCall& n) {
                   one(n.place);
                   all(n.operands);
                 },
                 [&](const CallFunction& n) { all(n.arguments); },
                 [&](const BlockValue& n) {
                   for (TStmtId s : n.statements) onStmt(s);
                   one(n.value);
                 },
                 [&](const IfValue& n) {
                   one(n.condition);
                   one(n.whenTrue);
                   one(n.whenFalse);
                 },
                 [&](const MakeTuple& n) { all(n.items); },
                 [&](const TupleItem& n) { one(n.tuple); },
                 [&](const NewArray& n) { all(n.extents); },
                 [&](const ReadFile& n) {
                   one(n.path);
                   all(n.extents);
                 },
                 [&](const ReadText& n) { one(n.path); },
                 [&](const FormatText& n) { all(n.arguments); },
                 [&](const TextLength& n) { one(n.text); },
                 [&](const TextEqual& n) {
                   one(n.left);
                   one(n.right);
                 },
                 [&](const CopyArray& n) { one(n.view); },
                 [&](const ArgumentText& n) { one(n.index); },
                 [&](const ParseNumber& n) { one(n.text); },
                 [&](const HostReduce& n) { all(n.arguments); },
             },
             expr.node);
}

template <class OnExpr, class OnStmt>
void forEachChild(const TStmt& stmt, OnExpr&& onExpr, OnStmt&& onStmt) {
  auto one = [&](TExprId id) {
    if (id) onExpr(id);
  };
  auto all = [&](const std::vector<TExprId>& ids) {
    for (TExprId id : ids) one(id);
  };
  auto body = [&](const std::vector<TStmtId>& ids) {
    for (TStmtId id : ids) onStmt(id);
  };
  std::visit(detail::Overloaded{
                 [](const Break&) {},
                 [](const Continue&) {},
                 [](const Barrier&) {},
                 [](const Sync&) {},
                 [&](const Declare& n) { one(n.init); },
                 [&](const Assign& n) {
                   one(n.place);
                   one(n.value);
                 },
                 [&](const Evaluate& n) { one(n.expr); },
                 [&](const If& n) {
                   one(n.condition);
                   body(n.thenBody);
                   body(n.elseBody);
                 },
                 [&](const While& n) {
                   one(n.condition);
                   body(n.body);
                 },
                 [&](const For& n) {
                   one(n.low);
                   one(n.high);
                   one(n.step);
                   body(n.body);
                 },
                 [&](const Return& n) { one(n.value); },
                 [&](const Scope& n) { body(n.body); },
                 [&](const Collective& n) { one(n.value); },
                 [&](const Assert& n) {
                   one(n.condition);
                   all(n.arguments);
                 },
                 [&](const Print& n) { all(n.arguments); },
                 [&](const Launch& n) { all(n.arguments); },
                 [&](const LaunchOpen& n) {
                   all(n.statics);
                   all(n.arguments);
                 },
                 [&](const BindView& n) {
                   one(n.view);
                   all(n.expected);
                 },
                 [&](const BindGlobals& n) {
                   one(n.view);
                   all(n.expected);
                 },
                 [&](const WriteFile& n) {
                   one(n.path);
                   one(n.view);
                 },
                 [&](const WriteText& n) {
                   one(n.path);
                   one(n.text);
                 },
             },
             stmt.node);
}

/// Calls onExpr and onStmt for everything below and including `stmts`, outer before inner. Bodies of called functions
/// are not entered.
template <class OnExpr, class OnStmt>
class Walker {
 public:
  Walker(const TypedProgram& program, OnExpr onExpr, OnStmt onStmt)
      : program_(program), onExpr_(onExpr), onStmt_(onStmt) {}
  void visit(TExprId id) {
    const TExpr& expr = program_.expr(id);
    onExpr_(id, expr);
    forEachChild(expr, [&](TExprId e) { visit(e); }, [&](TStmtId s) { visit(s); });
  }
  void visit(TStmtId id) {
    const TStmt& stmt = program_.stmt(id);
    onStmt_(id, stmt);
    forEachChild(stmt, [&](TExprId e) { visit(e); }, [&](TStmtId s) { visit(s); });
  }
  void visit(std::span<const TStmtId> stmts) {
    for (TStmtId id : stmts) visit(id);
  }

 private:
  const TypedProgram& program_;
  OnExpr onExpr_;
  OnStmt onStmt_;
};

}  // namespace rad::cg

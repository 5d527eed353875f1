// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parts of typed expressions and statements, for passes that look at everything.
#pragma once

#include "frontend/sema/typed_program.h"

namespace rad::sema {

/// The vector, array value, tuple or struct that `part` is one or some elements, or a member, of; none of anything
/// else.
inline TExprId wholeOfPart(const TypedProgram& program, TExprId part) {
  const auto& node = program.expr(part).node;
  if (const auto* element = std::get_if<ElementOf>(&node)) return element->value;
  if (const auto* slice = std::get_if<ElementSlice>(&node)) return slice->value;
  if (const auto* swizzle = std::get_if<Swizzle>(&node)) return swizzle->vector;
  if (const auto* item = std::get_if<TupleItem>(&node)) return item->tuple;
  return {};
}

/// The place that a place is a part of: `a` of `a`, `a[i]`, `a[1..3]`, `v.x`, `t.0`; `x[i]` of `x[i].y`.
inline TExprId outermostPlace(const TypedProgram& program, TExprId place) {
  while (const TExprId whole = wholeOfPart(program, place)) place = whole;
  return place;
}

/// Whether the elements of a place need not lie next to each other: `v.zx`, `a[0..4 step 2]`.
inline bool isScattered(const TypedProgram& program, TExprId place) {
  for (;;) {
    const auto& node = program.expr(place).node;
    if (std::holds_alternative<Swizzle>(node)) return true;
    const auto* slice = std::get_if<ElementSlice>(&node);
    if (!slice || slice->step != 1) return slice != nullptr;
    place = slice->value;
  }
}

/// The variable that a place belongs to; none for elements of views.
inline LocalId placeRoot(const TypedProgram& program, TExprId place) {
  const auto* ref = std::get_if<LocalRef>(&program.expr(outermostPlace(program, place)).node);
  return ref ? ref->local : LocalId{};
}

/// Calls onExpr(id) for each direct sub-expression in order of evaluation, onStmt(id) for each statement of a
/// BlockValue. The ids are references to those in `e`.
template <class OnExpr, class OnStmt>
void forEachChild(const TExpr& e, OnExpr onExpr, OnStmt onStmt) {
  auto some = [&](const TExprId& id) {
    if (id) onExpr(id);
  };
  auto all = [&](const std::vector<TExprId>& ids) {
    for (const TExprId& id : ids) some(id);
  };
  struct Visitor {
    decltype(some)& one;
    decltype(all)& many;
    OnStmt& stmt;
    void operator()(const ConstInt&) {}
    void operator()(const ConstFloat&) {}
    void operator()(const ConstString&) {}
    void operator()(const LocalRef&) {}
    void operator()(const GlobalRef&) {}
    void operator()(const ViewElement& n) { one(n.view), many(n.indices); }
    void operator()(const ViewSlice& n) {
      one(n.view);
      for (const SliceDim& dim : n.dims) one(dim.low), one(dim.high), one(dim.step);
    }
    void operator()(const ViewExtent& n) { one(n.view); }
    void operator()(const ViewFlat& n) { one(n.view); }
    void operator()(const MakeElements& n) { many(n.items); }
    void operator()(const ElementOf& n) { one(n.value), one(n.index); }
    void operator()(const ElementSlice& n) { one(n.value); }
    void operator()(const Swizzle& n) { one(n.vector); }
    void operator()(const Negate& n) { one(n.operand); }
    void operator()(const LogicNot& n) { one(n.operand); }
    void operator()(const BitNot& n) { one(n.operand); }
    void operator()(const Arithmetic& n) { one(n.left), one(n.right); }
    void operator()(const Compare& n) { one(n.left), one(n.right); }
    void operator()(const Logic& n) { one(n.left), one(n.right); }
    void operator()(const Convert& n) { one(n.operand); }
    void operator()(const Bitcast& n) { one(n.operand); }
    void operator()(const Select& n) { one(n.condition), one(n.whenTrue), one(n.whenFalse); }
    void operator()(const MathCall& n) { many(n.operands); }
    void operator()(const AtomicCall& n) { one(n.place), many(n.operands); }
    void operator()(const CallFunction& n) { many(n.arguments); }
    void operator()(const BlockValue& n) {
      for (const TStmtId& id : n.statements) stmt(id);
      one(n.value);
    }
    void operator()(const IfValue& n) { one(n.condition), one(n.whenTrue), one(n.whenFalse); }
    void operator()(const MakeTuple& n) { many(n.items); }
    void operator()(const TupleItem& n) { one(n.tuple); }
    void operator()(const NewArray& n) { many(n.extents); }
    void operator()(const ReadFile& n) { one(n.path), many(n.extents); }
    void operator()(const ReadText& n) { one(n.path); }
    void operator()(const FormatText& n) { many(n.arguments); }
    void operator()(const TextLength& n) { one(n.text); }
    void operator()(const TextEqual& n) { one(n.left), one(n.right); }
    void operator()(const CopyArray& n) { one(n.view); }
    void operator()(const ArgumentCount&) {}
    void operator()(const ArgumentText& n) { one(n.index); }
    void operator()(const ParseNumber& n) { one(n.text); }
    void operator()(const Clock&) {}
    void operator()(const BenchAgain& n) { one(n.bytes); }
    void operator()(const TargetFact&) {}
    void operator()(const DeviceFact&) {}
    void operator()(const HostReduce& n) { many(n.arguments); }
  };
  std::visit(Visitor{some, all, onStmt}, e.node);
}

/// Calls onExpr(id) for each expression of the statement itself, onStmt(id) for each statement inside it.
template <class OnExpr, class OnStmt>
void forEachChild(const TStmt& s, OnExpr onExpr, OnStmt onStmt) {
  auto some = [&](const TExprId& id) {
    if (id) onExpr(id);
  };
  auto all = [&](const std::vector<TExprId>& ids) {
    for (const TExprId& id : ids) some(id);
  };
  auto body = [&](const std::vector<TStmtId>& ids) {
    for (const TStmtId& id : ids) onStmt(id);
  };
  struct Visitor {
    decltype(some)& one;
    decltype(all)& many;
    decltype(body)& block;
    void operator()(const Declare& n) { one(n.init); }
    void operator()(const Assign& n) { one(n.value), one(n.place); }
    void operator()(const Evaluate& n) { one(n.expr); }
    void operator()(const If& n) { one(n.condition), block(n.thenBody), block(n.elseBody); }
    void operator()(const While& n) { one(n.condition), block(n.body); }
    void operator()(const For& n) { one(n.low), one(n.high), one(n.step), block(n.body); }
    void operator()(const Break&) {}
    void operator()(const Continue&) {}
    void operator()(const Return& n) { one(n.value); }
    void operator()(const Scope& n) { block(n.body); }
    void operator()(const Barrier&) {}
    void operator()(const Collective& n) { one(n.value); }
    void operator()(const Assert& n) { one(n.condition), many(n.arguments); }
    void operator()(const Print& n) { many(n.arguments); }
    void operator()(const Launch& n) { many(n.arguments); }
    void operator()(const LaunchOpen& n) { many(n.statics), many(n.arguments); }
    void operator()(const BindView& n) { one(n.view), many(n.expected); }
    void operator()(const BindGlobals& n) { one(n.view), many(n.expected); }
    void operator()(const WriteFile& n) { one(n.path), one(n.view); }
    void operator()(const WriteText& n) { one(n.path), one(n.text); }
    void operator()(const Sync&) {}
  };
  std::visit(Visitor{some, all, body}, s.node);
}

}  // namespace rad::sema

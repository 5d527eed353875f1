// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Visits the parts of typed programs.
#pragma once

#include "frontend/sema/typed_program.h"

#include <type_traits>
#include <variant>

namespace rad::cg {

/// Bytes of an array's element in memory.
inline uint64_t elementBytes(const TypeTable& types, TypeId id) { return types.layout(id)->size; }

/// Calls `onExpr(TExprId)` for each direct operand of an expression and `onStmt(TStmtId)` for each statement in it
/// (BlockValue).
template <class OnExpr, class OnStmt>
void forEachPart(const TExpr& expr, OnExpr&& onExpr, OnStmt&& onStmt) {
  auto one = [&](TExprId id) {
    if (id) onExpr(id);
  };
  auto all = [&](const std::vector<TExprId>& ids) {
    for (TExprId id : ids) one(id);
  };
  std::visit(
      [&](const auto& node) {
        using Node = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<Node, ViewElement>) {
          one(node.view);
          all(node.indices);
        } else if constexpr (std::is_same_v<Node, ViewSlice>) {
          one(node.view);
          for (const SliceDim& dim : node.dims) {
            one(dim.low);
            one(dim.high);
            one(dim.step);
          }
        } else if constexpr (std::is_same_v<Node, ViewExtent> || std::is_same_v<Node, ViewFlat> ||
                             std::is_same_v<Node, CopyArray>)
          one(node.view);
        else if constexpr (std::is_same_v<Node, MakeElements>) all(node.items);
        else if constexpr (std::is_same_v<Node, ElementOf>) {
          one(node.value);
          one(node.index);
        } else if constexpr (std::is_same_v<Node, ElementSlice>) one(node.value);
        else if constexpr (std::is_same_v<Node, Swizzle>) one(node.vector);
        else if constexpr (std::is_same_v<Node, Negate> || std::is_same_v<Node, LogicNot> ||
                           std::is_same_v<Node, BitNot> || std::is_same_v<Node, Convert> ||
                           std::is_same_v<Node, Bitcast>)
          one(node.operand);
        else if constexpr (std::is_same_v<Node, Arithmetic> || std::is_same_v<Node, Compare> ||
                           std::is_same_v<Node, Logic> || std::is_same_v<Node, TextEqual>) {
          one(node.left);
          one(node.right);
        } else if constexpr (std::is_same_v<Node, Select> || std::is_same_v<Node, IfValue>) {
          one(node.condition);
          one(node.whenTrue);
          one(node.whenFalse);
        } else if constexpr (std::is_same_v<Node, MathCall>) all(node.operands);
        else if constexpr (std::is_same_v<Node, AtomicCall>) {
          one(node.place);
          all(node.operands);
        } else if constexpr (std::is_same_v<Node, CallFunction> || std::is_same_v<Node, HostReduce> ||
                             std::is_same_v<Node, FormatText>)
          all(node.arguments);
        else if constexpr (std::is_same_v<Node, BlockValue>) {
          for (TStmtId id : node.statements) onStmt(id);
          one(node.value);
        } else if constexpr (std::is_same_v<Node, MakeTuple>) all(node.items);
        else if constexpr (std::is_same_v<Node, TupleItem>) one(node.tuple);
        else if constexpr (std::is_same_v<Node, NewArray>) all(node.extents);
        else if constexpr (std::is_same_v<Node, ReadFile>) {
          one(node.path);
          all(node.extents);
        } else if constexpr (std::is_same_v<Node, ReadText>) one(node.path);
        else if constexpr (std::is_same_v<Node, TextLength>) one(node.text);
        else if constexpr (std::is_same_v<Node, ArgumentText>) one(node.index);
        else if constexpr (std::is_same_v<Node, ParseNumber>) one(node.text);
        else if constexpr (std::is_same_v<Node, BenchAgain>) one(node.bytes);
        else
          static_assert(std::is_same_v<Node, ConstInt> || std::is_same_v<Node, ConstFloat> ||
                            std::is_same_v<Node, ConstString> || std::is_same_v<Node, LocalRef> ||
                            std::is_same_v<Node, GlobalRef> || std::is_same_v<Node, ArgumentCount> ||
                            std::is_same_v<Node, Clock> || std::is_same_v<Node, TargetFact> ||
                            std::is_same_v<Node, DeviceFact>,
                        "a new expression: say what it contains");
      },
      expr.node);
}

/// The same for a statement: its expressions and the statements inside it.
template <class OnExpr, class OnStmt>
void forEachPart(const TStmt& stmt, OnExpr&& onExpr, OnStmt&& onStmt) {
  auto one = [&](TExprId id) {
    if (id) onExpr(id);
  };
  auto all = [&](const std::vector<TExprId>& ids) {
    for (TExprId id : ids) one(id);
  };
  auto block = [&](const std::vector<TStmtId>& ids) {
    for (TStmtId id : ids) onStmt(id);
  };
  std::visit(
      [&](const auto& node) {
        using Node = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<Node, Declare>) one(node.init);
        else if constexpr (std::is_same_v<Node, Assign>) {
          one(node.place);
          one(node.value);
        } else if constexpr (std::is_same_v<Node, Evaluate>) one(node.expr);
        else if constexpr (std::is_same_v<Node, If>) {
          one(node.condition);
          block(node.thenBody);
          block(node.elseBody);
        } else if constexpr (std::is_same_v<Node, While>) {
          one(node.condition);
          block(node.body);
        } else if constexpr (std::is_same_v<Node, For>) {
          one(node.low);
          one(node.high);
          one(node.step);
          block(node.body);
        } else if constexpr (std::is_same_v<Node, Return> || std::is_same_v<Node, Collective>) one(node.value);
        else if constexpr (std::is_same_v<Node, Scope>) block(node.body);
        else if constexpr (std::is_same_v<Node, Assert>) {
          one(node.condition);
          all(node.arguments);
        } else if constexpr (std::is_same_v<Node, Print> || std::is_same_v<Node, Launch>) all(node.arguments);
        else if constexpr (std::is_same_v<Node, LaunchOpen>) {
          all(node.statics);
          all(node.arguments);
        } else if constexpr (std::is_same_v<Node, BindView> || std::is_same_v<Node, BindGlobals>) {
          one(node.view);
          all(node.expected);
        } else if constexpr (std::is_same_v<Node, WriteFile>) {
          one(node.path);
          one(node.view);
        } else if constexpr (std::is_same_v<Node, WriteText>) {
          one(node.path);
          one(node.text);
        } else
          static_assert(std::is_same_v<Node, Break> || std::is_same_v<Node, Continue> ||
                            std::is_same_v<Node, Barrier> || std::is_same_v<Node, Sync>,
                        "a new statement: say what it contains");
      },
      stmt.node);
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The direct children of each node, in the order they are written. A new kind of node without its overload here does
// not compile.
#pragma once

#include "frontend/ast/ast.h"

#include <utility>

namespace rad {
namespace children_detail {

template <class F>
void visit(ExprId id, F& f) {
  if (id) f(id);
}
template <class F>
void visit(StmtId id, F& f) {
  if (id) f(id);
}
template <class F>
void visit(DeclId id, F& f) {
  if (id) f(id);
}
template <class F>
void visit(const Argument& a, F& f) {
  visit(a.value, f);
}
template <class F>
void visit(const RangeClause& c, F& f) {
  visit(c.low, f);
  visit(c.high, f);
  visit(c.step, f);
}
template <class F>
void visit(const Param& p, F& f) {
  visit(p.type, f);
  visit(p.defaultValue, f);
}
template <class F>
void visit(const StaticParam& p, F& f) {
  visit(p.constraintOrType, f);
  visit(p.defaultValue, f);
}
template <class T, class F>
void visit(List<T> list, F& f) {
  for (const T& item : list) visit(item, f);
}

}  // namespace children_detail

/// Calls `f` with the ExprId, StmtId or DeclId of each direct child of a node.
#define RAD_CHILDREN(Node, ...)                                               \
  template <class F>                                                          \
  void forEachChild([[maybe_unused]] const Node& n, [[maybe_unused]] F&& f) { \
    using children_detail::visit;                                             \
    __VA_ARGS__                                                               \
  }
RAD_CHILDREN(ErrorExpr)
RAD_CHILDREN(IntExpr)
RAD_CHILDREN(FloatExpr)
RAD_CHILDREN(BoolExpr)
RAD_CHILDREN(StringExpr)
RAD_CHILDREN(NameExpr)
RAD_CHILDREN(MemberExpr, visit(n.base, f);)
RAD_CHILDREN(TupleItemExpr, visit(n.base, f);)
RAD_CHILDREN(DotNameExpr)
RAD_CHILDREN(IndexExpr, visit(n.base, f); visit(n.arguments, f);)
RAD_CHILDREN(SliceExpr, visit(n.low, f); visit(n.high, f); visit(n.step, f);)
RAD_CHILDREN(CallExpr, visit(n.callee, f); visit(n.arguments, f);)
RAD_CHILDREN(UnaryExpr, visit(n.operand, f);)
RAD_CHILDREN(BinaryExpr, visit(n.left, f); visit(n.right, f);)
RAD_CHILDREN(ParenExpr, visit(n.inner, f);)
RAD_CHILDREN(TupleExpr, visit(n.items, f);)
RAD_CHILDREN(ArrayLitExpr, visit(n.items, f);)
RAD_CHILDREN(RepeatExpr, visit(n.value, f); visit(n.dims, f);)
RAD_CHILDREN(GeneratorExpr, visit(n.value, f); visit(n.clauses, f); visit(n.condition, f);)
RAD_CHILDREN(ArrayGenExpr, visit(n.generator, f);)
RAD_CHILDREN(IfExpr, visit(n.condition, f); visit(n.thenBlock, f); visit(n.elseBranch, f);)
RAD_CHILDREN(BlockExpr, visit(n.statements, f);)
RAD_CHILDREN(UncheckedExpr, visit(n.block, f);)
RAD_CHILDREN(LambdaExpr, visit(n.params, f); visit(n.body, f);)
RAD_CHILDREN(FnTypeExpr, visit(n.params, f); visit(n.result, f);)
RAD_CHILDREN(StridedExpr, visit(n.type, f);)
RAD_CHILDREN(SpreadExpr, visit(n.inner, f);)
RAD_CHILDREN(OnExpr, visit(n.launch, f); visit(n.stream, f);)
RAD_CHILDREN(GraphExpr, visit(n.block, f);)

RAD_CHILDREN(LetStmt, visit(n.type, f); visit(n.init, f);)
RAD_CHILDREN(AssignStmt, visit(n.target, f); visit(n.value, f);)
RAD_CHILDREN(ExprStmt, visit(n.expr, f);)
RAD_CHILDREN(WhileStmt, visit(n.condition, f); visit(n.body, f);)
RAD_CHILDREN(ForStmt, visit(n.factor, f); visit(n.range, f); visit(n.body, f);)
RAD_CHILDREN(BreakStmt)
RAD_CHILDREN(ContinueStmt)
RAD_CHILDREN(ReturnStmt, visit(n.value, f);)
RAD_CHILDREN(SharedStmt, visit(n.type, f);)
RAD_CHILDREN(ForallStmt, visit(n.clauses, f); visit(n.body, f);)
RAD_CHILDREN(OnBlockStmt, visit(n.stream, f); visit(n.body, f);)
RAD_CHILDREN(DeclStmt, visit(n.decl, f);)

RAD_CHILDREN(FnDecl, visit(n.staticParams, f); visit(n.params, f); visit(n.result, f); visit(n.body, f);)
RAD_CHILDREN(KernelDecl, visit(n.staticParams, f); visit(n.params, f); visit(n.domain.outer, f);
             visit(n.domain.threads, f); visit(n.body, f);)
RAD_CHILDREN(StructDecl, visit(n.staticParams, f); visit(n.fields, f); visit(n.methods, f);)
RAD_CHILDREN(EnumDecl)
RAD_CHILDREN(ConstDecl, visit(n.type, f); visit(n.init, f);)
RAD_CHILDREN(TypeAliasDecl, visit(n.staticParams, f); visit(n.type, f);)
RAD_CHILDREN(ImportDecl)
RAD_CHILDREN(ExternDecl, visit(n.functions, f);)
RAD_CHILDREN(TestDecl, visit(n.body, f);)
RAD_CHILDREN(InstantiateDecl, visit(n.target, f);)
#undef RAD_CHILDREN

}  // namespace rad

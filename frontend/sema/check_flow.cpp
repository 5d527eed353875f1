// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Blocks and `if` as values, conditions, constants.
#include "frontend/sema/checker.h"

#include <fmt/format.h>

namespace rad::sema {

TExprId Checker::checkCondition(ExprId id) {
  Value value = checkExpr(id, types().boolean());
  if (isError(value.type)) return {};
  if (scalarOf(value.type) != Scalar::Bool) {
    auto builder = report(Diag::ConditionType, value.range, {"a condition", spellType(value.type)});
    if (scalarOf(value.type) || isUntyped(value.type))
      builder.help(fmt::format("write `{} != 0`", shorten(value.range)));
    else if (numberOf(value.type) == Scalar::Bool)
      builder.help(fmt::format("write all({0}) or any({0}); select({0}, a, b) chooses element by element", shorten(value.range)));
    return {};
  }
  return materialize(value);
}

BlockResult Checker::checkBlock(ExprId block, bool wantsValue, TypeId expected) {
  BlockResult result;
  std::vector<TStmtId>* const saved = ctx_->out;
  ctx_->out = &result.statements;
  pushScope();
  const Expr& node = expr(block);
  if (const auto* inner = std::get_if<BlockExpr>(&node.node)) {
    result.diverges = checkStatements(inner->statements, wantsValue, expected, result.value);
  } else if (const auto* unchecked = std::get_if<UncheckedExpr>(&node.node)) {
    ++ctx_->uncheckedDepth;
    popScope();
    ctx_->out = saved;
    result = checkBlock(unchecked->block, wantsValue, expected);
    --ctx_->uncheckedDepth;
    return result;
  } else if (wantsValue) {
    result.value = checkExpr(block, expected);
  } else if (!std::holds_alternative<ErrorExpr>(node.node)) {
    result.diverges = checkExprStmt({block}, node.range);
  }
  popScope();
  ctx_->out = saved;
  return result;
}

bool Checker::checkStatements(List<StmtId> statements, bool wantsValue, TypeId expected, std::optional<Value>& value) {
  bool diverges = false;
  for (StmtId item : statements) {
    const auto* decl = std::get_if<DeclStmt>(&ast_->stmt(item).node);
    if (decl) notYet(ast_->stmt(item).range, "a declaration inside a block", "declare it at the top of the file");
  }
  for (size_t i = 0; i < statements.size(); ++i) {
    const Stmt& stmt = ast_->stmt(statements[i]);
    if (std::holds_alternative<DeclStmt>(stmt.node)) continue;
    const auto* last = std::get_if<ExprStmt>(&stmt.node);
    if (wantsValue && last && i + 1 == statements.size()) {
      value = checkExpr(last->expr, expected);
      diverges = diverges || value->diverges;
      break;
    }
    if (checkStmt(statements[i])) diverges = true;
  }
  return diverges;
}

Value Checker::wrapBlock(BlockResult block, Value value, Range range) {
  if (block.statements.empty()) return value;
  const std::optional<ConstValue> none;
  const TExprId inner = value.expr || value.constant ? materialize(value) : TExprId{};
  return {value.type, program_.addExpr(value.type, range, BlockValue{std::move(block.statements), inner}), none, range};
}

Value Checker::checkBlockValue(ExprId block, TypeId expected) {
  const bool hoist = std::exchange(ctx_->canHoist, false);
  ++ctx_->valueBlocks;
  BlockResult result = checkBlock(block, true, expected);
  --ctx_->valueBlocks;
  ctx_->canHoist = hoist;
  const Range range = expr(block).range;
  if (!result.value) {
    if (result.diverges) return errorValue(range);
    return wrapBlock(std::move(result), unitValue(range), range);
  }
  if (isError(result.value->type)) return errorValue(range);
  if (isUntyped(result.value->type) && !result.statements.empty()) materialize(*result.value, expected);
  Value value = *result.value;
  return wrapBlock(std::move(result), value, range);
}

TypeId Checker::branchType(const Value& a, const Value& b, Range range, TypeId expected) {
  TypeId type;
  const bool aUntyped = isUntyped(a.type), bUntyped = isUntyped(b.type);
  if (!aUntyped && !bUntyped && a.type == b.type)
    type = a.type;  // also of constants with a suffix, whatever the context would take
  else if (!isError(expected) && fitsType(a, expected) && fitsType(b, expected))
    type = expected;
  else if (aUntyped && bUntyped)
    type = typeOf(a.type).kind == TypeKind::UntypedFloat || typeOf(b.type).kind == TypeKind::UntypedFloat
               ? types().scalar(Scalar::F32)
               : types().scalar(Scalar::I32);
  else if ((aUntyped || bUntyped) && scalarOf(aUntyped ? b.type : a.type) &&
           scalarOf(aUntyped ? b.type : a.type) != Scalar::Bool)
    type = aUntyped ? b.type : a.type;
  else if (auto as = scalarOf(a.type), bs = scalarOf(b.type); as && bs && commonScalar(*as, *bs))
    type = types().scalar(*commonScalar(*as, *bs));
  else if (isView(a.type) && isView(b.type) && typeOf(a.type).element == typeOf(b.type).element &&
           typeOf(a.type).rank == typeOf(b.type).rank)
    type = types().view(typeOf(a.type).element, typeOf(a.type).rank,
                        typeOf(a.type).writable && typeOf(b.type).writable,
                        typeOf(a.type).strided || typeOf(b.type).strided);
  else {
    report(Diag::BranchTypes, range, {spellType(a.type), spellType(b.type)})
        .note(a.range, fmt::format("this is {}", spellType(a.type)))
        .note(b.range, fmt::format("this is {}", spellType(b.type)));
    return types().error();
  }
  if (typeOf(type).kind == TypeKind::Unit) {
    report(Diag::NoValue, range, {});
    return types().error();
  }
  return type;
}

Value Checker::joinBranches(TExprId condition, BlockResult thenBlock, BlockResult elseBlock, Range range,
                            TypeId expected) {
  auto missing = [&](BlockResult& block) { return !block.value || block.value->diverges; };
  if (missing(thenBlock) && missing(elseBlock)) return errorValue(range);
  // A branch that never ends takes the other one's type.
  BlockResult* blocks[2] = {&thenBlock, &elseBlock};
  for (int i = 0; i < 2; ++i)
    if (missing(*blocks[i]) && blocks[i]->diverges) {
      Value& other = *blocks[1 - i]->value;
      if (isError(other.type)) return errorValue(range);
      if (isUntyped(other.type)) materialize(other, expected);
      if (!scalarOf(other.type)) {
        notYet(range, "an `if` of this type with a branch that returns");
        return errorValue(range);
      }
      const bool real = isFloat(*scalarOf(other.type));
      Value zero = constantValue(other.type, real ? ConstValue::ofFloat(0) : ConstValue::ofInt(0), range);
      if (scalarOf(other.type) == Scalar::Bool) zero.constant = ConstValue::ofBool(false);
      blocks[i]->value = zero;
    }
  Value& a = *thenBlock.value;
  Value& b = *elseBlock.value;
  if (isError(a.type) || isError(b.type)) return errorValue(range);
  const TypeId type = branchType(a, b, range, expected);
  if (isError(type)) return errorValue(range);
  a = convertValue(a, type);
  b = convertValue(b, type);
  if (isError(a.type) || isError(b.type)) return errorValue(range);
  materialize(a);
  materialize(b);
  Value thenValue = wrapBlock(std::move(thenBlock), a, a.range);
  Value elseValue = wrapBlock(std::move(elseBlock), b, b.range);
  TExprId t = materialize(thenValue), e = materialize(elseValue);
  return code(type, range, IfValue{condition, t, e});
}

Value Checker::checkIf(ExprId, const IfExpr& node, Range range, TypeId expected) {
  const bool onTarget = node.isConst && asksForTarget(node.condition);
  if (node.isConst && !onTarget) {
    auto condition = checkConstant(node.condition, types().boolean(), "the condition of `const if`");
    if (!condition) return errorValue(range);
    if (condition->integer) return checkBlockValue(node.thenBlock, expected);
    if (!node.elseBranch) return unitValue(range);
    return std::holds_alternative<BlockExpr>(expr(node.elseBranch).node) ? checkBlockValue(node.elseBranch, expected)
                                                                         : checkExpr(node.elseBranch, expected);
  }
  const size_t errors = diags_.errorCount();
  TExprId condition = onTarget ? checkTargetCondition(node.condition) : checkCondition(node.condition);
  if (!node.elseBranch) {
    report(Diag::IfWithoutElse, range, {}).help("add `else { ... }` with the other value");
    return errorValue(range);
  }
  const bool hoist = std::exchange(ctx_->canHoist, false);
  ++ctx_->valueBlocks;
  const std::set<uint32_t> before = ctx_->unassigned;
  BlockResult thenBlock = checkBlock(node.thenBlock, true, expected);
  std::set<uint32_t> afterThen = std::exchange(ctx_->unassigned, before);
  BlockResult elseBlock;
  // Constants of a chain take the type of its first branch that has one.
  TypeId hint = expected;
  if (isError(hint) && thenBlock.value && !thenBlock.value->diverges && scalarOf(thenBlock.value->type))
    hint = thenBlock.value->type;
  if (std::holds_alternative<BlockExpr>(expr(node.elseBranch).node)) {
    elseBlock = checkBlock(node.elseBranch, true, hint);
  } else {
    std::vector<TStmtId>* const saved = ctx_->out;
    ctx_->out = &elseBlock.statements;
    elseBlock.value = checkExpr(node.elseBranch, hint);
    elseBlock.diverges = elseBlock.value->diverges;
    ctx_->out = saved;
  }
  if (thenBlock.diverges) afterThen.clear();
  if (elseBlock.diverges) ctx_->unassigned.clear();
  ctx_->unassigned.insert(afterThen.begin(), afterThen.end());
  --ctx_->valueBlocks;
  ctx_->canHoist = hoist;
  if (!condition) return errorValue(range);
  for (BlockResult* block : {&thenBlock, &elseBlock})
    if (!block->diverges && (!block->value || typeOf(block->value->type).kind == TypeKind::Unit)) {
      if (diags_.errorCount() == errors)
        report(Diag::BranchWithoutValue, expr(block == &thenBlock ? node.thenBlock : node.elseBranch).range, {});
      return errorValue(range);
    }
  Value joined = joinBranches(condition, std::move(thenBlock), std::move(elseBlock), range, expected);
  return joined;
}

}  // namespace rad::sema

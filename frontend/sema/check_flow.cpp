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
      builder.help(fmt::format("write all({0}) or any({0}); select({0}, a, b) chooses element by element",
                               shorten(value.range)));
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

/// Functions, kernels, structs and the like stand at the top of a file.
void Checker::refuseInBlock(DeclId id) {
  const Decl& decl = ast_->decl(id);
  if (decl.kind() == DeclKind::Const ||
      (decl.kind() == DeclKind::TypeAlias && std::get<TypeAliasDecl>(decl.node).staticParams.empty()))
    return;
  std::string_view what = "this";
  switch (decl.kind()) {
    case DeclKind::Fn: what = "a function"; break;
    case DeclKind::Kernel: what = "a kernel"; break;
    case DeclKind::Struct: what = "a struct"; break;
    case DeclKind::Enum: what = "an enum"; break;
    case DeclKind::TypeAlias: what = "a type with compile-time parameters"; break;
    case DeclKind::Import: what = "an import"; break;
    case DeclKind::Extern: what = "`extern`"; break;
    case DeclKind::Test: what = "a test or bench"; break;
    case DeclKind::Instantiate: what = "`instantiate`"; break;
    case DeclKind::Const: break;
  }
  auto builder = report(Diag::DeclarationInBlock, decl.range, {std::string(what)});
  if (decl.kind() == DeclKind::Fn) builder.help("move it there; `let f = |x| ...` names a function in a block");
  else builder.help("move it there, in front of the code that uses it or behind");
  // Said once: what uses the name is not unknown.
  const Ident* name = nullptr;
  if (const auto* function = std::get_if<FnDecl>(&decl.node)) name = &function->name;
  if (const auto* structure = std::get_if<StructDecl>(&decl.node)) name = &structure->name;
  if (const auto* enumeration = std::get_if<EnumDecl>(&decl.node)) name = &enumeration->name;
  if (const auto* kernel = std::get_if<KernelDecl>(&decl.node)) name = &kernel->name;
  if (const auto* alias = std::get_if<TypeAliasDecl>(&decl.node)) name = &alias->name;
  if (name)
    bind(*name, {.kind = Binding::Kind::Local,
                 .local = addLocal("", types().error(), LocalKind::Let, name->range),
                 .type = types().error(),
                 .range = name->range});
}

/// `const` and `type` of a block are known in it, behind their place.
void Checker::declareInBlock(DeclId id) {
  const Decl& decl = ast_->decl(id);
  if (const auto* alias = std::get_if<TypeAliasDecl>(&decl.node); alias && alias->staticParams.empty()) {
    const TypeId type = resolveType(alias->type);
    return bind(alias->name, {.kind = Binding::Kind::Type, .type = type, .range = alias->name.range});
  }
  const auto* constant = std::get_if<ConstDecl>(&decl.node);
  if (!constant) return;
  const TypeId wanted = constant->type ? resolveType(constant->type) : TypeId{};
  TypeId type = wanted;
  const auto value =
      constant->type && isError(wanted)
          ? std::nullopt
          : checkConstant(constant->init, wanted, fmt::format("`const {}`", text(constant->name.name)), &type);
  if (!value)
    return bind(constant->name, {.kind = Binding::Kind::Local,
                                 .local = addLocal("", types().error(), LocalKind::Let, constant->name.range),
                                 .type = types().error(),
                                 .range = constant->name.range});
  bind(constant->name,
       {.kind = Binding::Kind::Constant, .type = type, .constant = value, .range = constant->name.range});
}

bool Checker::checkStatements(List<StmtId> statements, bool wantsValue, TypeId expected, std::optional<Value>& value) {
  bool diverges = false;
  for (StmtId item : statements) {
    const auto* decl = std::get_if<DeclStmt>(&ast_->stmt(item).node);
    if (decl) refuseInBlock(decl->decl);
  }
  for (size_t i = 0; i < statements.size(); ++i) {
    const Stmt& stmt = ast_->stmt(statements[i]);
    if (const auto* decl = std::get_if<DeclStmt>(&stmt.node)) {
      declareInBlock(decl->decl);
      continue;
    }
    const auto* last = std::get_if<ExprStmt>(&stmt.node);
    if (wantsValue && last && i + 1 == statements.size()) {
      ExprId id = last->expr;
      while (const auto* paren = std::get_if<ParenExpr>(&expr(id).node)) id = paren->inner;
      const bool hoist = std::exchange(ctx_->canHoist, true);
      const Range statementValue = std::exchange(ctx_->statementValue, expr(id).range);
      value = checkExpr(last->expr, expected);
      ctx_->canHoist = hoist;
      ctx_->statementValue = statementValue;
      if (value->diverges) {
        if (value->expr) emit(value->range, Evaluate{value->expr});
        value = unitValue(value->range);
        value->diverges = diverges = true;
      }
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
  return {value.type, program_.addExpr(value.type, range, BlockValue{std::move(block.statements), inner}), none, range,
          block.diverges || value.diverges};
}

Value Checker::checkBlockValue(ExprId block, TypeId expected) {
  const bool hoist = std::exchange(ctx_->canHoist, false);
  const unsigned outerLoops = std::exchange(ctx_->loopsOutside, ctx_->loops);
  ++ctx_->valueBlocks;
  BlockResult result = checkBlock(block, true, expected);
  --ctx_->valueBlocks;
  ctx_->loopsOutside = outerLoops;
  ctx_->canHoist = hoist;
  const Range range = expr(block).range;
  if (!result.value) {
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
  else if (!isError(expected) && fitsType(a, expected) && fitsType(b, expected)) type = expected;
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
    type = types().view(typeOf(a.type).element, typeOf(a.type).rank, typeOf(a.type).writable && typeOf(b.type).writable,
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
  const bool thenEnds = thenBlock.diverges, elseEnds = elseBlock.diverges;
  if (thenEnds || elseEnds) {
    // What goes on has the value of the branch that gets to its end.
    BlockResult& going = thenEnds ? elseBlock : thenBlock;
    Value value = thenEnds && elseEnds ? unitValue(range) : *going.value;
    if (isError(value.type)) return errorValue(range);
    if (isUntyped(value.type)) materialize(value, expected);
    BlockResult whole{.statements = {}, .value = value, .diverges = false};
    whole.statements.push_back(
        program_.addStmt(range, If{condition, thenEnds ? std::move(thenBlock.statements) : std::vector<TStmtId>(),
                                   elseEnds ? std::move(elseBlock.statements) : std::vector<TStmtId>()}));
    if (!thenEnds || !elseEnds)
      whole.statements.insert(whole.statements.end(), going.statements.begin(), going.statements.end());
    Value result = wrapBlock(std::move(whole), value, range);
    result.diverges = thenEnds && elseEnds;
    return result;
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

bool Checker::isShortName(ExprId id) const {
  const auto& node = expr(id).node;
  if (const auto* paren = std::get_if<ParenExpr>(&node)) return isShortName(paren->inner);
  if (const auto* branches = std::get_if<IfExpr>(&node))
    return branches->elseBranch && isShortName(branches->thenBlock) && isShortName(branches->elseBranch);
  if (const auto* block = std::get_if<BlockExpr>(&node)) {
    const auto* last =
        block->statements.empty() ? nullptr : std::get_if<ExprStmt>(&ast_->stmt(block->statements.back()).node);
    return last && isShortName(last->expr);
  }
  return std::holds_alternative<DotNameExpr>(node);
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
  // One that is all of what a statement computes may leave the loop around it: its branches that do so come before the
  // statement.
  const bool isWhole = ctx_->canHoist && ctx_->statementValue == range;
  const size_t errors = diags_.errorCount();
  TExprId condition = onTarget ? checkTargetCondition(node.condition) : checkCondition(node.condition);
  if (!node.elseBranch) {
    report(Diag::IfWithoutElse, range, {}).help("add `else { ... }` with the other value");
    return errorValue(range);
  }
  const bool hoist = std::exchange(ctx_->canHoist, false);
  const Range statementValue = ctx_->statementValue;
  const unsigned outerLoops = std::exchange(ctx_->loopsOutside, isWhole ? ctx_->loopsOutside : ctx_->loops);
  ++ctx_->valueBlocks;
  const std::set<uint32_t> before = ctx_->unassigned;
  std::set<uint32_t> after[2];
  BlockResult blocks[2];
  auto check = [&](int i, TypeId hint) {
    const ExprId branch = i == 0 ? node.thenBlock : node.elseBranch;
    ctx_->unassigned = before;
    if (i == 0 || std::holds_alternative<BlockExpr>(expr(branch).node)) {
      blocks[i] = checkBlock(branch, true, hint);
    } else {
      std::vector<TStmtId>* const saved = std::exchange(ctx_->out, &blocks[i].statements);
      ctx_->canHoist = isWhole;
      ctx_->statementValue = expr(branch).range;
      blocks[i].value = checkExpr(branch, hint);
      blocks[i].diverges = blocks[i].value->diverges;
      if (blocks[i].diverges && blocks[i].value->expr) emit(expr(branch).range, Evaluate{blocks[i].value->expr});
      ctx_->out = saved;
    }
    ctx_->canHoist = false;
    after[i] = std::exchange(ctx_->unassigned, before);
  };
  // Constants and `.name` take the type of the branch that has one.
  const bool namesEnum = !isError(expected) && types().isEnum(expected);
  const int first = !namesEnum && isShortName(node.thenBlock) ? 1 : 0;
  check(first, expected);
  TypeId hint = expected;
  if (const auto& known = blocks[first].value;
      known && !blocks[first].diverges &&
      ((isError(expected) && scalarOf(known->type)) || (!namesEnum && types().isEnum(known->type))))
    hint = known->type;
  check(1 - first, hint);
  ctx_->unassigned.clear();
  for (int i = 0; i < 2; ++i)
    if (!blocks[i].diverges) ctx_->unassigned.insert(after[i].begin(), after[i].end());
  --ctx_->valueBlocks;
  ctx_->loopsOutside = outerLoops;
  ctx_->statementValue = statementValue;
  ctx_->canHoist = hoist;
  if (!condition) return errorValue(range);
  for (int i = 0; i < 2; ++i)
    if (!blocks[i].diverges && (!blocks[i].value || typeOf(blocks[i].value->type).kind == TypeKind::Unit)) {
      if (diags_.errorCount() == errors)
        report(Diag::BranchWithoutValue, expr(i == 0 ? node.thenBlock : node.elseBranch).range, {});
      return errorValue(range);
    }
  if (diags_.errorCount() != errors) return errorValue(range);
  if (!isWhole) return joinBranches(condition, std::move(blocks[0]), std::move(blocks[1]), range, expected);
  return hoistBranches(condition, std::move(blocks[0]), std::move(blocks[1]), range, expected);
}

Value Checker::hoistBranches(TExprId condition, BlockResult thenBlock, BlockResult elseBlock, Range range,
                             TypeId expected) {
  std::vector<TStmtId>& out = *ctx_->out;
  if (thenBlock.diverges || elseBlock.diverges) {
    Value value = joinBranches(condition, std::move(thenBlock), std::move(elseBlock), range, expected);
    if (!value.expr) return value;
    // The statements of the value, in front of the statement that asks for it.
    const auto* block = std::get_if<BlockValue>(&program_.expr(value.expr).node);
    if (!block || block->statements.empty()) return value;
    const BlockValue parts = *block;
    out.insert(out.end(), parts.statements.begin(), parts.statements.end());
    if (value.diverges) return {types().unit(), {}, {}, range, true};
    value.expr = parts.value;
    return value;
  }
  auto leaves = [&](auto& self, const std::vector<TStmtId>& statements) -> bool {
    for (TStmtId id : statements) {
      const TStmt& s = program_.stmt(id);
      if (std::holds_alternative<Break>(s.node) || std::holds_alternative<Continue>(s.node)) return true;
      if (const auto* branch = std::get_if<If>(&s.node);
          branch && (self(self, branch->thenBody) || self(self, branch->elseBody)))
        return true;
      if (const auto* scope = std::get_if<Scope>(&s.node); scope && self(self, scope->body)) return true;
    }
    return false;
  };
  if (!leaves(leaves, thenBlock.statements) && !leaves(leaves, elseBlock.statements))
    return joinBranches(condition, std::move(thenBlock), std::move(elseBlock), range, expected);
  Value& a = *thenBlock.value;
  Value& b = *elseBlock.value;
  if (isError(a.type) || isError(b.type)) return errorValue(range);
  const TypeId type = branchType(a, b, range, expected);
  if (isError(type)) return errorValue(range);
  if (isView(type)) {
    report(Diag::LeavesValue, range, {"`break` or `continue`"}).help("write the `if` as a statement that comes before");
    return errorValue(range);
  }
  const LocalId result = addLocal("", type, LocalKind::Var, range);
  auto assigned = [&](BlockResult& block) {
    std::vector<TStmtId>* const saved = std::exchange(ctx_->out, &block.statements);
    Value value = convertValue(*block.value, type);
    if (!isError(value.type)) emit(range, Assign{localRef(result, range), std::nullopt, materialize(value), {}});
    ctx_->out = saved;
    return !isError(value.type);
  };
  const bool ok = assigned(thenBlock) && assigned(elseBlock);
  if (!ok) return errorValue(range);
  emit(range, Declare{result, {}});
  emit(range, If{condition, std::move(thenBlock.statements), std::move(elseBlock.statements)});
  return {type, localRef(result, range), {}, range};
}

}  // namespace rad::sema

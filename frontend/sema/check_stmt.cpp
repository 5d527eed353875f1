// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Statements other than declarations of variables.
#include "frontend/sema/checker.h"
#include "frontend/types/float_format.h"

#include <fmt/format.h>

#include <climits>

namespace rad::sema {

bool Checker::checkStmt(StmtId id) {
  const Stmt& stmt = ast_->stmt(id);
  ctx_->canHoist = true;
  auto value = [&](ExprId id) {
    while (std::holds_alternative<ParenExpr>(expr(id).node)) id = std::get<ParenExpr>(expr(id).node).inner;
    ctx_->statementValue = expr(id).range;
  };
  ctx_->statementValue = {};
  if (const auto* let = std::get_if<LetStmt>(&stmt.node)) value(let->init);
  if (const auto* assign = std::get_if<AssignStmt>(&stmt.node)) value(assign->value);
  if (const auto* single = std::get_if<ExprStmt>(&stmt.node)) value(single->expr);
  if (const auto* result = std::get_if<ReturnStmt>(&stmt.node)) value(result->value);
  switch (stmt.kind()) {
    case StmtKind::Let: {
      const auto& node = std::get<LetStmt>(stmt.node);
      if (node.isTuple) checkLetTuple(node, stmt.range);
      else checkLet(node, stmt.range);
      return false;
    }
    case StmtKind::Assign: checkAssign(std::get<AssignStmt>(stmt.node), stmt.range); return false;
    case StmtKind::Expr: return checkExprStmt(std::get<ExprStmt>(stmt.node), stmt.range);
    case StmtKind::While: return checkWhile(std::get<WhileStmt>(stmt.node), stmt.range);
    case StmtKind::For: checkFor(std::get<ForStmt>(stmt.node), stmt.range); return false;
    case StmtKind::Break:
    case StmtKind::Continue: {
      const bool isBreak = stmt.kind() == StmtKind::Break;
      if (!ctx_->loops) {
        report(Diag::OutsideLoop, stmt.range, {isBreak ? "break" : "continue"});
        return false;
      }
      if (ctx_->loops <= ctx_->loopsOutside) {
        report(Diag::LeavesValue, stmt.range, {isBreak ? "`break`" : "`continue`"})
            .help("give the `if` a statement of its own before: `let value = if c { ... } else { ... }`");
        return true;
      }
      if (isBreak) emit(stmt.range, Break{});
      else emit(stmt.range, Continue{});
      return true;
    }
    case StmtKind::Return: checkReturn(std::get<ReturnStmt>(stmt.node), stmt.range); return true;
    case StmtKind::Shared: checkShared(std::get<SharedStmt>(stmt.node), stmt.range); return false;
    case StmtKind::Forall: checkForall(std::get<ForallStmt>(stmt.node), stmt.range); return false;
    case StmtKind::OnBlock: notYet(stmt.range, "`on` a stream"); return false;
    case StmtKind::Decl: return false;  // checkStatements
  }
  return false;
}

void Checker::checkAssign(const AssignStmt& node, Range range) {
  if (const auto* tuple = std::get_if<TupleExpr>(&expr(node.target).node)) {
    if (node.isCompound) {
      report(Diag::NotAPlace, expr(node.target).range, {});
      return;
    }
    checkTupleAssign(node, *tuple, range);
    return;
  }
  // `_ = e` evaluates e and drops its value.
  if (const auto* name = std::get_if<NameExpr>(&expr(node.target).node);
      name && text(name->name) == "_" && !node.isCompound) {
    Value value = checkExpr(node.value);
    if (value.expr && !isError(value.type)) emit(range, Evaluate{value.expr});
    return;
  }
  TypeId type;
  if (node.isCompound) {
    const TExprId place = checkPlace(node.target, type, true, true);
    Value value = checkExpr(node.value, type);
    if (!place || isError(type) || isError(value.type)) return;
    if (isView(type)) {
      const std::string op = fmt::format("{}=", spelling(node.op));
      const std::string each = forEachElement(node.target, typeOf(type).rank, op, node.value, value);
      report(Diag::OperandTypes, range, {op, spellType(type), spellType(value.type)})
          .help(each.empty() ? "arrays have no operators; write it for each element, in a loop or a `forall`"
                             : fmt::format("arrays have no operators; write `{}`", each));
      return;
    }
    if (isDeclared(type) || isDeclared(value.type)) {
      const Value result = declaredBinary(node.op, {type, place, {}, expr(node.target).range}, value, range);
      if (isError(result.type)) return;
      const Value converted = convertValue(result, type, fmt::format("`{}`", shorten(expr(node.target).range)));
      if (isError(converted.type)) return;
      Value copy = converted;
      emit(range, Assign{place, std::nullopt, materialize(copy), {}});
      return;
    }
    const auto scalar = scalarOf(type);
    if (isVector(type) && (numberOf(value.type) || isUntyped(value.type))) {
      // As `place op value`, whose elements must be those of the place.
      const Value result = vectorBinary(node.op, {type, place, {}, expr(node.target).range}, value, range);
      if (isError(result.type)) return;
      if (result.type != type) {
        report(Diag::LossyConversion, value.range, {spellType(result.type), spellType(type), ""});
        return;
      }
      const auto operation = std::get<Arithmetic>(program_.expr(result.expr).node);
      emit(range, Assign{place, node.op, operation.right, operation.site});
      return;
    }
    if (!scalar) {
      report(Diag::OperandTypes, range, {std::string(spelling(node.op)) + "=", spellType(type), spellType(value.type)});
      return;
    }
    // The operator's rules are those of `place op value`; the result goes back into the place's type.
    const bool isShift = node.op == BinaryOp::Shl || node.op == BinaryOp::Shr;
    const auto rs = scalarOf(value.type);
    const bool rightIsFloat = (rs && isFloat(*rs)) || typeOf(value.type).kind == TypeKind::UntypedFloat;
    if (*scalar == Scalar::Bool || (!rs && !isUntyped(value.type)) || rs == Scalar::Bool ||
        (isBitOperation(node.op) && (isFloat(*scalar) || rightIsFloat))) {
      report(Diag::OperandTypes, range, {std::string(spelling(node.op)) + "=", spellType(type), spellType(value.type)});
      return;
    }
    if (isFloat8(*scalar)) {
      report(Diag::OperandTypes, range, {std::string(spelling(node.op)) + "=", spellType(type), spellType(value.type)})
          .help(fmt::format("8-bit floats only store numbers: compute in f32, and store {}(...)", spellType(type)));
      return;
    }
    if (rs && isSignMix(*scalar, *rs)) {
      report(Diag::SignMix, range, {std::string(spelling(node.op)) + "=", spellType(type), spellType(value.type)})
          .help(fmt::format("write {}({})", spellType(type), shorten(value.range)));
      return;
    }
    if ((node.op == BinaryOp::Div || node.op == BinaryOp::Rem) && isInteger(*scalar) && value.constant &&
        value.constant->kind == ConstValue::Kind::Int && value.constant->integer == 0) {
      report(Diag::DivisionByZero, range, {});
      return;
    }
    const bool nonZero =
        value.constant && value.constant->kind == ConstValue::Kind::Int && value.constant->integer != 0;
    TExprId right;
    if (isShift && rs) {
      Value converted = conversionCall(*scalar, value, value.range);
      right = materialize(converted);
    } else {
      Value converted = convertAssigned(value, type, node.target);
      if (isError(converted.type)) return;
      right = materialize(converted);
    }
    SiteId site;
    if (isInteger(*scalar)) {
      if (node.op == BinaryOp::Div || node.op == BinaryOp::Rem) {
        if (!nonZero) site = addSite(SiteKind::DivideByZero, range);
      } else if (isHostCode() && isSignedInteger(*scalar) &&
                 (node.op == BinaryOp::Add || node.op == BinaryOp::Sub || node.op == BinaryOp::Mul)) {
        site = addSite(SiteKind::Overflow, range);
      }
    }
    emit(range, Assign{place, node.op, right, site});
    return;
  }
  // The place's type guides the value; it counts as assigned only after the value was evaluated.
  const bool isName = std::holds_alternative<NameExpr>(expr(node.target).node);
  TExprId place = checkPlace(node.target, type, false, false);
  const bool isSlice = place && std::holds_alternative<ViewSlice>(program_.expr(place).node);
  const bool ofArrays = isSlice && typeOf(typeOf(type).element).kind == TypeKind::Array;
  Value value = checkExpr(node.value, ofArrays ? typeOf(type).element : type);
  if (isName) {
    const Symbol name = std::get<NameExpr>(expr(node.target).node).name;
    if (auto binding = findBinding(name)) {
      if (binding->kind == Binding::Kind::Local) ctx_->unassigned.erase(binding->local.value);
    } else if (place && std::holds_alternative<GlobalRef>(program_.expr(place).node)) {
      ctx_->unassigned.erase(unassignedKey(*findEntity(name, ctx_->home)));
    }
  }
  if (!place || isError(type) || isError(value.type)) return;
  if (isView(type))
    if (auto made = deviceArray(value, types().withAccess(type, false))) value = *made;
  if (isSlice) {
    if (!isHostCode()) {
      const std::string each = forEachElement(node.target, typeOf(type).rank, "=", node.value, value);
      report(Diag::HostOnly, range, {"assigning to a slice"})
          .help(each.empty() ? "write it for each element, in a loop" : fmt::format("write `{}`", each));
      return;
    }
    ctx_->hasEffects = true;
    if (isView(value.type)) {
      const Type& to = typeOf(type);
      const Type& from = typeOf(value.type);
      if (to.element != from.element || to.rank != from.rank) {
        report(Diag::TypeMismatch, value.range, {spellType(type), "", spellType(value.type)});
        return;
      }
      if (to.strided || from.strided) return assignElements(place, value, range);
      emit(range, Assign{place, std::nullopt, value.expr, addSite(SiteKind::ShapeBind, range)});
      return;
    }
    const Value filled = convertValue(value, typeOf(type).element, "the elements");
    if (isError(filled.type)) return;
    if (typeOf(type).strided || !scalarOf(filled.type)) return assignElements(place, filled, range);
    Value copy = filled;
    const TExprId fill = materialize(copy);
    emit(range, Assign{place, std::nullopt, fill, addSite(SiteKind::HostCall, range)});
    return;
  }
  Value converted = convertAssigned(value, type, node.target);
  if (isError(converted.type)) return;
  const TExprId right = materialize(converted);
  emit(range, Assign{place, std::nullopt, right, {}});
}

std::string Checker::spellResult(TypeId type) const {
  std::string spelled = spellType(type);
  for (size_t at; (at = spelled.find("mut [")) != std::string::npos;) spelled.erase(at, 4);
  return spelled;
}

Value Checker::convertAssigned(const Value& value, TypeId type, ExprId target) {
  if (const auto* name = std::get_if<NameExpr>(&expr(target).node)) {
    const auto binding = findBinding(name->name);
    const Entity* entity = binding ? nullptr : findEntity(name->name, ctx_->home);
    const Range declared = binding ? binding->range : entity ? entity->range : Range{};
    if (declared.valid() && ofDefaultType_.contains(declared.begin.offset)) assigned_ = std::string(text(name->name));
  }
  Value converted = convertValue(value, type, fmt::format("`{}`", shorten(expr(target).range)));
  assigned_.reset();
  return converted;
}

void Checker::checkTupleAssign(const AssignStmt& node, const TupleExpr& target, Range range) {
  std::vector<TypeId> wanted;
  std::vector<TExprId> places;
  bool ok = true;
  for (ExprId item : target.items) {
    TypeId type;
    TExprId place = checkPlace(item, type, true, false);
    if (place && std::holds_alternative<ViewSlice>(program_.expr(place).node)) {
      report(Diag::NotAPlace, expr(item).range, {});
      place = {};
    }
    ok = ok && place;
    places.push_back(place);
    wanted.push_back(type);
  }
  Value value = checkExpr(node.value, ok ? types().tuple(wanted) : TypeId{});
  if (!ok || isError(value.type)) return;
  const Type type = typeOf(value.type);
  if (type.kind != TypeKind::Tuple || type.record || type.items.size() != places.size()) {
    report(Diag::TupleSize, value.range, {fmt::format("{} places need", places.size()), spellType(value.type)});
    return;
  }
  // All values are read before the first place is written.
  const LocalId whole = addLocal("", value.type, LocalKind::Let, value.range);
  emit(range, Declare{whole, value.expr});
  for (size_t i = 0; i < places.size(); ++i) {
    Value item = code(type.items[i], value.range, TupleItem{localRef(whole, value.range), static_cast<unsigned>(i)});
    const Value converted = convertValue(item, wanted[i], fmt::format("`{}`", shorten(expr(target.items[i]).range)));
    if (isError(converted.type)) continue;
    Value copy = converted;
    emit(range, Assign{places[i], std::nullopt, materialize(copy), {}});
  }
}

bool Checker::checkExprStmt(const ExprStmt& node, Range range) {
  ExprId id = node.expr;
  while (std::holds_alternative<ParenExpr>(expr(id).node)) id = std::get<ParenExpr>(expr(id).node).inner;
  const Expr& inner = expr(id);
  if (const auto* branch = std::get_if<IfExpr>(&inner.node)) return checkIfStmt(*branch, range);
  if (std::holds_alternative<BlockExpr>(inner.node) || std::holds_alternative<UncheckedExpr>(inner.node)) {
    BlockResult block = checkBlock(id, false);
    emit(range, Scope{std::move(block.statements)});
    return block.diverges;
  }
  if (inner.kind() == ExprKind::Error) ctx_->unassigned.clear();  // it may have been an assignment
  Value value = checkExpr(id);
  if (isError(value.type)) return false;
  if (typeOf(value.type).kind == TypeKind::Unit) {
    if (value.expr) emit(range, Evaluate{value.expr});
    return false;
  }
  bool hasEffects = value.expr && std::holds_alternative<AtomicCall>(program_.expr(value.expr).node);
  if (value.expr)
    if (const auto* call = std::get_if<CallFunction>(&program_.expr(value.expr).node))
      for (const auto& [key, instance] : functions_)
        if (instance.id == call->function)
          hasEffects = instance.hasEffects || instance.state == FunctionInstance::State::Busy ||
                       program_.functions[call->function.value].isExtern;
  if (hasEffects) {
    emit(range, Evaluate{value.expr});
    return false;
  }
  auto builder = report(Diag::UnusedValue, range, {});
  if (inner.kind() == ExprKind::Unary)
    builder.help(
        "a line that starts with `-` begins a new statement; to go on with the line before, end that one with the "
        "operator");
  else if (inner.kind() == ExprKind::Binary && std::get<BinaryExpr>(inner.node).op == BinaryOp::Eq)
    builder.help("`=` assigns");
  else if (ctx_->kind == Context::Kind::Function && ctx_->loops == 0 && ctx_->scopes.size() <= 3 &&
           typeOf(ctx_->result).kind == TypeKind::Unit && !ctx_->inferResult)
    builder.help(fmt::format("if it is the result of `{}`, declare that: `-> {}`; `_ = ...` drops a value", ctx_->name,
                             spellResult(isUntyped(value.type) ? defaultType(value) : value.type)));
  else if (ctx_->kind == Context::Kind::Forall)
    builder.help("a point has no value: assign to an element, `out[i] = ...`, or make an array, `[... for i in 0..n]`");
  else builder.help("write `let name = ...` to keep the value, or `_ = ...` to drop it");
  return false;
}

bool Checker::checkIfStmt(const IfExpr& node, Range range) {
  const bool onTarget = node.isConst && asksForTarget(node.condition);
  if (node.isConst && !onTarget) {
    auto condition = checkConstant(node.condition, types().boolean(), "the condition of `const if`");
    if (!condition) return false;
    const ExprId taken = condition->integer ? node.thenBlock : node.elseBranch;
    if (!taken) return false;
    if (const auto* next = std::get_if<IfExpr>(&expr(taken).node)) return checkIfStmt(*next, expr(taken).range);
    BlockResult block = checkBlock(taken, false);
    emit(range, Scope{std::move(block.statements)});
    return block.diverges;
  }
  const TExprId condition = onTarget ? checkTargetCondition(node.condition) : checkCondition(node.condition);
  const std::set<uint32_t> before = ctx_->unassigned;
  BlockResult thenBlock = checkBlock(node.thenBlock, false);
  std::set<uint32_t> afterThen = std::exchange(ctx_->unassigned, before);
  BlockResult elseBlock;
  if (node.elseBranch) elseBlock = checkBlock(node.elseBranch, false);
  if (thenBlock.diverges) afterThen.clear();
  if (elseBlock.diverges) ctx_->unassigned.clear();
  ctx_->unassigned.insert(afterThen.begin(), afterThen.end());
  if (condition) emit(range, If{condition, std::move(thenBlock.statements), std::move(elseBlock.statements)});
  return thenBlock.diverges && elseBlock.diverges;
}

bool Checker::hasBreak(ExprId body) const {
  // Looks only at the loop's own level: a `break` of an inner loop leaves that one.
  struct Finder {
    const Ast& ast;
    bool block(ExprId id) const {
      if (!id) return false;
      const auto& node = ast.expr(id).node;
      if (const auto* b = std::get_if<BlockExpr>(&node)) {
        for (StmtId stmt : b->statements) {
          const auto& inner = ast.stmt(stmt).node;
          if (std::holds_alternative<BreakStmt>(inner)) return true;
          if (const auto* e = std::get_if<ExprStmt>(&inner); e && block(e->expr)) return true;
          if (const auto* let = std::get_if<LetStmt>(&inner); let && block(let->init)) return true;
          if (const auto* assign = std::get_if<AssignStmt>(&inner); assign && block(assign->value)) return true;
        }
        return false;
      }
      if (const auto* i = std::get_if<IfExpr>(&node)) return block(i->thenBlock) || block(i->elseBranch);
      if (const auto* u = std::get_if<UncheckedExpr>(&node)) return block(u->block);
      if (const auto* p = std::get_if<ParenExpr>(&node)) return block(p->inner);
      return false;
    }
  };
  return Finder{*ast_}.block(body);
}

bool Checker::checkWhile(const WhileStmt& node, Range range) {
  // What all threads of a block join in (block.max(x) > 0) is computed anew before each round.
  const bool hoists = (ctx_->kind == Context::Kind::Kernel && ctx_->isBlocks) || ctx_->kind == Context::Kind::Function;
  ctx_->canHoist = hoists;
  std::vector<TStmtId> beforeRound;
  std::vector<TStmtId>* const out = std::exchange(ctx_->out, &beforeRound);
  const TExprId condition = checkCondition(node.condition);
  ctx_->out = out;
  const std::set<uint32_t> before = ctx_->unassigned;
  ++ctx_->loops;
  BlockResult body = checkBlock(node.body, false);
  --ctx_->loops;
  ctx_->unassigned = before;
  if (!condition) return false;
  if (!beforeRound.empty()) {
    const Range place = expr(node.condition).range;
    const TypeId boolean = types().scalar(Scalar::Bool);
    const TExprId ends = program_.addExpr(boolean, place, LogicNot{condition});
    beforeRound.push_back(program_.addStmt(place, If{ends, {program_.addStmt(place, Break{})}, {}}));
    beforeRound.insert(beforeRound.end(), body.statements.begin(), body.statements.end());
    emit(range, While{program_.addExpr(boolean, place, ConstInt{1}), std::move(beforeRound)});
    return false;
  }
  emit(range, While{condition, std::move(body.statements)});
  const auto* constant = std::get_if<ConstInt>(&program_.expr(condition).node);
  return constant && constant->bits && !hasBreak(node.body);
}

void Checker::checkFor(const ForStmt& node, Range range) {
  helpOver(node.range);
  Value low = checkExpr(node.range.low);
  Value high = checkExpr(node.range.high);
  Value step;
  const bool hasStep = static_cast<bool>(node.range.step);
  if (hasStep) step = checkExpr(node.range.step);
  // The variable has the type that the bounds share; constants alone make it an i32, like any other constant.
  bool ok = true;
  std::optional<Scalar> scalar;
  for (Value* bound : {&low, &high, &step}) {
    if (bound == &step && !hasStep) continue;
    if (isError(bound->type)) {
      ok = false;
      continue;
    }
    const auto s = scalarOf(bound->type);
    if (typeOf(bound->type).kind != TypeKind::UntypedInt && !(s && isInteger(*s))) {
      report(Diag::IndexType, bound->range,
             {bound == &step ? "the step of a loop" : "the bound of a loop", spellType(bound->type)});
      ok = false;
    } else if (s) {
      if (!scalar) scalar = s;
      else if (auto common = commonScalar(*scalar, *s)) scalar = common;
      else if (ok) {
        report(Diag::SignMix, range, {"..", std::string(spelling(*scalar)), std::string(spelling(*s))})
            .help(fmt::format("write {}({})", spelling(*scalar), shorten(bound->range)));
        ok = false;
      }
    }
  }
  TypeId type = types().error();
  TExprId lowCode, highCode, stepCode;
  SiteId site;
  if (ok) {
    type = types().scalar(scalar.value_or(Scalar::I32));
    if (!scalar)  // constants beyond i32 count as index
      for (Value* bound : {&low, &high, &step})
        if (bound->constant && !fits(*bound->constant, Scalar::I32)) type = types().index();
    low = convertValue(low, type, "the bound of a loop");
    high = convertValue(high, type, "the bound of a loop");
    if (hasStep) {
      // Down over an unsigned type: the step is negative, of the signed type of the same size.
      const bool isDown = step.constant && step.constant->integer < 0 && isUntyped(step.type);
      const Scalar own = *scalarOf(type);
      step = convertValue(step, isDown && isUnsignedInteger(own) ? types().scalar(signedOf(own)) : type,
                          "the step of a loop");
    }
    ok = ok && !isError(low.type) && !isError(high.type) && (!hasStep || !isError(step.type));
    if (ok) {
      lowCode = materialize(low);
      highCode = materialize(high);
      if (hasStep) {
        if (step.constant && step.constant->integer == 0) {
          report(Diag::ZeroStep, step.range, {});
          ok = false;
        }
        if (!step.constant) site = addSite(SiteKind::NegativeStep, step.range);
        stepCode = materialize(step);
      }
    } else {
      type = types().error();
    }
  }
  unsigned unroll = 0;
  if (node.unroll == Unroll::Full) unroll = UINT_MAX;
  if (node.unroll == Unroll::Factor) {
    auto factor = checkConstant(node.factor, types().index(), "the factor of `unroll`");
    if (factor && (factor->integer < 1 || factor->integer > 1024))
      report(Diag::UnrollFactor, expr(node.factor).range, {spell(*factor)});
    else if (factor) unroll = static_cast<unsigned>(factor->integer);
  }
  const std::set<uint32_t> before = ctx_->unassigned;
  pushScope();
  const LocalId variable =
      addLocal(std::string(text(node.range.name.name)), type, LocalKind::DomainVar, node.range.name.range);
  bind(node.range.name,
       {.kind = Binding::Kind::Local, .local = variable, .type = type, .range = node.range.name.range});
  ++ctx_->loops;
  BlockResult body = checkBlock(node.body, false);
  --ctx_->loops;
  popScope();
  ctx_->unassigned = before;
  if (ok) emit(range, For{variable, lowCode, highCode, stepCode, site, std::move(body.statements), unroll});
}

void Checker::returnValue(Value value, Range range) {
  Context& context = *ctx_;
  if (context.inferResult && !context.resultSeen) {
    if (isUntyped(value.type)) materialize(value);
    context.result = value.type;
    context.resultSeen = true;
  }
  if (isError(value.type)) return;
  if (typeOf(context.result).kind == TypeKind::Unit) {
    if (typeOf(value.type).kind == TypeKind::Unit) {
      if (value.expr) emit(range, Evaluate{value.expr});
      emit(range, Return{});
      return;
    }
    report(Diag::UnexpectedResult, range, {context.name, spellType(value.type)})
        .help(fmt::format("declare the result: `-> {}`",
                          spellResult(isUntyped(value.type) ? defaultType(value) : value.type)));
    return;
  }
  if (isView(value.type) && !typeOf(value.type).writable) context.returnedReadOnly = true;
  const Value converted = convertValue(value, context.result, fmt::format("the result of `{}`", context.name));
  if (isError(converted.type)) return;
  Value copy = converted;
  TExprId result = materialize(copy);
  if (!context.resultDims.empty() && isView(copy.type) && isHostCode()) result = compareSizes(result, copy.type, range);
  emit(range, Return{result});
}

TExprId Checker::compareSizes(TExprId view, TypeId type, Range range) {
  const List<ExprId> dims = ctx_->resultDims;
  if (dims.size() != typeOf(type).rank) return view;  // a shape that takes any number of sizes
  std::vector<TExprId> expected(dims.size());
  std::vector<SiteId> sites(dims.size());
  bool any = false;
  for (unsigned d = 0; d < dims.size(); ++d) {
    const Expr& dim = expr(dims[d]);
    if (std::holds_alternative<SpreadExpr>(dim.node)) return view;
    // A name that nothing binds says only that there is a size.
    if (const auto* name = std::get_if<NameExpr>(&dim.node))
      if (!findBinding(name->name)) {
        const Entity* entity = findEntity(name->name, ctx_->home);
        if (!entity || entity->kind != Entity::Kind::Const) continue;
      }
    expected[d] = checkSubscript(dims[d], "a size");
    if (!expected[d]) continue;
    sites[d] = addSite(SiteKind::ShapeBind, range, {}, d, static_cast<unsigned>(dims.size()));
    any = true;
  }
  if (!any) return view;
  const LocalId whole = addLocal("", type, LocalKind::Let, range);
  emit(range, Declare{whole, view});
  emit(range,
       BindView{localRef(whole, range), std::vector<LocalId>(dims.size()), std::move(expected), std::move(sites)});
  return localRef(whole, range);
}

void Checker::checkReturn(const ReturnStmt& node, Range range) {
  Context& context = *ctx_;
  if (context.kind == Context::Kind::Script || context.kind == Context::Kind::Test) {
    report(Diag::ReturnPlace, range, {});
    return;
  }
  if ((context.kind == Context::Kind::Kernel || context.kind == Context::Kind::Forall) && node.value) {
    report(Diag::KernelResult, expr(node.value).range, {context.name})
        .help(context.kind == Context::Kind::Forall ? "write the result into an array: out[i] = ..."
                                                    : "write the result into a `mut` array parameter");
    return;
  }
  if (!node.value) {
    if (context.kind == Context::Kind::Function && typeOf(context.result).kind != TypeKind::Unit &&
        !isError(context.result)) {
      report(Diag::MissingResult, range, {context.name, spellType(context.result)});
      return;
    }
    emit(range, Return{});
    return;
  }
  Value value = checkExpr(node.value, context.result);
  returnValue(std::move(value), range);
}

bool Checker::checkTailStatements(List<StmtId> statements) {
  for (size_t i = 0; i < statements.size(); ++i) {
    const Stmt& stmt = ast_->stmt(statements[i]);
    if (const auto* declared = std::get_if<DeclStmt>(&stmt.node)) {
      refuseInBlock(declared->decl);
      declareInBlock(declared->decl);
      continue;
    }
    if (i + 1 == statements.size()) {
      if (const auto* last = std::get_if<ExprStmt>(&stmt.node)) {
        ctx_->canHoist = true;
        ctx_->statementValue = expr(last->expr).range;
        checkTail(last->expr);
        return true;
      }
    }
    if (checkStmt(statements[i])) {
      // What follows is never reached, but is checked all the same.
      bool ignored = true;
      for (size_t k = i + 1; k < statements.size(); ++k)
        if (!std::holds_alternative<DeclStmt>(ast_->stmt(statements[k]).node)) {
          if (const auto* last = std::get_if<ExprStmt>(&ast_->stmt(statements[k]).node);
              last && k + 1 == statements.size())
            checkTail(last->expr);
          else ignored = checkStmt(statements[k]) || ignored;
        }
      return true;
    }
  }
  return false;
}

void Checker::checkTail(ExprId id) {
  const Expr& node = expr(id);
  if (const auto* paren = std::get_if<ParenExpr>(&node.node)) return checkTail(paren->inner);
  auto block = [&](ExprId inner) {
    std::vector<TStmtId> statements;
    std::vector<TStmtId>* const saved = std::exchange(ctx_->out, &statements);
    if (const auto* b = std::get_if<BlockExpr>(&expr(inner).node)) {
      pushScope();
      const size_t errors = diags_.errorCount();
      if (!checkTailStatements(b->statements) && diags_.errorCount() == errors)
        report(Diag::MissingReturn, expr(inner).range,
               {ctx_->name, isError(ctx_->result) ? "a value" : spellType(ctx_->result)});
      popScope();
    } else {
      checkTail(inner);
    }
    ctx_->out = saved;
    return statements;
  };
  const auto* const choice = std::get_if<IfExpr>(&node.node);
  const bool onTarget = choice && choice->isConst && asksForTarget(choice->condition);
  if (const auto* branch = choice; branch && branch->elseBranch && (!branch->isConst || onTarget)) {
    const TExprId condition = onTarget ? checkTargetCondition(branch->condition) : checkCondition(branch->condition);
    const std::set<uint32_t> before = ctx_->unassigned;
    std::vector<TStmtId> thenBody = block(branch->thenBlock);
    ctx_->unassigned = before;
    std::vector<TStmtId> elseBody = block(branch->elseBranch);
    if (condition) emit(node.range, If{condition, std::move(thenBody), std::move(elseBody)});
    return;
  }
  if (std::holds_alternative<BlockExpr>(node.node)) {
    std::vector<TStmtId> body = block(id);
    emit(node.range, Scope{std::move(body)});
    return;
  }
  if (const auto* branch = choice; branch && (!branch->isConst || onTarget)) {
    // Without an else it gives no value.
    const size_t errors = diags_.errorCount();
    checkIfStmt(*branch, node.range);
    if (diags_.errorCount() == errors) report(Diag::MissingReturn, node.range, {ctx_->name, spellType(ctx_->result)});
    return;
  }
  Value value = checkExpr(id, ctx_->result);
  if (!isError(value.type) && typeOf(value.type).kind == TypeKind::Unit &&
      typeOf(ctx_->result).kind != TypeKind::Unit && !ctx_->inferResult) {
    report(Diag::MissingReturn, node.range, {ctx_->name, spellType(ctx_->result)});
    return;
  }
  returnValue(std::move(value), node.range);
}

}  // namespace rad::sema

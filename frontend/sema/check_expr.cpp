// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names, operators, members, tuples.
#include "frontend/sema/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace rad::sema {

Value Checker::checkExpr(ExprId id, TypeId expected) {
  if (!id) return errorValue({});
  if (depth_ > 400) {
    report(Diag::TooDeep, expr(id).range, {"400"});
    return errorValue(expr(id).range);
  }
  ++depth_;
  Value value = checkExprKind(id, expected);
  --depth_;
  return value;
}

Value Checker::checkExprKind(ExprId id, TypeId expected) {
  const Expr& node = expr(id);
  const Range range = node.range;
  switch (node.kind()) {
    case ExprKind::Error: return errorValue(range);
    case ExprKind::Int: {
      const auto& literal = std::get<IntExpr>(node.node);
      if (literal.tooBig) {
        report(Diag::ConstantDoesNotFit, range, {shorten(range), "u64", "the widest integer type"});
        return errorValue(range);
      }
      if (literal.suffix.empty()) return constantValue(types().untypedInt(), ConstValue::ofInt(literal.value), range);
      auto scalar = findScalar(text(literal.suffix));
      if (!scalar) return errorValue(range);
      if (isLater(*scalar)) {
        notYet(range, fmt::format("the type {}", spelling(*scalar)));
        return errorValue(range);
      }
      const ConstValue value = ConstValue::ofInt(literal.value);
      if (!fits(value, *scalar)) {
        report(Diag::ConstantDoesNotFit, range, {spell(value), std::string(spelling(*scalar)),
               isFloat(*scalar) ? std::string("it is rounded there") : fmt::format("which holds {} to {}", spell(ConstValue::ofInt(smallestOf(*scalar))), spell(ConstValue::ofInt(largestOf(*scalar))))});
        return errorValue(range);
      }
      return constantValue(types().scalar(*scalar), convertConst(value, *scalar), range);
    }
    case ExprKind::Float: {
      const auto& literal = std::get<FloatExpr>(node.node);
      if (literal.suffix.empty()) return constantValue(types().untypedFloat(), ConstValue::ofFloat(literal.value), range);
      auto scalar = findScalar(text(literal.suffix));
      if (!scalar || !isFloat(*scalar)) return errorValue(range);
      if (isLater(*scalar)) {
        notYet(range, fmt::format("the type {}", spelling(*scalar)));
        return errorValue(range);
      }
      if (!fits(ConstValue::ofFloat(literal.value), *scalar)) {
        report(Diag::ConstantDoesNotFit, range, {shorten(range), std::string(spelling(*scalar)), "it is out of range there"});
        return errorValue(range);
      }
      return constantValue(types().scalar(*scalar), convertConst(ConstValue::ofFloat(literal.value), *scalar), range);
    }
    case ExprKind::Bool: return constantValue(types().boolean(), ConstValue::ofBool(std::get<BoolExpr>(node.node).value), range);
    case ExprKind::String:
      if (!hostOnly("a text value", range)) return errorValue(range);
      return constantValue(types().string(), ConstValue::ofString(std::string(std::get<StringExpr>(node.node).value)), range);
    case ExprKind::Name: return checkName(std::get<NameExpr>(node.node), range);
    case ExprKind::Member: return checkMember(std::get<MemberExpr>(node.node), range);
    case ExprKind::TupleItem: return checkTupleItem(std::get<TupleItemExpr>(node.node), range);
    case ExprKind::DotName: notYet(range, "the short form of an enum member"); return errorValue(range);
    case ExprKind::Index: return checkIndex(std::get<IndexExpr>(node.node), range);
    case ExprKind::Slice: report(Diag::SlicePlace, range, {}); return errorValue(range);
    case ExprKind::Call: return checkCall(std::get<CallExpr>(node.node), range, expected);
    case ExprKind::Unary: return checkUnary(std::get<UnaryExpr>(node.node), range, expected);
    case ExprKind::Binary: return checkBinary(std::get<BinaryExpr>(node.node), range, expected);
    case ExprKind::Paren: return checkExpr(std::get<ParenExpr>(node.node).inner, expected);
    case ExprKind::Tuple: return checkTuple(std::get<TupleExpr>(node.node), range, expected);
    case ExprKind::ArrayLit: notYet(range, "an array value"); return errorValue(range);
    case ExprKind::Repeat:
      if (tryType(id)) report(Diag::TypeAsValue, range, {shorten(range)}).help("zeros[T](n) makes an array");
      else notYet(range, "an array value");
      return errorValue(range);
    case ExprKind::Generator: report(Diag::GeneratorPlace, range, {}); return errorValue(range);
    case ExprKind::ArrayGen: return checkArrayGen(std::get<ArrayGenExpr>(node.node), range);
    case ExprKind::If: return checkIf(id, std::get<IfExpr>(node.node), range, expected);
    case ExprKind::Block: return checkBlockValue(id, expected);
    case ExprKind::Unchecked: {
      ++ctx_->uncheckedDepth;
      Value value = checkBlockValue(std::get<UncheckedExpr>(node.node).block, expected);
      --ctx_->uncheckedDepth;
      return value;
    }
    case ExprKind::Lambda: notYet(range, "a lambda"); return errorValue(range);
    case ExprKind::FnType:
    case ExprKind::Strided: report(Diag::TypeAsValue, range, {shorten(range)}); return errorValue(range);
    case ExprKind::Spread: report(Diag::SpreadNeedsPack, range, {}); return errorValue(range);
    case ExprKind::On: notYet(range, "`on` a stream"); return errorValue(range);
    case ExprKind::Graph: notYet(range, "`graph`"); return errorValue(range);
  }
  return errorValue(range);
}

void Checker::reportUnknownName(std::string_view name, Range range) {
  struct Habit {
    std::string_view foreign, help;
  };
  static constexpr Habit habits[] = {
      {"threadIdx", "name the thread in the kernel's `threads t in 0..256`, or use thread.index"},
      {"blockIdx", "name the block in the kernel's `blocks b in 0..n`, or use block.index"},
      {"blockDim", "block.size is the number of threads of a block"},
      {"gridDim", "the extents of the kernel's `blocks` clause are the grid's size"},
      {"cuda", "name the point in the kernel's domain: `forall i in 0..n`"},
      {"np", "arrays are made by zeros[f32](n), random.uniform[f32](n), [e for i in 0..n]"},
      {"numpy", "arrays are made by zeros[f32](n), random.uniform[f32](n), [e for i in 0..n]"},
      {"torch", "arrays are made by zeros[f32](n), random.uniform[f32](n), [e for i in 0..n]"},
      {"None", "a value that may be missing has no counterpart; use a bool beside it"},
      {"null", "a value that may be missing has no counterpart; use a bool beside it"},
      {"nullptr", "a value that may be missing has no counterpart; use a bool beside it"},
      {"True", "write true"},
      {"False", "write false"},
      {"INFINITY", "write inf"},
      {"NAN", "write nan"},
      {"__syncthreads", "write barrier()"},
      {"syncthreads", "write barrier()"},
  };
  if (auto it = scriptNames_.find(session_.names.intern(name)); it != scriptNames_.end() && ctx_ && ctx_->home == unit_) {
    // The script defines it, but not before this place.
    const Context* root = ctx_;
    while (root->parent) root = root->parent;
    if (root->kind == Context::Kind::Script) report(Diag::UnknownName, range, {std::string(name)}).note(it->second, "it is defined only here");
    else report(Diag::ScriptVariable, range, {std::string(name)}).note(it->second, "the script defines it here").help("pass it as an argument");
    return;
  }
  auto builder = report(Diag::UnknownName, range, {std::string(name)});
  for (const Habit& habit : habits)
    if (habit.foreign == name) {
      builder.help(std::string(habit.help));
      return;
    }
  if (std::string near = nearestName(name, visibleNames()); !near.empty()) builder.help(fmt::format("did you mean `{}`?", near));
}

Value Checker::capture(const std::string& key, Context& owner, Value outer, std::string name, Range range) {
  // Each reduction between the owner and here hands the value on as a parameter.
  std::vector<Context*> path;
  for (Context* context = ctx_; context != &owner; context = context->parent) path.push_back(context);
  Value value = std::move(outer);
  Context* const current = ctx_;
  for (auto it = path.rbegin(); it != path.rend(); ++it) {
    ctx_ = *it;
    auto [found, isNew] = ctx_->captured.try_emplace(key);
    if (isNew) {
      TypeId type = value.type;
      if (isView(type)) type = types().view(typeOf(type).element, typeOf(type).rank, false);
      const LocalId local = addLocal(name, type, LocalKind::Param, range);
      KernelParam param{.local = local, .name = name, .type = type, .shape = {}, .range = range};
      Kernel& kernel = *ctx_->kernel;
      if (isView(type))
        for (unsigned d = 0; d < typeOf(type).rank; ++d) {
          const LocalId dim = addLocal(fmt::format("{}.shape[{}]", name, d), types().index(), LocalKind::Dimension, range);
          kernel.dims.push_back({dim, fmt::format("{}.shape[{}]", name, d)});
          param.shape.push_back({ShapeOp::Dimension, static_cast<int64_t>(kernel.dims.size() - 1), {}});
        }
      kernel.params.push_back(std::move(param));
      ctx_->captures.push_back(value.expr);
      found->second = {.kind = Binding::Kind::Local, .local = local, .type = type, .constant = {}, .pack = {}, .range = range};
    }
    const LocalId local = found->second.local;
    value = {found->second.type, localRef(local, range), {}, range};
  }
  ctx_ = current;
  return value;
}

Value Checker::valueOf(const Binding& binding, Range range, bool isUse) {
  switch (binding.kind) {
    case Binding::Kind::Constant: return constantValue(binding.type, *binding.constant, range);
    case Binding::Kind::Type: report(Diag::TypeAsValue, range, {shorten(range)}); return errorValue(range);
    case Binding::Kind::Pack: report(Diag::PackNeedsSpread, range, {shorten(range)}); return errorValue(range);
    case Binding::Kind::Local: break;
  }
  if (isError(binding.type)) return errorValue(range);
  if (isUse && ctx_->unassigned.contains(binding.local.value)) {
    report(Diag::UseBeforeAssignment, range, {ctx_->body.locals[binding.local.value].name}).note(binding.range, "declared here without a value");
    ctx_->unassigned.erase(binding.local.value);
  }
  Value value{binding.type, localRef(binding.local, range), binding.constant, range};
  return value;
}

Value Checker::valueOf(Entity& entity, Range range) {
  switch (entity.kind) {
    case Entity::Kind::Fn:
    case Entity::Kind::Kernel:
      report(Diag::FunctionAsValue, range, {std::string(text(entity.name)), entity.kind == Entity::Kind::Fn ? "function" : "kernel"}).help(fmt::format("call it: {}(...)", text(entity.name)));
      return errorValue(range);
    case Entity::Kind::TypeAlias: report(Diag::TypeAsValue, range, {shorten(range)}); return errorValue(range);
    case Entity::Kind::Module: report(Diag::ModuleAsValue, range, {std::string(text(entity.name))}); return errorValue(range);
    case Entity::Kind::Unsupported: return errorValue(range);
    case Entity::Kind::Const: {
      if (entity.state == Entity::State::Busy) {
        report(Diag::ConstantCycle, range, {std::string(text(entity.name))});
        return errorValue(range);
      }
      if (entity.state == Entity::State::New) {
        entity.state = Entity::State::Busy;
        const auto& decl = std::get<ConstDecl>(entity.ast->decl(entity.decl).node);
        Context context{.kind = Context::Kind::Function, .side = Side::Host, .home = entity.home, .body = {}, .scopes = {}, .name = {}, .result = {}, .function = {},
                        .captures = {}, .captured = {}, .unassigned = {}, .threadLocals = {}};
        std::vector<TStmtId> ignored;
        context.out = &ignored;
        context.scopes.emplace_back();
        Context* const savedContext = ctx_;
        const Ast* const savedAst = ast_;
        ctx_ = &context;
        ast_ = entity.ast;
        const size_t errors = diags_.errorCount();
        const TypeId type = decl.type ? resolveType(decl.type) : TypeId{};
        Value value = checkExpr(decl.init, type);
        if (decl.type && !isError(value.type)) value = convertValue(value, type, fmt::format("`{}`", text(entity.name)));
        ctx_ = savedContext;
        ast_ = savedAst;
        if (diags_.errorCount() == errors && !isError(value.type) && !value.constant) report(Diag::NotConstant, value.range, {fmt::format("the value of `{}`", text(entity.name))});
        entity.state = value.constant && !isError(value.type) ? Entity::State::Done : Entity::State::Failed;
        entity.type = value.type;
        entity.constant = value.constant;
      }
      if (entity.state == Entity::State::Failed) return errorValue(range);
      return constantValue(entity.type, *entity.constant, range);
    }
    case Entity::Kind::Global: {
      if (isError(entity.type)) return errorValue(range);
      Context* root = ctx_;
      while (root->parent) root = root->parent;
      if (root->kind != Context::Kind::Script) {
        report(Diag::ScriptVariable, range, {std::string(text(entity.name))}).note(entity.range, "the script defines it here")
            .help(entity.constant ? fmt::format("pass it as an argument, or declare it as a constant: `const {} = ...`", text(entity.name)) : "pass it as an argument");
        return errorValue(range);
      }
      if (entity.constant && isUntyped(entity.type)) return constantValue(entity.type, *entity.constant, range);
      if (entity.constant && typeOf(entity.type).kind == TypeKind::Scalar) return constantValue(entity.type, *entity.constant, range);
      if (ctx_ != root && typeOf(entity.type).kind != TypeKind::Scalar && !isView(entity.type)) {
        report(Diag::CannotCapture, range, {std::string(text(entity.name)), spellType(entity.type)});
        return errorValue(range);
      }
      Context* const current = ctx_;
      ctx_ = root;
      Value value = code(entity.type, range, GlobalRef{globalOf(entity)});
      ctx_ = current;
      if (ctx_ == root) return value;
      return capture(fmt::format("g:{}", static_cast<const void*>(&entity)), *root, value, std::string(text(entity.name)), range);
    }
  }
  return errorValue(range);
}

Value Checker::checkName(const NameExpr& node, Range range) {
  Context* owner = nullptr;
  if (auto binding = findBinding(node.name, &owner)) {
    if (owner == ctx_ || binding->kind != Binding::Kind::Local) return valueOf(*binding, range);
    // A reduction in host code takes what it names along.
    Context* const current = ctx_;
    ctx_ = owner;
    Value outer = valueOf(*binding, range);
    ctx_ = current;
    if (isError(outer.type)) return outer;
    if (outer.constant && typeOf(outer.type).kind == TypeKind::Scalar) return constantValue(outer.type, *outer.constant, range);
    if (typeOf(outer.type).kind != TypeKind::Scalar && !isView(outer.type)) {
      report(Diag::CannotCapture, range, {std::string(text(node.name)), spellType(outer.type)});
      return errorValue(range);
    }
    return capture(fmt::format("l:{}:{}", static_cast<const void*>(owner), binding->local.value), *owner, outer, std::string(text(node.name)), range);
  }
  const std::string_view name = text(node.name);
  if (Entity* entity = findEntity(node.name, ctx_->home)) return valueOf(*entity, range);
  if (name == "inf") return constantValue(types().untypedFloat(), ConstValue::ofFloat(std::numeric_limits<double>::infinity()), range);
  if (name == "nan") return constantValue(types().untypedFloat(), ConstValue::ofFloat(std::numeric_limits<double>::quiet_NaN()), range);
  if (findScalar(name)) {
    report(Diag::TypeAsValue, range, {std::string(name)});
    return errorValue(range);
  }
  if (findMath(name) || findHostBuiltin(name) || name == "print" || name == "assert" || name == "barrier" || findReducer(name)) {
    report(Diag::FunctionAsValue, range, {std::string(name), "function"}).help(fmt::format("call it: {}(...)", name));
    return errorValue(range);
  }
  if (name == "args" || name == "block" || name == "thread" || name == "warp" || findModule(name)) {
    report(Diag::ModuleAsValue, range, {std::string(name)});
    return errorValue(range);
  }
  reportUnknownName(name, range);
  return errorValue(range);
}

Value Checker::checkUnary(const UnaryExpr& node, Range range, TypeId expected) {
  if (node.op == UnaryOp::AddressOf) {
    notYet(range, "`&` of a place");
    return errorValue(range);
  }
  Value operand = checkExpr(node.operand, node.op == UnaryOp::Not ? types().boolean() : expected);
  if (isError(operand.type)) return errorValue(range);
  const auto scalar = scalarOf(operand.type);
  bool ok = false;
  switch (node.op) {
    case UnaryOp::Neg: ok = isUntyped(operand.type) || (scalar && *scalar != Scalar::Bool); break;
    case UnaryOp::BitNot: ok = typeOf(operand.type).kind == TypeKind::UntypedInt || (scalar && isInteger(*scalar)); break;
    case UnaryOp::Not: ok = scalar == Scalar::Bool; break;
    case UnaryOp::AddressOf: break;
  }
  if (!ok) {
    report(Diag::UnaryOperand, range, {std::string(spelling(node.op)), spellType(operand.type)});
    return errorValue(range);
  }
  if (operand.constant) {
    Folded folded = fold(node.op, *operand.constant, scalar);
    if (folded.value) return constantValue(operand.type, *folded.value, range);
  }
  TExprId value = materialize(operand);
  switch (node.op) {
    case UnaryOp::Neg: {
      SiteId site;
      if (isHostCode() && scalar && isSignedInteger(*scalar)) site = addSite(SiteKind::Overflow, range);
      return code(operand.type, range, Negate{value, site});
    }
    case UnaryOp::BitNot: return code(operand.type, range, BitNot{value});
    case UnaryOp::Not: return code(operand.type, range, LogicNot{value});
    case UnaryOp::AddressOf: break;
  }
  return errorValue(range);
}

Value Checker::checkLogic(const BinaryExpr& node, Range range) {
  const bool isAnd = node.op == BinaryOp::And;
  Value left = checkExpr(node.left, types().boolean());
  const bool hoist = std::exchange(ctx_->canHoist, false);
  Value right = checkExpr(node.right, types().boolean());
  ctx_->canHoist = hoist;
  bool ok = true;
  for (Value* side : {&left, &right}) {
    if (isError(side->type)) ok = false;
    else if (scalarOf(side->type) != Scalar::Bool) {
      report(Diag::ConditionType, side->range, {fmt::format("an operand of `{}`", spelling(node.op)), spellType(side->type)});
      ok = false;
    }
  }
  if (!ok) return errorValue(range);
  if (left.constant && right.constant)
    return constantValue(types().boolean(), ConstValue::ofBool(isAnd ? left.constant->integer && right.constant->integer : left.constant->integer || right.constant->integer), range);
  TExprId l = materialize(left), r = materialize(right);
  return code(types().boolean(), range, Logic{isAnd, l, r});
}

Value Checker::checkBinary(const BinaryExpr& node, Range range, TypeId expected) {
  if (node.op == BinaryOp::And || node.op == BinaryOp::Or) return checkLogic(node, range);
  const bool compares = node.op >= BinaryOp::Eq && node.op <= BinaryOp::Ge;
  const TypeId hint = compares ? TypeId{} : expected;
  Value left = checkExpr(node.left, hint);
  Value right = checkExpr(node.right, hint);
  return binary(node.op, std::move(left), std::move(right), range, node.opRange, expected);
}

Value Checker::binary(BinaryOp op, Value left, Value right, Range range, Range opRange, TypeId expected) {
  (void)opRange;
  if (isError(left.type) || isError(right.type)) return errorValue(range);
  const bool compares = op >= BinaryOp::Eq && op <= BinaryOp::Ge;
  const bool isShift = op == BinaryOp::Shl || op == BinaryOp::Shr;
  const bool isBits = isShift || op == BinaryOp::BitAnd || op == BinaryOp::BitOr || op == BinaryOp::BitXor;
  const std::string opText(spelling(op));
  auto wrong = [&]() -> Value {
    if (typeOf(left.type).kind == TypeKind::Unit) report(Diag::NoValue, left.range, {});
    else if (typeOf(right.type).kind == TypeKind::Unit) report(Diag::NoValue, right.range, {});
    else report(Diag::OperandTypes, range, {opText, spellType(left.type), spellType(right.type)});
    return errorValue(range);
  };
  const bool leftUntyped = isUntyped(left.type), rightUntyped = isUntyped(right.type);
  auto ls = scalarOf(left.type), rs = scalarOf(right.type);
  if ((!ls && !leftUntyped) || (!rs && !rightUntyped)) return wrong();

  if (leftUntyped && rightUntyped) {
    if (isBits && (typeOf(left.type).kind == TypeKind::UntypedFloat || typeOf(right.type).kind == TypeKind::UntypedFloat)) return wrong();
    Folded folded = fold(op, *left.constant, *right.constant, std::nullopt);
    if (folded.failure == FoldFailure::DivideByZero) {
      report(Diag::DivisionByZero, range, {});
      return errorValue(range);
    }
    if (folded.failure == FoldFailure::Overflow) {
      report(Diag::ConstantDoesNotFit, range, {shorten(range), "a constant", "it is too large"});
      return errorValue(range);
    }
    if (!folded.value) return wrong();
    if (compares) return constantValue(types().boolean(), *folded.value, range);
    return constantValue(folded.value->kind == ConstValue::Kind::Float ? types().untypedFloat() : types().untypedInt(), *folded.value, range);
  }

  // Find the type that both sides take.
  TypeId common;
  if (isShift) {
    if (leftUntyped) {
      if (typeOf(left.type).kind == TypeKind::UntypedFloat) return wrong();
      left = convertValue(left, defaultType(left, expected));
      ls = scalarOf(left.type);
    }
    if (!ls || !isInteger(*ls) || (rs && !isInteger(*rs)) || (rightUntyped && typeOf(right.type).kind == TypeKind::UntypedFloat)) return wrong();
    common = left.type;
    if (rightUntyped) {
      const Wide count = right.constant->integer;
      if (count < 0 || count >= static_cast<Wide>(bitsOf(*ls))) {
        report(Diag::ShiftCount, right.range, {spell(*right.constant), spellType(common), std::to_string(bitsOf(*ls))});
        return errorValue(range);
      }
      right = constantValue(common, *right.constant, right.range);
    } else if (right.type != common) {
      right = conversionCall(*ls, right, right.range);
    }
  } else if (leftUntyped || rightUntyped) {
    Value& untyped = leftUntyped ? left : right;
    common = leftUntyped ? right.type : left.type;
    const Scalar scalar = *scalarOf(common);
    if (scalar == Scalar::Bool) return wrong();
    if (isInteger(scalar) && untyped.constant->kind == ConstValue::Kind::Float) {
      report(Diag::OperandTypes, range, {opText, spellType(left.type), spellType(right.type)})
          .help(fmt::format("convert the integer: f32({})", shorten((leftUntyped ? right : left).range)));
      return errorValue(range);
    }
    untyped = convertValue(untyped, common);
    if (isError(untyped.type)) return errorValue(range);
  } else if (ls == Scalar::Bool || rs == Scalar::Bool) {
    const bool allowed = ls == rs && (op == BinaryOp::Eq || op == BinaryOp::Ne);
    if (!allowed) {
      if (ls == rs && (op == BinaryOp::BitAnd || op == BinaryOp::BitOr)) {
        report(Diag::OperandTypes, range, {opText, "bool", "bool"}).help(op == BinaryOp::BitAnd ? "write `and`" : "write `or`");
        return errorValue(range);
      }
      return wrong();
    }
    common = left.type;
  } else {
    if (isBits && (isFloat(*ls) || isFloat(*rs))) return wrong();
    auto scalar = commonScalar(*ls, *rs);
    if (!scalar) {
      if (isSignMix(*ls, *rs)) {
        report(Diag::SignMix, range, {opText, spellType(left.type), spellType(right.type)})
            .help(fmt::format("write {}({}) or {}({})", spellType(right.type), shorten(left.range), spellType(left.type), shorten(right.range)));
      } else {
        const bool leftIsFloat = isFloat(*ls);
        const Value& other = leftIsFloat ? right : left;
        report(Diag::OperandTypes, range, {opText, spellType(left.type), spellType(right.type)})
            .help(fmt::format("convert one side: {}({})", spellType(leftIsFloat ? left.type : right.type), shorten(other.range)));
      }
      return errorValue(range);
    }
    common = types().scalar(*scalar);
    left = convertValue(left, common);
    right = convertValue(right, common);
    if (isError(left.type) || isError(right.type)) return errorValue(range);
  }
  const Scalar scalar = *scalarOf(common);
  const TypeId result = compares ? types().boolean() : common;
  if (left.constant && right.constant) {
    Folded folded = fold(op, *left.constant, *right.constant, scalar);
    if (folded.value) return constantValue(result, *folded.value, range);
    if (folded.failure == FoldFailure::DivideByZero) {
      report(Diag::DivisionByZero, range, {});
      return errorValue(range);
    }
  }
  if ((op == BinaryOp::Div || op == BinaryOp::Rem) && isInteger(scalar) && right.constant && right.constant->integer == 0) {
    report(Diag::DivisionByZero, range, {});
    return errorValue(range);
  }
  const bool rightIsNonZero = right.constant && right.constant->integer != 0;
  TExprId l = materialize(left), r = materialize(right);
  if (compares) return code(result, range, Compare{op, l, r});
  SiteId site;
  if (isInteger(scalar)) {
    if (op == BinaryOp::Div || op == BinaryOp::Rem) {
      if (!rightIsNonZero && !ctx_->uncheckedDepth) site = addSite(SiteKind::DivideByZero, range);
    } else if (isHostCode() && isSignedInteger(scalar) && (op == BinaryOp::Add || op == BinaryOp::Sub || op == BinaryOp::Mul)) {
      site = addSite(SiteKind::Overflow, range);
    }
  }
  return code(common, range, Arithmetic{op, l, r, site});
}

Value Checker::checkTuple(const TupleExpr& node, Range range, TypeId expected) {
  std::vector<TypeId> itemTypes;
  std::vector<TExprId> items;
  const Type hint = typeOf(expected);
  bool ok = true;
  for (size_t i = 0; i < node.items.size(); ++i) {
    const TypeId itemHint = hint.kind == TypeKind::Tuple && hint.items.size() == node.items.size() ? hint.items[i] : TypeId{};
    Value value = checkExpr(node.items[i], itemHint);
    if (!isError(value.type) && typeOf(value.type).kind == TypeKind::Unit) {
      report(Diag::NoValue, value.range, {});
      value = errorValue(value.range);
    }
    if (isError(value.type)) {
      ok = false;
      continue;
    }
    if (!isError(itemHint) && fitsType(value, itemHint)) value = convertValue(value, itemHint);
    items.push_back(materialize(value));
    itemTypes.push_back(value.type);
  }
  if (!ok) return errorValue(range);
  return code(types().tuple(itemTypes), range, MakeTuple{std::move(items)});
}

Value Checker::checkTupleItem(const TupleItemExpr& node, Range range) {
  Value base = checkExpr(node.base);
  if (isError(base.type)) return errorValue(range);
  const Type& type = typeOf(base.type);
  if (type.kind != TypeKind::Tuple) {
    report(Diag::UnknownMember, range, {spellType(base.type), std::to_string(node.position)});
    return errorValue(range);
  }
  if (node.position >= type.items.size()) {
    report(Diag::UnknownMember, range, {spellType(base.type), std::to_string(node.position)});
    return errorValue(range);
  }
  return code(type.items[node.position], range, TupleItem{base.expr, node.position});
}

Value Checker::checkMember(const MemberExpr& node, Range range) {
  const std::string_view member = text(node.member.name);
  if (const auto* name = std::get_if<NameExpr>(&expr(node.base).node); name && !findBinding(name->name)) {
    const std::string_view base = text(name->name);
    Entity* entity = findEntity(name->name, ctx_->home);
    ModuleScope* module = nullptr;
    if (entity && entity->kind == Entity::Kind::Module) module = entity->module;
    if (!entity) {
      if (base == "block") return blockMember(node.member, range);
      if (base == "thread") return threadMember(node.member, range);
      if (base == "args") {
        if (!hostOnly("args", range)) return errorValue(range);
        if (member == "len") return code(types().index(), range, ArgumentCount{});
        report(Diag::UnknownMember, node.member.range, {"args", std::string(member)}).help("args.len is the number of arguments, args[0] the first");
        return errorValue(range);
      }
      if (base == "warp" || base == "cluster" || base == "device" || base == "target" || base == "atomic") {
        notYet(range, fmt::format("{}.{}", base, member));
        return errorValue(range);
      }
      module = findModule(base);
    }
    if (module) {
      if (auto it = module->names.find(node.member.name); it != module->names.end()) return valueOf(*it->second, range);
      std::vector<std::string_view> known;
      for (const auto& [symbol, unused] : module->names) known.push_back(text(symbol));
      std::sort(known.begin(), known.end());
      auto builder = report(Diag::UnknownMember, node.member.range, {fmt::format("module {}", base), std::string(member)});
      if (std::string near = nearestName(member, known); !near.empty()) builder.help(fmt::format("did you mean `{}.{}`?", base, near));
      return errorValue(range);
    }
    if (!entity && !findScalar(base)) {
      reportUnknownName(base, expr(node.base).range);
      return errorValue(range);
    }
  }
  Value base = checkExpr(node.base);
  if (isError(base.type)) return errorValue(range);
  if (isView(base.type)) {
    if (member == "len") {
      if (typeOf(base.type).rank == 1) return viewExtent(base.expr, 0, range);
      return viewExtent(program_.addExpr(types().view(typeOf(base.type).element, 1, typeOf(base.type).writable), base.range, ViewFlat{base.expr}), 0, range);
    }
    if (member == "flat") return code(types().view(typeOf(base.type).element, 1, typeOf(base.type).writable), range, ViewFlat{base.expr});
    if (member == "shape") {
      report(Diag::ShapeNeedsIndex, range, {});
      return errorValue(range);
    }
    static constexpr std::string_view members[] = {"len", "flat", "shape"};
    auto builder = report(Diag::UnknownMember, node.member.range, {spellType(base.type), std::string(member)});
    if (member == "size" || member == "length") builder.help("did you mean `len`?");
    else if (std::string near = nearestName(member, {std::begin(members), std::end(members)}); !near.empty()) builder.help(fmt::format("did you mean `{}`?", near));
    return errorValue(range);
  }
  const std::string_view baseText = session_.sources.text(base.range);
  auto builder = report(Diag::UnknownMember, node.member.range, {spellType(base.type), std::string(member)});
  if (member == "x" || member == "y" || member == "z") {
    if (baseText.starts_with("threadIdx") || baseText.starts_with("blockIdx")) builder.help("threads and blocks have the names that the kernel's domain gives them");
  }
  return errorValue(range);
}

}  // namespace rad::sema

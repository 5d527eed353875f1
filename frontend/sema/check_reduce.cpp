// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reductions over generators: kernels in host code, loops in kernels. Comprehensions that make arrays.
#include "frontend/sema/checker.h"
#include "frontend/types/float_format.h"

#include <fmt/format.h>

#include <limits>

namespace rad::sema {
namespace {

bool countsFromZero(const DomainAxis& axis) {
  return axis.low.op == ShapeOp::Constant && axis.low.value == 0 && !axis.hasStep();
}

std::string_view reducerName(int reducer) {
  static constexpr std::string_view names[] = {"sum", "min", "max", "all", "any"};
  return names[reducer];
}

}  // namespace

Value Checker::checkReduce(Reducer reducer, ExprId generator, Range range, TypeId) {
  const auto& node = std::get<GeneratorExpr>(expr(generator).node);
  if (isHostCode() && ctx_->kind != Context::Kind::Reduction && !ctx_->isComputed)
    return hostReduce(reducer, node, range);
  return deviceReduce(reducer, node, range);
}

/// Makes `value` ready to be reduced. f16 and bf16 are reduced in f32: the result is converted back to the type before.
bool Checker::reduceOperand(Reducer reducer, Value& value, Range) {
  if (isError(value.type)) return false;
  if (isUntyped(value.type)) materialize(value);
  const auto scalar = scalarOf(value.type);
  const bool wantsBool = reducer == Reducer::All || reducer == Reducer::Any;
  if (!scalar || (wantsBool ? *scalar != Scalar::Bool : !isNumber(*scalar))) {
    const std::string name(reducerName(static_cast<int>(reducer)));
    auto builder =
        report(Diag::MathOperand, value.range, {name, wantsBool ? "bool" : "numbers", spellType(value.type)});
    if (scalar == Scalar::Bool && reducer == Reducer::Sum)
      builder.help("count with `sum(1 for i in 0..n if condition)`");
    if (wantsBool && isVector(value.type) && numberOf(value.type) == Scalar::Bool)
      builder.help(fmt::format("write {0}({0}({1}) for ...): the inner one makes one bool of each vector", name,
                               shorten(value.range)));
    else if (!wantsBool && isVector(value.type))
      builder.help(fmt::format(
          "take one element at a time, such as {}(v.x for ...), or the elements together, such as {}({}(v) for ...)",
          name, name, name));
    const TypeKind kind = typeOf(value.type).kind;
    if (kind == TypeKind::Tuple || kind == TypeKind::Array)
      builder.help(isHostCode() || ctx_->kind == Context::Kind::Reduction
                       ? "values of other types are joined by a function: reduce(|a, b| ..., x, identity: ...)"
                       : "values of other types are joined in a loop");
    if (scalar && isFloat8(*scalar))
      builder.help(fmt::format("8-bit floats only store numbers: write {}(f32(x[i]) for i in 0..n)", name));
    return false;
  }
  if (isHalf(*scalar)) value = convertValue(value, types().scalar(Scalar::F32));
  materialize(value);
  return true;
}

TExprId Checker::reduceIdentity(Reducer reducer, TypeId type, Range range) {
  const Scalar scalar = *scalarOf(type);
  if (reducer == Reducer::All || reducer == Reducer::Any) return constInt(type, reducer == Reducer::All, range);
  if (isFloat(scalar)) {
    const double infinity = std::numeric_limits<double>::infinity();
    return program_.addExpr(type, range,
                            ConstFloat{reducer == Reducer::Sum   ? 0
                                       : reducer == Reducer::Min ? infinity
                                                                 : -infinity});
  }
  return constInt(type,
                  reducer == Reducer::Sum   ? 0
                  : reducer == Reducer::Min ? largestOf(scalar)
                                            : smallestOf(scalar),
                  range);
}

std::optional<ShapeExpr> Checker::capturedSize(TExprId bound, Context& outer, Kernel& kernel) {
  // The size of an array is that of the captured one: so indices up to it need no check.
  const TExpr e = program_.expr(bound);
  Value view;
  unsigned dim = 0;
  std::string key, name;
  auto ofLocal = [&](LocalId local) {
    const Local& l = outer.body.locals[local.value];
    if (l.kind == LocalKind::Var) return;
    Context* const current = std::exchange(ctx_, &outer);
    view = {l.type, localRef(local, e.range), {}, e.range};
    ctx_ = current;
    key = fmt::format("l:{}:{}", static_cast<const void*>(&outer), local.value);
    name = l.name;
  };
  if (const auto* ref = std::get_if<LocalRef>(&e.node)) {
    auto it = outer.sizeOf.find(ref->local.value);
    if (it == outer.sizeOf.end()) return std::nullopt;
    dim = it->second.second;
    ofLocal(it->second.first);
  } else if (const auto* extent = std::get_if<ViewExtent>(&e.node)) {
    dim = extent->dim;
    const TExpr base = program_.expr(extent->view);
    if (const auto* local = std::get_if<LocalRef>(&base.node)) ofLocal(local->local);
    if (const auto* global = std::get_if<GlobalRef>(&base.node))
      for (const auto& [entity, id] : globals_)
        if (id == global->global) {
          view = {base.type, extent->view, {}, base.range};
          key = fmt::format("g:{}", static_cast<const void*>(entity));
          name = std::string(text(entity->name));
        }
  }
  if (key.empty() || !isView(view.type) || name.empty()) return std::nullopt;
  const Value captured = capture(key, outer, view, name, e.range);
  const LocalId local = std::get<LocalRef>(program_.expr(captured.expr).node).local;
  for (const KernelParam& param : kernel.params)
    if (param.local == local && dim < param.shape.size()) return param.shape[dim];
  return std::nullopt;
}

Checker::MadeKernel::MadeKernel(Checker& checker, Range range)
    : context{.kind = Context::Kind::Reduction,
              .side = Side::Device,
              .parent = checker.ctx_,
              .home = checker.ctx_->home,
              .name = checker.shorten(range),
              .result = checker.types().unit(),
              .kernel = &kernel} {
  kernel.name = context.name;
  kernel.range = range;
  context.out = &statements;
}

KernelId Checker::addKernel(MadeKernel& made, std::string_view name) {
  Kernel& kernel = made.kernel;
  kernel.symbol = kernelSymbol(name);
  kernel.body = std::move(made.context.body);
  kernel.body.statements = std::move(made.context.prologue);
  kernel.body.statements.insert(kernel.body.statements.end(), made.statements.begin(), made.statements.end());
  finishKernel(kernel);
  program_.kernels.push_back(std::move(kernel));
  return {static_cast<uint32_t>(program_.kernels.size() - 1)};
}

KernelId Checker::addReduction(MadeKernel& made, Reducer reducer, const Value& value, TExprId condition) {
  const Scalar scalar = *scalarOf(value.type);
  if (reducer == Reducer::Sum && isInteger(scalar) && bitsOf(scalar) <= 16 &&
      !rad::isOfLibrary(value.range, session_.sources))
    report(Diag::SmallSum, value.range, {spellType(value.type), spell(ConstValue::ofInt(largestOf(scalar)))})
        .help(fmt::format("convert what is summed: sum({}(x[i]) for i in 0..x.len)",
                          isSignedInteger(scalar) ? "i32" : "u32"));
  Reduction reduction{.value = value.expr, .condition = condition};
  reduction.isMinMax = reducer == Reducer::Min || reducer == Reducer::Max;
  if (reducer == Reducer::Max) reduction.minMax = Math::Max;
  if (reducer == Reducer::All) reduction.op = BinaryOp::And;
  if (reducer == Reducer::Any) reduction.op = BinaryOp::Or;
  made.kernel.reduction = reduction;
  made.kernel.reductionType = value.type;
  return addKernel(made, fmt::format("reduce_{}", reducerName(static_cast<int>(reducer))));
}

Value Checker::roundedAs(TypeId reduced, Value result, Range range) {
  const auto scalar = scalarOf(reduced);
  return scalar && isHalf(*scalar) ? conversionCall(*scalar, std::move(result), range) : result;
}

bool Checker::openReduction(Context& context, Kernel& kernel, List<RangeClause> clauses, std::string_view form) {
  // `context` is not current yet: the bounds are the host's to evaluate, and travel as parameters.
  bool ok = true;
  struct Bound {
    TExprId code;
    std::optional<int64_t> constant;
  };
  struct Bounds {
    Bound low, high;
    std::optional<Bound> step;
  };
  std::vector<Bounds> ranges;
  OpenDomain domain{{clauses.begin(), clauses.end()}, form, active_.size()};
  domain.context = ctx_;
  OpenDomain* const outer = std::exchange(domain_, &domain);
  for (const RangeClause& clause : clauses) {
    domain.current = clause.name.name;
    helpOver(clause);
    auto bound = [&](ExprId id, std::string_view what = "the bound of a range") {
      Bound result{checkSubscript(id, what), std::nullopt};
      if (!result.code) ok = false;
      else if (const auto* constant = std::get_if<ConstInt>(&program_.expr(result.code).node))
        result.constant = static_cast<int64_t>(constant->bits);
      return result;
    };
    Bounds bounds{bound(clause.low), {}, {}};
    bounds.high = bound(clause.high);
    if (clause.step) {
      bounds.step = bound(clause.step, "the step of a range");
      if (bounds.step->constant) ok &= isDomainStep(*bounds.step->constant, expr(clause.step).range);
    }
    ranges.push_back(bounds);
  }
  domain_ = outer;
  if (clauses.size() > 4) {
    const bool isForall = context.kind == Context::Kind::Forall;
    report(Diag::TooManyAxes, clauses[4].name.range, {isForall ? "a domain" : "a generator", "four names"});
    ok = false;
  }
  if (!ok) return false;
  Context* const saved = std::exchange(ctx_, &context);
  pushScope();
  size_t axis = 0;
  for (const RangeClause& clause : clauses) {
    auto shape = [&](const Bound& bound, std::string_view which) {
      if (bound.constant) return ShapeExpr{ShapeOp::Constant, *bound.constant, {}};
      if (auto size = capturedSize(bound.code, *saved, kernel)) return *size;
      const Range range = program_.expr(bound.code).range;
      const std::string name = fmt::format("{}.{}", text(clause.name.name), which);
      const LocalId local = addLocal(name, types().index(), LocalKind::Param, range);
      kernel.params.push_back({.local = local, .name = name, .type = types().index(), .range = range});
      ctx_->captures.push_back(bound.code);
      return ShapeExpr{ShapeOp::Parameter, static_cast<int64_t>(kernel.params.size() - 1), {}};
    };
    const ShapeExpr low = shape(ranges[axis].low, "low");
    const ShapeExpr high = shape(ranges[axis].high, "high");
    const LocalId variable =
        addLocal(std::string(text(clause.name.name)), types().index(), LocalKind::DomainVar, clause.name.range);
    kernel.axes.push_back({variable, low, high});
    if (ranges[axis].step) kernel.axes.back().step = shape(*ranges[axis].step, "step");
    ++axis;
  }
  axis = 0;
  for (const RangeClause& clause : clauses)
    bind(clause.name, {.kind = Binding::Kind::Local,
                       .local = kernel.axes[axis++].variable,
                       .type = types().index(),
                       .range = clause.name.range});
  ctx_ = saved;
  return true;
}

Value Checker::hostReduce(Reducer reducer, const GeneratorExpr& node, Range range) {
  MadeKernel made(*this, range);
  if (!openReduction(made.context, made.kernel, node.clauses, "for")) return errorValue(range);
  const size_t errors = diags_.errorCount();
  Context* const saved = std::exchange(ctx_, &made.context);
  TExprId condition;
  if (node.condition) condition = checkCondition(node.condition);
  Value value = checkExpr(node.value);
  const TypeId shown = value.type;
  const bool ok = reduceOperand(reducer, value, range);
  ctx_ = saved;
  if (!ok || diags_.errorCount() != errors) return errorValue(range);
  const KernelId id = addReduction(made, reducer, value, condition);
  HostReduce reduce{id, std::move(made.context.captures), addSite(SiteKind::Launch, range)};
  return roundedAs(shown, code(value.type, range, std::move(reduce)), range);
}

Value Checker::deviceReduce(Reducer reducer, const GeneratorExpr& node, Range range) {
  // { var total = identity; for ... { if c { total = total op value } }; total }
  const bool hoist = std::exchange(ctx_->canHoist, false);
  ++ctx_->valueBlocks;
  std::vector<TStmtId> outer;
  std::vector<TStmtId>* const saved = std::exchange(ctx_->out, &outer);
  pushScope();
  std::vector<ReduceLoop> loops;
  bool ok = true;
  for (const RangeClause& clause : node.clauses) {
    helpOver(clause);
    ReduceLoop loop;
    loop.low = checkSubscript(clause.low, "the bound of a range");
    loop.high = checkSubscript(clause.high, "the bound of a range");
    if (clause.step) {
      loop.step = checkSubscript(clause.step, "the step of a range");
      if (loop.step) {
        const auto* constant = std::get_if<ConstInt>(&program_.expr(loop.step).node);
        if (constant && constant->bits == 0) report(Diag::ZeroStep, expr(clause.step).range, {});
        if (!constant) loop.site = addSite(SiteKind::NegativeStep, expr(clause.step).range);
      } else {
        ok = false;
      }
    }
    ok = ok && loop.low && loop.high;
    loop.variable =
        addLocal(std::string(text(clause.name.name)), types().index(), LocalKind::DomainVar, clause.name.range);
    pushScope();
    bind(clause.name,
         {.kind = Binding::Kind::Local, .local = loop.variable, .type = types().index(), .range = clause.name.range});
    loops.push_back(loop);
  }
  std::vector<TStmtId> inner;
  ctx_->out = &inner;
  TExprId condition;
  if (node.condition) {
    condition = checkCondition(node.condition);
    ok = ok && condition;
  }
  std::vector<TStmtId> step;
  ctx_->out = &step;
  Value value = checkExpr(node.value);
  const TypeId shown = value.type;
  ok = reduceOperand(reducer, value, range) && ok;
  for (size_t i = 0; i < loops.size(); ++i) popScope();
  popScope();
  ctx_->out = saved;
  --ctx_->valueBlocks;
  ctx_->canHoist = hoist;
  if (!ok) return errorValue(range);
  return roundedAs(
      shown, inLoops(reducer, loops, std::move(outer), std::move(inner), condition, std::move(step), value, range),
      range);
}

Value Checker::inLoops(Reducer reducer, const std::vector<ReduceLoop>& loops, std::vector<TStmtId> outer,
                       std::vector<TStmtId> inner, TExprId condition, std::vector<TStmtId> step, const Value& value,
                       Range range) {
  const TypeId type = value.type;
  const LocalId total = addLocal("", type, LocalKind::Var, range);
  auto assign = [&](std::optional<BinaryOp> op, TExprId right) {
    return program_.addStmt(range, Assign{localRef(total, range), op, right, {}});
  };
  switch (reducer) {
    case Reducer::Sum: {
      SiteId site;
      if (isHostCode() && isSignedInteger(*scalarOf(type))) site = addSite(SiteKind::Overflow, range);
      step.push_back(program_.addStmt(range, Assign{localRef(total, range), BinaryOp::Add, value.expr, site}));
      break;
    }
    case Reducer::Min:
    case Reducer::Max:
      step.push_back(assign(std::nullopt, program_.addExpr(type, range,
                                                           MathCall{reducer == Reducer::Min ? Math::Min : Math::Max,
                                                                    {localRef(total, range), value.expr}})));
      break;
    case Reducer::All:
    case Reducer::Any:
      step.push_back(
          assign(std::nullopt,
                 program_.addExpr(type, range, Logic{reducer == Reducer::All, localRef(total, range), value.expr})));
      break;
  }
  if (condition) inner.push_back(program_.addStmt(range, If{condition, std::move(step), {}}));
  else inner.insert(inner.end(), step.begin(), step.end());
  for (auto loop = loops.rbegin(); loop != loops.rend(); ++loop) {
    const TStmtId made = program_.addStmt(
        range, For{loop->variable, loop->low, loop->high, loop->step, loop->site, std::move(inner), 0});
    inner = {made};
  }
  std::vector<TStmtId> all{program_.addStmt(range, Declare{total, reduceIdentity(reducer, type, range)})};
  all.insert(all.end(), outer.begin(), outer.end());
  all.insert(all.end(), inner.begin(), inner.end());
  const TExprId result = localRef(total, range);
  return code(type, range, BlockValue{std::move(all), result});
}

/// sum(row) in a kernel: a loop over all elements.
Value Checker::reduceInKernel(Reducer reducer, Value view, Range range) {
  const TypeId index = types().index();
  const Type type = typeOf(view.type);
  std::vector<TStmtId> outer, step;
  std::vector<TStmtId>* const saved = std::exchange(ctx_->out, &outer);
  const TExprId whole = keep(view.expr);
  ctx_->out = &step;
  std::vector<ReduceLoop> loops;
  ViewElement element{whole, {}, {}, {}};
  for (unsigned d = 0; d < type.rank; ++d) {
    const LocalId variable = addLocal("", index, LocalKind::DomainVar, range);
    loops.push_back({variable, constInt(index, 0, range), viewExtent(whole, d, range).expr, {}, {}});
    element.indices.push_back(localRef(variable, range));
    element.checks.push_back(Check::Checked);
    element.sites.push_back(addSite(SiteKind::Index, range, {}, d, type.rank));
  }
  Value value = code(type.element, view.range, std::move(element));
  const TypeId shown = value.type;
  const bool ok = reduceOperand(reducer, value, range);
  ctx_->out = saved;
  if (!ok) return errorValue(range);
  return roundedAs(shown, inLoops(reducer, loops, std::move(outer), {}, {}, std::move(step), value, range), range);
}

Value Checker::reduceView(Reducer reducer, ExprId argument, std::string_view name, Range range) {
  Value view = checkExpr(argument);
  if (isError(view.type)) return errorValue(range);
  if (isVector(view.type) || typeOf(view.type).kind == TypeKind::Array)
    return reduceElements(reducer, view, name, range);
  if (!isView(view.type)) {
    report(Diag::ReducerArguments, range, {std::string(name)})
        .help(fmt::format("write {}(x[i] for i in 0..n), or {}(x) of an array x", name, name));
    return errorValue(range);
  }
  if (!isHostCode() || ctx_->kind == Context::Kind::Reduction) return reduceInKernel(reducer, view, range);
  if (typeOf(view.type).rank > 1) view = withoutGaps(view);
  const Type type = typeOf(view.type);
  TExprId flat = view.expr;
  if (type.rank > 1)
    flat = program_.addExpr(types().view(type.element, 1, type.writable), view.range, ViewFlat{view.expr});
  MadeKernel made(*this, range);
  Kernel& kernel = made.kernel;
  Context* const saved = std::exchange(ctx_, &made.context);
  pushScope();
  const TypeId readOnly = types().view(type.element, 1, false, type.strided);
  const LocalId local = addLocal("x", readOnly, LocalKind::Param, view.range);
  const LocalId count = addLocal("n", types().index(), LocalKind::Dimension, view.range);
  const LocalId point = addLocal("i", types().index(), LocalKind::DomainVar, view.range);
  kernel.dims.push_back({count, "n"});
  const ShapeExpr extent{ShapeOp::Dimension, 0, {}};
  kernel.params.push_back({.local = local, .name = "x", .type = readOnly, .shape = {extent}, .range = view.range});
  kernel.axes.push_back({point, ShapeExpr{}, extent});
  ViewElement element{
      localRef(local, range), {localRef(point, range)}, {Check::Checked}, {addSite(SiteKind::Index, range, {}, 0, 1)}};
  Value value = code(type.element, view.range, std::move(element));
  const TypeId shown = value.type;
  const bool ok = reduceOperand(reducer, value, range);
  ctx_ = saved;
  if (!ok) return errorValue(range);
  const KernelId id = addReduction(made, reducer, value, {});
  return roundedAs(shown, code(value.type, range, HostReduce{id, {flat}, addSite(SiteKind::Launch, range)}), range);
}

TExprId Checker::hostSize(const ShapeExpr& size, const Kernel& kernel, const std::vector<TExprId>& arguments,
                          Range range) {
  auto argument = [&](size_t i) { return localRef(std::get<LocalRef>(program_.expr(arguments[i]).node).local, range); };
  if (size.op == ShapeOp::Constant) return constInt(types().index(), size.value, range);
  if (size.op == ShapeOp::Parameter) return argument(static_cast<size_t>(size.value));
  for (size_t p = 0; p < kernel.params.size(); ++p)
    for (unsigned d = 0; d < kernel.params[p].shape.size(); ++d)
      if (kernel.params[p].shape[d].op == ShapeOp::Dimension && kernel.params[p].shape[d].value == size.value)
        return program_.addExpr(types().index(), range, ViewExtent{argument(p), d});
  return constInt(types().index(), 0, range);
}

Value Checker::checkArrayGen(const ArrayGenExpr& node, Range range) {
  if (!isHostCode() || ctx_->kind == Context::Kind::Reduction) {
    report(Diag::ArrayInKernel, range, {})
        .help(ctx_->kind == Context::Kind::Reduction && ctx_->parent && ctx_->parent->side == Side::Host
                  ? "an array of more dimensions has all ranges in one list: [e for i in 0..n, j in 0..m]"
                  : "an array value has a size that is known: `var a = [0.0; 8]`, filled by a loop; what the kernel "
                    "gives goes "
                    "into a `mut` parameter");
    return errorValue(range);
  }
  const auto& generator = std::get<GeneratorExpr>(expr(node.generator).node);
  if (generator.condition) {
    report(Diag::ComprehensionCondition, expr(generator.condition).range, {})
        .help(
            "choose the element: [if c { a } else { b } for ...]; `raddle explain R0383` shows how to keep only some");
    return errorValue(range);
  }
  MadeKernel made(*this, range);
  Kernel& kernel = made.kernel;
  if (!openReduction(made.context, kernel, generator.clauses, "[")) return errorValue(range);
  const size_t errors = diags_.errorCount();
  Context* const saved = std::exchange(ctx_, &made.context);
  Value value = checkExpr(generator.value);
  if (!isError(value.type)) {
    if (typeOf(value.type).kind == TypeKind::Unit) report(Diag::NoValue, value.range, {});
    else if (isUntyped(value.type)) materialize(value);
    else if (!canBeElement(value.type, value.range)) value = errorValue(value.range);
  }
  if (isError(value.type) || diags_.errorCount() != errors) {
    ctx_ = saved;
    return errorValue(range);
  }
  const TExprId stored = materialize(value);
  const unsigned rank = static_cast<unsigned>(kernel.axes.size());
  const TypeId type = types().view(value.type, rank, true);
  const LocalId out = addLocal("out", type, LocalKind::MutParam, range);
  KernelParam param{.local = out, .name = "out", .type = type, .isMut = true, .range = range};
  ViewElement element{localRef(out, range), {}, {}, {}};
  for (unsigned d = 0; d < rank; ++d) {
    // The new array has the domain's extents: the shape says so, and proves the checks.
    const DomainAxis& axis = kernel.axes[d];
    TExprId at = localRef(axis.variable, range);
    if (countsFromZero(axis)) {
      param.shape.push_back(axis.high);
      element.checks.push_back(Check::Checked);
      element.sites.push_back(addSite(SiteKind::Index, range, {}, d, rank));
    } else {
      const ShapeExpr zero{ShapeOp::Constant, 0, {}};
      const ShapeExpr length{ShapeOp::Max, 0, {{ShapeOp::Sub, 0, {axis.high, axis.low}}, zero}};
      param.shape.push_back({ShapeOp::CeilDiv, 0, {length, axis.step}});
      auto op = [&](BinaryOp what, const ShapeExpr& by) {
        at = program_.addExpr(types().index(), range, Arithmetic{what, at, shapeCode(by, kernel, range), {}});
      };
      if (axis.low != zero) op(BinaryOp::Sub, axis.low);
      if (axis.hasStep()) op(BinaryOp::Div, axis.step);
      element.checks.push_back(Check::Proven);
      element.sites.push_back({});
    }
    element.indices.push_back(at);
  }
  kernel.params.push_back(std::move(param));
  const TExprId place = program_.addExpr(value.type, range, std::move(element));
  emit(range, Assign{place, std::nullopt, stored, {}});
  ctx_ = saved;
  std::vector<TExprId> arguments = std::move(made.context.captures);
  // The extents are read once into locals: the launch and the new array use them both.
  std::vector<TStmtId> block;
  for (TExprId& argument : arguments) {
    const LocalId local = addLocal("", program_.expr(argument).type, LocalKind::Let, range);
    block.push_back(program_.addStmt(range, Declare{local, argument}));
    argument = localRef(local, range);
  }
  std::vector<TExprId> extents;
  for (const DomainAxis& axis : kernel.axes) {
    const TExprId high = hostSize(axis.high, kernel, arguments, range);
    if (countsFromZero(axis)) {
      extents.push_back(axis.high.op == ShapeOp::Constant && axis.high.value < 0 ? constInt(types().index(), 0, range)
                                                                                 : high);
      continue;
    }
    // (high - 1 - low) / step + 1 of a range that is not empty. Of a step that is not positive nothing is taken: the
    // launch reports it.
    auto index = [&](auto node) { return program_.addExpr(types().index(), range, std::move(node)); };
    auto number = [&](int64_t value) { return constInt(types().index(), value, range); };
    auto positive = [&](TExprId value) {
      return program_.addExpr(types().boolean(), range, Compare{BinaryOp::Gt, value, number(0)});
    };
    const TExprId low = hostSize(axis.low, kernel, arguments, range),
                  step = hostSize(axis.step, kernel, arguments, range);
    const TExprId length = index(Arithmetic{BinaryOp::Sub, high, low, {}});
    const TExprId by = index(MathCall{Math::Max, {step, number(1)}});
    const TExprId steps =
        index(Arithmetic{BinaryOp::Div, index(Arithmetic{BinaryOp::Sub, length, number(1), {}}), by, {}});
    const TExprId some = program_.addExpr(types().boolean(), range, Logic{true, positive(length), positive(step)});
    extents.push_back(index(Select{some, index(Arithmetic{BinaryOp::Add, steps, number(1), {}}), number(0)}));
  }
  const KernelId id = addKernel(made, "make_array");
  const LocalId array = addLocal("", type, LocalKind::Let, range);
  NewArray zeros{std::move(extents), addSite(SiteKind::HostCall, range)};
  block.push_back(program_.addStmt(range, Declare{array, program_.addExpr(type, range, std::move(zeros))}));
  arguments.push_back(localRef(array, range));
  block.push_back(program_.addStmt(range, Launch{id, std::move(arguments), addSite(SiteKind::Launch, range)}));
  const TExprId result = localRef(array, range);
  return code(type, range, BlockValue{std::move(block), result});
}

}  // namespace rad::sema

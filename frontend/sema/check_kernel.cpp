// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels: signature, sizes, domain, body.
#include "frontend/sema/checker.h"
#include "frontend/sema/function_values.h"
#include "frontend/sema/in_callee.h"

#include <fmt/format.h>

#include <cctype>
#include <cstdint>

namespace rad::sema {
namespace {

bool isUpper(std::string_view name) { return !name.empty() && name[0] >= 'A' && name[0] <= 'Z'; }

}  // namespace

std::string Checker::kernelSymbol(std::string_view name) {
  std::string base;
  for (char c : name)
    base += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ? c : '_';
  if (base.empty() || (base[0] >= '0' && base[0] <= '9')) base.insert(base.begin(), 'k');
  const unsigned count = symbols_["k " + base]++;
  if (!count) return base;
  std::string symbol = fmt::format("{}_{}", base, count + 1);
  while (symbols_.contains("k " + symbol)) symbol += "_";
  symbols_["k " + symbol] = 1;
  return symbol;
}

/// A name with its first letter in lower case.
static std::string lowered(std::string name) {
  name[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(name[0])));
  return name;
}

/// Names that stand as sizes in what is no type, f32[n]: they are not unknown besides.
void Checker::bindSizesOf(ExprId type) {
  auto bindName = [&](ExprId id) {
    if (const auto* name = std::get_if<NameExpr>(&expr(id).node);
        name && !findBinding(name->name) && !findScalar(text(name->name)))
      bind({name->name, expr(id).range},
           {.kind = Binding::Kind::Local, .type = types().error(), .range = expr(id).range});
  };
  if (const auto* index = std::get_if<IndexExpr>(&expr(type).node))
    if (const auto* base = std::get_if<NameExpr>(&expr(index->base).node); base && findScalar(text(base->name)))
      for (const Argument& size : index->arguments) bindName(size.value);
  if (const auto* list = std::get_if<ArrayLitExpr>(&expr(type).node))
    for (ExprId item : list->items) bindName(item);
}

std::optional<ShapeExpr> Checker::shapeName(const NameExpr& node, Range range, const Kernel& kernel, bool inDomain) {
  const std::string name(text(node.name));
  auto constant = [&](const Value& value) -> std::optional<ShapeExpr> {
    if (isError(value.type)) return std::nullopt;
    if (!value.constant || value.constant->kind != ConstValue::Kind::Int || !fits(*value.constant, Scalar::I64)) {
      report(Diag::ShapeTerm, range,
             {fmt::format("`{}`, {},", name, value.constant ? spell(*value.constant) : spellType(value.type))});
      return std::nullopt;
    }
    return ShapeExpr{ShapeOp::Constant, static_cast<int64_t>(value.constant->integer), {}};
  };
  if (auto binding = findBinding(node.name)) {
    if (binding->kind == Binding::Kind::Constant)
      return constant(constantValue(binding->type, *binding->constant, range));
    if (binding->kind == Binding::Kind::Local) {
      if (isError(binding->type)) return std::nullopt;
      for (size_t i = 0; i < kernel.dims.size(); ++i)
        if (kernel.dims[i].local == binding->local) return ShapeExpr{ShapeOp::Dimension, static_cast<int64_t>(i), {}};
      for (size_t i = 0; i < kernel.params.size(); ++i)
        if (kernel.params[i].local == binding->local && scalarOf(binding->type) && isInteger(*scalarOf(binding->type)))
          return ShapeExpr{ShapeOp::Parameter, static_cast<int64_t>(i), {}};
    }
    report(Diag::ShapeTerm, range, {fmt::format("`{}`", name)}).note(binding->range, "declared here");
    return std::nullopt;
  }
  Entity* entity = findEntity(node.name, ctx_->home);
  if (entity && entity->kind == Entity::Kind::Const && (inDomain || isUpper(name)))
    return constant(valueOf(*entity, range));
  if (entity && entity->kind == Entity::Kind::Unsupported) return std::nullopt;
  if (inDomain && isNameOfDomain(name, range)) return std::nullopt;
  if (entity && entity->kind == Entity::Kind::Global) {
    if (!isError(entity->type))
      report(Diag::ScriptVariable, range, {name})
          .note(entity->range, "the script defines it here")
          .help("add a parameter to the kernel, or declare it as a constant: `const N = ...`");
    return std::nullopt;
  }
  if (!inDomain)
    bind({node.name, range}, {.kind = Binding::Kind::Local, .type = types().error(), .range = range});  // said once
  if (isUpper(name)) {
    report(Diag::UnknownName, range, {name})
        .help(fmt::format(
            "a size that the arguments tell begins with a lower-case letter: `{}`; with an upper-case one it is a "
            "constant: `const {} = 128`",
            lowered(name), name));
    return std::nullopt;
  }
  report(Diag::UnboundDimension, range, {name})
      .help(fmt::format("a plain `{0}` as a size of an array parameter binds it: `x: [f32; {0}]`", name));
  return std::nullopt;
}

/// SIZES[1], SIZES.0 of a `const SIZES`.
bool Checker::isPartOfConstant(ExprId id) {
  const ExprId whole = id;
  for (;;) {
    const auto& node = expr(id).node;
    if (const auto* index = std::get_if<IndexExpr>(&node)) {
      id = index->base;
    } else if (const auto* item = std::get_if<TupleItemExpr>(&node)) {
      id = item->base;
    } else {
      const auto* name = std::get_if<NameExpr>(&node);
      const Entity* entity =
          name && id != whole && !findBinding(name->name) ? findEntity(name->name, ctx_->home) : nullptr;
      return entity && entity->kind == Entity::Kind::Const;
    }
  }
}

std::optional<ShapeExpr> Checker::shapeExpr(ExprId id, const Kernel& kernel, bool inDomain) {
  const Expr& node = expr(id);
  const Range range = node.range;
  auto two = [&](ShapeOp op, ExprId a, ExprId b) -> std::optional<ShapeExpr> {
    auto left = shapeExpr(a, kernel, inDomain);
    auto right = shapeExpr(b, kernel, inDomain);
    if (!left || !right) return std::nullopt;
    if ((op == ShapeOp::Div || op == ShapeOp::Rem || op == ShapeOp::CeilDiv) && right->op == ShapeOp::Constant &&
        right->value <= 0) {
      report(right->value == 0 ? Diag::DivisionByZero : Diag::ShapeTerm, range, {"a division by a negative number"});
      return std::nullopt;
    }
    if (left->op == ShapeOp::Constant && right->op == ShapeOp::Constant) {
      const Wide x = left->value, y = right->value;
      Wide value = 0;
      switch (op) {
        case ShapeOp::Add: value = x + y; break;
        case ShapeOp::Sub: value = x - y; break;
        case ShapeOp::Mul: value = x * y; break;
        case ShapeOp::Div: value = x / y; break;
        case ShapeOp::Rem: value = x % y; break;
        case ShapeOp::Min: value = x < y ? x : y; break;
        case ShapeOp::Max: value = x > y ? x : y; break;
        case ShapeOp::CeilDiv: value = x > 0 ? (x + y - 1) / y : x / y; break;
        case ShapeOp::Constant:
        case ShapeOp::Dimension:
        case ShapeOp::Parameter: break;
      }
      if (value >= smallestOf(Scalar::I64) && value <= largestOf(Scalar::I64))
        return ShapeExpr{ShapeOp::Constant, static_cast<int64_t>(value), {}};
    }
    return ShapeExpr{op, 0, {*left, *right}};
  };
  if (const auto* literal = std::get_if<IntExpr>(&node.node)) {
    if (literal->tooBig || literal->value > INT64_MAX) {
      report(Diag::ConstantDoesNotFit, range, {shorten(range), "index", "it is too large"});
      return std::nullopt;
    }
    return ShapeExpr{ShapeOp::Constant, static_cast<int64_t>(literal->value), {}};
  }
  if (const auto* paren = std::get_if<ParenExpr>(&node.node)) return shapeExpr(paren->inner, kernel, inDomain);
  if (isPartOfConstant(id)) {
    const Value part = checkExpr(id);
    if (isError(part.type)) return std::nullopt;
    if (part.constant && part.constant->kind == ConstValue::Kind::Int && fits(*part.constant, Scalar::I64))
      return ShapeExpr{ShapeOp::Constant, static_cast<int64_t>(part.constant->integer), {}};
  }
  if (const auto* name = std::get_if<NameExpr>(&node.node)) return shapeName(*name, range, kernel, inDomain);
  if (std::holds_alternative<ErrorExpr>(node.node)) return std::nullopt;
  if (const auto* unary = std::get_if<UnaryExpr>(&node.node); unary && unary->op == UnaryOp::Neg) {
    auto operand = shapeExpr(unary->operand, kernel, inDomain);
    if (!operand) return std::nullopt;
    if (operand->op == ShapeOp::Constant) return ShapeExpr{ShapeOp::Constant, -operand->value, {}};
    return ShapeExpr{ShapeOp::Sub, 0, {ShapeExpr{ShapeOp::Constant, 0, {}}, *operand}};
  }
  if (const auto* binary = std::get_if<BinaryExpr>(&node.node)) {
    switch (binary->op) {
      case BinaryOp::Add: return two(ShapeOp::Add, binary->left, binary->right);
      case BinaryOp::Sub: return two(ShapeOp::Sub, binary->left, binary->right);
      case BinaryOp::Mul: return two(ShapeOp::Mul, binary->left, binary->right);
      case BinaryOp::Div: return two(ShapeOp::Div, binary->left, binary->right);
      case BinaryOp::Rem: return two(ShapeOp::Rem, binary->left, binary->right);
      case BinaryOp::BitAnd:
      case BinaryOp::BitOr:
      case BinaryOp::BitXor:
      case BinaryOp::Shl:
      case BinaryOp::Shr:
      case BinaryOp::Eq:
      case BinaryOp::Ne:
      case BinaryOp::Lt:
      case BinaryOp::Le:
      case BinaryOp::Gt:
      case BinaryOp::Ge:
      case BinaryOp::And:
      case BinaryOp::Or: break;
    }
    // Shifts and the like are fine among constants.
    const size_t errors = diags_.errorCount();
    Value value = checkExpr(id, types().index());
    if (value.constant && value.constant->kind == ConstValue::Kind::Int && fits(*value.constant, Scalar::I64))
      return ShapeExpr{ShapeOp::Constant, static_cast<int64_t>(value.constant->integer), {}};
    if (diags_.errorCount() == errors) report(Diag::ShapeTerm, range, {fmt::format("`{}`", shorten(range))});
    return std::nullopt;
  }
  if (const auto* call = std::get_if<CallExpr>(&node.node))
    if (const auto* callee = std::get_if<NameExpr>(&expr(call->callee).node); callee && call->arguments.size() == 2 &&
                                                                              call->arguments[0].name.name.empty() &&
                                                                              call->arguments[1].name.name.empty()) {
      const std::string_view name = text(callee->name);
      const ExprId a = call->arguments[0].value, b = call->arguments[1].value;
      if (name == "ceil_div") return two(ShapeOp::CeilDiv, a, b);
      if (name == "min") return two(ShapeOp::Min, a, b);
      if (name == "max") return two(ShapeOp::Max, a, b);
    }
  if (const auto* member = std::get_if<MemberExpr>(&node.node))
    if (const auto* base = std::get_if<NameExpr>(&expr(member->base).node);
        base && text(base->name) == "device" && !findBinding(base->name)) {
      const Value value = deviceMember(member->member, range);
      const auto* local = isError(value.type) ? nullptr : std::get_if<LocalRef>(&program_.expr(value.expr).node);
      for (size_t i = 0; local && i < kernel.dims.size(); ++i)
        if (kernel.dims[i].local == local->local) return ShapeExpr{ShapeOp::Dimension, static_cast<int64_t>(i), {}};
      return std::nullopt;
    }
  // What is known while compiling: T.bits, sizeof(T), TABLE[2], f(3).
  if (std::holds_alternative<CallExpr>(node.node) || std::holds_alternative<IndexExpr>(node.node) ||
      std::holds_alternative<MemberExpr>(node.node)) {
    const size_t errors = diags_.errorCount(), first = ctx_->out->size();
    const Value value = whileCompiling([&] { return checkExpr(id, types().index()); });
    if (isError(value.type) || diags_.errorCount() != errors) return std::nullopt;
    auto computed = compute(value, first);
    if (computed && computed->kind == ConstValue::Kind::Int && fits(*computed, Scalar::I64))
      return ShapeExpr{ShapeOp::Constant, static_cast<int64_t>(computed->integer), {}};
    if (!computed && computed.error().kind != EvaluationFailure::Kind::NotConstant) {
      reportEvaluation(computed.error(), range, "a size");
      return std::nullopt;
    }
  }
  report(Diag::ShapeTerm, range, {fmt::format("`{}`", shorten(range))})
      .help("sizes are made of the signature's names, constants, + - * / %, min, max and ceil_div");
  return std::nullopt;
}

TExprId Checker::shapeCode(const ShapeExpr& shape, const Kernel& kernel, Range range) {
  const TypeId index = types().index();
  auto operand = [&](size_t i) { return shapeCode(shape.operands[i], kernel, range); };
  auto arithmetic = [&](BinaryOp op, TExprId a, TExprId b) {
    return program_.addExpr(index, range, Arithmetic{op, a, b, {}});
  };
  switch (shape.op) {
    case ShapeOp::Constant: return constInt(index, shape.value, range);
    case ShapeOp::Dimension: return localRef(kernel.dims[static_cast<size_t>(shape.value)].local, range);
    case ShapeOp::Parameter: {
      const LocalId local = kernel.params[static_cast<size_t>(shape.value)].local;
      TExprId value = localRef(local, range);
      return ctx_->body.locals[local.value].type == index ? value : program_.addExpr(index, range, Convert{value});
    }
    case ShapeOp::Add: return arithmetic(BinaryOp::Add, operand(0), operand(1));
    case ShapeOp::Sub: return arithmetic(BinaryOp::Sub, operand(0), operand(1));
    case ShapeOp::Mul: return arithmetic(BinaryOp::Mul, operand(0), operand(1));
    case ShapeOp::Div: return arithmetic(BinaryOp::Div, operand(0), operand(1));
    case ShapeOp::Rem: return arithmetic(BinaryOp::Rem, operand(0), operand(1));
    case ShapeOp::Min: return program_.addExpr(index, range, MathCall{Math::Min, {operand(0), operand(1)}});
    case ShapeOp::Max: return program_.addExpr(index, range, MathCall{Math::Max, {operand(0), operand(1)}});
    case ShapeOp::CeilDiv: {
      TExprId sum =
          arithmetic(BinaryOp::Sub, arithmetic(BinaryOp::Add, operand(0), operand(1)), constInt(index, 1, range));
      return arithmetic(BinaryOp::Div, sum, operand(1));
    }
  }
  return constInt(index, 0, range);
}

bool Checker::checkKernelParams(const KernelDecl& decl, const FunctionArguments& functions, Kernel& kernel,
                                std::vector<TypeId>& declared) {
  bool ok = true;
  std::vector<size_t> first;  // of the kernel's parameters, for each that is declared
  // All names of the signature first: a size may name a parameter that stands behind it.
  for (const Param& param : decl.params) {
    if (const size_t at = declared.size(); at < functions.size() && functions[at]) {
      first.push_back(kernel.params.size());
      declared.push_back({});
      bindFunction(param, *functions[at],
                   [&](const std::string& name, TypeId type) { return addKernelParam(name, type, param.name.range); });
      continue;
    }
    if (param.type && std::holds_alternative<SpreadExpr>(expr(param.type).node)) {
      report(Diag::VariadicKernel, param.name.range, {ctx_->name})
          .help("hand over an array value, or an array of the device");
      ok = false;
      bind(param.name,
           {.kind = Binding::Kind::Local,
            .local = addLocal(std::string(text(param.name.name)), types().error(), LocalKind::Param, param.name.range),
            .type = types().error(),
            .range = param.name.range});
      declared.push_back(types().error());
      first.push_back(kernel.params.size());
      kernel.params.push_back({.name = std::string(text(param.name.name)), .type = types().error()});
      continue;
    }
    TypeId type = param.type ? resolveType(param.type) : TypeId{};
    if (isError(type) && param.type) bindSizesOf(param.type);
    const std::string name(text(param.name.name));
    const bool inParts = !isError(type) && !isView(type) && !scalarOf(type);
    if (isView(type)) type = types().withAccess(type, param.isMut);
    else if (!isError(type) && plainSize(type).value_or(SIZE_MAX) > largestInParts) {
      report(Diag::ParameterSize, param.name.range,
             {std::to_string(largestInParts), spellType(type), std::to_string(plainSize(type).value_or(0))})
          .help("hand it over as an array of the device");
      type = {};
    } else if (!isError(type) && param.isMut) {
      report(Diag::MutScalar, param.name.range, {name})
          .help(numberOf(type) ? fmt::format("a result goes into an array: `mut {}: [{}; 1]`", name, spellType(type))
                               : "a result goes into an array that is declared `mut`");
      type = {};
    }
    ok = ok && !isError(type);
    declared.push_back(type);
    first.push_back(kernel.params.size());
    auto add = [&](const std::string& partName, TypeId partType) {
      const LocalId local =
          addLocal(partName, partType, param.isMut ? LocalKind::MutParam : LocalKind::Param, param.name.range);
      kernel.params.push_back(
          {.local = local, .name = partName, .type = partType, .isMut = param.isMut, .range = param.name.range});
      return local;
    };
    LocalId local;
    if (inParts && !isError(type)) {
      std::vector<Part> parts;
      partsOf(type, name, parts);
      std::vector<TExprId> refs;
      for (const Part& part : parts) refs.push_back(localRef(add(part.name, part.type), param.name.range));
      std::span<const TExprId> rest(refs);
      local = addLocal(name, type, LocalKind::Let, param.name.range);
      ctx_->prologue.push_back(
          program_.addStmt(param.name.range, Declare{local, ofParts(type, rest, param.name.range)}));
    } else {
      local = add(name, type);
    }
    bind(param.name, {.kind = Binding::Kind::Local, .local = local, .type = type, .range = param.name.range});
  }
  // Plain names bind; then the expressions are read.
  std::vector<WrittenView> views;
  for (const Param& param : decl.params) views.push_back(writtenView(param.type));
  auto bindSizes = [&](const RepeatExpr& view) {
    for (ExprId dim : view.dims) {
      const auto* name = std::get_if<NameExpr>(&expr(dim).node);
      if (!name || findBinding(name->name)) continue;
      const std::string_view spelled = text(name->name);
      if (isUpper(spelled)) continue;
      const Range range = expr(dim).range;
      const LocalId local = addLocal(std::string(spelled), types().index(), LocalKind::Dimension, range);
      kernel.dims.push_back({local, std::string(spelled)});
      if (spelled != "_")
        bind({name->name, range},
             {.kind = Binding::Kind::Local, .local = local, .type = types().index(), .range = range});
    }
  };
  for (const WrittenView& view : views)
    if (view) inText(view, [&] { bindSizes(*view.shape); });
  size_t anonymous = 0;
  auto readSizes = [&](const RepeatExpr& view, KernelParam& param) {
    for (ExprId dim : view.dims) {
      if (const auto* name = std::get_if<NameExpr>(&expr(dim).node); name && text(name->name) == "_") {
        while (anonymous < kernel.dims.size() && kernel.dims[anonymous].name != "_") ++anonymous;
        param.shape.push_back({ShapeOp::Dimension, static_cast<int64_t>(anonymous++), {}});
        continue;
      }
      auto shape = shapeExpr(dim, kernel, false);
      if (shape && shape->op == ShapeOp::Constant && shape->value < 0)
        report(Diag::NegativeIndex, expr(dim).range, {std::to_string(shape->value)});
      ok = ok && shape;
      param.shape.push_back(shape.value_or(ShapeExpr{}));
    }
  };
  for (size_t p = 0; p < views.size() && p < first.size(); ++p) {
    if (p < functions.size() && functions[p]) continue;
    if (views[p]) {
      inText(views[p], [&] { readSizes(*views[p].shape, kernel.params[first[p]]); });
    } else if (isView(kernel.params[first[p]].type)) {
      // A compile-time parameter that is a view type.
      report(Diag::HiddenSizes, decl.params[p].name.range,
             {std::string(text(decl.params[p].name.name)), spellType(kernel.params[first[p]].type)})
          .help("let the compile-time parameter be the type of the elements: `x: [T; n]`");
      ok = false;
    }
  }
  return ok;
}

bool Checker::isDomainStep(int64_t step, Range range) {
  if (step > 0) return true;
  report(Diag::DomainStep, range, {std::to_string(step)})
      .help("the points come in no order: name the lower bound first, and a step of 1 or more");
  return false;
}

void Checker::checkDomain(const KernelDecl& decl, Kernel& kernel) {
  kernel.isForall = decl.domain.isForall;
  OpenDomain domain{
      {decl.domain.outer.begin(), decl.domain.outer.end()}, kernel.isForall ? "forall" : "blocks", active_.size()};
  OpenDomain* const outer = std::exchange(domain_, &domain);
  for (const RangeClause& clause : decl.domain.outer) {
    helpOver(clause);
    auto low = shapeExpr(clause.low, kernel, true);
    auto high = shapeExpr(clause.high, kernel, true);
    auto step = clause.step ? shapeExpr(clause.step, kernel, true) : std::nullopt;
    if (step && step->op == ShapeOp::Constant && !isDomainStep(step->value, expr(clause.step).range)) step.reset();
    const LocalId variable =
        addLocal(std::string(text(clause.name.name)), types().index(), LocalKind::DomainVar, clause.name.range);
    kernel.axes.push_back({variable, low.value_or(ShapeExpr{}), high.value_or(ShapeExpr{})});
    if (step) kernel.axes.back().step = *step;
  }
  const size_t most = kernel.isForall ? 4 : 3;
  if (kernel.axes.size() > most)
    report(Diag::TooManyAxes, decl.domain.outer[static_cast<uint32_t>(most)].name.range,
           {kernel.isForall ? "a domain" : "a grid of blocks", kernel.isForall ? "four names" : "three names"});
  int64_t product = 1;
  std::vector<LocalId> names;  // of the threads
  domain.clauses.insert(domain.clauses.end(), decl.domain.threads.begin(), decl.domain.threads.end());
  domain.isOfThreads = true;
  for (const RangeClause& clause : decl.domain.threads) {
    std::optional<ConstValue> step = ConstValue::ofInt(1);
    if (clause.step) {
      step = checkConstant(clause.step, types().index(), "the step of `threads`");
      if (step && !isDomainStep(static_cast<int64_t>(step->integer), expr(clause.step).range)) step.reset();
    }
    auto low = checkConstant(clause.low, types().index(), "the extent of `threads`");
    auto high = checkConstant(clause.high, types().index(), "the extent of `threads`");
    const std::string name(text(clause.name.name));
    const bool hasStep = step && step->integer != 1;
    const LocalId variable = addLocal(name, types().index(), LocalKind::ThreadVar, clause.name.range);
    kernel.threads.push_back(variable);
    int64_t count = 1;
    if (low && high && step) {
      const Wide wide = high->integer > low->integer ? (high->integer - low->integer - 1) / step->integer + 1 : 0;
      if (wide < 1 || wide > 1024)
        report(Diag::ThreadCount, cover(expr(clause.low).range, expr(clause.high).range),
               {spell(ConstValue::ofInt(wide))});
      else count = static_cast<int64_t>(wide);
    }
    // With a step the threads count from 0, and the name is computed of that.
    const int64_t first = low ? static_cast<int64_t>(low->integer) : 0;
    LocalId named = variable;
    if (hasStep) {
      const Range range = clause.name.range;
      const TypeId index = types().index();
      auto sum = [&](BinaryOp op, TExprId a, int64_t b) {
        return program_.addExpr(index, range, Arithmetic{op, a, constInt(index, b, range), {}});
      };
      named = addLocal(name, index, LocalKind::Let, range);
      const TExprId value =
          sum(BinaryOp::Add, sum(BinaryOp::Mul, localRef(variable, range), static_cast<int64_t>(step->integer)), first);
      ctx_->prologue.push_back(program_.addStmt(range, Declare{named, value}));
    }
    names.push_back(named);
    kernel.threadNumbers.push_back({name, hasStep ? first : 0, hasStep ? static_cast<int64_t>(step->integer) : 1});
    kernel.threadLow.push_back(hasStep ? 0 : first);
    kernel.threadCount.push_back(count);
    product *= count;
    if (product > 1024) {
      report(Diag::ThreadCount, clause.name.range, {std::to_string(product)});
      product = 1;
    }
  }
  if (kernel.threads.size() > 3)
    report(Diag::TooManyAxes, decl.domain.threads[3].name.range, {"a block", "three names of threads"});
  domain_ = outer;
  // The names come into scope together, behind all bounds.
  size_t axis = 0;
  for (const RangeClause& clause : decl.domain.outer)
    bind(clause.name, {.kind = Binding::Kind::Local,
                       .local = kernel.axes[axis++].variable,
                       .type = types().index(),
                       .range = clause.name.range});
  axis = 0;
  for (const RangeClause& clause : decl.domain.threads)
    bind(clause.name,
         {.kind = Binding::Kind::Local, .local = names[axis++], .type = types().index(), .range = clause.name.range});
}

void Checker::checkAttributes(const Decl& decl, Kernel& kernel) {
  for (const Attribute& attribute : decl.attributes) {
    const std::string_view name = text(attribute.name.name);
    if (name == "fast") kernel.fastMath = true;
    if (name == "strict") kernel.strict = true;
    if (name == "min_blocks" || name == "max_registers" || name == "max_threads") {
      if (attribute.arguments.size() != 1) {
        report(Diag::ArgumentCount, attribute.range,
               {fmt::format("@{}", name), "1 argument", std::to_string(attribute.arguments.size())});
        continue;
      }
      auto value =
          checkConstant(attribute.arguments[0].value, types().index(), fmt::format("the argument of @{}", name));
      if (!value) continue;
      if (value->integer < 1 || value->integer > 1024) {
        report(Diag::AttributeRange, expr(attribute.arguments[0].value).range, {std::string(name), spell(*value)});
        continue;
      }
      if (name == "min_blocks") kernel.minBlocks = static_cast<unsigned>(value->integer);
      if (name == "max_registers") kernel.maxRegisters = static_cast<unsigned>(value->integer);
      if (name == "max_threads" && !kernel.isForall) {
        int64_t threads = 1;
        for (int64_t count : kernel.threadCount) threads *= count;
        if (value->integer < threads) report(Diag::ThreadCount, attribute.range, {std::to_string(threads)});
      }
    }
  }
  if (kernel.fastMath && kernel.strict)
    report(Diag::AttributePlace, decl.attributes[0].range, {"fast", "kernels without @strict"});
}

void Checker::finishKernel(Kernel& kernel) {
  if (kernel.isForall) findElementwise(program_, kernel);
  for (Local& local : kernel.body.locals) local.uniform = true;
  const auto textOf = [this](Range range) { return shorten(range); };
  if (kernel.isForall) findMeetings(program_, kernel, diags_, textOf);
  else checkUniformity(program_, kernel, diags_, textOf);
}

bool Checker::checkKernel(Entity& entity, const KernelDecl& decl, const std::vector<StaticValue>& statics,
                          const FunctionArguments& functions, Kernel& kernel, std::vector<TypeId>& paramTypes) {
  Context context{.kind = Context::Kind::Kernel,
                  .side = Side::Device,
                  .home = entity.home,
                  .name = std::string(text(entity.name)),
                  .result = types().unit(),
                  .isBlocks = !decl.domain.isForall,
                  .kernel = &kernel,
                  .uncheckedDepth = hasAttribute(entity.ast->decl(entity.decl), "unchecked") ? 1u : 0u};
  Context* const savedContext = std::exchange(ctx_, &context);
  const Ast* const savedAst = std::exchange(ast_, entity.ast);
  const size_t errors = diags_.errorCount();
  std::vector<TStmtId> statements;
  context.out = &statements;
  context.scopes.push_back(staticScope(decl.staticParams, statics));
  // What is wrong with the head has no type, and the body is checked all the same.
  const bool hasTypes = checkKernelParams(decl, functions, kernel, paramTypes);
  checkDomain(decl, kernel);
  checkAttributes(entity.ast->decl(entity.decl), kernel);
  // The last expression of a kernel is a statement like the others.
  if (std::holds_alternative<BlockExpr>(expr(decl.body).node)) {
    BlockResult block = checkBlock(decl.body, false);
    statements.insert(statements.end(), block.statements.begin(), block.statements.end());
  }
  statements.insert(statements.begin(), context.prologue.begin(), context.prologue.end());
  kernel.body = std::move(context.body);
  kernel.body.statements = std::move(statements);
  ctx_ = savedContext;
  ast_ = savedAst;
  if (!hasTypes || diags_.errorCount() != errors) return false;
  finishKernel(kernel);
  return diags_.errorCount() == errors;
}

}  // namespace rad::sema

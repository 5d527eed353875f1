// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Expressions as linear forms over values that do not change, and conditions as facts about these.
#include "frontend/sema/bounds.h"
#include "frontend/sema/children.h"

#include <algorithm>
#include <utility>

namespace rad::sema {
namespace {

bool isTame(const Linear& form) {
  constexpr Wide limit = Wide{1} << 58;
  for (const auto& [atom, coefficient] : form.terms)
    if (coefficient > limit || coefficient < -limit) return false;
  return form.constant < (Wide{1} << 66) && form.constant > -(Wide{1} << 66) && form.terms.size() <= 16;
}

}  // namespace

std::optional<Scalar> BoundsProver::scalarOf(TypeId id) const {
  const Type& type = types_.get(id);
  if (type.kind != TypeKind::Scalar) return std::nullopt;
  return type.scalar;
}
Interval BoundsProver::rangeOf(TypeId id) const {
  const auto scalar = scalarOf(id);
  if (scalar == Scalar::Bool) return {0, 1};
  if (!scalar || !isInteger(*scalar)) return {};
  return {smallestOf(*scalar), largestOf(*scalar)};
}

/// The form if the machine's result is exactly it, else some value of the type.
Linear BoundsProver::exact(const Linear& form, TypeId type, bool wrapIsFailure) {
  if (!isTame(form)) return anyOf(type);
  const Interval limits = rangeOf(type);
  if (wrapIsFailure || facts_.range(form).within(limits.low, limits.high)) return form;
  // The ranges of the atoms may be too coarse where the facts are not.
  if (facts_.prove(form - limits.low) && facts_.prove(Linear::of(limits.high) - form)) return form;
  return anyOf(type);
}

/// A value with low <= value < high.
Atom BoundsProver::point(const Linear& low, const Linear& high, Scalar scalar) {
  Interval range{smallestOf(scalar), largestOf(scalar)};
  range.low = std::max(range.low, facts_.range(low).low);
  range.high = std::min(range.high, facts_.range(high).high - 1);
  const Atom atom = facts_.fresh(range);
  facts_.assume(Linear::of(atom) - low);
  facts_.assume(high - 1 - Linear::of(atom));
  return atom;
}

Linear BoundsProver::divide(const Linear& value, Wide divisor, TypeId type) {
  if (value.isConstant()) return Linear::of(value.constant / divisor);
  const Interval range = facts_.range(value);
  if (range.low >= 0 || facts_.prove(value)) {
    const Linear quotient = fresh({0, std::max<Wide>(range.high, 0) / divisor});
    facts_.assume(value - quotient.scaled(divisor));
    facts_.assume(quotient.scaled(divisor) + (divisor - 1) - value);
    return quotient;
  }
  if (range.low <= -Interval::unbounded || range.high >= Interval::unbounded) return anyOf(type);
  return fresh({range.low / divisor, std::max<Wide>(range.high, 0) / divisor});
}
Linear BoundsProver::remainder(const Linear& value, const Linear& divisor, TypeId type) {
  if (value.isConstant() && divisor.isConstant() && divisor.constant > 0)
    return Linear::of(value.constant % divisor.constant);
  if (!isNotNegative(divisor)) return anyOf(type);
  // The divisor is not 0, or the division fails: the result lies closer to 0 than it.
  const Interval above = facts_.range(divisor), range = facts_.range(value);
  if (isNotNegative(value)) {
    const Linear rest = fresh({0, std::min(std::max<Wide>(range.high, 0), std::max<Wide>(above.high - 1, 0))});
    facts_.assume(divisor - 1 - rest);
    facts_.assume(value - rest);
    return rest;
  }
  const Linear rest = fresh({-std::max<Wide>(above.high - 1, 0), std::max<Wide>(above.high - 1, 0)});
  facts_.assume(divisor - 1 - rest);
  facts_.assume(divisor - 1 + rest);
  return rest;
}

/// The product of two atoms, always the same one for the same factors.
std::optional<Atom> BoundsProver::monomial(Atom a, Atom b) {
  constexpr size_t largestDegree = 3;
  auto factorsOf = [&](Atom atom) {
    auto it = factors_.find(atom);
    return it != factors_.end() ? it->second : std::vector<Atom>{atom};
  };
  std::vector<Atom> key = factorsOf(a), more = factorsOf(b);
  key.insert(key.end(), more.begin(), more.end());
  if (key.size() > largestDegree) return std::nullopt;
  std::ranges::sort(key);
  auto known = monomials_.find(key);
  if (known == monomials_.end()) {
    const Interval x = facts_.range(a), y = facts_.range(b);
    constexpr Wide limit = Wide{1} << 62;
    Interval range;
    if (x.low >= 0 && y.low >= 0) range.low = 0;
    if (x.within(-limit, limit) && y.within(-limit, limit)) {
      const Wide corners[] = {x.low * y.low, x.low * y.high, x.high * y.low, x.high * y.high};
      range.low = std::max(range.low, *std::min_element(std::begin(corners), std::end(corners)));
      range.high = std::min(range.high, *std::max_element(std::begin(corners), std::end(corners)));
    }
    const Atom made = facts_.fresh(range);
    factors_[made] = key;
    known = monomials_.emplace(std::move(key), made).first;
  }
  // Whoever asks for a product may know more of its factors by now.
  if (!multiplying_) multiplyFacts(known->second);
  return known->second;
}

/// What is known of a factor holds times the others where those are not negative: i <= n - 1 gives i * m <= n * m - m.
void BoundsProver::multiplyFacts(Atom monomial) {
  constexpr size_t mostFacts = 12, mostTerms = 3;
  multiplying_ = true;
  const std::vector<Atom> factors = factors_.at(monomial);
  for (size_t i = 0; i < factors.size(); ++i) {
    if (i > 0 && factors[i] == factors[i - 1]) continue;
    Linear others = Linear::of(Wide{1});
    for (size_t k = 0; k < factors.size(); ++k)
      if (k != i) others = product(others, Linear::of(factors[k]));
    if (!isNotNegative(others)) continue;
    for (const Linear& fact : facts_.about(factors[i], mostFacts)) {
      if (fact.terms.size() > mostTerms) continue;
      const Linear times = product(fact, others);
      if (isTame(times) && !facts_.knows(times)) facts_.assume(times);
    }
  }
  multiplying_ = false;
}

Linear BoundsProver::product(const Linear& a, const Linear& b) {
  constexpr Wide small = Wide{1} << 40;
  auto isSmall = [](const Linear& form) {
    if (form.constant >= small || form.constant <= -small) return false;
    return std::ranges::all_of(form.terms,
                               [](const auto& term) -> bool { return (term.second < small) && term.second > -small; });
  };
  if (a.isConstant() && isSmall(a)) return b.scaled(a.constant);
  if (b.isConstant() && isSmall(b)) return a.scaled(b.constant);
  if (a.terms.size() * b.terms.size() <= 6 && isSmall(a) && isSmall(b)) {
    Linear sum = Linear::of(a.constant * b.constant);
    for (const auto& [atom, coefficient] : a.terms) sum = sum + Linear::of(atom).scaled(coefficient * b.constant);
    for (const auto& [atom, coefficient] : b.terms) sum = sum + Linear::of(atom).scaled(coefficient * a.constant);
    bool isWhole = true;
    for (const auto& [x, cx] : a.terms)
      for (const auto& [y, cy] : b.terms) {
        const std::optional<Atom> both = monomial(x, y);
        if (both) sum = sum + Linear::of(*both).scaled(cx * cy);
        else isWhole = false;
      }
    if (isWhole && isTame(sum)) return sum;
  }
  const Interval x = facts_.range(a), y = facts_.range(b);
  constexpr Wide limit = Wide{1} << 62;
  if (!x.within(-limit, limit) || !y.within(-limit, limit)) return fresh({});
  const Wide corners[] = {x.low * y.low, x.low * y.high, x.high * y.low, x.high * y.high};
  return fresh({std::max(*std::min_element(std::begin(corners), std::end(corners)), -Interval::unbounded),
                std::min(*std::max_element(std::begin(corners), std::end(corners)), Interval::unbounded)});
}

Linear BoundsProver::least(const Linear& a, const Linear& b) {
  if (a.isConstant() && b.isConstant()) return Linear::of(std::min(a.constant, b.constant));
  const Linear result = Linear::of(facts_.oneOf(a, b));
  facts_.assume(a - result);
  facts_.assume(b - result);
  return result;
}
Linear BoundsProver::greatest(const Linear& a, const Linear& b) {
  if (a.isConstant() && b.isConstant()) return Linear::of(std::max(a.constant, b.constant));
  const Linear result = Linear::of(facts_.oneOf(a, b));
  facts_.assume(result - a);
  facts_.assume(result - b);
  return result;
}

/// Sizes are evaluated without wrapping: overflow refuses the launch.
Linear BoundsProver::shape(const ShapeExpr& size, const Kernel& kernel) {
  auto operand = [&](size_t i) { return shape(size.operands[i], kernel); };
  auto tame = [&](const Linear& form) {
    return isTame(form) ? form : fresh({smallestOf(Scalar::I64), largestOf(Scalar::I64)});
  };
  switch (size.op) {
    case ShapeOp::Constant: return Linear::of(static_cast<Wide>(size.value));
    case ShapeOp::Dimension: return values_[kernel.dims[static_cast<size_t>(size.value)].local.value];
    case ShapeOp::Parameter: return local(kernel.params[static_cast<size_t>(size.value)].local);
    case ShapeOp::Add: return tame(operand(0) + operand(1));
    case ShapeOp::Sub: return tame(operand(0) - operand(1));
    case ShapeOp::Mul: return tame(product(operand(0), operand(1)));
    case ShapeOp::Div:
    case ShapeOp::CeilDiv: {
      const Linear value = operand(0), divisor = operand(1);
      if (divisor.isConstant() && divisor.constant > 0 && divisor.constant < (Wide{1} << 40)) {
        const bool isUp = size.op == ShapeOp::CeilDiv;
        if (!isUp || isNotNegative(value))
          return divide(isUp ? value + (divisor.constant - 1) : value, divisor.constant, types_.index());
      }
      const Interval range = facts_.range(value);
      return fresh({std::min<Wide>(range.low, 0), std::max<Wide>(range.high, 0)});
    }
    case ShapeOp::Rem: return remainder(operand(0), operand(1), types_.index());
    case ShapeOp::Min: return least(operand(0), operand(1));
    case ShapeOp::Max: return greatest(operand(0), operand(1));
  }
  return fresh({});
}

bool BoundsProver::isFixed(LocalId id) const {
  const Local& local = body_->locals[id.value];
  switch (local.kind) {
    case LocalKind::Let:
    case LocalKind::Param:
    case LocalKind::Dimension:
    case LocalKind::DomainVar:
    case LocalKind::ThreadVar: return true;
    case LocalKind::Var: return false;
    case LocalKind::MutParam:
    case LocalKind::Shared: return types_.get(local.type).kind == TypeKind::View;
  }
  return false;
}
/// A whole number whose value is followed through assignments. What a `mut` parameter refers to may have another name.
bool BoundsProver::isVariable(LocalId id) const {
  const Local& local = body_->locals[id.value];
  const auto scalar = scalarOf(local.type);
  return local.kind == LocalKind::Var && scalar && isInteger(*scalar);
}
Linear BoundsProver::local(LocalId id) {
  const TypeId type = body_->locals[id.value].type;
  if (!isFixed(id) && !isVariable(id)) return anyOf(type);
  auto it = values_.find(id.value);
  if (it == values_.end()) it = values_.emplace(id.value, anyOf(type)).first;
  return it->second;
}

Linear BoundsProver::extent(TExprId view, unsigned dim) {
  const TExpr& e = program_.expr(view);
  if (const auto* ref = std::get_if<LocalRef>(&e.node); ref && isFixed(ref->local)) {
    auto [it, isNew] = extents_.try_emplace({ref->local.value, dim});
    if (isNew) it->second = fresh({0, largestExtent});
    return it->second;
  }
  if (const auto* flat = std::get_if<ViewFlat>(&e.node)) {
    Linear count = extent(flat->view, 0);
    const unsigned rank = types_.get(program_.expr(flat->view).type).rank;
    for (unsigned d = 1; d < rank; ++d) count = product(count, extent(flat->view, d));
    return isTame(count) ? count : fresh({0, largestExtent});
  }
  if (const auto* slice = std::get_if<ViewSlice>(&e.node)) {
    unsigned kept = 0;
    for (unsigned d = 0; d < slice->dims.size(); ++d) {
      const SliceDim& part = slice->dims[d];
      if (part.isIndex) continue;
      if (kept++ != dim) continue;
      if (!part.low && !part.high && !part.step) return extent(slice->view, d);
      const Linear high = part.high ? value(part.high) : extent(slice->view, d);
      const Linear result = part.low ? high - value(part.low) : high;
      if (!isTame(result) || part.check == Check::Unchecked) return fresh({0, largestExtent});
      if (!part.step) return result;
      // As many as steps fit: rounded up.
      const Linear step = value(part.step);
      if (step.isConstant() && step.constant > 0 && step.constant < (Wide{1} << 40))
        return divide(result + (step.constant - 1), step.constant, types_.index());
      return fresh({0, largestExtent});
    }
  }
  return fresh({0, largestExtent});
}

Linear BoundsProver::value(TExprId id) {
  const TExpr& e = program_.expr(id);
  const auto scalar = scalarOf(e.type);
  if (!scalar || isFloat(*scalar)) return anyOf(e.type);
  if (const auto* constant = std::get_if<ConstInt>(&e.node))
    return Linear::of(isInteger(*scalar) ? wrapTo(*scalar, static_cast<Wide>(constant->bits))
                                         : static_cast<Wide>(constant->bits));
  if (const auto* ref = std::get_if<LocalRef>(&e.node)) return local(ref->local);
  if (const auto* size = std::get_if<ViewExtent>(&e.node)) return extent(size->view, size->dim);
  if (const auto* node = std::get_if<Convert>(&e.node)) {
    const auto from = scalarOf(program_.expr(node->operand).type);
    if (!from || isFloat(*from)) return anyOf(e.type);
    return exact(value(node->operand), e.type);
  }
  if (const auto* node = std::get_if<Negate>(&e.node))
    return exact(value(node->operand).scaled(-1), e.type, static_cast<bool>(node->overflow));
  if (const auto* node = std::get_if<MathCall>(&e.node)) {
    if (node->op == Math::Min) return least(value(node->operands[0]), value(node->operands[1]));
    if (node->op == Math::Max) return greatest(value(node->operands[0]), value(node->operands[1]));
    if (node->op == Math::Abs) {
      const Linear operand = value(node->operands[0]);
      if (facts_.prove(operand)) return operand;
      const Interval range = facts_.range(operand), limits = rangeOf(e.type);
      if (range.within(limits.low + 1, limits.high)) return fresh({0, std::max(-range.low, range.high)});
    }
    return anyOf(e.type);
  }
  if (const auto* node = std::get_if<Arithmetic>(&e.node)) return arithmetic(*node, e.type);
  // A condition is looked at for each side: conditions inside of conditions double that.
  if (conditionDepth_ >= 4) return anyOf(e.type);
  if (const auto* node = std::get_if<Select>(&e.node)) return either(node->condition, node->whenTrue, node->whenFalse);
  if (const auto* node = std::get_if<IfValue>(&e.node)) return either(node->condition, node->whenTrue, node->whenFalse);
  if (const auto* node = std::get_if<CallFunction>(&e.node)) return result(*node, e.type);
  return anyOf(e.type);
}

namespace {

/// Statements that only compute, few of them: `let`s, and then a `return`, or an `if` both of whose sides are such.
bool onlyCompute(const TypedProgram& program, const Body& body, std::span<const TStmtId> statements) {
  if (statements.empty() || statements.size() > 4) return false;
  for (TStmtId id : statements.first(statements.size() - 1)) {
    const auto* let = std::get_if<Declare>(&program.stmt(id).node);
    if (!let || !let->init || body.locals[let->local.value].kind != LocalKind::Let) return false;
  }
  const TStmt& last = program.stmt(statements.back());
  if (const auto* branch = std::get_if<If>(&last.node))
    return onlyCompute(program, body, branch->thenBody) && onlyCompute(program, body, branch->elseBody);
  const auto* end = std::get_if<Return>(&last.node);
  return end && end->value;
}

}  // namespace

/// What a function that only computes gives for these arguments: clamp(x, 0, n - 1), ceil_div(n, 256).
Linear BoundsProver::result(const CallFunction& call, TypeId type) {
  Function& callee = program_.functions[call.function.value];
  if (callDepth_ >= 4 || callee.isExtern || !onlyCompute(program_, callee.body, callee.body.statements))
    return anyOf(type);
  std::map<uint32_t, Linear> values;
  for (size_t i = 0; i < callee.params.size(); ++i) {
    const Local& param = callee.body.locals[callee.params[i].value];
    const auto scalar = scalarOf(param.type);
    if (param.kind == LocalKind::Param && scalar && isInteger(*scalar))
      values.emplace(callee.params[i].value, value(call.arguments[i]));
  }
  std::map<std::pair<uint32_t, unsigned>, Linear> extents;
  std::map<uint32_t, TExprId> conditions;
  values_.swap(values);
  extents_.swap(extents);
  conditions_.swap(conditions);
  Body* const saved = std::exchange(body_, &callee.body);
  ++callDepth_;
  const Linear form = resultOf(callee.body.statements);
  --callDepth_;
  body_ = saved;
  values_.swap(values);
  extents_.swap(extents);
  conditions_.swap(conditions);
  return form;
}

Linear BoundsProver::resultOf(std::span<const TStmtId> statements) {
  for (TStmtId id : statements.first(statements.size() - 1)) {
    const auto& let = std::get<Declare>(program_.stmt(id).node);
    const auto scalar = scalarOf(body_->locals[let.local.value].type);
    if (scalar && isInteger(*scalar)) values_[let.local.value] = value(let.init);
    else if (scalar == Scalar::Bool) conditions_[let.local.value] = let.init;
  }
  const TStmt& last = program_.stmt(statements.back());
  const auto* branch = std::get_if<If>(&last.node);
  if (!branch) return value(std::get<Return>(last.node).value);
  return either(
      branch->condition, [&] { return resultOf(branch->thenBody); }, [&] { return resultOf(branch->elseBody); });
}

Linear BoundsProver::either(TExprId condition, TExprId a, TExprId b) {
  return either(condition, [&] { return value(a); }, [&] { return value(b); });
}

Linear BoundsProver::either(TExprId condition, const std::function<Linear()>& a, const std::function<Linear()>& b) {
  // What is only true in one branch must not stay.
  auto side = [&](bool truth, const std::function<Linear()>& of, std::vector<Linear>& when) {
    const size_t mark = facts_.mark();
    const unsigned depth = std::exchange(conditionDepth_, conditionDepth_ + 1);
    assume(condition, truth);
    conditionDepth_ = depth;
    const Linear form = of();
    when = facts_.since(mark);
    facts_.leave(mark);
    return form;
  };
  std::vector<Linear> whenA, whenB;
  const Linear x = side(true, a, whenA), y = side(false, b, whenB);
  return Linear::of(facts_.oneOf(x, y, std::move(whenA), std::move(whenB)));
}

Linear BoundsProver::arithmetic(const Arithmetic& node, TypeId type) {
  const bool fails = side_ == Side::Host && node.site &&
                     (node.op == BinaryOp::Add || node.op == BinaryOp::Sub || node.op == BinaryOp::Mul);
  const Linear a = value(node.left), b = value(node.right);
  return arithmetic(node.op, a, b, type, fails);
}

Linear BoundsProver::arithmetic(BinaryOp op, const Linear& a, const Linear& b, TypeId type, bool fails) {
  constexpr Wide small = Wide{1} << 40;
  switch (op) {
    case BinaryOp::Add: return exact(a + b, type, fails);
    case BinaryOp::Sub: return exact(a - b, type, fails);
    case BinaryOp::Mul: return exact(product(a, b), type, fails);
    case BinaryOp::Div:
      if (b.isConstant() && b.constant > 0 && b.constant < small) return divide(a, b.constant, type);
      return anyOf(type);
    case BinaryOp::Rem: return remainder(a, b, type);
    case BinaryOp::Shl:
      if (b.isConstant() && b.constant >= 0 && b.constant < 40)
        return exact(a.scaled(Wide{1} << static_cast<int>(b.constant)), type);
      return anyOf(type);
    case BinaryOp::Shr:
      if (b.isConstant() && b.constant >= 0 && b.constant < 40 && isNotNegative(a))
        return divide(a, Wide{1} << static_cast<int>(b.constant), type);
      return anyOf(type);
    case BinaryOp::BitAnd: {
      const Linear& mask = b.isConstant() ? b : a;
      const Linear& other = b.isConstant() ? a : b;
      if (!mask.isConstant() || mask.constant < 0) return anyOf(type);
      const Linear result = fresh({0, mask.constant});
      if (isNotNegative(other)) facts_.assume(other - result);
      return result;
    }
    case BinaryOp::BitOr:
    case BinaryOp::BitXor:
    case BinaryOp::Eq:
    case BinaryOp::Ne:
    case BinaryOp::Lt:
    case BinaryOp::Le:
    case BinaryOp::Gt:
    case BinaryOp::Ge:
    case BinaryOp::And:
    case BinaryOp::Or: return anyOf(type);
  }
  return anyOf(type);
}

void BoundsProver::assume(TExprId id, bool truth) {
  const TExpr& e = program_.expr(id);
  if (const auto* node = std::get_if<Logic>(&e.node)) {
    if (node->isAnd == truth) {
      assume(node->left, truth);
      assume(node->right, truth);
    }
    return;
  }
  if (const auto* node = std::get_if<LogicNot>(&e.node)) return assume(node->operand, !truth);
  if (const auto* ref = std::get_if<LocalRef>(&e.node)) {
    if (auto it = conditions_.find(ref->local.value); it != conditions_.end() && isFixed(ref->local))
      assume(it->second, truth);
    return;
  }
  const auto* node = std::get_if<Compare>(&e.node);
  if (!node) return;
  const auto scalar = scalarOf(program_.expr(node->left).type);
  if (!scalar || !isInteger(*scalar)) return;
  const Linear a = value(node->left), b = value(node->right);
  const BinaryOp op = truth ? node->op : opposite(node->op);
  if (op == BinaryOp::Lt || op == BinaryOp::Le) facts_.assume(b - a - (op == BinaryOp::Lt ? 1 : 0));
  if (op == BinaryOp::Gt || op == BinaryOp::Ge) facts_.assume(a - b - (op == BinaryOp::Gt ? 1 : 0));
  if (op == BinaryOp::Eq) {
    facts_.assume(a - b);
    facts_.assume(b - a);
  }
  if (op == BinaryOp::Ne) {
    if (facts_.prove(a - b)) facts_.assume(a - b - 1);
    else if (facts_.prove(b - a)) facts_.assume(b - a - 1);
  }
}

bool BoundsProver::readsVariables(TExprId id) const {
  const TExpr& e = program_.expr(id);
  if (const auto* ref = std::get_if<LocalRef>(&e.node)) return !isFixed(ref->local);
  bool found = std::holds_alternative<BlockValue>(e.node);
  forEachChild(e, [&](TExprId child) { found = found || readsVariables(child); }, [](TStmtId) {});
  return found;
}

}  // namespace rad::sema

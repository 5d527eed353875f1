// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which index checks cannot fail: a walk over a finished body that collects facts about values that do not change
// (sizes, points, loop variables, `let`s) from domains, ranges and conditions, and asks for each index whether 0 <= i <
// extent follows. Values are those that the program computes: a form stands for an expression only where its arithmetic
// cannot wrap.
#include "frontend/sema/checker.h"
#include "frontend/sema/children.h"
#include "frontend/sema/facts.h"

#include <algorithm>
#include <utility>

namespace rad::sema {
namespace {

constexpr Wide largestExtent = Wide{1} << 60;  // what a launch accepts

class BoundsProver {
 public:
  BoundsProver(TypedProgram& program, Body& body, Side side)
      : program_(program), types_(*program.types), body_(&body), side_(side) {}

  void kernel(Kernel& kernel) {
    kernel_ = &kernel;
    for (const KernelDim& dim : kernel.dims) values_[dim.local.value] = Linear::of(facts_.fresh({0, largestExtent}));
    for (const KernelParam& param : kernel.params)
      for (size_t d = 0; d < param.shape.size(); ++d) {
        const Linear extent = shape(param.shape[d], kernel);
        facts_.assume(extent);
        facts_.assume(Linear::of(largestExtent) - extent);
        extents_[{param.local.value, static_cast<unsigned>(d)}] = extent;
      }
    for (const DomainAxis& axis : kernel.axes) {
      const Linear low = shape(axis.low, kernel), high = shape(axis.high, kernel);
      values_[axis.variable.value] = Linear::of(point(low, high, Scalar::Index));
    }
    for (size_t i = 0; i < kernel.threads.size(); ++i)
      values_[kernel.threads[i].value] =
          Linear::of(facts_.fresh({kernel.threadLow[i], kernel.threadLow[i] + kernel.threadCount[i] - 1}));
    for (LocalId shared : kernel.shared) {
      const Local& local = body_->locals[shared.value];
      for (size_t d = 0; d < local.sharedExtents.size(); ++d)
        extents_[{shared.value, static_cast<unsigned>(d)}] = Linear::of(static_cast<Wide>(local.sharedExtents[d]));
    }
    statements(body_->statements);
    if (kernel.reduction) {
      if (kernel.reduction->condition) {
        walk(kernel.reduction->condition);
        assume(kernel.reduction->condition, true);
      }
      walk(kernel.reduction->value);
    }
  }

  void body() { block(body_->statements); }

 private:
  // ---- values as forms ----
  std::optional<Scalar> scalarOf(TypeId id) const {
    const Type& type = types_.get(id);
    if (type.kind != TypeKind::Scalar) return std::nullopt;
    return type.scalar;
  }
  Interval rangeOf(TypeId id) const {
    const auto scalar = scalarOf(id);
    if (scalar == Scalar::Bool) return {0, 1};
    if (!scalar || !isInteger(*scalar)) return {};
    return {smallestOf(*scalar), largestOf(*scalar)};
  }
  Linear fresh(Interval range) { return Linear::of(facts_.fresh(range)); }
  Linear anyOf(TypeId id) { return fresh(rangeOf(id)); }

  static bool isTame(const Linear& form) {
    constexpr Wide limit = Wide{1} << 58;
    for (const auto& [atom, coefficient] : form.terms)
      if (coefficient > limit || coefficient < -limit) return false;
    return form.constant < (Wide{1} << 66) && form.constant > -(Wide{1} << 66) && form.terms.size() <= 16;
  }
  /// The form if the machine's result is exactly it, else some value of the type.
  Linear exact(const Linear& form, TypeId type, bool wrapIsFailure = false) {
    if (!isTame(form)) return anyOf(type);
    const Interval limits = rangeOf(type);
    if (wrapIsFailure || facts_.range(form).within(limits.low, limits.high)) return form;
    // The ranges of the atoms may be too coarse where the facts are not.
    if (facts_.prove(form - limits.low) && facts_.prove(Linear::of(limits.high) - form)) return form;
    return anyOf(type);
  }

  /// A value with low <= value < high.
  Atom point(const Linear& low, const Linear& high, Scalar scalar) {
    Interval range{smallestOf(scalar), largestOf(scalar)};
    range.low = std::max(range.low, facts_.range(low).low);
    range.high = std::min(range.high, facts_.range(high).high - 1);
    const Atom atom = facts_.fresh(range);
    facts_.assume(Linear::of(atom) - low);
    facts_.assume(high - 1 - Linear::of(atom));
    return atom;
  }

  Linear divide(const Linear& value, Wide divisor, TypeId type) {
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
  Linear remainder(const Linear& value, Wide divisor) {
    if (value.isConstant()) return Linear::of(value.constant % divisor);
    const Interval range = facts_.range(value);
    if (range.low >= 0 || facts_.prove(value)) {
      const Linear rest = fresh({0, divisor - 1});
      facts_.assume(value - rest);
      return rest;
    }
    return fresh({-(divisor - 1), divisor - 1});
  }
  Linear product(const Linear& a, const Linear& b) {
    if (a.isConstant() && a.constant < (Wide{1} << 40) && a.constant > -(Wide{1} << 40)) return b.scaled(a.constant);
    if (b.isConstant() && b.constant < (Wide{1} << 40) && b.constant > -(Wide{1} << 40)) return a.scaled(b.constant);
    const Interval x = facts_.range(a), y = facts_.range(b);
    constexpr Wide limit = Wide{1} << 62;
    if (!x.within(-limit, limit) || !y.within(-limit, limit)) return fresh({});
    const Wide corners[] = {x.low * y.low, x.low * y.high, x.high * y.low, x.high * y.high};
    const Wide low = *std::min_element(std::begin(corners), std::end(corners)),
               high = *std::max_element(std::begin(corners), std::end(corners));
    if (low < -(Wide{1} << 90) || high > (Wide{1} << 90)) return fresh({});
    return fresh({low, high});
  }
  Linear least(const Linear& a, const Linear& b) {
    if (a.isConstant() && b.isConstant()) return Linear::of(std::min(a.constant, b.constant));
    const Linear result = Linear::of(facts_.oneOf(a, b));
    facts_.assume(a - result);
    facts_.assume(b - result);
    return result;
  }
  Linear greatest(const Linear& a, const Linear& b) {
    if (a.isConstant() && b.isConstant()) return Linear::of(std::max(a.constant, b.constant));
    const Linear result = Linear::of(facts_.oneOf(a, b));
    facts_.assume(result - a);
    facts_.assume(result - b);
    return result;
  }

  /// Sizes are evaluated without wrapping: overflow refuses the launch.
  Linear shape(const ShapeExpr& size, const Kernel& kernel) {
    auto operand = [&](size_t i) { return shape(size.operands[i], kernel); };
    auto tame = [&](const Linear& form) {
      return isTame(form) ? form : fresh({smallestOf(Scalar::I64), largestOf(Scalar::I64)});
    };
    switch (size.op) {
      case ShapeOp::Constant:
        return Linear::of(static_cast<Wide>(size.value));
      case ShapeOp::Dimension:
        return values_[kernel.dims[static_cast<size_t>(size.value)].local.value];
      case ShapeOp::Parameter:
        return local(kernel.params[static_cast<size_t>(size.value)].local);
      case ShapeOp::Add:
        return tame(operand(0) + operand(1));
      case ShapeOp::Sub:
        return tame(operand(0) - operand(1));
      case ShapeOp::Mul:
        return tame(product(operand(0), operand(1)));
      case ShapeOp::Div:
      case ShapeOp::CeilDiv: {
        const Linear value = operand(0), divisor = operand(1);
        if (divisor.isConstant() && divisor.constant > 0 && divisor.constant < (Wide{1} << 40)) {
          const bool isUp = size.op == ShapeOp::CeilDiv;
          if (!isUp || facts_.range(value).low >= 0)
            return divide(isUp ? value + (divisor.constant - 1) : value, divisor.constant, types_.index());
        }
        const Interval range = facts_.range(value);
        return fresh({std::min<Wide>(range.low, 0), std::max<Wide>(range.high, 0)});
      }
      case ShapeOp::Rem: {
        const Linear value = operand(0), divisor = operand(1);
        if (divisor.isConstant() && divisor.constant > 0 && divisor.constant < (Wide{1} << 40))
          return remainder(value, divisor.constant);
        return fresh({smallestOf(Scalar::I64), largestOf(Scalar::I64)});
      }
      case ShapeOp::Min:
        return least(operand(0), operand(1));
      case ShapeOp::Max:
        return greatest(operand(0), operand(1));
    }
    return fresh({});
  }

  bool isFixed(LocalId id) const {
    const Local& local = body_->locals[id.value];
    switch (local.kind) {
      case LocalKind::Let:
      case LocalKind::Param:
      case LocalKind::Dimension:
      case LocalKind::DomainVar:
      case LocalKind::ThreadVar:
        return true;
      case LocalKind::Var:
        return false;
      case LocalKind::MutParam:
      case LocalKind::Shared:
        return types_.get(local.type).kind == TypeKind::View;
    }
    return false;
  }
  Linear local(LocalId id) {
    const TypeId type = body_->locals[id.value].type;
    if (!isFixed(id)) return anyOf(type);
    auto it = values_.find(id.value);
    if (it == values_.end()) it = values_.emplace(id.value, anyOf(type)).first;
    return it->second;
  }

  Linear extent(TExprId view, unsigned dim) {
    const TExpr& e = program_.expr(view);
    if (const auto* ref = std::get_if<LocalRef>(&e.node); ref && isFixed(ref->local)) {
      auto [it, isNew] = extents_.try_emplace({ref->local.value, dim});
      if (isNew) it->second = fresh({0, largestExtent});
      return it->second;
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

  Linear value(TExprId id) {
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
    if (const auto* node = std::get_if<Select>(&e.node))
      return either(node->condition, node->whenTrue, node->whenFalse);
    if (const auto* node = std::get_if<IfValue>(&e.node))
      return either(node->condition, node->whenTrue, node->whenFalse);
    if (const auto* node = std::get_if<Arithmetic>(&e.node)) return arithmetic(*node, e.type);
    if (const auto* node = std::get_if<CallFunction>(&e.node)) return result(*node, e.type);
    return anyOf(e.type);
  }

  /// What a function that only computes an expression gives for these arguments: clamp(x, 0, n - 1).
  Linear result(const CallFunction& call, TypeId type) {
    Function& callee = program_.functions[call.function.value];
    if (callDepth_ >= 4 || callee.isExtern || callee.body.statements.size() != 1) return anyOf(type);
    const auto* only = std::get_if<Return>(&program_.stmt(callee.body.statements[0]).node);
    if (!only || !only->value) return anyOf(type);
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
    const Linear form = value(only->value);
    --callDepth_;
    body_ = saved;
    values_.swap(values);
    extents_.swap(extents);
    conditions_.swap(conditions);
    return form;
  }

  Linear either(TExprId condition, TExprId a, TExprId b) {
    // What is only true in one branch must not stay.
    auto side = [&](bool truth, TExprId id, std::vector<Linear>& when) {
      const size_t mark = facts_.mark();
      assume(condition, truth);
      const Linear form = value(id);
      when = facts_.since(mark);
      facts_.leave(mark);
      return form;
    };
    std::vector<Linear> whenA, whenB;
    const Linear x = side(true, a, whenA), y = side(false, b, whenB);
    return Linear::of(facts_.oneOf(x, y, std::move(whenA), std::move(whenB)));
  }

  Linear arithmetic(const Arithmetic& node, TypeId type) {
    const bool fails = side_ == Side::Host && node.site &&
                       (node.op == BinaryOp::Add || node.op == BinaryOp::Sub || node.op == BinaryOp::Mul);
    const Linear a = value(node.left), b = value(node.right);
    constexpr Wide small = Wide{1} << 40;
    switch (node.op) {
      case BinaryOp::Add:
        return exact(a + b, type, fails);
      case BinaryOp::Sub:
        return exact(a - b, type, fails);
      case BinaryOp::Mul:
        return exact(product(a, b), type, fails);
      case BinaryOp::Div:
        if (b.isConstant() && b.constant > 0 && b.constant < small) return divide(a, b.constant, type);
        return anyOf(type);
      case BinaryOp::Rem:
        if (b.isConstant() && b.constant > 0 && b.constant < small) return remainder(a, b.constant);
        if (facts_.range(a).low >= 0 && facts_.range(b).low >= 0) {  // a fails or a result below the divisor
          const Linear rest = fresh({0, facts_.range(a).high});
          facts_.assume(b - 1 - rest);
          facts_.assume(a - rest);
          return rest;
        }
        return anyOf(type);
      case BinaryOp::Shl:
        if (b.isConstant() && b.constant >= 0 && b.constant < 40)
          return exact(a.scaled(Wide{1} << static_cast<int>(b.constant)), type);
        return anyOf(type);
      case BinaryOp::Shr:
        if (b.isConstant() && b.constant >= 0 && b.constant < 40 && facts_.range(a).low >= 0)
          return divide(a, Wide{1} << static_cast<int>(b.constant), type);
        return anyOf(type);
      case BinaryOp::BitAnd: {
        const Linear& mask = b.isConstant() ? b : a;
        const Linear& other = b.isConstant() ? a : b;
        if (!mask.isConstant() || mask.constant < 0) return anyOf(type);
        const Linear result = fresh({0, mask.constant});
        if (facts_.range(other).low >= 0) facts_.assume(other - result);
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
      case BinaryOp::Or:
        return anyOf(type);
    }
    return anyOf(type);
  }

  // ---- conditions ----
  void assume(TExprId id, bool truth) {
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
    BinaryOp op = node->op;
    if (!truth) {
      switch (op) {
        case BinaryOp::Eq:
          op = BinaryOp::Ne;
          break;
        case BinaryOp::Ne:
          op = BinaryOp::Eq;
          break;
        case BinaryOp::Lt:
          op = BinaryOp::Ge;
          break;
        case BinaryOp::Le:
          op = BinaryOp::Gt;
          break;
        case BinaryOp::Gt:
          op = BinaryOp::Le;
          break;
        case BinaryOp::Ge:
          op = BinaryOp::Lt;
          break;
        case BinaryOp::Add:
        case BinaryOp::Sub:
        case BinaryOp::Mul:
        case BinaryOp::Div:
        case BinaryOp::Rem:
        case BinaryOp::BitAnd:
        case BinaryOp::BitOr:
        case BinaryOp::BitXor:
        case BinaryOp::Shl:
        case BinaryOp::Shr:
        case BinaryOp::And:
        case BinaryOp::Or:
          return;
      }
    }
    if (op == BinaryOp::Lt || op == BinaryOp::Le) facts_.assume(b - a - (op == BinaryOp::Lt ? 1 : 0));
    if (op == BinaryOp::Gt || op == BinaryOp::Ge) facts_.assume(a - b - (op == BinaryOp::Gt ? 1 : 0));
    if (op == BinaryOp::Eq) {
      facts_.assume(a - b);
      facts_.assume(b - a);
    }
    if (op == BinaryOp::Ne) {
      if (facts_.prove(a - b))
        facts_.assume(a - b - 1);
      else if (facts_.prove(b - a))
        facts_.assume(b - a - 1);
    }
  }

  // ---- the walk ----
  void proveIndex(TExprId index, const Linear& extent, Check& check) {
    if (check != Check::Checked) return;
    const Linear at = value(index);
    if (facts_.prove(at) && facts_.prove(extent - 1 - at)) check = Check::Proven;
  }

  void walk(TExprId id) {
    if (!id) return;
    const TExpr e = program_.expr(id);
    if (const auto* node = std::get_if<Logic>(&e.node)) {
      walk(node->left);
      const size_t mark = facts_.mark();
      assume(node->left, node->isAnd);
      walk(node->right);
      facts_.leave(mark);
      return;
    }
    if (const auto* node = std::get_if<IfValue>(&e.node)) {
      walk(node->condition);
      const size_t mark = facts_.mark();
      assume(node->condition, true);
      walk(node->whenTrue);
      facts_.leave(mark);
      assume(node->condition, false);
      walk(node->whenFalse);
      facts_.leave(mark);
      return;
    }
    if (const auto* node = std::get_if<BlockValue>(&e.node)) {
      const size_t mark = facts_.mark();
      statements(node->statements);
      walk(node->value);
      facts_.leave(mark);
      return;
    }
    forEachChild(e, [&](TExprId child) { walk(child); }, [](TStmtId) {});
    if (std::holds_alternative<ViewElement>(e.node)) {
      // Only the checks change; the copy above keeps the parts steady while facts are made.
      const auto& node = std::get<ViewElement>(e.node);
      std::vector<Check> checks = node.checks;
      for (unsigned d = 0; d < node.indices.size(); ++d) proveIndex(node.indices[d], extent(node.view, d), checks[d]);
      std::get<ViewElement>(program_.mutableExpr(id).node).checks = std::move(checks);
    } else if (const auto* element = std::get_if<ElementOf>(&e.node)) {
      Check check = element->check;
      const Wide count = static_cast<Wide>(types_.get(program_.expr(element->value).type).count);
      proveIndex(element->index, Linear::of(count), check);
      std::get<ElementOf>(program_.mutableExpr(id).node).check = check;
    } else if (std::holds_alternative<ViewSlice>(e.node)) {
      std::vector<SliceDim> dims = std::get<ViewSlice>(e.node).dims;
      const TExprId view = std::get<ViewSlice>(e.node).view;
      for (unsigned d = 0; d < dims.size(); ++d) {
        SliceDim& dim = dims[d];
        if (dim.check != Check::Checked || (!dim.low && !dim.high)) continue;
        if (dim.isIndex) {
          proveIndex(dim.low, extent(view, d), dim.check);
          continue;
        }
        const Linear size = extent(view, d);
        const Linear low = dim.low ? value(dim.low) : Linear::of(Wide{0});
        const Linear high = dim.high ? value(dim.high) : size;
        if (facts_.prove(low) && facts_.prove(high - low) && facts_.prove(size - high)) dim.check = Check::Proven;
      }
      std::get<ViewSlice>(program_.mutableExpr(id).node).dims = std::move(dims);
    }
  }

  bool ends(const std::vector<TStmtId>& ids) const {
    for (TStmtId id : ids) {
      const auto& node = program_.stmt(id).node;
      if (std::holds_alternative<Return>(node) || std::holds_alternative<Break>(node) ||
          std::holds_alternative<Continue>(node))
        return true;
      if (const auto* branch = std::get_if<If>(&node); branch && ends(branch->thenBody) && ends(branch->elseBody))
        return true;
      if (const auto* scope = std::get_if<Scope>(&node); scope && ends(scope->body)) return true;
    }
    return false;
  }

  void block(const std::vector<TStmtId>& ids) {
    const size_t mark = facts_.mark();
    statements(ids);
    facts_.leave(mark);
  }

  void statements(const std::vector<TStmtId>& ids) {
    for (TStmtId id : ids) statement(id);
  }

  void statement(TStmtId id) {
    const TStmt s = program_.stmt(id);
    if (const auto* node = std::get_if<Declare>(&s.node)) {
      walk(node->init);
      if (!node->init || !isFixed(node->local)) return;
      const Type type = types_.get(body_->locals[node->local.value].type);
      if (type.kind == TypeKind::Scalar && isInteger(type.scalar))
        values_[node->local.value] = value(node->init);
      else if (type.kind == TypeKind::Scalar && type.scalar == Scalar::Bool)
        conditions_[node->local.value] = node->init;
      else if (type.kind == TypeKind::View)
        for (unsigned d = 0; d < type.rank; ++d) {
          const Linear size = extent(node->init, d);
          extents_[{node->local.value, d}] = size;
        }
      return;
    }
    if (const auto* node = std::get_if<If>(&s.node)) {
      walk(node->condition);
      const size_t mark = facts_.mark();
      assume(node->condition, true);
      statements(node->thenBody);
      facts_.leave(mark);
      assume(node->condition, false);
      statements(node->elseBody);
      facts_.leave(mark);
      // Where one branch never comes back, the other's condition holds from here on.
      if (ends(node->thenBody))
        assume(node->condition, false);
      else if (ends(node->elseBody))
        assume(node->condition, true);
      return;
    }
    if (const auto* node = std::get_if<While>(&s.node)) {
      walk(node->condition);
      const size_t mark = facts_.mark();
      assume(node->condition, true);
      statements(node->body);
      facts_.leave(mark);
      return;
    }
    if (const auto* node = std::get_if<For>(&s.node)) {
      walk(node->low);
      walk(node->high);
      walk(node->step);
      const size_t mark = facts_.mark();
      const Linear low = value(node->low), high = value(node->high);
      const Scalar scalar = *scalarOf(body_->locals[node->variable.value].type);
      bool isDown = false;
      if (node->step) {
        const Linear step = value(node->step);
        isDown = step.isConstant() && step.constant < 0;
      }
      values_[node->variable.value] = Linear::of(isDown ? point(high + 1, low + 1, scalar) : point(low, high, scalar));
      statements(node->body);
      facts_.leave(mark);
      return;
    }
    if (const auto* node = std::get_if<Scope>(&s.node)) return block(node->body);
    if (const auto* node = std::get_if<BindView>(&s.node)) {
      walk(node->view);
      for (TExprId expected : node->expected) walk(expected);
      for (unsigned d = 0; d < node->extents.size(); ++d) {
        const Linear size = extent(node->view, d);
        if (node->extents[d]) values_[node->extents[d].value] = size;
        if (node->expected[d]) {  // a difference ends the program
          const Linear expected = value(node->expected[d]);
          facts_.assume(size - expected);
          facts_.assume(expected - size);
        }
      }
      return;
    }
    forEachChild(s, [&](TExprId child) { walk(child); }, [&](TStmtId child) { statement(child); });
  }

  TypedProgram& program_;
  TypeTable& types_;
  Body* body_;
  unsigned callDepth_ = 0;
  Side side_;
  Kernel* kernel_ = nullptr;
  FactBase facts_;
  std::map<uint32_t, Linear> values_;                        // immutable locals
  std::map<std::pair<uint32_t, unsigned>, Linear> extents_;  // of views that never change
  std::map<uint32_t, TExprId> conditions_;                   // `let inside = ...`
};

}  // namespace

void proveChecks(TypedProgram& program, Kernel& kernel) {
  BoundsProver(program, kernel.body, Side::Device).kernel(kernel);
}
void proveChecks(TypedProgram& program, Body& body, Side side) { BoundsProver(program, body, side).body(); }

}  // namespace rad::sema

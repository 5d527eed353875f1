// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The walk over bodies in the order in which they run.
#include "frontend/sema/bounds.h"
#include "frontend/sema/checker.h"
#include "frontend/sema/children.h"

#include <algorithm>
#include <utility>

namespace rad::sema {

namespace {

/// Writes down that a check cannot fail.
void markProven(TypedProgram& program, Check& check, SiteId& site, bool verify) {
  if (!verify) {
    check = Check::Proven;
  } else if (site && program.sites[site.value].kind != SiteKind::Proof) {
    Site proof = program.sites[site.value];
    proof.kind = SiteKind::Proof;
    program.sites.push_back(std::move(proof));
    site = SiteId{static_cast<uint32_t>(program.sites.size() - 1)};
  }
}

/// What is behind the last point of an axis that is not empty.
ShapeExpr pastLast(const DomainAxis& axis) {
  if (!axis.hasStep()) return axis.high;
  auto two = [](ShapeOp op, ShapeExpr a, ShapeExpr b) { return ShapeExpr{op, 0, {std::move(a), std::move(b)}}; };
  const ShapeExpr one{ShapeOp::Constant, 1, {}};
  const bool fromZero = axis.low.op == ShapeOp::Constant && axis.low.value == 0;
  const ShapeExpr count =
      two(ShapeOp::CeilDiv, fromZero ? axis.high : two(ShapeOp::Sub, axis.high, axis.low), axis.step);
  const ShapeExpr last = two(ShapeOp::Mul, two(ShapeOp::Sub, count, one), axis.step);
  return two(ShapeOp::Add, fromZero ? last : two(ShapeOp::Add, axis.low, last), one);
}

ShapeExpr plus(const ShapeExpr& size, int64_t constant) {
  if (constant == 0) return size;
  return {ShapeOp::Add, 0, {size, {ShapeOp::Constant, constant, {}}}};
}

}  // namespace

void BoundsProver::kernel(Kernel& kernel) {
  kernel_ = &kernel;
  for (const KernelDim& dim : kernel.dims) values_[dim.local.value] = fresh({dim.property ? 1 : 0, largestExtent});
  for (const KernelParam& param : kernel.params) {
    std::vector<Linear> sizes;
    for (const ShapeExpr& size : param.shape) {
      const Linear extent = shape(size, kernel);
      facts_.assume(extent);
      facts_.assume(Linear::of(largestExtent) - extent);
      extents_[{param.local.value, static_cast<unsigned>(sizes.size())}] = extent;
      // The elements fit, and so do those of each part of the sizes, since none is taken for 0.
      const size_t before = sizes.size();
      sizes.push_back(extent);
      for (size_t i = 0; i < before; ++i)
        if (Linear area = product(sizes[i], extent); !area.isConstant()) {
          facts_.assume(Linear::of(largestExtent) - area);
          for (size_t k = 0; k < i; ++k)
            if (Linear volume = product(sizes[k], area); !volume.isConstant())
              facts_.assume(Linear::of(largestExtent) - volume);
        }
    }
  }
  for (const DomainAxis& axis : kernel.axes) {
    const Linear low = shape(axis.low, kernel), high = shape(axis.high, kernel);
    const Linear at = Linear::of(point(low, high, Scalar::Index));
    facts_.assume(at + largestExtent);  // a launch refuses bounds further out
    facts_.assume(Linear::of(largestExtent) - at);
    values_[axis.variable.value] = at;
  }
  for (size_t i = 0; i < kernel.threads.size(); ++i)
    values_[kernel.threads[i].value] = fresh({kernel.threadLow[i], kernel.threadLow[i] + kernel.threadCount[i] - 1});
  for (LocalId shared : kernel.shared) {
    const Local& local = body_->locals[shared.value];
    for (size_t d = 0; d < local.sharedExtents.size(); ++d)
      extents_[{shared.value, static_cast<unsigned>(d)}] = Linear::of(static_cast<Wide>(local.sharedExtents[d]));
  }
  statements(body_->statements);
  if (kernel.reduction) {
    if (kernel.reduction->condition && walkSteady(kernel.reduction->condition))
      assume(kernel.reduction->condition, true);
    walk(kernel.reduction->value);
  }
}

bool BoundsProver::isProven(TExprId index, const Linear& extent) {
  const Linear at = value(index);
  return facts_.prove(at) && facts_.prove(extent - 1 - at);
}

void BoundsProver::conclude(TExprId id, unsigned dim, Check& check, SiteId& site, bool proven) {
  if (trialDepth_) return;
  if (callDepth_) callees_.proven.try_emplace({id.value, dim}, true).first->second &= proven;
  else if (proven) markProven(program_, check, site, callees_.verifyProofs);
}

bool BoundsProver::leaveToLaunch(const ViewElement& node, unsigned dim) {
  if (callDepth_ || trialDepth_ || !kernel_ || !kernel_->isForall) return false;
  const auto* view = std::get_if<LocalRef>(&program_.expr(node.view).node);
  if (!view) return false;
  const auto param =
      std::ranges::find_if(kernel_->params, [&](const KernelParam& p) { return p.local == view->local; });
  if (param == kernel_->params.end() || dim >= param->shape.size()) return false;

  int64_t offset = 0;
  TExprId at = node.indices[dim];
  if (const auto* sum = std::get_if<Arithmetic>(&program_.expr(at).node)) {
    const auto* constant = std::get_if<ConstInt>(&program_.expr(sum->right).node);
    if (!constant || (sum->op != BinaryOp::Add && sum->op != BinaryOp::Sub)) return false;
    offset = static_cast<int64_t>(constant->bits);
    if (offset < -largestExtent || offset > largestExtent) return false;
    if (sum->op == BinaryOp::Sub) offset = -offset;
    at = sum->left;
  }
  const auto* point = std::get_if<LocalRef>(&program_.expr(at).node);
  if (!point) return false;
  const auto axis =
      std::ranges::find_if(kernel_->axes, [&](const DomainAxis& a) { return a.variable == point->local; });
  if (axis == kernel_->axes.end()) return false;

  auto require = [&](ShapeExpr left, ShapeExpr right) {
    auto isKnown = [&](const AtMost& known) { return known.left == left && known.right == right; };
    if (std::ranges::none_of(kernel_->inRange, isKnown))
      kernel_->inRange.push_back({std::move(left), std::move(right)});
  };
  const bool startsInside = facts_.prove(value(node.indices[dim]));
  if (!startsInside) require({ShapeOp::Constant, -offset, {}}, axis->low);
  require(plus(pastLast(*axis), offset), param->shape[dim]);
  return true;
}

bool BoundsProver::walkSteady(TExprId id) {
  const size_t before = assignments_;
  walk(id);
  return assignments_ == before;
}

void BoundsProver::walk(TExprId id) {
  if (!id) return;
  const TExpr& e = program_.expr(id);
  if (const auto* node = std::get_if<Logic>(&e.node)) {
    const bool isSteady = walkSteady(node->left);
    const size_t mark = facts_.mark(), journal = journal_.size();
    if (isSteady) assume(node->left, node->isAnd);
    walk(node->right);
    facts_.leave(mark);
    join(takeBack(journal), {}, {}, {});
    return;
  }
  if (const auto* node = std::get_if<IfValue>(&e.node)) {
    const bool isSteady = walkSteady(node->condition);
    const size_t mark = facts_.mark(), journal = journal_.size();
    auto side = [&](bool truth, TExprId value) {
      if (isSteady) assume(node->condition, truth);
      walk(value);
      facts_.leave(mark);
      return takeBack(journal);
    };
    const Changes whenTrue = side(true, node->whenTrue), whenFalse = side(false, node->whenFalse);
    join(whenTrue, {}, whenFalse, {});
    return;
  }
  if (const auto* node = std::get_if<BlockValue>(&e.node)) {
    const size_t mark = facts_.mark();
    statements(node->statements);
    walk(node->value);
    facts_.leave(mark);
    return;
  }
  if (std::holds_alternative<ViewElement>(e.node)) return walkElement(id);
  if (std::holds_alternative<ViewSlice>(e.node)) return walkSlice(id);
  if (std::holds_alternative<ElementOf>(e.node)) {
    auto& node = std::get<ElementOf>(program_.mutableExpr(id).node);
    const size_t before = assignments_;
    walk(node.value);
    walk(node.index);
    const Linear count = Linear::of(static_cast<Wide>(types_.get(program_.expr(node.value).type).count));
    if (node.check == Check::Checked)
      conclude(id, 0, node.check, node.site, assignments_ == before && isProven(node.index, count));
    return;
  }
  forEachChild(e, [&](TExprId child) { walk(child); }, [](TStmtId) {});
  if (const auto* call = std::get_if<CallFunction>(&e.node)) walkCall(*call);
}

void BoundsProver::walkElement(TExprId id) {
  auto& node = std::get<ViewElement>(program_.mutableExpr(id).node);
  const size_t before = assignments_;
  walk(node.view);
  for (TExprId index : node.indices) walk(index);
  const bool isSteady = assignments_ == before;
  for (unsigned d = 0; d < node.indices.size(); ++d)
    if (node.checks[d] == Check::Checked) {
      const bool proven = isSteady && isProven(node.indices[d], extent(node.view, d));
      if (!proven && leaveToLaunch(node, d)) node.checks[d] = Check::AtLaunch;
      else conclude(id, d, node.checks[d], node.sites[d], proven);
    }
}

void BoundsProver::walkSlice(TExprId id) {
  auto& node = std::get<ViewSlice>(program_.mutableExpr(id).node);
  const size_t before = assignments_;
  walk(node.view);
  for (const SliceDim& dim : node.dims) walk(dim.low), walk(dim.high), walk(dim.step);
  const bool isSteady = assignments_ == before;
  for (unsigned d = 0; d < node.dims.size(); ++d) {
    SliceDim& dim = node.dims[d];
    if (dim.check != Check::Checked || (!dim.low && !dim.high)) continue;
    const Linear size = extent(node.view, d);
    if (dim.isIndex) {
      conclude(id, d, dim.check, dim.site, isSteady && isProven(dim.low, size));
      continue;
    }
    const Linear low = dim.low ? value(dim.low) : Linear::of(Wide{0});
    const Linear high = dim.high ? value(dim.high) : size;
    conclude(id, d, dim.check, dim.site,
             isSteady && facts_.prove(low) && facts_.prove(high - low) && facts_.prove(size - high));
  }
}

/// The body of a function for devices, with what is known of these arguments.
void BoundsProver::walkCall(const CallFunction& call) {
  const Function& callee = program_.functions[call.function.value];
  const Body& body = callee.body;
  if (callee.side == Side::Device && side_ == Side::Device && !callee.isExtern && !trialDepth_ && callees_.budget) {
    std::map<uint32_t, Linear> values;
    Extents extents;
    for (size_t i = 0; i < callee.params.size(); ++i) {
      const LocalId id = callee.params[i];
      const Type& type = types_.get(body.locals[id.value].type);
      if (type.kind == TypeKind::View)
        for (unsigned d = 0; d < type.rank; ++d) extents[{id.value, d}] = extent(call.arguments[i], d);
      else if (body.locals[id.value].kind == LocalKind::Param && type.kind == TypeKind::Scalar &&
               isInteger(type.scalar))
        values.emplace(id.value, value(call.arguments[i]));
    }
    std::map<uint32_t, TExprId> conditions;
    decltype(journal_) journal;
    std::vector<Loop> loops;
    auto exchange = [&] {
      values_.swap(values);
      extents_.swap(extents);
      conditions_.swap(conditions);
      journal_.swap(journal);
      loops_.swap(loops);
    };
    exchange();
    Body* const caller = std::exchange(body_, &program_.functions[call.function.value].body);
    ++callDepth_;
    block(body.statements);
    --callDepth_;
    body_ = caller;
    exchange();
  }
  for (size_t i = 0; i < call.arguments.size(); ++i)
    if (const auto* ref = std::get_if<LocalRef>(&program_.expr(call.arguments[i]).node);
        ref && body.locals[callee.params[i].value].kind == LocalKind::MutParam)
      forget(ref->local);
}

bool BoundsProver::ends(const std::vector<TStmtId>& ids) const {
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

void BoundsProver::block(const std::vector<TStmtId>& ids) {
  const size_t mark = facts_.mark();
  statements(ids);
  facts_.leave(mark);
}

void BoundsProver::statements(const std::vector<TStmtId>& ids) {
  for (TStmtId id : ids) {
    if (callDepth_ && (!callees_.budget || !--callees_.budget)) return;
    statement(id);
  }
}

void BoundsProver::declare(const Declare& node) {
  const bool isSteady = walkSteady(node.init);
  const Type& type = types_.get(body_->locals[node.local.value].type);
  const bool isInt = type.kind == TypeKind::Scalar && isInteger(type.scalar);
  if (isVariable(node.local)) {
    if (node.init && isSteady) set(node.local, value(node.init));
    else forget(node.local);
  }
  if (!node.init || !isFixed(node.local)) return;
  if (isInt) {
    values_[node.local.value] = isSteady ? value(node.init) : anyOf(body_->locals[node.local.value].type);
  } else if (type.kind == TypeKind::Scalar && type.scalar == Scalar::Bool) {
    conditions_.erase(node.local.value);
    if (isSteady && !readsVariables(node.init)) conditions_[node.local.value] = node.init;
  } else if (type.kind == TypeKind::View) {
    for (unsigned d = 0; d < type.rank; ++d) {
      const Linear size = isSteady ? extent(node.init, d) : fresh({0, largestExtent});
      extents_[{node.local.value, d}] = size;
    }
  }
}

void BoundsProver::assign(const Assign& node) {
  const bool isSteady = walkSteady(node.value);
  walk(node.place);
  const auto* ref = std::get_if<LocalRef>(&program_.expr(node.place).node);
  if (!ref || !isVariable(ref->local)) return;
  const TypeId type = body_->locals[ref->local.value].type;
  if (!isSteady) return forget(ref->local);
  const Linear given = value(node.value);
  if (!node.op) return set(ref->local, given);
  const bool fails = side_ == Side::Host && node.site;
  set(ref->local, arithmetic(*node.op, local(ref->local), given, type, fails));
}

void BoundsProver::branch(const If& node) {
  const bool isSteady = walkSteady(node.condition);
  const size_t mark = facts_.mark(), journal = journal_.size();
  auto side = [&](bool truth, const std::vector<TStmtId>& body, std::vector<Linear>& when) {
    if (isSteady) assume(node.condition, truth);
    when = facts_.since(mark);
    statements(body);
    facts_.leave(mark);
    return takeBack(journal);
  };
  std::vector<Linear> whenThen, whenElse;
  const Changes thenSide = side(true, node.thenBody, whenThen), elseSide = side(false, node.elseBody, whenElse);
  // Where one branch never comes back, the other's condition holds from here on.
  const bool thenEnds = ends(node.thenBody), elseEnds = ends(node.elseBody);
  if (thenEnds) {
    if (isSteady) assume(node.condition, false);
    apply(elseSide);
  } else if (elseEnds) {
    if (isSteady) assume(node.condition, true);
    apply(thenSide);
  } else {
    join(thenSide, whenThen, elseSide, whenElse);
  }
}

void BoundsProver::statement(TStmtId id) {
  const TStmt& s = program_.stmt(id);
  if (const auto* node = std::get_if<Declare>(&s.node)) return declare(*node);
  if (const auto* node = std::get_if<Assign>(&s.node)) return assign(*node);
  if (const auto* node = std::get_if<If>(&s.node)) return branch(*node);
  if (const auto* node = std::get_if<While>(&s.node)) {
    bool isSteady = true;
    loop(
        id, node->body,
        [&] {
          isSteady = walkSteady(node->condition);
          if (isSteady) assume(node->condition, true);
        },
        [&] {
          if (isSteady) assume(node->condition, false);
        });
    return;
  }
  if (const auto* node = std::get_if<For>(&s.node)) {
    const size_t before = assignments_;
    walk(node->low);
    walk(node->high);
    walk(node->step);
    const TypeId type = body_->locals[node->variable.value].type;
    const bool isSteady = assignments_ == before;
    const Linear low = isSteady ? value(node->low) : anyOf(type), high = isSteady ? value(node->high) : anyOf(type);
    const Scalar scalar = *scalarOf(type);
    bool isDown = false;
    if (node->step) {
      const Linear step = value(node->step);
      isDown = step.isConstant() && step.constant < 0;
    }
    loop(
        id, node->body,
        [&] {
          values_[node->variable.value] =
              Linear::of(isDown ? point(high + 1, low + 1, scalar) : point(low, high, scalar));
        },
        [] {});
    return;
  }
  if (const auto* node = std::get_if<Scope>(&s.node)) return block(node->body);
  if (std::holds_alternative<Break>(s.node) || std::holds_alternative<Continue>(s.node)) {
    if (std::holds_alternative<Break>(s.node)) loops_.back().hasBreak = true;
    return checkLoopBounds();
  }
  if (const auto* node = std::get_if<Assert>(&s.node)) {
    const bool isSteady = walkSteady(node->condition);
    for (TExprId argument : node->arguments) walk(argument);
    if (isSteady) assume(node->condition, true);
    return;
  }
  if (const auto* node = std::get_if<Collective>(&s.node)) {
    walk(node->value);
    return forget(node->result);
  }
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

void proveChecks(TypedProgram& program, bool verifyProofs) {
  CalleeChecks callees;
  callees.verifyProofs = verifyProofs;
  for (Function& function : program.functions)
    if (!function.isExtern) BoundsProver(program, function.body, function.side, callees).body();
  for (Kernel& kernel : program.kernels) BoundsProver(program, kernel.body, Side::Device, callees).kernel(kernel);
  BoundsProver(program, program.script, Side::Host, callees).body();
  if (!callees.budget) return;
  for (const auto& [place, proven] : callees.proven) {
    if (!proven) continue;
    auto& node = program.mutableExpr(TExprId{place.first}).node;
    if (auto* element = std::get_if<ViewElement>(&node))
      markProven(program, element->checks[place.second], element->sites[place.second], verifyProofs);
    if (auto* element = std::get_if<ElementOf>(&node)) markProven(program, element->check, element->site, verifyProofs);
    if (auto* slice = std::get_if<ViewSlice>(&node))
      markProven(program, slice->dims[place.second].check, slice->dims[place.second].site, verifyProofs);
  }
}

}  // namespace rad::sema

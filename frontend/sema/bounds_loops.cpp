// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What variables hold: exactly along straight code, one of two values after a branch, and in a loop something that is
// never below (or above) what it was before, where every way through the body keeps it so.
#include "frontend/sema/bounds.h"
#include "frontend/sema/children.h"

#include <utility>

namespace rad::sema {
namespace {

enum Way : unsigned { Up = 1, Down = 2 };

unsigned wayOf(const std::optional<BinaryOp>& op) {
  if (!op) return Up | Down;
  switch (*op) {
    case BinaryOp::Add:
    case BinaryOp::Mul:
    case BinaryOp::Shl:
    case BinaryOp::BitOr: return Up;
    case BinaryOp::Sub:
    case BinaryOp::Div:
    case BinaryOp::Rem:
    case BinaryOp::Shr:
    case BinaryOp::BitAnd: return Down;
    case BinaryOp::BitXor:
    case BinaryOp::Eq:
    case BinaryOp::Ne:
    case BinaryOp::Lt:
    case BinaryOp::Le:
    case BinaryOp::Gt:
    case BinaryOp::Ge:
    case BinaryOp::And:
    case BinaryOp::Or: return 0;
  }
  return 0;
}

}  // namespace

void BoundsProver::set(LocalId id, const Linear& form) {
  ++assignments_;
  auto [it, isNew] = values_.try_emplace(id.value, form);
  if (isNew) {
    journal_.emplace_back(id.value, std::nullopt);
  } else {
    journal_.emplace_back(id.value, std::exchange(it->second, form));
  }
}

void BoundsProver::forget(LocalId id) {
  if (isVariable(id)) set(id, anyOf(body_->locals[id.value].type));
}

BoundsProver::Changes BoundsProver::takeBack(size_t mark) {
  Changes changes;
  while (journal_.size() > mark) {
    auto& [variable, before] = journal_.back();
    auto now = values_.find(variable);
    changes.try_emplace(variable, now->second);
    if (before) now->second = std::move(*before);
    else values_.erase(now);
    journal_.pop_back();
  }
  return changes;
}

void BoundsProver::apply(const Changes& changes) {
  for (const auto& [variable, form] : changes) set(LocalId{variable}, form);
}

void BoundsProver::join(const Changes& a, const std::vector<Linear>& whenA, const Changes& b,
                        const std::vector<Linear>& whenB) {
  Changes both = a;
  both.insert(b.begin(), b.end());
  for (const auto& [variable, form] : both) {
    auto side = [&](const Changes& changes) {
      auto it = changes.find(variable);
      return it != changes.end() ? it->second : local(LocalId{variable});
    };
    const Linear x = side(a), y = side(b);
    const Linear difference = x - y;
    if (difference.isConstant() && difference.constant == 0) set(LocalId{variable}, x);
    else set(LocalId{variable}, Linear::of(facts_.oneOf(x, y, whenA, whenB)));
  }
}

void BoundsProver::noteAssigned(TExprId place, unsigned way, std::set<uint32_t>& found,
                                std::map<uint32_t, unsigned>& ways) const {
  const auto* ref = std::get_if<LocalRef>(&program_.expr(place).node);
  if (!ref || !isVariable(ref->local)) return;
  found.insert(ref->local.value);
  auto [it, isNew] = ways.try_emplace(ref->local.value, way);
  if (!isNew) it->second &= way;
}

void BoundsProver::collectAssigned(TExprId id, std::set<uint32_t>& found, std::map<uint32_t, unsigned>& ways) {
  if (!id) return;
  const TExpr& e = program_.expr(id);
  if (const auto* call = std::get_if<CallFunction>(&e.node)) {
    const Function& callee = program_.functions[call->function.value];
    for (size_t i = 0; i < call->arguments.size(); ++i)
      if (callee.body.locals[callee.params[i].value].kind == LocalKind::MutParam)
        noteAssigned(call->arguments[i], 0, found, ways);
  }
  forEachChild(
      e, [&](TExprId child) { collectAssigned(child, found, ways); },
      [&](TStmtId child) { collectAssigned(child, found, ways); });
}

void BoundsProver::collectAssigned(TStmtId id, std::set<uint32_t>& found, std::map<uint32_t, unsigned>& ways) {
  const TStmt& s = program_.stmt(id);
  if (std::holds_alternative<While>(s.node) || std::holds_alternative<For>(s.node)) {
    if (auto known = assigned_.find(id.value); known != assigned_.end()) {
      const auto& [inner, innerWays] = known->second;
      found.insert(inner.begin(), inner.end());
      for (const auto& [variable, way] : innerWays) {
        auto [it, isNew] = ways.try_emplace(variable, way);
        if (!isNew) it->second &= way;
      }
      return;
    }
  }
  if (const auto* node = std::get_if<Assign>(&s.node)) noteAssigned(node->place, wayOf(node->op), found, ways);
  if (const auto* node = std::get_if<Declare>(&s.node); node && isVariable(node->local)) {
    found.insert(node->local.value);  // of an earlier turn
    ways[node->local.value] = 0;
  }
  forEachChild(
      s, [&](TExprId child) { collectAssigned(child, found, ways); },
      [&](TStmtId child) { collectAssigned(child, found, ways); });
}

const std::set<uint32_t>& BoundsProver::assignedIn(TStmtId loop) {
  auto known = assigned_.find(loop.value);
  if (known == assigned_.end()) {
    std::set<uint32_t> found;
    std::map<uint32_t, unsigned> ways;
    collectAssigned(loop, found, ways);
    known = assigned_.emplace(loop.value, std::pair{std::move(found), std::move(ways)}).first;
  }
  return known->second.first;
}

void BoundsProver::checkLoopBounds() {
  for (Loop::Bound& bound : loops_.back().bounds) {
    const Linear now = local(LocalId{bound.variable});
    if (bound.holds && !facts_.prove(bound.isUp ? now - bound.start : bound.start - now)) bound.holds = false;
  }
}

std::vector<BoundsProver::Loop::Bound> BoundsProver::likelyBounds(TStmtId id) {
  std::vector<Loop::Bound> bounds;
  constexpr unsigned deepestTrial = 3;
  if (trialDepth_ >= deepestTrial) return bounds;
  for (uint32_t variable : assignedIn(id)) {
    const unsigned way = assigned_.at(id.value).second.at(variable);
    if (!values_.contains(variable)) continue;  // declared inside, or without a value
    if (way & Up) bounds.push_back({variable, true, values_.at(variable)});
    if (way & Down) bounds.push_back({variable, false, values_.at(variable)});
  }
  return bounds;
}

void BoundsProver::loosen(TStmtId id, const std::vector<Loop::Bound>& bounds) {
  for (uint32_t variable : assignedIn(id)) forget(LocalId{variable});
  for (const Loop::Bound& bound : bounds) {
    const Linear& now = values_.at(bound.variable);
    facts_.assume(bound.isUp ? now - bound.start : bound.start - now);
  }
}

BoundsProver::Loop BoundsProver::turn(TStmtId id, const std::vector<TStmtId>& body,
                                      const std::vector<Loop::Bound>& bounds, const std::function<void()>& enter) {
  const size_t facts = facts_.mark(), journal = journal_.size();
  loosen(id, bounds);
  loops_.push_back({trialDepth_ ? bounds : std::vector<Loop::Bound>{}, false});
  enter();
  statements(body);
  checkLoopBounds();
  Loop done = std::move(loops_.back());
  loops_.pop_back();
  takeBack(journal);
  facts_.leave(facts);
  return done;
}

/// `enter` assumes what holds at the start of each turn, `leave` what holds after the last, if nothing breaks out.
void BoundsProver::loop(TStmtId id, const std::vector<TStmtId>& body, const std::function<void()>& enter,
                        const std::function<void()>& leave) {
  std::vector<Loop::Bound> bounds = likelyBounds(id);
  // A bound that some way through the body does not keep is dropped, until those that are left keep each other.
  ++trialDepth_;
  while (!bounds.empty()) {
    const size_t before = bounds.size();
    bounds = turn(id, body, bounds, enter).bounds;
    std::erase_if(bounds, [](const Loop::Bound& bound) { return !bound.holds; });
    if (bounds.size() == before) break;
  }
  --trialDepth_;
  const bool hasBreak = turn(id, body, bounds, enter).hasBreak;
  loosen(id, bounds);
  if (!hasBreak) leave();
}

}  // namespace rad::sema

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Control flow in lanes: ways that lanes take apart become masks, loops run as long as a lane is left.
#include "codegen/opt/lanes/lane_emitter.h"

#include <llvm/Analysis/LoopInfo.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/LoopUtils.h>

#include <algorithm>

namespace rad::cg {

using namespace llvm;

namespace {

/// The way out of `inner` that is no failure; null if there is none or more than one.
BasicBlock* exitingBlock(const Loop* inner, const LaneShapes& shapes) {
  for (BasicBlock* block : inner->blocks())
    for (BasicBlock* next : successors(block))
      if (!inner->contains(next) && next != shapes.failureOf(block)) return block;
  return nullptr;
}

}  // namespace

LaneEmitter::LaneEmitter(Loop& loop, LoopInfo& loops, DominatorTree& dominators, const LaneShapes& shapes,
                         unsigned lanes)
    : loop_(loop),
      loops_(loops),
      dominators_(dominators),
      shapes_(shapes),
      lanes_(lanes),
      function_(*loop.getHeader()->getParent()),
      b_(function_.getContext()) {}

BasicBlock* LaneEmitter::newBlock(const char* name) {
  return BasicBlock::Create(function_.getContext(), name, &function_, loop_.getHeader());
}

PHINode* LaneEmitter::newPhi(const PHINode& like, const Twine& name) {
  return b_.CreatePHI(isScalarForm(&like) ? like.getType() : vectorType(like.getType()), 2, name);
}

void LaneEmitter::run(Value* rounds) {
  BasicBlock* before = loop_.getLoopPreheader();
  BasicBlock* header = loop_.getHeader();
  BasicBlock* latch = loop_.getLoopLatch();
  auto* end = cast<BranchInst>(latch->getTerminator());
  BasicBlock* exit = end->getSuccessor(loop_.contains(end->getSuccessor(0)) ? 1 : 0);

  BasicBlock* enter = newBlock("lanes.enter");
  BasicBlock* body = newBlock("lanes");
  b_.SetInsertPoint(before->getTerminator());
  Value* inLanes = b_.CreateAnd(rounds, b_.getInt64(~uint64_t{lanes_ - 1}), "in.lanes");
  Value* tooFew = b_.CreateICmpULT(rounds, b_.getInt64(lanes_));

  b_.SetInsertPoint(enter);
  DenseMap<PHINode*, Value*> starts;
  for (const LaneReduction& reduction : shapes_.reductions())
    starts[reduction.phi] = identityOf(reduction, reduction.phi->getIncomingValueForBlock(before));
  b_.CreateBr(body);

  b_.SetInsertPoint(body);
  PHINode* round = b_.CreatePHI(b_.getInt64Ty(), 2, "round");
  round->addIncoming(b_.getInt64(0), enter);
  for (PHINode& phi : header->phis()) {
    bool isReduction = starts.contains(&phi);
    PHINode* made = b_.CreatePHI(isReduction ? vectorType(phi.getType()) : phi.getType(), 2, phi.getName());
    made->addIncoming(isReduction ? starts[&phi] : phi.getIncomingValueForBlock(before), enter);
    made_[&phi] = made;
  }
  Level level = levelOf(&loop_);
  LoopState state;
  state.loop = &loop_;
  state_ = &state;
  emitLevel(level, nullptr);

  BasicBlock* last = b_.GetInsertBlock();
  BasicBlock* done = newBlock("lanes.end");
  BasicBlock* rest = newBlock("rest.enter");
  Value* following = b_.CreateAdd(round, b_.getInt64(lanes_), "", true, true);
  round->addIncoming(following, last);
  auto advance = [&](Value* from, Value* by, int64_t stride) -> Value* {  // by * stride further on
    Value* distance = b_.CreateMul(by, b_.getInt64(static_cast<uint64_t>(stride)));
    if (from->getType()->isPointerTy()) return b_.CreatePtrAdd(from, distance);
    return b_.CreateAdd(from, b_.CreateZExtOrTrunc(distance, from->getType()));
  };
  for (PHINode& phi : header->phis()) {
    auto* made = cast<PHINode>(made_[&phi]);
    auto induction = shapes_.inductions().find(&phi);
    made->addIncoming(induction != shapes_.inductions().end() ? advance(made, b_.getInt64(lanes_), induction->second)
                                                              : made_[phi.getIncomingValueForBlock(latch)],
                      last);
  }
  auto* back = b_.CreateCondBr(b_.CreateICmpEQ(following, inLanes), done, body);
  LLVMContext& context = function_.getContext();
  auto note = [&](const char* name) {
    return MDNode::get(context, {MDString::get(context, name),
                                 ConstantAsMetadata::get(ConstantInt::get(Type::getInt32Ty(context), 1))});
  };
  auto asIs = [&](MDNode* old) {
    MDNode* made = makePostTransformationMetadata(
        context, old, {"raddle."},
        {note("llvm.loop.isvectorized"), MDNode::get(context, MDString::get(context, "llvm.loop.unroll.disable"))});
    return made;
  };
  back->setMetadata(LLVMContext::MD_loop, asIs(nullptr));

  b_.SetInsertPoint(done);
  DenseMap<Value*, Value*> reduced;
  for (const LaneReduction& reduction : shapes_.reductions())
    reduced[reduction.step] = reduce(reduction, made_[reduction.step]);
  for (PHINode& phi : exit->phis()) {
    Value* value = phi.getIncomingValueForBlock(latch);
    auto found = reduced.find(value);
    phi.addIncoming(found != reduced.end() ? found->second : inLane(value, b_.getInt64(lanes_ - 1)), done);
  }
  DenseMap<PHINode*, Value*> ends;
  for (PHINode& phi : header->phis()) {
    auto induction = shapes_.inductions().find(&phi);
    ends[&phi] = induction != shapes_.inductions().end()
                     ? advance(phi.getIncomingValueForBlock(before), inLanes, induction->second)
                     : reduced[phi.getIncomingValueForBlock(latch)];
  }
  b_.CreateCondBr(b_.CreateICmpEQ(rounds, inLanes), exit, rest);

  b_.SetInsertPoint(rest);
  for (PHINode& phi : header->phis()) {
    Value* start = phi.getIncomingValueForBlock(before);
    PHINode* resume = b_.CreatePHI(phi.getType(), 2, phi.getName());
    resume->addIncoming(start, before);
    resume->addIncoming(ends[&phi], done);
    int from = phi.getBasicBlockIndex(before);
    phi.setIncomingValue(from, resume);
    phi.setIncomingBlock(from, rest);
  }
  b_.CreateBr(header);
  Instruction* old = before->getTerminator();
  b_.SetInsertPoint(old);
  b_.CreateCondBr(tooFew, rest, enter);
  old->eraseFromParent();
  loop_.setLoopID(asIs(loop_.getLoopID()));
}

// ---- levels ----

LaneEmitter::Level LaneEmitter::levelOf(Loop* loop) const {
  Level level;
  level.loop = loop;
  for (BasicBlock* block : shapes_.order()) {
    Loop* at = loops_.getLoopFor(block);
    if (at != loop && !(at->getParentLoop() == loop && at->getHeader() == block)) continue;
    level.position[block] = level.nodes.size();
    level.nodes.push_back(block);
  }
  auto count = static_cast<unsigned>(level.nodes.size());
  level.next.resize(count);
  level.join.assign(count, count);
  level.done.assign(count, false);
  for (unsigned node = count; node-- > 0;) {
    BasicBlock* block = level.nodes[node];
    Loop* at = loops_.getLoopFor(block);
    SmallVector<BasicBlock*, 4> ways;
    auto way = [&](BasicBlock* from, BasicBlock* to) {
      if (to != shapes_.failureOf(from)) ways.push_back(to);
    };
    if (at == loop) {
      for (BasicBlock* to : successors(block)) way(block, to);
    } else {
      for (BasicBlock* from : at->blocks())
        for (BasicBlock* to : successors(from))
          if (!at->contains(to)) way(from, to);
    }
    std::optional<unsigned> join;
    for (BasicBlock* to : ways) {
      bool leaves = to == loop->getHeader() || !loop->contains(to);
      unsigned other = leaves ? count : level.position.find(to)->second;
      if (!leaves) level.next[node].push_back(to);
      if (!join) {
        join = other;
        continue;
      }
      while (*join != other) {
        if (*join < other) join = level.join[*join];
        else other = level.join[other];
      }
    }
    level.join[node] = join.value_or(count);
  }
  return level;
}

void LaneEmitter::emitLevel(Level& level, Value* mask) {
  masks_[level.loop->getHeader()] = mask;
  SmallVector<unsigned, 16> all;
  for (unsigned node = 0; node < level.nodes.size(); ++node) all.push_back(node);
  emitNodes(level, all);
}

/// The mask of a block that all lanes of an earlier one come to: that one's.
std::optional<Value*> LaneEmitter::knownMask(const Level& level, unsigned node) const {
  BasicBlock* top = dominators_.getNode(level.nodes[node])->getIDom()->getBlock();
  for (Loop* at = loops_.getLoopFor(top); at != level.loop; at = at->getParentLoop()) top = at->getHeader();
  unsigned from = level.position.find(top)->second;
  while (from < node) from = level.join[from];
  if (from != node) return std::nullopt;
  return masks_.find(top)->second;
}

void LaneEmitter::emitNodes(Level& level, ArrayRef<unsigned> nodes) {
  for (unsigned node : nodes) {
    if (level.done[node]) continue;
    level.done[node] = true;
    BasicBlock* block = level.nodes[node];
    if (block == level.loop->getHeader()) {
      emitBlock(level, node, masks_[block]);
      continue;
    }
    Arrival arrival = fold(block, arrivals_[block], knownMask(level, node));
    masks_[block] = arrival.mask;
    arrivals_[block] = {arrival};
    if (loops_.getLoopFor(block) != level.loop) {
      emitInnerLoop(block);
      continue;
    }
    unsigned i = 0;
    for (PHINode& phi : block->phis()) made_[&phi] = arrival.values[i++];
    emitBlock(level, node, arrival.mask);
  }
}

void LaneEmitter::emitBlock(Level& level, unsigned node, Value* mask) {
  BasicBlock* block = level.nodes[node];
  for (Instruction& instruction : *block) emitInstruction(instruction, mask);
  emitBranch(level, node, cast<BranchInst>(*block->getTerminator()), mask);
}

void LaneEmitter::arrive(BasicBlock* from, BasicBlock* to, Value* mask) {
  Arrival arrival{mask, {}};
  for (PHINode& phi : to->phis()) {
    Value* value = phi.getIncomingValueForBlock(from);
    arrival.values.push_back(isScalarForm(&phi) ? scalar(value) : vector(value));
  }
  if (to == state_->loop->getHeader()) state_->back.push_back(std::move(arrival));
  else if (!state_->loop->contains(to)) state_->exits[to].push_back(std::move(arrival));
  else arrivals_[to].push_back(std::move(arrival));
}

LaneEmitter::Arrival LaneEmitter::fold(BasicBlock* block, ArrayRef<Arrival> arrivals, std::optional<Value*> known) {
  Arrival whole = arrivals.front();
  for (const Arrival& arrival : arrivals.drop_front()) {
    unsigned i = 0;
    for (PHINode& phi : block->phis()) {
      Value*& value = whole.values[i];
      Value* other = arrival.values[i++];
      if (value == other) continue;
      if (!arrival.mask) value = other;
      else value = b_.CreateSelect(isScalarForm(&phi) ? any(arrival.mask) : arrival.mask, other, value);
    }
    if (known) continue;
    whole.mask = whole.mask && arrival.mask ? b_.CreateOr(whole.mask, arrival.mask) : nullptr;
  }
  if (known) whole.mask = *known;
  return whole;
}

// ---- branches ----

void LaneEmitter::emitBranch(Level& level, unsigned node, BranchInst& branch, Value* mask) {
  BasicBlock* block = branch.getParent();
  if (block == loop_.getLoopLatch()) return;
  if (branch.isUnconditional()) return arrive(block, branch.getSuccessor(0), mask);
  BasicBlock* whenTrue = branch.getSuccessor(0);
  BasicBlock* whenFalse = branch.getSuccessor(1);
  if (BasicBlock* failure = shapes_.failureOf(block)) {
    emitCheck(branch, failure, mask);
    return arrive(block, failure == whenTrue ? whenFalse : whenTrue, mask);
  }
  Value* condition = branch.getCondition();
  bool isUniform = shapes_.of(condition).isUniform();
  if (block == state_->exiting) {
    Value* leaves = scalar(condition);
    if (state_->loop->contains(whenTrue)) leaves = b_.CreateNot(leaves);
    arrive(block, whenTrue, mask);
    arrive(block, whenFalse, mask);
    if (block == state_->loop->getLoopLatch()) {
      state_->exitCondition = leaves;
    } else {
      state_->left = newBlock("left");
      BasicBlock* stays = newBlock("stays");
      b_.CreateCondBr(leaves, state_->left, stays);
      b_.SetInsertPoint(stays);
    }
    return;
  }
  if (emitSides(level, node, branch, mask)) return;
  Value* wanted = isUniform ? b_.CreateVectorSplat(lanes_, scalar(condition)) : vector(condition);
  Value* others = b_.CreateNot(wanted);
  arrive(block, whenTrue, both(mask, wanted));
  arrive(block, whenFalse, both(mask, others));
}

/// A branch whose two sides are apart until they meet: stays one if all lanes go the same way; else a side that is much
/// work is only entered if a lane takes it. False: neither.
bool LaneEmitter::emitSides(Level& level, unsigned node, BranchInst& branch, Value* mask) {
  unsigned join = level.join[node];
  auto count = static_cast<unsigned>(level.nodes.size());
  if (join >= count) return false;
  BasicBlock* block = branch.getParent();
  SmallVector<unsigned, 8> sides[2];
  SmallVector<uint8_t, 32> sideOf(count, 0);
  for (unsigned side : {0u, 1u}) {
    SmallVector<BasicBlock*, 8> pending = {branch.getSuccessor(side)};
    while (!pending.empty()) {
      unsigned at = level.position.find(pending.pop_back_val())->second;
      if (at == join || sideOf[at] == side + 1) continue;
      if (sideOf[at] != 0) return false;
      sideOf[at] = static_cast<uint8_t>(side + 1);
      sides[side].push_back(at);
      append_range(pending, level.next[at]);
    }
    llvm::sort(sides[side]);
  }
  for (unsigned from = 0; from < join; ++from)
    for (BasicBlock* to : level.next[from]) {
      uint8_t side = sideOf[level.position.find(to)->second];
      if (side != 0 && from != node && sideOf[from] != side) return false;
    }
  unsigned weight[2] = {};
  for (unsigned side : {0u, 1u})
    for (unsigned at : sides[side]) {
      bool isLoop = loops_.getLoopFor(level.nodes[at]) != level.loop;
      weight[side] += isLoop ? 1000 : static_cast<unsigned>(level.nodes[at]->size()) - 1;
    }

  BasicBlock* meet = level.nodes[join];
  auto joined = [&](ArrayRef<std::pair<BasicBlock*, Values>> ways) {
    Values values;
    unsigned i = 0;
    for (PHINode& phi : meet->phis()) {
      PHINode* made = newPhi(phi, phi.getName());
      for (const auto& [from, known] : ways)
        made->addIncoming(known.empty() ? PoisonValue::get(made->getType()) : known[i], from);
      values.push_back(made);
      ++i;
    }
    return values;
  };
  if (shapes_.of(branch.getCondition()).isUniform()) {
    Value* condition = scalar(branch.getCondition());
    if (mask) condition = b_.CreateFreeze(condition);  // no lane may be there
    BasicBlock* ways[2] = {newBlock("all"), newBlock("none")};
    BasicBlock* done = newBlock("met");
    b_.CreateCondBr(condition, ways[0], ways[1]);
    SmallVector<std::pair<BasicBlock*, Values>, 2> ends;
    for (unsigned side : {0u, 1u}) {
      b_.SetInsertPoint(ways[side]);
      Arrival arrival = emitSide(level, block, branch.getSuccessor(side), sides[side], join, mask);
      ends.emplace_back(b_.GetInsertBlock(), arrival.values);
      b_.CreateBr(done);
    }
    b_.SetInsertPoint(done);
    arrivals_[meet].push_back({mask, joined(ends)});
    return true;
  }
  constexpr unsigned kMuch = 12;
  if (weight[0] < kMuch && weight[1] < kMuch) return false;
  Value* wanted = vector(branch.getCondition());
  Value* others = b_.CreateNot(wanted);
  Value* masks[2] = {both(mask, wanted), both(mask, others)};
  for (unsigned side : {0u, 1u}) {
    if (weight[side] < kMuch) {
      Arrival arrival = emitSide(level, block, branch.getSuccessor(side), sides[side], join, masks[side]);
      arrivals_[meet].push_back(arrival);
      continue;
    }
    BasicBlock* before = b_.GetInsertBlock();
    BasicBlock* some = newBlock("some");
    BasicBlock* done = newBlock("done");
    b_.CreateCondBr(any(masks[side]), some, done);
    b_.SetInsertPoint(some);
    Arrival arrival = emitSide(level, block, branch.getSuccessor(side), sides[side], join, masks[side]);
    BasicBlock* end = b_.GetInsertBlock();
    b_.CreateBr(done);
    b_.SetInsertPoint(done);
    Values values = joined({{end, arrival.values}, {before, {}}});
    arrivals_[meet].push_back({masks[side], values});
  }
  return true;
}

/// One side of a branch, up to where the sides meet: what comes there.
LaneEmitter::Arrival LaneEmitter::emitSide(Level& level, BasicBlock* from, BasicBlock* to, ArrayRef<unsigned> nodes,
                                           unsigned join, Value* mask) {
  BasicBlock* meet = level.nodes[join];
  Arrivals outer = std::move(arrivals_[meet]);
  arrivals_[meet].clear();
  arrive(from, to, mask);
  emitNodes(level, nodes);
  Arrivals own = std::move(arrivals_[meet]);
  arrivals_[meet] = std::move(outer);
  return fold(meet, own, mask);
}

/// For `strided < uniform`, and `uniform < strided` where lanes come down to the limit: whether the last lane is far
/// from the limit, so that the lanes need not be asked one by one. Null for other conditions.
Value* LaneEmitter::holdsInAllLanes(const Value* condition, bool wanted) {
  const auto* compare = dyn_cast<ICmpInst>(condition);
  if (!compare) return nullptr;
  CmpInst::Predicate predicate = wanted ? compare->getPredicate() : compare->getInversePredicate();
  Value* less = compare->getOperand(0);
  Value* more = compare->getOperand(1);
  if (predicate == CmpInst::ICMP_UGT || predicate == CmpInst::ICMP_SGT) {
    std::swap(less, more);
    predicate = CmpInst::getSwappedPredicate(predicate);
  }
  if (predicate != CmpInst::ICMP_ULT && predicate != CmpInst::ICMP_SLT) return nullptr;
  const Shape below = shapes_.of(less), above = shapes_.of(more);
  if (below.isVarying() || above.isVarying() || !less->getType()->isIntegerTy(64)) return nullptr;
  const bool isSigned = predicate == CmpInst::ICMP_SLT;
  auto reach = [&](int64_t stride) { return b_.getInt64(static_cast<uint64_t>(stride) * (lanes_ - 1)); };
  Value* holds = nullptr;
  if (below.stride > 0 && above.isUniform()) {
    // The sum of the index and the distance to the last lane is below the limit, and so does not wrap.
    const auto minus = isSigned ? Intrinsic::ssub_sat : Intrinsic::usub_sat;
    holds = b_.CreateICmp(predicate, scalar(less), b_.CreateBinaryIntrinsic(minus, scalar(more), reach(below.stride)));
  } else if (below.isUniform() && above.stride < 0) {
    const auto plus = isSigned ? Intrinsic::sadd_sat : Intrinsic::uadd_sat;
    holds = b_.CreateICmp(predicate, b_.CreateBinaryIntrinsic(plus, scalar(less), reach(-above.stride)), scalar(more));
  } else {
    return nullptr;
  }
  return b_.CreateFreeze(holds);  // what bounds it may mean nothing if no lane is there
}

void LaneEmitter::emitCheck(BranchInst& branch, BasicBlock* failure, Value* mask) {
  bool whenTrue = branch.getSuccessor(0) == failure;
  Value* condition = branch.getCondition();
  Value* fails = nullptr;
  Value* lane = nullptr;
  auto firstOf = [&](Value* of) {
    return b_.CreateZExt(b_.CreateIntrinsic(Intrinsic::cttz, {b_.getIntNTy(lanes_)}, {bitsOf(of), b_.getTrue()}),
                         b_.getInt64Ty());
  };
  BasicBlock* failed = newBlock("lane.failed");
  BasicBlock* good = newBlock("ok");
  if (shapes_.of(condition).isUniform()) {
    Value* bad = whenTrue ? scalar(condition) : b_.CreateNot(scalar(condition));
    fails = mask ? b_.CreateLogicalAnd(any(mask), bad) : bad;
    b_.CreateCondBr(fails, failed, good, MDBuilder(function_.getContext()).createUnlikelyBranchWeights());
    b_.SetInsertPoint(failed);
    lane = mask ? firstOf(mask) : b_.getInt64(0);
  } else {
    if (Value* allHold = holdsInAllLanes(condition, !whenTrue)) {
      BasicBlock* ask = newBlock("ask.lanes");
      b_.CreateCondBr(allHold, good, ask);
      b_.SetInsertPoint(ask);
    }
    Value* bad = both(mask, whenTrue ? vector(condition) : b_.CreateNot(vector(condition)));
    b_.CreateCondBr(any(bad), failed, good, MDBuilder(function_.getContext()).createUnlikelyBranchWeights());
    b_.SetInsertPoint(failed);
    lane = firstOf(bad);
  }
  for (PHINode& phi : failure->phis())
    phi.addIncoming(inLane(phi.getIncomingValueForBlock(branch.getParent()), lane), failed);
  b_.CreateBr(failure);
  b_.SetInsertPoint(good);
}

// ---- inner loops ----

void LaneEmitter::emitInnerLoop(BasicBlock* header) {
  Loop* inner = loops_.getLoopFor(header);
  Arrival arrival = arrivals_[header].front();
  BasicBlock* before = b_.GetInsertBlock();
  BasicBlock* after = nullptr;
  if (arrival.mask) {  // not without a lane: what bounds the loop may mean nothing then
    BasicBlock* some = newBlock("some");
    after = newBlock("after");
    b_.CreateCondBr(any(arrival.mask), some, after);
    b_.SetInsertPoint(some);
  }
  LoopState state;
  state.loop = inner;
  LoopState* outer = std::exchange(state_, &state);
  bool isDivergent = shapes_.isDivergent(inner);
  Ways ways = isDivergent ? emitDivergentLoop(inner, arrival.mask, arrival.values)
                          : emitUniformLoop(inner, arrival.mask, arrival.values);
  state_ = outer;
  masks_[header] = arrival.mask;  // for the blocks behind it; inside it was that of a round
  if (after) {
    BasicBlock* end = b_.GetInsertBlock();
    b_.CreateBr(after);
    b_.SetInsertPoint(after);
    for (auto& [to, way] : ways) {
      auto orNothing = [&](Value* value, Value* nothing) {
        PHINode* phi = b_.CreatePHI(value->getType(), 2);
        phi->addIncoming(value, end);
        phi->addIncoming(nothing, before);
        return phi;
      };
      if (way.mask != arrival.mask) way.mask = orNothing(way.mask, Constant::getNullValue(way.mask->getType()));
      for (Value*& value : way.values) value = orNothing(value, PoisonValue::get(value->getType()));
    }
  }
  for (auto& [to, way] : ways) arrivals_[to].push_back(std::move(way));
}

LaneEmitter::Ways LaneEmitter::emitUniformLoop(Loop* inner, Value* mask, ArrayRef<Value*> start) {
  BasicBlock* header = inner->getHeader();
  BasicBlock* before = b_.GetInsertBlock();
  BasicBlock* body = newBlock("loop");
  b_.CreateBr(body);
  b_.SetInsertPoint(body);
  SmallVector<PHINode*, 4> phis;
  for (PHINode& phi : header->phis()) {
    phis.push_back(newPhi(phi, phi.getName()));
    phis.back()->addIncoming(start[phis.size() - 1], before);
    made_[&phi] = phis.back();
  }
  state_->exiting = exitingBlock(inner, shapes_);
  Level level = levelOf(inner);
  emitLevel(level, mask);
  Arrival back = fold(header, state_->back, mask);
  for (unsigned i = 0; i < phis.size(); ++i) phis[i]->addIncoming(back.values[i], b_.GetInsertBlock());
  if (state_->left) {
    b_.CreateBr(body);
  } else {
    state_->left = newBlock("left");
    b_.CreateCondBr(state_->exitCondition, state_->left, body);
  }
  b_.SetInsertPoint(state_->left);
  auto& [to, arrivals] = state_->exits.front();
  return {{to, fold(to, arrivals, mask)}};
}

LaneEmitter::Ways LaneEmitter::emitDivergentLoop(Loop* inner, Value* mask, ArrayRef<Value*> start) {
  BasicBlock* header = inner->getHeader();
  BasicBlock* before = b_.GetInsertBlock();
  BasicBlock* body = newBlock("loop");
  b_.CreateBr(body);
  b_.SetInsertPoint(body);
  PHINode* live = b_.CreatePHI(vectorType(b_.getInt1Ty()), 2, "live");
  live->addIncoming(maskOrFull(mask), before);
  SmallVector<PHINode*, 4> phis;
  for (PHINode& phi : header->phis()) {
    phis.push_back(newPhi(phi, phi.getName()));
    phis.back()->addIncoming(start[phis.size() - 1], before);
    made_[&phi] = phis.back();
  }
  struct Exit {
    BasicBlock* to;
    PHINode* mask;
    SmallVector<PHINode*, 4> values;
  };
  SmallVector<Exit, 2> exits;
  for (BasicBlock* block : inner->blocks())
    for (BasicBlock* to : successors(block)) {
      if (inner->contains(to) || to == shapes_.failureOf(block) ||
          any_of(exits, [&](const Exit& exit) { return exit.to == to; }))
        continue;
      Exit exit{to, b_.CreatePHI(live->getType(), 2, "gone"), {}};
      exit.mask->addIncoming(Constant::getNullValue(live->getType()), before);
      for (PHINode& phi : to->phis()) {
        exit.values.push_back(newPhi(phi, phi.getName()));
        exit.values.back()->addIncoming(PoisonValue::get(exit.values.back()->getType()), before);
      }
      exits.push_back(std::move(exit));
    }

  Level level = levelOf(inner);
  emitLevel(level, live);
  Arrival back = fold(header, state_->back);
  Ways ways;
  SmallVector<std::pair<PHINode*, Value*>, 8> nexts = {{live, back.mask}};
  for (unsigned i = 0; i < phis.size(); ++i) nexts.emplace_back(phis[i], back.values[i]);
  for (Exit& exit : exits) {
    Value* gone = exit.mask;
    Values values(exit.values.begin(), exit.values.end());
    for (const Arrival& arrival : state_->exits[exit.to]) {
      gone = b_.CreateOr(gone, arrival.mask);
      for (unsigned i = 0; i < values.size(); ++i)
        values[i] = b_.CreateSelect(arrival.mask, arrival.values[i], values[i]);
    }
    nexts.emplace_back(exit.mask, gone);
    for (unsigned i = 0; i < values.size(); ++i) nexts.emplace_back(exit.values[i], values[i]);
    ways.push_back({exit.to, {exits.size() == 1 ? mask : gone, values}});
  }
  for (auto [phi, value] : nexts) phi->addIncoming(value, b_.GetInsertBlock());
  BasicBlock* left = newBlock("left");
  b_.CreateCondBr(any(back.mask), body, left);
  b_.SetInsertPoint(left);
  return ways;
}

}  // namespace rad::cg

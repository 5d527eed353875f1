// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops.
#include "codegen/lower/function_lowering.h"
#include "codegen/lower/walk.h"

#include <llvm/IR/Module.h>

#include <algorithm>
#include <span>

namespace rad::cg {
namespace {

using Wide = __int128;

/// Copies that unrolled loops inside of each other may make of what is innermost: LLVM bounds the code of each loop,
/// not its work.
constexpr uint64_t mostCopies = 4096;

/// How many copies the statements hold of what is innermost in them, once loops are unrolled as the program asks.
uint64_t copiesIn(const TypedProgram& program, std::span<const TStmtId> statements) {
  uint64_t most = 1;
  for (TStmtId id : statements) {
    const TStmt& stmt = program.stmt(id);
    uint64_t own = 1;
    if (const auto* loop = std::get_if<For>(&stmt.node); loop && loop->unroll > 1) {
      own = loop->unroll;
      if (loop->unroll == UINT32_MAX) {
        const auto* low = std::get_if<ConstInt>(&program.expr(loop->low).node);
        const auto* high = std::get_if<ConstInt>(&program.expr(loop->high).node);
        const Wide rounds = low && high ? Wide(static_cast<int64_t>(high->bits)) - static_cast<int64_t>(low->bits) : 1;
        own = static_cast<uint64_t>(std::clamp<Wide>(rounds < 0 ? -rounds : rounds, 1, 1 << 20));
      }
    }
    uint64_t inner = 1;
    forEachPart(stmt, [](TExprId) {}, [&](TStmtId child) { inner = std::max(inner, copiesIn(program, {&child, 1})); });
    // A loop that would make too many stays one.
    most = std::max(most, own * inner > mostCopies ? inner : own * inner);
  }
  return most;
}

/// `llvm.loop` of a loop whose unrolling the program asked for; null if it has no wish.
llvm::MDNode* unrollWish(llvm::LLVMContext& context, unsigned wish) {
  if (wish == 0) return nullptr;
  llvm::Metadata* how = nullptr;
  if (wish == UINT32_MAX) how = llvm::MDNode::get(context, llvm::MDString::get(context, "llvm.loop.unroll.full"));
  else if (wish == 1) how = llvm::MDNode::get(context, llvm::MDString::get(context, "llvm.loop.unroll.disable"));
  else {
    llvm::Metadata* parts[] = {
        llvm::MDString::get(context, "llvm.loop.unroll.count"),
        llvm::ConstantAsMetadata::get(llvm::ConstantInt::get(llvm::Type::getInt32Ty(context), wish))};
    how = llvm::MDNode::get(context, parts);
  }
  llvm::MDNode* loop = llvm::MDNode::getDistinct(context, {nullptr, how});
  loop->replaceOperandWith(0, loop);
  return loop;
}

/// How much code the statements are, in expressions; a large number if there is a loop or a barrier among them.
unsigned weightOf(const TypedProgram& program, const std::vector<TStmtId>& statements) {
  constexpr unsigned tooMuch = 1u << 20;
  unsigned weight = 0;
  auto expression = [&](auto&& self, TExprId id) -> void {
    const TExpr& expr = program.expr(id);
    ++weight;
    if (const auto* call = std::get_if<CallFunction>(&expr.node))
      weight += program.functions[call->function.value].isExtern
                    ? tooMuch
                    : weightOf(program, program.functions[call->function.value].body.statements);
    forEachPart(expr, [&](TExprId e) { self(self, e); }, [&](TStmtId s) { weight += weightOf(program, {s}); });
  };
  for (TStmtId id : statements) {
    const TStmt& stmt = program.stmt(id);
    if (std::holds_alternative<For>(stmt.node) || std::holds_alternative<While>(stmt.node) ||
        std::holds_alternative<Barrier>(stmt.node) || std::holds_alternative<Collective>(stmt.node))
      return tooMuch;
    forEachPart(
        stmt, [&](TExprId e) { expression(expression, e); }, [&](TStmtId s) { weight += weightOf(program, {s}); });
    if (weight >= tooMuch) return tooMuch;
  }
  return weight;
}

}  // namespace

void FunctionLowering::pushLoop(llvm::BasicBlock* breakBlock, llvm::BasicBlock* continueBlock) {
  frames_.back().loops.push_back({breakBlock, continueBlock});
}

void FunctionLowering::popLoop() { frames_.back().loops.pop_back(); }

void FunctionLowering::lower(const TStmt&, const While& node) {
  llvm::BasicBlock* header = newBlock("while");
  llvm::BasicBlock* body = newBlock("while.body");
  llvm::BasicBlock* done = newBlock("while.end");
  branchTo(header);
  placeAt(header);
  builder_.CreateCondBr(evalCondition(node.condition), body, done);
  pushLoop(done, header);
  placeAt(body);
  target_.beginRound(*this);
  runBlock(node.body);
  branchTo(header);
  popLoop();
  done->moveAfter(&function_.back());
  placeAt(done);
}

void FunctionLowering::lower(const TStmt& stmt, const For& node) {
  TypeId type = local(node.variable).type;
  Value low = eval(node.low);
  Value high = eval(node.high);
  Value step = node.step       ? eval(node.step)
               : isIndex(type) ? constantIndex(1)
                               : scalar(type, llvm::ConstantInt::get(low.scalar->getType(), 1));
  setPlace(stmt.range);
  bool down = step.range.high < 0;
  bool isSigned = isSignedInteger(scalarOf(type));
  if (!down && step.range.contains(0)) {
    Value zero = isIndex(type) ? constantIndex(0) : scalar(type, llvm::ConstantInt::get(step.scalar->getType(), 0));
    Value positive = compare(BinaryOp::Gt, step, zero);
    if (node.site) check(positive.scalar, node.site, &step);
  } else if (!down && step.range.low < 0) {
    Value zero = isIndex(type) ? constantIndex(0) : scalar(type, llvm::ConstantInt::get(step.scalar->getType(), 0));
    if (node.site) check(compare(BinaryOp::Gt, step, zero).scalar, node.site, &step);
  }

  // What the variable can be inside, and one step beyond.
  unsigned bits = bitsOf(scalarOf(type));
  Interval limits;
  if (bits < 64)
    limits = isSigned ? Interval{-(int64_t(1) << (bits - 1)), (int64_t(1) << (bits - 1)) - 1}
                      : Interval{0, (int64_t(1) << bits) - 1};
  auto clip = [&](Interval r) { return Interval{std::max(r.low, limits.low), std::min(r.high, limits.high)}; };
  Interval lowRange = clip(low.range), highRange = clip(high.range);
  Interval stepRange = down ? step.range : clip(step.range);  // down over an unsigned type the step is of a signed one
  Interval inside;
  Wide last;  // the furthest value that `variable + step` takes
  if (!down) {
    inside = {lowRange.low, highRange.high > limits.low ? highRange.high - 1 : highRange.high};
    last = Wide(inside.high) + std::max<int64_t>(stepRange.high, 1);
  } else {
    inside = {highRange.low < limits.high ? highRange.low + 1 : highRange.low, lowRange.high};
    last = Wide(inside.low) + stepRange.low;
  }
  if (inside.high < inside.low) inside = {inside.low, inside.low};  // never entered
  bool known = !(scalarOf(type) == Scalar::U64);                    // intervals do not describe large u64
  bool unit = stepRange.low == stepRange.high && (stepRange.low == 1 || stepRange.low == -1);
  bool noWrap = known && last >= limits.low && last <= limits.high;
  if (unit) noWrap = true;

  if (isIndex(type)) {
    auto fits = [](Wide v) { return v >= INT32_MIN && v <= INT32_MAX; };
    bool narrow =
        options_.narrowIndices && low.range.fitsI32() && high.range.fitsI32() && step.range.fitsI32() && fits(last);
    for (Value* value : {&low, &high, &step}) {
      if (!narrow) value->scalar = wide(*value);
      else if (!value->scalar->getType()->isIntegerTy(32))
        value->scalar = builder_.CreateTrunc(value->scalar, builder_.getInt32Ty());
    }
  }
  // Upwards from zero or more the next value cannot leave the type as an unsigned number: comparing as one is enough,
  // behind a first comparison that takes signs into account.
  const bool asUnsigned = !noWrap && !down && isSigned && lowRange.low >= 0;

  llvm::BasicBlock* before = builder_.GetInsertBlock();
  llvm::BasicBlock* header = newBlock("for");
  llvm::BasicBlock* body = newBlock("for.body");
  llvm::BasicBlock* next = newBlock("for.next");
  llvm::BasicBlock* done = newBlock("for.end");
  if (asUnsigned) builder_.CreateCondBr(builder_.CreateICmpSLT(low.scalar, high.scalar), header, done);
  else builder_.CreateBr(header);
  placeAt(header);
  llvm::PHINode* variable = builder_.CreatePHI(low.scalar->getType(), 2, local(node.variable).name);
  variable->addIncoming(low.scalar, before);
  using P = llvm::CmpInst::Predicate;
  P inRange = down ? (isSigned ? P::ICMP_SGT : P::ICMP_UGT) : (isSigned && !asUnsigned ? P::ICMP_SLT : P::ICMP_ULT);
  builder_.CreateCondBr(builder_.CreateICmp(inRange, variable, high.scalar), body, done);

  placeAt(body);
  writeLocal(node.variable, scalar(type, variable, known ? inside : Interval{}));
  pushLoop(done, next);
  target_.beginRound(*this);
  runBlock(node.body);
  branchTo(next);
  popLoop();

  next->moveAfter(&function_.back());
  placeAt(next);
  setPlace(stmt.range);
  bool nonNegative = inside.low >= 0 && !down;
  if (!noWrap && !asUnsigned) {
    // The sum could wrap around the type and the loop would never end: leave when no step is left.
    llvm::Value* left = down ? builder_.CreateSub(variable, high.scalar) : builder_.CreateSub(high.scalar, variable);
    llvm::Value* size = down ? builder_.CreateNeg(step.scalar) : step.scalar;
    llvm::BasicBlock* advance = newBlock("for.advance");
    builder_.CreateCondBr(builder_.CreateICmpULE(left, size), done, advance);
    placeAt(advance);
  }
  llvm::Value* advanced = builder_.CreateAdd(variable, step.scalar, "",
                                             /*HasNUW=*/asUnsigned || (noWrap && (nonNegative || (!isSigned && !down))),
                                             /*HasNSW=*/noWrap && isSigned);
  variable->addIncoming(advanced, builder_.GetInsertBlock());
  llvm::BranchInst* back = builder_.CreateBr(header);
  unsigned unroll = node.unroll;
  if (unroll == 0 && options_.unrollConstantLoops && low.range.low == low.range.high &&
      high.range.low == high.range.high && stepRange.low == stepRange.high && !down) {
    // Short loops over constants (a tile in shared memory): as straight code their addresses are constants.
    Wide rounds = Wide(high.range.low) - low.range.low;
    rounds = rounds > 0 ? (rounds + stepRange.low - 1) / stepRange.low : 0;
    if (rounds > 1 && rounds <= 64 && rounds * weightOf(program_, node.body) <= 1024) unroll = UINT32_MAX;
  }
  if (node.unroll > 1) {
    const TStmtId* first = node.body.data();
    const uint64_t inner = copiesIn(program_, {first, node.body.size()});
    const Wide rounds = node.unroll != UINT32_MAX ? Wide(node.unroll)
                        : low.range.low == low.range.high && high.range.low == high.range.high
                            ? std::max<Wide>(Wide(high.range.low) - low.range.low, Wide(low.range.low) - high.range.low)
                            : 1;
    if (rounds * inner > mostCopies) unroll = 0;
  }
  if (llvm::MDNode* wish = unrollWish(context(), unroll)) back->setMetadata(llvm::LLVMContext::MD_loop, wish);
  done->moveAfter(&function_.back());
  placeAt(done);
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/host/block_kernel.h"

#include "codegen/host/access_checks.h"
#include "codegen/host/walk.h"

#include <llvm/IR/Intrinsics.h>

namespace rad::cg {

namespace {
constexpr uint64_t kScratchAlignment = 64;
}  // namespace

BlockLowering::BlockLowering(const TypedProgram& program, const Kernel& kernel, llvm::Module& module,
                             const LowerOptions& options, const SpecKey& spec, FissionPlan plan)
    : NativeKernelLowering(program, kernel, module, options, spec), plan_(std::move(plan)) {
  for (int64_t count : kernel.threadCount) threadCount_ *= count;
}

// ---- the kernel ----

void BlockLowering::emitBody(FunctionLowering& f) {
  auto& b = f.builder();
  inRegion_ = false;
  operands_ = groupResults_ = nullptr;
  itemMemory_.clear();
  cells_.clear();
  nextValue_.clear();
  ended_ = nullptr;
  shapes_.clear();
  counters_.clear();

  blockEnd_ = f.newBlock("block.end");
  f.enterBody(kernel_.body, blockEnd_);
  KernelArguments arguments = bindArguments(f);
  for (LocalId id : kernel_.shared) {
    const Local& local = f.local(id);
    const Type& type = program_.types->get(local.type);
    TypeId element = type.kind == TypeKind::View ? type.element : local.type;
    llvm::Type* memory = f.memoryType(element);
    uint64_t count = 1;
    for (uint64_t extent : local.sharedExtents) count *= extent;
    llvm::Value* address = placeShared(f, id, memory, count);
    if (type.kind != TypeKind::View) {
      f.bindAddress(id, address, llvm::Align(kScratchAlignment));
      continue;
    }
    auto view = std::make_shared<ViewValue>();
    view->base = address;
    for (uint64_t extent : local.sharedExtents) view->extents.push_back(f.constantIndex(static_cast<int64_t>(extent)));
    view->element = element;
    view->align = llvm::Align(kScratchAlignment);
    view->small = true;
    Value value;
    value.type = local.type;
    value.view = std::move(view);
    f.bind(id, std::move(value));
  }
  llvm::SmallVector<llvm::Value*, 4> extents;
  for (size_t axis = 0; axis < kernel_.axes.size(); ++axis) extents.push_back(extentOf(f, arguments, axis));
  describeDomain(f, arguments, extents);
  if (options_.places)
    for (size_t axis = 0; axis < kernel_.threadCount.size(); ++axis)
      emitAccessCall(
          f, "rad_access_threads",
          {b.getInt32(static_cast<uint32_t>(axis)), b.getInt64(static_cast<uint64_t>(kernel_.threadLow[axis])),
           b.getInt64(static_cast<uint64_t>(kernel_.threadCount[axis]))});
  CountedLoop blocks = beginLoop(f, begin(), end(), "block");
  block_ = blocks.counter;
  if (options_.places) {
    emitAccessCall(f, "rad_access_block", {block_});
    for (LocalId id : kernel_.shared) {
      const Local& local = f.local(id);
      const bool isView = program_.types->get(local.type).kind == TypeKind::View;
      llvm::Value* address = isView ? f.readLocal(id).view->base : f.slot(id).address;
      uint64_t bytes = module_.getDataLayout().getTypeAllocSize(
          f.memoryType(isView ? program_.types->get(local.type).element : local.type));
      for (uint64_t extent : local.sharedExtents) bytes *= extent;
      emitAccessCall(f, "rad_access_shared",
                     {address, b.getInt64(bytes), b.getInt32(options_.places->numberOf(local.range))});
    }
  }
  auto coordinates = unflatten(f, block_, extents);
  for (size_t axis = 0; axis < kernel_.axes.size(); ++axis) {
    f.bind(kernel_.axes[axis].variable, axisValue(f, arguments, axis, coordinates[axis]));
    size_t fromLast = kernel_.axes.size() - 1 - axis;
    if (fromLast < failedBlock_.size()) failedBlock_[fromLast] = f.wide(f.readLocal(kernel_.axes[axis].variable));
  }
  if (plan_.endsEarly) {
    uint64_t bytes = static_cast<uint64_t>(threadCount_) * 4;
    ended_ = takeScratch(f, bytes, "ended");
    b.CreateMemSet(ended_, b.getInt8(0), bytes, llvm::Align(kScratchAlignment));
  }
  f.run(kernel_.body.statements);
  f.branchTo(blockEnd_);
  blockEnd_->moveAfter(b.GetInsertBlock());
  f.placeAt(blockEnd_);
  endLoop(f, blocks);
  f.leaveBody();
}

bool BlockLowering::lowerStmt(FunctionLowering& f, TStmtId id) {
  if (f.inInlinedCall()) return false;
  if (inRegion_) {
    if (!std::holds_alternative<Return>(program_.stmt(id).node)) return false;
    auto& b = f.builder();
    if (ended_) annotateAccess(f, b.CreateStore(b.getInt32(1), b.CreateInBoundsGEP(b.getInt32Ty(), ended_, thread_)));
    b.CreateBr(threadEnd_);
    return true;
  }
  auto found = plan_.steps.find(id.value);
  if (found == plan_.steps.end()) return false;
  const FissionStep& step = found->second;
  switch (step.kind) {
    case FissionStep::Kind::RegionHead: emitRegion(f, plan_.regions[step.region]); return true;
    case FissionStep::Kind::Nothing:
      if (options_.places) emitAccessCall(f, "rad_access_barrier", {});
      return true;
    case FissionStep::Kind::RegionMember: return true;
    case FissionStep::Kind::Control: return false;
    case FissionStep::Kind::Uniform: {
      const TStmt& stmt = program_.stmt(id);
      const auto* declare = std::get_if<Declare>(&stmt.node);
      LocalId local =
          declare ? declare->local : std::get<LocalRef>(program_.expr(std::get<Assign>(stmt.node).place).node).local;
      if (plan_.homes[local.value] == LocalHome::Uniform) bindForBlock(f, local);
      return false;
    }
    case FissionStep::Kind::Collective:
      if (plan_.regions[step.region].statements.empty()) emitRegion(f, plan_.regions[step.region]);
      if (!f.terminated()) lowerCollective(f, std::get<Collective>(program_.stmt(id).node));
      return true;
  }
  return false;
}

void BlockLowering::leaveIfAllEnded(FunctionLowering& f) {
  auto& b = f.builder();
  llvm::AllocaInst* count = f.newAlloca(b.getInt32Ty(), "ended.count");
  b.CreateStore(b.getInt32(0), count);
  CountedLoop threads = beginLoop(f, b.getInt64(0), b.getInt64(threadCount_), "ended");
  llvm::Value* ended = b.CreateLoad(b.getInt32Ty(), b.CreateInBoundsGEP(b.getInt32Ty(), ended_, threads.counter));
  b.CreateStore(b.CreateAdd(b.CreateLoad(b.getInt32Ty(), count), ended), count);
  endLoop(f, threads);
  llvm::BasicBlock* resume = f.newBlock("some.run");
  b.CreateCondBr(b.CreateICmpEQ(b.CreateLoad(b.getInt32Ty(), count), b.getInt32(static_cast<uint32_t>(threadCount_))),
                 blockEnd_, resume);
  f.placeAt(resume);
}

// ---- regions ----

void BlockLowering::emitRegion(FunctionLowering& f, const Region& region) {
  auto& b = f.builder();
  const Collective* collective =
      region.collective ? &std::get<Collective>(program_.stmt(region.collective).node) : nullptr;
  if (collective) fillOperands(f, *collective);
  // All threads change a uniform variable in the same way, each from what it was before the region.
  for (LocalId local : region.used) {
    if (plan_.homes[local.value] != LocalHome::Uniform || !isMemory(local) || !region.written[local.value]) continue;
    Cells& cells = cellsOf(f, local);
    auto& next = nextValue_[local.value];
    if (!next) next = f.newAlloca(cells.types[0], f.local(local).name + ".next");
    b.CreateStore(b.CreateLoad(cells.types[0], cells.addresses[0]), next);
  }

  counting_ = countersOf(region);
  for (LocalId local : counting_) clearCopies(f, counters_.at(local.value));
  size_t axes = kernel_.threads.size();
  NarrowRegion narrow = narrowRegion(program_, kernel_, plan_, region);
  auto ranges = threadRanges(f, narrow);
  llvm::SmallVector<CountedLoop, 3> loops;
  llvm::Value* flat = nullptr;
  for (size_t axis = 0; axis < axes; ++axis) {
    int64_t low = kernel_.threadLow[axis], count = kernel_.threadCount[axis];
    loops.push_back(beginLoop(f, ranges[axis].first, ranges[axis].second, "thread"));
    llvm::Value* coordinate = loops.back().counter;
    flat = flat ? b.CreateAdd(b.CreateMul(flat, b.getInt64(count), "", true, true), coordinate, "", true, true)
                : coordinate;
    llvm::Value* variable = low == 0 ? coordinate : b.CreateNSWAdd(coordinate, b.getInt64(low));
    f.bind(kernel_.threads[axis], f.indexFrom(variable, {low, low + count - 1}));
    size_t fromLast = axes - 1 - axis;
    if (fromLast < failedThread_.size()) failedThread_[fromLast] = variable;
  }
  thread_ = flat;
  position_ = b.CreateAdd(b.CreateMul(block_, b.getInt64(threadCount_)), flat);
  threadEnd_ = f.newBlock("thread.end");
  // Between barriers threads run in no order, so nothing that one does to memory has to be seen by another.
  if (!options_.places) accessGroup_ = llvm::MDNode::getDistinct(f.context(), {});
  inRegion_ = true;
  tellItem(f, thread_);
  beginItem(f);
  if (ended_) {
    llvm::BasicBlock* runs = f.newBlock("thread.runs");
    auto* ended = b.CreateLoad(b.getInt32Ty(), b.CreateInBoundsGEP(b.getInt32Ty(), ended_, thread_));
    annotateAccess(f, ended);
    b.CreateCondBr(b.CreateICmpEQ(ended, b.getInt32(0)), runs, threadEnd_);
    f.placeAt(runs);
  }
  enterItem(f, region);
  if (narrow.branch) {
    llvm::BasicBlock* done = f.newBlock("endif");
    for (TExprId condition : narrow.conditions) {
      llvm::BasicBlock* then = f.newBlock("then");
      llvm::Value* holds = f.evalCondition(condition);
      b.CreateCondBr(holds, then, done);
      f.placeAt(then);
    }
    f.run(narrow.branch->thenBody);
    f.branchTo(done);
    f.placeAt(done);
    if (done->hasNPredecessors(0)) b.CreateUnreachable();
  } else {
    f.run(region.statements);
  }
  if (!f.terminated() && collective) {
    llvm::Value* operand = f.evalScalar(collective->value);
    auto* stored = b.CreateStore(operand, b.CreateInBoundsGEP(operand->getType(), operands_, thread_));
    annotateAccess(f, stored);
  }
  bool goesOn = !f.terminated();
  if (goesOn) keepLocals(f, region);
  f.branchTo(threadEnd_);
  endItem(f);
  failedThread_ = {};
  threadEnd_->moveAfter(b.GetInsertBlock());
  f.placeAt(threadEnd_);
  llvm::MDNode* group = accessGroup_;
  accessGroup_ = nullptr;
  for (size_t axis = axes; axis-- > 0;) endLoop(f, loops[axis], group);
  inRegion_ = false;
  thread_ = position_ = nullptr;
  tellItem(f, nullptr);
  for (LocalId local : counting_) addCopies(f, counters_.at(local.value));
  if (ended_ && region.returns) leaveIfAllEnded(f);
  if (!goesOn) {  // no thread comes out of it
    b.CreateBr(blockEnd_);
    return;
  }

  for (LocalId local : region.used) {
    if (plan_.homes[local.value] != LocalHome::Uniform) continue;
    if (isMemory(local) && region.written[local.value]) {
      Cells& cells = cellsOf(f, local);
      b.CreateStore(b.CreateLoad(cells.types[0], nextValue_[local.value]), cells.addresses[0]);
    }
    bindForBlock(f, local);
  }
}

llvm::SmallVector<BlockLowering::ThreadRange, 3> BlockLowering::threadRanges(FunctionLowering& f,
                                                                             const NarrowRegion& narrow) {
  auto& b = f.builder();
  llvm::SmallVector<ThreadRange, 3> ranges;
  for (int64_t count : kernel_.threadCount) ranges.emplace_back(b.getInt64(0), b.getInt64(count));
  auto smaller = [&](llvm::Value* x, llvm::Value* y) { return b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, x, y); };
  auto larger = [&](llvm::Value* x, llvm::Value* y) { return b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, x, y); };
  for (const ThreadBound& bound : narrow.bounds) {
    auto& [from, to] = ranges[bound.axis];
    llvm::Value* value = f.wide(f.eval(bound.value));
    llvm::Value* low = b.getInt64(kernel_.threadLow[bound.axis]);
    // Kept within reach of the thread numbers first: 1 more and `low` less cannot overflow then.
    llvm::Value* last = b.getInt64(kernel_.threadLow[bound.axis] + kernel_.threadCount[bound.axis]);
    llvm::Value* near = b.CreateNSWSub(smaller(larger(value, b.CreateNSWSub(low, b.getInt64(1))), last), low);
    llvm::Value* behind = b.CreateNSWAdd(near, b.getInt64(1));
    if (bound.op == BinaryOp::Lt || bound.op == BinaryOp::Le || bound.op == BinaryOp::Eq)
      to = smaller(to, bound.op == BinaryOp::Lt ? near : behind);
    if (bound.op == BinaryOp::Gt || bound.op == BinaryOp::Ge || bound.op == BinaryOp::Eq)
      from = larger(from, bound.op == BinaryOp::Gt ? behind : near);
  }
  return ranges;
}

/// Brings the locals that live across regions to where the statements look for them.
void BlockLowering::enterItem(FunctionLowering& f, const Region& region) {
  // In the order of declaration: what is computed again may need others.
  std::vector<bool> wanted(plan_.homes.size());
  std::vector<LocalId> pending(region.used.begin(), region.used.end());
  while (!pending.empty()) {
    LocalId local = pending.back();
    pending.pop_back();
    if (wanted[local.value]) continue;
    wanted[local.value] = true;
    if (plan_.homes[local.value] != LocalHome::Recompute || region.declared[local.value]) continue;
    std::vector<TExprId> look = {plan_.initializers[local.value]};
    while (!look.empty()) {
      const TExpr& expr = program_.expr(look.back());
      look.pop_back();
      if (const auto* ref = std::get_if<LocalRef>(&expr.node)) pending.push_back(ref->local);
      forEachChild(expr, [&](TExprId child) { look.push_back(child); }, [](TStmtId) {});
    }
  }
  for (uint32_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i]) continue;
    LocalId local{i};
    bool isDeclaredHere = region.declared[i];
    switch (plan_.homes[i]) {
      case LocalHome::Block: break;
      case LocalHome::Region: f.slot(local) = {}; break;
      case LocalHome::Recompute:
        f.slot(local) = {};
        if (!isDeclaredHere) f.bind(local, f.eval(plan_.initializers[i]));
        break;
      case LocalHome::Uniform:
      case LocalHome::Spilled:
        if (isMemory(local)) {
          llvm::AllocaInst* memory = itemMemory(f, local);
          f.bindAddress(local, memory, memory->getAlign());
          if (!isDeclaredHere) f.builder().CreateStore(f.toMemory(loadCells(f, local)), memory);
        } else if (isDeclaredHere) {
          f.slot(local) = {};
        } else {
          f.bind(local, loadCells(f, local));
        }
        break;
    }
  }
}

/// Keeps what the statements have changed for the regions that follow.
void BlockLowering::keepLocals(FunctionLowering& f, const Region& region) {
  for (LocalId local : region.used) {
    if (!region.written[local.value]) continue;
    LocalHome home = plan_.homes[local.value];
    if (home != LocalHome::Uniform && home != LocalHome::Spilled) continue;
    Value value = f.readLocal(local);
    if (!isMemory(local)) shapes_[local.value] = value;
    if (home == LocalHome::Uniform && isMemory(local))
      f.builder().CreateStore(f.toMemory(value), nextValue_[local.value]);
    else storeCells(f, local, value);
  }
}

/// After a region: uniform locals as statements between regions see them.
void BlockLowering::bindForBlock(FunctionLowering& f, LocalId local) {
  Cells& cells = cellsOf(f, local);
  if (isMemory(local)) f.bindAddress(local, cells.addresses[0], f.alignOf(f.local(local).type));
  else f.bind(local, loadCells(f, local));
}

// ---- locals that live across regions ----

/// What one memory form holds: all but views, and tuples with views in them.
bool BlockLowering::isPlain(TypeId type) const { return program_.types->layout(type).has_value(); }

/// A plain value that may change, or that is assigned apart from its declaration.
bool BlockLowering::isMemory(LocalId local) const {
  const Local& known = kernel_.body.locals[local.value];
  if (!isPlain(known.type)) return false;
  return known.kind != LocalKind::Let || !plan_.initializers[local.value];
}

llvm::AllocaInst* BlockLowering::itemMemory(FunctionLowering& f, LocalId local) {
  auto& memory = itemMemory_[local.value];
  if (!memory) memory = f.newAlloca(f.memoryType(f.local(local).type), f.local(local).name);
  return memory;
}

void BlockLowering::partsOf(FunctionLowering& f, const Value& value, llvm::SmallVectorImpl<llvm::Value*>& parts) const {
  for (const Value& item : value.items) partsOf(f, item, parts);
  if (value.view) {
    parts.push_back(value.view->base);
    for (const Value& extent : value.view->extents) parts.push_back(f.wide(extent));
    for (const Value& stride : value.view->strides) parts.push_back(f.wide(stride));
  }
  if (value.scalar || value.memory) parts.push_back(f.toMemory(value));
}

Value BlockLowering::rebuild(FunctionLowering& f, const Value& like, llvm::ArrayRef<llvm::Value*>& parts) const {
  auto take = [&] {
    llvm::Value* part = parts.front();
    parts = parts.drop_front();
    return part;
  };
  Value made = like;
  for (Value& item : made.items) item = rebuild(f, item, parts);
  if (like.view) {
    auto view = std::make_shared<ViewValue>(*like.view);
    view->base = take();
    for (Value& extent : view->extents) extent = f.indexFrom(take(), extent.range);
    for (Value& stride : view->strides) stride = f.indexFrom(take(), stride.range);
    made.view = std::move(view);
  }
  if (like.scalar) made.scalar = f.fromMemory(like.type, take()).scalar;
  if (like.memory) made.memory = f.fromMemory(like.type, take()).memory;
  return made;
}

BlockLowering::Cells& BlockLowering::cellsOf(FunctionLowering& f, LocalId local) {
  auto [found, isNew] = cells_.try_emplace(local.value);
  Cells& cells = found->second;
  if (!isNew) return cells;
  const Local& known = f.local(local);
  if (isMemory(local) || program_.types->get(known.type).kind == TypeKind::Scalar) {
    cells.types.push_back(f.memoryType(known.type));
  } else {
    llvm::SmallVector<llvm::Value*, 8> parts;
    partsOf(f, shapes_.at(local.value), parts);
    for (llvm::Value* part : parts) cells.types.push_back(part->getType());
  }
  for (llvm::Type* type : cells.types) {
    if (plan_.homes[local.value] == LocalHome::Uniform)
      cells.addresses.push_back(f.newAlloca(type, known.name + ".block"));
    else
      cells.addresses.push_back(
          takeScratch(f, threadCount_ * module_.getDataLayout().getTypeAllocSize(type), known.name + ".threads"));
  }
  return cells;
}

llvm::Value* BlockLowering::cellAddress(FunctionLowering& f, LocalId local, const Cells& cells, size_t part) {
  if (plan_.homes[local.value] == LocalHome::Uniform) return cells.addresses[part];
  return f.builder().CreateInBoundsGEP(cells.types[part], cells.addresses[part], thread_);
}

void BlockLowering::storeCells(FunctionLowering& f, LocalId local, const Value& value) {
  Cells& cells = cellsOf(f, local);
  llvm::SmallVector<llvm::Value*, 8> parts;
  if (isMemory(local)) parts.push_back(f.toMemory(value));
  else partsOf(f, value, parts);
  for (size_t i = 0; i < parts.size(); ++i)
    annotateAccess(f, f.builder().CreateStore(parts[i], cellAddress(f, local, cells, i)));
}

Value BlockLowering::loadCells(FunctionLowering& f, LocalId local) {
  Cells& cells = cellsOf(f, local);
  llvm::SmallVector<llvm::Value*, 8> parts;
  for (size_t i = 0; i < cells.types.size(); ++i) {
    auto* part = f.builder().CreateLoad(cells.types[i], cellAddress(f, local, cells, i));
    annotateAccess(f, part);
    parts.push_back(part);
  }
  auto shape = shapes_.find(local.value);
  if (shape == shapes_.end()) return f.fromMemory(f.local(local).type, parts[0]);
  llvm::ArrayRef<llvm::Value*> rest = parts;
  return rebuild(f, shape->second, rest);
}

CodegenResult<void> lowerNativeBlocks(const TypedProgram& program, const Kernel& kernel, llvm::Module& module,
                                      const LowerOptions& options, const SpecKey& spec) {
  auto plan = planFission(program, kernel);
  if (!plan) return std::unexpected(plan.error());
  BlockLowering(program, kernel, module, options, spec, std::move(*plan)).emit();
  return {};
}

}  // namespace rad::cg

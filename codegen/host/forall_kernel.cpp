// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// forall kernels and reductions: counted loops over the points, the last axis innermost. Points do not depend on each
// other, which the innermost loop says to the vectorisers.
#include "codegen/host/native_kernel.h"

#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/IR/Intrinsics.h>

namespace rad::cg {

namespace {

class ForallLowering final : public NativeKernelLowering {
 public:
  using NativeKernelLowering::NativeKernelLowering;

 protected:
  void emitBody(FunctionLowering& f) override;

 private:
  void emitPoint(FunctionLowering& f);
  void emitStep(FunctionLowering& f);
  void emitPoints(FunctionLowering& f, llvm::Value* from, llvm::Value* to,
                  llvm::function_ref<void(llvm::Value*)> bindLast);
  llvm::Value* identity(FunctionLowering& f);
  llvm::BasicBlock* pointEnd_ = nullptr;
  llvm::AllocaInst* total_ = nullptr;  // reductions: of this chunk, register form
  llvm::AllocaInst* term_ = nullptr;   // of this point
};

void ForallLowering::emitPoint(FunctionLowering& f) {
  auto& b = f.builder();
  f.run(kernel_.body.statements);
  if (f.terminated() || !kernel_.reduction) return;
  const Reduction& reduction = *kernel_.reduction;
  if (reduction.condition) {
    llvm::Value* wanted = f.evalCondition(reduction.condition);
    llvm::BasicBlock* counted = f.newBlock("counted");
    b.CreateCondBr(wanted, counted, pointEnd_);
    f.placeAt(counted);
  }
  b.CreateStore(f.evalScalar(reduction.value), term_);
}

/// At the end of every point: adds its term, the identity where it has none. No branch, so that vector code reduces it.
void ForallLowering::emitStep(FunctionLowering& f) {
  auto& b = f.builder();
  const Reduction& reduction = *kernel_.reduction;
  llvm::Type* type = total_->getAllocatedType();
  llvm::Value* sum = reduceStep(f, reduction.op, reduction.minMax, reduction.isMinMax, kernel_.reductionType,
                                b.CreateLoad(type, total_), b.CreateLoad(type, term_));
  // A sum has no promised order within a chunk, so that it may run in vector lanes.
  if (auto* step = llvm::dyn_cast<llvm::Instruction>(sum);
      step && step->getOpcode() == llvm::Instruction::FAdd && !kernel_.strict && options_.fp != FpMode::Strict)
    step->setHasAllowReassoc(true);
  b.CreateStore(sum, total_);
}

/// The points [from, to) of the last axis, counted from its low end.
void ForallLowering::emitPoints(FunctionLowering& f, llvm::Value* from, llvm::Value* to,
                                llvm::function_ref<void(llvm::Value*)> bindLast) {
  auto& b = f.builder();
  CountedLoop points = beginLoop(f, from, to, "i");
  bindLast(points.counter);
  tellItem(f, position_);
  if (!options_.places) accessGroup_ = llvm::MDNode::getDistinct(f.context(), {});
  if (kernel_.reduction) b.CreateStore(identity(f), term_);
  beginItem(f);
  emitPoint(f);
  f.branchTo(pointEnd_);
  endItem(f);
  pointEnd_->moveAfter(b.GetInsertBlock());
  f.placeAt(pointEnd_);
  if (kernel_.reduction) emitStep(f);
  endLoop(f, points, accessGroup_);
  accessGroup_ = nullptr;
  tellItem(f, nullptr);
}

llvm::Value* ForallLowering::identity(FunctionLowering& f) {
  return reduceIdentity(f, kernel_.reduction->op, kernel_.reduction->minMax, kernel_.reduction->isMinMax,
                        kernel_.reductionType);
}

void ForallLowering::emitBody(FunctionLowering& f) {
  auto& b = f.builder();
  size_t rank = kernel_.axes.size();
  // Where Return goes.
  pointEnd_ = f.newBlock("point.end");
  f.enterBody(kernel_.body, pointEnd_);
  KernelArguments arguments = bindArguments(f);
  if (kernel_.reduction) {
    llvm::Type* type = f.registerType(kernel_.reductionType);
    total_ = f.newAlloca(type, "total");
    term_ = f.newAlloca(type, "term");
    b.CreateStore(identity(f), total_);
  }
  llvm::SmallVector<llvm::Value*, 4> extents;
  for (size_t axis = 0; axis < rank; ++axis) extents.push_back(extentOf(f, arguments, axis));

  describeDomain(f, arguments, extents);

  auto bindAxis = [&](size_t axis, llvm::Value* coordinate) {
    Value variable = axisValue(f, arguments, axis, coordinate);
    if (axis < failedPoint_.size()) failedPoint_[axis] = f.wide(variable);
    f.bind(kernel_.axes[axis].variable, variable);
  };
  auto bindLast = [&](llvm::Value* coordinate) { bindAxis(rank - 1, coordinate); };

  if (rank == 1) {
    emitPoints(f, begin(), end(), [&](llvm::Value* coordinate) {
      position_ = coordinate;
      bindLast(coordinate);
    });
  } else {
    CountedLoop rows = beginLoop(f, begin(), end(), "row");
    auto coordinates = unflatten(f, rows.counter, llvm::ArrayRef(extents).drop_back());
    for (size_t axis = 0; axis + 1 < rank; ++axis) bindAxis(axis, coordinates[axis]);
    llvm::Value* row = b.CreateMul(rows.counter, extents.back());
    emitPoints(f, b.getInt64(0), extents.back(), [&](llvm::Value* coordinate) {
      position_ = b.CreateAdd(row, coordinate);
      bindLast(coordinate);
    });
    endLoop(f, rows);
  }

  if (kernel_.reduction) {
    llvm::Type* memory = f.memoryType(kernel_.reductionType);
    Value total = f.scalar(kernel_.reductionType, b.CreateLoad(total_->getAllocatedType(), total_));
    b.CreateStore(f.toMemory(total), b.CreateInBoundsGEP(memory, arguments.partials, chunk()));
  }
  f.leaveBody();
}

}  // namespace

void lowerNativeForall(const TypedProgram& program, const Kernel& kernel, llvm::Module& module,
                       const LowerOptions& options, const SpecKey& spec) {
  ForallLowering(program, kernel, module, options, spec).emit();
}

}  // namespace rad::cg

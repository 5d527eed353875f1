// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// forall kernels and reductions: counted loops over the points, the last axis innermost. Points do not depend on each other, which the
// innermost loop says to LLVM's vectoriser; a failed check records its point and goes on with the next one.
#include "codegen/host/native_kernel.h"

#include <llvm/IR/Operator.h>

namespace rad::cg {

namespace {

class ForallLowering final : public NativeKernelLowering {
 public:
  using NativeKernelLowering::NativeKernelLowering;

 protected:
  bool emitBody(FunctionLowering& f) override;
  void leaveFailed(FunctionLowering& f) override { f.builder().CreateBr(nextPoint_); }

 private:
  void emitPoint(FunctionLowering& f);
  llvm::BasicBlock* nextPoint_ = nullptr;
  llvm::AllocaInst* total_ = nullptr;  // reductions: of this chunk, register form
};

void ForallLowering::emitPoint(FunctionLowering& f) {
  auto& b = f.builder();
  f.run(kernel_.body.statements);
  if (f.terminated() || !kernel_.reduction) return;
  const Reduction& reduction = *kernel_.reduction;
  if (reduction.condition) {
    llvm::Value* wanted = f.evalCondition(reduction.condition);
    llvm::BasicBlock* counted = f.newBlock("counted");
    b.CreateCondBr(wanted, counted, nextPoint_);
    f.placeAt(counted);
  }
  llvm::Value* value = f.evalScalar(reduction.value);
  llvm::Value* sum = reduceStep(f, reduction.op, reduction.minMax, reduction.isMinMax, kernel_.reductionType,
                                b.CreateLoad(total_->getAllocatedType(), total_), value);
  // A sum has no promised order within a chunk, so that it may run in vector lanes.
  if (auto* step = llvm::dyn_cast<llvm::Instruction>(sum); step && step->getOpcode() == llvm::Instruction::FAdd && !kernel_.strict &&
                                                           options_.fp != FpMode::Strict)
    step->setHasAllowReassoc(true);
  b.CreateStore(sum, total_);
}

bool ForallLowering::emitBody(FunctionLowering& f) {
  auto& b = f.builder();
  size_t rank = kernel_.axes.size();
  // Where Return and failed checks go: the end of the point, before the loop knows of it.
  llvm::BasicBlock* point = f.newBlock("point.end");
  nextPoint_ = point;
  f.enterBody(kernel_.body, point);
  KernelArguments arguments = bindArguments(f);
  if (kernel_.reduction) {
    llvm::Type* type = f.registerType(kernel_.reductionType);
    total_ = f.newAlloca(type, "total");
    b.CreateStore(reduceIdentity(f, kernel_.reduction->op, kernel_.reduction->minMax, kernel_.reduction->isMinMax, kernel_.reductionType), total_);
  }
  llvm::SmallVector<llvm::Value*, 4> extents;
  for (size_t axis = 0; axis < rank; ++axis) extents.push_back(extentOf(f, arguments.low[axis], arguments.high[axis]));

  auto bindAxis = [&](size_t axis, llvm::Value* coordinate) {
    Value variable = axisValue(f, arguments.low[axis], arguments.high[axis], coordinate);
    if (axis < failedPoint_.size()) failedPoint_[axis] = f.wide(variable);
    f.bind(kernel_.axes[axis].variable, variable);
  };

  CountedLoop outer = beginLoop(f, begin(), end(), rank == 1 ? "i" : "row");
  CountedLoop inner = outer;
  if (rank > 1) {
    auto coordinates = unflatten(f, outer.counter, llvm::ArrayRef(extents).drop_back());
    for (size_t axis = 0; axis + 1 < rank; ++axis) bindAxis(axis, coordinates[axis]);
    inner = beginLoop(f, b.getInt64(0), extents.back(), "i");
  }
  bindAxis(rank - 1, inner.counter);
  accessGroup_ = llvm::MDNode::getDistinct(f.context(), {});
  emitPoint(f);
  f.branchTo(point);
  point->moveAfter(b.GetInsertBlock());
  f.placeAt(point);
  endLoop(f, inner, accessGroup_);
  accessGroup_ = nullptr;
  if (rank > 1) endLoop(f, outer);

  if (kernel_.reduction) {
    llvm::Type* memory = f.memoryType(kernel_.reductionType);
    Value total = f.scalar(kernel_.reductionType, b.CreateLoad(total_->getAllocatedType(), total_));
    b.CreateStore(f.toMemory(total), b.CreateInBoundsGEP(memory, arguments.partials, chunk()));
  }
  b.CreateRetVoid();
  f.leaveBody();
  return true;
}

}  // namespace

void lowerNativeForall(const TypedProgram& program, const Kernel& kernel, llvm::Module& module, const LowerOptions& options, const SpecKey& spec) {
  ForallLowering(program, kernel, module, options, spec).emit();
}

}  // namespace rad::cg

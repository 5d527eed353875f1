// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// forall kernels and reductions: threads to points.
//
// A thread has a number t in the grid. It takes `pointsPerThread` neighbouring points of one row, where a row is the
// last axis; the points that remain at a row's end are taken by a thread each. So a row of length n has
// n / pointsPerThread + n % pointsPerThread threads (runtime/launch/geometry.cpp counts the same), all accesses of a
// full chunk can become one, and there is no loop that the assembler would have to think about.
#include "codegen/nvptx/nvptx_target.h"

#include <llvm/IR/IntrinsicsNVPTX.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/Module.h>

#include <cassert>

namespace rad::cg {
namespace {

class ForallLowering {
 public:
  ForallLowering(FunctionLowering& f, NvptxTarget& target, const Kernel& kernel, const KernelArguments& arguments,
                 const GeometryManifest& geometry, const SpecKey& spec)
      : f_(f),
        b_(f.builder()),
        target_(target),
        kernel_(kernel),
        arguments_(arguments),
        points_(geometry.pointsPerThread),
        threads_(geometry.threadsPerBlock) {
    // Numbers of points and threads: below 2^31 in small launches.
    type_ = spec.small ? b_.getInt32Ty() : b_.getInt64Ty();
    for (size_t axis = 0; axis < kernel.axes.size(); ++axis) extents_.push_back(number(axisCount(f, arguments, axis)));
    fresh_ = f.saveSlots();
  }

  void run() {
    llvm::BasicBlock* done = f_.newBlock("done");
    llvm::Value* thread = threadNumber();
    if (points_ == 1) {
      llvm::BasicBlock* point = f_.newBlock("point");
      b_.CreateCondBr(b_.CreateICmpULT(thread, product(extents_)), point, done);
      f_.placeAt(point);
      decompose(thread);
      body(number(0), thread, done);
    } else {
      Chunk chunk = chunkOf(thread);
      llvm::BasicBlock* inside = chunk.inside ? f_.newBlock("inside") : nullptr;
      if (inside) {
        b_.CreateCondBr(chunk.inside, inside, done);
        f_.placeAt(inside);
        decompose(chunk.row);
      }
      splitChunk(
          chunk, done,
          [&](llvm::Value* first) {
            for (unsigned i = 0; i < points_; ++i)
              body(b_.CreateAdd(first, number(i), "", true, true), nullptr, nullptr);
          },
          [&](llvm::Value* point) { body(point, nullptr, done); });
    }
    done->moveAfter(&f_.function().back());
    f_.placeAt(done);
    b_.CreateRetVoid();
  }

  /// Every thread accumulates the points of its chunks, a grid apart; a block's result goes to partials[block].
  void reduce() {
    const Reduction& reduction = *kernel_.reduction;
    TypeId type = kernel_.reductionType;
    llvm::Value* identity = reduceIdentity(f_, reduction.op, reduction.minMax, reduction.isMinMax, type);
    // One accumulator for each point of a chunk: independent chains.
    llvm::SmallVector<llvm::AllocaInst*, 8> totals;
    for (unsigned i = 0; i < points_; ++i) {
      totals.push_back(f_.newAlloca(identity->getType(), "total"));
      b_.CreateStore(identity, totals.back());
    }
    auto accumulate = [&](unsigned which, llvm::BasicBlock* next) {
      f_.setReturnBlock(next);
      f_.run(kernel_.body.statements);
      if (f_.terminated()) return;
      if (reduction.condition) {
        llvm::BasicBlock* taken = f_.newBlock("taken");
        llvm::BasicBlock* after = next ? next : f_.newBlock("after");
        b_.CreateCondBr(f_.evalCondition(reduction.condition), taken, after);
        f_.placeAt(taken);
        add(reduction, type, totals[which]);
        f_.branchTo(after);
        if (!next) f_.placeAt(after);
        return;
      }
      add(reduction, type, totals[which]);
    };

    llvm::Value* first = threadNumber();
    llvm::Value* grid =
        b_.CreateIntrinsic(llvm::Intrinsic::nvvm_read_ptx_sreg_nctaid_x, llvm::ArrayRef<llvm::Value*>());
    llvm::Value* stride = b_.CreateMul(b_.CreateZExtOrTrunc(grid, type_), number(threads_), "", true, true);
    llvm::SmallVector<llvm::Value*, 4> sizes(extents_.begin(), extents_.end());
    if (points_ > 1) sizes.back() = threadsPerRow();
    llvm::Value* count = product(sizes);

    llvm::BasicBlock* before = b_.GetInsertBlock();
    llvm::BasicBlock* header = f_.newBlock("stride");
    llvm::BasicBlock* round = f_.newBlock("round");
    llvm::BasicBlock* next = f_.newBlock("next");
    llvm::BasicBlock* finish = f_.newBlock("finish");
    b_.CreateBr(header);
    f_.placeAt(header);
    llvm::PHINode* at = b_.CreatePHI(type_, 2, "at");
    at->addIncoming(first, before);
    b_.CreateCondBr(b_.CreateICmpULT(at, count), round, finish);
    f_.placeAt(round);
    if (points_ == 1) {
      decompose(at);
      bindPoint(number(0), at);
      accumulate(0, next);
      f_.branchTo(next);
    } else {
      Chunk chunk = chunkOf(at);
      if (chunk.inside) decompose(chunk.row);
      splitChunk(
          chunk, next,
          [&](llvm::Value* first) {
            for (unsigned i = 0; i < points_; ++i) {
              bindPoint(b_.CreateAdd(first, number(i), "", true, true), nullptr);
              accumulate(i, nullptr);
            }
          },
          [&](llvm::Value* point) {
            bindPoint(point, nullptr);
            accumulate(0, next);
          });
    }
    next->moveAfter(&f_.function().back());
    f_.placeAt(next);
    at->addIncoming(b_.CreateAdd(at, stride, "", true, false), next);
    b_.CreateBr(header);

    finish->moveAfter(&f_.function().back());
    f_.placeAt(finish);
    llvm::Value* total = b_.CreateLoad(identity->getType(), totals[0]);
    for (unsigned i = 1; i < points_; ++i)
      total = reduceStep(f_, reduction.op, reduction.minMax, reduction.isMinMax, type, total,
                         b_.CreateLoad(identity->getType(), totals[i]));
    total = target_.reduceBlock(f_, reduction.op, reduction.minMax, reduction.isMinMax, type, total);
    llvm::BasicBlock* write = f_.newBlock("write");
    llvm::BasicBlock* done = f_.newBlock("done");
    b_.CreateCondBr(b_.CreateICmpEQ(target_.threadIndex(f_), b_.getInt32(0)), write, done);
    f_.placeAt(write);
    llvm::Value* slot = b_.CreateZExt(target_.blockIndex(f_), b_.getInt64Ty(), "", /*IsNonNeg=*/true);
    llvm::Value* stored = f_.toMemory(f_.scalar(type, total));
    b_.CreateStore(stored, b_.CreateInBoundsGEP(stored->getType(), arguments_.partials, slot));
    b_.CreateBr(done);
    f_.placeAt(done);
    b_.CreateRetVoid();
  }

 private:
  struct Chunk {
    llvm::Value* row = nullptr;     // number of the row, flattened; null for rank 1
    llvm::Value* inRow = nullptr;   // the thread's number within the row
    llvm::Value* inside = nullptr;  // i1: the row exists; null for rank 1
  };

  llvm::MDNode* likely() { return llvm::MDBuilder(f_.context()).createLikelyBranchWeights(); }
  llvm::Value* number(uint64_t value) { return llvm::ConstantInt::get(type_, value); }
  llvm::Value* number(const Value& value) {
    if (type_->isIntegerTy(32))
      return value.scalar->getType()->isIntegerTy(32) ? value.scalar : b_.CreateTrunc(value.scalar, type_);
    return f_.wide(value);
  }
  llvm::Value* product(llvm::ArrayRef<llvm::Value*> factors) {
    llvm::Value* result = factors[0];
    for (llvm::Value* factor : factors.drop_front()) result = b_.CreateMul(result, factor, "", true, true);
    return result;
  }
  llvm::Value* threadNumber() {
    llvm::Value* block = b_.CreateZExtOrTrunc(target_.blockIndex(f_), type_);
    llvm::Value* thread = b_.CreateZExtOrTrunc(target_.threadIndex(f_), type_);
    return b_.CreateAdd(b_.CreateMul(block, number(threads_), "", true, true), thread, "", true, true);
  }

  llvm::Value* fullChunks() { return b_.CreateUDiv(extents_.back(), number(points_)); }
  llvm::Value* threadsPerRow() {
    return b_.CreateAdd(fullChunks(), b_.CreateURem(extents_.back(), number(points_)), "", true, true);
  }

  Chunk chunkOf(llvm::Value* thread) {
    Chunk chunk;
    chunk.inRow = thread;
    if (extents_.size() > 1) {
      llvm::Value* threads = threadsPerRow();
      chunk.row = b_.CreateUDiv(thread, threads);
      chunk.inRow = b_.CreateSub(thread, b_.CreateMul(chunk.row, threads, "", true, true), "", true, true);
      chunk.inside = b_.CreateICmpULT(chunk.row, product(llvm::ArrayRef<llvm::Value*>(extents_).drop_back()));
    }
    return chunk;
  }

  /// Sets the coordinates of a point from its number: of all axes for one point a thread, of all but the last for
  /// several.
  void decompose(llvm::Value* linear) {
    coordinates_.assign(extents_.size(), nullptr);
    size_t last = points_ == 1 ? extents_.size() : extents_.size() - 1;
    for (size_t axis = last; axis-- > 0;) {
      if (axis == 0) {
        coordinates_[0] = linear;
        break;
      }
      llvm::Value* quotient = b_.CreateUDiv(linear, extents_[axis]);
      coordinates_[axis] = b_.CreateSub(linear, b_.CreateMul(quotient, extents_[axis], "", true, true), "", true, true);
      linear = quotient;
    }
  }

  /// Binds the axis variables. `last` is the coordinate of the last axis where a thread has several
  /// points.
  void bindPoint(llvm::Value* last, llvm::Value* linear) {
    f_.restoreSlots(fresh_);
    target_.setPoint(linear);
    for (size_t axis = 0; axis < extents_.size(); ++axis) {
      bool isLast = axis + 1 == extents_.size();
      llvm::Value* coordinate = isLast && points_ > 1 ? last : coordinates_[axis];
      f_.bind(kernel_.axes[axis].variable, axisValue(f_, arguments_, axis, coordinate));
    }
  }

  /// `return` in the body goes to `next`; null where the body has none.
  void body(llvm::Value* last, llvm::Value* linear, llvm::BasicBlock* next) {
    bindPoint(last, linear);
    f_.setReturnBlock(next);
    f_.run(kernel_.body.statements);
    if (next) f_.branchTo(next);
  }

  /// `full` fills the code of a whole chunk and gets the coordinate of its first point, `single` that of a point which
  /// remains at the end of the row. Both go on to `done`.
  template <class Full, class Single>
  void splitChunk(const Chunk& chunk, llvm::BasicBlock* done, Full&& full, Single&& single) {
    llvm::BasicBlock* whole = f_.newBlock("full");
    llvm::BasicBlock* rest = f_.newBlock("rest");
    llvm::Value* chunks = fullChunks();
    b_.CreateCondBr(b_.CreateICmpULT(chunk.inRow, chunks), whole, rest, likely());
    f_.placeAt(whole);
    full(b_.CreateMul(chunk.inRow, number(points_), "", true, true));
    f_.branchTo(done);
    rest->moveAfter(&f_.function().back());
    f_.placeAt(rest);
    if (!chunk.inside) {  // the grid may have more threads than the only row
      llvm::BasicBlock* point = f_.newBlock("rest.point");
      b_.CreateCondBr(b_.CreateICmpULT(chunk.inRow, threadsPerRow()), point, done);
      f_.placeAt(point);
    }
    single(b_.CreateAdd(chunk.inRow, b_.CreateMul(chunks, number(points_ - 1), "", true, true), "", true, true));
    f_.branchTo(done);
  }

  void add(const Reduction& reduction, TypeId type, llvm::AllocaInst* total) {
    Value value = f_.eval(reduction.value);
    llvm::Value* operand = f_.isIndex(type) ? f_.wide(value) : value.scalar;
    llvm::Value* before = b_.CreateLoad(total->getAllocatedType(), total);
    b_.CreateStore(reduceStep(f_, reduction.op, reduction.minMax, reduction.isMinMax, type, before, operand), total);
  }

  FunctionLowering& f_;
  llvm::IRBuilder<>& b_;
  NvptxTarget& target_;
  const Kernel& kernel_;
  const KernelArguments& arguments_;
  unsigned points_, threads_;
  llvm::Type* type_ = nullptr;
  llvm::SmallVector<llvm::Value*, 4> extents_, coordinates_;
  std::vector<LocalSlot> fresh_;
};

}  // namespace

void lowerForall(FunctionLowering& f, NvptxTarget& target, const Kernel& kernel, const KernelArguments& arguments,
                 const GeometryManifest& geometry, const SpecKey& spec) {
  ForallLowering(f, target, kernel, arguments, geometry, spec).run();
}

void lowerReduction(FunctionLowering& f, NvptxTarget& target, const Kernel& kernel, const KernelArguments& arguments,
                    const GeometryManifest& geometry, const SpecKey& spec) {
  ForallLowering(f, target, kernel, arguments, geometry, spec).reduce();
}

}  // namespace rad::cg

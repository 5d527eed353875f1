// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Block kernels: the grid of blocks is linear, and so are the threads of a block; both are taken apart here.
#include "codegen/lower/shared_layout.h"
#include "codegen/nvptx/nvptx_target.h"

#include <llvm/IR/Module.h>

#include <cassert>

namespace rad::cg {
namespace {

void bindBlocks(FunctionLowering& f, NvptxTarget& target, const Kernel& kernel, const KernelArguments& arguments,
                const SpecKey& spec) {
  llvm::IRBuilder<>& b = f.builder();
  llvm::Type* type = spec.small ? b.getInt32Ty() : b.getInt64Ty();
  llvm::Value* linear = b.CreateZExtOrTrunc(target.blockIndex(f), type);
  for (size_t axis = kernel.axes.size(); axis-- > 0;) {
    llvm::Value* coordinate = linear;
    if (axis > 0) {
      llvm::Value* extent = f.wide(axisCount(f, arguments, axis));
      if (extent->getType() != type) extent = b.CreateTrunc(extent, type);
      llvm::Value* quotient = b.CreateUDiv(linear, extent);
      coordinate = b.CreateSub(linear, b.CreateMul(quotient, extent, "", true, true), "", true, true);
      linear = quotient;
    }
    f.bind(kernel.axes[axis].variable, axisValue(f, arguments, axis, coordinate));
  }
}

void bindThreads(FunctionLowering& f, NvptxTarget& target, const Kernel& kernel) {
  llvm::IRBuilder<>& b = f.builder();
  TypeId index = f.program().types->index();
  llvm::Value* linear = target.threadIndex(f);
  for (size_t axis = kernel.threads.size(); axis-- > 0;) {
    int64_t low = kernel.threadLow[axis], count = kernel.threadCount[axis];
    llvm::Value* coordinate = linear;
    if (axis > 0) {
      coordinate = b.CreateURem(linear, b.getInt32(static_cast<uint32_t>(count)));
      linear = b.CreateUDiv(linear, b.getInt32(static_cast<uint32_t>(count)));
    }
    Value variable = f.arithmetic(BinaryOp::Add, f.constantIndex(low), f.scalar(index, coordinate, {0, count - 1}), {});
    f.bind(kernel.threads[axis], variable);
  }
}

void bindShared(FunctionLowering& f, const Kernel& kernel) {
  SharedLayout layout = layoutShared(f.program(), kernel);
  llvm::GlobalVariable* whole = nullptr;
  auto make = [&](llvm::Type* type, const std::string& name, bool isDynamic) {
    auto* made = new llvm::GlobalVariable(
        f.module(), type, false, isDynamic ? llvm::GlobalValue::ExternalLinkage : llvm::GlobalValue::InternalLinkage,
        isDynamic ? nullptr : llvm::PoisonValue::get(type), name, nullptr, llvm::GlobalValue::NotThreadLocal, Shared);
    made->setAlignment(llvm::Align(16));
    return made;
  };
  llvm::IRBuilder<>& b = f.builder();
  if (layout.isDynamic) whole = make(llvm::ArrayType::get(b.getInt8Ty(), 0), kernel.symbol + "_shared_memory", true);
  for (size_t i = 0; i < kernel.shared.size(); ++i) {
    LocalId id = kernel.shared[i];
    const Local& local = kernel.body.locals[id.value];
    const Type& type = f.program().types->get(local.type);
    bool isView = type.kind == TypeKind::View;
    TypeId element = isView ? type.element : local.type;
    llvm::Value* address;
    if (whole) {
      address = b.CreateConstInBoundsGEP1_32(b.getInt8Ty(), whole, static_cast<unsigned>(layout.offsets[i]));
    } else {
      llvm::Type* memory = f.memoryType(element);
      uint64_t count = 1;
      for (uint64_t extent : local.sharedExtents) count *= extent;
      address = make(isView ? llvm::ArrayType::get(memory, count) : memory, kernel.symbol + "." + local.name, false);
    }
    if (!isView) {
      f.bindAddress(id, address, llvm::Align(16));
      continue;
    }
    auto view = std::make_shared<ViewValue>();
    view->base = address;
    view->element = element;
    view->align = llvm::Align(16);
    view->small = true;  // constant and far below 2^30
    for (uint64_t extent : local.sharedExtents) view->extents.push_back(f.constantIndex(static_cast<int64_t>(extent)));
    Value value;
    value.type = local.type;
    value.view = std::move(view);
    f.bind(id, std::move(value));
  }
}

}  // namespace

void lowerBlocks(FunctionLowering& f, NvptxTarget& target, const Kernel& kernel, const KernelArguments& arguments,
                 const SpecKey& spec) {
  bindBlocks(f, target, kernel, arguments, spec);
  bindThreads(f, target, kernel);
  bindShared(f, kernel);
  llvm::BasicBlock* done = f.newBlock("done");
  f.setReturnBlock(done);
  f.run(kernel.body.statements);
  f.branchTo(done);
  done->moveAfter(&f.function().back());
  f.placeAt(done);
  f.builder().CreateRetVoid();
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parameters of a compiled kernel (order: cg::KernelManifest), bound to the locals of its body.
#pragma once

#include "codegen/artifact/artifact.h"
#include "codegen/lower/function_lowering.h"

namespace rad::cg {

/// What a kernel's code needs besides its locals.
struct KernelArguments {
  llvm::SmallVector<Value, 4> low, high, step;  // of each axis, type index
  llvm::Value* partials = nullptr;              // reductions: address of the partial results
  llvm::Value* failureState = nullptr;          // address of the FailureState
  llvm::Value* serial = nullptr;                // i32
};

/// The LLVM types of a kernel's parameters, in manifest order. Views and states are pointers in `addressSpace`.
llvm::SmallVector<llvm::Type*, 16> kernelParameterTypes(const TypedProgram& program, const Kernel& kernel,
                                                        llvm::LLVMContext& context, unsigned addressSpace = 0);
/// Binds parameters and dimensions of the kernel, whose body must have been entered. `arguments`: one LLVM value for
/// each type of kernelParameterTypes (bool still as i8). `spec` says what is known of sizes and alignment.
KernelArguments bindKernelArguments(FunctionLowering& f, const Kernel& kernel, llvm::ArrayRef<llvm::Value*> arguments,
                                    const SpecKey& spec);
/// The number of values that an axis takes, of type index; the domain is not empty.
Value axisCount(FunctionLowering& f, const KernelArguments& arguments, size_t axis);
/// The distance of the point with number `coordinate` from the low end of its axis, in the type of `coordinate`, which
/// is wide enough.
llvm::Value* axisOffset(FunctionLowering& f, const KernelArguments& arguments, size_t axis, llvm::Value* coordinate);
/// The value of an axis' variable at the point with number `coordinate`.
Value axisValue(FunctionLowering& f, const KernelArguments& arguments, size_t axis, llvm::Value* coordinate);
/// A shape expression over bound dimensions and parameters, of type index. It never overflows: the launch has computed
/// it before.
Value evalShape(FunctionLowering& f, const Kernel& kernel, const ShapeExpr& expr, const SpecKey& spec);

/// The identity of a reduction or collective, and one step of it. `op`/`minMax` as in Collective and Reduction.
llvm::Value* reduceIdentity(FunctionLowering& f, BinaryOp op, Math minMax, bool isMinMax, TypeId type);
llvm::Value* reduceStep(FunctionLowering& f, BinaryOp op, Math minMax, bool isMinMax, TypeId type, llvm::Value* left,
                        llvm::Value* right);

/// What a failed uniform() tells: the value of the block's first thread and that of another one (as words), and where
/// the first one is, the last axis first.
llvm::SmallVector<llvm::Value*, 8> promiseValues(FunctionLowering& f, const Kernel& kernel, llvm::Value* first,
                                                 llvm::Value* other);

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// f16, bf16, f8e4m3 and f8e5m2 in LLVM code: kept as their bits (i16, i8), computed with as float. Where the target has
// no instruction that converts, integer arithmetic does; rounding is to nearest, ties to even, and happens once.
#pragma once

#include "codegen/lower/function_lowering.h"
#include "frontend/types/float_format.h"

namespace rad::cg {

inline bool isSmallFloat(Scalar scalar) { return isHalf(scalar) || isFloat8(scalar); }

/// A float of any type as float or double, and back.
llvm::Value* widenFloat(FunctionLowering& f, const Value& value);
Value narrowFloat(FunctionLowering& f, llvm::Value* value, TypeId to);
/// left % right of float or double: exact, with the sign of left.
llvm::Value* floatRemainder(FunctionLowering& f, llvm::Value* left, llvm::Value* right);

/// The number whose bits are given, as float: every small float is one.
llvm::Value* floatFromSmall(FunctionLowering& f, llvm::Value* bits, Scalar from);
/// The bits of a float (or double) rounded to a small float. Beyond the range: infinity; of f8e4m3 the largest number.
llvm::Value* smallFromFloat(FunctionLowering& f, llvm::Value* value, Scalar to);
/// The bits of an integer rounded to a small float.
llvm::Value* smallFromInteger(FunctionLowering& f, llvm::Value* integer, bool isSigned, Scalar to);
/// a * b + c of halves, rounded once; operands and result as bits.
llvm::Value* fusedSmall(FunctionLowering& f, Scalar scalar, llvm::ArrayRef<llvm::Value*> operands);

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What differs between the targets of the shared lowering: NVPTX kernels, native kernels, host script code.
#pragma once

#include "codegen/lower/value.h"
#include "frontend/sema/typed_program.h"

#include <llvm/ADT/ArrayRef.h>

namespace llvm {
class Instruction;
class Type;
}  // namespace llvm

namespace rad::cg {

class FunctionLowering;

/// The choices of one target. One instance serves one function at a time. FunctionLowering calls it; it calls back.
class TargetLowering {
 public:
  virtual ~TargetLowering();

  /// A check has failed in the builder's current block: record it, or report it, and leave. `value` and `extent` are
  /// i64 (null: not meaningful for the site's kind). Must end the current block with a terminator; FunctionLowering
  /// goes on elsewhere.
  virtual void emitFailure(FunctionLowering& f, SiteId site, llvm::Value* value, llvm::Value* extent) = 0;

  /// An assert with values in its message has failed: as emitFailure, with the values as words (i64).
  virtual void emitAssertFailure(FunctionLowering& f, SiteId site, llvm::ArrayRef<llvm::Value*> values);
  /// print in device code: the values as words (i64).
  virtual void emitPrint(FunctionLowering& f, SiteId site, llvm::ArrayRef<llvm::Value*> values);

  /// The floating-point function `op` of builtins.def, for operations whose `llvm` column is empty. All operands have
  /// one type, f32 or f64.
  virtual llvm::Value* emitMath(FunctionLowering& f, Math op, llvm::ArrayRef<llvm::Value*> operands) = 0;

  /// Float to integer, saturating, NaN gives 0. Null: use LLVM's saturating intrinsics.
  virtual llvm::Value* emitFloatToInteger(FunctionLowering& f, llvm::Value* value, Scalar to);

  /// `barrier()` in a block kernel. Targets that split kernels at barriers never let one come here.
  virtual void emitBarrier(FunctionLowering& f);
  /// block.sum/min/max of one value a thread; the result is the same in all threads of the block.
  virtual llvm::Value* emitCollective(FunctionLowering& f, const Collective& node, llvm::Value* value, TypeId type);

  /// atomic.* at `place`; the operands are in register form. Gives what was there before (null for a store; may be null
  /// where `isUsed` is false). Device code only.
  virtual llvm::Value* emitAtomic(FunctionLowering& f, const AtomicCall& node, const Place& place,
                                  llvm::ArrayRef<llvm::Value*> operands, bool isUsed);

  /// Called on each access to a local of the outermost body (not of inlined functions): the address that holds it now,
  /// or null: the shared lowering keeps it itself (immutable ones as values, others in stack memory). The memory holds
  /// the type's memory form (bool as i8, index as i64).
  virtual llvm::Value* storageOf(FunctionLowering& f, LocalId local);

  /// The memory of a place that only one target has (a variable of the script); false: there is none.
  virtual bool placeOf(FunctionLowering& f, TExprId place, Place& result);

  /// Whether elements of views have addresses here; else the target reads and writes them as values.
  virtual bool hasElementPlaces() const { return true; }

  /// Called for each expression and statement before the shared lowering: return true if done. What only one target has
  /// (script statements, strings, arrays, calls of real functions) is lowered here; the shared lowering asserts on it.
  virtual bool lowerExpr(FunctionLowering& f, TExprId expr, Value& result);
  virtual bool lowerStmt(FunctionLowering& f, TStmtId stmt);

  /// At the begin of each round of a loop that the program wrote.
  virtual void beginRound(FunctionLowering& f);

  /// Each load or store of a view's element, once made: for metadata.
  virtual void annotateAccess(FunctionLowering& f, llvm::Instruction* access);
};

}  // namespace rad::cg

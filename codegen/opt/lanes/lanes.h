// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops over items (points of a forall kernel, threads between two barriers) in vector lanes, with masks where lanes
// part.
//
// LLVM's loop vectoriser takes innermost loops without exits. This pass takes the others: items with loops inside,
// whose rounds differ from item to item; items with checks that may fail; items that call mathematical functions. 16 or
// 32 items run as one: a value is uniform (the same for all), strided (base + lane * constant), or a vector; branches
// that lanes may take differently become masks; loops run as long as a lane is left. A failed check leaves with the
// values of the first lane that failed.
#pragma once

#include <llvm/IR/PassManager.h>

namespace rad::cg {

/// The string in `llvm.loop` metadata of loops whose rounds are independent of each other, and which may leave only
/// through their end or because an item failed (then what other rounds have done does not matter).
inline constexpr const char* itemLoopMark = "raddle.items";
/// The named metadata of modules that hold kernels for CPU threads.
inline constexpr const char* hostKernelsMark = "raddle.kernels";
/// On calls of mathematical functions: no approximation by the vector library.
inline constexpr const char* exactMathMark = "raddle-exact";

/// On an atomic addition whose result nobody reads: !{i64 copies, i64 distance in bytes}. Any of the copies may take
/// it: it is all the same whether address, or address + k * distance with k below `copies`, is added to.
inline constexpr const char* counterCopiesMark = "raddle.copies";

class LanesPass : public llvm::PassInfoMixin<LanesPass> {
 public:
  llvm::PreservedAnalyses run(llvm::Function& function, llvm::FunctionAnalysisManager& analyses);
};

/// Calls of mathematical functions that are left: through the vector library too, so that a result does not depend on
/// whether an item ran in a vector or alone.
class VectorMathPass : public llvm::PassInfoMixin<VectorMathPass> {
 public:
  llvm::PreservedAnalyses run(llvm::Function& function, llvm::FunctionAnalysisManager& analyses);
};

/// Atomic operations among the items that one CPU thread runs (`singlethread`): plain ones. Not before LanesPass, which
/// has to know.
class LowerAlonePass : public llvm::PassInfoMixin<LowerAlonePass> {
 public:
  llvm::PreservedAnalyses run(llvm::Function& function, llvm::FunctionAnalysisManager& analyses);
};

/// Saturating conversions of vectors to integers, which LLVM's x86 back end would do one element after the other: a
/// conversion and three selections. Behind the passes that make vectors.
class VectorConversionPass : public llvm::PassInfoMixin<VectorConversionPass> {
 public:
  llvm::PreservedAnalyses run(llvm::Function& function, llvm::FunctionAnalysisManager& analyses);
};

}  // namespace rad::cg

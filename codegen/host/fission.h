// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Splitting a block kernel at its barriers, on the structured typed program. What lies between two barriers is a
// region, which runs for one thread after the other; a loop or branch that contains a barrier has uniform control and
// is kept once around its regions.
#pragma once

#include "codegen/codegen.h"
#include "frontend/sema/typed_program.h"

#include <unordered_map>
#include <vector>

namespace rad::cg {

/// A maximal run of statements without a barrier, and the operand of the collective behind them, if one follows
/// directly.
struct Region {
  std::vector<TStmtId> statements;
  TStmtId collective;          // none: the region ends otherwise
  std::vector<LocalId> used;   // of the kernel's locals: referred to (in order of first use), declared ones included
  std::vector<bool> declared;  // by local
  std::vector<bool> written;   // by local: declared, assigned or passed as `mut`
  bool returns = false;        // a thread may end in it
  bool inLoop = false;         // it runs again, with others around it
};

/// What lowering does at a statement outside of regions.
struct FissionStep {
  enum class Kind : uint8_t {
    RegionHead,    // run the whole region here
    RegionMember,  // has been run with its head
    Collective,    // reduce what the region stored; run the region first if it has no statements
    Nothing,       // a barrier: the end of the region before is one
    Control,       // once for the block: a loop, branch or scope with regions inside, break, continue
    Uniform,       // once for the block: it sets a uniform local from uniform values
  };
  Kind kind = Kind::Nothing;
  unsigned region = 0;
};

/// Where a local of the kernel lives.
enum class LocalHome : uint8_t {
  Block,   // parameters, dimensions, axes, shared memory, variables of split loops, results of collectives: one value a
           // block
  Region,  // used in one region only
  Uniform,    // lives across regions, the same in all threads: one memory cell a block
  Recompute,  // lives across regions, immutable and cheap to compute again from what is at hand
  Spilled,    // lives across regions: an array with an element for each thread
};

struct FissionPlan {
  std::vector<Region> regions;
  std::unordered_map<uint32_t, FissionStep> steps;  // by TStmtId
  std::vector<LocalHome> homes;                     // by LocalId
  std::vector<TExprId> initializers;                // by LocalId: of its one declaration, if that has a value
  bool endsEarly = false;                           // threads may end while there are still regions to run
};

/// A region that is one `if` on the number of the thread (`if t < w { ... }`): its loops need to run over some threads
/// only.
struct ThreadBound {
  unsigned axis = 0;
  BinaryOp op = BinaryOp::Lt;  // thread op value: Lt, Le, Gt, Ge, Eq
  TExprId value;               // the same for all threads, computed without memory and without a way to fail
};
struct NarrowRegion {
  const If* branch = nullptr;       // null: the region is none
  std::vector<ThreadBound> bounds;  // hold for the threads that take the branch
  std::vector<TExprId> conditions;  // what is left to ask, in order
};
NarrowRegion narrowRegion(const TypedProgram& program, const Kernel& kernel, const FissionPlan& plan,
                          const Region& region);

/// The shared arrays and variables that a region only adds integers to by atomic operations, in a loop, without asking
/// what they held.
std::vector<LocalId> sharedCounters(const TypedProgram& program, const Kernel& kernel, const Region& region);

/// Plans a block kernel. Fails where a barrier stands where splitting cannot reach it.
CodegenResult<FissionPlan> planFission(const TypedProgram& program, const Kernel& kernel);

}  // namespace rad::cg

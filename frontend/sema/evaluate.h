// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Evaluation while compiling: an interpreter of typed expressions and of the functions that they call.
#pragma once

#include "frontend/sema/const_value.h"
#include "frontend/sema/typed_program.h"

#include <expected>
#include <functional>
#include <span>
#include <string>

namespace rad::sema {

/// Why an expression has no value while compiling.
struct EvaluationFailure {
  enum class Kind : uint8_t {
    NotConstant,  // it needs something that is there only while the program runs
    Failed,       // a check failed: an index, an assertion, a division, an overflow
    Steps,        // it took more than maxEvaluationSteps
    Depth,        // calls and expressions inside each other went too deep
    Broken,       // it calls a function with a mistake, which was reported there
  };
  Kind kind = Kind::NotConstant;
  Range range;              // where
  std::string reason;       // what it was: "`n` gets its value while the program runs"
  std::string parameter{};  // the parameter of the function or kernel at hand that is not known
};

/// What became of a function's body: it was checked, has not been so far, or has a mistake.
enum class BodyState : uint8_t { Checked, Missing, Broken };

/// Expressions, statements and copied elements, counted one by one. A bound for time: evaluation always ends.
inline constexpr uint64_t maxEvaluationSteps = 4'000'000;
/// Calls, statements and expressions inside each other.
inline constexpr unsigned maxEvaluationDepth = 2000;

/// The value of `expr`, behind the statements `before` it (declarations that belong to it). Integers, floats, bools,
/// and vectors, array values and tuples of them (ConstValue::Kind::Items). Arithmetic is that of the side that the code
/// was checked for: host code fails where signed integers overflow, device code wraps. Floats are rounded as at run
/// time, sums of products are not contracted, and library functions are the host's, rounded to the type. `bodyOf`: what
/// became of a function's body.
std::expected<ConstValue, EvaluationFailure> evaluate(const TypedProgram& program, const Body& body,
                                                      std::span<const TStmtId> before, TExprId expr,
                                                      const std::function<BodyState(FunctionId)>& bodyOf);

}  // namespace rad::sema

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which index checks cannot fail: a walk over finished bodies that collects facts about whole numbers (sizes, points,
// loop variables, what variables hold) from domains, ranges and conditions, and asks for each index whether 0 <= i <
// extent follows. Values are those that the program computes: a form stands for an expression only where its arithmetic
// cannot wrap.
//
// bounds.cpp walks, bounds_values.cpp turns expressions into forms, bounds_loops.cpp follows variables through branches
// and loops.
#pragma once

#include "frontend/sema/facts.h"
#include "frontend/sema/typed_program.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace rad::sema {

/// What a launch accepts as a size, and as the product of the sizes of an array that are not 0
/// (runtime/launch/binding.h).
constexpr Wide largestExtent = Wide{1} << 48;

/// Functions for devices become part of their callers, so what holds at every call holds in the body. Collected over
/// all bodies of a unit, then written down.
struct CalleeChecks {
  /// By expression and dimension: whether each walk so far proved the check.
  std::map<std::pair<uint32_t, unsigned>, bool> proven;
  /// Statements that may still be walked on behalf of calls; at 0 nothing is concluded about any body.
  size_t budget = 200'000;
  bool verifyProofs = false;  // keep what is proven, with a place that says so
};

class BoundsProver {
 public:
  BoundsProver(TypedProgram& program, Body& body, Side side, CalleeChecks& callees)
      : program_(program), types_(*program.types), body_(&body), side_(side), callees_(callees) {}

  void kernel(Kernel& kernel);
  void body() { block(body_->statements); }

 private:
  using Extents = std::map<std::pair<uint32_t, unsigned>, Linear>;

  // ---- values as forms: bounds_values.cpp ----
  std::optional<Scalar> scalarOf(TypeId id) const;
  Interval rangeOf(TypeId id) const;
  Linear fresh(Interval range) { return Linear::of(facts_.fresh(range)); }
  Linear anyOf(TypeId id) { return fresh(rangeOf(id)); }
  bool isNotNegative(const Linear& form) { return facts_.range(form).low >= 0 || facts_.prove(form); }
  Linear exact(const Linear& form, TypeId type, bool wrapIsFailure = false);
  Atom point(const Linear& low, const Linear& high, Scalar scalar);
  Linear divide(const Linear& value, Wide divisor, TypeId type);
  Linear remainder(const Linear& value, const Linear& divisor, TypeId type);
  Linear product(const Linear& a, const Linear& b);
  Linear least(const Linear& a, const Linear& b);
  Linear greatest(const Linear& a, const Linear& b);
  Linear shape(const ShapeExpr& size, const Kernel& kernel);
  bool isFixed(LocalId id) const;
  bool isVariable(LocalId id) const;
  Linear local(LocalId id);
  Linear extent(TExprId view, unsigned dim);
  Linear value(TExprId id);
  Linear result(const CallFunction& call, TypeId type);
  Linear resultOf(std::span<const TStmtId> statements);
  Linear either(TExprId condition, TExprId a, TExprId b);
  Linear either(TExprId condition, const std::function<Linear()>& a, const std::function<Linear()>& b);
  Linear arithmetic(const Arithmetic& node, TypeId type);
  Linear arithmetic(BinaryOp op, const Linear& a, const Linear& b, TypeId type, bool fails);
  void assume(TExprId id, bool truth);
  bool readsVariables(TExprId id) const;
  std::optional<Atom> monomial(Atom a, Atom b);
  void multiplyFacts(Atom monomial);

  // ---- variables: bounds_loops.cpp ----
  struct Loop {
    struct Bound {
      uint32_t variable;
      bool isUp;  // never below `start`; else never above
      Linear start;
      bool holds = true;
    };
    std::vector<Bound> bounds;
    bool hasBreak = false;
  };
  using Changes = std::map<uint32_t, Linear>;
  void set(LocalId id, const Linear& form);
  void forget(LocalId id);
  /// Undoes what was set since the mark, and says what it was.
  Changes takeBack(size_t mark);
  void apply(const Changes& changes);
  void join(const Changes& a, const std::vector<Linear>& whenA, const Changes& b, const std::vector<Linear>& whenB);
  const std::set<uint32_t>& assignedIn(TStmtId loop);
  void collectAssigned(TStmtId id, std::set<uint32_t>& found, std::map<uint32_t, unsigned>& ways);
  void collectAssigned(TExprId id, std::set<uint32_t>& found, std::map<uint32_t, unsigned>& ways);
  void noteAssigned(TExprId place, unsigned way, std::set<uint32_t>& found, std::map<uint32_t, unsigned>& ways) const;
  std::vector<Loop::Bound> likelyBounds(TStmtId id);
  void loosen(TStmtId id, const std::vector<Loop::Bound>& bounds);
  Loop turn(TStmtId id, const std::vector<TStmtId>& body, const std::vector<Loop::Bound>& bounds,
            const std::function<void()>& enter);
  void loop(TStmtId id, const std::vector<TStmtId>& body, const std::function<void()>& enter,
            const std::function<void()>& leave);
  void checkLoopBounds();

  // ---- the walk: bounds.cpp ----
  bool isProven(TExprId index, const Linear& extent);
  void conclude(TExprId id, unsigned dim, Check& check, SiteId& site, bool proven);
  /// Has a launch decide on an index that is a point of the domain plus a constant.
  bool leaveToLaunch(const ViewElement& node, unsigned dim);
  void walk(TExprId id);
  /// False if a variable was assigned on the way: then what was walked cannot be evaluated again.
  bool walkSteady(TExprId id);
  void walkElement(TExprId id);
  void walkSlice(TExprId id);
  void walkCall(const CallFunction& call);
  void assign(const Assign& node);
  bool ends(const std::vector<TStmtId>& ids) const;
  void block(const std::vector<TStmtId>& ids);
  void statements(const std::vector<TStmtId>& ids);
  void statement(TStmtId id);
  void branch(const If& node);
  void declare(const Declare& node);

  TypedProgram& program_;
  TypeTable& types_;
  Body* body_;
  Kernel* kernel_ = nullptr;
  unsigned callDepth_ = 0;
  unsigned trialDepth_ = 0;  // inside of walks that only try whether bounds of variables hold
  Side side_;
  CalleeChecks& callees_;
  FactBase facts_;
  std::map<uint32_t, Linear> values_;                                // immutable locals, and what variables hold now
  Extents extents_;                                                  // of views that never change
  std::map<uint32_t, TExprId> conditions_;                           // `let inside = ...`
  unsigned conditionDepth_ = 0;  // of conditions that are being looked at inside of conditions
  std::vector<std::pair<uint32_t, std::optional<Linear>>> journal_;  // what variables held before they were set
  size_t assignments_ = 0;
  std::vector<Loop> loops_;
  std::map<uint32_t, std::pair<std::set<uint32_t>, std::map<uint32_t, unsigned>>> assigned_;  // by loop statement
  std::map<std::vector<Atom>, Atom> monomials_;  // products of values, by their sorted factors
  std::map<Atom, std::vector<Atom>> factors_;
  bool multiplying_ = false;
};

}  // namespace rad::sema

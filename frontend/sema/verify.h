// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks the promises of typed_program.h. Runs over a finished unit, before lowering. verify.cpp has statements and
// bodies, verify_expressions.cpp expressions.
#pragma once

#include "frontend/sema/typed_program.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace rad::sema {

/// The locals that are declared at a place; leaving a block takes back what it declared.
class Declared {
 public:
  void insert(uint32_t local) {
    if (local >= is_.size()) is_.resize(local + 1);
    if (is_[local]) return;
    is_[local] = true;
    order_.push_back(local);
  }
  bool contains(uint32_t local) const { return local < is_.size() && is_[local]; }
  size_t mark() const { return order_.size(); }
  void leave(size_t mark) {
    for (; order_.size() > mark; order_.pop_back()) is_[order_.back()] = false;
  }
  void clear() { leave(0); }

 private:
  std::vector<bool> is_;
  std::vector<uint32_t> order_;
};

class Verifier {
 public:
  explicit Verifier(const TypedProgram& program) : program_(program), types_(*program.types) {}

  /// What is wrong first; empty if nothing is.
  std::string run();

 private:
  void fail(std::string text) {
    if (error_.empty()) error_ = fmt::format("in {}: {}", where_, text);
  }
  bool require(bool ok, std::string_view text) {
    if (!ok) fail(std::string(text));
    return ok;
  }

  const Type& type(TypeId id) const { return types_.get(id); }
  bool isScalar(TypeId id) const { return type(id).kind == TypeKind::Scalar; }
  bool isBool(TypeId id) const { return id == types_.boolean(); }
  bool isNumber(TypeId id) const { return isScalar(id) && !isBool(id); }
  bool isWhole(TypeId id) const { return isScalar(id) && isInteger(type(id).scalar); }
  bool isView(TypeId id) const { return type(id).kind == TypeKind::View; }
  /// The type itself, or that of a vector's elements.
  TypeId numberOf(TypeId id) const { return type(id).kind == TypeKind::Vector ? type(id).element : id; }
  std::string spell(TypeId id) const { return types_.spell(id); }
  /// A view with write access may stand where a read-only one is wanted.
  bool suits(TypeId value, TypeId wanted) const {
    if (value == wanted) return true;
    return isView(value) && isView(wanted) && type(value).element == type(wanted).element &&
           type(value).rank == type(wanted).rank && type(value).strided == type(wanted).strided &&
           (type(value).writable || !type(wanted).writable);
  }
  bool wantType(TExprId id, TypeId wanted, std::string_view what) {
    if (!require(static_cast<bool>(id), fmt::format("{} is missing", what))) return false;
    return require(suits(program_.expr(id).type, wanted),
                   fmt::format("{} is {}, not {}", what, spell(program_.expr(id).type), spell(wanted)));
  }
  bool wantSite(SiteId id, std::string_view what) {
    return require(id.value < program_.sites.size(), fmt::format("{} has no site", what));
  }
  bool host(std::string_view what) { return require(side_ == Side::Host, fmt::format("{} in device code", what)); }

  // ---- expressions ----
  TypeId at(TExprId id);
  bool constantInRange(const ConstInt& node, TypeId id) const;
  void check(const ConstInt& node, const TExpr& e);
  void check(const ConstFloat& node, const TExpr& e);
  void check(const ConstString&, const TExpr& e);
  void check(const LocalRef& node, const TExpr& e);
  void check(const GlobalRef& node, const TExpr& e);
  void check(const ViewElement& node, const TExpr& e);
  void check(const ViewSlice& node, const TExpr& e);
  void check(const ViewExtent& node, const TExpr& e);
  void check(const ViewFlat& node, const TExpr& e);
  /// What the elements of a vector or array value are; the error type of anything else.
  TypeId elementOf(TypeId id) const;
  void check(const MakeElements& node, const TExpr& e);
  void check(const ElementOf& node, const TExpr& e);
  void check(const ElementSlice& node, const TExpr& e);
  void check(const Swizzle& node, const TExpr& e);
  void check(const Negate& node, const TExpr& e);
  void check(const LogicNot& node, const TExpr& e);
  void check(const BitNot& node, const TExpr& e);
  void arithmetic(BinaryOp op, TypeId result, TypeId right);
  void check(const Arithmetic& node, const TExpr& e);
  void check(const Compare& node, const TExpr& e);
  void check(const Logic& node, const TExpr& e);
  void check(const Convert& node, const TExpr& e);
  void check(const Bitcast& node, const TExpr& e);
  void check(const Select& node, const TExpr& e);
  void check(const MathCall& node, const TExpr& e);
  void check(const AtomicCall& node, const TExpr& e);
  void check(const CallFunction& node, const TExpr& e);
  void check(const BlockValue& node, const TExpr& e);
  void check(const IfValue& node, const TExpr& e);
  void check(const MakeTuple& node, const TExpr& e);
  void check(const TupleItem& node, const TExpr& e);
  void check(const NewArray& node, const TExpr& e);
  void check(const ReadFile& node, const TExpr& e);
  void check(const ReadText& node, const TExpr& e);
  void check(const FormatText& node, const TExpr& e);
  void check(const TextLength& node, const TExpr& e);
  void check(const TextEqual& node, const TExpr& e);
  void check(const CopyArray& node, const TExpr& e);
  void check(const ArgumentCount&, const TExpr& e);
  void check(const ArgumentText& node, const TExpr& e);
  void check(const ParseNumber& node, const TExpr& e);
  void check(const Clock&, const TExpr& e);
  void check(const BenchAgain& node, const TExpr& e);
  void check(const TargetFact& node, const TExpr& e);
  void check(const DeviceFact& node, const TExpr& e);
  void check(const HostReduce& node, const TExpr& e);
  void kernelArguments(const Kernel& kernel, const std::vector<TExprId>& arguments);

  // ---- statements ----
  void place(TExprId id, bool allowsSlice);
  void sequence(const std::vector<TStmtId>& statements);
  void block(const std::vector<TStmtId>& statements);
  void check(const Declare& node);
  void check(const Assign& node);
  void check(const Evaluate& node);
  void check(const If& node);
  void check(const While& node);
  void check(const For& node);
  void check(const Break&);
  void check(const Continue&);
  void check(const Return& node);
  void check(const Scope& node);
  void check(const Barrier&);
  void check(const Collective& node);
  void check(const Assert& node);
  void check(const Print& node);
  /// What fills a message: in device code a few scalars whose types the site knows.
  void texts(const std::vector<TExprId>& arguments, SiteId site);
  void check(const Launch& node);
  void check(const LaunchOpen& node);
  template <class Id>
  void bind(TExprId view, const std::vector<Id>& extents, const std::vector<TExprId>& expected,
            const std::vector<SiteId>& sites);
  void check(const BindView& node);
  void check(const BindGlobals& node);
  void check(const WriteFile& node);
  void check(const WriteText& node);
  void check(const Sync& node);

  // ---- bodies ----
  bool ends(const std::vector<TStmtId>& statements) const;
  void function(const Function& function);
  void shape(const ShapeExpr& shape, const Kernel& kernel);
  void kernel(const Kernel& kernel);

  const TypedProgram& program_;
  TypeTable& types_;
  const Body* body_ = nullptr;
  Side side_ = Side::Host;
  TypeId result_;
  bool inScript_ = false, isBlocks_ = false, mayBarrier_ = false;
  unsigned loops_ = 0, depth_ = 0;
  Declared declared_;
  std::string where_, error_;
};

}  // namespace rad::sema

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The shared lowering of expressions and statements: one FunctionLowering fills one LLVM function. Device functions are
// lowered into their callers, so that a failed check can end the thread from any depth.
#pragma once

#include "codegen/artifact/artifact.h"
#include "codegen/codegen.h"
#include "codegen/lower/access_places.h"
#include "codegen/lower/debug_lines.h"
#include "codegen/lower/target_lowering.h"
#include "codegen/lower/value.h"
#include "frontend/sema/typed_program.h"

#include <llvm/IR/IRBuilder.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace rad::cg {

/// How code is to be made, the same for all functions of a module.
struct LowerOptions {
  FpMode fp = FpMode::Default;
  bool unchecked = false;  // leave out index checks
  bool inRange = false;    // and those that the launch has decided (SpecKey::inRange)
  /// Keep `index` values in 32 bits where intervals prove that nothing is lost (GPUs: 64-bit arithmetic is slow).
  bool narrowIndices = false;
  /// Compare the values of uniform() among the threads of a block (GPUs; CPU threads always do).
  bool checkUniform = false;
  /// CPU threads: the debug information of the module, if it gets some.
  DebugLines* lines = nullptr;
  /// --check on CPU threads: instructions are marked with where they come from.
  AccessPlaces* places = nullptr;
  /// Host statements: loops end when the session is interrupted.
  bool interruptible = false;
  /// Unroll short loops with constant bounds in full.
  bool unrollConstantLoops = false;
  /// The compute capability that the code is for (90 for sm_90a); 0: it is for a processor.
  unsigned capability = 0;
};

/// Where a local lives. Exactly one of the forms.
struct LocalSlot {
  enum class Form : uint8_t { Empty, Value, Address } form = Form::Empty;
  cg::Value value;                 // Value: immutable
  llvm::Value* address = nullptr;  // Address: memory form of the local's type
  llvm::Align align{1};
  bool isElement = false;  // Address: a `mut` parameter bound to an element of a view
};

/// Fills one LLVM function. Not thread-safe; uses the context of the function.
///
/// Use: construct, place builder() in a block, enterBody(body), bind() parameters, run(statements). After run() the
/// current block may have a terminator (terminated()): a path that returned or failed.
class FunctionLowering {
 public:
  FunctionLowering(const TypedProgram& program, const LowerOptions& options, TargetLowering& target,
                   llvm::Function& function, DebugLines* lines = nullptr);

  // ---- the function being filled ----
  llvm::IRBuilder<>& builder() { return builder_; }
  llvm::LLVMContext& context() { return builder_.getContext(); }
  llvm::Function& function() { return function_; }
  llvm::Module& module() { return *function_.getParent(); }
  const TypedProgram& program() const { return program_; }
  const LowerOptions& options() const { return options_; }
  TargetLowering& target() { return target_; }
  /// A new block at the end of the function; the builder stays where it is.
  llvm::BasicBlock* newBlock(const char* name);
  /// Jumps to `block` unless the current block has ended.
  void branchTo(llvm::BasicBlock* block);
  void placeAt(llvm::BasicBlock* block) { builder_.SetInsertPoint(block); }
  /// True if the current block already has a terminator: code behind it is never reached.
  bool terminated() const;
  /// Stack memory in the entry block.
  llvm::AllocaInst* newAlloca(llvm::Type* type, const llvm::Twine& name);
  /// The place that following instructions belong to, for line tables and for messages.
  void setPlace(Range range);
  /// For debuggers: a copy of what an immutable local holds, or the memory of another, under its name.
  void showLocal(LocalId local);

  // ---- bodies and locals ----
  /// Starts a body: its locals are empty, Return jumps to `returnBlock` after storing the value to `resultAddress`
  /// (memory form; null if Unit, and for inlined calls). Bodies nest: an inlined call enters one more.
  void enterBody(const Body& body, llvm::BasicBlock* returnBlock, llvm::Value* resultAddress = nullptr);
  void leaveBody();
  /// Where Return of the current body jumps from now on.
  void setReturnBlock(llvm::BasicBlock* block) { frames_.back().returnBlock = block; }
  const Body& body() const { return *frames_.back().body; }
  /// True inside a function that is lowered into its caller.
  bool inInlinedCall() const { return frames_.size() > 1; }
  const Local& local(LocalId id) const { return body().locals[id.value]; }
  /// Gives a local an immutable value, or memory. A slot may be bound again (host fission, unrolled points).
  void bind(LocalId local, Value value);
  void bindAddress(LocalId local, llvm::Value* address, llvm::Align align);
  LocalSlot& slot(LocalId local) { return frames_.back().slots[local.value]; }
  /// Where all locals of the current body live: to lower the body again from the same start (several points a thread,
  /// regions).
  std::vector<LocalSlot> saveSlots() const { return frames_.back().slots; }
  void restoreSlots(std::vector<LocalSlot> slots) { frames_.back().slots = std::move(slots); }
  /// The local's value now.
  Value readLocal(LocalId local);
  /// Sets a local: its memory, or, for one that is assigned once, its value.
  void writeLocal(LocalId local, const Value& value);

  // ---- statements ----
  void run(std::span<const TStmtId> statements);
  void run(TStmtId statement);
  /// Statements of a block: what they declare is seen in it only.
  void runBlock(std::span<const TStmtId> statements);
  /// Break and Continue jump here until popLoop().
  void pushLoop(llvm::BasicBlock* breakBlock, llvm::BasicBlock* continueBlock);
  void popLoop();

  // ---- expressions ----
  Value eval(TExprId expr);
  /// A scalar in register form: bool i1, index i64 (never narrow), others their own type.
  llvm::Value* evalScalar(TExprId expr);
  /// i1.
  llvm::Value* evalCondition(TExprId expr) { return evalScalar(expr); }
  /// The address of a place: a variable or an element, with the element's checks made.
  Place evalPlace(TExprId place);
  Value load(const Place& place);
  void store(const Place& place, const Value& value);
  /// `left op right` (Add ... Shr) of one scalar type; `site` as in Arithmetic.
  Value arithmetic(BinaryOp op, const Value& left, const Value& right, SiteId site);
  Value compare(BinaryOp op, const Value& left, const Value& right);
  Value convert(const Value& value, TypeId to);
  Value mathCall(Math op, std::span<const Value> operands);
  /// The element's address; indices are checked as `checks` says (Checked needs a site).
  Place elementPlace(const ViewValue& view, std::span<const Value> indices, std::span<const Check> checks,
                     std::span<const SiteId> sites);
  /// The place of one element of a vector or array in memory; the index is in range.
  Place elementOf(const Place& whole, const Value& index);
  /// The place of a member of a tuple or struct in memory.
  Place memberOf(const Place& whole, unsigned position);
  Place sliceOf(const Place& whole, const ElementSlice& slice, TypeId part);
  /// The index of an element of a vector or array of type `whole`, its check made.
  Value checkedElement(TypeId whole, const ElementOf& node);
  /// The number of a view's elements, of type index.
  Value elementCount(const ViewValue& view);
  /// Tells the target of a failure unless `ok` (i1) holds; the builder goes on where it holds. value, extent: i64 or
  /// null.
  void check(llvm::Value* ok, SiteId site, const Value* value = nullptr, const Value* extent = nullptr);
  /// Fails without condition; the current block is ended.
  void fail(SiteId site, const Value* value = nullptr, const Value* extent = nullptr);

  // ---- values ----
  Value scalar(TypeId type, llvm::Value* value, Interval range = {});
  Value constantIndex(int64_t value);
  Value constantBool(bool value);
  /// An index from an i64 of which `range` is known: narrow if options say so and it fits.
  Value indexFrom(llvm::Value* i64, Interval range);
  /// The value as i64 (index and integers of at most 64 bits, extended by their signedness).
  llvm::Value* wide(const Value& value);
  /// Scalars of a typed program's type in registers (i1, i8, ..., float) and in memory (bool: i8).
  llvm::Type* registerType(TypeId type);
  llvm::Type* memoryType(TypeId type);
  /// How values of a type are aligned in memory: naturally, vectors by their size up to 16 bytes.
  llvm::Align alignOf(TypeId type);
  /// Stack memory that holds a copy of an array value, to be changed.
  llvm::AllocaInst* newMemory(TypeId type, const llvm::Twine& name) { return newAlloca(memoryType(type), name); }
  Scalar scalarOf(TypeId type) const { return program_.types->get(type).scalar; }
  bool isIndex(TypeId type) const { return type == program_.types->index(); }
  /// Register form to memory form and back.
  llvm::Value* toMemory(const Value& value);
  Value fromMemory(TypeId type, llvm::Value* value);
  /// Floating-point flags for the current function.
  llvm::FastMathFlags fastMathFlags() const;
  void setFpMode(FpMode mode);

 private:
  struct Loop {
    llvm::BasicBlock* onBreak;
    llvm::BasicBlock* onContinue;
  };
  struct Frame {
    const Body* body;
    std::vector<LocalSlot> slots;
    llvm::BasicBlock* returnBlock;
    llvm::Value* resultAddress;
    std::vector<Loop> loops;
    std::vector<std::pair<Value, llvm::BasicBlock*>> returns;  // where there is no resultAddress
    unsigned number = 0;                                       // of the calls that were lowered into this function
  };

  // One overload for each node that the shared lowering knows; the rest belong to the target's hooks.
  // lower_expr.cpp
  Value lower(const TExpr& expr, const ConstInt& node);
  Value lower(const TExpr& expr, const ConstFloat& node);
  Value lower(const TExpr& expr, const LocalRef& node);
  Value lower(const TExpr& expr, const TargetFact& node);
  Value lower(const TExpr& expr, const LogicNot& node);
  Value lower(const TExpr& expr, const Logic& node);
  Value lower(const TExpr& expr, const Select& node);
  Value choose(const Value& condition, Value yes, Value no);
  Value lower(const TExpr& expr, const BlockValue& node);
  Value lower(const TExpr& expr, const IfValue& node);
  Value lower(const TExpr& expr, const MakeTuple& node);
  Value lower(const TExpr& expr, const TupleItem& node);
  template <class Node>
  Value lower(const TExpr& expr, const Node& node);  // script only
  /// One value of those that arrive from several blocks, in their common form; starts at `block`.
  Value join(TypeId type, llvm::SmallVectorImpl<std::pair<Value, llvm::BasicBlock*>>& incoming,
             llvm::BasicBlock* block);
  Value merge(TypeId type, llvm::ArrayRef<std::pair<Value, llvm::BasicBlock*>> incoming);
  // lower_arith.cpp
  Value lower(const TExpr& expr, const Negate& node);
  Value negate(const Value& operand, SiteId overflow);
  Value lower(const TExpr& expr, const BitNot& node);
  Value lower(const TExpr& expr, const Arithmetic& node);
  Value lower(const TExpr& expr, const Compare& node);
  Value indexArithmetic(BinaryOp op, const Value& left, const Value& right, SiteId site);
  Value integerArithmetic(BinaryOp op, const Value& left, const Value& right, SiteId site);
  Value floatArithmetic(BinaryOp op, const Value& left, const Value& right);
  llvm::Value* divide(BinaryOp op, llvm::Value* left, llvm::Value* right, bool isSigned, const Interval& leftRange,
                      const Interval& rightRange);
  bool traps(SiteId site) const { return site && program_.sites[site.value].kind == SiteKind::Overflow; }
  // lower_convert.cpp
  Value lower(const TExpr& expr, const Convert& node);
  Value lower(const TExpr& expr, const Bitcast& node);
  Value bitcast(const Value& value, TypeId to);
  Value floatToInteger(const Value& value, TypeId to);
  // lower_math.cpp
  Value lower(const TExpr& expr, const MathCall& node);
  // lower_atomic.cpp
  Value lower(const TExpr& expr, const AtomicCall& node);
  Value atomic(const TExpr& expr, const AtomicCall& node, bool isUsed);
  // lower_call.cpp
  Value lower(const TExpr& expr, const CallFunction& node);
  Value callInline(const Function& function, const CallFunction& node);
  Value callExtern(const Function& function, const CallFunction& node);
  // lower_view.cpp
  Value lower(const TExpr& expr, const ViewElement& node);
  Value lower(const TExpr& expr, const ViewSlice& node);
  Value lower(const TExpr& expr, const ViewExtent& node);
  Value lower(const TExpr& expr, const ViewFlat& node);
  // lower_elements.cpp: vectors and arrays, which are values
  Value lower(const TExpr& expr, const MakeElements& node);
  Value lower(const TExpr& expr, const ElementOf& node);
  Value lower(const TExpr& expr, const ElementSlice& node);
  llvm::Constant* constantArray(TypeId type, std::span<const Value> items);
  void copyElements(const Place& to, const Place& from);
  void forEachElement(uint64_t count, llvm::function_ref<void(const Value&)> body);
  Value lower(const TExpr& expr, const Swizzle& node);
  /// Does to each element of vectors what `one` does to scalars; all operands have one type.
  template <class One>
  Value elementwise(TypeId type, std::span<const Value> operands, One&& one) {
    Value result;
    result.type = type;
    for (size_t i = 0; i < operands[0].items.size(); ++i) {
      llvm::SmallVector<Value, 3> lane;
      for (const Value& operand : operands) lane.push_back(operand.items[i]);
      result.items.push_back(one(std::span<const Value>(lane.data(), lane.size())));
    }
    return result;
  }
  /// Where the value lies that an expression names, if it lies in memory as a part of a variable or of an array's
  /// element.
  std::optional<Place> placeInMemory(TExprId id);
  /// The address of an array that an expression names, without a copy of it; of any other expression, that of its
  /// value.
  Place arrayPlace(TExprId array);
  bool hasGaps(TypeId id) const;
  Value loadElements(const Place& place);
  void storeElements(const Place& place, const Value& value);
  Value loadMembers(const Place& place);
  void storeMembers(const Place& place, const Value& value);
  /// Arrays that come from several blocks: each block copies its own into memory that all of them share.
  void shareMemory(llvm::SmallVectorImpl<std::pair<Value, llvm::BasicBlock*>>& incoming);
  Value checkedIndex(const ViewValue& view, unsigned axis, const Value& index, Check check, SiteId site);
  llvm::Value* linearOffset(const ViewValue& view, llvm::ArrayRef<Value> indices);
  llvm::SmallVector<Value, 4> stridesOf(const ViewValue& view);
  /// A view `offset` elements (i32 or i64) further on.
  void advance(ViewValue& view, llvm::Value* offset);
  // lower_stmt.cpp
  void lower(const TStmt& stmt, const Declare& node);
  void lower(const TStmt& stmt, const Assign& node);
  void lower(const TStmt& stmt, const Evaluate& node);
  void lower(const TStmt& stmt, const If& node);
  void lower(const TStmt& stmt, const Break& node);
  void lower(const TStmt& stmt, const Continue& node);
  void lower(const TStmt& stmt, const Return& node);
  void lower(const TStmt& stmt, const Scope& node);
  void lower(const TStmt& stmt, const Barrier& node);
  void lower(const TStmt& stmt, const Collective& node);
  void lower(const TStmt& stmt, const Assert& node);
  void lower(const TStmt& stmt, const BindView& node);
  void lower(const TStmt& stmt, const Print& node);
  llvm::SmallVector<llvm::Value*, 8> words(std::span<const TExprId> values);
  template <class Node>
  void lower(const TStmt& stmt, const Node& node);  // script only
  // lower_loop.cpp
  void lower(const TStmt& stmt, const While& node);
  void lower(const TStmt& stmt, const For& node);

  const TypedProgram& program_;
  const LowerOptions& options_;
  TargetLowering& target_;
  llvm::Function& function_;
  DebugLines* lines_;
  std::map<std::pair<unsigned, uint32_t>, llvm::AllocaInst*>
      shown_;  // for debuggers: copies of immutable locals, by frame
  unsigned frameCount_ = 0;
  std::set<llvm::Value*> declared_;  // memory that debuggers know
  llvm::IRBuilder<> builder_;
  FpMode fp_;
  std::vector<Frame> frames_;
};

}  // namespace rad::cg

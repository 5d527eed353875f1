// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The checker of one unit: shared by the check_*.cpp files, seen by nobody outside of sema/.
#pragma once

#include "frontend/sema/evaluate.h"
#include "frontend/sema/format_text.h"
#include "frontend/sema/scopes.h"

#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <set>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace rad::sema {

class Checker {
 public:
  Checker(SessionState& session, Diagnostics& diagnostics, bool interactive);

  /// Checks the unit and returns the program, or nothing after errors.
  std::optional<TypedProgram> run(const Ast& ast, ModuleScope& unit);
  /// A unit that runs one test or bench block of a file that was checked.
  std::optional<TypedProgram> runBlock(const Ast& ast, ModuleScope& file, const TestDecl& block);
  /// A unit that holds a kernel of an open launch for what its compile-time arguments are (as rad_launch_open gets
  /// them).
  std::optional<TypedProgram> runSpecialised(const OpenLaunch& launch, std::span<const int64_t> values);

 private:
  // ---- session.cpp: declarations and names ----
  void declare(const Ast& ast, ModuleScope& scope);
  void declareOne(const Ast& ast, DeclId id, ModuleScope& scope, bool atTop);
  Entity* findEntity(Symbol name, ModuleScope* from);
  Entity* findEntity(std::string_view name, ModuleScope* from) { return findEntity(session_.names.intern(name), from); }
  /// Checks the statements, and gives what of Context::unassigned is left behind them.
  std::set<uint32_t> checkScript(const Ast& ast);
  void checkUnused(const Ast& ast, ModuleScope& scope);
  /// Defaults of members, looked at once where the types are known.
  void checkDefaults(Entity& entity);
  void buildKernels(const Ast& ast, ModuleScope& unit);

  // ---- check_test.cpp: test and bench blocks ----
  Body checkTestBlock(const Ast& ast, ModuleScope& file, const TestDecl& block);
  /// bytes(n) in a bench.
  Value callBytes(const CallExpr& node, Range range);
  /// The names of the blocks, each of which may stand there once.
  void checkTestNames(const Ast& ast);

  // ---- exports.cpp: symbols for other programs ----
  /// Takes the symbols that declarations of the unit give, so that no other kernel gets one of them.
  void reserveSymbols(const Ast& ast);
  /// The symbol of an @export; empty: there is none, or it was refused.
  std::string exportedSymbol(const Ast& ast, const Decl& decl);
  /// Makes the functions that have an @export, for kernels of other programs.
  void makeExported(const Ast& ast, ModuleScope& unit);
  /// Makes the instances that `instantiate` lists.
  void makeListed(const Ast& ast, ModuleScope& unit);
  void makeListed(const InstantiateDecl& node, ModuleScope& unit, Range range);

  // ---- modules.cpp ----
  bool importsMember(const ImportDecl& node, const std::string& path, Range place, ModuleScope& scope);
  void declareImport(const Ast& ast, const Decl& decl, const ImportDecl& node, ModuleScope& scope);
  /// Where the path of an import stands.
  Range pathRange(const Decl& decl, const ImportDecl& node) const;
  /// Whether a part of the text that could not be read has this name in it: it may have declared it.
  bool mayBeLost(std::string_view name);
  /// Whether a struct or enum of this text has members that could not be read.
  bool lacksMembers(const Entity& entity) const;
  void declareIn(const Ast& ast, ModuleScope& scope);
  /// The module of the file that `node` names, read when it has to be; none after a message.
  ModuleScope* importFile(const Ast& ast, const ImportDecl& node, Range place);
  void noteImport(std::string_view path, std::string_view from, FileModule& module);
  /// Whether a file that was read before is still what is on the disk, with all that it imports.
  bool isCurrent(FileModule& module, std::string_view text);
  /// Makes an imported name visible in `scope`; two different ones of a name are an error.
  void bringIn(ModuleScope& scope, Ident name, Entity& entity);
  Entity& newEntity(Entity::Kind kind, Ident name, ModuleScope& home, ModuleScope* module = nullptr);
  /// Where a name of a scope was declared or imported.
  Range placeOf(const ModuleScope& scope, Symbol name) const;
  /// A module of the library; parsed on first use, none if there is no such module.
  ModuleScope* findModule(std::string_view name);
  /// False only if the module declares no such name: asked first, so that programs that use nothing of it do not wait
  /// for its parsing.
  bool libraryDeclares(std::string_view module, std::string_view name);
  std::vector<std::string_view> libraryModules() const;
  /// The module that a name stands for at this place, if it stands for one.
  ModuleScope* visibleModule(Symbol name);
  /// What a module shows under a name; none after a message.
  Entity* moduleMember(ModuleScope& module, Ident member);

  // ---- helpers (checker.cpp) ----
  std::string_view text(Symbol name) const { return session_.names.text(name); }
  /// Whether the outermost context is one that sees the variables of the script.
  bool seesScript(const Context& root) const {
    return root.kind == Context::Kind::Script || (session_.blocksSeeScript && root.kind == Context::Kind::Test);
  }
  std::string spellType(TypeId type) const { return session_.types.spell(type); }
  /// As the result of a function is declared: write access is no part of that.
  std::string spellResult(TypeId type) const;
  /// A node; what a syntax error left out is an Error node.
  static const Expr& expr(const Ast& ast, ExprId id) {
    static const Expr missing{};
    return id ? ast.expr(id) : missing;
  }
  const Expr& expr(ExprId id) const { return expr(*ast_, id); }
  const Type& typeOf(TypeId id) const { return session_.types.get(id); }
  TypeTable& types() { return session_.types; }
  bool isError(TypeId id) const { return id == TypeId{}; }
  bool isUntyped(TypeId id) const {
    return typeOf(id).kind == TypeKind::UntypedInt || typeOf(id).kind == TypeKind::UntypedFloat;
  }
  bool isView(TypeId id) const { return typeOf(id).kind == TypeKind::View; }
  std::optional<Scalar> scalarOf(TypeId id) const;
  Diagnostics::Builder report(Diag kind, Range range, std::vector<std::string> arguments = {}) {
    return diags_.report(kind, range, std::move(arguments));
  }
  void notYet(Range range, std::string what, std::string help = {});
  Value errorValue(Range range) { return {types().error(), {}, {}, range}; }
  Value unitValue(Range range) { return {types().unit(), {}, {}, range}; }
  template <class Node>
  Value code(TypeId type, Range range, Node node) {
    return {type, program_.addExpr(type, range, std::move(node)), {}, range};
  }
  Value constantValue(TypeId type, ConstValue value, Range range) { return {type, {}, std::move(value), range}; }
  template <class Node>
  TStmtId emit(Range range, Node node) {
    TStmtId id = program_.addStmt(range, std::move(node));
    ctx_->out->push_back(id);
    return id;
  }
  SiteId addSite(SiteKind kind, Range range, std::string message = {}, unsigned dimension = 0, unsigned rank = 0);
  LocalId addLocal(std::string name, TypeId type, LocalKind kind, Range range);
  void bind(Ident name, Binding binding);
  TExprId localRef(LocalId local, Range range);
  TExprId constInt(TypeId type, Wide value, Range range);
  bool isHostCode() const { return ctx_->side == Side::Host; }
  void pushScope() { ctx_->scopes.emplace_back(); }
  void popScope() { ctx_->scopes.pop_back(); }

  // ---- conversions (convert.cpp) ----
  bool convertsLosslessly(Scalar from, Scalar to) const;
  /// The one type that both sides convert to without loss, if any.
  std::optional<Scalar> commonScalar(Scalar a, Scalar b) const;
  bool isSignMix(Scalar a, Scalar b) const;
  TypeId defaultType(const Value& value, TypeId expected = {});
  /// Writes a value of its own type into the program (untyped constants take their default).
  TExprId materialize(Value& value, TypeId expected = {});
  /// The value as `target`; reports what stands against it. `what` names the target in messages ("the argument `n`").
  TExprId convert(Value value, TypeId target, std::string_view what = {});
  Value convertValue(Value value, TypeId target, std::string_view what = {});
  bool fitsType(const Value& value, TypeId target);
  /// Where two types of one name come from, if the types are such.
  bool noteNamesakes(Diagnostics::Builder& builder, TypeId wanted, TypeId found, const std::string& what);
  void describeMismatch(Diagnostics::Builder& builder, const Value& value, TypeId target);
  Value conversionCall(Scalar to, Value operand, Range range);

  // ---- types and sizes (check_type.cpp) ----
  TypeId resolveType(ExprId id);
  std::optional<TypeId> tryType(ExprId id);  // a type if the expression names one; no message
  void reportNotType(ExprId id);
  /// The sizes that a written view type names, through parentheses, `strided` and names of types; none: no view type.
  /// The sizes are read inside of inText().
  struct WrittenView {
    const RepeatExpr* shape = nullptr;
    const Ast* ast = nullptr;
    ModuleScope* home = nullptr;
    explicit operator bool() const { return shape != nullptr; }
  };
  WrittenView writtenView(ExprId type);
  /// Does something with the text that a view type stands in: its names are those of its file.
  template <class Action>
  auto inText(const WrittenView& view, Action action) {
    const Ast* const savedAst = std::exchange(ast_, view.ast);
    ModuleScope* const savedHome = std::exchange(ctx_->home, view.home);
    struct Restore {
      Checker& checker;
      const Ast* ast;
      ModuleScope* home;
      ~Restore() { checker.ast_ = ast, checker.ctx_->home = home; }
    } restore{*this, savedAst, savedHome};
    return action();
  }
  TypeId aliasedType(Entity& entity, Range range);
  /// Whether arrays of the device hold such elements; if not, says why.
  bool canBeElement(TypeId type, Range range);
  /// The name of a type that `module.name` stands for; none if it is no such thing, or after a message.
  Entity* aliasInModule(const MemberExpr& node);

  // ---- expressions ----
  Value checkExpr(ExprId id, TypeId expected = {});
  Value checkExprKind(ExprId id, TypeId expected);
  Value checkName(const NameExpr& node, Range range, TypeId expected);
  Value initialValue(Entity& entity, TypeId wanted = {});
  Value valueOf(const Binding& binding, Range range, bool isUse = true);
  Value valueOf(Entity& entity, Range range);
  void reportCapturedAssign(const std::string& name, TypeId type, Range range, Range declared);
  void reportUnassigned(std::string_view name, TypeId type, Range range, Range declared);
  Value capture(const std::string& key, Context& owner, Value outer, std::string name, Range range);
  std::optional<Binding> findBinding(Symbol name, Context** owner = nullptr);
  void reportUnknownName(std::string_view name, Range range, bool isAssigned = false);
  std::vector<std::string_view> visibleNames();
  Value checkUnary(const UnaryExpr& node, Range range, TypeId expected);
  Value checkBinary(const BinaryExpr& node, Range range, TypeId expected);
  bool isLiteral(ExprId id) const;
  Value binary(BinaryOp op, Value left, Value right, Range range, Range opRange, TypeId expected);
  Value checkLogic(const BinaryExpr& node, Range range);
  Value checkMember(const MemberExpr& node, Range range);
  Value checkTuple(const TupleExpr& node, Range range, TypeId expected);
  Value checkTupleItem(const TupleItemExpr& node, Range range);
  Value checkIf(ExprId id, const IfExpr& node, Range range, TypeId expected);
  Value checkBlockValue(ExprId block, TypeId expected);
  Value wrapBlock(BlockResult block, Value value, Range range);
  TExprId checkCondition(ExprId id);
  /// The type that two values take as the branches of an `if` do; the error type after a message.
  TypeId branchType(const Value& a, const Value& b, Range range, TypeId expected);
  Value joinBranches(TExprId condition, BlockResult thenBlock, BlockResult elseBlock, Range range, TypeId expected);
  /// The same of an `if` that is all of what a statement computes: branches that leave a loop or the function come
  /// before the statement.
  Value hoistBranches(TExprId condition, BlockResult thenBlock, BlockResult elseBlock, Range range, TypeId expected);
  /// Whether an expression is `.name`, or an `if` of such: another one has to say of which enum.
  bool isShortName(ExprId id) const;

  // ---- constants.cpp ----
  /// The value of an expression that has to be known while compiling, of type `type` (the error type: of its own, which
  /// goes to `ownType`); none after a message about `what`.
  std::optional<ConstValue> checkConstant(ExprId id, TypeId type, std::string_view what, TypeId* ownType = nullptr);
  /// Does something that leaves no messages and no statements.
  template <class Action>
  auto quietly(Action action) {
    Diagnostics quiet;
    std::swap(diags_, quiet);
    const auto reported = ctx_->reported;
    const auto reportedUnassigned = ctx_->reportedUnassigned;
    const size_t first = ctx_->out->size();
    auto result = action();
    ctx_->out->resize(first);
    ctx_->reported = reported;
    ctx_->reportedUnassigned = reportedUnassigned;
    std::swap(diags_, quiet);
    return result;
  }
  /// Does something as what is computed while compiling.
  template <class Action>
  auto whileCompiling(Action action) {
    Context& context = *ctx_;
    const Side side = std::exchange(context.side, Side::Host);
    const bool isComputed = std::exchange(context.isComputed, true);
    auto result = action();
    context.side = side;
    context.isComputed = isComputed;
    return result;
  }
  /// Computes a value that is code, if that is possible now; `first` is where ctx_->out was before the value was
  /// checked.
  std::expected<ConstValue, EvaluationFailure> compute(const Value& value, size_t first);
  void reportEvaluation(const EvaluationFailure& failure, Range range, std::string_view what);
  /// A constant as code: what a vector, array value or tuple is made of stands in it.
  Value constantCode(TypeId type, const ConstValue& value, Range range);
  /// Whether a condition asks for the target: then both branches are checked, and one of them is compiled.
  bool asksForTarget(ExprId id) const;
  /// The condition of a `const if` that asksForTarget.
  TExprId checkTargetCondition(ExprId id);
  Value targetMember(Ident member, Range range);
  /// The type that the left side of `T.max` names; none: it is no type.
  std::optional<TypeId> typeBefore(ExprId base);
  Value typeMember(TypeId type, Ident member, Range range);
  Value callSizeof(List<Argument> statics, const CallExpr& node, Range range);

  // ---- indices (check_index.cpp) ----
  Value checkIndex(const IndexExpr& node, Range range);
  Value indexView(Value view, List<Argument> arguments, Range range);
  TExprId checkSubscript(ExprId id, std::string_view what);
  Value viewExtent(TExprId view, unsigned dim, Range range);
  /// A place for assignment or a `mut` argument; none after a message.
  TExprId checkPlace(ExprId id, TypeId& type, bool isAssignment, bool readsToo);
  TExprId checkPlaceName(ExprId id, TypeId& type, bool isAssignment, bool readsToo);
  /// The same of an expression that has been checked; `value` is what it gave.
  TExprId placeOf(ExprId id, const Value& value, TypeId& type, bool isAssignment, bool readsToo);

  // ---- strided views (check_strided.cpp) ----
  /// A plain view as a strided one.
  Value asStrided(Value view);
  /// The view itself, or a copy without gaps of a strided one (host code).
  Value withoutGaps(Value view);
  /// A parameter of a kernel that copies elements: a view, or one value for all of them.
  struct CopiedElements {
    TypeId type;
    std::string name;
    Range range;
  };
  KernelId copyKernel(const CopiedElements& to, const CopiedElements& from, Range range);
  void assignElements(TExprId to, Value from, Range range);

  // ---- vectors and arrays (check_elements.cpp) ----
  enum class Reducer : uint8_t { Sum, Min, Max, All, Any };
  /// The scalar type of a number or of a vector's elements.
  std::optional<Scalar> numberOf(TypeId id) const;
  bool isVector(TypeId id) const { return typeOf(id).kind == TypeKind::Vector; }
  /// "f32x4" as a type; none where the text is no vector's name.
  std::optional<TypeId> namedVector(std::string_view name, Range range);
  /// The type of so many elements, or the error type after a message.
  TypeId vectorType(TypeId element, Wide count, Range range);
  TypeId arrayType(TypeId element, Wide count, Range range);
  TypeId tupleType(const std::vector<TypeId>& items, Range range);
  /// vec[T, N] and array[T, N].
  TypeId typeWithCount(std::string_view name, List<Argument> arguments, Range range);
  /// Bytes of a value without views and texts; none for others.
  std::optional<uint64_t> plainSize(TypeId id) const;
  Value checkArrayLit(const ArrayLitExpr& node, Range range, TypeId expected);
  bool isOfNumbers(ExprId id);
  unsigned rankOf(TypeId array) const;
  bool hasRows(ExprId written);
  bool isListOfNumbers(const Entity& entity) const;
  TypeId typeOfBoth(TypeId a, TypeId b);
  TypeId typeOfItems(List<ExprId> items, std::vector<std::optional<Value>>& checked);
  Value checkRepeat(const RepeatExpr& node, Range range, TypeId expected);
  Value makeVector(TypeId type, List<Argument> arguments, Range range);
  Value makeElements(TypeId type, std::vector<Value> values, Range range);
  /// A vector of type `vector` from one of as many elements, or from one value for all of them.
  Value toVector(Value value, TypeId vector);
  /// The vector type that operands share, or the error type after a message about `what`.
  enum class VectorOperands : uint8_t { Numbers, Any };
  TypeId commonVector(std::string_view what, const std::vector<Value>& values, Range range,
                      VectorOperands allowed = VectorOperands::Numbers);
  Value vectorBinary(BinaryOp op, Value left, Value right, Range range);
  /// `and` and `or` of vectors of bools, element by element: both sides are evaluated.
  Value vectorLogic(bool isAnd, Value left, Value right, Range range);
  Value vectorMath(Math op, std::vector<Value> values, Range range);
  Value vectorMember(Value vector, Ident member, Range range);
  Value elementsOf(const Value& vector, std::vector<uint8_t> lanes, Range range);
  /// Whether an expression of vectors, arrays and tuples is made of nothing but constants.
  bool isConstantData(TExprId id) const;
  /// A part of such an expression as a value; numbers and bools are constants to compute with.
  Value constantPart(TExprId id, Range range);
  Value indexElements(Value whole, List<Argument> arguments, Range range);
  Value indexEach(Value part, List<Argument> arguments, ptrdiff_t slice, Range range);
  Value sliceElements(Value whole, const SliceExpr& slice, Range sliceRange, Range range);
  Value reduceElements(Reducer reducer, Value whole, std::string_view name, Range range);
  TExprId checkElementPlace(ExprId id, Value value, TypeId& type, bool readsToo);

  // ---- structs (check_struct.cpp) ----
  using StructInstance = sema::StructInstance;
  static const StructDecl& structOf(const Entity& entity);
  /// Makes the methods, functions and operators of a struct known.
  void declareMembers(const Ast& ast, Entity& entity, ModuleScope& scope);
  /// All compile-time parameters of a function: of a method, those of its struct come first.
  List<StaticParam> staticParamsOf(const Entity& entity, const FnDecl& decl) const;
  /// The type that a method belongs to.
  TypeId ownerType(const Entity& method, const std::vector<StaticValue>& statics, Range use);
  /// The names that stand for compile-time arguments in a function, and `Self`.
  LocalScope functionScope(Entity& entity, const FnDecl& decl, const std::vector<StaticValue>& statics);
  TypeId structType(Entity& entity, const std::vector<StaticValue>& statics, Range use);
  /// The type that a struct's or enum's name stands for; none for other entities, the error type after a message.
  std::optional<TypeId> namedType(Entity& entity, List<Argument> statics, Range range);
  /// The struct or enum that an expression names, with what stands in its brackets.
  Entity* typeEntity(ExprId id, List<Argument>& statics);
  const StructInstance* structInstance(TypeId type) const;
  Value construct(Entity& entity, List<Argument> statics, const CallExpr& node, Range range, TypeId expected);
  void reportUnknownMember(TypeId type, Ident member);
  Value structMember(Value base, Ident member, Range range);
  Entity* methodOf(TypeId type, Ident member);
  /// What a method is called on. `self` is only a type where a function of a type is called.
  struct Receiver {
    Value self;
    ExprId written;
  };
  Value callMethod(Value base, ExprId written, Ident member, List<Argument> statics, const CallExpr& node, Range range,
                   TypeId expected);
  Value callOfType(Entity& entity, List<Argument> typeStatics, Ident member, List<Argument> statics,
                   const CallExpr& node, Range range, TypeId expected);

  // ---- enums (check_enum.cpp) ----
  TypeId enumType(Entity& entity);
  Value enumValue(TypeId type, Ident member, Range range);
  Value checkDotName(Ident name, Range range, TypeId expected);

  // ---- operators (check_operator.cpp) ----
  void declareOperator(Entity& entity, const FnDecl& decl, ModuleScope& scope);
  void checkOperator(Entity& entity, const FnDecl& decl, ModuleScope& scope);
  bool isDeclared(TypeId type) const;
  std::optional<std::vector<TypeId>> operandTypes(Entity& entity, const FnDecl& decl,
                                                  const std::vector<StaticValue>& statics);
  std::vector<Entity*> operatorsFor(std::string_view name, const std::vector<Value>& operands);
  /// The call of the operator that fits the operands; none where none does, or no operand has a declared type.
  std::optional<Value> declaredOperator(std::string_view name, const std::vector<Value>& operands, Range range);
  Value operatorMissing(std::string_view name, const std::vector<Value>& operands, Range range);
  Value declaredBinary(BinaryOp op, Value left, Value right, Range range);
  /// `==` or `!=` of two values of a type, scalar by scalar.
  Value equality(bool negated, Value left, Value right, Range range);

  // ---- parts of values (value_parts.cpp) ----
  struct Part {
    std::string name;
    TypeId type;
  };
  /// The scalars of a plain value, in order; `name` begins their names: "c.x", "t.0", "a[3]".
  void partsOf(TypeId type, const std::string& name, std::vector<Part>& parts) const;
  /// The values of the parts of what `whole` (evaluated again for each) gives.
  void readParts(TExprId whole, Range range, std::vector<TExprId>& parts);
  /// A value made of its parts, which it takes from the front of `parts`.
  TExprId ofParts(TypeId type, std::span<const TExprId>& parts, Range range);
  /// An expression that can be evaluated several times: the value itself, or a local that keeps it.
  TExprId keep(TExprId value);
  /// The text of a value in a format: "{}" for what is printed by itself, "({}, {})" for a tuple; appends what fills
  /// it. None after a message: the value is not of a type that `spec` is for.
  std::optional<std::string> printed(Value value, std::vector<TExprId>& values, const FormatSpec& spec);
  std::string shownAs(Value value, std::vector<TExprId>& values, const FormatSpec& spec);
  std::string_view unfit(const FormatSpec& spec, TypeId type) const;

  // ---- calls ----
  bool isValueMember(TypeId type, std::string_view name) const;
  Value checkCall(const CallExpr& node, Range range, TypeId expected);
  Value callEntity(Entity& entity, List<Argument> staticArguments, const CallExpr& node, Range range, TypeId expected);
  Value callMath(Math op, const CallExpr& node, Range range, TypeId expected);
  Value callMathWith(Math op, std::vector<Value> values, Range range, TypeId expected);
  Value callHost(HostBuiltin builtin, List<Argument> staticArguments, const CallExpr& node, Range range,
                 TypeId expected);
  Value callBlock(BlockBuiltin builtin, const CallExpr& node, Range range);
  Value callAtomic(Ident operation, const CallExpr& node, Range range);
  TExprId atomicPlace(std::string_view what, ExprId argument, TypeId& type);
  bool isShared(TExprId place) const;
  bool atomicOption(std::string_view what, const Argument& argument, AtomicScope& scope);
  Value callBarrier(const CallExpr& node, Range range);
  Value callUniform(const CallExpr& node, Range range);
  /// Whether the threads of a block are at hand here; else reports it. A function notes that it needs them.
  bool needsBlock(std::string what, Range range, std::string_view help);
  /// A value that all threads of a block join in: put before the statement that is being checked.
  Value collect(Collective collective, Value value, Range range);
  Value blockName(std::string name, Range range);
  Value callPrint(const CallExpr& node, Range range);
  bool handOver(SiteId site, const std::vector<TExprId>& values, std::string_view callee, Range range);
  Value callAssert(const CallExpr& node, Range range);
  Value callSelect(const CallExpr& node, Range range, TypeId expected);
  Value callBitcast(List<Argument> staticArguments, const CallExpr& node, Range range);
  Value blockMember(Ident member, Range range);
  Value threadMember(Ident member, Range range);
  Value deviceMember(Ident member, Range range);
  void bindSizesOf(ExprId type);
  void warnOfMain(const Ast& ast);
  void describeItems(Diagnostics::Builder& builder, const Value& items, const Type& view);
  /// A device array of the items of an array value, where a view of its elements is expected; none where that is not
  /// possible. Rank 1 or 2.
  std::optional<Value> deviceArray(const Value& items, TypeId target);
  bool isOfLibrary(const Entity& entity) const;
  bool saysHostOnly(size_t firstNew, std::string_view name, Range call);
  /// An array value as the array of the device that it stands for, one of rows with two dimensions; others as they are.
  Value asArray(Value value);
  /// What is written here for a name of another language that stands at `range`; empty if it is none.
  std::string foreignNameHelp(std::string_view name, Range range) const;
  static std::string vectorMeant(std::string_view name);
  static std::string_view meantScalar(std::string_view word);
  bool noNames(List<Argument> arguments, std::string_view callee);
  bool countIs(std::string_view callee, List<Argument> arguments, size_t count, Range range);
  std::optional<std::pair<std::string, std::vector<TExprId>>> checkFormat(List<Argument> arguments, size_t first,
                                                                          std::string_view callee);
  void reportFormat(std::string_view format, const Format& found, Range range);
  // ---- files and texts (check_file_call.cpp) ----
  /// What a file of the format holds, for a message; empty if the array can be one.
  std::string_view unsuitedArray(FileFormat format, TypeId view) const;
  TExprId textArgument(ExprId id, std::string_view place);
  Value callRead(FileFormat format, const CallExpr& node, std::string_view name, Range range, TypeId expected);
  Value callPlot(const CallExpr& node, Range range);
  Value callWrite(FileFormat format, const CallExpr& node, std::string_view name, Range range);
  Value callFormat(List<Argument> arguments, size_t first, std::string_view callee, Range range);
  Value callWriteText(bool append, const CallExpr& node, std::string_view name, Range range);
  /// None after a message.
  std::optional<std::vector<TExprId>> checkExtents(List<Argument> arguments, size_t first);
  bool hostOnly(std::string_view what, Range range);

  // ---- array_help.cpp ----
  /// An array, or a part of one, by the subscripts of its elements: m[1, 2..n] by `1` and `2..n`.
  struct Subscripted {
    struct Dim {
      std::string at{}, low{}, high{}, step{};  // `at`: one index; empty: a range
    };
    std::string array;
    std::vector<Dim> dims;
  };
  std::string freeName(size_t dim);
  std::optional<Subscripted> subscripted(ExprId id, unsigned rank);
  /// `target op written`, of an array of `rank` dimensions, as it is written for each element; empty where that is not
  /// plain. `value`: what `written` is.
  std::string forEachElement(ExprId target, unsigned rank, std::string_view op, ExprId written, const Value& value);
  /// What is written in place of an operator on arrays, or a comparison of array values.
  /// "pow(x, 2.0)" of the texts of its operands.
  static std::string powerText(const std::string& base, const std::string& exponent);
  std::string arrayOperatorHelp(BinaryOp op, const Value& left, const Value& right);
  /// What is written in place of a text + a value.
  std::string joinedTextHelp(const Value& left, const Value& right);
  /// Where there was a message that a value stands in place of a range: what helps, by its type.
  void helpOver(const RangeClause& clause);
  TypeId typeIfChecked(ExprId id);
  /// The domain whose bounds are being checked: its names are not known there.
  struct OpenDomain {
    std::vector<RangeClause> clauses;
    std::string_view form;  // how it begins: "forall", "blocks"; "for" in a reduction, "[" in a comprehension
    size_t depth;           // of instances being checked
    bool isOfThreads = false;
    bool said = false;
    // Of host code, where a variable outside of it may have the name: the range that is being checked.
    const Context* context = nullptr;
    Symbol current{};
  };
  /// Whether a bound of a domain of host code names another range of it.
  bool isInBoundOfOther(Symbol name);
  /// Whether a name that is not known, or is a variable outside, is one of the domain that is being checked; reports
  /// it, once a domain.
  bool isNameOfDomain(std::string_view name, Range range);

  // ---- generics.cpp ----
  /// A call's arguments beside the callee's parameters.
  struct PreparedCall {
    std::vector<std::vector<Value>> values;    // one a parameter; any number for a variadic one
    std::vector<std::vector<ExprId>> written;  // what the caller wrote, in the same places
    std::vector<StaticValue> statics;
    LocalScope scope;  // the compile-time parameters, bound
    FunctionArguments functions;
    std::vector<std::vector<TExprId>> captured;  // what those take along, in the same places
  };
  std::optional<PreparedCall> prepareCall(Entity& entity, List<StaticParam> staticParams, List<Param> params,
                                          List<Argument> statics, List<Argument> arguments, Range range,
                                          std::vector<std::optional<StaticValue>> known = {});
  bool isList(const PreparedCall& call, size_t param);
  bool reportMisfit(const Entity& entity, List<Param> params, const PreparedCall& call);
  TypeId typeHint(Entity& entity, ExprId type, ExprId written, List<StaticParam> staticParams,
                  const std::vector<std::optional<StaticValue>>& found);
  bool misplacesFunction(const Entity& entity, List<Param> params, const std::vector<std::vector<ExprId>>& written);
  bool matchArguments(const Entity& entity, List<Param> params, List<Argument> arguments, Range range,
                      std::vector<std::vector<ExprId>>& written);
  /// `mayWait`: constants may be known no earlier than when the program runs.
  bool givenStatics(Entity& entity, List<StaticParam> staticParams, List<Argument> given, Range range,
                    std::vector<std::optional<StaticValue>>& found, bool mayWait = false);
  void helpForType(const Entity& entity, const StaticParam& param, size_t diagnostic);
  /// Whether a value, which is right otherwise, is known no earlier than that.
  bool isKnownAtRun(ExprId id, TypeId type);
  bool inferStatics(Entity& entity, List<StaticParam> staticParams, List<Param> params, Range range, PreparedCall& call,
                    std::vector<std::optional<StaticValue>>& found);
  void unify(ExprId paramType, const Entity& callee, const Value& value, List<StaticParam> staticParams,
             std::vector<std::optional<StaticValue>>& found, const std::vector<bool>& fixed, bool untypedToo);
  // constraints.cpp
  /// Whether a type is what a constraint allows; none after a message.
  std::optional<bool> meets(ExprId constraint, TypeId type);
  void reportConstraint(ExprId constraint, TypeId type, Ident param, std::string_view callee, Range range,
                        const Ast& calleeAst);
  /// The type of a declared const parameter in a scope; the error type after a message.
  TypeId staticType(Entity& entity, const StaticParam& param, const LocalScope& scope);
  /// A type that a name with compile-time parameters stands for: Pair[f32].
  TypeId aliasInstance(Entity& entity, List<Argument> given, Range range);
  std::string instanceName(std::string_view name, const std::vector<StaticValue>& values);
  std::string uniqueName(std::string name);
  LocalScope staticScope(List<StaticParam> params, const std::vector<StaticValue>& values);
  /// Of compile-time parameters some of which are not known yet.
  LocalScope knownStatics(List<StaticParam> params, const std::vector<std::optional<StaticValue>>& found);
  template <class Action>
  auto inCallee(Entity& entity, LocalScope scope, Action action);
  /// Begins to make the default of a parameter; false, with a message, where it needs itself or there are too many.
  bool enterDefault(const Ident& name);
  std::optional<Value> defaultArgument(Entity& entity, const Param& param, const LocalScope& scope);
  Value callFunction(Entity& entity, const FnDecl& decl, List<Argument> statics, const CallExpr& node, Range range,
                     TypeId expected, const Receiver* receiver = nullptr);
  /// The call of a function whose arguments are ready; `mayHoist`: Context::canHoist before they were.
  Value finishCall(Entity& entity, const FnDecl& decl, const PreparedCall& call, bool mayHoist, Range range,
                   const Receiver* receiver = nullptr);
  /// Whether this call would make more instances than a program may have, which is reported: one that makes two others
  /// of itself doubles their number at every level.
  bool tooManyInstances(Range call, std::string_view help);
  FunctionInstance* instantiate(Entity& entity, const FnDecl& decl, const std::vector<StaticValue>& statics,
                                const FunctionArguments& functions, const std::vector<size_t>& packs, Range call);
  void checkFunctionBody(Entity& entity, const FnDecl& decl, FunctionInstance& instance,
                         const std::vector<StaticValue>& statics, const FunctionArguments& functions,
                         const std::vector<size_t>& packs);
  void comparePack(LocalId view, const NameExpr& sizes, Range range);
  void bindFunctionDims(const FnDecl& decl, std::span<const LocalId> locals);
  void noteCall(size_t firstNew, std::string_view name, Range call);
  /// Makes the statements of a function that needs a block's threads part of the code that calls it. (inline_call.cpp)
  Value inlineCall(const FunctionInstance& instance, const std::vector<TExprId>& arguments, bool mayHoist, Range range);

  // ---- functions as arguments (function_values.cpp) ----
  /// What an argument for a parameter of function type names, with what it takes along of here; none after a message.
  FunctionValue* functionArgument(ExprId written, const Param& param, Entity& callee, std::vector<TExprId>& captured);
  /// Gives a function its types: compile-time parameters that it shows are found, and what it takes along is added to
  /// `captured`.
  bool typeFunction(Entity& callee, const Param& param, List<StaticParam> staticParams,
                    std::vector<std::optional<StaticValue>>& found, FunctionValue*& function,
                    std::vector<TExprId>& captured);
  /// Whether a parameter of the function that is wanted has a type that is not known yet.
  bool isOpen(Entity& callee, const Param& param, List<StaticParam> staticParams,
              const std::vector<std::optional<StaticValue>>& found);
  /// What annotated parameters of a lambda tell about compile-time parameters.
  void unifyLambda(Entity& callee, const Param& param, List<StaticParam> staticParams, const FunctionValue& function,
                   std::vector<std::optional<StaticValue>>& found, const std::vector<bool>& fixed);
  /// The function that it is on this side; none after a message.
  FunctionValue::Instance* instanceOf(FunctionValue& function, Side side, std::vector<TExprId>* captured = nullptr);
  void checkLambdaBody(FunctionValue& function, FunctionInstance& instance, Context& context);
  Value callWithValues(Entity& entity, std::vector<Value> values, Range range);
  /// The values that a bound function has taken along, as they are reached from here.
  std::vector<TExprId> capturedOf(const Binding& binding, Context& owner, Range range);
  Value callFunctionValue(const Binding& binding, Context& owner, const CallExpr& node, Range range);
  Value callInstance(FunctionValue& function, std::vector<TExprId> arguments, bool mayHoist, Range range);
  /// `let f = |x| ...`
  bool isLambda(ExprId id) const;
  void defineLambda(Ident name, ExprId written);
  /// A lambda with a name, as it is used here; none after a message.
  /// Whether a lambda with a name is used in its own body, which is reported.
  bool callsItself(const LambdaExpr* lambda, const Context* namesFrom, Range range);
  FunctionValue* useLambda(const FunctionValue& named, Range range);
  FunctionValue* useLambda(Entity& entity, Range range);
  Value callLambda(FunctionValue* function, const CallExpr& node, Range range);
  /// Binds a parameter to a function that was handed over; `addLocal` makes the parameter of each value that it takes
  /// along.
  template <class AddLocal>
  void bindFunction(const Param& param, FunctionValue& function, AddLocal addLocal);
  std::string spellFunction(const std::vector<TypeId>& params, TypeId result) const;

  // ---- statements ----
  BlockResult checkBlock(ExprId block, bool wantsValue, TypeId expected = {});
  void refuseInBlock(DeclId id);
  void declareInBlock(DeclId id);
  bool checkStatements(List<StmtId> statements, bool wantsValue, TypeId expected, std::optional<Value>& value);
  bool checkStmt(StmtId id);  // true: what follows is never reached
  void checkLet(const LetStmt& node, Range range);
  void checkLetView(const LetStmt& node, Range range);
  void checkLetTuple(const LetStmt& node, Range range);
  void defineVariable(Ident name, bool isVar, Value value, TypeId type, Range range);
  /// The entity that was made; none where the name is taken, or `_`.
  Entity* defineGlobal(Ident name, bool isVar, TypeId type, TExprId init, std::optional<ConstValue> constant,
                       Range range);
  GlobalId globalOf(Entity& entity);
  /// What Context::unassigned of the script calls a script variable.
  uint32_t unassignedKey(Entity& entity);
  bool isGlobalScope() const { return ctx_->kind == Context::Kind::Script && ctx_->scopes.size() == 1; }
  void checkAssign(const AssignStmt& node, Range range);
  Value convertAssigned(const Value& value, TypeId type, ExprId target);
  void checkTupleAssign(const AssignStmt& node, const TupleExpr& target, Range range);
  bool checkExprStmt(const ExprStmt& node, Range range);
  bool checkIfStmt(const IfExpr& node, Range range);
  bool checkElse(ExprId branch);
  bool checkWhile(const WhileStmt& node, Range range);
  void checkFor(const ForStmt& node, Range range);
  void checkReturn(const ReturnStmt& node, Range range);
  void checkShared(const SharedStmt& node, Range range);
  void returnValue(Value value, Range range);
  /// Compares a result's sizes with those that the result type names, and gives the result.
  TExprId compareSizes(TExprId view, TypeId type, Range range);
  void checkTail(ExprId id);  // the last expression of a function: its result
  bool checkTailStatements(List<StmtId> statements);
  bool hasBreak(ExprId body) const;

  // ---- kernels ----
  KernelInstance* instantiateKernel(Entity& entity, const KernelDecl& decl, const std::vector<StaticValue>& statics,
                                    const FunctionArguments& functions, Range call);
  bool checkKernel(Entity& entity, const KernelDecl& decl, const std::vector<StaticValue>& statics,
                   const FunctionArguments& functions, Kernel& kernel, std::vector<TypeId>& paramTypes);
  bool checkKernelParams(const KernelDecl& decl, const FunctionArguments& functions, Kernel& kernel,
                         std::vector<TypeId>& declared);
  /// Adds a parameter to the kernel that is being checked: in parts where it is neither scalar nor view. Gives the
  /// local that holds it.
  LocalId addKernelParam(const std::string& name, TypeId type, Range range, bool isMut = false);
  void checkDomain(const KernelDecl& decl, Kernel& kernel);
  /// Whether a constant may be the step of a domain; if not, reports it.
  bool isDomainStep(int64_t step, Range range);
  void checkAttributes(const Decl& decl, Kernel& kernel);
  bool hasAttribute(const Decl& decl, std::string_view name) const {
    for (const Attribute& attribute : decl.attributes)
      if (text(attribute.name.name) == name) return true;
    return false;
  }
  bool isPartOfConstant(ExprId id);
  std::optional<ShapeExpr> shapeExpr(ExprId id, const Kernel& kernel, bool inDomain);
  std::optional<ShapeExpr> shapeName(const NameExpr& node, Range range, const Kernel& kernel, bool inDomain);
  TExprId shapeCode(const ShapeExpr& shape, const Kernel& kernel, Range range);
  /// After a call that would make one specialisation of a kernel too many.
  void reportSpecialisations(const Entity& entity, const std::vector<std::string>& all, std::string_view name,
                             Range call);
  Value callKernel(Entity& entity, const KernelDecl& decl, List<Argument> statics, const CallExpr& node, Range range);
  /// The arguments of a launch, one a parameter of the kernel; none after a message. `types`: as declared.
  std::optional<std::vector<TExprId>> launchArguments(const KernelDecl& decl, const std::string& name,
                                                      const PreparedCall& call, const std::vector<TypeId>& types);
  /// A launch whose compile-time arguments are not all known.
  Value launchOpen(Entity& entity, const KernelDecl& decl, const PreparedCall& call, Range range);
  std::string kernelSymbol(std::string_view name);
  void finishKernel(Kernel& kernel);

  // ---- reductions ----
  static std::optional<Reducer> findReducer(std::string_view name);
  Value checkReduce(Reducer reducer, ExprId generator, Range range, TypeId expected);
  Value reduceView(Reducer reducer, ExprId argument, std::string_view name, Range range);
  Value hostReduce(Reducer reducer, const GeneratorExpr& node, Range range);
  Value deviceReduce(Reducer reducer, const GeneratorExpr& node, Range range);
  struct ReduceLoop {
    LocalId variable;
    TExprId low, high, step;
    SiteId site;
  };
  /// A reduction as loops: `outer` comes before them, `inner` in them, and `step`, under the condition, before the
  /// value is taken in.
  Value inLoops(Reducer reducer, const std::vector<ReduceLoop>& loops, std::vector<TStmtId> outer,
                std::vector<TStmtId> inner, TExprId condition, std::vector<TStmtId> step, const Value& value,
                Range range);
  Value reduceInKernel(Reducer reducer, Value view, Range range);
  Value checkArrayGen(const ArrayGenExpr& node, Range range);
  TExprId reduceIdentity(Reducer reducer, TypeId type, Range range);
  bool reduceOperand(Reducer reducer, Value& value, Range range);
  std::string shorten(Range range);
  /// A kernel that does the work of an expression or statement of host code, while its body is being made.
  struct MadeKernel {
    MadeKernel(Checker& checker, Range range);
    MadeKernel(const MadeKernel&) = delete;
    Kernel kernel;
    std::vector<TStmtId> statements;
    Context context;
  };
  /// Finishes it, under a symbol that begins with `name`.
  KernelId addKernel(MadeKernel& made, std::string_view name);
  KernelId addReduction(MadeKernel& made, Reducer reducer, const Value& value, TExprId condition);
  /// A result that was kept in f32 as the f16 or bf16 that was reduced.
  Value roundedAs(TypeId reduced, Value result, Range range);
  std::optional<ShapeExpr> capturedSize(TExprId bound, Context& outer, Kernel& kernel);
  /// Makes the domain of the kernel of a generator or `forall` statement. `form`: as in OpenDomain.
  bool openReduction(Context& context, Kernel& kernel, List<RangeClause> clauses, std::string_view form);
  void checkForall(const ForallStmt& node, Range range);
  /// Whether an array is one that the `forall` statement being checked has taken along and may write to: it is noted,
  /// and the body is looked at once more.
  bool noteWrite(TExprId view);
  TExprId hostSize(const ShapeExpr& size, const Kernel& kernel, const std::vector<TExprId>& arguments, Range range);

  SessionState& session_;
  Diagnostics& diags_;
  bool interactive_;
  TypedProgram program_;
  const Ast* ast_ = nullptr;  // of the code being checked
  ModuleScope* unit_ = nullptr;
  std::unordered_map<Symbol, Range> scriptNames_;  // what the unit's script defines somewhere
  Context* ctx_ = nullptr;
  std::map<std::string, FunctionInstance> functions_;
  std::map<std::string, KernelInstance> kernels_;
  std::map<const Entity*, std::vector<std::string>>
      ofFunctions_;  // Kernels that take functions: their instances in this unit
  std::map<std::string, unsigned> symbols_;
  std::map<std::string, Range> exported_;  // symbols that declarations give, and where
  std::map<Entity*, GlobalId> globals_;
  std::deque<FunctionValue> functionValues_;
  std::map<std::string, FunctionValue*> namedFunctions_;  // those that are names, by what they name and their types
  std::vector<std::string> active_;                       // keys of instances being checked, outermost first
  std::vector<std::pair<Range, size_t>> activeDefaults_;  // parameters whose default is being made, and size of active_
  size_t nestedDefaults_ = 0;                             // defaults that were made inside of others
  std::vector<const FunctionValue*> activeFunctions_;     // those of them that are function values
  std::map<uint32_t, std::vector<TypeId>> busyParams_;    // parameter types of functions whose body is being checked
  unsigned depth_ = 0;                                    // of nested expressions
  struct Loading {
    std::string identity, name;
    Range importedAt;
    FileModule* module;
  };
  OpenDomain* domain_ = nullptr;
  std::unordered_set<uint32_t> ofDefaultType_;  // offsets of the names of variables whose type is that of a bare number
  std::optional<std::string> assigned_;         // the one of them that is being assigned to
  bool namesWaiting_ = false;                   // a value that is known when the program runs was named
  std::vector<Loading> loading_;                // the files being read, the program first
  std::set<const FileModule*> current_;         // imported files that were compared with the disk for this unit
  std::vector<FileModule*> newModules_;         // those that this unit has read
  std::map<const Ast*, std::set<std::string_view>> lost_;  // names in what could not be read of a file
};

/// Bytes of the largest vector, array or tuple that a kernel takes by value.
inline constexpr uint64_t largestInParts = 1024;

/// The function type that a parameter is declared with; none: it has another type.
const FnTypeExpr* functionType(ExprId type, const Ast& ast);
bool takesFunctions(List<Param> params, const Ast& ast);

/// Whether a parameter is `name: T...`.
bool isVariadic(List<Param> params, const Ast& ast);

/// `shape` of a view `[T; shape...]`, which has any number of dimensions; none of other types.
const NameExpr* sizesPack(const Ast& ast, const RepeatExpr* view);
const NameExpr* sizesPack(const Ast& ast, ExprId type);
/// Whether there is a parameter whose number of dimensions each call tells.
bool takesAnyShape(List<Param> params, const Ast& ast);

// ---- passes over finished bodies ----
/// Turns Checked into Proven where the index cannot fail, in all bodies of a unit without errors. (bounds.cpp)
void proveChecks(TypedProgram& program, bool verifyProofs);
/// Fills Local::uniform and reports barriers and collectives that not all threads reach. (uniformity.cpp)
/// `textOf` gives the text of a place, shortened.
void checkUniformity(TypedProgram& program, Kernel& kernel, Diagnostics& diagnostics,
                     const std::function<std::string(Range)>& textOf);
/// The reads of shared memory (ids of expressions) that no thread writes to before all have read: between the barriers
/// around them nothing is stored to that variable. (steady_reads.cpp)
std::set<uint32_t> steadyReads(const TypedProgram& program, const Kernel& kernel);
/// The parameter or shared variable that the elements of a view are of; none where that is not plain to see.
LocalId memoryRoot(const TypedProgram& program, TExprId view, const std::map<uint32_t, LocalId>& views);
/// Reports what all points of a forall add to one element. (meeting_points.cpp)
void findMeetings(const TypedProgram& program, const Kernel& kernel, Diagnostics& diagnostics,
                  const std::function<std::string(Range)>& textOf);
/// Fills KernelParam::elementwise. (elementwise.cpp)
void findElementwise(const TypedProgram& program, Kernel& kernel);

}  // namespace rad::sema

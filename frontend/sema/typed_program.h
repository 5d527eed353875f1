// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The typed program: what codegen/ lowers. Monomorphic (generics are instantiated), every name resolved, every implicit
// conversion written out, every index either proven or carrying a check. Structured: no gotos, so that the host device
// can split kernels at barriers.
//
// One TypedProgram is one unit: a file, or one REPL entry. It is self-contained but for globals of earlier units, which
// it names by symbol.
#pragma once

#include "frontend/ast/ast.h"
#include "frontend/builtins/builtins.h"
#include "frontend/source/source.h"
#include "frontend/types/types.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rad {

template <class Tag>
struct TypedId {
  uint32_t value = UINT32_MAX;
  explicit operator bool() const { return value != UINT32_MAX; }
  friend bool operator==(TypedId, TypedId) = default;
};
using TExprId = TypedId<struct TExprTag>;
using TStmtId = TypedId<struct TStmtTag>;
using LocalId = TypedId<struct LocalTag>;        // index into the owning Body's locals
using FunctionId = TypedId<struct FunctionTag>;  // index into TypedProgram::functions
using KernelId = TypedId<struct KernelTag>;      // index into TypedProgram::kernels
using GlobalId = TypedId<struct GlobalTag>;      // index into TypedProgram::globals
using SiteId = TypedId<struct SiteTag>;          // index into TypedProgram::sites

/// A place that can fail while the program runs: what the message needs. `SiteId`s go into the compiled code.
enum class SiteKind : uint8_t {
  Index,   // value: the index, extent: the dimension's size
  Assert,  // `text` is the condition, `message` the user's message ("" if none)
  Proof,   // as Index, where sema proved that it cannot fail: only with Session::setVerifyProofs
  DivideByZero,
  NegativeStep,  // a loop step that is not positive
  ShapeBind,     // let p: [f32; n, 3] = ...: an extent differs; value: found, extent: expected
  Launch,        // host: the place of a launch
  HostCall,      // host: the place of a call into the runtime
  Overflow,      // host: signed arithmetic overflowed
  Slice,         // value: bound, extent: size
  SliceOrder,    // value: first bound, extent: second
  Print,         // device: `message` is the format
  Uniform,       // uniform(e) of which the threads of a block have different values
};
/// What a print or assert in device code may show.
inline constexpr size_t maxMessageValues = 32;
struct Site {
  SiteKind kind = SiteKind::Index;
  Range range;       // the expression
  std::string text;  // its source text, shortened to 80 characters
  std::string message;
  unsigned dimension = 0;  // Index, Slice, SliceOrder: which index (from 0)
  unsigned rank = 0;
  std::vector<TypeId> arguments;  // Print, and Assert in device code: the types of the values that fill the message
};

/// How the index of one dimension is made safe. AtLaunch: it cannot fail where the kernel's `inRange` holds, else as
/// Checked.
enum class Check : uint8_t { Checked, Proven, Unchecked, AtLaunch };

// ---- expressions; the comment says what `type` is ----
struct ConstInt {
  uint64_t bits = 0;
};  // bool, integers, index: low bits of the value
struct ConstFloat {
  double value = 0;
};  // f32 (exactly representable), f64
struct ConstString {
  std::string value;
};  // String (host)
struct LocalRef {
  LocalId local;
};  // the local's type
struct GlobalRef {
  GlobalId global;
};  // host only
struct ViewElement {
  TExprId view;
  std::vector<TExprId> indices;
  std::vector<Check> checks;
  std::vector<SiteId> sites;
};  // element type (a read); indices are `index`
struct SliceDim {
  TExprId low, high, step;
  SiteId site, orderSite, stepSite;
  Check check = Check::Checked;
  bool isIndex = false;
};  // isIndex: low is an index, the dimension goes; no low/high: from 0/to the extent; no step: 1; orderSite: of low
    // and high where both are there; stepSite: it may not be positive
struct ViewSlice {
  TExprId view;
  std::vector<SliceDim> dims;
};  // view; one of a type that is not strided: leading index dims, then at most one range without a step, then whole
    // dims. All dims whole: a plain view where a strided one is wanted
struct ViewExtent {
  TExprId view;
  unsigned dim = 0;
};  // index
struct ViewFlat {
  TExprId view;
};  // rank-1 view of all elements; not of a strided view
struct MakeElements {
  std::vector<TExprId> items;
};  // Vector or Array: an item an element, or a single one for all of them
struct ElementOf {
  TExprId value;
  TExprId index;
  SiteId site;
  Check check = Check::Checked;
};  // element of a Vector or Array value; the index is an `index`; a place where the value is one
struct ElementSlice {
  TExprId value;
  uint64_t first = 0, step = 1;
};  // Array of the elements first, first + step, ... of an Array value; a place where the value is one
struct Swizzle {
  TExprId vector;
  std::vector<uint8_t> lanes;
};  // Vector of the named elements; a place where the vector is one and no element is named twice
struct Negate {
  TExprId operand;
  SiteId overflow;
};  // numeric
struct LogicNot {
  TExprId operand;
};  // bool or a vector of bools
struct BitNot {
  TExprId operand;
};  // integers
struct Arithmetic {
  BinaryOp op = BinaryOp::Add;
  TExprId left, right;
  SiteId site;
};  // both of `type`; shifts: right any unsigned-or-signed int of the same type; BitAnd and BitOr also of bools, both
    // sides evaluated; site: DivideByZero for integer / and %, Overflow in host code for signed + - *
struct Compare {
  BinaryOp op = BinaryOp::Eq;
  TExprId left, right;
};  // bool; operands of one scalar type; or a vector of bools from two of one vector type
struct Logic {
  bool isAnd = true;
  TExprId left, right;
};  // bool; short-circuit
struct Convert {
  TExprId operand;
};  // scalar to scalar: integers keep the low bits, float to integer saturates and NaN gives 0
struct Bitcast {
  TExprId operand;
};  // numbers or vectors of them, of the same size together; element 0 has the low bits
struct Select {
  TExprId condition, whenTrue, whenFalse;
};  // both sides are evaluated; a vector of bools chooses among the elements of vectors
struct MathCall {
  Math op = Math::Sqrt;
  std::vector<TExprId> operands;
};  // operands of `type`
/// Which threads an atomic operation is atomic among.
enum class AtomicScope : uint8_t { Device, Block };
struct AtomicCall {
  Atomic op = Atomic::Load;
  AtomicScope scope = AtomicScope::Device;
  TExprId place;
  std::vector<TExprId> operands;
};  // device: what the place held before (Unit for Store); place: an element of a writable view, or a shared scalar, of
    // i32, u32, i64, u64, index, f32 or f64; operands of its type
struct CallFunction {
  FunctionId function;
  std::vector<TExprId> arguments;
};  // a `mut` parameter's argument is a LocalRef, GlobalRef or ViewElement place
struct BlockValue {
  std::vector<TStmtId> statements;
  TExprId value;
};  // statements, then the value (none: Unit)
struct IfValue {
  TExprId condition;
  TExprId whenTrue, whenFalse;
};  // branches evaluated on demand (BlockValue or others)
struct MakeTuple {
  std::vector<TExprId> items;
};
struct TupleItem {
  TExprId tuple;
  unsigned position = 0;
};
struct NewArray {
  std::vector<TExprId> extents;
  SiteId site;
};  // host: view, zero-filled
enum class FileFormat : uint8_t {
  Png,
  Npy,
  Csv,
  LinePlot,
  Histogram,
  HeatMap
};  // numbered as RadFileFormat of runtime/api/host_abi.h
struct ReadFile {
  FileFormat format = FileFormat::Png;
  TExprId path;
  std::vector<TExprId> extents;
  SiteId site;
};  // host: view, or a scalar (Npy without dimensions); extents: one a dimension, none: any; given ones must be what
    // the file has
struct ReadText {
  TExprId path;
  SiteId site;
};  // host: String, the whole file
struct FormatText {
  std::string format;
  std::vector<TExprId> arguments;
  SiteId site;
};  // host: String; as Print fills it
struct TextLength {
  TExprId text;
};  // host: index, in bytes
struct TextEqual {
  TExprId left, right;
};  // host: bool
struct CopyArray {
  TExprId view;
  SiteId site;
};  // host: view
struct ArgumentCount {};  // host: index; args.len
struct ArgumentText {
  TExprId index;
  SiteId site;
};  // host: String; args[i]
struct ParseNumber {
  TExprId text;
  SiteId site;
};  // host: i64 or f64 from a String, i64(args[0])
struct Clock {};  // host: f64
struct BenchAgain {
  TExprId bytes;
};  // host: bool; once more around what a bench measures? bytes: i64, what one run moves, 0 if that is not known
enum class TargetProperty : uint8_t { Cuda, Host, Sm };
struct TargetFact {
  TargetProperty property = TargetProperty::Cuda;
};  // bool, or i32 for Sm (90 for sm_90a, 0 for a processor); known when code is made for a target. Host code is code
    // for a processor
struct DeviceFact {
  DeviceProperty property = DeviceProperty::Multiprocessors;
};  // host: index, or String of Id and Name
struct HostReduce {
  KernelId kernel;
  std::vector<TExprId> arguments;
  SiteId site;
};  // host: the kernel's reduction result

struct TExpr {
  TypeId type;
  Range range;
  std::variant<ConstInt, ConstFloat, ConstString, LocalRef, GlobalRef, ViewElement, ViewSlice, ViewExtent, ViewFlat,
               MakeElements, ElementOf, ElementSlice, Swizzle, Negate, LogicNot, BitNot, Arithmetic, Compare, Logic,
               Convert, Bitcast, Select, MathCall, AtomicCall, CallFunction, BlockValue, IfValue, MakeTuple, TupleItem,
               NewArray, ReadFile, ReadText, FormatText, TextLength, TextEqual, CopyArray, ArgumentCount, ArgumentText,
               ParseNumber, Clock, BenchAgain, TargetFact, DeviceFact, HostReduce>
      node;
};

// ---- statements ----
struct Declare {
  LocalId local;
  TExprId init;
};  // init none: not assigned yet (sema proves assignment before use)
struct Assign {
  TExprId place;
  std::optional<BinaryOp> op;
  TExprId value;
  SiteId site;
};  // place: LocalRef, GlobalRef, ViewElement, or ElementOf, ElementSlice or Swizzle of a place (evaluated once), or on
    // the host a whole view when the place is a ViewSlice (copies elements; value a view or a scalar fill)
struct Evaluate {
  TExprId expr;
};
struct If {
  TExprId condition;
  std::vector<TStmtId> thenBody, elseBody;
};
struct While {
  TExprId condition;
  std::vector<TStmtId> body;
};
struct For {
  LocalId variable;
  TExprId low, high, step;
  SiteId site;
  std::vector<TStmtId> body;
  unsigned unroll = 0;
};  // variable: index or an integer; low <= v < high for step > 0, low >= v > high for a constant step < 0, which over
    // an unsigned type is a constant of the signed type of its size; ends where v + step would pass the bound or leave
    // the type; step none: 1; unroll 0 no wish, UINT_MAX fully
struct Break {};
struct Continue {};
struct Return {
  TExprId value;
};  // in a kernel: ends the point or thread
struct Scope {
  std::vector<TStmtId> body;
};
struct Barrier {
  std::vector<Range> calls;
};  // under uniform control flow, proven by sema; calls: of the functions that it came here from, innermost first
struct Collective {
  LocalId result;
  BinaryOp op = BinaryOp::Add;
  Math minMax = Math::Min;
  bool isMinMax = false;
  TExprId value;
  bool isPromise = false;
  SiteId site = {};
  std::vector<Range> calls = {};
};  // block.sum/min/max; result is uniform; isPromise: uniform(value), a Uniform site; calls as in Barrier
struct Assert {
  TExprId condition;
  SiteId site;
  std::vector<TExprId> arguments;
};  // arguments fill `{}` of the site's message (device: at most maxMessageValues scalars, which the site lists)
struct Print {
  std::string format;
  std::vector<TExprId> arguments;
  SiteId site;
};  // one `{}` an argument; a newline is added by the runtime; device: as Assert, and the site holds the format, too
struct Launch {
  KernelId kernel;
  std::vector<TExprId> arguments;
  SiteId site;
};  // host; one argument a kernel parameter
struct LaunchOpen {
  uint32_t kernel = 0;           // index into TypedProgram::openKernels
  std::vector<TExprId> statics;  // scalars, as OpenKernel::statics
  std::vector<TExprId> arguments;
  SiteId site;
};  // host; one argument a kernel parameter
struct BindView {
  TExprId view;
  std::vector<LocalId> extents;
  std::vector<TExprId> expected;
  std::vector<SiteId> sites;
};  // let p: [f32; n, 3] = e, and sizes that a fn's signature repeats: fills extent locals (default id: none) or checks
    // against expected (none: not)
struct BindGlobals {
  std::vector<GlobalId> extents;
  TExprId view;
  std::vector<TExprId> expected;
  std::vector<SiteId> sites;
};
struct WriteFile {
  FileFormat format = FileFormat::Png;
  TExprId path, view;
  SiteId site;
};  // host; plots: an empty path is the terminal
struct WriteText {
  TExprId path, text;
  bool append = false;
  SiteId site;
};  // host
struct Sync {
  SiteId site;
};  // host

struct TStmt {
  Range range;
  std::variant<Declare, Assign, Evaluate, If, While, For, Break, Continue, Return, Scope, Barrier, Collective, Assert,
               Print, Launch, LaunchOpen, BindView, BindGlobals, WriteFile, WriteText, Sync>
      node;
};

/// A local variable or parameter.
enum class LocalKind : uint8_t { Let, Var, Param, MutParam, Dimension, DomainVar, ThreadVar, Shared };
struct Local {
  std::string name;
  TypeId type;
  LocalKind kind = LocalKind::Let;
  Range range;
  /// In block kernels: the same for all threads of a block (uniformity.cpp). Always true outside of them for what it
  /// matters.
  bool uniform = false;
  /// Shared: the constant extents (empty: a scalar). Its type is then a writable view, or a scalar.
  std::vector<uint64_t> sharedExtents;
};

/// Statements with their locals.
struct Body {
  std::vector<Local> locals;
  std::vector<TStmtId> statements;
};

enum class Side : uint8_t { Host, Device };

/// One instance of a `fn` for one side. Device functions are lowered into their callers, so they never recurse.
struct Function {
  std::string name;  // unique within the unit: "clamp[f32]"
  Side side = Side::Device;
  std::vector<LocalId> params;
  TypeId result;          // Unit if none
  Body body;              // ends every path in Return unless Unit
  bool isExtern = false;  // device code from another object: body empty, `symbol` its PTX name
  std::string symbol;     // also of one that other programs call: @export
  Range range;
  bool isExported() const { return !isExtern && !symbol.empty(); }
};

/// Sizes known only at launch: arithmetic over dimensions and scalar parameters, evaluated by the runtime in 64 bits
/// with overflow reported.
enum class ShapeOp : uint8_t { Constant, Dimension, Parameter, Add, Sub, Mul, Div, Rem, Min, Max, CeilDiv };
struct ShapeExpr {
  ShapeOp op = ShapeOp::Constant;
  int64_t value = 0;  // Constant: the value; Dimension, Parameter: index into Kernel::dims, Kernel::params
  std::vector<ShapeExpr> operands;
  friend bool operator==(const ShapeExpr&, const ShapeExpr&) = default;
};

struct KernelParam {
  LocalId local;
  std::string name;
  TypeId type;  // scalar or view
  bool isMut = false;
  std::vector<ShapeExpr> shape;  // views: one an axis; a bare Dimension binds or must agree
  /// True if every access to it in a forall kernel is at exactly the point's own indices, so it may share elements with
  /// another such argument of the same shape (map(f, y, y)).
  bool elementwise = false;
  Range range;
};
/// left <= right, decided at each launch.
struct AtMost {
  ShapeExpr left, right;
};
struct KernelDim {
  LocalId local;
  std::string name;
  std::optional<DeviceProperty> property = {};  // the device tells it, no array does
};  // the local holds its value, type index
struct DomainAxis {
  LocalId variable;  // type index: low, low + step, ... below high
  ShapeExpr low, high;
  ShapeExpr step{ShapeOp::Constant, 1, {}};  // positive: a launch refuses others
  bool hasStep() const { return step.op != ShapeOp::Constant || step.value != 1; }
};
/// What the program calls the threads of an axis: `name` is first + step * the axis's variable.
struct ThreadNumbers {
  std::string name;
  int64_t first = 0, step = 1;
};
struct Reduction {
  BinaryOp op = BinaryOp::Add;
  Math minMax = Math::Min;
  bool isMinMax = false;
  TExprId value;
  TExprId condition;
};  // sum/min/max, all (And), any (Or); value of type result

/// A compile-time argument as text: "TILE", "128".
struct StaticArgument {
  std::string name, value;
};

struct Kernel {
  std::string name;                     // as written, for messages: "saxpy", "max(... for i in 0..n)"
  std::vector<StaticArgument> statics;  // what this instance of it was made for
  std::string symbol;                   // unique PTX/host symbol within the unit: [A-Za-z_][A-Za-z0-9_]*
  std::vector<KernelDim> dims;
  std::vector<KernelParam> params;
  bool isForall = true;
  bool isAssignment = false;     // m[.., 0] = m[.., 1]: (from, mut to) may share elements, the old values are taken
  std::vector<DomainAxis> axes;  // forall points, or blocks; last varies fastest
  std::vector<LocalId> threads;  // blocks: one a thread axis, last varies fastest
  std::vector<int64_t> threadLow, threadCount;  // constants; product of counts at most 1024
  std::vector<ThreadNumbers> threadNumbers;     // one a thread axis
  std::vector<LocalId> shared;
  std::vector<AtMost> inRange;  // what together makes every index marked AtLaunch right; none: there is none
  Body body;                    // empty for reductions
  std::optional<Reduction>
      reduction;  // then isForall, and body.statements run before the value at each point (may be empty)
  TypeId reductionType;
  bool fastMath = false, strict = false;
  std::optional<unsigned> minBlocks, maxRegisters;
  Range range;
};

/// A top-level variable of the script; lives until the session ends.
struct Global {
  std::string name;
  std::string symbol;  // unique in the session: "g.x.3"
  TypeId type;
  bool isVar = false;
  bool isDefinedHere = true;  // false: of an earlier unit
  Range range;
};

/// A kernel that is made while the program runs, for compile-time arguments that host code computes.
struct OpenKernel {
  std::string name;             // as written, for messages: "tile"
  uint32_t number = 0;          // what Session::specialise calls it
  uint32_t family = 0;          // `number` of the unit's first that is the same kernel for the same values
  std::vector<TypeId> statics;  // the types of what is computed
  std::vector<TypeId> params;   // as of Kernel::params
};

/// One unit. Ids index the vectors; `types` is shared by all units of a session.
class TypedProgram {
 public:
  explicit TypedProgram(TypeTable& types) : types(&types) {}
  TypeTable* types;
  std::vector<Function> functions;
  std::vector<Kernel> kernels;
  std::vector<OpenKernel> openKernels;
  std::vector<Global> globals;
  std::vector<Site> sites;
  Body script;  // host statements, in order

  const TExpr& expr(TExprId id) const { return exprs_[id.value]; }
  const TStmt& stmt(TStmtId id) const { return stmts_[id.value]; }
  TExpr& mutableExpr(TExprId id) { return exprs_[id.value]; }
  TStmt& mutableStmt(TStmtId id) { return stmts_[id.value]; }
  template <class Node>
  TExprId addExpr(TypeId type, Range range, Node node) {
    exprs_.push_back({type, range, std::move(node)});
    return {static_cast<uint32_t>(exprs_.size() - 1)};
  }
  template <class Node>
  TStmtId addStmt(Range range, Node node) {
    stmts_.push_back({range, std::move(node)});
    return {static_cast<uint32_t>(stmts_.size() - 1)};
  }
  size_t exprCount() const { return exprs_.size(); }

 private:
  std::vector<TExpr> exprs_;
  std::vector<TStmt> stmts_;
};

/// The unit as stable indented text, for tests and `--emit=typed`.
std::string dump(const TypedProgram& program, const SourceManager& sources);

/// Checks the promises of this header (types of operands, ids in range, one value a path ...). Empty if all hold; else
/// what is wrong: a bug in sema, never the user's. Lowering may assume what verify accepts.
std::string verify(const TypedProgram& program);

}  // namespace rad

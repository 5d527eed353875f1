// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What was written: the syntax tree of one source text. Built by parse/, immutable afterwards. Types are expressions
// here
// (`[f32; n]` and `[0; 8]` look alike until names are known); sema/ tells them apart.
#pragma once

#include "frontend/source/interner.h"
#include "frontend/source/source.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace rad {

/// A typed index into one Ast's arena of nodes. A default one names nothing.
template <class Tag>
struct AstId {
  uint32_t value = UINT32_MAX;
  explicit operator bool() const { return value != UINT32_MAX; }
  friend bool operator==(AstId, AstId) = default;
};
using ExprId = AstId<struct ExprTag>;
using StmtId = AstId<struct StmtTag>;
using DeclId = AstId<struct DeclTag>;

/// A list that lives in the Ast's arena: trivially copyable, immutable.
template <class T>
using List = std::span<const T>;

/// A name with its place.
struct Ident {
  Symbol name;
  Range range;
};

/// A call, index or compile-time argument: `seed: 7` has a name.
struct Argument {
  Ident name;  // empty name: positional
  ExprId value;
};

/// `i in a..b step s`: a clause of forall, blocks, threads, for and generators.
struct RangeClause {
  Ident name;
  ExprId low, high;
  ExprId step;     // none: 1
  ExprId written;  // what stands in place of a range, of which there was a message; none otherwise
};

/// A parameter of a fn, kernel or lambda.
struct Param {
  Ident name;
  ExprId type;          // none: inferred (lambdas), or `self`
  ExprId defaultValue;  // none: required
  bool isMut = false;
};

/// A compile-time parameter in `[]`: `T: Number` or `const TILE: i32 = 128`.
struct StaticParam {
  Ident name;
  bool isConst = false;
  ExprId constraintOrType;  // may be none
  ExprId defaultValue;      // may be none
};

/// `@max_threads(256)`.
struct Attribute {
  Ident name;
  List<Argument> arguments;
  Range range;
};

enum class UnaryOp : uint8_t { Neg, Not, BitNot, AddressOf };
enum class BinaryOp : uint8_t {
  Add,
  Sub,
  Mul,
  Div,
  Rem,
  BitAnd,
  BitOr,
  BitXor,
  Shl,
  Shr,
  Eq,
  Ne,
  Lt,
  Le,
  Gt,
  Ge,
  And,
  Or
};
/// The operator's text, "+".
std::string_view spelling(UnaryOp op);
std::string_view spelling(BinaryOp op);
constexpr bool isComparison(BinaryOp op) { return op >= BinaryOp::Eq && op <= BinaryOp::Ge; }
constexpr bool isBitOperation(BinaryOp op) { return op >= BinaryOp::BitAnd && op <= BinaryOp::Shr; }
/// The comparison that is true where this one is false.
constexpr BinaryOp opposite(BinaryOp comparison) {
  using enum BinaryOp;
  constexpr BinaryOp opposites[] = {Ne, Eq, Ge, Gt, Le, Lt};
  return opposites[static_cast<size_t>(comparison) - static_cast<size_t>(Eq)];
}

// ---- expressions ----
struct ErrorExpr {};
struct IntExpr {
  uint64_t value = 0;
  Symbol suffix;
  bool tooBig = false;
  bool isHexOrBinary = false;
};
struct FloatExpr {
  double value = 0;
  Symbol suffix;
};
struct BoolExpr {
  bool value = false;
};
struct StringExpr {
  std::string_view value;
};  // escapes decoded; in the arena
struct NameExpr {
  Symbol name;
};
struct MemberExpr {
  ExprId base;
  Ident member;
};
struct TupleItemExpr {
  ExprId base;
  uint32_t position = 0;
};
struct DotNameExpr {
  Ident name;
};
struct IndexExpr {
  ExprId base;
  List<Argument> arguments;
};
struct SliceExpr {
  ExprId low, high, step;
};  // any may be missing
struct CallExpr {
  ExprId callee;
  List<Argument> arguments;
};  // the last argument may be a Generator
struct UnaryExpr {
  UnaryOp op = UnaryOp::Neg;
  ExprId operand;
};
struct BinaryExpr {
  BinaryOp op = BinaryOp::Add;
  ExprId left, right;
  Range opRange;
};
struct ParenExpr {
  ExprId inner;
};
struct TupleExpr {
  List<ExprId> items;
};
struct ArrayLitExpr {
  List<ExprId> items;
};
struct RepeatExpr {
  ExprId value;
  List<ExprId> dims;
};
struct GeneratorExpr {
  ExprId value;
  List<RangeClause> clauses;
  ExprId condition;
};
struct ArrayGenExpr {
  ExprId generator;
};
struct IfExpr {
  ExprId condition;
  ExprId thenBlock;
  ExprId elseBranch;
  bool isConst = false;
};  // elseBranch: none, Block or If
struct BlockExpr {
  List<StmtId> statements;
};  // value: the last statement if it is an Expr
struct UncheckedExpr {
  ExprId block;
};
struct LambdaExpr {
  List<Param> params;
  ExprId body;
};
struct FnTypeExpr {
  List<ExprId> params;
  ExprId result;
};
struct StridedExpr {
  ExprId type;
};
struct SpreadExpr {
  ExprId inner;
};
struct OnExpr {
  ExprId launch;
  ExprId stream;
};
struct GraphExpr {
  ExprId block;
};

// ---- statements ----
struct LetStmt {
  bool isVar = false;
  bool isTuple = false;
  List<Ident> names;
  ExprId type;
  ExprId init;
};
struct AssignStmt {
  ExprId target;
  bool isCompound = false;
  BinaryOp op = BinaryOp::Add;
  ExprId value;
  Range opRange;
};
struct ExprStmt {
  ExprId expr;
};
struct WhileStmt {
  ExprId condition;
  ExprId body;
};
enum class Unroll : uint8_t { None, Full, Factor };
struct ForStmt {
  RangeClause range;
  ExprId body;
  Unroll unroll = Unroll::None;
  ExprId factor;
};
struct BreakStmt {};
struct ContinueStmt {};
struct ReturnStmt {
  ExprId value;
};
struct SharedStmt {
  Ident name;
  ExprId type;
};
struct ForallStmt {
  List<RangeClause> clauses;
  ExprId body;
};
struct OnBlockStmt {
  ExprId stream;
  ExprId body;
};
struct DeclStmt {
  DeclId decl;
};

// ---- declarations ----
struct FnDecl {
  Ident name;  // for an operator: the operator's text, "+"
  bool isOperator = false;
  bool hasSelf = false, selfIsMut = false;
  List<StaticParam> staticParams;
  List<Param> params;  // without self
  ExprId result;       // none: no result, or inferred when the body is an expression
  ExprId body;         // Block, or any expression when bodyIsExpr; none in extern
  bool bodyIsExpr = false;
};
struct Domain {
  bool isForall = true;
  List<RangeClause> outer;    // forall: the points; blocks: the block clauses
  List<RangeClause> threads;  // blocks only
};
struct KernelDecl {
  Ident name;
  List<StaticParam> staticParams;
  List<Param> params;
  Domain domain;
  ExprId body;
};
struct StructDecl {
  Ident name;
  List<StaticParam> staticParams;
  List<Param> fields;
  List<DeclId> methods;
};
struct EnumDecl {
  Ident name;
  List<Ident> members;
};
struct ConstDecl {
  Ident name;
  ExprId type;
  ExprId init;
};
struct TypeAliasDecl {
  Ident name;
  List<StaticParam> staticParams;
  ExprId type;
};
struct ImportDecl {
  bool isFile = false;
  std::string_view path;
  Ident alias;
  List<Ident> names;
  bool selective = false;
};  // path: "math" or the file's
struct ExternDecl {
  std::string_view language;
  std::string_view from;
  List<DeclId> functions;
};  // from may be empty (then --link supplies it)
struct TestDecl {
  bool isBench = false;
  std::string_view name;
  ExprId body;
};
struct InstantiateDecl {
  ExprId target;
  std::string_view symbol;
};

#define AST_EXPR(Kind) Kind,
enum class ExprKind : uint8_t {
#include "frontend/ast/nodes.def"
};
#define AST_STMT(Kind) Kind,
enum class StmtKind : uint8_t {
#include "frontend/ast/nodes.def"
};
#define AST_DECL(Kind) Kind,
enum class DeclKind : uint8_t {
#include "frontend/ast/nodes.def"
};

struct Expr {
  Range range;
  std::variant<ErrorExpr, IntExpr, FloatExpr, BoolExpr, StringExpr, NameExpr, MemberExpr, TupleItemExpr, DotNameExpr,
               IndexExpr, SliceExpr, CallExpr, UnaryExpr, BinaryExpr, ParenExpr, TupleExpr, ArrayLitExpr, RepeatExpr,
               GeneratorExpr, ArrayGenExpr, IfExpr, BlockExpr, UncheckedExpr, LambdaExpr, FnTypeExpr, StridedExpr,
               SpreadExpr, OnExpr, GraphExpr>
      node;
  ExprKind kind() const { return static_cast<ExprKind>(node.index()); }
};
struct Stmt {
  Range range;
  std::variant<LetStmt, AssignStmt, ExprStmt, WhileStmt, ForStmt, BreakStmt, ContinueStmt, ReturnStmt, SharedStmt,
               ForallStmt, OnBlockStmt, DeclStmt>
      node;
  StmtKind kind() const { return static_cast<StmtKind>(node.index()); }
};
struct Decl {
  Range range;
  std::string_view doc;  // the text of its `///` lines, without the slashes
  bool isPrivate = false;
  List<Attribute> attributes;
  std::variant<FnDecl, KernelDecl, StructDecl, EnumDecl, ConstDecl, TypeAliasDecl, ImportDecl, ExternDecl, TestDecl,
               InstantiateDecl>
      node;
  DeclKind kind() const { return static_cast<DeclKind>(node.index()); }
};

/// The tree of one text: its statements (declarations are Decl statements) in order, and the arena that holds every
/// node.
class Ast {
 public:
  explicit Ast(FileId file) : file_(file) {}
  Ast(Ast&&) = default;
  Ast& operator=(Ast&&) = default;

  FileId file() const { return file_; }
  const Expr& expr(ExprId id) const { return exprs_[id.value]; }
  const Stmt& stmt(StmtId id) const { return stmts_[id.value]; }
  const Decl& decl(DeclId id) const { return decls_[id.value]; }
  List<StmtId> items() const { return items_; }
  size_t exprCount() const { return exprs_.size(); }

  // Building (parse/ only).
  template <class Node>
  ExprId addExpr(Range range, Node node) {
    exprs_.push_back({range, std::move(node)});
    return {static_cast<uint32_t>(exprs_.size() - 1)};
  }
  template <class Node>
  StmtId addStmt(Range range, Node node) {
    stmts_.push_back({range, std::move(node)});
    return {static_cast<uint32_t>(stmts_.size() - 1)};
  }
  DeclId addDecl(Decl decl) {
    const DeclId id{static_cast<uint32_t>(decls_.size())};
    if (const auto* alias = std::get_if<TypeAliasDecl>(&decl.node);
        alias && alias->type && expr(alias->type).kind() == ExprKind::FnType)
      functionTypes_.push_back(id);
    decls_.push_back(std::move(decl));
    return id;
  }
  /// The declarations of this text that name a function type: `type Map = fn(f32) -> f32`.
  std::span<const DeclId> functionTypes() const { return functionTypes_; }
  Expr& mutableExpr(ExprId id) { return exprs_[id.value]; }
  Decl& mutableDecl(DeclId id) { return decls_[id.value]; }
  void reserve(size_t exprs) { exprs_.reserve(exprs); }
  void setItems(List<StmtId> items) { items_ = items; }
  /// Copies a list into the arena.
  template <class T>
  List<T> list(std::span<const T> items) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (items.empty()) return {};
    static_assert(alignof(T) <= alignof(std::max_align_t));
    std::byte* place = allocate(items.size_bytes());
    std::memcpy(static_cast<void*>(place), items.data(), items.size_bytes());
    return {reinterpret_cast<const T*>(place), items.size()};
  }
  template <class T>
  List<T> list(const std::vector<T>& items) {
    return list(std::span<const T>(items));
  }
  /// Copies a text into the arena.
  std::string_view text(std::string_view text) {
    auto copy = list(std::span<const char>(text.data(), text.size()));
    return {copy.data(), copy.size()};
  }

 private:
  FileId file_;
  std::vector<Expr> exprs_;
  std::vector<Stmt> stmts_;
  std::vector<Decl> decls_;
  std::vector<DeclId> functionTypes_;
  List<StmtId> items_;

  /// Room for a list, aligned for anything; lives as long as the Ast. Small lists share a block.
  std::byte* allocate(size_t size) {
    constexpr size_t blockSize = 1 << 15, alignment = alignof(std::max_align_t);
    size = (size + alignment - 1) / alignment * alignment;
    if (size > left_) {
      size_t room = size > blockSize / 4 ? size : blockSize;
      blocks_.push_back(std::make_unique<std::byte[]>(room));
      if (room == size) return blocks_.back().get();
      free_ = blocks_.back().get();
      left_ = room;
    }
    std::byte* place = free_;
    free_ += size;
    left_ -= size;
    return place;
  }
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::byte* free_ = nullptr;
  size_t left_ = 0;
};

/// The tree as indented text, one node a line with its kind, names and line:column range; stable, for tests and
/// `--emit=ast`.
std::string dump(const Ast& ast, const SourceManager& sources, const Interner& names);

}  // namespace rad

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the grammar's actions call: tokens in, nodes out. Internal to parse/.
#pragma once

#include "frontend/ast/ast.h"
#include "frontend/diagnostics/diagnostics.h"
#include "frontend/lex/lex.h"
#include "frontend/source/interner.h"
#include "frontend/source/source.h"

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace rad {

/// The parts of a fn or kernel before its body.
struct Signature {
  Ident name;
  std::vector<StaticParam> staticParams;
  std::vector<Param> params;
  Range paramsRange;
};

/// A member of a struct: a field, a method, or neither.
struct StructMember {
  Param field;
  DeclId method;
};

/// The members of a struct while they are read.
struct StructMembers {
  std::vector<Param> fields;
  std::vector<DeclId> methods;
  void add(const StructMember& member) {
    if (!member.field.name.name.empty()) fields.push_back(member.field);
    if (member.method) methods.push_back(member.method);
  }
};

/// What follows `import`.
struct ImportPath {
  bool isFile = false;
  std::string path;
};

/// State of one parse: the tokens and where the parser is in them, and the tree that grows.
class Builder {
 public:
  Builder(FileId file, const SourceManager& sources, Interner& names, Diagnostics& diagnostics);

  // ---- tokens ----
  /// The next token, for the parser; the last one again at the end.
  const Token& next();
  Range rangeOf(const Token& token) const { return {{base_ + token.begin}, {base_ + token.end}}; }
  std::string_view textOf(Range range) const {
    return text_.substr(range.begin.offset - base_, range.end.offset - range.begin.offset);
  }
  Symbol symbol(Range range) { return names_.intern(textOf(range)); }
  Ident ident(Range range) { return {symbol(range), range}; }

  // ---- errors (errors.cpp) ----
  /// Reports that the token given last cannot stand there, in the words of what the user probably meant, and moves to
  /// the end of the statement so that parsing goes on there. `expected`: the kinds that could stand there. `missing`:
  /// what the grammar would like to see, in words.
  void syntaxError(const std::vector<TokenKind>& expected);
  /// Parsing cannot go on; reported unless something else was.
  void aborted();
  /// A statement that could not be read: an Error with its whole text, for the names in it (Checker::mayBeLost).
  StmtId lostStatement() { return stmt(lost_, ExprStmt{error(lost_)}); }
  /// A member of a struct or enum that could not be read: nothing is said of what the type then lacks.
  StructMember lostMember();
  /// Whether parsing goes on behind an error; false if it would not move.
  bool recover() { return !stuck_; }
  /// Whether the text ends before something that has to follow.
  bool failedAtEnd() const { return failedAtEnd_; }
  /// Whether a syntax error was left to the message about a bracket.
  bool failedBeforeEnd() const { return failedBeforeEnd_; }
  const TokenStream& stream() const { return stream_; }
  Diagnostics::Builder report(Diag diag, Range range, std::vector<std::string> arguments = {}) {
    return diagnostics_.report(diag, range, std::move(arguments));
  }

  // ---- literals (literals.cpp) ----
  ExprId number(Range range);
  ExprId string(Range range) { return expr(range, StringExpr{stringText(range)}); }
  /// The text of a string literal, escapes decoded, in the tree's arena.
  std::string_view stringText(Range range);
  uint32_t tuplePosition(Range range);

  // ---- nodes ----
  template <class Node>
  ExprId expr(Range range, Node node) {
    return addExpr(range, depthOf(node), node);
  }
  template <class Node>
  StmtId stmt(Range range, Node node) {
    StmtId id = ast_.addStmt(range, node);
    stmtDepth_.push_back(depthOf(node));
    return id;
  }
  template <class Node>
  DeclId decl(Range range, Node node) {
    declDepth_.push_back(depthOf(node));
    return addDecl(range, Decl{range, docFor(range), false, {}, node});
  }
  template <class T>
  List<T> list(const std::vector<T>& items) {
    return ast_.list(items);
  }
  std::string_view text(std::string_view text) { return ast_.text(text); }
  ExprId error(Range range) { return expr(range, ErrorExpr{}); }

  ExprId name(Range range) { return expr(range, NameExpr{symbol(range)}); }
  ExprId binary(Range range, BinaryOp op, ExprId left, ExprId right, Range opRange);
  ExprId comparison(Range range, BinaryOp op, ExprId left, ExprId right, Range opRange);
  ExprId fnType(Range range, const std::vector<ExprId>& params, ExprId result) {
    return expr(range, FnTypeExpr{list(params), result});
  }
  /// `const if`: the `else if` branches below it are const, too.
  ExprId constIf(Range range, ExprId ifExpr);
  StmtId assign(Range range, ExprId target, bool compound, BinaryOp op, ExprId value, Range opRange);
  StmtId let(Range range, bool isVar, Ident name, ExprId type, ExprId init);
  /// `let mut x`: reported, and taken for `var x`.
  StmtId letMut(Range range, Range mut, Ident name, ExprId type, ExprId init);
  StmtId letTuple(Range range, bool isVar, const std::vector<Ident>& names, ExprId type, ExprId init);
  RangeClause clauseWithoutRange(Ident name, ExprId value);
  DeclId fn(Range range, Signature signature, bool isOperator, ExprId result, ExprId body, bool bodyIsExpr);
  DeclId kernel(Range range, Signature signature, Domain domain, ExprId body);
  DeclId kernelWithoutDomain(Range range, Signature signature, ExprId body);
  /// A function that stands where it needs a body, and may or may not be a method.
  DeclId checkedFn(DeclId id, bool isMember);
  DeclId withAttributes(Range range, DeclId id, const std::vector<Attribute>& attributes);
  DeclId withPrivate(Range range, DeclId id);

  std::string_view doc(Range range) { return docFor(range); }
  Ast& ast() { return ast_; }
  void finish(const std::vector<StmtId>& items) { ast_.setItems(ast_.list(items)); }
  Ast take() { return std::move(ast_); }

 private:
  template <class Node>
  uint16_t depthOf(const Node& node) const;
  ExprId addExpr(Range range, uint16_t depth, auto node) {
    if (depth > maxNesting) return tooDeep(range);
    exprDepth_.push_back(depth);
    return ast_.addExpr(range, node);
  }
  DeclId addDecl(Range, Decl decl) { return ast_.addDecl(std::move(decl)); }
  ExprId tooDeep(Range range);
  std::string_view docFor(Range range);
  void checkParams(std::vector<Param>& params);

  // habits.cpp, habits_declarations.cpp, habits_calls.cpp
  bool foreignHabit(size_t at, bool explained);
  bool foreignLambda(size_t at);
  bool foreignParameter(size_t at);
  bool foreignDomain(size_t at);
  bool foreignCall(size_t at);
  bool typeFirst(size_t at);
  bool inParameters(size_t at) const;
  bool inSignature(size_t at) const;
  std::string lambdaOf(size_t at) const;
  std::string lambdaFrom(size_t open) const;
  std::string parameterMeant(size_t at, bool& isMut) const;
  std::string declarationMeant(size_t at) const;
  std::string declaratorMeant(size_t at, size_t end) const;
  std::string parametersMeant(size_t open) const;
  std::string staticsOf(size_t at) const;
  std::string sliceOf(size_t at) const;
  // errors.cpp
  void skipIndented(size_t start);
  bool statementHasBracketProblem(size_t start, size_t end) const;
  void skipStatement(size_t at);
  size_t openAround(size_t at) const;
  TokenKind insideOf(size_t at) const;
  size_t matchingClose(size_t at) const;
  size_t find(size_t at, TokenKind kind) const;
  std::string textUntil(size_t at, std::initializer_list<TokenKind> ends) const;
  std::string textBefore(size_t at) const;
  std::string shown(size_t first, size_t end) const;
  std::string postfixBefore(size_t at) const;
  std::string forOver(size_t at) const;
  std::string ifElse(size_t at) const;
  bool foreignRange(size_t at);
  std::string importMeant(size_t at) const;
  std::string withName(std::string_view help, size_t at) const;
  const Token& tokenAt(size_t at, int distance) const;
  std::string_view textOf(const Token& token) const { return text_.substr(token.begin, token.end - token.begin); }
  std::string describe(const Token& token) const;
  size_t matchingOpen(size_t at) const;
  size_t statementStart(size_t at) const;

  FileId file_;
  Interner& names_;
  Diagnostics& diagnostics_;
  std::string_view text_;
  uint32_t base_;
  TokenStream stream_;
  size_t cursor_ = 0;                                 // of the token that next() gives
  enum class Open : uint8_t { Parens, Block, List };  // List: members, separated by `,` too
  std::vector<Open> open_;                            // the brackets around the cursor
  Open lastClosed_ = Open::Block;
  bool listFollows_ = false;  // the next `{` opens the members of a struct or enum
  bool failedAtEnd_ = false, failedBeforeEnd_ = false;
  bool reportedDepth_ = false;
  std::vector<uint32_t> bracketProblems_;  // offsets of reported brackets, sorted
  std::vector<uint32_t> surplusBraces_;    // offsets of `}` that were left out, sorted
  size_t nextSurplus_ = 0;                 // the first that no error before explains
  bool stuck_ = false;
  bool isPython_ = false;  // the last error is in the head of a block that is indented below it
  Range lost_;             // of the last error: the statement, member or block up to where parsing goes on
  size_t lastErrorAt_ = SIZE_MAX;
  std::vector<std::pair<DeclId, Range>> selves_;  // functions with a `self`, and where it stands
  Ast ast_;
  std::vector<uint16_t> exprDepth_, stmtDepth_, declDepth_;  // levels of nodes below and with each
};

}  // namespace rad

#include "frontend/ast/children.h"

#include <algorithm>

namespace rad {

template <class Node>
uint16_t Builder::depthOf(const Node& node) const {
  uint16_t depth = 0;
  struct Visitor {
    const Builder& b;
    uint16_t& depth;
    void operator()(ExprId id) { depth = std::max(depth, b.exprDepth_[id.value]); }
    void operator()(StmtId id) { depth = std::max(depth, b.stmtDepth_[id.value]); }
    void operator()(DeclId id) { depth = std::max(depth, b.declDepth_[id.value]); }
  };
  forEachChild(node, Visitor{*this, depth});
  return depth + 1;
}

}  // namespace rad

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Nodes that need more than being put together, and the ways into the parser.
#include "frontend/parse/builder.h"
#include "frontend/parse/habits.h"
#include "frontend/parse/parse.h"
#include "frontend/parse/parser.tab.h"

#include <string>

namespace rad {

Builder::Builder(FileId file, const SourceManager& sources, Interner& names, Diagnostics& diagnostics)
    : file_(file),
      names_(names),
      diagnostics_(diagnostics),
      text_(sources.text(file)),
      base_(sources.location(file, 0).offset),
      stream_(lex(file, sources, diagnostics)),
      ast_(file) {
  reportedDepth_ = stream_.tooDeep;
  for (const BracketProblem& problem : stream_.brackets)
    (problem.surplusBrace ? surplusBraces_ : bracketProblems_).push_back(problem.begin);
  std::sort(bracketProblems_.begin(), bracketProblems_.end());
  ast_.reserve(stream_.tokens.size());
  exprDepth_.reserve(stream_.tokens.size());
}

const Token& Builder::next() {
  if (cursor_ == stream_.tokens.size()) return stream_.tokens.back();
  const Token& token = stream_.tokens[cursor_++];
  switch (token.kind) {
    case TokenKind::Struct:
    case TokenKind::Enum: listFollows_ = true; break;
    case TokenKind::End: listFollows_ = false; break;
    case TokenKind::LParen:
    case TokenKind::LBracket: open_.push_back(Open::Parens); break;
    case TokenKind::LBrace:
      open_.push_back(listFollows_ || (cursor_ > 1 && stream_.tokens[cursor_ - 2].kind == TokenKind::Dot)
                          ? Open::List
                          : Open::Block);
      listFollows_ = false;
      break;
    case TokenKind::RParen:
    case TokenKind::RBracket:
    case TokenKind::RBrace:
      if (open_.empty()) break;
      lastClosed_ = open_.back();
      open_.pop_back();
      break;
    default: break;
  }
  return token;
}

ExprId Builder::tooDeep(Range range) {
  if (!reportedDepth_)
    report(Diag::TooDeep, range, {std::to_string(maxNesting)})
        .help("give inner parts names, or move them into functions");
  reportedDepth_ = true;
  return error(range);
}

std::string_view Builder::docFor(Range range) {
  uint32_t offset = range.begin.offset - base_;
  auto it = std::lower_bound(stream_.docs.begin(), stream_.docs.end(), offset,
                             [](const DocComment& doc, uint32_t at) { return doc.target < at; });
  if (it == stream_.docs.end() || it->target != offset) return {};
  return ast_.text(it->text);
}

ExprId Builder::binary(Range range, BinaryOp op, ExprId left, ExprId right, Range opRange) {
  if (const auto* word = op == BinaryOp::BitOr ? std::get_if<NameExpr>(&ast_.expr(left).node) : nullptr;
      word && names_.text(word->name) == "move") {
    report(Diag::ForeignKeyword, ast_.expr(left).range, {"move"})
        .help("a lambda takes a copy of each value that it uses along: leave `move` out");
    // What follows on the line are the lambda's own names.
    const size_t from = range.begin.offset - base_, end = std::min(text_.find('\n', from), text_.size());
    return error({range.begin, {base_ + static_cast<uint32_t>(end)}});
  }
  return expr(range, BinaryExpr{op, left, right, opRange});
}

ExprId Builder::comparison(Range range, BinaryOp op, ExprId left, ExprId right, Range opRange) {
  if (auto* inner = std::get_if<BinaryExpr>(&ast_.expr(left).node);
      inner && inner->op >= BinaryOp::Eq && inner->op <= BinaryOp::Ge) {
    std::string_view middle = textOf(ast_.expr(inner->right).range);
    // zeros<f32>(n), static_cast<f32>(x)
    const bool isCall = ast_.expr(right).kind() == ExprKind::Paren || ast_.expr(right).kind() == ExprKind::Tuple;
    if (const auto* callee = std::get_if<NameExpr>(&ast_.expr(inner->left).node);
        callee && isCall && inner->op == BinaryOp::Lt && op == BinaryOp::Gt) {
      const std::string name(names_.text(callee->name)), argument(textOf(ast_.expr(right).range));
      const std::string_view ours = typeMeant(middle);
      const std::string type(ours.empty() ? middle : ours);
      report(Diag::UnexpectedHere, inner->opRange, {"`<`"})
          .help(name == "static_cast" ? "a conversion is written `" + type + argument + "`"
                : name == "reinterpret_cast"
                    ? "bits are taken as another type by `bitcast[" + type + "]" + argument + "`"
                    : "compile-time arguments stand in brackets: `" + name + "[" + type + "]" + argument + "`");
      return error(range);
    }
    auto message = report(Diag::ComparisonChain, opRange).note(inner->opRange, "the comparison before it");
    std::string_view first = textOf(ast_.expr(left).range), last = textOf(ast_.expr(right).range);
    if (first.size() + middle.size() + last.size() < 100 && textOf(range).find('\n') == std::string_view::npos)
      message.help("write `" + std::string(first) + " and " + std::string(middle) + " " + std::string(textOf(opRange)) +
                   " " + std::string(last) + "`");
    return error(range);
  }
  return binary(range, op, left, right, opRange);
}

ExprId Builder::constIf(Range range, ExprId id) {
  ast_.mutableExpr(id).range = range;
  for (ExprId at = id; at;) {
    auto* node = std::get_if<IfExpr>(&ast_.mutableExpr(at).node);
    if (!node) break;
    node->isConst = true;
    at = node->elseBranch;
  }
  return id;
}

namespace {

/// What an expression that cannot be assigned to is called; empty if it can be.
std::string_view notAPlace(const Ast& ast, ExprId id) {
  const Expr& e = ast.expr(id);
  switch (e.kind()) {
    case ExprKind::Error:
    case ExprKind::Name:
    case ExprKind::Member:
    case ExprKind::TupleItem:
    case ExprKind::Index: return {};
    case ExprKind::Paren: return notAPlace(ast, std::get<ParenExpr>(e.node).inner);
    case ExprKind::Tuple:
      for (ExprId item : std::get<TupleExpr>(e.node).items)
        if (auto text = notAPlace(ast, item); !text.empty()) return text;
      return std::get<TupleExpr>(e.node).items.empty() ? std::string_view("an empty tuple") : std::string_view();
    case ExprKind::Int:
    case ExprKind::Float: return "a number";
    case ExprKind::Bool: return "a truth value";
    case ExprKind::String: return "a string";
    case ExprKind::DotName: return "an enum's member";
    case ExprKind::Slice: return "a range";
    case ExprKind::Call: return "the result of a call";
    case ExprKind::Unary:
    case ExprKind::Binary: return "the result of an operator";
    case ExprKind::ArrayLit:
    case ExprKind::Repeat:
    case ExprKind::ArrayGen: return "a new array";
    case ExprKind::Generator: return "a generator";
    case ExprKind::If:
    case ExprKind::Block:
    case ExprKind::Unchecked: return "the value of a block";
    case ExprKind::Lambda: return "a lambda";
    case ExprKind::FnType:
    case ExprKind::Strided: return "a type";
    case ExprKind::Spread: return "a list of arguments";
    case ExprKind::On: return "a launch";
    case ExprKind::Graph: return "a graph";
  }
  return {};
}

}  // namespace

StmtId Builder::assign(Range range, ExprId target, bool compound, BinaryOp op, ExprId value, Range opRange) {
  std::string_view wrong = notAPlace(ast_, target);
  if (wrong.empty() && compound && ast_.expr(target).kind() == ExprKind::Tuple) wrong = "a tuple";
  if (!wrong.empty()) {
    report(Diag::CannotAssign, ast_.expr(target).range, {std::string(wrong)});
    target = error(ast_.expr(target).range);
  }
  return stmt(range, AssignStmt{target, compound, op, value, opRange});
}

StmtId Builder::let(Range range, bool isVar, Ident name, ExprId type, ExprId init) {
  std::string text(names_.text(name.name));
  if (!init && !isVar) {
    report(Diag::LetNeedsValue, range, {text})
        .help(type ? "write `var` if it gets its value later" : "write `let " + text + " = ...`");
    init = error(range);
  } else if (!init && !type) {
    report(Diag::VarNeedsType, range, {text}).help("write `var " + text + ": f32` or `var " + text + " = 0.0`");
    init = error(range);
  }
  return stmt(range, LetStmt{isVar, false, list(std::vector<Ident>{name}), type, init});
}

StmtId Builder::letMut(Range range, Range mut, Ident name, ExprId type, ExprId init) {
  report(Diag::LetMut, mut).help("write `var " + std::string(names_.text(name.name)) + "`");
  return let(range, true, name, type, init);
}

StmtId Builder::letTuple(Range range, bool isVar, const std::vector<Ident>& names, ExprId type, ExprId init) {
  std::string text = "(";
  for (const Ident& name : names) text += (text.size() > 1 ? ", " : "") + std::string(names_.text(name.name));
  text += ")";
  if (!init && !isVar) {
    report(Diag::LetNeedsValue, range, {text});
    init = error(range);
  } else if (!init && !type) {
    report(Diag::VarNeedsType, range, {text});
    init = error(range);
  }
  return stmt(range, LetStmt{isVar, true, list(names), type, init});
}

RangeClause Builder::clauseWithoutRange(Ident name, ExprId value) {
  Range range = ast_.expr(value).range;
  std::string text(names_.text(name.name));
  auto message = report(Diag::NeedsRange, range, {text});
  std::string limit(textOf(range));
  const Range start{range.begin, range.begin};
  const auto* call = std::get_if<CallExpr>(&ast_.expr(value).node);
  const auto* callee = call ? std::get_if<NameExpr>(&ast_.expr(call->callee).node) : nullptr;
  const std::string_view called = callee ? names_.text(callee->name) : std::string_view();
  if (called == "range") {  // of other languages: its arguments are the limits
    auto argument = [&](size_t i) { return std::string(textOf(ast_.expr(call->arguments[i].value).range)); };
    if (call->arguments.size() == 1) message.help("write `" + text + " in 0.." + argument(0) + "`");
    if (call->arguments.size() == 2) message.help("write `" + text + " in " + argument(0) + ".." + argument(1) + "`");
    if (call->arguments.size() == 3)
      message.help("write `" + text + " in " + argument(0) + ".." + argument(1) + " step " + argument(2) + "`");
    return {name, error(start), error(start), {}, {}};
  }
  const ExprKind kind = ast_.expr(value).kind();
  if (kind == ExprKind::Name || kind == ExprKind::Member || kind == ExprKind::Index) {
    // Where it is checked, its type tells what helps.
    message.help("write `" + text + " in 0.." + limit + "`; over the elements of an array, `" + text + " in 0.." +
                 limit + ".len` and `" + limit + "[" + text + "]`");
    return {name, error(start), error(range), {}, value};
  }
  if (kind == ExprKind::String || called == "read_text" || called == "format")
    message.help("the letters of a text cannot be taken one by one");
  else if (kind == ExprKind::ArrayLit)
    message.help("give the list a name: `let list = " + limit + "`, `" + text + " in 0..list.len` and `list[" + text +
                 "]`");
  else message.help("write `" + text + " in 0.." + limit + "`");
  return {name, error(start), error(range), {}, {}};
}

void Builder::checkParams(std::vector<Param>& params) {
  bool hasVariadic = false;
  for (Param& param : params) {
    std::string text(names_.text(param.name.name));
    if (!param.type) {
      if (text == "self") report(Diag::MisplacedSelf, param.name.range);
      else
        report(Diag::ParamNeedsType, param.name.range, {text})
            .help(text == "this" ? "in a method the value is `self`"
                                 : "write `" + text + ": f32`, or the type that it has");
      param.type = error(param.name.range);
    } else if (ast_.expr(param.type).kind() == ExprKind::Spread) {
      if (hasVariadic) report(Diag::SecondVariadic, ast_.expr(param.type).range);
      hasVariadic = true;
    }
  }
}

DeclId Builder::fn(Range range, Signature signature, bool isOperator, ExprId result, ExprId body, bool bodyIsExpr) {
  FnDecl node;
  node.name = signature.name;
  node.isOperator = isOperator;
  Range self;
  auto& params = signature.params;
  if (!params.empty() && !params[0].type && names_.text(params[0].name.name) == "self") {
    node.hasSelf = true;
    node.selfIsMut = params[0].isMut;
    self = params[0].name.range;
    params.erase(params.begin());
  }
  checkParams(params);
  node.staticParams = list(signature.staticParams);
  node.params = list(params);
  node.result = result;
  node.body = body;
  node.bodyIsExpr = bodyIsExpr;
  DeclId id = decl(range, node);
  if (node.hasSelf) selves_.push_back({id, self});
  return id;
}

DeclId Builder::checkedFn(DeclId id, bool isMember) {
  const Decl& d = ast_.decl(id);
  auto* node = std::get_if<FnDecl>(&d.node);
  if (!node) return id;
  if (node->hasSelf && !isMember && !selves_.empty() && selves_.back().first == id)
    report(Diag::MisplacedSelf, selves_.back().second);
  bool cutOff = cursor_ > 1 && stream_.tokens[cursor_ - 2].isVirtual;  // a missing bracket was reported
  if (!node->body && !cutOff) {
    bool atEnd = cursor_ == stream_.tokens.size();
    std::string text(names_.text(node->name.name));
    report(Diag::MissingBody, {d.range.begin, node->name.range.end}, {text})
        .help("write `{ ... }` or `= ...` behind it");
    failedAtEnd_ |= atEnd;
    auto& fn = std::get<FnDecl>(ast_.mutableDecl(id).node);
    fn.body = error({d.range.end, d.range.end});
    fn.bodyIsExpr = true;
  }
  return id;
}

DeclId Builder::kernel(Range range, Signature signature, Domain domain, ExprId body) {
  checkParams(signature.params);
  return decl(range, KernelDecl{signature.name, list(signature.staticParams), list(signature.params), domain, body});
}

DeclId Builder::kernelWithoutDomain(Range range, Signature signature, ExprId body) {
  std::string text(names_.text(signature.name.name));
  report(Diag::KernelNeedsDomain, {range.begin, signature.name.range.end}, {text})
      .help("write `forall i in 0..n` before the `{`, or `blocks b in 0..m threads t in 0..256`");
  error(range);  // what the domain would have named is used in the body
  return kernel(range, std::move(signature), {}, body);
}

DeclId Builder::withAttributes(Range range, DeclId id, const std::vector<Attribute>& attributes) {
  Decl& d = ast_.mutableDecl(id);
  d.range = range;
  d.attributes = list(attributes);
  if (auto doc = docFor(range); !doc.empty()) d.doc = doc;
  return id;
}

DeclId Builder::withPrivate(Range range, DeclId id) {
  Decl& d = ast_.mutableDecl(id);
  d.range = range;
  d.isPrivate = true;
  if (auto doc = docFor(range); !doc.empty()) d.doc = doc;
  return id;
}

Ast parse(FileId file, const SourceManager& sources, Interner& names, Diagnostics& diagnostics) {
  const size_t first = diagnostics.all().size();
  Builder builder(file, sources, names, diagnostics);
  grammar::Parser parser(builder);
  parser.parse();
  diagnostics.sortByPlace(first);  // the scanner's come before the grammar's
  return builder.take();
}

bool isIncomplete(std::string_view text) {
  SourceManager sources;
  Interner names;
  Diagnostics diagnostics;
  FileId file = sources.add("<entry>", std::string(text));
  if (!file.valid()) return false;
  Builder builder(file, sources, names, diagnostics);
  grammar::Parser parser(builder);
  parser.parse();
  // An entry with a mistake that more lines cannot repair is shown at once.
  size_t others = diagnostics.errorCount() - builder.stream().endErrors;
  if (builder.stream().openAtEnd) return others == 0 && !builder.failedBeforeEnd();
  return builder.failedAtEnd() && others == 1;
}

}  // namespace rad

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tree as text: one node a line, children indented below it in the order they are written.
#include "frontend/ast/ast.h"

#include <charconv>
#include <string>

namespace rad {

std::string_view spelling(UnaryOp op) {
  switch (op) {
    case UnaryOp::Neg: return "-";
    case UnaryOp::Not: return "not";
    case UnaryOp::BitNot: return "~";
    case UnaryOp::AddressOf: return "&";
  }
  return "";
}

std::string_view spelling(BinaryOp op) {
  switch (op) {
    case BinaryOp::Add: return "+";
    case BinaryOp::Sub: return "-";
    case BinaryOp::Mul: return "*";
    case BinaryOp::Div: return "/";
    case BinaryOp::Rem: return "%";
    case BinaryOp::BitAnd: return "&";
    case BinaryOp::BitOr: return "|";
    case BinaryOp::BitXor: return "^";
    case BinaryOp::Shl: return "<<";
    case BinaryOp::Shr: return ">>";
    case BinaryOp::Eq: return "==";
    case BinaryOp::Ne: return "!=";
    case BinaryOp::Lt: return "<";
    case BinaryOp::Le: return "<=";
    case BinaryOp::Gt: return ">";
    case BinaryOp::Ge: return ">=";
    case BinaryOp::And: return "and";
    case BinaryOp::Or: return "or";
  }
  return "";
}

namespace {

constexpr std::string_view exprNames[] = {
#define AST_EXPR(Kind) #Kind,
#include "frontend/ast/nodes.def"
};
constexpr std::string_view stmtNames[] = {
#define AST_STMT(Kind) #Kind,
#include "frontend/ast/nodes.def"
};
constexpr std::string_view declNames[] = {
#define AST_DECL(Kind) #Kind,
#include "frontend/ast/nodes.def"
};

class Dumper {
 public:
  Dumper(const Ast& ast, const SourceManager& sources, const Interner& names)
      : ast_(ast), sources_(sources), names_(names) {}

  std::string run() {
    for (StmtId id : ast_.items()) child(id);
    return std::move(out_);
  }

 private:
  // ---- lines ----
  std::string place(Range range) {
    Position begin = sources_.position(range.begin), end = sources_.position(range.end);
    return " <" + std::to_string(begin.line) + ":" + std::to_string(begin.column) + "-" + std::to_string(end.line) +
           ":" + std::to_string(end.column) + ">";
  }
  void line(std::string_view label, const std::string& text) {
    out_.append(2 * depth_, ' ');
    if (!label.empty()) (out_ += label) += ": ";
    out_ += text;
    out_ += '\n';
  }
  std::string text(Symbol symbol) { return std::string(names_.text(symbol)); }
  std::string text(const Ident& ident) { return text(ident.name); }
  std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
      if (c == '\n') out += "\\n";
      else if (c == '"' || c == '\\') (out += '\\') += c;
      else if (static_cast<unsigned char>(c) < 0x20)
        out += "\\x" + std::string(1, "0123456789abcdef"[c >> 4 & 15]) + "0123456789abcdef"[c & 15];
      else out += c;
    }
    return out + "\"";
  }
  template <class F>
  void indented(F f) {
    ++depth_;
    f();
    --depth_;
  }

  // ---- shared parts ----
  void child(ExprId id, std::string_view label = {}) {
    if (!id) return;
    const Expr& e = ast_.expr(id);
    std::string head(exprNames[e.node.index()]);
    std::visit([&](const auto& node) { head += details(node); }, e.node);
    line(label, head + place(e.range));
    indented([&] { std::visit([&](const auto& node) { parts(node); }, e.node); });
  }
  void child(StmtId id, std::string_view label = {}) {
    const Stmt& s = ast_.stmt(id);
    // A declaration among statements is shown as itself.
    if (auto* decl = std::get_if<DeclStmt>(&s.node)) return child(decl->decl, label);
    std::string head(stmtNames[s.node.index()]);
    if (s.kind() == StmtKind::Expr) head += "Stmt";
    std::visit([&](const auto& node) { head += details(node); }, s.node);
    line(label, head + place(s.range));
    indented([&] { std::visit([&](const auto& node) { parts(node); }, s.node); });
  }
  void child(DeclId id, std::string_view label = {}) {
    const Decl& d = ast_.decl(id);
    std::string head(declNames[d.node.index()]);
    std::visit([&](const auto& node) { head += details(node); }, d.node);
    if (d.isPrivate) head += " private";
    line(label, head + place(d.range));
    indented([&] {
      if (!d.doc.empty()) line("doc", quoted(d.doc));
      for (const Attribute& attribute : d.attributes) {
        line("", "@" + text(attribute.name) + place(attribute.range));
        indented([&] { child(attribute.arguments); });
      }
      std::visit([&](const auto& node) { parts(node); }, d.node);
    });
  }
  template <class Id>
    requires std::is_same_v<Id, ExprId> || std::is_same_v<Id, StmtId> || std::is_same_v<Id, DeclId>
  void child(List<Id> list, std::string_view label = {}) {
    for (Id id : list) child(id, label);
  }
  void child(List<Argument> arguments) {
    for (const Argument& a : arguments) child(a.value, a.name.name.empty() ? std::string() : text(a.name));
  }
  void child(List<RangeClause> clauses, std::string_view label) {
    for (const RangeClause& c : clauses) child(c, label);
  }
  void child(const RangeClause& c, std::string_view label) {
    line(label, "Range " + text(c.name) + place(c.name.range));
    indented([&] {
      child(c.low, "low");
      child(c.high, "high");
      child(c.step, "step");
    });
  }
  void child(List<Param> params, std::string_view label = "param") {
    for (const Param& p : params) {
      line(label, (p.isMut ? "mut " : "") + text(p.name) + place(p.name.range));
      indented([&] {
        child(p.type, "type");
        child(p.defaultValue, "default");
      });
    }
  }
  void child(List<StaticParam> params) {
    for (const StaticParam& p : params) {
      line("static", (p.isConst ? "const " : "") + text(p.name) + place(p.name.range));
      indented([&] {
        child(p.constraintOrType, "type");
        child(p.defaultValue, "default");
      });
    }
  }

  // ---- what stands on a node's own line ----
  std::string details(const auto&) { return {}; }
  std::string details(const IntExpr& n) {
    std::string out = " " + (n.tooBig ? std::string("too-big") : std::to_string(n.value));
    if (n.isHexOrBinary) out += " hex";
    return out + (n.suffix.empty() ? "" : " " + text(n.suffix));
  }
  std::string details(const FloatExpr& n) {
    char buffer[64];
    auto [end, failure] = std::to_chars(buffer, buffer + sizeof buffer, n.value);
    return " " + std::string(buffer, end) + (n.suffix.empty() ? "" : " " + text(n.suffix));
  }
  std::string details(const BoolExpr& n) { return n.value ? " true" : " false"; }
  std::string details(const StringExpr& n) { return " " + quoted(n.value); }
  std::string details(const NameExpr& n) { return " " + text(n.name); }
  std::string details(const MemberExpr& n) { return " ." + text(n.member); }
  std::string details(const TupleItemExpr& n) { return " ." + std::to_string(n.position); }
  std::string details(const DotNameExpr& n) { return " ." + text(n.name); }
  std::string details(const UnaryExpr& n) { return " " + std::string(spelling(n.op)); }
  std::string details(const BinaryExpr& n) { return " " + std::string(spelling(n.op)); }
  std::string details(const IfExpr& n) { return n.isConst ? " const" : ""; }
  std::string details(const LetStmt& n) {
    std::string out = n.isVar ? " var " : " ";
    if (n.isTuple) out += "(";
    for (size_t i = 0; i < n.names.size(); ++i) out += (i ? ", " : "") + text(n.names[i]);
    return out + (n.isTuple ? ")" : "");
  }
  std::string details(const AssignStmt& n) { return n.isCompound ? " " + std::string(spelling(n.op)) + "=" : " ="; }
  std::string details(const ForStmt& n) {
    switch (n.unroll) {
      case Unroll::None: return "";
      case Unroll::Full: return " unroll";
      case Unroll::Factor: return " unroll-factor";
    }
    return "";
  }
  std::string details(const SharedStmt& n) { return " " + text(n.name); }
  std::string details(const FnDecl& n) {
    return (n.isOperator ? " operator " : " ") + text(n.name) + (n.hasSelf ? n.selfIsMut ? " mut-self" : " self" : "");
  }
  std::string details(const KernelDecl& n) { return " " + text(n.name); }
  std::string details(const StructDecl& n) { return " " + text(n.name); }
  std::string details(const EnumDecl& n) { return " " + text(n.name); }
  std::string details(const ConstDecl& n) { return " " + text(n.name); }
  std::string details(const TypeAliasDecl& n) { return " " + text(n.name); }
  std::string details(const ImportDecl& n) {
    std::string out = " " + (n.isFile ? quoted(n.path) : std::string(n.path));
    if (!n.alias.name.empty()) out += " as " + text(n.alias);
    if (n.selective) {
      out += " {";
      for (size_t i = 0; i < n.names.size(); ++i) out += (i ? ", " : "") + text(n.names[i]);
      out += "}";
    }
    return out;
  }
  std::string details(const ExternDecl& n) {
    return " " + quoted(n.language) + (n.from.empty() ? "" : " from " + quoted(n.from));
  }
  std::string details(const TestDecl& n) { return (n.isBench ? " bench " : " ") + quoted(n.name); }
  std::string details(const InstantiateDecl& n) { return " as " + quoted(n.symbol); }

  // ---- children ----
  void parts(const ErrorExpr&) {}
  void parts(const IntExpr&) {}
  void parts(const FloatExpr&) {}
  void parts(const BoolExpr&) {}
  void parts(const StringExpr&) {}
  void parts(const NameExpr&) {}
  void parts(const MemberExpr& n) { child(n.base); }
  void parts(const TupleItemExpr& n) { child(n.base); }
  void parts(const DotNameExpr&) {}
  void parts(const IndexExpr& n) {
    child(n.base);
    child(n.arguments);
  }
  void parts(const SliceExpr& n) {
    child(n.low, "low");
    child(n.high, "high");
    child(n.step, "step");
  }
  void parts(const CallExpr& n) {
    child(n.callee);
    child(n.arguments);
  }
  void parts(const UnaryExpr& n) { child(n.operand); }
  void parts(const BinaryExpr& n) {
    child(n.left);
    child(n.right);
  }
  void parts(const ParenExpr& n) { child(n.inner); }
  void parts(const TupleExpr& n) { child(n.items); }
  void parts(const ArrayLitExpr& n) { child(n.items); }
  void parts(const RepeatExpr& n) {
    child(n.value);
    child(n.dims, "dim");
  }
  void parts(const GeneratorExpr& n) {
    child(n.value);
    child(n.clauses, "for");
    child(n.condition, "if");
  }
  void parts(const ArrayGenExpr& n) { child(n.generator); }
  void parts(const IfExpr& n) {
    child(n.condition, "if");
    child(n.thenBlock, "then");
    child(n.elseBranch, "else");
  }
  void parts(const BlockExpr& n) { child(n.statements); }
  void parts(const UncheckedExpr& n) { child(n.block); }
  void parts(const LambdaExpr& n) {
    child(n.params);
    child(n.body, "body");
  }
  void parts(const FnTypeExpr& n) {
    child(n.params, "param");
    child(n.result, "result");
  }
  void parts(const StridedExpr& n) { child(n.type); }
  void parts(const SpreadExpr& n) { child(n.inner); }
  void parts(const OnExpr& n) {
    child(n.launch);
    child(n.stream, "stream");
  }
  void parts(const GraphExpr& n) { child(n.block); }

  void parts(const LetStmt& n) {
    child(n.type, "type");
    child(n.init);
  }
  void parts(const AssignStmt& n) {
    child(n.target);
    child(n.value);
  }
  void parts(const ExprStmt& n) { child(n.expr); }
  void parts(const WhileStmt& n) {
    child(n.condition, "while");
    child(n.body);
  }
  void parts(const ForStmt& n) {
    child(n.factor, "factor");
    child(n.range, "");
    child(n.body);
  }
  void parts(const BreakStmt&) {}
  void parts(const ContinueStmt&) {}
  void parts(const ReturnStmt& n) { child(n.value); }
  void parts(const SharedStmt& n) { child(n.type, "type"); }
  void parts(const ForallStmt& n) {
    child(n.clauses, "");
    child(n.body);
  }
  void parts(const OnBlockStmt& n) {
    child(n.stream, "stream");
    child(n.body);
  }
  void parts(const DeclStmt& n) { child(n.decl); }

  void parts(const FnDecl& n) {
    child(n.staticParams);
    child(n.params);
    child(n.result, "result");
    child(n.body, n.bodyIsExpr ? "value" : "body");
  }
  void parts(const KernelDecl& n) {
    child(n.staticParams);
    child(n.params);
    child(n.domain.outer, n.domain.isForall ? "forall" : "blocks");
    child(n.domain.threads, "threads");
    child(n.body, "body");
  }
  void parts(const StructDecl& n) {
    child(n.staticParams);
    child(n.fields, "field");
    child(n.methods);
  }
  void parts(const EnumDecl& n) {
    for (const Ident& member : n.members) line("member", text(member) + place(member.range));
  }
  void parts(const ConstDecl& n) {
    child(n.type, "type");
    child(n.init);
  }
  void parts(const TypeAliasDecl& n) {
    child(n.staticParams);
    child(n.type, "type");
  }
  void parts(const ImportDecl&) {}
  void parts(const ExternDecl& n) { child(n.functions); }
  void parts(const TestDecl& n) { child(n.body); }
  void parts(const InstantiateDecl& n) { child(n.target); }

  const Ast& ast_;
  const SourceManager& sources_;
  const Interner& names_;
  std::string out_;
  size_t depth_ = 0;
};

}  // namespace

std::string dump(const Ast& ast, const SourceManager& sources, const Interner& names) {
  return Dumper(ast, sources, names).run();
}

}  // namespace rad

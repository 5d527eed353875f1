// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The typed program as text: one statement a line, expressions in prefix form, checks marked as `[i]` (checked), `[i!]`
// (proven) or `[i?]` (unchecked).
#include "frontend/sema/typed_program.h"

#include <fmt/format.h>

#include <climits>

namespace rad {
namespace {

class Dumper {
 public:
  explicit Dumper(const TypedProgram& program, const SourceManager& sources) : program_(program), sources_(sources) {}

  std::string run() {
    for (const Global& global : program_.globals)
      line(fmt::format("global {} {}{}: {}", global.isDefinedHere ? "defines" : "uses", global.isVar ? "var " : "",
                       global.symbol, type(global.type)));
    for (const Function& function : program_.functions) this->function(function);
    for (const Kernel& kernel : program_.kernels) this->kernel(kernel);
    line("script");
    body(program_.script);
    return std::move(out_);
  }

 private:
  void line(const std::string& text) { out_ += std::string(depth_ * 2, ' ') + text + "\n"; }
  std::string type(TypeId id) const { return program_.types->spell(id); }
  std::string local(LocalId id) const {
    if (!id) return "_";
    const Local& local = body_->locals[id.value];
    return local.name.empty() ? fmt::format("%{}", id.value) : fmt::format("{}%{}", local.name, id.value);
  }
  std::string position(Range range) const {
    if (!range.valid()) return "-";
    const Position at = sources_.position(range.begin);
    return fmt::format("{}:{}", at.line, at.column);
  }
  std::string site(SiteId id) const {
    if (!id) return "";
    return fmt::format(" @{}", position(program_.sites[id.value].range));
  }
  static std::string_view mark(Check check) {
    switch (check) {
      case Check::Checked: return "";
      case Check::Proven: return "!";
      case Check::Unchecked: return "?";
      case Check::AtLaunch: return "^";
    }
    return "";
  }

  std::string list(const std::vector<TExprId>& items) const {
    std::string text;
    for (size_t i = 0; i < items.size(); ++i) text += (i ? ", " : "") + expr(items[i]);
    return text;
  }

  std::string shape(const ShapeExpr& shape, const Kernel& kernel) const {
    auto two = [&](std::string_view op) {
      return fmt::format("({} {} {})", this->shape(shape.operands[0], kernel), op,
                         this->shape(shape.operands[1], kernel));
    };
    auto call = [&](std::string_view op) {
      return fmt::format("{}({}, {})", op, this->shape(shape.operands[0], kernel),
                         this->shape(shape.operands[1], kernel));
    };
    switch (shape.op) {
      case ShapeOp::Constant: return std::to_string(shape.value);
      case ShapeOp::Dimension: return kernel.dims[static_cast<size_t>(shape.value)].name;
      case ShapeOp::Parameter: return kernel.params[static_cast<size_t>(shape.value)].name;
      case ShapeOp::Add: return two("+");
      case ShapeOp::Sub: return two("-");
      case ShapeOp::Mul: return two("*");
      case ShapeOp::Div: return two("/");
      case ShapeOp::Rem: return two("%");
      case ShapeOp::Min: return call("min");
      case ShapeOp::Max: return call("max");
      case ShapeOp::CeilDiv: return call("ceil_div");
    }
    return {};
  }

  std::string expr(TExprId id) const {
    if (!id) return "-";
    const TExpr& e = program_.expr(id);
    return std::visit([&](const auto& node) { return show(node, e); }, e.node);
  }

  std::string show(const ConstInt& node, const TExpr& e) const {
    const Type& t = program_.types->get(e.type);
    if (t.kind == TypeKind::Scalar && t.scalar == Scalar::Bool) return node.bits ? "true" : "false";
    if (t.kind == TypeKind::Scalar && isSignedInteger(t.scalar)) {
      const unsigned shift = 64 - bitsOf(t.scalar);
      return fmt::format("{}{}", static_cast<int64_t>(node.bits << shift) >> shift, type(e.type));
    }
    return fmt::format("{}{}", node.bits, type(e.type));
  }
  std::string show(const ConstFloat& node, const TExpr& e) const {
    return fmt::format("{}{}", node.value, type(e.type));
  }
  std::string show(const ConstString& node, const TExpr&) const { return fmt::format("\"{}\"", node.value); }
  std::string show(const LocalRef& node, const TExpr&) const { return local(node.local); }
  std::string show(const GlobalRef& node, const TExpr&) const { return program_.globals[node.global.value].symbol; }
  std::string show(const ViewElement& node, const TExpr&) const {
    std::string text = expr(node.view) + "[";
    for (size_t i = 0; i < node.indices.size(); ++i)
      text += fmt::format("{}{}{}", i ? ", " : "", expr(node.indices[i]), mark(node.checks[i]));
    return text + "]";
  }
  std::string show(const ViewSlice& node, const TExpr&) const {
    std::string text = "slice(" + expr(node.view);
    for (const SliceDim& dim : node.dims)
      text += dim.isIndex ? fmt::format(", {}{}", expr(dim.low), mark(dim.check))
                          : fmt::format(", {}..{}{}{}", dim.low ? expr(dim.low) : "", dim.high ? expr(dim.high) : "",
                                        mark(dim.check), dim.step ? " step " + expr(dim.step) : "");
    return text + ")";
  }
  std::string show(const ViewExtent& node, const TExpr&) const {
    return fmt::format("extent({}, {})", expr(node.view), node.dim);
  }
  std::string show(const ViewFlat& node, const TExpr&) const { return fmt::format("flat({})", expr(node.view)); }
  std::string show(const MakeElements& node, const TExpr& e) const {
    std::string text = type(e.type) + "(";
    for (size_t i = 0; i < node.items.size(); ++i) text += (i ? ", " : "") + expr(node.items[i]);
    return text + ")";
  }
  std::string show(const ElementOf& node, const TExpr&) const {
    return fmt::format("{}[{}{}]", expr(node.value), expr(node.index), mark(node.check));
  }
  std::string show(const ElementSlice& node, const TExpr& e) const {
    const uint64_t behind = node.first + (program_.types->get(e.type).count - 1) * node.step + 1;
    return fmt::format("{}[{}..{}{}]", expr(node.value), node.first, behind,
                       node.step == 1 ? "" : fmt::format(" step {}", node.step));
  }
  std::string show(const Swizzle& node, const TExpr&) const {
    std::string text = expr(node.vector) + ".";
    for (uint8_t lane : node.lanes) text += std::to_string(lane);
    return text;
  }
  std::string show(const Negate& node, const TExpr& e) const {
    return fmt::format("neg.{}({}{})", type(e.type), expr(node.operand), site(node.overflow));
  }
  std::string show(const LogicNot& node, const TExpr&) const { return fmt::format("not({})", expr(node.operand)); }
  std::string show(const BitNot& node, const TExpr& e) const {
    return fmt::format("bitnot.{}({})", type(e.type), expr(node.operand));
  }
  std::string show(const Arithmetic& node, const TExpr& e) const {
    return fmt::format("({} {}.{} {}{})", expr(node.left), spelling(node.op), type(e.type), expr(node.right),
                       site(node.site));
  }
  std::string show(const Compare& node, const TExpr&) const {
    return fmt::format("({} {} {})", expr(node.left), spelling(node.op), expr(node.right));
  }
  std::string show(const Logic& node, const TExpr&) const {
    return fmt::format("({} {} {})", expr(node.left), node.isAnd ? "and" : "or", expr(node.right));
  }
  std::string show(const Convert& node, const TExpr& e) const {
    return fmt::format("{}({})", type(e.type), expr(node.operand));
  }
  std::string show(const Bitcast& node, const TExpr& e) const {
    return fmt::format("bitcast.{}({})", type(e.type), expr(node.operand));
  }
  std::string show(const Select& node, const TExpr&) const {
    return fmt::format("select({}, {}, {})", expr(node.condition), expr(node.whenTrue), expr(node.whenFalse));
  }
  std::string show(const MathCall& node, const TExpr& e) const {
    return fmt::format("{}.{}({})", infoOf(node.op).name, type(e.type), list(node.operands));
  }
  std::string show(const AtomicCall& node, const TExpr&) const {
    return fmt::format("atomic.{}.{}.{}(&{}{}{})", infoOf(node.op).name,
                       node.scope == AtomicScope::Block ? "block" : "device", type(program_.expr(node.place).type),
                       expr(node.place), node.operands.empty() ? "" : ", ", list(node.operands));
  }
  std::string show(const CallFunction& node, const TExpr&) const {
    return fmt::format("call {}({})", program_.functions[node.function.value].name, list(node.arguments));
  }
  std::string show(const BlockValue& node, const TExpr&) const {
    Dumper inner(program_, sources_);
    inner.body_ = body_;
    inner.kernel_ = kernel_;
    inner.depth_ = depth_ + 2;
    inner.statements(node.statements);
    return fmt::format("{{\n{}{}{}\n{}}}", inner.out_, std::string(inner.depth_ * 2, ' '),
                       node.value ? "=> " + inner.expr(node.value) : "=> ()", std::string((depth_ + 1) * 2, ' '));
  }
  std::string show(const IfValue& node, const TExpr&) const {
    return fmt::format("if({}, {}, {})", expr(node.condition), expr(node.whenTrue), expr(node.whenFalse));
  }
  std::string show(const MakeTuple& node, const TExpr&) const { return fmt::format("tuple({})", list(node.items)); }
  std::string show(const TupleItem& node, const TExpr&) const {
    return fmt::format("item({}, {})", expr(node.tuple), node.position);
  }
  std::string show(const NewArray& node, const TExpr& e) const {
    return fmt::format("new {}({})", type(e.type), list(node.extents));
  }
  static std::string_view nameOf(FileFormat format) {
    switch (format) {
      case FileFormat::Png: return "png";
      case FileFormat::Npy: return "npy";
      case FileFormat::Csv: return "csv";
      case FileFormat::LinePlot: return "line_plot";
      case FileFormat::Histogram: return "histogram";
      case FileFormat::HeatMap: return "heatmap";
    }
    return "";
  }
  std::string show(const ReadFile& node, const TExpr& e) const {
    std::string text = fmt::format("read_{} {}({}", nameOf(node.format), type(e.type), expr(node.path));
    for (TExprId extent : node.extents) text += extent ? ", " + expr(extent) : ", _";
    return text + ")";
  }
  std::string show(const ReadText& node, const TExpr&) const { return fmt::format("read_text({})", expr(node.path)); }
  std::string show(const FormatText& node, const TExpr&) const {
    return fmt::format("format(\"{}\" {})", node.format, list(node.arguments));
  }
  std::string show(const TextLength& node, const TExpr&) const { return fmt::format("length({})", expr(node.text)); }
  std::string show(const TextEqual& node, const TExpr&) const {
    return fmt::format("equal({}, {})", expr(node.left), expr(node.right));
  }
  std::string show(const CopyArray& node, const TExpr&) const { return fmt::format("copy({})", expr(node.view)); }
  std::string show(const ArgumentCount&, const TExpr&) const { return "args.len"; }
  std::string show(const ArgumentText& node, const TExpr&) const { return fmt::format("args[{}]", expr(node.index)); }
  std::string show(const ParseNumber& node, const TExpr& e) const {
    return fmt::format("parse.{}({})", type(e.type), expr(node.text));
  }
  std::string show(const Clock&, const TExpr&) const { return "clock()"; }
  std::string show(const BenchAgain& node, const TExpr&) const {
    return fmt::format("bench_again({})", expr(node.bytes));
  }
  std::string show(const TargetFact& n, const TExpr&) const {
    static constexpr const char* names[] = {"target.cuda", "target.host", "target.sm"};
    return names[static_cast<size_t>(n.property)];
  }
  std::string show(const DeviceFact& n, const TExpr&) const {
    return fmt::format("device.{}", infoOf(n.property).name);
  }
  std::string show(const HostReduce& node, const TExpr&) const {
    return fmt::format("reduce {}({})", program_.kernels[node.kernel.value].symbol, list(node.arguments));
  }

  void nested(const std::vector<TStmtId>& statements) {
    ++depth_;
    this->statements(statements);
    --depth_;
  }
  void statements(const std::vector<TStmtId>& ids) {
    for (TStmtId id : ids) std::visit([&](const auto& node) { stmt(node); }, program_.stmt(id).node);
  }

  void stmt(const Declare& node) {
    const Local& declared = body_->locals[node.local.value];
    line(fmt::format("{} {}{}: {}{}", declared.kind == LocalKind::Var ? "var" : "let", local(node.local),
                     kernel_ && !kernel_->isForall && declared.uniform ? " uniform" : "", type(declared.type),
                     node.init ? " = " + expr(node.init) : ""));
  }
  void stmt(const Assign& node) {
    line(fmt::format("{} {}= {}{}", expr(node.place), node.op ? std::string(spelling(*node.op)) : "", expr(node.value),
                     site(node.site)));
  }
  void stmt(const Evaluate& node) { line(expr(node.expr)); }
  void stmt(const If& node) {
    line(fmt::format("if {}", expr(node.condition)));
    nested(node.thenBody);
    if (!node.elseBody.empty()) {
      line("else");
      nested(node.elseBody);
    }
  }
  void stmt(const While& node) {
    line(fmt::format("while {}", expr(node.condition)));
    nested(node.body);
  }
  void stmt(const For& node) {
    std::string text = fmt::format("for {}: {} in {}..{}", local(node.variable),
                                   type(body_->locals[node.variable.value].type), expr(node.low), expr(node.high));
    if (node.step) text += fmt::format(" step {}{}", expr(node.step), site(node.site));
    if (node.unroll) text += node.unroll == UINT_MAX ? " unroll" : fmt::format(" unroll({})", node.unroll);
    line(text);
    nested(node.body);
  }
  void stmt(const Break&) { line("break"); }
  void stmt(const Continue&) { line("continue"); }
  void stmt(const Return& node) { line(node.value ? "return " + expr(node.value) : "return"); }
  void stmt(const Scope& node) {
    line("scope");
    nested(node.body);
  }
  void stmt(const Barrier&) { line("barrier"); }
  void stmt(const Collective& node) {
    line(fmt::format("let {}: {} = block.{}({})", local(node.result), type(body_->locals[node.result.value].type),
                     node.isPromise  ? "same"
                     : node.isMinMax ? infoOf(node.minMax).name
                                     : "sum",
                     expr(node.value)));
  }
  void stmt(const Assert& node) {
    line(fmt::format("assert {}{}{}", expr(node.condition), site(node.site),
                     node.arguments.empty() ? "" : " " + list(node.arguments)));
  }
  void stmt(const Print& node) { line(fmt::format("print \"{}\" {}", node.format, list(node.arguments))); }
  void stmt(const Launch& node) {
    line(fmt::format("launch {}({})", program_.kernels[node.kernel.value].symbol, list(node.arguments)));
  }
  void stmt(const LaunchOpen& node) {
    line(fmt::format("launch {}[{}]({})", program_.openKernels[node.kernel].name, list(node.statics),
                     list(node.arguments)));
  }
  void stmt(const BindView& node) {
    std::string text = "bind " + expr(node.view);
    for (size_t i = 0; i < node.extents.size(); ++i)
      text += node.extents[i] ? " " + local(node.extents[i]) : node.expected[i] ? " ==" + expr(node.expected[i]) : " _";
    line(text);
  }
  void stmt(const BindGlobals& node) {
    std::string text = "bind " + expr(node.view);
    for (size_t i = 0; i < node.extents.size(); ++i)
      text += node.extents[i]    ? " " + program_.globals[node.extents[i].value].symbol
              : node.expected[i] ? " ==" + expr(node.expected[i])
                                 : " _";
    line(text);
  }
  void stmt(const WriteFile& node) {
    line(fmt::format("write_{}({}, {})", nameOf(node.format), expr(node.path), expr(node.view)));
  }
  void stmt(const WriteText& node) {
    line(fmt::format("{}_text({}, {})", node.append ? "append" : "write", expr(node.path), expr(node.text)));
  }
  void stmt(const Sync&) { line("sync"); }

  void body(const Body& body) {
    body_ = &body;
    nested(body.statements);
  }

  void function(const Function& function) {
    body_ = &function.body;
    std::string text = fmt::format("{} fn {}(", function.side == Side::Host ? "host" : "device", function.name);
    for (size_t i = 0; i < function.params.size(); ++i)
      text += fmt::format("{}{}{}: {}", i ? ", " : "",
                          function.body.locals[function.params[i].value].kind == LocalKind::MutParam ? "mut " : "",
                          local(function.params[i]), type(function.body.locals[function.params[i].value].type));
    line(text + ") -> " + type(function.result) +
         (function.isExtern       ? " extern " + function.symbol
          : function.isExported() ? " export " + function.symbol
                                  : ""));
    if (!function.isExtern) body(function.body);
  }

  void kernel(const Kernel& kernel) {
    body_ = &kernel.body;
    kernel_ = &kernel;
    line(fmt::format("kernel {} \"{}\"{}{}", kernel.symbol, kernel.name, kernel.fastMath ? " fast" : "",
                     kernel.strict ? " strict" : ""));
    ++depth_;
    for (const KernelParam& param : kernel.params) {
      std::string text = fmt::format("param {}{}: {}", param.isMut ? "mut " : "", local(param.local), type(param.type));
      if (!param.shape.empty()) {
        text += " shape (";
        for (size_t i = 0; i < param.shape.size(); ++i) text += (i ? ", " : "") + shape(param.shape[i], kernel);
        text += ")";
      }
      line(text + (param.elementwise ? " elementwise" : ""));
    }
    for (const KernelDim& dim : kernel.dims) line(fmt::format("dim {}", local(dim.local)));
    for (const DomainAxis& axis : kernel.axes)
      line(fmt::format("{} {} in {}..{}{}", kernel.isForall ? "forall" : "blocks", local(axis.variable),
                       shape(axis.low, kernel), shape(axis.high, kernel),
                       axis.hasStep() ? " step " + shape(axis.step, kernel) : ""));
    for (size_t i = 0; i < kernel.threads.size(); ++i)
      line(fmt::format("threads {} in {}..{}", local(kernel.threads[i]), kernel.threadLow[i],
                       kernel.threadLow[i] + kernel.threadCount[i]));
    for (LocalId shared : kernel.shared) {
      std::string extents;
      for (uint64_t extent : kernel.body.locals[shared.value].sharedExtents) extents += fmt::format(" {}", extent);
      line(fmt::format("shared {}: {}{}", local(shared), type(kernel.body.locals[shared.value].type), extents));
    }
    --depth_;
    body(kernel.body);
    if (kernel.reduction) {
      ++depth_;
      const Reduction& r = *kernel.reduction;
      line(fmt::format("reduce {} {}: {}{}",
                       r.isMinMax              ? infoOf(r.minMax).name
                       : r.op == BinaryOp::Add ? "sum"
                                               : spelling(r.op),
                       expr(r.value), type(kernel.reductionType), r.condition ? " if " + expr(r.condition) : ""));
      --depth_;
    }
    kernel_ = nullptr;
  }

  const TypedProgram& program_;
  const SourceManager& sources_;
  const Body* body_ = nullptr;
  const Kernel* kernel_ = nullptr;
  unsigned depth_ = 0;
  std::string out_;
};

}  // namespace

std::string dump(const TypedProgram& program, const SourceManager& sources) { return Dumper(program, sources).run(); }

}  // namespace rad

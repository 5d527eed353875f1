// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the runtime has to know of a unit's kernels and places.
#include "codegen/codegen.h"
#include "codegen/lower/shared_layout.h"
#include "codegen/lower/walk.h"
#include "frontend/sema/children.h"

#include <fmt/format.h>

#include <cassert>
#include <set>

namespace rad::cg {

ElementType elementTypeOf(const TypeTable& types, TypeId id) {
  const Type& type = types.get(id);
  if (const uint32_t number = types.compoundNumber(id)) {
    assert(number <= largestCompound && types.layout(id)->size <= largestElement && "sema bounds these");
    return compoundType(number, types.layout(id)->size);
  }
  if (type.kind == TypeKind::Vector)
    return vectorOf(elementTypeOf(types, type.element), static_cast<unsigned>(type.count));
  return static_cast<ElementType>(type.scalar);
}

namespace {

ElementType elementOf(const TypedProgram& program, TypeId id) {
  const Type& type = program.types->get(id);
  return elementTypeOf(*program.types, type.kind == TypeKind::View ? type.element : id);
}

std::vector<CompoundManifest> compoundManifests(const TypeTable& types) {
  std::vector<CompoundManifest> result(1);
  for (size_t number = 1; number < types.compounds().size(); ++number) {
    const TypeId id = types.compounds()[number];
    const Type& type = types.get(id);
    CompoundManifest made;
    made.name = types.spell(id);
    if (type.kind == TypeKind::Array) {
      made.kind = CompoundManifest::Kind::Array;
      made.count = type.count;
      made.types.push_back(elementTypeOf(types, type.element));
    } else {
      made.kind = types.isEnum(id)     ? CompoundManifest::Kind::Enum
                  : types.isStruct(id) ? CompoundManifest::Kind::Struct
                                       : CompoundManifest::Kind::Tuple;
      if (type.record) made.names = types.record(id).members;
      for (TypeId item : type.items) made.types.push_back(elementTypeOf(types, item));
      for (uint64_t offset : types.offsets(id)) made.offsets.push_back(static_cast<uint32_t>(offset));
    }
    result.push_back(std::move(made));
  }
  return result;
}

SizeOp sizeOp(ShapeOp op) {
  switch (op) {
    case ShapeOp::Constant: return SizeOp::Constant;
    case ShapeOp::Dimension: return SizeOp::Dimension;
    case ShapeOp::Parameter: return SizeOp::Parameter;
    case ShapeOp::Add: return SizeOp::Add;
    case ShapeOp::Sub: return SizeOp::Sub;
    case ShapeOp::Mul: return SizeOp::Mul;
    case ShapeOp::Div: return SizeOp::Div;
    case ShapeOp::Rem: return SizeOp::Rem;
    case ShapeOp::Min: return SizeOp::Min;
    case ShapeOp::Max: return SizeOp::Max;
    case ShapeOp::CeilDiv: return SizeOp::CeilDiv;
  }
  return SizeOp::Constant;
}

SizeExpr sizeExpr(const ShapeExpr& expr) {
  SizeExpr result{sizeOp(expr.op), expr.value, {}};
  for (const ShapeExpr& operand : expr.operands) result.operands.push_back(sizeExpr(operand));
  return result;
}

ReduceOp reduceOp(const Reduction& reduction) {
  if (reduction.isMinMax) return reduction.minMax == Math::Min ? ReduceOp::Min : ReduceOp::Max;
  if (reduction.op == BinaryOp::And) return ReduceOp::All;
  if (reduction.op == BinaryOp::Or) return ReduceOp::Any;
  return ReduceOp::Sum;
}

SiteManifest::Kind siteKind(SiteKind kind) {
  switch (kind) {
    case SiteKind::Index: return SiteManifest::Kind::Index;
    case SiteKind::Assert: return SiteManifest::Kind::Assert;
    case SiteKind::DivideByZero: return SiteManifest::Kind::DivideByZero;
    case SiteKind::NegativeStep: return SiteManifest::Kind::NegativeStep;
    case SiteKind::Proof: return SiteManifest::Kind::Proof;
    case SiteKind::ShapeBind: return SiteManifest::Kind::ShapeBind;
    case SiteKind::Launch: return SiteManifest::Kind::Launch;
    case SiteKind::HostCall: return SiteManifest::Kind::HostCall;
    case SiteKind::Overflow: return SiteManifest::Kind::Overflow;
    case SiteKind::Slice: return SiteManifest::Kind::Slice;
    case SiteKind::SliceOrder: return SiteManifest::Kind::SliceOrder;
    case SiteKind::Print: return SiteManifest::Kind::Print;
    case SiteKind::Uniform: return SiteManifest::Kind::Uniform;
  }
  return SiteManifest::Kind::Other;
}

static_assert(maxMessageValues == rad::maxMessageValues);

void setPlace(SiteManifest& site, Range range, const SourceManager& sources) {
  FileId file = sources.fileOf(range.begin);
  if (!range.valid() || !file.valid()) return;
  Position begin = sources.position(range.begin), end = sources.position(range.end);
  site.file = begin.file;
  site.line = begin.line;
  site.column = begin.column;
  site.sourceLine = sources.line(file, begin.line);
  site.endColumn = end.line == begin.line ? end.column : static_cast<uint32_t>(site.sourceLine.size()) + 1;
}

SiteManifest siteManifest(const TypedProgram& program, const Site& site, const SourceManager& sources) {
  SiteManifest result;
  result.kind = siteKind(site.kind);
  result.text = site.text;
  result.message = site.message;
  for (TypeId type : site.arguments) result.arguments.push_back(elementOf(program, type));
  result.dimension = site.dimension;
  result.rank = site.rank;
  setPlace(result, site.range, sources);
  return result;
}

/// Looks for print in a kernel and the functions it calls.
class PrintFinder {
 public:
  explicit PrintFinder(const TypedProgram& program) : program_(program), seen_(program.functions.size()) {}
  bool find(const Kernel& kernel) {
    for (TStmtId stmt : kernel.body.statements) visit(stmt);
    if (kernel.reduction) {
      visit(kernel.reduction->value);
      if (kernel.reduction->condition) visit(kernel.reduction->condition);
    }
    return found_;
  }

 private:
  void visit(TStmtId id) {
    const TStmt& stmt = program_.stmt(id);
    found_ |= std::holds_alternative<Print>(stmt.node);
    forEachPart(stmt, [&](TExprId e) { visit(e); }, [&](TStmtId s) { visit(s); });
  }
  void visit(TExprId id) {
    const TExpr& expr = program_.expr(id);
    if (const auto* call = std::get_if<CallFunction>(&expr.node); call && !seen_[call->function.value]) {
      seen_[call->function.value] = true;
      for (TStmtId stmt : program_.functions[call->function.value].body.statements) visit(stmt);
    }
    forEachPart(expr, [&](TExprId e) { visit(e); }, [&](TStmtId s) { visit(s); });
  }

  const TypedProgram& program_;
  std::vector<bool> seen_;
  bool found_ = false;
};

/// Which views a kernel reads and writes. One that is handed to a function counts as both, if it may be written.
class ViewUse {
 public:
  explicit ViewUse(const TypedProgram& program) : program_(program) {}
  void find(const Kernel& kernel) {
    for (TStmtId stmt : kernel.body.statements) visit(stmt);
    if (!kernel.reduction) return;
    visit(kernel.reduction->value);
    if (kernel.reduction->condition) visit(kernel.reduction->condition);
  }
  bool isRead(LocalId view) const { return read_.contains(view.value); }
  bool isWritten(LocalId view) const { return written_.contains(view.value); }

 private:
  /// The local whose elements those of a view are, with what its slices compute; none: something else gives the view.
  LocalId rootOf(TExprId id) {
    const TExpr& expr = program_.expr(id);
    if (const auto* local = std::get_if<LocalRef>(&expr.node)) return local->local;
    if (const auto* flat = std::get_if<ViewFlat>(&expr.node)) return rootOf(flat->view);
    const auto* slice = std::get_if<ViewSlice>(&expr.node);
    if (!slice) {
      visit(id);
      return {};
    }
    for (const SliceDim& dim : slice->dims)
      for (TExprId bound : {dim.low, dim.high, dim.step})
        if (bound) visit(bound);
    return rootOf(slice->view);
  }
  void use(const ViewElement& element, bool reads, bool writes) {
    if (const LocalId root = rootOf(element.view)) {
      if (reads) read_.insert(root.value);
      if (writes) written_.insert(root.value);
    }
    for (TExprId index : element.indices) visit(index);
  }
  void visit(TStmtId id) {
    const TStmt& stmt = program_.stmt(id);
    if (const auto* assign = std::get_if<Assign>(&stmt.node)) {
      const TExprId whole = sema::outermostPlace(program_, assign->place);
      if (const auto* element = std::get_if<ViewElement>(&program_.expr(whole).node)) {
        use(*element, assign->op.has_value(), true);
        visit(assign->value);
        return;
      }
    }
    forEachPart(stmt, [&](TExprId e) { visit(e); }, [&](TStmtId s) { visit(s); });
  }
  void visit(TExprId id) {
    const TExpr& expr = program_.expr(id);
    if (const auto* element = std::get_if<ViewElement>(&expr.node)) return use(*element, true, false);
    if (std::holds_alternative<ViewExtent>(expr.node)) return;
    if (const auto* atomic = std::get_if<AtomicCall>(&expr.node)) {
      if (const auto* element = std::get_if<ViewElement>(&program_.expr(atomic->place).node)) use(*element, true, true);
      for (TExprId operand : atomic->operands) visit(operand);
      return;
    }
    if (const auto* local = std::get_if<LocalRef>(&expr.node)) {
      if (program_.types->get(expr.type).kind != TypeKind::View) return;
      read_.insert(local->local.value);
      if (program_.types->get(expr.type).writable) written_.insert(local->local.value);
      return;
    }
    forEachPart(expr, [&](TExprId e) { visit(e); }, [&](TStmtId s) { visit(s); });
  }

  const TypedProgram& program_;
  std::set<uint32_t> read_, written_;
};

KernelManifest kernelManifest(const TypedProgram& program, const Kernel& kernel, KernelId id,
                              const SourceManager& sources) {
  KernelManifest result;
  result.name = kernel.name;
  result.symbol = kernel.symbol;
  for (const KernelDim& dim : kernel.dims) {
    if (dim.property)
      result.deviceSizes.push_back(
          {static_cast<uint32_t>(result.dims.size()), static_cast<DeviceProperty>(*dim.property)});
    result.dims.push_back(dim.name);
  }
  ViewUse use(program);
  use.find(kernel);
  for (const KernelParam& param : kernel.params) {
    ParamManifest to;
    to.name = param.name;
    to.type = elementOf(program, param.type);
    if (isCompound(to.type)) to.elementName = program.types->spell(program.types->compounds()[compoundOf(to.type)]);
    to.isView = program.types->get(param.type).kind == TypeKind::View;
    to.isStrided = program.types->get(param.type).strided;
    to.isMut = param.isMut;
    to.isRead = use.isRead(param.local);
    to.isWritten = use.isWritten(param.local);
    to.elementwise = param.elementwise;
    for (const ShapeExpr& axis : param.shape) to.shape.push_back(sizeExpr(axis));
    result.params.push_back(std::move(to));
  }
  for (const DomainAxis& axis : kernel.axes)
    result.axes.push_back(
        {kernel.body.locals[axis.variable.value].name, sizeExpr(axis.low), sizeExpr(axis.high), sizeExpr(axis.step)});
  for (const ThreadNumbers& numbers : kernel.threadNumbers)
    result.threads.push_back({numbers.name, numbers.first, numbers.step});
  for (const AtMost& condition : kernel.inRange)
    result.inRange.emplace_back(sizeExpr(condition.left), sizeExpr(condition.right));
  result.geometry = chooseGeometry(program, id, "", {});
  result.prints = PrintFinder(program).find(kernel);
  result.isAssignment = kernel.isAssignment;
  SharedLayout shared = layoutShared(program, kernel);
  result.staticSharedBytes = static_cast<uint32_t>(shared.scratchBytes + (shared.isDynamic ? 0 : shared.bytes));
  result.dynamicSharedBytes = static_cast<uint32_t>(shared.isDynamic ? shared.bytes : 0);
  if (kernel.reduction) {
    result.reduce = reduceOp(*kernel.reduction);
    result.reductionType = elementOf(program, kernel.reductionType);
  }
  if (FileId file = sources.fileOf(kernel.range.begin); kernel.range.valid() && file.valid()) {
    Position at = sources.position(kernel.range.begin);
    result.definedAt = fmt::format("{}:{}", at.file, at.line);
  }
  return result;
}

}  // namespace

SiteManifest placeManifest(Range range, const SourceManager& sources) {
  SiteManifest place;
  place.kind = SiteManifest::Kind::Other;
  place.text = sources.text(range);
  setPlace(place, range, sources);
  return place;
}

UnitManifest makeManifest(const TypedProgram& program, const SourceManager& sources) {
  UnitManifest unit;
  unit.compounds = compoundManifests(*program.types);
  for (uint32_t i = 0; i < program.kernels.size(); ++i)
    unit.kernels.push_back(kernelManifest(program, program.kernels[i], {i}, sources));
  for (const Site& site : program.sites) unit.sites.push_back(siteManifest(program, site, sources));
  return unit;
}

}  // namespace rad::cg

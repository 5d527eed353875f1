// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Strided views in host code: copies, assignments and fills of their elements are kernels, and so is filling with a
// vector.
#include "frontend/sema/checker.h"

#include <fmt/format.h>

#include <utility>

namespace rad::sema {

Value Checker::asStrided(Value view) {
  const Type type = typeOf(view.type);
  if (type.strided) return view;
  ViewSlice whole{view.expr, std::vector<SliceDim>(type.rank)};
  return code(types().view(type.element, type.rank, type.writable, true), view.range, std::move(whole));
}

KernelId Checker::copyKernel(const CopiedElements& to, const CopiedElements& from, Range range) {
  MadeKernel made(*this, range);
  Kernel& kernel = made.kernel;
  Context* const saved = std::exchange(ctx_, &made.context);
  pushScope();
  const unsigned rank = typeOf(to.type).rank;
  std::vector<ShapeExpr> shape;
  for (unsigned d = 0; d < rank; ++d) {
    const std::string name = rank == 1 ? "n" : fmt::format("n{}", d);
    kernel.dims.push_back({addLocal(name, types().index(), LocalKind::Dimension, range), name});
    shape.push_back({ShapeOp::Dimension, static_cast<int64_t>(d), {}});
  }
  auto addParam = [&](const CopiedElements& what, bool isMut) {
    const TypeId type = isView(what.type) ? types().withAccess(what.type, isMut) : what.type;
    const LocalId local = addLocal(what.name, type, isMut ? LocalKind::MutParam : LocalKind::Param, what.range);
    KernelParam param{.local = local, .name = what.name, .type = type, .isMut = isMut, .range = what.range};
    if (isView(type)) param.shape = shape;
    kernel.params.push_back(std::move(param));
    return local;
  };
  // One value for all comes as a scalar, or as the scalars of a vector.
  std::vector<Part> parts;
  if (isView(from.type)) parts.push_back({from.name, from.type});
  else partsOf(from.type, from.name, parts);
  std::vector<TExprId> sources;
  for (const Part& part : parts)
    sources.push_back(localRef(addParam({part.type, part.name, from.range}, false), from.range));
  const LocalId target = addParam(to, true);
  for (unsigned d = 0; d < rank; ++d) {
    const LocalId point = addLocal(fmt::format("i{}", d), types().index(), LocalKind::DomainVar, range);
    kernel.axes.push_back({point, ShapeExpr{}, shape[d]});
  }
  auto element = [&](TExprId view) {
    ViewElement at{view, {}, {}, {}};
    for (unsigned d = 0; d < rank; ++d) {
      at.indices.push_back(localRef(kernel.axes[d].variable, range));
      at.checks.push_back(Check::Checked);
      at.sites.push_back(addSite(SiteKind::Index, range, {}, d, rank));
    }
    return program_.addExpr(typeOf(program_.expr(view).type).element, range, std::move(at));
  };
  std::span<const TExprId> rest(sources);
  const TExprId value = isView(from.type) ? element(sources[0]) : ofParts(from.type, rest, from.range);
  const TExprId place = element(localRef(target, range));
  emit(range, Assign{place, std::nullopt, value, {}});
  ctx_ = saved;
  return addKernel(made, "copy_elements");
}

void Checker::assignElements(TExprId to, Value from, Range range) {
  const TExpr target = program_.expr(to);
  const KernelId id = copyKernel({target.type, shorten(target.range), target.range},
                                 {from.type, shorten(from.range), from.range}, range);
  std::vector<TExprId> arguments;
  program_.kernels[id.value].isAssignment = isView(from.type);
  if (isView(from.type)) arguments.push_back(from.expr);
  else readParts(keep(materialize(from)), range, arguments);
  arguments.push_back(to);
  emit(range, Launch{id, std::move(arguments), addSite(SiteKind::Launch, range)});
}

Value Checker::withoutGaps(Value view) {
  const Type type = typeOf(view.type);
  if (type.kind != TypeKind::View || !type.strided) return view;
  const Range range = view.range;
  const TypeId made = types().view(type.element, type.rank, true);
  const KernelId id = copyKernel({made, "copy", range}, {view.type, shorten(range), range}, range);
  std::vector<TStmtId> block;
  const LocalId from = addLocal("", view.type, LocalKind::Let, range), to = addLocal("", made, LocalKind::Let, range);
  block.push_back(program_.addStmt(range, Declare{from, view.expr}));
  std::vector<TExprId> extents;
  for (unsigned d = 0; d < type.rank; ++d)
    extents.push_back(program_.addExpr(types().index(), range, ViewExtent{localRef(from, range), d}));
  const TExprId array = program_.addExpr(made, range, NewArray{std::move(extents), addSite(SiteKind::HostCall, range)});
  block.push_back(program_.addStmt(range, Declare{to, array}));
  block.push_back(program_.addStmt(
      range, Launch{id, {localRef(from, range), localRef(to, range)}, addSite(SiteKind::Launch, range)}));
  return code(made, range, BlockValue{std::move(block), localRef(to, range)});
}

}  // namespace rad::sema

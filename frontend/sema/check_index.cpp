// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elements, slices and extents of views; places that can be assigned to.
#include "frontend/sema/checker.h"
#include "frontend/sema/children.h"

#include <fmt/format.h>

namespace rad::sema {

TExprId Checker::checkSubscript(ExprId id, std::string_view what) {
  Value value = checkExpr(id, types().index());
  if (isError(value.type)) return {};
  const auto scalar = scalarOf(value.type);
  const bool isWhole = typeOf(value.type).kind == TypeKind::UntypedInt || (scalar && isInteger(*scalar));
  if (!isWhole) {
    auto builder = report(Diag::IndexType, value.range, {std::string(what), spellType(value.type)});
    if (scalar && isFloat(*scalar)) builder.help(fmt::format("write index({})", shorten(value.range)));
    return {};
  }
  return convert(value, types().index(), what);
}

Value Checker::viewExtent(TExprId view, unsigned dim, Range range) {
  return code(types().index(), range, ViewExtent{view, dim});
}

Value Checker::checkIndex(const IndexExpr& node, Range range) {
  const Expr& base = expr(node.base);
  if (const auto* member = std::get_if<MemberExpr>(&base.node); member && text(member->member.name) == "shape") {
    Value view = checkExpr(member->base);
    if (isError(view.type)) return errorValue(range);
    if (!isView(view.type)) {
      report(Diag::UnknownMember, member->member.range, {spellType(view.type), "shape"});
      return errorValue(range);
    }
    if (node.arguments.size() != 1) {
      report(Diag::ShapeNeedsIndex, range, {});
      return errorValue(range);
    }
    auto which = checkConstant(node.arguments[0].value, types().index(), "the position in a shape");
    if (!which) return errorValue(range);
    const unsigned rank = typeOf(view.type).rank;
    if (which->integer < 0 || which->integer >= static_cast<Wide>(rank)) {
      report(Diag::ShapePosition, expr(node.arguments[0].value).range,
             {spell(*which), spellType(view.type), std::to_string(rank)});
      return errorValue(range);
    }
    return viewExtent(view.expr, static_cast<unsigned>(which->integer), range);
  }
  if (const auto* name = std::get_if<NameExpr>(&base.node); name && !findBinding(name->name)) {
    const std::string_view spelled = text(name->name);
    Entity* entity = findEntity(name->name, ctx_->home);
    if (!entity && spelled == "args") {
      if (!hostOnly("args", range)) return errorValue(range);
      if (!countIs("args", node.arguments, 1, range)) return errorValue(range);
      TExprId index = checkSubscript(node.arguments[0].value, "the index of args");
      if (!index) return errorValue(range);
      return code(types().string(), range, ArgumentText{index, addSite(SiteKind::Index, range, {}, 0, 1)});
    }
    const bool isFunction =
        entity ? entity->kind == Entity::Kind::Fn || entity->kind == Entity::Kind::Kernel
               : findMath(spelled) || findHostBuiltin(spelled) || spelled == "bitcast" || spelled == "select";
    if (isFunction) {
      report(Diag::FunctionAsValue, range,
             {std::string(spelled), entity && entity->kind == Entity::Kind::Kernel ? "kernel" : "function"})
          .help(fmt::format("call it: {}(...)", shorten(range)));
      return errorValue(range);
    }
  }
  Value view = checkExpr(node.base);
  if (isError(view.type)) return errorValue(range);
  if (isVector(view.type) || typeOf(view.type).kind == TypeKind::Array)
    return indexElements(view, node.arguments, range);
  if (!isView(view.type)) {
    if (typeOf(view.type).kind == TypeKind::Tuple)
      report(Diag::NotIndexable, range, {spellType(view.type)}).help("the items of a tuple are t.0, t.1, ...");
    else report(Diag::NotIndexable, range, {spellType(view.type)});
    return errorValue(range);
  }
  return indexView(view, node.arguments, range);
}

Value Checker::indexView(Value view, List<Argument> arguments, Range range) {
  const Type type = typeOf(view.type);
  for (const Argument& argument : arguments)
    if (!argument.name.name.empty()) {
      report(Diag::UnknownArgument, argument.name.range, {"a subscript", std::string(text(argument.name.name))});
      return errorValue(range);
    }
  if (arguments.empty() || arguments.size() > type.rank) {
    report(Diag::IndexCount, range,
           {std::to_string(arguments.size()), spellType(view.type), std::to_string(type.rank)});
    return errorValue(range);
  }
  const Check check = ctx_->uncheckedDepth ? Check::Unchecked : Check::Checked;
  bool anySlice = arguments.size() < type.rank;
  for (const Argument& argument : arguments) anySlice = anySlice || expr(argument.value).kind() == ExprKind::Slice;
  bool ok = true;
  auto subscript = [&](ExprId id) -> TExprId {
    TExprId index = checkSubscript(id, "an index");
    if (!index) {
      ok = false;
      return index;
    }
    if (const auto* constant = std::get_if<ConstInt>(&program_.expr(index).node);
        constant && static_cast<int64_t>(constant->bits) < 0) {
      report(Diag::NegativeIndex, expr(id).range, {std::to_string(static_cast<int64_t>(constant->bits))})
          .help("indices count from 0; the last element of x is x[x.len - 1]");
      ok = false;
    }
    return index;
  };
  if (!anySlice) {
    ViewElement element{view.expr, {}, {}, {}};
    for (size_t d = 0; d < arguments.size(); ++d) {
      const TExprId index = subscript(arguments[d].value);
      element.indices.push_back(index);
      element.checks.push_back(check);
      element.sites.push_back(addSite(SiteKind::Index, range, {}, static_cast<unsigned>(d), type.rank));
    }
    if (!ok) return errorValue(range);
    return code(type.element, range, std::move(element));
  }
  ViewSlice slice{view.expr, {}};
  unsigned kept = 0;
  bool contiguous = true;
  for (unsigned d = 0; d < type.rank; ++d) {
    SliceDim dim;
    if (d < arguments.size()) {
      const Expr& argument = expr(arguments[d].value);
      dim.check = check;
      if (const auto* bounds = std::get_if<SliceExpr>(&argument.node)) {
        if (bounds->low || bounds->high) {
          dim.site = addSite(SiteKind::Slice, range, {}, d, type.rank);
          if (bounds->low) dim.low = subscript(bounds->low);
          if (bounds->high) dim.high = subscript(bounds->high);
          if (bounds->low && bounds->high) dim.orderSite = addSite(SiteKind::SliceOrder, range, {}, d, type.rank);
          if (kept) contiguous = false;
        }
        if (bounds->step) {
          dim.step = checkSubscript(bounds->step, "the step of a slice");
          if (!dim.step) return errorValue(range);
          const auto* constant = std::get_if<ConstInt>(&program_.expr(dim.step).node);
          if (constant && static_cast<int64_t>(constant->bits) <= 0) {
            report(Diag::SliceStep, expr(bounds->step).range, {std::to_string(static_cast<int64_t>(constant->bits))});
            return errorValue(range);
          }
          if (!constant) dim.stepSite = addSite(SiteKind::NegativeStep, expr(bounds->step).range, {}, d, type.rank);
          if (constant && constant->bits == 1) dim.step = {};
          else contiguous = false;
        }
        ++kept;
      } else {
        dim.low = subscript(arguments[d].value);
        dim.isIndex = true;
        dim.site = addSite(SiteKind::Index, range, {}, d, type.rank);
        if (kept) contiguous = false;
      }
    } else {
      ++kept;
    }
    slice.dims.push_back(dim);
  }
  if (!ok) return errorValue(range);
  if (kept == 0) return errorValue(range);
  return code(types().view(type.element, kept, type.writable, type.strided || !contiguous), range, std::move(slice));
}

TExprId Checker::checkPlaceName(ExprId id, TypeId& type, bool isAssignment, bool readsToo) {
  const Expr& node = expr(id);
  const Symbol name = std::get<NameExpr>(node.node).name;
  const std::string spelled(text(name));
  auto letHelp = [&](TypeId declared) {
    if (!isView(declared)) return std::string("declare it with `var`");
    const std::string all = fmt::format("{}[{}]", spelled, typeOf(declared).rank > 1 ? "i, j" : "i");
    return readsToo && typeOf(declared).rank <= 2
               ? fmt::format("its elements can change: `forall {} {{ {} += ... }}`",
                             typeOf(declared).rank > 1
                                 ? fmt::format("i in 0..{0}.shape[0], j in 0..{0}.shape[1]", spelled)
                                 : fmt::format("i in 0..{}.len", spelled),
                             all)
               : fmt::format("`{}{}[..] = ...` changes all its elements; declare it with `var` to name another array",
                             spelled, typeOf(declared).rank > 1 ? ".flat" : "");
  };
  Context* owner = nullptr;
  if (auto binding = findBinding(name, &owner)) {
    if (binding->kind == Binding::Kind::Local && isError(binding->type)) return {};
    if (owner != ctx_ && binding->kind == Binding::Kind::Local) {
      reportCapturedAssign(spelled, binding->type, node.range, binding->range);
      return {};
    }
    if (binding->kind != Binding::Kind::Local) {
      report(Diag::NotMutable, node.range,
             {spelled, binding->kind == Binding::Kind::Constant ? "a constant" : "not a variable of this function"})
          .note(binding->range, "defined here");
      return {};
    }
    const Local local = ctx_->body.locals[binding->local.value];
    type = local.type;
    std::string why, help;
    switch (local.kind) {
      case LocalKind::Var: break;
      case LocalKind::MutParam:
        if (!isView(local.type)) {
          ctx_->hasEffects = true;
          break;
        }
        why = "an array parameter";
        help = fmt::format("assign to its elements: {}[..] = ...", spelled);
        break;
      case LocalKind::Shared:
        if (!isView(local.type)) break;
        why = "a shared array";
        help = fmt::format("assign to its elements: {}[i] = ...", spelled);
        break;
      case LocalKind::Let:
        why = "declared with `let`";
        help = letHelp(local.type);
        break;
      case LocalKind::Param:
        why = "a parameter";
        help = fmt::format("copy it first: `var {0}_ = {0}`", spelled);
        if (spelled == "self")
          help = fmt::format("a method that changes it says so: `fn {}(mut self, ...)`", ctx_->name);
        else if (ctx_->kind == Context::Kind::Function && !ctx_->parent && !isView(local.type))
          help += fmt::format(", or declare the parameter `mut {}` to change the caller's variable", spelled);
        break;
      case LocalKind::Dimension: why = "a size of the signature"; break;
      case LocalKind::DomainVar: why = "a point of the kernel's domain or a loop variable"; break;
      case LocalKind::ThreadVar: why = "a thread's number"; break;
    }
    if (!why.empty()) {
      auto builder = report(Diag::NotMutable, node.range, {spelled, why}).note(binding->range, "defined here");
      if (!help.empty()) builder.help(help);
      return {};
    }
    if (readsToo) valueOf(*binding, node.range);
    if (isAssignment) ctx_->unassigned.erase(binding->local.value);
    return localRef(binding->local, node.range);
  }
  if (Entity* entity = findEntity(name, ctx_->home)) {
    if (entity->kind == Entity::Kind::Unsupported) return {};
    if (entity->kind == Entity::Kind::Global) {
      if (isError(entity->type)) return {};
      if (ctx_->parent) {
        reportCapturedAssign(spelled, entity->type, node.range, entity->range);
        return {};
      }
      if (!seesScript(*ctx_)) {
        report(Diag::ScriptVariable, node.range, {spelled})
            .note(entity->range, "the script defines it here")
            .help("pass it as a `mut` argument");
        return {};
      }
      if (!entity->isVar) {
        report(Diag::NotMutable, node.range, {spelled, "declared with `let`"})
            .note(entity->range, "defined here")
            .help(letHelp(entity->type));
        return {};
      }
      type = entity->type;
      if (readsToo) valueOf(*entity, node.range);
      if (isAssignment) ctx_->unassigned.erase(unassignedKey(*entity));
      return program_.addExpr(entity->type, node.range, GlobalRef{globalOf(*entity)});
    }
    report(Diag::NotMutable, node.range,
           {spelled, entity->kind == Entity::Kind::Const ? "a constant" : "a declaration"})
        .note(entity->range, "declared here");
    return {};
  }
  reportUnknownName(spelled, node.range, true);
  return {};
}

TExprId Checker::checkPlace(ExprId id, TypeId& type, bool isAssignment, bool readsToo) {
  const Expr& node = expr(id);
  if (const auto* paren = std::get_if<ParenExpr>(&node.node))
    return checkPlace(paren->inner, type, isAssignment, readsToo);
  if (std::holds_alternative<NameExpr>(node.node)) return checkPlaceName(id, type, isAssignment, readsToo);
  if (std::holds_alternative<ErrorExpr>(node.node)) return {};
  const bool isPart = std::holds_alternative<IndexExpr>(node.node) || std::holds_alternative<MemberExpr>(node.node) ||
                      std::holds_alternative<TupleItemExpr>(node.node);
  if (!isPart) {
    report(Diag::NotAPlace, node.range, {});
    return {};
  }
  const Value value = checkExpr(id);
  return isError(value.type) ? TExprId{} : placeOf(id, value, type, isAssignment, readsToo);
}

TExprId Checker::placeOf(ExprId id, const Value& value, TypeId& type, bool isAssignment, bool readsToo) {
  const Expr& node = expr(id);
  if (const auto* paren = std::get_if<ParenExpr>(&node.node))
    return placeOf(paren->inner, value, type, isAssignment, readsToo);
  if (std::holds_alternative<NameExpr>(node.node)) return checkPlaceName(id, type, isAssignment, readsToo);
  if (value.expr && wholeOfPart(program_, value.expr)) return checkElementPlace(id, value, type, readsToo);
  if (const auto* index = std::get_if<IndexExpr>(&node.node)) {
    if (value.expr) {
      TExprId view;
      if (const auto* element = std::get_if<ViewElement>(&program_.expr(value.expr).node)) view = element->view;
      else if (const auto* slice = std::get_if<ViewSlice>(&program_.expr(value.expr).node)) view = slice->view;
      if (view) {
        type = value.type;
        if (!typeOf(program_.expr(view).type).writable) {
          if (noteWrite(view)) return {};
          auto builder = report(Diag::ReadOnlyView, expr(index->base).range, {shorten(expr(index->base).range)});
          if (const auto* name = std::get_if<NameExpr>(&expr(index->base).node))
            if (auto binding = findBinding(name->name))
              builder.note(binding->range, "a parameter without `mut`")
                  .help(fmt::format("declare it `mut {}`", text(name->name)));
          return {};
        }
        if (ctx_->kind != Context::Kind::Script) ctx_->hasEffects = true;
        return value.expr;
      }
    }
  }
  report(Diag::NotAPlace, node.range, {});
  return {};
}

}  // namespace rad::sema

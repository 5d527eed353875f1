// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declarations of variables: let, var, shared.
#include "frontend/sema/checker.h"

#include <fmt/format.h>

namespace rad::sema {

GlobalId Checker::globalOf(Entity& entity) {
  auto [it, isNew] = globals_.try_emplace(&entity);
  if (isNew) {
    it->second = {static_cast<uint32_t>(program_.globals.size())};
    program_.globals.push_back(
        {std::string(text(entity.name)), entity.symbol, entity.type, entity.isVar, false, entity.range});
  }
  return it->second;
}

Entity* Checker::defineGlobal(Ident name, bool isVar, TypeId type, TExprId init, std::optional<ConstValue> constant,
                              Range range) {
  const std::string spelled(text(name.name));
  if (spelled == "_") {
    if (init) emit(range, Evaluate{init});
    return nullptr;
  }
  if (unit_->names.contains(name.name)) {
    report(Diag::Redefined, name.range, {spelled})
        .note(placeOf(*unit_, name.name), unit_->imported.contains(name.name) ? "imported here" : "first defined here");
    return nullptr;
  }
  session_.entities.push_back({.kind = Entity::Kind::Global,
                               .name = name.name,
                               .range = name.range,
                               .ast = ast_,
                               .home = unit_,
                               .type = type,
                               .isVar = isVar,
                               .constant = constant});
  Entity& entity = session_.entities.back();
  unit_->names.emplace(name.name, &entity);
  if (isError(type) || constant) return &entity;  // a constant needs no place at run time
  entity.symbol = fmt::format("g.{}.{}", spelled, session_.nextGlobal++);
  const GlobalId global = globalOf(entity);
  program_.globals[global.value].isDefinedHere = true;
  if (init) emit(range, Assign{program_.addExpr(type, name.range, GlobalRef{global}), std::nullopt, init, {}});
  return &entity;
}

uint32_t Checker::unassignedKey(Entity& entity) { return 0x80000000u | globalOf(entity).value; }

void Checker::defineVariable(Ident name, bool isVar, Value value, TypeId type, Range range) {
  // A `let` of a constant is a constant: it needs no place, and without a type of its own it still takes any that fits.
  const bool isConstant = !isVar && value.constant && (isUntyped(type) || typeOf(type).kind == TypeKind::Scalar);
  if (isGlobalScope()) {
    if (isConstant) return (void)defineGlobal(name, isVar, type, {}, value.constant, range);
    const TExprId init = isError(type) ? TExprId{} : materialize(value);
    return (void)defineGlobal(name, isVar, type, init, std::nullopt, range);
  }
  if (isConstant)
    return bind(name, {.kind = Binding::Kind::Constant, .type = type, .constant = value.constant, .range = name.range});
  const LocalId local =
      addLocal(std::string(text(name.name)), type, isVar ? LocalKind::Var : LocalKind::Let, name.range);
  if (!isError(type)) {
    const TExprId init = materialize(value);
    if (isView(type)) ctx_->madeOf[local.value] = init;
    emit(range, Declare{local, init});
  }
  bind(name, {.kind = Binding::Kind::Local, .local = local, .type = type, .range = name.range});
}

void Checker::checkLet(const LetStmt& node, Range range) {
  if (node.names.empty()) return;
  const Ident name = node.names[0];
  if (node.type && writtenView(node.type)) {
    ctx_->canHoist = false;
    return checkLetView(node, range);
  }
  if (node.init && !node.type && !node.isVar && isLambda(node.init)) return defineLambda(name, node.init);
  TypeId type = node.type ? resolveType(node.type) : TypeId{};
  if (!node.init) {
    // Without a type and without a value: the parser has reported that.
    if (isGlobalScope()) {
      Entity* entity = defineGlobal(name, true, type, {}, std::nullopt, range);
      if (entity && !isError(type)) ctx_->unassigned.insert(unassignedKey(*entity));
      return;
    }
    const LocalId local = addLocal(std::string(text(name.name)), type, LocalKind::Var, name.range);
    if (!isError(type)) {
      emit(range, Declare{local, {}});
      ctx_->unassigned.insert(local.value);
    }
    bind(name, {.kind = Binding::Kind::Local, .local = local, .type = type, .range = name.range});
    return;
  }
  Value value = checkExpr(node.init, type);
  if (node.type)
    value =
        isError(value.type) ? errorValue(value.range) : convertValue(value, type, fmt::format("`{}`", text(name.name)));
  else if (node.isVar && isUntyped(value.type)) {
    ofDefaultType_.insert(name.range.begin.offset);
    materialize(value);
  }
  if (!isError(value.type) && typeOf(value.type).kind == TypeKind::Unit) {
    report(Diag::NoValue, value.range, {});
    value = errorValue(value.range);
  }
  if (!isHostCode() && typeOf(value.type).kind == TypeKind::String) value = errorValue(value.range);
  const TypeId final = node.type && !isError(type) ? type : value.type;
  if (isError(value.type) && !isError(final)) {
    // The variable keeps its declared type, so that its uses are checked; the unit fails anyway.
    value.type = final;
    value.expr = program_.addExpr(final, value.range, ConstInt{});
    value.constant.reset();
  }
  defineVariable(name, node.isVar, std::move(value), final, range);
}

void Checker::checkLetView(const LetStmt& node, Range range) {
  const WrittenView written = writtenView(node.type);
  const RepeatExpr& view = *written.shape;
  const Ident name = node.names[0];
  auto fail = [&] {
    if (isGlobalScope()) defineGlobal(name, node.isVar, types().error(), {}, std::nullopt, range);
    else
      bind(name, {.kind = Binding::Kind::Local,
                  .local = addLocal("", types().error(), LocalKind::Let, name.range),
                  .type = types().error(),
                  .range = name.range});
  };
  const TypeId type = resolveType(node.type);
  const TypeId element = isError(type) ? type : typeOf(type).element;
  if (isError(element) || !node.init) {
    if (node.init)  // the wrong type stays in what is expected, so that zeros(n) or read_npy(path) do not miss one
      checkExpr(node.init, types().view(types().error(), 1, false));
    else if (!isError(element))
      report(Diag::ArrayNeedsValue, range, {std::string(text(name.name))})
          .help(fmt::format("write `let {} = zeros[{}](...)`", text(name.name), spellType(element)));
    return fail();
  }
  const unsigned rank = static_cast<unsigned>(view.dims.size());
  if (!hostOnly("a view with sizes in `let`", range)) return fail();
  // A dimension is a new name (bound to the size), or anything known (compared with it).
  std::vector<std::optional<Ident>> binds(rank);
  std::vector<TExprId> expected(rank);
  std::vector<std::optional<unsigned>> sameAs(rank);  // [f32; n, n]: the dimension that has given `n` its value
  bool ok = true;
  auto readSize = [&](unsigned d) {
    const Expr& dim = expr(view.dims[d]);
    if (const auto* dimName = std::get_if<NameExpr>(&dim.node)) {
      if (text(dimName->name) == "_") return;
      Entity* entity = findEntity(dimName->name, ctx_->home);
      // A function of the library, such as `count`, is no size that could be meant.
      const bool isKnown = findBinding(dimName->name).has_value() ||
                           (entity && entity->kind != Entity::Kind::Fn && entity->kind != Entity::Kind::Kernel &&
                            entity->kind != Entity::Kind::Module);
      for (unsigned e = 0; e < d && !sameAs[d]; ++e)
        if (binds[e] && binds[e]->name == dimName->name) sameAs[d] = e;
      if (sameAs[d]) return;
      if (!isKnown) {
        binds[d] = Ident{dimName->name, dim.range};
        return;
      }
    }
    expected[d] = checkSubscript(view.dims[d], "a size");
    ok = ok && expected[d];
  };
  inText(written, [&] {
    for (unsigned d = 0; d < rank; ++d) readSize(d);
  });
  const TypeId wanted = types().withAccess(type, false);
  Value value = checkExpr(node.init, wanted);
  if (!ok || isError(value.type)) return fail();
  // Who reads a file checks the sizes itself: it can name the file, and a picture takes the channels that are asked
  // for.
  if (value.expr)
    if (auto* read = std::get_if<ReadFile>(&program_.mutableExpr(value.expr).node))
      read->extents = std::exchange(expected, std::vector<TExprId>(rank));
  const Value defined = convertValue(value, wanted, fmt::format("`{}`", text(name.name)));
  if (isError(defined.type)) return fail();
  std::vector<SiteId> sites;
  for (unsigned d = 0; d < rank; ++d)
    sites.push_back(expected[d] || sameAs[d]
                        ? addSite(SiteKind::ShapeBind, expr(*written.ast, view.dims[d]).range, {}, d, rank)
                        : SiteId{});
  defineVariable(name, node.isVar, defined, defined.type, range);
  Value read;
  auto compareRepeated = [&] {
    for (unsigned d = 0; d < rank; ++d)
      if (sameAs[d]) expected[d] = viewExtent(materialize(read), *sameAs[d], range).expr;
  };
  if (isGlobalScope()) {
    auto it = unit_->names.find(name.name);
    if (it == unit_->names.end() || it->second->symbol.empty()) return;
    read = valueOf(*it->second, name.range);
    std::vector<GlobalId> extents(rank);
    for (unsigned d = 0; d < rank; ++d)
      if (binds[d]) {
        defineGlobal(*binds[d], false, types().index(), {}, std::nullopt, range);
        if (auto dim = unit_->names.find(binds[d]->name); dim != unit_->names.end())
          extents[d] = globalOf(*dim->second);
      }
    compareRepeated();
    emit(range, BindGlobals{std::move(extents), materialize(read), std::move(expected), std::move(sites)});
    return;
  }
  auto binding = findBinding(name.name);
  if (!binding) return;
  read = valueOf(*binding, name.range);
  std::vector<LocalId> extents(rank);
  for (unsigned d = 0; d < rank; ++d)
    if (binds[d]) {
      extents[d] = addLocal(std::string(text(binds[d]->name)), types().index(), LocalKind::Dimension, binds[d]->range);
      bind(*binds[d],
           {.kind = Binding::Kind::Local, .local = extents[d], .type = types().index(), .range = binds[d]->range});
    }
  compareRepeated();
  emit(range, BindView{materialize(read), std::move(extents), std::move(expected), std::move(sites)});
}

void Checker::checkLetTuple(const LetStmt& node, Range range) {
  auto failAll = [&] {
    for (const Ident& name : node.names) {
      if (isGlobalScope()) defineGlobal(name, node.isVar, types().error(), {}, std::nullopt, range);
      else
        bind(name, {.kind = Binding::Kind::Local,
                    .local = addLocal("", types().error(), LocalKind::Let, name.range),
                    .type = types().error(),
                    .range = name.range});
    }
  };
  const TypeId wanted = node.type ? resolveType(node.type) : TypeId{};
  if (!node.init) return failAll();
  Value value = checkExpr(node.init, wanted);
  if (node.type && !isError(value.type)) value = convertValue(value, wanted, "the tuple");
  if (isError(value.type)) return failAll();
  const Type type = typeOf(value.type);
  if (type.kind != TypeKind::Tuple || type.record || type.items.size() != node.names.size()) {
    auto builder = report(
        Diag::TupleSize, value.range,
        {node.names.size() == 1 ? "one name in parentheses needs" : fmt::format("{} names need", node.names.size()),
         spellType(value.type)});
    if (node.names.size() == 1)
      builder.help(fmt::format("without the parentheses, `{}` is the whole value", text(node.names[0].name)));
    if (type.record && type.kind == TypeKind::Tuple)
      builder.help("the members of a struct are read by their names: `let a = value.name`");
    return failAll();
  }
  const LocalId whole = addLocal("", value.type, LocalKind::Let, value.range);
  emit(range, Declare{whole, value.expr});
  for (size_t i = 0; i < node.names.size(); ++i) {
    Value item = code(type.items[i], value.range, TupleItem{localRef(whole, value.range), static_cast<unsigned>(i)});
    defineVariable(node.names[i], node.isVar, item, type.items[i], range);
  }
}

void Checker::checkShared(const SharedStmt& node, Range range) {
  auto finish = [&](TypeId type, std::vector<uint64_t> extents) {
    const LocalId local = addLocal(std::string(text(node.name.name)), type, LocalKind::Shared, node.name.range);
    ctx_->body.locals[local.value].sharedExtents = std::move(extents);
    if (!isError(type)) ctx_->kernel->shared.push_back(local);
    bind(node.name, {.kind = Binding::Kind::Local, .local = local, .type = type, .range = node.name.range});
  };
  if (ctx_->kind != Context::Kind::Kernel || !ctx_->isBlocks) {
    report(Diag::BlockOnly, range, {"shared"});
    return finish(types().error(), {});
  }
  if (ctx_->scopes.size() > 2 || ctx_->loops || ctx_->valueBlocks) {
    report(Diag::SharedPlace, range, {}).help("declare it at the start of the kernel");
    return finish(types().error(), {});
  }
  const Expr& type = expr(node.type);
  const auto* view = std::get_if<RepeatExpr>(&type.node);
  if (!view) {
    const TypeId scalar = resolveType(node.type);
    if (!isError(scalar) && !plainSize(scalar)) {
      report(Diag::ElementType, type.range, {"shared memory", spellType(scalar)})
          .help("an array of it is written `shared s: [f32; 256]`");
      return finish(types().error(), {});
    }
    return finish(scalar, {});
  }
  const TypeId element = resolveType(view->value);
  if (isError(element)) return finish(element, {});
  if (!plainSize(element)) {
    report(Diag::ElementType, type.range, {"shared memory", spellType(element)});
    return finish(types().error(), {});
  }
  if (view->dims.empty() || view->dims.size() > 4) {
    report(Diag::TooManyAxes, type.range, {"a shared array", "4 dimensions"});
    return finish(types().error(), {});
  }
  std::vector<uint64_t> extents;
  Wide bytes = static_cast<Wide>(*plainSize(element));
  for (ExprId dim : view->dims) {
    auto extent = checkConstant(dim, types().index(), "the size of a shared array");
    if (!extent) return finish(types().error(), {});
    if (extent->integer <= 0 || extent->integer > (1 << 24)) {
      report(Diag::SharedSize, expr(dim).range, {spell(*extent)});
      return finish(types().error(), {});
    }
    bytes *= extent->integer;
    extents.push_back(static_cast<uint64_t>(extent->integer));
  }
  // The most that a block has on any GPU (compute capability 9.0 and 10.0).
  constexpr int64_t most = 227 * 1024;
  for (LocalId other : ctx_->kernel->shared) {
    const Local& declared = ctx_->body.locals[other.value];
    Wide size =
        static_cast<Wide>(plainSize(isView(declared.type) ? typeOf(declared.type).element : declared.type).value_or(0));
    for (uint64_t extent : declared.sharedExtents) size *= static_cast<Wide>(extent);
    bytes += size;
  }
  if (bytes > most) {
    report(Diag::SharedSize, type.range, {spell(ConstValue::ofInt(bytes)) + " bytes"})
        .help(fmt::format(
            "a block has at most {} bytes of shared memory, all its variables together, and 49152 on every GPU", most));
    return finish(types().error(), {});
  }
  const TypeId full = types().view(element, static_cast<unsigned>(extents.size()), true);
  finish(full, std::move(extents));
}

}  // namespace rad::sema

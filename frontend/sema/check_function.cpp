// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls of declared functions, and their instances: one for each side and each set of compile-time arguments.
#include "frontend/sema/checker.h"
#include "frontend/sema/children.h"
#include "frontend/sema/function_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace rad::sema {
namespace {

/// Whether a type is one of the compile-time parameters of a function.
bool isStaticName(const FnDecl& decl, ExprId type, const Ast& ast) {
  const auto* name = type ? std::get_if<NameExpr>(&ast.expr(type).node) : nullptr;
  if (!name) return false;
  for (const StaticParam& param : decl.staticParams)
    if (param.name.name == name->name) return true;
  return false;
}

}  // namespace

/// Whether it tells of what host code does.
static bool isOfHost(Diag kind) {
  return kind == Diag::HostOnly || kind == Diag::LaunchInKernel || kind == Diag::ArrayInKernel;
}

std::string Checker::instanceName(std::string_view name, const std::vector<StaticValue>& values) {
  std::string result(name);
  for (size_t i = 0; i < values.size(); ++i)
    result += (i ? ", " : "[") + (values[i].isType ? spellType(values[i].type) : spell(values[i].constant));
  if (!values.empty()) result += "]";
  return result;
}

std::string Checker::uniqueName(std::string name) {
  const unsigned count = symbols_["fn " + name]++;
  return count ? fmt::format("{}#{}", name, count + 1) : name;
}

void Checker::noteCall(size_t firstNew, std::string_view name, Range call) {
  if (diags_.all().size() <= firstNew || !call.valid()) return;
  const Diagnostic& first = diags_.all()[firstNew];
  if (first.range.valid() && first.range.begin.offset >= call.begin.offset && first.range.end.offset <= call.end.offset)
    return;
  Diagnostics::Builder(diags_, firstNew).note(call, fmt::format("for this use of {}", name));
}

bool Checker::isOfLibrary(const Entity& entity) const {
  const auto module = entity.home ? session_.modules.find(entity.home->name) : session_.modules.end();
  return module != session_.modules.end() && &module->second == entity.home;
}

/// Tells of a function of the library that a kernel calls, and that makes arrays or launches kernels, what it is, in
/// place of what stands in its text.
bool Checker::saysHostOnly(size_t firstNew, std::string_view name, Range call) {
  std::vector<std::pair<Diag, Range>> inside;
  for (size_t i = firstNew; i < diags_.all().size(); ++i)
    if (const Diagnostic& told = diags_.all()[i]; isOfHost(told.kind)) inside.emplace_back(told.kind, told.range);
  if (inside.empty()) return false;
  for (const auto& [kind, range] : inside) diags_.retract(kind, range);
  report(Diag::HostOnly, call, {fmt::format("`{}`", name)})
      .help("call it there, and hand its result over as an argument; in a kernel write a loop");
  return true;
}

Value Checker::callFunction(Entity& entity, const FnDecl& decl, List<Argument> statics, const CallExpr& node,
                            Range range, TypeId, const Receiver* receiver) {
  const bool mayHoist = ctx_->canHoist;
  const List<StaticParam> staticParams = staticParamsOf(entity, decl);
  std::vector<std::optional<StaticValue>> known(staticParams.size());
  if (const StructInstance* owner = receiver ? structInstance(receiver->self.type) : nullptr)
    std::copy(owner->statics.begin(), owner->statics.end(), known.begin());
  auto call = prepareCall(entity, staticParams, decl.params, statics, node.arguments, range, std::move(known));
  if (!call) return errorValue(range);
  return finishCall(entity, decl, *call, mayHoist, range, receiver);
}

Value Checker::finishCall(Entity& entity, const FnDecl& decl, const PreparedCall& call, bool mayHoist, Range range,
                          const Receiver* receiver) {
  const std::string name(text(entity.name));
  if (entity.isExtern && isHostCode()) {
    report(Diag::ExternOnHost, range, {name}).note(entity.range, "declared here").help("call it from a kernel");
    return errorValue(range);
  }
  std::vector<size_t> packs;
  for (size_t p = 0; p < decl.params.size(); ++p) {
    if (std::holds_alternative<SpreadExpr>(expr(*entity.ast, decl.params[p].type).node))
      packs.push_back(call.values[p].size());
    else if (sizesPack(*entity.ast, decl.params[p].type))  // as many sizes as the array has
      packs.push_back(call.values[p].empty() ? 1 : rankOf(call.values[p][0].type));
  }
  const size_t firstNew = diags_.all().size();
  FunctionInstance* instance = instantiate(entity, decl, call.statics, call.functions, packs, range);
  if (!instance || (!isHostCode() && isOfLibrary(entity) && saysHostOnly(firstNew, name, range)))
    return errorValue(range);
  if (!call.statics.empty() || takesFunctions(decl.params, *entity.ast) || entity.ast != ast_)
    noteCall(firstNew, instance->name, range);
  else if (!isHostCode() && firstNew < diags_.all().size() && isOfHost(diags_.all()[firstNew].kind))
    noteCall(firstNew, instance->name, range);  // the kernel's call says why this is no host code
  const Function& function = instance->blockUse ? instance->inlined : program_.functions[instance->id.value];
  const TypeId result = function.result;
  const std::vector<LocalId> params = function.params;
  std::vector<TypeId> paramTypes;
  if (instance->state == FunctionInstance::State::Failed) return errorValue(range);
  for (size_t i = 0; i < params.size(); ++i)
    paramTypes.push_back(busyParams_.contains(instance->id.value) ? busyParams_[instance->id.value][i]
                                                                  : function.body.locals[params[i].value].type);
  std::vector<TExprId> arguments;
  bool ok = true;
  size_t at = 0;
  if (decl.hasSelf && receiver) {
    ++at;
    Value self = receiver->self;
    if (!decl.selfIsMut) {
      arguments.push_back(materialize(self));
    } else {
      TypeId type;
      const size_t errors = diags_.all().size();
      const TExprId place = placeOf(receiver->written, self, type, false, true);
      if (!place) {
        ok = false;
        if (diags_.all().size() > errors && diags_.all()[errors].kind == Diag::NotAPlace)
          Diagnostics::Builder(diags_, errors)
              .note(entity.range, fmt::format("`{}` changes its `self`", name))
              .help("keep the value in a `var`, and call the method on that");
      } else {
        arguments.push_back(place);
      }
    }
  }
  for (size_t p = 0; p < decl.params.size(); ++p)
    for (size_t v = 0; v < call.values[p].size(); ++v, ++at) {
      const TypeId type = paramTypes[at];
      if (decl.params[p].isMut && !isView(type)) {
        TypeId placeType;
        const size_t errors = diags_.all().size();
        const TExprId place =
            v < call.written[p].size() ? checkPlace(call.written[p][v], placeType, true, false) : TExprId{};
        if (!place) {
          if (diags_.all().size() > errors && diags_.all()[errors].kind == Diag::NotAPlace)
            Diagnostics::Builder(diags_, errors)
                .note(decl.params[p].name.range, fmt::format("`{}` is written to", text(decl.params[p].name.name)))
                .help("hand a `var` over");
          ok = false;
          continue;
        }
        if (placeType != type || std::holds_alternative<ViewSlice>(program_.expr(place).node)) {
          report(Diag::TypeMismatch, call.values[p][v].range,
                 {spellType(type), fmt::format(" for the `mut` parameter `{}`", text(decl.params[p].name.name)),
                  spellType(placeType)});
          ok = false;
          continue;
        }
        if (isScattered(program_, place)) {
          report(Diag::ScatteredArgument, call.values[p][v].range,
                 {shorten(call.values[p][v].range), std::string(text(decl.params[p].name.name))})
              .help("copy it into a variable, and back behind the call");
          ok = false;
          continue;
        }
        arguments.push_back(place);
        continue;
      }
      Value given = call.values[p][v];
      if (isVector(type) && (isUntyped(given.type) || scalarOf(given.type)) &&
          isStaticName(decl, decl.params[p].type, *entity.ast))
        given = toVector(given, type);  // clamp(v, 0.0, 1.0)
      const Value converted =
          convertValue(given, type, fmt::format("`{}` of `{}`", text(decl.params[p].name.name), name));
      if (isError(converted.type)) {
        ok = false;
        continue;
      }
      Value copy = converted;
      arguments.push_back(materialize(copy));
    }
  for (const std::vector<TExprId>& captured : call.captured)
    arguments.insert(arguments.end(), captured.begin(), captured.end());
  if (!ok) return errorValue(range);
  if (instance->state == FunctionInstance::State::Busy && !instance->resultKnown) {
    report(Diag::ResultNeeded, range, {name}).note(entity.range, "declared here").help("write the result: `-> f32`");
    return errorValue(range);
  }
  if (instance->blockUse) return inlineCall(*instance, arguments, mayHoist, range);
  if (instance->hasEffects) ctx_->hasEffects = true;
  return code(result, range, CallFunction{instance->id, std::move(arguments)});
}

bool Checker::tooManyInstances(Range call, std::string_view help) {
  constexpr size_t mostInstances = 20000;
  if (active_.empty() || functions_.size() <= mostInstances) return false;
  // Once: no further call helps to find it.
  if (std::ranges::none_of(diags_.all(), [](const Diagnostic& told) { return told.kind == Diag::InstanceCount; }))
    report(Diag::InstanceCount, call, {std::to_string(mostInstances)}).help(std::string(help));
  return true;
}

FunctionInstance* Checker::instantiate(Entity& entity, const FnDecl& decl, const std::vector<StaticValue>& statics,
                                       const FunctionArguments& functions, const std::vector<size_t>& packs,
                                       Range call) {
  const Side side = entity.isExtern ? Side::Device : ctx_->side;
  std::string key = fmt::format("{}:{}", static_cast<const void*>(&entity),
                                ctx_->isComputed     ? "constant"
                                : side == Side::Host ? "host"
                                                     : "device");
  for (const StaticValue& value : statics)
    key += fmt::format(":{}={}", value.type.value, value.isType ? "" : spell(value.constant));
  for (const FunctionValue* function : functions)
    if (function) key += fmt::format(":f{}", static_cast<const void*>(function));
  for (size_t pack : packs) key += fmt::format(":p{}", pack);
  auto [it, isNew] = functions_.try_emplace(key);
  FunctionInstance& instance = it->second;
  if (!isNew) {
    if (instance.state == FunctionInstance::State::Busy && side == Side::Device) {
      std::string cycle;
      bool inside = false;
      for (const std::string& active : active_) {
        inside = inside || active == key;
        if (inside && functions_.contains(active)) cycle += functions_[active].name + " -> ";
      }
      report(Diag::DeviceRecursion, call, {cycle + instance.name})
          .help("write it as a loop: kernels have no call stack to speak of");
      return nullptr;
    }
    return &instance;
  }
  if (active_.size() >= 100) {
    report(Diag::InstanceDepth, call, {std::string(text(entity.name))});
    instance.state = FunctionInstance::State::Failed;
    functions_.erase(it);
    return nullptr;
  }
  const bool isGeneric = !statics.empty() || std::ranges::any_of(functions, [](auto* given) { return given; });
  if (isGeneric && tooManyInstances(call, "does this function call itself with ever new arguments?")) {
    functions_.erase(it);
    return nullptr;
  }
  if (entity.owner) {
    const size_t own = structOf(*entity.owner).staticParams.size();
    const TypeId owner = ownerType(entity, statics, call);
    instance.name =
        entity.name.empty() || decl.isOperator
            ? fmt::format("operator {}", text(entity.name))
            : instanceName(fmt::format("{}.{}", spellType(owner), text(entity.name)),
                           {statics.begin() + static_cast<ptrdiff_t>(std::min(own, statics.size())), statics.end()});
  } else {
    instance.name = instanceName(
        decl.isOperator ? fmt::format("operator {}", text(entity.name)) : std::string(text(entity.name)), statics);
  }
  instance.id = {static_cast<uint32_t>(program_.functions.size())};
  instance.callRange = call;
  program_.functions.push_back({});
  program_.functions.back().name = uniqueName(instance.name);
  program_.functions.back().side = side;
  active_.push_back(key);
  const size_t errors = diags_.errorCount();
  checkFunctionBody(entity, decl, instance, statics, functions, packs);
  active_.pop_back();
  busyParams_.erase(instance.id.value);
  instance.state = diags_.errorCount() == errors ? FunctionInstance::State::Done : FunctionInstance::State::Failed;
  return &instance;
}

/// Compares the sizes of an array with those that another one of the signature has: `x: [T; shape...], y: [T;
/// shape...]`.
void Checker::comparePack(LocalId view, const NameExpr& sizes, Range range) {
  const auto binding = findBinding(sizes.name);
  const unsigned rank = typeOf(ctx_->body.locals[view.value].type).rank;
  if (!binding || binding->kind != Binding::Kind::Pack || binding->pack.size() != rank) return;
  const auto from = ctx_->sizeOf.find(binding->pack[0].value);
  if (from != ctx_->sizeOf.end() && from->second.first == view) return;  // this is where they were bound
  std::vector<TExprId> expected;
  std::vector<SiteId> sites;
  for (unsigned d = 0; d < rank; ++d) {
    expected.push_back(localRef(binding->pack[d], range));
    sites.push_back(addSite(SiteKind::ShapeBind, range, {}, d, rank));
  }
  emit(range, BindView{localRef(view, range), std::vector<LocalId>(rank), std::move(expected), std::move(sites)});
}

void Checker::bindFunctionDims(const FnDecl& decl, std::span<const LocalId> locals) {
  struct Sized {
    const Param& param;
    LocalId local;
    WrittenView view;
  };
  std::vector<Sized> sized;
  size_t at = 0;
  for (const Param& param : decl.params) {
    if (functionType(param.type, *ast_)) continue;
    if (std::holds_alternative<SpreadExpr>(expr(param.type).node)) {
      const auto binding = findBinding(param.name.name);
      at += binding && binding->kind == Binding::Kind::Pack ? binding->pack.size() : 0;
      continue;
    }
    const LocalId local = locals[at++];
    if (!isView(ctx_->body.locals[local.value].type)) continue;
    if (const WrittenView view = writtenView(param.type)) sized.push_back({param, local, view});
  }
  auto bindSizes = [&](const Sized& from) {
    for (unsigned d = 0; d < from.view.shape->dims.size(); ++d) {
      const Expr& dimension = expr(from.view.shape->dims[d]);
      const auto* name = std::get_if<NameExpr>(&dimension.node);
      if (!name || text(name->name) == "_" || findBinding(name->name)) continue;
      const std::string_view spelled = text(name->name);
      if (spelled[0] >= 'A' && spelled[0] <= 'Z') continue;
      const Range range = dimension.range;
      const LocalId dim = addLocal(std::string(spelled), types().index(), LocalKind::Dimension, range);
      emit(range, Declare{dim, program_.addExpr(types().index(), range, ViewExtent{localRef(from.local, range), d})});
      bind({name->name, range}, {.kind = Binding::Kind::Local, .local = dim, .type = types().index(), .range = range});
      ctx_->sizeOf[dim.value] = {from.local, d};
    }
  };
  for (const Sized& one : sized) inText(one.view, [&] { bindSizes(one); });
  // Sizes that the signature repeats or fixes are compared.
  auto compareSizes = [&](const Sized& with) {
    if (const NameExpr* const sizes = sizesPack(*ast_, with.view.shape))
      return comparePack(with.local, *sizes, with.param.name.range);
    const unsigned rank = static_cast<unsigned>(with.view.shape->dims.size());
    if (rank != typeOf(ctx_->body.locals[with.local.value].type).rank) return;
    std::vector<TExprId> expected(rank);
    std::vector<SiteId> sites(rank);
    bool any = false;
    for (unsigned d = 0; d < rank; ++d) {
      const ExprId id = with.view.shape->dims[d];
      if (const auto* name = std::get_if<NameExpr>(&expr(id).node)) {
        if (text(name->name) == "_") continue;
        auto binding = findBinding(name->name);
        if (binding && binding->kind == Binding::Kind::Local)
          if (auto it = ctx_->sizeOf.find(binding->local.value);
              it != ctx_->sizeOf.end() && it->second == std::pair{with.local, d})
            continue;  // this is where it was bound
      }
      expected[d] = checkSubscript(id, "a size");
      if (!expected[d]) continue;
      sites[d] = addSite(SiteKind::ShapeBind, expr(id).range, {}, d, rank);
      any = true;
    }
    if (any)
      emit(with.param.name.range, BindView{localRef(with.local, with.param.name.range), std::vector<LocalId>(rank),
                                           std::move(expected), std::move(sites)});
  };
  for (const Sized& one : sized) inText(one.view, [&] { compareSizes(one); });
}

void Checker::checkFunctionBody(Entity& entity, const FnDecl& decl, FunctionInstance& instance,
                                const std::vector<StaticValue>& statics, const FunctionArguments& functions,
                                const std::vector<size_t>& packs) {
  Context context{.kind = Context::Kind::Function,
                  .side = program_.functions[instance.id.value].side,
                  .home = entity.home,
                  .name = std::string(text(entity.name)),
                  .result = types().unit(),
                  .function = instance.id,
                  .uncheckedDepth = hasAttribute(entity.ast->decl(entity.decl), "unchecked") ? 1u : 0u,
                  .isComputed = ctx_->isComputed};
  Context* const savedContext = std::exchange(ctx_, &context);
  const Ast* const savedAst = std::exchange(ast_, entity.ast);
  const unsigned savedDepth = std::exchange(depth_, depth_ / 2);
  std::vector<TStmtId> statements;
  context.out = &statements;
  context.scopes.push_back(functionScope(entity, decl, statics));
  pushScope();
  std::vector<LocalId> locals;
  std::vector<TypeId> paramTypes;
  std::vector<LocalId> captured;  // behind the others
  size_t pack = 0, at = 0;
  if (decl.hasSelf && entity.owner) {
    const TypeId type = ownerType(entity, statics, entity.range);
    locals.push_back(addLocal("self", type, decl.selfIsMut ? LocalKind::MutParam : LocalKind::Param, entity.range));
    paramTypes.push_back(type);
    bind({session_.names.intern("self"), entity.range},
         {.kind = Binding::Kind::Local, .local = locals[0], .type = type, .range = entity.range});
  }
  for (const Param& param : decl.params) {
    FunctionValue* const function = at < functions.size() ? functions[at] : nullptr;
    ++at;
    if (function) {
      bindFunction(param, *function, [&](const std::string& name, TypeId type) {
        captured.push_back(addLocal(name, type, LocalKind::Param, param.name.range));
        return captured.back();
      });
      continue;
    }
    if (const auto* spread = std::get_if<SpreadExpr>(&expr(param.type).node)) {
      const TypeId type = resolveType(spread->inner);
      Binding binding{.kind = Binding::Kind::Pack, .type = type, .range = param.name.range};
      for (size_t i = 0; pack < packs.size() && i < packs[pack]; ++i) {
        const LocalId local =
            addLocal(fmt::format("{}.{}", text(param.name.name), i), type, LocalKind::Param, param.name.range);
        binding.pack.push_back(local);
        locals.push_back(local);
        paramTypes.push_back(type);
      }
      ++pack;
      bind(param.name, binding);
      continue;
    }
    const NameExpr* const sizes = sizesPack(*ast_, param.type);
    const size_t rank = sizes && pack < packs.size() ? packs[pack++] : 1;
    std::vector<LocalId> made;
    if (sizes && !findBinding(sizes->name)) {
      for (size_t d = 0; d < rank; ++d)
        made.push_back(addLocal(fmt::format("{}.{}", text(sizes->name), d), types().index(), LocalKind::Dimension,
                                param.name.range));
      bind({sizes->name, param.name.range},
           {.kind = Binding::Kind::Pack, .type = types().index(), .pack = made, .range = param.name.range});
    }
    TypeId type = resolveType(param.type);
    if (isError(type)) bindSizesOf(param.type);
    if (isView(type)) type = types().withAccess(type, param.isMut);
    const LocalId local = addLocal(std::string(text(param.name.name)), type,
                                   param.isMut ? LocalKind::MutParam : LocalKind::Param, param.name.range);
    locals.push_back(local);
    paramTypes.push_back(type);
    bind(param.name, {.kind = Binding::Kind::Local, .local = local, .type = type, .range = param.name.range});
    for (unsigned d = 0; d < made.size() && isView(type); ++d) {
      const Range range = param.name.range;
      emit(range, Declare{made[d], program_.addExpr(types().index(), range, ViewExtent{localRef(local, range), d})});
      ctx_->sizeOf[made[d].value] = {local, d};
    }
  }
  if (decl.result) {
    context.result = resolveType(decl.result);
    if (const auto* view = std::get_if<RepeatExpr>(&expr(decl.result).node)) context.resultDims = view->dims;
    instance.resultKnown = true;
  } else if (decl.bodyIsExpr) {
    context.inferResult = true;
    context.result = {};
  } else {
    instance.resultKnown = true;
  }
  {
    Function& function = program_.functions[instance.id.value];
    function.params = locals;
    function.params.insert(function.params.end(), captured.begin(), captured.end());
    for (LocalId local : captured) paramTypes.push_back(context.body.locals[local.value].type);
    function.result = context.result;
    function.range = decl.name.range;
    busyParams_[instance.id.value] = paramTypes;
  }
  if (entity.isExtern) {
    Function& function = program_.functions[instance.id.value];
    function.isExtern = true;
    function.symbol = std::string(text(entity.name));
    for (size_t i = 0; i < locals.size(); ++i)
      if (isView(paramTypes[i]) || decl.params[i].isMut || typeOf(paramTypes[i]).kind != TypeKind::Scalar) {
        if (!isError(paramTypes[i]))
          notYet(decl.params[i].name.range, "an extern function with a parameter that is no scalar");
      }
    if (!isError(context.result) && typeOf(context.result).kind != TypeKind::Unit && !scalarOf(context.result))
      notYet(decl.name.range, "an extern function with this result");
    context.hasEffects = true;
  } else {
    bindFunctionDims(decl, std::span<const LocalId>(locals).subspan(decl.hasSelf && entity.owner ? 1 : 0));
    const size_t errors = diags_.errorCount();
    if (decl.bodyIsExpr) {
      ctx_->canHoist = true;
      ctx_->statementValue = expr(decl.body).range;
      checkTail(decl.body);
    } else if (typeOf(context.result).kind == TypeKind::Unit || isError(context.result)) {
      // The last expression may be of the result type that has a mistake.
      const auto* body = std::get_if<BlockExpr>(&expr(decl.body).node);
      const auto* last = body && !body->statements.empty()
                             ? std::get_if<ExprStmt>(&ast_->stmt(body->statements.back()).node)
                             : nullptr;
      const auto* branch = last ? std::get_if<IfExpr>(&expr(last->expr).node) : nullptr;
      BlockResult block = checkBlock(decl.body, isError(context.result) && last && (!branch || branch->elseBranch));
      statements.insert(statements.end(), block.statements.begin(), block.statements.end());
    } else {
      bool ended = false;
      pushScope();
      if (const auto* body = std::get_if<BlockExpr>(&expr(decl.body).node))
        ended = checkTailStatements(body->statements);
      popScope();
      if (!ended && diags_.errorCount() == errors)
        report(Diag::MissingReturn, decl.name.range, {context.name, spellType(context.result)})
            .help("the last expression of the body is the result");
    }
  }
  if (context.inferResult) instance.resultKnown = context.resultSeen;
  if (context.inferResult && !context.resultSeen) context.result = types().unit();
  if (isView(context.result)) context.result = types().withAccess(context.result, !context.returnedReadOnly);
  instance.hasEffects = context.hasEffects;
  Function& function = program_.functions[instance.id.value];
  function.result = context.result;
  context.body.statements = std::move(statements);
  function.body = std::move(context.body);
  if (context.blockUse) {
    instance.blockUse = std::move(context.blockUse);
    instance.blockNames = std::move(context.blockNames);
    instance.inlined = std::exchange(
        function,
        Function{.name = function.name, .side = function.side, .result = types().unit(), .range = function.range});
  }
  ctx_ = savedContext;
  ast_ = savedAst;
  depth_ = savedDepth;
}

}  // namespace rad::sema

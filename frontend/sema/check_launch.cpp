// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Launches: a kernel called like a function from host code.
#include "frontend/sema/checker.h"
#include "frontend/sema/expansion.h"
#include "frontend/sema/function_values.h"
#include "frontend/sema/in_callee.h"

#include <fmt/format.h>

#include <algorithm>

namespace rad::sema {

KernelInstance* Checker::instantiateKernel(Entity& entity, const KernelDecl& decl,
                                           const std::vector<StaticValue>& statics, const FunctionArguments& functions,
                                           Range call) {
  std::string key = fmt::format("{}:", static_cast<const void*>(&entity));
  for (const StaticValue& value : statics)
    key += fmt::format("{}={}:", value.type.value, value.isType ? "" : spell(value.constant));
  for (const FunctionValue* function : functions)
    if (function) key += fmt::format("f{}:", static_cast<const void*>(function));
  auto [it, isNew] = kernels_.try_emplace(key);
  if (!isNew) return &it->second;
  KernelInstance& instance = it->second;
  Kernel kernel;
  kernel.name = instanceName(text(entity.name), statics);
  for (size_t i = 0; i < statics.size(); ++i)
    kernel.statics.push_back({std::string(text(decl.staticParams[static_cast<uint32_t>(i)].name.name)),
                              statics[i].isType ? spellType(statics[i].type) : spell(statics[i].constant)});
  std::string made = kernel.name;
  std::vector<std::string>* list = &entity.specialisations;
  for (const FunctionValue* function : functions)
    if (function) {
      made += fmt::format("{}{}", list == &entity.specialisations ? " of " : " and ", function->name);
      list = &ofFunctions_[&entity];
    }
  if ((!statics.empty() || list != &entity.specialisations) && std::ranges::find(*list, made) == list->end()) {
    if (list->size() >= mostSpecialisations) {
      // Once: no further call helps to find it.
      if (std::ranges::none_of(diags_.all(), [](const Diagnostic& told) { return told.kind == Diag::Specialisations; }))
        reportSpecialisations(entity, *list, made, call);
      kernels_.erase(it);
      return nullptr;
    }
    list->push_back(made);
  }
  kernel.range = decl.name.range;
  active_.push_back(key);
  const size_t firstNew = diags_.all().size();
  instance.failed = !checkKernel(entity, decl, statics, functions, kernel, instance.paramTypes);
  active_.pop_back();
  if (!decl.staticParams.empty() || takesFunctions(decl.params, *entity.ast) || entity.ast != ast_)
    noteCall(firstNew, kernel.name, call);
  kernel.symbol = statics.empty() ? exportedSymbol(*entity.ast, entity.ast->decl(entity.decl)) : std::string();
  instance.isListed = !kernel.symbol.empty();
  if (!instance.isListed) kernel.symbol = kernelSymbol(kernel.name);
  instance.id = {static_cast<uint32_t>(program_.kernels.size())};
  program_.kernels.push_back(std::move(kernel));
  return &instance;
}

void Checker::reportSpecialisations(const Entity& entity, const std::vector<std::string>& all, std::string_view name,
                                    Range call) {
  std::string list;
  constexpr size_t most = 8;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i == most) {
      list += fmt::format(", and {} more", all.size() - most);
      break;
    }
    list += (i ? ", " : "") + all[i];
  }
  report(Diag::Specialisations, call, {std::string(text(entity.name)), std::to_string(mostSpecialisations)})
      .note(call, fmt::format("this call needs {}", name))
      .note(entity.range, fmt::format("there are {}", list))
      .help("each set of compile-time arguments is compiled and loaded apart: make what changes often a parameter");
}

Value Checker::callKernel(Entity& entity, const KernelDecl& decl, List<Argument> statics, const CallExpr& node,
                          Range range) {
  const std::string name(text(entity.name));
  if (!isHostCode() || ctx_->kind == Context::Kind::Reduction) {
    report(Diag::LaunchInKernel, range, {name})
        .note(entity.range, "declared as a kernel here")
        .help("declare it as `fn` to call it from kernels");
    return errorValue(range);
  }
  auto call = prepareCall(entity, decl.staticParams, decl.params, statics, node.arguments, range);
  if (!call) return errorValue(range);
  if (std::ranges::any_of(call->statics, &StaticValue::waits)) return launchOpen(entity, decl, *call, range);
  KernelInstance* instance = instantiateKernel(entity, decl, call->statics, call->functions, range);
  if (!instance || instance->failed) return errorValue(range);
  auto arguments = launchArguments(decl, name, *call, instance->paramTypes);
  if (!arguments) return errorValue(range);
  ctx_->hasEffects = true;
  emit(range, Launch{instance->id, std::move(*arguments), addSite(SiteKind::Launch, range)});
  return unitValue(range);
}

std::optional<std::vector<TExprId>> Checker::launchArguments(const KernelDecl& decl, const std::string& name,
                                                             const PreparedCall& call,
                                                             const std::vector<TypeId>& types) {
  std::vector<TExprId> arguments;
  bool ok = true;
  for (size_t p = 0; p < decl.params.size(); ++p) {
    if (call.functions[p]) {
      for (TExprId captured : call.captured[p]) {
        const TypeId type = program_.expr(captured).type;
        if (isView(type) || scalarOf(type)) arguments.push_back(captured);
        else readParts(keep(captured), program_.expr(captured).range, arguments);
      }
      continue;
    }
    const TypeId type = types[p];
    const std::string param(text(decl.params[p].name.name));
    if (call.values[p].empty()) return std::nullopt;
    const Value& value = call.values[p][0];
    if (isView(type) && decl.params[p].isMut && isView(value.type) &&
        fitsType(value, this->types().withAccess(type, false)) && !typeOf(value.type).writable) {
      report(Diag::ReadOnlyView, value.range, {shorten(value.range)})
          .note(decl.params[p].name.range, fmt::format("`{}` of `{}` is written to", param, name))
          .help("a function's array parameter is writable with `mut`");
      ok = false;
      continue;
    }
    const Value converted = convertValue(value, type, fmt::format("`{}` of `{}`", param, name));
    if (isError(converted.type)) {
      ok = false;
      continue;
    }
    Value copy = converted;
    const TExprId argument = materialize(copy);
    if (isView(type) || scalarOf(type)) arguments.push_back(argument);
    else readParts(keep(argument), value.range, arguments);
  }
  if (!ok) return std::nullopt;
  return arguments;
}

/// Whether two compile-time arguments are the same, as far as they are known before the program runs.
static bool isSameStatic(const StaticValue& one, const StaticValue& other) {
  return one.isType == other.isType && one.type == other.type && one.waits == other.waits &&
         (one.isType || one.waits || spell(one.constant) == spell(other.constant));
}

Value Checker::launchOpen(Entity& entity, const KernelDecl& decl, const PreparedCall& call, Range range) {
  const std::string name(text(entity.name));
  std::vector<std::optional<StaticValue>> known;
  for (const StaticValue& value : call.statics) known.push_back(value.waits ? std::nullopt : std::optional(value));
  OpenKernel open{.name = name, .number = static_cast<uint32_t>(session_.openLaunches.size())};
  // Types have to be known now: what comes later may stand in sizes and in the body.
  const OpenParam needs{*entity.ast, decl.staticParams, known};
  const LocalScope scope = knownStatics(decl.staticParams, known);
  std::vector<TypeId> types;
  for (size_t p = 0; p < decl.params.size(); ++p) {
    const Param& param = decl.params[p];
    const Range place = param.name.range;
    if (call.functions[p]) {
      report(Diag::NotConstant, range,
             {fmt::format("each compile-time argument of `{}`, which takes a function,", name)})
          .note(place, "declared here");
      return errorValue(range);
    }
    // The sizes of a view are no part of its type.
    const auto& written = expr(*entity.ast, param.type).node;
    const auto* strided = std::get_if<StridedExpr>(&written);
    const auto* view = std::get_if<RepeatExpr>(strided ? &expr(*entity.ast, strided->type).node : &written);
    if (const StaticParam* on = needs.in(view ? view->value : param.type)) {
      report(Diag::NotConstant, range, {fmt::format("the type of `{}`", text(param.name.name))})
          .note(place, fmt::format("it depends on `{}`, which is known when the program runs", text(on->name.name)));
      return errorValue(range);
    }
    TypeId type = inCallee(entity, scope, [&] { return resolveType(param.type); });
    if (isError(type)) return errorValue(range);
    if (isView(type)) type = this->types().withAccess(type, param.isMut);
    types.push_back(type);
    if (isView(type) || scalarOf(type)) {
      open.params.push_back(type);
      continue;
    }
    std::vector<Part> parts;
    partsOf(type, "", parts);
    for (const Part& part : parts) open.params.push_back(part.type);
  }
  LaunchOpen launch{.kernel = static_cast<uint32_t>(program_.openKernels.size())};
  for (const StaticValue& value : call.statics)
    if (value.atRun) {
      launch.statics.push_back(value.atRun);
      open.statics.push_back(value.type);
    }
  auto arguments = launchArguments(decl, name, call, types);
  if (!arguments) return errorValue(range);
  launch.arguments = std::move(*arguments);
  launch.site = addSite(SiteKind::Launch, range);
  const auto same = std::ranges::find_if(program_.openKernels, [&](const OpenKernel& other) {
    const OpenLaunch& launched = session_.openLaunches[other.number];
    return launched.entity == &entity && std::ranges::equal(launched.statics, call.statics, isSameStatic);
  });
  open.family = same == program_.openKernels.end() ? open.number : same->family;
  session_.openLaunches.push_back({&entity, call.statics, range});
  program_.openKernels.push_back(std::move(open));
  ctx_->hasEffects = true;
  emit(range, std::move(launch));
  return unitValue(range);
}

}  // namespace rad::sema

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Launches: a kernel called like a function from host code.
#include "frontend/sema/checker.h"

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
  KernelInstance* instance = instantiateKernel(entity, decl, call->statics, call->functions, range);
  if (!instance || instance->failed) return errorValue(range);
  std::vector<TExprId> arguments;
  bool ok = true;
  for (size_t p = 0; p < decl.params.size(); ++p) {
    if (call->functions[p]) {
      for (TExprId captured : call->captured[p]) {
        const TypeId type = program_.expr(captured).type;
        if (isView(type) || scalarOf(type)) arguments.push_back(captured);
        else readParts(keep(captured), range, arguments);
      }
      continue;
    }
    const TypeId type = instance->paramTypes[p];
    const std::string param(text(decl.params[p].name.name));
    if (call->values[p].empty()) return errorValue(range);
    Value& value = call->values[p][0];
    if (isView(type) && decl.params[p].isMut && isView(value.type) &&
        fitsType(value, types().withAccess(type, false)) && !typeOf(value.type).writable) {
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
  if (!ok) return errorValue(range);
  ctx_->hasEffects = true;
  emit(range, Launch{instance->id, std::move(arguments), addSite(SiteKind::Launch, range)});
  return unitValue(range);
}

}  // namespace rad::sema

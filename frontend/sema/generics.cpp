// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arguments beside parameters; compile-time parameters, given or inferred.
#include "frontend/sema/checker.h"
#include "frontend/sema/function_values.h"
#include "frontend/sema/in_callee.h"
#include "frontend/types/float_format.h"

#include <fmt/format.h>

#include <algorithm>

namespace rad::sema {
namespace {

Binding bindingOf(const StaticParam& param, const StaticValue& value) {
  if (value.waits) return {.kind = Binding::Kind::Local, .range = param.name.range, .waits = true};
  return {.kind = value.isType ? Binding::Kind::Type : Binding::Kind::Constant,
          .type = value.type,
          .constant = value.constant,
          .range = param.name.range};
}

}  // namespace

/// Whether lambdas stand where something else should, and something else where a function should; reports it.
bool Checker::misplacesFunction(const Entity& entity, List<Param> params,
                                const std::vector<std::vector<ExprId>>& written) {
  std::vector<std::string> functions, others;
  std::optional<Range> misplaced;
  size_t places = 0;
  for (size_t p = 0; p < params.size(); ++p) {
    const bool isFunction = functionType(params[p].type, *entity.ast);
    places += isFunction;
    for (ExprId each : written[p]) {
      (isLambda(each) ? functions : others).push_back(shorten(expr(each).range));
      if (isLambda(each) && !isFunction && !misplaced) misplaced = expr(each).range;
    }
  }
  if (!misplaced || functions.size() != places) return false;
  std::string form;
  size_t nextFunction = 0, nextOther = 0;
  for (size_t p = 0; p < params.size(); ++p)
    for (size_t i = 0; i < written[p].size(); ++i) {
      std::string& next = functionType(params[p].type, *entity.ast) ? functions[nextFunction++] : others[nextOther++];
      form += (form.empty() ? "" : ", ") + next;
    }
  report(Diag::FunctionOrder, *misplaced, {std::string(text(entity.name))})
      .note(entity.range, "declared here")
      .help(fmt::format("write {}({})", text(entity.name), form));
  return true;
}

bool Checker::matchArguments(const Entity& entity, List<Param> params, List<Argument> arguments, Range range,
                             std::vector<std::vector<ExprId>>& written) {
  const std::string_view name = text(entity.name);
  const Ast& calleeAst = *entity.ast;
  written.assign(params.size(), {});
  // A variadic parameter may be followed by named ones: it is the first whose type is a spread.
  size_t variadic = params.size();
  for (size_t i = 0; i < params.size(); ++i)
    if (params[i].type && std::holds_alternative<SpreadExpr>(expr(calleeAst, params[i].type).node)) {
      variadic = i;
      break;
    }
  // "saxpy(a, x, y)"
  auto form = [&] {
    std::string out = std::string(name) + "(";
    for (size_t i = 0; i < params.size(); ++i) {
      const std::string param(text(params[i].name.name));
      out += (i ? ", " : "") + (i < variadic ? param : i == variadic ? param + "..." : param + ": " + param);
    }
    return out + ")";
  };
  size_t next = 0;
  bool ok = true, tooMany = false;
  for (const Argument& argument : arguments) {
    if (std::holds_alternative<GeneratorExpr>(expr(argument.value).node)) {
      const auto& clauses = std::get<GeneratorExpr>(expr(argument.value).node).clauses;
      if (clauses.empty() || !std::holds_alternative<ErrorExpr>(expr(clauses[0].low).node))
        report(Diag::GeneratorPlace, expr(argument.value).range, {});
      return false;
    }
    if (argument.name.name.empty()) {
      if (next < variadic) {
        if (next >= params.size()) {
          tooMany = true;
          break;
        }
        written[next++].push_back(argument.value);
      } else if (variadic < params.size()) {
        written[variadic].push_back(argument.value);
        next = variadic;
      } else {
        tooMany = true;
        break;
      }
      continue;
    }
    size_t at = params.size();
    for (size_t i = 0; i < params.size(); ++i)
      if (params[i].name.name == argument.name.name) at = i;
    if (at == params.size()) {
      std::vector<std::string_view> known;
      for (const Param& param : params) known.push_back(text(param.name.name));
      auto builder = entity.kind == Entity::Kind::Struct
                         ? report(Diag::UnknownMember, argument.name.range,
                                  {std::string(name), std::string(text(argument.name.name))})
                         : report(Diag::UnknownArgument, argument.name.range,
                                  {fmt::format("`{}`", name), std::string(text(argument.name.name))});
      if (std::string near = nearestName(text(argument.name.name), known); !near.empty())
        builder.help(fmt::format("did you mean `{}`?", near));
      ok = false;
      continue;
    }
    if (!written[at].empty()) {
      report(Diag::DuplicateArgument, argument.name.range, {std::string(text(argument.name.name))})
          .note(expr(written[at][0]).range, "the first value");
      ok = false;
      continue;
    }
    written[at].push_back(argument.value);
    if (at == next && next < variadic) ++next;
  }
  if (tooMany) {
    auto builder =
        report(Diag::ArgumentCount, range,
               {std::string(name), params.size() == 1 ? "1 argument" : fmt::format("{} arguments", params.size()),
                std::to_string(arguments.size())});
    if (!params.empty()) builder.help(fmt::format("write {}", form()));
    return false;
  }
  std::string missing;
  for (size_t i = 0; i < params.size(); ++i) {
    if (!written[i].empty() || params[i].defaultValue || i == variadic) continue;
    missing += (missing.empty() ? "`" : ", `") + std::string(text(params[i].name.name)) + "`";
  }
  if (ok && !missing.empty()) {
    report(Diag::MissingArgument, range, {std::string(name), missing}).help(fmt::format("write {}", form()));
    ok = false;
  }
  return ok;
}

bool Checker::isKnownAtRun(ExprId id, TypeId type) {
  return quietly([&] {
    const size_t first = ctx_->out->size();
    const Value value = whileCompiling([&] { return checkExpr(id, type); });
    if (isError(value.type) || value.constant || typeOf(value.type).kind != TypeKind::Scalar) return false;
    const auto computed = compute(value, first);
    return !computed && computed.error().kind == EvaluationFailure::Kind::NotConstant;
  });
}

/// Behind the message `diagnostic` that an argument is no type: that the parameter is one.
void Checker::helpForType(const Entity& entity, const StaticParam& param, size_t diagnostic) {
  const std::string_view name = text(param.name.name);
  Diagnostics::Builder builder(diags_, diagnostic);
  builder.note(param.name.range, fmt::format("`{}` is a type", name));
  const auto* type =
      param.constraintOrType ? std::get_if<NameExpr>(&expr(*entity.ast, param.constraintOrType).node) : nullptr;
  if (const auto scalar = type ? findScalar(text(type->name)) : std::nullopt)
    builder.help(fmt::format("a number is declared with `const`: `const {}: {}`", name, spelling(*scalar)));
  else if (!type || text(type->name) == "Number" || text(type->name) == "Float")
    builder.help(fmt::format("give it one: {}[{}: f32]", text(entity.name), name));
}

bool Checker::givenStatics(Entity& entity, List<StaticParam> staticParams, List<Argument> given, Range range,
                           std::vector<std::optional<StaticValue>>& found, bool mayWait) {
  const std::string name(text(entity.name));
  size_t next = 0;
  while (next < found.size() && found[next]) ++next;  // those of a method's struct
  for (const Argument& argument : given) {
    size_t at = next;
    if (!argument.name.name.empty()) {
      at = staticParams.size();
      std::vector<std::string_view> known;
      for (size_t i = 0; i < staticParams.size(); ++i) {
        known.push_back(text(staticParams[i].name.name));
        if (staticParams[i].name.name == argument.name.name) at = i;
      }
      if (at == staticParams.size()) {
        auto builder = report(Diag::UnknownArgument, argument.name.range,
                              {fmt::format("`{}[]`", name), std::string(text(argument.name.name))});
        if (std::string near = nearestName(text(argument.name.name), known); !near.empty())
          builder.help(fmt::format("did you mean `{}`?", near));
        return false;
      }
    } else {
      ++next;
    }
    if (at >= staticParams.size()) {
      if (staticParams.empty()) {
        auto builder = report(Diag::NoStatics, range, {name});
        if (entity.kind == Entity::Kind::Kernel)
          builder.help(
              fmt::format("write {}(...); how many blocks and threads there are follows from its domain", name));
      } else
        report(Diag::StaticCount, range, {name, std::to_string(staticParams.size()), std::to_string(given.size())});
      return false;
    }
    if (found[at]) {
      report(Diag::DuplicateArgument, expr(argument.value).range, {std::string(text(staticParams[at].name.name))});
      return false;
    }
    StaticValue value;
    if (staticParams[at].isConst) {
      // Its type may be another parameter that the arguments tell: then the constant takes it later.
      const auto* typeName = std::get_if<NameExpr>(&expr(*entity.ast, staticParams[at].constraintOrType).node);
      bool isOpen = false;
      LocalScope scope;
      for (size_t i = 0; i < staticParams.size(); ++i) {
        if (found[i] && found[i]->isType)
          scope.insert_or_assign(staticParams[i].name.name,
                                 Binding{.kind = Binding::Kind::Type, .type = found[i]->type});
        else if (typeName && !staticParams[i].isConst && staticParams[i].name.name == typeName->name) isOpen = true;
      }
      const TypeId type = isOpen ? TypeId{} : staticType(entity, staticParams[at], scope);
      if (!isOpen && isError(type)) return false;
      const std::string what = fmt::format("the compile-time argument `{}`", text(staticParams[at].name.name));
      if (mayWait && !isOpen && scalarOf(type) && isKnownAtRun(argument.value, type)) {
        Value later = convertValue(checkExpr(argument.value, type), type, what);
        if (isError(later.type)) return false;
        value = {.type = type, .waits = true, .atRun = materialize(later)};
      } else {
        TypeId own;
        auto constant = checkConstant(argument.value, type, what, &own);
        if (!constant) return false;
        value.type = isOpen ? own : type;
        value.constant = *constant;
      }
    } else {
      value.isType = true;
      const size_t firstNew = diags_.all().size();
      value.type = resolveType(argument.value);
      if (isError(value.type)) {
        if (firstNew < diags_.all().size() && diags_.all()[firstNew].kind == Diag::NotAType)
          helpForType(entity, staticParams[at], firstNew);
        return false;
      }
    }
    found[at] = value;
  }
  return true;
}

void Checker::unify(ExprId paramType, const Entity& callee, const Value& value, List<StaticParam> staticParams,
                    std::vector<std::optional<StaticValue>>& found, const std::vector<bool>& fixed, bool untypedToo) {
  const Ast& ast = *callee.ast;
  if (!paramType || isError(value.type)) return;
  const Expr& node = expr(ast, paramType);
  if (const auto* spread = std::get_if<SpreadExpr>(&node.node))
    return unify(spread->inner, callee, value, staticParams, found, fixed, untypedToo);
  if (const auto* paren = std::get_if<ParenExpr>(&node.node))
    return unify(paren->inner, callee, value, staticParams, found, fixed, untypedToo);
  if (const auto* view = std::get_if<RepeatExpr>(&node.node)) {
    Value element{value.type, {}, {}, value.range};
    if (isView(value.type)) {
      element.type = typeOf(value.type).element;
    } else {  // an array value becomes an array of the device
      if (!isHostCode()) return;
      const size_t levels = sizesPack(ast, view) ? rankOf(value.type) : view->dims.size();
      for (size_t d = 0; d < levels; ++d) {
        if (typeOf(element.type).kind != TypeKind::Array) return;
        element.type = typeOf(element.type).element;
      }
    }
    return unify(view->value, callee, element, staticParams, found, fixed, untypedToo);
  }
  if (const auto* strided = std::get_if<StridedExpr>(&node.node))
    return unify(strided->type, callee, value, staticParams, found, fixed, untypedToo);
  if (const auto* tuple = std::get_if<TupleExpr>(&node.node)) {
    const Type type = typeOf(value.type);
    if (type.kind != TypeKind::Tuple || type.record || type.items.size() != tuple->items.size()) return;
    for (size_t i = 0; i < type.items.size(); ++i)
      unify(tuple->items[static_cast<uint32_t>(i)], callee, {type.items[i], {}, {}, value.range}, staticParams, found,
            fixed, untypedToo);
    return;
  }
  if (const auto* sized = std::get_if<IndexExpr>(&node.node)) {  // vec[T, N], array[T, N], Pair[T, U]
    const auto* base = std::get_if<NameExpr>(&expr(ast, sized->base).node);
    if (Entity* const alias = base ? findEntity(base->name, callee.home) : nullptr;
        alias && alias->kind == Entity::Kind::TypeAlias) {
      // What its own parameters have to be tells what stands in their places here.
      const auto& decl = std::get<TypeAliasDecl>(alias->ast->decl(alias->decl).node);
      if (std::exchange(alias->state, Entity::State::Busy) == Entity::State::Busy) return;
      std::vector<std::optional<StaticValue>> inner(decl.staticParams.size());
      unify(decl.type, *alias, value, decl.staticParams, inner, std::vector<bool>(inner.size()), untypedToo);
      alias->state = Entity::State::New;
      for (size_t i = 0; i < sized->arguments.size(); ++i) {
        const Argument& argument = sized->arguments[i];
        const auto* name = std::get_if<NameExpr>(&expr(ast, argument.value).node);
        size_t at = i;
        for (size_t k = 0; k < inner.size() && !argument.name.name.empty(); ++k)
          if (decl.staticParams[k].name.name == argument.name.name) at = k;
        for (size_t k = 0; name && at < inner.size() && inner[at] && k < staticParams.size(); ++k)
          if (staticParams[k].name.name == name->name && !found[k]) found[k] = inner[at];
      }
      return;
    }
    if (const StructInstance* instance = structInstance(value.type)) {
      const auto* member = std::get_if<MemberExpr>(&expr(ast, sized->base).node);
      const Symbol named = base ? base->name : member ? member->member.name : Symbol{};
      if (named != instance->entity->name) return;
      const List<StaticParam> own = structOf(*instance->entity).staticParams;
      for (size_t a = 0, next = 0; a < sized->arguments.size(); ++a) {
        const Argument& argument = sized->arguments[static_cast<uint32_t>(a)];
        size_t at = next;
        if (argument.name.name.empty()) ++next;
        else
          while (at < own.size() && own[static_cast<uint32_t>(at)].name.name != argument.name.name) ++at;
        if (at >= instance->statics.size()) return;
        const StaticValue& known = instance->statics[at];
        if (known.isType) {
          unify(argument.value, callee, {known.type, {}, {}, value.range}, staticParams, found, fixed, untypedToo);
          continue;
        }
        const auto* name = std::get_if<NameExpr>(&expr(ast, argument.value).node);
        for (size_t i = 0; name && i < staticParams.size(); ++i)
          if (staticParams[i].isConst && staticParams[i].name.name == name->name && !found[i]) found[i] = known;
      }
      return;
    }
    const Type type = typeOf(value.type);
    const bool matches = base && sized->arguments.size() == 2 &&
                         ((text(base->name) == "vec" && type.kind == TypeKind::Vector) ||
                          (text(base->name) == "array" && type.kind == TypeKind::Array));
    if (!matches) return;
    unify(sized->arguments[0].value, callee, {type.element, {}, {}, value.range}, staticParams, found, fixed,
          untypedToo);
    const auto* count = std::get_if<NameExpr>(&expr(ast, sized->arguments[1].value).node);
    for (size_t i = 0; count && i < staticParams.size(); ++i)
      if (staticParams[i].isConst && staticParams[i].name.name == count->name && !found[i])
        found[i] = StaticValue{false, types().index(), ConstValue::ofInt(static_cast<Wide>(type.count))};
    return;
  }
  const auto* name = std::get_if<NameExpr>(&node.node);
  if (!name) return;
  if (callee.owner && text(name->name) == "Self") {  // the struct's own parameters come first
    if (const StructInstance* instance = structInstance(value.type); instance && instance->entity == callee.owner)
      for (size_t i = 0; i < instance->statics.size(); ++i)
        if (!found[i]) found[i] = instance->statics[i];
    return;
  }
  for (size_t i = 0; i < staticParams.size(); ++i) {
    if (staticParams[i].isConst || staticParams[i].name.name != name->name || fixed[i]) continue;
    if (isUntyped(value.type)) {
      if (!untypedToo) return;
      // Among constants alone a float makes all of them floats.
      const TypeId guess = defaultType(value);
      if (!found[i] || guess == types().scalar(Scalar::F32)) found[i] = StaticValue{true, guess, {}};
      return;
    }
    if (!found[i]) {
      found[i] = StaticValue{true, value.type, {}};
      return;
    }
    auto a = scalarOf(found[i]->type), b = scalarOf(value.type);
    const auto* constraint = std::get_if<NameExpr>(&expr(ast, staticParams[i].constraintOrType).node);
    if (a && isVector(value.type) && constraint &&
        (text(constraint->name) == "Numbers" || text(constraint->name) == "Floats"))
      found[i]->type = value.type;  // a number beside a vector stands for a vector of it
    if (a && b)
      if (auto common = commonScalar(*a, *b)) found[i]->type = types().scalar(*common);
    return;
  }
}

/// Whether an argument is an array value of numbers without a suffix.
bool Checker::isList(const PreparedCall& call, size_t param) {
  return param < call.written.size() && call.written[param].size() == 1 && call.values[param].size() == 1 &&
         typeOf(call.values[param][0].type).kind == TypeKind::Array && isOfNumbers(call.written[param][0]);
}

bool Checker::inferStatics(Entity& entity, List<StaticParam> staticParams, List<Param> params, Range range,
                           PreparedCall& call, std::vector<std::optional<StaticValue>>& found) {
  std::vector<bool> fixed(staticParams.size());
  for (size_t i = 0; i < found.size(); ++i) fixed[i] = found[i].has_value();
  const Ast& ast = *entity.ast;
  // Functions whose parameters have types tell by their results about what is left.
  std::vector<bool> typed(params.size());
  auto typeFunctions = [&](bool all) {
    for (size_t p = 0; p < params.size(); ++p) {
      if (!call.functions[p] || typed[p] || (!all && isOpen(entity, params[p], staticParams, found))) continue;
      typed[p] = true;
      if (!typeFunction(entity, params[p], staticParams, found, call.functions[p], call.captured[p])) return false;
    }
    return true;
  };
  // Views first: their elements cannot be converted. Then what has a type, lists of numbers, and constants without a
  // type; functions as soon as what they take is known.
  enum Pass { Views, Typed, Lists, Untyped };
  auto passOf = [&](const Value& value, size_t p) {
    if (isView(value.type)) return Views;
    if (isUntyped(value.type)) return Untyped;
    return isList(call, p) ? Lists : Typed;
  };
  const bool hasFunctions = takesFunctions(params, ast);
  for (const Pass pass : {Views, Typed, Lists, Untyped}) {
    for (size_t i = 0; i < found.size() && (pass != Untyped || hasFunctions); ++i) fixed[i] = found[i].has_value();
    for (size_t p = 0; p < params.size(); ++p)
      for (const Value& value : call.values[p])
        if (passOf(value, p) == pass) unify(params[p].type, entity, value, staticParams, found, fixed, pass == Untyped);
    if (pass == Views || pass == Untyped) continue;
    for (size_t p = 0; p < params.size(); ++p)
      if (const FunctionValue* function = call.functions[p])
        unifyLambda(entity, params[p], staticParams, *function, found, fixed);
    if (!typeFunctions(false)) return false;
  }
  if (!typeFunctions(true)) return false;
  LocalScope scope;
  auto enter = [&](size_t i) {
    scope.insert_or_assign(staticParams[i].name.name, bindingOf(staticParams[i], *found[i]));
  };
  const bool waits = std::ranges::any_of(found, [](const auto& value) { return value && value->waits; });
  for (size_t i = 0; i < staticParams.size(); ++i)
    if (found[i] && found[i]->isType) enter(i);
  for (size_t i = 0; i < staticParams.size(); ++i) {
    const StaticParam& param = staticParams[i];
    const std::string name(text(param.name.name));
    if (!found[i] && param.defaultValue) {
      StaticValue value;
      value.isType = !param.isConst;
      value.type = param.isConst ? staticType(entity, param, scope)
                                 : inCallee(entity, scope, [&] { return resolveType(param.defaultValue); });
      if (isError(value.type)) return false;
      value.waits = waits && param.isConst;  // it may depend on what is known later
      if (param.isConst && !value.waits) {
        if (!enterDefault(param.name)) return false;
        auto constant = inCallee(entity, scope, [&] {
          return checkConstant(param.defaultValue, value.type, fmt::format("the default of `{}`", name));
        });
        activeDefaults_.pop_back();
        if (!constant) return false;
        value.constant = *constant;
      }
      found[i] = value;
    } else if (found[i] && param.isConst && !found[i]->waits && param.constraintOrType) {
      // A number of elements, or a constant whose type was not known: in the declared type.
      const TypeId type = staticType(entity, param, scope);
      if (isError(type)) return false;
      if (found[i]->type != type) {
        const Value value =
            convertValue(constantValue(found[i]->type, found[i]->constant, range), type, fmt::format("`{}`", name));
        if (isError(value.type) || !value.constant) return false;
        found[i]->type = type;
        found[i]->constant = *value.constant;
      }
    }
    if (!found[i]) {
      if (reportMisfit(entity, params, call)) return false;
      std::string all;  // of those that are not known
      for (size_t k = 0; k < staticParams.size(); ++k)
        if (!found[k] && !staticParams[k].defaultValue)
          all += fmt::format("{}{}: {}", all.empty() ? "" : ", ", text(staticParams[k].name.name),
                             staticParams[k].isConst ? "8" : "f32");
      report(Diag::CannotInfer, range, {name, std::string(text(entity.name))})
          .note(param.name.range, "declared here")
          .help(fmt::format("give it: {}[{}]{}", text(entity.name), all,
                            entity.kind == Entity::Kind::TypeAlias ? "" : "(...)"));
      return false;
    }
    if (!param.isConst && param.constraintOrType) {
      const auto met = inCallee(entity, scope, [&] { return meets(param.constraintOrType, found[i]->type); });
      if (!met) return false;
      if (!*met) {
        reportConstraint(param.constraintOrType, found[i]->type, param.name, text(entity.name), range, ast);
        return false;
      }
    }
    enter(i);
  }
  return true;
}

LocalScope Checker::staticScope(List<StaticParam> params, const std::vector<StaticValue>& values) {
  LocalScope scope;
  for (size_t i = 0; i < params.size() && i < values.size(); ++i)
    scope.insert_or_assign(params[i].name.name, bindingOf(params[i], values[i]));
  return scope;
}

LocalScope Checker::knownStatics(List<StaticParam> params, const std::vector<std::optional<StaticValue>>& found) {
  LocalScope scope;
  for (size_t i = 0; i < params.size() && i < found.size(); ++i)
    if (found[i]) scope.insert_or_assign(params[i].name.name, bindingOf(params[i], *found[i]));
  return scope;
}

bool Checker::enterDefault(const Ident& name) {
  // Functions that are called are instances of their own.
  auto isHere = [&](const auto& active) { return active.second == active_.size(); };
  const bool isNested = std::ranges::any_of(activeDefaults_, isHere);
  if (std::ranges::any_of(activeDefaults_, [&](const auto& one) { return isHere(one) && one.first == name.range; })) {
    report(Diag::ConstantCycle, name.range, {std::string(text(name.name))});
    return false;
  }
  // Each call makes its defaults anew: two calls in a default double their number at every level.
  constexpr size_t mostDefaults = 20'000;
  if (isNested && ++nestedDefaults_ > mostDefaults) {
    if (std::ranges::none_of(diags_.all(), [](const Diagnostic& told) { return told.kind == Diag::InstanceCount; }))
      report(Diag::InstanceCount, name.range, {std::to_string(mostDefaults)})
          .help("each call computes what is left out anew: compute it once, in a `const`");
    return false;
  }
  activeDefaults_.emplace_back(name.range, active_.size());
  return true;
}

std::optional<Value> Checker::defaultArgument(Entity& entity, const Param& param, const LocalScope& scope) {
  if (!enterDefault(param.name)) return std::nullopt;
  // It is made where the call stands, with the names of its own file alone.
  const Ast* const savedAst = std::exchange(ast_, entity.ast);
  ModuleScope* const savedHome = std::exchange(ctx_->home, entity.home);
  std::vector<LocalScope> savedScopes = std::exchange(ctx_->scopes, {scope});
  Context* const savedParent = std::exchange(ctx_->parent, nullptr);
  Value value = errorValue(param.name.range);
  if (const TypeId type = resolveType(param.type); !isError(type)) {
    value = checkExpr(param.defaultValue, type);
    if (!isError(value.type)) value = convertValue(value, type, fmt::format("`{}`", text(param.name.name)));
  }
  ctx_->parent = savedParent;
  ctx_->scopes = std::move(savedScopes);
  ctx_->home = savedHome;
  ast_ = savedAst;
  activeDefaults_.pop_back();
  if (isError(value.type)) return std::nullopt;
  return value;
}

/// The type that `written` should have for a parameter of a type, as far as that is known; else the error type. The
/// number of elements of an array value may be unknown: it is that of the list.
TypeId Checker::typeHint(Entity& entity, ExprId type, ExprId written, List<StaticParam> staticParams,
                         const std::vector<std::optional<StaticValue>>& found) {
  const Ast& ast = *entity.ast;
  for (;;) {
    if (const auto* paren = std::get_if<ParenExpr>(&expr(ast, type).node)) type = paren->inner;
    else if (const auto* strided = std::get_if<StridedExpr>(&expr(ast, type).node)) type = strided->type;
    else break;
  }
  if (!written) return {};
  while (const auto* paren = std::get_if<ParenExpr>(&expr(written).node)) written = paren->inner;
  const auto& node = expr(ast, type).node;
  if (std::holds_alternative<SpreadExpr>(node)) return {};
  const auto* list = std::get_if<ArrayLitExpr>(&expr(written).node);
  const auto* repeat = std::get_if<RepeatExpr>(&expr(written).node);
  const bool isGiven = list || repeat || isOfNumbers(written);
  if (const auto* view = std::get_if<RepeatExpr>(&node)) {
    if (!isGiven || view->dims.size() > 4) return {};
    const TypeId element = typeHint(entity, view->value, written, staticParams, found);
    const unsigned rank = sizesPack(ast, view) ? (hasRows(written) ? 2 : 1) : view->dims.size();
    return isError(element) ? element : types().view(element, rank, false);
  }
  const OpenParam open{ast, staticParams, found};
  if (!open.in(type)) {
    return inCallee(entity, knownStatics(staticParams, found), [&] { return tryType(type).value_or(TypeId{}); });
  }
  if (list ? list->items.empty() : !repeat) return {};
  // [a, b] is one array of its items, [0; 2, 3] are two of them.
  const uint32_t levels = list ? 1 : repeat->dims.size();
  for (uint32_t level = 0; level < levels; ++level) {
    const auto* sized = std::get_if<IndexExpr>(&expr(ast, type).node);
    const auto* name = sized ? std::get_if<NameExpr>(&expr(ast, sized->base).node) : nullptr;
    if (!name || text(name->name) != "array" || sized->arguments.size() != 2) return {};
    type = sized->arguments[0].value;
  }
  TypeId made = typeHint(entity, type, list ? list->items[0] : repeat->value, staticParams, found);
  for (uint32_t level = 0; level < levels && !isError(made); ++level)
    made = types().array(made, list ? list->items.size() : 1);
  return made;
}

std::optional<Checker::PreparedCall> Checker::prepareCall(Entity& entity, List<StaticParam> staticParams,
                                                          List<Param> params, List<Argument> statics,
                                                          List<Argument> arguments, Range range,
                                                          std::vector<std::optional<StaticValue>> known) {
  PreparedCall call;
  if (!matchArguments(entity, params, arguments, range, call.written)) {
    return std::nullopt;
  }
  if (takesFunctions(params, *entity.ast) && misplacesFunction(entity, params, call.written)) return std::nullopt;
  std::vector<std::optional<StaticValue>> found = std::move(known);
  found.resize(staticParams.size());
  const bool mayWait = entity.kind == Entity::Kind::Kernel && isHostCode() && ctx_->kind != Context::Kind::Reduction &&
                       !ctx_->isComputed;
  bool ok = givenStatics(entity, staticParams, statics, range, found, mayWait);
  call.values.resize(params.size());
  call.functions.resize(params.size());
  call.captured.resize(params.size());
  for (size_t p = 0; p < params.size(); ++p) {
    if (functionType(params[p].type, *entity.ast)) {
      if (!call.written[p].empty())
        call.functions[p] = functionArgument(call.written[p][0], params[p], entity, call.captured[p]);
      else if (params[p].defaultValue)  // it takes nothing along
        call.functions[p] = inCallee(
            entity, {}, [&] { return functionArgument(params[p].defaultValue, params[p], entity, call.captured[p]); });
      ok = ok && call.functions[p];
      continue;
    }
    TypeId hint;
    if (params[p].type && !call.written[p].empty())
      hint = typeHint(entity, params[p].type, call.written[p][0], staticParams, found);
    for (ExprId written : call.written[p]) {
      if (const auto* spread = std::get_if<SpreadExpr>(&expr(written).node)) {
        const auto* name = std::get_if<NameExpr>(&expr(spread->inner).node);
        auto binding = name ? findBinding(name->name) : std::nullopt;
        const bool intoVariadic = std::holds_alternative<SpreadExpr>(expr(*entity.ast, params[p].type).node);
        if (!binding || binding->kind != Binding::Kind::Pack || !intoVariadic) {
          report(Diag::SpreadNeedsPack, expr(written).range, {});
          ok = false;
          continue;
        }
        constexpr size_t mostArguments = 4096;
        if (const size_t count = call.values[p].size() + binding->pack.size(); count > mostArguments) {
          report(Diag::ArgumentCount, expr(written).range,
                 {std::string(text(entity.name)), fmt::format("at most {} arguments", mostArguments),
                  std::to_string(count)});
          ok = false;
          break;
        }
        for (LocalId local : binding->pack)
          call.values[p].push_back(
              {ctx_->body.locals[local.value].type, localRef(local, expr(written).range), {}, expr(written).range});
        continue;
      }
      Value value = checkExpr(written, hint);
      if (!isError(value.type) && typeOf(value.type).kind == TypeKind::Unit) {
        report(Diag::NoValue, value.range, {});
        value = errorValue(value.range);
      }
      if (isError(value.type)) ok = false;
      call.values[p].push_back(std::move(value));
    }
  }
  if (!ok) return std::nullopt;
  if (!inferStatics(entity, staticParams, params, range, call, found)) return std::nullopt;
  for (size_t p = 0; p < params.size(); ++p) {
    if (!isList(call, p)) continue;
    // It takes the type that the other arguments tell.
    const TypeId hint = typeHint(entity, params[p].type, call.written[p][0], staticParams, found);
    if (!isError(hint) && hint != call.values[p][0].type) call.values[p][0] = checkExpr(call.written[p][0], hint);
    if (isError(call.values[p][0].type)) return std::nullopt;
  }
  for (const auto& value : found) call.statics.push_back(*value);
  call.scope = staticScope(staticParams, call.statics);
  for (size_t p = 0; p < params.size(); ++p) {
    if (!call.values[p].empty() || !params[p].defaultValue || call.functions[p]) continue;
    namesWaiting_ = false;
    auto value = defaultArgument(entity, params[p], call.scope);
    if (!value || namesWaiting_) {
      if (namesWaiting_)
        report(Diag::NotConstant, range, {fmt::format("what `{}` is by default", text(params[p].name.name))})
            .note(params[p].name.range, "declared here")
            .help(fmt::format("give it: {}(..., {}: ...)", text(entity.name), text(params[p].name.name)));
      return std::nullopt;
    }
    value->range = range;
    call.values[p].push_back(*value);
  }
  return call;
}

}  // namespace rad::sema

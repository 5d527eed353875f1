// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls of declared functions: arguments beside parameters, compile-time parameters, instances.
#include "frontend/sema/checker.h"
#include "frontend/sema/in_callee.h"

#include <fmt/format.h>

#include <algorithm>

namespace rad::sema {

bool Checker::matchArguments(std::string_view name, List<Param> params, const Ast& calleeAst, List<Argument> arguments, Range range,
                             std::vector<std::vector<ExprId>>& written) {
  written.assign(params.size(), {});
  // A variadic parameter may be followed by named ones: it is the first whose type is a spread.
  size_t variadic = params.size();
  for (size_t i = 0; i < params.size(); ++i)
    if (params[i].type && std::holds_alternative<SpreadExpr>(expr(calleeAst, params[i].type).node)) {
      variadic = i;
      break;
    }
  size_t next = 0;
  bool ok = true, tooMany = false;
  for (const Argument& argument : arguments) {
    if (std::holds_alternative<GeneratorExpr>(expr(argument.value).node)) {
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
      auto builder = report(Diag::UnknownArgument, argument.name.range, {fmt::format("`{}`", name), std::string(text(argument.name.name))});
      if (std::string near = nearestName(text(argument.name.name), known); !near.empty()) builder.help(fmt::format("did you mean `{}`?", near));
      ok = false;
      continue;
    }
    if (!written[at].empty()) {
      report(Diag::DuplicateArgument, argument.name.range, {std::string(text(argument.name.name))}).note(expr(written[at][0]).range, "the first value");
      ok = false;
      continue;
    }
    written[at].push_back(argument.value);
    if (at == next && next < variadic) ++next;
  }
  if (tooMany) {
    report(Diag::ArgumentCount, range, {std::string(name), params.size() == 1 ? "1 argument" : fmt::format("{} arguments", params.size()), std::to_string(arguments.size())});
    return false;
  }
  std::string missing;
  for (size_t i = 0; i < params.size(); ++i) {
    if (!written[i].empty() || params[i].defaultValue || i == variadic) continue;
    missing += (missing.empty() ? "`" : ", `") + std::string(text(params[i].name.name)) + "`";
  }
  if (ok && !missing.empty()) {
    report(Diag::MissingArgument, range, {std::string(name), missing});
    ok = false;
  }
  return ok;
}

bool Checker::constraintHolds(std::string_view constraint, TypeId type, bool& known) {
  const auto scalar = scalarOf(type);
  known = true;
  if (constraint == "Number") return scalar && *scalar != Scalar::Bool;
  if (constraint == "Integer") return scalar && isInteger(*scalar);
  if (constraint == "Float") return scalar && isFloat(*scalar);
  if (constraint == "Signed") return scalar && (isSignedInteger(*scalar) || isFloat(*scalar));
  if (constraint == "Unsigned") return scalar && isUnsignedInteger(*scalar);
  if (constraint == "Any" || constraint == "Scalar") return scalar.has_value();
  known = false;
  return false;
}

bool Checker::givenStatics(Entity& entity, List<StaticParam> staticParams, List<Argument> given, Range range, std::vector<std::optional<StaticValue>>& found) {
  const std::string name(text(entity.name));
  size_t next = 0;
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
        auto builder = report(Diag::UnknownArgument, argument.name.range, {fmt::format("`{}[]`", name), std::string(text(argument.name.name))});
        if (std::string near = nearestName(text(argument.name.name), known); !near.empty()) builder.help(fmt::format("did you mean `{}`?", near));
        return false;
      }
    } else {
      ++next;
    }
    if (at >= staticParams.size()) {
      if (staticParams.empty()) report(Diag::NoStatics, range, {name});
      else report(Diag::StaticCount, range, {name, std::to_string(staticParams.size()), std::to_string(given.size())});
      return false;
    }
    if (found[at]) {
      report(Diag::DuplicateArgument, expr(argument.value).range, {std::string(text(staticParams[at].name.name))});
      return false;
    }
    StaticValue value;
    if (staticParams[at].isConst) {
      TypeId type = types().index();
      if (staticParams[at].constraintOrType)
        type = inCallee(entity, {}, [&] { return resolveType(staticParams[at].constraintOrType); });
      if (isError(type)) return false;
      auto constant = checkConstant(argument.value, type, fmt::format("the compile-time argument `{}`", text(staticParams[at].name.name)));
      if (!constant) return false;
      value.type = type;
      value.constant = *constant;
    } else {
      value.isType = true;
      value.type = resolveType(argument.value);
      if (isError(value.type)) return false;
    }
    found[at] = value;
  }
  return true;
}

void Checker::unify(ExprId paramType, const Ast& ast, const Value& value, List<StaticParam> staticParams, std::vector<std::optional<StaticValue>>& found,
                    const std::vector<bool>& fixed, bool untypedToo) {
  if (!paramType || isError(value.type)) return;
  const Expr& node = expr(ast, paramType);
  if (const auto* spread = std::get_if<SpreadExpr>(&node.node)) return unify(spread->inner, ast, value, staticParams, found, fixed, untypedToo);
  if (const auto* paren = std::get_if<ParenExpr>(&node.node)) return unify(paren->inner, ast, value, staticParams, found, fixed, untypedToo);
  if (const auto* view = std::get_if<RepeatExpr>(&node.node)) {
    if (!isView(value.type)) return;
    Value element{typeOf(value.type).element, {}, {}, value.range};
    return unify(view->value, ast, element, staticParams, found, fixed, untypedToo);
  }
  const auto* name = std::get_if<NameExpr>(&node.node);
  if (!name) return;
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
    if (a && b)
      if (auto common = commonScalar(*a, *b)) found[i]->type = types().scalar(*common);
    return;
  }
}

bool Checker::inferStatics(Entity& entity, List<StaticParam> staticParams, List<Param> params, Range range, const PreparedCall& call,
                           std::vector<std::optional<StaticValue>>& found) {
  std::vector<bool> fixed(staticParams.size());
  for (size_t i = 0; i < found.size(); ++i) fixed[i] = found[i].has_value();
  const Ast& ast = *entity.ast;
  // Views first: their elements cannot be converted. Then scalars, then constants without a type.
  for (int pass = 0; pass < 3; ++pass) {
    if (pass == 1)
      for (size_t i = 0; i < found.size(); ++i) fixed[i] = found[i].has_value();
    if (pass == 2)
      for (size_t i = 0; i < found.size(); ++i) fixed[i] = found[i].has_value();
    for (size_t p = 0; p < params.size(); ++p)
      for (const Value& value : call.values[p]) {
        if (pass == 0 ? !isView(value.type) : pass == 1 ? isView(value.type) || isUntyped(value.type) : !isUntyped(value.type)) continue;
        unify(params[p].type, ast, value, staticParams, found, fixed, pass == 2);
      }
  }
  LocalScope scope;
  for (size_t i = 0; i < staticParams.size(); ++i) {
    const StaticParam& param = staticParams[i];
    const std::string name(text(param.name.name));
    if (!found[i] && param.defaultValue) {
      StaticValue value;
      value.isType = !param.isConst;
      const bool ok = inCallee(entity, scope, [&] {
        if (!param.isConst) {
          value.type = resolveType(param.defaultValue);
          return !isError(value.type);
        }
        value.type = param.constraintOrType ? resolveType(param.constraintOrType) : types().index();
        if (isError(value.type)) return false;
        auto constant = checkConstant(param.defaultValue, value.type, fmt::format("the default of `{}`", name));
        if (constant) value.constant = *constant;
        return constant.has_value();
      });
      if (!ok) return false;
      found[i] = value;
    }
    if (!found[i]) {
      report(Diag::CannotInfer, range, {name, std::string(text(entity.name))}).note(param.name.range, "declared here")
          .help(param.isConst ? fmt::format("give it: {}[{}: ...](...)", text(entity.name), name) : fmt::format("give it: {}[{}](...)", text(entity.name), param.isConst ? "8" : "f32"));
      return false;
    }
    if (!param.isConst && param.constraintOrType) {
      const Expr& constraint = expr(ast, param.constraintOrType);
      const auto* constraintName = std::get_if<NameExpr>(&constraint.node);
      bool known = false;
      const std::string_view spelled = constraintName ? text(constraintName->name) : std::string_view();
      const bool holds = constraintHolds(spelled, found[i]->type, known);
      if (!known) {
        report(Diag::UnknownConstraint, constraint.range, {shorten(constraint.range)}).help("the constraints are Number, Integer, Float, Signed, Unsigned and Scalar");
        return false;
      }
      if (!holds) {
        report(Diag::ConstraintNotMet, range, {spellType(found[i]->type), std::string(spelled), name, std::string(text(entity.name))}).note(param.name.range, "declared here");
        return false;
      }
    }
    Binding binding{.kind = found[i]->isType ? Binding::Kind::Type : Binding::Kind::Constant, .local = {}, .type = found[i]->type, .constant = found[i]->constant, .pack = {}, .range = param.name.range};
    scope.insert_or_assign(param.name.name, binding);
  }
  return true;
}

LocalScope Checker::staticScope(List<StaticParam> params, const std::vector<StaticValue>& values) {
  LocalScope scope;
  for (size_t i = 0; i < params.size() && i < values.size(); ++i)
    scope.insert_or_assign(params[i].name.name, Binding{.kind = values[i].isType ? Binding::Kind::Type : Binding::Kind::Constant, .local = {}, .type = values[i].type,
                                                        .constant = values[i].constant, .pack = {}, .range = params[i].name.range});
  return scope;
}

std::optional<Value> Checker::defaultArgument(Entity& entity, const Param& param, const LocalScope& scope) {
  std::optional<Value> result = inCallee(entity, scope, [&]() -> std::optional<Value> {
    const TypeId type = resolveType(param.type);
    if (isError(type)) return std::nullopt;
    Value value = checkExpr(param.defaultValue, type);
    if (isError(value.type)) return std::nullopt;
    if (!value.constant) {
      notYet(value.range, "a default that is not a constant");
      return std::nullopt;
    }
    value = convertValue(value, type, fmt::format("`{}`", text(param.name.name)));
    if (isError(value.type)) return std::nullopt;
    return value;
  });
  return result;
}

std::optional<Checker::PreparedCall> Checker::prepareCall(Entity& entity, List<StaticParam> staticParams, List<Param> params, List<Argument> statics, List<Argument> arguments,
                                                          Range range) {
  PreparedCall call;
  if (!matchArguments(text(entity.name), params, *entity.ast, arguments, range, call.written)) {
    return std::nullopt;
  }
  std::vector<std::optional<StaticValue>> found(staticParams.size());
  bool ok = givenStatics(entity, staticParams, statics, range, found);
  LocalScope given;
  for (size_t i = 0; i < found.size(); ++i)
    if (found[i]) {
      given.insert_or_assign(staticParams[i].name.name, Binding{.kind = found[i]->isType ? Binding::Kind::Type : Binding::Kind::Constant, .local = {}, .type = found[i]->type,
                                                                .constant = found[i]->constant, .pack = {}, .range = {}});
    }
  call.values.resize(params.size());
  for (size_t p = 0; p < params.size(); ++p) {
    TypeId hint;
    if (params[p].type && !call.written[p].empty()) {
      const bool simple = std::holds_alternative<NameExpr>(expr(*entity.ast, params[p].type).node);
      if (simple) {
        const Symbol typeName = std::get<NameExpr>(expr(*entity.ast, params[p].type).node).name;
        bool open = false;
        for (size_t i = 0; i < staticParams.size(); ++i) open = open || (staticParams[i].name.name == typeName && !found[i]);
        if (!open) hint = inCallee(entity, given, [&] { return tryType(params[p].type).value_or(TypeId{}); });
      }
    }
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
        for (LocalId local : binding->pack) call.values[p].push_back({ctx_->body.locals[local.value].type, localRef(local, expr(written).range), {}, expr(written).range});
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
  for (const auto& value : found) call.statics.push_back(*value);
  call.scope = staticScope(staticParams, call.statics);
  for (size_t p = 0; p < params.size(); ++p) {
    if (!call.values[p].empty() || !params[p].defaultValue) continue;
    auto value = defaultArgument(entity, params[p], call.scope);
    if (!value) return std::nullopt;
    value->range = range;
    call.values[p].push_back(*value);
  }
  return call;
}

std::string Checker::instanceName(std::string_view name, const std::vector<StaticValue>& values) {
  std::string result(name);
  for (size_t i = 0; i < values.size(); ++i) result += (i ? ", " : "[") + (values[i].isType ? spellType(values[i].type) : spell(values[i].constant));
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
  if (first.range.valid() && first.range.begin.offset >= call.begin.offset && first.range.end.offset <= call.end.offset) return;
  Diagnostics::Builder(diags_, firstNew).note(call, fmt::format("for this use of {}", name));
}

Value Checker::callFunction(Entity& entity, const FnDecl& decl, List<Argument> statics, const CallExpr& node, Range range, TypeId) {
  const std::string name(text(entity.name));
  if (decl.hasSelf) {
    notYet(range, "a method");
    return errorValue(range);
  }
  auto call = prepareCall(entity, decl.staticParams, decl.params, statics, node.arguments, range);
  if (!call) return errorValue(range);
  if (entity.isExtern && isHostCode()) {
    report(Diag::ExternOnHost, range, {name}).note(entity.range, "declared here").help("call it from a kernel");
    return errorValue(range);
  }
  std::vector<size_t> packs;
  for (size_t p = 0; p < decl.params.size(); ++p)
    if (std::holds_alternative<SpreadExpr>(expr(*entity.ast, decl.params[p].type).node)) packs.push_back(call->values[p].size());
  const size_t firstNew = diags_.all().size();
  FunctionInstance* instance = instantiate(entity, decl, call->statics, packs, range);
  if (!instance) return errorValue(range);
  if (!decl.staticParams.empty() || entity.ast != ast_) noteCall(firstNew, instance->name, range);
  const Function& function = program_.functions[instance->id.value];
  const TypeId result = function.result;
  const std::vector<LocalId> params = function.params;
  std::vector<TypeId> paramTypes;
  if (instance->state == FunctionInstance::State::Failed) return errorValue(range);
  for (size_t i = 0; i < params.size(); ++i) paramTypes.push_back(busyParams_.contains(instance->id.value) ? busyParams_[instance->id.value][i] : function.body.locals[params[i].value].type);
  std::vector<TExprId> arguments;
  bool ok = true;
  size_t at = 0;
  for (size_t p = 0; p < decl.params.size(); ++p)
    for (size_t v = 0; v < call->values[p].size(); ++v, ++at) {
      const TypeId type = paramTypes[at];
      if (decl.params[p].isMut && !isView(type)) {
        TypeId placeType;
        const TExprId place = v < call->written[p].size() ? checkPlace(call->written[p][v], placeType, true, false) : TExprId{};
        if (!place) {
          ok = false;
          continue;
        }
        if (placeType != type || std::holds_alternative<ViewSlice>(program_.expr(place).node)) {
          report(Diag::TypeMismatch, call->values[p][v].range, {spellType(type), fmt::format(" for the `mut` parameter `{}`", text(decl.params[p].name.name)), spellType(placeType)});
          ok = false;
          continue;
        }
        arguments.push_back(place);
        continue;
      }
      const Value converted = convertValue(call->values[p][v], type, fmt::format("`{}` of `{}`", text(decl.params[p].name.name), name));
      if (isError(converted.type)) {
        ok = false;
        continue;
      }
      Value copy = converted;
      arguments.push_back(materialize(copy));
    }
  if (!ok) return errorValue(range);
  if (instance->state == FunctionInstance::State::Busy && !instance->resultKnown) {
    report(Diag::ResultNeeded, range, {name}).note(entity.range, "declared here").help("write the result: `-> f32`");
    return errorValue(range);
  }
  if (instance->hasEffects) ctx_->hasEffects = true;
  return code(result, range, CallFunction{instance->id, std::move(arguments)});
}

FunctionInstance* Checker::instantiate(Entity& entity, const FnDecl& decl, const std::vector<StaticValue>& statics, const std::vector<size_t>& packs, Range call) {
  const Side side = entity.isExtern ? Side::Device : ctx_->side;
  std::string key = fmt::format("{}:{}", static_cast<const void*>(&entity), side == Side::Host ? "host" : "device");
  for (const StaticValue& value : statics) key += fmt::format(":{}={}", value.type.value, value.isType ? "" : spell(value.constant));
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
      report(Diag::DeviceRecursion, call, {cycle + instance.name}).help("write it as a loop: kernels have no call stack to speak of");
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
  instance.name = instanceName(text(entity.name), statics);
  instance.id = {static_cast<uint32_t>(program_.functions.size())};
  instance.callRange = call;
  program_.functions.push_back({});
  program_.functions.back().name = uniqueName(instance.name);
  program_.functions.back().side = side;
  active_.push_back(key);
  const size_t errors = diags_.errorCount();
  checkFunctionBody(entity, decl, instance, statics, packs);
  active_.pop_back();
  busyParams_.erase(instance.id.value);
  instance.state = diags_.errorCount() == errors ? FunctionInstance::State::Done : FunctionInstance::State::Failed;
  return &instance;
}

void Checker::bindFunctionDims(const FnDecl& decl, const std::vector<LocalId>& locals) {
  size_t at = 0;
  for (const Param& param : decl.params) {
    const auto* view = std::get_if<RepeatExpr>(&expr(param.type).node);
    if (std::holds_alternative<SpreadExpr>(expr(param.type).node)) {
      const auto binding = findBinding(param.name.name);
      at += binding && binding->kind == Binding::Kind::Pack ? binding->pack.size() : 0;
      continue;
    }
    const LocalId local = locals[at++];
    if (!view || !isView(ctx_->body.locals[local.value].type)) continue;
    for (unsigned d = 0; d < view->dims.size(); ++d) {
      const auto* name = std::get_if<NameExpr>(&expr(view->dims[d]).node);
      if (!name || text(name->name) == "_" || findBinding(name->name)) continue;
      const std::string_view spelled = text(name->name);
      if (spelled[0] >= 'A' && spelled[0] <= 'Z') continue;
      const Range range = expr(view->dims[d]).range;
      const LocalId dim = addLocal(std::string(spelled), types().index(), LocalKind::Dimension, range);
      emit(range, Declare{dim, program_.addExpr(types().index(), range, ViewExtent{localRef(local, range), d})});
      bind({name->name, range}, {.kind = Binding::Kind::Local, .local = dim, .type = types().index(), .constant = {}, .pack = {}, .range = range});
    }
  }
  if (!isHostCode()) return;
  // On the host, sizes that the signature repeats or fixes are compared.
  at = 0;
  for (const Param& param : decl.params) {
    const auto* view = std::get_if<RepeatExpr>(&expr(param.type).node);
    if (std::holds_alternative<SpreadExpr>(expr(param.type).node)) {
      const auto binding = findBinding(param.name.name);
      at += binding && binding->kind == Binding::Kind::Pack ? binding->pack.size() : 0;
      continue;
    }
    const LocalId local = locals[at++];
    if (!view || !isView(ctx_->body.locals[local.value].type)) continue;
    const unsigned rank = static_cast<unsigned>(view->dims.size());
    if (rank != typeOf(ctx_->body.locals[local.value].type).rank) continue;
    std::vector<TExprId> expected(rank);
    std::vector<SiteId> sites(rank);
    bool any = false;
    for (unsigned d = 0; d < rank; ++d) {
      const Expr& dim = expr(view->dims[d]);
      if (const auto* name = std::get_if<NameExpr>(&dim.node)) {
        if (text(name->name) == "_") continue;
        if (auto binding = findBinding(name->name); binding && binding->range == dim.range) continue;  // this is where it was bound
      }
      expected[d] = checkSubscript(view->dims[d], "a size");
      if (!expected[d]) continue;
      sites[d] = addSite(SiteKind::ShapeBind, dim.range, {}, d, rank);
      any = true;
    }
    if (any) emit(param.name.range, BindView{localRef(local, param.name.range), std::vector<LocalId>(rank), std::move(expected), std::move(sites)});
  }
}

void Checker::checkFunctionBody(Entity& entity, const FnDecl& decl, FunctionInstance& instance, const std::vector<StaticValue>& statics, const std::vector<size_t>& packs) {
  Context context{.kind = Context::Kind::Function, .side = program_.functions[instance.id.value].side, .home = entity.home, .body = {}, .scopes = {},
                  .name = std::string(text(entity.name)), .result = types().unit(), .function = instance.id, .captures = {}, .captured = {}, .unassigned = {}, .threadLocals = {}};
  Context* const savedContext = std::exchange(ctx_, &context);
  const Ast* const savedAst = std::exchange(ast_, entity.ast);
  const unsigned savedDepth = std::exchange(depth_, depth_ / 2);
  std::vector<TStmtId> statements;
  context.out = &statements;
  context.scopes.push_back(staticScope(decl.staticParams, statics));
  pushScope();
  std::vector<LocalId> locals;
  std::vector<TypeId> paramTypes;
  size_t pack = 0;
  for (const Param& param : decl.params) {
    if (const auto* spread = std::get_if<SpreadExpr>(&expr(param.type).node)) {
      const TypeId type = resolveType(spread->inner);
      Binding binding{.kind = Binding::Kind::Pack, .local = {}, .type = type, .constant = {}, .pack = {}, .range = param.name.range};
      for (size_t i = 0; pack < packs.size() && i < packs[pack]; ++i) {
        const LocalId local = addLocal(fmt::format("{}.{}", text(param.name.name), i), type, LocalKind::Param, param.name.range);
        binding.pack.push_back(local);
        locals.push_back(local);
        paramTypes.push_back(type);
      }
      ++pack;
      bind(param.name, binding);
      continue;
    }
    TypeId type = resolveType(param.type);
    if (isView(type)) type = types().view(typeOf(type).element, typeOf(type).rank, param.isMut);
    const LocalId local = addLocal(std::string(text(param.name.name)), type, param.isMut ? LocalKind::MutParam : LocalKind::Param, param.name.range);
    locals.push_back(local);
    paramTypes.push_back(type);
    bind(param.name, {.kind = Binding::Kind::Local, .local = local, .type = type, .constant = {}, .pack = {}, .range = param.name.range});
  }
  if (decl.result) {
    context.result = resolveType(decl.result);
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
        if (!isError(paramTypes[i])) notYet(decl.params[i].name.range, "an extern function with a parameter that is no scalar");
      }
    if (!isError(context.result) && typeOf(context.result).kind != TypeKind::Unit && !scalarOf(context.result)) notYet(decl.name.range, "an extern function with this result");
    context.hasEffects = true;
  } else {
    bindFunctionDims(decl, locals);
    const size_t errors = diags_.errorCount();
    if (decl.bodyIsExpr) {
      ctx_->canHoist = true;
      checkTail(decl.body);
    } else if (typeOf(context.result).kind == TypeKind::Unit || isError(context.result)) {
      BlockResult block = checkBlock(decl.body, false);
      statements.insert(statements.end(), block.statements.begin(), block.statements.end());
    } else {
      bool ended = false;
      pushScope();
      if (const auto* body = std::get_if<BlockExpr>(&expr(decl.body).node)) ended = checkTailStatements(body->statements);
      popScope();
      if (!ended && diags_.errorCount() == errors) report(Diag::MissingReturn, decl.name.range, {context.name, spellType(context.result)}).help("the last expression of the body is the result");
    }
  }
  if (context.inferResult) instance.resultKnown = context.resultSeen;
  if (context.inferResult && !context.resultSeen) context.result = types().unit();
  if (isView(context.result)) context.result = types().view(typeOf(context.result).element, typeOf(context.result).rank, !context.returnedReadOnly);
  instance.hasEffects = context.hasEffects;
  Function& function = program_.functions[instance.id.value];
  function.result = context.result;
  context.body.statements = std::move(statements);
  function.body = std::move(context.body);
  if (!entity.isExtern) proveChecks(program_, function.body, function.side);
  ctx_ = savedContext;
  ast_ = savedAst;
  depth_ = savedDepth;
}

}  // namespace rad::sema

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions that are handed over as arguments: lambdas and names. A lambda becomes a function that has what it takes
// along as further parameters; who gets it gets those values, too, and calls it like any other.
#include "frontend/sema/function_values.h"
#include "frontend/ast/children.h"
#include "frontend/sema/checker.h"
#include "frontend/sema/in_callee.h"

#include <fmt/format.h>

#include <algorithm>

#include <functional>
#include <set>
#include <type_traits>
#include <utility>

namespace rad::sema {

const StaticParam* OpenParam::in(ExprId type) const {
  const Expr& node = ast.expr(type);
  if (const auto* name = std::get_if<NameExpr>(&node.node))
    for (size_t i = 0; i < params.size(); ++i)
      if (params[i].name.name == name->name && !found[i]) return &params[i];
  const StaticParam* first = nullptr;
  std::visit(
      [&](const auto& parts) {
        forEachChild(parts, [&](auto child) {
          if constexpr (std::is_same_v<decltype(child), ExprId>)
            if (!first) first = in(child);
        });
      },
      node.node);
  return first;
}

const FnTypeExpr* functionType(ExprId type, const Ast& ast) {
  while (type) {
    const auto& node = ast.expr(type).node;
    if (const auto* paren = std::get_if<ParenExpr>(&node)) {
      type = paren->inner;
      continue;
    }
    if (const auto* name = std::get_if<NameExpr>(&node))
      for (DeclId id : ast.functionTypes())
        if (const auto& alias = std::get<TypeAliasDecl>(ast.decl(id).node);
            alias.name.name == name->name && alias.staticParams.empty())
          return &std::get<FnTypeExpr>(ast.expr(alias.type).node);
    return std::get_if<FnTypeExpr>(&node);
  }
  return nullptr;
}

const NameExpr* sizesPack(const Ast& ast, const RepeatExpr* view) {
  const auto* spread =
      view && view->dims.size() == 1 ? std::get_if<SpreadExpr>(&ast.expr(view->dims[0]).node) : nullptr;
  return spread ? std::get_if<NameExpr>(&ast.expr(spread->inner).node) : nullptr;
}

const NameExpr* sizesPack(const Ast& ast, ExprId type) {
  for (;;) {
    const auto& node = ast.expr(type).node;
    if (const auto* paren = std::get_if<ParenExpr>(&node)) type = paren->inner;
    else if (const auto* strided = std::get_if<StridedExpr>(&node)) type = strided->type;
    else return sizesPack(ast, std::get_if<RepeatExpr>(&node));
  }
}

bool takesAnyShape(List<Param> params, const Ast& ast) {
  return std::any_of(params.begin(), params.end(),
                     [&](const Param& param) { return param.type && sizesPack(ast, param.type); });
}

bool takesFunctions(List<Param> params, const Ast& ast) {
  for (const Param& param : params)
    if (functionType(param.type, ast)) return true;
  return false;
}

std::string Checker::spellFunction(const std::vector<TypeId>& params, TypeId result) const {
  std::string out = "fn(";
  for (size_t i = 0; i < params.size(); ++i) out += (i ? ", " : "") + spellType(params[i]);
  out += ")";
  if (!isError(result) && typeOf(result).kind != TypeKind::Unit) out += " -> " + spellType(result);
  return out;
}

FunctionValue* Checker::functionArgument(ExprId written, const Param& param, Entity& callee,
                                         std::vector<TExprId>& captured) {
  while (std::holds_alternative<ParenExpr>(expr(written).node)) written = std::get<ParenExpr>(expr(written).node).inner;
  const Expr& node = expr(written);
  auto made = [&](FunctionValue value) {
    value.name = shorten(node.range);
    value.range = node.range;
    functionValues_.push_back(std::move(value));
    return &functionValues_.back();
  };
  auto wrong = [&](std::string found, std::string help) -> FunctionValue* {
    auto builder = report(Diag::NotAFunction, node.range,
                          {std::string(text(param.name.name)), std::string(text(callee.name)),
                           shorten(expr(*callee.ast, param.type).range), std::move(found)});
    if (!help.empty()) builder.help(std::move(help));
    return nullptr;
  };
  auto ofEntity = [&](Entity& entity) -> FunctionValue* {
    if (entity.kind == Entity::Kind::Fn) return made({.entity = &entity});
    if (entity.kind == Entity::Kind::Lambda) return useLambda(entity, node.range);
    if (entity.kind == Entity::Kind::Unsupported || (entity.kind == Entity::Kind::Global && isError(entity.type)))
      return nullptr;
    if (entity.kind == Entity::Kind::Kernel)
      return wrong(fmt::format("the kernel `{}`", text(entity.name)),
                   "a kernel is launched from host code only; declare it as `fn`");
    if (entity.kind == Entity::Kind::Global) return wrong(spellType(entity.type), "write a lambda: |v| ...");
    return wrong(fmt::format("`{}`", shorten(node.range)), {});
  };
  if (std::holds_alternative<ErrorExpr>(node.node)) return nullptr;
  if (const auto* lambda = std::get_if<LambdaExpr>(&node.node))
    return made({.lambda = lambda, .ast = ast_, .definedIn = ctx_});
  if (const auto* name = std::get_if<NameExpr>(&node.node)) {
    Context* owner = nullptr;
    if (auto binding = findBinding(name->name, &owner)) {
      if (binding->kind == Binding::Kind::Function) {
        if (binding->function->isNamed) return useLambda(*binding->function, node.range);
        captured = capturedOf(*binding, *owner, node.range);
        return binding->function;
      }
      if (isError(binding->type)) return nullptr;
      if (binding->kind == Binding::Kind::Type && scalarOf(binding->type))
        return made({.conversion = scalarOf(binding->type)});
      return wrong(binding->kind == Binding::Kind::Pack ? "any number of values" : spellType(binding->type), {});
    }
    if (Entity* entity = findEntity(name->name, ctx_->home)) return ofEntity(*entity);
    if (auto math = findMath(text(name->name))) return made({.math = math});
    if (auto scalar = findScalar(text(name->name))) return made({.conversion = scalar});
    if (findReducer(text(name->name)) || findHostBuiltin(text(name->name)))
      return wrong(fmt::format("`{}`, which is part of the language", text(name->name)),
                   "write a lambda that calls it: |v| ...");
    reportUnknownName(text(name->name), node.range);
    return nullptr;
  }
  if (const auto* member = std::get_if<MemberExpr>(&node.node))
    if (const auto* base = std::get_if<NameExpr>(&expr(member->base).node); base && !findBinding(base->name))
      if (ModuleScope* scope = visibleModule(base->name)) {
        if (scope->name == "math" && !scope->isFile)
          if (auto math = findMath(text(member->member.name))) return made({.math = math});
        Entity* entity = moduleMember(*scope, member->member);
        return entity ? ofEntity(*entity) : nullptr;
      }
  if (const auto* index = std::get_if<IndexExpr>(&node.node))
    if (const auto* base = std::get_if<NameExpr>(&expr(index->base).node); base && !findBinding(base->name))
      if (Entity* entity = findEntity(base->name, ctx_->home); entity && entity->kind == Entity::Kind::Fn)
        return wrong(
            fmt::format("`{}`", shorten(node.range)),
            "leave out the brackets: what stands in them follows from the types; or write a lambda that calls it");
  Value value = checkExpr(written);
  if (isError(value.type)) return nullptr;
  const auto* call = std::get_if<CallExpr>(&node.node);
  return wrong(
      isUntyped(value.type) ? fmt::format("the number {}", shorten(node.range)) : spellType(value.type),
      call ? fmt::format("a function is handed over without being called: {}", shorten(expr(call->callee).range))
           : std::string());
}

std::vector<TExprId> Checker::capturedOf(const Binding& binding, Context& owner, Range range) {
  std::vector<TExprId> values;
  for (size_t i = 0; i < binding.pack.size(); ++i) {
    const LocalId local = binding.pack[i];
    Context* const current = std::exchange(ctx_, &owner);
    Value value{owner.body.locals[local.value].type, localRef(local, range), {}, range};
    ctx_ = current;
    if (&owner != ctx_)
      value = capture(fmt::format("l:{}:{}", static_cast<const void*>(&owner), local.value), owner, value,
                      owner.body.locals[local.value].name, range);
    values.push_back(value.expr);
  }
  return values;
}

void Checker::unifyLambda(Entity& callee, const Param& param, List<StaticParam> staticParams,
                          const FunctionValue& function, std::vector<std::optional<StaticValue>>& found,
                          const std::vector<bool>& fixed) {
  const FnTypeExpr& type = *functionType(param.type, *callee.ast);
  if (!function.lambda || function.ast != ast_) return;
  for (size_t i = 0; i < type.params.size() && i < function.lambda->params.size(); ++i)
    if (const ExprId written = function.lambda->params[i].type) {
      const Value shown{resolveType(written), {}, {}, expr(written).range};
      unify(type.params[i], callee, shown, staticParams, found, fixed, false);
    }
}

bool Checker::isOpen(Entity& callee, const Param& param, List<StaticParam> staticParams,
                     const std::vector<std::optional<StaticValue>>& found) {
  for (ExprId type : functionType(param.type, *callee.ast)->params)
    if (OpenParam{*callee.ast, staticParams, found}.in(type)) return true;
  return false;
}

bool Checker::typeFunction(Entity& callee, const Param& param, List<StaticParam> staticParams,
                           std::vector<std::optional<StaticValue>>& found, FunctionValue*& function,
                           std::vector<TExprId>& captured) {
  const FnTypeExpr& type = *functionType(param.type, *callee.ast);
  const std::string name(text(param.name.name)), calleeName(text(callee.name));
  const LocalScope scope = knownStatics(staticParams, found);
  // A compile-time parameter that nothing has fixed so far stands in the way, unless it is the result alone.
  auto open = [&](ExprId written) { return OpenParam{*callee.ast, staticParams, found}.in(written); };
  std::vector<TypeId> params;
  for (size_t i = 0; i < type.params.size(); ++i) {
    if (const StaticParam* missing = open(type.params[i])) {
      auto builder = report(Diag::CannotInfer, function->range, {std::string(text(missing->name.name)), calleeName});
      builder.note(missing->name.range, "declared here");
      if (function->lambda && i < function->lambda->params.size())
        builder.help(
            fmt::format("give the parameter a type: |{}: f32| ...", text(function->lambda->params[i].name.name)));
      return false;
    }
    const TypeId resolved = inCallee(callee, scope, [&] { return resolveType(type.params[i]); });
    if (isError(resolved)) return false;
    params.push_back(resolved);
  }
  TypeId result = types().unit();
  const bool inferred = type.result && open(type.result);
  if (inferred) result = types().error();
  else if (type.result) {
    result = inCallee(callee, scope, [&] { return resolveType(type.result); });
    if (isError(result)) return false;
  }
  const bool isTyped = function->host || function->device;
  if (isTyped && (function->params != params || (!inferred && function->result != result))) {
    report(Diag::NotAFunction, function->range,
           {name, calleeName, spellFunction(params, result), spellFunction(function->params, function->result)})
        .help("write a lambda that calls it, and converts");
    return false;
  }
  if (!isTyped) {
    if (function->lambda && function->lambda->params.size() != params.size()) {
      auto count = [](size_t n) { return n == 1 ? std::string("1 argument") : fmt::format("{} arguments", n); };
      std::string names;
      for (size_t i = 0; i < params.size(); ++i)
        names += fmt::format("{}{}", i ? ", " : "", static_cast<char>('a' + i % 26));
      report(Diag::LambdaParameters, function->range,
             {name, calleeName, count(params.size()), std::to_string(function->lambda->params.size())})
          .note(param.name.range, "declared here")
          .help(fmt::format("write |{}| ...", names));
      return false;
    }
    // A name is one function, wherever it is handed over with these types.
    if (!function->lambda) {
      std::string key = fmt::format("{}:{}:{}:{}", static_cast<const void*>(function->entity),
                                    function->math ? static_cast<int>(*function->math) : -1,
                                    function->conversion ? static_cast<int>(*function->conversion) : -1, result.value);
      for (TypeId each : params) key += fmt::format(":{}", each.value);
      auto [it, isNew] = namedFunctions_.try_emplace(key, function);
      function = it->second;
      if (isNew || !(function->host || function->device)) function->params = params, function->result = result;
    } else {
      function->params = params, function->result = result;
    }
  }
  // Here it takes its values along; what it is handed on to gets them from here.
  const bool isNew = !function->host && !function->device;
  const Side side = callee.kind == Entity::Kind::Kernel ? Side::Device : ctx_->side;
  if (!instanceOf(*function, side, isNew ? &captured : nullptr)) return false;
  if (inferred) {
    std::vector<bool> fixed;
    for (const auto& value : found) fixed.push_back(value.has_value());
    if (typeOf(function->result).kind == TypeKind::Unit) {
      report(Diag::NoValue, function->range, {}).note(param.name.range, fmt::format("`{}` has to give a value", name));
      return false;
    }
    unify(type.result, callee, {function->result, {}, {}, function->range}, staticParams, found, fixed, true);
  }
  return true;
}

FunctionValue::Instance* Checker::instanceOf(FunctionValue& function, Side side, std::vector<TExprId>* captured) {
  std::optional<FunctionValue::Instance>& slot = side == Side::Host ? function.host : function.device;
  const std::string key =
      fmt::format("value {}:{}", static_cast<const void*>(&function), side == Side::Host ? "host" : "device");
  if (slot) {
    const FunctionInstance& known = functions_[key];
    return known.state == FunctionInstance::State::Failed ? nullptr : &*slot;
  }
  if (active_.size() >= 100) {
    report(Diag::InstanceDepth, function.range, {function.name});
    return nullptr;
  }
  if (tooManyInstances(function.range, "each use of a lambda makes it anew: declare it as a `fn`")) return nullptr;
  FunctionInstance& instance = functions_[key];
  instance.name = function.lambda ? "lambda" : function.name;
  instance.id = {static_cast<uint32_t>(program_.functions.size())};
  instance.callRange = function.range;
  slot = FunctionValue::Instance{instance.id, {}};
  program_.functions.push_back({});
  program_.functions.back().name = uniqueName(instance.name);
  program_.functions.back().side = side;
  active_.push_back(key);
  activeFunctions_.push_back(&function);
  const size_t errors = diags_.errorCount();
  Context context{.kind = Context::Kind::Function,
                  .side = side,
                  .parent = function.definedIn,
                  .home = function.home        ? function.home
                          : function.definedIn ? function.definedIn->home
                                               : ctx_->home,
                  .name = function.name,
                  .result = function.result,
                  .function = instance.id,
                  .namesFrom = function.namesFrom,
                  .namesDepth = function.namesDepth};
  checkLambdaBody(function, instance, context);
  activeFunctions_.pop_back();
  active_.pop_back();
  busyParams_.erase(instance.id.value);
  instance.state = diags_.errorCount() == errors ? FunctionInstance::State::Done : FunctionInstance::State::Failed;
  if (instance.state == FunctionInstance::State::Failed) return nullptr;
  slot->captured = context.capturedParams;
  if (captured) {
    function.captured = context.capturedParams;
    *captured = std::move(context.captures);
  }
  return &*slot;
}

void Checker::checkLambdaBody(FunctionValue& function, FunctionInstance& instance, Context& context) {
  const Ast* const calledAst = ast_;
  Context* const savedContext = std::exchange(ctx_, &context);
  const unsigned savedDepth = std::exchange(depth_, depth_ / 2);
  if (function.ast) ast_ = function.ast;
  std::vector<TStmtId> statements;
  context.out = &statements;
  pushScope();
  std::vector<LocalId> locals;
  bool ok = true;
  for (size_t i = 0; i < function.params.size(); ++i) {
    TypeId type = function.params[i];
    if (isView(type)) type = types().withAccess(type, false);
    const Ident name = function.lambda ? function.lambda->params[i].name : Ident{{}, function.range};
    const LocalId local =
        addLocal(function.lambda ? std::string(text(name.name)) : fmt::format("{}", static_cast<char>('a' + i % 26)),
                 type, LocalKind::Param, name.range);
    locals.push_back(local);
    if (!function.lambda) continue;
    bind(name, {.kind = Binding::Kind::Local, .local = local, .type = type, .range = name.range});
    if (const ExprId written = function.lambda->params[i].type) {
      const TypeId declared = resolveType(written);
      if (!isError(declared) && declared != type) {
        report(Diag::TypeMismatch, expr(written).range,
               {spellType(type), fmt::format(" for the parameter `{}` of the lambda", text(name.name)),
                spellType(declared)});
        ok = false;
      }
    }
  }
  const bool isInferred = isError(context.result);
  context.inferResult = isInferred;
  {
    Function& made = program_.functions[instance.id.value];
    made.params = locals;
    made.result = context.result;
    made.range = function.range;
  }
  instance.resultKnown = !isInferred;
  if (ok && function.lambda) {
    context.canHoist = true;
    const ExprId body = function.lambda->body;
    context.statementValue = expr(body).range;
    if (!isInferred && typeOf(context.result).kind == TypeKind::Unit) {
      BlockResult block = checkBlock(body, false);
      statements.insert(statements.end(), block.statements.begin(), block.statements.end());
    } else {
      checkTail(body);
    }
  } else if (ok) {
    const Range range = function.range;
    context.statementValue = range;
    std::vector<Value> values;
    for (LocalId local : locals)
      values.push_back({context.body.locals[local.value].type, localRef(local, range), {}, range});
    Value value = errorValue(range);
    auto countIs = [&](size_t count) {
      if (count == values.size()) return true;
      report(Diag::ArgumentCount, range,
             {function.name, count == 1 ? "1 argument" : fmt::format("{} arguments", count),
              std::to_string(values.size())})
          .help("write a lambda that calls it");
      return false;
    };
    if (function.entity) {
      value = callWithValues(*function.entity, std::move(values), range);
    } else if (function.math) {
      if (countIs(infoOf(*function.math).arity))
        value = callMathWith(*function.math, std::move(values), range, context.result);
    } else if (countIs(1)) {
      value = conversionCall(*function.conversion, values[0], range);
    }
    if (!isError(value.type)) returnValue(std::move(value), range);
  }
  if (isInferred && !context.resultSeen) context.result = types().unit();
  if (isView(context.result)) context.result = types().withAccess(context.result, !context.returnedReadOnly);
  instance.resultKnown = true;
  instance.hasEffects = context.hasEffects;
  function.result = context.result;
  Function& made = program_.functions[instance.id.value];
  made.result = context.result;
  made.params = locals;
  for (const Captured& each : context.capturedParams) made.params.push_back(context.captured.at(each.key).local);
  context.body.statements = std::move(statements);
  made.body = std::move(context.body);
  if (context.blockUse) {  // it becomes part of its callers
    instance.blockUse = std::move(context.blockUse);
    instance.blockNames = std::move(context.blockNames);
    instance.inlined = std::exchange(
        made, Function{.name = made.name, .side = made.side, .result = types().unit(), .range = made.range});
  }
  ctx_ = savedContext;
  ast_ = calledAst;
  depth_ = savedDepth;
}

Value Checker::callWithValues(Entity& entity, std::vector<Value> values, Range range) {
  const auto& decl = std::get<FnDecl>(entity.ast->decl(entity.decl).node);
  const std::string name(text(entity.name));
  auto wrong = [&](std::string why) {
    report(Diag::NotHandedOver, range, {name, std::move(why)})
        .note(entity.range, "declared here")
        .help("write a lambda that calls it: |v| ...");
    return errorValue(range);
  };
  if (isVariadic(decl.params, *entity.ast)) return wrong("takes any number of arguments");
  if (takesAnyShape(decl.params, *entity.ast)) return wrong("takes arrays of any number of dimensions");
  if (takesFunctions(decl.params, *entity.ast)) return wrong("takes a function itself");
  for (const Param& param : decl.params)
    if (param.isMut) return wrong("changes its arguments");
  if (decl.params.size() != values.size()) {
    report(Diag::ArgumentCount, range,
           {name, decl.params.size() == 1 ? "1 argument" : fmt::format("{} arguments", decl.params.size()),
            std::to_string(values.size())})
        .note(entity.range, "declared here")
        .help("write a lambda that calls it");
    return errorValue(range);
  }
  PreparedCall call;
  for (Value& value : values) call.values.push_back({std::move(value)});
  call.written.resize(values.size());
  call.functions.resize(values.size());
  call.captured.resize(values.size());
  std::vector<std::optional<StaticValue>> found(decl.staticParams.size());
  if (!inferStatics(entity, decl.staticParams, decl.params, range, call, found)) return errorValue(range);
  for (const auto& value : found) call.statics.push_back(*value);
  return finishCall(entity, decl, call, true, range);
}

Value Checker::callFunctionValue(const Binding& binding, Context& owner, const CallExpr& node, Range range) {
  FunctionValue& function = *binding.function;
  if (function.isNamed) return callLambda(useLambda(function, expr(node.callee).range), node, range);
  const bool mayHoist = ctx_->canHoist;
  const std::string name = shorten(expr(node.callee).range);
  if (!countIs(name, node.arguments, function.params.size(), range)) return errorValue(range);
  std::vector<TExprId> arguments;
  bool ok = true;
  for (size_t i = 0; i < node.arguments.size(); ++i) {
    const TypeId type = function.params[i];
    Value value = checkExpr(node.arguments[i].value, type);
    if (isVector(type) && (isUntyped(value.type) || scalarOf(value.type))) value = toVector(value, type);
    Value converted = convertValue(value, type, fmt::format("argument {} of `{}`", i + 1, name));
    ok = ok && !isError(value.type) && !isError(converted.type);
    arguments.push_back(ok ? materialize(converted) : TExprId{});
  }
  if (!ok) return errorValue(range);
  FunctionValue::Instance* const instance = instanceOf(function, ctx_->side);
  if (!instance) return errorValue(range);
  // What it takes along came in the order of its first instance.
  const std::vector<TExprId> captured = capturedOf(binding, owner, range);
  for (const Captured& each : instance->captured)
    for (size_t i = 0; i < function.captured.size() && i < captured.size(); ++i)
      if (function.captured[i].key == each.key) arguments.push_back(captured[i]);
  return callInstance(function, std::move(arguments), mayHoist, range);
}

Value Checker::callInstance(FunctionValue& function, std::vector<TExprId> arguments, bool mayHoist, Range range) {
  const FunctionValue::Instance& instance = ctx_->side == Side::Host ? *function.host : *function.device;
  const FunctionInstance& known = functions_[fmt::format("value {}:{}", static_cast<const void*>(&function),
                                                         ctx_->side == Side::Host ? "host" : "device")];
  if (known.blockUse) return inlineCall(known, arguments, mayHoist, range);
  if (known.hasEffects) ctx_->hasEffects = true;
  return code(program_.functions[instance.id.value].result, range, CallFunction{instance.id, std::move(arguments)});
}

bool Checker::isLambda(ExprId id) const {
  while (const auto* paren = std::get_if<ParenExpr>(&expr(id).node)) id = paren->inner;
  return std::holds_alternative<LambdaExpr>(expr(id).node);
}

void Checker::defineLambda(Ident name, ExprId written) {
  while (const auto* paren = std::get_if<ParenExpr>(&expr(written).node)) written = paren->inner;
  const auto& lambda = std::get<LambdaExpr>(expr(written).node);
  // It is called later: what it takes along must be the same then.
  std::set<Symbol> own;
  std::vector<std::pair<Symbol, Range>> used;
  std::function<void(ExprId)> inExpr;
  std::function<void(StmtId)> inStmt;
  auto visit = [&](auto child) {
    if constexpr (std::is_same_v<decltype(child), ExprId>) inExpr(child);
    if constexpr (std::is_same_v<decltype(child), StmtId>) inStmt(child);
  };
  inExpr = [&](ExprId id) {
    const Expr& node = expr(id);
    if (const auto* plain = std::get_if<NameExpr>(&node.node)) used.emplace_back(plain->name, node.range);
    if (const auto* inner = std::get_if<LambdaExpr>(&node.node))
      for (const Param& param : inner->params) own.insert(param.name.name);
    if (const auto* generator = std::get_if<GeneratorExpr>(&node.node))
      for (const RangeClause& clause : generator->clauses) own.insert(clause.name.name);
    std::visit([&](const auto& parts) { forEachChild(parts, visit); }, node.node);
  };
  inStmt = [&](StmtId id) {
    const Stmt& node = ast_->stmt(id);
    if (const auto* let = std::get_if<LetStmt>(&node.node))
      for (const Ident& each : let->names) own.insert(each.name);
    if (const auto* loop = std::get_if<ForStmt>(&node.node)) own.insert(loop->range.name.name);
    std::visit([&](const auto& parts) { forEachChild(parts, visit); }, node.node);
  };
  inExpr(written);
  for (const auto& [symbol, range] : used) {
    if (own.contains(symbol)) continue;
    Context* owner = nullptr;
    auto binding = findBinding(symbol, &owner);
    Entity* entity = binding ? nullptr : findEntity(symbol, ctx_->home);
    const bool changes = binding ? binding->kind == Binding::Kind::Local &&
                                       owner->body.locals[binding->local.value].kind == LocalKind::Var
                                 : entity && entity->kind == Entity::Kind::Global && entity->isVar;
    if (!changes) continue;
    const std::string spelled(text(symbol));
    report(Diag::LambdaOfVariable, range, {spelled, std::string(text(name.name))})
        .note(binding ? binding->range : entity->range, "declared with `var` here")
        .help(fmt::format(
            "keep the value that is meant: `let {0}_now = {0}`; or write the lambda where it is handed over", spelled));
    break;
  }
  const Range range = expr(written).range;
  if (!isGlobalScope()) {
    functionValues_.push_back({.lambda = &lambda,
                               .ast = ast_,
                               .definedIn = ctx_,
                               .namesDepth = ctx_->scopes.size(),
                               .home = ctx_->home,
                               .isNamed = true,
                               .name = shorten(range),
                               .range = range,
                               .params = {},
                               .result = {},
                               .captured = {},
                               .host = {},
                               .device = {}});
    return bind(name, {.kind = Binding::Kind::Function, .range = name.range, .function = &functionValues_.back()});
  }
  if (Entity* entity = defineGlobal(name, false, types().error(), {}, std::nullopt, range)) {
    entity->kind = Entity::Kind::Lambda;
    entity->lambda = &lambda;
    entity->range = name.range;
  }
}

bool Checker::callsItself(const LambdaExpr* lambda, const Context* namesFrom, Range range) {
  const auto active = std::ranges::find_if(activeFunctions_, [&](const FunctionValue* function) {
    return function->lambda == lambda && function->namesFrom == namesFrom;
  });
  if (active == activeFunctions_.end()) return false;
  const Range body = expr(*(*active)->ast, lambda->body).range;
  const bool isTold = std::ranges::any_of(diags_.all(), [&](const Diagnostic& told) {
    return told.kind == Diag::LambdaCycle && told.range.begin.offset >= body.begin.offset &&
           told.range.end.offset <= body.end.offset;
  });
  if (!isTold)
    report(Diag::LambdaCycle, range, {shorten(range)})
        .help(fmt::format("`fn {}(...) -> ... {{ ... }}` of host code can call itself", shorten(range)));
  return true;
}

FunctionValue* Checker::useLambda(const FunctionValue& named, Range range) {
  if (callsItself(named.lambda, named.definedIn, range)) return nullptr;
  FunctionValue use = named;
  use.isNamed = false;
  use.namesFrom = named.definedIn;
  use.definedIn = ctx_;
  use.range = range;
  functionValues_.push_back(std::move(use));
  return &functionValues_.back();
}

FunctionValue* Checker::useLambda(Entity& entity, Range range) {
  Context* root = ctx_;
  while (root->parent) root = root->parent;
  if (!seesScript(*root)) {
    report(Diag::ScriptVariable, range, {std::string(text(entity.name))})
        .note(entity.range, "the script defines it here")
        .help("declare it as a `fn`, or hand it over to a parameter of function type");
    return nullptr;
  }
  if (callsItself(entity.lambda, root, range)) return nullptr;
  functionValues_.emplace_back();
  FunctionValue& use = functionValues_.back();
  use.lambda = entity.lambda;
  use.ast = entity.ast;
  use.definedIn = ctx_;
  use.namesFrom = root;
  use.namesDepth = 1;
  use.home = entity.home;
  use.name = text(entity.name);
  use.range = range;
  return &use;
}

Value Checker::callLambda(FunctionValue* function, const CallExpr& node, Range range) {
  if (!function) return errorValue(range);
  const bool mayHoist = ctx_->canHoist;
  const LambdaExpr& lambda = *function->lambda;
  const std::string name = shorten(expr(node.callee).range);
  if (!countIs(name, node.arguments, lambda.params.size(), range)) return errorValue(range);
  std::vector<TExprId> arguments;
  for (size_t i = 0; i < node.arguments.size(); ++i) {
    TypeId type;
    if (lambda.params[i].type) {
      const Ast* const here = std::exchange(ast_, function->ast);
      type = resolveType(lambda.params[i].type);
      ast_ = here;
      if (isError(type)) return errorValue(range);
    }
    Value value = checkExpr(node.arguments[i].value, type);
    if (!isError(type)) value = convertValue(value, type, fmt::format("argument {} of `{}`", i + 1, name));
    if (!isError(value.type) && typeOf(value.type).kind == TypeKind::Unit) {
      report(Diag::NoValue, value.range, {});
      return errorValue(range);
    }
    if (isError(value.type)) return errorValue(range);
    arguments.push_back(materialize(value));
    function->params.push_back(isView(value.type) ? types().withAccess(value.type, false) : value.type);
  }
  std::vector<TExprId> captured;
  if (!instanceOf(*function, ctx_->side, &captured)) return errorValue(range);
  arguments.insert(arguments.end(), captured.begin(), captured.end());
  return callInstance(*function, std::move(arguments), mayHoist, range);
}

}  // namespace rad::sema

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a name stands for, and what reductions take along of it.
#include "frontend/sema/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace rad::sema {

void Checker::reportUnknownName(std::string_view name, Range range, bool isAssigned) {
  if (isNameOfDomain(name, range)) return;
  // One name that is not known is one mistake in a body, however often it stands there.
  if (ctx_) {
    Context* root = ctx_;
    while (root->parent) root = root->parent;
    if (!root->reported.insert(session_.names.intern(name)).second) return;
  }
  if (auto it = scriptNames_.find(session_.names.intern(name));
      it != scriptNames_.end() && ctx_ && ctx_->home == unit_) {
    // The script defines it, but not before this place.
    const Context* root = ctx_;
    while (root->parent) root = root->parent;
    if (root->kind == Context::Kind::Script)
      report(Diag::UnknownName, range, {std::string(name)}).note(it->second, "it is defined only here");
    else
      report(Diag::ScriptVariable, range, {std::string(name)})
          .note(it->second, "the script defines it here")
          .help("pass it as an argument");
    return;
  }
  if (mayBeLost(name)) return;  // a line with a syntax error may have declared it
  auto builder = report(Diag::UnknownName, range, {std::string(name)});
  for (std::string_view module : libraryModules())
    if (module == name) {
      builder.help(fmt::format("write `import {}` at the top of the file", name));
      return;
    }
  if (const auto self = ctx_ ? findBinding(session_.names.intern("self")) : std::nullopt;
      self && types().isStruct(self->type)) {
    const std::vector<std::string>& members = types().record(self->type).members;
    const StructInstance* instance = structInstance(self->type);
    if (std::find(members.begin(), members.end(), name) != members.end() ||
        (instance && instance->entity->methods.contains(session_.names.intern(name)))) {
      builder.help(fmt::format("write self.{}", name));
      return;
    }
  }
  if (const std::string help = foreignNameHelp(name, range); !help.empty()) {
    builder.help(help);
    return;
  }
  for (std::string_view module : libraryModules())
    if (ModuleScope* scope = libraryDeclares(module, name) ? findModule(module) : nullptr)
      if (auto found = scope->names.find(session_.names.intern(name));
          found != scope->names.end() && !found->second->isPrivate) {
        builder.help(fmt::format("write `import {0}.{{{1}}}` at the top of the file, or `import {0}` and {0}.{1}",
                                 module, name));
        return;
      }
  if (std::string near = nearestName(name, visibleNames()); !near.empty())
    builder.help(fmt::format("did you mean `{}`?", near));
  else if (isAssigned)
    builder.help(
        fmt::format("a new variable is declared: `var {0} = ...`, or `let {0} = ...` if it does not change", name));
}

LocalId Checker::addKernelParam(const std::string& name, TypeId type, Range range, bool isMut) {
  Kernel& kernel = *ctx_->kernel;
  if (!isView(type) && !scalarOf(type)) {
    std::vector<Part> parts;
    partsOf(type, name, parts);
    std::vector<TExprId> refs;
    for (const Part& part : parts) {
      const LocalId local = addLocal(part.name, part.type, LocalKind::Param, range);
      kernel.params.push_back({.local = local, .name = part.name, .type = part.type, .range = range});
      refs.push_back(localRef(local, range));
    }
    std::span<const TExprId> rest(refs);
    const LocalId whole = addLocal(name, type, LocalKind::Let, range);
    ctx_->prologue.push_back(program_.addStmt(range, Declare{whole, ofParts(type, rest, range)}));
    return whole;
  }
  const LocalId local = addLocal(name, type, isMut ? LocalKind::MutParam : LocalKind::Param, range);
  KernelParam param{.local = local, .name = name, .type = type, .isMut = isMut, .range = range};
  if (isView(type))
    for (unsigned d = 0; d < typeOf(type).rank; ++d) {
      const std::string size = fmt::format("{}.shape[{}]", name, d);
      kernel.dims.push_back({addLocal(size, types().index(), LocalKind::Dimension, range), size});
      param.shape.push_back({ShapeOp::Dimension, static_cast<int64_t>(kernel.dims.size() - 1), {}});
    }
  kernel.params.push_back(std::move(param));
  return local;
}

Value Checker::capture(const std::string& key, Context& owner, Value outer, std::string name, Range range) {
  // Each reduction, `forall` and lambda between the owner and here hands the value on as a parameter.
  std::vector<Context*> path;
  for (Context* context = ctx_; context != &owner; context = context->parent) path.push_back(context);
  Value value = std::move(outer);
  Context* const current = ctx_;
  for (auto it = path.rbegin(); it != path.rend(); ++it) {
    ctx_ = *it;
    auto [found, isNew] = ctx_->captured.try_emplace(key);
    if (isNew) {
      TypeId type = value.type;
      const bool isMut = isView(type) && typeOf(type).writable && ctx_->written.contains(key);
      if (isView(type)) type = types().withAccess(type, isMut);
      LocalId local;
      if (!ctx_->kernel) {  // a lambda
        local = addLocal(name, type, LocalKind::Param, range);
        ctx_->capturedParams.push_back({key, name, type});
        ctx_->captures.push_back(value.expr);
      } else {
        local = addKernelParam(name, type, range, isMut);
        Context* const inner = std::exchange(ctx_, ctx_->parent);
        if (isView(type) || scalarOf(type)) inner->captures.push_back(value.expr);
        else readParts(value.expr, range, inner->captures);
        ctx_ = inner;
      }
      found->second = {.kind = Binding::Kind::Local, .local = local, .type = type, .range = range};
    }
    const LocalId local = found->second.local;
    value = {found->second.type, localRef(local, range), {}, range};
  }
  ctx_ = current;
  return value;
}

Value Checker::valueOf(const Binding& binding, Range range, bool isUse) {
  switch (binding.kind) {
    case Binding::Kind::Constant: return constantCode(binding.type, *binding.constant, range);
    case Binding::Kind::Type: report(Diag::TypeAsValue, range, {shorten(range)}); return errorValue(range);
    case Binding::Kind::Pack: report(Diag::PackNeedsSpread, range, {shorten(range)}); return errorValue(range);
    case Binding::Kind::Function:
      report(Diag::FunctionAsValue, range, {shorten(range), "function"})
          .help(fmt::format("call it: {}(...)", shorten(range)));
      return errorValue(range);
    case Binding::Kind::Local: break;
  }
  namesWaiting_ |= binding.waits;
  if (isError(binding.type)) return errorValue(range);
  if (isUse && ctx_->unassigned.contains(binding.local.value)) {
    if (ctx_->reportedUnassigned.insert(binding.local.value).second)
      reportUnassigned(ctx_->body.locals[binding.local.value].name, binding.type, range, binding.range);
  }
  Value value{binding.type, localRef(binding.local, range), binding.constant, range};
  return value;
}

void Checker::reportUnassigned(std::string_view name, TypeId type, Range range, Range declared) {
  auto builder = report(Diag::UseBeforeAssignment, range, {std::string(name)});
  builder.note(declared, "declared here without a value");
  if (typeOf(type).kind == TypeKind::Array)
    builder.help(
        fmt::format("an array value gets its first value as a whole: `var {} = [...; {}]`", name, typeOf(type).count));
  if (types().isStruct(type))
    builder.help(fmt::format("a struct gets its first value as a whole: `var {} = {}(...)`", name, spellType(type)));
  if (isVector(type))
    builder.help(fmt::format("a vector gets its first value as a whole: `var {} = {}(...)`", name, spellType(type)));
}

Value Checker::valueOf(Entity& entity, Range range) {
  switch (entity.kind) {
    case Entity::Kind::Fn:
    case Entity::Kind::Kernel:
      // A line with a syntax error may have declared a variable of this name.
      if (entity.ast != ast_ && mayBeLost(text(entity.name))) return errorValue(range);
      report(Diag::FunctionAsValue, range,
             {std::string(text(entity.name)), entity.kind == Entity::Kind::Fn ? "function" : "kernel"})
          .help(fmt::format("call it: {}(...)", text(entity.name)));
      return errorValue(range);
    case Entity::Kind::Struct:
      report(Diag::TypeAsValue, range, {shorten(range)})
          .help(fmt::format("a value of it is made by a call: {}(...)", shorten(range)));
      return errorValue(range);
    case Entity::Kind::Enum:
      report(Diag::TypeAsValue, range, {shorten(range)}).help(fmt::format("its values are {}.name", shorten(range)));
      return errorValue(range);
    case Entity::Kind::TypeAlias: report(Diag::TypeAsValue, range, {shorten(range)}); return errorValue(range);
    case Entity::Kind::Module:
      report(Diag::ModuleAsValue, range, {std::string(text(entity.name))});
      return errorValue(range);
    case Entity::Kind::Unsupported: return errorValue(range);
    case Entity::Kind::Lambda:
      report(Diag::FunctionAsValue, range, {std::string(text(entity.name)), "function"})
          .help(fmt::format("call it: {}(...)", text(entity.name)));
      return errorValue(range);
    case Entity::Kind::Const: {
      if (entity.state == Entity::State::Busy) {
        report(Diag::ConstantCycle, range, {std::string(text(entity.name))});
        return errorValue(range);
      }
      if (entity.state == Entity::State::New) {
        entity.state = Entity::State::Busy;
        const Value value = initialValue(entity);
        entity.state = value.constant && !isError(value.type) ? Entity::State::Done : Entity::State::Failed;
        entity.type = value.type;
        entity.constant = value.constant;
      }
      if (entity.state == Entity::State::Failed) return errorValue(range);
      return constantCode(entity.type, *entity.constant,
                          range);  // vectors, array values and tuples are made where they are used
    }
    case Entity::Kind::Global: {
      if (isError(entity.type)) return errorValue(range);
      Context* root = ctx_;
      while (root->parent) root = root->parent;
      if (!seesScript(*root)) {
        report(Diag::ScriptVariable, range, {std::string(text(entity.name))})
            .note(entity.range, "the script defines it here")
            .help(root->kind == Context::Kind::Test
                      ? "a test runs without the script: define it in the test, or as a constant: `const N = ...`"
                  : entity.constant
                      ? fmt::format("pass it as an argument, or declare it as a constant: `const {} = ...`",
                                    text(entity.name))
                      : "pass it as an argument");
        return errorValue(range);
      }
      if (entity.constant && isUntyped(entity.type)) return constantValue(entity.type, *entity.constant, range);
      if (entity.constant && typeOf(entity.type).kind == TypeKind::Scalar)
        return constantValue(entity.type, *entity.constant, range);
      if (ctx_ != root && !isHostCode() && !isView(entity.type) &&
          plainSize(entity.type).value_or(SIZE_MAX) > largestInParts) {
        report(Diag::CannotCapture, range, {std::string(text(entity.name)), spellType(entity.type)});
        return errorValue(range);
      }
      if (!root->unassigned.empty() && root->unassigned.contains(unassignedKey(entity)) &&
          root->reportedUnassigned.insert(unassignedKey(entity)).second) {
        if (entity.isLost)
          report(Diag::UseBeforeAssignment, range, {std::string(text(entity.name))})
              .note(entity.range, "declared here; its elements were lost with the device")
              .help(fmt::format("make it anew: `{} {} = ...`", entity.isVar ? "var" : "let", text(entity.name)));
        else reportUnassigned(text(entity.name), entity.type, range, entity.range);
      }
      Context* const current = ctx_;
      ctx_ = root;
      Value value = code(entity.type, range, GlobalRef{globalOf(entity)});
      ctx_ = current;
      if (ctx_ == root) return value;
      return capture(fmt::format("g:{}", static_cast<const void*>(&entity)), *root, value,
                     std::string(text(entity.name)), range);
    }
  }
  return errorValue(range);
}

/// The value of a `const`, in the scope of its declaration; of one without a type, as `wanted` has it.
Value Checker::initialValue(Entity& entity, TypeId wanted) {
  const auto& decl = std::get<ConstDecl>(entity.ast->decl(entity.decl).node);
  Context context{.kind = Context::Kind::Function, .side = Side::Host, .home = entity.home, .isComputed = true};
  std::vector<TStmtId> ignored;
  context.out = &ignored;
  context.scopes.emplace_back();
  Context* const savedContext = std::exchange(ctx_, &context);
  const Ast* const savedAst = std::exchange(ast_, entity.ast);
  const size_t errors = diags_.errorCount();
  const TypeId type = decl.type ? resolveType(decl.type) : wanted;
  Value value = checkExpr(decl.init, type);
  if (decl.type && !isError(value.type)) value = convertValue(value, type, fmt::format("`{}`", text(entity.name)));
  if (diags_.errorCount() == errors && !isError(value.type) && !value.constant) {
    if (auto computed = compute(value, 0)) value.constant = *std::move(computed);
    else reportEvaluation(computed.error(), value.range, fmt::format("the value of `{}`", text(entity.name)));
  }
  ctx_ = savedContext;
  ast_ = savedAst;
  return value;
}

bool Checker::isConstantData(TExprId id) const {
  const TExpr& e = program_.expr(id);
  auto all = [&](const std::vector<TExprId>& parts) {
    return std::all_of(parts.begin(), parts.end(), [&](TExprId part) { return isConstantData(part); });
  };
  if (const auto* made = std::get_if<MakeElements>(&e.node)) return all(made->items);
  if (const auto* made = std::get_if<MakeTuple>(&e.node)) return all(made->items);
  return std::holds_alternative<ConstInt>(e.node) || std::holds_alternative<ConstFloat>(e.node);
}

Value Checker::constantPart(TExprId id, Range range) {
  const TExpr e = program_.expr(id);
  if (const auto* number = std::get_if<ConstFloat>(&e.node))
    return constantValue(e.type, ConstValue::ofFloat(number->value), range);
  if (const auto* number = std::get_if<ConstInt>(&e.node)) {
    const Scalar scalar = *scalarOf(e.type);
    if (scalar == Scalar::Bool) return constantValue(e.type, ConstValue::ofBool(number->bits != 0), range);
    return constantValue(e.type, ConstValue::ofInt(wrapTo(scalar, static_cast<Wide>(number->bits))), range);
  }
  return {e.type, id, {}, range};
}

Value Checker::checkName(const NameExpr& node, Range range, TypeId expected) {
  if (isInBoundOfOther(node.name) && isNameOfDomain(text(node.name), range)) return errorValue(range);
  Context* owner = nullptr;
  if (auto binding = findBinding(node.name, &owner)) {
    if (owner == ctx_ || binding->kind != Binding::Kind::Local) return valueOf(*binding, range);
    // A reduction, a `forall` and a lambda take what they name along.
    Context* const current = ctx_;
    ctx_ = owner;
    Value outer = valueOf(*binding, range);
    ctx_ = current;
    if (isError(outer.type)) return outer;
    if (outer.constant && typeOf(outer.type).kind == TypeKind::Scalar)
      return constantValue(outer.type, *outer.constant, range);
    if (!isHostCode() && !isView(outer.type) && plainSize(outer.type).value_or(SIZE_MAX) > largestInParts) {
      report(Diag::CannotCapture, range, {std::string(text(node.name)), spellType(outer.type)});
      return errorValue(range);
    }
    return capture(fmt::format("l:{}:{}", static_cast<const void*>(owner), binding->local.value), *owner, outer,
                   std::string(text(node.name)), range);
  }
  const std::string_view name = text(node.name);
  if (Entity* entity = findEntity(node.name, ctx_->home)) {
    const Value value = valueOf(*entity, range);
    // A constant list of numbers takes the type that its context needs.
    auto number = [&](TypeId type) {
      while (typeOf(type).kind == TypeKind::Array || isView(type)) type = typeOf(type).element;
      return scalarOf(type);
    };
    const auto has = number(value.type), wants = number(expected);
    const bool wantsList = typeOf(expected).kind == TypeKind::Array || isView(expected);
    if (!wantsList || !has || !wants || has == wants || wants == Scalar::Bool || (isFloat(*has) && !isFloat(*wants)) ||
        !isListOfNumbers(*entity))
      return value;
    const Value typed = initialValue(*entity, expected);
    return typed.constant ? constantCode(typed.type, *typed.constant, range) : errorValue(range);
  }
  if (name == "inf")
    return constantValue(types().untypedFloat(), ConstValue::ofFloat(std::numeric_limits<double>::infinity()), range);
  if (name == "nan")
    return constantValue(types().untypedFloat(), ConstValue::ofFloat(std::numeric_limits<double>::quiet_NaN()), range);
  if (findScalar(name)) {
    report(Diag::TypeAsValue, range, {std::string(name)})
        .help(fmt::format("a type is given in brackets, zeros[{0}](n), and a value converted by {0}(x)", name));
    return errorValue(range);
  }
  if (findMath(name) || findHostBuiltin(name) || name == "print" || name == "assert" || name == "barrier" ||
      findReducer(name)) {
    report(Diag::FunctionAsValue, range, {std::string(name), "function"}).help(fmt::format("call it: {}(...)", name));
    return errorValue(range);
  }
  if (name == "args" || name == "block" || name == "thread" || name == "warp" || visibleModule(node.name)) {
    report(Diag::ModuleAsValue, range, {std::string(name)});
    return errorValue(range);
  }
  reportUnknownName(name, range);
  return errorValue(range);
}

}  // namespace rad::sema

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What has to be known while compiling: constants, facts of types (f32.max), and what is known for each target
// (target.cuda).
#include "frontend/sema/checker.h"
#include "frontend/types/float_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace rad::sema {

std::expected<ConstValue, EvaluationFailure> Checker::compute(const Value& value, size_t first) {
  if (value.constant) return *value.constant;
  if (!value.expr) return std::unexpected(EvaluationFailure{EvaluationFailure::Kind::NotConstant, value.range, {}, {}});
  const std::span<const TStmtId> all(*ctx_->out);
  // A function whose body is being checked has none yet.
  auto bodyOf = [&](FunctionId id) {
    for (const auto& [key, instance] : functions_)
      if (instance.id == id) {
        if (instance.state == FunctionInstance::State::Done) return BodyState::Checked;
        return instance.state == FunctionInstance::State::Failed ? BodyState::Broken : BodyState::Missing;
      }
    return BodyState::Missing;
  };
  return evaluate(program_, ctx_->body, all.subspan(std::min(first, all.size())), value.expr, bodyOf);
}

void Checker::reportEvaluation(const EvaluationFailure& failure, Range range, std::string_view what) {
  const bool isInside =
      failure.range.valid() && !failure.reason.empty() && failure.range.begin.offset != range.begin.offset;
  switch (failure.kind) {
    case EvaluationFailure::Kind::NotConstant: {
      auto builder = report(Diag::NotConstant, range, {std::string(what)});
      if (isInside) builder.note(failure.range, failure.reason);
      if (!failure.parameter.empty())
        builder.help(
            fmt::format("a compile-time parameter is known, and each of its values makes another specialisation: "
                        "`{}[const {}: ...]`",
                        ctx_->name.empty() ? "name" : ctx_->name, failure.parameter));
      return;
    }
    case EvaluationFailure::Kind::Failed: {
      auto builder = report(Diag::EvaluationFailed, range, {std::string(what), failure.reason});
      if (isInside) builder.note(failure.range, "here");
      return;
    }
    case EvaluationFailure::Kind::Steps:
      report(Diag::EvaluationSteps, range,
             {std::string(what), fmt::format("{} million steps", maxEvaluationSteps / 1'000'000)})
          .note(failure.range, "it was here then")
          .help(
              "does this loop or recursion end? What takes long is better computed by the script, and passed as an "
              "array");
      return;
    case EvaluationFailure::Kind::Depth:
      report(Diag::EvaluationSteps, range,
             {std::string(what), fmt::format("{} calls and expressions inside each other", maxEvaluationDepth)})
          .note(failure.range, "it was here then")
          .help("does this recursion end? Write it as a loop");
      return;
    case EvaluationFailure::Kind::Broken: return;
  }
}

std::optional<ConstValue> Checker::checkConstant(ExprId id, TypeId type, std::string_view what, TypeId* ownType) {
  const size_t first = ctx_->out->size();
  Value value = whileCompiling([&] { return checkExpr(id, type); });
  if (isError(value.type)) return std::nullopt;
  if (typeOf(value.type).kind == TypeKind::Unit) {
    report(Diag::NoValue, value.range, {});
    return std::nullopt;
  }
  if (!value.constant) {
    auto computed = compute(value, first);
    if (!computed) {
      reportEvaluation(computed.error(), value.range, what);
      return std::nullopt;
    }
    value = constantValue(value.type, *std::move(computed), value.range);
  }
  if (ownType) *ownType = value.type;
  if (isError(type)) return value.constant;
  value = convertValue(value, type, what);
  if (isError(value.type) || !value.constant) return std::nullopt;
  return value.constant;
}

Value Checker::constantCode(TypeId type, const ConstValue& value, Range range) {
  if (value.kind != ConstValue::Kind::Items) return constantValue(type, value, range);
  const Type whole = typeOf(type);
  std::vector<TExprId> items;
  for (size_t i = 0; i < value.items.size(); ++i) {
    Value item = constantCode(whole.kind == TypeKind::Tuple ? whole.items[i] : whole.element, value.items[i], range);
    items.push_back(materialize(item));
  }
  if (whole.kind == TypeKind::Tuple) return code(type, range, MakeTuple{std::move(items)});
  return code(type, range, MakeElements{std::move(items)});
}

// ---- targets ----

bool Checker::asksForTarget(ExprId id) const {
  const Expr& node = expr(id);
  if (const auto* member = std::get_if<MemberExpr>(&node.node)) {
    const auto* base = std::get_if<NameExpr>(&expr(member->base).node);
    return base && text(base->name) == "target";
  }
  if (const auto* paren = std::get_if<ParenExpr>(&node.node)) return asksForTarget(paren->inner);
  if (const auto* unary = std::get_if<UnaryExpr>(&node.node)) return asksForTarget(unary->operand);
  if (const auto* binary = std::get_if<BinaryExpr>(&node.node))
    return asksForTarget(binary->left) || asksForTarget(binary->right);
  return false;
}

TExprId Checker::checkTargetCondition(ExprId id) {
  const TExprId condition = checkCondition(id);
  if (!condition) return condition;
  auto isKnown = [&](auto&& self, TExprId part) -> bool {
    const auto& node = program_.expr(part).node;
    if (const auto* logic = std::get_if<Logic>(&node)) return self(self, logic->left) && self(self, logic->right);
    if (const auto* negated = std::get_if<LogicNot>(&node)) return self(self, negated->operand);
    if (const auto* compare = std::get_if<Compare>(&node))
      return self(self, compare->left) && self(self, compare->right);
    return std::holds_alternative<TargetFact>(node) || std::holds_alternative<ConstInt>(node);
  };
  if (isKnown(isKnown, condition)) return condition;
  report(Diag::NotConstant, expr(id).range, {"the condition of `const if`"})
      .help("beside target.cuda, target.host and comparisons of target.sm it takes constants only");
  return {};
}

Value Checker::targetMember(Ident member, Range range) {
  const std::string_view name = text(member.name);
  if (name == "cuda") return code(types().boolean(), range, TargetFact{TargetProperty::Cuda});
  if (name == "host") return code(types().boolean(), range, TargetFact{TargetProperty::Host});
  if (name == "sm") return code(types().scalar(Scalar::I32), range, TargetFact{TargetProperty::Sm});
  report(Diag::UnknownMember, member.range, {"target", std::string(name)})
      .help(
          "target.cuda and target.host are bools; target.sm is the compute capability, 90 for sm_90, and 0 on a "
          "processor");
  return errorValue(range);
}

// ---- the device ----

Value Checker::deviceMember(Ident member, Range range) {
  const std::string_view name = text(member.name);
  const auto property = findDeviceProperty(name);
  if (!property) {
    auto builder = report(Diag::UnknownMember, member.range, {"device", std::string(name)});
    const auto names = devicePropertyNames();
    const std::string near = nearestName(name, {names.begin(), names.end()});
    if (!near.empty()) builder.help(fmt::format("did you mean device.{}?", near));
    else builder.help(fmt::format("it has {}", fmt::join(devicePropertyNames(), ", ")));
    return errorValue(range);
  }
  const std::string whole = fmt::format("device.{}", name);
  if (infoOf(*property).isText)
    return hostOnly(whole, range) ? code(types().string(), range, DeviceFact{*property}) : errorValue(range);
  Context* root = ctx_;
  while (root->parent) root = root->parent;
  Context* const current = std::exchange(ctx_, root);
  Value value = errorValue(range);
  if (root->kind == Context::Kind::Kernel) {
    std::vector<KernelDim>& dims = root->kernel->dims;
    auto dim = std::ranges::find(dims, property, &KernelDim::property);
    if (dim == dims.end())
      dim = dims.insert(dim, {addLocal(whole, types().index(), LocalKind::Dimension, range), whole, property});
    value = {types().index(), localRef(dim->local, range), {}, range};
  } else if (root->side == Side::Host) {
    value = code(types().index(), range, DeviceFact{*property});
  } else {
    report(Diag::DeviceInFunction, range, {whole})
        .help(fmt::format("give the function a parameter of type index, and let the kernel pass {}", whole));
  }
  ctx_ = current;
  if (ctx_ == root || isError(value.type)) return value;
  return capture("d:" + whole, *root, value, whole, range);
}

// ---- types ----

std::optional<TypeId> Checker::typeBefore(ExprId base) {
  const Expr& node = expr(base);
  if (const auto* name = std::get_if<NameExpr>(&node.node)) {
    if (auto binding = findBinding(name->name))
      return binding->kind == Binding::Kind::Type ? std::optional(binding->type) : std::nullopt;
    const Entity* entity = findEntity(name->name, ctx_->home);
    if (entity ? entity->kind != Entity::Kind::TypeAlias : !findScalar(text(name->name))) return std::nullopt;
    const auto type = tryType(base);
    return type && !types().isEnum(*type) ? type : std::nullopt;  // Order.relaxed is a member
  }
  if (const auto* paren = std::get_if<ParenExpr>(&node.node)) return typeBefore(paren->inner);
  return std::nullopt;
}

Value Checker::typeMember(TypeId type, Ident member, Range range) {
  if (isError(type)) return errorValue(range);
  const std::string_view name = text(member.name);
  const auto scalar = scalarOf(type);
  auto refuse = [&](std::string help) {
    report(Diag::UnknownMember, member.range, {"the type " + spellType(type), std::string(name)}).help(std::move(help));
    return errorValue(range);
  };
  if (!scalar || *scalar == Scalar::Bool)
    return refuse(isVector(type)
                      ? fmt::format("ask the type of its elements: {}.{}", spellType(typeOf(type).element), name)
                      : "sizeof(T) is the number of bytes of a type; numbers have T.min, T.max and T.bits");
  if (name == "bits") return constantValue(types().untypedInt(), ConstValue::ofInt(bitsOf(*scalar)), range);
  if (isInteger(*scalar)) {
    if (name == "max") return constantValue(type, ConstValue::ofInt(largestOf(*scalar)), range);
    if (name == "min") return constantValue(type, ConstValue::ofInt(smallestOf(*scalar)), range);
    return refuse("integers have T.min, T.max and T.bits");
  }
  // p digits of which the first stands before the point; the largest exponent e.
  struct Format {
    Scalar scalar;
    double largest;
    int smallestExponent;  // of normal numbers
  };
  const int digits = static_cast<int>(significantBits(*scalar));
  auto largest = [&](int exponent) { return std::ldexp(2.0 - std::ldexp(1.0, 1 - digits), exponent); };
  const std::array formats = {
      Format{Scalar::F16, largest(15), -14},   Format{Scalar::BF16, largest(127), -126},
      Format{Scalar::F32, largest(127), -126}, Format{Scalar::F64, std::numeric_limits<double>::max(), -1022},
      Format{Scalar::F8E4M3, 448, -6},         Format{Scalar::F8E5M2, 57344, -14}};
  const Format& format =
      *std::find_if(formats.begin(), formats.end() - 1, [&](const Format& one) { return one.scalar == *scalar; });
  auto real = [&](double value) { return constantValue(type, ConstValue::ofFloat(value), range); };
  if (name == "max") return real(format.largest);
  if (name == "min") return real(-format.largest);
  if (name == "epsilon") return real(std::ldexp(1.0, 1 - digits));
  if (name == "smallest_normal") return real(std::ldexp(1.0, format.smallestExponent));
  if (name == "nan") return real(std::numeric_limits<double>::quiet_NaN());
  if (name == "infinity") {
    if (*scalar == Scalar::F8E4M3) return refuse("f8e4m3 has no infinity; its largest number is f8e4m3.max");
    return real(std::numeric_limits<double>::infinity());
  }
  return refuse("floats have T.min, T.max, T.epsilon, T.smallest_normal, T.infinity, T.nan and T.bits");
}

Value Checker::callSizeof(List<Argument> statics, const CallExpr& node, Range range) {
  if (!statics.empty()) {
    report(Diag::NoStatics, range, {"sizeof"}).help("write sizeof(T)");
    return errorValue(range);
  }
  if (!countIs("sizeof", node.arguments, 1, range)) return errorValue(range);
  const TypeId type = resolveType(node.arguments[0].value);
  if (isError(type)) return errorValue(range);
  const auto bytes = plainSize(type);
  if (!bytes) {
    report(Diag::EvaluationFailed, range, {"the size of " + spellType(type), "it is a reference, not a value"})
        .help("x.len is the number of an array's elements, and sizeof takes the type of one of them");
    return errorValue(range);
  }
  return constantValue(types().untypedInt(), ConstValue::ofInt(static_cast<Wide>(*bytes)), range);
}

}  // namespace rad::sema

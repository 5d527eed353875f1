// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls: what is called, math, conversions.
#include "frontend/sema/checker.h"
#include "frontend/types/float_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace rad::sema {

bool isVariadic(List<Param> params, const Ast& ast) {
  // Parameters may stand behind the variadic one (random.uniform(shape: index..., seed: u64 = 0)): they are given by
  // name.
  return std::any_of(params.begin(), params.end(), [&](const Param& param) {
    return param.type && std::holds_alternative<SpreadExpr>(ast.expr(param.type).node);
  });
}

bool Checker::noNames(List<Argument> arguments, std::string_view callee) {
  for (const Argument& argument : arguments)
    if (!argument.name.name.empty()) {
      auto builder = report(Diag::UnknownArgument, argument.name.range,
                            {fmt::format("`{}`", callee), std::string(text(argument.name.name))});
      if (text(argument.name.name) == "dtype")
        builder.help(fmt::format("the type of the elements stands in brackets: {}[f32](...)", callee));
      return false;
    }
  return true;
}

bool Checker::countIs(std::string_view callee, List<Argument> arguments, size_t count, Range range) {
  if (!noNames(arguments, callee)) return false;
  if (arguments.size() == count) return true;
  report(Diag::ArgumentCount, range,
         {std::string(callee), count == 1 ? "1 argument" : fmt::format("{} arguments", count),
          std::to_string(arguments.size())});
  return false;
}

std::optional<Checker::Reducer> Checker::findReducer(std::string_view name) {
  if (name == "sum") return Reducer::Sum;
  if (name == "min") return Reducer::Min;
  if (name == "max") return Reducer::Max;
  if (name == "all") return Reducer::All;
  if (name == "any") return Reducer::Any;
  return std::nullopt;
}

/// Whether values of a type have a member that is a value itself.
bool Checker::isValueMember(TypeId type, std::string_view name) const {
  const TypeKind kind = typeOf(type).kind;
  if (name == "len")
    return kind == TypeKind::View || kind == TypeKind::Vector || kind == TypeKind::Array || kind == TypeKind::String;
  if (name == "flat" || name == "shape") return kind == TypeKind::View;
  return kind == TypeKind::Vector && !name.empty() && name.size() <= 4 &&
         std::all_of(name.begin(), name.end(), [&](char c) {
           const size_t lane = std::string_view("xyzw").find(c);
           return lane != std::string_view::npos && lane < typeOf(type).count;
         });
}

Value Checker::checkCall(const CallExpr& node, Range range, TypeId expected) {
  ExprId calleeId = node.callee;
  while (std::holds_alternative<ParenExpr>(expr(calleeId).node))
    calleeId = std::get<ParenExpr>(expr(calleeId).node).inner;
  List<Argument> statics;
  if (const auto* index = std::get_if<IndexExpr>(&expr(calleeId).node)) {
    statics = index->arguments;
    calleeId = index->base;
  }
  const Expr& callee = expr(calleeId);
  if (const auto* member = std::get_if<MemberExpr>(&callee.node)) {
    List<Argument> typeStatics;
    if (Entity* entity = typeEntity(member->base, typeStatics))
      return callOfType(*entity, typeStatics, member->member, statics, node, range, expected);
    if (const auto* base = std::get_if<NameExpr>(&expr(member->base).node)) {
      if (const auto binding = findBinding(base->name);
          binding && binding->kind == Binding::Kind::Type)  // Self.origin()
        if (const StructInstance* instance = structInstance(binding->type)) {
          TypeId wanted = binding->type;
          return callOfType(*instance->entity, {}, member->member, statics, node, range, wanted);
        }
    }
  }
  if (const auto* member = std::get_if<MemberExpr>(&callee.node)) {
    const std::string_view name = text(member->member.name);
    if (const auto* base = std::get_if<NameExpr>(&expr(member->base).node); base && !findBinding(base->name)) {
      const std::string_view module = text(base->name);
      Entity* entity = findEntity(base->name, ctx_->home);
      if (!entity && module == "block") {
        if (auto builtin = findBlockBuiltin(name)) return callBlock(*builtin, node, range);
        if (name == "ticket") {
          notYet(range, "block.ticket");
          return errorValue(range);
        }
        std::vector<std::string_view> known(blockBuiltinNames().begin(), blockBuiltinNames().end());
        auto builder = report(Diag::UnknownMember, member->member.range, {"block", std::string(name)});
        if (std::string near = nearestName(name, known); !near.empty())
          builder.help(fmt::format("did you mean block.{}?", near));
        return errorValue(range);
      }
      if (!entity && module == "atomic") return callAtomic(member->member, node, range);
      if (!entity && module == "device" && findDeviceProperty(name)) {
        report(Diag::NotCallable, callee.range, {fmt::format("device.{}", name)})
            .help(fmt::format("it is a value: write device.{} without brackets", name));
        return errorValue(range);
      }
      if (!entity && (module == "warp" || module == "cluster" || module == "thread")) {
        notYet(range, fmt::format("{}.{}", module, name));
        return errorValue(range);
      }
      if (ModuleScope* scope = visibleModule(base->name)) {
        if (scope->name == "math" && !scope->isFile)
          if (auto math = findMath(name)) return callMath(*math, node, range, expected);
        if (Entity* found = moduleMember(*scope, member->member))
          return callEntity(*found, statics, node, range, expected);
        for (const Argument& argument : node.arguments) checkExpr(argument.value);
        return errorValue(range);
      }
      if (!entity) {
        reportUnknownName(module, expr(member->base).range);
        return errorValue(range);
      }
    }
    Value base = checkExpr(member->base);
    if (isError(base.type)) return errorValue(range);
    if (structInstance(base.type))
      return callMethod(base, member->base, member->member, statics, node, range, expected);
    if (isValueMember(base.type, name)) {
      const std::string whole = shorten(callee.range);
      report(Diag::NotCallable, callee.range, {whole})
          .help(name != "shape"
                    ? fmt::format("it is a value: write {} without brackets", whole)
                    : fmt::format("its sizes are values: {}[{}]{}", whole,
                                  node.arguments.size() == 1 ? shorten(expr(node.arguments[0].value).range) : "0",
                                  typeOf(base.type).rank > 1 && node.arguments.empty() ? " and so on" : ""));
      return errorValue(range);
    }
    auto builder = report(Diag::UnknownMember, member->member.range, {spellType(base.type), std::string(name)});
    if (isValueMember(base.type, "len") &&
        (name == "size" || name == "count" || (name == "length" && !isVector(base.type))))
      builder.help(fmt::format("write {}.len", shorten(base.range)));
    else if (findMath(name) && (scalarOf(base.type) || isUntyped(base.type) || isVector(base.type)))
      builder.help(fmt::format("write {}({}{}{})", name, shorten(base.range), node.arguments.empty() ? "" : ", ",
                               node.arguments.empty() ? "" : shorten(expr(node.arguments[0].value).range)));
    else if (name == "to_string" || name == "toString")
      builder.help(fmt::format("write format(\"{{}}\", {})", shorten(base.range)));
    else if (isView(base.type) && findReducer(name))
      builder.help(fmt::format("write {}({})", name, shorten(base.range)));
    else if (isView(base.type) && name == "mean")
      builder.help(
          fmt::format("write sum({0}) / {1}({0}.len)", shorten(base.range), spellType(typeOf(base.type).element)));
    else if (isView(base.type) && (name == "copy" || name == "clone"))
      builder.help(fmt::format("write copy({})", shorten(base.range)));
    else if (Entity* function = findEntity(member->member.name, ctx_->home);
             function && function->kind == Entity::Kind::Fn) {
      std::string arguments;
      for (const Argument& argument : node.arguments) arguments += shorten(expr(argument.value).range) + ", ";
      const bool isLast =
          !node.arguments.empty() &&
          takesFunctions(std::get<FnDecl>(function->ast->decl(function->decl).node).params, *function->ast);
      builder.help(isLast ? fmt::format("`{0}` is a function: write {0}({1}{2})", name, arguments, shorten(base.range))
                          : fmt::format("`{0}` is a function: write {0}({2}{1})", name,
                                        arguments.empty() ? "" : ", " + arguments.substr(0, arguments.size() - 2),
                                        shorten(base.range)));
    } else if (isView(base.type) && (name == "iter" || name == "into_iter" || name == "begin" || name == "enumerate"))
      builder.help(fmt::format(
          "map(|v| ..., {0}) makes an array of all elements; sum(f({0}[i]) for i in 0..{0}.len) takes them together",
          shorten(base.range)));
    else if (isView(base.type) && (name == "forEach" || name == "for_each" || name == "apply"))
      builder.help(
          fmt::format("write `forall i in 0..{0}.len {{ ... {0}[i] ... }}`, or a kernel", shorten(base.range)));
    else if (isView(base.type) && name == "fill")
      builder.help(fmt::format("write {}[..] = {}", shorten(base.range),
                               node.arguments.empty() ? "value" : shorten(expr(node.arguments[0].value).range)));
    else if (isView(base.type) && (name == "to_host" || name == "copy_to_host" || name == "cpu" || name == "get" ||
                                   name == "numpy" || name == "to_device" || name == "cuda" || name == "to"))
      builder.help("arrays live on the device; reading an element, printing and write_npy fetch what they need");
    else if (isView(base.type) && (name == "append" || name == "push" || name == "push_back" || name == "insert"))
      builder.help("an array keeps its size: make one that is large enough, and count what is in it");
    else if (isView(base.type) && (name == "sort" || name == "argsort"))
      builder.help("examples/radix_sort.rad sorts an array");
    else if (isView(base.type) && (name == "flatten" || name == "reshape" || name == "ravel"))
      builder.help(fmt::format("{}.flat is the array as one dimension", shorten(base.range)));
    return errorValue(range);
  }
  const auto* nameNode = std::get_if<NameExpr>(&callee.node);
  if (!nameNode) {
    if (!std::holds_alternative<ErrorExpr>(callee.node)) {
      if (std::holds_alternative<LambdaExpr>(callee.node))
        report(Diag::LambdaPlace, callee.range, {})
            .help("give it a name: `let f = |x| ...`, or `fn f(x: f32) -> f32 = ...`");
      else report(Diag::NotCallable, callee.range, {shorten(callee.range)});
    }
    return errorValue(range);
  }
  const std::string_view name = text(nameNode->name);
  Context* owner = nullptr;
  if (auto binding = findBinding(nameNode->name, &owner)) {
    if (binding->kind == Binding::Kind::Function) return callFunctionValue(*binding, *owner, node, range);
    if (binding->kind == Binding::Kind::Type) {
      auto scalar = scalarOf(binding->type);
      if (isVector(binding->type)) return makeVector(binding->type, node.arguments, range);
      if (const StructInstance* instance = structInstance(binding->type))  // Self(...), T(...)
        return construct(*instance->entity, {}, node, range, binding->type);
      if (!scalar) {
        report(Diag::NotCallable, callee.range, {std::string(name)});
        return errorValue(range);
      }
      if (!countIs(spelling(*scalar), node.arguments, 1, range)) return errorValue(range);
      return conversionCall(*scalar, checkExpr(node.arguments[0].value, binding->type), range);
    }
    if (!isError(binding->type))
      report(Diag::NotCallable, callee.range, {std::string(name)}).note(binding->range, "defined here");
    return errorValue(range);
  }
  if (Entity* entity = findEntity(nameNode->name, ctx_->home))
    return callEntity(*entity, statics, node, range, expected);
  // A generator makes a reduction of its function.
  const bool hasGenerator =
      !node.arguments.empty() && std::holds_alternative<GeneratorExpr>(expr(node.arguments.back().value).node);
  if (auto reducer = findReducer(name)) {
    if (hasGenerator) {
      if (node.arguments.size() != 1) {
        report(Diag::ReducerArguments, range, {std::string(name)})
            .help(fmt::format("{}(x[i] for i in 0..n) takes nothing else", name));
        return errorValue(range);
      }
      return checkReduce(*reducer, node.arguments[0].value, range, expected);
    }
    if (node.arguments.size() == 1 && node.arguments[0].name.name.empty())
      return reduceView(*reducer, node.arguments[0].value, name, range);
    if (!findMath(name)) {
      report(Diag::ReducerArguments, range, {std::string(name)})
          .help(fmt::format("write {}(x[i] for i in 0..n)", name));
      return errorValue(range);
    }
  }
  if (hasGenerator) {
    report(Diag::GeneratorPlace, expr(node.arguments.back().value).range, {});
    return errorValue(range);
  }
  if (auto math = findMath(name)) {
    if (!statics.empty()) {
      report(Diag::NoStatics, callee.range, {std::string(name)});
      return errorValue(range);
    }
    return callMath(*math, node, range, expected);
  }
  if (auto scalar = findScalar(name)) {
    if (!countIs(name, node.arguments, 1, range)) return errorValue(range);
    return conversionCall(*scalar, checkExpr(node.arguments[0].value, types().scalar(*scalar)), range);
  }
  if (name == "vec") {
    const TypeId type = typeWithCount(name, statics, callee.range);
    return isError(type) ? errorValue(range) : makeVector(type, node.arguments, range);
  }
  if (auto vector = namedVector(name, callee.range))
    return isError(*vector) ? errorValue(range) : makeVector(*vector, node.arguments, range);
  if (name == "sizeof") return callSizeof(statics, node, range);
  if (name == "select") return callSelect(node, range, expected);
  if (name == "bitcast") return callBitcast(statics, node, range);
  if (auto builtin = findHostBuiltin(name)) return callHost(*builtin, statics, node, range, expected);
  if (name == "print") return callPrint(node, range);
  if (name == "bytes") return callBytes(node, range);
  if (name == "assert") return callAssert(node, range);
  if (name == "barrier") return callBarrier(node, range);
  if (name == "uniform") return callUniform(node, range);
  if (name == "array") {
    report(Diag::NotCallable, callee.range, {"array"}).help("an array value is written [a, b, c] or [0.0; 8]");
    return errorValue(range);
  }
  if (name == "fence" || name == "ptx" || name == "event" || name == "elapsed" || name == "device") {
    notYet(callee.range, fmt::format("`{}`", name));
    return errorValue(range);
  }
  reportUnknownName(name, callee.range);
  return errorValue(range);
}

Value Checker::callEntity(Entity& entity, List<Argument> statics, const CallExpr& node, Range range, TypeId expected) {
  switch (entity.kind) {
    case Entity::Kind::Fn:
      return callFunction(entity, std::get<FnDecl>(entity.ast->decl(entity.decl).node), statics, node, range, expected);
    case Entity::Kind::Kernel:
      return callKernel(entity, std::get<KernelDecl>(entity.ast->decl(entity.decl).node), statics, node, range);
    case Entity::Kind::Struct: return construct(entity, statics, node, range, expected);
    case Entity::Kind::Enum:
      report(Diag::NotCallable, expr(node.callee).range, {std::string(text(entity.name))})
          .note(entity.range, "declared here")
          .help(fmt::format("its values are {}.name, and `i32(value)` is their number", text(entity.name)));
      return errorValue(range);
    case Entity::Kind::TypeAlias: {
      auto type = tryType(node.callee);
      if (type)
        if (const StructInstance* instance = structInstance(*type))
          return construct(*instance->entity, {}, node, range, *type);
      if (type && isVector(*type)) return makeVector(*type, node.arguments, range);
      if (type && scalarOf(*type)) {
        if (!countIs(text(entity.name), node.arguments, 1, range)) return errorValue(range);
        return conversionCall(*scalarOf(*type), checkExpr(node.arguments[0].value, *type), range);
      }
      break;
    }
    case Entity::Kind::Unsupported: return errorValue(range);
    case Entity::Kind::Lambda: return callLambda(useLambda(entity, expr(node.callee).range), node, range);
    case Entity::Kind::Global:
      if (isError(entity.type)) return errorValue(range);
      break;
    case Entity::Kind::Const:
    case Entity::Kind::Module: break;
  }
  report(Diag::NotCallable, expr(node.callee).range, {std::string(text(entity.name))})
      .note(entity.range, "defined here");
  return errorValue(range);
}

Value Checker::callMath(Math op, const CallExpr& node, Range range, TypeId expected) {
  const MathInfo& info = infoOf(op);
  if (!countIs(info.name, node.arguments, info.arity, range)) {
    return errorValue(range);
  }
  const TypeId hint =
      scalarOf(expected) && isFloat(*scalarOf(expected)) && isNumber(*scalarOf(expected)) ? expected : TypeId{};
  std::vector<Value> values;
  for (const Argument& argument : node.arguments) values.push_back(checkExpr(argument.value, hint));
  return callMathWith(op, std::move(values), range, expected);
}

Value Checker::callMathWith(Math op, std::vector<Value> values, Range range, TypeId expected) {
  const MathInfo& info = infoOf(op);
  const TypeId hint =
      scalarOf(expected) && isFloat(*scalarOf(expected)) && isNumber(*scalarOf(expected)) ? expected : TypeId{};
  bool ok = true, anyTyped = false, anyVector = false;
  std::optional<Scalar> scalar;
  for (const Value& value : values) {
    if (isError(value.type)) {
      ok = false;
    } else if (isUntyped(value.type)) {
      // takes the type of the others
    } else if (isVector(value.type)) {
      anyVector = true;
    } else if (auto s = scalarOf(value.type); s && *s != Scalar::Bool) {
      anyTyped = true;
      if (!scalar) scalar = s;
      else if (auto common = commonScalar(*scalar, *s)) scalar = common;
      else if (ok) {
        auto builder = isSignMix(*scalar, *s)
                           ? report(Diag::SignMix, range,
                                    {std::string(info.name), std::string(spelling(*scalar)), spellType(value.type)})
                           : report(Diag::OperandTypes, range,
                                    {std::string(info.name), std::string(spelling(*scalar)), spellType(value.type)});
        builder.help(fmt::format("convert one side: {}({})", spelling(*scalar), shorten(value.range)));
        ok = false;
      }
    } else {
      if (typeOf(value.type).kind == TypeKind::Unit) report(Diag::NoValue, value.range, {});
      else
        report(Diag::MathOperand, value.range,
               {std::string(info.name), info.operands == MathOperands::F ? "f16, bf16, f32 or f64" : "numbers",
                spellType(value.type)});
      ok = false;
    }
  }
  if (!ok) return errorValue(range);
  if (anyVector) return vectorMath(op, std::move(values), range);
  if (!anyTyped) {
    // Constants alone: whole numbers stay constants where that is exact.
    bool allInt = true;
    for (const Value& value : values) allInt = allInt && value.constant->kind == ConstValue::Kind::Int;
    auto real = [](const ConstValue& c) {
      return c.kind == ConstValue::Kind::Float ? c.real : static_cast<double>(c.integer);
    };
    if (info.operands != MathOperands::F) {
      auto pick = [&](bool second) {
        return constantValue(allInt ? types().untypedInt() : types().untypedFloat(),
                             allInt ? *values[second].constant : ConstValue::ofFloat(real(*values[second].constant)),
                             range);
      };
      if (op == Math::Abs) {
        if (allInt)
          return constantValue(types().untypedInt(),
                               ConstValue::ofInt(values[0].constant->integer < 0 ? -values[0].constant->integer
                                                                                 : values[0].constant->integer),
                               range);
        return constantValue(types().untypedFloat(), ConstValue::ofFloat(std::fabs(real(*values[0].constant))), range);
      }
      const double a = real(*values[0].constant), b = real(*values[1].constant);
      if (op == Math::Min)
        return pick(allInt ? values[1].constant->integer < values[0].constant->integer : std::isnan(a) || b < a);
      if (op == Math::Max)
        return pick(allInt ? values[1].constant->integer > values[0].constant->integer : std::isnan(a) || b > a);
    }
    if (op == Math::Sqrt && real(*values[0].constant) >= 0) {
      const TypeId target = isError(hint) ? types().scalar(Scalar::F32) : hint;
      if (target == types().scalar(Scalar::F64) || target == types().scalar(Scalar::F32)) {
        const double root = target == types().scalar(Scalar::F32)
                                ? std::sqrt(static_cast<float>(real(*values[0].constant)))
                                : std::sqrt(real(*values[0].constant));
        return constantValue(target, ConstValue::ofFloat(root), range);
      }
    }
    scalar = isError(hint) ? Scalar::F32 : *scalarOf(hint);
  }
  if (isFloat8(*scalar)) {
    report(Diag::MathOperand, values[0].range,
           {std::string(info.name), "f16, bf16, f32 or f64", std::string(spelling(*scalar))})
        .help(fmt::format("8-bit floats only store numbers: write {}(f32({}))", info.name, shorten(values[0].range)));
    return errorValue(range);
  }
  if (info.operands == MathOperands::F && !isFloat(*scalar)) {
    report(Diag::MathOperand, values[0].range,
           {std::string(info.name), "f16, bf16, f32 or f64", std::string(spelling(*scalar))})
        .help(fmt::format("write {}(f32({}))", info.name, shorten(values[0].range)));
    return errorValue(range);
  }
  if (info.operands == MathOperands::I && !isInteger(*scalar)) {
    report(Diag::MathOperand, values[0].range, {std::string(info.name), "integers", std::string(spelling(*scalar))});
    return errorValue(range);
  }
  const TypeId type = types().scalar(*scalar);
  if (op == Math::Min || op == Math::Max) {
    bool allConstant = isInteger(*scalar);
    for (Value& value : values) {
      value = convertValue(value, type);
      if (isError(value.type)) return errorValue(range);
      allConstant = allConstant && value.constant;
    }
    if (allConstant) {
      const Wide a = values[0].constant->integer, b = values[1].constant->integer;
      return constantValue(type, ConstValue::ofInt(op == Math::Min ? std::min(a, b) : std::max(a, b)), range);
    }
  }
  std::vector<TExprId> operands;
  for (Value& value : values) {
    const Value converted = convertValue(value, type);
    if (isError(converted.type)) return errorValue(range);
    Value copy = converted;
    operands.push_back(materialize(copy));
  }
  return code(type, range, MathCall{op, std::move(operands)});
}

Value Checker::callBitcast(List<Argument> statics, const CallExpr& node, Range range) {
  if (statics.size() != 1 || !statics[0].name.name.empty()) {
    report(Diag::BitcastForm, range, {});
    return errorValue(range);
  }
  const TypeId target = resolveType(statics[0].value);
  if (!countIs("bitcast", node.arguments, 1, range)) return errorValue(range);
  Value operand = checkExpr(node.arguments[0].value);
  if (isError(target) || isError(operand.type)) return errorValue(range);
  if (isUntyped(operand.type)) materialize(operand);
  auto isFit = [&](TypeId type) {
    const auto number = numberOf(type);
    return number && *number != Scalar::Bool;
  };
  // Bits of a vector of three are in no other type.
  auto isTriple = [&](TypeId type) { return isVector(type) && typeOf(type).count == 3; };
  if (!isFit(target) || !isFit(operand.type) || plainSize(target) != plainSize(operand.type) ||
      isTriple(target) != isTriple(operand.type)) {
    report(Diag::BitcastSize, range, {spellType(operand.type), spellType(target)});
    return errorValue(range);
  }
  const TExprId value = materialize(operand);
  return code(target, range, Bitcast{value});
}

}  // namespace rad::sema

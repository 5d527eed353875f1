// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the threads of a block do together: barrier(), block.*, thread.*.
#include "frontend/sema/checker.h"
#include "frontend/types/float_format.h"

#include <fmt/format.h>

namespace rad::sema {

Value Checker::callBarrier(const CallExpr& node, Range range) {
  if (!countIs("barrier", node.arguments, 0, range)) return errorValue(range);
  if (!needsBlock("barrier()", range,
                  "kernels with `blocks ... threads ...` have barriers; the points of `forall` are independent"))
    return errorValue(range);
  if (ctx_->valueBlocks || !ctx_->canHoist) {
    report(Diag::CollectivePlace, range, {"barrier()"}).help("write it as a statement of its own");
    return errorValue(range);
  }
  emit(range, Barrier{});
  return unitValue(range);
}

Value Checker::callBlock(BlockBuiltin builtin, const CallExpr& node, Range range) {
  const std::string name = fmt::format("block.{}", spelling(builtin));
  if (!countIs(name, node.arguments, 1, range)) return errorValue(range);
  if (!needsBlock(name, range,
                  "kernels with `blocks ... threads ...` have block.*; the points of `forall` are independent"))
    return errorValue(range);
  const bool canHoist = ctx_->canHoist;
  Value value = checkExpr(node.arguments[0].value);
  if (isError(value.type)) return errorValue(range);
  if (isUntyped(value.type)) materialize(value);
  const auto scalar = scalarOf(value.type);
  if (!scalar || !isNumber(*scalar)) {
    auto builder = report(Diag::MathOperand, value.range, {name, "numbers", spellType(value.type)});
    if (scalar && isFloat8(*scalar))
      builder.help(fmt::format("8-bit floats only store numbers: write {}(f32({}))", name, shorten(value.range)));
    return errorValue(range);
  }
  if (!canHoist || ctx_->valueBlocks) {
    report(Diag::CollectivePlace, range, {name})
        .help(fmt::format("give it a statement of its own: `let total = {}`", shorten(range)));
    return errorValue(range);
  }
  Collective collective;
  collective.isMinMax = builtin != BlockBuiltin::BlockSum;
  if (builtin == BlockBuiltin::BlockMax) collective.minMax = Math::Max;
  return collect(std::move(collective), std::move(value), range);
}

Value Checker::collect(Collective collective, Value value, Range range) {
  const Scalar scalar = *scalarOf(value.type);
  if (isHalf(scalar)) value = convertValue(value, types().scalar(Scalar::F32));
  collective.result = addLocal("", value.type, LocalKind::Let, range);
  collective.value = materialize(value);
  const LocalId result = collective.result;
  emit(range, std::move(collective));
  const Value collected{value.type, localRef(result, range), {}, range};
  return isHalf(scalar) ? conversionCall(scalar, collected, range) : collected;
}

bool Checker::needsBlock(std::string what, Range range, std::string_view help) {
  if (ctx_->kind == Context::Kind::Function) {
    if (!ctx_->blockUse) ctx_->blockUse = BlockUse{std::move(what), range, {}};
    return true;
  }
  if (ctx_->kind == Context::Kind::Kernel && ctx_->isBlocks) return true;
  auto builder = report(Diag::BlockOnly, range, {std::move(what)});
  if (!help.empty()) builder.help(std::string(help));
  return false;
}

Value Checker::callUniform(const CallExpr& node, Range range) {
  if (!countIs("uniform", node.arguments, 1, range)) return errorValue(range);
  if (!needsBlock("uniform()", range,
                  "it promises that all threads of a block have the same value; here are no blocks"))
    return errorValue(range);
  const bool canHoist = ctx_->canHoist;
  Value value = checkExpr(node.arguments[0].value);
  if (isError(value.type)) return errorValue(range);
  if (isUntyped(value.type)) materialize(value);
  const auto scalar = scalarOf(value.type);
  if (!scalar || isFloat8(*scalar)) {
    report(Diag::MathOperand, value.range, {"uniform", "a number or a bool", spellType(value.type)});
    return errorValue(range);
  }
  if (!canHoist || ctx_->valueBlocks) {
    report(Diag::CollectivePlace, range, {"uniform()"})
        .help(fmt::format("give it a statement of its own: `let same = {}`", shorten(range)));
    return errorValue(range);
  }
  Collective promise;
  promise.isPromise = true;
  promise.site = addSite(SiteKind::Uniform, value.range, "{}, {}");
  program_.sites[promise.site.value].arguments = {value.type, value.type};
  if (*scalar != Scalar::Bool) {
    if (isHalf(*scalar)) program_.sites[promise.site.value].arguments.assign(2, types().scalar(Scalar::F32));
    return collect(std::move(promise), std::move(value), range);
  }
  // A bool is compared as a number.
  const TypeId number = types().scalar(Scalar::U32);
  Value ones{number,
             program_.addExpr(number, range,
                              Select{materialize(value), constInt(number, 1, range), constInt(number, 0, range)}),
             {},
             range};
  program_.sites[promise.site.value].arguments.assign(2, types().scalar(Scalar::Bool));
  Value same = collect(std::move(promise), std::move(ones), range);
  return code(types().scalar(Scalar::Bool), range,
              Compare{BinaryOp::Ne, materialize(same), constInt(number, 0, range)});
}

Value Checker::blockName(std::string name, Range range) {
  if (ctx_->kind != Context::Kind::Function) {
    const size_t dot = name.find('.');
    const Ident member{session_.names.intern(std::string_view(name).substr(dot + 1)), range};
    return name.starts_with("thread.") ? threadMember(member, range) : blockMember(member, range);
  }
  needsBlock(name, range, {});
  auto [known, isNew] = ctx_->blockNames.try_emplace(name);
  if (isNew) known->second = addLocal(name, types().index(), LocalKind::Param, range);
  return {types().index(), localRef(known->second, range), {}, range};
}

Value Checker::threadMember(Ident member, Range range) {
  const std::string_view name = text(member.name);
  if (!needsBlock(fmt::format("thread.{}", name), range, {})) return errorValue(range);
  if (name != "index") {
    auto builder = report(Diag::UnknownMember, member.range, {"thread", std::string(name)});
    builder.help("thread.index is the thread's number in its block");
    return errorValue(range);
  }
  if (ctx_->kind == Context::Kind::Function) return blockName("thread.index", range);
  const Kernel& kernel = *ctx_->kernel;
  // The number in row-major order over the thread axes.
  TExprId sum;
  for (size_t i = 0; i < kernel.threads.size(); ++i) {
    TExprId axis = localRef(kernel.threads[i], range);
    if (kernel.threadLow[i])
      axis =
          program_.addExpr(types().index(), range,
                           Arithmetic{BinaryOp::Sub, axis, constInt(types().index(), kernel.threadLow[i], range), {}});
    if (!sum) {
      sum = axis;
      continue;
    }
    sum = program_.addExpr(types().index(), range,
                           Arithmetic{BinaryOp::Mul, sum, constInt(types().index(), kernel.threadCount[i], range), {}});
    sum = program_.addExpr(types().index(), range, Arithmetic{BinaryOp::Add, sum, axis, {}});
  }
  return {types().index(), sum, {}, range};
}

Value Checker::blockMember(Ident member, Range range) {
  const std::string_view name = text(member.name);
  if (findBlockBuiltin(name)) {
    report(Diag::FunctionAsValue, range, {fmt::format("block.{}", name), "function"})
        .help(fmt::format("call it: block.{}(x)", name));
    return errorValue(range);
  }
  if (!needsBlock(fmt::format("block.{}", name), range, {})) return errorValue(range);
  if (ctx_->kind == Context::Kind::Function && (name == "size" || name == "index"))
    return blockName(fmt::format("block.{}", name), range);
  if (ctx_->kind != Context::Kind::Kernel) {
    report(Diag::UnknownMember, member.range, {"block", std::string(name)});
    return errorValue(range);
  }
  const Kernel& kernel = *ctx_->kernel;
  if (name == "size") {
    int64_t size = 1;
    for (int64_t count : kernel.threadCount) size *= count;
    return constantValue(types().index(), ConstValue::ofInt(size), range);
  }
  if (name == "index") {
    TExprId sum;
    for (const DomainAxis& axis : kernel.axes) {
      TExprId at = localRef(axis.variable, range);
      const bool fromZero = axis.low.op == ShapeOp::Constant && axis.low.value == 0;
      if (!fromZero)
        at = program_.addExpr(types().index(), range,
                              Arithmetic{BinaryOp::Sub, at, shapeCode(axis.low, kernel, range), {}});
      if (axis.hasStep())
        at = program_.addExpr(types().index(), range,
                              Arithmetic{BinaryOp::Div, at, shapeCode(axis.step, kernel, range), {}});
      if (!sum) {
        sum = at;
        continue;
      }
      TExprId extent = shapeCode(axis.high, kernel, range);
      if (!fromZero)
        extent = program_.addExpr(types().index(), range,
                                  Arithmetic{BinaryOp::Sub, extent, shapeCode(axis.low, kernel, range), {}});
      if (axis.hasStep()) {  // rounded up
        const TExprId step = shapeCode(axis.step, kernel, range);
        extent = program_.addExpr(types().index(), range, Arithmetic{BinaryOp::Add, extent, step, {}});
        extent = program_.addExpr(types().index(), range,
                                  Arithmetic{BinaryOp::Sub, extent, constInt(types().index(), 1, range), {}});
        extent = program_.addExpr(types().index(), range,
                                  Arithmetic{BinaryOp::Div, extent, shapeCode(axis.step, kernel, range), {}});
      }
      sum = program_.addExpr(types().index(), range, Arithmetic{BinaryOp::Mul, sum, extent, {}});
      sum = program_.addExpr(types().index(), range, Arithmetic{BinaryOp::Add, sum, at, {}});
    }
    return {types().index(), sum, {}, range};
  }
  static constexpr std::string_view members[] = {"index", "size", "sum", "min", "max"};
  auto builder = report(Diag::UnknownMember, member.range, {"block", std::string(name)});
  if (std::string near = nearestName(name, {std::begin(members), std::end(members)}); !near.empty())
    builder.help(fmt::format("did you mean block.{}?", near));
  return errorValue(range);
}

}  // namespace rad::sema

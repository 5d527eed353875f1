// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// atomic.*: operations on memory that several threads change.
#include "frontend/sema/checker.h"
#include "frontend/sema/children.h"

#include <fmt/format.h>

#include <algorithm>

namespace rad::sema {
namespace {

bool isAtomicType(Scalar scalar) {
  switch (scalar) {
    case Scalar::I32:
    case Scalar::U32:
    case Scalar::I64:
    case Scalar::U64:
    case Scalar::Index:
    case Scalar::F32:
    case Scalar::F64: return true;
    case Scalar::Bool:
    case Scalar::I8:
    case Scalar::I16:
    case Scalar::U8:
    case Scalar::U16:
    case Scalar::F16:
    case Scalar::BF16:
    case Scalar::F8E4M3:
    case Scalar::F8E5M2: return false;
  }
  return false;
}

}  // namespace

/// True if the place is memory of the block, as far as this function shows.
bool Checker::isShared(TExprId place) const {
  for (;;) {
    const TExpr& e = program_.expr(place);
    if (const auto* local = std::get_if<LocalRef>(&e.node))
      return ctx_->body.locals[local->local.value].kind == LocalKind::Shared;
    if (const auto* element = std::get_if<ViewElement>(&e.node)) place = element->view;
    else if (const auto* slice = std::get_if<ViewSlice>(&e.node)) place = slice->view;
    else if (const auto* flat = std::get_if<ViewFlat>(&e.node)) place = flat->view;
    else return false;
  }
}

/// The place behind `&`, or nothing after a message.
TExprId Checker::atomicPlace(std::string_view what, ExprId argument, TypeId& type) {
  while (const auto* paren = std::get_if<ParenExpr>(&expr(argument).node)) argument = paren->inner;
  const Expr& node = expr(argument);
  if (std::holds_alternative<ErrorExpr>(node.node)) return {};
  const auto* address = std::get_if<UnaryExpr>(&node.node);
  if (!address || address->op != UnaryOp::AddressOf) {
    report(Diag::AtomicPlace, node.range, {std::string(what), ""})
        .help(fmt::format("mark the place with `&`: {}(&{}, ...)", what, shorten(node.range)));
    return {};
  }
  ExprId inner = address->operand;
  while (const auto* paren = std::get_if<ParenExpr>(&expr(inner).node)) inner = paren->inner;
  const Range range = expr(inner).range;
  if (const auto* name = std::get_if<NameExpr>(&expr(inner).node)) {
    const auto binding = findBinding(name->name);
    if (binding && isError(binding->type)) return {};
    if (binding && isView(binding->type)) {
      report(Diag::AtomicPlace, range, {std::string(what), ", not on a whole array"})
          .note(binding->range, "defined here")
          .help(fmt::format("name one element: {}(&{}[i], ...)", what, text(name->name)));
      return {};
    }
    const bool isSharedScalar = binding && binding->kind == Binding::Kind::Local &&
                                ctx_->body.locals[binding->local.value].kind == LocalKind::Shared;
    if (binding && !isSharedScalar) {
      report(Diag::AtomicPlace, range,
             {std::string(what), fmt::format(", and each thread has its own `{}`", text(name->name))})
          .note(binding->range, "defined here");
      return {};
    }
  }
  const TExprId place = checkPlace(inner, type, false, false);
  if (!place) return {};
  if (isView(type)) {
    report(Diag::AtomicPlace, range, {std::string(what), ", not on a part of an array"}).help("name one element");
    return {};
  }
  if (const LocalId root = placeRoot(program_, place);
      root && ctx_->body.locals[root.value].kind != LocalKind::Shared) {
    report(Diag::AtomicPlace, range,
           {std::string(what), fmt::format(", and each thread has its own `{}`", ctx_->body.locals[root.value].name)});
    return {};
  }
  return place;
}

bool Checker::atomicOption(std::string_view what, const Argument& argument, AtomicScope& scope) {
  static constexpr std::string_view orders[] = {"relaxed", "acquire", "release", "acq_rel", "seq_cst"};
  static constexpr std::string_view scopes[] = {"device", "block", "system", "cluster"};
  const std::string_view option = text(argument.name.name);
  const bool isOrder = option == "order";
  if (!isOrder && option != "scope") {
    report(Diag::UnknownArgument, argument.name.range, {fmt::format("`{}`", what), std::string(option)})
        .help("an atomic operation takes `order:` and `scope:` by name");
    return false;
  }
  const Expr& value = expr(argument.value);
  const auto* member = std::get_if<DotNameExpr>(&value.node);
  const std::string_view chosen = member ? text(member->name.name) : "";
  const std::span<const std::string_view> known =
      isOrder ? std::span<const std::string_view>(orders) : std::span<const std::string_view>(scopes);
  if (std::find(known.begin(), known.end(), chosen) == known.end()) {
    if (std::holds_alternative<ErrorExpr>(value.node)) return false;
    auto builder = report(Diag::AtomicOption, value.range, {shorten(value.range), isOrder ? "an order" : "a scope"});
    if (std::string near = nearestName(chosen, {known.begin(), known.end()}); member && !near.empty())
      builder.help(fmt::format("did you mean .{}?", near));
    else builder.help(isOrder ? "the order is .relaxed" : "the scopes are .device and .block");
    return false;
  }
  if (isOrder ? chosen != "relaxed" : chosen != "device" && chosen != "block") {
    notYet(value.range, fmt::format("the {} .{}", option, chosen),
           isOrder ? "`order: .relaxed` works" : "`scope: .device` and `scope: .block` work");
    return false;
  }
  if (chosen == "block") scope = AtomicScope::Block;
  return true;
}

Value Checker::callAtomic(Ident operation, const CallExpr& node, Range range) {
  const std::string_view name = text(operation.name);
  const std::string what = fmt::format("atomic.{}", name);
  const auto op = findAtomic(name);
  if (!op) {
    if (name == "wait") {
      notYet(range, what);
      return errorValue(range);
    }
    auto builder = report(Diag::UnknownMember, operation.range, {"atomic", std::string(name)});
    std::vector<std::string_view> known;
    for (const AtomicInfo& row : atomicTable()) known.push_back(row.name);
    if (name == "cas") builder.help("write atomic.compare_exchange(&p, expected, value)");
    else if (std::string near = nearestName(name, known); !near.empty())
      builder.help(fmt::format("did you mean atomic.{}?", near));
    return errorValue(range);
  }
  if (ctx_->kind == Context::Kind::Reduction) {
    report(Diag::StatementPlace, range, {what});
    return errorValue(range);
  }
  if (isHostCode()) {
    report(Diag::DeviceOnly, range, {what});
    return errorValue(range);
  }
  const AtomicInfo& info = infoOf(*op);
  std::vector<ExprId> positional;
  AtomicCall call{*op, AtomicScope::Device, {}, {}};
  bool ok = true;
  for (const Argument& argument : node.arguments) {
    if (argument.name.name.empty()) positional.push_back(argument.value);
    else ok = atomicOption(what, argument, call.scope) && ok;
  }
  if (positional.size() != info.operands + 1) {
    report(Diag::ArgumentCount, range,
           {what, info.operands == 0 ? "1 argument" : fmt::format("{} arguments", info.operands + 1),
            std::to_string(positional.size())})
        .help(std::string(info.doc));
    return errorValue(range);
  }
  TypeId type;
  call.place = atomicPlace(what, positional[0], type);
  if (!call.place) return errorValue(range);
  const auto scalar = scalarOf(type);
  if (!scalar || !isAtomicType(*scalar) || (isFloat(*scalar) && !info.onFloats)) {
    report(Diag::AtomicType, range,
           {what, info.onFloats ? "i32, u32, i64, u64, index, f32 and f64" : "i32, u32, i64, u64 and index",
            spellType(type)});
    return errorValue(range);
  }
  if (isShared(call.place)) call.scope = AtomicScope::Block;  // no other block sees it
  for (unsigned i = 0; i < info.operands; ++i) {
    const TExprId operand =
        convert(checkExpr(positional[i + 1], type), type,
                fmt::format("{} of {}", i == 0 && info.operands == 2 ? "the expected value" : "the value", what));
    ok = operand && ok;
    call.operands.push_back(operand);
  }
  if (!ok) return errorValue(range);
  ctx_->hasEffects = true;
  const TypeId result = *op == Atomic::Store ? types().unit() : type;
  return code(result, range, std::move(call));
}

}  // namespace rad::sema

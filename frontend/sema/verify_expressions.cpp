// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What typed_program.h promises of expressions.
#include "frontend/sema/verify.h"

#include "frontend/sema/children.h"
#include "frontend/types/float_format.h"

#include <utility>

namespace rad::sema {

TypeId Verifier::at(TExprId id) {
  if (!require(static_cast<bool>(id) && id.value < program_.exprCount(), "an expression id is out of range"))
    return types_.error();
  if (!require(++depth_ < 20000, "expressions nest without end")) return types_.error();
  const TExpr& e = program_.expr(id);
  const Type& t = type(e.type);
  require(t.kind != TypeKind::Error && t.kind != TypeKind::UntypedInt && t.kind != TypeKind::UntypedFloat,
          fmt::format("an expression of type {}", spell(e.type)));
  std::visit([&](const auto& node) { check(node, e); }, e.node);
  --depth_;
  return e.type;
}

bool Verifier::constantInRange(const ConstInt& node, TypeId id) const {
  if (isBool(id)) return node.bits <= 1;
  if (!isWhole(id)) return false;
  const unsigned bits = bitsOf(type(id).scalar);
  return bits == 64 || node.bits < (uint64_t{1} << bits);
}

void Verifier::check(const ConstInt& node, const TExpr& e) {
  require(constantInRange(node, e.type), fmt::format("the constant {} is no {}", node.bits, spell(e.type)));
}

void Verifier::check(const ConstFloat& node, const TExpr& e) {
  if (!require(isScalar(e.type) && isFloat(type(e.type).scalar), "a float constant of another type")) return;
  require(node.value != node.value || roundTo(type(e.type).scalar, node.value).value == node.value,
          fmt::format("the constant {} is no {}", node.value, spell(e.type)));
}

void Verifier::check(const ConstString&, const TExpr& e) {
  require(e.type == types_.string() && host("a text"), "a text of another type");
}

void Verifier::check(const LocalRef& node, const TExpr& e) {
  if (!require(node.local.value < body_->locals.size(), "a local id is out of range")) return;
  require(body_->locals[node.local.value].type == e.type,
          fmt::format("the local {} is read as {}", body_->locals[node.local.value].name, spell(e.type)));
  require(declared_.contains(node.local.value), fmt::format("the local {} ({}) is used where it is not declared",
                                                            body_->locals[node.local.value].name, node.local.value));
}

void Verifier::check(const GlobalRef& node, const TExpr& e) {
  require(inScript_, "a global outside of the script");
  if (require(node.global.value < program_.globals.size(), "a global id is out of range"))
    require(program_.globals[node.global.value].type == e.type, "a global has another type");
}

void Verifier::check(const ViewElement& node, const TExpr& e) {
  const TypeId view = at(node.view);
  if (!require(isView(view), "an element of something else than a view")) return;
  require(type(view).element == e.type, "an element has another type than its view says");
  require(node.indices.size() == type(view).rank && node.checks.size() == node.indices.size() &&
              node.sites.size() == node.indices.size(),
          "an element needs an index, a check and a site a dimension");
  for (TExprId index : node.indices) wantType(index, types_.index(), "an index"), at(index);
  for (size_t i = 0; i < node.checks.size() && i < node.sites.size(); ++i)
    if (node.checks[i] == Check::Checked || node.checks[i] == Check::AtLaunch)
      wantSite(node.sites[i], "a checked index");
}

void Verifier::check(const ViewSlice& node, const TExpr& e) {
  const TypeId view = at(node.view);
  if (!require(isView(view) && isView(e.type), "a slice of something else than a view")) return;
  if (!require(node.dims.size() == type(view).rank, "a slice names each dimension")) return;
  unsigned kept = 0;
  bool gaps = type(view).strided;
  for (const SliceDim& dim : node.dims) {
    for (TExprId part : {dim.low, dim.high, dim.step})
      if (part) wantType(part, types_.index(), "a slice bound"), at(part);
    if (dim.isIndex) {
      gaps = gaps || kept;
      require(static_cast<bool>(dim.low) && !dim.high && !dim.step, "an index of a slice has one value");
    } else {
      gaps = gaps || ((dim.low || dim.high) && kept) || dim.step;
      ++kept;
    }
    if ((dim.low || dim.high) && dim.check == Check::Checked) wantSite(dim.site, "a checked slice");
  }
  require(kept == type(e.type).rank && type(e.type).element == type(view).element && (type(e.type).strided || !gaps),
          "a slice has another type than it should");
}

void Verifier::check(const ViewExtent& node, const TExpr& e) {
  const TypeId view = at(node.view);
  if (require(isView(view), "the extent of something else than a view"))
    require(node.dim < type(view).rank && e.type == types_.index(), "an extent of a dimension that is not there");
}

void Verifier::check(const ViewFlat& node, const TExpr& e) {
  const TypeId view = at(node.view);
  if (require(isView(view) && isView(e.type), "flat of something else than a view"))
    require(type(e.type).rank == 1 && type(e.type).element == type(view).element && !type(view).strided &&
                !type(e.type).strided,
            "flat has another type");
}

TypeId Verifier::elementOf(TypeId id) const {
  const bool has = type(id).kind == TypeKind::Vector || type(id).kind == TypeKind::Array;
  return has ? type(id).element : types_.error();
}

void Verifier::check(const MakeElements& node, const TExpr& e) {
  require(type(e.type).kind == TypeKind::Vector || type(e.type).kind == TypeKind::Array,
          "elements that make neither vector nor array");
  require(node.items.size() == 1 || node.items.size() == type(e.type).count, "a wrong number of elements");
  for (TExprId item : node.items) require(at(item) == elementOf(e.type), "an element of another type");
}

void Verifier::check(const ElementOf& node, const TExpr& e) {
  require(elementOf(at(node.value)) == e.type, "an element has another type than its vector or array says");
  wantType(node.index, types_.index(), "an index"), at(node.index);
  if (node.check == Check::Checked) wantSite(node.site, "a checked index");
}

void Verifier::check(const ElementSlice& node, const TExpr& e) {
  const TypeId whole = at(node.value);
  if (!require(type(whole).kind == TypeKind::Array && type(e.type).kind == TypeKind::Array,
               "a slice of no array value"))
    return;
  require(type(whole).element == type(e.type).element && node.step >= 1 && node.first < type(whole).count &&
              (type(e.type).count - 1) <= (type(whole).count - 1 - node.first) / node.step,
          "a slice that its array value has not");
}

void Verifier::check(const Swizzle& node, const TExpr& e) {
  const TypeId from = at(node.vector);
  if (!require(type(from).kind == TypeKind::Vector && type(e.type).kind == TypeKind::Vector, "a swizzle of no vector"))
    return;
  require(type(from).element == type(e.type).element && type(e.type).count == node.lanes.size(),
          "a swizzle of another type");
  for (uint8_t lane : node.lanes) require(lane < type(from).count, "a swizzle names an element that is not there");
}

void Verifier::check(const Negate& node, const TExpr& e) {
  require(at(node.operand) == e.type && isNumber(numberOf(e.type)), "negation of another type");
}

void Verifier::check(const LogicNot& node, const TExpr& e) {
  require(at(node.operand) == e.type && isBool(numberOf(e.type)), "not of another type than bool");
}

void Verifier::check(const BitNot& node, const TExpr& e) {
  require(at(node.operand) == e.type && isWhole(numberOf(e.type)), "~ of another type");
}

void Verifier::arithmetic(BinaryOp op, TypeId result, TypeId right) {
  const bool isLogic = isBool(numberOf(result)) && (op == BinaryOp::BitAnd || op == BinaryOp::BitOr);
  require((isLogic || isNumber(numberOf(result))) && right == result,
          fmt::format("`{}` of {} and {}", spelling(op), spell(result), spell(right)));
  require(op <= BinaryOp::Shr, "a comparison as arithmetic");
  require(!isBitOperation(op) || isLogic || isWhole(numberOf(result)), "a bit operation on floats");
}

void Verifier::check(const Arithmetic& node, const TExpr& e) {
  const TypeId left = at(node.left), right = at(node.right);
  require(left == e.type, "arithmetic whose left side has another type");
  arithmetic(node.op, e.type, right);
  if (node.site) wantSite(node.site, "arithmetic");
}

void Verifier::check(const Compare& node, const TExpr& e) {
  const TypeId left = at(node.left), right = at(node.right);
  require(isBool(numberOf(e.type)) && left == right && isScalar(numberOf(left)) && isScalar(e.type) == isScalar(left) &&
              type(e.type).count == type(left).count,
          fmt::format("comparison of {} and {}", spell(left), spell(right)));
  require(isComparison(node.op), "arithmetic as a comparison");
  if (isBool(numberOf(left))) require(node.op == BinaryOp::Eq || node.op == BinaryOp::Ne, "an order of bools");
}

void Verifier::check(const Logic& node, const TExpr& e) {
  const TypeId left = at(node.left), right = at(node.right);
  require(isBool(left) && isBool(right) && isBool(e.type), "logic of another type than bool");
}

void Verifier::check(const Convert& node, const TExpr& e) {
  const TypeId from = at(node.operand);
  require(isScalar(numberOf(from)) && isScalar(numberOf(e.type)), "a conversion of something else than numbers");
  require(isScalar(from) == isScalar(e.type) && type(from).count == type(e.type).count,
          "a conversion between different counts");
}

void Verifier::check(const Bitcast& node, const TExpr& e) {
  const TypeId from = at(node.operand);
  auto bits = [&](TypeId id) {
    const uint64_t count = isScalar(id) ? 1 : type(id).count;
    return isScalar(numberOf(id)) ? count * bitsOf(type(numberOf(id)).scalar) : 0;
  };
  require(bits(from) && bits(from) == bits(e.type), "a bitcast of different sizes");
}

void Verifier::check(const Select& node, const TExpr& e) {
  const TypeId condition = at(node.condition);
  require(isBool(numberOf(condition)) && at(node.whenTrue) == e.type && at(node.whenFalse) == e.type &&
              (isScalar(condition) || type(condition).count == type(e.type).count),
          "a select of different types");
}

void Verifier::check(const MathCall& node, const TExpr& e) {
  const MathInfo& info = infoOf(node.op);
  require(node.operands.size() == info.arity && isNumber(numberOf(e.type)),
          fmt::format("{} with {} operands", info.name, node.operands.size()));
  for (TExprId operand : node.operands)
    require(at(operand) == e.type, fmt::format("an operand of {} has another type", info.name));
  if (isScalar(e.type))
    require(info.operands == MathOperands::N || isFloat(type(e.type).scalar) == (info.operands == MathOperands::F),
            fmt::format("{} of {}", info.name, spell(e.type)));
}

void Verifier::check(const AtomicCall& node, const TExpr& e) {
  require(side_ == Side::Device, "an atomic operation in host code");
  const TypeId target = at(node.place);
  TExprId whole = node.place;
  while (const TExprId next = sema::wholeOfPart(program_, whole)) whole = next;
  const TExpr* where = &program_.expr(whole);
  const auto* local = std::get_if<LocalRef>(&where->node);
  require(std::holds_alternative<ViewElement>(where->node) ||
              (local && body_->locals[local->local.value].kind == LocalKind::Shared),
          "an atomic operation on a place of one thread");
  place(node.place, false);
  const bool isFit = isScalar(target) && (bitsOf(type(target).scalar) == 32 || bitsOf(type(target).scalar) == 64);
  require(isFit && (infoOf(node.op).onFloats || !isFloat(type(target).scalar)),
          fmt::format("atomic.{} of {}", infoOf(node.op).name, spell(target)));
  require(e.type == (node.op == Atomic::Store ? types_.unit() : target), "an atomic operation of another type");
  require(node.operands.size() == infoOf(node.op).operands, "an atomic operation with other operands");
  for (TExprId operand : node.operands)
    require(at(operand) == target, "an operand of an atomic operation has another type");
}

void Verifier::check(const CallFunction& node, const TExpr& e) {
  if (!require(node.function.value < program_.functions.size(), "a function id is out of range")) return;
  const Function& callee = program_.functions[node.function.value];
  require(callee.side == side_, fmt::format("a call of {} on the other side", callee.name));
  require(suits(callee.result, e.type), fmt::format("the call of {} has another type than its result", callee.name));
  if (!require(node.arguments.size() == callee.params.size(),
               fmt::format("a call of {} with {} arguments", callee.name, node.arguments.size())))
    return;
  for (size_t i = 0; i < node.arguments.size(); ++i) {
    const Local& param = callee.body.locals[callee.params[i].value];
    at(node.arguments[i]);
    wantType(node.arguments[i], param.type, fmt::format("argument {} of {}", i, callee.name));
    if (param.kind == LocalKind::MutParam && !isView(param.type)) place(node.arguments[i], false);
  }
}

void Verifier::check(const BlockValue& node, const TExpr& e) {
  const size_t before = declared_.mark();
  const bool hadBarriers = std::exchange(mayBarrier_, false);
  sequence(node.statements);  // the value may use what they declare
  mayBarrier_ = hadBarriers;
  if (node.value) require(suits(at(node.value), e.type), "a block's value has another type");
  else require(e.type == types_.unit(), "a block without its value");
  declared_.leave(before);
}

void Verifier::check(const IfValue& node, const TExpr& e) {
  require(isBool(at(node.condition)), "a condition that is no bool");
  require(suits(at(node.whenTrue), e.type), "a branch has another type");
  require(suits(at(node.whenFalse), e.type), "a branch has another type");
}

void Verifier::check(const MakeTuple& node, const TExpr& e) {
  const Type& t = type(e.type);
  if (!require(t.kind == TypeKind::Tuple && t.items.size() == node.items.size(), "a tuple of another size")) return;
  for (size_t i = 0; i < node.items.size(); ++i)
    require(suits(at(node.items[i]), t.items[i]), "an item of a tuple has another type");
}

void Verifier::check(const TupleItem& node, const TExpr& e) {
  const TypeId tuple = at(node.tuple);
  require(type(tuple).kind == TypeKind::Tuple && node.position < type(tuple).items.size() &&
              type(tuple).items[node.position] == e.type,
          "an item that its tuple has not");
}

void Verifier::check(const NewArray& node, const TExpr& e) {
  host("a new array");
  if (require(isView(e.type) && type(e.type).rank == node.extents.size(), "a new array with another rank"))
    for (TExprId extent : node.extents) wantType(extent, types_.index(), "an extent"), at(extent);
  wantSite(node.site, "a new array");
}

void Verifier::check(const ReadFile& node, const TExpr& e) {
  host("reading a file");
  wantType(node.path, types_.string(), "a path"), at(node.path);
  const bool isScalar = type(e.type).kind == TypeKind::Scalar && node.format == FileFormat::Npy;
  if (require(isView(e.type) ? type(e.type).rank == node.extents.size() : isScalar && node.extents.empty(),
              "reading a file as another rank"))
    for (TExprId extent : node.extents)
      if (extent) wantType(extent, types_.index(), "an expected size"), at(extent);
  wantSite(node.site, "reading a file");
}

void Verifier::check(const ReadText& node, const TExpr& e) {
  host("read_text");
  wantType(node.path, types_.string(), "a path"), at(node.path);
  require(e.type == types_.string(), "read_text gives a text");
  wantSite(node.site, "read_text");
}

void Verifier::check(const FormatText& node, const TExpr& e) {
  host("format");
  for (TExprId argument : node.arguments) at(argument);
  require(e.type == types_.string(), "format gives a text");
  wantSite(node.site, "format");
}

void Verifier::check(const TextLength& node, const TExpr& e) {
  host("the length of a text");
  wantType(node.text, types_.string(), "the text"), at(node.text);
  require(e.type == types_.index(), "the length of a text is an index");
}

void Verifier::check(const TextEqual& node, const TExpr& e) {
  host("comparing texts");
  wantType(node.left, types_.string(), "a text"), at(node.left);
  wantType(node.right, types_.string(), "a text"), at(node.right);
  require(e.type == types_.boolean(), "comparing texts gives bool");
}

void Verifier::check(const CopyArray& node, const TExpr& e) {
  host("copy");
  require(isView(at(node.view)) && isView(e.type), "copy of something else than an array");
  wantSite(node.site, "copy");
}

void Verifier::check(const ArgumentCount&, const TExpr& e) {
  host("args"), require(e.type == types_.index(), "args.len is an index");
}

void Verifier::check(const ArgumentText& node, const TExpr& e) {
  host("args");
  wantType(node.index, types_.index(), "an index"), at(node.index);
  require(e.type == types_.string(), "args[i] is a text");
  wantSite(node.site, "args[i]");
}

void Verifier::check(const ParseNumber& node, const TExpr& e) {
  host("a number from a text");
  wantType(node.text, types_.string(), "the text"), at(node.text);
  require(e.type == types_.scalar(Scalar::I64) || e.type == types_.scalar(Scalar::F64),
          "a parsed number is i64 or f64");
  wantSite(node.site, "a number from a text");
}

void Verifier::check(const Clock&, const TExpr& e) {
  host("clock"), require(e.type == types_.scalar(Scalar::F64), "clock() is f64");
}

void Verifier::check(const BenchAgain& node, const TExpr& e) {
  host("a bench");
  wantType(node.bytes, types_.scalar(Scalar::I64), "the bytes of a bench"), at(node.bytes);
  require(e.type == types_.boolean(), "bench_again() is a bool");
}

void Verifier::check(const TargetFact& node, const TExpr& e) {
  require(e.type == (node.property == TargetProperty::Sm ? types_.scalar(Scalar::I32) : types_.boolean()),
          "target.sm is i32, the other facts of targets are bools");
}

void Verifier::check(const DeviceFact& node, const TExpr& e) {
  host("a property of the device");
  require(e.type == (infoOf(node.property).isText ? types_.string() : types_.index()),
          "a property of the device is an index or a text");
}

void Verifier::check(const HostReduce& node, const TExpr& e) {
  host("a reduction");
  if (!require(node.kernel.value < program_.kernels.size(), "a kernel id is out of range")) return;
  const Kernel& kernel = program_.kernels[node.kernel.value];
  require(kernel.reduction && kernel.reductionType == e.type, "a reduction of a kernel that reduces to another type");
  kernelArguments(kernel, node.arguments);
  wantSite(node.site, "a reduction");
}

void Verifier::kernelArguments(const Kernel& kernel, const std::vector<TExprId>& arguments) {
  if (!require(arguments.size() == kernel.params.size(),
               fmt::format("{} arguments for the kernel {}", arguments.size(), kernel.name)))
    return;
  for (size_t i = 0; i < arguments.size(); ++i) {
    at(arguments[i]);
    wantType(arguments[i], kernel.params[i].type,
             fmt::format("the argument {} of {}", kernel.params[i].name, kernel.name));
  }
}

}  // namespace rad::sema

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/sema/evaluate.h"

#include "frontend/types/float_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <climits>
#include <cmath>
#include <utility>
#include <vector>

namespace rad::sema {
namespace {

using Kind = ConstValue::Kind;

/// The number with these bits.
double floatOfBits(Scalar scalar, uint64_t bits) {
  switch (scalar) {
    case Scalar::F64: return std::bit_cast<double>(bits);
    case Scalar::F32: return std::bit_cast<float>(static_cast<uint32_t>(bits));
    case Scalar::BF16: return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
    case Scalar::F8E5M2: return floatOfBits(Scalar::F16, bits << 8);
    case Scalar::F16:
    case Scalar::F8E4M3: {
      const bool isHalf = scalar == Scalar::F16;
      const int fraction = isHalf ? 10 : 3, bias = isHalf ? 15 : 7;
      const uint64_t mantissa = bits & ((1u << fraction) - 1);
      const int exponent = static_cast<int>((bits >> fraction) & (isHalf ? 31 : 15));
      const double sign = bits >> (isHalf ? 15 : 7) & 1 ? -1.0 : 1.0;
      const bool isNan = isHalf ? exponent == 31 && mantissa : exponent == 15 && mantissa == 7;
      if (isNan) return std::nan("");
      if (isHalf && exponent == 31) return sign * INFINITY;
      if (exponent == 0) return sign * std::ldexp(static_cast<double>(mantissa), 1 - bias - fraction);
      return sign * std::ldexp(static_cast<double>(mantissa | (1u << fraction)), exponent - bias - fraction);
    }
    case Scalar::Bool:
    case Scalar::I8:
    case Scalar::I16:
    case Scalar::I32:
    case Scalar::I64:
    case Scalar::U8:
    case Scalar::U16:
    case Scalar::U32:
    case Scalar::U64:
    case Scalar::Index: break;
  }
  return 0;
}

/// One variable of the library on the host, in the precision of its type.
double library(Math op, double x, double y, double z, bool isDouble) {
  switch (op) {
    case Math::Sqrt: return std::sqrt(x);
    case Math::Rsqrt: return 1 / std::sqrt(x);
    case Math::Exp: return std::exp(x);
    case Math::Exp2: return std::exp2(x);
    case Math::Log: return std::log(x);
    case Math::Log2: return std::log2(x);
    case Math::Log10: return std::log10(x);
    case Math::Sin: return std::sin(x);
    case Math::Cos: return std::cos(x);
    case Math::Tan: return std::tan(x);
    case Math::Asin: return std::asin(x);
    case Math::Acos: return std::acos(x);
    case Math::Atan: return std::atan(x);
    case Math::Atan2: return std::atan2(x, y);
    case Math::Sinh: return std::sinh(x);
    case Math::Cosh: return std::cosh(x);
    case Math::Tanh: return std::tanh(x);
    case Math::Erf: return std::erf(x);
    case Math::Pow: return std::pow(x, y);
    case Math::Fma:
      return isDouble
                 ? std::fma(x, y, z)
                 : static_cast<double>(std::fma(static_cast<float>(x), static_cast<float>(y), static_cast<float>(z)));
    case Math::Floor: return std::floor(x);
    case Math::Ceil: return std::ceil(x);
    case Math::Round: return std::nearbyint(x);
    case Math::Trunc: return std::trunc(x);
    case Math::Abs: return std::fabs(x);
    case Math::Min: return std::fmin(x, y);
    case Math::Max: return std::fmax(x, y);
    case Math::CopySign: return std::copysign(x, y);
  }
  return 0;
}

class Evaluator {
 public:
  Evaluator(const TypedProgram& program, const std::function<BodyState(FunctionId)>& bodyOf)
      : program_(program), bodyOf_(bodyOf) {}

  std::expected<ConstValue, EvaluationFailure> run(const Body& body, std::span<const TStmtId> before, TExprId expr) {
    Frame frame{.body = &body, .slots = {}};
    frame.slots.resize(body.locals.size());
    frame_ = &frame;
    if (exec(before) != Flow::Fail)
      if (ConstValue value = eval(expr); !failure_) return value;
    return std::unexpected(*failure_);
  }

 private:
  enum class Flow : uint8_t { Next, Break, Continue, Return, Fail };
  struct Slot {
    ConstValue own;
    ConstValue* place = nullptr;  // a `mut` parameter: the caller's variable
    bool isKnown = false;
    ConstValue& value() { return place ? *place : own; }
  };
  struct Frame {
    const Body* body;
    std::vector<Slot> slots;
    ConstValue result{};
  };
  struct Deeper {
    explicit Deeper(unsigned& depth) : depth(depth) { ++depth; }
    ~Deeper() { --depth; }
    unsigned& depth;
  };

  ConstValue fail(EvaluationFailure::Kind kind, Range range, std::string reason) {
    if (!failure_) failure_ = EvaluationFailure{kind, range, std::move(reason), {}};
    return {};
  }
  ConstValue notConstant(Range range, std::string reason) {
    return fail(EvaluationFailure::Kind::NotConstant, range, std::move(reason));
  }
  ConstValue failed(Range range, std::string reason) {
    return fail(EvaluationFailure::Kind::Failed, range, std::move(reason));
  }
  /// Counts work; false once there was too much of it.
  bool step(Range range, uint64_t count = 1) {
    if (failure_) return false;
    steps_ += count;
    if (steps_ <= maxEvaluationSteps) return true;
    fail(EvaluationFailure::Kind::Steps, range, {});
    return false;
  }
  const Type& typeOf(TypeId id) const { return program_.types->get(id); }
  bool isVector(TypeId id) const { return typeOf(id).kind == TypeKind::Vector; }
  Scalar scalarOf(TypeId id) const { return isVector(id) ? typeOf(typeOf(id).element).scalar : typeOf(id).scalar; }
  static uint64_t weight(const ConstValue& value) {
    uint64_t sum = value.items.size();
    for (const ConstValue& item : value.items) {
      if (item.items.empty()) break;
      sum += weight(item);
    }
    return sum;
  }

  /// Does to each element of vectors what `one` does to scalars.
  template <class One>
  ConstValue each(TypeId type, const ConstValue& a, const ConstValue& b, One one) {
    if (!isVector(type)) return one(a, b);
    ConstValue result = ConstValue::ofItems({});
    for (size_t i = 0; i < a.items.size(); ++i)
      result.items.push_back(one(a.items[i], b.items.empty() ? a.items[i] : b.items[i]));
    return result;
  }

  ConstValue arithmetic(BinaryOp op, const ConstValue& a, const ConstValue& b, Scalar scalar, SiteId site,
                        Range range) {
    if (scalar == Scalar::Bool)
      return ConstValue::ofBool(op == BinaryOp::BitAnd ? a.integer && b.integer : a.integer || b.integer);
    if (isFloat(scalar)) return fold(op, a, b, scalar).value.value_or(ConstValue{});
    if ((op == BinaryOp::Div || op == BinaryOp::Rem) && b.integer == 0) return failed(range, "it divides by zero");
    Wide exact = 0;
    if (op == BinaryOp::Mul) {  // of unsigned 64 bits the exact product may not fit
      if (!isSignedInteger(scalar))
        return ConstValue::ofInt(
            wrapTo(scalar, static_cast<Wide>(static_cast<uint64_t>(a.integer) * static_cast<uint64_t>(b.integer))));
      exact = a.integer * b.integer;
    } else if (op == BinaryOp::Add) {
      exact = a.integer + b.integer;
    } else if (op == BinaryOp::Sub) {
      exact = a.integer - b.integer;
    } else if (op == BinaryOp::Div) {
      exact = a.integer / b.integer;
    } else {
      return fold(op, a, b, scalar).value.value_or(ConstValue{});  // nothing of these leaves the type
    }
    const Wide wrapped = wrapTo(scalar, exact);
    if (wrapped != exact && site && program_.sites[site.value].kind == SiteKind::Overflow)
      return failed(range, fmt::format("`{}` does not fit {}", program_.sites[site.value].text,
                                       program_.types->spell(program_.types->scalar(scalar))));
    return ConstValue::ofInt(wrapped);
  }

  ConstValue math(Math op, std::span<const ConstValue> values, Scalar scalar) {
    const ConstValue& x = values[0];
    const ConstValue& y = values.size() > 1 ? values[1] : x;
    const ConstValue& z = values.size() > 2 ? values[2] : x;
    if (isFloat(scalar)) {
      const double result = library(op, x.real, y.real, z.real, scalar == Scalar::F64);
      return ConstValue::ofFloat(scalar == Scalar::F64 ? result : roundTo(scalar, result).value);
    }
    if (op == Math::Abs) return ConstValue::ofInt(wrapTo(scalar, x.integer < 0 ? -x.integer : x.integer));
    return ConstValue::ofInt(op == Math::Min ? std::min(x.integer, y.integer) : std::max(x.integer, y.integer));
  }

  ConstValue bitcast(TypeId from, TypeId to, const ConstValue& value) {
    std::vector<uint8_t> bytes;
    auto put = [&](Scalar scalar, const ConstValue& one) {
      const uint64_t bits = isFloat(scalar) ? bitsOfFloat(scalar, one.real) : static_cast<uint64_t>(one.integer);
      for (unsigned i = 0; i < bitsOf(scalar); i += 8) bytes.push_back(static_cast<uint8_t>(bits >> i));
    };
    if (isVector(from))
      for (const ConstValue& item : value.items) put(scalarOf(from), item);
    else put(scalarOf(from), value);
    size_t at = 0;
    auto get = [&](Scalar scalar) {
      uint64_t bits = 0;
      for (unsigned i = 0; i < bitsOf(scalar); i += 8)
        bits |= uint64_t{at < bytes.size() ? bytes[at++] : uint8_t{0}} << i;
      if (isFloat(scalar)) return ConstValue::ofFloat(floatOfBits(scalar, bits));
      return ConstValue::ofInt(wrapTo(scalar, static_cast<Wide>(bits)));
    };
    if (!isVector(to)) return get(scalarOf(to));
    ConstValue result = ConstValue::ofItems({});
    for (uint64_t i = 0; i < typeOf(to).count; ++i) result.items.push_back(get(scalarOf(to)));
    return result;
  }

  ConstValue eval(TExprId id) {
    if (!id) return fail(EvaluationFailure::Kind::Broken, {}, {});
    const Deeper deeper(depth_);
    const TExpr& e = program_.expr(id);
    if (!step(e.range)) return {};
    if (depth_ > maxEvaluationDepth) return fail(EvaluationFailure::Kind::Depth, e.range, {});
    if (isVariable(id)) return copyOf(e, find(id));
    return std::visit([&](const auto& node) { return value(e, node); }, e.node);
  }

  ConstValue value(const TExpr& e, const ConstInt& node) {
    const Scalar scalar = scalarOf(e.type);
    if (scalar == Scalar::Bool) return ConstValue::ofBool(node.bits & 1);
    return ConstValue::ofInt(wrapTo(scalar, static_cast<Wide>(node.bits)));
  }
  ConstValue value(const TExpr&, const ConstFloat& node) { return ConstValue::ofFloat(node.value); }
  ConstValue copyOf(const TExpr& e, const ConstValue* found) {
    if (!found || !step(e.range, weight(*found))) return {};
    return *found;
  }
  bool isVariable(TExprId id) const {
    if (!id) return false;
    const TExpr& e = program_.expr(id);
    if (const auto* element = std::get_if<ElementOf>(&e.node)) return isVariable(element->value);
    if (const auto* item = std::get_if<TupleItem>(&e.node)) return isVariable(item->tuple);
    return std::holds_alternative<LocalRef>(e.node);
  }
  ConstValue* elementOf(ConstValue& whole, TExprId index, Range range) {
    const ConstValue at = eval(index);
    if (failure_) return nullptr;
    if (at.integer >= 0 && at.integer < static_cast<Wide>(whole.items.size()))
      return &whole.items[static_cast<size_t>(at.integer)];
    failed(range, fmt::format("index {} is out of range: there are {} elements", spell(at), whole.items.size()));
    return nullptr;
  }
  /// The place of a variable or of a part of one; null after a failure.
  ConstValue* find(TExprId id) {
    const TExpr& e = program_.expr(id);
    if (const auto* element = std::get_if<ElementOf>(&e.node)) {
      ConstValue* const whole = find(element->value);
      return whole && step(e.range) ? elementOf(*whole, element->index, e.range) : nullptr;
    }
    if (const auto* item = std::get_if<TupleItem>(&e.node)) {
      ConstValue* const whole = find(item->tuple);
      return whole ? &whole->items[item->position] : nullptr;
    }
    const LocalId local = std::get<LocalRef>(e.node).local;
    Slot& slot = frame_->slots[local.value];
    if (slot.isKnown) return &slot.value();
    const Local& variable = frame_->body->locals[local.value];
    notConstant(e.range, fmt::format("`{}` gets its value while the program runs", variable.name));
    if (variable.kind == LocalKind::Param && failure_->parameter.empty()) failure_->parameter = variable.name;
    return nullptr;
  }
  // Of variables: eval() takes them as places.
  ConstValue value(const TExpr&, const LocalRef&) { return {}; }
  ConstValue value(const TExpr& e, const ElementOf& node) {
    ConstValue whole = eval(node.value);
    if (failure_) return {};
    return copyOf(e, elementOf(whole, node.index, e.range));
  }
  ConstValue value(const TExpr&, const TupleItem& node) {
    const ConstValue whole = eval(node.tuple);
    return failure_ ? ConstValue{} : whole.items[node.position];
  }
  ConstValue value(const TExpr& e, const MakeElements& node) {
    const uint64_t count = typeOf(e.type).count;
    ConstValue result = ConstValue::ofItems({});
    if (node.items.size() == 1) {
      const ConstValue one = eval(node.items[0]);
      if (!step(e.range, count * (1 + weight(one)))) return {};
      result.items.assign(count, one);
      return result;
    }
    for (TExprId item : node.items) {
      result.items.push_back(eval(item));
      if (failure_) return {};
    }
    return result;
  }
  ConstValue value(const TExpr& e, const ElementSlice& node) {
    const ConstValue whole = eval(node.value);
    if (failure_) return {};
    ConstValue result = ConstValue::ofItems({});
    for (uint64_t i = 0; i < typeOf(e.type).count; ++i) result.items.push_back(whole.items[node.first + i * node.step]);
    return result;
  }
  ConstValue value(const TExpr&, const Swizzle& node) {
    const ConstValue vector = eval(node.vector);
    if (failure_) return {};
    ConstValue result = ConstValue::ofItems({});
    for (uint8_t lane : node.lanes) result.items.push_back(vector.items[lane]);
    return result;
  }
  ConstValue value(const TExpr& e, const Negate& node) {
    const ConstValue operand = eval(node.operand);
    if (failure_) return {};
    return each(e.type, operand, operand, [&](const ConstValue& x, const ConstValue&) {
      if (x.kind == Kind::Float) return ConstValue::ofFloat(-x.real);
      return arithmetic(BinaryOp::Sub, ConstValue::ofInt(0), x, scalarOf(e.type), node.overflow, e.range);
    });
  }
  ConstValue value(const TExpr& e, const LogicNot& node) {
    const ConstValue operand = eval(node.operand);
    if (failure_) return {};
    return each(e.type, operand, operand,
                [](const ConstValue& x, const ConstValue&) { return ConstValue::ofBool(!x.integer); });
  }
  ConstValue value(const TExpr& e, const BitNot& node) {
    const ConstValue operand = eval(node.operand);
    if (failure_) return {};
    return each(e.type, operand, operand, [&](const ConstValue& x, const ConstValue&) {
      return ConstValue::ofInt(wrapTo(scalarOf(e.type), ~x.integer));
    });
  }
  ConstValue value(const TExpr& e, const Arithmetic& node) {
    const ConstValue left = eval(node.left);
    const ConstValue right = eval(node.right);
    if (failure_) return {};
    return each(e.type, left, right, [&](const ConstValue& a, const ConstValue& b) {
      return failure_ ? ConstValue{} : arithmetic(node.op, a, b, scalarOf(e.type), node.site, e.range);
    });
  }
  ConstValue value(const TExpr& e, const Compare& node) {
    const ConstValue left = eval(node.left);
    const ConstValue right = eval(node.right);
    if (failure_) return {};
    const Scalar scalar = scalarOf(program_.expr(node.left).type);
    return each(e.type, left, right, [&](const ConstValue& a, const ConstValue& b) {
      return fold(node.op, a, b, scalar).value.value_or(ConstValue{});
    });
  }
  ConstValue value(const TExpr&, const Logic& node) {
    const ConstValue left = eval(node.left);
    if (failure_ || (left.integer != 0) != node.isAnd) return left;
    return eval(node.right);
  }
  ConstValue value(const TExpr& e, const Convert& node) {
    const ConstValue operand = eval(node.operand);
    if (failure_) return {};
    return each(e.type, operand, operand,
                [&](const ConstValue& x, const ConstValue&) { return convertConst(x, scalarOf(e.type)); });
  }
  ConstValue value(const TExpr& e, const Bitcast& node) {
    const ConstValue operand = eval(node.operand);
    if (failure_) return {};
    return bitcast(program_.expr(node.operand).type, e.type, operand);
  }
  ConstValue value(const TExpr&, const Select& node) {
    const ConstValue condition = eval(node.condition);
    ConstValue yes = eval(node.whenTrue);
    ConstValue no = eval(node.whenFalse);
    if (failure_) return {};
    if (condition.kind != Kind::Items) return condition.integer ? yes : no;
    for (size_t i = 0; i < condition.items.size(); ++i)
      if (!condition.items[i].integer) yes.items[i] = no.items[i];
    return yes;
  }
  ConstValue value(const TExpr& e, const MathCall& node) {
    std::vector<ConstValue> operands;
    for (TExprId operand : node.operands) operands.push_back(eval(operand));
    if (failure_) return {};
    if (!isVector(e.type)) return math(node.op, operands, scalarOf(e.type));
    ConstValue result = ConstValue::ofItems({});
    for (size_t i = 0; i < operands[0].items.size(); ++i) {
      std::vector<ConstValue> lane;
      for (const ConstValue& operand : operands) lane.push_back(operand.items[i]);
      result.items.push_back(math(node.op, lane, scalarOf(e.type)));
    }
    return result;
  }
  ConstValue value(const TExpr& e, const CallFunction& node) {
    const Function& function = program_.functions[node.function.value];
    if (function.isExtern) return notConstant(e.range, fmt::format("`{}` is code of another object", function.name));
    switch (bodyOf_(node.function)) {
      case BodyState::Checked: break;
      case BodyState::Missing: return notConstant(e.range, fmt::format("`{}` needs this value itself", function.name));
      case BodyState::Broken: return fail(EvaluationFailure::Kind::Broken, e.range, {});
    }
    Frame frame{.body = &function.body, .slots = {}};
    frame.slots.resize(function.body.locals.size());
    for (size_t i = 0; i < node.arguments.size(); ++i) {
      const LocalId param = function.params[i];
      Slot& slot = frame.slots[param.value];
      slot.isKnown = true;
      if (function.body.locals[param.value].kind != LocalKind::MutParam) slot.own = eval(node.arguments[i]);
      else if (isVariable(node.arguments[i])) slot.place = find(node.arguments[i]);
      else notConstant(e.range, "it changes what is there only while the program runs");
      if (failure_) return {};
    }
    Frame* const caller = std::exchange(frame_, &frame);
    const Flow flow = exec(function.body.statements);
    frame_ = caller;
    // Text that could not be parsed is missing in a body.
    if (flow == Flow::Next && function.result != program_.types->unit())
      return fail(EvaluationFailure::Kind::Broken, e.range, {});
    return std::move(frame.result);
  }
  ConstValue value(const TExpr&, const BlockValue& node) {
    const Flow flow = exec(node.statements);
    if (flow != Flow::Next && flow != Flow::Fail) {
      // The statement that this value is for is left: exec goes on where it leads.
      leaving_ = flow;
      fail(EvaluationFailure::Kind::NotConstant, {}, {});
    }
    if (failure_ || !node.value) return {};
    return eval(node.value);
  }
  ConstValue value(const TExpr&, const IfValue& node) {
    const ConstValue condition = eval(node.condition);
    if (failure_) return {};
    return eval(condition.integer ? node.whenTrue : node.whenFalse);
  }
  ConstValue value(const TExpr&, const MakeTuple& node) {
    ConstValue result = ConstValue::ofItems({});
    for (TExprId item : node.items) {
      result.items.push_back(eval(item));
      if (failure_) return {};
    }
    return result;
  }
  ConstValue value(const TExpr& e, const ConstString&) {
    return notConstant(e.range, "a text is made while the program runs");
  }
  ConstValue value(const TExpr& e, const GlobalRef& node) {
    return notConstant(
        e.range, fmt::format("`{}` gets its value while the program runs", program_.globals[node.global.value].name));
  }
  ConstValue value(const TExpr& e, const DeviceFact&) {
    return notConstant(e.range, "it is known while the program runs, on the device that it runs on");
  }
  ConstValue value(const TExpr& e, const TargetFact&) {
    return notConstant(e.range, "it depends on the device that the code is compiled for");
  }
  ConstValue value(const TExpr& e, const AtomicCall&) {
    return notConstant(e.range, "atomic operations work on memory");
  }
  ConstValue array(const TExpr& e) {
    return notConstant(
        e.range, "arrays are there only while the program runs; an array value such as [1, 2, 3] is not one of them");
  }
  ConstValue value(const TExpr& e, const ViewElement&) { return array(e); }
  ConstValue value(const TExpr& e, const ViewSlice&) { return array(e); }
  ConstValue value(const TExpr& e, const ViewExtent&) { return array(e); }
  ConstValue value(const TExpr& e, const ViewFlat&) { return array(e); }
  ConstValue value(const TExpr& e, const NewArray&) { return array(e); }
  ConstValue value(const TExpr& e, const CopyArray&) { return array(e); }
  ConstValue value(const TExpr& e, const HostReduce&) { return array(e); }
  /// What reads files, texts, clocks and arguments.
  template <class Node>
  ConstValue value(const TExpr& e, const Node&) {
    return notConstant(e.range, "this is known only while the program runs");
  }

  Flow exec(std::span<const TStmtId> statements) {
    for (TStmtId id : statements)
      if (const Flow flow = exec(id); flow != Flow::Next) return flow;
    return Flow::Next;
  }
  Flow exec(TStmtId id) {
    const Deeper deeper(depth_);
    const TStmt& s = program_.stmt(id);
    if (!step(s.range)) return Flow::Fail;
    if (depth_ > maxEvaluationDepth) {
      fail(EvaluationFailure::Kind::Depth, s.range, {});
      return Flow::Fail;
    }
    const Flow flow = std::visit([&](const auto& node) { return run(s, node); }, s.node);
    if (leaving_) {
      failure_.reset();
      return *std::exchange(leaving_, std::nullopt);
    }
    return failure_ ? Flow::Fail : flow;
  }
  Flow run(const TStmt&, const Declare& node) {
    Slot& slot = frame_->slots[node.local.value];
    ConstValue init = node.init ? eval(node.init) : ConstValue{};
    slot.own = std::move(init);
    slot.isKnown = true;
    return Flow::Next;
  }
  Flow run(const TStmt& s, const Assign& node) {
    const TExpr& to = program_.expr(node.place);
    ConstValue value = eval(node.value);
    if (failure_) return Flow::Fail;
    const auto* slice = std::get_if<ElementSlice>(&to.node);
    const auto* named = std::get_if<Swizzle>(&to.node);
    if (const TExprId of = slice ? slice->value : named ? named->vector : TExprId{}; of && isVariable(of)) {
      ConstValue* const whole = find(of);
      if (!whole) return Flow::Fail;
      for (size_t i = 0; i < value.items.size(); ++i) {
        ConstValue& item = whole->items[slice ? slice->first + i * slice->step : named->lanes[i]];
        item = node.op ? arithmetic(*node.op, item, value.items[i], scalarOf(to.type), node.site, s.range)
                       : std::move(value.items[i]);
      }
      return Flow::Next;
    }
    if (!isVariable(node.place)) {
      notConstant(to.range, "it changes what is there only while the program runs");
      return Flow::Fail;
    }
    ConstValue* const place = find(node.place);
    if (!place) return Flow::Fail;
    if (node.op)
      value = each(to.type, *place, value, [&](const ConstValue& a, const ConstValue& b) {
        return failure_ ? ConstValue{} : arithmetic(*node.op, a, b, scalarOf(to.type), node.site, s.range);
      });
    *place = std::move(value);
    return Flow::Next;
  }
  Flow run(const TStmt&, const Evaluate& node) {
    eval(node.expr);
    return Flow::Next;
  }
  Flow run(const TStmt&, const If& node) {
    const ConstValue condition = eval(node.condition);
    if (failure_) return Flow::Fail;
    return exec(condition.integer ? node.thenBody : node.elseBody);
  }
  Flow run(const TStmt& s, const While& node) {
    while (true) {
      const ConstValue condition = eval(node.condition);
      if (failure_) return Flow::Fail;
      if (!condition.integer) return Flow::Next;
      const Flow flow = exec(node.body);
      if (flow == Flow::Break) return Flow::Next;
      if (flow == Flow::Return || flow == Flow::Fail) return flow;
      if (!step(s.range)) return Flow::Fail;
    }
  }
  Flow run(const TStmt& s, const For& node) {
    const ConstValue low = eval(node.low), high = eval(node.high);
    const ConstValue by = node.step ? eval(node.step) : ConstValue::ofInt(1);
    if (failure_) return Flow::Fail;
    if (by.integer == 0 || (by.integer < 0 && node.site)) {
      failed(s.range, "the step of the loop is not positive");
      return Flow::Fail;
    }
    for (Wide i = low.integer; by.integer > 0 ? i < high.integer : i > high.integer; i += by.integer) {
      if (!step(s.range)) return Flow::Fail;
      Slot& slot = frame_->slots[node.variable.value];
      slot.own = ConstValue::ofInt(i);
      slot.isKnown = true;
      const Flow flow = exec(node.body);
      if (flow == Flow::Break) break;
      if (flow == Flow::Return || flow == Flow::Fail) return flow;
    }
    return Flow::Next;
  }
  Flow run(const TStmt&, const Break&) { return Flow::Break; }
  Flow run(const TStmt&, const Continue&) { return Flow::Continue; }
  Flow run(const TStmt&, const Return& node) {
    if (node.value) frame_->result = eval(node.value);
    return Flow::Return;
  }
  Flow run(const TStmt&, const Scope& node) { return exec(node.body); }
  Flow run(const TStmt& s, const Assert& node) {
    const ConstValue condition = eval(node.condition);
    if (failure_ || condition.integer) return Flow::Next;
    const Site& site = program_.sites[node.site.value];
    std::string message = site.message;
    size_t at = 0;
    for (TExprId argument : node.arguments) {
      const std::string value = spell(eval(argument));
      at = message.find("{}", at);
      if (at == std::string::npos) break;
      message.replace(at, 2, value);
      at += value.size();
    }
    failed(s.range, fmt::format("the assertion `{}` is false{}{}", site.text, message.empty() ? "" : ": ", message));
    return Flow::Fail;
  }
  Flow run(const TStmt& s, const Print&) {
    notConstant(s.range, "it prints");
    return Flow::Fail;
  }
  /// Launches, files, barriers, arrays.
  template <class Node>
  Flow run(const TStmt& s, const Node&) {
    notConstant(s.range, "this happens only while the program runs");
    return Flow::Fail;
  }

  const TypedProgram& program_;
  const std::function<BodyState(FunctionId)>& bodyOf_;
  Frame* frame_ = nullptr;
  std::optional<EvaluationFailure> failure_;
  std::optional<Flow>
      leaving_;  // a value was left by break, continue or return; failure_ is set until the statement is reached
  uint64_t steps_ = 0;
  unsigned depth_ = 0;
};

}  // namespace

std::expected<ConstValue, EvaluationFailure> evaluate(const TypedProgram& program, const Body& body,
                                                      std::span<const TStmtId> before, TExprId expr,
                                                      const std::function<BodyState(FunctionId)>& bodyOf) {
  return Evaluator(program, bodyOf).run(body, before, expr);
}

}  // namespace rad::sema

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks the promises of typed_program.h. Runs over a finished unit, before lowering.
#include "frontend/sema/children.h"
#include "frontend/sema/typed_program.h"
#include "frontend/types/float_format.h"

#include <fmt/format.h>

#include <set>
#include <utility>

namespace rad {
namespace {

/// The locals that are declared at a place; leaving a block takes back what it declared.
class Declared {
 public:
  void insert(uint32_t local) {
    if (local >= is_.size()) is_.resize(local + 1);
    if (is_[local]) return;
    is_[local] = true;
    order_.push_back(local);
  }
  bool contains(uint32_t local) const { return local < is_.size() && is_[local]; }
  size_t mark() const { return order_.size(); }
  void leave(size_t mark) {
    for (; order_.size() > mark; order_.pop_back()) is_[order_.back()] = false;
  }
  void clear() { leave(0); }

 private:
  std::vector<bool> is_;
  std::vector<uint32_t> order_;
};

class Verifier {
 public:
  explicit Verifier(const TypedProgram& program) : program_(program), types_(*program.types) {}

  std::string run() {
    std::set<std::string> names, symbols;
    for (const Function& function : program_.functions) {
      require(names.insert(function.name).second, "two functions are called " + function.name);
      this->function(function);
    }
    for (const Kernel& kernel : program_.kernels) {
      require(!kernel.symbol.empty() && symbols.insert(kernel.symbol).second,
              "the kernel symbol " + kernel.symbol + " is not unique");
      this->kernel(kernel);
    }
    where_ = "the script";
    body_ = &program_.script;
    side_ = Side::Host;
    inScript_ = true;
    block(program_.script.statements);
    return error_;
  }

 private:
  void fail(std::string text) {
    if (error_.empty()) error_ = fmt::format("in {}: {}", where_, text);
  }
  bool require(bool ok, std::string_view text) {
    if (!ok) fail(std::string(text));
    return ok;
  }

  const Type& type(TypeId id) const { return types_.get(id); }
  bool isScalar(TypeId id) const { return type(id).kind == TypeKind::Scalar; }
  bool isBool(TypeId id) const { return id == types_.boolean(); }
  bool isNumber(TypeId id) const { return isScalar(id) && !isBool(id); }
  bool isWhole(TypeId id) const { return isScalar(id) && isInteger(type(id).scalar); }
  bool isView(TypeId id) const { return type(id).kind == TypeKind::View; }
  /// The type itself, or that of a vector's elements.
  TypeId numberOf(TypeId id) const { return type(id).kind == TypeKind::Vector ? type(id).element : id; }
  std::string spell(TypeId id) const { return types_.spell(id); }
  /// A view with write access may stand where a read-only one is wanted.
  bool suits(TypeId value, TypeId wanted) const {
    if (value == wanted) return true;
    return isView(value) && isView(wanted) && type(value).element == type(wanted).element &&
           type(value).rank == type(wanted).rank && type(value).strided == type(wanted).strided &&
           (type(value).writable || !type(wanted).writable);
  }
  bool wantType(TExprId id, TypeId wanted, std::string_view what) {
    if (!require(static_cast<bool>(id), fmt::format("{} is missing", what))) return false;
    return require(suits(program_.expr(id).type, wanted),
                   fmt::format("{} is {}, not {}", what, spell(program_.expr(id).type), spell(wanted)));
  }
  bool wantSite(SiteId id, std::string_view what) {
    return require(id.value < program_.sites.size(), fmt::format("{} has no site", what));
  }
  bool host(std::string_view what) { return require(side_ == Side::Host, fmt::format("{} in device code", what)); }

  // ---- expressions ----
  TypeId at(TExprId id) {
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

  bool constantInRange(const ConstInt& node, TypeId id) const {
    if (isBool(id)) return node.bits <= 1;
    if (!isWhole(id)) return false;
    const unsigned bits = bitsOf(type(id).scalar);
    return bits == 64 || node.bits < (uint64_t{1} << bits);
  }

  void check(const ConstInt& node, const TExpr& e) {
    require(constantInRange(node, e.type), fmt::format("the constant {} is no {}", node.bits, spell(e.type)));
  }
  void check(const ConstFloat& node, const TExpr& e) {
    if (!require(isScalar(e.type) && isFloat(type(e.type).scalar), "a float constant of another type")) return;
    require(node.value != node.value || roundTo(type(e.type).scalar, node.value).value == node.value,
            fmt::format("the constant {} is no {}", node.value, spell(e.type)));
  }
  void check(const ConstString&, const TExpr& e) {
    require(e.type == types_.string() && host("a text"), "a text of another type");
  }
  void check(const LocalRef& node, const TExpr& e) {
    if (!require(node.local.value < body_->locals.size(), "a local id is out of range")) return;
    require(body_->locals[node.local.value].type == e.type,
            fmt::format("the local {} is read as {}", body_->locals[node.local.value].name, spell(e.type)));
    require(declared_.contains(node.local.value), fmt::format("the local {} ({}) is used where it is not declared",
                                                              body_->locals[node.local.value].name, node.local.value));
  }
  void check(const GlobalRef& node, const TExpr& e) {
    require(inScript_, "a global outside of the script");
    if (require(node.global.value < program_.globals.size(), "a global id is out of range"))
      require(program_.globals[node.global.value].type == e.type, "a global has another type");
  }
  void check(const ViewElement& node, const TExpr& e) {
    const TypeId view = at(node.view);
    if (!require(isView(view), "an element of something else than a view")) return;
    require(type(view).element == e.type, "an element has another type than its view says");
    require(node.indices.size() == type(view).rank && node.checks.size() == node.indices.size() &&
                node.sites.size() == node.indices.size(),
            "an element needs an index, a check and a site a dimension");
    for (TExprId index : node.indices) wantType(index, types_.index(), "an index"), at(index);
    for (size_t i = 0; i < node.checks.size() && i < node.sites.size(); ++i)
      if (node.checks[i] == Check::Checked || node.checks[i] == Check::AtLaunch) wantSite(node.sites[i], "a checked index");
  }
  void check(const ViewSlice& node, const TExpr& e) {
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
  void check(const ViewExtent& node, const TExpr& e) {
    const TypeId view = at(node.view);
    if (require(isView(view), "the extent of something else than a view"))
      require(node.dim < type(view).rank && e.type == types_.index(), "an extent of a dimension that is not there");
  }
  void check(const ViewFlat& node, const TExpr& e) {
    const TypeId view = at(node.view);
    if (require(isView(view) && isView(e.type), "flat of something else than a view"))
      require(type(e.type).rank == 1 && type(e.type).element == type(view).element && !type(view).strided &&
                  !type(e.type).strided,
              "flat has another type");
  }
  /// What the elements of a vector or array value are; the error type of anything else.
  TypeId elementOf(TypeId id) const {
    const bool has = type(id).kind == TypeKind::Vector || type(id).kind == TypeKind::Array;
    return has ? type(id).element : types_.error();
  }
  void check(const MakeElements& node, const TExpr& e) {
    require(type(e.type).kind == TypeKind::Vector || type(e.type).kind == TypeKind::Array,
            "elements that make neither vector nor array");
    require(node.items.size() == 1 || node.items.size() == type(e.type).count, "a wrong number of elements");
    for (TExprId item : node.items) require(at(item) == elementOf(e.type), "an element of another type");
  }
  void check(const ElementOf& node, const TExpr& e) {
    require(elementOf(at(node.value)) == e.type, "an element has another type than its vector or array says");
    wantType(node.index, types_.index(), "an index"), at(node.index);
    if (node.check == Check::Checked) wantSite(node.site, "a checked index");
  }
  void check(const ElementSlice& node, const TExpr& e) {
    const TypeId whole = at(node.value);
    if (!require(type(whole).kind == TypeKind::Array && type(e.type).kind == TypeKind::Array, "a slice of no array value")) return;
    require(type(whole).element == type(e.type).element && node.first <= type(whole).count &&
                type(e.type).count <= type(whole).count - node.first,
            "a slice that its array value has not");
  }
  void check(const Swizzle& node, const TExpr& e) {
    const TypeId from = at(node.vector);
    if (!require(type(from).kind == TypeKind::Vector && type(e.type).kind == TypeKind::Vector, "a swizzle of no vector")) return;
    require(type(from).element == type(e.type).element && type(e.type).count == node.lanes.size(), "a swizzle of another type");
    for (uint8_t lane : node.lanes) require(lane < type(from).count, "a swizzle names an element that is not there");
  }
  void check(const Negate& node, const TExpr& e) {
    require(at(node.operand) == e.type && isNumber(numberOf(e.type)), "negation of another type");
  }
  void check(const LogicNot& node, const TExpr& e) {
    require(at(node.operand) == e.type && isBool(numberOf(e.type)), "not of another type than bool");
  }
  void check(const BitNot& node, const TExpr& e) {
    require(at(node.operand) == e.type && isWhole(numberOf(e.type)), "~ of another type");
  }
  void arithmetic(BinaryOp op, TypeId result, TypeId right) {
    const bool isLogic = isBool(numberOf(result)) && (op == BinaryOp::BitAnd || op == BinaryOp::BitOr);
    require((isLogic || isNumber(numberOf(result))) && right == result,
            fmt::format("`{}` of {} and {}", spelling(op), spell(result), spell(right)));
    switch (op) {
      case BinaryOp::Add:
      case BinaryOp::Sub:
      case BinaryOp::Mul:
      case BinaryOp::Div:
      case BinaryOp::Rem:
        break;
      case BinaryOp::BitAnd:
      case BinaryOp::BitOr:
      case BinaryOp::BitXor:
      case BinaryOp::Shl:
      case BinaryOp::Shr:
        require(isLogic || isWhole(numberOf(result)), "a bit operation on floats");
        break;
      case BinaryOp::Eq:
      case BinaryOp::Ne:
      case BinaryOp::Lt:
      case BinaryOp::Le:
      case BinaryOp::Gt:
      case BinaryOp::Ge:
      case BinaryOp::And:
      case BinaryOp::Or:
        fail("a comparison as arithmetic");
    }
  }
  void check(const Arithmetic& node, const TExpr& e) {
    const TypeId left = at(node.left), right = at(node.right);
    require(left == e.type, "arithmetic whose left side has another type");
    arithmetic(node.op, e.type, right);
    if (node.site) wantSite(node.site, "arithmetic");
  }
  void check(const Compare& node, const TExpr& e) {
    const TypeId left = at(node.left), right = at(node.right);
    require(isBool(numberOf(e.type)) && left == right && isScalar(numberOf(left)) && isScalar(e.type) == isScalar(left) &&
                type(e.type).count == type(left).count,
            fmt::format("comparison of {} and {}", spell(left), spell(right)));
    require(node.op >= BinaryOp::Eq && node.op <= BinaryOp::Ge, "arithmetic as a comparison");
    if (isBool(numberOf(left))) require(node.op == BinaryOp::Eq || node.op == BinaryOp::Ne, "an order of bools");
  }
  void check(const Logic& node, const TExpr& e) {
    const TypeId left = at(node.left), right = at(node.right);
    require(isBool(left) && isBool(right) && isBool(e.type), "logic of another type than bool");
  }
  void check(const Convert& node, const TExpr& e) {
    const TypeId from = at(node.operand);
    require(isScalar(numberOf(from)) && isScalar(numberOf(e.type)), "a conversion of something else than numbers");
    require(isScalar(from) == isScalar(e.type) && type(from).count == type(e.type).count, "a conversion between different counts");
  }
  void check(const Bitcast& node, const TExpr& e) {
    const TypeId from = at(node.operand);
    auto bits = [&](TypeId id) {
      const uint64_t count = isScalar(id) ? 1 : type(id).count;
      return isScalar(numberOf(id)) ? count * bitsOf(type(numberOf(id)).scalar) : 0;
    };
    require(bits(from) && bits(from) == bits(e.type), "a bitcast of different sizes");
  }
  void check(const Select& node, const TExpr& e) {
    const TypeId condition = at(node.condition);
    require(isBool(numberOf(condition)) && at(node.whenTrue) == e.type && at(node.whenFalse) == e.type &&
                (isScalar(condition) || type(condition).count == type(e.type).count),
            "a select of different types");
  }
  void check(const MathCall& node, const TExpr& e) {
    const MathInfo& info = infoOf(node.op);
    require(node.operands.size() == info.arity && isNumber(numberOf(e.type)),
            fmt::format("{} with {} operands", info.name, node.operands.size()));
    for (TExprId operand : node.operands)
      require(at(operand) == e.type, fmt::format("an operand of {} has another type", info.name));
    if (isScalar(e.type))
      require(info.operands == MathOperands::N || isFloat(type(e.type).scalar) == (info.operands == MathOperands::F),
              fmt::format("{} of {}", info.name, spell(e.type)));
  }
  void check(const AtomicCall& node, const TExpr& e) {
    require(side_ == Side::Device, "an atomic operation in host code");
    const TypeId target = at(node.place);
    const TExpr& where = program_.expr(node.place);
    const auto* local = std::get_if<LocalRef>(&where.node);
    require(std::holds_alternative<ViewElement>(where.node) ||
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
  void check(const CallFunction& node, const TExpr& e) {
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
  void check(const BlockValue& node, const TExpr& e) {
    const size_t before = declared_.mark();
    const bool hadBarriers = std::exchange(mayBarrier_, false);
    sequence(node.statements);  // the value may use what they declare
    mayBarrier_ = hadBarriers;
    if (node.value)
      require(suits(at(node.value), e.type), "a block's value has another type");
    else
      require(e.type == types_.unit(), "a block without its value");
    declared_.leave(before);
  }
  void check(const IfValue& node, const TExpr& e) {
    require(isBool(at(node.condition)), "a condition that is no bool");
    require(suits(at(node.whenTrue), e.type), "a branch has another type");
    require(suits(at(node.whenFalse), e.type), "a branch has another type");
  }
  void check(const MakeTuple& node, const TExpr& e) {
    const Type& t = type(e.type);
    if (!require(t.kind == TypeKind::Tuple && t.items.size() == node.items.size(), "a tuple of another size")) return;
    for (size_t i = 0; i < node.items.size(); ++i)
      require(suits(at(node.items[i]), t.items[i]), "an item of a tuple has another type");
  }
  void check(const TupleItem& node, const TExpr& e) {
    const TypeId tuple = at(node.tuple);
    require(type(tuple).kind == TypeKind::Tuple && node.position < type(tuple).items.size() &&
                type(tuple).items[node.position] == e.type,
            "an item that its tuple has not");
  }
  void check(const NewArray& node, const TExpr& e) {
    host("a new array");
    if (require(isView(e.type) && type(e.type).rank == node.extents.size(), "a new array with another rank"))
      for (TExprId extent : node.extents) wantType(extent, types_.index(), "an extent"), at(extent);
    wantSite(node.site, "a new array");
  }
  void check(const ReadFile& node, const TExpr& e) {
    host("reading a file");
    wantType(node.path, types_.string(), "a path"), at(node.path);
    const bool isScalar = type(e.type).kind == TypeKind::Scalar && node.format == FileFormat::Npy;
    if (require(isView(e.type) ? type(e.type).rank == node.extents.size() : isScalar && node.extents.empty(),
                "reading a file as another rank"))
      for (TExprId extent : node.extents)
        if (extent) wantType(extent, types_.index(), "an expected size"), at(extent);
    wantSite(node.site, "reading a file");
  }
  void check(const ReadText& node, const TExpr& e) {
    host("read_text");
    wantType(node.path, types_.string(), "a path"), at(node.path);
    require(e.type == types_.string(), "read_text gives a text");
    wantSite(node.site, "read_text");
  }
  void check(const FormatText& node, const TExpr& e) {
    host("format");
    for (TExprId argument : node.arguments) at(argument);
    require(e.type == types_.string(), "format gives a text");
    wantSite(node.site, "format");
  }
  void check(const TextLength& node, const TExpr& e) {
    host("the length of a text");
    wantType(node.text, types_.string(), "the text"), at(node.text);
    require(e.type == types_.index(), "the length of a text is an index");
  }
  void check(const TextEqual& node, const TExpr& e) {
    host("comparing texts");
    wantType(node.left, types_.string(), "a text"), at(node.left);
    wantType(node.right, types_.string(), "a text"), at(node.right);
    require(e.type == types_.boolean(), "comparing texts gives bool");
  }
  void check(const CopyArray& node, const TExpr& e) {
    host("copy");
    require(isView(at(node.view)) && isView(e.type), "copy of something else than an array");
    wantSite(node.site, "copy");
  }
  void check(const ArgumentCount&, const TExpr& e) {
    host("args"), require(e.type == types_.index(), "args.len is an index");
  }
  void check(const ArgumentText& node, const TExpr& e) {
    host("args");
    wantType(node.index, types_.index(), "an index"), at(node.index);
    require(e.type == types_.string(), "args[i] is a text");
    wantSite(node.site, "args[i]");
  }
  void check(const ParseNumber& node, const TExpr& e) {
    host("a number from a text");
    wantType(node.text, types_.string(), "the text"), at(node.text);
    require(e.type == types_.scalar(Scalar::I64) || e.type == types_.scalar(Scalar::F64),
            "a parsed number is i64 or f64");
    wantSite(node.site, "a number from a text");
  }
  void check(const Clock&, const TExpr& e) {
    host("clock"), require(e.type == types_.scalar(Scalar::F64), "clock() is f64");
  }
  void check(const HostReduce& node, const TExpr& e) {
    host("a reduction");
    if (!require(node.kernel.value < program_.kernels.size(), "a kernel id is out of range")) return;
    const Kernel& kernel = program_.kernels[node.kernel.value];
    require(kernel.reduction && kernel.reductionType == e.type, "a reduction of a kernel that reduces to another type");
    kernelArguments(kernel, node.arguments);
    wantSite(node.site, "a reduction");
  }
  void kernelArguments(const Kernel& kernel, const std::vector<TExprId>& arguments) {
    if (!require(arguments.size() == kernel.params.size(),
                 fmt::format("{} arguments for the kernel {}", arguments.size(), kernel.name)))
      return;
    for (size_t i = 0; i < arguments.size(); ++i) {
      at(arguments[i]);
      wantType(arguments[i], kernel.params[i].type,
               fmt::format("the argument {} of {}", kernel.params[i].name, kernel.name));
    }
  }

  // ---- statements ----
  void place(TExprId id, bool allowsSlice) {
    if (!require(static_cast<bool>(id), "a place is missing")) return;
    const TExpr& e = program_.expr(id);
    if (const auto* local = std::get_if<LocalRef>(&e.node)) {
      const Local& l = body_->locals[local->local.value];
      require(
          l.kind == LocalKind::Var || l.kind == LocalKind::MutParam || (l.kind == LocalKind::Shared && !isView(l.type)),
          fmt::format("the local {} is assigned to", l.name));
    } else if (const auto* element = std::get_if<ViewElement>(&e.node)) {
      require(type(program_.expr(element->view).type).writable, "an element of a read-only view is assigned to");
    } else if (const auto* slice = std::get_if<ViewSlice>(&e.node)) {
      require(allowsSlice && side_ == Side::Host && type(program_.expr(slice->view).type).writable,
              "a slice is assigned to");
    } else if (const TExprId whole = sema::wholeOfPart(program_, id)) {
      place(whole, false);
    } else {
      require(std::holds_alternative<GlobalRef>(e.node), "something else than a place is assigned to");
    }
  }

  void sequence(const std::vector<TStmtId>& statements) {
    for (TStmtId id : statements) {
      if (!require(static_cast<bool>(id), "a statement id is out of range")) return;
      std::visit([&](const auto& node) { check(node); }, program_.stmt(id).node);
    }
  }
  void block(const std::vector<TStmtId>& statements) {
    const size_t before = declared_.mark();
    sequence(statements);
    declared_.leave(before);
  }

  void check(const Declare& node) {
    if (!require(node.local.value < body_->locals.size(), "a local id is out of range")) return;
    if (node.init)
      require(suits(at(node.init), body_->locals[node.local.value].type),
              fmt::format("{} is declared with a value of another type", body_->locals[node.local.value].name));
    declared_.insert(node.local.value);
  }
  void check(const Assign& node) {
    const TypeId target = at(node.place);
    place(node.place, true);
    const TypeId value = at(node.value);
    if (node.op) {
      arithmetic(*node.op, target, value);
      return;
    }
    if (std::holds_alternative<ViewSlice>(program_.expr(node.place).node)) {
      require(
          suits(value, types_.withAccess(target, false)) || value == type(target).element,
          "a slice is filled with another type");
      wantSite(node.site, "assigning to a slice");
      return;
    }
    require(suits(value, target), fmt::format("{} is assigned to {}", spell(value), spell(target)));
  }
  void check(const Evaluate& node) { at(node.expr); }
  void check(const If& node) {
    require(isBool(at(node.condition)), "a condition that is no bool");
    block(node.thenBody);
    block(node.elseBody);
  }
  void check(const While& node) {
    require(isBool(at(node.condition)), "a condition that is no bool");
    ++loops_;
    block(node.body);
    --loops_;
  }
  void check(const For& node) {
    if (!require(node.variable.value < body_->locals.size(), "a local id is out of range")) return;
    const TypeId t = body_->locals[node.variable.value].type;
    require(isWhole(t), "a loop variable that is no integer");
    require(at(node.low) == t && at(node.high) == t, "a loop's bounds have another type than its variable");
    if (node.step) {
      require(at(node.step) == t, "a loop's step has another type than its variable");
      const auto* constant = std::get_if<ConstInt>(&program_.expr(node.step).node);
      if (constant)
        require(constant->bits != 0, "a loop with step 0");
      else
        wantSite(node.site, "a loop's step");
    }
    const size_t before = declared_.mark();
    declared_.insert(node.variable.value);
    ++loops_;
    block(node.body);
    --loops_;
    declared_.leave(before);
  }
  void check(const Break&) { require(loops_ > 0, "break outside of a loop"); }
  void check(const Continue&) { require(loops_ > 0, "continue outside of a loop"); }
  void check(const Return& node) {
    require(!inScript_, "return in the script");
    if (node.value)
      require(suits(at(node.value), result_) && result_ != types_.unit(), "a result of another type");
    else
      require(result_ == types_.unit(), "a return without its value");
  }
  void check(const Scope& node) { block(node.body); }
  void check(const Barrier&) { require(isBlocks_ && mayBarrier_, "a barrier outside of a block kernel's statements"); }
  void check(const Collective& node) {
    require(isBlocks_ && mayBarrier_, "block.* outside of a block kernel's statements");
    if (!require(node.result.value < body_->locals.size(), "a local id is out of range")) return;
    require(at(node.value) == body_->locals[node.result.value].type && isNumber(program_.expr(node.value).type),
            "block.* of another type");
    require(node.isMinMax ? node.minMax == Math::Min || node.minMax == Math::Max : node.op == BinaryOp::Add,
            "block.* with another operation");
    declared_.insert(node.result.value);
  }
  void check(const Assert& node) {
    require(isBool(at(node.condition)), "a condition that is no bool");
    wantSite(node.site, "an assert");
    texts(node.arguments, node.site);
  }
  void check(const Print& node) {
    if (side_ == Side::Device) wantSite(node.site, "a print");
    texts(node.arguments, node.site);
  }
  /// What fills a message: in device code a few scalars whose types the site knows.
  void texts(const std::vector<TExprId>& arguments, SiteId site) {
    for (TExprId argument : arguments) require(isScalar(at(argument)) || side_ == Side::Host, "text of something else than a scalar");
    if (side_ == Side::Host || !site) return;
    require(arguments.size() <= maxMessageValues && program_.sites[site.value].arguments.size() == arguments.size(),
            "a message whose site knows other values");
  }
  void check(const Launch& node) {
    host("a launch");
    if (!require(node.kernel.value < program_.kernels.size(), "a kernel id is out of range")) return;
    require(!program_.kernels[node.kernel.value].reduction, "a reduction is launched as a statement");
    kernelArguments(program_.kernels[node.kernel.value], node.arguments);
    wantSite(node.site, "a launch");
  }
  template <class Id>
  void bind(TExprId view, const std::vector<Id>& extents, const std::vector<TExprId>& expected,
            const std::vector<SiteId>& sites) {
    const TypeId t = at(view);
    if (!require(isView(t) && extents.size() == type(t).rank && expected.size() == type(t).rank &&
                     sites.size() == type(t).rank,
                 "binding sizes of another rank"))
      return;
    for (size_t d = 0; d < expected.size(); ++d)
      if (expected[d])
        wantType(expected[d], types_.index(), "an expected size"), at(expected[d]),
            wantSite(sites[d], "an expected size");
  }
  void check(const BindView& node) {
    bind(node.view, node.extents, node.expected, node.sites);
    for (LocalId extent : node.extents)
      if (extent && require(extent.value < body_->locals.size(), "a local id is out of range"))
        declared_.insert(extent.value);
  }
  void check(const BindGlobals& node) {
    host("binding sizes to script variables");
    bind(node.view, node.extents, node.expected, node.sites);
    for (GlobalId extent : node.extents)
      if (extent)
        require(extent.value < program_.globals.size() && program_.globals[extent.value].type == types_.index(),
                "a global id is out of range");
  }
  void check(const WriteFile& node) {
    host("writing a file");
    wantType(node.path, types_.string(), "a path"), at(node.path);
    require(isView(at(node.view)), "writing something else than an array");
    wantSite(node.site, "writing a file");
  }
  void check(const WriteText& node) {
    host("write_text");
    wantType(node.path, types_.string(), "a path"), at(node.path);
    wantType(node.text, types_.string(), "a text"), at(node.text);
    wantSite(node.site, "write_text");
  }
  void check(const Sync& node) { host("sync"), wantSite(node.site, "sync"); }

  // ---- bodies ----
  bool ends(const std::vector<TStmtId>& statements) const {
    for (TStmtId id : statements) {
      const auto& node = program_.stmt(id).node;
      if (std::holds_alternative<Return>(node)) return true;
      if (const auto* branch = std::get_if<If>(&node); branch && ends(branch->thenBody) && ends(branch->elseBody))
        return true;
      if (const auto* scope = std::get_if<Scope>(&node); scope && ends(scope->body)) return true;
      if (const auto* loop = std::get_if<While>(&node)) {
        const auto* constant = std::get_if<ConstInt>(&program_.expr(loop->condition).node);
        if (constant && constant->bits) return true;
      }
    }
    return false;
  }

  void function(const Function& function) {
    where_ = "fn " + function.name;
    body_ = &function.body;
    side_ = function.side;
    inScript_ = isBlocks_ = mayBarrier_ = false;
    loops_ = 0;
    result_ = function.result;
    declared_.clear();
    for (LocalId param : function.params) {
      if (!require(param.value < function.body.locals.size(), "a parameter id is out of range")) return;
      declared_.insert(param.value);
    }
    require(type(function.result).kind != TypeKind::Error && type(function.result).kind != TypeKind::UntypedInt,
            "a function without a result type");
    if (function.isExtern) {
      require(function.side == Side::Device && !function.symbol.empty() && function.body.statements.empty(),
              "an extern function with a body");
      return;
    }
    block(function.body.statements);
    if (function.result != types_.unit()) require(ends(function.body.statements), "not every path returns");
  }

  void shape(const ShapeExpr& shape, const Kernel& kernel) {
    switch (shape.op) {
      case ShapeOp::Constant:
        require(shape.operands.empty(), "a constant with operands");
        return;
      case ShapeOp::Dimension:
        require(shape.value >= 0 && static_cast<size_t>(shape.value) < kernel.dims.size(),
                "a dimension is out of range");
        return;
      case ShapeOp::Parameter:
        require(shape.value >= 0 && static_cast<size_t>(shape.value) < kernel.params.size() &&
                    isWhole(kernel.params[static_cast<size_t>(shape.value)].type),
                "a size of a parameter that is no integer");
        return;
      case ShapeOp::Add:
      case ShapeOp::Sub:
      case ShapeOp::Mul:
      case ShapeOp::Div:
      case ShapeOp::Rem:
      case ShapeOp::Min:
      case ShapeOp::Max:
      case ShapeOp::CeilDiv:
        if (require(shape.operands.size() == 2, "a size with another number of operands"))
          for (const ShapeExpr& operand : shape.operands) this->shape(operand, kernel);
        return;
    }
  }

  void kernel(const Kernel& kernel) {
    where_ = "kernel " + kernel.symbol;
    body_ = &kernel.body;
    side_ = Side::Device;
    inScript_ = false;
    isBlocks_ = mayBarrier_ = !kernel.isForall;
    loops_ = 0;
    result_ = types_.unit();
    declared_.clear();
    auto local = [&](LocalId id, TypeId t, std::string_view what) {
      if (!require(id.value < kernel.body.locals.size(), fmt::format("{} is out of range", what))) return;
      require(kernel.body.locals[id.value].type == t, fmt::format("{} has another type", what));
      declared_.insert(id.value);
    };
    std::set<size_t> bound;
    for (const KernelDim& dim : kernel.dims) local(dim.local, types_.index(), "a dimension");
    for (const KernelParam& param : kernel.params) {
      local(param.local, param.type, "a parameter");
      require(isScalar(param.type) || isView(param.type), "a kernel parameter of another type");
      if (isView(param.type))
        require(param.shape.size() == type(param.type).rank && type(param.type).writable == param.isMut,
                fmt::format("the shape of {} is incomplete", param.name));
      for (const ShapeExpr& size : param.shape) {
        shape(size, kernel);
        if (size.op == ShapeOp::Dimension) bound.insert(static_cast<size_t>(size.value));
      }
    }
    require(bound.size() == kernel.dims.size(), "a dimension that nothing binds");
    require(!kernel.axes.empty() && kernel.axes.size() <= (kernel.isForall ? 4 : 3) && kernel.threads.size() <= 3, "a domain of another rank");
    for (const DomainAxis& axis : kernel.axes) {
      shape(axis.step, kernel);
      local(axis.variable, types_.index(), "a point");
      shape(axis.low, kernel);
      shape(axis.high, kernel);
    }
    require(kernel.isForall == kernel.threads.empty(), "threads belong to block kernels");
    require(kernel.threads.size() == kernel.threadLow.size() && kernel.threads.size() == kernel.threadCount.size(),
            "a thread axis without its extent");
    int64_t product = 1;
    for (int64_t count : kernel.threadCount) product *= count;
    require(product >= 1 && product <= 1024, "a block of another number of threads");
    for (LocalId thread : kernel.threads) local(thread, types_.index(), "a thread's number");
    for (LocalId shared : kernel.shared) {
      require(!kernel.isForall, "shared memory in a forall kernel");
      if (!require(shared.value < kernel.body.locals.size(), "a shared id is out of range")) return;
      const Local& l = kernel.body.locals[shared.value];
      require(l.kind == LocalKind::Shared && (isView(l.type) ? l.sharedExtents.size() == type(l.type).rank
                                                             : isScalar(l.type) && l.sharedExtents.empty()),
              "shared memory of another type");
      declared_.insert(shared.value);
    }
    const size_t top = declared_.mark();
    if (kernel.reduction) {
      // What stands before the value is visible in it.
      for (TStmtId id : kernel.body.statements)
        std::visit([&](const auto& node) { check(node); }, program_.stmt(id).node);
      require(kernel.isForall, "a reduction over blocks");
      if (kernel.reduction->condition) require(isBool(at(kernel.reduction->condition)), "a condition that is no bool");
      require(at(kernel.reduction->value) == kernel.reductionType && isScalar(kernel.reductionType),
              "a reduction of another type");
    } else {
      block(kernel.body.statements);
    }
    declared_.leave(top);
  }

  const TypedProgram& program_;
  TypeTable& types_;
  const Body* body_ = nullptr;
  Side side_ = Side::Host;
  TypeId result_;
  bool inScript_ = false, isBlocks_ = false, mayBarrier_ = false;
  unsigned loops_ = 0, depth_ = 0;
  Declared declared_;
  std::string where_, error_;
};

}  // namespace

std::string verify(const TypedProgram& program) { return Verifier(program).run(); }

}  // namespace rad

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What typed_program.h promises of statements, functions and kernels.
#include "frontend/sema/verify.h"

#include "frontend/sema/children.h"

#include <set>
#include <utility>

namespace rad::sema {

// ---- statements ----
void Verifier::place(TExprId id, bool allowsSlice) {
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
    if (const auto* swizzle = std::get_if<Swizzle>(&e.node))
      require(std::set<uint8_t>(swizzle->lanes.begin(), swizzle->lanes.end()).size() == swizzle->lanes.size(),
              "an element is assigned to twice");
    place(whole, false);
  } else {
    require(std::holds_alternative<GlobalRef>(e.node), "something else than a place is assigned to");
  }
}

void Verifier::sequence(const std::vector<TStmtId>& statements) {
  for (TStmtId id : statements) {
    if (!require(static_cast<bool>(id), "a statement id is out of range")) return;
    std::visit([&](const auto& node) { check(node); }, program_.stmt(id).node);
  }
}

void Verifier::block(const std::vector<TStmtId>& statements) {
  const size_t before = declared_.mark();
  sequence(statements);
  declared_.leave(before);
}

void Verifier::check(const Declare& node) {
  if (!require(node.local.value < body_->locals.size(), "a local id is out of range")) return;
  if (node.init)
    require(suits(at(node.init), body_->locals[node.local.value].type),
            fmt::format("{} is declared with a value of another type", body_->locals[node.local.value].name));
  declared_.insert(node.local.value);
}

void Verifier::check(const Assign& node) {
  const TypeId target = at(node.place);
  place(node.place, true);
  const TypeId value = at(node.value);
  if (node.op) {
    arithmetic(*node.op, target, value);
    return;
  }
  if (std::holds_alternative<ViewSlice>(program_.expr(node.place).node)) {
    require(suits(value, types_.withAccess(target, false)) || value == type(target).element,
            "a slice is filled with another type");
    wantSite(node.site, "assigning to a slice");
    return;
  }
  require(suits(value, target), fmt::format("{} is assigned to {}", spell(value), spell(target)));
}

void Verifier::check(const Evaluate& node) { at(node.expr); }

void Verifier::check(const If& node) {
  require(isBool(at(node.condition)), "a condition that is no bool");
  block(node.thenBody);
  block(node.elseBody);
}

void Verifier::check(const While& node) {
  require(isBool(at(node.condition)), "a condition that is no bool");
  ++loops_;
  block(node.body);
  --loops_;
}

void Verifier::check(const For& node) {
  if (!require(node.variable.value < body_->locals.size(), "a local id is out of range")) return;
  const TypeId t = body_->locals[node.variable.value].type;
  require(isWhole(t), "a loop variable that is no integer");
  require(at(node.low) == t && at(node.high) == t, "a loop's bounds have another type than its variable");
  if (node.step) {
    const TypeId step = at(node.step);
    const auto* constant = std::get_if<ConstInt>(&program_.expr(node.step).node);
    const bool isDownOfUnsigned = constant && isWhole(step) && isUnsignedInteger(type(t).scalar) &&
                                  isSignedInteger(type(step).scalar) &&
                                  bitsOf(type(step).scalar) == bitsOf(type(t).scalar);
    require(step == t || isDownOfUnsigned, "a loop's step has another type than its variable");
    if (constant) require(constant->bits != 0, "a loop with step 0");
    else wantSite(node.site, "a loop's step");
  }
  const size_t before = declared_.mark();
  declared_.insert(node.variable.value);
  ++loops_;
  block(node.body);
  --loops_;
  declared_.leave(before);
}

void Verifier::check(const Break&) { require(loops_ > 0, "break outside of a loop"); }

void Verifier::check(const Continue&) { require(loops_ > 0, "continue outside of a loop"); }

void Verifier::check(const Return& node) {
  require(!inScript_, "return in the script");
  if (node.value) require(suits(at(node.value), result_) && result_ != types_.unit(), "a result of another type");
  else require(result_ == types_.unit(), "a return without its value");
}

void Verifier::check(const Scope& node) { block(node.body); }

void Verifier::check(const Barrier&) {
  require(isBlocks_ && mayBarrier_, "a barrier outside of a block kernel's statements");
}

void Verifier::check(const Collective& node) {
  require(isBlocks_ && mayBarrier_, "block.* outside of a block kernel's statements");
  if (!require(node.result.value < body_->locals.size(), "a local id is out of range")) return;
  require(at(node.value) == body_->locals[node.result.value].type && isNumber(program_.expr(node.value).type),
          "block.* of another type");
  require(node.isMinMax ? node.minMax == Math::Min || node.minMax == Math::Max : node.op == BinaryOp::Add,
          "block.* with another operation");
  if (node.isPromise) wantSite(node.site, "uniform()");
  declared_.insert(node.result.value);
}

void Verifier::check(const Assert& node) {
  require(isBool(at(node.condition)), "a condition that is no bool");
  wantSite(node.site, "an assert");
  texts(node.arguments, node.site);
}

void Verifier::check(const Print& node) {
  if (side_ == Side::Device) wantSite(node.site, "a print");
  texts(node.arguments, node.site);
}

void Verifier::texts(const std::vector<TExprId>& arguments, SiteId site) {
  for (TExprId argument : arguments)
    require(isScalar(at(argument)) || side_ == Side::Host, "text of something else than a scalar");
  if (side_ == Side::Host || !site) return;
  require(arguments.size() <= maxMessageValues && program_.sites[site.value].arguments.size() == arguments.size(),
          "a message whose site knows other values");
}

void Verifier::check(const Launch& node) {
  host("a launch");
  if (!require(node.kernel.value < program_.kernels.size(), "a kernel id is out of range")) return;
  require(!program_.kernels[node.kernel.value].reduction, "a reduction is launched as a statement");
  kernelArguments(program_.kernels[node.kernel.value], node.arguments);
  wantSite(node.site, "a launch");
}

void Verifier::check(const LaunchOpen& node) {
  host("a launch");
  if (!require(node.kernel < program_.openKernels.size(), "a kernel is out of range")) return;
  const OpenKernel& kernel = program_.openKernels[node.kernel];
  if (!require(node.statics.size() == kernel.statics.size() && node.arguments.size() == kernel.params.size(),
               "a launch with another number of arguments"))
    return;
  for (size_t i = 0; i < node.statics.size(); ++i)
    require(isScalar(kernel.statics[i]) && at(node.statics[i]) == kernel.statics[i],
            "a compile-time argument of another type");
  for (size_t i = 0; i < node.arguments.size(); ++i) {
    at(node.arguments[i]);
    wantType(node.arguments[i], kernel.params[i], fmt::format("an argument of {}", kernel.name));
  }
  wantSite(node.site, "a launch");
}

template <class Id>
void Verifier::bind(TExprId view, const std::vector<Id>& extents, const std::vector<TExprId>& expected,
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

void Verifier::check(const BindView& node) {
  bind(node.view, node.extents, node.expected, node.sites);
  for (LocalId extent : node.extents)
    if (extent && require(extent.value < body_->locals.size(), "a local id is out of range"))
      declared_.insert(extent.value);
}

void Verifier::check(const BindGlobals& node) {
  host("binding sizes to script variables");
  bind(node.view, node.extents, node.expected, node.sites);
  for (GlobalId extent : node.extents)
    if (extent)
      require(extent.value < program_.globals.size() && program_.globals[extent.value].type == types_.index(),
              "a global id is out of range");
}

void Verifier::check(const WriteFile& node) {
  host("writing a file");
  wantType(node.path, types_.string(), "a path"), at(node.path);
  require(isView(at(node.view)), "writing something else than an array");
  wantSite(node.site, "writing a file");
}

void Verifier::check(const WriteText& node) {
  host("write_text");
  wantType(node.path, types_.string(), "a path"), at(node.path);
  wantType(node.text, types_.string(), "a text"), at(node.text);
  wantSite(node.site, "write_text");
}

void Verifier::check(const Sync& node) { host("sync"), wantSite(node.site, "sync"); }

// ---- bodies ----
bool Verifier::ends(const std::vector<TStmtId>& statements) const {
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

void Verifier::function(const Function& function) {
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

void Verifier::shape(const ShapeExpr& shape, const Kernel& kernel) {
  switch (shape.op) {
    case ShapeOp::Constant: require(shape.operands.empty(), "a constant with operands"); return;
    case ShapeOp::Dimension:
      require(shape.value >= 0 && static_cast<size_t>(shape.value) < kernel.dims.size(), "a dimension is out of range");
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

void Verifier::kernel(const Kernel& kernel) {
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
  for (size_t i = 0; i < kernel.dims.size(); ++i) {
    local(kernel.dims[i].local, types_.index(), "a dimension");
    if (!kernel.dims[i].property) continue;
    require(!infoOf(*kernel.dims[i].property).isText, "a dimension that is a text");
    bound.insert(i);
  }
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
  require(!kernel.axes.empty() && kernel.axes.size() <= (kernel.isForall ? 4 : 3) && kernel.threads.size() <= 3,
          "a domain of another rank");
  for (const DomainAxis& axis : kernel.axes) {
    shape(axis.step, kernel);
    local(axis.variable, types_.index(), "a point");
    shape(axis.low, kernel);
    shape(axis.high, kernel);
  }
  require(kernel.isForall == kernel.threads.empty(), "threads belong to block kernels");
  require(kernel.threads.size() == kernel.threadLow.size() && kernel.threads.size() == kernel.threadCount.size() &&
              kernel.threads.size() == kernel.threadNumbers.size(),
          "a thread axis without its extent");
  int64_t product = 1;
  for (int64_t count : kernel.threadCount) product *= count;
  require(product >= 1 && product <= 1024, "a block of another number of threads");
  for (LocalId thread : kernel.threads) local(thread, types_.index(), "a thread's number");
  for (LocalId shared : kernel.shared) {
    require(!kernel.isForall, "shared memory in a forall kernel");
    if (!require(shared.value < kernel.body.locals.size(), "a shared id is out of range")) return;
    const Local& l = kernel.body.locals[shared.value];
    require(l.kind == LocalKind::Shared &&
                (isView(l.type) ? l.sharedExtents.size() == type(l.type).rank : l.sharedExtents.empty()),
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

std::string Verifier::run() {
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

}  // namespace rad::sema

namespace rad {

std::string verify(const TypedProgram& program) { return sema::Verifier(program).run(); }

}  // namespace rad

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/lower/kernel_arguments.h"

#include <llvm/IR/Module.h>

#include <algorithm>
#include <cassert>

namespace rad::cg {
namespace {

constexpr int64_t smallLimit = int64_t(1) << 30;

/// What a size can be: extents, element counts and domain bounds.
Interval sizeRange(const SpecKey& spec) { return {0, spec.small ? smallLimit - 1 : (int64_t(1) << 62)}; }

/// What a shape expression can be.
Interval shapeRange(const TypedProgram& program, const Kernel& kernel, const ShapeExpr& expr, const SpecKey& spec) {
  auto operand = [&](size_t i) { return shapeRange(program, kernel, expr.operands[i], spec); };
  auto combine = [&](BinaryOp op, Interval a, Interval b) {
    bool exact = false;
    return intervalOf(op, a, b, exact);
  };
  switch (expr.op) {
    case ShapeOp::Constant: return Interval::exactly(expr.value);
    case ShapeOp::Dimension: return sizeRange(spec);
    case ShapeOp::Parameter: {
      Scalar scalar = program.types->get(kernel.params[expr.value].type).scalar;
      unsigned bits = bitsOf(scalar);
      if (bits >= 64) return {};
      if (isUnsignedInteger(scalar)) return {0, (int64_t(1) << bits) - 1};
      return {-(int64_t(1) << (bits - 1)), (int64_t(1) << (bits - 1)) - 1};
    }
    case ShapeOp::Add: return combine(BinaryOp::Add, operand(0), operand(1));
    case ShapeOp::Sub: return combine(BinaryOp::Sub, operand(0), operand(1));
    case ShapeOp::Mul: return combine(BinaryOp::Mul, operand(0), operand(1));
    case ShapeOp::Div: return combine(BinaryOp::Div, operand(0), operand(1));
    case ShapeOp::Rem: return combine(BinaryOp::Rem, operand(0), operand(1));
    case ShapeOp::Min: {
      Interval a = operand(0), b = operand(1);
      return {std::min(a.low, b.low), std::min(a.high, b.high)};
    }
    case ShapeOp::Max: {
      Interval a = operand(0), b = operand(1);
      return {std::max(a.low, b.low), std::max(a.high, b.high)};
    }
    case ShapeOp::CeilDiv: {
      Interval a = operand(0), b = operand(1);
      if (a.low < 0 || b.low < 1) return {};
      return {a.low / b.high, a.high / b.low + 1};
    }
  }
  return {};
}

}  // namespace

llvm::SmallVector<llvm::Type*, 16> kernelParameterTypes(const TypedProgram& program, const Kernel& kernel,
                                                        llvm::LLVMContext& context, unsigned addressSpace) {
  llvm::SmallVector<llvm::Type*, 16> types;
  llvm::Type* pointer = llvm::PointerType::get(context, addressSpace);
  llvm::Type* i64 = llvm::Type::getInt64Ty(context);
  for (const KernelParam& param : kernel.params) {
    const Type& type = program.types->get(param.type);
    if (type.kind == TypeKind::View) types.push_back(pointer);
    else if (type.scalar == Scalar::F32) types.push_back(llvm::Type::getFloatTy(context));
    else if (type.scalar == Scalar::F64) types.push_back(llvm::Type::getDoubleTy(context));
    else types.push_back(llvm::Type::getIntNTy(context, bitsOf(type.scalar)));
  }
  types.append(kernel.dims.size(), i64);
  for (const KernelParam& param : kernel.params)
    if (const Type& type = program.types->get(param.type); type.strided) types.append(type.rank, i64);
  types.append(2 * kernel.axes.size(), i64);
  if (kernel.reduction) types.push_back(pointer);
  types.push_back(pointer);
  types.push_back(llvm::Type::getInt32Ty(context));
  return types;
}

Value evalShape(FunctionLowering& f, const Kernel& kernel, const ShapeExpr& expr, const SpecKey& spec) {
  auto operand = [&](size_t i) { return evalShape(f, kernel, expr.operands[i], spec); };
  switch (expr.op) {
    case ShapeOp::Constant: return f.constantIndex(expr.value);
    case ShapeOp::Dimension: return f.readLocal(kernel.dims[expr.value].local);
    case ShapeOp::Parameter: return f.convert(f.readLocal(kernel.params[expr.value].local), f.program().types->index());
    case ShapeOp::Add: return f.arithmetic(BinaryOp::Add, operand(0), operand(1), {});
    case ShapeOp::Sub: return f.arithmetic(BinaryOp::Sub, operand(0), operand(1), {});
    case ShapeOp::Mul: return f.arithmetic(BinaryOp::Mul, operand(0), operand(1), {});
    case ShapeOp::Div: return f.arithmetic(BinaryOp::Div, operand(0), operand(1), {});
    case ShapeOp::Rem: return f.arithmetic(BinaryOp::Rem, operand(0), operand(1), {});
    case ShapeOp::Min:
    case ShapeOp::Max: {
      Value both[2] = {operand(0), operand(1)};
      return f.mathCall(expr.op == ShapeOp::Min ? Math::Min : Math::Max, both);
    }
    case ShapeOp::CeilDiv: {
      Value divisor = operand(1);
      Value above =
          f.arithmetic(BinaryOp::Sub, f.arithmetic(BinaryOp::Add, operand(0), divisor, {}), f.constantIndex(1), {});
      return f.arithmetic(BinaryOp::Div, above, divisor, {});
    }
  }
  return {};
}

namespace {

bool isOne(const Value& step) {
  auto* constant = llvm::dyn_cast<llvm::ConstantInt>(step.scalar);
  return constant && constant->isOne();
}

}  // namespace

Value axisCount(FunctionLowering& f, const KernelArguments& arguments, size_t axis) {
  Value extent = f.arithmetic(BinaryOp::Sub, arguments.high[axis], arguments.low[axis], {});
  const Value& step = arguments.step[axis];
  if (isOne(step)) return extent;
  extent.range = {1, std::max<int64_t>(extent.range.high, 1)};
  Value before = f.arithmetic(BinaryOp::Sub, extent, f.constantIndex(1), {});  // the distance of the last place
  return f.arithmetic(BinaryOp::Add, f.arithmetic(BinaryOp::Div, before, step, {}), f.constantIndex(1), {});
}

llvm::Value* axisOffset(FunctionLowering& f, const KernelArguments& arguments, size_t axis, llvm::Value* coordinate) {
  const Value& step = arguments.step[axis];
  if (isOne(step)) return coordinate;
  llvm::IRBuilder<>& b = f.builder();
  return b.CreateMul(coordinate, b.CreateZExtOrTrunc(step.scalar, coordinate->getType()), "", true, true);
}

Value axisValue(FunctionLowering& f, const KernelArguments& arguments, size_t axis, llvm::Value* coordinate) {
  const Value& low = arguments.low[axis];
  int64_t most = arguments.high[axis].range.high - 1;
  llvm::Value* offset = axisOffset(f, arguments, axis, coordinate);
  Value from0 = f.scalar(f.program().types->index(), offset, {0, std::max<int64_t>(most - low.range.low, 0)});
  Value variable = f.arithmetic(BinaryOp::Add, low, from0, {});
  variable.range = {low.range.low, std::max(most, low.range.low)};
  if (f.options().narrowIndices && variable.range.fitsI32() && !variable.scalar->getType()->isIntegerTy(32))
    variable.scalar = f.builder().CreateTrunc(variable.scalar, f.builder().getInt32Ty(), "", false, true);
  return variable;
}

KernelArguments bindKernelArguments(FunctionLowering& f, const Kernel& kernel, llvm::ArrayRef<llvm::Value*> arguments,
                                    const SpecKey& spec) {
  llvm::IRBuilder<>& b = f.builder();
  TypeTable& types = *f.program().types;
  KernelArguments result;
  size_t next = kernel.params.size();
  for (const KernelDim& dim : kernel.dims)
    f.bind(dim.local, f.indexFrom(arguments[next++], {dim.property ? 1 : 0, sizeRange(spec).high}));
  // Scalars first: shapes may name them.
  for (size_t i = 0; i < kernel.params.size(); ++i) {
    const KernelParam& param = kernel.params[i];
    if (types.get(param.type).kind != TypeKind::View) f.bind(param.local, f.fromMemory(param.type, arguments[i]));
  }

  // A dimension that is the last of a matrix is a multiple of 4 where the specialisation says so; made visible to the
  // optimiser.
  if (spec.innerDivisible4) {
    std::vector<bool> isInner(kernel.dims.size());
    for (const KernelParam& param : kernel.params)
      if (types.get(param.type).kind == TypeKind::View && param.shape.size() >= 2 &&
          param.shape.back().op == ShapeOp::Dimension)
        isInner[param.shape.back().value] = true;
    for (size_t i = 0; i < kernel.dims.size(); ++i) {
      if (!isInner[i]) continue;
      Value dim = f.readLocal(kernel.dims[i].local);
      dim.scalar = b.CreateAnd(dim.scalar, llvm::ConstantInt::getSigned(dim.scalar->getType(), -4));
      f.bind(kernel.dims[i].local, dim);
    }
  }

  for (size_t i = 0; i < kernel.params.size(); ++i) {
    const KernelParam& param = kernel.params[i];
    const Type& type = types.get(param.type);
    if (type.kind != TypeKind::View) continue;
    auto view = std::make_shared<ViewValue>();
    view->base = arguments[i];
    view->element = type.element;
    view->readOnly = !param.isMut && !spec.aliased;
    view->small = spec.small;
    for (unsigned axis = 0; axis < type.rank && type.strided; ++axis)
      view->strides.push_back(f.indexFrom(arguments[next++], sizeRange(spec)));
    view->align = f.alignOf(type.element);
    if (spec.aligned16) view->align = std::max(view->align, llvm::Align(16));
    for (const ShapeExpr& axis : param.shape) {
      Value extent = evalShape(f, kernel, axis, spec);
      // The launch has compared the array's extents with these: they lie in range whatever their expression could be.
      Interval range = sizeRange(spec);
      range = {std::max(range.low, extent.range.low), std::min(range.high, extent.range.high)};
      if (range.high < range.low) range = sizeRange(spec);
      if (axis.op == ShapeOp::Dimension) extent.range = range;
      else if (axis.op != ShapeOp::Constant) extent = f.indexFrom(f.wide(extent), range);
      view->extents.push_back(extent);
    }
    Value value;
    value.type = param.type;
    value.view = std::move(view);
    f.bind(param.local, std::move(value));
  }

  // Bounds of the domain: from the parameter, or from what it equals where that shows more.
  Interval bounds = spec.small ? Interval{-smallLimit, smallLimit} : Interval{-(int64_t(1) << 62), int64_t(1) << 62};
  for (const DomainAxis& axis : kernel.axes) {
    auto bound = [&](const ShapeExpr& expr, llvm::Value* argument) {
      if (expr.op == ShapeOp::Constant || expr.op == ShapeOp::Dimension) return evalShape(f, kernel, expr, spec);
      Interval known = shapeRange(f.program(), kernel, expr, spec);
      known = {std::max(known.low, bounds.low), std::min(known.high, bounds.high)};
      return f.indexFrom(argument, known.high < known.low ? bounds : known);
    };
    result.low.push_back(bound(axis.low, arguments[next]));
    result.high.push_back(bound(axis.high, arguments[next + 1]));
    next += 2;
    Value step = evalShape(f, kernel, axis.step, spec);
    if (axis.step.op != ShapeOp::Constant) {  // the launch has seen that it is positive
      Interval known = shapeRange(f.program(), kernel, axis.step, spec);
      step = f.indexFrom(f.wide(step),
                         {std::max<int64_t>(known.low, 1), std::max<int64_t>(std::min(known.high, bounds.high), 1)});
    }
    result.step.push_back(step);
  }
  if (kernel.reduction) result.partials = arguments[next++];
  result.failureState = arguments[next++];
  result.serial = arguments[next++];
  assert(next == arguments.size());
  return result;
}

llvm::SmallVector<llvm::Value*, 8> promiseValues(FunctionLowering& f, const Kernel& kernel, llvm::Value* first,
                                                 llvm::Value* other) {
  llvm::SmallVector<llvm::Value*, 8> values = {first, other};
  const size_t rank = kernel.threadLow.size();
  for (size_t i = 0; i < 3; ++i)
    values.push_back(f.builder().getInt64(i < rank ? static_cast<uint64_t>(kernel.threadLow[rank - 1 - i]) : 0));
  return values;
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Expressions of host code that the runtime carries out, and calls of host functions.
#include "codegen/host/script.h"

#include "codegen/host/walk.h"
#include "frontend/sema/children.h"
#include "runtime/api/host_abi.h"

#include <llvm/IR/MDBuilder.h>

namespace rad::cg {

llvm::Value* ScriptLowering::call(const char* name, llvm::ArrayRef<llvm::Value*> arguments) {
  return b().CreateCall(unit_.runtime(name), arguments);
}

void ScriptLowering::checkStatus(llvm::Value* status) {
  llvm::BasicBlock* failed = f_.newBlock("failed");
  llvm::BasicBlock* good = f_.newBlock("good");
  b().CreateCondBr(b().CreateICmpEQ(status, b().getInt32(0)), good, failed,
                   llvm::MDBuilder(f_.context()).createLikelyBranchWeights());
  f_.placeAt(failed);
  b().CreateStore(status, status_);
  b().CreateBr(exit_);
  f_.placeAt(good);
}

void ScriptLowering::callChecked(const char* name, llvm::ArrayRef<llvm::Value*> arguments) {
  checkStatus(call(name, arguments));
}

void ScriptLowering::emitFailure(FunctionLowering&, SiteId site, llvm::Value* value, llvm::Value* extent) {
  auto orZero = [&](llvm::Value* v) -> llvm::Value* { return v ? v : b().getInt64(0); };
  b().CreateStore(call("rad_check_failed", {context(), siteOf(site), orZero(value), orZero(extent)}), status_);
  b().CreateBr(exit_);
}

llvm::Value* ScriptLowering::kernelArguments(const std::vector<TExprId>& arguments) {
  llvm::SmallVector<llvm::Value*, 8> addresses;
  for (TExprId id : arguments) {
    Value value = f_.eval(id);
    addresses.push_back(value.view ? passView(value) : passScalar(value));
  }
  return passArray(addresses, b().getPtrTy(), "arguments");
}

std::pair<llvm::Value*, llvm::Value*> ScriptLowering::printArguments(const std::vector<TExprId>& arguments) {
  // Tuples print as their items do; sema gives one `{}` a value.
  auto* array = llvm::ArrayType::get(unit_.printArgument, std::max<size_t>(arguments.size(), 1));
  llvm::AllocaInst* memory = f_.newAlloca(array, "printed");
  for (size_t i = 0; i < arguments.size(); ++i) {
    Value value = f_.eval(arguments[i]);
    llvm::Value* data;
    llvm::Value* element = b().getInt32(0);
    int kind;
    if (value.view) {
      kind = 1;
      data = passView(value);
      element = elementTypeOf(value.view->element);
    } else if (program_.types->get(value.type).kind == TypeKind::String) {
      kind = 2;
      data = passString(value);
    } else {
      kind = 0;
      data = passScalar(value);
      element = elementTypeOf(value.type);
    }
    llvm::Value* item = b().CreateConstInBoundsGEP2_64(array, memory, 0, i);
    b().CreateStore(b().getInt32(kind), b().CreateStructGEP(unit_.printArgument, item, 0));
    b().CreateStore(element, b().CreateStructGEP(unit_.printArgument, item, 1));
    b().CreateStore(data, b().CreateStructGEP(unit_.printArgument, item, 2));
  }
  return {b().getInt32(static_cast<uint32_t>(arguments.size())), memory};
}

// ---- elements ----

ScriptLowering::ElementAccess ScriptLowering::elementAccess(const ViewElement& node) {
  llvm::SmallVector<llvm::Value*, 4> indices;
  for (TExprId index : node.indices) indices.push_back(f_.wide(f_.eval(index)));
  Value view = f_.eval(node.view);
  SiteId site;
  for (SiteId candidate : node.sites)
    if (candidate && !site) site = candidate;
  return {passView(view), passArray(indices, b().getInt64Ty(), "indices"), siteOf(site), view.view->element};
}

Value ScriptLowering::readElement(const ElementAccess& element) {
  llvm::AllocaInst* memory = f_.newAlloca(f_.memoryType(element.type), "element");
  callChecked("rad_element_read", {context(), element.view, element.indices, element.site, memory});
  return f_.load({memory, element.type, memory->getAlign()});
}

void ScriptLowering::writeElement(const ElementAccess& element, const Value& value) {
  callChecked("rad_element_write", {context(), element.view, element.indices, element.site, passScalar(value)});
}

// ---- arrays ----

Value ScriptLowering::newArray(const TExpr& expr, const NewArray& node) {
  llvm::SmallVector<Value, 4> extents;
  llvm::SmallVector<llvm::Value*, 4> sizes;
  for (TExprId extent : node.extents) {
    extents.push_back(f_.eval(extent));
    sizes.push_back(f_.wide(extents.back()));
  }
  llvm::Value* cell = newTemporary("made");
  callChecked("rad_array_new",
              {context(), elementTypeOf(program_.types->get(expr.type).element), b().getInt32(sizes.size()),
               passArray(sizes, b().getInt64Ty(), "extents"), siteOf(node.site), cell});
  return viewOf(expr.type, b().CreateLoad(b().getPtrTy(), cell), b().getInt64(0), extents);
}

Value ScriptLowering::readFile(const TExpr& expr, const ReadFile& node) {
  const Type& type = program_.types->get(expr.type);
  TypeId elementType = unit_.isScalar(expr.type) ? expr.type : type.element;
  Value path = f_.eval(node.path);
  llvm::SmallVector<llvm::Value*, 4> wanted;
  for (TExprId extent : node.extents) wanted.push_back(extent ? f_.wide(f_.eval(extent)) : b().getInt64(RadAnySize));
  llvm::Value* cell = newTemporary("read");
  llvm::AllocaInst* view = f_.newAlloca(unit_.radView, "file");
  b().CreateStore(llvm::Constant::getNullValue(unit_.radView), view);
  callChecked("rad_file_read",
              {context(), formatOf(node.format), passString(path), elementTypeOf(elementType),
               b().getInt32(wanted.size()), passArray(wanted, b().getInt64Ty(), "extents"), siteOf(node.site), view});
  llvm::Value* array = b().CreateLoad(b().getPtrTy(), b().CreateStructGEP(unit_.radView, view, 0));
  b().CreateStore(array, cell);
  if (unit_.isScalar(expr.type))
    return readElement({view, passArray({}, b().getInt64Ty(), "indices"), siteOf(node.site), expr.type});
  llvm::SmallVector<Value, 4> extents;
  for (unsigned axis = 0; axis < type.rank; ++axis) {
    llvm::Value* at =
        b().CreateInBoundsGEP(unit_.radView, view, {b().getInt64(0), b().getInt32(2), b().getInt64(axis)});
    extents.push_back(f_.indexFrom(b().CreateLoad(b().getInt64Ty(), at), {0, INT64_MAX}));
  }
  return viewOf(expr.type, array, b().CreateLoad(b().getInt64Ty(), b().CreateStructGEP(unit_.radView, view, 1)),
                extents);
}

Value ScriptLowering::reduce(const TExpr& expr, const HostReduce& node) {
  llvm::Value* arguments = kernelArguments(node.arguments);
  llvm::AllocaInst* memory = f_.newAlloca(f_.memoryType(expr.type), "reduced");
  callChecked("rad_reduce", {context(), b().getInt32(node.kernel.value), arguments, siteOf(node.site), memory});
  return f_.fromMemory(expr.type, b().CreateLoad(memory->getAllocatedType(), memory));
}

// ---- calls of host functions ----

Value ScriptLowering::callHostFunction(const TExpr& expr, const CallFunction& node) {
  const Function& callee = program_.functions[node.function.value];
  llvm::SmallVector<llvm::Value*, 8> arguments = {context()};
  llvm::SmallVector<std::pair<ElementAccess, llvm::Value*>, 1> elements;  // `mut` elements: written back after the call
  for (size_t i = 0; i < node.arguments.size(); ++i) {
    const Local& parameter = callee.body.locals[callee.params[i].value];
    const TExpr& given = program_.expr(node.arguments[i]);
    if (parameter.kind == LocalKind::MutParam && program_.types->get(parameter.type).kind != TypeKind::View) {
      if (const auto* global = std::get_if<GlobalRef>(&given.node)) {
        arguments.push_back(unit_.globalOf(global->global));
      } else if (const auto* element =
                     std::get_if<ViewElement>(&program_.expr(sema::outermostPlace(program_, node.arguments[i])).node)) {
        ElementAccess access = elementAccess(*element);
        Place whole;
        whole.address = passScalar(readElement(access));
        whole.type = access.type;
        whole.align = f_.alignOf(access.type);
        elements.push_back({access, whole.address});
        arguments.push_back(partPlace(node.arguments[i], whole).address);
      } else if (unit_.isPlain(given.type)) {
        arguments.push_back(f_.evalPlace(node.arguments[i]).address);
      } else {
        arguments.push_back(localStorage(std::get<LocalRef>(given.node).local));
      }
      continue;
    }
    Value value = f_.eval(node.arguments[i]);
    if (unit_.isScalar(value.type)) {
      arguments.push_back(f_.toMemory(value));
    } else {
      llvm::AllocaInst* memory = f_.newAlloca(unit_.storageType(value.type), "argument");
      writeStorage(memory, value);
      arguments.push_back(memory);
    }
  }
  bool hasResult = program_.types->get(callee.result).kind != TypeKind::Unit;
  llvm::AllocaInst* result = nullptr;
  if (hasResult) {
    result = newCleared(unit_.storageType(callee.result), "result");
    if (unit_.holdsArrays(callee.result)) {
      temporaries_.push_back({result, callee.result});
      releaseStorage(result, callee.result);  // of the last round of a loop
    }
    arguments.push_back(result);
  }
  llvm::Value* status = b().CreateCall(unit_.functionOf(node.function), arguments);
  llvm::BasicBlock* failed = f_.newBlock("call.failed");
  llvm::BasicBlock* good = f_.newBlock("good");
  b().CreateCondBr(b().CreateICmpEQ(status, b().getInt32(0)), good, failed,
                   llvm::MDBuilder(f_.context()).createLikelyBranchWeights());
  f_.placeAt(failed);
  if (Position at = unit_.sources().position(expr.range.begin); at.line != 0) {
    std::string place = std::string(at.file) + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
    call("rad_called_from",
         {context(), b().CreateGlobalString(place, "place", 0, &unit_.module()), b().getInt64(place.size())});
  }
  b().CreateStore(status, status_);
  b().CreateBr(exit_);
  f_.placeAt(good);
  for (auto& [access, memory] : elements) writeElement(access, f_.load({memory, access.type, f_.alignOf(access.type)}));
  if (hasResult) return readStorage(result, callee.result);
  Value nothing;
  nothing.type = callee.result;
  return nothing;
}

// ---- the hook ----

bool ScriptLowering::lowerExpr(FunctionLowering& f, TExprId id, Value& result) {
  const TExpr& expr = program_.expr(id);
  f.setPlace(expr.range);
  auto text = [&](llvm::Value* bits) {
    result.type = expr.type;
    result.scalar = bits;
    return true;
  };
  return std::visit(
      detail::Overloaded{
          [&](const ConstString& node) {
            llvm::Constant* data = b().CreateGlobalString(node.value, "text", 0, &unit_.module());
            return text(llvm::ConstantStruct::get(unit_.radString, {data, b().getInt64(node.value.size())}));
          },
          [&](const LocalRef& node) {
            if (unit_.isPlain(expr.type)) return false;
            auto found = locals_.find(node.local.value);
            if (found == locals_.end()) return false;  // an argument
            result = readStorage(found->second, expr.type);
            LocalKind kind = f.local(node.local).kind;
            if (kind == LocalKind::Var || kind == LocalKind::MutParam) pin(result);
            return true;
          },
          [&](const GlobalRef& node) {
            result = readStorage(unit_.globalOf(node.global), expr.type);
            if (program_.globals[node.global.value].isVar) pin(result);
            return true;
          },
          [&](const ViewElement& node) {
            result = readElement(elementAccess(node));
            return true;
          },
          [&](const CallFunction& node) {
            result = callHostFunction(expr, node);
            return true;
          },
          [&](const NewArray& node) {
            result = newArray(expr, node);
            return true;
          },
          [&](const ReadFile& node) {
            result = readFile(expr, node);
            return true;
          },
          [&](const ReadText& node) {
            Value path = f.eval(node.path);
            llvm::AllocaInst* memory = f.newAlloca(unit_.radString, "text");
            callChecked("rad_text_read", {context(), passString(path), siteOf(node.site), memory});
            return text(b().CreateLoad(unit_.radString, memory));
          },
          [&](const FormatText& node) {
            llvm::Constant* format = b().CreateGlobalString(node.format, "format", 0, &unit_.module());
            auto [count, arguments] = printArguments(node.arguments);
            llvm::AllocaInst* memory = f.newAlloca(unit_.radString, "text");
            callChecked("rad_format", {context(), format, b().getInt64(node.format.size()), count, arguments,
                                       siteOf(node.site), memory});
            return text(b().CreateLoad(unit_.radString, memory));
          },
          [&](const TextLength& node) {
            result = f.indexFrom(b().CreateExtractValue(f.eval(node.text).scalar, 1), {0, INT64_MAX});
            return true;
          },
          [&](const TextEqual& node) {
            Value left = f.eval(node.left), right = f.eval(node.right);
            llvm::Value* equal = call("rad_text_equal", {passString(left), passString(right)});
            result = f.scalar(expr.type, b().CreateICmpNE(equal, b().getInt32(0)));
            return true;
          },
          [&](const CopyArray& node) {
            Value from = f.eval(node.view);
            llvm::Value* cell = newTemporary("copied");
            callChecked("rad_view_copy", {context(), passView(from), siteOf(node.site), cell});
            result = viewOf(expr.type, b().CreateLoad(b().getPtrTy(), cell), b().getInt64(0), from.view->extents);
            return true;
          },
          [&](const ArgumentCount&) {
            result = f.indexFrom(call("rad_argument_count", {context()}), {0, INT32_MAX});
            return true;
          },
          [&](const DeviceFact& node) {
            llvm::Value* property = b().getInt32(static_cast<uint32_t>(node.property));
            if (!infoOf(node.property).isText) {
              result = f.indexFrom(call("rad_device_size", {context(), property}), {1, INT64_MAX});
              return true;
            }
            llvm::AllocaInst* memory = f.newAlloca(unit_.radString, "property");
            callChecked("rad_device_text", {context(), property, memory});
            return text(b().CreateLoad(unit_.radString, memory));
          },
          [&](const ArgumentText& node) {
            llvm::Value* index = f.wide(f.eval(node.index));
            llvm::AllocaInst* memory = f.newAlloca(unit_.radString, "argument");
            callChecked("rad_argument", {context(), index, siteOf(node.site), memory});
            return text(b().CreateLoad(unit_.radString, memory));
          },
          [&](const ParseNumber& node) {
            Value from = f.eval(node.text);
            llvm::AllocaInst* memory = f.newAlloca(f.memoryType(expr.type), "number");
            callChecked(isFloat(f.scalarOf(expr.type)) ? "rad_parse_f64" : "rad_parse_i64",
                        {context(), passString(from), siteOf(node.site), memory});
            result = f.fromMemory(expr.type, b().CreateLoad(memory->getAllocatedType(), memory));
            return true;
          },
          [&](const Clock&) {
            llvm::AllocaInst* memory = f.newAlloca(b().getDoubleTy(), "seconds");
            callChecked("rad_clock", {context(), memory});
            result = f.scalar(expr.type, b().CreateLoad(b().getDoubleTy(), memory));
            return true;
          },
          [&](const BenchAgain& node) {
            llvm::Value* bytes = f.wide(f.eval(node.bytes));
            llvm::AllocaInst* memory = f.newAlloca(b().getInt32Ty(), "again");
            callChecked("rad_bench_again", {context(), bytes, memory});
            result = f.scalar(expr.type, b().CreateIsNotNull(b().CreateLoad(b().getInt32Ty(), memory)));
            return true;
          },
          [&](const HostReduce& node) {
            result = reduce(expr, node);
            return true;
          },
          [](const auto&) { return false; },
      },
      expr.node);
}

}  // namespace rad::cg

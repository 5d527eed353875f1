// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls. Device functions become part of their caller; extern ones stay calls, with scalars by value (bool as a byte,
// index as i64), views as their address followed by their extents, and `mut` arguments by address.
#include "codegen/lower/function_lowering.h"

#include <llvm/IR/Module.h>

#include <cassert>

namespace rad::cg {

Value FunctionLowering::lower(const TExpr&, const CallFunction& node) {
  const Function& function = program_.functions[node.function.value];
  return function.isExtern ? callExtern(function, node) : callInline(function, node);
}

Value FunctionLowering::callInline(const Function& function, const CallFunction& node) {
  struct Argument {
    Value value;
    Place place;
  };
  std::vector<Argument> arguments;
  for (size_t i = 0; i < node.arguments.size(); ++i) {
    const Local& parameter = function.body.locals[function.params[i].value];
    // A view is a value itself: what `mut` lets the function change are its elements.
    if (parameter.kind == LocalKind::MutParam && program_.types->get(parameter.type).kind != TypeKind::View)
      arguments.push_back({{}, evalPlace(node.arguments[i])});
    else arguments.push_back({eval(node.arguments[i]), {}});
  }
  llvm::BasicBlock* done = newBlock("returned");
  enterBody(function.body, done);
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].place.address) {
      bindAddress(function.params[i], arguments[i].place.address, arguments[i].place.align);
      slot(function.params[i]).isElement = arguments[i].place.isElement;
    } else {
      bind(function.params[i], std::move(arguments[i].value));
    }
  }
  run(function.body.statements);
  Frame& frame = frames_.back();
  if (!terminated()) frame.returns.push_back({Value{function.result}, builder_.GetInsertBlock()});
  llvm::SmallVector<std::pair<Value, llvm::BasicBlock*>, 2> returns(frame.returns.begin(), frame.returns.end());
  leaveBody();
  done->moveAfter(&function_.back());
  return join(function.result, returns, done);
}

Value FunctionLowering::callExtern(const Function& function, const CallFunction& node) {
  std::vector<llvm::Value*> values;
  std::vector<llvm::Type*> types;
  auto pass = [&](llvm::Value* value) {
    if (value->getType()->isPointerTy() && value->getType()->getPointerAddressSpace() != 0)
      value = builder_.CreateAddrSpaceCast(value, builder_.getPtrTy());
    values.push_back(value);
    types.push_back(value->getType());
  };
  for (size_t i = 0; i < node.arguments.size(); ++i) {
    if (function.body.locals[function.params[i].value].kind == LocalKind::MutParam) {
      pass(evalPlace(node.arguments[i]).address);
      continue;
    }
    Value value = eval(node.arguments[i]);
    if (value.view) {
      pass(value.view->base);
      for (const Value& extent : value.view->extents) pass(wide(extent));
    } else {
      pass(toMemory(value));
    }
  }
  bool hasResult = program_.types->get(function.result).kind != TypeKind::Unit;
  llvm::Type* result = hasResult ? memoryType(function.result) : builder_.getVoidTy();
  llvm::FunctionCallee callee =
      module().getOrInsertFunction(function.symbol, llvm::FunctionType::get(result, types, false));
  llvm::CallInst* call = builder_.CreateCall(callee, values);
  return hasResult ? fromMemory(function.result, call) : Value{function.result};
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Statements of host code.
#include "codegen/host/script.h"
#include "codegen/host/walk.h"
#include "frontend/sema/children.h"

#include <llvm/IR/MDBuilder.h>

namespace rad::cg {

bool ScriptLowering::lowerStmt(FunctionLowering& f, TStmtId id) {
  if (id == inside_) {  // handed on by the lines below
    inside_ = {};
    return false;
  }
  const TStmt& stmt = program_.stmt(id);
  size_t temporaries = temporaries_.size();
  size_t variables = variables_.size();
  if (!statement(stmt, id)) {
    inside_ = id;
    f.run(id);
  }
  if (f.terminated()) return true;
  releaseTemporaries(temporaries);
  // What was declared inside of a loop or branch ends with it, however it was left.
  bool isScope = std::holds_alternative<If>(stmt.node) || std::holds_alternative<While>(stmt.node) ||
                 std::holds_alternative<For>(stmt.node) || std::holds_alternative<Scope>(stmt.node);
  if (isScope)
    for (size_t i = variables; i < variables_.size(); ++i) releaseCell(variables_[i]);
  return true;
}

/// True if done here; false: the shared lowering knows it.
bool ScriptLowering::statement(const TStmt& stmt, TStmtId) {
  return std::visit(
      detail::Overloaded{
          [&](const Declare& node) {
            if (unit_.isPlain(f_.local(node.local).type)) return false;
            llvm::Value* storage = localStorage(node.local);
            // A loop comes here again: the last round's array goes before the new one is made.
            releaseStorage(storage, f_.local(node.local).type);
            if (node.init) assignStorage(storage, f_.eval(node.init));
            return true;
          },
          [&](const Assign& node) { return assign(node); },
          [&](const Return& node) {
            if (!node.value) return false;
            Value value = f_.eval(node.value);
            if (f_.terminated()) return true;
            if (result_) {
              retain(value);
              writeStorage(result_, value);
            }
            b().CreateBr(exit_);
            return true;
          },
          [&](const Assert& node) {
            assertion(node);
            return true;
          },
          [&](const Print& node) {
            llvm::Constant* text = b().CreateGlobalString(node.format, "format", 0, &unit_.module());
            auto [count, arguments] = printArguments(node.arguments);
            callChecked("rad_print", {context(), text, b().getInt64(node.format.size()), count, arguments});
            return true;
          },
          [&](const Launch& node) {
            llvm::Value* arguments = kernelArguments(node.arguments);
            callChecked("rad_launch", {context(), b().getInt32(node.kernel.value), arguments, siteOf(node.site)});
            return true;
          },
          [&](const LaunchOpen& node) {
            llvm::SmallVector<llvm::Value*, 4> statics;
            for (TExprId id : node.statics) {
              Value value = f_.eval(id);
              const bool isReal = isFloat(program_.types->get(value.type).scalar);
              value = f_.convert(value, program_.types->scalar(isReal ? Scalar::F64 : Scalar::I64));
              statics.push_back(isReal ? b().CreateBitCast(value.scalar, b().getInt64Ty()) : value.scalar);
            }
            llvm::Value* known = passArray(statics, b().getInt64Ty(), "statics");
            llvm::Value* arguments = kernelArguments(node.arguments);
            callChecked("rad_launch_open", {context(), b().getInt32(node.kernel), b().getInt32(node.statics.size()),
                                            known, arguments, siteOf(node.site)});
            return true;
          },
          [&](const BindView& node) {
            bindExtents(node.view, node.expected, node.sites, [&](size_t i, const Value& extent) {
              if (i < node.extents.size() && node.extents[i]) f_.writeLocal(node.extents[i], extent);
            });
            return true;
          },
          [&](const BindGlobals& node) {
            bindExtents(node.view, node.expected, node.sites, [&](size_t i, const Value& extent) {
              if (i < node.extents.size() && node.extents[i]) writeStorage(unit_.globalOf(node.extents[i]), extent);
            });
            return true;
          },
          [&](const WriteFile& node) {
            Value path = f_.eval(node.path);
            Value array = f_.eval(node.view);
            callChecked("rad_file_write",
                        {context(), formatOf(node.format), passString(path), passView(array), siteOf(node.site)});
            return true;
          },
          [&](const WriteText& node) {
            Value path = f_.eval(node.path);
            Value text = f_.eval(node.text);
            callChecked("rad_text_write",
                        {context(), passString(path), passString(text), b().getInt32(node.append), siteOf(node.site)});
            return true;
          },
          [&](const Sync& node) {
            callChecked("rad_sync", {context(), siteOf(node.site)});
            return true;
          },
          [](const auto&) { return false; },
      },
      stmt.node);
}

bool ScriptLowering::assign(const Assign& node) {
  const TExpr& place = program_.expr(node.place);
  if (const auto* local = std::get_if<LocalRef>(&place.node)) {
    if (unit_.isPlain(place.type)) return false;
    assignStorage(localStorage(local->local), f_.eval(node.value));
    return true;
  }
  if (const auto* global = std::get_if<GlobalRef>(&place.node)) {
    Value value = f_.eval(node.value);
    llvm::Value* address = unit_.globalOf(global->global);
    if (node.op) value = f_.arithmetic(*node.op, readStorage(address, place.type), value, node.site);
    assignStorage(address, value);
    return true;
  }
  if (const auto* element = std::get_if<ViewElement>(&place.node)) {
    Value value = f_.eval(node.value);
    ElementAccess access = elementAccess(*element);
    if (node.op) value = f_.arithmetic(*node.op, readElement(access), value, node.site);
    writeElement(access, value);
    return true;
  }
  if (sema::wholeOfPart(program_, node.place)) {
    const auto* element = std::get_if<ViewElement>(&program_.expr(sema::outermostPlace(program_, node.place)).node);
    if (!element) return false;
    assignInElement(node, *element);
    return true;
  }
  // A whole view: elements are copied, or all set to one value.
  Value value = f_.eval(node.value);
  Value target = f_.eval(node.place);
  llvm::Value* to = passView(target);
  if (value.view) callChecked("rad_view_assign", {context(), to, passView(value), siteOf(node.site)});
  else callChecked("rad_view_fill", {context(), to, passScalar(value), siteOf(node.site)});
  return true;
}

/// x[i].y = value: the element is read, changed and written back.
void ScriptLowering::assignInElement(const Assign& node, const ViewElement& element) {
  Value value = f_.eval(node.value);
  ElementAccess access = elementAccess(element);
  Place whole;
  whole.address = passScalar(readElement(access));
  whole.type = access.type;
  whole.align = f_.alignOf(access.type);
  const Place place = partPlace(node.place, whole);
  if (node.op) value = f_.arithmetic(*node.op, f_.load(place), value, node.site);
  f_.store(place, value);
  writeElement(access, f_.load(whole));
}

Place ScriptLowering::partPlace(TExprId id, const Place& whole) {
  const TExpr& part = program_.expr(id);
  if (const auto* item = std::get_if<TupleItem>(&part.node))
    return f_.memberOf(partPlace(item->tuple, whole), item->position);
  if (const auto* slice = std::get_if<ElementSlice>(&part.node))
    return f_.sliceOf(partPlace(slice->value, whole), *slice, part.type);
  if (const auto* swizzle = std::get_if<Swizzle>(&part.node)) {
    Place some = partPlace(swizzle->vector, whole);
    some.type = part.type;
    some.lanes.assign(swizzle->lanes.begin(), swizzle->lanes.end());
    return some;
  }
  const auto* element = std::get_if<ElementOf>(&part.node);
  if (!element) return whole;
  const Place outer = partPlace(element->value, whole);
  return f_.elementOf(outer, f_.checkedElement(outer.type, *element));
}

bool ScriptLowering::placeOf(FunctionLowering& f, TExprId id, Place& result) {
  const TExpr& expr = program_.expr(id);
  const auto* global = std::get_if<GlobalRef>(&expr.node);
  if (!global || !unit_.isPlain(expr.type)) return false;
  result.address = unit_.globalOf(global->global);
  result.type = expr.type;
  result.align = f.alignOf(expr.type);
  return true;
}

void ScriptLowering::beginRound(FunctionLowering&) {
  if (!unit_.options().interruptible) return;
  llvm::BasicBlock* stopped = f_.newBlock("stopped");
  llvm::BasicBlock* good = f_.newBlock("good");
  b().CreateCondBr(isInterrupted(b()), stopped, good, llvm::MDBuilder(f_.context()).createUnlikelyBranchWeights());
  f_.placeAt(stopped);
  b().CreateStore(call("rad_interrupted", {context()}), status_);
  b().CreateBr(exit_);
  f_.placeAt(good);
}

void ScriptLowering::assertion(const Assert& node) {
  llvm::Value* holds = f_.evalCondition(node.condition);
  llvm::BasicBlock* failed = f_.newBlock("assert.failed");
  llvm::BasicBlock* good = f_.newBlock("good");
  b().CreateCondBr(holds, good, failed, llvm::MDBuilder(f_.context()).createLikelyBranchWeights());
  f_.placeAt(failed);
  auto [count, arguments] = printArguments(node.arguments);
  b().CreateStore(call("rad_assert_failed", {context(), siteOf(node.site), count, arguments}), status_);
  b().CreateBr(exit_);
  f_.placeAt(good);
}

void ScriptLowering::bindExtents(TExprId view, const std::vector<TExprId>& expected, const std::vector<SiteId>& sites,
                                 llvm::function_ref<void(size_t, const Value&)> bindExtent) {
  Value bound = f_.eval(view);
  // Names bind first; expressions may use them, in any order.
  for (size_t i = 0; i < bound.view->extents.size(); ++i) bindExtent(i, bound.view->extents[i]);
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!expected[i]) continue;
    Value wanted = f_.eval(expected[i]);
    const Value& found = bound.view->extents[i];
    f_.check(b().CreateICmpEQ(f_.wide(found), f_.wide(wanted)), i < sites.size() ? sites[i] : SiteId{}, &found,
             &wanted);
  }
}

}  // namespace rad::cg

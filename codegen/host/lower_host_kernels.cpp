// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/host/native_kernel.h"
#include "codegen/host/walk.h"
#include "codegen/opt/lanes/lanes.h"

#include <fmt/format.h>

#include <functional>
#include <optional>

namespace rad::cg {

namespace {

/// The first function without a host form that a kernel calls, through however many others; null if there is none.
const Function* findExtern(const TypedProgram& program, const Kernel& kernel) {
  std::vector<bool> seen(program.functions.size());
  const Function* found = nullptr;
  std::function<void(TExprId, const TExpr&)> onExpr;
  auto onStmt = [](TStmtId, const TStmt&) {};
  Walker walker(program, [&](TExprId id, const TExpr& expr) { onExpr(id, expr); }, onStmt);
  onExpr = [&](TExprId, const TExpr& expr) {
    const auto* call = std::get_if<CallFunction>(&expr.node);
    if (!call || seen[call->function.value]) return;
    seen[call->function.value] = true;
    const Function& callee = program.functions[call->function.value];
    if (callee.isExtern && !found) found = &callee;
    walker.visit(callee.body.statements);
  };
  walker.visit(kernel.body.statements);
  if (kernel.reduction) {
    if (kernel.reduction->value) walker.visit(kernel.reduction->value);
    if (kernel.reduction->condition) walker.visit(kernel.reduction->condition);
  }
  return found;
}

}  // namespace

CodegenResult<IrModule> lowerHostKernels(const TypedProgram& program, std::span<const KernelId> kernels,
                                         const SpecKey& spec, const CodegenOptions& options,
                                         const SourceManager& sources) {
  std::string name = kernels.size() == 1 ? program.kernels[kernels[0].value].symbol : "kernels";
  auto made = makeHostModule(name, options);
  if (!made) return made;
  if (!options.checkAccesses()) made->module->getOrInsertNamedMetadata(hostKernelsMark);
  LowerOptions lower = hostLowerOptions(options);
  lower.inRange = spec.inRange;
  std::optional<DebugLines> lines;
  if (options.debug && !kernels.empty())
    lines.emplace(*made->module, sources, program.kernels[kernels.front().value].range, DebugLevel::Full);
  lower.lines = lines ? &*lines : nullptr;
  std::optional<AccessPlaces> places;
  if (options.checkAccesses()) lower.places = &places.emplace(*made->context);
  for (KernelId id : kernels) {
    const Kernel& kernel = program.kernels[id.value];
    if (const Function* callee = findExtern(program, kernel))
      return std::unexpected(fmt::format(
          "kernel `{}` calls `{}`, which is device code from another object and has no form for the host; run it "
          "on a CUDA device (--device cuda:0)",
          kernel.name, callee->name));
    if (kernel.isForall) {
      lowerNativeForall(program, kernel, *made->module, lower, spec);
    } else if (auto done = lowerNativeBlocks(program, kernel, *made->module, lower, spec); !done) {
      return std::unexpected(done.error());
    }
  }
  if (lines) lines->finish();
  if (places)
    for (Range range : places->ranges()) made->accesses.push_back(placeManifest(range, sources));
  return made;
}

}  // namespace rad::cg

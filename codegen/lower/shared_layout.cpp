// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/lower/shared_layout.h"

#include "codegen/lower/walk.h"

#include <algorithm>

namespace rad::cg {
namespace {

constexpr uint64_t staticLimit = 48 * 1024;

/// The widest value that a collective of these statements combines, in bytes; functions that they call included.
class CollectiveSize {
 public:
  explicit CollectiveSize(const TypedProgram& program) : program_(program), seen_(program.functions.size()) {}
  void visit(TStmtId id) {
    const TStmt& stmt = program_.stmt(id);
    if (const auto* node = std::get_if<Collective>(&stmt.node)) {
      const Type& type = program_.types->get(program_.expr(node->value).type);
      bytes_ = std::max<uint64_t>(bytes_, bitsOf(type.scalar) / 8);
    }
    forEachPart(stmt, [&](TExprId e) { visit(e); }, [&](TStmtId s) { visit(s); });
  }
  void visit(TExprId id) {
    const TExpr& expr = program_.expr(id);
    if (const auto* call = std::get_if<CallFunction>(&expr.node); call && !seen_[call->function.value]) {
      seen_[call->function.value] = true;
      for (TStmtId stmt : program_.functions[call->function.value].body.statements) visit(stmt);
    }
    forEachPart(expr, [&](TExprId e) { visit(e); }, [&](TStmtId s) { visit(s); });
  }
  uint64_t bytes() const { return bytes_; }

 private:
  const TypedProgram& program_;
  std::vector<bool> seen_;
  uint64_t bytes_ = 0;
};

}  // namespace

SharedLayout layoutShared(const TypedProgram& program, const Kernel& kernel) {
  SharedLayout layout;
  for (LocalId id : kernel.shared) {
    const Local& local = kernel.body.locals[id.value];
    const Type& type = program.types->get(local.type);
    uint64_t size = elementBytes(*program.types, type.kind == TypeKind::View ? type.element : local.type);
    for (uint64_t extent : local.sharedExtents) size *= extent;
    layout.offsets.push_back(layout.bytes);
    layout.sizes.push_back(size);
    layout.bytes += (size + 15) / 16 * 16;
  }
  CollectiveSize collectives(program);
  for (TStmtId stmt : kernel.body.statements) collectives.visit(stmt);
  // One entry a warp, of 8 bytes whatever the type.
  if (collectives.bytes() != 0) layout.scratchBytes = 32 * 8;
  if (kernel.reduction) layout.scratchBytes = 32 * 8;
  layout.isDynamic = layout.bytes + layout.scratchBytes > staticLimit;
  return layout;
}

}  // namespace rad::cg

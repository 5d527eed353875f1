// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Test and bench blocks: host code of its own beside the script, of which it sees nothing.
#include "frontend/sema/checker.h"
#include "frontend/sema/expansion.h"

#include <fmt/format.h>

namespace rad::sema {

void Checker::checkTestNames(const Ast& ast) {
  std::map<std::pair<bool, std::string_view>, Range> names;
  for (StmtId item : ast.items()) {
    const auto* node = std::get_if<DeclStmt>(&ast.stmt(item).node);
    const Decl* decl = node ? &ast.decl(node->decl) : nullptr;
    const auto* block = decl ? std::get_if<TestDecl>(&decl->node) : nullptr;
    if (!block) continue;
    const auto [first, isNew] = names.try_emplace({block->isBench, block->name}, decl->range);
    if (!isNew)
      report(Diag::Redefined, decl->range, {std::string(block->name)}).note(first->second, "first defined here");
  }
}

Body Checker::checkTestBlock(const Ast& ast, ModuleScope& file, const TestDecl& block) {
  Context context{.kind = Context::Kind::Test,
                  .side = Side::Host,
                  .home = &file,
                  .name = std::string(block.name),
                  .result = types().unit()};
  Context* const savedContext = std::exchange(ctx_, &context);
  const Ast* const savedAst = std::exchange(ast_, &ast);
  std::vector<TStmtId> statements;
  context.out = &statements;
  pushScope();
  const Expr& body = expr(block.body);
  const auto* inner = std::get_if<BlockExpr>(&body.node);
  const List<StmtId> written = inner ? inner->statements : List<StmtId>();
  std::optional<Value> none;
  if (!block.isBench) {
    checkStatements(written, false, {}, none);
  } else if (written.empty()) {
    report(Diag::BenchEmpty, body.range, {}).help("what it measures stands last; what stands before is run once");
  } else {
    const TypeId count = types().scalar(Scalar::I64);
    context.benchBytes = addLocal("", count, LocalKind::Var, body.range);
    emit(body.range, Declare{context.benchBytes, constInt(count, 0, body.range)});
    const LocalId bytes = context.benchBytes;
    checkStatements(written.first(written.size() - 1), false, {}, none);
    context.benchBytes = {};
    // The last statement is what is measured: as often as the runtime asks for.
    std::vector<TStmtId> measured;
    context.out = &measured;
    pushScope();
    checkStatements(written.last(1), false, {}, none);
    popScope();
    context.out = &statements;
    const Range range = ast.stmt(written.back()).range;
    emit(range, While{code(types().boolean(), range, BenchAgain{localRef(bytes, range)}).expr, std::move(measured)});
  }
  popScope();
  const TStmtId whole = program_.addStmt(body.range, Scope{std::move(statements)});
  context.body.statements = {whole};
  ctx_ = savedContext;
  ast_ = savedAst;
  return std::move(context.body);
}

Value Checker::callBytes(const CallExpr& node, Range range) {
  if (!countIs("bytes", node.arguments, 1, range)) return errorValue(range);
  const TypeId count = types().scalar(Scalar::I64);
  const Value value = checkExpr(node.arguments[0].value, count);
  if (!ctx_->benchBytes) {
    report(Diag::BenchBytes, range, {})
        .help("there it says what one run of the last statement reads and writes, so that `raddle bench` shows GB/s");
    return errorValue(range);
  }
  if (isError(value.type)) return errorValue(range);
  Value converted = convertValue(value, count, "what `bytes` takes");
  if (!isError(converted.type))
    emit(range, Assign{localRef(ctx_->benchBytes, range), std::nullopt, materialize(converted), {}});
  return unitValue(range);
}

std::optional<TypedProgram> Checker::runBlock(const Ast& ast, ModuleScope& file, const TestDecl& block) {
  const size_t errors = diags_.errorCount();
  unit_ = &file;
  program_.script = checkTestBlock(ast, file, block);
  if (diags_.errorCount() == errors) checkExpansion(program_, diags_);
  if (diags_.errorCount() != errors) return std::nullopt;
  proveChecks(program_, session_.verifyProofs);
  return std::move(program_);
}

}  // namespace rad::sema

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `forall` as a statement of host code: a kernel that takes along what it names, and its launch.
#include "frontend/sema/checker.h"

#include <fmt/format.h>

#include <utility>

namespace rad::sema {

void Checker::reportCapturedAssign(const std::string& name, TypeId type, Range range, Range declared) {
  // What has the copy: the innermost of the contexts that take along.
  const bool isForall = ctx_->kind == Context::Kind::Forall;
  auto builder = report(Diag::CapturedAssign, range,
                        {name, isForall                                 ? "`forall`"
                               : ctx_->kind == Context::Kind::Reduction ? "a generator"
                                                                        : "the lambda"});
  builder.note(declared, "declared here");
  if (isView(type))
    builder.help(isForall ? fmt::format("assign to its elements: {}[i] = ...", name)
                          : "a lambda gives its result, and changes nothing");
  else if (isForall && typeOf(type).kind == TypeKind::Array)
    builder.help(fmt::format("an array value is copied; make it an array: `let {}: [{}; _] = ...`", name,
                             spellType(typeOf(type).element)));
  else if (isForall)
    builder.help(
        fmt::format("add up with a reduction: `{} = sum(x[i] for i in 0..n)`; or make it an array of one element, and "
                    "use atomic.add(&{}[0], ...)",
                    name, name));
  else builder.help("give the new value as the result");
}

bool Checker::noteWrite(TExprId view) {
  if (ctx_->kind != Context::Kind::Forall) return false;
  for (;;) {
    const TExpr& e = program_.expr(view);
    if (const auto* slice = std::get_if<ViewSlice>(&e.node)) {
      view = slice->view;
    } else if (const auto* flat = std::get_if<ViewFlat>(&e.node)) {
      view = flat->view;
    } else if (const auto* ref = std::get_if<LocalRef>(&e.node)) {
      if (auto made = ctx_->madeOf.find(ref->local.value); made != ctx_->madeOf.end()) {
        view = made->second;
        continue;
      }
      for (const auto& [key, binding] : ctx_->captured) {
        if (binding.local != ref->local) continue;
        // Arguments and parameters stand in the same order.
        for (size_t p = 0; p < ctx_->kernel->params.size(); ++p)
          if (ctx_->kernel->params[p].local == ref->local && typeOf(program_.expr(ctx_->captures[p]).type).writable) {
            ctx_->alsoWritten.insert(key);
            return true;
          }
      }
      return false;
    } else {
      return false;
    }
  }
}

void Checker::checkForall(const ForallStmt& node, Range range) {
  if (!isHostCode()) {
    report(Diag::HostOnly, range, {"`forall` as a statement"})
        .help(ctx_->kind == Context::Kind::Forall
                  ? "name all ranges at once: `forall i in 0..n, j in 0..m`; or loop inside: `for j in 0..m`"
                  : "the kernel's own domain runs in parallel; inside of it loops do: `for i in 0..n`");
    return;
  }
  const size_t errors = diags_.errorCount(), before = ctx_->out->size();
  const RangeClause& last = node.clauses.back();
  const Range title{range.begin, expr(last.step ? last.step : last.high).range.end};
  // Which arrays are written to is known at the end of the body: then it is looked at once more.
  std::set<std::string> written;
  for (;;) {
    ctx_->out->resize(before);
    MadeKernel made(*this, title);
    made.kernel.range = range;
    made.context.kind = Context::Kind::Forall;
    made.context.uncheckedDepth = ctx_->uncheckedDepth;
    made.context.written = written;
    if (!openReduction(made.context, made.kernel, node.clauses, "forall")) return;
    Context* const saved = std::exchange(ctx_, &made.context);
    BlockResult block = checkBlock(node.body, false);
    ctx_ = saved;
    if (!made.context.alsoWritten.empty()) {
      written.merge(made.context.alsoWritten);
      continue;
    }
    if (diags_.errorCount() != errors) return;
    made.statements = std::move(block.statements);
    const KernelId id = addKernel(made, "forall");
    ctx_->hasEffects = true;
    emit(range, Launch{id, std::move(made.context.captures), addSite(SiteKind::Launch, range)});
    return;
  }
}

}  // namespace rad::sema

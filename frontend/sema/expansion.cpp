// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How large kernels become: functions are lowered into their callers, so one that is called twice by one that is called
// twice doubles at every step. What would take the back end for ever is refused here.
#include "frontend/sema/expansion.h"

#include "frontend/sema/children.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace rad::sema {
namespace {

/// Operations of a kernel with all that it calls: some seconds of compilation.
constexpr uint64_t mostOperations = 200000;
constexpr size_t mostNamed = 6;  // functions of the chain that a message shows

class Expansion {
 public:
  explicit Expansion(const TypedProgram& program) : program_(program), functions_(program.functions.size()) {}

  void check(const Kernel& kernel, Diagnostics& diagnostics) {
    Part whole;
    statements(kernel.body.statements, whole);
    if (kernel.reduction) {
      expr(kernel.reduction->value, whole);
      if (kernel.reduction->condition) expr(kernel.reduction->condition, whole);
    }
    const uint64_t size = total(whole);
    if (size <= mostOperations) return;
    auto builder = diagnostics.report(Diag::ExpansionSize, kernel.range, {kernel.name, std::to_string(mostOperations)});
    builder.note(kernel.range, chain(whole));
    if (!whole.calls.empty()) builder.help("call functions once and keep the result, or put the calls into a loop");
  }

 private:
  static constexpr uint64_t limit = uint64_t{1} << 60;
  /// A body: its own operations, and how often it calls which function.
  struct Part {
    uint64_t own = 0;
    std::map<uint32_t, uint64_t> calls;
  };
  struct Known {
    bool isCounted = false, isSummed = false;
    Part part;
    uint64_t total = 0;
  };

  void statements(const std::vector<TStmtId>& ids, Part& part) {
    for (TStmtId id : ids) statement(id, part);
  }
  void statement(TStmtId id, Part& part) {
    ++part.own;
    forEachChild(
        program_.stmt(id), [&](TExprId child) { expr(child, part); }, [&](TStmtId child) { statement(child, part); });
  }
  void expr(TExprId id, Part& part) {
    ++part.own;
    const TExpr& e = program_.expr(id);
    if (const auto* call = std::get_if<CallFunction>(&e.node)) ++part.calls[call->function.value];
    forEachChild(e, [&](TExprId child) { expr(child, part); }, [&](TStmtId child) { statement(child, part); });
  }

  /// Device functions do not recurse, and sema bounds how deeply they call each other.
  uint64_t total(const Part& part) {
    uint64_t sum = part.own;
    for (const auto& [id, count] : part.calls) {
      const uint64_t one = total(id);
      sum = one >= limit / std::max<uint64_t>(count, 1) ? limit : std::min(limit, sum + one * count);
    }
    return sum;
  }
  uint64_t total(uint32_t id) {
    Known& known = functions_[id];
    if (known.isSummed) return known.total;
    known.isSummed = true;
    known.total = total(partOf(id));
    return known.total;
  }
  const Part& partOf(uint32_t id) {
    Known& known = functions_[id];
    if (!known.isCounted) {
      known.isCounted = true;
      statements(program_.functions[id].body.statements, known.part);
    }
    return known.part;
  }

  /// The way on which most of it comes: "its calls: 2 of `d`, there 2 of `c`, ...".
  std::string chain(const Part& whole) {
    std::string text;
    const Part* at = &whole;
    for (size_t shown = 0; !at->calls.empty(); ++shown) {
      if (shown == mostNamed) return text + ", and so on";
      auto heaviest = std::max_element(at->calls.begin(), at->calls.end(), [&](const auto& a, const auto& b) {
        return std::min(limit, total(a.first)) / 2 * a.second < std::min(limit, total(b.first)) / 2 * b.second;
      });
      text += fmt::format("{}{} {} of `{}`", shown == 0 ? "most of it comes from " : ", there ", heaviest->second,
                          heaviest->second == 1 ? "call" : "calls", program_.functions[heaviest->first].name);
      at = &partOf(heaviest->first);
    }
    return text.empty() ? "it is that long itself" : text;
  }

  const TypedProgram& program_;
  std::vector<Known> functions_;
};

}  // namespace

void checkExpansion(const TypedProgram& program, Diagnostics& diagnostics) {
  Expansion expansion(program);
  for (const Kernel& kernel : program.kernels) expansion.check(kernel, diagnostics);
}

}  // namespace rad::sema

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Remarks: what makes a kernel slow on a GPU and shows in its text. Distances of accesses are those of neighbouring
// threads (or points), as far as indices are sums of thread numbers times constants and sizes.
#include "frontend/sema/children.h"
#include "frontend/sema/sema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace rad {
namespace {

using namespace sema;

constexpr int64_t warpLanes = 32, banks = 32, bankBytes = 4;

/// How an integer depends on the numbers of the threads.
struct Form {
  bool isKnown = true;
  std::vector<int64_t> factors;  // by thread axis, the last varies fastest
  bool isScaledBySize = false;   // a thread's number times something that is known at run time only
  std::optional<int64_t> constant;
  bool isUniform() const {
    return isKnown && !isScaledBySize && std::ranges::all_of(factors, [](int64_t f) { return f == 0; });
  }
};

class Remarks {
 public:
  Remarks(const TypedProgram& program, const Kernel& kernel, const SourceManager& sources, Diagnostics& diagnostics)
      : program_(program), kernel_(kernel), sources_(sources), diagnostics_(diagnostics), types_(*program.types) {}

  void run() {
    if (kernel_.isForall) axes_ = {kernel_.axes.back().variable};
    else axes_ = kernel_.threads;
    for (LocalId axis : axes_) varies_.insert(axis.value);
    if (kernel_.isForall)
      for (const DomainAxis& axis : kernel_.axes) varies_.insert(axis.variable.value);
    for (size_t before = 0; before != varies_.size();) {  // until nothing is added
      before = varies_.size();
      for (TStmtId id : kernel_.body.statements) findVarying(id);
    }
    for (TStmtId id : kernel_.body.statements) statement(id);
    if (kernel_.reduction) {
      if (kernel_.reduction->condition) expression(kernel_.reduction->condition);
      expression(kernel_.reduction->value);
    }
  }

 private:
  const Local& local(LocalId id) const { return kernel_.body.locals[id.value]; }
  std::string text(Range range) const { return std::string(sources_.text(range)); }
  std::string_view who() const { return kernel_.isForall ? "points" : "threads"; }

  // ---- what differs among threads ----
  bool varies(TExprId id) const {
    if (!id) return false;
    const TExpr& e = program_.expr(id);
    if (const auto* ref = std::get_if<LocalRef>(&e.node)) return varies_.contains(ref->local.value);
    if (std::holds_alternative<AtomicCall>(e.node)) return true;
    bool found = false;
    forEachChild(e, [&](TExprId child) { found = found || varies(child); }, [](TStmtId) {});
    return found;
  }
  void findVarying(TStmtId id) {
    const TStmt& s = program_.stmt(id);
    if (const auto* declare = std::get_if<Declare>(&s.node)) {
      if (declare->init) {
        initial_[declare->local.value] = declare->init;
        if (varies(declare->init)) varies_.insert(declare->local.value);
      }
    } else if (const auto* assign = std::get_if<Assign>(&s.node)) {
      if (const LocalId root = placeRoot(program_, assign->place); root && varies(assign->value))
        varies_.insert(root.value);
    } else if (const auto* loop = std::get_if<For>(&s.node)) {
      loops_[loop->variable.value] = loop;
      if (varies(loop->low) || varies(loop->high)) varies_.insert(loop->variable.value);
    }
    forEachChild(s, [](TExprId) {}, [&](TStmtId child) { findVarying(child); });
  }

  // ---- indices ----
  Form uniform() const { return {true, std::vector<int64_t>(axes_.size()), false, std::nullopt}; }
  static Form unknown() {
    Form form;
    form.isKnown = false;
    return form;
  }
  static Form combined(const Form& a, const Form& b, int64_t sign) {
    if (!a.isKnown || !b.isKnown) return unknown();
    Form sum = a;
    for (size_t i = 0; i < sum.factors.size(); ++i)
      if (__builtin_mul_overflow(b.factors[i], sign, &sum.factors[i]) ||
          __builtin_add_overflow(sum.factors[i], a.factors[i], &sum.factors[i]))
        return unknown();
    sum.isScaledBySize = a.isScaledBySize || b.isScaledBySize;
    sum.constant.reset();
    if (a.constant && b.constant) {
      int64_t value = 0;
      if (!__builtin_mul_overflow(*b.constant, sign, &value) && !__builtin_add_overflow(value, *a.constant, &value))
        sum.constant = value;
    }
    return sum;
  }
  static Form scaled(const Form& a, int64_t by) {
    Form product = a;
    for (int64_t& factor : product.factors)
      if (__builtin_mul_overflow(factor, by, &factor)) return unknown();
    if (product.constant && __builtin_mul_overflow(*product.constant, by, &*product.constant)) product.constant.reset();
    if (by == 0) product.isScaledBySize = false;
    return product;
  }
  Form formOf(TExprId id, unsigned depth = 0) const {
    const TExpr& e = program_.expr(id);
    if (depth > 100) return unknown();
    if (const auto* constant = std::get_if<ConstInt>(&e.node)) {
      Form form = uniform();
      const Type& type = types_.get(e.type);
      int64_t value = static_cast<int64_t>(constant->bits);
      if (type.kind == TypeKind::Scalar && isSignedInteger(type.scalar) && bitsOf(type.scalar) == 32)
        value = static_cast<int32_t>(constant->bits);
      form.constant = value;
      return form;
    }
    if (const auto* ref = std::get_if<LocalRef>(&e.node)) {
      Form form = uniform();
      for (size_t axis = 0; axis < axes_.size(); ++axis)
        if (axes_[axis] == ref->local) {
          form.factors[axis] = 1;
          return form;
        }
      // The other axes of a domain are the same for neighbours.
      if (!varies_.contains(ref->local.value) || local(ref->local).kind == LocalKind::DomainVar) return form;
      if (const auto loop = loops_.find(ref->local.value); loop != loops_.end()) {
        if (loop->second->step && varies(loop->second->step)) return unknown();
        Form low = formOf(loop->second->low, depth + 1);
        low.constant.reset();
        return low;
      }
      const auto init = initial_.find(ref->local.value);
      if (local(ref->local).kind == LocalKind::Let && init != initial_.end()) return formOf(init->second, depth + 1);
      return unknown();
    }
    if (const auto* convert = std::get_if<Convert>(&e.node)) return formOf(convert->operand, depth + 1);
    if (const auto* node = std::get_if<Arithmetic>(&e.node)) {
      if (node->op == BinaryOp::Add || node->op == BinaryOp::Sub)
        return combined(formOf(node->left, depth + 1), formOf(node->right, depth + 1),
                        node->op == BinaryOp::Add ? 1 : -1);
      if (node->op == BinaryOp::Mul) {
        const Form left = formOf(node->left, depth + 1), right = formOf(node->right, depth + 1);
        if (left.constant && right.isKnown) return scaled(right, *left.constant);
        if (right.constant && left.isKnown) return scaled(left, *right.constant);
        if (left.isUniform() && right.isUniform()) return uniform();
        if (left.isKnown && right.isKnown && (left.isUniform() || right.isUniform())) {
          Form product = left.isUniform() ? right : left;
          product.isScaledBySize = true;
          return product;
        }
        return unknown();
      }
    }
    return varies(id) ? unknown() : uniform();
  }

  // ---- accesses ----
  /// The variable that a view's elements are of, and the indices that were fixed on the way: `m[i]` of `m[i][j]`.
  std::optional<LocalId> base(TExprId view, std::vector<TExprId>& fixed) const {
    for (unsigned depth = 0; depth < 100; ++depth) {
      const TExpr& e = program_.expr(view);
      if (const auto* ref = std::get_if<LocalRef>(&e.node)) {
        const LocalKind kind = local(ref->local).kind;
        if (kind != LocalKind::Let) return ref->local;
        const auto init = initial_.find(ref->local.value);
        if (init == initial_.end()) return std::nullopt;
        view = init->second;
      } else if (const auto* slice = std::get_if<ViewSlice>(&e.node)) {
        for (const SliceDim& dim : slice->dims)
          if (dim.isIndex) fixed.push_back(dim.low);
          else if (dim.low || dim.high || dim.step) return std::nullopt;
        view = slice->view;
      } else {
        return std::nullopt;
      }
    }
    return std::nullopt;
  }
  uint64_t bytesOf(TypeId id) const {
    const Type& type = types_.get(id);
    if (type.kind == TypeKind::Scalar) return bitsOf(type.scalar) / 8;
    if (type.kind == TypeKind::Vector) return type.count * bitsOf(types_.get(type.element).scalar) / 8;
    return 0;
  }

  void access(const TExpr& e, const ViewElement& node) {
    std::vector<TExprId> fixed;
    const auto of = base(node.view, fixed);
    const uint64_t bytes = bytesOf(e.type);
    if (!of || !bytes) return;
    const bool isShared = local(*of).kind == LocalKind::Shared;
    std::vector<Form> indices;
    for (TExprId index : fixed) indices.push_back(formOf(index));
    for (TExprId index : node.indices) indices.push_back(formOf(index));
    for (const Form& index : indices)
      if (!index.isKnown) return;
    if (isShared) {
      if (fixed.empty()) conflicts(e, *of, indices, bytes);
      return;
    }
    if (types_.get(local(*of).type).strided) return;
    const size_t fastest = axes_.size() - 1;
    for (size_t i = 0; i + 1 < indices.size(); ++i)
      if (indices[i].factors[fastest] != 0) {
        report(Diag::Uncoalesced, e.range, {std::string(who()), text(e.range), "a row or more"})
            .help(fmt::format(
                "`{}` is what neighbouring {} differ in: let it be in the last index, or go through shared memory",
                local(axes_[fastest]).name, who()));
        return;
      }
    const Form& last = indices.back();
    const int64_t factor = last.factors[fastest];
    if (factor == 0 || (!last.isScaledBySize && (factor == 1 || factor == -1))) return;
    if (last.isScaledBySize) {
      report(Diag::Uncoalesced, e.range, {std::string(who()), text(e.range), "a size of the program or more"})
          .help(fmt::format("`{}` is what neighbouring {} differ in: add it to the index, and multiply others by sizes",
                            local(axes_[fastest]).name, who()));
      return;
    }
    const int64_t apart = (factor < 0 ? -factor : factor) * static_cast<int64_t>(bytes);
    report(Diag::Uncoalesced, e.range, {std::string(who()), text(e.range), fmt::format("{} bytes", apart)})
        .help(fmt::format("let neighbouring {} take neighbouring elements; elements that belong together can be one "
                          "vector, as in [f32x4; n]",
                          who()));
  }

  /// How many lanes of a warp meet in the busiest bank, at different words.
  void conflicts(const TExpr& e, LocalId array, const std::vector<Form>& indices, uint64_t bytes) {
    const std::vector<uint64_t>& extents = local(array).sharedExtents;
    if (extents.size() != indices.size() || bytes > 8) return;
    std::vector<int64_t> factors(axes_.size());
    int64_t size = 1;
    for (size_t i = indices.size(); i-- > 0;) {
      if (indices[i].isScaledBySize) return;
      for (size_t axis = 0; axis < axes_.size(); ++axis) factors[axis] += indices[i].factors[axis] * size;
      size *= static_cast<int64_t>(extents[i]);
    }
    // Accesses of 8 bytes go by half warps.
    const int64_t lanes = bytes == 8 ? warpLanes / 2 : warpLanes;
    std::map<int64_t, std::set<int64_t>> wordsOfBank;
    size_t worst = 1;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      int64_t rest = lane, element = 0;
      for (size_t axis = axes_.size(); axis-- > 0;) {
        element += factors[axis] * (rest % kernel_.threadCount[axis]);
        rest /= kernel_.threadCount[axis];
      }
      if (rest > 0) break;
      const int64_t byte = element * static_cast<int64_t>(bytes);
      const int64_t word = byte >= 0 ? byte / bankBytes : -((-byte + bankBytes - 1) / bankBytes);
      auto& words = wordsOfBank[((word % banks) + banks) % banks];
      words.insert(word);
      worst = std::max(worst, words.size());
    }
    if (worst < 2) return;
    auto remark = report(Diag::BankConflict, e.range, {text(e.range), std::to_string(worst)});
    remark.note(local(array).range, fmt::format("`{}` is declared here", local(array).name));
    if (extents.size() > 1 && extents.back() % 2 == 0)
      remark.help(
          fmt::format("make its rows one element longer: {} instead of {}", extents.back() + 1, extents.back()));
    else remark.help("let neighbouring threads take neighbouring elements");
  }

  Diagnostics::Builder report(Diag kind, Range range, std::vector<std::string> arguments) {
    if (isOfLibrary(range, sources_)) return {diagnostics_, Diagnostics::Builder::npos};
    return diagnostics_.report(kind, range, std::move(arguments));
  }

  // ---- the walk ----
  void expression(TExprId id) {
    if (!id) return;
    const TExpr& e = program_.expr(id);
    if (const auto* element = std::get_if<ViewElement>(&e.node)) access(e, *element);
    if (const auto* part = std::get_if<ElementOf>(&e.node)) {
      const TExprId whole = outermostPlace(program_, id);
      if (const auto* ref = std::get_if<LocalRef>(&program_.expr(whole).node);
          ref && types_.get(program_.expr(part->value).type).kind == TypeKind::Array && !isFixed(part->index))
        report(Diag::LocalArray, e.range, {local(ref->local).name, text(program_.expr(part->index).range)})
            .note(local(ref->local).range, fmt::format("`{}` is declared here", local(ref->local).name))
            .help(
                "registers have no index: use constants, or loops with constant bounds, which are unrolled; large "
                "tables belong into shared memory");
    }
    forEachChild(e, [&](TExprId child) { expression(child); }, [&](TStmtId child) { statement(child); });
  }
  /// Known once loops with constant bounds are unrolled.
  bool isFixed(TExprId id) const {
    const TExpr& e = program_.expr(id);
    if (std::holds_alternative<ConstInt>(e.node)) return true;
    if (const auto* ref = std::get_if<LocalRef>(&e.node)) {
      if (const auto loop = loops_.find(ref->local.value); loop != loops_.end())
        return std::holds_alternative<ConstInt>(program_.expr(loop->second->low).node) &&
               std::holds_alternative<ConstInt>(program_.expr(loop->second->high).node);
      const auto init = initial_.find(ref->local.value);
      return local(ref->local).kind == LocalKind::Let && init != initial_.end() && isFixed(init->second);
    }
    if (!std::holds_alternative<Arithmetic>(e.node) && !std::holds_alternative<Convert>(e.node)) return false;
    bool fixed = true;
    forEachChild(e, [&](TExprId child) { fixed = fixed && isFixed(child); }, [](TStmtId) {});
    return fixed;
  }
  void rounds(TExprId bound) {
    if (!bound || !varies(bound)) return;
    report(Diag::DivergentLoop, program_.expr(bound).range,
           {text(program_.expr(bound).range), kernel_.isForall ? "point to point" : "thread to thread"})
        .help(
            "a warp takes as many rounds as the longest of its threads: let neighbours have similar numbers, or share "
            "the work of one among several");
  }
  void statement(TStmtId id) {
    const TStmt& s = program_.stmt(id);
    if (const auto* loop = std::get_if<While>(&s.node)) {
      rounds(loop->condition);
    } else if (const auto* counted = std::get_if<For>(&s.node)) {
      rounds(counted->high);
      // From a thread's number in steps: the rounds differ by one.
      if (!varies(counted->high) && !counted->step) rounds(counted->low);
    }
    forEachChild(s, [&](TExprId child) { expression(child); }, [&](TStmtId child) { statement(child); });
  }

  const TypedProgram& program_;
  const Kernel& kernel_;
  const SourceManager& sources_;
  Diagnostics& diagnostics_;
  const TypeTable& types_;
  std::vector<LocalId> axes_;  // of threads, or the last of a forall's
  std::set<uint32_t> varies_;  // locals
  std::map<uint32_t, TExprId> initial_;
  std::map<uint32_t, const For*> loops_;  // by variable
};

}  // namespace

bool isOfLibrary(Range range, const SourceManager& sources) {
  return sources.name(sources.fileOf(range.begin)).starts_with("<library>/");
}

void findRemarks(const TypedProgram& program, KernelId kernel, const SourceManager& sources, Diagnostics& diagnostics) {
  Remarks(program, program.kernels[kernel.value], sources, diagnostics).run();
}

}  // namespace rad

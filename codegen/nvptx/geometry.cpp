// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How a kernel's domain is divided among threads. A forall thread takes several neighbouring points where that turns
// its accesses into 16-byte ones: the body must be straight-line code, every access at the point's own place in the
// last axis.
#include "codegen/codegen.h"
#include "codegen/lower/walk.h"
#include "frontend/diagnostics/diagnostics.h"
#include "frontend/sema/children.h"
#include "frontend/sema/sema.h"

#include <algorithm>
#include <numeric>

namespace rad::cg {
namespace {

constexpr uint32_t forallThreads = 256;
constexpr uint32_t reductionBlocks = 1024;
constexpr unsigned largestBody = 96;  // expressions; beyond that several copies cost more than they bring

constexpr const char* keptCheck = "this index has to be checked, and a failure names its point";
constexpr const char* mayFail = "a division by zero would name its point";

/// What keeps a thread from taking several points.
struct Obstacle {
  Range range;
  const char* why;
};

/// Looks through the body of a point.
class PointBody {
 public:
  PointBody(const TypedProgram& program, const Kernel& kernel, const SpecKey& spec)
      : program_(program),
        inRange_(spec.inRange),
        lastAxis_(kernel.axes.back().variable),
        depends_(kernel.body.locals.size()) {
    depends_[lastAxis_.value] = true;
    body_ = &kernel.body;
    for (TStmtId stmt : kernel.body.statements) visit(stmt);
    if (kernel.reduction) {
      visit(kernel.reduction->value);
      if (kernel.reduction->condition) visit(kernel.reduction->condition);
    }
  }
  /// Why the point is no straight line of accesses at its own place; null: it is one.
  const Obstacle* obstacle() const { return obstacle_ ? &*obstacle_ : nullptr; }
  unsigned size() const { return size_; }
  /// The smallest element size, in bytes, among accesses at the point's own place; 0 if there is none.
  unsigned elementBytes() const { return elementBytes_; }
  /// All constants that are added to the last axis in such accesses are multiples of this.
  int64_t offsetMultiple() const { return offsets_; }
  /// The first access with such a constant.
  Range besidePoint() const { return besidePoint_; }

 private:
  void refuse(Range range, const char* why) {
    if (!obstacle_) obstacle_ = {range, why};
  }
  void visit(TStmtId id) {
    const TStmt& stmt = program_.stmt(id);
    if (const auto* declare = std::get_if<Declare>(&stmt.node)) {
      if (declare->init && dependsOnPoint(declare->init)) depends_[declare->local.value] = true;
    } else if (const auto* assign = std::get_if<Assign>(&stmt.node)) {
      if (const LocalId root = sema::placeRoot(program_, assign->place)) depends_[root.value] = true;
      if (assign->site && !divisorIsSafe(assign->op, assign->value)) refuse(stmt.range, mayFail);
    } else if (const auto* branch = std::get_if<If>(&stmt.node)) {
      refuse(program_.expr(branch->condition).range, "points go different ways by this condition");
    } else if (std::holds_alternative<For>(stmt.node) || std::holds_alternative<While>(stmt.node)) {
      refuse(stmt.range, "the body has a loop");
    } else if (!std::holds_alternative<Evaluate>(stmt.node) && !std::holds_alternative<Scope>(stmt.node)) {
      refuse(stmt.range, "this is more than an assignment");
    }
    forEachPart(stmt, [&](TExprId e) { visit(e); }, [&](TStmtId s) { visit(s); });
  }

  void visit(TExprId id) {
    ++size_;
    const TExpr& expr = program_.expr(id);
    if (const auto* element = std::get_if<ViewElement>(&expr.node)) access(expr.range, *element, expr.type);
    else if (std::holds_alternative<IfValue>(expr.node) || std::holds_alternative<Logic>(expr.node) ||
             std::holds_alternative<ViewSlice>(expr.node) || std::holds_alternative<CallFunction>(expr.node)) {
      if (!isPlainCall(expr) && !isPlainChoice(expr))
        refuse(expr.range, "a choice, call or slice here reads memory, or is no straight line");
    } else if (const auto* item = std::get_if<ElementOf>(&expr.node)) {
      if (item->check == Check::Checked) refuse(expr.range, keptCheck);  // a failure names its point
    } else if (std::holds_alternative<AtomicCall>(expr.node)) {
      refuse(expr.range, "atomic operations take single elements");
    } else if (const auto* arithmetic = std::get_if<Arithmetic>(&expr.node)) {
      if (arithmetic->site && !divisorIsSafe(arithmetic->op, arithmetic->right)) refuse(expr.range, mayFail);
    }
    forEachPart(expr, [&](TExprId e) { visit(e); }, [&](TStmtId s) { visit(s); });
  }

  /// A function of scalars whose body is let statements and a return.
  bool isPlainCall(const TExpr& expr) {
    const auto* call = std::get_if<CallFunction>(&expr.node);
    if (!call) return false;
    const Function& function = program_.functions[call->function.value];
    if (function.isExtern) return false;
    for (TExprId argument : call->arguments)
      if (program_.types->get(program_.expr(argument).type).kind != TypeKind::Scalar) return false;
    for (size_t i = 0; i < function.body.statements.size(); ++i) {
      const TStmt& stmt = program_.stmt(function.body.statements[i]);
      bool isLast = i + 1 == function.body.statements.size();
      if (!std::holds_alternative<Declare>(stmt.node) && !(isLast && std::holds_alternative<Return>(stmt.node)))
        return false;
      bool plain = true;
      forEachPart(stmt, [&](TExprId e) { plain &= isPlain(e); }, [&](TStmtId) { plain = false; });
      if (!plain) return false;
    }
    return true;
  }
  /// `if`, `and`, `or` on values without effects: selects in the end.
  bool isPlainChoice(const TExpr& expr) {
    bool plain = std::holds_alternative<IfValue>(expr.node) || std::holds_alternative<Logic>(expr.node);
    forEachPart(expr, [&](TExprId e) { plain &= isPlain(e); }, [&](TStmtId) { plain = false; });
    return plain;
  }
  bool isPlain(TExprId id) {
    ++size_;
    const TExpr& expr = program_.expr(id);
    if (std::holds_alternative<ViewElement>(expr.node) || std::holds_alternative<ViewSlice>(expr.node) ||
        std::holds_alternative<AtomicCall>(expr.node))
      return false;
    if (const auto* arithmetic = std::get_if<Arithmetic>(&expr.node);
        arithmetic && arithmetic->site && !divisorIsSafe(arithmetic->op, arithmetic->right))
      return false;
    if (std::holds_alternative<CallFunction>(expr.node)) return isPlainCall(expr);
    bool plain = true;
    forEachPart(expr, [&](TExprId e) { plain &= isPlain(e); }, [&](TStmtId) { plain = false; });
    return plain;
  }

  bool divisorIsSafe(std::optional<BinaryOp> op, TExprId right) {
    if (!op || (*op != BinaryOp::Div && *op != BinaryOp::Rem)) return true;
    const auto* constant = std::get_if<ConstInt>(&program_.expr(right).node);
    return constant && constant->bits != 0;
  }

  bool dependsOnPoint(TExprId id) {
    const TExpr& expr = program_.expr(id);
    if (const auto* ref = std::get_if<LocalRef>(&expr.node))
      return ref->local.value >= depends_.size() || depends_[ref->local.value];
    bool depends = std::holds_alternative<CallFunction>(expr.node) || std::holds_alternative<AtomicCall>(expr.node);
    forEachPart(expr, [&](TExprId e) { depends |= dependsOnPoint(e); }, [&](TStmtId) { depends = true; });
    return depends;
  }

  /// The constant c if the expression is the last axis' variable plus c.
  std::optional<int64_t> offsetFromPoint(TExprId id) {
    const TExpr& expr = program_.expr(id);
    if (const auto* ref = std::get_if<LocalRef>(&expr.node))
      return ref->local == lastAxis_ ? std::optional<int64_t>(0) : std::nullopt;
    const auto* sum = std::get_if<Arithmetic>(&expr.node);
    if (!sum || (sum->op != BinaryOp::Add && sum->op != BinaryOp::Sub)) return std::nullopt;
    const auto* constant = std::get_if<ConstInt>(&program_.expr(sum->right).node);
    std::optional<int64_t> base = offsetFromPoint(sum->left);
    if (!constant || !base) return std::nullopt;
    int64_t value = static_cast<int64_t>(constant->bits);
    return sum->op == BinaryOp::Add ? *base + value : *base - value;
  }

  void access(Range range, const ViewElement& element, TypeId type) {
    for (Check check : element.checks)
      if (check == Check::Checked || (check == Check::AtLaunch && !inRange_)) refuse(range, keptCheck);
    bool dependent = false;
    for (size_t i = 0; i + 1 < element.indices.size(); ++i)
      if (dependsOnPoint(element.indices[i])) refuse(range, "neighbouring points are rows apart");
    dependent = dependsOnPoint(element.indices.back());
    if (!dependent) return;
    std::optional<int64_t> offset = offsetFromPoint(element.indices.back());
    if (program_.types->get(program_.expr(element.view).type).strided)
      refuse(range, "elements of a strided view lie apart");
    const auto* view = std::get_if<LocalRef>(&program_.expr(element.view).node);
    if (!offset || !view || body_->locals[view->local.value].kind != LocalKind::Param) {
      if (!offset || !view || body_->locals[view->local.value].kind != LocalKind::MutParam)
        return refuse(
            range, !offset ? "this element is not the point's own place" : "this view is no parameter of the kernel");
    }
    // What has parts is not read as a whole.
    if (program_.types->get(type).kind == TypeKind::Tuple || program_.types->get(type).kind == TypeKind::Array)
      return refuse(range, "structs, tuples and array values are accessed part by part");
    // Three of something do not fill 16 bytes, four times three do.
    const Type& known = program_.types->get(type);
    const bool isTriple = known.kind == TypeKind::Vector && known.count == 3;
    const auto bytes = static_cast<unsigned>(cg::elementBytes(*program_.types, isTriple ? known.element : type));
    elementBytes_ = elementBytes_ == 0 ? bytes : std::min(elementBytes_, bytes);
    offsets_ = std::gcd(offsets_, *offset);
    if (*offset != 0 && !besidePoint_.valid()) besidePoint_ = range;
  }

  const TypedProgram& program_;
  bool inRange_;
  LocalId lastAxis_;
  const Body* body_ = nullptr;
  std::vector<bool> depends_;  // locals whose value is another for neighbouring points
  std::optional<Obstacle> obstacle_;
  Range besidePoint_;
  unsigned size_ = 0, elementBytes_ = 0;
  int64_t offsets_ = 0;
};

/// How many points a thread takes; where it is one, `obstacle` says why, unless there is nothing to win.
uint32_t pointsPerThread(const TypedProgram& program, const Kernel& kernel, const SpecKey& spec,
                         std::optional<Obstacle>* obstacle = nullptr) {
  if (!spec.aligned16 || spec.aliased) return 1;
  size_t rank = kernel.axes.size();
  if (rank > 1 && !spec.innerDivisible4) return 1;
  PointBody body(program, kernel, spec);
  auto refuse = [&](Range range, const char* why) {
    if (obstacle) *obstacle = {range, why};
    return 1u;
  };
  if (body.elementBytes() >= 16) return 1;  // an element is a whole access
  if (const Obstacle* found = body.obstacle()) return refuse(found->range, found->why);
  if (body.elementBytes() == 0) return 1;
  if (body.size() > largestBody) return refuse(kernel.range, "the body is too long to stand there several times");
  uint32_t points = 16 / body.elementBytes();
  points = std::clamp(points, 2u, rank > 1 ? 4u : 8u);
  const ShapeExpr& low = kernel.axes.back().low;
  if (kernel.axes.back().hasStep()) return refuse(kernel.range, "the points of a domain with a step lie apart");
  if (low.op != ShapeOp::Constant || low.value % points != 0)
    return refuse(kernel.range, "the domain does not begin at a multiple of 16 bytes");
  if (body.offsetMultiple() % points != 0)
    return refuse(body.besidePoint(), "this element lies beside the point's own place");
  return points;
}

}  // namespace

GeometryManifest chooseGeometry(const TypedProgram& program, KernelId id, std::string_view target,
                                const SpecKey& spec) {
  const Kernel& kernel = program.kernels[id.value];
  GeometryManifest geometry;
  geometry.isForall = kernel.isForall;
  if (!kernel.isForall) {
    geometry.threadCount = kernel.threadCount;
    geometry.threadsPerBlock = 1;
    for (int64_t count : kernel.threadCount) geometry.threadsPerBlock *= static_cast<uint32_t>(count);
    return geometry;
  }
  geometry.threadsPerBlock = forallThreads;
  if (target.starts_with("sm_")) {
    geometry.pointsPerThread = pointsPerThread(program, kernel, spec);
    if (kernel.reduction) geometry.maxBlocks = reductionBlocks;
  }
  return geometry;
}

void remarkAccesses(const TypedProgram& program, KernelId id, const SourceManager& sources, Diagnostics& diagnostics) {
  const Kernel& kernel = program.kernels[id.value];
  if (!kernel.isForall) return;
  SpecKey best;
  best.aligned16 = best.innerDivisible4 = best.small = best.inRange = true;
  std::optional<Obstacle> obstacle;
  pointsPerThread(program, kernel, best, &obstacle);
  // One remark for one thing.
  auto isTold = [&](const Diagnostic& told) { return told.kind == Diag::Uncoalesced && told.range == obstacle->range; };
  if (obstacle && !isOfLibrary(obstacle->range, sources) && std::ranges::none_of(diagnostics.all(), isTold))
    diagnostics.report(Diag::NotVectorised, obstacle->range, {kernel.name, obstacle->why});
}

}  // namespace rad::cg

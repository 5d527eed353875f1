// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/engine/explain_launch.h"

#include "codegen/lower/walk.h"
#include "runtime/launch/binding.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace rad::rt {
namespace {

class CheckCounter {
 public:
  explicit CheckCounter(const TypedProgram& program) : program_(program) {}
  CheckCounts counts;
  void visit(TStmtId id) {
    cg::forEachPart(program_.stmt(id), [&](TExprId e) { visit(e); }, [&](TStmtId s) { visit(s); });
  }
  void visit(TExprId id) {
    if (!id) return;
    const TExpr& expr = program_.expr(id);
    if (const auto* element = std::get_if<ViewElement>(&expr.node))
      for (Check check : element->checks) count(check);
    if (const auto* part = std::get_if<ElementOf>(&expr.node)) count(part->check);
    if (const auto* slice = std::get_if<ViewSlice>(&expr.node))
      for (const SliceDim& dim : slice->dims)
        if (dim.low || dim.high) count(dim.check);
    if (const auto* call = std::get_if<CallFunction>(&expr.node); call && seen_.insert(call->function.value).second)
      for (TStmtId stmt : program_.functions[call->function.value].body.statements) visit(stmt);
    cg::forEachPart(expr, [&](TExprId e) { visit(e); }, [&](TStmtId s) { visit(s); });
  }

 private:
  void count(Check check) {
    switch (check) {
      case Check::Checked: ++counts.kept; break;
      case Check::Proven: ++counts.proven; break;
      case Check::Unchecked: ++counts.unchecked; break;
      case Check::AtLaunch: ++counts.atLaunch; break;
    }
  }
  const TypedProgram& program_;
  std::set<uint32_t> seen_;
};

/// The limits of a multiprocessor, from the CUDA programming guide's table of compute capabilities.
struct Multiprocessor {
  unsigned number, threads, blocks, sharedBytes;
};
constexpr Multiprocessor multiprocessors[] = {
    {75, 1024, 16, 65536},   {80, 2048, 32, 167936},  {86, 1536, 16, 102400},  {87, 1536, 16, 167936},
    {89, 1536, 24, 102400},  {90, 2048, 32, 233472},  {100, 2048, 32, 233472}, {103, 2048, 32, 233472},
    {110, 1536, 24, 233472}, {120, 1536, 24, 102400}, {121, 1536, 24, 102400},
};
constexpr unsigned registersOfMultiprocessor = 65536;

const Multiprocessor* multiprocessorOf(std::string_view target) {
  unsigned number = 0;
  if (!target.starts_with("sm_")) return nullptr;
  for (char c : target.substr(3)) {
    if (c < '0' || c > '9') break;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  const auto* found = std::ranges::find(multiprocessors, number, &Multiprocessor::number);
  return found == std::end(multiprocessors) ? nullptr : found;
}

}  // namespace

CheckCounts countChecks(const TypedProgram& program, KernelId kernel) {
  CheckCounter counter(program);
  const rad::Kernel& of = program.kernels[kernel.value];
  for (TStmtId stmt : of.body.statements) counter.visit(stmt);
  if (of.reduction) {
    counter.visit(of.reduction->value);
    counter.visit(of.reduction->condition);
  }
  return counter.counts;
}

void remarkSpills(const TypedProgram& program, KernelId kernel, const AssembledEntry& resources,
                  Diagnostics& diagnostics) {
  const rad::Kernel& of = program.kernels[kernel.value];
  if (resources.stackBytes == 0 && resources.spillStoreBytes == 0) return;
  diagnostics
      .report(Diag::Spills, of.range,
              {of.name, std::to_string(std::max(resources.stackBytes, resources.spillStoreBytes)),
               resources.spillStoreBytes > 0 ? fmt::format(": its {} registers do not suffice", resources.registers)
                                             : std::string()})
      .help(resources.spillStoreBytes > 0
                ? "keep fewer values alive at once: smaller tiles, shorter unrolled loops, or a larger number in "
                  "@max_registers"
                : "array values whose indices are constants after unrolling lie in registers");
}

unsigned residentBlocks(std::string_view target, unsigned threads, unsigned registers, unsigned sharedBytes) {
  const Multiprocessor* has = multiprocessorOf(target);
  if (!has || threads == 0) return 0;
  const unsigned warps = (threads + 31) / 32;
  unsigned blocks = std::min(has->blocks, has->threads / (warps * 32));
  // Registers are given out to warps, 256 at a time.
  const unsigned ofWarp = (registers * 32 + 255) / 256 * 256;
  if (ofWarp > 0) blocks = std::min(blocks, registersOfMultiprocessor / ofWarp / warps);
  // A kilobyte of each block is the system's.
  if (sharedBytes > 0) blocks = std::min(blocks, has->sharedBytes / (sharedBytes + 1024));
  return blocks;
}

std::string explainLaunch(const TypedProgram& program, KernelId kernel, const cg::KernelManifest& manifest,
                          std::string_view target, const cg::SpecKey& spec, const AssembledEntry* resources,
                          VariantCount variants, LaunchNumbers launch) {
  const rad::Kernel& of = program.kernels[kernel.value];
  const cg::GeometryManifest geometry = cg::chooseGeometry(program, kernel, target, spec);
  std::string out =
      fmt::format("{}{} for {}\n", manifest.reduce == cg::ReduceOp::None ? "kernel " : "", manifest.name, target);
  auto line = [&](std::string_view what, std::string_view text) { out += fmt::format("  {:<12} {}\n", what, text); };
  if (!manifest.definedAt.empty()) line("defined at", manifest.definedAt);

  std::vector<std::string> axes;
  for (const cg::AxisManifest& axis : manifest.axes) {
    const bool hasStep = axis.step.op != cg::SizeOp::Constant || axis.step.value != 1;
    axes.push_back(fmt::format("{} in {}..{}{}", axis.name, text(axis.low, manifest), text(axis.high, manifest),
                               hasStep ? " step " + text(axis.step, manifest) : std::string()));
  }
  line("domain", fmt::format("{} {}", geometry.isForall ? "points" : "blocks", fmt::join(axes, ", ")));
  if (target == "host")
    line("geometry",
         geometry.isForall
             ? "points, shared out among the CPU's threads"
             : fmt::format("blocks of {} threads, shared out among the CPU's threads; the threads of a block as loops",
                           geometry.threadsPerBlock));
  else if (!geometry.isForall)
    line("geometry", fmt::format("a block each, of {} threads", fmt::join(geometry.threadCount, " x ")));
  else
    line("geometry",
         fmt::format("blocks of {} threads, {}{}", geometry.threadsPerBlock,
                     geometry.pointsPerThread == 1
                         ? "a point each"
                         : fmt::format("{} neighbouring points each", geometry.pointsPerThread),
                     geometry.maxBlocks ? fmt::format(", at most {} blocks", geometry.maxBlocks) : std::string()));

  if (launch.binding) {
    std::string sizes;
    for (size_t i = 0; i < manifest.dims.size(); ++i)
      sizes += fmt::format("{}{} = {}", i == 0 ? "" : ", ", manifest.dims[i], launch.binding->dims[i]);
    auto number = [](int64_t count, std::string_view what) {
      return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
    };
    std::string how = number(launch.binding->points, geometry.isForall ? "point" : "block");
    if (geometry.isForall && target != "host") how += " in " + number(launch.shape->blocks, "block");
    line("first launch", sizes.empty() ? how : sizes + ": " + how);
    if (launch.isLate) line("prepared", "no: compiled by this launch, --prepare makes another variant");
  }

  const std::string signature = signatureText(manifest);
  line("types", signature.substr(signature.find('(')));
  for (const StaticArgument& argument : of.statics)
    line("constant", fmt::format("{} = {}", argument.name, argument.value));
  if (target != "host") {
    line("index width", spec.small ? "32 bits: sizes and points are below 2^30" : "64 bits");
    line("alignment", spec.aligned16 ? "arrays begin at multiples of 16 bytes" : "that of single elements");
    if (spec.innerDivisible4) line("rows", "their length is a multiple of 4");
    if (spec.aliased) line("overlap", "two arguments are the same array");
  }
  std::vector<std::string> strided;
  for (const cg::ParamManifest& param : manifest.params)
    if (param.isStrided) strided.push_back(param.name);
  if (!strided.empty()) line("strided", fmt::format("{}", fmt::join(strided, ", ")));

  const CheckCounts checks = countChecks(program, kernel);
  const unsigned atLaunch = spec.inRange ? checks.atLaunch : 0;
  std::vector<std::string> parts = {fmt::format("{} proven", checks.proven)};
  if (checks.atLaunch > 0)
    parts.push_back(fmt::format("{} {}", checks.atLaunch,
                                spec.inRange ? "decided by the launch" : "that a launch can decide, kept here"));
  if (checks.unchecked > 0) parts.push_back(fmt::format("{} unchecked", checks.unchecked));
  parts.push_back(fmt::format("{} kept", checks.kept + checks.atLaunch - atLaunch));
  line("index checks", fmt::format("{}", fmt::join(parts, ", ")));

  if (resources) {
    line("registers", fmt::format("{} a thread", resources->registers));
    line("shared", fmt::format("{} bytes a block", resources->sharedBytes));
    line("local memory", resources->stackBytes + resources->spillStoreBytes == 0
                             ? "none"
                             : fmt::format("{} bytes a thread; spills of registers store {} bytes",
                                           resources->stackBytes, resources->spillStoreBytes));
    if (const unsigned blocks =
            residentBlocks(target, geometry.threadsPerBlock, resources->registers, resources->sharedBytes)) {
      const unsigned threads = (geometry.threadsPerBlock + 31) / 32 * 32 * blocks;
      line("occupancy", fmt::format("{} blocks a multiprocessor: {} of {} threads", blocks, threads,
                                    multiprocessorOf(target)->threads));
    }
  }
  line("variants", fmt::format("{} of this kernel so far, {} of the program", variants.ofKernel, variants.ofProgram));
  return out;
}

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The optimisation pipelines: short ones, chosen by what shows in the machine code.
#include "codegen/opt/lanes/lanes.h"
#include "codegen/opt/targets.h"

#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/PassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

namespace rad::cg {
namespace {

/// For GPUs. The code that comes in is straight from the lowering: locals in memory, calls already inlined except
/// libdevice's. ptxas schedules, allocates and unrolls small loops itself; what it needs from here is values in
/// registers, invariants out of loops, full unrolling where a loop's trip count is constant (shared-memory tiles), and
/// no redundant checks. The alignment that arguments and index arithmetic imply has to be written on each access:
/// accesses are joined to wider ones by that, and here, before the back end rewrites their addresses. What unrolling
/// adds to an index is taken out of it first, into the access: else `(t & 240) + 15` becomes `t | 15`, an address of
/// its own.
constexpr const char* gpuFull =
    "always-inline,globaldce,"
    "function(sroa,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"
    "loop-mssa(loop-instsimplify,loop-simplifycfg,loop-rotate,licm,simple-loop-unswitch),"
    "simplifycfg,"
    "loop(indvars,loop-deletion,loop-unroll-full),"
    "sroa,separate-const-offset-from-gep,early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg,"
    "loop-mssa(licm),infer-alignment,load-store-vectorizer)";
/// Without loops there is less to do.
constexpr const char* gpuStraight =
    "always-inline,globaldce,"
    "function(sroa,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,early-cse<memssa>,simplifycfg,infer-"
    "alignment,load-store-vectorizer)";
constexpr const char* gpuNone = "always-inline,globaldce,function(sroa)";
/// Variables stay in memory, where debuggers find them.
constexpr const char* gpuDebug = "always-inline,globaldce";

/// Kernels for CPU threads. Loops over items that LLVM's vectoriser does not take run in lanes first (lanes/lanes.h).
constexpr const char* hostKernels =
    "function(sroa,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"
    "loop-mssa(loop-instsimplify,loop-simplifycfg,loop-rotate,licm,simple-loop-unswitch),"
    "simplifycfg,"
    "loop(indvars,loop-deletion,loop-unroll-full),"
    "sroa,early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg,"
    "loop-mssa(licm),"
    "loop-simplify,lcssa,raddle-lanes,raddle-vector-math,raddle-alone,"
    "simplifycfg,early-cse,loop-vectorize,raddle-vector-conversion,instcombine<no-verify-fixpoint>,simplifycfg,early-"
    "cse<memssa>,loop-mssa(licm)),"
    "always-inline";

/// Kernels that tell the runtime of each access: little is won by more.
constexpr const char* hostChecked =
    "function(sroa,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,simplifycfg),always-inline";

bool hasLoops(const llvm::Module& module) {
  // The lowering emits blocks in order, so only loops jump back.
  for (const llvm::Function& function : module) {
    llvm::SmallPtrSet<const llvm::BasicBlock*, 32> seen;
    for (const llvm::BasicBlock& block : function) {
      seen.insert(&block);
      for (const llvm::BasicBlock* next : llvm::successors(&block))
        if (seen.contains(next)) return true;
    }
  }
  return false;
}

/// ptxas 13.0 takes a register that a floating-point instruction wrote for a float where an 8-bit store reads it, and
/// stores the number converted (F2I.U8) instead of its low byte. A move in between makes it bits.
void keepBytesOfFloats(llvm::Module& module) {
  for (llvm::Function& function : module)
    for (llvm::BasicBlock& block : function)
      for (llvm::Instruction& instruction : block) {
        auto* narrowed = llvm::dyn_cast<llvm::TruncInst>(&instruction);
        auto* bits = narrowed ? llvm::dyn_cast<llvm::BitCastInst>(narrowed->getOperand(0)) : nullptr;
        if (!bits || !bits->getSrcTy()->isFloatingPointTy()) continue;
        llvm::Type* type = bits->getType();
        const unsigned width = type->getIntegerBitWidth();
        const char* constraints = width == 16 ? "=h,h" : width == 32 ? "=r,r" : "=l,l";
        auto* move =
            llvm::InlineAsm::get(llvm::FunctionType::get(type, {type}, false),
                                 "mov.b" + std::to_string(width) + " $0, $1;", constraints, /*hasSideEffects=*/false);
        llvm::IRBuilder<> builder(narrowed);
        narrowed->setOperand(0, builder.CreateCall(move, {bits}));
      }
}

CodegenResult<void> runPipeline(llvm::Module& module, llvm::TargetMachine& machine, const CodegenOptions& options) {
  bool gpu = module.getTargetTriple().isNVPTX();
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = !gpu;
  tuning.SLPVectorization = !gpu;
  tuning.LoopInterleaving = !gpu;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);

  builder.registerPipelineParsingCallback(
      [](llvm::StringRef name, llvm::FunctionPassManager& into, llvm::ArrayRef<llvm::PassBuilder::PipelineElement>) {
        if (name == "raddle-lanes") into.addPass(LanesPass());
        else if (name == "raddle-vector-math") into.addPass(VectorMathPass());
        else if (name == "raddle-alone") into.addPass(LowerAlonePass());
        else if (name == "raddle-vector-conversion") into.addPass(VectorConversionPass());
        else return false;
        return true;
      });

  llvm::ModulePassManager passes;
  const char* text = nullptr;
  if (gpu) text = options.debug ? gpuDebug : options.optLevel == 0 ? gpuNone : hasLoops(module) ? gpuFull : gpuStraight;
  else if (options.optLevel != 0 && options.checkAccesses()) text = hostChecked;
  else if (options.optLevel != 0 && module.getNamedMetadata(hostKernelsMark)) text = hostKernels;
  if (text) {
    if (llvm::Error error = builder.parsePassPipeline(passes, text))
      return std::unexpected("a pass pipeline is wrong: " + llvm::toString(std::move(error)));
  } else {
    passes = options.optLevel == 0 ? builder.buildO0DefaultPipeline(llvm::OptimizationLevel::O0)
                                   : builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2);
  }
  passes.run(module, modules);
  if (gpu) keepBytesOfFloats(module);
  return {};
}

}  // namespace

CodegenResult<void> optimize(llvm::Module& module, const CodegenOptions& options) {
  auto machine = targetMachineOf(module, options);
  if (!machine) return std::unexpected(machine.error());
  module.setDataLayout((*machine)->createDataLayout());
  module.setTargetTriple((*machine)->getTargetTriple());
#ifndef NDEBUG
  std::string wrong;
  llvm::raw_string_ostream out(wrong);
  if (llvm::verifyModule(module, &out))
    return std::unexpected("internal error: the lowering made an invalid module; please report this program\n" + wrong);
#endif
  return runPipeline(module, **machine, options);
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The module of a unit's kernels for one GPU architecture.
#include "codegen/lower/walk.h"
#include "codegen/nvptx/nvptx_target.h"
#include "codegen/opt/libdevice.h"
#include "codegen/opt/targets.h"
#include "frontend/target/target.h"

#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace rad::cg {
namespace {

llvm::Function* makeKernel(llvm::Module& module, const TypedProgram& program, const Kernel& kernel,
                           std::string_view target, const GeometryManifest& geometry, const SpecKey& spec) {
  llvm::LLVMContext& context = module.getContext();
  auto types = kernelParameterTypes(program, kernel, context, Global);
  auto* function = llvm::Function::Create(llvm::FunctionType::get(llvm::Type::getVoidTy(context), types, false),
                                          llvm::GlobalValue::ExternalLinkage, kernel.symbol, module);
  function->setCallingConv(llvm::CallingConv::PTX_Kernel);
  function->addFnAttr("target-cpu", llvm::StringRef(target.data(), target.size()));
  function->addFnAttr(llvm::Attribute::NoUnwind);
  function->addFnAttr("nvvm.maxntid", fmt::format("{}", geometry.threadsPerBlock));
  if (kernel.minBlocks) function->addFnAttr("nvvm.minctasm", fmt::format("{}", *kernel.minBlocks));
  if (kernel.maxRegisters) function->addFnAttr("nvvm.maxnreg", fmt::format("{}", *kernel.maxRegisters));

  for (size_t i = 0; i < kernel.params.size(); ++i) {
    llvm::Argument* argument = function->getArg(i);
    argument->setName(kernel.params[i].name);
    const Type& type = program.types->get(kernel.params[i].type);
    if (type.kind != TypeKind::View) continue;
    uint64_t align = std::min<uint64_t>(program.types->layout(type.element)->align, 16);
    if (spec.aligned16) align = std::max<uint64_t>(align, 16);
    argument->addAttr(llvm::Attribute::getWithAlignment(context, llvm::Align(align)));
    // Threads of a block exchange what they write through barriers, which LLVM takes for calls that cannot touch a
    // `noalias` argument: it would keep old elements in registers. The other arguments are told from a writable one by
    // their own `noalias`.
    const bool isExchanged = kernel.params[i].isMut && !kernel.isForall;
    if (!spec.aliased && !isExchanged) argument->addAttr(llvm::Attribute::NoAlias);
    if (!kernel.params[i].isMut) argument->addAttr(llvm::Attribute::ReadOnly);
  }
  size_t next = kernel.params.size();
  for (const KernelDim& dim : kernel.dims) function->getArg(next++)->setName(dim.name);
  for (const KernelParam& param : kernel.params) {
    const Type& type = program.types->get(param.type);
    for (unsigned axis = 0; axis < type.rank && type.strided; ++axis)
      function->getArg(next++)->setName(fmt::format("{}.stride{}", param.name, axis));
  }
  for (const DomainAxis& axis : kernel.axes) {
    const std::string& name = kernel.body.locals[axis.variable.value].name;
    function->getArg(next++)->setName(name + ".low");
    function->getArg(next++)->setName(name + ".high");
  }
  if (kernel.reduction) {
    llvm::Argument* partials = function->getArg(next++);
    partials->setName("partials");
    partials->addAttr(llvm::Attribute::NoAlias);
    partials->addAttr(llvm::Attribute::getWithAlignment(
        context, llvm::Align(bitsOf(program.types->get(kernel.reductionType).scalar) / 8)));
  }
  llvm::Argument* state = function->getArg(next++);
  state->setName("failure");
  state->addAttr(llvm::Attribute::getWithAlignment(context, llvm::Align(8)));
  state->addAttr(llvm::Attribute::NoAlias);
  function->getArg(next++)->setName("serial");
  return function;
}

/// A function for callers from CUDA C++: scalars by value (bool as a byte, index as 64 bits), views as their address
/// followed by their extents. A failed check traps.
void lowerExported(llvm::Module& module, const TypedProgram& program, const Function& exported, std::string_view target,
                   const LowerOptions& options, DebugLines* lines) {
  llvm::LLVMContext& context = module.getContext();
  // The shared lowering needs a function to tell types; parameters first.
  auto memory = [&](TypeId id) -> llvm::Type* {
    const Type& type = program.types->get(id);
    if (type.kind == TypeKind::Unit) return llvm::Type::getVoidTy(context);
    if (type.scalar == Scalar::F32) return llvm::Type::getFloatTy(context);
    if (type.scalar == Scalar::F64) return llvm::Type::getDoubleTy(context);
    return llvm::Type::getIntNTy(context, bitsOf(type.scalar));
  };
  auto extension = [&](TypeId id) {
    const Type& type = program.types->get(id);
    if (type.kind != TypeKind::Scalar || isFloat(type.scalar) || bitsOf(type.scalar) >= 32)
      return llvm::Attribute::None;
    return isSignedInteger(type.scalar) ? llvm::Attribute::SExt : llvm::Attribute::ZExt;
  };
  std::vector<llvm::Type*> types;
  for (LocalId param : exported.params) {
    const Type& type = program.types->get(exported.body.locals[param.value].type);
    if (type.kind != TypeKind::View) {
      types.push_back(memory(exported.body.locals[param.value].type));
      continue;
    }
    types.push_back(llvm::PointerType::get(context, Generic));
    types.insert(types.end(), type.rank, llvm::Type::getInt64Ty(context));
  }
  llvm::Type* const result = memory(exported.result);
  auto* function = llvm::Function::Create(llvm::FunctionType::get(result, types, false),
                                          llvm::GlobalValue::ExternalLinkage, exported.symbol, module);
  function->addFnAttr("target-cpu", llvm::StringRef(target.data(), target.size()));
  function->addFnAttr(llvm::Attribute::NoUnwind);
  if (options.fp == FpMode::Fast) function->addFnAttr("denormal-fp-math-f32", "preserve-sign,preserve-sign");
  if (extension(exported.result) != llvm::Attribute::None) function->addRetAttr(extension(exported.result));
  if (lines) lines->addFunction(*function, exported.name, exported.range);

  Kernel none;
  none.symbol = exported.symbol;
  NvptxTarget nvptx(program, none, 1);
  FunctionLowering f(program, options, nvptx, *function, lines);
  f.placeAt(f.newBlock("entry"));
  f.setPlace(exported.range);
  llvm::AllocaInst* const given = result->isVoidTy() ? nullptr : f.newAlloca(result, "result");
  llvm::BasicBlock* const done = f.newBlock("done");
  f.enterBody(exported.body, done, given);
  unsigned next = 0;
  for (LocalId param : exported.params) {
    const Local& local = exported.body.locals[param.value];
    const Type& type = program.types->get(local.type);
    llvm::Argument* const argument = function->getArg(next);
    argument->setName(local.name);
    if (extension(local.type) != llvm::Attribute::None) argument->addAttr(extension(local.type));
    llvm::Value* whole = argument;
    ++next;
    if (type.kind == TypeKind::View) {
      argument->addAttr(llvm::Attribute::getWithAlignment(context, f.alignOf(type.element)));
      whole = f.builder().CreateInsertValue(llvm::PoisonValue::get(f.memoryType(local.type)), argument, 0);
      for (unsigned axis = 0; axis < type.rank; ++axis)
        whole = f.builder().CreateInsertValue(whole, function->getArg(next++), axis + 1);
    }
    f.bind(param, f.fromMemory(local.type, whole));
  }
  f.run(exported.body.statements);
  f.branchTo(done);
  done->moveAfter(&function->back());
  f.placeAt(done);
  if (given) f.builder().CreateRet(f.builder().CreateLoad(result, given));
  else f.builder().CreateRetVoid();
  f.leaveBody();
}

}  // namespace

CodegenResult<IrModule> lowerCudaKernels(const TypedProgram& program, std::span<const KernelId> kernels,
                                         std::string_view target, const SpecKey& spec, const CodegenOptions& options,
                                         const SourceManager& sources) {
  auto machine = cudaTargetMachine(target, options);
  if (!machine) return std::unexpected(machine.error());
  IrModule result;
  result.context = std::make_unique<llvm::LLVMContext>();
  result.module = std::make_unique<llvm::Module>("raddle", *result.context);
  llvm::Module& module = *result.module;
  module.setTargetTriple((*machine)->getTargetTriple());
  module.setDataLayout((*machine)->createDataLayout());

  std::optional<DebugLines> lines;
  const auto exported =
      options.exports ? std::ranges::find_if(program.functions, &Function::isExported) : program.functions.end();
  if ((options.lineInfo || options.debug) && (!kernels.empty() || exported != program.functions.end()))
    lines.emplace(module, sources, kernels.empty() ? exported->range : program.kernels[kernels.front().value].range,
                  options.debug ? DebugLevel::Full : DebugLevel::Directives);

  LowerOptions lowerOptions;
  lowerOptions.unchecked = options.unchecked;
  lowerOptions.checkUniform = options.checkUniform;
  lowerOptions.inRange = spec.inRange;
  lowerOptions.narrowIndices = true;
  lowerOptions.unrollConstantLoops = true;
  if (const auto known = findTarget(target)) lowerOptions.capability = known->capability();
  for (KernelId id : kernels) {
    const Kernel& kernel = program.kernels[id.value];
    GeometryManifest geometry = chooseGeometry(program, id, target, spec);
    llvm::Function* function = makeKernel(module, program, kernel, target, geometry, spec);
    if (lines) lines->addFunction(*function, kernel.name, kernel.range);
    lowerOptions.fp = kernel.strict ? FpMode::Strict : kernel.fastMath ? FpMode::Fast : options.fp;
    if (lowerOptions.fp == FpMode::Fast) function->addFnAttr("denormal-fp-math-f32", "preserve-sign,preserve-sign");

    NvptxTarget nvptx(program, kernel, geometry.threadsPerBlock);
    FunctionLowering f(program, lowerOptions, nvptx, *function, lines ? &*lines : nullptr);
    f.placeAt(f.newBlock("entry"));
    f.setPlace(kernel.range);
    f.enterBody(kernel.body, nullptr);
    llvm::SmallVector<llvm::Value*, 16> values;
    for (llvm::Argument& argument : function->args()) values.push_back(&argument);
    KernelArguments arguments = bindKernelArguments(f, kernel, values, spec);
    nvptx.setArguments(arguments);
    if (!kernel.isForall) lowerBlocks(f, nvptx, kernel, arguments, spec);
    else if (kernel.reduction) lowerReduction(f, nvptx, kernel, arguments, geometry, spec);
    else lowerForall(f, nvptx, kernel, arguments, geometry, spec);
    f.leaveBody();
  }
  lowerOptions.fp = options.fp;
  lowerOptions.inRange = false;
  for (const Function& function : program.functions)
    if (options.exports && function.isExported())
      lowerExported(module, program, function, target, lowerOptions, lines ? &*lines : nullptr);
  if (lines) lines->finish();
  if (auto linked = linkLibdevice(module, options.libdevice); !linked) return std::unexpected(linked.error());
  return result;
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/host/script.h"

#include <fmt/format.h>

#include <llvm/IR/MDBuilder.h>
#include <llvm/Support/ErrorHandling.h>

namespace rad::cg {

namespace {
llvm::StructType* makeStruct(llvm::LLVMContext& context, const char* name, llvm::ArrayRef<llvm::Type*> fields) {
  return llvm::StructType::create(context, fields, name);
}
}  // namespace

ScriptModule::ScriptModule(const TypedProgram& program, llvm::Module& module, const LowerOptions& options,
                           const SourceManager& sources)
    : radView(makeStruct(module.getContext(), "RadView",
                         {llvm::PointerType::get(module.getContext(), 0), llvm::Type::getInt64Ty(module.getContext()),
                          llvm::ArrayType::get(llvm::Type::getInt64Ty(module.getContext()), 4),
                          llvm::Type::getInt32Ty(module.getContext()), llvm::Type::getInt32Ty(module.getContext()),
                          llvm::ArrayType::get(llvm::Type::getInt64Ty(module.getContext()), 4)})),
      radString(
          makeStruct(module.getContext(), "RadString",
                     {llvm::PointerType::get(module.getContext(), 0), llvm::Type::getInt64Ty(module.getContext())})),
      printArgument(
          makeStruct(module.getContext(), "RadPrintArgument",
                     {llvm::Type::getInt32Ty(module.getContext()), llvm::Type::getInt32Ty(module.getContext()),
                      llvm::PointerType::get(module.getContext(), 0)})),
      program_(program),
      module_(module),
      options_(options),
      sources_(sources) {}

llvm::FunctionCallee ScriptModule::runtime(const char* name) {
  // One row a function of host_abi.h; s: status (i32), v: nothing; p pointer, i i32, l i64.
  struct Row {
    std::string_view name, signature;
  };
  static constexpr Row kRows[] = {
      {"rad_array_new", "s:piipip"},
      {"rad_retain", "v:p"},
      {"rad_release", "v:p"},
      {"rad_element_read", "s:pppip"},
      {"rad_element_write", "s:pppip"},
      {"rad_view_copy", "s:ppip"},
      {"rad_view_assign", "s:pppi"},
      {"rad_view_fill", "s:pppi"},
      {"rad_launch", "s:pipi"},
      {"rad_launch_open", "s:piippi"},
      {"rad_reduce", "s:pipip"},
      {"rad_print", "s:pplip"},
      {"rad_assert_failed", "s:piip"},
      {"rad_check_failed", "s:pill"},
      {"rad_file_write", "s:pippi"},
      {"rad_file_read", "s:pipiipip"},
      {"rad_argument_count", "l:p"},
      {"rad_device_size", "l:pi"},
      {"rad_device_text", "s:pip"},
      {"rad_argument", "s:plip"},
      {"rad_parse_i64", "s:ppip"},
      {"rad_parse_f64", "s:ppip"},
      {"rad_sync", "s:pi"},
      {"rad_clock", "s:pp"},
      {"rad_bench_again", "s:plp"},
      {"rad_called_from", "v:ppl"},
      {"rad_enter", "s:p"},
      {"rad_text_read", "s:ppip"},
      {"rad_text_write", "s:pppii"},
      {"rad_text_equal", "i:pp"},
      {"rad_format", "s:pplipip"},
      {"rad_interrupted", "s:p"},
  };
  if (auto* made = module_.getFunction(name)) return made;
  llvm::LLVMContext& context = module_.getContext();
  auto typeOf = [&](char code) -> llvm::Type* {
    switch (code) {
      case 'p': return llvm::PointerType::get(context, 0);
      case 's':
      case 'i': return llvm::Type::getInt32Ty(context);
      case 'l': return llvm::Type::getInt64Ty(context);
      default: return llvm::Type::getVoidTy(context);
    }
  };
  for (const Row& row : kRows) {
    if (row.name != name) continue;
    llvm::SmallVector<llvm::Type*, 8> parameters;
    for (char code : row.signature.substr(2)) parameters.push_back(typeOf(code));
    auto* function = llvm::Function::Create(llvm::FunctionType::get(typeOf(row.signature[0]), parameters, false),
                                            llvm::GlobalValue::ExternalLinkage, name, module_);
    function->setDoesNotThrow();
    return function;
  }
  llvm_unreachable("a function that host_abi.h does not have");
}

llvm::Type* ScriptModule::storageType(TypeId id) {
  llvm::LLVMContext& context = module_.getContext();
  const Type& type = types().get(id);
  switch (type.kind) {
    case TypeKind::View: {
      auto* i64 = llvm::Type::getInt64Ty(context);
      llvm::SmallVector<llvm::Type*, 4> parts = {llvm::PointerType::get(context, 0), i64,
                                                 llvm::ArrayType::get(i64, type.rank)};
      if (type.strided) parts.push_back(llvm::ArrayType::get(i64, type.rank));
      return llvm::StructType::get(context, parts);
    }
    case TypeKind::String: return radString;
    case TypeKind::Tuple: {
      llvm::SmallVector<llvm::Type*, 4> items;
      for (TypeId item : type.items) items.push_back(storageType(item));
      return llvm::StructType::get(context, items);
    }
    case TypeKind::Vector: return vectorMemory(storageType(type.element), type.count);
    case TypeKind::Array: return llvm::ArrayType::get(storageType(type.element), type.count);
    case TypeKind::Scalar: break;
    case TypeKind::Error:
    case TypeKind::Unit:
    case TypeKind::UntypedInt:
    case TypeKind::UntypedFloat: return llvm::StructType::get(context);
  }
  switch (type.scalar) {
    case Scalar::F32: return llvm::Type::getFloatTy(context);
    case Scalar::F64: return llvm::Type::getDoubleTy(context);
    case Scalar::Bool:
    case Scalar::I8:
    case Scalar::I16:
    case Scalar::I32:
    case Scalar::I64:
    case Scalar::U8:
    case Scalar::U16:
    case Scalar::U32:
    case Scalar::U64:
    case Scalar::Index:
    case Scalar::F16:
    case Scalar::BF16:
    case Scalar::F8E4M3:
    case Scalar::F8E5M2: return llvm::IntegerType::get(context, bitsOf(type.scalar));
  }
  return nullptr;
}

bool ScriptModule::holdsArrays(TypeId id) const {
  const Type& type = types().get(id);
  if (type.kind == TypeKind::View) return true;
  for (TypeId item : type.items)
    if (holdsArrays(item)) return true;
  return false;
}

llvm::Function* ScriptModule::functionOf(FunctionId id) {
  auto& made = functions_[id.value];
  if (made) return made;
  const Function& function = program_.functions[id.value];
  llvm::LLVMContext& context = module_.getContext();
  auto* pointer = llvm::PointerType::get(context, 0);
  llvm::SmallVector<llvm::Type*, 8> parameters = {pointer};
  for (LocalId parameter : function.params) {
    const Local& local = function.body.locals[parameter.value];
    bool byValue = local.kind != LocalKind::MutParam && isScalar(local.type);
    parameters.push_back(byValue ? storageType(local.type) : pointer);
  }
  if (types().get(function.result).kind != TypeKind::Unit) parameters.push_back(pointer);
  made = llvm::Function::Create(llvm::FunctionType::get(llvm::Type::getInt32Ty(context), parameters, false),
                                llvm::GlobalValue::InternalLinkage, "fn." + function.name, module_);
  made->setDoesNotThrow();
  pending_.push_back(id);
  return made;
}

llvm::GlobalVariable* ScriptModule::globalOf(GlobalId id) {
  const Global& global = program_.globals[id.value];
  if (auto* made = module_.getNamedGlobal(global.symbol)) return made;
  llvm::Type* type = storageType(global.type);
  llvm::Constant* initial = global.isDefinedHere ? llvm::Constant::getNullValue(type) : nullptr;
  return new llvm::GlobalVariable(module_, type, /*isConstant=*/false, llvm::GlobalValue::ExternalLinkage, initial,
                                  global.symbol);
}

void ScriptModule::emit(const std::string& symbol) {
  llvm::LLVMContext& context = module_.getContext();
  auto* pointer = llvm::PointerType::get(context, 0);
  // Later units may name a global that no statement of this one does.
  bool anyArrays = false;
  for (uint32_t i = 0; i < program_.globals.size(); ++i) {
    if (!program_.globals[i].isDefinedHere) continue;
    globalOf({i});
    anyArrays |= holdsArrays(program_.globals[i].type);
  }
  auto* script = llvm::Function::Create(llvm::FunctionType::get(llvm::Type::getInt32Ty(context), {pointer}, false),
                                        llvm::GlobalValue::ExternalLinkage, symbol, module_);
  script->setDoesNotThrow();
  ScriptLowering(*this, *script).emit(program_.script, nullptr);
  while (!pending_.empty()) {
    FunctionId id = pending_.back();
    pending_.pop_back();
    const Function& function = program_.functions[id.value];
    ScriptLowering(*this, *functionOf(id)).emit(function.body, &function);
  }
  if (anyArrays) emitReleaseGlobals(symbol + ".release_globals");
}

void ScriptModule::emitReleaseGlobals(const std::string& name) {
  llvm::LLVMContext& context = module_.getContext();
  auto* pointer = llvm::PointerType::get(context, 0);
  auto* function = llvm::Function::Create(llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer}, false),
                                          llvm::GlobalValue::ExternalLinkage, name, module_);
  function->setDoesNotThrow();
  llvm::IRBuilder<> b(llvm::BasicBlock::Create(context, "entry", function));
  auto release = [&](auto&& self, llvm::Value* address, TypeId id) -> void {
    if (!holdsArrays(id)) return;
    const Type& type = types().get(id);
    llvm::Type* form = storageType(id);
    if (type.kind == TypeKind::View) {
      llvm::Value* cell = b.CreateStructGEP(form, address, 0);
      llvm::Value* array = b.CreateLoad(pointer, cell);
      b.CreateStore(llvm::ConstantPointerNull::get(pointer), cell);
      b.CreateCall(runtime("rad_release"), {array});
      return;
    }
    for (unsigned i = 0; i < type.items.size(); ++i) self(self, b.CreateStructGEP(form, address, i), type.items[i]);
  };
  for (uint32_t i = 0; i < program_.globals.size(); ++i)
    if (program_.globals[i].isDefinedHere) release(release, globalOf({i}), program_.globals[i].type);
  b.CreateRetVoid();
}

// ---- one function ----

ScriptLowering::ScriptLowering(ScriptModule& unit, llvm::Function& function)
    : unit_(unit), program_(unit.program()), f_(unit.program(), unit.options(), *this, function) {}

void ScriptLowering::emit(const Body& body, const Function* function) {
  self_ = function;
  llvm::BasicBlock* entry = f_.newBlock("entry");
  llvm::BasicBlock* start = f_.newBlock("start");
  exit_ = f_.newBlock("exit");
  f_.placeAt(entry);
  b().CreateBr(start);
  // Cells are cleared in front of that jump.
  f_.placeAt(start);
  status_ = newCleared(b().getInt32Ty(), "status");
  f_.enterBody(body, exit_);
  if (function) {
    // A recursion without an end is an error of the program, not the end of the process.
    llvm::Value* entered = b().CreateCall(unit_.runtime("rad_enter"), {f_.function().getArg(0)});
    b().CreateStore(entered, status_);
    llvm::BasicBlock* good = f_.newBlock("entered");
    b().CreateCondBr(b().CreateICmpEQ(entered, b().getInt32(0)), good, exit_,
                     llvm::MDBuilder(f_.context()).createLikelyBranchWeights());
    f_.placeAt(good);
    for (size_t i = 0; i < function->params.size(); ++i) {
      LocalId id = function->params[i];
      const Local& local = body.locals[id.value];
      llvm::Argument* given = f_.function().getArg(i + 1);
      given->setName(local.name);
      if (local.kind == LocalKind::MutParam) {
        if (unit_.isPlain(local.type)) f_.bindAddress(id, given, f_.alignOf(local.type));
        else locals_[id.value] = given;
      } else {
        f_.bind(id, unit_.isScalar(local.type) ? f_.fromMemory(local.type, given) : readStorage(given, local.type));
      }
    }
    if (program_.types->get(function->result).kind != TypeKind::Unit)
      result_ = f_.function().getArg(function->params.size() + 1);
  }
  f_.run(body.statements);
  f_.branchTo(exit_);
  exit_->moveAfter(&f_.function().back());
  f_.placeAt(exit_);
  for (const Cell& cell : temporaries_) releaseCell(cell);
  for (const Cell& variable : variables_) releaseCell(variable);
  b().CreateRet(b().CreateLoad(b().getInt32Ty(), status_));
  f_.leaveBody();
}

CodegenResult<IrModule> lowerScript(const TypedProgram& program, std::string_view symbol, const CodegenOptions& options,
                                    const SourceManager& sources) {
  auto made = makeHostModule(std::string(symbol), options);
  if (!made) return made;
  LowerOptions lower = hostLowerOptions(options);
  ScriptModule(program, *made->module, lower, sources).emit(std::string(symbol));
  return made;
}

}  // namespace rad::cg

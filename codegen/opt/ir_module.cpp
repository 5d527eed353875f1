// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Owning, reading and printing LLVM modules.
#include "codegen/codegen.h"

#include <llvm/AsmParser/Parser.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/raw_ostream.h>

namespace rad::cg {

IrModule::IrModule() = default;
IrModule::IrModule(IrModule&&) noexcept = default;
IrModule& IrModule::operator=(IrModule&& other) noexcept {
  module.reset();  // before its context
  context = std::move(other.context);
  module = std::move(other.module);
  accesses = std::move(other.accesses);
  return *this;
}
IrModule::~IrModule() { module.reset(); }

CodegenResult<IrModule> parseIr(std::string_view text, std::string_view name) {
  IrModule result;
  result.context = std::make_unique<llvm::LLVMContext>();
  llvm::SMDiagnostic problem;
  std::string owned(text);  // the parser wants a terminating zero behind the text
  llvm::MemoryBufferRef buffer(owned, llvm::StringRef(name.data(), name.size()));
  result.module = llvm::parseAssembly(buffer, problem, *result.context);
  std::string message;
  llvm::raw_string_ostream out(message);
  if (!result.module) {
    problem.print("", out, /*ShowColors=*/false);
    return std::unexpected(std::move(message));
  }
  if (llvm::verifyModule(*result.module, &out))
    return std::unexpected(std::string(name) + ": not a valid LLVM module:\n" + message);
  return result;
}

std::string printIr(const llvm::Module& module) {
  std::string text;
  llvm::raw_string_ostream out(text);
  module.print(out, nullptr);
  return text;
}

}  // namespace rad::cg

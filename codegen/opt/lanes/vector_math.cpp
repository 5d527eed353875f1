// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/opt/lanes/vector_math.h"

#include <llvm/IR/Module.h>
#include <llvm/TargetParser/Host.h>

#include <fmt/format.h>

#include <dlfcn.h>

namespace rad::cg {
namespace {

/// The functions of builtins.def that libmvec may have, and their operands.
constexpr std::pair<const char*, unsigned> known[] = {
    {"exp", 1},  {"exp2", 1}, {"log", 1},  {"log2", 1}, {"log10", 1}, {"sin", 1}, {"cos", 1},   {"tan", 1}, {"asin", 1},
    {"acos", 1}, {"atan", 1}, {"sinh", 1}, {"cosh", 1}, {"tanh", 1},  {"erf", 1}, {"atan2", 2}, {"pow", 2},
};

struct Isa {
  char letter = 0;  // of the vector function ABI; 0: none
  unsigned bits = 0;
};

/// The widest vectors of this CPU: host code always runs on the machine that compiles it.
Isa hostIsa() {
  static const Isa found = [] {
    auto features = llvm::sys::getHostCPUFeatures();
    if (features.lookup("avx512f") && features.lookup("avx512dq") && features.lookup("avx512bw") &&
        features.lookup("avx512vl"))
      return Isa{'e', 512};
    if (features.lookup("avx2")) return Isa{'d', 256};
    return Isa{};
  }();
  return found;
}

std::string symbolOf(llvm::StringRef name, unsigned operands, unsigned lanes) {
  return fmt::format("_ZGV{}N{}{}_{}", hostIsa().letter, lanes, std::string(operands, 'v'), name.str());
}

struct Functions {
  std::vector<std::pair<std::string, const void*>> symbols;
  llvm::StringMap<std::pair<unsigned, std::string>> byName;  // "sinf": lanes, symbol
};

const Functions& functions() {
  static const Functions found = [] {
    Functions result;
    if (hostIsa().letter == 0) return result;
    void* library = ::dlopen("libmvec.so.1", RTLD_NOW | RTLD_LOCAL);  // stays loaded: compiled code calls into it
    if (!library) return result;
    for (auto [name, operands] : known) {
      for (bool single : {true, false}) {
        std::string scalar = std::string(name) + (single ? "f" : "");
        unsigned lanes = hostIsa().bits / (single ? 32 : 64);
        std::string symbol = symbolOf(scalar, operands, lanes);
        if (const void* address = ::dlsym(library, symbol.c_str())) {
          result.symbols.emplace_back(symbol, address);
          result.byName[scalar] = {lanes, symbol};
        }
      }
    }
    return result;
  }();
  return found;
}

}  // namespace

const std::vector<std::pair<std::string, const void*>>& vectorMathSymbols() { return functions().symbols; }

unsigned vectorMathLanes(llvm::StringRef name) {
  auto found = functions().byName.find(name);
  return found == functions().byName.end() ? 0 : found->second.first;
}

llvm::Value* callVectorMath(llvm::IRBuilderBase& b, llvm::StringRef name, llvm::ArrayRef<llvm::Value*> operands) {
  auto& [lanes, symbol] = functions().byName.find(name)->second;
  auto* whole = llvm::cast<llvm::FixedVectorType>(operands[0]->getType());
  auto* part = llvm::FixedVectorType::get(whole->getElementType(), lanes);
  llvm::SmallVector<llvm::Type*, 2> types(operands.size(), part);
  llvm::Module& module = *b.GetInsertBlock()->getModule();
  auto callee = module.getOrInsertFunction(symbol, llvm::FunctionType::get(part, types, false));
  auto* function = llvm::cast<llvm::Function>(callee.getCallee());
  function->setDoesNotAccessMemory();
  function->setDoesNotThrow();
  function->setWillReturn();
  unsigned count = whole->getNumElements();
  llvm::Value* result = nullptr;
  for (unsigned first = 0; first < count; first += lanes) {
    // Fewer than a call takes: the first operand's last lane stands for those that are missing.
    llvm::SmallVector<int, 32> mask;
    for (unsigned i = 0; i < lanes; ++i) mask.push_back(static_cast<int>(std::min(first + i, count - 1)));
    llvm::SmallVector<llvm::Value*, 2> parts;
    for (llvm::Value* operand : operands)
      parts.push_back(count == lanes ? operand : b.CreateShuffleVector(operand, mask));
    llvm::Value* made = b.CreateCall(callee, parts);
    if (count == lanes) return made;
    // As long as the whole, with its lanes at the start; then those go to their places.
    llvm::SmallVector<int, 32> widen, choose;
    for (unsigned i = 0; i < count; ++i) {
      widen.push_back(i < lanes ? static_cast<int>(i) : llvm::PoisonMaskElem);
      choose.push_back(static_cast<int>(i >= first && i < first + lanes ? count + i - first : i));
    }
    llvm::Value* wide = b.CreateShuffleVector(made, widen);
    result = result ? b.CreateShuffleVector(result, wide, choose) : wide;
  }
  return result;
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The C library's mathematical functions on vectors (glibc's libmvec): at most 4 units in the last place from the exact
// result.
#pragma once

#include <llvm/ADT/StringRef.h>
#include <llvm/IR/IRBuilder.h>

#include <string>
#include <utility>
#include <vector>

namespace rad::cg {

/// Its symbols that this process can call: empty where there is no such library. Found once.
const std::vector<std::pair<std::string, const void*>>& vectorMathSymbols();

/// How many lanes one call of the vector form of `name` ("sinf", "exp") takes; 0: there is none.
unsigned vectorMathLanes(llvm::StringRef name);

/// Calls it on vectors of any number of lanes: as many calls as needed.
llvm::Value* callVectorMath(llvm::IRBuilderBase& b, llvm::StringRef name, llvm::ArrayRef<llvm::Value*> operands);

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Debug information: which source line an instruction comes from, and (-g) where variables are and of which types.
#pragma once

#include "frontend/source/source.h"
#include "frontend/types/types.h"

#include <llvm/IR/DIBuilder.h>
#include <llvm/IR/DebugLoc.h>

#include <string_view>
#include <unordered_map>
#include <vector>

namespace rad::cg {

/// How much debug information a module gets.
enum class DebugLevel : uint8_t {
  Directives,  // line directives, no debug sections (PTX)
  Full,        // lines, variables and types
};

/// Makes the debug information of one module.
class DebugLines {
 public:
  DebugLines(llvm::Module& module, const SourceManager& sources, Range unit, DebugLevel level);
  /// Gives `function` a subprogram, so that its instructions may have lines.
  void addFunction(llvm::Function& function, std::string_view name, Range range);
  /// The location of a place within `function`; empty if the place is invalid or the function has no subprogram.
  llvm::DebugLoc locate(llvm::Function& function, Range range);
  bool hasVariables() const { return level_ == DebugLevel::Full; }
  /// Names that are declared from here to leaveScope() are seen there only. `begin` is where that is.
  void enterScope(llvm::Function& function, Range begin);
  void leaveScope() { scopes_.pop_back(); }
  /// Says that `address`, stack memory of the function's entry block, holds a variable. `parameter`: its number, from
  /// 1; 0: none.
  void declare(llvm::Function& function, llvm::Value* address, llvm::Type* memory, const TypeTable& types, TypeId type,
               std::string_view name, Range range, unsigned parameter);
  /// Call once when the module is complete.
  void finish() { builder_.finalize(); }

 private:
  llvm::DIFile* fileOf(FileId file);
  llvm::DIType* typeOf(const TypeTable& types, TypeId id, llvm::Type* memory);
  llvm::DIType* makeType(const TypeTable& types, TypeId id, llvm::Type* memory);
  llvm::DIType* scalarType(Scalar scalar);
  const SourceManager& sources_;
  llvm::Module& module_;
  const DebugLevel level_;
  llvm::DIBuilder builder_;
  llvm::DICompileUnit* unit_ = nullptr;
  std::unordered_map<uint32_t, llvm::DIFile*> files_;
  std::unordered_map<uint32_t, llvm::DIType*> types_;
  std::vector<llvm::DILocalScope*> scopes_;
};

}  // namespace rad::cg

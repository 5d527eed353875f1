// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Line tables: which source line an instruction comes from.
#pragma once

#include "frontend/source/source.h"

#include <llvm/IR/DIBuilder.h>
#include <llvm/IR/DebugLoc.h>

#include <string_view>
#include <unordered_map>

namespace rad::cg {

/// Makes debug locations for one module: lines only, no types or variables.
class DebugLines {
 public:
  /// `directivesOnly`: no debug sections, only line directives (PTX).
  DebugLines(llvm::Module& module, const SourceManager& sources, Range unit, bool directivesOnly);
  /// Gives `function` a subprogram, so that its instructions may have lines.
  void addFunction(llvm::Function& function, std::string_view name, Range range);
  /// The location of a place within `function`; empty if the place is invalid or the function has no subprogram.
  llvm::DebugLoc locate(llvm::Function& function, Range range);
  /// Call once when the module is complete.
  void finish() { builder_.finalize(); }

 private:
  llvm::DIFile* fileOf(FileId file);
  const SourceManager& sources_;
  llvm::DIBuilder builder_;
  llvm::DICompileUnit* unit_ = nullptr;
  std::unordered_map<uint32_t, llvm::DIFile*> files_;
};

}  // namespace rad::cg

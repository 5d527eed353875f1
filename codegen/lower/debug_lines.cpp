// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/lower/debug_lines.h"

#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/Module.h>

namespace rad::cg {

DebugLines::DebugLines(llvm::Module& module, const SourceManager& sources, Range unit, bool directivesOnly)
    : sources_(sources), builder_(module) {
  module.addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
  using Kind = llvm::DICompileUnit::DebugEmissionKind;
  unit_ = builder_.createCompileUnit(llvm::DISourceLanguageName(llvm::dwarf::DW_LANG_C),
                                     fileOf(sources.fileOf(unit.begin)), "raddle", /*isOptimized=*/true, "", 0, "",
                                     directivesOnly ? Kind::DebugDirectivesOnly : Kind::LineTablesOnly);
}

llvm::DIFile* DebugLines::fileOf(FileId file) {
  llvm::DIFile*& known = files_[file.value];
  if (!known) {
    std::string_view name = file.valid() ? sources_.name(file) : std::string_view("<unit>");
    known = builder_.createFile(llvm::StringRef(name.data(), name.size()), "");
  }
  return known;
}

void DebugLines::addFunction(llvm::Function& function, std::string_view name, Range range) {
  llvm::DIFile* file = fileOf(sources_.fileOf(range.begin));
  unsigned line = range.valid() ? sources_.position(range.begin).line : 0;
  auto* type = builder_.createSubroutineType(builder_.getOrCreateTypeArray({}));
  function.setSubprogram(builder_.createFunction(
      file, llvm::StringRef(name.data(), name.size()), function.getName(), file, line, type, line,
      llvm::DINode::FlagZero, llvm::DISubprogram::SPFlagDefinition | llvm::DISubprogram::SPFlagOptimized));
}

llvm::DebugLoc DebugLines::locate(llvm::Function& function, Range range) {
  llvm::DISubprogram* subprogram = function.getSubprogram();
  if (!subprogram || !range.valid()) return {};
  FileId file = sources_.fileOf(range.begin);
  if (!file.valid()) return {};
  Position position = sources_.position(range.begin);
  llvm::DIScope* scope = subprogram;
  // Code of a function that was lowered into its caller keeps its own file.
  if (llvm::DIFile* own = fileOf(file); own != subprogram->getFile())
    scope = builder_.createLexicalBlockFile(subprogram, own, 0);
  return llvm::DILocation::get(function.getContext(), position.line, position.column, scope);
}

}  // namespace rad::cg

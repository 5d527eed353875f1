// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/lower/debug_lines.h"

#include <llvm/ADT/SmallString.h>
#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/FileSystem.h>

#include <fmt/format.h>

#include <string>

namespace rad::cg {

DebugLines::DebugLines(llvm::Module& module, const SourceManager& sources, Range unit, DebugLevel level)
    : sources_(sources), module_(module), level_(level), builder_(module) {
  module.addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
  using Kind = llvm::DICompileUnit::DebugEmissionKind;
  const bool isFull = level == DebugLevel::Full;
  // cuda-gdb reads DWARF 2, ptxas nothing newer.
  if (isFull) module.addModuleFlag(llvm::Module::Max, "Dwarf Version", module.getTargetTriple().isNVPTX() ? 2 : 4);
  unit_ = builder_.createCompileUnit(
      llvm::DISourceLanguageName(llvm::dwarf::DW_LANG_C), fileOf(sources.fileOf(unit.begin)), "raddle",
      /*isOptimized=*/!isFull, "", 0, "", isFull ? Kind::FullDebug : Kind::DebugDirectivesOnly);
}

llvm::DIFile* DebugLines::fileOf(FileId file) {
  llvm::DIFile*& known = files_[file.value];
  if (!known) {
    std::string_view name = file.valid() ? sources_.name(file) : std::string_view("<unit>");
    llvm::SmallString<128> folder;
    if (hasVariables()) llvm::sys::fs::current_path(folder);  // where debuggers look for relative names
    known = builder_.createFile(llvm::StringRef(name.data(), name.size()), folder);
  }
  return known;
}

void DebugLines::addFunction(llvm::Function& function, std::string_view name, Range range) {
  scopes_.clear();
  llvm::DIFile* file = fileOf(sources_.fileOf(range.begin));
  unsigned line = range.valid() ? sources_.position(range.begin).line : 0;
  // GDB knows a function by its linkage name where it has one; a native kernel's is not the program's name.
  const bool isNative = hasVariables() && !module_.getTargetTriple().isNVPTX();
  auto* type = builder_.createSubroutineType(builder_.getOrCreateTypeArray({}));
  function.setSubprogram(builder_.createFunction(
      file, llvm::StringRef(name.data(), name.size()), isNative ? llvm::StringRef() : function.getName(), file, line,
      type, line, llvm::DINode::FlagZero,
      llvm::DISubprogram::SPFlagDefinition |
          (hasVariables() ? llvm::DISubprogram::SPFlagZero : llvm::DISubprogram::SPFlagOptimized)));
}

llvm::DebugLoc DebugLines::locate(llvm::Function& function, Range range) {
  llvm::DISubprogram* subprogram = function.getSubprogram();
  if (!subprogram || !range.valid()) return {};
  FileId file = sources_.fileOf(range.begin);
  if (!file.valid()) return {};
  Position position = sources_.position(range.begin);
  llvm::DILocalScope* scope = scopes_.empty() ? subprogram : scopes_.back();
  // Code of a function that was lowered into its caller keeps its own file.
  if (llvm::DIFile* own = fileOf(file); own != scope->getFile()) scope = builder_.createLexicalBlockFile(scope, own, 0);
  return llvm::DILocation::get(function.getContext(), position.line, position.column, scope);
}

// ---- variables ----

void DebugLines::enterScope(llvm::Function& function, Range begin) {
  llvm::DILocalScope* outer = scopes_.empty() ? function.getSubprogram() : scopes_.back();
  const FileId file = begin.valid() ? sources_.fileOf(begin.begin) : FileId{};
  const Position position = file.valid() ? sources_.position(begin.begin) : Position{};
  scopes_.push_back(outer ? builder_.createLexicalBlock(outer, file.valid() ? fileOf(file) : outer->getFile(),
                                                        position.line, position.column)
                          : nullptr);
}

void DebugLines::declare(llvm::Function& function, llvm::Value* address, llvm::Type* memory, const TypeTable& types,
                         TypeId type, std::string_view name, Range range, unsigned parameter) {
  llvm::DISubprogram* subprogram = function.getSubprogram();
  const FileId file = range.valid() ? sources_.fileOf(range.begin) : FileId{};
  if (!subprogram || !file.valid()) return;
  llvm::DIType* described = typeOf(types, type, memory);
  if (!described) return;
  const Position position = sources_.position(range.begin);
  const llvm::StringRef spelled(name.data(), name.size());
  llvm::DILocalScope* scope = scopes_.empty() || parameter ? subprogram : scopes_.back();
  llvm::DILocalVariable* variable =
      parameter ? builder_.createParameterVariable(scope, spelled, parameter, fileOf(file), position.line, described,
                                                   /*AlwaysPreserve=*/true)
                : builder_.createAutoVariable(scope, spelled, fileOf(file), position.line, described,
                                              /*AlwaysPreserve=*/true);
  builder_.insertDeclare(address, variable, builder_.createExpression(),
                         llvm::DILocation::get(function.getContext(), position.line, position.column, scope),
                         &function.getEntryBlock());
}

llvm::DIType* DebugLines::typeOf(const TypeTable& types, TypeId id, llvm::Type* memory) {
  auto [known, isNew] = types_.try_emplace(id.value, nullptr);
  if (!isNew) return known->second;
  llvm::DIType* made = makeType(types, id, memory);
  types_[id.value] = made;
  return made;
}

llvm::DIType* DebugLines::scalarType(Scalar scalar) {
  namespace dwarf = llvm::dwarf;
  const std::string_view name = spelling(scalar);
  unsigned encoding = dwarf::DW_ATE_unsigned;
  switch (classOf(scalar)) {
    case ScalarClass::Bool: encoding = dwarf::DW_ATE_boolean; break;
    case ScalarClass::Signed:
    case ScalarClass::Index: encoding = dwarf::DW_ATE_signed; break;
    case ScalarClass::Unsigned: break;
    case ScalarClass::Float:
      // Debuggers know IEEE's; of others they show the bits.
      if (scalar == Scalar::F16 || scalar == Scalar::F32 || scalar == Scalar::F64) encoding = dwarf::DW_ATE_float;
      break;
  }
  return builder_.createBasicType(llvm::StringRef(name.data(), name.size()), bitsOf(scalar), encoding);
}

/// `memory` is the memory form of the type (FunctionLowering::memoryType); none for a type without one.
llvm::DIType* DebugLines::makeType(const TypeTable& types, TypeId id, llvm::Type* memory) {
  const Type& type = types.get(id);
  const llvm::DataLayout& layout = module_.getDataLayout();
  auto bits = [&] { return layout.getTypeAllocSize(memory).getFixedValue() * 8; };
  auto aligned = [&] { return static_cast<uint32_t>(layout.getABITypeAlign(memory).value() * 8); };
  auto rangeOf = [&](uint64_t count) {
    return builder_.getOrCreateArray({builder_.getOrCreateSubrange(0, static_cast<int64_t>(count))});
  };
  auto structure = [&](const std::vector<std::pair<std::string, llvm::DIType*>>& members) -> llvm::DIType* {
    auto* form = llvm::cast<llvm::StructType>(memory);
    llvm::SmallVector<llvm::Metadata*, 8> parts;
    for (unsigned i = 0; i < members.size(); ++i)
      parts.push_back(builder_.createMemberType(unit_->getFile(), members[i].first, unit_->getFile(), 0,
                                                layout.getTypeAllocSize(form->getElementType(i)).getFixedValue() * 8, 0,
                                                layout.getStructLayout(form)->getElementOffset(i).getFixedValue() * 8,
                                                llvm::DINode::FlagZero, members[i].second));
    return builder_.createStructType(unit_->getFile(), types.spell(id), unit_->getFile(), 0, bits(), aligned(),
                                     llvm::DINode::FlagZero, nullptr, builder_.getOrCreateArray(parts));
  };
  switch (type.kind) {
    case TypeKind::Scalar: return scalarType(type.scalar);
    case TypeKind::Vector: {
      llvm::DIType* element = typeOf(types, type.element, nullptr);
      return builder_.createVectorType(bits(), aligned(), element, rangeOf(type.count));
    }
    case TypeKind::Array: {
      llvm::DIType* element = typeOf(types, type.element, memory->getArrayElementType());
      return element ? builder_.createArrayType(bits(), aligned(), element, rangeOf(type.count)) : nullptr;
    }
    case TypeKind::Tuple: {
      std::vector<std::pair<std::string, llvm::DIType*>> members;
      for (unsigned i = 0; i < type.items.size(); ++i) {
        llvm::DIType* item = typeOf(types, type.items[i], memory->getStructElementType(i));
        if (!item) return nullptr;
        members.emplace_back(types.isStruct(id) ? types.record(id).members[i] : fmt::format("_{}", i), item);
      }
      return structure(members);
    }
    case TypeKind::View: {
      const Type& element = types.get(type.element);
      llvm::Type* elementMemory = nullptr;
      if (element.kind == TypeKind::Vector)
        elementMemory = llvm::ArrayType::get(
            llvm::IntegerType::get(module_.getContext(), bitsOf(types.get(element.element).scalar)), element.count);
      else if (element.kind != TypeKind::Scalar) return nullptr;
      llvm::DIType* of = typeOf(types, type.element, elementMemory);
      llvm::DIType* size = scalarType(Scalar::Index);
      std::vector<std::pair<std::string, llvm::DIType*>> members = {{"data", builder_.createPointerType(of, 64)}};
      for (unsigned axis = 0; axis < type.rank; ++axis) members.emplace_back(fmt::format("size{}", axis), size);
      for (unsigned axis = 0; axis < type.rank && type.strided; ++axis)
        members.emplace_back(fmt::format("stride{}", axis), size);
      return structure(members);
    }
    case TypeKind::Error:
    case TypeKind::Unit:
    case TypeKind::UntypedInt:
    case TypeKind::UntypedFloat:
    case TypeKind::String: return nullptr;
  }
  return nullptr;
}

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Host statements: the script of a unit and its host functions as native code over the runtime's C interface
// (runtime/api/host_abi.h).
//
// Every function returns a status, 0 for success. Who gets another one stores it and jumps to its `exit` block, which
// releases what the function owns; the way of an ordinary return is the same. What is owned lies in cells that the
// entry block makes and clears: variables of array type (retained when assigned), and a cell for each expression that
// makes an array, released when its statement ends. Values of array type are borrowed from such a cell. Storing to a
// cell releases what it held, so that loops do not pile up arrays.
#pragma once

#include "codegen/host/host_module.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace rad::cg {

/// What the functions of one unit share: LLVM types, declarations of the runtime, globals, host functions.
class ScriptModule {
 public:
  ScriptModule(const TypedProgram& program, llvm::Module& module, const LowerOptions& options,
               const SourceManager& sources);

  /// Makes `symbol` and all that it needs.
  void emit(const std::string& symbol);

  const TypedProgram& program() const { return program_; }
  llvm::Module& module() { return module_; }
  const LowerOptions& options() const { return options_; }
  const SourceManager& sources() const { return sources_; }
  const TypeTable& types() const { return *program_.types; }

  /// A function of host_abi.h; its declaration is made on first use.
  llvm::FunctionCallee runtime(const char* name);
  /// The host function, to be filled later.
  llvm::Function* functionOf(FunctionId id);
  llvm::GlobalVariable* globalOf(GlobalId id);

  /// How a variable of a type lies in memory: scalars (bool: i8), RadString, {RadArray*, offset, extents, strides
  /// (none: row-major)}, tuples as structs.
  llvm::Type* storageType(TypeId type);
  bool holdsArrays(TypeId type) const;
  bool isScalar(TypeId type) const { return types().get(type).kind == TypeKind::Scalar; }
  /// True for what the shared lowering keeps itself: all without arrays of a device and texts.
  bool isPlain(TypeId type) const { return types().layout(type).has_value(); }

  llvm::StructType* const radView;
  llvm::StructType* const radString;
  llvm::StructType* const printArgument;

 private:
  void emitReleaseGlobals(const std::string& name);
  const TypedProgram& program_;
  llvm::Module& module_;
  const LowerOptions& options_;
  const SourceManager& sources_;
  std::unordered_map<uint32_t, llvm::Function*> functions_;
  std::vector<FunctionId> pending_;
};

/// Fills one function of a script.
class ScriptLowering final : public TargetLowering {
 public:
  ScriptLowering(ScriptModule& unit, llvm::Function& function);
  /// A host function, or the script itself (null).
  void emit(const Body& body, const Function* function);

  void emitFailure(FunctionLowering& f, SiteId site, llvm::Value* value, llvm::Value* extent) override;
  llvm::Value* emitMath(FunctionLowering& f, Math op, llvm::ArrayRef<llvm::Value*> operands) override {
    return emitLibraryMath(f, op, operands);
  }
  bool lowerExpr(FunctionLowering& f, TExprId expr, Value& result) override;
  bool lowerStmt(FunctionLowering& f, TStmtId stmt) override;
  bool placeOf(FunctionLowering& f, TExprId place, Place& result) override;
  bool hasElementPlaces() const override { return false; }
  void beginRound(FunctionLowering& f) override;

 private:
  struct Cell {
    llvm::Value* address;
    TypeId type;  // of a variable; Unit: a temporary, a RadArray* alone
  };

  // script_memory.cpp: cells and memory forms
  Value readStorage(llvm::Value* address, TypeId type);
  void writeStorage(llvm::Value* address, const Value& value);
  void retain(const Value& value);
  void releaseStorage(llvm::Value* address, TypeId type);
  /// Puts a value into a variable: retains it, then releases what was there.
  void assignStorage(llvm::Value* address, const Value& value);
  llvm::AllocaInst* newCleared(llvm::Type* type, const llvm::Twine& name);
  /// A cell for an array that an expression makes; what it held from an earlier round is released.
  llvm::Value* newTemporary(const char* name);
  void releaseTemporaries(size_t from);
  void releaseCell(const Cell& cell);
  /// Keeps the arrays of a value alive to the end of the statement, whatever happens to the variable it came from.
  void pin(const Value& value);
  llvm::Value* localStorage(LocalId local);
  Value viewOf(TypeId type, llvm::Value* array, llvm::Value* offset, llvm::ArrayRef<Value> extents);
  llvm::Value* passView(const Value& value);
  llvm::Value* passString(const Value& value);
  llvm::Value* passScalar(const Value& value);
  llvm::Value* passArray(llvm::ArrayRef<llvm::Value*> items, llvm::Type* type, const char* name);
  llvm::Value* elementTypeOf(TypeId element);
  llvm::Value* siteOf(SiteId site);
  llvm::Value* formatOf(FileFormat format);

  // script_calls.cpp: what calls the runtime
  llvm::Value* call(const char* name, llvm::ArrayRef<llvm::Value*> arguments);
  /// Calls something that returns a status; on failure this function ends with it.
  void callChecked(const char* name, llvm::ArrayRef<llvm::Value*> arguments);
  void checkStatus(llvm::Value* status);
  llvm::Value* kernelArguments(const std::vector<TExprId>& arguments);
  std::pair<llvm::Value*, llvm::Value*> printArguments(const std::vector<TExprId>& arguments);
  Value callHostFunction(const TExpr& expr, const CallFunction& node);
  Value readElement(const TExpr& expr, const ViewElement& node);
  struct ElementAccess {
    llvm::Value* view;
    llvm::Value* indices;
    llvm::Value* site;
    TypeId type;
  };
  ElementAccess elementAccess(const ViewElement& node);
  Value readElement(const ElementAccess& element);
  void writeElement(const ElementAccess& element, const Value& value);
  Value newArray(const TExpr& expr, const NewArray& node);
  Value readFile(const TExpr& expr, const ReadFile& node);
  Value reduce(const TExpr& expr, const HostReduce& node);

  // script_statements.cpp
  bool statement(const TStmt& stmt, TStmtId id);
  bool assign(const Assign& node);
  /// The place of a part of an element of a view that was read into memory.
  Place partPlace(TExprId id, const Place& whole);
  void assignInElement(const Assign& node, const ViewElement& element);
  void assertion(const Assert& node);
  void bindExtents(TExprId view, const std::vector<TExprId>& expected, const std::vector<SiteId>& sites,
                   llvm::function_ref<void(size_t, const Value&)> bindExtent);

  llvm::IRBuilder<>& b() { return f_.builder(); }
  llvm::Value* context() { return f_.function().getArg(0); }

  ScriptModule& unit_;
  const TypedProgram& program_;
  FunctionLowering f_;
  const Function* self_ = nullptr;
  llvm::BasicBlock* exit_ = nullptr;
  llvm::AllocaInst* status_ = nullptr;
  llvm::Value* result_ = nullptr;                      // where the function's value goes
  std::unordered_map<uint32_t, llvm::Value*> locals_;  // storage of locals that are not scalars
  std::vector<Cell> variables_;                        // owned by this function, in the order they were made
  std::vector<Cell> temporaries_;                      // released when their statement ends
  TStmtId inside_;                                     // a statement handed on to the shared lowering
};

}  // namespace rad::cg

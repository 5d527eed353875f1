// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the checker knows while it works: declared names, scopes, values, what is being checked, instances, and what a
// session keeps of all units.
#pragma once

#include "frontend/sema/const_value.h"
#include "frontend/sema/sema.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace rad::sema {

struct ModuleScope;
struct Context;
struct FunctionValue;

/// A declared name that bodies can refer to from anywhere in its scope: owned by the session, never moved.
struct Entity {
  enum class Kind : uint8_t { Fn, Kernel, Const, TypeAlias, Struct, Enum, Global, Lambda, Module, Unsupported };
  Kind kind = Kind::Fn;
  Symbol name;
  Range range;  // of the name
  const Ast* ast = nullptr;
  DeclId decl;
  ModuleScope* home = nullptr;
  bool isPrivate = false;         // seen in its own module only
  bool isExtern = false;          // Fn: device code of another object
  ModuleScope* module = nullptr;  // Module
  // Global
  std::string symbol;
  TypeId type;
  bool isVar = false;
  bool isLost = false;  // an array whose device was lost after it got its value
  std::optional<ConstValue>
      constant;  // Global: a `let` known while compiling (its type may be untyped); Const once evaluated
  enum class State : uint8_t { New, Busy, Done, Failed } state = State::New;  // Const, Enum
  const LambdaExpr* lambda = nullptr;                                         // Lambda: a script's `let f = |x| ...`
  std::vector<std::string> specialisations{};  // Kernel: the names of its instances, of all units of the session
  Entity* owner = nullptr;                     // Fn: the struct that it is a method or function of
  std::vector<StaticParam> ownStatics{};       // of such a Fn: the compile-time parameters of the struct, then its own
  std::unordered_map<Symbol, Entity*> methods{};  // Struct
};

/// The declarations of a file, a library module, or of all entries of a session.
struct ModuleScope {
  std::string name;              // "math"; an imported file's name as messages show it
  ModuleScope* outer = nullptr;  // where names are looked up next (a unit: the session's)
  std::unordered_map<Symbol, Entity*> names;
  std::unordered_map<Symbol, Range> imported{};  // those of `names` that an import brought, and where
  bool isFile = false;                           // an imported file
  bool isBroken = false;                         // some of it could not be read
  std::vector<Entity*> operators{};              // in the order of their declarations
};

/// An imported file, as it was when it was read.
struct FileModule {
  struct Import {
    std::string path, from;
    FileModule* module;
  };
  ModuleScope scope;
  const Ast* ast;
  std::vector<Import> imports;  // the files that it imports
};

/// An expression that has been checked: a constant that still takes the type its context needs, or code.
struct Value {
  TypeId type;
  TExprId expr;  // none for a constant that was not written into the program yet, and for Unit
  std::optional<ConstValue> constant;
  Range range;
  bool diverges = false;  // a block that never gets to its end
  Range cut = {};         // an untyped constant: the quotient of two whole numbers in it that is not exact, if any
};

/// A name inside a body.
struct Binding {
  enum class Kind : uint8_t { Local, Constant, Type, Pack, Function };
  Kind kind = Kind::Local;
  LocalId local;
  TypeId type;  // of the local, constant, or the type itself
  std::optional<ConstValue> constant;
  std::vector<LocalId>
      pack;  // `shape: index...`; Function: the values it has taken along, in the order of FunctionValue::captured
  Range range;
  FunctionValue* function = nullptr;  // Function
  bool waits = false;                 // a compile-time argument that is known when the program runs: of no type here
};
using LocalScope = std::unordered_map<Symbol, Binding>;

/// What in a function needs the threads of a block: barrier(), block.sum(x), thread.index ... Such a function becomes
/// part of its callers.
struct BlockUse {
  std::string what;
  Range range;
  std::vector<std::pair<std::string, Range>>
      via;  // the functions through which it is reached, and their calls; innermost first
};

/// What a lambda, `forall` statement or generator takes along of a name outside of it.
struct Captured {
  std::string key;  // which variable: as in Context::captured
  std::string name;
  TypeId type;
};

/// A function that is known while compiling: a lambda, or the name of a function, handed over to a parameter of
/// function type. Owned by the checker, never moved.
struct FunctionValue {
  // What was written: one of these.
  const LambdaExpr* lambda = nullptr;
  Entity* entity = nullptr;  // a fn
  std::optional<Math> math;
  std::optional<Scalar> conversion;
  const Ast* ast = nullptr;      // lambda: its text
  Context* definedIn = nullptr;  // lambda: where it takes values from
  // A lambda with a name: where that was given to it, and how many scopes there were. (The name's own value has no
  // types: each use has.)
  Context* namesFrom = nullptr;
  size_t namesDepth = 0;
  ModuleScope* home = nullptr;
  bool isNamed = false;
  std::string name;  // for messages
  Range range;
  std::vector<TypeId> params;
  TypeId result;                   // the error type until the first instance has found it
  std::vector<Captured> captured;  // lambda: of the first instance
  /// As the functions that it is on the host and on the device.
  struct Instance {
    FunctionId id;
    std::vector<Captured> captured;  // its parameters behind those of `params`
  };
  std::optional<Instance> host, device;
};

/// What is being checked: the script, a test or bench block, a function (a lambda captures from `parent`), a kernel, or
/// the kernel of a reduction or `forall` statement (which capture from `parent`).
struct Context {
  enum class Kind : uint8_t { Script, Test, Function, Kernel, Reduction, Forall };
  Kind kind = Kind::Script;
  Side side = Side::Host;
  Context* parent = nullptr;
  ModuleScope* home = nullptr;
  Body body;
  std::vector<LocalScope> scopes;
  std::vector<TStmtId>* out = nullptr;  // where statements go
  std::string name;                     // for messages
  // functions
  TypeId result;
  bool inferResult = false;
  bool resultSeen = false;        // inferResult: a return has fixed it
  bool returnedReadOnly = false;  // a view without write access was returned
  FunctionId function;
  // kernels
  bool isBlocks = false;
  Kernel* kernel = nullptr;
  std::vector<TExprId> captures;              // Reduction, Forall, a lambda: the arguments, of `parent`
  std::vector<Captured> capturedParams = {};  // a lambda: its parameters behind those that are declared
  // Forall: keys of the captured arrays that the body writes to, as far as the last look at it has found them; those
  // that this one finds; and what local views are made of.
  std::set<std::string> written = {}, alsoWritten = {};
  Context* namesFrom =
      nullptr;  // a lambda with a name: where names go on to be looked up (none: in `parent`), in its outermost scopes
  size_t namesDepth = 0;
  std::map<uint32_t, TExprId> madeOf = {};
  std::vector<TStmtId> prologue = {};  // Kernel, Reduction, Forall: makes values of parameters that came in parts
  std::map<std::string, Binding> captured;
  // flow
  unsigned loops = 0;
  unsigned valueBlocks = 0;  // inside BlockValues
  unsigned loopsOutside =
      0;  // of `loops`, those outside of the innermost value that is being computed: it cannot leave them
  bool canHoist = false;  // a collective may be put before the statement that is being checked
  unsigned uncheckedDepth = 0;
  std::set<uint32_t> unassigned;  // locals, and unassignedKey()s of script variables, that may lack a value here
  std::set<uint32_t> reportedUnassigned{};  // those of `unassigned` that there was a message about
  std::set<Symbol> reported{};              // names that were said not to be known
  List<ExprId> resultDims{};                // sizes that the result type names
  bool hasEffects = false;
  std::optional<BlockUse> blockUse{};           // Function: the first such place
  std::map<std::string, LocalId> blockNames{};  // Function: "thread.index" and the like, which callers fill in
  Range statementValue{};                       // the value of the statement that is being checked, without parentheses
  LocalId benchBytes{};                         // Test: of a bench, what bytes() sets
  bool isComputed = false;                      // while compiling: as host code, in which reductions are loops
  std::map<uint32_t, std::pair<LocalId, unsigned>>
      sizeOf;  // Dimension locals of a fn: the view and axis they are the size of
};

/// What is known of an instance of a fn.
struct FunctionInstance {
  FunctionId id;
  enum class State : uint8_t { Busy, Done, Failed } state = State::Busy;
  bool resultKnown = false;
  bool hasEffects = false;
  std::string name;
  Range callRange;
  // Functions that need the threads of a block: what they are made of (the program has an empty one in their place).
  std::optional<BlockUse> blockUse;
  std::map<std::string, LocalId> blockNames;
  Function inlined;
};
/// What is known of an instance of a kernel.
struct KernelInstance {
  KernelId id;
  bool isListed = false;  // by `instantiate`
  bool failed = false;
  std::vector<TypeId> paramTypes;  // as declared; a kernel gets vectors, arrays and tuples in parts
};
/// A compile-time argument.
struct StaticValue {
  bool isType = false;
  TypeId type;  // the type itself, or the constant's
  ConstValue constant;
  // A kernel's constant that is known when the program runs: host code computes it, or (no `atRun`) its default does.
  bool waits = false;
  TExprId atRun = {};
};
/// A launch of a kernel whose compile-time arguments are known when it runs.
struct OpenLaunch {
  Entity* entity = nullptr;
  std::vector<StaticValue> statics;
  Range range;
};
/// The functions that a call hands over: one a parameter of its callee, none for those of other types.
using FunctionArguments = std::vector<FunctionValue*>;

/// The result of a checked block.
struct BlockResult {
  std::vector<TStmtId> statements;
  std::optional<Value> value;
  bool diverges = false;
};

/// A kernel may be made for so many sets of compile-time arguments in a session.
inline constexpr size_t mostSpecialisations = 64;

/// What a struct or enum type was made of.
struct StructInstance {
  Entity* entity = nullptr;
  std::vector<StaticValue> statics;
};

/// State that outlives a unit.
struct SessionState {
  SourceManager& sources;
  Interner& names;
  std::span<const LibraryText> library;
  FileLoader loader;
  TypeTable types;
  std::deque<Entity> entities;
  std::deque<std::unique_ptr<Ast>> asts;
  ModuleScope session{.name = "", .outer = nullptr};
  std::map<std::string, ModuleScope, std::less<>> modules;  // by name, once parsed
  std::set<std::string, std::less<>> failedModules;
  std::map<std::string, std::unordered_set<std::string_view>, std::less<>>
      libraryWords;                          // of a module's lines that are not indented
  std::map<std::string, FileModule*> files;  // by identity: the last version that was read without errors
  std::deque<FileModule> fileModules;        // all versions: earlier units refer to them
  std::vector<Entity*> unassigned;           // script variables of earlier units that may lack a value
  std::map<std::string, std::optional<TypeId>> structTypes;  // by entity and arguments; none: being made
  std::unordered_map<uint32_t, StructInstance> structs;      // by TypeId
  unsigned nextGlobal = 0;
  std::optional<TypeId> shownType;  // of the value that the last interactive unit shows
  bool buildAllKernels = false;
  bool blocksSeeScript = false;  // test and bench blocks use the variables of earlier units
  bool verifyProofs = false;
  std::vector<OpenLaunch> openLaunches;  // of all units
};

}  // namespace rad::sema

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks syntax trees and makes typed programs of them.
#pragma once

#include "frontend/ast/ast.h"
#include "frontend/diagnostics/diagnostics.h"
#include "frontend/sema/typed_program.h"

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rad {

namespace sema {
struct ModuleScope;
}

/// One library module, as text: name "random" or, for what every program sees without import, "prelude".
struct LibraryText {
  std::string_view name;
  std::string_view text;
};

/// A file that an import names.
struct ImportedFile {
  std::string name;      // for messages
  std::string identity;  // equal for all paths that lead to one file
  std::string text;
};
/// Why a file cannot be imported.
struct ImportFailure {
  std::string reason;               // with the path that was tried
  std::vector<std::string> nearby;  // files that are there, as an import would write them
};
/// What imports of files need. `fromFile` is the display name of the importing text.
struct FileLoader {
  std::function<std::expected<ImportedFile, ImportFailure>(std::string_view path, std::string_view fromFile)> load;
  std::function<std::string(std::string_view file)> identity;
};

/// A `test` or `bench` block of a file.
struct TestBlock {
  std::string name;
  bool isBench = false;
  Range range;
  DeclId decl;
};

/// A name that an entry of a session can use.
struct SessionName {
  enum class Kind : uint8_t { Function, Kernel, Constant, Type, Variable, Module } kind = Kind::Function;
  std::string name;
  std::string type;        // of a variable: "mut [f32; _]"
  std::string signature;   // of what was declared, without its body
  std::string doc;         // its `///` lines
  bool isDeclared = true;  // by an entry; else by the library that every entry sees
};

/// What an expression is.
struct Inspected {
  std::string type;  // "f32"; "nothing" where it has no value
  bool isValue = true;
  std::vector<std::string> members;  // what can stand behind a dot
};

/// The declarations and variables of one session, and the checker that adds units to them. A file is one unit; each
/// entry of a REPL is one. Not thread-safe; several sessions may live in several threads.
class Session {
 public:
  /// `library` must outlive the session; its modules are parsed on first use.
  Session(SourceManager& sources, Interner& names, std::span<const LibraryText> library, FileLoader loader);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Checks one unit and the files that it imports; a tree with syntax errors (`diagnostics` has
  /// them) is checked for what else is wrong. Without errors its declarations and variables become visible to later
  /// units and the typed program is returned; with errors nothing of it stays and nothing is returned. `interactive`: a
  /// last expression statement is printed as its value. The tree is kept by the session.
  std::optional<TypedProgram> check(Ast ast, Diagnostics& diagnostics, bool interactive = false);
  /// Checks one unit as check() does, and keeps nothing of it.
  std::optional<TypedProgram> checkApart(Ast ast, Diagnostics& diagnostics);
  /// What the last expression of a unit is; nothing runs, and nothing of it is kept.
  std::optional<Inspected> inspect(Ast ast, Diagnostics& diagnostics);
  /// The names that entries declared, and those of the library that need no import, in alphabetical order.
  std::vector<SessionName> visibleNames() const;
  /// The public names of a module that an entry imported; empty: there is no such module.
  std::vector<std::string> moduleNames(std::string_view module) const;
  /// The test and bench blocks of the last unit that was checked without errors, in its order.
  std::vector<TestBlock> blocks() const;
  /// A unit whose statements are those of one of blocks(): it sees the file's declarations, and nothing of its script.
  /// What a bench measures stands in a loop as long as BenchAgain says.
  std::optional<TypedProgram> check(const TestBlock& block, Diagnostics& diagnostics);
  /// A unit that holds the kernel of an open launch (OpenKernel::number) for compile-time arguments that a program has
  /// computed: whole numbers and bools as such, floats as the bits of a double. None after messages.
  std::optional<TypedProgram> specialise(uint32_t openKernel, std::span<const int64_t> statics,
                                         Diagnostics& diagnostics);
  /// A unit that instantiates every kernel of the last checked one that has no compile-time parameters, for `raddle
  /// build` (check() alone makes only what the script uses when `false`).
  void setBuildAllKernels(bool all);
  /// Test and bench blocks use the variables of earlier units, as entries do.
  void setBlocksSeeScript(bool see);
  /// Keeps the checks that were proven superfluous, so that one which fails after all shows a wrong proof.
  void setVerifyProofs(bool verify);
  /// Takes back the variables that the last unit defined (its run failed before they were assigned).
  void forgetGlobals(std::span<const std::string> symbols);
  /// The variables that are arrays have no value from now on, until they get one or are declared anew; their names, in
  /// alphabetical order.
  std::vector<std::string> loseArrays();

  TypeTable& types();
  const Interner& names() const;

 private:
  /// What earlier units declared uses the functions and kernels of `unit` in place of older ones of their names.
  void seeNewOnes(const sema::ModuleScope& unit);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Reports what makes a kernel slow on a GPU and shows in its text: neighbouring threads that access memory far apart,
/// loops whose rounds differ, arrays with indices that are not known, conflicts of shared memory's banks.
/// Nothing is said of the library's own lines, which nobody who calls it can change.
void findRemarks(const TypedProgram& program, KernelId kernel, const SourceManager& sources, Diagnostics& diagnostics);
/// Whether a place is in a module of the library.
bool isOfLibrary(Range range, const SourceManager& sources);

}  // namespace rad

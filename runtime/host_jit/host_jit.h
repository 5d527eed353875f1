// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Native code in this process from LLVM modules, by ORC and JITLink. One HostJit lives as long as a session: code stays
// where it is, later modules refer to the functions and globals of earlier ones by symbol.
#pragma once

#include "codegen/codegen.h"
#include "runtime/base/result.h"

#include <memory>
#include <span>
#include <string_view>

namespace rad::rt {

/// A symbol that compiled code may refer to, and where it is in this process.
struct JitSymbol {
  std::string_view name;
  const void* address = nullptr;
};

/// The C library's functions that compiled code may call: mathematics in f32 and f64 (every `libm` name of
/// builtins.def), and the memory functions that LLVM makes of loops.
std::span<const JitSymbol> libraryJitSymbols();

/// Compiles modules and links them into the process. Thread-safe.
class HostJit {
 public:
  /// `symbols`: what modules may refer to beside libraryJitSymbols(), usually hostAbiSymbols() (host_abi_symbols.h).
  static Result<std::shared_ptr<HostJit>> create(std::span<const JitSymbol> symbols);
  ~HostJit();
  HostJit(const HostJit&) = delete;
  HostJit& operator=(const HostJit&) = delete;

  /// Compiles an optimised host module and links it. Its external definitions become visible to lookup() and to later
  /// modules. Fails (Image), and leaves the session as it was, if a symbol it refers to is defined nowhere, or one that
  /// it defines exists. The module is used up.
  Result<void> add(cg::IrModule module, const cg::CodegenOptions& options = {});

  /// The address of a symbol that an added module defines; Image error if there is none.
  Result<void*> lookup(std::string_view symbol);

  /// The same, as a pointer to a function or to data.
  template <class T>
  Result<T> lookupAs(std::string_view symbol) {
    RAD_ASSIGN(void* address, lookup(symbol));
    return reinterpret_cast<T>(address);
  }

 private:
  struct Impl;
  explicit HostJit(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rad::rt

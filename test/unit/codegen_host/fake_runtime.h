// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A runtime for compiled host statements that keeps accounts instead of working: which arrays live, what was called,
// and a call that is to fail.
#pragma once

#include "codegen/codegen.h"
#include "frontend/parse/parse.h"
#include "frontend/sema/sema.h"
#include "runtime/api/host_abi.h"
#include "runtime/engine/pipeline.h"
#include "runtime/host_jit/host_jit.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace rad::test {

/// What compiled code did. One at a time.
struct FakeRuntime {
  struct Array {
    int references;
  };
  std::map<RadArray*, Array> arrays;  // those that live
  size_t most = 0;                    // that lived at once
  size_t made = 0;
  int calls = 0;    // that may fail
  int failAt = -1;  // the call, from 0, that fails
  int errors = 0;   // misuses: a dead array, an unbalanced release
  int64_t checkValue = 0, checkExtent = 0;
  int checksFailed = 0, assertsFailed = 0;
  std::vector<std::string> log;  // "launch 0 x2", "print ..."

  static FakeRuntime*& current() {
    static FakeRuntime* runtime = nullptr;
    return runtime;
  }
  int32_t step(const char* name) {
    if (calls++ != failAt) return 0;
    log.push_back(std::string("failed ") + name);
    return 1;
  }
  RadArray* make() {
    auto* array = reinterpret_cast<RadArray*>(++made * 16);
    arrays[array] = {1};
    most = std::max(most, arrays.size());
    return array;
  }
  void use(const RadView* view) {
    if (!arrays.contains(view->array)) ++errors;
  }
};

/// The functions of host_abi.h over FakeRuntime::current().
std::vector<rt::JitSymbol> fakeSymbols();

/// A session whose units are checked, lowered and compiled, then run against a FakeRuntime.
class ScriptSession {
 public:
  ScriptSession();
  /// Compiles the next unit; the test fails if the text is not a program.
  void compile(const std::string& text);
  /// Runs the last unit.
  int32_t run(FakeRuntime& runtime);
  /// Calls the release functions of all units.
  void release(FakeRuntime& runtime);

 private:
  SourceManager sources_;
  Interner names_;
  Diagnostics diagnostics_;
  Session session_;
  std::shared_ptr<rt::HostJit> jit_;
  std::vector<std::string> releases_;
  RadScript script_ = nullptr;
  int units_ = 0;
};

}  // namespace rad::test

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/unit/codegen_host/fake_runtime.h"

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

namespace rad::test {

namespace {

FakeRuntime& rt() { return *FakeRuntime::current(); }

int32_t arrayNew(RadContext*, int32_t, int32_t, const int64_t*, uint32_t, RadArray** result) {
  if (int32_t status = rt().step("array_new")) return status;
  *result = rt().make();
  return 0;
}
void retain(RadArray* array) {
  if (!array) return;
  if (!rt().arrays.contains(array)) ++rt().errors;
  else ++rt().arrays[array].references;
}
void release(RadArray* array) {
  if (!array) return;
  auto found = rt().arrays.find(array);
  if (found == rt().arrays.end()) ++rt().errors;
  else if (--found->second.references == 0) rt().arrays.erase(found);
}
int32_t elementRead(RadContext*, const RadView* view, const int64_t*, uint32_t, void* value) {
  rt().use(view);
  *static_cast<int32_t*>(value) = 3;
  return rt().step("element_read");
}
int32_t elementWrite(RadContext*, const RadView* view, const int64_t* indices, uint32_t, const void* value) {
  rt().use(view);
  rt().log.push_back("write [" + std::to_string(indices[0]) +
                     "] = " + std::to_string(*static_cast<const int32_t*>(value)));
  return rt().step("element_write");
}
int32_t viewCopy(RadContext*, const RadView* view, uint32_t, RadArray** result) {
  rt().use(view);
  if (int32_t status = rt().step("view_copy")) return status;
  *result = rt().make();
  return 0;
}
int32_t viewAssign(RadContext*, const RadView* to, const RadView* from, uint32_t) {
  rt().use(to);
  rt().use(from);
  return rt().step("view_assign");
}
int32_t viewFill(RadContext*, const RadView* to, const void*, uint32_t) {
  rt().use(to);
  return rt().step("view_fill");
}
int32_t launch(RadContext*, uint32_t, const void* const* arguments, uint32_t) {
  // The kernels of these tests take one array, first.
  const auto* view = static_cast<const RadView*>(arguments[0]);
  rt().use(view);
  rt().log.push_back("launch on array " + std::to_string(reinterpret_cast<uintptr_t>(view->array) / 16));
  return rt().step("launch");
}
int32_t reduce(RadContext*, uint32_t, const void* const* arguments, uint32_t, void* result) {
  rt().use(static_cast<const RadView*>(arguments[0]));
  *static_cast<int32_t*>(result) = 5;
  return rt().step("reduce");
}
int32_t print(RadContext*, const char* format, int64_t size, int32_t count, const RadPrintArgument* arguments) {
  std::string text(format, size);
  for (int32_t i = 0; i < count; ++i) {
    if (arguments[i].kind == 1) rt().use(static_cast<const RadView*>(arguments[i].data));
    if (arguments[i].kind == 0) text += " " + std::to_string(*static_cast<const int32_t*>(arguments[i].data));
  }
  rt().log.push_back("print " + text);
  return rt().step("print");
}
int32_t assertFailed(RadContext*, uint32_t, int32_t, const RadPrintArgument*) {
  ++rt().assertsFailed;
  return 7;
}
int32_t checkFailed(RadContext*, uint32_t, int64_t value, int64_t extent) {
  ++rt().checksFailed;
  rt().checkValue = value;
  rt().checkExtent = extent;
  return 9;
}
void calledFrom(RadContext*, const char*, int64_t) {}
int32_t enter(RadContext*) { return 0; }
int32_t unused() {
  ++rt().errors;
  return 1;
}

template <class F>
rt::JitSymbol row(const char* name, F* function) {
  return {name, reinterpret_cast<const void*>(function)};
}

}  // namespace

std::vector<rt::JitSymbol> fakeSymbols() {
  return {row("rad_array_new", arrayNew),
          row("rad_retain", retain),
          row("rad_release", release),
          row("rad_element_read", elementRead),
          row("rad_element_write", elementWrite),
          row("rad_view_copy", viewCopy),
          row("rad_view_assign", viewAssign),
          row("rad_view_fill", viewFill),
          row("rad_launch", launch),
          row("rad_reduce", reduce),
          row("rad_print", print),
          row("rad_assert_failed", assertFailed),
          row("rad_check_failed", checkFailed),
          row("rad_file_write", unused),
          row("rad_file_read", unused),
          row("rad_argument_count", unused),
          row("rad_argument", unused),
          row("rad_parse_i64", unused),
          row("rad_parse_f64", unused),
          row("rad_sync", unused),
          row("rad_clock", unused),
          row("rad_bench_again", unused),
          row("rad_called_from", calledFrom),
          row("rad_enter", enter),
          row("rad_text_read", unused),
          row("rad_text_write", unused),
          row("rad_text_equal", unused),
          row("rad_format", unused)};
}

ScriptSession::ScriptSession() : session_(sources_, names_, rt::builtinLibrary(), rt::fileLoader()) {
  auto jit = rt::HostJit::create(fakeSymbols());
  EXPECT_TRUE(jit.has_value());
  jit_ = *jit;
}

void ScriptSession::compile(const std::string& text) {
  FileId file = sources_.add("unit", text);
  auto program = session_.check(parse(file, sources_, names_, diagnostics_), diagnostics_);
  ASSERT_TRUE(program.has_value()) << text << "\n"
                                   << (diagnostics_.all().empty() ? ""
                                                                  : std::string(codeOf(diagnostics_.all()[0].kind)));
  ASSERT_EQ(verify(*program), "");
  std::string symbol = "script" + std::to_string(units_++);
  cg::CodegenOptions options;
  auto module = cg::lowerScript(*program, symbol, options, sources_);
  ASSERT_TRUE(module.has_value()) << module.error();
  ASSERT_TRUE(cg::optimize(*module->module, options).has_value());
  std::string release = symbol + ".release_globals";
  if (module->module->getFunction(release)) releases_.push_back(release);
  auto added = jit_->add(std::move(*module), options);
  ASSERT_TRUE(added.has_value()) << added.error().render();
  script_ = *jit_->lookupAs<RadScript>(symbol);
}

int32_t ScriptSession::run(FakeRuntime& runtime) {
  FakeRuntime::current() = &runtime;
  return script_(nullptr);
}

void ScriptSession::release(FakeRuntime& runtime) {
  FakeRuntime::current() = &runtime;
  for (const auto& symbol : releases_) (*jit_->lookupAs<void (*)(RadContext*)>(symbol))(nullptr);
}

}  // namespace rad::test

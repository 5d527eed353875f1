// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/library.h"

#include <algorithm>
#include <cstring>

namespace rad::cuda {

void releaseLibrary(const Context& context, CUlibrary library) noexcept {
  // Waits for running kernels by itself.
  context.release<DriverFn::LibraryUnload>("a kernel library", library);
}

void releaseModule(const Context& context, CUmodule module) noexcept {
  context.release<DriverFn::ModuleUnload>("a module", module);
}

// ---- Image ----

Image Image::ptx(std::string_view text) {
  Image image;
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  image.bytes_.assign(bytes.begin(), bytes.end());
  image.bytes_.push_back(std::byte(0));
  return image;
}

Image Image::binary(std::span<const std::byte> bytes) {
  Image image;
  image.bytes_.assign(bytes.begin(), bytes.end());
  // The driver reads a few bytes to see what it is, however short it is, and what is neither cubin nor fatbin as text,
  // to a zero.
  image.bytes_.resize(std::max<std::size_t>(bytes.size() + 1, 64));
  return image;
}

// ---- JitArguments ----

Status JitArguments::check(const JitOptions& options) {
  if (options.target && options.threadsPerBlock)
    return fail(ErrorCategory::Misuse,
                "a target and a number of threads in a block exclude each other "
                "when the driver compiles",
                "Set one of them.");
  if (options.optimizationLevel && *options.optimizationLevel > 4)
    return fail(ErrorCategory::Misuse, "the driver's compiler has optimization levels 0 to 4, and " +
                                           std::to_string(*options.optimizationLevel) + " was asked for");
  return {};
}

void JitArguments::add(CUjit_option name, std::uintptr_t value) {
  names_.push_back(name);
  values_.push_back(reinterpret_cast<void*>(value));
}

JitArguments::JitArguments(const JitOptions& o) : info_(o.logBytes, '\0'), errors_(o.logBytes, '\0') {
  add(CU_JIT_WALL_TIME, 0);
  if (o.logBytes) {
    add(CU_JIT_INFO_LOG_BUFFER, reinterpret_cast<std::uintptr_t>(info_.data()));
    add(CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES, o.logBytes);
    add(CU_JIT_ERROR_LOG_BUFFER, reinterpret_cast<std::uintptr_t>(errors_.data()));
    add(CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, o.logBytes);
  }
  const auto number = [&](CUjit_option name, const auto& value) {
    if (value) add(name, std::uintptr_t(*value));
  };
  number(CU_JIT_MAX_REGISTERS, o.maxRegisters);
  number(CU_JIT_THREADS_PER_BLOCK, o.threadsPerBlock);
  number(CU_JIT_OPTIMIZATION_LEVEL, o.optimizationLevel);
  number(CU_JIT_TARGET, o.target);
  number(CU_JIT_FALLBACK_STRATEGY, o.fallback);
  number(CU_JIT_CACHE_MODE, o.cacheMode);
  number(CU_JIT_MIN_CTA_PER_SM, o.minBlocks);
  number(CU_JIT_MAX_THREADS_PER_BLOCK, o.maxThreadsPerBlock);
  number(CU_JIT_SPLIT_COMPILE, o.splitCompile);
  const auto flag = [&](CUjit_option name, bool value) {
    if (value) add(name, 1);
  };
  flag(CU_JIT_OVERRIDE_DIRECTIVE_VALUES, o.overrideDirectives);
  flag(CU_JIT_GENERATE_DEBUG_INFO, o.debugInfo);
  flag(CU_JIT_GENERATE_LINE_INFO, o.lineInfo);
  flag(CU_JIT_LOG_VERBOSE, o.verbose);
  flag(CU_JIT_POSITION_INDEPENDENT_CODE, o.positionIndependent);
  if (!o.symbols.empty()) {
    for (const auto& [name, address] : o.symbols) {
      symbolNames_.push_back(name.c_str());
      symbolAddresses_.push_back(address);
    }
    add(CU_JIT_GLOBAL_SYMBOL_NAMES, reinterpret_cast<std::uintptr_t>(symbolNames_.data()));
    add(CU_JIT_GLOBAL_SYMBOL_ADDRESSES, reinterpret_cast<std::uintptr_t>(symbolAddresses_.data()));
    add(CU_JIT_GLOBAL_SYMBOL_COUNT, symbolNames_.size());
  }
}

JitReport JitArguments::report() const {
  JitReport report;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto used = std::size_t(reinterpret_cast<std::uintptr_t>(values_[i]) & 0xffffffffu);
    if (names_[i] == CU_JIT_WALL_TIME) std::memcpy(&report.milliseconds, &values_[i], sizeof(float));
    else if (names_[i] == CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES) report.info = info_.substr(0, used);
    else if (names_[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES) report.errors = errors_.substr(0, used);
  }
  for (std::string* text : {&report.info, &report.errors}) text->resize(std::strlen(text->c_str()));
  return report;
}

// ---- Kernel ----

const Context& Kernel::context() const {
  static const Context none;
  return state_ ? state_->context : none;
}

Result<Kernel> Kernel::borrow(const Context& context, CUkernel kernel, std::shared_ptr<const void> keepAlive) {
  if (!kernel) return fail(ErrorCategory::Misuse, "a kernel was borrowed that is null");
  auto state = std::make_shared<State>();
  state->code = std::move(keepAlive);
  state->context = context;
  state->kernel = kernel;
  state->launched = reinterpret_cast<CUfunction>(kernel);
  const char* name = nullptr;
  RAD_TRY(context.call<DriverFn::KernelGetName>(&name, kernel));
  state->name = name ? name : "";
  return make(std::move(state));
}

Result<Kernel> Kernel::make(std::shared_ptr<State> state) {
  const Context& context = state->context;
  const Device& device = context.device();
  ContextGuard guard(context.driver(), context.raw());
  RAD_TRY(guard.status());
  const auto get = [&](CUfunction_attribute which, int& out) -> Status {
    return state->kernel ? context.call<DriverFn::KernelGetAttribute>(&out, which, state->kernel, device.raw())
                         : context.call<DriverFn::FuncGetAttribute>(&out, which, state->launched);
  };
  KernelAttributes& a = state->attributes;
  RAD_TRY(get(CU_FUNC_ATTRIBUTE_NUM_REGS, a.registers));
  RAD_TRY(get(CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES, a.localBytes));
  RAD_TRY(get(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, a.staticSharedBytes));
  RAD_TRY(get(CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES, a.constantBytes));
  RAD_TRY(get(CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, a.maxThreads));
  RAD_TRY(get(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, a.maxDynamicSharedBytes));
  RAD_TRY(get(CU_FUNC_ATTRIBUTE_PTX_VERSION, a.ptxVersion));
  RAD_TRY(get(CU_FUNC_ATTRIBUTE_BINARY_VERSION, a.binaryVersion));
  int cluster = 0;
  RAD_TRY(get(CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET, cluster));
  a.needsCluster = cluster != 0;
  state->dynamicShared = unsigned(std::max(a.maxDynamicSharedBytes, 0));

  LaunchLimits& l = state->limits;
  const auto number = [&](CUdevice_attribute which, int& out) { out = device.attributeOr(which, out); };
  l.computeCapability = device.computeCapability();
  number(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, l.multiprocessors);
  number(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, l.maxThreads);
  number(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X, l.maxBlock[0]);
  number(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y, l.maxBlock[1]);
  number(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z, l.maxBlock[2]);
  number(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X, l.maxGrid[0]);
  number(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y, l.maxGrid[1]);
  number(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z, l.maxGrid[2]);
  number(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, l.sharedBytes);
  number(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, l.sharedBytesOptIn);
  l.cooperative = device.attributeOr(CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH, 0) != 0;

  // Past the last parameter the driver says "invalid value".
  const DriverApi& driver = context.driver();
  const auto ofKernel = driver.raw<DriverFn::KernelGetParamInfo>();
  const auto ofFunction = driver.raw<DriverFn::FuncGetParamInfo>();
  if (state->kernel ? ofKernel != nullptr : ofFunction != nullptr) {
    RAD_TRY(driver.usable());
    std::vector<ParameterInfo> parameters;
    constexpr std::size_t most = 4096;  // they are limited to 32764 bytes
    CUresult status = CUDA_SUCCESS;
    while (parameters.size() < most) {
      ParameterInfo one;
      const std::size_t index = parameters.size();
      status = state->kernel ? ofKernel(state->kernel, index, &one.offset, &one.bytes)
                             : ofFunction(state->launched, index, &one.offset, &one.bytes);
      if (status != CUDA_SUCCESS) break;
      parameters.push_back(one);
    }
    if (status == CUDA_ERROR_INVALID_VALUE) {
      state->parameters = std::move(parameters);
      (void)driver.takeLog();  // it logs this answer as a failure
    } else if (status != CUDA_SUCCESS) {
      return fail(context.explain(
          driver.failure(state->kernel ? DriverFn::KernelGetParamInfo : DriverFn::FuncGetParamInfo, status)));
    }
  }
  Kernel kernel;
  kernel.state_ = std::move(state);
  return kernel;
}

Status Kernel::set(CUfunction_attribute which, int value) const {
  if (state_->kernel)
    return context().call<DriverFn::KernelSetAttribute>(which, value, state_->kernel, context().device().raw());
  return context().call<DriverFn::FuncSetAttribute>(state_->launched, which, value);
}

Status Kernel::allowDynamicShared(unsigned bytes) const {
  if (bytes <= state_->dynamicShared.load(std::memory_order_acquire)) return {};
  std::lock_guard lock(state_->mutex);
  const int most = limits().sharedBytesOptIn - std::max(attributes().staticSharedBytes, 0);
  if (std::int64_t(bytes) > most)
    return fail(ErrorCategory::Launch,
                "'" + name() + "' cannot have " + std::to_string(bytes) + " bytes of dynamic shared memory: " +
                    context().device().id() + " has " + std::to_string(limits().sharedBytesOptIn) +
                    " in a block, and the kernel itself takes " + std::to_string(attributes().staticSharedBytes),
                "Use smaller shared arrays.");
  // All there is, once: larger requests by other threads then fit too.
  RAD_TRY(set(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, most));
  state_->dynamicShared = unsigned(most);
  return {};
}

Status Kernel::allowLargeClusters() const {
  std::lock_guard lock(state_->mutex);
  RAD_TRY(set(CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED, 1));
  state_->largeClusters = true;
  return {};
}

Status Kernel::setSharedCarveout(int percent) const {
  if (percent < -1 || percent > 100)
    return fail(ErrorCategory::Misuse,
                "a share of shared memory is 0 to 100 percent, or -1 for the "
                "driver's choice; " +
                    std::to_string(percent) + " was given");
  return set(CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, percent);
}

namespace {

/// "; it has 'a', 'b'", for messages.
std::string listOf(const Result<std::vector<std::string>>& names) {
  constexpr std::size_t most = 8;
  if (!names || names->empty()) return {};
  std::string out = "; it has ";
  for (std::size_t i = 0; i < names->size() && i < most; ++i) out += (i ? ", '" : "'") + (*names)[i] + '\'';
  if (names->size() > most) out += " and " + std::to_string(names->size() - most) + " more";
  return out;
}

/// A failure to load or to find, with the compiler's log.
Error withLog(Error error, const JitReport& report) {
  if (!report.errors.empty()) error.log = report.errors + (error.log.empty() ? "" : "\n" + error.log);
  return error;
}

Error notFound(Error error, const char* what, std::string_view name, const Result<std::vector<std::string>>& names) {
  if (error.code == CUDA_ERROR_NOT_FOUND)
    error.message =
        std::string("there is no ") + what + " '" + std::string(name) + "' in the loaded code" + listOf(names);
  return error;
}

/// A variable of a library or module.
template <DriverFn get, class Code>
Result<Variable> variableOf(const Code& code, std::string_view name) {
  Variable variable;
  const std::string text(name);
  Status found = code.context().template call<get>(&variable.address, &variable.bytes, code.raw(), text.c_str());
  if (!found) return fail(notFound(std::move(found).error(), "variable", name, std::vector<std::string>()));
  variable.keepAlive = code.keepAlive();
  return variable;
}

/// The names of the kernels of a library or module, which are of type Raw.
template <class Raw, DriverFn count, DriverFn list, DriverFn nameOf, class Code>
Result<std::vector<std::string>> namesOf(const Code& code) {
  const Context& context = code.context();
  unsigned number = 0;
  RAD_TRY(context.template call<count>(&number, code.raw()));
  std::vector<Raw> kernels(number);
  if (number) RAD_TRY(context.template call<list>(kernels.data(), number, code.raw()));
  std::vector<std::string> names;
  for (const Raw kernel : kernels) {
    const char* name = nullptr;
    RAD_TRY(context.template call<nameOf>(&name, kernel));
    names.emplace_back(name ? name : "");
  }
  return names;
}

}  // namespace

// ---- Library ----

Result<Library> Library::load(const Context& context, const Image& image, const JitOptions& options,
                              JitReport* report) {
  RAD_TRY(JitArguments::check(options));
  JitArguments jit(options);
  CUlibrary raw = nullptr;
  Status loaded =
      context.call<DriverFn::LibraryLoadData>(&raw, image.data(), jit.options(), jit.values(), jit.count(),
                                              static_cast<CUlibraryOption*>(nullptr), static_cast<void**>(nullptr), 0u);
  const JitReport said = jit.report();
  if (!loaded) return fail(withLog(std::move(loaded).error(), said));
  if (!raw) return noHandle("library");
  Library library(context, raw, true);
  // An image that cannot be used loads all the same; asking for any kernel
  // tells. That there is none of this name is the good answer.
  CUkernel none = nullptr;
  Status asked =
      context.call<DriverFn::LibraryGetKernel>(&none, raw, static_cast<const char*>("__raddle_no_such_kernel"));
  if (!asked && asked.error().code != CUDA_ERROR_NOT_FOUND) return fail(withLog(std::move(asked).error(), said));
  if (report) *report = said;
  return library;
}

Result<Kernel> Library::kernel(std::string_view name) const {
  auto state = std::make_shared<Kernel::State>();
  state->name = std::string(name);
  Status found = context().call<DriverFn::LibraryGetKernel>(&state->kernel, raw(), state->name.c_str());
  if (!found) return fail(notFound(std::move(found).error(), "kernel", name, kernelNames()));
  if (!state->kernel) return noHandle("kernel");
  state->code = keepAlive();
  state->context = context();
  state->launched = reinterpret_cast<CUfunction>(state->kernel);
  // Onto the device now: the first launch of a kernel that is not there waits
  // for everything that runs.
  CUfunction function = nullptr;
  if (Status ready = context().call<DriverFn::KernelGetFunction>(&function, state->kernel); !ready) {
    Error error = std::move(ready).error();
    if (error.code == CUDA_ERROR_NOT_FOUND)
      error.message = "'" + state->name +
                      "' uses a function or variable that "
                      "the loaded code declares and does not define";
    return fail(std::move(error));
  }
  return Kernel::make(std::move(state));
}

Result<Variable> Library::variable(std::string_view name) const {
  return variableOf<DriverFn::LibraryGetGlobal>(*this, name);
}

Result<std::vector<std::string>> Library::kernelNames() const {
  return namesOf<CUkernel, DriverFn::LibraryGetKernelCount, DriverFn::LibraryEnumerateKernels, DriverFn::KernelGetName>(
      *this);
}

// ---- Module ----

Result<Module> Module::load(const Context& context, const Image& image, const JitOptions& options, JitReport* report) {
  RAD_TRY(JitArguments::check(options));
  JitArguments jit(options);
  CUmodule raw = nullptr;
  Status loaded =
      context.call<DriverFn::ModuleLoadDataEx>(&raw, image.data(), jit.count(), jit.options(), jit.values());
  const JitReport said = jit.report();
  if (!loaded) return fail(withLog(std::move(loaded).error(), said));
  if (!raw) return noHandle("module");
  if (report) *report = said;
  return Module(context, raw, true);
}

Result<Kernel> Module::kernel(std::string_view name) const {
  auto state = std::make_shared<Kernel::State>();
  state->name = std::string(name);
  Status found = context().call<DriverFn::ModuleGetFunction>(&state->launched, raw(), state->name.c_str());
  if (!found) return fail(notFound(std::move(found).error(), "kernel", name, kernelNames()));
  if (!state->launched) return noHandle("kernel");
  state->code = keepAlive();
  state->context = context();
  RAD_TRY(context().call<DriverFn::FuncLoad>(state->launched));
  return Kernel::make(std::move(state));
}

Result<Variable> Module::variable(std::string_view name) const {
  return variableOf<DriverFn::ModuleGetGlobal>(*this, name);
}

Result<std::vector<std::string>> Module::kernelNames() const {
  return namesOf<CUfunction, DriverFn::ModuleGetFunctionCount, DriverFn::ModuleEnumerateFunctions,
                 DriverFn::FuncGetName>(*this);
}

// ---- the driver's linker ----

Result<std::vector<std::byte>> linkWithDriver(const Context& context, std::span<const LinkUnit> units,
                                              const JitOptions& options, JitReport* report) {
  RAD_TRY(JitArguments::check(options));
  if (units.empty()) return fail(ErrorCategory::Misuse, "the linker was given nothing to link");
  for (const LinkUnit& unit : units)
    if (unit.type == CU_JIT_INPUT_NVVM || unit.bytes.empty())
      return fail(ErrorCategory::Misuse,
                  "the driver's linker cannot take '" + unit.name +
                      "': " + (unit.bytes.empty() ? "it is empty" : "it does not read today's LTO-IR"),
                  unit.bytes.empty() ? "" : "Link it with nvJitLink.");
  JitArguments jit(options);
  CUlinkState raw = nullptr;
  RAD_TRY(context.call<DriverFn::LinkCreate>(jit.count(), jit.options(), jit.values(), &raw));
  if (!raw) return noHandle("linker");
  struct Destroy {
    const Context& context;
    CUlinkState state;
    ~Destroy() { context.release<DriverFn::LinkDestroy>("a linker", state); }
  } const destroy{context, raw};
  for (const LinkUnit& unit : units) {
    Status added = context.call<DriverFn::LinkAddData>(
        raw, unit.type, const_cast<void*>(static_cast<const void*>(unit.bytes.data())), unit.bytes.size(),
        unit.name.c_str(), 0u, static_cast<CUjit_option*>(nullptr), static_cast<void**>(nullptr));
    if (!added) {
      Error error = withLog(std::move(added).error(), jit.report());
      error.message = "'" + unit.name + "' cannot be linked: " + error.message;
      return fail(std::move(error));
    }
  }
  void* cubin = nullptr;
  std::size_t bytes = 0;
  Status linked = context.call<DriverFn::LinkComplete>(raw, &cubin, &bytes);
  if (!linked) return fail(withLog(std::move(linked).error(), jit.report()));
  if (!cubin || !bytes) return noHandle("linked code");
  if (report) *report = jit.report();
  // It is the linker's, and goes with it.
  const auto* begin = static_cast<const std::byte*>(cubin);
  return std::vector<std::byte>(begin, begin + bytes);
}

}  // namespace rad::cuda

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/engine/engine.h"

#include "frontend/parse/parse.h"
#include "frontend/target/target.h"
#include "runtime/base/warning_sink.h"
#include "runtime/engine/device_opening.h"
#include "runtime/engine/embedded.h"
#include "runtime/engine/explain_launch.h"
#include "runtime/host/host_device.h"
#include "runtime/host_jit/host_abi_symbols.h"
#include "runtime/host_jit/host_jit.h"
#include "runtime/launch/context.h"
#include "runtime/toolkit/disassemble.h"

#include <fmt/format.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <map>
#include <set>

namespace rad::rt {
/// A unit that was checked: what its launches need to compile kernels when they are first used.
struct CompiledUnit {
  std::shared_ptr<Unit> unit;
  TypedProgram program;
  using Kernels = std::map<std::pair<uint32_t, cg::SpecKey>, std::shared_ptr<Kernel>>;
  Kernels kernels;
  std::map<std::pair<uint32_t, cg::SpecKey>, cg::DeviceCode> ahead;      // compiled before the device was there
  std::map<std::pair<uint32_t, cg::SpecKey>, AssembledEntry> resources;  // what variants take, where somebody asked,
  std::map<std::pair<uint32_t, cg::SpecKey>, uint64_t> launches = {};    // and how often they were launched
  std::map<std::string, Kernels> elsewhere;                              // on devices that the session has left
  std::set<std::pair<uint32_t, cg::SpecKey>> late = {};                  // made by launches, and not by --prepare
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> launchSites = {};    // of an open kernel: units and their sites
  std::string releaseGlobals;  // symbol of the function that gives up the arrays of its variables
};

namespace {

/// Arrays as they are made, of ordinary sizes. A guess that was wrong cost time, and nothing else.
cg::SpecKey likelyKey(const cg::KernelManifest& kernel) {
  cg::SpecKey key;
  key.aligned16 = key.innerDivisible4 = key.small = true;
  key.inRange = !kernel.inRange.empty();
  return key;
}

std::unexpected<Error> withContext(Error error, std::string_view kernel) {
  error.message = fmt::format("{} (compiling kernel `{}`)", error.message, kernel);
  return fail(std::move(error));
}

}  // namespace

struct Engine::Impl : KernelProvider {
  explicit Impl(EngineOptions options)
      : options(std::move(options)), session(sources, names, builtinLibrary(), fileLoader()) {
    session.setVerifyProofs(this->options.pipeline.verifyProofs);
  }

  Result<std::shared_ptr<Kernel>> get(const Unit& unit, uint32_t kernel, const cg::SpecKey& key) override;
  Result<Specialised> specialise(const Unit& unit, uint32_t openKernel, std::span<const int64_t> statics,
                                 uint32_t site) override;
  /// Takes a program that was checked among the session's units.
  CompiledUnit& addUnit(TypedProgram program);
  Result<std::shared_ptr<Kernel>> compile(CompiledUnit& unit, uint32_t kernel, const cg::SpecKey& key);
  Result<std::shared_ptr<Kernel>> compileForHost(CompiledUnit& unit, uint32_t kernel, const cg::SpecKey& key);
  Result<std::shared_ptr<Kernel>> compileForCuda(CompiledUnit& unit, uint32_t kernel, const cg::SpecKey& key);
  Result<cg::DeviceCode> makeCode(CompiledUnit& unit, uint32_t kernel, const cg::SpecKey& key);
  /// What of a key makes a variant of its own.
  cg::SpecKey variantOf(const cg::SpecKey& key) const;
  /// Tells what was made for a launch, the first time.
  void explain(CompiledUnit& unit, uint32_t kernel, const cg::SpecKey& key, const Binding& binding,
               const LaunchShape& shape);
  /// What the context calls for that; empty where nobody asked.
  std::function<LaunchTold> launching();
  /// And how many launches there were.
  void explainLaunches(const CompiledUnit& unit);
  /// While the device is being opened: compiles kernels for the arguments that are most likely.
  void compileAhead(CompiledUnit& unit);
  /// Compiles and loads the kernels of a unit for the arguments that are most likely.
  Result<void> prepare(CompiledUnit& unit);
  /// Starts to open the device, unless that was done.
  void beginOpening();
  /// Takes a device that is open, and what kernels for it are compiled for.
  Result<void> setDevice(std::shared_ptr<Device> opened);
  /// Waits for the device, and makes what needs it.
  Result<void> awaitDevice();
  /// Lowers and loads the unit's host statements.
  Result<Script> loadScript(CompiledUnit& unit);
  RunResult run(std::string name, std::string text, bool interactive);
  /// Checks a text as the session's next unit; none: it was rejected, or too long (then `error` says so).
  std::optional<TypedProgram> check(std::string name, std::string text, bool interactive,
                                    std::optional<RunResult>& error);
  RunResult execute(TypedProgram program);
  RunResult run(const TestBlock& block, BenchTimer* bench);
  /// A kernel of the session as a program of its own; none: `result` says why.
  std::optional<TypedProgram> apart(const std::string& kernel, RunResult& result);

  EngineOptions options;
  StageTimes times;
  SourceManager sources;
  Interner names;
  Diagnostics diagnostics;
  Session session;
  FileId lastFile;
  std::unique_ptr<DeviceOpening> opening;  // until the device is there
  std::shared_ptr<Device> device;
  std::string target;
  bool isPrepared = false;     // what is compiled from now on is no variant that --prepare makes
  bool throughDriver = false;  // the GPU is newer than what cubins can be made for: its driver compiles the PTX
  std::shared_ptr<HostJit> jit;
  std::vector<std::unique_ptr<CompiledUnit>> units;
  std::map<std::pair<uint32_t, std::vector<int64_t>>, uint32_t> specialised;  // OpenKernel::family, values: the unit
  std::unique_ptr<RadContext> context;
};

Result<std::shared_ptr<Kernel>> Engine::Impl::get(const Unit& unit, uint32_t kernel, const cg::SpecKey& key) {
  auto& compiled = *units[unit.id];
  const cg::SpecKey variant = variantOf(key);
  auto place = std::pair(kernel, variant);
  if (auto it = compiled.kernels.find(place); it != compiled.kernels.end()) return it->second;
  if (options.progress) options.progress(fmt::format("compiling kernel `{}`", unit.manifest.kernels[kernel].name));
  auto made = compile(compiled, kernel, variant);
  if (options.progress) options.progress({});
  if (!made) return withContext(std::move(made.error()), unit.manifest.kernels[kernel].name);
  compiled.kernels.emplace(place, *made);
  if (isPrepared) {
    compiled.late.insert(place);
    times.addLateVariant();
  }
  return *made;
}

Result<std::shared_ptr<Kernel>> Engine::Impl::compile(CompiledUnit& unit, uint32_t kernel, const cg::SpecKey& key) {
  return device->info().kind == DeviceKind::Host ? compileForHost(unit, kernel, key)
                                                 : compileForCuda(unit, kernel, key);
}

Result<std::shared_ptr<Kernel>> Engine::Impl::compileForHost(CompiledUnit& unit, uint32_t kernel,
                                                             const cg::SpecKey& key) {
  KernelId id{kernel};
  RAD_ASSIGN(auto module, makeHostKernelModule(unit.program, {&id, 1}, key, options.pipeline, sources, &times));
  // Symbols are unique in a unit; the session's code needs them unique over all units.
  std::string symbol = unit.program.kernels[kernel].symbol;
  std::string own = fmt::format("unit{}.{}{}", unit.unit->id, symbol, key.inRange ? ".inrange" : "");
  for (const char* suffix : {"", ".scratch_bytes"})
    if (auto* value = module.module->getNamedValue(symbol + suffix)) value->setName(own + suffix);
  std::optional<CheckedAccesses> accesses;
  const cg::CodegenOptions& codegen = options.pipeline.codegen;
  if (codegen.checkAccesses()) accesses = {std::move(module.accesses), codegen.checkRaces, codegen.checkUninitialised};
  StageTimer timer(&times, Stage::HostJit);
  RAD_TRY(jit->add(std::move(module), options.pipeline.codegen));
  RAD_ASSIGN(auto function, jit->lookupAs<cg::NativeKernel>(own));
  RAD_ASSIGN(auto scratch, jit->lookupAs<const int64_t*>(own + ".scratch_bytes"));
  return HostDevice::wrap(function, cg::chooseGeometry(unit.program, id, "host", key), static_cast<uint64_t>(*scratch),
                          jit, std::move(accesses));
}

Result<std::shared_ptr<Kernel>> Engine::Impl::compileForCuda(CompiledUnit& unit, uint32_t kernel,
                                                             const cg::SpecKey& key) {
  const std::string& symbol = unit.program.kernels[kernel].symbol;
  auto ahead = unit.ahead.extract({kernel, key});
  auto code = ahead ? std::move(ahead.mapped()) : makeCode(unit, kernel, key);
  if (!code) return std::unexpected(std::move(code).error());
  const DeviceInfo& info = device->info();
  const Runner runner{info.id, static_cast<unsigned>(info.major * 10 + info.minor), info.driverVersion};
  const std::string what = fmt::format("the kernel `{}`", unit.unit->manifest.kernels[kernel].name);
  if (throughDriver) {
    if (!options.pipeline.linkFiles.empty())
      return fail(ErrorCategory::System,
                  fmt::format("files cannot be linked with kernels for {}: its code is left to the driver", info.id),
                  "a newer version of raddle, which knows this GPU, can");
    RAD_TRY(checkPtxRuns(what, code->ptx, runner));
    code->cubin.clear();
  } else {
    RAD_ASSIGN(auto made, readTarget(code->target));
    RAD_TRY(checkCubinRuns(what, made, runner));
  }
  StageTimer timer(&times, Stage::Load);
  return device->load(*code, symbol);
}

Result<cg::DeviceCode> Engine::Impl::makeCode(CompiledUnit& unit, uint32_t kernel, const cg::SpecKey& key) {
  KernelId id{kernel};
  cg::DeviceCode code;
  code.target = target;
  code.geometry = cg::chooseGeometry(unit.program, id, target, key);
  RAD_ASSIGN(code.ptx, makePtx(unit.program, {&id, 1}, target, key, options.pipeline, sources, &times));
  if (throughDriver) return code;
  std::vector<AssembledEntry> resources;
  const bool asks = options.explain || options.remarks;
  RAD_ASSIGN(code.cubin, makeCubin(code.ptx, target, options.pipeline, &times, asks ? &resources : nullptr));
  for (const AssembledEntry& entry : resources)
    if (entry.name == unit.program.kernels[kernel].symbol) {
      unit.resources[{kernel, key}] = entry;
      if (options.remarks) remarkSpills(unit.program, id, entry, diagnostics);
    }
  return code;
}

cg::SpecKey Engine::Impl::variantOf(const cg::SpecKey& key) const {
  if (device->info().kind != DeviceKind::Host) return key;
  // Native kernels rely on nothing else that differs between launches.
  cg::SpecKey variant;
  variant.inRange = key.inRange;
  return variant;
}

void Engine::Impl::explain(CompiledUnit& unit, uint32_t kernel, const cg::SpecKey& key, const Binding& binding,
                           const LaunchShape& shape) {
  if (unit.launches[{kernel, key}]++ > 0) return;
  VariantCount count{0, 0};
  for (const auto& other : units)
    for (const auto& [made, code] : other->kernels) {
      ++count.ofProgram;
      if (other.get() == &unit && made.first == kernel) ++count.ofKernel;
    }
  const auto resources = unit.resources.find({kernel, key});
  options.explain(explainLaunch(unit.program, {kernel}, unit.unit->manifest.kernels[kernel],
                                device->info().kind == DeviceKind::Host ? "host" : target, key,
                                resources == unit.resources.end() ? nullptr : &resources->second, count,
                                LaunchNumbers{&binding, &shape, unit.late.contains({kernel, key})}));
}

void Engine::Impl::explainLaunches(const CompiledUnit& unit) {
  std::map<uint32_t, std::pair<uint64_t, unsigned>> ofKernels;  // launches, variants
  for (const auto& [variant, launches] : unit.launches) {
    ofKernels[variant.first].first += launches;
    ++ofKernels[variant.first].second;
  }
  std::string text;
  for (const auto& [kernel, counts] : ofKernels)
    text += fmt::format("{}: {} launch{}, {} variant{}\n", unit.unit->manifest.kernels[kernel].name, counts.first,
                        counts.first == 1 ? "" : "es", counts.second, counts.second == 1 ? "" : "s");
  if (!text.empty()) options.explain(text);
}

void Engine::Impl::compileAhead(CompiledUnit& unit) {
  if (device || opening->isDone()) return;
  target = opening->target();
  if (!target.starts_with("sm_")) return;
  for (uint32_t kernel = 0; kernel < unit.program.kernels.size() && !opening->isDone(); ++kernel) {
    const cg::SpecKey key = likelyKey(unit.unit->manifest.kernels[kernel]);
    // A kernel that cannot be compiled is reported when it is launched.
    if (auto code = makeCode(unit, kernel, key)) unit.ahead.emplace(std::pair(kernel, key), *std::move(code));
  }
}

Result<void> Engine::Impl::prepare(CompiledUnit& unit) {
  for (uint32_t kernel = 0; kernel < unit.program.kernels.size(); ++kernel)
    RAD_TRY(get(*unit.unit, kernel, likelyKey(unit.unit->manifest.kernels[kernel])));
  return {};
}

void Engine::Impl::beginOpening() {
  if (!device && !opening)
    opening = std::make_unique<DeviceOpening>(DeviceChoice{options.device, options.isolateDevice});
}

Result<void> Engine::Impl::setDevice(std::shared_ptr<Device> opened) {
  RAD_ASSIGN(const ChosenTarget chosen, targetOf(opened->info()));
  if (!chosen.note.empty()) warn(chosen.note);
  device = std::move(opened);
  target = chosen.target;
  throughDriver = chosen.throughDriver;
  return {};
}

Result<void> Engine::Impl::awaitDevice() {
  if (device) return {};
  beginOpening();
  const auto start = std::chrono::steady_clock::now();
  if (options.progress) options.progress("opening the device");
  auto opened = opening->take();
  if (options.progress) options.progress({});
  opening.reset();  // a failure is not kept: the next run tries again
  if (!opened) return std::unexpected(std::move(opened).error());
  if (opened->device->info().kind == DeviceKind::Cuda)
    times.setDevice(opened->milliseconds,
                    std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  if (!opened->note.empty()) warn(fmt::format("running on the host: {}", opened->note));
  if (opened->device->info().kind == DeviceKind::Host && !options.pipeline.linkFiles.empty())
    warn("the files of --link are code for GPUs: on the host they are not used");
  RAD_TRY(setDevice(std::move(opened->device)));
  ContextOptions contextOptions;
  contextOptions.device = device;
  contextOptions.kernels = this;
  contextOptions.output = options.output;
  contextOptions.outputIsTerminal = options.outputIsTerminal;
  contextOptions.arguments = options.arguments;
  contextOptions.waitAfterLaunch = options.waitAfterLaunch;
  contextOptions.launching = launching();
  context = std::make_unique<RadContext>(std::move(contextOptions));
  return {};
}

std::function<LaunchTold> Engine::Impl::launching() {
  if (!options.explain) return {};
  return [this](const Unit& unit, uint32_t kernel, const cg::SpecKey& key, const Binding& binding,
                const LaunchShape& shape) { explain(*units[unit.id], kernel, variantOf(key), binding, shape); };
}

Result<Script> Engine::Impl::loadScript(CompiledUnit& unit) {
  std::string symbol = fmt::format("script{}", unit.unit->id);
  RAD_ASSIGN(auto module, makeScriptModule(unit.program, symbol, options.pipeline, sources, &times));
  std::string release = symbol + ".release_globals";
  if (module.module->getFunction(release)) unit.releaseGlobals = release;
  StageTimer timer(&times, Stage::HostJit);
  RAD_TRY(jit->add(std::move(module), options.pipeline.codegen));
  return jit->lookupAs<Script>(symbol);
}

namespace {

RunResult environment(Error error) {
  const std::string code = error.pageCode().empty() ? "" : fmt::format("[{}]", error.pageCode());
  return {RunOutcome::Failed, RunError{error.category, fmt::format("raddle: error{}: {}\n", code, error.render())}};
}

}  // namespace

std::optional<TypedProgram> Engine::Impl::check(std::string name, std::string text, bool interactive,
                                                std::optional<RunResult>& error) {
  diagnostics.clear();
  lastFile = sources.add(std::move(name), std::move(text));
  if (!lastFile.valid()) {
    error = environment(fail(ErrorCategory::UserProgram, "the texts of this session exceed 2 GiB").error());
    return std::nullopt;
  }

  auto ast = [&] {
    StageTimer timer(&times, Stage::Parse);
    return parse(lastFile, sources, names, diagnostics);
  }();
  StageTimer timer(&times, Stage::Check);
  return session.check(std::move(ast), diagnostics, interactive);
}

RunResult Engine::Impl::run(std::string name, std::string text, bool interactive) {
  std::optional<RunResult> error;
  auto program = check(std::move(name), std::move(text), interactive, error);
  if (!program) return error.value_or(RunResult{RunOutcome::Rejected, {}});
  return execute(std::move(*program));
}

RunResult Engine::Impl::run(const TestBlock& block, BenchTimer* bench) {
  diagnostics.clear();
  auto program = [&] {
    StageTimer timer(&times, Stage::Check);
    return session.check(block, diagnostics);
  }();
  if (!program) return {RunOutcome::Rejected, {}};
  if (auto there = awaitDevice(); !there) return environment(std::move(there).error());
  context->setBench(bench);
  RunResult result = execute(std::move(*program));
  context->setBench(nullptr);
  return result;
}

CompiledUnit& Engine::Impl::addUnit(TypedProgram program) {
  if (options.remarks)
    for (uint32_t kernel = 0; kernel < program.kernels.size(); ++kernel) {
      findRemarks(program, {kernel}, sources, diagnostics);
      cg::remarkAccesses(program, {kernel}, sources, diagnostics);
    }
  auto unit = std::make_shared<Unit>();
  unit->id = static_cast<uint32_t>(units.size());
  unit->manifest = cg::makeManifest(program, sources);
  units.push_back(std::make_unique<CompiledUnit>(CompiledUnit{.unit = std::move(unit), .program = std::move(program)}));
  return *units.back();
}

Result<Specialised> Engine::Impl::specialise(const Unit& unit, uint32_t openKernel, std::span<const int64_t> statics,
                                             uint32_t site) {
  const OpenKernel& open = units[unit.id]->program.openKernels[openKernel];
  auto [place, isNew] = specialised.try_emplace({open.family, {statics.begin(), statics.end()}}, 0);
  if (isNew) {
    Diagnostics found;
    auto program = [&] {
      StageTimer timer(&times, Stage::Check);
      return session.specialise(open.number, statics, found);
    }();
    if (!program) {
      specialised.erase(place);
      Error error{.category = ErrorCategory::UserProgram};
      error.message = fmt::format("the kernel `{}` cannot be made for these compile-time arguments", open.name);
      for (const Diagnostic& each : found.all()) error.log += render(each, sources);
      return fail(std::move(error));
    }
    place->second = addUnit(std::move(*program)).unit->id;
  }
  CompiledUnit& made = *units[place->second];
  std::vector<cg::SiteManifest>& sites = made.unit->manifest.sites;
  auto [own, isNewSite] = made.launchSites.try_emplace({unit.id, site}, static_cast<uint32_t>(sites.size()));
  if (isNewSite) sites.push_back(unit.manifest.sites[site]);
  return Specialised{made.unit, 0, own->second};
}

RunResult Engine::Impl::execute(TypedProgram program) {
  beginOpening();
  auto& unit = addUnit(std::move(program));

  // The variables of a unit that did not run to its end may never have got a value.
  auto forget = [&] {
    std::vector<std::string> symbols;
    for (const auto& global : unit.program.globals)
      if (global.isDefinedHere) symbols.push_back(global.symbol);
    session.forgetGlobals(symbols);
  };
  auto script = loadScript(unit);
  if (!script) {
    forget();
    return environment(script.error());
  }
  compileAhead(unit);
  if (auto there = awaitDevice(); !there) {
    forget();
    return environment(std::move(there).error());
  }
  isPrepared = false;
  if (options.prepare)
    if (auto ready = prepare(unit); !ready) {
      forget();
      return environment(std::move(ready).error());
    }
  isPrepared = options.prepare;
  StageTimer timer(&times, Stage::Run);
  auto error = context->run(unit.unit, *script);
  if (error) forget();
  auto late = context->finish();
  if (options.explain)
    for (size_t id = unit.unit->id; id < units.size(); ++id) explainLaunches(*units[id]);
  if (auto first = context->firstResult(); first && units.size() == 1) times.setFirstResult(*first);
  if (!error) error = std::move(late);
  if (error) return {RunOutcome::Failed, std::move(error)};
  return {};
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Engine::~Engine() {
  if (!impl_->context) return;  // nothing has run
  for (auto& unit : impl_->units)
    if (!unit->releaseGlobals.empty())
      if (auto release = impl_->jit->lookupAs<void (*)(RadContext*)>(unit->releaseGlobals))
        (*release)(impl_->context.get());
}

Result<std::unique_ptr<Engine>> Engine::create(EngineOptions options) {
  RAD_ASSIGN(auto jit, HostJit::create(hostAbiSymbols()));

  auto impl = std::make_unique<Impl>(std::move(options));
  impl->jit = std::move(jit);
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

RunResult Engine::run(std::string name, std::string text, bool interactive) {
  return impl_->run(std::move(name), std::move(text), interactive);
}
RunResult Engine::open(std::string name, std::string text) {
  std::optional<RunResult> error;
  if (impl_->check(std::move(name), std::move(text), false, error)) return {};
  return error.value_or(RunResult{RunOutcome::Rejected, {}});
}
std::vector<TestBlock> Engine::blocks() const { return impl_->session.blocks(); }
RunResult Engine::run(const TestBlock& block, BenchTimer* bench) { return impl_->run(block, bench); }
const Diagnostics& Engine::diagnostics() const { return impl_->diagnostics; }
const SourceManager& Engine::sources() const { return impl_->sources; }
FileId Engine::lastFile() const { return impl_->lastFile; }
StageTimes& Engine::times() { return impl_->times; }
Result<void> Engine::openDevice() { return impl_->awaitDevice(); }

RunResult Engine::inspect(std::string name, std::string text, Inspected& found) {
  impl_->diagnostics.clear();
  const FileId file = impl_->sources.add(std::move(name), std::move(text));
  if (!file.valid())
    return environment(fail(ErrorCategory::UserProgram, "the texts of this session exceed 2 GiB").error());
  auto inspected =
      impl_->session.inspect(parse(file, impl_->sources, impl_->names, impl_->diagnostics), impl_->diagnostics);
  if (!inspected && impl_->diagnostics.hasErrors()) return {RunOutcome::Rejected, {}};
  found = inspected ? std::move(*inspected) : Inspected{"nothing", false, {}};
  return {};
}

std::optional<TypedProgram> Engine::Impl::apart(const std::string& kernel, RunResult& result) {
  diagnostics.clear();
  // The name in front of the arguments is the symbol, too.
  const std::string text = fmt::format("instantiate {} as \"{}\"", kernel, kernel.substr(0, kernel.find('[')));
  const FileId file = sources.add("<kernel>", text);
  if (!file.valid()) {
    result = environment(fail(ErrorCategory::UserProgram, "the texts of this session exceed 2 GiB").error());
    return std::nullopt;
  }
  auto program = session.checkApart(parse(file, sources, names, diagnostics), diagnostics);
  if (program && !program->kernels.empty()) return program;
  result = {RunOutcome::Rejected, {}};
  return std::nullopt;
}

RunResult Engine::remark(const std::string& kernel) {
  RunResult result;
  const auto program = impl_->apart(kernel, result);
  if (!program) return result;
  if (auto there = openDevice(); !there) return environment(std::move(there).error());
  const KernelId id{0};
  findRemarks(*program, id, impl_->sources, impl_->diagnostics);
  cg::remarkAccesses(*program, id, impl_->sources, impl_->diagnostics);
  const std::string target = impl_->target == "host" ? "sm_90" : impl_->target;
  cg::SpecKey spec;
  spec.aligned16 = spec.small = true;
  spec.inRange = !program->kernels[0].inRange.empty();
  std::vector<AssembledEntry> resources;
  // Where PTX cannot be made or assembled, nothing is known of registers.
  if (auto ptx = makePtx(*program, {&id, 1}, target, spec, impl_->options.pipeline, impl_->sources, nullptr))
    if (makeCubin(*ptx, target, impl_->options.pipeline, nullptr, &resources))
      for (const AssembledEntry& entry : resources)
        if (entry.name == program->kernels[0].symbol) remarkSpills(*program, id, entry, impl_->diagnostics);
  return {};
}

void Engine::setExplain(std::function<void(std::string_view)> explain) {
  impl_->options.explain = std::move(explain);
  if (impl_->context) impl_->context->setLaunching(impl_->launching());
}

void Engine::setRemarks(bool remarks) { impl_->options.remarks = remarks; }

RunResult Engine::showKernel(const std::string& kernel, KernelForm form, std::string wanted, std::string& shown) {
  RunResult result;
  const auto program = impl_->apart(kernel, result);
  if (!program) return result;
  if (wanted.empty()) {
    if (auto there = openDevice(); !there) return environment(std::move(there).error());
    wanted = impl_->target;
  }
  const bool needsGpu = form == KernelForm::Ptx || form == KernelForm::Sass;
  if (needsGpu && wanted == "host") wanted = "sm_90";
  if (auto target = findTarget(wanted); wanted != "host" && (!target || target->isHost))
    return environment(fail(ErrorCategory::UserProgram, fmt::format("unknown target {}", wanted),
                            fmt::format("Known are host, {}.", targetList()))
                           .error());
  if (form == KernelForm::Assembly) wanted = "host";
  auto made = [&]() -> Result<std::string> {
    const KernelId id{0};
    PipelineOptions options = impl_->options.pipeline;
    options.codegen.interruptible = false;
    cg::SpecKey spec;
    spec.inRange = !program->kernels[0].inRange.empty();
    if (wanted == "host") {
      RAD_ASSIGN(auto module, makeHostKernelModule(*program, {&id, 1}, spec, options, impl_->sources, nullptr));
      if (form == KernelForm::Llvm) return cg::printIr(*module.module);
      auto assembly = cg::emitAssembly(*module.module, options.codegen);
      if (!assembly) return fail(ErrorCategory::Image, assembly.error());
      return std::move(*assembly);
    }
    spec.aligned16 = spec.small = true;
    if (form == KernelForm::Llvm) {
      if (options.codegen.libdevice.empty()) options.codegen.libdevice = embeddedLibdevice();
      auto module = cg::lowerCudaKernels(*program, {&id, 1}, wanted, spec, options.codegen, impl_->sources);
      if (!module) return fail(ErrorCategory::Image, module.error());
      if (auto done = cg::optimize(*module->module, options.codegen); !done)
        return fail(ErrorCategory::Image, done.error());
      return cg::printIr(*module->module);
    }
    RAD_ASSIGN(std::string ptx, makePtx(*program, {&id, 1}, wanted, spec, options, impl_->sources, nullptr));
    if (form == KernelForm::Ptx) return ptx;
    RAD_ASSIGN(auto cubin, makeCubin(ptx, wanted, options, nullptr));
    return disassemble(cubin);
  }();
  if (!made) return environment(std::move(made).error());
  shown = std::move(*made);
  return {};
}

Result<void> Engine::moveTo(const std::string& device) {
  RAD_TRY(impl_->awaitDevice());
  RAD_ASSIGN(auto next, rt::openDevice({device, impl_->options.isolateDevice}));
  if (next->info().id == impl_->device->info().id) return {};
  RAD_TRY(impl_->context->moveTo(next));
  for (auto& unit : impl_->units) {
    // Code stays where it was made; whoever comes back to a device finds it.
    unit->elsewhere[impl_->device->info().id] =
        std::exchange(unit->kernels, std::exchange(unit->elsewhere[next->info().id], {}));
    unit->ahead.clear();
  }
  return impl_->setDevice(std::move(next));
}

Result<std::vector<std::string>> Engine::startAfresh() {
  const std::string id = impl_->device->info().id;
  RAD_ASSIGN(auto fresh, rt::openDevice({id, impl_->options.isolateDevice}));
  impl_->context->startAfresh(fresh);
  for (auto& unit : impl_->units) {
    unit->kernels.clear();
    unit->ahead.clear();
  }
  RAD_TRY(impl_->setDevice(std::move(fresh)));
  return impl_->session.loseArrays();
}

std::vector<SessionName> Engine::names() const { return impl_->session.visibleNames(); }
std::vector<std::string> Engine::moduleNames(std::string_view module) const {
  return impl_->session.moduleNames(module);
}

RunResult Engine::bench(std::string name, const std::string& code, BenchTimer& timer, bool interruptible) {
  bool& looks = impl_->options.pipeline.codegen.interruptible;
  const bool before = std::exchange(looks, looks && interruptible);
  impl_->session.setBlocksSeeScript(true);
  RunResult result = open(std::move(name), "bench \"entry\" {\n" + code + "\n}\n");
  if (const auto blocks = this->blocks(); result.outcome == RunOutcome::Done && !blocks.empty())
    result = run(blocks[0], &timer);
  impl_->session.setBlocksSeeScript(false);
  looks = before;
  return result;
}

void Engine::setLaunchWatch(std::function<void(const LaunchSeen&)> watch) {
  if (impl_->context) impl_->context->setLaunchWatch(std::move(watch));
}

Result<DeviceInfo> Engine::deviceInfo() {
  RAD_TRY(openDevice());
  return impl_->device->info();
}

bool Engine::isDeviceOpen() const { return impl_->device != nullptr; }

std::string Engine::deviceDescription() const {
  if (!impl_->device) return "no device yet";
  const auto& info = impl_->device->info();
  if (info.kind == DeviceKind::Host) return fmt::format("{} ({})", info.id, info.name);
  return fmt::format("{} ({}, {})", info.id, info.name, impl_->target);
}

}  // namespace rad::rt

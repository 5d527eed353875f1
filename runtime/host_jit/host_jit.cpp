// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/host_jit/host_jit.h"

#include "codegen/opt/lanes/vector_math.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <llvm/ADT/StringMap.h>
#include <llvm/ExecutionEngine/Orc/AbsoluteSymbols.h>
#include <llvm/ExecutionEngine/Orc/Core.h>
#include <llvm/ExecutionEngine/Orc/Debugging/ELFDebugObjectPlugin.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>
#include <llvm/ExecutionEngine/Orc/SelfExecutorProcessControl.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Object/ObjectFile.h>
#include <llvm/Support/Error.h>
#include <llvm/Support/MemoryBuffer.h>

#include <atomic>
#include <mutex>

namespace rad::rt {

namespace {

Error imageError(std::string message, std::string advice = {}) {
  Error error;
  error.category = ErrorCategory::Image;
  error.message = std::move(message);
  error.advice = std::move(advice);
  return error;
}

std::unexpected<Error> ourFault(std::string message) {
  return fail(
      imageError(std::move(message), "This is a mistake of the compiler, not of the program; please report it."));
}

/// The names that an object file leaves to others, and those that it gives.
struct ObjectSymbols {
  std::vector<std::string> undefined, defined;
};

llvm::Expected<ObjectSymbols> symbolsOf(const llvm::MemoryBuffer& buffer) {
  auto object = llvm::object::ObjectFile::createObjectFile(buffer.getMemBufferRef());
  if (!object) return object.takeError();
  ObjectSymbols symbols;
  for (const auto& symbol : (*object)->symbols()) {
    auto flags = symbol.getFlags();
    if (!flags) return flags.takeError();
    auto name = symbol.getName();
    if (!name) return name.takeError();
    if (name->empty() || *name == "_GLOBAL_OFFSET_TABLE_") continue;
    if (*flags & llvm::object::SymbolRef::SF_Undefined) symbols.undefined.push_back(name->str());
    else if (*flags & llvm::object::SymbolRef::SF_Global) symbols.defined.push_back(name->str());
  }
  return symbols;
}

}  // namespace

struct HostJit::Impl {
  std::mutex mutex;  // guards all below
  std::unique_ptr<llvm::orc::ExecutionSession> session;
  std::unique_ptr<llvm::orc::ObjectLinkingLayer> linker;
  llvm::orc::JITDylib* library = nullptr;
  llvm::StringMap<void*> defined;     // by added modules
  llvm::StringMap<bool> available;    // absolute symbols of the process
  std::vector<std::string> reported;  // what ORC would have printed
  bool tellsDebuggers = false;

  ~Impl() {
    if (!session) return;
    if (auto error = session->endSession()) llvm::consumeError(std::move(error));
  }

  /// An error with what ORC reported meanwhile as its log.
  Error linkError(std::string_view module, llvm::Error error) {
    auto result =
        imageError(fmt::format("native code of `{}` could not be linked: {}", module, llvm::toString(std::move(error))),
                   "This is a mistake of the compiler, not of the program; please report it.");
    result.log = fmt::format("{}", fmt::join(reported, "\n"));
    reported.clear();
    return result;
  }
};

HostJit::HostJit(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HostJit::~HostJit() = default;

Result<std::shared_ptr<HostJit>> HostJit::create(std::span<const JitSymbol> symbols) {
  namespace orc = llvm::orc;
  auto impl = std::make_unique<Impl>();
  // In place: links happen on the thread that asks, and nothing runs behind its back.
  auto control = orc::SelfExecutorProcessControl::Create(nullptr, std::make_unique<orc::InPlaceTaskDispatcher>());
  if (!control)
    return fail(ErrorCategory::System,
                fmt::format("no native code can be made in this process: {}", llvm::toString(control.takeError())),
                "The system may forbid executable memory; check its security settings.");
  impl->session = std::make_unique<orc::ExecutionSession>(std::move(*control));
  impl->session->setErrorReporter(
      [state = impl.get()](llvm::Error error) { state->reported.push_back(llvm::toString(std::move(error))); });
  impl->linker = std::make_unique<orc::ObjectLinkingLayer>(*impl->session);
  impl->library = &impl->session->createBareJITDylib("session");
  orc::SymbolMap map;
  auto offer = [&](llvm::StringRef name, const void* address) {
    map[impl->session->intern(name)] = {orc::ExecutorAddr::fromPtr(address), llvm::JITSymbolFlags::Exported};
    impl->available[name] = true;
  };
  for (auto group : {libraryJitSymbols(), symbols})
    for (const auto& symbol : group) offer({symbol.name.data(), symbol.name.size()}, symbol.address);
  for (const auto& [name, address] : cg::vectorMathSymbols()) offer(name, address);
  if (auto error = impl->library->define(orc::absoluteSymbols(std::move(map))))
    return fail(impl->linkError("the runtime", std::move(error)));
  return std::shared_ptr<HostJit>(new HostJit(std::move(impl)));
}

Result<void> HostJit::add(cg::IrModule module, const cg::CodegenOptions& options) {
  if (!module.module) return ourFault("an empty module was given to the host's linker");
  std::string name = module.module->getModuleIdentifier();
  auto object = cg::emitObject(*module.module, options);
  if (!object) return fail(imageError(object.error()));
  auto symbols = symbolsOf(**object);
  if (!symbols)
    return ourFault(
        fmt::format("native code of `{}` could not be read: {}", name, llvm::toString(symbols.takeError())));

  std::lock_guard lock(impl_->mutex);
  std::vector<std::string> missing, twice;
  for (const auto& symbol : symbols->undefined)
    if (!impl_->available.contains(symbol) && !impl_->defined.contains(symbol)) missing.push_back(symbol);
  for (const auto& symbol : symbols->defined)
    if (impl_->available.contains(symbol) || impl_->defined.contains(symbol)) twice.push_back(symbol);
  if (!missing.empty())
    return ourFault(
        fmt::format("native code of `{}` needs `{}`, which nothing defines", name, fmt::join(missing, "`, `")));
  if (!twice.empty())
    return ourFault(fmt::format("native code of `{}` defines `{}` again", name, fmt::join(twice, "`, `")));

  if (options.debug && !impl_->tellsDebuggers) {
    // From now on debuggers hear of each module, by the interface that GDB has for this.
    llvm::Error error = llvm::Error::success();
    auto plugin = std::make_shared<llvm::orc::ELFDebugObjectPlugin>(*impl_->session, /*RequireDebugSections=*/true,
                                                                    /*AutoRegisterCode=*/true, error);
    if (error) return fail(impl_->linkError(name, std::move(error)));
    impl_->linker->addPlugin(std::move(plugin));
    impl_->tellsDebuggers = true;
  }
  auto tracker = impl_->library->createResourceTracker();
  if (auto error = impl_->linker->add(tracker, std::move(*object)))
    return fail(impl_->linkError(name, std::move(error)));
  if (symbols->defined.empty()) return {};
  llvm::orc::SymbolLookupSet wanted;
  for (const auto& symbol : symbols->defined) wanted.add(impl_->session->intern(symbol));
  auto found = impl_->session->lookup(
      llvm::orc::makeJITDylibSearchOrder(impl_->library, llvm::orc::JITDylibLookupFlags::MatchAllSymbols),
      std::move(wanted));
  if (!found) {
    auto result = impl_->linkError(name, found.takeError());
    if (auto error = tracker->remove()) llvm::consumeError(std::move(error));
    return fail(std::move(result));
  }
  for (const auto& [symbol, definition] : *found) impl_->defined[*symbol] = definition.getAddress().toPtr<void*>();
  return {};
}

Result<void*> HostJit::lookup(std::string_view symbol) {
  std::lock_guard lock(impl_->mutex);
  auto found = impl_->defined.find(llvm::StringRef(symbol.data(), symbol.size()));
  if (found == impl_->defined.end()) return ourFault(fmt::format("no native code defines `{}`", symbol));
  return found->second;
}

}  // namespace rad::rt

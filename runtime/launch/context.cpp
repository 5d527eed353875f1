// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/launch/context.h"

#include "runtime/base/interrupt.h"
#include "runtime/base/warning_sink.h"
#include "runtime/launch/printed.h"

#include <fmt/format.h>

#include <pthread.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <span>
#include <utility>

using rad::cg::KernelManifest;
using rad::cg::SiteManifest;
using rad::rt::Error;
using rad::rt::ErrorCategory;
using rad::rt::MessageParts;
using rad::rt::RunError;

namespace {

/// With more launches than this under way, the next one waits: what is remembered of them stays bounded.
constexpr size_t maxUnderWay = 1 << 16;
constexpr uint32_t noSite = UINT32_MAX;
constexpr size_t maxCallsShown = 8;  // of a chain of host functions
constexpr size_t maxTextBytes = size_t{1} << 30;

const KernelManifest* kernelAt(const rad::rt::Unit* unit, uint32_t index) {
  return unit && index < unit->manifest.kernels.size() ? &unit->manifest.kernels[index] : nullptr;
}

const SiteManifest* siteAt(const rad::rt::Unit* unit, uint32_t index) {
  return unit && index < unit->manifest.sites.size() ? &unit->manifest.sites[index] : nullptr;
}

/// A quarter of the calling thread's stack stays free for what host functions call: the runtime, and through it the
/// compiler.
uintptr_t stackLimitOfThread() {
  pthread_attr_t attributes;
  void* lowest = nullptr;
  size_t size = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
  bool known = pthread_attr_getstack(&attributes, &lowest, &size) == 0;
  pthread_attr_destroy(&attributes);
  return known ? reinterpret_cast<uintptr_t>(lowest) + size / 4 : 0;
}

/// The advice of an error, which is written as sentences, as a help line, which is not.
std::string helpLine(std::string advice) {
  auto isLower = [](char c) { return c >= 'a' && c <= 'z'; };
  if (advice.size() > 1 && advice[0] >= 'A' && advice[0] <= 'Z' && (isLower(advice[1]) || advice[1] == ' '))
    advice[0] = static_cast<char>(advice[0] - 'A' + 'a');
  bool isOneSentence = advice.find(". ") == std::string::npos;
  if (isOneSentence && advice.ends_with('.')) advice.pop_back();
  return advice;
}

}  // namespace

RadContext::RadContext(rad::rt::ContextOptions options)
    : device_(std::move(options.device)),
      kernels_(options.kernels),
      waitAfterLaunch_(options.waitAfterLaunch),
      output_(std::move(options.output)),
      launching_(std::move(options.launching)),
      outputIsTerminal_(options.outputIsTerminal),
      arguments_(std::make_shared<std::vector<std::string>>(std::move(options.arguments))),
      liveArrays_(std::make_shared<rad::rt::LiveArrays>()) {}

RadContext::~RadContext() = default;

void RadContext::setArguments(std::vector<std::string> arguments) {
  oldArguments_.push_back(std::exchange(arguments_, std::make_shared<std::vector<std::string>>(std::move(arguments))));
}

std::optional<RunError> RadContext::run(std::shared_ptr<const rad::rt::Unit> unit, rad::rt::Script script) {
  auto before = std::exchange(unit_, std::move(unit));
  auto usesBefore = std::exchange(uses_, {});
  usesOf_.clear();
  error_.reset();
  stackLimit_ = stackLimitOfThread();
  int32_t status = script(this);
  if (status != 0 && !error_)
    setError(
        ErrorCategory::Misuse, nullptr,
        {"the script ended with an error, but without a message", {}, "this is a bug in Raddle: please report it"});
  unit_ = std::move(before);
  uses_ = std::move(usesBefore);
  return takeError();
}

rad::rt::Result<void> RadContext::moveTo(std::shared_ptr<rad::rt::Device> device) {
  if (auto error = finish()) return rad::rt::fail(error->category, error->text);
  // All of it is copied before any of it counts.
  struct Moved {
    RadArray* array;
    std::shared_ptr<rad::rt::Buffer> buffer;
  };
  std::vector<Moved> moved;
  constexpr uint64_t atOnce = uint64_t{16} << 20;
  std::vector<std::byte> bytes;
  for (RadArray* array : liveArrays_->all()) {
    const uint64_t size = array->buffer().size();
    RAD_ASSIGN(auto buffer, device->allocate(size));
    for (uint64_t at = 0; at < size; at += atOnce) {
      bytes.resize(static_cast<size_t>(std::min(atOnce, size - at)));
      RAD_TRY(array->device()->copyOut(bytes, array->buffer(), at));
      RAD_TRY(device->copyIn(*buffer, at, bytes));
    }
    moved.push_back({array, std::move(buffer)});
  }
  RAD_TRY(device->synchronize());
  for (Moved& one : moved) one.array->moveTo(device, std::move(one.buffer));
  device_ = std::move(device);
  return {};
}

void RadContext::startAfresh(std::shared_ptr<rad::rt::Device> device) {
  for (RadArray* array : liveArrays_->all()) array->lose();
  underWay_.clear();
  unitsUnderWay_.clear();
  uses_.clear();
  usesOf_.clear();
  error_.reset();
  device_ = std::move(device);
}

std::optional<RunError> RadContext::finish() {
  synchronize(noSite);
  return takeError();
}

std::optional<RunError> RadContext::takeError() {
  auto taken = std::exchange(error_, std::nullopt);
  if (!taken) return std::nullopt;
  if (taken->calls > maxCallsShown)
    taken->parts.notes.push_back(fmt::format("and {} calls more", taken->calls - maxCallsShown));
  return RunError{taken->category,
                  rad::rt::renderMessage(taken->site ? &*taken->site : nullptr, taken->parts) + taken->more};
}

void RadContext::noteCall(std::string_view place) {
  if (!error_ || error_->isOfKernel) return;
  if (error_->calls++ < maxCallsShown) error_->parts.notes.push_back(fmt::format("called at {}", place));
}

const SiteManifest* RadContext::site(uint32_t id) const { return siteAt(unit_.get(), id); }

bool RadContext::outputIsTerminal() const { return output_ ? outputIsTerminal_ : ::isatty(STDOUT_FILENO) == 1; }

void RadContext::write(std::string_view text) const {
  if (output_) output_(text);
  else std::fwrite(text.data(), 1, text.size(), stdout);
}

int32_t RadContext::setError(ErrorCategory category, const SiteManifest* site, MessageParts parts) {
  if (!output_) std::fflush(stdout);  // what was printed stands before the error
  if (!error_)
    error_ = PendingError{category, site ? std::optional(*site) : std::nullopt, std::move(parts), 0, false, {}};
  return 1;
}

int32_t RadContext::setError(Error error, uint32_t site) {
  MessageParts parts;
  parts.headline = error.message.empty() ? "unspecified failure" : error.message;
  parts.help = helpLine(std::move(error.advice));
  parts.code = error.pageCode();
  if (!error.codeName.empty() || error.code != 0 || !error.call.empty()) {
    std::string from = error.call.empty() ? "the system" : error.call;
    if (!error.args.empty()) from += "(" + error.args + ")";
    std::string code =
        error.codeName.empty() ? std::to_string(error.code) : fmt::format("{} ({})", error.codeName, error.code);
    parts.notes.push_back(fmt::format("{} gave {}", from, code));
  }
  if (!error.log.empty()) {
    while (!error.log.empty() && error.log.back() == '\n') error.log.pop_back();
    parts.notes.push_back("log:\n" + error.log);
  }
  if (error.category == ErrorCategory::Dead && !underWay_.empty()) {
    // A fault of the device itself does not say which launch it was.
    std::string names;
    size_t first = underWay_.size() > 4 ? underWay_.size() - 4 : 0;
    for (size_t i = first; i < underWay_.size(); ++i) {
      const KernelManifest* kernel = kernelAt(underWay_[i].unit, underWay_[i].kernel);
      const SiteManifest* place = siteAt(underWay_[i].unit, underWay_[i].site);
      names += fmt::format("{}`{}`", i > first ? ", " : "", kernel ? kernel->name : "?");
      if (place) names += fmt::format(" ({}:{})", place->file, place->line);
    }
    parts.notes.push_back(
        fmt::format("{} under way, the last of them: {}",
                    underWay_.size() == 1 ? "1 launch was" : fmt::format("{} launches were", underWay_.size()), names));
  }
  return setError(error.category, this->site(site), std::move(parts));
}

int32_t RadContext::synchronize(uint32_t site) {
  if (auto done = device_->synchronize(); !done) {
    writePrinted();  // what a kernel said before the device died helps most
    int32_t status = setError(std::move(done).error(), site);
    if (!rad::rt::Interrupt::isRequested()) {  // else they go on, and may fail later
      underWay_.clear();
      unitsUnderWay_.clear();
    }
    return status;
  }
  return checkFailure();
}

void RadContext::writePrinted() {
  rad::rt::PrintedLines printed = device_->takePrinted();
  const uint32_t first = underWay_.empty() ? nextSerial_ : underWay_.front().serial;
  std::string text;
  for (const auto& line : rad::rt::sortedLines(printed.words, first)) {
    const uint32_t at = line.head.launch - first;  // serial numbers follow each other
    const SiteManifest* site = at < underWay_.size() ? siteAt(underWay_[at].unit, line.head.site) : nullptr;
    if (site) text += rad::rt::filledMessage(*site, line.values, underWay_[at].unit->manifest.compounds) + "\n";
    else ++printed.lost;
  }
  if (!text.empty()) write(text);
  if (printed.lost == 0) return;
  if (!output_) std::fflush(stdout);
  rad::rt::warn(fmt::format(
      "{} printed by kernels {} lost: there is room for {} KiB from one wait to the next; print at fewer points, "
      "or call sync() between launches",
      printed.lost == 1 ? "1 line" : fmt::format("{} lines", printed.lost), printed.lost == 1 ? "is" : "are",
      rad::cg::printCapacity * sizeof(uint64_t) / 1024));
}

int32_t RadContext::checkFailure() {
  if (!firstResult_ && !underWay_.empty()) firstResult_ = std::chrono::steady_clock::now();
  writePrinted();
  auto failure = device_->takeFailure();
  std::vector<LaunchNote> launches = std::exchange(underWay_, {});
  const auto units = std::exchange(unitsUnderWay_, {});
  if (!failure) {
    launches.clear();  // keeps the memory for the next launches
    underWay_ = std::move(launches);
    return 0;
  }
  const rad::cg::FailureRecord& record = failure->record;
  const LaunchNote* launch = nullptr;
  for (const LaunchNote& note : launches)
    if (note.serial == record.launch) launch = &note;
  const rad::rt::Unit* unit = launch ? launch->unit : nullptr;
  bool isFirst = !error_;
  if (record.flag == 0) {
    if (isFirst) tellFindings(*failure, launch);
    return 1;
  }
  const SiteManifest* place = siteAt(unit, record.site);
  if (!place) {
    MessageParts parts{
        fmt::format("a kernel failed a check (launch {}, site {}, value {}, extent {}), but its place is not known",
                    record.launch, record.site, record.value, record.extent),
        {},
        "this is a bug in Raddle: please report it"};
    return setError(ErrorCategory::UserProgram, nullptr, std::move(parts));
  }
  const KernelManifest* kernel = kernelAt(unit, launch->kernel);
  setError(ErrorCategory::UserProgram, place,
           rad::rt::describeFailure(record, *place, kernel, siteAt(unit, launch->site), device_->info().kind,
                                    unit->manifest.compounds));
  if (!isFirst) return 1;
  error_->isOfKernel = kernel && kernel->reduce == rad::cg::ReduceOp::None;  // a comprehension waits where it stands
  tellFindings(*failure, launch);
  return 1;
}

void RadContext::tellFindings(const rad::rt::KernelFailure& failure, const LaunchNote* launch) {
  const rad::rt::Unit* unit = launch ? launch->unit : nullptr;
  const KernelManifest* kernel = launch ? kernelAt(unit, launch->kernel) : nullptr;
  for (const rad::rt::AccessFinding& finding : failure.findings) {
    rad::rt::MessageParts parts =
        rad::rt::describeFinding(finding, kernel, launch ? siteAt(unit, launch->site) : nullptr);
    if (!error_) {
      setError(ErrorCategory::UserProgram, &finding.now.place, std::move(parts));
      error_->isOfKernel = true;
    } else {
      error_->more += rad::rt::renderMessage(&finding.now.place, parts);
    }
  }
}

int32_t RadContext::beginLaunch(uint32_t kernel, uint32_t site, uint32_t& serial) {
  if (underWay_.size() >= maxUnderWay)
    if (int32_t status = synchronize(site)) return status;
  serial = nextSerial_++;
  if (unitsUnderWay_.empty() || unitsUnderWay_.back() != unit_) unitsUnderWay_.push_back(unit_);
  underWay_.push_back({unit_.get(), serial, kernel, site});
  return 0;
}

rad::rt::Result<rad::rt::Specialised> RadContext::specialise(uint32_t openKernel, std::span<const int64_t> statics,
                                                             uint32_t site) {
  return kernels_->specialise(*unit_, openKernel, statics, site);
}

rad::rt::KernelUse& RadContext::use(uint32_t kernel) {
  if (kernel >= uses_.size()) uses_.resize(unit_->manifest.kernels.size());
  auto& use = uses_[kernel];
  if (!use) use = std::make_unique<rad::rt::KernelUse>(unit_->manifest.kernels[kernel], device_->info());
  return *use;
}

rad::rt::Result<void> RadContext::prepare(uint32_t kernel, const rad::rt::Binding& binding) {
  rad::rt::KernelUse& last = use(kernel);
  auto told = [&]() -> rad::rt::Result<void> {
    if (launching_) launching_(*unit_, kernel, binding.spec, binding, last.shape);
    return {};
  };
  const bool isOther = !last.kernel || last.key != binding.spec;
  if (!isOther && last.points == binding.points && last.rows == binding.rows) return told();
  if (isOther) {
    RAD_ASSIGN(last.kernel, kernels_->get(*unit_, kernel, binding.spec));
    last.key = binding.spec;
  }
  last.points = last.rows = -1;  // unless the following succeeds
  RAD_ASSIGN(last.shape,
             rad::rt::shapeLaunch(unit_->manifest.kernels[kernel], last.kernel->geometry(), binding, device_->info()));
  last.points = binding.points;
  last.rows = binding.rows;
  return told();
}

rad::rt::Result<std::string_view> RadContext::keepText(std::string text) {
  if (text.empty()) return std::string_view();
  if (text.size() + sizeof text > maxTextBytes - textBytes_)
    return rad::rt::fail(
        ErrorCategory::Resources,
        fmt::format("the texts that this program made take more than {} MiB", maxTextBytes >> 20),
        "a text is kept until the program ends: read large files of numbers with read_npy or read_csv");
  textBytes_ += text.size() + sizeof text;
  return texts_.emplace_back(std::move(text));
}

rad::rt::Result<RadArray*> RadContext::makeArray(rad::cg::ElementType type, int64_t count) {
  RAD_ASSIGN(auto buffer, device_->allocate(static_cast<uint64_t>(count) * rad::cg::sizeOf(type)));
  return new RadArray(device_, std::move(buffer), type, count, liveArrays_);
}

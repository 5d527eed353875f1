// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/host/host_device.h"

#include "runtime/base/interrupt.h"
#include "runtime/host/access_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>

#include <sys/mman.h>
#include <unistd.h>

namespace rad::rt {

namespace {

constexpr uint64_t kAlignment = 64;
constexpr uint64_t kHugePage = 2u << 20;

std::string inUnits(uint64_t bytes) {
  constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) value /= 1024, ++unit;
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

/// What the process may use at most: the machine's memory, or the control group's limit where that is lower.
uint64_t memoryLimit() {
  auto pages = sysconf(_SC_PHYS_PAGES), pageSize = sysconf(_SC_PAGESIZE);
  uint64_t limit = pages > 0 && pageSize > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(pageSize) : 0;
  std::ifstream group("/sys/fs/cgroup/memory.max");
  uint64_t groupLimit = 0;
  if (group >> groupLimit && groupLimit > 0 && (limit == 0 || groupLimit < limit)) limit = groupLimit;
  return limit;
}

std::string processorName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (!line.starts_with("model name")) continue;
    auto colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "CPU";
}

class HostBuffer final : public Buffer {
 public:
  HostBuffer(std::byte* memory, uint64_t size, std::shared_ptr<LiveBuffers> live)
      : memory_(memory), size_(size), live_(std::move(live)) {
    live_->bytes.fetch_add(size_, std::memory_order_relaxed);
    std::lock_guard lock(live_->mutex);
    live_->sizes[address()] = size_;
  }
  ~HostBuffer() override {
    {
      std::lock_guard lock(live_->mutex);
      live_->sizes.erase(address());
    }
    std::free(memory_);
    live_->bytes.fetch_sub(size_, std::memory_order_relaxed);
  }
  HostBuffer(const HostBuffer&) = delete;
  HostBuffer& operator=(const HostBuffer&) = delete;
  uint64_t address() const override { return reinterpret_cast<uint64_t>(memory_); }
  uint64_t size() const override { return size_; }

 private:
  std::byte* memory_;
  uint64_t size_;
  std::shared_ptr<LiveBuffers> live_;
};

class HostKernel final : public Kernel {
 public:
  HostKernel(cg::NativeKernel function, cg::GeometryManifest geometry, uint64_t scratchBytes,
             std::shared_ptr<const void> owner, std::optional<CheckedAccesses> accesses)
      : function(function), scratchBytes(scratchBytes), accesses(std::move(accesses)), owner_(std::move(owner)) {
    geometry_ = std::move(geometry);
  }
  const cg::NativeKernel function;
  const uint64_t scratchBytes;
  const std::optional<CheckedAccesses> accesses;

 private:
  std::shared_ptr<const void> owner_;
};

std::byte* bytesOf(const Buffer& buffer) { return reinterpret_cast<std::byte*>(buffer.address()); }

Result<void> checkRange(const char* what, const Buffer& buffer, uint64_t offset, uint64_t bytes) {
  if (offset <= buffer.size() && bytes <= buffer.size() - offset) return {};
  return fail(ErrorCategory::Misuse,
              fmt::format("{} of {} bytes at offset {} lies outside of a buffer of {} bytes", what, bytes, offset,
                          buffer.size()),
              "This is a mistake of the runtime; please report it.");
}

}  // namespace

void HostDevice::FreeAligned::operator()(std::byte* memory) const { std::free(memory); }

Result<std::shared_ptr<HostDevice>> HostDevice::create(unsigned threads) {
  if (threads == 0) {
    threads = hardwareThreads();
    if (const char* text = std::getenv("RADDLE_THREADS"); text && *text) {
      const char* end = text + std::strlen(text);
      auto [stop, error] = std::from_chars(text, end, threads);
      if (error != std::errc() || stop != end || threads < 1 || threads > 1024)
        return fail(ErrorCategory::System,
                    fmt::format("RADDLE_THREADS is `{}`, which is not a number from 1 to 1024", text),
                    "Set it to the number of CPU threads that kernels may use, or unset it to use all.");
    }
  }
  return std::shared_ptr<HostDevice>(new HostDevice(threads));
}

struct HostDevice::CheckMemory {
  AccessChecker::Memory memory;
};

HostDevice::HostDevice(unsigned threads) : pool_(threads), live_(std::make_shared<LiveBuffers>()) {
  info_.kind = DeviceKind::Host;
  info_.id = "host";
  info_.name = fmt::format("{} thread{} of {}", threads, threads == 1 ? "" : "s", processorName());
  info_.multiprocessors = static_cast<int>(threads);
  info_.memoryBytes = memoryLimit();
  // Shared memory is plain memory here; the limits keep programs that run on the host inside what current GPUs offer.
  info_.maxSharedBytesPerBlockOptIn = 227 * 1024;
  info_.maxGrid = {INT64_MAX, INT64_MAX, INT64_MAX};
  failure_.record = &record_;
}

HostDevice::~HostDevice() = default;

std::shared_ptr<Kernel> HostDevice::wrap(cg::NativeKernel function, cg::GeometryManifest geometry,
                                         uint64_t scratchBytes, std::shared_ptr<const void> owner,
                                         std::optional<CheckedAccesses> accesses) {
  return std::make_shared<HostKernel>(function, std::move(geometry), scratchBytes, std::move(owner),
                                      std::move(accesses));
}

Result<std::shared_ptr<Buffer>> HostDevice::allocate(uint64_t bytes) {
  auto refuse = [&](std::string_view why) {
    auto live = live_->bytes.load(std::memory_order_relaxed);
    return fail(ErrorCategory::Resources,
                fmt::format("no memory for an array of {} ({} bytes) on the host: {}; arrays of this program take {}",
                            inUnits(bytes), bytes, why, inUnits(live)),
                "Use smaller arrays, or let go of some before making new ones.");
  };
  if (info_.memoryBytes != 0) {
    auto live = live_->bytes.load(std::memory_order_relaxed);
    if (bytes > info_.memoryBytes || live > info_.memoryBytes - bytes)
      return refuse(fmt::format("there is {} in all", inUnits(info_.memoryBytes)));
  } else if (bytes > (uint64_t{1} << 46)) {
    return refuse("that is more than a machine has");
  }
  uint64_t alignment = bytes >= 2 * kHugePage ? kHugePage : kAlignment;
  uint64_t rounded = std::max(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  auto* memory =
      static_cast<std::byte*>(std::aligned_alloc(alignment, (rounded + alignment - 1) / alignment * alignment));
  if (!memory) return refuse("the system gives no more");
  if (alignment == kHugePage)
    madvise(memory, rounded / kHugePage * kHugePage, MADV_HUGEPAGE);  // only a wish: fewer page faults
  return std::make_shared<HostBuffer>(memory, bytes, live_);
}

Result<void> HostDevice::copyIn(Buffer& to, uint64_t offset, std::span<const std::byte> from) {
  RAD_TRY(checkRange("a copy", to, offset, from.size()));
  if (!from.empty()) std::memcpy(bytesOf(to) + offset, from.data(), from.size());
  return {};
}

Result<void> HostDevice::copyOut(std::span<std::byte> to, const Buffer& from, uint64_t offset) {
  RAD_TRY(checkRange("a copy", from, offset, to.size()));
  if (!to.empty()) std::memcpy(to.data(), bytesOf(from) + offset, to.size());
  return {};
}

Result<void> HostDevice::copyWithin(Buffer& to, uint64_t toOffset, const Buffer& from, uint64_t fromOffset,
                                    uint64_t bytes) {
  RAD_TRY(checkRange("a copy", to, toOffset, bytes));
  RAD_TRY(checkRange("a copy", from, fromOffset, bytes));
  std::memmove(bytesOf(to) + toOffset, bytesOf(from) + fromOffset, bytes);
  return {};
}

Result<void> HostDevice::fill(Buffer& to, uint64_t offset, uint64_t bytes, std::span<const std::byte> pattern) {
  RAD_TRY(checkRange("a fill", to, offset, bytes));
  auto width = pattern.size();
  if ((width != 1 && width != 2 && width != 4 && width != 8) || bytes % width != 0)
    return fail(ErrorCategory::Misuse, fmt::format("a fill of {} bytes with a pattern of {} bytes", bytes, width),
                "This is a mistake of the runtime; please report it.");
  if (bytes == 0) return {};
  auto* start = bytesOf(to) + offset;
  if (std::all_of(pattern.begin(), pattern.end(), [&](std::byte b) { return b == pattern[0]; })) {
    // By all threads, as kernels will share it: the system gives memory near the core that touches it first.
    constexpr uint64_t kGrain = 1u << 16;
    auto set = [&](int64_t begin, int64_t end, unsigned) {
      const uint64_t first = static_cast<uint64_t>(begin) * kGrain,
                     last = std::min(static_cast<uint64_t>(end) * kGrain, bytes);
      std::memset(start + first, std::to_integer<int>(pattern[0]), last - first);
    };
    std::lock_guard lock(queue_);
    pool_.run(static_cast<int64_t>((bytes + kGrain - 1) / kGrain), std::ref(set));
    return {};
  }
  std::memcpy(start, pattern.data(), width);
  for (uint64_t done = width; done < bytes; done *= 2) std::memcpy(start + done, start, std::min(done, bytes - done));
  return {};
}

Result<std::shared_ptr<Kernel>> HostDevice::load(const cg::DeviceCode& code, std::string_view symbol) {
  return fail(ErrorCategory::Image,
              fmt::format("kernel `{}` was compiled for {}; the host device runs native code only", symbol,
                          code.target.empty() ? "another device" : code.target),
              "Run it on a CUDA device (--device cuda:0), or compile it for the host.");
}

Result<void> HostDevice::prepareScratch(uint64_t bytes, std::string_view kernel) {
  if (bytes <= scratchBytes_) return {};
  scratch_.clear();
  scratchBytes_ = 0;
  uint64_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  for (unsigned worker = 0; worker < pool_.size(); ++worker) {
    auto* memory = static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded));
    if (!memory)
      return fail(ErrorCategory::Resources,
                  fmt::format("no memory for the blocks of kernel `{}`: {} for each of {} threads", kernel,
                              inUnits(rounded), pool_.size()),
                  "Use smaller blocks or less shared memory, or fewer threads (RADDLE_THREADS).");
    scratch_.emplace_back(memory);
  }
  scratchBytes_ = rounded;
  return {};
}

Result<void> HostDevice::launch(Kernel& kernel, const LaunchRequest& request) {
  auto* native = dynamic_cast<HostKernel*>(&kernel);
  if (!native)
    return fail(ErrorCategory::Misuse, fmt::format("kernel `{}` belongs to another device", request.name),
                "This is a mistake of the runtime; please report it.");
  if (request.outerCount < 0 || request.chunkCount < 0 || request.grain < 1)
    return fail(ErrorCategory::Misuse,
                fmt::format("launch of `{}` over {} rows in {} pieces, {} at once", request.name, request.outerCount,
                            request.chunkCount, request.grain),
                "This is a mistake of the runtime; please report it.");
  // A reduction over nothing still runs its chunks: they write the identity.
  if (request.outerCount == 0 && request.chunkCount == 0) return {};
  std::lock_guard lock(queue_);
  RAD_TRY(prepareScratch(native->scratchBytes, request.name));
  if (request.prints && !failure_.print) {
    printed_.resize(cg::printCapacity);
    print_ = {0, 0, cg::printCapacity, printed_.data()};
    failure_.print = &print_;
  }
  const int64_t outer = request.outerCount, chunks = request.chunkCount, grain = request.grain;
  const void* const* arguments = request.arguments.data();
  auto scratch = [&](unsigned worker) { return scratchBytes_ ? scratch_[worker].get() : nullptr; };
  auto items = [&](int64_t begin, int64_t end, unsigned worker) {
    if (Interrupt::isRequested()) return;
    native->function(arguments, begin * grain, std::min(end * grain, outer), 0, scratch(worker));
  };
  auto partials = [&](int64_t begin, int64_t end, unsigned worker) {
    // outer * chunk / chunks without overflow
    auto bound = [&](int64_t chunk) { return static_cast<int64_t>(static_cast<__int128>(outer) * chunk / chunks); };
    for (int64_t chunk = begin; chunk < end && !Interrupt::isRequested(); ++chunk)
      native->function(arguments, bound(chunk), bound(chunk + 1), chunk, scratch(worker));
  };
  const int64_t pieces = outer / grain + (outer % grain != 0);
  if (native->accesses) {
    RAD_TRY(
        checkLaunch(*native->accesses, request, [&] { chunks > 0 ? partials(0, chunks, 0) : items(0, pieces, 0); }));
  } else if (chunks > 0) {
    pool_.run(chunks, std::ref(partials));
  } else {
    pool_.run(pieces, std::ref(items));
  }
  if (Interrupt::isRequested())
    return fail(ErrorCategory::UserProgram, fmt::format("interrupted: kernel `{}` was stopped", request.name),
                "what it was to write is unspecified; everything else is as it was");
  return {};
}

Result<void> HostDevice::checkLaunch(const CheckedAccesses& accesses, const LaunchRequest& request,
                                     const std::function<void()>& work) {
  std::vector<MemoryRange> arrays;
  {
    std::lock_guard lock(live_->mutex);
    for (const auto& [address, bytes] : live_->sizes) arrays.push_back({address, bytes});
  }
  const uint64_t most = info_.memoryBytes ? info_.memoryBytes / 2 : uint64_t{8} << 30;
  if (!checkMemory_) checkMemory_ = std::make_unique<CheckMemory>();
  AccessChecker checker(accesses, std::move(arrays), most, checkMemory_->memory);
  currentAccessChecker = &checker;
  work();
  currentAccessChecker = nullptr;
  if (findings_.empty()) {  // what is told first is the launch that came first
    findings_ = checker.takeFindings();
    foundIn_ = request.serial;
  }
  if (!checker.isOverflown()) return {};
  return fail(ErrorCategory::Resources,
              fmt::format("--check remembers more of the accesses of kernel `{}` than {} can hold", request.name,
                          inUnits(most)),
              "Check the program with smaller arrays.");
}

PrintedLines HostDevice::takePrinted() {
  std::lock_guard lock(queue_);
  if (print_.used == 0) return {};
  PrintedLines taken;
  auto end = printed_.begin() + static_cast<ptrdiff_t>(std::min(print_.used, print_.capacity));
  taken.words.assign(printed_.begin(), end);
  taken.lost = print_.lost;
  std::fill(printed_.begin(), end, 0);
  print_.used = print_.lost = 0;
  return taken;
}

uint64_t HostDevice::failureState() const { return reinterpret_cast<uint64_t>(&failure_); }

Result<void> HostDevice::synchronize() {
  std::lock_guard lock(queue_);  // a launch of another thread
  return {};
}

std::optional<KernelFailure> HostDevice::takeFailure() {
  const bool mayHave = !findings_.empty() || __atomic_load_n(&record_.flag, __ATOMIC_ACQUIRE) != 0;
  if (!mayHave) return std::nullopt;
  std::lock_guard lock(queue_);
  KernelFailure failure{record_, std::exchange(findings_, {})};
  if (record_.flag == 0) {
    if (failure.findings.empty()) return std::nullopt;
    failure.record.launch = foundIn_;
    return failure;
  }
  record_ = {};
  __atomic_store_n(&failure_.claimed, 0u, __ATOMIC_RELEASE);
  return failure;
}

}  // namespace rad::rt

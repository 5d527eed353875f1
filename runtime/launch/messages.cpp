// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/launch/messages.h"

#include "runtime/launch/printed.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace rad::rt {
namespace {

using cg::SiteManifest;

constexpr size_t tabWidth = 4;
constexpr size_t maxColumns = 160;  // a longer line is shown as a window around the caret

/// Bytes of the UTF-8 sequence at `at`, 0 if there is none.
size_t sequenceLength(std::string_view line, size_t at) {
  auto lead = static_cast<unsigned char>(line[at]);
  size_t length = lead < 0x80                   ? 1
                  : lead >= 0xC2 && lead < 0xE0 ? 2
                  : lead >= 0xE0 && lead < 0xF0 ? 3
                  : lead >= 0xF0 && lead < 0xF5 ? 4
                                                : 0;
  if (length == 0 || at + length > line.size()) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(line[at + i]) & 0xC0) != 0x80) return 0;
  return length;
}

/// The source line and a caret range below it, laid out as the compiler's diagnostics are.
std::string snippet(const SiteManifest& site) {
  std::string_view line = site.sourceLine;
  std::vector<std::string> cells;
  std::vector<size_t> cellOfByte;
  for (size_t at = 0; at < line.size();) {
    size_t sequence = sequenceLength(line, at), length = std::max<size_t>(sequence, 1);
    cellOfByte.insert(cellOfByte.end(), length, cells.size());
    auto byte = static_cast<unsigned char>(line[at]);
    if (byte == '\t') {
      do cells.emplace_back(" ");
      while (cells.size() % tabWidth != 0);
    } else if (byte < 0x20 || byte == 0x7F || sequence == 0) {
      cells.emplace_back("?");
    } else {
      cells.emplace_back(line.substr(at, length));
    }
    at += length;
  }
  cellOfByte.push_back(cells.size());

  size_t firstByte = std::min<size_t>(site.column > 0 ? site.column - 1 : 0, line.size());
  size_t lastByte = site.endColumn > site.column ? std::min<size_t>(site.endColumn - 1, line.size()) : firstByte;
  size_t first = cellOfByte[firstByte], last = std::max(cellOfByte[lastByte], first + 1);
  size_t from = 0, to = cells.size();
  if (to > maxColumns) {
    size_t middle = std::min((first + last) / 2, first + maxColumns / 2 - 8);
    from = std::min(middle > maxColumns / 2 ? middle - maxColumns / 2 : 0, to - maxColumns);
    to = from + maxColumns;
  }
  std::string shown = from > 0 ? "..." : "";
  for (size_t i = from; i < to; ++i) shown += cells[i];
  if (to < cells.size()) shown += "...";
  std::string carets(first - from + (from > 0 ? 3 : 0), ' ');
  carets += '^' + std::string(std::max(std::min(last, to + 1), first + 1) - first - 1, '~');
  std::string number = std::to_string(site.line);
  size_t width = std::max<size_t>(number.size(), 4);
  return fmt::format("{:>{}} | {}\n{:>{}} | {}\n", number, width, shown, "", width, carets);
}

std::string placeText(const SiteManifest& site) { return fmt::format("{}:{}:{}", site.file, site.line, site.column); }

/// " in dimension 1 of `m[i, j]`", " of `x[i]`", or nothing where no text is known.
std::string ofDimension(const SiteManifest* site, unsigned dimension, unsigned rank) {
  std::string out = rank > 1 ? fmt::format(" in dimension {}", dimension) : "";
  if (site && !site->text.empty()) out += fmt::format("{} `{}`", rank > 1 ? " of" : " for", site->text);
  return out;
}

std::string validIndices(int64_t extent) {
  if (extent <= 0) return "no index is valid: there are no elements";
  if (extent == 1) return "the only valid index is 0";
  return fmt::format("valid indices are 0 to {}", extent - 1);
}

/// "ty = 1, tx = 5": which thread of its block, by the kernel's names. xyz[0] belongs to the last one.
std::string whichThread(const cg::KernelManifest& kernel, const uint32_t (&xyz)[3]) {
  std::string out;
  for (size_t i = 0; i < kernel.threads.size() && i < 3; ++i) {
    const auto& [name, first, step] = kernel.threads[i];
    out += fmt::format("{}{} = {}", i == 0 ? "" : ", ", name,
                       first + step * static_cast<int32_t>(xyz[kernel.threads.size() - 1 - i]));
  }
  return out;
}

/// Which point, block and thread.
std::string whereInKernel(const cg::FailureRecord& record, const cg::KernelManifest& kernel, DeviceKind device) {
  // A comprehension is no kernel to whoever wrote it.
  std::string out = fmt::format("in {}`{}`", kernel.reduce == cg::ReduceOp::None ? "kernel " : "", kernel.name);
  if (kernel.geometry.isForall) {
    for (size_t i = 0; i < kernel.axes.size() && i < 4; ++i)
      out += fmt::format("{} {} = {}", i == 0 ? " at" : ",", kernel.axes[i].name, record.point[i]);
    // A forall has no blocks in its text; on the host it has none at all.
    if (device == DeviceKind::Cuda) out += fmt::format(" (block {}, thread {})", record.block[0], record.thread[0]);
    return out;
  }
  // record.block[0] and record.thread[0] belong to the last axis; the values are those of the variables.
  for (size_t i = 0; i < kernel.axes.size() && i < 3; ++i)
    out += fmt::format("{} {} = {}", i == 0 ? " at" : ",", kernel.axes[i].name,
                       static_cast<int32_t>(record.block[kernel.axes.size() - 1 - i]));
  return out + ", " + whichThread(kernel, record.thread);
}

/// "i = 3, j = 0", or "b = 0, t = 5": a point, or a thread of a block.
std::string whoMade(const AccessFinding::Access& access, const cg::KernelManifest& kernel) {
  std::string out;
  const size_t axes = kernel.axes.size();
  for (size_t i = 0; i < axes && i < 4; ++i)
    out += fmt::format("{}{} = {}", i == 0 ? "" : ", ", kernel.axes[i].name, access.where.point[i]);
  return kernel.geometry.isForall ? out : out + ", " + whichThread(kernel, access.where.thread);
}

}  // namespace

MessageParts describeFinding(const AccessFinding& finding, const cg::KernelManifest* kernel,
                             const SiteManifest* launchSite) {
  const AccessFinding::Access &now = finding.now, &before = finding.before;
  const bool isForall = !kernel || kernel->geometry.isForall;
  const std::string who = kernel ? whoMade(now, *kernel) : "a thread",
                    other = kernel ? whoMade(before, *kernel) : "another one";
  MessageParts out;
  if (finding.kind == AccessFinding::Kind::Uninitialised) {
    out.code = uninitialisedReadCode;
    out.headline = fmt::format("`{}` reads shared memory that nothing was stored to, where {}", now.place.text, who);
    out.places.emplace_back(before.place, "it is declared here, and undefined when a block begins");
    out.help = "store to it first, and put a barrier() between the stores and the reads of other threads";
  } else {
    // Shared memory is the block's, whatever the scope.
    auto verb = [&](const AccessFinding::Access& access, std::string_view object = "") {
      const std::string_view how = !access.isAtomic                          ? ""
                                   : access.isOfBlock && !finding.isOneBlock ? " with scope .block"
                                                                             : " atomically";
      return fmt::format("{}{}{}", !access.writes ? "reads" : access.isAtomic ? "changes" : "writes", object, how);
    };
    out.code = dataRaceCode;
    out.headline = fmt::format("data race: {} {} what {} {}", who, verb(now), other, verb(before));
    const bool isOnePlace = now.place.line == before.place.line && now.place.column == before.place.column &&
                            now.place.endColumn == before.place.endColumn && now.place.file == before.place.file;
    if (!isOnePlace) out.places.emplace_back(before.place, fmt::format("here {} {}", other, verb(before, " it")));
    const bool needScope = (now.isOfBlock || before.isOfBlock) && !finding.isOneBlock;
    if (needScope) out.help = "scope .block orders the threads of one block only: leave the scope out";
    else if (now.isAtomic || before.isAtomic)
      out.help = "both have to be atomic: atomic.load and atomic.store are the plain accesses among these";
    else if (isForall)
      out.help =
          "points run in no order: let each write elements of its own, write to another array than is read, or use "
          "atomic operations";
    else if (finding.isOneBlock)
      out.help =
          "threads of a block are in order only where a barrier() stands between them: put one there, or use atomic "
          "operations";
    else
      out.help =
          "blocks run in no order: let each write elements of its own, use atomic operations, or make two launches of "
          "it";
  }
  if (kernel)
    out.notes.push_back(fmt::format("in {}`{}`", kernel->reduce == cg::ReduceOp::None ? "kernel " : "", kernel->name));
  const bool isElsewhere =
      launchSite && launchSite->line > 0 && (launchSite->line != now.place.line || launchSite->file != now.place.file);
  if (isElsewhere) out.notes.push_back("launched at " + placeText(*launchSite));
  return out;
}

std::string_view codeOf(SiteManifest::Kind kind) {
  switch (kind) {
    case SiteManifest::Kind::Index: return "R0601";
    case SiteManifest::Kind::Slice:
    case SiteManifest::Kind::SliceOrder: return "R0602";
    case SiteManifest::Kind::Assert: return "R0603";
    case SiteManifest::Kind::DivideByZero: return "R0604";
    case SiteManifest::Kind::NegativeStep: return "R0605";
    case SiteManifest::Kind::Overflow: return "R0606";
    case SiteManifest::Kind::ShapeBind: return "R0607";
    case SiteManifest::Kind::Uniform: return "R0609";
    case SiteManifest::Kind::Proof:
    case SiteManifest::Kind::Launch:
    case SiteManifest::Kind::HostCall:
    case SiteManifest::Kind::Print:
    case SiteManifest::Kind::Other: break;
  }
  return "";
}

std::string renderMessage(const SiteManifest* site, const MessageParts& parts) {
  std::string out = site ? placeText(*site) + ": " : "";
  out += parts.code.empty() ? "error: " : fmt::format("error[{}]: ", parts.code);
  out += parts.headline + "\n";
  if (site && site->line > 0) out += snippet(*site);
  for (const auto& [place, text] : parts.places) {
    out += fmt::format("{}: note: {}\n", placeText(place), text);
    if (place.line > 0) out += snippet(place);
  }
  for (const std::string& note : parts.notes) out += "note: " + note + "\n";
  if (!parts.help.empty()) out += "help: " + parts.help + "\n";
  return out;
}

MessageParts describeIndex(const SiteManifest* site, int64_t value, int64_t extent, unsigned dimension, unsigned rank) {
  MessageParts out;
  out.code = codeOf(SiteManifest::Kind::Index);
  out.headline =
      fmt::format("index {} is out of range{}: the size is {}", value, ofDimension(site, dimension, rank), extent);
  out.help = validIndices(extent);
  return out;
}

MessageParts describeHostCheck(const SiteManifest& site, int64_t value, int64_t extent) {
  MessageParts out;
  out.code = codeOf(site.kind);
  std::string what = site.text.empty() ? "" : fmt::format(" in `{}`", site.text);
  switch (site.kind) {
    case SiteManifest::Kind::Index: return describeIndex(&site, value, extent, site.dimension, site.rank);
    case SiteManifest::Kind::Proof:
      out = describeIndex(&site, value, extent, site.dimension, site.rank);
      out.code = {};
      out.headline = "internal error: this was proven to be in range, but " + out.headline;
      out.help = "please report this program: without --verify-proofs it has no check here";
      return out;
    case SiteManifest::Kind::Slice:
      out.headline = fmt::format("slice bound {} is out of range{}: the size is {}", value,
                                 ofDimension(&site, site.dimension, site.rank), extent);
      out.help = fmt::format("the bounds of a slice lie between 0 and {}, the first not above the second",
                             std::max<int64_t>(extent, 0));
      return out;
    case SiteManifest::Kind::SliceOrder:
      if (value < 0) {
        out.headline = fmt::format("slice bound {} is out of range{}", value,
                                   ofDimension(&site, site.dimension, site.rank));
        out.help = "the bounds of a slice count from 0";
        return out;
      }
      out.headline = fmt::format("the slice{} begins at {} and ends at {}",
                                 site.rank > 1         ? ofDimension(&site, site.dimension, site.rank)
                                 : !site.text.empty() ? fmt::format(" `{}`", site.text)
                                                      : "",
                                 value, extent);
      out.help = "the first bound of a slice is not above the second; x[i..i] is empty";
      return out;
    case SiteManifest::Kind::ShapeBind:
      if (site.rank > 1)
        out.headline = fmt::format("dimension {} has the size {}, but its type says {}", site.dimension, value, extent);
      else out.headline = fmt::format("the size is {}, but the type says {}", value, extent);
      out.help = "a new name in place of the size takes whatever size there is";
      return out;
    case SiteManifest::Kind::DivideByZero: out.headline = "division by zero" + what; return out;
    case SiteManifest::Kind::NegativeStep:
      out.headline =
          fmt::format("the step of a {} must be positive, but it is {}", site.rank > 0 ? "slice" : "loop", value);
      if (site.rank == 0) out.help = "a loop that counts down has a constant step: `for i in high..low step -1`";
      return out;
    case SiteManifest::Kind::Overflow:
      out.headline = fmt::format("the result{} does not fit its type",
                                 what.empty() ? " of this calculation" : " of `" + site.text + "`");
      out.help = "convert the operands to a larger type first, for example `i64(...)`";
      return out;
    case SiteManifest::Kind::Assert:
      out.headline = site.text.empty() ? "assertion failed" : fmt::format("assertion failed: `{}`", site.text);
      if (!site.message.empty()) out.notes.push_back(site.message);
      return out;
    case SiteManifest::Kind::Uniform:
      out.headline = fmt::format("{} is not the same in all threads of the block",
                                 site.text.empty() ? "a value" : "`" + site.text + "`");
      out.help =
          "uniform() is the program's promise that it is: compute it from what all threads share, or read it behind a "
          "barrier()";
      return out;
    case SiteManifest::Kind::Launch:
    case SiteManifest::Kind::HostCall:
    case SiteManifest::Kind::Print:
    case SiteManifest::Kind::Other: break;
  }
  out.headline = "a check failed" + what;
  if (!site.message.empty()) out.notes.push_back(site.message);
  return out;
}

MessageParts describeFailure(const cg::FailureRecord& record, const SiteManifest& site,
                             const cg::KernelManifest* kernel, const SiteManifest* launchSite, DeviceKind device,
                             std::span<const cg::CompoundManifest> compounds) {
  MessageParts out = describeHostCheck(site, record.value, record.extent);
  if (site.kind == SiteManifest::Kind::Assert && !site.message.empty())
    out.notes.back() = filledMessage(site, record.values, compounds);
  bool runsOverTheEnd = site.kind == SiteManifest::Kind::Index && record.extent > 0 && record.value >= record.extent;
  if (runsOverTheEnd || (site.kind == SiteManifest::Kind::Index && record.value < 0))
    out.help += "; start the domain later, end it earlier, or guard the access with `if`";
  if (kernel) out.notes.push_back(whereInKernel(record, *kernel, device));
  if (kernel && site.kind == SiteManifest::Kind::Uniform) {
    // values: of the first thread and of this one, then where the first is, x first.
    uint32_t first[3];
    for (size_t i = 0; i < 3; ++i) first[i] = static_cast<uint32_t>(record.values[2 + i]);
    const std::string both = filledMessage(site, record.values, compounds);
    const size_t comma = both.find(", ");
    out.notes.push_back(fmt::format("{} where {}, but {} where {}", both.substr(0, comma), whichThread(*kernel, first),
                                    both.substr(comma + 2), whichThread(*kernel, record.thread)));
  }
  bool isElsewhere =
      launchSite && launchSite->line > 0 && (launchSite->line != site.line || launchSite->file != site.file);
  if (isElsewhere) out.notes.push_back("launched at " + placeText(*launchSite));
  return out;
}

}  // namespace rad::rt

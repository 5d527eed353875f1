// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/toolkit/compat.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace rad::rt {
namespace {

/// The GPUs that code can be made for, oldest first.
constexpr std::array<unsigned, 12> knownGpus = {75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121};

/// Which later GPUs are of the family that "f" code for `first` is for.
bool isInFamily(unsigned first, unsigned sm) {
  if (sm == first) return true;
  return (first == 100 && sm == 103) || (first == 120 && sm == 121);
}

/// The CUDA version of a driver, and the newest PTX that it reads.
struct DriverPtx {
  int driver;
  Release ptx;
};
constexpr std::array<DriverPtx, 12> driverPtx = {{{12000, {8, 0}},
                                                  {12010, {8, 1}},
                                                  {12020, {8, 2}},
                                                  {12030, {8, 3}},
                                                  {12040, {8, 4}},
                                                  {12050, {8, 5}},
                                                  {12060, {8, 5}},
                                                  {12070, {8, 6}},
                                                  {12080, {8, 7}},
                                                  {12090, {8, 8}},
                                                  {13000, {9, 0}},
                                                  {13010, {9, 1}}}};

/// The text behind a directive that begins a line.
std::optional<std::string_view> behind(std::string_view ptx, std::string_view directive) {
  for (std::size_t at = ptx.find(directive); at != std::string_view::npos; at = ptx.find(directive, at + 1)) {
    std::string_view line = ptx.substr(0, at);
    line.remove_prefix(line.rfind('\n') + 1);
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) continue;  // inside a comment or a string
    std::string_view rest = ptx.substr(at + directive.size());
    rest = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    return rest;
  }
  return std::nullopt;
}

std::string driverText(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

/// "sm_90", or nothing when it does not begin with such a name.
std::optional<GpuTarget> leadingTarget(std::string_view text) {
  if (!text.starts_with("sm_")) return std::nullopt;
  GpuTarget target;
  const char *begin = text.data() + 3, *end = text.data() + text.size();
  auto [rest, error] = std::from_chars(begin, end, target.sm);
  if (error != std::errc() || rest == begin) return std::nullopt;
  if (rest != end && (*rest == 'a' || *rest == 'f')) target.suffix = *rest++;
  if (rest != end && *rest != ' ' && *rest != '\t' && *rest != ',' && *rest != '\r') return std::nullopt;
  return target;
}

}  // namespace

std::string GpuTarget::name() const {
  std::string out = "sm_" + std::to_string(sm);
  if (suffix) out += suffix;
  return out;
}

std::string Release::text() const { return std::to_string(major) + "." + std::to_string(minor); }

Result<GpuTarget> readTarget(std::string_view text) {
  auto target = leadingTarget(text);
  if (!target || target->name() != text)
    return fail(ErrorCategory::Misuse, "'" + std::string(text) + "' does not name a GPU",
                "Write sm_80, sm_90a or sm_120f, for example.");
  if (target->sm < 75)
    return fail(ErrorCategory::Misuse, "'" + std::string(text) +
                                           "' is too old: sm_75 is the "
                                           "oldest GPU that CUDA 13 supports");
  return *target;
}

bool cubinRunsOn(GpuTarget code, unsigned sm) {
  switch (code.suffix) {
    case 'a': return sm == code.sm;
    case 'f': return isInFamily(code.sm, sm);
    default: return sm / 10 == code.major() && sm >= code.sm;
  }
}

bool ptxBecomes(GpuTarget ptx, GpuTarget target) {
  switch (ptx.suffix) {
    case 'a': return ptx == target;
    case 'f': return isInFamily(ptx.sm, target.sm);
    default: return target.sm >= ptx.sm;
  }
}

bool cubinLinksInto(GpuTarget code, GpuTarget target) {
  if (code.suffix) return code == target;
  return code.sm == target.sm || (code.major() == 8 && target.major() == 8 && code.sm < target.sm);
}

std::optional<Release> versionOfPtx(std::string_view ptx) {
  auto rest = behind(ptx, ".version");
  if (!rest) return std::nullopt;
  Release out;
  const char* end = rest->data() + rest->size();
  auto first = std::from_chars(rest->data(), end, out.major);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.') return std::nullopt;
  if (std::from_chars(first.ptr + 1, end, out.minor).ec != std::errc()) return std::nullopt;
  return out;
}

std::optional<GpuTarget> targetOfPtx(std::string_view ptx) {
  auto rest = behind(ptx, ".target");
  return rest ? leadingTarget(*rest) : std::nullopt;
}

std::optional<Release> ptxOfDriver(int driverVersion) {
  if (driverVersion >= driverPtx.back().driver + 10) return std::nullopt;
  Release out;
  for (const DriverPtx& row : driverPtx)
    if (row.driver <= driverVersion) out = row.ptx;
  return out;
}

Status checkCubinRuns(const std::string& name, GpuTarget code, const Runner& runner) {
  if (cubinRunsOn(code, runner.sm)) return {};
  const std::string device = "sm_" + std::to_string(runner.sm);
  std::string why;
  if (code.suffix == 'a') why = "; code for " + code.name() + " runs on no other GPU";
  else if (code.suffix == 'f') why = "; code for " + code.name() + " runs on its own family only";
  return fail(ErrorCategory::Image,
              name + " was compiled for " + code.name() + ", and " + runner.device + " is " + device + why,
              "Compile it for " + device + ", or give its PTX.");
}

Status checkPtxRuns(const std::string& name, std::string_view ptx, const Runner& runner) {
  const auto version = versionOfPtx(ptx);
  const auto limit = ptxOfDriver(runner.driverVersion);
  if (version && limit && *version > *limit) {
    std::string needed = "newer one";
    for (const DriverPtx& row : driverPtx)
      if (row.ptx >= *version) {
        needed = "driver for CUDA " + driverText(row.driver) + " or newer";
        break;
      }
    return fail(ErrorCategory::Image,
                name + " is PTX " + version->text() + ", and the driver (CUDA " + driverText(runner.driverVersion) +
                    ") compiles PTX up to " + limit->text(),
                "Assemble it to a cubin, which runs with every driver of its "
                "major release, or install a " +
                    needed + ".");
  }
  const auto target = targetOfPtx(ptx);
  if (target && !ptxBecomes(*target, {runner.sm, target->suffix}))
    return fail(
        ErrorCategory::Image,
        name + " is PTX for " + target->name() + ", and " + runner.device + " is sm_" + std::to_string(runner.sm),
        target->suffix ? "PTX with an 'a' or 'f' runs on that GPU or family only: "
                         "compile it for sm_" +
                             std::to_string(runner.sm) + "."
                       : "PTX runs on its GPU and later ones, never on earlier "
                         "ones: compile it for sm_" +
                             std::to_string(runner.sm) + ".");
  return {};
}

Result<ChosenTarget> chooseTarget(unsigned major, unsigned minor) {
  const unsigned sm = major * 10 + minor;
  const std::span<const unsigned> known(knownGpus);
  const std::string own = "sm_" + std::to_string(sm);
  if (sm < known.front())
    return fail(ErrorCategory::System,
                "the GPU is " + own +
                    ", and code can be made for sm_75 and "
                    "newer only: CUDA 13 dropped what is older",
                "Use --device host on this machine.");
  ChosenTarget out;
  unsigned nearest = 0, last = 0;
  for (unsigned gpu : known) {
    if (gpu <= sm) last = gpu;
    if (gpu <= sm && gpu / 10 == major) nearest = gpu;
  }
  out.throughDriver = nearest == 0;
  out.target = "sm_" + std::to_string(nearest ? nearest : last);
  if (nearest != sm)
    out.note = "the GPU is " + own +
               ", which this version of Raddle does not "
               "know: compiling for " +
               out.target + (nearest ? ", the nearest of its generation" : ", and leaving the rest to the driver");
  return out;
}

Status refuseOptions(std::span<const std::string> extra, std::span<const RefusedOption> refused,
                     std::string_view library) {
  for (const std::string& option : extra) {
    std::string_view name = option;
    name.remove_prefix(std::min(name.find_first_not_of('-'), name.size()));
    name = name.substr(0, name.find('='));
    for (const RefusedOption& row : refused)
      if (name == row.name)
        return fail(ErrorCategory::Misuse, "the option '" + option + "' is not passed to " + std::string(library) +
                                               ": " + std::string(row.why));
  }
  return {};
}

}  // namespace rad::rt

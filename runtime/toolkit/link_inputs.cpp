// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/toolkit/link_inputs.h"

#include "runtime/toolkit/assemble.h"
#include "runtime/toolkit/compat.h"
#include "runtime/toolkit/image.h"

#include <algorithm>
#include <map>
#include <set>

namespace rad::rt {
namespace {

/// What the inputs become, in order. Members of archives wait in `members` until
/// somebody needs what they define.
class Preparation {
 public:
  Preparation(const LinkOptions& options, GpuTarget target, Release linker)
      : options_(options), target_(target), linker_(linker) {}

  Status add(const LinkInput& input) { return take(input.name, input.bytes, input.target, objects_); }

  Result<std::vector<LinkObject>> finish() {
    takeMembers();
    return std::move(objects_);
  }

 private:
  Status take(const std::string& name, std::span<const std::byte> bytes, const std::string& label,
              std::vector<LinkObject>& out) {
    switch (recognise(bytes)) {
      case ImageKind::Cubin: return takeCubin(name, bytes, label, {}, out);
      case ImageKind::Ptx: return takePtx(name, bytes, out);
      case ImageKind::LtoIr: return takeLto(name, bytes, {}, targetOfLtoIr(bytes), LinkKind::LtoIr, out);
      case ImageKind::Fatbin: return takeFatbin(name, bytes, out);
      case ImageKind::HostObject: return takeObject(name, bytes, out);
      case ImageKind::Archive: return takeArchive(name, bytes);
      case ImageKind::Unknown: break;
    }
    return fail(ErrorCategory::Image, "'" + name + "' holds no device code that is known",
                "Give PTX text, a cubin, LTO-IR, a fatbin, an object of nvcc, "
                "or an archive of such objects.");
  }

  Status takeCubin(const std::string& name, std::span<const std::byte> bytes, const std::string& label,
                   std::vector<std::byte> made, std::vector<LinkObject>& out) {
    LinkObject object;
    object.name = name;
    object.made = std::move(made);
    object.bytes = object.made.empty() ? bytes : object.made;
    RAD_ASSIGN(object.info, readCubin(object.bytes, name));
    GpuTarget own{object.info.sm, 0};
    if (!label.empty()) {
      RAD_ASSIGN(own, readTarget(label));
      if (own.sm != object.info.sm)
        return fail(ErrorCategory::Image, "'" + name + "' is labelled " + label + ", but its code is for sm_" +
                                              std::to_string(object.info.sm));
    }
    if (!cubinLinksInto(own, target_))
      return fail(
          ErrorCategory::Image,
          "'" + name + "' was compiled for " + own.name() + " and cannot be linked into code for " + target_.name(),
          "Compile it for " + target_.name() + ", or give it as PTX.");
    if (!object.info.relocatable)
      return fail(ErrorCategory::Image,
                  "'" + name +
                      "' is a finished program and cannot be "
                      "linked again",
                  "Assemble it for linking: 'ptxas -c' or 'nvcc -rdc=true "
                  "-cubin', or give its PTX.");
    const auto tools = toolsOfCubin(object.bytes);
    if (tools && linker_ != Release() && *tools > linker_)
      return fail(ErrorCategory::Image,
                  "'" + name + "' was made by CUDA " + tools->text() + ", and nvJitLink is " + linker_.text() +
                      ": it links what its own and earlier releases made",
                  "Install nvJitLink " + tools->text() + " (the wheel nvidia-nvjitlink), or give its PTX.");
    out.push_back(std::move(object));
    return {};
  }

  Status takePtx(const std::string& name, std::span<const std::byte> bytes, std::vector<LinkObject>& out) {
    AssembleOptions assembly;
    assembly.target = options_.target;
    assembly.relocatable = true;
    assembly.debug = options_.debug;
    assembly.lineInfo = options_.lineInfo;
    assembly.optLevel = options_.optLevel;
    assembly.maxRegisters = options_.maxRegisters;
    assembly.name = name;
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (std::size_t end = text.find('\0'); end != std::string_view::npos) text = text.substr(0, end);
    RAD_ASSIGN(AssembleOutput output, assemble(text, assembly, options_.assembler));
    LinkObject object;
    object.name = name;
    object.made = std::move(output.cubin);
    object.bytes = object.made;
    RAD_ASSIGN(object.info, readCubin(object.bytes, name));
    out.push_back(std::move(object));
    return {};
  }

  Status takeLto(const std::string& name, std::span<const std::byte> bytes, std::vector<std::byte> made,
                 std::optional<GpuTarget> own, LinkKind kind, std::vector<LinkObject>& out) {
    if (own && own->sm > target_.sm)
      return fail(ErrorCategory::Image,
                  "'" + name + "' is LTO-IR for " + own->name() + ", which is newer than " + target_.name(),
                  "Compile it for " + target_.name() + " or an earlier GPU.");
    LinkObject object;
    object.name = name;
    object.kind = kind;
    object.made = std::move(made);
    object.bytes = object.made.empty() ? bytes : object.made;
    hasLto_ = true;
    out.push_back(std::move(object));
    return {};
  }

  /// The entry of one unit that fits best; null when none fits.
  FatbinEntry* choose(std::span<FatbinEntry* const> unit) const {
    FatbinEntry *cubin = nullptr, *lto = nullptr, *ptx = nullptr;
    auto better = [](FatbinEntry*& best, FatbinEntry* entry) {
      if (!best || entry->target.sm > best->target.sm || (entry->target.sm == best->target.sm && entry->target.suffix))
        best = entry;
    };
    for (FatbinEntry* entry : unit) switch (entry->kind) {
        case ImageKind::Cubin:
          if (cubinLinksInto(entry->target, target_)) better(cubin, entry);
          break;
        case ImageKind::LtoIr:
          if (entry->target.sm <= target_.sm) better(lto, entry);
          break;
        case ImageKind::Ptx:
          if (ptxBecomes(entry->target, target_)) better(ptx, entry);
          break;
        case ImageKind::Unknown:
        case ImageKind::Fatbin:
        case ImageKind::HostObject:
        case ImageKind::Archive: break;
      }
    if (lto && (options_.preferLto || !cubin)) return lto;
    return cubin ? cubin : ptx;
  }

  Status takeFatbin(const std::string& name, std::span<const std::byte> bytes, std::vector<LinkObject>& out) {
    RAD_ASSIGN(std::vector<FatbinEntry> entries, readFatbin(bytes, name));
    std::map<std::pair<unsigned, std::string>, std::vector<FatbinEntry*>> units;
    for (FatbinEntry& entry : entries) units[{entry.fatbin, entry.identifier}].push_back(&entry);
    if (units.empty()) return fail(ErrorCategory::Image, "'" + name + "' holds no device code");
    for (auto& [key, unit] : units) {
      FatbinEntry* entry = choose(unit);
      if (!entry) {
        std::string held;
        for (const FatbinEntry* each : unit)
          held += (held.empty() ? "" : ", ") + std::string(describe(each->kind)) + " for " + each->target.name();
        return fail(ErrorCategory::Image,
                    "'" + name + "' holds " + held + ": nothing that can be linked into code for " + target_.name(),
                    "Compile it for " + target_.name() + ", or with PTX for an earlier GPU.");
      }
      std::string own = name;
      if (!key.second.empty() && units.size() > 1) own += "(" + key.second + ")";
      RAD_TRY(takeEntry(own, *entry, out));
    }
    return {};
  }

  Status takeEntry(const std::string& name, FatbinEntry& entry, std::vector<LinkObject>& out) {
    if (entry.kind == ImageKind::Cubin) return takeCubin(name, {}, entry.target.name(), std::move(entry.bytes), out);
    if (entry.kind == ImageKind::Ptx) return takePtx(name, entry.bytes, out);
    if (entry.sealed) return takeLto(name, {}, fatbinOf(entry), entry.target, LinkKind::Fatbin, out);
    return takeLto(name, {}, std::move(entry.bytes), entry.target, LinkKind::LtoIr, out);
  }

  Status takeObject(const std::string& name, std::span<const std::byte> bytes, std::vector<LinkObject>& out) {
    RAD_ASSIGN(std::vector<ObjectFatbin> fatbins, fatbinsOfObject(bytes, name));
    bool linked = false;
    for (const ObjectFatbin& fatbin : fatbins)
      if (fatbin.relocatable) {
        RAD_TRY(takeFatbin(name, fatbin.bytes, out));
        linked = true;
      }
    if (linked) return {};
    return fail(ErrorCategory::Image,
                fatbins.empty() ? "'" + name +
                                      "' is an object without device "
                                      "code"
                                : "the device code in '" + name + "' is finished and cannot be linked",
                "Compile it with 'nvcc -rdc=true -c'.");
  }

  Status takeArchive(const std::string& name, std::span<const std::byte> bytes) {
    RAD_ASSIGN(std::vector<ArchiveMember> members, readArchive(bytes, name));
    bool any = false;
    for (const ArchiveMember& member : members) {
      const std::string own = name + "(" + member.name + ")";
      if (recognise(member.bytes) == ImageKind::HostObject) {
        RAD_ASSIGN(auto fatbins, fatbinsOfObject(member.bytes, own));
        if (std::ranges::none_of(fatbins, &ObjectFatbin::relocatable)) continue;  // host code, as archives have it
      }
      std::vector<LinkObject> parts;
      RAD_TRY(take(own, member.bytes, "", parts));
      members_.push_back(std::move(parts));
      any = true;
    }
    if (!any)
      return fail(ErrorCategory::Image, "'" + name + "' is an archive without device code to link",
                  "Compile its objects with 'nvcc -rdc=true -c'.");
    return {};
  }

  /// Members of archives that define what is wanted, and what those want. What
  /// LTO-IR wants cannot be read: with it, all members are taken.
  void takeMembers() {
    auto wants = [&](const std::vector<LinkObject>& member) {
      if (hasLto_) return true;
      std::set<std::string_view> open;
      for (const LinkObject& object : objects_)
        for (const CubinSymbol& symbol : object.info.symbols)
          if (!symbol.defined) open.insert(symbol.name);
      for (const LinkObject& object : objects_)
        for (const CubinSymbol& symbol : object.info.symbols)
          if (symbol.defined) open.erase(symbol.name);
      for (const LinkObject& object : member)
        for (const CubinSymbol& symbol : object.info.symbols)
          if (symbol.defined && open.contains(symbol.name)) return true;
      return false;
    };
    for (bool changed = true; changed;) {
      changed = false;
      for (std::vector<LinkObject>& member : members_) {
        if (member.empty() || !wants(member)) continue;
        for (LinkObject& object : member) objects_.push_back(std::move(object));
        member.clear();
        changed = true;
      }
    }
  }

  const LinkOptions& options_;
  GpuTarget target_;
  Release linker_;
  bool hasLto_ = false;
  std::vector<LinkObject> objects_;
  std::vector<std::vector<LinkObject>> members_;  ///< empty: taken
};

}  // namespace

Result<std::vector<LinkObject>> prepareInputs(std::span<const LinkInput> inputs, const LinkOptions& options,
                                              unsigned linkerMajor, unsigned linkerMinor) {
  RAD_ASSIGN(const GpuTarget target, readTarget(options.target));
  Preparation preparation(options, target, {linkerMajor, linkerMinor});
  for (const LinkInput& input : inputs) RAD_TRY(preparation.add(input));
  return preparation.finish();
}

Status refuseDuplicates(std::span<const LinkObject> objects) {
  std::map<std::string_view, const LinkObject*> definitions;
  for (const LinkObject& object : objects)
    for (const CubinSymbol& symbol : object.info.symbols) {
      if (!symbol.defined || symbol.weak) continue;
      auto [it, inserted] = definitions.emplace(symbol.name, &object);
      if (inserted || it->second == &object) continue;
      return fail(ErrorCategory::Image,
                  "'" + symbol.name + "' is defined in '" + it->second->name + "' and again in '" + object.name + "'",
                  "Rename one of them, or link only one of the two files.");
    }
  return {};
}

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/files/npy_element.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace rad::rt {
namespace {

using cg::CompoundManifest;
using cg::ElementType;

/// Elements of arrays are smaller than this many bytes, and so have fewer runs.
constexpr size_t mostRuns = cg::largestElement;

const CompoundManifest* compoundIn(ElementType type, std::span<const CompoundManifest> compounds) {
  return cg::isCompound(type) && cg::compoundOf(type) < compounds.size() ? &compounds[cg::compoundOf(type)] : nullptr;
}

/// NumPy's name for a part of a tuple that has none.
std::string nameOfPart(const CompoundManifest& whole, size_t part) {
  return whole.kind == CompoundManifest::Kind::Struct ? whole.names[part] : fmt::format("f{}", part);
}

uint64_t product(std::span<const int64_t> dims) {
  uint64_t count = 1;
  for (int64_t dim : dims) count *= static_cast<uint64_t>(dim);
  return count;
}

void addRuns(ElementType type, const std::string& name, uint64_t offset, std::span<const CompoundManifest> compounds,
             std::vector<NpyRun>& runs) {
  auto [base, dims] = innermost(type, compounds);
  const CompoundManifest* compound = compoundIn(base, compounds);
  if (compound && compound->kind != CompoundManifest::Kind::Enum) {
    const uint64_t count = product(dims), size = cg::sizeOf(base);
    for (uint64_t k = 0; k < count; ++k) {
      const std::string prefix = dims.empty() ? name : fmt::format("{}[{}]", name, k);
      for (size_t i = 0; i < compound->types.size(); ++i)
        addRuns(compound->types[i], (prefix.empty() ? "" : prefix + ".") + nameOfPart(*compound, i),
                offset + k * size + compound->offsets[i], compounds, runs);
    }
    return;
  }
  const ElementType scalar = compound ? ElementType::I32 : base;
  NpyRun run{.name = name,
             .code = std::string(npyCode(scalar)),
             .dims = dims,
             .offset = offset,
             .size = cg::sizeOf(scalar),
             .count = product(dims)};
  run.isBool = scalar == ElementType::Bool;
  if (compound) run.values = static_cast<int64_t>(compound->names.size());
  runs.push_back(std::move(run));
}

std::string dimsText(std::span<const int64_t> dims) {
  std::string out = "(";
  for (int64_t dim : dims) out += fmt::format("{}, ", dim);
  if (dims.size() > 1) out.resize(out.size() - 2);
  else if (!dims.empty()) out.pop_back();
  return out + ")";
}

std::string field(const std::string& name, const std::string& descr, std::span<const int64_t> dims) {
  return fmt::format("('{}', {}{})", name, descr, dims.empty() ? std::string() : ", " + dimsText(dims));
}

/// Bytes of a scalar; 0: its size is not known.
uint64_t sizeOfCode(std::string_view code) {
  uint64_t size = 0;
  if (code.size() < 2 || std::from_chars(code.data() + 1, code.data() + code.size(), size).ec != std::errc() ||
      size > mostRuns)
    return 0;
  return code[0] == 'U' ? 4 * size : size;
}

bool addRuns(const NpyDescr& descr, const std::string& name, std::span<const int64_t> dims, NpyElement& element) {
  if (element.runs.size() > mostRuns || element.size > (uint64_t{1} << 32)) return false;
  const uint64_t count = product(dims);
  if (count > mostRuns) return false;
  if (descr.fields.empty()) {
    const bool hasOrder = !descr.code.empty() && std::string_view("<>|=").find(descr.code[0]) != std::string_view::npos;
    const std::string code = descr.code.substr(hasOrder ? 1 : 0);
    const uint64_t size = sizeOfCode(code);
    if (size == 0) return false;
    NpyRun run{.name = name,
               .code = code,
               .dims = {dims.begin(), dims.end()},
               .offset = element.size,
               .size = static_cast<unsigned>(size),
               .count = count};
    run.isBig = descr.code[0] == '>';
    element.runs.push_back(std::move(run));
    element.size += size * count;
    return true;
  }
  for (uint64_t k = 0; k < count; ++k) {
    const std::string prefix = dims.empty() ? name : fmt::format("{}[{}]", name, k);
    for (const NpyDescr::Field& each : descr.fields) {
      if (each.name.empty() && each.type.fields.empty()) {  // padding
        const std::string_view code = each.type.code;
        const uint64_t size = sizeOfCode(code.substr(code.starts_with('|') ? 1 : 0));
        if (size == 0) return false;
        element.size += size * product(each.dims);
        if (element.size > (uint64_t{1} << 32)) return false;
      } else if (!addRuns(each.type, (prefix.empty() ? "" : prefix + ".") + each.name, each.dims, element)) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

std::string_view npyCode(ElementType type) {
  switch (type) {
    case ElementType::Bool: return "b1";
    case ElementType::I8: return "i1";
    case ElementType::I16: return "i2";
    case ElementType::I32: return "i4";
    case ElementType::I64:
    case ElementType::Index: return "i8";
    case ElementType::U8: return "u1";
    case ElementType::U16: return "u2";
    case ElementType::U32: return "u4";
    case ElementType::U64: return "u8";
    case ElementType::F16: return "f2";
    case ElementType::F32: return "f4";
    case ElementType::F64: return "f8";
    case ElementType::BF16: return "V2";
    case ElementType::F8E4M3:
    case ElementType::F8E5M2: return "V1";
  }
  return "";
}

std::pair<ElementType, std::vector<int64_t>> innermost(ElementType type, std::span<const CompoundManifest> compounds) {
  std::vector<int64_t> dims;
  for (const CompoundManifest* compound = compoundIn(type, compounds);
       compound && compound->kind == CompoundManifest::Kind::Array; compound = compoundIn(type, compounds)) {
    dims.push_back(static_cast<int64_t>(compound->count));
    type = compound->types[0];
  }
  if (const unsigned lanes = cg::lanesOf(type); lanes > 1) {
    dims.push_back(lanes);
    type = cg::scalarOf(type);
  }
  return {type, std::move(dims)};
}

NpyElement elementInMemory(ElementType type, std::span<const CompoundManifest> compounds) {
  NpyElement element;
  element.size = cg::sizeOf(type);
  addRuns(type, "", 0, compounds, element.runs);
  return element;
}

std::string npyDescr(ElementType type, std::span<const CompoundManifest> compounds) {
  const CompoundManifest* compound = compoundIn(type, compounds);
  if (!compound || compound->kind == CompoundManifest::Kind::Enum) {
    const ElementType scalar = compound ? ElementType::I32 : type;
    return fmt::format("'{}{}'", cg::sizeOf(scalar) == 1 ? '|' : '<', npyCode(scalar));
  }
  std::string out = "[";
  uint64_t at = 0;
  auto add = [&](const std::string& item) { out += (out.size() > 1 ? ", " : "") + item; };
  auto fill = [&](uint64_t to) {
    if (to > at) add(fmt::format("('', '|V{}')", to - at));
  };
  for (size_t i = 0; i < compound->types.size(); ++i) {
    fill(compound->offsets[i]);
    const auto [base, dims] = innermost(compound->types[i], compounds);
    add(field(nameOfPart(*compound, i), npyDescr(base, compounds), dims));
    at = compound->offsets[i] + cg::sizeOf(compound->types[i]);
  }
  fill(cg::sizeOf(type));
  return out + "]";
}

NpyElement elementInFile(const NpyDescr& descr) {
  NpyElement element;
  if (!addRuns(descr, "", {}, element)) element.runs.clear();
  return element;
}

bool haveSameFields(const NpyElement& a, const NpyElement& b) {
  return std::ranges::equal(a.runs, b.runs, [](const NpyRun& x, const NpyRun& y) {
    return x.name == y.name && x.code == y.code && x.dims == y.dims;
  });
}

}  // namespace rad::rt

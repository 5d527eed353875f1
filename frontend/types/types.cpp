// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/types/types.h"

#include <algorithm>
#include <array>
#include <bit>

namespace rad {
namespace {

struct ScalarRow {
  std::string_view text;
  ScalarClass kind;
  unsigned bits;
};
constexpr ScalarRow scalars[] = {
#define SCALAR(Name, text, kind, bits) {#text, ScalarClass::kind, bits},
#include "frontend/types/scalars.def"
};
constexpr uint32_t scalarCount = std::size(scalars);

}  // namespace

std::string_view spelling(Scalar scalar) { return scalars[static_cast<size_t>(scalar)].text; }
ScalarClass classOf(Scalar scalar) { return scalars[static_cast<size_t>(scalar)].kind; }
unsigned bitsOf(Scalar scalar) { return scalars[static_cast<size_t>(scalar)].bits; }

std::optional<Scalar> findScalar(std::string_view text) {
  for (uint32_t i = 0; i < scalarCount; ++i)
    if (scalars[i].text == text) return static_cast<Scalar>(i);
  return std::nullopt;
}

TypeTable::TypeTable() : records_(1), compounds_(1) {
  for (TypeKind kind :
       {TypeKind::Error, TypeKind::Unit, TypeKind::UntypedInt, TypeKind::UntypedFloat, TypeKind::String})
    types_.push_back(Type{.kind = kind});
  for (uint32_t i = 0; i < scalarCount; ++i)
    types_.push_back(Type{.kind = TypeKind::Scalar, .scalar = static_cast<Scalar>(i)});
}

TypeId TypeTable::intern(Type type) {
  std::string key = std::to_string(static_cast<int>(type.kind)) + ':' + std::to_string(type.element.value) + ':' +
                    std::to_string(type.rank) + ':' + std::to_string(type.writable) + std::to_string(type.strided) +
                    ':' + std::to_string(type.count);
  key += ':' + std::to_string(type.record);
  for (TypeId item : type.items) key += ',' + std::to_string(item.value);
  auto [it, isNew] = map_.emplace(std::move(key), static_cast<uint32_t>(types_.size()));
  if (isNew) types_.push_back(std::move(type));
  return {it->second};
}

TypeId TypeTable::view(TypeId element, unsigned rank, bool writable, bool strided) {
  numberCompounds(element);
  return intern(Type{.kind = TypeKind::View,
                     .element = element,
                     .rank = static_cast<uint8_t>(rank),
                     .writable = writable,
                     .strided = strided});
}

TypeId TypeTable::withAccess(TypeId id, bool writable) {
  Type type = get(id);
  type.writable = writable;
  return intern(std::move(type));
}

TypeId TypeTable::vector(TypeId element, uint64_t count) {
  return intern(Type{.kind = TypeKind::Vector, .element = element, .count = count});
}

TypeId TypeTable::array(TypeId element, uint64_t count) {
  return intern(Type{.kind = TypeKind::Array, .element = element, .count = count});
}

TypeId TypeTable::tuple(std::span<const TypeId> items) {
  return intern(Type{.kind = TypeKind::Tuple, .items = {items.begin(), items.end()}});
}

TypeId TypeTable::structure(Record record, std::span<const TypeId> items) {
  records_.push_back(std::move(record));
  return intern(Type{.kind = TypeKind::Tuple,
                     .items = {items.begin(), items.end()},
                     .record = static_cast<uint32_t>(records_.size() - 1)});
}

TypeId TypeTable::enumeration(Record record) {
  records_.push_back(std::move(record));
  const TypeId id = intern(
      Type{.kind = TypeKind::Scalar, .scalar = Scalar::I32, .record = static_cast<uint32_t>(records_.size() - 1)});
  numberCompounds(id);
  return id;
}

std::optional<MemoryLayout> TypeTable::layout(TypeId id) const {
  const Type& type = get(id);
  switch (type.kind) {
    case TypeKind::Scalar: return MemoryLayout{bitsOf(type.scalar) / 8, bitsOf(type.scalar) / 8};
    case TypeKind::Vector: {
      const uint64_t one = bitsOf(get(type.element).scalar) / 8, all = one * type.count;
      return MemoryLayout{all, std::has_single_bit(type.count) ? all : one};
    }
    case TypeKind::Array: {
      const auto element = layout(type.element);
      if (!element) return std::nullopt;
      return MemoryLayout{element->size * type.count, element->align};
    }
    case TypeKind::Tuple: {
      MemoryLayout all;
      for (TypeId item : type.items) {
        const auto one = layout(item);
        if (!one) return std::nullopt;
        all.size = (all.size + one->align - 1) / one->align * one->align + one->size;
        all.align = std::max(all.align, one->align);
      }
      all.size = (all.size + all.align - 1) / all.align * all.align;
      return all;
    }
    case TypeKind::Error:
    case TypeKind::Unit:
    case TypeKind::UntypedInt:
    case TypeKind::UntypedFloat:
    case TypeKind::String:
    case TypeKind::View: return std::nullopt;
  }
  return std::nullopt;
}

std::vector<uint64_t> TypeTable::offsets(TypeId tuple) const {
  std::vector<uint64_t> result;
  uint64_t end = 0;
  for (TypeId item : get(tuple).items) {
    const MemoryLayout one = layout(item).value_or(MemoryLayout{});
    end = (end + one.align - 1) / one.align * one.align;
    result.push_back(end);
    end += one.size;
  }
  return result;
}

uint32_t TypeTable::compoundNumber(TypeId id) const {
  auto it = compoundNumbers_.find(id.value);
  return it == compoundNumbers_.end() ? 0 : it->second;
}

void TypeTable::numberCompounds(TypeId id) {
  const Type& type = get(id);
  const bool isCompound = type.kind == TypeKind::Tuple || type.kind == TypeKind::Array || isEnum(id);
  if (!isCompound || compoundNumbers_.contains(id.value) || !layout(id)) return;
  compoundNumbers_.emplace(id.value, static_cast<uint32_t>(compounds_.size()));
  compounds_.push_back(id);
  if (type.kind == TypeKind::Array) numberCompounds(type.element);
  for (TypeId item : type.items) numberCompounds(item);
}

std::string TypeTable::spell(TypeId id) const {
  const Type& type = get(id);
  if (type.record) return records_[type.record].name;
  switch (type.kind) {
    case TypeKind::Error: return "<error>";
    case TypeKind::Unit: return "()";
    case TypeKind::Scalar: return std::string(spelling(type.scalar));
    case TypeKind::UntypedInt: return "an integer constant";
    case TypeKind::UntypedFloat: return "a float constant";
    case TypeKind::String: return "text";
    case TypeKind::View: {
      std::string text = type.writable ? "mut " : "";
      text += (type.strided ? "strided [" : "[") + spell(type.element) + ";";
      for (unsigned i = 0; i < type.rank; ++i) text += i ? ", _" : " _";
      return text + "]";
    }
    case TypeKind::Vector: return spell(type.element) + "x" + std::to_string(type.count);
    case TypeKind::Array: return "array[" + spell(type.element) + ", " + std::to_string(type.count) + "]";
    case TypeKind::Tuple: {
      std::string text = "(";
      for (size_t i = 0; i < type.items.size(); ++i) text += (i ? ", " : "") + spell(type.items[i]);
      return text + ")";
    }
  }
  return {};
}

}  // namespace rad

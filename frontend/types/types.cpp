// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/types/types.h"

#include <array>

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

TypeTable::TypeTable() {
  for (TypeKind kind :
       {TypeKind::Error, TypeKind::Unit, TypeKind::UntypedInt, TypeKind::UntypedFloat, TypeKind::String})
    types_.push_back(Type{.kind = kind});
  for (uint32_t i = 0; i < scalarCount; ++i)
    types_.push_back(Type{.kind = TypeKind::Scalar, .scalar = static_cast<Scalar>(i)});
}

TypeId TypeTable::intern(Type type) {
  std::string key = std::to_string(static_cast<int>(type.kind)) + ':' + std::to_string(type.element.value) + ':' +
                    std::to_string(type.rank) + ':' + std::to_string(type.writable) + std::to_string(type.strided) + ':' +
                    std::to_string(type.count);
  for (TypeId item : type.items) key += ',' + std::to_string(item.value);
  auto [it, isNew] = map_.emplace(std::move(key), static_cast<uint32_t>(types_.size()));
  if (isNew) types_.push_back(std::move(type));
  return {it->second};
}

TypeId TypeTable::view(TypeId element, unsigned rank, bool writable, bool strided) {
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

std::string TypeTable::spell(TypeId id) const {
  const Type& type = get(id);
  switch (type.kind) {
    case TypeKind::Error:
      return "<error>";
    case TypeKind::Unit:
      return "()";
    case TypeKind::Scalar:
      return std::string(spelling(type.scalar));
    case TypeKind::UntypedInt:
      return "an integer constant";
    case TypeKind::UntypedFloat:
      return "a float constant";
    case TypeKind::String:
      return "text";
    case TypeKind::View: {
      std::string text = type.writable ? "mut " : "";
      text += (type.strided ? "strided [" : "[") + spell(type.element) + ";";
      for (unsigned i = 0; i < type.rank; ++i) text += i ? ", _" : " _";
      return text + "]";
    }
    case TypeKind::Vector:
      return spell(type.element) + "x" + std::to_string(type.count);
    case TypeKind::Array:
      return "array[" + spell(type.element) + ", " + std::to_string(type.count) + "]";
    case TypeKind::Tuple: {
      std::string text = "(";
      for (size_t i = 0; i < type.items.size(); ++i) text += (i ? ", " : "") + spell(type.items[i]);
      return text + ")";
    }
  }
  return {};
}

}  // namespace rad

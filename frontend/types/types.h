// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Interned types of typed programs.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rad {

enum class Scalar : uint8_t {
#define SCALAR(Name, text, kind, bits) Name,
#include "frontend/types/scalars.def"
};
enum class ScalarClass : uint8_t { Bool, Signed, Unsigned, Float, Index };

std::string_view spelling(Scalar scalar);
ScalarClass classOf(Scalar scalar);
/// Size in memory, in bits; also the width of its arithmetic (bool: 8 in memory).
unsigned bitsOf(Scalar scalar);
/// The scalar type that a program spells `text`.
std::optional<Scalar> findScalar(std::string_view text);
inline bool isFloat(Scalar s) { return classOf(s) == ScalarClass::Float; }
inline bool isSignedInteger(Scalar s) { return classOf(s) == ScalarClass::Signed || classOf(s) == ScalarClass::Index; }
inline bool isUnsignedInteger(Scalar s) { return classOf(s) == ScalarClass::Unsigned; }
/// The signed integer type of the size of an unsigned one.
inline Scalar signedOf(Scalar s) {
  if (s == Scalar::U8) return Scalar::I8;
  if (s == Scalar::U16) return Scalar::I16;
  return s == Scalar::U32 ? Scalar::I32 : Scalar::I64;
}
inline bool isInteger(Scalar s) { return isSignedInteger(s) || isUnsignedInteger(s); }

/// An interned type; equal ids of one TypeTable are equal types.
struct TypeId {
  uint32_t value = 0;  // 0: the error type
  friend bool operator==(TypeId, TypeId) = default;
};

enum class TypeKind : uint8_t {
  Error,         // after a reported mistake: fits everywhere, silences further messages
  Unit,          // no value
  Scalar,
  UntypedInt,    // an integer constant without a suffix: takes the type its context needs; never left in a typed program
  UntypedFloat,
  String,        // host only: literals and `args[i]`
  View,          // [T; n, m]: a reference to elements (elem, rank, writable, strided)
  Vector,        // vec[T, N], f32x4: a value of 2 to 16 numbers (elem, count)
  Array,         // array[T, N]: a value
  Tuple,
};

struct Type {
  TypeKind kind = TypeKind::Error;
  Scalar scalar = Scalar::Bool;       // Scalar
  TypeId element;                     // View, Vector, Array
  uint8_t rank = 0;                   // View: 1 to 4
  bool writable = false;              // View: elements may be stored to
  bool strided = false;               // View: elements need not lie next to each other
  uint64_t count = 0;                 // Vector, Array
  std::vector<TypeId> items;          // Tuple
};

/// Owns types and gives each distinct one a single id. Not thread-safe.
class TypeTable {
 public:
  TypeTable();
  TypeId error() const { return {0}; }
  TypeId unit() const { return {1}; }
  TypeId untypedInt() const { return {2}; }
  TypeId untypedFloat() const { return {3}; }
  TypeId string() const { return {4}; }
  TypeId scalar(Scalar s) const { return {5 + static_cast<uint32_t>(s)}; }
  TypeId boolean() const { return scalar(Scalar::Bool); }
  TypeId index() const { return scalar(Scalar::Index); }
  TypeId view(TypeId element, unsigned rank, bool writable, bool strided = false);
  /// The same view type, with or without write access.
  TypeId withAccess(TypeId view, bool writable);
  TypeId vector(TypeId element, uint64_t count);
  TypeId array(TypeId element, uint64_t count);
  TypeId tuple(std::span<const TypeId> items);

  const Type& get(TypeId id) const { return types_[id.value]; }
  /// As a program spells it: "f32", "mut [f32; _, _]", "(f32, i32)".
  std::string spell(TypeId id) const;

 private:
  TypeId intern(Type type);
  std::deque<Type> types_;
  std::unordered_map<std::string, uint32_t> map_;
};

}  // namespace rad

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
  Error,  // after a reported mistake: fits everywhere, silences further messages
  Unit,   // no value
  Scalar,
  UntypedInt,  // an integer constant without a suffix: takes the type its context needs; never left in a typed program
  UntypedFloat,
  String,  // host only: literals and `args[i]`
  View,    // [T; n, m]: a reference to elements (elem, rank, writable, strided)
  Vector,  // vec[T, N], f32x4: a value of 2 to 16 numbers (elem, count)
  Array,   // array[T, N]: a value
  Tuple,   // (f32, i32), and structs: those have a record
};

/// What makes a struct or an enum more than a tuple or a number: names. Each declaration has records of its own (a
/// generic struct one for each set of arguments), so types of the same shape differ.
struct Record {
  std::string name;                  // "Particle", "Pair[f32, i32]"
  std::vector<std::string> members;  // of a struct, in order, or of an enum, from 0 on
};

struct Type {
  TypeKind kind = TypeKind::Error;
  Scalar scalar = Scalar::Bool;  // Scalar
  TypeId element;                // View, Vector, Array
  uint8_t rank = 0;              // View: 1 to 4
  bool writable = false;         // View: elements may be stored to
  bool strided = false;          // View: elements need not lie next to each other
  uint64_t count = 0;            // Vector, Array
  std::vector<TypeId> items;     // Tuple
  uint32_t record = 0;           // Tuple: a struct's; Scalar (an i32): an enum's; 0: none
};

/// How values without views and texts lie in memory, the same on all devices and as C lays them out.
struct MemoryLayout {
  uint64_t size = 0;  // bytes, a multiple of `align`
  uint64_t align = 1;
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
  /// A new struct type, other than all there are.
  TypeId structure(Record record, std::span<const TypeId> items);
  /// A new enum type; its values are those of an i32.
  TypeId enumeration(Record record);
  const Record& record(TypeId id) const { return records_[get(id).record]; }
  bool isStruct(TypeId id) const { return get(id).kind == TypeKind::Tuple && get(id).record != 0; }
  bool isEnum(TypeId id) const { return get(id).kind == TypeKind::Scalar && get(id).record != 0; }

  /// Size and alignment of a value: those of its scalars; vectors of 2, 4, 8 and 16 lie at multiples of their size,
  /// vectors of 3 take three scalars; members of tuples and structs lie in order, each at the next multiple of its
  /// alignment. None for types with views or texts in them.
  std::optional<MemoryLayout> layout(TypeId id) const;
  /// Where the members of a tuple or struct lie, in bytes.
  std::vector<uint64_t> offsets(TypeId tuple) const;
  /// A number for each tuple, struct, enum or array value that is the element of an array, or part of one: the runtime
  /// knows it by that. 0 for others.
  uint32_t compoundNumber(TypeId id) const;
  /// Those types; the position is the number.
  const std::vector<TypeId>& compounds() const { return compounds_; }

  const Type& get(TypeId id) const { return types_[id.value]; }
  /// As a program spells it: "f32", "mut [f32; _, _]", "(f32, i32)".
  std::string spell(TypeId id) const;

 private:
  TypeId intern(Type type);
  void numberCompounds(TypeId id);
  std::deque<Type> types_;
  std::deque<Record> records_;
  std::vector<TypeId> compounds_;
  std::unordered_map<uint32_t, uint32_t> compoundNumbers_;
  std::unordered_map<std::string, uint32_t> map_;
};

}  // namespace rad

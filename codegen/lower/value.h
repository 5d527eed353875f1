// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values of the typed program while LLVM code is being made for them.
#pragma once

#include "codegen/lower/interval.h"
#include "frontend/types/types.h"

#include <llvm/ADT/SmallVector.h>
#include <llvm/Support/Alignment.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace llvm {
class Type;
class Value;
}  // namespace llvm

namespace rad::cg {

struct ViewValue;

/// The memory form of a vector: a power of two lies like the machine's vectors, three of them take the place of three.
llvm::Type* vectorMemory(llvm::Type* element, uint64_t count);

/// The result of an expression.
struct Value {
  TypeId type;
  /// Scalars: bool is i1; `index` is i64, or i32 where FunctionLowering keeps it narrow (same value, signed). Strings:
  /// what the target's hooks made. Null for Unit, views and tuples.
  llvm::Value* scalar = nullptr;
  Interval range;                         // integers of at most 63 bits, and index
  std::shared_ptr<const ViewValue> view;  // views
  std::vector<Value> items;               // tuples, vectors
  /// Arrays: memory in the array's memory form that nothing changes while this value is in use.
  llvm::Value* memory = nullptr;
};

/// A view: where its elements are and how many.
struct ViewValue {
  /// Device code: the address of the first element. Script: the RadArray*.
  llvm::Value* base = nullptr;
  /// Script only: where the view starts in its array, in elements (i64). Null in device code.
  llvm::Value* offset = nullptr;
  llvm::SmallVector<Value, 4> extents;  // one an axis, of type index
  /// Strided views: the distance of neighbours along each axis, in elements, of type index. Else empty: row-major.
  llvm::SmallVector<Value, 4> strides;
  TypeId element;
  llvm::Align align{1};   // of the first element
  bool readOnly = false;  // nothing writes these elements while the function runs
  bool small = false;     // all offsets are below 2^30: they may be computed in 32 bits
  unsigned rank() const { return extents.size(); }
};

/// Memory that a value can be loaded from and stored to.
struct Place {
  llvm::Value* address = nullptr;
  TypeId type;
  llvm::Align align{1};
  bool isElement = false;  // an element of a view (else a local variable)
  bool readOnly = false;
  llvm::SmallVector<uint8_t, 4> lanes = {};  // some elements of the vector that lies there, in this order
  uint64_t stride = 1;                       // an array: every so many elements of the one that lies there
};

}  // namespace rad::cg

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What one element of an NPY file is made of, in the file and in memory: a number, or the fields of a structured dtype.
#pragma once

#include "codegen/artifact/artifact.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rad::rt {

/// A `descr` as a header has it: a letter and size with the order of its bytes ("<f4"), or fields.
struct NpyDescr {
  struct Field;
  std::string code;  // empty: it has fields
  std::vector<Field> fields;
  std::string text;  // as it stands in the header
};
struct NpyDescr::Field {
  std::string name;  // empty: bytes between fields
  NpyDescr type;
  std::vector<int64_t> dims;
};

/// A run of equal scalars in an element.
struct NpyRun {
  std::string name;           // of the field, "inner.a"; empty: the element is a number
  std::string code;           // "f4"
  std::vector<int64_t> dims;  // sizes of a field that holds several; none: one
  uint64_t offset = 0;        // bytes from the element's start
  unsigned size = 1;          // bytes of a scalar
  uint64_t count = 1;         // scalars
  bool isBig = false;         // big endian
  bool isBool = false;
  int64_t values = 0;  // of an enum: it is less than this; 0: any number
};
struct NpyElement {
  std::vector<NpyRun> runs;
  uint64_t size = 0;  // bytes
};

/// The letter and size of a scalar in a header, such as "f4".
std::string_view npyCode(cg::ElementType scalar);
/// A type without the vectors and array values around it, whose sizes go behind those of the array.
std::pair<cg::ElementType, std::vector<int64_t>> innermost(cg::ElementType type,
                                                           std::span<const cg::CompoundManifest> compounds);
/// An element in memory; `type` is innermost().
NpyElement elementInMemory(cg::ElementType type, std::span<const cg::CompoundManifest> compounds);
/// The same as numpy.save writes it: fields in the layout of C, bytes between them named "".
std::string npyDescr(cg::ElementType type, std::span<const cg::CompoundManifest> compounds);
/// An element in the file. No runs: it has more fields than any element of ours.
NpyElement elementInFile(const NpyDescr& descr);
/// Whether the runs are the same but for where they lie and the order of their bytes.
bool haveSameFields(const NpyElement& a, const NpyElement& b);

}  // namespace rad::rt

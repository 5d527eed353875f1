// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// NPY files, as numpy.save writes them (format versions 1.0 to 3.0).
#pragma once

#include "runtime/files/file.h"

#include <string>

namespace rad::rt {

/// Reads an array of elements of type `wanted`, little endian; column-major ones are turned into row-major ones, bytes
/// of bool into 0 and 1. What stands behind the array is left alone. Errors: UserProgram where the file holds elements
/// of another type, System for a file that cannot be read or is damaged; each names the file. At most 32 dimensions.
/// Structs and tuples are structured types, of which the names, order and types of the fields have to be those of
/// `wanted`; array values and vectors are further dimensions of the array, and no types for `wanted` (innermost()).
/// `compounds`: those of the unit.
Result<FileArray> readNpy(std::FILE* file, const std::string& path, cg::ElementType wanted,
                          std::span<const cg::CompoundManifest> compounds = {});
Result<FileArray> readNpy(const std::string& path, cg::ElementType wanted,
                          std::span<const cg::CompoundManifest> compounds = {});
/// Writes version 1.0, row-major. The types that NumPy lacks (bf16 and the 8-bit floats) have the names that ml_dtypes
/// writes.
Result<void> writeNpy(const std::string& path, const FileArray& array,
                      std::span<const cg::CompoundManifest> compounds = {});

}  // namespace rad::rt

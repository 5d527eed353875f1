// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Text files of numbers: a row a line.
#pragma once

#include "runtime/files/file.h"

#include <string>
#include <string_view>

namespace rad::rt {

/// The numbers of a text as an array of two dimensions: lines, numbers of each line. Between numbers stands a comma, a
/// semicolon or a tab with any blanks, or blanks alone. Empty lines and those that begin with `#` count for nothing;
/// the first line is a heading if no number is in it. Integers, index, f32 and f64. Errors (UserProgram) name file and
/// line.
Result<FileArray> parseCsv(std::string_view text, const std::string& path, cg::ElementType type, bool isMatrix);
/// The same of a file. `isMatrix`: all rows have to be of one length; else the result has one dimension.
Result<FileArray> readCsv(const std::string& path, cg::ElementType type, bool isMatrix);
/// One row a line, commas between its numbers, each with the digits that read back as the same value. One dimension:
/// one number a line.
Result<void> writeCsv(const std::string& path, const FileArray& array);

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// For --check: where in the program each instruction comes from, as metadata that it carries while it is being made.
#pragma once

#include "frontend/source/source.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/IR/IRBuilder.h>

#include <optional>
#include <vector>

namespace rad::cg {

/// The places of one module. Not thread-safe.
class AccessPlaces {
 public:
  explicit AccessPlaces(llvm::LLVMContext& context);
  ~AccessPlaces();
  AccessPlaces(const AccessPlaces&) = delete;
  AccessPlaces& operator=(const AccessPlaces&) = delete;

  /// What the builder makes from now on comes from `range`.
  void enter(llvm::IRBuilderBase& builder, Range range);
  /// The number of a place.
  uint32_t numberOf(Range range);
  /// The number of the place that an instruction comes from, if it has one.
  std::optional<uint32_t> of(const llvm::Instruction& instruction) const;
  /// By number.
  const std::vector<Range>& ranges() const { return ranges_; }

 private:
  llvm::LLVMContext& context_;
  unsigned kind_;
  llvm::Instruction* carrier_;  // builders copy metadata from instructions only
  std::vector<Range> ranges_;
  llvm::DenseMap<uint64_t, uint32_t> numbers_;
};

}  // namespace rad::cg

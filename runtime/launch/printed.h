// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What kernels hand over as numbers, as text.
#pragma once

#include "codegen/artifact/artifact.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rad::rt {

/// The site's message with its `{}` filled by values of the site's types, each in the low bytes of a word.
/// `compounds`: those of the site's unit, or of a later one.
std::string filledMessage(const cg::SiteManifest& site, std::span<const uint64_t> values,
                          std::span<const cg::CompoundManifest> compounds);

/// One printed line, in memory of others.
struct PrintedLineView {
  cg::PrintedLine head;
  std::span<const uint64_t> values;
};
/// Takes apart what Device::takePrinted gave. In the order in which the program has it: by launches from `firstLaunch`
/// on, within one by points (or blocks, then threads), and the lines of one of these as they were printed.
std::vector<PrintedLineView> sortedLines(std::span<const uint64_t> words, uint32_t firstLaunch);

}  // namespace rad::rt

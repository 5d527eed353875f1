// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whether two views share an element: decided on elements, not on the ranges that they span.
#pragma once

#include "runtime/launch/binding.h"

#include <cstdint>
#include <string>

namespace rad::rt {

/// The answer for two views of one block of memory.
struct Overlap {
  enum class Kind : uint8_t {
    None,     // no element belongs to both
    Same,     // the same elements under the same indices
    Shared,   // `element` belongs to both
    Unknown,  // not decided: to be treated as Shared
  };
  Kind kind = Kind::None;
  int64_t element = 0;  // counted from the begin of the block
};

/// Compares two views of one block, of elements of one type; their extents must have been checked (checkExtents). Exact
/// for row-major views and whatever slicing makes of them; Unknown only where the search for a common element takes
/// longer than a launch should.
Overlap compareElements(const ViewArgument& a, const ViewArgument& b);

/// Which elements of its array a view names: "elements 3..11", "elements 0..15 in steps of 2", "some of the
/// elements 4..97".
std::string elementsText(const ViewArgument& view);

}  // namespace rad::rt

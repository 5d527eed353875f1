// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whether two views share elements, against the sets of their elements written out.
#include "runtime/launch/overlap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <random>
#include <set>
#include <vector>

namespace rad::rt::test {
namespace {

int block;

ViewArgument view(int64_t offset, std::vector<int64_t> extents, std::vector<int64_t> strides = {}) {
  ViewArgument out;
  out.block = &block;
  out.offset = offset;
  out.rank = static_cast<int32_t>(extents.size());
  std::copy(extents.begin(), extents.end(), out.extents.begin());
  std::copy(strides.begin(), strides.end(), out.strides.begin());
  return out;
}

std::set<int64_t> elements(const ViewArgument& v) {
  std::set<int64_t> out;
  if (v.count() == 0) return out;
  std::array<int64_t, 4> at = {};
  for (;;) {
    int64_t element = v.offset;
    for (size_t axis = 0; axis < 4; ++axis)
      if (axis < static_cast<size_t>(v.rank)) element += at[axis] * v.stride(axis);
    out.insert(element);
    size_t axis = static_cast<size_t>(v.rank);
    while (axis > 0 && ++at[axis - 1] == v.extents[axis - 1]) at[--axis] = 0;
    if (axis == 0) return out;
  }
}

void expectExact(const ViewArgument& a, const ViewArgument& b) {
  std::set<int64_t> x = elements(a), y = elements(b);
  std::vector<int64_t> both;
  std::set_intersection(x.begin(), x.end(), y.begin(), y.end(), std::back_inserter(both));
  Overlap found = compareElements(a, b);
  if (both.empty()) {
    EXPECT_EQ(found.kind, Overlap::Kind::None) << elementsText(a) << " and " << elementsText(b);
    return;
  }
  ASSERT_TRUE(found.kind == Overlap::Kind::Same || found.kind == Overlap::Kind::Shared)
      << elementsText(a) << " and " << elementsText(b);
  EXPECT_TRUE(std::ranges::binary_search(both, found.element)) << found.element;
}

TEST(LaunchOverlap, ColumnsOfOneMatrix) {
  // m: [100, 7]
  EXPECT_EQ(compareElements(view(0, {100}, {7}), view(1, {100}, {7})).kind, Overlap::Kind::None);
  EXPECT_EQ(compareElements(view(3, {100}, {7}), view(3, {100}, {7})).kind, Overlap::Kind::Same);
  EXPECT_EQ(compareElements(view(3, {100}, {7}), view(10, {99}, {7})).kind, Overlap::Kind::Shared);
  EXPECT_EQ(compareElements(view(0, {100, 3}, {7, 1}), view(3, {100, 4}, {7, 1})).kind, Overlap::Kind::None);
  EXPECT_EQ(compareElements(view(0, {100, 4}, {7, 1}), view(3, {100, 4}, {7, 1})).kind, Overlap::Kind::Shared);
  Overlap row = compareElements(view(14, {7}), view(4, {100}, {7}));
  EXPECT_EQ(row.kind, Overlap::Kind::Shared);
  EXPECT_EQ(row.element, 18);
}

TEST(LaunchOverlap, ViewsOfBillionsOfElements) {
  const int64_t n = int64_t{1} << 40;
  EXPECT_EQ(compareElements(view(0, {n}, {2}), view(1, {n}, {2})).kind, Overlap::Kind::None);
  EXPECT_EQ(compareElements(view(0, {n}, {6}), view(3, {n}, {4})).kind, Overlap::Kind::None);
  Overlap far = compareElements(view(0, {n}, {1000003}), view(1, {n}, {1000033}));
  ASSERT_EQ(far.kind, Overlap::Kind::Shared);
  EXPECT_EQ(far.element % 1000003, 0);
  EXPECT_EQ((far.element - 1) % 1000033, 0);
  EXPECT_EQ(compareElements(view(0, {1 << 20, 1 << 20}, {1 << 21, 2}), view(1, {1 << 20, 1 << 20}, {1 << 21, 2})).kind,
            Overlap::Kind::None);
}

TEST(LaunchOverlap, AgreesWithTheElementsWrittenOut) {
  std::mt19937 random(7);
  auto below = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); };
  auto any = [&] {
    // A slice of a row-major array, as programs make them.
    std::vector<int64_t> extents, strides;
    int64_t offset = 0, distance = 1;
    for (int64_t rank = 1 + below(4), axis = 0; axis < rank; ++axis) {
      int64_t whole = 1 + below(6), step = 1 + below(3), first = below(whole);
      extents.insert(extents.begin(), (whole - first + step - 1) / step);
      strides.insert(strides.begin(), distance * step);
      offset += first * distance;
      distance *= whole;
    }
    return view(offset + below(5), extents, strides);
  };
  for (int i = 0; i < 20000; ++i) expectExact(any(), any());
}

TEST(LaunchOverlap, NamesTheElements) {
  EXPECT_EQ(elementsText(view(3, {2, 4})), "elements 3..11");
  EXPECT_EQ(elementsText(view(1, {5}, {3})), "elements 1..14 in steps of 3");
  EXPECT_EQ(elementsText(view(0, {2, 2}, {10, 2})), "some of the elements 0..13");
}

}  // namespace
}  // namespace rad::rt::test

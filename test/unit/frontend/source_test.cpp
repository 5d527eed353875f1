// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/source/source.h"
#include "frontend/source/interner.h"

#include <gtest/gtest.h>

namespace rad {
namespace {

TEST(Source, PlacesOfSeveralFilesAreApart) {
  SourceManager sources;
  FileId a = sources.add("a.rad", "one\ntwo\n"), empty = sources.add("empty.rad", ""),
         b = sources.add("b.rad", "x\r\nyy");
  EXPECT_EQ(sources.text(a), "one\ntwo\n");
  EXPECT_EQ(sources.name(b), "b.rad");
  for (auto [file, size] : {std::pair{a, 8u}, {empty, 0u}, {b, 5u}})
    for (size_t offset = 0; offset <= size; ++offset)
      EXPECT_EQ(sources.fileOf(sources.location(file, offset)), file) << offset;
  Position place = sources.position(sources.location(a, 5));
  EXPECT_EQ(place.file, "a.rad");
  EXPECT_EQ(place.line, 2u);
  EXPECT_EQ(place.column, 2u);
  place = sources.position(sources.location(b, 5));
  EXPECT_EQ(place.line, 2u);
  EXPECT_EQ(place.column, 3u);
  EXPECT_EQ(sources.line(b, 1), "x");
  EXPECT_EQ(sources.line(b, 2), "yy");
  EXPECT_EQ(sources.line(b, 3), "");
  EXPECT_EQ(sources.line(a, 3), "");
  EXPECT_EQ(sources.text(Range{sources.location(a, 4), sources.location(a, 7)}), "two");
}

TEST(Source, NoPlaceAndNoFileAnswerWithNothing) {
  SourceManager sources;
  EXPECT_FALSE(sources.fileOf({}).valid());
  EXPECT_EQ(sources.position({}).line, 0u);
  EXPECT_EQ(sources.text(FileId{}), "");
  EXPECT_FALSE(sources.location(FileId{}, 3).valid());
  EXPECT_EQ(sources.text(Range{}), "");
  sources.add("a", "abc");
  EXPECT_FALSE(sources.fileOf(Location{100}).valid());
}

TEST(Source, CoverTakesTheWholeAndIgnoresNothing) {
  Range a{{3}, {5}}, b{{7}, {9}};
  EXPECT_EQ(cover(b, a), (Range{{3}, {9}}));
  EXPECT_EQ(cover({}, a), a);
  EXPECT_EQ(cover(a, {}), a);
}

TEST(Source, InternedNamesAreEqualWhenTheirTextsAre) {
  Interner names;
  Symbol a = names.intern("alpha"), b = names.intern("beta");
  EXPECT_NE(a, b);
  EXPECT_EQ(a, names.intern(std::string("al") + "pha"));
  EXPECT_TRUE(names.intern("").empty());
  for (int i = 0; i < 10000; ++i) names.intern(std::to_string(i));
  EXPECT_EQ(names.text(a), "alpha");
  EXPECT_EQ(names.intern("9999"), names.intern("9999"));
}

}  // namespace
}  // namespace rad

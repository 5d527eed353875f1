// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The runtime's element types and properties of devices are those of programs, number by number: code generation and
// the host interface cast between them.
#include "codegen/artifact/artifact.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace rad::cg {
namespace {

enum class Numbered : uint8_t {
#define SCALAR(Name, text, kind, bits) Name,
#include "frontend/types/scalars.def"
};

TEST(ElementTypes, AgreeWithTheTableOfScalars) {
#define SCALAR(Name, spelled, kind, bits)                                                       \
  EXPECT_EQ(static_cast<int>(ElementType::Name), static_cast<int>(Numbered::Name)) << #spelled; \
  EXPECT_EQ(nameOf(ElementType::Name), #spelled);                                               \
  EXPECT_EQ(sizeOf(ElementType::Name) * 8, unsigned{bits}) << #spelled;
#include "frontend/types/scalars.def"
}

TEST(DeviceProperties, AgreeWithTheTableOfBuiltins) {
  enum class Row : uint8_t {
#define DEVICE(Name, text, isText, doc) Name,
#include "frontend/builtins/builtins.def"
  };
#define DEVICE(Name, spelled, isText, doc) \
  EXPECT_EQ(static_cast<int>(DeviceProperty::Name), static_cast<int>(Row::Name)) << #spelled;
#include "frontend/builtins/builtins.def"
}

TEST(ElementTypes, VectorsAreScalarsWithACount) {
  ElementType type = vectorOf(ElementType::F16, 3);
  EXPECT_EQ(lanesOf(type), 3u);
  EXPECT_EQ(scalarOf(type), ElementType::F16);
  EXPECT_EQ(sizeOf(type), 6u);
  EXPECT_EQ(nameOf(type), "f16x3");
  EXPECT_EQ(vectorOf(ElementType::F32, 1), ElementType::F32);
}

}  // namespace
}  // namespace rad::cg

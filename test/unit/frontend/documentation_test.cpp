// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Documentation kept with declarations; the library has it everywhere.
#include "frontend/parse/documentation.h"
#include "frontend/parse/parse.h"
#include "runtime/engine/pipeline.h"

#include <gtest/gtest.h>

namespace rad {
namespace {

std::vector<Documented> documented(std::string_view name, std::string_view text) {
  SourceManager sources;
  Interner names;
  Diagnostics diagnostics;
  const FileId file = sources.add(std::string(name), std::string(text));
  const Ast ast = parse(file, sources, names, diagnostics);
  for (const Diagnostic& diagnostic : diagnostics.all()) ADD_FAILURE() << render(diagnostic, sources);
  return documentation(ast, sources, names);
}

TEST(Documentation, EveryPublicDeclarationOfTheLibraryHasIt) {
  size_t count = 0;
  for (const LibraryText& library : rt::builtinLibrary())
    for (const Documented& entry : documented(library.name, library.text)) {
      if (entry.isPrivate) continue;
      ++count;
      EXPECT_FALSE(entry.doc.empty()) << library.name << ": " << entry.signature << " has no `///` line above it";
    }
  EXPECT_GT(count, 20u);
}

TEST(Documentation, IsKeptOnDeclarationsParametersAndFields) {
  const auto found = documented("t.rad", R"(
/// A particle.
/// Two lines.
struct Particle {
    /// Where it is.
    pos: f32
    mass: f32 = 1.0   // no documentation
    /// Its energy.
    fn energy(self) -> f32 { self.mass }
    private fn secret(self) -> f32 { 0.0 }
}

/// Doubles.
@inline
private fn twice(
    /// what to double
    x: f32,
    by: f32) -> f32
    = x * by

/// All of it.
kernel run[T: Number](mut x: [T; n])
    forall i in 0..n { x[i] = 0 }
/// The half.
const half = 0.5
/// A row.
type Row = [f32; n]
extern "PTX" {
    /// From elsewhere.
    fn scale(x: f32) -> f32
}
let unseen = 3
)");
  ASSERT_EQ(found.size(), 6u);
  EXPECT_EQ(found[0].name, "Particle");
  EXPECT_EQ(found[0].doc, "A particle.\nTwo lines.");
  ASSERT_EQ(found[0].members.size(), 3u);
  EXPECT_EQ(found[0].members[0].signature, "pos: f32");
  EXPECT_EQ(found[0].members[0].doc, "Where it is.");
  EXPECT_EQ(found[0].members[1].doc, "");
  EXPECT_EQ(found[0].members[2].signature, "fn energy(self) -> f32");
  EXPECT_EQ(found[0].members[2].doc, "Its energy.");
  EXPECT_EQ(found[1].signature, "@inline private fn twice( x: f32, by: f32) -> f32");
  EXPECT_TRUE(found[1].isPrivate);
  ASSERT_EQ(found[1].members.size(), 1u);
  EXPECT_EQ(found[1].members[0].doc, "what to double");
  EXPECT_EQ(found[2].signature, "kernel run[T: Number](mut x: [T; n]) forall i in 0..n");
  EXPECT_EQ(found[3].signature, "const half = 0.5");
  EXPECT_EQ(found[4].doc, "A row.");
  EXPECT_EQ(found[5].signature, "fn scale(x: f32) -> f32");
  EXPECT_EQ(found[5].doc, "From elsewhere.");
}

}  // namespace
}  // namespace rad

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Typed programs for tests of code generation, from text, without the library.
#pragma once

#include "codegen/codegen.h"
#include "frontend/parse/parse.h"
#include "frontend/sema/sema.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

namespace rad::test {

/// A unit and all that it points into.
struct KernelUnit {
  SourceManager sources;
  Interner names;
  std::unique_ptr<Session> session;
  std::optional<TypedProgram> program;

  /// Fails the test if the text has a mistake.
  explicit KernelUnit(std::string text) {
    session = std::make_unique<Session>(sources, names, std::span<const LibraryText>(), FileLoader{});
    session->setBuildAllKernels(true);
    Diagnostics diagnostics;
    FileId file = sources.add("test.rad", std::move(text));
    program = session->check(parse(file, sources, names, diagnostics), diagnostics);
    for (const Diagnostic& diagnostic : diagnostics.all()) ADD_FAILURE() << render(diagnostic, sources);
  }

  KernelId kernel(std::string_view name) const {
    for (uint32_t i = 0; i < program->kernels.size(); ++i)
      if (program->kernels[i].name == name) return {i};
    ADD_FAILURE() << "no kernel " << name;
    return {};
  }

  cg::GeometryManifest geometry(std::string_view name, const cg::SpecKey& spec,
                                std::string_view target = "sm_90") const {
    return cg::chooseGeometry(*program, kernel(name), target, spec);
  }

  /// The PTX of one kernel, optimised.
  std::string ptx(std::string_view name, const cg::SpecKey& spec, const cg::CodegenOptions& options = {},
                  std::string_view target = "sm_90") const {
    KernelId id = kernel(name);
    auto module = cg::lowerCudaKernels(*program, {&id, 1}, target, spec, options, sources);
    if (!module) {
      ADD_FAILURE() << module.error();
      return {};
    }
    if (auto done = cg::optimize(*module->module, options); !done) {
      ADD_FAILURE() << done.error();
      return {};
    }
    auto text = cg::emitPtx(*module->module, options);
    if (!text) {
      ADD_FAILURE() << text.error();
      return {};
    }
    return *text;
  }
};

}  // namespace rad::test

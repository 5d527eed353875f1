// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the compiler made of a kernel, in words: over what it runs and how, what it was specialised on, which checks are
// left, what it takes.
#pragma once

#include "codegen/codegen.h"
#include "frontend/diagnostics/diagnostics.h"
#include "runtime/launch/geometry.h"
#include "runtime/toolkit/assemble.h"

#include <string>
#include <string_view>

namespace rad::rt {

/// The indices of a kernel and of the functions that become part of it.
struct CheckCounts {
  unsigned proven = 0, atLaunch = 0, kept = 0, unchecked = 0;
};
CheckCounts countChecks(const TypedProgram& program, KernelId kernel);

/// Which of how many.
struct VariantCount {
  unsigned ofKernel = 1;   // variants of the kernel so far, this one included
  unsigned ofProgram = 1;  // of all kernels
};

/// A launch; nothing where it is only compiled.
struct LaunchNumbers {
  const Binding* binding = nullptr;
  const LaunchShape* shape = nullptr;
  bool isLate = false;  // compiled by it, although kernels were prepared
};

/// Several lines of text, each ending in a newline. `target`: "sm_90", "host". `resources`: what the assembler said,
/// where it did.
std::string explainLaunch(const TypedProgram& program, KernelId kernel, const cg::KernelManifest& manifest,
                          std::string_view target, const cg::SpecKey& spec, const AssembledEntry* resources,
                          VariantCount variants, LaunchNumbers launch = {});

/// A remark where a kernel takes local memory.
void remarkSpills(const TypedProgram& program, KernelId kernel, const AssembledEntry& resources,
                  Diagnostics& diagnostics);

/// Blocks of so many threads that a multiprocessor holds at once; 0 where the target is not known.
unsigned residentBlocks(std::string_view target, unsigned threads, unsigned registers, unsigned sharedBytes);

}  // namespace rad::rt

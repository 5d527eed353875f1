// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Typed programs to LLVM modules, for this machine and for GPUs: modules that LLVM's verifier accepts. The text's bytes
// choose what a variant of the kernels may rely on.
#include "codegen/codegen.h"
#include "runtime/engine/embedded.h"
#include "test/fuzz/program.h"

#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

namespace {

void judge(const rad::cg::CodegenResult<rad::cg::IrModule>& made, const char* target) {
  if (!made) {
    // What a device has no form for is said of the kernel by name (device code from elsewhere, barriers in functions).
    if (made.error().starts_with("kernel `")) return;
    rad::fuzz::fail("fuzz_lower", std::string(target) + ": " + made.error());
  }
  std::string wrong;
  llvm::raw_string_ostream out(wrong);
  if (llvm::verifyModule(*made->module, &out))
    rad::fuzz::fail("fuzz_lower", std::string(target) + ": not a valid module: " + wrong);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rad::fuzz::Program program(data, size, /*allKernels=*/true);
  if (!program.typed) return 0;
  uint32_t hash = 2166136261;
  for (size_t i = 0; i < size; ++i) hash = (hash ^ data[i]) * 16777619;
  hash ^= hash >> 15;
  rad::cg::SpecKey spec;
  spec.aligned16 = hash & 1;
  spec.innerDivisible4 = hash & 2;
  spec.small = hash & 4;
  spec.aliased = hash & 8;
  spec.inRange = hash & 16;
  rad::cg::CodegenOptions options;
  options.unchecked = (hash & 0xe0) == 0;
  options.fp = static_cast<rad::cg::FpMode>((hash >> 8) % 3);
  options.libdevice = rad::embeddedLibdevice();
  std::vector<rad::KernelId> kernels;
  for (uint32_t i = 0; i < program.typed->kernels.size(); ++i) kernels.push_back({i});

  rad::cg::makeManifest(*program.typed, program.sources);
  judge(rad::cg::lowerScript(*program.typed, "script", options, program.sources), "script");
  if (kernels.empty()) return 0;
  judge(rad::cg::lowerHostKernels(*program.typed, kernels, spec, options, program.sources), "host");
  const char* target = hash >> 16 & 1 ? "sm_90a" : "sm_75";
  judge(rad::cg::lowerCudaKernels(*program.typed, kernels, target, spec, options, program.sources), target);
  return 0;
}

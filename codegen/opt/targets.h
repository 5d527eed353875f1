// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Target machines: only NVPTX and this machine's CPU are ever initialised.
#pragma once

#include "codegen/codegen.h"

#include <string>
#include <string_view>

namespace rad::cg {

/// Makes the two targets known to LLVM, once in a process. Thread-safe.
void initializeTargets();
/// The triple of modules for NVIDIA GPUs.
inline constexpr const char* cudaTriple = "nvptx64-nvidia-cuda";
/// A target machine for "sm_90" or the like; an error if LLVM has no such target.
/// It belongs to the calling thread, until that ends.
CodegenResult<llvm::TargetMachine*> cudaTargetMachine(std::string_view target, const CodegenOptions& options);
/// The target machine of a module: by its triple, and for GPUs by the `target-cpu` of its functions.
/// It belongs to the calling thread, until that ends.
CodegenResult<llvm::TargetMachine*> targetMachineOf(const llvm::Module& module, const CodegenOptions& options);

}  // namespace rad::cg

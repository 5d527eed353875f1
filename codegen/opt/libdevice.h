// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// NVIDIA's math library for GPUs.
#pragma once

#include "codegen/codegen.h"

namespace rad::cg {

/// Adds to `module` the bodies of the libdevice functions that it declares, and of what they call; nothing else of the
/// library is read. They become internal, always inlined, with round-to-nearest and denormals kept. No declaration of a
/// libdevice function: nothing happens, whatever `libdevice` holds.
CodegenResult<void> linkLibdevice(llvm::Module& module, std::span<const std::byte> libdevice);

}  // namespace rad::cg

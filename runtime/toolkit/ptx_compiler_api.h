// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/dynlib/component_api.h"

namespace rad::rt {

/// The PTX compiler linked into this build, or null when it was built without.
const NvPtxCompilerApi* linkedPtxCompiler();

}  // namespace rad::rt

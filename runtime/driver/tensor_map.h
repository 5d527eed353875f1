// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Descriptions of arrays for the copies of the tensor memory accelerator
/// (compute capability 9.0 on).

#include "runtime/driver/context.h"

#include <vector>

namespace rad::cuda {

/// An array in device memory and the box of it that one copy moves. Axes go from
/// the innermost one; sizes are in elements, strides in bytes.
struct TensorMapSpec {
  CUtensorMapDataType type = CU_TENSOR_MAP_DATA_TYPE_FLOAT32;
  CUdeviceptr address = 0;
  std::vector<std::uint64_t> sizes;           ///< 1 to 5 axes
  std::vector<std::uint64_t> strides;         ///< of the axes behind the first
  std::vector<std::uint32_t> box;             ///< as many as sizes; 1 to 256
  std::vector<std::uint32_t> elementStrides;  ///< 1 to 8; empty: 1 everywhere
  CUtensorMapInterleave interleave = CU_TENSOR_MAP_INTERLEAVE_NONE;
  CUtensorMapSwizzle swizzle = CU_TENSOR_MAP_SWIZZLE_NONE;
  CUtensorMapL2promotion promotion = CU_TENSOR_MAP_L2_PROMOTION_NONE;
  /// What elements outside of the array are: NaN instead of 0.
  bool nanOutside = false;
};

/// What a kernel gets by value (a grid constant): 128 plain bytes, aligned to 64 at
/// least.
struct TensorMap {
  CUtensorMap raw;
};

/// Success when the driver will take it; otherwise (Misuse) the rule that it
/// breaks, with its numbers. The driver itself says only "invalid value".
Status checkTensorMap(const TensorMapSpec& spec);

/// Encodes it. Refused (System) on devices without the accelerator.
Result<TensorMap> encodeTensorMap(const Context& context, const TensorMapSpec& spec);

/// The same array at another address.
Result<TensorMap> withAddress(const Context& context, const TensorMap& map, CUdeviceptr address);

}  // namespace rad::cuda

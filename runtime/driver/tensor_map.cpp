// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/tensor_map.h"

namespace rad::cuda {
namespace {

/// Bytes of an element; 0 for types that are packed below a byte.
std::uint64_t bytesOf(CUtensorMapDataType type) {
  switch (type) {
    case CU_TENSOR_MAP_DATA_TYPE_UINT8: return 1;
    case CU_TENSOR_MAP_DATA_TYPE_UINT16:
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT16:
    case CU_TENSOR_MAP_DATA_TYPE_BFLOAT16: return 2;
    case CU_TENSOR_MAP_DATA_TYPE_UINT32:
    case CU_TENSOR_MAP_DATA_TYPE_INT32:
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT32:
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT32_FTZ:
    case CU_TENSOR_MAP_DATA_TYPE_TFLOAT32:
    case CU_TENSOR_MAP_DATA_TYPE_TFLOAT32_FTZ: return 4;
    case CU_TENSOR_MAP_DATA_TYPE_UINT64:
    case CU_TENSOR_MAP_DATA_TYPE_INT64:
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT64: return 8;
    case CU_TENSOR_MAP_DATA_TYPE_16U4_ALIGN8B:
    case CU_TENSOR_MAP_DATA_TYPE_16U4_ALIGN16B:
    case CU_TENSOR_MAP_DATA_TYPE_16U6_ALIGN16B: return 0;
  }
  return 0;
}

/// The widest inner box that a swizzle takes, in bytes; 0: any.
std::uint64_t spanOf(CUtensorMapSwizzle swizzle) {
  switch (swizzle) {
    case CU_TENSOR_MAP_SWIZZLE_NONE: return 0;
    case CU_TENSOR_MAP_SWIZZLE_32B: return 32;
    case CU_TENSOR_MAP_SWIZZLE_64B: return 64;
    default: return 128;
  }
}

std::unexpected<Error> wrong(std::string what) {
  return fail(ErrorCategory::Misuse, "an array cannot be described for tensor copies: " + std::move(what));
}

bool isFloat(CUtensorMapDataType type) {
  return type == CU_TENSOR_MAP_DATA_TYPE_FLOAT16 || type == CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 ||
         (type >= CU_TENSOR_MAP_DATA_TYPE_FLOAT32 && type <= CU_TENSOR_MAP_DATA_TYPE_TFLOAT32_FTZ);
}

}  // namespace

Status checkTensorMap(const TensorMapSpec& s) {
  const std::size_t rank = s.sizes.size();
  const bool interleaved = s.interleave != CU_TENSOR_MAP_INTERLEAVE_NONE;
  const bool wide = s.interleave == CU_TENSOR_MAP_INTERLEAVE_32B;
  const std::uint64_t unit = wide ? 32 : 16;
  const std::uint64_t element = bytesOf(s.type);
  if (rank < (interleaved ? 3 : 1) || rank > 5)
    return wrong("it has " + std::to_string(rank) + " axes, and " + (interleaved ? "3" : "1") + " to 5 are possible");
  if (s.strides.size() != rank - 1)
    return wrong("it has " + std::to_string(s.strides.size()) + " strides for " + std::to_string(rank) +
                 " axes; there is one "
                 "for each behind the first");
  if (s.box.size() != rank || (!s.elementStrides.empty() && s.elementStrides.size() != rank))
    return wrong(
        "its box or its element strides do not have one number for "
        "each of " +
        std::to_string(rank) + " axes");
  if (s.address == 0 || s.address % unit)
    return wrong("its address is not a multiple of " + std::to_string(unit) + " bytes");
  for (std::size_t i = 0; i < rank; ++i) {
    const std::string axis = "axis " + std::to_string(i);
    if (s.sizes[i] == 0 || s.sizes[i] > std::uint64_t(1) << 32)
      return wrong(axis + " has " + std::to_string(s.sizes[i]) + " elements, and 1 to 2^32 are possible");
    if (s.box[i] == 0 || s.box[i] > 256)
      return wrong("the box has " + std::to_string(s.box[i]) + " elements on " + axis + ", and 1 to 256 are possible");
    if (!s.elementStrides.empty() && (s.elementStrides[i] == 0 || s.elementStrides[i] > 8))
      return wrong("every " + std::to_string(s.elementStrides[i]) + "th element was asked for on " + axis +
                   ", and 1 to 8 are possible");
    if (i + 1 < rank) {
      if (s.strides[i] % unit)
        return wrong("the stride of axis " + std::to_string(i + 1) + " is " + std::to_string(s.strides[i]) +
                     " bytes, and must be a multiple of " + std::to_string(unit));
      if (s.strides[i] >= std::uint64_t(1) << 40)
        return wrong("the stride of axis " + std::to_string(i + 1) + " is 2^40 bytes or more");
    }
  }
  if (element) {
    const std::uint64_t inner = s.box[0] * element;
    if (!interleaved && inner % 16)
      return wrong("the innermost axis of the box has " + std::to_string(inner) +
                   " bytes, and must have a multiple of 16");
    if (const std::uint64_t span = spanOf(s.swizzle); !interleaved && span && inner > span)
      return wrong("the innermost axis of the box has " + std::to_string(inner) + " bytes, and its swizzle takes " +
                   std::to_string(span));
  }
  if (wide && s.swizzle != CU_TENSOR_MAP_SWIZZLE_32B)
    return wrong("interleaving by 32 bytes needs the swizzle of 32 bytes");
  if (s.nanOutside && !isFloat(s.type))
    return wrong(
        "elements that are no floating-point numbers cannot be NaN "
        "outside of the array");
  return {};
}

namespace {

Status needsAccelerator(const Context& context) {
  if (!context) return fail(ErrorCategory::Misuse, "an array was described in an empty context");
  if (context.device().computeCapability() >= 90) return {};
  return fail(ErrorCategory::System,
              context.device().id() +
                  " has no tensor memory accelerator: it needs compute "
                  "capability 9.0",
              "Copy with ordinary loads there.");
}

}  // namespace

Result<TensorMap> encodeTensorMap(const Context& context, const TensorMapSpec& spec) {
  RAD_TRY(needsAccelerator(context));
  RAD_TRY(checkTensorMap(spec));
  std::vector<cuuint64_t> sizes(spec.sizes.begin(), spec.sizes.end());
  std::vector<cuuint64_t> strides(spec.strides.begin(), spec.strides.end());
  strides.push_back(0);  // never read, and there for one axis
  std::vector<cuuint32_t> box(spec.box.begin(), spec.box.end());
  std::vector<cuuint32_t> every(spec.elementStrides.begin(), spec.elementStrides.end());
  every.resize(sizes.size(), 1);
  TensorMap map{};
  RAD_TRY(context.call<DriverFn::TensorMapEncodeTiled>(
      &map.raw, spec.type, cuuint32_t(sizes.size()), reinterpret_cast<void*>(spec.address),
      static_cast<const cuuint64_t*>(sizes.data()), static_cast<const cuuint64_t*>(strides.data()),
      static_cast<const cuuint32_t*>(box.data()), static_cast<const cuuint32_t*>(every.data()), spec.interleave,
      spec.swizzle, spec.promotion,
      spec.nanOutside ? CU_TENSOR_MAP_FLOAT_OOB_FILL_NAN_REQUEST_ZERO_FMA : CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE));
  return map;
}

Result<TensorMap> withAddress(const Context& context, const TensorMap& map, CUdeviceptr address) {
  RAD_TRY(needsAccelerator(context));
  if (address == 0 || address % 16) return wrong("its address is not a multiple of 16 bytes");
  TensorMap other = map;
  RAD_TRY(context.call<DriverFn::TensorMapReplaceAddress>(&other.raw, reinterpret_cast<void*>(address)));
  return other;
}

}  // namespace rad::cuda

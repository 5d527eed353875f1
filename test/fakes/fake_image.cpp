// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tier 7: images, textures, descriptions for tensor copies, parts of a device,
// profilers. Nothing is read through a texture here.

#include "test/fakes/fake_state.h"

#include <algorithm>
#include <cstring>

using namespace fake;

namespace {

std::size_t pixelBytes(CUarray_format format, unsigned channels) {
  switch (int(format)) {
    case CU_AD_FORMAT_UNSIGNED_INT8:
    case CU_AD_FORMAT_SIGNED_INT8: return channels;
    case CU_AD_FORMAT_UNSIGNED_INT16:
    case CU_AD_FORMAT_SIGNED_INT16:
    case CU_AD_FORMAT_HALF: return 2 * channels;
    case CU_AD_FORMAT_UNSIGNED_INT32:
    case CU_AD_FORMAT_SIGNED_INT32:
    case CU_AD_FORMAT_FLOAT: return 4 * channels;
    default: return 0;
  }
}

}  // namespace

FAKE_CUDA(ArrayCreate, CUarray* out, const CUDA_ARRAY_DESCRIPTOR* description) {
  if (!currentContext()) return CUDA_ERROR_INVALID_CONTEXT;
  if (!out || !description || !description->Width || !pixelBytes(description->Format, description->NumChannels))
    return CUDA_ERROR_INVALID_VALUE;
  auto array = std::make_unique<Array>();
  array->rowBytes = description->Width * pixelBytes(description->Format, description->NumChannels);
  array->height = description->Height ? description->Height : 1;
  if (array->rowBytes * array->height > world().config.memory) return CUDA_ERROR_OUT_OF_MEMORY;
  array->bytes.resize(array->rowBytes * array->height, 0xcd);
  *out = makeHandle<CUarray>();
  world().arrays.emplace(*out, std::move(array));
  return CUDA_SUCCESS;
}

FAKE_CUDA(ArrayDestroy, CUarray array) {
  World& w = world();
  for (auto& [texture, source] : w.textures)
    if (source == array) violation("an image was destroyed before its texture");
  for (auto& [handle, stream] : w.streams) drain(*stream);
  if (!w.arrays.erase(array)) return CUDA_ERROR_INVALID_HANDLE;
  w.deadHandles.insert(array);
  return CUDA_SUCCESS;
}

FAKE_CUDA(TexObjectCreate, CUtexObject* out, const CUDA_RESOURCE_DESC* resource, const CUDA_TEXTURE_DESC* view,
          const CUDA_RESOURCE_VIEW_DESC*) {
  if (!out || !resource || !view || resource->resType != CU_RESOURCE_TYPE_ARRAY ||
      !world().arrays.count(resource->res.array.hArray))
    return CUDA_ERROR_INVALID_VALUE;
  *out = CUtexObject(++world().nextHandle);
  world().textures[*out] = resource->res.array.hArray;
  return CUDA_SUCCESS;
}

FAKE_CUDA(TexObjectDestroy, CUtexObject texture) {
  return world().textures.erase(texture) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

// ---- tensor copies: the description is kept as it is given ----

FAKE_CUDA(TensorMapEncodeTiled, CUtensorMap* map, CUtensorMapDataType type, cuuint32_t rank, void* address,
          const cuuint64_t* sizes, const cuuint64_t* strides, const cuuint32_t* box, const cuuint32_t* every,
          CUtensorMapInterleave, CUtensorMapSwizzle, CUtensorMapL2promotion, CUtensorMapFloatOOBfill) {
  if (!map || !address || !sizes || !strides || !box || !every || rank < 1 || rank > 5 ||
      world().config.preset->major < 9)
    return CUDA_ERROR_INVALID_VALUE;
  std::memset(map, 0, sizeof *map);
  map->opaque[0] = reinterpret_cast<std::uint64_t>(address);
  map->opaque[1] = std::uint64_t(type) << 8 | rank;
  for (cuuint32_t i = 0; i < rank; ++i) map->opaque[2 + i] = sizes[i] << 32 | box[i] << 8 | every[i];
  return CUDA_SUCCESS;
}

FAKE_CUDA(TensorMapReplaceAddress, CUtensorMap* map, void* address) {
  if (!map || !address) return CUDA_ERROR_INVALID_VALUE;
  map->opaque[0] = reinterpret_cast<std::uint64_t>(address);
  return CUDA_SUCCESS;
}

// ---- parts of a device: in groups of 8, as compute capability 9.0 has them ----

FAKE_CUDA(DeviceGetDevResource, CUdevice device, CUdevResource* resource, CUdevResourceType type) {
  if (!deviceOf(device)) return CUDA_ERROR_INVALID_DEVICE;
  if (!resource || type != CU_DEV_RESOURCE_TYPE_SM) return CUDA_ERROR_INVALID_VALUE;
  *resource = {};
  resource->type = type;
  resource->sm.smCount = unsigned(world().config.preset->multiprocessors);
  return CUDA_SUCCESS;
}

FAKE_CUDA(DevSmResourceSplitByCount, CUdevResource* parts, unsigned* count, const CUdevResource* all,
          CUdevResource* rest, unsigned, unsigned least) {
  if (!count || !all || all->type != CU_DEV_RESOURCE_TYPE_SM) return CUDA_ERROR_INVALID_VALUE;
  const unsigned each = (least + 7) / 8 * 8;
  const unsigned possible = each ? all->sm.smCount / each : 0;
  *count = std::min(*count, possible);
  for (unsigned i = 0; parts && i < *count; ++i) {
    parts[i] = *all;
    parts[i].sm.smCount = each;
  }
  if (rest) {
    *rest = *all;
    rest->sm.smCount -= *count * each;
  }
  return CUDA_SUCCESS;
}

FAKE_CUDA(DevResourceGenerateDesc, CUdevResourceDesc* out, CUdevResource* parts, unsigned count) {
  if (!out || !parts || count != 1) return CUDA_ERROR_INVALID_VALUE;
  *out = makeHandle<CUdevResourceDesc>();
  return CUDA_SUCCESS;
}

FAKE_CUDA(GreenCtxCreate, CUgreenCtx* out, CUdevResourceDesc description, CUdevice ordinal, unsigned flags) {
  Device* device = deviceOf(ordinal);
  if (!device) return CUDA_ERROR_INVALID_DEVICE;
  if (!out || !description || flags != CU_GREEN_CTX_DEFAULT_STREAM) return CUDA_ERROR_INVALID_VALUE;
  auto context = std::make_unique<Context>();
  context->device = device;
  context->own = context->alive = context->green = true;
  context->handle = makeHandle<CUcontext>();
  *out = makeHandle<CUgreenCtx>();
  world().greens[*out] = context->handle;
  const CUcontext handle = context->handle;
  world().contexts.emplace(handle, std::move(context));
  return CUDA_SUCCESS;
}

FAKE_CUDA(CtxFromGreenCtx, CUcontext* out, CUgreenCtx green) {
  auto it = world().greens.find(green);
  if (it == world().greens.end() || !out) return CUDA_ERROR_INVALID_VALUE;
  *out = it->second;
  return CUDA_SUCCESS;
}

FAKE_CUDA(GreenCtxStreamCreate, CUstream* out, CUgreenCtx green, unsigned flags, int priority) {
  auto it = world().greens.find(green);
  if (it == world().greens.end() || !out || flags != CU_STREAM_NON_BLOCKING) return CUDA_ERROR_INVALID_VALUE;
  auto stream = std::make_unique<Stream>();
  stream->context = contextOf(it->second);
  stream->priority = priority;
  stream->flags = flags;
  *out = makeHandle<CUstream>();
  world().streams.emplace(*out, std::move(stream));
  return CUDA_SUCCESS;
}

FAKE_CUDA(GreenCtxDestroy, CUgreenCtx green) {
  World& w = world();
  auto it = w.greens.find(green);
  if (it == w.greens.end()) return CUDA_ERROR_INVALID_VALUE;
  destroyContext(*contextOf(it->second));  // says so when streams are left
  w.contexts.erase(it->second);
  w.deadHandles.insert(it->second);
  w.greens.erase(it);
  return CUDA_SUCCESS;
}

// ---- profilers ----

FAKE_CUDA(ProfilerStart, void) { return CUDA_SUCCESS; }
FAKE_CUDA(ProfilerStop, void) { return CUDA_SUCCESS; }

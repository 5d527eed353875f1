// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tier 2, continued: copies of rows and planes, batches, between devices; fills
// of rows.

#include "test/fakes/fake_state.h"

#include <cstring>
#include <vector>

using namespace fake;

namespace {

/// One side of a copy of rows.
struct Side {
  CUmemorytype type;
  const void* host;
  CUdeviceptr device;
  CUarray array;
  std::size_t pitch, height, x, y, z;

  /// Where a row begins; null when that is not inside one allocation.
  unsigned char* row(std::size_t at, std::size_t plane, std::size_t bytes) const {
    if (type == CU_MEMORYTYPE_ARRAY) return rowOfArray(array, x, y + at, z + plane, bytes);
    const std::size_t offset = ((z + plane) * height + y + at) * pitch + x;
    if (type == CU_MEMORYTYPE_HOST) return static_cast<unsigned char*>(const_cast<void*>(host)) + offset;
    return resolve(device + offset, bytes);
  }
};

CUresult copyRows(const CUDA_MEMCPY3D& copy, CUstream handle) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  std::function<void()> run;
  if ((status = prepareCopy(copy, run))) return status;
  enqueue(*stream, std::move(run), CU_GRAPH_NODE_TYPE_MEMCPY);
  return CUDA_SUCCESS;
}

CUresult fillRows(CUdeviceptr to, std::size_t pitch, unsigned value, unsigned elementBytes, std::size_t width,
                  std::size_t height, CUstream handle) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  std::function<void()> run;
  if ((status = prepareFill(to, pitch, value, elementBytes, width, height, run))) return status;
  enqueue(*stream, std::move(run), CU_GRAPH_NODE_TYPE_MEMSET);
  return CUDA_SUCCESS;
}

}  // namespace

namespace fake {

CUresult prepareCopy(const CUDA_MEMCPY3D& copy, std::function<void()>& run) {
  const Side from{copy.srcMemoryType, copy.srcHost,     copy.srcDevice, copy.srcArray, copy.srcPitch,
                  copy.srcHeight,     copy.srcXInBytes, copy.srcY,      copy.srcZ};
  const Side to{copy.dstMemoryType, copy.dstHost,     copy.dstDevice, copy.dstArray, copy.dstPitch,
                copy.dstHeight,     copy.dstXInBytes, copy.dstY,      copy.dstZ};
  const std::size_t width = copy.WidthInBytes;
  for (const Side* side : {&from, &to})
    if (side->type != CU_MEMORYTYPE_ARRAY && (side->pitch < side->x + width || side->height < copy.Height))
      return CUDA_ERROR_INVALID_VALUE;
  // Host memory that can move is read now.
  std::vector<unsigned char> staged;
  const bool stage = from.type == CU_MEMORYTYPE_HOST && !resolve(reinterpret_cast<std::uint64_t>(from.row(0, 0, 1)), 1);
  for (std::size_t z = 0; z < copy.Depth; ++z)
    for (std::size_t y = 0; y < copy.Height; ++y) {
      unsigned char* source = from.row(y, z, width);
      if (!source || !to.row(y, z, width)) {
        violation("a copy of rows that are not all inside one allocation");
        return CUDA_ERROR_INVALID_VALUE;
      }
      if (stage) staged.insert(staged.end(), source, source + width);
    }
  run = [=, staged = std::move(staged)] {
    for (std::size_t z = 0; z < copy.Depth; ++z)
      for (std::size_t y = 0; y < copy.Height; ++y) {
        const unsigned char* source = stage ? staged.data() + (z * copy.Height + y) * width : from.row(y, z, width);
        unsigned char* target = to.row(y, z, width);
        if (source && target) std::memmove(target, source, width);
      }
  };
  return CUDA_SUCCESS;
}

CUresult prepareFill(CUdeviceptr to, std::size_t pitch, unsigned value, unsigned size, std::size_t width,
                     std::size_t height, std::function<void()>& run) {
  if ((size != 1 && size != 2 && size != 4) || to % size || (height > 1 && (pitch % size || pitch < width * size)))
    return CUDA_ERROR_INVALID_VALUE;
  run = [] {};
  if (width == 0 || height == 0) return CUDA_SUCCESS;
  const std::size_t bytes = pitch * (height - 1) + width * size;
  if (!resolve(to, bytes)) {
    violation("a fill of rows that are not all inside one allocation");
    return CUDA_ERROR_INVALID_VALUE;
  }
  run = [=] {
    unsigned char* target = resolve(to, bytes);
    for (std::size_t y = 0; target && y < height; ++y)
      for (std::size_t x = 0; x < width; ++x) std::memcpy(target + y * pitch + x * size, &value, size);
  };
  return CUDA_SUCCESS;
}

}  // namespace fake

FAKE_CUDA(Memcpy2DAsync, const CUDA_MEMCPY2D* copy, CUstream stream) {
  if (!copy) return CUDA_ERROR_INVALID_VALUE;
  CUDA_MEMCPY3D whole{};
  whole.srcXInBytes = copy->srcXInBytes;
  whole.srcY = copy->srcY;
  whole.srcMemoryType = copy->srcMemoryType;
  whole.srcHost = copy->srcHost;
  whole.srcDevice = copy->srcDevice;
  whole.srcArray = copy->srcArray;
  whole.srcPitch = copy->srcPitch;
  whole.srcHeight = copy->srcY + copy->Height;
  whole.dstXInBytes = copy->dstXInBytes;
  whole.dstY = copy->dstY;
  whole.dstMemoryType = copy->dstMemoryType;
  whole.dstHost = copy->dstHost;
  whole.dstDevice = copy->dstDevice;
  whole.dstArray = copy->dstArray;
  whole.dstPitch = copy->dstPitch;
  whole.dstHeight = copy->dstY + copy->Height;
  whole.WidthInBytes = copy->WidthInBytes;
  whole.Height = copy->Height;
  whole.Depth = 1;
  return copyRows(whole, stream);
}

FAKE_CUDA(Memcpy3DAsync, const CUDA_MEMCPY3D* copy, CUstream stream) {
  return copy ? copyRows(*copy, stream) : CUDA_ERROR_INVALID_VALUE;
}

FAKE_CUDA(MemcpyPeerAsync, CUdeviceptr to, CUcontext toContext, CUdeviceptr from, CUcontext fromContext,
          std::size_t bytes, CUstream handle) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  if (!contextOf(toContext) || !contextOf(fromContext)) return CUDA_ERROR_INVALID_CONTEXT;
  if (!resolve(to, bytes) || !resolve(from, bytes)) {
    violation("a copy between devices outside of an allocation");
    return CUDA_ERROR_INVALID_VALUE;
  }
  enqueue(
      *stream,
      [=] {
        unsigned char *target = resolve(to, bytes), *source = resolve(from, bytes);
        if (target && source) std::memmove(target, source, bytes);
      },
      CU_GRAPH_NODE_TYPE_MEMCPY);
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemcpyBatchAsync, CUdeviceptr* to, CUdeviceptr* from, std::size_t* bytes, std::size_t count,
          CUmemcpyAttributes* attributes, std::size_t* first, std::size_t attributeCount, CUstream handle) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  if (stream->status != CU_STREAM_CAPTURE_STATUS_NONE) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  if (!count || !attributeCount || !attributes || !first || first[0] != 0 || attributeCount > count)
    return CUDA_ERROR_INVALID_VALUE;
  for (std::size_t i = 0; i < count; ++i)
    if (!bytes[i] || !resolve(to[i], bytes[i]) || !resolve(from[i], bytes[i])) {
      violation("a copy of a batch is outside of an allocation");
      return CUDA_ERROR_INVALID_VALUE;
    }
  for (std::size_t i = 0; i < count; ++i)
    enqueue(
        *stream,
        [to = to[i], from = from[i], size = bytes[i]] {
          unsigned char *target = resolve(to, size), *source = resolve(from, size);
          if (target && source) std::memmove(target, source, size);
        },
        CU_GRAPH_NODE_TYPE_MEMCPY);
  return CUDA_SUCCESS;
}

FAKE_CUDA(Memcpy3DBatchAsync, std::size_t count, CUDA_MEMCPY3D_BATCH_OP* ops, unsigned long long flags,
          CUstream handle) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  if (stream->status != CU_STREAM_CAPTURE_STATUS_NONE) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  if (!count || !ops || flags) return CUDA_ERROR_INVALID_VALUE;
  std::vector<std::function<void()>> runs;
  for (std::size_t i = 0; i < count; ++i) {
    const CUDA_MEMCPY3D_BATCH_OP& op = ops[i];
    if (op.src.type != CU_MEMCPY_OPERAND_TYPE_POINTER || op.dst.type != CU_MEMCPY_OPERAND_TYPE_POINTER ||
        !op.extent.width || !op.extent.height || !op.extent.depth)
      return CUDA_ERROR_INVALID_VALUE;
    CUDA_MEMCPY3D copy{};
    copy.srcMemoryType = copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
    copy.srcDevice = op.src.op.ptr.ptr;
    copy.dstDevice = op.dst.op.ptr.ptr;
    copy.srcPitch = op.src.op.ptr.rowLength;
    copy.dstPitch = op.dst.op.ptr.rowLength;
    copy.srcHeight = op.src.op.ptr.layerHeight;
    copy.dstHeight = op.dst.op.ptr.layerHeight;
    copy.WidthInBytes = op.extent.width;
    copy.Height = op.extent.height;
    copy.Depth = op.extent.depth;
    if ((status = prepareCopy(copy, runs.emplace_back()))) return status;
  }
  for (auto& run : runs) enqueue(*stream, std::move(run), CU_GRAPH_NODE_TYPE_MEMCPY);
  return CUDA_SUCCESS;
}

FAKE_CUDA(MemsetD2D8Async, CUdeviceptr to, std::size_t pitch, unsigned char value, std::size_t width,
          std::size_t height, CUstream stream) {
  return fillRows(to, pitch, value, 1, width, height, stream);
}

FAKE_CUDA(MemsetD2D16Async, CUdeviceptr to, std::size_t pitch, unsigned short value, std::size_t width,
          std::size_t height, CUstream stream) {
  return fillRows(to, pitch, value, 2, width, height, stream);
}

FAKE_CUDA(MemsetD2D32Async, CUdeviceptr to, std::size_t pitch, unsigned value, std::size_t width, std::size_t height,
          CUstream stream) {
  return fillRows(to, pitch, value, 4, width, height, stream);
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/driver/copy.h"

namespace rad::cuda {

Status copyToDevice(const Stream& stream, CUdeviceptr to, std::span<const std::byte> from) {
  if (from.empty()) return {};
  return stream.context().call<DriverFn::MemcpyHtoDAsync>(to, static_cast<const void*>(from.data()), from.size(),
                                                          stream.raw());
}

Status copyToHost(const Stream& stream, std::span<std::byte> to, CUdeviceptr from) {
  if (to.empty()) return {};
  return stream.context().call<DriverFn::MemcpyDtoHAsync>(static_cast<void*>(to.data()), from, to.size(), stream.raw());
}

Status copyOnDevice(const Stream& stream, CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
  if (bytes == 0 || to == from) return {};
  if (to < from + bytes && from < to + bytes)
    return fail(ErrorCategory::Misuse, "a copy on the device overlaps its own source");
  return stream.context().call<DriverFn::MemcpyDtoDAsync>(to, from, bytes, stream.raw());
}

Status copyBetween(const Stream& stream, const Context& toContext, CUdeviceptr to, const Context& fromContext,
                   CUdeviceptr from, std::size_t bytes) {
  if (bytes == 0) return {};
  return stream.context().call<DriverFn::MemcpyPeerAsync>(to, toContext.raw(), from, fromContext.raw(), bytes,
                                                          stream.raw());
}

Status checkRange(const Memory& memory, std::size_t at, std::size_t count, std::size_t size) {
  const std::size_t room = memory.bytes() / size;
  if (at <= room && count <= room - at) return {};
  return fail(ErrorCategory::Misuse, "elements " + std::to_string(at) + " to " + std::to_string(at + count) +
                                         " do not lie in memory for " + std::to_string(room));
}

namespace {

/// The side of a copy as the driver counts it, with what was left out.
Status complete(Place& place, std::size_t width, std::size_t height) {
  if (place.kind == Place::Kind::Array) return {};
  if (place.pitch == 0) place.pitch = place.x + width;
  if (place.height == 0) place.height = place.y + height;
  if (place.pitch < place.x + width)
    return fail(ErrorCategory::Misuse, "rows are " + std::to_string(place.pitch) + " bytes apart, and the copy needs " +
                                           std::to_string(place.x + width) + " of each");
  if (place.height < place.y + height)
    return fail(ErrorCategory::Misuse, "planes are " + std::to_string(place.height) +
                                           " rows apart, and the copy needs " + std::to_string(place.y + height) +
                                           " of each");
  return {};
}

CUmemorytype typeOf(const Place& place) {
  switch (place.kind) {
    case Place::Kind::Host: return CU_MEMORYTYPE_HOST;
    case Place::Kind::Device: return CU_MEMORYTYPE_DEVICE;
    case Place::Kind::Array: return CU_MEMORYTYPE_ARRAY;
  }
  return CU_MEMORYTYPE_DEVICE;
}

}  // namespace

Result<CUDA_MEMCPY3D> describeCopy(const Place& to, const Place& from, std::size_t width, std::size_t height,
                                   std::size_t depth) {
  Place source = from, target = to;
  RAD_TRY(complete(source, width, height));
  RAD_TRY(complete(target, width, height));
  CUDA_MEMCPY3D copy{};
  copy.srcMemoryType = typeOf(source);
  copy.srcHost = source.host;
  copy.srcDevice = source.device;
  copy.srcArray = source.array;
  copy.srcPitch = source.pitch;
  copy.srcHeight = source.height;
  copy.srcXInBytes = source.x;
  copy.srcY = source.y;
  copy.srcZ = source.z;
  copy.dstMemoryType = typeOf(target);
  copy.dstHost = target.host;
  copy.dstDevice = target.device;
  copy.dstArray = target.array;
  copy.dstPitch = target.pitch;
  copy.dstHeight = target.height;
  copy.dstXInBytes = target.x;
  copy.dstY = target.y;
  copy.dstZ = target.z;
  copy.WidthInBytes = width;
  copy.Height = height;
  copy.Depth = depth;
  return copy;
}

Status copy2D(const Stream& stream, const Place& to, const Place& from, std::size_t width, std::size_t height) {
  RAD_ASSIGN(const CUDA_MEMCPY3D whole, describeCopy(to, from, width, height, 1));
  if (width == 0 || height == 0) return {};
  if (to.z != 0 || from.z != 0) return copy3D(stream, to, from, width, height, 1);
  CUDA_MEMCPY2D copy{};
  copy.srcXInBytes = whole.srcXInBytes;
  copy.srcY = whole.srcY;
  copy.srcMemoryType = whole.srcMemoryType;
  copy.srcHost = whole.srcHost;
  copy.srcDevice = whole.srcDevice;
  copy.srcArray = whole.srcArray;
  copy.srcPitch = whole.srcPitch;
  copy.dstXInBytes = whole.dstXInBytes;
  copy.dstY = whole.dstY;
  copy.dstMemoryType = whole.dstMemoryType;
  copy.dstHost = whole.dstHost;
  copy.dstDevice = whole.dstDevice;
  copy.dstArray = whole.dstArray;
  copy.dstPitch = whole.dstPitch;
  copy.WidthInBytes = width;
  copy.Height = height;
  return stream.context().call<DriverFn::Memcpy2DAsync>(static_cast<const CUDA_MEMCPY2D*>(&copy), stream.raw());
}

Status copy3D(const Stream& stream, const Place& to, const Place& from, std::size_t width, std::size_t height,
              std::size_t depth) {
  RAD_ASSIGN(const CUDA_MEMCPY3D copy, describeCopy(to, from, width, height, depth));
  if (width == 0 || height == 0 || depth == 0) return {};
  return stream.context().call<DriverFn::Memcpy3DAsync>(&copy, stream.raw());
}

Status copyBatch(const Stream& stream, std::span<const BatchCopy> copies) {
  std::vector<CUdeviceptr> to, from;
  std::vector<std::size_t> bytes;
  for (const BatchCopy& one : copies) {
    if (one.bytes == 0) continue;
    to.push_back(one.to);
    from.push_back(one.from);
    bytes.push_back(one.bytes);
  }
  if (bytes.empty()) return {};
  CUmemcpyAttributes attributes{};
  attributes.srcAccessOrder = CU_MEMCPY_SRC_ACCESS_ORDER_STREAM;
  std::size_t first = 0;  // the attributes hold from this copy on
  return stream.context().call<DriverFn::MemcpyBatchAsync>(to.data(), from.data(), bytes.data(), bytes.size(),
                                                           &attributes, &first, std::size_t(1), stream.raw());
}

namespace {

/// One side of a copy in a batch, counted in bytes.
CUmemcpy3DOperand operandOf(const Place& place) {
  CUmemcpy3DOperand operand{};
  operand.type = CU_MEMCPY_OPERAND_TYPE_POINTER;
  const CUdeviceptr base = place.kind == Place::Kind::Host ? reinterpret_cast<CUdeviceptr>(place.host) : place.device;
  operand.op.ptr.ptr = base + place.x + (place.y + place.z * place.height) * place.pitch;
  operand.op.ptr.rowLength = place.pitch;
  operand.op.ptr.layerHeight = place.height;
  return operand;
}

}  // namespace

Status copyBatch3D(const Stream& stream, std::span<const BatchCopy3D> copies) {
  std::vector<CUDA_MEMCPY3D_BATCH_OP> raw;
  for (const BatchCopy3D& one : copies) {
    if (one.to.kind == Place::Kind::Array || one.from.kind == Place::Kind::Array)
      return fail(ErrorCategory::Misuse, "an array of images was given to a batch of copies", "Copy it with copy3D().");
    if (one.width == 0 || one.height == 0 || one.depth == 0) continue;
    Place to = one.to, from = one.from;
    RAD_TRY(complete(to, one.width, one.height));
    RAD_TRY(complete(from, one.width, one.height));
    CUDA_MEMCPY3D_BATCH_OP& op = raw.emplace_back();
    op.src = operandOf(from);
    op.dst = operandOf(to);
    op.extent = {one.width, one.height, one.depth};
    op.srcAccessOrder = CU_MEMCPY_SRC_ACCESS_ORDER_STREAM;
  }
  if (raw.empty()) return {};
  return stream.context().call<DriverFn::Memcpy3DBatchAsync>(raw.size(), raw.data(), 0ull, stream.raw());
}

// ---- fills ----

namespace {

template <class T>
T valueOf(std::span<const std::byte> pattern) {
  T value;
  std::memcpy(&value, pattern.data(), sizeof value);
  return value;
}

}  // namespace

Status fillBytes(const Stream& stream, CUdeviceptr to, std::span<const std::byte> pattern, std::size_t count) {
  const std::size_t width = pattern.size();
  if (width != 1 && width != 2 && width != 4 && width != 8)
    return fail(ErrorCategory::Misuse, "memory cannot be filled with a pattern of " + std::to_string(width) + " bytes");
  if (to % width)
    return fail(ErrorCategory::Misuse, "memory is filled from an address that is not a multiple of " +
                                           std::to_string(width) + " bytes, the size of the pattern");
  if (count == 0) return {};
  // The narrowest pattern that says the same.
  while (pattern.size() > 1 &&
         std::memcmp(pattern.data(), pattern.data() + pattern.size() / 2, pattern.size() / 2) == 0) {
    pattern = pattern.first(pattern.size() / 2);
    count *= 2;
  }
  const Context& context = stream.context();
  switch (pattern.size()) {
    case 1: return context.call<DriverFn::MemsetD8Async>(to, valueOf<unsigned char>(pattern), count, stream.raw());
    case 2: return context.call<DriverFn::MemsetD16Async>(to, valueOf<unsigned short>(pattern), count, stream.raw());
    case 4: return context.call<DriverFn::MemsetD32Async>(to, valueOf<unsigned>(pattern), count, stream.raw());
    default:
      // Eight bytes: each half as a column of words, eight bytes apart.
      for (std::size_t half = 0; half < 2; ++half)
        RAD_TRY(context.call<DriverFn::MemsetD2D32Async>(to + half * 4, std::size_t(8),
                                                         valueOf<unsigned>(pattern.subspan(half * 4)), std::size_t(1),
                                                         count, stream.raw()));
      return {};
  }
}

Status fill2D(const Stream& stream, CUdeviceptr to, std::size_t pitch, std::span<const std::byte> pattern,
              std::size_t width, std::size_t height) {
  if (width == 0 || height == 0) return {};
  if (pitch < width * pattern.size())
    return fail(ErrorCategory::Misuse, "rows are " + std::to_string(pitch) + " bytes apart, and the fill needs " +
                                           std::to_string(width * pattern.size()) + " of each");
  const Context& context = stream.context();
  switch (pattern.size()) {
    case 1:
      return context.call<DriverFn::MemsetD2D8Async>(to, pitch, valueOf<unsigned char>(pattern), width, height,
                                                     stream.raw());
    case 2:
      return context.call<DriverFn::MemsetD2D16Async>(to, pitch, valueOf<unsigned short>(pattern), width, height,
                                                      stream.raw());
    case 4:
      return context.call<DriverFn::MemsetD2D32Async>(to, pitch, valueOf<unsigned>(pattern), width, height,
                                                      stream.raw());
    default:
      return fail(ErrorCategory::Misuse,
                  "rows cannot be filled with a pattern of " + std::to_string(pattern.size()) + " bytes");
  }
}

}  // namespace rad::cuda

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// Copies and fills, all in the order of a stream. Sizes, offsets and pitches are
/// in bytes. Copies from ordinary memory of the host read it before they return;
/// what is pinned is read and written when the copy happens. Copies to ordinary
/// memory wait. Zero bytes cost no call.

#include "runtime/driver/memory.h"

#include <array>
#include <cstring>
#include <type_traits>

namespace rad::cuda {

/// Host to device. The addressed bytes must lie in one allocation (Misuse, told
/// by the driver).
Status copyToDevice(const Stream& stream, CUdeviceptr to, std::span<const std::byte> from);
/// Device to host.
Status copyToHost(const Stream& stream, std::span<std::byte> to, CUdeviceptr from);
/// Device to device; the ranges must not overlap (Misuse).
Status copyOnDevice(const Stream& stream, CUdeviceptr to, CUdeviceptr from, std::size_t bytes);
/// Between two devices, directly where they are connected.
Status copyBetween(const Stream& stream, const Context& toContext, CUdeviceptr to, const Context& fromContext,
                   CUdeviceptr from, std::size_t bytes);

/// Elements of host memory to the start of `to`, or to element `at`. Refused
/// (Misuse) when they do not fit.
template <class T>
  requires std::is_trivially_copyable_v<T>
Status copy(const Stream& stream, const Memory& to, std::span<const T> from, std::size_t at = 0);
/// Elements from the start of `from`, or from element `at`.
template <class T>
  requires std::is_trivially_copyable_v<T>
Status copy(const Stream& stream, std::span<T> to, const Memory& from, std::size_t at = 0);

/// One side of a copy of rows: where the first byte is, and how far rows and
/// planes are apart.
struct Place {
  enum class Kind : std::uint8_t { Host, Device, Array };
  Kind kind = Kind::Device;
  void* host = nullptr;
  CUdeviceptr device = 0;
  CUarray array = nullptr;
  std::size_t pitch = 0;            ///< bytes from row to row; 0: as wide as the copy
  std::size_t height = 0;           ///< rows from plane to plane; 0: as high as the copy
  std::size_t x = 0, y = 0, z = 0;  ///< offset: bytes, rows, planes

  static Place onDevice(CUdeviceptr address, std::size_t pitch = 0, std::size_t height = 0) {
    Place place;
    place.device = address;
    place.pitch = pitch;
    place.height = height;
    return place;
  }
  static Place onHost(const void* memory, std::size_t pitch = 0, std::size_t height = 0) {
    Place place;
    place.kind = Kind::Host;
    place.host = const_cast<void*>(memory);
    place.pitch = pitch;
    place.height = height;
    return place;
  }
  static Place inArray(CUarray array) {
    Place place;
    place.kind = Kind::Array;
    place.array = array;
    return place;
  }
};

/// `height` rows of `width` bytes. Refused (Misuse): a pitch below the width.
Status copy2D(const Stream& stream, const Place& to, const Place& from, std::size_t width, std::size_t height);
/// `depth` planes of `height` rows of `width` bytes.
Status copy3D(const Stream& stream, const Place& to, const Place& from, std::size_t width, std::size_t height,
              std::size_t depth);
/// The description that the driver takes, for nodes of graphs.
Result<CUDA_MEMCPY3D> describeCopy(const Place& to, const Place& from, std::size_t width, std::size_t height,
                                   std::size_t depth);

/// Many copies in one call, in any order among themselves. Addresses of host
/// memory must be pinned.
struct BatchCopy {
  CUdeviceptr to = 0;
  CUdeviceptr from = 0;
  std::size_t bytes = 0;
};
Status copyBatch(const Stream& stream, std::span<const BatchCopy> copies);

/// Many copies of planes of rows in one call. Not for arrays of images (Misuse).
struct BatchCopy3D {
  Place to, from;
  std::size_t width = 0;  ///< bytes of a row
  std::size_t height = 1;
  std::size_t depth = 1;
};
Status copyBatch3D(const Stream& stream, std::span<const BatchCopy3D> copies);

/// Repeats a pattern of 1, 2, 4 or 8 bytes `count` times; the address must be a
/// multiple of its size (Misuse).
Status fillBytes(const Stream& stream, CUdeviceptr to, std::span<const std::byte> pattern, std::size_t count);

/// `count` elements of a value of 1, 2, 4 or 8 bytes.
template <class T>
  requires(std::is_trivially_copyable_v<T> && (sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8))
Status fill(const Stream& stream, CUdeviceptr to, T value, std::size_t count) {
  return fillBytes(stream, to, std::as_bytes(std::span(&value, 1)), count);
}

/// Rows of a pattern of 1, 2 or 4 bytes: `width` of it in each of `height` rows.
Status fill2D(const Stream& stream, CUdeviceptr to, std::size_t pitch, std::span<const std::byte> pattern,
              std::size_t width, std::size_t height);

/// Fails (Misuse) when [at, at + count) elements of `size` are not in `memory`.
Status checkRange(const Memory& memory, std::size_t at, std::size_t count, std::size_t size);

template <class T>
  requires std::is_trivially_copyable_v<T>
Status copy(const Stream& stream, const Memory& to, std::span<const T> from, std::size_t at) {
  RAD_TRY(checkRange(to, at, from.size(), sizeof(T)));
  return copyToDevice(stream, to.address() + at * sizeof(T), std::as_bytes(from));
}

template <class T>
  requires std::is_trivially_copyable_v<T>
Status copy(const Stream& stream, std::span<T> to, const Memory& from, std::size_t at) {
  RAD_TRY(checkRange(from, at, to.size(), sizeof(T)));
  return copyToHost(stream, std::as_writable_bytes(to), from.address() + at * sizeof(T));
}

}  // namespace rad::cuda

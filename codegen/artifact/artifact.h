// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What code generation hands to the runtime: bytes and a manifest. Plain data, no LLVM, no front end: programs that
// were built ahead of time carry these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace rad::cg {

/// Types of scalars and of the elements of arrays as the runtime sees them. The low byte numbers the scalar as
/// frontend/types/scalars.def does (a unit test compares them); the byte above is the number of scalars less one, so
/// that a vector such as f32x4 is an element type too. Of what has parts of its own (structs, enums, tuples, array
/// values) it is the highest bit, the size in bytes (15 bits), and the position in UnitManifest::compounds, which no
/// later unit of a session changes.
enum class ElementType : uint32_t {
  Bool,
  I8,
  I16,
  I32,
  I64,
  U8,
  U16,
  U32,
  U64,
  Index,
  F16,
  BF16,
  F32,
  F64,
  F8E4M3,
  F8E5M2
};
/// Bytes of one element in memory.
unsigned sizeOf(ElementType type);
/// "f32", "f32x4".
std::string nameOf(ElementType type);
constexpr bool isCompound(ElementType type) { return static_cast<uint32_t>(type) >> 31; }
/// Of a compound: where UnitManifest::compounds describes it.
constexpr unsigned compoundOf(ElementType type) { return static_cast<uint32_t>(type) & 0xffff; }
/// The largest element of an array, in bytes, and the largest number of a compound.
inline constexpr uint64_t largestElement = 0x7fff, largestCompound = 0xffff;
constexpr ElementType compoundType(unsigned number, uint64_t size) {
  return static_cast<ElementType>(0x80000000u | static_cast<uint32_t>(size) << 16 | number);
}
/// The number of scalars: 1, or that of a vector.
constexpr unsigned lanesOf(ElementType type) { return isCompound(type) ? 1 : (static_cast<unsigned>(type) >> 8) + 1; }
/// The type of one scalar of it.
constexpr ElementType scalarOf(ElementType type) {
  return isCompound(type) ? type : static_cast<ElementType>(static_cast<unsigned>(type) & 0xff);
}
constexpr ElementType vectorOf(ElementType scalar, unsigned lanes) {
  return static_cast<ElementType>(static_cast<unsigned>(scalar) | (lanes - 1) << 8);
}

/// What a device tells of itself, numbered as rad::DeviceProperty (frontend/builtins; a unit test compares them).
enum class DeviceProperty : uint8_t {
  Multiprocessors,
  MaxThreadsPerBlock,
  MaxSharedBytesPerBlock,
  MemoryBytes,
  Id,
  Name
};
/// A dimension that the device tells, rather than an array.
struct DeviceSize {
  uint32_t dimension = 0;  // index into KernelManifest::dims
  DeviceProperty property = DeviceProperty::Multiprocessors;
};

/// Arithmetic over dimensions and scalar parameters that the launch evaluates, in 64 bits with overflow reported.
enum class SizeOp : uint8_t { Constant, Dimension, Parameter, Add, Sub, Mul, Div, Rem, Min, Max, CeilDiv };
struct SizeExpr {
  SizeOp op = SizeOp::Constant;
  int64_t value = 0;  // Constant: the value; Dimension, Parameter: index into KernelManifest::dims, ::params
  std::vector<SizeExpr> operands;
};

struct ParamManifest {
  std::string name;
  ElementType type = ElementType::F32;  // of the scalar, or of the view's elements
  std::string elementName = {};         // of a compound: what the program calls it
  bool isView = false;
  bool isStrided = false;  // views: elements need not lie next to each other
  bool isMut = false;
  bool isRead = true, isWritten = false;  // views: elements are read, are written
  bool elementwise = false;               // may share elements with another elementwise argument that is the same view
  std::vector<SizeExpr> shape;            // views: one an axis
};

struct AxisManifest {
  std::string name;
  SizeExpr low, high;
  SizeExpr step{SizeOp::Constant, 1, {}};
};

/// What the program calls the threads of an axis of a block: first + step * their numbers in failure records.
struct ThreadAxisManifest {
  std::string name;
  int64_t first = 0, step = 1;
};

/// A place in the program that may fail while a kernel runs, or that prints there.
struct SiteManifest {
  /// As rad::SiteKind: Overflow, Launch and HostCall stand in host code only. Other: a check without words of
  /// its own.
  enum class Kind : uint8_t {
    Index,
    Proof,
    Assert,
    DivideByZero,
    NegativeStep,
    Other,
    Slice,
    SliceOrder,
    Overflow,
    ShapeBind,
    Launch,
    HostCall,
    Print,
    Uniform
  };
  Kind kind = Kind::Index;
  std::string file;
  uint32_t line = 0, column = 0, endColumn = 0;
  std::string text;                    // the expression, "x[i + 1]"
  std::string message;                 // assert's message, the text of a kernel's print
  std::vector<ElementType> arguments;  // of kernels: the types of the values that fill the `{}` of the message
  std::string sourceLine;              // the whole line, for the caret
  uint32_t dimension = 0, rank = 0;
};

/// How a kernel divides its domain among threads, decided at compile time.
struct GeometryManifest {
  bool isForall = true;
  std::vector<int64_t> threadCount;  // block kernels: extents of the thread axes (last fastest)
  uint32_t threadsPerBlock = 256;    // launch this many, one-dimensional
  uint32_t pointsPerThread = 1;      // forall: consecutive points of the last axis that one thread takes
  uint32_t maxBlocks = 0;            // 0: as many as needed; else the kernel strides over the rest (reductions)
};

enum class ReduceOp : uint8_t { None, Sum, Min, Max, All, Any };

/// Everything that binding and launching a kernel needs to know of it, whatever the device.
///
/// Parameters of the compiled kernel, in this order, each naturally aligned:
///   one for each `params` entry: a scalar by value (bool: u8), a view as the address of its first element;
///   i64 for each `dims` entry: its value;
///   for each strided view, i64 for each of its axes: the distance of neighbours, in elements;
///   i64 low, i64 high for each axis;
///   reductions: the address of the partial results (one of type `reductionType` for each block; host: for each chunk);
///   the address of the failure state (FailureState below), u32 launch serial number.
struct KernelManifest {
  std::string name;    // for messages
  std::string symbol;  // in the image
  std::vector<std::string> dims;
  std::vector<DeviceSize> deviceSizes;  // those of `dims` that no array tells
  std::vector<ParamManifest> params;
  std::vector<AxisManifest> axes;
  std::vector<ThreadAxisManifest> threads;             // block kernels
  std::vector<std::pair<SizeExpr, SizeExpr>> inRange;  // a <= b each: then SpecKey::inRange
  GeometryManifest geometry;
  uint32_t staticSharedBytes = 0;
  uint32_t dynamicSharedBytes = 0;  // shared memory is one dynamic block where it exceeds the static limit
  bool prints = false;              // it, or a function that it calls, may print
  bool isAssignment = false;        // copies elements, (from, mut to): where they share some, the old values are taken
  ReduceOp reduce = ReduceOp::None;
  ElementType reductionType = ElementType::F32;
  std::string definedAt;  // "saxpy.rad:2"
};

/// A type whose values have parts.
struct CompoundManifest {
  enum class Kind : uint8_t { Struct, Enum, Tuple, Array } kind = Kind::Struct;
  std::string name;                // "Particle", "(f32, i32)"
  std::vector<std::string> names;  // of a struct's members, of an enum's values from 0 on
  std::vector<ElementType> types;  // of members and items; of an array value: one, of its elements
  std::vector<uint32_t> offsets;   // of members and items, in bytes
  uint64_t count = 0;              // Array
};

/// A unit's kernels and places; index = the id that launches and compiled code use.
struct UnitManifest {
  std::vector<CompoundManifest> compounds;  // the first one stands for nothing
  std::vector<KernelManifest> kernels;
  std::vector<SiteManifest> sites;  // site ids are unique within a unit
};

/// What a launch knows of its arguments that a compiled variant may rely on.
struct SpecKey {
  bool aligned16 = false;        // every view starts at a multiple of 16 bytes
  bool innerDivisible4 = false;  // the last extent of every view of rank 2 and more is a multiple of 4
  bool small = false;    // all extents, element counts, distances within strided views and the number of domain points
                         // are below 2^30, bounds and steps of the domain within +-2^30
  bool aliased = false;  // elementwise arguments share elements (map(f, y, y)): nothing may be assumed not to overlap
  bool inRange = false;  // the kernel has conditions (KernelManifest::inRange), and all hold: indices marked AtLaunch
                         // need no check
  friend bool operator==(const SpecKey&, const SpecKey&) = default;
  friend auto operator<=>(const SpecKey&, const SpecKey&) = default;
};

/// The record that a failing thread writes; in memory that the host can read without a copy, also after a trap.
struct FailureRecord {
  uint32_t flag;  // written last: 1 if the rest is valid
  uint32_t site;
  uint32_t launch;  // the launch's serial number
  uint32_t reserved;
  int64_t value;      // the index
  int64_t extent;     // the size it must be below
  uint32_t block[3];  // x is the last axis
  uint32_t thread[3];
  int64_t point[4];     // forall: the point's coordinates, in the order of the axes; else 0
  uint64_t values[32];  // assert: what fills its message, each in the low bytes of its word
};
/// As rad::maxMessageValues.
inline constexpr size_t maxMessageValues = std::extent_v<decltype(FailureRecord::values)>;

/// What an instruction of a kernel does to memory, for --check.
enum class AccessWhat : uint32_t { Reads = 1, Writes = 2, Atomic = 4, BlockScope = 8 };
constexpr AccessWhat operator|(AccessWhat a, AccessWhat b) {
  return static_cast<AccessWhat>(static_cast<uint32_t>(a) | static_cast<uint32_t>(b));
}
constexpr bool has(AccessWhat what, AccessWhat flag) {
  return (static_cast<uint32_t>(what) & static_cast<uint32_t>(flag)) != 0;
}

/// A line that a kernel printed: this, and then a word for each value, with the value in its low bytes.
struct PrintedLine {
  uint32_t words;  // of 8 bytes, this head included; 0: no line stands here
  uint32_t site;
  uint32_t launch;  // the launch's serial number
  uint32_t reserved;
  uint64_t position;  // of the point in the flattened domain, or of the thread in the grid
};

/// Where kernels leave what they print until the host next waits: lines one after the other, in the order in which they
/// came. Allocated before the first launch of a kernel that prints.
struct PrintState {
  uint64_t used;      // words claimed, by atomic addition; more than `capacity` where lines were lost
  uint64_t lost;      // lines that found no room
  uint64_t capacity;  // words
  uint64_t* lines;    // all zero before
};
/// Words of PrintState::lines: one megabyte.
inline constexpr uint64_t printCapacity = 131072;

/// What kernels get the address of. On CUDA it lies in device memory (so that the claim is cheap) and points to a
/// record in mapped pinned memory; on the host both are plain memory.
struct FailureState {
  uint32_t claimed;  // 0, or 1 once a thread of any launch has taken the record: by atomic exchange
  uint32_t reserved;
  FailureRecord* record;
  PrintState* print;  // null until a kernel that prints is launched
};

/// One compiled kernel for CUDA: PTX, or a cubin once it is assembled, with its full target name ("sm_90a").
struct DeviceCode {
  std::string target;
  std::string ptx;
  std::vector<std::byte> cubin;
  GeometryManifest geometry;  // of this variant
  uint32_t staticSharedBytes = 0, dynamicSharedBytes = 0;
};

/// The native form of a kernel on CPU threads: runs blocks or rows [begin, end) of the flattened outer domain.
///   forall: the outer domain is all axes but the last (flattened, last of them fastest; rank 1: the axis itself), and
///           each of its points runs the whole last axis; reductions write partials[chunk].
///   blocks: the flattened grid, last axis fastest.
/// `arguments` are the addresses of the kernel parameters in manifest order (as for cuLaunchKernel). `scratch` is at
/// least `scratchBytes` large, 64-byte aligned and private to the calling thread: shared memory and the locals of
/// work-items. A failed check stops its point or thread; other work goes on.
using NativeKernel = void (*)(const void* const* arguments, int64_t begin, int64_t end, int64_t chunk, void* scratch);

}  // namespace rad::cg

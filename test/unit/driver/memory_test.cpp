// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory of every kind, copies, fills, and what a pointer is.

#include "runtime/driver/copy.h"
#include "test/unit/driver/backend.h"

#include <numeric>

namespace rad::cuda {
namespace {

class MemoryTest : public OnEach {
 protected:
  void SetUp() override {
    OnEach::SetUp();
    if (IsSkipped()) return;
    ASSERT_MADE(stream_, Stream::create(context_));
  }
  void TearDown() override {
    stream_ = Stream();
    OnEach::TearDown();
  }
  template <class T>
  std::vector<T> contentOf(const Memory& memory) {
    std::vector<T> out(memory.bytes() / sizeof(T));
    EXPECT_OK(copy(stream_, std::span(out), memory));
    EXPECT_OK(stream_.synchronize());
    return out;
  }
  static std::vector<std::uint32_t> numbers(std::size_t count) {
    std::vector<std::uint32_t> out(count);
    std::iota(out.begin(), out.end(), 1u);
    return out;
  }
  Stream stream_;
};
RAD_ON_EACH(MemoryTest);

TEST_P(MemoryTest, ComesFromTheDeviceThePoolOrAPoolOfTheProgram) {
  ASSERT_MADE(Pool pool, Pool::create(context_));
  const auto values = numbers(1000);
  for (int kind = 0; kind < 3; ++kind) {
    ASSERT_MADE(Memory memory, kind == 0   ? Memory::allocate(context_, 4000)
                               : kind == 1 ? Memory::allocate(stream_, 4000)
                                           : Memory::allocate(pool, stream_, 4000));
    EXPECT_EQ(memory.bytes(), 4000u);
    ASSERT_OK(copy(stream_, memory, std::span<const std::uint32_t>(values)));
    EXPECT_EQ(contentOf<std::uint32_t>(memory), values);
    EXPECT_FAILS(copy(stream_, memory, std::span<const std::uint32_t>(values), 1),
                 "elements 1 to 1001 do not lie in memory for 1000");
  }
  ASSERT_MADE(Memory nothing, Memory::allocate(context_, 0));
  EXPECT_EQ(nothing.address(), 0u);
  EXPECT_OK(copy(stream_, nothing, std::span<const std::uint32_t>()));
}

TEST_P(MemoryTest, WhatTheProgramHoldsIsSaidWhenThereIsNoMore) {
  ASSERT_MADE(const MemoryInfo info, memoryInfo(context_));
  const auto message = [&] {
    const auto more = Memory::allocate(context_, info.total + (1 << 20));
    return errorOf(more);
  };
  EXPECT_EQ(message().find("this program holds"), std::string::npos);
  {
    ASSERT_MADE(const Memory one, Memory::allocate(context_, 3 << 20));
    ASSERT_MADE(const Memory two, Memory::allocate(stream_, 2 << 20));
    ASSERT_MADE(const PitchedMemory rows, PitchedMemory::allocate(context_, 512, 1024));
    EXPECT_NE(message().find("; this program holds 5.5 MiB in 3 allocations, the "
                             "largest of 3.0 MiB, 2.0 MiB, 512.0 KiB"),
              std::string::npos)
        << message();
  }
  EXPECT_EQ(message().find("this program holds"), std::string::npos);
}

TEST_P(MemoryTest, TooMuchIsRefusedWithTheNumbersAndHarmsNothing) {
  ASSERT_MADE(const MemoryInfo info, memoryInfo(context_));
  ASSERT_MADE(Pool pool, Pool::create(context_));
  EXPECT_FAILS(Memory::allocate(context_, info.total * 2), " free of ");
  EXPECT_FAILS(Memory::allocate(stream_, info.total * 2), " free of ");
  auto refused = Memory::allocate(pool, stream_, info.total * 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().category, ErrorCategory::Resources);
  EXPECT_OK(Memory::allocate(pool, stream_, 4096));
}

TEST_P(MemoryTest, PoolsCountWhatTheyHold) {
  ASSERT_MADE(Pool pool, Pool::create(context_));
  {
    ASSERT_MADE(Memory memory, Memory::allocate(pool, stream_, 1 << 20));
    ASSERT_MADE(const PoolStatistics now, pool.statistics());
    EXPECT_GE(now.used, std::uint64_t(1) << 20);
    EXPECT_GE(now.reserved, now.used);
  }
  ASSERT_OK(stream_.synchronize());
  ASSERT_MADE(PoolStatistics after, pool.statistics());
  EXPECT_EQ(after.used, 0u);
  EXPECT_GE(after.usedHigh, std::uint64_t(1) << 20);
  EXPECT_GT(after.reserved, 0u) << "kept for the next allocation";
  ASSERT_OK(pool.trim());
  ASSERT_OK(pool.resetHighMarks());
  ASSERT_MADE(after, pool.statistics());
  EXPECT_EQ(after.reserved, 0u);
  EXPECT_EQ(after.usedHigh, 0u);
  EXPECT_OK(pool.setAccess(context_.device(), true));
  EXPECT_OK(Pool::defaultOf(context_));
}

TEST_P(MemoryTest, MemoryOutlivesThePoolAndTheStreamThatItCameFrom) {
  Memory memory;
  {
    ASSERT_MADE(Pool pool, Pool::create(context_));
    ASSERT_MADE(Stream own, Stream::create(context_));
    ASSERT_MADE(memory, Memory::allocate(pool, own, 64));
    ASSERT_OK(memory.useOn(stream_));
  }
  ASSERT_OK(fill(stream_, memory.address(), std::uint32_t(5), 16));
  EXPECT_EQ(contentOf<std::uint32_t>(memory)[15], 5u);
}

TEST_P(MemoryTest, FreeingWaitsForTheOtherStreamsThatUseIt) {
  ASSERT_MADE(Stream other, Stream::create(context_));
  for (int way = 0; way < 2; ++way) {
    ASSERT_MADE(Memory memory, Memory::allocate(stream_, 4000));
    ASSERT_OK(memory.useOn(other));
    ASSERT_OK(fill(other, memory.address(), std::uint32_t(9), 1000));
    if (way == 0) memory = Memory();
    else memory.freeOn(other);
    EXPECT_FALSE(memory);
  }
  EXPECT_OK(stream_.synchronize());
  EXPECT_OK(other.synchronize());
}

TEST_P(MemoryTest, PinnedMemoryIsSeenByBoth) {
  ASSERT_MADE(PinnedMemory pinned, PinnedMemory::allocate(context_, 4096));
  ASSERT_MADE(const CUdeviceptr mapped, pinned.deviceAddress());
  std::ranges::fill(pinned.as<std::uint32_t>(), 0u);
  // The device writes it through its own address.
  ASSERT_OK(fill(stream_, mapped, std::uint32_t(0xabcd), 1024));
  ASSERT_OK(stream_.synchronize());
  EXPECT_EQ(pinned.as<std::uint32_t>()[1023], 0xabcdu);
  ASSERT_MADE(Memory memory, Memory::allocate(context_, 4096));
  ASSERT_OK(copyToDevice(stream_, memory.address(), pinned.data()));
  EXPECT_EQ(contentOf<std::uint32_t>(memory)[512], 0xabcdu);
  ASSERT_MADE(PinnedMemory combined, PinnedMemory::allocate(context_, 100, {.writeCombined = true}));
  EXPECT_OK(combined.deviceAddress());
}

TEST_P(MemoryTest, MemoryOfTheProgramCanBePinnedForAWhile) {
  std::vector<std::byte> ordinary(1 << 16);
  for (int round = 0; round < 2; ++round) {
    ASSERT_MADE(RegisteredMemory registered, RegisteredMemory::add(context_, ordinary));
    EXPECT_FAILS(RegisteredMemory::add(context_, ordinary), "712");
    ASSERT_MADE(const CUdeviceptr mapped, registered.deviceAddress());
    ASSERT_OK(fill(stream_, mapped, std::uint8_t(3), ordinary.size()));
    ASSERT_OK(stream_.synchronize());
    EXPECT_EQ(ordinary.back(), std::byte(3));
  }
}

TEST_P(MemoryTest, ManagedMemoryMustBeAskedFor) {
  EXPECT_FAILS(ManagedMemory::allocate(context_, 64), "managed memory is refused unless it is asked for");
  ASSERT_MADE(ManagedMemory managed, ManagedMemory::allocate(context_, 4096, {.allow = true}));
  ASSERT_MADE(auto bytes, managed.hostView(stream_));
  std::ranges::fill(bytes, std::byte(1));
  ASSERT_OK(managed.advise(CU_MEM_ADVISE_SET_PREFERRED_LOCATION));
  ASSERT_OK(managed.prefetchToDevice(stream_));
  ASSERT_OK(fill(stream_, managed.address(), std::uint16_t(0x0202), 1024));
  ASSERT_OK(managed.prefetchToHost(stream_));
  ASSERT_OK(stream_.synchronize());
  ASSERT_MADE(bytes, managed.hostView(stream_));
  EXPECT_EQ(bytes[2047], std::byte(2));
  EXPECT_EQ(bytes[2048], std::byte(1));
}

TEST_P(MemoryTest, PointersAreClassified) {
  using Kind = PointerInfo::Kind;
  ASSERT_MADE(Pool pool, Pool::create(context_));
  ASSERT_MADE(Memory plain, Memory::allocate(context_, 1000));
  ASSERT_MADE(Memory pooled, Memory::allocate(pool, stream_, 1000));
  ASSERT_MADE(PinnedMemory pinned, PinnedMemory::allocate(context_, 1000));
  ASSERT_MADE(ManagedMemory managed, ManagedMemory::allocate(context_, 1000, {.allow = true}));
  std::vector<int> ordinary(10);
  ASSERT_MADE(PointerInfo info, inspect(context_, plain.address() + 500));
  EXPECT_EQ(info.kind, Kind::Device);
  EXPECT_EQ(info.base, plain.address());
  EXPECT_GE(info.bytes, 1000u);
  EXPECT_EQ(info.context, context_.raw());
  EXPECT_EQ(info.device, 0);
  const std::uint64_t id = info.id;
  ASSERT_MADE(info, inspect(context_, pooled.address()));
  EXPECT_EQ(info.kind, Kind::Device);
  EXPECT_EQ(info.pool, pool.raw());
  EXPECT_NE(info.id, id);
  ASSERT_MADE(info, inspect(context_, pinned.data().data()));
  EXPECT_EQ(info.kind, Kind::Pinned);
  ASSERT_MADE(info, inspect(context_, managed.address()));
  EXPECT_EQ(info.kind, Kind::Managed);
  ASSERT_MADE(info, inspect(context_, ordinary.data()));
  EXPECT_EQ(info.kind, Kind::Ordinary);

  EXPECT_OK(checkKernelPointer(context_, plain.address() + 500, 500));
  EXPECT_FAILS(checkKernelPointer(context_, plain.address() + 500, 1 << 20), "of an allocation of");
  EXPECT_FAILS(checkKernelPointer(context_, 0, 4), "a null pointer");
  if (context_.device().attributeOr(CU_DEVICE_ATTRIBUTE_PAGEABLE_MEMORY_ACCESS, 0) == 0)
    EXPECT_FAILS(checkKernelPointer(context_, reinterpret_cast<CUdeviceptr>(ordinary.data()), 4),
                 "a pointer of the host was given");
}

// ---- copies and fills ----

TEST_P(MemoryTest, FillsEveryWidthAndOddLengths) {
  ASSERT_MADE(Memory memory, Memory::allocate(context_, 4096));
  const CUdeviceptr at = memory.address();
  ASSERT_OK(fill(stream_, at, std::uint8_t(7), 1023));
  ASSERT_OK(fill(stream_, at + 1024, std::uint16_t(0x0102), 511));
  ASSERT_OK(fill(stream_, at + 2048, 1.5f, 255));
  ASSERT_OK(fill(stream_, at + 3072, 0.1, 127));
  const auto bytes = contentOf<std::uint8_t>(memory);
  EXPECT_EQ(bytes[1022], 7);
  EXPECT_EQ(bytes[1024 + 1020], 2);
  EXPECT_EQ(bytes[1024 + 1021], 1);
  float single = 0;
  double twice = 0;
  std::memcpy(&single, &bytes[2048 + 254 * 4], 4);
  std::memcpy(&twice, &bytes[3072 + 126 * 8], 8);
  EXPECT_EQ(single, 1.5f);
  EXPECT_EQ(twice, 0.1);
  EXPECT_FAILS(fill(stream_, at + 2, 1.5f, 1), "not a multiple of 4 bytes");
  EXPECT_FAILS(fillBytes(stream_, at, std::vector<std::byte>(3), 1), "a pattern of 3 bytes");
}

TEST_P(MemoryTest, RowsAndPlanesKeepTheirPlaces) {
  // A block of 3 planes of 5 rows of 40 bytes out of one of 4 x 8 x 64 bytes.
  std::vector<std::uint8_t> host(4 * 8 * 64), back(host.size(), 0);
  for (std::size_t i = 0; i < host.size(); ++i) host[i] = std::uint8_t(i * 7 + i / 256);
  ASSERT_MADE(Memory memory, Memory::allocate(context_, 1 << 16));
  ASSERT_OK(fill(stream_, memory.address(), std::uint8_t(0), 1 << 16));
  Place from = Place::onHost(host.data(), 64, 8);
  from.x = 8, from.y = 2, from.z = 1;
  Place to = Place::onDevice(memory.address(), 128, 16);
  to.x = 4, to.y = 1, to.z = 2;
  ASSERT_OK(copy3D(stream_, to, from, 40, 5, 3));
  Place target = Place::onHost(back.data(), 64, 8);
  target.x = 8, target.y = 2, target.z = 1;
  ASSERT_OK(copy3D(stream_, target, to, 40, 5, 3));
  ASSERT_OK(stream_.synchronize());
  for (std::size_t z = 0; z < 4; ++z)
    for (std::size_t y = 0; y < 8; ++y)
      for (std::size_t x = 0; x < 64; ++x) {
        const bool inside = z >= 1 && y >= 2 && y < 7 && x >= 8 && x < 48;
        const std::size_t i = (z * 8 + y) * 64 + x;
        ASSERT_EQ(back[i], inside ? host[i] : 0) << z << ' ' << y << ' ' << x;
      }
  EXPECT_FAILS(copy2D(stream_, Place::onDevice(memory.address(), 16), Place::onHost(host.data()), 40, 2),
               "rows are 16 bytes apart, and the copy needs 40");
  EXPECT_FAILS(copy3D(stream_, Place::onDevice(memory.address(), 64, 2), Place::onHost(host.data(), 64, 8), 40, 3, 2),
               "planes are 2 rows apart");
}

TEST_P(MemoryTest, PitchedRowsAreCopiedAndFilled) {
  ASSERT_MADE(PitchedMemory rows, PitchedMemory::allocate(context_, 100, 7));
  EXPECT_GE(rows.pitch, 100u);
  const CUdeviceptr at = rows.memory.address();
  const std::uint8_t byte[] = {5};
  const std::uint16_t half[] = {0x0607};
  const std::uint32_t word[] = {0x08090a0b};
  ASSERT_OK(fill2D(stream_, at, rows.pitch, std::as_bytes(std::span(byte)), 100, 7));
  ASSERT_OK(fill2D(stream_, at, rows.pitch, std::as_bytes(std::span(half)), 25, 7));
  ASSERT_OK(fill2D(stream_, at, rows.pitch, std::as_bytes(std::span(word)), 2, 3));
  std::vector<std::uint8_t> back(700);
  ASSERT_OK(copy2D(stream_, Place::onHost(back.data()), Place::onDevice(at, rows.pitch), 100, 7));
  ASSERT_OK(stream_.synchronize());
  EXPECT_EQ(back[2 * 100 + 7], 0x08);
  EXPECT_EQ(back[3 * 100 + 7], 0x06);
  EXPECT_EQ(back[6 * 100 + 49], 0x06);
  EXPECT_EQ(back[6 * 100 + 50], 5);
  EXPECT_EQ(back[6 * 100 + 99], 5);
}

TEST_P(MemoryTest, ManyCopiesGoInOneCall) {
  ASSERT_MADE(PinnedMemory pinned, PinnedMemory::allocate(context_, 4000));
  ASSERT_MADE(const CUdeviceptr source, pinned.deviceAddress());
  const auto values = numbers(1000);
  std::ranges::copy(values, pinned.as<std::uint32_t>().begin());
  ASSERT_MADE(Memory memory, Memory::allocate(context_, 4000));
  // Backwards, in pieces of 400 bytes; and one of none.
  std::vector<BatchCopy> pieces{{memory.address(), source, 0}};
  for (std::size_t i = 0; i < 10; ++i) pieces.push_back({memory.address() + (9 - i) * 400, source + i * 400, 400});
  ASSERT_OK(copyBatch(stream_, pieces));
  ASSERT_OK(copyBatch(stream_, {}));
  const auto back = contentOf<std::uint32_t>(memory);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(back[(9 - i) * 100 + 5], i * 100 + 6);
}

TEST_P(MemoryTest, ManyPlanesGoInOneCall) {
  // A box of 2 planes of 3 rows of 8 bytes, out of 4 x 5 x 16, and back.
  ASSERT_MADE(PinnedMemory from, PinnedMemory::allocate(context_, 4 * 5 * 16));
  ASSERT_MADE(PinnedMemory back, PinnedMemory::allocate(context_, 2 * 3 * 8));
  ASSERT_MADE(Memory box, Memory::allocate(context_, 2 * 3 * 8));
  for (std::size_t i = 0; i < from.data().size(); ++i) from.data()[i] = std::byte(i);
  Place source = Place::onHost(from.data().data(), 16, 5);
  source.x = 4;
  source.y = 1;
  source.z = 2;
  const BatchCopy3D in[] = {{Place::onDevice(box.address()), source, 8, 3, 2},
                            {Place::onDevice(box.address()), source, 0, 3, 2}};
  ASSERT_OK(copyBatch3D(stream_, in));
  const BatchCopy3D out[] = {{Place::onHost(back.data().data()), Place::onDevice(box.address()), 8, 3, 2}};
  ASSERT_OK(copyBatch3D(stream_, out));
  ASSERT_OK(stream_.synchronize());
  for (std::size_t z = 0; z < 2; ++z)
    for (std::size_t y = 0; y < 3; ++y)
      for (std::size_t x = 0; x < 8; ++x)
        ASSERT_EQ(back.data()[(z * 3 + y) * 8 + x], std::byte(((z + 2) * 5 + y + 1) * 16 + x + 4));
  const BatchCopy3D narrow[] = {{Place::onDevice(box.address(), 4), source, 8, 3, 2}};
  EXPECT_FAILS(copyBatch3D(stream_, narrow), "rows are 4 bytes apart");
  const BatchCopy3D array[] = {{Place::inArray(nullptr), source, 8, 3, 2}};
  EXPECT_FAILS(copyBatch3D(stream_, array), "an array of images");
}

TEST_P(MemoryTest, ValuesAreWrittenAndWaitedForInBatches) {
  ASSERT_MADE(Stream other, Stream::create(context_));
  ASSERT_MADE(Memory flags, Memory::allocate(context_, 32));
  const CUdeviceptr at = flags.address();
  ASSERT_OK(fill(stream_, at, std::uint32_t(0), 8));
  ASSERT_OK(stream_.synchronize());
  const ValueStep first[] = {ValueStep::write(at, 5), ValueStep::write64(at + 8, 1ull << 40)};
  const ValueStep second[] = {ValueStep::wait(at, 5, Compare::Equal), ValueStep::wait64(at + 8, 1ull << 40),
                              ValueStep::write(at + 16, 7)};
  ASSERT_OK(stream_.batch(first));
  ASSERT_OK(other.batch(second));
  ASSERT_OK(other.synchronize());
  const auto values = contentOf<std::uint32_t>(flags);
  EXPECT_EQ(values[0], 5u);
  EXPECT_EQ(values[3], 256u);
  EXPECT_EQ(values[4], 7u);
  EXPECT_OK(other.batch({}));
  const std::vector<ValueStep> many(257, ValueStep::write(at, 1));
  EXPECT_FAILS(other.batch(many), "at most 256 writes and waits");
}

TEST_P(MemoryTest, CopiesOnTheDeviceMustNotOverlap) {
  ASSERT_MADE(Memory memory, Memory::allocate(context_, 1000));
  EXPECT_FAILS(copyOnDevice(stream_, memory.address() + 10, memory.address(), 500), "overlaps its own source");
  EXPECT_OK(copyOnDevice(stream_, memory.address() + 500, memory.address(), 500));
  EXPECT_OK(copyBetween(stream_, context_, memory.address(), context_, memory.address() + 500, 500));
  EXPECT_OK(stream_.synchronize());
}

TEST_P(MemoryTest, ValuesInMemoryOrderStreams) {
  ASSERT_MADE(Stream other, Stream::create(context_));
  ASSERT_MADE(Memory flags, Memory::allocate(context_, 64));
  ASSERT_MADE(Memory memory, Memory::allocate(context_, 4));
  const CUdeviceptr at = flags.address();
  ASSERT_OK(fill(stream_, at, std::uint32_t(0), 16));
  ASSERT_OK(stream_.synchronize());
  ASSERT_OK(other.waitValue(at, 3));
  ASSERT_OK(other.waitValue(at + 4, 0x10, Compare::AnyBit));
  ASSERT_OK(other.waitValue64(at + 8, 77, Compare::Equal));
  ASSERT_OK(fill(other, memory.address(), std::uint32_t(2), 1));
  EXPECT_EQ(other.done().value_or(true), false);
  ASSERT_OK(fill(stream_, memory.address(), std::uint32_t(1), 1));
  ASSERT_OK(stream_.writeValue(at, 4));
  ASSERT_OK(stream_.writeValue(at + 4, 0x18));
  ASSERT_OK(stream_.writeValue64(at + 8, 77));
  ASSERT_OK(other.synchronize());
  EXPECT_EQ(contentOf<std::uint32_t>(memory)[0], 2u);
}

// ---- rules that only the fake can show ----

using MemoryRules = OnFake;

TEST_F(MemoryRules, AnAllocationIsTriedAgainAfterThePoolGaveBack) {
  start("fail=cuMemAllocFromPoolAsync@1:2;fail=cuMemAllocAsync@1:2");
  ASSERT_MADE(Stream stream, Stream::create(context_));
  ASSERT_MADE(Pool pool, Pool::create(context_));
  EXPECT_OK(Memory::allocate(pool, stream, 64));
  EXPECT_OK(Memory::allocate(stream, 64));
}

TEST_F(MemoryRules, ADeviceWithoutManagedMemoryForTheHostRefusesWhileItWorks) {
  start("preset=sm_75");
  ASSERT_MADE(Stream stream, Stream::create(context_));
  ASSERT_MADE(ManagedMemory managed, ManagedMemory::allocate(context_, 64, {.allow = true}));
  ASSERT_OK(managed.prefetchToDevice(stream));
  EXPECT_FAILS(managed.hostView(stream), "while cuda:0 works");
  ASSERT_OK(stream.synchronize());
  EXPECT_OK(managed.hostView(stream));
}

TEST_F(MemoryRules, MemoryThatCannotBeOrderedIsLeakedAndTold) {
  start("fail=cuEventRecord@2:2");
  checked_ = false;
  ASSERT_MADE(Stream first, Stream::create(context_));
  ASSERT_MADE(Stream second, Stream::create(context_));
  {
    ASSERT_MADE(Memory memory, Memory::allocate(first, 64));
    ASSERT_OK(memory.useOn(second));
  }
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_NE(warnings_[0].find("could not release device memory"), std::string::npos);
  EXPECT_EQ(fake().live("memory"), 1);
}

}  // namespace
}  // namespace rad::cuda

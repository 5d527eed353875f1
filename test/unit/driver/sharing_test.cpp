// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory that is mapped or shared, tensor copies, images, parts of a device, two
// devices.

#include "runtime/driver/external.h"
#include "runtime/driver/green.h"
#include "runtime/driver/ipc.h"
#include "runtime/driver/profiler.h"
#include "runtime/driver/tensor_map.h"
#include "runtime/driver/texture.h"
#include "runtime/driver/virtual_memory.h"
#include "test/unit/driver/kernels.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <set>

namespace rad::cuda {
namespace {

using namespace test_kernels;

class Sharing : public WithKernels {
 protected:
  std::vector<std::uint32_t> read(CUdeviceptr at, std::size_t count) {
    std::vector<std::uint32_t> out(count);
    EXPECT_OK(copyToHost(stream_, std::as_writable_bytes(std::span(out)), at));
    EXPECT_OK(stream_.synchronize());
    return out;
  }
};
RAD_ON_EACH(Sharing);

TEST_P(Sharing, MemoryGrowsWhereItIs) {
  ASSERT_MADE(const std::size_t unit, mappingGranularity(context_));
  ASSERT_MADE(GrowableMemory memory, GrowableMemory::create(context_, 4 * unit));
  EXPECT_EQ(memory.bytes(), 0u);
  ASSERT_OK(memory.grow(100));
  EXPECT_EQ(memory.bytes(), unit);
  const CUdeviceptr at = memory.address();
  ASSERT_OK(fill(stream_, at, 7u, unit / 4));
  ASSERT_OK(memory.grow(3 * unit));
  EXPECT_EQ(memory.address(), at);
  ASSERT_OK(fill(stream_, at + unit, 8u, 2 * unit / 4));
  EXPECT_EQ(read(at, 1)[0], 7u);
  EXPECT_EQ(read(at + unit - 4, 1)[0], 7u);
  EXPECT_EQ(read(at + unit, 1)[0], 8u);
  EXPECT_FAILS(memory.grow(5 * unit), "memory that can grow to");
}

TEST_P(Sharing, OneMemoryCanHaveTwoAddresses) {
  ASSERT_MADE(PhysicalMemory memory, PhysicalMemory::create(context_, 1000, true));
  ASSERT_MADE(AddressRange first, AddressRange::reserve(context_, memory.bytes()));
  ASSERT_MADE(AddressRange second, AddressRange::reserve(context_, memory.bytes()));
  ASSERT_OK(first.map(0, memory));
  ASSERT_MADE(const rt::UniqueFd fd, memory.share());
  ASSERT_MADE(PhysicalMemory same, PhysicalMemory::open(context_, fd, memory.bytes()));
  ASSERT_OK(second.map(0, same));
  memory = PhysicalMemory();  // what is mapped keeps it
  ASSERT_OK(fill(stream_, first.address(), 99u, 16));
  EXPECT_EQ(read(second.address(), 16)[15], 99u);
  EXPECT_FAILS(first.map(0, same), "something is mapped at byte 0");
  EXPECT_FAILS(first.map(1, same), "do not fit into a range");
  ASSERT_OK(first.unmap(0));
  EXPECT_FAILS(first.unmap(0), "nothing is mapped at byte 0");
  ASSERT_OK(first.map(0, same));
}

// ---- tensor copies ----

TensorMapSpec goodSpec(CUdeviceptr address) {
  TensorMapSpec spec;
  spec.type = CU_TENSOR_MAP_DATA_TYPE_UINT32;
  spec.address = address;
  spec.sizes = {20, 10};
  spec.strides = {80};
  spec.box = {8, 8};
  return spec;
}

/// One box of 8 x 8 words to `out`; what is outside of the array is 0.
std::string tilePtx() {
  return R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry tile(.param .align 64 .b8 map[128], .param .u64 out, .param .u32 x, .param .u32 y)
{
  .reg .pred %p<3>; .reg .b32 %r<8>; .reg .b64 %d<8>;
  .shared .align 128 .b8 box[256];
  .shared .align 8 .b64 bar;
  mov.b64 %d1, map;
  cvta.param.u64 %d2, %d1;
  ld.param.u64 %d3, [out];
  ld.param.u32 %r1, [x];
  ld.param.u32 %r2, [y];
  mov.u32 %r3, bar; mov.u32 %r4, box;
  mbarrier.init.shared.b64 [%r3], 1;
  fence.proxy.async;
  mbarrier.arrive.expect_tx.shared.b64 %d4, [%r3], 256;
  cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%r4], [%d2, {%r1, %r2}], [%r3];
WAIT:
  mbarrier.try_wait.parity.shared.b64 %p1, [%r3], 0;
  @!%p1 bra WAIT;
  mov.u32 %r5, 0;
NEXT:
  add.u32 %r6, %r4, %r5;
  ld.shared.u32 %r7, [%r6];
  cvt.u64.u32 %d5, %r5;
  add.s64 %d6, %d3, %d5;
  st.global.u32 [%d6], %r7;
  add.u32 %r5, %r5, 4;
  setp.lt.u32 %p2, %r5, 256;
  @%p2 bra NEXT;
  ret;
}
)";
}

TEST_P(Sharing, TensorCopiesMoveABoxAndFillWhatIsOutside) {
  if (!hasClusters()) GTEST_SKIP() << "needs 9.0";
  ASSERT_MADE(Memory memory, Memory::allocate(context_, 800));
  std::vector<std::uint32_t> values(200);
  for (std::uint32_t i = 0; i < 200; ++i) values[i] = 1000 + i;
  ASSERT_OK(copy(stream_, memory, std::span<const std::uint32_t>(values)));
  ASSERT_MADE(TensorMap map, encodeTensorMap(context_, goodSpec(memory.address())));
  static_assert(alignof(TensorMap) >= 64 && sizeof(TensorMap) == 128);
  ASSERT_MADE(const TensorMap moved, withAddress(context_, map, memory.address()));
  EXPECT_EQ(std::memcmp(&map, &moved, sizeof map), 0);
  ASSERT_MADE(Kernel tile, kernel(tilePtx(), "tile"));
  ASSERT_MADE(Memory out, filled(64, std::uint32_t(1)));
  ASSERT_OK(launch(stream_, tile, {}, map, out.address(), 16u, 4u));
  const auto box = contentOf<std::uint32_t>(out);
  for (std::uint32_t y = 0; onGpu() && y < 8; ++y)
    for (std::uint32_t x = 0; x < 8; ++x)
      ASSERT_EQ(box[y * 8 + x], x < 4 && y < 6 ? 1000 + (4 + y) * 20 + 16 + x : 0u) << x << ' ' << y;
  EXPECT_FAILS(withAddress(context_, map, 8), "not a multiple of 16");
}

TEST(TensorMaps, EveryRuleIsNamed) {
  const struct {
    void (*spoil)(TensorMapSpec&);
    const char* message;
  } cases[] = {
      {[](TensorMapSpec& s) {
         s.sizes = {};
         s.strides = {};
         s.box = {};
       },
       "it has 0 axes"},
      {[](TensorMapSpec& s) { s.sizes.resize(6, 1); }, "it has 6 axes"},
      {[](TensorMapSpec& s) { s.interleave = CU_TENSOR_MAP_INTERLEAVE_16B; }, "2 axes, and 3 to 5"},
      {[](TensorMapSpec& s) { s.strides = {}; }, "0 strides for 2 axes"},
      {[](TensorMapSpec& s) { s.box = {8}; }, "one number for each of 2 axes"},
      {[](TensorMapSpec& s) { s.elementStrides = {1}; }, "one number for each"},
      {[](TensorMapSpec& s) { s.address = 8; }, "not a multiple of 16 bytes"},
      {[](TensorMapSpec& s) { s.sizes[1] = 0; }, "axis 1 has 0 elements"},
      {[](TensorMapSpec& s) { s.sizes[0] = (1ull << 32) + 1; }, "1 to 2^32"},
      {[](TensorMapSpec& s) { s.box[1] = 257; }, "257 elements on axis 1"},
      {[](TensorMapSpec& s) { s.box[0] = 0; }, "0 elements on axis 0"},
      {[](TensorMapSpec& s) { s.elementStrides = {1, 9}; }, "every 9th element"},
      {[](TensorMapSpec& s) { s.strides = {84}; }, "must be a multiple of 16"},
      {[](TensorMapSpec& s) { s.strides = {1ull << 40}; }, "2^40 bytes or more"},
      {[](TensorMapSpec& s) { s.box[0] = 5; }, "20 bytes, and must have a multiple"},
      {[](TensorMapSpec& s) {
         s.box[0] = 16;
         s.swizzle = CU_TENSOR_MAP_SWIZZLE_32B;
       },
       "64 bytes, and its swizzle takes 32"},
      {[](TensorMapSpec& s) { s.nanOutside = true; }, "cannot be NaN"},
      {[](TensorMapSpec& s) {
         s.sizes = {20, 10, 2};
         s.strides = {96, 960};
         s.box = {8, 8, 1};
         s.address = 64;
         s.interleave = CU_TENSOR_MAP_INTERLEAVE_32B;
       },
       "needs the swizzle of 32 bytes"},
  };
  EXPECT_OK(checkTensorMap(goodSpec(16)));
  for (const auto& one : cases) {
    TensorMapSpec spec = goodSpec(16);
    one.spoil(spec);
    EXPECT_FAILS(checkTensorMap(spec), one.message);
  }
}

// ---- images ----

/// out[i] = the image at (i * step, 0.5) as a number.
std::string lookPtx() {
  return R"(.version 8.0
.target sm_80
.address_size 64
.visible .entry look(.param .u64 image, .param .u64 out, .param .f32 step)
{
  .reg .b32 %r<3>; .reg .f32 %f<10>; .reg .b64 %d<5>;
  ld.param.u64 %d1, [image];
  ld.param.u64 %d2, [out];
  ld.param.f32 %f1, [step];
  mov.u32 %r1, %tid.x;
  cvt.rn.f32.u32 %f2, %r1;
  mul.f32 %f3, %f2, %f1;
  mov.f32 %f4, 0f3F000000;
  tex.2d.v4.f32.f32 {%f5, %f6, %f7, %f8}, [%d1, {%f3, %f4}];
  mul.wide.u32 %d3, %r1, 4;
  add.s64 %d4, %d2, %d3;
  st.global.f32 [%d4], %f5;
  ret;
}
)";
}

TEST_P(Sharing, ImagesAreInterpolatedAndClamped) {
  ASSERT_MADE(ImageArray image, ImageArray::create(context_, 4, 2, CU_AD_FORMAT_FLOAT, 1));
  EXPECT_EQ(image.rowBytes(), 16u);
  const float pixels[8] = {0, 10, 20, 30, 0, 10, 20, 30};
  float back[8] = {};
  ASSERT_OK(copy2D(stream_, Place::inArray(image.raw()), Place::onHost(pixels), 16, 2));
  ASSERT_OK(copy2D(stream_, Place::onHost(back), Place::inArray(image.raw()), 16, 2));
  ASSERT_OK(stream_.synchronize());
  EXPECT_TRUE(std::ranges::equal(pixels, back));
  ASSERT_MADE(Texture texture, Texture::create(image, {.linear = true, .asFloat = true}));
  image = ImageArray();  // the texture keeps it
  ASSERT_MADE(Kernel look, kernel(lookPtx(), "look"));
  ASSERT_MADE(Memory out, filled(12, 0.f));
  // Pixel i has its middle at i + 0.5.
  ASSERT_OK(launch(stream_, look, {.block = {12}}, texture.raw(), out.address(), 0.5f));
  const auto values = contentOf<float>(out);
  for (int i = 0; onGpu() && i < 12; ++i)
    EXPECT_NEAR(values[std::size_t(i)], std::clamp(float(i) * 5.f - 5.f, 0.f, 30.f), 0.05f) << i;
  EXPECT_FAILS(ImageArray::create(context_, 4, 2, CU_AD_FORMAT_FLOAT, 3), "1, 2 or 4 channels");
}

// ---- parts of a device, profilers ----

/// out[block] = 1 + the multiprocessor it ran on.
std::string wherePtx() {
  return R"(.version 8.0
.target sm_80
.address_size 64
.visible .entry where(.param .u64 out)
{
  .reg .b32 %r<4>; .reg .b64 %d<4>;
  ld.param.u64 %d1, [out];
  mov.u32 %r1, %smid; mov.u32 %r2, %ctaid.x;
  add.u32 %r3, %r1, 1;
  mul.wide.u32 %d2, %r2, 4;
  add.s64 %d3, %d1, %d2;
  st.global.u32 [%d3], %r3;
  ret;
}
)";
}

TEST_P(Sharing, APartOfADeviceRunsOnItsMultiprocessors) {
  auto made = GreenContext::create(context_, 8);
  if (!made && onGpu()) GTEST_SKIP() << errorOf(made);
  ASSERT_OK(made);
  GreenContext green = *std::move(made);
  EXPECT_GE(green.multiprocessors(), 8u);
  ASSERT_MADE(Stream part, green.stream());
  ASSERT_MADE(Kernel where, kernel(wherePtx(), "where"));
  ASSERT_MADE(Memory out, filled(4096, std::uint32_t(0)));
  ASSERT_OK(launch(part, where, {.grid = {4096}, .block = {128}}, out.address()));
  ASSERT_OK(part.synchronize());
  const auto values = contentOf<std::uint32_t>(out);
  if (onGpu()) {
    const std::set<std::uint32_t> seen(values.begin(), values.end());
    EXPECT_FALSE(seen.count(0));
    EXPECT_LE(seen.size(), green.multiprocessors());
  }
  green = GreenContext();  // the stream keeps it
  EXPECT_OK(part.synchronize());
  EXPECT_FAILS(GreenContext::create(context_, 100000), "multiprocessors, and a");
}

TEST_P(Sharing, RangesForProfilersDoNoHarm) {
  const NamedRange named("a test");
  const ProfilerRange range(context_);
  EXPECT_OK(stream_.synchronize());
}

// ---- two processes ----

/// Handles as text, for the environment of the other process.
template <class T>
std::string hex(const T& value) {
  std::string out;
  for (const std::byte one : std::as_bytes(std::span(&value, 1))) {
    static constexpr char digits[] = "0123456789abcdef";
    out += digits[int(one) >> 4];
    out += digits[int(one) & 15];
  }
  return out;
}
template <class T>
T unhex(std::string_view text) {
  T value{};
  for (std::size_t i = 0; i < sizeof value && 2 * i + 1 < text.size(); ++i) {
    const auto digit = [&](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    reinterpret_cast<unsigned char*>(&value)[i] = (unsigned char)(digit(text[2 * i]) * 16 + digit(text[2 * i + 1]));
  }
  return value;
}

/// Not a test of its own: what the other process does.
TEST(OtherProcess, ReadsAndWritesWhatIsShared) {
  const char* memoryText = std::getenv("RADDLE_TEST_IPC_MEMORY");
  const char* eventText = std::getenv("RADDLE_TEST_IPC_EVENT");
  if (!memoryText || !eventText) GTEST_SKIP() << "runs inside SharedGpu.MemoryAndEventsReachAnotherProcess";
  ASSERT_MADE(Context context, Context::primary(0));
  ASSERT_MADE(Stream stream, Stream::create(context));
  ASSERT_MADE(Event event, openEvent(context, unhex<IpcEvent>(eventText)));
  ASSERT_MADE(Memory memory, openMemory(context, unhex<IpcMemory>(memoryText)));
  ASSERT_OK(stream.wait(event));
  std::vector<std::uint32_t> values(memory.bytes() / 4);
  ASSERT_OK(copy(stream, std::span(values), memory));
  ASSERT_OK(stream.synchronize());
  for (std::uint32_t value : values) ASSERT_EQ(value, 123u);
  ASSERT_OK(fill(stream, memory.address(), 456u, values.size()));
  ASSERT_OK(stream.synchronize());
}

TEST(OtherProcess, UsesMemoryOfAPool) {
  const char* fdText = std::getenv("RADDLE_TEST_IPC_POOL");
  const char* memoryText = std::getenv("RADDLE_TEST_IPC_POOL_MEMORY");
  if (!fdText || !memoryText) GTEST_SKIP() << "runs inside SharedGpu.MemoryOfAPoolReachesAnotherProcess";
  ASSERT_MADE(Context context, Context::primary(0));
  ASSERT_MADE(Stream stream, Stream::create(context));
  ASSERT_MADE(Pool pool, openPool(context, rt::UniqueFd(std::atoi(fdText))));
  ASSERT_MADE(Memory memory, openMemory(pool, stream, unhex<IpcPoolMemory>(memoryText)));
  std::vector<std::uint32_t> values(memory.bytes() / 4);
  ASSERT_OK(copy(stream, std::span(values), memory));
  ASSERT_OK(stream.synchronize());
  for (std::uint32_t value : values) ASSERT_EQ(value, 321u);
  ASSERT_OK(fill(stream, memory.address(), 654u, values.size()));
  ASSERT_OK(stream.synchronize());
  EXPECT_FAILS(Memory::allocate(pool, stream, 64), "cuMemAllocFromPoolAsync");
}

using SharedGpu = OnGpu;

TEST_F(SharedGpu, MemoryOfAPoolReachesAnotherProcess) {
  ASSERT_MADE(Stream stream, Stream::create(context_));
  ASSERT_MADE(Pool pool, Pool::create(context_, {.shareable = true}));
  ASSERT_MADE(Memory memory, Memory::allocate(pool, stream, 1 << 20));
  ASSERT_OK(fill(stream, memory.address(), 321u, memory.bytes() / 4));
  ASSERT_OK(stream.synchronize());
  auto fd = sharePool(pool);
  auto shared = exportPoolMemory(memory);
  if (!fd || !shared) GTEST_SKIP() << errorOf(fd) << errorOf(shared);
  // A descriptor that is inherited by its number.
  const int inherited = dup(fd->get());
  ASSERT_GE(inherited, 0);
  const std::string command = "RADDLE_TEST_IPC_POOL=" + std::to_string(inherited) +
                              " RADDLE_TEST_IPC_POOL_MEMORY=" + hex(*shared) + " /proc/" + std::to_string(getpid()) +
                              "/exe --gtest_filter='OtherProcess.*'";
  const int status = std::system(command.c_str());
  close(inherited);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  std::vector<std::uint32_t> values(memory.bytes() / 4);
  ASSERT_OK(copy(stream, std::span(values), memory));
  ASSERT_OK(stream.synchronize());
  EXPECT_EQ(values.back(), 654u);
}

TEST_F(SharedGpu, MemoryAndEventsReachAnotherProcess) {
  ASSERT_MADE(Stream stream, Stream::create(context_));
  ASSERT_MADE(Memory memory, Memory::allocate(context_, 2 << 20));
  ASSERT_MADE(Event event, Event::create(context_, {.interprocess = true}));
  ASSERT_OK(fill(stream, memory.address(), 123u, memory.bytes() / 4));
  ASSERT_OK(stream.record(event));
  auto sharedMemory = exportMemory(memory);
  auto sharedEvent = exportEvent(event);
  if (!sharedMemory || !sharedEvent) GTEST_SKIP() << errorOf(sharedMemory) << errorOf(sharedEvent);
  const std::string command = "RADDLE_TEST_IPC_MEMORY=" + hex(*sharedMemory) +
                              " RADDLE_TEST_IPC_EVENT=" + hex(*sharedEvent) + " /proc/" + std::to_string(getpid()) +
                              "/exe --gtest_filter='OtherProcess.*'";
  const int status = std::system(command.c_str());
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  std::vector<std::uint32_t> values(memory.bytes() / 4);
  ASSERT_OK(copy(stream, std::span(values), memory));
  ASSERT_OK(stream.synchronize());
  EXPECT_EQ(values.back(), 456u);
}

TEST_F(SharedGpu, TwoDevicesReachEachOther) {
  if (Device::count(&context_.driver()).value_or(1) < 2) GTEST_SKIP() << "one device";
  ASSERT_MADE(Context other, Context::primary(1, &context_.driver()));
  ASSERT_MADE(Stream here, Stream::create(context_));
  ASSERT_MADE(Stream there, Stream::create(other));
  ASSERT_MADE(Memory mine, Memory::allocate(context_, 4096));
  ASSERT_MADE(Memory theirs, Memory::allocate(other, 4096));
  ASSERT_OK(fill(here, mine.address(), 5u, 1024));
  ASSERT_OK(there.waitFor(here));
  ASSERT_OK(copyBetween(there, other, theirs.address(), context_, mine.address(), 4096));
  ASSERT_OK(there.synchronize());
  std::vector<std::uint32_t> values(1024);
  ASSERT_OK(copy(there, std::span(values), theirs));
  ASSERT_OK(there.synchronize());
  EXPECT_EQ(values[1023], 5u);
  ASSERT_MADE(const bool direct, other.device().canAccess(context_.device()));
  if (!direct) GTEST_SKIP() << "copied, and not connected for more";
  ASSERT_OK(other.enablePeerAccess(context_));
  ASSERT_OK(other.enablePeerAccess(context_));
  // A kernel there adds to memory here.
  ASSERT_MADE(Library library, Library::load(other, Image::ptx(countPtx())));
  ASSERT_MADE(Kernel count, library.kernel("count"));
  ASSERT_OK(launch(there, count, {.grid = {3}}, mine.address(), 2u));
  ASSERT_OK(there.synchronize());
  ASSERT_OK(copy(here, std::span(values), mine));
  ASSERT_OK(here.synchronize());
  EXPECT_EQ(values[0], 11u);
  EXPECT_OK(other.disablePeerAccess(context_));
}

// ---- rules that only the fake can show ----

using SharingRules = OnFake;

TEST_F(SharingRules, MappingUndoesExactlyTheStepsBefore) {
  const char* steps[] = {"cuMemGetAllocationGranularity", "cuMemAddressReserve", "cuMemCreate", "cuMemMap",
                         "cuMemSetAccess"};
  for (const char* step : steps) {
    start(std::string("fail=") + step + "@1:2");
    auto memory = GrowableMemory::create(context_, 1 << 22);
    Status grown = memory ? memory->grow(100) : fail(memory.error());
    EXPECT_FAILS(grown, step);
    memory = fail(ErrorCategory::Misuse, "gone");
    EXPECT_EQ(fake().live("range"), 0) << step;
    EXPECT_EQ(fake().live("physical"), 0) << step;
    EXPECT_STREQ(fake().violations(), "");
  }
}

TEST_F(SharingRules, SharedMemoryIsClosedAndChecked) {
  ASSERT_MADE(Memory memory, Memory::allocate(context_, 1000));
  ASSERT_MADE(Event event, Event::create(context_, {.interprocess = true}));
  ASSERT_MADE(IpcMemory shared, exportMemory(memory));
  ASSERT_MADE(const IpcEvent sharedEvent, exportEvent(event));
  {
    ASSERT_MADE(Memory opened, openMemory(context_, shared));
    EXPECT_EQ(opened.bytes(), 1000u);
    ASSERT_MADE(Event openedEvent, openEvent(context_, sharedEvent));
    EXPECT_TRUE(openedEvent.owned());
  }
  EXPECT_EQ(fake().count("cuIpcCloseMemHandle"), 1);
  shared.device.bytes[0] ^= 1;
  EXPECT_FAILS(openMemory(context_, shared), "of another device");
  ASSERT_MADE(Stream stream, Stream::create(context_));
  ASSERT_MADE(Memory pooled, Memory::allocate(stream, 64));
  EXPECT_FAILS(exportMemory(pooled), "not that of pools");
  ASSERT_MADE(Event plain, Event::create(context_));
  EXPECT_FAILS(exportEvent(plain), "cuIpcGetEventHandle");
}

TEST_F(SharingRules, APoolIsSharedByDescriptorAndGivesNoMemoryThere) {
  ASSERT_MADE(Stream stream, Stream::create(context_));
  ASSERT_MADE(Pool own, Pool::create(context_));
  EXPECT_FAILS(sharePool(own), "PoolOptions{.shareable = true}");
  ASSERT_MADE(Pool pool, Pool::create(context_, {.shareable = true}));
  ASSERT_MADE(Memory memory, Memory::allocate(pool, stream, 1000));
  ASSERT_MADE(const rt::UniqueFd fd, sharePool(pool));
  ASSERT_MADE(const IpcPoolMemory shared, exportPoolMemory(memory));
  ASSERT_MADE(Pool there, openPool(context_, fd));
  EXPECT_FAILS(Memory::allocate(there, stream, 4), "cuMemAllocFromPoolAsync");
  ASSERT_MADE(Memory opened, openMemory(there, stream, shared));
  EXPECT_EQ(opened.bytes(), 1000u);
  EXPECT_FAILS(openMemory(pool, stream, shared), "cuMemPoolImportPointer");
  EXPECT_FAILS(openMemory(Pool(), stream, shared), "empty pool or stream");
  EXPECT_FAILS(openPool(context_, rt::UniqueFd()), "cuMemPoolImport");
}

TEST_F(SharingRules, ADescriptorPassesToTheDriverOnSuccessOnly) {
  start("fail=cuImportExternalMemory@1:999;fail=cuImportExternalSemaphore@1:999");
  rt::UniqueFd fd(open("/dev/null", O_RDONLY));
  const int number = fd.get();
  EXPECT_FAILS(ExternalMemory::open(context_, fd, 4096), "cuImportExternalMemory");
  EXPECT_EQ(fd.get(), number) << "still the caller's";
  EXPECT_GE(fcntl(number, F_GETFD), 0);
  {
    ASSERT_MADE(ExternalMemory memory, ExternalMemory::open(context_, fd, 4096));
    EXPECT_FALSE(fd) << "the driver's now";
    ASSERT_MADE(Memory mapped, memory.map(1024, 1024));
    memory = ExternalMemory();  // the mapping keeps it
    EXPECT_EQ(fake().live("external"), 1);
    EXPECT_EQ(mapped.bytes(), 1024u);
  }
  EXPECT_EQ(fake().live("external"), 0);
  rt::UniqueFd other(open("/dev/null", O_RDONLY));
  EXPECT_FAILS(ExternalSemaphore::open(context_, other, true), "999");
  ASSERT_TRUE(other);
  ASSERT_MADE(ExternalSemaphore semaphore, ExternalSemaphore::open(context_, other, true));
  ASSERT_MADE(Stream stream, Stream::create(context_));
  ASSERT_MADE(Stream waits, Stream::create(context_));
  ASSERT_OK(semaphore.wait(waits, 5));
  EXPECT_EQ(waits.done().value_or(true), false);
  ASSERT_OK(semaphore.signal(stream, 5));
  EXPECT_OK(waits.synchronize());
}

TEST_F(SharingRules, TensorCopiesAreNotAskedOfOlderDevices) {
  start("preset=sm_80");
  EXPECT_FAILS(encodeTensorMap(context_, goodSpec(1024)), "has no tensor memory accelerator");
  EXPECT_EQ(fake().count("cuTensorMapEncodeTiled"), 0);
}

}  // namespace
}  // namespace rad::cuda

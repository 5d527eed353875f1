// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Domains onto grids and chunks, and the limits of devices.
#include "test/unit/launch/memory_device.h"

#include "runtime/launch/geometry.h"

#include <gtest/gtest.h>

namespace rad::rt::test {
namespace {

DeviceInfo cuda() {
  DeviceInfo info;
  info.kind = DeviceKind::Cuda;
  info.id = "cuda:0";
  info.maxSharedBytesPerBlockOptIn = 227 * 1024;
  return info;
}
DeviceInfo host() { return {}; }

/// A domain of rows x last points.
Binding domain(int64_t rows, int64_t last, size_t axes = 1) {
  Binding out;
  out.axes.assign(axes, {0, last});
  out.rows = rows;
  out.lastExtent = last;
  out.points = rows * last;
  return out;
}

cg::GeometryManifest forall(uint32_t threads, uint32_t points, uint32_t maxBlocks = 0) {
  cg::GeometryManifest out;
  out.threadsPerBlock = threads;
  out.pointsPerThread = points;
  out.maxBlocks = maxBlocks;
  return out;
}

cg::GeometryManifest blocks(uint32_t threads) {
  cg::GeometryManifest out;
  out.isForall = false;
  out.threadCount = {threads};
  out.threadsPerBlock = threads;
  return out;
}

TEST(LaunchGeometry, GridsOfForall) {
  struct Row {
    int64_t rows, last;
    uint32_t threads, points;
    int64_t expected;
  };
  for (Row row : {Row{1, 1, 256, 1, 1}, Row{1, 256, 256, 1, 1}, Row{1, 257, 256, 1, 2}, Row{1, 1 << 20, 256, 4, 1024},
                  Row{1, 1025, 256, 4, 2}, Row{1, 1024, 256, 4, 1}, Row{7, 1024, 256, 4, 7}, Row{7, 1025, 256, 4, 8},
                  Row{1, 1023, 256, 4, 2},  // what remains of a row takes a thread a point: 257, 258
                  Row{3, 5, 128, 1, 1}, Row{1000, 1000, 256, 1, 3907}}) {
    auto shape = shapeLaunch(saxpy(), forall(row.threads, row.points), domain(row.rows, row.last, 2), cuda());
    ASSERT_TRUE(shape);
    EXPECT_EQ(shape->blocks, row.expected) << row.rows << " x " << row.last;
    EXPECT_EQ(shape->threads, row.threads);
    EXPECT_EQ(shape->partialCount, 0);
  }
}

TEST(LaunchGeometry, GridsOfBlocksAndReductions) {
  auto shape = shapeLaunch(saxpy(), blocks(256), domain(12, 12, 2), cuda());
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->blocks, 144);
  cg::KernelManifest sum = saxpy();
  sum.reduce = cg::ReduceOp::Sum;
  shape = shapeLaunch(sum, forall(256, 1, 1024), domain(1, 1 << 24), cuda());
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->blocks, 1024);
  EXPECT_EQ(shape->partialCount, 1024);
  shape = shapeLaunch(sum, forall(256, 1, 1024), domain(1, 300), cuda());
  EXPECT_EQ(shape->partialCount, 2);
}

TEST(LaunchGeometry, RefusesWhatTheDeviceDoesNotTake) {
  auto tooMany = shapeLaunch(saxpy(), forall(256, 1), domain(1, int64_t{1} << 40), cuda());
  ASSERT_FALSE(tooMany);
  EXPECT_EQ(
      tooMany.error().message,
      "saxpy: 1099511627776 points are 4294967296 blocks of 256 threads; cuda:0 takes at most 2147483647 in a launch");
  EXPECT_EQ(tooMany.error().category, ErrorCategory::Launch);
  EXPECT_TRUE(shapeLaunch(saxpy(), forall(1, 1), domain(1, 0x7fffffff), cuda()));
  EXPECT_FALSE(shapeLaunch(saxpy(), forall(1, 1), domain(1, 0x80000000), cuda()));
  EXPECT_EQ(shapeLaunch(saxpy(), blocks(1), domain(1, 0x80000000), cuda()).error().message,
            "saxpy: the domain has 2147483648 blocks; cuda:0 takes at most 2147483647 in a launch");

  EXPECT_TRUE(shapeLaunch(saxpy(), blocks(1024), domain(1, 1), cuda()));
  EXPECT_EQ(shapeLaunch(saxpy(), blocks(1025), domain(1, 1), cuda()).error().message,
            "saxpy: a block has 1025 threads; cuda:0 takes at most 1024");

  cg::KernelManifest tiled = saxpy();
  tiled.staticSharedBytes = 1024;
  tiled.dynamicSharedBytes = 226 * 1024;
  auto fits = shapeLaunch(tiled, blocks(256), domain(1, 1), cuda());
  ASSERT_TRUE(fits);
  EXPECT_EQ(fits->dynamicSharedBytes, 226u * 1024);
  tiled.staticSharedBytes += 4;
  EXPECT_EQ(shapeLaunch(tiled, blocks(256), domain(1, 1), cuda()).error().message,
            "saxpy: a block needs 232452 bytes of shared memory; cuda:0 has at most 232448");
}

TEST(LaunchGeometry, PiecesOfTheHostDependOnTheDomainAlone) {
  auto pieces = [](const cg::GeometryManifest& geometry, const Binding& binding) {
    auto shape = shapeLaunch(saxpy(), geometry, binding, host());
    EXPECT_EQ(shape->partialCount, 0);
    return std::pair(shape->outerCount, shape->grain);
  };
  EXPECT_EQ(pieces(forall(256, 1), domain(1, 1)), std::pair(int64_t{1}, int64_t{256}));
  EXPECT_EQ(pieces(forall(256, 1), domain(1, 1 << 20)), std::pair(int64_t{1 << 20}, int64_t{256}));
  EXPECT_EQ(pieces(forall(256, 1), domain(512, 512, 2)), std::pair(int64_t{512}, int64_t{1}));
  EXPECT_EQ(pieces(forall(256, 1), domain(100000, 3, 2)), std::pair(int64_t{100000}, int64_t{86}));
  EXPECT_EQ(pieces(blocks(256), domain(1, 100)), std::pair(int64_t{100}, int64_t{1}));
  EXPECT_EQ(pieces(blocks(256), domain(1, maxCount)), std::pair(maxCount, int64_t{1}));
  cg::KernelManifest sum = saxpy();
  sum.reduce = cg::ReduceOp::Sum;
  auto partials = [&](const Binding& binding) {
    return shapeLaunch(sum, forall(256, 1), binding, host())->partialCount;
  };
  EXPECT_EQ(partials(domain(1, 1)), 1);
  EXPECT_EQ(partials(domain(1, 1000)), 4);
  EXPECT_EQ(partials(domain(1, 1 << 20)), 256);
  EXPECT_EQ(partials(domain(3, 1 << 20, 2)), 3);
}

}  // namespace
}  // namespace rad::rt::test

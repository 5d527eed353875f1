// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the driver says about a device.

#include "runtime/cuda/cuda_context.h"

namespace rad::rt {

Result<std::pair<cuda::Device, DeviceInfo>> describeDevice(const DriverApi& driver, int ordinal) {
  RAD_ASSIGN(const cuda::Device device, cuda::Device::get(ordinal, &driver));
  DeviceInfo info;
  info.kind = DeviceKind::Cuda;
  info.id = device.id();
  info.driverVersion = driver.version();
  info.name = device.name().value_or("");
  if (info.name.empty()) info.name = "unknown CUDA device";
  info.memoryBytes = device.totalMemory().value_or(0);
  auto get = [&](CUdevice_attribute attribute, int otherwise) { return device.attributeOr(attribute, otherwise); };
  info.major = get(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 0);
  info.minor = get(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 0);
  info.multiprocessors = get(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 0);
  info.maxThreadsPerBlock = get(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, info.maxThreadsPerBlock);
  info.maxSharedBytesPerBlock = get(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, info.maxSharedBytesPerBlock);
  info.maxSharedBytesPerBlockOptIn =
      get(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, info.maxSharedBytesPerBlock);
  constexpr CUdevice_attribute gridAttributes[] = {
      CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X, CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y, CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z};
  for (std::size_t i = 0; i < 3; ++i) info.maxGrid[i] = get(gridAttributes[i], int(info.maxGrid[i]));
  // In kHz, twice a clock, and bits.
  info.memoryBytesPerSecond =
      2e3 * get(CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, 0) * get(CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH, 0) / 8;
  if (driver.dead()) return fail(driver.usable().error());
  return std::pair{device, std::move(info)};
}

}  // namespace rad::rt

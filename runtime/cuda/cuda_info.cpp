// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the driver says about a device.

#include "runtime/cuda/cuda_context.h"

#include <cstdlib>

namespace rad::rt {

int deviceAttribute(const DriverApi &driver, CUdevice device,
                    CUdevice_attribute attribute, int otherwise) {
  int value = otherwise;
  if (!driver.call<DriverFn::DeviceGetAttribute>(&value, attribute, device))
    return otherwise;
  return value;
}

Result<std::pair<CUdevice, DeviceInfo>> describeDevice(const DriverApi &driver,
                                                       int ordinal) {
  int count = 0;
  RAD_TRY(driver.call<DriverFn::DeviceGetCount>(&count));
  if (ordinal < 0 || ordinal >= count) {
    Error error = makeCudaError(
        "cuDeviceGet", count == 0 ? CUDA_ERROR_NO_DEVICE : CUDA_ERROR_INVALID_DEVICE);
    error.category = ErrorCategory::System;
    if (count > 0)
      error.message = "device cuda:" + std::to_string(ordinal) +
                      " does not exist; " +
                      (count == 1 ? "the only one is cuda:0"
                                  : "they are cuda:0 to cuda:" +
                                        std::to_string(count - 1));
    if (const char *visible = std::getenv("CUDA_VISIBLE_DEVICES"))
      error.message +=
          std::string("; CUDA_VISIBLE_DEVICES is set to \"") + visible + '"';
    return fail(std::move(error));
  }
  CUdevice device = 0;
  RAD_TRY(driver.call<DriverFn::DeviceGet>(&device, ordinal));

  DeviceInfo info;
  info.kind = DeviceKind::Cuda;
  info.id = "cuda:" + std::to_string(ordinal);
  info.driverVersion = driver.version();
  char name[256] = {};
  info.name = "unknown CUDA device";
  if (driver.call<DriverFn::DeviceGetName>(static_cast<char *>(name),
                                           int(sizeof name) - 1, device) &&
      name[0])
    info.name = name;
  std::size_t bytes = 0;
  if (driver.call<DriverFn::DeviceTotalMem>(&bytes, device))
    info.memoryBytes = bytes;
  auto get = [&](CUdevice_attribute attribute, int otherwise) {
    return deviceAttribute(driver, device, attribute, otherwise);
  };
  info.major = get(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 0);
  info.minor = get(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 0);
  info.multiprocessors = get(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 0);
  info.maxThreadsPerBlock =
      get(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, info.maxThreadsPerBlock);
  info.maxSharedBytesPerBlock =
      get(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK,
          info.maxSharedBytesPerBlock);
  info.maxSharedBytesPerBlockOptIn =
      get(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN,
          info.maxSharedBytesPerBlock);
  constexpr CUdevice_attribute gridAttributes[] = {
      CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X, CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y,
      CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z};
  for (std::size_t i = 0; i < 3; ++i)
    info.maxGrid[i] = get(gridAttributes[i], int(info.maxGrid[i]));
  if (driver.dead())
    return fail(driver.usable().error());
  return std::pair{device, std::move(info)};
}

} // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
__device__ float block_max(float v) {
  __shared__ float part[32];
  for (int d = 16; d > 0; d /= 2) v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, d));
  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;
  __syncthreads();
  v = threadIdx.x % 32 < blockDim.x / 32 ? part[threadIdx.x % 32] : -__int_as_float(0x7f800000);
  for (int d = 16; d > 0; d /= 2) v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, d));
  __syncthreads();
  return v;
}
__device__ float block_sum(float v) {
  __shared__ float part[32];
  for (int d = 16; d > 0; d /= 2) v += __shfl_xor_sync(0xffffffffu, v, d);
  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;
  __syncthreads();
  v = threadIdx.x % 32 < blockDim.x / 32 ? part[threadIdx.x % 32] : 0.0f;
  for (int d = 16; d > 0; d /= 2) v += __shfl_xor_sync(0xffffffffu, v, d);
  __syncthreads();
  return v;
}
extern "C" __global__ void __launch_bounds__(256) row_softmax(const float* __restrict__ x, float* __restrict__ out, int n) {
  const float* from = x + (size_t)blockIdx.x * n;
  float* to = out + (size_t)blockIdx.x * n;
  float high = -__int_as_float(0x7f800000);
  for (int j = threadIdx.x; j < n; j += 256) high = fmaxf(high, from[j]);
  high = block_max(high);
  float total = 0.0f;
  for (int j = threadIdx.x; j < n; j += 256) total += expf(from[j] - high);
  total = block_sum(total);
  for (int j = threadIdx.x; j < n; j += 256) to[j] = expf(from[j] - high) / total;
}

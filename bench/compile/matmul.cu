// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
constexpr int TILE = 16;
extern "C" __global__ void __launch_bounds__(TILE* TILE)
    matmul(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c, int m, int k, int n) {
  __shared__ float left[TILE][TILE], right[TILE][TILE];
  int ty = threadIdx.y, tx = threadIdx.x, row = blockIdx.y * TILE + ty, col = blockIdx.x * TILE + tx;
  float total = 0.0f;
  for (int first = 0; first < k; first += TILE) {
    left[ty][tx] = row < m && first + tx < k ? a[(size_t)row * k + first + tx] : 0.0f;
    right[ty][tx] = first + ty < k && col < n ? b[(size_t)(first + ty) * n + col] : 0.0f;
    __syncthreads();
    for (int j = 0; j < TILE; ++j) total += left[ty][j] * right[j][tx];
    __syncthreads();
  }
  if (row < m && col < n) c[(size_t)row * n + col] = total;
}

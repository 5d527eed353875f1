// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernels of stream.rad and matmul.rad in CUDA C++: as most people write them ("plain"), and with float4 accesses. Prints
// "NAME SECONDS" for each sample, as those do: the mean time of one launch of several in a row, by wall clock; and
// "NAME.events SECONDS", the same by CUDA events. Results are checked first.
//   nvcc -O3 -arch=native peers.cu -o peers && ./peers stream|matmul [SIZE]
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

static void check(cudaError_t status, int line) {
  if (status == cudaSuccess) return;
  std::fprintf(stderr, "peers.cu:%d: %s\n", line, cudaGetErrorString(status));
  std::exit(1);
}
#define CHECK(call) check((call), __LINE__)

static void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "peers.cu: %s is wrong\n", what);
  std::exit(1);
}

__host__ __device__ inline uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}
__host__ __device__ inline float uniform(uint64_t seed, uint64_t i) {
  return float(mix(mix(seed) + (i + 1) * 0x9e3779b97f4a7c15u) >> 40) * (1.0f / 16777216.0f);
}
__global__ void fill(float* x, size_t n, uint64_t seed) {
  for (size_t i = blockIdx.x * size_t(blockDim.x) + threadIdx.x; i < n; i += size_t(gridDim.x) * blockDim.x) x[i] = uniform(seed, i);
}

// ---- as most people write them ----
__global__ void saxpyPlain(float a, const float* __restrict__ x, float* __restrict__ y, size_t n) {
  size_t i = blockIdx.x * size_t(blockDim.x) + threadIdx.x;
  if (i < n) y[i] += a * x[i];
}
__global__ void triadPlain(float s, const float* __restrict__ b, const float* __restrict__ c, float* __restrict__ a, size_t n) {
  size_t i = blockIdx.x * size_t(blockDim.x) + threadIdx.x;
  if (i < n) a[i] = b[i] + s * c[i];
}

// ---- U float4 a thread ----
template <int U>
__global__ void saxpyFour(float a, const float4* __restrict__ x, float4* __restrict__ y, size_t n) {
  size_t first = blockIdx.x * size_t(blockDim.x * U) + threadIdx.x;
  float4 p[U], q[U];
#pragma unroll
  for (int u = 0; u < U; ++u) {
    size_t i = first + size_t(u) * blockDim.x;
    if (i < n) p[u] = x[i], q[u] = y[i];
  }
#pragma unroll
  for (int u = 0; u < U; ++u) {
    size_t i = first + size_t(u) * blockDim.x;
    if (i < n) y[i] = make_float4(q[u].x + a * p[u].x, q[u].y + a * p[u].y, q[u].z + a * p[u].z, q[u].w + a * p[u].w);
  }
}
template <int U>
__global__ void triadFour(float s, const float4* __restrict__ b, const float4* __restrict__ c, float4* __restrict__ a, size_t n) {
  size_t first = blockIdx.x * size_t(blockDim.x * U) + threadIdx.x;
  float4 p[U], q[U];
#pragma unroll
  for (int u = 0; u < U; ++u) {
    size_t i = first + size_t(u) * blockDim.x;
    if (i < n) p[u] = b[i], q[u] = c[i];
  }
#pragma unroll
  for (int u = 0; u < U; ++u) {
    size_t i = first + size_t(u) * blockDim.x;
    if (i < n) a[i] = make_float4(p[u].x + s * q[u].x, p[u].y + s * q[u].y, p[u].z + s * q[u].z, p[u].w + s * q[u].w);
  }
}

template <int TILE>
__global__ void __launch_bounds__(TILE* TILE)
    matmulTiled(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c, int m, int k, int n) {
  __shared__ float left[TILE][TILE], right[TILE][TILE];
  int ty = threadIdx.y, tx = threadIdx.x, row = blockIdx.y * TILE + ty, col = blockIdx.x * TILE + tx;
  float total = 0.0f;
  for (int first = 0; first < k; first += TILE) {
    left[ty][tx] = row < m && first + tx < k ? a[size_t(row) * k + first + tx] : 0.0f;
    right[ty][tx] = first + ty < k && col < n ? b[size_t(first + ty) * n + col] : 0.0f;
    __syncthreads();
    for (int j = 0; j < TILE; ++j) total += left[ty][j] * right[j][tx];
    __syncthreads();
  }
  if (row < m && col < n) c[size_t(row) * n + col] = total;
}

template <class Launch>
static void measure(const char* name, int samples, int launches, Launch&& launch) {
  cudaEvent_t begin, end;
  CHECK(cudaEventCreate(&begin));
  CHECK(cudaEventCreate(&end));
  for (int warm = 0; warm < 3; ++warm) launch();
  for (int s = 0; s < samples; ++s) {
    CHECK(cudaDeviceSynchronize());
    auto start = std::chrono::steady_clock::now();
    CHECK(cudaEventRecord(begin));
    for (int i = 0; i < launches; ++i) launch();
    CHECK(cudaEventRecord(end));
    CHECK(cudaGetLastError());
    CHECK(cudaDeviceSynchronize());
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    float ms = 0;
    CHECK(cudaEventElapsedTime(&ms, begin, end));
    std::printf("%s %.9g\n%s.events %.9g\n", name, seconds / launches, name, ms * 1e-3 / launches);
  }
}

static float* array(size_t n, uint64_t seed) {
  float* p = nullptr;
  CHECK(cudaMalloc(&p, n * sizeof(float)));
  if (seed) fill<<<1024, 256>>>(p, n, seed);
  return p;
}
static float at(const float* p, size_t i) {
  float value;
  CHECK(cudaMemcpy(&value, p + i, sizeof value, cudaMemcpyDeviceToHost));
  return value;
}

static void stream(size_t n) {
  float *x = array(n, 1), *y = array(n, 2), *z = array(n, 0);
  unsigned plain = unsigned((n + 255) / 256);
  auto four = [&](int u) { return unsigned((n / 4 + 256 * u - 1) / (256 * u)); };
  auto x4 = reinterpret_cast<float4*>(x), y4 = reinterpret_cast<float4*>(y), z4 = reinterpret_cast<float4*>(z);
  auto right = [&](const char* what) {
    for (int k = 0; k < 200; ++k) {
      size_t i = mix(k) % n;
      require(std::fabs(at(z, i) - (uniform(1, i) + 0.5f * uniform(2, i))) < 1e-6f, what);
    }
    CHECK(cudaMemset(z, 0xff, n * sizeof(float)));
  };
  triadPlain<<<plain, 256>>>(0.5f, x, y, z, n);
  right("plain triad");
  triadFour<1><<<four(1), 256>>>(0.5f, x4, y4, z4, n / 4);
  right("triad, float4");
  triadFour<2><<<four(2), 256>>>(0.5f, x4, y4, z4, n / 4);
  right("triad, 2 float4");
  auto again = [&] { CHECK(cudaMemcpy(z, x, n * sizeof(float), cudaMemcpyDeviceToDevice)); };
  again();
  saxpyPlain<<<plain, 256>>>(0.5f, y, z, n);
  right("plain saxpy");
  again();
  saxpyFour<1><<<four(1), 256>>>(0.5f, y4, z4, n / 4);
  right("saxpy, float4");
  again();
  saxpyFour<2><<<four(2), 256>>>(0.5f, y4, z4, n / 4);
  right("saxpy, 2 float4");
  again();
  measure("triad.plain", 25, 20, [&] { triadPlain<<<plain, 256>>>(0.5f, x, y, z, n); });
  measure("triad.float4", 25, 20, [&] { triadFour<1><<<four(1), 256>>>(0.5f, x4, y4, z4, n / 4); });
  measure("triad.float4x2", 25, 20, [&] { triadFour<2><<<four(2), 256>>>(0.5f, x4, y4, z4, n / 4); });
  measure("saxpy.plain", 25, 20, [&] { saxpyPlain<<<plain, 256>>>(0.001f, z, x, n); });
  measure("saxpy.float4", 25, 20, [&] { saxpyFour<1><<<four(1), 256>>>(0.001f, z4, x4, n / 4); });
  measure("saxpy.float4x2", 25, 20, [&] { saxpyFour<2><<<four(2), 256>>>(0.001f, z4, x4, n / 4); });
}

static void matmul(int size) {
  constexpr int tile = 32;
  size_t count = size_t(size) * size;
  float *a = array(count, 1), *b = array(count, 2), *c = array(count, 0);
  dim3 grid((size + tile - 1) / tile, (size + tile - 1) / tile), block(tile, tile);
  matmulTiled<tile><<<grid, block>>>(a, b, c, size, size, size);
  for (int k = 0; k < 50; ++k) {
    size_t row = mix(k) % size, col = mix(k + 1000) % size;
    double total = 0;
    for (int p = 0; p < size; ++p) total += double(uniform(1, row * size + p)) * double(uniform(2, size_t(p) * size + col));
    require(std::fabs(at(c, row * size + col) / total - 1) < 1e-4, "matmul");
  }
  measure("matmul.plain", 10, 3, [&] { matmulTiled<tile><<<grid, block>>>(a, b, c, size, size, size); });
}

int main(int argc, char** argv) {
  std::string what = argc > 1 ? argv[1] : "";
  long size = argc > 2 ? std::atol(argv[2]) : 0;
  if (what == "stream") stream(size ? size_t(size) : size_t(1) << 27);
  else if (what == "matmul") matmul(size ? int(size) : 4096);
  else return std::fprintf(stderr, "usage: peers stream|matmul [SIZE]\n"), 2;
}

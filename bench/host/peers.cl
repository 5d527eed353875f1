// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The block kernels of kernels.rad in OpenCL C, for bench.py: the same blocks, shared memory and barriers, run by PoCL.
#define T get_local_id(0)
#define B get_group_id(0)
#define BARRIER barrier(CLK_LOCAL_MEM_FENCE)

kernel __attribute__((reqd_work_group_size(256, 1, 1))) void tree_sum(global const float* x, global float* out, long n) {
  local float part[256];
  long i = B * 256 + T;
  part[T] = i < n ? x[i] : 0.0f;
  BARRIER;
  for (int w = 128; w > 0; w /= 2) {
    if (T < w) part[T] += part[T + w];
    BARRIER;
  }
  if (T == 0) out[B] = part[0];
}
// PoCL 3.1 has no work_group_reduce_add: the tree is its way to sum a block.
kernel __attribute__((reqd_work_group_size(256, 1, 1))) void block_sum(global const float* x, global float* out, long n) {
  local float part[256];
  long i = B * 256 + T;
  part[T] = i < n ? x[i] : 0.0f;
  BARRIER;
  for (int w = 128; w > 0; w /= 2) {
    if (T < w) part[T] += part[T + w];
    BARRIER;
  }
  if (T == 0) out[B] = part[0];
}
kernel __attribute__((reqd_work_group_size(16, 16, 1))) void matmul(global const float* a, global const float* b, global float* c, long n) {
  local float left[16][16], right[16][16];
  int tx = get_local_id(0), ty = get_local_id(1);
  long row = get_group_id(1) * 16 + ty, col = get_group_id(0) * 16 + tx;
  float total = 0;
  for (long first = 0; first < n; first += 16) {
    left[ty][tx] = row < n && first + tx < n ? a[row * n + first + tx] : 0.0f;
    right[ty][tx] = first + ty < n && col < n ? b[(first + ty) * n + col] : 0.0f;
    BARRIER;
    for (int j = 0; j < 16; ++j) total += left[ty][j] * right[j][tx];
    BARRIER;
  }
  if (row < n && col < n) c[row * n + col] = total;
}
kernel __attribute__((reqd_work_group_size(256, 1, 1))) void nbody(global const float* x, global const float* y, global const float* z,
    global float* ax, global float* ay, global float* az, long n) {
  local float px[256], py[256], pz[256];
  long i = B * 256 + T;
  float xi = i < n ? x[i] : 0.0f, yi = i < n ? y[i] : 0.0f, zi = i < n ? z[i] : 0.0f, sx = 0, sy = 0, sz = 0;
  for (long first = 0; first < n; first += 256) {
    long k = first + T;
    px[T] = k < n ? x[k] : 0.0f;
    py[T] = k < n ? y[k] : 0.0f;
    pz[T] = k < n ? z[k] : 0.0f;
    BARRIER;
    long count = min(256L, n - first);
    for (long j = 0; j < count; ++j) {
      float dx = px[j] - xi, dy = py[j] - yi, dz = pz[j] - zi;
      float r = 1.0f / sqrt(dx * dx + dy * dy + dz * dz + 0.01f), f = r * r * r;
      sx += f * dx, sy += f * dy, sz += f * dz;
    }
    BARRIER;
  }
  if (i < n) ax[i] = sx, ay[i] = sy, az[i] = sz;
}
kernel __attribute__((reqd_work_group_size(256, 1, 1))) void histogram(global const float* x, global int* counts, long n) {
  local int own[16];
  long m = get_num_groups(0), b = B;
  if (T < 16) own[T] = 0;
  BARRIER;
  long low = n * b / m, high = n * (b + 1) / m;
  for (long i = low + T; i < high; i += 256) atomic_inc(&own[min((long)(x[i] * 16.0f), 15L)]);
  BARRIER;
  if (T < 16) counts[b * 16 + T] = own[T];
}
kernel __attribute__((reqd_work_group_size(256, 1, 1))) void softmax(global const float* x, global float* out, long n) {
  local float part[256];
  global const float* from = x + B * n;
  float high = -INFINITY, total = 0;
  for (long j = T; j < n; j += 256) high = fmax(high, from[j]);
  part[T] = high;
  BARRIER;
  for (int w = 128; w > 0; w /= 2) {
    if (T < w) part[T] = fmax(part[T], part[T + w]);
    BARRIER;
  }
  high = part[0];
  BARRIER;
  for (long j = T; j < n; j += 256) total += exp(from[j] - high);
  part[T] = total;
  BARRIER;
  for (int w = 128; w > 0; w /= 2) {
    if (T < w) part[T] += part[T + w];
    BARRIER;
  }
  total = part[0];
  for (long j = T; j < n; j += 256) out[B * n + j] = exp(from[j] - high) / total;
}

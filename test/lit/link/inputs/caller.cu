// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls what exported.rad exports.
extern "C" __device__ float scaled(float, float);
extern "C" __device__ double total(const float*, long long, int);
extern "C" __device__ void put(short*, long long, long long, long long, bool, signed char, unsigned short);
extern "C" __device__ bool odd(unsigned char);
extern "C" __device__ short negative(short);

extern "C" __device__ float through(float x) {
  float a[3] = {x, 2, 3};
  short m[4] = {1, 2, 30, 4};
  put(m, 2, 2, 1, x > 0, -3, 40);                               // m[1][0] is 67 where x > 0
  float bits = (odd(3) ? 100 : 0) + (odd(200) ? 1000 : 0) + negative(-7);  // 107
  return scaled(x, 2) + float(total(a, 3, 1)) + m[2] + bits;    // 2 x + 5 + 67 (or 30) + 107
}

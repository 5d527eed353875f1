// What scaled.rad calls, as CUDA C++.
#include "offset.h"
extern "C" __device__ float scaled(float x) { return x * 3.0f + offset; }

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The half of with_cudart that nvcc compiles: ordinary code on the CUDA Runtime API, which knows nothing of the other half.
#include "examples/cpp/mixed/with_cudart.h"

#include <cstdio>

#define TRY(call)                                                                       \
  do {                                                                                  \
    if (const cudaError_t status = (call); status != cudaSuccess) {                     \
      std::fprintf(stderr, "%s: %s\n", #call, cudaGetErrorString(status));              \
      return false;                                                                     \
    }                                                                                   \
  } while (false)

static __global__ void triple(float *x, unsigned n) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    x[i] *= 3;
}

bool openTheirs(Theirs &out, unsigned n) {
  TRY(cudaSetDevice(0));
  TRY(cudaStreamCreateWithFlags(&out.stream, cudaStreamNonBlocking));
  TRY(cudaEventCreateWithFlags(&out.done, cudaEventDisableTiming));
  TRY(cudaMalloc(&out.memory, n * sizeof(float)));
  TRY(cudaMemsetAsync(out.memory, 0, n * sizeof(float), out.stream));
  TRY(cudaGetKernel(&out.triple, reinterpret_cast<const void *>(&triple)));
  return true;
}

bool tripleOn(cudaStream_t stream, float *x, unsigned n) {
  triple<<<(n + 255) / 256, 256, 0, stream>>>(x, n);
  TRY(cudaGetLastError());
  return true;
}

bool launchTheirWay(cudaKernel_t kernel, cudaStream_t stream, float a, float *x, float *y, unsigned n) {
  void *arguments[] = {&a, &x, &y, &n};
  // A kernel handle stands where a symbol of the host would.
  TRY(cudaLaunchKernel(reinterpret_cast<const void *>(kernel), dim3((n + 255) / 256), dim3(256), arguments, 0, stream));
  return true;
}

bool waitThere(cudaStream_t stream, cudaEvent_t event) {
  TRY(cudaStreamWaitEvent(stream, event, 0));
  return true;
}

bool recordThere(const Theirs &theirs) {
  TRY(cudaEventRecord(theirs.done, theirs.stream));
  return true;
}

bool readBack(const Theirs &theirs, float *to, unsigned n) {
  TRY(cudaMemcpyAsync(to, theirs.memory, n * sizeof(float), cudaMemcpyDeviceToHost, theirs.stream));
  TRY(cudaStreamSynchronize(theirs.stream));
  return true;
}

bool closeTheirs(Theirs &theirs) {
  TRY(cudaFree(theirs.memory));
  TRY(cudaEventDestroy(theirs.done));
  TRY(cudaStreamDestroy(theirs.stream));
  return true;
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the two halves of with_cudart say to each other: handles of the Runtime API, which are those of the Driver API.
#pragma once

#include <cuda_runtime.h>

/// A stream, an event, memory and a kernel of the Runtime API.
struct Theirs {
  cudaStream_t stream = nullptr;
  cudaEvent_t done = nullptr;
  float* memory = nullptr;
  cudaKernel_t triple = nullptr;
};

bool openTheirs(Theirs& out, unsigned n);
/// Their kernel, launched as nvcc does it.
bool tripleOn(cudaStream_t stream, float* x, unsigned n);
/// Any kernel, launched by cudaLaunchKernel: y += a * x.
bool launchTheirWay(cudaKernel_t kernel, cudaStream_t stream, float a, float* x, float* y, unsigned n);
bool waitThere(cudaStream_t stream, cudaEvent_t event);
bool recordThere(const Theirs& theirs);
bool readBack(const Theirs& theirs, float* to, unsigned n);
bool closeTheirs(Theirs& theirs);

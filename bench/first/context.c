// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The least that a process pays before a GPU does anything for it: the driver is loaded and started, and the context of
// device 0 is made. Prints the milliseconds of both, by its own clock.
#include <dlfcn.h>
#include <stdio.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(void) {
  const double start = now();
  void* driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (!driver) return 1;
  int (*init)(unsigned) = (int (*)(unsigned))dlsym(driver, "cuInit");
  int (*retain)(void**, int) = (int (*)(void**, int))dlsym(driver, "cuDevicePrimaryCtxRetain");
  void* context = 0;
  if (!init || !retain || init(0) != 0) return 1;
  const double started = now();
  if (retain(&context, 0) != 0) return 1;
  printf("%.1f %.1f\n", started - start, now() - started);
  fflush(stdout);  // bench.py looks at when it comes
  return 0;
}

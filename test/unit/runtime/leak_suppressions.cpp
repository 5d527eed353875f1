// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Leaks inside NVIDIA's libraries (a link that fails keeps memory) are not ours.

extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libnvJitLink.so\n"
         "leak:libnvrtc.so\n"
         "leak:librad_nvptxcompiler.so\n";
}

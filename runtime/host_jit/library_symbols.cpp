// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/host_jit/host_jit.h"

#include <cstring>

#include <math.h>

// Of the compiler's own library.
extern "C" double __powidf2(double, int);
extern "C" float __powisf2(float, int);

namespace rad::rt {

namespace {
// Addresses are taken from <math.h>, not looked up by name: the functions are linked whatever the linker drops.
using F1 = double (*)(double);
using F2 = double (*)(double, double);
using G1 = float (*)(float);
using G2 = float (*)(float, float);
#define ONE(name)                                                                        \
  JitSymbol{#name, reinterpret_cast<const void*>(static_cast<F1>(&::name))}, JitSymbol { \
    #name "f", reinterpret_cast<const void*>(static_cast<G1>(&::name##f))                \
  }
#define TWO(name)                                                                        \
  JitSymbol{#name, reinterpret_cast<const void*>(static_cast<F2>(&::name))}, JitSymbol { \
    #name "f", reinterpret_cast<const void*>(static_cast<G2>(&::name##f))                \
  }
const JitSymbol kSymbols[] = {
    ONE(exp),
    ONE(exp2),
    ONE(log),
    ONE(log2),
    ONE(log10),
    ONE(sin),
    ONE(cos),
    ONE(tan),
    ONE(asin),
    ONE(acos),
    ONE(atan),
    ONE(sinh),
    ONE(cosh),
    ONE(tanh),
    ONE(erf),
    TWO(atan2),
    TWO(pow),
    // What intrinsics become where the CPU has no instruction.
    ONE(sqrt),
    ONE(floor),
    ONE(ceil),
    ONE(trunc),
    ONE(rint),
    ONE(nearbyint),
    ONE(round),
    ONE(roundeven),
    ONE(fabs),
    TWO(fmin),
    TWO(fmax),
    TWO(fmod),
    TWO(copysign),
    {"fma", reinterpret_cast<const void*>(static_cast<double (*)(double, double, double)>(&::fma))},
    {"fmaf", reinterpret_cast<const void*>(static_cast<float (*)(float, float, float)>(&::fmaf))},
    // What LLVM makes of exp2 of an integer, of pow(10, x), and of pow(x, n) where it may be inexact.
    {"ldexp", reinterpret_cast<const void*>(static_cast<double (*)(double, int)>(&::ldexp))},
    {"ldexpf", reinterpret_cast<const void*>(static_cast<float (*)(float, int)>(&::ldexpf))},
    ONE(exp10),
    {"__powidf2", reinterpret_cast<const void*>(static_cast<double (*)(double, int)>(&__powidf2))},
    {"__powisf2", reinterpret_cast<const void*>(static_cast<float (*)(float, int)>(&__powisf2))},
    // What the code generator makes of sin and cos of one value.
    {"sincos", reinterpret_cast<const void*>(static_cast<void (*)(double, double*, double*)>(&::sincos))},
    {"sincosf", reinterpret_cast<const void*>(static_cast<void (*)(float, float*, float*)>(&::sincosf))},
    {"memcpy", reinterpret_cast<const void*>(&::memcpy)},
    {"memmove", reinterpret_cast<const void*>(&::memmove)},
    {"memset", reinterpret_cast<const void*>(&::memset)},
    {"memcmp", reinterpret_cast<const void*>(&::memcmp)},
};
#undef ONE
#undef TWO
}  // namespace

std::span<const JitSymbol> libraryJitSymbols() { return kSymbols; }

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names that other languages have, and what is written here instead.
#include "frontend/sema/checker.h"

#include <fmt/format.h>

#include <cctype>

namespace rad::sema {
namespace {

struct ForeignName {
  std::string_view name, help;
};
constexpr ForeignName foreignNames[] = {
    {"threadIdx", "name the thread in the kernel's `threads t in 0..256`, or use thread.index"},
    {"blockIdx", "name the block in the kernel's `blocks b in 0..n`, or use block.index"},
    {"blockDim", "block.size is the number of threads of a block"},
    {"gridDim", "the extents of the kernel's `blocks` clause are the grid's size"},
    {"None", "a value that may be missing has no counterpart; use a bool beside it"},
    {"null", "a value that may be missing has no counterpart; use a bool beside it"},
    {"nullptr", "a value that may be missing has no counterpart; use a bool beside it"},
    {"True", "write true"},
    {"False", "write false"},
    {"INFINITY", "write inf"},
    {"NAN", "write nan"},
    {"__syncthreads", "write barrier()"},
    {"syncthreads", "write barrier()"},
    {"pass", "an empty block is `{ }`"},
    {"self",
     "a method names it as its first parameter: `fn name(self)`; another function has parameters with a name and a "
     "type"},
    {"this", "in a method the value is `self`: `fn name(self)`"},
    {"warpSize", "a warp has 32 threads"},
    {"M_PI", "write `import math` at the top of the file, then math.pi"},
    {"FLT_MAX", "write inf, or the number"},
    {"EOF", "texts have no end mark"},
    {"len", "the number of elements is x.len"},
    {"range", "loops run over `for i in 0..n`"},
    {"printf", "write print(\"x = {}\", x)"},
    {"println", "write print(\"x = {}\", x)"},
    {"float", "write f32(...)"},
    {"double", "write f64(...)"},
    {"int", "write i32(...)"},
    {"sqrtf", "write sqrt(...); it takes f32 and f64"},
    {"expf", "write exp(...); it takes f32 and f64"},
    {"fabs", "write abs(...)"},
    {"fmax", "write max(...)"},
    {"fmin", "write min(...)"},
    {"fmaxf", "write max(...)"},
    {"fminf", "write min(...)"},
    {"zeros_like", "write zeros[f32](x.len)"},
    {"empty", "write zeros[f32](n)"},
    {"array", "write [f32(i) for i in 0..n], or zeros[f32](n) and assign to its elements"},
    {"linspace", "write [low + (high - low) * f32(i) / f32(n - 1) for i in 0..n]"},
    {"atomicAdd", "write atomic.add(&x[i], value)"},
    {"atomicSub", "write atomic.sub(&x[i], value)"},
    {"atomicMin", "write atomic.min(&x[i], value)"},
    {"atomicMax", "write atomic.max(&x[i], value)"},
    {"atomicExch", "write atomic.exchange(&x[i], value)"},
    {"atomicCAS", "write atomic.compare_exchange(&x[i], expected, value)"},
    {"sinf", "write sin(...); it takes f32 and f64"},
    {"cosf", "write cos(...); it takes f32 and f64"},
    {"powf", "write pow(...); it takes f32 and f64"},
    {"__sinf", "write sin(...), and @fast before the kernel"},
    {"__expf", "write exp(...), and @fast before the kernel"},
    {"enumerate", "write `for i in 0..x.len` and x[i]"},
    {"where", "write select(condition, a, b)"},
    {"mix", "write lerp(a, b, t)"},
    {"saturate", "write clamp(x, 0.0, 1.0)"},
    {"zip", "write `for i in 0..x.len`, x[i] and y[i]"},
    {"input", "the arguments of the program are args[0], args[1], ..."},
    {"vec", "write zeros[f32](n), or [f32(i) for i in 0..n]"},
    {"malloc", "write zeros[f32](n)"},
    {"__syncwarp", "a block meets at barrier()"},
    {"min_element", "write min(x)"},
    {"max_element", "write max(x)"},
    {"arange", "write [f32(i) for i in 0..n]"},
    {"rand", "write random.uniform[f32](n, seed: 7); in kernels, the points' numbers come from such an array"},
    {"randn", "write random.uniform[f32](n, seed: 7); in kernels, the points' numbers come from such an array"},
    {"atomic_add", "write atomic.add(&x[i], value)"},
    {"atomic_max", "write atomic.max(&x[i], value)"},
    {"atomic_min", "write atomic.min(&x[i], value)"},
    {"atomic_cas", "write atomic.compare_exchange(&x[i], expected, value)"},
    {"synchronize", "write sync(); reading an array and printing wait by themselves"},
    {"device_synchronize", "write sync(); reading an array and printing wait by themselves"},
    {"assert_eq", "write assert(a == b)"},
    {"assert_ne", "write assert(a != b)"},
    {"shared", "in a kernel with blocks and threads, write `shared NAME: [f32; 256]`"},
    {"__shfl_sync",
     "warps have no functions in this version: block.sum(x), block.min(x) and block.max(x) are over all threads of a "
     "block, and `shared` memory hands values on"},
    {"exit", "`return` ends a point or a function, and a script ends with its last line"},
    {"dot_product", "write dot(a, b) for vectors, sum(x[i] * y[i] for i in 0..n) for arrays"},
    {"matmul", "there is no operator or function for the product of matrices; examples/matmul.rad is a kernel for it"},
    {"type", "types are known when a program is compiled; they are not asked for"},
    {"isinstance", "types are known when a program is compiled; they are not asked for"},
    {"swap", "write (a, b) = (b, a)"},
    {"clamp01", "write clamp(x, 0.0, 1.0)"},
    {"argmin", "find the position with a loop, or min over the values and any of their positions"},
    {"list", "write [f32(i) for i in 0..n], or zeros[f32](n)"},
    {"Vec", "write zeros[f32](n), or [f32(i) for i in 0..n]"},
    {"vector", "write zeros[f32](n), or [f32(i) for i in 0..n]"},
    {"std", "functions of mathematics need no prefix: sqrt(x), max(a, b)"},
    {"string", "a text is written \"...\"; format(\"{}\", x) makes one"},
    {"str", "a text is written \"...\"; format(\"{}\", x) makes one"},
    {"time", "clock() is the time in seconds"},
    {"mean", "write sum(x) / f32(x.len)"},
    {"argmax",
     "write reduce(|a, b| if b.0 > a.0 { b } else { a }, [(x[i], i) for i in 0..x.len], identity: (-inf, 0))"},
    {"cumsum", "write prefix_sums(x): what stands before each element, summed, and the sum of all"},
    {"norm", "write length(v) of a vector, sqrt(sum(x[i] * x[i] for i in 0..x.len)) of an array"},
    {"concat", "make an array of both sizes, and copy: z[0..x.len] = x, z[x.len..] = y"},
    {"concatenate", "make an array of both sizes, and copy: z[0..x.len] = x, z[x.len..] = y"},
    {"transpose", "write [m[j, i] for i in 0..m.shape[1], j in 0..m.shape[0]]"},
    {"reshape", "x.flat is one dimension; another shape is [x[i * w + j] for i in 0..h, j in 0..w]"},
    {"sort", "examples/radix_sort.rad sorts an array"},
    {"clip", "write clamp(x, low, high)"},
    {"mod", "write a % b"},
    {"fmod", "write a % b"},
    {"fmodf", "write a % b"},
    {"fabsf", "write abs(...)"},
    {"powi", "write pow(x, 2.0), or x * x"},
    {"log1p", "write log(1.0 + x)"},
    {"get_global_id", "name the point in the kernel's domain: `forall i in 0..n`"},
    {"thread_id", "name the thread in the kernel's `threads t in 0..256`, or use thread.index"},
    {"block_id", "name the block in the kernel's `blocks b in 0..n`, or use block.index"},
    {"lane_id", "a thread's place in its warp is thread.index % 32"},
    {"save", "write write_npy(path, x), or write_text(path, \"{}\", x)"},
    {"load", "write let x: [f32; n] = read_npy(path)"},
    {"require", "write `import math`, or `import \"file.rad\" as name`"},
    {"undefined", "a value that may be missing has no counterpart; use a bool beside it"},
};
constexpr std::string_view madeArrays = "arrays are made by zeros[f32](n), random.uniform[f32](n), [e for i in 0..n]";
// What stands behind the name of a module of another language; the first row that fits the beginning.
constexpr ForeignName foreignMembers[] = {
    {"np.load", "write let x: [f32; n] = read_npy(path); new names in the type take the sizes that the file has"},
    {"np.save", "write write_npy(path, x)"},
    {"np.random", "write random.uniform[f32](n, seed: 7)"},
    {"np.linspace", "write [low + (high - low) * f32(i) / f32(n - 1) for i in 0..n]"},
    {"cuda.syncthreads", "write barrier()"},
    {"cuda.synchronize", "write sync(); reading an array and printing wait by themselves"},
    {"cuda.shared", "write `shared NAME: [f32; 256]`"},
    {"cuda.local", "an array value is local: `var a = [0.0; 8]`"},
    {"cuda.atomic", "write atomic.add(&x[i], value), also sub, min, max, exchange, compare_exchange"},
    {"cuda.threadIdx", "name the thread in the kernel's `threads t in 0..256`, or use thread.index"},
    {"cuda.blockIdx", "name the block in the kernel's `blocks b in 0..n`, or use block.index"},
    {"cuda.to_device", "arrays live on the device; they go there and come back as they are used"},
    {"cuda.device_array", "write zeros[f32](n); arrays live on the device"},
    {"cuda", "name the point in the kernel's domain: `forall i in 0..n`"},
    {"tl.load", "an element is x[i]; what lies beyond the end is no part of the domain, so that there is no mask"},
    {"tl.store", "an element is assigned to: x[i] = value; what lies beyond the end is no part of the domain"},
    {"tl.dot", "examples/matmul.rad multiplies tiles in shared memory"},
    {"tl.sum", "over the threads of a block: block.sum(x)"},
    {"tl.max", "over the threads of a block: block.max(x)"},
    {"tl", "name the block in the kernel's domain: `blocks b in 0..n threads t in 0..256`"},
    {"torch.cuda.synchronize", "write sync(); reading an array and printing wait by themselves"},
};

}  // namespace

std::string Checker::foreignNameHelp(std::string_view name, Range range) const {
  // The names behind it, up to what is no member.
  const std::string_view file = session_.sources.text(session_.sources.fileOf(range.begin));
  const size_t begin = range.begin.offset - session_.sources.location(session_.sources.fileOf(range.begin), 0).offset;
  size_t end = begin + name.size();
  while (end < file.size() &&
         (std::isalnum(static_cast<unsigned char>(file[end])) || file[end] == '_' || file[end] == '.'))
    ++end;
  const std::string_view whole = file.substr(begin, end - begin);
  for (const ForeignName& row : foreignMembers)
    if (whole.starts_with(row.name) && (row.name.size() > name.size() || row.name == name))
      return std::string(row.help);
  for (std::string_view module : {"np", "numpy", "cp", "cupy", "torch", "jnp"})
    if (module == name) {
      const std::string_view member = whole.size() > name.size() ? whole.substr(name.size() + 1) : std::string_view();
      if (const auto scalar = meantScalar(member); !scalar.empty()) return fmt::format("the type is {}", scalar);
      if (findMath(member) || findReducer(member)) return fmt::format("write {0}(x[i]), or {0}(x) of a number", member);
      if (member == "pi" || member == "e")
        return fmt::format("write `import math` at the top of the file, then math.{}", member);
      return std::string(madeArrays);
    }
  for (const ForeignName& row : foreignNames)
    if (row.name == name) return std::string(row.help);
  if (name.starts_with("__shfl") || name.starts_with("__ballot") || name.starts_with("__reduce") ||
      name.starts_with("warp"))
    return std::string(
        "warps have no functions in this version: block.sum(x), block.min(x) and block.max(x) are over all threads of "
        "a "
        "block, and `shared` memory hands values on");
  const std::string vector = vectorMeant(name);
  if (!vector.empty()) return fmt::format("write {}", vector);
  // cudaMemcpy, cuMemAlloc
  const size_t prefix = name.starts_with("cuda") ? 4 : name.starts_with("cu") ? 2 : 0;
  if (prefix && name.size() > 5 && std::isupper(static_cast<unsigned char>(name[prefix])))
    return "arrays such as zeros[f32](n) live on the device; copies, waiting and freeing follow from how they are used";
  return {};
}

/// The vector type that a name of CUDA C++ or GLSL means: float3, make_float3, vec3, uchar4. Empty if it is none.
std::string Checker::vectorMeant(std::string_view name) {
  if (name.starts_with("make_")) name.remove_prefix(5);
  if (name.size() < 4 || name.back() < '2' || name.back() > '4') return {};
  constexpr ForeignName elements[] = {{"float", "f32"},    {"double", "f64"}, {"int", "i32"}, {"uint", "u32"},
                                      {"short", "i16"},    {"ushort", "u16"}, {"char", "i8"}, {"uchar", "u8"},
                                      {"longlong", "i64"}, {"half", "f16"},   {"vec", "f32"}, {"ivec", "i32"},
                                      {"uvec", "u32"},     {"dvec", "f64"}};
  for (const ForeignName& row : elements)
    if (name.substr(0, name.size() - 1) == row.name) return fmt::format("{}x{}", row.help, name.back());
  return {};
}

/// The type that a word of another language means; empty if it is none.
std::string_view Checker::meantScalar(std::string_view word) {
  static constexpr ForeignName types[] = {
      {"int", "i32"},      {"float", "f32"},   {"double", "f64"},    {"long", "i64"},     {"short", "i16"},
      {"char", "i8"},      {"uint", "u32"},    {"unsigned", "u32"},  {"size_t", "index"}, {"usize", "index"},
      {"isize", "index"},  {"half", "f16"},    {"bfloat16", "bf16"}, {"float16", "f16"},  {"byte", "u8"},
      {"uint8_t", "u8"},   {"int32_t", "i32"}, {"uint32_t", "u32"},  {"int64_t", "i64"},  {"float32", "f32"},
      {"float64", "f64"},  {"int32", "i32"},   {"int64", "i64"},     {"uint8", "u8"},     {"uint32", "u32"},
      {"boolean", "bool"}, {"f64x", "f64"}};
  for (const ForeignName& row : types)
    if (row.name == word) return row.help;
  return {};
}

}  // namespace rad::sema

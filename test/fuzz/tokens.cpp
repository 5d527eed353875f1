// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How the targets that read programs change an input: by tokens, which is nearer to a program than random bytes are.
// Takes the place of a dictionary. libFuzzer finds LLVMFuzzerCustomMutator by its name.
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t limit);

namespace {

/// Words, numbers, blanks, line ends, and single other characters.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> tokens;
  auto kind = [](char c) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') return 1;
    return c == ' ' ? 2 : 0;
  };
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin + 1;
    if (int of = kind(text[begin]))
      while (end < text.size() && kind(text[end]) == of) ++end;
    else if (end < text.size() && std::strchr("=.<>", text[end]) && std::strchr("+-*/%=!<>.", text[begin])) ++end;
    tokens.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return tokens;
}

constexpr std::string_view words[] = {"0",
                                      "1",
                                      "2",
                                      "7",
                                      "-1",
                                      "255u8",
                                      "0.5",
                                      "1.0f64",
                                      "9223372036854775807",
                                      "n",
                                      "i",
                                      "x",
                                      "y",
                                      "i32",
                                      "u8",
                                      "i64",
                                      "u64",
                                      "index",
                                      "bool",
                                      "f16",
                                      "bf16",
                                      "f32",
                                      "f64",
                                      "f8e4m3",
                                      "f8e5m2",
                                      "f32x3",
                                      "i32x4",
                                      "vec[f32, 2]",
                                      "array[i32, 4]",
                                      "(f32, i32)",
                                      "[f32; n]",
                                      "strided [f32; n]",
                                      "[f32; n, m]",
                                      "mut ",
                                      "let v = ",
                                      "var w = ",
                                      "const ",
                                      "+",
                                      "-",
                                      "*",
                                      "/",
                                      "%",
                                      "&",
                                      "|",
                                      "^",
                                      "<<",
                                      ">>",
                                      "==",
                                      "<",
                                      "and",
                                      "or",
                                      "not ",
                                      "~",
                                      "if true { 1 } else { 2 }",
                                      "{",
                                      "}",
                                      "(",
                                      ")",
                                      "[",
                                      "]",
                                      ",",
                                      ";",
                                      "\n",
                                      "return",
                                      "break",
                                      "continue",
                                      "while true { }",
                                      "for k in 0..4 { }",
                                      "unroll for k in 0..4 { }",
                                      "sum(x[j] for j in 0..n)",
                                      "min",
                                      "max",
                                      "abs",
                                      "sqrt",
                                      "sin",
                                      "fma",
                                      "block.sum(1.0)",
                                      "barrier()",
                                      "atomic.add(&y[0], 1)",
                                      "shared t: [f32; 32]",
                                      "x[i]",
                                      "x[1..]",
                                      "x[..]",
                                      "x[0..n step 2]",
                                      ".len",
                                      ".shape[0]",
                                      ".flat",
                                      ".x",
                                      ".zyx",
                                      ".0",
                                      "unchecked { x[i] }",
                                      "assert(true)",
                                      "bitcast[u32]",
                                      "zeros[f32](4)",
                                      "copy(x)",
                                      "print(\"{}\", 1)",
                                      "[T: Number]",
                                      "[const N: index = 4]",
                                      "[1, 2, 3]",
                                      "[0; 8]",
                                      "forall i in 0..n",
                                      "blocks b in 0..n threads t in 0..32",
                                      "fn f(a: i32) -> i32 = a",
                                      "kernel k(mut y: [f32; n]) forall i in 0..n { y[i] = 1.0 }",
                                      "import math",
                                      "math.pi",
                                      "random.uniform[f32](4)",
                                      "type T = f32",
                                      "@strict ",
                                      "@fast ",
                                      "inf",
                                      "nan",
                                      "true",
                                      "false",
                                      "args[0]"};

/// Takes tokens of the text away, doubles, exchanges and replaces them by others of the text, or of the language. The
/// result is at most `limit` bytes long; `seed` chooses.
size_t mutateTokens(uint8_t* data, size_t size, size_t limit, unsigned seed) {
  std::minstd_rand random(seed);
  auto below = [&](size_t count) { return static_cast<size_t>(random() % count); };
  std::string text(reinterpret_cast<const char*>(data), size);
  for (size_t rounds = 1 + below(4); rounds > 0; --rounds) {
    const std::vector<std::string_view> tokens = split(text);
    if (tokens.empty()) {
      text = words[below(std::size(words))];
      continue;
    }
    const size_t at = below(tokens.size()), other = below(tokens.size());
    const size_t count = std::min(tokens.size() - at, 1 + below(below(4) == 0 ? 24 : 3));
    auto join = [&](size_t begin, size_t end) {
      std::string part;
      for (size_t i = begin; i < end; ++i) part += tokens[i];
      return part;
    };
    const std::string before = join(0, at), here = join(at, at + count), after = join(at + count, tokens.size());
    const std::string there = join(other, std::min(tokens.size(), other + 1 + below(3)));
    switch (below(6)) {
      case 0: text = before + after; break;
      case 1: text = before + here + here + after; break;
      case 2: text = before + there + after; break;
      case 3: text = before + there + here + after; break;
      case 4: text = before + std::string(words[below(std::size(words))]) + after; break;
      default: text = before + std::string(words[below(std::size(words))]) + here + after;
    }
  }
  text.resize(std::min(text.size(), limit));
  std::memcpy(data, text.data(), text.size());
  return text.size();
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t limit, unsigned seed) {
  return seed % 4 == 0 ? LLVMFuzzerMutate(data, size, limit) : mutateTokens(data, size, limit, seed);
}

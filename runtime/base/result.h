// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

/// The failure channel of the runtime. A failure of the environment (driver,
/// file, memory) is a value, `Result<T>`, that carries what is needed to act on
/// it: which call, with which arguments, which code, and what to do next. The
/// user's source text has diagnostics instead, our own bugs have assertions.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace rad::rt {

/// What a failure means for whoever meets it: it decides wording, retry and the
/// exit status of the process.
enum class ErrorCategory : std::uint8_t {
  System,       ///< The device cannot be used here at all; compiling still works.
  Dead,         ///< The process or its context is lost; only a new process helps.
  Image,        ///< Code could not be compiled, linked or loaded. Context is fine.
  Launch,       ///< A launch was refused: nothing ran, context is fine.
  Resources,    ///< Memory or another countable thing ran out. Context is fine.
  Capture,      ///< A call is not allowed while work is captured into a graph.
  Misuse,       ///< An invariant of the runtime broke, or interop code broke it.
  UserProgram,  ///< The user's own program failed a check or an assertion.
};

/// The category as one lower-case word, for reports ("system", "dead", ...).
std::string_view toString(ErrorCategory category);

/// The exit status of the command line for an error of this category: 1 for a
/// wrong program or a refused launch, 3 for the environment or lost memory.
int exitStatusOf(ErrorCategory category);

/// One failure. Plain data; copy and move freely, from any thread.
struct Error {
  ErrorCategory category = ErrorCategory::Misuse;
  /// The raw status of the library that failed, 0 when no library was involved.
  int code = 0;
  /// The library's name for `code` ("CUDA_ERROR_OUT_OF_MEMORY"); may be empty.
  std::string codeName;
  /// The function that reported it ("cuMemAlloc"); may be empty.
  std::string call;
  /// The arguments of that call, rendered for people; may be empty.
  std::string args;
  /// What happened: one line, lower case, no full stop needed.
  std::string message;
  /// What to do about it: one or two sentences; may be empty.
  std::string advice;
  /// Text that belongs to the failure (compiler, linker or driver log); may be
  /// long and have many lines; may be empty.
  std::string log;
  /// The code whose page `raddle explain` shows ("R0701"); empty: that of the
  /// category, if it has one.
  std::string_view page = {};

  /// The page, or that of the category; empty if there is none.
  std::string_view pageCode() const;
  /// The error as text: message, advice, then code name, number and call in
  /// brackets (`[CUDA_ERROR_ILLEGAL_ADDRESS 700, cuStreamSynchronize]`), then
  /// the log on lines of its own. No newline at the end.
  std::string render() const;
};

/// How the advice of a Dead error begins.
inline constexpr std::string_view restartAdvice =
    "No context of this process can use the device again: restart the program.";

/// A value, or the reason why there is none.
template <class T>
using Result = std::expected<T, Error>;

/// Success without a value, or the reason for failure.
using Status = Result<void>;

/// Makes an error with no library behind it.
inline std::unexpected<Error> fail(ErrorCategory category, std::string message, std::string advice = {}) {
  Error error;
  error.category = category;
  error.message = std::move(message);
  error.advice = std::move(advice);
  return std::unexpected<Error>(std::move(error));
}

/// Hands an existing error on as the failure of another result type.
inline std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }

}  // namespace rad::rt

#define RAD_RT_CONCAT_2(a, b) a##b
#define RAD_RT_CONCAT(a, b) RAD_RT_CONCAT_2(a, b)

/// Returns the failure of `expr` (a Result or Status) from the enclosing
/// function; goes on when it succeeded.
#define RAD_TRY(expr)                                                             \
  do {                                                                            \
    if (auto radTryResult_ = (expr); !radTryResult_)                              \
      return std::unexpected<::rad::rt::Error>(std::move(radTryResult_).error()); \
  } while (false)

/// `RAD_ASSIGN(auto x, f());`: x is the value of f(), or the enclosing function
/// returns f()'s failure.
#define RAD_ASSIGN(declaration, expr)                                                                 \
  auto RAD_RT_CONCAT(radAssign_, __LINE__) = (expr);                                                  \
  if (!RAD_RT_CONCAT(radAssign_, __LINE__))                                                           \
    return std::unexpected<::rad::rt::Error>(std::move(RAD_RT_CONCAT(radAssign_, __LINE__)).error()); \
  declaration = *std::move(RAD_RT_CONCAT(radAssign_, __LINE__))

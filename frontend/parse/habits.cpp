// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What people write by habit of other languages, told from the place of a syntax error: statements and expressions.
#include "frontend/parse/habits.h"
#include "frontend/parse/builder.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace rad {
namespace {

struct ForeignWord {
  std::string_view word, help;
  bool isCpp = false;  // a declaration of C++ begins with it
};
// Words of other languages that stand before a name or a block.
constexpr ForeignWord foreignWords[] = {
    {"def", "a function is declared `fn NAME(x: f32) -> f32 { ... }`"},
    {"func", "a function is declared `fn NAME(x: f32) -> f32 { ... }`"},
    {"function", "a function is declared `fn NAME(x: f32) -> f32 { ... }`"},
    {"fun", "a function is declared `fn NAME(x: f32) -> f32 { ... }`"},
    {"void",
     "a function is declared `fn NAME(x: f32) { ... }`, one that runs over a domain `kernel NAME(...) forall i in 0..n "
     "{ ... }`",
     true},
    {"inline",
     "functions become part of their callers by themselves: leave `inline` out, and write `fn NAME(x: f32) -> f32`",
     true},
    {"constexpr", "write `const NAME = ...`", true},
    {"pub", "what a file declares can be seen by those that import it, unless it is `private`: leave `pub` out"},
    {"public", "what a file declares can be seen by those that import it, unless it is `private`: leave `public` out"},
    {"foreach", "write `for i in 0..n { }`; in host code `forall i in 0..n { }` runs on the device"},
    {"with",
     "files are read and written by one call: `read_text(path)`, `let x: [f32; n] = read_npy(path)`, `write_npy(path, "
     "x)`"},
    {"device", "a function serves host and device: leave `device` out"},
    {"host", "a function serves host and device: leave `host` out"},
    {"global", "a kernel is declared `kernel NAME(...) forall i in 0..n { ... }`"},
    {"delete", "an array is freed when no name and no launch needs it any more"},
    {"del", "an array is freed when no name and no launch needs it any more"},
    {"raise", "there are no exceptions; `assert(condition, \"text\")` ends the launch, or the program"},
    {"throw", "there are no exceptions; `assert(condition, \"text\")` ends the launch, or the program"},
    {"__global__", "a kernel is declared `kernel NAME(a: f32, mut x: [f32; n]) forall i in 0..n { ... }`", true},
    {"__device__", "a function is declared `fn NAME(x: f32) -> f32 { ... }`; the same one serves host and device",
     true},
    {"__host__", "a function is declared `fn NAME(x: f32) -> f32 { ... }`; the same one serves host and device", true},
    {"__constant__", "write `const NAME = ...`", true},
    {"__shared__", "write `shared NAME: [f32; 64]`, with the type and size that it has", true},
    {"class", "write `struct`"},
    {"elif", "write `else if`"},
    {"elsif", "write `else if`"},
    {"switch", "write `if` and `else if`"},
    {"match", "write `if` and `else if`"},
    {"loop", "write `while true { }`"},
    {"do", "write `while`"},
    {"try", "there are no exceptions; a failed check ends the launch"},
    {"lambda", "a lambda is written `LAMBDA`"},
    {"use", "write `import`"},
    {"include", "write `import`"},
    {"using", "write `type Name = ...` or `import`"},
    {"auto", "write `let NAME = ...`, or `var NAME = ...` if it changes"},
    {"mutable", "write `var`"},
    {"impl", "methods stand inside of the struct: `fn NAME(self) -> f32 { ... }`"},
    {"template", "compile-time parameters stand in `[]` behind the name: `fn f[T: Number](a: T)`"},
    {"static", "write `const`, or `let`", true},
    {"typedef", "write `type Name = ...`"},
    {"namespace", "each file is a namespace of its own: `import \"file.rad\" as name`"},
};
struct ForeignType {
  std::string_view word, type;
};
constexpr ForeignType foreignTypes[] = {
    {"int", "i32"},     {"float", "f32"},    {"double", "f64"},   {"long", "i64"},     {"short", "i16"},
    {"char", "i8"},     {"half", "f16"},     {"unsigned", "u32"}, {"size_t", "index"}, {"int32_t", "i32"},
    {"int64_t", "i64"}, {"uint32_t", "u32"}, {"uint64_t", "u64"}, {"uint8_t", "u8"},   {"bool", "bool"},
    {"i8", "i8"},       {"i16", "i16"},      {"i32", "i32"},      {"i64", "i64"},      {"u8", "u8"},
    {"u16", "u16"},     {"u32", "u32"},      {"u64", "u64"},      {"f16", "f16"},      {"bf16", "bf16"},
    {"f32", "f32"},     {"f64", "f64"},      {"index", "index"},
};

template <class T, size_t N>
const T* lookUp(const T (&table)[N], std::string_view word) {
  auto it = std::find_if(std::begin(table), std::end(table), [&](const T& row) { return row.word == word; });
  return it == std::end(table) ? nullptr : it;
}

}  // namespace

std::string_view typeMeant(std::string_view word) {
  const auto* row = lookUp(foreignTypes, word);
  return row ? row->type : std::string_view();
}

/// `for (int i = 0; i < n; i++)` with its `(` at `at`, as a loop over a range.
std::string Builder::forOver(size_t at) const {
  size_t i = at + 1;
  while (tokenAt(i, 0).kind == TokenKind::Ident && tokenAt(i, 1).kind == TokenKind::Ident) ++i;  // the type
  const std::string name = tokenAt(i, 0).kind == TokenKind::Ident ? std::string(textOf(tokenAt(i, 0))) : "i";
  std::string low = "0", high = "n";
  auto isSemicolon = [&](const Token& token) {
    return token.kind == TokenKind::Semicolon || (token.kind == TokenKind::End && textOf(token) == ";");
  };
  if (tokenAt(i, 1).kind == TokenKind::Assign) {
    size_t end = i + 2;
    while (end < at + 30 && end + 1 < stream_.tokens.size() && !isSemicolon(tokenAt(end, 0))) ++end;
    if (end < at + 30 && tokenAt(end, 1).kind == TokenKind::Ident && tokenAt(end, 2).kind == TokenKind::Less) {
      size_t stop = end + 3;
      while (stop < at + 40 && stop + 1 < stream_.tokens.size() && !isSemicolon(tokenAt(stop, 0))) ++stop;
      if (stop < at + 40) {
        low = shown(i + 2, end);
        high = shown(end + 3, stop);
      }
    }
  }
  return "for " + name + " in " + low + ".." + high;
}

/// `c ? a : b` with its `?` at `at`, as an `if`.
std::string Builder::ifElse(size_t at) const {
  const std::string condition = textBefore(at), first = textUntil(at + 1, {TokenKind::Colon});
  const size_t colon = find(at + 1, TokenKind::Colon);
  if (colon == 0) return "if condition { a } else { b }";
  return "if " + condition + " { " + first + " } else { " + textUntil(colon + 1, {TokenKind::Comma}) + " }";
}

/// `for i in 0:n:2`, with its first `:` at `at`: reports it.
bool Builder::foreignRange(size_t at) {
  size_t word = at;  // the `in` before it
  while (word > 0 && word + 30 > at && stream_.tokens[word].kind != TokenKind::In) {
    const TokenKind kind = stream_.tokens[word].kind;
    if (kind == TokenKind::DotDot || kind == TokenKind::LBrace || kind == TokenKind::End) return false;
    --word;
  }
  const TokenKind before = tokenAt(word, -2).kind;
  if (stream_.tokens[word].kind != TokenKind::In || openAround(word) != openAround(at) || word + 1 >= at ||
      (before != TokenKind::For && before != TokenKind::Forall && before != TokenKind::Blocks &&
       before != TokenKind::Threads && before != TokenKind::Comma) ||
      tokenAt(at, 1).newlineBefore || tokenAt(at, 1).kind == TokenKind::End || tokenAt(at, 1).kind == TokenKind::LBrace)
    return false;
  const TokenKind inside = insideOf(at);
  const size_t brace = find(at, TokenKind::LBrace), second = find(at + 1, TokenKind::Colon);
  const bool isPython =
      second != 0 && (tokenAt(second, 1).newlineBefore || tokenAt(second, 1).kind == TokenKind::End);  // for i in 0:n:
  if (!brace && !isPython && inside != TokenKind::LParen && inside != TokenKind::LBracket) return false;
  const std::initializer_list<TokenKind> ends = {TokenKind::Colon,   TokenKind::LBrace, TokenKind::Comma,
                                                 TokenKind::Threads, TokenKind::If,     TokenKind::Step};
  const std::string high = textUntil(at + 1, ends);
  const bool hasStep = second != 0 && !isPython && (!brace || second < brace) && openAround(second) == openAround(at);
  report(Diag::UnexpectedHere, rangeOf(tokenAt(at, 0)), {"`:`"})
      .help("a range is written `" + shown(word + 1, at) + ".." + high +
            (hasStep ? " step " + textUntil(second + 1, ends) : "") + "`");
  isPython_ = isPython;
  return true;
}

/// What `from math import pi` of Python means, with what is imported from at `at`.
std::string Builder::importMeant(size_t at) const {
  size_t word = at;
  auto ends = [&](size_t i) {
    const Token& token = tokenAt(i, 0);
    return token.kind == TokenKind::End || token.kind == TokenKind::EndOfText || token.newlineBefore;
  };
  while (word < at + 20 && tokenAt(word, 0).kind != TokenKind::Import && !ends(word)) ++word;
  const std::string from = shown(at, word);
  std::string names;
  for (size_t i = word + 1; !ends(i) && i < word + 60; ++i) {
    const TokenKind before = tokenAt(i, -1).kind;
    if (tokenAt(i, 0).kind == TokenKind::Ident &&
        (before == TokenKind::Import || before == TokenKind::Comma || before == TokenKind::LParen))
      names += (names.empty() ? "" : ", ") + std::string(textOf(tokenAt(i, 0)));
  }
  const bool isFile = tokenAt(at, 0).kind == TokenKind::String;
  if (!isFile && from != "math" && from != "random")
    return "what a program needs of other languages' libraries is known without an import; a file is imported by its "
           "path: `import \"name.rad\".{...}`";
  return "write `import " + from + (names.empty() ? "" : ".{" + names + "}") + "`";
}

/// What `b"abc"` means, with the text as it is written, quotes and all.
static std::string codesOf(std::string_view quoted) {
  std::string codes;
  for (const char c : quoted.size() > 2 && quoted.size() < 12 ? quoted.substr(1, quoted.size() - 2) : "") {
    const auto code = static_cast<unsigned char>(c);
    if (code < ' ' || code > '~' || c == '\\') return codesOf("");
    codes += std::to_string(code) + (codes.empty() ? "u8, " : ", ");
  }
  if (codes.empty()) return "a text has no bytes; write the codes of its letters: `[97u8, 98]`";
  return "a text has no bytes; write the codes of its letters: `[" + codes.substr(0, codes.size() - 2) + "]`";
}

/// A help text with NAME replaced by the name that is declared behind the token at `at`.
std::string Builder::withName(std::string_view help, size_t at) const {
  std::string name = "name";
  for (size_t i = at; i < at + 8 && i + 1 < stream_.tokens.size(); ++i) {
    const TokenKind next = stream_.tokens[i + 1].kind;
    if (stream_.tokens[i].kind == TokenKind::Ident &&
        (next == TokenKind::LParen || next == TokenKind::Assign || next == TokenKind::LBracket)) {
      name = textOf(stream_.tokens[i]);
      break;
    }
    if (stream_.tokens[i].kind == TokenKind::End) break;
  }
  std::string out(help);
  for (size_t place = out.find("NAME"); place != std::string::npos; place = out.find("NAME", place + name.size()))
    out.replace(place, 4, name);
  return out;
}

/// Reports a habit of another language or a common slip, if the token at `at` looks like one. `explained`:
/// a bracket's message explains the error already, so that only what is beyond doubt is a habit.
bool Builder::foreignHabit(size_t at, bool explained) {
  const Token &t = tokenAt(at, 0), &p = tokenAt(at, -1), &pp = tokenAt(at, -2), &n = tokenAt(at, 1);
  Range here = rangeOf(t);
  auto str = [&](const Token& token) { return std::string(textOf(token)); };
  size_t start = statementStart(at);
  TokenKind first = stream_.tokens[start].kind;

  if (!explained && (foreignLambda(at) || foreignParameter(at) || foreignDomain(at) || foreignCall(at))) return true;
  switch (t.kind) {
    case TokenKind::PlusPlus:
    case TokenKind::MinusMinus: {
      std::string name = p.kind == TokenKind::Ident ? str(p) : n.kind == TokenKind::Ident ? str(n) : "x";
      report(Diag::IncrementOperator, here, {str(t)})
          .help("write `" + name + (t.kind == TokenKind::PlusPlus ? " += 1`" : " -= 1`"));
      return true;
    }
    case TokenKind::Question: report(Diag::ConditionalOperator, here).help("write `" + ifElse(at) + "`"); return true;
    case TokenKind::If: {
      // a if c else b
      if (explained || t.newlineBefore || !endsOperand(p.kind)) break;
      const std::string value = textBefore(at), condition = textUntil(at + 1, {TokenKind::Else});
      const size_t otherwise = find(at + 1, TokenKind::Else);
      if (otherwise == 0) break;
      report(Diag::UnexpectedHere, here, {"the word `if`"})
          .help("the condition stands first: `if " + condition + " { " + value + " } else { " +
                textUntil(otherwise + 1, {}) + " }`");
      return true;
    }
    case TokenKind::As:
      if (explained || !endsOperand(p.kind) || n.kind != TokenKind::Ident || first == TokenKind::Import) break;
      report(Diag::UnexpectedHere, here, {"the word `as`"})
          .help("a conversion is written `" + str(n) + "(" + textBefore(at) + ")`");
      return true;
    case TokenKind::At:
      if (explained || !endsOperand(p.kind) || t.newlineBefore) break;
      report(Diag::UnexpectedHere, here, {"`@`"})
          .help("there is no operator for the product of matrices; examples/matmul.rad is a kernel for it");
      return true;
    case TokenKind::Bang:
      if (explained || p.kind != TokenKind::Ident || n.kind != TokenKind::LParen) break;
      report(Diag::UnexpectedHere, here, {"`!`"})
          .help(str(p) == "println" || str(p) == "print"
                    ? "write `print(\"{}\", x)`"
                    : "there are no macros; a call is written `" + str(p) + "(...)`");
      return true;
    case TokenKind::String:
      if (p.kind != TokenKind::Ident || p.end != t.begin || p.end - p.begin > 2) break;
      report(Diag::UnexpectedHere, cover(rangeOf(p), here), {"a string with a letter before it"})
          .help(textOf(p) == "b"   ? codesOf(textOf(t))
                : textOf(p) == "r" ? "leave the letter out; a backslash is written twice"
                                   : "`{}` in a text stands for a value, and the values follow it: `\"x = {}\", x`");
      return true;
    case TokenKind::Star:
    case TokenKind::Amp: {
      const std::string_view type = p.kind == TokenKind::Ident ? typeMeant(textOf(p)) : std::string_view();
      if (explained || type.empty() || n.kind != TokenKind::Ident || !inParameters(at)) break;
      report(Diag::TypeFirst, cover(rangeOf(p), rangeOf(n)))
          .help("write `" + str(n) + ": [" + std::string(type) + "; n]`, and `mut " + str(n) +
                "` if it is written to; `n` is a name for its size");
      return true;
    }
    case TokenKind::Less:
      if (p.kind != TokenKind::Ident || pp.kind != TokenKind::Colon) break;
      if (textOf(p) == "array" || textOf(p) == "vec") {
        report(Diag::UnexpectedHere, here, {"`<`"})
            .help("compile-time arguments stand in brackets: `" + staticsOf(at) + "`");
        return true;
      }
      if (textOf(p) == "Option" || textOf(p) == "optional") {
        report(Diag::UnexpectedHere, here, {"`<`"})
            .help("a value that may be missing has no counterpart; use a bool beside it");
        return true;
      }
      report(Diag::UnexpectedHere, here, {"`<`"})
          .help("the type of an array is written `[f32; n]`; `n` is a name for its size");
      return true;
    case TokenKind::Return:
    case TokenKind::Break:
    case TokenKind::Continue:
      if (explained ||
          (first != TokenKind::If && first != TokenKind::While && first != TokenKind::For && p.kind != TokenKind::Else))
        break;
      report(Diag::UnexpectedToken, here, {"`{`", "the word `" + str(t) + "`"})
          .help("a body stands in braces: `{ " + str(t) + " }`");
      return true;
    case TokenKind::Dot: {
      if (pp.kind != TokenKind::At || p.kind != TokenKind::Ident) break;
      report(Diag::UnexpectedHere, here, {"`.`"})
          .help("a kernel is declared with `kernel NAME(...) forall i in 0..n { }`, without a decorator");
      return true;
    }
    case TokenKind::LaunchOpen:
      report(Diag::LaunchBrackets, here)
          .help("write `" + (p.kind == TokenKind::Ident ? str(p) : std::string("name")) +
                "(...)`; the geometry follows from the kernel's domain");
      return true;
    case TokenKind::StarStar: {
      const std::string operand = postfixBefore(at), base = operand == "..." ? "x" : operand;
      report(Diag::PowerOperator, here)
          .help(n.kind == TokenKind::Int && str(n) == "2"
                    ? "write `" + base + " * " + base + "`, or `pow(" + base + ", 2.0)`"
                    : "write `pow(" + base + ", " +
                          (n.kind == TokenKind::Ident || n.kind == TokenKind::Float ? str(n)
                           : n.kind == TokenKind::Int                               ? str(n) + ".0"
                                                                                    : "y") +
                          ")`");
      return true;
    }
    case TokenKind::ColonColon:
      if (n.kind == TokenKind::Less) {
        report(Diag::DoubleColon, here).help("compile-time arguments stand in brackets: `" + staticsOf(at + 1) + "`");
        return true;
      }
      if (insideOf(at) == TokenKind::LBracket && !inSignature(at)) {
        report(Diag::UnexpectedHere, here, {"`::`"}).help("a slice is written with `..`: `" + sliceOf(at) + "`");
        return true;
      }
      if (p.kind == TokenKind::Ident && n.kind == TokenKind::Ident) {
        // std::sqrt, f32::MAX, Point::new
        const bool isType = !typeMeant(textOf(p)).empty();
        const std::string_view name = textOf(n);
        const std::string ours =
            textOf(p) == "std"                           ? str(n)
            : isType && (name == "MAX" || name == "MIN") ? str(p) + (name == "MAX" ? ".max" : ".min")
            : isType && name == "from"                   ? str(p) + "(...)"
            : isType && name != "max" && name != "min"   ? str(n) + "(x)"
            : name == "new" && std::isupper(static_cast<unsigned char>(str(p)[0])) ? str(p) + "(...)"
                                                                                   : str(p) + "." + str(n);
        report(Diag::DoubleColon, here).help("write `" + ours + "`");
        return true;
      }
      report(Diag::DoubleColon, here).help("write `.`");
      return true;
    case TokenKind::Mut:
      // let (mut a, b)
      if (first == TokenKind::Let && openAround(at) == start + 1 && insideOf(at) == TokenKind::LParen) {
        const size_t close = matchingClose(start + 1);
        std::string names;
        for (size_t i = start + 2; i < close; ++i)
          if (tokenAt(i, 0).kind == TokenKind::Ident) names += (names.empty() ? "" : ", ") + str(tokenAt(i, 0));
        report(Diag::LetMut, here).help("write `var (" + names + ")`");
        return true;
      }
      if (p.kind != TokenKind::Let && p.kind != TokenKind::Var) break;
      report(Diag::LetMut, here).help("write `var" + (n.kind == TokenKind::Ident ? " " + str(n) : std::string()) + "`");
      return true;
    case TokenKind::LParen:
      if (p.kind == TokenKind::LParen && (pp.kind == TokenKind::Let || pp.kind == TokenKind::Var) && !explained) {
        report(Diag::UnexpectedHere, here, {"`(`"})
            .help("a tuple is taken apart level by level: `" + str(pp) + " (a, b) = t`, then `" + str(pp) +
                  " (c, d) = a`");
        return true;
      }
      if (p.kind != TokenKind::For) break;
      report(Diag::CStyleFor, cover(rangeOf(p), here)).help("write `" + forOver(at) + " { }`");
      return true;
    case TokenKind::TuplePosition:
      if (p.kind == TokenKind::Dot && endsOperand(pp.kind)) break;
      report(Diag::MissingDigits, cover(rangeOf(p), here)).help("write `0." + str(t) + "`");
      return true;
    case TokenKind::Arrow:
      if (explained) break;
      if (first == TokenKind::Kernel) {
        report(Diag::UnexpectedHere, here, {"`->`"}).help("a kernel has no result; it writes to a `mut` parameter");
        return true;
      }
      if (!endsOperand(p.kind) || n.kind != TokenKind::Ident || p.kind == TokenKind::RParen) break;
      report(Diag::UnexpectedHere, here, {"`->`"}).help("a member is selected with `.`");
      return true;
    case TokenKind::Assign:
      if (p.kind == TokenKind::Ident && pp.kind == TokenKind::For) {
        report(Diag::CStyleFor, here).help("write `for " + str(p) + " in 0..n { }`");
        return true;
      }
      if (p.kind == TokenKind::DotDot) {
        const bool isNumber = n.kind == TokenKind::Int && n.end - n.begin < 9 &&
                              str(n).find_first_not_of("0123456789") == std::string::npos;
        report(Diag::UnexpectedHere, cover(rangeOf(p), here), {"`..=`"})
            .help("a range ends before its end: write `.." +
                  (isNumber ? std::to_string(std::stoul(str(n)) + 1) : str(n) + " + 1") + "`");
        return true;
      }
      if (explained || (first != TokenKind::If && first != TokenKind::While)) break;
      report(Diag::UnexpectedHere, here, {"`=`"}).help("equality is written `==`");
      return true;
    case TokenKind::Colon: {
      if (explained) break;
      if (foreignRange(at)) return true;
      if (p.kind == TokenKind::RParen && p.end != 0) {
        size_t name = matchingOpen(at - 1);
        if (name > 0 && stream_.tokens[name - 1].kind == TokenKind::RBracket) name = matchingOpen(name - 1);
        if (name > 1 && stream_.tokens[name - 2].kind == TokenKind::Fn) {
          report(Diag::ResultColon, here).help(n.kind == TokenKind::Ident ? "write `-> " + str(n) + "`" : "write `->`");
          return true;
        }
      }
      if (first == TokenKind::If || first == TokenKind::While || first == TokenKind::For ||
          first == TokenKind::Forall || (first == TokenKind::Kernel && p.kind == TokenKind::RParen) ||
          first == TokenKind::Struct || p.kind == TokenKind::Else) {
        report(Diag::BlockColon, here).help("write `{` here and `}` behind the last statement");
        isPython_ = true;
        return true;
      }
      if (insideOf(at) == TokenKind::LBracket && !inSignature(at)) {
        report(Diag::UnexpectedHere, here, {"`:`"}).help("a slice is written with `..`: `" + sliceOf(at) + "`");
        return true;
      }
      if (p.kind == TokenKind::Private || textOf(p) == "public") {
        report(Diag::UnexpectedHere, here, {"`:`"})
            .help("all members can be seen; `private` stands before a declaration of a file: leave it out");
        return true;
      }
      if (first == TokenKind::Fn && n.newlineBefore && insideOf(at) != TokenKind::LParen) {
        report(Diag::BlockColon, here).help("write `{` here and `}` behind the last statement");
        isPython_ = true;
        return true;
      }
      if (p.kind == TokenKind::Ident && pp.kind == TokenKind::Comma) {
        for (size_t i = at; i-- > start;) {
          TokenKind kind = stream_.tokens[i].kind;
          if (kind == TokenKind::LParen) break;
          if (kind != TokenKind::For) continue;
          report(Diag::GeneratorNotLast, rangeOf(p)).help("move `" + str(p) + ": ...` before it");
          return true;
        }
      }
      if (p.kind == TokenKind::Ident && at - 1 == start) {
        report(Diag::UnexpectedHere, here, {"`:`"})
            .help("a variable is declared with `let " + str(p) + ": ...` or `var " + str(p) + ": ...`");
        return true;
      }
      break;
    }
    default: break;
  }

  if (p.kind == TokenKind::Dot && pp.kind == TokenKind::Int && t.kind != TokenKind::Ident &&
      t.kind != TokenKind::TuplePosition && pp.end == p.begin) {
    report(Diag::MissingDigits, cover(rangeOf(pp), rangeOf(p))).help("write `" + str(pp) + ".0`");
    return true;
  }
  if (textOf(p) == "from" && p.kind != TokenKind::String && p.end != 0 && at - 1 == start && !t.newlineBefore &&
      (t.kind == TokenKind::Ident || t.kind == TokenKind::String)) {
    report(Diag::ForeignKeyword, rangeOf(p), {"from"}).help(importMeant(at));
    return true;
  }
  auto isChoice = [](std::string_view word) { return word == "switch" || word == "match"; };
  // switch (x) {
  if (t.kind == TokenKind::LBrace && p.kind == TokenKind::RParen)
    if (const Token& word = tokenAt(matchingOpen(at - 1), -1);
        word.kind == TokenKind::Ident && isChoice(textOf(word))) {
      report(Diag::ForeignKeyword, rangeOf(word), {str(word)})
          .help(std::string(lookUp(foreignWords, textOf(word))->help));
      return true;
    }
  // `int x`, `def f`, `} elif`, `loop {`.
  if (p.kind == TokenKind::Ident && p.end != 0 && !t.newlineBefore &&
      (t.kind == TokenKind::Ident || t.kind == TokenKind::LBrace || t.kind == TokenKind::Fn ||
       t.kind == TokenKind::Kernel || t.kind == TokenKind::Struct ||
       (t.kind == TokenKind::Int && isChoice(textOf(p))))) {
    if (t.kind == TokenKind::Ident && !typeMeant(textOf(p)).empty()) return typeFirst(at);
    if (const auto* row = lookUp(foreignWords, textOf(p))) {
      std::string help = withName(row->help, at);
      if (const std::string ours = declarationMeant(at - 1); row->isCpp && !ours.empty()) help = ours;
      if (const size_t place = help.find("LAMBDA"); place != std::string::npos) help.replace(place, 6, lambdaOf(at));
      report(Diag::ForeignKeyword, rangeOf(p), {str(p)}).help(help);
      isPython_ = row->word == "def" || row->word == "class" || row->word == "try";
      return true;
    }
  }
  if (p.kind == TokenKind::Ident && p.end != 0 && t.kind != TokenKind::End && textOf(p) == "elif") {
    report(Diag::ForeignKeyword, rangeOf(p), {"elif"}).help("write `else if`");
    return true;
  }
  // (float)n
  if (p.kind == TokenKind::RParen && pp.kind == TokenKind::Ident && tokenAt(at, -3).kind == TokenKind::LParen &&
      !t.newlineBefore && (t.kind == TokenKind::Ident || t.kind == TokenKind::Int || t.kind == TokenKind::Float))
    if (const std::string_view type = typeMeant(textOf(pp)); !type.empty()) {
      report(Diag::UnexpectedHere, here, {describe(t)})
          .help("a conversion is written `" + std::string(type) + "(" + str(t) + ")`");
      return true;
    }
  if (t.kind == TokenKind::Ident && p.kind == TokenKind::RBrace)
    if (const auto* row = lookUp(foreignWords, textOf(t))) {
      report(Diag::ForeignKeyword, here, {str(t)}).help(std::string(row->help));
      return true;
    }
  if (p.kind == TokenKind::Extern && textOf(t) == "__shared__") {
    const std::string ours = declarationMeant(at);
    report(Diag::ForeignKeyword, here, {str(t)})
        .help("shared memory has a size that is known: " +
              (ours.find("; n]") == std::string::npos
                   ? std::string("`shared NAME: [f32; 256]`")
                   : "`shared " + ours.substr(ours.find("mut ") + 4, ours.find("; n]") - ours.find("mut ") - 4) +
                         "; 256]`"));
    return true;
  }
  if (p.kind == TokenKind::Operator) {
    report(Diag::BadOperatorName, here, {describe(t)});
    return true;
  }
  if (p.kind == TokenKind::Private) {
    report(Diag::PrivateTarget, rangeOf(p));
    return true;
  }
  return false;
}

}  // namespace rad

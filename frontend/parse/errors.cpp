// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Syntax errors in the user's terms: what was probably meant, else what could stand there; and where parsing goes on.
#include "frontend/parse/builder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>

namespace rad {
namespace {

struct ForeignWord {
  std::string_view word, help;
};
// Words of other languages that stand before a name or a block.
constexpr ForeignWord foreignWords[] = {
    {"def", "a function is declared `fn NAME(x: f32) -> f32 { ... }`"},
    {"func", "a function is declared `fn NAME(x: f32) -> f32 { ... }`"},
    {"function", "a function is declared `fn NAME(x: f32) -> f32 { ... }`"},
    {"fun", "a function is declared `fn NAME(x: f32) -> f32 { ... }`"},
    {"void",
     "a function is declared `fn NAME(x: f32) { ... }`, one that runs over a domain `kernel NAME(...) forall i in 0..n "
     "{ ... }`"},
    {"__global__", "a kernel is declared `kernel NAME(a: f32, mut x: [f32; n]) forall i in 0..n { ... }`"},
    {"__device__", "a function is declared `fn NAME(x: f32) -> f32 { ... }`; the same one serves host and device"},
    {"__host__", "a function is declared `fn NAME(x: f32) -> f32 { ... }`; the same one serves host and device"},
    {"__constant__", "write `const NAME = ...`"},
    {"__shared__", "write `shared NAME: [f32; 64]`, with the type and size that it has"},
    {"class", "write `struct`"},
    {"elif", "write `else if`"},
    {"elsif", "write `else if`"},
    {"switch", "write `if` and `else if`"},
    {"match", "write `if` and `else if`"},
    {"loop", "write `while true { }`"},
    {"do", "write `while`"},
    {"try", "there are no exceptions; a failed check ends the launch"},
    {"lambda", "a lambda is written `LAMBDA`"},
    {"from", "write `import math.{sin, cos}`"},
    {"use", "write `import`"},
    {"include", "write `import`"},
    {"using", "write `type Name = ...` or `import`"},
    {"auto", "write `let NAME = ...`, or `var NAME = ...` if it changes"},
    {"mutable", "write `var`"},
    {"impl", "methods stand inside of the struct: `fn NAME(self) -> f32 { ... }`"},
    {"template", "compile-time parameters stand in `[]` behind the name: `fn f[T: Number](a: T)`"},
    {"static", "write `const`, or `let`"},
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

bool endsOperand(TokenKind kind) {
  switch (kind) {
    case TokenKind::Ident:
    case TokenKind::Int:
    case TokenKind::Float:
    case TokenKind::String:
    case TokenKind::TuplePosition:
    case TokenKind::RParen:
    case TokenKind::RBracket:
    case TokenKind::RBrace:
    case TokenKind::True:
    case TokenKind::False: return true;
    default: return false;
  }
}

/// The list of what could stand at a place, shortened to what helps: operators and brackets that could continue an
/// expression are left out. Empty if it says too little.
std::string describeExpected(const std::vector<TokenKind>& kinds, TokenKind before) {
  auto has = [&](TokenKind kind) { return std::find(kinds.begin(), kinds.end(), kind) != kinds.end(); };
  std::vector<std::string> words;
  bool expression = has(TokenKind::Int),
       continues = has(TokenKind::Plus) && has(TokenKind::Star) && !has(TokenKind::Ident);
  if (has(TokenKind::Let)) return {};  // a statement could begin: anything goes
  if (expression)
    words.push_back(
        before == TokenKind::Arrow || (before == TokenKind::Colon && !has(TokenKind::If)) ? "a type" : "an expression");
  else if (has(TokenKind::Ident)) words.push_back("a name");
  for (TokenKind kind : kinds) {
    switch (kind) {
      case TokenKind::Ident:
      case TokenKind::Int:
      case TokenKind::Float:
      case TokenKind::True:
      case TokenKind::False:
      case TokenKind::PlusPlus:
      case TokenKind::AmpAmp:
      case TokenKind::PipePipe:
      case TokenKind::Bang: continue;
      case TokenKind::String:
        if (!expression) words.push_back("a string");
        continue;
      case TokenKind::EndOfText: continue;
      case TokenKind::Mut:
        if (before == TokenKind::Let) continue;  // only for its own message
        break;
      case TokenKind::End: words.push_back("the end of the statement"); continue;
      case TokenKind::Assign:
      case TokenKind::SubAssign:
      case TokenKind::MulAssign:
      case TokenKind::DivAssign:
      case TokenKind::RemAssign:
      case TokenKind::AndAssign:
      case TokenKind::OrAssign:
      case TokenKind::XorAssign:
      case TokenKind::ShlAssign:
      case TokenKind::ShrAssign:
      case TokenKind::AddAssign:
        if (has(TokenKind::AddAssign)) continue;
        break;
      case TokenKind::LParen:
      case TokenKind::LBracket:
      case TokenKind::Dot:
        if (expression || continues) continue;
        break;
      case TokenKind::LBrace:
      case TokenKind::If:
      case TokenKind::Fn:
      case TokenKind::Not:
      case TokenKind::Minus:
      case TokenKind::Tilde:
      case TokenKind::Amp:
      case TokenKind::Pipe:
      case TokenKind::Const:
      case TokenKind::Unchecked:
      case TokenKind::Graph:
      case TokenKind::Strided:
        if (expression) continue;
        break;
      case TokenKind::On:
      case TokenKind::Ellipsis:
        if (continues) continue;
        break;
      default: break;
    }
    if (continues && isBinaryOperator(kind)) continue;
    // Inside brackets `,` and the closing one say enough.
    if ((kind == TokenKind::Colon || kind == TokenKind::For || kind == TokenKind::Semicolon) && has(TokenKind::Comma) &&
        !has(TokenKind::Ident))
      continue;
    std::string word = "`" + std::string(spelling(kind)) + "`";
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  }
  if (words.empty() || words.size() > 4) return {};
  std::string text = words[0];
  for (size_t i = 1; i < words.size(); ++i) text += (i + 1 == words.size() ? " or " : ", ") + words[i];
  return text;
}

}  // namespace

const Token& Builder::tokenAt(size_t at, int distance) const {
  static const Token none{0, 0, TokenKind::End, false, false, false};
  auto index = static_cast<int64_t>(at) + distance;
  if (index < 0) return none;
  return stream_.tokens[std::min(static_cast<size_t>(index), stream_.tokens.size() - 1)];
}

namespace {
// How far errors look back: far enough for what people write, and no quadratic time on what machines do.
constexpr size_t maxLookBack = 4096;
}  // namespace

/// The index of the bracket that the closing one at `at` closes, or of some token before it if that is far.
size_t Builder::matchingOpen(size_t at) const {
  int depth = 0;
  size_t limit = at > maxLookBack ? at - maxLookBack : 0;
  for (size_t i = at + 1; i-- > limit;) {
    switch (stream_.tokens[i].kind) {
      case TokenKind::RParen:
      case TokenKind::RBracket:
      case TokenKind::RBrace: ++depth; break;
      case TokenKind::LParen:
      case TokenKind::LBracket:
      case TokenKind::LBrace:
        if (--depth == 0) return i;
        break;
      default: break;
    }
  }
  return limit;
}

/// The index of the first token of the statement that the token at `at` is part of.
size_t Builder::statementStart(size_t at) const {
  size_t i = at, limit = at > maxLookBack ? at - maxLookBack : 0;
  while (i > limit) {
    TokenKind before = stream_.tokens[i - 1].kind;
    if (before == TokenKind::End || before == TokenKind::LBrace) break;
    if (before == TokenKind::RBrace || before == TokenKind::RParen || before == TokenKind::RBracket)
      i = matchingOpen(i - 1);
    else --i;
  }
  return i;
}

std::string Builder::describe(const Token& token) const {
  std::string text(textOf(token));
  switch (token.kind) {
    case TokenKind::EndOfText: return "the end of the text";
    case TokenKind::End: return text == ";" ? "`;`" : "the end of the line";
    case TokenKind::Int:
    case TokenKind::Float: return "the number " + text;
    case TokenKind::String: return "a string";
    default: return (isWord(token.kind) ? "the word `" : "`") + text + "`";
  }
}

/// The bracket that the token at `at` stands in, End for none in this statement.
TokenKind Builder::insideOf(size_t at) const {
  int depth = 0;
  const size_t limit = at > maxLookBack ? at - maxLookBack : 0;
  for (size_t i = at; i-- > limit;) {
    switch (stream_.tokens[i].kind) {
      case TokenKind::RParen:
      case TokenKind::RBracket:
      case TokenKind::RBrace: ++depth; break;
      case TokenKind::LParen:
      case TokenKind::LBracket:
      case TokenKind::LBrace:
        if (depth-- == 0) return stream_.tokens[i].kind;
        break;
      default: break;
    }
  }
  return TokenKind::End;
}

/// The first token of a kind behind `at` in the same statement, 0 if there is none.
size_t Builder::find(size_t at, TokenKind kind) const {
  for (size_t i = at; i < stream_.tokens.size() && i < at + maxLookBack; ++i) {
    if (stream_.tokens[i].kind == kind) return i;
    if (stream_.tokens[i].kind == TokenKind::End || stream_.tokens[i].kind == TokenKind::EndOfText) return 0;
  }
  return 0;
}

/// The text from the token at `at` up to one of `ends`, the end of the statement, or a bracket that closes what is
/// around it;
/// "..." when it is none to repeat in a message.
std::string Builder::textUntil(size_t at, std::initializer_list<TokenKind> ends) const {
  int depth = 0;
  size_t i = at;
  for (; i + 1 < stream_.tokens.size() && i < at + 40; ++i) {
    const TokenKind kind = stream_.tokens[i].kind;
    if (kind == TokenKind::End || kind == TokenKind::EndOfText) break;
    if (depth == 0 && std::find(ends.begin(), ends.end(), kind) != ends.end()) break;
    if (kind == TokenKind::LParen || kind == TokenKind::LBracket || kind == TokenKind::LBrace) ++depth;
    if ((kind == TokenKind::RParen || kind == TokenKind::RBracket || kind == TokenKind::RBrace) && depth-- == 0) break;
  }
  return shown(at, i);
}

/// The text of the operand that ends before the token at `at`.
std::string Builder::textBefore(size_t at) const {
  size_t begin = at;
  int depth = 0;
  for (; begin > 0 && begin + 40 > at; --begin) {
    const TokenKind kind = stream_.tokens[begin - 1].kind;
    if (kind == TokenKind::RParen || kind == TokenKind::RBracket) ++depth;
    if ((kind == TokenKind::LParen || kind == TokenKind::LBracket) && depth-- == 0) break;
    if (depth > 0) continue;
    if (kind == TokenKind::End || kind == TokenKind::Assign || kind == TokenKind::Comma || kind == TokenKind::LBrace ||
        kind == TokenKind::RBrace || kind == TokenKind::Return || kind == TokenKind::Colon)
      break;
  }
  return shown(begin, at);
}

/// The text of the tokens [first, end), or "..." if it is empty, long, or of several lines.
std::string Builder::shown(size_t first, size_t end) const {
  if (first >= end) return "...";
  const std::string_view text =
      text_.substr(stream_.tokens[first].begin, stream_.tokens[end - 1].end - stream_.tokens[first].begin);
  return text.size() > 60 || text.find('\n') != std::string_view::npos ? "..." : std::string(text);
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

/// `lambda x: ...` with its `x` at `at`, as a lambda.
std::string Builder::lambdaOf(size_t at) const {
  std::string params;
  size_t i = at;
  for (; tokenAt(i, 0).kind == TokenKind::Ident || tokenAt(i, 0).kind == TokenKind::Comma; ++i)
    if (tokenAt(i, 0).kind == TokenKind::Ident)
      params += (params.empty() ? "" : ", ") + std::string(textOf(tokenAt(i, 0)));
  return "|" + params + "| " + (tokenAt(i, 0).kind == TokenKind::Colon ? textUntil(i + 1, {TokenKind::Comma}) : "...");
}

/// Reports a lambda as C++ and JavaScript write it, if the error at `at` is in one.
bool Builder::foreignLambda(size_t at) {
  const Token& t = tokenAt(at, 0);
  // |v| -> f32 { e }
  if (t.kind == TokenKind::Arrow && tokenAt(at, -1).kind == TokenKind::Pipe) {
    report(Diag::UnexpectedHere, rangeOf(t), {"`->`"})
        .help("a lambda's type follows from its value: leave `-> ...` out");
    return true;
  }
  // v => e, (a, b) => e; v -> e, told from p->x by the blank before it
  if (t.kind == TokenKind::FatArrow ||
      (t.kind == TokenKind::Arrow && insideOf(at) == TokenKind::LParen && tokenAt(at, -1).end < t.begin)) {
    std::string params;
    const size_t first = tokenAt(at, -1).kind == TokenKind::RParen ? matchingOpen(at - 1) + 1 : at - 1;
    for (size_t i = first; i < at && i < first + 20; ++i)
      if (stream_.tokens[i].kind == TokenKind::Ident)
        params += (params.empty() ? "" : ", ") + std::string(textOf(stream_.tokens[i]));
    if (params.empty()) return false;
    report(Diag::UnexpectedHere, rangeOf(t), {"`" + std::string(textOf(t)) + "`"})
        .help("a lambda is written `|" + params + "| " + textUntil(at + 1, {TokenKind::Comma}) + "`");
    return true;
  }
  if (t.kind == TokenKind::Return && tokenAt(at, -1).kind == TokenKind::Pipe) {
    report(Diag::UnexpectedHere, rangeOf(t), {"the word `return`"})
        .help("what stands behind `|...|` is the lambda's value: leave `return` out");
    return true;
  }
  // [](float v) { ... }, [=](auto v) { ... }
  for (size_t open = at; open + 6 > at && open > 0; --open) {
    if (tokenAt(open, 0).kind != TokenKind::LBracket) continue;
    const TokenKind before = tokenAt(open, -1).kind;
    if (endsOperand(before)) return false;
    size_t close = open + 1;
    if (tokenAt(close, 0).kind == TokenKind::Assign || tokenAt(close, 0).kind == TokenKind::Amp) ++close;
    if (tokenAt(close, 0).kind != TokenKind::RBracket || tokenAt(close, 1).kind != TokenKind::LParen) return false;
    std::string params;
    size_t i = close + 2;
    for (; i < close + 30 && tokenAt(i, 0).kind != TokenKind::RParen; ++i)
      if (tokenAt(i, 0).kind == TokenKind::Ident &&
          (tokenAt(i, 1).kind == TokenKind::Comma || tokenAt(i, 1).kind == TokenKind::RParen))
        params += (params.empty() ? "" : ", ") + std::string(textOf(tokenAt(i, 0)));
    std::string value = "...";
    if (tokenAt(i, 1).kind == TokenKind::LBrace && tokenAt(i, 2).kind == TokenKind::Return) {
      size_t end = i + 3;
      while (end < i + 40 && tokenAt(end, 0).kind != TokenKind::End && tokenAt(end, 0).kind != TokenKind::Semicolon &&
             tokenAt(end, 0).kind != TokenKind::RBrace && tokenAt(end, 0).kind != TokenKind::EndOfText)
        ++end;
      value = shown(i + 3, end);
    }
    report(Diag::UnexpectedHere, cover(rangeOf(tokenAt(open, 0)), rangeOf(tokenAt(close, 0))),
           {"`" + shown(open, close + 1) + "`"})
        .help("a lambda is written `|" + params + "| " + value + "`; it takes what it names along");
    return true;
  }
  return false;
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

  if (!explained && foreignLambda(at)) return true;
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
          .help("`{}` in a text stands for a value, and the values follow it: `\"x = {}\", x`");
      return true;
    case TokenKind::Star:
    case TokenKind::Amp: {
      const bool inSignature =
          (first == TokenKind::Kernel || first == TokenKind::Fn) && insideOf(at) == TokenKind::LParen;
      if (!inSignature) break;
      const auto* row = p.kind == TokenKind::Ident ? lookUp(foreignTypes, textOf(p)) : nullptr;
      if (row && n.kind == TokenKind::Ident) {
        report(Diag::TypeFirst, cover(rangeOf(p), rangeOf(n)))
            .help("write `" + str(n) + ": [" + std::string(row->type) + "; n]`, and `mut " + str(n) +
                  "` if it is written to; `n` is a name for its size");
        return true;
      }
      if (p.kind != TokenKind::Colon) break;
      report(Diag::UnexpectedHere, here, {"`" + str(t) + "`"})
          .help("an array is always a reference: `" + str(pp) + ": [f32; n]`, and `mut " + str(pp) +
                "` if it is written to");
      return true;
    }
    case TokenKind::Less:
      if (p.kind != TokenKind::Ident || pp.kind != TokenKind::Colon) break;
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
      const std::string base = p.kind == TokenKind::Ident ? str(p) : "x";
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
      report(Diag::DoubleColon, here)
          .help(p.kind == TokenKind::Ident && n.kind == TokenKind::Ident ? "write `" + str(p) + "." + str(n) + "`"
                                                                         : "write `.`");
      return true;
    case TokenKind::Mut:
      if (p.kind != TokenKind::Let && p.kind != TokenKind::Var) break;
      report(Diag::LetMut, here).help("write `var" + (n.kind == TokenKind::Ident ? " " + str(n) : std::string()) + "`");
      return true;
    case TokenKind::LParen:
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
        return true;
      }
      if (insideOf(at) == TokenKind::LBracket && first != TokenKind::Kernel && first != TokenKind::Fn) {
        report(Diag::UnexpectedHere, here, {"`:`"}).help("a slice is written with `..`: `x[2..4]`, `x[2..]`, `x[..4]`");
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
  // `int x`, `def f`, `} elif`, `loop {`.
  if (p.kind == TokenKind::Ident && p.end != 0 && !t.newlineBefore &&
      (t.kind == TokenKind::Ident || t.kind == TokenKind::LBrace)) {
    if (const auto* row = lookUp(foreignTypes, textOf(p)); row && t.kind == TokenKind::Ident) {
      const std::string typed = str(t) + ": " + std::string(row->type),
                        value = n.kind == TokenKind::Assign ? " = " + textUntil(at + 2, {}) : "";
      auto message = report(Diag::TypeFirst, cover(rangeOf(p), here));
      if (insideOf(at) == TokenKind::LParen) message.help("write `" + typed + "`");
      else if (pp.kind == TokenKind::Const) message.help("write `const " + typed + value + "`");
      else if (value.empty()) message.help("write `var " + typed + "`");
      else
        message.help("write `let " + str(t) + value + "`, with the type `let " + typed + value +
                     "`, or `var` if it changes");
      return true;
    }
    if (const auto* row = lookUp(foreignWords, textOf(p))) {
      std::string help = withName(row->help, at);
      if (const size_t place = help.find("LAMBDA"); place != std::string::npos) help.replace(place, 6, lambdaOf(at));
      report(Diag::ForeignKeyword, rangeOf(p), {str(p)}).help(help);
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
    if (const auto* row = lookUp(foreignTypes, textOf(pp))) {
      report(Diag::UnexpectedHere, here, {describe(t)})
          .help("a conversion is written `" + std::string(row->type) + "(" + str(t) + ")`");
      return true;
    }
  if (t.kind == TokenKind::Ident && p.kind == TokenKind::RBrace)
    if (const auto* row = lookUp(foreignWords, textOf(t))) {
      report(Diag::ForeignKeyword, here, {str(t)}).help(std::string(row->help));
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

void Builder::syntaxError(const std::vector<TokenKind>& expected) {
  size_t at = cursor_ - 1;
  const Token &t = tokenAt(at, 0), &p = tokenAt(at, -1);
  stuck_ = at == lastErrorAt_;
  lastErrorAt_ = at;
  bool atEnd = t.kind == TokenKind::EndOfText ||
               (t.kind == TokenKind::End && tokenAt(at, 1).kind == TokenKind::EndOfText && textOf(t) != ";");
  // A bracket that was inserted and a character that was left out have had their message.
  size_t start = statementStart(at);
  auto has = [&](TokenKind kind) { return std::find(expected.begin(), expected.end(), kind) != expected.end(); };
  bool hadMessage = t.isVirtual || t.afterError || (at > 0 && (p.isVirtual || p.afterError));
  skipStatement(at);
  lost_ = {{base_ + stream_.tokens[start].begin}, {base_ + stream_.tokens[cursor_].begin}};
  // A bracket that is missing or one too many in this statement explains most of what goes wrong in it.
  bool explained = statementHasBracketProblem(start, cursor_);
  failedBeforeEnd_ |= !hadMessage && explained;
  if (!hadMessage && !stuck_ && !foreignHabit(at, explained) && !explained) {
    failedAtEnd_ |= atEnd;
    if (has(TokenKind::LBrace) && !has(TokenKind::Int)) {
      // Its `}` was then found to be one too many.
      while (nextSurplus_ < surplusBraces_.size() && surplusBraces_[nextSurplus_] < t.begin) ++nextSurplus_;
      if (nextSurplus_ < surplusBraces_.size()) {
        uint32_t brace = base_ + surplusBraces_[nextSurplus_++];
        diagnostics_.retract(Diag::UnmatchedBracket, {{brace}, {brace + 1}});
      }
    }
    bool afterAttribute =
        stream_.tokens[start].kind == TokenKind::At && has(TokenKind::Fn) && has(TokenKind::At) && !has(TokenKind::Int);
    std::string list = describeExpected(expected, at > 0 ? p.kind : TokenKind::End);
    if (afterAttribute) {
      report(Diag::AttributeTarget, rangeOf(t));
    } else {
      if (t.kind == TokenKind::Else) list.clear();
      auto message = list.empty() ? report(Diag::UnexpectedHere, rangeOf(t), {describe(t)})
                                  : report(Diag::UnexpectedToken, rangeOf(t), {list, describe(t)});
      bool beginsStatement = isWord(t.kind) || t.kind == TokenKind::Ident || t.kind == TokenKind::Int ||
                             t.kind == TokenKind::Float || t.kind == TokenKind::String;
      if (at > 0 && !t.newlineBefore && endsOperand(p.kind) && has(TokenKind::End) && beginsStatement &&
          t.kind != TokenKind::Else)
        message.help(textOf(p) == "new" && t.kind == TokenKind::Ident
                         ? "a value is made by the name of its type: `" + std::string(textOf(t)) + "(...)`"
                         : "a new statement begins on a line of its own or behind `;`");
      else if (at > 0 && t.kind == TokenKind::LBrace && p.kind == TokenKind::Ident && has(TokenKind::End) &&
               std::isupper(static_cast<unsigned char>(textOf(p)[0])))
        message.help("a struct is made with parentheses: `" + std::string(textOf(p)) + "(name: value)`");
      else if (isWord(t.kind) && has(TokenKind::Ident) && !has(TokenKind::Int))
        message.help("`" + std::string(textOf(t)) + "` is a word of the language; choose another name");
      else if (t.kind == TokenKind::Else) message.help("`else` follows the `}` of an `if`");
      else if (t.kind == TokenKind::End && textOf(t) == ";" && has(TokenKind::LBrace))
        message.help("leave the `;` out; the body follows in `{ }`");
      else if (t.kind == TokenKind::Ellipsis)
        message.help("`...` stands behind an argument that is a list, or behind the type of a parameter");
    }
  }
}

bool Builder::statementHasBracketProblem(size_t start, size_t end) const {
  auto it = std::lower_bound(bracketProblems_.begin(), bracketProblems_.end(), stream_.tokens[start].begin);
  return it != bracketProblems_.end() && *it <= stream_.tokens[end].begin;
}

/// Moves to the end of the statement, member or block that the token at `at` stands in; whole blocks are skipped.
void Builder::skipStatement(size_t at) {
  // The token at `at` is given again: undo what it did to the brackets around the cursor.
  switch (stream_.tokens[at].kind) {
    case TokenKind::LParen:
    case TokenKind::LBracket:
    case TokenKind::LBrace: open_.pop_back(); break;
    case TokenKind::RParen:
    case TokenKind::RBracket:
    case TokenKind::RBrace: open_.push_back(lastClosed_); break;
    default: break;
  }
  // The grammar goes on in the innermost braces: round and square brackets inside of them are given up.
  int parens = 0, braces = 0;
  for (; !open_.empty() && open_.back() == Open::Parens; open_.pop_back()) ++parens;
  bool list = !open_.empty() && open_.back() == Open::List;
  for (cursor_ = at;; ++cursor_) {
    switch (stream_.tokens[cursor_].kind) {
      case TokenKind::LParen:
      case TokenKind::LBracket: parens += braces == 0; break;
      case TokenKind::RParen:
      case TokenKind::RBracket: parens -= braces == 0; break;
      case TokenKind::LBrace: ++braces; break;
      case TokenKind::RBrace:
        if (braces-- == 0) return;
        break;
      case TokenKind::End:
        if (braces == 0) return;
        break;
      case TokenKind::Comma:
        if (list && braces == 0 && parens == 0) return;
        break;
      case TokenKind::EndOfText: return;
      default: break;
    }
  }
}

void Builder::aborted() {
  if (!diagnostics_.hasErrors()) {
    const Token& token = tokenAt(cursor_, -1);
    report(Diag::ParseAborted, rangeOf(token));
  }
}

}  // namespace rad

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Syntax errors in the user's terms: what was probably meant, else what could stand there; and where parsing goes on.
#include "frontend/parse/builder.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace rad {
namespace {

struct ForeignWord {
  std::string_view word, help;
};
// Words of other languages that stand before a name or a block.
constexpr ForeignWord foreignWords[] = {
    {"def", "a function is declared with `fn`"},
    {"func", "a function is declared with `fn`"},
    {"function", "a function is declared with `fn`"},
    {"fun", "a function is declared with `fn`"},
    {"void", "a function is declared with `fn`, one that runs over a domain with `kernel`"},
    {"__global__", "a kernel is declared with `kernel name(...) forall i in 0..n { }`"},
    {"__device__", "a function is declared with `fn`; the same one serves host and device"},
    {"__shared__", "write `shared tile: [f32; 32, 32]`"},
    {"class", "write `struct`"},
    {"elif", "write `else if`"},
    {"elsif", "write `else if`"},
    {"switch", "write `if` and `else if`"},
    {"match", "write `if` and `else if`"},
    {"loop", "write `while true { }`"},
    {"do", "write `while`"},
    {"try", "there are no exceptions; a failed check ends the launch"},
    {"lambda", "a lambda is written `|x| x + 1`"},
    {"from", "write `import math.{sin, cos}`"},
    {"use", "write `import`"},
    {"include", "write `import`"},
    {"using", "write `type Name = ...` or `import`"},
    {"auto", "write `let` or `var`"},
    {"mutable", "write `var`"},
    {"impl", "methods stand inside of the `struct`"},
    {"template", "compile-time parameters stand in `[]` behind the name: `fn f[T: Number](a: T)`"},
    {"static", "write `const`, or `let`"},
    {"typedef", "write `type Name = ...`"},
    {"namespace", "each file is a namespace of its own: `import \"file.rad\" as name`"},
};
struct ForeignType {
  std::string_view word, type;
};
constexpr ForeignType foreignTypes[] = {
    {"int", "i32"},       {"float", "f32"},       {"double", "f64"},     {"long", "i64"},      {"short", "i16"},    {"char", "i8"},
    {"half", "f16"},      {"unsigned", "u32"},    {"size_t", "index"},   {"int32_t", "i32"},   {"int64_t", "i64"},  {"uint32_t", "u32"},
    {"uint64_t", "u64"},  {"uint8_t", "u8"},      {"bool", "bool"},      {"i8", "i8"},         {"i16", "i16"},      {"i32", "i32"},
    {"i64", "i64"},       {"u8", "u8"},           {"u16", "u16"},        {"u32", "u32"},       {"u64", "u64"},      {"f16", "f16"},
    {"bf16", "bf16"},     {"f32", "f32"},         {"f64", "f64"},        {"index", "index"},
};

template <class T, size_t N>
const T* lookUp(const T (&table)[N], std::string_view word) {
  auto it = std::find_if(std::begin(table), std::end(table), [&](const T& row) { return row.word == word; });
  return it == std::end(table) ? nullptr : it;
}

bool endsOperand(TokenKind kind) {
  switch (kind) {
    case TokenKind::Ident: case TokenKind::Int: case TokenKind::Float: case TokenKind::String: case TokenKind::TuplePosition:
    case TokenKind::RParen: case TokenKind::RBracket: case TokenKind::RBrace: case TokenKind::True: case TokenKind::False:
      return true;
    default: return false;
  }
}

/// The list of what could stand at a place, shortened to what helps: operators and brackets that could continue an
/// expression are left out. Empty if it says too little.
std::string describeExpected(const std::vector<TokenKind>& kinds, TokenKind before) {
  auto has = [&](TokenKind kind) { return std::find(kinds.begin(), kinds.end(), kind) != kinds.end(); };
  std::vector<std::string> words;
  bool expression = has(TokenKind::Int), continues = has(TokenKind::Plus) && has(TokenKind::Star) && !has(TokenKind::Ident);
  if (has(TokenKind::Let)) return {};  // a statement could begin: anything goes
  if (expression) words.push_back(before == TokenKind::Arrow || (before == TokenKind::Colon && !has(TokenKind::If)) ? "a type" : "an expression");
  else if (has(TokenKind::Ident)) words.push_back("a name");
  for (TokenKind kind : kinds) {
    switch (kind) {
      case TokenKind::Ident: case TokenKind::Int: case TokenKind::Float: case TokenKind::True: case TokenKind::False:
      case TokenKind::PlusPlus: case TokenKind::AmpAmp: case TokenKind::PipePipe: case TokenKind::Bang:
        continue;
      case TokenKind::String:
        if (!expression) words.push_back("a string");
        continue;
      case TokenKind::EndOfText: continue;
      case TokenKind::End: words.push_back("the end of the statement"); continue;
      case TokenKind::Assign: case TokenKind::SubAssign: case TokenKind::MulAssign: case TokenKind::DivAssign: case TokenKind::RemAssign:
      case TokenKind::AndAssign: case TokenKind::OrAssign: case TokenKind::XorAssign: case TokenKind::ShlAssign: case TokenKind::ShrAssign:
      case TokenKind::AddAssign:
        if (has(TokenKind::AddAssign)) continue;
        break;
      case TokenKind::LParen: case TokenKind::LBracket: case TokenKind::Dot:
        if (expression || continues) continue;
        break;
      case TokenKind::LBrace: case TokenKind::If: case TokenKind::Fn: case TokenKind::Not: case TokenKind::Minus: case TokenKind::Tilde:
      case TokenKind::Amp: case TokenKind::Pipe: case TokenKind::Const: case TokenKind::Unchecked: case TokenKind::Graph:
      case TokenKind::Strided:
        if (expression) continue;
        break;
      case TokenKind::On: case TokenKind::Ellipsis:
        if (continues) continue;
        break;
      default: break;
    }
    if (continues && isBinaryOperator(kind)) continue;
    // Inside brackets `,` and the closing one say enough.
    if ((kind == TokenKind::Colon || kind == TokenKind::For || kind == TokenKind::Semicolon) && has(TokenKind::Comma) && !has(TokenKind::Ident)) continue;
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
      case TokenKind::RParen: case TokenKind::RBracket: case TokenKind::RBrace: ++depth; break;
      case TokenKind::LParen: case TokenKind::LBracket: case TokenKind::LBrace:
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
    if (before == TokenKind::RBrace || before == TokenKind::RParen || before == TokenKind::RBracket) i = matchingOpen(i - 1);
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

/// Reports a habit of another language or a common slip, if the token at `at` looks like one. `explained`:
/// a bracket's message explains the error already, so that only what is beyond doubt is a habit.
bool Builder::foreignHabit(size_t at, bool explained) {
  const Token &t = tokenAt(at, 0), &p = tokenAt(at, -1), &pp = tokenAt(at, -2), &n = tokenAt(at, 1);
  Range here = rangeOf(t);
  auto str = [&](const Token& token) { return std::string(textOf(token)); };
  size_t start = statementStart(at);
  TokenKind first = stream_.tokens[start].kind;

  switch (t.kind) {
    case TokenKind::PlusPlus:
    case TokenKind::MinusMinus: {
      std::string name = p.kind == TokenKind::Ident ? str(p) : n.kind == TokenKind::Ident ? str(n) : "x";
      report(Diag::IncrementOperator, here, {str(t)}).help("write `" + name + (t.kind == TokenKind::PlusPlus ? " += 1`" : " -= 1`"));
      return true;
    }
    case TokenKind::Question: report(Diag::ConditionalOperator, here).help("write `if condition { a } else { b }`"); return true;
    case TokenKind::LaunchOpen:
      report(Diag::LaunchBrackets, here).help("write `" + (p.kind == TokenKind::Ident ? str(p) : std::string("name")) + "(...)`; the geometry follows from the kernel's domain");
      return true;
    case TokenKind::StarStar: report(Diag::PowerOperator, here).help("write `pow(x, y)`, or a product"); return true;
    case TokenKind::ColonColon: report(Diag::DoubleColon, here).help("write `.`"); return true;
    case TokenKind::Mut:
      if (p.kind != TokenKind::Let && p.kind != TokenKind::Var) break;
      report(Diag::LetMut, here).help("write `var" + (n.kind == TokenKind::Ident ? " " + str(n) : std::string()) + "`");
      return true;
    case TokenKind::LParen:
      if (p.kind != TokenKind::For) break;
      report(Diag::CStyleFor, cover(rangeOf(p), here)).help("write `for i in 0..n { }`");
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
      if (first == TokenKind::If || first == TokenKind::While || first == TokenKind::For || first == TokenKind::Forall ||
          (first == TokenKind::Kernel && p.kind == TokenKind::RParen) || first == TokenKind::Struct || p.kind == TokenKind::Else) {
        report(Diag::BlockColon, here).help("write `{` here and `}` behind the last statement");
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
        report(Diag::UnexpectedHere, here, {"`:`"}).help("a variable is declared with `let " + str(p) + ": ...` or `var " + str(p) + ": ...`");
        return true;
      }
      break;
    }
    default: break;
  }

  if (p.kind == TokenKind::Dot && pp.kind == TokenKind::Int && t.kind != TokenKind::Ident && t.kind != TokenKind::TuplePosition && pp.end == p.begin) {
    report(Diag::MissingDigits, cover(rangeOf(pp), rangeOf(p))).help("write `" + str(pp) + ".0`");
    return true;
  }
  // `int x`, `def f`, `} elif`, `loop {`.
  if (p.kind == TokenKind::Ident && p.end != 0 && !t.newlineBefore && (t.kind == TokenKind::Ident || t.kind == TokenKind::LBrace)) {
    if (const auto* row = lookUp(foreignTypes, textOf(p)); row && t.kind == TokenKind::Ident) {
      report(Diag::TypeFirst, cover(rangeOf(p), here)).help("write `" + std::string(pp.kind == TokenKind::Const ? "const " : "var ") + str(t) + ": " + std::string(row->type) + "`");
      return true;
    }
    if (const auto* row = lookUp(foreignWords, textOf(p))) {
      report(Diag::ForeignKeyword, rangeOf(p), {str(p)}).help(std::string(row->help));
      return true;
    }
  }
  if (p.kind == TokenKind::Ident && p.end != 0 && t.kind != TokenKind::End && textOf(p) == "elif") {
    report(Diag::ForeignKeyword, rangeOf(p), {"elif"}).help("write `else if`");
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
  bool atEnd = t.kind == TokenKind::EndOfText || (t.kind == TokenKind::End && tokenAt(at, 1).kind == TokenKind::EndOfText && textOf(t) != ";");
  // A bracket that was inserted and a character that was left out have had their message.
  size_t start = statementStart(at);
  auto has = [&](TokenKind kind) { return std::find(expected.begin(), expected.end(), kind) != expected.end(); };
  bool hadMessage = t.isVirtual || t.afterError || (at > 0 && (p.isVirtual || p.afterError));
  skipStatement(at);
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
    bool afterAttribute = stream_.tokens[start].kind == TokenKind::At && has(TokenKind::Fn) && has(TokenKind::At) && !has(TokenKind::Int);
    std::string list = describeExpected(expected, at > 0 ? p.kind : TokenKind::End);
    if (afterAttribute) {
      report(Diag::AttributeTarget, rangeOf(t));
    } else {
      if (t.kind == TokenKind::Else) list.clear();
      auto message = list.empty() ? report(Diag::UnexpectedHere, rangeOf(t), {describe(t)}) : report(Diag::UnexpectedToken, rangeOf(t), {list, describe(t)});
      bool beginsStatement = isWord(t.kind) || t.kind == TokenKind::Ident || t.kind == TokenKind::Int || t.kind == TokenKind::Float || t.kind == TokenKind::String;
      if (at > 0 && !t.newlineBefore && endsOperand(p.kind) && has(TokenKind::End) && beginsStatement && t.kind != TokenKind::Else)
        message.help("a new statement begins on a line of its own or behind `;`");
      else if (isWord(t.kind) && has(TokenKind::Ident) && !has(TokenKind::Int))
        message.help("`" + std::string(textOf(t)) + "` is a word of the language; choose another name");
      else if (t.kind == TokenKind::Else)
        message.help("`else` follows the `}` of an `if`");
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
    case TokenKind::LParen: case TokenKind::LBracket: case TokenKind::LBrace: open_.pop_back(); break;
    case TokenKind::RParen: case TokenKind::RBracket: case TokenKind::RBrace: open_.push_back(lastClosed_); break;
    default: break;
  }
  // The grammar goes on in the innermost braces: round and square brackets inside of them are given up.
  int parens = 0, braces = 0;
  for (; !open_.empty() && open_.back() == Open::Parens; open_.pop_back()) ++parens;
  bool list = !open_.empty() && open_.back() == Open::List;
  for (cursor_ = at;; ++cursor_) {
    switch (stream_.tokens[cursor_].kind) {
      case TokenKind::LParen: case TokenKind::LBracket: parens += braces == 0; break;
      case TokenKind::RParen: case TokenKind::RBracket: parens -= braces == 0; break;
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

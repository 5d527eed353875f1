// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Syntax errors: what could stand there, and where parsing goes on. habits.cpp says what was probably meant.
#include "frontend/parse/builder.h"
#include "frontend/parse/habits.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace rad {

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

namespace {

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

// How far errors look back: far enough for what people write, and no quadratic time on what machines do.
static constexpr size_t maxLookBack = 4096;

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

/// The index of the bracket that the token at `at` stands in, SIZE_MAX for none near it.
size_t Builder::openAround(size_t at) const {
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
        if (depth-- == 0) return i;
        break;
      default: break;
    }
  }
  return SIZE_MAX;
}

/// The bracket that the token at `at` stands in, End for none.
TokenKind Builder::insideOf(size_t at) const {
  const size_t open = openAround(at);
  return open == SIZE_MAX ? TokenKind::End : stream_.tokens[open].kind;
}

/// The index of the bracket that closes the one at `at`, or of some token behind it if that is far.
size_t Builder::matchingClose(size_t at) const {
  int depth = 0;
  size_t i = at;
  for (; i + 1 < stream_.tokens.size() && i < at + 200; ++i) {
    const TokenKind kind = stream_.tokens[i].kind;
    if (kind == TokenKind::LParen || kind == TokenKind::LBracket || kind == TokenKind::LBrace) ++depth;
    if ((kind == TokenKind::RParen || kind == TokenKind::RBracket || kind == TokenKind::RBrace) && --depth == 0)
      return i;
  }
  return i;
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

/// The text of the name, member, element or call that ends before the token at `at`.
std::string Builder::postfixBefore(size_t at) const {
  size_t begin = at;
  while (begin > 0) {
    const TokenKind kind = stream_.tokens[begin - 1].kind;
    if (kind == TokenKind::RParen || kind == TokenKind::RBracket) {
      begin = matchingOpen(begin - 1);
      if (begin == 0 || stream_.tokens[begin - 1].end != stream_.tokens[begin].begin ||
          !endsOperand(stream_.tokens[begin - 1].kind))
        break;
    } else if (kind == TokenKind::Ident || kind == TokenKind::TuplePosition || kind == TokenKind::Int ||
               kind == TokenKind::Float) {
      --begin;
      if (begin == 0 || stream_.tokens[begin - 1].kind != TokenKind::Dot) break;
      --begin;
    } else {
      break;
    }
  }
  return shown(begin, at);
}

/// The text of the tokens [first, end), or "..." if it is empty, long, or of several lines.
std::string Builder::shown(size_t first, size_t end) const {
  end = std::min(end, stream_.tokens.size());
  if (first >= end) return "...";
  const std::string_view text =
      text_.substr(stream_.tokens[first].begin, stream_.tokens[end - 1].end - stream_.tokens[first].begin);
  return text.size() > 60 || text.find('\n') != std::string_view::npos ? "..." : std::string(text);
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
  isPython_ = false;
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
  if (isPython_) skipIndented(start);
}

/// Moves behind the lines that are indented below the statement at `start`: a block of Python, which had its message.
void Builder::skipIndented(size_t start) {
  auto column = [&](const Token& token) {
    const size_t line = text_.substr(0, token.begin).rfind('\n');
    return token.begin - (line == std::string_view::npos ? 0 : line + 1);
  };
  const size_t indent = column(stream_.tokens[start]);
  while (stream_.tokens[cursor_].kind == TokenKind::End && cursor_ + 1 < stream_.tokens.size()) {
    const Token& next = stream_.tokens[cursor_ + 1];
    if (next.kind == TokenKind::EndOfText || next.kind == TokenKind::RBrace) return;
    const std::string_view word = textOf(next);
    const bool goesOn =
        column(next) == indent && (word == "else" || word == "elif" || word == "except" || word == "finally");
    if (column(next) <= indent && !goesOn) return;
    int depth = 0;
    for (++cursor_; stream_.tokens[cursor_].kind != TokenKind::EndOfText; ++cursor_) {
      const TokenKind kind = stream_.tokens[cursor_].kind;
      if (kind == TokenKind::End && depth == 0) break;
      if (kind == TokenKind::LBrace) ++depth;
      if (kind == TokenKind::RBrace && depth-- == 0) return;
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

StructMember Builder::lostMember() {
  const size_t open = openAround(cursor_);
  if (open == SIZE_MAX || open == 0) return {};
  error({rangeOf(stream_.tokens[open - 1]).begin, lost_.end});
  return {};
}

void Builder::aborted() {
  if (!diagnostics_.hasErrors()) {
    const Token& token = tokenAt(cursor_, -1);
    report(Diag::ParseAborted, rangeOf(token));
  }
}

}  // namespace rad
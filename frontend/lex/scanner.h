// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What lexer.l hands to filter.cpp: raw tokens. Internal to lex/.
#pragma once

#include "frontend/lex/lex.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace rad {

/// What a raw token is, besides a TokenKind.
enum class Raw : uint8_t { Token, Doc, BadCharacter, BadName, SingleQuotes, UnterminatedString, UnterminatedComment };

struct RawToken {
  Token token;
  Raw raw = Raw::Token;
};

/// State of one scan, reached from the rules through yyextra.
struct ScanState {
  uint32_t begin = 0;  // of the text just matched
  uint32_t end = 0;
  uint32_t commentBegin = 0;  // of the comment that is open
  uint32_t commentDepth = 0;
  bool newline = false;  // seen since the last token
  std::vector<RawToken>* out = nullptr;

  void add(TokenKind kind) { push(begin, kind, Raw::Token); }
  void add(Raw raw) { push(raw == Raw::UnterminatedComment ? commentBegin : begin, TokenKind::EndOfText, raw); }

 private:
  void push(uint32_t from, TokenKind kind, Raw raw) {
    out->push_back({{from, end, kind, newline, false, false}, raw});
    newline = false;
  }
};

/// Scans a whole text.
std::vector<RawToken> scan(std::string_view text);

/// The kind of a reserved word, or Ident.
TokenKind wordKind(std::string_view text);
/// The kind of a contextual word, or Ident.
TokenKind contextualKind(std::string_view text);

}  // namespace rad

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Text -> tokens, with the newlines that end a statement as tokens of their own.
#pragma once

#include "frontend/diagnostics/diagnostics.h"
#include "frontend/source/source.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rad {

/// The kinds of tokens: the rows of tokens.def, then the words of keywords.def.
enum class TokenKind : uint8_t {
#define SPECIAL(Kind, Description, Ends, Begins) Kind,
#define SIGN(Kind, Spelling, Ends, Begins) Kind,
#include "frontend/lex/tokens.def"
#define KEYWORD(Kind, Spelling, Ends, Begins) Kind,
#define CONTEXTUAL(Kind, Spelling) Kind,
#include "frontend/lex/keywords.def"
};

/// The text of a sign or word ("+=", "kernel"), or what a token of varying text is called ("name").
std::string_view spelling(TokenKind kind);
/// Whether a kind is a reserved or contextual word.
bool isWord(TokenKind kind);
/// Whether a kind joins two expressions ("+", "and").
bool isBinaryOperator(TokenKind kind);

/// A token: byte offsets into its file's text.
struct Token {
  uint32_t begin = 0;
  uint32_t end = 0;
  TokenKind kind = TokenKind::EndOfText;
  bool newlineBefore = false;  // the first on its line
  bool isVirtual = false;      // a closing bracket that was missing, and reported
  bool afterError = false;     // behind a character that was reported and left out
};

/// The `///` lines above a declaration.
struct DocComment {
  uint32_t target = 0;  // offset of the token below them
  std::string text;     // without the slashes, lines joined by '\n'
};

/// How deeply brackets, expressions and blocks may be nested; later stages may recurse this far.
inline constexpr unsigned maxNesting = 256;

/// A bracket without partner, which was reported.
struct BracketProblem {
  uint32_t begin = 0;
  bool surplusBrace = false;  // a `}` that was left out
};

/// The tokens of one file. The last one is always EndOfText, and every bracket has its partner: missing ones were
/// reported and inserted (isVirtual), those too many were reported and left out.
struct TokenStream {
  std::vector<Token> tokens;
  std::vector<DocComment> docs;          // by target
  std::vector<BracketProblem> brackets;  // in the order they were found
  bool openAtEnd = false;  // the text ends inside a bracket, comment or documentation: more lines could complete it
  bool tooDeep = false;    // reading stopped at a bracket nested too deeply, which was reported
  unsigned endErrors = 0;  // how many messages were about that
};

/// Reads a whole file. Reports what is wrong with its characters, literals' ends, comments and brackets.
TokenStream lex(FileId file, const SourceManager& sources, Diagnostics& diagnostics);

/// The tokens as text, one a line: `line:column kind text`; for tests and `--emit=tokens`.
std::string dumpTokens(FileId file, const SourceManager& sources);

}  // namespace rad

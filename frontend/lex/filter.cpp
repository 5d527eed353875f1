// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From raw tokens to those the grammar sees: which newlines end a statement, which words are words, documentation,
// and brackets that match.
#include "frontend/lex/lex.h"
#include "frontend/lex/scanner.h"

#include <algorithm>
#include <utility>

namespace rad {
namespace {

struct KindInfo {
  std::string_view spelling;
  bool ends, begins, word, binary;
};
constexpr KindInfo infos[] = {
#define SPECIAL(Kind, Description, Ends, Begins) {Description, Ends, Begins, false, false},
#define SIGN(Kind, Spelling, Ends, Begins) {Spelling, Ends, Begins, false, false},
#define BINARY(Kind, Spelling, Ends, Begins) {Spelling, Ends, Begins, false, true},
#include "frontend/lex/tokens.def"
#define KEYWORD(Kind, Spelling, Ends, Begins) {Spelling, Ends, Begins, true, false},
#define CONTEXTUAL(Kind, Spelling) {Spelling, false, true, true, false},
#include "frontend/lex/keywords.def"
};

const KindInfo& info(TokenKind kind) { return infos[static_cast<size_t>(kind)]; }

/// A word's place in the table of reserved words: found without comparing with each.
constexpr size_t wordTableSize = 256;
constexpr size_t wordHash(std::string_view text) {
  return (static_cast<unsigned char>(text[0]) * 7u + static_cast<unsigned char>(text[1]) * 31u +
          static_cast<unsigned char>(text.back()) * 13u + text.size() * 3u) %
         wordTableSize;
}
struct WordTable {
  std::string_view text[wordTableSize];
  TokenKind kind[wordTableSize] = {};
  constexpr void add(std::string_view word, TokenKind wordKind) {
    size_t at = wordHash(word);
    while (!text[at].empty()) at = (at + 1) % wordTableSize;
    text[at] = word;
    kind[at] = wordKind;
  }
  constexpr TokenKind find(std::string_view word) const {
    if (word.size() < 2) return TokenKind::Ident;
    for (size_t at = wordHash(word); !text[at].empty(); at = (at + 1) % wordTableSize)
      if (text[at] == word) return kind[at];
    return TokenKind::Ident;
  }
};
constexpr WordTable reservedWords = [] {
  WordTable table;
#define KEYWORD(Kind, Spelling, Ends, Begins) table.add(Spelling, TokenKind::Kind);
#include "frontend/lex/keywords.def"
  return table;
}();
constexpr WordTable contextualWords = [] {
  WordTable table;
#define CONTEXTUAL(Kind, Spelling) table.add(Spelling, TokenKind::Kind);
#include "frontend/lex/keywords.def"
  return table;
}();

/// The offset of the first byte that is not part of a valid UTF-8 sequence, or npos.
size_t firstInvalidUtf8(std::string_view text) {
  auto byte = [&](size_t at) { return static_cast<unsigned char>(at < text.size() ? text[at] : 0); };
  for (size_t at = 0; at < text.size();) {
    unsigned char lead = byte(at);
    if (lead < 0x80) {
      ++at;
      continue;
    }
    size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                    : lead >= 0xE0 && lead < 0xF0 ? 3
                    : lead >= 0xF0 && lead < 0xF5 ? 4
                                                  : 0;
    if (length == 0) return at;
    // Overlong forms, surrogates and what lies beyond U+10FFFF differ in the second byte.
    unsigned char low = lead == 0xE0   ? 0xA0
                        : lead == 0xF0 ? 0x90
                                       : 0x80,
                  high = lead == 0xED   ? 0x9F
                         : lead == 0xF4 ? 0x8F
                                        : 0xBF;
    if (byte(at + 1) < low || byte(at + 1) > high) return at;
    for (size_t i = 2; i < length; ++i)
      if ((byte(at + i) & 0xC0) != 0x80) return at;
    at += length;
  }
  return std::string_view::npos;
}

class Filter {
 public:
  Filter(FileId file, const SourceManager& sources, Diagnostics& diagnostics)
      : file_(file), text_(sources.text(file)), sources_(sources), diagnostics_(diagnostics) {}

  TokenStream run() {
    if (size_t bad = firstInvalidUtf8(text_); bad != std::string_view::npos)
      report(Diag::InvalidUtf8, static_cast<uint32_t>(bad), static_cast<uint32_t>(bad) + 1);
    raw_ = scan(text_);
    out_.tokens.reserve(raw_.size() + raw_.size() / 4);
    for (at_ = 0; at_ < raw_.size() && !stopped_; ++at_) {
      const uint32_t begin = raw_[at_].token.begin;
      if (begin < skipUntil_) {  // behind a `#`
        pendingNewline_ |= raw_[at_].token.newlineBefore;
        continue;
      }
      take(raw_[at_]);
    }
    return std::move(out_);
  }

 private:
  struct Open {
    TokenKind kind;
    uint32_t begin;
    bool ofAttribute;
  };

  Diagnostics::Builder report(Diag diag, uint32_t begin, uint32_t end, std::vector<std::string> arguments = {}) {
    return diagnostics_.report(diag, {sources_.location(file_, begin), sources_.location(file_, end)},
                               std::move(arguments));
  }
  std::string_view textOf(const Token& token) const { return text_.substr(token.begin, token.end - token.begin); }

  void take(const RawToken& raw) {
    pendingNewline_ |= raw.token.newlineBefore;
    switch (raw.raw) {
      case Raw::Doc: addDoc(raw.token); return;
      case Raw::BadCharacter: badCharacter(raw.token); return;
      case Raw::UnterminatedComment:
        report(Diag::UnterminatedComment, raw.token.begin, raw.token.begin + 2)
            .help("write `*/` where it ends; comments nest");
        out_.openAtEnd = true;
        ++out_.endErrors;
        return;
      case Raw::UnterminatedString: {
        report(Diag::UnterminatedString, raw.token.begin, raw.token.end).help("write `\"` where it ends");
        addAs(TokenKind::String, raw.token);
        // The string took what closes the brackets around it along.
        while (inParens()) insertCloser(raw.token.end);
        return;
      }
      case Raw::BadName: badName(raw.token); return;
      case Raw::SingleQuotes:
        report(Diag::UnexpectedCharacter, raw.token.begin, raw.token.end, {"`'`"})
            .help(raw.token.end - raw.token.begin == 3
                      ? "a string stands in double quotes; the code of this letter is " +
                            std::to_string(static_cast<unsigned char>(text_[raw.token.begin + 1]))
                      : "a string stands in double quotes");
        addAs(TokenKind::String, raw.token);
        return;
      case Raw::Token: add(raw.token); return;
    }
  }

  void addDoc(const Token& token) {
    std::string_view line = textOf(token).substr(3);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (hasDoc_) doc_ += '\n';
    doc_ += line;
    hasDoc_ = true;
  }

  void addAs(TokenKind kind, Token token) {
    token.kind = kind;
    add(token);
  }

  /// A word with characters beyond ASCII: names its first such character. A letter makes it a name nevertheless, so
  /// that there is one message; a symbol is left out.
  void badName(const Token& token) {
    std::string_view text = textOf(token);
    size_t at = 0;
    while (static_cast<unsigned char>(text[at]) < 0x80) ++at;
    size_t end = at + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    std::string_view first = text.substr(at, end - at);
    if (firstInvalidUtf8(first) == std::string_view::npos)  // else it was reported before
      report(Diag::UnexpectedCharacter, token.begin + static_cast<uint32_t>(at),
             token.begin + static_cast<uint32_t>(end), {"`" + std::string(first) + "`"})
          .help("outside of strings and comments only ASCII characters are used");
    // Signs: multiplication and division in Latin-1, and the blocks of punctuation, arrows and mathematics.
    auto lead = static_cast<unsigned char>(first[0]);
    bool symbol = lead == 0xC2 || first == "\xC3\x97" || first == "\xC3\xB7" || lead == 0xE2;
    if (symbol && at == 0) afterError_ = true;
    else addAs(TokenKind::Ident, token);
  }

  /// What is written here for `\\v -> e` and for a line that goes on; `at`: behind the backslash.
  std::string backslashMeant(size_t at) const {
    const std::string_view line = text_.substr(at, text_.find('\n', at) - at);
    const size_t arrow = line.find("->");
    if (arrow == std::string_view::npos || arrow > 40)
      return "a statement goes on in the next line inside of `( )` and `[ ]`, and behind an operator";
    std::string params;
    for (size_t i = 0; i < arrow;) {
      size_t end = i;
      while (end < arrow && line[end] != ' ' && line[end] != ',') ++end;
      if (end > i) params += (params.empty() ? "" : ", ") + std::string(line.substr(i, end - i));
      i = end + 1;
    }
    size_t begin = arrow + 2, end = begin;
    while (begin < line.size() && line[begin] == ' ') ++begin;
    for (int depth = 0; end < line.size(); ++end) {
      if (line[end] == '(' || line[end] == '[') ++depth;
      if ((line[end] == ')' || line[end] == ']') && depth-- == 0) break;
      if (line[end] == ',' && depth == 0) break;
    }
    return "a lambda is written `|" + params + "| " + std::string(line.substr(begin, end > begin ? end - begin : 0)) +
           "`";
  }

  void badCharacter(const Token& token) {
    std::string_view text = textOf(token);
    afterError_ = true;
    std::string shown = "`" + std::string(text) + "`";
    auto c = static_cast<unsigned char>(text[0]);
    if (c < 0x20 || c == 0x7F) {
      constexpr char hex[] = "0123456789abcdef";
      shown = std::string("with the code 0x") + hex[c >> 4] + hex[c & 15];
    }
    auto message = report(Diag::UnexpectedCharacter, token.begin, token.end, {shown});
    if (c == '#') {
      // To other languages it means the whole line, which is left out here, too.
      std::string_view line = text_.substr(token.end, text_.find('\n', token.end) - token.end);
      skipUntil_ = token.end + static_cast<uint32_t>(line.size());
      while (line.starts_with(' ')) line.remove_prefix(1);
      message.help(line.starts_with("include")
                       ? "a module of the library is brought by `import math`, a file by `import \"file.rad\" as name`"
                   : line.starts_with("define")
                       ? "a constant is declared `const NAME = ...`, a function `fn name(x: f32) = ...`"
                   : line.starts_with("pragma unroll") ? "write `unroll for i in 0..n { }`"
                                                       : "a comment starts with `//`");
    } else if (c == '\'') message.help("a string stands in double quotes");
    else if (c == '\\') message.help(backslashMeant(token.end));
  }

  TokenKind last() const { return out_.tokens.empty() ? TokenKind::End : out_.tokens.back().kind; }
  bool inParens() const { return !open_.empty() && open_.back().kind != TokenKind::LBrace; }

  /// The raw token `distance` behind the current one, comments and bad characters skipped.
  const Token& next(size_t distance = 1) const {
    size_t at = at_;
    while (distance > 0 && at + 1 < raw_.size()) {
      ++at;
      if (raw_[at].raw != Raw::Doc && raw_[at].raw != Raw::BadCharacter) --distance;
    }
    return raw_[at].token;
  }

  void add(Token token) {
    if (token.kind == TokenKind::Dot && last() == TokenKind::Int && !out_.tokens.empty() &&
        out_.tokens.back().end == token.begin && at_ + 1 < raw_.size() && raw_[at_ + 1].token.newlineBefore) {
      const Token& number = out_.tokens.back();
      report(Diag::MissingDigits, number.begin, token.end).help("write `" + std::string(textOf(number)) + ".0`");
      return;
    }
    token.newlineBefore = std::exchange(pendingNewline_, false);
    token.afterError = std::exchange(afterError_, false);
    if (token.kind == TokenKind::EndOfText) {
      finish(token);
      return;
    }
    bool afterDot = last() == TokenKind::Dot || last() == TokenKind::At;
    if (afterDot && isWord(token.kind)) token.kind = TokenKind::Ident;

    if (token.newlineBefore && inParens() && startsStatementOnly(token)) closeParens(token.begin);
    if (token.newlineBefore && newlineCounts(token)) endStatement(out_.tokens.back().end, out_.tokens.back().end + 1);
    if (token.kind == TokenKind::Ident && !afterDot) token.kind = wordInPlace(token);
    bool attributeArguments =
        attribute_ == AttributeState::Name && token.kind == TokenKind::LParen && !token.newlineBefore;
    attribute_ = token.kind == TokenKind::At                                          ? AttributeState::At
                 : attribute_ == AttributeState::At && token.kind == TokenKind::Ident ? AttributeState::Name
                                                                                      : AttributeState::None;
    if (hasDoc_) {
      out_.docs.push_back({token.begin, std::exchange(doc_, {})});
      hasDoc_ = false;
    }
    switch (token.kind) {
      case TokenKind::LParen:
      case TokenKind::LBracket:
      case TokenKind::LBrace:
        if (open_.size() >= maxNesting) {
          report(Diag::TooDeep, token.begin, token.end, {std::to_string(maxNesting)})
              .help("give inner parts names, or move them into functions");
          stopped_ = out_.tooDeep = true;
          Token end{token.begin, token.begin, TokenKind::EndOfText, false, true, false};
          closeAll(token.begin);
          out_.tokens.push_back(end);
          return;
        }
        if (token.kind == TokenKind::LBrace && kernelHeader_ == open_.size()) kernelHeader_ = SIZE_MAX;
        open_.push_back({token.kind, token.begin, attributeArguments});
        break;
      case TokenKind::RParen:
      case TokenKind::RBracket:
      case TokenKind::RBrace:
        if (!close(token)) return;
        break;
      case TokenKind::Semicolon:
        if (!inParens()) {
          endStatement(token.begin, token.end);
          return;
        }
        break;
      case TokenKind::Kernel: kernelHeader_ = open_.size(); break;
      default: break;
    }
    out_.tokens.push_back(token);
  }

  bool newlineCounts(const Token& token) const {
    if (out_.tokens.empty() || inParens() || attribute_ == AttributeState::Name) return false;
    if (token.kind == TokenKind::Forall && kernelHeader_ == open_.size()) return false;
    return info(last()).ends && info(token.kind).begins;
  }

  void endStatement(uint32_t begin, uint32_t end) {
    if (kernelHeader_ == open_.size()) kernelHeader_ = SIZE_MAX;
    if (last() == TokenKind::End || last() == TokenKind::LBrace) return;
    out_.tokens.push_back(
        {begin, std::min(end, static_cast<uint32_t>(text_.size())), TokenKind::End, false, false, false});
  }

  /// Whether a word at the start of a line cannot continue what stands in round or square brackets.
  bool startsStatementOnly(const Token& token) const {
    switch (token.kind) {
      case TokenKind::Let:
      case TokenKind::Var:
      case TokenKind::While:
      case TokenKind::Return:
      case TokenKind::Break:
      case TokenKind::Continue:
      case TokenKind::Kernel:
      case TokenKind::Struct:
      case TokenKind::Enum:
      case TokenKind::Import:
      case TokenKind::Instantiate:
      case TokenKind::Operator:
      case TokenKind::Type: return next().kind != TokenKind::Colon;
      case TokenKind::Fn: return next().kind == TokenKind::Ident;
      default: return false;
    }
  }

  /// What a name is at this place: itself, or a contextual word.
  TokenKind wordInPlace(const Token& token) const {
    TokenKind word = contextualKind(textOf(token));
    if (word == TokenKind::Ident) return word;
    const Token& after = next();
    bool sameLine = !after.newlineBefore;
    bool atStart = last() == TokenKind::End || last() == TokenKind::LBrace || attribute_ == AttributeState::Name;
    auto word_if = [&](bool condition) { return condition ? word : TokenKind::Ident; };
    switch (word) {
      case TokenKind::Step: {
        if (last() == TokenKind::DotDot)
          return word_if(after.kind == TokenKind::Int || (after.kind == TokenKind::Ident && textOf(after) != "step"));
        TokenKind before = last();
        return word_if(!atStart && info(before).ends && !isWord(before) && before != TokenKind::RBrace);
      }
      case TokenKind::From: return word_if(last() == TokenKind::String && after.kind == TokenKind::String);
      case TokenKind::As:
        return word_if(!atStart &&
                       (last() == TokenKind::String || last() == TokenKind::Ident || last() == TokenKind::RBracket) &&
                       (after.kind == TokenKind::String || after.kind == TokenKind::Ident));
      case TokenKind::Test:
      case TokenKind::Bench:
      case TokenKind::Extern: return word_if(sameLine && after.kind == TokenKind::String);
      case TokenKind::Shared: return word_if(atStart && sameLine && after.kind == TokenKind::Ident);
      case TokenKind::Private:
        return word_if(atStart && sameLine && (isWord(after.kind) || after.kind == TokenKind::Ident) &&
                       after.kind != TokenKind::And && after.kind != TokenKind::Or && after.kind != TokenKind::On &&
                       after.kind != TokenKind::In);
      default: return TokenKind::Ident;
    }
  }

  static TokenKind closer(TokenKind opener) {
    return opener == TokenKind::LParen     ? TokenKind::RParen
           : opener == TokenKind::LBracket ? TokenKind::RBracket
                                           : TokenKind::RBrace;
  }

  /// Inserts the closing partner of the innermost open bracket.
  void insertCloser(uint32_t at) {
    out_.tokens.push_back({at, at, closer(open_.back().kind), false, true, false});
    open_.pop_back();
  }
  void reportUnclosed(const Open& open) {
    out_.brackets.push_back({open.begin, false});
    report(Diag::UnclosedBracket, open.begin, open.begin + 1, {std::string(spelling(open.kind))});
  }
  /// A statement begins although round or square brackets are open: closes them. One message names the outermost.
  void closeParens(uint32_t) {
    size_t first = open_.size();
    while (first > 0 && open_[first - 1].kind != TokenKind::LBrace) --first;
    reportUnclosed(open_[first]);
    uint32_t at = out_.tokens.back().end;
    while (open_.size() > first) insertCloser(at);
  }
  void closeAll(uint32_t at) {
    while (!open_.empty()) insertCloser(at);
  }

  /// Whether the innermost bracket's own partner still comes on this line.
  bool closedOnThisLine(TokenKind closing) const {
    int depth = 0;
    for (size_t at = at_ + 1, end = std::min(raw_.size(), at_ + 200); at < end && !raw_[at].token.newlineBefore; ++at) {
      TokenKind kind = raw_[at].token.kind;
      if (kind == TokenKind::LParen || kind == TokenKind::LBracket || kind == TokenKind::LBrace) ++depth;
      if (kind != TokenKind::RParen && kind != TokenKind::RBracket && kind != TokenKind::RBrace) continue;
      if (depth == 0) return kind == closing;
      --depth;
    }
    return false;
  }

  /// Takes a closing bracket off the stack; false if it has no partner and is left out.
  bool close(Token& token) {
    auto matches = [&](const Open& open) { return closer(open.kind) == token.kind; };
    // How far up a partner may be looked for: `)` and `]` do not reach out of a block.
    size_t partner = open_.size();
    while (partner > 0 && !matches(open_[partner - 1])) {
      if (token.kind != TokenKind::RBrace && open_[partner - 1].kind == TokenKind::LBrace) {
        partner = 0;
        break;
      }
      --partner;
    }
    if (partner == 0) {
      std::string text(spelling(token.kind));
      out_.brackets.push_back({token.begin, token.kind == TokenKind::RBrace});
      if (inParens() && token.kind != TokenKind::RBrace && !closedOnThisLine(closer(open_.back().kind))) {
        // `f(a]`: one wrong bracket, not one too many and one missing.
        const Open& open = open_.back();
        report(Diag::UnmatchedBracket, token.begin, token.end, {text})
            .note({sources_.location(file_, open.begin), sources_.location(file_, open.begin + 1)},
                  "this bracket is open here")
            .help("write `" + std::string(spelling(closer(open.kind))) + "`");
        token.kind = closer(open.kind);
      } else {
        report(Diag::UnmatchedBracket, token.begin, token.end, {text});
        return false;
      }
    } else if (partner < open_.size()) {
      reportUnclosed(open_[partner]);
      while (open_.size() > partner) insertCloser(token.begin);
    }
    if (open_.back().ofAttribute) attribute_ = AttributeState::Name;
    open_.pop_back();
    return true;
  }

  void finish(Token token) {
    if (hasDoc_) out_.openAtEnd = true;
    if (!open_.empty()) {
      if (out_.endErrors == 0) {
        reportUnclosed(open_.front());
        ++out_.endErrors;
      }
      out_.openAtEnd = true;
      closeAll(token.begin);
    }
    out_.tokens.push_back(token);
  }

  enum class AttributeState : uint8_t { None, At, Name };

  FileId file_;
  std::string_view text_;
  const SourceManager& sources_;
  Diagnostics& diagnostics_;
  std::vector<RawToken> raw_;
  size_t at_ = 0;
  TokenStream out_;
  std::vector<Open> open_;
  bool pendingNewline_ = false;
  bool afterError_ = false;
  bool stopped_ = false;
  uint32_t skipUntil_ = 0;                           // offset: raw tokens before it are left out
  AttributeState attribute_ = AttributeState::None;  // where in `@name(...)` the last token was
  size_t kernelHeader_ = SIZE_MAX;                   // depth of brackets of a kernel whose `{` has not come yet
  bool hasDoc_ = false;
  std::string doc_;
};

}  // namespace

std::string_view spelling(TokenKind kind) { return info(kind).spelling; }
bool isWord(TokenKind kind) { return info(kind).word; }
bool isBinaryOperator(TokenKind kind) { return info(kind).binary || kind == TokenKind::And || kind == TokenKind::Or; }
TokenKind wordKind(std::string_view text) { return reservedWords.find(text); }
TokenKind contextualKind(std::string_view text) { return contextualWords.find(text); }

TokenStream lex(FileId file, const SourceManager& sources, Diagnostics& diagnostics) {
  return Filter(file, sources, diagnostics).run();
}

std::string dumpTokens(FileId file, const SourceManager& sources) {
  Diagnostics ignored;
  TokenStream stream = lex(file, sources, ignored);
  std::string out;
  auto doc = stream.docs.begin();
  for (const Token& token : stream.tokens) {
    Position place = sources.position(sources.location(file, token.begin));
    std::string at = std::to_string(place.line) + ":" + std::to_string(place.column) + " ";
    for (; doc != stream.docs.end() && doc->target == token.begin; ++doc) {
      std::string text = doc->text;
      for (size_t i = 0; (i = text.find('\n', i)) != std::string::npos; i += 2) text.replace(i, 1, "\\n");
      out += at + "doc " + text + "\n";
    }
    std::string_view text = sources.text(file).substr(token.begin, token.end - token.begin);
    out += at;
    switch (token.kind) {
      case TokenKind::EndOfText:
      case TokenKind::End: out += spelling(token.kind); break;
      case TokenKind::Ident:
      case TokenKind::Int:
      case TokenKind::Float:
      case TokenKind::String:
      case TokenKind::TuplePosition: out += std::string(spelling(token.kind)) + " " + std::string(text); break;
      default:
        out += (isWord(token.kind) ? "word " : "sign ") + std::string(spelling(token.kind)) +
               (token.isVirtual ? " (inserted)" : "");
    }
    out += "\n";
  }
  return out;
}

}  // namespace rad

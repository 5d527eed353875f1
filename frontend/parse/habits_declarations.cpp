// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parameters, domains and declarations as other languages write them, told from the place of a syntax error.
#include "frontend/parse/builder.h"
#include "frontend/parse/habits.h"

#include <algorithm>
#include <string>
#include <utility>

namespace rad {

/// Whether the token at `at` stands among the parameters of a function or kernel.
bool Builder::inParameters(size_t at) const {
  const size_t open = openAround(at);
  if (open == SIZE_MAX || open < 2 || stream_.tokens[open].kind != TokenKind::LParen) return false;
  size_t name = open - 1;
  if (stream_.tokens[name].kind == TokenKind::RBracket) {
    name = matchingOpen(name);
    if (name < 2) return false;
    --name;
  }
  const TokenKind kind = tokenAt(name, -1).kind;
  return kind == TokenKind::Fn || kind == TokenKind::Kernel || kind == TokenKind::Operator;
}

/// Whether it stands in the head of one, in front of its body.
bool Builder::inSignature(size_t at) const {
  for (size_t i = at; i-- > 0 && i + 200 > at;) {
    switch (stream_.tokens[i].kind) {
      case TokenKind::End:
      case TokenKind::LBrace: return false;
      case TokenKind::Fn:
      case TokenKind::Kernel: return true;
      default: break;
    }
  }
  return false;
}

/// A parameter `NAME: TYPE` with the first token of its type at `at`, as it is written here.
std::string Builder::parameterMeant(size_t at, bool& isMut) const {
  const std::string name(textOf(tokenAt(at, -2)));
  size_t i = at;
  bool isPointer = false;
  for (;; ++i) {
    const TokenKind kind = tokenAt(i, 0).kind;
    isMut |= kind == TokenKind::Mut;
    isPointer |= kind == TokenKind::Star;
    if (kind != TokenKind::Amp && kind != TokenKind::Star && kind != TokenKind::Mut && kind != TokenKind::Const) break;
  }
  std::string type = "[f32; n]";
  if (tokenAt(i, 0).kind == TokenKind::LBracket) {
    const size_t close = matchingClose(i);
    type = shown(i, close + 1);
    if (close == i + 2) {
      const std::string_view element = typeMeant(textOf(tokenAt(i, 1)));
      type = "[" + std::string(element.empty() ? textOf(tokenAt(i, 1)) : element) + "; n]";
    }
  } else if (tokenAt(i, 0).kind == TokenKind::Ident) {
    const std::string_view word = textOf(tokenAt(i, 0)), ours = typeMeant(word);
    type = std::string(ours.empty() ? word : ours);
    if (isPointer) type = "[" + type + "; n]";
    else if (tokenAt(i, 1).kind == TokenKind::Less) type = "[f32; n]";
    else type = textUntil(i, {TokenKind::Comma, TokenKind::Assign});
  }
  return name + ": " + type;
}

/// Reports a parameter as C++, Rust and others write it, if the error at `at` is in one.
bool Builder::foreignParameter(size_t at) {
  const Token &t = tokenAt(at, 0), &p = tokenAt(at, -1), &n = tokenAt(at, 1);
  auto str = [&](const Token& token) { return std::string(textOf(token)); };
  // fn f<T>(x: T), struct Pair<T>
  if (t.kind == TokenKind::Less && p.kind == TokenKind::Ident) {
    const TokenKind before = tokenAt(at, -2).kind;
    if (before == TokenKind::Fn || before == TokenKind::Kernel || before == TokenKind::Struct ||
        before == TokenKind::Type) {
      report(Diag::UnexpectedHere, rangeOf(t), {"`<`"})
          .help("compile-time parameters stand in brackets: `" + staticsOf(at) + "`");
      return true;
    }
  }
  // [BLOCK: const i32]
  if (t.kind == TokenKind::Const && p.kind == TokenKind::Colon && insideOf(at) == TokenKind::LBracket) {
    report(Diag::UnexpectedHere, rangeOf(t), {"the word `const`"})
        .help("`const` stands before the name: `const " + str(tokenAt(at, -2)) + ": " +
              textUntil(at + 1, {TokenKind::Comma, TokenKind::Assign}) + "`");
    return true;
  }
  const bool first = p.kind == TokenKind::LParen || p.kind == TokenKind::Comma;
  // |v: &f32|, |&v|, |mut v|
  if ((t.kind == TokenKind::Amp || t.kind == TokenKind::Mut) && n.kind != TokenKind::End && !inParameters(at)) {
    const bool behindPipe = p.kind == TokenKind::Pipe || p.kind == TokenKind::Comma;
    const bool behindColon = p.kind == TokenKind::Colon && tokenAt(at, -2).kind == TokenKind::Ident &&
                             (tokenAt(at, -3).kind == TokenKind::Pipe || tokenAt(at, -3).kind == TokenKind::Comma);
    const size_t end = find(at, TokenKind::Pipe);
    if (end != 0 && end < at + 12 && (behindPipe || behindColon)) {
      const size_t type = tokenAt(at, 1).kind == TokenKind::Mut ? at + 2 : at + 1;
      report(Diag::UnexpectedHere, rangeOf(t), {describe(t)})
          .help("a lambda's parameters are values, and cannot be changed: write `|" +
                (behindColon ? str(tokenAt(at, -2)) + ": " : std::string()) +
                textUntil(type, {TokenKind::Pipe, TokenKind::Comma}) + "|`");
      return true;
    }
  }
  // let v: &[f32]
  if (t.kind == TokenKind::Amp && p.kind == TokenKind::Colon && !inParameters(at) &&
      insideOf(at) != TokenKind::LParen) {
    report(Diag::UnexpectedHere, rangeOf(t), {"`&`"})
        .help("an array is always a reference: write `[f32; n]`, without `&`");
    return true;
  }
  // f(&mut x)
  if (t.kind == TokenKind::Mut && p.kind == TokenKind::Amp && !inParameters(at)) {
    report(Diag::UnexpectedHere, rangeOf(t), {"the word `mut`"})
        .help("an argument is written as it is, also where the parameter is `mut`: `" +
              textUntil(at + 1, {TokenKind::Comma}) + "`");
    return true;
  }
  if (!inParameters(at)) return false;
  switch (t.kind) {
    case TokenKind::Amp:
    case TokenKind::Star: {
      // &self, &mut self
      if (first && t.kind == TokenKind::Amp) {
        const bool isMut = n.kind == TokenKind::Mut;
        const Token& self = tokenAt(at, isMut ? 2 : 1);
        if (textOf(self) != "self") return false;
        report(Diag::UnexpectedHere, cover(rangeOf(t), rangeOf(self)), {"`" + shown(at, at + (isMut ? 3 : 2)) + "`"})
            .help(isMut ? "a method that changes its value has `mut self`" : "write `self`");
        return true;
      }
      if (p.kind != TokenKind::Colon) return false;
      bool isMut = false;
      const std::string ours = parameterMeant(at, isMut), name = str(tokenAt(at, -2));
      auto message = report(Diag::UnexpectedHere, rangeOf(t), {"`" + str(t) + "`"});
      if (isMut) message.help("`mut` stands before the name: `mut " + ours + "`");
      else if (ours.find('[') != std::string::npos)
        message.help("an array is always a reference: `" + ours + "`, and `mut " + name + "` if it is written to");
      else
        message.help("a value is handed over as it is: `" + ours + "`; `mut " + ours +
                     "` changes the caller's variable");
      return true;
    }
    case TokenKind::Mut: {
      if (p.kind != TokenKind::Colon) return false;
      bool isMut = false;
      report(Diag::UnexpectedHere, rangeOf(t), {"the word `mut`"})
          .help("`mut` stands before the name: `mut " + parameterMeant(at, isMut) + "`");
      return true;
    }
    case TokenKind::Const:
      if (p.kind == TokenKind::Colon) {
        bool isMut = false;
        report(Diag::UnexpectedHere, rangeOf(t), {"the word `const`"})
            .help("a parameter is read-only unless it is `mut`: write `" + parameterMeant(at, isMut) + "`");
        return true;
      }
      if (!first) return false;
      report(Diag::UnexpectedHere, rangeOf(t), {"the word `const`"})
          .help("a parameter is read-only unless it is `mut`: write `" +
                (n.kind == TokenKind::Ident && tokenAt(at, 2).kind == TokenKind::Colon
                     ? textUntil(at + 1, {TokenKind::Comma})
                     : declaratorMeant(at, at + 20)) +
                "`; what is known at compile time stands in brackets: `[const N: index]`");
      return true;
    case TokenKind::Ident:
      // inout a: i32
      if (p.kind == TokenKind::Ident && (textOf(p) == "inout" || textOf(p) == "ref" || textOf(p) == "out")) {
        report(Diag::UnexpectedHere, rangeOf(p), {"`" + str(p) + "`"})
            .help("write `mut " + textUntil(at, {TokenKind::Comma}) + "`");
        return true;
      }
      // f: impl Fn(f32) -> f32
      if (textOf(p) == "impl" || textOf(p) == "dyn") {
        const std::string type = textUntil(at + 1, {TokenKind::Comma});
        report(Diag::UnexpectedHere, rangeOf(p), {"`" + str(p) + "`"})
            .help("the type of a function is written `fn" + type + "`");
        return true;
      }
      return false;
    case TokenKind::Arrow: {
      // f: Fn(f32) -> f32, f: (f32) -> f32
      if (p.kind != TokenKind::RParen) return false;
      const size_t open = matchingOpen(at - 1);
      const bool isNamed = tokenAt(open, -1).kind == TokenKind::Ident;
      if (tokenAt(open, isNamed ? -2 : -1).kind != TokenKind::Colon) return false;
      report(Diag::UnexpectedHere, rangeOf(t), {"`->`"})
          .help("the type of a function is written `fn" + textUntil(open, {TokenKind::Comma}) + "`");
      return true;
    }
    case TokenKind::Assign:
      if (p.kind != TokenKind::Ident ||
          (tokenAt(at, -2).kind != TokenKind::LParen && tokenAt(at, -2).kind != TokenKind::Comma))
        return false;
      report(Diag::ParamNeedsType, rangeOf(p), {str(p)})
          .help("write `" + str(p) + ": f32 = " + textUntil(at + 1, {TokenKind::Comma}) + "`, or the type that it has");
      return true;
    default: return false;
  }
}

/// `f<T, const N: usize>` with its `<` at `at`, in brackets; with the call behind it.
std::string Builder::staticsOf(size_t at) const {
  size_t close = at + 1;
  while (close < at + 30 && close + 1 < stream_.tokens.size() && stream_.tokens[close].kind != TokenKind::Greater &&
         stream_.tokens[close].kind != TokenKind::End)
    ++close;
  const size_t name = tokenAt(at, -1).kind == TokenKind::ColonColon ? at - 1 : at;
  const std::string base = postfixBefore(name);
  if (stream_.tokens[close].kind != TokenKind::Greater) return base + "[...]";
  return base + "[" + shown(at + 1, close) + "]";
}

/// Reports a domain that is written otherwise, if the error at `at` is in one.
bool Builder::foreignDomain(size_t at) {
  const Token &t = tokenAt(at, 0), &p = tokenAt(at, -1), &pp = tokenAt(at, -2);
  bool isKernel = false, isForall = false, hasBlocks = false, hasThreads = false;
  size_t domain = at;  // the word that begins the domain
  for (size_t i = at; i-- > 0 && i + 200 > at;) {
    const TokenKind kind = stream_.tokens[i].kind;
    if (kind == TokenKind::End || kind == TokenKind::LBrace || kind == TokenKind::RBrace) break;
    isKernel |= kind == TokenKind::Kernel;
    isForall |= kind == TokenKind::Forall;
    hasBlocks |= kind == TokenKind::Blocks;
    hasThreads |= kind == TokenKind::Threads;
    if (kind == TokenKind::Forall || kind == TokenKind::Blocks || kind == TokenKind::Threads)
      domain = std::min(domain, i);
  }
  if (!isKernel && !isForall) return false;
  auto str = [&](const Token& token) { return std::string(textOf(token)); };
  auto say = [&](const std::string& help) {
    report(Diag::UnexpectedHere, rangeOf(t), {describe(t)}).help(help);
    return true;
  };
  const bool begins = p.kind == TokenKind::Forall || p.kind == TokenKind::Blocks || p.kind == TokenKind::Threads;
  if (t.kind == TokenKind::Threads && p.kind == TokenKind::Comma) return say("leave the `,` before `threads` out");
  if (t.kind == TokenKind::LBrace && hasBlocks && !hasThreads && isKernel)
    return say("write `threads t in 0..256` before the `{`; a kernel without threads of its own is `forall ...`");
  if (isKernel && domain == at && p.kind == TokenKind::RParen && insideOf(at) != TokenKind::LParen) {
    const size_t open = matchingOpen(at - 1);
    size_t name = open;
    if (open > 0 && stream_.tokens[open - 1].kind == TokenKind::RBracket) name = matchingOpen(open - 1);
    if (name < 2 || stream_.tokens[name - 2].kind != TokenKind::Kernel) return false;
    if (t.kind == TokenKind::For)
      return say("the domain of a kernel is written `forall " + textUntil(at + 1, {TokenKind::LBrace}) + "`");
    if (t.kind == TokenKind::Ident || t.kind == TokenKind::In || t.kind == TokenKind::On)
      return say(
          "behind the parameters stands the domain: `forall i in 0..n`, or `blocks b in 0..m threads t in 0..256`");
    return false;
  }
  if (begins && (t.kind == TokenKind::Int || t.kind == TokenKind::LParen)) {
    const std::string word = str(p), name = p.kind == TokenKind::Blocks    ? "b"
                                            : p.kind == TokenKind::Threads ? "t"
                                                                           : "i";
    if (t.kind == TokenKind::Int) return say("each range has a name: `" + word + " " + name + " in 0.." + str(t) + "`");
    const size_t close = matchingClose(at);
    std::string inner = shown(at + 1, close);
    if (inner.find(" in ") != std::string::npos) return say("leave the parentheses out: `" + word + " " + inner + "`");
    return say("each name has a range: `" + word + " i in 0..n, j in 0..m`");
  }
  if (p.kind != TokenKind::Ident || domain == at ||
      (pp.kind != TokenKind::Forall && pp.kind != TokenKind::Blocks && pp.kind != TokenKind::Threads &&
       pp.kind != TokenKind::Comma))
    return false;
  if (t.kind == TokenKind::Less || t.kind == TokenKind::Colon || t.kind == TokenKind::Assign) {
    const std::string limit = textUntil(at + 1, {TokenKind::LBrace, TokenKind::Comma, TokenKind::Threads});
    return say("write `" + str(p) + " in " + (limit.find("..") == std::string::npos ? "0.." : "") + limit + "`");
  }
  if (t.kind == TokenKind::Comma) {
    // forall i, j in 0..n, 0..m
    std::vector<std::string> names{str(p)}, ranges;
    size_t i = at;
    for (; tokenAt(i, 0).kind == TokenKind::Comma && tokenAt(i, 1).kind == TokenKind::Ident; i += 2)
      names.push_back(str(tokenAt(i, 1)));
    if (tokenAt(i, 0).kind != TokenKind::In) return false;
    while (ranges.size() < names.size() && i + 1 < stream_.tokens.size()) {
      ranges.push_back(textUntil(i + 1, {TokenKind::Comma, TokenKind::LBrace}));
      size_t next = find(i + 1, TokenKind::Comma);
      if (next == 0 || find(i + 1, TokenKind::LBrace) < next) break;
      i = next;
    }
    if (ranges.size() != names.size() || ranges[0].find("..") == std::string::npos) ranges.assign(names.size(), "0..n");
    std::string text;
    for (size_t k = 0; k < names.size(); ++k) text += (k ? ", " : "") + names[k] + " in " + ranges[k];
    return say("each name has a range: `" + text + "`");
  }
  return false;
}

/// `const float* x`, `float s[256]` with the first token at `at`, up to `end` or a `,` or `)`: `x: [f32; n]`. Empty if
/// it is none.
std::string Builder::declaratorMeant(size_t at, size_t end) const {
  std::string type, name, sizes;
  bool isPointer = false, isConst = false;
  for (size_t i = at; i < end; ++i) {
    const Token& token = tokenAt(i, 0);
    if (token.kind == TokenKind::Star || token.kind == TokenKind::Amp) isPointer |= token.kind == TokenKind::Star;
    else if (token.kind == TokenKind::Const) isConst = true;
    else if (token.kind == TokenKind::LBracket) {
      const size_t close = matchingClose(i);
      if (close > i + 1) sizes += (sizes.empty() ? "" : ", ") + shown(i + 1, close);
      else isPointer = true;
      i = close;
    } else if (token.kind == TokenKind::Ident) {
      const std::string_view word = textOf(token), ours = typeMeant(word);
      if (!ours.empty() && (type.empty() || type == "u32"))
        type = type == "u32" && ours == "i64" ? "u64" : type.empty() ? ours : std::string_view("u32");
      else if (type.empty() && tokenAt(i, 1).kind == TokenKind::Ident) type = word;
      else if (word != "__restrict__" && word != "volatile" && word != "const") name = word;
    } else break;
  }
  if (type.empty() || name.empty()) return {};
  if (!sizes.empty()) return name + ": [" + type + "; " + sizes + "]";
  if (isPointer) return (isConst ? "" : "mut ") + name + ": [" + type + "; n]";
  return name + ": " + type;
}

/// The parameters of C++ behind the `(` at `open`, as they are written here; those that are not read stay as they are.
std::string Builder::parametersMeant(size_t open) const {
  const size_t close = matchingClose(open);
  std::string text;
  for (size_t i = open + 1; i < close && i < open + 100;) {
    size_t end = i;
    while (end < close && stream_.tokens[end].kind != TokenKind::Comma) ++end;
    const std::string ours = declaratorMeant(i, end);
    text += (text.empty() ? "" : ", ") + (ours.empty() ? shown(i, end) : ours);
    i = end + 1;
  }
  return text;
}

/// A function or shared array of C++ with its first word at `at`, as it is declared here; empty if it is none.
std::string Builder::declarationMeant(size_t at) const {
  size_t i = at, typeAt = at;
  bool isKernel = false, isShared = false, isVoid = false;
  std::string type;
  for (;; ++i) {
    const Token& token = tokenAt(i, 0);
    const std::string_view word = textOf(token);
    if (token.kind == TokenKind::Const) continue;
    if (token.kind == TokenKind::Operator && i > at)
      return "an operator names its operands: `operator " + std::string(textOf(tokenAt(i, 1))) +
             "(a: T, b: T) -> T { ... }`";
    if (token.kind != TokenKind::Ident || i > at + 6) return {};
    if (word == "__global__") isKernel = true;
    else if (word == "__shared__") isShared = true;
    else if (word == "void") isVoid = true;
    else if (word == "__device__" || word == "__host__" || word == "inline" || word == "__forceinline__" ||
             word == "static" || word == "constexpr" || word == "__constant__")
      continue;
    else if (tokenAt(i, 1).kind == TokenKind::Ident || tokenAt(i, 1).kind == TokenKind::Operator) {
      if (type.empty()) typeAt = i;
      const std::string_view ours = typeMeant(word);
      type = ours.empty() ? word : ours;
    } else break;
  }
  const std::string name(textOf(tokenAt(i, 0)));
  if (isShared) {
    if (tokenAt(i, 1).kind == TokenKind::Colon) return "write `shared " + textUntil(i, {}) + "`";
    const std::string ours = declaratorMeant(typeAt, i + 20);
    return ours.empty() ? std::string() : "write `shared " + ours + "`";
  }
  if (tokenAt(i, 1).kind != TokenKind::LParen || (!isVoid && type.empty())) return {};
  if (name == "main") return "a program's statements stand at the top of its file, without a `main`";
  const std::string params = parametersMeant(i + 1);
  if (params.find("...") != std::string::npos) return {};
  if (isKernel)
    return "a kernel is declared `kernel " + name + "(" + params +
           ") forall i in 0..n { ... }`; a size follows from an array";
  const bool isMethod = insideOf(at) == TokenKind::LBrace && tokenAt(openAround(at), -2).kind == TokenKind::Struct;
  return "a function is declared `fn " + name + "(" + (isMethod ? params.empty() ? "self" : "self, " : "") + params +
         ")" + (isVoid ? "" : " -> " + type) + " { ... }`" +
         (tokenAt(at, 0).kind == TokenKind::Ident && textOf(tokenAt(at, 0)).starts_with("__")
              ? "; the same one serves host and device"
              : "");
}

/// Reports `int x` with its `x` at `at`.
bool Builder::typeFirst(size_t at) {
  const Token &t = tokenAt(at, 0), &pp = tokenAt(at, -2);
  auto message = report(Diag::TypeFirst, cover(rangeOf(tokenAt(at, -1)), rangeOf(t)));
  if (const std::string ours = declarationMeant(at - 1); !ours.empty()) {
    message.help(ours);
    return true;
  }
  size_t name = at;  // unsigned int x
  while (tokenAt(name, 0).kind == TokenKind::Ident && tokenAt(name, 1).kind == TokenKind::Ident &&
         !typeMeant(textOf(tokenAt(name, 0))).empty())
    ++name;
  std::string typed = declaratorMeant(at - 1, name + 1);
  if (typed.find(':') == std::string::npos) return true;  // two types, and no name
  const bool hasValue = tokenAt(name, 1).kind == TokenKind::Assign;
  const std::string value = hasValue ? " = " + textUntil(name + 2, {}) : "";
  if (insideOf(at) == TokenKind::LParen) message.help("write `" + typed + "`");
  else if (pp.kind == TokenKind::Shared) message.help("write `shared " + declaratorMeant(at - 1, at + 20) + "`");
  else if (insideOf(at) == TokenKind::LBrace && tokenAt(openAround(at), -2).kind == TokenKind::Struct) {
    const std::string type = typed.substr(typed.find(':'));
    for (size_t i = name + 1; tokenAt(i, 0).kind == TokenKind::Comma && tokenAt(i, 1).kind == TokenKind::Ident &&
                              (tokenAt(i, 2).kind == TokenKind::Comma || tokenAt(i, 2).kind == TokenKind::End);
         i += 2) {
      typed += ", " + std::string(textOf(tokenAt(i, 1))) + type;
      cursor_ = std::max(cursor_, i + 2);  // these have had their message
    }
    message.help("write `" + typed + "`");
  } else if (pp.kind == TokenKind::Const) message.help("write `const " + typed + value + "`");
  else if (!hasValue) {
    const std::string sized = declaratorMeant(at - 1, name + 10);
    const size_t list = sized.find('[');
    if (list == std::string::npos || sized.find(';') == std::string::npos) message.help("write `var " + typed + "`");
    else  // int a[8]
      message.help("write `var " + sized.substr(0, sized.find(':')) + " = [" +
                   (typed.find(": f") != std::string::npos ? "0.0" : "0") + sized.substr(sized.find(';')) + "`");
  } else {
    message.help("write `let " + std::string(textOf(tokenAt(name, 0))) + value + "`, with the type `let " + typed +
                 value + "`, or `var` if it changes");
  }
  return true;
}

}  // namespace rad

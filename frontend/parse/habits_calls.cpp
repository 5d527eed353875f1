// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls, slices and lambdas as other languages write them, told from the place of a syntax error.
#include "frontend/parse/builder.h"
#include "frontend/parse/habits.h"

#include <algorithm>
#include <string>
#include <utility>

namespace rad {

/// Reports what other languages write in calls and around them, if the error at `at` is such.
bool Builder::foreignCall(size_t at) {
  const Token &t = tokenAt(at, 0), &p = tokenAt(at, -1), &pp = tokenAt(at, -2), &n = tokenAt(at, 1);
  auto str = [&](const Token& token) { return std::string(textOf(token)); };
  const size_t start = statementStart(at);
  switch (t.kind) {
    case TokenKind::Assign: {
      const size_t open = openAround(at);
      const bool inBraces = open != SIZE_MAX && stream_.tokens[open].kind == TokenKind::LBrace;
      const bool inEnum = inBraces && open >= 2 && stream_.tokens[open - 2].kind == TokenKind::Enum;
      // a = b = 3
      if (const size_t first = find(start, TokenKind::Assign);
          !inEnum && first != 0 && first < at && endsOperand(p.kind) && openAround(first) == open) {
        report(Diag::UnexpectedHere, rangeOf(t), {"`=`"})
            .help("an assignment has no value: write one behind the other");
        return true;
      }
      if (open == SIZE_MAX || p.kind != TokenKind::Ident) return false;
      // enum Color { red = 0 }
      if (inBraces) {
        if (!inEnum) return false;
        report(Diag::UnexpectedHere, rangeOf(t), {"`=`"})
            .help("the names of an enum are numbered from 0 in their order: leave `= " +
                  textUntil(at + 1, {TokenKind::Comma}) + "` out; a function can give other numbers");
        return true;
      }
      // f(x = 1), f(.x = 1), assert(a = b)
      const bool dotted = pp.kind == TokenKind::Dot;
      const TokenKind before = dotted ? tokenAt(at, -3).kind : pp.kind;
      if (stream_.tokens[open].kind != TokenKind::LParen || open == 0 || !endsOperand(stream_.tokens[open - 1].kind) ||
          (before != TokenKind::LParen && before != TokenKind::Comma))
        return false;
      auto message = report(Diag::UnexpectedHere, rangeOf(t), {"`=`"});
      if (textOf(stream_.tokens[open - 1]) == "assert") message.help("equality is written `==`");
      else
        message.help("an argument is named with `:`: `" + str(p) + ": " + textUntil(at + 1, {TokenKind::Comma}) + "`");
      return true;
    }
    case TokenKind::Comma: {
      // for i, v in enumerate(x)
      if (p.kind == TokenKind::Ident && pp.kind == TokenKind::For && n.kind == TokenKind::Ident) {
        const size_t call = at + 3;
        std::string array = "x";
        if (tokenAt(at, 2).kind == TokenKind::In && textOf(tokenAt(call, 0)) == "enumerate" &&
            tokenAt(call, 1).kind == TokenKind::LParen)
          array = textUntil(call + 2, {TokenKind::Comma});
        report(Diag::UnexpectedHere, rangeOf(t), {"`,`"})
            .help("a loop has one name, over a range: `for " + str(p) + " in 0.." + array + ".len { let " + str(n) +
                  " = " + array + "[" + str(p) + "] }`");
        return true;
      }
      // for i in 0..n, j in 0..m { }
      if (stream_.tokens[start].kind == TokenKind::For && n.kind == TokenKind::Ident &&
          tokenAt(at, 2).kind == TokenKind::In) {
        report(Diag::UnexpectedHere, rangeOf(t), {"`,`"})
            .help("a loop has one range: `" + shown(start, at) + " { for " +
                  textUntil(at + 1, {TokenKind::LBrace, TokenKind::Comma}) + " { ... } }`; `forall` takes several");
        return true;
      }
      // let a, b = t; a, b = b, a
      const bool isLet = p.kind == TokenKind::Ident && (pp.kind == TokenKind::Let || pp.kind == TokenKind::Var);
      if (!isLet && insideOf(at) != TokenKind::LBrace && insideOf(at) != TokenKind::End) return false;
      const size_t equals = find(at, TokenKind::Assign);
      if (equals == 0 || (!isLet && at != start + 1 && !endsOperand(p.kind))) return false;
      const size_t names = isLet ? start + 1 : start;
      std::string value = textUntil(equals + 1, {});
      if (textUntil(equals + 1, {TokenKind::Comma}) != value) value = "(" + value + ")";
      report(Diag::UnexpectedHere, rangeOf(t), {"`,`"})
          .help("a tuple stands in parentheses: `" + (isLet ? str(pp) + " " : std::string()) + "(" +
                shown(names, equals) + ") = " + value + "`");
      return true;
    }
    case TokenKind::Star:
      // *p = 1, f(*p)
      if (p.kind == TokenKind::Dot && stream_.tokens[start].kind == TokenKind::Import) {
        report(Diag::UnexpectedHere, rangeOf(t), {"`*`"})
            .help("names are brought one by one: `import math.{pi, tau}`; after `import math` they are `math.pi`");
        return true;
      }
      if (p.kind != TokenKind::Dot && !endsOperand(p.kind) && n.kind == TokenKind::Ident && !n.newlineBefore) {
        report(Diag::UnexpectedHere, rangeOf(t), {"`*`"})
            .help("there are no pointers: a parameter, also a `mut` one, is used by its name, `" + str(n) + "`");
        return true;
      }
      return false;
    case TokenKind::Plus:
      // x =+ 1
      if (p.kind != TokenKind::Assign || p.end != t.begin) return false;
      report(Diag::UnexpectedHere, cover(rangeOf(p), rangeOf(t)), {"`=+`"}).help("write `+=`");
      return true;
    case TokenKind::Greater:
      if (p.kind != TokenKind::Less || p.end != t.begin) return false;
      report(Diag::UnexpectedHere, cover(rangeOf(p), rangeOf(t)), {"`<>`"}).help("write `!=`");
      return true;
    case TokenKind::DotDot:
      // for i in (0..10).step_by(2)
      if (insideOf(at) != TokenKind::LParen || stream_.tokens[start].kind != TokenKind::For) return false;
      report(Diag::UnexpectedHere, rangeOf(t), {"`..`"})
          .help(
              "a range stands without parentheses, with its step behind it: `for i in 0..10 step 2`; downwards `for i "
              "in 9..-1 step -1`");
      return true;
    case TokenKind::Ellipsis:
      if (stream_.tokens[start].kind != TokenKind::For && stream_.tokens[start].kind != TokenKind::Forall) return false;
      report(Diag::UnexpectedHere, rangeOf(t), {"`...`"}).help("a range is written `a..b`, and ends before b");
      return true;
    case TokenKind::In:
      // if x in [1, 2]
      if (stream_.tokens[start].kind != TokenKind::If && stream_.tokens[start].kind != TokenKind::While) return false;
      report(Diag::UnexpectedHere, rangeOf(t), {"the word `in`"})
          .help(
              "compare with each, `x == 1 or x == 2`; with the elements of an array, `any(x == a[i] for i in "
              "0..a.len)`");
      return true;
    case TokenKind::Operator:
      if (p.kind != TokenKind::Fn) return false;
      report(Diag::UnexpectedHere, rangeOf(t), {"the word `operator`"})
          .help("an operator is declared without `fn`: `operator " + str(n) + "(a: T, b: T) -> T { ... }`");
      return true;
    case TokenKind::LBrace: {
      // f32x3{1.0, 2.0, 3.0}
      if (p.kind == TokenKind::Ident && p.end == t.begin &&
          !typeMeant(textOf(p).substr(0, textOf(p).find('x'))).empty()) {
        const size_t close = matchingClose(at);
        report(Diag::UnexpectedHere, rangeOf(t), {"`{`"})
            .help("a value is made with parentheses: `" + str(p) + "(" + shown(at + 1, close) + ")`");
        return true;
      }
      // test("name") { }
      if (p.kind != TokenKind::RParen) return false;
      const size_t open = matchingOpen(at - 1);
      const std::string_view word = textOf(tokenAt(open, -1));
      if (open != start + 1 || (word != "test" && word != "bench")) return false;
      report(Diag::UnexpectedHere, rangeOf(t), {"`{`"})
          .help("write `" + std::string(word) + " " + shown(open + 1, at - 1) + " { ... }`");
      return true;
    }
    default: break;
  }
  if (!t.newlineBefore && t.kind == TokenKind::Ident && stream_.tokens[start].kind == TokenKind::For &&
      textOf(t) == "by") {
    report(Diag::UnexpectedHere, rangeOf(t), {"`by`"})
        .help("write `step " + textUntil(at + 1, {TokenKind::LBrace}) + "`");
    return true;
  }
  if (!t.newlineBefore && t.kind == TokenKind::Ident && p.kind == TokenKind::RParen &&
      matchingOpen(at - 1) == start + 1 &&
      (stream_.tokens[start].kind == TokenKind::If || stream_.tokens[start].kind == TokenKind::While)) {
    report(Diag::UnexpectedToken, rangeOf(t), {"`{`", describe(t)})
        .help("a body stands in braces: `" + shown(start, at) + " { " + textUntil(at, {}) + " }`");
    return true;
  }
  // if c then a else b
  if (t.kind == TokenKind::Ident && textOf(t) == "then") {
    size_t word = at;
    while (word > start && stream_.tokens[word].kind != TokenKind::If) --word;
    if (stream_.tokens[word].kind != TokenKind::If) return false;
    const size_t otherwise = find(at + 1, TokenKind::Else);
    report(Diag::UnexpectedHere, rangeOf(t), {"`then`"})
        .help("write `if " + shown(word + 1, at) + " { " + textUntil(at + 1, {TokenKind::Else}) + " }" +
              (otherwise ? " else { " + textUntil(otherwise + 1, {TokenKind::Comma}) + " }`" : "`"));
    return true;
  }
  if (t.newlineBefore || p.kind != TokenKind::Ident) return false;
  if (stream_.tokens[start].kind == TokenKind::If && t.kind == TokenKind::Ident && textOf(t) == "is") {
    report(Diag::UnexpectedHere, rangeOf(t), {"`is`"}).help("equality is written `==`");
    return true;
  }
  if (at != start + 1) return false;
  const std::string_view word = textOf(p);
  if ((word == "test" || word == "bench") && t.kind == TokenKind::Ident) {
    report(Diag::UnexpectedHere, rangeOf(t), {describe(t)})
        .help("its name is a text: `" + std::string(word) + " \"" + str(t) + "\" { ... }`");
    return true;
  }
  // assert a == b, print "x"
  if (word == "assert" || word == "print") {
    report(Diag::UnexpectedHere, rangeOf(t), {describe(t)})
        .help("it is called like a function: `" + std::string(word) + "(" + textUntil(at, {}) + ")`");
    return true;
  }
  return false;
}

/// The brackets around the `:` or `::` at `at`, with ranges.
std::string Builder::sliceOf(size_t at) const {
  const size_t open = openAround(at), close = matchingClose(open);
  std::string text = postfixBefore(open) + "[";
  bool hasRange = false;
  for (size_t i = open + 1; i < close; ++i) {
    const Token& token = stream_.tokens[i];
    if (i > open + 1 && token.begin > stream_.tokens[i - 1].end && token.kind != TokenKind::Colon) text += " ";
    switch (token.kind) {
      case TokenKind::Comma:
        hasRange = false;
        text += ",";
        break;
      case TokenKind::Colon:
        text += hasRange ? " step " : "..";
        hasRange = true;
        break;
      case TokenKind::ColonColon:
        text += ".. step ";
        hasRange = true;
        break;
      default: text += textOf(token);
    }
  }
  return close > open + 20 ? "x[2..4]" : text + "]";
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

/// A function without a name, with the `(` of its parameters at `open`, as a lambda.
std::string Builder::lambdaFrom(size_t open) const {
  const size_t close = matchingClose(open);
  std::string params;
  for (size_t i = open + 1; i < close;) {
    size_t end = i;
    while (end < close && stream_.tokens[end].kind != TokenKind::Comma) ++end;
    const std::string ours = declaratorMeant(i, end);
    params += (params.empty() ? "" : ", ") + (ours.empty() ? shown(i, end) : ours);
    i = end + 1;
  }
  size_t body = close + 1;
  if (tokenAt(body, 0).kind == TokenKind::Arrow) body += 2;
  if (tokenAt(body, 0).kind == TokenKind::FatArrow || tokenAt(body, 0).kind == TokenKind::Assign) ++body;
  std::string value = textUntil(body, {TokenKind::Comma});
  if (tokenAt(body, 0).kind == TokenKind::LBrace) {
    const size_t first = tokenAt(body, 1).kind == TokenKind::Return ? body + 2 : body + 1, end = matchingClose(body);
    size_t last = first;
    while (last < end && stream_.tokens[last].kind != TokenKind::End) ++last;
    value = last + 1 >= end ? shown(first, last) : "{ ... }";
  }
  return "|" + params + "| " + value;
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
  const size_t head = tokenAt(at, -1).kind == TokenKind::RParen ? matchingOpen(at - 1) : at - 1;
  const TokenKind beforeHead = tokenAt(head, -1).kind;
  if (t.kind == TokenKind::FatArrow ||
      (t.kind == TokenKind::Arrow && tokenAt(at, -1).end < t.begin &&
       (beforeHead == TokenKind::LParen || beforeHead == TokenKind::Comma || beforeHead == TokenKind::Assign))) {
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
  // fn(v) v * v, function(v) { return v * v; }
  for (size_t open = at + 1; open-- > 1 && open + 40 > at;) {
    const TokenKind kind = stream_.tokens[open].kind;
    if (kind == TokenKind::End || (kind == TokenKind::LBrace && open < at)) break;
    if (kind != TokenKind::LParen) continue;
    const Token& word = tokenAt(open, -1);
    const TokenKind before = tokenAt(open, -2).kind;
    const std::string_view spelled = textOf(word);
    const bool isFn = word.kind == TokenKind::Fn && before != TokenKind::Colon && before != TokenKind::Arrow;
    const bool isCall = word.kind == TokenKind::Ident && t.kind == TokenKind::LBrace && matchingClose(open) == at - 1 &&
                        (spelled == "function" || spelled == "func" || spelled == "fun");
    if ((!isFn && !isCall) ||
        (before != TokenKind::LParen && before != TokenKind::Comma && before != TokenKind::Assign))
      continue;
    report(Diag::UnexpectedHere, rangeOf(word), {describe(word)})
        .help("a lambda is written `" + lambdaFrom(open) + "`");
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

}  // namespace rad

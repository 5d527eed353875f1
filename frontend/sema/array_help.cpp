// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is said to those who compute with whole arrays: how it is written for each element.
#include "frontend/sema/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace rad::sema {
namespace {

/// Whether a text was shortened, so that it cannot be repeated in a program.
bool isCut(std::string_view text) { return text.find("...") != std::string_view::npos; }

bool isWord(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; });
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

}  // namespace

/// A name for a loop over a dimension that the code here does not use yet.
std::string Checker::freeName(size_t dim) {
  constexpr std::string_view names = "ijklpqrs";
  for (size_t k = 0; k < names.size(); ++k) {
    const std::string name(1, names[(dim + k) % names.size()]);
    const Symbol symbol = session_.names.intern(name);
    if (!findBinding(symbol) && !findEntity(symbol, ctx_->home)) return name;
  }
  return "i";
}

std::optional<Checker::Subscripted> Checker::subscripted(ExprId id, unsigned rank) {
  while (const auto* paren = std::get_if<ParenExpr>(&expr(id).node)) id = paren->inner;
  const auto* index = std::get_if<IndexExpr>(&expr(id).node);
  auto isPlain = [&](auto& self, ExprId part) -> bool {
    const auto& node = expr(part).node;
    if (const auto* member = std::get_if<MemberExpr>(&node)) return self(self, member->base);
    if (const auto* item = std::get_if<TupleItemExpr>(&node)) return self(self, item->base);
    if (const auto* inner = std::get_if<IndexExpr>(&node))
      return self(self, inner->base) &&
             std::none_of(inner->arguments.begin(), inner->arguments.end(),
                          [&](const Argument& each) { return expr(each.value).kind() == ExprKind::Slice; });
    return std::holds_alternative<NameExpr>(node);
  };
  if (!isPlain(isPlain, index ? index->base : id)) return std::nullopt;
  Subscripted result{.array = shorten(expr(index ? index->base : id).range), .dims = {}};
  size_t count = rank;
  for (size_t a = 0; index && a < index->arguments.size(); ++a)
    count += expr(index->arguments[static_cast<uint32_t>(a)].value).kind() != ExprKind::Slice;
  if (isCut(result.array) || count > 4) return std::nullopt;
  for (size_t d = 0; d < count; ++d) {
    Subscripted::Dim dim{.low = "0",
                         .high = count == 1 ? result.array + ".len" : fmt::format("{}.shape[{}]", result.array, d)};
    if (index && d < index->arguments.size()) {
      const ExprId argument = index->arguments[static_cast<uint32_t>(d)].value;
      if (const auto* slice = std::get_if<SliceExpr>(&expr(argument).node)) {
        if (slice->low) dim.low = shorten(expr(slice->low).range);
        if (slice->high) dim.high = shorten(expr(slice->high).range);
        if (slice->step) dim.step = shorten(expr(slice->step).range);
      } else {
        dim.at = shorten(expr(argument).range);
      }
    }
    if (isCut(dim.at + dim.low + dim.high + dim.step)) return std::nullopt;
    result.dims.push_back(std::move(dim));
  }
  return result;
}

std::string Checker::forEachElement(ExprId target, unsigned rank, std::string_view op, ExprId written,
                                    const Value& value) {
  const auto to = subscripted(target, rank);
  if (!to) return {};
  std::optional<Subscripted> from;
  std::vector<Subscripted::Dim> ranges;  // of the value
  if (isView(value.type)) {
    from = subscripted(written, typeOf(value.type).rank);
    if (!from || typeOf(value.type).rank != rank) return {};
    for (const Subscripted::Dim& dim : from->dims)
      if (dim.at.empty()) ranges.push_back(dim);
  } else if (typeOf(value.type).kind == TypeKind::Array || isCut(shorten(value.range))) {
    return {};
  }
  std::vector<std::string> loops, places, sources;
  for (size_t d = 0, next = 0; d < to->dims.size(); ++d) {
    const Subscripted::Dim& dim = to->dims[d];
    if (!dim.at.empty()) {
      places.push_back(dim.at);
      continue;
    }
    const std::string name = freeName(d);
    places.push_back(name);
    loops.push_back(
        fmt::format("{} in {}..{}{}", name, dim.low, dim.high, dim.step.empty() ? "" : " step " + dim.step));
    if (!from) continue;
    const Subscripted::Dim& other = ranges[next++];
    // Parts of one array that lie at other places may overlap: in a loop, what is written would be read again.
    if (from->array == to->array && (other.low != dim.low || other.step != dim.step)) return {};
    if (other.low == dim.low && other.step == dim.step) sources.push_back(name);
    else if (!other.step.empty() || !dim.step.empty()) return {};
    else if (dim.low == "0") sources.push_back(fmt::format("{} + {}", other.low, name));
    else if (other.low == "0" && isWord(dim.low)) sources.push_back(fmt::format("{} - {}", name, dim.low));
    else return {};
  }
  std::string right = shorten(value.range);
  if (from) {
    std::vector<std::string> indices;
    for (size_t d = 0, next = 0; d < from->dims.size(); ++d)
      indices.push_back(from->dims[d].at.empty() ? sources[next++] : from->dims[d].at);
    right = fmt::format("{}[{}]", from->array, joined(indices));
  }
  const std::string statement = fmt::format("{}[{}] {} {}", to->array, joined(places), op, right);
  if (isHostCode()) return fmt::format("forall {} {{ {} }}", joined(loops), statement);
  std::string text = statement;
  for (size_t l = loops.size(); l-- > 0;) text = fmt::format("for {} {{ {} }}", loops[l], text);
  return text;
}

std::string Checker::powerText(const std::string& base, const std::string& exponent) {
  const bool isWhole = !exponent.empty() && exponent.find_first_not_of("0123456789") == std::string::npos;
  return fmt::format("pow({}, {}{})", base, exponent, isWhole ? ".0" : "");
}

std::string Checker::arrayOperatorHelp(BinaryOp op, const Value& left, const Value& right) {
  const Value& array = isView(left.type) || !isView(right.type) ? left : right;
  const std::string whole = shorten(array.range);
  const bool isValue = !isView(array.type);  // an array value
  const unsigned rank = isValue ? 1 : typeOf(array.type).rank;
  if (isView(left.type) && isView(right.type) && typeOf(left.type).rank != typeOf(right.type).rank)
    return "arrays have no operators, and these have another number of dimensions each";
  std::vector<std::string> names, ranges;
  for (unsigned d = 0; d < rank; ++d) {
    names.push_back(freeName(d));
    ranges.push_back(rank == 1 ? fmt::format("{} in 0..{}.len", names[d], whole)
                               : fmt::format("{} in 0..{}.shape[{}]", names[d], whole, d));
  }
  auto element = [&](const Value& value) {
    const std::string text = shorten(value.range);
    return isView(value.type) || typeOf(value.type).kind == TypeKind::Array ? fmt::format("{}[{}]", text, joined(names))
                                                                            : text;
  };
  const auto number = numberOf(isView(array.type) ? typeOf(array.type).element : array.type);
  const bool isPower = op == BinaryOp::BitXor && number && isFloat(*number);
  const std::string of = isPower ? powerText(element(left), element(right))
                                 : fmt::format("{} {} {}", element(left), spelling(op), element(right));
  const std::string each = fmt::format("{} for {}", of, joined(ranges));
  const bool compares = op >= BinaryOp::Eq && op <= BinaryOp::Ge;
  if (isCut(each)) return "arrays have no operators; write it for each element";
  if (compares && op != BinaryOp::Eq && op != BinaryOp::Ne)
    return fmt::format("arrays have no operators; write all({0}) or any({0})", each);
  if (compares)
    return fmt::format("arrays have no operators; write {}({})", op == BinaryOp::Eq ? "all" : "any", each) +
           (isHostCode() && !isValue && rank == 1 ? fmt::format(", or [{}] for an array of bools", each)
                                                  : std::string());
  if (!isHostCode()) return "arrays have no operators; write it for each element, in a loop";
  return fmt::format("arrays have no operators; write [{}], or a kernel", each);
}

std::string Checker::joinedTextHelp(const Value& left, const Value& right) {
  std::string format, values;
  for (const Value* part : {&left, &right}) {
    const std::string text = shorten(part->range);
    const bool isLiteral = text.size() >= 2 && text.front() == '"' && text.find('"', 1) == text.size() - 1 &&
                           text.find_first_of("{}\\") == std::string::npos;
    if (isLiteral) {
      format += text.substr(1, text.size() - 2);
    } else {
      format += "{}";
      values += ", " + text;
    }
  }
  return fmt::format("write format(\"{}\"{})", format, values);
}

/// Whether an argument is neither the vector nor the array value that its parameter is; reports it.
bool Checker::reportMisfit(const Entity& entity, List<Param> params, const PreparedCall& call) {
  const Ast& ast = *entity.ast;
  for (size_t p = 0; p < params.size() && p < call.values.size(); ++p) {
    const auto* sized = params[p].type ? std::get_if<IndexExpr>(&expr(ast, params[p].type).node) : nullptr;
    const auto* base = sized ? std::get_if<NameExpr>(&expr(ast, sized->base).node) : nullptr;
    if (!base || call.values[p].size() != 1 || (text(base->name) != "vec" && text(base->name) != "array")) continue;
    const bool isVec = text(base->name) == "vec";
    const Value& value = call.values[p][0];
    if (isError(value.type) || typeOf(value.type).kind == (isVec ? TypeKind::Vector : TypeKind::Array)) continue;
    const std::string_view name = text(entity.name);
    const TypeId found = isView(value.type) ? types().withAccess(value.type, false) : value.type;
    auto builder = report(Diag::TypeMismatch, value.range,
                          {isVec ? "a vector" : "an array value",
                           fmt::format(" for `{}` of `{}`", text(params[p].name.name), name), spellType(found)});
    builder.note(params[p].name.range, "declared here");
    const bool isArray = isView(value.type) || typeOf(value.type).kind == TypeKind::Array;
    auto shown = [&](size_t at) {
      return at < call.values.size() && !call.values[at].empty() ? shorten(call.values[at][0].range) : std::string("[");
    };
    auto isLiteral = [&](size_t at) { return shown(at).starts_with("["); };
    if (!isVec || !isArray) return true;
    const std::string x = isLiteral(0) ? "x" : shown(0), y = isLiteral(1) ? "y" : shown(1);
    const uint64_t count = typeOf(value.type).count;
    const std::string loop = freeName(0);
    if (isOfLibrary(entity) && name == "dot")
      builder.help(fmt::format("of arrays it is written sum({0}[{2}] * {1}[{2}] for {2} in 0..{0}.len)", x, y, loop));
    else if (isOfLibrary(entity) && name == "length")
      builder.help(
          fmt::format("of an array it is written sqrt(sum({0}[{1}] * {0}[{1}] for {1} in 0..{0}.len))", x, loop));
    else if (isLiteral(p) && count >= 2 && count <= 4)
      builder.help(fmt::format("a vector is written f32x{}({})", count, shown(p).substr(1, shown(p).size() - 2)));
    else builder.help("a vector is made by f32x3(a, b, c), and has 2, 3, 4, 8 or 16 elements");
    return true;
  }
  return false;
}

void Checker::helpOver(const RangeClause& clause) {
  if (!clause.written) return;
  const Range range = expr(clause.written).range;
  size_t at = 0;
  while (at < diags_.all().size() && (diags_.all()[at].kind != Diag::NeedsRange || diags_.all()[at].range != range))
    ++at;
  if (at == diags_.all().size()) return;
  const TypeId type = typeIfChecked(clause.written);
  const std::string name(text(clause.name.name)), whole = shorten(range);
  Diagnostics::Builder builder(diags_, at);
  if (isView(type) || typeOf(type).kind == TypeKind::Array || isVector(type))
    builder.help(fmt::format("over the {0}, write `{1} in 0..{2}.{3}` and `{2}[{1}]`",
                             isView(type) && typeOf(type).rank > 1 ? "rows of an array" : "elements", name, whole,
                             isView(type) && typeOf(type).rank > 1 ? "shape[0]" : "len"));
  else if (typeOf(type).kind == TypeKind::String) builder.help("the letters of a text cannot be taken one by one");
  else if (typeOf(type).kind == TypeKind::Tuple && !typeOf(type).record)
    builder.help(fmt::format("the items of a tuple are {0}.0, {0}.1, ...", whole));
  else builder.help(fmt::format("write `{} in 0..{}`", name, whole));
}

/// The type that an expression has, without a message; the error type if it has none.
TypeId Checker::typeIfChecked(ExprId id) {
  return quietly([&] { return checkExpr(id).type; });
}

bool Checker::isInBoundOfOther(Symbol name) {
  return domain_ && domain_->context == ctx_ && domain_->depth == active_.size() && name != domain_->current &&
         std::ranges::any_of(domain_->clauses, [&](const RangeClause& clause) { return clause.name.name == name; });
}

bool Checker::isNameOfDomain(std::string_view name, Range range) {
  if (!domain_ || domain_->depth != active_.size()) return false;
  auto isName = [&](const RangeClause& clause) { return text(clause.name.name) == name; };
  if (std::none_of(domain_->clauses.begin(), domain_->clauses.end(), isName)) return false;
  if (std::exchange(domain_->said, true)) return true;
  auto builder = report(Diag::DomainBound, range, {std::string(name)});
  if (domain_->isOfThreads) {
    builder.help("a block has a constant number of threads: take the most that it needs, and an `if` in the body");
    return true;
  }
  // The clause whose name stands in a text, as a word of its own.
  auto namedIn = [&](const std::string& bound) -> const RangeClause* {
    for (const RangeClause& clause : domain_->clauses) {
      const std::string_view word = text(clause.name.name);
      for (size_t at = bound.find(word); at != std::string::npos; at = bound.find(word, at + 1)) {
        const bool begins = at == 0 || !isWord(bound.substr(at - 1, 1));
        const size_t end = at + word.size();
        if (begins && (end == bound.size() || !isWord(bound.substr(end, 1)))) return &clause;
      }
    }
    return nullptr;
  };
  std::vector<std::string> ranges, conditions;
  bool isTold = true;
  for (const RangeClause& clause : domain_->clauses) {
    const std::string own(text(clause.name.name));
    std::string low = shorten(expr(clause.low).range), high = shorten(expr(clause.high).range);
    const std::string step = clause.step ? " step " + shorten(expr(clause.step).range) : "";
    auto without = [](std::string bound) {
      std::erase(bound, ' ');
      return bound;
    };
    if (const RangeClause* other = namedIn(low)) {
      const std::string name(text(other->name.name));
      isTold = isTold && other != &clause && step.empty();
      conditions.push_back(without(low) == name + "+1" ? fmt::format("{} > {}", own, name)
                                                       : fmt::format("{} >= {}", own, low));
      low = "0";
    }
    if (const RangeClause* other = namedIn(high)) {
      const std::string name(text(other->name.name)), plain = without(high);
      const std::string limit = shorten(expr(other->high).range);
      conditions.push_back(plain == name + "+1" ? fmt::format("{} <= {}", own, name)
                                                : fmt::format("{} < {}", own, high));
      isTold = isTold && other != &clause;
      if ((plain == name || plain == name + "+1") && !namedIn(limit)) high = limit;
      else if (const size_t end = plain.size() - std::min(plain.size(), name.size() + 1);
               end > 0 && plain.substr(end) == "-" + name && isWord(plain.substr(0, end)))
        high = plain.substr(0, end);
      else isTold = false;
    }
    isTold = isTold && !namedIn(step) && !isCut(low + high + step);
    ranges.push_back(fmt::format("{} in {}..{}{}", own, low, high, step));
  }
  std::string condition;
  for (const std::string& each : conditions) condition += (condition.empty() ? "" : " and ") + each;
  if (!isTold || condition.empty())
    builder.help("take a range that has all points, and a condition: `if` in the body, or behind the ranges of a sum");
  else if (domain_->form == "[") {
    builder.help(fmt::format("take the whole range and a condition: [if {} {{ ... }} else {{ ... }} for {}]", condition,
                             joined(ranges)));
  } else if (domain_->form == "for") {
    builder.help(fmt::format("take the whole range and a condition: `for {} if {}`", joined(ranges), condition));
  } else {
    builder.help(fmt::format("take the whole range and a condition: `{} {} {{ if {} {{ ... }} }}`", domain_->form,
                             joined(ranges), condition));
  }
  return true;
}

}  // namespace rad::sema

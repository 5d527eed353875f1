// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// print, assert, and the host functions of builtins.def.
#include "frontend/sema/checker.h"
#include "frontend/sema/format_text.h"

#include <fmt/format.h>

#include <cctype>

namespace rad::sema {
namespace {

/// What is written for a text that has fewer `{}` than values follow: "x = %f" and "x = " are such.
std::string missingHoles(std::string_view format, size_t holes, size_t values) {
  std::string text;
  for (size_t i = 0; i < format.size(); ++i) {
    size_t end = i + 1;
    while (end < format.size() && (std::isdigit(static_cast<unsigned char>(format[end])) || format[end] == '.')) ++end;
    if (format[i] == '%' && end < format.size() &&
        std::string_view("dfgeixsu").find(format[end]) != std::string_view::npos) {
      text += "{}";
      ++holes;
      i = end;
    } else {
      text += format[i];
    }
  }
  if (format.size() > 40 || text.find_first_of("\n\t\"\\") != std::string::npos)
    return "write `{}` in the text where each value goes";
  for (; holes < values; ++holes) text += text.empty() || text.back() == ' ' ? "{}" : " {}";
  return "write `{}` in the text where each value goes: \"" + text + "\"";
}

}  // namespace

std::optional<std::pair<std::string, std::vector<TExprId>>> Checker::checkFormat(List<Argument> arguments, size_t first,
                                                                                 std::string_view callee) {
  if (!noNames(arguments, callee)) return std::nullopt;
  std::string format;
  size_t next = first;
  if (first < arguments.size())
    if (const auto* literal = std::get_if<StringExpr>(&expr(arguments[first].value).node)) {
      format = std::string(literal->value);
      ++next;
    }
  const bool hasFormat = next != first;
  const Format found = readFormat(format);
  std::vector<TExprId> values;
  std::vector<std::string> shown;  // what stands for each value: "{}", or "({}, {})" for a tuple
  bool ok = true;
  for (size_t i = next; i < arguments.size(); ++i) {
    Value value = checkExpr(arguments[i].value);
    if (isError(value.type)) {
      ok = false;
    } else if (typeOf(value.type).kind == TypeKind::Unit) {
      report(Diag::NoValue, value.range, {});
      ok = false;
    } else if (!isHostCode() && isView(value.type)) {
      report(Diag::MessageArray, value.range, {std::string(callee)}).help("print the elements that matter: `x[i]`");
      ok = false;
    } else {
      const FormatSpec spec = i - next < found.holes.size() ? found.holes[i - next].spec : FormatSpec{};
      const auto text = printed(value, values, spec);
      ok = ok && text;
      if (text) shown.push_back(*text);
    }
  }
  if (found.mistake != Format::Mistake::None) {
    reportFormat(format, found, expr(arguments[first].value).range);
    return std::nullopt;
  }
  if (!ok) return std::nullopt;
  if (hasFormat && found.holes.size() != shown.size()) {
    report(Diag::FormatArity, expr(arguments[first].value).range,
           {fmt::format("{} `{{}}`", found.holes.size()), std::to_string(shown.size())})
        .help(found.holes.size() < shown.size() ? missingHoles(format, found.holes.size(), shown.size())
                                                : "each `{}` takes one of the values behind the text");
    return std::nullopt;
  }
  std::string filled;
  size_t at = 0;
  for (size_t i = 0; i < found.holes.size(); ++i) {
    filled += format.substr(at, found.holes[i].at - at) + shown[i];
    at = found.holes[i].at + found.holes[i].size;
  }
  filled += format.substr(at);
  for (size_t i = 0; !hasFormat && i < shown.size(); ++i) filled += (i ? " " : "") + shown[i];
  return std::pair{std::move(filled), std::move(values)};
}

void Checker::reportFormat(std::string_view format, const Format& found, Range range) {
  if (found.mistake == Format::Mistake::Spec) {
    const char last = found.wrong[found.wrong.size() - 2];
    auto builder = report(Diag::FormatSpec, range, {std::string(found.wrong)});
    if (last == 'd' || last == 's' || last == '?')
      builder.help("`{}` shows a value of any type, and `{:8}` takes 8 places for it");
    else
      builder.help(
          "behind the colon stand, in this order and each only if wanted: `<` or `>`, `0`, a width, `.` and digits, "
          "`x`, `b` or `e`");
    return;
  }
  auto builder = report(Diag::FormatSyntax, range, {});
  // "x = {x:.2}" with what stands in the braces moved behind the text.
  std::string moved, names;
  for (size_t i = 0; i < format.size(); ++i) {
    moved += format[i];
    const size_t end = format[i] == '{' ? format.find_first_of("{}:", i + 1) : std::string::npos;
    if (end == std::string::npos || end == i + 1 || format[end] == '{') continue;
    names += fmt::format(", {}", format.substr(i + 1, end - i - 1));
    i = end - 1;
  }
  if (!names.empty() && moved.size() < 60 && moved.find_first_of("\n\t\"\\") == std::string::npos)
    builder.help(fmt::format("the values follow the text: \"{}\"{}", moved, names));
  else builder.help("`{}` stands for a value; a brace itself is written `{{` or `}}`");
}

Value Checker::callPrint(const CallExpr& node, Range range) {
  if (ctx_->kind == Context::Kind::Reduction) {
    report(Diag::StatementPlace, range, {"print"});
    return errorValue(range);
  }
  auto format = checkFormat(node.arguments, 0, "print");
  if (!format) return errorValue(range);
  ctx_->hasEffects = true;
  SiteId site;
  if (!isHostCode()) {
    site = addSite(SiteKind::Print, range, format->first);
    if (!handOver(site, format->second, "print", range)) return errorValue(range);
  }
  emit(range, Print{std::move(format->first), std::move(format->second), site});
  return unitValue(range);
}

/// Values that a kernel hands to the host for a message: the site names their types, and there are few.
bool Checker::handOver(SiteId site, const std::vector<TExprId>& values, std::string_view callee, Range range) {
  if (values.size() > maxMessageValues) {
    report(Diag::MessageValues, range,
           {std::string(callee), std::to_string(maxMessageValues), std::to_string(values.size())})
        .help(fmt::format("write several calls of {}; each element of a vector, tuple or array value counts", callee));
    return false;
  }
  for (TExprId value : values) program_.sites[site.value].arguments.push_back(program_.expr(value).type);
  return true;
}

Value Checker::callAssert(const CallExpr& node, Range range) {
  if (node.arguments.empty()) {
    report(Diag::ArgumentCount, range, {"assert", "at least 1 argument", "0"});
    return errorValue(range);
  }
  if (!noNames(node.arguments, "assert")) return errorValue(range);
  const bool hoist = std::exchange(ctx_->canHoist, false);
  const TExprId condition = checkCondition(node.arguments[0].value);
  ctx_->canHoist = hoist;
  std::pair<std::string, std::vector<TExprId>> message;
  if (node.arguments.size() > 1) {
    if (!std::holds_alternative<StringExpr>(expr(node.arguments[1].value).node)) {
      report(Diag::AssertMessage, expr(node.arguments[1].value).range, {});
      return errorValue(range);
    }
    auto format = checkFormat(node.arguments, 1, "assert");
    if (!format) return errorValue(range);
    message = std::move(*format);
  }
  if (!condition) return errorValue(range);
  if (ctx_->kind == Context::Kind::Reduction) {
    report(Diag::StatementPlace, range, {"assert"});
    return errorValue(range);
  }
  ctx_->hasEffects = true;
  const SiteId site = addSite(SiteKind::Assert, expr(node.arguments[0].value).range, std::move(message.first));
  if (!isHostCode() && !handOver(site, message.second, "assert", range)) return errorValue(range);
  emit(range, Assert{condition, site, std::move(message.second)});
  return unitValue(range);
}

std::optional<std::vector<TExprId>> Checker::checkExtents(List<Argument> arguments, size_t first) {
  std::vector<TExprId> extents;
  for (size_t i = first; i < arguments.size(); ++i) {
    const Expr& argument = expr(arguments[i].value);
    if (const auto* spread = std::get_if<SpreadExpr>(&argument.node)) {
      const auto* name = std::get_if<NameExpr>(&expr(spread->inner).node);
      auto binding = name ? findBinding(name->name) : std::nullopt;
      if (!binding || binding->kind != Binding::Kind::Pack) {
        report(Diag::SpreadNeedsPack, argument.range, {});
        return std::nullopt;
      }
      for (LocalId local : binding->pack) {
        Value value =
            convertValue({ctx_->body.locals[local.value].type, localRef(local, argument.range), {}, argument.range},
                         types().index(), "a size");
        if (isError(value.type)) return std::nullopt;
        extents.push_back(materialize(value));
      }
      continue;
    }
    const TExprId extent = checkSubscript(arguments[i].value, "a size");
    if (!extent) return std::nullopt;
    if (const auto* constant = std::get_if<ConstInt>(&program_.expr(extent).node);
        constant && static_cast<int64_t>(constant->bits) < 0) {
      report(Diag::NegativeIndex, argument.range, {std::to_string(static_cast<int64_t>(constant->bits))});
      return std::nullopt;
    }
    extents.push_back(extent);
  }
  return extents;
}

Value Checker::callHost(HostBuiltin builtin, List<Argument> statics, const CallExpr& node, Range range,
                        TypeId expected) {
  const std::string_view name = spelling(builtin);
  if (!hostOnly(name, range)) return errorValue(range);
  if (builtin != HostBuiltin::Zeros && !statics.empty()) {
    auto builder = report(Diag::NoStatics, range, {std::string(name)});
    if (name.starts_with("read_") && builtin != HostBuiltin::ReadText)
      builder.help(fmt::format("the type stands in the `let`: `let x: [f32; n, m] = {}(path)`", name));
    return errorValue(range);
  }
  switch (builtin) {
    case HostBuiltin::Zeros: {
      TypeId element = types().scalar(Scalar::F32);
      if (statics.size() > 1) {
        report(Diag::StaticCount, range, {"zeros", "1", std::to_string(statics.size())});
        return errorValue(range);
      }
      if (statics.size() == 1) element = resolveType(statics[0].value);
      else if (isView(expected)) element = typeOf(expected).element;
      if (!noNames(node.arguments, name)) return errorValue(range);
      auto made = checkExtents(node.arguments, 0);
      if (isError(element) || !made || !canBeElement(element, range)) return errorValue(range);
      std::vector<TExprId> extents = *std::move(made);
      if (extents.empty()) {
        report(Diag::EmptyShape, range, {}).help("write zeros[f32](n) or zeros[f32](n, m)");
        return errorValue(range);
      }
      if (extents.size() > 4) {
        report(Diag::TooManyAxes, range, {"an array", "4 dimensions"});
        return errorValue(range);
      }
      const TypeId type = types().view(element, static_cast<unsigned>(extents.size()), true);
      return code(type, range, NewArray{std::move(extents), addSite(SiteKind::HostCall, range)});
    }
    case HostBuiltin::Copy: {
      if (!countIs(name, node.arguments, 1, range)) return errorValue(range);
      Value value = asArray(checkExpr(node.arguments[0].value));
      if (isError(value.type)) return errorValue(range);
      if (!isView(value.type)) {
        report(Diag::TypeMismatch, value.range, {"an array", " for copy(...)", spellType(value.type)});
        return errorValue(range);
      }
      const Type& type = typeOf(value.type);
      if (type.strided) return withoutGaps(value);
      return code(types().view(type.element, type.rank, true), range,
                  CopyArray{value.expr, addSite(SiteKind::HostCall, range)});
    }
    case HostBuiltin::ReadPng: return callRead(FileFormat::Png, node, name, range, expected);
    case HostBuiltin::WritePng: return callWrite(FileFormat::Png, node, name, range);
    case HostBuiltin::ReadNpy: return callRead(FileFormat::Npy, node, name, range, expected);
    case HostBuiltin::WriteNpy: return callWrite(FileFormat::Npy, node, name, range);
    case HostBuiltin::ReadCsv: return callRead(FileFormat::Csv, node, name, range, expected);
    case HostBuiltin::WriteCsv: return callWrite(FileFormat::Csv, node, name, range);
    case HostBuiltin::Plot: return callPlot(node, range);
    case HostBuiltin::ReadText: {
      if (!countIs(name, node.arguments, 1, range)) return errorValue(range);
      const TExprId path = textArgument(node.arguments[0].value, " for the path of read_text");
      if (!path) return errorValue(range);
      return code(types().string(), range, ReadText{path, addSite(SiteKind::HostCall, range)});
    }
    case HostBuiltin::WriteText: return callWriteText(false, node, name, range);
    case HostBuiltin::AppendText: return callWriteText(true, node, name, range);
    case HostBuiltin::Format: return callFormat(node.arguments, 0, name, range);
    case HostBuiltin::Sync:
      if (!countIs(name, node.arguments, 0, range)) return errorValue(range);
      ctx_->hasEffects = true;
      emit(range, Sync{addSite(SiteKind::HostCall, range)});
      return unitValue(range);
    case HostBuiltin::Clock:
      if (!countIs(name, node.arguments, 0, range)) return errorValue(range);
      return code(types().scalar(Scalar::F64), range, Clock{});
  }
  return errorValue(range);
}

}  // namespace rad::sema

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files and texts: read_png and its family, read_text, write_text, format.
#include "frontend/sema/checker.h"

#include <fmt/format.h>

namespace rad::sema {

namespace {

/// An example of the call with its type.
std::string_view exampleOf(FileFormat format) {
  switch (format) {
    case FileFormat::Png: return "write `let p: [u8; h, w, 3] = read_png(path)`, or `[f32; h, w]` for gray from 0 to 1";
    case FileFormat::Npy:
      return "write `let x: [f32; n, m] = read_npy(path)`: new names in the type take the sizes that the file has";
    case FileFormat::Csv:
      return "write `let x: [f64; rows, columns] = read_csv(path)`, or `[f64; n]` for all its numbers in order";
    case FileFormat::LinePlot:
    case FileFormat::Histogram:
    case FileFormat::HeatMap: break;  // nothing reads them
  }
  return "";
}

/// What a file of the format holds: empty if an array of this type can be one. `lanes`: of elements that are vectors;
/// 1: they are numbers; no `element`: they are something else.
std::string_view unsuited(FileFormat format, std::optional<Scalar> element, uint64_t lanes, unsigned rank) {
  switch (format) {
    case FileFormat::Png: {
      const bool suits = (element == Scalar::U8 || element == Scalar::F32) &&
                         (lanes == 1 ? rank == 2 || rank == 3 : rank == 2 && (lanes == 3 || lanes == 4));
      return suits ? "" : "a picture ([u8 or f32; h, w], [...; h, w, 1, 3 or 4] or [u8x3, u8x4, f32x3 or f32x4; h, w])";
    }
    case FileFormat::Npy:
      return "";  // the elements of vectors and array values are further dimensions, members of structs are fields
    case FileFormat::Csv:
      if (!element || lanes > 1 || element == Scalar::Bool || (isFloat(*element) && bitsOf(*element) < 32))
        return "integers, f32 or f64";
      return rank <= 2 ? "" : "an array of 1 or 2 dimensions";
    case FileFormat::LinePlot: return rank <= 2 ? "" : "an array of 1 or 2 dimensions";
    case FileFormat::Histogram: return "";
    case FileFormat::HeatMap: return rank == 2 ? "" : "an array of 2 dimensions";
  }
  return "";
}

}  // namespace

std::string_view Checker::unsuitedArray(FileFormat format, TypeId view) const {
  const TypeId element = typeOf(view).element;
  return unsuited(format, numberOf(element), isVector(element) ? typeOf(element).count : 1, typeOf(view).rank);
}

TExprId Checker::textArgument(ExprId id, std::string_view place) {
  Value value = checkExpr(id);
  if (isError(value.type)) return {};
  if (typeOf(value.type).kind != TypeKind::String) {
    report(Diag::TypeMismatch, value.range, {"text", std::string(place), spellType(value.type)});
    return {};
  }
  return materialize(value);
}

Value Checker::callRead(FileFormat format, const CallExpr& node, std::string_view name, Range range, TypeId expected) {
  if (!countIs(name, node.arguments, 1, range)) return errorValue(range);
  const TExprId path = textArgument(node.arguments[0].value, fmt::format(" for the path of {}", name));
  if (!path) return errorValue(range);
  const auto scalar = scalarOf(expected);
  if (scalar && format == FileFormat::Npy)
    return code(expected, range, ReadFile{format, path, {}, addSite(SiteKind::HostCall, range)});
  if (isView(expected) && isError(typeOf(expected).element)) return errorValue(range);
  if (!isView(expected)) {
    report(Diag::ReadType, range, {std::string(name)}).help(std::string(exampleOf(format)));
    return errorValue(range);
  }
  const unsigned rank = typeOf(expected).rank;
  if (const std::string_view needed = unsuitedArray(format, expected); !needed.empty()) {
    report(Diag::TypeMismatch, range, {std::string(needed), fmt::format(" from {}", name), spellType(expected)})
        .help(std::string(exampleOf(format)));
    return errorValue(range);
  }
  const TypeId made = types().view(typeOf(expected).element, rank, true);
  return code(made, range, ReadFile{format, path, std::vector<TExprId>(rank), addSite(SiteKind::HostCall, range)});
}

Value Checker::callWrite(FileFormat format, const CallExpr& node, std::string_view name, Range range) {
  if (!countIs(name, node.arguments, 2, range)) return errorValue(range);
  const TExprId path = textArgument(node.arguments[0].value, fmt::format(" for the path of {}", name));
  Value view = asArray(checkExpr(node.arguments[1].value));
  if (!path || isError(view.type)) return errorValue(range);
  const std::string_view needed = isView(view.type) ? unsuitedArray(format, view.type) : "an array";
  if (!needed.empty()) {
    report(Diag::TypeMismatch, view.range, {std::string(needed), fmt::format(" for {}", name), spellType(view.type)});
    return errorValue(range);
  }
  view = withoutGaps(view);
  ctx_->hasEffects = true;
  emit(range, WriteFile{format, path, view.expr, addSite(SiteKind::HostCall, range)});
  return unitValue(range);
}

Value Checker::callPlot(const CallExpr& node, Range range) {
  struct Kind {
    std::string_view name;
    FileFormat format;
  };
  static constexpr Kind kinds[] = {
      {"line", FileFormat::LinePlot}, {"histogram", FileFormat::Histogram}, {"heatmap", FileFormat::HeatMap}};
  std::vector<ExprId> given;
  std::optional<FileFormat> format;
  for (const Argument& argument : node.arguments) {
    if (argument.name.name.empty()) {
      given.push_back(argument.value);
      continue;
    }
    if (text(argument.name.name) != "kind") {
      report(Diag::UnknownArgument, argument.name.range, {"`plot`", std::string(text(argument.name.name))});
      return errorValue(range);
    }
    const auto* literal = std::get_if<StringExpr>(&expr(argument.value).node);
    std::vector<std::string_view> names;
    for (const Kind& kind : kinds) {
      names.push_back(kind.name);
      if (literal && literal->value == kind.name) format = kind.format;
    }
    if (!format) {
      auto builder = report(Diag::PlotKind, expr(argument.value).range, {});
      const std::string near = literal ? nearestName(literal->value, names) : "";
      builder.help(near.empty() ? "write \"line\", \"histogram\" or \"heatmap\""
                                : fmt::format("did you mean \"{}\"?", near));
      return errorValue(range);
    }
  }
  if (given.empty() || given.size() > 2) {
    report(Diag::ArgumentCount, range, {"plot", "an array and perhaps a path", std::to_string(given.size())});
    return errorValue(range);
  }
  Value view = checkExpr(given[0]);
  const TExprId path = given.size() == 2 ? textArgument(given[1], " for the path of plot")
                                         : program_.addExpr(types().string(), range, ConstString{""});
  if (isError(view.type) || !path) return errorValue(range);
  view = asArray(view);
  const auto element = isView(view.type) ? scalarOf(typeOf(view.type).element) : std::nullopt;
  const unsigned rank = element ? typeOf(view.type).rank : 0;
  if (!format) format = rank == 2 ? FileFormat::HeatMap : FileFormat::LinePlot;
  std::string needed = element && !types().isEnum(typeOf(view.type).element)
                           ? std::string(unsuited(*format, *element, 1, rank))
                           : "an array of numbers";
  if (!needed.empty()) {
    auto builder = report(Diag::TypeMismatch, view.range, {std::move(needed), " for plot", spellType(view.type)});
    if (rank > 2) builder.help("plot a slice of it, or all of its values: kind: \"histogram\"");
    return errorValue(range);
  }
  view = withoutGaps(view);
  ctx_->hasEffects = true;
  emit(range, WriteFile{*format, path, view.expr, addSite(SiteKind::HostCall, range)});
  return unitValue(range);
}

Value Checker::callFormat(List<Argument> arguments, size_t first, std::string_view callee, Range range) {
  if (arguments.size() <= first) {
    report(Diag::ArgumentCount, range,
           {std::string(callee), fmt::format("at least {} argument{}", first + 1, first ? "s" : ""),
            std::to_string(arguments.size())});
    return errorValue(range);
  }
  auto format = checkFormat(arguments, first, callee);
  if (!format) return errorValue(range);
  return code(types().string(), range,
              FormatText{std::move(format->first), std::move(format->second), addSite(SiteKind::HostCall, range)});
}

Value Checker::callWriteText(bool append, const CallExpr& node, std::string_view name, Range range) {
  const Value text = callFormat(node.arguments, 1, name, range);
  if (isError(text.type)) return errorValue(range);
  const TExprId path = textArgument(node.arguments[0].value, fmt::format(" for the path of {}", name));
  if (!path) return errorValue(range);
  ctx_->hasEffects = true;
  emit(range, WriteText{path, text.expr, append, addSite(SiteKind::HostCall, range)});
  return unitValue(range);
}

}  // namespace rad::sema

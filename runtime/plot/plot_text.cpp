// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Plots of characters.
#include "runtime/plot/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace rad::rt {
namespace {

constexpr int64_t lineRows = 16;  // of characters
constexpr int64_t mapRows = 24;
constexpr size_t textBins = 20;
constexpr const char* textColors[] = {"36", "33", "35", "32", "31", "34", "37", "90"};

std::string colored(const std::string& text, std::string_view code, bool color) {
  return color ? fmt::format("\033[{}m{}\033[0m", code, text) : text;
}

std::string utf8(uint32_t character) {
  return {static_cast<char>(0xE0 | (character >> 12)), static_cast<char>(0x80 | ((character >> 6) & 0x3F)),
          static_cast<char>(0x80 | (character & 0x3F))};
}

std::string repeated(std::string_view text, int64_t times) {
  std::string out;
  for (int64_t i = 0; i < times; ++i) out += text;
  return out;
}

std::string leftOut(const PlotData& data, const PlotRange& range) {
  const auto missing = static_cast<int64_t>(data.values.size()) - range.finite;
  return missing > 0 ? fmt::format("{} of {} values are not finite\n", missing, data.values.size()) : std::string();
}

/// Points of a grid of 2 x 4 dots a character.
std::string lineText(const PlotData& data, const PlotRange& range, unsigned columns, bool color) {
  const bool isRows = data.extents.size() == 2;
  const int64_t lines = isRows ? data.extents[0] : 1,
                count = isRows ? data.extents[1] : static_cast<int64_t>(data.values.size());
  const double apart = range.width() / lineRows;
  const std::string top = plotNumber(range.high, apart), bottom = plotNumber(range.low, apart);
  const std::string middle = plotNumber(range.low / 2 + range.high / 2, apart);
  const auto margin = static_cast<int64_t>(std::max({top.size(), bottom.size(), middle.size()}));
  const int64_t width = std::max<int64_t>(static_cast<int64_t>(columns) - margin - 3, 10);
  struct Cell {
    uint8_t dots = 0, line = 0;
  };
  std::vector<Cell> cells(static_cast<size_t>(width * lineRows));
  auto set = [&](int64_t x, int64_t y, int64_t line) {
    static constexpr uint8_t bits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    Cell& cell = cells[static_cast<size_t>(y / 4 * width + x / 2)];
    cell.dots |= bits[y % 4][x % 2];
    cell.line = static_cast<uint8_t>(line);
  };
  const int64_t dotsAcross = width * 2, dotsDown = lineRows * 4;
  auto rowOf = [&](double value) { return std::llround((1 - range.part(value)) * static_cast<double>(dotsDown - 1)); };
  for (int64_t line = 0; line < lines; ++line) {
    const double* row = data.values.data() + line * count;
    if (count <= dotsAcross) {
      // Few values: joined by straight lines.
      int64_t lastX = -1, lastY = 0;
      for (int64_t i = 0; i < count; ++i) {
        if (!std::isfinite(row[i])) {
          lastX = -1;
          continue;
        }
        const int64_t x = count == 1 ? 0 : i * (dotsAcross - 1) / (count - 1), y = rowOf(row[i]);
        if (lastX < 0) set(x, y, line);
        const int64_t steps = lastX < 0 ? 0 : std::max(x - lastX, std::abs(y - lastY));
        for (int64_t step = 1; step <= steps; ++step)
          set(lastX + (x - lastX) * step / steps, lastY + (y - lastY) * step / steps, line);
        lastX = x, lastY = y;
      }
      continue;
    }
    const auto spans = plotSpans(row, count, dotsAcross);
    for (int64_t x = 0; x < dotsAcross; ++x) {
      const PlotSpan& span = spans[static_cast<size_t>(x)];
      if (span.low > span.high) continue;
      for (int64_t y = rowOf(span.high); y <= rowOf(span.low); ++y) set(x, y, line);
    }
  }
  std::string out;
  for (int64_t y = 0; y < lineRows; ++y) {
    const bool isTick = y == 0 || y == lineRows - 1 || y == lineRows / 2;
    std::string label = y == 0 ? top : y == lineRows - 1 ? bottom : isTick ? middle : "";
    if (top == bottom && y != lineRows / 2) label.clear();  // one value: it is said once, beside it
    std::string text;
    for (int64_t x = 0; x < width; ++x) {
      const Cell& cell = cells[static_cast<size_t>(y * width + x)];
      text += cell.dots == 0 ? " "
                             : colored(utf8(0x2800u + cell.dots), textColors[cell.line % std::size(textColors)], color);
    }
    while (text.ends_with(' ')) text.pop_back();
    out += fmt::format("{:>{}} {}{}\n", label, margin, isTick ? "┤" : "│", text);
  }
  out += repeated(" ", margin + 1) + "└" + repeated("─", width) + "\n";
  const std::string last = std::to_string(std::max<int64_t>(count - 1, 0));
  out += repeated(" ", margin + 2) + "0" +
         (count > 1 ? repeated(" ", width - 1 - static_cast<int64_t>(last.size())) + last : "") + "\n";
  return out;
}

std::string histogramText(const PlotData& data, unsigned columns, bool color) {
  const PlotBins bins = plotBins(data, textBins);
  const int64_t most = *std::max_element(bins.counts.begin(), bins.counts.end());
  size_t margin = 0;
  for (size_t i = 0; i < bins.counts.size(); ++i) margin = std::max(margin, bins.label(i).size());
  const size_t room = std::to_string(most).size();
  const int64_t width = std::max<int64_t>(static_cast<int64_t>(columns) - static_cast<int64_t>(margin + room) - 4, 10);
  std::string out;
  for (size_t i = 0; i < bins.counts.size(); ++i) {
    const auto eighths = static_cast<int64_t>(
        std::llround(static_cast<double>(bins.counts[i]) / static_cast<double>(std::max<int64_t>(most, 1)) *
                     static_cast<double>(width * 8)));
    std::string bar = repeated("█", eighths / 8);
    if (eighths % 8) bar += utf8(0x2590u - static_cast<uint32_t>(eighths % 8));  // ▏ to ▉
    out += fmt::format("{:>{}} │{} {}\n", bins.label(i), margin, bar.empty() ? "" : colored(bar, "36", color),
                       bins.counts[i]);
  }
  return out;
}

std::string heatMapText(const PlotData& data, const PlotRange& range, unsigned columns, bool color) {
  const int64_t rows = data.extents[0], across = data.extents[1];
  // A character is about twice as high as wide: with colours it shows two cells, one above the other; without, a cell
  // takes two.
  const int64_t mostAcross = std::max<int64_t>(color ? columns : columns / 2, 4),
                mostDown = color ? mapRows * 2 : mapRows;
  double scale = std::min({static_cast<double>(mostAcross) / static_cast<double>(across),
                           static_cast<double>(mostDown) / static_cast<double>(rows)});
  if (scale >= 1) scale = std::min(std::floor(scale), 4.0);
  const int64_t width = std::clamp<int64_t>(std::llround(static_cast<double>(across) * scale), 1, mostAcross);
  const int64_t height = std::clamp<int64_t>(std::llround(static_cast<double>(rows) * scale), 1, mostDown);
  const std::vector<double> cells = plotCells(data, width, height);
  std::string out;
  if (color) {
    auto code = [&](int64_t x, int64_t y, int kind) -> std::string {
      const double value = y < height ? cells[static_cast<size_t>(y * width + x)] : std::nan("");
      if (std::isnan(value)) return kind == 38 ? "39" : "49";
      const PlotColor c = plotColor(range.part(value));
      return fmt::format("{};2;{};{};{}", kind, c.red, c.green, c.blue);
    };
    for (int64_t y = 0; y < height; y += 2) {
      for (int64_t x = 0; x < width; ++x) {
        const bool hasTop = !std::isnan(cells[static_cast<size_t>(y * width + x)]);
        out += hasTop ? fmt::format("\033[{};{}m▀", code(x, y, 38), code(x, y + 1, 48))
                      : fmt::format("\033[{};49m▄", code(x, y + 1, 38));
      }
      out += "\033[0m\n";
    }
    out += plotNumber(range.low, range.width() / 10) + " ";
    for (int i = 0; i < 16; ++i) {
      const PlotColor c = plotColor(i / 15.0);
      out += fmt::format("\033[38;2;{};{};{}m█", c.red, c.green, c.blue);
    }
    return out + "\033[0m " + plotNumber(range.high, range.width() / 10) + "\n";
  }
  static constexpr std::string_view shades = " .:-=+*#%@";
  for (int64_t y = 0; y < height; ++y) {
    std::string line;
    for (int64_t x = 0; x < width; ++x) {
      const double value = cells[static_cast<size_t>(y * width + x)];
      const char shade =
          std::isnan(value)
              ? '?'
              : shades[std::min(static_cast<size_t>(range.part(value) * static_cast<double>(shades.size())),
                                shades.size() - 1)];
      line += std::string(2, shade);
    }
    out += "│" + line + "│\n";
  }
  return out + fmt::format("{} [{}] {}\n", plotNumber(range.low, range.width() / 10), shades,
                           plotNumber(range.high, range.width() / 10));
}

}  // namespace

std::string plotText(const PlotData& data, unsigned columns, bool color) {
  const PlotRange range = plotRange(data.values);
  if (data.values.empty()) return "nothing to plot: there are no elements\n";
  if (range.finite == 0) return "nothing to plot: no value is finite\n";
  switch (data.kind) {
    case PlotKind::Line: return lineText(data, range, columns, color) + leftOut(data, range);
    case PlotKind::Histogram: return histogramText(data, columns, color) + leftOut(data, range);
    case PlotKind::HeatMap: return heatMapText(data, range, columns, color) + leftOut(data, range);
  }
  return {};
}

}  // namespace rad::rt

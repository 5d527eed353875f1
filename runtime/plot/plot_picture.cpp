// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Plots of pixels.
#include "runtime/plot/plot.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace rad::rt {
namespace {

constexpr int64_t pictureWidth = 960, pictureHeight = 600;
constexpr int64_t left = 110, right = 30, top = 24, bottom = 50;  // margins around the axes
constexpr int64_t fontScale = 2, glyphWidth = 5, glyphHeight = 7;
constexpr PlotColor ink{40, 40, 40}, grid{225, 225, 225}, gap{200, 200, 200};
constexpr PlotColor lineColors[] = {{31, 119, 180}, {214, 98, 0},  {44, 140, 60},  {190, 40, 60},
                                    {120, 80, 180}, {120, 80, 60}, {200, 80, 170}, {90, 90, 90}};

/// What numbers are written with, 5 x 7 dots each.
std::string_view glyphOf(char character) {
  switch (character) {
    case '0': return " ### #   ##  ### # ###  ##   # ### ";
    case '1': return "  #   ##    #    #    #    #   ### ";
    case '2': return " ### #   #    #   #   #   #   #####";
    case '3': return " ### #   #    #  ##     ##   # ### ";
    case '4': return "   #   ##  # # #  # #####   #    # ";
    case '5': return "######    ####     #    ##   # ### ";
    case '6': return "  ##  #   #    #### #   ##   # ### ";
    case '7': return "#####    #   #   #   #    #    #   ";
    case '8': return " ### #   ##   # ### #   ##   # ### ";
    case '9': return " ### #   ##   # ####    #   # ##   ";
    case '-': return "               #####               ";
    case '+': return "       #    #  #####  #    #       ";
    case '.': return "                          ##   ##  ";
    case 'e': return "           ### #   #######     ### ";
    default: return "";
  }
}

class Canvas {
 public:
  Canvas(int64_t width, int64_t height)
      : picture_{width, height, std::vector<uint8_t>(static_cast<size_t>(width * height * 3), 255)} {}
  void dot(int64_t x, int64_t y, PlotColor color) {
    if (x < 0 || y < 0 || x >= picture_.width || y >= picture_.height) return;
    uint8_t* at = picture_.samples.data() + (y * picture_.width + x) * 3;
    at[0] = color.red, at[1] = color.green, at[2] = color.blue;
  }
  void box(int64_t x, int64_t y, int64_t width, int64_t height, PlotColor color) {
    for (int64_t j = y; j < y + height; ++j)
      for (int64_t i = x; i < x + width; ++i) dot(i, j, color);
  }
  /// Two pixels wide.
  void line(int64_t x0, int64_t y0, int64_t x1, int64_t y1, PlotColor color) {
    const int64_t steps = std::max({std::abs(x1 - x0), std::abs(y1 - y0), int64_t{1}});
    for (int64_t step = 0; step <= steps; ++step) {
      const int64_t x = x0 + (x1 - x0) * step / steps, y = y0 + (y1 - y0) * step / steps;
      box(x, y, 2, 2, color);
    }
  }
  static int64_t widthOf(std::string_view text) {
    return static_cast<int64_t>(text.size()) * (glyphWidth + 1) * fontScale - fontScale;
  }
  void write(int64_t x, int64_t y, std::string_view text) {
    for (char character : text) {
      const std::string_view glyph = glyphOf(character);
      for (size_t i = 0; i < glyph.size(); ++i)
        if (glyph[i] == '#')
          box(x + static_cast<int64_t>(i) % glyphWidth * fontScale,
              y + static_cast<int64_t>(i) / glyphWidth * fontScale, fontScale, fontScale, ink);
      x += (glyphWidth + 1) * fontScale;
    }
  }
  PlotPicture take() { return std::move(picture_); }

 private:
  PlotPicture picture_;
};

/// The distance of round numbers of which about `wanted` lie in a range.
double roundStep(double width, double wanted) {
  if (!(width > 0)) return 1;
  const double raw = width / wanted, power = std::pow(10, std::floor(std::log10(raw))), part = raw / power;
  return power * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
}

struct Area {
  int64_t x = left, y = top, width = pictureWidth - left - right, height = pictureHeight - top - bottom;
};

/// Lines at round numbers, with the numbers, and the frame.
void drawAxes(Canvas& canvas, const Area& area, double xLow, double xHigh, double yLow, double yHigh) {
  auto marks = [](double low, double high, double wanted, auto draw) {
    const double step = roundStep(high - low, wanted);
    for (double at = std::ceil(low / step) * step; at <= high + step * 1e-9; at += step)
      draw(std::fabs(at) < step * 1e-9 ? 0.0 : at, step);
  };
  auto part = [](double value, double low, double high) {
    return high > low ? (value / 2 - low / 2) / (high / 2 - low / 2) : 0.5;
  };
  marks(yLow, yHigh, 6, [&](double value, double step) {
    const int64_t y =
        area.y + area.height - 1 - std::llround(part(value, yLow, yHigh) * static_cast<double>(area.height - 1));
    canvas.box(area.x, y, area.width, 1, grid);
    const std::string text = plotNumber(value, step);
    canvas.write(area.x - 10 - Canvas::widthOf(text), y - glyphHeight * fontScale / 2, text);
  });
  marks(xLow, xHigh, 8, [&](double value, double step) {
    const int64_t x = area.x + std::llround(part(value, xLow, xHigh) * static_cast<double>(area.width - 1));
    canvas.box(x, area.y, 1, area.height, grid);
    const std::string text = plotNumber(value, step);
    canvas.write(x - Canvas::widthOf(text) / 2, area.y + area.height + 12, text);
  });
}

void drawFrame(Canvas& canvas, const Area& area) {
  canvas.box(area.x - 1, area.y - 1, area.width + 2, 1, ink);
  canvas.box(area.x - 1, area.y + area.height, area.width + 2, 1, ink);
  canvas.box(area.x - 1, area.y - 1, 1, area.height + 2, ink);
  canvas.box(area.x + area.width, area.y - 1, 1, area.height + 2, ink);
}

PlotPicture linePicture(const PlotData& data, const PlotRange& range) {
  const bool isRows = data.extents.size() == 2;
  const int64_t lines = isRows ? data.extents[0] : 1,
                count = isRows ? data.extents[1] : static_cast<int64_t>(data.values.size());
  Canvas canvas(pictureWidth, pictureHeight);
  const Area area;
  drawAxes(canvas, area, 0, static_cast<double>(std::max<int64_t>(count - 1, 1)), range.low, range.high);
  auto yOf = [&](double value) {
    return area.y + std::llround((1 - range.part(value)) * static_cast<double>(area.height - 3));
  };
  for (int64_t line = 0; line < lines; ++line) {
    const double* row = data.values.data() + line * count;
    const PlotColor color = lineColors[static_cast<size_t>(line) % std::size(lineColors)];
    if (count <= area.width) {
      for (int64_t i = 0; i < count; ++i) {
        auto xOf = [&](int64_t at) { return area.x + (count > 1 ? at * (area.width - 2) / (count - 1) : 0); };
        if (!std::isfinite(row[i])) continue;
        const bool isJoined = i > 0 && std::isfinite(row[i - 1]);
        canvas.line(isJoined ? xOf(i - 1) : xOf(i), isJoined ? yOf(row[i - 1]) : yOf(row[i]), xOf(i), yOf(row[i]),
                    color);
      }
      continue;
    }
    const auto spans = plotSpans(row, count, area.width - 1);
    for (int64_t x = 0; x + 1 < area.width; ++x) {
      const PlotSpan& span = spans[static_cast<size_t>(x)];
      if (span.low <= span.high) canvas.box(area.x + x, yOf(span.high), 1, yOf(span.low) - yOf(span.high) + 2, color);
    }
  }
  drawFrame(canvas, area);
  return canvas.take();
}

PlotPicture histogramPicture(const PlotData& data) {
  const PlotBins bins = plotBins(data, 100);
  const auto count = static_cast<int64_t>(bins.counts.size());
  const int64_t most = std::max<int64_t>(*std::max_element(bins.counts.begin(), bins.counts.end()), 1);
  Canvas canvas(pictureWidth, pictureHeight);
  const Area area;
  // A bar of one whole number stands around it.
  const double shift = bins.isWhole ? 0.5 : 0;
  drawAxes(canvas, area, bins.low - shift, bins.low + bins.width * static_cast<double>(count) - shift, 0,
           static_cast<double>(most) * 1.05);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t from = area.x + area.width * i / count, to = area.x + area.width * (i + 1) / count;
    const int64_t height = std::llround(static_cast<double>(bins.counts[static_cast<size_t>(i)]) /
                                        (static_cast<double>(most) * 1.05) * static_cast<double>(area.height - 1));
    canvas.box(from, area.y + area.height - height, std::max<int64_t>(to - from - (to - from > 3), 1), height,
               lineColors[0]);
  }
  drawFrame(canvas, area);
  return canvas.take();
}

PlotPicture heatMapPicture(const PlotData& data, const PlotRange& range) {
  const int64_t rows = data.extents[0], columns = data.extents[1];
  // Cells are squares, in whole pixels where they are large; the scale of colours stands on the right.
  constexpr int64_t scaleWidth = 24, scaleRoom = 150;
  const int64_t mostWidth = pictureWidth - left - scaleRoom, mostHeight = pictureHeight - top - bottom;
  double scale = std::min(static_cast<double>(mostWidth) / static_cast<double>(columns),
                          static_cast<double>(mostHeight) / static_cast<double>(rows));
  if (scale >= 1) scale = std::floor(scale);
  Area area;
  area.width = std::max<int64_t>(std::llround(static_cast<double>(columns) * scale), 1);
  area.height = std::max<int64_t>(std::llround(static_cast<double>(rows) * scale), 1);
  Canvas canvas(pictureWidth, std::max<int64_t>(area.height + top + bottom, 160));
  const std::vector<double> cells = plotCells(data, area.width, area.height);
  for (int64_t y = 0; y < area.height; ++y)
    for (int64_t x = 0; x < area.width; ++x) {
      const double value = cells[static_cast<size_t>(y * area.width + x)];
      canvas.dot(area.x + x, area.y + y, std::isnan(value) ? gap : plotColor(range.part(value)));
    }
  drawFrame(canvas, area);
  // The first and the last index of each axis.
  auto ends = [&](int64_t count, auto write) {
    write(0, 0.0);
    if (count > 1) write(count - 1, 1.0);
  };
  ends(rows, [&](int64_t index, double part) {
    const std::string text = std::to_string(index);
    canvas.write(
        area.x - 10 - Canvas::widthOf(text),
        area.y + std::llround(part * static_cast<double>(std::max<int64_t>(area.height - glyphHeight * fontScale, 0))),
        text);
  });
  ends(columns, [&](int64_t index, double part) {
    const std::string text = std::to_string(index);
    canvas.write(
        area.x + std::llround(part * static_cast<double>(std::max<int64_t>(area.width - Canvas::widthOf(text), 0))),
        area.y + area.height + 12, text);
  });
  const int64_t x = area.x + area.width + 20, height = std::max<int64_t>(area.height, 80);
  for (int64_t y = 0; y < height; ++y)
    canvas.box(x, area.y + y, scaleWidth, 1, plotColor(1 - static_cast<double>(y) / static_cast<double>(height - 1)));
  canvas.write(x + scaleWidth + 8, area.y, plotNumber(range.high, range.width() / 10));
  canvas.write(x + scaleWidth + 8, area.y + height - glyphHeight * fontScale,
               plotNumber(range.low, range.width() / 10));
  return canvas.take();
}

}  // namespace

PlotPicture plotPicture(const PlotData& data) {
  const PlotRange range = plotRange(data.values);
  if (range.finite == 0) {
    Canvas canvas(pictureWidth, pictureHeight);
    drawFrame(canvas, Area{});
    return canvas.take();
  }
  switch (data.kind) {
    case PlotKind::Line: return linePicture(data, range);
    case PlotKind::Histogram: return histogramPicture(data);
    case PlotKind::HeatMap: return heatMapPicture(data, range);
  }
  return {};
}

}  // namespace rad::rt

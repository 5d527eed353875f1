// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What of the numbers is shown.
#include "runtime/plot/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace rad::rt {

PlotColor plotColor(double part) {
  // Some colours along the way; between them it is straight.
  static constexpr double stops[][3] = {{68, 1, 84}, {59, 82, 139}, {33, 145, 140}, {94, 201, 98}, {253, 231, 37}};
  const double at = std::clamp(part, 0.0, 1.0) * 4;
  const auto from = std::min<size_t>(static_cast<size_t>(at), 3);
  auto mix = [&](size_t channel) {
    return static_cast<uint8_t>(std::lround(stops[from][channel] + (stops[from + 1][channel] - stops[from][channel]) *
                                                                       (at - static_cast<double>(from))));
  };
  return {mix(0), mix(1), mix(2)};
}

double PlotRange::part(double value) const {
  // In halves: the width of all numbers is none.
  return high > low ? (value / 2 - low / 2) / (high / 2 - low / 2) : 0.5;
}

PlotRange plotRange(const std::vector<double>& values) {
  PlotRange range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), 0};
  for (double value : values) {
    if (!std::isfinite(value)) continue;
    range.low = std::min(range.low, value);
    range.high = std::max(range.high, value);
    ++range.finite;
  }
  return range.finite ? range : PlotRange{};
}

std::string plotNumber(double value, double apart) {
  const double size = std::fabs(value);
  if (size >= 1e7 || (size < 1e-4 && size > 0)) return fmt::format("{:.3g}", value);
  const int digits =
      apart > 0 && apart < 1e7 ? std::clamp(static_cast<int>(std::ceil(-std::log10(apart) - 1e-9)), 0, 6) : 0;
  std::string text = fmt::format("{:.{}f}", value, digits);
  return text;
}

PlotBins plotBins(const PlotData& data, size_t most) {
  const PlotRange range = plotRange(data.values);
  PlotBins bins;
  bins.low = range.low;
  bins.isWhole = data.isWhole;
  const double count = static_cast<double>(std::max<int64_t>(range.finite, 1));
  // Twice the cube root of the number of values: few for few, and finer slowly.
  auto wanted = static_cast<size_t>(std::clamp(std::ceil(2 * std::cbrt(count)), 1.0, static_cast<double>(most)));
  if (data.isWhole) {
    const double whole = std::ceil((range.width() + 1) /
                                   static_cast<double>(range.width() + 1 <= static_cast<double>(most) ? most : wanted));
    bins.width = std::max(whole, 1.0);
    wanted = static_cast<size_t>(std::floor(range.width() / bins.width)) + 1;
  } else {
    if (range.width() == 0) wanted = 1;
    bins.width =
        range.width() > 0 ? range.high / static_cast<double>(wanted) - range.low / static_cast<double>(wanted) : 1;
  }
  bins.counts.assign(wanted, 0);
  for (double value : data.values) {
    if (!std::isfinite(value)) continue;
    const double at = data.isWhole ? std::floor((value - range.low) / bins.width)
                                   : std::floor(range.part(value) * static_cast<double>(wanted));
    ++bins.counts[static_cast<size_t>(std::clamp(at, 0.0, static_cast<double>(wanted - 1)))];
  }
  return bins;
}

std::string PlotBins::label(size_t bin) const {
  const double from = low + width * static_cast<double>(bin);
  if (isWhole && width == 1) return plotNumber(from, 1);
  if (!isWhole && counts.size() == 1) return fmt::format("{:.4g}", low);
  return plotNumber(from, width / 10) + " to " + plotNumber(isWhole ? from + width - 1 : from + width, width / 10);
}

std::vector<PlotSpan> plotSpans(const double* row, int64_t count, int64_t columns) {
  std::vector<PlotSpan> spans(static_cast<size_t>(columns));
  for (int64_t column = 0; column < columns; ++column) {
    const int64_t begin = count * column / columns, end = std::max(count * (column + 1) / columns, begin + 1);
    PlotSpan& span = spans[static_cast<size_t>(column)];
    bool any = false;
    for (int64_t i = begin; i < std::min(end, count); ++i) {
      if (!std::isfinite(row[i])) continue;
      span = any ? PlotSpan{std::min(span.low, row[i]), std::max(span.high, row[i])} : PlotSpan{row[i], row[i]};
      any = true;
    }
  }
  return spans;
}

std::vector<double> plotCells(const PlotData& data, int64_t width, int64_t height) {
  const int64_t rows = data.extents[0], columns = data.extents[1];
  std::vector<double> cells(static_cast<size_t>(width * height), std::numeric_limits<double>::quiet_NaN());
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const int64_t top = rows * y / height, bottom = std::max(rows * (y + 1) / height, top + 1);
      const int64_t left = columns * x / width, right = std::max(columns * (x + 1) / width, left + 1);
      double mean = 0;
      int64_t count = 0;
      for (int64_t i = top; i < bottom; ++i)
        for (int64_t j = left; j < right; ++j)
          if (const double value = data.values[static_cast<size_t>(i * columns + j)]; std::isfinite(value))
            mean += (value - mean) / static_cast<double>(++count);
      if (count > 0) cells[static_cast<size_t>(y * width + x)] = mean;
    }
  return cells;
}

}  // namespace rad::rt

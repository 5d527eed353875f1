// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Numbers as pictures: of characters for terminals, of pixels for files. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rad::rt {

enum class PlotKind : uint8_t {
  Line,       // values over their positions; of two dimensions: a line a row, maxLines at most
  Histogram,  // how many values lie in each of equal ranges
  HeatMap,    // two dimensions: a colour a value, the first row on top
};

struct PlotData {
  PlotKind kind = PlotKind::Line;
  std::vector<int64_t> extents;  // 1 or more; HeatMap: 2
  std::vector<double> values;    // row-major; what is not finite is left out
  bool isWhole = false;          // the values are integers
};
inline constexpr int64_t maxPlotLines = 8;
inline constexpr int64_t maxPlotValues = int64_t{1} << 24;

/// A plot for a terminal of so many columns: lines of UTF-8, each with a newline. `color`: with escape sequences for
/// colours.
std::string plotText(const PlotData& data, unsigned columns, bool color);

/// 8-bit RGB, row-major.
struct PlotPicture {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> samples;
};
PlotPicture plotPicture(const PlotData& data);

/// A colour from dark violet (0) over green to yellow (1): equal steps look equal, and it stays in order without
/// colours.
struct PlotColor {
  uint8_t red = 0, green = 0, blue = 0;
};
PlotColor plotColor(double part);

// ---- shared by the two forms ----

/// The least and the greatest of the finite values; `finite` of them there are.
struct PlotRange {
  double low = 0, high = 0;
  int64_t finite = 0;
  double width() const { return high - low; }
  /// Where a value lies, from 0 to 1; 0.5 if all are equal.
  double part(double value) const;
};
PlotRange plotRange(const std::vector<double>& values);

/// Equal ranges and their counts; whole numbers never share one with a part of a number.
struct PlotBins {
  double low = 0, width = 1;
  bool isWhole = false;
  std::vector<int64_t> counts;
  std::string label(size_t bin) const;  // "0.5 to 1", "3", "3 to 5"
};
PlotBins plotBins(const PlotData& data, size_t most);

/// The least and greatest finite value of each of `columns` neighbourhoods of a row; low > high where there is none.
struct PlotSpan {
  double low = 1, high = 0;
};
std::vector<PlotSpan> plotSpans(const double* row, int64_t count, int64_t columns);

/// The means of the values under each of `height` x `width` cells; NaN where none is finite.
std::vector<double> plotCells(const PlotData& data, int64_t width, int64_t height);

/// A number in as few characters as tell it from others this far apart.
std::string plotNumber(double value, double apart);

}  // namespace rad::rt

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// plot(x), in the terminal or into a file.
#include "runtime/api/host_support.h"
#include "runtime/files/png_file.h"
#include "runtime/launch/print_format.h"
#include "runtime/plot/plot.h"

#include <fmt/format.h>

#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

namespace cg = rad::cg;

namespace rad::rt {

namespace {

unsigned columnsOfTerminal() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? std::min<unsigned>(size.ws_col, 200) : 80;
}

}  // namespace

int32_t writePlot(RadContext* context, RadFileFormat format, const RadString& pathText, const RadView& view,
                  uint32_t site) {
  auto count = checkView(view);
  if (!count) return context->setError(std::move(count).error(), site);
  PlotData data;
  data.kind = format == RadHistogram ? PlotKind::Histogram : format == RadHeatMap ? PlotKind::HeatMap : PlotKind::Line;
  data.extents.assign(view.extents, view.extents + view.rank);
  if (*count > maxPlotValues)
    return context->setError(
        ErrorCategory::UserProgram, context->site(site),
        {fmt::format("{} values are too many for a plot", *count),
         {},
         fmt::format("a plot takes {} at most: plot every k-th of them, `x[0..x.len step k]`", maxPlotValues)});
  if (data.kind == PlotKind::Line && view.rank == 2 && view.extents[0] > maxPlotLines)
    return context->setError(
        ErrorCategory::UserProgram, context->site(site),
        {fmt::format("{} rows are too many for lines", view.extents[0]),
         {},
         fmt::format("a line stands for a row, and there are {} at most; `kind: \"heatmap\"` shows more",
                     maxPlotLines)});
  const auto type = elementType(view.elementType);
  const uint64_t size = cg::sizeOf(type);
  std::vector<std::byte> bytes(static_cast<size_t>(*count) * size);
  RAD_API_TRY(context, site,
              context->device().copyOut(bytes, view.array->buffer(), static_cast<uint64_t>(view.offset) * size));
  if (int32_t status = context->checkFailure()) return status;
  data.values.reserve(static_cast<size_t>(*count));
  for (int64_t i = 0; i < *count; ++i)
    data.values.push_back(numberOf(type, bytes.data() + static_cast<uint64_t>(i) * size));
  using enum cg::ElementType;
  data.isWhole = type != F32 && type != F64 && type != F16 && type != BF16 && type != F8E4M3 && type != F8E5M2;
  if (pathText.size == 0) {
    const bool isTerminal = context->outputIsTerminal();
    context->write(plotText(data, isTerminal ? columnsOfTerminal() : 80, isTerminal && !std::getenv("NO_COLOR")));
    return 0;
  }
  auto path = pathOf(pathText);
  if (!path) return context->setError(std::move(path).error(), site);
  const PlotPicture picture = plotPicture(data);
  RAD_API_TRY(context, site, writePng(*path, picture.width, picture.height, 3, picture.samples));
  return 0;
}

}  // namespace rad::rt

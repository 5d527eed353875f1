// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/source/source.h"

#include <algorithm>

namespace rad {

FileId SourceManager::add(std::string name, std::string text) {
  constexpr uint64_t limit = uint64_t{1} << 31;
  // One unused offset behind each text keeps the end of one file apart from the start of the next.
  if (uint64_t{next_} + text.size() + 1 > limit) return {};
  FileId id{static_cast<uint32_t>(files_.size())};
  uint32_t base = next_;
  next_ += static_cast<uint32_t>(text.size()) + 1;
  files_.push_back({std::move(name), std::move(text), base, {}});
  return id;
}

std::string_view SourceManager::text(FileId file) const {
  return file.value < files_.size() ? std::string_view(files_[file.value].text) : std::string_view();
}

std::string_view SourceManager::name(FileId file) const {
  return file.value < files_.size() ? std::string_view(files_[file.value].name) : std::string_view();
}

Location SourceManager::location(FileId file, size_t offset) const {
  if (file.value >= files_.size()) return {};
  const File& f = files_[file.value];
  return {f.base + static_cast<uint32_t>(std::min(offset, f.text.size()))};
}

FileId SourceManager::fileOf(Location location) const {
  if (!location.valid() || files_.empty()) return {};
  auto it = std::upper_bound(files_.begin(), files_.end(), location.offset,
                             [](uint32_t offset, const File& f) { return offset < f.base; });
  if (it == files_.begin()) return {};
  --it;
  if (location.offset > it->base + it->text.size()) return {};
  return {static_cast<uint32_t>(it - files_.begin())};
}

const std::vector<uint32_t>& SourceManager::linesOf(const File& file) const {
  if (file.lines.empty()) {
    file.lines.push_back(0);
    for (size_t at = file.text.find('\n'); at != std::string::npos; at = file.text.find('\n', at + 1))
      file.lines.push_back(static_cast<uint32_t>(at) + 1);
  }
  return file.lines;
}

Position SourceManager::position(Location location) const {
  FileId id = fileOf(location);
  if (!id.valid()) return {};
  const File& file = files_[id.value];
  const auto& lines = linesOf(file);
  uint32_t offset = location.offset - file.base;
  auto it = std::upper_bound(lines.begin(), lines.end(), offset) - 1;
  return {file.name, static_cast<uint32_t>(it - lines.begin()) + 1, offset - *it + 1};
}

std::string_view SourceManager::line(FileId id, uint32_t number) const {
  if (id.value >= files_.size() || number == 0) return {};
  const File& file = files_[id.value];
  const auto& lines = linesOf(file);
  if (number > lines.size()) return {};
  std::string_view rest = std::string_view(file.text).substr(lines[number - 1]);
  rest = rest.substr(0, rest.find('\n'));
  if (rest.ends_with('\r')) rest.remove_suffix(1);
  return rest;
}

std::string_view SourceManager::text(Range range) const {
  FileId id = fileOf(range.begin);
  if (!id.valid() || range.end.offset < range.begin.offset) return {};
  const File& file = files_[id.value];
  return std::string_view(file.text).substr(range.begin.offset - file.base, range.end.offset - range.begin.offset);
}

}  // namespace rad

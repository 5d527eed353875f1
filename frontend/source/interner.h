// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Interned names.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace rad {

/// An interned string; 0 is the empty one. Equal symbols of one interner name equal strings.
struct Symbol {
  uint32_t value = 0;
  bool empty() const { return value == 0; }
  friend bool operator==(Symbol, Symbol) = default;
  friend auto operator<=>(Symbol, Symbol) = default;
};

/// Gives each distinct string one Symbol. Views it returns live as long as the interner. Not thread-safe.
class Interner {
 public:
  Interner() {
    texts_.emplace_back();
    map_.emplace(texts_.back(), 0u);
  }
  Symbol intern(std::string_view text) {
    if (auto it = map_.find(text); it != map_.end()) return {it->second};
    texts_.emplace_back(text);
    auto id = static_cast<uint32_t>(texts_.size() - 1);
    map_.emplace(texts_.back(), id);
    return {id};
  }
  std::string_view text(Symbol symbol) const { return texts_[symbol.value]; }

 private:
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, uint32_t> map_;
};

}  // namespace rad

template <>
struct std::hash<rad::Symbol> {
  size_t operator()(rad::Symbol s) const noexcept { return s.value; }
};

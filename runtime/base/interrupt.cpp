// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/base/interrupt.h"

#include <atomic>

namespace rad::rt {

namespace {
std::atomic<std::uint32_t> interruptWord{0};
std::atomic<bool> interruptsEnabled{false};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free && sizeof(interruptWord) == sizeof(std::uint32_t));
}  // namespace

void Interrupt::request() { interruptWord.store(1, std::memory_order_relaxed); }
void Interrupt::clear() { interruptWord.store(0, std::memory_order_relaxed); }
bool Interrupt::isRequested() { return interruptWord.load(std::memory_order_relaxed) != 0; }
const std::uint32_t* Interrupt::word() { return reinterpret_cast<const std::uint32_t*>(&interruptWord); }
void Interrupt::enable() { interruptsEnabled.store(true); }
bool Interrupt::isEnabled() { return interruptsEnabled.load(std::memory_order_relaxed); }

}  // namespace rad::rt

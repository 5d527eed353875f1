// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The functions of runtime/api/host_abi.h, and those of --check, as symbols for HostJit. Included where those functions
// are (runtime/engine): the room host_jit itself does not depend on them.
#pragma once

#include "runtime/api/host_abi.h"
#include "runtime/base/interrupt.h"
#include "runtime/host/access_checker.h"
#include "runtime/host_jit/host_jit.h"

#include <array>

namespace rad::rt {

/// Every function that compiled host code may call.
inline auto hostAbiSymbols() {
#define RAD_JIT_SYMBOL(name) \
  JitSymbol { #name, reinterpret_cast<const void*>(&name) }
  return std::to_array<JitSymbol>({
      RAD_JIT_SYMBOL(rad_array_new),      RAD_JIT_SYMBOL(rad_retain),
      RAD_JIT_SYMBOL(rad_release),        RAD_JIT_SYMBOL(rad_element_read),
      RAD_JIT_SYMBOL(rad_element_write),  RAD_JIT_SYMBOL(rad_view_copy),
      RAD_JIT_SYMBOL(rad_view_assign),    RAD_JIT_SYMBOL(rad_view_fill),
      RAD_JIT_SYMBOL(rad_launch),         RAD_JIT_SYMBOL(rad_launch_open),
      RAD_JIT_SYMBOL(rad_reduce),         RAD_JIT_SYMBOL(rad_print),
      RAD_JIT_SYMBOL(rad_assert_failed),  RAD_JIT_SYMBOL(rad_check_failed),
      RAD_JIT_SYMBOL(rad_file_write),     RAD_JIT_SYMBOL(rad_file_read),
      RAD_JIT_SYMBOL(rad_argument_count), RAD_JIT_SYMBOL(rad_device_size),
      RAD_JIT_SYMBOL(rad_device_text),    RAD_JIT_SYMBOL(rad_argument),
      RAD_JIT_SYMBOL(rad_parse_i64),      RAD_JIT_SYMBOL(rad_called_from),
      RAD_JIT_SYMBOL(rad_enter),          RAD_JIT_SYMBOL(rad_text_read),
      RAD_JIT_SYMBOL(rad_text_write),     RAD_JIT_SYMBOL(rad_text_equal),
      RAD_JIT_SYMBOL(rad_format),         RAD_JIT_SYMBOL(rad_parse_f64),
      RAD_JIT_SYMBOL(rad_sync),           RAD_JIT_SYMBOL(rad_clock),
      RAD_JIT_SYMBOL(rad_bench_again),    RAD_JIT_SYMBOL(rad_access),
      RAD_JIT_SYMBOL(rad_access_axis),    RAD_JIT_SYMBOL(rad_access_threads),
      RAD_JIT_SYMBOL(rad_access_block),   RAD_JIT_SYMBOL(rad_access_shared),
      RAD_JIT_SYMBOL(rad_access_item),    RAD_JIT_SYMBOL(rad_access_barrier),
      RAD_JIT_SYMBOL(rad_interrupted),    JitSymbol{"rad_interrupt_word", Interrupt::word()},
  });
#undef RAD_JIT_SYMBOL
}

}  // namespace rad::rt

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Files that travel inside the binary, by the assembler's .incbin: the library (stdlib/**.rad) and
# libdevice. The interface is runtime/engine/embedded.h; target: rad_stdlib_embed.
file(GLOB_RECURSE stdlib_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/stdlib/*.rad)
list(SORT stdlib_files)

set(asm "")
set(declarations "")
set(rows "")
set(number 0)
macro(raddle_embed_blob symbol path)
  string(APPEND asm ".global ${symbol}_begin\n.hidden ${symbol}_begin\n${symbol}_begin:\n"
                    ".incbin \"${path}\"\n.global ${symbol}_end\n.hidden ${symbol}_end\n${symbol}_end:\n.byte 0\n")
  string(APPEND declarations "extern const char ${symbol}_begin[];\nextern const char ${symbol}_end[];\n")
endmacro()
foreach(path IN LISTS stdlib_files)
  file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR}/stdlib ${path})
  raddle_embed_blob(rad_stdlib_${number} ${path})
  string(APPEND rows
    "    {\"${name}\", {rad_stdlib_${number}_begin, size_t(rad_stdlib_${number}_end - rad_stdlib_${number}_begin)}},\n")
  math(EXPR number "${number} + 1")
endforeach()
if(RADDLE_LIBDEVICE)
  string(APPEND asm ".balign 16\n")
  raddle_embed_blob(rad_libdevice ${RADDLE_LIBDEVICE})
  set(libdevice "return {reinterpret_cast<const std::byte *>(rad_libdevice_begin),\n          size_t(rad_libdevice_end - rad_libdevice_begin)};")
else()
  set(libdevice "return {};")
endif()
if(rows)
  set(stdlib "static const EmbeddedFile files[] = {\n${rows}  };\n  return files;")
else()
  set(stdlib "return {};")
endif()

set(out ${CMAKE_BINARY_DIR}/generated/embed)
file(CONFIGURE OUTPUT ${out}/embedded.S CONTENT [[
.section .rodata
@asm@
.section .note.GNU-stack,"",%progbits
]] @ONLY)
file(CONFIGURE OUTPUT ${out}/embedded.cpp CONTENT [[
#include "runtime/engine/embedded.h"
#include <cstddef>
extern "C" {
@declarations@}
namespace rad {
std::span<const EmbeddedFile> embeddedStdlib() {
  @stdlib@
}
std::span<const std::byte> embeddedLibdevice() {
  @libdevice@
}
} // namespace rad
]] @ONLY)
set_source_files_properties(${out}/embedded.S PROPERTIES
  OBJECT_DEPENDS "${stdlib_files};${RADDLE_LIBDEVICE}")
add_library(rad_stdlib_embed STATIC ${out}/embedded.S ${out}/embedded.cpp)
target_link_libraries(rad_stdlib_embed PUBLIC raddle_options)

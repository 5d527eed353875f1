# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The CUDA pieces. Each is looked for by itself: first an installed toolkit (RADDLE_CUDA_ROOT,
# $CUDA_HOME, $CUDA_PATH, /usr/local/cuda), then the pinned wheels that ./dev installs into
# build/deps/cuda. libcuda is never linked; it is loaded at run time.
#
#   raddle_cuda_headers    cuda.h, nvJitLink.h, nvFatbin.h, nvrtc.h, nvPTXCompiler.h (those found)
#   raddle_nvptxcompiler   the in-process PTX assembler (static inside release, one shared object in dev)
# Definitions on raddle_options: RADDLE_HAVE_CUDA=0|1, RADDLE_HAVE_NVPTXCOMPILER=0|1.
# Variables: RADDLE_HAVE_CUDA, RADDLE_HAVE_NVPTXCOMPILER, RADDLE_LIBDEVICE (empty when absent).

set(RADDLE_CUDA_ROOT "" CACHE PATH "An installed CUDA Toolkit, 13.x (empty: look in the usual places)")
set(RADDLE_DEPS_DIR "${CMAKE_SOURCE_DIR}/build/deps" CACHE PATH "Where ./dev installs the pinned wheels")

set(raddle_cuda_roots)
foreach(root IN ITEMS "${RADDLE_CUDA_ROOT}" "$ENV{CUDA_HOME}" "$ENV{CUDA_PATH}" /usr/local/cuda
                      "${RADDLE_DEPS_DIR}/cuda/nvidia/cu13")
  # Only a 13.x toolkit counts; the wheel folder may hold parts without cuda.h.
  if(root AND EXISTS "${root}/include/cuda.h")
    file(STRINGS "${root}/include/cuda.h" line REGEX "^#define CUDA_VERSION [0-9]+" LIMIT_COUNT 1)
    string(REGEX MATCH "[0-9]+$" version "${line}")
    if(version GREATER_EQUAL 13000 AND version LESS 14000)
      list(APPEND raddle_cuda_roots "${root}")
    endif()
  elseif(root AND IS_DIRECTORY "${root}/include" AND root MATCHES "/nvidia/cu13$")
    list(APPEND raddle_cuda_roots "${root}")
  endif()
endforeach()
list(REMOVE_DUPLICATES raddle_cuda_roots)

set(RADDLE_HAVE_CUDA 0)
set(RADDLE_HAVE_NVPTXCOMPILER 0)
set(RADDLE_LIBDEVICE "")
add_library(raddle_cuda_headers INTERFACE)
add_library(raddle_nvptxcompiler INTERFACE)

function(raddle_cuda_find variable file)  # first root that has the file, as an uncached result
  set(found "")
  foreach(root IN LISTS raddle_cuda_roots)
    if(NOT found AND EXISTS "${root}/${file}")
      set(found "${root}/${file}")
    endif()
  endforeach()
  set(${variable} "${found}" PARENT_SCOPE)
endfunction()

# libdevice is bitcode that codegen links into kernels; it is of use with or without a GPU.
raddle_cuda_find(RADDLE_LIBDEVICE nvvm/libdevice/libdevice.10.bc)

if(RADDLE_CUDA)
  raddle_cuda_find(cuda_h include/cuda.h)
  if(cuda_h)
    set(missing)
    foreach(header cuda.h nvJitLink.h nvFatbin.h nvrtc.h)
      raddle_cuda_find(path include/${header})
      if(path)
        get_filename_component(dir "${path}" DIRECTORY)
        target_include_directories(raddle_cuda_headers SYSTEM INTERFACE "${dir}")
      else()
        list(APPEND missing ${header})
      endif()
    endforeach()
    if(missing)
      list(JOIN missing ", " missing)
      message(STATUS "CUDA: ${cuda_h} found, but ${missing} not: building for the host device only. "
                     "Run ./dev setup to install the pinned wheels.")
    else()
      set(RADDLE_HAVE_CUDA 1)
      message(STATUS "CUDA: ${cuda_h}")
    endif()
  else()
    message(STATUS "CUDA: no CUDA 13 headers found: building for the host device only. "
                   "Run ./dev setup to install the pinned wheels, or set RADDLE_CUDA_ROOT.")
  endif()
  raddle_cuda_find(nvptx_h include/nvPTXCompiler.h)
  raddle_cuda_find(nvptx_a lib/libnvptxcompiler_static.a)
  if(NOT nvptx_a)
    raddle_cuda_find(nvptx_a lib64/libnvptxcompiler_static.a)
  endif()
  if(nvptx_h AND nvptx_a)
    set(RADDLE_HAVE_NVPTXCOMPILER 1)
    get_filename_component(nvptx_dir "${nvptx_h}" DIRECTORY)
    target_include_directories(raddle_nvptxcompiler SYSTEM INTERFACE "${nvptx_dir}")
    if(RADDLE_STATIC)
      # Inside the binary, and none of its names visible outside the archive.
      target_link_libraries(raddle_nvptxcompiler INTERFACE "${nvptx_a}")
      target_link_options(raddle_nvptxcompiler INTERFACE
        -Wl,--exclude-libs,libnvptxcompiler_static.a)
    else()
      # One shared object around the archive: 90 MB are linked once, not at each build.
      add_library(rad_nvptxcompiler SHARED ${CMAKE_CURRENT_LIST_DIR}/nvptxcompiler_shared.c)
      set(script ${CMAKE_CURRENT_LIST_DIR}/nvptxcompiler.map)
      target_link_libraries(rad_nvptxcompiler PRIVATE
        -Wl,--whole-archive "${nvptx_a}" -Wl,--no-whole-archive pthread dl m)
      target_link_options(rad_nvptxcompiler PRIVATE -Wl,--version-script=${script})
      set_property(TARGET rad_nvptxcompiler PROPERTY LINK_DEPENDS ${script})
      target_link_libraries(raddle_nvptxcompiler INTERFACE rad_nvptxcompiler)
    endif()
    message(STATUS "CUDA: in-process PTX assembler from ${nvptx_a}")
  else()
    message(STATUS "CUDA: nvPTXCompiler not found: PTX can be made but not assembled in process")
  endif()
else()
  message(STATUS "CUDA: switched off (RADDLE_CUDA=OFF): building for the host device only")
endif()
if(NOT RADDLE_LIBDEVICE)
  message(STATUS "CUDA: libdevice.10.bc not found: GPU math functions will report it as missing")
endif()

target_compile_definitions(raddle_options INTERFACE
  RADDLE_HAVE_CUDA=${RADDLE_HAVE_CUDA} RADDLE_HAVE_NVPTXCOMPILER=${RADDLE_HAVE_NVPTXCOMPILER})

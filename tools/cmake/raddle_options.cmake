# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What every room is compiled with, and the third-party libraries from Debian.
#
#   raddle_options  warnings, include root, definitions     (every room links it)
#   raddle_llvm     LLVM's headers                          (rooms marked LLVM)
#   raddle_fmt, raddle_png, raddle_json, raddle_cli11, raddle_edit, raddle_zstd

add_library(raddle_options INTERFACE)
target_include_directories(raddle_options INTERFACE
  ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_options(raddle_options INTERFACE
  -Wall -Wextra -Werror=switch -Werror=return-type -Wno-missing-field-initializers
  $<$<CXX_COMPILER_ID:GNU>:-Wno-psabi>
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=
  -ffunction-sections -fdata-sections)
target_compile_definitions(raddle_options INTERFACE
  RADDLE_VERSION="${PROJECT_VERSION}")
target_link_options(raddle_options INTERFACE -Wl,--gc-sections -Wl,--as-needed)
find_package(Threads REQUIRED)
target_link_libraries(raddle_options INTERFACE Threads::Threads ${CMAKE_DL_LIBS})

if(RADDLE_SANITIZE)
  target_compile_options(raddle_options INTERFACE
    -fsanitize=${RADDLE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(raddle_options INTERFACE -fsanitize=${RADDLE_SANITIZE})
endif()
if(RADDLE_STATIC)
  target_link_options(raddle_options INTERFACE -static-libstdc++ -static-libgcc)
endif()

# LLVM. Debian builds it with RTTI; a build without it turns RTTI off for the rooms that use it.
# On a machine with several LLVMs the pinned major version is the only one taken.
set(RADDLE_LLVM_VERSION 22 CACHE STRING "LLVM major version")
find_package(LLVM REQUIRED CONFIG
  PATHS /usr/lib/llvm-${RADDLE_LLVM_VERSION}/lib/cmake/llvm NO_DEFAULT_PATH)
if(NOT LLVM_VERSION_MAJOR EQUAL RADDLE_LLVM_VERSION)
  message(FATAL_ERROR "Raddle needs LLVM ${RADDLE_LLVM_VERSION}; ${LLVM_DIR} is ${LLVM_PACKAGE_VERSION}")
endif()
add_library(raddle_llvm INTERFACE)
target_include_directories(raddle_llvm SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS})
target_compile_definitions(raddle_llvm INTERFACE
  __STDC_CONSTANT_MACROS __STDC_FORMAT_MACROS __STDC_LIMIT_MACROS)
if(RADDLE_STATIC)
  # LLVM's package names the shared zlib and zstd; a released binary carries the archives.
  foreach(pair "ZLIB::ZLIB:libz.a" "zstd::libzstd_shared:libzstd.a")
    string(REGEX MATCH "^(.*):([^:]+)$" unused ${pair})
    set(archive ${CMAKE_MATCH_2})
    if(TARGET ${CMAKE_MATCH_1})
      set(imported ${CMAKE_MATCH_1})
      find_library(raddle_${archive} ${archive} REQUIRED)
      set_target_properties(${imported} PROPERTIES IMPORTED_CONFIGURATIONS ""
        IMPORTED_LOCATION ${raddle_${archive}} IMPORTED_LOCATION_RELEASE ${raddle_${archive}}
        IMPORTED_LOCATION_NONE ${raddle_${archive}})
    endif()
  endforeach()
endif()
if(NOT LLVM_ENABLE_RTTI)
  target_compile_options(raddle_llvm INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)
endif()

# raddle_llvm_components(target visibility comp...): links the named components; with the shared
# libLLVM that is the one library.
function(raddle_llvm_components target visibility)
  target_link_libraries(${target} ${visibility} raddle_llvm)
  if(RADDLE_STATIC)
    llvm_map_components_to_libnames(libs ${ARGN})
    target_link_libraries(${target} ${visibility} ${libs})
  else()
    target_link_libraries(${target} ${visibility} LLVM)
  endif()
endfunction()

# Debian has no static libfmt: a static build compiles fmt into the objects that use it.
add_library(raddle_fmt INTERFACE)
if(RADDLE_STATIC)
  find_package(fmt 9 REQUIRED CONFIG)
  target_link_libraries(raddle_fmt INTERFACE fmt::fmt-header-only)
else()
  find_package(fmt 9 REQUIRED CONFIG)
  target_link_libraries(raddle_fmt INTERFACE fmt::fmt)
endif()

# raddle_debian(target SHARED lib... STATIC lib...): one Debian library, by name.
function(raddle_debian target)
  cmake_parse_arguments(A "" "" "SHARED;STATIC" ${ARGN})
  add_library(${target} INTERFACE)
  if(RADDLE_STATIC)
    foreach(lib IN LISTS A_STATIC)
      find_library(${target}_${lib}_static lib${lib}.a REQUIRED)
      target_link_libraries(${target} INTERFACE ${${target}_${lib}_static})
    endforeach()
  else()
    target_link_libraries(${target} INTERFACE ${A_SHARED})
  endif()
endfunction()
raddle_debian(raddle_png SHARED png STATIC png16 z)
if(RADDLE_STATIC)
  target_link_libraries(raddle_png INTERFACE m) # glibc stays dynamic
endif()
raddle_debian(raddle_zstd SHARED zstd STATIC zstd)
raddle_debian(raddle_edit SHARED edit STATIC edit tinfo bsd md)
add_library(raddle_json INTERFACE)   # header only: <nlohmann/json.hpp>
add_library(raddle_cli11 INTERFACE)  # header only: <CLI/CLI.hpp>

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# A room is one static library of the data flow.
#
#   raddle_room(
#     NAME rad_codegen             target name
#     DIRS lower nvptx .           folders (relative to this CMakeLists.txt) whose *.cpp belong to it;
#                                  not recursive, new files are picked up by the next build
#     DEPS rad_frontend ...        rooms and libraries it uses (public: whoever links the room gets them)
#     LLVM Core Passes ...         LLVM components it uses; also adds LLVM's include folder
#     GENERATED file.cpp ...       sources made at build time (compiled without warnings)
#     DEFINES NAME=1 ...           compile definitions, private
#     EXCLUDE file.cpp ...         files of DIRS that are not part of the room
#   )
#
# A room without any source yet is an INTERFACE library, so that others can link to it from day one.
function(raddle_room)
  cmake_parse_arguments(A "" "NAME" "DIRS;DEPS;LLVM;GENERATED;DEFINES;EXCLUDE" ${ARGN})
  if(NOT A_NAME OR A_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "raddle_room: NAME missing or unknown arguments: ${A_UNPARSED_ARGUMENTS}")
  endif()
  set(sources)
  foreach(dir IN LISTS A_DIRS)
    file(GLOB found CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${dir}/*.cpp)
    list(APPEND sources ${found})
  endforeach()
  foreach(file IN LISTS A_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "/${file}$")
  endforeach()
  if(sources OR A_GENERATED)
    add_library(${A_NAME} STATIC ${sources} ${A_GENERATED})
    set(visibility PUBLIC)
    if(A_GENERATED)
      set_source_files_properties(${A_GENERATED} PROPERTIES COMPILE_OPTIONS "-w")
    endif()
    target_compile_definitions(${A_NAME} PRIVATE ${A_DEFINES})
  else()
    add_library(${A_NAME} INTERFACE)
    set(visibility INTERFACE)
  endif()
  target_link_libraries(${A_NAME} ${visibility} raddle_options raddle_fmt ${A_DEPS})
  if(A_LLVM)
    raddle_llvm_components(${A_NAME} ${visibility} ${A_LLVM})
  endif()
endfunction()

# libibuf.a, a copy of the library that keeps to itself.
#
# A plugin that links it neither takes functions from another copy in the process nor gives it its
# own: the objects hide what they define (IBUF_HIDE_), so no linker exports it. And a program sees no
# name that libibuf.so does not export: once the archive is made, its objects are linked into one and
# all names but those of src/ibuf.map become local (merge.cmake). Each function keeps a section of
# its own, so that --gc-sections still leaves out what a program does not use.
#
# Where the tools cannot merge, and with instrumented objects, whose sections refer to each other in
# ways that a partial link does not keep, the archive has the objects as they are: still hidden.
target_compile_definitions(ibuf_static PRIVATE IBUF_HIDE_)
# Machine code: a partial link of what -flto compiles would be one of some compiler's own files.
target_compile_options(ibuf_static PRIVATE -ffunction-sections -fdata-sections -fno-lto)
set_target_properties(ibuf_static PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
  # A table of the symbols' numbers, which objcopy changes.
  target_compile_options(ibuf_static PRIVATE -fno-addrsig)
endif()

# All that the objects are compiled with, as far as it can be known here.
string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
get_target_property(options ibuf_static COMPILE_OPTIONS)
string(REPLACE ";" " " options "${options}")
set(flags "${CMAKE_C_COMPILER_ARG1} ${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${type}} ${options}")
if(flags MATCHES "-fsanitize|-fprofile|-fcoverage|--coverage")
  message(STATUS "libibuf.a shows its internal names: instrumented objects are not merged")
  return()
endif()

# The compiler links: it knows its linker. Of the flags it gets those that say for which machine.
separate_arguments(flags UNIX_COMMAND "${flags}")
set(linker ${CMAKE_C_COMPILER})
foreach(flag ${flags})
  if(flag MATCHES "^(-m|--target=|--sysroot=|--gcc-toolchain=|-fuse-ld=|-B|-E[BL]$)"
     AND NOT flag STREQUAL "-mllvm")
    list(APPEND linker ${flag})
  endif()
endforeach()
if(CMAKE_C_COMPILER_TARGET AND CMAKE_C_COMPILE_OPTIONS_TARGET)
  list(APPEND linker ${CMAKE_C_COMPILE_OPTIONS_TARGET}${CMAKE_C_COMPILER_TARGET})
endif()
if(CMAKE_SYSROOT AND CMAKE_C_COMPILE_OPTIONS_SYSROOT)
  list(APPEND linker ${CMAKE_C_COMPILE_OPTIONS_SYSROOT}${CMAKE_SYSROOT})
endif()

# The public names, one a line, as objcopy reads them; and patterns of what compilers define in each
# object that needs it, and linkers keep once, hidden: a local one would be of a section they drop.
file(READ ${PROJECT_SOURCE_DIR}/src/ibuf.map map)
string(REGEX MATCHALL "\tibuf_[a-z0-9_]+" names "${map}")
string(REPLACE "\t" "" names "${names}")
string(REPLACE ";" "\n" names "${names}")
file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/ibuf.names CONTENT "${names}\n__*\nDW.ref.*\n")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/ibuf.map)
# What an archive is made of besides its objects; it is made again when one of them is.
set_property(SOURCE version.c APPEND PROPERTY OBJECT_DEPENDS
  ${CMAKE_CURRENT_BINARY_DIR}/ibuf.names ${PROJECT_SOURCE_DIR}/cmake/merge.cmake)

add_custom_command(TARGET ibuf_static POST_BUILD
  COMMAND ${CMAKE_COMMAND}
    "-DARCHIVE=$<TARGET_FILE:ibuf_static>"
    "-DNAMES=${CMAKE_CURRENT_BINARY_DIR}/ibuf.names"
    "-DLINKER=${linker}"
    "-DOBJCOPY=${CMAKE_OBJCOPY}"
    "-DAR=${CMAKE_AR}"
    "-DRANLIB=${CMAKE_RANLIB}"
    -P ${PROJECT_SOURCE_DIR}/cmake/merge.cmake
  VERBATIM)
set_target_properties(ibuf_static PROPERTIES IBUF_MERGED ON)

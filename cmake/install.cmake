# What is installed, in three components: `cmake --install BUILD --component NAME` has one of them.
#
#   runtime      libibuf.so.N, for programs that are linked to it
#   development  headers, libibuf.a, the link libibuf.so, ibuf.pc, the CMake package, what gdb loads
#                and, see manual.cmake, the manual pages of the functions
#   programs     ibuf-flow, ibuf-relay and ibuf-top with their manual pages
#
# As a subproject they are called ibuf-runtime and ibuf-development, and go where the parent's install
# goes, which makes install(EXPORT) of what links to ibuf complete. With IBUF_INSTALL=OFF only asking
# for a component installs anything. Nothing names the prefix, so that the installed tree can be moved.
include(CMakePackageConfigHelpers)

set(prefix "")
if(NOT CMAKE_SOURCE_DIR STREQUAL PROJECT_SOURCE_DIR)
  set(prefix "ibuf-")
endif()
set(when "")
if(NOT IBUF_INSTALL)
  set(when EXCLUDE_FROM_ALL)
endif()
set(runtime COMPONENT ${prefix}runtime ${when})
set(development COMPONENT ${prefix}development ${when})
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ibuf)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ibuf DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  ${development} FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
# The archive is always there; a packager may want it alone.
set(libraries ibuf_static)
if(IBUF_SHARED)
  list(APPEND libraries ibuf_shared)
endif()
install(TARGETS ${libraries} EXPORT ibuf-targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} ${development}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ${runtime}
    NAMELINK_COMPONENT ${prefix}development)
install(EXPORT ibuf-targets NAMESPACE ibuf:: DESTINATION ${package_dir} ${development})

configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/ibuf-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/ibuf-config.cmake
  INSTALL_DESTINATION ${package_dir}
  NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break the API, so it is the one that must agree.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatibility SameMinorVersion)
else()
  set(compatibility SameMajorVersion)
endif()
write_basic_package_version_file(
  ${CMAKE_CURRENT_BINARY_DIR}/ibuf-config-version.cmake COMPATIBILITY ${compatibility})
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/ibuf-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/ibuf-config-version.cmake
  DESTINATION ${package_dir} ${development})

# ibuf.pc finds the prefix from where it lies itself, unless it lies outside.
if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
  set(pc_prefix ${CMAKE_INSTALL_PREFIX})
else()
  file(RELATIVE_PATH up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
  string(REGEX REPLACE "/$" "" pc_prefix "\${pcfiledir}/${up}")
endif()
foreach(kind LIB INCLUDE)
  string(TOLOWER ${kind} name)
  set(pc_${name}dir ${CMAKE_INSTALL_${kind}DIR})
  if(NOT IS_ABSOLUTE ${pc_${name}dir})
    set(pc_${name}dir "\${prefix}/${pc_${name}dir}")
  endif()
endforeach()
configure_file(${PROJECT_SOURCE_DIR}/cmake/ibuf.pc.in ${CMAKE_CURRENT_BINARY_DIR}/ibuf.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ibuf.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  ${development})

# gdb looks for it by the whole path of the library, so it lies where that will be; for the archive alone
# it has no place, and is in the sources.
if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
  set(gdb_libdir ${CMAKE_INSTALL_LIBDIR})
else()
  set(gdb_libdir "\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}")
endif()
if(IBUF_SHARED)
  get_target_property(gdb_version ibuf_shared VERSION)
  install(CODE "get_filename_component(libdir \"${gdb_libdir}\" ABSOLUTE)
file(INSTALL DESTINATION
  \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/gdb/auto-load\${libdir}\"
  TYPE FILE RENAME libibuf.so.${gdb_version}-gdb.py FILES \"${PROJECT_SOURCE_DIR}/gdb/ibuf.py\")"
    ${development})
endif()

# Out of this tree's own folder; a parent has its own way.
if(CMAKE_SOURCE_DIR STREQUAL PROJECT_SOURCE_DIR)
  add_custom_target(uninstall
    COMMAND ${CMAKE_COMMAND} -P ${PROJECT_SOURCE_DIR}/cmake/uninstall.cmake
    WORKING_DIRECTORY ${PROJECT_BINARY_DIR}
    VERBATIM)
endif()

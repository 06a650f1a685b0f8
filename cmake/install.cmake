# What `cmake --install` installs: headers, both libraries, ibuf.pc and the CMake package.
# Nothing in it names the prefix, so that the installed tree can be moved.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ibuf)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ibuf TYPE INCLUDE FILES_MATCHING PATTERN "*.h")
install(TARGETS ibuf_static ibuf_shared EXPORT ibuf-targets)
install(EXPORT ibuf-targets NAMESPACE ibuf:: DESTINATION ${package_dir})

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
  DESTINATION ${package_dir})

# ibuf.pc finds the prefix from where it lies itself, unless it lies outside.
if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
  set(pc_prefix ${CMAKE_INSTALL_PREFIX})
else()
  file(RELATIVE_PATH up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
  string(REGEX REPLACE "/$" "" pc_prefix "\${pcfiledir}/${up}")
endif()
set(pc_libdir "\${prefix}")
cmake_path(APPEND pc_libdir ${CMAKE_INSTALL_LIBDIR})
set(pc_includedir "\${prefix}")
cmake_path(APPEND pc_includedir ${CMAKE_INSTALL_INCLUDEDIR})
configure_file(${PROJECT_SOURCE_DIR}/cmake/ibuf.pc.in ${CMAKE_CURRENT_BINARY_DIR}/ibuf.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ibuf.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

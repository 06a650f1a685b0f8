# The manual pages of the library, made of its headers by a tool that needs no more than perl.
include(GNUInstallDirs)
find_program(PERL perl)
mark_as_advanced(PERL)
if(NOT PERL)
  ibuf_leave_out("the manual pages of functions" perl)
  return()
endif()

set(manual ${PROJECT_BINARY_DIR}/man3)
file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/ibuf/*.h)
add_custom_command(
  OUTPUT ${manual}/ibuf.3
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${manual}
  COMMAND ${PERL} ${PROJECT_SOURCE_DIR}/tools/make-man ${manual}
  DEPENDS ${headers} ${PROJECT_SOURCE_DIR}/tools/make-man ${PROJECT_SOURCE_DIR}/src/ibuf.map
    ${PROJECT_SOURCE_DIR}/examples/00_first.c
  COMMENT "Making the manual pages"
  VERBATIM)
add_custom_target(ibuf_manual ALL DEPENDS ${manual}/ibuf.3)
install(DIRECTORY ${manual}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man3 COMPONENT development)

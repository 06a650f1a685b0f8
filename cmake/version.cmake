# Read the version from include/ibuf/base.h, the only place where it is written.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../include/ibuf/base.h lines
     REGEX "^#define IBUF_VERSION_(MAJOR|MINOR|PATCH) [0-9]+$")
string(REGEX REPLACE "#define IBUF_VERSION_[A-Z]+ " "" numbers "${lines}")
list(JOIN numbers "." IBUF_VERSION)
if(NOT IBUF_VERSION MATCHES "^[0-9]+\\.[0-9]+\\.[0-9]+$")
  message(FATAL_ERROR "include/ibuf/base.h does not define IBUF_VERSION_MAJOR, _MINOR and _PATCH, "
                      "each once and in this order")
endif()
# A new release of a build tree's headers is a new configuration of it.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
             ${CMAKE_CURRENT_LIST_DIR}/../include/ibuf/base.h)

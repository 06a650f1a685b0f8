# The warnings our own code is held to. Only the top level includes this, and whether a warning is
# an error is the presets' business (CMAKE_COMPILE_WARNING_AS_ERROR).
add_compile_options(
  -Wall -Wextra -Wpedantic
  -Wcast-qual -Wconversion -Wdouble-promotion -Wformat=2 -Wmissing-prototypes
  -Wold-style-definition -Wpointer-arith -Wshadow -Wsign-conversion -Wstrict-prototypes -Wundef
  -Wvla -Wwrite-strings)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wduplicated-branches -Wduplicated-cond -Wlogical-op)
endif()

# ibuf_test(NAME LABEL COMMAND...): add a test, in every folder in the same way.
#
# IBUF_TEST_PREFIX, set by the presets, goes before each name, so that `./dev check` can show the
# tests of several build trees in one list. The environment makes a sanitizer's report a failure,
# and keeps python from leaving files in the source tree.
set(IBUF_TEST_TIMEOUT 300 CACHE STRING "Seconds that a test may take where it does not say otherwise")
# Is the address sanitizer in what is compiled here?
set(ibuf_with_asan OFF)
if(CMAKE_C_FLAGS MATCHES "-fsanitize=[a-z,]*address")
  set(ibuf_with_asan ON)
endif()
set(IBUF_TEST_PREFIX "" CACHE STRING "What stands before the name of each test")

function(ibuf_test name label)
  if(NOT IBUF_TESTS)
    return()
  endif()
  set(name "${IBUF_TEST_PREFIX}${name}")
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(
    ${name} PROPERTIES
    LABELS ${label}
    TIMEOUT ${IBUF_TEST_TIMEOUT}
    ENVIRONMENT
    "ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=1:strict_string_checks=1;\
UBSAN_OPTIONS=print_stacktrace=1;\
TSAN_OPTIONS=allocator_may_return_null=1:second_deadlock_stack=1;\
PYTHONDONTWRITEBYTECODE=1;\
LC_ALL=C.UTF-8")
endfunction()

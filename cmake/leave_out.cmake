# ibuf_leave_out(WHAT NEED...): what a part needs is not here, so it is left out. One line at the end
# of the configuration says so, once for all parts; with IBUF_WHOLE, which the check's presets set,
# it is an error.
function(ibuf_leave_out what)
  list(JOIN ARGN ", " needs)
  set_property(GLOBAL APPEND PROPERTY IBUF_LEFT_OUT "${what} (no ${needs})")
endfunction()

function(ibuf_say_what_is_left_out)
  set(whole ${IBUF_WHOLE})
  get_property(parts GLOBAL PROPERTY IBUF_LEFT_OUT)
  if(NOT parts)
    return()
  endif()
  list(JOIN parts ", " parts)
  if(whole)
    message(FATAL_ERROR "ibuf: not to be built here: ${parts}")
  endif()
  message(STATUS "ibuf: left out: ${parts}")
endfunction()

# cmake -DARCHIVE=libibuf.a -DNAMES=FILE -DLINKER=... -DOBJCOPY=... -DAR=... -DRANLIB=... -P merge.cmake
#
# Link the objects of an archive into one, in which only the names in a file are global. Where a step
# fails the archive stays as it is.
get_filename_component(name ${ARCHIVE} NAME)
set(scratch ${ARCHIVE}.merge)
file(MAKE_DIRECTORY ${scratch})

# step(COMMAND...): run it, or give up.
macro(step)
  if(NOT failure)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE failure ERROR_VARIABLE words OUTPUT_QUIET
                    WORKING_DIRECTORY ${scratch})
  endif()
endmacro()

set(failure "")
step(${LINKER} -r -nostdlib -o ibuf.o -Wl,--whole-archive ${ARCHIVE} -Wl,--no-whole-archive)
step(${OBJCOPY} --wildcard --keep-global-symbols=${NAMES} ibuf.o)
step(${AR} qc ${name} ibuf.o)
step(${RANLIB} ${name})
if(failure)
  message("${name} shows its internal names: they cannot be hidden here: ${failure} ${words}")
else()
  file(RENAME ${scratch}/${name} ${ARCHIVE})
endif()
file(REMOVE_RECURSE ${scratch})

# Fuzz targets. With a fuzzer (AT_FUZZ_ENGINE: what links one, such as -fsanitize=fuzzer) they
# are programs to be run by it, as ./dev fuzz does; without one they replay stored inputs.
set(fuzz ${CMAKE_CURRENT_LIST_DIR})
set(fuzz_targets stream split command roundtrip structured client)

# at_fuzz(PREFIX LIB [definition...]): all targets over a module.
function(at_fuzz prefix lib)
    set(common ${prefix}common)
    add_library(${common} OBJECT ${fuzz}/fuzz.c ${fuzz}/account.c ${fuzz}/../unit/members.c
        ${fuzz}/../unit/recorder.c ${PROJECT_SOURCE_DIR}/src/tool/session.c
        ${PROJECT_SOURCE_DIR}/src/tool/tool.c)
    target_link_libraries(${common} PUBLIC ${lib} PRIVATE at_warnings)
    target_include_directories(${common} PUBLIC ${fuzz}/.. ${PROJECT_SOURCE_DIR}/src/tool)
    target_compile_definitions(${common} PUBLIC _POSIX_C_SOURCE=200809L _DEFAULT_SOURCE ${ARGN})
    foreach(target ${fuzz_targets})
        set(program ${prefix}${target})
        add_executable(${program} ${fuzz}/${target}.c)
        target_link_libraries(${program} PRIVATE ${common} at_warnings)
        if(AT_FUZZ_ENGINE)
            separate_arguments(engine UNIX_COMMAND "${AT_FUZZ_ENGINE}")
            target_link_options(${program} PRIVATE ${engine})
            continue()
        endif()
        target_sources(${program} PRIVATE ${fuzz}/replay.c)
        string(REPLACE "fuzz_" "" name ${program})
        set(stored ${fuzz}/corpus/${name}.txt)
        if(EXISTS ${fuzz}/regressions/${name})
            list(APPEND stored ${fuzz}/regressions/${name})
        endif()
        add_test(NAME fuzz.${name} COMMAND ${program} ${stored})
        set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 300)
    endforeach()
endfunction()

if(AT_FUZZ_ENGINE)
    atspec_generate(TARGET tide SPEC tests/generator/second/tide.yaml MODULE)
endif()
at_fuzz(fuzz_ atspec_bc26_module)
at_fuzz(fuzz_tide_ tide_module
    MODULE_HEADER="tide_module.h" MODULE=tide MODULE_GRAMMAR=tide_grammar)

# Long: that each target finds what it is meant to find, in builds of its own with bugs in them.
if(NOT AT_FUZZ_ENGINE AND NOT AT_SANITIZE)
    add_test(NAME fuzz.planted COMMAND ${AT_PYTHON} ${fuzz}/planted.py
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(fuzz.planted PROPERTIES LABELS all TIMEOUT 900 COST 50)
endif()

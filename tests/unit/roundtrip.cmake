# What is tested from the spec itself: round trips over every form and line, and
# the examples. For the BC26, and for a second module that only its YAML knows.

# at_examples(NAME SPEC [FIRMWARE name] [OVERLAYS file...]): the dialogues of a spec as a test program in C.
function(at_examples name spec)
    cmake_parse_arguments(arg "" "FIRMWARE" "OVERLAYS" ${ARGN})
    atspec_view_options(options "${arg_FIRMWARE}" "${arg_OVERLAYS}")
    set(source ${CMAKE_BINARY_DIR}/generated/${name}/${name}_examples.c)
    add_custom_command(OUTPUT ${source}
        COMMAND ${AT_PYTHON} ${PROJECT_SOURCE_DIR}/gen/atspec examples
            ${PROJECT_SOURCE_DIR}/${spec} -o ${source} ${options}
        COMMAND ${CMAKE_COMMAND} -E touch ${source}
        DEPENDS ${CMAKE_BINARY_DIR}/generated/${name}/stamp
        COMMENT "Generating the examples of ${name}"
        VERBATIM)
    at_test(${name}_examples ${source} ${tests}/unit/dialogue.c ${tests}/unit/dialogue_client.c
        ${tests}/unit/members.c LIBS ${name}_module)
endfunction()

at_test(roundtrip ${tests}/unit/test_roundtrip.c ${tests}/unit/members.c LIBS bc26_module)
at_examples(bc26 spec/quectel/bc26-tcpip.yaml)
at_test(values ${tests}/unit/test_values.c LIBS bc26)

atspec_generate(TARGET tide SPEC tests/generator/second/tide.yaml MODULE)
at_test(second ${tests}/unit/test_second.c LIBS tide_module)
at_test(second_roundtrip ${tests}/unit/test_roundtrip.c ${tests}/unit/members.c LIBS tide_module)
at_examples(tide tests/generator/second/tide.yaml)
target_compile_definitions(test_second_roundtrip PRIVATE AT_COVERS_NOTHING
    MODULE_HEADER="tide_module.h" MODULE_GRAMMAR=tide_grammar)
target_compile_definitions(test_tide_examples PRIVATE AT_COVERS_NOTHING)

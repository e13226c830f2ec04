# Ragel 6.10 and a Python that has the generator's modules: found or explained.

set(AT_RAGEL_VERSION 6.10)
find_program(RAGEL ragel)
if(NOT RAGEL)
    message(FATAL_ERROR "ragel isn't installed. On Debian: apt-get install ragel")
endif()
execute_process(COMMAND ${RAGEL} --version OUTPUT_VARIABLE ragel_version)
if(NOT ragel_version MATCHES "version ${AT_RAGEL_VERSION} ")
    string(REGEX MATCH "[^\n]*" ragel_version "${ragel_version}")
    message(FATAL_ERROR "atspec needs Ragel ${AT_RAGEL_VERSION}, found: ${ragel_version}")
endif()

# The python3 that comes first in PATH may lack the modules that another has.
# railroad is only for the reference manual.
foreach(modules "yaml, jinja2, jsonschema, railroad" "yaml, jinja2, jsonschema")
    foreach(candidate python3 /usr/bin/python3 /usr/local/bin/python3)
        if(NOT AT_PYTHON)
            execute_process(COMMAND ${candidate} -c "import ${modules}"
                RESULT_VARIABLE missing OUTPUT_QUIET ERROR_QUIET)
            if(missing EQUAL 0)
                set(AT_PYTHON ${candidate} CACHE STRING "Python with ${modules}")
            endif()
        endif()
    endforeach()
endforeach()
if(NOT AT_PYTHON)
    message(FATAL_ERROR "no python3 with yaml, jinja2 and jsonschema. "
        "On Debian: apt-get install python3-yaml python3-jinja2 python3-jsonschema")
endif()

# at_ragel(INPUT OUTPUT [DEPENDS ...]): compile a machine, without #line marks.
function(at_ragel input output)
    get_filename_component(input ${input} ABSOLUTE)
    get_filename_component(folder ${output} DIRECTORY)
    file(MAKE_DIRECTORY ${folder})
    add_custom_command(OUTPUT ${output}
        COMMAND ${RAGEL} -C -L -${AT_RAGEL_STYLE} ${input} -o ${output}
        COMMAND sed -i "/^\\/\\* #line .* \\*\\/$/d" ${output}
        DEPENDS ${input} ${ARGN}
        COMMENT "Ragel -${AT_RAGEL_STYLE} ${output}"
        VERBATIM)
endfunction()

# at_view_options(OUT FIRMWARE OVERLAYS): what tells atspec which firmware, and what amends the spec.
function(at_view_options out firmware overlays)
    set(options)
    if(firmware)
        list(APPEND options --firmware ${firmware})
    endif()
    foreach(overlay ${overlays})
        get_filename_component(overlay ${overlay} ABSOLUTE BASE_DIR ${PROJECT_SOURCE_DIR})
        list(APPEND options --overlay ${overlay})
    endforeach()
    set(${out} ${options} PARENT_SCOPE)
endfunction()

# at_generate(NAME SPEC [MODULE module] [FIRMWARE name] [OVERLAYS file...]): libraries NAME (host) and
# NAME_module from a spec. MODULE is the spec's `module`, if it isn't NAME.
function(at_generate name spec)
    cmake_parse_arguments(arg "" "MODULE;FIRMWARE" "OVERLAYS" ${ARGN})
    at_view_options(options "${arg_FIRMWARE}" "${arg_OVERLAYS}")
    set(module ${name})
    if(arg_MODULE)
        set(module ${arg_MODULE})
    endif()
    set(out ${CMAKE_BINARY_DIR}/generated/${name})
    get_filename_component(spec ${spec} ABSOLUTE)
    file(GLOB generator CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/gen/atspec/*.py
        ${PROJECT_SOURCE_DIR}/gen/templates/*.j2 ${PROJECT_SOURCE_DIR}/spec/common/*.yaml
        ${PROJECT_SOURCE_DIR}/spec/*.json)
    set(files ${out}/${module}.h ${out}/${module}.c ${out}/${module}_calls.c
        ${out}/${module}_manual.c ${out}/${module}_tables.h ${out}/${module}_head.rl
        ${out}/${module}_heads.c ${out}/${module}_module.h ${out}/${module}_module.c ${out}/${module}_command.rl)
    # Files that would not change keep their times, so a stamp says when they were checked.
    add_custom_command(OUTPUT ${out}/stamp BYPRODUCTS ${files}
        COMMAND ${AT_PYTHON} ${PROJECT_SOURCE_DIR}/gen/atspec build ${spec} -o ${out} ${options}
        COMMAND ${CMAKE_COMMAND} -E touch ${out}/stamp
        DEPENDS ${spec} ${arg_OVERLAYS} ${generator}
        COMMENT "Generating ${name} from its spec"
        VERBATIM)
    add_custom_target(${name}_generated DEPENDS ${out}/stamp)
    at_ragel(${out}/${module}_head.rl ${out}/${module}_head.c ${out}/stamp)
    at_ragel(${out}/${module}_command.rl ${out}/${module}_command.c ${out}/stamp)

    add_library(${name} STATIC ${out}/${module}.c ${out}/${module}_calls.c ${out}/${module}_head.c
        ${out}/${module}_manual.c)
    add_library(${name}_module STATIC ${out}/${module}_module.c ${out}/${module}_command.c)
    add_dependencies(${name} ${name}_generated)
    add_dependencies(${name}_module ${name}_generated)
    target_include_directories(${name} PUBLIC ${out})
    target_link_libraries(${name} PUBLIC at_runtime PRIVATE at_warnings)
    target_link_libraries(${name}_module PUBLIC ${name} PRIVATE at_warnings)
endfunction()

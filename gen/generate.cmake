# atspec_generate: libraries from a spec. The same file serves the source tree, projects that
# take it in with add_subdirectory or FetchContent, and, installed, those that find_package it.
cmake_policy(VERSION 3.22)

set(AT_RAGEL_STYLE G2 CACHE STRING "Style of the Ragel machines: T0 (smallest) ... G2 (fastest)")

# Ragel 6.10 and a Python that has the generator's modules: found or explained, once something
# is to be generated. AT_RAGEL and AT_PYTHON say which.
function(atspec_find_tools)
    set(styles T0 T1 F0 F1 G0 G1 G2)
    if(NOT AT_RAGEL_STYLE IN_LIST styles)
        message(FATAL_ERROR "AT_RAGEL_STYLE is one of ${styles}, not ${AT_RAGEL_STYLE}")
    endif()
    if("${AT_TOOLS_CHECKED}" STREQUAL "${AT_RAGEL} ${AT_PYTHON}")
        return()
    endif()
    find_program(AT_RAGEL ragel)
    if(NOT AT_RAGEL)
        message(FATAL_ERROR "ragel isn't installed. On Debian: apt-get install ragel")
    endif()
    execute_process(COMMAND ${AT_RAGEL} --version OUTPUT_VARIABLE said ERROR_VARIABLE said)
    if(NOT said MATCHES "version 6\\.10 ")
        string(REGEX MATCH "[^\n]*" said "${said}")
        message(FATAL_ERROR "atspec needs Ragel 6.10, found: ${said}")
    endif()

    # The python3 that comes first in PATH may lack the modules that another has.
    # railroad is only for the reference manual.
    set(candidates python3 /usr/bin/python3 /usr/local/bin/python3)
    if(AT_PYTHON)
        set(candidates ${AT_PYTHON})
    endif()
    foreach(modules "yaml, jinja2, jsonschema, railroad" "yaml, jinja2, jsonschema")
        foreach(candidate ${candidates})
            execute_process(COMMAND ${candidate} -c "import ${modules}"
                RESULT_VARIABLE lacks OUTPUT_QUIET ERROR_QUIET)
            if(lacks EQUAL 0)
                set(AT_PYTHON ${candidate} CACHE STRING "Python with yaml, jinja2 and jsonschema")
                set(AT_TOOLS_CHECKED "${AT_RAGEL} ${AT_PYTHON}" CACHE INTERNAL "")
                return()
            endif()
        endforeach()
    endforeach()
    string(JOIN ", " candidates ${candidates})
    message(FATAL_ERROR "no Python with yaml, jinja2 and jsonschema (tried ${candidates}). "
        "On Debian: apt-get install python3-yaml python3-jinja2 python3-jsonschema")
endfunction()

# atspec_ragel(INPUT OUTPUT [depends...]): compile a machine, without marks of lines.
function(atspec_ragel input output)
    add_custom_command(OUTPUT ${output}
        COMMAND ${CMAKE_COMMAND} -D RAGEL=${AT_RAGEL} -D STYLE=${AT_RAGEL_STYLE}
            -D INPUT=${input} -D OUTPUT=${output}
            -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/ragel.cmake
        DEPENDS ${input} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/ragel.cmake ${ARGN}
        COMMENT "Ragel -${AT_RAGEL_STYLE} ${output}"
        VERBATIM)
endfunction()

# atspec_view_options(OUT FIRMWARE OVERLAYS): what tells atspec which firmware, and what amends the spec.
function(atspec_view_options out firmware overlays)
    set(options)
    if(firmware)
        list(APPEND options --firmware ${firmware})
    endif()
    foreach(overlay ${overlays})
        get_filename_component(overlay ${overlay} ABSOLUTE)
        list(APPEND options --overlay ${overlay})
    endforeach()
    set(${out} ${options} PARENT_SCOPE)
endfunction()

# atspec_strict(target...): C99, and in atspec's own build its warnings.
function(atspec_strict)
    set_target_properties(${ARGN} PROPERTIES C_STANDARD 99 C_EXTENSIONS OFF)
    foreach(target ${ARGN})
        target_link_libraries(${target} PRIVATE
            $<BUILD_INTERFACE:$<TARGET_NAME_IF_EXISTS:at_warnings>>)
    endforeach()
endfunction()

# atspec_generate(TARGET name SPEC file [HOST | MODULE] [FIRMWARE name] [ONLY command...]
#                 [OVERLAYS file...] [DIRECTORY folder])
#
# A static library NAME, the host's side: codec, client's calls and all. HOST says so; MODULE
# adds NAME_module, the module's side. FIRMWARE, ONLY and OVERLAYS are those of `atspec build`.
# The sources go to DIRECTORY, else to generated/NAME of the binary directory, and are made
# anew when the spec, what it includes, or an overlay changes.
function(atspec_generate)
    cmake_parse_arguments(arg "HOST;MODULE" "TARGET;SPEC;FIRMWARE;DIRECTORY" "ONLY;OVERLAYS" ${ARGN})
    if(NOT arg_TARGET OR NOT arg_SPEC)
        message(FATAL_ERROR "atspec_generate: TARGET and SPEC must be given")
    endif()
    if(arg_UNPARSED_ARGUMENTS OR arg_KEYWORDS_MISSING_VALUES OR (arg_HOST AND arg_MODULE))
        message(FATAL_ERROR "atspec_generate(${arg_TARGET}): can't make sense of: "
            "${arg_UNPARSED_ARGUMENTS} ${arg_KEYWORDS_MISSING_VALUES}")
    endif()
    set(name ${arg_TARGET})
    if(NOT CMAKE_C_COMPILER_LOADED)
        message(FATAL_ERROR "atspec_generate(${name}): it makes C, which this project doesn't have: "
            "project(... LANGUAGES C CXX), or enable_language(C)")
    endif()
    atspec_find_tools()
    foreach(file ${arg_SPEC} ${arg_OVERLAYS})
        get_filename_component(file ${file} ABSOLUTE)
        if(NOT EXISTS ${file})
            message(FATAL_ERROR "atspec_generate(${name}): there's no ${file}")
        endif()
    endforeach()
    get_filename_component(spec ${arg_SPEC} ABSOLUTE)
    # Files are named after the spec's module.
    file(STRINGS ${spec} module REGEX "^module:" LIMIT_COUNT 1)
    if(NOT module MATCHES "^module: *[\"']?([a-z][a-z0-9_]*)")
        message(FATAL_ERROR "atspec_generate(${name}): no line of ${spec} says which module it is of, as `module: mine` does")
    endif()
    set(module ${CMAKE_MATCH_1})
    set(out ${CMAKE_CURRENT_BINARY_DIR}/generated/${name})
    if(arg_DIRECTORY)
        get_filename_component(out ${arg_DIRECTORY} ABSOLUTE BASE_DIR ${CMAKE_CURRENT_BINARY_DIR})
    endif()
    get_property(taken GLOBAL PROPERTY atspec_directories)
    if(out IN_LIST taken)
        message(FATAL_ERROR "atspec_generate(${name}): another library's sources go to ${out} already")
    endif()
    set_property(GLOBAL APPEND PROPERTY atspec_directories ${out})

    atspec_view_options(options "${arg_FIRMWARE}" "${arg_OVERLAYS}")
    if(arg_ONLY)
        string(REPLACE ";" "," only "${arg_ONLY}")
        list(APPEND options --only ${only})
    endif()
    set(sources ${out}/${module}.c ${out}/${module}_calls.c ${out}/${module}_manual.c)
    set(files ${sources} ${out}/${module}.h ${out}/${module}_tables.h ${out}/${module}_head.rl ${out}/${module}_heads.c)
    set(module_sources ${out}/${module}_module.c)
    if(arg_MODULE)
        list(APPEND files ${module_sources} ${out}/${module}_module.h ${out}/${module}_command.rl)
    else()
        list(APPEND options --host)
    endif()
    set(gen ${CMAKE_CURRENT_FUNCTION_LIST_DIR})
    file(GLOB generator ${gen}/atspec/*.py ${gen}/templates/*.j2 ${gen}/../spec/*.json)
    # Files that would not change keep their times, so a stamp says when they were checked.
    add_custom_command(OUTPUT ${out}/stamp BYPRODUCTS ${files}
        COMMAND ${AT_PYTHON} ${gen}/atspec build ${spec} -o ${out} --depfile ${out}/stamp.d ${options}
        COMMAND ${CMAKE_COMMAND} -E touch ${out}/stamp
        DEPENDS ${spec} ${generator}
        DEPFILE ${out}/stamp.d
        COMMENT "Generating ${name} from its spec"
        VERBATIM)
    add_custom_target(${name}_generated DEPENDS ${out}/stamp)
    atspec_ragel(${out}/${module}_head.rl ${out}/${module}_head.c ${out}/stamp)

    add_library(${name} STATIC ${sources} ${out}/${module}_head.c)
    target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${out}>)
    target_link_libraries(${name} PUBLIC atspec::runtime)
    set(targets ${name})
    if(arg_MODULE)
        atspec_ragel(${out}/${module}_command.rl ${out}/${module}_command.c ${out}/stamp)
        add_library(${name}_module STATIC ${module_sources} ${out}/${module}_command.c)
        target_link_libraries(${name}_module PUBLIC ${name})
        list(APPEND targets ${name}_module)
    endif()
    foreach(target ${targets})
        add_dependencies(${target} ${name}_generated)
    endforeach()
    atspec_strict(${targets})
endfunction()

# The codec and the stream parser.
at_test(codec ${tests}/unit/test_codec.c LIBS bc26_module)
target_include_directories(test_codec PRIVATE ${PROJECT_SOURCE_DIR}/src/runtime)
at_test(laws ${tests}/unit/test_laws.c ${tests}/unit/recorder.c LIBS bc26_module at_tool)

# tests/transcripts: one test a file. at_transcripts(NAME FOLDER LIB [definition...])
function(at_transcripts name folder lib)
    add_executable(test_${name} ${tests}/unit/test_transcripts.c ${tests}/unit/recorder.c)
    target_link_libraries(test_${name} PRIVATE ${lib} at_tool at_warnings)
    target_compile_definitions(test_${name} PRIVATE ${ARGN})
    file(GLOB transcripts CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${tests}/${folder}/*.txt)
    foreach(transcript ${transcripts})
        get_filename_component(file ${transcript} NAME_WE)
        add_test(NAME ${name}.${file} COMMAND test_${name} ${transcript}
            WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
        set_tests_properties(${name}.${file} PROPERTIES TIMEOUT 120)
    endforeach()
endfunction()

at_transcripts(transcripts transcripts bc26_module)
at_transcripts(bg95_transcripts transcripts/bg95 bg95_module ${bg95})

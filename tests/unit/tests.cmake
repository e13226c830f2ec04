# The codec and the stream parser.
at_test(codec ${tests}/unit/test_codec.c LIBS bc26_module)
target_include_directories(test_codec PRIVATE ${PROJECT_SOURCE_DIR}/src/runtime)
at_test(laws ${tests}/unit/test_laws.c ${tests}/unit/recorder.c LIBS bc26_module at_tool)

# tests/transcripts: one test a file.
add_executable(test_transcripts ${tests}/unit/test_transcripts.c ${tests}/unit/recorder.c)
target_link_libraries(test_transcripts PRIVATE bc26_module at_tool at_warnings)
file(GLOB transcripts CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${tests}/transcripts/*.txt)
foreach(transcript ${transcripts})
    get_filename_component(name ${transcript} NAME_WE)
    add_test(NAME transcripts.${name} COMMAND test_transcripts ${transcript}
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(transcripts.${name} PROPERTIES TIMEOUT 120)
endforeach()

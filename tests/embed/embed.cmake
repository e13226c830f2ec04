# The ways into other projects, each from a directory outside the tree.
add_executable(embed_host ${tests}/embed/consumer/host.c)
target_link_libraries(embed_host PRIVATE bc26 at_warnings)
if(NOT AT_SANITIZE)
    foreach(part amalgamation installed subproject packages)
        add_test(NAME embed.${part} COMMAND ${AT_PYTHON} ${tests}/embed/test_${part}.py)
        set_tests_properties(embed.${part} PROPERTIES ENVIRONMENT "AT_BUILD=${CMAKE_BINARY_DIR}"
            TIMEOUT 600 LABELS all)
    endforeach()
endif()

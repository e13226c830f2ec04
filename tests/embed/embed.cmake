# The ways into other projects, each from a directory outside the tree.
add_executable(embed_host ${tests}/embed/consumer/host.c)
target_link_libraries(embed_host PRIVATE bc26 at_warnings)
if(NOT AT_SANITIZE)
    foreach(part amalgamation installed subproject)
        add_test(NAME embed.${part} COMMAND ${AT_PYTHON} ${tests}/embed/test_${part}.py)
        set_tests_properties(embed.${part} PROPERTIES ENVIRONMENT "AT_BUILD=${CMAKE_BINARY_DIR}"
            TIMEOUT 600 LABELS all)
    endforeach()

    # It reads Kconfig, which the Python that comes first may not be able to.
    set(packages_python ${AT_PYTHON})
    execute_process(COMMAND ${AT_PYTHON} -c "import kconfiglib" RESULT_VARIABLE lacks
        OUTPUT_QUIET ERROR_QUIET)
    if(NOT lacks EQUAL 0 AND EXISTS /usr/bin/python3)
        set(packages_python /usr/bin/python3)
    endif()
    add_test(NAME embed.packages COMMAND ${packages_python} ${tests}/embed/test_packages.py)
    set_tests_properties(embed.packages PROPERTIES ENVIRONMENT "AT_BUILD=${CMAKE_BINARY_DIR}"
        TIMEOUT 600 LABELS all)
endif()
